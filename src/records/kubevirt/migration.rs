//! VirtualMachineInstanceMigration.

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::{Key, Name, Time, Word};
use crate::records::values::message;
use crate::records::wire::{Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachineInstanceMigration: one move of a running guest to another node.
#[derive(Debug, Default, PartialEq)]
pub struct Migration {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`; empty just after creation.
    pub phase: Word,
    /// `spec.vmiName`.
    pub vmi: Name,
    /// `status.migrationState.sourceNode`. All of `migrationState` but the source pod is copied here only after the end;
    /// until then the VirtualMachineInstance has it.
    pub source: Word,
    /// `status.migrationState.targetNode`; after the end.
    pub target: Word,
    /// `status.migrationState.failureReason` on one line of at most 300 characters.
    pub failure: Option<Box<Name>>,
    /// `status.migrationState.startTimestamp`; after the end.
    pub started: Option<Time>,
    /// `status.migrationState.endTimestamp`.
    pub ended: Option<Time>,
    /// When it entered its phase.
    pub phase_since: Option<Time>,
    /// How the memory is moved.
    pub mode: MigrationMode,
    /// Who asked for it.
    pub origin: MigrationOrigin,
    /// Yes-or-no facts.
    pub flags: MigrationFlags,
}

/// `status.migrationState.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MigrationMode {
    /// Not told yet.
    #[default]
    Unknown,
    /// Memory is copied while the guest runs.
    PreCopy,
    /// The guest runs on the target and fetches memory from the source: it cannot go back.
    PostCopy,
    /// The guest is paused while memory is copied.
    Paused,
}

impl MigrationMode {
    fn read(word: &str) -> Self {
        match word {
            "PreCopy" => Self::PreCopy,
            "PostCopy" => Self::PostCopy,
            "Paused" => Self::Paused,
            _ => Self::Unknown,
        }
    }

    /// The word of the API; empty if unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::PreCopy => "PreCopy",
            Self::PostCopy => "PostCopy",
            Self::Paused => "Paused",
        }
    }
}

/// Who asked for a migration, as its marks tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MigrationOrigin {
    /// Somebody, or a program that leaves no mark.
    #[default]
    Asked,
    /// A drain of the node (`kubevirt.io/evacuationMigration`).
    Drain,
    /// An update of KubeVirt, or a live change of the machine (`kubevirt.io/workloadUpdateMigration`).
    Update,
    /// A move of its volumes (`kubevirt.io/volume-update-migration`).
    Volumes,
}

bitflags! {
    /// Yes-or-no facts about a migration.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MigrationFlags: u8 {
        /// `status.migrationState.completed`.
        const COMPLETED = 1;
        /// `status.migrationState.failed`.
        const FAILED = 1 << 1;
        /// Somebody wants it to end (condition `migrationAbortRequested`, or `migrationState.abortRequested`).
        const ABORT_ASKED = 1 << 2;
        /// A quota refuses the target pod.
        const REFUSED_BY_QUOTA = 1 << 3;
        /// Waits until utility volumes are detached.
        const BLOCKED_BY_VOLUMES = 1 << 4;
        /// Waits until a backup is over.
        const BLOCKED_BY_BACKUP = 1 << 5;
        /// Waits for the other cluster.
        const BLOCKED_BY_PEER = 1 << 6;
        /// Moves to or from another cluster (`spec.sendTo`, `spec.receive`).
        const BETWEEN_CLUSTERS = 1 << 7;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct MigrationWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Marks, Marks>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(MigrationWire);

/// Labels or annotations: versions differ in which of them they use.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Marks {
    #[serde(rename = "kubevirt.io/evacuationMigration")]
    drain: Option<IgnoredAny>,
    #[serde(rename = "kubevirt.io/workloadUpdateMigration")]
    update: Option<IgnoredAny>,
    #[serde(rename = "kubevirt.io/volume-update-migration")]
    volumes: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    vmi_name: Str<'a>,
    send_to: Option<IgnoredAny>,
    receive: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    conditions: Folded<Conditions>,
    #[serde(borrow)]
    migration_state: Nullable<State<'a>>,
    phase_transition_timestamps: Folded<LastPhase>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct State<'a> {
    #[serde(borrow)]
    start_timestamp: Str<'a>,
    #[serde(borrow)]
    end_timestamp: Str<'a>,
    #[serde(borrow)]
    source_node: Str<'a>,
    #[serde(borrow)]
    target_node: Str<'a>,
    #[serde(borrow)]
    mode: Str<'a>,
    #[serde(borrow)]
    failure_reason: Str<'a>,
    completed: Nullable<bool>,
    failed: Nullable<bool>,
    abort_requested: Nullable<bool>,
}

#[derive(Default)]
struct Conditions(MigrationFlags);

impl<'de> Fold<'de> for Conditions {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        let flag = match &*condition.name {
            "migrationAbortRequested" => MigrationFlags::ABORT_ASKED,
            "migrationRejectedByResourceQuota" => MigrationFlags::REFUSED_BY_QUOTA,
            "migrationBlockedByUtilityVolumes" => MigrationFlags::BLOCKED_BY_VOLUMES,
            "migrationBlockedByBackup" => MigrationFlags::BLOCKED_BY_BACKUP,
            "decentralizedMigrationBlocked" => MigrationFlags::BLOCKED_BY_PEER,
            _ => return,
        };
        self.0.set(flag, condition.is_true());
    }
}

#[derive(Default)]
struct LastPhase(Option<Time>);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Transition<'a> {
    #[serde(borrow)]
    phase_transition_timestamp: Str<'a>,
}

impl<'de> Fold<'de> for LastPhase {
    type Item = Transition<'de>;

    fn add(&mut self, transition: Transition<'de>) {
        self.0 = self.0.max(transition.phase_transition_timestamp.time());
    }
}

impl MigrationWire<'_> {
    fn origin(&self) -> MigrationOrigin {
        let marked =
            |mark: fn(&Marks) -> bool| mark(&self.metadata.labels) || mark(&self.metadata.annotations);
        if marked(|marks| marks.drain.is_some()) {
            MigrationOrigin::Drain
        } else if marked(|marks| marks.volumes.is_some()) {
            MigrationOrigin::Volumes
        } else if marked(|marks| marks.update.is_some()) {
            MigrationOrigin::Update
        } else {
            MigrationOrigin::Asked
        }
    }
}

impl Record for Migration {
    const KIND: Kind = Kind::Migration;
    const INFO: KindInfo = KindInfo {
        group: "kubevirt.io",
        versions: &["v1", "v1alpha3"],
        name: "VirtualMachineInstanceMigration",
        plural: "virtualmachineinstancemigrations",
        words: "migrations",
        short: &["vmim", "vmims", "mig"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = MigrationWire<'de>;

    fn fold(wire: MigrationWire<'_>) -> Self {
        let (spec, status) = (&wire.spec, &wire.status);
        let state = &status.migration_state;
        let mut flags = status.conditions.0.0;
        flags.set(MigrationFlags::COMPLETED, *state.completed);
        flags.set(MigrationFlags::FAILED, *state.failed);
        if *state.abort_requested {
            flags |= MigrationFlags::ABORT_ASKED;
        }
        let far = spec.send_to.is_some() || spec.receive.is_some();
        flags.set(MigrationFlags::BETWEEN_CLUSTERS, far);
        Self {
            phase: status.phase.word(),
            vmi: spec.vmi_name.name(),
            source: state.source_node.word(),
            target: state.target_node.word(),
            failure: message(&state.failure_reason, 300),
            started: state.start_timestamp.time(),
            ended: state.end_timestamp.time(),
            phase_since: status.phase_transition_timestamps.0.0,
            mode: MigrationMode::read(&state.mode),
            origin: wire.origin(),
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
        if !self.vmi.is_empty() {
            link(name_key(Kind::Vmi, self.meta.namespace, &self.vmi));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn migration(json: &str) -> Migration {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_migration_keeps_where_and_how() {
        let done = migration(
            r#"{"metadata":{"name":"m","namespace":"shop","annotations":{"kubevirt.io/evacuationMigration":"node-1"}},"spec":{"vmiName":"web"},
            "status":{"phase":"Failed","migrationState":{"sourceNode":"node-1","targetNode":"node-2","mode":"PostCopy","failed":true,"completed":true,
            "abortRequested":true,"failureReason":"Live migration\nfailed","startTimestamp":"2026-11-21T10:34:55Z","endTimestamp":"2026-11-21T10:35:00Z"},
            "conditions":[{"type":"migrationRejectedByResourceQuota","status":"True"},{"type":"migrationBlockedByBackup","status":"False"}],
            "phaseTransitionTimestamps":[{"phase":"Failed","phaseTransitionTimestamp":"2026-11-21T10:35:00Z"},{"phase":"Pending","phaseTransitionTimestamp":"2026-11-21T10:34:51Z"}]}}"#,
        );
        assert_eq!((&*done.phase, &*done.vmi), ("Failed", "web"));
        assert_eq!((&*done.source, &*done.target), ("node-1", "node-2"));
        assert_eq!((done.mode, done.origin), (MigrationMode::PostCopy, MigrationOrigin::Drain));
        assert_eq!((done.phase_since, done.ended > done.started), (done.ended, true));
        let failed = MigrationFlags::COMPLETED | MigrationFlags::FAILED;
        assert_eq!(done.flags, failed | MigrationFlags::ABORT_ASKED | MigrationFlags::REFUSED_BY_QUOTA);
        assert_eq!(**done.failure.as_ref().unwrap(), *"Live migration failed");
        let mut links = Vec::new();
        done.part_of(&mut |key| links.push(key));
        assert_eq!(links, [name_key(Kind::Vmi, Word::new("shop"), "web")]);
    }

    #[test]
    fn null_and_missing_are_the_same() {
        let nulls = migration(
            r#"{"metadata":{"name":"m","labels":null},"spec":{"vmiName":null,"sendTo":null},"status":{"migrationState":null,"conditions":null}}"#,
        );
        assert_eq!(nulls, migration(r#"{"metadata":{"name":"m"}}"#));
        nulls.part_of(&mut |_| panic!("there is no name to link to"));
    }
}
