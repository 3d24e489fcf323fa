//! `workloads`: everything that runs guests, each once: Workloads of our own and pools, with their machines folded in, and
//! the machines that nothing above them owns, of KubeVirt and of Virtink.

use std::fmt::Write as _;

use super::column::{
    Sets, address, age, name, namespace, part_key, partner, reason, since, state, text, word, write_address,
    write_part, write_word,
};
use super::made_of::{Made, image, image_key, write_images};
use super::places::{NODES_OF_GUESTS, nodes_of_guests};
use super::pools::write_ready;
use super::view::{Open, Related, Road, Sort, View};
use super::vms::{bytes, vm_node};
use super::within::named;
use super::{Column, belongs_directly};
use crate::model::{Now, Word, format_bytes};
use crate::records::{Kind, Meta, Pod, Pool, VirtinkFlags, VirtinkVm, Vm, VmFlags, Vmi, VmiFlags, Workload};
use crate::store::{At, Id, Part, Row, SortKey, Store};

/// A row of this view.
pub(super) struct Entry;

impl Row for Entry {
    type Record = Meta;

    fn find(store: &Store, id: Id) -> Option<&Meta> {
        store.meta(id)
    }
}

/// What a row is.
pub(super) enum Runs<'a> {
    Own(At<'a, Workload>),
    Machine(At<'a, Vm>),
    Pool(At<'a, Pool>),
    Virtink(At<'a, VirtinkVm>),
    /// A guest, which is a row where no machine stands for it.
    Guest(At<'a, Vmi>),
}

impl<'a> At<'a, Entry> {
    pub(super) fn runs(self) -> Option<Runs<'a>> {
        let (store, id) = (self.store(), self.id());
        let machine = At::new(store, id).map(Runs::Machine);
        let pool = || At::new(store, id).map(Runs::Pool);
        let virtink = || At::new(store, id).map(Runs::Virtink);
        let own = || At::new(store, id).map(Runs::Own);
        let guest = || At::new(store, id).map(Runs::Guest);
        machine.or_else(pool).or_else(virtink).or_else(own).or_else(guest)
    }
}

pub(super) static VIEW: View<Entry> = View {
    name: "workloads",
    aliases: &["workload", "wl", "work", "wk"],
    // Where none of them is served, the first is named.
    rows: &[Kind::Vm, Kind::Workload, Kind::Pool, Kind::VirtinkVm],
    partners: super::vms::PARTNERS,
    shown: |row| match row.runs() {
        Some(Runs::Machine(vm)) => vm.pool().is_none() && vm.wholes::<Workload>().next().is_none(),
        Some(_) => true,
        None => false,
    },
    state: |row, now| row.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Entry>::text("KIND", 8, |row, _| SortKey::Text(kind(row))).within(Sets::all()),
        state(),
        reason(),
        since(),
        Column::<Entry>::text("READY", 11, |row, _| SortKey::Number(ready(row)))
            .written(write_readiness)
            .within(Sets::TRIAGE),
        Column::<Entry>::text("NODE", 40, |row, _| node(row).here().map_or(SortKey::Nothing, word))
            .written(|row, _, out| write_node(row, out))
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Entry>::number("CPU", |row, _| part_key(cpus(row)))
            .written(|row, _, out| write_part(cpus(row), out))
            .within(Sets::CAPACITY),
        Column::<Entry>::bytes("MEMORY", |row, _| part_key(memory(row)))
            .written(|row, _, out| partner(memory(row), out, format_bytes))
            .within(Sets::CAPACITY),
        Column::<Entry>::text("IP", 39, |row, _| address_key(row))
            .written(|row, _, out| write_ip(row, out))
            .within(Sets::NETWORK),
        Column::<Entry>::number("DISKS", |row, _| SortKey::Number(disks(row))).wide().within(Sets::STORAGE),
        Column::<Entry>::text("POLICY", 16, |row, _| match row.runs() {
            Some(Runs::Own(workload)) => word(workload.strategy),
            Some(Runs::Machine(vm)) => text(vm.strategy.as_str()),
            Some(Runs::Virtink(vm)) => text(vm.policy.as_str()),
            _ => SortKey::Nothing,
        })
        .wide(),
        image(|row, _| image_key(&images(row)), |row, _, out| write_images(row, &images(row), out)),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::Pool],
        view: "vms",
        belongs: belongs_directly,
        besides: &[],
        none: |store, id| format!("{} has no machines.", named(store, id)),
    },
    related: &[
        Related {
            road: Road::Node,
            title: "nodes",
            kinds: NODES_OF_GUESTS,
            find: |at, out| nodes_of_guests(at, out),
        },
        Related::below("machines", &[Kind::Vm]),
        Related::below("volume sets", &[Kind::VolumeSet]),
        Related::below("instances", &[Kind::Vmi]),
        Related::below("pods", &[Kind::Pod]),
        Related::below("disks", &[Kind::DataVolume]),
        Related::below("claims", &[Kind::Claim]),
        Related::below("migrations", &[Kind::Migration]),
        Related::below("snapshots", &[Kind::VmSnapshot, Kind::VolumeSnapshot]),
        Related::events(),
    ],
};

/// What a row is called.
pub(super) fn kind(row: At<'_, Entry>) -> &'static str {
    match row.runs() {
        Some(Runs::Own(_)) => "workload",
        Some(Runs::Machine(_)) => "VM",
        Some(Runs::Pool(_)) => "pool",
        Some(Runs::Virtink(_)) => "Virtink",
        Some(Runs::Guest(_)) => "guest",
        None => "",
    }
}

fn ready(row: At<'_, Entry>) -> i64 {
    match row.runs() {
        Some(Runs::Own(workload)) => i64::from(workload.ready),
        Some(Runs::Machine(vm)) => i64::from(vm.flags.contains(VmFlags::READY)),
        Some(Runs::Pool(pool)) => i64::from(pool.ready),
        Some(Runs::Virtink(vm)) => i64::from(vm.flags.contains(VirtinkFlags::READY)),
        Some(Runs::Guest(vmi)) => i64::from(vmi.flags.contains(VmiFlags::READY)),
        None => 0,
    }
}

fn write_readiness(row: At<'_, Entry>, now: Now, out: &mut String) {
    match row.runs() {
        Some(Runs::Own(workload)) => _ = write!(out, "{}/{}", workload.ready, workload.desired),
        Some(Runs::Pool(pool)) => write_ready(pool, now, out),
        _ => _ = write!(out, "{}/1", ready(row)),
    }
}

/// What the disks of its first machine are made of: all have the same template.
pub(super) fn images(row: At<'_, Entry>) -> Vec<Word> {
    match row.runs() {
        Some(Runs::Own(workload)) => workload.parts::<Vm>().next().map(Made::images),
        Some(Runs::Machine(vm)) => Some(vm.images()),
        Some(Runs::Pool(pool)) => pool.vms().next().map(Made::images),
        Some(Runs::Virtink(vm)) => Some(vm.images()),
        Some(Runs::Guest(vmi)) => Some(vmi.images()),
        None => None,
    }
    .unwrap_or_default()
}

/// Processors that it asks for.
pub(super) fn cpus(row: At<'_, Entry>) -> Part<i64> {
    match row.runs() {
        Some(Runs::Own(workload)) => Part::Here(i64::from(workload.cpus) * i64::from(workload.desired)),
        Some(Runs::Machine(vm)) => vm.asked_cpus().map(i64::from),
        Some(Runs::Pool(pool)) => Part::Here(pool.cpus()),
        Some(Runs::Virtink(vm)) => Part::Here(i64::from(vm.cpus)),
        Some(Runs::Guest(vmi)) => Part::Here(i64::from(vmi.cpus)),
        None => Part::None,
    }
}

/// Bytes of memory that it asks for.
pub(super) fn memory(row: At<'_, Entry>) -> Part<u64> {
    match row.runs() {
        Some(Runs::Own(workload)) => Part::Here(workload.memory.saturating_mul(workload.desired.into())),
        Some(Runs::Machine(vm)) => vm.asked_memory().map(bytes),
        Some(Runs::Pool(pool)) => Part::Here(pool.memory().unsigned_abs()),
        Some(Runs::Virtink(vm)) => Part::Here(bytes(vm.memory)),
        Some(Runs::Guest(vmi)) => Part::Here(bytes(vmi.memory)),
        None => Part::None,
    }
}

fn disks(row: At<'_, Entry>) -> i64 {
    let disks = match row.runs() {
        Some(Runs::Own(workload)) => usize::from(workload.disks) * workload.desired as usize,
        Some(Runs::Machine(vm)) => vm.record().disks.len(),
        Some(Runs::Pool(pool)) => pool.vms().map(|vm| vm.record().disks.len()).sum(),
        Some(Runs::Virtink(vm)) => vm.record().disks.len(),
        Some(Runs::Guest(vmi)) => vmi.record().disks.len(),
        None => 0,
    };
    i64::try_from(disks).unwrap_or(i64::MAX)
}

/// The address of its one guest.
pub(super) fn address_key(row: At<'_, Entry>) -> SortKey<'static> {
    address(match row.runs() {
        Some(Runs::Machine(vm)) => vm.vmi().here().and_then(|vmi| vmi.address()),
        Some(Runs::Virtink(vm)) => vm.present_pod().here().and_then(|pod| pod.address()),
        Some(Runs::Guest(vmi)) => vmi.address(),
        Some(Runs::Own(_) | Runs::Pool(_)) | None => None,
    })
}

/// Writes the address of its one guest.
pub(super) fn write_ip(row: At<'_, Entry>, out: &mut String) {
    match row.runs() {
        Some(Runs::Machine(vm)) => partner(vm.vmi(), out, |vmi, out| write_address(vmi.address(), out)),
        Some(Runs::Virtink(vm)) => {
            partner(vm.present_pod(), out, |pod: At<'_, Pod>, out| write_address(pod.address(), out));
        }
        Some(Runs::Guest(vmi)) => write_address(vmi.address(), out),
        Some(Runs::Own(_) | Runs::Pool(_)) | None => out.push_str("n/a"),
    }
}

/// Where its one guest runs.
pub(super) fn node(row: At<'_, Entry>) -> Part<Word> {
    match row.runs() {
        Some(Runs::Machine(vm)) => vm_node(vm),
        Some(Runs::Virtink(vm)) if !vm.node.is_empty() => Part::Here(vm.node),
        Some(Runs::Guest(vmi)) if !vmi.node.is_empty() => Part::Here(vmi.node),
        _ => Part::None,
    }
}

/// Writes the node of a machine; how many nodes the machines of a pool or workload run on.
fn write_node(row: At<'_, Entry>, out: &mut String) {
    match row.runs() {
        Some(Runs::Own(workload)) => write_nodes(workload.parts(), out),
        Some(Runs::Pool(pool)) => write_nodes(pool.vms(), out),
        _ => partner(node(row), out, write_word),
    }
}

fn write_nodes<'a>(machines: impl Iterator<Item = At<'a, Vm>>, out: &mut String) {
    let mut nodes: Vec<Word> = machines.filter_map(|vm| vm_node(vm).here()).collect();
    nodes.sort_unstable();
    nodes.dedup();
    match nodes.as_slice() {
        [] => out.push_str("<none>"),
        [only] => out.push_str(only),
        several => _ = write!(out, "{} nodes", several.len()),
    }
}
