//! Kinds of volume snapshots, Virtink, Kairos, and our own.

use super::columns::{AGE, boolean, date, integer, text};
use super::{Row, Scale};

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
const OWN: Row =
    Row { group: "v9s.dev", versions: &["v1alpha1"], categories: &["v9s"], status: true, ..CUSTOM };

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
    Row {
        kind: "Workload",
        plural: "workloads",
        singular: "workload",
        short: &["wl"],
        scale: Some(Scale {
            spec_replicas: "spec.defaultOptions.autoscaling.minScale",
            status_replicas: "status.replicas",
            selector: "status.selector",
        }),
        columns: &[
            text("State", ".status.health.readiness"),
            integer("Ready", ".status.readyReplicas"),
            integer("Replicas", ".spec.defaultOptions.autoscaling.minScale"),
            text("Strategy", ".spec.vm.runStrategy"),
            text("Message", ".status.message").wide(),
            text("Image", ".spec.vm.bootDisk.source.oci.image").wide(),
            text("Volumes", ".spec.vm.bootDisk.persist.volumeSet").wide(),
            AGE,
        ],
        ..OWN
    },
    Row {
        kind: "VolumeSet",
        plural: "volumesets",
        singular: "volumeset",
        short: &["vset"],
        columns: &[
            text("Class", ".spec.performanceClass"),
            text("FS", ".spec.fileSystemType"),
            text("Size", ".spec.initialCapacity").of("number"),
            text("Used By", ".status.usedByWorkload"),
            integer("Volumes", ".status.volumeCount"),
            text("Schedule", ".spec.snapshots.schedule").wide(),
            AGE,
        ],
        ..OWN
    },
    Row {
        kind: "VolumeCommand",
        plural: "volumecommands",
        singular: "volumecommand",
        short: &["vcmd"],
        columns: &[
            text("Set", ".spec.volumeSet"),
            integer("Volume", ".spec.volumeIndex"),
            text("Command", ".spec.type"),
            text("Stage", ".status.stage"),
            text("Message", ".status.message").wide(),
            AGE,
        ],
        ..OWN
    },
    Row {
        kind: "Image",
        plural: "images",
        singular: "image",
        short: &["img"],
        namespaced: false,
        columns: &[
            text("Title", ".spec.title"),
            text("Purpose", ".spec.purpose"),
            text("Kubernetes", ".spec.kubernetesVersion"),
            boolean("Enabled", ".spec.enabled"),
            boolean("Public", ".spec.public"),
            boolean("Verified", ".status.verified"),
            text("OS", ".spec.os").wide(),
            text("CNI", ".spec.cni").wide(),
            text("Size", ".status.size").wide(),
            AGE,
        ],
        ..OWN
    },
    Row {
        kind: "SupportedVersion",
        plural: "supportedversions",
        singular: "supportedversion",
        short: &["sv"],
        namespaced: false,
        columns: &[
            text("Version", ".spec.version"),
            text("State", ".spec.state"),
            text("Control Plane", ".spec.controlPlaneImage"),
            text("Worker", ".spec.workerImage"),
            integer("Clusters", ".status.clusters"),
            text("CNI", ".spec.cni").wide(),
            text("Autoscaler", ".spec.autoscalerImage").wide(),
            AGE,
        ],
        ..OWN
    },
    Row { kind: "Bake", plural: "bakes", singular: "bake", ..OWN },
];
