//! `secrets`: their names, types and keys, never their values.

use super::Column;
use super::column::{age, name, namespace, text, word, yes_no};
use super::view::{Open, Related, Road, Sort, View, all_that_belong};
use crate::records::{Kind, Record as _, Secret, Vm};
use crate::store::{Id, SortKey, Store};

pub(super) static VIEW: View<Secret> = View {
    name: "secrets",
    aliases: &["secret", "sec"],
    rows: &[Kind::Secret],
    partners: &[],
    shown: |_| true,
    state: |secret, now| secret.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Secret>::text("TYPE", 40, |secret, _| word(secret.of)),
        Column::<Secret>::number("KEYS", |secret, _| SortKey::Number(i64::from(secret.count))),
        Column::<Secret>::text("NAMES OF KEYS", 60, |secret, _| text(&secret.record().keys)).wide(),
        Column::<Secret>::text("LOCKED", 6, |secret, _| yes_no(secret.immutable)).wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::owners(&[Kind::Vm, Kind::Vmi, Kind::DataVolume, Kind::Claim]),
        Related {
            road: Road::UsedBy,
            title: "machines and disks",
            kinds: &[Kind::Vm, Kind::DataVolume],
            find: |secret, out| {
                all_that_belong(secret, Kind::Vm, is_named_by_machine, out);
                all_that_belong(secret, Kind::DataVolume, is_named_by_disk, out);
            },
        },
        Related::events(),
    ],
};

/// Whether a machine names a Secret.
fn is_named_by_machine(store: &Store, secret: Id, vm: Id) -> bool {
    let (Some(secret), Some(vm)) = (store.get::<Secret>(secret), store.get::<Vm>(vm)) else { return false };
    vm.secrets().any(|named| named == secret.key())
}

/// Whether the source of a disk names a Secret.
fn is_named_by_disk(store: &Store, secret: Id, disk: Id) -> bool {
    let (Some(secret), Some(meta)) = (store.get::<Secret>(secret), store.meta(disk)) else { return false };
    meta.uses().any(|named| named == secret.key())
}
