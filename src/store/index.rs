//! Where a record is, by UID and by name: two tables of four-byte places, which read the keys in the records themselves.

use hashbrown::HashTable;

use super::Id;
use super::table::Tables;
use crate::model::{Key, Uid};
use crate::records::{Kind, Origin};

/// Places by UID and by name key.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_uid: HashTable<Id>,
    by_name: HashTable<Id>,
}

fn uid_hash(tables: &Tables, id: Id) -> u64 {
    tables.meta(id).map_or(0, |meta| Key::uid(meta.uid).hash())
}

fn name_hash(tables: &Tables, id: Id) -> u64 {
    tables.key(id).map_or(0, Key::hash)
}

impl Index {
    /// The record of this kind with this UID. A server's table may hold the same object as a record does.
    pub(super) fn uid(&self, tables: &Tables, kind: Kind, uid: Uid) -> Option<Id> {
        let is_it = |&id: &Id| id.kind() == kind && tables.meta(id).is_some_and(|meta| meta.uid == uid);
        self.by_uid.find(Key::uid(uid).hash(), is_it).copied()
    }

    /// The record with this key; rows of a server's table are found by their names only.
    pub(super) fn key(&self, tables: &Tables, key: Key) -> Option<Id> {
        let by_uid = |&id: &Id| {
            id.kind().origin() != Origin::Table
                && tables.meta(id).is_some_and(|meta| Key::uid(meta.uid) == key)
        };
        let by_name = |&id: &Id| tables.key(id) == Some(key);
        self.by_uid.find(key.hash(), by_uid).or_else(|| self.by_name.find(key.hash(), by_name)).copied()
    }

    pub(super) fn insert(&mut self, tables: &Tables, id: Id) {
        self.by_uid.insert_unique(uid_hash(tables, id), id, |&id| uid_hash(tables, id));
        self.by_name.insert_unique(name_hash(tables, id), id, |&id| name_hash(tables, id));
    }

    /// Call it while the record is still in its table.
    pub(super) fn remove(&mut self, tables: &Tables, id: Id) {
        for (table, hash) in
            [(&mut self.by_uid, uid_hash(tables, id)), (&mut self.by_name, name_hash(tables, id))]
        {
            if let Ok(entry) = table.find_entry(hash, |&known| known == id) {
                entry.remove();
            }
        }
    }

    pub(super) fn reserve(&mut self, tables: &Tables, more: usize) {
        self.by_uid.reserve(more, |&id| uid_hash(tables, id));
        self.by_name.reserve(more, |&id| name_hash(tables, id));
    }
}
