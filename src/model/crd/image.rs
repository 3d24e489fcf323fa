//! A bootable image.

use kube::CustomResource;

use super::schemas::{self, Texts};
use super::{Bus, Condition, object, words};

object! {
    /// A bootable image, and where its golden disk is.
    #[derive(CustomResource)]
    #[kube(
        group = "v9s.dev",
        version = "v1alpha1",
        kind = "Image",
        plural = "images",
        shortname = "img",
        category = "v9s",
        status = "ImageStatus",
        derive = "PartialEq",
        doc = "A bootable image: where it comes from, what it is for, and where its golden disk is.",
        printcolumn(name = "Title", type_ = "string", json_path = ".spec.title"),
        printcolumn(name = "Purpose", type_ = "string", json_path = ".spec.purpose"),
        printcolumn(name = "Kubernetes", type_ = "string", json_path = ".spec.kubernetesVersion"),
        printcolumn(name = "Enabled", type_ = "boolean", json_path = ".spec.enabled"),
        printcolumn(name = "Public", type_ = "boolean", json_path = ".spec.public"),
        printcolumn(name = "Verified", type_ = "boolean", json_path = ".status.verified"),
        printcolumn(name = "OS", type_ = "string", json_path = ".spec.os", priority = 1),
        printcolumn(name = "CNI", type_ = "string", json_path = ".spec.cni", priority = 1),
        printcolumn(name = "Size", type_ = "string", json_path = ".status.size", priority = 1),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )]
    pub struct ImageSpec {
        /// Where it comes from: exactly one of the four.
        source: ImageSource,
        ;
        /// Name for people, such as HKS Worker 1.34.2.
        #[schemars(length(min = 1, max = 128))]
        title: String,
        /// More about it.
        #[schemars(length(max = 1024))]
        description: String,
        /// What it is for.
        #[schemars(extend("default" = "general"))]
        purpose: Purpose,
        /// How its disk is attached unless a VM says otherwise.
        #[schemars(extend("default" = "virtio"))]
        default_interface: Bus,
        /// Whether its guest runs cloud-init.
        #[schemars(extend("default" = true))]
        cloud_init: bool,
        /// Whether everybody may use it, or only administrators.
        #[schemars(extend("default" = false))]
        public: bool,
        /// Whether new VMs may use it.
        #[schemars(extend("default" = true))]
        enabled: bool,
        /// Operating system, such as ubuntu-24.04.
        #[schemars(length(max = 64))]
        os: String,
        /// Kubernetes version in it, for images of nodes.
        #[schemars(length(max = 32), regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+$"))]
        kubernetes_version: String,
        /// Network plug-in whose containers are in it, for images of nodes.
        #[schemars(length(max = 32))]
        cni: String,
        /// Its golden disk: what new disks are cloned from.
        golden: GoldenDisk,
        /// Texts that were given to it.
        #[schemars(schema_with = "schemas::texts_by_name")]
        tags: Texts,
    }
}

object! {
    /// Where an image comes from: exactly one of the four.
    pub struct ImageSource {
        ;
        /// Address of a disk image, or of a snapshot in the form of the storage.
        #[schemars(length(min = 1, max = 2048))]
        url: String,
        /// Reference to an image of a registry with a disk in it.
        #[schemars(length(min = 1, max = 512))]
        container_disk: String,
        /// A VolumeSnapshot.
        snapshot: Named,
        /// A DataSource.
        data_source: Named,
    }
}

object! {
    /// An object in a namespace.
    pub struct Named {
        /// Its namespace.
        #[schemars(length(min = 1, max = 63))]
        namespace: String,
        /// Its name.
        #[schemars(length(min = 1, max = 253))]
        name: String,
        ;
    }
}

words! {
    /// What an image is for.
    pub enum Purpose {
        /// Any VM.
        General = "general",
        /// Control planes of Kubernetes clusters.
        ControlPlane = "kubernetes-control-plane",
        /// Workers of Kubernetes clusters.
        Worker = "kubernetes-worker",
        /// Both.
        Combined = "kubernetes-combined",
    }
}

object! {
    /// What new disks are cloned from.
    pub struct GoldenDisk {
        /// What it is.
        kind: GoldenKind,
        /// Its namespace.
        #[schemars(length(min = 1, max = 63))]
        namespace: String,
        /// Its name.
        #[schemars(length(min = 1, max = 253))]
        name: String,
        ;
    }
}

words! {
    /// What a golden disk is.
    pub enum GoldenKind {
        /// CDI's DataSource, which leads to a claim or a snapshot.
        DataSource = "DataSource",
        /// CDI's DataVolume.
        DataVolume = "DataVolume",
        /// A claim.
        PersistentVolumeClaim = "PersistentVolumeClaim",
        /// A snapshot.
        VolumeSnapshot = "VolumeSnapshot",
    }
}

object! {
    /// What is seen of an image.
    pub struct ImageStatus {
        ;
        /// The generation of the spec that this speaks of.
        #[schemars(range(min = 0))]
        observed_generation: i64,
        /// Whether its checks went well.
        verified: bool,
        /// When they did.
        #[schemars(extend("format" = "date-time"), length(max = 64))]
        verified_at: String,
        /// Size of its disk, such as 12Gi.
        #[schemars(length(max = 32))]
        size: String,
        /// Digest of what was imported.
        #[schemars(length(max = 160))]
        digest: String,
        /// SupportedVersions that use it.
        #[schemars(length(max = 256), inner(length(max = 253)))]
        used_by_versions: Vec<String>,
        /// What stands in the way, in a sentence.
        #[schemars(length(max = 4096))]
        message: String,
        /// What holds of the image.
        #[schemars(length(max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
        conditions: Vec<Condition>,
    }
}
