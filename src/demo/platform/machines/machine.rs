//! A machine: its disks first, then its instance; and what its status says about it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, finalize, release, remove, set};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::birth::{self, FINALIZER};
use super::status::Seen;
use super::strategy::{self, Want};
use super::types::{self, Trouble, Types};
use super::{CONTROLLER, changes, disks};

/// The version of a machine's definition that its controller knows.
const VERSIONS: [&str; 2] =
    ["kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version"];

/// A refused instance is tried again after this, and after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What a look at a machine has led to.
#[derive(Default)]
struct Done {
    writes: Vec<Write>,
    trouble: Option<Trouble>,
    /// Whether it came to the run strategy.
    settled: bool,
    failure: Value,
    requests: Vec<Value>,
}

/// Looks after a machine.
pub(super) fn step(view: &View<'_>, vm: &Object) -> Vec<Write> {
    let vmi = view.get(Kind::VirtualMachineInstance, vm.namespace(), vm.name());
    let vmi = vmi.filter(|vmi| vmi.controller_uid() == vm.uid());
    if vm.is_ending() {
        return end(view, vm, vmi);
    }
    if vm.at("/status").is_null() {
        let mut new = vm.edit();
        set(&mut new, "/status/printableStatus", "Stopped");
        set(&mut new, "/status/volumeSnapshotStatuses", disks::snapshots(view, vm));
        return Write::update(vm, new).into_iter().collect();
    }
    let furnished = furnished(vm);
    if &furnished != vm.value() {
        return Write::update(vm, furnished).into_iter().collect();
    }
    let (types, found) = match types::find(view, vm) {
        Ok(types) => (types, None),
        Err(trouble) => (Types::default(), Some(trouble)),
    };
    let mut done = match found {
        Some(trouble) => Done {
            trouble: Some(trouble),
            failure: vm.at("/status/startFailure").clone(),
            requests: vm.list("/status/stateChangeRequests").to_vec(),
            ..Done::default()
        },
        None => sync(view, vm, vmi, &types),
    };
    let mut new = done_edit(&mut done, vm);
    let seen = Seen { view, vm, vmi, failure: &done.failure, asked: !done.requests.is_empty() };
    write_status(&seen, &done, &types, &mut new);
    done.writes.extend(Write::update(vm, new));
    done.writes
}

/// A change of the machine itself that goes along with its status.
fn done_edit(done: &mut Done, vm: &Object) -> Value {
    let mut new = vm.edit();
    done.writes.retain(|write| match write {
        Write::Update { before, after } if before.reference() == vm.reference() => {
            new = after.clone();
            false
        }
        _ => true,
    });
    new
}

/// A machine as its controller wants to find it.
fn furnished(vm: &Object) -> Value {
    let mut new = vm.edit();
    for key in VERSIONS {
        annotate(&mut new, key, "v1");
    }
    finalize(&mut new, FINALIZER);
    if vm.text("/spec/template/spec/domain/firmware/uuid").is_empty() {
        let hash = super::super::nodes::hash(&[vm.name(), "firmware"], 32);
        let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
        let uuid =
            format!("{}-{}-5{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
        set(&mut new, "/spec/template/spec/domain/firmware/uuid", uuid);
    }
    new
}

fn end(view: &View<'_>, vm: &Object, vmi: Option<&Object>) -> Vec<Write> {
    let Some(vmi) = vmi else {
        let mut new = vm.edit();
        release(&mut new, FINALIZER);
        return Write::update(vm, new).into_iter().collect();
    };
    let mut writes = stop(vm, vmi);
    let mut new = vm.edit();
    set(&mut new, "/status/printableStatus", "Terminating");
    let seen = Seen { view, vm, vmi: Some(vmi), failure: &Value::Null, asked: false };
    if !super::is_final(vmi) {
        seen.conditions(&mut new);
    }
    writes.extend(Write::update(vm, new));
    writes
}

fn stop(vm: &Object, vmi: &Object) -> Vec<Write> {
    let Some(delete) = Write::delete(vmi) else { return Vec::new() };
    let text = format!("Stopped the virtual machine by deleting the virtual machine instance {}", vmi.uid());
    vec![delete, Write::tell(vm, CONTROLLER, "SuccessfulDelete", text)]
}

/// Sees to disks and instance.
fn sync(view: &View<'_>, vm: &Object, vmi: Option<&Object>, types: &Types<'_>) -> Done {
    let decision = strategy::decide(view, vm, vmi);
    let mut done = Done { failure: decision.failure, requests: decision.requests, ..Done::default() };
    let halted = strategy::of(vm) == "Halted";
    if !(halted && vm.annotation("kubevirt.io/immediate-data-volume-creation") == "false") {
        let provided = disks::provide(view, vm);
        done.writes = provided.writes;
        if let Some(why) = provided.trouble {
            done.trouble =
                Some(("FailedCreate", format!("Error encountered while creating DataVolumes: {why}")));
            return done;
        }
        // Nothing else is done for a machine that is to run before its disks are there; one that shall stop may.
        if !provided.ready && !halted && vmi.is_none() {
            return done;
        }
    }
    done.settled = true;
    done.writes.extend(types.copies(view, vm));
    if let Some(strategy) = decision.strategy {
        let mut new = vm.edit();
        set(&mut new, "/spec/runStrategy", strategy);
        remove(&mut new, "/spec/running");
        done.writes.extend(Write::update(vm, new));
    }
    match (decision.want, vmi) {
        (Want::Stop, Some(vmi)) => done.writes.extend(stop(vm, vmi)),
        (Want::Start, None) => start(view, vm, types, &mut done),
        _ => {}
    }
    if let Some(vmi) = vmi {
        for word in ["tries", "told"] {
            view.count(vm, &format!("{word}-{}", vm.generation()), 0);
        }
        view.forget(vm, &format!("refused-{}", vm.generation()));
        if !vmi.is_ending() && !super::is_final(vmi) {
            done.writes.extend(changes::apply(view, vm, vmi));
        }
    }
    done
}

/// Makes the instance, unless it was refused a moment ago.
fn start(view: &View<'_>, vm: &Object, types: &Types<'_>, done: &mut Done) {
    let (tries, told) = (format!("tries-{}", vm.generation()), format!("told-{}", vm.generation()));
    let vmi = birth::instance(view, vm, types);
    let reference = Reference::new(Kind::VirtualMachineInstance, vm.namespace(), vm.name());
    let asked = view.counted(vm, &tries);
    let refused = birth::against(&vmi).map(|(_, why)| why).or_else(|| {
        let refused = view.refused(&reference).filter(|_| asked > 0);
        refused.map(|refused| refused.message.clone())
    });
    let due = match &refused {
        Some(_) => due_tries(view, vm),
        None => asked + 1,
    };
    if let Some(why) = &refused {
        done.settled = false;
        done.trouble = Some(("FailedCreate", format!("Failure while starting VMI: {why}")));
        if view.count(vm, &told, due) < due {
            let text = format!("Error creating virtual machine instance: {why}");
            done.writes.push(Write::warn(vm, CONTROLLER, "FailedCreate", text));
        }
        if birth::against(&vmi).is_some() {
            return;
        }
    }
    if asked < due {
        view.count(vm, &tries, due);
        done.settled = false;
        done.writes.extend(birth::revisions(view, vm));
        done.writes.push(Write::Create(vmi));
        done.writes.push(birth::announce(vm));
    }
}

/// How often a refused instance was to be tried by now.
fn due_tries(view: &View<'_>, vm: &Object) -> usize {
    let age = view.age(vm, &format!("refused-{}", vm.generation()));
    let (mut tries, mut at, mut pause) = (1, Duration::ZERO, FIRST_PAUSE);
    while at + pause <= age {
        at += pause;
        pause = (pause * 2).min(LONGEST_PAUSE);
        tries += 1;
    }
    view.look_in((at + pause).saturating_sub(age));
    tries
}

fn write_status(seen: &Seen<'_, '_>, done: &Done, types: &Types<'_>, new: &mut Value) {
    let (view, vm, vmi) = (seen.view, seen.vm, seen.vmi);
    set(new, "/status/printableStatus", seen.word());
    set(new, "/status/volumeSnapshotStatuses", disks::snapshots(view, vm));
    let keep = |new: &mut Value, field: &str, value: Value| {
        let pointer = format!("/status/{field}");
        if value.is_null() || value == json!([]) || value == false {
            remove(new, &pointer);
        } else {
            set(new, &pointer, value);
        }
    };
    keep(new, "created", vmi.is_some().into());
    keep(new, "ready", vmi.is_some_and(|vmi| vmi.is("Ready")).into());
    keep(new, "startFailure", done.failure.clone());
    keep(new, "stateChangeRequests", done.requests.clone().into());
    if done.settled
        && (vmi.is_some() || !vm.at("/status/runStrategy").is_null() || strategy::of(vm) == "Halted")
    {
        set(new, "/status/runStrategy", strategy::of(vm));
    }
    if let Some(vmi) = vmi {
        if let Ok(generation) = vmi.annotation(birth::GENERATION).parse::<i64>() {
            set(new, "/status/observedGeneration", generation);
        }
        set(new, "/status/desiredGeneration", vm.generation());
    } else if !vm.at("/status/desiredGeneration").is_null() {
        set(new, "/status/desiredGeneration", vm.generation());
    }
    types.note(vm, new);
    seen.conditions(new);
    seen.failure(new, done.trouble.as_ref().map(|(reason, message)| (*reason, message.as_str())));
    changes::restart_required(view, vm, vmi, new);
}
