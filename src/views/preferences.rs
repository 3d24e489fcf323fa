//! `preferences`: what guests of a system like, of a namespace and of the whole cluster together.

use super::Column;
use super::column::{Sets, age, count, name, namespace, size, word, yes_no};
use super::instancetypes::scope;
use super::view::{Open, Related, Road, Sort, View, all_that_belong};
use super::vms::bytes;
use crate::records::{ClusterPreference, Kind, Meta, Preference, Vm, VmFlags, Wishes};
use crate::store::{At, Id, Row, SortKey, Store};

/// A row of this view.
pub(super) struct Liking;

impl Row for Liking {
    type Record = Meta;

    fn find(store: &Store, id: Id) -> Option<&Meta> {
        store.meta(id)
    }
}

impl At<'_, Liking> {
    fn wishes(self) -> Wishes {
        let own = self.store().get::<Preference>(self.id()).map(|own| own.wishes);
        let of_cluster = || self.store().get::<ClusterPreference>(self.id()).map(|one| one.wishes);
        own.or_else(of_cluster).unwrap_or_default()
    }
}

pub(super) static VIEW: View<Liking> = View {
    name: "preferences",
    aliases: &["preference", "pref", "vmp", "vmps", "vmpref", "vmprefs", "vmcp", "vmcps"],
    rows: &[Kind::ClusterPreference, Kind::Preference],
    partners: &[],
    shown: |_| true,
    state: |row, now| row.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Liking>::text("FOR", 10, |row, _| SortKey::Text(scope(row.kind() == Kind::Preference))),
        Column::<Liking>::text("ABOUT", 40, |row, _| word(row.wishes().about)),
        Column::<Liking>::number("LEAST CPU", |row, _| count(row.wishes().cpus)).within(Sets::CAPACITY),
        Column::<Liking>::bytes("LEAST MEMORY", |row, _| size(bytes(row.wishes().memory)))
            .within(Sets::CAPACITY),
        Column::<Liking>::text("DISK BUS", 10, |row, _| word(row.wishes().disk_bus)).within(Sets::STORAGE),
        Column::<Liking>::text("NETWORK", 10, |row, _| word(row.wishes().interface)).within(Sets::NETWORK),
        Column::<Liking>::text("MACHINE", 24, |row, _| word(row.wishes().machine)).wide(),
        Column::<Liking>::text("UEFI", 5, |row, _| yes_no(row.wishes().efi)),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related {
            road: Road::UsedBy,
            title: "machines",
            kinds: &[Kind::Vm],
            find: |row, out| all_that_belong(row, Kind::Vm, is_liked_by, out),
        },
        Related::events(),
    ],
};

/// Whether a machine has taken a preference.
fn is_liked_by(store: &Store, of: Id, vm: Id) -> bool {
    let (Some(meta), Some(vm)) = (store.meta(of), store.get::<Vm>(vm)) else { return false };
    let own = vm.flags.contains(VmFlags::OWN_PREFERENCE);
    let here = if own { vm.meta.namespace == meta.namespace } else { meta.namespace.is_empty() };
    here && *vm.preference == *meta.name
}
