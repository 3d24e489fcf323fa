//! `pools`: VirtualMachinePools with what their machines say.

use std::fmt::Write as _;

use super::column::{Sets, age, count, name, namespace, reason, since, state};
use super::places::{NODES_OF_GUESTS, nodes_of_guests};
use super::view::{Open, Related, Road, Sort, View};
use super::within::named;
use super::{Column, belongs_directly};
use crate::model::Now;
use crate::records::{Kind, Pool};
use crate::store::{At, Health, SortKey};

pub(super) static VIEW: View<Pool> = View {
    name: "pools",
    aliases: &["pool", "virtualmachinepools", "virtualmachinepool", "vmpool", "vmpools"],
    rows: &[Kind::Pool],
    partners: super::vms::MACHINES,
    shown: |_| true,
    state: |pool, now| pool.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        Column::<Pool>::text("READY", 11, |pool, _| SortKey::Number(i64::from(pool.ready)))
            .written(write_ready)
            .within(Sets::TRIAGE),
        Column::<Pool>::number("DESIRED", |pool, _| SortKey::Number(i64::from(pool.desired))),
        Column::<Pool>::number("CURRENT", |pool, _| SortKey::Number(i64::from(pool.replicas))),
        Column::<Pool>::number("FAULTS", |pool, now| SortKey::Number(faults(pool, now)))
            .reading_states_of(Kind::Vm)
            .within(Sets::TRIAGE),
        Column::<Pool>::number("CPU", |pool, _| count(pool.cpus())).within(Sets::CAPACITY),
        Column::<Pool>::bytes("MEMORY", |pool, _| count(pool.memory())).within(Sets::CAPACITY),
        since().wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::Pool],
        view: "vms",
        belongs: belongs_directly,
        besides: &[],
        none: |store, id| format!("{} has no machines.", named(store, id)),
    },
    related: &[
        Related {
            road: Road::Node,
            title: "nodes",
            kinds: NODES_OF_GUESTS,
            find: |at, out| nodes_of_guests(at, out),
        },
        Related::below("machines", &[Kind::Vm]),
        Related::below("instances", &[Kind::Vmi]),
        Related::events(),
    ],
};

/// How many of its machines have a fault.
fn faults(pool: At<'_, Pool>, now: Now) -> i64 {
    let faulty = pool.vms().filter(|vm| matches!(vm.state(now).health, Health::Failed | Health::Warning));
    i64::try_from(faulty.count()).unwrap_or(i64::MAX)
}

/// Ready machines and those that should be.
pub(super) fn write_ready(pool: At<'_, Pool>, _: Now, out: &mut String) {
    let _ = write!(out, "{}/{}", pool.ready, pool.desired);
}

impl At<'_, Pool> {
    /// Virtual processors that its machines ask for.
    pub(super) fn cpus(self) -> i64 {
        self.vms().filter_map(|vm| vm.asked_cpus().here()).map(i64::from).sum()
    }

    /// Bytes of memory that its machines ask for.
    pub(super) fn memory(self) -> i64 {
        self.vms().filter_map(|vm| vm.asked_memory().here()).map(|mib| i64::from(mib) << 20).sum()
    }
}
