//! Kubernetes' own kinds.

use super::columns::{CREATED, Column, NAME, computed};
use super::{Row, Scale, cells, pods};

/// A kind of the core group in namespaces; the rest is filled in by each row.
const CORE: Row = Row {
    group: "",
    versions: &["v1"],
    deprecated: &[],
    kind: "",
    plural: "",
    singular: "",
    short: &[],
    categories: &[],
    namespaced: true,
    builtin: true,
    status: false,
    scale: None,
    subresources: &[],
    columns: &[],
    selectable: &[],
};

const STORAGE: Row = Row { group: "storage.k8s.io", ..CORE };
const RBAC: Row = Row { group: "rbac.authorization.k8s.io", ..CORE };
const COORDINATION: Row = Row { group: "coordination.k8s.io", ..CORE };
const APPS: Row = Row { group: "apps", categories: &["all"], ..CORE };

/// Where sets of pods keep their number.
const REPLICAS: Scale =
    Scale { spec_replicas: "spec.replicas", status_replicas: "status.replicas", selector: "spec.selector" };

const ROLE: &[Column] = &[NAME, computed("Created At", "When it was created", cells::created_at).of("date")];

const BINDING: &[Column] = &[
    NAME,
    computed("Role", "The role that is given", cells::binding_role),
    CREATED,
    computed("Users", "Users who have it", cells::binding_users).wide(),
    computed("Groups", "Groups that have it", cells::binding_groups).wide(),
    computed("ServiceAccounts", "Service accounts that have it", cells::binding_accounts).wide(),
];

const NAME_OF_CLASS: Column =
    Column { format: "name", ..computed("Name", "What it is called", cells::class_name) };

const CONTAINERS: Column = computed("Containers", "Its containers", cells::template_containers).wide();
const IMAGES: Column = computed("Images", "Images of its containers", cells::template_images).wide();
const SELECTOR: Column = computed("Selector", "Which pods are its own", cells::selector).wide();

pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "Namespace",
        plural: "namespaces",
        singular: "namespace",
        short: &["ns"],
        namespaced: false,
        status: true,
        subresources: &["finalize"],
        selectable: &["status.phase"],
        columns: &[NAME, computed("Status", "Whether it is in use or going", cells::phase), CREATED],
        ..CORE
    },
    Row {
        kind: "Node",
        plural: "nodes",
        singular: "node",
        short: &["no"],
        namespaced: false,
        status: true,
        selectable: &["spec.unschedulable"],
        columns: &[
            NAME,
            computed("Status", "Whether it takes pods", cells::node_status),
            computed("Roles", "What it is for", cells::node_roles),
            CREATED,
            computed("Version", "Version of its kubelet", cells::node_version),
            computed("Internal-IP", "Address inside the cluster", cells::node_internal).wide(),
            computed("External-IP", "Address outside the cluster", cells::node_external).wide(),
            computed("OS-Image", "Its operating system", cells::node_image).wide(),
            computed("Kernel-Version", "Its kernel", cells::node_kernel).wide(),
            computed("Container-Runtime", "What runs its containers", cells::node_runtime).wide(),
        ],
        ..CORE
    },
    Row {
        kind: "Pod",
        plural: "pods",
        singular: "pod",
        short: &["po"],
        categories: &["all"],
        status: true,
        subresources: &["binding", "eviction", "exec", "log"],
        selectable: &[
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
        ],
        columns: &[
            NAME,
            computed("Ready", "Containers that are ready, of all", pods::ready),
            computed("Status", "The state of its containers in one word", pods::status),
            computed("Restarts", "How often its containers began anew", pods::restarts),
            CREATED,
            computed("IP", "Its address", pods::address).wide(),
            computed("Node", "Where it runs", pods::node).wide(),
            computed("Nominated Node", "Where room is made for it", pods::nominated).wide(),
            computed("Readiness Gates", "Further conditions that hold, of all", pods::gates).wide(),
        ],
        ..CORE
    },
    Row {
        kind: "Event",
        plural: "events",
        singular: "event",
        short: &["ev"],
        selectable: &[
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        columns: &[
            computed("Last Seen", "How long ago it happened last", cells::event_last),
            computed("Type", "Normal or Warning", cells::event_type),
            computed("Reason", "What happened in one word", cells::event_reason),
            computed("Object", "What it happened to", cells::event_object),
            computed("Subobject", "Which part of that", cells::event_part).wide(),
            computed("Source", "Who tells it", cells::event_source).wide(),
            computed("Message", "What happened", cells::event_message),
            computed("First Seen", "How long ago it happened first", cells::event_first).wide(),
            computed("Count", "How often it happened", cells::event_count).wide(),
            NAME.wide(),
        ],
        ..CORE
    },
    Row {
        kind: "ConfigMap",
        plural: "configmaps",
        singular: "configmap",
        short: &["cm"],
        columns: &[NAME, computed("Data", "How many entries it has", cells::config_count), CREATED],
        ..CORE
    },
    Row {
        kind: "Secret",
        plural: "secrets",
        singular: "secret",
        selectable: &["type"],
        columns: &[
            NAME,
            computed("Type", "What it is for", cells::secret_type),
            computed("Data", "How many entries it has", cells::secret_count),
            CREATED,
        ],
        ..CORE
    },
    Row {
        kind: "Service",
        plural: "services",
        singular: "service",
        short: &["svc"],
        categories: &["all"],
        status: true,
        selectable: &["spec.clusterIP", "spec.type"],
        columns: &[
            NAME,
            computed("Type", "How it is reached", cells::service_type),
            computed("Cluster-IP", "Address inside the cluster", cells::service_address),
            computed("External-IP", "Addresses outside the cluster", cells::service_external),
            computed("Port(s)", "Its ports", cells::service_ports),
            CREATED,
            computed("Selector", "The pods behind it", cells::service_selector).wide(),
        ],
        ..CORE
    },
    Row {
        kind: "ServiceAccount",
        plural: "serviceaccounts",
        singular: "serviceaccount",
        short: &["sa"],
        columns: &[NAME, CREATED],
        ..CORE
    },
    Row {
        kind: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        singular: "persistentvolumeclaim",
        short: &["pvc"],
        status: true,
        columns: &[
            NAME,
            computed("Status", "Whether it has a volume", cells::phase_until_gone),
            computed("Volume", "Its volume", cells::claim_volume),
            computed("Capacity", "Size of the volume", cells::claim_capacity),
            computed("Access Modes", "How the volume can be used", cells::claim_modes),
            computed("StorageClass", "What provides the volume", cells::storage_class),
            computed("VolumeAttributesClass", "Further attributes of the volume", cells::attributes_class),
            CREATED,
            computed("VolumeMode", "File system or block device", cells::volume_mode).wide(),
        ],
        ..CORE
    },
    Row {
        kind: "PersistentVolume",
        plural: "persistentvolumes",
        singular: "persistentvolume",
        short: &["pv"],
        namespaced: false,
        status: true,
        columns: &[
            NAME,
            computed("Capacity", "Its size", cells::volume_capacity),
            computed("Access Modes", "How it can be used", cells::volume_modes),
            computed("Reclaim Policy", "What happens when its claim goes", cells::volume_policy),
            computed("Status", "Whether it has a claim", cells::phase_until_gone),
            computed("Claim", "Whose it is", cells::volume_claim),
            computed("StorageClass", "What provided it", cells::storage_class),
            computed("VolumeAttributesClass", "Further attributes", cells::attributes_class),
            computed("Reason", "Why it failed", cells::volume_reason),
            CREATED,
            computed("VolumeMode", "File system or block device", cells::volume_mode).wide(),
        ],
        ..CORE
    },
    Row {
        kind: "ResourceQuota",
        plural: "resourcequotas",
        singular: "resourcequota",
        short: &["quota"],
        status: true,
        columns: &[
            NAME,
            computed("Request", "Used and most, but for limits", cells::quota_requests),
            computed("Limit", "Used and most of limits", cells::quota_limits),
            CREATED,
        ],
        ..CORE
    },
    Row {
        kind: "StorageClass",
        plural: "storageclasses",
        singular: "storageclass",
        short: &["sc"],
        namespaced: false,
        columns: &[
            NAME_OF_CLASS,
            computed("Provisioner", "Who makes volumes", cells::class_provisioner),
            computed("ReclaimPolicy", "What happens to a volume when its claim goes", cells::class_policy),
            computed("VolumeBindingMode", "When volumes are made", cells::class_binding),
            computed("AllowVolumeExpansion", "Whether volumes can grow", cells::class_expansion),
            CREATED,
        ],
        ..STORAGE
    },
    Row { kind: "Role", plural: "roles", singular: "role", columns: ROLE, ..RBAC },
    Row { kind: "RoleBinding", plural: "rolebindings", singular: "rolebinding", columns: BINDING, ..RBAC },
    Row {
        kind: "ClusterRole",
        plural: "clusterroles",
        singular: "clusterrole",
        namespaced: false,
        columns: ROLE,
        ..RBAC
    },
    Row {
        kind: "ClusterRoleBinding",
        plural: "clusterrolebindings",
        singular: "clusterrolebinding",
        namespaced: false,
        columns: BINDING,
        ..RBAC
    },
    Row {
        kind: "Lease",
        plural: "leases",
        singular: "lease",
        columns: &[NAME, computed("Holder", "Who has it", cells::lease_holder), CREATED],
        ..COORDINATION
    },
    Row {
        kind: "ControllerRevision",
        plural: "controllerrevisions",
        singular: "controllerrevision",
        categories: &[],
        columns: &[
            NAME,
            computed("Controller", "Whose revision it is", cells::revision_controller),
            computed("Revision", "Its number", cells::revision_number),
            CREATED,
        ],
        ..APPS
    },
    Row {
        kind: "Deployment",
        plural: "deployments",
        singular: "deployment",
        short: &["deploy"],
        status: true,
        scale: Some(REPLICAS),
        columns: &[
            NAME,
            computed("Ready", "Pods that are ready, of all", cells::deployment_ready),
            computed("Up-to-date", "Pods of the newest form", cells::deployment_updated),
            computed("Available", "Pods that can be used", cells::deployment_available),
            CREATED,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
        ..APPS
    },
    Row {
        kind: "DaemonSet",
        plural: "daemonsets",
        singular: "daemonset",
        short: &["ds"],
        status: true,
        columns: &[
            NAME,
            computed("Desired", "Nodes that should have a pod", cells::daemons_wanted).of("integer"),
            computed("Current", "Nodes that have one", cells::daemons).of("integer"),
            computed("Ready", "Pods that are ready", cells::daemons_ready).of("integer"),
            computed("Up-to-date", "Pods of the newest form", cells::daemons_updated).of("integer"),
            computed("Available", "Pods that can be used", cells::daemons_available).of("integer"),
            computed("Node Selector", "Which nodes should have one", cells::daemons_nodes),
            CREATED,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
        ..APPS
    },
    Row {
        kind: "ReplicaSet",
        plural: "replicasets",
        singular: "replicaset",
        short: &["rs"],
        status: true,
        scale: Some(REPLICAS),
        columns: &[
            NAME,
            computed("Desired", "Pods that are wanted", cells::replicas_wanted).of("integer"),
            computed("Current", "Pods that there are", cells::replicas).of("integer"),
            computed("Ready", "Pods that are ready", cells::replicas_ready).of("integer"),
            CREATED,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ],
        ..APPS
    },
];
