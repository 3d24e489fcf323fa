//! Pod.

use std::net::IpAddr;

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::pod_status::{InitContainers, Status};
use crate::model::{Key, Name, Time, Uid, Word};
use crate::records::values::Address;
use crate::records::wire::{Bytes, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Pod.
#[derive(Debug, Default, PartialEq)]
pub struct Pod {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`.
    pub phase: Word,
    /// What kubectl shows as STATUS: `Running`, `Init:0/2`, `CrashLoopBackOff`, `Completed`, `Terminating`, ….
    pub reason: Word,
    /// `spec.nodeName`; empty until scheduled.
    pub node: Word,
    /// The migration that this pod is the target of (label `kubevirt.io/migrationJobUID`).
    pub migration: Option<Key>,
    /// How its main container ended last, and why it waits.
    pub evidence: Option<Box<PodEvidence>>,
    /// `status.podIP`.
    address: Address,
    /// When the kubelet took it (`status.startTime`).
    pub started: Option<Time>,
    /// When a container of it ended last and was started again.
    pub restarted: Option<Time>,
    /// MiB of memory that its containers ask for; 0 if they do not say.
    pub memory: u32,
    /// Restarts of all containers that kubectl counts.
    pub restarts: u32,
    /// Containers that are ready, sidecars included.
    pub ready: u16,
    /// Containers that should be, sidecars included.
    pub containers: u16,
    /// What it is for.
    pub role: PodRole,
    /// Yes-or-no facts.
    pub flags: PodFlags,
}

/// Why a pod or its main container does not run, while there is something to tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodEvidence {
    /// How the main container ended last.
    pub ended: Option<Ended>,
    /// Why it waits or was refused, at most 300 characters: the pod's own message, the scheduler's, or that of the first
    /// container that waits.
    pub message: Option<Box<Name>>,
}

/// How a container ended: `state.terminated`, or `lastState.terminated` while it is tried again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Name of the container.
    pub container: Word,
    /// `reason`: Completed, Error, OOMKilled, ….
    pub reason: Word,
    /// `message` on one line of at most 300 characters; the errors of CDI's importer stand here.
    pub message: Box<str>,
    /// `finishedAt`.
    pub at: Option<Time>,
    /// `exitCode`.
    pub code: i32,
    /// `signal`; 0 if none.
    pub signal: i32,
    /// Whether it has not been started again since.
    pub now: bool,
}

/// What a pod is for, as its labels tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodRole {
    /// Nothing that this program knows.
    #[default]
    Other,
    /// Runs a guest of KubeVirt.
    Launcher,
    /// Holds hot-plugged disks of a launcher pod.
    Hotplug,
    /// CDI: downloads an image.
    Importer,
    /// CDI: takes an upload, or the data of a clone.
    UploadServer,
    /// CDI: reads the source of a clone.
    CloneSource,
    /// CDI: makes the volume of a clone be bound or grow.
    ClonePrepare,
    /// Runs a guest of Virtink.
    Virtink,
}

bitflags! {
    /// Yes-or-no facts about a pod.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PodFlags: u8 {
        /// Condition `Ready` is True.
        const READY = 1;
        /// No node takes it (`PodScheduled` is False, `Unschedulable`).
        const UNSCHEDULABLE = 1 << 1;
        /// A launcher without a guest, made only to have volumes bound (`kubevirt.io/ephemeral-provisioning`).
        const TEMPORARY = 1 << 2;
    }
}

impl Pod {
    /// `status.podIP`.
    pub fn address(&self) -> Option<IpAddr> {
        self.address.get()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PodWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>, Annotations>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(PodWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "kubevirt.io")]
    kubevirt: Str<'a>,
    #[serde(borrow, rename = "cdi.kubevirt.io")]
    cdi: Str<'a>,
    #[serde(borrow, rename = "kubevirt.io/migrationJobUID")]
    migration: Str<'a>,
    #[serde(rename = "virtink.io/vm.name")]
    virtink: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "kubevirt.io/ephemeral-provisioning")]
    temporary: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    node_name: Str<'a>,
    #[serde(borrow)]
    init_containers: Folded<InitContainers<'a>>,
    containers: Folded<Containers>,
}

/// The containers of the spec: how many, and how much memory they ask for together.
#[derive(Default)]
struct Containers {
    count: u32,
    memory: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Container {
    resources: Nullable<Resources>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resources {
    requests: Nullable<Requests>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Requests {
    memory: Bytes,
}

impl Fold<'_> for Containers {
    type Item = Container;

    fn add(&mut self, container: Container) {
        self.count = self.count.saturating_add(1);
        let asked = container.resources.requests.memory.0.unwrap_or(0);
        self.memory = self.memory.saturating_add(asked);
    }
}

impl Labels<'_> {
    fn role(&self) -> PodRole {
        match (&*self.kubevirt, &*self.cdi) {
            ("virt-launcher", _) => PodRole::Launcher,
            ("hotplug-disk", _) => PodRole::Hotplug,
            (_, "importer") => PodRole::Importer,
            (_, "cdi-upload-server") => PodRole::UploadServer,
            (_, "cdi-clone-source") => PodRole::CloneSource,
            (_, "cdi-populator-prep") => PodRole::ClonePrepare,
            _ if self.virtink.is_some() => PodRole::Virtink,
            _ => PodRole::Other,
        }
    }
}

impl Record for Pod {
    const KIND: Kind = Kind::Pod;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Pod",
        plural: "pods",
        words: "pods",
        short: &["po"],
        namespaced: true,
        partners: &[
            "kubevirt.io in (virt-launcher,hotplug-disk)",
            "cdi.kubevirt.io in (importer,cdi-upload-server,cdi-clone-source,cdi-populator-prep)",
            "virtink.io/vm.name",
        ],
    };
    type Wire<'de> = PodWire<'de>;

    fn fold(wire: PodWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let labels = &wire.metadata.labels;
        let (spec, mut status) = (&wire.spec.0, wire.status.0);
        let sum = status.sum_up(spec.containers.count, &spec.init_containers.0, meta.deleted().is_some());
        let mut flags = PodFlags::empty();
        flags.set(PodFlags::READY, status.conditions.ready);
        flags.set(PodFlags::UNSCHEDULABLE, status.conditions.unschedulable);
        let temporary = wire.metadata.annotations.temporary.is_some();
        flags.set(PodFlags::TEMPORARY, temporary);
        let job = &labels.migration;
        Self {
            phase: status.phase.word(),
            reason: sum.reason,
            node: spec.node_name.word(),
            migration: (!job.is_empty()).then(|| Key::uid(Uid::parse(job))),
            evidence: sum.evidence,
            address: Address::read(&status.ip),
            started: status.start_time.time(),
            restarted: sum.restarts.last,
            memory: u32::try_from(spec.containers.memory >> 20).unwrap_or(u32::MAX),
            restarts: sum.restarts.count,
            ready: sum.ready,
            containers: sum.containers,
            role: labels.role(),
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

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        self.migration.into_iter().for_each(link);
    }
}

#[cfg(test)]
mod tests;
