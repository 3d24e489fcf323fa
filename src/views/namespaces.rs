//! `namespaces`.

use super::{Column, Open, View, age, name, word};
use crate::records::{Kind, Namespace};
use crate::store::Health;

pub(super) static VIEW: View<Namespace> = View {
    name: "namespaces",
    aliases: &["namespace", "ns"],
    rows: &[Kind::Namespace],
    partners: &[],
    shown: |_| true,
    health: |namespace, _| if namespace.phase == *"Terminating" { Health::Leaving } else { Health::Well },
    columns: &[name(), Column::<Namespace>::text("STATUS", 12, |namespace, _| word(namespace.phase)), age()],
    open: Open::Namespace,
};
