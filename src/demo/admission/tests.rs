//! What was asked of a real virt-api, asked of the embedded server.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{CONTROLLER, Nothing, Webhooks, default_instance, refuse_instance};
use crate::demo::server::testing::{Api, all_objects};
use crate::demo::server::{Admission as _, MASTERS, Review, User};

mod eviction;
mod others;
mod table;

pub(super) const VMS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
pub(super) const VMIS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";

/// A server with webhooks, asked by somebody who may do everything.
pub(super) fn api() -> Api {
    Api::with(|options| {
        options.admission = Some(Box::new(Webhooks));
        options.users.push(("token-of-controller".into(), User::new(CONTROLLER, &[MASTERS])));
    })
    .as_admin()
}

/// A machine with which nothing is wrong.
pub(super) fn good() -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "web"},
        "spec": {"runStrategy": "Halted", "template": {"metadata": {"labels": {"app": "web"}}, "spec": guest()}},
    })
}

fn guest() -> Value {
    json!({
        "domain": {
            "memory": {"guest": "1Gi"},
            "cpu": {"cores": 1},
            "devices": {
                "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                "interfaces": [{"name": "default", "masquerade": {}}],
            },
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
    })
}

pub(super) fn instance() -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "web"},
        "spec": guest(),
    })
}

/// Sets, or with null takes away, what stands at a path: `domain.devices.disks.0.serial`.
pub(super) fn set(object: &mut Value, path: &str, value: Value) {
    let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
    let mut at = object;
    for part in parent.split('.').filter(|part| !part.is_empty()) {
        at = match part.parse::<usize>() {
            Ok(place) => &mut at[place],
            Err(_) => &mut at[part],
        };
        if at.is_null() {
            *at = json!({});
        }
    }
    match (field.parse::<usize>(), at) {
        (Ok(place), Value::Array(list)) if place == list.len() => list.push(value),
        (Ok(place), Value::Array(list)) => list[place] = value,
        (_, at) if value.is_null() => {
            at.as_object_mut().unwrap().remove(field);
        }
        (_, at) => at[field] = value,
    }
}

/// Code, reason, fields of the causes, message.
pub(super) fn told(code: u16, status: &Value) -> (u16, String, Vec<String>, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let causes = status["details"]["causes"].as_array().cloned().unwrap_or_default();
    let fields = causes.iter().map(|cause| text(&cause["field"])).filter(|field| !field.is_empty());
    (code, text(&status["reason"]), fields.collect(), text(&status["message"]))
}

#[tokio::test]
async fn machines_are_filled_in_as_a_real_cluster_does() {
    let api = api();
    let (code, made) = api.post(VMS, good()).await;
    assert_eq!(code, 201, "{made}");
    let template = &made["spec"]["template"];
    let domain = &template["spec"]["domain"];
    assert_eq!(template["metadata"]["annotations"], json!({"kubevirt.io/pci-topology-version": "v3"}));
    assert_eq!(template["spec"]["architecture"], "amd64");
    assert_eq!(domain["machine"], json!({"type": "q35"}));
    assert_eq!(domain["resources"], json!({}));
    for field in ["uuid", "serial"] {
        assert_eq!(domain["firmware"][field].as_str().map(str::len), Some(36), "{made}");
    }
    assert_eq!(made["spec"]["runStrategy"], "Halted");
    assert_eq!(made["metadata"]["finalizers"], Value::Null);
    // What is there stays as it is, and so does everything when it is written again.
    let mut chosen = good();
    chosen["metadata"]["name"] = "chosen".into();
    set(&mut chosen, "spec.template.spec.domain.machine", json!({"type": "pc-q35-9.2"}));
    set(&mut chosen, "spec.template.spec.domain.firmware", json!({"uuid": "a", "serial": "b"}));
    let (_, made) = api.post(VMS, chosen).await;
    let domain = &made["spec"]["template"]["spec"]["domain"];
    assert_eq!(domain["machine"]["type"], "pc-q35-9.2");
    assert_eq!(domain["firmware"], json!({"uuid": "a", "serial": "b"}));
    let (code, again) = api.put(&format!("{VMS}/chosen"), made.clone()).await;
    assert_eq!((code, again), (200, made));
}

#[test]
fn instances_are_filled_in_as_a_real_cluster_does() {
    let mut vmi = instance();
    default_instance(&mut vmi);
    let domain = &vmi["spec"]["domain"];
    assert_eq!(domain["cpu"], json!({"cores": 1, "model": "host-model"}));
    assert_eq!(domain["features"], json!({"acpi": {"enabled": true}}));
    assert_eq!(domain["memory"], json!({"guest": "1Gi", "maxGuest": "4Gi"}));
    assert_eq!(domain["machine"]["type"], "q35");
    assert_eq!(vmi["spec"]["evictionStrategy"], "None");
    let filled = vmi.clone();
    default_instance(&mut vmi);
    assert_eq!(vmi, filled);
    // Where nothing is said, a disk for each volume and a way into the network.
    let mut bare = instance();
    set(&mut bare, "spec.domain", json!({"devices": {}, "memory": {"guest": "300M"}}));
    set(&mut bare, "spec.networks", Value::Null);
    default_instance(&mut bare);
    let domain = &bare["spec"]["domain"];
    assert_eq!(domain["devices"]["disks"], json!([{"name": "root", "disk": {}}]));
    assert_eq!(domain["devices"]["interfaces"], json!([{"name": "default", "bridge": {}}]));
    assert_eq!(bare["spec"]["networks"], json!([{"name": "default", "pod": {}}]));
    assert_eq!(domain["memory"]["maxGuest"], "1200000000");
    let cpu = json!({"cores": 1, "sockets": 1, "threads": 1, "maxSockets": 4, "model": "host-model"});
    assert_eq!(domain["cpu"], cpu);
    assert_eq!(refuse_instance(&bare), None);
}

#[tokio::test]
async fn an_instance_is_refused_where_its_machine_was_not() {
    let mut vmi = instance();
    set(&mut vmi, "spec.domain.memory", Value::Null);
    let text = "admission webhook \"virtualmachineinstances-create-validator.kubevirt.io\" denied the request: no memory \
                requested, at least one of 'spec.domain.memory.guest', 'spec.domain.memory.hugepages.pageSize' or \
                'spec.domain.resources.requests.memory' must be set";
    let mut filled = vmi.clone();
    default_instance(&mut filled);
    assert_eq!(refuse_instance(&filled).as_deref(), Some(text));
    let (code, status) = api().post(VMIS, vmi).await;
    assert_eq!(told(code, &status), (422, "Invalid".into(), vec![], text.into()));

    let mut vmi = instance();
    set(&mut vmi, "spec.architecture", json!("vax"));
    default_instance(&mut vmi);
    let why = refuse_instance(&vmi).unwrap();
    assert!(why.ends_with("denied the request: unsupported architecture: vax"), "{why}");
    let mut vmi = instance();
    default_instance(&mut vmi);
    set(&mut vmi, "spec.volumes.1", json!({"name": "x", "emptyDisk": {"capacity": "1Gi"}}));
    let why = refuse_instance(&vmi).unwrap();
    assert!(why.ends_with("denied the request: spec.domain.volumes[1].name 'x' not found."), "{why}");
}

#[tokio::test]
async fn only_the_controllers_change_an_instance() {
    let api = api();
    let (code, made) = api.post(VMIS, instance()).await;
    assert_eq!(code, 201, "{made}");
    let path = format!("{VMIS}/web");
    let change = json!({"spec": {"evictionStrategy": "LiveMigrate"}});
    let (code, status) = api.merge(&path, change.clone()).await;
    let text = "admission webhook \"virtualmachineinstances-update-validator.kubevirt.io\" denied the request: update of \
                VMI object is restricted";
    assert_eq!(told(code, &status), (422, "Invalid".into(), vec![], text.into()));
    let (code, _) =
        api.merge(&path, json!({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Running"}})).await;
    assert_eq!(code, 200);
    let (code, made) = api.as_user("controller").merge(&path, change).await;
    assert_eq!((code, &made["spec"]["evictionStrategy"]), (200, &json!("LiveMigrate")), "{made}");
    // One that is being deleted is let go of by whoever held it.
    let held = json!({"metadata": {"finalizers": ["example.com/held"]}});
    assert_eq!((api.merge(&path, held).await.0, api.delete(&path).await.0), (200, 200));
    let (code, _) = api.merge(&path, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!((code, api.get(&path).await.0), (200, 404));
}

#[tokio::test]
async fn changes_and_dry_runs_are_judged_as_well() {
    let api = api();
    let mut bad = good();
    set(&mut bad, "spec.template.spec.domain.devices.disks.0.cache", json!("fast"));
    let (code, status) = api.post(&format!("{VMS}?dryRun=All"), bad.clone()).await;
    let field = "spec.template.spec.domain.devices.disks[0].cache";
    let text = format!(
        "admission webhook \"virtualmachine-validator.kubevirt.io\" denied the request: {field} has invalid value fast"
    );
    let wanted = (422, "Invalid".to_owned(), vec![field.to_owned()], text);
    assert_eq!(told(code, &status), wanted);
    assert_eq!(api.get(&format!("{VMS}/web")).await.0, 404);

    let (_, made) = api.post(VMS, good()).await;
    let path = format!("{VMS}/web");
    let mut changed = made.clone();
    set(&mut changed, "spec.template.spec.domain.devices.disks.0.cache", json!("fast"));
    let (code, status) = api.put(&path, changed).await;
    assert_eq!(told(code, &status), wanted);
    let operations =
        json!([{"op": "add", "path": "/spec/template/spec/domain/devices/disks/0/cache", "value": "fast"}]);
    let (code, status) = api.json_patch(&path, operations).await;
    assert_eq!(told(code, &status), wanted);
    let disks = json!([{"name": "root", "cache": "fast"}]);
    let merge = json!({"spec": {"template": {"spec": {"domain": {"devices": {"disks": disks}}}}}});
    let (code, status) = api.merge(&path, merge).await;
    assert_eq!(told(code, &status), wanted);
    assert_eq!(api.get(&path).await, (200, made));
}

#[tokio::test]
async fn what_will_go_is_warned_of() {
    let api = api();
    let warnings = |reply: &crate::demo::server::testing::Reply| -> Vec<String> {
        reply.headers.get_all("warning").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    };
    let mut vm = good();
    set(&mut vm, "spec.runStrategy", Value::Null);
    set(&mut vm, "spec.running", json!(false));
    let json = api.with_header("content-type", "application/json");
    let reply = json.send(Method::POST, VMS, vm.to_string()).await;
    let running = "299 - \"spec.running is deprecated, please use spec.runStrategy instead.\"";
    assert_eq!((reply.code, warnings(&reply)), (201, vec![running.to_owned()]));
    let mut old = good();
    set(&mut old, "apiVersion", json!("kubevirt.io/v1alpha3"));
    set(&mut old, "metadata.name", json!("old"));
    let path = VMS.replace("/v1/", "/v1alpha3/");
    let version = "299 - \"kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.\"";
    for (method, path, code) in [
        (Method::POST, path.clone(), 201),
        (Method::POST, path.clone(), 409),
        (Method::GET, format!("{path}/old"), 200),
        (Method::GET, path.clone(), 200),
    ] {
        let reply = json.send(method, &path, old.to_string()).await;
        assert_eq!((reply.code, warnings(&reply)), (code, vec![version.to_owned()]), "{path}");
    }
    assert!(warnings(&api.send(Method::GET, VMS, "").await).is_empty());
}

#[test]
fn everything_in_the_demo_would_be_let_in() {
    let demo = crate::demo::start::Demo::new(crate::demo::start::Wishes::default()).unwrap();
    demo.add_machines(300).unwrap();
    let mut count = 0;
    for kind in all_objects(demo.server()) {
        let (group, plural, namespace, object) = kind;
        for old in [None, Some(&object)] {
            // Instances there have run through the webhook long ago, and claims and migrations are under way.
            let runs = matches!(plural, "virtualmachineinstancemigrations" | "virtualmachinemigrations")
                || plural == "datavolumes";
            if old.is_none() && runs {
                continue;
            }
            let around: &dyn crate::demo::server::Lookup = &Nothing;
            let review = Review { group, plural, namespace: &namespace, old, user: "", around };
            let mut written = object.clone();
            let judged = Webhooks
                .mutate(&review, &mut written)
                .and_then(|()| Webhooks.validate(&Review { old: old.map(|_| &written), ..review }, &written));
            assert!(judged.is_ok(), "{plural} {}: {judged:?}", object["metadata"]["name"]);
            count += 1;
        }
    }
    assert!(count > 500, "{count}");
}

fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        "[+-]?[0-9.]{0,40}[eEinumkKMGTP]{0,2}[-+]?[0-9]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Places in a machine at which something is put.
const PLACES: &[&str] = &[
    "spec",
    "spec.template",
    "spec.template.metadata",
    "spec.template.spec",
    "spec.template.spec.domain",
    "spec.template.spec.domain.cpu",
    "spec.template.spec.domain.cpu.cores",
    "spec.template.spec.domain.memory",
    "spec.template.spec.domain.memory.guest",
    "spec.template.spec.domain.memory.maxGuest",
    "spec.template.spec.domain.memory.hugepages",
    "spec.template.spec.domain.resources.requests",
    "spec.template.spec.domain.resources.limits.memory",
    "spec.template.spec.domain.firmware",
    "spec.template.spec.domain.devices",
    "spec.template.spec.domain.devices.disks",
    "spec.template.spec.domain.devices.disks.0",
    "spec.template.spec.domain.devices.disks.0.bootOrder",
    "spec.template.spec.domain.devices.interfaces",
    "spec.template.spec.domain.devices.interfaces.0.ports",
    "spec.template.spec.volumes",
    "spec.template.spec.volumes.0",
    "spec.template.spec.networks.0",
    "spec.template.spec.accessCredentials",
    "spec.template.spec.affinity",
    "spec.dataVolumeTemplates",
    "spec.virtualMachineTemplate",
    "spec.selector",
    "spec.source",
    "spec.sourceRef",
    "spec.storage",
    "spec.instance",
    "spec.instance.memory.size",
    "spec.instance.interfaces",
    "spec.volumes",
    "spec.domain",
    "status",
    "metadata.labels",
];

proptest! {
    #[test]
    fn nothing_makes_it_panic(value in arbitrary(), place in 0..PLACES.len(), whole in any::<bool>()) {
        let mut object = if whole { json!({"metadata": {}}) } else { good() };
        if whole {
            object["spec"] = value;
        } else {
            set(&mut object, PLACES[place], value);
        }
        for (_, group, plural, _, _) in super::VALIDATING {
            for old in [None, Some(&good())] {
                let review = Review { group, plural, namespace: "a", old, user: "", around: &Nothing };
                let mut written = object.clone();
                let _ = Webhooks.mutate(&review, &mut written);
                let _ = Webhooks.validate(&review, &written);
                let _ = Webhooks.validate(&review, &object);
            }
        }
        let mut vmi = object;
        default_instance(&mut vmi);
        let _ = refuse_instance(&vmi);
    }
}
