//! Sending what reconcilers want done.

use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::{Value, json};

use super::edit::time;
use super::install::unwatched;
use super::kind::{Kind, Row};
use super::object::{Object, Reference};
use super::world::Refused;
use super::write::{Event, patches};

/// How long an event can be counted: the server forgets it then.
const EVENT_AGE: SignedDuration = SignedDuration::from_hours(1);

/// What became of a write.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The object as it is now.
    Is(Object),
    /// There is no such object any more.
    Gone,
    /// Nothing that a watch would show.
    Done,
    /// Somebody else was faster, or the server was not there: to be decided anew.
    Again,
    /// The server does not want it.
    Refused(Refused),
}

/// Sends requests.
pub(super) struct Executor {
    client: Client,
    /// Asked of the server as `fieldValidation`.
    validation: &'static str,
    told: HashMap<Told, (Reference, u64, Timestamp)>,
    events: u64,
    /// With more of them than this, those that the server has forgotten are forgotten here, too.
    many: usize,
}

/// Events that are one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Told {
    uid: String,
    level: &'static str,
    reason: String,
    message: String,
    source: &'static str,
    field: String,
}

impl Executor {
    pub(super) fn new(client: Client, validation: &'static str) -> Self {
        Self { client, validation, told: HashMap::new(), events: 0, many: 256 }
    }

    pub(super) async fn create(&self, by: &str, object: &Value) -> (Option<Reference>, Outcome) {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let Some(kind) = Kind::find(text("apiVersion"), text("kind")) else {
            // Something that is made and never looked at again.
            return (None, self.create_unwatched(by, object).await);
        };
        let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let name = if metadata("name").is_empty() { metadata("generateName") } else { metadata("name") };
        let reference = Reference::new(kind, metadata("namespace"), name);
        let path = self.writing(by, &collection(&kind.row(), &reference.namespace));
        let outcome = match self.send(Method::POST, &path, "application/json", object).await {
            Err(Outcome::Refused(why)) if why.code == 409 && why.reason == "AlreadyExists" => Outcome::Done,
            answer => seen(kind, answer),
        };
        (Some(reference), outcome)
    }

    async fn create_unwatched(&self, by: &str, object: &Value) -> Outcome {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let path = unwatched(&api, &kind, &text(&object["metadata"]["namespace"]));
        match self.send(Method::POST, &self.writing(by, &path), "application/json", object).await {
            Ok(_) => Outcome::Done,
            Err(Outcome::Refused(why)) if why.code == 409 => Outcome::Done,
            Err(why) => why,
        }
    }

    pub(super) async fn update(&self, by: &str, before: &Object, after: &Value) -> Outcome {
        let kind = before.kind();
        let path = path_of(&before.reference());
        let mut version = before.text("/metadata/resourceVersion").to_owned();
        let mut now = Outcome::Done;
        let (whole, status) = patches(before, after);
        for (patch, part) in [(whole, ""), (status, "/status")] {
            let Some(mut patch) = patch else { continue };
            patch["metadata"]["resourceVersion"] = version.as_str().into();
            let path = self.writing(by, &format!("{path}{part}"));
            let answer = self.send(Method::PATCH, &path, "application/merge-patch+json", &patch).await;
            now = seen(kind, answer);
            let Outcome::Is(object) = &now else { return now };
            if was_released(before, object) {
                return Outcome::Gone;
            }
            object.text("/metadata/resourceVersion").clone_into(&mut version);
        }
        now
    }

    pub(super) async fn delete(&self, object: &Object, grace: Option<u32>) -> Outcome {
        let mut options = json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
            "preconditions": {"uid": object.uid()},
        });
        if let Some(grace) = grace {
            options["gracePeriodSeconds"] = grace.into();
        }
        let path = path_of(&object.reference());
        match self.send(Method::DELETE, &path, "application/json", &options).await {
            Ok(answer) if answer["kind"] == "Status" => Outcome::Gone,
            Ok(answer) => {
                let left = Object::new(object.kind(), answer);
                let lingers = left.is_ending()
                    && (!left.list("/metadata/finalizers").is_empty()
                        || left.number("/metadata/deletionGracePeriodSeconds").unwrap_or_default() > 0);
                if lingers { Outcome::Is(left) } else { Outcome::Gone }
            }
            Err(Outcome::Refused(why)) if why.code == 404 => Outcome::Gone,
            Err(why) => why,
        }
    }

    pub(super) async fn bind(&self, pod: &Object, node: &str) -> Outcome {
        let binding = json!({
            "apiVersion": "v1", "kind": "Binding",
            "metadata": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        });
        let path = path_of(&pod.reference());
        match self.send(Method::POST, &format!("{path}/binding"), "application/json", &binding).await {
            Ok(_) => seen(Kind::Pod, self.send(Method::GET, &path, "", &Value::Null).await),
            Err(why) => why,
        }
    }

    pub(super) async fn tell(&mut self, by: &str, event: &Event, now: Timestamp) -> Outcome {
        let key = Told {
            uid: event.about.uid().to_owned(),
            level: event.level,
            reason: event.reason.clone(),
            message: event.message.clone(),
            source: event.source,
            field: event.field.clone(),
        };
        if let Some((reference, count, at)) = self.told.get_mut(&key)
            && now.duration_since(*at) < EVENT_AGE
        {
            let path = format!("{}/{}", collection(&EVENTS, &reference.namespace), reference.name);
            let path = writing(self.validation, by, &path);
            let patch = json!({"count": *count + 1, "lastTimestamp": time(now)});
            (*count, *at) = (*count + 1, now);
            match self.send(Method::PATCH, &path, "application/merge-patch+json", &patch).await {
                Err(Outcome::Refused(why)) if why.code == 404 => {}
                Err(why) => return why,
                Ok(_) => return Outcome::Done,
            }
        }
        if self.told.len() > self.many {
            self.told.retain(|_, (_, _, at)| now.duration_since(*at) < EVENT_AGE);
            self.many = 2 * self.told.len() + 256;
        }
        let namespace = if event.about.namespace().is_empty() { "default" } else { event.about.namespace() };
        // As client-go makes names: unique through the time at which it began.
        self.events += 1;
        let name = format!("{}.{:x}", event.about.name(), now.as_nanosecond() + i128::from(self.events));
        let path = self.writing(by, &collection(&EVENTS, namespace));
        match self
            .send(Method::POST, &path, "application/json", &object_of(event, namespace, &name, now))
            .await
        {
            Ok(_) => {
                let reference = Reference { namespace: namespace.to_owned(), kind: Kind::Namespace, name };
                self.told.insert(key, (reference, 1, now));
                Outcome::Done
            }
            Err(why) => why,
        }
    }

    fn writing(&self, by: &str, path: &str) -> String {
        writing(self.validation, by, path)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<Value, Outcome> {
        let body = if body.is_null() { Vec::new() } else { Bytes::from(body.to_string()).to_vec() };
        let request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header("Content-Type", if content_type.is_empty() { "application/json" } else { content_type })
            .body(body)
            .map_err(|why| refused(400, "BadRequest", &why.to_string()))?;
        match self.client.request::<Value>(request).await {
            Ok(answer) => Ok(answer),
            Err(kube::Error::Api(status)) => {
                let (code, reason) = (status.code, status.reason.as_str());
                match (code, reason) {
                    (409, "AlreadyExists") => {}
                    (409 | 429 | 500..=599, _) => {
                        tracing::debug!(%method, path, code, message = status.message, "to be tried again");
                        return Err(Outcome::Again);
                    }
                    _ => tracing::debug!(%method, path, code, message = status.message, "refused"),
                }
                Err(refused(code, reason, &status.message))
            }
            Err(why) => {
                tracing::warn!(%method, path, %why, "not sent");
                Err(Outcome::Again)
            }
        }
    }
}

/// The path for a write of a manager.
fn writing(validation: &str, by: &str, path: &str) -> String {
    format!("{path}?fieldManager={by}&fieldValidation={validation}")
}

fn refused(code: u16, reason: &str, message: &str) -> Outcome {
    Outcome::Refused(Refused { code, reason: reason.to_owned(), message: message.to_owned() })
}

fn seen(kind: Kind, answer: Result<Value, Outcome>) -> Outcome {
    match answer {
        Ok(value) => Outcome::Is(Object::new(kind, value)),
        Err(Outcome::Refused(why)) if why.code == 404 => Outcome::Gone,
        Err(why) => why,
    }
}

/// Whether an object that was to go has lost the last finalizer that held it.
fn was_released(before: &Object, after: &Object) -> bool {
    after.is_ending()
        && !before.list("/metadata/finalizers").is_empty()
        && after.list("/metadata/finalizers").is_empty()
        && after.number("/metadata/deletionGracePeriodSeconds").unwrap_or_default() == 0
}

const EVENTS: Row =
    Row { group: "", version: "v1", kind: "Event", plural: "events", namespaced: true, status: false };

fn object_of(event: &Event, namespace: &str, name: &str, now: Timestamp) -> Value {
    let about = &event.about;
    let mut involved = json!({
        "apiVersion": about.kind().api_version(), "kind": about.kind().row().kind, "name": about.name(),
        "uid": about.uid(), "resourceVersion": about.text("/metadata/resourceVersion"),
    });
    if !about.namespace().is_empty() {
        involved["namespace"] = about.namespace().into();
    }
    if !event.field.is_empty() {
        involved["fieldPath"] = event.field.as_str().into();
    }
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": involved, "type": event.level, "reason": event.reason, "message": event.message,
        "source": {"component": event.source}, "reportingComponent": event.source, "reportingInstance": "",
        "firstTimestamp": time(now), "lastTimestamp": time(now), "eventTime": null, "count": 1,
    })
}

/// The path of a kind's objects in a namespace, or of all where that is empty.
pub(super) fn collection(row: &Row, namespace: &str) -> String {
    let root = if row.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", row.group) };
    if namespace.is_empty() {
        format!("{root}/{}/{}", row.version, row.plural)
    } else {
        format!("{root}/{}/namespaces/{namespace}/{}", row.version, row.plural)
    }
}

fn path_of(reference: &Reference) -> String {
    format!("{}/{}", collection(&reference.kind.row(), &reference.namespace), reference.name)
}
