//! Objects as rows of a `Table`.

use std::collections::BTreeMap;

use bytes::BytesMut;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::body::Stored;
use super::http::Call;
use super::kinds::{Cell, Column, Kind, Path, age};
use super::read::ListMeta;
use super::refusal::Refusal;
use super::route::Format;

/// What of the object stands beside the cells of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// How the rows of a kind are made.
pub(crate) struct Columns {
    kind: Kind,
    version: &'static str,
    include: Include,
    now: Timestamp,
    cells: Vec<Source>,
}

/// Where a cell comes from.
enum Source {
    /// A path of a custom resource, and the type of the column.
    Path(Option<Path>, &'static str),
    Computed(fn(&Value, Timestamp) -> Value),
}

/// Refuses a table that cannot be made as it is asked for.
pub(crate) fn check(call: &Call) -> Result<(), Refusal> {
    let asked = call.query.get("includeObject");
    if call.format != Format::Table || matches!(asked, None | Some("None" | "Metadata" | "Object")) {
        return Ok(());
    }
    Err(Refusal::bad_request(format!(
        "Unable to convert to Table as requested: includeObject: Invalid value: {:?}: must be 'Metadata', 'Object', \
         'None', or empty",
        asked.unwrap_or_default()
    )))
}

impl Columns {
    pub(crate) fn of(call: &Call) -> Self {
        let include = match call.query.get("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        let kind = call.target.kind;
        let cells =
            if call.format == Format::Table { kind.columns().map(Source::of).collect() } else { Vec::new() };
        Self { kind, version: call.target.version, include, now: call.now, cells }
    }

    /// Appends a Table up to its rows; `]}` ends it. Watches tell the columns once only.
    pub(crate) fn head(&self, meta: &ListMeta, definitions: bool, out: &mut BytesMut) {
        let definitions: Value = match definitions {
            true => self.kind.columns().map(definition).collect(),
            false => Value::Null,
        };
        let head = format!(
            r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":{definitions},"rows":["#,
            meta.json()
        );
        out.extend_from_slice(head.as_bytes());
    }

    /// The cells of an object that has nothing but a version. Built-in kinds have none for it.
    pub(crate) fn cells_of_bookmark(&self) -> Value {
        let empty = json!({"metadata": {"name": ""}});
        let cells = self.cells.iter().filter(|_| !self.kind.row().builtin);
        cells.map(|source| source.cell(&empty, self.now)).collect()
    }

    /// Appends one row.
    pub(crate) fn row(&self, object: &Stored, out: &mut BytesMut) {
        let mut text = BytesMut::new();
        object.write_whole(self.version, &mut text);
        let parts: Parts<'_> = serde_json::from_slice(&text).unwrap_or_default();
        let needed = self.needed(&parts);
        let cells: Value = self.cells.iter().map(|source| source.cell(&needed, self.now)).collect();
        out.extend_from_slice(format!(r#"{{"cells":{cells},"object":"#).as_bytes());
        match self.include {
            Include::Nothing => out.extend_from_slice(b"null"),
            Include::Object => out.extend_from_slice(&text),
            Include::Metadata => {
                let metadata = parts.get("metadata").map_or("null", |metadata| metadata.get());
                out.extend_from_slice(
                    br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#,
                );
                out.extend_from_slice(metadata.as_bytes());
                out.extend_from_slice(b"}");
            }
        }
        out.extend_from_slice(b"}");
    }

    /// The parts of an object from which its cells are made: most of the text is something else.
    fn needed(&self, parts: &Parts<'_>) -> Value {
        let mut needed = serde_json::Map::new();
        for (name, part) in parts {
            let below: Parts<'_> = match part.get().as_bytes().first() {
                Some(b'{') => serde_json::from_str(part.get()).unwrap_or_default(),
                _ => {
                    needed.insert(name.clone(), parsed(part));
                    continue;
                }
            };
            let wanted = below.iter().filter(|(field, _)| self.needs(name, field));
            let fields = wanted.map(|(field, part)| (field.clone(), parsed(part))).collect();
            needed.insert(name.clone(), Value::Object(fields));
        }
        Value::Object(needed)
    }

    fn needs(&self, part: &str, field: &str) -> bool {
        // Nobody makes a cell of those, and they are half of an object.
        (part, field) != ("metadata", "managedFields")
            && self.cells.iter().any(|cell| match cell {
                Source::Path(None, _) => false,
                Source::Path(Some(path), _) => path.beginning().is_none_or(|begins| begins == (part, field)),
                Source::Computed(_) => true,
            })
    }
}

/// An object, or a part of one, whose fields are not parsed yet.
type Parts<'a> = BTreeMap<String, &'a RawValue>;

fn parsed(part: &RawValue) -> Value {
    serde_json::from_str(part.get()).unwrap_or_default()
}

fn definition(column: &Column) -> Value {
    let description = match (column.description, column.cell) {
        ("", Cell::Path(path)) => format!("Custom resource definition column (in JSONPath format): {path}"),
        (description, _) => description.to_owned(),
    };
    json!({
        "name": column.name, "type": column.kind, "format": column.format, "description": description,
        "priority": column.priority,
    })
}

impl Source {
    fn of(column: &Column) -> Self {
        match column.cell {
            Cell::Path(path) => Self::Path(Path::parse(path), column.kind),
            Cell::Computed(compute) => Self::Computed(compute),
        }
    }

    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        match self {
            Self::Computed(compute) => compute(object, now),
            Self::Path(path, kind) => {
                let found = path.as_ref().and_then(|path| path.first(object));
                found.map_or(Value::Null, |found| of_type(found, kind, now))
            }
        }
    }
}

/// A value of a custom resource in a column of some type; null if it is of another type.
fn of_type(value: &Value, kind: &str, now: Timestamp) -> Value {
    match (kind, value) {
        ("string", Value::Null) => "<no value>".into(),
        ("string", Value::String(_)) => value.clone(),
        ("string", _) => value.to_string().into(),
        ("integer", Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            #[expect(clippy::cast_possible_truncation, reason = "what stands behind the point is cut off")]
            (None, Some(number)) => (number as i64).into(),
            (None, None) => Value::Null,
        },
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(since) => age(since, now).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests;
