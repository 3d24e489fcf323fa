//! One request of a story.

use std::path::PathBuf;

use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, runtime};

/// How a Table is asked for.
pub(super) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Who asks.
pub(super) struct Users {
    pub(super) admin: Cluster,
    pub(super) shop: Cluster,
}

impl Users {
    pub(super) fn new(kubeconfig: impl Fn(&str) -> PathBuf) -> Self {
        let user = |name: &str| Cluster::from_kubeconfig(&kubeconfig(name));
        Self { admin: user("admin"), shop: user("shop") }
    }
}

/// A request. `{ns}` in path and body is the story's namespace.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: &'static str,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    by_shop: bool,
    /// How many lines of a watch are read.
    lines: Option<usize>,
}

pub(super) fn get(what: &'static str, path: impl Into<String>) -> Step {
    Step {
        what,
        method: Method::GET,
        path: path.into(),
        headers: vec![("accept", "application/json".into())],
        body: Vec::new(),
        by_shop: false,
        lines: None,
    }
}

pub(super) fn post(what: &'static str, path: impl Into<String>, body: &Value) -> Step {
    get(what, path).method(Method::POST).json(body)
}

pub(super) fn put(what: &'static str, path: impl Into<String>, body: &Value) -> Step {
    get(what, path).method(Method::PUT).json(body)
}

/// A merge patch.
pub(super) fn merge(what: &'static str, path: impl Into<String>, body: &Value) -> Step {
    get(what, path).method(Method::PATCH).json(body).header("content-type", "application/merge-patch+json")
}

/// A strategic merge patch.
pub(super) fn strategic(what: &'static str, path: impl Into<String>, body: &Value) -> Step {
    let media = "application/strategic-merge-patch+json";
    get(what, path).method(Method::PATCH).json(body).header("content-type", media)
}

/// A JSON patch.
pub(super) fn json_patch(what: &'static str, path: impl Into<String>, body: &Value) -> Step {
    get(what, path).method(Method::PATCH).json(body).header("content-type", "application/json-patch+json")
}

pub(super) fn delete(what: &'static str, path: impl Into<String>) -> Step {
    get(what, path).method(Method::DELETE)
}

impl Step {
    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string()).header("content-type", "application/json")
    }

    pub(super) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Asked by the user of one namespace.
    pub(super) fn by_shop(mut self) -> Self {
        self.by_shop = true;
        self
    }

    /// A watch of which so many lines are read.
    pub(super) fn lines(mut self, count: usize) -> Self {
        self.lines = Some(count);
        self
    }

    /// Sends it and returns code, some headers and body.
    pub(super) fn send(&self, users: &Users, namespace: &str) -> Value {
        let cluster = if self.by_shop { &users.shop } else { &users.admin };
        let place = |text: &str| text.replace("{ns}", namespace);
        let body = place(&String::from_utf8_lossy(&self.body)).into_bytes();
        let mut request = Request::builder().method(self.method.clone()).uri(place(&self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body)).expect("a request");
        let exchange = async {
            let response = cluster.client().send(request).await.expect("an answer");
            let (head, body) = response.into_parts();
            let header =
                |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let (media, retry) =
                (header(header::CONTENT_TYPE).to_owned(), header(header::RETRY_AFTER).to_owned());
            let warnings = head.headers.get_all(header::WARNING).iter();
            let warnings: Vec<String> =
                warnings.map(|one| String::from_utf8_lossy(one.as_bytes()).into_owned()).collect();
            let body = match self.lines {
                Some(count) => lines(body, count).await,
                None => body.collect().await.expect("a body").to_bytes().to_vec(),
            };
            (head.status.as_u16(), media, retry, warnings, body)
        };
        let limit = crate::support::stretched(std::time::Duration::from_secs(20));
        let exchange = async { tokio::time::timeout(limit, exchange).await };
        let (code, media, retry, warnings, body) =
            runtime().block_on(exchange).unwrap_or_else(|_| panic!("{}: no answer in time", self.what));
        json!({"code": code, "media": media, "retry": retry, "warnings": warnings, "body": parsed(&body, self.lines.is_some())})
    }
}

/// Reads whole lines until there are so many, or the watch ends.
async fn lines(mut body: Body, count: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.iter().filter(|byte| **byte == b'\n').count() < count {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    let end = read.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).nth(count - 1);
    read.truncate(end.unwrap_or(read.len()));
    read
}

fn parsed(body: &[u8], lines: bool) -> Value {
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    if lines {
        let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        return lines.map(|line| serde_json::from_slice(line).unwrap_or_else(|_| text())).collect();
    }
    serde_json::from_slice(body).unwrap_or_else(|_| text())
}
