//! The rules that the catalogue promises, section by section, with their levels. Ids are for ever: who takes one out or changes
//! how grave it is has to do so here as well.

use super::super::Level::{self, Error as E, Warning as W};

/// A section with what it is about, and its rules.
type Section = (&'static str, &'static [(&'static str, Level)]);

/// The sections in their order.
#[rustfmt::skip]
pub(in crate::rules) const PROMISED: &[Section] = &[
    ("envelope", &[
        ("kind-unknown", E), ("name-required", E), ("name-pattern", E), ("name-length", E),
        ("name-headless-suffix", E), ("name-immutable", E), ("type-immutable", E), ("type-not-vm", E),
        ("type-missing", E), ("gvc-required", E), ("gvc-conflict", E), ("gvc-immutable", E),
        ("description-length", E), ("description-blanks", E), ("tags-count", E), ("unknown-field", E),
        ("server-field-ignored", W), ("vm-block-required", E), ("vm-block-forbidden", E), ("job-forbidden", E),
        ("security-options-forbidden", E),
    ]),
    ("container entry", &[
        ("containers-exactly-one", E), ("container-name-required", E), ("container-name-pattern", E),
        ("container-name-reserved", E), ("container-name-prefix", E), ("image-forbidden", E),
        ("command-forbidden", E), ("args-forbidden", E), ("working-dir-forbidden", E), ("lifecycle-forbidden", E),
        ("singular-port-forbidden", E), ("cpu-required", E), ("cpu-syntax", E), ("cpu-minimum", E),
        ("cpu-whole-cores", E), ("memory-syntax", E), ("memory-minimum", E), ("memory-small", W),
        ("memory-cpu-ratio", W), ("min-resources-unused", W), ("gpu-unsupported", E),
    ]),
    ("ports, metrics, probes", &[
        ("port-number-required", E), ("port-range", E), ("port-ssh", E), ("port-reserved", E), ("port-duplicate", E),
        ("port-protocol", E), ("metrics-port", E), ("metrics-path", E), ("metrics-drop-regex", E),
        ("probe-exec-forbidden", E), ("probe-grpc-forbidden", E), ("probe-handler-missing", E),
        ("probe-handler-many", E), ("probe-port", E), ("probe-port-unlisted", W), ("probe-http-path", E),
        ("probe-http-scheme", E), ("probe-initial-delay", E), ("probe-period", E), ("probe-timeout", E),
        ("probe-success-threshold", E), ("probe-failure-threshold", E),
    ]),
    ("disks in containers[0].volumes", &[
        ("volumes-count", E), ("volume-uri-required", E), ("volume-uri-scheme", E), ("volume-uri-name", E),
        ("volume-uri-secret-key", E), ("volume-name-required", E), ("volume-name-pattern", E),
        ("volume-name-duplicate", E), ("volume-name-reserved", E), ("volume-path-forbidden", E),
        ("volume-recovery-policy", E), ("volume-recovery-policy-unused", W), ("volume-bus", E),
        ("volume-serial-charset", E), ("volume-serial-cut", W), ("volume-serial-duplicate", E),
        ("volume-cdrom-virtio", E), ("volume-boot-order", E), ("boot-order-duplicate", E),
        ("volume-secret-boot-order", E), ("volumeset-not-found", E), ("volumeset-in-use", E),
        ("volumeset-used-twice", E), ("volumeset-shared", E), ("secret-not-found", W), ("secret-needs-identity", W),
        ("secret-not-revealable", W),
    ]),
    ("env", &[
        ("env-name", E), ("env-name-reserved", E), ("env-name-duplicate", E), ("env-value-length", E),
        ("env-reference", E), ("env-secret-syntax", E), ("env-multiline", W),
    ]),
    ("boot disk", &[
        ("boot-disk-required", E), ("boot-source-missing", E), ("boot-source-both", E),
        ("boot-source-persist-misplaced", E), ("boot-persist-required", E), ("boot-persist-uri", E),
        ("oci-image-required", E), ("oci-image-syntax", E), ("oci-image-cross-org", E), ("oci-image-scheme", E),
        ("oci-image-link-tag", E), ("oci-image-floating", W), ("http-url-required", E), ("http-url-scheme", E),
        ("http-url-syntax", E), ("http-url-plain", W), ("http-url-format", W), ("checksum-algorithm", E),
        ("checksum-hex", E), ("checksum-unsupported", W), ("boot-bus", E), ("boot-boot-order", E),
        ("boot-source-changed", W),
    ]),
    ("cpu topology, firmware, guest, network, clock, names", &[
        ("cpu-sockets", E), ("cpu-threads", E), ("cpu-topology", W), ("firmware-bootloader", E),
        ("firmware-secure-boot", E), ("firmware-uuid", E), ("firmware-uuid-replicas", W), ("firmware-serial", E),
        ("firmware-smbios-field", E), ("firmware-smbios-length", E), ("firmware-smbios-unapplied", W),
        ("guest-os", E), ("networks-one", E), ("network-name", E), ("clock-timezone", E), ("hostname-pattern", E),
        ("hostname-replicas", W), ("subdomain-pattern", E),
    ]),
    ("cloud-init, credentials, power", &[
        ("cloud-init-one-source", E), ("cloud-init-empty", W), ("cloud-init-size", E), ("cloud-init-base64-size", E),
        ("cloud-init-base64", E), ("cloud-init-secret-link", E), ("cloud-init-secret-key", E),
        ("cloud-init-header", W), ("cloud-init-sensitive", W), ("cloud-init-network", W), ("ssh-keys-count", E),
        ("ssh-keys-link", E), ("ssh-keys-duplicate", W), ("credentials-count", E), ("credential-secret", E),
        ("credential-users-count", E), ("credential-user", E), ("credential-user-duplicate", W),
        ("credential-delivery", E), ("credential-agent-hint", W), ("run-strategy", E), ("halted-needs-zero", E),
        ("zero-needs-halted", E),
    ]),
    ("options, identity, firewall, rest", &[
        ("autoscaling-metric", E), ("autoscaling-extras", E), ("scale-integers", E), ("scale-order", E),
        ("options-timeout", E), ("options-timeout-long", W), ("capacity-ai", W), ("capacity-ai-minutes", E),
        ("local-options-location", E), ("local-options-unknown", W), ("identity-link", E), ("identity-not-found", E),
        ("rollout-grace", E), ("rollout-unused", W), ("rollout-unavailable", E), ("replica-direct-forbidden", E),
        ("lb-external-port", E), ("lb-protocol", E), ("lb-container-port", E), ("geo-headers", E),
        ("retry-attempts", E), ("extras-keys", E), ("firewall-cidr", E), ("firewall-cidr-count", E),
        ("firewall-hostname", E), ("firewall-hostname-unenforced", W), ("firewall-port", E),
        ("firewall-internal-type", E), ("firewall-workload-link", E), ("firewall-workload-list-empty", W),
        ("firewall-list-unused", W), ("firewall-header-filter", E), ("firewall-http-misplaced", E),
        ("firewall-closed", W), ("port-exposed-without-port", W),
    ]),
    ("volume set", &[
        ("vs-capacity-required", E), ("vs-capacity-minimum", E), ("vs-capacity-maximum", E),
        ("vs-capacity-above-max", E), ("vs-class", E), ("vs-class-immutable", E), ("vs-fs", E),
        ("vs-fs-immutable", E), ("vs-shared-class", E), ("vs-suffix", E), ("vs-class-missing", W),
        ("vs-retention", E), ("vs-schedule", E), ("vs-schedule-frequency", E), ("vs-snapshots-shared", E),
        ("vs-max-capacity", E), ("vs-min-free", E), ("vs-scaling-factor", E), ("vs-autoscaling-incomplete", W),
        ("vs-predictive-needs", E), ("vs-predictive-range", E), ("vs-autoscaling-blind", W), ("vs-mount-options", E),
        ("vs-encryption", E), ("vs-delete-in-use", E),
    ]),
    ("volume set commands and cli", &[
        ("cmd-unknown", E), ("cmd-location", E), ("cmd-index", E), ("cmd-shared", E), ("cmd-volume-busy", E),
        ("expand-not-larger", E), ("expand-above-maximum", E), ("expand-class-fixed", E), ("shrink-not-smaller", E),
        ("shrink-below-minimum", E), ("shrink-unconfirmed", E), ("snapshot-name-required", E),
        ("snapshot-name-taken", E), ("snapshot-not-found", E), ("snapshot-not-ready", E), ("snapshot-expiry", E),
        ("snapshot-unsupported", E), ("forward-mapping", E), ("forward-address", E), ("forward-bind", E),
        ("forward-no-replica", E), ("connect-no-sshd", E), ("exec-no-command", E), ("apply-ready-dry-run", E),
    ]),
];
