//! A record together with the store it is in, so that its partners can be reached.

use std::ops::Deref;

use super::{Id, State, Store, Stored};
use crate::model::Now;
use crate::records::{Kind, Meta, Records};

/// A partner of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<T> {
    /// It is there.
    Here(T),
    /// It is known not to exist.
    None,
    /// Its list has not come yet: nothing may be concluded.
    Loading,
    /// It may not be read: nothing may be concluded.
    Denied,
}

impl<T> Part<T> {
    /// The partner if it is there.
    pub fn here(self) -> Option<T> {
        match self {
            Self::Here(part) => Some(part),
            _ => None,
        }
    }

    /// The same, with something else of the partner.
    pub fn map<U>(self, of: impl FnOnce(T) -> U) -> Part<U> {
        match self {
            Self::Here(part) => Part::Here(of(part)),
            Self::None => Part::None,
            Self::Loading => Part::Loading,
            Self::Denied => Part::Denied,
        }
    }

    /// Whether it is there or known not to exist.
    pub fn known(&self) -> bool {
        matches!(self, Self::Here(_) | Self::None)
    }
}

/// What a view's rows are: records of one kind, or of several by way of a marker type whose `Record` is [`Meta`].
pub trait Row: Sized + 'static {
    /// What every row can be read as.
    type Record: 'static;

    /// Finds the record.
    fn find(store: &Store, id: Id) -> Option<&Self::Record>;
}

impl<R: Stored> Row for R
where
    Records: From<Vec<R>>,
{
    type Record = R;

    fn find(store: &Store, id: Id) -> Option<&R> {
        store.get(id)
    }
}

/// A cursor on a record in its store.
pub struct At<'a, R: Row> {
    pub(super) store: &'a Store,
    pub(super) id: Id,
    record: &'a R::Record,
}

impl<R: Row> Clone for At<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Row> Copy for At<'_, R> {}

impl<R: Row> Deref for At<'_, R> {
    type Target = R::Record;

    fn deref(&self) -> &R::Record {
        self.record
    }
}

impl<'a, R: Row> At<'a, R> {
    /// The record at `id`, if it is there and of this type.
    pub fn new(store: &'a Store, id: Id) -> Option<Self> {
        R::find(store, id).map(|record| Self { store, id, record })
    }

    /// The store that it is in.
    pub fn store(self) -> &'a Store {
        self.store
    }

    /// Where it is.
    pub fn id(self) -> Id {
        self.id
    }

    /// Its kind.
    pub fn kind(self) -> Kind {
        self.id.kind()
    }

    /// The record, for as long as the store is borrowed.
    pub fn record(self) -> &'a R::Record {
        self.record
    }

    /// Its metadata, whatever its kind.
    pub fn meta(self) -> &'a Meta {
        static NONE: std::sync::LazyLock<Meta> = std::sync::LazyLock::new(Meta::default);
        self.store.meta(self.id).unwrap_or(&NONE)
    }

    /// Its state.
    pub fn state(self, now: Now) -> State {
        self.store.state(self.id, now)
    }
}
