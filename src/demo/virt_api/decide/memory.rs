//! Memory dumps: a request in the status of the machine, once the claim can hold the guest's memory.

use serde_json::{Value, json};

use super::{
    Decision, Of, RUNNING, Race, Refusal, Target, VMI_NOT_RUNNING, World, Write, instance, machine, options,
    phase, swap, text,
};
use crate::demo::virt_api::refusal::About;
use crate::model::{format_bytes, parse_bytes};

/// What a dump needs beside the guest's memory, in bytes.
const OVERHEAD: u64 = 100 << 20;

/// The part of a file system that CDI takes to be its own, in thousandths.
const FILESYSTEM: u64 = 60;

/// The claim that a request is about.
pub(super) fn claim(body: &[u8], world: &World) -> Option<String> {
    let said = options(body, "VirtualMachineMemoryDumpRequest").ok()?.text("claimName").ok()?.to_owned();
    let present = world
        .machine
        .as_ref()
        .map_or("", |machine| text(&machine["status"]["memoryDumpRequest"], "claimName"));
    let name = if said.is_empty() { present.to_owned() } else { said };
    (!name.is_empty()).then_some(name)
}

pub(super) fn dump(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let said = options(body, "VirtualMachineMemoryDumpRequest")?.text("claimName")?.to_owned();
    let machine = machine(target, world)?;
    let conflict = |why: String| Refusal::conflict(About::Machine, &target.name, why);
    let present = &machine["status"]["memoryDumpRequest"];
    let other = text(present, "claimName");
    if said.is_empty() && present.is_null() {
        return Err(Refusal::bad_request("Memory dump requires claim name to be set"));
    }
    if !said.is_empty() && !other.is_empty() && said != other {
        return Err(conflict(format!(
            "can't request memory dump for pvc [{said}] while pvc [{other}] is still associated as the memory dump pvc"
        )));
    }
    let name = if said.is_empty() { other } else { &said };
    let found = instance(target, world)?;
    if phase(found) != RUNNING {
        return Err(Refusal::conflict(About::Instance, &target.name, VMI_NOT_RUNNING));
    }
    let claim = world.claim.as_ref().ok_or_else(|| Refusal::not_found(About::Claim, name))?;
    fits(name, claim, found)?;
    match text(present, "phase") {
        "Dissociating" => {
            return Err(conflict(format!(
                "can't dump memory for pvc [{name}] a remove memory dump request is in progress"
            )));
        }
        "" | "Completed" | "Failed" => {}
        _ => return Err(conflict(format!("memory dump request for pvc [{name}] already in progress"))),
    }
    Ok(write(present, json!({"claimName": name, "phase": "Associating"})))
}

pub(super) fn forget(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let machine = machine(target, world)?;
    let name = &target.name;
    let conflict = |why: String| Err(Refusal::conflict(About::Machine, name, why));
    let present = &machine["status"]["memoryDumpRequest"];
    let claim = text(present, "claimName");
    if present.is_null() {
        return conflict(format!("can't remove memory dump association for vm {name}, no association found"));
    }
    if present["remove"] == true {
        return conflict(format!("memory dump remove request for pvc [{claim}] already exists"));
    }
    Ok(write(present, json!({"claimName": claim, "phase": "Dissociating", "remove": true})))
}

fn write(present: &Value, new: Value) -> Decision {
    let operations = swap("/status/memoryDumpRequest", present, new);
    let write = Write::Patch { of: Of::Machine, status: true, operations };
    Decision { race: Race::Told, ..Decision::accepted() }.writing(write)
}

/// Whether a dump of this guest can go into a claim.
fn fits(name: &str, claim: &Value, instance: &Value) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::conflict(About::Claim, name, why));
    let spec = &claim["spec"];
    if spec["volumeMode"] == "Block" {
        return refuse("pvc should be filesystem pvc".into());
    }
    let modes = spec["accessModes"].as_array().map_or(&[][..], Vec::as_slice);
    if !modes.is_empty() && modes.iter().all(|mode| mode == "ReadOnlyMany") {
        return refuse("pvc access mode can't be read only".into());
    }
    let domain = &instance["spec"]["domain"];
    let memory =
        bytes(&domain["memory"]["guest"]).or_else(|| bytes(&domain["resources"]["requests"]["memory"]));
    let needed = memory.unwrap_or_default().saturating_add(OVERHEAD);
    let needed = needed.saturating_add(needed.saturating_mul(FILESYSTEM) / 1000);
    let size = &spec["resources"]["requests"]["storage"];
    if bytes(size).is_some_and(|size| size < needed) {
        let size = size.as_str().unwrap_or_default();
        let mut shown = String::new();
        format_bytes(needed, &mut shown);
        return refuse(format!("pvc size [{size}] should be bigger then [{shown}]"));
    }
    Ok(())
}

fn bytes(quantity: &Value) -> Option<u64> {
    quantity.as_str().and_then(parse_bytes).or_else(|| quantity.as_u64())
}
