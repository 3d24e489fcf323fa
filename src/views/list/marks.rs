//! Marks of rows, tied to objects.

use hashbrown::HashMap;

use super::{List, find_row};
use crate::model::{Uid, Word};
use crate::records::Kind;
use crate::store::{Id, Marks, Selection, Store, Summary};

/// The objects that are marked. A mark is an object's own: it stays while another namespace is shown.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// All of them, with their namespaces.
    uids: HashMap<Uid, Word>,
    /// The rows of those that are rows.
    rows: Marks,
    /// How many rows that are.
    here: usize,
}

impl Marked {
    /// How many rows are marked.
    pub(super) fn len(&self) -> usize {
        self.here
    }

    /// How many objects are marked that are no rows.
    pub(super) fn elsewhere(&self) -> usize {
        self.uids.len().saturating_sub(self.here)
    }

    pub(super) fn has(&self, id: Id) -> bool {
        self.here > 0 && self.rows.has(id)
    }

    /// The same before its rows are found.
    pub(super) fn kept(&self) -> Self {
        Self { uids: self.uids.clone(), ..Self::default() }
    }

    fn set(&mut self, id: Id, store: &Store) {
        if let Some(meta) = store.meta(id) {
            self.uids.insert(meta.uid, meta.namespace);
            self.set_row(id);
        }
    }

    fn set_row(&mut self, id: Id) {
        self.here += usize::from(!self.rows.has(id));
        self.rows.set(id);
    }

    fn unset(&mut self, id: Id, store: &Store) {
        self.here -= usize::from(self.rows.take(id));
        if let Some(meta) = store.meta(id) {
            self.uids.remove(&meta.uid);
        }
    }

    /// Drops the marks of objects that have gone: what is no row and, by its namespace, may not become one. A place may
    /// have another object by now.
    pub(super) fn follow(
        &mut self,
        changed: &[Id],
        there: impl Fn(Id) -> bool,
        may_come: impl Fn(Word) -> bool,
        store: &Store,
    ) {
        if self.uids.is_empty() {
            return;
        }
        let mut lost = false;
        for &id in changed {
            let was = self.rows.take(id);
            self.here -= usize::from(was);
            let uid = store.meta(id).map(|meta| meta.uid);
            let is = there(id) && uid.is_some_and(|uid| self.uids.contains_key(&uid));
            if is {
                self.set_row(id);
            }
            lost |= was && !is;
        }
        if lost {
            self.drop_gone(may_come, store);
        }
    }

    fn drop_gone(&mut self, may_come: impl Fn(Word) -> bool, store: &Store) {
        let Self { uids, rows, .. } = self;
        uids.retain(|&uid, &mut namespace| {
            let places = [store.find(uid), store.find_of(Kind::Other, uid)];
            places.into_iter().flatten().any(|id| rows.has(id)) || may_come(namespace)
        });
    }

    /// Finds the rows of the marked objects anew.
    fn look_again(&mut self, all: &[Id], may_come: impl Fn(Word) -> bool, store: &Store) {
        if self.uids.is_empty() {
            return;
        }
        let mut there = Marks::default();
        all.iter().for_each(|&id| there.set(id));
        (self.rows, self.here) = (Marks::default(), 0);
        let found: Vec<Id> = self.uids.keys().filter_map(|&uid| find_row(all, uid, store)).collect();
        found.into_iter().filter(|&id| there.has(id)).for_each(|id| self.set_row(id));
        self.drop_gone(may_come, store);
    }
}

impl List {
    /// Finds the rows of the marked objects anew.
    pub(super) fn find_marked(&mut self, store: &Store) {
        let mut marked = std::mem::take(&mut self.marked);
        marked.look_again(&self.all, |namespace| self.may_come(namespace, store), store);
        self.marked = marked;
    }

    /// Whether an object of this namespace that is no row may be there all the same: another namespace is shown, or not all
    /// has come.
    pub(super) fn may_come(&self, namespace: Word, store: &Store) -> bool {
        let outside = self.namespace.is_some_and(|only| only != namespace && !namespace.is_empty());
        let coming = |&kind: &Kind| {
            let standing = store.freshness(kind);
            matches!(standing, Summary::Unasked | Summary::Syncing { .. } | Summary::Stale { .. })
        };
        // The server's table of something else is still in its place.
        let wanted = self.view.selection();
        let other = matches!(wanted, Selection::Table(_))
            && self
                .view
                .rows()
                .iter()
                .any(|&kind| store.coverage(kind).is_none_or(|coverage| coverage.selection != wanted));
        outside || other || self.view.rows().iter().any(coming)
    }

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
