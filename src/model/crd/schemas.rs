//! Schemas that several fields share.

use std::collections::BTreeMap;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A number or a text, kept as it was written: `2` and `"2000m"` mean the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NumberOrText {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl std::fmt::Display for NumberOrText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl schemars::JsonSchema for NumberOrText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NumberOrText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 20})
    }
}

/// A JSON object that nothing is said about.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A list of JSON objects that nothing is said about.
pub(super) fn any_objects(_: &mut SchemaGenerator) -> Schema {
    let item = json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json_schema!({"type": "array", "maxItems": 64, "items": item})
}

/// A text that a VM cannot have.
pub(super) fn refused_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "maxLength": 4096})
}

/// Texts that a VM cannot have.
pub(super) fn refused_texts(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "maxItems": 256, "items": {"type": "string", "maxLength": 4096}})
}

/// A number that a VM cannot have.
pub(super) fn refused_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64", "minimum": i64::MIN})
}

/// A number or text that a VM cannot have.
pub(super) fn refused_number_or_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 256})
}

/// Short texts by name.
pub(super) fn texts_by_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": 1024},
    })
}

/// Texts by name, as they stand in a document.
pub(super) type Texts = BTreeMap<String, String>;
