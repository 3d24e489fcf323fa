//! What a document describes.

use super::source::Spot;

/// The kind of object that a document describes, in whichever form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Our Workload, or the seed's `kind: workload`.
    Workload,
    /// Our VolumeSet, or `kind: volumeset`.
    VolumeSet,
    /// Our VolumeCommand.
    VolumeCommand,
    /// Our Image.
    Image,
    /// Our SupportedVersion.
    SupportedVersion,
    /// A Secret of Kubernetes, or `kind: secret`.
    Secret,
    /// `kind: identity`; a ServiceAccount of Kubernetes.
    Identity,
    /// `kind: gvc`; a Namespace of Kubernetes.
    Gvc,
    /// KubeVirt's VirtualMachine.
    VirtualMachine,
    /// KubeVirt's VirtualMachineInstance.
    VirtualMachineInstance,
    /// KubeVirt's VirtualMachinePool.
    VirtualMachinePool,
    /// KubeVirt's VirtualMachineInstanceMigration.
    MachineMigration,
    /// KubeVirt's VirtualMachineSnapshot.
    MachineSnapshot,
    /// KubeVirt's VirtualMachineRestore.
    MachineRestore,
    /// CDI's DataVolume.
    DataVolume,
    /// CDI's DataSource.
    DataSource,
    /// CDI's DataImportCron.
    DataImportCron,
    /// The VolumeSnapshot of Kubernetes' storage.
    VolumeSnapshot,
    /// Virtink's VirtualMachine.
    VirtinkMachine,
    /// Kairos' OSArtifact.
    OsArtifact,
    /// A kind of somebody else: no rule knows it.
    Foreign,
    /// A document that says no kind, or one that nobody has.
    Other,
}

/// The groups in which one of these kinds is meant, even if it lives in another one of them.
const RELATIVES: &[&str] = &["kubevirt.io", "snapshot.storage.k8s.io", "kairos.io"];

impl Subject {
    pub(super) fn of(root: &Spot<'_>) -> Self {
        let version = root.get("apiVersion").text();
        let Some(kind) = root.get("kind").text() else { return Self::Other };
        let Some(version) = version else {
            // The seed's form, or a Kubernetes document that forgot its version.
            return match kind {
                "workload" | "Workload" => Self::Workload,
                "volumeset" | "VolumeSet" => Self::VolumeSet,
                "secret" | "Secret" => Self::Secret,
                "identity" => Self::Identity,
                "gvc" => Self::Gvc,
                _ => Self::by_kind(kind).unwrap_or(Self::Other),
            };
        };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        match (group, kind) {
            ("v9s.dev", "Workload") => Self::Workload,
            ("v9s.dev", "VolumeSet") => Self::VolumeSet,
            ("v9s.dev", "VolumeCommand") => Self::VolumeCommand,
            ("v9s.dev", "Image") => Self::Image,
            ("v9s.dev", "SupportedVersion") => Self::SupportedVersion,
            ("v9s.dev", _) => Self::Other,
            ("", "Secret") => Self::Secret,
            ("", "ServiceAccount") => Self::Identity,
            ("", "Namespace") => Self::Gvc,
            ("virt.virtink.smartx.com", "VirtualMachine") => Self::VirtinkMachine,
            // The group of a relative is a mistake that people make; the rules of the kind say so.
            (group, kind) if RELATIVES.iter().any(|relative| group.ends_with(relative)) => {
                Self::by_kind(kind).unwrap_or(Self::Foreign)
            }
            ("", kind) => Self::by_kind(kind).unwrap_or(Self::Foreign),
            _ => Self::Foreign,
        }
    }

    fn by_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "VirtualMachine" => Self::VirtualMachine,
            "VirtualMachineInstance" => Self::VirtualMachineInstance,
            "VirtualMachinePool" => Self::VirtualMachinePool,
            "VirtualMachineInstanceMigration" => Self::MachineMigration,
            "VirtualMachineSnapshot" => Self::MachineSnapshot,
            "VirtualMachineRestore" => Self::MachineRestore,
            "DataVolume" => Self::DataVolume,
            "DataSource" => Self::DataSource,
            "DataImportCron" => Self::DataImportCron,
            "VolumeSnapshot" => Self::VolumeSnapshot,
            "OSArtifact" => Self::OsArtifact,
            "VolumeCommand" => Self::VolumeCommand,
            "SupportedVersion" => Self::SupportedVersion,
            _ => return None,
        })
    }
}
