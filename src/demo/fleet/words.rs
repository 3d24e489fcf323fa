//! The words and weights of which machines are made.

pub(super) const APPS: [&str; 20] = [
    "shop",
    "rest-api",
    "orders-db",
    "redis",
    "broker",
    "compile",
    "bastion",
    "smtp",
    "idp",
    "gateway",
    "erp",
    "erp-data",
    "hana",
    "win-farm",
    "win-mssql",
    "win-ad",
    "runner",
    "kube-node",
    "metrics",
    "old-ledger",
];
pub(super) const TEAMS: [&str; 10] =
    ["billing", "infra", "stores", "accounts", "insight", "freight", "core-ledger", "hr", "edge", "science"];
pub(super) const STAGES: [&str; 6] = ["prod", "prod", "prod", "stage", "dev", "test"];
pub(super) const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];
pub(super) const NAMESPACES: usize = 20;
pub(super) const NODES: u64 = 120;

pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) short: &'static str,
    pub(super) cpus: u64,
    pub(super) mebibytes: u64,
    pub(super) weight: u64,
}

const fn size(name: &'static str, short: &'static str, cpus: u64, mebibytes: u64, weight: u64) -> Size {
    Size { name, short, cpus, mebibytes, weight }
}

pub(super) static SIZES: [Size; 7] = [
    size("u1.nano", "nano", 1, 512, 5),
    size("u1.small", "small", 1, 2048, 20),
    size("u1.medium", "medium", 1, 4096, 30),
    size("u1.large", "large", 2, 8192, 25),
    size("u1.xlarge", "xlarge", 4, 16_384, 12),
    size("cx1.2xlarge", "2xlarge", 8, 16_384, 6),
    size("m1.4xlarge", "4xlarge", 16, 131_072, 2),
];

pub(super) struct Os {
    pub(super) id: &'static str,
    pub(super) family: &'static str,
    pub(super) source: &'static str,
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) version_id: &'static str,
    pub(super) kernel: &'static str,
    pub(super) weight: u64,
}

pub(super) static SYSTEMS: [Os; 6] = [
    Os {
        id: "fedora",
        family: "fedora",
        source: "fedora",
        name: "Fedora Linux",
        version: "42 (Cloud Edition)",
        version_id: "42",
        kernel: "6.14.2-300.fc42.x86_64",
        weight: 20,
    },
    Os {
        id: "rhel.9",
        family: "rhel",
        source: "rhel-9",
        name: "Red Hat Enterprise Linux",
        version: "9.6 (Plow)",
        version_id: "9.6",
        kernel: "5.14.0-570.12.1.el9_6.x86_64",
        weight: 25,
    },
    Os {
        id: "ubuntu",
        family: "ubuntu",
        source: "ubuntu",
        name: "Ubuntu",
        version: "24.04.2 LTS (Noble Numbat)",
        version_id: "24.04",
        kernel: "6.8.0-60-generic",
        weight: 25,
    },
    Os {
        id: "centos.stream9",
        family: "centos",
        source: "centos-stream9",
        name: "CentOS Stream",
        version: "9",
        version_id: "9",
        kernel: "5.14.0-587.el9.x86_64",
        weight: 10,
    },
    Os {
        id: "windows.2k22",
        family: "windows",
        source: "windows-2k22",
        name: "Microsoft Windows",
        version: "Microsoft Windows Server 2022",
        version_id: "2022",
        kernel: "20348",
        weight: 15,
    },
    Os {
        id: "windows.11",
        family: "windows",
        source: "windows-11",
        name: "Microsoft Windows",
        version: "Microsoft Windows 11",
        version_id: "11",
        kernel: "26100",
        weight: 5,
    },
];

pub(super) const CLASSES: [(&str, bool, &str); 4] = [
    ("ceph-rbd-virtualization", true, "Block"),
    ("ceph-rbd-virtualization", true, "Block"),
    ("trident-nfs", true, "Filesystem"),
    ("lvm-nvme", false, "Filesystem"),
];
pub(super) const DISKS: [u64; 7] = [10, 20, 30, 30, 64, 100, 250];

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The guest runs.
    Running,
    /// Halted, without an instance.
    Stopped,
    /// Frozen by a user.
    Paused,
    /// On its way to another node.
    Migrating,
    /// Scheduled, not yet running.
    Starting,
    /// Shutting down.
    Stopping,
    /// Waiting for its disks to be filled.
    Provisioning,
    /// Waiting for its claim to be bound.
    WaitingForVolumeBinding,
    /// Its launcher fails again and again.
    CrashLoopBackOff,
    /// No node takes it.
    ErrorUnschedulable,
    /// A disk could not be filled.
    DataVolumeError,
    /// Being deleted.
    Terminating,
}

pub(super) static STATES: [(State, &str, u64); 12] = [
    (State::Running, "Running", 800),
    (State::Stopped, "Stopped", 115),
    (State::Paused, "Paused", 15),
    (State::Migrating, "Migrating", 15),
    (State::Starting, "Starting", 8),
    (State::Stopping, "Stopping", 5),
    (State::Provisioning, "Provisioning", 12),
    (State::WaitingForVolumeBinding, "WaitingForVolumeBinding", 6),
    (State::CrashLoopBackOff, "CrashLoopBackOff", 8),
    (State::ErrorUnschedulable, "ErrorUnschedulable", 8),
    (State::DataVolumeError, "DataVolumeError", 4),
    (State::Terminating, "Terminating", 4),
];

impl State {
    /// As written in `status.printableStatus`.
    pub fn text(self) -> &'static str {
        STATES.iter().find(|(state, ..)| *state == self).map_or("", |(_, text, _)| text)
    }

    pub(super) fn has_instance(self) -> bool {
        !matches!(
            self,
            Self::Stopped
                | Self::Provisioning
                | Self::WaitingForVolumeBinding
                | Self::CrashLoopBackOff
                | Self::DataVolumeError
        )
    }

    pub(super) fn on_node(self) -> bool {
        self.has_instance() && !matches!(self, Self::Starting | Self::ErrorUnschedulable)
    }

    pub(super) fn runs(self) -> bool {
        matches!(self, Self::Running | Self::Migrating)
    }
}
