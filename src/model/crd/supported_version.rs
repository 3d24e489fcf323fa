//! A Kubernetes version that clusters can be made of.

use kube::CustomResource;

use super::{Condition, object, words};

object! {
    /// A Kubernetes patch version with the images of its nodes, which cannot be changed.
    #[derive(CustomResource)]
    #[kube(
        group = "v9s.dev",
        version = "v1alpha1",
        kind = "SupportedVersion",
        plural = "supportedversions",
        shortname = "sv",
        category = "v9s",
        status = "SupportedVersionStatus",
        derive = "PartialEq",
        doc = "A Kubernetes patch version that clusters can be made of, with the images of its nodes.",
        printcolumn(name = "Version", type_ = "string", json_path = ".spec.version"),
        printcolumn(name = "State", type_ = "string", json_path = ".spec.state"),
        printcolumn(name = "Control Plane", type_ = "string", json_path = ".spec.controlPlaneImage"),
        printcolumn(name = "Worker", type_ = "string", json_path = ".spec.workerImage"),
        printcolumn(name = "Clusters", type_ = "integer", json_path = ".status.clusters"),
        printcolumn(name = "CNI", type_ = "string", json_path = ".spec.cni", priority = 1),
        printcolumn(name = "Autoscaler", type_ = "string", json_path = ".spec.autoscalerImage", priority = 1),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )]
    pub struct SupportedVersionSpec {
        /// The patch version, such as 1.34.2. Cannot be changed.
        #[schemars(length(max = 32), regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$"))]
        version: String,
        /// Name of the Image of control planes. Cannot be changed.
        #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
        control_plane_image: String,
        /// Name of the Image of workers. Cannot be changed.
        #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
        worker_image: String,
        ;
        /// Where it is in its life: Draft, Verified, Published, Deprecated, EndOfLife, in this order.
        #[schemars(extend("default" = "Draft"))]
        state: VersionState,
        /// Reference to the container of the cluster autoscaler. Cannot be changed once it is set.
        #[schemars(length(max = 512))]
        autoscaler_image: String,
        /// Network plug-in that the images are made for.
        #[schemars(length(max = 32))]
        cni: String,
        /// Notes of administrators.
        #[schemars(length(max = 4096))]
        notes: String,
    }
}

words! {
    /// Where a version is in its life.
    pub enum VersionState {
        /// It is being prepared.
        Draft = "Draft",
        /// Its images have passed their checks.
        Verified = "Verified",
        /// Clusters can be made of it and upgraded to it.
        Published = "Published",
        /// Clusters that have it keep it; no new ones.
        Deprecated = "Deprecated",
        /// Nothing uses it; final.
        EndOfLife = "EndOfLife",
    }
}

object! {
    /// What is seen of a version.
    pub struct SupportedVersionStatus {
        ;
        /// The generation of the spec that this speaks of.
        #[schemars(range(min = 0))]
        observed_generation: i64,
        /// Clusters whose control plane or workers have it.
        #[schemars(range(min = 0))]
        clusters: i32,
        /// Clusters whose control plane has it.
        #[schemars(range(min = 0))]
        control_planes: i32,
        /// Clusters of which workers have it.
        #[schemars(range(min = 0))]
        workers: i32,
        /// What does not fit together, in sentences.
        #[schemars(length(max = 32), inner(length(max = 1024)))]
        warnings: Vec<String>,
        /// What holds of the version.
        #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
        conditions: Vec<Condition>,
    }
}
