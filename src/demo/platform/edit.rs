//! Changing objects: what reconcilers do to a copy before they hand it in.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::object::Object;

/// A moment as Kubernetes writes it.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Sets what stands at a JSON pointer; what is missing on the way to it is made, as objects.
pub fn set(object: &mut Value, pointer: &str, value: impl Into<Value>) {
    *place(object, pointer) = value.into();
}

/// Removes what stands at a JSON pointer.
pub fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    if let Some(parent) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
        parent.remove(&unescaped(key));
    }
}

/// The list at a JSON pointer, made where there is none.
pub fn list<'a>(object: &'a mut Value, pointer: &str) -> &'a mut Vec<Value> {
    let value = place(object, pointer);
    if !value.is_array() {
        *value = json!([]);
    }
    match value {
        Value::Array(list) => list,
        _ => unreachable!("it was made a list"),
    }
}

/// The object at a JSON pointer, made where there is none.
pub fn map_at<'a>(object: &'a mut Value, pointer: &str) -> &'a mut Map<String, Value> {
    map(place(object, pointer))
}

fn map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}

fn place<'a>(object: &'a mut Value, pointer: &str) -> &'a mut Value {
    let mut place = object;
    for part in pointer.split('/').skip(1) {
        let key = unescaped(part);
        let index: Option<usize> = key.parse().ok().filter(|index| place.get(*index).is_some());
        place = match index {
            Some(index) => &mut place[index],
            None => map(place).entry(key).or_insert(Value::Null),
        };
    }
    place
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// Sets an annotation.
pub fn annotate(object: &mut Value, key: &str, value: impl Into<String>) {
    map(map(&mut object["metadata"]).entry("annotations").or_insert(Value::Null))
        .insert(key.to_owned(), value.into().into());
}

/// Sets a label.
pub fn label(object: &mut Value, key: &str, value: impl Into<String>) {
    map(map(&mut object["metadata"]).entry("labels").or_insert(Value::Null))
        .insert(key.to_owned(), value.into().into());
}

/// Adds a finalizer where it is missing.
pub fn finalize(object: &mut Value, finalizer: &str) {
    let finalizers = list(object, "/metadata/finalizers");
    if !finalizers.iter().any(|one| one == finalizer) {
        finalizers.push(finalizer.into());
    }
}

/// Takes a finalizer away.
pub fn release(object: &mut Value, finalizer: &str) {
    if let Some(finalizers) = object.pointer_mut("/metadata/finalizers").and_then(Value::as_array_mut) {
        finalizers.retain(|one| one != finalizer);
    }
}

/// A condition as most controllers write it.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// What it is about.
    pub of: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// In one word; left out where empty.
    pub reason: &'a str,
    /// In a sentence; left out where empty.
    pub message: &'a str,
}

/// A field of a condition that every writer fills in its own way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Times {
    /// `lastProbeTime: null` and `lastTransitionTime`, as KubeVirt and Kubernetes write them.
    Probe,
    /// `lastHeartbeatTime` and `lastTransitionTime`, as CDI writes them.
    Heartbeat,
    /// `lastTransitionTime` alone.
    Transition,
}

/// Writes a condition into `status.conditions`. Its times stay as they are while status, reason and message do; `lastTransitionTime` stays while the status does.
pub fn condition(object: &mut Value, new: Condition<'_>, times: Times, now: Timestamp) {
    let conditions = list(object, "/status/conditions");
    let old = conditions.iter().position(|one| one["type"] == new.of);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut transition = Value::from(time(now));
    if let Some(old) = old.map(|index| &conditions[index])
        && old["status"] == new.status
    {
        if text(&old["reason"]) == new.reason && text(&old["message"]) == new.message {
            return;
        }
        if old["lastTransitionTime"].is_string() {
            transition = old["lastTransitionTime"].clone();
        }
    }
    let mut condition = json!({"type": new.of, "status": new.status, "lastTransitionTime": transition});
    match times {
        Times::Probe => condition["lastProbeTime"] = Value::Null,
        Times::Heartbeat => condition["lastHeartbeatTime"] = time(now).into(),
        Times::Transition => {}
    }
    for (field, value) in [("reason", new.reason), ("message", new.message)] {
        if !value.is_empty() {
            condition[field] = value.into();
        }
    }
    match old {
        Some(index) => conditions[index] = condition,
        None => conditions.push(condition),
    }
}

/// Takes a condition out of `status.conditions`.
pub fn remove_condition(object: &mut Value, of: &str) {
    if let Some(conditions) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.retain(|one| one["type"] != of);
    }
}

/// The beginning of an object of a kind.
pub fn new_object(kind: Kind, namespace: &str, name: &str) -> Value {
    let mut object =
        json!({"apiVersion": kind.api_version(), "kind": kind.row().kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    object
}

/// Makes an object the controlling owner of another.
pub fn own(owned: &mut Value, owner: &Object) {
    let reference = json!({
        "apiVersion": owner.kind().api_version(), "kind": owner.kind().row().kind, "name": owner.name(),
        "uid": owner.uid(), "controller": true, "blockOwnerDeletion": true,
    });
    list(owned, "/metadata/ownerReferences").push(reference);
}
