//! The guest on its node, as virt-handler tells of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{Condition, list, remove_condition, set, time};
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::instance::{enter, pod_of};
use super::{GUEST, HANDLER, cause, guest, is_final, launcher};

/// How long a guest takes to be defined and started, at least; half as long again at most.
const BOOT: Duration = Duration::from_secs(2);

/// How long after that its agent reports, at least; as long again at most.
const AGENT: Duration = Duration::from_secs(8);

/// How long a guest takes to shut down.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// What guests do of themselves when it is asked for: the cause, when, and whether that is a crash.
const ENDS: &[(&str, Duration, bool)] = &[
    ("crash-loop", Duration::from_secs(2), true),
    ("guest-crashes", Duration::from_secs(60), true),
    ("powers-off", Duration::from_secs(60), false),
];

/// When a guest that cannot be moved any longer says so.
const PINNED: Duration = Duration::from_secs(40);

/// Looks after a guest.
pub(super) fn step(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let Some(pod) = pod_of(view, vmi) else { return Vec::new() };
    if is_final(vmi) || !matches!(vmi.phase(), "Scheduled" | "Running") {
        return Vec::new();
    }
    let mut new = vmi.edit();
    let mut said = Vec::new();
    if vmi.is_ending() || pod.is_ending() && !migrated_away(vmi, pod) {
        shut_down(view, vmi, pod, &mut new, &mut said);
    } else if vmi.phase() == "Scheduled" {
        boot(view, vmi, pod, &mut new, &mut said);
    } else {
        run(view, vmi, pod, &mut new, &mut said);
    }
    Write::update(vmi, new).into_iter().chain(said).collect()
}

/// Whether the guest left that pod.
fn migrated_away(vmi: &Object, pod: &Object) -> bool {
    vmi.text("/status/nodeName") != pod.text("/spec/nodeName")
}

fn shut_down(view: &View<'_>, vmi: &Object, pod: &Object, new: &mut Value, said: &mut Vec<Write>) {
    if vmi.phase() == "Scheduled" {
        enter(new, "Failed", view);
        return;
    }
    if view.is_first(vmi, "shuts-down") {
        said.push(Write::tell(vmi, HANDLER, "ShuttingDown", "Signaled Graceful Shutdown"));
    }
    let grace = Duration::from_secs(u64::try_from(grace(vmi, pod)).unwrap_or_default());
    if !view.waited(vmi, "shut-down", SHUTDOWN.min(grace)) {
        return;
    }
    over(view, vmi, pod, grace < SHUTDOWN, new, said);
}

/// The seconds a guest has: what was asked for when it was stopped, or what its machine says.
fn grace(vmi: &Object, pod: &Object) -> i64 {
    let asked = pod.number("/metadata/deletionGracePeriodSeconds").filter(|_| !vmi.is_ending());
    asked.unwrap_or_else(|| launcher::grace(vmi))
}

/// Ends a guest.
fn over(view: &View<'_>, vmi: &Object, pod: &Object, badly: bool, new: &mut Value, said: &mut Vec<Write>) {
    if badly {
        view.count(pod, launcher::CRASHED, 1);
        said.push(Write::warn(vmi, HANDLER, "Stopped", "The VirtualMachineInstance crashed."));
        enter(new, "Failed", view);
    } else {
        said.push(Write::tell(vmi, HANDLER, "Stopped", "The VirtualMachineInstance was shut down."));
        enter(new, "Succeeded", view);
    }
}

fn boot(view: &View<'_>, vmi: &Object, pod: &Object, new: &mut Value, said: &mut Vec<Write>) {
    if cause(view, vmi) == "crash-loop" {
        if view.waited(vmi, "crashes", ENDS[0].1) {
            over(view, vmi, pod, true, new, said);
        }
        return;
    }
    let takes = BOOT.mul_f64(1.0 + view.chance(vmi, "boot"));
    if !view.waited(vmi, "boots", takes) {
        return;
    }
    said.push(Write::tell(vmi, HANDLER, "Created", "VirtualMachineInstance defined."));
    said.push(Write::tell(vmi, HANDLER, "Started", "VirtualMachineInstance started."));
    enter(new, "Running", view);
    let processors = |field: &str| vmi.number(&format!("/spec/domain/cpu/{field}")).unwrap_or(1);
    let topology = ["cores", "sockets", "threads"].map(|field| (field.to_owned(), processors(field).into()));
    set(new, "/status/currentCPUTopology", Value::Object(topology.into_iter().collect()));
    let memory = vmi.text("/spec/domain/memory/guest");
    if !memory.is_empty() {
        for field in ["guestAtBoot", "guestCurrent", "guestRequested"] {
            set(new, &format!("/status/memory/{field}"), memory);
        }
    }
    set(new, "/status/machine", json!({"type": machine_type(vmi)}));
    set(new, "/status/selinuxContext", "system_u:object_r:container_file_t:s0:c107,c512");
    set(new, "/status/volumeStatus", with_hotplugged(vmi, guest::volumes(view, vmi, true)));
    set(new, "/status/interfaces", guest::interfaces(vmi, pod, guest::system(view, vmi), false));
    set(new, "/status/migrationMethod", migration_method(view, vmi));
    if pod.is("Ready") {
        state(view, new, Condition { of: "Ready", status: "True", reason: "", message: "" });
    }
    migratable(view, guest::against_migration(view, vmi).as_ref(), new);
    state(view, new, Condition { of: "StorageLiveMigratable", status: "True", reason: "", message: "" });
    if vmi.text("/spec/startStrategy") == "Paused" {
        let message = "VMI was paused by user";
        state(view, new, Condition { of: "Paused", status: "True", reason: "PausedByUser", message });
    }
}

fn machine_type(vmi: &Object) -> &str {
    match vmi.text("/spec/domain/machine/type") {
        "" | "q35" => "pc-q35-rhel9.6.0",
        other => other,
    }
}

fn migration_method(view: &View<'_>, vmi: &Object) -> &'static str {
    if guest::against_migration(view, vmi).is_some() { "BlockMigration" } else { "LiveMigration" }
}

fn migratable(view: &View<'_>, against: Option<&(&str, String)>, new: &mut Value) {
    let of = "LiveMigratable";
    match against {
        Some((reason, message)) => state(view, new, Condition { of, status: "False", reason, message }),
        None => state(view, new, Condition { of, status: "True", reason: "", message: "" }),
    }
}

/// Keeps the disks that were plugged in while the guest runs.
fn with_hotplugged(vmi: &Object, mut volumes: Value) -> Value {
    let plugged = vmi.list("/status/volumeStatus").iter().filter(|one| one["hotplugVolume"].is_object());
    if let Some(all) = volumes.as_array_mut() {
        all.extend(plugged.cloned());
    }
    volumes
}

fn run(view: &View<'_>, vmi: &Object, pod: &Object, new: &mut Value, said: &mut Vec<Write>) {
    let cause = cause(view, vmi);
    if let Some((_, after, badly)) = ENDS.iter().find(|(word, _, _)| *word == cause)
        && view.waited(vmi, "ends", *after)
    {
        over(view, vmi, pod, *badly, new, said);
        return;
    }
    if cause == "not-migratable" && view.waited(vmi, "pinned", PINNED) {
        let text = guest::not_shared(&format!("{}-root", vmi.name()));
        migratable(view, Some(&("DisksNotLiveMigratable", text)), new);
    }
    match vmi.annotation(GUEST) {
        "powered-off" => return over(view, vmi, pod, false, new, said),
        "crashed" => return over(view, vmi, pod, true, new, said),
        _ => {}
    }
    let takes = AGENT.mul_f64(1.0 + view.chance(vmi, "agent"));
    let paused = vmi.is("Paused");
    let agent = vmi.is("AgentConnected")
        || !paused && guest::has_agent(view, vmi) && view.waited(vmi, "agent", takes);
    let system = guest::system(view, vmi);
    if agent {
        state(view, new, Condition { of: "AgentConnected", status: "True", reason: "", message: "" });
        set(new, "/status/guestOSInfo", guest::system_info(system));
    }
    if pod.text("/spec/nodeName") == vmi.text("/status/nodeName") && !pod.text("/status/podIP").is_empty() {
        set(new, "/status/interfaces", guest::interfaces(vmi, pod, system, agent));
    }
    grow(view, vmi, new);
}

/// Processors and memory that were added while the guest runs come after a moment.
fn grow(view: &View<'_>, vmi: &Object, new: &mut Value) {
    let wanted = vmi.number("/spec/domain/cpu/sockets").unwrap_or(1);
    let memory = vmi.text("/spec/domain/memory/guest");
    let more = vmi.number("/status/currentCPUTopology/sockets").is_some_and(|now| now < wanted);
    let more_memory = !vmi.text("/status/memory/guestRequested").is_empty()
        && vmi.text("/status/memory/guestRequested") != memory;
    for (of, grows) in [("HotVCPUChange", more), ("HotMemoryChange", more_memory)] {
        if !grows {
            remove_condition(new, of);
            view.forget(vmi, of);
        } else if view.waited(vmi, of, Duration::from_secs(10)) {
            remove_condition(new, of);
            if of == "HotVCPUChange" {
                set(new, "/status/currentCPUTopology/sockets", wanted);
            } else {
                set(new, "/status/memory/guestRequested", memory);
                set(new, "/status/memory/guestCurrent", memory);
            }
        } else {
            state(view, new, Condition { of, status: "True", reason: "", message: "" });
        }
    }
}

/// Writes a condition as virt-handler does.
fn state(view: &View<'_>, new: &mut Value, of: Condition<'_>) {
    let conditions = list(new, "/status/conditions");
    let mut one = json!({"type": of.of, "status": of.status, "lastProbeTime": null, "lastTransitionTime": time(view.time)});
    for (field, value) in [("reason", of.reason), ("message", of.message)] {
        if !value.is_empty() {
            one[field] = value.into();
        }
    }
    match conditions.iter_mut().find(|known| known["type"] == of.of) {
        Some(known) if known["status"] == of.status && known["reason"] == one["reason"] => {}
        Some(known) => *known = one,
        None => conditions.push(one),
    }
}
