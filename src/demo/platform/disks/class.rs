//! What is known of storage classes and of CDI's configuration.

use serde_json::Value;

use super::super::kind::Kind;
use super::super::object::Object;
use super::super::world::World;

/// The part of a disk that a file system needs for itself, where CDI's configuration does not say.
const OVERHEAD: f64 = 0.06;

const MIB: u64 = 1 << 20;

/// What CDI knows of a provisioner (facts: `pkg/storagecapabilities`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Provisioner {
    /// How its name ends.
    name: &'static str,
    /// Access mode and volume mode, the preferred ones first.
    pub(super) sets: &'static [(&'static str, &'static str)],
    /// How its volumes are copied.
    pub(super) clone: &'static str,
    /// What a DataImportCron keeps.
    pub(super) cron: &'static str,
}

const RWX: &str = "ReadWriteMany";
const RWO: &str = "ReadWriteOnce";
const BLOCK: &str = "Block";
const FILES: &str = "Filesystem";

const PROVISIONERS: &[Provisioner] = &[
    Provisioner {
        name: "rbd.csi.ceph.com",
        sets: &[(RWX, BLOCK), (RWO, BLOCK), (RWO, FILES)],
        clone: "csi-clone",
        cron: "snapshot",
    },
    Provisioner { name: "cephfs.csi.ceph.com", sets: &[(RWX, FILES)], clone: "csi-clone", cron: "snapshot" },
    Provisioner { name: "nfs.csi.k8s.io", sets: &[(RWX, FILES)], clone: "csi-clone", cron: "pvc" },
    Provisioner {
        name: "linstor.csi.linbit.com",
        sets: &[(RWX, BLOCK), (RWO, BLOCK), (RWO, FILES)],
        clone: "snapshot",
        cron: "snapshot",
    },
    Provisioner { name: "driver.longhorn.io", sets: &[(RWO, BLOCK)], clone: "csi-clone", cron: "pvc" },
    Provisioner { name: "topolvm.io", sets: &[(RWO, BLOCK), (RWO, FILES)], clone: "snapshot", cron: "pvc" },
    Provisioner {
        name: "kubevirt.io.hostpath-provisioner",
        sets: &[(RWO, FILES)],
        clone: "copy",
        cron: "pvc",
    },
];

/// What CDI knows of a provisioner; nothing of those it does not know, whose volumes it fills without populators.
pub(super) fn known(provisioner: &str) -> Option<&'static Provisioner> {
    PROVISIONERS.iter().find(|one| provisioner.ends_with(one.name))
}

/// A storage class that is there.
pub(super) fn find<'a>(world: &'a World, name: &str) -> Option<&'a Object> {
    if name.is_empty() { None } else { world.get(Kind::StorageClass, "", name) }
}

/// The class that is taken where none is named: for the disks of machines first the one that is meant for them.
pub(super) fn default(world: &World, for_machines: bool) -> Option<&Object> {
    let marked = |mark: &str| {
        let classes = world.list(Kind::StorageClass, "").filter(|one| one.annotation(mark) == "true");
        classes.max_by_key(|one| one.text("/metadata/creationTimestamp").to_owned())
    };
    let of_machines =
        for_machines.then(|| marked("storageclass.kubevirt.io/is-default-virt-class")).flatten();
    of_machines.or_else(|| marked("storageclass.kubernetes.io/is-default-class"))
}

/// Whether volumes of a class wait for a pod that uses them.
pub(super) fn waits_for_consumer(class: &Object) -> bool {
    class.text("/volumeBindingMode") == "WaitForFirstConsumer"
}

/// Access modes and volume modes CDI proposes for a class, as its profile says.
pub(super) fn sets(world: &World, class: &Object) -> Vec<Value> {
    let profile = world.get(Kind::StorageProfile, "", class.name());
    let told = |pointer| profile.map(|one| one.list(pointer).to_vec()).unwrap_or_default();
    let chosen = told("/spec/claimPropertySets");
    if chosen.is_empty() { told("/status/claimPropertySets") } else { chosen }
}

/// What is set of CDI's configuration.
pub(super) fn config<'a>(world: &'a World, pointer: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    world.get(Kind::CDIConfig, "", "config").map_or(&NOTHING, |config| config.at(pointer))
}

/// Whether CDI leaves claims alone that wait for a consumer.
pub(super) fn honours_consumers(world: &World) -> bool {
    let gates = config(world, "/spec/featureGates").as_array().map(Vec::as_slice).unwrap_or_default();
    gates.iter().any(|gate| gate == "HonorWaitForFirstConsumer")
}

/// The part of a disk that a file system needs for itself.
pub(super) fn overhead(world: &World, class: &str) -> f64 {
    let set = config(world, "/status/filesystemOverhead");
    let of_class = set["storageClass"][class].as_str().or_else(|| set["global"].as_str());
    of_class.and_then(|text| text.parse().ok()).unwrap_or(OVERHEAD)
}

/// How large a file system has to be for a disk of so many bytes.
pub(super) fn inflated(bytes: u64, overhead: f64) -> u64 {
    let mebibytes = bytes.div_ceil(MIB) as f64 * (1.0 + overhead);
    (mebibytes.ceil() as u64).saturating_mul(MIB)
}

/// How many bytes a quantity says; none where it is no quantity.
pub(super) fn bytes(quantity: &Value) -> Option<u64> {
    let text = match quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0).then(|| (number * factor).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_are_bytes() {
        for (quantity, expected) in [
            (json!("5Gi"), Some(5_368_709_120)),
            (json!("5368709120"), Some(5_368_709_120)),
            (json!("1.5G"), Some(1_500_000_000)),
            (json!("wide"), None),
            (json!(null), None),
        ] {
            assert_eq!(bytes(&quantity), expected, "{quantity}");
        }
    }

    #[test]
    fn a_file_system_takes_its_part() {
        assert_eq!(inflated(5_368_709_120, 0.06), 5_691_670_528, "as a real CDI makes scratch space for 5Gi");
        assert_eq!(inflated(1, 0.0), 1 << 20);
    }
}
