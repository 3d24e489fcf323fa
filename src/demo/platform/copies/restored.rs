//! What a restore makes: claims from snapshots, data volumes for them, and a machine that uses them.

use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own, remove, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::restore::Step;
use crate::model::parse_bytes;

const NAME: &str = "restore.kubevirt.io/name";
const LAST: &str = "restore.kubevirt.io/lastRestoreUID";
const POPULATED_FOR: &str = "cdi.kubevirt.io/storage.populatedFor";
const PRE_POPULATED: &str = "cdi.kubevirt.io/storage.prePopulated";
const ADOPTION: &str = "cdi.kubevirt.io/allowClaimAdoption";
const CONTENT_TYPE: &str = "cdi.kubevirt.io/storage.contentType";

/// Annotations that belong to the old claim.
const NOT_KEPT: &[&str] = &[
    "pv.kubernetes.io",
    "volume.beta.kubernetes.io",
    "cdi.kubevirt.io",
    "volume.kubernetes.io",
    "k8s.io/CloneRequest",
    "k8s.io/CloneOf",
];

/// A restore, and what it works with.
pub(super) struct Volumes<'a, 'v> {
    pub(super) view: &'a View<'v>,
    pub(super) restore: &'a Object,
    /// What was kept of the machine.
    pub(super) content: &'a Object,
    /// The machine, if there is one already.
    pub(super) machine: Option<&'a Object>,
}

/// What the machine and the claims of a restore are marked with.
fn mark(restore: &Object) -> String {
    format!("{}-{}", restore.name(), restore.uid())
}

/// Whether a machine has got what a restore has for it.
pub(super) fn is_done(restore: &Object, machine: &Object) -> bool {
    machine.annotation(LAST) == mark(restore)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Volumes<'_, '_> {
    fn is_in_place(&self) -> bool {
        self.restore.text("/spec/volumeRestorePolicy") == "InPlace"
    }

    /// What the copy of a volume, or of its disk, is called.
    fn name(&self, volume: &str, old: &str) -> String {
        let overrides = self.restore.list("/spec/volumeRestoreOverrides").iter();
        let mut named =
            overrides.filter(|one| one["volumeName"] == volume).map(|one| text(&one["restoreName"]));
        match (named.find(|name| !name.is_empty()), self.restore.text("/spec/volumeRestorePolicy")) {
            (Some(name), _) => name.to_owned(),
            (None, "InPlace") => old.to_owned(),
            (None, "PrefixTargetName") => format!("{}-{volume}", self.restore.text("/spec/target/name")),
            (None, _) => format!("restore-{}-{volume}", self.restore.uid()),
        }
    }

    fn claim(&self, name: &str) -> Option<&Object> {
        self.view.get(Kind::PersistentVolumeClaim, self.restore.namespace(), name)
    }

    /// Makes the claims and waits until they are bound.
    pub(super) fn claims(&self, new: &mut Value) -> Step {
        let known = self.restore.list("/status/restores");
        let mut restores = Vec::new();
        for backup in self.content.list("/spec/volumeBackups") {
            let volume = text(&backup["volumeName"]);
            let old = text(&backup["persistentVolumeClaim"]["metadata"]["name"]);
            let done = known.iter().find(|one| one["volumeName"] == volume).cloned();
            restores.push(done.unwrap_or_else(|| {
                json!({
                    "volumeName": volume,
                    "persistentVolumeClaim": self.name(volume, old),
                    "volumeSnapshotName": backup["volumeSnapshotName"],
                })
            }));
        }
        if known != restores {
            set(new, "/status/restores", restores);
            return Step::Busy(Vec::new());
        }
        let (mut writes, mut waits) = (Vec::new(), false);
        for (index, restore) in restores.iter().enumerate() {
            let Some(claim) = self.claim(text(&restore["persistentVolumeClaim"])) else {
                match self.new_claim(restore) {
                    Ok(claim) => writes.push(Write::Create(claim)),
                    Err(why) => return Step::Failed(why),
                }
                continue;
            };
            if self.is_in_place() && claim.annotation(LAST) != mark(self.restore) {
                waits = true;
                writes.extend(self.make_room(claim, new, index));
            } else if claim.phase() == "Pending" {
                let class = self.view.get(Kind::StorageClass, "", claim.text("/spec/storageClassName"));
                waits |= class.is_none_or(|class| class.text("/volumeBindingMode") != "WaitForFirstConsumer");
            } else if claim.phase() != "Bound" {
                let (namespace, name, phase) = (claim.namespace(), claim.name(), claim.phase());
                return Step::Failed(format!("PVC {namespace}/{name} in status {phase:?}"));
            }
        }
        if waits || !writes.is_empty() { Step::Busy(writes) } else { Step::Done }
    }

    /// A claim that is to be replaced by one of the same name goes; its data volume must not make another.
    fn make_room(&self, claim: &Object, new: &mut Value, index: usize) -> Vec<Write> {
        let mut writes = Vec::new();
        let owner = claim.controller().filter(|owner| owner["kind"] == "DataVolume");
        let volume =
            owner.and_then(|owner| self.view.get(Kind::DataVolume, claim.namespace(), text(&owner["name"])));
        if let Some(volume) = volume {
            set(new, &format!("/status/restores/{index}/dataVolumeName"), volume.name());
            let mut marked = volume.edit();
            annotate(&mut marked, NAME, self.restore.name());
            annotate(&mut marked, PRE_POPULATED, "true");
            writes.extend(Write::update(volume, marked));
        }
        writes.extend(Write::delete(claim));
        writes
    }

    /// A claim that is filled from a snapshot.
    fn new_claim(&self, restore: &Value) -> Result<Value, String> {
        let volume = text(&restore["volumeName"]);
        let name = text(&restore["persistentVolumeClaim"]);
        let backups = self.content.list("/spec/volumeBackups");
        let backup = backups
            .iter()
            .find(|one| one["volumeName"] == volume)
            .ok_or_else(|| format!("volume backup for volume {volume} not found"))?;
        let snapshot_name = text(&backup["volumeSnapshotName"]);
        let snapshot = self
            .view
            .get(Kind::VolumeSnapshot, self.restore.namespace(), snapshot_name)
            .ok_or_else(|| format!("missing volumeSnapshot {snapshot_name}"))?;
        let source = &backup["persistentVolumeClaim"];
        let mut claim = new_object(Kind::PersistentVolumeClaim, self.restore.namespace(), name);
        for (key, value) in source["metadata"]["labels"].as_object().into_iter().flatten() {
            label(&mut claim, key, text(value));
        }
        for (key, value) in source["metadata"]["annotations"].as_object().into_iter().flatten() {
            if key == CONTENT_TYPE || !NOT_KEPT.iter().any(|prefix| key.starts_with(prefix)) {
                annotate(&mut claim, key, text(value));
            }
        }
        let machine = self.content.at("/spec/source/virtualMachine/metadata");
        label(&mut claim, "restore.kubevirt.io/source-vm-name", text(&machine["name"]));
        label(&mut claim, "restore.kubevirt.io/source-vm-namespace", text(&machine["namespace"]));
        annotate(&mut claim, NAME, self.restore.name());
        annotate(&mut claim, LAST, mark(self.restore));
        for one in
            self.restore.list("/spec/volumeRestoreOverrides").iter().filter(|one| one["volumeName"] == volume)
        {
            for (key, value) in one["labels"].as_object().into_iter().flatten() {
                label(&mut claim, key, text(value));
            }
            for (key, value) in one["annotations"].as_object().into_iter().flatten() {
                annotate(&mut claim, key, text(value));
            }
        }
        for field in ["accessModes", "resources", "storageClassName", "volumeMode"] {
            if !source["spec"][field].is_null() {
                claim["spec"][field] = source["spec"][field].clone();
            }
        }
        let bytes = |value: &Value| parse_bytes(text(value)).unwrap_or_default();
        let size = "/spec/resources/requests/storage";
        if claim.pointer(size).map(bytes).unwrap_or_default() < bytes(snapshot.at("/status/restoreSize")) {
            set(&mut claim, size, snapshot.at("/status/restoreSize").clone());
        }
        let from =
            json!({"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": snapshot_name});
        claim["spec"]["dataSource"] = from.clone();
        claim["spec"]["dataSourceRef"] = from;
        match (restore["dataVolumeName"].as_str(), self.machine) {
            (Some(disk), _) => annotate(&mut claim, POPULATED_FOR, disk),
            (None, Some(machine)) => own(&mut claim, machine),
            (None, None) => {}
        }
        Ok(claim)
    }

    /// Hands the claims to data volumes, and gives the machine its specification back.
    pub(super) fn machine(&self, new: &mut Value) -> Step {
        let kept = self.content.at("/spec/source/virtualMachine/spec");
        let (restores, mut writes) = match self.hand_over(kept) {
            Ok(found) => found,
            Err(why) => return Step::Failed(why),
        };
        if self.restore.list("/status/restores") != restores {
            set(new, "/status/restores", restores);
            return Step::Busy(writes);
        }
        let machine = self.restored(kept);
        let templates = |spec: &Value| spec["dataVolumeTemplates"].as_array().cloned().unwrap_or_default();
        let name_of = |template: &Value| text(&template["metadata"]["name"]).to_owned();
        let mut waits = false;
        for template in templates(&machine["spec"]) {
            match self.view.get(Kind::DataVolume, self.restore.namespace(), &name_of(&template)) {
                Some(disk) => {
                    waits |=
                        !matches!(disk.phase(), "Succeeded" | "WaitForFirstConsumer" | "PendingPopulation");
                }
                None => match self.new_disk(&template) {
                    Ok(disk) => writes.extend(disk.map(Write::Create)),
                    Err(why) => return Step::Failed(why),
                },
            }
        }
        if let Some(old) = self.machine {
            let now: Vec<String> = templates(&machine["spec"]).iter().map(name_of).collect();
            let before = templates(old.at("/spec"));
            let obsolete: Vec<String> =
                before.iter().map(name_of).filter(|name| !now.contains(name)).collect();
            let known = self.restore.list("/status/deletedDataVolumes");
            if known.iter().map(text).ne(obsolete.iter().map(String::as_str)) {
                set(new, "/status/deletedDataVolumes", obsolete);
                return Step::Busy(writes);
            }
        }
        if waits || !writes.is_empty() {
            return Step::Busy(writes);
        }
        Step::Busy(match self.machine {
            Some(old) => Write::update(old, machine).into_iter().collect(),
            None => vec![Write::Create(machine)],
        })
    }

    /// Claims of disks wait for data volumes that adopt them.
    fn hand_over(&self, kept: &Value) -> Result<(Vec<Value>, Vec<Write>), String> {
        let mut restores = self.restore.list("/status/restores").to_vec();
        let mut writes = Vec::new();
        for restore in &mut restores {
            let volume = text(&restore["volumeName"]).to_owned();
            let Some(disk) = disk_of(kept, &volume) else { continue };
            let name = self.name(&volume, &disk);
            let (namespace, claim) = (self.restore.namespace(), text(&restore["persistentVolumeClaim"]));
            let claim = self
                .claim(claim)
                .ok_or_else(|| format!("pvc {namespace}/{claim} does not exist and should"))?;
            if claim.annotation(POPULATED_FOR) != name {
                let mut free = claim.edit();
                annotate(&mut free, POPULATED_FOR, name.as_str());
                remove(&mut free, "/metadata/ownerReferences");
                writes.extend(Write::update(claim, free));
            }
            restore["dataVolumeName"] = name.into();
        }
        Ok((restores, writes))
    }

    /// A data volume that adopts its claim; none while that is not free.
    fn new_disk(&self, template: &Value) -> Result<Option<Value>, String> {
        let (namespace, name) = (self.restore.namespace(), text(&template["metadata"]["name"]));
        let claim = self.claim(name).ok_or_else(|| {
            format!("when creating restore dv pvc {namespace}/{name} does not exist and should")
        })?;
        if claim.annotation(POPULATED_FOR) != name || !claim.list("/metadata/ownerReferences").is_empty() {
            return Ok(None);
        }
        let mut disk = new_object(Kind::DataVolume, namespace, name);
        for field in ["labels", "annotations"] {
            if template["metadata"][field].is_object() {
                disk["metadata"][field] = template["metadata"][field].clone();
            }
        }
        annotate(&mut disk, ADOPTION, "true");
        annotate(&mut disk, NAME, self.restore.name());
        annotate(&mut disk, PRE_POPULATED, "true");
        disk["spec"] = template["spec"].clone();
        Ok(Some(disk))
    }

    /// The machine as it was, with its new disks.
    fn restored(&self, kept: &Value) -> Value {
        let mut machine = match self.machine {
            Some(machine) => machine.edit(),
            None => self.another(),
        };
        let was_running = self.machine.is_some_and(|machine| machine.at("/spec/running").is_boolean());
        let strategy = self.machine.map_or("Halted", |machine| machine.text("/spec/runStrategy")).to_owned();
        let firmware = self.machine.map(|machine| machine.at("/spec/template/spec/domain/firmware").clone());
        machine["spec"] = kept.clone();
        remove(&mut machine, "/spec/running");
        remove(&mut machine, "/spec/runStrategy");
        if was_running {
            set(&mut machine, "/spec/running", false);
        } else {
            set(&mut machine, "/spec/runStrategy", strategy);
        }
        let firmware = firmware.filter(Value::is_object);
        if let Some(firmware) = firmware
            && machine.pointer("/spec/template/spec/domain/firmware").is_none()
        {
            set(&mut machine, "/spec/template/spec/domain/firmware", firmware);
        }
        annotate(&mut machine, LAST, mark(self.restore));
        for restore in self.restore.list("/status/restores") {
            repoint(&mut machine, restore);
        }
        machine
    }

    /// A machine of another name.
    fn another(&self) -> Value {
        let name = self.restore.text("/spec/target/name");
        let mut machine = new_object(Kind::VirtualMachine, self.restore.namespace(), name);
        for field in ["labels", "annotations"] {
            let kept = &self.content.at("/spec/source/virtualMachine/metadata")[field];
            if kept.is_object() {
                machine["metadata"][field] = kept.clone();
            }
        }
        machine
    }
}

/// The data volume of a volume, if the machine itself makes it.
fn disk_of(spec: &Value, volume: &str) -> Option<String> {
    let volumes = spec.pointer("/template/spec/volumes")?.as_array()?;
    let name = volumes.iter().find(|one| one["name"] == volume)?["dataVolume"]["name"].as_str()?;
    let mut templates = spec["dataVolumeTemplates"].as_array()?.iter();
    templates.any(|one| one["metadata"]["name"] == name).then(|| name.to_owned())
}

/// Has a machine use what was restored for one of its volumes.
fn repoint(machine: &mut Value, restore: &Value) {
    let disk = disk_of(&machine["spec"], text(&restore["volumeName"]));
    let volumes = machine.pointer_mut("/spec/template/spec/volumes").and_then(Value::as_array_mut);
    let volume = volumes.into_iter().flatten().find(|one| one["name"] == restore["volumeName"]);
    let Some(volume) = volume else { return };
    match (&disk, &restore["dataVolumeName"]) {
        (Some(_), Value::String(new)) => set(volume, "/dataVolume/name", new.as_str()),
        _ => {
            let name = &restore["volumeName"];
            *volume = json!({"name": name, "persistentVolumeClaim": {"claimName": restore["persistentVolumeClaim"]}});
        }
    }
    let Some(old) = disk else { return };
    let templates = machine.pointer_mut("/spec/dataVolumeTemplates").and_then(Value::as_array_mut);
    for template in templates.into_iter().flatten().filter(|one| one["metadata"]["name"] == old.as_str()) {
        template["metadata"]["name"] = restore["dataVolumeName"].clone();
    }
}
