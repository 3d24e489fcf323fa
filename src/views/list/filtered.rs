//! Which rows pass the filter, and the text that it searches.

use std::time::Duration;

use super::List;
use crate::model::Now;
use crate::store::{Id, Marks, Store, repair};
use crate::views::filter::{Cells, Plan};
use crate::views::{Filter, FilterError, Holds};

/// So many rows are looked through in one turn, which takes some milliseconds.
pub(super) const SLICE: usize = 4_000;

impl List {
    /// The filter as it was typed. If it cannot be read, all rows are shown; if it is not finished, those of what there is
    /// of it.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is wrong with the filter.
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.broken.as_ref()
    }

    /// Sets the filter. One that cannot be read hides no rows.
    pub fn set_filter(&mut self, filter: Filter, store: &Store, now: Now) {
        self.filter = filter;
        let earlier = std::mem::take(&mut self.plan);
        let was_filtered = self.passing.is_some();
        self.bind();
        if self.plan != earlier {
            let narrows = was_filtered && !self.is_pending() && self.plan.narrows(&earlier);
            self.refilter(narrows, store, now);
        }
    }

    /// Finds what the filter means for the columns of the view. One that is wrong hides nothing; of one that is not
    /// finished, what there is of it counts.
    pub(super) fn bind(&mut self) {
        let error = self.filter.error();
        (self.plan, self.broken) = match Plan::new(self.filter.terms(), &*self.view) {
            Ok(plan) if error.is_none_or(|error| error.unfinished) => (plan, error.cloned()),
            Ok(_) => (Plan::default(), error.cloned()),
            Err(why) => (Plan::default(), Some(why)),
        };
    }

    /// Whether only rows with a fault are shown.
    pub fn faults_only(&self) -> bool {
        self.faults_only
    }

    /// Shows only rows with a fault, or all that pass the filter.
    pub fn show_faults(&mut self, only: bool, store: &Store, now: Now) {
        let narrows = only && !self.faults_only && self.passing.is_some() && !self.is_pending();
        self.faults_only = only;
        self.refilter(narrows, store, now);
    }

    pub(super) fn look_for_fault(&mut self, id: Id, store: &Store, now: Now) {
        if self.view.state(store, id, now).is_fault() {
            self.faults.set(id);
            self.fault_count += 1;
        }
    }

    pub(super) fn is_filtered(&self) -> bool {
        self.faults_only || !self.plan.is_empty()
    }

    pub(super) fn cells<'a>(&'a self, store: &'a Store, now: Now) -> Cells<'a> {
        Cells { view: &*self.view, store, now, index: self.index.as_ref(), due: std::cell::Cell::new(None) }
    }

    pub(super) fn passes(&self, cells: &Cells<'_>, id: Id, scratch: &mut String) -> bool {
        (!self.faults_only || self.faults.has(id)) && self.plan.passes(cells, id, scratch)
    }

    /// Looks which rows pass; where the filter only narrows the one before, among those that pass. What takes longer
    /// than a turn is left to the next ones.
    pub(super) fn refilter(&mut self, narrows: bool, store: &Store, now: Now) {
        // Rows that do not pass now may do so later: a narrower filter does not look at them, but they may pass it then.
        self.due = self.due.filter(|_| narrows);
        self.unjudged = Vec::new();
        if !self.is_filtered() {
            (self.passing, self.due) = (None, None);
            self.find_cursor(store);
            return;
        }
        let mut rows = match self.passing.take() {
            Some(passing) if narrows => passing,
            _ => self.all.clone(),
        };
        if self.faults_only {
            rows.retain(|&id| self.faults.has(id));
        }
        // Row by row only where few are left: one scan over all of the text is fast.
        let few = rows.len() < self.all.len() / 16;
        let scanned = !few && self.fill_index(store, now);
        if scanned && let Some(index) = &self.index {
            let mut hits = Marks::default();
            index.search(&self.plan.words, |id| hits.set(id));
            rows.retain(|&id| hits.has(id));
        }
        let read = !few && !scanned && self.plan.reads_names_only();
        if read {
            let mut hits = Marks::default();
            let cells = self.cells(store, now);
            let mut scratch = String::new();
            // In the order of memory, at the speed of memory.
            let mut by_place = rows.clone();
            by_place.sort_unstable();
            for id in by_place {
                if self.plan.passes(&cells, id, &mut scratch) {
                    hits.set(id);
                }
            }
            rows.retain(|&id| hits.has(id));
        }
        if self.plan.is_empty() || scanned && !self.plan.has_tests() || read {
            self.passing = Some(rows);
        } else {
            self.passing = Some(Vec::new());
            // The rows at the top come first.
            rows.reverse();
            self.unjudged = rows;
            self.judge(store, now);
        }
        self.find_cursor(store);
    }

    /// Looks which of the next rows pass.
    fn judge(&mut self, store: &Store, now: Now) {
        let from = self.unjudged.len().saturating_sub(SLICE);
        let mut rows = self.unjudged.split_off(from);
        self.unjudged.shrink_to(from);
        rows.reverse();
        if self.plan.reads_text() {
            let index = self.index.get_or_insert_default();
            let missing: Vec<Id> = rows.iter().copied().filter(|&id| !index.has(id)).collect();
            self.index_rows(&missing, store, now);
        }
        self.put_passing(&rows, store, now);
    }

    /// Looks anew whether these rows pass, and puts those that do in their places.
    pub(super) fn put_passing(&mut self, rows: &[Id], store: &Store, now: Now) {
        let mut passing = self.passing.take().unwrap_or_default();
        let cells = self.cells(store, now);
        let scratch = std::cell::RefCell::new(String::new());
        let keep = |id: Id| {
            Self::shows(&*self.view, self.namespace, store, id)
                && self.passes(&cells, id, &mut scratch.borrow_mut())
        };
        repair(&mut passing, rows, self.dir, keep, |id, level| {
            self.view.order_key(store, id, self.column, level, now)
        });
        let due = cells.due.get();
        self.passing = Some(passing);
        self.fall_due(due, now);
    }

    pub(super) fn fall_due(&mut self, left: Option<i64>, now: Now) {
        let due = left.map(|left| now.wall.saturating_add(left.max(1)));
        self.due = match (self.due, due) {
            (Some(known), Some(due)) => Some(known.min(due)),
            (known, due) => known.or(due),
        };
    }

    /// Whether rows are still to be looked through before all are shown that pass.
    pub(super) fn is_pending(&self) -> bool {
        !self.unjudged.is_empty()
    }

    /// How long until other rows are to be shown although nothing happens; then comes [`List::expire`].
    pub fn next_change(&self, now: Now) -> Option<Duration> {
        if self.is_pending() {
            return Some(Duration::ZERO);
        }
        let left = self.due? - now.wall;
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }

    /// Shows what is to be shown by now: rows whose age has passed a limit, rows that were still to be looked through.
    pub fn expire(&mut self, store: &Store, now: Now) {
        if self.due.is_some_and(|due| due <= now.wall) {
            self.refilter(false, store, now);
        } else if self.is_pending() {
            self.judge(store, now);
            self.find_cursor(store);
        }
    }

    /// Lets all rows be shown that pass, however long it takes.
    pub fn finish(&mut self, store: &Store, now: Now) {
        while self.is_pending() {
            self.expire(store, now);
        }
    }

    /// Whether one scan over the text index tells which rows have the words. Makes it so where little is missing.
    fn fill_index(&mut self, store: &Store, now: Now) -> bool {
        let Some(index) = &self.index else { return false };
        if self.plan.words.is_empty() || index.len() + SLICE < self.all.len() {
            return false;
        }
        if index.len() < self.all.len() {
            let missing: Vec<Id> = self.all.iter().copied().filter(|&id| !index.has(id)).collect();
            self.index_rows(&missing, store, now);
        }
        true
    }

    /// Puts the visible cells of these rows into the text index, if there is one.
    pub(super) fn index_rows(&mut self, rows: &[Id], store: &Store, now: Now) {
        let Some(mut index) = self.index.take() else { return };
        let (view, namespace) = (&*self.view, self.namespace);
        let texts: Vec<usize> =
            self.columns(store).filter(|&column| view.heading(column).holds != Holds::Age).collect();
        let mut line = String::new();
        for &id in rows {
            if !Self::shows(view, namespace, store, id) {
                index.remove(id);
                continue;
            }
            line.clear();
            for &column in &texts {
                if !line.is_empty() {
                    line.push(' ');
                }
                view.cell(store, id, column, now, &mut line);
            }
            index.set(id, &line);
        }
        self.index = Some(index);
    }

    /// Takes the text of changed rows out of the index while no filter needs it.
    pub(super) fn forget_text(&mut self, changed: &[Id]) {
        let Some(index) = &mut self.index else { return };
        changed.iter().for_each(|&id| index.remove(id));
        if index.len() * 2 < self.all.len() {
            self.index = None;
        }
    }
}
