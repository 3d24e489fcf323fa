//! Kairos' OSArtifacts, as kairos-operator builds them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{finalize, label, new_object, own, release, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::builder;

const FINALIZER: &str = "build.kairos.io/osbuilder-finalizer";

/// The label of everything that belongs to an artifact.
pub(super) const LABEL: &str = "build.kairos.io/artifact";

/// How long exporters take. Their Jobs are made; nobody runs them here.
const EXPORT: Duration = Duration::from_secs(15);

/// What the operator does for an artifact.
pub(super) fn step(view: &View<'_>, artifact: &Object) -> Vec<Write> {
    let mut new = artifact.edit();
    if artifact.is_ending() {
        release(&mut new, FINALIZER);
        return Write::update(artifact, new).into_iter().collect();
    }
    finalize(&mut new, FINALIZER);
    let mut writes = Vec::new();
    match artifact.phase() {
        "" | "Pending" if builder::steps(artifact).is_empty() => set(&mut new, "/status/phase", "Pending"),
        "" | "Pending" => {
            writes.extend(volume(view, artifact));
            let mut files = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {}});
            files["metadata"] = json!({"name": artifact.name(), "namespace": artifact.namespace()});
            belong(&mut files, artifact);
            writes.push(Write::Create(files));
            writes.push(Write::Create(builder::pod(view, artifact)));
            set(&mut new, "/status/phase", "Building");
        }
        "Building" => {
            match view.controlled(Kind::Pod, artifact).find(|pod| !pod.is_ending()).map(Object::phase) {
                Some("Succeeded") => set(&mut new, "/status/phase", "Exporting"),
                Some("Failed") => set(&mut new, "/status/phase", "Error"),
                Some(_) => {}
                None => writes.push(Write::Create(builder::pod(view, artifact))),
            }
        }
        "Exporting" => {
            let exporters = artifact.list("/spec/exporters");
            if view.is_first(artifact, "exporters") {
                let jobs = exporters.iter().enumerate().map(|(index, spec)| job(artifact, index, spec));
                writes.extend(jobs.map(Write::Create));
            }
            if exporters.is_empty() || view.waited(artifact, "export", EXPORT) {
                set(&mut new, "/status/phase", "Ready");
            }
        }
        _ => {}
    }
    writes.extend(Write::update(artifact, new));
    writes
}

/// Marks an object as one of an artifact's.
pub(super) fn belong(object: &mut Value, artifact: &Object) {
    label(object, LABEL, artifact.name());
    own(object, artifact);
}

/// Where the outputs go, unless the artifact names a volume of its own.
fn volume(view: &View<'_>, artifact: &Object) -> Option<Write> {
    let name = format!("{}-artifacts", artifact.name());
    let has_one = !artifact.text("/spec/artifacts/volume").is_empty()
        || view.get(Kind::PersistentVolumeClaim, artifact.namespace(), &name).is_some();
    if has_one {
        return None;
    }
    let mut claim = new_object(Kind::PersistentVolumeClaim, artifact.namespace(), &name);
    belong(&mut claim, artifact);
    claim["spec"] = match artifact.at("/spec/volume") {
        Value::Object(spec) => Value::Object(spec.clone()),
        _ => json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}),
    };
    Some(Write::Create(claim))
}

fn job(artifact: &Object, index: usize, spec: &Value) -> Value {
    let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec});
    job["metadata"] = json!({
        "name": format!("{}-export-{index}", artifact.name()), "namespace": artifact.namespace(),
        "annotations": {"build.kairos.io/export-index": index.to_string()},
    });
    if job["spec"]["backoffLimit"].is_null() {
        job["spec"]["backoffLimit"] = 0.into();
    }
    belong(&mut job, artifact);
    job
}
