//! Plugging volumes in and out: for a machine by changing what it is made from, which virt-controller brings to the
//! guest (KubeVirt 1.9 with its defaults); for a VMI that belongs to no machine, the VMI itself.

use serde_json::{Value, json};

use super::{
    Decision, Of, RUNNING, Race, Refusal, Target, VMI_NOT_RUNNING, World, Write, instance, machine, options,
    phase, text,
};
use crate::demo::virt_api::refusal::About;

/// What is changed: the spec of a guest, and where it stands in its object.
struct Place<'a> {
    spec: &'a Value,
    of: Of,
    about: About,
    before: &'static str,
}

impl<'a> Place<'a> {
    fn of(target: &Target, world: &'a World) -> Result<Self, Refusal> {
        match target.verb.of {
            Of::Machine => {
                let spec = &machine(target, world)?["spec"]["template"]["spec"];
                Ok(Self { spec, of: Of::Machine, about: About::Machine, before: "/spec/template/spec" })
            }
            Of::Instance => {
                let found = instance(target, world)?;
                let owners = found["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
                if owners.iter().any(|owner| owner["kind"] == "VirtualMachine" && owner["controller"] == true)
                {
                    let (namespace, name) = (&target.namespace, &target.name);
                    return Err(Refusal::bad_request(format!("VMI {namespace}/{name} is owned by a VM")));
                }
                if phase(found) != RUNNING {
                    return Err(Refusal::conflict(About::Instance, &target.name, VMI_NOT_RUNNING));
                }
                Ok(Self { spec: &found["spec"], of: Of::Instance, about: About::Instance, before: "/spec" })
            }
        }
    }

    fn volumes(&self) -> &'a [Value] {
        self.spec["volumes"].as_array().map_or(&[], Vec::as_slice)
    }

    fn conflict(&self, target: &Target, why: &str) -> Refusal {
        Refusal::conflict(self.about, &target.name, why)
    }

    /// Puts other lists in the place of the present ones, if they still are as they were.
    fn write(&self, volumes: Vec<Value>, disks: Vec<Value>) -> Write {
        let before = self.before;
        let lists = [
            (format!("{before}/volumes"), &self.spec["volumes"], volumes),
            (format!("{before}/domain/devices/disks"), &self.spec["domain"]["devices"]["disks"], disks),
        ];
        let tests = lists.iter().map(|(path, old, _)| json!({"op": "test", "path": path, "value": old}));
        let mut operations: Vec<Value> = tests.collect();
        operations.extend(lists.iter().map(|(path, old, new)| {
            json!({"op": if old.is_null() { "add" } else { "replace" }, "path": path, "value": new})
        }));
        Write::Patch { of: self.of, status: false, operations }
    }

    fn disks(&self) -> Vec<Value> {
        self.spec["domain"]["devices"]["disks"].as_array().cloned().unwrap_or_default()
    }
}

/// The claim or DataVolume of a volume; empty for others.
fn source(volume: &Value) -> &str {
    match text(&volume["dataVolume"], "name") {
        "" => text(&volume["persistentVolumeClaim"], "claimName"),
        name => name,
    }
}

fn answer(write: Write, dry_run: Vec<String>) -> Decision {
    Decision { race: Race::Told, ..Decision::accepted() }.writing(write).dry(dry_run)
}

pub(super) fn add(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let options = options(body, "AddVolumeOptions")?;
    let name = options.text("name")?;
    if name.is_empty() {
        return Err(Refusal::bad_request("AddVolumeOptions requires name to be set"));
    }
    let Some(disk) = options.object("disk", "v1.Disk")? else {
        return Err(Refusal::bad_request("AddVolumeOptions requires disk to not be nil"));
    };
    let Some(from) = options.object("volumeSource", "v1.HotplugVolumeSource")? else {
        return Err(Refusal::bad_request("AddVolumeOptions requires VolumeSource to not be nil"));
    };
    let place = Place::of(target, world)?;
    let mut volume = json!({"name": name});
    for kind in ["dataVolume", "persistentVolumeClaim"] {
        if from[kind].is_object() {
            volume[kind] = from[kind].clone();
            volume[kind]["hotpluggable"] = true.into();
            break;
        }
    }
    for present in place.volumes() {
        if text(present, "name") == name {
            let why = format!("Unable to add volume [{name}] because volume with that name already exists");
            return Err(place.conflict(target, &why));
        }
        let source = source(&volume);
        if !source.is_empty() && self::source(present) == source {
            return Err(place.conflict(
                target,
                &format!("Unable to add volume source [{source}] because it already exists"),
            ));
        }
    }
    let mut disk = disk.clone();
    disk["name"] = name.into();
    let (mut volumes, mut disks) = (place.volumes().to_vec(), place.disks());
    volumes.push(volume);
    disks.push(disk);
    Ok(answer(place.write(volumes, disks), options.dry_run()?))
}

pub(super) fn remove(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let options = options(body, "RemoveVolumeOptions")?;
    let name = options.text("name")?;
    if name.is_empty() {
        return Err(Refusal::bad_request("RemoveVolumeOptions requires name to be set"));
    }
    let place = Place::of(target, world)?;
    let found = place.volumes().iter().find(|one| text(one, "name") == name || source(one) == name);
    let Some(found) = found else {
        let why = format!("Unable to remove volume [{name}] because it does not exist");
        return Err(place.conflict(target, &why));
    };
    let called = text(found, "name");
    let pluggable =
        ["dataVolume", "persistentVolumeClaim"].iter().any(|kind| found[*kind]["hotpluggable"] == true);
    if !pluggable {
        let why = format!("Unable to remove volume [{called}] because it is not hotpluggable");
        return Err(place.conflict(target, &why));
    }
    let others = |list: &[Value]| list.iter().filter(|one| text(one, "name") != called).cloned().collect();
    Ok(answer(place.write(others(place.volumes()), others(&place.disks())), options.dry_run()?))
}
