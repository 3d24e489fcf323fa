//! Labels of objects, for selectors: which ones, but not their text.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::sync::{LazyLock, PoisonError, RwLock};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Meta;
use crate::model::{Key, Uid};

/// The labels of an object: the number of a set that is kept once for the process, in four bytes.
///
/// Of a label the set has two hashes of 32 bits, of its key and of key and value. Objects of a fleet have few sets:
/// what is different in each of them, its own name and the UID of its owner, is noted as such. The sets only
/// grow in number, so they have a cap; an object beyond it passes no selector but a negated one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Labels(u32);

/// More sets than a fleet has.
const MOST_SETS: usize = 1 << 18;

#[derive(Default)]
struct Sets {
    sets: Vec<Box<[u64]>>,
    places: HashTable<u32>,
}

static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);
static SETS: LazyLock<RwLock<Sets>> = LazyLock::new(RwLock::default);

thread_local! {
    static READING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn key_hash(key: &str) -> u64 {
    SEED.hash_one(key) << 32
}

impl Labels {
    /// The set of the labels that `read` hands over.
    pub(super) fn read(read: impl FnOnce(&mut dyn FnMut(&str, Value<'_>))) -> Self {
        READING.with_borrow_mut(|reading| {
            reading.clear();
            read(&mut |key, value| reading.push(value.hash(key)));
            Self::intern(reading)
        })
    }

    fn intern(set: &[u64]) -> Self {
        if set.is_empty() {
            return Self(0);
        }
        let hash = SEED.hash_one(set);
        let find = |sets: &Sets| sets.places.find(hash, |&at| *sets.sets[at as usize] == *set).copied();
        if let Some(at) = find(&SETS.read().unwrap_or_else(PoisonError::into_inner)) {
            return Self(at + 1);
        }
        let mut all = SETS.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = find(&all) {
            return Self(at + 1);
        }
        match u32::try_from(all.sets.len()) {
            Ok(at) if all.sets.len() < MOST_SETS => {
                all.sets.push(set.into());
                let Sets { sets, places } = &mut *all;
                places.insert_unique(hash, at, |&at| SEED.hash_one(&*sets[at as usize]));
                Self(at + 1)
            }
            _ => Self(u32::MAX),
        }
    }

    /// Whether there is a label with this key and, where one is given, this value.
    pub(super) fn has(self, key: &str, value: Option<Value<'_>>) -> bool {
        let all = SETS.read().unwrap_or_else(PoisonError::into_inner);
        let Some(set) = self.0.checked_sub(1).and_then(|at| all.sets.get(at as usize)) else { return false };
        match value {
            None => set.iter().any(|label| label >> 32 == key_hash(key) >> 32),
            Some(value) => set.contains(&value.hash(key)),
        }
    }
}

/// The value of a label, as seen from its object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// The object's own name.
    OwnName,
    /// The UID of the object's owner.
    Owner,
    /// Any other.
    Text(&'a str),
}

impl<'a> Value<'a> {
    /// What a value is to the object with this name and this owner.
    pub(super) fn of(meta: &Meta, value: &'a str) -> Self {
        let is_owner =
            || value.len() == 36 && meta.owner.is_some_and(|owner| owner == Key::uid(Uid::parse(value)));
        match value {
            value if *value == *meta.name => Self::OwnName,
            _ if is_owner() => Self::Owner,
            value => Self::Text(value),
        }
    }

    fn hash(self, key: &str) -> u64 {
        let value = match self {
            Self::OwnName => (1_u8, ""),
            Self::Owner => (2, ""),
            Self::Text(value) => (0, value),
        };
        key_hash(key) | SEED.hash_one((key, value)) & 0xffff_ffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Pod, decode};

    fn meta(name: &str, labels: &str) -> Meta {
        let json = format!(
            r#"{{"metadata":{{"name":"{name}","labels":{labels},
            "ownerReferences":[{{"uid":"3a41f566-fe01-409c-a06c-0a1cd6e317e6","controller":true}}]}}}}"#
        );
        decode::<Pod>(json.as_bytes()).unwrap().record.meta
    }

    #[test]
    fn labels_are_known_by_key_and_value() {
        let web = meta(
            "web",
            r#"{"app":"shop","empty":"","vm.kubevirt.io/name":"web","kubevirt.io/created-by":"3a41f566-fe01-409c-a06c-0a1cd6e317e6"}"#,
        );
        for (key, value, has) in [
            ("app", None, true),
            ("app", Some("shop"), true),
            ("app", Some("web"), false),
            ("ap", None, false),
            ("empty", Some(""), true),
            ("vm.kubevirt.io/name", Some("web"), true),
            ("vm.kubevirt.io/name", Some(""), false),
            ("kubevirt.io/created-by", Some("3a41f566-fe01-409c-a06c-0a1cd6e317e6"), true),
            ("kubevirt.io/created-by", Some("3a41f566-fe01-409c-a06c-0a1cd6e317e7"), false),
        ] {
            assert_eq!(web.has_label(key, value), has, "{key} {value:?}");
        }
    }

    #[test]
    fn objects_that_are_alike_share_a_set() {
        let labels =
            |name: &str| meta(name, &format!(r#"{{"app":"shop","kubevirt.io/domain":"{name}"}}"#)).labels;
        assert_eq!(labels("a"), labels("b"));
        assert_ne!(labels("a"), meta("a", r#"{"app":"shop"}"#).labels);
        assert_eq!(meta("a", "null").labels, Labels::default());
        assert_eq!(meta("a", "{}").labels, Labels::default());
    }
}
