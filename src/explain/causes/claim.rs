//! A claim is not made, does not get its volume, or somebody else has it.

use super::{Cause, cause};
use crate::store::Health::{Busy, Failed, Idle, Warning};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "passing-noise",
        Busy,
        r#"the object has been modified|Operation cannot be fulfilled on |persistentvolumeclaims "prime-[^"]+" already exists|Import Successful|^Import Complete|No PVC found$|^(?:NoVolumeSnapshotClass|NoVolumeExpansion|IncompatibleVolumeModes|IncompatibleProvisioners|NoProvisionerMatch|NoPopulator|RetainedPVCPrime|ClaimMisbound)\b|^(?:Import|Upload)TargetInUse: pod \S+/(?:importer|cdi-upload)-|^[iI]mportFailed: (?:Failed to )?import into "#,
        "",
        "",
        &[
            (
                r#"Error saving claim: Operation cannot be fulfilled on persistentvolumeclaims "prime-1": the object has been modified; please apply your changes to the latest version and try again"#,
                "",
            ),
            ("Import Successful", ""),
            ("NotFound: No PVC found", ""),
            // CDI copies by way of pods then, which is slow and no failure.
            ("NoVolumeSnapshotClass: No compatible volumesnapshotclass found", ""),
            ("NoPopulator: In tree storage class does not support snapshot/clone", ""),
            ("RetainedPVCPrime: PVC Prime retained in Lost state for debugging purposes", ""),
            ("ImportTargetInUse: pod shop/importer-prime-1 using PersistentVolumeClaim prime-1", ""),
            // Why stands in other events.
            ("importFailed: import into root failed", ""),
        ],
    ),
    cause(
        "first-consumer",
        Idle,
        r"waiting for first consumer to be created before binding|^WaitForFirstConsumer$|^PendingPopulation$",
        "waits for its first consumer",
        "The volume is made where the first machine that uses it runs: start one.",
        &[
            ("waiting for first consumer to be created before binding", "waits for its first consumer"),
            ("PendingPopulation", "waits for its first consumer"),
        ],
    ),
    cause(
        "waits-for-pod",
        Busy,
        r"waiting for pod (?<pod>\S+) to be scheduled",
        "waits until its pod has a node",
        "The volume is made where {pod} runs, and that has no node yet.",
        &[("waiting for pod importer-prime-1 to be scheduled", "waits until its pod has a node")],
    ),
    cause(
        "provisioner-silent",
        Busy,
        r"Waiting for a volume to be created either by the external provisioner '(?<driver>[^']+)'",
        "waits for {driver}",
        "The storage driver {driver} was asked for a volume and has not made it. If that takes longer than a minute, it does not run, or listens to another name.",
        &[(
            "Waiting for a volume to be created either by the external provisioner 'rook-ceph.rbd.csi.ceph.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
            "waits for rook-ceph.rbd.csi.ceph.com",
        )],
    ),
    cause(
        "scratch-pending",
        Busy,
        r"^CreatingScratchSpace|^Creating scratch space",
        "waits for scratch space",
        "The worker needs scratch space, a claim of its own, which has no volume yet.",
        &[("CreatingScratchSpace: Creating scratch space", "waits for scratch space")],
    ),
    cause(
        "snapshot-restore-too-small",
        Failed,
        r"requested volume size (?<have_bytes>\d+) is less than the size (?<need_bytes>\d+) for the source snapshot",
        "smaller than its snapshot: {have_bytes} < {need_bytes}",
        "A disk from a snapshot cannot be smaller than that ({need_bytes}): ask for more, or leave the size out.",
        &[(
            r#"ProvisioningFailed: failed to provision volume with StorageClass "fast": error getting handle for DataSource Type VolumeSnapshot by Name s: requested volume size 1073741824 is less than the size 2147483648 for the source snapshot s"#,
            "smaller than its snapshot: 1Gi < 2Gi",
        )],
    ),
    cause(
        "snapshot-restore-pending",
        Failed,
        r"error getting handle for DataSource Type VolumeSnapshot by Name (?<snapshot>[^:\s]+): (?<why>.+)",
        "snapshot {snapshot} cannot be read: {why}",
        "The storage driver cannot make the volume from the snapshot {snapshot}: {why}.",
        &[(
            r#"failed to provision volume with StorageClass "fast": error getting handle for DataSource Type VolumeSnapshot by Name tmp-snapshot-1: snapshot tmp-snapshot-1 is not Ready"#,
            "snapshot tmp-snapshot-1 cannot be read: snapshot tmp-snapshot-1 is not Ready",
        )],
    ),
    cause(
        "access-mode-unsupported",
        Failed,
        r"(?i)(?<why>multi.?node access modes? (?:is|are) only supported[\w ]*|access ?modes?[\w ,:\[\]]* not supported|volume mode \S+ (?:is )?not supported|volume capabilit(?:y|ies)[\w ]* not supported|unsupported access mode[\w ]*)",
        "the class does not offer this: {why}",
        "The storage class does not offer the access mode or volume mode that is asked for ({why}): take one that it offers, or another class. Live migration needs ReadWriteMany.",
        &[
            (
                r#"failed to provision volume with StorageClass "fast": rpc error: code = InvalidArgument desc = access mode not supported"#,
                "the class does not offer this: access mode not supported",
            ),
            (
                r#"ProvisioningFailed: failed to provision volume with StorageClass "rbd": rpc error: code = InvalidArgument desc = multi node access modes are only supported on rbd `block` type volumes"#,
                "the class does not offer this: multi node access modes are only supported on rbd",
            ),
        ],
    ),
    cause(
        "storage-full",
        Failed,
        r"code = ResourceExhausted desc = (?<why>.+)|(?<short>not enough (?:free )?capacity[^:]*)",
        "storage is full: {why}{short}",
        "The storage system has no room for the volume: {why}{short}.",
        &[
            (
                r#"failed to provision volume with StorageClass "fast": rpc error: code = ResourceExhausted desc = pool fast-blockpool is nearly full, 3 % left"#,
                "storage is full: pool fast-blockpool is nearly full, 3 % left",
            ),
            (
                "rpc error: code = ResourceExhausted desc = pool blockpool is nearly full, 3 % left",
                "storage is full: pool blockpool is nearly full, 3 % left",
            ),
        ],
    ),
    cause(
        "provisioning-failed",
        Failed,
        r#"failed to provision volume with StorageClass "(?<class>[^"]+)": (?:rpc error: code = \w+ desc = )?(?<why>.+)"#,
        "{class}: {why}",
        "The storage driver refuses to make the volume in class {class}: {why}.",
        &[(
            r#"failed to provision volume with StorageClass "fast": rpc error: code = Internal desc = the pool is read-only"#,
            "fast: the pool is read-only",
        )],
    ),
    cause(
        "volume-resize-failed",
        Failed,
        r"^VolumeResizeFailed: (?:.*desc = )?(?<why>.+)",
        "the volume cannot grow: {why}",
        "The storage driver does not make the volume larger: {why}.",
        &[(
            r#"VolumeResizeFailed: resize volume "pvc-1" by resizer "csi" failed: rpc error: code = Internal desc = pool is full"#,
            "the volume cannot grow: pool is full",
        )],
    ),
    cause(
        "file-system-grows-later",
        Busy,
        r"^FileSystemResizePending",
        "its file system grows with the next pod",
        "The volume has grown; its file system does when a pod mounts it.",
        &[(
            "FileSystemResizePending: Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
            "its file system grows with the next pod",
        )],
    ),
    cause(
        "empty-storage-class",
        Failed,
        r"emptystring storageclass|empty storage class name",
        "its storage class is the empty text",
        "The storage class is given as an empty text, which means volumes that somebody makes by hand; CDI's populators refuse that. Leave it out, or name one.",
        &[(
            "Error: claim has emptystring storageclass, will not work",
            "its storage class is the empty text",
        )],
    ),
    cause(
        "in-tree-class",
        Failed,
        r"can't use populator for PVC .* with in-tree storage class ?(?<class>[\w.-]*)",
        "class {class} takes no populators",
        "The storage class {class} belongs to a driver inside Kubernetes, which CDI's populators cannot fill: take a class of a CSI driver.",
        &[(
            "can't use populator for PVC shop/root with in-tree storage class legacy",
            "class legacy takes no populators",
        )],
    ),
    cause(
        "unknown-storage-class",
        Failed,
        r#"(?:storageclass(?:es)?(?:\.storage\.k8s\.io)? "|^UnknownStorageClass: )(?<class>[\w.-]+)|(?:target )?storage class (?:(?<name>[\w.-]+) )?not found|claim's storageclass doesn't exist"#,
        "no storage class {class}{name}",
        "There is no storage class of this name in the cluster: take another.",
        &[
            (r#"storageclass.storage.k8s.io "nope" not found"#, "no storage class nope"),
            ("UnknownStorageClass: nope", "no storage class nope"),
            ("target storage class not found", "no storage class"),
            ("target claim's storageclass doesn't exist, clone will not work", "no storage class"),
        ],
    ),
    cause(
        "no-default-storage-class",
        Failed,
        r"no persistent volumes available for this claim and no storage class is set|missing accessMode and no storageClass to choose profile",
        "no storage class named, and no default",
        "Neither the disk nor the cluster says which storage class to take: name one, or make one the default.",
        &[(
            "ErrClaimNotValid: PVC spec is missing accessMode and no storageClass to choose profile",
            "no storage class named, and no default",
        )],
    ),
    cause(
        "storage-profile-incomplete",
        Failed,
        r"StorageProfile:? (?<class>[\w.-]+)$",
        "no access mode known for class {class}",
        "CDI does not know which access modes the class {class} has: say them in its StorageProfile, or in the disk.",
        &[
            (
                "ErrClaimNotValid: no accessMode specified in StorageProfile archive",
                "no access mode known for class archive",
            ),
            (
                "ErrClaimNotValid: Spec is missing accessMode and volumeMode, cannot get access mode from StorageProfile archive",
                "no access mode known for class archive",
            ),
        ],
    ),
    cause(
        "claim-size-missing",
        Failed,
        r"missing storage size|storage size should be at least",
        "no size given",
        "The disk does not say how large it shall be.",
        &[("ErrClaimNotValid: PVC Spec is not valid - missing storage size", "no size given")],
    ),
    cause(
        "archive-needs-filesystem",
        Failed,
        r"ContentType Archive cannot have block volumeMode",
        "an archive needs a file system",
        "An archive is unpacked into a file system: ask for volumeMode Filesystem.",
        &[(
            "ErrClaimNotValid: ContentType Archive cannot have block volumeMode",
            "an archive needs a file system",
        )],
    ),
    cause(
        "quota",
        Failed,
        r"exceeded quota: (?<quota>[^,]+), requested: [^=]+=(?<asked_bytes>[^, ]+).*?used: [^=]+=(?<used_bytes>[^, ]+).*?limited: [^=]+=(?<limit_bytes>[^, ]+)",
        "quota {quota}: {asked_bytes} asked, {used_bytes} of {limit_bytes} used",
        "The quota {quota} of the namespace leaves no room: {asked_bytes} are asked for, {used_bytes} of {limit_bytes} are used. An import needs up to three times its size meanwhile.",
        &[
            (
                r#"ErrExceededQuota: persistentvolumeclaims "root" is forbidden: exceeded quota: storage, requested: requests.storage=5368709120, used: requests.storage=0, limited: requests.storage=1Gi"#,
                "quota storage: 5Gi asked, 0 of 1Gi used",
            ),
            (
                r#"FailedCreate: pods "virt-launcher-web-x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=10, limited: pods=10"#,
                "quota pods: 1 asked, 10 of 10 used",
            ),
        ],
    ),
    cause(
        "quota-pod",
        Failed,
        r"^ErrExceededQuota|exceeded quota: ",
        "the quota leaves no room",
        "The quota of the namespace leaves no room for the claims and pods of the transfer.",
        &[("ErrExceededQuota: Error starting pod", "the quota leaves no room")],
    ),
    cause(
        "limit-range",
        Failed,
        r"(?<bound>minimum|maximum) (?<what>\S+) usage per \w+ is (?<limit>[^,]+), but (?:request|limit) is (?<asked>\w+)",
        "limit range: {what} {asked}, {bound} {limit}",
        "A LimitRange of the namespace allows a {bound} of {limit} {what}, and {asked} are asked for.",
        &[(
            "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi.",
            "limit range: storage 5Gi, maximum 2Gi",
        )],
    ),
    cause(
        "claim-lost",
        Failed,
        r"^ClaimLost|lost its PersistentVolume|^PVC \S+ lost|^ErrClaimLost",
        "its volume is gone",
        "The volume behind the claim is gone, and what was on it too.",
        &[("ClaimLost: Claim Lost", "its volume is gone")],
    ),
    cause(
        "target-in-use",
        Warning,
        r"TargetInUse: pod (?<pod>\S+) using PersistentVolumeClaim (?<claim>\S+)",
        "{pod} has it mounted",
        "The claim {claim} is to be filled, and {pod} has it mounted: end that pod.",
        &[(
            "ImportTargetInUse: pod shop/virt-launcher-web-x using PersistentVolumeClaim root",
            "shop/virt-launcher-web-x has it mounted",
        )],
    ),
    cause(
        "clone-source-in-use",
        Warning,
        r"pod (?<pod>\S+) using PersistentVolumeClaim (?<claim>\S+)",
        "{claim} is in use by {pod}",
        "The claim {claim} is in use by {pod}, and CDI waits until that ends.",
        &[(
            "CloneSourceInUse: pod shop/virt-launcher-web-x using PersistentVolumeClaim root",
            "root is in use by shop/virt-launcher-web-x",
        )],
    ),
    cause(
        "no-matching-volume",
        Failed,
        r"no volume plugin matched|didn't find available persistent volumes to bind",
        "no free volume fits",
        "This class has volumes that somebody makes by hand, and no free one fits.",
        &[("no volume plugin matched name: kubernetes.io/no-provisioner", "no free volume fits")],
    ),
    cause(
        "claim-name-taken",
        Failed,
        r#"Resource "(?<name>[^"]+)" already exists and is not managed|Destination PVC (?<claim>\S+) already exists"#,
        "there is another claim {name}{claim}",
        "A claim of this name exists and is not this disk's: take another name, or delete it.",
        &[(
            r#"ErrResourceExists: Resource "root" already exists and is not managed by DataVolume"#,
            "there is another claim root",
        )],
    ),
    cause(
        "claim-being-deleted",
        Failed,
        r#"Resource "(?<name>[^"]+)" marked for deletion|persistentvolumeclaim "(?<claim>[^"]+)" is being deleted"#,
        "claim {name}{claim} is being deleted",
        "The claim {name}{claim} is on its way out and held by somebody: a pod that has it mounted, or a finalizer.",
        &[
            (
                r#"ErrResourceMarkedForDeletion: Resource "root" marked for deletion"#,
                "claim root is being deleted",
            ),
            (
                r#"persistentvolumeclaim "prime-1-scratch" is being deleted"#,
                "claim prime-1-scratch is being deleted",
            ),
        ],
    ),
    cause(
        "prime-claim-refused",
        Failed,
        r"^ErrCreatingPVCPrime: (?<why>.+)",
        "its second claim is refused: {why}",
        "CDI fills a second claim of the same size first, and that one is refused: {why}.",
        &[(
            "ErrCreatingPVCPrime: persistentvolumeclaims is forbidden: somebody says no",
            "its second claim is refused: persistentvolumeclaims is forbidden: somebody says no",
        )],
    ),
];
