//! Fields of any object in words.

use serde_json::Value;

use super::page::Page;
use crate::text;

/// The deepest field that is told by itself; below, a value is written as JSON.
const DEEPEST: usize = 10;
/// The longest text of a value, in characters.
const LONGEST: usize = 400;

/// The name of a field as words: `runStrategy` is `Run strategy`, `podIPs` is `Pod IPs`. Names of another making stay.
pub(super) fn in_words(name: &str) -> String {
    let camel =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !camel {
        return name.to_owned();
    }
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase()
                    || after.is_some_and(char::is_ascii_lowercase) && letters.get(at + 2).is_some()
            });
        if begins {
            out.push(' ');
        }
        // The first letter of a word is small, unless the word is an abbreviation.
        let short = after.is_some_and(char::is_ascii_uppercase)
            || !begins && before.is_some_and(|c| c.is_ascii_uppercase());
        match (at, begins || before == Some(' '), short) {
            (0, ..) => out.push(c.to_ascii_uppercase()),
            (_, true, false) => out.push(c.to_ascii_lowercase()),
            _ => out.push(c),
        }
    }
    out
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether there is nothing to tell.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Whether a field is told: an empty map may mean something (`masquerade: {}`), an empty text does not.
fn says_something(value: &Value) -> bool {
    !value.is_null() && value != ""
}

/// A value that fits behind its name.
fn on_one_line(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) if fields.is_empty() => Some("{}".to_owned()),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let items: Vec<String> = items.iter().filter_map(on_one_line).collect();
            Some(text::one_line(&items.join(", "), LONGEST))
        }
        Value::Object(_) | Value::Array(_) => None,
        Value::String(text) => Some(text::one_line(text, LONGEST)),
        Value::Bool(truth) => Some((if *truth { "yes" } else { "no" }).to_owned()),
        other => Some(other.to_string()),
    }
}

/// Tells a value, field by field.
pub(super) fn tell(value: &Value, depth: usize, page: &mut Page) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(_, value)| says_something(value)) {
                tell_field(&in_words(key), value, depth, page);
            }
        }
        Value::Array(items) => {
            for item in items {
                tell_item(item, depth, page);
            }
        }
        other => page.deeper(depth, "", &on_one_line(other).unwrap_or_default()),
    }
}

fn tell_field(label: &str, value: &Value, depth: usize, page: &mut Page) {
    match on_one_line(value) {
        Some(text) => page.deeper(depth, label, &text),
        None if depth >= DEEPEST => page.deeper(depth, label, &text::one_line(&value.to_string(), LONGEST)),
        None => {
            page.deeper(depth, label, "");
            tell(value, depth + 1, page);
        }
    }
}

/// One of several: headed by what names it.
fn tell_item(item: &Value, depth: usize, page: &mut Page) {
    let Value::Object(fields) = item else {
        return tell_field("-", item, depth, page);
    };
    let named =
        ["name", "type", "key", "kind"].iter().find(|key| fields.get(**key).is_some_and(Value::is_string));
    let title = named.and_then(|key| fields[*key].as_str()).unwrap_or_default();
    page.deeper(depth, format!("- {}", text::one_line(title, LONGEST)).trim_end(), "");
    for (key, value) in
        fields.iter().filter(|(key, value)| Some(&key.as_str()) != named && says_something(value))
    {
        tell_field(&in_words(key), value, depth + 1, page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words() {
        for (name, want) in [
            ("runStrategy", "Run strategy"),
            ("podIP", "Pod IP"),
            ("podIPs", "Pod IPs"),
            ("hostIPC", "Host IPC"),
            ("clusterIPFamily", "Cluster IP family"),
            ("spec", "Spec"),
            ("x509Subject", "X509 subject"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
            ("Ready", "Ready"),
            ("", ""),
        ] {
            assert_eq!(in_words(name), want);
        }
    }
}
