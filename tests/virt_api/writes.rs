//! What is written, and who may have it written.

use serde_json::{Value, json};

use super::ask::{ROOT, ask, path, verb};
use super::rows::{State, objects};
use crate::support::cluster::Cluster;
use crate::support::suite::{Case, Env};

pub(super) const CASES: &[Case] = &[
    ("writes: a start is tried and then done", |env| {
        let [machine, _] = make(env, State::Halted, "web");
        assert_eq!(put(env, "virtualmachines/web/start", "{\"dryRun\":[\"All\"]}"), 202);
        assert_eq!(now(env, &machine)["spec"]["runStrategy"], "Halted");
        assert_eq!(put(env, "virtualmachines/web/start", ""), 202);
        assert_eq!(now(env, &machine)["spec"]["runStrategy"], "Always");
    }),
    ("writes: a start and a stop by request", |env| {
        let [off, _] = make(env, State::ManualOff, "off");
        assert_eq!(put(env, "virtualmachines/off/start", "{\"paused\":true}"), 202);
        let requests = &now(env, &off)["status"]["stateChangeRequests"];
        assert_eq!(*requests, json!([{"action": "Start", "data": {"paused": "true"}}]));
        let reply = verb(&env.cluster, &env.namespace, "PUT virtualmachines/off/start", "");
        assert_eq!(reply.code, 500);
        assert!(reply.message().ends_with("unable to complete request: stop/start already underway"));

        let [machine, instance] = make(env, State::Running, "on");
        assert_eq!(put(env, "virtualmachines/on/restart", "{\"gracePeriodSeconds\":0}"), 202);
        let uid = instance["metadata"]["uid"].clone();
        let requests = now(env, &machine)["status"]["stateChangeRequests"].clone();
        assert_eq!(requests, json!([{"action": "Stop", "uid": uid}, {"action": "Start"}]));
        assert_eq!(now(env, &instance)["spec"]["terminationGracePeriodSeconds"], 1);
        assert_eq!(put(env, "virtualmachines/on/stop", "{\"gracePeriod\":0}"), 202);
        assert_eq!(now(env, &machine)["spec"]["runStrategy"], "Halted");
        assert_eq!(now(env, &instance)["spec"]["terminationGracePeriodSeconds"], 0);
    }),
    ("writes: many at once do not trip over one another", |env| {
        let [_, instance] = make(env, State::Running, "web");
        let codes: Vec<u16> = std::thread::scope(|scope| {
            let verbs = ["freeze", "pause", "unpause", "unfreeze", "softreboot"];
            let asked = verbs.map(|verb| {
                scope.spawn(move || put(env, &format!("virtualmachineinstances/web/{verb}"), "{}"))
            });
            asked.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        assert!(codes.iter().all(|code| matches!(code, 200 | 409)), "{codes:?}");
        assert!(now(env, &instance)["status"]["conditions"].as_array().is_some_and(|all| all.len() >= 2));
    }),
    ("writes: a guest is paused, frozen and let go", |env| {
        let [_, instance] = make(env, State::Running, "web");
        let paused = |instance: &Value| {
            let all = instance["status"]["conditions"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|one| one["type"] == "Paused")
        };
        assert_eq!(put(env, "virtualmachineinstances/web/pause", "{\"dryRun\":[\"All\"]}"), 200);
        assert_eq!(paused(&now(env, &instance)), None);
        assert_eq!(put(env, "virtualmachineinstances/web/pause", "{}"), 200);
        let found = paused(&now(env, &instance)).expect("the condition");
        assert_eq!(
            (&found["reason"], &found["message"]),
            (&json!("PausedByUser"), &json!("VMI was paused by user"))
        );
        assert_eq!(put(env, "virtualmachineinstances/web/unpause", "{}"), 200);
        assert_eq!(paused(&now(env, &instance)), None);
        assert_eq!(put(env, "virtualmachineinstances/web/freeze", "{}"), 200);
        assert_eq!(now(env, &instance)["status"]["fsFreezeStatus"], "frozen");
        let info =
            verb(&env.cluster, &env.namespace, "GET virtualmachineinstances/web/guestosinfo", "").json();
        assert_eq!(info["fsFreezeStatus"], "frozen");
        assert_eq!(info["os"]["prettyName"], "Fedora Linux 41");
        assert_eq!(put(env, "virtualmachineinstances/web/unfreeze", ""), 200);
        assert_eq!(now(env, &instance)["status"]["fsFreezeStatus"], Value::Null);
        let events = list(env, "/api/v1", "events");
        let reasons: Vec<&str> = events.iter().filter_map(|event| event["reason"].as_str()).collect();
        assert!(reasons.contains(&"Paused") && reasons.contains(&"Unpaused"), "{reasons:?}");
    }),
    ("writes: a migration is made", |env| {
        make(env, State::Running, "web");
        assert_eq!(put(env, "virtualmachines/web/migrate", "{\"dryRun\":[\"All\"]}"), 202);
        let all = || list(env, "/apis/kubevirt.io/v1", "virtualmachineinstancemigrations");
        assert!(all().is_empty());
        assert_eq!(put(env, "virtualmachines/web/migrate", ""), 202);
        let made = all();
        assert_eq!(made[0]["spec"]["vmiName"], "web");
        assert!(
            made[0]["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("kubevirt-migrate-vm-"))
        );
    }),
    ("writes: volumes are plugged in and out", |env| {
        let [machine, _] = make(env, State::Running, "web");
        let body = r#"{"name":"x","disk":{"disk":{"bus":"scsi"}},"volumeSource":{"persistentVolumeClaim":{"claimName":"c"}}}"#;
        let volumes = |env: &Env| {
            let spec = now(env, &machine)["spec"]["template"]["spec"].clone();
            let count = |list: &Value| list.as_array().map_or(0, Vec::len);
            (count(&spec["volumes"]), count(&spec["domain"]["devices"]["disks"]))
        };
        assert_eq!(put(env, "virtualmachines/web/addvolume", body), 202);
        assert_eq!(volumes(env), (2, 2));
        assert_eq!(put(env, "virtualmachines/web/addvolume", body), 409);
        assert_eq!(put(env, "virtualmachines/web/removevolume", "{\"name\":\"x\"}"), 202);
        assert_eq!(volumes(env), (1, 1));
    }),
    ("writes: a memory dump is asked for", |env| {
        let [machine, _] = make(env, State::Running, "web");
        env.cluster.create(json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": env.namespace, "name": "dump"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "4Gi"}}},
        }));
        assert_eq!(put(env, "virtualmachines/web/memorydump", "{\"claimName\":\"dump\"}"), 202);
        let asked = now(env, &machine)["status"]["memoryDumpRequest"].clone();
        assert_eq!((&asked["claimName"], &asked["phase"]), (&json!("dump"), &json!("Associating")));
        assert_eq!(put(env, "virtualmachines/web/removememorydump", ""), 202);
        assert_eq!(now(env, &machine)["status"]["memoryDumpRequest"]["phase"], "Dissociating");
    }),
    ("writes: an evacuation is called off", |env| {
        let [_, instance] = make(env, State::Running, "web");
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": env.namespace}});
        env.cluster.create(node.clone());
        env.cluster.patch(&instance, json!({"status": {"evacuationNodeName": env.namespace}}));
        let body = json!({"evacuationNodeName": env.namespace}).to_string();
        assert_eq!(put(env, "virtualmachines/web/evacuate/cancel", &body), 200);
        assert_eq!(now(env, &instance)["status"]["evacuationNodeName"], Value::Null);
        env.cluster.delete(&node);
    }),
    ("writes: an instance type and a preference are written out", |env| {
        let kind = |kind: &str, spec: Value| {
            let name = "small";
            json!({
                "apiVersion": "instancetype.kubevirt.io/v1beta1", "kind": kind,
                "metadata": {"namespace": env.namespace, "name": name}, "spec": spec,
            })
        };
        env.cluster.create(kind(
            "VirtualMachineInstancetype",
            json!({"cpu": {"guest": 2}, "memory": {"guest": "2Gi"}}),
        ));
        env.cluster.create(kind(
            "VirtualMachinePreference",
            json!({"cpu": {"preferredCPUTopology": "cores"}, "devices": {"preferredInterfaceModel": "virtio"}}),
        ));
        let [machine, _] = objects(State::Halted, &env.namespace, "web", "");
        let mut machine = machine.expect("a machine");
        machine["spec"]["instancetype"] = json!({"kind": "VirtualMachineInstancetype", "name": "small"});
        machine["spec"]["preference"] = json!({"kind": "VirtualMachinePreference", "name": "small"});
        machine["spec"]["template"]["spec"]["domain"]["memory"] = json!({});
        env.cluster.create(machine);
        let whole = verb(&env.cluster, &env.namespace, "GET virtualmachines/web/expand-spec", "").json();
        let domain = &whole["spec"]["template"]["spec"]["domain"];
        assert_eq!(
            (&domain["cpu"]["cores"], &domain["memory"]["guest"]),
            (&json!(2), &json!("2Gi")),
            "{whole}"
        );
        assert_eq!(domain["devices"]["interfaces"][0]["model"], "virtio");
        assert_eq!(whole["spec"]["instancetype"], Value::Null);
    }),
    ("formats: verbs make text, and say so", |env| {
        make(env, State::Running, "web");
        let accepting = |request: &str, accept: &str| {
            let (method, rest) = request.split_once(' ').expect("two words");
            let request = format!("{method} {}", path(&env.namespace, rest));
            ask(&env.cluster, &request, "", &[("accept", accept)])
        };
        for request in [
            "PUT virtualmachines/web/start",
            "PUT virtualmachines/web/migrate",
            "PUT virtualmachines/missing/stop",
            "PUT virtualmachineinstances/web/pause",
            "GET virtualmachineinstances/web/console",
        ] {
            let reply = accepting(request, "application/json");
            assert_eq!((reply.code, reply.message().as_str()), (406, "406: Not Acceptable"), "{request}");
            assert!(reply.json().is_null());
            assert_ne!(accepting(request, "application/json, */*").code, 406, "{request}");
        }
        for request in [
            "GET virtualmachineinstances/web/guestosinfo",
            "GET virtualmachineinstances/web/userlist",
            "GET virtualmachineinstances/web/filesystemlist",
            "GET virtualmachines/web/expand-spec",
        ] {
            let reply = accepting(request, "application/json");
            assert_eq!(
                (reply.code, reply.headers["content-type"].as_bytes()),
                (200, &b"application/json"[..])
            );
        }
        assert_eq!(accepting("GET virtualmachines/web/start", "*/*").code, 405);
        assert_eq!(accepting("PUT virtualmachines/web/fly", "*/*").code, 404);
    }),
    ("rights: sub-resources are rights of their own", |env| {
        make(env, State::Halted, "web");
        let shop = Cluster::from_kubeconfig(&env.user("shop").write(env.folder(), "shop"));
        let reply = verb(&shop, &env.namespace, "PUT virtualmachines/web/start", "");
        let why = format!(
            "virtualmachines.subresources.kubevirt.io \"web\" is forbidden: User \"shop-operator\" cannot update resource \
             \"virtualmachines/start\" in API group \"subresources.kubevirt.io\" in the namespace {:?}",
            env.namespace
        );
        assert_eq!((reply.code, reply.reason(), reply.message()), (403, "Forbidden".to_owned(), why));
        let forged = ask(
            &shop,
            &format!("PUT {}", path(&env.namespace, "virtualmachines/web/start")),
            "",
            &[("x-remote-user", "admin"), ("x-remote-group", "system:masters")],
        );
        assert_eq!(forged.code, 403);
        // In its own namespace it may.
        let name = format!("own-{}", env.namespace);
        let [machine, _] = objects(State::Halted, "shop", &name, "");
        let machine = env.cluster.create(machine.expect("a machine"));
        let reply =
            verb(&shop, "shop", &format!("PUT virtualmachines/{name}/start"), "{\"dryRun\":[\"All\"]}");
        assert_eq!(reply.code, 202, "{reply:?}");
        env.cluster.delete(&machine);
    }),
    ("discovery: the group is listed as KubeVirt lists it", |env| {
        let get =
            |path: &str, accept: &str| ask(&env.cluster, &format!("GET {path}"), "", &[("accept", accept)]);
        let groups = get("/apis", "application/json").json();
        let of_group = |one: &&Value| one["name"] == "subresources.kubevirt.io";
        let group = groups["groups"].as_array().and_then(|all| all.iter().find(of_group)).expect("the group");
        assert_eq!(group["preferredVersion"]["groupVersion"], "subresources.kubevirt.io/v1");
        assert_eq!(group["versions"].as_array().map(Vec::len), Some(2));
        let list = get(ROOT, "application/json").json();
        let resources = list["resources"].as_array().expect("resources");
        let console = resources
            .iter()
            .find(|one| one["name"] == "virtualmachineinstances/console")
            .expect("the console");
        assert!(console["verbs"].is_null() && console["kind"] == "");
        assert!(!resources.iter().any(|one| one["name"] == "virtualmachines/portforward"));
        let kubectl = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let all = get("/apis", kubectl).json();
        let of_group = |one: &&Value| one["metadata"]["name"] == "subresources.kubevirt.io";
        let group = all["items"].as_array().and_then(|all| all.iter().find(of_group)).expect("the group");
        let resources = group["versions"][0]["resources"].as_array().expect("resources");
        let machines = resources.iter().find(|one| one["resource"] == "virtualmachines").expect("machines");
        let parts = machines["subresources"].as_array().expect("parts");
        assert!(parts.iter().any(|one| one["subresource"] == "start"), "{parts:?}");
        assert!(get(&format!("{ROOT}/version"), "*/*").json()["gitVersion"].is_string());
        assert_eq!(get("/apis/subresources.kubevirt.io/v1alpha3", "*/*").code, 200);
    }),
];

/// Makes the machine and the VMI of a state; null for what it does not have.
fn make(env: &Env, state: State, name: &str) -> [Value; 2] {
    objects(state, &env.namespace, name, "node-1")
        .map(|one| one.map(|one| env.cluster.create(one)).unwrap_or_default())
}

fn now(env: &Env, object: &Value) -> Value {
    env.cluster.get(object).expect("the object")
}

fn put(env: &Env, rest: &str, body: &str) -> u16 {
    verb(&env.cluster, &env.namespace, &format!("PUT {rest}"), body).code
}

fn list(env: &Env, root: &str, plural: &str) -> Vec<Value> {
    let reply = ask(&env.cluster, &format!("GET {root}/namespaces/{}/{plural}", env.namespace), "", &[]);
    reply.json()["items"].as_array().cloned().unwrap_or_default()
}
