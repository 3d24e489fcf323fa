//! The container entry of a VM: its resources, ports, metrics, probes, variables and disks.

use super::schemas::{self, NumberOrText};
use super::{Bus, Refused, object, words};

object! {
    /// What the VM gets and offers: resources, ports, probes and disks.
    pub struct Container {
        /// Name of the entry, shown with metrics and logs.
        #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
        name: String,
        /// Cores of the guest: whole ones only, such as 2 or 2000m.
        cpu: NumberOrText,
        ;
        /// Memory of the guest, such as 2Gi; at least 32Mi.
        #[schemars(extend("default" = "128Mi"))]
        memory: NumberOrText,
        /// Least cores while Capacity AI decides; without effect on VMs.
        min_cpu: NumberOrText,
        /// Least memory while Capacity AI decides; without effect on VMs.
        min_memory: NumberOrText,
        /// What the guest listens on, for discovery and the service mesh. The first one serves the public endpoint.
        #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["number"]))]
        ports: Vec<Port>,
        /// Where the guest offers Prometheus metrics.
        metrics: Metrics,
        /// When the VM may get traffic.
        readiness_probe: Probe,
        /// When the VM counts as dead and is started anew.
        liveness_probe: Probe,
        /// Disks besides the boot disk.
        #[schemars(length(max = 15), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
        volumes: Vec<Volume>,
        /// Variables that reach the guest when it boots.
        #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
        env: Vec<Env>,
        /// Whether the variables of the GVC reach the guest too; those of the VM win.
        #[schemars(extend("default" = false))]
        inherit_env: bool,
        /// Refused: the image of a VM stands in spec.vm.bootDisk.
        #[schemars(schema_with = "schemas::refused_text")]
        image: Refused,
        /// Refused: the guest decides what runs; use cloud-init.
        #[schemars(schema_with = "schemas::refused_text")]
        command: Refused,
        /// Refused: the guest decides what runs; use cloud-init.
        #[schemars(schema_with = "schemas::refused_texts")]
        args: Refused,
        /// Refused: the guest has its own folders.
        #[schemars(schema_with = "schemas::refused_text")]
        working_dir: Refused,
        /// Refused: the guest owns the life of its processes.
        #[schemars(schema_with = "schemas::any_object")]
        lifecycle: Refused,
        /// Refused: VMs have the list of ports only.
        #[schemars(schema_with = "schemas::refused_number")]
        port: Refused,
        /// Refused: GPUs cannot be given to VMs.
        #[schemars(schema_with = "schemas::any_object")]
        gpu: Refused,
    }
}

object! {
    /// One port that the guest listens on.
    pub struct Port {
        /// Its number. Some are kept by the platform; 22 needs no entry.
        #[schemars(range(min = 80, max = 65535))]
        number: i32,
        ;
        /// What is spoken there.
        #[schemars(extend("default" = "http"))]
        protocol: Protocol,
    }
}

words! {
    /// What is spoken at a port.
    pub enum Protocol {
        /// HTTP/1.1.
        Http = "http",
        /// HTTP/2.
        Http2 = "http2",
        /// gRPC.
        Grpc = "grpc",
        /// Plain TCP.
        Tcp = "tcp",
    }
}

object! {
    /// Where Prometheus finds metrics in the guest.
    pub struct Metrics {
        /// Port of the guest, not one that the platform keeps.
        #[schemars(range(min = 80, max = 65535))]
        port: i32,
        ;
        /// Path to ask.
        #[schemars(length(max = 128), regex(pattern = r"^/"), extend("default" = "/metrics"))]
        path: String,
        /// Patterns of the names of series that are left out.
        #[schemars(length(max = 32), inner(length(max = 256)))]
        drop_metrics: Vec<String>,
    }
}

object! {
    /// A check of the guest: exactly one of tcpSocket and httpGet.
    pub struct Probe {
        ;
        /// Asks for a page.
        http_get: HttpGet,
        /// Opens a connection.
        tcp_socket: TcpSocket,
        /// Seconds after the start before the first check; readiness has 10, liveness 60 when it is not set.
        #[schemars(range(min = 0, max = 600))]
        initial_delay_seconds: i32,
        /// Seconds from one check to the next.
        #[schemars(range(min = 1, max = 600), extend("default" = 10))]
        period_seconds: i32,
        /// Seconds that a check may take.
        #[schemars(range(min = 1, max = 600), extend("default" = 1))]
        timeout_seconds: i32,
        /// Good checks in a row that make the VM well again; only 1 for liveness.
        #[schemars(range(min = 1, max = 20), extend("default" = 1))]
        success_threshold: i32,
        /// Bad checks in a row that count.
        #[schemars(range(min = 1, max = 20), extend("default" = 3))]
        failure_threshold: i32,
        /// Refused: nothing runs commands in the guest for a probe.
        #[schemars(schema_with = "schemas::any_object")]
        exec: Refused,
        /// Refused: VMs have tcpSocket and httpGet.
        #[schemars(schema_with = "schemas::any_object")]
        grpc: Refused,
    }
}

object! {
    /// A page whose answer tells how the guest is.
    pub struct HttpGet {
        ;
        /// Path of the page.
        #[schemars(length(max = 256), regex(pattern = r"^/"), extend("default" = "/"))]
        path: String,
        /// Port to ask; the first of the VM's ports when it is not set.
        #[schemars(range(min = 80, max = 65535))]
        port: i32,
        /// Whether TLS is spoken.
        #[schemars(extend("default" = "HTTP"))]
        scheme: Scheme,
        /// Headers to send.
        #[schemars(length(max = 16))]
        http_headers: Vec<Header>,
    }
}

words! {
    /// Whether TLS is spoken.
    pub enum Scheme {
        /// Plain HTTP.
        Http = "HTTP",
        /// HTTP over TLS.
        Https = "HTTPS",
    }
}

object! {
    /// A header of a request.
    pub struct Header {
        /// Name of the header.
        #[schemars(length(min = 1, max = 128))]
        name: String,
        /// What it holds.
        #[schemars(length(max = 1024))]
        value: String,
        ;
    }
}

object! {
    /// A port that accepts connections when the guest is well.
    pub struct TcpSocket {
        /// Port to connect to.
        #[schemars(range(min = 80, max = 65535))]
        port: i32,
        ;
    }
}

object! {
    /// A disk besides the boot disk: a volume of a volume set, or a secret.
    pub struct Volume {
        /// cpln://volumeset/<name> for a data disk, cpln://secret/<name> for a secret as a disk.
        #[schemars(length(min = 1, max = 256))]
        uri: String,
        /// Name of the disk in the guest.
        #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
        name: String,
        ;
        /// How the disk is attached: virtio when it is not set, sata for a CD-ROM.
        bus: Bus,
        /// Serial number by which the guest finds the disk; its name when it is not set. Virtio shows 20 characters.
        #[schemars(length(max = 256), regex(pattern = r"^[A-Za-z0-9_.+-]*$"))]
        serial: String,
        /// Whether it is a CD-ROM, which cannot be written; a secret on sata or scsi is one when it is not set.
        cdrom: bool,
        /// Place in the order in which disks are tried at boot; not for secrets.
        #[schemars(range(min = 1, max = 16))]
        boot_order: i32,
        /// Without effect; kept for documents that have it.
        recovery_policy: RecoveryPolicy,
        /// Refused: the guest mounts its disks itself.
        #[schemars(schema_with = "schemas::refused_text")]
        path: Refused,
    }
}

words! {
    /// What once decided about a volume that nobody uses.
    pub enum RecoveryPolicy {
        /// It stays.
        Retain = "retain",
        /// It goes.
        Recycle = "recycle",
    }
}

object! {
    /// A variable of the guest.
    pub struct Env {
        /// Its name.
        #[schemars(length(min = 1, max = 120), regex(pattern = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"))]
        name: String,
        ;
        /// What it holds: a text of one line, or cpln://secret/<name>.<key>.
        #[schemars(length(max = 4096))]
        value: String,
    }
}
