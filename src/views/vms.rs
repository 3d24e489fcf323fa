//! `vms`: a VirtualMachine with its life, its disks and its move in one row.

use std::fmt::Write as _;

use super::Column;
use super::column::{
    Sets, address, age, cpu_key, cpu_used, held_by, memory_key, memory_used, name, namespace, part_key,
    partner, percent, reason, since, size, state, told, word, write_address, write_cpu, write_memory,
    write_word, yes_no,
};
use super::made_of::{Made as _, image, image_key, write_images};
use super::view::{Open, Related, Road, Sort, View};
use crate::model::format_bytes;
use crate::records::{InstanceSize, Kind, RunStrategy, Vm, VmFlags, Vmi, VmiFlags};
use crate::store::{At, Part, SortKey};

pub(super) static VIEW: View<Vm> = View {
    name: "vms",
    aliases: &["vm", "virtualmachines", "virtualmachine"],
    rows: &[Kind::Vm],
    partners: PARTNERS,
    shown: |_| true,
    state: |vm, now| vm.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        since(),
        Column::<Vm>::number("CPU", |vm, _| part_key(vm.asked_cpus()))
            .written(|vm, _, out| partner(vm.asked_cpus(), out, |cpus, out| _ = write!(out, "{cpus}")))
            .within(Sets::CAPACITY),
        Column::<Vm>::bytes("MEMORY", |vm, _| part_key(vm.asked_memory().map(bytes)))
            .written(|vm, _, out| partner(vm.asked_memory(), out, |mib, out| format_bytes(bytes(mib), out)))
            .within(Sets::CAPACITY),
        Column::<Vm>::number("DISKS", |vm, _| SortKey::Number(disk_count(vm)))
            .written(|vm, _, out| write_disks(vm, out))
            .wide()
            .within(Sets::STORAGE),
        Column::<Vm>::bytes("DISK SIZE", |vm, _| size(vm.disk_bytes()))
            .wide()
            .within(Sets::STORAGE.union(Sets::CAPACITY)),
        Column::<Vm>::text("IP", 39, |vm, _| address(vm.vmi().here().and_then(|vmi| vmi.address())))
            .written(|vm, _, out| partner(vm.vmi(), out, |vmi, out| write_address(vmi.address(), out)))
            .within(Sets::NETWORK),
        Column::<Vm>::text("IP FROM", 12, |vm, _| vm.vmi().here().map_or(SortKey::Nothing, address_source))
            .written(|vm, _, out| partner(vm.vmi(), out, write_address_source))
            .wide()
            .within(Sets::NETWORK),
        Column::<Vm>::text("NODE", 40, |vm, _| vm_node(vm).here().map_or(SortKey::Nothing, word))
            .written(|vm, _, out| partner(vm_node(vm), out, write_word))
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        // Where there is not room for all, where a guest is comes before what it uses.
        cpu_used(Kind::PodMetrics, |vm, _| cpu_key(vm.usage()), |vm, _, out| write_cpu(vm.usage(), out)),
        memory_used(
            Kind::PodMetrics,
            |vm, _| memory_key(vm.usage()),
            |vm, _, out| write_memory(vm.usage(), out),
        ),
        Column::<Vm>::number("CPU%", |vm, _| {
            percent(cpu_key(vm.usage()), part_key(vm.asked_cpus().map(|cpus| u32::from(cpus) * 1000)))
        })
        .about("CPU USED of the processors of the guest")
        .or("n/a")
        .needing(Kind::PodMetrics)
        .wide()
        .within(Sets::CAPACITY),
        Column::<Vm>::number("MEM%", |vm, _| {
            percent(memory_key(vm.usage()), part_key(vm.memory_to_use().map(bytes)))
        })
        .about("MEM USED of what the launcher asks for: the guest's memory and what it takes to run it")
        .or("n/a")
        .needing(Kind::PodMetrics)
        .wide()
        .within(Sets::CAPACITY),
        Column::<Vm>::text("GUEST", 36, |vm, _| {
            vm.vmi().here().map_or(SortKey::Nothing, |vmi| word(vmi.guest_os))
        })
        .written(|vm, _, out| partner(vm.vmi(), out, |vmi, out| write_word(vmi.guest_os, out)))
        .wide(),
        Column::<Vm>::text("AGENT", 5, |vm, _| yes_no(vm.flags.contains(VmFlags::AGENT)))
            .wide()
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Vm>::text("READY", 5, |vm, _| yes_no(vm.flags.contains(VmFlags::READY)))
            .wide()
            .within(Sets::TRIAGE),
        Column::<Vm>::text("RESTART", 7, |vm, _| match vm.flags.contains(VmFlags::RESTART_REQUIRED) {
            true => SortKey::Text("needed"),
            false => SortKey::Nothing,
        })
        .or("-")
        .wide()
        .within(Sets::TRIAGE),
        Column::<Vm>::text("MOVES", 5, |vm, _| moves(vm)).or("n/a").wide().within(Sets::NETWORK),
        Column::<Vm>::text("HELD BY", 30, |vm, _| {
            vm.vmi().here().map_or(SortKey::Nothing, |vmi| held_by(vmi.obstacle))
        })
        .or("-")
        .wide()
        .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Vm>::text("STRATEGY", 16, |vm, _| SortKey::Text(vm.strategy.as_str())).wide(),
        Column::<Vm>::text("WHEN IT STOPS", 24, |vm, _| SortKey::Text(next_move(vm.strategy))).wide(),
        Column::<Vm>::text("GPU", 3, |vm, _| has_device(vm, VmFlags::GPU, |size| size.gpus))
            .or("-")
            .wide()
            .within(Sets::CAPACITY),
        Column::<Vm>::text("DEVICE", 6, |vm, _| {
            has_device(vm, VmFlags::HOST_DEVICE, |size| size.host_devices)
        })
        .or("-")
        .wide()
        .within(Sets::CAPACITY),
        Column::<Vm>::text("TYPE", 24, |vm, _| word(vm.instancetype)).wide().within(Sets::CAPACITY),
        Column::<Vm>::text("PREFERENCE", 24, |vm, _| word(vm.preference)).wide(),
        image(|vm, _| image_key(&vm.images()), |vm, _, out| write_images(vm, &vm.images(), out)),
        Column::<Vm>::text("POOL", 40, |vm, _| {
            vm.pool().map_or(SortKey::Nothing, |pool| SortKey::Text(&pool.record().meta.name))
        })
        .wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(Road::Owner, "pools", &[Kind::Pool]),
        Related { road: Road::Node, title: "node", kinds: &[Kind::Node, Kind::Vmi], find: find_node },
        Related::below("instances", &[Kind::Vmi]),
        Related::below("pods", &[Kind::Pod]),
        Related::below("disks", &[Kind::DataVolume]),
        Related::below("claims", &[Kind::Claim]),
        Related::below("migrations", &[Kind::Migration]),
        Related::below("snapshots", &[Kind::VmSnapshot, Kind::VolumeSnapshot]),
        Related::below("restores", &[Kind::VmRestore]),
        Related {
            road: Road::Parts,
            title: "instance type",
            kinds: &[Kind::Instancetype, Kind::ClusterInstancetype],
            find: |vm, out| out.extend(vm.type_id()),
        },
        Related::events(),
    ],
};

/// What is looked at beside a machine, to know how it is and what it has.
pub(super) const PARTNERS: &[Kind] = &[
    Kind::Vmi,
    Kind::DataVolume,
    Kind::Pod,
    Kind::Claim,
    Kind::Migration,
    Kind::Instancetype,
    Kind::ClusterInstancetype,
    Kind::PodMetrics,
    Kind::Event,
];

/// What tells of machines and of how each is, for views that count them.
pub(super) const MACHINES: &[Kind] = &[
    Kind::Vm,
    Kind::Vmi,
    Kind::DataVolume,
    Kind::Pod,
    Kind::Claim,
    Kind::Migration,
    Kind::Instancetype,
    Kind::ClusterInstancetype,
    Kind::Event,
];

fn find_node(vm: At<'_, Vm>, out: &mut Vec<crate::store::Id>) {
    if let Some(vmi) = vm.vmi().here() {
        super::vmis::find_node(vmi, out);
    }
}

/// MiB as bytes.
pub(super) fn bytes(mib: u32) -> u64 {
    u64::from(mib) << 20
}

fn disk_count(vm: At<'_, Vm>) -> i64 {
    i64::try_from(vm.record().disks.len()).unwrap_or(i64::MAX)
}

/// How many disks, and how far the slowest is that is being filled: `2 (47%)`.
fn write_disks(vm: At<'_, Vm>, out: &mut String) {
    let count = disk_count(vm);
    let _ = write!(out, "{count}");
    let filling = vm.disks().filter(|disk| disk.phase != *"Succeeded").filter_map(|disk| disk.progress).min();
    match filling {
        Some(progress) => _ = write!(out, " ({}%)", progress / 10),
        None if count > 0 && !vm.knows(Kind::DataVolume) => out.push('…'),
        None => {}
    }
}

/// Who tells the address of a guest.
pub(super) fn address_source(vmi: At<'_, Vmi>) -> SortKey<'static> {
    match vmi.address() {
        None => SortKey::Nothing,
        Some(_) if vmi.flags.contains(VmiFlags::ADDRESS_OF_GUEST) => SortKey::Text("guest agent"),
        Some(_) => SortKey::Text("pod network"),
    }
}

/// Writes who tells the address of a guest.
pub(super) fn write_address_source(vmi: At<'_, Vmi>, out: &mut String) {
    out.push_str(if let SortKey::Text(source) = address_source(vmi) { source } else { "n/a" });
}

/// Where its guest runs; none if it runs nowhere.
pub(super) fn vm_node(vm: At<'_, Vm>) -> Part<crate::model::Word> {
    match vm.vmi().map(|vmi| vmi.node) {
        Part::Here(node) if node.is_empty() => Part::None,
        node => node,
    }
}

/// Whether it can move to another node while it runs.
fn moves(vm: At<'_, Vm>) -> SortKey<'static> {
    told(vm.flags.contains(VmFlags::MIGRATABLE), vm.flags.contains(VmFlags::NOT_MIGRATABLE))
}

/// What happens when the guest ends by itself.
fn next_move(strategy: RunStrategy) -> &'static str {
    match strategy {
        RunStrategy::Always => "starts again",
        RunStrategy::RerunOnFailure => "starts again if it failed",
        RunStrategy::Manual | RunStrategy::Once | RunStrategy::Halted => "stays off",
        RunStrategy::WaitAsReceiver => "waits for a migration",
        RunStrategy::Unknown => "<unknown>",
    }
}

/// Whether its template or its instance type gives it such a device.
fn has_device(vm: At<'_, Vm>, flag: VmFlags, of: fn(&InstanceSize) -> u16) -> SortKey<'static> {
    let has = vm.flags.contains(flag) || vm.instance_size().here().is_some_and(|size| of(&size) > 0);
    if has { SortKey::Text("yes") } else { SortKey::Nothing }
}
