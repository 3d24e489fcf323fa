//! VirtualMachineRestore.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Length, Told, message};
use crate::records::wire::{Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachineRestore: a machine put back to what it was when a snapshot was taken.
#[derive(Debug, Default, PartialEq)]
pub struct VmRestore {
    /// What every object has.
    pub meta: Meta,
    /// `spec.target.name`: the machine.
    pub target: Name,
    /// `spec.virtualMachineSnapshotName`.
    pub snapshot: Name,
    /// What it does or waits for: reason of the condition `Progressing` or, if that is missing, of `Ready`; a sentence.
    pub reason: Word,
    /// Message of the condition `Failure` while it is True, on one line of at most 300 characters.
    pub failure: Option<Box<Name>>,
    /// `status.restoreTime`.
    pub restored: Option<Time>,
    /// How many volumes are restored (`status.restores`).
    pub volumes: u16,
    /// Yes-or-no facts.
    pub flags: VmRestoreFlags,
}

bitflags! {
    /// Yes-or-no facts about a restore.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VmRestoreFlags: u8 {
        /// `status.complete`.
        const COMPLETE = 1;
        /// Condition `Failure` is True.
        const FAILED = 1 << 1;
        /// Condition `Progressing` is True.
        const PROGRESSING = 1 << 2;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VmRestoreWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VmRestoreWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    target: Nullable<Target<'a>>,
    #[serde(borrow)]
    virtual_machine_snapshot_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Target<'a> {
    #[serde(borrow)]
    name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    complete: Nullable<bool>,
    #[serde(borrow)]
    restore_time: Str<'a>,
    restores: Folded<Length>,
    conditions: Folded<Conditions>,
}

#[derive(Default)]
struct Conditions {
    progressing: Word,
    ready: Word,
    failure: Option<Box<Name>>,
    flags: VmRestoreFlags,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        let yes = &*condition.status == "True";
        match &*condition.name {
            "Progressing" => {
                self.progressing = condition.reason.word();
                self.flags.set(VmRestoreFlags::PROGRESSING, yes);
            }
            "Ready" => self.ready = condition.reason.word(),
            "Failure" if yes => {
                self.flags |= VmRestoreFlags::FAILED;
                self.failure = message(&condition.message, 300).or_else(|| message(&condition.reason, 300));
            }
            _ => {}
        }
    }
}

impl Record for VmRestore {
    const KIND: Kind = Kind::VmRestore;
    const INFO: KindInfo = KindInfo {
        group: "snapshot.kubevirt.io",
        versions: &["v1beta1", "v1alpha1"],
        name: "VirtualMachineRestore",
        plural: "virtualmachinerestores",
        words: "restores",
        short: &["vmrestore", "vmrestores"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VmRestoreWire<'de>;

    fn fold(wire: VmRestoreWire<'_>) -> Self {
        let (spec, Nullable(status)) = (&wire.spec, wire.status);
        let Folded(conditions) = status.conditions;
        let mut flags = conditions.flags;
        flags.set(VmRestoreFlags::COMPLETE, *status.complete);
        Self {
            meta: wire.metadata.fold(),
            target: spec.target.name.name(),
            snapshot: spec.virtual_machine_snapshot_name.name(),
            reason: if conditions.progressing.is_empty() { conditions.ready } else { conditions.progressing },
            failure: conditions.failure,
            restored: status.restore_time.time(),
            volumes: u16::try_from(status.restores.0.0).unwrap_or(u16::MAX),
            flags,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        link(name_key(Kind::Vm, self.meta.namespace, &self.target));
        link(name_key(Kind::VmSnapshot, self.meta.namespace, &self.snapshot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    #[test]
    fn restores_are_read() {
        let json = |status: &str| {
            format!(
                r#"{{"metadata":{{"name":"back","namespace":"shop"}},
                "spec":{{"target":{{"kind":"VirtualMachine","name":"db"}},"virtualMachineSnapshotName":"monday"}},"status":{status}}}"#
            )
        };
        let ready = r#"{"type":"Ready","status":"False","reason":"Waiting for target VM to be powered off"}"#;
        let failed = r#"{"type":"Failure","status":"True","reason":"Lost","message":"no\nsuch  content"}"#;
        let cases = [
            ("null".to_owned(), "", None, VmRestoreFlags::empty()),
            (
                format!(r#"{{"complete":false,"conditions":[{ready}]}}"#),
                "Waiting for target VM to be powered off",
                None,
                VmRestoreFlags::empty(),
            ),
            (
                format!(
                    r#"{{"complete":true,"conditions":[{ready},{{"type":"Progressing","status":"True","reason":"Creating"}},{failed}]}}"#
                ),
                "Creating",
                Some("no such content"),
                VmRestoreFlags::all(),
            ),
        ];
        for (status, reason, failure, flags) in cases {
            let read: VmRestore = decode(json(&status).as_bytes()).unwrap().record;
            assert_eq!((&*read.target, &*read.snapshot, &*read.reason), ("db", "monday", reason), "{status}");
            assert_eq!((read.failure.as_ref().map(|text| text.as_str()), read.flags), (failure, flags));
        }
    }
}
