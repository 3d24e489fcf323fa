//! The one table of the kinds that the server knows; nothing else in it names a kind but where its rule is its own.

mod age;
mod builtin;
mod cdi;
mod cells;
mod columns;
mod custom;
mod kubevirt;
mod path;
mod pods;
mod values;

use serde_json::{Value, json};

pub(crate) use age::age;
pub(crate) use columns::{Cell, Column};
pub(crate) use path::Path;

/// What the server knows of a kind.
#[derive(Debug)]
pub(crate) struct Row {
    /// API group; empty for the core group.
    pub(crate) group: &'static str,
    /// Versions that are served; objects are stored in the first one, which is also the preferred one.
    pub(crate) versions: &'static [&'static str],
    /// Versions that clients are warned of, and how.
    pub(crate) deprecated: &'static [(&'static str, &'static str)],
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) namespaced: bool,
    /// Whether it is part of Kubernetes itself: such objects stand in lists without `kind` and `apiVersion`.
    pub(crate) builtin: bool,
    /// Whether the status is written by itself.
    pub(crate) status: bool,
    /// Where the number of replicas stands, for kinds that scale.
    pub(crate) scale: Option<Scale>,
    /// Further sub-resources, for discovery; what they do stands in `subresource`.
    pub(crate) subresources: &'static [&'static str],
    /// What a Table shows. For custom resources the name, which comes first, is not in here; one without columns shows
    /// its age.
    pub(crate) columns: &'static [Column],
    /// Fields that a field selector may name, besides `metadata.name` and `metadata.namespace`.
    pub(crate) selectable: &'static [&'static str],
}

/// Dotted paths of the scale sub-resource.
#[derive(Debug)]
pub(crate) struct Scale {
    pub(crate) spec_replicas: &'static str,
    pub(crate) status_replicas: &'static str,
    /// Where the selector stands: as text for custom resources, as an object for Kubernetes' own.
    pub(crate) selector: &'static str,
}

/// One kind: its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind(u8);

const TABLES: [&[Row]; 4] = [builtin::ROWS, kubevirt::ROWS, cdi::ROWS, custom::ROWS];

const COUNT: usize = TABLES[0].len() + TABLES[1].len() + TABLES[2].len() + TABLES[3].len();

/// All rows of all tables in one.
static ROWS: [&Row; COUNT] = {
    let mut rows = [&TABLES[0][0]; COUNT];
    let (mut table, mut filled) = (0, 0);
    while table < TABLES.len() {
        let mut place = 0;
        while place < TABLES[table].len() {
            rows[filled] = &TABLES[table][place];
            place += 1;
            filled += 1;
        }
        table += 1;
    }
    rows
};

// A place is one byte.
const _: () = assert!(COUNT <= u8::MAX as usize);

impl Kind {
    /// All kinds, in the order of the table.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::count()).map(|place| Self(u8::try_from(place).unwrap_or(u8::MAX)))
    }

    pub(crate) const fn count() -> usize {
        COUNT
    }

    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    pub(crate) fn row(self) -> &'static Row {
        ROWS[self.place()]
    }

    /// What a Table shows of it, the name first.
    pub(crate) fn columns(self) -> impl Iterator<Item = &'static Column> {
        let row = self.row();
        let (before, after): (&[Column], &[Column]) = match (row.builtin, row.columns.is_empty()) {
            (true, _) => (&[], &[]),
            (false, false) => (&[columns::NAME], &[]),
            (false, true) => (&[columns::NAME], &[columns::AGE]),
        };
        before.iter().chain(row.columns).chain(after)
    }

    /// The kind behind a path.
    pub(crate) fn of_path(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::all().find(|kind| {
            let row = kind.row();
            row.plural == plural && row.group == group && row.versions.contains(&version)
        })
    }

    /// The kind that an object says it is of.
    pub(crate) fn of_object(api_version: &str, name: &str) -> Option<Self> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        Self::all().find(|kind| {
            let row = kind.row();
            row.kind == name && row.group == group && row.versions.contains(&version)
        })
    }

    /// The kind with this plural in this group, whatever its version.
    pub(crate) fn of_plural(group: &str, plural: &str) -> Option<Self> {
        Self::all().find(|kind| kind.row().plural == plural && kind.row().group == group)
    }

    /// `apiVersion` in one of its versions.
    pub(crate) fn api_version(self, version: &str) -> String {
        match self.row().group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        }
    }

    /// What a client is told who uses a version that will go.
    pub(crate) fn deprecation(self, version: &str) -> Option<&'static str> {
        self.row().deprecated.iter().find(|(old, _)| *old == version).map(|(_, warning)| *warning)
    }

    /// The version in which objects are stored.
    pub(crate) fn stored_version(self) -> &'static str {
        self.row().versions[0]
    }

    /// `virtualmachines.kubevirt.io`
    pub(crate) fn qualified(self) -> String {
        dotted(self.row().plural, self.row().group)
    }

    /// `VirtualMachine.kubevirt.io`
    pub(crate) fn qualified_kind(self) -> String {
        dotted(self.row().kind, self.row().group)
    }

    /// `details` of a `Status` about an object.
    pub(crate) fn details(self, name: &str) -> Value {
        let mut details = json!({"name": name, "kind": self.row().plural});
        if !self.row().group.is_empty() {
            details["group"] = self.row().group.into();
        }
        details
    }
}

fn dotted(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

#[cfg(test)]
mod tests;
