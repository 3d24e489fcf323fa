//! VirtualMachineSnapshot.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachineSnapshot.
#[derive(Debug, Default, PartialEq)]
pub struct VmSnapshot {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VmSnapshotWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(VmSnapshotWire);

impl Record for VmSnapshot {
    const KIND: Kind = Kind::VmSnapshot;
    const INFO: KindInfo = KindInfo {
        group: "snapshot.kubevirt.io",
        versions: &["v1beta1", "v1alpha1"],
        name: "VirtualMachineSnapshot",
        plural: "virtualmachinesnapshots",
        short: &["vmsnapshot", "vmsnapshots"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VmSnapshotWire<'de>;

    fn fold(wire: VmSnapshotWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
