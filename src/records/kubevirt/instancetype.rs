//! VirtualMachineInstancetype and VirtualMachineClusterInstancetype: the same sizes, in a namespace or for all.

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::records::values::{Length, Number};
use crate::records::wire::{Bytes, Folded, Nullable, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// What a machine of an instance type gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceSize {
    /// `spec.memory.guest` in MiB; 0 if nothing is said.
    pub memory: u32,
    /// `spec.cpu.guest`: virtual processors; 0 if nothing is said.
    pub cpus: u16,
    /// How many `spec.gpus`.
    pub gpus: u16,
    /// How many `spec.hostDevices`.
    pub host_devices: u16,
    /// Yes-or-no facts.
    pub flags: InstanceFlags,
}

bitflags! {
    /// Yes-or-no facts about an instance type.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct InstanceFlags: u8 {
        /// Each virtual processor has a real one to itself (`spec.cpu.dedicatedCPUPlacement`).
        const DEDICATED = 1;
        /// Memory is made of huge pages (`spec.memory.hugepages`).
        const HUGE_PAGES = 1 << 1;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct InstancetypeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    spec: Nullable<Spec>,
}
versioned!(InstancetypeWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    cpu: Nullable<Cpu>,
    memory: Nullable<Memory>,
    gpus: Folded<Length>,
    host_devices: Folded<Length>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cpu {
    guest: Number,
    #[serde(rename = "dedicatedCPUPlacement")]
    dedicated: Nullable<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Memory {
    guest: Bytes,
    hugepages: Option<IgnoredAny>,
}

impl Spec {
    fn size(&self) -> InstanceSize {
        let memory = self.memory.guest.0.unwrap_or(0) >> 20;
        let count = |length: &Length| u16::try_from(length.0).unwrap_or(u16::MAX);
        let mut flags = InstanceFlags::empty();
        flags.set(InstanceFlags::DEDICATED, *self.cpu.dedicated);
        flags.set(InstanceFlags::HUGE_PAGES, self.memory.hugepages.is_some());
        InstanceSize {
            memory: u32::try_from(memory).unwrap_or(u32::MAX),
            cpus: self.cpu.guest.u16(),
            gpus: count(&self.gpus),
            host_devices: count(&self.host_devices),
            flags,
        }
    }
}

/// A VirtualMachineInstancetype.
#[derive(Debug, Default, PartialEq)]
pub struct Instancetype {
    /// What every object has.
    pub meta: Meta,
    /// What its machines get.
    pub size: InstanceSize,
}

/// A VirtualMachineClusterInstancetype.
#[derive(Debug, Default, PartialEq)]
pub struct ClusterInstancetype {
    /// What every object has.
    pub meta: Meta,
    /// What its machines get.
    pub size: InstanceSize,
}

impl Record for Instancetype {
    const KIND: Kind = Kind::Instancetype;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachineInstancetype",
        plural: "virtualmachineinstancetypes",
        words: "instance types",
        short: &["vminstancetype", "vmf", "vmfs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = InstancetypeWire<'de>;

    fn fold(wire: InstancetypeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold(), size: wire.spec.size() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

impl Record for ClusterInstancetype {
    const KIND: Kind = Kind::ClusterInstancetype;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachineClusterInstancetype",
        plural: "virtualmachineclusterinstancetypes",
        words: "cluster instance types",
        short: &["vmclusterinstancetype", "vmcf", "vmcfs"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = InstancetypeWire<'de>;

    fn fold(wire: InstancetypeWire<'_>) -> Self {
        Self { meta: wire.metadata.fold(), size: wire.spec.size() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    #[test]
    fn sizes_are_read() {
        let both = InstanceFlags::all();
        let cases = [
            (r#"{"cpu":{"guest":4},"memory":{"guest":"16Gi"}}"#, (4, 16 << 10, 0, 0), InstanceFlags::empty()),
            (
                r#"{"cpu":{"guest":2,"dedicatedCPUPlacement":true},"memory":{"guest":"1Gi","hugepages":{"pageSize":"2Mi"}},
                "gpus":[{"name":"a"},{"name":"b"}],"hostDevices":[{}]}"#,
                (2, 1024, 2, 1),
                both,
            ),
            (
                r#"{"cpu":{"guest":99999999999},"memory":{"guest":null,"hugepages":null},"gpus":null}"#,
                (u16::MAX, 0, 0, 0),
                InstanceFlags::empty(),
            ),
            ("null", (0, 0, 0, 0), InstanceFlags::empty()),
        ];
        for (spec, want, flags) in cases {
            let json = format!(r#"{{"metadata":{{"name":"u1.large"}},"spec":{spec}}}"#);
            let one: Instancetype = decode(json.as_bytes()).unwrap().record;
            let all: ClusterInstancetype = decode(json.as_bytes()).unwrap().record;
            let size = one.size;
            assert_eq!((size.cpus, size.memory, size.gpus, size.host_devices), want, "{spec}");
            assert_eq!((size.flags, all.size), (flags, size), "{spec}");
        }
    }
}
