//! Image.

use bitflags::bitflags;
use serde::Deserialize;

use super::{Ready, info, kind_of};
use crate::model::{Key, Name, Time, Word};
use crate::records::values::message;
use crate::records::wire::{Bytes, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// An Image: what machines boot from, and where its golden disk is.
#[derive(Debug, Default, PartialEq)]
pub struct Image {
    /// What every object has.
    pub meta: Meta,
    /// `spec.title`.
    pub title: Option<Box<Name>>,
    /// Where it comes from: the URL, the reference, or kind and name of the object.
    pub source: Option<Box<Name>>,
    /// `status.message`, else what the condition `Ready` says while it is not True.
    pub message: Option<Box<Name>>,
    /// The object that new disks are cloned from.
    pub golden: Option<Key>,
    /// Its name, with its kind where that is known.
    pub golden_name: Option<Box<Name>>,
    /// `spec.purpose`; general if nothing is said.
    pub purpose: Word,
    /// `spec.os`.
    pub os: Word,
    /// `spec.kubernetesVersion`.
    pub kubernetes: Word,
    /// `spec.cni`.
    pub cni: Word,
    /// `spec.defaultInterface`; virtio if nothing is said.
    pub interface: Word,
    /// When its checks went well, else since when the condition `Ready` is as it is.
    pub since: Option<Time>,
    /// `status.size` in bytes.
    pub size: u64,
    /// Yes-or-no facts.
    pub flags: ImageFlags,
}

bitflags! {
    /// Yes-or-no facts about an image.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ImageFlags: u8 {
        /// New machines may use it.
        const ENABLED = 1;
        /// Everybody may use it.
        const PUBLIC = 1 << 1;
        /// Its guest runs cloud-init.
        const CLOUD_INIT = 1 << 2;
        /// Its checks went well.
        const VERIFIED = 1 << 3;
        /// Somebody has written a status.
        const SEEN = 1 << 4;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct ImageWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Option<Status<'a>>,
}
versioned!(ImageWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    title: Str<'a>,
    #[serde(borrow)]
    source: Nullable<Source<'a>>,
    #[serde(borrow)]
    purpose: Str<'a>,
    #[serde(borrow)]
    default_interface: Str<'a>,
    cloud_init: Option<bool>,
    public: Nullable<bool>,
    enabled: Option<bool>,
    #[serde(borrow)]
    os: Str<'a>,
    #[serde(borrow)]
    kubernetes_version: Str<'a>,
    #[serde(borrow)]
    cni: Str<'a>,
    #[serde(borrow)]
    golden: Option<Place<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Source<'a> {
    #[serde(borrow)]
    url: Str<'a>,
    #[serde(borrow)]
    container_disk: Str<'a>,
    #[serde(borrow)]
    snapshot: Option<Place<'a>>,
    #[serde(borrow)]
    data_source: Option<Place<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow)]
    kind: Str<'a>,
    #[serde(borrow)]
    namespace: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
}

impl Place<'_> {
    fn named(&self, kind: &str) -> Option<Box<Name>> {
        message(&format!("{kind} {}/{}", &*self.namespace, &*self.name), 300)
    }
}

impl Source<'_> {
    fn told(&self) -> Option<Box<Name>> {
        let snapshot = || self.snapshot.as_ref().and_then(|place| place.named("VolumeSnapshot"));
        let source = || self.data_source.as_ref().and_then(|place| place.named("DataSource"));
        let disk = || message(&self.container_disk, 300);
        message(&self.url, 300).or_else(disk).or_else(snapshot).or_else(source)
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    verified: Nullable<bool>,
    #[serde(borrow)]
    verified_at: Str<'a>,
    size: Bytes,
    #[serde(borrow)]
    message: Str<'a>,
    conditions: Folded<Ready>,
}

impl Record for Image {
    const KIND: Kind = Kind::Image;
    const INFO: KindInfo = KindInfo { namespaced: false, ..info("Image", "images", &["img"], "images") };
    type Wire<'de> = ImageWire<'de>;

    fn fold(wire: ImageWire<'_>) -> Self {
        let spec = &wire.spec;
        let mut flags = ImageFlags::empty();
        flags.set(ImageFlags::ENABLED, spec.enabled.unwrap_or(true));
        flags.set(ImageFlags::PUBLIC, *spec.public);
        flags.set(ImageFlags::CLOUD_INIT, spec.cloud_init.unwrap_or(true));
        flags.set(ImageFlags::SEEN, wire.status.is_some());
        let status = wire.status.unwrap_or_default();
        flags.set(ImageFlags::VERIFIED, *status.verified);
        let golden = spec.golden.as_ref();
        let key =
            |place: &Place<'_>| Some(name_key(kind_of(&place.kind)?, place.namespace.word(), &place.name));
        let or = |text: &Str<'_>, word: &str| if text.is_empty() { Word::new(word) } else { text.word() };
        let Folded(ready) = status.conditions;
        Self {
            meta: wire.metadata.fold(),
            title: message(&spec.title, 128),
            source: spec.source.told(),
            message: message(&status.message, 300).or(ready.message),
            golden: golden.and_then(key),
            golden_name: golden.and_then(|place| place.named(&place.kind)),
            purpose: or(&spec.purpose, "general"),
            os: spec.os.word(),
            kubernetes: spec.kubernetes_version.word(),
            cni: spec.cni.word(),
            interface: or(&spec.default_interface, "virtio"),
            since: status.verified_at.time().or(ready.since),
            size: status.size.0.unwrap_or(0),
            flags,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        self.golden.into_iter().for_each(link);
    }
}
