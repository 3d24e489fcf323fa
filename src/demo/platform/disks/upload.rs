//! CDI's upload servers: of claims that somebody fills by sending, be it a user or the other end of a copy.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::status::{
    POD_PHASE, POD_READY, POD_RESTARTS, RUNNING, RUNNING_MESSAGE, RUNNING_REASON, UPLOAD_POD_NAME,
};
use super::worker::{self, LABELS, name_of, scratch, scratch_name, upload_server};

const BY: &str = "upload-controller";
const TARGET: &str = "cdi.kubevirt.io/storage.upload.target";

pub(super) fn step(view: &View<'_>, claim: &Object) -> Vec<Write> {
    let is_target = claim.at("/metadata/annotations").get(TARGET).is_some();
    if !is_target || claim.phase() == "Lost" {
        return Vec::new();
    }
    let name = claim.annotation(UPLOAD_POD_NAME);
    if let Some(instead) = worker::instead(view, claim, name) {
        return instead;
    }
    if name.is_empty() {
        let mut new = claim.edit();
        annotate(&mut new, UPLOAD_POD_NAME, name_of("cdi-upload-", claim.name()));
        return Write::update(claim, new).into_iter().collect();
    }
    let over = claim.annotation(POD_PHASE) == "Succeeded";
    match worker::of(view, claim, name) {
        None if over => Vec::new(),
        None => vec![
            Write::Create(certificate(claim, name)),
            Write::Create(service(claim, name)),
            Write::Create(upload_server(view, claim, name, view.time)),
        ],
        Some(pod) if pod.is_ending() => Vec::new(),
        Some(pod) if over => Write::delete(pod).into_iter().collect(),
        Some(pod) => follow(view, claim, pod),
    }
}

fn beside(kind: &str, claim: &Object, name: &str) -> Value {
    let mut object = new_object(Kind::Secret, claim.namespace(), name);
    object["kind"] = kind.into();
    for (key, value) in LABELS {
        label(&mut object, key, value);
    }
    own(&mut object, claim);
    object
}

/// The server's certificate. Nobody connects to a server that is only played, so there is none in it.
fn certificate(claim: &Object, name: &str) -> Value {
    let mut secret = beside("Secret", claim, name);
    let played = BASE64_STANDARD.encode("played\n");
    secret["data"] = json!({"tls.crt": played, "tls.key": played, "ca.crt": played});
    secret
}

fn service(claim: &Object, name: &str) -> Value {
    let mut service = beside("Service", claim, name);
    label(&mut service, "cdi.kubevirt.io", "cdi-upload-server");
    service["spec"] = json!({
        "ports": [{"port": 443, "protocol": "TCP", "targetPort": 8443}],
        "selector": {"cdi.kubevirt.io/uploadTarget": claim.uid()},
    });
    service
}

fn follow(view: &View<'_>, claim: &Object, pod: &Object) -> Vec<Write> {
    let waits_for_scratch =
        view.get(Kind::PersistentVolumeClaim, claim.namespace(), &scratch_name(claim)).is_none();
    let mut writes = Vec::new();
    if waits_for_scratch && pod.phase() == "Pending" && view.is_first(pod, "scratch") {
        writes.push(Write::Create(scratch(view, claim, pod)));
    }
    let mut new = claim.edit();
    let status = pod.at("/status/containerStatuses/0");
    annotate(&mut new, POD_PHASE, pod.phase());
    annotate(&mut new, POD_READY, (status["ready"] == true).to_string());
    if let Some(restarts) = status["restartCount"].as_i64() {
        annotate(&mut new, POD_RESTARTS, restarts.to_string());
    }
    let mut told = |running: &str, reason: &str, message: &str| {
        annotate(&mut new, RUNNING, running);
        annotate(&mut new, RUNNING_REASON, reason);
        annotate(&mut new, RUNNING_MESSAGE, message);
    };
    let waiting = &status["state"]["waiting"];
    let terminated = &status["state"]["terminated"];
    let mut news = None;
    if status["state"]["running"].is_object() {
        told("true", "Pod is running", "");
    } else if terminated["exitCode"] == 0 {
        let said: Value =
            serde_json::from_str(terminated["message"].as_str().unwrap_or_default()).unwrap_or_default();
        told("false", "Completed", said["message"].as_str().unwrap_or("Upload Complete"));
        news = Some(Write::tell(claim, BY, "UploadSucceeded", "Upload Successful"));
    } else if let Some(reason) = waiting["reason"].as_str().filter(|reason| *reason != "CrashLoopBackOff") {
        told("false", reason, waiting["message"].as_str().unwrap_or_default());
    }
    let update = Write::update(claim, new);
    let changed = update.is_some();
    writes.extend(update);
    writes.extend(news.filter(|_| changed));
    writes
}
