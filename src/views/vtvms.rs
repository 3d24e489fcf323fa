//! `vtvms`: VirtualMachines of Virtink.

use super::Column;
use super::column::{
    Sets, address, age, count, held_by, name, namespace, partner, reason, since, size, state, text, told,
    word, write_address,
};
use super::made_of::{Made as _, image, image_key, write_images};
use super::view::{Open, Related, Road, Sort, View};
use super::vms::bytes;
use crate::model::Word;
use crate::records::{Kind, RunPolicy, VirtinkFlags, VirtinkVm, name_key};
use crate::store::SortKey;

pub(super) static VIEW: View<VirtinkVm> = View {
    name: "vtvms",
    aliases: &["vtvm", "vt", "virtink"],
    rows: &[Kind::VirtinkVm],
    partners: &[Kind::Pod, Kind::DataVolume, Kind::Claim, Kind::Event],
    shown: |_| true,
    state: |vm, now| vm.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        since().wide(),
        Column::<VirtinkVm>::number("CPU", |vm, _| count(vm.cpus)).within(Sets::CAPACITY),
        Column::<VirtinkVm>::bytes("MEMORY", |vm, _| size(bytes(vm.memory))).within(Sets::CAPACITY),
        Column::<VirtinkVm>::number("DISKS", |vm, _| {
            SortKey::Number(i64::try_from(vm.record().disks.len()).unwrap_or(i64::MAX))
        })
        .within(Sets::STORAGE),
        Column::<VirtinkVm>::text("IP", 39, |vm, _| {
            address(vm.present_pod().here().and_then(|pod| pod.address()))
        })
        .written(|vm, _, out| partner(vm.present_pod(), out, |pod, out| write_address(pod.address(), out)))
        .within(Sets::NETWORK),
        Column::<VirtinkVm>::text("NODE", 40, |vm, _| word(vm.node))
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<VirtinkVm>::text("POD", 50, |vm, _| text(&vm.record().pod)).wide(),
        Column::<VirtinkVm>::text("MOVES", 5, |vm, _| {
            told(vm.flags.contains(VirtinkFlags::MIGRATABLE), vm.flags.contains(VirtinkFlags::NOT_MIGRATABLE))
        })
        .wide()
        .within(Sets::NETWORK),
        Column::<VirtinkVm>::text("HELD BY", 30, |vm, _| held_by(vm.obstacle))
            .or("-")
            .wide()
            .within(Sets::NETWORK.union(Sets::TRIAGE)),
        image(|vm, _| image_key(&vm.images()), |vm, _, out| write_images(vm, &vm.images(), out)),
        Column::<VirtinkVm>::text("POLICY", 16, |vm, _| text(vm.policy.as_str())).wide(),
        Column::<VirtinkVm>::text("WHEN IT STOPS", 24, |vm, _| SortKey::Text(next_move(vm.policy))).wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related {
            road: Road::Node,
            title: "node",
            kinds: &[Kind::Node],
            find: |vm, out| out.extend(vm.store().find_key(name_key(Kind::Node, Word::default(), &vm.node))),
        },
        Related::below("pods", &[Kind::Pod]),
        Related::below("disks", &[Kind::DataVolume]),
        Related::below("claims", &[Kind::Claim]),
        Related::events(),
    ],
};

fn next_move(policy: RunPolicy) -> &'static str {
    match policy {
        RunPolicy::Always => "starts again",
        RunPolicy::RerunOnFailure => "starts again if it failed",
        RunPolicy::Once | RunPolicy::Manual | RunPolicy::Halted => "stays off",
        RunPolicy::None => "<unknown>",
    }
}
