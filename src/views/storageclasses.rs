//! `storageclasses`: how volumes are made.

use super::Column;
use super::column::{Sets, age, name, text, word, write_members, yes_no};
use super::view::{Open, Related, Road, Sort, View};
use super::within::named;
use crate::records::{Kind, StorageClass, StorageClassFlags};
use crate::store::{At, Id, SortKey, Store};

pub(super) static VIEW: View<StorageClass> = View {
    name: "storageclasses",
    aliases: &["storageclass", "sc"],
    rows: &[Kind::StorageClass],
    partners: &[Kind::Claim],
    shown: |_| true,
    state: |class, now| class.state(now),
    columns: &[
        name(),
        Column::<StorageClass>::text("DEFAULT", 14, |class, _| text(default_for(class.flags)))
            .or("-")
            .within(Sets::STORAGE),
        Column::<StorageClass>::text("PROVISIONER", 50, |class, _| word(class.provisioner))
            .within(Sets::STORAGE),
        Column::<StorageClass>::text("BINDS", 20, |class, _| SortKey::Text(class.binding.as_str()))
            .within(Sets::STORAGE),
        Column::<StorageClass>::text("GROWS", 5, |class, _| {
            yes_no(class.flags.contains(StorageClassFlags::EXPANDS))
        })
        .within(Sets::STORAGE),
        Column::<StorageClass>::text("RECLAIMS BY", 11, |class, _| word(class.reclaim)).within(Sets::STORAGE),
        Column::<StorageClass>::number("CLAIMS", |class, _| members(class))
            .written(|class, _, out| write_members(class, Kind::Claim, members(class), out))
            .within(Sets::STORAGE.union(Sets::CAPACITY)),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::StorageClass],
        view: "claims",
        belongs: is_of_class,
        besides: &[],
        none: |store, id| format!("No claim is of the class {}.", named(store, id)),
    },
    related: &[
        Related {
            road: Road::UsedBy,
            title: "claims",
            kinds: &[Kind::Claim],
            find: |class, out| out.extend(class.store().members(Kind::Claim, class.id())),
        },
        Related::events(),
    ],
};

fn members(class: At<'_, StorageClass>) -> SortKey<'static> {
    let claims = class.store().members(Kind::Claim, class.id()).len();
    SortKey::Number(i64::try_from(claims).unwrap_or(i64::MAX))
}

fn is_of_class(store: &Store, class: Id, claim: Id) -> bool {
    store.members(Kind::Claim, class).binary_search(&claim).is_ok()
}

/// For whose claims it is taken that name no class.
fn default_for(flags: StorageClassFlags) -> &'static str {
    let (all, machines) = (StorageClassFlags::DEFAULT, StorageClassFlags::VIRT_DEFAULT);
    match (flags.contains(all), flags.contains(machines)) {
        (true, true) => "all, machines",
        (true, false) => "all",
        (false, true) => "machines",
        (false, false) => "",
    }
}
