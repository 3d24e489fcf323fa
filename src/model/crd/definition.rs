//! CustomResourceDefinitions made from the types and from the rules in [`cel`](super::cel).

use kube::core::CustomResourceExt;
use schemars::schema_for;
use serde_json::{Map, Value, json};

use super::cel::{CHECKS, Check};
use super::{Image, SupportedVersion, VolumeCommand, VolumeSet, Workload};
use super::{ImageSpec, SupportedVersionSpec, VolumeCommandSpec, VolumeSetSpec, WorkloadSpec};
use super::{ImageStatus, SupportedVersionStatus, VolumeCommandStatus, VolumeSetStatus, WorkloadStatus};

/// A kind of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnKind {
    /// The kind, as `Workload`.
    pub kind: &'static str,
    /// Its name in paths.
    pub plural: &'static str,
    /// Its short name.
    pub short: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// All of them, in the order in which they are listed and installed.
pub const KINDS: [OwnKind; 5] = [
    OwnKind { kind: "Workload", plural: "workloads", short: "wl", namespaced: true },
    OwnKind { kind: "VolumeSet", plural: "volumesets", short: "vset", namespaced: true },
    OwnKind { kind: "VolumeCommand", plural: "volumecommands", short: "vcmd", namespaced: true },
    OwnKind { kind: "Image", plural: "images", short: "img", namespaced: false },
    OwnKind { kind: "SupportedVersion", plural: "supportedversions", short: "sv", namespaced: false },
];

/// The kind that somebody means: by its name in any case, its plural or its short name.
pub fn own_kind(word: &str) -> Option<&'static OwnKind> {
    let means = |kind: &&OwnKind| {
        [kind.kind, kind.plural, kind.short].iter().any(|name| name.eq_ignore_ascii_case(word))
    };
    KINDS.iter().find(means)
}

/// The CustomResourceDefinitions of all kinds.
pub fn definitions() -> Vec<Value> {
    KINDS.iter().map(|kind| definition(*kind)).collect()
}

/// The CustomResourceDefinition of a kind.
pub fn definition(kind: OwnKind) -> Value {
    let (made, spec, status) = match kind.kind {
        "Workload" => (Workload::crd(), schema_for!(WorkloadSpec), schema_for!(WorkloadStatus)),
        "VolumeSet" => (VolumeSet::crd(), schema_for!(VolumeSetSpec), schema_for!(VolumeSetStatus)),
        "VolumeCommand" => {
            (VolumeCommand::crd(), schema_for!(VolumeCommandSpec), schema_for!(VolumeCommandStatus))
        }
        "Image" => (Image::crd(), schema_for!(ImageSpec), schema_for!(ImageStatus)),
        _ => {
            (SupportedVersion::crd(), schema_for!(SupportedVersionSpec), schema_for!(SupportedVersionStatus))
        }
    };
    let mut made = serde_json::to_value(made).unwrap_or_default();
    if let Some(schema) = made.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        tidy(schema);
        describe(&mut schema["properties"]["spec"], spec.as_value(), spec.as_value());
        describe(&mut schema["properties"]["status"], status.as_value(), status.as_value());
        describe_root(schema);
        CHECKS.iter().filter(|check| check.kind == kind.kind).for_each(|check| insert(schema, check));
    }
    made
}

/// The schema of a kind, as its CustomResourceDefinition has it.
pub fn schema(kind: OwnKind) -> Value {
    let mut made = definition(kind);
    made.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").map(Value::take).unwrap_or_default()
}

/// Takes out what a type says in Rust and a server does not need: `null` as a value (the server drops nulls), formats
/// that it does not know, and the title.
fn tidy(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    object.remove("nullable");
    object.remove("title");
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(format) = object.get("format").and_then(Value::as_str)
        && !matches!(format, "date-time" | "int32" | "int64" | "double")
    {
        object.remove("format");
    }
    for number in ["minimum", "maximum"] {
        // 1 rather than 1.0, which is how people write it.
        if let Some(value) = object.get(number).and_then(Value::as_f64)
            && value.fract() == 0.0
        {
            #[expect(clippy::cast_possible_truncation, reason = "limits are small numbers")]
            object.insert(number.to_owned(), json!(value as i64));
        }
    }
    for children in ["properties", "patternProperties"] {
        if let Some(Value::Object(properties)) = object.get_mut(children) {
            properties.values_mut().for_each(tidy);
        }
    }
    for child in ["items", "additionalProperties"] {
        if let Some(child) = object.get_mut(child) {
            tidy(child);
        }
    }
}

/// Gives every field its own description. kube puts in its place that of the type, which is the same wherever it is used.
///
/// `written` is the schema of the type as schemars writes it, with references into `root`.
fn describe(made: &mut Value, written: &Value, root: &Value) {
    let written = resolved(written, root);
    for (name, field) in made.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let own = &written["properties"][name];
        if own["description"].is_string()
            && let Value::Object(field) = &mut *field
        {
            field.insert("description".into(), own["description"].clone());
        }
        describe(field, own, root);
    }
    if let Some(items) = made.get_mut("items") {
        describe(items, &written["items"], root);
    }
}

/// The schema itself where there is a reference to it, or a choice between it and `null`.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    if let Some(at) = schema["$ref"].as_str().and_then(|at| at.strip_prefix('#')) {
        return root.pointer(at).map_or(schema, |found| resolved(found, root));
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    choices
        .into_iter()
        .find(|choice| choice["type"] != "null")
        .map_or(schema, |choice| resolved(choice, root))
}

/// The fields that every object has, which the server knows by itself; described for those who read the schema.
fn describe_root(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let described = |text: &str, kind: &str| json!({"description": text, "type": kind});
    let version = format!("Always {}/{}.", super::GROUP, super::VERSION);
    properties.insert("apiVersion".into(), described(&version, "string"));
    properties.insert("kind".into(), described("The kind of the object.", "string"));
    properties.insert("metadata".into(), json!({"type": "object"}));
    if let Some(Value::Object(spec)) = properties.get_mut("spec") {
        spec.entry("description").or_insert_with(|| json!("What is wanted."));
    }
    if let Some(Value::Object(status)) = properties.get_mut("status") {
        status.insert("description".into(), json!("What is seen; filled by the controller."));
    }
}

/// Puts a rule where its path leads.
fn insert(schema: &mut Value, check: &Check) {
    let mut at = Some(schema);
    for part in check.at.split('.').filter(|part| !part.is_empty()) {
        let (name, lists) = (part.trim_end_matches("[]"), part.matches("[]").count());
        at = at.and_then(|here| here.get_mut("properties")?.get_mut(name));
        for _ in 0..lists {
            at = at.and_then(|here| here.get_mut("items"));
        }
    }
    let Some(Value::Object(here)) = at else { return };
    let mut rule = Map::new();
    rule.insert("rule".into(), json!(check.rule));
    rule.insert("message".into(), json!(check.message));
    if let Some(text) = check.text {
        rule.insert("messageExpression".into(), json!(text));
    }
    if let Some(field) = check.field {
        rule.insert("fieldPath".into(), json!(field));
    }
    let rules = here.entry("x-kubernetes-validations").or_insert_with(|| json!([]));
    if let Value::Array(rules) = rules {
        rules.push(Value::Object(rule));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `look` for a schema and everything below it, with the path that leads there.
    fn walk(path: &str, schema: &Value, look: &mut impl FnMut(&str, &Value)) {
        look(path, schema);
        for (name, below) in schema["properties"].as_object().into_iter().flatten() {
            walk(&format!("{path}.{name}"), below, look);
        }
        for (key, name) in [("items", "[]"), ("additionalProperties", "{}")] {
            if schema[key].is_object() {
                walk(&format!("{path}{name}"), &schema[key], look);
            }
        }
    }

    #[test]
    fn every_field_is_described_and_bounded() {
        let mut lacking = Vec::new();
        let mut seen = 0;
        for kind in KINDS {
            let schema = schema(kind);
            for part in ["spec", "status"] {
                let path = format!("{}.{part}", kind.kind);
                walk(&path, &schema["properties"][part], &mut |path, field| {
                    seen += 1;
                    let has = |key: &str| field.get(key).is_some();
                    let bounded = match field["type"].as_str() {
                        Some("string") => has("maxLength") || has("enum"),
                        Some("array") => has("maxItems"),
                        Some("integer" | "number") => has("minimum") || path.ends_with("port"),
                        _ => !has("additionalProperties") || has("maxProperties"),
                    };
                    let described = has("description") || path.ends_with([']', '}']);
                    if !bounded
                        || !described
                        || has("nullable")
                        || has("oneOf")
                        || has("anyOf") && !has("x-kubernetes-int-or-string")
                    {
                        lacking.push(format!("{path}: {field}"));
                    }
                });
            }
        }
        assert!(lacking.is_empty(), "{}", lacking.join("\n"));
        assert!(seen > 300, "{seen}");
    }

    #[test]
    fn every_rule_finds_its_place() {
        let count = |schema: &Value| {
            let mut count = 0;
            walk("", schema, &mut |_, field| {
                count += field["x-kubernetes-validations"].as_array().map_or(0, Vec::len);
            });
            count
        };
        let placed: usize = KINDS.iter().map(|kind| count(&schema(*kind))).sum();
        assert_eq!(placed, CHECKS.len());
    }

    #[test]
    fn kinds_are_known_by_all_their_names() {
        for kind in KINDS {
            let made = definition(kind);
            assert_eq!(made["spec"]["names"]["plural"], kind.plural);
            assert_eq!(made["spec"]["names"]["shortNames"], json!([kind.short]));
            assert_eq!(made["spec"]["names"]["kind"], kind.kind);
            assert_eq!(made["spec"]["scope"] == "Namespaced", kind.namespaced);
            for word in [kind.plural, kind.short, &kind.kind.to_lowercase()] {
                assert_eq!(own_kind(word), Some(&kind), "{word}");
            }
        }
        assert_eq!(own_kind("pod"), None);
    }
}
