//! VirtualMachinePool.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachinePool.
#[derive(Debug, Default, PartialEq)]
pub struct Pool {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PoolWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(PoolWire);

impl Record for Pool {
    const KIND: Kind = Kind::Pool;
    const INFO: KindInfo = KindInfo {
        group: "pool.kubevirt.io",
        versions: &["v1beta1", "v1alpha1"],
        name: "VirtualMachinePool",
        plural: "virtualmachinepools",
        short: &["vmpool", "vmpools"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = PoolWire<'de>;

    fn fold(wire: PoolWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
