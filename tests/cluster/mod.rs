//! The way from an API server into the store, proven on a real one and on the
//! embedded one.
//!
//! The cases need a server and nothing of it but its address and users, so that
//! any server can be put under them: a test per server hands all of them to
//! `suite::run`. What stops or kills its server is in `own`.

mod connect;
mod discovery;
mod faults;
mod hostile;
mod lists;
mod logs;
mod object;
mod own;
mod rights;
mod watches;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::crds::{Definitions, OpenCrd};
use crate::support::embedded::Embedded;
use crate::support::suite::{self, Case};

/// All cases that share a server.
fn cases() -> Vec<Case> {
    // The longest first: they run beside the others.
    [
        lists::CASES,
        object::CASES,
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

/// What the embedded server leaves to a real one, and why: the beginning of a case's name and the reason.
const LEFT_TO_THE_REAL_ONE: &[(&str, &str)] = &[
    ("connect: the administrator comes in by a certificate", "its users log in by tokens only"),
    ("discovery: a kind that comes later", "it takes no definitions: its kinds are fixed"),
    ("list: an object in two lists", "it serves events in the core group only"),
    ("list: a kind of somebody else goes", "it takes no definitions: its kinds are fixed"),
];

#[test]
fn on_the_embedded_server() {
    let server = Embedded::new();
    server.cluster().has_definitions();
    let all = cases();
    for (name, _) in LEFT_TO_THE_REAL_ONE {
        assert!(all.iter().any(|(case, _)| case.starts_with(name)), "there is no case {name:?} any more");
    }
    let left = |case: &Case| LEFT_TO_THE_REAL_ONE.iter().any(|(name, _)| case.0.starts_with(name));
    let cases: Vec<Case> = all.into_iter().filter(|case| !left(case)).collect();
    suite::run("the embedded server", server.cluster(), Some(&server.kubeconfig("admin")), &cases);
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
