//! Kubernetes' own kinds.

use super::Row;

/// Names of a kind of the core group in namespaces; the rest is filled in by each row.
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
        kind: "Pod",
        plural: "pods",
        singular: "pod",
        short: &["po"],
        categories: &["all"],
        status: true,
        subresources: &["binding", "eviction", "log"],
        selectable: &["spec.nodeName", "status.phase", "spec.schedulerName", "status.podIP"],
        ..CORE
    },
];
