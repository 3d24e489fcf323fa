//! A command on a volume, and the record of what was done.

use kube::CustomResource;

use super::schemas::{self, Texts};
use super::{Condition, object, words};

object! {
    /// One command on one volume of a set. It cannot be changed: it is the record of what was asked.
    #[derive(CustomResource)]
    #[kube(
        group = "v9s.dev",
        version = "v1alpha1",
        kind = "VolumeCommand",
        plural = "volumecommands",
        shortname = "vcmd",
        category = "v9s",
        namespaced,
        status = "VolumeCommandStatus",
        derive = "PartialEq",
        doc = "A command on a volume of a volume set, its stages and its result.",
        printcolumn(name = "Set", type_ = "string", json_path = ".spec.volumeSet"),
        printcolumn(name = "Volume", type_ = "integer", json_path = ".spec.volumeIndex"),
        printcolumn(name = "Command", type_ = "string", json_path = ".spec.type"),
        printcolumn(name = "Stage", type_ = "string", json_path = ".status.stage"),
        printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )]
    pub struct VolumeCommandSpec {
        /// What is to be done.
        #[serde(rename = "type")]
        kind: CommandType,
        /// Name of the volume set.
        #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
        volume_set: String,
        /// The replica index whose volume is meant, from 0.
        #[schemars(range(min = 0, max = 999))]
        volume_index: i32,
        ;
        /// Name of the location, which is this cluster.
        #[schemars(length(max = 128))]
        location: String,
        /// New size in GiB; for expandVolume and shrinkVolume.
        #[schemars(range(min = 1, max = 65536))]
        new_storage_capacity: f64,
        /// Seconds after which it is given up.
        #[schemars(range(min = 1, max = 86400))]
        timeout_seconds: i32,
        /// Name of the snapshot; for the commands about snapshots and for restoreVolume.
        #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
        snapshot_name: String,
        /// When the new snapshot may go.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        snapshot_expiration_date: String,
        /// Texts for the new snapshot.
        #[schemars(schema_with = "schemas::texts_by_name")]
        tags: Texts,
        /// Zone for the restored volume.
        #[schemars(length(max = 64))]
        zone: String,
        /// Name of the volume set, again, by which a loss of data is agreed to; for shrinkVolume.
        #[schemars(length(max = 63))]
        confirm: String,
    }
}

words! {
    /// What can be done to a volume.
    pub enum CommandType {
        /// Takes a snapshot.
        CreateVolumeSnapshot = "createVolumeSnapshot",
        /// Deletes a snapshot.
        DeleteVolumeSnapshot = "deleteVolumeSnapshot",
        /// Puts a new volume, made from a snapshot, in its place.
        RestoreVolume = "restoreVolume",
        /// Makes it larger.
        ExpandVolume = "expandVolume",
        /// Puts a smaller, empty one in its place.
        ShrinkVolume = "shrinkVolume",
        /// Puts an empty one in its place and deletes it.
        DeleteVolume = "deleteVolume",
        /// Puts a new volume in its place.
        ReplaceVolume = "replaceVolume",
    }
}

object! {
    /// How far a command is.
    pub struct VolumeCommandStatus {
        ;
        /// Where it is: running follows pending, an end follows running or a wish to cancel.
        stage: CommandStage,
        /// What it does now, or why it failed.
        #[schemars(length(max = 4096))]
        message: String,
        /// When it began.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        started_at: String,
        /// When it ended.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        ended_at: String,
        /// Part that is done, in percent.
        #[schemars(range(min = 0, max = 100))]
        percent: f64,
        /// Volume claim that came out of it.
        #[schemars(length(max = 253))]
        claim: String,
        /// What holds of the command.
        #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
        conditions: Vec<Condition>,
    }
}

words! {
    /// Where a command is.
    pub enum CommandStage {
        /// It waits for its turn.
        Pending = "pending",
        /// It is being done.
        Running = "running",
        /// Somebody wants it to end.
        CancellationRequested = "cancellation-requested",
        /// It ended because somebody wanted it to.
        Cancelled = "cancelled",
        /// It is done.
        Completed = "completed",
        /// It did not work.
        Failed = "failed",
    }
}
