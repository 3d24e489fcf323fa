//! A view opened from an object: only those of its rows that belong to that object.

use std::sync::Arc;

use super::view::{AnyView, Belongs, NoRows, Open, RelatedHeading, Sort, ViewRef};
use super::{Heading, Shown, opened as find_opened};
use crate::model::{Name, Now, Uid};
use crate::records::Kind;
use crate::store::{Id, Selection, SortKey, State, Store};

/// The view that opening this row shows; none where it shows everything about the object instead, or nothing.
pub fn within(opened: &dyn AnyView, store: &Store, origin: Id) -> Option<ViewRef> {
    let Open::Rows { of, view, belongs, besides, none } = opened.open() else { return None };
    if !of.contains(&origin.kind()) {
        return None;
    }
    let (view, meta) = (find_opened(view)?, store.meta(origin)?);
    let mut partners = view.partners().to_vec();
    // Without the object nobody knows what belongs to it.
    if !view.rows().contains(&origin.kind()) && !partners.contains(&origin.kind()) {
        partners.push(origin.kind());
    }
    let (kind, uid, name) = (origin.kind(), meta.uid, meta.name.clone());
    Some(ViewRef::Made(Arc::new(Within { view, kind, uid, name, belongs, besides, none, partners })))
}

/// The name of an object, for what is said of it.
pub(super) fn named(store: &Store, id: Id) -> &str {
    store.meta(id).map_or("", |meta| &meta.name)
}

struct Within {
    view: &'static dyn AnyView,
    kind: Kind,
    uid: Uid,
    name: Name,
    belongs: Belongs,
    besides: &'static [&'static str],
    none: NoRows,
    partners: Vec<Kind>,
}

impl AnyView for Within {
    fn name(&self) -> &str {
        self.view.name()
    }

    fn aliases(&self) -> &[&str] {
        self.view.aliases()
    }

    fn rows(&self) -> &[Kind] {
        self.view.rows()
    }

    fn selection(&self) -> Selection {
        self.view.selection()
    }

    fn partners(&self) -> &[Kind] {
        &self.partners
    }

    fn stateful(&self) -> Vec<Kind> {
        self.view.stateful()
    }

    fn width(&self) -> usize {
        self.view.width()
    }

    fn heading(&self, column: usize) -> Heading {
        let heading = self.view.heading(column);
        let besides = heading.shown == Shown::Wide && self.besides.contains(&&*heading.title);
        Heading { shown: if besides { Shown::Always } else { heading.shown }, ..heading }
    }

    fn sort(&self) -> Sort {
        self.view.sort()
    }

    fn open(&self) -> Open {
        self.view.open()
    }

    fn related(&self) -> Vec<RelatedHeading> {
        self.view.related()
    }

    fn find_related(&self, store: &Store, id: Id, road: usize, out: &mut Vec<Id>) {
        self.view.find_related(store, id, road, out);
    }

    fn none(&self, store: &Store) -> Option<String> {
        store.find_of(self.kind, self.uid).map(|origin| (self.none)(store, origin))
    }

    fn origin(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn shows(&self, store: &Store, id: Id) -> bool {
        let origin = store.find_of(self.kind, self.uid);
        self.view.shows(store, id) && origin.is_some_and(|origin| (self.belongs)(store, origin, id))
    }

    fn state(&self, store: &Store, id: Id, now: Now) -> State {
        self.view.state(store, id, now)
    }

    fn cell(&self, store: &Store, id: Id, column: usize, now: Now, out: &mut String) {
        self.view.cell(store, id, column, now, out);
    }

    fn key<'a>(&self, store: &'a Store, id: Id, column: usize, now: Now) -> SortKey<'a> {
        self.view.key(store, id, column, now)
    }
}
