//! The way from an API server into the store, proven on a real one.
//!
//! The cases need a server and nothing of it but its address and users, so that
//! any server can be put under them: a test per server hands all of them to
//! `suite::run`. What stops or kills its server is in `own`.

mod connect;
mod discovery;
mod faults;
mod hostile;
mod lists;
mod own;
mod rights;
mod watches;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::crds::{Definitions, OpenCrd};
use crate::support::suite::{self, Case};

/// All cases that share a server.
fn cases() -> Vec<Case> {
    // The longest first: they run beside the others.
    [
        lists::CASES,
        faults::CASES,
        discovery::CASES,
        connect::CASES,
        rights::CASES,
        watches::CASES,
        hostile::CASES,
    ]
    .concat()
}

#[test]
fn on_the_real_server() {
    if let Some(server) = ApiServer::shared() {
        define(server.cluster());
        suite::run_real(&cases());
    }
}

/// Applies the definitions of the projects, or open ones in their place.
pub(crate) fn define(cluster: &Cluster) -> Definitions {
    cluster.apply_crds(&DEFINITIONS)
}

const DEFINITIONS: [OpenCrd; 6] = [
    OpenCrd {
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short_names: &["vm", "vms"],
        status_subresource: true,
        ..KUBEVIRT
    },
    OpenCrd {
        kind: "VirtualMachineInstance",
        plural: "virtualmachineinstances",
        singular: "virtualmachineinstance",
        short_names: &["vmi", "vmis"],
        ..KUBEVIRT
    },
    OpenCrd {
        group: "snapshot.kubevirt.io",
        version: "v1beta1",
        kind: "VirtualMachineSnapshot",
        plural: "virtualmachinesnapshots",
        singular: "virtualmachinesnapshot",
        short_names: &["vmsnapshot", "vmsnapshots"],
        status_subresource: true,
        ..KUBEVIRT
    },
    OpenCrd {
        group: "cdi.kubevirt.io",
        version: "v1beta1",
        kind: "DataVolume",
        plural: "datavolumes",
        singular: "datavolume",
        short_names: &["dv", "dvs"],
        status_subresource: true,
        ..KUBEVIRT
    },
    OpenCrd {
        group: "snapshot.storage.k8s.io",
        kind: "VolumeSnapshot",
        plural: "volumesnapshots",
        singular: "volumesnapshot",
        short_names: &["vs"],
        status_subresource: true,
        ..KUBEVIRT
    },
    OpenCrd {
        group: "virt.virtink.smartx.com",
        version: "v1alpha1",
        kind: "VirtualMachine",
        plural: "virtualmachines",
        singular: "virtualmachine",
        short_names: &["vm"],
        status_subresource: true,
        ..KUBEVIRT
    },
];

const KUBEVIRT: OpenCrd = OpenCrd {
    group: "kubevirt.io",
    version: "v1",
    kind: "",
    plural: "",
    singular: "",
    short_names: &[],
    namespaced: true,
    status_subresource: false,
};
