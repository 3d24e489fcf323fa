//! Rules that an API server enforces by itself.
//!
//! [`CHECKS`] are those in CEL, one or more for a rule of the catalogue; the CustomResourceDefinitions are made from them.
//! [`enforced`] says of every rule how a server keeps it: by a check, by the schema (a range, a pattern, a list of
//! words, something that must be there), or not at all, and why.

pub use super::cel_rows::{Enforced, ROWS, enforced};
use super::cel_volumes::OTHERS;

/// One rule in CEL.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// The rule of the catalogue that it belongs to.
    pub id: &'static str,
    /// The kind that it is for.
    pub kind: &'static str,
    /// Where it stands in the schema, as `spec.containers[]`; empty for the object itself.
    pub at: &'static str,
    /// The field below `at` that it speaks of, as `.cpu`; none when it is `at` itself.
    pub field: Option<&'static str>,
    /// What must hold, in CEL.
    pub rule: &'static str,
    /// What is said otherwise.
    pub message: &'static str,
    /// The same with values in it, in CEL.
    pub text: Option<&'static str>,
}

/// Ports that the platform keeps, as CEL has a list.
macro_rules! reserved_ports {
    () => {
        "[8012, 8022, 9090, 9091, 15000, 15001, 15006, 15020, 15021, 15090, 41000]"
    };
}

const fn workload(id: &'static str, at: &'static str, rule: &'static str, message: &'static str) -> Check {
    Check { id, kind: "Workload", at, field: None, rule, message, text: None }
}

impl Check {
    const fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    const fn text(mut self, text: &'static str) -> Self {
        self.text = Some(text);
        self
    }
}

const C: &str = "spec.containers[]";
const SPEC: &str = "spec";
const SOURCE: &str = "spec.vm.bootDisk.source";
const OCI: &str = "spec.vm.bootDisk.source.oci.image";
const URL: &str = "spec.vm.bootDisk.source.http.url";
const CHECKSUM: &str = "spec.vm.bootDisk.source.http.checksum";
const VOLUME: &str = "spec.containers[].volumes[]";
const SCALE: &str = "spec.defaultOptions.autoscaling";

const WORKLOAD: &[Check] = &[
    workload(
        "name-pattern",
        "",
        "self.metadata.name.matches('^[a-z][-a-z0-9]*[a-z0-9]$')",
        "the name must start with a letter, use only a-z, 0-9 and dashes, and not end with a dash",
    )
    .text("'name \"' + self.metadata.name + '\" must start with a letter, use only a-z, 0-9 and dashes, and not end with a dash'"),
    workload(
        "name-length",
        "",
        "self.metadata.name.size() >= 3 && self.metadata.name.size() <= 49",
        "the name must have 3 to 49 characters",
    ),
    workload(
        "name-headless-suffix",
        "",
        "!self.metadata.name.endsWith('-headless')",
        "a workload name must not end with \"-headless\"",
    ),
    workload("type-not-vm", "spec.type", "self == 'vm'", "only the type \"vm\" is handled here")
        .text("'type \"' + self + '\" is not handled here; only \"vm\" is'"),
    workload(
        "type-immutable",
        "spec.type",
        "self == oldSelf",
        "the type of a workload cannot be changed; delete it and create it again",
    ),
    workload("job-forbidden", SPEC, "!has(self.job)", "spec.job is for cron workloads, not for VMs").field(".job"),
    workload(
        "security-options-forbidden",
        SPEC,
        "!has(self.securityOptions)",
        "spec.securityOptions does not apply to VMs; the guest has its own users",
    )
    .field(".securityOptions"),
    workload(
        "containers-exactly-one",
        "spec.containers",
        "size(self) == 1",
        "a VM has exactly one container entry",
    ),
    workload(
        "container-name-reserved",
        "spec.containers[].name",
        "!(self in ['istio-proxy', 'queue-proxy', 'istio-validation', 'cpln-envoy-assassin', 'cpln-writer-proxy', 'cpln-reader-proxy', 'cpln-dbaas-config'])",
        "this container name is reserved",
    )
    .text("'container name \"' + self + '\" is reserved'"),
    workload(
        "container-name-prefix",
        "spec.containers[].name",
        "!self.startsWith('cpln-') && !self.startsWith('cpln_') && !self.startsWith('debugger-')",
        "container name must not start with \"cpln-\", \"cpln_\" or \"debugger-\"",
    ),
    workload("image-forbidden", C, "!has(self.image)", "a VM takes its image from spec.vm.bootDisk, not from the container")
        .field(".image"),
    workload("command-forbidden", C, "!has(self.command)", "command does not apply to a VM; use cloud-init").field(".command"),
    workload("args-forbidden", C, "!has(self.args)", "args do not apply to a VM; use cloud-init").field(".args"),
    workload("working-dir-forbidden", C, "!has(self.workingDir)", "workingDir does not apply to a VM").field(".workingDir"),
    workload("lifecycle-forbidden", C, "!has(self.lifecycle)", "lifecycle hooks do not apply to a VM").field(".lifecycle"),
    workload(
        "singular-port-forbidden",
        C,
        "!has(self.port)",
        "use the ports list; the single port field is not valid for a VM",
    )
    .field(".port"),
    workload("gpu-unsupported", C, "!has(self.gpu)", "GPU assignment is not available for VMs").field(".gpu"),
    workload("cpu-syntax", C, "isQuantity(string(self.cpu))", "cpu must be a quantity such as 2 or 2000m")
        .field(".cpu")
        .text("'cpu \"' + string(self.cpu) + '\" is not a quantity such as 2 or 2000m'"),
    workload(
        "cpu-minimum",
        C,
        "!isQuantity(string(self.cpu)) || quantity(string(self.cpu)).compareTo(quantity('1')) >= 0",
        "cpu is less than one core (1000m)",
    )
    .field(".cpu")
    .text("'cpu \"' + string(self.cpu) + '\" is less than one core (1000m)'"),
    workload(
        "cpu-whole-cores",
        C,
        "!isQuantity(string(self.cpu)) || string(self.cpu).matches('^[0-9]*(000m|[0-9][.]0+|[0-9][.]?|[0-9][kMG])$')",
        "cpu is not a whole number of cores",
    )
    .field(".cpu")
    .text("'cpu \"' + string(self.cpu) + '\" is not a whole number of cores'"),
    workload("memory-syntax", C, "!has(self.memory) || isQuantity(string(self.memory))", "memory must be a quantity such as 2Gi")
        .field(".memory")
        .text("'memory \"' + string(self.memory) + '\" is not a quantity such as 2Gi'"),
    workload(
        "memory-minimum",
        C,
        "!has(self.memory) || !isQuantity(string(self.memory)) || quantity(string(self.memory)).compareTo(quantity('32Mi')) >= 0",
        "memory is below 32Mi",
    )
    .field(".memory")
    .text("'memory \"' + string(self.memory) + '\" is below 32Mi'"),
    workload(
        "port-ssh",
        "spec.containers[].ports[].number",
        "self != 22",
        "port 22 is always reachable by the platform and cannot be listed",
    ),
    workload(
        "port-reserved",
        "spec.containers[].ports[].number",
        concat!("!(self in ", reserved_ports!(), ")"),
        "this port is reserved by the platform",
    ),
    workload(
        "metrics-port",
        "spec.containers[].metrics.port",
        concat!("!(self in ", reserved_ports!(), ")"),
        "this metrics port is not allowed (80 to 65535, not reserved)",
    ),
    probe("probe-exec-forbidden", "spec.containers[].readinessProbe", "!has(self.exec)", EXEC).field(".exec"),
    probe("probe-exec-forbidden", "spec.containers[].livenessProbe", "!has(self.exec)", EXEC).field(".exec"),
    probe("probe-grpc-forbidden", "spec.containers[].readinessProbe", "!has(self.grpc)", GRPC).field(".grpc"),
    probe("probe-grpc-forbidden", "spec.containers[].livenessProbe", "!has(self.grpc)", GRPC).field(".grpc"),
    probe("probe-handler-missing", "spec.containers[].readinessProbe", HANDLER, "the probe needs tcpSocket or httpGet"),
    probe("probe-handler-missing", "spec.containers[].livenessProbe", HANDLER, "the probe needs tcpSocket or httpGet"),
    probe("probe-handler-many", "spec.containers[].readinessProbe", ONE_HANDLER, "the probe must have only one of tcpSocket and httpGet"),
    probe("probe-handler-many", "spec.containers[].livenessProbe", ONE_HANDLER, "the probe must have only one of tcpSocket and httpGet"),
    probe("probe-port", "spec.containers[].readinessProbe.tcpSocket.port", NOT_RESERVED, "this probe port is not allowed"),
    probe("probe-port", "spec.containers[].livenessProbe.tcpSocket.port", NOT_RESERVED, "this probe port is not allowed"),
    probe("probe-port", "spec.containers[].readinessProbe.httpGet.port", NOT_RESERVED, "this probe port is not allowed"),
    probe("probe-port", "spec.containers[].livenessProbe.httpGet.port", NOT_RESERVED, "this probe port is not allowed"),
    probe(
        "probe-success-threshold",
        "spec.containers[].livenessProbe",
        "!has(self.successThreshold) || self.successThreshold == 1",
        "successThreshold of a liveness probe can only be 1",
    )
    .field(".successThreshold"),
    workload(
        "volume-uri-scheme",
        VOLUME,
        "self.uri.startsWith('cpln://volumeset/') || self.uri.startsWith('cpln://secret/')",
        "this cannot be a VM disk; use cpln://volumeset/<name> or cpln://secret/<name>",
    )
    .field(".uri")
    .text("'\"' + self.uri + '\" cannot be a VM disk; use cpln://volumeset/<name> or cpln://secret/<name>'"),
    workload(
        "volume-uri-name",
        VOLUME,
        "!(self.uri.startsWith('cpln://volumeset/') || self.uri.startsWith('cpln://secret/')) || self.uri.matches('^cpln://(volumeset/[a-z0-9][-a-z0-9]{0,63}|secret/[a-z0-9][-_a-z0-9]{0,63}([.].*)?)$')",
        "this does not name a volume set or secret",
    )
    .field(".uri")
    .text("'\"' + self.uri + '\" does not name a volume set or secret'"),
    workload(
        "volume-uri-secret-key",
        VOLUME,
        "!self.uri.matches('^cpln://secret/[^.]+[.]')",
        "a disk carries the whole secret; leave out its key",
    )
    .field(".uri"),
    workload("volume-name-reserved", VOLUME, "!(self.name in ['rootdisk', 'cloudinit'])", "this disk name is used by the platform")
        .field(".name")
        .text("'disk name \"' + self.name + '\" is used by the platform'"),
    workload("volume-path-forbidden", VOLUME, "!has(self.path)", "a VM disk has no mount path; the guest mounts it").field(".path"),
    workload(
        "volume-cdrom-virtio",
        VOLUME,
        "!(has(self.cdrom) && self.cdrom && has(self.bus) && self.bus == 'virtio')",
        "a CD-ROM cannot be on the virtio bus; use sata or scsi",
    )
    .field(".cdrom"),
    workload(
        "volume-secret-boot-order",
        VOLUME,
        "!(has(self.bootOrder) && self.uri.startsWith('cpln://secret/'))",
        "a secret disk cannot be booted",
    )
    .field(".bootOrder"),
    workload(
        "volume-serial-duplicate",
        "spec.containers[].volumes",
        "self.all(a, !has(a.serial) || self.exists_one(b, has(b.serial) && b.serial.substring(0, b.serial.size() > 20 && (!has(b.bus) || b.bus == 'virtio') ? 20 : b.serial.size()) == a.serial.substring(0, a.serial.size() > 20 && (!has(a.bus) || a.bus == 'virtio') ? 20 : a.serial.size())))",
        "two disks would show the same serial",
    ),
    workload(
        "boot-order-duplicate",
        SPEC,
        "self.containers.all(c, !has(c.volumes) || c.volumes.all(v, !has(v.bootOrder) || v.bootOrder != (has(self.vm.bootDisk.bootOrder) ? self.vm.bootDisk.bootOrder : 1) && c.volumes.exists_one(w, has(w.bootOrder) && w.bootOrder == v.bootOrder)))",
        "bootOrder is used by two disks; that of the boot disk is 1 unless bootDisk.bootOrder says otherwise",
    ),
    workload(
        "volumeset-used-twice",
        SPEC,
        "self.containers.all(c, !has(c.volumes) || c.volumes.all(v, !v.uri.startsWith('cpln://volumeset/') || v.uri != self.vm.bootDisk.persist.volumeSet && c.volumes.exists_one(w, w.uri == v.uri)))",
        "a volume set is used for two disks of this VM",
    ),
    workload(
        "env-name-reserved",
        "spec.containers[].env[].name",
        "!self.startsWith('CPLN_') && !(self in ['K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'])",
        "this variable is reserved",
    )
    .text("'variable \"' + self + '\" is reserved'"),
    workload(
        "env-reference",
        "spec.containers[].env[].value",
        "!self.startsWith('cpln://reference/')",
        "this refers to a pod field, which a VM does not have",
    )
    .text("'\"' + self + '\" refers to a pod field, which a VM does not have'"),
    workload(
        "env-secret-syntax",
        "spec.containers[].env[].value",
        "!self.startsWith('cpln://secret/') || self.matches('^cpln://secret/[a-z0-9][-_a-z0-9]*([.].+)?$')",
        "this does not name a secret",
    )
    .text("'\"' + self + '\" does not name a secret'"),
    workload(
        "boot-source-missing",
        SOURCE,
        "has(self.oci) || has(self.http)",
        "choose a boot source: source.oci.image or source.http.url",
    ),
    workload("boot-source-both", SOURCE, "!(has(self.oci) && has(self.http))", "only one boot source is allowed, found oci and http"),
    workload("boot-source-persist-misplaced", SOURCE, "!has(self.persist)", "persist belongs to bootDisk, next to source").field(".persist"),
    workload("oci-image-scheme", OCI, "!self.contains('://')", "leave out the scheme in an image reference"),
    workload(
        "oci-image-link-tag",
        OCI,
        "!self.matches('^(/|/org/[^/]+)/image/') || self.matches('^(/|/org/[^/]+)/image/[^:@]+[:@]..*$')",
        "this image link needs a tag, //image/<name>:<tag>",
    )
    .text("'image link \"' + self + '\" needs a tag, //image/<name>:<tag>'"),
    workload(
        "oci-image-syntax",
        OCI,
        "self.contains('://') || self.matches('^((/|/org/[a-z0-9][-a-z0-9]*)/image/)?([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?(@sha256:[0-9a-f]{64})?$')",
        "this is not an image reference",
    )
    .text("'\"' + self + '\" is not an image reference'"),
    workload(
        "http-url-scheme",
        URL,
        "!self.contains('://') || self.lowerAscii().startsWith('http://') || self.lowerAscii().startsWith('https://')",
        "only http and https are supported; for s3 or gs use a signed https URL",
    )
    .text("'\"' + self + '\" is not supported; for s3 or gs use a signed https URL'"),
    workload("http-url-syntax", URL, "isURL(self) && url(self).getHost() != '' && !self.contains(' ')", "this is not a URL")
        .text("'\"' + self + '\" is not a URL'"),
    workload(
        "checksum-algorithm",
        CHECKSUM,
        "self.matches('^([sS][hH][aA]256|[sS][hH][aA]512):')",
        "checksum must be sha256:<hex> or sha512:<hex>",
    ),
    workload(
        "checksum-hex",
        CHECKSUM,
        "!self.matches('^([sS][hH][aA]256|[sS][hH][aA]512):') || self.matches('^([sS][hH][aA]256:[0-9A-Fa-f]{64}|[sS][hH][aA]512:[0-9A-Fa-f]{128})$')",
        "sha256 needs 64 hex digits, sha512 needs 128",
    ),
    workload(
        "firmware-secure-boot",
        "spec.vm.firmware.secureBoot",
        "!self",
        "Secure Boot is not available: firmware variables are not kept",
    ),
    workload("networks-one", "spec.vm.networks", "size(self) <= 1", "only one network interface is supported"),
    workload(
        "cloud-init-one-source",
        "spec.vm.cloudInit",
        "[has(self.userData), has(self.userDataBase64), has(self.userDataSecret)].filter(x, x).size() <= 1",
        "give only one of userData, userDataBase64 and userDataSecret",
    ),
    workload(
        "cloud-init-size",
        "spec.vm.cloudInit.userData",
        "size(bytes(self)) <= 16384",
        "at most 16384 bytes are allowed for userData, use userDataSecret",
    ),
    workload(
        "cloud-init-base64",
        "spec.vm.cloudInit.userDataBase64",
        "self.matches('^[A-Za-z0-9+/\\\\s]*[=\\\\s]*$')",
        "userDataBase64 is not valid base64",
    ),
    workload(
        "halted-needs-zero",
        SPEC,
        "!has(self.vm.runStrategy) || self.vm.runStrategy != 'Halted' || has(self.defaultOptions) && has(self.defaultOptions.autoscaling) && has(self.defaultOptions.autoscaling.minScale) && self.defaultOptions.autoscaling.minScale == 0",
        "runStrategy Halted needs defaultOptions.autoscaling.minScale 0",
    )
    .field(".vm.runStrategy"),
    workload(
        "zero-needs-halted",
        SPEC,
        "!(has(self.defaultOptions) && has(self.defaultOptions.autoscaling) && has(self.defaultOptions.autoscaling.minScale) && self.defaultOptions.autoscaling.minScale == 0) || has(self.vm.runStrategy) && self.vm.runStrategy == 'Halted'",
        "a VM cannot scale to zero; use runStrategy Halted or suspend",
    )
    .field(".defaultOptions.autoscaling.minScale"),
    workload("autoscaling-metric", SCALE, METRIC, "VMs do not autoscale; metric must be \"disabled\"").field(".metric"),
    workload("autoscaling-metric", "spec.localOptions[].autoscaling", METRIC, "VMs do not autoscale; metric must be \"disabled\"")
        .field(".metric"),
    workload("autoscaling-extras", SCALE, NO_EXTRAS, EXTRAS),
    workload("autoscaling-extras", "spec.localOptions[].autoscaling", NO_EXTRAS, EXTRAS),
    workload("scale-order", SCALE, ORDERED, "minScale is larger than maxScale").field(".minScale"),
    workload("scale-order", "spec.localOptions[].autoscaling", ORDERED, "minScale is larger than maxScale")
        .field(".minScale")
        ,
    workload(
        "replica-direct-forbidden",
        "spec.loadBalancer",
        "!has(self.replicaDirect) || !has(self.replicaDirect.enabled) || !self.replicaDirect.enabled",
        "replicaDirect is for stateful workloads only",
    )
    .field(".replicaDirect"),
    workload(
        "lb-container-port",
        "spec.loadBalancer.direct.ports[].containerPort",
        concat!("!(self in ", reserved_ports!(), ")"),
        "this container port is not allowed",
    ),
    workload(
        "geo-headers",
        "spec.loadBalancer.geoLocation",
        "!has(self.enabled) || !self.enabled || has(self.headers) && (has(self.headers.asn) || has(self.headers.city) || has(self.headers.country) || has(self.headers.region))",
        "geoLocation needs at least one header, all different",
    ),
    workload(
        "geo-headers",
        "spec.loadBalancer.geoLocation.headers",
        "(!has(self.asn) || (!has(self.city) || self.asn != self.city) && (!has(self.country) || self.asn != self.country) && (!has(self.region) || self.asn != self.region)) && (!has(self.city) || (!has(self.country) || self.city != self.country) && (!has(self.region) || self.city != self.region)) && (!has(self.country) || !has(self.region) || self.country != self.region)",
        "geoLocation needs at least one header, all different",
    ),
    workload("firewall-cidr", "spec.firewallConfig.external.inboundAllowCIDR[]", ADDRESS, ADDRESS_SAYS).text(ADDRESS_TEXT),
    workload("firewall-cidr", "spec.firewallConfig.external.inboundBlockedCIDR[]", ADDRESS, ADDRESS_SAYS).text(ADDRESS_TEXT),
    workload("firewall-cidr", "spec.firewallConfig.external.outboundAllowCIDR[]", ADDRESS, ADDRESS_SAYS).text(ADDRESS_TEXT),
    workload("firewall-cidr", "spec.firewallConfig.external.outboundBlockedCIDR[]", ADDRESS, ADDRESS_SAYS).text(ADDRESS_TEXT),
    workload(
        "firewall-port",
        "spec.firewallConfig.external.outboundAllowPort[].number",
        concat!("!(self in ", reserved_ports!(), ")"),
        "this outbound port is not allowed",
    ),
    workload(
        "firewall-header-filter",
        "spec.firewallConfig.external.http.inboundHeaderFilter[]",
        "has(self.allowedValues) != has(self.blockedValues)",
        "a header filter needs a key and exactly one of allowedValues and blockedValues",
    ),
    workload("firewall-http-misplaced", "spec.firewallConfig", "!has(self.http)", "http belongs under firewallConfig.external")
        .field(".http"),
];

const fn probe(id: &'static str, at: &'static str, rule: &'static str, message: &'static str) -> Check {
    workload(id, at, rule, message)
}

const EXEC: &str = "exec probes are not supported for VMs; use tcpSocket or httpGet";
const GRPC: &str = "grpc probes are not supported for VMs; use tcpSocket or httpGet";
const HANDLER: &str = "has(self.httpGet) || has(self.tcpSocket) || has(self.exec) || has(self.grpc)";
const ONE_HANDLER: &str = "!(has(self.httpGet) && has(self.tcpSocket))";
const NOT_RESERVED: &str = concat!("!(self in ", reserved_ports!(), ")");
const METRIC: &str = "!has(self.metric) || self.metric == 'disabled'";
const NO_EXTRAS: &str = "!has(self.multi) && !has(self.keda) && !has(self.target) && !has(self.metricPercentile) && !has(self.maxConcurrency) && !has(self.scaleToZeroDelay)";
const EXTRAS: &str =
    "multi, keda, target, metricPercentile, maxConcurrency and scaleToZeroDelay have no meaning for a VM";
const ORDERED: &str = "!has(self.minScale) || !has(self.maxScale) || self.minScale <= self.maxScale";
const ADDRESS: &str = "isIP(self) || isCIDR(self)";
const ADDRESS_SAYS: &str = "this is not an IP address or CIDR";
const ADDRESS_TEXT: &str = "'\"' + self + '\" is not an IP address or CIDR'";

/// All rules in CEL, those of a workload first.
pub const CHECKS: &[Check] = &{
    let mut all = [WORKLOAD[0]; WORKLOAD.len() + OTHERS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < WORKLOAD.len() { WORKLOAD[at] } else { OTHERS[at - WORKLOAD.len()] };
        at += 1;
    }
    all
};
