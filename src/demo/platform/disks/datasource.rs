//! CDI's DataSources: names of disks that are there to be copied.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, condition, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;

/// How often something is looked at that is in another namespace.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// Whether a DataSource can be copied: the condition's reason and message.
type Verdict = Result<(), (String, String)>;

pub(super) fn step(view: &View<'_>, source: &Object) -> Vec<Write> {
    if source.is_ending() {
        return Vec::new();
    }
    let (points_to, verdict) = judge(view, source);
    let mut new = source.edit();
    let (status, reason, message) = match &verdict {
        Ok(()) => ("True", "Ready", "DataSource is ready to be consumed"),
        Err((reason, message)) => ("False", reason.as_str(), message.as_str()),
    };
    let ready = Condition { of: "Ready", status, reason, message };
    condition(&mut new, ready, Times::Heartbeat, view.time);
    set(&mut new, "/status/source", if verdict.is_ok() { points_to } else { json!({}) });
    Write::update(source, new).into_iter().collect()
}

fn no(reason: &str, message: &str) -> Verdict {
    Err((reason.to_owned(), message.to_owned()))
}

/// What a DataSource points to in the end, and whether that is there.
fn judge(view: &View<'_>, source: &Object) -> (Value, Verdict) {
    let spec = source.at("/spec/source");
    let other = &spec["dataSource"];
    let Some(name) = other["name"].as_str() else { return (spec.clone(), target(view, source, spec)) };
    let namespace = other["namespace"].as_str().unwrap_or(source.namespace());
    let verdict = if namespace != source.namespace() {
        no("CrossNamespaceReference", "DataSource cannot reference a DataSource in another namespace")
    } else if name == source.name() {
        no("SelfReference", "DataSource cannot self-reference")
    } else {
        match view.get(Kind::DataSource, namespace, name) {
            None => no("NotFound", &format!("datasources.cdi.kubevirt.io {name:?} not found")),
            Some(next) if !next.at("/spec/source/dataSource").is_null() => {
                no("MaxReferenceDepthReached", "DataSource reference chain exceeds maximum depth of 1")
            }
            Some(next) => {
                let spec = next.at("/spec/source");
                return (spec.clone(), target(view, source, spec));
            }
        }
    };
    (json!({}), verdict)
}

fn target(view: &View<'_>, source: &Object, spec: &Value) -> Verdict {
    let place = |of: &str| {
        let name = spec[of]["name"].as_str()?;
        let namespace = spec[of]["namespace"].as_str().unwrap_or(source.namespace());
        if namespace != source.namespace() {
            view.look_in(ELSEWHERE);
        }
        Some((namespace, name))
    };
    if let Some((namespace, name)) = place("snapshot") {
        return match view.get(Kind::VolumeSnapshot, namespace, name) {
            None => no("NotFound", "Snapshot not found"),
            Some(snapshot) if snapshot.flag("/status/readyToUse") => Ok(()),
            Some(_) => no("SnapshotNotReady", "Snapshot phase is not ready"),
        };
    }
    let Some((namespace, name)) = place("pvc") else { return no("NoSource", "No source PVC set") };
    match view.get(Kind::DataVolume, namespace, name) {
        Some(dv) if dv.phase() == "Succeeded" => Ok(()),
        Some(dv) => no(dv.phase(), &format!("Import DataVolume phase {}", dv.phase())),
        None if view.get(Kind::PersistentVolumeClaim, namespace, name).is_some() => Ok(()),
        None => no("NotFound", "PVC not found"),
    }
}
