//! Kinds of KubeVirt, CDI, volume snapshots, Virtink, Kairos, and our own.

use super::Row;

/// A kind of KubeVirt; the rest is filled in by each row.
const KUBEVIRT: Row = Row {
    group: "kubevirt.io",
    versions: &["v1", "v1alpha3"],
    kind: "",
    plural: "",
    singular: "",
    short: &[],
    categories: &[],
    namespaced: true,
    builtin: false,
    status: false,
    scale: None,
    subresources: &[],
    columns: &[],
    selectable: &[],
};

pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short: &["vm", "vms"],
        categories: &["all"],
        status: true,
        ..KUBEVIRT
    },
    Row {
        kind: "VirtualMachineInstance",
        plural: "virtualmachineinstances",
        singular: "virtualmachineinstance",
        short: &["vmi", "vmis"],
        categories: &["all"],
        ..KUBEVIRT
    },
];
