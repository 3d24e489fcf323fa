//! Rows that no record file describes: contexts of the kubeconfig, and the server's own table of any kind.

use std::sync::Arc;

use serde::Deserialize;

use super::wire::{Versioned, WireMeta};
use super::{BadObject, Decoded, Kind, KindInfo, Meta, Record, Records};
use crate::model::{Name, Uid, Word};
use crate::text;

/// A context of the kubeconfig: a row that the program makes itself and puts into the store like any other.
#[derive(Debug, Default, PartialEq)]
pub struct Context {
    /// Its name; the UID is a hash of it.
    pub meta: Meta,
    /// The cluster it names.
    pub cluster: Word,
    /// The user it names.
    pub user: Word,
    /// The namespace it starts in.
    pub home: Word,
    /// The URL of the cluster's server.
    pub server: Word,
    /// Whether it is the one on screen.
    pub current: bool,
}

impl Context {
    /// A context with this name.
    pub fn named(name: &str) -> Self {
        let mut context = Self::default();
        context.meta.uid = Uid::hashed(name.as_bytes());
        context.meta.name = Name::new(text::clean(name));
        context
    }
}

/// Never decoded from JSON, but every record has a wire form.
#[derive(Deserialize, Default)]
pub struct NotServed {}

impl Versioned for NotServed {
    fn version(&self) -> &str {
        ""
    }
}

impl Record for Context {
    const KIND: Kind = Kind::Context;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &[],
        name: "Context",
        plural: "contexts",
        words: "contexts",
        short: &["ctx"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = NotServed;

    fn fold(_: NotServed) -> Self {
        Self::default()
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// A row of the server's own table, of whatever kind was asked for.
#[derive(Debug, Default, PartialEq)]
pub struct Other {
    /// What every object has.
    pub meta: Meta,
    /// The cells, in the order of the table's columns.
    pub cells: Box<[TableCell]>,
}

/// One cell of a server's table.
#[derive(Clone, Debug, PartialEq)]
pub enum TableCell {
    /// Text, made safe to show.
    Text(Name),
    /// A number.
    Number(f64),
    /// Nothing.
    Empty,
}

/// One column of a server's table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TableColumn {
    /// Its title as the server writes it.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    #[serde(rename = "type", default)]
    pub of: String,
    /// Above 0: shown only in the wide form.
    #[serde(default)]
    pub priority: i32,
}

/// The columns of the table that the store holds, shared with whoever draws it.
pub type TableColumns = Arc<[TableColumn]>;

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct RowWire<'a> {
    cells: Vec<serde_json::Value>,
    #[serde(borrow)]
    object: RowObject<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RowObject<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}

impl Versioned for RowWire<'_> {
    fn version(&self) -> &str {
        &self.object.metadata.resource_version
    }
}

/// What a watch of a table sends: a table of one row.
#[derive(Deserialize, Default)]
#[serde(default)]
struct OneRow<'a> {
    #[serde(borrow)]
    rows: Vec<RowWire<'a>>,
}

impl Record for Other {
    const KIND: Kind = Kind::Other;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &[],
        name: "",
        plural: "",
        words: "",
        short: &[],
        namespaced: true,
        partners: &[],
    };
    const LIST_KEY: &'static str = "rows";
    type Wire<'de> = RowWire<'de>;

    fn fold(wire: RowWire<'_>) -> Self {
        let cells = wire.cells.into_iter().map(|cell| match cell {
            serde_json::Value::Null => TableCell::Empty,
            serde_json::Value::String(text) => TableCell::Text(Name::new(text::clean(&text))),
            serde_json::Value::Number(number) => number.as_f64().map_or(TableCell::Empty, TableCell::Number),
            other => TableCell::Text(Name::new(text::one_line(&other.to_string(), 200))),
        });
        Self { cells: cells.collect(), meta: wire.object.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn decode_event(object: &[u8]) -> Result<Decoded<Self>, BadObject> {
        let table: OneRow<'_> = serde_json::from_slice(object)?;
        let wire =
            table.rows.into_iter().next().ok_or_else(|| BadObject("a table event without a row".into()))?;
        let version = Name::new(wire.version());
        Ok(Decoded { record: Self::fold(wire), version })
    }
}

impl From<Context> for Records {
    fn from(context: Context) -> Self {
        Self::Context(vec![context])
    }
}
