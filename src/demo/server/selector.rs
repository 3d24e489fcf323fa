//! Label and field selectors.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::body::Stored;
use super::kinds::Kind;
use super::refusal::Refusal;
use super::route::{Query, Target};

/// Which objects a list or a watch is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    labels: Vec<LabelTerm>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelTerm {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldTerm {
    path: String,
    value: String,
    equal: bool,
}

/// The labels of an object; the rest is skipped.
#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow)]
    metadata: LabelledMetadata<'a>,
}

#[derive(Deserialize)]
struct LabelledMetadata<'a> {
    #[serde(borrow, default)]
    labels: Option<HashMap<Cow<'a, str>, Cow<'a, str>>>,
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`.
    pub(crate) fn parse(query: &Query, target: &Target) -> Result<Self, Refusal> {
        let mut selection = Self::default();
        if let Some(text) = query.get("labelSelector") {
            selection.labels = parse_labels(text)?;
        }
        if let Some(text) = query.get("fieldSelector") {
            selection.fields = parse_fields(text, target.kind)?;
        }
        Ok(selection)
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(crate) fn has(&self, object: &Stored) -> bool {
        self.fields_match(object) && self.labels_match(object)
    }

    fn labels_match(&self, object: &Stored) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let bytes = object.body.bytes(object.resource_version);
        let labels =
            serde_json::from_slice::<Labelled<'_>>(&bytes).ok().and_then(|head| head.metadata.labels);
        let labels = labels.unwrap_or_default();
        let get = |key: &str| labels.get(key).map(AsRef::as_ref);
        self.labels.iter().all(|term| match term {
            LabelTerm::In(key, values) => get(key).is_some_and(|value| values.iter().any(|one| one == value)),
            LabelTerm::NotIn(key, values) => {
                get(key).is_none_or(|value| !values.iter().any(|one| one == value))
            }
            LabelTerm::Exists(key) => get(key).is_some(),
            LabelTerm::Missing(key) => get(key).is_none(),
        })
    }

    fn fields_match(&self, object: &Stored) -> bool {
        let mut parsed: Option<Value> = None;
        self.fields.iter().all(|term| {
            let found: Cow<'_, str> = match term.path.as_str() {
                "metadata.name" => object.key.name.as_str().into(),
                "metadata.namespace" => object.key.namespace.as_str().into(),
                path => {
                    let value = parsed.get_or_insert_with(|| object.value(object.kind.stored_version()));
                    field_text(value, path).into()
                }
            };
            (found == term.value) == term.equal
        })
    }
}

/// The text or number at a dotted path; empty if there is none.
pub(crate) fn text_at(value: &Value, path: &str) -> String {
    let found = path.split('.').try_fold(value, |value, part| value.get(part));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    }
}

/// What a field selector compares: what is left out reads as Kubernetes fills it in.
fn field_text(value: &Value, path: &str) -> String {
    let found = match path {
        "source" => {
            let component = text_at(value, "source.component");
            if component.is_empty() { text_at(value, "reportingComponent") } else { component }
        }
        _ => text_at(value, path),
    };
    let is_flag = matches!(path, "spec.unschedulable" | "spec.hostNetwork");
    if found.is_empty() && is_flag { "false".into() } else { found }
}

fn parse_fields(text: &str, kind: Kind) -> Result<Vec<FieldTerm>, Refusal> {
    let mut terms = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let split = part.split_once("!=").map(|(path, value)| (path, value, false));
        let split = split.or_else(|| part.split_once("==").map(|(path, value)| (path, value, true)));
        let split = split.or_else(|| part.split_once('=').map(|(path, value)| (path, value, true)));
        let Some((path, value, equal)) = split else {
            let message = format!("invalid selector: '{text}'; can't understand '{part}'");
            return Err(Refusal::bad_request(message));
        };
        let known =
            matches!(path, "metadata.name" | "metadata.namespace") || kind.row().selectable.contains(&path);
        if !known {
            return Err(Refusal::bad_request(if kind.row().builtin && kind.row().selectable.is_empty() {
                format!(
                    "{path:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )
            } else {
                format!("field label not supported: {path}")
            }));
        }
        terms.push(FieldTerm { path: path.to_owned(), value: value.to_owned(), equal });
    }
    Ok(terms)
}

fn parse_labels(text: &str) -> Result<Vec<LabelTerm>, Refusal> {
    let wrong = |why: &str| Refusal::bad_request(format!("unable to parse requirement: {why}"));
    let mut terms = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = requirement_end(rest);
        let (part, after) = (rest[..end].trim(), &rest[end..]);
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        let term = if let Some((key, values)) = part.split_once(" notin ").map(|(k, v)| (k, v.trim())) {
            LabelTerm::NotIn(key.trim().to_owned(), set(values).ok_or_else(|| wrong(part))?)
        } else if let Some((key, values)) = part.split_once(" in ").map(|(k, v)| (k, v.trim())) {
            LabelTerm::In(key.trim().to_owned(), set(values).ok_or_else(|| wrong(part))?)
        } else if let Some((key, value)) = part.split_once("!=") {
            LabelTerm::NotIn(key.trim().to_owned(), vec![value.trim().to_owned()])
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            LabelTerm::In(key.trim().to_owned(), vec![value.trim().to_owned()])
        } else if let Some(key) = part.strip_prefix('!') {
            LabelTerm::Missing(key.trim().to_owned())
        } else {
            LabelTerm::Exists(part.to_owned())
        };
        let (LabelTerm::In(key, _)
        | LabelTerm::NotIn(key, _)
        | LabelTerm::Exists(key)
        | LabelTerm::Missing(key)) = &term;
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "()=!<>".contains(c)) {
            return Err(wrong(&format!("found '{part}', expected: identifier")));
        }
        terms.push(term);
    }
    Ok(terms)
}

/// Where the first requirement ends: at a comma that is not in parentheses.
fn requirement_end(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn set(text: &str) -> Option<Vec<String>> {
    let inside = text.strip_prefix('(')?.strip_suffix(')')?;
    Some(inside.split(',').map(|one| one.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::server::body::Body;
    use crate::demo::server::storage::Key;

    #[test]
    fn labels_choose_objects() {
        let kind = Kind::of_plural("", "pods").unwrap();
        let body = Body::Bytes(r#"{"metadata":{"labels":{"app":"web","tier":"front"}}}"#.into());
        let pod = Stored { kind, key: Key::new("shop", "a"), resource_version: 1, body };
        for (text, wanted) in [
            ("app=web", true),
            ("app==web,tier", true),
            ("app!=web", false),
            ("app in (db, web)", true),
            ("app in (db,web),tier notin (back)", true),
            ("app notin (web)", false),
            ("!app", false),
            ("!other", true),
            ("other!=x", true),
            ("other", false),
        ] {
            let selection = Selection { labels: parse_labels(text).unwrap(), fields: Vec::new() };
            assert_eq!(selection.has(&pod), wanted, "{text}");
        }
        for text in ["a in b", "=", "a b", "in (a)"] {
            assert!(parse_labels(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_choose_objects() {
        let object = |plural, text: &'static str| {
            let kind = Kind::of_plural("", plural).unwrap();
            Stored { kind, key: Key::new("shop", "a"), resource_version: 1, body: Body::Bytes(text.into()) }
        };
        let node = object("nodes", r#"{"spec":{}}"#);
        let cordoned = object("nodes", r#"{"spec":{"unschedulable":true}}"#);
        let event = object("events", r#"{"involvedObject":{"kind":"Pod"},"source":{"component":"kubelet"}}"#);
        let reported = object("events", r#"{"reportingComponent":"virt","source":{}}"#);
        for (object, text, wanted) in [
            (&node, "spec.unschedulable=false", true),
            (&node, "metadata.name=a,spec.unschedulable!=true", true),
            (&cordoned, "spec.unschedulable==true", true),
            (&cordoned, "metadata.name=b", false),
            (&event, "involvedObject.kind=Pod,source=kubelet", true),
            (&event, "reportingComponent=kubelet", false),
            (&reported, "source=virt", true),
        ] {
            let selection =
                Selection { labels: Vec::new(), fields: parse_fields(text, object.kind).unwrap() };
            assert_eq!(selection.has(object), wanted, "{text}");
        }
        for plural in ["nodes", "configmaps"] {
            assert!(parse_fields("spec.x=1", Kind::of_plural("", plural).unwrap()).is_err(), "{plural}");
        }
    }
}
