//! What virt-handler does on the nodes while a guest migrates: the target gets ready, memory is copied, the guest goes on there.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{label, list, remove, set, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::play::{self, Shows};
use super::super::view::View;
use super::super::write::Write;
use super::migration::JOB;
use crate::model::parse_bytes;

const HANDLER: &str = "virt-handler";

/// How long a node takes to get ready for a guest.
const PREPARE: Duration = Duration::from_millis(1500);

/// How long the source takes until it begins.
const START: Duration = Duration::from_secs(2);

/// How long it takes to copy the memory of a small guest, and what every GiB adds.
const COPY: Duration = Duration::from_secs(3);
const COPY_GIB: Duration = Duration::from_millis(1200);

/// After so long without progress a migration is given up (`progressTimeout`, KubeVirt's default).
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(150);

/// How long it takes to abort.
const ABORT: Duration = Duration::from_secs(1);

/// After so long a migration whose object was deleted is given up.
const FORSAKEN: Duration = Duration::from_secs(5);

/// The play of a migration that does not come to an end.
const FAILS: &str = "migration-fails";

/// The readiness gate of launchers.
const UNPAUSED: &str = "kubevirt.io/virtual-machine-unpaused";

const STATE: &str = "/status/migrationState";

/// What the nodes of an instance that migrates do.
pub(super) fn step(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let state = vmi.at(STATE);
    let over = !state["endTimestamp"].is_null() || matches!(vmi.phase(), "Succeeded" | "Failed");
    let Some(uid) = state["migrationUid"].as_str().filter(|_| !over) else { return Vec::new() };
    let waited = |word: &str, long: Duration| view.waited(vmi, &format!("{word}-{uid}"), long);
    if state["targetNodeAddress"].is_null() {
        return if waited("prepare", PREPARE) { prepared(view, vmi) } else { Vec::new() };
    }
    let known = view.list(Kind::VirtualMachineInstanceMigration, vmi.namespace());
    let migration = known.into_iter().find(|one| one.uid() == uid);
    if state["startTimestamp"].is_null() && migration.is_some() {
        return if waited("start", START) { started(view, vmi) } else { Vec::new() };
    }
    let aborted = state["abortRequested"] == true || migration.is_none();
    if aborted {
        let patience = if migration.is_none() { FORSAKEN } else { ABORT };
        if waited("abort", patience) {
            return failed(view, vmi, uid, "Live migration aborted ", true);
        }
        return Vec::new();
    }
    if plays(view, vmi, migration) {
        let seconds = PROGRESS_TIMEOUT.as_secs();
        let why = format!("Live migration stuck for {seconds} seconds and has been aborted");
        return if waited("stuck", PROGRESS_TIMEOUT) {
            failed(view, vmi, uid, &why, true)
        } else {
            Vec::new()
        };
    }
    if !waited("copy", time_to_copy(view, vmi, uid)) {
        return Vec::new();
    }
    let opened = open_gate(view, vmi);
    if opened.is_empty() { succeeded(view, vmi) } else { opened }
}

/// Lets the new pod be ready before the guest is told to be there: it does not stop being ready when it moves.
fn open_gate(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let name = vmi.text("/status/migrationState/targetPod");
    let target = view.get(Kind::Pod, vmi.namespace(), name);
    let Some(pod) = target.filter(|pod| pod.condition(UNPAUSED).is_none()) else { return Vec::new() };
    let (mut new, now) = (pod.edit(), time(view.time));
    list(&mut new, "/status/conditions").push(json!({
        "type": UNPAUSED, "status": "True", "reason": "NotPaused", "message": "the virtual machine is not paused",
        "lastProbeTime": now, "lastTransitionTime": now,
    }));
    Write::update(pod, new).into_iter().collect()
}

/// Whether the guest writes faster than its memory is copied, because somebody wants to see that.
fn plays(view: &View<'_>, vmi: &Object, migration: Option<&Object>) -> bool {
    let cause = |one: &Object| play::cause(view, one, Shows::Machine).is_some_and(|one| one.name == FAILS);
    cause(vmi) || migration.is_some_and(cause)
}

/// How long the memory of a guest takes.
fn time_to_copy(view: &View<'_>, vmi: &Object, uid: &str) -> Duration {
    let memory = [
        "/status/memory/guestCurrent",
        "/spec/domain/memory/guest",
        "/spec/domain/resources/requests/memory",
    ];
    let bytes = memory.into_iter().find_map(|pointer| parse_bytes(vmi.text(pointer))).unwrap_or_default();
    let gib = (bytes >> 30).min(4096);
    let whole = COPY + COPY_GIB * u32::try_from(gib).unwrap_or(4096);
    whole.mul_f64(0.8 + 0.4 * view.chance(vmi, uid))
}

/// The target listens.
fn prepared(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let node = view.get(Kind::Node, "", vmi.text("/status/migrationState/targetNode"));
    let addresses = node.map(|node| node.list("/status/addresses")).unwrap_or_default();
    let address = addresses.iter().find(|one| one["type"] == "InternalIP");
    let address = address.and_then(|one| one["address"].as_str()).unwrap_or("10.1.0.2").to_owned();
    let mut new = vmi.edit();
    let state = &mut new["status"]["migrationState"];
    state["targetNodeAddress"] = address.as_str().into();
    state["targetDirectMigrationNodePorts"] = json!({"49152": 0, "49153": 49153});
    state["targetNodeDomainDetected"] = false.into();
    let listening = format!("Migration Target is listening at {address}, on ports: 49152,49153");
    let tell = |message: &str| Write::tell(vmi, HANDLER, "PreparingTarget", message);
    let told = [tell("VirtualMachineInstance Migration Target Prepared."), tell(&listening)];
    Write::update(vmi, new).into_iter().chain(told).collect()
}

fn started(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let mut new = vmi.edit();
    let state = &mut new["status"]["migrationState"];
    state["mode"] = "PreCopy".into();
    state["startTimestamp"] = time(view.time).into();
    let told = Write::tell(vmi, HANDLER, "Migrating", "VirtualMachineInstance is migrating.");
    Write::update(vmi, new).into_iter().chain([told]).collect()
}

/// The guest is on its new node.
fn succeeded(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let mut new = vmi.edit();
    let target = vmi.text("/status/migrationState/targetNode");
    let now = time(view.time);
    let state = &mut new["status"]["migrationState"];
    state["completed"] = true.into();
    state["targetNodeDomainDetected"] = true.into();
    for field in ["endTimestamp", "targetNodeDomainReadyTimestamp"] {
        state[field] = now.as_str().into();
    }
    label(&mut new, "kubevirt.io/nodeName", target);
    set(&mut new, "/status/nodeName", target);
    if !vmi.text("/status/evacuationNodeName").is_empty() {
        remove(&mut new, "/status/evacuationNodeName");
    }
    address(view, vmi, &mut new);
    let message = format!("The VirtualMachineInstance migrated to node {target}.");
    let told = Write::tell(vmi, HANDLER, "Migrated", message);
    Write::update(vmi, new).into_iter().chain([told]).collect()
}

/// A guest on the pods' network has the address of its pod, which is another one now.
fn address(view: &View<'_>, vmi: &Object, new: &mut Value) {
    let name = vmi.text("/status/migrationState/targetPod");
    let Some(pod) = view.get(Kind::Pod, vmi.namespace(), name) else { return };
    let on_pods = |network: &&Value| network["pod"].is_object();
    let network =
        vmi.list("/spec/networks").iter().find(on_pods).map_or(Value::Null, |one| one["name"].clone());
    let interfaces = new.pointer_mut("/status/interfaces").and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten() {
        if interface["name"] == network
            && interface["ipAddress"].is_string()
            && !pod.text("/status/podIP").is_empty()
        {
            interface["ipAddress"] = pod.at("/status/podIP").clone();
            interface["ipAddresses"] =
                pod.list("/status/podIPs").iter().map(|one| one["ip"].clone()).collect();
        }
    }
}

fn failed(view: &View<'_>, vmi: &Object, uid: &str, why: &str, aborted: bool) -> Vec<Write> {
    let mut new = vmi.edit();
    let state = &mut new["status"]["migrationState"];
    if state["startTimestamp"].is_null() {
        state["startTimestamp"] = time(view.time).into();
    }
    state["endTimestamp"] = time(view.time).into();
    state["failureReason"] = why.into();
    for field in ["failed", "completed"] {
        state[field] = true.into();
    }
    if aborted {
        state["abortStatus"] = "Succeeded".into();
    }
    let message = format!("VirtualMachineInstance migration uid {uid} failed. reason:{why}");
    let told = Write::warn(vmi, HANDLER, "Migrated", message);
    Write::update(vmi, new).into_iter().chain([told]).collect()
}

/// Whether there is no guest any more for a launcher pod to look after: it went on in another one, or never came.
pub(in super::super) fn has_left(view: &View<'_>, pod: &Object) -> bool {
    let all = view.list(Kind::VirtualMachineInstance, pod.namespace());
    let Some(vmi) = all.into_iter().find(|vmi| vmi.uid() == pod.controller_uid()) else { return false };
    let state = vmi.at(STATE);
    if state["endTimestamp"].is_null() {
        return false;
    }
    let came_for_nothing = state["failed"] == true
        && pod.label(JOB) == state["migrationUid"].as_str().unwrap_or_default()
        && !pod.label(JOB).is_empty();
    let went_on = state["failed"] != true && state["sourcePod"] == pod.name();
    came_for_nothing || went_on
}
