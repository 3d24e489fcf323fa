//! Columns of a Table.

use jiff::Timestamp;
use serde_json::Value;

/// One column, as kube-apiserver describes and fills it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// `string`, `integer`, `date`, `boolean`, …
    pub(crate) kind: &'static str,
    /// `name` for the name, else empty.
    pub(crate) format: &'static str,
    /// What it tells; empty for columns that are described by their path.
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

/// The age of a custom resource.
pub(super) const AGE: Column = date("Age", ".metadata.creationTimestamp");

/// Text at a path of a custom resource.
pub(super) const fn text(name: &'static str, path: &'static str) -> Column {
    column(name, "string", Cell::Path(path))
}

/// A whole number at a path of a custom resource.
pub(super) const fn integer(name: &'static str, path: &'static str) -> Column {
    column(name, "integer", Cell::Path(path))
}

/// Yes or no at a path of a custom resource.
pub(super) const fn boolean(name: &'static str, path: &'static str) -> Column {
    column(name, "boolean", Cell::Path(path))
}

/// A time at a path of a custom resource, shown as the time since then.
pub(super) const fn date(name: &'static str, path: &'static str) -> Column {
    column(name, "date", Cell::Path(path))
}

/// The name of an object.
pub(super) const NAME: Column =
    Column { format: "name", ..computed("Name", "What it is called", super::cells::name) };

/// The age of an object of Kubernetes' own.
pub(super) const CREATED: Column = computed("Age", "How long ago it was created", super::cells::created);

/// Text that is made up from the object.
pub(super) const fn computed(
    name: &'static str,
    description: &'static str,
    cell: fn(&Value, Timestamp) -> Value,
) -> Column {
    column(name, "string", Cell::Computed(cell)).about(description)
}

const fn column(name: &'static str, kind: &'static str, cell: Cell) -> Column {
    Column { name, kind, format: "", description: "", priority: 0, cell }
}

impl Column {
    /// The same with a description.
    pub(super) const fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// The same as another kind of value.
    pub(super) const fn of(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// The same in the wide form only.
    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}
