//! What a user sees of other projects' objects.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::testing::{Stage, namespace};
use super::super::{disks, nodes};
use super::PARTS;

const NS: &str = "lab";

async fn stage() -> Stage {
    let node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "node-1", "labels": {"v9s.dev/played": "true", "kubernetes.io/hostname": "node-1"}},
        "spec": {}, "status": {},
    });
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "rook-ceph.rbd.csi.ceph.com", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
    });
    let stage = Stage::with(vec![namespace(NS), node, class], &[PARTS, disks::PARTS, nodes::PARTS]).await;
    stage.advance(1).await;
    stage
}

fn machine(policy: &str) -> Value {
    json!({
        "apiVersion": "virt.virtink.smartx.com/v1alpha1", "kind": "VirtualMachine",
        "metadata": {"name": "tiny", "namespace": NS},
        "spec": {
            "runPolicy": policy,
            "instance": {
                "memory": {"size": "1Gi"}, "disks": [{"name": "root"}],
                "interfaces": [{"name": "pod", "masquerade": {"cidr": "10.0.2.0/30"}}],
            },
            "networks": [{"name": "pod", "pod": {}}],
            "volumes": [{"name": "root", "containerDisk": {"image": "smartxworks/virtink-container-disk-ubuntu"}}],
        },
    })
}

async fn tiny(stage: &Stage) -> Value {
    stage.get(Kind::VirtinkMachine, NS, "tiny").await
}

async fn ask(stage: &Stage, action: &str) {
    let patch = json!({"status": {"powerAction": action}});
    stage.patch_status(Kind::VirtinkMachine, NS, "tiny", patch).await;
}

#[tokio::test]
async fn a_machine_of_virtink_runs_in_a_pod() {
    let stage = stage().await;
    stage.create(machine("Once")).await;
    assert_eq!(tiny(&stage).await["status"]["phase"], "Scheduling");
    stage.advance(20).await;
    let running = tiny(&stage).await;
    assert_eq!(running["status"]["phase"], "Running", "{running:#}");
    assert_eq!(running["status"]["nodeName"], "node-1");
    let reasons: Vec<&Value> =
        running["status"]["conditions"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
    assert_eq!(reasons, ["PodReady", "VolumeNotMigratable"]);
    let pods = stage.list(Kind::Pod, NS).await;
    assert_eq!(pods[0]["metadata"]["labels"]["virtink.io/vm.name"], "tiny");
    assert_eq!(pods[0]["spec"]["initContainers"][0]["name"], "init-volume-root");

    ask(&stage, "Shutdown").await;
    assert_eq!(tiny(&stage).await["status"]["powerAction"], Value::Null, "the slot is free again");
    stage.advance(10).await;
    assert_eq!(tiny(&stage).await["status"]["phase"], "Succeeded");
    assert_eq!(stage.list(Kind::Pod, NS).await, Vec::<Value>::new());
    ask(&stage, "PowerOn").await;
    stage.advance(20).await;
    assert_eq!(tiny(&stage).await["status"]["phase"], "Running");

    stage.delete(Kind::VirtinkMachine, NS, "tiny").await;
    stage.advance(60).await;
    assert_eq!(tiny(&stage).await, Value::Null);
    assert_eq!(stage.list(Kind::Pod, NS).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_guest_that_ends_by_itself_ends_its_machine() {
    for (told, policy, phase) in [
        ("powered-off", "Once", "Succeeded"),
        ("crashed", "Once", "Failed"),
        ("crashed", "Always", "Running"),
    ] {
        let stage = stage().await;
        stage.create(machine(policy)).await;
        stage.advance(20).await;
        let pod = |machine: &Value| machine["status"]["vmPodName"].as_str().unwrap_or_default().to_owned();
        let before = pod(&tiny(&stage).await);
        let told = json!({"metadata": {"annotations": {super::super::GUEST: told}}});
        stage.patch(Kind::Pod, NS, &before, told).await;
        stage.advance(60).await;
        let machine = tiny(&stage).await;
        assert_eq!(machine["status"]["phase"], phase, "{policy}");
        assert_eq!(pod(&machine) == before, phase != "Running", "another life has another pod");
    }
}

#[tokio::test]
async fn run_policies_decide_what_comes_after_power_off() {
    for (policy, action, phase) in [
        ("Always", "PowerOff", json!("Running")),
        ("RerunOnFailure", "PowerOff", json!("Succeeded")),
        ("Once", "Reboot", json!("Running")),
        ("Manual", "", Value::Null),
    ] {
        let stage = stage().await;
        stage.create(machine(policy)).await;
        stage.advance(20).await;
        if !action.is_empty() {
            ask(&stage, action).await;
        }
        stage.advance(60).await;
        assert_eq!(tiny(&stage).await["status"]["phase"], phase, "{policy}");
    }
}

#[tokio::test]
async fn halting_a_machine_pulls_the_plug() {
    let stage = stage().await;
    stage.create(machine("Always")).await;
    stage.advance(20).await;
    stage.patch(Kind::VirtinkMachine, NS, "tiny", json!({"spec": {"runPolicy": "Halted"}})).await;
    stage.advance(60).await;
    assert_eq!(tiny(&stage).await["status"]["phase"], Value::Null);
    assert_eq!(stage.list(Kind::Pod, NS).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_guest_of_virtink_moves_to_another_node() {
    let stage = stage().await;
    let mut other = stage.get(Kind::Node, "", "node-1").await;
    other["metadata"] =
        json!({"name": "node-2", "labels": {"v9s.dev/played": "true", "kubernetes.io/hostname": "node-2"}});
    stage.create(other).await;
    let mut moves = machine("Always");
    moves["spec"]["volumes"] = json!([{"name": "root", "persistentVolumeClaim": {"claimName": "root"}}]);
    stage.create(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "root", "namespace": NS},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
    })).await;
    stage.create(moves).await;
    stage.advance(20).await;
    let before = tiny(&stage).await["status"].clone();
    assert_eq!(before["phase"], "Running", "{before}");
    stage
        .create(json!({
            "apiVersion": "virt.virtink.smartx.com/v1alpha1", "kind": "VirtualMachineMigration",
            "metadata": {"name": "away", "namespace": NS}, "spec": {"vmName": "tiny"},
        }))
        .await;
    stage.advance(8).await;
    let moving = tiny(&stage).await["status"].clone();
    assert_eq!(moving["migration"]["phase"], "Running", "{moving}");
    assert_eq!(moving["vmPodName"], before["vmPodName"], "until then the guest is where it was");
    stage.advance(30).await;
    let migration = stage.get(Kind::VirtinkMigration, NS, "away").await["status"].clone();
    let nodes = (&migration["sourceNodeName"], &migration["targetNodeName"]);
    assert_eq!((&migration["phase"], nodes.0), (&json!("Succeeded"), &before["nodeName"]), "{migration}");
    assert_ne!(nodes.0, nodes.1);
    let after = tiny(&stage).await["status"].clone();
    assert_eq!((&after["phase"], &after["nodeName"]), (&json!("Running"), nodes.1), "{after}");
    assert_eq!(after["migration"], Value::Null);
    let pods = stage.list(Kind::Pod, NS).await;
    let names: Vec<&Value> = pods.iter().map(|pod| &pod["metadata"]["name"]).collect();
    assert_eq!(names, [&after["vmPodName"]], "the pod that it left is gone");
}

#[tokio::test]
async fn an_artifact_is_built_and_ready() {
    let stage = stage().await;
    let artifact = json!({
        "apiVersion": "build.kairos.io/v1alpha2", "kind": "OSArtifact", "metadata": {"name": "edge", "namespace": NS},
        "spec": {"image": {"ref": "quay.io/kairos/debian:13"}, "artifacts": {"iso": true, "cloudImage": true}},
    });
    stage.create(artifact).await;
    let get = || stage.get(Kind::OSArtifact, NS, "edge");
    assert_eq!(get().await["status"]["phase"], "Building");
    let claim = stage.get(Kind::PersistentVolumeClaim, NS, "edge-artifacts").await;
    assert_eq!(claim["metadata"]["labels"]["build.kairos.io/artifact"], "edge");
    stage.advance(20).await;
    let pod = &stage.list(Kind::Pod, NS).await[0];
    let names: Vec<&Value> =
        pod["spec"]["initContainers"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["pull-image-baseimage", "build-iso"]);
    assert_eq!(pod["spec"]["containers"][0]["name"], "build-cloud-image");
    stage.advance(120).await;
    assert_eq!(get().await["status"]["phase"], "Ready");
    let echoed = stage.lines.all();
    assert!(echoed.iter().any(|line| line.contains("build-iso: + auroraboot")), "{echoed:?}");
}
