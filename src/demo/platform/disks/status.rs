//! What a DataVolume says of itself, and the events in which it tells it.

use serde_json::Value;

use super::super::edit::{Condition, Times, annotate, condition, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::bind::SELECTED_NODE;
use super::class::{self, waits_for_consumer};
use super::datavolume::{IMMEDIATE, USE_POPULATOR};
use super::source::Source;

/// The annotations of claims in which CDI keeps what its workers do.
pub(super) const POD_PHASE: &str = "cdi.kubevirt.io/storage.pod.phase";
pub(super) const POD_READY: &str = "cdi.kubevirt.io/storage.pod.ready";
pub(super) const POD_RESTARTS: &str = "cdi.kubevirt.io/storage.pod.restarts";
pub(super) const SCHEDULABLE: &str = "cdi.kubevirt.io/storage.pod.schedulable";
pub(super) const RUNNING: &str = "cdi.kubevirt.io/storage.condition.running";
pub(super) const RUNNING_MESSAGE: &str = "cdi.kubevirt.io/storage.condition.running.message";
pub(super) const RUNNING_REASON: &str = "cdi.kubevirt.io/storage.condition.running.reason";
pub(super) const BOUND: &str = "cdi.kubevirt.io/storage.condition.bound";
pub(super) const BOUND_MESSAGE: &str = "cdi.kubevirt.io/storage.condition.bound.message";
pub(super) const BOUND_REASON: &str = "cdi.kubevirt.io/storage.condition.bound.reason";
pub(super) const PROGRESS: &str = "cdi.kubevirt.io/storage.populator.progress";
pub(super) const PRIME: &str = "cdi.kubevirt.io/storage.populator.pvcPrime";
pub(super) const POD_NAME: &str = "cdi.kubevirt.io/storage.import.importPodName";
pub(super) const UPLOAD_POD_NAME: &str = "cdi.kubevirt.io/storage.uploadPodName";
pub(super) const FATAL: &str = "cdi.kubevirt.io/storage.import.fatalError";
pub(super) const CLONE_TYPE: &str = "cdi.kubevirt.io/cloneType";
pub(super) const CLONE_PHASE: &str = "cdi.kubevirt.io/clonePhase";

/// The reason of an importer that starts anew with scratch space: nothing to warn of.
pub(super) const NEEDS_SCRATCH: &str = "Scratch space required";

/// Who looks after a DataVolume.
pub(super) fn controller(source: &Source) -> &'static str {
    match source {
        Source::Import(_) => "datavolume-import-controller",
        Source::Upload => "datavolume-upload-controller",
        Source::Claim { .. } => "datavolume-pvc-clone-controller",
        Source::Snapshot { .. } => "datavolume-snapshot-clone-controller",
    }
}

/// An annotation that may be there and empty.
fn said<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.at("/metadata/annotations").get(key).and_then(Value::as_str)
}

/// A DataVolume that has no claim, and why; `warning` is told beside it where it is not empty.
pub(super) fn refused(
    view: &View<'_>,
    dv: &Object,
    source: &Source,
    phase: &str,
    reason: &str,
    message: &str,
    warning: &str,
) -> Vec<Write> {
    let mut new = dv.edit();
    if !phase.is_empty() {
        set(&mut new, "/status/phase", phase);
    }
    for of in ["Bound", "Ready"] {
        let told = Condition { of, status: "False", reason, message };
        condition(&mut new, told, Times::Heartbeat, view.time);
    }
    let running = Condition { of: "Running", status: "False", reason: "", message: "" };
    condition(&mut new, running, Times::Heartbeat, view.time);
    let Some(update) = Write::update(dv, new) else { return Vec::new() };
    let changed = dv.condition("Bound").is_none_or(|old| old["message"] != message);
    let mut writes = vec![update];
    if changed {
        let by = controller(source);
        if !warning.is_empty() {
            writes.push(Write::warn(dv, by, reason, warning));
        }
        writes.push(Write::tell(dv, by, reason, message));
    }
    writes
}

/// A DataVolume that has a claim says what becomes of it.
pub(super) fn follow(view: &View<'_>, dv: &Object, source: &Source, claim: &Object) -> Vec<Write> {
    let mut new = dv.edit();
    let phase = phase(view, dv, source, claim);
    let clone_type = claim.annotation(CLONE_TYPE);
    if is_clone(source) && !clone_type.is_empty() {
        annotate(&mut new, CLONE_TYPE, clone_type);
    }
    set(&mut new, "/status/claimName", claim.name());
    if !phase.is_empty() {
        set(&mut new, "/status/phase", phase.as_str());
    }
    let restarts: i64 = claim.annotation(POD_RESTARTS).parse().unwrap_or_default();
    if restarts > 0 {
        set(&mut new, "/status/restartCount", restarts);
    }
    set(&mut new, "/status/progress", progress(view, dv, source, claim, &phase));
    let bound = bound(source, claim);
    let running = running(claim);
    let is_running = running.0 == "True";
    let ready = match phase.as_str() {
        "Succeeded" => ("True", "", ""),
        _ if is_running => ("False", "TransferRunning", ""),
        _ => ("False", "", ""),
    };
    for (of, (status, reason, message)) in [
        ("Bound", (bound.0, bound.1, bound.2.as_str())),
        ("Ready", ready),
        ("Running", (running.0, running.1, running.2)),
    ] {
        condition(&mut new, Condition { of, status, reason, message }, Times::Heartbeat, view.time);
    }
    let Some(update) = Write::update(dv, new) else { return Vec::new() };
    let mut writes = vec![update];
    let by = controller(source);
    if dv.phase() != phase {
        writes.extend(phase_event(dv, source, claim, &phase));
    }
    let old = |of: &str, field: &str| {
        let text = dv.condition(of).and_then(|one| one[field].as_str());
        text.unwrap_or_default().to_owned()
    };
    if old("Bound", "reason") != bound.1 || old("Bound", "message") != bound.2 {
        writes.push(Write::tell(dv, by, bound.1, bound.2));
    }
    let worth_a_warning =
        !is_running && !running.2.is_empty() && !matches!(running.1, "Completed" | NEEDS_SCRATCH);
    if worth_a_warning && old("Running", "message") != running.2 {
        writes.push(Write::warn(dv, by, running.1, running.2));
    }
    writes
}

/// What the workers' part of a claim's annotations says.
fn running(claim: &Object) -> (&'static str, &str, &str) {
    if claim.annotation(SCHEDULABLE) == "false" && claim.annotation(POD_PHASE) == "Pending" {
        return ("False", "Unschedulable", "Importer pod cannot be scheduled");
    }
    let status = if claim.annotation(RUNNING) == "true" { "True" } else { "False" };
    (status, claim.annotation(RUNNING_REASON), claim.annotation(RUNNING_MESSAGE))
}

fn bound(source: &Source, claim: &Object) -> (&'static str, &'static str, String) {
    let name = claim.name();
    match claim.phase() {
        "Bound" => ("True", "Bound", format!("PVC {name} Bound")),
        "Lost" => ("False", "ClaimLost", "Claim Lost".to_owned()),
        _ => {
            let text = match (said(claim, BOUND_MESSAGE), said(claim, PRIME)) {
                (Some(text), _) if is_clone(source) => format!("target PVC {name} Pending and {text}"),
                (Some(text), Some(prime)) => format!("target PVC {name} Pending and [{prime}] : {text}"),
                _ => format!("PVC {name} Pending"),
            };
            ("False", "Pending", text)
        }
    }
}

fn is_clone(source: &Source) -> bool {
    matches!(source, Source::Claim { .. } | Source::Snapshot { .. })
}

/// Whether nobody chose a node yet for a claim that waits for that.
pub(super) fn waits(view: &View<'_>, claim: &Object) -> bool {
    let class = class::find(view, claim.text("/spec/storageClassName"));
    class.is_some_and(waits_for_consumer)
        && claim.annotation(SELECTED_NODE).is_empty()
        && said(claim, IMMEDIATE).is_none()
}

fn phase(view: &View<'_>, dv: &Object, source: &Source, claim: &Object) -> String {
    let pod_phase = claim.annotation(POD_PHASE);
    let populated = claim.annotation(USE_POPULATOR) == "true";
    let now = || dv.phase().to_owned();
    if claim.phase() == "Lost" {
        return "Failed".to_owned();
    }
    if !claim.is_owned_by(dv) {
        // It was filled before.
        return if claim.phase() == "Bound" { "Succeeded".to_owned() } else { "Pending".to_owned() };
    }
    if is_clone(source) && populated {
        return clone_phase(view, dv, claim);
    }
    if pod_phase == "Succeeded" || claim.annotation("cdi.kubevirt.io/storage.populatedFor") == dv.name() {
        return "Succeeded".to_owned();
    }
    match (claim.phase(), populated) {
        ("Bound", true) => by_pod(source, claim).unwrap_or_else(now),
        ("Bound", false) => by_pod(source, claim).unwrap_or_else(|| "PVCBound".to_owned()),
        (_, true) if waits(view, claim) => "PendingPopulation".to_owned(),
        (_, true) => {
            let prime = view.get(Kind::PersistentVolumeClaim, claim.namespace(), claim.annotation(PRIME));
            let at_work = prime.is_some_and(|prime| {
                let pods = [POD_NAME, UPLOAD_POD_NAME];
                prime.phase() == "Bound" && pods.iter().any(|pod| !prime.annotation(pod).is_empty())
            });
            if at_work { by_pod(source, claim).unwrap_or_else(now) } else { now() }
        }
        (_, false) if waits(view, claim) => "WaitForFirstConsumer".to_owned(),
        (_, false) => "Pending".to_owned(),
    }
}

fn by_pod(source: &Source, claim: &Object) -> Option<String> {
    let pod = claim.annotation(POD_PHASE);
    let phase = match (source, pod) {
        (_, "") => return None,
        (_, "Succeeded") => "Succeeded",
        (Source::Upload, "Running") if claim.annotation(POD_READY) == "true" => "UploadReady",
        (Source::Upload, _) => "UploadScheduled",
        (Source::Claim { .. } | Source::Snapshot { .. }, "Running") => "CloneInProgress",
        (Source::Claim { .. } | Source::Snapshot { .. }, _) => "CloneScheduled",
        (_, "Running") => "ImportInProgress",
        (_, "Failed") if claim.annotation(FATAL) == "true" => "Failed",
        _ => "ImportScheduled",
    };
    Some(phase.to_owned())
}

fn clone_phase(view: &View<'_>, dv: &Object, claim: &Object) -> String {
    let phase = match claim.annotation(CLONE_PHASE) {
        "" if waits(view, claim) => "PendingPopulation",
        "" | "Pending" => "CloneScheduled",
        "HostClone" => "CloneInProgress",
        "Snapshot" => "SnapshotForSmartCloneInProgress",
        "SnapshotClone" => "CloneFromSnapshotSourceInProgress",
        "CSIClone" => "CSICloneInProgress",
        "PrepClaim" => "PrepClaimInProgress",
        "Rebind" => "RebindInProgress",
        "Succeeded" => "Succeeded",
        _ => dv.phase(),
    };
    phase.to_owned()
}

fn progress(view: &View<'_>, dv: &Object, source: &Source, claim: &Object, phase: &str) -> String {
    let known = dv.text("/status/progress");
    let known = if known.is_empty() { "N/A" } else { known };
    if matches!(source, Source::Upload) {
        return known.to_owned();
    }
    if phase == "Succeeded" {
        return "100.0%".to_owned();
    }
    let told = match claim.annotation(PROGRESS) {
        "" => super::import::progress(view, claim),
        told => Some(told.to_owned()),
    };
    told.unwrap_or_else(|| known.to_owned())
}

/// What is told of a new phase.
fn phase_event(dv: &Object, source: &Source, claim: &Object, phase: &str) -> Option<Write> {
    let by = controller(source);
    let name = claim.name();
    let tell = |reason: &str, text: String| Some(Write::tell(dv, by, reason, text));
    let failed = claim.annotation(POD_PHASE) == "Failed";
    if let Source::Claim { namespace, name: from } | Source::Snapshot { namespace, name: from } = source {
        return clone_event(dv, source, &format!("{namespace}/{from}"), phase);
    }
    match phase {
        "ImportScheduled" | "Failed" if failed => {
            Some(Write::warn(dv, by, "ImportFailed", format!("Failed to import into PVC {name}")))
        }
        "ImportScheduled" => tell(phase, format!("Import into {name} scheduled")),
        "ImportInProgress" => tell(phase, format!("Import into {name} in progress")),
        "UploadScheduled" => tell(phase, format!("Upload into {name} scheduled")),
        "UploadReady" => tell(phase, format!("Upload into {name} ready")),
        "Succeeded" if matches!(source, Source::Upload) => {
            tell("UploadSucceeded", format!("Successfully uploaded into {name}"))
        }
        "Succeeded" => tell("ImportSucceeded", format!("Successfully imported into PVC {name}")),
        "Failed" => Some(Write::warn(dv, by, "ErrClaimLost", format!("PVC {name} lost"))),
        _ => None,
    }
}

fn clone_event(dv: &Object, source: &Source, from: &str, phase: &str) -> Option<Write> {
    let into = format!("{}/{}", dv.namespace(), dv.name());
    let of = if matches!(source, Source::Claim { .. }) { "pvc" } else { "snapshot" };
    let text = match phase {
        "CloneScheduled" => format!("Cloning from {from} into {into} scheduled"),
        "CloneInProgress" => format!("Cloning from {from} into {into} in progress"),
        "SnapshotForSmartCloneInProgress" => {
            format!("Creating snapshot for smart-clone is in progress (for pvc {from})")
        }
        "CloneFromSnapshotSourceInProgress" => {
            format!("Creating PVC from snapshot source is in progress (for {of} {from})")
        }
        "CSICloneInProgress" => format!("CSI Volume clone in progress (for pvc {from})"),
        "PrepClaimInProgress" => format!("Prepping PersistentVolumeClaim for DataVolume {into}"),
        "RebindInProgress" => format!("Rebinding PersistentVolumeClaim for DataVolume {into}"),
        "Succeeded" => format!("Successfully cloned from {from} into {into}"),
        _ => return None,
    };
    let reason = if phase == "Succeeded" { "CloneSucceeded" } else { phase };
    Some(Write::tell(dv, controller(source), reason, text))
}
