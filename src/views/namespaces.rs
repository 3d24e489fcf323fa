//! `namespaces`.

use super::{Column, Open, Sort, View, age, name, word};
use crate::records::{Kind, Namespace};
use crate::store::{Health, State};

pub(super) static VIEW: View<Namespace> = View {
    name: "namespaces",
    aliases: &["namespace", "ns"],
    rows: &[Kind::Namespace],
    partners: &[],
    shown: |_| true,
    state: |namespace, _| {
        let health = if namespace.phase == *"Terminating" { Health::Leaving } else { Health::Well };
        State { word: namespace.phase, since: namespace.meta.deleted(), health, ..State::default() }
    },
    columns: &[name(), Column::<Namespace>::text("STATUS", 12, |namespace, _| word(namespace.phase)), age()],
    sort: Sort::Name,
    open: Open::Namespace,
    related: &[],
};
