//! A client for tests: requests over the server's pipe, answers as what a client sees of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::body::Stored;
use super::kinds::Kind;
use super::{MASTERS, Options, Server, User};

/// When the clock of a test's server begins.
pub(crate) const BEGIN: &str = "2026-03-04T05:06:07Z";

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server and how it is talked to. Clones talk to the same server; each request has a connection of its own.
#[derive(Clone)]
pub(crate) struct Api {
    server: Server,
    clock: Arc<Mutex<Timestamp>>,
    headers: Vec<(String, String)>,
}

/// A whole answer.
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Api {
    /// A server with the users `admin` (who may do everything) and `shop-operator`, asked by nobody in particular.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same with other options; the clock is the test's in any case.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(Mutex::new(BEGIN.parse().unwrap()));
        let shown = Arc::clone(&clock);
        let mut options = Options {
            users: vec![
                ("token-of-admin".into(), User::new("admin", &[MASTERS])),
                ("token-of-shop-operator".into(), User::new("shop-operator", &[])),
            ],
            ..Options::default()
        };
        change(&mut options);
        options.clock = Box::new(move || *shown.lock().unwrap());
        Self { server: Server::new(options), clock, headers: Vec::new() }
    }

    /// The server itself.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    /// Asked with a header more.
    pub(crate) fn with_header(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    /// Asked by the user whose token is `token-of-NAME`.
    pub(crate) fn as_user(&self, name: &str) -> Self {
        self.with_header("authorization", &format!("Bearer token-of-{name}"))
    }

    /// Asked by somebody who may do everything.
    pub(crate) fn as_admin(&self) -> Self {
        self.as_user("admin")
    }

    /// One request and the head of its answer.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> http::Response<Incoming> {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.server.connect())).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "test");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        tokio::time::timeout(PATIENCE, sender.send_request(request)).await.expect("no answer").unwrap()
    }

    /// One request and its whole answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Reply {
        let (head, body) = self.open(method, path, body).await.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.expect("no end").unwrap();
        Reply { code: head.status.as_u16(), headers: head.headers, body: body.to_bytes() }
    }

    async fn send_json(&self, method: Method, path: &str, media: &str, body: &Value) -> (u16, Value) {
        let reply = self.with_header("content-type", media).send(method, path, body.to_string()).await;
        (reply.code, reply.json())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let reply = self.send(Method::GET, path, "").await;
        (reply.code, reply.json())
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send_json(Method::POST, path, "application/json", &body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send_json(Method::PUT, path, "application/json", &body).await
    }

    /// A merge patch.
    pub(crate) async fn merge(&self, path: &str, body: Value) -> (u16, Value) {
        self.send_json(Method::PATCH, path, "application/merge-patch+json", &body).await
    }

    /// A JSON patch.
    pub(crate) async fn json_patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.send_json(Method::PATCH, path, "application/json-patch+json", &body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        let reply = self.send(Method::DELETE, path, "").await;
        (reply.code, reply.json())
    }

    /// With `DeleteOptions`.
    pub(crate) async fn delete_with(&self, path: &str, options: Value) -> (u16, Value) {
        self.send_json(Method::DELETE, path, "application/json", &options).await
    }

    /// An answer in lines that come as they come: a watch, or a log that is followed.
    pub(crate) async fn lines(&self, path: &str) -> Lines {
        let response = self.open(Method::GET, path, "").await;
        Lines { code: response.status().as_u16(), body: response.into_body(), rest: BytesMut::new() }
    }

    /// The names of the objects that a list shows.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let (code, list) = self.get(path).await;
        assert_eq!(code, 200, "{path}: {list}");
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Every object that a server has: group, plural, namespace, and the object.
pub(crate) fn all_objects(server: &Server) -> Vec<(&'static str, &'static str, String, Value)> {
    let mut all = Vec::new();
    for kind in Kind::all() {
        let objects: Vec<Stored> =
            server.storage().with(|state| state.list(kind, None, None, None).unwrap().collect());
        for object in objects {
            let namespace = object.key.namespace.to_string();
            all.push((kind.row().group, kind.row().plural, namespace, object.value(kind.stored_version())));
        }
    }
    all
}

/// Lines of an answer.
pub(crate) struct Lines {
    pub(crate) code: u16,
    body: Incoming,
    rest: BytesMut,
}

impl Lines {
    /// The next line; none after the last.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end + 1);
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("no line came");
            match frame {
                Some(frame) => self.rest.extend_from_slice(&frame.unwrap().into_data().unwrap_or_default()),
                None if self.rest.is_empty() => return None,
                None => return Some(String::from_utf8_lossy(&self.rest.split()).into_owned()),
            }
        }
    }

    /// The next event of a watch: its type and its object.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let line = self.line().await.expect("the watch ended");
        let mut event: Value = serde_json::from_str(&line).unwrap();
        (event["type"].as_str().unwrap_or_default().to_owned(), event["object"].take())
    }

    /// The next event in short: `MODIFIED name`.
    pub(crate) async fn told(&mut self) -> String {
        let (happened, object) = self.event().await;
        format!("{happened} {}", object["metadata"]["name"].as_str().unwrap_or_default())
    }
}

#[tokio::test]
async fn a_test_talks_to_a_server() {
    let api = Api::new().as_admin();
    let pods = "/api/v1/namespaces/default/pods";
    let (code, list) = api.get(pods).await;
    assert_eq!((code, list["kind"].as_str()), (200, Some("PodList")));
    let mut watch = api.lines(&format!("{pods}?watch=1")).await;
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {
        "containers": [{"name": "c", "image": "i"}]}});
    assert_eq!(api.post(pods, pod).await.0, 201);
    assert_eq!(watch.told().await, "ADDED a");
    assert_eq!(api.names(pods).await, ["a"]);
    assert_eq!(Api::new().as_user("nobody").get(pods).await.0, 401);
}
