//! `instancetypes`: sizes of machines, of a namespace and of the whole cluster together.

use super::Column;
use super::column::{Sets, age, count, name, namespace, size, yes_no};
use super::view::{Open, Related, Road, Sort, View, all_that_belong};
use super::vms::bytes;
use super::within::named;
use crate::records::{
    ClusterInstancetype, InstanceFlags, InstanceSize, Instancetype, Kind, Meta, Vm, VmFlags,
};
use crate::store::{At, Id, Row, SortKey, Store};

/// A row of this view.
pub(super) struct Size;

impl Row for Size {
    type Record = Meta;

    fn find(store: &Store, id: Id) -> Option<&Meta> {
        store.meta(id)
    }
}

impl At<'_, Size> {
    fn size(self) -> InstanceSize {
        let own = self.store().get::<Instancetype>(self.id()).map(|own| own.size);
        let of_cluster = || self.store().get::<ClusterInstancetype>(self.id()).map(|one| one.size);
        own.or_else(of_cluster).unwrap_or_default()
    }
}

pub(super) static VIEW: View<Size> = View {
    name: "instancetypes",
    aliases: &[
        "instancetype",
        "it",
        "vmf",
        "vmfs",
        "vminstancetype",
        "vmcf",
        "vmcfs",
        "vmclusterinstancetype",
    ],
    rows: &[Kind::ClusterInstancetype, Kind::Instancetype],
    partners: &[Kind::Vm],
    shown: |_| true,
    state: |row, now| row.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Size>::text("FOR", 10, |row, _| SortKey::Text(scope(row.kind() == Kind::Instancetype))),
        Column::<Size>::number("CPU", |row, _| count(row.size().cpus)).within(Sets::CAPACITY),
        Column::<Size>::bytes("MEMORY", |row, _| size(bytes(row.size().memory))).within(Sets::CAPACITY),
        Column::<Size>::number("GPUS", |row, _| SortKey::Number(i64::from(row.size().gpus)))
            .within(Sets::CAPACITY),
        Column::<Size>::number("DEVICES", |row, _| SortKey::Number(i64::from(row.size().host_devices)))
            .wide()
            .within(Sets::CAPACITY),
        Column::<Size>::text("DEDICATED", 9, |row, _| {
            yes_no(row.size().flags.contains(InstanceFlags::DEDICATED))
        })
        .within(Sets::CAPACITY),
        Column::<Size>::text("HUGE PAGES", 10, |row, _| {
            yes_no(row.size().flags.contains(InstanceFlags::HUGE_PAGES))
        })
        .wide()
        .within(Sets::CAPACITY),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::Instancetype, Kind::ClusterInstancetype],
        view: "vms",
        belongs: is_of_type,
        besides: &[],
        none: |store, id| format!("No machine is of the type {}.", named(store, id)),
    },
    related: &[
        Related {
            road: Road::UsedBy,
            title: "machines",
            kinds: &[Kind::Vm],
            find: |row, out| all_that_belong(row, Kind::Vm, is_of_type, out),
        },
        Related::events(),
    ],
};

/// Who can use an object: those of its namespace, or all.
pub(super) fn scope(own: bool) -> &'static str {
    if own { "namespace" } else { "cluster" }
}

/// Whether a machine has its size from an instance type.
fn is_of_type(store: &Store, of: Id, vm: Id) -> bool {
    let (Some(meta), Some(vm)) = (store.meta(of), store.get::<Vm>(vm)) else { return false };
    let own = vm.flags.contains(VmFlags::OWN_INSTANCETYPE);
    let here = if own { vm.meta.namespace == meta.namespace } else { meta.namespace.is_empty() };
    here && *vm.instancetype == *meta.name
}
