//! VirtualMachinePreference and VirtualMachineClusterPreference: what guests of a system like, in a namespace or for all.

use serde::Deserialize;

use crate::model::Word;
use crate::records::values::Number;
use crate::records::wire::{Bytes, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// What a preference asks for and how it sets machines up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Annotation `openshift.io/display-name` or, if that is missing, label `instancetype.kubevirt.io/vendor`.
    pub about: Word,
    /// `spec.devices.preferredDiskBus`.
    pub disk_bus: Word,
    /// `spec.devices.preferredInterfaceModel`.
    pub interface: Word,
    /// `spec.machine.preferredMachineType`.
    pub machine: Word,
    /// `spec.requirements.memory.guest` in MiB; 0 if nothing is said.
    pub memory: u32,
    /// `spec.requirements.cpu.guest`; 0 if nothing is said.
    pub cpus: u16,
    /// Whether machines boot by UEFI (`spec.firmware.preferredEfi` or `preferredUseEfi`).
    pub efi: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PreferenceWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>, Annotations<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
}
versioned!(PreferenceWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "instancetype.kubevirt.io/vendor")]
    vendor: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations<'a> {
    #[serde(borrow, rename = "openshift.io/display-name")]
    display_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec<'a> {
    #[serde(borrow)]
    devices: Nullable<Devices<'a>>,
    firmware: Nullable<Firmware>,
    #[serde(borrow)]
    machine: Nullable<Machine<'a>>,
    requirements: Nullable<Requirements>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Devices<'a> {
    #[serde(borrow)]
    preferred_disk_bus: Str<'a>,
    #[serde(borrow)]
    preferred_interface_model: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Firmware {
    preferred_efi: Option<serde::de::IgnoredAny>,
    preferred_use_efi: Nullable<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Machine<'a> {
    #[serde(borrow)]
    preferred_machine_type: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Requirements {
    cpu: Nullable<Cpu>,
    memory: Nullable<Memory>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cpu {
    guest: Number,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Memory {
    guest: Bytes,
}

impl PreferenceWire<'_> {
    fn wishes(&self) -> Wishes {
        let (spec, meta) = (&self.spec, &self.metadata);
        let (display, vendor) = (&meta.annotations.display_name, &meta.labels.vendor);
        let memory = spec.requirements.memory.guest.0.unwrap_or(0) >> 20;
        Wishes {
            about: if display.is_empty() { vendor.word() } else { display.word() },
            disk_bus: spec.devices.preferred_disk_bus.word(),
            interface: spec.devices.preferred_interface_model.word(),
            machine: spec.machine.preferred_machine_type.word(),
            memory: u32::try_from(memory).unwrap_or(u32::MAX),
            cpus: spec.requirements.cpu.guest.u16(),
            efi: spec.firmware.preferred_efi.is_some() || *spec.firmware.preferred_use_efi,
        }
    }
}

/// A VirtualMachinePreference.
#[derive(Debug, Default, PartialEq)]
pub struct Preference {
    /// What every object has.
    pub meta: Meta,
    /// What it says.
    pub wishes: Wishes,
}

/// A VirtualMachineClusterPreference.
#[derive(Debug, Default, PartialEq)]
pub struct ClusterPreference {
    /// What every object has.
    pub meta: Meta,
    /// What it says.
    pub wishes: Wishes,
}

impl Record for Preference {
    const KIND: Kind = Kind::Preference;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachinePreference",
        plural: "virtualmachinepreferences",
        words: "preferences",
        short: &["vmpref", "vmprefs", "vmp", "vmps"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = PreferenceWire<'de>;

    fn fold(wire: PreferenceWire<'_>) -> Self {
        Self { wishes: wire.wishes(), meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

impl Record for ClusterPreference {
    const KIND: Kind = Kind::ClusterPreference;
    const INFO: KindInfo = KindInfo {
        group: "instancetype.kubevirt.io",
        versions: &["v1beta1"],
        name: "VirtualMachineClusterPreference",
        plural: "virtualmachineclusterpreferences",
        words: "cluster preferences",
        short: &["vmcp", "vmcps"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = PreferenceWire<'de>;

    fn fold(wire: PreferenceWire<'_>) -> Self {
        Self { wishes: wire.wishes(), meta: wire.metadata.fold() }
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
    fn wishes_are_read() {
        let all = r#"{"metadata":{"name":"fedora","labels":{"instancetype.kubevirt.io/vendor":"kubevirt.io"},
            "annotations":{"openshift.io/display-name":"Fedora (amd64)"}},
            "spec":{"devices":{"preferredDiskBus":"virtio","preferredInterfaceModel":"virtio"},"machine":{"preferredMachineType":"q35"},
            "firmware":{"preferredEfi":{"secureBoot":true}},"requirements":{"cpu":{"guest":1},"memory":{"guest":"2Gi"}}}}"#;
        let nulls = r#"{"metadata":{"name":"any","labels":{"instancetype.kubevirt.io/vendor":"kubevirt.io"}},
            "spec":{"devices":null,"firmware":{"preferredEfi":null,"preferredUseEfi":null},"requirements":{"cpu":null}}}"#;
        let cases = [
            (
                all,
                Wishes {
                    about: Word::new("Fedora (amd64)"),
                    disk_bus: Word::new("virtio"),
                    interface: Word::new("virtio"),
                    machine: Word::new("q35"),
                    memory: 2048,
                    cpus: 1,
                    efi: true,
                },
            ),
            (nulls, Wishes { about: Word::new("kubevirt.io"), ..Wishes::default() }),
        ];
        for (json, wishes) in cases {
            let one: Preference = decode(json.as_bytes()).unwrap().record;
            let all: ClusterPreference = decode(json.as_bytes()).unwrap().record;
            assert_eq!((one.wishes, all.wishes), (wishes, wishes), "{json}");
        }
    }
}
