//! `pods`.

use super::{Open, View, age, name, namespace};
use crate::records::{Kind, Pod};
use crate::store::Health;

pub(super) static VIEW: View<Pod> = View {
    name: "pods",
    aliases: &["pod", "po"],
    rows: &[Kind::Pod],
    partners: &[],
    shown: |_| true,
    health: |_, _| Health::Well,
    columns: &[namespace(), name(), age()],
    open: Open::Nothing,
};
