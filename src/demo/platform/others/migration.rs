//! Virtink's VirtualMachineMigrations: a second pod, and the guest goes over into it.
//!
//! Virtink's controller and daemon share this work through the machine's status; here one part does all of it, and writes
//! down in both objects what they would.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{remove, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::virtink::CONTROLLER;
use super::{pod, suffix};

/// The steps of a migration whose target pod is there, and how long each takes.
const STEPS: [(&str, &str, Duration); 4] = [
    ("Scheduled", "TargetReady", Duration::from_secs(1)),
    ("TargetReady", "Running", Duration::from_millis(500)),
    ("Running", "Sent", Duration::from_secs(12)),
    ("Sent", "Succeeded", Duration::from_secs(1)),
];

/// What Virtink does for a migration.
pub(super) fn step(view: &View<'_>, migration: &Object) -> Vec<Write> {
    let phase = migration.phase();
    if migration.is_ending() || is_final(phase) {
        return Vec::new();
    }
    let machine = view.get(Kind::VirtinkMachine, migration.namespace(), migration.text("/spec/vmName"));
    let Some(machine) = machine.filter(|machine| machine.phase() == "Running" && !machine.is_ending()) else {
        return moved_to(migration, "Failed", |_| {});
    };
    let under_way = machine.text("/status/migration/uid");
    match phase {
        "" => moved_to(migration, "Pending", |new| {
            set(new, "/status/sourceNodeName", machine.text("/status/nodeName"));
        }),
        // One at a time.
        "Pending" if !under_way.is_empty() && under_way != migration.uid() => Vec::new(),
        "Pending" => begin(view, migration, machine),
        _ => go_on(view, migration, machine),
    }
}

fn is_final(phase: &str) -> bool {
    matches!(phase, "Succeeded" | "Failed")
}

fn moved_to(migration: &Object, phase: &str, more: impl FnOnce(&mut Value)) -> Vec<Write> {
    let mut new = migration.edit();
    set(&mut new, "/status/phase", phase);
    more(&mut new);
    Write::update(migration, new).into_iter().collect()
}

/// The machine learns that it moves, and which pod it will have.
fn begin(view: &View<'_>, migration: &Object, machine: &Object) -> Vec<Write> {
    let name = format!("vm-{}-{}", machine.name(), suffix(view, migration));
    let mut new = machine.edit();
    set(
        &mut new,
        "/status/migration",
        json!({"uid": migration.uid(), "phase": "Scheduling", "targetVMPodName": name}),
    );
    let mut writes: Vec<Write> = Write::update(machine, new).into_iter().collect();
    writes.extend(moved_to(migration, "Scheduling", |_| {}));
    writes
}

fn go_on(view: &View<'_>, migration: &Object, machine: &Object) -> Vec<Write> {
    let name = machine.text("/status/migration/targetVMPodName");
    let target = view.controlled(Kind::Pod, machine).find(|pod| pod.name() == name);
    let Some(target) = target else {
        if migration.phase() != "Scheduling" {
            return end(migration, machine, "Failed", None);
        }
        let message = format!("Created target VM Pod {name:?}");
        let told = Write::tell(machine, CONTROLLER, "CreatedTargetVMPod", message);
        return vec![Write::Create(pod::target(machine, name)), told];
    };
    match (target.phase(), migration.phase()) {
        ("Succeeded" | "Failed", _) => end(migration, machine, "Failed", Some(target)),
        ("Running", "Scheduling") => {
            let node = target.text("/spec/nodeName");
            let mut new = machine.edit();
            for (field, value) in [
                ("phase", json!("Scheduled")),
                ("targetNodeName", json!(node)),
                ("targetVMPodUID", json!(target.uid())),
            ] {
                set(&mut new, &format!("/status/migration/{field}"), value);
            }
            let mut writes: Vec<Write> = Write::update(machine, new).into_iter().collect();
            writes.extend(moved_to(migration, "Scheduled", |new| set(new, "/status/targetNodeName", node)));
            writes
        }
        (_, phase) => match STEPS.iter().find(|(from, ..)| *from == phase) {
            Some((from, to, long)) if view.waited(migration, from, *long) => {
                if is_final(to) {
                    return end(migration, machine, to, Some(target));
                }
                let mut new = machine.edit();
                set(&mut new, "/status/migration/phase", *to);
                let mut writes: Vec<Write> = Write::update(machine, new).into_iter().collect();
                writes.extend(moved_to(migration, to, |_| {}));
                writes
            }
            _ => Vec::new(),
        },
    }
}

/// The machine is in its new pod, or stays in the old one; the other one goes.
fn end(migration: &Object, machine: &Object, phase: &str, target: Option<&Object>) -> Vec<Write> {
    let mut new = machine.edit();
    remove(&mut new, "/status/migration");
    let mut writes = Vec::new();
    match target {
        Some(target) if phase == "Succeeded" => {
            set(&mut new, "/status/vmPodName", target.name());
            set(&mut new, "/status/vmPodUID", target.uid());
            set(&mut new, "/status/nodeName", target.text("/spec/nodeName"));
        }
        target => writes.extend(target.and_then(Write::delete)),
    }
    writes.extend(Write::update(machine, new));
    writes.extend(moved_to(migration, phase, |_| {}));
    writes
}
