//! DataSource.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A DataSource.
#[derive(Debug, Default, PartialEq)]
pub struct DataSource {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct DataSourceWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(DataSourceWire);

impl Record for DataSource {
    const KIND: Kind = Kind::DataSource;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataSource",
        plural: "datasources",
        short: &["das"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = DataSourceWire<'de>;

    fn fold(wire: DataSourceWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
