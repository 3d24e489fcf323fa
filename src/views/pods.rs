//! `pods`.

use std::fmt::Write as _;

use super::Column;
use super::column::{
    Sets, address, age, cpu_key, cpu_used, memory_key, memory_used, name, namespace, reason, since, state,
    word, write_address, write_cpu, write_memory,
};
use super::view::{Open, Related, Road, Sort, View};
use crate::model::Word;
use crate::records::{Kind, Pod, PodRole, VirtinkVm, Vm, name_key};
use crate::store::{At, SortKey};

pub(super) static VIEW: View<Pod> = View {
    name: "pods",
    aliases: &["pod", "po"],
    rows: &[Kind::Pod],
    partners: &[Kind::Vmi, Kind::Vm, Kind::PodMetrics, Kind::Event],
    shown: |_| true,
    state: |pod, now| pod.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Pod>::text("READY", 7, |pod, _| SortKey::Number(i64::from(pod.ready)))
            .written(|pod, _, out| _ = write!(out, "{}/{}", pod.ready, pod.containers))
            .within(Sets::TRIAGE),
        state(),
        reason(),
        since().wide(),
        Column::<Pod>::number("RESTARTS", |pod, _| SortKey::Number(i64::from(pod.restarts)))
            .within(Sets::TRIAGE),
        Column::<Pod>::text("ROLE", 14, |pod, _| SortKey::Text(role(pod.role))).within(Sets::all()),
        Column::<Pod>::text("VM", 40, |pod, _| machine(pod)).within(Sets::all()),
        cpu_used(Kind::PodMetrics, |pod, _| cpu_key(pod.usage()), |pod, _, out| write_cpu(pod.usage(), out)),
        memory_used(
            Kind::PodMetrics,
            |pod, _| memory_key(pod.usage()),
            |pod, _, out| write_memory(pod.usage(), out),
        ),
        Column::<Pod>::text("IP", 39, |pod, _| address(pod.address()))
            .written(|pod, _, out| write_address(pod.address(), out))
            .within(Sets::NETWORK),
        Column::<Pod>::text("NODE", 40, |pod, _| word(pod.node)).within(Sets::NETWORK.union(Sets::TRIAGE)),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(
            Road::Owner,
            "owners",
            &[Kind::Vmi, Kind::VirtinkVm, Kind::Claim, Kind::DataVolume, Kind::Vm, Kind::OsArtifact],
        ),
        Related {
            road: Road::Node,
            title: "node",
            kinds: &[Kind::Node],
            find: |pod, out| {
                out.extend(pod.store().find_key(name_key(Kind::Node, Word::default(), &pod.node)));
            },
        },
        Related::below("disks attached by it", &[Kind::Pod]),
        Related::events(),
    ],
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

/// The machine that it works for.
fn machine(pod: At<'_, Pod>) -> SortKey<'_> {
    let of_kubevirt = pod.nearest::<Vm>().map(|vm| &vm.record().meta.name);
    let of_virtink = || pod.nearest::<VirtinkVm>().map(|vm| &vm.record().meta.name);
    of_kubevirt.or_else(of_virtink).map_or(SortKey::Nothing, |name| SortKey::Text(name))
}
