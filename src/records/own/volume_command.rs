//! VolumeCommand.

use serde::Deserialize;

use super::info;
use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Number, message};
use crate::records::wire::{Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A VolumeCommand: one command on one volume of a set, and the record of what was done.
#[derive(Debug, Default, PartialEq)]
pub struct VolumeCommand {
    /// What every object has.
    pub meta: Meta,
    /// `spec.volumeSet`.
    pub volume_set: Name,
    /// `spec.snapshotName`.
    pub snapshot: Option<Box<Name>>,
    /// `status.message` on one line of at most 300 characters.
    pub message: Option<Box<Name>>,
    /// `spec.type`.
    pub what: Word,
    /// `status.stage`; empty while nobody has taken it up.
    pub stage: Word,
    /// When it began.
    pub started: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// `spec.volumeIndex`.
    pub index: u32,
    /// How far it is, in thousandths.
    pub progress: Option<u16>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VolumeCommandWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VolumeCommandWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow, rename = "type")]
    what: Str<'a>,
    #[serde(borrow)]
    volume_set: Str<'a>,
    volume_index: Number,
    #[serde(borrow)]
    snapshot_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    stage: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    #[serde(borrow)]
    started_at: Str<'a>,
    #[serde(borrow)]
    ended_at: Str<'a>,
    percent: Option<f64>,
}

impl Record for VolumeCommand {
    const KIND: Kind = Kind::VolumeCommand;
    const INFO: KindInfo = info("VolumeCommand", "volumecommands", &["vcmd"], "volume commands");
    type Wire<'de> = VolumeCommandWire<'de>;

    fn fold(wire: VolumeCommandWire<'_>) -> Self {
        let (spec, status) = (&wire.spec, &wire.status);
        Self {
            meta: wire.metadata.fold(),
            volume_set: spec.volume_set.name(),
            snapshot: message(&spec.snapshot_name, 253),
            message: message(&status.message, 300),
            what: spec.what.word(),
            stage: status.stage.word(),
            started: status.started_at.time(),
            ended: status.ended_at.time(),
            index: spec.volume_index.u32(),
            // A JSON number of any size becomes one between 0 and 1000.
            progress: status.percent.map(|percent| (percent * 10.0).clamp(0.0, 1000.0) as u16),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        link(name_key(Kind::VolumeSet, self.meta.namespace, &self.volume_set));
    }
}
