//! Rules in CEL of volume sets, their commands, images and supported versions.

use super::cel::Check;

const fn check(
    id: &'static str,
    kind: &'static str,
    at: &'static str,
    field: Option<&'static str>,
    rule: &'static str,
    message: &'static str,
    text: Option<&'static str>,
) -> Check {
    Check { id, kind, at, field, rule, message, text }
}

const fn set(
    id: &'static str,
    at: &'static str,
    field: Option<&'static str>,
    rule: &'static str,
    message: &'static str,
) -> Check {
    check(id, "VolumeSet", at, field, rule, message, None)
}

const fn command(
    id: &'static str,
    at: &'static str,
    field: Option<&'static str>,
    rule: &'static str,
    message: &'static str,
) -> Check {
    check(id, "VolumeCommand", at, field, rule, message, None)
}

const fn version(
    id: &'static str,
    field: Option<&'static str>,
    rule: &'static str,
    message: &'static str,
) -> Check {
    check(id, "SupportedVersion", "spec", field, rule, message, None)
}

/// The rules of all kinds but the workload.
pub(super) const OTHERS: &[Check] = &[
    check(
        "name-pattern",
        "VolumeSet",
        "",
        None,
        "self.metadata.name.matches('^[a-z][-a-z0-9]*[a-z0-9]$')",
        "the name must start with a letter, use only a-z, 0-9 and dashes, and not end with a dash",
        Some(
            "'name \"' + self.metadata.name + '\" must start with a letter, use only a-z, 0-9 and dashes, and not end with a dash'",
        ),
    ),
    check(
        "name-length",
        "VolumeSet",
        "",
        None,
        "self.metadata.name.size() <= 63",
        "the name must have at most 63 characters",
        None,
    ),
    check(
        "vs-capacity-minimum",
        "VolumeSet",
        "spec",
        Some(".initialCapacity"),
        "self.initialCapacity >= (has(self.performanceClass) && self.performanceClass == 'high-throughput-ssd' ? 200.0 : 10.0)",
        "initialCapacity is below the least of its class: 10 GB, or 200 GB for high-throughput-ssd",
        None,
    ),
    check(
        "vs-capacity-above-max",
        "VolumeSet",
        "spec",
        Some(".initialCapacity"),
        "!has(self.autoscaling) || !has(self.autoscaling.maxCapacity) || self.initialCapacity <= self.autoscaling.maxCapacity",
        "initialCapacity is above maxCapacity",
        None,
    ),
    set(
        "vs-class-immutable",
        "spec",
        Some(".performanceClass"),
        "(has(self.performanceClass) ? self.performanceClass : self.fileSystemType == 'shared' ? 'shared' : 'general-purpose-ssd') == (has(oldSelf.performanceClass) ? oldSelf.performanceClass : oldSelf.fileSystemType == 'shared' ? 'shared' : 'general-purpose-ssd')",
        "performanceClass cannot be changed; create a new volume set",
    ),
    set(
        "vs-fs-immutable",
        "spec",
        Some(".fileSystemType"),
        "self.fileSystemType == oldSelf.fileSystemType",
        "fileSystemType cannot be changed; create a new volume set",
    ),
    set(
        "vs-shared-class",
        "spec",
        Some(".performanceClass"),
        "!has(self.performanceClass) || (self.performanceClass == 'shared') == (self.fileSystemType == 'shared')",
        "class shared and file system shared go together",
    ),
    check(
        "vs-schedule",
        "VolumeSet",
        "spec.snapshots.schedule",
        None,
        "self.matches('^[ ]*[-0-9*,/]+([ ]+[-0-9*,/A-Za-z?LW#]+){4}[ ]*$')",
        "this is not a cron schedule",
        Some("'\"' + self + '\" is not a cron schedule'"),
    ),
    set(
        "vs-schedule-frequency",
        "spec.snapshots.schedule",
        None,
        "!self.matches('^[ ]*[-0-9*,/]+([ ]+[-0-9*,/A-Za-z?LW#]+){4}[ ]*$') || self.matches('^[ ]*[0-9]+[ ]')",
        "snapshots can be taken at most once per hour: schedule needs a single number of minutes",
    ),
    set(
        "vs-snapshots-shared",
        "spec",
        Some(".snapshots"),
        "!has(self.snapshots) || self.fileSystemType != 'shared'",
        "shared volume sets have no snapshots",
    ),
    set(
        "vs-predictive-needs",
        "spec.autoscaling",
        Some(".predictive"),
        "!has(self.predictive) || !has(self.predictive.enabled) || !self.predictive.enabled || has(self.minFreePercentage) && has(self.scalingFactor)",
        "predictive scaling needs minFreePercentage and scalingFactor",
    ),
    // A server compares a whole number with a limit of 1.1 as if that were 1.
    set(
        "vs-scaling-factor",
        "spec.autoscaling.scalingFactor",
        None,
        "self >= 1.1",
        "scalingFactor must be at least 1.1",
    ),
    set(
        "vs-predictive-range",
        "spec.autoscaling.predictive.scalingFactor",
        None,
        "self >= 1.1",
        "scalingFactor must be at least 1.1",
    ),
    set(
        "vs-mount-options",
        "spec",
        Some(".mountOptions"),
        "!has(self.mountOptions) || self.fileSystemType == 'shared'",
        "mountOptions are for shared volume sets; at most 4000m / 4096Mi apart and 1:4",
    ),
    set(
        "vs-mount-options",
        "spec.mountOptions.resources",
        None,
        "[string(self.minCpu), string(self.maxCpu), string(self.minMemory), string(self.maxMemory)].all(q, isQuantity(q)) && quantity(string(self.maxCpu)).sub(quantity(string(self.minCpu))).compareTo(quantity('4000m')) <= 0 && quantity(string(self.maxMemory)).sub(quantity(string(self.minMemory))).compareTo(quantity('4096Mi')) <= 0 && quantity(string(self.maxCpu)).compareTo(quantity(string(self.minCpu)).add(quantity(string(self.minCpu))).add(quantity(string(self.minCpu))).add(quantity(string(self.minCpu)))) <= 0 && quantity(string(self.maxMemory)).compareTo(quantity(string(self.minMemory)).add(quantity(string(self.minMemory))).add(quantity(string(self.minMemory))).add(quantity(string(self.minMemory)))) <= 0",
        "mountOptions are for shared volume sets; at most 4000m / 4096Mi apart and 1:4",
    ),
    set(
        "vs-encryption",
        "spec",
        Some(".customEncryption"),
        "!has(self.customEncryption)",
        "customEncryption is not available here; use an encrypted storage class",
    ),
    command(
        "command-immutable",
        "spec",
        None,
        "self == oldSelf",
        "a command cannot be changed; it is the record of what was asked",
    ),
    command(
        "snapshot-name-required",
        "spec",
        Some(".snapshotName"),
        "has(self.snapshotName) || !(self.type in ['createVolumeSnapshot', 'deleteVolumeSnapshot', 'restoreVolume'])",
        "a snapshot name is required: snapshotName",
    ),
    command(
        "command-capacity-required",
        "spec",
        Some(".newStorageCapacity"),
        "has(self.newStorageCapacity) || !(self.type in ['expandVolume', 'shrinkVolume'])",
        "a new size is required: newStorageCapacity",
    ),
    command(
        "command-argument-unused",
        "spec",
        None,
        "(!has(self.newStorageCapacity) || self.type in ['expandVolume', 'shrinkVolume']) && (!has(self.snapshotName) || self.type in ['createVolumeSnapshot', 'deleteVolumeSnapshot', 'restoreVolume']) && (!has(self.snapshotExpirationDate) && !has(self.tags) || self.type == 'createVolumeSnapshot')",
        "newStorageCapacity is for expandVolume and shrinkVolume, snapshotName for the commands about snapshots, snapshotExpirationDate and tags for createVolumeSnapshot",
    ),
    command(
        "shrink-unconfirmed",
        "spec",
        Some(".confirm"),
        "self.type != 'shrinkVolume' || has(self.confirm) && self.confirm == self.volumeSet",
        "shrinking destroys the data of the volume; set confirm to the name of the volume set",
    ),
    check(
        "command-stage-order",
        "VolumeCommand",
        "status",
        Some(".stage"),
        "!has(oldSelf.stage) || has(self.stage) && (self.stage == oldSelf.stage || self.stage in {'pending': ['running', 'cancellation-requested', 'cancelled', 'failed'], 'running': ['cancellation-requested', 'completed', 'failed'], 'cancellation-requested': ['cancelled', 'completed', 'failed'], 'cancelled': [''], 'completed': [''], 'failed': ['']}[oldSelf.stage])",
        "this stage cannot follow the one before",
        Some("'stage ' + (has(self.stage) ? self.stage : 'none') + ' cannot follow ' + oldSelf.stage"),
    ),
    check(
        "image-one-source",
        "Image",
        "spec.source",
        None,
        "[has(self.url), has(self.containerDisk), has(self.snapshot), has(self.dataSource)].filter(x, x).size() == 1",
        "an image has exactly one source: url, containerDisk, snapshot or dataSource",
        None,
    ),
    check(
        "image-kubernetes-version",
        "Image",
        "spec",
        Some(".kubernetesVersion"),
        "!has(self.purpose) || self.purpose == 'general' || has(self.kubernetesVersion)",
        "an image for Kubernetes nodes needs kubernetesVersion",
        None,
    ),
    check(
        "image-source-immutable",
        "Image",
        "spec",
        Some(".source"),
        "self.source == oldSelf.source",
        "the source of an image cannot be changed; register a new image",
        None,
    ),
    version(
        "version-immutable",
        Some(".version"),
        "self.version == oldSelf.version",
        "version cannot be changed; register a new version",
    ),
    version(
        "version-image-immutable",
        Some(".controlPlaneImage"),
        "self.controlPlaneImage == oldSelf.controlPlaneImage",
        "controlPlaneImage cannot be changed; register a new version with new images",
    ),
    version(
        "version-image-immutable",
        Some(".workerImage"),
        "self.workerImage == oldSelf.workerImage",
        "workerImage cannot be changed; register a new version with new images",
    ),
    version(
        "version-image-immutable",
        Some(".autoscalerImage"),
        "!has(oldSelf.autoscalerImage) || has(self.autoscalerImage) && self.autoscalerImage == oldSelf.autoscalerImage",
        "autoscalerImage cannot be changed; register a new version with new images",
    ),
    check(
        "version-state-order",
        "SupportedVersion",
        "spec.state",
        None,
        "self == oldSelf || self in {'Draft': ['Verified'], 'Verified': ['Published'], 'Published': ['Deprecated'], 'Deprecated': ['Published', 'EndOfLife'], 'EndOfLife': ['']}[oldSelf]",
        "this state cannot follow the one before",
        Some(
            "'state ' + self + ' cannot follow ' + oldSelf + '; the order is Draft, Verified, Published, Deprecated, EndOfLife, and Deprecated may be Published again'",
        ),
    ),
];
