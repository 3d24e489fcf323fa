//! Workload.

use bitflags::bitflags;
use serde::Deserialize;

use super::{Ready, info, linked};
use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Few, Number, message};
use crate::records::wire::{Bytes, Fold, Folded, Millis, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A Workload: replicas of one machine, with their network.
#[derive(Debug, Default, PartialEq)]
pub struct Workload {
    /// What every object has.
    pub meta: Meta,
    /// The volume sets that its boot disks and data disks are on.
    pub volume_sets: Keys,
    /// The machines that its status names as replicas.
    pub replicas: Keys,
    /// `status.message`, else what the condition `Ready` or the worst replica says, on one line of at most 300 characters.
    pub message: Option<Box<Name>>,
    /// `status.endpoint`.
    pub endpoint: Option<Box<Name>>,
    /// `status.health.readiness`; empty while nobody has written a status.
    pub readiness: Word,
    /// `spec.vm.runStrategy`; Always if nothing is said.
    pub strategy: Word,
    /// Since when the condition `Ready` is as it is.
    pub since: Option<Time>,
    /// Memory in bytes of each replica.
    pub memory: u64,
    /// Replicas that are wanted; 1 if nothing is said.
    pub desired: u32,
    /// Replicas that are ready.
    pub ready: u32,
    /// Virtual processors of each replica.
    pub cpus: u16,
    /// How far the boot disk is that is furthest behind, in thousandths; none while none is being filled.
    pub progress: Option<u16>,
    /// How many disks each replica has.
    pub disks: u16,
    /// Yes-or-no facts.
    pub flags: WorkloadFlags,
}

bitflags! {
    /// Yes-or-no facts about a workload.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct WorkloadFlags: u8 {
        /// Its replicas are stopped, and their number is kept (`defaultOptions.suspend`).
        const SUSPENDED = 1;
        /// Disks are being filled.
        const IMPORTING = 1 << 1;
        /// Somebody has written a status.
        const SEEN = 1 << 2;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct WorkloadWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Option<Status<'a>>,
}
versioned!(WorkloadWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    containers: Folded<Few<Container<'a>, 1>>,
    #[serde(borrow)]
    vm: Nullable<Vm<'a>>,
    default_options: Nullable<Options>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Container<'a> {
    cpu: Millis,
    memory: Bytes,
    #[serde(borrow)]
    volumes: Folded<Few<Volume<'a>, 2>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Volume<'a> {
    #[serde(borrow)]
    uri: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Vm<'a> {
    #[serde(borrow)]
    run_strategy: Str<'a>,
    #[serde(borrow)]
    boot_disk: Nullable<BootDisk<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BootDisk<'a> {
    #[serde(borrow)]
    persist: Nullable<Persist<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Persist<'a> {
    #[serde(borrow)]
    volume_set: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Options {
    suspend: Nullable<bool>,
    autoscaling: Nullable<Autoscaling>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Autoscaling {
    min_scale: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    ready_replicas: Number,
    #[serde(borrow)]
    endpoint: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    #[serde(borrow)]
    health: Nullable<Health<'a>>,
    #[serde(borrow)]
    replica_statuses: Folded<Replicas<'a>>,
    conditions: Folded<Ready>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Health<'a> {
    #[serde(borrow)]
    readiness: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Replica<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    boot_disk: Nullable<Import<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Import<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    percent: Nullable<f64>,
    #[serde(borrow)]
    message: Str<'a>,
}

/// What the replicas say together.
#[derive(Default)]
struct Replicas<'a> {
    names: Few<Str<'a>, 3>,
    said: Str<'a>,
    importing: bool,
    least: Option<u16>,
}

impl<'de: 'a, 'a> Fold<'de> for Replicas<'a> {
    type Item = Replica<'a>;

    fn add(&mut self, replica: Replica<'a>) {
        let Replica { name, message, boot_disk: Nullable(disk) } = replica;
        if &*disk.phase == "Importing" {
            self.importing = true;
            // A JSON number of any size becomes one between 0 and 1000.
            let share = (*disk.percent * 10.0).clamp(0.0, 1000.0) as u16;
            self.least = Some(self.least.map_or(share, |least| least.min(share)));
        }
        for said in [message, disk.message] {
            if self.said.is_empty() {
                self.said = said;
            }
        }
        if !name.is_empty() {
            self.names.push(name);
        }
    }
}

impl Record for Workload {
    const KIND: Kind = Kind::Workload;
    const INFO: KindInfo = info("Workload", "workloads", &["wl"], "workloads");
    type Wire<'de> = WorkloadWire<'de>;

    fn fold(wire: WorkloadWire<'_>) -> Self {
        let (spec, meta) = (&wire.spec, wire.metadata.fold());
        let seen = wire.status.is_some();
        let status = wire.status.unwrap_or_default();
        let guest = spec.containers.iter().next();
        let namespace = meta.namespace;
        let volumes = || guest.into_iter().flat_map(|guest| guest.volumes.iter()).map(|volume| &*volume.uri);
        let uris = std::iter::once(&*spec.vm.boot_disk.persist.volume_set).chain(volumes());
        let mut flags = WorkloadFlags::empty();
        flags.set(WorkloadFlags::SUSPENDED, *spec.default_options.suspend);
        flags.set(WorkloadFlags::IMPORTING, status.replica_statuses.importing);
        flags.set(WorkloadFlags::SEEN, seen);
        let Folded(ready) = status.conditions;
        let said = message(&status.message, 300)
            .or(ready.message)
            .or_else(|| message(&status.replica_statuses.said, 300));
        let cpus = guest.and_then(|guest| guest.cpu.0).map_or(0, |millis| millis.div_ceil(1000));
        let strategy = &spec.vm.run_strategy;
        Self {
            volume_sets: uris
                .filter_map(|uri| linked(uri, "volumeset"))
                .map(|name| name_key(Kind::VolumeSet, namespace, name))
                .collect(),
            replicas: status
                .replica_statuses
                .names
                .iter()
                .map(|name| name_key(Kind::Vm, namespace, name))
                .collect(),
            message: said,
            endpoint: message(&status.endpoint, 300),
            readiness: status.health.readiness.word(),
            strategy: if strategy.is_empty() { Word::new("Always") } else { strategy.word() },
            since: ready.since,
            memory: guest.and_then(|guest| guest.memory.0).unwrap_or(0),
            desired: spec.default_options.autoscaling.min_scale.map_or(1, Number::u32),
            ready: status.ready_replicas.u32(),
            cpus: u16::try_from(cpus).unwrap_or(u16::MAX),
            progress: status.replica_statuses.least,
            disks: u16::try_from(volumes().count()).unwrap_or(u16::MAX).saturating_add(1),
            flags,
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
        self.volume_sets.iter().chain(self.replicas.iter()).for_each(link);
    }
}
