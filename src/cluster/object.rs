//! Whole objects, kept fresh: one that somebody has opened, or the few that belong to it.
//!
//! The records of the store keep what rows need. Here an object comes as the server has it, by one read and then a
//! watch on nothing else; who may read and not watch is told so and gets it by reading again.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connect::Connection;
use super::error::{Failure, FailureKind};
use super::feed::{Closed, Follow, Input, Machine, PageEnd, Stop, Target, Timing, run};
use super::watch::{Heard, Watch, escape, with_query};
use crate::store::Freshness;

const ACCEPT: &str = "application/json";

/// Which objects are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Their resource.
    pub target: Target,
    /// Where they live; none for those that live in no namespace.
    pub namespace: Option<String>,
    /// Which of them.
    pub which: Which,
}

/// Which objects of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with this name.
    Named(String),
    /// Those that a field selector chooses (`involvedObject.uid=…`).
    Fields(String),
}

impl Wanted {
    /// The events that were told about an object, by its UID.
    pub fn events_of(uid: &str, namespace: Option<&str>) -> Self {
        let target = Target {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "events".to_owned(),
            namespaced: true,
        };
        let which = Which::Fields(format!("involvedObject.uid={uid}"));
        Self { target, namespace: namespace.map(str::to_owned), which }
    }

    fn selector(&self) -> String {
        match &self.which {
            Which::Named(name) => format!("metadata.name={name}"),
            Which::Fields(fields) => fields.clone(),
        }
    }
}

/// What is new about followed objects.
#[derive(Clone, Default)]
pub struct News {
    /// Objects as they are now.
    pub here: Vec<Arc<Value>>,
    /// UIDs of those that were deleted.
    pub gone: Vec<String>,
    /// `here` is all there is: what is not in it is gone.
    pub whole: bool,
    /// Where the following stands, if that has changed.
    pub freshness: Option<Freshness>,
}

impl fmt::Debug for News {
    /// Without the objects: they may be Secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News")
            .field("here", &self.here.len())
            .field("gone", &self.gone)
            .field("whole", &self.whole)
            .field("freshness", &self.freshness)
            .finish()
    }
}

/// How much news waits at most; who follows waits with it.
const ROOM: usize = 4;

/// Objects that are followed until this is dropped.
#[derive(Debug)]
pub struct Following {
    task: JoinHandle<()>,
    news: mpsc::Receiver<News>,
}

impl Following {
    /// The next news; none when there will be none any more.
    pub async fn next(&mut self) -> Option<News> {
        self.news.recv().await
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows objects. Must be called within a runtime.
pub fn follow(connection: Connection, wanted: Wanted, timing: Timing) -> Following {
    let (sink, news) = mpsc::channel(ROOM);
    let machine = Machine::new(&connection.info().server);
    let collection = wanted.target.path(wanted.namespace.as_deref());
    let follower = Follower { connection, wanted, collection, timing, sink, machine, listed: Vec::new() };
    Following { task: tokio::spawn(run(follower)), news }
}

struct Follower {
    connection: Connection,
    wanted: Wanted,
    collection: String,
    timing: Timing,
    sink: mpsc::Sender<News>,
    machine: Machine,
    /// Objects of the pages so far.
    listed: Vec<Arc<Value>>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    what: String,
    object: Value,
}

fn version_of(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

impl Follower {
    async fn say(&mut self, news: News) -> Result<(), Closed> {
        self.sink.send(news).await.map_err(|_| Closed)
    }

    /// What the version of the collection is. That of an object which has not changed for long is too old for a server to
    /// watch from; who may read the object alone has to go by it all the same.
    async fn version(&self) -> Option<String> {
        let selector = self.wanted.selector();
        let path = with_query(&self.collection, [("limit", "1"), ("fieldSelector", &selector)]);
        let list = self.connection.get_json::<Value>(&path, ACCEPT, self.timing.answer).await.ok()?;
        Some(version_of(&list).to_owned()).filter(|version| !version.is_empty())
    }

    /// Reads the one object. That it is not there is an answer like any other.
    async fn read(&mut self, name: &str) -> Result<PageEnd, Stop> {
        let path = format!("{}/{}", self.collection, escape(name));
        // Before the object, so that nothing between the two is missed.
        let version = self.version().await;
        let mut end = PageEnd { version: version.clone().unwrap_or_default(), ..PageEnd::default() };
        let here = match self.connection.get_json::<Value>(&path, ACCEPT, self.timing.answer).await {
            Ok(object) => {
                if version.is_none() {
                    version_of(&object).clone_into(&mut end.version);
                }
                vec![Arc::new(object)]
            }
            Err(failure) if failure.kind == FailureKind::NotFound => Vec::new(),
            Err(failure) => return Err(failure.into()),
        };
        end.count = here.len();
        self.say(News { here, whole: true, ..News::default() }).await?;
        Ok(end)
    }

    async fn read_page(&mut self, limit: u32, token: Option<&str>) -> Result<PageEnd, Stop> {
        let (limit, selector) = (limit.to_string(), self.wanted.selector());
        let query = [("limit", limit.as_str()), ("fieldSelector", &selector)];
        let query = query.into_iter().chain(token.map(|token| ("continue", token)));
        let path = with_query(&self.collection, query);
        let mut list: Value = self.connection.get_json(&path, ACCEPT, self.timing.answer).await?;
        if token.is_none() {
            self.listed.clear();
        }
        let items = match list["items"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        let next = list["metadata"]["continue"].as_str().filter(|token| !token.is_empty());
        let end = PageEnd {
            count: items.len(),
            next: next.map(str::to_owned),
            version: version_of(&list).to_owned(),
            ..PageEnd::default()
        };
        self.listed.extend(items.into_iter().map(Arc::new));
        if end.next.is_none() {
            let here = std::mem::take(&mut self.listed);
            self.say(News { here, whole: true, ..News::default() }).await?;
        }
        Ok(end)
    }

    /// Notes a line of the watch; says whether it was a bookmark.
    fn take(&mut self, line: &[u8], news: &mut News) -> Result<bool, Failure> {
        let server = &self.connection.info().server;
        let event: Event =
            serde_json::from_slice(line).map_err(|why| Failure::garbage(server, &why.to_string()))?;
        let version = version_of(&event.object).to_owned();
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        match event.what.as_str() {
            "ADDED" | "MODIFIED" => {
                let new = uid(&event.object);
                news.here.retain(|old| uid(old) != new);
                news.here.push(Arc::new(event.object));
            }
            "DELETED" => {
                let old = uid(&event.object);
                news.here.retain(|known| uid(known) != old);
                news.gone.push(old);
            }
            "BOOKMARK" => {}
            _ => {
                let code = event.object["code"].as_u64().and_then(|code| u16::try_from(code).ok());
                let status = event.object.to_string();
                return Err(Failure::from_status(code.unwrap_or(0), status.as_bytes(), None, server));
            }
        }
        self.machine.step(Input::Version(version), Instant::now());
        Ok(event.what == "BOOKMARK")
    }
}

impl Follow for Follower {
    fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    fn path(&self) -> &str {
        &self.collection
    }

    async fn tell(&mut self, freshness: Freshness) -> Result<(), Closed> {
        self.say(News { freshness: Some(freshness), ..News::default() }).await
    }

    async fn list(&mut self, limit: u32, token: Option<&str>) -> Result<PageEnd, Stop> {
        match self.wanted.which.clone() {
            Which::Named(name) => self.read(&name).await,
            Which::Fields(_) => self.read_page(limit, token).await,
        }
    }

    async fn watch(&mut self, version: &str) -> Result<(), Stop> {
        let selector = self.wanted.selector();
        let what = (self.collection.as_str(), ACCEPT, Some(("fieldSelector", selector.as_str())));
        let mut watch = Watch::open(&self.connection, what, version, self.timing, Vec::new()).await?;
        loop {
            match watch.more().await? {
                Heard::Open => self.opened().await?,
                Heard::End => return Ok(()),
                Heard::Lines => {
                    let mut news = News::default();
                    let mut failed = None;
                    while let Some(line) = watch.line() {
                        match self.take(line, &mut news) {
                            Ok(bookmark) => watch.bookmarks |= bookmark,
                            Err(failure) => {
                                failed = Some(failure);
                                break;
                            }
                        }
                    }
                    if !news.here.is_empty() || !news.gone.is_empty() {
                        self.say(news).await?;
                    }
                    if let Some(failure) = failed {
                        return Err(failure.into());
                    }
                }
            }
        }
    }
}
