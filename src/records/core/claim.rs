//! PersistentVolumeClaim.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A PersistentVolumeClaim.
#[derive(Debug, Default, PartialEq)]
pub struct Claim {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ClaimWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(ClaimWire);

impl Record for Claim {
    const KIND: Kind = Kind::Claim;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        short: &["pvc"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = ClaimWire<'de>;

    fn fold(wire: ClaimWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
