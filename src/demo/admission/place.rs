//! Values with their places, and what is wrong with them.

use serde_json::Value;

use super::quantity::Quantity;
use crate::demo::server::Cause;

static NOTHING: Value = Value::Null;

/// A value in an object, and how the real server calls its place.
#[derive(Clone)]
pub(super) struct Spot<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
}

impl<'a> Spot<'a> {
    pub(super) fn new(value: &'a Value, path: &str) -> Self {
        Self { value, path: path.to_owned() }
    }

    /// What stands at a dotted path below; null where nothing does.
    pub(super) fn get(&self, path: &str) -> Self {
        let value = path.split('.').try_fold(self.value, |value, field| value.get(field)).unwrap_or(&NOTHING);
        Self { value, path: self.at(path) }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let list = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        let path = self.path.clone();
        list.iter().enumerate().map(move |(place, value)| Self { value, path: format!("{path}[{place}]") })
    }

    /// The item of this name.
    pub(super) fn named(&self, name: &str) -> Option<Self> {
        self.items().find(|item| item.get("name").text() == name)
    }

    /// The place of something below.
    pub(super) fn at(&self, path: &str) -> String {
        if self.path.is_empty() { path.to_owned() } else { format!("{}.{path}", self.path) }
    }

    /// Whether there is anything.
    pub(super) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// Which of these fields are there.
    pub(super) fn set_of(&self, fields: &'static [&'static str]) -> Vec<&'static str> {
        fields.iter().copied().filter(|field| self.get(field).is_set()).collect()
    }

    /// The text; empty where there is none.
    pub(super) fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// The number; zero where there is none.
    pub(super) fn number(&self) -> i64 {
        self.value.as_i64().unwrap_or_default()
    }

    /// Whether it is `true`.
    pub(super) fn yes(&self) -> bool {
        self.value == &Value::Bool(true)
    }

    /// The amount; zero where there is none.
    pub(super) fn quantity(&self) -> Quantity {
        Quantity::of(self.value).unwrap_or_default()
    }

    /// The amount as it was written.
    pub(super) fn amount(&self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => "0".to_owned(),
        }
    }
}

/// What was found wrong.
#[derive(Default)]
pub(super) struct Causes(pub(super) Vec<Cause>);

impl Causes {
    fn add(&mut self, reason: &'static str, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Cause { reason, field: field.into(), message: message.into() });
    }

    pub(super) fn invalid(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add("FieldValueInvalid", field, message);
    }

    pub(super) fn required(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add("FieldValueRequired", field, message);
    }

    pub(super) fn unsupported(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add("FieldValueNotSupported", field, message);
    }

    pub(super) fn duplicate(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add("FieldValueDuplicate", field, message);
    }

    pub(super) fn not_found(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.add("FieldValueNotFound", field, message);
    }

    /// Told without reason and place.
    pub(super) fn plain(&mut self, message: impl Into<String>) {
        self.add("", "", message);
    }
}

/// Looks at the value at a spot.
pub(super) type Check = fn(&Spot<'_>, &mut Causes);

/// What is wrong with a name that has to be a DNS label.
pub(super) fn label_faults(name: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if name.len() > 63 {
        faults.push("must be no more than 63 characters");
    }
    if !is_label(name) {
        faults.push(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
             end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        );
    }
    faults
}

/// What is wrong with a name that has to be labels with dots between them.
pub(super) fn subdomain_faults(name: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if name.len() > 253 {
        faults.push("must be no more than 253 characters");
    }
    if !name.split('.').all(is_label) {
        faults.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        );
    }
    faults
}

fn is_label(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let (Some(first), Some(last)) = (text.bytes().next(), text.bytes().last()) else { return false };
    good(first) && good(last) && text.bytes().all(|byte| good(byte) || byte == b'-')
}

/// Six octets, as Go reads them: pairs with `:` or `-`, or fours with `.`.
pub(super) fn is_mac(text: &str) -> bool {
    let hexadecimal = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    [(':', 6, 2), ('-', 6, 2), ('.', 3, 4)].into_iter().any(|(between, count, length)| {
        let parts: Vec<&str> = text.split(between).collect();
        parts.len() == count && parts.iter().all(|part| part.len() == length && hexadecimal(part))
    })
}
