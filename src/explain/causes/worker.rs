//! A pod does not start, or its node does not keep it: launchers, importers, upload servers alike.

use super::{Cause, cause};
use crate::store::Health::{Busy, Failed, Warning};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "no-device",
        Failed,
        r"nodes are available: \d+ Insufficient devices\.kubevirt\.io/(?<device>[\w-]+)",
        "no node has a free {device} device",
        "No node has the device {device} to give; for kvm, virtualisation is off or the nodes are no virtualisation hosts.",
        &[(
            "Unschedulable: 0/3 nodes are available: 3 Insufficient devices.kubevirt.io/kvm. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
            "no node has a free kvm device",
        )],
    ),
    cause(
        "node-resources",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ Insufficient (?<what>[\w./-]+?)\.?(?: preemption: .*)?$",
        "not enough {what} on any of {nodes} nodes",
        "Every node has too little {what} left: free some, add a node, or ask for less.",
        &[
            (
                "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
                "not enough cpu on any of 3 nodes",
            ),
            (
                "Unschedulable: 0/2 nodes are available: 2 Insufficient memory.",
                "not enough memory on any of 2 nodes",
            ),
        ],
    ),
    cause(
        "node-taints",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ node\(s\) had untolerated taint \{(?<taint>[^}]+)\}\.?(?: preemption: .*)?$",
        "all {nodes} nodes have the taint {taint}",
        "No node may be used because of the taint {taint}: tolerate it, or take it away.",
        &[(
            "Unschedulable: 0/3 nodes are available: 3 node(s) had untolerated taint {node-role: db}. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
            "all 3 nodes have the taint node-role: db",
        )],
    ),
    cause(
        "unbound-claims",
        Busy,
        r"pod has unbound immediate PersistentVolumeClaims",
        "waits for its claims to be bound",
        "The pod waits until its claims have volumes: look at the claims.",
        &[(
            "Unschedulable: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
            "waits for its claims to be bound",
        )],
    ),
    cause(
        "no-node-fits",
        Failed,
        r"\d+/\d+ nodes are available: (?<why>.+?)(?:\. preemption: .*|\.)?$|(?<none>no nodes available to schedule pods)",
        "no node: {why}{none}",
        "The scheduler finds no node for the pod: {why}{none}.",
        &[
            (
                "Unschedulable: 0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient memory. preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling.",
                "no node: 1 node(s) were unschedulable, 3 Insufficient memory",
            ),
            ("no nodes available to schedule pods", "no node: no nodes available to schedule pods"),
        ],
    ),
    cause(
        "image-pull",
        Failed,
        r#"(?i)(?:back-off pulling image|failed to pull image|failed to pull and unpack image|failed to resolve reference) "(?<image>[^"]+)"(?:.*?(?<why>manifest unknown|not found|unauthorized|denied|no such host|connection refused|i/o timeout|x509|toomanyrequests))?"#,
        "cannot pull {image}: {why}",
        "The node cannot get the image {image}: check its name and tag, the registry, and the pull secret.",
        &[
            (
                r#"ImagePullBackOff: Back-off pulling image "quay.io/containerdisks/fedora:41": ErrImagePull: manifest unknown"#,
                "cannot pull quay.io/containerdisks/fedora:41: manifest unknown",
            ),
            (
                r#"ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/kiosk:7": failed to resolve reference "registry.example/kiosk:7": not found"#,
                "cannot pull registry.example/kiosk:7: not found",
            ),
            (r#"Back-off pulling image "quay.io/a/b:1""#, "cannot pull quay.io/a/b:1"),
        ],
    ),
    cause(
        "image-pull-unnamed",
        Failed,
        r"^(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|RegistryUnavailable)(?:: (?<why>.+))?$",
        "cannot pull an image: {why}",
        "The node cannot get an image of the pod: {why}.",
        &[
            ("ImagePullBackOff", "cannot pull an image"),
            ("ErrImagePull: denied", "cannot pull an image: denied"),
        ],
    ),
    cause(
        "secret-missing",
        Failed,
        r#"secret "(?<name>[^"]+)" not found"#,
        "no secret {name}",
        "The secret {name} is not in this namespace: make it, or correct the name.",
        &[(r#"CreateContainerConfigError: secret "image-login" not found"#, "no secret image-login")],
    ),
    cause(
        "secret-key-missing",
        Failed,
        r"couldn't find key (?<key>\S+) in Secret (?<secret>\S+)",
        "no key {key} in secret {secret}",
        "The secret {secret} has no key {key}; CDI reads accessKeyId and secretKey.",
        &[(
            "CreateContainerConfigError: couldn't find key accessKeyId in Secret shop/login",
            "no key accessKeyId in secret shop/login",
        )],
    ),
    cause(
        "configmap-missing",
        Failed,
        r#"configmap "(?<name>[^"]+)" not found"#,
        "no ConfigMap {name}",
        "The ConfigMap {name} is not in this namespace: make it, or correct the name.",
        &[(
            r#"MountVolume.SetUp failed for volume "cdi-cert-vol" : configmap "ca" not found"#,
            "no ConfigMap ca",
        )],
    ),
    cause(
        "node-short-of",
        Failed,
        r"[Tt]he node was low on resource: (?<what>[\w-]+)",
        "evicted: the node is short of {what}",
        "The node had too little {what} left and put the pod out.",
        &[(
            "Evicted: The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi",
            "evicted: the node is short of ephemeral-storage",
        )],
    ),
    cause(
        "pod-rejected-by-node",
        Failed,
        r"^(?<why>OutOfcpu|OutOfmemory|OutOfpods|NodeAffinity|UnexpectedAdmissionError|Evicted|Shutdown|NodeShutdown|Preempting)\b",
        "the node refused the pod: {why}",
        "The node did not take or keep the pod ({why}). CDI never replaces a failed importer: delete the pod to try again.",
        &[
            (
                "OutOfmemory: Node didn't have enough resource: memory",
                "the node refused the pod: OutOfmemory",
            ),
            ("Evicted", "the node refused the pod: Evicted"),
        ],
    ),
    cause(
        "pod-security",
        Failed,
        r#"violates PodSecurity "(?<level>[^"]+)""#,
        "PodSecurity {level} forbids the pod",
        "The namespace enforces the PodSecurity level {level}, and the pod does not keep to it.",
        &[(
            r#"FailedCreate: pods "virt-launcher-web-x" is forbidden: violates PodSecurity "restricted:latest": seLinuxOptions"#,
            "PodSecurity restricted:latest forbids the pod",
        )],
    ),
    cause(
        "pod-create-refused",
        Failed,
        r"^ErrStartingPod|Error starting pod '",
        "the API server refuses CDI's pod",
        "The API server refuses the pod that CDI wants to make; CDI tells why in the log of cdi-deployment only. Quotas, limit ranges, PodSecurity and webhooks are usual.",
        &[(
            "ErrStartingPod: Error starting pod 'importer-root': For more information, request access to cdi-deploy logs from your sysadmin",
            "the API server refuses CDI's pod",
        )],
    ),
    cause(
        "volume-attach",
        Failed,
        r#"Multi-Attach error for volume "(?<volume>[^"]+)""#,
        "volume {volume} is attached to another node",
        "The volume {volume} is still attached to another node: end the pod that has it there.",
        &[(
            r#"FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) virt-launcher-web-a"#,
            "volume pvc-1 is attached to another node",
        )],
    ),
    cause(
        "volume-mount",
        Warning,
        r"^Failed(?:Mount|AttachVolume|MapVolume): (?<why>.+)",
        "volume cannot be mounted: {why}",
        "The node cannot attach or mount a volume of the pod: {why}.",
        &[(
            "FailedMount: mount failed: exit status 32",
            "volume cannot be mounted: mount failed: exit status 32",
        )],
    ),
    cause(
        "pod-unschedulable",
        Failed,
        r"^Unschedulable(?:: Importer pod cannot be scheduled)?$",
        "no node takes its pod",
        "The scheduler finds no node for the pod; why stands on the pod.",
        &[
            ("Unschedulable: Importer pod cannot be scheduled", "no node takes its pod"),
            ("Unschedulable", "no node takes its pod"),
        ],
    ),
];
