//! Conditions, and which of them are good news.

use serde_json::Value;

use super::{Line, Section, age, list, string};
use crate::model::Now;
use crate::store::Health;

/// Conditions whose being true is not good news, and how bad it is. All others are good when they are true.
const BAD_WHEN_TRUE: &[(&str, Health)] = &[
    ("Failure", Health::Failed),
    ("Failed", Health::Failed),
    ("Error", Health::Failed),
    ("Degraded", Health::Failed),
    ("ReplicaFailure", Health::Failed),
    ("NetworkUnavailable", Health::Failed),
    ("MemoryPressure", Health::Failed),
    ("DiskPressure", Health::Failed),
    ("PIDPressure", Health::Failed),
    ("Stalled", Health::Failed),
    ("RestartRequired", Health::Warning),
    ("ManualRecoveryRequired", Health::Warning),
    ("MigrationRequired", Health::Warning),
    ("EvictionRequested", Health::Warning),
    ("DisruptionTarget", Health::Warning),
    ("Paused", Health::Warning),
    ("AgentVersionNotSupported", Health::Warning),
    ("SoftwareEmulation", Health::Warning),
    ("DecentralizedLiveMigrationFailure", Health::Failed),
    ("migrationAbortRequested", Health::Idle),
    ("migrationRejectedByResourceQuota", Health::Failed),
    ("migrationBlockedByUtilityVolumes", Health::Warning),
    ("migrationBlockedByBackup", Health::Warning),
    ("decentralizedMigrationBlocked", Health::Warning),
    ("Resizing", Health::Busy),
    ("FileSystemResizePending", Health::Busy),
    ("HotVCPUChange", Health::Busy),
    ("HotMemoryChange", Health::Busy),
    ("VolumesChange", Health::Busy),
    ("Provisioning", Health::Busy),
    ("Progressing", Health::Busy),
];

/// Conditions whose being false says only that something is not so, or not yet.
const NEUTRAL_WHEN_FALSE: &[&str] = &[
    "AgentConnected",
    "LiveMigratable",
    "StorageLiveMigratable",
    "Running",
    "Bound",
    "Progressing",
    "UpToDate",
];

/// Whether a condition is good or bad news.
pub fn sense(name: &str, status: &str) -> Health {
    let bad = BAD_WHEN_TRUE.iter().find(|(known, _)| *known == name).map(|(_, health)| *health);
    match (status, bad) {
        ("True", Some(bad)) => bad,
        ("True", None) | ("False", Some(_)) => Health::Well,
        ("False", None) if NEUTRAL_WHEN_FALSE.contains(&name) => Health::Idle,
        ("False", None) => Health::Failed,
        _ => Health::Warning,
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
        let health = Some(sense(&kind, &status)).filter(|health| *health != Health::Idle);
        Some(Line { health, ..Line::new(kind, text) })
    };
    Section::new(title, list(object, "/status/conditions").iter().filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_true_is_not_always_good() {
        for (name, status, want) in [
            ("Ready", "True", Health::Well),
            ("Ready", "False", Health::Failed),
            ("Ready", "Unknown", Health::Warning),
            ("Failure", "True", Health::Failed),
            ("Paused", "True", Health::Warning),
            ("Paused", "False", Health::Well),
            ("AgentConnected", "False", Health::Idle),
            ("DiskPressure", "False", Health::Well),
        ] {
            assert_eq!(sense(name, status), want, "{name} {status}");
        }
    }
}
