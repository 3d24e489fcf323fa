//! Those who live on the demo's cluster, and a machine of somebody else, on any server.

use std::time::Duration;

use serde_json::{Value, json};
use v9s::demo::platform::install;
use v9s::demo::tenants;

use super::stage::Stage;
use crate::support::cluster::runtime;
use crate::support::{deadline, poll};

/// A machine of the demo, the word for its state, and what stands in its DataVolume: the phase, and the reason of the
/// condition `Running` (or `Bound`, where that says it).
type Tenant = (&'static str, &'static str, &'static [&'static str], &'static str);

const TENANTS: &[Tenant] = &[
    ("shop", "web-0", &["Running"], "Succeeded"),
    ("shop", "web-1", &["Running"], "Succeeded"),
    ("shop", "web-2", &["Running"], ""),
    ("shop", "db-0", &["Running"], "Succeeded"),
    ("lab", "win-desk", &["Running"], "Succeeded"),
    ("lab", "cirros", &["Running"], ""),
    ("lab", "frozen", &["Paused"], ""),
    ("lab", "flaky", &["CrashLoopBackOff", "Starting"], ""),
    ("lab", "huge", &["ErrorUnschedulable"], ""),
    ("lab", "roamer", &["Running", "Migrating"], ""),
    ("lab", "runners-2", &["Running"], ""),
    ("lab", "attic", &["Stopped"], ""),
    ("stuck", "http-404", &["DataVolumeError", "Provisioning"], "ImportInProgress"),
    ("stuck", "checksum", &["DataVolumeError"], "Failed"),
    ("stuck", "too-small", &["DataVolumeError", "Provisioning"], "ImportInProgress"),
    ("stuck", "first-consumer", &["Stopped"], "PendingPopulation"),
    ("stuck", "no-default-class", &["Provisioning"], ""),
    ("stuck", "quota", &["Provisioning"], "Pending"),
    ("stuck", "dns", &["DataVolumeError", "Provisioning"], "ImportInProgress"),
    ("stuck", "tls", &["DataVolumeError", "Provisioning"], "ImportInProgress"),
    ("stuck", "registry-auth", &["DataVolumeError", "Provisioning"], "ImportInProgress"),
    ("stuck", "scratch-pending", &["Provisioning"], "ImportScheduled"),
    ("stuck", "importer-oom", &["Provisioning"], ""),
    ("stuck", "datasource-without-source", &["Provisioning"], ""),
    ("stuck", "slow-but-fine", &["Provisioning"], "ImportInProgress"),
];

fn object(api: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}})
}

/// Everybody moves in; five minutes later all are where they should be, and what is stuck shows why.
pub(super) fn every_tenant_is_as_it_should_be(stage: &Stage) {
    let objects = tenants::all(10250).expect("documents");
    runtime().block_on(install(&stage.cluster.client(), objects)).expect("all objects to be taken");
    for _ in 0..300 {
        stage.advance(Duration::from_secs(1));
    }
    let mut wrong = Vec::new();
    for (namespace, name, states, phase) in TENANTS {
        let vm = stage
            .cluster
            .get(&object("kubevirt.io/v1", "VirtualMachine", namespace, name))
            .unwrap_or_default();
        let state = vm["status"]["printableStatus"].as_str().unwrap_or_default().to_owned();
        if !states.contains(&state.as_str()) {
            wrong.push(format!("{namespace}/{name} is {state:?}, not {states:?}: {}", vm["status"]));
        }
        let disk =
            vm["spec"]["dataVolumeTemplates"][0]["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if phase.is_empty() || disk.is_empty() {
            continue;
        }
        let disk = stage
            .cluster
            .get(&object("cdi.kubevirt.io/v1beta1", "DataVolume", namespace, &disk))
            .unwrap_or_default();
        if disk["status"]["phase"] != *phase {
            wrong.push(format!("the disk of {namespace}/{name} is not {phase}: {}", disk["status"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A machine that somebody makes with a template of a disk and cloud-init is imported, starts, runs, stops, and goes with all that it owned.
pub(super) fn a_machine_lives_from_its_creation_to_its_end(stage: &Stage) {
    let namespace = format!("life-{:04x}", fastrand::u16(..));
    stage.cluster.namespace(&namespace);
    let vm = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "mine", "namespace": namespace},
        "spec": {
            "runStrategy": "Always",
            "dataVolumeTemplates": [{
                "metadata": {"name": "mine-root"},
                "spec": {
                    "source": {"http": {"url": "https://images.example.test/anything.qcow2"}},
                    "storage": {"resources": {"requests": {"storage": "2Gi"}}},
                },
            }],
            "template": {"spec": {
                "domain": {
                    "memory": {"guest": "1Gi"},
                    "devices": {
                        "disks": [
                            {"name": "root", "disk": {"bus": "virtio"}}, {"name": "cloud-init", "disk": {"bus": "virtio"}},
                        ],
                        "interfaces": [{"name": "default", "masquerade": {}}],
                    },
                },
                "networks": [{"name": "default", "pod": {}}],
                "volumes": [
                    {"name": "root", "dataVolume": {"name": "mine-root"}},
                    {"name": "cloud-init", "cloudInitNoCloud": {"userData": "#cloud-config\nhostname: mine\n"}},
                ],
            }},
        },
    });
    let state = |wanted: &'static str| move |vm: &Value| vm["status"]["printableStatus"] == wanted;
    stage.saw(&stage.cluster.create(vm.clone()));
    stage.until(&vm, "importing", 60, state("Provisioning"));
    stage.until(&vm, "running", 300, state("Running"));
    let instance = object("kubevirt.io/v1", "VirtualMachineInstance", &namespace, "mine");
    let address = |vmi: &Value| vmi["status"]["interfaces"][0]["ipAddress"].is_string();
    stage.until(&instance, "reachable", 60, address);
    stage.saw(&stage.cluster.patch(&vm, json!({"spec": {"runStrategy": "Halted"}})));
    stage.until(&vm, "stopped", 120, state("Stopped"));
    assert_eq!(stage.cluster.get(&instance), None);
    stage.cluster.delete(&vm);
    let owned = [
        vm.clone(),
        object("cdi.kubevirt.io/v1beta1", "DataVolume", &namespace, "mine-root"),
        object("v1", "PersistentVolumeClaim", &namespace, "mine-root"),
    ];
    let gone = || {
        stage.advance(Duration::from_secs(1));
        owned.iter().all(|one| stage.cluster.get(one).is_none()).then_some(())
    };
    poll(deadline(), gone).expect("something of the machine stays");
    stage.clear(&namespace);
}
