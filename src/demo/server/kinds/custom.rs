//! Kinds of volume snapshots, Virtink, Kairos, and our own.

use super::Row;
use super::columns::{AGE, boolean, date, integer, text};

/// A custom resource in namespaces; the rest is filled in by each row.
pub(super) const CUSTOM: Row = Row {
    group: "",
    versions: &[],
    deprecated: &[],
    kind: "",
    plural: "",
    singular: "",
    short: &[],
    categories: &[],
    namespaced: true,
    builtin: false,
    status: false,
    scale: None,
    subresources: &[],
    columns: &[],
    selectable: &[],
};

const SNAPSHOT: Row = Row { group: "snapshot.storage.k8s.io", versions: &["v1"], ..CUSTOM };
const VIRTINK: Row = Row { group: "virt.virtink.smartx.com", versions: &["v1alpha1"], ..CUSTOM };
const KAIROS: Row = Row { group: "build.kairos.io", versions: &["v1alpha2"], status: true, ..CUSTOM };
const OWN: Row = Row { group: "v9s.dev", versions: &["v1alpha1"], status: true, ..CUSTOM };

pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "VolumeSnapshotClass",
        plural: "volumesnapshotclasses",
        singular: "volumesnapshotclass",
        short: &["vsclass", "vsclasses"],
        namespaced: false,
        columns: &[
            text("Driver", ".driver"),
            text("DeletionPolicy", ".deletionPolicy")
                .about("What happens to the storage when the snapshot goes"),
            AGE,
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VolumeSnapshotContent",
        plural: "volumesnapshotcontents",
        singular: "volumesnapshotcontent",
        short: &["vsc", "vscs"],
        namespaced: false,
        status: true,
        columns: &[
            boolean("ReadyToUse", ".status.readyToUse").about("Whether a volume can be restored from it"),
            integer("RestoreSize", ".status.restoreSize").about("Least size of a volume restored from it"),
            text("DeletionPolicy", ".spec.deletionPolicy")
                .about("What happens to the storage when the snapshot goes"),
            text("Driver", ".spec.driver").about("Driver that took it"),
            text("VolumeSnapshotClass", ".spec.volumeSnapshotClassName").about("How it was taken"),
            text("VolumeSnapshot", ".spec.volumeSnapshotRef.name").about("The snapshot it belongs to"),
            text("VolumeSnapshotNamespace", ".spec.volumeSnapshotRef.namespace")
                .about("Namespace of that snapshot"),
            AGE,
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VolumeSnapshot",
        plural: "volumesnapshots",
        singular: "volumesnapshot",
        short: &["vs"],
        status: true,
        columns: &[
            boolean("ReadyToUse", ".status.readyToUse").about("Whether a volume can be restored from it"),
            text("SourcePVC", ".spec.source.persistentVolumeClaimName").about("The claim it is taken of"),
            text("SourceSnapshotContent", ".spec.source.volumeSnapshotContentName")
                .about("The content it stands for"),
            text("RestoreSize", ".status.restoreSize").about("Least size of a volume restored from it"),
            text("SnapshotClass", ".spec.volumeSnapshotClassName").about("How it is taken"),
            text("SnapshotContent", ".status.boundVolumeSnapshotContentName").about("Where it is kept"),
            date("CreationTime", ".status.creationTime").about("When it was taken"),
            AGE,
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VirtualMachineMigration",
        plural: "virtualmachinemigrations",
        singular: "virtualmachinemigration",
        short: &["vmm"],
        status: true,
        columns: &[
            text("VM", ".spec.vmName"),
            text("Source", ".status.sourceNodeName"),
            text("Target", ".status.targetNodeName"),
            text("Status", ".status.phase"),
        ],
        ..VIRTINK
    },
    Row {
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short: &["vm"],
        status: true,
        columns: &[text("Status", ".status.phase"), text("Node", ".status.nodeName")],
        ..VIRTINK
    },
    Row {
        kind: "OSArtifact",
        plural: "osartifacts",
        singular: "osartifact",
        columns: &[text("Phase", ".status.phase"), date("Age", ".metadata.creationTimestamp").about("Age")],
        ..KAIROS
    },
    Row { kind: "Workload", plural: "workloads", singular: "workload", short: &["wl"], ..OWN },
    Row { kind: "VolumeSet", plural: "volumesets", singular: "volumeset", short: &["vset"], ..OWN },
    Row {
        kind: "VolumeCommand",
        plural: "volumecommands",
        singular: "volumecommand",
        short: &["vcmd"],
        ..OWN
    },
    Row { kind: "Image", plural: "images", singular: "image", short: &["img"], namespaced: false, ..OWN },
    Row {
        kind: "SupportedVersion",
        plural: "supportedversions",
        singular: "supportedversion",
        short: &["sv"],
        namespaced: false,
        ..OWN
    },
    Row { kind: "Bake", plural: "bakes", singular: "bake", ..OWN },
];
