//! The word for a machine's state, and its conditions.

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, condition, list, remove_condition, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::{disks, is_final, strategy};

/// What the word depends on.
pub(super) struct Seen<'a, 'v> {
    pub(super) view: &'a View<'v>,
    pub(super) vm: &'a Object,
    pub(super) vmi: Option<&'a Object>,
    /// `status.startFailure` as it shall be.
    pub(super) failure: &'a Value,
    /// Whether a start was asked for.
    pub(super) asked: bool,
}

/// A word, and when it is said.
type Rule = (&'static str, fn(&Seen<'_, '_>) -> bool);

/// The first that holds is said (kubevirt.md 3.1).
const WORDS: &[Rule] = &[
    ("Terminating", |seen| seen.vm.is_ending()),
    ("Stopping", |seen| seen.of(|vmi| !is_final(vmi) && vmi.is_ending())),
    ("Migrating", |seen| {
        seen.of(|vmi| {
            let state = vmi.at("/status/migrationState");
            !is_final(vmi) && state["startTimestamp"].is_string() && state["endTimestamp"].is_null()
        })
    }),
    ("Paused", |seen| seen.of(|vmi| vmi.phase() == "Running" && vmi.is("Paused"))),
    ("Running", |seen| seen.of(|vmi| vmi.phase() == "Running")),
    ("ErrorPvcNotFound", |seen| seen.out_of_sync("FailedPvcNotFound")),
    ("DataVolumeError", |seen| seen.volumes().any(is_broken)),
    ("ErrorUnschedulable", |seen| {
        seen.of(|vmi| {
            vmi.condition("PodScheduled")
                .is_some_and(|one| one["status"] == "False" && one["reason"] == "Unschedulable")
        })
    }),
    ("Provisioning", |seen| seen.volumes().any(|volume| seen.is_filled(volume))),
    ("WaitingForVolumeBinding", |seen| seen.waits_for_binding()),
    ("ErrImagePull", |seen| seen.out_of_sync("ErrImagePull")),
    ("ImagePullBackOff", |seen| seen.out_of_sync("ImagePullBackOff")),
    ("Starting", |seen| seen.of(|vmi| matches!(vmi.phase(), "" | "Pending" | "Scheduling" | "Scheduled"))),
    ("CrashLoopBackOff", |seen| {
        let again = matches!(strategy::of(seen.vm), "Always" | "RerunOnFailure" | "Once");
        seen.vmi.is_none_or(is_final) && again && seen.failure["consecutiveFailCount"].as_i64() > Some(0)
    }),
    ("Stopped", |seen| seen.vmi.is_none_or(is_final)),
    ("WaitingForReceiver", |seen| seen.of(|vmi| vmi.phase() == "WaitingForSync")),
    ("Unknown", |_| true),
];

fn is_broken(volume: &Object) -> bool {
    let running = volume.condition("Running");
    let failed = running.is_some_and(|one| {
        one["status"] == "False" && (one["reason"] == "Error" || one["reason"] == "ImagePullFailed")
    });
    volume.phase() == "Failed" || failed
}

impl<'a> Seen<'a, '_> {
    /// The word for the machine's state.
    pub(super) fn word(&self) -> &'static str {
        WORDS.iter().find(|(_, holds)| holds(self)).map_or("Unknown", |(word, _)| word)
    }

    fn of(&self, test: impl Fn(&Object) -> bool) -> bool {
        self.vmi.is_some_and(test)
    }

    fn out_of_sync(&self, reason: &str) -> bool {
        self.of(|vmi| {
            !is_final(vmi)
                && vmi
                    .condition("Synchronized")
                    .is_some_and(|one| one["status"] == "False" && one["reason"] == reason)
        })
    }

    /// The disks its volumes name.
    fn volumes(&self) -> impl Iterator<Item = &'a Object> {
        let (view, vm) = (self.view, self.vm);
        vm.list("/spec/template/spec/volumes").iter().filter_map(move |volume| {
            let name = volume["dataVolume"]["name"].as_str()?;
            view.get(Kind::DataVolume, vm.namespace(), name)
        })
    }

    /// Whether a disk gets its content.
    fn is_filled(&self, volume: &Object) -> bool {
        let claim = self.view.get(Kind::PersistentVolumeClaim, volume.namespace(), volume.name());
        let bound = claim.is_some_and(|claim| claim.phase() == "Bound");
        !matches!(volume.phase(), "Succeeded" | "PendingPopulation")
            && (bound || volume.phase() != "WaitForFirstConsumer")
    }

    fn waits_for_binding(&self) -> bool {
        let starts = matches!(strategy::of(self.vm), "Always" | "Once" | "RerunOnFailure") || self.asked;
        let mut claims = self.vm.list("/spec/template/spec/volumes").iter().filter_map(disks::claim_of);
        let unbound = |name: &str| {
            let claim = self.view.get(Kind::PersistentVolumeClaim, self.vm.namespace(), name);
            claim.is_some_and(|claim| claim.phase() != "Bound")
        };
        starts && claims.any(unbound)
    }

    /// Writes the conditions: those of the instance while there is one, and the machine's own.
    pub(super) fn conditions(&self, new: &mut Value) {
        let (status, reason, message) = match self.vmi.map(|vmi| vmi.condition("Ready")) {
            None => ("False", "VMINotExists", "VMI does not exist"),
            Some(None) => ("False", "VMIConditionMissing", "VMI is missing the Ready condition"),
            Some(Some(_)) => ("", "", ""),
        };
        if let Some(vmi) = self.vmi {
            let own = |of: &Value| matches!(of.as_str(), Some("Ready" | "Failure" | "RestartRequired"));
            list(new, "/status/conditions").retain(|one| {
                own(&one["type"]) || vmi.list("/status/conditions").iter().any(|of| of["type"] == one["type"])
            });
            for one in vmi.list("/status/conditions") {
                mirror(new, one);
            }
        }
        if !reason.is_empty() {
            let known = list(new, "/status/conditions").iter().any(|one| one["reason"] == reason);
            if !known {
                let now = time(self.view.time);
                mirror(
                    new,
                    &json!({
                        "type": "Ready", "status": status, "reason": reason, "message": message,
                        "lastProbeTime": now, "lastTransitionTime": now,
                    }),
                );
            }
        }
    }

    /// Writes the condition that says whether the last attempt failed.
    pub(super) fn failure(&self, new: &mut Value, trouble: Option<(&str, &str)>) {
        match trouble {
            Some((reason, message)) => {
                let of = Condition { of: "Failure", status: "True", reason, message };
                condition(new, of, Times::Probe, self.view.time);
            }
            None => remove_condition(new, "Failure"),
        }
    }
}

/// Takes a condition over as it is.
fn mirror(new: &mut Value, one: &Value) {
    let mut copy = one.clone();
    for field in ["lastProbeTime", "lastTransitionTime"] {
        if copy[field].is_null() {
            copy[field] = Value::Null;
        }
    }
    let conditions = list(new, "/status/conditions");
    match conditions.iter_mut().find(|known| known["type"] == one["type"]) {
        Some(known) => *known = copy,
        None => conditions.push(copy),
    }
}
