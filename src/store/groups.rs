//! Records by what sums them up: instances by node, machines by namespace. Made when somebody asks, so a store costs
//! nothing for it until a view of the sums is on screen.

use std::sync::OnceLock;

use hashbrown::HashMap;

use super::Id;
use crate::model::Key;
use crate::records::Kind;

type Members = HashMap<Key, Vec<Id>>;

/// The groups of each kind that somebody has asked for since its records changed.
#[derive(Debug, Default)]
pub(super) struct Groups(Vec<OnceLock<Members>>);

impl Groups {
    /// Forgets the groups of a kind.
    pub(super) fn forget(&mut self, kind: Kind) {
        if self.0.is_empty() {
            self.0.resize_with(Kind::ALL.len(), OnceLock::new);
        }
        self.0[kind as usize].take();
    }

    /// The members of a group, which are made now if they are not known.
    pub(super) fn members(&self, kind: Kind, group: Key, make: impl FnOnce() -> Members) -> &[Id] {
        let known = self.0.get(kind as usize).map(|groups| groups.get_or_init(make));
        known.and_then(|groups| groups.get(&group)).map_or(&[], Vec::as_slice)
    }
}

/// More than the parts of any honest object.
const MOST: usize = 10_000;

/// What can be reached from `id` by `next`, without `id` itself, the nearest first and each once, at most [`MOST`].
pub(super) fn closure<I: Iterator<Item = Id>>(id: Id, next: impl Fn(Id) -> I) -> Vec<Id> {
    let mut seen = hashbrown::HashSet::new();
    seen.insert(id);
    let mut found = vec![id];
    let mut at = 0;
    while at < found.len() && found.len() < MOST {
        let new = next(found[at]).filter(|&id| seen.insert(id)).take(MOST - found.len());
        found.extend(new);
        at += 1;
    }
    found.remove(0);
    found
}
