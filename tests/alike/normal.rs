//! Answers made comparable: what each server makes up is replaced by what it stands for.

use std::collections::HashMap;

use serde_json::Value;

/// What was made up in a story so far, and what it is called instead.
pub(super) struct Names {
    namespace: String,
    known: HashMap<String, String>,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), known: HashMap::new() }
    }

    /// Replaces UIDs, and the versions of each object, by the order in which they came up, times and tokens by a word.
    pub(super) fn normal(&mut self, mut answer: Value) -> Value {
        self.learn(&answer);
        self.walk("", &mut answer);
        answer
    }

    fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let text =
                    |key: &str| fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
                if let Some(uid) = text("uid") {
                    let of = self.name("UID", uid);
                    if let Some(version) = text("resourceVersion") {
                        self.name(&format!("VERSION of {of}"), version);
                    }
                }
                fields.values().for_each(|value| self.learn(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.learn(value)),
            _ => {}
        }
    }

    fn walk(&self, key: &str, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::Array(authors)) = fields.get_mut("managedFields") {
                    // In the order of their times, and these are the same here and others there.
                    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
                    authors.sort_by_key(|one| (text(one, "manager"), text(one, "subresource")));
                }
                // That of a list is that of the whole server, which has others to serve.
                if !fields.contains_key("uid")
                    && let Some(version) = fields.get_mut("resourceVersion")
                    && !matches!(version.as_str(), None | Some("" | "0"))
                {
                    *version = "VERSION".into();
                }
                for (key, value) in fields.iter_mut() {
                    self.walk(key, value);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(key, value)),
            Value::String(text) => *text = self.text(key, text),
            _ => {}
        }
    }

    fn text(&self, key: &str, text: &str) -> String {
        match key {
            _ if text.is_empty() || text == "0" => return text.to_owned(),
            "resourceVersion" => return self.known.get(text).map_or("VERSION", String::as_str).to_owned(),
            "continue" => return "TOKEN".into(),
            _ if is_time(text) => return "TIME".into(),
            _ if is_age(text) => return "AGE".into(),
            _ => {}
        }
        let mut text = text.replace(&self.namespace, "NAMESPACE");
        for (made_up, name) in self.known.iter().filter(|(made_up, _)| made_up.len() > 20) {
            text = text.replace(made_up, name);
        }
        if text.contains("resource version") {
            let digits = |c: char| c.is_ascii_digit();
            let number = |word: &str| {
                let number = word.trim_matches(|c: char| !digits(c));
                if number.len() >= 2 { word.replace(number, "N") } else { word.to_owned() }
            };
            text = text.split(' ').map(number).collect::<Vec<_>>().join(" ");
        }
        text
    }

    fn name(&mut self, what: &str, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let count = self
            .known
            .values()
            .filter(|name| name.rsplit_once('-').is_some_and(|(of, _)| of == what))
            .count();
        let name = format!("{what}-{}", count + 1);
        self.known.insert(text.to_owned(), name.clone());
        name
    }
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && text.ends_with('Z')
}

/// `5s`, `3m2s`, `2d`
fn is_age(text: &str) -> bool {
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b's' | b'm' | b'h' | b'd' | b'y' if digits > 0 => digits = 0,
            _ => return false,
        }
    }
    digits == 0
}

#[test]
fn what_is_made_up_gets_a_name() {
    let mut names = Names::new("alike-1");
    let answer = serde_json::json!({
        "metadata": {"uid": "6dd6e6a1-2a1f-4a39-8c10-1f1f1f1f1f1f", "resourceVersion": "312", "namespace": "alike-1",
            "creationTimestamp": "2026-01-01T10:00:00Z", "managedFields": [
                {"manager": "b"}, {"manager": "a", "time": "2026-01-01T10:00:00Z"}]},
        "message": "uid 6dd6e6a1-2a1f-4a39-8c10-1f1f1f1f1f1f: too old resource version: 312 (400)",
        "cells": ["web", "3m2s", 5],
    });
    let normal = names.normal(answer);
    assert_eq!(normal["metadata"]["uid"], "UID-1");
    assert_eq!(normal["metadata"]["resourceVersion"], "VERSION of UID-1-1");
    assert_eq!(
        normal["metadata"]["managedFields"],
        serde_json::json!([{"manager": "a", "time": "TIME"}, {"manager": "b"}])
    );
    assert_eq!(normal["metadata"]["namespace"], "NAMESPACE");
    assert_eq!(normal["cells"], serde_json::json!(["web", "AGE", 5]));
    assert_eq!(normal["message"], "uid UID-1: too old resource version: N (N)");
}
