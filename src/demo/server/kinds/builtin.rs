//! Kubernetes' own kinds.

use super::{Row, Scale};

/// A kind of the core group in namespaces; the rest is filled in by each row.
const CORE: Row = Row {
    group: "",
    versions: &["v1"],
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
        ..CORE
    },
    Row {
        kind: "Pod",
        plural: "pods",
        singular: "pod",
        short: &["po"],
        categories: &["all"],
        status: true,
        subresources: &["binding", "eviction", "log"],
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
        ..CORE
    },
    Row { kind: "ConfigMap", plural: "configmaps", singular: "configmap", short: &["cm"], ..CORE },
    Row { kind: "Secret", plural: "secrets", singular: "secret", selectable: &["type"], ..CORE },
    Row {
        kind: "Service",
        plural: "services",
        singular: "service",
        short: &["svc"],
        categories: &["all"],
        status: true,
        selectable: &["spec.clusterIP", "spec.type"],
        ..CORE
    },
    Row {
        kind: "ServiceAccount",
        plural: "serviceaccounts",
        singular: "serviceaccount",
        short: &["sa"],
        ..CORE
    },
    Row {
        kind: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        singular: "persistentvolumeclaim",
        short: &["pvc"],
        status: true,
        ..CORE
    },
    Row {
        kind: "PersistentVolume",
        plural: "persistentvolumes",
        singular: "persistentvolume",
        short: &["pv"],
        namespaced: false,
        status: true,
        ..CORE
    },
    Row {
        kind: "ResourceQuota",
        plural: "resourcequotas",
        singular: "resourcequota",
        short: &["quota"],
        status: true,
        ..CORE
    },
    Row {
        kind: "StorageClass",
        plural: "storageclasses",
        singular: "storageclass",
        short: &["sc"],
        namespaced: false,
        ..STORAGE
    },
    Row { kind: "Role", plural: "roles", singular: "role", ..RBAC },
    Row { kind: "RoleBinding", plural: "rolebindings", singular: "rolebinding", ..RBAC },
    Row { kind: "ClusterRole", plural: "clusterroles", singular: "clusterrole", namespaced: false, ..RBAC },
    Row {
        kind: "ClusterRoleBinding",
        plural: "clusterrolebindings",
        singular: "clusterrolebinding",
        namespaced: false,
        ..RBAC
    },
    Row { kind: "Lease", plural: "leases", singular: "lease", ..COORDINATION },
    Row {
        kind: "Deployment",
        plural: "deployments",
        singular: "deployment",
        short: &["deploy"],
        status: true,
        scale: Some(REPLICAS),
        ..APPS
    },
    Row {
        kind: "DaemonSet",
        plural: "daemonsets",
        singular: "daemonset",
        short: &["ds"],
        status: true,
        ..APPS
    },
    Row {
        kind: "ReplicaSet",
        plural: "replicasets",
        singular: "replicaset",
        short: &["rs"],
        status: true,
        scale: Some(REPLICAS),
        selectable: &["status.replicas"],
        ..APPS
    },
];
