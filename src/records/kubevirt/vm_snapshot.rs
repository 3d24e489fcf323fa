//! VirtualMachineSnapshot.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Length, message};
use crate::records::wire::{Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachineSnapshot.
#[derive(Debug, Default, PartialEq)]
pub struct VmSnapshot {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`: InProgress, Succeeded, Failed, Deleting, Unknown; empty before the controller saw it.
    pub phase: Word,
    /// `spec.source.kind`: VirtualMachine, or VirtualMachineInstance.
    pub source_kind: Word,
    /// `spec.source.name`.
    pub source: Name,
    /// Reason of the condition `Progressing` or, if that is missing, of `Ready`; a sentence.
    pub reason: Word,
    /// `status.error.message` on one line of at most 300 characters.
    pub error: Option<Box<Name>>,
    /// When it was taken (`status.creationTime`).
    pub taken: Option<Time>,
    /// How many volumes are in it.
    pub included: u16,
    /// How many volumes are not in it.
    pub excluded: u16,
    /// Yes-or-no facts.
    pub flags: VmSnapshotFlags,
}

bitflags! {
    /// Yes-or-no facts about a snapshot. The upper ones are `status.sourceIndications` (`status.indications` of older
    /// versions): in which circumstances it was taken.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VmSnapshotFlags: u8 {
        /// It can be restored (`status.readyToUse`).
        const READY = 1;
        /// The guest was running.
        const ONLINE = 1 << 1;
        /// The guest's file systems were frozen by its agent.
        const GUEST_AGENT = 1 << 2;
        /// The guest had no agent: what it had not yet written is missing.
        const NO_GUEST_AGENT = 1 << 3;
        /// The agent could not freeze the file systems in time.
        const QUIESCE_TIMEOUT = 1 << 4;
        /// The guest was paused.
        const PAUSED = 1 << 5;
        /// Some volumes are not in it.
        const PARTIAL = 1 << 6;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VmSnapshotWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VmSnapshotWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec<'a> {
    #[serde(borrow)]
    source: Nullable<Source<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow)]
    kind: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    ready_to_use: Nullable<bool>,
    #[serde(borrow)]
    creation_time: Str<'a>,
    #[serde(borrow)]
    error: Nullable<Failure<'a>>,
    indications: Folded<Words>,
    source_indications: Folded<Indications>,
    snapshot_volumes: Nullable<Volumes>,
    conditions: Folded<Conditions>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure<'a> {
    #[serde(borrow)]
    message: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Volumes {
    included_volumes: Folded<Length>,
    excluded_volumes: Folded<Length>,
}

fn indication(word: &str) -> VmSnapshotFlags {
    match word {
        "Online" => VmSnapshotFlags::ONLINE,
        "GuestAgent" => VmSnapshotFlags::GUEST_AGENT,
        "NoGuestAgent" => VmSnapshotFlags::NO_GUEST_AGENT,
        "QuiesceTimeout" => VmSnapshotFlags::QUIESCE_TIMEOUT,
        "Paused" => VmSnapshotFlags::PAUSED,
        "PartialSnapshot" => VmSnapshotFlags::PARTIAL,
        _ => VmSnapshotFlags::empty(),
    }
}

#[derive(Default)]
struct Words(VmSnapshotFlags);

impl<'de> Fold<'de> for Words {
    type Item = Str<'de>;

    fn add(&mut self, word: Str<'de>) {
        self.0 |= indication(&word);
    }
}

#[derive(Default)]
struct Indications(VmSnapshotFlags);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Indication<'a> {
    #[serde(borrow)]
    indication: Str<'a>,
}

impl<'de> Fold<'de> for Indications {
    type Item = Indication<'de>;

    fn add(&mut self, item: Indication<'de>) {
        self.0 |= indication(&item.indication);
    }
}

#[derive(Default)]
struct Conditions {
    progressing: Word,
    ready: Word,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        match &*condition.name {
            "Progressing" => self.progressing = condition.reason.word(),
            "Ready" => self.ready = condition.reason.word(),
            _ => {}
        }
    }
}

impl Record for VmSnapshot {
    const KIND: Kind = Kind::VmSnapshot;
    const INFO: KindInfo = KindInfo {
        group: "snapshot.kubevirt.io",
        versions: &["v1beta1", "v1alpha1"],
        name: "VirtualMachineSnapshot",
        plural: "virtualmachinesnapshots",
        words: "machine snapshots",
        short: &["vmsnapshot", "vmsnapshots"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VmSnapshotWire<'de>;

    fn fold(wire: VmSnapshotWire<'_>) -> Self {
        let (source, status) = (&wire.spec.source, &wire.status);
        let mut flags = status.indications.0.0 | status.source_indications.0.0;
        flags.set(VmSnapshotFlags::READY, *status.ready_to_use);
        let count = |length: &Length| u16::try_from(length.0).unwrap_or(u16::MAX);
        let conditions = &status.conditions;
        Self {
            phase: status.phase.word(),
            source_kind: source.kind.word(),
            source: source.name.name(),
            reason: if conditions.progressing.is_empty() { conditions.ready } else { conditions.progressing },
            error: message(&status.error.message, 300),
            taken: status.creation_time.time(),
            included: count(&status.snapshot_volumes.included_volumes),
            excluded: count(&status.snapshot_volumes.excluded_volumes),
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

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        let kind = match &*self.source_kind {
            "VirtualMachine" => Kind::Vm,
            "VirtualMachineInstance" => Kind::Vmi,
            _ => return,
        };
        link(name_key(kind, self.meta.namespace, &self.source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn snapshot(json: &str) -> VmSnapshot {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_snapshot_keeps_how_good_it_is() {
        let done = snapshot(
            r#"{"metadata":{"name":"s","namespace":"shop"},"spec":{"source":{"apiGroup":"kubevirt.io","kind":"VirtualMachine","name":"web"}},
            "status":{"phase":"Succeeded","readyToUse":true,"creationTime":"2026-11-21T10:46:53Z","indications":["NoGuestAgent",null],
            "sourceIndications":[{"indication":"Online","message":"m"},{"indication":"New"}],"snapshotVolumes":{"includedVolumes":["root"],"excludedVolumes":["ci","x"]},
            "conditions":[{"type":"Ready","status":"True","reason":"Ready"},{"type":"Progressing","status":"False","reason":"Operation complete"}]}}"#,
        );
        let flags = VmSnapshotFlags::READY | VmSnapshotFlags::ONLINE | VmSnapshotFlags::NO_GUEST_AGENT;
        assert_eq!((done.flags, done.included, done.excluded), (flags, 1, 2));
        assert_eq!((&*done.phase, &*done.source, &*done.reason), ("Succeeded", "web", "Operation complete"));
        assert_eq!(done.taken, Time::parse("2026-11-21T10:46:53Z"));
        let mut links = Vec::new();
        done.part_of(&mut |key| links.push(key));
        assert_eq!(links, [name_key(Kind::Vm, Word::new("shop"), "web")]);
    }

    #[test]
    fn errors_and_nulls() {
        let failed = snapshot(
            r#"{"metadata":{"name":"s"},"status":{"phase":"Failed","error":{"time":null,"message":"no class"}}}"#,
        );
        assert_eq!(**failed.error.as_ref().unwrap(), *"no class");
        let nulls = snapshot(
            r#"{"metadata":{"name":"s"},"spec":{"source":null},"status":{"error":null,"indications":null,"snapshotVolumes":null,"readyToUse":null}}"#,
        );
        assert_eq!(nulls, snapshot(r#"{"metadata":{"name":"s"},"spec":null}"#));
        nulls.part_of(&mut |_| panic!("there is no name to link to"));
    }
}
