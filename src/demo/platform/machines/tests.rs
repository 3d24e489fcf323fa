//! What a user sees of machines.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::nodes::tests::node;
use super::super::testing::{Stage, namespace};

use Kind::{Pod, VirtualMachine as Vm, VirtualMachineInstance as Vmi};

fn vm(name: &str, change: impl Fn(&mut Value)) -> Value {
    let mut vm = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"runStrategy": "Always", "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {
                "domain": {
                    "cpu": {"cores": 1}, "memory": {"guest": "1Gi"},
                    "devices": {
                        "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                        "interfaces": [{"name": "default", "masquerade": {}}],
                    },
                },
                "networks": [{"name": "default", "pod": {}}],
                "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
            },
        }},
    });
    change(&mut vm);
    vm
}

async fn stage() -> Stage {
    let stage = Stage::new(vec![namespace("shop"), node("node-1"), node("node-2")]).await;
    stage.advance(0).await;
    stage
}

async fn word(stage: &Stage, name: &str) -> String {
    let vm = stage.get(Vm, "shop", name).await;
    vm["status"]["printableStatus"].as_str().unwrap_or_default().to_owned()
}

/// The words a machine goes through while so many seconds pass.
async fn words(stage: &Stage, name: &str, seconds: u64) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..seconds {
        let now = word(stage, name).await;
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        stage.advance(1).await;
    }
    seen
}

fn condition<'a>(object: &'a Value, of: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|one| one["type"] == of).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_machine_starts_and_its_agent_reports() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    let seen = words(&stage, "web", 40).await;
    assert_eq!(seen, ["Starting", "Running"]);
    let vmi = stage.get(Vmi, "shop", "web").await;
    assert_eq!(vmi["status"]["guestOSInfo"]["id"], "fedora");
    assert_eq!(condition(&vmi, "AgentConnected")["status"], "True");
    assert_eq!(vmi["status"]["interfaces"][0]["infoSource"], "domain, guest-agent");
    assert_eq!(vmi["status"]["volumeStatus"][0]["target"], "vda");
    let phases: Vec<&Value> = vmi["status"]["phaseTransitionTimestamps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["phase"])
        .collect();
    assert_eq!(phases, ["Scheduling", "Scheduled", "Running"]);
    let pods = stage.list(Pod, "shop").await;
    assert!(pods[0]["metadata"]["name"].as_str().unwrap().starts_with("virt-launcher-web-"));
    assert_eq!(pods[0]["status"]["phase"], "Running");
    assert_eq!(vmi["status"]["interfaces"][0]["ipAddress"], pods[0]["status"]["podIP"]);
    let machine = stage.get(Vm, "shop", "web").await;
    assert_eq!((&machine["status"]["created"], &machine["status"]["ready"]), (&json!(true), &json!(true)));
    assert_eq!(condition(&machine, "LiveMigratable")["status"], "True");
    let lines = stage.lines.all().join("\n");
    assert!(lines.contains("guest-console-log: web login:"), "{lines}");
    let events = stage.events("shop").await.join("\n");
    assert!(events.contains("SuccessfulCreate: Created virtual machine pod virt-launcher-web-"), "{events}");
}

#[tokio::test]
async fn stopped_by_its_user_and_started_again() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage.advance(30).await;
    stage.patch(Vm, "shop", "web", json!({"spec": {"runStrategy": "Halted"}})).await;
    assert_eq!(words(&stage, "web", 8).await, ["Stopping", "Stopped"]);
    assert_eq!(stage.get(Vmi, "shop", "web").await, Value::Null);
    assert_eq!(stage.list(Pod, "shop").await, Vec::<Value>::new());
    stage.patch(Vm, "shop", "web", json!({"spec": {"runStrategy": "Always"}})).await;
    assert_eq!(words(&stage, "web", 20).await, ["Starting", "Running"]);
}

#[tokio::test]
async fn a_restart_is_a_stop_and_a_start() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage.advance(30).await;
    let before = stage.get(Vmi, "shop", "web").await;
    let requests = json!([{"action": "Stop", "uid": before["metadata"]["uid"]}, {"action": "Start"}]);
    patch_status(&stage, "web", json!({"stateChangeRequests": requests})).await;
    assert_eq!(words(&stage, "web", 20).await, ["Stopping", "Starting", "Running"]);
    let after = stage.get(Vmi, "shop", "web").await;
    assert_ne!(before["metadata"]["uid"], after["metadata"]["uid"]);
    assert_eq!(stage.get(Vm, "shop", "web").await["status"]["stateChangeRequests"], Value::Null);
}

async fn patch_status(stage: &Stage, name: &str, status: Value) {
    let path = format!("/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/{name}/status");
    let request = http::Request::patch(path).header("Content-Type", "application/merge-patch+json");
    let request = request.body(json!({"status": status}).to_string().into_bytes()).unwrap();
    let made: Value = stage.client.request(request).await.unwrap();
    let version = made["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    stage.platform.await_version(Vm, version).await;
    stage.advance(0).await;
}

#[tokio::test]
async fn a_guest_that_crashes_at_its_start_is_tried_again_later_and_later() {
    let stage = stage().await;
    stage.create(vm("web", |vm| vm["metadata"]["annotations"] = json!({"v9s.dev/play": "crash-loop"}))).await;
    let seen = words(&stage, "web", 90).await;
    assert_eq!(seen[..4], ["Starting", "CrashLoopBackOff", "Starting", "CrashLoopBackOff"]);
    let vm = stage.get(Vm, "shop", "web").await;
    assert!(vm["status"]["startFailure"]["consecutiveFailCount"].as_i64().unwrap() >= 2);
}

#[tokio::test]
async fn what_keeps_a_machine_from_starting_is_its_word() {
    let stage = stage().await;
    let spec = "/spec/template/spec";
    let cases: [(&str, &str, Value, &str); 4] = [
        (
            "pull",
            "/volumes/0/containerDisk/image",
            json!("registry.example/x/image-pull:1"),
            "ImagePullBackOff",
        ),
        (
            "claim",
            "/volumes/0",
            json!({"name": "root", "persistentVolumeClaim": {"claimName": "gone"}}),
            "ErrorPvcNotFound",
        ),
        ("node", "/nodeSelector", json!({"zone": "x"}), "ErrorUnschedulable"),
        ("memory", "/domain/memory", json!({}), "Stopped"),
    ];
    for (name, pointer, value, wanted) in cases {
        let pointer = format!("{spec}{pointer}");
        stage.create(vm(name, |vm| super::super::edit::set(vm, &pointer, value.clone()))).await;
        stage.advance(9).await;
        assert_eq!(word(&stage, name).await, wanted, "{name}");
    }
    let refused = stage.get(Vm, "shop", "memory").await;
    assert_eq!(condition(&refused, "Failure")["reason"], "FailedCreate");
    let events = stage.events("shop").await.join("\n");
    assert!(
        events.contains("FailedCreate: Error creating virtual machine instance: admission webhook"),
        "{events}"
    );
    assert!(events.contains("FailedPvcNotFound: PVC shop/gone does not exist, waiting for it to appear"));
    // When it is corrected, it starts.
    stage
        .patch(
            Vm,
            "shop",
            "memory",
            json!({"spec": {"template": {"spec": {"domain": {"memory": {"guest": "1Gi"}}}}}}),
        )
        .await;
    stage.advance(20).await;
    assert_eq!(word(&stage, "memory").await, "Running");
    assert_eq!(condition(&stage.get(Vm, "shop", "memory").await, "Failure"), &Value::Null);
}

#[tokio::test]
async fn without_its_instance_type_a_machine_stays_stopped() {
    let stage = stage().await;
    stage.create(vm("web", |vm| vm["spec"]["instancetype"] = json!({"name": "gone"}))).await;
    let vm = stage.get(Vm, "shop", "web").await;
    assert_eq!(vm["status"]["printableStatus"], "Stopped");
    let failure = condition(&vm, "Failure");
    assert_eq!(failure["reason"], "FailedFindInstancetype");
    assert_eq!(
        failure["message"],
        "virtualmachineclusterinstancetypes.instancetype.kubevirt.io \"gone\" not found"
    );
}

#[tokio::test]
async fn an_instance_type_says_how_large_a_guest_is() {
    let stage = stage().await;
    stage
        .create(json!({
            "apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineClusterInstancetype",
            "metadata": {"name": "u1.medium"}, "spec": {"cpu": {"guest": 2}, "memory": {"guest": "4Gi"}},
        }))
        .await;
    let made = vm("web", |vm| {
        vm["spec"]["instancetype"] = json!({"name": "u1.medium"});
        vm["spec"]["template"]["spec"]["domain"].as_object_mut().unwrap().retain(|key, _| key == "devices");
    });
    stage.create(made).await;
    stage.advance(20).await;
    let vmi = stage.get(Vmi, "shop", "web").await;
    assert_eq!(vmi["status"]["currentCPUTopology"]["sockets"], 2);
    assert_eq!(vmi["status"]["memory"]["guestAtBoot"], "4Gi");
    let vm = stage.get(Vm, "shop", "web").await;
    assert_eq!(vm["status"]["instancetypeRef"]["name"], "u1.medium");
}

#[tokio::test]
async fn a_volume_says_which_instance_type_is_meant() {
    let stage = stage().await;
    let labels = json!({
        "instancetype.kubevirt.io/default-instancetype": "small",
        "instancetype.kubevirt.io/default-instancetype-kind": "VirtualMachineInstancetype",
    });
    for object in [
        json!({
            "apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": "VirtualMachineInstancetype",
            "metadata": {"name": "small", "namespace": "shop"}, "spec": {"cpu": {"guest": 3}, "memory": {"guest": "3Gi"}},
        }),
        json!({
            "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataSource",
            "metadata": {"name": "os", "namespace": "shop", "labels": labels}, "spec": {"source": {}},
        }),
        json!({
            "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataSource",
            "metadata": {"name": "other", "namespace": "shop"}, "spec": {"source": {}},
        }),
    ] {
        stage.create(object).await;
    }
    let machine = |name: &str, policy: &str, source: &str| {
        vm(name, |vm| {
            let matcher = json!({"inferFromVolume": "root", "inferFromVolumeFailurePolicy": policy});
            vm["spec"]["instancetype"] = matcher;
            vm["spec"]["dataVolumeTemplates"] = json!([{
                "metadata": {"name": format!("{name}-root")},
                "spec": {"sourceRef": {"kind": "DataSource", "name": source}, "storage": {}},
            }]);
            vm["spec"]["template"]["spec"]["volumes"] =
                json!([{"name": "root", "dataVolume": {"name": format!("{name}-root")}}]);
        })
    };
    stage.create(machine("web", "Reject", "os")).await;
    let web = stage.get(Vm, "shop", "web").await;
    let taken = &web["status"]["instancetypeRef"];
    assert_eq!(
        (&taken["name"], &taken["kind"]),
        (&json!("small"), &json!("VirtualMachineInstancetype")),
        "{web}"
    );
    assert_eq!(taken["inferFromVolume"], "root");
    stage.create(machine("rejected", "Reject", "other")).await;
    let failure = condition(&stage.get(Vm, "shop", "rejected").await, "Failure").clone();
    let why = "unable to find required instancetype.kubevirt.io/default-instancetype label on the volume";
    assert_eq!((&failure["reason"], &failure["message"]), (&json!("FailedFindInstancetype"), &json!(why)));
    stage.create(machine("ignored", "Ignore", "other")).await;
    let ignored = stage.get(Vm, "shop", "ignored").await;
    assert_eq!(condition(&ignored, "Failure"), &Value::Null);
}

#[tokio::test]
async fn a_paused_guest_leaves_its_services() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage.advance(30).await;
    let mut conditions =
        stage.get(Vmi, "shop", "web").await["status"]["conditions"].as_array().unwrap().clone();
    conditions.push(json!({"type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user"}));
    stage.patch(Vmi, "shop", "web", json!({"status": {"conditions": conditions}})).await;
    assert_eq!(word(&stage, "web").await, "Paused");
    let pod = stage.list(Pod, "shop").await.remove(0);
    assert_eq!(condition(&pod, "Ready")["reason"], "ReadinessGatesNotReady");
    conditions.pop();
    stage.patch(Vmi, "shop", "web", json!({"status": {"conditions": conditions}})).await;
    assert_eq!(word(&stage, "web").await, "Running");
    assert_eq!(condition(&stage.get(Vm, "shop", "web").await, "Ready")["status"], "True");
}

#[tokio::test]
async fn a_deleted_machine_takes_everything_along() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage.advance(30).await;
    stage.delete(Vm, "shop", "web").await;
    assert_eq!(word(&stage, "web").await, "Terminating");
    stage.advance(10).await;
    for kind in [Vm, Vmi, Pod, Kind::ControllerRevision] {
        assert_eq!(stage.list(kind, "shop").await, Vec::<Value>::new(), "{kind:?}");
    }
}

#[tokio::test]
async fn run_strategies_differ_in_what_follows_an_end() {
    let stage = stage().await;
    for (strategy, after) in
        [("Always", "Running"), ("RerunOnFailure", "Stopped"), ("Once", "Stopped"), ("Manual", "Stopped")]
    {
        let name = strategy.to_lowercase();
        let made = vm(&name, |vm| {
            vm["spec"]["runStrategy"] = strategy.into();
            vm["metadata"]["annotations"] = json!({"v9s.dev/play": "powers-off"});
        });
        stage.create(made).await;
        stage.advance(20).await;
        let running = if strategy == "Manual" { "Stopped" } else { "Running" };
        assert_eq!(word(&stage, &name).await, running, "{strategy}");
        stage.advance(70).await;
        assert_eq!(word(&stage, &name).await, after, "{strategy}");
    }
}

#[tokio::test]
async fn what_cannot_change_while_it_runs_waits_for_a_restart() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage.advance(30).await;
    let change = json!({"spec": {"template": {"spec": {"domain": {"cpu": {"cores": 2}}}}}});
    stage.patch(Vm, "shop", "web", change).await;
    let vm = stage.get(Vm, "shop", "web").await;
    let condition_now = condition(&vm, "RestartRequired");
    assert_eq!(condition_now["message"], "a non-live-updatable field was changed in the template spec");
    assert_eq!(condition_now["reason"], Value::Null);
}

#[tokio::test]
async fn a_disk_is_plugged_in_and_out() {
    let stage = stage().await;
    stage.create(vm("web", |_| {})).await;
    stage
        .create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "more", "namespace": "shop"},
            "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        }))
        .await;
    let claim = "/api/v1/namespaces/shop/persistentvolumeclaims/more/status";
    let request = http::Request::patch(claim).header("Content-Type", "application/merge-patch+json");
    let bound = json!({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}});
    let _: Value = stage.client.request(request.body(bound.to_string().into_bytes()).unwrap()).await.unwrap();
    stage.advance(30).await;
    let spec = stage.get(Vm, "shop", "web").await["spec"]["template"]["spec"].clone();
    let (mut volumes, mut disks) = (
        spec["volumes"].as_array().unwrap().clone(),
        spec["domain"]["devices"]["disks"].as_array().unwrap().clone(),
    );
    let (old_volumes, old_disks) = (volumes.clone(), disks.clone());
    volumes
        .push(json!({"name": "more", "persistentVolumeClaim": {"claimName": "more", "hotpluggable": true}}));
    disks.push(json!({"name": "more", "disk": {"bus": "scsi"}}));
    let change = |volumes: Vec<Value>, disks: Vec<Value>| json!({"spec": {"template": {"spec": {"volumes": volumes, "domain": {"devices": {"disks": disks}}}}}});
    stage.patch(Vm, "shop", "web", change(volumes, disks)).await;
    stage.advance(15).await;
    let vmi = stage.get(Vmi, "shop", "web").await;
    let status = &vmi["status"]["volumeStatus"][1];
    assert_eq!((&status["phase"], &status["target"]), (&json!("Ready"), &json!("sda")), "{status}");
    assert!(status["hotplugVolume"]["attachPodName"].as_str().unwrap().starts_with("hp-volume-"));
    assert_eq!(condition(&stage.get(Vm, "shop", "web").await, "RestartRequired"), &Value::Null);
    assert_eq!(stage.list(Pod, "shop").await.len(), 2);

    stage.patch(Vm, "shop", "web", change(old_volumes, old_disks)).await;
    stage.advance(10).await;
    let vmi = stage.get(Vmi, "shop", "web").await;
    assert_eq!(vmi["status"]["volumeStatus"].as_array().unwrap().len(), 1);
    assert_eq!(stage.list(Pod, "shop").await.len(), 1);
}

#[tokio::test]
async fn a_machine_that_never_ran_can_be_deleted() {
    let stage = stage().await;
    let spec = "/spec/template/spec";
    let cases: [(&str, &str, Value); 4] = [
        ("pull", "/volumes/0/containerDisk/image", json!("registry.example/x/image-pull:1")),
        ("claim", "/volumes/0", json!({"name": "root", "persistentVolumeClaim": {"claimName": "gone"}})),
        ("node", "/nodeSelector", json!({"zone": "x"})),
        ("memory", "/domain/memory", json!({})),
    ];
    for (name, pointer, value) in cases {
        let pointer = format!("{spec}{pointer}");
        stage.create(vm(name, |vm| super::super::edit::set(vm, &pointer, value.clone()))).await;
    }
    let crashing = vm("crash", |vm| vm["metadata"]["annotations"] = json!({"v9s.dev/play": "crash-loop"}));
    stage.create(crashing).await;
    stage.advance(9).await;
    stage.delete(Kind::Namespace, "", "shop").await;
    stage.advance(30).await;
    for kind in [Vm, Vmi, Pod, Kind::ControllerRevision] {
        let left = stage.list(kind, "shop").await;
        assert_eq!(left, Vec::<Value>::new(), "{kind:?}");
    }
}

#[tokio::test]
async fn disks_that_cannot_be_had_keep_a_machine_from_starting() {
    let class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "late", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "topolvm.io", "volumeBindingMode": "WaitForFirstConsumer",
    });
    let stage = Stage::new(vec![namespace("shop"), node("node-1"), class]).await;
    let disk = |vm: &mut Value, source: Value| {
        vm["spec"]["dataVolumeTemplates"] = json!([{
            "metadata": {"name": format!("{}-root", vm["metadata"]["name"].as_str().unwrap())},
            "spec": source,
        }]);
        let name = vm["spec"]["dataVolumeTemplates"][0]["metadata"]["name"].clone();
        vm["spec"]["template"]["spec"]["volumes"] = json!([{"name": "root", "dataVolume": {"name": name}}]);
    };
    let pvc = json!({
        "accessModes": ["ReadWriteOnce"], "storageClassName": "late", "resources": {"requests": {"storage": "1Gi"}},
    });
    let gone =
        vm("gone", |vm| disk(vm, json!({"sourceRef": {"kind": "DataSource", "name": "gone"}, "pvc": pvc})));
    stage.create(gone).await;
    let seen = stage.get(Vm, "shop", "gone").await;
    assert_eq!(seen["status"]["printableStatus"], "Stopped");
    assert_eq!(
        condition(&seen, "Failure")["message"],
        "Error encountered while creating DataVolumes: unable to create DataVolume manifest: \
         datasources.cdi.kubevirt.io \"gone\" not found"
    );
    // A disk that waits for its first consumer gets one.
    stage.create(vm("late", |vm| disk(vm, json!({"source": {"blank": {}}, "pvc": pvc})))).await;
    let words = words(&stage, "late", 120).await;
    assert_eq!(words.last().map(String::as_str), Some("Running"), "{words:?}");
    // What a TPM is to keep needs a claim.
    let with_tpm = vm("tpm", |vm| {
        vm["spec"]["template"]["spec"]["domain"]["devices"]["tpm"] = json!({"persistent": true});
    });
    stage.create(with_tpm).await;
    let vmi = stage.get(Vmi, "shop", "tpm").await;
    assert_eq!(condition(&vmi, "Synchronized")["reason"], "BackendStorageNotReady");
    assert_eq!(word(&stage, "tpm").await, "Starting");
}
