//! Objects as rows of a `Table`.

use bytes::BytesMut;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::Stored;
use super::http::Call;
use super::kinds::{Cell, Kind};
use super::read::{ListMeta, metadata_only};

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
}

impl Columns {
    pub(crate) fn of(call: &Call) -> Self {
        let include = match call.query.get("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Self { kind: call.target.kind, version: call.target.version, include, now: call.now }
    }

    /// Appends a Table up to its rows; `]}` ends it. Watches tell the columns once only.
    pub(crate) fn head(&self, meta: &ListMeta, definitions: bool, out: &mut BytesMut) {
        let definitions = if definitions { self.definitions() } else { Value::Null };
        let head = format!(
            r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":{definitions},"rows":["#,
            meta.json()
        );
        out.extend_from_slice(head.as_bytes());
    }

    fn definitions(&self) -> Value {
        let columns = self.kind.row().columns.iter().map(|column| {
            json!({
                "name": column.name, "type": column.kind, "format": column.format,
                "description": column.description, "priority": column.priority,
            })
        });
        columns.collect()
    }

    /// Appends one row.
    pub(crate) fn row(&self, object: &Stored, out: &mut BytesMut) {
        let whole = object.value(self.version);
        let cells: Vec<Value> =
            self.kind.row().columns.iter().map(|column| cell(column.cell, &whole, self.now)).collect();
        let mut row = json!({"cells": cells});
        match self.include {
            Include::Nothing => row["object"] = Value::Null,
            Include::Metadata => row["object"] = metadata_only(object, self.version),
            Include::Object => row["object"] = whole,
        }
        out.extend_from_slice(row.to_string().as_bytes());
    }
}

fn cell(cell: Cell, object: &Value, now: Timestamp) -> Value {
    match cell {
        Cell::Path(path) => {
            let path = path.trim_start_matches('.');
            path.split('.').try_fold(object, |value, part| value.get(part)).cloned().unwrap_or_default()
        }
        Cell::Computed(compute) => compute(object, now),
    }
}
