//! CDI's import controller: the importer pods of claims that say from where they are filled.

use std::time::Duration;

use serde_json::Value;

use super::super::edit::{annotate, remove};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::status::{
    FATAL, NEEDS_SCRATCH, POD_NAME, POD_PHASE, POD_RESTARTS, RUNNING, RUNNING_MESSAGE, RUNNING_REASON,
    SCHEDULABLE,
};
use super::worker::{self, Import, importer, name_of, scratch, scratch_name};

const BY: &str = "import-controller";

const SOURCE: &str = "cdi.kubevirt.io/storage.import.source";
const REQUIRES_SCRATCH: &str = "cdi.kubevirt.io/storage.import.requiresScratch";
const REQUIRES_DIRECT_IO: &str = "cdi.kubevirt.io/storage.import.requiresDirectIo";
const RETAIN: &str = "cdi.kubevirt.io/storage.pod.retainAfterCompletion";

/// How long it takes until a pod that is gone is followed by another.
const NEXT: Duration = Duration::from_secs(2);

/// When something is tried again that the server did not want.
const RETRY: Duration = Duration::from_secs(15);

/// Writes into a claim from where it shall be filled.
pub(super) fn describe(claim: &mut Value, source: &Value) {
    let Some((kind, from)) =
        source.as_object().and_then(|map| map.iter().find(|(_, value)| !value.is_null()))
    else {
        return;
    };
    annotate(claim, SOURCE, if kind == "blank" { "none" } else { kind });
    for (field, key) in [
        ("url", "endpoint"),
        ("secretRef", "secretName"),
        ("certConfigMap", "certConfigMap"),
        ("checksum", "checksum"),
        ("pullMethod", "registryImportMethod"),
        ("imageStream", "registryImageStream"),
        ("diskId", "diskId"),
        ("uuid", "uuid"),
        ("backingFile", "backingFile"),
    ] {
        if let Some(value) = from[field].as_str() {
            annotate(claim, &format!("cdi.kubevirt.io/storage.import.{key}"), value);
        }
    }
}

pub(super) fn step(view: &View<'_>, claim: &Object) -> Vec<Write> {
    if claim.annotation(SOURCE).is_empty() || claim.phase() == "Lost" {
        return Vec::new();
    }
    let name = claim.annotation(POD_NAME);
    if let Some(instead) = worker::instead(view, claim, name) {
        return instead;
    }
    if name.is_empty() {
        let mut new = claim.edit();
        annotate(&mut new, POD_NAME, name_of("importer-", claim.name()));
        let from_a_registry = claim.annotation(SOURCE) == "registry"
            && claim.annotation("cdi.kubevirt.io/storage.import.registryImportMethod") != "node";
        if from_a_registry || claim.annotation("cdi.kubevirt.io/storage.contentType") == "archive" {
            annotate(&mut new, REQUIRES_SCRATCH, "true");
        }
        return Write::update(claim, new).into_iter().collect();
    }
    let over = claim.annotation(POD_PHASE) == "Succeeded" || claim.annotation(FATAL) == "true";
    match worker::of(view, claim, name) {
        None if over => Vec::new(),
        None => begin(view, claim, name),
        Some(pod) if pod.is_ending() => Vec::new(),
        Some(pod) if over => end(claim, pod).into_iter().collect(),
        Some(pod) => follow(view, claim, pod),
    }
}

/// The pod of an import that is over goes, unless somebody wants to look at it.
fn end(claim: &Object, pod: &Object) -> Option<Write> {
    if claim.annotation(RETAIN) == "true" { None } else { Write::delete(pod) }
}

/// The importer's pod is made.
fn begin(view: &View<'_>, claim: &Object, name: &str) -> Vec<Write> {
    let scratch = !claim.annotation(REQUIRES_SCRATCH).is_empty();
    let direct = claim.annotation(REQUIRES_DIRECT_IO) == "true";
    let pod = Write::Create(importer(view, claim, name, Import { scratch, direct }));
    let reference = Reference::new(Kind::Pod, claim.namespace(), name);
    let made = view.counted(claim, "pods");
    if made > 0 && !view.waited(claim, &format!("pod-{made}"), NEXT) {
        return Vec::new();
    }
    let Some(why) = view.refused(&reference) else {
        view.count(claim, "pods", made + 1);
        return vec![pod];
    };
    // A new namespace gets its service account a moment later.
    let early = why.message.contains("serviceaccount");
    let pause = if early { NEXT } else { RETRY };
    if view.waited(claim, "retry", pause) {
        view.forget(claim, "retry");
        view.waited(claim, "retry", pause);
        return vec![pod];
    }
    if early {
        return Vec::new();
    }
    let reason = if why.message.contains("exceeded quota") { "ErrExceededQuota" } else { "ErrStartingPod" };
    let message = format!(
        "Error starting pod '{name}': For more information, request access to cdi-deploy logs from your sysadmin"
    );
    let mut new = claim.edit();
    told(&mut new, "false", reason, &message);
    let Some(update) = Write::update(claim, new) else { return Vec::new() };
    vec![update, Write::warn(claim, BY, reason, message)]
}

fn told(claim: &mut Value, running: &str, reason: &str, message: &str) {
    annotate(claim, RUNNING, running);
    annotate(claim, RUNNING_REASON, reason);
    annotate(claim, RUNNING_MESSAGE, message);
}

/// What its pod does is written into the claim.
fn follow(view: &View<'_>, claim: &Object, pod: &Object) -> Vec<Write> {
    if let Some(writes) = needs_scratch(view, claim, pod) {
        return writes;
    }
    let mut new = claim.edit();
    let mut writes = Vec::new();
    let mut delete = None;
    let mut phase = pod.phase();
    annotate(&mut new, SCHEDULABLE, is_schedulable(pod).to_string());
    let status = pod.at("/status/containerStatuses/0");
    if let Some(restarts) = status["restartCount"].as_i64() {
        let known: i64 = claim.annotation(POD_RESTARTS).parse().unwrap_or(-1);
        annotate(&mut new, POD_RESTARTS, restarts.max(known).to_string());
    }
    let crashed = &status["lastState"]["terminated"];
    let waiting = &status["state"]["waiting"];
    let terminated = match &status["state"]["terminated"] {
        // Its end was not seen, only that it is to be started again.
        Value::Null if waiting["reason"] == "CrashLoopBackOff" && claim.annotation(RUNNING) == "true" => {
            crashed
        }
        now => now,
    };
    if status["state"]["running"].is_object() {
        told(&mut new, "true", "Pod is running", "");
        if claim.annotation(REQUIRES_DIRECT_IO) == "true" {
            annotate(&mut new, REQUIRES_DIRECT_IO, "false");
        }
    } else if terminated.is_object() {
        let ended = End::read(terminated);
        told(&mut new, "false", ended.reason, &ended.short());
        match ended.reason {
            NEEDS_SCRATCH => {
                annotate(&mut new, REQUIRES_SCRATCH, "true");
                // The pod ended well, but the import did not.
                phase = claim.annotation(POD_PHASE);
                delete = Write::delete(pod);
            }
            "Completed" => {
                writes.push(Write::tell(claim, BY, "ImportSucceeded", "Import Successful"));
                delete = end(claim, pod);
            }
            "ChecksumError" => {
                annotate(&mut new, FATAL, "true");
                phase = "Failed";
                delete = end(claim, pod);
            }
            "OOMKilled" => {
                annotate(&mut new, REQUIRES_DIRECT_IO, "true");
                delete = Write::delete(pod);
            }
            _ => {}
        }
        let attempt = format!("failed-{}", status["restartCount"]);
        if !matches!(ended.reason, NEEDS_SCRATCH | "Completed") && view.is_first(pod, &attempt) {
            writes.push(Write::warn(claim, BY, "ErrImportFailed", ended.message));
        }
    } else if waiting["reason"].is_string() && waiting["reason"] != "CrashLoopBackOff" {
        match waiting["reason"].as_str().unwrap_or_default() {
            "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" => {
                let image = status["image"].as_str().unwrap_or_default();
                told(&mut new, "false", "ImagePullFailed", &format!("failed to pull image: {image}"));
            }
            reason => {
                told(&mut new, "false", reason, waiting["message"].as_str().unwrap_or_default());
            }
        }
    }
    annotate(&mut new, POD_PHASE, phase);
    if phase.is_empty() {
        remove(&mut new, &format!("/metadata/annotations/{}", POD_PHASE.replace('/', "~1")));
    }
    // What is told of the end comes after it was written down, and the pod goes last.
    let news = std::mem::take(&mut writes);
    writes.extend(Write::update(claim, new));
    writes.extend(news);
    writes.extend(delete);
    writes
}

/// Makes the scratch space that a pod waits for, and says that it is made.
fn needs_scratch(view: &View<'_>, claim: &Object, pod: &Object) -> Option<Vec<Write>> {
    if claim.annotation(REQUIRES_SCRATCH) != "true"
        || !pod.list("/spec/volumes").iter().any(|one| one["name"] == "cdi-scratch-vol")
    {
        return None;
    }
    let name = scratch_name(claim);
    match view.get(Kind::PersistentVolumeClaim, claim.namespace(), &name) {
        Some(there) if there.is_owned_by(pod) => {
            let mut new = claim.edit();
            annotate(&mut new, REQUIRES_SCRATCH, "false");
            Write::update(claim, new).map(|update| vec![update])
        }
        // That of the pod before.
        Some(_) => Some(Vec::new()),
        None => {
            let create = Write::Create(scratch(view, claim, pod));
            let reference = Reference::new(Kind::PersistentVolumeClaim, claim.namespace(), &name);
            let Some(why) = view.refused(&reference) else { return Some(vec![create]) };
            if view.waited(claim, "scratch", RETRY) {
                view.forget(claim, "scratch");
                view.waited(claim, "scratch", RETRY);
                return Some(vec![create]);
            }
            let reason =
                if why.message.contains("exceeded quota") { "ErrExceededQuota" } else { "ErrStartingPod" };
            let told = view.is_first(claim, &why.message);
            Some(told.then(|| Write::warn(claim, BY, reason, why.message.clone())).into_iter().collect())
        }
    }
}

fn is_schedulable(pod: &Object) -> bool {
    !pod.condition("PodScheduled")
        .is_some_and(|one| one["status"] == "False" && one["reason"] == "Unschedulable")
}

/// How an importer ended.
#[derive(Clone, Debug, Eq, PartialEq)]
struct End<'a> {
    reason: &'a str,
    message: String,
}

impl<'a> End<'a> {
    fn read(terminated: &'a Value) -> Self {
        let message = terminated["message"].as_str().unwrap_or_default();
        let reason = terminated["reason"].as_str().unwrap_or("Error");
        if terminated["exitCode"] != 0 {
            return Self { reason, message: message.to_owned() };
        }
        let said: Value = serde_json::from_str(message).unwrap_or_default();
        let text = said["message"].as_str().unwrap_or("Import Complete").to_owned();
        if said["scratchSpaceRequired"] == true {
            let message = "scratch space required and none found".to_owned();
            return Self { reason: NEEDS_SCRATCH, message };
        }
        if text.contains("checksum mismatch") {
            return Self { reason: "ChecksumError", message: text };
        }
        Self { reason: "Completed", message: text }
    }

    /// As CDI says it to users.
    fn short(&self) -> String {
        const TOO_SMALL: [&str; 4] = [
            "is larger than the reported available",
            "no space left on device",
            "file largest block is bigger than maxblock",
            "disk quota exceeded",
        ];
        if TOO_SMALL.iter().any(|text| self.message.contains(text)) {
            return "DataVolume too small to contain image".to_owned();
        }
        self.message.clone()
    }
}

/// How far the importer of a claim is, as it tells CDI; nothing where it does not, or is about to end.
pub(super) fn progress(view: &View<'_>, claim: &Object) -> Option<String> {
    let pod = view.get(Kind::Pod, claim.namespace(), claim.annotation(POD_NAME))?;
    if pod.is_ending() || !pod.at("/status/containerStatuses/0/state/running").is_object() {
        return None;
    }
    let percent = super::importer::percent(view, pod)?;
    let text = format!("{percent:.2}%");
    (!text.starts_with("100")).then_some(text)
}

/// What the importer of a claim said when it failed last.
pub(super) fn last_words(view: &View<'_>, claim: &Object) -> Option<String> {
    let pod = view.get(Kind::Pod, claim.namespace(), claim.annotation(POD_NAME))?;
    let status = pod.at("/status/containerStatuses/0");
    let ends = [&status["state"]["terminated"], &status["lastState"]["terminated"]];
    let last = ends.into_iter().find(|one| one.is_object())?;
    Some(End::read(last).message)
}
