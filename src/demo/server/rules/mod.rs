//! What the server makes of objects before it stores them, and which it refuses.

mod builtin;
mod names;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::kinds::Kind;
use super::refusal::Refusal;
use super::schema;
use crate::model::crd;
use names::Form;

pub(crate) use builtin::returned_when_deleted;

/// How many bytes the keys and values of all annotations may have.
const ANNOTATIONS: usize = 256 << 10;

/// What is wrong with an object: reason, field, message.
#[derive(Debug, Default)]
pub(crate) struct Causes(Vec<(&'static str, String, String)>);

impl Causes {
    pub(super) fn required(&mut self, field: impl Into<String>, why: &str) {
        let text =
            if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        self.0.push(("FieldValueRequired", field.into(), text));
    }

    pub(super) fn invalid(&mut self, field: impl Into<String>, value: &str, why: &str) {
        self.0.push(("FieldValueInvalid", field.into(), format!("Invalid value: {value:?}: {why}")));
    }

    /// The same for a value that is shown as it stands in JSON.
    pub(super) fn invalid_json(&mut self, field: impl Into<String>, value: &Value, why: &str) {
        self.0.push(("FieldValueInvalid", field.into(), format!("Invalid value: {value}: {why}")));
    }

    pub(super) fn forbidden(&mut self, field: impl Into<String>, why: &str) {
        self.0.push(("FieldValueForbidden", field.into(), format!("Forbidden: {why}")));
    }

    /// A refusal, if anything is wrong.
    pub(crate) fn check(&self, kind: Kind, name: &str) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let causes: Vec<(&str, &str, String)> =
            self.0.iter().map(|(reason, field, text)| (*reason, field.as_str(), text.clone())).collect();
        Err(Refusal::invalid(kind, name, &causes))
    }
}

/// Changes the fields of a part of an object, which is made if it is missing.
pub(super) fn edit(object: &mut Value, name: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    let Some(fields) = object.as_object_mut() else { return };
    let mut part = match fields.remove(name) {
        Some(Value::Object(part)) => part,
        _ => Map::new(),
    };
    change(&mut part);
    fields.insert(name.to_owned(), Value::Object(part));
}

/// Fills in what a new object has by default. The object went through `decode`.
pub(crate) fn prepare_create(kind: Kind, object: &mut Value, now: Timestamp) -> Result<(), Refusal> {
    let row = kind.row();
    let keeps_status = row.builtin && row.plural == "nodes";
    if row.status
        && !keeps_status
        && let Some(fields) = object.as_object_mut()
    {
        fields.remove("status");
    }
    edit(object, "metadata", |metadata| {
        metadata.remove("generation");
        if !row.builtin {
            metadata.insert("generation".into(), 1.into());
        }
    });
    if row.builtin { builtin::prepare(kind, object, Some(now)) } else { Ok(()) }
}

/// Fills in what a changed object has by default.
pub(crate) fn prepare_update(kind: Kind, object: &mut Value) -> Result<(), Refusal> {
    if kind.row().builtin { builtin::prepare(kind, object, None) } else { Ok(()) }
}

/// What is wrong with an object, new or changed.
pub(crate) fn validate(kind: Kind, object: &Value, causes: &mut Causes) {
    let metadata = &object["metadata"];
    let form = form_of(kind);
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    for fault in Some(text("generateName"))
        .filter(|name| !name.is_empty())
        .map(|name| form.faults(name, true))
        .into_iter()
        .flatten()
    {
        causes.invalid("metadata.generateName", text("generateName"), &fault);
    }
    match text("name") {
        "" => causes.required("metadata.name", "name or generateName is required"),
        name => {
            for fault in form.faults(name, false) {
                causes.invalid("metadata.name", name, &fault);
            }
        }
    }
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        for fault in names::qualified(key) {
            causes.invalid("metadata.labels", key, &fault);
        }
        let value = value.as_str().unwrap_or_default();
        for fault in names::label_value(value) {
            causes.invalid("metadata.labels", value, &fault);
        }
    }
    let mut size = 0;
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        size += key.len() + value.as_str().unwrap_or_default().len();
        for fault in names::qualified(&key.to_lowercase()) {
            causes.invalid("metadata.annotations", key, &fault);
        }
    }
    if size > ANNOTATIONS {
        let why = format!("Too long: may not be more than {ANNOTATIONS} bytes");
        causes.0.push(("FieldValueTooLong", "metadata.annotations".into(), why));
    }
    validate_owners(&metadata["ownerReferences"], causes);
    validate_finalizers(&metadata["finalizers"], causes);
    if kind.row().builtin {
        builtin::validate(kind, object, causes);
    } else {
        validate_types(kind, object, causes);
    }
}

/// Kinds whose definitions have rules besides types: the rules are not looked at when a type is wrong, and that is said.
const WITH_RULES: [(&str, &str); 5] = [
    ("kubevirt.io", "virtualmachines"),
    ("kubevirt.io", "virtualmachineinstances"),
    ("kubevirt.io", "virtualmachineinstancereplicasets"),
    ("pool.kubevirt.io", "virtualmachinepools"),
    ("snapshot.storage.k8s.io", "volumesnapshots"),
];

fn validate_types(kind: Kind, object: &Value, causes: &mut Causes) {
    let found = schema::wrong(object, schema::of(kind));
    for one in &found {
        let (is, field) = (one.is, &one.field);
        let text = format!("Invalid value: {is:?}: {field} in body must be of type {}: {is:?}", one.must_be);
        causes.0.push(("FieldValueTypeInvalid", field.clone(), text));
    }
    let row = kind.row();
    if !found.is_empty() && (WITH_RULES.contains(&(row.group, row.plural)) || row.group == crd::GROUP) {
        let why = "some validation rules were not checked because the object was invalid; correct the existing errors to \
                   complete validation";
        causes.invalid_json("<nil>", &Value::Null, why);
    }
}

/// What may not be changed about an object.
pub(crate) fn validate_update(kind: Kind, old: &Value, new: &Value, causes: &mut Causes) {
    let (before, after) = (&old["metadata"], &new["metadata"]);
    // Each is told twice, as kube-apiserver has two places that look at it.
    for field in ["uid", "deletionTimestamp"] {
        if before[field] != after[field] {
            for _ in 0..2 {
                causes.invalid(
                    format!("metadata.{field}"),
                    after[field].as_str().unwrap_or_default(),
                    "field is immutable",
                );
            }
        }
    }
    if !before["deletionTimestamp"].is_null() {
        let list = |metadata: &Value| metadata["finalizers"].as_array().cloned().unwrap_or_default();
        let had = list(before);
        let new: Vec<String> =
            list(after).iter().filter(|one| !had.contains(one)).map(ToString::to_string).collect();
        if !new.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                new.join(", ")
            );
            for _ in 0..2 {
                causes.forbidden("metadata.finalizers", &why);
            }
        }
    }
    if kind.row().builtin {
        builtin::validate_update(kind, old, new, causes);
    }
}

fn form_of(kind: Kind) -> Form {
    match (kind.row().group, kind.row().plural) {
        ("", "namespaces" | "services") => Form::Label,
        ("rbac.authorization.k8s.io", _) => Form::Segment,
        _ => Form::Subdomain,
    }
}

fn validate_owners(owners: &Value, causes: &mut Causes) {
    let mut controllers: Vec<String> = Vec::new();
    for owner in owners.as_array().into_iter().flatten() {
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        for (field, why) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(field).is_empty() {
                causes.invalid(format!("metadata.ownerReferences.{field}"), "", why);
            }
        }
        if owner["controller"] == true {
            controllers.push(format!("{}/{}", text("kind"), text("name")));
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        causes.invalid_json("metadata.ownerReferences", owners, &why);
    }
}

fn validate_finalizers(finalizers: &Value, causes: &mut Causes) {
    for (place, name) in finalizers.as_array().into_iter().flatten().enumerate() {
        let name = name.as_str().unwrap_or_default();
        let faults = names::qualified(name);
        for fault in &faults {
            causes.invalid("metadata.finalizers", name, fault);
        }
        let standard = matches!(name, "orphan" | "foregroundDeletion" | "kubernetes");
        if faults.is_empty() && !standard && !name.contains('/') {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.invalid(format!("metadata.finalizers[{place}]"), name, why);
        }
    }
}

#[cfg(test)]
mod tests;
