//! What surrounds the machine: scale, firewall, rollout, load balancing.

use super::schemas::{self, NumberOrText};
use super::{Refused, object, words};

object! {
    /// How many replicas run, and how traffic reaches them.
    pub struct Options {
        ;
        /// Number of replicas.
        #[schemars(extend("default" = {}))]
        autoscaling: Autoscaling,
        /// Seconds that a request may take at the proxy.
        #[schemars(range(min = 1, max = 3600), extend("default" = 5))]
        timeout_seconds: i32,
        /// Whether requests with the header x-cpln-debug are answered with the place that served them.
        debug: bool,
        /// Stops all replicas without forgetting their number.
        suspend: bool,
        /// Without effect on VMs.
        #[serde(rename = "capacityAI")]
        capacity_ai: bool,
        /// Minutes between two decisions of Capacity AI; without effect on VMs.
        #[serde(rename = "capacityAIUpdateMinutes")]
        #[schemars(range(min = 2, max = 10080))]
        capacity_ai_update_minutes: i32,
        /// Spreading over zones.
        multi_zone: MultiZone,
    }
}

object! {
    /// The options for one location; they replace the default ones there.
    pub struct LocalOptions {
        /// Name of the location, or a link to it.
        #[schemars(length(min = 1, max = 128))]
        location: String,
        ;
        /// Number of replicas.
        autoscaling: Autoscaling,
        /// Seconds that a request may take at the proxy.
        #[schemars(range(min = 1, max = 3600))]
        timeout_seconds: i32,
        /// Whether requests with the header x-cpln-debug are answered with the place that served them.
        debug: bool,
        /// Stops all replicas without forgetting their number.
        suspend: bool,
        /// Without effect on VMs.
        #[serde(rename = "capacityAI")]
        capacity_ai: bool,
        /// Minutes between two decisions of Capacity AI; without effect on VMs.
        #[serde(rename = "capacityAIUpdateMinutes")]
        #[schemars(range(min = 2, max = 10080))]
        capacity_ai_update_minutes: i32,
        /// Spreading over zones.
        multi_zone: MultiZone,
    }
}

object! {
    /// Number of replicas. VMs do not scale by themselves.
    pub struct Autoscaling {
        ;
        /// Only disabled: VMs do not scale by themselves.
        #[schemars(length(max = 32))]
        metric: String,
        /// Replicas that run; 0 only together with runStrategy Halted.
        #[schemars(range(min = 0, max = 1000), extend("default" = 1))]
        min_scale: i32,
        /// The most replicas that minScale may be set to.
        #[schemars(range(min = 0, max = 1000), extend("default" = 5))]
        max_scale: i32,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::refused_number_or_text")]
        target: Refused,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::any_objects")]
        multi: Refused,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::any_object")]
        keda: Refused,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::refused_number_or_text")]
        metric_percentile: Refused,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::refused_number")]
        max_concurrency: Refused,
        /// Refused: VMs do not scale by themselves.
        #[schemars(schema_with = "schemas::refused_number")]
        scale_to_zero_delay: Refused,
    }
}

object! {
    /// Spreading over zones.
    pub struct MultiZone {
        /// Whether replicas run in several zones.
        enabled: bool,
        ;
    }
}

object! {
    /// Who may reach the VM, and whom it may reach. Nothing is open that is not listed.
    pub struct Firewall {
        ;
        /// Traffic from and to the outside.
        external: External,
        /// Traffic from other workloads.
        internal: Internal,
        /// Refused: http stands under external.
        #[schemars(schema_with = "schemas::any_object")]
        http: Refused,
    }
}

object! {
    /// Traffic from and to the outside.
    pub struct External {
        ;
        /// Addresses and ranges that may connect.
        #[serde(rename = "inboundAllowCIDR")]
        #[schemars(length(max = 250), inner(length(max = 64)))]
        inbound_allow_cidr: Vec<String>,
        /// Addresses and ranges that may not, whatever is allowed.
        #[serde(rename = "inboundBlockedCIDR")]
        #[schemars(length(max = 250), inner(length(max = 64)))]
        inbound_blocked_cidr: Vec<String>,
        /// Addresses and ranges that the VM may reach.
        #[serde(rename = "outboundAllowCIDR")]
        #[schemars(length(max = 250), inner(length(max = 64)))]
        outbound_allow_cidr: Vec<String>,
        /// Addresses and ranges that it may not, whatever is allowed.
        #[serde(rename = "outboundBlockedCIDR")]
        #[schemars(length(max = 250), inner(length(max = 64)))]
        outbound_blocked_cidr: Vec<String>,
        /// Host names that the VM may reach; one leading *. is allowed.
        #[schemars(
            length(max = 250),
            inner(length(max = 128), regex(pattern = r"^(\*\.?)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))
        )]
        outbound_allow_hostname: Vec<String>,
        /// Ports that the VM may reach, instead of 80, 443 and 445 for host names and all for ranges.
        #[schemars(length(max = 64))]
        outbound_allow_port: Vec<OutboundPort>,
        /// Rules for HTTP requests.
        http: ExternalHttp,
    }
}

object! {
    /// A port elsewhere that the VM may reach.
    pub struct OutboundPort {
        /// What is spoken there.
        protocol: OutboundProtocol,
        /// Its number, not one that the platform keeps.
        #[schemars(range(min = 80, max = 65000))]
        number: i32,
        ;
    }
}

words! {
    /// What the VM speaks at a port elsewhere.
    pub enum OutboundProtocol {
        /// HTTP.
        Http = "http",
        /// HTTP over TLS.
        Https = "https",
        /// Plain TCP.
        Tcp = "tcp",
    }
}

object! {
    /// Rules for HTTP requests from the outside.
    pub struct ExternalHttp {
        ;
        /// Headers that requests must have, or must not.
        #[schemars(length(max = 32))]
        inbound_header_filter: Vec<HeaderFilter>,
    }
}

object! {
    /// A rule about one header: exactly one of the two lists.
    pub struct HeaderFilter {
        /// Name of the header.
        #[schemars(length(min = 1, max = 128))]
        key: String,
        ;
        /// Patterns of which one must match.
        #[schemars(length(max = 64), inner(length(max = 256)))]
        allowed_values: Vec<String>,
        /// Patterns of which none may match.
        #[schemars(length(max = 64), inner(length(max = 256)))]
        blocked_values: Vec<String>,
    }
}

object! {
    /// Traffic from other workloads.
    pub struct Internal {
        ;
        /// Which workloads may connect.
        #[schemars(extend("default" = "none"))]
        inbound_allow_type: InboundAllowType,
        /// Links to workloads that may connect.
        #[schemars(
            length(max = 250),
            inner(
                length(max = 256),
                regex(pattern = r"^((/|/org/[^/]+)/gvc/[^/]+/workload/[^/]+|cpln://internal/keda|//agent/[^/]+)$")
            )
        )]
        inbound_allow_workload: Vec<String>,
    }
}

words! {
    /// Which workloads may connect.
    pub enum InboundAllowType {
        /// None.
        None = "none",
        /// Those of the same GVC.
        SameGvc = "same-gvc",
        /// All of the org.
        SameOrg = "same-org",
        /// Those in the list.
        WorkloadList = "workload-list",
    }
}

object! {
    /// How changes are rolled out.
    pub struct Rollout {
        ;
        /// Seconds that a replica must be ready before the next one is changed.
        #[schemars(range(min = 0, max = 3600), extend("default" = 0))]
        min_ready_seconds: i32,
        /// Replicas that may be away at a time: a number, or a percentage.
        #[schemars(extend("pattern" = "^[0-9]+%?$"))]
        max_unavailable_replicas: NumberOrText,
        /// Seconds that a guest has to shut down; above 900 only with the tag cpln/relaxGracePeriodMax.
        #[schemars(range(min = 0, max = 3600), extend("default" = 90))]
        termination_grace_period_seconds: i32,
        /// Without effect on VMs.
        #[schemars(extend("pattern" = "^[0-9]+%?$"))]
        max_surge_replicas: NumberOrText,
        /// Without effect on VMs.
        scaling_policy: ScalingPolicy,
    }
}

words! {
    /// The order in which replicas of a stateful workload are changed.
    pub enum ScalingPolicy {
        /// One after the other.
        OrderedReady = "OrderedReady",
        /// All at a time.
        Parallel = "Parallel",
    }
}

object! {
    /// What the proxy does with a request that failed.
    pub struct RetryPolicy {
        ;
        /// How often it is tried again.
        #[schemars(range(min = 0, max = 100), extend("default" = 2))]
        attempts: i32,
        /// Conditions under which it is, in Envoy's words.
        #[schemars(length(max = 32), inner(length(max = 64)))]
        retry_on: Vec<String>,
    }
}

object! {
    /// How the outside reaches the VM besides the default endpoint.
    pub struct LoadBalancer {
        ;
        /// A load balancer of its own.
        direct: LoadBalancerDirect,
        /// Headers that say where a request comes from.
        geo_location: GeoLocation,
        /// Refused when on: only for stateful workloads.
        replica_direct: ReplicaDirect,
    }
}

object! {
    /// A way to single replicas, which VMs do not have.
    pub struct ReplicaDirect {
        ;
        /// Only false.
        enabled: bool,
        /// Link to a set of addresses.
        #[schemars(length(max = 256))]
        ip_set: String,
        /// What it would forward.
        #[schemars(schema_with = "schemas::any_objects")]
        ports: Refused,
    }
}

object! {
    /// A load balancer of its own.
    pub struct LoadBalancerDirect {
        /// Whether there is one.
        enabled: bool,
        ;
        /// Link to a set of addresses.
        #[schemars(length(max = 256))]
        ip_set: String,
        /// What it forwards.
        #[schemars(length(max = 64))]
        ports: Vec<DirectPort>,
    }
}

object! {
    /// A port of the load balancer.
    pub struct DirectPort {
        /// Number outside.
        #[schemars(range(min = 22, max = 32768))]
        external_port: i32,
        /// What is forwarded.
        protocol: DirectProtocol,
        ;
        /// What is spoken, for the links that are shown.
        scheme: DirectScheme,
        /// Port of the VM; the number outside when it is not set.
        #[schemars(range(min = 80, max = 65535))]
        container_port: i32,
    }
}

words! {
    /// What a load balancer forwards.
    pub enum DirectProtocol {
        /// TCP.
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
    }
}

words! {
    /// What is spoken behind a load balancer.
    pub enum DirectScheme {
        /// Plain TCP.
        Tcp = "tcp",
        /// HTTP.
        Http = "http",
        /// HTTP over TLS.
        Https = "https",
        /// WebSockets.
        Ws = "ws",
        /// WebSockets over TLS.
        Wss = "wss",
    }
}

object! {
    /// Headers that say where a request comes from.
    pub struct GeoLocation {
        ;
        /// Whether they are added.
        #[schemars(extend("default" = false))]
        enabled: bool,
        /// What they are called.
        headers: GeoHeaders,
    }
}

object! {
    /// Names of the headers, all different.
    pub struct GeoHeaders {
        ;
        /// Header with the number of the network.
        #[schemars(length(min = 1, max = 128))]
        asn: String,
        /// Header with the city.
        #[schemars(length(min = 1, max = 128))]
        city: String,
        /// Header with the country.
        #[schemars(length(min = 1, max = 128))]
        country: String,
        /// Header with the region.
        #[schemars(length(min = 1, max = 128))]
        region: String,
    }
}

object! {
    /// Wishes to the scheduler, as Kubernetes has them in a pod.
    pub struct Extras {
        ;
        /// Nodes and pods to be near to or far from.
        #[schemars(schema_with = "schemas::any_object")]
        affinity: serde_json::Value,
        /// Taints that are tolerated.
        #[schemars(schema_with = "schemas::any_objects")]
        tolerations: serde_json::Value,
        /// How replicas are spread.
        #[schemars(schema_with = "schemas::any_objects")]
        topology_spread_constraints: serde_json::Value,
    }
}
