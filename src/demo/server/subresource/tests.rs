//! Requests to sub-resources.

use http::Method;
use serde_json::{Value, json};

use crate::demo::server::testing::Api;

const PODS: &str = "/api/v1/namespaces/default/pods";
const VMS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

fn pod(name: &str, node: &str, containers: &[&str]) -> Value {
    let containers: Vec<Value> = containers.iter().map(|name| json!({"name": name, "image": "i"})).collect();
    json!({"metadata": {"name": name}, "spec": {"nodeName": node, "containers": containers}})
}

fn message(status: &Value) -> &str {
    status["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_status_is_written_by_itself() {
    let api = Api::new().as_admin();
    let vm = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "a"}, "spec": {"runStrategy": "Halted"}});
    let (_, first) = api.post(VMS, vm).await;
    let status = &format!("{VMS}/a/status");
    let mut sent = first.clone();
    sent["status"] = json!({"ready": true});
    sent["spec"] = json!({});
    sent["metadata"]["labels"] = json!({"a": "b"});
    let (code, second) = api.put(status, sent.clone()).await;
    assert_eq!((code, &second["status"]), (200, &json!({"ready": true})), "{second}");
    assert_eq!((&second["spec"], &second["metadata"]["labels"]), (&first["spec"], &Value::Null));
    assert_eq!(second["metadata"]["generation"], 1);
    assert_eq!(api.put(status, sent).await.0, 409);
    assert_eq!(api.get(status).await, (200, second));
    let (code, third) = api.merge(status, json!({"status": {"ready": false}, "spec": {"x": 1}})).await;
    assert_eq!((code, &third["status"]), (200, &json!({"ready": false})));
    assert_eq!(third["spec"], first["spec"]);
    let (code, kept) =
        api.merge(&format!("{VMS}/a"), json!({"status": {"ready": true}, "spec": {"running": true}})).await;
    assert_eq!(
        (code, &kept["status"], &kept["spec"]["running"]),
        (200, &json!({"ready": false}), &json!(true))
    );
    // Of Kubernetes' own kinds the metadata goes with it.
    api.post(PODS, pod("p", "", &["c"])).await;
    let change =
        json!({"status": {"phase": "Running"}, "metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}});
    let (code, pod) = api.merge(&format!("{PODS}/p/status"), change).await;
    assert_eq!(
        (code, &pod["status"]["phase"], &pod["metadata"]["labels"]["a"]),
        (200, &json!("Running"), &json!("b"))
    );
    assert_eq!(pod["spec"]["x"], Value::Null);
}

#[tokio::test]
async fn what_there_is_not_is_refused() {
    let api = Api::new().as_admin();
    api.post(PODS, pod("a", "", &["c"])).await;
    let vm = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "a"}});
    api.post(VMS, vm).await;
    let (pod, vm) = (format!("{PODS}/a"), format!("{VMS}/a"));
    for (method, path, code, wanted) in [
        (
            Method::POST,
            format!("{pod}/log"),
            405,
            "the server does not allow this method on the requested resource",
        ),
        (
            Method::GET,
            format!("{pod}/binding"),
            405,
            "the server does not allow this method on the requested resource",
        ),
        (
            Method::DELETE,
            format!("{pod}/status"),
            405,
            "the server does not allow this method on the requested resource",
        ),
        (Method::GET, format!("{pod}/nothing"), 404, "the server could not find the requested resource"),
        (Method::GET, format!("{vm}/scale"), 404, "virtualmachines.kubevirt.io \"a\" not found"),
        (
            Method::DELETE,
            format!("{vm}/status"),
            405,
            "delete is not supported on resources of kind \"virtualmachines.kubevirt.io\"",
        ),
        (Method::GET, format!("{PODS}/gone/log"), 404, "pods \"gone\" not found"),
        (Method::GET, format!("{PODS}/gone/status"), 404, "pods \"gone\" not found"),
    ] {
        let reply = api.send(method.clone(), &path, "").await;
        assert_eq!((reply.code, message(&reply.json())), (code, wanted), "{method} {path}");
    }
}

#[tokio::test]
async fn pods_are_bound_once() {
    let api = Api::new().as_admin();
    api.post(PODS, pod("a", "", &["c"])).await;
    let binding = |name: &str, target: Value| json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target});
    let node = json!({"kind": "Node", "name": "n1"});
    for (pod, body, code, wanted) in [
        ("a", binding("b", node.clone()), 400, "name in URL does not match name in Binding object"),
        ("a", binding("a", Value::Null), 500, "target.name: Required value"),
        (
            "a",
            binding("a", json!({"kind": "Pod", "name": "n"})),
            500,
            "target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\"",
        ),
        ("gone", binding("gone", node.clone()), 404, "pods \"gone\" not found"),
        (
            "a",
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}),
            400,
            "Pod in version \"v1\" cannot be handled as a Binding: converting (v1.Pod) to (core.Binding): unknown conversion",
        ),
    ] {
        let (got, status) = api.post(&format!("{PODS}/{pod}/binding"), body).await;
        assert_eq!((got, message(&status)), (code, wanted));
    }
    let (code, status) = api.post(&format!("{PODS}/a/binding"), binding("a", node.clone())).await;
    assert_eq!((code, &status["status"], &status["code"]), (201, &json!("Success"), &json!(201)));
    let (_, pod) = api.get(&format!("{PODS}/a")).await;
    assert_eq!(pod["spec"]["nodeName"], "n1");
    let condition = &pod["status"]["conditions"][0];
    assert_eq!((&condition["type"], &condition["status"]), (&json!("PodScheduled"), &json!("True")));
    let (code, status) = api.post(&format!("{PODS}/a/binding"), binding("a", node)).await;
    let wanted =
        "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"n1\"";
    assert_eq!((code, message(&status), &status["details"]["kind"]), (409, wanted, &json!("pods/binding")));
}

#[tokio::test]
async fn evicted_pods_are_deleted() {
    let api = Api::new().as_admin();
    api.post(PODS, pod("a", "n", &["c"])).await;
    let one = &format!("{PODS}/a");
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}});
    let path = &format!("{one}/eviction");
    assert_eq!(api.post(&format!("{path}?dryRun=All"), eviction.clone()).await.0, 201);
    assert!(api.get(one).await.1["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(api.post(path, eviction.clone()).await.0, 201);
    assert_eq!(api.get(one).await.1["metadata"]["deletionGracePeriodSeconds"], 30);
    let mut now = eviction.clone();
    now["deleteOptions"] = json!({"gracePeriodSeconds": 0});
    assert_eq!(api.post(path, now).await.0, 201);
    assert_eq!(api.get(one).await.0, 404);
    let (code, status) = api.post(&format!("{PODS}/b/eviction"), eviction).await;
    assert_eq!((code, message(&status)), (400, "name in URL does not match name in Eviction object"));
}

#[tokio::test]
async fn a_namespace_may_be_finalized_by_hand() {
    let api = Api::new().as_admin();
    let spaces = "/api/v1/namespaces";
    api.post(spaces, json!({"metadata": {"name": "shop"}})).await;
    let mut held = pod("a", "", &["c"]);
    held["metadata"]["finalizers"] = json!(["a/b"]);
    api.post("/api/v1/namespaces/shop/pods", held).await;
    let (_, mut marked) = api.delete("/api/v1/namespaces/shop").await;
    assert_eq!(api.get("/api/v1/namespaces/shop").await.0, 200);
    marked["spec"] = json!({});
    assert_eq!(api.put("/api/v1/namespaces/shop/finalize", marked).await.0, 200);
    assert_eq!(api.get("/api/v1/namespaces/shop").await.0, 404);
}

#[tokio::test]
async fn logs_are_read_as_asked() {
    let api = Api::new().as_admin();
    let server = api.server().clone();
    api.post(PODS, pod("waits", "", &["c"])).await;
    api.post(PODS, pod("one", "n", &["c"])).await;
    api.post(PODS, pod("two", "n", &["c", "d"])).await;
    let log = |query: &str| {
        let (api, path) = (api.clone(), format!("{PODS}/{query}"));
        async move {
            let reply = api.send(Method::GET, &path, "").await;
            let text = reply.text();
            (
                reply.code,
                serde_json::from_str::<Value>(&text).map_or(text, |status| message(&status).to_owned()),
            )
        }
    };
    let is = |code: u16, text: &str| (code, text.to_owned());
    assert_eq!(
        log("one/log").await,
        is(400, "container \"c\" in pod \"one\" is waiting to start: ContainerCreating")
    );
    let waiting = json!([{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]);
    api.merge(
        &format!("{PODS}/one/status"),
        json!({"status": {"phase": "Pending", "containerStatuses": waiting}}),
    )
    .await;
    assert_eq!(
        log("one/log").await,
        is(400, "container \"c\" in pod \"one\" is waiting to start: trying and failing to pull image")
    );
    for name in ["one", "two"] {
        api.merge(
            &format!("{PODS}/{name}/status"),
            json!({"status": {"phase": "Running", "containerStatuses": null}}),
        )
        .await;
    }
    server.append_log("default", "one", "c", "first");
    api.advance(10);
    server.append_log("default", "one", "c", "second\nthird");
    server.append_log("default", "nobody", "c", "lost");
    assert!(!server.logs().knows("nobody"), "nothing is kept of a pod that is not there");
    for (query, wanted) in [
        ("waits/log", is(204, "")),
        ("one/log", is(200, "first\nsecond\nthird\n")),
        ("one/log?container=c&tailLines=2", is(200, "second\nthird\n")),
        ("one/log?tailLines=0", is(200, "")),
        ("one/log?sinceSeconds=5", is(200, "second\nthird\n")),
        ("one/log?sinceTime=2026-03-04T05:06:08Z", is(200, "second\nthird\n")),
        ("one/log?limitBytes=8", is(200, "first\nse")),
        ("one/log?timestamps=true&tailLines=1", is(200, "2026-03-04T05:06:17.000000000Z third\n")),
        ("one/log?previous=true", is(400, "previous terminated container \"c\" in pod \"one\" not found")),
        ("two/log?container=d", is(200, "")),
        ("two/log", is(400, "a container name must be specified for pod two, choose one of: [c d]")),
        ("two/log?container=x", is(400, "container x is not valid for pod two")),
        ("one/log?tailLines=x", is(400, "strconv.ParseInt: parsing \"x\": invalid syntax")),
        (
            "one/log?tailLines=-1",
            is(
                422,
                "PodLogOptions \"one\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0",
            ),
        ),
        (
            "one/log?limitBytes=0",
            is(422, "PodLogOptions \"one\" is invalid: limitBytes: Invalid value: 0: must be greater than 0"),
        ),
        (
            "one/log?sinceTime=x",
            is(400, "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\""),
        ),
        (
            "one/log?sinceSeconds=1&sinceTime=2026-03-04T05:06:08Z",
            is(
                422,
                "PodLogOptions \"one\" is invalid: []: Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
            ),
        ),
    ] {
        assert_eq!(log(query).await, wanted, "{query}");
    }
    // A container that was started again has a log for this run and one for the run before.
    let again = json!([{"name": "c", "restartCount": 1, "state": {"running": {}}}]);
    api.merge(&format!("{PODS}/one/status"), json!({"status": {"containerStatuses": again}})).await;
    assert_eq!(log("one/log").await, is(200, ""));
    server.append_log("default", "one", "c", "fourth");
    for (query, wanted) in [
        ("one/log", "fourth\n"),
        ("one/log?tailLines=9", "fourth\n"),
        ("one/log?previous=true", "first\nsecond\nthird\n"),
        ("one/log?previous=true&follow=true&tailLines=1", "third\n"),
    ] {
        assert_eq!(log(query).await, is(200, wanted), "{query}");
    }
    // What is kept is bounded.
    for _ in 0..1000 {
        server.append_log("default", "two", "d", &"x".repeat(1000));
    }
    let (_, kept) = log("two/log?container=d").await;
    assert!((200_000..300_000).contains(&kept.len()), "{}", kept.len());
    assert_eq!(api.delete(&format!("{PODS}/one?gracePeriodSeconds=0")).await.0, 200);
    assert!(!server.logs().knows("one"), "they go with the pod");
}

#[tokio::test]
async fn a_log_is_followed_to_its_end() {
    let api = Api::new().as_admin();
    api.post(PODS, pod("a", "n", &["c"])).await;
    api.merge(&format!("{PODS}/a/status"), json!({"status": {"phase": "Running"}})).await;
    let say = |text: &str| api.server().append_log("default", "a", "c", text);
    say("old\nnew");
    let mut lines = api.lines(&format!("{PODS}/a/log?follow=true&tailLines=1")).await;
    assert_eq!(lines.code, 200);
    assert_eq!(lines.line().await.as_deref(), Some("new"));
    say("newer");
    assert_eq!(lines.line().await.as_deref(), Some("newer"));
    say("newest");
    let ended = json!([{"name": "c", "state": {"terminated": {"exitCode": 0}}}]);
    api.merge(&format!("{PODS}/a/status"), json!({"status": {"containerStatuses": ended}})).await;
    assert_eq!(lines.line().await.as_deref(), Some("newest"));
    assert_eq!(lines.line().await, None);

    api.post(PODS, pod("b", "n", &["c"])).await;
    api.merge(&format!("{PODS}/b/status"), json!({"status": {"phase": "Running"}})).await;
    let mut lines = api.lines(&format!("{PODS}/b/log?follow=true")).await;
    api.delete(&format!("{PODS}/b?gracePeriodSeconds=0")).await;
    assert_eq!(lines.line().await, None, "it ends with the pod");
}
