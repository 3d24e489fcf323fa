//! Changes with all that follows from them: what goes with its owner, what goes with its namespace.
//!
//! In a cluster controllers do this a moment later; here it happens under the same lock, change by change, so that
//! watchers see the same events in the same order.

use std::collections::{BTreeSet, VecDeque};

use compact_str::CompactString;
use jiff::Timestamp;
use serde_json::Value;

use super::Server;
use super::admission::Admission;
use super::body::{Body, Stored};
use super::delete::{Options, Plan, Policy, plan};
use super::kinds::Kind;
use super::meta;
use super::quota;
use super::storage::{Key, State};

/// The finalizer of an object that waits for what it owns.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";

/// The finalizer of an object whose dependents are to lose it as an owner.
pub(crate) const ORPHAN: &str = "orphan";

/// The entry in `spec.finalizers` of a namespace that is not empty yet.
const NAMESPACE: &str = "kubernetes";

/// Some changes, and what follows from them.
pub(crate) struct Transaction<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: Timestamp,
    /// Who asks; empty where nobody does.
    pub(crate) user: &'a str,
    pub(crate) admission: Option<&'a dyn Admission>,
    /// What the client is to be told besides the answer.
    pub(crate) warnings: Vec<String>,
    pending: VecDeque<Consequence>,
    /// Namespaces from which something has gone.
    namespaces: BTreeSet<CompactString>,
    /// Pods that are gone.
    pods: Vec<Key>,
    /// Namespaces in which something has changed that quotas count.
    counted: BTreeSet<CompactString>,
}

/// What is still to be looked at.
enum Consequence {
    /// An object with owners was written.
    Owned(Kind, Key),
    /// An object is being deleted.
    Ending(Kind, Key),
    /// An object is gone; its last state.
    Gone(Kind, Key, Value),
}

impl Server {
    /// Looks and changes; all that follows has happened when this returns.
    pub(crate) fn transact<T>(&self, work: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        self.transact_as("", work)
    }

    /// The same for a user of this name, whom the admission webhooks are told.
    pub(crate) fn transact_as<T>(&self, user: &str, work: impl FnOnce(&mut Transaction<'_>) -> T) -> T {
        let now = self.now();
        let (result, pods) = self.storage().with(|state| {
            let mut transaction = Transaction {
                state,
                now,
                user,
                admission: self.admission(),
                warnings: Vec::new(),
                pending: VecDeque::new(),
                namespaces: BTreeSet::new(),
                pods: Vec::new(),
                counted: BTreeSet::new(),
            };
            let result = work(&mut transaction);
            transaction.settle();
            (result, transaction.pods)
        });
        for pod in pods {
            self.logs().forget(&pod);
        }
        result
    }
}

/// The owners that an object names.
fn references(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"].as_array().into_iter().flatten()
}

fn uid_of(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// Whether an object is being deleted.
pub(crate) fn is_ending(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Whether a finalizer is there.
pub(crate) fn has_finalizer(object: &Value, name: &str) -> bool {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().any(|one| one == name)
}

/// Removes a finalizer.
pub(crate) fn drop_finalizer(object: &mut Value, name: &str) {
    retain(object, "finalizers", |one| one != name);
}

fn drop_owners(object: &mut Value, gone: impl Fn(&Value) -> bool) {
    retain(object, "ownerReferences", |one| !gone(one));
}

/// Thins out a list in the metadata; an empty one goes.
fn retain(object: &mut Value, field: &str, stays: impl Fn(&Value) -> bool) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(list) = metadata.get_mut(field).and_then(Value::as_array_mut) else { return };
    list.retain(stays);
    if list.is_empty() {
        metadata.remove(field);
    }
}

/// Whether nothing holds an object any more that is being deleted.
pub(crate) fn may_go(kind: Kind, object: &Value) -> bool {
    let empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let metadata = &object["metadata"];
    if metadata["deletionTimestamp"].is_null() || !empty(&metadata["finalizers"]) {
        return false;
    }
    if is_namespace(kind) {
        return empty(&object["spec"]["finalizers"]);
    }
    metadata["deletionGracePeriodSeconds"] == 0
}

pub(crate) fn is_namespace(kind: Kind) -> bool {
    kind.row().group.is_empty() && kind.row().plural == "namespaces"
}

impl Transaction<'_> {
    /// The object as it is now, and its value in the stored version.
    pub(crate) fn get(&self, kind: Kind, key: &Key) -> Option<(Stored, Value)> {
        let stored = self.state.get(kind, key)?;
        let value = stored.value(kind.stored_version());
        Some((stored, value))
    }

    /// Stores an object; `before` is what it replaces.
    pub(crate) fn put(&mut self, kind: Kind, key: Key, object: Value, before: Option<&Value>) -> Stored {
        if references(&object).next().is_some() {
            self.pending.push_back(Consequence::Owned(kind, key.clone()));
        }
        if is_ending(&object) {
            self.pending.push_back(Consequence::Ending(kind, key.clone()));
        }
        if let Some(before) = before
            && before["metadata"]["ownerReferences"] != object["metadata"]["ownerReferences"]
        {
            self.look_at_owners(&key, before);
        }
        self.count(kind, &key);
        meta::commit(self.state, kind, key, object, before)
    }

    /// Stores a changed object, or removes it if it was held by nothing else.
    pub(crate) fn finish(&mut self, kind: Kind, key: Key, object: Value, before: &Value) {
        if may_go(kind, &object) {
            self.remove(kind, key, object);
        } else {
            self.put(kind, key, object, Some(before));
        }
    }

    fn count(&mut self, kind: Kind, key: &Key) {
        if quota::is_counted(kind) {
            self.counted.insert(key.namespace.clone());
        }
    }

    /// Removes an object; `last` is what is seen of it last.
    pub(crate) fn remove(&mut self, kind: Kind, key: Key, mut last: Value) -> Stored {
        self.count(kind, &key);
        let resource_version = self.state.next();
        last["metadata"]["resourceVersion"] = resource_version.to_string().into();
        self.state.note_owners(kind, &key, &meta::owners(&last), &[]);
        self.pending.push_back(Consequence::Gone(kind, key.clone(), last.clone()));
        let stored = Stored { kind, key, resource_version, body: Body::of(kind, last) };
        self.state.remove(stored.clone());
        stored
    }

    /// Deletes an object, or begins to. Returns the object, and whether it is gone.
    pub(crate) fn delete(&mut self, stored: &Stored, options: &Options) -> (Stored, bool) {
        let (kind, key) = (stored.kind, stored.key.clone());
        let before = stored.value(kind.stored_version());
        match plan(kind, &before, options, self.now) {
            Plan::Nothing => (stored.clone(), false),
            Plan::Mark(object) => (self.put(kind, key, object, Some(&before)), false),
            Plan::Remove(last) => (self.remove(kind, key, last), true),
        }
    }

    fn look_at_owners(&mut self, key: &Key, object: &Value) {
        for reference in references(object) {
            if let Owner::There(kind, key, owner) = self.owner(&key.namespace, reference)
                && is_ending(&owner)
            {
                self.pending.push_back(Consequence::Ending(kind, key));
            }
        }
    }

    fn owner(&self, namespace: &str, reference: &Value) -> Owner {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let Some(kind) = Kind::of_object(text("apiVersion"), text("kind")) else { return Owner::Unknown };
        let key = Key::new(if kind.row().namespaced { namespace } else { "" }, text("name"));
        match self.get(kind, &key) {
            Some((_, owner)) if uid_of(&owner) == text("uid") => Owner::There(kind, key, owner),
            _ => Owner::Absent,
        }
    }

    /// The objects that name an object as their owner.
    fn dependents(&self, key: &Key, object: &Value) -> Vec<(Kind, Key, Value)> {
        let uid = uid_of(object);
        let mut found = self.state.dependents(uid);
        for source in self.state.sources() {
            for one in source.dependents(&key.namespace, &key.name) {
                let Some(kind) = Kind::of_plural(one.group, one.plural) else { continue };
                let place = (kind, Key::new(&one.namespace, &one.name));
                if !found.contains(&place) {
                    found.push(place);
                }
            }
        }
        let objects = found.into_iter().filter_map(|(kind, key)| {
            let (_, object) = self.get(kind, &key)?;
            let named = references(&object).any(|one| one["uid"] == uid);
            named.then_some((kind, key, object))
        });
        objects.collect()
    }

    fn settle(&mut self) {
        loop {
            if let Some(next) = self.pending.pop_front() {
                match next {
                    Consequence::Owned(kind, key) => self.owned(kind, &key),
                    Consequence::Ending(kind, key) => self.ending(kind, &key),
                    Consequence::Gone(kind, key, last) => self.gone(kind, key, &last),
                }
            } else if let Some(namespace) = self.namespaces.pop_first() {
                self.empty(&namespace);
            } else if let Some(namespace) = self.counted.pop_first() {
                quota::note(self, &namespace);
            } else {
                return;
            }
        }
    }

    /// Deletes an object whose owners are all gone, and drops the owners that are gone from one that has others.
    fn owned(&mut self, kind: Kind, key: &Key) {
        let Some((stored, object)) = self.get(kind, key) else { return };
        if is_ending(&object) {
            return;
        }
        let (mut kept, mut lost, mut waiting) = (0, Vec::new(), Vec::new());
        for reference in references(&object) {
            let uid = reference["uid"].as_str().unwrap_or_default().to_owned();
            match self.owner(&key.namespace, reference) {
                Owner::Absent => lost.push(uid),
                Owner::There(_, _, owner) if is_ending(&owner) && has_finalizer(&owner, FOREGROUND) => {
                    waiting.push(uid);
                }
                Owner::There(..) | Owner::Unknown => kept += 1,
            }
        }
        if lost.is_empty() && waiting.is_empty() {
            return;
        }
        if kept > 0 {
            let mut changed = object.clone();
            let gone: Vec<String> = lost.into_iter().chain(waiting).collect();
            drop_owners(&mut changed, |one| gone.iter().any(|uid| one["uid"] == **uid));
            self.put(kind, key.clone(), changed, Some(&object));
            return;
        }
        let foreground = !waiting.is_empty() && !self.dependents(key, &object).is_empty();
        let policy = foreground.then_some(Policy::Foreground);
        self.delete(&stored, &Options { policy, ..Options::default() });
    }

    /// Goes on with the deletion of an object.
    fn ending(&mut self, kind: Kind, key: &Key) {
        if is_namespace(kind) {
            self.namespaces.insert(key.name.clone());
            return;
        }
        let Some((_, object)) = self.get(kind, key) else { return };
        if !is_ending(&object) {
            return;
        }
        let uid = uid_of(&object).to_owned();
        if has_finalizer(&object, ORPHAN) {
            for (kind, key, before) in self.dependents(key, &object) {
                let mut changed = before.clone();
                drop_owners(&mut changed, |one| one["uid"] == *uid);
                self.put(kind, key, changed, Some(&before));
            }
            let mut freed = object.clone();
            drop_finalizer(&mut freed, ORPHAN);
            self.finish(kind, key.clone(), freed, &object);
        } else if has_finalizer(&object, FOREGROUND) {
            for (kind, key, _) in self.dependents(key, &object) {
                self.owned(kind, &key);
            }
            let blocked = self.dependents(key, &object).iter().any(|(_, _, dependent)| {
                references(dependent).any(|one| one["uid"] == *uid && one["blockOwnerDeletion"] == true)
            });
            if !blocked {
                let mut freed = object.clone();
                drop_finalizer(&mut freed, FOREGROUND);
                self.finish(kind, key.clone(), freed, &object);
            }
        }
    }

    /// Goes on with what belonged to an object that is gone.
    fn gone(&mut self, kind: Kind, key: Key, last: &Value) {
        for (kind, key, _) in self.dependents(&key, last) {
            self.owned(kind, &key);
        }
        self.look_at_owners(&key, last);
        if kind.row().namespaced {
            self.namespaces.insert(key.namespace.clone());
        }
        if kind.row().group.is_empty() && kind.row().plural == "pods" {
            self.pods.push(key);
        }
    }

    /// Deletes what is in a namespace that is being deleted, and the namespace itself when nothing is left.
    fn empty(&mut self, name: &str) {
        let Some(kind) = Kind::of_plural("", "namespaces") else { return };
        let key = Key::new("", name);
        let Some((_, namespace)) = self.get(kind, &key).filter(|(_, namespace)| is_ending(namespace)) else {
            return;
        };
        let mut left = false;
        for kind in Kind::all().filter(|kind| kind.row().namespaced) {
            let inside: Vec<Stored> =
                self.state.list(kind, Some(name), None, None).into_iter().flatten().collect();
            for object in inside {
                let (_, gone) = self.delete(&object, &Options::default());
                left |= !gone;
            }
        }
        let holds = |one: &Value| one == NAMESPACE;
        let held = namespace["spec"]["finalizers"].as_array().is_some_and(|list| list.iter().any(holds));
        if left || !(held || may_go(kind, &namespace)) {
            return;
        }
        let mut freed = namespace.clone();
        if let Some(list) = freed["spec"]["finalizers"].as_array_mut() {
            list.retain(|one| !holds(one));
            if list.is_empty() {
                freed["spec"] = Value::Object(serde_json::Map::new());
            }
        }
        self.finish(kind, key, freed, &namespace);
    }
}

/// What is found where an owner should be.
enum Owner {
    There(Kind, Key, Value),
    Absent,
    /// The server does not know its kind, and so cannot tell.
    Unknown,
}

#[cfg(test)]
mod tests;
