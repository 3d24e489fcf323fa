//! What of the cluster is in use, for the header: summed up whenever it has been measured anew.

use std::cmp::Ordering;

use super::App;
use crate::records::{Kind, Node, NodeMetrics};
use crate::store::{Health, Store, Summary};

/// From so many percent on it is worth a look, and from so many on it is trouble: as k9s has it without a config.
const WORTH_A_LOOK: u64 = 70;
const TROUBLE: u64 = 90;

/// How much of something is in use in the whole cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What it is.
    pub name: &'static str,
    /// Of what pods may have on all nodes; may be more than a hundred.
    pub percent: u64,
    /// Against the measurement before.
    pub trend: Ordering,
}

impl Measured {
    /// What is measured.
    pub const NAMES: [&str; 2] = ["CPU", "MEM"];

    /// Whether there is enough left.
    pub fn health(&self) -> Health {
        match self.percent {
            TROUBLE.. => Health::Failed,
            WORTH_A_LOOK.. => Health::Warning,
            _ => Health::Well,
        }
    }
}

/// Percentages of what is known of all nodes; nothing where that is not known.
fn percentages(store: &Store) -> Option<[(&'static str, u64); 2]> {
    let live = |kind| store.freshness(kind) == Summary::Live;
    if !live(Kind::NodeMetrics) || !live(Kind::Node) {
        return None;
    }
    let (mut used, mut there) = ([0_u64; 2], [0_u64; 2]);
    let add = |sums: &mut [u64; 2], cpu: u32, memory: u64| {
        sums[0] = sums[0].saturating_add(cpu.into());
        sums[1] = sums[1].saturating_add(memory);
    };
    for node in store.ids(Kind::NodeMetrics).into_iter().filter_map(|id| store.get::<NodeMetrics>(id)) {
        add(&mut used, node.usage.cpu, node.usage.memory);
    }
    for node in store.ids(Kind::Node).into_iter().filter_map(|id| store.get::<Node>(id)) {
        add(&mut there, node.allocatable_cpu, node.allocatable_memory);
    }
    let percent = |at: usize| {
        let of = u128::from(used[at]) * 100 / u128::from(there[at]).max(1);
        (there[at] > 0 && !store.is_empty(Kind::NodeMetrics)).then(|| u64::try_from(of).unwrap_or(u64::MAX))
    };
    let [cpu, memory] = Measured::NAMES;
    Some([(cpu, percent(0)?), (memory, percent(1)?)])
}

impl App {
    /// Sums up what is in use, after a list of this kind has come to its end. Says whether the header reads differently.
    pub(super) fn measure(&mut self, kind: Kind) -> bool {
        if !matches!(kind, Kind::NodeMetrics | Kind::Node) || !self.session.measures {
            return false;
        }
        let before = std::mem::take(&mut self.measured);
        for (name, percent) in percentages(&self.store).into_iter().flatten() {
            let was = before.iter().find(|one| one.name == name).map_or(percent, |one| one.percent);
            self.measured.push(Measured { name, percent, trend: percent.cmp(&was) });
        }
        self.measured != before
    }
}
