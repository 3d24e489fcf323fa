//! Node.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Node.
#[derive(Debug, Default, PartialEq)]
pub struct Node {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct NodeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(NodeWire);

impl Record for Node {
    const KIND: Kind = Kind::Node;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Node",
        plural: "nodes",
        short: &["no"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = NodeWire<'de>;

    fn fold(wire: NodeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
