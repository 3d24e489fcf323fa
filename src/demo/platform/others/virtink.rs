//! Virtink's VirtualMachines: its controller decides when one runs, its daemon on the node has Cloud Hypervisor do it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{finalize, list, release, remove, set, time};
use super::super::kind::Kind;
use super::super::machines::GUEST;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::{pod, suffix};

pub(super) const CONTROLLER: &str = "virtink-controller";
const DAEMON: &str = "virtink-daemon";
const FINALIZER: &str = "virtink.io/vm-protection";
const ACTION: &str = "/status/powerAction";

/// How long the daemon takes to have a guest booted.
const BOOT: Duration = Duration::from_millis(1500);

/// How long a guest takes to shut down that was asked to.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How long a machine waits for its next life. Virtink itself does not wait.
const AGAIN: Duration = Duration::from_secs(2);

/// What the daemon says of an action that it has carried out: the action, the reason, the sentence.
const ACTIONS: &[(&str, &str, &str)] = &[
    ("PowerOff", "PoweredOff", "Powered off VM"),
    ("Shutdown", "Shutdown", "Shutdown VM"),
    ("Reset", "Reset", "Reset VM"),
    ("Reboot", "Rebooted", "Rebooted VM"),
    ("Pause", "Paused", "Paused VM"),
    ("Resume", "Resumed", "Resumed VM"),
];

/// What is told of a guest's end, and the phase that comes of it.
const ENDS: &[(&str, &str)] = &[("powered-off", "Succeeded"), ("crashed", "Failed")];

/// When a machine is started: the run policy, and whether from the beginning, after its guest was powered off, after a failure.
const POLICIES: &[(&str, [bool; 3])] = &[
    ("Always", [true, true, true]),
    ("RerunOnFailure", [true, false, true]),
    ("Once", [true, false, false]),
    ("Manual", [false, false, false]),
    ("Halted", [false, false, false]),
];

/// What Virtink does for a machine.
pub(super) fn step(view: &View<'_>, machine: &Object) -> Vec<Write> {
    let own = view.controlled(Kind::Pod, machine).find(|pod| pod.name() == machine.text("/status/vmPodName"));
    if machine.is_ending() {
        return let_go(view, machine);
    }
    if let Some(left) = left_behind(view, machine) {
        return vec![left];
    }
    let mut new = machine.edit();
    finalize(&mut new, FINALIZER);
    let more = match machine.phase() {
        "" | "Succeeded" | "Failed" => idle(view, machine, &mut new),
        "Pending" => {
            set(&mut new, "/status/phase", "Scheduling");
            set(&mut new, "/status/vmPodName", format!("vm-{}-{}", machine.name(), suffix(view, machine)));
            Vec::new()
        }
        "Scheduling" => schedule(view, machine, own, &mut new),
        "Scheduled" => boot(view, machine, own, &mut new),
        "Running" => run(view, machine, own, &mut new),
        _ => Vec::new(),
    };
    Write::update(machine, new).into_iter().chain(more).collect()
}

fn let_go(view: &View<'_>, machine: &Object) -> Vec<Write> {
    let mut writes: Vec<Write> = view.controlled(Kind::Pod, machine).filter_map(Write::delete).collect();
    if view.controlled(Kind::Pod, machine).next().is_none() {
        let mut new = machine.edit();
        release(&mut new, FINALIZER);
        writes.extend(Write::update(machine, new));
    }
    writes
}

/// The pod that the guest of a running machine has left.
fn left_behind(view: &View<'_>, machine: &Object) -> Option<Write> {
    let names = [machine.text("/status/vmPodName"), machine.text("/status/migration/targetVMPodName")];
    let runs = machine.phase() == "Running";
    let mut others = view.controlled(Kind::Pod, machine).filter(|pod| runs && !names.contains(&pod.name()));
    others.find_map(Write::delete)
}

fn policy(machine: &Object) -> &str {
    match machine.text("/spec/runPolicy") {
        "" => "Once",
        policy => policy,
    }
}

/// A machine that does not run: its last pod goes, and it is decided whether it shall have another.
fn idle(view: &View<'_>, machine: &Object, new: &mut Value) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut left = false;
    for pod in view.controlled(Kind::Pod, machine) {
        left = true;
        if let Some(delete) = Write::delete(pod) {
            let message = format!("Deleted VM Pod {:?}", pod.name());
            writes.extend([delete, Write::tell(machine, CONTROLLER, "DeletedVMPod", message)]);
        }
    }
    let word = format!("again-{}", machine.text("/status/vmPodName"));
    let has_run = !machine.phase().is_empty();
    if left || has_run && !view.waited(machine, &word, AGAIN) {
        return writes;
    }
    let when = match machine.phase() {
        "Succeeded" => 1,
        "Failed" => 2,
        _ => 0,
    };
    let row = POLICIES.iter().find(|(name, _)| *name == policy(machine));
    let starts = row.is_some_and(|(_, starts)| starts.get(when).copied().unwrap_or_default());
    let asked = machine.text(ACTION) == "PowerOn" && policy(machine) != "Halted";
    if starts || asked {
        new["status"] = json!({"phase": "Pending"});
    } else {
        remove(new, ACTION);
        if has_run && matches!(policy(machine), "Manual" | "Halted") {
            // What there was to know of it is forgotten.
            new["status"] = json!({});
        }
    }
    writes
}

/// A machine with a pod's name: the pod is made as soon as its disks are there.
fn schedule(view: &View<'_>, machine: &Object, own: Option<&Object>, new: &mut Value) -> Vec<Write> {
    let Some(own) = own else {
        if !pod::disks_are_ready(view, machine) {
            return Vec::new();
        }
        let name = machine.text("/status/vmPodName");
        let message = format!("Created VM Pod {name:?}");
        let told = Write::tell(machine, CONTROLLER, "CreatedVMPod", message);
        return vec![Write::Create(pod::of(machine)), told];
    };
    match own.phase() {
        "Running" => {
            set(new, "/status/vmPodUID", own.uid());
            set(new, "/status/nodeName", own.text("/spec/nodeName"));
            set(new, "/status/phase", "Scheduled");
        }
        "Succeeded" | "Failed" => set(new, "/status/phase", own.phase()),
        _ => {}
    }
    Vec::new()
}

/// A machine whose pod is lost has failed.
fn is_lost(own: Option<&Object>, new: &mut Value) -> bool {
    let end = match own.map(Object::phase) {
        None | Some("Failed") => "Failed",
        Some("Succeeded") => "Succeeded",
        Some(_) => return false,
    };
    set(new, "/status/phase", end);
    true
}

fn boot(view: &View<'_>, machine: &Object, own: Option<&Object>, new: &mut Value) -> Vec<Write> {
    let word = format!("boot-{}", machine.text("/status/vmPodUID"));
    if !is_lost(own, new) && view.waited(machine, &word, BOOT) {
        set(new, "/status/phase", "Running");
    }
    Vec::new()
}

fn run(view: &View<'_>, machine: &Object, own: Option<&Object>, new: &mut Value) -> Vec<Write> {
    if is_lost(own, new) {
        return Vec::new();
    }
    // The guest has ended by itself, and Cloud Hypervisor with it.
    if let Some((_, end)) =
        ENDS.iter().find(|(told, _)| own.is_some_and(|own| own.annotation(GUEST) == *told))
    {
        set(new, "/status/phase", *end);
        return Vec::new();
    }
    let ready = own.is_some_and(|own| own.is("Ready"));
    let status = if ready { "True" } else { "False" };
    say(view, new, "Ready", status, if ready { "PodReady" } else { "PodNotReady" }, "");
    if machine.condition("Migratable").is_none() {
        let (status, reason, message) = pod::migratable(machine);
        say(view, new, "Migratable", status, reason, message);
    }
    if policy(machine) == "Halted" {
        set(new, "/status/phase", "Succeeded");
        return Vec::new();
    }
    let action = machine.text(ACTION);
    let asked = format!("asked-{}", machine.text("/status/vmPodUID"));
    let is_shutting_down =
        action == "Shutdown" || own.is_some_and(|own| !own.annotation(SHUTTING_DOWN).is_empty());
    if action == "PowerOff"
        || is_shutting_down && action != "Shutdown" && view.waited(machine, &asked, SHUTDOWN)
    {
        set(new, "/status/phase", "Succeeded");
    }
    let Some((_, reason, message)) = ACTIONS.iter().find(|(name, _, _)| *name == action) else {
        return Vec::new();
    };
    remove(new, ACTION);
    let mut writes = vec![Write::tell(machine, DAEMON, reason, *message)];
    if let Some(own) = own.filter(|_| action == "Shutdown") {
        let mut marked = own.edit();
        super::super::edit::annotate(&mut marked, SHUTTING_DOWN, "true");
        writes.extend(Write::update(own, marked));
    }
    writes
}

/// On the pod of a guest whose power button was pressed: nothing else would know of it.
const SHUTTING_DOWN: &str = "v9s.dev/shutting-down";

/// A condition of which every field has to be there.
fn say(view: &View<'_>, new: &mut Value, of: &str, status: &str, reason: &str, message: &str) {
    let conditions = list(new, "/status/conditions");
    let old = conditions.iter().position(|one| one["type"] == of);
    let since = old.and_then(|index| conditions.get(index)).filter(|one| one["status"] == status);
    let since = since.map_or_else(|| json!(time(view.time)), |one| one["lastTransitionTime"].clone());
    let condition = json!({
        "type": of, "status": status, "reason": reason, "message": message, "lastTransitionTime": since,
    });
    match old {
        Some(index) => conditions[index] = condition,
        None => conditions.push(condition),
    }
}
