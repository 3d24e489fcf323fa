//! Objects that are made when somebody looks at them, for those who set up a cluster and keep it changing.

use std::sync::Arc;

use super::Server;
use super::body::{Address, Body, Stored, Synthesis};
use super::kinds::Kind;
use super::meta::{self, BadObject};
use super::storage::{Key, State};

impl Server {
    /// Stores many objects of one kind: namespace, name and number in their source of each. Nobody is told of them, and
    /// watches that began before are over.
    ///
    /// # Errors
    ///
    /// [`BadObject::Kind`]
    pub fn fill<'a>(
        &self,
        group: &'static str,
        plural: &'static str,
        source: &Arc<dyn Synthesis>,
        objects: impl Iterator<Item = (&'a str, String, u32)>,
    ) -> Result<(), BadObject> {
        let kind = Kind::of_plural(group, plural)
            .ok_or_else(|| BadObject::Kind { api_version: group.into(), kind: plural.into() })?;
        let objects: Vec<_> =
            objects.map(|(namespace, name, number)| (Key::new(namespace, &name), number)).collect();
        self.storage().with(|state| state.fill(kind, source, objects.into_iter()));
        Ok(())
    }

    /// Puts an object of a source in the place of another of a source. What a client has written stays, and so does the
    /// absence of what is not there: `false` then.
    pub fn change_synthetic(&self, at: &Address, source: Arc<dyn Synthesis>, number: u32) -> bool {
        self.synthetic(at, |state, kind, key, before| {
            let is_there = before.is_some_and(|before| matches!(before.body, Body::Synthetic { .. }));
            if is_there {
                put(state, kind, key, source, number);
            }
            is_there
        })
    }

    /// The same, but an object that is not there comes into being.
    pub fn put_synthetic(&self, at: &Address, source: Arc<dyn Synthesis>, number: u32) -> bool {
        self.synthetic(at, |state, kind, key, before| {
            if before.as_ref().is_some_and(|before| matches!(before.body, Body::Bytes(_))) {
                return false;
            }
            let now = put(state, kind, key, source, number);
            if before.is_none() {
                state.note_owners(kind, &now.key, &[], &owners(&now));
            }
            true
        })
    }

    /// Takes an object of a source away; `false` when it is not there, or a client has written it.
    pub fn remove_synthetic(&self, at: &Address) -> bool {
        self.synthetic(at, |state, kind, key, before| {
            let before = before.filter(|before| matches!(before.body, Body::Synthetic { .. }));
            let Some(before) = before else { return false };
            state.note_owners(kind, &key, &owners(&before), &[]);
            let resource_version = state.next();
            state.remove(Stored { resource_version, ..before });
            true
        })
    }

    fn synthetic(
        &self,
        at: &Address,
        work: impl FnOnce(&mut State, Kind, Key, Option<Stored>) -> bool,
    ) -> bool {
        let Some(kind) = Kind::of_plural(at.group, at.plural) else { return false };
        let key = Key::new(&at.namespace, &at.name);
        self.storage().with(|state| {
            let before = state.get(kind, &key);
            work(state, kind, key, before)
        })
    }
}

fn put(state: &mut State, kind: Kind, key: Key, source: Arc<dyn Synthesis>, number: u32) -> Stored {
    let resource_version = state.next();
    let now = Stored { kind, key, resource_version, body: Body::Synthetic { source, number } };
    state.put(now.clone());
    now
}

fn owners(object: &Stored) -> Vec<String> {
    meta::owners(&object.value(object.kind.stored_version()))
}
