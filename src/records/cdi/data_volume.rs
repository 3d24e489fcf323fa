//! DataVolume.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A DataVolume.
#[derive(Debug, Default, PartialEq)]
pub struct DataVolume {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct DataVolumeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(DataVolumeWire);

impl Record for DataVolume {
    const KIND: Kind = Kind::DataVolume;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataVolume",
        plural: "datavolumes",
        short: &["dv", "dvs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = DataVolumeWire<'de>;

    fn fold(wire: DataVolumeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
