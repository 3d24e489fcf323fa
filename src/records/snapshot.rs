//! VolumeSnapshot.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VolumeSnapshot.
#[derive(Debug, Default, PartialEq)]
pub struct VolumeSnapshot {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VolumeSnapshotWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(VolumeSnapshotWire);

impl Record for VolumeSnapshot {
    const KIND: Kind = Kind::VolumeSnapshot;
    const INFO: KindInfo = KindInfo {
        group: "snapshot.storage.k8s.io",
        versions: &["v1"],
        name: "VolumeSnapshot",
        plural: "volumesnapshots",
        short: &["vs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VolumeSnapshotWire<'de>;

    fn fold(wire: VolumeSnapshotWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
