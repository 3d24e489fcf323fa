//! What a server offers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use http::Method;
use v9s::cluster::discovery::{Discovery, Resolved};

use super::define;
use crate::support::cluster::Cluster;
use crate::support::crds::{Definitions, OpenCrd};
use crate::support::live::discovery;
use crate::support::suite::{Case, Env};
use crate::support::{deadline, poll};

/// Group, plural, a version, short names, whether in namespaces.
type Offer = (&'static str, &'static str, &'static str, &'static [&'static str], bool);

const ALWAYS: &[Offer] = &[
    ("", "pods", "v1", &["po"], true),
    ("", "namespaces", "v1", &["ns"], false),
    ("", "persistentvolumeclaims", "v1", &["pvc"], true),
    ("storage.k8s.io", "storageclasses", "v1", &["sc"], false),
    ("kubevirt.io", "virtualmachines", "v1", &["vm", "vms"], true),
    ("kubevirt.io", "virtualmachineinstances", "v1", &["vmi", "vmis"], true),
    ("snapshot.kubevirt.io", "virtualmachinesnapshots", "v1beta1", &["vmsnapshot", "vmsnapshots"], true),
    ("cdi.kubevirt.io", "datavolumes", "v1beta1", &["dv", "dvs"], true),
    ("snapshot.storage.k8s.io", "volumesnapshots", "v1", &["vs"], true),
    ("virt.virtink.smartx.com", "virtualmachines", "v1alpha1", &["vm"], true),
];

/// Those that only the projects' own definitions bring.
const OF_PROJECTS: &[Offer] = &[
    ("kubevirt.io", "virtualmachines", "v1alpha3", &["vm", "vms"], true),
    ("kubevirt.io", "virtualmachineinstancemigrations", "v1", &["vmim", "vmims"], true),
    (
        "instancetype.kubevirt.io",
        "virtualmachineclusterinstancetypes",
        "v1beta1",
        &["vmclusterinstancetype", "vmclusterinstancetypes", "vmcf", "vmcfs"],
        false,
    ),
    ("pool.kubevirt.io", "virtualmachinepools", "v1beta1", &["vmpool", "vmpools"], true),
    ("cdi.kubevirt.io", "dataimportcrons", "v1beta1", &["dic", "dics"], true),
    ("cdi.kubevirt.io", "storageprofiles", "v1beta1", &[], false),
    ("build.kairos.io", "osartifacts", "v1alpha2", &[], true),
];

pub(super) const CASES: &[Case] = &[
    ("discovery: the kinds of all projects", |env| {
        check_offers(env, &discovery(env.admin()).unwrap());
    }),
    ("discovery: vm is KubeVirt's although Virtink claims it", |env| {
        let found = discovery(env.admin()).unwrap();
        check_words(&found);
        let features = found.features();
        assert!(features.kubevirt && features.cdi && features.snapshots && features.virtink);
        assert_eq!(features.own, found.served("v9s.dev", "workloads").is_some());
        assert!(!features.cluster_api);
        assert_eq!(found.absent, []);
    }),
    ("discovery: an older server is asked group by group", |env| {
        let old = old_server(env.cluster.clone());
        let kubeconfig = env.user("token").server(&format!("http://{old}"));
        let found = discovery(&kubeconfig.write(env.folder(), "old")).unwrap();
        check_offers(env, &found);
        check_words(&found);
        assert_eq!(found.version, discovery(env.admin()).unwrap().version);
    }),
    ("discovery: a kind that comes later is found by asking again", |env| {
        let before = discovery(env.admin()).unwrap();
        let group: &'static str = Box::leak(format!("{}.example.test", env.namespace).into_boxed_str());
        assert_eq!(before.served(group, "widgets"), None);
        env.cluster.apply_open(&[widgets(group)]);
        // The aggregated document is written some time after the kind can be used.
        let after = poll(deadline(), || {
            Some(discovery(env.admin()).unwrap()).filter(|now| now.served(group, "widgets").is_some())
        });
        let after = after.unwrap();
        let found = after.served(group, "widgets").unwrap();
        assert_eq!((found.kind.as_str(), found.namespaced), ("Widget", true));
        assert!(found.can("list") && found.can("watch"));
        assert_eq!(after.best_version(group, "widgets", &["v2", "v1"]).as_deref(), Some("v1"));
        assert!(before.differs(&after));
        env.cluster.delete(&widgets(group).json());
    }),
];

/// A kind that nobody has.
pub(super) fn widgets(group: &'static str) -> OpenCrd {
    OpenCrd {
        group,
        version: "v1",
        kind: "Widget",
        plural: "widgets",
        singular: "widget",
        short_names: &[],
        namespaced: true,
        status_subresource: false,
    }
}

fn check_offers(env: &Env, found: &Discovery) {
    let of_projects = match define(&env.cluster) {
        Definitions::Real(_) => OF_PROJECTS,
        Definitions::Open(_) => &[],
    };
    for (group, plural, version, short, namespaced) in ALWAYS.iter().chain(of_projects) {
        let resource =
            found.served(group, plural).unwrap_or_else(|| panic!("{plural} of {group:?} is missing"));
        assert!(resource.versions.iter().any(|served| served == version), "{resource:?}");
        assert_eq!(resource.version, resource.versions[0]);
        assert_eq!(
            (&*resource.short_names, resource.namespaced),
            (&*strings(short), *namespaced),
            "{plural}"
        );
        assert!(resource.can("list") && resource.can("watch"), "{resource:?}");
    }
    assert!(found.resources.iter().all(|resource| !resource.plural.contains('/')));
}

fn check_words(found: &Discovery) {
    let cases = [
        ("vm", "kubevirt.io"),
        ("vms", "kubevirt.io"),
        ("VirtualMachine", "kubevirt.io"),
        ("virtualmachines.virt.virtink.smartx.com", "virt.virtink.smartx.com"),
        ("vm.virt.virtink.smartx.com", "virt.virtink.smartx.com"),
        ("virtualmachines.v1.kubevirt.io", "kubevirt.io"),
        ("dv", "cdi.kubevirt.io"),
        ("vs", "snapshot.storage.k8s.io"),
        ("vmsnapshot", "snapshot.kubevirt.io"),
        ("po", ""),
        ("v1/pods", ""),
        ("events", ""),
    ];
    for (word, group) in cases {
        match found.resolve(word) {
            Resolved::One(resource) => assert_eq!(resource.group, group, "{word}"),
            other => panic!("{word}: {other:?}"),
        }
    }
    assert_eq!(found.resolve("no-such-kind"), Resolved::None);
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// Starts a server that speaks plain HTTP, knows only the plain form of
/// discovery and has what a cluster has; returns its address.
fn old_server(cluster: Cluster) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(client) = client else { return };
            let cluster = cluster.clone();
            std::thread::spawn(move || answer(&client, &cluster));
        }
    });
    address
}

fn answer(client: &TcpStream, cluster: &Cluster) -> Option<()> {
    let mut lines = BufReader::new(client).lines();
    let request = lines.next()?.ok()?;
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    let path = request.strip_prefix("GET ")?.split(' ').next()?;
    // Without a wish for another form the server writes the plain one.
    let (status, body) = match cluster.request(Method::GET, path, None) {
        Ok(body) => ("200 OK", body.to_string()),
        Err(_) => ("404 Not Found", String::new()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut client = client;
    client.write_all((head + &body).as_bytes()).ok()
}
