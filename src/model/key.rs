//! What one object calls another by.

use std::hash::BuildHasher;
use std::num::NonZeroU64;
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

use super::{Uid, Word};

/// The hash of what names an object: its UID, or its kind, namespace and name.
///
/// Records keep this instead of the names of their partners: eight bytes, no heap. The seed differs in every process,
/// so nobody can craft two names with one key; among a million honest ones a clash has a chance of 1 in 10⁷.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(NonZeroU64);

static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

impl Key {
    /// The key of the object with this UID.
    pub fn uid(uid: Uid) -> Self {
        Self::new(SEED.hash_one(uid))
    }

    /// The key of the object of this kind with this name; `namespace` is empty for cluster-wide kinds.
    pub fn name(kind: u8, namespace: Word, name: &str) -> Self {
        Self::new(SEED.hash_one((kind, &*namespace, name)))
    }

    fn new(hash: u64) -> Self {
        Self(NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN))
    }

    /// The hash itself, for tables of keys.
    pub fn hash(self) -> u64 {
        self.0.get()
    }
}
