//! How an API server keeps each rule of the catalogue.

use super::cel::CHECKS;

/// How an API server keeps a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforced {
    /// By a rule in CEL, with the rule's own text; see [`CHECKS`].
    Cel,
    /// By the schema or by the server itself: a range, a pattern, a list of words, a field or name that must be there.
    Schema,
    /// Not at all, because of this.
    No(&'static str),
}

const WARNING: &str = "it is a warning, and a server only refuses";
const OTHERS: &str = "it needs another object";
const ANNOTATION: &str = "rules in CEL see no annotations, where it is kept";
const REQUEST: &str = "it is about the request, not about an object";
const CLUSTER: &str = "it depends on a setting or on what is installed";
const COMMAND: &str = "it belongs to a command line";

/// The rules that are kept by the schema or not at all; those kept by CEL stand in [`CHECKS`].
pub const ROWS: &[(&str, Enforced)] = &[
    ("kind-unknown", Enforced::No("a server knows its kinds; another one answers 404")),
    ("name-required", Enforced::Schema),
    ("wrong-type", Enforced::Schema),
    ("spec-required", Enforced::Schema),
    ("name-immutable", Enforced::No("an object with another name is another object")),
    ("type-missing", Enforced::Schema),
    ("gvc-required", Enforced::No(REQUEST)),
    ("gvc-conflict", Enforced::No(REQUEST)),
    ("gvc-immutable", Enforced::No("an object in another namespace is another object")),
    ("description-length", Enforced::No(ANNOTATION)),
    ("description-blanks", Enforced::No(ANNOTATION)),
    ("tags-count", Enforced::No(ANNOTATION)),
    (
        "unknown-field",
        Enforced::No(
            "unknown fields are dropped before rules are asked; kubectl's strict validation names them",
        ),
    ),
    ("server-field-ignored", Enforced::No(WARNING)),
    ("vm-block-required", Enforced::Schema),
    ("vm-block-forbidden", Enforced::Schema),
    ("container-name-required", Enforced::Schema),
    ("container-name-pattern", Enforced::Schema),
    ("cpu-required", Enforced::Schema),
    ("memory-small", Enforced::No(WARNING)),
    ("memory-cpu-ratio", Enforced::No(WARNING)),
    ("min-resources-unused", Enforced::No(WARNING)),
    ("port-number-required", Enforced::Schema),
    ("port-range", Enforced::Schema),
    ("port-duplicate", Enforced::Schema),
    ("port-protocol", Enforced::Schema),
    ("metrics-path", Enforced::Schema),
    ("metrics-drop-regex", Enforced::No("a pattern that is wrong stops the rule instead of making it false")),
    ("probe-port-unlisted", Enforced::No(WARNING)),
    ("probe-http-path", Enforced::Schema),
    ("probe-http-scheme", Enforced::Schema),
    ("probe-initial-delay", Enforced::Schema),
    ("probe-period", Enforced::Schema),
    ("probe-timeout", Enforced::Schema),
    ("probe-failure-threshold", Enforced::Schema),
    ("volumes-count", Enforced::Schema),
    ("volume-uri-required", Enforced::Schema),
    ("volume-name-required", Enforced::Schema),
    ("volume-name-pattern", Enforced::Schema),
    ("volume-name-duplicate", Enforced::Schema),
    ("volume-recovery-policy", Enforced::Schema),
    ("volume-recovery-policy-unused", Enforced::No(WARNING)),
    ("volume-bus", Enforced::Schema),
    ("volume-serial-charset", Enforced::Schema),
    ("volume-serial-cut", Enforced::No(WARNING)),
    ("volume-boot-order", Enforced::Schema),
    ("volumeset-not-found", Enforced::No(OTHERS)),
    ("volumeset-in-use", Enforced::No(OTHERS)),
    ("volumeset-shared", Enforced::No(OTHERS)),
    ("secret-not-found", Enforced::No(WARNING)),
    ("secret-needs-identity", Enforced::No(WARNING)),
    ("secret-not-revealable", Enforced::No(WARNING)),
    ("env-name", Enforced::Schema),
    ("env-name-duplicate", Enforced::Schema),
    ("env-value-length", Enforced::Schema),
    ("env-multiline", Enforced::No(WARNING)),
    ("boot-disk-required", Enforced::Schema),
    ("boot-persist-required", Enforced::Schema),
    ("boot-persist-uri", Enforced::Schema),
    ("oci-image-required", Enforced::Schema),
    ("oci-image-cross-org", Enforced::No(CLUSTER)),
    ("oci-image-floating", Enforced::No(WARNING)),
    ("http-url-required", Enforced::Schema),
    ("http-url-plain", Enforced::No(WARNING)),
    ("http-url-format", Enforced::No(WARNING)),
    ("checksum-unsupported", Enforced::No(WARNING)),
    ("boot-bus", Enforced::Schema),
    ("boot-boot-order", Enforced::Schema),
    ("boot-source-changed", Enforced::No(WARNING)),
    ("cpu-sockets", Enforced::Schema),
    ("cpu-threads", Enforced::Schema),
    ("cpu-topology", Enforced::No(WARNING)),
    ("firmware-bootloader", Enforced::Schema),
    ("firmware-uuid", Enforced::Schema),
    ("firmware-uuid-replicas", Enforced::No(WARNING)),
    ("firmware-serial", Enforced::Schema),
    (
        "firmware-smbios-field",
        Enforced::No(
            "unknown fields are dropped before rules are asked; kubectl's strict validation names them",
        ),
    ),
    ("firmware-smbios-length", Enforced::Schema),
    ("firmware-smbios-unapplied", Enforced::No(WARNING)),
    ("guest-os", Enforced::Schema),
    ("network-name", Enforced::Schema),
    ("clock-timezone", Enforced::Schema),
    ("hostname-pattern", Enforced::Schema),
    ("hostname-replicas", Enforced::No(WARNING)),
    ("subdomain-pattern", Enforced::Schema),
    ("cloud-init-empty", Enforced::No(WARNING)),
    ("cloud-init-base64-size", Enforced::Schema),
    ("cloud-init-secret-link", Enforced::Schema),
    ("cloud-init-secret-key", Enforced::No(OTHERS)),
    ("cloud-init-header", Enforced::No(WARNING)),
    ("cloud-init-sensitive", Enforced::No(WARNING)),
    ("cloud-init-network", Enforced::No(WARNING)),
    ("ssh-keys-count", Enforced::Schema),
    ("ssh-keys-link", Enforced::Schema),
    ("ssh-keys-duplicate", Enforced::No(WARNING)),
    ("credentials-count", Enforced::Schema),
    ("credential-secret", Enforced::Schema),
    ("credential-users-count", Enforced::Schema),
    ("credential-user", Enforced::Schema),
    ("credential-user-duplicate", Enforced::No(WARNING)),
    ("credential-delivery", Enforced::Schema),
    ("credential-agent-hint", Enforced::No(WARNING)),
    ("run-strategy", Enforced::Schema),
    ("scale-integers", Enforced::Schema),
    ("options-timeout", Enforced::Schema),
    ("options-timeout-long", Enforced::No(WARNING)),
    ("capacity-ai", Enforced::No(WARNING)),
    ("capacity-ai-minutes", Enforced::Schema),
    ("local-options-location", Enforced::Schema),
    ("local-options-unknown", Enforced::No(WARNING)),
    ("identity-link", Enforced::Schema),
    ("identity-not-found", Enforced::No(OTHERS)),
    ("rollout-grace", Enforced::Schema),
    ("rollout-unused", Enforced::No(WARNING)),
    ("rollout-unavailable", Enforced::Schema),
    ("lb-external-port", Enforced::Schema),
    ("lb-protocol", Enforced::Schema),
    ("retry-attempts", Enforced::Schema),
    (
        "extras-keys",
        Enforced::No(
            "unknown fields are dropped before rules are asked; kubectl's strict validation names them",
        ),
    ),
    ("firewall-cidr-count", Enforced::Schema),
    ("firewall-hostname", Enforced::Schema),
    ("firewall-hostname-unenforced", Enforced::No(WARNING)),
    ("firewall-internal-type", Enforced::Schema),
    ("firewall-workload-link", Enforced::Schema),
    ("firewall-workload-list-empty", Enforced::No(WARNING)),
    ("firewall-list-unused", Enforced::No(WARNING)),
    ("firewall-closed", Enforced::No(WARNING)),
    ("port-exposed-without-port", Enforced::No(WARNING)),
    ("vs-capacity-required", Enforced::Schema),
    ("vs-capacity-maximum", Enforced::Schema),
    ("vs-class", Enforced::Schema),
    ("vs-fs", Enforced::Schema),
    ("vs-suffix", Enforced::Schema),
    ("vs-class-missing", Enforced::No(WARNING)),
    ("vs-retention", Enforced::Schema),
    ("vs-max-capacity", Enforced::Schema),
    ("vs-min-free", Enforced::Schema),
    ("vs-autoscaling-incomplete", Enforced::No(WARNING)),
    ("vs-autoscaling-blind", Enforced::No(WARNING)),
    ("vs-delete-in-use", Enforced::No("rules in CEL are not asked when something is deleted")),
    ("cmd-unknown", Enforced::Schema),
    ("cmd-location", Enforced::No(CLUSTER)),
    ("cmd-index", Enforced::Schema),
    ("cmd-shared", Enforced::No(OTHERS)),
    ("cmd-volume-busy", Enforced::No(OTHERS)),
    ("expand-not-larger", Enforced::No(OTHERS)),
    ("expand-above-maximum", Enforced::Schema),
    ("expand-class-fixed", Enforced::No(OTHERS)),
    ("shrink-not-smaller", Enforced::No(OTHERS)),
    ("shrink-below-minimum", Enforced::No(OTHERS)),
    ("snapshot-name-taken", Enforced::No(OTHERS)),
    ("snapshot-not-found", Enforced::No(OTHERS)),
    ("snapshot-not-ready", Enforced::No(OTHERS)),
    ("snapshot-expiry", Enforced::No("rules in CEL have no clock; that it is a time is kept by the schema")),
    ("snapshot-unsupported", Enforced::No(CLUSTER)),
    ("forward-mapping", Enforced::No(COMMAND)),
    ("forward-address", Enforced::No(COMMAND)),
    ("forward-bind", Enforced::No(COMMAND)),
    ("forward-no-replica", Enforced::No(COMMAND)),
    ("connect-no-sshd", Enforced::No(COMMAND)),
    ("exec-no-command", Enforced::No(COMMAND)),
    ("apply-ready-dry-run", Enforced::No(COMMAND)),
];

/// How an API server keeps a rule; `None` for an id that is not in the catalogue.
pub fn enforced(id: &str) -> Option<Enforced> {
    if CHECKS.iter().any(|check| check.id == id) {
        return Some(Enforced::Cel);
    }
    ROWS.iter().find(|(row, _)| *row == id).map(|(_, enforced)| *enforced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_kept_in_one_way() {
        for (at, (id, _)) in ROWS.iter().enumerate() {
            assert!(!CHECKS.iter().any(|check| check.id == *id), "{id} has a rule in CEL and another row");
            assert!(!ROWS[at + 1..].iter().any(|(other, _)| other == id), "{id} stands twice");
        }
        assert_eq!(enforced("cpu-whole-cores"), Some(Enforced::Cel));
        assert_eq!(enforced("volumes-count"), Some(Enforced::Schema));
        assert!(matches!(enforced("memory-small"), Some(Enforced::No(_))));
        assert_eq!(enforced("no-such-rule"), None);
    }
}
