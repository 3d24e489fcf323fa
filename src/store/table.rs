//! The records themselves: one table of slots per kind.

use super::Id;
use super::feeds::Stamp;
use crate::model::Key;
use crate::records::{Kind, Meta, Record, Records};
use crate::{dispatch, dispatch_arms, with_kinds};

/// The records of one kind. Slots of records that went are used again.
#[derive(Debug)]
pub struct Table<R> {
    slots: Vec<Slot<R>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<R> {
    record: Option<R>,
    stamp: Stamp,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<R> Table<R> {
    pub(super) fn get(&self, slot: usize) -> Option<&R> {
        self.slots.get(slot).and_then(|slot| slot.record.as_ref())
    }

    pub(super) fn stamp(&self, slot: usize) -> Option<Stamp> {
        self.slots.get(slot).map(|slot| slot.stamp)
    }

    pub(super) fn set_stamp(&mut self, slot: usize, stamp: Stamp) {
        self.slots[slot].stamp = stamp;
    }

    pub(super) fn replace(&mut self, slot: usize, record: R) -> Option<R> {
        self.slots[slot].record.replace(record)
    }

    /// Puts a record into a free slot; `None` when all 67 million are taken.
    pub(super) fn insert(&mut self, record: R, stamp: Stamp) -> Option<usize> {
        let filled = Slot { record: Some(record), stamp };
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = filled;
            return Some(slot as usize);
        }
        if self.slots.len() == Id::SLOTS {
            return None;
        }
        self.slots.push(filled);
        Some(self.slots.len() - 1)
    }

    pub(super) fn remove(&mut self, slot: usize) -> Option<R> {
        let record = self.slots.get_mut(slot)?.record.take()?;
        self.free.extend(u32::try_from(slot));
        Some(record)
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.slots.reserve(more.saturating_sub(self.free.len()));
    }

    /// Gives back what growing left over.
    pub(super) fn shrink(&mut self) {
        if self.slots.capacity() > self.slots.len() + self.slots.len() / 8 {
            self.slots.shrink_to_fit();
        }
    }

    /// The slots in use with their stamps.
    pub(super) fn used(&self) -> impl Iterator<Item = (usize, Stamp)> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.record.is_some())
            .map(|(at, slot)| (at, slot.stamp))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

/// A record type that has a table of its own.
pub trait Stored: Record
where
    Records: From<Vec<Self>>,
{
    /// Its table.
    #[doc(hidden)]
    fn table(tables: &Tables) -> &Table<Self>;
    /// Its table, to change it.
    #[doc(hidden)]
    fn table_mut(tables: &mut Tables) -> &mut Table<Self>;
}

macro_rules! tables {
    ([] $($kind:ident),* $(,)?) => {
        /// All tables.
        #[allow(non_snake_case, reason = "a table is named after its record type")]
        #[derive(Debug, Default)]
        pub struct Tables { $($kind: Table<crate::records::$kind>),* }

        $(impl Stored for crate::records::$kind {
            fn table(tables: &Tables) -> &Table<Self> {
                &tables.$kind
            }

            fn table_mut(tables: &mut Tables) -> &mut Table<Self> {
                &mut tables.$kind
            }
        })*
    };
}
with_kinds!(tables);

/// What a record is linked to, by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub key: Key,
    /// Whether the other one is the whole; otherwise it is the part.
    pub whole: bool,
}

/// The keys of what sums a record up.
pub(super) type GroupKeys = [Option<Key>; 2];

/// Those of this record.
pub(super) fn groups_of<R: Stored>(record: &R) -> GroupKeys
where
    Records: From<Vec<R>>,
{
    [record.member_of(), record.also_member_of()]
}

/// Adds everything that a record wants to be linked to.
pub(super) fn targets_of<R: Stored>(record: &R, out: &mut Vec<Target>)
where
    Records: From<Vec<R>>,
{
    out.extend(record.meta().owners().map(|key| Target { key, whole: true }));
    record.part_of(&mut |key| out.push(Target { key, whole: true }));
    record.has_parts(&mut |key| out.push(Target { key, whole: false }));
}

impl Tables {
    pub(super) fn get<R: Stored>(&self, id: Id) -> Option<&R>
    where
        Records: From<Vec<R>>,
    {
        if id.kind() == R::KIND { R::table(self).get(id.slot()) } else { None }
    }

    pub(super) fn meta(&self, id: Id) -> Option<&Meta> {
        dispatch!(id.kind(), R => R::table(self).get(id.slot()).map(Record::meta))
    }

    pub(super) fn key(&self, id: Id) -> Option<Key> {
        dispatch!(id.kind(), R => R::table(self).get(id.slot()).map(Record::key))
    }

    pub(super) fn stamp(&self, id: Id) -> Option<Stamp> {
        dispatch!(id.kind(), R => R::table(self).stamp(id.slot()))
    }

    pub(super) fn targets(&self, id: Id, out: &mut Vec<Target>) {
        dispatch!(id.kind(), R => if let Some(record) = R::table(self).get(id.slot()) { targets_of(record, out) });
    }

    pub(super) fn groups_of(&self, id: Id) -> GroupKeys {
        dispatch!(id.kind(), R => R::table(self).get(id.slot()).map_or([None; 2], groups_of))
    }

    /// The records of a kind by what sums them up.
    pub(super) fn members(&self, kind: Kind) -> hashbrown::HashMap<Key, Vec<Id>> {
        let mut groups: hashbrown::HashMap<Key, Vec<Id>> = hashbrown::HashMap::new();
        for (id, _) in self.ids(kind) {
            for key in self.groups_of(id).into_iter().flatten() {
                groups.entry(key).or_default().push(id);
            }
        }
        groups
    }

    pub(super) fn len(&self, kind: Kind) -> usize {
        dispatch!(kind, R => R::table(self).len())
    }

    pub(super) fn ids(&self, kind: Kind) -> Vec<(Id, Stamp)> {
        dispatch!(kind, R => R::table(self).used().map(|(slot, stamp)| (Id::new(kind, slot), stamp)).collect())
    }

    pub(super) fn remove(&mut self, id: Id) -> bool {
        dispatch!(id.kind(), R => R::table_mut(self).remove(id.slot()).is_some())
    }

    pub(super) fn reserve(&mut self, kind: Kind, more: usize) {
        dispatch!(kind, R => R::table_mut(self).reserve(more));
    }

    pub(super) fn shrink(&mut self, kind: Kind) {
        dispatch!(kind, R => R::table_mut(self).shrink());
    }
}
