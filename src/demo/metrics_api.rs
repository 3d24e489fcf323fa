//! `metrics.k8s.io`: what pods and nodes use, without anybody who measures it.
//!
//! It keeps nothing. It is an ordinary client of an API server: it looks at pods and nodes, and tells what they might use; that is a
//! function of their uids, of what they ask for, and of the time. The same service stands in the same process behind the
//! embedded server or, as [`super::virt_api`] does, at a port for the proxy of a real one.

mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use super::virt_api::{self, Aggregated, FrontProxy, Group, ListenError, RegisterError, Registration};
use usage::Usage;

/// The group.
pub const GROUP: &str = "metrics.k8s.io";

/// Its versions.
pub const VERSIONS: &[&str] = &["v1beta1"];

/// How it is registered with a real kube-apiserver.
const REGISTERED: Group = Group {
    name: GROUP,
    versions: VERSIONS,
    namespace: "kube-system",
    service: "metrics-server",
    priority: 100,
    stranger: "a metrics-server",
};

/// Tells a real kube-apiserver that this port of this machine answers for the group, as [`virt_api::register`] does.
///
/// # Errors
///
/// [`RegisterError`]
pub async fn register(client: Client, port: u16, authority: &str) -> Result<Registration, RegisterError> {
    virt_api::register_group(client, REGISTERED, port, authority).await
}

/// What is answered with.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// How many objects are asked for at a time.
const PAGE: usize = 500;

/// How many pods are looked at for what nodes use; what more there are is passed over.
const MOST_PODS: usize = 20_000;

/// What is measured is measured over so many seconds.
const WINDOW: i64 = 15;

/// `resources` of the APIResourceList.
pub fn resources() -> Value {
    json!([
        {"name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"]},
        {"name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": ["get", "list"]},
    ])
}

/// The service.
#[derive(Clone)]
pub struct MetricsApi {
    client: Client,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for MetricsApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsApi").finish_non_exhaustive()
    }
}

/// What is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Route {
    Group,
    Resources,
    Health,
    Pods { namespace: String, name: String },
    Nodes { name: String },
    Nothing,
}

impl Route {
    fn of(path: &str) -> Self {
        let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let owned = |text: &str| text.to_owned();
        match parts.as_slice() {
            ["healthz" | "readyz" | "livez"] => Self::Health,
            ["apis", GROUP] => Self::Group,
            ["apis", GROUP, "v1beta1", rest @ ..] => match rest {
                [] => Self::Resources,
                ["pods"] => Self::Pods { namespace: String::new(), name: String::new() },
                ["namespaces", namespace, "pods"] => {
                    Self::Pods { namespace: owned(namespace), name: String::new() }
                }
                ["namespaces", namespace, "pods", name] => {
                    Self::Pods { namespace: owned(namespace), name: owned(name) }
                }
                ["nodes"] => Self::Nodes { name: String::new() },
                ["nodes", name] => Self::Nodes { name: owned(name) },
                _ => Self::Nothing,
            },
            _ => Self::Nothing,
        }
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Why there is no answer: the code, the reason, the sentence.
#[derive(Debug)]
struct Refusal(StatusCode, String, String);

impl Refusal {
    fn not_found(kind: &str, name: &str) -> Self {
        let message = format!("{kind}.{GROUP} {name:?} not found");
        Self(StatusCode::NOT_FOUND, "NotFound".to_owned(), message)
    }
}

impl From<kube::Error> for Refusal {
    fn from(why: kube::Error) -> Self {
        match why {
            kube::Error::Api(status) => {
                let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self(code, status.reason.clone(), status.message.clone())
            }
            other => Self(StatusCode::INTERNAL_SERVER_ERROR, "InternalError".to_owned(), other.to_string()),
        }
    }
}

impl MetricsApi {
    /// Tells what is used on a cluster. The client needs to look at pods and nodes.
    pub fn new(client: Client) -> Self {
        Self::with(client, Arc::new(Timestamp::now))
    }

    /// The same with another clock.
    pub fn with(client: Client, clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self { client, clock }
    }

    /// Answers one request. Whoever calls this vouches that whoever asks may ask for it.
    pub async fn answer<B: Send>(&self, request: Request<B>) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let answer = if parts.method == Method::GET {
            self.understand(parts.uri.path(), parts.uri.query().unwrap_or_default()).await
        } else {
            let message = "the server does not allow this method on the requested resource".to_owned();
            Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed".to_owned(), message))
        };
        match answer {
            Ok(value) => json_response(StatusCode::OK, &value),
            Err(Refusal(code, reason, message)) => json_response(
                code,
                &json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
                    "reason": reason, "code": code.as_u16(),
                }),
            ),
        }
    }

    /// Serves at a port for the proxy of a real kube-apiserver, as [`virt_api::listen`] does.
    ///
    /// # Errors
    ///
    /// [`ListenError`]
    pub async fn listen(&self, proxy: FrontProxy) -> Result<Aggregated, ListenError> {
        let api = self.clone();
        let answer = move |request| {
            let api = api.clone();
            async move { api.answer(request).await }.boxed()
        };
        virt_api::listen(Arc::new(answer), REGISTERED, proxy).await
    }

    async fn understand(&self, path: &str, query: &str) -> Result<Value, Refusal> {
        match Route::of(path) {
            Route::Health => Ok(json!("ok")),
            Route::Group => Ok(group()),
            Route::Resources => Ok(json!({
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{GROUP}/v1beta1"),
                "resources": resources(),
            })),
            Route::Pods { namespace, name } if name.is_empty() => {
                let path = match namespace.as_str() {
                    "" => "/api/v1/pods".to_owned(),
                    namespace => format!("/api/v1/namespaces/{}/pods", encoded(namespace)),
                };
                let mut items = Vec::new();
                let now = self.now();
                self.each(&path, query, usize::MAX, |pod| items.extend(pod_metrics(pod, now))).await?;
                Ok(list("PodMetricsList", &items))
            }
            Route::Pods { namespace, name } => {
                let path = format!("/api/v1/namespaces/{}/pods/{}", encoded(&namespace), encoded(&name));
                let pod = self.get(&path).await?.and_then(|pod| pod_metrics(&pod, self.now()));
                let pod =
                    pod.ok_or_else(|| Refusal::not_found("podmetrics", &format!("{namespace}/{name}")))?;
                Ok(alone("PodMetrics", pod))
            }
            Route::Nodes { name } => self.nodes(&name, query).await,
            Route::Nothing => {
                let message = "the server could not find the requested resource".to_owned();
                Err(Refusal(StatusCode::NOT_FOUND, "NotFound".to_owned(), message))
            }
        }
    }

    async fn nodes(&self, name: &str, query: &str) -> Result<Value, Refusal> {
        let now = self.now();
        let mut nodes = Vec::new();
        if name.is_empty() {
            self.each("/api/v1/nodes", query, usize::MAX, |node| nodes.push(node.clone())).await?;
        } else {
            let node = self.get(&format!("/api/v1/nodes/{}", encoded(name))).await?;
            nodes.push(node.ok_or_else(|| Refusal::not_found("nodemetrics", name))?);
        }
        let mut used: BTreeMap<String, Usage> = BTreeMap::new();
        let on_nodes =
            if name.is_empty() { String::new() } else { encoded(&format!("spec.nodeName={name}")) };
        let selector = if on_nodes.is_empty() { on_nodes } else { format!("fieldSelector={on_nodes}") };
        self.each("/api/v1/pods", &selector, MOST_PODS, |pod| {
            let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
            let sum = used.entry(node.to_owned()).or_default();
            usage::of_pod(pod, now).into_iter().for_each(|(_, usage)| sum.add(usage));
        })
        .await?;
        let measured = nodes.iter().map(|node| {
            let mut sum = usage::of_node(node, now);
            let pods = node["metadata"]["name"].as_str().and_then(|name| used.get(name));
            sum.add(pods.copied().unwrap_or_default());
            node_metrics(node, sum, now)
        });
        let mut measured: Vec<Value> = measured.collect();
        match measured.pop() {
            Some(only) if !name.is_empty() => Ok(alone("NodeMetrics", only)),
            last => {
                measured.extend(last);
                Ok(list("NodeMetricsList", &measured))
            }
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    async fn get(&self, path: &str) -> Result<Option<Value>, Refusal> {
        let request = Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
        match self.client.request(request).await {
            Ok(found) => Ok(Some(found)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(why) => Err(why.into()),
        }
    }

    /// Looks at each object of a collection that the selectors of a query take, page by page.
    async fn each(
        &self,
        path: &str,
        query: &str,
        most: usize,
        mut take: impl FnMut(&Value),
    ) -> Result<(), Refusal> {
        let kept = selectors(query);
        let (mut token, mut seen) = (String::new(), 0);
        loop {
            let more =
                if token.is_empty() { String::new() } else { format!("&continue={}", encoded(&token)) };
            let page = self.get(&format!("{path}?{kept}{more}")).await?.unwrap_or_default();
            for item in page["items"].as_array().into_iter().flatten() {
                take(item);
                seen += 1;
            }
            page["metadata"]["continue"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() || seen >= most {
                return Ok(());
            }
        }
    }
}

/// What of a query is handed on, and how much is asked for at a time.
fn selectors(query: &str) -> String {
    let mut kept = form_urlencoded::Serializer::new(String::new());
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if matches!(key.as_ref(), "labelSelector" | "fieldSelector") {
            kept.append_pair(&key, &value);
        }
    }
    kept.append_pair("limit", &PAGE.to_string());
    kept.finish()
}

fn group() -> Value {
    let version = json!({"groupVersion": format!("{GROUP}/v1beta1"), "version": "v1beta1"});
    json!({"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [version], "preferredVersion": version})
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"kind": kind, "apiVersion": format!("{GROUP}/v1beta1"), "metadata": {}, "items": items})
}

fn alone(kind: &str, mut item: Value) -> Value {
    item["kind"] = kind.into();
    item["apiVersion"] = format!("{GROUP}/v1beta1").into();
    item
}

/// What is told of an object beside what it uses.
fn measured(object: &Value, now: Timestamp) -> Value {
    let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let second = now.as_second();
    let then = Timestamp::from_second(second - second.rem_euclid(WINDOW)).unwrap_or(now);
    let mut metadata = json!({"name": object["metadata"]["name"], "creationTimestamp": time(now)});
    for field in ["namespace", "labels"] {
        if !object["metadata"][field].is_null() {
            metadata[field] = object["metadata"][field].clone();
        }
    }
    json!({"metadata": metadata, "timestamp": time(then), "window": format!("{WINDOW}s")})
}

/// What a pod uses; none if it does not run.
fn pod_metrics(pod: &Value, now: Timestamp) -> Option<Value> {
    let containers = usage::of_pod(pod, now);
    let mut whole = measured(pod, now);
    let each = |(name, usage): &(String, Usage)| json!({"name": name, "usage": usage.value()});
    whole["containers"] = containers.iter().map(each).collect();
    (!containers.is_empty()).then_some(whole)
}

fn node_metrics(node: &Value, usage: Usage, now: Timestamp) -> Value {
    let mut whole = measured(node, now);
    whole["usage"] = usage.value();
    whole
}

fn json_response(code: StatusCode, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests;
