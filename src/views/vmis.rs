//! `vmis`: VirtualMachineInstances, the lives of guests.

use super::Column;
use super::column::{
    Sets, address, age, count, cpu_key, cpu_used, held_by, memory_key, memory_used, name, namespace, reason,
    since, size, state, told, word, write_address, write_cpu, write_memory, yes_no,
};
use super::made_of::{Made as _, image, image_key, write_images};
use super::view::{Open, Related, Road, Sort, View};
use super::vms::{address_source, bytes, write_address_source};
use crate::model::{Now, Word};
use crate::records::{Kind, Vmi, VmiFlags, name_key};
use crate::store::{At, Id, SortKey};

pub(super) static VIEW: View<Vmi> = View {
    name: "vmis",
    aliases: &["vmi", "virtualmachineinstances", "virtualmachineinstance"],
    rows: &[Kind::Vmi],
    partners: &[Kind::Pod, Kind::Migration, Kind::PodMetrics, Kind::DataVolume, Kind::Event],
    shown: |_| true,
    state: |vmi, now| vmi.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        since(),
        Column::<Vmi>::number("CPU", |vmi, _| count(vmi.cpus)).within(Sets::CAPACITY),
        Column::<Vmi>::bytes("MEMORY", |vmi, _| size(bytes(vmi.memory))).within(Sets::CAPACITY),
        Column::<Vmi>::text("IP", 39, |vmi, _| address(vmi.address()))
            .written(|vmi, _, out| write_address(vmi.address(), out))
            .within(Sets::NETWORK),
        Column::<Vmi>::text("IP FROM", 12, |vmi, _| address_source(vmi))
            .written(|vmi, _, out| write_address_source(vmi, out))
            .wide()
            .within(Sets::NETWORK),
        Column::<Vmi>::text("NODE", 40, |vmi, _| word(vmi.node)).within(Sets::NETWORK.union(Sets::TRIAGE)),
        cpu_used(Kind::PodMetrics, |vmi, _| cpu_key(vmi.usage()), |vmi, _, out| write_cpu(vmi.usage(), out)),
        memory_used(
            Kind::PodMetrics,
            |vmi, _| memory_key(vmi.usage()),
            |vmi, _, out| write_memory(vmi.usage(), out),
        ),
        Column::<Vmi>::text("GUEST", 36, |vmi, _| word(vmi.guest_os)),
        Column::<Vmi>::text("AGENT", 5, |vmi, _| yes_no(vmi.flags.contains(VmiFlags::AGENT)))
            .wide()
            .within(Sets::TRIAGE.union(Sets::NETWORK)),
        Column::<Vmi>::text("READY", 5, |vmi, _| yes_no(vmi.flags.contains(VmiFlags::READY)))
            .wide()
            .within(Sets::TRIAGE),
        Column::<Vmi>::text("MOVES", 5, moves).or("n/a").wide().within(Sets::NETWORK),
        Column::<Vmi>::text("HELD BY", 30, |vmi, _| held_by(vmi.obstacle))
            .or("-")
            .wide()
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        image(|vmi, _| image_key(&vmi.images()), |vmi, _, out| write_images(vmi, &vmi.images(), out)),
        Column::<Vmi>::text("LAUNCHER", 8, |vmi, _| {
            SortKey::Text(if vmi.flags.contains(VmiFlags::OUTDATED) { "outdated" } else { "current" })
        })
        .wide(),
        Column::<Vmi>::number("DISKS", |vmi, _| {
            SortKey::Number(i64::try_from(vmi.record().disks.len()).unwrap_or(i64::MAX))
        })
        .wide()
        .within(Sets::STORAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(Road::Owner, "machine", &[Kind::Vm]),
        Related { road: Road::Node, title: "node", kinds: &[Kind::Node], find: find_node },
        Related::below("pods", &[Kind::Pod]),
        Related::below("disks", &[Kind::DataVolume]),
        Related::below("claims", &[Kind::Claim]),
        Related::below("migrations", &[Kind::Migration]),
        Related::events(),
    ],
};

fn moves(vmi: At<'_, Vmi>, _: Now) -> SortKey<'static> {
    told(vmi.flags.contains(VmiFlags::MIGRATABLE), vmi.flags.contains(VmiFlags::NOT_MIGRATABLE))
}

/// Adds the node that a guest runs on.
pub(super) fn find_node(vmi: At<'_, Vmi>, out: &mut Vec<Id>) {
    out.extend(vmi.store().find_key(name_key(Kind::Node, Word::default(), &vmi.node)));
}
