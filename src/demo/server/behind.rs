//! Servers behind this one: API groups that somebody else in this process answers for, as an aggregated API server does.
//!
//! Who asks and whether they may is decided here, before a request is handed on; it then says who asks in the headers
//! that kube-apiserver's own proxy uses. A request is handed on whole, so what it is upgraded to does not pass through here.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{Server, User};

/// What a server behind this one answers with.
pub type BackendBody = UnsyncBoxBody<Bytes, io::Error>;

/// How a backend is asked.
pub type Ask = Box<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<BackendBody>> + Send + Sync>;

/// Who answers for an API group.
pub struct Backend {
    /// The group.
    pub group: &'static str,
    /// Its versions, the preferred one first. They must not be empty.
    pub versions: &'static [&'static str],
    /// `resources` of the APIResourceList of each version.
    pub resources: Vec<Value>,
    /// Answers requests below `/apis/GROUP/VERSION`. The headers `X-Remote-User` and `X-Remote-Group` say who asks.
    pub ask: Ask,
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("group", &self.group).finish_non_exhaustive()
    }
}

/// All backends of a server, at one moment.
pub(crate) type Backends = Arc<Vec<Arc<Backend>>>;

/// The headers that say who asks. No client's own ones are handed on.
const USER: HeaderName = HeaderName::from_static("x-remote-user");
const GROUP: HeaderName = HeaderName::from_static("x-remote-group");

/// How the names of headers begin that only this server may set.
const RESERVED: [&str; 2] = ["x-remote-", "impersonate-"];

impl Server {
    /// Hands a group over to somebody else, in place of whoever had it before.
    pub fn aggregate(&self, backend: Backend) {
        let mut all = self.inner.backends.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut new: Vec<_> = all.iter().filter(|one| one.group != backend.group).cloned().collect();
        new.push(Arc::new(backend));
        *all = Arc::new(new);
    }

    pub(crate) fn backends(&self) -> Backends {
        Arc::clone(&self.inner.backends.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The backend that answers for a path, if one does. The documents of a group itself are not its matter.
pub(crate) fn of_path(server: &Server, path: &str) -> Option<Arc<Backend>> {
    let mut parts = path.strip_prefix("/apis/")?.split('/');
    let (group, version) = (parts.next()?, parts.next()?);
    let backends = server.backends();
    backends.iter().find(|one| one.group == group && one.versions.contains(&version)).cloned()
}

impl Backend {
    /// Hands a request on, as that of this user.
    pub(crate) async fn pass(&self, mut request: Request<Incoming>, user: &User) -> Response<BackendBody> {
        set_user(request.headers_mut(), user);
        let upgrades = request.headers().contains_key(header::UPGRADE);
        let response = (self.ask)(request).await;
        let code = response.status();
        match upgrades && code != StatusCode::SWITCHING_PROTOCOLS && code.as_u16() < 400 {
            true => no_upgrade(code),
            false => response,
        }
    }

    /// A version of it, as aggregated discovery tells it. Kubernetes makes it from the flat list, in which a part may
    /// stand without its whole: that is then a resource without a kind.
    pub(crate) fn discovery(&self, version: usize) -> Vec<Value> {
        let list = self.resources.get(version).and_then(Value::as_array);
        let mut found: Vec<Value> = Vec::new();
        for entry in list.into_iter().flatten() {
            let (name, part) = match entry["name"].as_str().unwrap_or_default().split_once('/') {
                Some((name, part)) => (name, Some(part)),
                None => (entry["name"].as_str().unwrap_or_default(), None),
            };
            let scope = if entry["namespaced"] == true { "Namespaced" } else { "Cluster" };
            let place = found.iter().position(|one| one["resource"] == name).unwrap_or_else(|| {
                found.push(json!({
                    "resource": name, "responseKind": {"group": "", "version": "", "kind": ""}, "scope": scope,
                    "singularResource": entry["singularName"], "verbs": null,
                }));
                found.len() - 1
            });
            let Some(resource) = found.get_mut(place) else { continue };
            match part {
                Some(part) => {
                    let part = json!({"subresource": part, "verbs": entry["verbs"]});
                    match resource["subresources"].as_array_mut() {
                        Some(parts) => parts.push(part),
                        None => resource["subresources"] = json!([part]),
                    }
                }
                None => {
                    resource["verbs"] = entry["verbs"].clone();
                    resource["responseKind"]["kind"] = entry["kind"].as_str().unwrap_or_default().into();
                }
            }
        }
        found
    }
}

/// What kube-apiserver's proxy says where it got neither a stream nor a refusal.
fn no_upgrade(code: StatusCode) -> Response<BackendBody> {
    let text = format!("invalid upgrade response: status code {}\n", code.as_u16());
    let mut response =
        Response::new(Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Says who asks, and forgets how that was proved.
fn set_user(headers: &mut HeaderMap, user: &User) {
    let reserved: Vec<HeaderName> = headers
        .keys()
        .filter(|name| RESERVED.iter().any(|one| name.as_str().starts_with(one)))
        .cloned()
        .collect();
    for name in reserved.into_iter().chain([header::AUTHORIZATION]) {
        headers.remove(name);
    }
    let value = |text: &str| HeaderValue::from_str(text).ok();
    if let Some(name) = value(&user.name) {
        headers.insert(USER, name);
    }
    for group in user.groups.iter().filter_map(|group| value(group)) {
        headers.append(GROUP, group);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use http::Method;

    use super::*;
    use crate::demo::server::testing::Api;

    /// Answers with what it was asked.
    fn mirror() -> Backend {
        Backend {
            group: "mirrors.example.com",
            versions: &["v1"],
            resources: vec![json!([
                {"name": "glasses/polish", "singularName": "", "namespaced": true, "kind": "", "verbs": null},
            ])],
            ask: Box::new(|request| {
                let shown = |name: &str| {
                    let all = request.headers().get_all(name).iter();
                    all.map(|value| value.to_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
                };
                let seen = json!({
                    "path": request.uri().path(), "user": shown("x-remote-user"), "groups": shown("x-remote-group"),
                    "extra": shown("x-remote-extra-a"), "token": shown("authorization"), "as": shown("impersonate-user"),
                });
                let body = Full::new(Bytes::from(seen.to_string())).map_err(|never| match never {});
                async { Response::new(body.boxed_unsync()) }.boxed()
            }),
        }
    }

    const GLASS: &str = "/apis/mirrors.example.com/v1/namespaces/shop/glasses/a/polish";

    #[tokio::test]
    async fn requests_of_a_group_are_handed_on_with_the_name_of_who_asks() {
        let api = Api::new();
        api.server().aggregate(mirror());
        let forger = api
            .as_admin()
            .with_header("x-remote-user", "somebody-else")
            .with_header("x-remote-group", "system:masters")
            .with_header("x-remote-extra-a", "b");
        let (code, seen) = forger.get(GLASS).await;
        assert_eq!(code, 200);
        assert_eq!(
            seen,
            json!({
                "path": GLASS, "user": ["admin"], "groups": ["system:masters", "system:authenticated"],
                "extra": [], "token": [], "as": [],
            })
        );
        let eve = api.as_admin().with_header("impersonate-user", "eve");
        let (_, seen) = eve.with_header("impersonate-group", "system:masters").get(GLASS).await;
        assert_eq!((&seen["user"], &seen["as"]), (&json!(["eve"]), &json!([])));
    }

    #[tokio::test]
    async fn rights_are_checked_before() {
        let api = Api::new();
        api.server().aggregate(mirror());
        let (code, status) = api.as_user("shop-operator").get(GLASS).await;
        assert_eq!(code, 403);
        assert_eq!(
            status["message"],
            "glasses.mirrors.example.com \"a\" is forbidden: User \"shop-operator\" cannot get resource \"glasses/polish\" \
             in API group \"mirrors.example.com\" in the namespace \"shop\""
        );
        let reply = api.with_header("authorization", "Bearer nonsense").open(Method::GET, GLASS, "").await;
        assert_eq!(reply.status(), 401);
    }

    #[tokio::test]
    async fn groups_of_others_are_discovered() {
        let api = Api::new().as_admin();
        let (code, _) = api.get("/apis/mirrors.example.com").await;
        assert_eq!(code, 404);
        api.server().aggregate(mirror());
        let (_, group) = api.get("/apis/mirrors.example.com").await;
        assert_eq!(group["preferredVersion"]["groupVersion"], "mirrors.example.com/v1");
        let (_, groups) = api.get("/apis").await;
        let listed = |list: &Value, name: &dyn Fn(&Value) -> Value| {
            list.as_array().unwrap().iter().filter(|one| name(one) == "mirrors.example.com").count()
        };
        assert_eq!(listed(&groups["groups"], &|one| one["name"].clone()), 1);
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let (_, all) = api.with_header("accept", kubectl).get("/apis").await;
        assert_eq!(listed(&all["items"], &|one| one["metadata"]["name"].clone()), 1);
        let found = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["metadata"]["name"] == "mirrors.example.com");
        assert_eq!(found.unwrap()["versions"][0]["resources"][0]["subresources"][0]["subresource"], "polish");
        let (_, paths) = api.get("/").await;
        assert!(paths["paths"].as_array().unwrap().contains(&json!("/apis/mirrors.example.com/v1")));
        let (code, _) = api.get("/apis/mirrors.example.com/v2").await;
        assert_eq!(code, 404);
    }
}
