//! VirtualMachineInstance.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bitflags::bitflags;
use serde::Deserialize;

use super::vm::{Domain, Volumes};
use crate::model::{Key, Time, Word};
use crate::records::values::{Told, Trouble};
use crate::records::wire::{Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachineInstance: one life of a guest.
#[derive(Debug, Default, PartialEq)]
pub struct Vmi {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`; empty just after creation.
    pub phase: Word,
    /// `status.nodeName`.
    pub node: Word,
    /// The one condition that keeps it from running: `Paused` True, else `Synchronized` or else `PodScheduled` False.
    pub trouble: Option<Box<Trouble>>,
    /// The reason of the condition `LiveMigratable` where it is False.
    pub obstacle: Word,
    /// Pretty name of the guest's system as its agent tells it.
    pub guest_os: Word,
    /// The first image of its volumes that is a disk itself (`containerDisk`).
    pub image: Word,
    /// DataVolumes and claims of its volumes, by name.
    pub disks: Keys,
    /// The first address of the first interface, IPv4 mapped into IPv6; all zeros where there is none.
    address: [u8; 16],
    /// Since when it is as it is: the start of its migration, else of its pause, else of its phase.
    pub since: Option<Time>,
    /// Memory of the guest in MiB.
    pub memory: u32,
    /// Virtual processors in use.
    pub cpus: u16,
    /// Yes-or-no facts.
    pub flags: VmiFlags,
}

bitflags! {
    /// Yes-or-no facts about a VirtualMachineInstance.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VmiFlags: u16 {
        /// Condition `Ready` is True.
        const READY = 1;
        /// The guest's processors are stopped (the phase stays Running).
        const PAUSED = 1 << 1;
        /// The guest agent answers.
        const AGENT = 1 << 2;
        /// A migration has started and not ended.
        const MIGRATING = 1 << 3;
        /// Condition `LiveMigratable` is True.
        const MIGRATABLE = 1 << 4;
        /// Condition `LiveMigratable` is False.
        const NOT_MIGRATABLE = 1 << 5;
        /// A node drain wants it moved.
        const EVACUATING = 1 << 6;
        /// Runs an older launcher than the cluster has.
        const OUTDATED = 1 << 7;
        /// The last migration failed.
        const MIGRATION_FAILED = 1 << 8;
        /// It was given up because its node is not heard (`status.reason`).
        const NODE_LOST = 1 << 9;
        /// The guest agent tells the address; otherwise it is that of the pod or of the network's plug-in.
        const ADDRESS_OF_GUEST = 1 << 13;
    }
}

impl Vmi {
    /// The guest's first address.
    pub fn address(&self) -> Option<IpAddr> {
        let address = Ipv6Addr::from(self.address);
        (!address.is_unspecified()).then(|| address.to_canonical())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VmiWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VmiWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow, rename = "kubevirt.io/outdatedLauncherImage")]
    outdated: Option<Str<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec<'a> {
    domain: Nullable<Domain>,
    #[serde(borrow)]
    volumes: Folded<Volumes<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    #[serde(borrow)]
    reason: Str<'a>,
    #[serde(borrow)]
    node_name: Str<'a>,
    #[serde(borrow)]
    evacuation_node_name: Str<'a>,
    conditions: Folded<Conditions>,
    interfaces: Folded<Addresses>,
    #[serde(borrow, rename = "guestOSInfo")]
    guest_os: Nullable<GuestOs<'a>>,
    #[serde(borrow)]
    migration_state: Nullable<MigrationState<'a>>,
    phase_transition_timestamps: Folded<LastPhase>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct GuestOs<'a> {
    #[serde(borrow)]
    pretty_name: Str<'a>,
    #[serde(borrow)]
    name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MigrationState<'a> {
    #[serde(borrow)]
    start_timestamp: Str<'a>,
    #[serde(borrow)]
    end_timestamp: Str<'a>,
    failed: Nullable<bool>,
}

#[derive(Default)]
struct Conditions {
    flags: VmiFlags,
    obstacle: Word,
    paused: Option<Box<Trouble>>,
    out_of_sync: Option<Box<Trouble>>,
    unscheduled: Option<Box<Trouble>>,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        let (yes, no) = (&*condition.status == "True", &*condition.status == "False");
        match &*condition.name {
            "Ready" => self.flags.set(VmiFlags::READY, yes),
            "Paused" => {
                self.flags.set(VmiFlags::PAUSED, yes);
                self.paused = yes.then(|| condition.keep());
            }
            "AgentConnected" => self.flags.set(VmiFlags::AGENT, yes),
            "LiveMigratable" => {
                self.flags.set(VmiFlags::MIGRATABLE, yes);
                self.flags.set(VmiFlags::NOT_MIGRATABLE, no);
                self.obstacle = if no { condition.reason.word() } else { Word::default() };
            }
            "Synchronized" if no => self.out_of_sync = Some(condition.keep()),
            "PodScheduled" if no => self.unscheduled = Some(condition.keep()),
            _ => {}
        }
    }
}

impl Conditions {
    /// What the controllers say tells more than the pod's own condition, which a missing claim sets as well.
    fn trouble(&mut self) -> Option<Box<Trouble>> {
        self.paused.take().or(self.out_of_sync.take()).or(self.unscheduled.take())
    }
}

/// The address to show: the first one, but a link-local one only if there is no other.
#[derive(Default)]
struct Addresses {
    best: Option<IpAddr>,
    of_guest: bool,
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Interface<'a> {
    #[serde(borrow)]
    ip_address: Str<'a>,
    /// Who tells it: some of `domain`, `guest-agent`, `multus-status` with commas.
    #[serde(borrow)]
    info_source: Str<'a>,
}

impl<'de> Fold<'de> for Addresses {
    type Item = Interface<'de>;

    fn add(&mut self, interface: Interface<'de>) {
        // Guest agents report link-local addresses with a zone (`fe80::1%eth0`).
        let address: Option<IpAddr> =
            interface.ip_address.split(['%', '/']).next().and_then(|address| address.parse().ok());
        let poor = self.best.is_none_or(is_link_local);
        if poor && address.is_some_and(|address| self.best.is_none() || !is_link_local(address)) {
            self.best = address;
            self.of_guest = interface.info_source.split(", ").any(|source| source == "guest-agent");
        }
    }
}

#[derive(Default)]
struct LastPhase(Option<Time>);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Transition<'a> {
    #[serde(borrow)]
    phase_transition_timestamp: Str<'a>,
}

impl<'de> Fold<'de> for LastPhase {
    type Item = Transition<'de>;

    fn add(&mut self, transition: Transition<'de>) {
        self.0 = self.0.max(transition.phase_transition_timestamp.time());
    }
}

impl Record for Vmi {
    const KIND: Kind = Kind::Vmi;
    const INFO: KindInfo = KindInfo {
        group: "kubevirt.io",
        versions: &["v1", "v1alpha3"],
        name: "VirtualMachineInstance",
        plural: "virtualmachineinstances",
        words: "machine instances",
        short: &["vmi", "vmis"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VmiWire<'de>;

    fn fold(wire: VmiWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let (spec, mut status) = (&wire.spec, wire.status.0);
        let trouble = status.conditions.0.trouble();
        let migration = &status.migration_state;
        let (mut flags, obstacle) = (status.conditions.flags, status.conditions.obstacle);
        let migrating = !migration.start_timestamp.is_empty() && migration.end_timestamp.is_empty();
        flags.set(VmiFlags::MIGRATING, migrating);
        flags.set(VmiFlags::MIGRATION_FAILED, *migration.failed);
        flags.set(VmiFlags::NODE_LOST, &*status.reason == "NodeUnresponsive");
        flags.set(VmiFlags::EVACUATING, !status.evacuation_node_name.is_empty());
        flags.set(VmiFlags::ADDRESS_OF_GUEST, status.interfaces.of_guest);
        flags.set(VmiFlags::OUTDATED, wire.metadata.labels.outdated.is_some());
        let os = if status.guest_os.pretty_name.is_empty() {
            &status.guest_os.name
        } else {
            &status.guest_os.pretty_name
        };
        let address = match status.interfaces.best {
            Some(IpAddr::V4(address)) => Ipv4Addr::to_ipv6_mapped(&address),
            Some(IpAddr::V6(address)) => address,
            None => Ipv6Addr::UNSPECIFIED,
        };
        Self {
            image: spec.volumes.0.image(),
            disks: spec.volumes.keys(meta.namespace),
            meta,
            phase: status.phase.word(),
            node: status.node_name.word(),
            guest_os: os.word(),
            address: address.octets(),
            since: if migrating {
                migration.start_timestamp.time()
            } else {
                trouble
                    .as_ref()
                    .filter(|_| flags.contains(VmiFlags::PAUSED))
                    .and_then(|pause| pause.since)
                    .or(status.phase_transition_timestamps.0.0)
            },
            trouble,
            obstacle,
            memory: spec.domain.memory(),
            cpus: spec.domain.cpus(),
            flags,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        // A VirtualMachine adopts an instance of its name that nobody owns.
        if self.meta.owner.is_none() {
            link(name_key(Kind::Vm, self.meta.namespace, &self.meta.name));
        }
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        self.disks.iter().for_each(link);
    }

    fn member_of(&self) -> Option<Key> {
        (!self.node.is_empty()).then(|| name_key(Kind::Node, Word::default(), &self.node))
    }
}
