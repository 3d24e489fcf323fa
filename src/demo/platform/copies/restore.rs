//! VirtualMachineRestores: a machine gets its disks and its specification back.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, condition, finalize, own, release, remove, set, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::restored::{self, Volumes};

const CONTROLLER: &str = "restore-controller";
const FINALIZER: &str = "snapshot.kubevirt.io/vmrestore-protection";
const IN_PROGRESS: &str = "/status/restoreInProgress";

/// How long a restore waits for its machine to be stopped.
const GRACE: Duration = Duration::from_secs(5 * 60);

const STILL_THERE: &str =
    "Restore target VMI still exists, please stop the restore target to proceed with restore";

/// What a restore says that waits for its machine: by its policy, and at last.
const WAITING: &[(&str, &str)] = &[
    (
        "WaitEventually",
        "Waiting for target VM to be powered off. Please stop the restore target to proceed with restore",
    ),
    ("StopTarget", "Automatically stopping restore target for restore operation"),
    ("FailImmediate", "Operation failed"),
];
const WAITING_FOR_GRACE: &str = "Waiting for target VM to be powered off. Please stop the restore target to proceed with \
    restore, or the operation will fail after 5m0s";
const TOO_LATE: &str =
    "Restore target failed to be ready within 5m0s. Please power off the target VM before attempting restore";
const NOT_NOW: &str = "Restore target VMI must be powered off before restore operation";

/// How a step of a restore went.
pub(super) enum Step {
    /// There is nothing to do.
    Done,
    /// Something is done or waited for, and the status is changed as it now is.
    Busy(Vec<Write>),
    /// It cannot be done.
    Failed(String),
}

/// What virt-controller does for a restore.
pub(super) fn step(view: &View<'_>, restore: &Object) -> Vec<Write> {
    if restore.at("/status").is_null() {
        let mut new = restore.edit();
        set(&mut new, "/status/complete", false);
        say(
            view,
            &mut new,
            ("True", "Initializing VirtualMachineRestore"),
            ("False", "Initializing VirtualMachineRestore"),
        );
        return Write::update(restore, new).into_iter().collect();
    }
    let (kind, name) = (restore.text("/spec/target/kind"), restore.text("/spec/target/name"));
    if kind != "VirtualMachine" {
        return failed(view, restore, &format!("unknown target {kind}"));
    }
    let machine = view.get(Kind::VirtualMachine, restore.namespace(), name);
    if restore.is_ending() {
        return let_go(view, restore, machine);
    }
    if restore.flag("/status/complete") || restore.condition("Failure").is_some() {
        return Vec::new();
    }
    let mut new = restore.edit();
    if let Some(machine) = machine.filter(|_| restore.list("/metadata/ownerReferences").is_empty()) {
        own(&mut new, machine);
    }
    finalize(&mut new, FINALIZER);
    if let Some(update) = Write::update(restore, new) {
        return vec![update];
    }
    if view.get(Kind::VirtualMachineInstance, restore.namespace(), name).is_some() {
        return wait_for_stop(view, restore, machine);
    }
    go_on(view, restore, machine)
}

fn say(view: &View<'_>, new: &mut Value, progressing: (&str, &str), ready: (&str, &str)) {
    for (of, (status, reason)) in [("Progressing", progressing), ("Ready", ready)] {
        condition(new, Condition { of, status, reason, message: "" }, Times::Probe, view.time);
    }
}

fn failed(view: &View<'_>, restore: &Object, why: &str) -> Vec<Write> {
    let mut new = restore.edit();
    say(view, &mut new, ("False", why), ("False", why));
    let message = format!("VirtualMachineRestore encountered error {why}");
    let told = Write::warn(restore, CONTROLLER, "VirtualMachineRestoreError", message);
    Write::update(restore, new).into_iter().flat_map(|update| [update, told.clone()]).collect()
}

/// The machine runs: somebody has to stop it.
fn wait_for_stop(view: &View<'_>, restore: &Object, machine: Option<&Object>) -> Vec<Write> {
    let policy = restore.text("/spec/targetReadinessPolicy");
    let mut new = restore.edit();
    let message =
        WAITING.iter().find(|(name, _)| *name == policy).map_or(WAITING_FOR_GRACE, |(_, text)| text);
    let mut writes = Vec::new();
    let over = match policy {
        "FailImmediate" => Some(NOT_NOW),
        "WaitEventually" => None,
        "StopTarget" => {
            writes.extend(machine.and_then(stopped));
            None
        }
        _ => view.waited(restore, "grace", GRACE).then_some(TOO_LATE),
    };
    match over {
        Some(why) => {
            say(view, &mut new, ("False", "Operation failed"), ("False", "Operation failed"));
            let failure = Condition { of: "Failure", status: "True", reason: why, message: "" };
            condition(&mut new, failure, Times::Probe, view.time);
        }
        None => say(view, &mut new, ("False", message), ("False", message)),
    }
    if let Some(update) = Write::update(restore, new) {
        writes.extend([update, Write::warn(restore, CONTROLLER, "RestoreTargetNotReady", STILL_THERE)]);
    }
    writes
}

fn stopped(machine: &Object) -> Option<Write> {
    let mut new = machine.edit();
    if machine.at("/spec/running").is_boolean() {
        set(&mut new, "/spec/running", false);
    } else {
        set(&mut new, "/spec/runStrategy", "Halted");
    }
    Write::update(machine, new)
}

fn let_go(view: &View<'_>, restore: &Object, machine: Option<&Object>) -> Vec<Write> {
    if !restore.has_finalizer(FINALIZER) {
        return Vec::new();
    }
    let mut writes: Vec<Write> = machine.and_then(|machine| unmarked(machine, restore)).into_iter().collect();
    let mut new = restore.edit();
    let why = "VM restore is deleting";
    say(view, &mut new, ("False", why), ("False", why));
    if restore.value() == &new {
        release(&mut new, FINALIZER);
    }
    writes.extend(Write::update(restore, new));
    writes
}

fn unmarked(machine: &Object, restore: &Object) -> Option<Write> {
    let mut new = machine.edit();
    remove(&mut new, IN_PROGRESS);
    (machine.text(IN_PROGRESS) == restore.name()).then(|| Write::update(machine, new)).flatten()
}

/// The snapshot a restore is made from, and what it kept.
fn kept<'a>(view: &'a View<'_>, restore: &'a Object) -> Result<(&'a Object, &'a Object), String> {
    let (namespace, name) = (restore.namespace(), restore.text("/spec/virtualMachineSnapshotName"));
    let snapshot = view
        .get(Kind::VirtualMachineSnapshot, namespace, name)
        .ok_or_else(|| format!("VMSnapshot {namespace}/{name} does not exist"))?;
    if snapshot.phase() == "Failed" {
        return Err(format!("VMSnapshot {namespace}/{name} failed and is invalid to use"));
    }
    if !snapshot.flag("/status/readyToUse") {
        return Err(format!("VMSnapshot {namespace}/{name} not ready"));
    }
    let name = snapshot.text("/status/virtualMachineSnapshotContentName");
    let content = view
        .get(Kind::VirtualMachineSnapshotContent, namespace, name)
        .ok_or_else(|| format!("VMSnapshotContent {namespace}/{name} does not exist"))?;
    if !content.flag("/status/readyToUse") {
        return Err(format!("VMSnapshotContent {namespace}/{name} not ready"));
    }
    Ok((snapshot, content))
}

/// The next thing there is to do: claims, disks, the machine, and what it had before.
fn go_on(view: &View<'_>, restore: &Object, machine: Option<&Object>) -> Vec<Write> {
    let (snapshot, content) = match kept(view, restore) {
        Ok(kept) => kept,
        Err(why) => return failed(view, restore, &why),
    };
    let is_restored = machine.is_some_and(|machine| restored::is_done(restore, machine));
    if let Some(machine) = machine.filter(|_| !is_restored) {
        if machine.uid() != snapshot.text("/status/sourceUID") {
            let why = "restore source and restore target are different but restore target already exists";
            return failed(view, restore, why);
        }
        let other = machine.text(IN_PROGRESS);
        if !other.is_empty() && other != restore.name() {
            return failed(view, restore, &format!("vm restore {other} in progress"));
        }
    }
    let mut writes = Vec::new();
    if let Some(machine) = machine.filter(|_| !is_restored) {
        let mut marked = machine.edit();
        set(&mut marked, IN_PROGRESS, restore.name());
        writes.extend(Write::update(machine, marked));
    }
    let mut new = restore.edit();
    let volumes = Volumes { view, restore, content, machine };
    let (step, progress, waiting) = match volumes.claims(&mut new) {
        Step::Done if is_restored => (Step::Done, "", ""),
        Step::Done => (volumes.machine(&mut new), "Updating target spec", "Waiting for target update"),
        other => (other, "Creating new PVCs", "Waiting for new PVCs"),
    };
    match step {
        Step::Done => {}
        Step::Failed(why) => {
            writes.extend(failed(view, restore, &why));
            return writes;
        }
        Step::Busy(more) => {
            writes.extend(more);
            say(view, &mut new, ("True", progress), ("False", waiting));
            writes.extend(Write::update(restore, new));
            return writes;
        }
    }
    writes.extend(finish(view, restore, machine, new));
    writes
}

fn finish(view: &View<'_>, restore: &Object, machine: Option<&Object>, mut new: Value) -> Vec<Write> {
    let obsolete = restore.list("/status/deletedDataVolumes").iter().filter_map(Value::as_str);
    let obsolete = obsolete.filter_map(|name| view.get(Kind::DataVolume, restore.namespace(), name));
    let mut writes: Vec<Write> = obsolete.filter_map(Write::delete).collect();
    writes.extend(machine.and_then(|machine| unmarked(machine, restore)));
    set(&mut new, "/status/complete", true);
    set(&mut new, "/status/restoreTime", json!(time(view.time)));
    say(view, &mut new, ("False", "Operation complete"), ("True", "Operation complete"));
    let message = format!("Successfully completed VirtualMachineRestore {}", restore.name());
    writes.push(Write::tell(restore, CONTROLLER, "VirtualMachineRestoreComplete", message));
    writes.extend(Write::update(restore, new));
    writes
}
