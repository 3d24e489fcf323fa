//! Columns of a Table.

use jiff::Timestamp;
use serde_json::Value;

/// One column, as kube-apiserver describes and fills it.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// `string`, `integer`, `date`, `boolean`, …
    pub(crate) kind: &'static str,
    pub(crate) format: &'static str,
    pub(crate) description: &'static str,
    /// 0 in the narrow form, 1 in the wide one only.
    pub(crate) priority: u8,
    pub(crate) cell: Cell,
}

/// Where a cell comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    /// A JSONPath, as definitions of custom resources have it.
    Path(&'static str),
    /// Computed from the object and the time.
    Computed(fn(&Value, Timestamp) -> Value),
}
