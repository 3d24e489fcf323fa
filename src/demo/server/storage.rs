//! Objects with the versions that are still known, and the changes that led to them.
//!
//! One number counts all changes, as in etcd. A list or a watch may ask for any version from the oldest kept change on;
//! what is older is forgotten, and asking for it is answered with 410. Watchers hold a position and no queue, so one that
//! does not read costs nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compact_str::CompactString;
use tokio::sync::watch;

use super::body::{Body, Stored, Synthesis};
use super::kinds::Kind;

/// How much of the past is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Changes.
    pub changes: usize,
    /// Bytes of the objects in them.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { changes: 20_000, bytes: 64 << 20 }
    }
}

/// The version of an empty cluster. Zero means "any version" to clients, and on a cluster that has started the first ones
/// are long gone.
const FIRST: u64 = 100;

/// Namespace (empty where there is none) and name: the order of lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: CompactString,
    pub(crate) name: CompactString,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Added,
    Modified,
    Deleted,
}

/// One change: the object after it (for a deletion, the last that was seen of it), and before it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) happened: Happened,
    pub(crate) object: Stored,
    pub(crate) before: Option<Stored>,
}

/// An object at some version; no body means that it was deleted.
#[derive(Clone, Debug)]
struct Version {
    resource_version: u64,
    body: Option<Body>,
}

/// Everything that is stored, behind one lock that is held for moments only.
pub(crate) struct Storage {
    state: Mutex<State>,
    newest: watch::Sender<u64>,
}

/// The inside of the storage, for as long as the lock is held.
pub(crate) struct State {
    limits: Limits,
    tables: Vec<BTreeMap<Key, Vec<Version>>>,
    /// Objects alive, by kind.
    alive: Vec<usize>,
    newest: u64,
    /// Versions up to this one are forgotten, but for the last one of each object.
    compacted: u64,
    changes: VecDeque<Change>,
    bytes: usize,
    /// Objects with owners, by the UID of each owner.
    dependents: HashMap<String, Vec<(Kind, Key)>>,
    /// Where synthetic objects come from.
    sources: Vec<Arc<dyn Synthesis>>,
}

/// A version that is not known any more, and the oldest that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forgotten {
    pub(crate) asked: u64,
    pub(crate) oldest: u64,
}

impl Storage {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State {
            limits,
            tables: (0..Kind::count()).map(|_| BTreeMap::new()).collect(),
            alive: vec![0; Kind::count()],
            newest: FIRST,
            compacted: FIRST,
            changes: VecDeque::new(),
            bytes: 0,
            dependents: HashMap::new(),
            sources: Vec::new(),
        };
        Self { state: Mutex::new(state), newest: watch::Sender::new(FIRST) }
    }

    /// Looks and changes under the lock, and wakes the watchers afterwards.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = work(&mut state);
        let newest = state.newest;
        drop(state);
        self.newest.send_if_modified(|seen| std::mem::replace(seen, newest) != newest);
        result
    }

    /// Tells of the number of the newest change, as it grows.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    /// No work leaves the state half done, so it is good even if somebody panicked with the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of the newest change.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Takes the next number; its caller stores a change under it.
    pub(crate) fn next(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }

    /// How many objects of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.alive[kind.place()]
    }

    /// The object as it is now.
    pub(crate) fn get(&self, kind: Kind, key: &Key) -> Option<Stored> {
        let version = self.tables[kind.place()].get(key)?.last()?;
        stored(kind, key, version)
    }

    /// Objects in order, at a version (none: now), after a key, of one namespace or all.
    pub(crate) fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        after: Option<&Key>,
        at: Option<u64>,
    ) -> Result<impl Iterator<Item = Stored>, Forgotten> {
        if let Some(asked) = at.filter(|asked| *asked < self.compacted) {
            return Err(Forgotten { asked, oldest: self.compacted });
        }
        let first = Key::new(namespace.unwrap_or_default(), "");
        let start = match after {
            Some(after) if *after >= first => Bound::Excluded(after.clone()),
            _ => Bound::Included(first),
        };
        let namespace = namespace.map(CompactString::from);
        Ok(self.tables[kind.place()]
            .range((start, Bound::Unbounded))
            .take_while(move |(key, _)| namespace.as_ref().is_none_or(|only| key.namespace == *only))
            .filter_map(move |(key, versions)| {
                let version = match at {
                    None => versions.last(),
                    Some(at) => versions.iter().rev().find(|version| version.resource_version <= at),
                };
                stored(kind, key, version?)
            }))
    }

    /// Changes after a version, oldest first.
    pub(crate) fn changes(&self, after: u64) -> Result<impl Iterator<Item = &Change>, Forgotten> {
        if after < self.compacted {
            return Err(Forgotten { asked: after, oldest: self.compacted });
        }
        let from = self.changes.partition_point(|change| change.object.resource_version <= after);
        Ok(self.changes.range(from..))
    }

    /// Stores an object under a number from [`State::next`] that stands in it already.
    pub(crate) fn put(&mut self, object: Stored) {
        let before = self.get(object.kind, &object.key);
        let happened = if before.is_some() { Happened::Modified } else { Happened::Added };
        self.alive[object.kind.place()] += usize::from(before.is_none());
        self.push(
            Version { resource_version: object.resource_version, body: Some(object.body.clone()) },
            &object,
        );
        self.remember(Change { happened, object, before });
    }

    /// Removes an object. `last` is the last that is seen of it, with a number from [`State::next`].
    pub(crate) fn remove(&mut self, last: Stored) {
        let Some(before) = self.get(last.kind, &last.key) else { return };
        self.alive[last.kind.place()] -= 1;
        self.push(Version { resource_version: last.resource_version, body: None }, &last);
        self.remember(Change { happened: Happened::Deleted, object: last, before: Some(before) });
    }

    /// Stores many objects of a source that nobody has to be told of, at one number for all.
    pub(crate) fn fill(
        &mut self,
        kind: Kind,
        source: &Arc<dyn Synthesis>,
        objects: impl Iterator<Item = (Key, u32)>,
    ) {
        let resource_version = self.next();
        let table = &mut self.tables[kind.place()];
        for (key, number) in objects {
            let body = Some(Body::Synthetic { source: Arc::clone(source), number });
            let before = table.insert(key, vec![Version { resource_version, body }]);
            self.alive[kind.place()] += usize::from(before.is_none());
        }
        self.sources.push(Arc::clone(source));
        self.forget(resource_version);
    }

    /// Forgets all versions but the newest of each object; watches from an older one are answered with 410.
    pub(crate) fn compact(&mut self) {
        self.forget(self.newest);
    }

    fn push(&mut self, version: Version, object: &Stored) {
        self.tables[object.kind.place()].entry(object.key.clone()).or_default().push(version);
    }

    fn remember(&mut self, change: Change) {
        self.bytes += change.object.body.held();
        self.changes.push_back(change);
        while self.changes.len() > self.limits.changes
            || self.bytes > self.limits.bytes && self.changes.len() > 1
        {
            let Some(oldest) = self.changes.front() else { return };
            self.forget(oldest.object.resource_version);
        }
    }

    fn forget(&mut self, up_to: u64) {
        self.compacted = self.compacted.max(up_to);
        while let Some(change) = self.changes.pop_front_if(|change| change.object.resource_version <= up_to) {
            self.bytes -= change.object.body.held();
            let table = &mut self.tables[change.object.kind.place()];
            let Some(versions) = table.get_mut(&change.object.key) else { continue };
            // Of what lies in the past the last version stays, because a list at a kept number may need it.
            let past = versions.partition_point(|version| version.resource_version <= up_to);
            versions.drain(..past.saturating_sub(1));
            if let [only] = versions.as_slice()
                && only.body.is_none()
                && only.resource_version <= up_to
            {
                table.remove(&change.object.key);
            }
        }
    }

    /// Where synthetic objects come from.
    pub(crate) fn sources(&self) -> &[Arc<dyn Synthesis>] {
        &self.sources
    }

    /// Who names this UID as an owner, but for synthetic objects that were never written.
    pub(crate) fn dependents(&self, owner: &str) -> Vec<(Kind, Key)> {
        self.dependents.get(owner).cloned().unwrap_or_default()
    }

    /// Notes the owners of an object that is written, in place of those it had.
    pub(crate) fn note_owners(&mut self, kind: Kind, key: &Key, before: &[String], now: &[String]) {
        for uid in before.iter().filter(|uid| !now.contains(uid)) {
            if let Some(list) = self.dependents.get_mut(uid) {
                list.retain(|(of, at)| *of != kind || at != key);
                if list.is_empty() {
                    self.dependents.remove(uid);
                }
            }
        }
        for uid in now.iter().filter(|uid| !before.contains(uid)) {
            self.dependents.entry(uid.clone()).or_default().push((kind, key.clone()));
        }
    }
}

fn stored(kind: Kind, key: &Key, version: &Version) -> Option<Stored> {
    let body = version.body.clone()?;
    Some(Stored { kind, key: key.clone(), resource_version: version.resource_version, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Kind {
        Kind::of_plural("", "pods").unwrap()
    }

    fn object(state: &mut State, name: &str, text: &'static str) -> Stored {
        let resource_version = state.next();
        let key = Key::new("shop", name);
        Stored { kind: pods(), key, resource_version, body: Body::Bytes(text.into()) }
    }

    fn listed(state: &State, at: Option<u64>) -> Vec<String> {
        let list = state.list(pods(), None, None, at).unwrap();
        list.map(|object| String::from_utf8(object.body.bytes(0).to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_list_at_an_older_version_shows_what_was_there() {
        let storage = Storage::new(Limits::default());
        storage.with(|state| {
            let first = object(state, "a", "a1");
            state.put(first.clone());
            let second = object(state, "b", "b1");
            state.put(second.clone());
            let changed = object(state, "a", "a2");
            state.put(changed.clone());
            let last = object(state, "b", "b1");
            state.remove(last.clone());
            assert_eq!(listed(state, None), ["a2"]);
            assert_eq!(listed(state, Some(second.resource_version)), ["a1", "b1"]);
            assert_eq!(listed(state, Some(changed.resource_version)), ["a2", "b1"]);
            assert_eq!(state.changes(first.resource_version).unwrap().count(), 3);
            state.compact();
            assert_eq!(listed(state, Some(last.resource_version)), ["a2"]);
            assert!(state.list(pods(), None, None, Some(changed.resource_version)).is_err());
            assert!(state.changes(changed.resource_version).is_err());
            assert_eq!(state.changes(last.resource_version).unwrap().count(), 0);
            assert_eq!(state.tables[pods().place()].len(), 1, "what was deleted is forgotten");
        });
    }

    #[test]
    fn the_past_is_bounded_in_number_and_bytes() {
        for limits in [Limits { changes: 3, bytes: 1 << 20 }, Limits { changes: 100, bytes: 8 }] {
            let storage = Storage::new(limits);
            storage.with(|state| {
                for n in 0..50 {
                    let object = object(state, if n % 2 == 0 { "a" } else { "b" }, "xx");
                    state.put(object);
                }
                assert!(state.changes.len() <= 4, "{limits:?}");
                assert!(state.tables[pods().place()].values().all(|versions| versions.len() <= 3));
                assert_eq!(listed(state, None).len(), 2);
            });
        }
    }
}
