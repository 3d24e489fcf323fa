//! `secrets`: their names, types and keys, never their values.

use super::Column;
use super::column::{age, name, namespace, text, word, yes_no};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Kind, Record as _, Secret};
use crate::store::{Id, SortKey};

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
                let (store, key) = (secret.store(), secret.record().key());
                let names = |id: &Id| store.meta(*id).is_some_and(|meta| meta.uses().any(|used| used == key));
                out.extend(store.wholes(secret.id()).filter(names));
            },
        },
        Related::events(),
    ],
};
