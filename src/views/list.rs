//! The rows of a view in order, with cursor and filter. No terminal: the screen, `v9s get` and tests use it alike.

use super::{AnyView, Holds, Shown, Sort, ViewRef};
use crate::model::{Now, Uid, Word};
use crate::records::Kind;
use crate::store::{Dir, Id, Marks, Store, TextIndex, Touched, repair, sort};

/// A plain filter: words that a row must all contain, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// As typed.
    pub text: String,
    terms: Vec<String>,
}

impl Filter {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Self {
        Self { text: text.to_owned(), terms: text.split_whitespace().map(str::to_lowercase).collect() }
    }

    /// Whether it lets every row pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether every row that passes this one passes `earlier` too.
    fn narrows(&self, earlier: &Self) -> bool {
        earlier.terms.iter().all(|old| self.terms.iter().any(|new| new.contains(old)))
    }
}

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

/// The rows of a view.
#[derive(Debug)]
pub struct List {
    /// What it shows.
    pub view: ViewRef,
    /// The one namespace that is shown; none means all.
    pub namespace: Option<Word>,
    /// Every row in order.
    all: Vec<Id>,
    /// Those that pass the filter, if there is one.
    passing: Option<Vec<Id>>,
    column: usize,
    dir: Dir,
    filter: Filter,
    index: Option<TextIndex>,
    /// Rows whose text is still to be put into the index.
    unindexed: Vec<Id>,
    cursor: Option<Uid>,
    /// Where the cursor is among the shown rows.
    place: usize,
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
        let mut list = Self {
            view,
            namespace,
            all: Vec::new(),
            passing: None,
            column,
            dir,
            filter: Filter::default(),
            index: None,
            unindexed: Vec::new(),
            cursor: None,
            place: 0,
        };
        list.rebuild(store, now);
        list
    }

    /// The same view, order and cursor, to come back to.
    pub fn without_rows(&self) -> Self {
        Self {
            view: self.view.clone(),
            namespace: self.namespace,
            all: Vec::new(),
            passing: None,
            column: self.column,
            dir: self.dir,
            filter: Filter::default(),
            index: None,
            unindexed: Vec::new(),
            cursor: self.cursor,
            place: self.place,
        }
    }

    /// The rows that are shown, in order.
    pub fn rows(&self) -> &[Id] {
        self.passing.as_deref().unwrap_or(&self.all)
    }

    /// How many rows there are before the filter.
    pub fn total(&self) -> usize {
        self.all.len()
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<Id> {
        self.rows().get(self.place).copied()
    }

    /// Where the cursor is among the shown rows.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Which column the rows are sorted by, and which way.
    pub fn order(&self) -> (usize, Dir) {
        (self.column, self.dir)
    }

    /// The filter.
    pub fn filter(&self) -> &Filter {
        &self.filter
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
        self.index = None;
        self.sort(store, now);
    }

    fn sort(&mut self, store: &Store, now: Now) {
        let (view, column) = (&self.view, self.column);
        sort(&mut self.all, self.dir, |id| view.row_key(store, id, column, now));
        self.refilter(store, now);
    }

    /// Sorts by another column, or the other way round if it is this one.
    pub fn sort_by(&mut self, column: usize, store: &Store, now: Now) {
        if column >= self.view.width() {
            return;
        }
        if column == self.column {
            self.dir = if self.dir == Dir::Up { Dir::Down } else { Dir::Up };
        } else {
            (self.column, self.dir) = (column, Dir::Up);
        }
        self.sort(store, now);
    }

    /// Takes in what the store has changed. Says whether rows of this list may look different.
    pub fn touched(&mut self, touched: &Touched, store: &Store, now: Now) -> bool {
        let kinds = self.view.rows();
        let (view, namespace, column) = (&*self.view, self.namespace, self.column);
        let changed: Vec<Id> = touched.ids.iter().copied().filter(|id| kinds.contains(&id.kind())).collect();
        if !changed.is_empty() {
            let keep = |id: Id| Self::shows(view, namespace, store, id);
            repair(&mut self.all, &changed, self.dir, keep, |id| view.row_key(store, id, column, now));
            if self.index.is_some() {
                self.unindexed.extend_from_slice(&changed);
            }
        }
        if touched.all {
            // States and partners everywhere may read differently, and with them the order and the filter's text.
            self.index = None;
            self.sort(store, now);
        } else if !changed.is_empty() {
            self.refilter_changed(&changed, store, now);
        }
        touched.all || !changed.is_empty()
    }

    /// Takes over cursor and order of a list of the same view that it replaces.
    pub fn go_on(&mut self, before: &Self, store: &Store, now: Now) {
        if self.view.name() != before.view.name() || before.column >= before.view.width() {
            return;
        }
        self.cursor = before.cursor;
        let title = before.view.heading(before.column).title;
        // These two are what a list is sorted by that nobody has sorted.
        let chosen = before.dir == Dir::Down || !matches!(&*title, "NAME" | "NAMESPACE");
        let visible = |&column: &usize| {
            self.namespace.is_none() || self.view.heading(column).shown != Shown::Namespaces
        };
        match self.view.column(&title).filter(visible) {
            Some(column) if chosen => {
                (self.column, self.dir) = (column, before.dir);
                self.sort(store, now);
            }
            _ => self.find_cursor(store),
        }
    }

    /// Sets the filter.
    pub fn set_filter(&mut self, filter: Filter, store: &Store, now: Now) {
        // Row by row only where few are left: one scan over all of the text is fast.
        let few = self.passing.as_ref().is_some_and(|passing| passing.len() < self.all.len() / 16);
        let narrows = few && filter.narrows(&self.filter);
        self.filter = filter;
        if self.filter.is_empty() {
            self.passing = None;
            self.index = None;
            self.unindexed = Vec::new();
            self.find_cursor(store);
        } else if let (true, Some(index)) = (narrows, &self.index) {
            let terms = &self.filter.terms;
            if let Some(passing) = &mut self.passing {
                passing.retain(|&id| index.matches(id, terms));
            }
            self.find_cursor(store);
        } else {
            self.refilter(store, now);
        }
    }

    fn refilter(&mut self, store: &Store, now: Now) {
        if self.filter.is_empty() {
            self.passing = None;
        } else {
            self.fill_index(store, now);
            let mut hits = Marks::default();
            if let Some(index) = &self.index {
                index.search(&self.filter.terms, |id| hits.set(id));
            }
            self.passing = Some(self.all.iter().copied().filter(|&id| hits.has(id)).collect());
        }
        self.find_cursor(store);
    }

    fn refilter_changed(&mut self, changed: &[Id], store: &Store, now: Now) {
        if self.filter.is_empty() {
            self.find_cursor(store);
            return;
        }
        self.fill_index(store, now);
        let (view, namespace, column) = (&*self.view, self.namespace, self.column);
        if let (Some(passing), Some(index)) = (&mut self.passing, &self.index) {
            let terms = &self.filter.terms;
            let keep = |id: Id| Self::shows(view, namespace, store, id) && index.matches(id, terms);
            repair(passing, changed, self.dir, keep, |id| view.row_key(store, id, column, now));
        }
        self.find_cursor(store);
    }

    /// Brings the text index up to date with the rows.
    fn fill_index(&mut self, store: &Store, now: Now) {
        let (view, namespace) = (&*self.view, self.namespace);
        let texts: Vec<usize> =
            (0..view.width()).filter(|&column| view.heading(column).holds != Holds::Age).collect();
        let fresh = if self.index.is_none() { &self.all } else { &self.unindexed };
        let index = self.index.get_or_insert_default();
        let mut line = String::new();
        for &id in fresh {
            if !Self::shows(view, namespace, store, id) {
                index.remove(id);
                continue;
            }
            line.clear();
            for &column in &texts {
                view.cell(store, id, column, now, &mut line);
                line.push(' ');
            }
            index.set(id, &line);
        }
        self.unindexed.clear();
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
    }

    /// Puts the cursor on a row by its place on the screen.
    pub fn select(&mut self, place: usize, store: &Store) {
        self.place = 0;
        self.go(Motion::Rows(isize::try_from(place).unwrap_or(isize::MAX)), store);
    }

    /// Puts the cursor on an object, at once or as soon as it comes.
    pub fn go_to(&mut self, uid: Uid, store: &Store) {
        self.cursor = Some(uid);
        self.find_cursor(store);
        self.cursor = Some(uid);
    }

    /// Keeps the cursor on its object; if that went, on what came in its place.
    fn find_cursor(&mut self, store: &Store) {
        let rows = self.passing.as_deref().unwrap_or(&self.all);
        let here = |place: usize| rows.get(place).and_then(|&id| store.meta(id)).map(|meta| meta.uid);
        let moved = match self.cursor {
            Some(uid) if here(self.place) == Some(uid) => Some(self.place),
            Some(uid) => {
                // A row of a server's table may be of an object that has a record, too.
                let is_table = rows.first().is_some_and(|row| row.kind() == Kind::Other);
                let id = if is_table { store.find_of(Kind::Other, uid) } else { store.find(uid) };
                id.and_then(|id| rows.iter().position(|&row| row == id))
            }
            None => Some(0),
        };
        self.place = moved.unwrap_or(self.place).min(rows.len().saturating_sub(1));
        // Before anybody moved it the cursor stays on the first row, whatever comes there.
        if self.cursor.is_some() && moved.is_none() {
            self.cursor = here(self.place);
        }
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
        self.rebuild(store, now);
    }

    /// How many bytes it holds beside the store.
    pub fn bytes(&self) -> usize {
        let ids = self.all.capacity() + self.passing.as_ref().map_or(0, Vec::capacity);
        ids * size_of::<Id>() + self.index.as_ref().map_or(0, TextIndex::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Other, Record, Vmi, decode};
    use crate::store::{Batch, Coverage, Namespaces, Selection, Stored};
    use crate::views::table_view;

    fn put<R: Stored>(store: &mut Store, selection: Selection, objects: &[String])
    where
        crate::records::Records: From<Vec<R>>,
    {
        let coverage = Coverage { namespaces: Namespaces::All, selection };
        let mut touched = Touched::default();
        let plans = store.cover(R::KIND, coverage, &mut touched);
        let records: Vec<R> =
            objects.iter().map(|object| decode(object.as_bytes()).unwrap().record).collect();
        store.apply(Batch::of(plans[0].id, 0, records), Now::at(0), &mut touched);
    }

    #[test]
    fn the_cursor_of_a_table_stays_on_its_row_when_the_object_has_a_record_too() {
        let object =
            |name: &str| format!(r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}}}}"#);
        let row = |name: &str| format!(r#"{{"cells":["{name}"],"object":{}}}"#, object(name));
        let mut store = Store::default();
        put::<Vmi>(&mut store, Selection::All, &["b", "c"].map(object));
        put::<Other>(&mut store, Selection::Table("x".into()), &["b", "c"].map(row));
        let view = || table_view("x", true, None);
        let mut list = List::new(view(), None, &store, Now::at(0));
        list.go(Motion::Last, &store);
        let under = |list: &List, store: &Store| store.meta(list.selected().unwrap()).unwrap().name.clone();
        assert_eq!(under(&list, &store), "c");
        put::<Other>(&mut store, Selection::Table("x".into()), &["a"].map(row));
        list.show_as(view(), &store, Now::at(0));
        assert_eq!((under(&list, &store).as_str(), list.place()), ("c", 2));
        assert_eq!(Other::KIND, list.selected().unwrap().kind());
    }
}
