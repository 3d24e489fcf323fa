//! People at work: what they do to objects again and again, as the annotation `v9s.dev/life` says.

use std::time::Duration;

use serde_json::{Value, json};

use super::Reconciler;
use super::edit::{annotate, new_object, set};
use super::kind::Kind;
use super::object::Object;
use super::view::View;
use super::write::Write;

/// Says what somebody does to an object now and then: one of the words of [`HABITS`].
pub const LIFE: &str = "v9s.dev/life";

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler { name: "people at machines", manager: "kubectl-edit", of: Kind::VirtualMachine, step },
    Reconciler { name: "people at disks", manager: "kubectl-edit", of: Kind::DataVolume, step },
    Reconciler {
        name: "people's migrations",
        manager: "kubectl-edit",
        of: Kind::VirtualMachineInstanceMigration,
        step: clear_away,
    },
];

/// Something that somebody does again and again.
struct Habit {
    word: &'static str,
    of: Kind,
    /// How long it takes until the next time, at least; half as long again at most.
    every: Duration,
    /// Whether it can be done now.
    ready: fn(&View<'_>, &Object) -> bool,
    act: fn(&View<'_>, &Object) -> Vec<Write>,
}

const HABITS: &[Habit] = &[
    Habit {
        word: "migrates",
        of: Kind::VirtualMachine,
        every: Duration::from_secs(240),
        ready: |view, machine| runs(view, machine) && migrations(view, machine).next().is_none(),
        act: migrate,
    },
    Habit {
        word: "is-restarted",
        of: Kind::VirtualMachine,
        every: Duration::from_secs(420),
        ready: runs,
        act: restart,
    },
    Habit {
        word: "imports-anew",
        of: Kind::DataVolume,
        every: Duration::from_secs(90),
        ready: |_, volume| volume.phase() == "Succeeded",
        act: import_anew,
    },
];

fn step(view: &View<'_>, object: &Object) -> Vec<Write> {
    let habit = HABITS.iter().find(|one| one.of == object.kind() && one.word == object.annotation(LIFE));
    let Some(habit) = habit.filter(|habit| !object.is_ending() && (habit.ready)(view, object)) else {
        view.forget(object, "life");
        return Vec::new();
    };
    let long = habit.every.mul_f64(1.0 + view.chance(object, habit.word) / 2.0);
    if !view.waited(object, "life", long) {
        return Vec::new();
    }
    view.forget(object, "life");
    (habit.act)(view, object)
}

fn runs(view: &View<'_>, machine: &Object) -> bool {
    view.get(Kind::VirtualMachineInstance, machine.namespace(), machine.name()).is_some_and(|instance| {
        instance.phase() == "Running" && !instance.is_ending() && instance.is("Ready")
    })
}

fn migrations<'a>(view: &'a View<'_>, machine: &'a Object) -> impl Iterator<Item = &'a Object> {
    view.list(Kind::VirtualMachineInstanceMigration, machine.namespace())
        .filter(|one| one.text("/spec/vmiName") == machine.name())
}

fn migrate(_: &View<'_>, machine: &Object) -> Vec<Write> {
    let mut migration = new_object(Kind::VirtualMachineInstanceMigration, machine.namespace(), "");
    migration["metadata"] = json!({
        "generateName": "kubevirt-migrate-vm-", "namespace": machine.namespace(),
        "annotations": {LIFE: "is-cleared-away"},
    });
    set(&mut migration, "/spec/vmiName", machine.name());
    vec![Write::Create(migration)]
}

/// A migration that nobody needs any more is deleted, so that they do not become more and more.
fn clear_away(view: &View<'_>, migration: &Object) -> Vec<Write> {
    let over = matches!(migration.phase(), "Succeeded" | "Failed");
    if migration.annotation(LIFE) != "is-cleared-away"
        || !over
        || !view.waited(migration, "cleared", Duration::from_secs(120))
    {
        return Vec::new();
    }
    // The launchers that were left stay until the machine stops, which this one never does.
    let left = view.list(Kind::Pod, migration.namespace()).filter(|pod| {
        pod.phase() == "Succeeded" && pod.annotation("kubevirt.io/domain") == migration.text("/spec/vmiName")
    });
    left.chain([migration]).filter_map(Write::delete).collect()
}

/// What virt-api does when it is asked for a restart.
fn restart(view: &View<'_>, machine: &Object) -> Vec<Write> {
    let Some(instance) = view.get(Kind::VirtualMachineInstance, machine.namespace(), machine.name()) else {
        return Vec::new();
    };
    let mut new = machine.edit();
    let requests = json!([{"action": "Stop", "uid": instance.uid()}, {"action": "Start"}]);
    set(&mut new, "/status/stateChangeRequests", requests);
    Write::update(machine, new).into_iter().collect()
}

/// The next one, under the next number, in place of this one.
fn import_anew(_: &View<'_>, volume: &Object) -> Vec<Write> {
    let (stem, number) = volume.name().rsplit_once('-').unwrap_or((volume.name(), "0"));
    let next = number.parse::<u64>().unwrap_or_default() + 1;
    let mut new = new_object(Kind::DataVolume, volume.namespace(), &format!("{stem}-{next}"));
    annotate(&mut new, LIFE, volume.annotation(LIFE));
    new["spec"] = Value::clone(volume.at("/spec"));
    vec![Write::Create(new)].into_iter().chain(Write::delete(volume)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Stage, namespace};
    use super::*;

    #[tokio::test]
    async fn what_was_imported_is_imported_anew_under_the_next_number() {
        let stage = Stage::with(vec![namespace("shop")], &[PARTS]).await;
        let volume = json!({
            "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume",
            "metadata": {"name": "nightly-9", "namespace": "shop", "annotations": {LIFE: "imports-anew"}},
            "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}},
        });
        stage.create(volume).await;
        stage.advance(600).await;
        let names = async || -> Vec<Value> {
            let list = stage.list(Kind::DataVolume, "shop").await;
            list.iter().map(|one| one["metadata"]["name"].clone()).collect()
        };
        assert_eq!(names().await, ["nightly-9"]);
        let path = "/apis/cdi.kubevirt.io/v1beta1/namespaces/shop/datavolumes/nightly-9/status";
        let request = http::Request::patch(path)
            .header("Content-Type", "application/merge-patch+json")
            .body(br#"{"status": {"phase": "Succeeded"}}"#.to_vec())
            .unwrap();
        let made: Value = stage.client.request(request).await.unwrap();
        let version = made["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        stage.platform.await_version(Kind::DataVolume, version).await;
        stage.advance(80).await;
        assert_eq!(names().await, ["nightly-9"]);
        stage.advance(60).await;
        assert_eq!(names().await, ["nightly-10"]);
    }
}
