//! The workload of type vm.

use kube::CustomResource;

use super::schemas;
use super::workload_status::WorkloadStatus;
use super::{
    Container, Extras, Firewall, LoadBalancer, LocalOptions, Options, Refused, RetryPolicy, Rollout, Vm,
    object,
};

object! {
    /// A virtual machine with its network, firewall and number of replicas.
    #[derive(CustomResource)]
    #[kube(
        group = "v9s.dev",
        version = "v1alpha1",
        kind = "Workload",
        plural = "workloads",
        shortname = "wl",
        category = "v9s",
        namespaced,
        status = "WorkloadStatus",
        derive = "PartialEq",
        doc = "A VM workload: a virtual machine with its network, firewall and number of replicas.",
        scale(
            spec_replicas_path = ".spec.defaultOptions.autoscaling.minScale",
            status_replicas_path = ".status.replicas",
            label_selector_path = ".status.selector"
        ),
        printcolumn(name = "State", type_ = "string", json_path = ".status.health.readiness"),
        printcolumn(name = "Ready", type_ = "integer", json_path = ".status.readyReplicas"),
        printcolumn(name = "Replicas", type_ = "integer", json_path = ".spec.defaultOptions.autoscaling.minScale"),
        printcolumn(name = "Strategy", type_ = "string", json_path = ".spec.vm.runStrategy"),
        printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
        printcolumn(name = "Image", type_ = "string", json_path = ".spec.vm.bootDisk.source.oci.image", priority = 1),
        printcolumn(name = "Volumes", type_ = "string", json_path = ".spec.vm.bootDisk.persist.volumeSet", priority = 1),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
    )]
    pub struct WorkloadSpec {
        /// Always vm; cannot be changed.
        #[serde(rename = "type")]
        #[schemars(length(max = 32))]
        kind: String,
        /// What the VM gets and offers: exactly one entry.
        #[schemars(length(max = 4), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
        containers: Vec<Container>,
        /// The machine itself.
        vm: Vm,
        ;
        /// Link to the identity that the VM runs as.
        #[schemars(length(max = 256), regex(pattern = r"^(/|/org/[^/]+)(/gvc/[^/]+)?/identity/[^/]+$"))]
        identity_link: String,
        /// Who may reach the VM, and whom it may reach.
        firewall_config: Firewall,
        /// Number of replicas, and how traffic reaches them.
        #[schemars(extend("default" = {}))]
        default_options: Options,
        /// Options for single locations.
        #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["location"]))]
        local_options: Vec<LocalOptions>,
        /// Whether image tags are looked up again; without effect on disks that are filled.
        support_dynamic_tags: bool,
        /// How changes are rolled out.
        rollout_options: Rollout,
        /// How the outside reaches the VM besides the default endpoint.
        load_balancer: LoadBalancer,
        /// What the proxy does with a request that failed.
        request_retry_policy: RetryPolicy,
        /// Wishes to the scheduler.
        extras: Extras,
        /// Changes to the proxy beside the VM.
        #[schemars(schema_with = "schemas::any_object")]
        sidecar: serde_json::Value,
        /// Refused: only cron workloads have it.
        #[schemars(schema_with = "schemas::any_object")]
        job: Refused,
        /// Refused: the guest has its own users.
        #[schemars(schema_with = "schemas::any_object")]
        security_options: Refused,
    }
}
