//! `pods`.

use std::fmt::Write as _;

use super::{Column, Open, Sort, View, age, name, namespace, word};
use crate::records::{Kind, Pod, PodRole};
use crate::store::SortKey;

pub(super) static VIEW: View<Pod> = View {
    name: "pods",
    aliases: &["pod", "po"],
    rows: &[Kind::Pod],
    partners: &[],
    shown: |_| true,
    state: |pod, now| pod.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Pod>::text("READY", 7, |pod, _| SortKey::Number(i64::from(pod.ready)))
            .written(|pod, _, out| _ = write!(out, "{}/{}", pod.ready, pod.containers)),
        Column::<Pod>::state("STATUS", |pod, now| word(pod.state(now).word)),
        Column::<Pod>::number("RESTARTS", |pod, _| SortKey::Number(i64::from(pod.restarts))),
        Column::<Pod>::text("ROLE", 14, |pod, _| SortKey::Text(role(pod.role))),
        Column::<Pod>::text("IP", 39, |pod, _| super::address(pod.address())).written(
            |pod, _, out| match pod.address() {
                Some(address) => _ = write!(out, "{address}"),
                None => out.push_str("<none>"),
            },
        ),
        Column::<Pod>::text("NODE", 40, |pod, _| word(pod.node)),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[],
};

fn role(role: PodRole) -> &'static str {
    match role {
        PodRole::Other => "-",
        PodRole::Launcher => "launcher",
        PodRole::Hotplug => "hotplug",
        PodRole::Importer => "importer",
        PodRole::UploadServer => "upload server",
        PodRole::CloneSource => "clone source",
        PodRole::ClonePrepare => "clone prepare",
        PodRole::Virtink => "Virtink",
    }
}
