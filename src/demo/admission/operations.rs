//! What is done with machines: migrations, snapshots, restores.

use serde_json::{Value, json};

use super::place::{Causes, Spot};
use super::said::Said;
use crate::demo::server::Review;

const KUBEVIRT: &str = "kubevirt.io";

/// By which the migrations of an instance are found.
const OF_INSTANCE: &str = "kubevirt.io/vmi-name";

/// Fills in a new migration.
pub(super) fn mutate_migration(_: &Review<'_>, migration: &mut Value) -> Result<(), Said> {
    let name = migration["spec"]["vmiName"].as_str().unwrap_or_default().to_owned();
    if let Some(metadata) = migration["metadata"].as_object_mut()
        && !name.is_empty()
        && let Some(labels) = metadata.entry("labels").or_insert_with(|| json!({})).as_object_mut()
    {
        labels.insert(OF_INSTANCE.to_owned(), name.into());
    }
    Ok(())
}

/// The answer about a new migration.
pub(super) fn validate_migration(review: &Review<'_>, migration: &Value) -> Result<Vec<String>, Said> {
    let name = migration["spec"]["vmiName"].as_str().unwrap_or_default();
    Said::check(&Spot::new(migration, "").get("spec"), |spec, causes| {
        if name.is_empty() {
            causes.required(spec.at("vmiName"), "vmiName is missing");
        }
    })?;
    let Some(vmi) = review.around.get(KUBEVIRT, "virtualmachineinstances", review.namespace, name) else {
        return Err(Said::error(format!("the VMI \"{}/{name}\" does not exist", review.namespace)));
    };
    let vmi = Spot::new(&vmi, "");
    if matches!(vmi.get("status.phase").text(), "Succeeded" | "Failed") {
        return Err(Said::error("Cannot migrate VMI in finalized state."));
    }
    let fixed = vmi.get("status.conditions").items().find(|condition| {
        condition.get("type").text() == "LiveMigratable" && condition.get("status").text() == "False"
    });
    if let Some(condition) = fixed {
        let text = format!(
            "Cannot migrate VMI, Reason: {}, Message: {}",
            condition.get("reason").text(),
            condition.get("message").text()
        );
        return Err(Said::error(text));
    }
    let others = review.around.list(KUBEVIRT, "virtualmachineinstancemigrations", review.namespace);
    let active = others.iter().find(|other| {
        let phase = other["status"]["phase"].as_str().unwrap_or_default();
        other["spec"]["vmiName"] == name && !matches!(phase, "Succeeded" | "Failed")
    });
    match active {
        None => Ok(Vec::new()),
        Some(other) => Err(Said::error(format!(
            "in-flight migration detected. Active migration job ({}) is currently already in progress for VMI {name}.",
            other["metadata"]["uid"].as_str().unwrap_or_default()
        ))),
    }
}

/// The answer about a changed migration.
pub(super) fn validate_migration_update(review: &Review<'_>, migration: &Value) -> Result<Vec<String>, Said> {
    let mut causes = Causes::default();
    if review.old.is_some_and(|old| old["spec"] != migration["spec"]) {
        causes.unsupported("", "update of Migration object's spec is restricted");
    }
    Said::causes(causes).map(|()| Vec::new())
}

/// The answer about a snapshot.
pub(super) fn validate_snapshot(review: &Review<'_>, snapshot: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(snapshot, "").get("spec");
    Said::check(&spec, |spec, causes| match review.old {
        Some(old) => immutable(old, spec, causes),
        None => machine_at(&spec.get("source"), causes),
    })?;
    Ok(Vec::new())
}

/// The answer about a restore.
pub(super) fn validate_restore(review: &Review<'_>, restore: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(restore, "").get("spec");
    Said::check(&spec, |spec, causes| match review.old {
        Some(old) => immutable(old, spec, causes),
        None => machine_at(&spec.get("target"), causes),
    })?;
    Ok(Vec::new())
}

fn immutable(old: &Value, spec: &Spot<'_>, causes: &mut Causes) {
    if old["spec"] != *spec.value {
        // So the real one writes it.
        causes.invalid(&spec.path, "spec in immutable after creation");
    }
}

/// A reference that has to be one to a VirtualMachine.
fn machine_at(reference: &Spot<'_>, causes: &mut Causes) {
    let group = reference.get("apiGroup");
    if !group.is_set() {
        causes.not_found(&group.path, "missing apiGroup");
    } else if group.text() != KUBEVIRT {
        causes.invalid(&group.path, "invalid apiGroup");
    } else if reference.get("kind").text() != "VirtualMachine" {
        causes.invalid(reference.at("kind"), "invalid kind");
    }
}
