//! The rows of a view in order, with cursor, filter and marks. No terminal: the screen, `v9s get` and tests use it alike.

mod filtered;
mod marks;
#[cfg(test)]
mod tests;

use super::filter::Plan;
use super::{AnyView, Filter, FilterError, Layout, Sets, Shown, Sort, ViewRef};
use crate::model::{Now, Uid, Word};
use crate::records::Origin;
use crate::store::{Dir, Id, Marks, Store, TextIndex, Touched, repair, sort};
use marks::Marked;

/// Where the cursor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// So many rows up or down.
    Rows(isize),
    /// The first row.
    First,
    /// The last row.
    Last,
}

/// How many rows there are of which sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that are shown.
    pub shown: usize,
    /// Those that there are without a filter.
    pub total: usize,
    /// Those that are marked.
    pub marked: usize,
    /// Those that are marked and not shown.
    pub hidden: usize,
    /// Objects that are marked and no rows: those of other namespaces. No action is for them.
    pub elsewhere: usize,
    /// Those with a fault, shown or not.
    pub faults: usize,
}

/// The rows of a view.
#[derive(Debug)]
pub struct List {
    /// What it shows.
    pub view: ViewRef,
    /// The one namespace that is shown; none means all.
    pub namespace: Option<Word>,
    wide: bool,
    set: Option<Sets>,
    /// Every row in order.
    all: Vec<Id>,
    /// Those that pass the filter, if there is one.
    passing: Option<Vec<Id>>,
    column: usize,
    dir: Dir,
    filter: Filter,
    /// What the last filter means that could be read.
    plan: Plan,
    broken: Option<FilterError>,
    faults_only: bool,
    faults: Marks,
    fault_count: usize,
    marked: Marked,
    index: Option<TextIndex>,
    /// Rows of which is still to be seen whether they pass, the last one first.
    unjudged: Vec<Id>,
    /// The second in which a row passes, or no longer passes, because time goes on.
    due: Option<i64>,
    cursor: Option<Uid>,
    /// Where the cursor is among the shown rows.
    place: usize,
    /// The object that the cursor goes to as soon as it comes, unless somebody moves it before.
    sought: Option<Uid>,
}

impl List {
    /// The rows of `view` that the store has, in the view's own order.
    pub fn new(view: ViewRef, namespace: Option<Word>, store: &Store, now: Now) -> Self {
        let first = if namespace.is_none() { view.column("NAMESPACE") } else { None };
        let shows_it = |column: &usize| view.heading(*column).shown == Shown::Namespaces;
        let by_name = || first.filter(shows_it).or_else(|| view.column("NAME")).unwrap_or(0);
        let (column, dir) = match view.sort() {
            Sort::By(title, dir) => (view.column(title).unwrap_or(0), dir),
            Sort::Name => (by_name(), Dir::Up),
        };
        let mut list = Self::empty(view, namespace, (column, dir));
        list.rebuild(store, now);
        list
    }

    fn empty(view: ViewRef, namespace: Option<Word>, (column, dir): (usize, Dir)) -> Self {
        Self {
            view,
            namespace,
            wide: false,
            set: None,
            all: Vec::new(),
            passing: None,
            column,
            dir,
            filter: Filter::default(),
            plan: Plan::default(),
            broken: None,
            faults_only: false,
            faults: Marks::default(),
            fault_count: 0,
            marked: Marked::default(),
            index: None,
            unjudged: Vec::new(),
            due: None,
            cursor: None,
            place: 0,
            sought: None,
        }
    }

    /// The same view, order, columns, cursor and marks, to come back to.
    pub fn without_rows(&self) -> Self {
        let Self { wide, set, place, faults_only, .. } = *self;
        let cursor = self.sought.or(self.cursor);
        let empty = Self::empty(self.view.clone(), self.namespace, self.order());
        Self { wide, set, cursor, place, faults_only, marked: self.marked.kept(), ..empty }
    }

    // ---- rows

    /// The rows that are shown, in order.
    pub fn rows(&self) -> &[Id] {
        self.passing.as_deref().unwrap_or(&self.all)
    }

    /// All rows in order, also those that the filter hides.
    pub fn all(&self) -> &[Id] {
        &self.all
    }

    /// How many rows there are before the filter.
    pub fn total(&self) -> usize {
        self.all.len()
    }

    /// How many rows there are of which sort.
    pub fn counts(&self) -> Counts {
        let (shown, marked) = (self.rows().len(), self.marked.len());
        let hidden = match &self.passing {
            Some(passing) if marked > 0 => {
                marked - passing.iter().filter(|&&id| self.marked.has(id)).count().min(marked)
            }
            _ => 0,
        };
        let elsewhere = self.marked.elsewhere();
        Counts { shown, total: self.all.len(), marked, hidden, elsewhere, faults: self.fault_count }
    }

    fn shows(view: &dyn AnyView, namespace: Option<Word>, store: &Store, id: Id) -> bool {
        let inside = || match (namespace, store.meta(id)) {
            (Some(only), Some(meta)) => meta.namespace.is_empty() || meta.namespace == only,
            (_, meta) => meta.is_some(),
        };
        inside() && view.shows(store, id)
    }

    /// Reads all rows anew: another view, another table, a store that has changed beyond telling.
    pub fn rebuild(&mut self, store: &Store, now: Now) {
        let kinds = self.view.rows().iter();
        let (view, namespace) = (&*self.view, self.namespace);
        self.all = kinds
            .flat_map(|&kind| store.ids(kind))
            .filter(|&id| Self::shows(view, namespace, store, id))
            .collect();
        self.all_changed(store, now);
    }

    /// Rows anywhere may read differently.
    fn all_changed(&mut self, store: &Store, now: Now) {
        self.index = None;
        (self.faults, self.fault_count) = (Marks::default(), 0);
        for at in 0..self.all.len() {
            self.look_for_fault(self.all[at], store, now);
        }
        self.find_marked(store);
        self.sort(store, now);
        self.refilter(false, store, now);
    }

    /// Takes in what the store has changed. Says whether rows of this list may look different.
    pub fn touched(&mut self, touched: &Touched, store: &Store, now: Now) -> bool {
        let kinds = self.view.rows();
        let (view, namespace, column) = (&*self.view, self.namespace, self.column);
        let changed: Vec<Id> = touched.ids.iter().copied().filter(|id| kinds.contains(&id.kind())).collect();
        if !changed.is_empty() {
            let keep = |id: Id| Self::shows(view, namespace, store, id);
            repair(&mut self.all, &changed, self.dir, keep, |id, level| {
                view.order_key(store, id, column, level, now)
            });
        }
        if touched.all {
            // States and partners everywhere may read differently, and with them the order and the filter's text.
            self.all_changed(store, now);
        } else if !changed.is_empty() {
            self.some_changed(&changed, store, now);
        }
        touched.all || !changed.is_empty()
    }

    fn some_changed(&mut self, changed: &[Id], store: &Store, now: Now) {
        let (view, namespace) = (self.view.clone(), self.namespace);
        let there = |id: Id| Self::shows(&*view, namespace, store, id);
        for &id in changed {
            self.fault_count -= usize::from(self.faults.take(id));
            if there(id) {
                self.look_for_fault(id, store, now);
            }
        }
        let mut marked = std::mem::take(&mut self.marked);
        marked.follow(changed, there, |namespace| self.may_come(namespace, store), store);
        self.marked = marked;
        if !self.is_filtered() {
            self.forget_text(changed);
            self.find_cursor(store);
            return;
        }
        self.index_rows(changed, store, now);
        self.put_passing(changed, store, now);
        self.find_cursor(store);
    }

    // ---- order

    /// Which column the rows are sorted by, and which way.
    pub fn order(&self) -> (usize, Dir) {
        (self.column, self.dir)
    }

    /// Sorts by a column that way.
    pub fn set_order(&mut self, column: usize, dir: Dir, store: &Store, now: Now) {
        if column >= self.view.width() || (column, dir) == self.order() {
            return;
        }
        let turned = column == self.column;
        (self.column, self.dir) = (column, dir);
        if turned {
            self.all.reverse();
            self.passing.iter_mut().for_each(|passing| passing.reverse());
            self.unjudged.reverse();
        } else {
            self.sort(store, now);
            self.order_passing();
        }
        self.find_cursor(store);
    }

    /// Sorts by another column, or the other way round if it is this one.
    pub fn sort_by(&mut self, column: usize, store: &Store, now: Now) {
        let dir = if (column, Dir::Up) == self.order() { Dir::Down } else { Dir::Up };
        self.set_order(column, dir, store, now);
    }

    fn sort(&mut self, store: &Store, now: Now) {
        let (view, column) = (&self.view, self.column);
        sort(&mut self.all, self.dir, |id, level| view.order_key(store, id, column, level, now));
    }

    /// Brings the rows that pass into the order of all rows, and those of which that is still to be seen.
    fn order_passing(&mut self) {
        let in_order = |rows: &mut Vec<Id>| {
            let mut among = Marks::default();
            rows.iter().for_each(|&id| among.set(id));
            rows.clear();
            rows.extend(self.all.iter().filter(|&&id| among.has(id)));
        };
        self.passing.iter_mut().for_each(in_order);
        if !self.unjudged.is_empty() {
            in_order(&mut self.unjudged);
            self.unjudged.reverse();
        }
    }

    /// Takes over cursor, order and marks of a list of the same view that it replaces, and whether only faults are shown.
    pub fn go_on(&mut self, before: &Self, store: &Store, now: Now) {
        if self.view.name() == before.view.name() && self.view.origin() == before.view.origin() {
            self.marked = before.marked.kept();
            self.find_marked(store);
            if before.faults_only {
                self.show_faults(true, store, now);
            }
        }
        if self.view.name() != before.view.name() || before.column >= before.view.width() {
            return;
        }
        self.cursor = before.cursor;
        self.sought = before.sought.or(before.cursor);
        let title = before.view.heading(before.column).title;
        // These two are what a list is sorted by that nobody has sorted.
        let chosen = before.dir == Dir::Down || !matches!(&*title, "NAME" | "NAMESPACE");
        let visible = |&column: &usize| {
            self.namespace.is_none() || self.view.heading(column).shown != Shown::Namespaces
        };
        match self.view.column(&title).filter(visible) {
            Some(column) if chosen => {
                self.set_order(column, before.dir, store, now);
            }
            _ => {}
        }
        self.find_cursor(store);
    }

    // ---- columns

    /// Which columns are wanted.
    pub fn layout(&self) -> Layout {
        Layout { wide: self.wide, many: self.namespace.is_none(), set: self.set }
    }

    /// Chooses the wide form and a set of columns. The filter looks at what is visible.
    pub fn set_layout(&mut self, wide: bool, set: Option<Sets>, store: &Store, now: Now) {
        if (wide, set) == (self.wide, self.set) {
            return;
        }
        (self.wide, self.set) = (wide, set);
        self.index = None;
        if self.plan.reads_text() {
            self.refilter(false, store, now);
        }
    }

    /// The columns that are visible, from left to right.
    pub fn columns<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = usize> + 'a {
        let layout = self.layout();
        (0..self.view.width()).filter(move |&column| self.view.is_visible(store, column, layout))
    }

    /// Another look at the same rows: the columns of a table that have come.
    pub fn show_as(&mut self, view: ViewRef, store: &Store, now: Now) {
        let title = self.view.heading(self.column.min(self.view.width() - 1)).title;
        let shown = |&column: &usize| {
            self.namespace.is_none() && view.namespaced() || view.heading(column).title != "NAMESPACE"
        };
        let same = view.column(&title).filter(shown);
        self.column = same.or_else(|| view.column("NAME")).unwrap_or(0);
        self.view = view;
        self.bind();
        self.rebuild(store, now);
    }

    // ---- cursor

    /// The row under the cursor.
    pub fn selected(&self) -> Option<Id> {
        self.rows().get(self.place).copied()
    }

    /// Where the cursor is among the shown rows.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Moves the cursor.
    pub fn go(&mut self, motion: Motion, store: &Store) {
        let last = self.rows().len().saturating_sub(1);
        self.place = match motion {
            Motion::Rows(rows) => self.place.saturating_add_signed(rows).min(last),
            Motion::First => 0,
            Motion::Last => last,
        };
        self.cursor = self.selected().and_then(|id| store.meta(id)).map(|meta| meta.uid);
        self.sought = None;
    }

    /// Puts the cursor on a row by its place on the screen.
    pub fn select(&mut self, place: usize, store: &Store) {
        self.place = 0;
        self.go(Motion::Rows(isize::try_from(place).unwrap_or(isize::MAX)), store);
    }

    /// Puts the cursor on an object, at once or as soon as it comes.
    pub fn go_to(&mut self, uid: Uid, store: &Store) {
        self.sought = Some(uid);
        self.find_cursor(store);
    }

    /// Keeps the cursor on its object; if that went, on what came in its place.
    fn find_cursor(&mut self, store: &Store) {
        let rows = self.passing.as_deref().unwrap_or(&self.all);
        let here = |place: usize| rows.get(place).and_then(|&id| store.meta(id)).map(|meta| meta.uid);
        let find = |uid: Uid| {
            let id = find_row(rows, uid, store);
            id.and_then(|id| rows.iter().position(|&row| row == id))
        };
        if let Some((uid, place)) = self.sought.and_then(|uid| Some((uid, find(uid)?))) {
            (self.cursor, self.place, self.sought) = (Some(uid), place, None);
            return;
        }
        let moved = match self.cursor {
            Some(uid) if here(self.place) == Some(uid) => Some(self.place),
            Some(uid) => find(uid),
            None => Some(0),
        };
        self.place = moved.unwrap_or(self.place).min(rows.len().saturating_sub(1));
        // Before anybody moved it the cursor stays on the first row, whatever comes there. While rows are still looked
        // through, its own may come.
        if self.cursor.is_some() && moved.is_none() && !self.is_pending() {
            self.cursor = here(self.place);
        }
    }

    /// How many bytes it holds beside the store.
    pub fn bytes(&self) -> usize {
        let ids = self.all.capacity() + self.passing.as_ref().map_or(0, Vec::capacity);
        let ids = ids + self.unjudged.capacity();
        ids * size_of::<Id>() + self.index.as_ref().map_or(0, TextIndex::bytes)
    }
}

/// The row of an object. A row of a server's table may be of an object that has a record, too.
fn find_row(rows: &[Id], uid: Uid, store: &Store) -> Option<Id> {
    match rows.first().map(|row| row.kind()) {
        Some(kind) if kind.origin() == Origin::Table => store.find_of(kind, uid),
        _ => store.find(uid),
    }
}
