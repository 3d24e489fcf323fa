//! What is seen of a workload: its replicas, their boot disks, its health.

use super::{object, words};

object! {
    /// What is seen of a workload.
    pub struct WorkloadStatus {
        ;
        /// The generation of the spec that this speaks of.
        #[schemars(range(min = 0))]
        observed_generation: i64,
        /// Replicas that exist.
        #[schemars(range(min = 0))]
        replicas: i32,
        /// Replicas that are ready.
        #[schemars(range(min = 0))]
        ready_replicas: i32,
        /// Label selector of the replicas, as the scale sub-resource wants it.
        #[schemars(length(max = 512))]
        selector: String,
        /// Name by which other workloads reach it.
        #[schemars(length(max = 512))]
        internal_name: String,
        /// Address of the public endpoint.
        #[schemars(length(max = 512))]
        endpoint: String,
        /// Health in short.
        health: WorkloadHealth,
        /// What stands in the way, in a sentence; empty when all is well.
        #[schemars(length(max = 4096))]
        message: String,
        /// One entry for each replica, by its index.
        #[schemars(length(max = 1000), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["index"]))]
        replica_statuses: Vec<ReplicaStatus>,
        /// What holds of the workload as a whole.
        #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
        conditions: Vec<Condition>,
    }
}

object! {
    /// Health in short.
    pub struct WorkloadHealth {
        ;
        /// The word for it.
        readiness: Readiness,
        /// Replicas that are ready.
        #[schemars(range(min = 0))]
        ready_replicas: i32,
        /// Replicas that are wanted.
        #[schemars(range(min = 0))]
        total_replicas: i32,
    }
}

words! {
    /// Health in a word.
    pub enum Readiness {
        /// Nothing is known.
        Unknown = "Unknown",
        /// On its way: disks are filled, guests start.
        Loading = "Loading",
        /// All wanted replicas are ready.
        Healthy = "Healthy",
        /// Something is wrong.
        Unhealthy = "Unhealthy",
        /// It is being deleted.
        Deleting = "Deleting",
    }
}

object! {
    /// What is seen of one replica.
    pub struct ReplicaStatus {
        /// Its index, from 0.
        #[schemars(range(min = 0, max = 999))]
        index: i32,
        /// Its name, which is that of its VirtualMachine.
        #[schemars(length(max = 253))]
        name: String,
        ;
        /// Whether it is ready.
        ready: bool,
        /// State of the VirtualMachine, in KubeVirt's word.
        #[schemars(length(max = 64))]
        state: String,
        /// What stands in the way, in a sentence.
        #[schemars(length(max = 4096))]
        message: String,
        /// Node that it runs on.
        #[schemars(length(max = 253))]
        node: String,
        /// Its address.
        #[schemars(length(max = 64))]
        address: String,
        /// When the guest started.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        started_at: String,
        /// How often it was started again.
        #[schemars(range(min = 0))]
        restarts: i32,
        /// Its boot disk.
        boot_disk: BootDiskStatus,
    }
}

object! {
    /// What is seen of a boot disk.
    pub struct BootDiskStatus {
        ;
        /// Volume claim that holds it.
        #[schemars(length(max = 253))]
        claim: String,
        /// How far the import is.
        phase: ImportPhase,
        /// Part of the image that is there, in percent.
        #[schemars(range(min = 0, max = 100))]
        percent: f64,
        /// What stands in the way, in a sentence.
        #[schemars(length(max = 4096))]
        message: String,
    }
}

words! {
    /// How far an import is.
    pub enum ImportPhase {
        /// Nothing has begun.
        Pending = "Pending",
        /// The importer waits for a place to run.
        Scheduled = "Scheduled",
        /// The image is being copied.
        Importing = "Importing",
        /// The disk is filled.
        Succeeded = "Succeeded",
        /// The import was given up.
        Failed = "Failed",
    }
}

object! {
    /// Something that holds of an object, does not hold, or is not known.
    pub struct Condition {
        /// What it is about.
        #[serde(rename = "type")]
        #[schemars(length(min = 1, max = 316))]
        kind: String,
        /// True, False or Unknown.
        #[schemars(length(max = 16))]
        status: String,
        ;
        /// Why, in one word.
        #[schemars(length(max = 1024))]
        reason: String,
        /// Why, in a sentence.
        #[schemars(length(max = 32768))]
        message: String,
        /// Since when.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        last_transition_time: String,
        /// The generation that it speaks of.
        #[schemars(range(min = 0))]
        observed_generation: i64,
    }
}
