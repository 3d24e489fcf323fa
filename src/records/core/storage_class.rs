//! StorageClass.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::Word;
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A StorageClass: how volumes are made.
#[derive(Debug, Default, PartialEq)]
pub struct StorageClass {
    /// What every object has.
    pub meta: Meta,
    /// `provisioner`: the name of the CSI driver, or of something older.
    pub provisioner: Word,
    /// `reclaimPolicy`: Delete or Retain.
    pub reclaim: Word,
    /// `volumeBindingMode`.
    pub binding: BindingMode,
    /// Yes-or-no facts.
    pub flags: StorageClassFlags,
}

/// When a volume is made for a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BindingMode {
    /// At once (`Immediate`, which is also meant where nothing is said).
    #[default]
    Immediate,
    /// When a pod that uses the claim is scheduled (`WaitForFirstConsumer`).
    FirstConsumer,
}

impl BindingMode {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "Immediate",
            Self::FirstConsumer => "WaitForFirstConsumer",
        }
    }
}

bitflags! {
    /// Yes-or-no facts about a StorageClass.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct StorageClassFlags: u8 {
        /// Used by claims that name no class.
        const DEFAULT = 1;
        /// Used by disks of virtual machines that name no class.
        const VIRT_DEFAULT = 1 << 1;
        /// Its volumes can grow (`allowVolumeExpansion`).
        const EXPANDS = 1 << 2;
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageClassWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, serde::de::IgnoredAny, Annotations<'a>>,
    #[serde(borrow)]
    provisioner: Str<'a>,
    #[serde(borrow)]
    reclaim_policy: Str<'a>,
    #[serde(borrow)]
    volume_binding_mode: Str<'a>,
    allow_volume_expansion: Nullable<bool>,
}
versioned!(StorageClassWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations<'a> {
    #[serde(borrow, rename = "storageclass.kubernetes.io/is-default-class")]
    default: Str<'a>,
    #[serde(borrow, rename = "storageclass.beta.kubernetes.io/is-default-class")]
    beta_default: Str<'a>,
    #[serde(borrow, rename = "storageclass.kubevirt.io/is-default-virt-class")]
    virt_default: Str<'a>,
}

impl Record for StorageClass {
    const KIND: Kind = Kind::StorageClass;
    const INFO: KindInfo = KindInfo {
        group: "storage.k8s.io",
        versions: &["v1"],
        name: "StorageClass",
        plural: "storageclasses",
        words: "storage classes",
        short: &["sc"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = StorageClassWire<'de>;

    fn fold(wire: StorageClassWire<'_>) -> Self {
        let marks = &wire.metadata.annotations;
        let mut flags = StorageClassFlags::empty();
        flags.set(StorageClassFlags::DEFAULT, &*marks.default == "true" || &*marks.beta_default == "true");
        flags.set(StorageClassFlags::VIRT_DEFAULT, &*marks.virt_default == "true");
        flags.set(StorageClassFlags::EXPANDS, *wire.allow_volume_expansion);
        let binding = match &*wire.volume_binding_mode {
            "WaitForFirstConsumer" => BindingMode::FirstConsumer,
            _ => BindingMode::Immediate,
        };
        Self {
            provisioner: wire.provisioner.word(),
            reclaim: wire.reclaim_policy.word(),
            binding,
            flags,
            meta: wire.metadata.fold(),
        }
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
    fn classes_are_read() {
        let cases = [
            (
                r#"{"metadata":{"name":"fast","annotations":{"storageclass.kubernetes.io/is-default-class":"true",
                "storageclass.kubevirt.io/is-default-virt-class":"true"}},"provisioner":"rook-ceph.rbd.csi.ceph.com",
                "reclaimPolicy":"Delete","volumeBindingMode":"WaitForFirstConsumer","allowVolumeExpansion":true}"#,
                "rook-ceph.rbd.csi.ceph.com",
                BindingMode::FirstConsumer,
                StorageClassFlags::all(),
            ),
            (
                r#"{"metadata":{"name":"old","annotations":{"storageclass.kubernetes.io/is-default-class":"false"}},
                "provisioner":"p","allowVolumeExpansion":null,"volumeBindingMode":null}"#,
                "p",
                BindingMode::Immediate,
                StorageClassFlags::empty(),
            ),
            (
                r#"{"metadata":{"name":"none","annotations":null}}"#,
                "",
                BindingMode::Immediate,
                StorageClassFlags::empty(),
            ),
        ];
        for (json, provisioner, binding, flags) in cases {
            let class: StorageClass = decode(json.as_bytes()).unwrap().record;
            assert_eq!(&*class.provisioner, provisioner, "{json}");
            assert_eq!((class.binding, class.flags), (binding, flags), "{json}");
        }
    }
}
