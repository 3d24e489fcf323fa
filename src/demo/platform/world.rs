//! What the platform has seen of the cluster.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::kind::Kind;
use super::object::{Object, Reference};

/// The objects of the watched kinds, as they were seen last.
#[derive(Debug, Default)]
pub struct World {
    objects: BTreeMap<Reference, Object>,
    /// Objects that are gone although their watch has not said so yet, by uid.
    buried: HashSet<String>,
    refused: HashMap<Reference, Refused>,
    /// What was asked since somebody wanted to know that.
    reads: RefCell<HashSet<Read>>,
}

/// Something that a reconciler has asked, and whose answer may become another one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Read {
    /// An object, or why there is none.
    Object(Reference),
    /// The objects of a kind in a namespace.
    List(Kind, String),
    /// The objects of a kind.
    All(Kind),
    /// The objects of a kind that an object with this uid controls.
    Controlled(Kind, String),
    /// What was counted on the object with this uid, for a word.
    Counted(String, String),
}

/// An object that the server would not take.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The HTTP status.
    pub code: u16,
    /// In one word.
    pub reason: String,
    /// What the server said.
    pub message: String,
}

impl World {
    /// An object, if it is there.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object> {
        self.find(&Reference::new(kind, namespace, name))
    }

    /// An object, if it is there.
    pub fn find(&self, reference: &Reference) -> Option<&Object> {
        self.note(Read::Object(reference.clone()));
        self.objects.get(reference)
    }

    /// The objects of a kind in a namespace, by name; with an empty namespace those of a kind that has none.
    pub fn list<'a>(&'a self, kind: Kind, namespace: &'a str) -> impl Iterator<Item = &'a Object> {
        self.note(Read::List(kind, namespace.to_owned()));
        self.of(kind, namespace)
    }

    /// The objects of a kind in all namespaces.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.note(Read::All(kind));
        self.objects.values().filter(move |object| object.kind() == kind)
    }

    /// The objects of a kind that another object controls.
    pub fn controlled<'a>(&'a self, kind: Kind, owner: &'a Object) -> impl Iterator<Item = &'a Object> {
        self.note(Read::Controlled(kind, owner.uid().to_owned()));
        self.of(kind, owner.namespace()).filter(move |object| object.controller_uid() == owner.uid())
    }

    /// Why the server would not take an object when it was sent last.
    pub fn refused(&self, reference: &Reference) -> Option<&Refused> {
        self.note(Read::Object(reference.clone()));
        self.refused.get(reference)
    }

    fn of<'a>(&'a self, kind: Kind, namespace: &'a str) -> impl Iterator<Item = &'a Object> {
        let first = Reference::new(kind, namespace, "");
        let theirs = move |one: &Reference| one.kind == kind && one.namespace == namespace;
        self.objects.range(first..).take_while(move |(one, _)| theirs(one)).map(|(_, object)| object)
    }

    pub(super) fn note(&self, read: Read) {
        self.reads.borrow_mut().insert(read);
    }

    /// What was asked since this was called last.
    pub(super) fn take_reads(&self) -> HashSet<Read> {
        self.reads.take()
    }

    /// An object, if it is there, for somebody whose questions do not matter.
    pub(super) fn peek(&self, reference: &Reference) -> Option<&Object> {
        self.objects.get(reference)
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Takes in what a server sent; says whether it is news.
    pub(super) fn apply(&mut self, object: Object) -> bool {
        if self.buried.contains(object.uid()) {
            return false;
        }
        let reference = object.reference();
        self.refused.remove(&reference);
        match self.objects.get(&reference) {
            Some(known) if known.version() >= object.version() => false,
            _ => {
                self.objects.insert(reference, object);
                true
            }
        }
    }

    /// Takes in that an object is gone, as its watch said; says whether that is news.
    pub(super) fn remove(&mut self, reference: &Reference, uid: &str) -> bool {
        if self.buried.remove(uid) {
            return false;
        }
        let known = self.objects.get(reference).is_some_and(|object| object.uid() == uid);
        if known {
            self.objects.remove(reference);
        }
        known
    }

    /// Takes in that an object is gone before its watch says so.
    pub(super) fn bury(&mut self, reference: &Reference) {
        if let Some(object) = self.objects.remove(reference) {
            self.buried.insert(object.uid().to_owned());
        }
    }

    /// Forgets objects of a kind that are not among those of a new list.
    pub(super) fn retain(&mut self, kind: Kind, listed: &HashSet<String>) -> Vec<Object> {
        let is_gone = |object: &&Object| object.kind() == kind && !listed.contains(object.uid());
        let gone: Vec<Object> = self.objects.values().filter(is_gone).cloned().collect();
        for one in &gone {
            self.objects.remove(&one.reference());
        }
        self.buried.retain(|uid| listed.contains(uid));
        gone
    }

    pub(super) fn refuse(&mut self, reference: Reference, refused: Refused) {
        self.refused.insert(reference, refused);
    }

    /// The uids of everything that is there.
    pub(super) fn uids(&self) -> HashSet<&str> {
        self.objects.values().map(Object::uid).collect()
    }
}
