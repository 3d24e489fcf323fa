//! The nodes: what they have, and that they are well. Their objects are made by whoever makes the cluster.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::PLAYED;
use super::super::edit::{Condition, label, list, remove, set, time};
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;

/// How often a kubelet writes a status in which nothing has changed.
const HEARTBEAT: Duration = Duration::from_secs(300);

/// What nodes are labelled with where they are not.
const LABELS: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "amd64"),
    ("beta.kubernetes.io/os", "linux"),
    ("kubernetes.io/arch", "amd64"),
    ("kubernetes.io/os", "linux"),
    ("node-role.kubernetes.io/worker", ""),
    ("kubevirt.io/schedulable", "true"),
    ("cpumanager", "false"),
    ("cpu-vendor.node.kubevirt.io/AMD", "true"),
    ("cpu-model.node.kubevirt.io/EPYC-Rome", "true"),
    ("cpu-model.node.kubevirt.io/EPYC", "true"),
    ("cpu-model.node.kubevirt.io/Opteron_G3", "true"),
    ("cpu-model-migration.node.kubevirt.io/EPYC-Rome", "true"),
    ("host-model-cpu.node.kubevirt.io/EPYC-Rome", "true"),
    ("machine-type.node.kubevirt.io/q35", "true"),
    ("machine-type.node.kubevirt.io/pc-q35-rhel9.6.0", "true"),
    ("hyperv.node.kubevirt.io/base", "true"),
];

/// What a node has where it says nothing: name, capacity, what of it pods can have.
const RESOURCES: &[(&str, &str, &str)] = &[
    ("cpu", "16", "15500m"),
    ("memory", "65836972Ki", "64278444Ki"),
    ("ephemeral-storage", "209128364Ki", "192732699904"),
    ("hugepages-1Gi", "0", "0"),
    ("hugepages-2Mi", "0", "0"),
    ("pods", "250", "250"),
    ("devices.kubevirt.io/kvm", "1k", "1k"),
    ("devices.kubevirt.io/tun", "1k", "1k"),
    ("devices.kubevirt.io/vhost-net", "1k", "1k"),
    ("devices.virtink.io/kvm", "1k", "1k"),
    ("devices.virtink.io/tun", "1k", "1k"),
];

/// Conditions of a node in good health: type, status, reason, message.
const HEALTH: &[(&str, &str, &str, &str)] = &[
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
];

/// Whether a node is one of ours.
pub(super) fn is_played(node: &Object) -> bool {
    node.label(PLAYED) == "true"
}

/// Keeps a node well.
pub(super) fn step(view: &View<'_>, node: &Object) -> Vec<Write> {
    if !is_played(node) || node.is_ending() {
        return Vec::new();
    }
    let mut new = node.edit();
    for (key, value) in LABELS.iter().chain(&[("kubernetes.io/hostname", node.name())]) {
        if node.at("/metadata/labels").get(key).is_none() {
            label(&mut new, key, *value);
        }
    }
    for (name, capacity, allocatable) in RESOURCES {
        for (field, value) in [("capacity", capacity), ("allocatable", allocatable)] {
            if new["status"][field][name].is_null() {
                new["status"][field][name] = (*value).into();
            }
        }
    }
    if node.at("/status/nodeInfo").is_null() {
        set(&mut new, "/status/nodeInfo", info(node));
    }
    if node.list("/status/addresses").is_empty() {
        let addresses = json!([
            {"type": "InternalIP", "address": address(view, node)}, {"type": "Hostname", "address": node.name()},
        ]);
        set(&mut new, "/status/addresses", addresses);
    }
    taint(&mut new);
    let beats = usize::try_from(view.age(node, "heartbeat").as_secs() / HEARTBEAT.as_secs()).unwrap_or(0);
    let beat = view.count(node, "heartbeat", beats) < beats || node.condition("Ready").is_none();
    if beat {
        for (of, status, reason, message) in HEALTH {
            heartbeat(&mut new, Condition { of, status, reason, message }, &time(view.time));
        }
    }
    view.waited(node, &format!("heartbeat-{beats}"), HEARTBEAT);
    view.forget(node, &format!("heartbeat-{}", beats.wrapping_sub(1)));
    Write::update(node, new).into_iter().collect()
}

/// Taints that go with a node's conditions and with being cordoned, which the lifecycle controller keeps: API servers taint
/// new nodes as not ready.
const TAINTS: &[&str] =
    &["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable", "node.kubernetes.io/unschedulable"];

/// Keeps those taints as they should be on a node in good health.
fn taint(node: &mut Value) {
    let before = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let cordoned = node["spec"]["unschedulable"] == true;
    let stays = |one: &Value| {
        let ours = TAINTS.iter().any(|key| one["key"] == *key);
        !ours || cordoned && one["key"] == TAINTS[2]
    };
    let mut taints: Vec<Value> = before.iter().filter(|one| stays(one)).cloned().collect();
    if cordoned && !taints.iter().any(|one| one["key"] == TAINTS[2]) {
        taints.push(json!({"key": TAINTS[2], "effect": "NoSchedule"}));
    }
    if taints.is_empty() {
        remove(node, "/spec/taints");
    } else if taints != before {
        set(node, "/spec/taints", taints);
    }
}

/// A node's conditions tell when they were last looked at, even while nothing changes.
fn heartbeat(node: &mut Value, new: Condition<'_>, now: &str) {
    let conditions = list(node, "/status/conditions");
    let old = conditions.iter_mut().find(|one| one["type"] == new.of);
    let mut condition = json!({
        "type": new.of, "status": new.status, "reason": new.reason, "message": new.message,
        "lastHeartbeatTime": now, "lastTransitionTime": now,
    });
    match old {
        Some(old) => {
            if old["status"] == new.status && old["lastTransitionTime"].is_string() {
                condition["lastTransitionTime"] = old["lastTransitionTime"].take();
            }
            *old = condition;
        }
        None => conditions.push(condition),
    }
}

/// The address of a node: where it stands among the nodes, in a network of their own.
pub(super) fn address(view: &View<'_>, node: &Object) -> String {
    let given = node.list("/status/addresses").iter().find(|one| one["type"] == "InternalIP");
    if let Some(address) = given.and_then(|one| one["address"].as_str()) {
        return address.to_owned();
    }
    let index = index(view, node.name());
    format!("10.0.{}.{}", index / 250, 10 + index % 240)
}

/// Where a node stands among the nodes, by name.
pub(super) fn index(view: &View<'_>, name: &str) -> usize {
    view.list(super::super::kind::Kind::Node, "").take_while(|node| node.name() != name).count()
}

fn info(node: &Object) -> Value {
    json!({
        "machineID": super::kubelet::hash(&[node.name(), "machine"], 32),
        "systemUUID": super::kubelet::hash(&[node.name(), "system"], 32),
        "bootID": super::kubelet::hash(&[node.name(), node.uid()], 32),
        "kernelVersion": "6.12.0-55.el10.x86_64", "osImage": "CentOS Stream 10 (Coughlan)",
        "containerRuntimeVersion": "cri-o://1.36.1", "kubeletVersion": "v1.36.3", "kubeProxyVersion": "",
        "operatingSystem": "linux", "architecture": "amd64",
    })
}
