//! A machine is not started, or its launcher cannot bring up the guest.

use super::{Cause, cause};
use crate::store::Health::{Busy, Failed};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "claim-missing",
        Failed,
        r"PVC (?:[^/\s]+/)?(?<claim>\S+) does not exist, waiting for it to appear",
        "no claim {claim}",
        "The machine has a volume whose claim {claim} does not exist: make it, or take the volume out.",
        &[(
            "FailedPvcNotFound: PVC vm-claim-missing/gone does not exist, waiting for it to appear",
            "no claim gone",
        )],
    ),
    cause(
        "no-memory-asked",
        Failed,
        r"no memory requested",
        "no memory requested",
        "The machine does not say how much memory it shall have: set spec.template.spec.domain.memory.guest.",
        &[(
            r#"FailedCreate: Failure while starting VMI: admission webhook "vmi-create.kubevirt.io" denied the request: no memory requested, at least one of 'spec.domain.memory.guest' must be set"#,
            "no memory requested",
        )],
    ),
    cause(
        "instancetype-missing",
        Failed,
        r#"virtualmachine(?:cluster)?instancetypes?\.instancetype\.kubevirt\.io "(?<name>[^"]+)" not found"#,
        "no instance type {name}",
        "There is no instance type {name}: make it, or name another.",
        &[(
            r#"FailedFindInstancetype: virtualmachineclusterinstancetypes.instancetype.kubevirt.io "gone" not found"#,
            "no instance type gone",
        )],
    ),
    cause(
        "preference-missing",
        Failed,
        r#"virtualmachine(?:cluster)?preferences?\.instancetype\.kubevirt\.io "(?<name>[^"]+)" not found"#,
        "no preference {name}",
        "There is no preference {name}: make it, or name another.",
        &[(
            r#"FailedFindPreference: virtualmachineclusterpreferences.instancetype.kubevirt.io "gone" not found"#,
            "no preference gone",
        )],
    ),
    cause(
        "datasource-missing",
        Failed,
        r#"datasources\.cdi\.kubevirt\.io "(?<name>[^"]+)" not found"#,
        "no DataSource {name}",
        "There is no DataSource {name} in that namespace: golden images often live in another one, which sourceRef has to name.",
        &[(
            r#"FailedCreate: Error encountered while creating DataVolumes: unable to create DataVolume manifest: datasources.cdi.kubevirt.io "gone" not found"#,
            "no DataSource gone",
        )],
    ),
    cause(
        "clone-not-permitted",
        Failed,
        r"insufficient permissions in clone source namespace (?<namespace>\S+)|^NotAuthorized|^UnauthorizedDataVolumeCreate",
        "may not copy from namespace {namespace}",
        "Who makes the disk may not copy from the namespace {namespace}: a RoleBinding there to cdi.kubevirt.io:clone-sourcer allows it.",
        &[(
            "User system:serviceaccount:a:default has insufficient permissions in clone source namespace images",
            "may not copy from namespace images",
        )],
    ),
    cause(
        "unsupported-architecture",
        Failed,
        r"unsupported architecture: ?(?<arch>\w*)",
        "unsupported architecture {arch}",
        "KubeVirt does not support this processor, or does not know the cluster's default.",
        &[("FailedCreate: unsupported architecture: ", "unsupported architecture")],
    ),
    cause(
        "webhook-unreachable",
        Failed,
        r#"failed calling webhook "(?<webhook>[^"]+)""#,
        "webhook {webhook} does not answer",
        "The API server asks {webhook} before it stores anything, and gets no answer: look at the pods behind it.",
        &[(
            r#"FailedCreate: Internal error occurred: failed calling webhook "vmi-create.kubevirt.io": connection refused"#,
            "webhook vmi-create.kubevirt.io does not answer",
        )],
    ),
    cause(
        "start-denied",
        Failed,
        r#"admission webhook "[^"]+" denied the request: (?<why>.+)"#,
        "{why}",
        "A webhook refuses it: {why}.",
        &[(
            r#"FailedCreate: Failure while starting VMI: admission webhook "vmi-create.kubevirt.io" denied the request: spec.x must not exceed spec.y"#,
            "spec.x must not exceed spec.y",
        )],
    ),
    cause(
        "namespace-terminating",
        Failed,
        r"unable to create new content in namespace (?<namespace>\S+) because it is being terminated",
        "namespace {namespace} is being deleted",
        "Nothing new can be made in {namespace}, which is being deleted.",
        &[(
            "unable to create new content in namespace shop because it is being terminated",
            "namespace shop is being deleted",
        )],
    ),
    cause(
        "backend-storage",
        Busy,
        r"^BackendStorageNotReady",
        "waits for the claim of its TPM or firmware",
        "What the machine's TPM or firmware remembers is kept in a claim of its own, which has no volume yet.",
        &[("BackendStorageNotReady: PVC pending", "waits for the claim of its TPM or firmware")],
    ),
    cause(
        "disk-locked",
        Failed,
        r#"Failed to get "write" lock"#,
        "a disk is in use elsewhere",
        "Another process has a disk of the machine open, mostly on another node.",
        &[(
            r#"Synchronizing with the Domain failed.: server error. command SyncVMI failed: qemu-kvm: Failed to get "write" lock"#,
            "a disk is in use elsewhere",
        )],
    ),
    cause(
        "sync-failed",
        Failed,
        r"^Synchronizing with the Domain failed\.(?:: (?:server error\. )?(?:command \w+ failed: )?(?:.*?Message=')?(?<why>[^']+))?",
        "guest does not start: {why}",
        "The launcher cannot bring up the guest: {why}.",
        &[(
            r#"Synchronizing with the Domain failed.: server error. command SyncVMI failed: "LibvirtError(Code=1, Domain=10, Message='internal error: no KVM')""#,
            "guest does not start: internal error: no KVM",
        )],
    ),
];
