//! Views: what a list shows, as data. One file per view, one line in [`VIEWS`]. No terminal here: the screen and
//! `v9s get` draw from the same values.

mod contexts;
mod list;
mod namespaces;
mod pods;
mod table;
mod vms;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Age, Now, Time};
use crate::records::Kind;
use crate::store::{At, Health, Id, Row, RowKey, Selection, SortKey, Store};

pub use list::{Filter, List, Motion};
pub use table::table_view;

/// Every view, in the order in which they are offered.
pub static VIEWS: &[&dyn AnyView] = &[&vms::VIEW, &pods::VIEW, &namespaces::VIEW, &contexts::VIEW];

/// The view with this name or alias.
pub fn find(word: &str) -> Option<&'static dyn AnyView> {
    VIEWS.iter().copied().find(|view| view.name() == word || view.aliases().contains(&word))
}

/// What a column holds; says how it is aligned, compared and written as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// The word of a state; the screen puts the sign of the row's health before it.
    State,
    /// A number.
    Number,
    /// A size in bytes.
    Bytes,
    /// A moment, shown as how long ago it was.
    Age,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Always.
    Always,
    /// In the wide form.
    Wide,
    /// Where rows of several namespaces are shown.
    Namespaces,
}

/// A column, for those who do not know the row type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The title, in upper case.
    pub title: Cow<'static, str>,
    /// What it holds.
    pub holds: Holds,
    /// When it is shown.
    pub shown: Shown,
    /// The most columns of the screen that it takes.
    pub widest: u16,
}

/// A column of a view whose rows are `R`.
pub struct Column<R: Row> {
    /// The title, in upper case.
    pub title: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// When it is shown.
    pub shown: Shown,
    /// The most columns of the screen that it takes.
    pub widest: u16,
    /// Writes the cell; called for visible rows only.
    pub text: for<'a> fn(At<'a, R>, Now, &mut String),
    /// What it is sorted by and what data output holds; never formats.
    pub key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>,
}

impl<R: Row> Column<R> {
    /// A column of text.
    pub const fn text(
        title: &'static str,
        widest: u16,
        key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>,
    ) -> Self {
        Self { title, holds: Holds::Text, shown: Shown::Always, widest, text: no_text, key }
    }

    /// A column of states.
    pub const fn state(title: &'static str, key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>) -> Self {
        Self { title, holds: Holds::State, shown: Shown::Always, widest: 28, text: no_text, key }
    }

    /// A column of moments.
    pub const fn age(title: &'static str, key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>) -> Self {
        Self { title, holds: Holds::Age, shown: Shown::Always, widest: 10, text: no_text, key }
    }

    /// A column of numbers.
    pub const fn number(title: &'static str, key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>) -> Self {
        Self { title, holds: Holds::Number, shown: Shown::Always, widest: 10, text: no_text, key }
    }

    /// A column of sizes.
    pub const fn bytes(title: &'static str, key: for<'a> fn(At<'a, R>, Now) -> SortKey<'a>) -> Self {
        Self { title, holds: Holds::Bytes, shown: Shown::Always, widest: 10, text: no_text, key }
    }

    /// The same column with a text of its own beside its key.
    pub const fn written(mut self, text: for<'a> fn(At<'a, R>, Now, &mut String)) -> Self {
        self.text = text;
        self
    }

    /// The same column, shown only in the wide form.
    pub const fn wide(mut self) -> Self {
        self.shown = Shown::Wide;
        self
    }

    /// The same column, shown only where rows of several namespaces are.
    pub const fn many(mut self) -> Self {
        self.shown = Shown::Namespaces;
        self
    }
}

/// Marks columns whose text is their key written out.
fn no_text<R: Row>(_: At<'_, R>, _: Now, _: &mut String) {}

/// The name of the object; every view of objects begins with it.
pub const fn name<R: Row>() -> Column<R> {
    Column::<R>::text("NAME", 63, |at, _| SortKey::Text(&at.meta().name))
}

/// Its namespace.
pub const fn namespace<R: Row>() -> Column<R> {
    Column::<R>::text("NAMESPACE", 40, |at, _| SortKey::Text(at.meta().namespace.as_str())).many()
}

/// How old it is.
pub const fn age<R: Row>() -> Column<R> {
    Column::<R>::age("AGE", |at, _| time(at.meta().created))
}

/// The key of a moment.
pub fn time(time: Option<Time>) -> SortKey<'static> {
    time.map_or(SortKey::Nothing, |time| SortKey::Number(time.seconds()))
}

/// The key of a word; an empty one is no value.
pub fn word(word: crate::model::Word) -> SortKey<'static> {
    if word.is_empty() { SortKey::Nothing } else { SortKey::Text(word.as_str()) }
}

/// The key of a number; zero is no value.
pub fn count(number: impl Into<i64>) -> SortKey<'static> {
    match number.into() {
        0 => SortKey::Nothing,
        number => SortKey::Number(number),
    }
}

/// The key of an address: the number that an IPv4 address is; IPv6 comes behind.
pub fn address(address: Option<IpAddr>) -> SortKey<'static> {
    match address {
        None => SortKey::Nothing,
        Some(IpAddr::V4(address)) => SortKey::Number(i64::from(address.to_bits())),
        Some(IpAddr::V6(_)) => SortKey::Number(i64::MAX),
    }
}

/// What opening a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Nothing yet.
    Nothing,
    /// Connects to the context of that name.
    Context,
    /// Shows the objects of the namespace of that name.
    Namespace,
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
    /// How well a row is, for its colour.
    pub health: for<'a> fn(At<'a, R>, Now) -> Health,
    /// Its columns.
    pub columns: &'static [Column<R>],
    /// What `enter` does.
    pub open: Open,
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
    /// How many columns it has.
    fn width(&self) -> usize;
    /// A column's heading.
    fn heading(&self, column: usize) -> Heading;
    /// What `enter` does.
    fn open(&self) -> Open;
    /// Whether a record is a row.
    fn shows(&self, store: &Store, id: Id) -> bool;
    /// How well a row is.
    fn health(&self, store: &Store, id: Id, now: Now) -> Health;
    /// Writes a cell.
    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String);
    /// What a cell is sorted by.
    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> SortKey<'a>;

    /// The full key of a row when it is sorted by `column`.
    fn row_key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> RowKey<'a> {
        let (name, namespace) = match store.meta(id) {
            Some(meta) => (SortKey::Text(&meta.name), SortKey::Text(meta.namespace.as_str())),
            None => (SortKey::Nothing, SortKey::Nothing),
        };
        [self.key(store, id, column, now), name, namespace]
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
    /// One of [`VIEWS`].
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

    fn width(&self) -> usize {
        self.columns.len()
    }

    fn heading(&self, column: usize) -> Heading {
        let Column { title, holds, shown, widest, .. } = self.columns[column];
        Heading { title: Cow::Borrowed(title), holds, shown, widest }
    }

    fn open(&self) -> Open {
        self.open
    }

    fn shows(&self, store: &Store, id: Id) -> bool {
        self.rows.contains(&id.kind()) && At::<R>::new(store, id).is_some_and(self.shown)
    }

    fn health(&self, store: &Store, id: Id, now: Now) -> Health {
        At::<R>::new(store, id).map_or(Health::Idle, |at| (self.health)(at, now))
    }

    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String) {
        let (Some(column), Some(at)) = (self.columns.get(column), At::<R>::new(store, id)) else { return };
        let before = out.len();
        (column.text)(at, now, out);
        if out.len() == before {
            write_key((column.key)(at, now), column.holds, now, out);
        }
    }

    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> SortKey<'a> {
        match (self.columns.get(column), At::<R>::new(store, id)) {
            (Some(column), Some(at)) => (column.key)(at, now),
            _ => SortKey::Nothing,
        }
    }
}

/// Writes a value that has no text of its own.
fn write_key(key: SortKey<'_>, holds: Holds, now: Now, out: &mut String) {
    use fmt::Write as _;
    let _ = match (key, holds) {
        (SortKey::Nothing, Holds::Age) => out.write_str("<unknown>"),
        (SortKey::Nothing, _) => out.write_str("<none>"),
        (SortKey::Text(text), _) => out.write_str(text),
        (SortKey::Number(seconds), Holds::Age) => write!(out, "{}", Age(now.wall - seconds)),
        (SortKey::Number(bytes), Holds::Bytes) => {
            crate::model::format_bytes(bytes.unsigned_abs(), out);
            Ok(())
        }
        (SortKey::Number(number), _) => write!(out, "{number}"),
    };
}
