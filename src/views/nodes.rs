//! `nodes`: what can run guests, and what runs there.

use std::fmt::Write as _;

use super::Column;
use super::column::{
    Sets, address, age, count, cpu_key, cpu_used, memory_key, memory_used, name, percent, reason, since,
    size, state, time, word, write_address, write_cpu, write_memory, write_millis,
};
use super::guests::{self, Guest};
use super::view::{Open, Related, Road, Sort, View, all_that_belong};
use super::within::named;
use crate::records::{Kind, Node, Pod};
use crate::store::{At, Id, SortKey, Store};

pub(super) static VIEW: View<Node> = View {
    name: "nodes",
    aliases: &["node", "no"],
    rows: &[Kind::Node],
    partners: &[Kind::Vmi, Kind::VirtinkVm, Kind::NodeMetrics],
    shown: |_| true,
    state: |node, now| node.state(now),
    columns: &[
        name(),
        state(),
        reason(),
        since(),
        Column::<Node>::text("ROLES", 30, |node, _| word(node.roles)),
        Column::<Node>::number("VMS", |node, _| running(node))
            .written(|node, _, out| guests::write_sum(node, running(node), out))
            .within(Sets::all()),
        Column::<Node>::number("HELD", |node, _| held(node))
            .written(|node, _, out| guests::write_sum(node, held(node), out))
            .within(Sets::TRIAGE.union(Sets::CAPACITY)),
        Column::<Node>::millis("CPU", |node, _| count(node.allocatable_cpu))
            .written(|node, _, out| write_millis(node.allocatable_cpu, out))
            .within(Sets::CAPACITY),
        Column::<Node>::number("CPU ASKED", |node, _| asked_cpus(node))
            .written(|node, _, out| guests::write_sum(node, asked_cpus(node), out))
            .within(Sets::CAPACITY),
        Column::<Node>::bytes("MEMORY", |node, _| size(node.allocatable_memory)).within(Sets::CAPACITY),
        Column::<Node>::bytes("MEM ASKED", |node, _| asked_memory(node))
            .written(|node, _, out| {
                if !guests::known(node) {
                    out.push('…');
                }
            })
            .within(Sets::CAPACITY),
        cpu_used(
            Kind::NodeMetrics,
            |node, _| cpu_key(node.usage()),
            |node, _, out| write_cpu(node.usage(), out),
        ),
        memory_used(
            Kind::NodeMetrics,
            |node, _| memory_key(node.usage()),
            |node, _, out| write_memory(node.usage(), out),
        ),
        Column::<Node>::number("CPU%", |node, _| percent(cpu_key(node.usage()), count(node.allocatable_cpu)))
            .about("CPU USED of the processors that the node has for pods")
            .or("n/a")
            .needing(Kind::NodeMetrics)
            .within(Sets::CAPACITY),
        Column::<Node>::number("MEM%", |node, _| {
            percent(memory_key(node.usage()), size(node.allocatable_memory))
        })
        .about("MEM USED of the memory that the node has for pods")
        .or("n/a")
        .needing(Kind::NodeMetrics)
        .within(Sets::CAPACITY),
        Column::<Node>::number("KVM", |node, _| SortKey::Number(i64::from(node.kvm)))
            .written(|node, _, out| _ = write!(out, "{}/{}", node.kvm, node.kvm_capacity))
            .within(Sets::CAPACITY),
        Column::<Node>::age("HANDLER", |node, _| time(node.heartbeat)).wide().within(Sets::TRIAGE),
        Column::<Node>::text("IP", 39, |node, _| address(node.address()))
            .written(|node, _, out| write_address(node.address(), out))
            .wide()
            .within(Sets::NETWORK),
        Column::<Node>::text("VERSION", 20, |node, _| word(node.version)).wide(),
        Column::<Node>::text("ARCH", 8, |node, _| word(node.arch)).wide(),
        Column::<Node>::millis("ALL CPU", |node, _| count(node.cpu))
            .written(|node, _, out| write_millis(node.cpu, out))
            .wide()
            .within(Sets::CAPACITY),
        Column::<Node>::bytes("ALL MEMORY", |node, _| size(node.memory)).wide().within(Sets::CAPACITY),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::Node],
        view: guests::VIEW.name,
        belongs: guests::runs_on,
        besides: &[],
        none: |store, id| format!("No machine runs on {}.", named(store, id)),
    },
    related: &[
        Related {
            road: Road::UsedBy,
            title: "guests",
            kinds: guests::KINDS,
            find: |node, out| out.extend(guests::ids(node)),
        },
        Related {
            road: Road::Parts,
            title: "machines",
            kinds: &[Kind::Vm, Kind::VirtinkVm],
            find: |node, out| out.extend(guests::on(node).map(|guest| guest.machine)),
        },
        Related {
            road: Road::Parts,
            title: "pods of machines",
            kinds: &[Kind::Pod],
            find: |node, out| all_that_belong(node, Kind::Pod, has_pod, out),
        },
        Related {
            road: Road::Parts,
            title: "events",
            kinds: &[Kind::Event],
            find: |node, out| out.extend(node.store().parts(node.id())),
        },
    ],
};

/// Whether a pod was given to a node.
fn has_pod(store: &Store, node: Id, pod: Id) -> bool {
    let (Some(meta), Some(pod)) = (store.meta(node), store.get::<Pod>(pod)) else { return false };
    *pod.node == *meta.name
}

fn running(node: At<'_, Node>) -> SortKey<'static> {
    how_many(living(node))
}

/// How many of the guests on a node cannot be moved while they run.
fn held(node: At<'_, Node>) -> SortKey<'static> {
    how_many(living(node).filter(|guest| guest.held))
}

fn living(node: At<'_, Node>) -> impl Iterator<Item = Guest> {
    guests::on(node).filter(|guest| guest.living)
}

fn how_many<T>(guests: impl Iterator<Item = T>) -> SortKey<'static> {
    SortKey::Number(i64::try_from(guests.count()).unwrap_or(i64::MAX))
}

fn asked_cpus(node: At<'_, Node>) -> SortKey<'static> {
    SortKey::Number(living(node).map(|guest| i64::from(guest.cpus)).sum())
}

fn asked_memory(node: At<'_, Node>) -> SortKey<'static> {
    size(living(node).map(|guest| guest.memory).fold(0, u64::saturating_add))
}
