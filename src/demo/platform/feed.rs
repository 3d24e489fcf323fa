//! The watches: what the server says, by kind.

use futures::stream::{BoxStream, SelectAll};
use futures::{StreamExt as _, stream};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::Value;

use super::kind::{Kind, Row};
use super::object::Object;

/// Objects with this label are not looked after: they change by themselves.
pub const SYNTHETIC: &str = "v9s.dev/synthetic";

/// What a watch says.
#[derive(Debug)]
pub(super) enum News {
    /// A list begins.
    Begin(Kind),
    /// An object is there, as part of a list.
    Listed(Object),
    /// The list is complete.
    Complete(Kind),
    /// An object is new, or has changed.
    Applied(Object),
    /// An object is gone.
    Gone(Object),
}

/// Everything that is watched.
pub(super) type Feeds = SelectAll<BoxStream<'static, News>>;

/// Watches these kinds.
pub(super) fn open(client: &Client, kinds: &[Kind]) -> Feeds {
    stream::select_all(kinds.iter().map(|kind| feed(client.clone(), *kind).boxed()))
}

fn feed(client: Client, kind: Kind) -> impl futures::Stream<Item = News> {
    let api: Api<DynamicObject> = Api::all_with(client, &resource(kind));
    let config = watcher::Config::default().labels(&format!("!{SYNTHETIC}"));
    watcher(api, config).default_backoff().filter_map(move |event| async move {
        match event {
            Ok(watcher::Event::Init) => Some(News::Begin(kind)),
            Ok(watcher::Event::InitApply(object)) => Some(News::Listed(whole(kind, &object)?)),
            Ok(watcher::Event::InitDone) => Some(News::Complete(kind)),
            Ok(watcher::Event::Apply(object)) => Some(News::Applied(whole(kind, &object)?)),
            Ok(watcher::Event::Delete(object)) => Some(News::Gone(whole(kind, &object)?)),
            Err(why) => {
                tracing::warn!(kind = kind.row().plural, %why, "the watch of the platform failed");
                None
            }
        }
    })
}

/// A kind as kube names it.
pub(super) fn resource(kind: Kind) -> ApiResource {
    let Row { group, version, kind: name, plural, .. } = kind.row();
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: kind.api_version(),
        kind: name.to_owned(),
        plural: plural.to_owned(),
    }
}

/// The object with its kind, which lists leave out.
fn whole(kind: Kind, object: &DynamicObject) -> Option<Object> {
    let mut value = serde_json::to_value(object).ok()?;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = Value::from(kind.row().kind);
    Some(Object::new(kind, value))
}
