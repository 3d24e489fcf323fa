//! What of a machine decides about its console.

use serde_json::Value;

use super::super::error::Failure;

/// A machine at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its UID; a machine that is started anew has another one.
    pub uid: String,
    /// Its phase.
    pub phase: String,
    /// The node that it runs on.
    pub node: String,
    /// Whether its guest is paused.
    pub paused: bool,
    /// Whether it is being deleted.
    pub ending: bool,
    /// Whether it has a serial console.
    pub serial: bool,
    /// Whether it is being moved to another node.
    pub migrating: bool,
    /// The UIDs of its pods on its node.
    pub pods: Vec<String>,
    /// The name of its pod, where it is written down; another one after each start.
    pub pod: String,
}

impl Instance {
    /// Reads it from the object.
    pub fn of(object: &Value) -> Self {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let node = text("/status/nodeName");
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let paused = conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == "Paused" && condition["status"] == "True");
        let migration = &object["status"]["migrationState"];
        let pods = object.pointer("/status/activePods").and_then(Value::as_object);
        let pods = pods.into_iter().flatten().filter(|(_, at)| at.as_str() == Some(&node));
        Self {
            uid: text("/metadata/uid"),
            phase: text("/status/phase"),
            paused,
            ending: object.pointer("/metadata/deletionTimestamp").is_some(),
            serial: object.pointer("/spec/domain/devices/autoattachSerialConsole")
                != Some(&Value::Bool(false)),
            migrating: migration.is_object()
                && migration["completed"] != true
                && migration["failed"] != true
                && migration["endTimestamp"].is_null(),
            pods: pods.map(|(uid, _)| uid.clone()).collect(),
            node,
            pod: String::new(),
        }
    }

    /// Whether its guest runs and will go on running.
    pub fn runs(&self) -> bool {
        self.phase == "Running" && !self.ending
    }

    /// Whether its guest has ended for good.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Succeeded" | "Failed" | STOPPED)
    }
}

/// What a machine of Virtink that is off and has no phase is called here.
const STOPPED: &str = "Stopped";

/// Reads a machine of Virtink. That its guest is paused is written down nowhere.
pub(super) fn of_virtink(object: &Value) -> Instance {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let phase = Some(text("/status/phase")).filter(|phase| !phase.is_empty());
    let step = text("/status/migration/phase");
    Instance {
        uid: text("/metadata/uid"),
        phase: phase.unwrap_or_else(|| STOPPED.to_owned()),
        node: text("/status/nodeName"),
        ending: object.pointer("/metadata/deletionTimestamp").is_some(),
        serial: true,
        migrating: !matches!(step.as_str(), "" | "Succeeded" | "Failed"),
        pod: text("/status/vmPodName"),
        ..Instance::default()
    }
}

/// What looking for a machine brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is there.
    Here(Instance),
    /// It is not.
    Gone,
    /// It cannot be told.
    Failed(Failure),
}
