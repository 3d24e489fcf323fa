//! What the machines of a pool are made from: its template, with numbers appended to the names that must differ.

use serde_json::{Value, json};

use super::super::edit::{finalize, label, new_object, own, set};
use super::super::kind::Kind;
use super::super::object::Object;

/// Held on machines until their pool has let go of them, and on the pool.
pub(super) const FINALIZER: &str = "pool.kubevirt.io/finalizer";

/// The label that names the revision of the pool a machine or an instance was made from.
pub(super) const REVISION: &str = "kubevirt.io/vm-pool-revision-name";

/// Where a volume names a Secret or a ConfigMap, and the switch of `nameGeneration` that makes those names differ.
const REFERENCES: &[(&str, &str)] = &[
    ("/configMap/name", CONFIG_MAPS),
    ("/sysprep/configMap/name", CONFIG_MAPS),
    ("/secret/secretName", SECRETS),
    ("/sysprep/secret/name", SECRETS),
    ("/cloudInitNoCloud/secretRef/name", SECRETS),
    ("/cloudInitNoCloud/networkDataSecretRef/name", SECRETS),
    ("/cloudInitConfigDrive/secretRef/name", SECRETS),
    ("/cloudInitConfigDrive/networkDataSecretRef/name", SECRETS),
];

const CONFIG_MAPS: &str = "appendIndexToConfigMapRefs";
const SECRETS: &str = "appendIndexToSecretRefs";

/// The name of the revision a pool is at.
pub(super) fn revision_name(pool: &Object) -> String {
    format!("{}-{}", pool.name(), pool.generation())
}

/// The revision a pool is at: its specification, kept.
pub(super) fn revision(pool: &Object) -> Value {
    let mut revision = new_object(Kind::ControllerRevision, pool.namespace(), &revision_name(pool));
    own(&mut revision, pool);
    revision["data"] = pool.at("/spec").clone();
    revision["revision"] = pool.generation().into();
    revision
}

/// A new machine of a pool.
pub(super) fn machine(pool: &Object, number: u64) -> Value {
    let name = format!("{}-{number}", pool.name());
    let mut machine = new_object(Kind::VirtualMachine, pool.namespace(), &name);
    own(&mut machine, pool);
    finalize(&mut machine, FINALIZER);
    fill(&mut machine, pool, number);
    machine
}

/// A machine of a pool as its template has it now; its firmware keeps its identity.
pub(super) fn updated(pool: &Object, machine: &Object) -> Value {
    let mut new = machine.edit();
    fill(&mut new, pool, number_of(machine));
    let firmware = "/spec/template/spec/domain/firmware";
    if new.pointer(firmware).is_none() && !machine.at(firmware).is_null() {
        set(&mut new, firmware, machine.at(firmware).clone());
    }
    new
}

/// The number at the end of a machine's name; 0 where there is none.
pub(super) fn number_of(machine: &Object) -> u64 {
    machine.name().rsplit_once('-').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
}

fn fill(machine: &mut Value, pool: &Object, number: u64) {
    let template = pool.at("/spec/virtualMachineTemplate");
    for field in ["labels", "annotations"] {
        match &template["metadata"][field] {
            Value::Object(map) if !map.is_empty() => machine["metadata"][field] = map.clone().into(),
            _ => {
                machine["metadata"].as_object_mut().map(|metadata| metadata.remove(field));
            }
        }
    }
    label(machine, REVISION, revision_name(pool));
    machine["spec"] = numbered(pool, &template["spec"], number);
    if machine.pointer("/spec/template/spec/domain/resources").is_none() {
        set(machine, "/spec/template/spec/domain/resources", json!({}));
    }
    set(
        machine,
        &format!("/spec/template/metadata/labels/{}", REVISION.replace('/', "~1")),
        revision_name(pool),
    );
}

/// The specification of a pool's machine, with the names of its own disks.
fn numbered(pool: &Object, spec: &Value, number: u64) -> Value {
    let mut spec = spec.clone();
    let mut disks = Vec::new();
    for template in spec["dataVolumeTemplates"].as_array_mut().into_iter().flatten() {
        if let Some(name) = template["metadata"]["name"].as_str().map(str::to_owned) {
            template["metadata"]["name"] = format!("{name}-{number}").into();
            disks.push(name);
        }
    }
    let volumes = spec.pointer_mut("/template/spec/volumes").and_then(Value::as_array_mut);
    for volume in volumes.into_iter().flatten() {
        for (pointer, switch) in
            [("/dataVolume/name", ""), ("/persistentVolumeClaim/claimName", "")].iter().chain(REFERENCES)
        {
            let Some(name) = volume.pointer_mut(pointer) else { continue };
            let old = name.as_str().unwrap_or_default();
            let differs = if switch.is_empty() {
                disks.iter().any(|disk| disk == old)
            } else {
                pool.at("/spec/nameGeneration")[switch] == true
            };
            if differs {
                *name = format!("{old}-{number}").into();
            }
        }
    }
    spec
}
