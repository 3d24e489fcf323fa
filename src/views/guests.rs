//! What runs on nodes: guests of every dialect, to be counted, and their machines in one list, which opens from a node and has
//! no command of its own.

use std::fmt::Write as _;

use super::Column;
use super::column::{
    Sets, age, held_by, name, namespace, part_key, partner, reason, since, state, told, word, write_part,
    write_word,
};
use super::made_of::{image, image_key, write_images};
use super::view::{Open, Sort, View};
use super::vms::bytes;
use super::workloads::{self, Entry, Runs};
use crate::model::{Word, format_bytes};
use crate::records::{Kind, Node, VirtinkFlags, VirtinkVm, VmFlags, Vmi, VmiFlags};
use crate::store::{At, Id, Part, SortKey, Store};

pub(super) static VIEW: View<Entry> = View {
    name: "machines",
    aliases: &[],
    rows: &[Kind::Vm, Kind::Vmi, Kind::VirtinkVm],
    partners: super::vms::PARTNERS,
    shown: |row| match row.runs() {
        Some(Runs::Guest(vmi)) => matches!(vmi.vm(), Part::None),
        Some(_) => true,
        None => false,
    },
    state: workloads::VIEW.state,
    columns: &[
        namespace(),
        name(),
        Column::<Entry>::text("KIND", 8, |row, _| SortKey::Text(workloads::kind(row))).within(Sets::all()),
        state(),
        reason(),
        Column::<Entry>::text("HELD BY", 30, |row, _| held_by(obstacle(row)))
            .or("-")
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        since(),
        Column::<Entry>::number("CPU", |row, _| part_key(workloads::cpus(row)))
            .written(|row, _, out| write_part(workloads::cpus(row), out))
            .within(Sets::CAPACITY),
        Column::<Entry>::bytes("MEMORY", |row, _| part_key(workloads::memory(row)))
            .written(|row, _, out| partner(workloads::memory(row), out, format_bytes))
            .within(Sets::CAPACITY),
        Column::<Entry>::text("IP", 39, |row, _| workloads::address_key(row))
            .written(|row, _, out| workloads::write_ip(row, out))
            .within(Sets::NETWORK),
        Column::<Entry>::text("NODE", 40, |row, _| {
            workloads::node(row).here().map_or(SortKey::Nothing, word)
        })
        .written(|row, _, out| partner(workloads::node(row), out, write_word))
        .wide()
        .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Entry>::text("MOVES", 5, |row, _| moves(row)).or("n/a").wide().within(Sets::NETWORK),
        image(
            |row, _| image_key(&workloads::images(row)),
            |row, _, out| write_images(row, &workloads::images(row), out),
        ),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: workloads::VIEW.related,
};

/// The kinds that are guests on a node.
pub(super) const KINDS: &[Kind] = &[Kind::Vmi, Kind::VirtinkVm];

/// A guest on a node, whatever runs it.
pub(super) struct Guest {
    /// Its machine; itself where it has none.
    pub machine: Id,
    /// Whether it has not ended.
    pub living: bool,
    /// Whether it cannot be moved while it runs.
    pub held: bool,
    /// Processors.
    pub cpus: u16,
    /// Bytes of memory.
    pub memory: u64,
}

/// The places of the guests on a node.
pub(super) fn ids(node: At<'_, Node>) -> impl Iterator<Item = Id> {
    KINDS.iter().flat_map(move |&kind| node.store().members(kind, node.id())).copied()
}

/// The guests on a node.
pub(super) fn on(node: At<'_, Node>) -> impl Iterator<Item = Guest> {
    ids(node).filter_map(move |id| guest(node.store(), id))
}

/// Whether all guests on a node are known.
pub(super) fn known(node: At<'_, Node>) -> bool {
    KINDS.iter().all(|&kind| node.knows(kind))
}

/// Writes a number of what the guests on a node come to. Where not all are known it is marked; where none are, it says nothing.
pub(super) fn write_sum(node: At<'_, Node>, key: SortKey<'_>, out: &mut String) {
    if let SortKey::Number(number) = key
        && KINDS.iter().any(|&kind| node.knows(kind))
    {
        let _ = write!(out, "{number}");
    }
    if !known(node) {
        out.push('…');
    }
}

fn guest(store: &Store, id: Id) -> Option<Guest> {
    let over = |phase: &str| matches!(phase, "Succeeded" | "Failed");
    let instance = At::<Vmi>::new(store, id).map(|vmi| Guest {
        machine: vmi.vm().here().map_or(id, At::id),
        living: !over(&vmi.phase),
        held: vmi.flags.contains(VmiFlags::NOT_MIGRATABLE),
        cpus: vmi.cpus,
        memory: bytes(vmi.memory),
    });
    let virtink = || {
        At::<VirtinkVm>::new(store, id).map(|vm| Guest {
            machine: id,
            // One that is off has no phase.
            living: !vm.phase.is_empty() && !over(&vm.phase),
            held: vm.flags.contains(VirtinkFlags::NOT_MIGRATABLE),
            cpus: vm.cpus,
            memory: bytes(vm.memory),
        })
    };
    instance.or_else(virtink)
}

/// Whether the guest of a machine is on a node.
pub(super) fn runs_on(store: &Store, node: Id, machine: Id) -> bool {
    let (Some(meta), Some(row)) = (store.meta(node), At::<Entry>::new(store, machine)) else { return false };
    workloads::node(row).here().is_some_and(|node| *node == *meta.name)
}

/// Why it cannot be moved while it runs.
fn obstacle(row: At<'_, Entry>) -> Word {
    match row.runs() {
        Some(Runs::Machine(vm)) => vm.vmi().here().map_or_else(Word::default, |vmi| vmi.obstacle),
        Some(Runs::Virtink(vm)) => vm.obstacle,
        Some(Runs::Guest(vmi)) => vmi.obstacle,
        Some(Runs::Own(_) | Runs::Pool(_)) | None => Word::default(),
    }
}

fn moves(row: At<'_, Entry>) -> SortKey<'static> {
    match row.runs() {
        Some(Runs::Machine(vm)) => {
            told(vm.flags.contains(VmFlags::MIGRATABLE), vm.flags.contains(VmFlags::NOT_MIGRATABLE))
        }
        Some(Runs::Virtink(vm)) => {
            told(vm.flags.contains(VirtinkFlags::MIGRATABLE), vm.flags.contains(VirtinkFlags::NOT_MIGRATABLE))
        }
        Some(Runs::Guest(vmi)) => {
            told(vmi.flags.contains(VmiFlags::MIGRATABLE), vmi.flags.contains(VmiFlags::NOT_MIGRATABLE))
        }
        Some(Runs::Own(_) | Runs::Pool(_)) | None => SortKey::Nothing,
    }
}
