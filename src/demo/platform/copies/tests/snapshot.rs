use serde_json::{Value, json};

use super::super::super::disks;
use super::super::super::kind::Kind;
use super::super::super::testing::{Stage, namespace};
use super::super::PARTS;

const NS: &str = "lab";
const DRIVER: &str = "rook-ceph.rbd.csi.ceph.com";

/// A machine with a disk that was imported, which runs or does not.
async fn stage(running: bool, agent: bool) -> Stage {
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
        "provisioner": DRIVER, "volumeBindingMode": "Immediate",
    });
    let snapshots = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": "fast-snap"},
        "driver": DRIVER, "deletionPolicy": "Delete",
    });
    let template = json!({
        "metadata": {"name": "web-root"},
        "spec": {
            "source": {"http": {"url": "http://images.example.test/a.qcow2"}},
            "storage": {"resources": {"requests": {"storage": "5Gi"}}},
        },
    });
    let machine = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {"name": "web", "namespace": NS, "uid": "uid-web"},
        "spec": {
            "runStrategy": if running { "Always" } else { "Halted" },
            "dataVolumeTemplates": [template],
            "template": {"spec": {
                "domain": {"devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]}},
                "volumes": [
                    {"name": "root", "dataVolume": {"name": "web-root"}},
                    {"name": "seed", "cloudInitNoCloud": {"userData": "#cloud-config"}},
                ],
            }},
        },
        "status": {"printableStatus": if running { "Running" } else { "Stopped" }},
    });
    let mut disk = template.clone();
    disk["apiVersion"] = "cdi.kubevirt.io/v1beta1".into();
    disk["kind"] = "DataVolume".into();
    disk["metadata"] = json!({
        "name": "web-root", "namespace": NS, "uid": "uid-disk",
        "annotations": {"cdi.kubevirt.io/storage.usePopulator": "true", "cdi.kubevirt.io/allowClaimAdoption": "true"},
    });
    disk["status"] = json!({"phase": "Succeeded", "progress": "100.0%", "claimName": "web-root"});
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "web-root", "namespace": NS, "uid": "uid-claim", "labels": {"app": "containerized-data-importer"},
            "annotations": {
                "pv.kubernetes.io/bind-completed": "yes",
                "cdi.kubevirt.io/storage.contentType": "kubevirt",
                "cdi.kubevirt.io/storage.condition.running": "false",
                "cdi.kubevirt.io/storage.condition.running.message": "Import Complete",
                "cdi.kubevirt.io/storage.condition.running.reason": "Completed",
                "cdi.kubevirt.io/storage.pod.phase": "Succeeded",
                "cdi.kubevirt.io/storage.pod.restarts": "0",
                "cdi.kubevirt.io/storage.populator.progress": "100.0%",
                "cdi.kubevirt.io/storage.usePopulator": "true",
            },
            "finalizers": ["kubernetes.io/pvc-protection"],
            "ownerReferences": [{
                "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "name": "web-root", "uid": "uid-disk",
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5368709120"}},
            "storageClassName": "fast", "volumeMode": "Block", "volumeName": "pv-1",
        },
        "status": {"phase": "Bound", "accessModes": ["ReadWriteMany"], "capacity": {"storage": "5368709120"}},
    });
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-1"},
        "spec": {
            "accessModes": ["ReadWriteMany"], "capacity": {"storage": "5368709120"}, "storageClassName": "fast",
            "csi": {"driver": DRIVER, "volumeHandle": "1"}, "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"kind": "PersistentVolumeClaim", "name": "web-root", "namespace": NS, "uid": "uid-claim"},
        },
        "status": {"phase": "Bound"},
    });
    let mut objects = vec![namespace(NS), class, snapshots, machine, disk, claim, volume];
    if running {
        let connected = if agent { "True" } else { "False" };
        let mut conditions = vec![json!({"type": "Ready", "status": "True"})];
        conditions.extend(agent.then(|| json!({"type": "AgentConnected", "status": connected})));
        objects.push(json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "web", "namespace": NS},
            "spec": {"domain": {"devices": {}}}, "status": {"phase": "Running", "conditions": conditions},
        }));
    }
    Stage::with(objects, &[PARTS, disks::PARTS]).await
}

#[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn snapshot(spec: Value) -> Value {
    let mut whole = json!({
        "apiVersion": "snapshot.kubevirt.io/v1beta1", "kind": "VirtualMachineSnapshot",
        "metadata": {"name": "snap", "namespace": NS},
        "spec": {"source": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": "web"}},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole["spec"][field] = value.clone();
    }
    whole
}

fn restore(target: &str, policy: &str) -> Value {
    json!({
        "apiVersion": "snapshot.kubevirt.io/v1beta1", "kind": "VirtualMachineRestore",
        "metadata": {"name": "restore", "namespace": NS},
        "spec": {
            "target": {"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": target},
            "targetReadinessPolicy": policy, "virtualMachineSnapshotName": "snap",
        },
    })
}

fn reasons(object: &Value) -> Vec<String> {
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|one| format!("{}={}: {}", text(&one["type"]), text(&one["status"]), text(&one["reason"])))
        .collect()
}

async fn of(stage: &Stage, kind: Kind, name: &str) -> Value {
    stage.get(kind, NS, name).await
}

#[tokio::test]
async fn a_snapshot_of_a_running_machine_holds_its_file_systems_back_for_a_moment() {
    let stage = stage(true, true).await;
    stage.create(snapshot(json!({}))).await;
    let snap = of(&stage, Kind::VirtualMachineSnapshot, "snap").await;
    assert_eq!(snap["status"]["phase"], "InProgress");
    assert_eq!(
        reasons(&snap),
        ["Progressing=True: Source locked and operation in progress", "Ready=False: Not ready"]
    );
    assert_eq!(snap["status"]["indications"], json!(["GuestAgent", "Online"]));
    let machine = of(&stage, Kind::VirtualMachine, "web").await;
    assert_eq!(machine["status"]["snapshotInProgress"], "snap");
    assert_eq!(machine["metadata"]["finalizers"], json!(["snapshot.kubevirt.io/snapshot-source-protection"]));
    assert_eq!(of(&stage, Kind::VirtualMachineInstance, "web").await["status"]["fsFreezeStatus"], "frozen");

    stage.advance(4).await;
    let snap = of(&stage, Kind::VirtualMachineSnapshot, "snap").await;
    assert_eq!(
        (&snap["status"]["phase"], &snap["status"]["readyToUse"]),
        (&json!("Succeeded"), &json!(true))
    );
    assert_eq!(reasons(&snap), ["Progressing=False: Operation complete", "Ready=True: Ready"]);
    let volumes = json!({"includedVolumes": ["root"], "excludedVolumes": ["seed"]});
    assert_eq!(snap["status"]["snapshotVolumes"], volumes);
    let machine = of(&stage, Kind::VirtualMachine, "web").await;
    assert_eq!(machine["status"]["snapshotInProgress"], Value::Null);
    assert_eq!(machine["metadata"]["finalizers"], Value::Null);
    assert_eq!(
        of(&stage, Kind::VirtualMachineInstance, "web").await["status"]["fsFreezeStatus"],
        Value::Null
    );

    let uid = snap["metadata"]["uid"].as_str().unwrap();
    let content = of(&stage, Kind::VirtualMachineSnapshotContent, &format!("vmsnapshot-content-{uid}")).await;
    let kept = &content["spec"]["volumeBackups"][0]["persistentVolumeClaim"];
    assert_eq!(kept["metadata"]["name"], "web-root");
    let volume = of(&stage, Kind::VolumeSnapshot, &format!("vmsnapshot-{uid}-volume-root")).await;
    assert_eq!(volume["spec"]["volumeSnapshotClassName"], "fast-snap");
    assert_eq!(
        (&volume["status"]["readyToUse"], &volume["status"]["restoreSize"]),
        (&json!(true), &json!("5Gi"))
    );
}

#[tokio::test]
async fn what_a_snapshot_says_of_its_source() {
    let stage = stage(false, false).await;
    stage.create(snapshot(json!({}))).await;
    stage.advance(4).await;
    let snap = of(&stage, Kind::VirtualMachineSnapshot, "snap").await;
    assert_eq!(
        (&snap["status"]["phase"], &snap["status"]["indications"]),
        (&json!("Succeeded"), &Value::Null)
    );

    let mut other = snapshot(json!({"failureDeadline": "1m0s"}));
    other["metadata"]["name"] = "late".into();
    other["spec"]["source"]["name"] = "nobody".into();
    stage.create(other).await;
    let late = of(&stage, Kind::VirtualMachineSnapshot, "late").await;
    assert_eq!(reasons(&late), ["Progressing=False: Source does not exist", "Ready=False: Not ready"]);
    stage.advance(61).await;
    let late = of(&stage, Kind::VirtualMachineSnapshot, "late").await;
    assert_eq!(late["status"]["phase"], "Failed");
    assert!(reasons(&late).contains(&"Failure=True: snapshot deadline exceeded".to_owned()));
}

#[tokio::test]
async fn a_snapshot_takes_what_it_kept_along_unless_it_shall_stay() {
    for (policy, left) in [("Delete", 0), ("Retain", 1)] {
        let stage = stage(false, false).await;
        stage.create(snapshot(json!({"deletionPolicy": policy}))).await;
        stage.advance(4).await;
        stage.delete(Kind::VirtualMachineSnapshot, NS, "snap").await;
        stage.advance(2).await;
        assert_eq!(stage.list(Kind::VirtualMachineSnapshot, NS).await, Vec::<Value>::new());
        assert_eq!(stage.list(Kind::VirtualMachineSnapshotContent, NS).await.len(), left, "{policy}");
        assert_eq!(stage.list(Kind::VolumeSnapshot, NS).await.len(), left, "{policy}");
    }
}

#[tokio::test]
async fn a_stopped_machine_gets_its_disks_back() {
    let stage = stage(false, false).await;
    stage.create(snapshot(json!({}))).await;
    stage.advance(4).await;
    let made = stage.create(restore("web", "WaitGracePeriod")).await;
    let name = format!("restore-{}-root", made["metadata"]["uid"].as_str().unwrap());
    let busy = of(&stage, Kind::VirtualMachineRestore, "restore").await;
    assert_eq!(reasons(&busy), ["Progressing=True: Creating new PVCs", "Ready=False: Waiting for new PVCs"]);
    assert_eq!(busy["status"]["restores"][0]["persistentVolumeClaim"], name.as_str());
    assert_eq!(of(&stage, Kind::VirtualMachine, "web").await["status"]["restoreInProgress"], "restore");
    let claim = of(&stage, Kind::PersistentVolumeClaim, &name).await;
    assert_eq!(claim["spec"]["dataSource"]["kind"], "VolumeSnapshot");
    assert_eq!(claim["metadata"]["labels"]["restore.kubevirt.io/source-vm-name"], "web");
    assert_eq!(claim["metadata"]["annotations"]["cdi.kubevirt.io/storage.contentType"], "kubevirt");

    stage.advance(10).await;
    let done = of(&stage, Kind::VirtualMachineRestore, "restore").await;
    assert_eq!(done["status"]["complete"], true, "{done:#}");
    assert_eq!(reasons(&done), ["Progressing=False: Operation complete", "Ready=True: Operation complete"]);
    let machine = of(&stage, Kind::VirtualMachine, "web").await;
    assert_eq!(machine["spec"]["template"]["spec"]["volumes"][0]["dataVolume"]["name"], name.as_str());
    assert_eq!(machine["spec"]["dataVolumeTemplates"][0]["metadata"]["name"], name.as_str());
    assert_eq!(machine["spec"]["runStrategy"], "Halted");
    assert_eq!(machine["status"]["restoreInProgress"], Value::Null);
    assert_eq!(of(&stage, Kind::DataVolume, &name).await["status"]["phase"], "Succeeded");
    assert_eq!(of(&stage, Kind::DataVolume, "web-root").await, Value::Null);
    let claim = of(&stage, Kind::PersistentVolumeClaim, &name).await;
    assert_eq!(claim["metadata"]["ownerReferences"][0]["kind"], "DataVolume");
    let told =
        "VirtualMachineRestoreComplete: Successfully completed VirtualMachineRestore restore".to_owned();
    assert!(stage.events(NS).await.contains(&told));
}

#[tokio::test]
async fn a_restore_waits_until_its_machine_is_stopped_as_long_as_it_may() {
    let grace = "Waiting for target VM to be powered off. Please stop the restore target to proceed with restore, or the \
        operation will fail after 5m0s";
    for (policy, message, seconds) in [
        ("WaitGracePeriod", grace, 301),
        ("FailImmediate", "Operation failed", 1),
        ("StopTarget", "Automatically stopping restore target for restore operation", 0),
    ] {
        let stage = stage(true, false).await;
        stage.create(snapshot(json!({}))).await;
        stage.advance(4).await;
        stage.create(restore("web", policy)).await;
        let waiting = of(&stage, Kind::VirtualMachineRestore, "restore").await;
        assert!(reasons(&waiting).contains(&format!("Progressing=False: {message}")), "{waiting:#}");
        let told = "RestoreTargetNotReady: Restore target VMI still exists, please stop the restore target to proceed with \
            restore";
        assert!(stage.events(NS).await.contains(&told.to_owned()));
        if policy == "StopTarget" {
            assert_eq!(of(&stage, Kind::VirtualMachine, "web").await["spec"]["runStrategy"], "Halted");
        } else {
            stage.advance(seconds).await;
            let failed = of(&stage, Kind::VirtualMachineRestore, "restore").await;
            assert!(reasons(&failed).iter().any(|one| one.starts_with("Failure=True")), "{failed:#}");
        }
    }
}

#[tokio::test]
async fn a_restore_can_make_another_machine() {
    let stage = stage(false, false).await;
    stage.create(snapshot(json!({}))).await;
    stage.advance(4).await;
    stage.create(restore("copy", "WaitGracePeriod")).await;
    stage.advance(20).await;
    let done = of(&stage, Kind::VirtualMachineRestore, "restore").await;
    assert_eq!(done["status"]["complete"], true, "{done:#}");
    let copy = of(&stage, Kind::VirtualMachine, "copy").await;
    assert_eq!(copy["spec"]["runStrategy"], "Halted");
    assert!(of(&stage, Kind::DataVolume, "web-root").await.is_object(), "the first one keeps its disk");
}

#[tokio::test]
async fn a_restore_says_what_is_wrong() {
    let stage = stage(false, false).await;
    stage.create(restore("web", "WaitGracePeriod")).await;
    let failed = of(&stage, Kind::VirtualMachineRestore, "restore").await;
    assert_eq!(reasons(&failed)[0], "Progressing=False: VMSnapshot lab/snap does not exist");
    stage.create(snapshot(json!({}))).await;
    stage.advance(20).await;
    assert_eq!(of(&stage, Kind::VirtualMachineRestore, "restore").await["status"]["complete"], true);
}
