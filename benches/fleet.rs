//! A deterministic population of virtual machines, written as an API server would send it.
//!
//! Machine `i` of a [`Fleet`] is the same machine in all four kinds: VM `web-000007` has the instance `web-000007` and
//! the DataVolume and claim `web-000007-rootdisk`, in the same namespace, with owner references to the right UIDs, the
//! same node, addresses and sizes. The same seed and count give the same bytes: there is no clock in it.
//!
//! Custom resources have sorted keys and their lists carry `metadata` after `items`; claims stand in the order of the
//! Go struct, without `kind` and `apiVersion` inside a list, and their lists carry `metadata` first. All text is
//! escaped as Go escapes it. `managedFields` describe the object they stand in, and three VMs of five carry the
//! `last-applied-configuration` annotation.
//!
//! Where it differs from a real server: names and values come from a small vocabulary, so the text compresses better.
//!
//! Nothing is formatted through `serde_json`: an object is a run of literals with the few varying texts between them,
//! which makes some hundred thousand objects a second.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::ops::Range;

const APPS: [&str; 20] = [
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
const TEAMS: [&str; 10] =
    ["billing", "infra", "stores", "accounts", "insight", "freight", "core-ledger", "hr", "edge", "science"];
const STAGES: [&str; 6] = ["prod", "prod", "prod", "stage", "dev", "test"];
const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];
const NAMESPACES: usize = 20;
const NODES: u64 = 120;

struct Size {
    name: &'static str,
    short: &'static str,
    cpus: u64,
    mebibytes: u64,
    weight: u64,
}

const fn size(name: &'static str, short: &'static str, cpus: u64, mebibytes: u64, weight: u64) -> Size {
    Size { name, short, cpus, mebibytes, weight }
}

static SIZES: [Size; 7] = [
    size("u1.nano", "nano", 1, 512, 5),
    size("u1.small", "small", 1, 2048, 20),
    size("u1.medium", "medium", 1, 4096, 30),
    size("u1.large", "large", 2, 8192, 25),
    size("u1.xlarge", "xlarge", 4, 16_384, 12),
    size("cx1.2xlarge", "2xlarge", 8, 16_384, 6),
    size("m1.4xlarge", "4xlarge", 16, 131_072, 2),
];

struct Os {
    id: &'static str,
    family: &'static str,
    source: &'static str,
    name: &'static str,
    version: &'static str,
    version_id: &'static str,
    kernel: &'static str,
    weight: u64,
}

static SYSTEMS: [Os; 6] = [
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

const CLASSES: [(&str, bool, &str); 4] = [
    ("ceph-rbd-virtualization", true, "Block"),
    ("ceph-rbd-virtualization", true, "Block"),
    ("trident-nfs", true, "Filesystem"),
    ("lvm-nvme", false, "Filesystem"),
];
const DISKS: [u64; 7] = [10, 20, 30, 30, 64, 100, 250];

/// 2024-01-01T00:00:00Z; machines are made in the 700 days after it.
const EPOCH: u64 = 1_704_067_200;
/// The day on which the ages of [`Fleet::cells`] are told, counted from 2024-01-01.
const TODAY: u64 = 760;
const FIRST_REVISION: u64 = 100_000_000;

/// The kinds of objects a fleet has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FleetKind {
    /// `kubevirt.io/v1` VirtualMachine
    Vm,
    /// `kubevirt.io/v1` VirtualMachineInstance
    Vmi,
    /// `cdi.kubevirt.io/v1beta1` DataVolume
    DataVolume,
    /// `v1` PersistentVolumeClaim
    Claim,
}

impl FleetKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Vm, Self::Vmi, Self::DataVolume, Self::Claim];

    /// As written in `kind`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Vm => "VirtualMachine",
            Self::Vmi => "VirtualMachineInstance",
            Self::DataVolume => "DataVolume",
            Self::Claim => "PersistentVolumeClaim",
        }
    }

    /// As written in `apiVersion`.
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Vm | Self::Vmi => "kubevirt.io/v1",
            Self::DataVolume => "cdi.kubevirt.io/v1beta1",
            Self::Claim => "v1",
        }
    }

    /// As written in the path of a request.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Vm => "virtualmachines",
            Self::Vmi => "virtualmachineinstances",
            Self::DataVolume => "datavolumes",
            Self::Claim => "persistentvolumeclaims",
        }
    }

    /// The short name people type: `vm`, `vmi`, `dv`, `pvc`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Vmi => "vmi",
            Self::DataVolume => "dv",
            Self::Claim => "pvc",
        }
    }

    /// The path of the list over all namespaces.
    pub fn path(self) -> String {
        match self {
            Self::Claim => format!("/api/v1/{}", self.plural()),
            _ => format!("/apis/{}/{}", self.api_version(), self.plural()),
        }
    }

    /// The kind with this short name or plural.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| text == kind.short() || text == kind.plural())
    }

    /// How an object of this kind begins: everything before the value of `metadata`.
    pub fn head(self) -> &'static str {
        match self {
            Self::Vm => r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":"#,
            Self::Vmi => r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstance","metadata":"#,
            Self::DataVolume => r#"{"apiVersion":"cdi.kubevirt.io/v1beta1","kind":"DataVolume","metadata":"#,
            Self::Claim => r#"{"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":"#,
        }
    }

    /// How an item of this kind begins inside a list.
    pub fn item_head(self) -> &'static str {
        match self {
            Self::Claim => r#"{"metadata":"#,
            _ => self.head(),
        }
    }

    /// What stands before the items of a list page.
    pub fn list_head(self, revision: u64, continue_token: &str, remaining: Option<u64>) -> String {
        match self {
            Self::Claim => {
                let mut meta = format!(r#""resourceVersion":"{revision}""#);
                if !continue_token.is_empty() {
                    meta.push_str(&format!(r#","continue":"{continue_token}""#));
                }
                if let Some(remaining) = remaining {
                    meta.push_str(&format!(r#","remainingItemCount":{remaining}"#));
                }
                format!(
                    r#"{{"kind":"PersistentVolumeClaimList","apiVersion":"v1","metadata":{{{meta}}},"items":["#
                )
            }
            _ => format!(r#"{{"apiVersion":"{}","items":["#, self.api_version()),
        }
    }

    /// What stands after the items of a list page.
    pub fn list_tail(self, revision: u64, continue_token: &str, remaining: Option<u64>) -> String {
        match self {
            Self::Claim => "]}\n".to_owned(),
            _ => {
                let remaining =
                    remaining.map(|n| format!(r#""remainingItemCount":{n},"#)).unwrap_or_default();
                format!(
                    "],\"kind\":\"{}List\",\"metadata\":{{\"continue\":\"{continue_token}\",{remaining}\"resourceVersion\":\"{revision}\"}}}}\n",
                    self.kind()
                )
            }
        }
    }

    /// The `columnDefinitions` of the server's table for this kind.
    pub fn columns(self) -> String {
        let columns: &[(&str, &str, u8)] = match self {
            Self::Vm => &[("Age", "date", 0), ("Status", "string", 0), ("Ready", "string", 0)],
            Self::Vmi => &[
                ("Age", "date", 0),
                ("Phase", "string", 0),
                ("IP", "string", 0),
                ("NodeName", "string", 0),
                ("Ready", "string", 0),
                ("Live-Migratable", "string", 1),
                ("Paused", "string", 1),
            ],
            Self::DataVolume => &[
                ("Phase", "string", 0),
                ("Progress", "string", 0),
                ("Restarts", "integer", 0),
                ("Age", "date", 0),
            ],
            Self::Claim => &[
                ("Status", "string", 0),
                ("Volume", "string", 0),
                ("Capacity", "string", 0),
                ("Access Modes", "string", 0),
                ("StorageClass", "string", 0),
                ("VolumeAttributesClass", "string", 0),
                ("Age", "string", 0),
                ("VolumeMode", "string", 1),
            ],
        };
        let mut out = String::from(
            r#"[{"name":"Name","type":"string","format":"name","description":"Name must be unique within a namespace.","priority":0}"#,
        );
        for (name, kind, priority) in columns {
            out.push_str(&format!(
                r#",{{"name":"{name}","type":"{kind}","format":"","description":"{name} of the object, as its definition prints it","priority":{priority}}}"#
            ));
        }
        out.push(']');
        out
    }
}

/// What a watch event says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `ADDED`
    Added,
    /// `MODIFIED`
    Modified,
    /// `DELETED`
    Deleted,
}

impl Change {
    /// As written in `type`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

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

static STATES: [(State, &str, u64); 12] = [
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

    fn has_instance(self) -> bool {
        !matches!(
            self,
            Self::Stopped
                | Self::Provisioning
                | Self::WaitingForVolumeBinding
                | Self::CrashLoopBackOff
                | Self::DataVolumeError
        )
    }

    fn on_node(self) -> bool {
        self.has_instance() && !matches!(self, Self::Starting | Self::ErrorUnschedulable)
    }

    fn runs(self) -> bool {
        matches!(self, Self::Running | Self::Migrating)
    }
}

/// A population of machines; see the module.
#[derive(Clone, Debug)]
pub struct Fleet {
    seed: u64,
    count: usize,
    mixed: bool,
    namespaces: Vec<String>,
    token: String,
    long_token: String,
}

impl Fleet {
    /// `count` machines in mixed states: four of five run, the rest is stopped, paused, migrating or failing.
    pub fn new(seed: u64, count: usize) -> Self {
        let namespaces = (0..NAMESPACES)
            .map(|i| format!("{}-{}-{i:02}", TEAMS[i % TEAMS.len()], STAGES[i % STAGES.len()]))
            .collect();
        let token = |part: &str| format!("eyJhbGciOiJQUzI1NiJ9.{}", part.repeat(24));
        Self {
            seed,
            count,
            mixed: true,
            namespaces,
            token: token("eyJleHAiOjE3NjM3"),
            long_token: token("eyJleHAiOjIwNzkw"),
        }
    }

    /// The same, with every machine running: so there are exactly `count` objects of each kind.
    pub fn running(mut self) -> Self {
        self.mixed = false;
        self
    }

    /// How many machines.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The names of the namespaces; the first ones hold most machines.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The resource version of a list taken before any [`event`](Self::event).
    pub fn list_revision(&self) -> u64 {
        FIRST_REVISION + (self.count as u64 + 1) * 7
    }

    /// The resource version the object of an event with this revision has (for revision 0: of the listed object).
    pub fn resource_version(&self, index: usize, revision: u64) -> u64 {
        if revision == 0 { FIRST_REVISION + index as u64 * 7 } else { self.list_revision() + revision * 11 }
    }

    /// What the machine is doing at this revision.
    pub fn state(&self, index: usize, revision: u64) -> State {
        Machine::new(self, index, revision).state
    }

    /// Namespace and name of the machine.
    pub fn name(&self, index: usize) -> (&str, String) {
        let machine = Machine::new(self, index, 0);
        (machine.namespace, machine.name)
    }

    /// Whether a list has this object: a stopped machine has no instance.
    pub fn has(&self, kind: FleetKind, index: usize) -> bool {
        kind != FleetKind::Vmi || !self.mixed || self.state(index, 0).has_instance()
    }

    /// The indexes of the listed objects of a kind in the order of a real list: by namespace, then name.
    pub fn order(&self, kind: FleetKind) -> Vec<u32> {
        let mut keys: Vec<(&str, String, u32)> = (0..self.count)
            .filter(|i| self.has(kind, *i))
            .map(|i| {
                let (namespace, name) = self.name(i);
                (namespace, name, i as u32)
            })
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(.., i)| i).collect()
    }

    /// Appends one whole object. Asked for an instance of a stopped machine, it writes one that runs.
    pub fn write(&self, kind: FleetKind, index: usize, revision: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(kind.head().as_bytes());
        self.write_rest(kind, index, revision, out);
    }

    /// Appends one object as it stands in the `items` of a list.
    pub fn write_item(&self, kind: FleetKind, index: usize, revision: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(kind.item_head().as_bytes());
        self.write_rest(kind, index, revision, out);
    }

    fn write_rest(&self, kind: FleetKind, index: usize, revision: u64, out: &mut Vec<u8>) {
        let machine = self.machine(kind, index, revision);
        match kind {
            FleetKind::Vm => write_vm(&machine, out),
            FleetKind::Vmi => write_instance(&machine, out),
            FleetKind::DataVolume => write_data_volume(&machine, out),
            FleetKind::Claim => write_claim(&machine, out),
        }
    }

    fn machine(&self, kind: FleetKind, index: usize, revision: u64) -> Machine<'_> {
        let mut machine = Machine::new(self, index, revision);
        if kind == FleetKind::Vmi && !machine.state.has_instance() {
            machine.state = State::Running;
        }
        machine
    }

    /// One page: the objects of these machines in index order. An empty token says that it is the last page.
    pub fn list_page(
        &self,
        kind: FleetKind,
        range: Range<usize>,
        continue_token: &str,
        remaining: Option<u64>,
    ) -> Vec<u8> {
        let revision = self.list_revision();
        let mut out = Vec::with_capacity(range.len() * 8400 + 256);
        out.extend_from_slice(kind.list_head(revision, continue_token, remaining).as_bytes());
        let mut first = true;
        for index in range.filter(|i| self.has(kind, *i)) {
            if !first {
                out.push(b',');
            }
            first = false;
            self.write_item(kind, index, 0, &mut out);
        }
        out.extend_from_slice(kind.list_tail(revision, continue_token, remaining).as_bytes());
        out
    }

    /// One line of a watch, with its newline. Revisions count from 1.
    pub fn event(&self, kind: FleetKind, change: Change, index: usize, revision: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(8400);
        self.write_event(kind, change, index, revision, &mut out);
        out
    }

    /// Appends what [`event`](Self::event) gives.
    pub fn write_event(
        &self,
        kind: FleetKind,
        change: Change,
        index: usize,
        revision: u64,
        out: &mut Vec<u8>,
    ) {
        put!(out; "{\"type\":\"", change.text(), "\",\"object\":");
        self.write(kind, index, revision, out);
        out.extend_from_slice(b"}\n");
    }

    /// Appends a bookmark line; `initial_end` marks the end of a streaming list.
    pub fn write_bookmark(kind: FleetKind, resource_version: u64, initial_end: bool, out: &mut Vec<u8>) {
        let annotations =
            if initial_end { r#""annotations":{"k8s.io/initial-events-end":"true"},"# } else { "" };
        put!(out; "{\"type\":\"BOOKMARK\",\"object\":", kind.head(), "{", annotations,
            "\"creationTimestamp\":null,\"resourceVersion\":\"", resource_version, "\"}",
            match kind { FleetKind::Vm | FleetKind::Vmi => ",\"spec\":{}", _ => "" }, "}}\n");
    }

    /// Appends the cells of the server's table row, as a JSON array.
    pub fn cells(&self, kind: FleetKind, index: usize, revision: u64, out: &mut Vec<u8>) {
        let m = self.machine(kind, index, revision);
        let age = TODAY - (m.created - EPOCH) / 86_400;
        let ready = if m.state.runs() { "True" } else { "False" };
        match kind {
            FleetKind::Vm => {
                put!(out; "[\"", m.name, "\",\"", age, "d\",\"", m.state.text(), "\",\"", ready, "\"]");
            }
            FleetKind::Vmi if m.state.on_node() => {
                put!(out; "[\"", m.name, "\",\"", age, "d\",\"", m.phase(), "\",\"",
                m.ip, "\",\"", m.node, "\",\"", ready, "\",\"", if m.shared { "True" } else { "False" }, "\",",
                if m.state == State::Paused { "\"True\"" } else { "null" }, "]");
            }
            FleetKind::Vmi => {
                put!(out; "[\"", m.name, "\",\"", age, "d\",\"", m.phase(), "\",null,null,\"False\",null,null]");
            }
            FleetKind::DataVolume => {
                put!(out; "[\"", m.name, "-rootdisk\",\"", m.filling(), "\",\"", m.progress(), "\",",
                if m.state == State::DataVolumeError { "4" } else { "null" }, ",\"", age, "d\"]");
            }
            FleetKind::Claim if m.state == State::WaitingForVolumeBinding => {
                put!(out; "[\"", m.name,
                "-rootdisk\",\"Pending\",\"\",\"\",\"\",\"", m.class, "\",\"\\u003cunset\\u003e\",\"", age, "d\",\"", m.mode, "\"]");
            }
            FleetKind::Claim => {
                put!(out; "[\"", m.name, "-rootdisk\",\"Bound\",\"pvc-", m.claim_uid, "\",\"", m.disk,
                "Gi\",\"", if m.shared { "RWX" } else { "RWO" }, "\",\"", m.class, "\",\"\\u003cunset\\u003e\",\"", age,
                "d\",\"", m.mode, "\"]");
            }
        }
    }

    /// Appends one row of the server's table. `metadata` is the object's, as written before.
    pub fn row(&self, kind: FleetKind, index: usize, revision: u64, metadata: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"cells\":");
        self.cells(kind, index, revision, out);
        out.extend_from_slice(
            br#","object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#,
        );
        out.extend_from_slice(metadata);
        out.extend_from_slice(b"}}");
    }
}

/// Where the value of `metadata` stands in an object (`item`: in one of a list) this module has written.
pub fn metadata_of(kind: FleetKind, item: bool, object: &[u8]) -> Range<usize> {
    let start = if item { kind.item_head() } else { kind.head() }.len();
    // Inside the annotations the same text would have escaped quotes, and field sets write "f:spec".
    let end = memchr::memmem::find(&object[start..], b",\"spec\":{").expect("every object has a spec");
    start..start + end
}

// ------------------------------------------------------------------------------------------------ texts

trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

impl Put for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let (mut digits, mut at, mut left) = ([0_u8; 20], 20, *self);
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl<const N: usize> Put for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

macro_rules! put {
    ($out:expr; $($part:expr),+ $(,)?) => {{ $( Put::put(&$part, &mut *$out); )+ }};
}
use put;

const HEX: &[u8; 16] = b"0123456789abcdef";

fn hex<const N: usize>(mut bits: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        *place = HEX[(bits & 15) as usize];
        bits >>= 4;
    }
    text
}

/// RFC 3339 to the second.
fn stamp(seconds: u64) -> [u8; 20] {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01 in eras of 400 years, years of the era beginning in March.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let march = (5 * in_year + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let date = in_year - (153 * march + 2) / 5 + 1;
    let year = year + era * 400 + u64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00Z";
    let mut two = |at: usize, value: u64| {
        text[at] = b'0' + (value / 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    };
    two(0, year / 100);
    two(2, year % 100);
    two(5, month);
    two(8, date);
    two(11, rest / 3600);
    two(14, rest / 60 % 60);
    two(17, rest % 60);
    text
}

/// `splitmix64`: the same numbers for ever, whatever the version of a crate.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn weigh<T>(&mut self, from: &'static [T], weight: fn(&T) -> u64) -> &'static T {
        let mut at = self.below(from.iter().map(weight).sum());
        for entry in from {
            match at.checked_sub(weight(entry)) {
                Some(left) => at = left,
                None => return entry,
            }
        }
        &from[0]
    }

    fn uid(&mut self) -> [u8; 36] {
        let (high, low) = (self.bits(), self.bits());
        let mut text = *b"00000000-0000-4000-a000-000000000000";
        text[..8].copy_from_slice(&hex::<8>(high));
        text[9..13].copy_from_slice(&hex::<4>(high >> 32));
        text[15..18].copy_from_slice(&hex::<3>(high >> 48));
        text[20..23].copy_from_slice(&hex::<3>(low));
        text[24..].copy_from_slice(&hex::<12>(low >> 12));
        text
    }
}

// ------------------------------------------------------------------------------------------------ one machine

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Kubectl,
    GitOps,
    Console,
}

/// What the four kinds share.
struct Machine<'a> {
    fleet: &'a Fleet,
    index: u64,
    app: &'static str,
    name: String,
    namespace: &'a str,
    team: &'static str,
    stage: &'static str,
    zone: &'static str,
    size: &'static Size,
    os: &'static Os,
    disk: u64,
    data_disk: bool,
    two_nics: bool,
    class: &'static str,
    shared: bool,
    mode: &'static str,
    tool: Tool,
    vm_uid: [u8; 36],
    instance_uid: [u8; 36],
    volume_uid: [u8; 36],
    claim_uid: [u8; 36],
    pod_uid: [u8; 36],
    firmware: [u8; 36],
    serial: [u8; 36],
    mac: [u8; 17],
    suffix: [u8; 5],
    ip: String,
    created: u64,
    changed: u64,
    node: String,
    state: State,
    resource_version: u64,
}

impl<'a> Machine<'a> {
    fn new(fleet: &'a Fleet, index: usize, revision: u64) -> Self {
        let i = index as u64;
        let mut dice = Dice::new(fleet.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ i.rotate_left(20));
        let app = dice.pick(&APPS);
        // The smaller of two throws, twice: the first namespaces hold many machines and the last ones few.
        let mut throw = || dice.below(NAMESPACES as u64).min(dice.below(NAMESPACES as u64));
        let home = throw().min(throw()) as usize;
        let size = dice.weigh(&SIZES, |size| size.weight);
        let os = dice.weigh(&SYSTEMS, |os| os.weight);
        let (class, shared, mode) = dice.pick(&CLASSES);
        let disk = dice.pick(&DISKS);
        let data_disk = dice.below(100) < 35;
        let two_nics = dice.below(100) < 30;
        let zone = dice.pick(&ZONES);
        let tool = match dice.below(100) {
            0..60 => Tool::Kubectl,
            60..85 => Tool::GitOps,
            _ => Tool::Console,
        };
        let created = EPOCH + dice.below(700 * 86_400);
        let mut node = dice.below(NODES);
        let state = dice.weigh(&STATES, |(.., weight)| *weight).0;
        let mut state = if fleet.mixed { state } else { State::Running };
        let (hardware, suffix) = (dice.bits(), hex(dice.bits()));
        let mut mac = *b"02:00:00:00:00:00";
        for part in 1..6 {
            mac[part * 3..part * 3 + 2].copy_from_slice(&hex::<2>(hardware >> (8 * part)));
        }
        let [vm_uid, instance_uid, volume_uid, claim_uid, pod_uid, firmware, serial] =
            [(); 7].map(|()| dice.uid());
        if revision > 0 {
            let mut dice = Dice::new(fleet.seed ^ i.rotate_left(20) ^ revision.rotate_left(44));
            if fleet.mixed && dice.below(100) < 30 {
                state = dice.weigh(&STATES, |(.., weight)| *weight).0;
            }
            if dice.below(100) < 5 {
                node = dice.below(NODES);
            }
        }
        Self {
            fleet,
            index: i,
            app,
            name: format!("{app}-{i:06}"),
            namespace: &fleet.namespaces[home],
            team: TEAMS[home % TEAMS.len()],
            stage: STAGES[home % STAGES.len()],
            zone,
            size,
            os: if app.starts_with("win") { &SYSTEMS[4] } else { os },
            disk,
            data_disk,
            two_nics,
            class,
            shared,
            mode,
            tool,
            vm_uid,
            instance_uid,
            volume_uid,
            claim_uid,
            pod_uid,
            firmware,
            serial,
            mac,
            suffix,
            ip: format!("10.{}.{}.{}", 128 + (i >> 16 & 3), i >> 8 & 255, i & 255),
            created,
            changed: created + 3600 + revision,
            node: format!("worker-{node:03}.{}.example.internal", ZONES[(node % 3) as usize]),
            state,
            resource_version: fleet.resource_version(index, revision),
        }
    }

    fn windows(&self) -> bool {
        self.os.family == "windows"
    }

    fn halted(&self) -> bool {
        self.state == State::Stopped
    }

    fn strategy(&self) -> &'static str {
        match () {
            () if self.halted() => "Halted",
            () if self.index.is_multiple_of(11) => "RerunOnFailure",
            () => "Always",
        }
    }

    fn phase(&self) -> &'static str {
        if matches!(self.state, State::Starting | State::ErrorUnschedulable) {
            "Scheduling"
        } else {
            "Running"
        }
    }

    /// The phase of the DataVolume.
    fn filling(&self) -> &'static str {
        match self.state {
            State::DataVolumeError => "Failed",
            State::Provisioning => "CloneInProgress",
            State::WaitingForVolumeBinding => "WaitForFirstConsumer",
            _ => "Succeeded",
        }
    }

    fn progress(&self) -> String {
        match self.state {
            State::DataVolumeError | State::WaitingForVolumeBinding => "N/A".to_owned(),
            State::Provisioning => format!("{}.{:02}%", self.index % 100, self.index % 97),
            _ => "100.0%".to_owned(),
        }
    }

    /// Whether the object of a VM still carries what the migration left.
    fn migration(&self) -> bool {
        self.state == State::Migrating || (self.state.on_node() && self.index.is_multiple_of(9))
    }

    fn memory(&self, out: &mut Vec<u8>) {
        put!(out; self.size.mebibytes, "Mi");
    }

    fn labels(&self, out: &mut Vec<u8>) {
        put!(out; r#"{"app":""#, self.app, r#"","app.kubernetes.io/instance":""#, self.name,
            r#"","app.kubernetes.io/part-of":""#, self.team, r#"","env":""#, self.stage,
            r#"","kubevirt.io/dynamic-credentials-support":"true","topology.example.com/zone":""#, self.zone,
            r#"","vm.kubevirt.io/template":""#, self.os.family, "-server-", self.size.short, "\"}");
    }

    /// `expanded`: with what admission and the controllers fill in for an instance.
    fn domain(&self, expanded: bool, out: &mut Vec<u8>) {
        let cpus = self.size.cpus;
        if expanded {
            put!(out; r#"{"cpu":{"cores":1,"maxSockets":"#, cpus * 4, r#","model":"host-model","sockets":"#, cpus,
                r#","threads":1},"devices":{"autoattachPodInterface":true,"#);
        } else {
            put!(out; r#"{"cpu":{"cores":"#, cpus, r#","sockets":1,"threads":1},"devices":{"#);
        }
        put!(out; r#""disks":[{"bootOrder":1,"disk":{"bus":"virtio"},"name":"rootdisk"},"#,
            if self.data_disk { r#"{"cache":"none","disk":{"bus":"virtio"},"name":"datadisk"},"# } else { "" },
            r#"{"disk":{"bus":"virtio"},"name":"cloudinitdisk"}],"interfaces":[{"macAddress":""#, self.mac,
            r#"","masquerade":{},"model":"virtio","name":"default"}"#,
            if self.two_nics { r#",{"bridge":{},"model":"virtio","name":"storage-net"}"# } else { "" },
            r#"],"networkInterfaceMultiqueue":"#, if cpus > 1 { "true" } else { "false" }, r#","rng":{}},"#);
        if expanded {
            put!(out; r#""features":{"acpi":{"enabled":true},"#);
            if self.windows() {
                put!(out; r#""hyperv":{"#);
                for (n, feature) in HYPERV.iter().enumerate() {
                    put!(out; if n == 0 { "\"" } else { ",\"" }, feature, r#"":{"enabled":true}"#);
                }
                put!(out; "},");
            }
            put!(out; r#""smm":{"enabled":true}},"firmware":{"bootloader":{"efi":{"secureBoot":"#,
                if self.windows() { "true" } else { "false" }, r#"}},"serial":""#, self.serial, r#"","uuid":""#,
                self.firmware, r#""},"machine":{"type":"q35"},"memory":{"guest":""#);
            self.memory(out);
            put!(out; r#"","maxGuest":""#, self.size.mebibytes * 4, r#"Mi"},"resources":{"requests":{"memory":""#);
            self.memory(out);
            put!(out; "\"}}}");
        } else {
            put!(out; r#""firmware":{"serial":""#, self.serial, r#"","uuid":""#, self.firmware, r#""},"memory":{"guest":""#);
            self.memory(out);
            put!(out; r#""},"resources":{}}"#);
        }
    }

    /// The part of a VM's template and an instance's spec after the domain, which both share.
    fn spec_tail(&self, out: &mut Vec<u8>) {
        put!(out; r#","evictionStrategy":"LiveMigrate","networks":[{"name":"default","pod":{}}"#,
            if self.two_nics { r#",{"multus":{"networkName":"vm-networks/storage-vlan-310"},"name":"storage-net"}"# } else { "" },
            r#"],"terminationGracePeriodSeconds":180,"volumes":[{"dataVolume":{"name":""#, self.name,
            r#"-rootdisk"},"name":"rootdisk"},"#);
        if self.data_disk {
            put!(out; r#"{"name":"datadisk","persistentVolumeClaim":{"claimName":""#, self.name, r#"-data"}},"#);
        }
        put!(out; r#"{"cloudInitNoCloud":{"networkData":"version: 2\nethernets:\n  eth0:\n    dhcp4: true\n","secretRef":{"name":""#,
            self.name, r#"-cloudinit"}},"name":"cloudinitdisk"}]}"#);
    }

    fn affinity(&self, out: &mut Vec<u8>) {
        put!(out; r#"{"affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"podAffinityTerm":{"labelSelector":{"matchLabels":{"app":""#,
            self.app, r#""}},"topologyKey":"kubernetes.io/hostname"},"weight":100}]}},"architecture":"amd64","domain":"#);
    }

    fn template_annotations(&self, out: &mut Vec<u8>) {
        put!(out; r#""vm.kubevirt.io/flavor":""#, self.size.name, r#"","vm.kubevirt.io/os":""#, self.os.id,
            r#"","vm.kubevirt.io/workload":"server"}"#);
    }

    fn owner(&self, api: &str, kind: &str, disk: &str, uid: &[u8; 36], out: &mut Vec<u8>) {
        put!(out; r#""ownerReferences":[{"apiVersion":""#, api, r#"","blockOwnerDeletion":true,"controller":true,"kind":""#,
            kind, r#"","name":""#, self.name, disk, r#"","uid":""#, uid, r#""}],"#);
    }

    fn condition(
        &self,
        first: &mut bool,
        kind: &str,
        yes: bool,
        reason: &str,
        message: &[&str],
        out: &mut Vec<u8>,
    ) {
        put!(out; if *first { "" } else { "," }, r#"{"lastProbeTime":null,"lastTransitionTime":""#, stamp(self.changed), "\",");
        *first = false;
        if !message.is_empty() {
            put!(out; r#""message":""#);
            for part in message {
                put!(out; part);
            }
            put!(out; "\",");
        }
        if !reason.is_empty() {
            put!(out; r#""reason":""#, reason, "\",");
        }
        put!(out; r#""status":""#, if yes { "True" } else { "False" }, r#"","type":""#, kind, "\"}");
    }

    fn conditions(&self, instance: bool, out: &mut Vec<u8>) {
        let mut first = true;
        let mut add = |kind: &str, yes: bool, reason: &str, message: &[&str]| {
            self.condition(&mut first, kind, yes, reason, message, out);
        };
        let not_running = "Guest VM is not reported as running";
        match self.state {
            State::Running | State::Migrating => add("Ready", true, "", &[]),
            state if state.has_instance() => add("Ready", false, "GuestNotRunning", &[not_running]),
            _ => add("Ready", false, "VMINotExists", &["VMI does not exist"]),
        }
        match self.state {
            State::ErrorUnschedulable => add(
                "PodScheduled",
                false,
                "Unschedulable",
                &["0/120 nodes are available: 117 Insufficient memory, 3 node(s) had untolerated taint \
                   {node-role.kubernetes.io/control-plane: }. preemption: 0/120 nodes are available: 120 No preemption \
                   victims found for incoming pod."],
            ),
            State::CrashLoopBackOff => add(
                "Failure",
                true,
                "FailedCreate",
                &[
                    r#"server error. command SyncVMI failed: \"LibvirtError(Code=1, Domain=10, Message='internal error: process exited while connecting to monitor: Could not open disk image')\""#,
                ],
            ),
            _ => {}
        }
        if self.state.on_node() {
            if self.shared {
                add("LiveMigratable", true, "", &[]);
            } else {
                add(
                    "LiveMigratable",
                    false,
                    "DisksNotLiveMigratable",
                    &[
                        "cannot migrate VMI: PVC ",
                        &self.name,
                        "-rootdisk is not shared, live migration requires that all PVCs must be shared (using \
                      ReadWriteMany access mode)",
                    ],
                );
            }
            add("StorageLiveMigratable", true, "", &[]);
            add("AgentConnected", true, "", &[]);
        }
        if self.state == State::Paused {
            add("Paused", true, "PausedByUser", &["VMI was paused by user"]);
        }
        if self.state == State::DataVolumeError {
            add("DataVolumesReady", false, "DataVolumesNotReady", &["Not all of the VMI's DVs are ready"]);
        } else if instance {
            add("DataVolumesReady", true, "AllDVsReady", &["All of the VMI's DVs are bound and ready"]);
        }
    }
}

const HYPERV: [&str; 9] =
    ["frequencies", "ipi", "relaxed", "reset", "runtime", "synic", "tlbflush", "vapic", "vpindex"];

/// The beginning of an entry of `managedFields` of a custom resource.
fn managed(api: &str, out: &mut Vec<u8>) {
    put!(out; r#"{"apiVersion":""#, api, r#"","fieldsType":"FieldsV1","fieldsV1":{"#);
}

/// The end of it.
fn manager(name: &str, operation: &str, status: bool, time: u64, out: &mut Vec<u8>) {
    put!(out; r#"},"manager":""#, name, r#"","operation":""#, operation, "\",",
        if status { r#""subresource":"status","# } else { "" }, r#""time":""#, stamp(time), "\"}");
}

// ------------------------------------------------------------------------------------------------ the four kinds

fn write_vm(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "kubevirt.io/v1";
    let revision_names =
        |name: &str, out: &mut Vec<u8>| put!(out; m.name, "-", name, "-v1beta1-", m.suffix, "-1");
    let mut spec = Vec::with_capacity(2600);
    let to = &mut spec;
    put!(to; r#"{"dataVolumeTemplates":[{"metadata":{"creationTimestamp":null,"name":""#, m.name,
        r#"-rootdisk"},"spec":{"sourceRef":{"kind":"DataSource","name":""#, m.os.source,
        r#"","namespace":"vm-os-images"},"storage":{"resources":{"requests":{"storage":""#, m.disk,
        r#"Gi"}},"storageClassName":""#, m.class, r#""}}}],"instancetype":{"kind":"VirtualMachineClusterInstancetype","name":""#,
        m.size.name, r#"","revisionName":""#);
    revision_names(m.size.name, to);
    put!(to; r#""},"preference":{"kind":"VirtualMachineClusterPreference","name":""#, m.os.id, r#"","revisionName":""#);
    revision_names(m.os.id, to);
    put!(to; r#""},"runStrategy":""#, m.strategy(), r#"","template":{"metadata":{"annotations":{"#);
    m.template_annotations(to);
    put!(to; r#","creationTimestamp":null,"labels":{"app":""#, m.app, r#"","kubevirt.io/domain":""#, m.name,
        r#"","kubevirt.io/size":""#, m.size.name, r#"","network.kubevirt.io/headlessService":"headless"}},"spec":"#);
    m.affinity(to);
    m.domain(false, to);
    m.spec_tail(to);
    put!(to; "}}");

    put!(out; r#"{"annotations":{"#);
    match m.tool {
        Tool::Kubectl => {
            let mut applied = Vec::with_capacity(3200);
            let to = &mut applied;
            put!(to; r#"{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachine","metadata":{"annotations":{},"labels":"#);
            m.labels(to);
            put!(to; r#","name":""#, m.name, r#"","namespace":""#, m.namespace, r#""},"spec":"#);
            to.extend_from_slice(&spec);
            put!(to; "}");
            put!(out; r#""kubectl.kubernetes.io/last-applied-configuration":""#);
            escape(&applied, out);
            put!(out; r#"\n","#);
        }
        Tool::GitOps => {
            put!(out; r#""argocd.argoproj.io/tracking-id":""#, m.team, "-vms:kubevirt.io/VirtualMachine:",
            m.namespace, "/", m.name, "\",");
        }
        Tool::Console => {
            put!(out; r#""description":""#, m.app, " server of team ", m.team, " (", m.stage, ")\",");
        }
    }
    put!(out; r#""kubemacpool.io/transaction-timestamp":""#, stamp(m.created),
        r#"","kubevirt.io/latest-observed-api-version":"v1","kubevirt.io/storage-observed-api-version":"v1"},"creationTimestamp":""#,
        stamp(m.created), "\",");
    if m.state == State::Terminating {
        put!(out; r#""deletionGracePeriodSeconds":0,"deletionTimestamp":""#, stamp(m.changed), "\",");
    }
    put!(out; r#""finalizers":["kubevirt.io/virtualMachineControllerFinalize"],"generation":2,"labels":"#);
    m.labels(out);
    put!(out; r#","managedFields":["#);
    managed(API, out);
    let (field, by, operation) = match m.tool {
        Tool::Kubectl => {
            ("f:kubectl.kubernetes.io/last-applied-configuration", "kubectl-client-side-apply", "Update")
        }
        Tool::GitOps => ("f:argocd.argoproj.io/tracking-id", "argocd-controller", "Apply"),
        Tool::Console => ("f:description", "Mozilla", "Update"),
    };
    put!(out; r#""f:metadata":{"f:annotations":{".":{},""#, field,
        r#"":{},"f:kubemacpool.io/transaction-timestamp":{},"f:kubevirt.io/latest-observed-api-version":{},"f:kubevirt.io/storage-observed-api-version":{}},"f:labels":{".":{},"f:app":{},"f:app.kubernetes.io/instance":{},"f:app.kubernetes.io/part-of":{},"f:env":{},"f:kubevirt.io/dynamic-credentials-support":{},"f:topology.example.com/zone":{},"f:vm.kubevirt.io/template":{}}},"f:spec":{"f:dataVolumeTemplates":{},"f:instancetype":{".":{},"f:kind":{},"f:name":{},"f:revisionName":{}},"f:preference":{".":{},"f:kind":{},"f:name":{},"f:revisionName":{}},"f:runStrategy":{},"f:template":{".":{},"f:metadata":{".":{},"f:annotations":{".":{},"f:vm.kubevirt.io/flavor":{},"f:vm.kubevirt.io/os":{},"f:vm.kubevirt.io/workload":{}},"f:creationTimestamp":{},"f:labels":{".":{},"f:app":{},"f:kubevirt.io/domain":{},"f:kubevirt.io/size":{},"f:network.kubevirt.io/headlessService":{}}},"f:spec":{".":{},"f:affinity":{".":{},"f:podAntiAffinity":{".":{},"f:preferredDuringSchedulingIgnoredDuringExecution":{}}},"f:architecture":{},"f:domain":{".":{},"f:cpu":{".":{},"f:cores":{},"f:sockets":{},"f:threads":{}},"f:devices":{".":{},"f:disks":{},"f:interfaces":{},"f:networkInterfaceMultiqueue":{},"f:rng":{}},"f:firmware":{".":{},"f:serial":{},"f:uuid":{}},"f:memory":{".":{},"f:guest":{}},"f:resources":{}},"f:evictionStrategy":{},"f:networks":{},"f:terminationGracePeriodSeconds":{},"f:volumes":{}}}}"#);
    manager(by, operation, false, m.created, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:metadata":{"f:finalizers":{".":{},"v:\"kubevirt.io/virtualMachineControllerFinalize\"":{}}}"#);
    manager("virt-controller", "Update", false, m.created + 2, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:status":{"f:conditions":{},"#, if m.state.has_instance() { r#""f:created":{},"# } else { "" },
        r#""f:desiredGeneration":{},"f:instancetypeRef":{".":{},"f:controllerRevisionRef":{".":{},"f:name":{}},"f:kind":{},"f:name":{}},"f:observedGeneration":{},"f:preferenceRef":{".":{},"f:controllerRevisionRef":{".":{},"f:name":{}},"f:kind":{},"f:name":{}},"f:printableStatus":{},"#,
        if m.state.runs() { r#""f:ready":{},"# } else { "" }, r#""f:runStrategy":{},"#,
        if m.state == State::CrashLoopBackOff {
            r#""f:startFailure":{".":{},"f:consecutiveFailCount":{},"f:lastFailedVMIUID":{},"f:retryAfterTimestamp":{}},"#
        } else { "" },
        r#""f:volumeSnapshotStatuses":{}}"#);
    manager("virt-controller", "Update", true, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"","namespace":""#, m.namespace, r#"","resourceVersion":""#, m.resource_version,
        r#"","uid":""#, m.vm_uid, r#""},"spec":"#);
    out.extend_from_slice(&spec);

    put!(out; r#","status":{"conditions":["#);
    m.conditions(false, out);
    put!(out; "],", if m.state.has_instance() { r#""created":true,"# } else { "" },
        r#""desiredGeneration":2,"instancetypeRef":{"controllerRevisionRef":{"name":""#);
    revision_names(m.size.name, out);
    put!(out; r#""},"kind":"virtualmachineclusterinstancetype","name":""#, m.size.name,
        r#""},"observedGeneration":2,"preferenceRef":{"controllerRevisionRef":{"name":""#);
    revision_names(m.os.id, out);
    put!(out; r#""},"kind":"virtualmachineclusterpreference","name":""#, m.os.id, r#""},"printableStatus":""#,
        m.state.text(), "\",", if m.state.runs() { r#""ready":true,"# } else { "" }, r#""runStrategy":""#, m.strategy(), "\",");
    if m.state == State::CrashLoopBackOff {
        put!(out; r#""startFailure":{"consecutiveFailCount":7,"lastFailedVMIUID":""#, m.instance_uid,
            r#"","retryAfterTimestamp":""#, stamp(m.changed + 300), r#""},"#);
    }
    let enabled = if m.shared { r#"{"enabled":true,"name":""# } else { r#"{"enabled":false,"name":""# };
    put!(out; r#""volumeSnapshotStatuses":["#, enabled, r#"rootdisk"},"#);
    if m.data_disk {
        put!(out; enabled, r#"datadisk"},"#);
    }
    put!(out; r#"{"enabled":false,"name":"cloudinitdisk","reason":"Snapshot is not supported for this volumeSource type [cloudinitdisk]"}]}}"#);
}

/// Writes JSON text as the inside of a JSON string.
fn escape(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn write_instance(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "kubevirt.io/v1";
    let on_node = m.state.on_node();
    put!(out; r#"{"annotations":{"kubevirt.io/latest-observed-api-version":"v1","kubevirt.io/storage-observed-api-version":"v1","kubevirt.io/vm-generation":"2","#);
    m.template_annotations(out);
    put!(out; r#","creationTimestamp":""#, stamp(m.created), "\",");
    if m.state == State::Terminating || m.state == State::Stopping {
        put!(out; r#""deletionGracePeriodSeconds":180,"deletionTimestamp":""#, stamp(m.changed), "\",");
    }
    put!(out; r#""finalizers":["kubevirt.io/virtualMachineControllerFinalize","foregroundDeleteVirtualMachine"],"generation":18,"labels":{"app":""#,
        m.app, r#"","kubevirt.io/domain":""#, m.name, "\",");
    if on_node {
        put!(out; r#""kubevirt.io/nodeName":""#, m.node, "\",");
    }
    put!(out; r#""kubevirt.io/size":""#, m.size.name, r#"","network.kubevirt.io/headlessService":"headless"},"managedFields":["#);
    managed(API, out);
    put!(out; r#""f:metadata":{"f:annotations":{".":{},"f:kubevirt.io/latest-observed-api-version":{},"f:kubevirt.io/storage-observed-api-version":{},"f:kubevirt.io/vm-generation":{},"f:vm.kubevirt.io/flavor":{},"f:vm.kubevirt.io/os":{},"f:vm.kubevirt.io/workload":{}},"f:labels":{".":{},"f:app":{},"f:kubevirt.io/domain":{},"#,
        if on_node { r#""f:kubevirt.io/nodeName":{},"# } else { "" },
        r#""f:kubevirt.io/size":{},"f:network.kubevirt.io/headlessService":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        m.vm_uid, r#"\"}":{}}},"f:spec":{"f:affinity":{".":{},"f:podAntiAffinity":{".":{},"f:preferredDuringSchedulingIgnoredDuringExecution":{}}},"f:architecture":{},"f:domain":{".":{},"f:cpu":{".":{},"f:cores":{},"f:maxSockets":{},"f:model":{},"f:sockets":{},"f:threads":{}},"f:devices":{".":{},"f:autoattachPodInterface":{},"f:disks":{},"f:interfaces":{},"f:networkInterfaceMultiqueue":{},"f:rng":{}},"f:features":{".":{},"f:acpi":{".":{},"f:enabled":{}},"#);
    if m.windows() {
        put!(out; r#""f:hyperv":{".":{}"#);
        for feature in HYPERV {
            put!(out; r#","f:"#, feature, r#"":{".":{},"f:enabled":{}}"#);
        }
        put!(out; "},");
    }
    put!(out; r#""f:smm":{".":{},"f:enabled":{}}},"f:firmware":{".":{},"f:bootloader":{".":{},"f:efi":{".":{},"f:secureBoot":{}}},"f:serial":{},"f:uuid":{}},"f:machine":{".":{},"f:type":{}},"f:memory":{".":{},"f:guest":{},"f:maxGuest":{}},"f:resources":{".":{},"f:requests":{".":{},"f:memory":{}}}},"f:evictionStrategy":{},"f:networks":{},"f:terminationGracePeriodSeconds":{},"f:volumes":{}}"#);
    manager("virt-controller", "Update", false, m.created, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:metadata":{"f:finalizers":{".":{},"v:\"foregroundDeleteVirtualMachine\"":{},"v:\"kubevirt.io/virtualMachineControllerFinalize\"":{}}}"#);
    manager("virt-controller", "Update", false, m.created + 2, out);
    put!(out; ",");
    managed(API, out);
    if on_node {
        put!(out; r#""f:status":{"f:guestOSInfo":{".":{},"f:id":{},"f:kernelRelease":{},"f:kernelVersion":{},"f:machine":{},"f:name":{},"f:prettyName":{},"f:version":{},"f:versionId":{}},"f:interfaces":{},"f:machine":{".":{},"f:type":{}},"f:memory":{".":{},"f:guestAtBoot":{},"f:guestCurrent":{},"f:guestRequested":{}},"f:migrationMethod":{},"#);
        if m.migration() {
            put!(out; r#""f:migrationState":{".":{},"f:completed":{},"#,
                if m.state == State::Migrating { "" } else { r#""f:endTimestamp":{},"# },
                r#""f:migrationConfiguration":{".":{},"f:allowAutoConverge":{},"f:allowPostCopy":{},"f:bandwidthPerMigration":{},"f:completionTimeoutPerGiB":{},"f:nodeDrainTaintKey":{},"f:parallelMigrationsPerCluster":{},"f:parallelOutboundMigrationsPerNode":{},"f:progressTimeout":{},"f:unsafeMigrationOverride":{}},"f:migrationUid":{},"f:mode":{},"f:sourceNode":{},"f:sourcePod":{},"f:startTimestamp":{},"f:targetDirectMigrationNodePorts":{".":{},"f:35401":{},"f:39173":{},"f:46123":{}},"f:targetNode":{},"f:targetNodeAddress":{},"f:targetNodeDomainDetected":{},"f:targetPod":{}},"#);
        }
        put!(out; r#""f:phase":{},"f:selinuxContext":{},"f:volumeStatus":{}}"#);
    } else {
        put!(out; r#""f:status":{"f:guestOSInfo":{},"f:memory":{".":{},"f:guestAtBoot":{},"f:guestCurrent":{},"f:guestRequested":{}},"f:phase":{}}"#);
    }
    manager("virt-handler", "Update", false, m.changed, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:status":{"#);
    if on_node {
        put!(out; r#""f:activePods":{".":{},"f:"#, m.pod_uid, r#"":{}},"#);
    }
    put!(out; r#""f:conditions":{},"f:phaseTransitionTimestamps":{},"f:qosClass":{},"f:runtimeUser":{},"f:virtualMachineRevisionName":{}}"#);
    manager("virt-controller", "Update", false, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"","namespace":""#, m.namespace, "\",");
    m.owner(API, "VirtualMachine", "", &m.vm_uid, out);
    put!(out; r#""resourceVersion":""#, m.resource_version, r#"","uid":""#, m.instance_uid, r#""},"spec":"#);
    m.affinity(out);
    m.domain(true, out);
    m.spec_tail(out);

    put!(out; r#","status":{"#);
    if on_node {
        put!(out; r#""activePods":{""#, m.pod_uid, r#"":""#, m.node, r#""},"#);
    }
    put!(out; r#""conditions":["#);
    m.conditions(true, out);
    put!(out; r#"],"currentCPUTopology":{"cores":1,"sockets":"#, m.size.cpus, r#","threads":1},"guestOSInfo":{"#);
    if on_node {
        let windows = m.windows();
        put!(out; r#""id":""#, if windows { "mswindows" } else { m.os.family }, r#"","kernelRelease":""#, m.os.kernel,
            r#"","kernelVersion":""#, if windows { "" } else { "#1 SMP PREEMPT_DYNAMIC 2024-01-01T00:00:00Z" },
            r#"","machine":"x86_64","name":""#, m.os.name, r#"","prettyName":""#, m.os.name, " ", m.os.version,
            r#"","version":""#, m.os.version, r#"","versionId":""#, m.os.version_id, r#""},"interfaces":[{"infoSource":"domain, guest-agent","interfaceName":""#,
            if windows { "Ethernet" } else { "eth0" }, r#"","ipAddress":""#, m.ip, r#"","ipAddresses":[""#, m.ip,
            r#"","fd10:0:2::"#, format!("{:x}", m.index + 2), r#""],"linkState":"up","mac":""#, m.mac,
            r#"","name":"default","podInterfaceName":"eth0","queueCount":"#, m.size.cpus, "}");
        if m.two_nics {
            let second = format!("172.21.{}.{}", m.index >> 8 & 255, m.index & 255);
            put!(out; r#",{"infoSource":"domain, guest-agent, multus-status","interfaceName":"eth1","ipAddress":""#, second,
                r#"","ipAddresses":[""#, second, r#""],"linkState":"up","mac":""#);
            out.extend_from_slice(&m.mac[..16]);
            put!(out; r#"f","name":"storage-net","podInterfaceName":"pod16477688c0e","queueCount":"#, m.size.cpus, "}");
        }
        put!(out; r#"],"launcherContainerImageVersion":"registry.example.com/kubevirt/virt-launcher@sha256:9c1f0e4bd2a83b7755a6f1c40d8e92369c1f0e4bd2a83b7755a6f1c40d8e9236","machine":{"type":"pc-q35-rhel9.6.0"},"memory":{"guestAtBoot":""#);
    } else {
        put!(out; r#"},"memory":{"guestAtBoot":""#);
    }
    m.memory(out);
    put!(out; r#"","guestCurrent":""#);
    m.memory(out);
    put!(out; r#"","guestRequested":""#);
    m.memory(out);
    put!(out; "\"},");
    if on_node {
        put!(out; r#""migrationMethod":""#, if m.shared { "LiveMigration" } else { "BlockMigration" }, "\",");
        if m.migration() {
            let done = m.state != State::Migrating;
            put!(out; r#""migrationState":{"completed":"#, if done { "true" } else { "false" });
            if done {
                put!(out; r#","endTimestamp":""#, stamp(m.changed + 41), "\"");
            }
            let yes = if done { "true" } else { "false" };
            let target = m.index % NODES;
            put!(out; r#","migrationConfiguration":{"allowAutoConverge":false,"allowPostCopy":false,"bandwidthPerMigration":"0","completionTimeoutPerGiB":150,"nodeDrainTaintKey":"kubevirt.io/drain","parallelMigrationsPerCluster":5,"parallelOutboundMigrationsPerNode":2,"progressTimeout":150,"unsafeMigrationOverride":false},"migrationUid":""#,
                m.serial, r#"","mode":"PreCopy","sourceNode":""#, m.node, r#"","sourcePod":"virt-launcher-"#, m.name, "-",
                m.suffix, r#"","startTimestamp":""#, stamp(m.changed), r#"","targetDirectMigrationNodePorts":{"35401":0,"39173":49152,"46123":49153},"targetNode":"worker-"#,
                format!("{target:03}"), r#".zone-b.example.internal","targetNodeAddress":"10.129."#, target,
                r#".17","targetNodeDomainDetected":"#, yes, r#","targetPod":"virt-launcher-"#, m.name, "-q", m.suffix, "\"},");
        }
        put!(out; r#""migrationTransport":"Unix","nodeName":""#, m.node, "\",");
    }
    put!(out; r#""phase":""#, m.phase(), r#"","phaseTransitionTimestamps":["#);
    let phases: &[&str] = if m.phase() == "Running" {
        &["Pending", "Scheduling", "Scheduled", "Running"]
    } else {
        &["Pending", "Scheduling"]
    };
    for (n, phase) in phases.iter().enumerate() {
        put!(out; if n == 0 { "" } else { "," }, r#"{"phase":""#, phase, r#"","phaseTransitionTimestamp":""#,
            stamp(m.created + 5 + 4 * n as u64), "\"}");
    }
    put!(out; r#"],"qosClass":"Burstable","runtimeUser":107,"#);
    if on_node {
        put!(out; r#""selinuxContext":"system_u:object_r:container_file_t:s0:c"#, m.index % 1024, ",c", m.index / 7 % 1024, "\",");
    }
    put!(out; r#""virtualMachineRevisionName":"revision-start-vm-"#, m.vm_uid, "-2\"");
    if on_node {
        let volume = |name: &str, claim: &str, target: &str, out: &mut Vec<u8>| {
            put!(out; r#",{"name":""#, name, r#"","persistentVolumeClaimInfo":{"accessModes":[""#, access(m),
                r#""],"capacity":{"storage":""#, m.disk, r#"Gi"},"claimName":""#, m.name, claim,
                r#"","requests":{"storage":""#, m.disk << 30, r#""},"volumeMode":""#, m.mode, r#""},"target":""#, target, "\"}");
        };
        put!(out; r#","volumeStatus":[{"name":"cloudinitdisk","size":1048576,"target":"vdc"}"#);
        if m.data_disk {
            volume("datadisk", "-data", "vdb", out);
        }
        volume("rootdisk", "-rootdisk", "vda", out);
        put!(out; "]");
    }
    put!(out; "}}");
}

fn access(m: &Machine<'_>) -> &'static str {
    if m.shared { "ReadWriteMany" } else { "ReadWriteOnce" }
}

fn write_data_volume(m: &Machine<'_>, out: &mut Vec<u8>) {
    const API: &str = "cdi.kubevirt.io/v1beta1";
    let phase = m.filling();
    let (done, busy) = (phase == "Succeeded", phase == "CloneInProgress");
    put!(out; r#"{"annotations":{"cdi.kubevirt.io/allowClaimAdoption":"true","cdi.kubevirt.io/clonePhase":"Succeeded","cdi.kubevirt.io/cloneType":"snapshot","cdi.kubevirt.io/storage.clone.token":""#,
        m.fleet.token, m.suffix, r#"","cdi.kubevirt.io/storage.deleteAfterCompletion":"false","cdi.kubevirt.io/storage.extended.clone.token":""#,
        m.fleet.long_token, m.suffix, r#"","cdi.kubevirt.io/storage.usePopulator":"true"},"creationTimestamp":""#, stamp(m.created),
        r#"","generation":1,"labels":{"app":""#, m.app, r#"","instancetype.kubevirt.io/default-preference":""#, m.os.id,
        r#"","kubevirt.io/created-by":""#, m.vm_uid, r#""},"managedFields":["#);
    managed(API, out);
    put!(out; r#""f:metadata":{"f:annotations":{".":{},"f:cdi.kubevirt.io/allowClaimAdoption":{},"f:cdi.kubevirt.io/clonePhase":{},"f:cdi.kubevirt.io/cloneType":{},"f:cdi.kubevirt.io/storage.clone.token":{},"f:cdi.kubevirt.io/storage.deleteAfterCompletion":{},"f:cdi.kubevirt.io/storage.extended.clone.token":{},"f:cdi.kubevirt.io/storage.usePopulator":{}},"f:labels":{".":{},"f:app":{},"f:instancetype.kubevirt.io/default-preference":{},"f:kubevirt.io/created-by":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        m.vm_uid, r#"\"}":{}}},"f:spec":{"f:sourceRef":{".":{},"f:kind":{},"f:name":{},"f:namespace":{}},"f:storage":{".":{},"f:resources":{".":{},"f:requests":{".":{},"f:storage":{}}},"f:storageClassName":{}}}"#);
    manager("virt-controller", "Update", false, m.created, out);
    put!(out; ",");
    managed(API, out);
    put!(out; r#""f:status":{"f:claimName":{},"f:conditions":{},"f:phase":{},"f:progress":{}"#,
        if phase == "Failed" { r#","f:restartCount":{}}"# } else { "}" });
    manager("virt-cdi-controller", "Update", true, m.changed, out);
    put!(out; r#"],"name":""#, m.name, r#"-rootdisk","namespace":""#, m.namespace, "\",");
    m.owner("kubevirt.io/v1", "VirtualMachine", "", &m.vm_uid, out);
    put!(out; r#""resourceVersion":""#, m.resource_version, r#"","uid":""#, m.volume_uid,
        r#""},"spec":{"sourceRef":{"kind":"DataSource","name":""#, m.os.source,
        r#"","namespace":"vm-os-images"},"storage":{"resources":{"requests":{"storage":""#, m.disk,
        r#"Gi"}},"storageClassName":""#, m.class, r#""}},"status":{"claimName":""#, m.name, r#"-rootdisk","conditions":["#);
    let condition = |kind: &str, yes: bool, reason: &str, message: &[&str], out: &mut Vec<u8>| {
        put!(out; r#"{"lastHeartbeatTime":""#, stamp(m.changed), r#"","lastTransitionTime":""#, stamp(m.changed), r#"","message":""#);
        for part in message {
            put!(out; part);
        }
        put!(out; r#"","reason":""#, reason, r#"","status":""#, if yes { "True" } else { "False" }, r#"","type":""#, kind, "\"}");
    };
    if phase == "WaitForFirstConsumer" {
        condition("Bound", false, "Pending", &["PVC ", &m.name, "-rootdisk Pending"], out);
    } else {
        condition("Bound", true, "Bound", &["PVC ", &m.name, "-rootdisk Bound"], out);
    }
    put!(out; ",");
    condition("Ready", done, if done { "" } else { "TransferRunning" }, &[], out);
    put!(out; ",");
    if done {
        condition("Running", false, "Completed", &["Clone Complete"], out);
    } else if phase == "Failed" {
        condition(
            "Running",
            false,
            "Error",
            &["Unable to connect to the source of ", &m.name, "-rootdisk: no space left on device"],
            out,
        );
    } else {
        let message = [
            "Cloning from vm-os-images/",
            m.os.id,
            " into ",
            m.namespace,
            "/",
            &m.name,
            "-rootdisk in progress",
        ];
        condition("Running", busy, "Cloning", &message, out);
    }
    put!(out; r#"],"phase":""#, phase, r#"","progress":""#, m.progress(), "\"",
        if phase == "Failed" { r#","restartCount":4}}"# } else { "}}" });
}

fn write_claim(m: &Machine<'_>, out: &mut Vec<u8>) {
    let bound = m.state != State::WaitingForVolumeBinding;
    put!(out; r#"{"name":""#, m.name, r#"-rootdisk","namespace":""#, m.namespace, r#"","uid":""#, m.claim_uid,
        r#"","resourceVersion":""#, m.resource_version, r#"","creationTimestamp":""#, stamp(m.created),
        r#"","labels":{"alerts.k8s.io/KubePersistentVolumeFillingUp":"disabled","app":"containerized-data-importer","app.kubernetes.io/component":"storage","app.kubernetes.io/managed-by":"cdi-controller","app.kubernetes.io/part-of":"hyperconverged-cluster","app.kubernetes.io/version":"4.19.0","instancetype.kubevirt.io/default-preference":""#,
        m.os.id, r#"","kubevirt.io/created-by":""#, m.vm_uid,
        r#""},"annotations":{"cdi.kubevirt.io/allowClaimAdoption":"true","cdi.kubevirt.io/clonePhase":"Succeeded","cdi.kubevirt.io/cloneType":"snapshot","cdi.kubevirt.io/createdForDataVolume":""#,
        m.volume_uid, r#"","cdi.kubevirt.io/dataSourceNamespace":"vm-os-images","cdi.kubevirt.io/storage.clone.token":""#,
        m.fleet.token, m.suffix, r#"","cdi.kubevirt.io/storage.condition.running":"false","cdi.kubevirt.io/storage.condition.running.message":"Clone Complete","cdi.kubevirt.io/storage.condition.running.reason":"Completed","cdi.kubevirt.io/storage.contentType":"kubevirt","cdi.kubevirt.io/storage.pod.phase":"Succeeded","cdi.kubevirt.io/storage.populator.progress":"100.0%","cdi.kubevirt.io/storage.preallocation.requested":"false","cdi.kubevirt.io/storage.usePopulator":"true","#,
        if bound { r#""pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes","# } else { "" },
        r#""volume.beta.kubernetes.io/storage-provisioner":"openshift-storage.rbd.csi.ceph.com","volume.kubernetes.io/storage-provisioner":"openshift-storage.rbd.csi.ceph.com"},"#);
    m.owner("cdi.kubevirt.io/v1beta1", "DataVolume", "-rootdisk", &m.volume_uid, out);
    out.pop();
    // Unlike custom resources, built-in kinds write their field sets with the struct's order of keys.
    let entry = |name: &str, time: u64, fields: &[&str], status: bool, out: &mut Vec<u8>| {
        put!(out; r#"{"manager":""#, name, r#"","operation":"Update","apiVersion":"v1","time":""#, stamp(time),
            r#"","fieldsType":"FieldsV1","fieldsV1":{"#);
        for part in fields {
            put!(out; part);
        }
        put!(out; "}", if status { r#","subresource":"status"}"# } else { "}" });
    };
    put!(out; r#","finalizers":["kubernetes.io/pvc-protection"],"managedFields":["#);
    let uid = str::from_utf8(&m.volume_uid).expect("hexadecimal");
    let binding = if bound {
        r#""f:pv.kubernetes.io/bind-completed":{},"f:pv.kubernetes.io/bound-by-controller":{},"#
    } else {
        ""
    };
    let fields = [
        r#""f:metadata":{"f:annotations":{".":{},"f:cdi.kubevirt.io/allowClaimAdoption":{},"f:cdi.kubevirt.io/clonePhase":{},"f:cdi.kubevirt.io/cloneType":{},"f:cdi.kubevirt.io/createdForDataVolume":{},"f:cdi.kubevirt.io/dataSourceNamespace":{},"f:cdi.kubevirt.io/storage.clone.token":{},"f:cdi.kubevirt.io/storage.condition.running":{},"f:cdi.kubevirt.io/storage.condition.running.message":{},"f:cdi.kubevirt.io/storage.condition.running.reason":{},"f:cdi.kubevirt.io/storage.contentType":{},"f:cdi.kubevirt.io/storage.pod.phase":{},"f:cdi.kubevirt.io/storage.populator.progress":{},"f:cdi.kubevirt.io/storage.preallocation.requested":{},"f:cdi.kubevirt.io/storage.usePopulator":{},"#,
        binding,
        r#""f:volume.beta.kubernetes.io/storage-provisioner":{},"f:volume.kubernetes.io/storage-provisioner":{}},"f:labels":{".":{},"f:alerts.k8s.io/KubePersistentVolumeFillingUp":{},"f:app":{},"f:app.kubernetes.io/component":{},"f:app.kubernetes.io/managed-by":{},"f:app.kubernetes.io/part-of":{},"f:app.kubernetes.io/version":{},"f:instancetype.kubevirt.io/default-preference":{},"f:kubevirt.io/created-by":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\""#,
        uid,
        r#"\"}":{}}},"f:spec":{"f:accessModes":{},"f:dataSource":{".":{},"f:apiGroup":{},"f:kind":{},"f:name":{}},"f:dataSourceRef":{".":{},"f:apiGroup":{},"f:kind":{},"f:name":{}},"f:resources":{".":{},"f:requests":{".":{},"f:storage":{}}},"f:storageClassName":{},"f:volumeMode":{}"#,
        if bound { r#","f:volumeName":{}}"# } else { "}" },
    ];
    entry("virt-cdi-controller", m.created, &fields, false, out);
    put!(out; ",");
    let fields = [r#""f:metadata":{"f:finalizers":{".":{},"v:\"kubernetes.io/pvc-protection\"":{}}}"#];
    entry("kube-controller-manager", m.created + 2, &fields, false, out);
    put!(out; ",");
    let fields = if bound {
        r#""f:status":{"f:accessModes":{},"f:capacity":{".":{},"f:storage":{}},"f:phase":{}}"#
    } else {
        r#""f:status":{"f:phase":{}}"#
    };
    entry("kube-controller-manager", m.changed, &[fields], true, out);
    put!(out; r#"]},"spec":{"accessModes":[""#, access(m), r#""],"resources":{"requests":{"storage":""#, m.disk << 30, r#""}},"#);
    if bound {
        put!(out; r#""volumeName":"pvc-"#, m.claim_uid, "\",");
    }
    put!(out; r#""storageClassName":""#, m.class, r#"","volumeMode":""#, m.mode, "\",");
    let source = |key: &str, out: &mut Vec<u8>| {
        put!(out; "\"", key, r#"":{"apiGroup":"cdi.kubevirt.io","kind":"VolumeCloneSource","name":"volume-clone-source-"#, m.volume_uid, "\"}");
    };
    source("dataSource", out);
    put!(out; ",");
    source("dataSourceRef", out);
    if bound {
        put!(out; r#"},"status":{"phase":"Bound","accessModes":[""#, access(m), r#""],"capacity":{"storage":""#, m.disk, r#"Gi"}}}"#);
    } else {
        put!(out; r#"},"status":{"phase":"Pending"}}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn object(fleet: &Fleet, kind: FleetKind, index: usize, revision: u64) -> Value {
        let mut out = Vec::new();
        fleet.write(kind, index, revision, &mut out);
        serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out)))
    }

    /// Whether the keys of all maps are sorted; `Value` sorts them itself, so the text must come out as it went in.
    fn sorted(text: &[u8]) -> bool {
        let value: Value = serde_json::from_slice(text).unwrap();
        serde_json::to_vec(&value).unwrap() == text
    }

    #[test]
    fn sizes_are_those_of_real_objects() {
        // Mean bytes per object where every machine runs.
        for (kind, expected) in [
            (FleetKind::Vm, 8128.0),
            (FleetKind::Vmi, 8097.0),
            (FleetKind::DataVolume, 3698.0),
            (FleetKind::Claim, 5039.0),
        ] {
            let fleet = Fleet::new(1, 2000).running();
            let mut out = Vec::new();
            for i in 0..fleet.count() {
                fleet.write(kind, i, 0, &mut out);
            }
            let mean = out.len() as f64 / fleet.count() as f64;
            println!("{}: {mean:.0} bytes", kind.short());
            assert!((mean / expected - 1.0).abs() < 0.02, "{kind:?}: {mean:.0} bytes, {expected} expected");
        }
    }

    #[test]
    fn every_object_parses_and_joins() {
        let fleet = Fleet::new(7, 1500);
        for i in 0..fleet.count() {
            for revision in [0, 1 + i as u64] {
                let [vm, vmi, dv, pvc] = FleetKind::ALL.map(|kind| object(&fleet, kind, i, revision));
                assert_eq!(vmi["metadata"]["ownerReferences"][0]["uid"], vm["metadata"]["uid"]);
                assert_eq!(dv["metadata"]["ownerReferences"][0]["uid"], vm["metadata"]["uid"]);
                assert_eq!(pvc["metadata"]["ownerReferences"][0]["uid"], dv["metadata"]["uid"]);
                for other in [&vmi, &dv, &pvc] {
                    assert_eq!(other["metadata"]["namespace"], vm["metadata"]["namespace"]);
                }
                assert_eq!(vm["status"]["printableStatus"], fleet.state(i, revision).text());
                if let Some(text) =
                    vm["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str()
                {
                    let applied: Value = serde_json::from_str(text).unwrap();
                    assert_eq!(applied["spec"], vm["spec"]);
                    assert_eq!(applied["metadata"]["labels"], vm["metadata"]["labels"]);
                }
            }
        }
    }

    /// The field sets claim to describe the object: they name no key it lacks, and none of the status is left out.
    #[test]
    fn managed_fields_name_what_is_there() {
        fn check(fields: &Value, object: &Value, path: &str) {
            for (key, below) in fields.as_object().unwrap() {
                let Some(name) = key.strip_prefix("f:") else {
                    continue;
                };
                let at = object.get(name).unwrap_or_else(|| panic!("{path}.{name} is managed and not there"));
                if !at.is_array() {
                    check(below, at, &format!("{path}.{name}"));
                }
            }
        }
        let fleet = Fleet::new(3, 1500);
        for i in 0..fleet.count() {
            for kind in FleetKind::ALL {
                let object = object(&fleet, kind, i, 0);
                for entry in object["metadata"]["managedFields"].as_array().unwrap() {
                    check(&entry["fieldsV1"], &object, kind.short());
                }
            }
        }
    }

    #[test]
    fn custom_resources_are_sorted() {
        let fleet = Fleet::new(5, 300);
        for i in 0..fleet.count() {
            for kind in [FleetKind::Vm, FleetKind::Vmi, FleetKind::DataVolume] {
                let mut out = Vec::new();
                fleet.write(kind, i, 0, &mut out);
                assert!(sorted(&out), "{}", String::from_utf8_lossy(&out));
            }
        }
    }

    #[test]
    fn pages_carry_their_metadata_where_the_server_puts_it() {
        let fleet = Fleet::new(1, 100);
        for kind in FleetKind::ALL {
            let page = fleet.list_page(kind, 0..50, "next", Some(50));
            let value: Value = serde_json::from_slice(&page).unwrap();
            assert_eq!(value["kind"], format!("{}List", kind.kind()));
            assert_eq!(value["metadata"]["continue"], "next");
            assert_eq!(value["metadata"]["remainingItemCount"], 50);
            let items = value["items"].as_array().unwrap();
            assert_eq!(items.len(), (0..50).filter(|i| fleet.has(kind, *i)).count());
            let text = String::from_utf8(page).unwrap();
            let after = text.rfind("\"continue\"").unwrap() > text.rfind("\"status\"").unwrap();
            assert_eq!(after, kind != FleetKind::Claim);
            assert_eq!(items[0].get("kind").is_some(), kind != FleetKind::Claim);
            let last = fleet.list_page(kind, 50..100, "", None);
            assert!(serde_json::from_slice::<Value>(&last).is_ok());
        }
    }

    #[test]
    fn events_rows_and_bookmarks_parse() {
        let fleet = Fleet::new(1, 200);
        for kind in FleetKind::ALL {
            let columns: Value = serde_json::from_str(&kind.columns()).unwrap();
            for i in 0..fleet.count() {
                let line = fleet.event(kind, Change::Modified, i, 1 + i as u64);
                assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
                let event: Value = serde_json::from_slice(&line).unwrap();
                assert_eq!(event["type"], "MODIFIED");
                assert_eq!(
                    event["object"]["metadata"]["resourceVersion"],
                    fleet.resource_version(i, 1 + i as u64).to_string()
                );
                let (mut item, mut row) = (Vec::new(), Vec::new());
                fleet.write_item(kind, i, 0, &mut item);
                fleet.row(kind, i, 0, &item[metadata_of(kind, true, &item)], &mut row);
                let row: Value = serde_json::from_slice(&row).unwrap();
                let item: Value = serde_json::from_slice(&item).unwrap();
                assert_eq!(row["cells"].as_array().unwrap().len(), columns.as_array().unwrap().len());
                assert_eq!(row["object"]["metadata"], item["metadata"]);
            }
            for end in [false, true] {
                let mut line = Vec::new();
                Fleet::write_bookmark(kind, 7, end, &mut line);
                assert_eq!(serde_json::from_slice::<Value>(&line).unwrap()["type"], "BOOKMARK");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (one, two) = (Fleet::new(9, 50), Fleet::new(9, 50));
        for kind in FleetKind::ALL {
            assert_eq!(one.list_page(kind, 0..50, "", None), two.list_page(kind, 0..50, "", None));
            assert_ne!(
                one.list_page(kind, 0..50, "", None),
                Fleet::new(10, 50).list_page(kind, 0..50, "", None)
            );
        }
    }

    #[test]
    fn namespaces_are_skewed_and_all_apps_used() {
        let fleet = Fleet::new(1, 20_000);
        let mut counts = vec![0; fleet.namespaces().len()];
        let mut apps = std::collections::BTreeSet::new();
        for i in 0..fleet.count() {
            let (namespace, name) = fleet.name(i);
            counts[fleet.namespaces().iter().position(|n| n == namespace).unwrap()] += 1;
            apps.insert(name[..name.len() - 7].to_owned());
        }
        assert_eq!(apps.len(), APPS.len());
        assert!(counts[0] > 3000 && counts[0] > counts[5] && counts[5] > counts[10], "{counts:?}");
        let order = fleet.order(FleetKind::Vmi);
        assert!(order.len() < fleet.count() && order.len() > fleet.count() * 8 / 10);
    }
}
