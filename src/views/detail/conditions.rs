//! Conditions in their good or bad sense.

use serde_json::Value;

use super::{Line, Section, age, list, string};
use crate::model::Now;
use crate::store::Health;

/// Conditions whose `True` is bad news; that of any other is good news.
const BAD: &[&str] = &[
    "Failure",
    "RestartRequired",
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "Degraded",
    "ReplicaFailure",
    "EvictionRequested",
    "VolumesChange",
    "Failed",
];

/// Conditions that are neither: what is going on, or what is possible.
const NEUTRAL: &[&str] = &[
    "Paused",
    "Running",
    "AgentConnected",
    "AccessCredentialsSynchronized",
    "LiveMigratable",
    "StorageLiveMigratable",
    "ManualRecoveryRequired",
    "Progressing",
    "UpToDate",
    "DataVolumesReady",
    "Resizing",
    "FileSystemResizePending",
];

/// How well a condition is that has this status.
fn health(kind: &str, status: &str) -> Option<Health> {
    match (BAD.contains(&kind), NEUTRAL.contains(&kind), status) {
        (true, _, "True") => Some(Health::Failed),
        (true, _, "False") | (false, false, "True") => Some(Health::Well),
        (false, false, "False") => Some(Health::Warning),
        _ => None,
    }
}

/// The conditions of an object.
pub(super) fn section(title: &str, object: &Value, now: Now) -> Section {
    let line = |condition: &Value| {
        let kind = string(condition, "/type")?;
        let status = string(condition, "/status").unwrap_or_default();
        let mut text = status.clone().into_owned();
        if let Some(reason) = string(condition, "/reason") {
            text.push_str(&format!("  {reason}"));
        }
        if let Some(age) = age(condition, "/lastTransitionTime", now) {
            text.push_str(&format!("  {age}"));
        }
        if let Some(message) = string(condition, "/message") {
            text.push_str(&format!("  {message}"));
        }
        Some(Line { health: health(&kind, &status), ..Line::new(kind, text) })
    };
    Section::new(title, list(object, "/status/conditions").iter().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_good_or_bad_in_their_own_sense() {
        let cases = [
            ("Ready", "True", Some(Health::Well)),
            ("Ready", "False", Some(Health::Warning)),
            ("Failure", "True", Some(Health::Failed)),
            ("Failure", "False", Some(Health::Well)),
            ("Paused", "True", None),
            ("LiveMigratable", "False", None),
            ("Ready", "Unknown", None),
        ];
        for (kind, status, want) in cases {
            assert_eq!(health(kind, status), want, "{kind} {status}");
        }
    }
}
