//! DataImportCron.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A DataImportCron.
#[derive(Debug, Default, PartialEq)]
pub struct ImportCron {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ImportCronWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(ImportCronWire);

impl Record for ImportCron {
    const KIND: Kind = Kind::ImportCron;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataImportCron",
        plural: "dataimportcrons",
        short: &["dic", "dics"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = ImportCronWire<'de>;

    fn fold(wire: ImportCronWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
