//! The disks of a machine: those its templates describe, and which of them can be snapshotted.

use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::CONTROLLER;

/// What became of the disks of a machine's templates.
#[derive(Debug, Default)]
pub(super) struct Disks {
    pub(super) writes: Vec<Write>,
    /// Whether an instance may be made.
    pub(super) ready: bool,
    /// What went wrong.
    pub(super) trouble: Option<String>,
}

/// Sees to the disks of a machine's templates.
pub(super) fn provide(view: &View<'_>, vm: &Object) -> Disks {
    let mut disks = Disks { ready: true, ..Disks::default() };
    for template in vm.list("/spec/dataVolumeTemplates") {
        let name = template["metadata"]["name"].as_str().unwrap_or_default();
        let claim = view.get(Kind::PersistentVolumeClaim, vm.namespace(), name);
        if let Some(volume) = view.get(Kind::DataVolume, vm.namespace(), name) {
            disks.ready &=
                matches!(volume.phase(), "Succeeded" | "WaitForFirstConsumer" | "PendingPopulation");
            if volume.phase() == "Failed" && view.is_first(volume, "told-failed") {
                let text = format!("DataVolume {name} failed to import disk image");
                disks.writes.push(Write::warn(vm, CONTROLLER, "FailedDataVolumeImport", text));
            }
        } else if claim.is_some_and(|claim| claim.phase() == "Bound" && claim.controller().is_none()) {
            // A claim that is there already is taken as it is.
        } else {
            disks.ready = false;
            match manifest(view, vm, template) {
                Ok(volume) => create(view, vm, name, volume, &mut disks),
                Err(why) => {
                    disks.trouble = Some(format!("unable to create DataVolume manifest: {why}"));
                    return disks;
                }
            }
        }
    }
    disks
}

fn create(view: &View<'_>, vm: &Object, name: &str, volume: Value, disks: &mut Disks) {
    let reference = super::super::object::Reference::new(Kind::DataVolume, vm.namespace(), name);
    let refused = view.refused(&reference).map(|refused| refused.message.clone());
    if let Some(why) = refused {
        if view.is_first(vm, &format!("refused-{name}-{}", vm.generation())) {
            let text = format!("Error creating DataVolume {name}: {why}");
            disks.writes.push(Write::warn(vm, CONTROLLER, "FailedDataVolumeCreate", text));
        }
        disks.trouble = Some(format!("failed to create DataVolume: {why}"));
        if !view.waited(vm, &format!("again-{name}"), std::time::Duration::from_secs(30)) {
            return;
        }
        view.forget(vm, &format!("again-{name}"));
    }
    disks.writes.push(Write::Create(volume));
    let text = format!("Created DataVolume {name}");
    disks.writes.push(Write::tell(vm, CONTROLLER, "SuccessfulDataVolumeCreate", text));
}

/// The disk a template describes. What it says about a data source is looked up now.
fn manifest(view: &View<'_>, vm: &Object, template: &Value) -> Result<Value, String> {
    let name = template["metadata"]["name"].as_str().unwrap_or_default();
    let mut volume = new_object(Kind::DataVolume, vm.namespace(), name);
    for field in ["labels", "annotations"] {
        if template["metadata"][field].is_object() {
            volume["metadata"][field] = template["metadata"][field].clone();
        }
    }
    label(&mut volume, "kubevirt.io/created-by", vm.uid());
    annotate(&mut volume, "cdi.kubevirt.io/allowClaimAdoption", "true");
    own(&mut volume, vm);
    volume["spec"] = template["spec"].clone();
    let reference = &template["spec"]["sourceRef"];
    if let Some(source) = reference["name"].as_str() {
        let namespace = reference["namespace"].as_str().unwrap_or(vm.namespace());
        let Some(found) = view.get(Kind::DataSource, namespace, source) else {
            return Err(format!("datasources.cdi.kubevirt.io {source:?} not found"));
        };
        let of = ["pvc", "snapshot"].into_iter().find(|of| found.at("/spec/source").get(of).is_some());
        if let (Some(of), Some(spec)) = (of, volume["spec"].as_object_mut()) {
            spec.remove("sourceRef");
            let mut concrete = found.at("/spec/source")[of].clone();
            if concrete["namespace"].is_null() {
                concrete["namespace"] = namespace.into();
            }
            spec.insert("source".to_owned(), json!({of: concrete}));
        }
    }
    Ok(volume)
}

/// The claim of a volume; none for one that has none.
pub(super) fn claim_of(volume: &Value) -> Option<&str> {
    volume["dataVolume"]["name"].as_str().or_else(|| volume["persistentVolumeClaim"]["claimName"].as_str())
}

/// Whether each volume of a machine can be snapshotted, and why not.
pub(super) fn snapshots(view: &View<'_>, vm: &Object) -> Value {
    let volumes = vm.list("/spec/template/spec/volumes");
    let all = volumes.iter().map(|volume| {
        let name = volume["name"].as_str().unwrap_or_default();
        match against_snapshot(view, vm, volume, name) {
            Some(why) => json!({"name": name, "enabled": false, "reason": why}),
            None => json!({"name": name, "enabled": true}),
        }
    });
    all.collect()
}

fn against_snapshot(view: &View<'_>, vm: &Object, volume: &Value, name: &str) -> Option<String> {
    let Some(claim) = claim_of(volume) else {
        return Some(format!("Snapshot is not supported for this volumeSource type [{name}]"));
    };
    let Some(claim) = view.get(Kind::PersistentVolumeClaim, vm.namespace(), claim) else {
        return Some("PVC not found".to_owned());
    };
    let class = claim.text("/spec/storageClassName");
    let driver = view.get(Kind::StorageClass, "", class).map(|class| class.text("/provisioner"));
    let mut snapshots = view.all(Kind::VolumeSnapshotClass);
    let known = driver.is_some_and(|driver| snapshots.any(|one| one.text("/driver") == driver));
    (!known).then(|| {
        format!(
            "No VolumeSnapshotClass: Volume snapshots are not configured for this StorageClass [{class}] [{name}]"
        )
    })
}
