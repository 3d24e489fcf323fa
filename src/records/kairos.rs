//! OSArtifact.

use serde::Deserialize;

use crate::records::wire::{WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A OSArtifact.
#[derive(Debug, Default, PartialEq)]
pub struct OsArtifact {
    /// What every object has.
    pub meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct OsArtifactWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}
versioned!(OsArtifactWire);

impl Record for OsArtifact {
    const KIND: Kind = Kind::OsArtifact;
    const INFO: KindInfo = KindInfo {
        group: "build.kairos.io",
        versions: &["v1alpha2", "v1alpha1"],
        name: "OSArtifact",
        plural: "osartifacts",
        short: &[],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = OsArtifactWire<'de>;

    fn fold(wire: OsArtifactWire<'_>) -> Self {
        Self { meta: wire.metadata.fold() }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}
