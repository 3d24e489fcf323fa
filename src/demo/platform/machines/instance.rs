//! An instance as virt-controller sees it: its pod, until there is a guest in it, and its end.

use serde_json::{Value, json};

use super::super::edit::{
    Condition, Times, annotate, condition, label, list, release, remove, remove_condition, set, time,
};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::birth::FINALIZER;
use super::claims::{self, Claims, TEMPORARY};
use super::{CONTROLLER, guest, is_final, launcher};
use crate::demo::admission::INSTANCE_FINALIZER;

/// The versions of an instance's definition that its controller knows.
const VERSIONS: [&str; 2] =
    ["kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version"];

/// The node a guest is on, as a label of its instance and its pod.
pub(in super::super) const NODE: &str = "kubevirt.io/nodeName";

/// The pod in which an instance's guest is, or will be.
pub(in super::super) fn pod_of<'a>(view: &'a View<'_>, vmi: &'a Object) -> Option<&'a Object> {
    let node = vmi.text("/status/nodeName");
    let mut pods: Vec<&Object> =
        view.controlled(Kind::Pod, vmi).filter(|pod| launcher::is_launcher(pod)).collect();
    // Beside it there may be one to which the guest shall move, and one from which it came.
    pods.sort_by_key(|pod| {
        let elsewhere = !node.is_empty() && pod.text("/spec/nodeName") != node;
        let target = vmi.text("/status/migrationState/targetPod") == pod.name();
        let arrived = vmi.flag("/status/migrationState/completed") && target;
        let over = matches!(pod.phase(), "Succeeded" | "Failed");
        let foreign = !pod.label("kubevirt.io/migrationJobUID").is_empty() && node.is_empty();
        (elsewhere, foreign, over, !arrived, pod.is_ending())
    });
    pods.into_iter().next()
}

/// Notes that an instance came to a phase.
pub(super) fn enter(new: &mut Value, phase: &str, view: &View<'_>) {
    if new["status"]["phase"] == phase {
        return;
    }
    set(new, "/status/phase", phase);
    list(new, "/status/phaseTransitionTimestamps")
        .push(json!({"phase": phase, "phaseTransitionTimestamp": time(view.time)}));
}

/// Looks after an instance.
pub(super) fn step(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let pods: Vec<&Object> = view.controlled(Kind::Pod, vmi).collect();
    let pod = pod_of(view, vmi);
    let mut new = vmi.edit();
    let mut writes = Vec::new();
    if !vmi.is_ending()
        && vmi.text(&format!("/metadata/annotations/{}", VERSIONS[0].replace('/', "~1"))).is_empty()
    {
        for key in VERSIONS {
            annotate(&mut new, key, "v1");
        }
    }
    if vmi.is_ending() {
        for pod in &pods {
            if let Some(delete) = Write::delete(pod) {
                writes.push(delete);
                let text = format!("Deleted virtual machine pod {}", pod.name());
                writes.push(Write::tell(vmi, CONTROLLER, "SuccessfulDelete", text));
            }
        }
    }
    if let Some(pod) = pod {
        writes.extend(gate(view, vmi, pod));
    }
    match vmi.phase() {
        "" | "Pending" | "WaitingForSync" => unborn(view, vmi, pod, &mut new, &mut writes),
        "Scheduling" => scheduling(view, vmi, pod, &mut new),
        "Scheduled" | "Running" if pod.is_none_or(is_over) && !vmi.is_ending() => {
            enter(&mut new, "Failed", view);
        }
        _ => {}
    }
    if let Some(pod) = pod.filter(|_| !is_final(vmi)) {
        follow(vmi, &pods, pod, &mut new);
    }
    if pod.is_some() || !vmi.phase().is_empty() || new["status"]["phase"].is_string() {
        ready(view, vmi, pod, &mut new);
    }
    writes.extend(Write::update(vmi, new));
    writes
}

fn is_over(pod: &Object) -> bool {
    matches!(pod.phase(), "Succeeded" | "Failed")
}

/// Keeps the pod's readiness gate as the guest is: paused, or not.
fn gate(view: &View<'_>, vmi: &Object, pod: &Object) -> Option<Write> {
    if pod.is_ending() || is_over(pod) {
        return None;
    }
    let (status, reason, message) = if vmi.is("Paused") {
        ("False", "Paused", "the virtual machine is paused")
    } else {
        ("True", "NotPaused", "the virtual machine is not paused")
    };
    let mut new = pod.edit();
    if pod.condition(launcher::UNPAUSED).is_none_or(|one| one["status"] != status) {
        let now = time(view.time);
        remove_condition(&mut new, launcher::UNPAUSED);
        list(&mut new, "/status/conditions").push(json!({
            "type": launcher::UNPAUSED, "status": status, "reason": reason, "message": message,
            "lastProbeTime": now, "lastTransitionTime": now,
        }));
    }
    if !vmi.label(NODE).is_empty() && pod.text("/spec/nodeName") == vmi.label(NODE) {
        label(&mut new, NODE, vmi.label(NODE));
    }
    Write::update(pod, new)
}

/// An instance without a pod.
fn unborn(view: &View<'_>, vmi: &Object, pod: Option<&Object>, new: &mut Value, writes: &mut Vec<Write>) {
    if let Some(pod) = pod {
        if is_over(pod) {
            enter(new, "Failed", view);
        } else {
            let text = format!("Created virtual machine pod {}", pod.name());
            writes.push(Write::tell(vmi, CONTROLLER, "SuccessfulCreate", text));
            begin(vmi, new);
            disks_ready(vmi, true, new);
            enter(new, "Scheduling", view);
        }
        return;
    }
    if vmi.is_ending() {
        enter(new, "Failed", view);
        return;
    }
    if vmi.annotation("kubevirt.io/create-migration-target") == "true" {
        enter(new, "WaitingForSync", view);
        return;
    }
    let claims = claims::of(view, vmi);
    if let Claims::Missing(name) = &claims {
        let text = format!("PVC {}/{name} does not exist, waiting for it to appear", vmi.namespace());
        if view.is_first(vmi, &format!("missing-{name}")) {
            writes.push(Write::tell(vmi, CONTROLLER, "FailedPvcNotFound", text.as_str()));
        }
        unsynchronized(view, new, "FailedPvcNotFound", &text);
        let of = Condition { of: "PodScheduled", status: "False", reason: "Unschedulable", message: &text };
        untimed(new, of);
        enter(new, "Pending", view);
        return;
    }
    let waiting = match claims {
        Claims::FirstConsumer => Some(true),
        Claims::Filling | Claims::Missing(_) => Some(false),
        Claims::Ready => None,
    };
    let temporary = view.controlled(Kind::Pod, vmi).find(|pod| !pod.annotation(TEMPORARY).is_empty());
    provisioning(view, vmi, temporary, waiting == Some(true), new, writes);
    if waiting.is_some() {
        disks_ready(vmi, false, new);
        enter(new, "Pending", view);
        return;
    }
    if let Some(why) = backend(view, vmi, writes) {
        unsynchronized(view, new, "BackendStorageNotReady", why);
        enter(new, "Pending", view);
        return;
    }
    remove_condition(new, "PodScheduled");
    create(view, vmi, new, writes);
}

/// Says whether the disks of an instance have their content.
fn disks_ready(vmi: &Object, ready: bool, new: &mut Value) {
    let (status, reason, message) = if ready {
        ("True", "AllDVsReady", "All of the VMI's DVs are bound and ready")
    } else {
        ("False", "NotAllDVsReady", "Not all of the VMI's DVs are ready")
    };
    if claims::has_disks(vmi) {
        untimed(new, Condition { of: "DataVolumesReady", status, reason, message });
    }
}

/// Makes the pod, unless the server refused it a moment ago.
fn create(view: &View<'_>, vmi: &Object, new: &mut Value, writes: &mut Vec<Write>) {
    let pod = launcher::pod(view, vmi);
    let name = pod["metadata"]["generateName"].as_str().unwrap_or_default().to_owned();
    let refused = view
        .refused(&Reference::new(Kind::Pod, vmi.namespace(), &name))
        .filter(|_| view.counted(vmi, "pods-tried") > 0);
    if let Some(refused) = refused {
        let text = format!("failed to create virtual machine pod: {}", refused.message);
        unsynchronized(view, new, "FailedCreate", &text);
        enter(new, "Pending", view);
        if view.is_first(vmi, "pod-refused") {
            let text = format!("Error creating pod: {}", refused.message);
            writes.push(Write::warn(vmi, CONTROLLER, "FailedCreate", text));
        }
        if !view.waited(vmi, "pod-again", std::time::Duration::from_secs(30)) {
            return;
        }
        view.forget(vmi, "pod-again");
    } else {
        remove_condition(new, "Synchronized");
    }
    view.count(vmi, "pods-tried", 1);
    writes.push(Write::Create(pod));
}

/// What an instance says once it has a pod.
fn begin(vmi: &Object, new: &mut Value) {
    let overhead = launcher::overhead(vmi);
    set(new, "/status/launcherContainerImageVersion", launcher::IMAGE);
    set(new, "/status/memory/memoryOverhead", format!("{}Mi", overhead >> 20));
    remove_condition(new, "Synchronized");
    remove_condition(new, "PodScheduled");
}

/// Until the pod is ready.
fn scheduling(view: &View<'_>, vmi: &Object, pod: Option<&Object>, new: &mut Value) {
    let Some(pod) = pod.filter(|pod| !is_over(pod)) else {
        enter(new, "Failed", view);
        return;
    };
    let unplaced = pod.condition("PodScheduled").filter(|one| one["status"] == "False");
    match unplaced {
        Some(one) => {
            let text = |field: &str| one[field].as_str().unwrap_or_default();
            let of = Condition {
                of: "PodScheduled",
                status: "False",
                reason: text("reason"),
                message: text("message"),
            };
            untimed(new, of);
        }
        None => remove_condition(new, "PodScheduled"),
    }
    let waits = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let trouble = waits.iter().flat_map(|pointer| pod.list(pointer)).find_map(|one| {
        let waiting = &one["state"]["waiting"];
        let reason =
            waiting["reason"].as_str().filter(|word| matches!(*word, "ErrImagePull" | "ImagePullBackOff"))?;
        Some((reason.to_owned(), waiting["message"].as_str().unwrap_or_default().to_owned()))
    });
    match trouble {
        Some((reason, message)) => {
            let known = vmi.condition("Synchronized").is_some_and(|one| one["reason"] == reason.as_str());
            if !known {
                unsynchronized(view, new, &reason, &message);
            }
        }
        None => remove_condition(new, "Synchronized"),
    }
    if pod.is("ContainersReady") && pod.phase() == "Running" && !vmi.is_ending() {
        let node = pod.text("/spec/nodeName");
        label(new, NODE, node);
        set(new, "/status/nodeName", node);
        set(new, "/status/migrationTransport", "Unix");
        set(new, "/status/interfaces", guest::unborn_interfaces(vmi));
        set(new, "/status/volumeStatus", guest::volumes(view, vmi, false));
        enter(new, "Scheduled", view);
    }
}

/// What is read off the pods as long as the guest lives.
fn follow(vmi: &Object, pods: &[&Object], pod: &Object, new: &mut Value) {
    if vmi.phase().is_empty() || vmi.phase() == "Pending" {
        return;
    }
    let active = pods.iter().filter(|one| launcher::is_launcher(one) && !is_over(one));
    let active: serde_json::Map<String, Value> =
        active.map(|one| (one.uid().to_owned(), one.text("/spec/nodeName").into())).collect();
    set(new, "/status/activePods", Value::Object(active));
    if !pod.text("/status/qosClass").is_empty() {
        set(new, "/status/qosClass", pod.text("/status/qosClass"));
    }
}

/// Keeps the condition Ready as the pod is.
fn ready(view: &View<'_>, vmi: &Object, pod: Option<&Object>, new: &mut Value) {
    let running = new["status"]["phase"] == "Running";
    // A guest that is told to end is what it was until it has ended.
    if vmi.is_ending() && running {
        return;
    }
    let (status, reason, message) = match pod {
        None => ("False", "PodNotExists", "virt-launcher pod has not yet been scheduled"),
        Some(pod) if pod.is_ending() => ("False", "PodTerminating", "virt-launcher pod is terminating"),
        Some(_) if !running => ("False", "GuestNotRunning", "Guest VM is not reported as running"),
        Some(pod) => match pod.condition("Ready") {
            None => ("False", "PodConditionMissing", "virt-launcher pod is missing the Ready condition"),
            Some(one) => (
                one["status"].as_str().unwrap_or("False"),
                one["reason"].as_str().unwrap_or_default(),
                one["message"].as_str().unwrap_or_default(),
            ),
        },
    };
    let same = vmi
        .condition("Ready")
        .is_some_and(|one| one["status"] == status && one["reason"].as_str().unwrap_or_default() == reason);
    if same {
        return;
    }
    let now = time(view.time);
    let mut one = json!({"type": "Ready", "status": status, "lastTransitionTime": now});
    one["lastProbeTime"] = if status == "True" { Value::Null } else { now.into() };
    for (field, value) in [("reason", reason), ("message", message)] {
        if !value.is_empty() {
            one[field] = value.into();
        }
    }
    let conditions = list(new, "/status/conditions");
    match conditions.iter_mut().find(|known| known["type"] == "Ready") {
        Some(known) => *known = one,
        None => conditions.push(one),
    }
}

fn unsynchronized(view: &View<'_>, new: &mut Value, reason: &str, message: &str) {
    condition(
        new,
        Condition { of: "Synchronized", status: "False", reason, message },
        Times::Probe,
        view.time,
    );
}

/// Writes a condition that has no times.
fn untimed(new: &mut Value, of: Condition<'_>) {
    let one = json!({
        "type": of.of, "status": of.status, "reason": of.reason, "message": of.message,
        "lastProbeTime": null, "lastTransitionTime": null,
    });
    let conditions = list(new, "/status/conditions");
    match conditions.iter_mut().find(|known| known["type"] == of.of) {
        Some(known)
            if known["status"] == of.status
                && known["reason"] == of.reason
                && known["message"] == of.message => {}
        Some(known) => *known = one,
        None => conditions.push(one),
    }
}

/// A pod that has the disks bound, as long as that is needed.
fn provisioning(
    view: &View<'_>,
    vmi: &Object,
    pod: Option<&Object>,
    needed: bool,
    new: &mut Value,
    writes: &mut Vec<Write>,
) {
    if needed {
        let of = Condition { of: "Provisioning", status: "True", reason: "", message: "" };
        condition(new, of, Times::Probe, view.time);
        match pod {
            None => writes.push(Write::Create(claims::temporary(view, vmi))),
            Some(pod) => {
                if let Some(one) = pod.condition("PodScheduled").filter(|one| one["status"] == "False") {
                    let text = |field: &str| one[field].as_str().unwrap_or_default();
                    let of = Condition {
                        of: "PodScheduled",
                        status: "False",
                        reason: text("reason"),
                        message: text("message"),
                    };
                    untimed(new, of);
                }
            }
        }
        return;
    }
    remove_condition(new, "Provisioning");
    if let Some(pod) = pod {
        writes.extend(Write::delete(pod));
    }
}

/// Where a machine's TPM and firmware keep what must not be lost; says why it is not there yet.
fn backend(view: &View<'_>, vmi: &Object, writes: &mut Vec<Write>) -> Option<&'static str> {
    let domain = vmi.at("/spec/domain");
    let wanted = domain["devices"]["tpm"]["persistent"] == true
        || domain["firmware"]["bootloader"]["efi"]["persistent"] == true;
    if !wanted {
        return None;
    }
    let mut claims = view.list(Kind::PersistentVolumeClaim, vmi.namespace());
    match claims.find(|claim| claim.label("persistent-state-for") == vmi.name()) {
        Some(claim) if claim.phase() == "Bound" => None,
        Some(_) => Some("PVC pending"),
        None => {
            let name = format!("persistent-state-for-{}-", vmi.name());
            let mut claim = json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {
                    "generateName": name, "namespace": vmi.namespace(),
                    "labels": {"persistent-state-for": vmi.name()},
                },
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                    "resources": {"requests": {"storage": "10Mi"}},
                },
            });
            if let Some(vm) = view.get(Kind::VirtualMachine, vmi.namespace(), vmi.name()) {
                super::super::edit::own(&mut claim, vm);
            }
            writes.push(Write::Create(claim));
            Some("PVC pending")
        }
    }
}

/// Lets go of an instance that is over, when its machine has seen it.
pub(super) fn end(view: &View<'_>, vmi: &Object) -> Vec<Write> {
    let pods_go = view.controlled(Kind::Pod, vmi).all(Object::is_ending);
    let seen = vmi
        .condition("Ready")
        .is_none_or(|one| one["reason"] != "GuestNotRunning" && one["status"] != "True");
    if !vmi.is_ending() || !is_final(vmi) || !pods_go || !seen {
        return Vec::new();
    }
    let mut new = vmi.edit();
    for finalizer in [FINALIZER, INSTANCE_FINALIZER] {
        release(&mut new, finalizer);
    }
    if new["metadata"]["finalizers"] == json!([]) {
        remove(&mut new, "/metadata/finalizers");
    }
    Write::update(vmi, new).into_iter().collect()
}
