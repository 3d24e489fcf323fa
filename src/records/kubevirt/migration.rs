//! VirtualMachineInstanceMigration.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachineInstanceMigration.
#[derive(Debug, Default, PartialEq)]
pub struct Migration {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct MigrationWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(MigrationWire);

impl Record for Migration {
    const KIND: Kind = Kind::Migration;
    const INFO: KindInfo = KindInfo {
        group: "kubevirt.io",
        versions: &["v1", "v1alpha3"],
        name: "VirtualMachineInstanceMigration",
        plural: "virtualmachineinstancemigrations",
        short: &["vmim", "vmims", "mig"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = MigrationWire<'de>;

    fn fold(wire: MigrationWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
