//! A platform on an embedded server, for tests: the clock stands until somebody advances it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kube::{Client, Config};
use serde_json::{Value, json};

use super::execute::collection;
use super::kind::Kind;
use super::{Logs, Options, Pace, Parts, Platform, RECONCILERS};
use crate::cluster::dial::Dialer;
use crate::demo::server::{MASTERS, Options as ServerOptions, Server, User};

/// What containers wrote: `namespace/pod/container: line`.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

#[allow(dead_code, reason = "tests take what they need of it")]
impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Logs for Lines {
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, _: Timestamp) {
        self.0.lock().unwrap().push(format!("{namespace}/{pod}/{container}: {line}"));
    }
}

/// A server with a platform on it, and a user who may do everything.
#[allow(dead_code, reason = "tests take what they need of it")]
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) lines: Lines,
    pub(crate) platform: Platform,
}

#[allow(dead_code, reason = "tests take what they need of it")]
impl Stage {
    /// The whole platform, on a server with these objects.
    pub(crate) async fn new(objects: Vec<Value>) -> Self {
        Self::with(objects, RECONCILERS).await
    }

    /// Some parts of it.
    pub(crate) async fn with(objects: Vec<Value>, reconcilers: Parts) -> Self {
        let users = vec![(String::new(), User::new("admin", &[MASTERS]))];
        let server = Server::new(ServerOptions { users, ..ServerOptions::default() });
        for object in objects {
            server.put(object).unwrap();
        }
        let dialed = server.clone();
        let dialer = Dialer::new(move || dialed.connect());
        let client = dialer.client(&Config::new("http://demo.internal".parse().unwrap())).unwrap();
        let lines = Lines::default();
        let options = Options {
            pace: Pace::Standing,
            seed: 1,
            logs: Arc::new(lines.clone()),
            time: Box::new(Timestamp::now),
            strict: true,
        };
        let platform = Platform::start_with(client.clone(), options, reconcilers).await.unwrap();
        Self { server, client, lines, platform }
    }

    /// Creates an object as a user does, and waits until the platform has done what there is to do at once.
    pub(crate) async fn create(&self, object: Value) -> Value {
        let kind =
            Kind::find(object["apiVersion"].as_str().unwrap(), object["kind"].as_str().unwrap()).unwrap();
        let path = collection(&kind.row(), object["metadata"]["namespace"].as_str().unwrap_or_default());
        let made = self.request("POST", &path, "application/json", &object).await;
        self.saw(kind, &made).await;
        made
    }

    /// Changes an object as a user does.
    pub(crate) async fn patch(&self, kind: Kind, namespace: &str, name: &str, patch: Value) -> Value {
        let path = format!("{}/{name}", collection(&kind.row(), namespace));
        let made = self.request("PATCH", &path, "application/merge-patch+json", &patch).await;
        self.saw(kind, &made).await;
        made
    }

    /// Changes the status of an object, as a part of the platform does that does not play.
    pub(crate) async fn patch_status(&self, kind: Kind, namespace: &str, name: &str, patch: Value) -> Value {
        let part = if kind.row().status { "/status" } else { "" };
        let path = format!("{}/{name}{part}", collection(&kind.row(), namespace));
        let made = self.request("PATCH", &path, "application/merge-patch+json", &patch).await;
        self.saw(kind, &made).await;
        made
    }

    /// Deletes an object as a user does.
    pub(crate) async fn delete(&self, kind: Kind, namespace: &str, name: &str) {
        let path = format!("{}/{name}", collection(&kind.row(), namespace));
        self.request("DELETE", &path, "application/json", &json!({})).await;
        self.advance(0).await;
    }

    /// An object as it is now; null if it is not.
    pub(crate) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Value {
        let path = format!("{}/{name}", collection(&kind.row(), namespace));
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        self.client.request(request).await.unwrap_or_default()
    }

    /// All objects of a kind in a namespace.
    pub(crate) async fn list(&self, kind: Kind, namespace: &str) -> Vec<Value> {
        let request = http::Request::get(collection(&kind.row(), namespace)).body(Vec::new()).unwrap();
        let list: Value = self.client.request(request).await.unwrap();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// The events of a namespace, as `reason: message`, in the order of their names' beginnings and times.
    pub(crate) async fn events(&self, namespace: &str) -> Vec<String> {
        let path = format!("/api/v1/namespaces/{namespace}/events");
        let list: Value =
            self.client.request(http::Request::get(path).body(Vec::new()).unwrap()).await.unwrap();
        let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let events = list["items"].as_array().into_iter().flatten();
        events.map(|one| format!("{}: {}", text(one, "reason"), text(one, "message"))).collect()
    }

    /// Lets so many seconds go by.
    pub(crate) async fn advance(&self, seconds: u64) {
        self.platform.advance(Duration::from_secs(seconds)).await;
    }

    async fn saw(&self, kind: Kind, object: &Value) {
        let version = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        self.platform.await_version(kind, version).await;
        self.advance(0).await;
    }

    async fn request(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Value {
        let request = http::Request::builder().method(method).uri(path);
        let request =
            request.header("Content-Type", content_type).body(body.to_string().into_bytes()).unwrap();
        self.client.request(request).await.unwrap()
    }
}

/// A namespace.
pub(crate) fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
    })
}
