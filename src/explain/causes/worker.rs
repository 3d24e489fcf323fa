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
        "node-volume-affinity",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ node\(s\) had volume node affinity conflict\.?(?: preemption: .*)?$",
        "its volumes are on none of {nodes} nodes",
        "The volumes of the pod can be used on some nodes only, and the pod may run on none of these: look at the volumes' zones and nodes.",
        &[(
            "Unschedulable: 0/3 nodes are available: 3 node(s) had volume node affinity conflict. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
            "its volumes are on none of 3 nodes",
        )],
    ),
    cause(
        "node-selector",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ node\(s\) didn't match Pod's node affinity/selector\.?(?: preemption: .*)?$",
        "its selector fits none of {nodes} nodes",
        "No node has the labels that the pod's selector or affinity asks for.",
        &[(
            "Unschedulable: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
            "its selector fits none of 3 nodes",
        )],
    ),
    cause(
        "nodes-cordoned",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ node\(s\) were unschedulable\.?(?: preemption: .*)?$",
        "all {nodes} nodes are cordoned",
        "No node takes new pods: uncordon one.",
        &[(
            "Unschedulable: 0/2 nodes are available: 2 node(s) were unschedulable. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
            "all 2 nodes are cordoned",
        )],
    ),
    cause(
        "node-volume-limit",
        Failed,
        r"0/(?<nodes>\d+) nodes are available: \d+ node\(s\) exceed max volume count\.?(?: preemption: .*)?$",
        "all {nodes} nodes are full of volumes",
        "Every node has as many volumes attached as its driver allows.",
        &[(
            "Unschedulable: 0/2 nodes are available: 2 node(s) exceed max volume count.",
            "all 2 nodes are full of volumes",
        )],
    ),
    cause(
        "scratch-missing",
        Failed,
        r#"persistentvolumeclaim "(?<claim>[^"]+-scratch)" not found"#,
        "its scratch space was not made",
        "The worker waits for the claim {claim}, its scratch space, which was not made: it takes as much again as the disk, and a quota is the usual reason.",
        &[(
            r#"Unschedulable: 0/3 nodes are available: persistentvolumeclaim "prime-1-scratch" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."#,
            "its scratch space was not made",
        )],
    ),
    cause(
        "pod-claim-missing",
        Failed,
        r#"persistentvolumeclaim "(?<claim>[^"]+)" not found"#,
        "no claim {claim}",
        "The pod names the claim {claim}, which is not there: make it, or take the volume out.",
        &[(
            r#"Unschedulable: 0/3 nodes are available: persistentvolumeclaim "data" not found."#,
            "no claim data",
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
        r#"(?i)(?:back-off pulling image|failed to pull image|failed to pull and unpack image|failed to resolve reference) "(?<image>[^"]+)"(?:.*?(?<why>manifest unknown|not found|unauthorized|denied|no such host|connection refused|i/o timeout|x509|toomanyrequests|no space left on device))?"#,
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
            (
                r#"Failed: Failed to pull image "quay.io/a/b:1": write /var/lib/x: no space left on device"#,
                "cannot pull quay.io/a/b:1: no space left on device",
            ),
        ],
    ),
    cause(
        "worker-image-pull",
        Failed,
        r"^ImagePullFailed: failed to pull image: (?<image>[\w.-]+(?::\d+)?/[^\s:]+(?::[\w.-]+)?(?:@\S+)?)$",
        "cannot pull {image}",
        "The node cannot get {image}, an image of the worker: look at the registry, its mirror, and CDI's pull secrets.",
        &[(
            "ImagePullFailed: failed to pull image: quay.io/kubevirt/cdi-importer:v1.63.1",
            "cannot pull quay.io/kubevirt/cdi-importer:v1.63.1",
        )],
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
        "service-account-missing",
        Failed,
        r#"serviceaccount "(?<name>[^"]+)" not found"#,
        "no service account {name}",
        "The pod shall run as the service account {name}, which is not in this namespace.",
        &[(
            r#"FailedCreate: pods "virt-launcher-web-x" is forbidden: error looking up service account shop/web: serviceaccount "web" not found"#,
            "no service account web",
        )],
    ),
    cause(
        "priority-class-missing",
        Failed,
        r"no PriorityClass with name (?<name>\S+) was found",
        "no priority class {name}",
        "There is no PriorityClass {name}: make it, or name another.",
        &[(
            r#"FailedCreate: pods "virt-launcher-web-x" is forbidden: no PriorityClass with name vip was found"#,
            "no priority class vip",
        )],
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
        "proxy-configmap-missing",
        Failed,
        r#"configmap "import-proxy-cm[^"]*" not found"#,
        "no certificates of the import proxy",
        "CDI's trustedCAProxy names a ConfigMap that is not in CDI's namespace, so it cannot be copied here.",
        &[(
            r#"FailedMount: MountVolume.SetUp failed for volume "cdi-proxy-cert-vol" : configmap "import-proxy-cm-root" not found"#,
            "no certificates of the import proxy",
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
        r#"Multi-Attach error for volume "(?<volume>[^"]+)"|already exclusively attached to one node"#,
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
