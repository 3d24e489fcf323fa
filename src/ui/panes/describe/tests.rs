//! What is told of objects.

use serde_json::json;

use super::*;
use crate::records::decode;
use crate::ui::panes::text::whole;

/// 2026-01-02T12:00:00Z.
const NOW: i64 = 1_767_355_200;

fn described(object: &Value, events: &[Value]) -> String {
    let events: Vec<Event> =
        events.iter().map(|event| decode::<Event>(event.to_string().as_bytes()).unwrap().record).collect();
    whole(&describe(object, &Told::Events(events.iter().collect()), Now::at(NOW))[..])
}

fn event(reason: &str, warning: bool, at: &str, message: &str) -> Value {
    json!({
        "metadata": {"name": "e"}, "reason": reason, "message": message, "lastTimestamp": at, "count": 3,
        "type": if warning { "Warning" } else { "Normal" }, "source": {"component": "kubelet"},
        "involvedObject": {"kind": "VirtualMachine", "name": "web"},
    })
}

#[test]
fn a_machine_is_told_in_words() {
    let machine = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {
            "name": "web", "namespace": "shop", "creationTimestamp": "2026-01-01T10:00:00Z", "labels": {"app": "web", "tier": "front"},
            "annotations": {"note": "two\nlines \u{1b}[2J", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
            "ownerReferences": [{"kind": "VirtualMachinePool", "name": "fleet"}],
        },
        "spec": {
            "runStrategy": "Always", "instancetype": {"kind": "VirtualMachineClusterInstancetype", "name": "u1.small"},
            "dataVolumeTemplates": [{
                "metadata": {"name": "web-root"},
                "spec": {"storage": {"resources": {"requests": {"storage": "30Gi"}}, "storageClassName": "fast"},
                    "source": {"http": {"url": "https://me:secret@images.example/web.qcow2"}}},
            }],
            "template": {"spec": {
                "domain": {
                    "cpu": {"cores": 2, "sockets": 2, "model": "host-model"}, "memory": {"guest": "2Gi"},
                    "firmware": {"bootloader": {"efi": {}}},
                    "devices": {
                        "disks": [
                            {"name": "root", "disk": {"bus": "virtio"}, "bootOrder": 1},
                            {"name": "ci", "cdrom": {"bus": "sata"}},
                            {"name": "lost", "disk": {}},
                        ],
                        "interfaces": [{"name": "default", "masquerade": {}, "macAddress": "02:00:00:00:00:01"}],
                    },
                },
                "networks": [{"name": "default", "pod": {}}],
                "volumes": [
                    {"name": "root", "dataVolume": {"name": "web-root"}},
                    {"name": "ci", "cloudInitNoCloud": {"userData": "#cloud-config\npassword: secret"}},
                    {"name": "spare", "emptyDisk": {"capacity": "1Gi"}},
                ],
                "nodeSelector": {"zone": "a"}, "evictionStrategy": "LiveMigrate",
            }},
        },
        "status": {"printableStatus": "Starting", "conditions": [
            {"type": "Ready", "status": "False", "reason": "PodNotReady", "message": "is not ready", "lastTransitionTime": "2026-01-02T11:55:00Z"},
            {"type": "RestartRequired", "status": "True", "lastTransitionTime": "2026-01-02T11:00:00Z"},
            {"type": "AgentConnected", "status": "False"},
        ]},
    });
    let events = [
        event("FailedCreate", true, "2026-01-02T11:59:00Z", "no room"),
        event("SuccessfulCreate", false, "2026-01-02T11:00:00Z", "made"),
    ];
    let text = described(&machine, &events);
    assert!(!text.contains("secret@") && !text.contains("password"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn an_instance_is_told_in_words() {
    let instance = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "shop", "deletionTimestamp": "2026-01-02T11:59:30Z", "finalizers": ["foregroundDeleteVirtualMachine"]},
        "spec": {"domain": {"cpu": {"cores": 2}, "devices": {"interfaces": [{"name": "default", "bridge": {}}]}}, "networks": [{"name": "default", "multus": {"networkName": "vlan7"}}],
            "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": "root", "hotpluggable": true}}]},
        "status": {
            "phase": "Running", "nodeName": "n1", "guestOSInfo": {"prettyName": "Fedora Linux 41", "kernelRelease": "6.11.4"},
            "interfaces": [{"name": "default", "ipAddresses": ["10.0.0.1", "fe80::1"], "mac": "02:00:00:00:00:01", "infoSource": "guest-agent"}],
            "phaseTransitionTimestamps": [{"phase": "Running", "phaseTransitionTimestamp": "2026-01-02T10:00:00Z"}],
            "migrationState": {"failed": true, "failureReason": "no route", "sourceNode": "n1", "targetNode": "n2", "mode": "PreCopy"},
            "volumeStatus": [{"name": "root", "target": "sda", "phase": "Ready", "persistentVolumeClaimInfo": {"capacity": {"storage": "10Gi"}}}],
        },
    });
    insta::assert_snapshot!(described(&instance, &[]));
}

#[test]
fn any_other_object_is_told_field_by_field() {
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "fast", "volumeName": "", "empty": {}, "password": "hunter2",
            "resources": {"requests": {"storage": "1Gi"}}, "dataSourceRef": {"kind": "VolumeImportSource", "name": "x", "apiGroup": null},
            "list": [{"name": "a", "on": true}, {"value": [1, 2]}, "text"],
        },
        "status": {"phase": "Bound", "conditions": []},
    });
    let text = described(&claim, &[]);
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn secrets_are_hidden_wherever_they_stand() {
    let text = described(
        &json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "c", "annotations": {"example.test/token": "hunter2"}, "labels": {"api-key": "hunter2"}},
            "data": {"url": "https://me:hunter2@host/"},
            "status": {"conditions": [{"type": "Ready", "status": "False", "message": "no login with password=hunter2"}]},
        }),
        &[],
    );
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("example.test/token: [hidden, 7 bytes]"), "{text}");
}

#[test]
fn odd_objects_are_told_without_trouble() {
    for object in [
        json!(null),
        json!([1]),
        json!({"kind": 7, "metadata": "x", "spec": [[[[]]]], "status": {"conditions": {"a": 1}}}),
        json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": {"template": {"spec": {"volumes": [7, {}], "domain": {"devices": {"disks": "x", "interfaces": [null]}}}}}}),
        json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "status": {"migrationState": 5, "phaseTransitionTimestamps": [[]]}}),
    ] {
        assert!(described(&object, &[]).ends_with('\n'), "{object}");
    }
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!({"a": [deep]});
    }
    assert!(described(&json!({"spec": deep}), &[]).lines().count() < 60);
    let why = Told::Unknown("Not allowed: events.");
    assert!(
        whole(&describe(&json!({}), &why, Now::at(NOW))[..]).ends_with("Events\n  Not allowed: events.\n")
    );
}
