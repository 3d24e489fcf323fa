//! The service behind the embedded server.

use serde_json::{Value, json};

use super::*;
use crate::cluster::dial::Dialer;
use crate::demo::server::testing::Api;

fn pod(name: &str, phase: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": app}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "i"}]},
        "status": {"phase": phase, "containerStatuses": [{
            "name": "main", "ready": true, "restartCount": 0, "image": "i", "imageID": "",
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        }]},
    })
}

/// A server with a node and three pods, one of which has ended.
fn api() -> Api {
    let api = Api::new().as_admin();
    let node =
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {}, "status": {}});
    let pods = [pod("a", "Running", "web"), pod("b", "Running", "db"), pod("c", "Succeeded", "web")];
    for object in [node].into_iter().chain(pods) {
        api.server().put(object).unwrap();
    }
    let held = api.server().downgrade();
    crate::demo::aggregate::serve_metrics_in_place(api.server(), move || {
        let dialed = held.clone();
        let dialer = Dialer::new(move || dialed.connect());
        let mut config = kube::Config::new("http://demo.internal".parse().ok()?);
        config.auth_info.token = Some("token-of-admin".to_owned().into());
        dialer.client(&config).ok().map(MetricsApi::new)
    });
    api
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect()
}

const PODS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods";

#[tokio::test]
async fn pods_that_run_are_told_of() {
    let api = api();
    for (path, found) in [
        (PODS.to_owned(), vec!["a", "b"]),
        ("/apis/metrics.k8s.io/v1beta1/pods".to_owned(), vec!["a", "b"]),
        (format!("{PODS}?labelSelector=app%3Dweb"), vec!["a"]),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/lab/pods".to_owned(), vec![]),
    ] {
        let (code, list) = api.get(&path).await;
        assert_eq!((code, names(&list)), (200, found), "{path}");
        assert_eq!(list["kind"], "PodMetricsList");
    }
    let (_, one) = api.get(&format!("{PODS}/a")).await;
    assert_eq!((&one["kind"], &one["containers"][0]["name"]), (&json!("PodMetrics"), &json!("main")));
    assert!(one["containers"][0]["usage"]["cpu"].as_str().unwrap().ends_with('n'), "{one}");
    for (name, code) in [("c", 404), ("nobody", 404)] {
        let (got, status) = api.get(&format!("{PODS}/{name}")).await;
        assert_eq!(got, code);
        assert_eq!(status["message"], format!("podmetrics.metrics.k8s.io \"shop/{name}\" not found"));
    }
}

#[tokio::test]
async fn a_node_uses_what_its_pods_use_and_more() {
    let api = api();
    let millis = |usage: &Value| crate::model::parse_millis(usage["cpu"].as_str().unwrap()).unwrap();
    let (_, list) = api.get("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(names(&list), ["node-1"]);
    let (_, node) = api.get("/apis/metrics.k8s.io/v1beta1/nodes/node-1").await;
    let (_, pods) = api.get(PODS).await;
    let sum: u64 = pods["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| u64::from(millis(&pod["containers"][0]["usage"])))
        .sum();
    assert!(u64::from(millis(&node["usage"])) > sum, "{node} {pods}");
    let (code, status) = api.get("/apis/metrics.k8s.io/v1beta1/nodes/nobody").await;
    assert_eq!((code, &status["message"]), (404, &json!("nodemetrics.metrics.k8s.io \"nobody\" not found")));
}

#[tokio::test]
async fn who_may_not_look_does_not_see() {
    let (code, _) = api().as_user("shop-operator").get("/apis/metrics.k8s.io/v1beta1/nodes").await;
    assert_eq!(code, 403);
}

#[test]
fn paths_are_understood() {
    let pods = |namespace: &str, name: &str| Route::Pods { namespace: namespace.into(), name: name.into() };
    for (path, route) in [
        ("/apis/metrics.k8s.io", Route::Group),
        ("/apis/metrics.k8s.io/v1beta1", Route::Resources),
        ("/apis/metrics.k8s.io/v1beta1/pods", pods("", "")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/a/pods/b", pods("a", "b")),
        ("/apis/metrics.k8s.io/v1beta1/namespaces/..%2f..%2fx/pods", pods("../../x", "")),
        ("/apis/metrics.k8s.io/v1beta1/nodes/n", Route::Nodes { name: "n".into() }),
        ("/apis/metrics.k8s.io/v1/pods", Route::Nothing),
        ("/healthz", Route::Health),
        ("/", Route::Nothing),
    ] {
        assert_eq!(Route::of(path), route, "{path}");
    }
}
