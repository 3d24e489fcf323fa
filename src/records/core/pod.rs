//! Pod.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Pod.
#[derive(Debug, Default, PartialEq)]
pub struct Pod {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PodWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(PodWire);

impl Record for Pod {
    const KIND: Kind = Kind::Pod;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Pod",
        plural: "pods",
        short: &["po"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = PodWire<'de>;

    fn fold(wire: PodWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
