//! Which rows pass the filter, and the text that it searches.

use std::time::Duration;

use super::List;
use crate::model::Now;
use crate::store::{Id, Marks, Store, TextIndex, repair};
use crate::views::filter::{Cells, Plan};
use crate::views::{Filter, FilterError, Holds};

/// So many rows become searchable in one go, which takes some milliseconds.
pub(super) const SLICE: usize = 12_000;

impl List {
    /// The filter as it was typed. If it cannot be read, the rows are those of the one before; if it is not finished,
    /// those of what there is of it.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is wrong with the filter.
    pub fn filter_error(&self) -> Option<&FilterError> {
        self.broken.as_ref()
    }

    /// Sets the filter. One that cannot be read changes no rows.
    pub fn set_filter(&mut self, filter: Filter, store: &Store, now: Now) {
        self.filter = filter;
        let earlier = std::mem::take(&mut self.plan);
        let was_filtered = self.passing.is_some();
        self.plan = earlier.clone();
        self.bind();
        if self.plan != earlier {
            let narrows = was_filtered && !self.is_pending() && self.plan.narrows(&earlier);
            self.refilter(narrows, store, now);
        }
    }

    /// Finds what the filter means for the columns of the view. One that is wrong changes nothing; of one that is not
    /// finished, what there is of it counts.
    pub(super) fn bind(&mut self) {
        let error = self.filter.error();
        self.broken = match Plan::new(self.filter.terms(), &*self.view) {
            Err(why) => Some(why),
            Ok(plan) => {
                if error.is_none_or(|error| error.unfinished) {
                    self.plan = plan;
                }
                error.cloned()
            }
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

    /// Looks which rows pass; where the filter only narrows the one before, among those that pass.
    pub(super) fn refilter(&mut self, narrows: bool, store: &Store, now: Now) {
        self.due = None;
        if !self.is_filtered() {
            self.passing = None;
            self.find_cursor(store);
            return;
        }
        self.fill_index(store, now);
        let mut rows = match self.passing.take() {
            Some(passing) if narrows => passing,
            _ => self.all.clone(),
        };
        // Row by row only where few are left: one scan over all of the text is fast.
        let few = rows.len() < self.all.len() / 16;
        let cells = self.cells(store, now);
        let mut scratch = String::new();
        match cells.index.filter(|_| !few && !self.plan.words.is_empty()) {
            None => rows.retain(|&id| self.passes(&cells, id, &mut scratch)),
            Some(index) => {
                let mut hits = Marks::default();
                index.search(&self.plan.words, |id| hits.set(id));
                let fault = |id: Id| !self.faults_only || self.faults.has(id);
                rows.retain(|&id| {
                    hits.has(id) && fault(id) && self.plan.passes_tests(&cells, id, &mut scratch)
                });
            }
        }
        let due = cells.due.get();
        self.passing = Some(rows);
        self.fall_due(due, now);
        self.find_cursor(store);
    }

    pub(super) fn fall_due(&mut self, left: Option<i64>, now: Now) {
        let due = left.map(|left| now.wall.saturating_add(left.max(1)));
        self.due = match (self.due, due) {
            (Some(known), Some(due)) => Some(known.min(due)),
            (known, due) => known.or(due),
        };
    }

    /// Whether rows are still to be made searchable before all are shown that pass.
    pub(super) fn is_pending(&self) -> bool {
        self.index.is_some() && !self.unindexed.is_empty() && self.plan.reads_text()
    }

    /// How long until other rows are to be shown although nothing happens; then comes [`List::expire`].
    pub fn next_change(&self, now: Now) -> Option<Duration> {
        if self.is_pending() {
            return Some(Duration::ZERO);
        }
        let left = self.due? - now.wall;
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }

    /// Shows what is to be shown by now: rows whose age has passed a limit, rows that have become searchable.
    pub fn expire(&mut self, store: &Store, now: Now) {
        if self.due.is_some_and(|due| due <= now.wall) {
            self.refilter(false, store, now);
        }
        if self.is_pending() {
            let from = self.unindexed.len().saturating_sub(SLICE);
            let rows = self.unindexed.split_off(from);
            self.index_rows(&rows, store, now);
            let mut passing = self.passing.take().unwrap_or_default();
            let cells = self.cells(store, now);
            let scratch = std::cell::RefCell::new(String::new());
            let keep = |id: Id| {
                let view = &*self.view;
                Self::shows(view, self.namespace, store, id)
                    && self.passes(&cells, id, &mut scratch.borrow_mut())
            };
            let key = |id| self.view.row_key(store, id, self.column, now);
            repair(&mut passing, &rows, self.dir, keep, key);
            let due = cells.due.get();
            self.passing = Some(passing);
            self.fall_due(due, now);
            self.find_cursor(store);
        }
    }

    /// Lets all rows be shown that pass, however long it takes.
    pub fn finish(&mut self, store: &Store, now: Now) {
        while self.is_pending() {
            self.expire(store, now);
        }
    }

    /// Brings the text index up to date, as far as it goes in one turn.
    pub(super) fn fill_index(&mut self, store: &Store, now: Now) {
        if !self.plan.reads_text() {
            return;
        }
        if self.index.is_none() {
            self.index = Some(TextIndex::default());
            self.unindexed = self.all.clone();
            // The rows at the top first.
            self.unindexed.reverse();
        }
        let from = self.unindexed.len().saturating_sub(SLICE);
        let rows = self.unindexed.split_off(from);
        self.index_rows(&rows, store, now);
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

    /// Keeps in mind what the index does not know while no filter needs it.
    pub(super) fn remember_unindexed(&mut self, changed: &[Id]) {
        if self.index.is_some() {
            self.unindexed.extend_from_slice(changed);
            if self.unindexed.len() > self.all.len() {
                self.index = None;
                self.unindexed = Vec::new();
            }
        }
    }
}
