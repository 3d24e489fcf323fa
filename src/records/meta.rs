//! What every object has.

use super::labels::{Labels, Value};
use super::{Kind, name_key};
use crate::model::{Key, Name, Time, Uid, Word};

/// Identity, times and owners of an object, in 72 bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.name`, made safe to show.
    pub name: Name,
    /// `metadata.namespace`; empty for cluster-wide kinds.
    pub namespace: Word,
    /// `metadata.creationTimestamp`.
    pub created: Option<Time>,
    /// The UID key of the owner that controls it, or of its first owner.
    pub owner: Option<Key>,
    /// Its labels, for selectors.
    pub(super) labels: Labels,
    /// What few objects have.
    rare: Option<Box<Rare>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    deleted: Option<Time>,
    owners: Keys,
    uses: Keys,
    broken: Option<Box<str>>,
}

impl Meta {
    /// When its deletion was asked for; it goes once its finalizers and grace period are over.
    pub fn deleted(&self) -> Option<Time> {
        self.rare.as_ref().and_then(|rare| rare.deleted)
    }

    /// Why the rest of the object could not be read, if so.
    pub fn broken(&self) -> Option<&str> {
        self.rare.as_ref().and_then(|rare| rare.broken.as_deref())
    }

    /// All its owners by UID.
    pub fn owners(&self) -> impl Iterator<Item = Key> + '_ {
        self.owner.into_iter().chain(self.rare.iter().flat_map(|rare| rare.owners.iter()))
    }

    /// Whether it has a label with this key, and with this value where one is given.
    pub fn has_label(&self, key: &str, value: Option<&str>) -> bool {
        self.labels.has(key, value.map(|value| Value::of(self, value)))
    }

    /// The same as a part of the claim with this UID, for which CDI made it without owning it; of nothing if that is empty.
    pub(super) fn serving(mut self, uid: &str) -> Self {
        if !uid.is_empty() {
            self.add_owner(Key::uid(Uid::parse(uid)), false);
        }
        self
    }

    /// Secrets that it names.
    pub fn uses(&self) -> impl Iterator<Item = Key> + '_ {
        self.rare.iter().flat_map(|rare| rare.uses.iter())
    }

    /// Adds a Secret of its namespace that it names, unless the name is empty.
    pub(super) fn add_secret(&mut self, name: &str) {
        if !name.is_empty() {
            let key = name_key(Kind::Secret, self.namespace, name);
            self.rare.get_or_insert_default().uses.push(key);
        }
    }

    /// Sets when its deletion was asked for.
    pub fn set_deleted(&mut self, time: Option<Time>) {
        if time.is_some() {
            self.rare.get_or_insert_default().deleted = time;
        }
    }

    /// Adds an owner; the first one, or the one that controls, is the owner.
    pub fn add_owner(&mut self, key: Key, controls: bool) {
        match self.owner {
            None => self.owner = Some(key),
            Some(first) if controls => {
                self.owner = Some(key);
                self.rare.get_or_insert_default().owners.push(first);
            }
            Some(_) => self.rare.get_or_insert_default().owners.push(key),
        }
    }

    /// Marks the object as one that could not be read.
    pub fn set_broken(&mut self, why: &str) {
        self.rare.get_or_insert_default().broken = Some(crate::text::one_line(why, 200).into());
    }
}

/// A few keys: two in place, more on the heap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    first: [Option<Key>; 2],
    #[expect(clippy::box_collection, reason = "eight bytes in each record instead of twenty-four")]
    more: Option<Box<Vec<Key>>>,
}

/// More partners than any honest object names.
const MOST: usize = 256;

impl Keys {
    /// Adds a key unless it is there; beyond 256 it is dropped.
    pub fn push(&mut self, key: Key) {
        if self.iter().any(|known| known == key) {
            return;
        }
        if let Some(free) = self.first.iter_mut().find(|place| place.is_none()) {
            *free = Some(key);
        } else {
            let more = self.more.get_or_insert_default();
            if more.len() < MOST {
                more.push(key);
            }
        }
    }

    /// The keys in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = Key> + '_ {
        self.first.iter().flatten().chain(self.more.iter().flat_map(|more| more.iter())).copied()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first[0].is_none()
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let mut all = Self::default();
        keys.into_iter().for_each(|key| all.push(key));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u128) -> Key {
        Key::uid(Uid::from(n))
    }

    #[test]
    fn the_controlling_owner_comes_first() {
        let mut meta = Meta::default();
        meta.add_owner(key(1), false);
        meta.add_owner(key(2), true);
        meta.add_owner(key(3), false);
        assert_eq!(meta.owners().collect::<Vec<_>>(), [key(2), key(1), key(3)]);
    }

    #[test]
    fn keys_are_kept_once_and_bounded() {
        let keys: Keys = (0..1000).chain(0..10).map(key).collect();
        assert_eq!(keys.len(), 2 + MOST);
        assert_eq!(keys.iter().nth(5), Some(key(5)));
    }

    #[test]
    fn sizes_are_what_the_memory_budget_counts_on() {
        assert_eq!(size_of::<Meta>(), 72);
        assert_eq!(size_of::<Keys>(), 24);
    }
}
