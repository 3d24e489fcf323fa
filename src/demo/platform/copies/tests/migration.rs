use std::time::Duration;

use serde_json::{Value, json};

use super::super::super::edit::set;
use super::super::super::kind::Kind;
use super::super::super::object::Object;
use super::super::super::testing::{Stage, namespace};
use super::super::super::view::View;
use super::super::super::write::Write;
use super::super::super::{Parts, Reconciler};
use super::super::{PARTS, has_left};

const NS: &str = "lab";

/// A second node on which pods start within a second, and end when their guest has gone.
const NODES: &[Reconciler] = &[Reconciler { name: "node", manager: "v9s-tests", of: Kind::Pod, step: node }];
const ALL: Parts = &[PARTS, NODES];

fn node(view: &View<'_>, pod: &Object) -> Vec<Write> {
    if pod.text("/spec/nodeName").is_empty() {
        let full = pod.at("/spec/nodeSelector/zone") == "nowhere";
        let mut new = pod.edit();
        let unschedulable = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]);
        set(&mut new, "/status/conditions", unschedulable);
        return if full {
            Write::update(pod, new).into_iter().collect()
        } else {
            vec![Write::Bind { pod: pod.clone(), node: "node-2".to_owned() }]
        };
    }
    let mut new = pod.edit();
    if pod.phase() == "Pending" && view.waited(pod, "start", Duration::from_secs(1)) {
        set(&mut new, "/status/phase", "Running");
        set(&mut new, "/status/podIP", "10.2.0.9");
        set(&mut new, "/status/podIPs", json!([{"ip": "10.2.0.9"}]));
        set(
            &mut new,
            "/status/containerStatuses",
            json!([{
                "name": "compute", "ready": true, "image": "i", "imageID": "", "restartCount": 0,
            }]),
        );
    }
    if pod.phase() == "Running" && has_left(view, pod) {
        set(&mut new, "/status/phase", "Succeeded");
    }
    Write::update(pod, new).into_iter().collect()
}

fn vmi(name: &str) -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": NS, "uid": format!("uid-{name}"), "labels": {"kubevirt.io/nodeName": "node-1"}},
        "spec": {
            "domain": {"devices": {}, "memory": {"guest": "1Gi"}}, "evictionStrategy": "LiveMigrate",
            "networks": [{"name": "default", "pod": {}}],
        },
        "status": {
            "phase": "Running", "nodeName": "node-1", "runtimeUser": 0, "memory": {"memoryOverhead": "288Mi"},
            "interfaces": [{"name": "default", "ipAddress": "10.1.0.9", "ipAddresses": ["10.1.0.9"]}],
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "LiveMigratable", "status": "True"}],
        },
    })
}

fn launcher(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("virt-launcher-{name}-aaaaa"), "namespace": NS,
            "labels": {"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": format!("uid-{name}")},
            "annotations": {"kubevirt.io/domain": name},
            "ownerReferences": [{
                "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "name": name,
                "uid": format!("uid-{name}"), "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "nodeName": "node-1", "nodeSelector": {"kubevirt.io/schedulable": "true"},
            "containers": [{"name": "compute", "image": "virt-launcher", "args": ["--hypervisor", "kvm", "--image-volume"]}],
        },
        "status": {"phase": "Running", "podIP": "10.1.0.9", "containerStatuses": [
            {"name": "compute", "ready": true, "image": "i", "imageID": "", "restartCount": 0},
        ]},
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn migration(name: &str, of: &str, spec: Value) -> Value {
    let mut whole = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": name, "namespace": NS, "finalizers": ["kubevirt.io/migrationJobFinalize"]},
        "spec": {"vmiName": of},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole["spec"][field] = value.clone();
    }
    whole
}

async fn stage(machines: &[&str]) -> Stage {
    let mut objects = vec![namespace(NS)];
    for name in machines {
        objects.extend([vmi(name), launcher(name)]);
    }
    Stage::with(objects, ALL).await
}

async fn of_migration(stage: &Stage, name: &str) -> Value {
    stage.get(Kind::VirtualMachineInstanceMigration, NS, name).await
}

async fn of_guest(stage: &Stage, name: &str) -> Value {
    stage.get(Kind::VirtualMachineInstance, NS, name).await
}

fn phases(migration: &Value) -> Vec<String> {
    let all = migration["status"]["phaseTransitionTimestamps"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| one["phase"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_guest_moves_to_another_node() {
    let stage = stage(&["web"]).await;
    stage.create(migration("mig", "web", json!({}))).await;
    let made = of_migration(&stage, "mig").await;
    assert_eq!(made["metadata"]["labels"]["kubevirt.io/vmi-name"], "web");
    assert_eq!(made["status"]["phase"], "Scheduling");
    assert_eq!(made["status"]["migrationState"], json!({"sourcePod": "virt-launcher-web-aaaaa"}));

    let pods = stage.list(Kind::Pod, NS).await;
    let target =
        pods.iter().find(|pod| pod["metadata"]["labels"]["kubevirt.io/migrationJobUID"].is_string()).unwrap();
    assert_eq!(target["metadata"]["generateName"], "virt-launcher-web-");
    assert_eq!(target["metadata"]["annotations"]["kubevirt.io/migrationJobName"], "mig");
    assert_eq!(
        target["spec"]["containers"][0]["args"],
        json!(["--hypervisor", "kvm", "--run-as-nonroot", "--image-volume"])
    );
    let apart =
        &target["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(apart[0]["labelSelector"]["matchLabels"]["kubevirt.io/created-by"], "uid-web");
    let target = target["metadata"]["name"].as_str().unwrap().to_owned();

    stage.advance(6).await;
    let guest = of_guest(&stage, "web").await;
    let state = &guest["status"]["migrationState"];
    assert_eq!(state["mode"], "PreCopy");
    assert_eq!((&state["sourceNode"], &state["targetNode"]), (&json!("node-1"), &json!("node-2")));
    assert_eq!(state["targetPod"], target.as_str());
    assert!(state["startTimestamp"].is_string() && state["endTimestamp"].is_null(), "{state}");
    assert_eq!(of_migration(&stage, "mig").await["status"]["phase"], "Running");

    stage.advance(20).await;
    let guest = of_guest(&stage, "web").await;
    assert_eq!(guest["status"]["nodeName"], "node-2");
    assert_eq!(guest["metadata"]["labels"]["kubevirt.io/nodeName"], "node-2");
    assert_eq!(guest["status"]["interfaces"][0]["ipAddress"], "10.2.0.9");
    assert_eq!(guest["status"]["migrationState"]["completed"], true);
    let done = of_migration(&stage, "mig").await;
    let all =
        ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running", "Succeeded"];
    assert_eq!(phases(&done), all);
    assert_eq!(done["status"]["migrationState"], guest["status"]["migrationState"]);
    assert_eq!(done["metadata"]["finalizers"], Value::Null);
    assert_eq!(stage.get(Kind::Pod, NS, "virt-launcher-web-aaaaa").await["status"]["phase"], "Succeeded");
    let target = stage.get(Kind::Pod, NS, &target).await;
    assert_eq!(target["status"]["phase"], "Running");
    let marked =
        target["metadata"]["annotations"]["kubevirt.io/migration-target-ready-timestamp"].as_str().unwrap();
    assert!(marked.ends_with(" +0000 UTC"), "{marked}");
    let told = stage.events(NS).await;
    for wanted in [
        "SuccessfulHandOver: Migration target pod is ready for preparation by virt-handler.",
        "Migrating: VirtualMachineInstance is migrating.",
        "Migrated: The VirtualMachineInstance migrated to node node-2.",
        "SuccessfulMigration: Source node reported migration succeeded",
    ] {
        assert!(told.contains(&wanted.to_owned()), "{wanted} in {told:?}");
    }
}

#[tokio::test]
async fn a_target_that_finds_no_node_is_given_up_after_five_minutes() {
    let stage = stage(&["web"]).await;
    let nowhere = json!({"addedNodeSelector": {"zone": "nowhere"}});
    stage.create(migration("mig", "web", nowhere)).await;
    let message = "Migration target pod for VMI [lab/web] is currently unschedulable.";
    let told = format!("migrationTargetPodUnschedulable: {message}");
    assert!(stage.events(NS).await.contains(&told));
    stage.advance(299).await;
    assert_eq!(of_migration(&stage, "mig").await["status"]["phase"], "Scheduling");
    stage.advance(2).await;
    assert_eq!(of_migration(&stage, "mig").await["status"]["phase"], "Failed");
    assert_eq!(stage.list(Kind::Pod, NS).await.len(), 1, "the source only");
    assert_eq!(of_guest(&stage, "web").await["status"]["nodeName"], "node-1");
}

#[tokio::test]
async fn deleting_a_migration_cancels_it_wherever_it_is() {
    for (wait, selector, state) in [(3, json!({"zone": "nowhere"}), false), (6, json!({}), true)] {
        let stage = stage(&["web"]).await;
        stage.create(migration("mig", "web", json!({"addedNodeSelector": selector}))).await;
        stage.advance(wait).await;
        stage.delete(Kind::VirtualMachineInstanceMigration, NS, "mig").await;
        stage.advance(5).await;
        assert_eq!(of_migration(&stage, "mig").await, Value::Null);
        let guest = of_guest(&stage, "web").await;
        assert_eq!(guest["status"]["nodeName"], "node-1");
        assert_eq!(guest["status"]["migrationState"]["failed"] == true, state);
        if state {
            assert_eq!(guest["status"]["migrationState"]["abortStatus"], "Succeeded");
        }
        let pods = stage.list(Kind::Pod, NS).await;
        let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running").count();
        assert_eq!(running, 1, "{pods:?}");
    }
}

#[tokio::test]
async fn a_migration_can_be_made_to_fail() {
    let stage = stage(&["web"]).await;
    let play = json!({"metadata": {"annotations": {"v9s.dev/play": "migration-fails"}}});
    stage.patch(Kind::VirtualMachineInstance, NS, "web", play).await;
    stage.create(migration("mig", "web", json!({}))).await;
    stage.advance(100).await;
    assert_eq!(of_migration(&stage, "mig").await["status"]["phase"], "Running");
    stage.advance(100).await;
    let done = of_migration(&stage, "mig").await;
    assert_eq!(done["status"]["phase"], "Failed");
    let reason = "Live migration stuck for 150 seconds and has been aborted";
    assert_eq!(done["status"]["migrationState"]["failureReason"], reason);
    assert_eq!(of_guest(&stage, "web").await["status"]["nodeName"], "node-1");
}

#[tokio::test]
async fn not_more_than_two_guests_leave_a_node_at_a_time() {
    let stage = stage(&["a", "b", "c"]).await;
    for name in ["a", "b", "c"] {
        stage.create(migration(name, name, json!({}))).await;
    }
    stage.advance(3).await;
    assert_eq!(of_migration(&stage, "c").await["status"]["phase"], "Pending");
    stage.advance(60).await;
    assert_eq!(of_migration(&stage, "c").await["status"]["phase"], "Succeeded");
}

#[tokio::test]
async fn a_guest_that_cannot_migrate_stays() {
    let stage = stage(&["web"]).await;
    let fixed = json!([{
        "type": "LiveMigratable", "status": "False", "reason": "DisksNotLiveMigratable", "message": "PVC is not shared",
    }]);
    stage
        .patch_status(Kind::VirtualMachineInstance, NS, "web", json!({"status": {"conditions": fixed}}))
        .await;
    stage.create(migration("mig", "web", json!({}))).await;
    assert_eq!(of_migration(&stage, "mig").await["status"]["phase"], "Failed");
    let told =
        "FailedMigration: Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: PVC is not shared";
    assert!(stage.events(NS).await.contains(&told.to_owned()));
}

#[tokio::test]
async fn guests_leave_a_node_that_is_drained() {
    let stage = stage(&["web"]).await;
    let asked = json!({"status": {"evacuationNodeName": "node-1"}});
    stage.patch_status(Kind::VirtualMachineInstance, NS, "web", asked).await;
    stage.advance(30).await;
    let guest = of_guest(&stage, "web").await;
    assert_eq!(guest["status"]["nodeName"], "node-2");
    assert_eq!(guest["status"]["evacuationNodeName"], Value::Null);
    let all = stage.list(Kind::VirtualMachineInstanceMigration, NS).await;
    assert_eq!(all.len(), 1);
    let name = all[0]["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("kubevirt-evacuation-"), "{name}");
    assert_eq!(all[0]["metadata"]["annotations"]["kubevirt.io/evacuationMigration"], "node-1");
}
