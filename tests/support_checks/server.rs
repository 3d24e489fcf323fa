use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::json;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::crds::OpenCrd;
use crate::support::objects::{claim, data_volume, fleet, launcher_pod, pod, vm, vmi_of};
use crate::support::proxy::Proxy;
use crate::support::suite::{self, Case, Env};

/// What the objects of the checks need where the real definitions are not at hand.
const DEFINITIONS: [OpenCrd; 3] = [
    definition("VirtualMachine", "virtualmachines", "virtualmachine", "vm", true),
    definition("VirtualMachineInstance", "virtualmachineinstances", "virtualmachineinstance", "vmi", false),
    OpenCrd {
        group: "cdi.kubevirt.io",
        version: "v1beta1",
        ..definition("DataVolume", "datavolumes", "datavolume", "dv", true)
    },
];

const fn definition(
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short: &'static str,
    status_subresource: bool,
) -> OpenCrd {
    OpenCrd {
        group: "kubevirt.io",
        version: "v1",
        kind,
        plural,
        singular,
        short_names: match short.as_bytes() {
            b"vm" => &["vm", "vms"],
            b"vmi" => &["vmi", "vmis"],
            _ => &["dv", "dvs"],
        },
        namespaced: true,
        status_subresource,
    }
}

const CASES: &[Case] = &[
    ("a machine keeps its status", |env: &Env| {
        let created = env.cluster.create(vm(&env.namespace, "web").running());
        assert_eq!(created["status"]["printableStatus"], "Running");
        let stored = env.cluster.get(&created).unwrap();
        assert_eq!(stored["status"], created["status"]);
        let patch = json!({"spec": {"runStrategy": "Halted"}, "status": {"ready": false}});
        let patched = env.cluster.patch(&created, patch);
        assert_eq!(patched["spec"]["runStrategy"], "Halted");
        assert_eq!(patched["status"]["ready"], false);
    }),
    ("all builders make what the server takes", |env: &Env| {
        let ns = &env.namespace;
        let machine = env.cluster.create(vm(ns, "web").running());
        let instance = env.cluster.create(vmi_of(&machine));
        assert_eq!(instance["status"]["phase"], "Running");
        let launcher = env.cluster.create(launcher_pod(&instance));
        assert_eq!(launcher["status"]["phase"], "Running");
        let others = [
            pod(ns, "waiting"),
            pod(ns, "runs").running(),
            data_volume(ns, "root").phase("ImportInProgress", "42.00%"),
            claim(ns, "root"),
            claim(ns, "data").bound(),
        ];
        for (wanted, created) in others.iter().zip(env.cluster.create_many(others.clone())) {
            assert_eq!(created["status"]["phase"], wanted["status"]["phase"], "{created:#}");
        }
    }),
    ("a change and an end are awaited", |env: &Env| {
        let machine = vm(&env.namespace, "web");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                env.cluster.wait_for(&machine, "a label", |seen| seen["metadata"]["labels"]["x"] == "y");
                env.cluster.delete(&machine);
            });
            env.cluster.create(machine.clone());
            env.cluster.patch(&machine, json!({"metadata": {"labels": {"x": "y"}}}));
            env.cluster.wait_gone(&machine);
            waiting.join().unwrap();
        });
        assert_eq!(env.cluster.get(&machine), None);
    }),
];

#[test]
fn cases_run_on_the_real_server() {
    if let Some(server) = ApiServer::shared() {
        server.cluster().apply_crds(&DEFINITIONS);
        suite::run_real(CASES);
    }
}

#[test]
fn a_failure_is_listed_and_does_not_end_the_others() {
    static RAN: AtomicUsize = AtomicUsize::new(0);
    const SOME: &[Case] = &[
        ("fails", |_| panic!("on purpose")),
        ("passes", |_| {
            RAN.fetch_add(1, Ordering::Relaxed);
        }),
    ];
    let Some(server) = ApiServer::shared() else {
        return;
    };
    let run = || suite::run("a server with a failing case", server.cluster(), None, SOME);
    let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_err();
    let text = failure.downcast_ref::<String>().unwrap();
    assert!(text.contains("1 of 2 cases failed") && text.contains("fails:\non purpose"));
    assert_eq!(RAN.load(Ordering::Relaxed), 1);
}

#[test]
fn a_fleet_is_created() {
    let Some(server) = ApiServer::shared() else {
        return;
    };
    let cluster = server.cluster();
    cluster.apply_crds(&DEFINITIONS);
    let created = cluster.create_many(fleet(40));
    let states = created.iter().filter(|vm| vm["status"]["printableStatus"] == "Running");
    assert_eq!((created.len(), states.count()), (40, 32));
}

#[test]
fn kubeconfigs_lead_where_they_say() {
    let Some(server) = ApiServer::shared() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let admin = server.kubeconfig_of("admin");
    let asks = |name: &str, kubeconfig: crate::support::kubeconfig::Kubeconfig| {
        let path = kubeconfig.write(folder.path(), name);
        let asked = Cluster::from_kubeconfig(&path).request(Method::GET, "/api/v1/nodes", None);
        match asked {
            Ok(_) => "ok".to_owned(),
            Err(kube::Error::Api(status)) => status.code.to_string(),
            Err(_) => "no connection".to_owned(),
        }
    };
    let proxy = Proxy::to(server.url());
    assert_eq!(asks("proxy", admin.clone().server(&proxy.url())), "ok");
    assert_eq!(proxy.accepted(), 1);
    assert_eq!(asks("ca", admin.clone().wrong_authority()), "no connection");
    assert_eq!(asks("nobody", admin.clone().without_credentials()), "403");
    assert_eq!(asks("token", admin.clone().token("wrong")), "401");
    assert_eq!(asks("shop", server.kubeconfig_of("shop")), "403");
    assert_eq!(asks("two", admin.and(server.kubeconfig_of("shop"))), "ok");
}

#[test]
fn a_server_of_ones_own_comes_and_goes() {
    let Some(mut server) = ApiServer::own() else {
        return;
    };
    let cluster = server.cluster().clone();
    cluster.namespace("kept");
    let asks = |path| cluster.request(Method::GET, path, None).is_ok();
    server.stop();
    assert!(!asks("/api/v1/namespaces/kept"));
    server.start();
    assert!(asks("/api/v1/namespaces/kept"));
    server.kill();
    assert!(!asks("/api/v1/namespaces/kept"));
    server.start();
    server.compact();
    assert!(!asks("/api/v1/namespaces?watch=1&resourceVersion=1&timeoutSeconds=1") || asks("/version"));
    let dir = server.dir().to_owned();
    drop(server);
    assert!(!dir.exists());
}
