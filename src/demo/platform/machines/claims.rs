//! The claims of an instance: whether it can have its disks.

use serde_json::{Value, json};

use super::super::edit::{annotate, set};
use super::super::kind::Kind;
use super::super::nodes::program::{Program, Progress, silent};
use super::super::object::Object;
use super::super::view::View;
use super::{disks, launcher};

/// Marks a pod that is only there so that volumes are bound to its node.
pub(in super::super) const TEMPORARY: &str = "kubevirt.io/ephemeral-provisioning";

/// How an instance's claims are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Claims {
    /// The pod can be made.
    Ready,
    /// This one is not there.
    Missing(String),
    /// A disk gets its content when somebody wants to use it.
    FirstConsumer,
    /// A disk gets its content.
    Filling,
}

/// The state of an instance's claims.
pub(super) fn of(view: &View<'_>, vmi: &Object) -> Claims {
    let mut all = Claims::Ready;
    for volume in vmi.list("/spec/volumes") {
        let Some(name) = disks::claim_of(volume) else { continue };
        if ["dataVolume", "persistentVolumeClaim"].iter().any(|of| volume[of]["hotpluggable"] == true) {
            continue;
        }
        let disk = view.get(Kind::DataVolume, vmi.namespace(), name);
        let claim = view.get(Kind::PersistentVolumeClaim, vmi.namespace(), name);
        if claim.is_none() && disk.is_none() {
            return Claims::Missing(name.to_owned());
        }
        match disk.map(Object::phase) {
            None | Some("Succeeded") => {}
            Some("WaitForFirstConsumer" | "PendingPopulation") => all = Claims::FirstConsumer,
            Some(_) if all == Claims::Ready => all = Claims::Filling,
            Some(_) => {}
        }
    }
    all
}

/// Whether an instance has disks that are filled.
pub(super) fn has_disks(vmi: &Object) -> bool {
    vmi.list("/spec/volumes").iter().any(|volume| volume["dataVolume"].is_object())
}

/// A pod that wants the claims of an instance and does nothing with them.
pub(super) fn temporary(view: &View<'_>, vmi: &Object) -> Value {
    let mut pod = launcher::pod(view, vmi);
    annotate(&mut pod, TEMPORARY, "true");
    set(&mut pod, "/spec/containers/0/command", json!(["/bin/bash", "-c", "echo", "bound PVCs"]));
    if let Some(compute) = pod.pointer_mut("/spec/containers/0").and_then(Value::as_object_mut) {
        compute.remove("args");
    }
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.remove("initContainers");
        spec.remove("readinessGates");
    }
    pod
}

/// What runs in such a pod.
pub(super) const PROGRAM: Program = Program {
    of: |pod| !pod.annotation(TEMPORARY).is_empty(),
    run: |_, _, _, _| Progress::completed(),
    says: silent,
};
