//! Node.

use std::fmt;
use std::net::IpAddr;

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::{Time, Word};
use crate::records::values::{Address, Truth};
use crate::records::wire::{Bytes, Condition, Fold, Folded, Millis, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A Node.
#[derive(Debug, Default, PartialEq)]
pub struct Node {
    /// What every object has.
    pub meta: Meta,
    /// Its roles in alphabetical order with commas, from the labels `node-role.kubernetes.io/…`; empty if none.
    pub roles: Word,
    /// `status.nodeInfo.kubeletVersion`.
    pub version: Word,
    /// `status.nodeInfo.architecture`.
    pub arch: Word,
    /// `status.capacity.memory` in bytes.
    pub memory: u64,
    /// `status.allocatable.memory` in bytes: what pods may have.
    pub allocatable_memory: u64,
    /// The first address of type InternalIP.
    address: Address,
    /// Since when it is ready or not.
    pub ready_since: Option<Time>,
    /// When virt-handler was heard last (annotation `kubevirt.io/heartbeat`).
    pub heartbeat: Option<Time>,
    /// `status.capacity.cpu` in thousandths.
    pub cpu: u32,
    /// `status.allocatable.cpu` in thousandths: what pods may have.
    pub allocatable_cpu: u32,
    /// `status.capacity` of `devices.kubevirt.io/kvm`: how many guests could use KVM here.
    pub kvm_capacity: u32,
    /// `status.allocatable` of `devices.kubevirt.io/kvm`: how many guests may use KVM here.
    pub kvm: u32,
    /// Condition `Ready`; Unknown when the kubelet is not heard any more.
    pub ready: Truth,
    /// Yes-or-no facts.
    pub flags: NodeFlags,
}

bitflags! {
    /// Yes-or-no facts about a node.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct NodeFlags: u8 {
        /// Takes no new pods (`spec.unschedulable`).
        const CORDONED = 1;
        /// Takes virtual machines (label `kubevirt.io/schedulable` is "true").
        const VIRT = 1 << 1;
        /// The label `kubevirt.io/schedulable` is there and not "true".
        const NOT_VIRT = 1 << 2;
        /// Short of memory.
        const MEMORY_PRESSURE = 1 << 3;
        /// Short of disk space.
        const DISK_PRESSURE = 1 << 4;
        /// Short of process numbers.
        const PID_PRESSURE = 1 << 5;
        /// Its network is not set up.
        const NO_NETWORK = 1 << 6;
    }
}

impl Node {
    /// The first address of type InternalIP.
    pub fn address(&self) -> Option<IpAddr> {
        self.address.get()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct NodeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, Labels, Annotations<'a>>,
    spec: Nullable<Spec>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(NodeWire);

/// Picked from the labels while they are read; a role stands in the name of a label, not in its value.
#[derive(Default)]
struct Labels {
    roles: Word,
    role_count: u32,
    virt: NodeFlags,
}

/// More roles than any honest node has.
const MOST_ROLES: u32 = 8;

impl Labels {
    fn add_role(&mut self, role: &str) {
        if role.is_empty() || self.role_count == MOST_ROLES {
            return;
        }
        self.role_count += 1;
        // The API server writes labels in alphabetical order.
        self.roles = if self.roles.is_empty() {
            Word::new(role)
        } else {
            Word::new(&format!("{},{role}", self.roles))
        };
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pick;

        impl<'de> Visitor<'de> for Pick {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Labels, M::Error> {
                let mut labels = Labels::default();
                while let Some(name) = map.next_key::<Str<'de>>()? {
                    if let Some(role) = name.strip_prefix("node-role.kubernetes.io/") {
                        labels.add_role(role);
                        map.next_value::<IgnoredAny>()?;
                    } else if &*name == "kubevirt.io/schedulable" {
                        labels.virt = match &*map.next_value::<Str<'de>>()? {
                            "true" => NodeFlags::VIRT,
                            _ => NodeFlags::NOT_VIRT,
                        };
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(labels)
            }
        }

        deserializer.deserialize_map(Pick)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations<'a> {
    #[serde(borrow, rename = "kubevirt.io/heartbeat")]
    heartbeat: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    unschedulable: Nullable<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    capacity: Nullable<Amounts>,
    allocatable: Nullable<Amounts>,
    conditions: Folded<Conditions>,
    addresses: Folded<Addresses>,
    #[serde(borrow)]
    node_info: Nullable<NodeInfo<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Amounts {
    cpu: Millis,
    memory: Bytes,
    #[serde(rename = "devices.kubevirt.io/kvm")]
    kvm: Bytes,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct NodeInfo<'a> {
    #[serde(borrow)]
    kubelet_version: Str<'a>,
    #[serde(borrow)]
    architecture: Str<'a>,
}

#[derive(Default)]
struct Conditions {
    ready: Truth,
    since: Option<Time>,
    flags: NodeFlags,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Condition<'de>;

    fn add(&mut self, condition: Condition<'de>) {
        let flag = match &*condition.name {
            "Ready" => {
                self.ready = Truth::read(&condition.status);
                self.since = condition.since();
                return;
            }
            "MemoryPressure" => NodeFlags::MEMORY_PRESSURE,
            "DiskPressure" => NodeFlags::DISK_PRESSURE,
            "PIDPressure" => NodeFlags::PID_PRESSURE,
            "NetworkUnavailable" => NodeFlags::NO_NETWORK,
            _ => return,
        };
        self.flags.set(flag, condition.is_true());
    }
}

#[derive(Default)]
struct Addresses(Address);

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeAddress<'a> {
    #[serde(borrow, rename = "type")]
    of: Str<'a>,
    #[serde(borrow)]
    address: Str<'a>,
}

impl<'de> Fold<'de> for Addresses {
    type Item = NodeAddress<'de>;

    fn add(&mut self, item: NodeAddress<'de>) {
        if &*item.of == "InternalIP" && self.0.get().is_none() {
            self.0 = Address::read(&item.address);
        }
    }
}

impl Record for Node {
    const KIND: Kind = Kind::Node;
    const INFO: KindInfo = KindInfo {
        group: "",
        versions: &["v1"],
        name: "Node",
        plural: "nodes",
        words: "nodes",
        short: &["no"],
        namespaced: false,
        partners: &[],
    };
    type Wire<'de> = NodeWire<'de>;

    fn fold(wire: NodeWire<'_>) -> Self {
        let (labels, status) = (&wire.metadata.labels, &wire.status);
        let mut flags = status.conditions.flags | labels.virt;
        flags.set(NodeFlags::CORDONED, *wire.spec.unschedulable);
        let devices = |amounts: &Amounts| u32::try_from(amounts.kvm.0.unwrap_or(0)).unwrap_or(u32::MAX);
        Self {
            roles: labels.roles,
            version: status.node_info.kubelet_version.word(),
            arch: status.node_info.architecture.word(),
            memory: status.capacity.memory.0.unwrap_or(0),
            address: status.addresses.0.0,
            ready_since: status.conditions.since,
            heartbeat: wire.metadata.annotations.heartbeat.time(),
            cpu: status.capacity.cpu.0.unwrap_or(0),
            allocatable_memory: status.allocatable.memory.0.unwrap_or(0),
            allocatable_cpu: status.allocatable.cpu.0.unwrap_or(0),
            kvm_capacity: devices(&status.capacity),
            kvm: devices(&status.allocatable),
            ready: status.conditions.ready,
            flags,
            meta: wire.metadata.fold(),
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::decode;

    fn node(json: &str) -> Node {
        decode(json.as_bytes()).unwrap().record
    }

    #[test]
    fn a_node_keeps_what_guests_need_of_it() {
        let node = node(
            r#"{"metadata":{"name":"n1","labels":{"cpu-model.node.kubevirt.io/EPYC":"true","kubevirt.io/schedulable":"true",
            "node-role.kubernetes.io/":"","node-role.kubernetes.io/control-plane":"","node-role.kubernetes.io/etcd":"true"},
            "annotations":{"kubevirt.io/heartbeat":"2026-11-21T10:00:00Z"}},"spec":{"unschedulable":true},
            "status":{"capacity":{"cpu":"8","memory":"32Gi","devices.kubevirt.io/kvm":"1k"},"allocatable":{"cpu":"7500m","memory":"30Gi","devices.kubevirt.io/kvm":1000},
            "conditions":[{"type":"MemoryPressure","status":"True"},{"type":"DiskPressure","status":"False"},
            {"type":"Ready","status":"Unknown","lastTransitionTime":"2026-11-21T09:00:00Z"}],
            "addresses":[{"type":"Hostname","address":"n1"},{"type":"InternalIP","address":"10.1.0.1"},{"type":"InternalIP","address":"fd00::1"}],
            "nodeInfo":{"kubeletVersion":"v1.36.2","architecture":"amd64"}}}"#,
        );
        assert_eq!((&*node.roles, &*node.version, &*node.arch), ("control-plane,etcd", "v1.36.2", "amd64"));
        assert_eq!((node.cpu, node.memory, node.kvm), (8000, 32 << 30, 1000));
        assert_eq!(
            (node.allocatable_cpu, node.allocatable_memory, node.kvm_capacity),
            (7500, 30 << 30, 1000)
        );
        assert_eq!(node.address().unwrap().to_string(), "10.1.0.1");
        assert_eq!((node.ready, node.heartbeat > node.ready_since), (Truth::Unknown, true));
        assert_eq!(node.flags, NodeFlags::CORDONED | NodeFlags::VIRT | NodeFlags::MEMORY_PRESSURE);
    }

    #[test]
    fn null_missing_and_hostile_labels_are_borne() {
        let nulls = node(
            r#"{"metadata":{"name":"a","labels":null,"annotations":null},"spec":null,"status":{"capacity":null,"conditions":null,"addresses":null,"nodeInfo":null}}"#,
        );
        assert_eq!(nulls, node(r#"{"metadata":{"name":"a"}}"#));
        let roles: String = (0..5000).map(|n| format!(r#""node-role.kubernetes.io/r{n}":null,"#)).collect();
        let many = node(&format!(
            r#"{{"metadata":{{"name":"a","labels":{{{roles}"kubevirt.io/schedulable":"false"}}}}}}"#
        ));
        assert_eq!(&*many.roles, "r0,r1,r2,r3,r4,r5,r6,r7");
        assert_eq!(many.flags, NodeFlags::NOT_VIRT);
    }
}
