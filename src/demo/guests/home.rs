//! Where guests live: the objects that say whether one may work, one row for each platform.

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject};
use serde_json::Value;

use super::guest::Identity;

/// Group, version, kind and plural.
pub(super) type Names = [&'static str; 4];

/// Pods, which Virtink's guests live in.
pub(super) const POD: Names = ["", "v1", "Pod", "pods"];
const VMI: Names = ["kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances"];
const MACHINE: Names = ["virt.virtink.smartx.com", "v1alpha1", "VirtualMachine", "virtualmachines"];

/// How a client asks for objects of these names.
pub(super) fn resource([group, version, kind, plural]: Names) -> ApiResource {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.into(),
        version: version.into(),
        api_version,
        kind: kind.into(),
        plural: plural.into(),
    }
}

/// What differs between the guests of platforms.
#[derive(Debug)]
pub(super) struct Home {
    /// What is watched while a guest works.
    pub(super) resource: Names,
    /// What it lets its guest do.
    pub(super) read: fn(&Value) -> Instance,
    /// What a guest knows of itself.
    pub(super) identity: fn(&Value) -> Identity,
    /// What is told of a guest's end, under the name that the instance has for it.
    pub(super) told: Names,
}

/// A guest of KubeVirt: everything is in its instance.
pub(super) static KUBEVIRT: Home =
    Home { resource: VMI, read: Instance::of, identity: Identity::of, told: VMI };

/// A guest of Virtink: its machine outlives it, and nobody but its pod is new with each life.
pub(super) static VIRTINK: Home =
    Home { resource: MACHINE, read: Instance::of_virtink, identity: Identity::of_virtink, told: POD };

/// What an instance lets its guest do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) node: String,
    pub(super) paused: bool,
    pub(super) ending: bool,
    pub(super) over: bool,
    /// The name of what is told of its end.
    pub(super) told: String,
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Instance {
    fn of(instance: &Value) -> Self {
        let conditions = instance["status"]["conditions"].as_array().into_iter().flatten();
        Self {
            node: text(instance, "/status/nodeName"),
            paused: conditions.into_iter().any(|one| one["type"] == "Paused" && one["status"] == "True"),
            ending: !instance["metadata"]["deletionTimestamp"].is_null(),
            over: matches!(instance["status"]["phase"].as_str(), Some("Succeeded" | "Failed")),
            told: text(instance, "/metadata/name"),
        }
    }

    fn of_virtink(machine: &Value) -> Self {
        Self {
            node: text(machine, "/status/nodeName"),
            paused: false,
            ending: !machine["metadata"]["deletionTimestamp"].is_null(),
            over: machine["status"]["phase"] != "Running",
            told: text(machine, "/status/vmPodName"),
        }
    }

    /// What a watch saw of the object with that UID.
    pub(super) fn seen(home: &Home, object: Option<DynamicObject>, uid: &str) -> Self {
        match object.filter(|object| object.metadata.uid.as_deref() == Some(uid)) {
            Some(object) => (home.read)(&serde_json::to_value(object).unwrap_or_default()),
            None => Self { over: true, ..Self::default() },
        }
    }
}

/// Since when a guest has been running, where that is written down.
pub(super) fn running_since(object: &Value) -> Option<Timestamp> {
    let steps = object.pointer("/status/phaseTransitionTimestamps").and_then(Value::as_array);
    let running = steps.into_iter().flatten().find(|step| step["phase"] == "Running");
    let of_step = running.and_then(|step| step["phaseTransitionTimestamp"].as_str()?.parse().ok());
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|one| one["type"] == "Ready");
    of_step.or_else(|| ready.and_then(|one| one["lastTransitionTime"].as_str()?.parse().ok()))
}
