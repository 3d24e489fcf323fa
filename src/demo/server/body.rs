//! Objects as the storage keeps them: bytes, or the recipe for bytes.

use std::fmt;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::Value;

use super::kinds::Kind;
use super::storage::Key;

/// A source of many objects that are made when somebody looks at them. Such an object becomes bytes with its first write.
pub trait Synthesis: Send + Sync {
    /// Appends object `number` in its stored form (see [`Body`]) with this resource version.
    fn write(&self, number: u32, resource_version: u64, out: &mut Vec<u8>);

    /// The objects that may belong to the object of this source that has this name. Whether they do is read from them.
    fn dependents(&self, namespace: &str, name: &str) -> Vec<Address> {
        let _ = (namespace, name);
        Vec::new()
    }
}

/// Which object: its kind, where it stands and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Group of its kind.
    pub group: &'static str,
    /// Plural of its kind.
    pub plural: &'static str,
    /// Where it stands; empty for kinds without namespaces.
    pub namespace: String,
    /// What it is called.
    pub name: String,
}

/// An object in its stored form: compact JSON, in the stored version of its kind. Kinds of Kubernetes itself have no
/// `kind` and `apiVersion` in it, as in lists; custom resources begin with `{"apiVersion":"…",`.
#[derive(Clone)]
pub(crate) enum Body {
    Bytes(Bytes),
    Synthetic { source: Arc<dyn Synthesis>, number: u32 },
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Synthetic { number, .. } => write!(f, "Synthetic({number})"),
        }
    }
}

impl Body {
    /// The stored form of a whole object.
    pub(crate) fn of(kind: Kind, mut object: Value) -> Self {
        if kind.row().builtin
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("kind");
            fields.remove("apiVersion");
        }
        Self::Bytes(object.to_string().into())
    }

    /// The stored form.
    pub(crate) fn bytes(&self, resource_version: u64) -> Bytes {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Synthetic { source, number } => {
                let mut out = Vec::with_capacity(8 << 10);
                source.write(*number, resource_version, &mut out);
                out.into()
            }
        }
    }

    /// How many bytes it holds.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Synthetic { .. } => 0,
        }
    }
}

/// One version of an object, with all that is needed to show it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) kind: Kind,
    pub(crate) key: Key,
    pub(crate) resource_version: u64,
    pub(crate) body: Body,
}

impl Stored {
    /// An object that is shown and not stored.
    pub(crate) fn unsaved(kind: Kind, key: Key, object: Value) -> Self {
        Self { kind, key, resource_version: 0, body: Body::of(kind, object) }
    }

    /// The same with another content, to be shown and not stored.
    pub(crate) fn with(self, object: Value) -> Self {
        Self { body: Body::of(self.kind, object), ..self }
    }

    /// The whole object, as JSON text in this version.
    pub(crate) fn write_whole(&self, version: &str, out: &mut BytesMut) {
        let bytes = self.body.bytes(self.resource_version);
        if self.kind.row().builtin {
            out.put_slice(b"{\"kind\":\"");
            out.put_slice(self.kind.row().kind.as_bytes());
            out.put_slice(b"\",\"apiVersion\":\"");
            out.put_slice(self.kind.api_version(version).as_bytes());
            out.put_slice(b"\",");
            out.put_slice(&bytes[1..]);
        } else {
            self.write_custom(version, &bytes, out);
        }
    }

    /// The object as it stands in the items of a list.
    pub(crate) fn write_item(&self, version: &str, out: &mut BytesMut) {
        let bytes = self.body.bytes(self.resource_version);
        if self.kind.row().builtin { out.put_slice(&bytes) } else { self.write_custom(version, &bytes, out) }
    }

    /// Custom resources differ between versions in nothing but the version's name.
    fn write_custom(&self, version: &str, bytes: &[u8], out: &mut BytesMut) {
        let stored = format!("{{\"apiVersion\":\"{}\"", self.kind.api_version(self.kind.stored_version()));
        match bytes.strip_prefix(stored.as_bytes()) {
            Some(rest) if version != self.kind.stored_version() => {
                out.put_slice(b"{\"apiVersion\":\"");
                out.put_slice(self.kind.api_version(version).as_bytes());
                out.put_slice(b"\"");
                out.put_slice(rest);
            }
            _ => out.put_slice(bytes),
        }
    }

    /// The whole object, parsed, in this version.
    pub(crate) fn value(&self, version: &str) -> Value {
        let mut out = BytesMut::new();
        self.write_whole(version, &mut out);
        serde_json::from_slice(&out).unwrap_or_default()
    }
}
