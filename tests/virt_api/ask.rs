//! Requests as a client sends them, and whole answers.

use http::{HeaderMap, Request, header};
use kube::client::Body;
use serde_json::Value;

use crate::support::cluster::{Cluster, runtime};

/// Where the group begins.
pub(super) const ROOT: &str = "/apis/subresources.kubevirt.io/v1";

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The reason of a Status, if the body is one.
    pub(super) fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// What is said: the message of a Status, or else the body itself.
    pub(super) fn message(&self) -> String {
        self.json()["message"].as_str().map_or_else(|| self.text.trim().to_owned(), str::to_owned)
    }
}

/// The path of a sub-resource, such as `virtualmachines/web/start`.
pub(super) fn path(namespace: &str, rest: &str) -> String {
    format!("{ROOT}/namespaces/{namespace}/{rest}")
}

/// Sends one request, such as `PUT /path`.
pub(super) fn ask(cluster: &Cluster, request: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
    let (method, uri) = request.split_once(' ').expect("a method and a path");
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Body::from(body.as_bytes().to_vec())).expect("a request");
    let client = cluster.client();
    runtime().block_on(async {
        let (head, body) = client.send(request).await.expect("an answer").into_parts();
        let bytes = body.collect_bytes().await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Reply { code: head.status.as_u16(), headers: head.headers, text }
    })
}

/// Asks for a sub-resource in the namespace, such as `PUT virtualmachines/web/start`.
pub(super) fn verb(cluster: &Cluster, namespace: &str, request: &str, body: &str) -> Reply {
    let (method, rest) = request.split_once(' ').expect("a method and a path");
    ask(cluster, &format!("{method} {}", path(namespace, rest)), body, &[])
}
