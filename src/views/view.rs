//! A view as a value, and the same without its row type.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::column::{Column, Heading, Holds, Layout, Sets, Shown, state_key, write_key, write_state};
use crate::model::{Age, Now};
use crate::records::{Kind, Meta};
use crate::store::{At, Dir, Health, Id, Level, Row, Selection, SortKey, State, Store};

/// What opening a row does.
#[derive(Clone, Copy, Debug)]
pub enum Open {
    /// Nothing: the row says it all.
    Nothing,
    /// Shows everything about the object.
    Detail,
    /// Shows those rows of the named view that belong to the object, if it is of one of these kinds; else everything
    /// about it.
    Rows {
        /// The kinds.
        of: &'static [Kind],
        /// The view.
        view: &'static str,
        /// Which of its rows.
        belongs: Belongs,
        /// The titles of columns of its wide form that are shown in any case.
        besides: &'static [&'static str],
        /// What is said of the object where there are none.
        none: NoRows,
    },
    /// Connects to the context of that name.
    Context,
    /// Shows the objects of the namespace of that name.
    Namespace,
}

/// What is said of an object to which no row belongs.
pub type NoRows = fn(&Store, Id) -> String;

/// Whether the row (the second place) belongs to the object from which its view was opened (the first place).
pub type Belongs = fn(&Store, Id, Id) -> bool;

/// What leads from a row to other objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// To what it is a part of.
    Owner,
    /// To the node that it runs on.
    Node,
    /// To those that use it.
    UsedBy,
    /// To what it is made of, or uses.
    Parts,
}

/// Objects that a row leads to.
pub struct Related<R: Row> {
    /// Which way they are.
    pub road: Road,
    /// What they are to the row, in the plural, lower case.
    pub title: &'static str,
    /// Their kinds, which have to be fed for them to be found; others that `find` adds do not count.
    pub kinds: &'static [Kind],
    /// Adds them, the nearest first, each once or more often.
    pub find: for<'a> fn(At<'a, R>, &mut Vec<Id>),
}

impl<R: Row> Related<R> {
    /// What is above a row: what it is a part of, directly or by way of others.
    pub(super) const fn above(road: Road, title: &'static str, kinds: &'static [Kind]) -> Self {
        Self { road, title, kinds, find: |at, out| out.extend(at.store().above(at.id())) }
    }

    /// What owns a row by its own words. To be used where others name the row as theirs without owning it.
    pub(super) const fn owners(kinds: &'static [Kind]) -> Self {
        let find: for<'a> fn(At<'a, R>, &mut Vec<Id>) = |at, out| {
            let owns = |id: &Id| at.store().owns(*id, at.id());
            out.extend(at.store().wholes(at.id()).filter(owns));
        };
        Self { road: Road::Owner, title: "owners", kinds, find }
    }

    /// What is below a row: its parts, directly or by way of others.
    pub(super) const fn below(title: &'static str, kinds: &'static [Kind]) -> Self {
        Self { road: Road::Parts, title, kinds, find: |at, out| out.extend(at.store().below(at.id())) }
    }

    /// Events about a row and everything below it.
    pub(super) const fn events() -> Self {
        Self::below("events", &[Kind::Event])
    }
}

/// Adds the records of a kind that belong to a row.
pub(super) fn all_that_belong<R: Row>(at: At<'_, R>, kind: Kind, belongs: Belongs, out: &mut Vec<Id>) {
    out.extend(at.store().ids(kind).into_iter().filter(|&id| belongs(at.store(), at.id(), id)));
}

/// The same for those who do not know the row type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelatedHeading {
    /// Which way they are.
    pub road: Road,
    /// What they are to the row.
    pub title: &'static str,
    /// Their kinds, which have to be fed for them to be found.
    pub kinds: &'static [Kind],
}

/// How a view is sorted before somebody sorts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By namespace where there are several, else by name.
    Name,
    /// By the column with this title.
    By(&'static str, Dir),
}

/// A view whose rows are `R`.
pub struct View<R: Row> {
    /// Its command.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// The kinds of its rows.
    pub rows: &'static [Kind],
    /// The kinds that its cells look at besides.
    pub partners: &'static [Kind],
    /// Which records are rows.
    pub shown: for<'a> fn(At<'a, R>) -> bool,
    /// The state of a row: [`At::state`] but for kinds too simple to have one.
    pub state: for<'a> fn(At<'a, R>, Now) -> State,
    /// Its columns.
    pub columns: &'static [Column<R>],
    /// How it is sorted before somebody sorts it.
    pub sort: Sort,
    /// What `enter` does.
    pub open: Open,
    /// What its rows lead to.
    pub related: &'static [Related<R>],
}

/// A view whatever its rows are.
pub trait AnyView: Send + Sync {
    /// Its command.
    fn name(&self) -> &str;
    /// Other words for it.
    fn aliases(&self) -> &[&str];
    /// The kinds of its rows.
    fn rows(&self) -> &[Kind];
    /// Which records of the row kinds it needs.
    fn selection(&self) -> Selection;
    /// The kinds that its cells look at besides.
    fn partners(&self) -> &[Kind];
    /// The kinds whose states are kept for it: those of its rows, and those that its cells read.
    fn stateful(&self) -> Vec<Kind> {
        self.rows().to_vec()
    }
    /// How many columns it has.
    fn width(&self) -> usize;
    /// A column's heading.
    fn heading(&self, column: usize) -> Heading;
    /// The sets of columns that it has: those with more than the columns that are in every set.
    fn sets(&self) -> Vec<(&'static str, Sets)> {
        let all: Vec<Sets> = (0..self.width()).map(|column| self.heading(column).sets).collect();
        let own = |set: Sets| all.iter().any(|sets| sets.contains(set) && *sets != Sets::all());
        Sets::NAMES.into_iter().filter(|&(_, set)| own(set)).collect()
    }
    /// How it is sorted before somebody sorts it.
    fn sort(&self) -> Sort {
        Sort::Name
    }
    /// What `enter` does.
    fn open(&self) -> Open;
    /// What its rows lead to.
    fn related(&self) -> Vec<RelatedHeading> {
        Vec::new()
    }
    /// Adds what a row leads to, each object once; `road` is a place in [`AnyView::related`].
    fn find_related(&self, store: &Store, id: Id, road: usize, out: &mut Vec<Id>) {
        let _ = (store, id, road, out);
    }
    /// What is said where there are no rows, of the object that they would belong to; nothing if it is not there.
    fn none(&self, store: &Store) -> Option<String> {
        let _ = store;
        None
    }
    /// The name of the object that all its rows belong to, if it was opened from one.
    fn origin(&self) -> Option<&str> {
        None
    }
    /// Whether a record is a row.
    fn shows(&self, store: &Store, id: Id) -> bool;
    /// The state of a row.
    fn state(&self, store: &Store, id: Id, now: Now) -> State {
        store.state(id, now)
    }
    /// Writes a cell.
    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String);
    /// What a cell is sorted by.
    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> SortKey<'a>;

    /// How well a row is.
    fn health(&self, store: &Store, id: Id, now: Now) -> Health {
        self.state(store, id, now).health
    }

    /// Whether a column is shown: one of measurements only where there are any.
    fn is_visible(&self, store: &Store, column: usize, layout: Layout) -> bool {
        let heading = self.heading(column);
        heading.is_in(layout) && heading.needs.is_none_or(|kind| !store.is_empty(kind))
    }

    /// What a row is ordered by when it is sorted by `column`.
    fn order_key<'a>(&self, store: &'a Store, id: Id, column: usize, level: Level, now: Now) -> SortKey<'a> {
        let of_meta = |text: fn(&'a Meta) -> &'a str| {
            store.meta(id).map_or(SortKey::Nothing, |meta| SortKey::Text(text(meta)))
        };
        match level {
            Level::Column => self.key(store, id, column, now),
            Level::Name => of_meta(|meta| &meta.name),
            Level::Namespace => of_meta(|meta| meta.namespace.as_str()),
        }
    }

    /// Whether its rows live in namespaces.
    fn namespaced(&self) -> bool {
        self.column("NAMESPACE").is_some_and(|column| self.heading(column).shown == Shown::Namespaces)
    }

    /// The place of the column with this title.
    fn column(&self, title: &str) -> Option<usize> {
        (0..self.width()).find(|&column| self.heading(column).title.eq_ignore_ascii_case(title))
    }

    /// How long until some cell of these rows reads differently although nothing happened.
    fn next_change(&self, store: &Store, ids: &[Id], now: Now) -> Option<Duration> {
        let ages: Vec<usize> =
            (0..self.width()).filter(|&column| self.heading(column).holds == Holds::Age).collect();
        let of = |&id: &Id| ages.iter().map(move |&column| self.key(store, id, column, now));
        ids.iter()
            .flat_map(of)
            .filter_map(|key| match key {
                SortKey::Number(seconds) => {
                    let age = Age(now.wall - seconds);
                    // Where minutes count, a few seconds do not: fewer wake-ups for many rows.
                    let least = if age.0 < 600 { Duration::ZERO } else { Duration::from_secs(5) };
                    Some(age.next_change().max(least))
                }
                _ => None,
            })
            .min()
    }
}

impl fmt::Debug for dyn AnyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A view of the program, or one made at run time for the server's table of some resource.
#[derive(Clone, Debug)]
pub enum ViewRef {
    /// One of [`VIEWS`](super::VIEWS).
    Of(&'static dyn AnyView),
    /// Made at run time.
    Made(Arc<dyn AnyView>),
}

impl Deref for ViewRef {
    type Target = dyn AnyView;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Of(view) => *view,
            Self::Made(view) => &**view,
        }
    }
}

impl<R: Row> AnyView for View<R> {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[&str] {
        self.aliases
    }

    fn rows(&self) -> &[Kind] {
        self.rows
    }

    fn selection(&self) -> Selection {
        Selection::All
    }

    fn partners(&self) -> &[Kind] {
        self.partners
    }

    fn stateful(&self) -> Vec<Kind> {
        let read = self.columns.iter().filter_map(|column| column.reads_states_of);
        let mut kinds = self.rows.to_vec();
        kinds.extend(read.filter(|kind| !self.rows.contains(kind)));
        kinds
    }

    fn width(&self) -> usize {
        self.columns.len()
    }

    fn heading(&self, column: usize) -> Heading {
        let Column { title, holds, shown, sets, needs, widest, gives, about, .. } = self.columns[column];
        Heading { title: Cow::Borrowed(title), holds, shown, sets, needs, widest, gives, about }
    }

    fn sort(&self) -> Sort {
        self.sort
    }

    fn open(&self) -> Open {
        self.open
    }

    fn related(&self) -> Vec<RelatedHeading> {
        let heading =
            |&Related { road, title, kinds, .. }: &Related<R>| RelatedHeading { road, title, kinds };
        self.related.iter().map(heading).collect()
    }

    fn find_related(&self, store: &Store, id: Id, road: usize, out: &mut Vec<Id>) {
        if let (Some(related), Some(at)) = (self.related.get(road), At::<R>::new(store, id)) {
            let from = out.len();
            (related.find)(at, out);
            let mut seen = hashbrown::HashSet::new();
            let mut place = 0;
            out.retain(|&found| {
                place += 1;
                place <= from || found != id && related.kinds.contains(&found.kind()) && seen.insert(found)
            });
        }
    }

    fn shows(&self, store: &Store, id: Id) -> bool {
        self.rows.contains(&id.kind()) && At::<R>::new(store, id).is_some_and(self.shown)
    }

    fn state(&self, store: &Store, id: Id, now: Now) -> State {
        At::<R>::new(store, id).map_or_else(State::default, |at| (self.state)(at, now))
    }

    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String) {
        let (Some(column), Some(at)) = (self.columns.get(column), At::<R>::new(store, id)) else { return };
        let before = out.len();
        (column.text)(at, now, out);
        if out.len() > before {
            return;
        }
        if let Some(part) = column.part {
            write_state(&(self.state)(at, now), part, at.meta(), now, out);
        } else {
            write_key((column.key)(at, now), column.holds, column.nothing, now, out);
        }
    }

    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> SortKey<'a> {
        match (self.columns.get(column), At::<R>::new(store, id)) {
            (Some(Column { part: Some(part), .. }), Some(at)) => state_key(&(self.state)(at, now), *part),
            (Some(column), Some(at)) => (column.key)(at, now),
            _ => SortKey::Nothing,
        }
    }
}
