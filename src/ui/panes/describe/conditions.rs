//! Conditions, and which of them are good news.

use serde_json::Value;

use super::page::Page;
use super::{ago, text};
use crate::store::Health;
use crate::ui::panes::text::Ink;
use crate::ui::theme::symbol;

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
    "AccessCredentialsSynchronized",
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
pub(super) fn table(object: &Value, page: &mut Page) {
    let all = object.pointer("/status/conditions").and_then(Value::as_array);
    let Some(all) = all.filter(|all| !all.is_empty()) else { return };
    page.heading("Conditions");
    let rows: Vec<[(String, Ink); 5]> = all
        .iter()
        .map(|condition| {
            let (name, status) = (text(condition, "/type"), text(condition, "/status"));
            let health = sense(name, status);
            let since = ago(text(condition, "/lastTransitionTime"), page.now);
            [
                (format!("{} {name}", symbol(health)), Ink::Health(health)),
                (status.to_owned(), Ink::Health(health)),
                (since.map_or_else(String::new, |age| age.to_string()), Ink::Quiet),
                (text(condition, "/reason").to_owned(), Ink::Value),
                (crate::text::one_line(text(condition, "/message"), 500), Ink::Value),
            ]
        })
        .collect();
    page.table(&["CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"], &rows);
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
