//! Commands in the containers of pods: who may run one, and in what. The rest is the matter of whoever plays the containers, as it
//! is that of a kubelet behind a kube-apiserver.

use std::sync::{Arc, PoisonError};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use hyper::body::Incoming;

use super::access::{self, Asked};
use super::behind::BackendBody;
use super::http::Answer;
use super::refusal::Refusal;
use super::route::{Query, Target};
use super::{Server, User};

/// Who runs a command. Namespace, pod and container are there; the request says which command, and becomes its streams.
pub type Exec =
    Box<dyn Fn(Request<Incoming>, [String; 3]) -> BoxFuture<'static, Response<BackendBody>> + Send + Sync>;

/// Who runs commands on a server, if anybody does.
pub(super) type Executor = std::sync::RwLock<Option<Arc<Exec>>>;

impl Server {
    /// Lets somebody run the commands of containers. Without anybody the server does not know that there are such.
    pub fn run_commands(&self, exec: Exec) {
        *self.inner.executor.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(exec));
    }
}

/// Who runs what a path asks for, if it is a command.
pub(super) fn of_target(server: &Server, target: &Target) -> Option<Arc<Exec>> {
    let row = target.kind.row();
    if (row.group, row.plural, target.subresource.as_deref()) != ("", "pods", Some("exec")) {
        return None;
    }
    server.inner.executor.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Has a command run.
pub(super) async fn answer(
    server: &Server,
    user: &User,
    target: &Target,
    exec: &Exec,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return Err(Refusal::method_not_allowed());
    }
    // Who may look at a pod may not yet type in it, though a WebSocket is asked for with GET.
    access::authorize(server, user, &Asked::of(&Method::POST, request.uri().path(), &query))?;
    let key = super::read::key_of(target);
    let found = server.storage().with(|state| state.get(target.kind, &key));
    let pod = found.ok_or_else(|| Refusal::not_found(target.kind, &key.name))?;
    let pod = pod.value(target.kind.stored_version());
    let container = super::logs::choose(&pod, &key.name, query.get("container").unwrap_or_default())?;
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::bad_request(format!("pod {} does not have a host assigned", key.name)));
    }
    Ok(Answer::Passed(exec(request, [key.namespace.to_string(), key.name.to_string(), container]).await))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::FutureExt as _;
    use http_body_util::{BodyExt as _, Full};
    use serde_json::{Value, json};

    use super::*;
    use crate::demo::server::testing::Api;

    fn pod(name: &str, node: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": name},
            "spec": {"nodeName": node, "containers": [{"name": "one"}, {"name": "two"}]},
        })
    }

    #[tokio::test]
    async fn commands_are_run_by_whoever_plays_the_containers_for_those_who_may() {
        let api = Api::new().as_admin();
        api.server().put(pod("web", "node-1")).unwrap();
        api.server().put(pod("waits", "")).unwrap();
        let path = |rest: &str| format!("/api/v1/namespaces/shop/pods/{rest}");
        let web = path("web/exec?container=two&command=ls&stdout=true");
        assert_eq!(api.get(&web).await.0, 404, "nobody plays any");
        api.server().run_commands(Box::new(|request, place| {
            let seen = json!({"place": place, "query": request.uri().query()}).to_string();
            let body = Full::new(Bytes::from(seen)).map_err(|never| match never {});
            async { Response::new(body.boxed_unsync()) }.boxed()
        }));
        let (code, seen) = api.get(&web).await;
        assert_eq!((code, &seen["place"]), (200, &json!(["shop", "web", "two"])));
        assert_eq!(seen["query"], "container=two&command=ls&stdout=true");
        for (rest, code, said) in [
            ("gone/exec?container=one", 404, "pods \"gone\" not found"),
            ("web/exec?container=three", 400, "container three is not valid for pod web"),
            ("web/exec", 400, "a container name must be specified for pod web, choose one of: [one two]"),
            ("waits/exec?container=one", 400, "pod waits does not have a host assigned"),
        ] {
            let (got, status) = api.get(&path(rest)).await;
            assert_eq!((got, status["message"].as_str()), (code, Some(said)), "{rest}");
        }
        // Who may look at pods/exec may not yet create it.
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "looker"},
            "rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}],
        });
        let bound = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "looker"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "looker"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "looker"}],
        });
        api.server().put(role).unwrap();
        api.server().put(bound).unwrap();
        let (code, status) = api.with_header("impersonate-user", "looker").get(&web).await;
        assert_eq!(code, 403);
        assert!(
            status["message"].as_str().unwrap().contains("cannot create resource \"pods/exec\""),
            "{status}"
        );
    }
}
