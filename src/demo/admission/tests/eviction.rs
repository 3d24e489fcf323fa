use serde_json::{Value, json};

use super::{VMIS, api, instance};

const PODS: &str = "/api/v1/namespaces/default/pods";

/// An instance on a node, and its pod.
fn running(strategy: &str, migratable: bool) -> [Value; 2] {
    let mut vmi = instance();
    vmi["spec"]["evictionStrategy"] = strategy.into();
    let status = if migratable { "True" } else { "False" };
    vmi["status"] = json!({
        "phase": "Running", "nodeName": "node-1", "conditions": [{"type": "LiveMigratable", "status": status}],
    });
    [vmi, launcher("a", "node-1", "Running")]
}

fn launcher(suffix: &str, node: &str, phase: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("virt-launcher-web-{suffix}"), "labels": {"kubevirt.io": "virt-launcher"},
            "annotations": {"kubevirt.io/domain": "web"},
        },
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [{"name": "compute", "image": "i"}]},
        "status": {"phase": phase},
    })
}

fn eviction(pod: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}})
}

#[tokio::test]
async fn a_guest_that_can_move_is_marked_and_its_pod_stays() {
    let marked = "admission webhook \"virt-launcher-eviction-interceptor.kubevirt.io\" denied the request: Eviction triggered \
                  evacuation of VMI \"default/web\"";
    let cannot = "admission webhook \"virt-launcher-eviction-interceptor.kubevirt.io\" denied the request: VMI web is \
                  configured with an eviction strategy but is not live-migratable";
    for (strategy, migratable, code, message) in [
        ("LiveMigrate", true, 429, marked),
        ("LiveMigrate", false, 429, cannot),
        ("LiveMigrateIfPossible", true, 429, marked),
        ("LiveMigrateIfPossible", false, 201, ""),
        ("External", false, 429, marked),
        ("None", true, 201, ""),
    ] {
        let api = api();
        running(strategy, migratable).into_iter().for_each(|object| api.server().put(object).unwrap());
        let path = format!("{PODS}/virt-launcher-web-a");
        let dry = format!("{path}/eviction?dryRun=All");
        assert_eq!(api.post(&dry, eviction("virt-launcher-web-a")).await.0, code);
        let unmarked = api.get(&format!("{VMIS}/web")).await.1;
        assert_eq!(unmarked["status"]["evacuationNodeName"], Value::Null, "{strategy}: nothing is written");
        let (answered, answer) = api.post(&format!("{path}/eviction"), eviction("virt-launcher-web-a")).await;
        assert_eq!(answered, code, "{strategy} {answer}");
        assert_eq!(answer["message"].as_str().unwrap_or_default(), message, "{strategy}");
        let left = api.get(&path).await.0 == 200;
        assert_eq!(left, code == 429, "{strategy}");
        let vmi = api.get(&format!("{VMIS}/web")).await.1;
        let node = vmi["status"]["evacuationNodeName"].as_str();
        assert_eq!(node, (message == marked).then_some("node-1"), "{strategy}");
        if message == marked {
            let (code, again) = api.post(&format!("{path}/eviction"), eviction("virt-launcher-web-a")).await;
            let said = "Cannot evict pod as it would violate the pod's disruption budget.";
            assert_eq!((code, again["message"].as_str()), (429, Some(said)), "{again}");
        }
    }
}

#[tokio::test]
async fn pods_without_a_guest_go() {
    let api = api();
    running("LiveMigrate", true).into_iter().for_each(|object| api.server().put(object).unwrap());
    let mut other = launcher("other", "node-1", "Running");
    other["metadata"].as_object_mut().unwrap().remove("labels");
    api.server().put(launcher("left", "node-1", "Succeeded")).unwrap();
    api.server().put(other).unwrap();
    for name in ["virt-launcher-web-left", "virt-launcher-web-other"] {
        let (code, answer) = api.post(&format!("{PODS}/{name}/eviction"), eviction(name)).await;
        assert_eq!(code, 201, "{answer}");
    }
}

#[tokio::test]
async fn instances_have_the_strategy_of_their_cluster() {
    let api = api();
    let configuration = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": {"evictionStrategy": "LiveMigrateIfPossible"}},
    });
    api.server().put(configuration).unwrap();
    let (_, made) = api.post(VMIS, instance()).await;
    assert_eq!(made["spec"]["evictionStrategy"], "LiveMigrateIfPossible", "{made}");
    let mut own = instance();
    own["metadata"]["name"] = "own".into();
    own["spec"]["evictionStrategy"] = "None".into();
    let (_, made) = api.post(VMIS, own).await;
    assert_eq!(made["spec"]["evictionStrategy"], "None", "{made}");
}
