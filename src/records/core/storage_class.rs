//! StorageClass.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A StorageClass.
#[derive(Debug, Default, PartialEq)]
pub struct StorageClass {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct StorageClassWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(StorageClassWire);

impl Record for StorageClass {
    const KIND: Kind = Kind::StorageClass;
    const INFO: KindInfo = KindInfo {
        group: "storage.k8s.io",
        versions: &["v1"],
        name: "StorageClass",
        plural: "storageclasses",
        short: &["sc"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = StorageClassWire<'de>;

    fn fold(wire: StorageClassWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
