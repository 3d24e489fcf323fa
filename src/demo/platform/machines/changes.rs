//! What a changed machine means for the instance that runs: some of it is taken over, the rest waits for a restart.

use serde_json::Value;

use super::super::edit::{Condition, Times, condition, remove, remove_condition, set};
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::{birth, hotplug, is_final};
use crate::model::parse_bytes;

/// Fields of the template's specification that a running instance takes over.
const LIVE: &[&str] = &["/nodeSelector", "/affinity", "/tolerations"];

/// What is not compared: what is taken over, and what can grow.
const NOT_COMPARED: &[&str] = &[
    "/nodeSelector",
    "/affinity",
    "/tolerations",
    "/domain/cpu/sockets",
    "/domain/cpu/maxSockets",
    "/domain/memory/guest",
    "/domain/memory/maxGuest",
];

/// What keeps a change from a running instance.
const OTHER_FIELD: &str = "a non-live-updatable field was changed in the template spec";
const FEWER_SOCKETS: &str = "Reduction of CPU socket count requires a restart";
const TOO_MANY_SOCKETS: &str = "CPU sockets updated in template spec to a value higher than what's available";
const LESS_MEMORY: &str = "memory updated in template spec to a value lower than what the VM started with";
const TOO_MUCH_MEMORY: &str = "memory updated in template spec to a value higher than what's available";

/// Changes a running instance so far as that is possible.
pub(super) fn apply(view: &View<'_>, vm: &Object, vmi: &Object) -> Vec<Write> {
    let mut new = vmi.edit();
    let template = |field: &str| vm.at(&format!("/spec/template/spec{field}"));
    if vmi.phase() == "Running" && against(view, vm, vmi).is_none() {
        for field in LIVE {
            let (wanted, pointer) = (template(field), format!("/spec{field}"));
            if wanted.is_null() {
                remove(&mut new, &pointer);
            } else {
                set(&mut new, &pointer, wanted.clone());
            }
        }
        for field in ["/domain/cpu/sockets", "/domain/memory/guest"] {
            let wanted = template(field);
            if !wanted.is_null()
                && !vmi.at(&format!("/spec{field}")).is_null()
                && was_changed(view, vm, vmi, field)
            {
                set(&mut new, &format!("/spec{field}"), wanted.clone());
            }
        }
        hotplug::take_over(vm, vmi, &mut new);
    }
    Write::update(vmi, new).into_iter().collect()
}

fn started_with<'a>(view: &'a View<'_>, vmi: &Object, field: &str) -> Option<&'a Value> {
    birth::revision_of(view, vmi).map(|revision| revision.at(&format!("/data/spec/template/spec{field}")))
}

fn was_changed(view: &View<'_>, vm: &Object, vmi: &Object, field: &str) -> bool {
    started_with(view, vmi, field).is_some_and(|old| old != vm.at(&format!("/spec/template/spec{field}")))
}

/// Why an instance cannot be as its machine is now.
fn against(view: &View<'_>, vm: &Object, vmi: &Object) -> Option<&'static str> {
    let old = started_with(view, vmi, "")?;
    let new = vm.at("/spec/template/spec");
    let plain = |spec: &Value| {
        let mut plain = spec.clone();
        for field in NOT_COMPARED {
            remove(&mut plain, field);
        }
        hotplug::without(&mut plain);
        plain
    };
    if plain(old) != plain(new) {
        return Some(OTHER_FIELD);
    }
    let number = |spec: &Value| spec.pointer("/domain/cpu/sockets").and_then(Value::as_u64).unwrap_or(1);
    let most = vmi.number("/spec/domain/cpu/maxSockets").and_then(|most| u64::try_from(most).ok());
    let bytes = |spec: &Value, field: &str| spec.pointer(field).and_then(Value::as_str).and_then(parse_bytes);
    let memory = |spec: &Value| bytes(spec, "/domain/memory/guest");
    let most_memory = bytes(vmi.at("/spec"), "/domain/memory/maxGuest");
    match (number(old), number(new)) {
        (before, now) if now < before => return Some(FEWER_SOCKETS),
        (_, now) if most.is_some_and(|most| now > most) => return Some(TOO_MANY_SOCKETS),
        _ => {}
    }
    match memory(old).zip(memory(new)) {
        Some((before, now)) if now < before => Some(LESS_MEMORY),
        Some((_, now)) if most_memory.is_some_and(|most| now > most) => Some(TOO_MUCH_MEMORY),
        _ => None,
    }
}

/// Says whether a machine has to be restarted to become what it is described as.
pub(super) fn restart_required(view: &View<'_>, vm: &Object, vmi: Option<&Object>, new: &mut Value) {
    let running = vmi.filter(|vmi| !is_final(vmi));
    match running.and_then(|vmi| against(view, vm, vmi)) {
        Some(message) => {
            let of = Condition { of: "RestartRequired", status: "True", reason: "", message };
            condition(new, of, Times::Probe, view.time);
        }
        None => remove_condition(new, "RestartRequired"),
    }
}
