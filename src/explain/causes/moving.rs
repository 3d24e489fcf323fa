//! What keeps a guest from being moved to another node while it runs: the reasons of KubeVirt's condition `LiveMigratable`
//! and of Virtink's `Migratable`. A guest that has one is well; it matters when its node is to be emptied.

use super::{Cause, cause};
use crate::store::Health::Well;

/// What all of them begin with; the rest is what a column about just this says.
pub(super) const CANNOT: &str = "cannot be moved: ";

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "held-by-disk",
        Well,
        r"(?:^|Reason: )DisksNotLiveMigratable\b",
        "cannot be moved: disk not shared",
        "A disk of the machine can be used on one node only, so the machine cannot be moved while it runs; that takes claims with access mode ReadWriteMany.",
        &[
            ("DisksNotLiveMigratable", "cannot be moved: disk not shared"),
            (
                "Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: cannot migrate VMI: PVC web-root is not shared",
                "cannot be moved: disk not shared",
            ),
        ],
    ),
    cause(
        "held-by-network",
        Well,
        r"(?:^|Reason: )InterfaceNotLiveMigratable\b",
        "cannot be moved: bridge to pod network",
        "An interface of the machine has the address of its pod, so the machine cannot be moved while it runs; one of type masquerade can be.",
        &[
            ("InterfaceNotLiveMigratable", "cannot be moved: bridge to pod network"),
            (
                "InterfaceNotLiveMigratable: cannot migrate VMI which does not use masquerade",
                "cannot be moved: bridge to pod network",
            ),
        ],
    ),
    cause(
        "held-by-hotplug",
        Well,
        r"(?:^|Reason: )HotplugNotLiveMigratable\b",
        "cannot be moved: hot-plugged disk",
        "A disk that was plugged in while the machine runs can be used on one node only; unplugged, or on a claim with access mode ReadWriteMany, it lets the machine move.",
        &[("HotplugNotLiveMigratable", "cannot be moved: hot-plugged disk")],
    ),
    cause(
        "held-by-cpu",
        Well,
        r"(?:^|Reason: )CPUMode(?:Not)?LiveMigratable\b",
        "cannot be moved: CPU of its node",
        "The machine has the processor model of its node (host-model), and that node says that others cannot offer it, so the machine cannot be moved while it runs; one with a named model can be.",
        &[("CPUModeLiveMigratable", "cannot be moved: CPU of its node")],
    ),
    cause(
        "held-by-folder",
        Well,
        r"(?:^|Reason: )VirtIOFSNotLiveMigratable\b",
        "cannot be moved: shared folder",
        "The machine has a folder of its node or of a volume mounted by virtiofs, so it cannot be moved while it runs.",
        &[("VirtIOFSNotLiveMigratable", "cannot be moved: shared folder")],
    ),
    cause(
        "held-by-device",
        Well,
        r"(?:^|Reason: )HostDeviceNotLiveMigratable\b",
        "cannot be moved: device of its node",
        "The machine has a device of its node (a GPU, a PCI or mediated device), so it cannot be moved while it runs.",
        &[("HostDeviceNotLiveMigratable", "cannot be moved: device of its node")],
    ),
    cause(
        "held-by-encryption",
        Well,
        r"(?:^|Reason: )(?<how>SEV|TDX|SecureExecution)NotLiveMigratable\b",
        "cannot be moved: encrypted memory",
        "The machine's memory is encrypted with a key of its node's processor ({how}), so it cannot be moved while it runs.",
        &[
            ("SEVNotLiveMigratable", "cannot be moved: encrypted memory"),
            ("TDXNotLiveMigratable", "cannot be moved: encrypted memory"),
            ("SecureExecutionNotLiveMigratable", "cannot be moved: encrypted memory"),
        ],
    ),
    cause(
        "held-by-clock",
        Well,
        r"(?:^|Reason: )NoTSCFrequencyNotLiveMigratable\b",
        "cannot be moved: clock rate of its node",
        "The machine needs the clock rate of its node's processor and no node tells theirs (TSC frequency), so it cannot be moved while it runs.",
        &[("NoTSCFrequencyNotLiveMigratable", "cannot be moved: clock rate of its node")],
    ),
    cause(
        "held-by-hyperv",
        Well,
        r"(?:^|Reason: )HypervPassthroughNotLiveMigratable\b",
        "cannot be moved: Hyper-V passthrough",
        "The machine takes over all Hyper-V features of its node, so it cannot be moved while it runs; with the features named one by one it can be.",
        &[("HypervPassthroughNotLiveMigratable", "cannot be moved: Hyper-V passthrough")],
    ),
    cause(
        "held-by-reservation",
        Well,
        r"(?:^|Reason: )PersistentReservationNotLiveMigratable\b",
        "cannot be moved: reserved SCSI disk",
        "A SCSI disk of the machine is reserved through its node (persistent reservation), so the machine cannot be moved while it runs.",
        &[("PersistentReservationNotLiveMigratable", "cannot be moved: reserved SCSI disk")],
    ),
    cause(
        "held-by-pinned-cpus",
        Well,
        r"^CPUNotMigratable\b",
        "cannot be moved: dedicated CPUs",
        "The machine has processors of its node to itself, so Virtink cannot move it while it runs.",
        &[("CPUNotMigratable", "cannot be moved: dedicated CPUs")],
    ),
    cause(
        "held-by-interface",
        Well,
        r"^InterfaceNotMigratable\b",
        "cannot be moved: interface of its node",
        "An interface of the machine belongs to its pod or its node (a bridge to the pod network, SR-IOV, vhost-user), so Virtink cannot move it while it runs.",
        &[("InterfaceNotMigratable", "cannot be moved: interface of its node")],
    ),
    cause(
        "held-by-container-disk",
        Well,
        r"^VolumeNotMigratable\b",
        "cannot be moved: disk from a container",
        "A disk of the machine comes from a container image, so Virtink cannot move it while it runs.",
        &[("VolumeNotMigratable", "cannot be moved: disk from a container")],
    ),
    cause(
        "held-by-file-system",
        Well,
        r"^FileSystemNotMigratable\b",
        "cannot be moved: shared folder",
        "The machine has a file system of its node mounted, so Virtink cannot move it while it runs.",
        &[("FileSystemNotMigratable", "cannot be moved: shared folder")],
    ),
    cause(
        "not-migratable",
        Well,
        r"^(?<why>\w*?)(?:Not)?(?:Live)?Migratable\b",
        "cannot be moved: {why}",
        "The machine cannot be moved to another node while it runs, so a drain of its node has to stop it.",
        &[("NotLiveMigratable", "cannot be moved"), ("MoonNotLiveMigratable", "cannot be moved: Moon")],
    ),
];
