//! The pod a machine of Virtink runs in.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::edit::{label, list, new_object, own};
use super::super::kind::Kind;
use super::super::nodes::program::{Program, Progress};
use super::super::object::Object;
use super::super::view::View;

/// The label of a machine's pod.
const LABEL: &str = "virtink.io/vm.name";

/// What runs in the pods of machines: what prepares a guest is done soon, the guest runs until its pod is deleted.
pub(super) const PROGRAM: Program = Program { of: |pod| !pod.label(LABEL).is_empty(), run: work, says: boot };

/// What a guest writes to its first serial port, and when, in tenths of a second.
const BOOT: &[(u64, &str)] = &[
    (16, "[    0.000000] Linux version 6.12.0"),
    (16, "[    0.000000] Command line: console=ttyS0 root=/dev/vda1 rw"),
    (16, "[    0.000000] Hypervisor detected: KVM"),
    (19, "[    0.318842] virtio_blk virtio1: [vda] 4612096 512-byte logical blocks (2.36 GB/2.20 GiB)"),
    (24, "[  OK  ] Reached target basic.target - Basic System."),
    (31, "[  OK  ] Started serial-getty@hvc0.service - Serial Getty on hvc0."),
    (32, "[  OK  ] Reached target multi-user.target - Multi-User System."),
];

/// A guest that moves in has booted elsewhere, long ago.
fn boot(_: &View<'_>, pod: &Object, container: &str, _: u32) -> Vec<(Duration, String)> {
    let env = pod.list("/spec/containers/0/env");
    if container != "cloud-hypervisor" || env.iter().any(|one| one["name"] == "RECEIVE_MIGRATION") {
        return Vec::new();
    }
    BOOT.iter().map(|(tenths, text)| (Duration::from_millis(tenths * 100), (*text).to_owned())).collect()
}

/// How long it takes to lay out a volume.
const LAY_OUT: Duration = Duration::from_secs(1);

fn work(view: &View<'_>, pod: &Object, container: &str, _: u32) -> Progress {
    let prepares = container != "cloud-hypervisor";
    if (prepares || pod.is_ending()) && view.waited(pod, &format!("works-{container}"), LAY_OUT) {
        Progress::completed()
    } else {
        Progress::Running { ready: true }
    }
}

const IMAGE: &str = "smartxworks/virt-prerunner:v0.17.0";

/// Whether all data volumes a machine names are there and filled.
pub(super) fn disks_are_ready(view: &View<'_>, machine: &Object) -> bool {
    let names =
        machine.list("/spec/volumes").iter().filter_map(|one| one["dataVolume"]["volumeName"].as_str());
    names.into_iter().all(|name| {
        let volume = view.get(Kind::DataVolume, machine.namespace(), name);
        volume.is_some_and(|volume| volume.phase() == "Succeeded")
    })
}

/// Whether a machine could be migrated: status, reason and message of the condition.
pub(super) fn migratable(machine: &Object) -> (&'static str, &'static str, &'static str) {
    let interfaces = machine.list("/spec/instance/interfaces");
    let has = |binding: &str| interfaces.iter().any(|one| !one[binding].is_null());
    let volume = |kind: &str| machine.list("/spec/volumes").iter().any(|one| !one[kind].is_null());
    let rows = [
        (
            machine.flag("/spec/instance/cpu/dedicatedCPUPlacement"),
            "CPUNotMigratable",
            "migration is disabled when VM has enabled dedicated CPU placement",
        ),
        (
            has("bridge"),
            "InterfaceNotMigratable",
            "migration is disabled when VM has a bridged interface to the pod network",
        ),
        (has("sriov"), "InterfaceNotMigratable", "migration is disabled when VM has a SR-IOV interface"),
        (
            volume("containerRootfs"),
            "VolumeNotMigratable",
            "migration is disabled when VM has a containerRootfs volume",
        ),
        (
            volume("containerDisk"),
            "VolumeNotMigratable",
            "migration is disabled when VM has a containerDisk volume",
        ),
        (
            !machine.list("/spec/instance/fileSystems").is_empty(),
            "FileSystemNotMigratable",
            "migration is disabled when VM has a fileSystem",
        ),
    ];
    let hindrance = rows.into_iter().find(|(hinders, _, _)| *hinders);
    hindrance.map_or(("True", "Migratable", ""), |(_, reason, message)| ("False", reason, message))
}

/// The pod of a machine, under the name its status has for it.
pub(super) fn of(machine: &Object) -> Value {
    let mut pod = new_object(Kind::Pod, machine.namespace(), machine.text("/status/vmPodName"));
    for field in ["labels", "annotations"] {
        if machine.at("/metadata")[field].is_object() {
            pod["metadata"][field] = machine.at("/metadata")[field].clone();
        }
    }
    label(&mut pod, LABEL, machine.name());
    own(&mut pod, machine);
    let data = STANDARD.encode(machine.value().to_string());
    let mut resources = match machine.at("/spec/resources") {
        Value::Object(resources) => Value::Object(resources.clone()),
        _ => json!({}),
    };
    for device in ["devices.virtink.io/kvm", "devices.virtink.io/tun"] {
        resources["limits"][device] = "1".into();
    }
    pod["spec"] = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "containers": [{
            "name": "cloud-hypervisor", "image": IMAGE, "resources": resources,
            "env": [{"name": "VM_DATA", "value": data}],
            "securityContext": {"capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN", "SYS_RESOURCE"]}},
            "volumeMounts": [{"name": "virtink", "mountPath": "/var/run/virtink"}],
        }],
        "volumes": [{"name": "virtink", "emptyDir": {}}],
    });
    for field in ["nodeSelector", "affinity", "tolerations"] {
        if !machine.at("/spec")[field].is_null() {
            pod["spec"][field] = machine.at("/spec")[field].clone();
        }
    }
    for probe in ["livenessProbe", "readinessProbe"] {
        if !machine.at("/spec")[probe].is_null() {
            pod["spec"]["containers"][0][probe] = machine.at("/spec")[probe].clone();
        }
    }
    prepare(machine, &mut pod);
    pod
}

/// The pod that a machine moves into: it is elsewhere, and waits for a guest.
pub(super) fn target(machine: &Object, name: &str) -> Value {
    let mut pod = of(machine);
    pod["metadata"]["name"] = name.into();
    list(&mut pod, "/spec/containers/0/env").push(json!({"name": "RECEIVE_MIGRATION", "value": "true"}));
    list(&mut pod, "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution").push(json!({
        "labelSelector": {"matchLabels": {LABEL: machine.name()}}, "topologyKey": "kubernetes.io/hostname",
    }));
    pod
}

/// Kernel and volumes are laid out by containers that run before; claims are mounted.
fn prepare(machine: &Object, pod: &mut Value) {
    let mut first = Vec::new();
    let step = |name: String, image: &str| {
        json!({
            "name": name, "image": image,
            "volumeMounts": [{"name": "virtink", "mountPath": "/var/run/virtink"}],
        })
    };
    if let Some(image) = machine.at("/spec/instance/kernel")["image"].as_str() {
        first.push(step("init-kernel".to_owned(), image));
    }
    for volume in machine.list("/spec/volumes") {
        let name = volume["name"].as_str().unwrap_or_default();
        let image =
            ["containerDisk", "containerRootfs"].into_iter().find_map(|kind| volume[kind]["image"].as_str());
        if let Some(image) = image {
            first.push(step(format!("init-volume-{name}"), image));
        } else if volume["cloudInit"].is_object() {
            first.push(step(format!("init-volume-{name}"), IMAGE));
        }
        let claim = [&volume["persistentVolumeClaim"]["claimName"], &volume["dataVolume"]["volumeName"]];
        if let Some(claim) = claim.into_iter().find_map(Value::as_str) {
            let mount = json!({"name": name, "mountPath": format!("/mnt/{name}")});
            list(pod, "/spec/containers/0/volumeMounts").push(mount);
            list(pod, "/spec/volumes")
                .push(json!({"name": name, "persistentVolumeClaim": {"claimName": claim}}));
        }
    }
    if machine.list("/spec/instance/interfaces").iter().any(|one| !one["masquerade"].is_null()) {
        first.push(step("enable-ip-forward".to_owned(), IMAGE));
    }
    if !first.is_empty() {
        pod["spec"]["initContainers"] = first.into();
    }
}
