//! CDI's populators of imports and uploads: a hidden claim is filled, and its volume given to the one that asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own, remove};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::bind::{self, SELECTED_NODE};
use super::datavolume::IMMEDIATE;
use super::status::{
    BOUND, BOUND_MESSAGE, BOUND_REASON, FATAL, POD_PHASE, POD_READY, POD_RESTARTS, PRIME, PROGRESS, RUNNING,
    RUNNING_MESSAGE, RUNNING_REASON, SCHEDULABLE, UPLOAD_POD_NAME, waits,
};
use super::worker::{LABELS, NO_BACKUP, NO_MESH};

const RETRY: Duration = Duration::from_secs(15);

/// What a claim has of the one that is filled for it.
const COPIED: &[&str] =
    &[POD_PHASE, POD_READY, POD_RESTARTS, SCHEDULABLE, RUNNING, RUNNING_MESSAGE, RUNNING_REASON, FATAL];

/// A populator.
struct Populator {
    by: &'static str,
    kind: Kind,
    succeeded: (&'static str, &'static str),
    failed: (&'static str, &'static str),
}

const IMPORT: Populator = Populator {
    by: "import-populator",
    kind: Kind::VolumeImportSource,
    succeeded: ("importSucceeded", "Successfully imported into "),
    failed: ("importFailed", "import into "),
};

const UPLOAD: Populator = Populator {
    by: "upload-populator",
    kind: Kind::VolumeUploadSource,
    succeeded: ("UploadSucceeded", "Successfully uploaded into "),
    failed: ("UploadFailed", "Upload into "),
};

/// The JSON pointer of an annotation.
pub(super) fn pointer(annotation: &str) -> String {
    format!("/metadata/annotations/{}", annotation.replace('/', "~1"))
}

pub(super) fn step(view: &View<'_>, claim: &Object) -> Vec<Write> {
    if claim.text("/spec/dataSourceRef/apiGroup") != "cdi.kubevirt.io" || claim.is_ending() {
        return Vec::new();
    }
    let populator = match claim.text("/spec/dataSourceRef/kind") {
        "VolumeImportSource" => IMPORT,
        "VolumeUploadSource" => UPLOAD,
        _ => return Vec::new(),
    };
    let name = format!("prime-{}", claim.uid());
    let prime = view.get(Kind::PersistentVolumeClaim, claim.namespace(), &name);
    if !claim.text("/spec/volumeName").is_empty() {
        return finish(claim, prime);
    }
    let source = view.get(populator.kind, claim.namespace(), claim.text("/spec/dataSourceRef/name"));
    let Some(source) = source else { return Vec::new() };
    let class = super::class::find(view, claim.text("/spec/storageClassName"));
    if class.is_none() || waits(view, claim) {
        return Vec::new();
    }
    match prime {
        None => begin(view, claim, source, &populator, &name),
        Some(prime) if prime.is_ending() => Vec::new(),
        Some(prime) => follow(view, claim, prime, &populator),
    }
}

/// A claim that has its volume.
fn finish(claim: &Object, prime: Option<&Object>) -> Vec<Write> {
    let mut writes = Vec::new();
    if claim.phase() == "Bound" {
        let mut new = claim.edit();
        for annotation in [BOUND, BOUND_MESSAGE, BOUND_REASON] {
            remove(&mut new, &pointer(annotation));
        }
        writes.extend(Write::update(claim, new));
    }
    // Its volume is with the other claim now.
    if let Some(prime) = prime.filter(|prime| prime.phase() == "Lost") {
        writes.extend(Write::delete(prime));
    }
    writes
}

fn begin(view: &View<'_>, claim: &Object, source: &Object, by: &Populator, name: &str) -> Vec<Write> {
    let create = Write::Create(prime(claim, source, by, name));
    let reference = Reference::new(Kind::PersistentVolumeClaim, claim.namespace(), name);
    if let Some(why) = view.refused(&reference) {
        if !view.waited(claim, "retry", RETRY) {
            let told = view.is_first(claim, &why.message);
            let warn = || Write::warn(claim, by.by, "ErrCreatingPVCPrime", why.message.clone());
            return told.then(warn).into_iter().collect();
        }
        view.forget(claim, "retry");
        view.waited(claim, "retry", RETRY);
    }
    vec![create, Write::tell(claim, by.by, "CreatedPVCPrimeSuccessfully", "PVC Prime created successfully")]
}

/// The hidden claim.
fn prime(claim: &Object, source: &Object, by: &Populator, name: &str) -> Value {
    let mut prime = new_object(Kind::PersistentVolumeClaim, claim.namespace(), name);
    for (key, value) in LABELS {
        label(&mut prime, key, value);
    }
    label(&mut prime, NO_BACKUP.0, NO_BACKUP.1);
    for (key, value) in claim.at("/metadata/labels").as_object().into_iter().flatten() {
        label(&mut prime, key, value.as_str().unwrap_or_default());
    }
    let content = source.at("/spec/contentType").as_str().unwrap_or("kubevirt");
    for (key, value) in [
        (IMMEDIATE, ""),
        ("cdi.kubevirt.io/storage.contentType", content),
        ("cdi.kubevirt.io/storage.populator.kind", by.kind.row().kind),
        ("cdi.kubevirt.io/storage.preallocation.requested", "false"),
    ] {
        annotate(&mut prime, key, value);
    }
    for (key, value) in NO_MESH {
        annotate(&mut prime, key, value);
    }
    for key in [SELECTED_NODE, "cdi.kubevirt.io/storage.pod.retainAfterCompletion"] {
        if !claim.annotation(key).is_empty() {
            annotate(&mut prime, key, claim.annotation(key));
        }
    }
    match by.kind {
        Kind::VolumeUploadSource => annotate(&mut prime, "cdi.kubevirt.io/storage.upload.target", ""),
        _ => super::import::describe(&mut prime, source.at("/spec/source")),
    }
    own(&mut prime, claim);
    prime["spec"] = json!({
        "accessModes": claim.at("/spec/accessModes"), "resources": claim.at("/spec/resources"),
        "storageClassName": claim.at("/spec/storageClassName"), "volumeMode": claim.at("/spec/volumeMode"),
    });
    prime
}

/// What is told of the hidden claim is told of the one that waits for it.
fn follow(view: &View<'_>, claim: &Object, prime: &Object, by: &Populator) -> Vec<Write> {
    let mut new = claim.edit();
    annotate(&mut new, PRIME, prime.name());
    if new != *claim.value() {
        return Write::update(claim, new).into_iter().collect();
    }
    for key in COPIED {
        match prime.at("/metadata/annotations").get(*key).and_then(Value::as_str) {
            Some(value) => annotate(&mut new, key, value),
            None => remove(&mut new, &pointer(key)),
        }
    }
    let succeeded = prime.annotation(POD_PHASE) == "Succeeded";
    if by.kind == Kind::VolumeImportSource {
        if succeeded {
            annotate(&mut new, PROGRESS, "100.0%");
        } else if let Some(progress) = super::import::progress(view, prime) {
            annotate(&mut new, PROGRESS, progress);
        }
    }
    let said = |text: String| format!("[{}] : {text}", prime.name());
    let mut writes = Vec::new();
    let news = news(view, prime);
    if let Some((reason, text)) = &news
        && view.is_first(claim, &format!("{reason} {text}"))
    {
        let text = said(text.clone());
        writes.push(match *reason {
            "WaitForPodScheduled" => Write::tell(claim, by.by, reason, text),
            _ => Write::warn(claim, by.by, reason, text),
        });
    }
    if let Some(update) = Write::update(claim, new.clone()) {
        writes.push(update);
        if prime.annotation(POD_PHASE) == "Failed" && claim.annotation(POD_PHASE) != "Failed" {
            let text = format!("{}{} failed", by.failed.1, claim.name());
            writes.push(Write::warn(claim, by.by, by.failed.0, text));
        }
        return writes;
    }
    if let Some((_, text)) = news {
        annotate(&mut new, BOUND, "false");
        annotate(&mut new, BOUND_REASON, "Pending");
        annotate(&mut new, BOUND_MESSAGE, text);
        if let Some(update) = Write::update(claim, new) {
            writes.push(update);
            return writes;
        }
    }
    if succeeded && prime.phase() == "Bound" {
        writes.extend(hand_over(view, claim, prime, by));
    }
    writes
}

/// The filled volume is given to the claim that waits for it.
fn hand_over(view: &View<'_>, claim: &Object, prime: &Object, by: &Populator) -> Vec<Write> {
    let volume = view.get(Kind::PersistentVolume, "", prime.text("/spec/volumeName"));
    let Some(give) = volume.and_then(|volume| bind::give(volume, claim)) else { return Vec::new() };
    let mut writes =
        vec![give, Write::tell(claim, by.by, by.succeeded.0, format!("{}{}", by.succeeded.1, claim.name()))];
    if by.kind == Kind::VolumeImportSource {
        let text = format!("[{}] : Import Successful", prime.name());
        writes.push(Write::tell(claim, by.by, "ImportSucceeded", text));
    }
    writes
}

/// What was said last of the hidden claim and is worth to be said of the other: its reason and text.
fn news(view: &View<'_>, prime: &Object) -> Option<(&'static str, String)> {
    if prime.phase() == "Pending" {
        let news = bind::news(view, prime)?;
        return (news.warning || news.reason == "WaitForPodScheduled").then_some((news.reason, news.text));
    }
    if prime.annotation(RUNNING) != "false" || !prime.annotation(UPLOAD_POD_NAME).is_empty() {
        return None;
    }
    let reason = match prime.annotation(RUNNING_REASON) {
        "Error" | "OOMKilled" | "ChecksumError" => "ErrImportFailed",
        "ErrStartingPod" => "ErrStartingPod",
        "ErrExceededQuota" => "ErrExceededQuota",
        // Nothing is told of the others.
        _ => return None,
    };
    let said = super::import::last_words(view, prime);
    Some((reason, said.unwrap_or_else(|| prime.annotation(RUNNING_MESSAGE).to_owned())))
}
