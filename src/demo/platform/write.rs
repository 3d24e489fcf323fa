//! What a reconciler wants done.

use serde_json::{Map, Value};

use super::object::{Object, Reference};

/// Something to be done on the cluster.
#[derive(Clone, Debug)]
pub enum Write {
    /// A new object. What the server says against it can be asked of the world afterwards.
    Create(Value),
    /// An object as it was seen, and as it shall be. Only the difference is sent, its status apart from the rest where the
    /// kind has it so; it is refused when somebody else was faster, and decided anew.
    Update {
        /// As it was seen.
        before: Object,
        /// As it shall be.
        after: Value,
    },
    /// An object is to go; `grace` are the seconds it has.
    Delete {
        /// Which one.
        object: Object,
        /// How many seconds it may take; as the server thinks where none.
        grace: Option<u32>,
    },
    /// A pod gets its node.
    Bind {
        /// The pod.
        pod: Object,
        /// The node's name.
        node: String,
    },
    /// An event; one that was told before is counted.
    Tell(Event),
    /// A line of a container's log.
    Log {
        /// The pod.
        pod: Reference,
        /// Its container.
        container: String,
        /// Without the line's end.
        line: String,
    },
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// The object.
    pub about: Object,
    /// `Normal` or `Warning`.
    pub level: &'static str,
    /// In one word.
    pub reason: String,
    /// In a sentence.
    pub message: String,
    /// Who says so.
    pub source: &'static str,
    /// The part of the object that is meant, as `spec.containers{compute}`; mostly empty.
    pub field: String,
}

impl Write {
    /// An object as it shall be; nothing where that is what it is.
    pub fn update(before: &Object, after: Value) -> Option<Self> {
        (before.value() != &after).then(|| Self::Update { before: before.clone(), after })
    }

    /// An object is to go, in the time the server gives it; nothing where it is going already.
    pub fn delete(object: &Object) -> Option<Self> {
        (!object.is_ending()).then(|| Self::Delete { object: object.clone(), grace: None })
    }

    /// Something that is as it should be.
    pub fn tell(about: &Object, source: &'static str, reason: &str, message: impl Into<String>) -> Self {
        Self::event(about, "Normal", source, reason, message.into())
    }

    /// Something that is not.
    pub fn warn(about: &Object, source: &'static str, reason: &str, message: impl Into<String>) -> Self {
        Self::event(about, "Warning", source, reason, message.into())
    }

    fn event(
        about: &Object,
        level: &'static str,
        source: &'static str,
        reason: &str,
        message: String,
    ) -> Self {
        let reason = reason.to_owned();
        Self::Tell(Event { about: about.clone(), level, reason, message, source, field: String::new() })
    }

    /// A line of a container's log.
    pub fn log(pod: &Object, container: &str, line: impl Into<String>) -> Self {
        Self::Log { pod: pod.reference(), container: container.to_owned(), line: line.into() }
    }
}

/// The JSON merge patch that turns one value into the other (RFC 7386); none where they are the same.
pub(super) fn difference(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return Some(without_nulls(after));
    };
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, new) in after {
        let old = before.get(key).unwrap_or(&Value::Null);
        if let Some(change) = difference(old, new) {
            patch.insert(key.clone(), change);
        }
    }
    Some(Value::Object(patch))
}

/// A merge patch cannot say null, but for "remove"; objects inside of lists are no patches and stay as they are.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let there = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

/// What has to be sent for an object to become another: the patch of the object, and that of its status where the kind
/// keeps it apart.
pub(super) fn patches(before: &Object, after: &Value) -> (Option<Value>, Option<Value>) {
    if !before.kind().row().status {
        return (difference(before.value(), after), None);
    }
    let (mut old, mut new) = (before.edit(), after.clone());
    let status =
        |whole: &mut Value| whole.as_object_mut().and_then(|map| map.remove("status")).unwrap_or_default();
    let (old_status, new_status) = (status(&mut old), status(&mut new));
    let changed = difference(&old_status, &new_status);
    (difference(&old, &new), changed.map(|patch| serde_json::json!({"status": patch})))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_leads_from_one_to_the_other() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 2}))),
            (json!({"a": 1, "b": 2}), json!({"b": 2}), Some(json!({"a": null}))),
            (
                json!({"a": {"b": 1, "c": [1]}}),
                json!({"a": {"b": 1, "c": [2]}}),
                Some(json!({"a": {"c": [2]}})),
            ),
            (json!({}), json!({"a": {"b": null, "c": 1}}), Some(json!({"a": {"c": 1}}))),
            (json!({"a": 1}), json!({"a": {"b": [{"c": null}]}}), Some(json!({"a": {"b": [{"c": null}]}}))),
        ];
        for (before, after, patch) in cases {
            assert_eq!(difference(&before, &after), patch, "{before} to {after}");
        }
    }
}
