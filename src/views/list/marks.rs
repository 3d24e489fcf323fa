//! Marks of rows, tied to objects.

use hashbrown::HashSet;

use super::{List, find_row};
use crate::model::Uid;
use crate::store::{Id, Marks, Store};

/// The objects that are marked.
#[derive(Debug, Default)]
pub(super) struct Marked {
    uids: HashSet<Uid>,
    /// The rows of these objects.
    rows: Marks,
}

impl Marked {
    pub(super) fn len(&self) -> usize {
        self.uids.len()
    }

    pub(super) fn has(&self, id: Id) -> bool {
        !self.uids.is_empty() && self.rows.has(id)
    }

    fn set(&mut self, id: Id, store: &Store) {
        if let Some(meta) = store.meta(id) {
            self.uids.insert(meta.uid);
            self.rows.set(id);
        }
    }

    fn unset(&mut self, id: Id, store: &Store) {
        self.rows.take(id);
        if let Some(meta) = store.meta(id) {
            self.uids.remove(&meta.uid);
        }
    }

    /// Drops the marks of objects that are no rows any more. A place may have another object by now.
    pub(super) fn follow(&mut self, changed: &[Id], there: impl Fn(Id) -> bool, store: &Store) {
        if self.uids.is_empty() {
            return;
        }
        let mut lost = false;
        for &id in changed {
            let was = self.rows.take(id);
            let uid = store.meta(id).map(|meta| meta.uid);
            let is = there(id) && uid.is_some_and(|uid| self.uids.contains(&uid));
            if is {
                self.rows.set(id);
            }
            lost |= was && !is;
        }
        if lost {
            let Self { uids, rows } = self;
            uids.retain(|&uid| {
                let places = [store.find(uid), store.find_of(crate::records::Kind::Other, uid)];
                places.into_iter().flatten().any(|id| rows.has(id))
            });
        }
    }

    /// Finds the rows of the marked objects anew.
    pub(super) fn look_again(&mut self, all: &[Id], store: &Store) {
        if self.uids.is_empty() {
            return;
        }
        let mut there = Marks::default();
        all.iter().for_each(|&id| there.set(id));
        self.rows = Marks::default();
        let rows = &mut self.rows;
        self.uids.retain(|&uid| {
            let row = find_row(all, uid, store).filter(|&id| there.has(id));
            row.inspect(|&id| rows.set(id)).is_some()
        });
    }
}

impl List {
    /// Whether a row is marked.
    pub fn is_marked(&self, id: Id) -> bool {
        self.marked.has(id)
    }

    /// Marks the row under the cursor, or takes its mark away.
    pub fn toggle_mark(&mut self, store: &Store) {
        let Some(id) = self.selected() else { return };
        if self.marked.has(id) {
            self.marked.unset(id, store);
        } else {
            self.marked.set(id, store);
        }
    }

    /// Marks all rows between the cursor and the nearest marked row above it, else below it.
    pub fn mark_range(&mut self, store: &Store) {
        let (rows, place) = (self.rows(), self.place());
        let is_marked = |&at: &usize| self.marked.has(rows[at]);
        let above = (0..place.min(rows.len())).rev().find(is_marked);
        let Some(other) = above.or_else(|| (place + 1..rows.len()).find(is_marked)) else { return };
        let range: Vec<Id> = rows[other.min(place)..=other.max(place).min(rows.len() - 1)].to_vec();
        range.into_iter().for_each(|id| self.marked.set(id, store));
    }

    /// Takes all marks away.
    pub fn clear_marks(&mut self) {
        self.marked = Marked::default();
    }

    /// Takes the mark of an object away: something was done with it.
    pub fn unmark(&mut self, id: Id, store: &Store) {
        self.marked.unset(id, store);
    }

    /// The marked rows in their order, also those that the filter hides.
    pub fn marked(&self) -> Vec<Id> {
        match self.marked.len() {
            0 => Vec::new(),
            _ => self.all().iter().copied().filter(|&id| self.marked.has(id)).collect(),
        }
    }

    /// What an action is for: the marked rows, else the one under the cursor.
    pub fn chosen(&self) -> Vec<Id> {
        match self.marked() {
            marked if marked.is_empty() => self.selected().into_iter().collect(),
            marked => marked,
        }
    }
}
