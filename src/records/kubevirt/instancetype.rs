//! VirtualMachineInstancetype.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachineInstancetype.
#[derive(Debug, Default, PartialEq)]
pub struct Instancetype {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct InstancetypeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(InstancetypeWire);

impl Record for Instancetype {
    const KIND: Kind = Kind::Instancetype;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachineInstancetype",
        plural: "virtualmachineinstancetypes",
        short: &["vminstancetype", "vmf", "vmfs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = InstancetypeWire<'de>;

    fn fold(wire: InstancetypeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

/// A VirtualMachineClusterInstancetype.
#[derive(Debug, Default, PartialEq)]
pub struct ClusterInstancetype {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ClusterInstancetypeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(ClusterInstancetypeWire);

impl Record for ClusterInstancetype {
    const KIND: Kind = Kind::ClusterInstancetype;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachineClusterInstancetype",
        plural: "virtualmachineclusterinstancetypes",
        short: &["vmclusterinstancetype", "vmcf", "vmcfs"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = ClusterInstancetypeWire<'de>;

    fn fold(wire: ClusterInstancetypeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
