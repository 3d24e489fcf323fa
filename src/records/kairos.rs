//! OSArtifact.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Name, Word};
use crate::records::values::message;
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// An OSArtifact: one build of an operating system image by Kairos.
#[derive(Debug, Default, PartialEq)]
pub struct OsArtifact {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`: Pending, Building, Exporting, Ready, Error; empty is Pending.
    pub phase: Word,
    /// `status.message` on one line of at most 300 characters; only failed exports have one.
    pub message: Option<Box<Name>>,
    /// Which generation of the operator the spec is written for.
    pub dialect: OsArtifactDialect,
}

/// The shape of an OSArtifact's spec. Three generations of the operator share one version of the API and drop what
/// belongs to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OsArtifactDialect {
    /// Nothing that tells: written for another operator than the one that stored it.
    #[default]
    Unknown,
    /// Two stages: `spec.image`.
    TwoStage,
    /// Flat: `spec.imageName`.
    Flat,
    /// The oldest: `spec.cloudConfig` and no image name.
    Alpha1,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct OsArtifactWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    spec: Nullable<Spec>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(OsArtifactWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    image: Option<IgnoredAny>,
    image_name: Option<IgnoredAny>,
    cloud_config: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
}

impl Record for OsArtifact {
    const KIND: Kind = Kind::OsArtifact;
    const INFO: KindInfo = KindInfo {
        group: "build.kairos.io",
        versions: &["v1alpha2", "v1alpha1"],
        name: "OSArtifact",
        plural: "osartifacts",
        words: "OS artifacts",
        short: &[],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = OsArtifactWire<'de>;

    fn fold(wire: OsArtifactWire<'_>) -> Self {
        let spec = &wire.spec;
        let dialect = match (&spec.image, &spec.image_name, &spec.cloud_config) {
            (Some(_), ..) => OsArtifactDialect::TwoStage,
            (_, Some(_), _) => OsArtifactDialect::Flat,
            (.., Some(_)) => OsArtifactDialect::Alpha1,
            _ => OsArtifactDialect::Unknown,
        };
        Self {
            meta: wire.metadata.fold(),
            phase: wire.status.phase.word(),
            message: message(&wire.status.message, 300),
            dialect,
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
    fn artifacts_are_read() {
        let cases = [
            (
                r#""spec":{"image":{"ref":"x"}},"status":{"phase":"Error","message":"job \n failed"}"#,
                "Error",
                Some("job failed"),
                OsArtifactDialect::TwoStage,
            ),
            (
                r#""spec":{"imageName":"x","cloudConfig":null},"status":{"phase":"Ready","message":""}"#,
                "Ready",
                None,
                OsArtifactDialect::Flat,
            ),
            (
                r##""spec":{"cloudConfig":"#cloud-config\n"},"status":null"##,
                "",
                None,
                OsArtifactDialect::Alpha1,
            ),
            (r#""spec":null,"status":{"phase":null,"message":null}"#, "", None, OsArtifactDialect::Unknown),
        ];
        for (rest, phase, message, dialect) in cases {
            let json = format!(r#"{{"metadata":{{"name":"a"}},{rest}}}"#);
            let artifact: OsArtifact = decode(json.as_bytes()).unwrap().record;
            assert_eq!((&*artifact.phase, artifact.dialect), (phase, dialect), "{rest}");
            assert_eq!(artifact.message.as_deref().map(|text| &**text), message, "{rest}");
        }
    }
}
