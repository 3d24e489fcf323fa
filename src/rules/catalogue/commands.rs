//! Commands on volume sets, and of the command line.

use super::super::fix::Fix;
use super::super::known::{Known, Lookup, Snapshot, StorageClass, Volume, VolumeSet};
use super::super::patterns::nearest;
use super::super::rule::{Cel, Check, ERROR, Needs, Rule, because, by_the_command};
use super::super::subject::Subject;
use super::volume_set::{LARGEST, least};

const COMMANDS: &[&str] = &[
    "createVolumeSnapshot",
    "deleteVolumeSnapshot",
    "restoreVolume",
    "expandVolume",
    "shrinkVolume",
    "deleteVolume",
    "replaceVolume",
];

/// A row about a command on a volume set that other objects decide.
const COMMAND: Rule =
    Rule { on: &[Subject::VolumeCommand], cel: because::OTHERS, needs: Needs::Cluster, ..ERROR };

/// A row about a command on a volume set that its document decides.
const WRITTEN: Rule = Rule { on: &[Subject::VolumeCommand], ..ERROR };

/// A row of the command line.
const LINE: Rule = Rule {
    cel: Cel::No("it belongs to a command line"),
    needs: Needs::Command,
    check: by_the_command,
    ..ERROR
};

/// What a command is about, as far as it is known.
struct Target<'a> {
    command: &'a str,
    index: i64,
    set: &'a VolumeSet,
    volume: &'a Volume,
    known: &'a Known,
}

impl<'a> Target<'a> {
    fn of(c: &Check<'a>) -> Option<Self> {
        let index = c.root().get("spec.volumeIndex").int()?;
        let Lookup::Here(set) = volume_set(c) else { return None };
        let volume = set.volumes.iter().find(|volume| volume.index == index)?;
        Some(Self { command: command(c), index, set, volume, known: c.known })
    }

    fn storage_class(&self) -> Option<&'a StorageClass> {
        let name = self.volume.storage_class.as_deref()?;
        self.known.storage_classes.as_deref()?.iter().find(|class| class.name == name)
    }

    fn snapshot(&self, name: &str) -> Option<&'a Snapshot> {
        self.volume.snapshots.iter().find(|snapshot| snapshot.name == name)
    }
}

fn command<'a>(c: &Check<'a>) -> &'a str {
    c.root().get("spec.type").text().unwrap_or_default()
}

fn volume_set<'a>(c: &Check<'a>) -> Lookup<'a, VolumeSet> {
    let name = c.root().get("spec.volumeSet").text().unwrap_or_default();
    let gvc = c.at.document().gvc().or(c.options.gvc.as_deref()).unwrap_or_default();
    c.known.volume_set(name, gvc)
}

fn names_a_snapshot(command: &str) -> bool {
    matches!(command, "createVolumeSnapshot" | "deleteVolumeSnapshot" | "restoreVolume")
}

/// Lower-case letters and digits, with dots and dashes between them.
fn is_snapshot_name(name: &str) -> bool {
    let end = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    name.len() <= 253
        && name.bytes().all(|byte| end(byte) || matches!(byte, b'.' | b'-'))
        && name.bytes().next().is_some_and(end)
        && name.bytes().next_back().is_some_and(end)
}

fn index(c: &mut Check<'_>) {
    let set = c.root().get("spec.volumeSet").shown();
    let absent = |index: i64| match volume_set(c) {
        Lookup::Unknown => false,
        Lookup::Absent => true,
        Lookup::Here(set) => !set.volumes.iter().any(|volume| volume.index == index),
    };
    if c.at.int().is_none_or(|index| index < 0 || absent(index)) {
        let shown = c.at.shown();
        c.report(&[&set, &shown]);
    }
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "cmd-unknown",
        path: "spec.type",
        text: "unknown command \"{}\"",
        check: |c| {
            if c.text().is_none_or(|text| !COMMANDS.contains(&text)) {
                let shown = if c.at.missing() { "".into() } else { c.at.shown() };
                let near = nearest(&shown, COMMANDS.iter().copied());
                let fix = near.and_then(|near| Fix::set(&c.at, near));
                c.report(&[&shown]).fix(fix);
            }
        },
        bad: &["spec.type: growVolume", "spec.type: createVolumeSnapshots", "!spec.type"],
        good: &["spec: {type: deleteVolume, volumeSet: data, volumeIndex: 0}"],
        ..WRITTEN
    },
    Rule {
        id: "cmd-location",
        path: "spec.location",
        text: "location \"{}\" is not known; use \"{}\"",
        cel: Cel::No("it depends on the cluster"),
        check: |c| {
            // A command in a cluster is about this cluster, unless it says another one.
            if let (Some(text), Some(own)) = (c.text(), c.known.location.as_deref())
                && text != own
            {
                let fix = Fix::set(&c.at, own);
                c.report(&[&text, &own]).fix(fix);
            }
        },
        bad: &[
            "spec.location: aws-us-west-2\nknown: {location: lab}",
            "spec.location: ''\nknown: {location: lab}",
        ],
        good: &["spec.location: lab\nknown: {location: lab}", "spec.location: aws-us-west-2"],
        ..COMMAND
    },
    Rule {
        id: "cmd-index",
        path: "spec.volumeIndex",
        text: "volume set \"{}\" has no volume {}",
        cel: Cel::Yes,
        check: index,
        bad: &[
            "spec.volumeIndex: -1",
            "spec.volumeIndex: 0.5",
            "spec.volumeIndex: first",
            "!spec.volumeIndex",
            "spec.volumeIndex: 1\nknown: {volumeSets: [{name: data, volumes: [{index: 0}]}]}\nunseen",
            "spec.volumeIndex: 0\nknown: {volumeSets: []}\nunseen",
        ],
        good: &[
            "spec.volumeIndex: 1\nknown: {volumeSets: [{name: data, volumes: [{index: 0}, {index: 1}]}]}",
            "spec.volumeIndex: 7",
        ],
        ..COMMAND
    },
    Rule {
        id: "cmd-shared",
        path: "spec.type",
        text: "shared volume sets support only expandVolume",
        check: |c| {
            if let Lookup::Here(set) = volume_set(c)
                && set.file_system_type == "shared"
                && COMMANDS.contains(&command(c))
                && command(c) != "expandVolume"
            {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.type: createVolumeSnapshot\nknown: {volumeSets: [{name: data, fileSystemType: shared, volumes: [{index: 0, size: 10}]}]}",
        ],
        good: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nknown: {volumeSets: [{name: data, fileSystemType: shared, volumes: [{index: 0, size: 10}]}]}",
            "spec.type: createVolumeSnapshot\nknown: {volumeSets: [{name: data, fileSystemType: ext4, volumes: [{index: 0}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "cmd-volume-busy",
        path: "spec.volumeIndex",
        text: "volume {} is busy with {}",
        check: |c| {
            if let Some(target) = Target::of(c)
                && let Some(busy) = &target.volume.busy_with
            {
                c.report(&[&target.index, busy]);
            }
        },
        bad: &[
            "spec.volumeIndex: 0\nknown: {volumeSets: [{name: data, volumes: [{index: 0, busyWith: restoreVolume}]}]}",
        ],
        good: &[
            "spec.volumeIndex: 1\nknown: {volumeSets: [{name: data, volumes: [{index: 0, busyWith: restoreVolume}, {index: 1}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "expand-not-larger",
        path: "spec.newStorageCapacity",
        text: "new size {} must be larger than {}",
        check: |c| {
            if let (Some(size), Some(target)) = (c.at.number(), Target::of(c))
                && target.command == "expandVolume"
                && size <= target.volume.size
            {
                c.report(&[&size, &target.volume.size]);
            }
        },
        bad: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}\nat spec.newStorageCapacity",
        ],
        good: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 21}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}",
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 10}",
        ],
        ..COMMAND
    },
    Rule {
        id: "expand-above-maximum",
        path: "spec.newStorageCapacity",
        text: "new size {} is above {}",
        check: |c| {
            if let Some(size) = c.at.number().filter(|size| *size > LARGEST)
                && command(c) == "expandVolume"
            {
                c.report(&[&size, &LARGEST]);
            }
        },
        bad: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 65537}\nat spec.newStorageCapacity",
        ],
        good: &["spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 65536}"],
        ..WRITTEN
    },
    Rule {
        id: "expand-class-fixed",
        path: "spec.type",
        text: "storage class \"{}\" cannot grow volumes",
        check: |c| {
            if let Some(target) = Target::of(c).filter(|target| target.command == "expandVolume")
                && let Some(class) = target.storage_class().filter(|class| !class.expands)
            {
                c.report(&[&class.name]);
            }
        },
        bad: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 10, storageClass: a}]}], storageClasses: [{name: a}]}\nat spec.type",
        ],
        good: &[
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 10, storageClass: a}]}], storageClasses: [{name: a, expands: true}]}",
            "spec: {type: expandVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 10, storageClass: a}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "shrink-not-smaller",
        path: "spec.newStorageCapacity",
        text: "new size {} must be smaller than {}",
        check: |c| {
            if let (Some(size), Some(target)) = (c.at.number(), Target::of(c))
                && target.command == "shrinkVolume"
                && size >= target.volume.size
            {
                c.report(&[&size, &target.volume.size]);
            }
        },
        bad: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20, confirm: data}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}\nat spec.newStorageCapacity",
        ],
        good: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 19, confirm: data}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "shrink-below-minimum",
        path: "spec.newStorageCapacity",
        text: "class {} needs at least {} GB",
        check: |c| {
            if let (Some(size), Some(target)) = (c.at.number(), Target::of(c)) {
                let class = match target.set.performance_class.as_str() {
                    "" => "general-purpose-ssd",
                    class => class,
                };
                if target.command == "shrinkVolume" && size < least(class) {
                    c.report(&[&class, &least(class)]);
                }
            }
        },
        bad: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 9, confirm: data}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}\nat spec.newStorageCapacity",
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 199, confirm: data}\nknown: {volumeSets: [{name: data, performanceClass: high-throughput-ssd, volumes: [{index: 0, size: 300}]}]}\nat spec.newStorageCapacity",
        ],
        good: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 10, confirm: data}\nknown: {volumeSets: [{name: data, volumes: [{index: 0, size: 20}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "shrink-unconfirmed",
        path: "spec.confirm",
        text: "shrinking destroys the data of volume {}; confirm with its name",
        check: |c| {
            let set = c.at.holder().get("volumeSet").text();
            if command(c) == "shrinkVolume" && (c.at.missing() || c.text().is_some() && c.text() != set) {
                let index = c.at.holder().get("volumeIndex");
                let volume = format!("{} of {}", index.shown(), set.unwrap_or_default());
                c.report(&[&volume]);
            }
        },
        bad: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20}\nat spec.confirm",
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20, confirm: 'yes'}\nat spec.confirm",
        ],
        good: &[
            "spec: {type: shrinkVolume, volumeSet: data, volumeIndex: 0, newStorageCapacity: 20, confirm: data}",
        ],
        ..WRITTEN
    },
    Rule {
        id: "snapshot-name-required",
        path: "spec.snapshotName",
        text: "a snapshot name is required",
        check: |c| {
            if names_a_snapshot(command(c)) && !c.text().is_some_and(is_snapshot_name) {
                c.report(&[]);
            }
        },
        bad: &[
            "!spec.snapshotName",
            "spec.snapshotName: ''",
            "spec.snapshotName: Before",
            "spec.snapshotName: before-",
            "spec: {type: restoreVolume, volumeSet: data, volumeIndex: 0}\nat spec.snapshotName",
        ],
        good: &["spec.snapshotName: before.1", "spec: {type: deleteVolume, volumeSet: data, volumeIndex: 0}"],
        ..WRITTEN
    },
    Rule {
        id: "snapshot-name-taken",
        path: "spec.snapshotName",
        text: "volume {} already has a snapshot \"{}\"",
        check: |c| {
            if let (Some(name), Some(target)) = (c.text(), Target::of(c))
                && target.command == "createVolumeSnapshot"
                && target.snapshot(name).is_some()
            {
                c.report(&[&target.index, &name]);
            }
        },
        bad: &[
            "spec.snapshotName: before\nknown: {volumeSets: [{name: data, volumes: [{index: 0, snapshots: [{name: before}]}]}]}",
        ],
        good: &[
            "spec.snapshotName: before\nknown: {volumeSets: [{name: data, volumes: [{index: 0}, {index: 1, snapshots: [{name: before}]}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "snapshot-not-found",
        path: "spec.snapshotName",
        text: "volume {} has no snapshot \"{}\"",
        check: |c| {
            if let (Some(name), Some(target)) = (c.text(), Target::of(c))
                && matches!(target.command, "restoreVolume" | "deleteVolumeSnapshot")
                && is_snapshot_name(name)
                && target.snapshot(name).is_none()
            {
                let names = target.volume.snapshots.iter().map(|snapshot| snapshot.name.as_str());
                let fix = nearest(name, names).and_then(|near| Fix::set(&c.at, near));
                c.report(&[&target.index, &name]).fix(fix);
            }
        },
        bad: &[
            "spec.type: restoreVolume\nknown: {volumeSets: [{name: data, volumes: [{index: 0}]}]}\nat spec.snapshotName",
            "spec.type: deleteVolumeSnapshot\nknown: {volumeSets: [{name: data, volumes: [{index: 0, snapshots: [{name: befor}]}]}]}\nat spec.snapshotName",
        ],
        good: &[
            "spec.type: restoreVolume\nknown: {volumeSets: [{name: data, volumes: [{index: 0, snapshots: [{name: before, ready: true}]}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "snapshot-not-ready",
        path: "spec.snapshotName",
        text: "snapshot \"{}\" is not ready yet",
        check: |c| {
            if let (Some(name), Some(target)) = (c.text(), Target::of(c))
                && target.command == "restoreVolume"
                && target.snapshot(name).is_some_and(|snapshot| !snapshot.ready)
            {
                c.report(&[&name]);
            }
        },
        bad: &[
            "spec.type: restoreVolume\nknown: {volumeSets: [{name: data, volumes: [{index: 0, snapshots: [{name: before}]}]}]}\nat spec.snapshotName",
        ],
        good: &[
            "spec.type: deleteVolumeSnapshot\nknown: {volumeSets: [{name: data, volumes: [{index: 0, snapshots: [{name: before}]}]}]}",
        ],
        ..COMMAND
    },
    Rule {
        id: "snapshot-expiry",
        path: "spec.snapshotExpirationDate",
        text: "\"{}\" is not a time in the future",
        cel: Cel::No("CEL has no clock"),
        check: |c| {
            let now = c.options.now;
            c.text_must(|text| {
                let time = text.parse::<jiff::Timestamp>().ok();
                time.is_some_and(|time| now.is_none_or(|now| now < time.as_second()))
            });
        },
        bad: &[
            "spec.snapshotExpirationDate: tomorrow",
            "spec.snapshotExpirationDate: '2027-01-31'",
            "spec.snapshotExpirationDate: '2027-13-01T00:00:00Z'",
            "spec.snapshotExpirationDate: '2001-09-09T01:46:40Z'\noptions: {now: 1000000000}\nunseen",
        ],
        good: &[
            "spec.snapshotExpirationDate: '2001-09-09T01:46:41Z'\noptions: {now: 1000000000}",
            "spec.snapshotExpirationDate: '2027-01-31T00:00:00+02:00'",
        ],
        ..WRITTEN
    },
    Rule {
        id: "snapshot-unsupported",
        path: "spec.type",
        text: "the storage of this volume cannot take snapshots",
        check: |c| {
            if let Some(target) = Target::of(c).filter(|target| target.command == "createVolumeSnapshot")
                && target.storage_class().is_some_and(|class| !class.snapshots)
            {
                c.report(&[]);
            }
        },
        bad: &[
            "known: {volumeSets: [{name: data, volumes: [{index: 0, storageClass: a}]}], storageClasses: [{name: a}]}\nat spec.type",
        ],
        good: &[
            "known: {volumeSets: [{name: data, volumes: [{index: 0, storageClass: a}]}], storageClasses: [{name: a, snapshots: true}]}",
            "known: {volumeSets: [{name: data, volumes: [{index: 0, storageClass: a}]}]}",
        ],
        ..COMMAND
    },
    Rule { id: "forward-mapping", text: "\"{}\" is not a port mapping such as 8080:80, 80 or :80", ..LINE },
    Rule { id: "forward-address", text: "\"{}\" is not an IP address or localhost", ..LINE },
    Rule { id: "forward-bind", text: "cannot listen on {}: {}", ..LINE },
    Rule { id: "forward-no-replica", text: "workload \"{}\" has no running replica{}", ..LINE },
    Rule {
        id: "connect-no-sshd",
        text: "the guest does not answer on port 22; it may not run cloud-init, try the serial console",
        ..LINE
    },
    Rule { id: "exec-no-command", text: "no command given; put it after --", ..LINE },
    Rule { id: "apply-ready-dry-run", text: "--dry-run cannot be combined with --ready", ..LINE },
];
