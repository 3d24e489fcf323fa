//! Kinds of KubeVirt.

use super::columns::{AGE, boolean, date, integer, text};
use super::custom::CUSTOM;
use super::{Row, Scale};

/// Where sets of machines keep their number.
const REPLICAS: Scale = Scale {
    spec_replicas: "spec.replicas",
    status_replicas: "status.replicas",
    selector: "status.labelSelector",
};

const KUBEVIRT: Row = Row {
    group: "kubevirt.io",
    versions: &["v1", "v1alpha3"],
    deprecated: &[(
        "v1alpha3",
        "kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.",
    )],
    ..CUSTOM
};
const POOL: Row = Row { group: "pool.kubevirt.io", versions: &["v1beta1", "v1alpha1"], ..CUSTOM };
const SNAPSHOT: Row = Row { group: "snapshot.kubevirt.io", versions: &["v1beta1", "v1alpha1"], ..CUSTOM };
const EXPORT: Row = Row {
    group: "export.kubevirt.io",
    versions: &["v1", "v1beta1"],
    deprecated: &[(
        "v1beta1",
        "export.kubevirt.io/v1beta1 VirtualMachineExport is now deprecated and will be removed in a future version.",
    )],
    ..CUSTOM
};
const CLONE: Row = Row { group: "clone.kubevirt.io", versions: &["v1beta1", "v1alpha1"], ..CUSTOM };
const INSTANCETYPE: Row = Row { group: "instancetype.kubevirt.io", versions: &["v1beta1"], ..CUSTOM };
const MIGRATIONS: Row = Row { group: "migrations.kubevirt.io", versions: &["v1alpha1"], ..CUSTOM };
const BACKUP: Row = Row { group: "backup.kubevirt.io", versions: &["v1alpha1"], ..CUSTOM };
const PLUGIN: Row = Row { group: "plugin.kubevirt.io", versions: &["v1alpha1"], ..CUSTOM };
const TEMPLATE: Row = Row { group: "template.kubevirt.io", versions: &["v1beta1", "v1alpha1"], ..CUSTOM };

pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "KubeVirt",
        plural: "kubevirts",
        singular: "kubevirt",
        short: &["kv", "kvs"],
        categories: &["all"],
        status: true,
        columns: &[AGE, text("Phase", ".status.phase")],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachineInstanceMigration",
        plural: "virtualmachineinstancemigrations",
        singular: "virtualmachineinstancemigration",
        short: &["vmim", "vmims"],
        categories: &["all"],
        status: true,
        columns: &[
            text("Phase", ".status.phase").about("How far the migration is"),
            text("VMI", ".spec.vmiName").about("The instance that moves"),
        ],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachineInstancePreset",
        plural: "virtualmachineinstancepresets",
        singular: "virtualmachineinstancepreset",
        short: &["vmipreset", "vmipresets"],
        deprecated: &[
            (
                "v1",
                "kubevirt.io/v1 VirtualMachineInstancePresets is now deprecated and will be removed in v2.",
            ),
            (
                "v1alpha3",
                "kubevirt.io/v1alpha3 VirtualMachineInstancePresets is now deprecated and will be removed in v2.",
            ),
        ],
        categories: &["all"],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachineInstanceReplicaSet",
        plural: "virtualmachineinstancereplicasets",
        singular: "virtualmachineinstancereplicaset",
        short: &["vmirs", "vmirss"],
        categories: &["all"],
        status: true,
        scale: Some(REPLICAS),
        columns: &[
            integer("Desired", ".spec.replicas").about("How many are wanted"),
            integer("Current", ".status.replicas").about("How many there are"),
            integer("Ready", ".status.readyReplicas").about("How many are ready"),
            AGE,
        ],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachineInstance",
        plural: "virtualmachineinstances",
        singular: "virtualmachineinstance",
        short: &["vmi", "vmis"],
        categories: &["all"],
        columns: &[
            AGE,
            text("Phase", ".status.phase"),
            text("IP", ".status.interfaces[0].ipAddress"),
            text("NodeName", ".status.nodeName"),
            text("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            text("Live-Migratable", ".status.conditions[?(@.type=='LiveMigratable')].status").wide(),
            text("Paused", ".status.conditions[?(@.type=='Paused')].status").wide(),
        ],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short: &["vm", "vms"],
        categories: &["all"],
        status: true,
        columns: &[
            AGE,
            text("Status", ".status.printableStatus").about("The state in one word"),
            text("Ready", ".status.conditions[?(@.type=='Ready')].status"),
        ],
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachinePool",
        plural: "virtualmachinepools",
        singular: "virtualmachinepool",
        short: &["vmpool", "vmpools"],
        categories: &["all"],
        status: true,
        scale: Some(REPLICAS),
        columns: &[
            integer("Desired", ".spec.replicas").about("How many are wanted"),
            integer("Current", ".status.replicas").about("How many there are"),
            integer("Ready", ".status.readyReplicas").about("How many are ready"),
            AGE,
        ],
        ..POOL
    },
    Row {
        kind: "VirtualMachineRestore",
        plural: "virtualmachinerestores",
        singular: "virtualmachinerestore",
        short: &["vmrestore", "vmrestores"],
        categories: &["all"],
        status: true,
        columns: &[
            text("TargetKind", ".spec.target.kind"),
            text("TargetName", ".spec.target.name"),
            boolean("Complete", ".status.complete"),
            date("RestoreTime", ".status.restoreTime"),
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VirtualMachineSnapshotContent",
        plural: "virtualmachinesnapshotcontents",
        singular: "virtualmachinesnapshotcontent",
        short: &["vmsnapshotcontent", "vmsnapshotcontents"],
        categories: &["all"],
        status: true,
        columns: &[
            boolean("ReadyToUse", ".status.readyToUse"),
            date("CreationTime", ".status.creationTime"),
            text("Error", ".status.error.message"),
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VirtualMachineSnapshot",
        plural: "virtualmachinesnapshots",
        singular: "virtualmachinesnapshot",
        short: &["vmsnapshot", "vmsnapshots"],
        categories: &["all"],
        status: true,
        columns: &[
            text("SourceKind", ".spec.source.kind"),
            text("SourceName", ".spec.source.name"),
            text("Phase", ".status.phase"),
            boolean("ReadyToUse", ".status.readyToUse"),
            date("CreationTime", ".status.creationTime"),
            text("Error", ".status.error.message"),
        ],
        ..SNAPSHOT
    },
    Row {
        kind: "VirtualMachineExport",
        plural: "virtualmachineexports",
        singular: "virtualmachineexport",
        short: &["vmexport", "vmexports"],
        categories: &["all"],
        status: true,
        columns: &[
            text("SourceKind", ".spec.source.kind"),
            text("SourceName", ".spec.source.name"),
            text("Phase", ".status.phase"),
        ],
        ..EXPORT
    },
    Row {
        kind: "VirtualMachineClone",
        plural: "virtualmachineclones",
        singular: "virtualmachineclone",
        short: &["vmclone", "vmclones"],
        categories: &["all"],
        status: true,
        columns: &[
            text("Phase", ".status.phase"),
            text("SourceVirtualMachine", ".spec.source.name"),
            text("TargetVirtualMachine", ".spec.target.name"),
        ],
        ..CLONE
    },
    Row {
        kind: "VirtualMachineClusterInstancetype",
        plural: "virtualmachineclusterinstancetypes",
        singular: "virtualmachineclusterinstancetype",
        short: &["vmclusterinstancetype", "vmclusterinstancetypes", "vmcf", "vmcfs"],
        namespaced: false,
        ..INSTANCETYPE
    },
    Row {
        kind: "VirtualMachineClusterPreference",
        plural: "virtualmachineclusterpreferences",
        singular: "virtualmachineclusterpreference",
        short: &["vmcp", "vmcps"],
        namespaced: false,
        ..INSTANCETYPE
    },
    Row {
        kind: "VirtualMachineInstancetype",
        plural: "virtualmachineinstancetypes",
        singular: "virtualmachineinstancetype",
        short: &["vminstancetype", "vminstancetypes", "vmf", "vmfs"],
        categories: &["all"],
        ..INSTANCETYPE
    },
    Row {
        kind: "VirtualMachinePreference",
        plural: "virtualmachinepreferences",
        singular: "virtualmachinepreference",
        short: &["vmpref", "vmprefs", "vmp", "vmps"],
        categories: &["all"],
        ..INSTANCETYPE
    },
    Row {
        kind: "MigrationPolicy",
        plural: "migrationpolicies",
        singular: "migrationpolicy",
        namespaced: false,
        status: true,
        ..MIGRATIONS
    },
    Row {
        kind: "VirtualMachineBackup",
        plural: "virtualmachinebackups",
        singular: "virtualmachinebackup",
        short: &["vmbackup", "vmbackups"],
        categories: &["all"],
        status: true,
        columns: &[
            text("SourceKind", ".spec.source.kind"),
            text("SourceName", ".spec.source.name"),
            text("Type", ".status.type"),
            text("CheckpointName", ".status.checkpointName"),
        ],
        ..BACKUP
    },
    Row {
        kind: "VirtualMachineBackupTracker",
        plural: "virtualmachinebackuptrackers",
        singular: "virtualmachinebackuptracker",
        short: &["vmbackuptracker", "vmbackuptrackers"],
        categories: &["all"],
        status: true,
        columns: &[
            text("SourceKind", ".spec.source.kind"),
            text("SourceName", ".spec.source.name"),
            text("LatestCheckpoint", ".status.latestCheckpoint.name"),
            date("CheckpointTime", ".status.latestCheckpoint.creationTime"),
        ],
        ..BACKUP
    },
    Row { kind: "Plugin", plural: "plugins", singular: "plugin", namespaced: false, ..PLUGIN },
    Row {
        kind: "VirtualMachineTemplateRequest",
        plural: "virtualmachinetemplaterequests",
        singular: "virtualmachinetemplaterequest",
        short: &["vmtr", "vmtrs"],
        status: true,
        columns: &[
            text("Template", ".status.templateRef.name"),
            AGE,
            text("Ready", ".status.conditions[?(@.type==\"Ready\")].status"),
            text("Progressing", ".status.conditions[?(@.type==\"Progressing\")].status"),
        ],
        ..TEMPLATE
    },
    Row {
        kind: "VirtualMachineTemplate",
        plural: "virtualmachinetemplates",
        singular: "virtualmachinetemplate",
        short: &["vmt", "vmts"],
        status: true,
        columns: &[AGE, text("Ready", ".status.conditions[?(@.type==\"Ready\")].status")],
        ..TEMPLATE
    },
];
