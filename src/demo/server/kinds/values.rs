//! Reading parsed objects.

use jiff::Timestamp;
use serde_json::Value;

/// What stands for nothing in a cell.
pub(super) const NONE: &str = "<none>";

/// The value at a dotted path, unless it is null.
pub(super) fn found<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let found = path.split('.').try_fold(value, |value, part| value.get(part));
    found.filter(|value| !value.is_null())
}

/// The text at a dotted path; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    found(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a dotted path; 0 if there is none.
pub(super) fn number(value: &Value, path: &str) -> i64 {
    found(value, path).and_then(Value::as_i64).unwrap_or_default()
}

pub(super) fn flag(value: &Value, path: &str) -> bool {
    found(value, path).and_then(Value::as_bool).unwrap_or_default()
}

/// The time at a dotted path.
pub(super) fn time(value: &Value, path: &str) -> Option<Timestamp> {
    text(value, path).parse().ok()
}

/// The elements of the list at a dotted path.
pub(super) fn each<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    found(value, path).and_then(Value::as_array).into_iter().flatten()
}

/// The fields of the object at a dotted path, in the order of their names.
pub(super) fn fields<'a>(
    value: &'a Value,
    path: &str,
) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
    let fields = found(value, path).and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}

/// The text, or the other one where it is empty.
pub(super) fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}
