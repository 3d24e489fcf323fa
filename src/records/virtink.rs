//! VirtualMachine of Virtink.

use bitflags::bitflags;
use serde::Deserialize;

use crate::model::{Key, Name, Word};
use crate::records::values::{Few, Number};
use crate::records::wire::{Bytes, Condition, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Keys, Kind, KindInfo, Meta, Record, name_key};

/// A VirtualMachine of Virtink: machine and running guest in one object.
#[derive(Debug, Default, PartialEq)]
pub struct VirtinkVm {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`; empty if never started or stopped. A paused guest is Running too.
    pub phase: Word,
    /// `status.nodeName`.
    pub node: Word,
    /// `status.vmPodName`: the present pod; another one after each start and move.
    pub pod: Name,
    /// The first image of its volumes that is a disk itself (`containerDisk`, `containerRootfs`).
    pub image: Word,
    /// DataVolumes and claims of its volumes, by name.
    pub disks: Keys,
    /// Reason of the condition `Migratable` while it is False.
    pub obstacle: Word,
    /// `spec.instance.memory.size` in MiB.
    pub memory: u32,
    /// Virtual processors: sockets times cores.
    pub cpus: u16,
    /// `spec.runPolicy`.
    pub policy: RunPolicy,
    /// `status.powerAction`: what is asked for and not yet done.
    pub action: PowerAction,
    /// `status.migration.phase`: how far the move to another node is.
    pub migration: MoveStep,
    /// Yes-or-no facts.
    pub flags: VirtinkFlags,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            /// Not given, or a word that this program does not know.
            #[default]
            None,
            $($(#[$doc])* $word),*
        }

        impl $name {
            fn read(word: &str) -> Self {
                match word {
                    $(stringify!($word) => Self::$word,)*
                    _ => Self::None,
                }
            }

            /// The word of the API; empty if none.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::None => "",
                    $(Self::$word => stringify!($word)),*
                }
            }
        }
    };
}

words! {
    /// `spec.runPolicy`.
    RunPolicy {
        /// Started again whenever it ends, even if its user shut it down.
        Always,
        /// Started again only after a failure.
        RerunOnFailure,
        /// Started once; what Virtink writes if nothing is said.
        Once,
        /// Started and stopped by hand.
        Manual,
        /// Never running.
        Halted,
    }
}

words! {
    /// `status.powerAction`.
    PowerAction {
        /// Start it.
        PowerOn,
        /// Pull the plug.
        PowerOff,
        /// Press the power button.
        Shutdown,
        /// Restart it at once.
        Reset,
        /// Restart it at once, too.
        Reboot,
        /// Stop its processors.
        Pause,
        /// Let its processors go on.
        Resume,
    }
}

words! {
    /// `status.migration.phase`, in the order in which they pass.
    MoveStep {
        /// Asked for.
        Pending,
        /// The target pod is being made.
        Scheduling,
        /// The target pod runs.
        Scheduled,
        /// The target waits for the guest.
        TargetReady,
        /// The guest is being sent.
        Running,
        /// The guest is sent and runs on the target.
        Sent,
        /// Done.
        Succeeded,
        /// Given up.
        Failed,
    }
}

bitflags! {
    /// Yes-or-no facts about a VirtualMachine of Virtink.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct VirtinkFlags: u8 {
        /// Condition `Ready` is True.
        const READY = 1;
        /// Condition `Migratable` is True.
        const MIGRATABLE = 1 << 1;
        /// Condition `Migratable` is False.
        const NOT_MIGRATABLE = 1 << 2;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VirtinkVmWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(VirtinkVmWire);

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    run_policy: Str<'a>,
    instance: Nullable<Instance>,
    #[serde(borrow)]
    volumes: Folded<Few<Volume<'a>, 4>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Instance {
    cpu: Nullable<Cpu>,
    memory: Nullable<Memory>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Cpu {
    sockets: Option<Number>,
    cores_per_socket: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Memory {
    size: Bytes,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Volume<'a> {
    #[serde(borrow)]
    data_volume: Nullable<OfDataVolume<'a>>,
    #[serde(borrow)]
    persistent_volume_claim: Nullable<OfClaim<'a>>,
    #[serde(borrow)]
    container_disk: Nullable<Imaged<'a>>,
    #[serde(borrow)]
    container_rootfs: Nullable<Imaged<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Imaged<'a> {
    #[serde(borrow)]
    image: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct OfDataVolume<'a> {
    #[serde(borrow)]
    volume_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct OfClaim<'a> {
    #[serde(borrow)]
    claim_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
    #[serde(borrow)]
    node_name: Str<'a>,
    #[serde(borrow)]
    vm_pod_name: Str<'a>,
    #[serde(borrow)]
    power_action: Str<'a>,
    #[serde(borrow)]
    migration: Nullable<Migration<'a>>,
    conditions: Folded<Conditions>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Migration<'a> {
    #[serde(borrow)]
    phase: Str<'a>,
}

#[derive(Default)]
struct Conditions {
    flags: VirtinkFlags,
    obstacle: Word,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        let yes = condition.is_true();
        match &*condition.name {
            "Ready" => self.flags.set(VirtinkFlags::READY, yes),
            "Migratable" if yes => self.flags |= VirtinkFlags::MIGRATABLE,
            "Migratable" if condition.is_false() => {
                self.flags |= VirtinkFlags::NOT_MIGRATABLE;
                self.obstacle = condition.reason.word();
            }
            _ => {}
        }
    }
}

impl Spec<'_> {
    fn disks(&self, namespace: Word) -> Keys {
        let disk = |volume: &Volume<'_>| {
            let volumes = [
                (Kind::DataVolume, &volume.data_volume.volume_name),
                (Kind::Claim, &volume.persistent_volume_claim.claim_name),
            ];
            let (kind, name) = volumes.into_iter().find(|(_, name)| !name.is_empty())?;
            Some(name_key(kind, namespace, name))
        };
        self.volumes.iter().filter_map(disk).collect()
    }

    fn image(&self) -> Word {
        let images =
            self.volumes.iter().flat_map(|one| [&one.container_disk.image, &one.container_rootfs.image]);
        images.into_iter().find(|image| !image.is_empty()).map(Str::word).unwrap_or_default()
    }

    fn cpus(&self) -> u16 {
        let cpu = &self.instance.cpu;
        let count = |number: Option<Number>| number.map_or(1, Number::u16).max(1);
        count(cpu.sockets).saturating_mul(count(cpu.cores_per_socket))
    }
}

impl Record for VirtinkVm {
    const KIND: Kind = Kind::VirtinkVm;
    const INFO: KindInfo = KindInfo {
        group: "virt.virtink.smartx.com",
        versions: &["v1alpha1"],
        name: "VirtualMachine",
        plural: "virtualmachines",
        words: "Virtink machines",
        short: &["vm", "vms"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = VirtinkVmWire<'de>;

    fn fold(wire: VirtinkVmWire<'_>) -> Self {
        let meta = wire.metadata.fold();
        let (spec, status) = (&wire.spec, &wire.status);
        let memory = spec.instance.memory.size.0.unwrap_or(0) >> 20;
        Self {
            phase: status.phase.word(),
            node: status.node_name.word(),
            pod: status.vm_pod_name.name(),
            image: spec.image(),
            disks: spec.disks(meta.namespace),
            obstacle: status.conditions.obstacle,
            migration: MoveStep::read(&status.migration.phase),
            memory: u32::try_from(memory).unwrap_or(u32::MAX),
            cpus: spec.cpus(),
            policy: RunPolicy::read(&spec.run_policy),
            action: PowerAction::read(&status.power_action),
            flags: status.conditions.flags,
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        self.disks.iter().for_each(link);
    }

    fn member_of(&self) -> Option<Key> {
        Some(name_key(Kind::Namespace, Word::default(), &self.meta.namespace))
    }

    fn also_member_of(&self) -> Option<Key> {
        (!self.node.is_empty()).then(|| name_key(Kind::Node, Word::default(), &self.node))
    }
}

#[cfg(test)]
mod tests;
