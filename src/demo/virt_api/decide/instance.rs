//! What is done to a guest that runs. KubeVirt's virt-handler does it; here the VMI is changed as it would change it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Decision, Of, RUNNING, Refusal, Target, VM_NOT_RUNNING, VMI_NOT_RUNNING, World, Write, condition,
    instance, instance_of, is_true, options, phase, swap, text,
};
use crate::demo::virt_api::refusal::About;

fn conflict(target: &Target, why: impl AsRef<str>) -> Refusal {
    Refusal::conflict(About::Instance, &target.name, why)
}

/// The VMI, if it is in phase Running; `why` is said otherwise, and KubeVirt has two ways to say it.
fn running<'a>(target: &Target, world: &'a World, why: &str) -> Result<&'a Value, Refusal> {
    let found = instance(target, world)?;
    if phase(found) == RUNNING { Ok(found) } else { Err(conflict(target, why)) }
}

fn patch(operations: Vec<Value>) -> Write {
    Write::Patch { of: Of::Instance, status: false, operations }
}

/// Whether nothing shall really be done; the guest is not asked then.
fn is_dry(body: &[u8], go: &'static str) -> Result<bool, Refusal> {
    Ok(options(body, go)?.dry_run()?.first().is_some_and(|first| first == "All"))
}

pub(super) fn pause(
    target: &Target,
    body: &[u8],
    world: &World,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let dry = is_dry(body, "PauseOptions")?;
    let found = running(target, world, VM_NOT_RUNNING)?;
    let probe = &found["spec"]["livenessProbe"];
    if !probe.is_null() && probe["guestAgentPing"].is_null() {
        let why = "Pausing VMIs with a non-GuestAgentPing LivenessProbe is not supported";
        return Err(Refusal::forbidden(About::Instance, &target.name, why));
    }
    if condition(found, "Paused").is_some() {
        return Err(conflict(target, "VMI is already paused"));
    }
    let migration = &found["status"]["migrationState"];
    if !migration.is_null() && migration["completed"] != true {
        let name = &target.name;
        return Err(conflict(
            target,
            format!("Cannot pause VM '{name}' because it is currently being migrated"),
        ));
    }
    if dry {
        return Ok(Decision::ok());
    }
    let old = &found["status"]["conditions"];
    let mut new: Vec<Value> = old.as_array().cloned().unwrap_or_default();
    new.push(json!({
        "type": "Paused", "status": "True", "reason": "PausedByUser", "message": "VMI was paused by user",
        "lastTransitionTime": format!("{now:.0}"),
    }));
    let event = Write::Event { reason: "Paused", message: "VirtualMachineInstance paused" };
    Ok(Decision::ok().writing(patch(swap("/status/conditions", old, new))).writing(event))
}

pub(super) fn unpause(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let snapshot =
        world.machine.as_ref().map_or(&Value::Null, |machine| &machine["status"]["snapshotInProgress"]);
    if !snapshot.is_null() {
        return Err(Refusal::conflict(About::Machine, &target.name, "VM snapshot is in progress"));
    }
    let dry = is_dry(body, "UnpauseOptions")?;
    let found = running(target, world, VMI_NOT_RUNNING)?;
    if condition(found, "Paused").is_none() {
        return Err(conflict(target, "VMI is not paused"));
    }
    if dry {
        return Ok(Decision::ok());
    }
    let old = &found["status"]["conditions"];
    let mut new: Vec<Value> = old.as_array().cloned().unwrap_or_default();
    new.retain(|one| one["type"] != "Paused");
    let event = Write::Event { reason: "Unpaused", message: "VirtualMachineInstance unpaused" };
    Ok(Decision::ok().writing(patch(swap("/status/conditions", old, new))).writing(event))
}

pub(super) fn freeze(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let found = running(target, world, VM_NOT_RUNNING)?;
    let old = &found["status"]["fsFreezeStatus"];
    // To freeze what is frozen changes nothing.
    if old == "frozen" {
        return Ok(Decision::ok());
    }
    Ok(Decision::ok().writing(patch(swap("/status/fsFreezeStatus", old, "frozen"))))
}

pub(super) fn unfreeze(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let found = running(target, world, VMI_NOT_RUNNING)?;
    let path = "/status/fsFreezeStatus";
    match &found["status"]["fsFreezeStatus"] {
        Value::Null => Ok(Decision::ok()),
        old => Ok(Decision::ok().writing(patch(vec![
            json!({"op": "test", "path": path, "value": old}),
            json!({"op": "remove", "path": path}),
        ]))),
    }
}

pub(super) fn soft_reboot(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let found = running(target, world, VM_NOT_RUNNING)?;
    if is_true(found, "Paused") {
        return Err(conflict(target, "VMI is paused"));
    }
    let deaf = found["spec"]["domain"]["features"]["acpi"]["enabled"] == false;
    if deaf && condition(found, "AgentConnected").is_none() {
        return Err(conflict(target, "VMI neither have the agent connected nor the ACPI feature enabled"));
    }
    let message = "VirtualMachineInstance soft rebooted";
    Ok(Decision::ok().writing(Write::Event { reason: "SoftRebooted", message }))
}

pub(super) fn reset(target: &Target, world: &World) -> Result<Decision, Refusal> {
    let found = instance(target, world)?;
    match phase(found) {
        RUNNING | "Scheduled" => {
            let message = "VirtualMachineInstance reset";
            Ok(Decision::ok().writing(Write::Event { reason: "Reset", message }))
        }
        phase => Err(Refusal::bad_request(format!(
            "Failed to reset non-running VMI with phase {phase}: Unable to connect to VirtualMachineInstance because phase \
             is {phase} instead of Running or Scheduled"
        ))),
    }
}

/// The taint of a node that its machines have to leave, by KubeVirt's defaults.
const DRAIN: &str = "kubevirt.io/drain";

/// The node that a VMI has to leave, or else the one that it is on; empty if neither is known.
pub(super) fn evacuated_node(instance: &Value) -> &str {
    let status = &instance["status"];
    match text(status, "evacuationNodeName") {
        "" => text(status, "nodeName"),
        node => node,
    }
}

pub(super) fn cancel_evacuation(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let found = instance_of(target, world)?;
    let name = evacuated_node(found);
    let Some(node) = &world.node else {
        return Err(Refusal::internal(match name {
            "" => "resource name may not be empty".to_owned(),
            name => format!("nodes {name:?} not found"),
        }));
    };
    let taints = node["spec"]["taints"].as_array().map_or(&[][..], Vec::as_slice);
    if taints.iter().any(|taint| taint["key"] == DRAIN && taint["effect"] == "NoSchedule") {
        let taint = format!("{DRAIN}:NoSchedule");
        return Err(Refusal::bad_request(format!("Node {name:?} has NodeDrainTaintKey {taint:?}")));
    }
    let old = text(&found["status"], "evacuationNodeName");
    if old.is_empty() {
        return Ok(Decision::ok());
    }
    let options = options(body, "EvacuateCancelOptions")?;
    let said = options.text("evacuationNodeName")?;
    let path = "/status/evacuationNodeName";
    // Whoever means another node is refused by the test.
    let operations =
        vec![json!({"op": "test", "path": path, "value": said}), json!({"op": "remove", "path": path})];
    Ok(Decision { race: super::Race::Told, ..Decision::ok() }
        .writing(patch(operations))
        .dry(options.dry_run()?))
}
