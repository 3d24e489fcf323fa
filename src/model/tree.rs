//! A document as values, with the order in which it was written.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A value of a document. Unlike [`serde_json::Value`] it keeps the order of keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Values by their keys.
    Map(Fields),
}

/// Keys with their values, in the order of the text.
pub type Fields = Vec<(String, Tree)>;

impl Tree {
    /// The text that it is.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entry with this key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Whether two trees hold the same, in whichever order.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Map(ours), Self::Map(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().all(|(key, value)| other.get(key).is_some_and(|their| value.same(their)))
            }
            (Self::List(ours), Self::List(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(our, their)| our.same(their))
            }
            (Self::Float(ours), Self::Float(theirs)) => ours.to_bits() == theirs.to_bits(),
            _ => self == other,
        }
    }

    /// Whether JSON can say it: it has no number that is none, or without end.
    pub fn finite(&self) -> bool {
        match self {
            Self::Float(number) => number.is_finite(),
            Self::List(items) => items.iter().all(Self::finite),
            Self::Map(fields) => fields.iter().all(|(_, value)| value.finite()),
            _ => true,
        }
    }
}

impl Tree {
    /// The same as JSON. A number without a fraction is whole there, as kubectl sends it; one that JSON cannot say is null.
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => (*truth).into(),
            Self::Int(number) => (*number).into(),
            // Far below the limits of both types.
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => (*number as i64).into(),
            Self::Float(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(fields) => fields.iter().map(|(key, value)| (key.clone(), value.json())).collect(),
        }
    }
}

impl From<serde_json::Value> for Tree {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Map(fields.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Float(number) => to.serialize_f64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(fields) => {
                let mut map = to.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(key, value)| map.serialize_entry(key, value))?;
                map.end()
            }
        }
    }
}

/// Takes the entry with a key out of some fields.
pub(super) fn take(fields: &mut Fields, key: &str) -> Option<Tree> {
    let at = fields.iter().position(|(name, _)| name == key)?;
    Some(fields.remove(at).1)
}

/// Takes the entry with a key out of some fields, if it is a text.
pub(super) fn take_text(fields: &mut Fields, key: &str) -> Option<String> {
    let at = fields.iter().position(|(name, value)| name == key && value.text().is_some())?;
    match fields.remove(at).1 {
        Tree::Text(text) => Some(text),
        _ => None,
    }
}

/// Takes the entry with a key out of some fields, if it is a map.
pub(super) fn take_map(fields: &mut Fields, key: &str) -> Option<Fields> {
    let at = fields.iter().position(|(name, value)| name == key && matches!(value, Tree::Map(_)))?;
    match fields.remove(at).1 {
        Tree::Map(below) => Some(below),
        _ => None,
    }
}
