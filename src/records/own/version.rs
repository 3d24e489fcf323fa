//! SupportedVersion.

use serde::Deserialize;

use super::{Ready, info};
use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Few, Number, message};
use crate::records::wire::{Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A SupportedVersion: a Kubernetes version that clusters can be made of.
#[derive(Debug, Default, PartialEq)]
pub struct SupportedVersion {
    /// What every object has.
    pub meta: Meta,
    /// `spec.controlPlaneImage`.
    pub control_plane: Name,
    /// `spec.workerImage`.
    pub worker: Name,
    /// The first of `status.warnings`, else what the condition `Ready` says while it is not True.
    pub warning: Option<Box<Name>>,
    /// `spec.version`.
    pub version: Word,
    /// `spec.state`; Draft if nothing is said.
    pub state: Word,
    /// `spec.cni`.
    pub cni: Word,
    /// Since when the condition `Ready` is as it is.
    pub since: Option<Time>,
    /// `status.clusters`; none while nobody has counted.
    pub clusters: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct SupportedVersionWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(SupportedVersionWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    version: Str<'a>,
    #[serde(borrow)]
    state: Str<'a>,
    #[serde(borrow)]
    control_plane_image: Str<'a>,
    #[serde(borrow)]
    worker_image: Str<'a>,
    #[serde(borrow)]
    cni: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    clusters: Option<Number>,
    #[serde(borrow)]
    warnings: Folded<Few<Str<'a>, 1>>,
    conditions: Folded<Ready>,
}

impl Record for SupportedVersion {
    const KIND: Kind = Kind::SupportedVersion;
    const INFO: KindInfo = KindInfo {
        namespaced: false,
        ..info("SupportedVersion", "supportedversions", &["sv"], "supported versions")
    };
    type Wire<'de> = SupportedVersionWire<'de>;

    fn fold(wire: SupportedVersionWire<'_>) -> Self {
        let spec = &wire.spec;
        let Nullable(Status { clusters, warnings, conditions: Folded(ready) }) = wire.status;
        Self {
            meta: wire.metadata.fold(),
            control_plane: spec.control_plane_image.name(),
            worker: spec.worker_image.name(),
            warning: warnings.iter().next().and_then(|first| message(first, 300)).or(ready.message),
            version: spec.version.word(),
            state: if spec.state.is_empty() { Word::new("Draft") } else { spec.state.word() },
            cni: spec.cni.word(),
            since: ready.since,
            clusters: clusters.map(Number::u32),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        for name in [&self.control_plane, &self.worker] {
            if !name.is_empty() {
                link(name_key(Kind::Image, Word::default(), name));
            }
        }
    }
}
