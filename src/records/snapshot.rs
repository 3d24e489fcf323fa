//! VolumeSnapshot.

use serde::Deserialize;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::message;
use crate::records::wire::{Bytes, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A VolumeSnapshot of the CSI snapshot controller.
#[derive(Debug, Default, PartialEq)]
pub struct VolumeSnapshot {
    /// What every object has.
    pub meta: Meta,
    /// Name of the claim it is taken of (`spec.source.persistentVolumeClaimName`), or of the content that it was given
    /// (`volumeSnapshotContentName`).
    pub source: Name,
    /// `spec.volumeSnapshotClassName`; empty means the default.
    pub class: Word,
    /// `status.restoreSize` in bytes; 0 until known.
    pub size: u64,
    /// `status.error.message` on one line of at most 300 characters.
    pub error: Option<Box<Name>>,
    /// When it was taken (`status.creationTime`).
    pub taken: Option<Time>,
    /// Whether a volume can be made of it (`status.readyToUse`).
    pub ready: bool,
    /// Whether it is bound to a content (`status.boundVolumeSnapshotContentName`).
    pub bound: bool,
    /// Whether `source` is the name of a claim.
    pub of_claim: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VolumeSnapshotWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VolumeSnapshotWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "cdi.kubevirt.io/OwnedByUID")]
    owned_by: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    source: Nullable<Source<'a>>,
    #[serde(borrow)]
    volume_snapshot_class_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Source<'a> {
    #[serde(borrow)]
    persistent_volume_claim_name: Str<'a>,
    #[serde(borrow)]
    volume_snapshot_content_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    ready_to_use: Nullable<bool>,
    restore_size: Bytes,
    #[serde(borrow)]
    creation_time: Str<'a>,
    #[serde(borrow)]
    bound_volume_snapshot_content_name: Str<'a>,
    #[serde(borrow)]
    error: Nullable<Failure<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure<'a> {
    #[serde(borrow)]
    message: Str<'a>,
}

impl Record for VolumeSnapshot {
    const KIND: Kind = Kind::VolumeSnapshot;
    const INFO: KindInfo = KindInfo {
        group: "snapshot.storage.k8s.io",
        versions: &["v1"],
        name: "VolumeSnapshot",
        plural: "volumesnapshots",
        words: "volume snapshots",
        short: &["vs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VolumeSnapshotWire<'de>;

    fn fold(wire: VolumeSnapshotWire<'_>) -> Self {
        let (source, status) = (&wire.spec.source, &wire.status);
        let claim = &source.persistent_volume_claim_name;
        Self {
            source: match claim.is_empty() {
                true => source.volume_snapshot_content_name.name(),
                false => claim.name(),
            },
            class: wire.spec.volume_snapshot_class_name.word(),
            size: status.restore_size.0.unwrap_or(0),
            error: message(&status.error.message, 300),
            taken: status.creation_time.time(),
            ready: *status.ready_to_use,
            bound: !status.bound_volume_snapshot_content_name.is_empty(),
            of_claim: !claim.is_empty(),
            meta: wire.metadata.fold().serving(&wire.metadata.labels.owned_by),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        if self.of_claim {
            link(name_key(Kind::Claim, self.meta.namespace, &self.source));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn snapshot(spec: &str, status: &str) -> VolumeSnapshot {
        let json =
            format!(r#"{{"metadata":{{"name":"s","namespace":"shop"}},"spec":{spec},"status":{status}}}"#);
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn snapshots_are_read() {
        let done = snapshot(
            r#"{"source":{"persistentVolumeClaimName":"web-root"},"volumeSnapshotClassName":"fast-snap"}"#,
            r#"{"readyToUse":true,"restoreSize":"5Gi","creationTime":"2026-11-21T10:46:53Z","boundVolumeSnapshotContentName":"c"}"#,
        );
        assert_eq!((&*done.source, &*done.class, done.size), ("web-root", "fast-snap", 5 << 30));
        assert_eq!((done.ready, done.bound, done.of_claim), (true, true, true));
        assert_eq!(done.taken, Time::parse("2026-11-21T10:46:53Z"));
        let mut links = Vec::new();
        done.part_of(&mut |key| links.push(key));
        assert_eq!(links, [name_key(Kind::Claim, Word::new("shop"), "web-root")]);
    }

    #[test]
    fn imported_failed_and_empty_ones_too() {
        let given = snapshot(
            r#"{"source":{"volumeSnapshotContentName":"c"}}"#,
            r#"{"error":{"message":"gone\n"},"restoreSize":null}"#,
        );
        assert_eq!((&*given.source, given.of_claim), ("c", false));
        assert_eq!(**given.error.as_ref().unwrap(), *"gone");
        given.part_of(&mut |_| panic!("it is of no claim"));
        assert_eq!(
            snapshot("null", "null"),
            snapshot(r#"{"source":null}"#, r#"{"error":null,"readyToUse":null}"#)
        );
    }
}
