//! Any other kind: the server's own table.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use super::{AnyView, Heading, Holds, Open, Sets, Shown, ViewRef};
use crate::model::{Age, Now};
use crate::records::{Kind, Other, TableCell, TableColumns};
use crate::store::{Id, Selection, SortKey, Store};

/// More columns than any honest table has.
const MOST_COLUMNS: usize = 100;

/// The column that says how old an object is. The server writes it as text; the object itself knows better.
const AGE: &str = "AGE";

/// A view on the server's table of `resource` (`plural.group`), with the columns that the server gave, if it has yet.
pub fn table_view(resource: &str, namespaced: bool, columns: Option<&TableColumns>) -> ViewRef {
    let mut headings = vec![Heading {
        title: Cow::Borrowed("NAMESPACE"),
        holds: Holds::Text,
        shown: if namespaced { Shown::Namespaces } else { Shown::Wide },
        sets: Sets::all(),
        needs: None,
        widest: 40,
        gives: 0,
        about: "",
    }];
    let columns = columns.into_iter().flat_map(|columns| columns.iter()).take(MOST_COLUMNS);
    headings.extend(columns.map(|column| Heading {
        title: Cow::Owned(crate::text::one_line(&column.name, 40).to_uppercase()),
        holds: match &*column.of {
            "integer" => Holds::Number,
            "number" => Holds::Millis,
            _ if column.name.eq_ignore_ascii_case(AGE) => Holds::Age,
            _ => Holds::Text,
        },
        shown: if column.priority > 0 { Shown::Wide } else { Shown::Always },
        sets: Sets::all(),
        needs: None,
        widest: 60,
        gives: 0,
        about: "",
    }));
    ViewRef::Made(Arc::new(Table { resource: resource.into(), headings }))
}

struct Table {
    resource: Arc<str>,
    /// The namespace, then the server's columns.
    headings: Vec<Heading>,
}

impl Table {
    fn tells_age(&self, column: usize) -> bool {
        self.headings.get(column).is_some_and(|heading| heading.holds == Holds::Age)
    }
}

impl AnyView for Table {
    fn name(&self) -> &str {
        &self.resource
    }

    fn aliases(&self) -> &[&str] {
        &[]
    }

    fn rows(&self) -> &[Kind] {
        &[Kind::Other]
    }

    fn selection(&self) -> Selection {
        Selection::Table(self.resource.clone())
    }

    fn partners(&self) -> &[Kind] {
        &[]
    }

    fn width(&self) -> usize {
        self.headings.len()
    }

    fn heading(&self, column: usize) -> Heading {
        self.headings[column].clone()
    }

    fn open(&self) -> Open {
        Open::Detail
    }

    fn shows(&self, store: &Store, id: Id) -> bool {
        store.get::<Other>(id).is_some()
    }

    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String) {
        let Some(row) = store.get::<Other>(id) else { return };
        if let (true, Some(created)) = (self.tells_age(column), row.meta.created) {
            let _ = write!(out, "{}", Age(now.wall - created.seconds()));
            return;
        }
        if column == 0 {
            out.push_str(&row.meta.namespace);
            return;
        }
        match row.cells.get(column - 1) {
            Some(TableCell::Text(text)) => out.push_str(text),
            Some(TableCell::Number(number)) => _ = write!(out, "{number}"),
            Some(TableCell::Empty) => out.push_str("<none>"),
            None => {}
        }
    }

    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, _: Now) -> SortKey<'a> {
        let Some(row) = store.get::<Other>(id) else { return SortKey::Nothing };
        if self.tells_age(column) {
            return super::column::time(row.meta.created);
        }
        let whole = self.headings.get(column).is_some_and(|heading| heading.holds == Holds::Number);
        match column.checked_sub(1).map(|column| row.cells.get(column)) {
            None => SortKey::Text(row.meta.namespace.as_str()),
            Some(Some(TableCell::Text(text))) => SortKey::Text(text),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole numbers and thousandths are what the column holds; the cast saturates"
            )]
            Some(Some(TableCell::Number(number))) => {
                SortKey::Number(if whole { *number } else { number * 1000.0 } as i64)
            }
            Some(Some(TableCell::Empty) | None) => SortKey::Nothing,
        }
    }
}
