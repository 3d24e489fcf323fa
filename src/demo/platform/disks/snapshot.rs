//! The CSI driver's snapshots of volumes.

use std::time::Duration;

use super::super::edit::{set, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::class::bytes;

const BY: &str = "snapshot-controller";

/// How long it takes to make one.
const LONG: Duration = Duration::from_millis(2500);

const GIB: u64 = 1 << 30;

pub(super) fn step(view: &View<'_>, snapshot: &Object) -> Vec<Write> {
    if snapshot.is_ending() || snapshot.flag("/status/readyToUse") {
        return Vec::new();
    }
    let name = snapshot.text("/spec/source/persistentVolumeClaimName");
    let claim = view.get(Kind::PersistentVolumeClaim, snapshot.namespace(), name);
    let Some(claim) = claim.filter(|claim| claim.phase() == "Bound") else { return Vec::new() };
    let class = snapshot.text("/spec/volumeSnapshotClassName");
    if view.get(Kind::VolumeSnapshotClass, "", class).is_none() {
        return Vec::new();
    }
    let mut writes = Vec::new();
    let place = format!("{}/{}", snapshot.namespace(), snapshot.name());
    if view.is_first(snapshot, "told") {
        let text = format!("Waiting for a snapshot {place} to be created by the CSI driver.");
        writes.push(Write::tell(snapshot, BY, "CreatingSnapshot", text));
    }
    if view.waited(snapshot, "made", LONG) {
        let mut new = snapshot.edit();
        let size = bytes(claim.at("/status/capacity/storage")).unwrap_or_default();
        let size = if size.is_multiple_of(GIB) { format!("{}Gi", size / GIB) } else { size.to_string() };
        set(&mut new, "/status/boundVolumeSnapshotContentName", format!("snapcontent-{}", snapshot.uid()));
        set(&mut new, "/status/creationTime", time(view.time));
        set(&mut new, "/status/readyToUse", true);
        set(&mut new, "/status/restoreSize", size);
        writes.extend(Write::update(snapshot, new));
        let created = format!("Snapshot {place} was successfully created by the CSI driver.");
        writes.push(Write::tell(snapshot, BY, "SnapshotCreated", created));
        writes.push(Write::tell(snapshot, BY, "SnapshotReady", format!("Snapshot {place} is ready to use.")));
    }
    writes
}
