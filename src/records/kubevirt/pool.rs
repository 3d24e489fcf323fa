//! VirtualMachinePool.

use bitflags::bitflags;
use serde::Deserialize;

use crate::records::values::{Number, Told, Trouble};
use crate::records::wire::{Fold, Folded, Nullable, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record};

/// A VirtualMachinePool: so many virtual machines from one template.
#[derive(Debug, Default, PartialEq)]
pub struct Pool {
    /// What every object has.
    pub meta: Meta,
    /// The condition `ReplicaFailure` while it is True.
    pub failure: Option<Box<Trouble>>,
    /// `spec.replicas`: how many there should be; 1 if nothing is said.
    pub desired: u32,
    /// `status.replicas`: how many there are.
    pub replicas: u32,
    /// `status.readyReplicas`: how many are ready.
    pub ready: u32,
    /// Yes-or-no facts.
    pub flags: PoolFlags,
}

bitflags! {
    /// Yes-or-no facts about a pool.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PoolFlags: u8 {
        /// The controller leaves its machines alone (`spec.paused`, condition `ReplicaPaused`).
        const PAUSED = 1;
        /// Machines could not be made or removed (condition `ReplicaFailure`).
        const FAILURE = 1 << 1;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PoolWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a>,
    spec: Nullable<Spec>,
    status: Nullable<Status>,
}
versioned!(PoolWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    replicas: Option<Number>,
    paused: Nullable<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    replicas: Number,
    ready_replicas: Number,
    conditions: Folded<Conditions>,
}

#[derive(Default)]
struct Conditions {
    flags: PoolFlags,
    failure: Option<Box<Trouble>>,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        let yes = &*condition.status == "True";
        match &*condition.name {
            "ReplicaPaused" if yes => self.flags |= PoolFlags::PAUSED,
            "ReplicaFailure" if yes => {
                self.flags |= PoolFlags::FAILURE;
                self.failure = Some(condition.keep());
            }
            _ => {}
        }
    }
}

impl Record for Pool {
    const KIND: Kind = Kind::Pool;
    const INFO: KindInfo = KindInfo {
        group: "pool.kubevirt.io",
        versions: &["v1beta1", "v1alpha1"],
        name: "VirtualMachinePool",
        plural: "virtualmachinepools",
        words: "pools",
        short: &["vmpool", "vmpools"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = PoolWire<'de>;

    fn fold(wire: PoolWire<'_>) -> Self {
        let (spec, status) = (&wire.spec, wire.status.0);
        let mut flags = status.conditions.flags;
        if *spec.paused {
            flags |= PoolFlags::PAUSED;
        }
        Self {
            meta: wire.metadata.fold(),
            desired: spec.replicas.map_or(1, Number::u32),
            replicas: status.replicas.u32(),
            ready: status.ready_replicas.u32(),
            failure: status.conditions.0.failure,
            flags,
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

    #[test]
    fn pools_are_read() {
        let failed = r#""conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"no"}]"#;
        let cases = [
            (
                r#"{"replicas":3}"#.to_owned(),
                r#"{"replicas":2,"readyReplicas":1}"#.to_owned(),
                (3, 2, 1),
                "",
                PoolFlags::empty(),
            ),
            (r#"{"replicas":0,"paused":true}"#.into(), "null".into(), (0, 0, 0), "", PoolFlags::PAUSED),
            (
                r#"{"replicas":null,"paused":null}"#.into(),
                format!("{{{failed}}}"),
                (1, 0, 0),
                "FailedCreate: no",
                PoolFlags::FAILURE,
            ),
            (
                r#"{"replicas":99999999999}"#.into(),
                r#"{"replicas":-1,"conditions":[{"type":"ReplicaFailure","status":"False"}]}"#.into(),
                (u32::MAX, 0, 0),
                "",
                PoolFlags::empty(),
            ),
        ];
        for (spec, status, counts, failure, flags) in cases {
            let json = format!(r#"{{"metadata":{{"name":"p"}},"spec":{spec},"status":{status}}}"#);
            let pool: Pool = decode(json.as_bytes()).unwrap().record;
            assert_eq!((pool.desired, pool.replicas, pool.ready), counts, "{json}");
            let told = pool
                .failure
                .as_ref()
                .map_or(String::new(), |told| format!("{}: {}", told.reason, told.message));
            assert_eq!((&*told, pool.flags), (failure, flags), "{json}");
        }
    }
}
