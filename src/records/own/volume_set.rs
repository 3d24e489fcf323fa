//! VolumeSet.

use serde::Deserialize;

use super::{Ready, info};
use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Few, Length, Number};
use crate::records::wire::{Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A VolumeSet: one volume for each replica of the workload that uses it.
#[derive(Debug, Default, PartialEq)]
pub struct VolumeSet {
    /// What every object has.
    pub meta: Meta,
    /// The claims of its volumes.
    pub claims: Keys,
    /// What the condition `Ready` says while it is not True.
    pub message: Option<Box<Name>>,
    /// `status.usedByWorkload`: the name alone.
    pub used_by: Name,
    /// Reason of the condition `Ready` while it is not True.
    pub reason: Word,
    /// `spec.performanceClass`.
    pub class: Word,
    /// `spec.fileSystemType`; ext4 if nothing is said.
    pub file_system: Word,
    /// `status.storageClass`.
    pub storage_class: Word,
    /// `spec.snapshots.schedule`.
    pub schedule: Word,
    /// Since when the condition `Ready` is as it is.
    pub since: Option<Time>,
    /// `spec.initialCapacity`: bytes of a new volume.
    pub size: u64,
    /// Bytes of all its volumes.
    pub total: u64,
    /// Volumes that are there.
    pub volumes: u32,
    /// Volumes in each state of their life: creating, unused, unbound, bound, repairing.
    pub lives: [u16; 5],
    /// Snapshots of all its volumes.
    pub snapshots: u32,
    /// Whether somebody has written a status.
    pub seen: bool,
}

/// The states of a volume's life, in the order of [`VolumeSet::lives`].
const LIVES: [&str; 5] = ["creating", "unused", "unbound", "bound", "repairing"];

impl VolumeSet {
    /// How many of its volumes are in this state of their life.
    pub fn living(&self, life: &str) -> u16 {
        let place = LIVES.iter().position(|known| *known == life);
        place.map_or(0, |place| self.lives[place])
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VolumeSetWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Option<Status<'a>>,
}
versioned!(VolumeSetWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    initial_capacity: Nullable<f64>,
    #[serde(borrow)]
    performance_class: Str<'a>,
    #[serde(borrow)]
    file_system_type: Str<'a>,
    #[serde(borrow)]
    snapshots: Nullable<Policy<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Policy<'a> {
    #[serde(borrow)]
    schedule: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    used_by_workload: Str<'a>,
    #[serde(borrow)]
    storage_class: Str<'a>,
    volume_count: Number,
    #[serde(borrow)]
    volumes: Folded<Volumes<'a>>,
    conditions: Folded<Ready>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Volume<'a> {
    #[serde(borrow)]
    lifecycle: Str<'a>,
    #[serde(borrow)]
    claim: Str<'a>,
    current_size: Nullable<f64>,
    volume_snapshots: Folded<Length>,
}

#[derive(Default)]
struct Volumes<'a> {
    claims: Few<Str<'a>, 3>,
    lives: [u16; 5],
    total: u64,
    snapshots: u32,
}

impl<'de: 'a, 'a> Fold<'de> for Volumes<'a> {
    type Item = Volume<'a>;

    fn add(&mut self, volume: Volume<'a>) {
        if let Some(place) = LIVES.iter().position(|life| *life == &*volume.lifecycle) {
            self.lives[place] = self.lives[place].saturating_add(1);
        }
        if !volume.claim.is_empty() {
            self.claims.push(volume.claim);
        }
        self.total = self.total.saturating_add(gibibytes(*volume.current_size));
        self.snapshots = self.snapshots.saturating_add(volume.volume_snapshots.0.0);
    }
}

/// Bytes of so many GiB.
fn gibibytes(size: f64) -> u64 {
    // A JSON number of any size; one that is too large becomes the largest.
    (size.max(0.0) * f64::from(1 << 30)) as u64
}

impl Record for VolumeSet {
    const KIND: Kind = Kind::VolumeSet;
    const INFO: KindInfo = info("VolumeSet", "volumesets", &["vset"], "volume sets");
    type Wire<'de> = VolumeSetWire<'de>;

    fn fold(wire: VolumeSetWire<'_>) -> Self {
        let (spec, meta) = (&wire.spec, wire.metadata.fold());
        let seen = wire.status.is_some();
        let status = wire.status.unwrap_or_default();
        let user = status.used_by_workload.rsplit('/').next().unwrap_or_default();
        let file_system = &spec.file_system_type;
        let Folded(ready) = status.conditions;
        let claims = status.volumes.claims.iter();
        Self {
            claims: claims.map(|name| name_key(Kind::Claim, meta.namespace, name)).collect(),
            message: ready.message,
            used_by: Name::new(crate::text::clean(user)),
            reason: ready.reason,
            class: spec.performance_class.word(),
            file_system: if file_system.is_empty() { Word::new("ext4") } else { file_system.word() },
            storage_class: status.storage_class.word(),
            schedule: spec.snapshots.schedule.word(),
            since: ready.since,
            size: gibibytes(*spec.initial_capacity),
            total: status.volumes.total,
            volumes: status.volume_count.u32(),
            lives: status.volumes.lives,
            snapshots: status.volumes.snapshots,
            seen,
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        self.claims.iter().for_each(link);
    }
}
