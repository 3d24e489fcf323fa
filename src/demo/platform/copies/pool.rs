//! VirtualMachinePools: as many equal machines as are wanted.

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::Value;

use super::super::edit::{
    Condition, Times, condition, finalize, label, list, release, remove, remove_condition, set,
};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::selector;
use super::template::{FINALIZER, REVISION, machine, number_of, revision, revision_name, updated};

const SOURCE: &str = "virtualmachinepool-controller";

/// Pools are looked at so long after they were changed.
const DELAY: Duration = Duration::from_secs(1);

/// What the server would not take is tried again after this.
const RETRY: Duration = Duration::from_secs(5);

/// What was made within this time was made together.
const TOGETHER: Duration = Duration::from_secs(2);

/// When nobody has to look again.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// So many machines are made or deleted at a time.
const BURST: usize = 250;

/// Why a pool is not as it should be: the reason of its condition, and its message.
type Failure = (&'static str, String);

/// What virt-controller does for a pool.
pub(super) fn step(view: &View<'_>, pool: &Object) -> Vec<Write> {
    let wanted = pool.at("/spec/selector");
    if !selector::matches(wanted, pool.at("/spec/virtualMachineTemplate/metadata/labels")) {
        return Vec::new();
    }
    if pool.is_ending() {
        return let_go(view, pool);
    }
    if !view.waited(pool, &format!("generation-{}", pool.generation()), DELAY) {
        return Vec::new();
    }
    if !pool.has_finalizer(FINALIZER) {
        let mut new = pool.edit();
        finalize(&mut new, FINALIZER);
        return Write::update(pool, new).into_iter().collect();
    }
    let (mut machines, strangers): (Vec<_>, Vec<_>) = view
        .controlled(Kind::VirtualMachine, pool)
        .inspect(|machine| {
            age(view, machine);
        })
        .partition(|machine| selector::matches(wanted, machine.at("/metadata/labels")));
    last_first(&mut machines);
    let mut writes: Vec<Write> = strangers.into_iter().filter_map(released).collect();
    let mut failure = None;
    if !pool.flag("/spec/paused") {
        match scale(view, pool, &machines) {
            Ok(None) => writes.extend(update(view, pool, &machines)),
            Ok(Some(scaled)) => writes.extend(scaled),
            Err(why) => failure = Some(why),
        }
    }
    if writes.is_empty() {
        writes = status(view, pool, &machines, failure);
    }
    writes
}

/// A machine that is no longer one of a pool's.
fn released(machine: &Object) -> Option<Write> {
    let mut new = machine.edit();
    list(&mut new, "/metadata/ownerReferences").retain(|one| one["controller"] != true);
    release(&mut new, FINALIZER);
    Write::update(machine, new)
}

fn without_finalizer(object: &Object) -> Option<Write> {
    let mut new = object.edit();
    release(&mut new, FINALIZER);
    object.has_finalizer(FINALIZER).then(|| Write::update(object, new)).flatten()
}

/// A pool that goes lets go of its machines, which go with it as those it owns.
fn let_go(view: &View<'_>, pool: &Object) -> Vec<Write> {
    view.controlled(Kind::VirtualMachine, pool).chain([pool]).filter_map(without_finalizer).collect()
}

/// How many machines there are and how many there should be; nothing where these are the same.
fn scale(view: &View<'_>, pool: &Object, machines: &[&Object]) -> Result<Option<Vec<Write>>, Failure> {
    let wanted = pool.number("/spec/replicas").unwrap_or(1).max(0);
    let wanted = usize::try_from(wanted).unwrap_or_default();
    if machines.len() < wanted {
        return scale_out(view, pool, wanted - machines.len()).map(Some);
    }
    let surplus = machines.len() - wanted;
    let mut writes = Vec::new();
    for machine in machines.iter().filter(|one| one.is_ending() && one.has_finalizer(FINALIZER)) {
        writes.extend(without_finalizer(machine));
        if surplus > 0 {
            let (namespace, name, uid) = (machine.namespace(), machine.name(), machine.uid());
            let message = format!("Deleted VM {namespace}/{name} with uid {uid} from pool");
            writes.push(Write::tell(pool, SOURCE, "SuccessfulDelete", message));
        }
    }
    let strategy = pool.at("/spec/scaleInStrategy");
    let automatic = strategy["unmanaged"].is_null() && strategy["opportunistic"].is_null();
    let going = machines.iter().filter(|one| one.is_ending()).count();
    if automatic && surplus > going {
        let mut left: Vec<&Object> = machines.iter().filter(|one| !one.is_ending()).copied().collect();
        sort(view, &strategy["proactive"]["selectionPolicy"], &mut left);
        writes.extend(left.into_iter().take((surplus - going).min(BURST)).filter_map(Write::delete));
    }
    Ok((surplus > 0 || !writes.is_empty()).then_some(writes))
}

/// Puts those first that are to go first.
fn sort(view: &View<'_>, selection: &Value, machines: &mut Vec<&Object>) {
    let labels = &selection["selectors"]["labelSelector"];
    if !labels.is_null() {
        machines.retain(|one| selector::matches(labels, one.at("/spec/template/metadata/labels")));
    }
    let born = |one: &&Object| one.text("/metadata/creationTimestamp").to_owned();
    match selection["sortPolicy"].as_str() {
        Some("AscendingOrder") => machines.sort_by_key(|one| number_of(one)),
        Some("DescendingOrder") => machines.sort_by_key(|one| Reverse(number_of(one))),
        Some("Oldest") => machines.sort_by_key(born),
        Some("Newest") => machines.sort_by_key(|one| Reverse(born(one))),
        _ => sort_by_age(view, machines),
    }
}

/// The order where none is asked for. The real controller rolls dice; here the oldest go first, and of those that were made
/// together the last, so that one can foretell it.
fn sort_by_age(view: &View<'_>, machines: &mut [&Object]) {
    let newest = machines.iter().map(|one| age(view, one)).min().unwrap_or_default();
    machines.sort_by_key(|one| {
        let older = age(view, one).saturating_sub(newest);
        (Reverse(older.max(TOGETHER)), Reverse(number_of(one)))
    });
}

/// How long a machine has been there, on the clock of the platform.
fn age(view: &View<'_>, machine: &Object) -> Duration {
    view.elapsed(machine, "age", NEVER)
}

fn scale_out(view: &View<'_>, pool: &Object, missing: usize) -> Result<Vec<Write>, Failure> {
    let named = |number: u64| format!("{}-{number}", pool.name());
    let free = |number: &u64| view.get(Kind::VirtualMachine, pool.namespace(), &named(*number)).is_none();
    let mut numbers: Vec<u64> = (0..).filter(free).take(missing.min(BURST)).collect();
    last_first(&mut numbers);
    let refused = numbers.first().and_then(|number| {
        view.refused(&Reference::new(Kind::VirtualMachine, pool.namespace(), &named(*number)))
    });
    if let Some(why) = refused {
        if !view.waited(pool, "retry", RETRY) {
            return Err(("FailedScaleOut", format!("error during scale out: {}", why.message)));
        }
        view.forget(pool, "retry");
        view.waited(pool, "retry", RETRY);
    }
    let mut writes: Vec<Write> = with_revision(view, pool).into_iter().collect();
    for number in numbers {
        let message = format!("Created VM {}/{}", pool.namespace(), named(number));
        writes.push(Write::Create(machine(pool, number)));
        writes.push(Write::tell(pool, SOURCE, "SuccessfulCreate", message));
    }
    Ok(writes)
}

/// The order in which the real controller comes to what it does side by side: what it began last comes first.
fn last_first<T>(all: &mut [T]) {
    if !all.is_empty() {
        all.rotate_right(1);
    }
}

fn with_revision(view: &View<'_>, pool: &Object) -> Option<Write> {
    let known = view.get(Kind::ControllerRevision, pool.namespace(), &revision_name(pool));
    known.is_none().then(|| Write::Create(revision(pool)))
}

/// The specification of the pool that a machine or an instance was made from.
fn made_from<'a>(view: &'a View<'_>, one: &Object) -> Option<&'a Value> {
    let name = one.label(REVISION);
    view.get(Kind::ControllerRevision, one.namespace(), name).map(|revision| revision.at("/data"))
}

/// Machines become what the template is now; then those are started anew whose instances are not.
fn update(view: &View<'_>, pool: &Object, machines: &[&Object]) -> Vec<Write> {
    let strategy = pool.at("/spec/updateStrategy");
    if !strategy["unmanaged"].is_null() {
        return Vec::new();
    }
    let template = pool.at("/spec/virtualMachineTemplate");
    let is_current = |machine: &&&Object| {
        made_from(view, machine).is_some_and(|spec| &spec["virtualMachineTemplate"] == template)
    };
    let (current, outdated): (Vec<&&Object>, Vec<&&Object>) = machines.iter().partition(is_current);
    let mut writes = Vec::new();
    if !outdated.is_empty() {
        writes.extend(with_revision(view, pool));
    }
    for machine in &outdated {
        let message = format!("Updated VM {}/{}", machine.namespace(), machine.name());
        if let Some(update) = Write::update(machine, updated(pool, machine)) {
            writes.extend([update, Write::tell(pool, SOURCE, "SuccessfulUpdate", message)]);
        }
    }
    if strategy["opportunistic"].is_null() {
        writes.extend(renew(view, pool, &current));
    }
    if outdated.is_empty() && writes.is_empty() {
        writes.extend(prune(view, pool, machines));
    }
    writes
}

/// Brings instances to what their machines are, no more at a time than may be missing.
fn renew(view: &View<'_>, pool: &Object, machines: &[&&Object]) -> Vec<Write> {
    let instance = |machine: &Object| {
        view.get(Kind::VirtualMachineInstance, machine.namespace(), machine.name())
            .filter(|one| !one.is_ending())
    };
    let is_available = |machine: &&&&Object| instance(machine).is_some_and(|one| one.is("Ready"));
    let mut room =
        most_unavailable(pool).saturating_sub(machines.len() - machines.iter().filter(is_available).count());
    let mut writes = Vec::new();
    for machine in machines {
        let Some(instance) = instance(machine) else { continue };
        let ready = machine.is("Ready");
        let change = renewed(view, machine, instance);
        // The controller says that it has updated what is not ready, even where there was nothing to do.
        let told = !ready
            && view.waited(instance, "unhealthy", DELAY)
            && view.is_first(instance, "found unhealthy by its pool");
        if change.is_some() && ready {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        if change.is_some() || told {
            writes.extend(change);
            let message = format!("Successfully updated resource {}/{}", machine.namespace(), machine.name());
            writes.push(Write::tell(pool, SOURCE, "SuccessfulDelete", message));
        }
    }
    writes
}

/// What has to be done with an instance that was made from another revision than its machine.
fn renewed(view: &View<'_>, machine: &Object, instance: &Object) -> Option<Write> {
    let (new, old) = (machine.label(REVISION), instance.label(REVISION));
    if new.is_empty() || new == old {
        return None;
    }
    let expected = made_from(view, machine)?;
    let Some(actual) = made_from(view, instance) else { return Write::delete(instance) };
    let part = |spec: &Value, pointer: &str| spec.pointer(pointer).cloned().unwrap_or_default();
    if part(expected, DISKS) != part(actual, DISKS) {
        return Write::delete(machine);
    }
    if part(expected, GUEST) != part(actual, GUEST) {
        return Write::delete(instance);
    }
    let mut relabelled = instance.edit();
    label(&mut relabelled, REVISION, new);
    Write::update(instance, relabelled)
}

const DISKS: &str = "/virtualMachineTemplate/spec/dataVolumeTemplates";
const GUEST: &str = "/virtualMachineTemplate/spec/template";

/// How many machines of a pool may be missing while it is updated; at least one.
fn most_unavailable(pool: &Object) -> usize {
    let replicas = pool.number("/spec/replicas").unwrap_or(1).max(0);
    let most = match pool.at("/spec/maxUnavailable") {
        Value::Number(number) => number.as_i64().unwrap_or(1),
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(100);
            replicas.saturating_mul(percent) / 100
        }
        _ => replicas,
    };
    usize::try_from(most).unwrap_or_default().max(1)
}

/// Revisions go that nothing was made from.
fn prune(view: &View<'_>, pool: &Object, machines: &[&Object]) -> Vec<Write> {
    let in_use = |name: &str| {
        machines.iter().any(|machine| {
            let instance = view.get(Kind::VirtualMachineInstance, machine.namespace(), machine.name());
            machine.label(REVISION) == name || instance.is_some_and(|one| one.label(REVISION) == name)
        })
    };
    view.controlled(Kind::ControllerRevision, pool)
        .filter(|revision| !in_use(revision.name()))
        .filter_map(Write::delete)
        .collect()
}

fn status(view: &View<'_>, pool: &Object, machines: &[&Object], failure: Option<Failure>) -> Vec<Write> {
    let mut new = pool.edit();
    let mut told = None;
    set(&mut new, "/status/labelSelector", selector::text(pool.at("/spec/selector")));
    match failure {
        Some((reason, message)) if !pool.is("ReplicaFailure") => {
            tell(&mut new, view, "ReplicaFailure", reason, &message);
            told = Some(Write::warn(pool, SOURCE, reason, message));
        }
        Some(_) => {}
        None => remove_condition(&mut new, "ReplicaFailure"),
    }
    if pool.flag("/spec/paused") != pool.is("ReplicaPaused") {
        let (reason, message) = if pool.flag("/spec/paused") {
            tell(&mut new, view, "ReplicaPaused", "SuccessfulPaused", "Pool controller is paused");
            ("SuccessfulPaused", "Pool is paused")
        } else {
            remove_condition(&mut new, "ReplicaPaused");
            ("SuccessfulResume", "Pool is unpaused")
        };
        told = Some(Write::tell(pool, SOURCE, reason, message));
    }
    let ready = machines.iter().filter(|machine| machine.is("Ready")).count();
    for (field, number) in [("/status/replicas", machines.len()), ("/status/readyReplicas", ready)] {
        // Numbers are left out where they are 0.
        if number > 0 {
            set(&mut new, field, number);
        } else {
            remove(&mut new, field);
        }
    }
    Write::update(pool, new).into_iter().chain(told).collect()
}

fn tell(pool: &mut Value, view: &View<'_>, of: &str, reason: &str, message: &str) {
    condition(pool, Condition { of, status: "True", reason, message }, Times::Probe, view.time);
}
