//! VirtualMachineSnapshots and their contents.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{
    Condition, Times, condition, finalize, label, new_object, own, release, remove, set, time,
};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::source::{Source, claims, simple};

const CONTROLLER: &str = "snapshot-controller";

const FINALIZER: &str = "snapshot.kubevirt.io/vmsnapshot-protection";
const CONTENT_FINALIZER: &str = "snapshot.kubevirt.io/vmsnapshotcontent-protection";

/// How long a snapshot may take where its maker did not say.
const DEADLINE: Duration = Duration::from_secs(5 * 60);

/// How often a machine that cannot be locked is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What virt-controller does for a snapshot of a machine.
pub(super) fn step(view: &View<'_>, snapshot: &Object) -> Vec<Write> {
    let source = Source::of(view, snapshot);
    let content = content_of(view, snapshot);
    let terminating = is_terminating(view, snapshot);
    let mut new = snapshot.edit();
    if !terminating {
        finalize(&mut new, FINALIZER);
    }
    let mut writes = Vec::new();
    let mut lock = source.as_ref().map(|source| (source.lock_message().to_owned(), source.is_locked()));
    let mut may_go = true;
    if let Some(source) = source.as_ref().filter(|_| snapshot.at("/status").is_object()) {
        if is_progressing(snapshot) && !terminating {
            if source.is_locked() {
                if content.is_none() {
                    writes.extend(make_content(view, snapshot, source));
                }
            } else {
                let (write, message, locked) = source.lock(view);
                writes.extend(write);
                view.elapsed(snapshot, "lock", AGAIN);
                lock = Some((message, locked));
            }
            may_go = false;
        } else {
            let content_is_to_go = content.is_some_and(|content| deletes_content(snapshot, content));
            if !is_progressing(snapshot) || terminating && !content_is_to_go {
                writes.extend(source.unlock());
            }
            may_go = !source.is_locked();
        }
    }
    if let Some(content) = content.filter(|content| terminating && deletes_content(snapshot, content)) {
        writes.extend(Write::delete(content));
    }
    status(view, snapshot, &mut new, source.as_ref(), content, lock);
    if snapshot.is_ending() && may_go {
        release(&mut new, FINALIZER);
    }
    writes.extend(Write::update(snapshot, new));
    writes
}

fn is_progressing(snapshot: &Object) -> bool {
    !matches!(snapshot.phase(), "Succeeded" | "Failed")
}

fn is_terminating(view: &View<'_>, snapshot: &Object) -> bool {
    snapshot.is_ending() || is_too_late(view, snapshot)
}

fn is_too_late(view: &View<'_>, snapshot: &Object) -> bool {
    if !is_progressing(snapshot) {
        return snapshot.phase() == "Failed";
    }
    let deadline = match snapshot.text("/spec/failureDeadline") {
        "" => DEADLINE,
        text => go_duration(text).unwrap_or(DEADLINE),
    };
    !deadline.is_zero() && view.waited(snapshot, "deadline", deadline)
}

/// `5m0s`, as Go writes durations.
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let (mut sum, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        let tail = rest.get(digits..)?;
        let units = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| tail.starts_with(unit))?;
        sum += number * seconds;
        rest = tail.get(unit.len()..)?;
    }
    Duration::try_from_secs_f64(sum).ok()
}

/// Whether what was kept goes with its snapshot; what is not complete always does.
fn deletes_content(snapshot: &Object, content: &Object) -> bool {
    snapshot.text("/spec/deletionPolicy") != "Retain" || !content.flag("/status/readyToUse")
}

fn content_of<'a>(view: &'a View<'_>, snapshot: &Object) -> Option<&'a Object> {
    let name = match snapshot.text("/status/virtualMachineSnapshotContentName") {
        "" => format!("vmsnapshot-content-{}", snapshot.uid()),
        name => name.to_owned(),
    };
    view.get(Kind::VirtualMachineSnapshotContent, snapshot.namespace(), &name)
}

/// What is kept: the machine, and its claims.
fn make_content(view: &View<'_>, snapshot: &Object, source: &Source<'_>) -> Vec<Write> {
    let name = format!("vmsnapshot-content-{}", snapshot.uid());
    let namespace = snapshot.namespace();
    let mut content = new_object(Kind::VirtualMachineSnapshotContent, namespace, &name);
    finalize(&mut content, CONTENT_FINALIZER);
    let mut backups = Vec::new();
    for (volume, claim) in claims(source.machine.at("/spec")) {
        let claim = view.get(Kind::PersistentVolumeClaim, namespace, &claim);
        let can_be_kept = |claim: &&Object| {
            claim.phase() == "Bound" && class_for(view, claim.text("/spec/storageClassName")).is_some()
        };
        let Some(claim) = claim.filter(can_be_kept) else { continue };
        backups.push(json!({
            "volumeName": volume,
            "persistentVolumeClaim": {"metadata": simple(claim), "spec": claim.at("/spec")},
            "volumeSnapshotName": format!("vmsnapshot-{}-volume-{volume}", snapshot.uid()),
        }));
    }
    content["spec"] = json!({
        "virtualMachineSnapshotName": snapshot.name(),
        "source": {"virtualMachine": source.kept(view)},
    });
    if !backups.is_empty() {
        content["spec"]["volumeBackups"] = backups.into();
    }
    let message = format!("Successfully created VirtualMachineSnapshotContent {name}");
    let told = Write::tell(snapshot, CONTROLLER, "SuccessfulVirtualMachineSnapshotContentCreate", message);
    vec![Write::Create(content), told]
}

/// The class for snapshots of volumes of a storage class.
fn class_for(view: &View<'_>, storage_class: &str) -> Option<String> {
    let class = view.get(Kind::StorageClass, "", storage_class)?;
    let profile = view.get(Kind::StorageProfile, "", storage_class);
    let preferred = profile.map(|profile| profile.text("/status/snapshotClass")).unwrap_or_default();
    if view.get(Kind::VolumeSnapshotClass, "", preferred).is_some() {
        return Some(preferred.to_owned());
    }
    let mut fitting: Vec<&Object> = view
        .list(Kind::VolumeSnapshotClass, "")
        .filter(|one| one.text("/driver") == class.text("/provisioner"))
        .collect();
    if fitting.len() > 1 {
        fitting.retain(|one| !one.annotation("snapshot.storage.kubernetes.io/is-default-class").is_empty());
    }
    fitting.first().map(|one| one.name().to_owned())
}

fn status(
    view: &View<'_>,
    snapshot: &Object,
    new: &mut Value,
    source: Option<&Source<'_>>,
    content: Option<&Object>,
    lock: Option<(String, bool)>,
) {
    let tell = |new: &mut Value, of: &str, status: &str, reason: &str| {
        condition(new, Condition { of, status, reason, message: "" }, Times::Probe, view.time);
    };
    if snapshot.at("/status/readyToUse").is_null() {
        set(new, "/status/readyToUse", false);
    }
    if let Some(source) = source {
        set(new, "/status/sourceUID", source.machine.uid());
    }
    if let Some(content) = content.filter(|content| content.at("/status").is_object()) {
        set(new, "/status/virtualMachineSnapshotContentName", content.name());
        for field in ["creationTime", "readyToUse", "error"] {
            match &content.at("/status")[field] {
                Value::Null => remove(new, &format!("/status/{field}")),
                value => set(new, &format!("/status/{field}"), value.clone()),
            }
        }
    }
    let created = new["status"]["creationTime"].is_string();
    if is_too_late(view, snapshot) {
        set(new, "/status/phase", "Failed");
        tell(new, "Failure", "True", "snapshot deadline exceeded");
        tell(new, "Progressing", "False", "Operation failed");
    } else if snapshot.phase() == "Succeeded" || created {
        set(new, "/status/phase", "Succeeded");
        tell(new, "Progressing", "False", "Operation complete");
        if let Some(content) = content {
            list_volumes(new, content);
        }
    } else {
        set(new, "/status/phase", "InProgress");
        match lock {
            Some((message, locked)) => {
                tell(new, "Progressing", if locked { "True" } else { "False" }, &message);
            }
            None => tell(new, "Progressing", "False", "Source does not exist"),
        }
        if let Some(source) = source {
            indicate(new, source);
        }
        if snapshot.is_ending() {
            set(new, "/status/phase", "Deleting");
            tell(new, "Progressing", "False", "VM snapshot is deleting");
        }
    }
    if new["status"]["readyToUse"] == true {
        tell(new, "Ready", "True", "Ready");
    } else {
        tell(new, "Ready", "False", "Not ready");
    }
    if new["status"]["error"].is_object() {
        tell(new, "Progressing", "False", "In error state");
    }
}

fn indicate(new: &mut Value, source: &Source<'_>) {
    let indications = source.indications();
    if indications.is_empty() {
        remove(new, "/status/indications");
        remove(new, "/status/sourceIndications");
        return;
    }
    let names: Vec<Value> = indications.iter().map(|(name, _)| json!(name)).collect();
    let whole = |(name, message): &(&str, &str)| json!({"indication": name, "message": message});
    let whole: Vec<Value> = indications.iter().map(whole).collect();
    set(new, "/status/indications", names);
    set(new, "/status/sourceIndications", whole);
}

/// Which volumes were kept, and which not.
fn list_volumes(new: &mut Value, content: &Object) {
    let volumes = content.list("/spec/source/virtualMachine/spec/template/spec/volumes");
    let kept = |volume: &&Value| {
        content.list("/spec/volumeBackups").iter().any(|backup| backup["volumeName"] == volume["name"])
    };
    let (included, excluded): (Vec<&Value>, Vec<&Value>) = volumes.iter().partition(kept);
    for (field, volumes) in [("included", included), ("excluded", excluded)] {
        let names: Vec<Value> = volumes.into_iter().map(|volume| volume["name"].clone()).collect();
        if !names.is_empty() {
            set(new, &format!("/status/snapshotVolumes/{field}Volumes"), names);
        }
    }
}

/// What virt-controller does for what is kept of a machine.
pub(super) fn content(view: &View<'_>, content: &Object) -> Vec<Write> {
    let name = content.text("/spec/virtualMachineSnapshotName");
    let snapshot = view.get(Kind::VirtualMachineSnapshot, content.namespace(), name).filter(|snapshot| {
        content.name().ends_with(snapshot.uid())
            || snapshot.text("/status/virtualMachineSnapshotContentName") == content.name()
    });
    let mut new = content.edit();
    let mut writes = Vec::new();
    let source = snapshot.and_then(|snapshot| Source::of(view, snapshot));
    if snapshot.is_none_or(|snapshot| is_terminating(view, snapshot)) {
        release(&mut new, CONTENT_FINALIZER);
        if snapshot.is_some() {
            writes.extend(source.as_ref().and_then(|source| source.freeze(false)));
        }
    }
    if !content.is_ending() && !snapshot.is_some_and(Object::is_ending) {
        keep(view, content, &mut new, snapshot.and(source.as_ref()), &mut writes);
    }
    writes.extend(Write::update(content, new));
    writes
}

/// Takes the snapshots of the volumes, and says how far they are.
fn keep(
    view: &View<'_>,
    content: &Object,
    new: &mut Value,
    source: Option<&Source<'_>>,
    writes: &mut Vec<Write>,
) {
    let was_created = content.at("/status/creationTime").is_string();
    let (mut states, mut missing, mut failed) = (Vec::new(), Vec::new(), String::new());
    for backup in content.list("/spec/volumeBackups") {
        let Some(name) = backup["volumeSnapshotName"].as_str() else { continue };
        let mut state = json!({"volumeSnapshotName": name});
        match view.get(Kind::VolumeSnapshot, content.namespace(), name) {
            Some(volume) => {
                for field in ["readyToUse", "creationTime", "error"] {
                    if !volume.at("/status")[field].is_null() {
                        state[field] = volume.at("/status")[field].clone();
                    }
                }
                if let Some(why) = state["error"]["message"].as_str() {
                    failed = format!("VolumeSnapshot {name} error: {why}");
                }
            }
            None if was_created => {
                let message = format!("VolumeSnapshot {name} no longer exists");
                if view.is_first(content, &format!("missing-{name}")) {
                    writes.push(Write::warn(content, CONTROLLER, "VolumeSnapshotMissing", message));
                }
                missing.push(name);
                continue;
            }
            None => {
                let Some(source) = source else { return };
                if states.is_empty() {
                    writes.extend(source.freeze(true));
                }
                writes.extend(take(view, content, backup, name));
            }
        }
        states.push(state);
    }
    let all = |field: &str, is: fn(&Value) -> bool| states.iter().all(|state| is(&state[field]));
    let created = missing.is_empty() && all("creationTime", Value::is_string);
    let ready = missing.is_empty() && all("readyToUse", |ready| ready == true);
    if !missing.is_empty() {
        failed = format!("VolumeSnapshots ({}) missing", missing.join(","));
    }
    if created && !was_created {
        set(new, "/status/creationTime", time(view.time));
        writes.extend(source.and_then(|source| source.freeze(false)));
    }
    if failed.is_empty() {
        remove(new, "/status/error");
    } else if !ready && content.text("/status/error/message") != failed {
        set(new, "/status/error", json!({"message": failed, "time": time(view.time)}));
    }
    set(new, "/status/readyToUse", ready);
    if states.is_empty() {
        remove(new, "/status/volumeSnapshotStatus");
    } else {
        set(new, "/status/volumeSnapshotStatus", states);
    }
}

/// Asks for the snapshot of a volume.
fn take(view: &View<'_>, content: &Object, backup: &Value, name: &str) -> Vec<Write> {
    let claim = &backup["persistentVolumeClaim"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let Some(class) = class_for(view, &text(&claim["spec"]["storageClassName"])) else { return Vec::new() };
    let mut snapshot = new_object(Kind::VolumeSnapshot, content.namespace(), name);
    own(&mut snapshot, content);
    let machine = content.at("/spec/source/virtualMachine/metadata");
    label(&mut snapshot, "snapshot.kubevirt.io/source-vm-name", text(&machine["name"]));
    label(&mut snapshot, "snapshot.kubevirt.io/source-vm-namespace", text(&machine["namespace"]));
    snapshot["spec"] = json!({
        "source": {"persistentVolumeClaimName": claim["metadata"]["name"]}, "volumeSnapshotClassName": class,
    });
    let message = format!("Successfully created VolumeSnapshot {name}");
    let told = Write::tell(content, CONTROLLER, "SuccessfulVolumeSnapshotCreate", message);
    vec![Write::Create(snapshot), told]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubernetes() {
        for (text, seconds) in [("5m0s", Some(300)), ("1h1m1s", Some(3661)), ("0s", Some(0)), ("soon", None)]
        {
            assert_eq!(go_duration(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
