//! What a user sees of pods.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::testing::{Stage, namespace};

pub(crate) fn node(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"v9s.dev/played": "true"}}, "spec": {}, "status": {},
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn pod(name: &str, spec: Value) -> Value {
    let mut whole = json!({
        "containers": [{"name": "main", "image": "quay.io/tools/main:1", "resources": {"requests": {"memory": "100Mi"}}}],
        "restartPolicy": "Never",
    });
    for (key, value) in spec.as_object().unwrap() {
        whole[key] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": whole})
}

async fn stage(nodes: &[Value]) -> Stage {
    let stage = Stage::new([vec![namespace("shop")], nodes.to_vec()].concat()).await;
    stage.advance(0).await;
    stage
}

fn condition<'a>(object: &'a Value, of: &str) -> &'a Value {
    object["status"]["conditions"].as_array().unwrap().iter().find(|one| one["type"] == of).unwrap()
}

#[tokio::test]
async fn nodes_are_well_and_say_so_every_few_minutes() {
    let stage = stage(&[node("node-1")]).await;
    let before = stage.get(Kind::Node, "", "node-1").await;
    assert_eq!(condition(&before, "Ready")["status"], "True");
    assert_eq!(before["status"]["allocatable"]["devices.kubevirt.io/kvm"], "1k");
    stage.advance(3600).await;
    let after = stage.get(Kind::Node, "", "node-1").await;
    let transition = |node: &Value| condition(node, "Ready")["lastTransitionTime"].clone();
    assert_eq!(transition(&before), transition(&after));
}

#[tokio::test]
async fn an_unknown_pod_runs_until_it_is_deleted() {
    let stage = stage(&[node("node-1")]).await;
    stage.create(pod("one", json!({}))).await;
    stage.advance(1).await;
    let seen = stage.get(Kind::Pod, "shop", "one").await;
    assert_eq!(seen["spec"]["nodeName"], "node-1");
    assert_eq!(seen["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ContainerCreating");
    stage.advance(10).await;
    let seen = stage.get(Kind::Pod, "shop", "one").await;
    assert_eq!(seen["status"]["phase"], "Running");
    assert_eq!(condition(&seen, "Ready")["status"], "True");
    assert_eq!(seen["status"]["qosClass"], "Burstable");
    let reasons: Vec<String> = stage.events("shop").await;
    let reasons: Vec<&str> = reasons.iter().map(|text| text.split_once(':').unwrap().0).collect();
    assert_eq!(reasons, ["Scheduled", "Pulling", "Pulled", "Created", "Started"]);

    stage.delete(Kind::Pod, "shop", "one").await;
    assert_eq!(stage.get(Kind::Pod, "shop", "one").await["status"]["phase"], "Running");
    stage.advance(2).await;
    assert_eq!(stage.get(Kind::Pod, "shop", "one").await, Value::Null);
}

#[tokio::test]
async fn the_scheduler_says_why_a_pod_fits_nowhere() {
    let mut cordoned = node("node-1");
    cordoned["spec"]["unschedulable"] = true.into();
    let mut tainted = node("node-2");
    tainted["spec"]["taints"] =
        json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    let nodes = [cordoned, tainted, node("node-3")];
    let greedy = json!([{
        "name": "main", "image": "a", "resources": {"requests": {"cpu": "64", "devices.kubevirt.io/kvm": "1"},
        "limits": {"devices.kubevirt.io/kvm": "1"}},
    }]);
    let cases = [
        ("cpu", json!({"containers": greedy}), "1 Insufficient cpu"),
        (
            "selector",
            json!({"nodeSelector": {"zone": "x"}}),
            "1 node(s) didn't match Pod's node affinity/selector",
        ),
        (
            "claim",
            json!({"volumes": [{"name": "a", "persistentVolumeClaim": {"claimName": "gone"}}]}),
            "persistentvolumeclaim \"gone\" not found",
        ),
    ];
    let stage = stage(&nodes).await;
    for (name, spec, text) in cases {
        stage.create(pod(name, spec)).await;
        stage.advance(1).await;
        let seen = stage.get(Kind::Pod, "shop", name).await;
        let message = condition(&seen, "PodScheduled")["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("0/3 nodes are available: ") && message.contains(text), "{message}");
        if name == "cpu" {
            assert!(
                message.contains("1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }")
            );
            assert!(message.contains("1 node(s) were unschedulable"), "{message}");
        }
    }
    // When the node is given free, the pod is placed.
    stage.create(pod("fits", json!({"nodeSelector": {"zone": "a"}}))).await;
    stage.advance(1).await;
    stage.patch(Kind::Node, "", "node-3", json!({"metadata": {"labels": {"zone": "a"}}})).await;
    stage.advance(1).await;
    assert_eq!(stage.get(Kind::Pod, "shop", "fits").await["spec"]["nodeName"], "node-3");
}

#[tokio::test]
async fn an_image_that_is_not_there_is_tried_again_and_again() {
    let stage = stage(&[node("node-1")]).await;
    let image = json!([{"name": "main", "image": "registry.example/disks/image-pull:1"}]);
    stage.create(pod("one", json!({"containers": image}))).await;
    let mut seen = Vec::new();
    for _ in 0..240 {
        stage.advance(1).await;
        let pod = stage.get(Kind::Pod, "shop", "one").await;
        let reason = pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].clone();
        if reason.is_string() && seen.last() != Some(&reason) {
            seen.push(reason);
        }
        assert_eq!(pod["status"]["phase"], "Pending");
    }
    let words = ["ContainerCreating", "ErrImagePull", "ImagePullBackOff", "ErrImagePull", "ImagePullBackOff"];
    assert_eq!(seen[..5], words);
    assert!((8..=14).contains(&seen.len()), "{seen:?}");
    let events = stage.events("shop").await.join("\n");
    assert!(
        events.contains("Failed: Error: ErrImagePull") && events.contains("BackOff: Back-off pulling image")
    );
}

#[tokio::test]
async fn a_pod_without_its_secret_waits_for_it() {
    let stage = stage(&[node("node-1")]).await;
    stage.create(pod("one", json!({"volumes": [{"name": "key", "secret": {"secretName": "keys"}}]}))).await;
    stage.advance(20).await;
    assert_eq!(stage.get(Kind::Pod, "shop", "one").await["status"]["phase"], "Pending");
    let events = stage.events("shop").await.join("\n");
    assert!(
        events
            .contains("FailedMount: MountVolume.SetUp failed for volume \"key\" : secret \"keys\" not found")
    );
    stage
        .create(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "shop"}}),
        )
        .await;
    stage.advance(10).await;
    assert_eq!(stage.get(Kind::Pod, "shop", "one").await["status"]["phase"], "Running");
}
