//! A volume set: one volume for each replica of the workload that uses it.

use std::collections::BTreeMap;

use kube::CustomResource;

use super::schemas::{self, NumberOrText, Texts};
use super::{Condition, object, words};

object! {
    /// One volume for each replica of the workload that uses it; they outlive the replicas.
    #[derive(CustomResource)]
    #[kube(
        group = "v9s.dev",
        version = "v1alpha1",
        kind = "VolumeSet",
        plural = "volumesets",
        shortname = "vset",
        category = "v9s",
        namespaced,
        status = "VolumeSetStatus",
        derive = "PartialEq",
        doc = "A volume set: one volume for each replica of the workload that uses it.",
        printcolumn(name = "Class", type_ = "string", json_path = ".spec.performanceClass"),
        printcolumn(name = "FS", type_ = "string", json_path = ".spec.fileSystemType"),
        printcolumn(name = "Size", type_ = "number", json_path = ".spec.initialCapacity"),
        printcolumn(name = "Used By", type_ = "string", json_path = ".status.usedByWorkload"),
        printcolumn(name = "Volumes", type_ = "integer", json_path = ".status.volumeCount"),
        printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.snapshots.schedule", priority = 1),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )]
    pub struct VolumeSetSpec {
        /// Size of a new volume in GiB.
        #[schemars(range(min = 0, max = 65536))]
        initial_capacity: f64,
        ;
        /// Kind of storage; general-purpose-ssd when it is not set, or shared for that file system. Cannot be changed.
        performance_class: PerformanceClass,
        /// File system, which for a VM only picks the storage class. Cannot be changed.
        #[schemars(extend("default" = "ext4"))]
        file_system_type: FileSystem,
        /// End of the name of the storage class.
        #[schemars(length(max = 63), regex(pattern = r"^[a-zA-Z][0-9a-zA-Z_-]*$"))]
        storage_class_suffix: String,
        /// Snapshots that are taken without being asked for.
        snapshots: SnapshotPolicy,
        /// How volumes grow by themselves.
        autoscaling: VolumeAutoscaling,
        /// Resources of the mount; shared volume sets only.
        mount_options: MountOptions,
        /// Refused here: encrypt with a storage class.
        custom_encryption: Encryption,
    }
}

words! {
    /// Kind of storage.
    pub enum PerformanceClass {
        /// For most uses; from 10 GiB.
        GeneralPurposeSsd = "general-purpose-ssd",
        /// For much traffic; from 200 GiB.
        HighThroughputSsd = "high-throughput-ssd",
        /// One volume for many workloads, not for VMs.
        Shared = "shared",
    }
}

words! {
    /// File system of the volumes.
    pub enum FileSystem {
        /// ext4.
        Ext4 = "ext4",
        /// XFS.
        Xfs = "xfs",
        /// One volume for many workloads, not for VMs.
        Shared = "shared",
    }
}

object! {
    /// Snapshots that are taken without being asked for.
    pub struct SnapshotPolicy {
        ;
        /// Whether one is taken before a volume is deleted.
        #[schemars(extend("default" = true))]
        create_final_snapshot: bool,
        /// How long they are kept, such as 7d, 12h or 30m.
        #[schemars(length(max = 32), regex(pattern = r"^[0-9]+(\.[0-9]+)?[dhm]$"))]
        retention_duration: String,
        /// When they are taken: a cron line in UTC, at most hourly.
        #[schemars(length(max = 128))]
        schedule: String,
    }
}

object! {
    /// How volumes grow by themselves: needs minFreePercentage and scalingFactor.
    pub struct VolumeAutoscaling {
        ;
        /// The most GiB that a volume grows to.
        #[schemars(range(min = 10, max = 65536))]
        max_capacity: f64,
        /// Percent of a volume that should stay free.
        #[schemars(range(min = 1, max = 100))]
        min_free_percentage: f64,
        /// How much larger than needed a volume is made.
        #[schemars(range(min = 1.1, max = 100))]
        scaling_factor: f64,
        /// Growing ahead of need.
        predictive: Predictive,
    }
}

object! {
    /// Growing ahead of need.
    pub struct Predictive {
        ;
        /// Whether it is done.
        #[schemars(extend("default" = false))]
        enabled: bool,
        /// Hours of the past that are looked at.
        #[schemars(range(min = 1, max = 168), extend("default" = 24))]
        lookback_hours: f64,
        /// Hours of the future that are provided for.
        #[schemars(range(min = 1, max = 72), extend("default" = 6))]
        projection_hours: f64,
        /// Measurements that are needed.
        #[schemars(range(min = 2, max = 100), extend("default" = 10))]
        min_data_points: f64,
        /// Growth in GB an hour below which nothing is done.
        #[serde(rename = "minGrowthRateGBPerHour")]
        #[schemars(range(min = 0, max = 65536), extend("default" = 0.01))]
        min_growth_rate_gb_per_hour: f64,
        /// How much larger than needed a volume is made; that of autoscaling when it is not set.
        #[schemars(range(min = 1.1, max = 100))]
        scaling_factor: f64,
    }
}

object! {
    /// Resources of the mount of a shared volume set.
    pub struct MountOptions {
        ;
        /// Least and most that it may use.
        resources: MountResources,
    }
}

object! {
    /// Least and most that a mount may use: at most 4000m and 4096Mi apart, and 1:4.
    pub struct MountResources {
        ;
        /// Least cores.
        #[schemars(extend("default" = "500m"))]
        min_cpu: NumberOrText,
        /// Most cores.
        #[schemars(extend("default" = "2000m"))]
        max_cpu: NumberOrText,
        /// Least memory.
        #[schemars(extend("default" = "1Gi"))]
        min_memory: NumberOrText,
        /// Most memory.
        #[schemars(extend("default" = "2Gi"))]
        max_memory: NumberOrText,
    }
}

object! {
    /// Keys of one's own for the volumes.
    pub struct Encryption {
        ;
        /// The keys, by provider and region.
        #[schemars(extend("maxProperties" = 64))]
        regions: BTreeMap<String, EncryptionRegion>,
    }
}

object! {
    /// The key for one region.
    pub struct EncryptionRegion {
        ;
        /// What the provider calls it.
        #[schemars(length(max = 512))]
        key_id: String,
    }
}

object! {
    /// What is seen of a volume set.
    pub struct VolumeSetStatus {
        ;
        /// The generation of the spec that this speaks of.
        #[schemars(range(min = 0))]
        observed_generation: i64,
        /// Workload that uses it.
        #[schemars(length(max = 256))]
        used_by_workload: String,
        /// Changes with each workload that begins to use it.
        #[schemars(length(max = 64))]
        binding_id: String,
        /// Volumes that exist.
        #[schemars(range(min = 0))]
        volume_count: i32,
        /// Storage class that was found for it.
        #[schemars(length(max = 253))]
        storage_class: String,
        /// One entry for each replica index.
        #[schemars(length(max = 1000), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["index"]))]
        volumes: Vec<VolumeStatus>,
        /// What holds of the set as a whole.
        #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
        conditions: Vec<Condition>,
    }
}

object! {
    /// What is seen of one volume.
    pub struct VolumeStatus {
        /// The replica index that it belongs to, from 0.
        #[schemars(range(min = 0, max = 999))]
        index: i32,
        ;
        /// Where it is in its life.
        lifecycle: Lifecycle,
        /// Volume claim that holds it.
        #[schemars(length(max = 253))]
        claim: String,
        /// Its size in GiB.
        #[schemars(range(min = 0))]
        current_size: f64,
        /// Bytes in use, where the guest tells.
        #[schemars(range(min = 0))]
        current_bytes_used: i64,
        /// Storage driver.
        #[schemars(length(max = 253))]
        driver: String,
        /// Node that it is attached to.
        #[schemars(length(max = 253))]
        node: String,
        /// Command that runs on it.
        #[schemars(length(max = 253))]
        command: String,
        /// Its snapshots.
        #[schemars(length(max = 256))]
        volume_snapshots: Vec<Snapshot>,
    }
}

words! {
    /// Where a volume is in its life.
    pub enum Lifecycle {
        /// It is being made.
        Creating = "creating",
        /// Nothing has used it yet.
        Unused = "unused",
        /// Its replica is away.
        Unbound = "unbound",
        /// A replica uses it.
        Bound = "bound",
        /// It is gone; the entry stays.
        Deleted = "deleted",
        /// It is being mended.
        Repairing = "repairing",
    }
}

object! {
    /// A snapshot of a volume.
    pub struct Snapshot {
        /// Its name.
        #[schemars(length(max = 253))]
        name: String,
        ;
        /// The VolumeSnapshot that holds it.
        #[schemars(length(max = 253))]
        id: String,
        /// When it was taken.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        created: String,
        /// When it goes.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        expires: String,
        /// Its size in GiB.
        #[schemars(range(min = 0))]
        size: f64,
        /// Whether it can be restored.
        ready: bool,
        /// Texts that were given to it.
        #[schemars(schema_with = "schemas::texts_by_name")]
        tags: Texts,
    }
}
