//! Disks that come and go while a guest runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{label, list, own, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::instance::pod_of;
use super::{CONTROLLER, HANDLER, disks, guest, launcher};

/// How long each step of plugging takes on the node.
const STEP: Duration = Duration::from_secs(1);

fn is_pluggable(volume: &Value) -> bool {
    ["dataVolume", "persistentVolumeClaim"].iter().any(|of| volume[of]["hotpluggable"] == true)
}

fn name(one: &Value) -> &str {
    one["name"].as_str().unwrap_or_default()
}

fn elements<'a>(spec: &'a Value, pointer: &str) -> &'a [Value] {
    spec.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Takes the disks that can be plugged out of a specification.
pub(super) fn without(spec: &mut Value) {
    let gone: Vec<String> = elements(spec, "/volumes")
        .iter()
        .filter(|one| is_pluggable(one))
        .map(|one| name(one).to_owned())
        .collect();
    for pointer in ["/volumes", "/domain/devices/disks"] {
        if let Some(all) = spec.pointer_mut(pointer).and_then(Value::as_array_mut) {
            all.retain(|one| !gone.iter().any(|gone| gone == name(one)));
        }
    }
}

/// Brings the disks that were plugged into a machine to its instance, and takes others away.
pub(super) fn take_over(vm: &Object, vmi: &Object, new: &mut Value) {
    let wanted = vm.at("/spec/template/spec");
    let mut plain = vmi.at("/spec").clone();
    without(&mut plain);
    for (pointer, at) in
        [("/volumes", "/spec/volumes"), ("/domain/devices/disks", "/spec/domain/devices/disks")]
    {
        let plugged = elements(wanted, "/volumes").iter().filter(|one| is_pluggable(one));
        let plugged: Vec<&str> = plugged.map(name).collect();
        let more = elements(wanted, pointer).iter().filter(|one| plugged.contains(&name(one)));
        let mut all = elements(&plain, pointer).to_vec();
        all.extend(more.map(|one| {
            // As the instance has it: with what it was given by default.
            elements(vmi.at("/spec"), pointer)
                .iter()
                .find(|known| name(known) == name(one))
                .unwrap_or(one)
                .clone()
        }));
        if elements(vmi.at("/spec"), pointer) != all {
            set(new, at, all);
        }
    }
}

/// Looks after the disks of an instance that come and go.
pub(super) fn step(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let plugged = vmi.list("/status/volumeStatus").iter().any(|one| one["hotplugVolume"].is_object());
    let wanted: Vec<&Value> = vmi.list("/spec/volumes").iter().filter(|one| is_pluggable(one)).collect();
    let Some(pod) = pod_of(view, vmi).filter(|pod| !pod.is_ending()) else { return Vec::new() };
    if vmi.phase() != "Running" || vmi.is_ending() || wanted.is_empty() && !plugged {
        return Vec::new();
    }
    let bound = |volume: &&&Value| {
        let claim = disks::claim_of(volume)
            .and_then(|name| view.get(Kind::PersistentVolumeClaim, vmi.namespace(), name));
        claim.is_some_and(|claim| claim.phase() == "Bound")
    };
    let ready: Vec<&Value> = wanted.iter().filter(bound).copied().collect();
    let pods: Vec<&Object> = view.controlled(Kind::Pod, pod).filter(|one| is_attachment(one)).collect();
    let fits = |one: &&&Object| {
        let has = one.list("/spec/volumes").iter().map(name).filter(|name| *name != "hotplug-disks");
        has.eq(ready.iter().map(|one| name(one))) && !one.is_ending()
    };
    let attached = pods.iter().find(fits).copied();
    let mut writes = Vec::new();
    if attached.is_none() && !ready.is_empty() {
        writes.push(Write::Create(attachment(view, vmi, pod, &ready)));
    }
    if let Some(attached) = attached.filter(|attached| view.is_first(attached, "announced")) {
        let text = format!("Created attachment pod {}", attached.name());
        writes.push(Write::tell(vmi, CONTROLLER, "SuccessfulCreate", text));
    }
    let replaced = ready.is_empty() || attached.is_some_and(|one| one.phase() == "Running");
    for old in pods.iter().filter(|one| replaced && attached.is_none_or(|of| of.uid() != one.uid())) {
        if let Some(delete) = Write::delete(old) {
            writes.push(delete);
            let text = format!("Deleted attachment pod {}", old.name());
            writes.push(Write::tell(vmi, CONTROLLER, "SuccessfulDelete", text));
        }
    }
    let mut new = vmi.edit();
    let mut said = Vec::new();
    states(view, vmi, &wanted, attached, &mut new, &mut said);
    writes.extend(Write::update(vmi, new));
    writes.extend(said);
    writes
}

fn is_attachment(pod: &Object) -> bool {
    pod.label("kubevirt.io") == "hotplug-disk"
}

/// Brings the state of each such disk one step further.
fn states(
    view: &View<'_>,
    vmi: &Object,
    wanted: &[&Value],
    attached: Option<&Object>,
    new: &mut Value,
    said: &mut Vec<Write>,
) {
    let letter = vmi
        .list("/status/volumeStatus")
        .iter()
        .filter(|one| one["target"].as_str().is_some_and(|at| at.starts_with("sd")))
        .count();
    let all = list(new, "/status/volumeStatus");
    for (index, volume) in wanted.iter().enumerate() {
        let claim = disks::claim_of(volume).unwrap_or_default();
        let known = all.iter().position(|one| name(one) == name(volume));
        let mut one = known.map_or_else(
            || json!({"name": name(volume), "target": "", "hotplugVolume": {}}),
            |at| all[at].clone(),
        );
        let before = one["phase"].as_str().unwrap_or_default().to_owned();
        let in_pod =
            attached.filter(|pod| pod.list("/spec/volumes").iter().any(|of| name(of) == name(volume)));
        let info = guest::claim_info(view, vmi.namespace(), claim);
        let bound = view
            .get(Kind::PersistentVolumeClaim, vmi.namespace(), claim)
            .is_some_and(|claim| claim.phase() == "Bound");
        let (phase, reason, message) = match (before.as_str(), in_pod.filter(|pod| pod.phase() == "Running"))
        {
            ("Ready" | "MountedToPod", Some(_)) if before == "Ready" => continue,
            ("AttachedToNode", Some(_)) if view.waited(vmi, &format!("mounts-{}", name(volume)), STEP) => {
                let text = format!("Volume {} has been mounted in virt-launcher pod", name(volume));
                said.push(Write::tell(vmi, HANDLER, "VolumeMountedToPod", text.as_str()));
                ("MountedToPod", "VolumeMountedToPod", text)
            }
            ("MountedToPod", Some(_)) if view.waited(vmi, &format!("plugs-{}", name(volume)), STEP) => {
                let text = format!("Successfully attach hotplugged volume {} to VM", name(volume));
                said.push(Write::tell(vmi, HANDLER, "VolumeReady", text.as_str()));
                let at = u8::try_from(letter + index).unwrap_or(25).min(25);
                one["target"] = format!("sd{}", char::from(b'a' + at)).into();
                ("Ready", "VolumeReady", text)
            }
            ("AttachedToNode" | "MountedToPod" | "Ready", _) => continue,
            (_, Some(pod)) => {
                one["hotplugVolume"] = json!({"attachPodName": pod.name(), "attachPodUID": pod.uid()});
                let text =
                    format!("Created hotplug attachment pod {}, for volume {}", pod.name(), name(volume));
                ("AttachedToNode", "SuccessfulCreate", text)
            }
            _ if bound => ("Bound", "PVCNotReady", "PVC is in phase Bound".to_owned()),
            _ => ("Pending", "PVCNotReady", "PVC is in phase Pending".to_owned()),
        };
        one["phase"] = phase.into();
        one["reason"] = reason.into();
        one["message"] = message.into();
        if let Some(info) = info {
            one["persistentVolumeClaimInfo"] = info;
        }
        match known {
            Some(at) => all[at] = one,
            None => all.push(one),
        }
    }
    let mut gone = Vec::new();
    for one in all.iter_mut() {
        if !one["hotplugVolume"].is_object() || wanted.iter().any(|of| name(of) == name(one)) {
            continue;
        }
        let of = name(one).to_owned();
        if one["phase"] != "Detaching" {
            one["phase"] = "Detaching".into();
            view.forget(vmi, &format!("unplugs-{of}"));
        }
        if view.waited(vmi, &format!("unplugs-{of}"), STEP * 2) {
            let text = format!("Volume {of} has been unplugged from VMI {}", vmi.name());
            said.push(Write::tell(vmi, HANDLER, "VolumeUnplugged", text));
            for word in ["mounts", "plugs", "unplugs"] {
                view.forget(vmi, &format!("{word}-{of}"));
            }
            gone.push(of);
        }
    }
    all.retain(|one| !gone.iter().any(|of| of == name(one)));
}

/// The pod that brings volumes to the node of a guest.
fn attachment(view: &View<'_>, vmi: &Object, pod: &Object, volumes: &[&Value]) -> Value {
    let mut all: Vec<Value> = volumes
        .iter()
        .map(|volume| json!({"name": name(volume), "persistentVolumeClaim": {"claimName": disks::claim_of(volume)}}))
        .collect();
    let (mut mounts, mut devices) = (Vec::new(), Vec::new());
    for volume in volumes {
        let claim = disks::claim_of(volume)
            .and_then(|name| view.get(Kind::PersistentVolumeClaim, vmi.namespace(), name));
        if claim.is_some_and(|claim| claim.text("/spec/volumeMode") == "Block") {
            devices.push(json!({"name": name(volume), "devicePath": format!("/path/{}", name(volume))}));
        } else {
            mounts.push(json!({"name": name(volume), "mountPath": format!("/{}", name(volume))}));
        }
    }
    all.push(json!({"name": "hotplug-disks", "emptyDir": {}}));
    mounts
        .push(json!({"name": "hotplug-disks", "mountPath": "/path", "mountPropagation": "HostToContainer"}));
    let mut container = json!({
        "name": "hotplug-disk", "image": launcher::IMAGE, "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", "/usr/bin/container-disk --copy-path /path/hp"],
        "resources": {"limits": {"cpu": "100m", "memory": "80M"}, "requests": {"cpu": "10m", "memory": "2M"}},
        "volumeMounts": mounts, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
            "runAsUser": 107, "seccompProfile": {"type": "RuntimeDefault"},
        },
    });
    if !devices.is_empty() {
        container["volumeDevices"] = devices.into();
    }
    let mut new = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": "hp-volume-", "namespace": vmi.namespace(),
            "annotations": {"kubevirt.io/owner-vmi-name": vmi.name(), "kubevirt.io/owner-vmi-uid": vmi.uid()},
        },
        "spec": {
            "containers": [container], "volumes": all, "restartPolicy": "Always", "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false, "enableServiceLinks": false,
            "securityContext": {"fsGroup": 107, "runAsNonRoot": true, "runAsUser": 107},
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [vmi.text("/status/nodeName")]}]},
            ]}}},
        },
    });
    label(&mut new, "kubevirt.io", "hotplug-disk");
    own(&mut new, pod);
    new
}
