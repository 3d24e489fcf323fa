//! The object that a pane or a key is about.

use compact_str::CompactString;

use super::session::Session;
use crate::cluster::feed::Target;
use crate::cluster::watch::escape;
use crate::model::Uid;
use crate::records::Kind;
use crate::store::{Id, Store};

/// An object, as one names it on screen and finds it again on the server. A row may go while a pane about it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its UID.
    pub uid: Uid,
    /// The kind of its record.
    pub kind: Kind,
    /// The resource that it is one of.
    pub target: Target,
    /// Its namespace; empty where the kind has none.
    pub namespace: CompactString,
    /// Its name.
    pub name: CompactString,
}

impl Subject {
    /// The object of a row; `None` for rows that are no objects of the server, such as contexts.
    pub fn of(id: Id, store: &Store, session: &Session) -> Option<Self> {
        let meta = store.meta(id)?;
        Some(Self {
            uid: meta.uid,
            kind: id.kind(),
            target: session.target(id.kind())?,
            namespace: meta.namespace.as_str().into(),
            name: CompactString::from(&*meta.name),
        })
    }

    /// Its row, while there is one.
    pub fn find(&self, store: &Store) -> Option<Id> {
        store.find_of(self.kind, self.uid)
    }

    /// What people call objects of its kind, in the middle of a sentence.
    pub fn words(&self) -> &str {
        match self.kind.info().words {
            "" => &self.target.plural,
            words => words,
        }
    }

    /// `namespace/name`, or the name where there is no namespace.
    pub fn place(&self) -> CompactString {
        match self.namespace.is_empty() {
            true => self.name.clone(),
            false => compact_str::format_compact!("{}/{}", self.namespace, self.name),
        }
    }

    /// Its path on the API server.
    pub fn path(&self) -> String {
        let namespace = Some(&*self.namespace).filter(|namespace| !namespace.is_empty());
        format!("{}/{}", self.target.path(namespace), escape(&self.name))
    }
}
