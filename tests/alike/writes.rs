//! Creating, changing and deleting.

use http::Method;
use serde_json::{Value, json};

use super::Story;
use super::reads::{MACHINES, MAPS, machine};
use super::step::{Step, delete, get, json_patch, merge, post, put};

fn map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn named(metadata: &Value) -> Value {
    let mut object = machine("x", &json!({}));
    object["metadata"] = metadata.clone();
    object
}

fn bad(what: &'static str, metadata: &Value) -> Step {
    post(what, MACHINES, &named(metadata))
}

pub(super) const STORIES: &[Story] = &[
    ("writes: authors", || {
        let by = |path: &str, name: &str| format!("{path}?fieldManager={name}");
        let (web, map_m) = (format!("{MACHINES}/web"), format!("{MAPS}/m"));
        vec![
            post("a machine", by(MACHINES, "anna"), &machine("web", &json!({"a": "b"}))),
            merge("its label", by(&web, "ben"), &json!({"metadata": {"labels": {"a": "c", "d": "e"}}})),
            merge(
                "its template",
                by(&web, "ben"),
                &json!({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}),
            ),
            merge(
                "its state",
                by(&format!("{web}/status"), "virt-controller"),
                &json!({"status": {
                    "printableStatus": "Running", "ready": true, "conditions": [{"type": "Ready", "status": "True"}],
                }}),
            ),
            merge(
                "its label is taken away",
                by(&web, "carla"),
                &json!({"metadata": {"labels": {"a": null}}}),
            ),
            merge(
                "its finalizers",
                by(&web, "carla"),
                &json!({"metadata": {"finalizers": ["a.b/c", "a.b/d"]}}),
            ),
            merge("one of them", by(&web, "anna"), &json!({"metadata": {"finalizers": ["a.b/d"]}})),
            merge("none of them", by(&web, "anna"), &json!({"metadata": {"finalizers": null}})),
            merge("they are not cleared", &web, &json!({"metadata": {"managedFields": []}})),
            merge("they are cleared", &web, &json!({"metadata": {"managedFields": [{}]}})),
            merge("nobody comes back", by(&web, "anna"), &json!({"metadata": {"labels": {"a": "x"}}})),
            post("a map", by(MAPS, "anna"), &map("m", &json!({"a": "1", "b": "2"}))),
            merge("an entry", by(&map_m, "ben"), &json!({"data": {"a": "2", "c": null}})),
            merge("nothing", by(&map_m, "carla"), &json!({"data": {"a": "2"}})),
            merge("no entry", by(&map_m, "ben"), &json!({"data": null})),
            post("a long name", by(MAPS, &"x".repeat(129)), &map("n", &json!({}))),
            post("a name with a line's end", by(MAPS, "a%0Ab"), &map("n", &json!({}))),
        ]
    }),
    ("writes: creating", || {
        vec![
            post("a machine", MACHINES, &machine("web", &json!({"a": "b"}))),
            post("it again", MACHINES, &machine("web", &json!({}))),
            post("a dry run", format!("{MACHINES}?dryRun=All"), &machine("dry", &json!({}))),
            get("nothing of it", format!("{MACHINES}/dry")),
            post(
                "a dry run that is not known",
                format!("{MACHINES}?dryRun=Some"),
                &machine("dry", &json!({})),
            ),
            post("a status is left out", MACHINES, &{
                let mut object = machine("told", &json!({}));
                object["status"] = json!({"printableStatus": "Running"});
                object
            }),
            bad("without a name", &json!({})),
            bad("with a bad name", &json!({"name": "Web_1"})),
            bad("with a long name", &json!({"name": "n".repeat(254)})),
            bad("with a bad label", &json!({"name": "x", "labels": {"a b": "c"}})),
            bad("with a bad label value", &json!({"name": "x", "labels": {"a": "c d"}})),
            bad("with a long label", &json!({"name": "x", "labels": {"a": "c".repeat(64)}})),
            bad("with a bad annotation", &json!({"name": "x", "annotations": {"a b": "c"}})),
            bad("in another namespace", &json!({"name": "x", "namespace": "elsewhere"})),
            bad("with a version", &json!({"name": "x", "resourceVersion": "7"})),
            bad("with a bad owner", &json!({"name": "x", "ownerReferences": [{"name": "y"}]})),
            bad("with a bad finalizer", &json!({"name": "x", "finalizers": ["a b"]})),
            post("of another kind", MACHINES, &map("x", &json!({}))),
            post("of another version", MACHINES, &{
                let mut object = machine("x", &json!({}));
                object["apiVersion"] = "kubevirt.io/v1alpha3".into();
                object
            }),
            post("without a kind", MACHINES, &json!({"metadata": {"name": "x"}})),
            post("no object", MACHINES, &json!([1, 2])),
            post("no JSON", MACHINES, &json!({})).bytes("{\"a\":"),
            post("nothing", MACHINES, &json!({})).bytes(""),
            post("plain text", MACHINES, &machine("x", &json!({}))).header("content-type", "text/plain"),
            post(
                "into a namespace that is not there",
                "/api/v1/namespaces/no-such/configmaps",
                &map("x", &json!({})),
            ),
            post("a name in the path", format!("{MACHINES}/x"), &machine("x", &json!({}))),
        ]
    }),
    ("writes: built-in kinds", || {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"userdata": "x"}, "immutable": true,
        });
        let secrets = "/api/v1/namespaces/{ns}/secrets";
        vec![
            post("a map", MAPS, &map("m", &json!({"a": "1"}))),
            post("a map with a bad key", MAPS, &map("n", &json!({"a b": "1"}))),
            merge("the same again", format!("{MAPS}/m"), &json!({"data": {"a": "1"}})),
            merge("a key more", format!("{MAPS}/m"), &json!({"data": {"b": "2"}})),
            merge("a key less", format!("{MAPS}/m"), &json!({"data": {"a": null}})),
            post("a secret", secrets, &secret),
            merge("it cannot change", format!("{secrets}/s"), &json!({"data": {"userdata": "eA=="}})),
            post(
                "a namespace with a bad name",
                "/api/v1/namespaces",
                &json!({
                    "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a.b"},
                }),
            ),
            delete("the map", format!("{MAPS}/m")),
            delete("it again", format!("{MAPS}/m")),
        ]
    }),
    ("writes: updating", || {
        let change = |field: &str, value: Value| {
            let mut object = machine("web", &json!({}));
            object[field] = value;
            object
        };
        vec![
            post("a machine", MACHINES, &machine("web", &json!({}))),
            put("without a version", format!("{MACHINES}/web"), &machine("web", &json!({"a": "b"}))),
            put(
                "with an old version",
                format!("{MACHINES}/web"),
                &change("metadata", json!({"name": "web", "resourceVersion": "1"})),
            ),
            put(
                "with another UID",
                format!("{MACHINES}/web"),
                &change(
                    "metadata",
                    json!({
                        "name": "web", "uid": "6dd6e6a1-2a1f-4a39-8c10-1f1f1f1f1f1f", "resourceVersion": "1",
                    }),
                ),
            ),
            put("under another name", format!("{MACHINES}/web"), &machine("db", &json!({}))),
            put("what is not there", format!("{MACHINES}/db"), &machine("db", &json!({}))),
            put("without a name in the path", MACHINES, &machine("web", &json!({}))),
            post("a map", MAPS, &map("m", &json!({"a": "1"}))),
            put("a map without a version", format!("{MAPS}/m"), &map("m", &json!({"a": "2"}))),
        ]
    }),
    ("writes: patching", || {
        let path = format!("{MACHINES}/web");
        vec![
            post("a machine", MACHINES, &machine("web", &json!({"a": "b"}))),
            merge("a label", &path, &json!({"metadata": {"labels": {"c": "d"}}})),
            merge("nothing", &path, &json!({})),
            merge("the specification", &path, &json!({"spec": {"runStrategy": "Always"}})),
            merge("a status on the object", &path, &json!({"status": {"printableStatus": "Running"}})),
            merge("the status", format!("{path}/status"), &json!({"status": {"printableStatus": "Running"}})),
            merge(
                "another field by the status",
                format!("{path}/status"),
                &json!({"spec": {"runStrategy": "Halted"}}),
            ),
            get("the status alone", format!("{path}/status")),
            merge("an old version", &path, &json!({"metadata": {"resourceVersion": "1"}})),
            merge(
                "another UID",
                &path,
                &json!({"metadata": {"uid": "6dd6e6a1-2a1f-4a39-8c10-1f1f1f1f1f1f"}}),
            ),
            merge("another name", &path, &json!({"metadata": {"name": "db"}})),
            merge("no object", &path, &json!([])),
            merge("what is not there", format!("{MACHINES}/nobody"), &json!({})),
            json_patch(
                "an operation",
                &path,
                &json!([{"op": "replace", "path": "/spec/runStrategy", "value": "Halted"}]),
            ),
            json_patch(
                "a test that holds",
                &path,
                &json!([
                    {"op": "test", "path": "/spec/runStrategy", "value": "Halted"},
                    {"op": "add", "path": "/metadata/labels/e", "value": "f"},
                ]),
            ),
            json_patch(
                "a test that fails",
                &path,
                &json!([{"op": "test", "path": "/spec/runStrategy", "value": "Always"}]),
            ),
            json_patch(
                "a path that is not there",
                &path,
                &json!([{"op": "remove", "path": "/spec/nothing"}]),
            ),
            json_patch("an operation that is not known", &path, &json!([{"op": "turn", "path": "/spec"}])),
            json_patch("no list", &path, &json!({"a": 1})),
            merge(
                "a dry run",
                format!("{path}?dryRun=All"),
                &json!({"metadata": {"labels": {"dry": "yes"}}}),
            ),
            get("it did nothing", &path),
            merge("strategic", &path, &json!({}))
                .header("content-type", "application/strategic-merge-patch+json"),
            merge("a type that is not known", &path, &json!({})).header("content-type", "application/json"),
        ]
    }),
    ("deletes: one", || {
        vec![
            post("a machine", MACHINES, &machine("web", &json!({}))),
            delete("a dry run", format!("{MACHINES}/web?dryRun=All")),
            delete("another UID", format!("{MACHINES}/web"))
                .json(&json!({"preconditions": {"uid": "6dd6e6a1-2a1f-4a39-8c10-1f1f1f1f1f1f"}})),
            delete("it", format!("{MACHINES}/web")),
            delete("it again", format!("{MACHINES}/web")),
            post(
                "with a finalizer",
                MACHINES,
                &named(&json!({"name": "held", "finalizers": ["example.test/hold"]})),
            ),
            delete("it stays", format!("{MACHINES}/held")),
            get("with a time", format!("{MACHINES}/held")),
            delete("once more", format!("{MACHINES}/held")),
            merge(
                "no more finalizers may come",
                format!("{MACHINES}/held"),
                &json!({"metadata": {"finalizers": ["example.test/hold", "example.test/more"]}}),
            ),
            merge(
                "the finalizer goes",
                format!("{MACHINES}/held"),
                &json!({"metadata": {"finalizers": null}}),
            ),
            get("and so it is gone", format!("{MACHINES}/held")),
            delete("a map by options", format!("{MAPS}/nobody"))
                .json(&json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Sideways"})),
        ]
    }),
    ("deletes: many", || {
        let mut steps = super::reads::made();
        steps.extend([
            delete("by label", format!("{MACHINES}?labelSelector=tier%3Dfront")),
            get("the others", MACHINES),
            delete("all", MACHINES),
            get("none", MACHINES),
        ]);
        steps
    }),
    ("deletes: pods", || {
        let pods = "/api/v1/namespaces/{ns}/pods";
        let pod = |name: &str| {
            json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                "spec": {"containers": [{"name": "a", "image": "i"}], "terminationGracePeriodSeconds": 20},
            })
        };
        let bind = json!({
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"},
            "target": {"apiVersion": "v1", "kind": "Node", "name": "no-such-node"},
        });
        vec![
            post("a pod that waits", pods, &pod("waits")),
            delete("it goes at once", format!("{pods}/waits")),
            get("gone", format!("{pods}/waits")),
            post("a pod", pods, &pod("web")),
            post("it is bound", format!("{pods}/web/binding"), &bind),
            post("it is bound again", format!("{pods}/web/binding"), &bind),
            get("its log", format!("{pods}/web/log")),
            get("a log of nobody", format!("{pods}/nobody/log")),
            get("a log of no container", format!("{pods}/web/log?container=z")),
            delete("it stays for a while", format!("{pods}/web")),
            delete("it goes", format!("{pods}/web?gracePeriodSeconds=0")),
            get("gone too", format!("{pods}/web")),
            post("one to be evicted", pods, &pod("evicted")),
            post(
                "its eviction",
                format!("{pods}/evicted/eviction"),
                &json!({
                    "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "evicted"},
                }),
            ),
            get("what is left", format!("{pods}?labelSelector=x")),
        ]
    }),
    ("scales: a pool", || {
        let pools = "/apis/pool.kubevirt.io/v1beta1/namespaces/{ns}/virtualmachinepools";
        let pool = json!({
            "apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "metadata": {"name": "p"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": {"a": "b"}},
                "virtualMachineTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": machine("x", &json!({}))["spec"]},
            },
        });
        vec![
            post("a pool", pools, &pool),
            get("its scale", format!("{pools}/p/scale")),
            merge("three of them", format!("{pools}/p/scale"), &json!({"spec": {"replicas": 3}})),
            merge("less than none", format!("{pools}/p/scale"), &json!({"spec": {"replicas": -1}})),
            get("the pool", format!("{pools}/p")),
            get("the scale of what does not scale", format!("{MACHINES}/p/scale")),
        ]
    }),
    ("verbs: those that are not served", || {
        vec![
            get(
                "an instance's status",
                "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstances/x/status",
            ),
            put("a collection", MAPS, &map("m", &json!({}))),
            merge("a collection patched", MAPS, &json!({})),
            get("a sub-resource that is not known", format!("{MACHINES}/x/gadget")),
            get("all of a namespace's log", "/api/v1/namespaces/{ns}/log"),
            get("an odd method", MAPS).method(Method::TRACE),
        ]
    }),
];
