//! Start, stop, restart, migrate: by run strategy, either the strategy itself is changed or a request is put into the
//! status, which virt-controller works off.

use serde_json::{Value, json};

use super::{
    Decision, Of, RUNNING, Refusal, Target, VM_NOT_RUNNING, World, Write, condition, instance, is_final,
    is_true, machine, options, phase, swap, text,
};
use crate::demo::virt_api::refusal::About;

const RECOVERY: &str = "VM recovery required: Volume migration failed, leaving some volumes pointing to \
                        non-consistent targets; manual intervention is needed to reassign them to their original volumes.";

/// When the machine shall run.
fn strategy(machine: &Value) -> Result<&str, Refusal> {
    let spec = &machine["spec"];
    match (spec["runStrategy"].as_str(), spec["running"].as_bool()) {
        (Some(_), Some(_)) => Err(Refusal::internal("running and runStrategy are mutually exclusive")),
        (Some(strategy), None) => Ok(strategy),
        (None, Some(true)) => Ok("Always"),
        (None, _) => Ok("Halted"),
    }
}

fn conflict(target: &Target, why: impl AsRef<str>) -> Refusal {
    Refusal::conflict(About::Machine, &target.name, why)
}

pub(super) fn start(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let machine = machine(target, world)?;
    let instance = world.instance.as_ref();
    if instance.is_some_and(|found| !is_final(found) && !matches!(phase(found), "" | "Unknown")) {
        return Err(conflict(target, "VM is already running"));
    }
    if is_true(machine, "ManualRecoveryRequired") {
        return Err(conflict(target, RECOVERY));
    }
    let options = options(body, "StartOptions")?;
    let (paused, dry_run) = (options.flag("paused")?, options.dry_run()?);
    let start = || {
        let mut start = json!({"action": "Start"});
        if paused {
            start["data"] = json!({"paused": "true"});
        }
        start
    };
    let over = instance.filter(|found| is_final(found));
    let write = match strategy(machine)? {
        "Halted" if paused => request(machine, vec![start()])?,
        "Halted" => switch(machine, true),
        "RerunOnFailure" if over.is_some_and(|found| phase(found) == "Failed") => {
            return Err(conflict(target, "RerunOnFailure does not support starting VM from failed state"));
        }
        "Manual" | "RerunOnFailure" => match over {
            Some(over) => request(machine, vec![stop_of(over), start()])?,
            None => request(machine, vec![start()])?,
        },
        // Nothing comes of it there, and nobody says so.
        "WaitAsReceiver" => return Ok(Decision::accepted()),
        other => return Err(conflict(target, format!("{other} does not support manual start requests"))),
    };
    Ok(Decision::accepted().writing(write).dry(dry_run))
}

pub(super) fn stop(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let options = options(body, "StopOptions")?;
    let (grace, dry_run) = (options.number("gracePeriod")?, options.dry_run()?);
    let machine = machine(target, world)?;
    let live = world.instance.as_ref().filter(|found| !is_final(found));
    let old = live.map_or(&Value::Null, |live| &live["spec"]["terminationGracePeriodSeconds"]);
    let mut decision = Decision::accepted().dry(dry_run);
    if let (Some(_), Some(grace)) = (live, grace) {
        decision = decision.writing(shorten(old, grace));
    }
    let write = match (strategy(machine)?, live) {
        ("Halted" | "Manual" | "RerunOnFailure", None) => return Err(conflict(target, VM_NOT_RUNNING)),
        ("Halted", Some(live)) => {
            let shorter = grace.is_some_and(|grace| old.as_i64().is_none_or(|old| grace < old));
            if !shorter {
                return Err(conflict(
                    target,
                    "Halted only supports manual stop requests with a shorter graceperiod",
                ));
            }
            request(machine, vec![stop_of(live)])?
        }
        ("Manual" | "RerunOnFailure", Some(live)) => request(machine, vec![stop_of(live)])?,
        ("Always" | "Once", _) => switch(machine, false),
        _ => return Ok(decision),
    };
    Ok(decision.writing(write))
}

pub(super) fn restart(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let options = options(body, "RestartOptions")?;
    let (grace, dry_run) = (options.number("gracePeriodSeconds")?, options.dry_run()?);
    match grace {
        Some(1..) => {
            return Err(Refusal::bad_request("For force restart, only gracePeriod=0 is supported for now"));
        }
        Some(..0) => return Err(Refusal::bad_request("gracePeriod has to be greater or equal to 0")),
        Some(0) | None => {}
    }
    let machine = machine(target, world)?;
    if is_true(machine, "VolumesChange") {
        return Err(conflict(target, RECOVERY));
    }
    let strategy = strategy(machine)?;
    if matches!(strategy, "Halted" | "Once") {
        return Err(conflict(
            target,
            format!("RunStategy {strategy} does not support manual restart requests"),
        ));
    }
    let Some(instance) = &world.instance else {
        return Err(conflict(target, format!("{VM_NOT_RUNNING}: Halted")));
    };
    let mut decision = Decision::accepted().dry(dry_run);
    if grace.is_some() && !is_final(instance) {
        // The shortest time in which a guest's disks are surely let go.
        decision = decision.writing(shorten(&instance["spec"]["terminationGracePeriodSeconds"], 1));
    }
    Ok(decision.writing(request(machine, vec![stop_of(instance), json!({"action": "Start"})])?))
}

pub(super) fn migrate(target: &Target, body: &[u8], world: &World) -> Result<Decision, Refusal> {
    let options = options(body, "MigrateOptions")?;
    let dry_run = options.dry_run()?;
    let selector = options.object("addedNodeSelector", "map[string]string")?;
    machine(target, world)?;
    if phase(instance(target, world)?) != RUNNING {
        return Err(conflict(target, VM_NOT_RUNNING));
    }
    let mut migration = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
        "metadata": {"generateName": "kubevirt-migrate-vm-", "namespace": target.namespace},
        "spec": {"vmiName": target.name},
    });
    if let Some(selector) = selector.filter(|map| map.as_object().is_some_and(|map| !map.is_empty())) {
        migration["spec"]["addedNodeSelector"] = selector.clone();
    }
    if let Some(why) = immovable(instance(target, world)?) {
        let webhook = "admission webhook \"migration-create-validator.kubevirt.io\" denied the request";
        return Err(Refusal::internal(format!("{webhook}: {why}")));
    }
    Ok(Decision::accepted().writing(Write::Migration(migration)).dry(dry_run))
}

/// Why a guest cannot be moved. KubeVirt's webhook looks at it when the migration is created; not every API server that
/// this runs beside has one.
fn immovable(instance: &Value) -> Option<String> {
    if let Some(not) = condition(instance, "LiveMigratable").filter(|one| one["status"] == "False") {
        let (reason, message) = (text(not, "reason"), text(not, "message"));
        return Some(format!("Cannot migrate VMI, Reason: {reason}, Message: {message}"));
    }
    let running = &instance["status"]["migrationState"];
    let over = running.is_null() || running["completed"] == true;
    let (uid, name) = (text(running, "migrationUid"), text(&instance["metadata"], "name"));
    (!over).then(|| {
        format!(
            "in-flight migration detected. Active migration job ({uid}) is currently already in progress for VMI {name}."
        )
    })
}

fn stop_of(instance: &Value) -> Value {
    json!({"action": "Stop", "uid": instance["metadata"]["uid"]})
}

/// Says that the machine shall run or not, in the field in which it says so already.
fn switch(machine: &Value, on: bool) -> Write {
    let spec = &machine["spec"];
    let operations = if spec["runStrategy"].is_null() {
        swap("/spec/running", &spec["running"], on)
    } else {
        swap("/spec/runStrategy", &spec["runStrategy"], if on { "Always" } else { "Halted" })
    };
    Write::Patch { of: Of::Machine, status: false, operations }
}

/// Puts requests into the status. Only a stop takes the place of what is there.
fn request(machine: &Value, changes: Vec<Value>) -> Result<Write, Refusal> {
    let status = &machine["status"];
    let patch = |operations| Ok(Write::Patch { of: Of::Machine, status: true, operations });
    if status.as_object().is_none_or(serde_json::Map::is_empty) {
        return patch(vec![
            json!({"op": "add", "path": "/status", "value": {"stateChangeRequests": changes}}),
        ]);
    }
    let present = &status["stateChangeRequests"];
    let idle = present.as_array().is_none_or(Vec::is_empty);
    let only_stops = matches!(changes.as_slice(), [one] if one["action"] == "Stop");
    if !idle && !only_stops {
        return Err(Refusal::internal("unable to complete request: stop/start already underway"));
    }
    let mut operations = swap("/status/stateChangeRequests", present, changes);
    if !status["startFailure"].is_null() {
        operations.push(json!({"op": "remove", "path": "/status/startFailure"}));
    }
    patch(operations)
}

/// Gives the guest less time to end.
fn shorten(old: &Value, seconds: i64) -> Write {
    let operations = swap("/spec/terminationGracePeriodSeconds", old, seconds);
    Write::Patch { of: Of::Instance, status: false, operations }
}
