//! What the server itself writes into the metadata of objects.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Server;
use super::body::{Body, Stored};
use super::kinds::Kind;
use super::managed::{self, Author};
use super::storage::{Key, State};

/// A new UID: 128 random bits in the form of a version 4 UUID.
pub(crate) fn new_uid() -> String {
    let bits = fastrand::u128(..);
    let text = format!("{:032x}", bits & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

/// A time as Kubernetes writes it, in whole seconds.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The UIDs of an object's owners.
pub(crate) fn owners(object: &Value) -> Vec<String> {
    let references = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    references.filter_map(|reference| reference["uid"].as_str().map(str::to_owned)).collect()
}

/// Stores an object under the next number, which is written into it, and notes its owners. `before` is what it replaces.
pub(crate) fn commit(
    state: &mut State,
    kind: Kind,
    key: Key,
    mut object: Value,
    before: Option<&Value>,
) -> Stored {
    let resource_version = state.next();
    object["metadata"]["resourceVersion"] = resource_version.to_string().into();
    state.note_owners(kind, &key, &before.map(owners).unwrap_or_default(), &owners(&object));
    let stored = Stored { kind, key, resource_version, body: Body::of(kind, object) };
    state.put(stored.clone());
    stored
}

/// Namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Makes what is in a cluster from its start.
pub(crate) fn begin(server: &Server) {
    let Some(kind) = Kind::of_plural("", "namespaces") else { return };
    let now = time(server.now());
    server.storage().with(|state| {
        for name in NAMESPACES {
            let object = json!({
                "metadata": {
                    "name": name, "uid": new_uid(), "creationTimestamp": now,
                    "labels": {"kubernetes.io/metadata.name": name},
                },
                "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
            });
            commit(state, kind, Key::new("", name), object, None);
        }
    });
}

/// An object that cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum BadObject {
    /// The server has no such kind.
    #[error("{kind} of {api_version} is not a kind of the embedded server")]
    Kind {
        /// `apiVersion` of the object.
        api_version: String,
        /// `kind` of the object.
        kind: String,
    },
    /// Every object has a name.
    #[error("an object without a name cannot be stored")]
    Name,
}

impl Server {
    /// Stores an object as it is, its status included; an object of that name is replaced. UID and time of creation are
    /// made up where they are missing. It is for those who set up a cluster; clients go through the API.
    ///
    /// # Errors
    ///
    /// [`BadObject`]
    pub fn put(&self, object: Value) -> Result<(), BadObject> {
        self.put_by("", object)
    }

    /// The same, and somebody of this name has set its fields.
    ///
    /// # Errors
    ///
    /// [`BadObject`]
    pub fn put_by(&self, manager: &str, mut object: Value) -> Result<(), BadObject> {
        let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
        let (api_version, name_of_kind) = (text("apiVersion"), text("kind"));
        let Some(kind) = Kind::of_object(&api_version, &name_of_kind) else {
            return Err(BadObject::Kind { api_version, kind: name_of_kind });
        };
        if !kind.row().builtin {
            object["apiVersion"] = kind.api_version(kind.stored_version()).into();
        }
        let now = time(self.now());
        let Some(name) = object["metadata"]["name"].as_str().map(str::to_owned) else {
            return Err(BadObject::Name);
        };
        let metadata = &mut object["metadata"];
        if metadata["uid"].is_null() {
            metadata["uid"] = new_uid().into();
        }
        if metadata["creationTimestamp"].is_null() {
            metadata["creationTimestamp"] = now.into();
        }
        let namespace =
            if kind.row().namespaced { metadata["namespace"].as_str().unwrap_or("default") } else { "" };
        let key = Key::new(namespace, &name);
        if kind.row().namespaced {
            metadata["namespace"] = key.namespace.as_str().into();
        }
        if metadata["generation"].is_null() && !kind.row().builtin {
            metadata["generation"] = 1.into();
        }
        self.storage().with(|state| {
            let before = state.get(kind, &key).map(|before| before.value(kind.stored_version()));
            let author = Author {
                name: manager,
                subresource: "",
                version: kind.stored_version(),
                now: self.now(),
                filled: Vec::new(),
            };
            managed::note(kind, before.as_ref(), &mut object, &author);
            commit(state, kind, key, object, before.as_ref());
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_look_like_uuids() {
        let uid = new_uid();
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uid}");
        assert_eq!(&uid[14..15], "4", "{uid}");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
        assert_ne!(uid, new_uid());
    }
}
