//! Persistent volumes: bound as long as their claim is there, and deleted after it.

use super::super::edit::{release, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;

const FINALIZERS: [&str; 2] =
    ["external-provisioner.volume.kubernetes.io/finalizer", "kubernetes.io/pv-protection"];

pub(super) fn step(view: &View<'_>, volume: &Object) -> Vec<Write> {
    let reference = |field: &str| volume.at("/spec/claimRef")[field].as_str().unwrap_or_default();
    let claim = view
        .get(Kind::PersistentVolumeClaim, reference("namespace"), reference("name"))
        .filter(|claim| reference("uid").is_empty() || claim.uid() == reference("uid"));
    let bound = claim.is_some_and(|claim| claim.text("/spec/volumeName") == volume.name());
    let mut new = volume.edit();
    if volume.is_ending() {
        if !bound {
            for finalizer in FINALIZERS {
                release(&mut new, finalizer);
            }
        }
        return Write::update(volume, new).into_iter().collect();
    }
    let phase = match claim {
        Some(_) if bound => "Bound",
        // It was made for a claim, or given to it, and is bound soon.
        Some(_) => volume.phase(),
        None if reference("uid").is_empty() => "Available",
        None => "Released",
    };
    if phase == "Released" && volume.text("/spec/persistentVolumeReclaimPolicy") == "Delete" {
        if volume.phase() != "Released" {
            set(&mut new, "/status/phase", phase);
            return Write::update(volume, new).into_iter().collect();
        }
        return Write::delete(volume).into_iter().collect();
    }
    if phase != volume.phase() {
        set(&mut new, "/status/phase", phase);
    }
    Write::update(volume, new).into_iter().collect()
}
