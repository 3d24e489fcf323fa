//! VirtualMachine.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachine.
#[derive(Debug, Default, PartialEq)]
pub struct VirtinkVm {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VirtinkVmWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(VirtinkVmWire);

impl Record for VirtinkVm {
    const KIND: Kind = Kind::VirtinkVm;
    const INFO: KindInfo = KindInfo {
        group: "virt.virtink.smartx.com",
        versions: &["v1alpha1"],
        name: "VirtualMachine",
        plural: "virtualmachines",
        short: &["vm", "vms"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VirtinkVmWire<'de>;

    fn fold(wire: VirtinkVmWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
