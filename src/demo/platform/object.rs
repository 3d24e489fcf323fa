//! An object of the cluster, and how reconcilers read it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::kind::Kind;

/// Which object is meant. The order is that of a pass: by namespace, in it by kind.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference {
    /// Empty where the kind has none.
    pub namespace: String,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub name: String,
}

impl Reference {
    /// An object in a namespace, or in none where that is empty.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind, name: name.to_owned() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.row().plural, self.namespace, self.name)
    }
}

/// An object as it was seen last. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Object {
    kind: Kind,
    value: Arc<Value>,
}

const NOTHING: Value = Value::Null;

impl Object {
    /// What a server sent, without what nobody asks here: who has set which field.
    pub fn new(kind: Kind, mut value: Value) -> Self {
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Self { kind, value: Arc::new(value) }
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The whole of it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// A copy to be changed.
    pub fn edit(&self) -> Value {
        Value::clone(&self.value)
    }

    /// Which one it is.
    pub fn reference(&self) -> Reference {
        Reference::new(self.kind, self.namespace(), self.name())
    }

    /// What stands at a JSON pointer; null where nothing does.
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&NOTHING)
    }

    /// The text at a JSON pointer; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The whole number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.at(pointer).as_i64()
    }

    /// Whether `true` stands at a JSON pointer.
    pub fn flag(&self, pointer: &str) -> bool {
        self.at(pointer) == &Value::Bool(true)
    }

    /// The elements of the list at a JSON pointer; none where there is no list.
    pub fn list(&self, pointer: &str) -> &[Value] {
        self.at(pointer).as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Where it lives.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// Which of those that bore the name it is.
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// How often its specification was changed.
    pub fn generation(&self) -> i64 {
        self.number("/metadata/generation").unwrap_or_default()
    }

    /// The resource version as a number; 0 where it is none.
    pub fn version(&self) -> u64 {
        self.text("/metadata/resourceVersion").parse().unwrap_or_default()
    }

    /// `status.phase`.
    pub fn phase(&self) -> &str {
        self.text("/status/phase")
    }

    /// An annotation; empty where there is none.
    pub fn annotation(&self, key: &str) -> &str {
        self.value["metadata"]["annotations"][key].as_str().unwrap_or_default()
    }

    /// A label; empty where there is none.
    pub fn label(&self, key: &str) -> &str {
        self.value["metadata"]["labels"][key].as_str().unwrap_or_default()
    }

    /// Whether it has been deleted and waits for its finalizers.
    pub fn is_ending(&self) -> bool {
        !self.at("/metadata/deletionTimestamp").is_null()
    }

    /// Whether somebody wants to do something before it goes.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.list("/metadata/finalizers").iter().any(|one| one == finalizer)
    }

    /// A condition of its status.
    pub fn condition(&self, of: &str) -> Option<&Value> {
        self.list("/status/conditions").iter().find(|one| one["type"] == of)
    }

    /// Whether a condition of its status holds.
    pub fn is(&self, condition: &str) -> bool {
        self.condition(condition).is_some_and(|one| one["status"] == "True")
    }

    /// The owner that controls it, as an owner reference.
    pub fn controller(&self) -> Option<&Value> {
        self.list("/metadata/ownerReferences").iter().find(|one| one["controller"] == true)
    }

    /// The uid of the owner that controls it; empty without one.
    pub fn controller_uid(&self) -> &str {
        self.controller().and_then(|one| one["uid"].as_str()).unwrap_or_default()
    }

    /// Whether another object owns it, as controller or not.
    pub fn is_owned_by(&self, owner: &Self) -> bool {
        self.list("/metadata/ownerReferences").iter().any(|one| one["uid"] == owner.uid())
    }
}
