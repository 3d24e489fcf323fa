//! Fields that are not known or said twice, strategic merges, and bodies that are no JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Story;
use super::reads::{MACHINES, MAPS, machine};
use super::step::{Step, Users, get, merge, post, put, strategic};
use crate::support::apiserver::ApiServer;
use crate::support::crds::Definitions;
use crate::support::embedded::Embedded;
use crate::support::suite::report;
use crate::support::{deadline, poll};

const ACCOUNTS: &str = "/api/v1/namespaces/{ns}/serviceaccounts";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const STRICT: &str = "?fieldValidation=Strict";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

fn map(name: &str, more: &Value) -> Value {
    let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    for (field, value) in more.as_object().unwrap() {
        map[field] = value.clone();
    }
    map
}

/// A machine with fields that there are not.
fn odd(name: &str) -> Value {
    let mut object = machine(name, &json!({}));
    object["spec"]["runStrateggy"] = "Always".into();
    object["spec"]["template"]["spec"]["domain"]["devices"]["disks"] = json!([{"name": "a", "bot": 1}]);
    object
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]},
    })
}

/// A message in protobuf: fields with their bytes, none of them long.
fn message(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let one = |(number, bytes): &(u8, &[u8])| {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], *bytes].concat()
    };
    fields.iter().flat_map(one).collect()
}

fn protobuf(kind: &str, raw: &[u8]) -> Vec<u8> {
    let about = message(&[(1, b"v1"), (2, kind.as_bytes())]);
    [b"k8s\0".as_slice(), &message(&[(1, &about), (2, raw)])].concat()
}

fn in_protobuf(what: &'static str, path: &str, kind: &str, raw: &[u8]) -> Step {
    post(what, path, &json!({})).bytes(protobuf(kind, raw)).header("content-type", PROTOBUF)
}

pub(super) const STORIES: &[Story] = &[
    ("fields: that are not known", || {
        let (maps, machines) = (format!("{MAPS}{STRICT}"), format!("{MACHINES}{STRICT}"));
        let dry = |path: &str, validation: &str| format!("{path}?dryRun=All{validation}");
        vec![
            post("of a map", &maps, &map("a", &json!({"foo": 1}))),
            post("several", &maps, &map("a", &json!({"bar": {"a": 1}, "foo": 1}))),
            post(
                "of the metadata",
                &maps,
                &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"foo": 1, "name": "a"}}),
            ),
            post("in the wrong case", &maps, &map("a", &json!({"Data": {}}))),
            post("of a container", format!("{PODS}{STRICT}"), &{
                let mut pod = pod("a");
                pod["spec"]["containers"][1]["env"] = json!([{"name": "x", "valu": "y"}]);
                pod
            }),
            post("told", dry(MAPS, "&fieldValidation=Warn"), &map("a", &json!({"foo": 1}))),
            post("told by default", dry(MAPS, ""), &map("a", &json!({"foo": 1}))),
            post("ignored", dry(MAPS, "&fieldValidation=Ignore"), &map("a", &json!({"foo": 1}))),
            post("of a machine", &machines, &odd("a")),
            post("of a machine, told", dry(MACHINES, ""), &odd("a")),
            post("of a machine, ignored", dry(MACHINES, "&fieldValidation=Ignore"), &odd("a")),
            post("of a machine's metadata", &machines, &{
                let mut object = machine("a", &json!({}));
                object["metadata"]["foo"] = 1.into();
                object
            }),
            post(
                "a validation that is not known",
                format!("{MAPS}?fieldValidation=Some"),
                &map("a", &json!({})),
            ),
            post("a map", MAPS, &map("a", &json!({"data": {"a": "b"}}))),
            post("a machine", MACHINES, &machine("a", &json!({}))),
            put("in an update", format!("{MAPS}/a{STRICT}"), &map("a", &json!({"foo": 1}))),
            put("in an update, told", format!("{MAPS}/a"), &map("a", &json!({"data": {"a": "c"}, "foo": 1}))),
            merge("in a merge", format!("{MAPS}/a{STRICT}"), &json!({"foo": 1})),
            merge("in a merge, told", format!("{MAPS}/a"), &json!({"foo": 1})),
            merge("in a machine's merge", format!("{MACHINES}/a{STRICT}"), &json!({"spec": {"foo": 1}})),
            merge("in a machine's merge, told", format!("{MACHINES}/a"), &json!({"spec": {"foo": 1}})),
            strategic(
                "in a strategic merge",
                format!("{MAPS}/a{STRICT}"),
                &json!({"foo": 1, "bar": ["a", {"b": true}]}),
            ),
            strategic("in a strategic merge, told", format!("{MAPS}/a"), &json!({"foo": 1})),
            get("it has none of them", format!("{MAPS}/a")),
        ]
    }),
    ("fields: of the wrong type", || {
        let with = |path: &str, value: Value| {
            let mut object = machine("a", &json!({}));
            *object.pointer_mut(path).unwrap() = value;
            object
        };
        let disk = |spec: Value| json!({"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "metadata": {"name": "a"}, "spec": spec});
        let disks = "/apis/cdi.kubevirt.io/v1beta1/namespaces/{ns}/datavolumes";
        let of_pod = |path: &str, value: Value| {
            let mut pod = pod("a");
            *pod.pointer_mut(path).unwrap() = value;
            pod
        };
        vec![
            post("a strategy", MACHINES, &with("/spec/runStrategy", json!(7))),
            post("a template", MACHINES, &with("/spec/template", json!("none"))),
            // A real server tells several in any order.
            post(
                "a machine's processors",
                MACHINES,
                &with("/spec/template/spec/domain", json!({"cpu": {"cores": "two"}, "devices": {}})),
            ),
            post(
                "a machine's volume",
                MACHINES,
                &with("/spec/template/spec", json!({"domain": {"devices": {}}, "volumes": [{"name": 1}]})),
            ),
            post("a specification", MACHINES, &with("/spec", json!([]))),
            post(
                "a disk",
                disks,
                &disk(json!({"source": {"blank": {}}, "storage": {"accessModes": "ReadWriteOnce"}})),
            ),
            post(
                "a good disk",
                disks,
                &disk(
                    json!({"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}}),
                ),
            ),
            merge("its priority", format!("{disks}/a"), &json!({"spec": {"preallocation": "yes"}})),
            post("an image", PODS, &of_pod("/spec/containers/0/image", json!(7))),
            post("containers", PODS, &of_pod("/spec/containers", json!({}))),
            post("a map's data", MAPS, &map("a", &json!({"data": [1]}))),
            post("a good pod", PODS, &pod("a")),
            merge("its network", format!("{PODS}/a"), &json!({"spec": {"hostNetwork": "yes"}})),
            strategic("its seconds", format!("{PODS}/a"), &json!({"spec": {"activeDeadlineSeconds": "x"}})),
        ]
    }),
    ("fields: said twice", || {
        let twice = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},\"data\":{\"a\":\"b\",\"a\":\"c\",\"a\":\"d\"}}";
        let machine =
            machine("a", &json!({})).to_string().replacen("\"spec\":", "\"spec\":{\"a\":1},\"spec\":", 1);
        let patch = "{\"metadata\":{\"labels\":{\"a\":\"b\",\"a\":\"c\"}}}";
        vec![
            post("in a map", format!("{MAPS}{STRICT}"), &json!({})).bytes(twice),
            post("in a map, told", MAPS, &json!({})).bytes(twice),
            post("in a machine", format!("{MACHINES}{STRICT}"), &json!({})).bytes(machine),
            strategic("in a strategic merge", format!("{MAPS}/a{STRICT}"), &json!({})).bytes(patch),
            strategic("in a strategic merge, told", format!("{MAPS}/a"), &json!({})).bytes(patch),
            merge("in a merge, told", format!("{MAPS}/a"), &json!({})).bytes(patch),
        ]
    }),
    ("bodies: in other formats", || {
        let metadata = message(&[(1, b"proto"), (11, &message(&[(1, b"a"), (2, b"b")]))]);
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml, labels: {a: \"1\"}}\nfoo: 1\ndata:\n  text: |\n    line\n";
        vec![
            in_protobuf(
                "a map",
                MAPS,
                "ConfigMap",
                &message(&[(1, &metadata), (2, &message(&[(1, b"a"), (2, b"b")]))]),
            ),
            get("it is there", format!("{MAPS}/proto")),
            in_protobuf(
                "a secret",
                "/api/v1/namespaces/{ns}/secrets",
                "Secret",
                &message(&[(1, &metadata), (2, &message(&[(1, b"a"), (2, b"b")]))]),
            ),
            in_protobuf("an account", ACCOUNTS, "ServiceAccount", &message(&[(1, &metadata)])),
            in_protobuf("another kind", MAPS, "Secret", &message(&[(1, &metadata)])),
            post("a map in YAML", MAPS, &json!({})).bytes(yaml).header("content-type", "application/yaml"),
            post("a machine in YAML", MACHINES, &json!({}))
                .bytes(
                    "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: yaml}\n\
                 spec: {runStrategy: Halted, template: {spec: {domain: {devices: {}}}}}\n",
                )
                .header("content-type", "application/yaml"),
        ]
    }),
    ("merges: strategic", || {
        let held = |metadata: Value| json!({"metadata": metadata});
        let account = format!("{ACCOUNTS}/a");
        let status = format!("{PODS}/a/status");
        vec![
            post("a map", MAPS, &map("a", &json!({"data": {"a": "1", "b": "2"}}))),
            strategic(
                "a key less and one more",
                format!("{MAPS}/a"),
                &json!({"data": {"a": null, "c": "3"}}),
            ),
            strategic("nothing", format!("{MAPS}/a"), &json!({})),
            strategic("all of them", format!("{MAPS}/a"), &json!({"data": {"$patch": "replace", "d": "4"}})),
            strategic("none of them", format!("{MAPS}/a"), &json!({"data": {"$patch": "delete"}})),
            strategic(
                "finalizers",
                format!("{MAPS}/a"),
                &held(json!({"finalizers": ["a.test/1", "a.test/2"]})),
            ),
            strategic("one more", format!("{MAPS}/a"), &held(json!({"finalizers": ["a.test/3"]}))),
            strategic(
                "one less",
                format!("{MAPS}/a"),
                &held(json!({"$deleteFromPrimitiveList/finalizers": ["a.test/1"]})),
            ),
            strategic(
                "another order",
                format!("{MAPS}/a"),
                &held(json!({"$setElementOrder/finalizers": ["a.test/2", "a.test/3"]})),
            ),
            strategic("no finalizers", format!("{MAPS}/a"), &held(json!({"finalizers": null}))),
            strategic("an old version", format!("{MAPS}/a"), &held(json!({"resourceVersion": "1"}))),
            strategic("no object", format!("{MAPS}/a"), &json!([])),
            strategic("no JSON", format!("{MAPS}/a"), &json!({})).bytes("{\"a\":"),
            strategic(
                "a directive that is not known",
                format!("{MAPS}/a"),
                &json!({"data": {"$patch": "turn"}}),
            ),
            strategic(
                "no primitive list",
                format!("{MAPS}/a"),
                &held(json!({"$deleteFromPrimitiveList": ["a"]})),
            ),
            strategic("what is not there", format!("{MAPS}/nobody"), &json!({})),
            strategic("a machine", format!("{MACHINES}/nobody"), &json!({})),
            post(
                "an account",
                ACCOUNTS,
                &json!({
                    "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"},
                    "secrets": [{"name": "a"}, {"name": "b"}], "imagePullSecrets": [{"name": "a"}],
                }),
            ),
            strategic("by name", &account, &json!({"secrets": [{"name": "c"}, {"name": "b"}]})),
            strategic("one goes", &account, &json!({"secrets": [{"name": "a", "$patch": "delete"}]})),
            strategic(
                "in order",
                &account,
                &json!({"$setElementOrder/secrets": [{"name": "b"}, {"name": "d"}, {"name": "c"}], "secrets": [{"name": "d"}]}),
            ),
            strategic("all anew", &account, &json!({"secrets": [{"$patch": "replace"}, {"name": "e"}]})),
            strategic("without a key", &account, &json!({"secrets": [{"namespace": "y"}]})),
            post("a pod", PODS, &pod("a")),
            strategic(
                "its images",
                format!("{PODS}/a"),
                &json!({"spec": {"containers": [{"name": "b", "image": "j"}]}}),
            ),
            strategic(
                "its state",
                &status,
                &json!({"status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Odd", "status": "True"}]}}),
            ),
            strategic(
                "its state again",
                &status,
                &json!({"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "x"}], "podIPs": [{"ip": "10.1.1.1"}]}}),
            ),
        ]
    }),
];

/// What a schema says of a field beside its description: its type, and how it is merged.
fn told(field: &Value) -> Value {
    let reference = field["allOf"][0]["$ref"].as_str().or(field["$ref"].as_str());
    let below = |key: &str| if field[key].is_object() { told(&field[key]) } else { Value::Null };
    json!({
        "ref": reference, "type": field["type"], "format": field["format"], "items": below("items"),
        "values": below("additionalProperties"), "strategy": field["x-kubernetes-patch-strategy"],
        "key": field["x-kubernetes-patch-merge-key"],
    })
}

/// The embedded server's tables of Kubernetes' own kinds say what a real server says.
#[test]
fn both_servers_describe_kubernetes_alike() {
    let Some(real) = ApiServer::shared() else { return };
    let embedded = Embedded::new();
    let users = [Users::new(|name| real.kubeconfig(name)), Users::new(|name| embedded.kubeconfig(name))];
    let (mut found, mut compared) = (Vec::new(), 0);
    for path in [
        "api/v1",
        "apis/apps/v1",
        "apis/rbac.authorization.k8s.io/v1",
        "apis/storage.k8s.io/v1",
        "apis/coordination.k8s.io/v1",
    ] {
        let [real, embedded] = users.each_ref().map(|users| {
            let answer = get("a description", format!("/openapi/v3/{path}")).send(users, "");
            answer["body"]["components"]["schemas"].clone()
        });
        for (name, own) in embedded.as_object().unwrap() {
            let theirs = &real[name];
            let names = |schema: &Value| -> Vec<String> {
                schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
            };
            let required = |schema: &Value| {
                let mut list = schema["required"].as_array().cloned().unwrap_or_default();
                list.sort_by_key(ToString::to_string);
                list
            };
            if names(own) != names(theirs) || required(own) != required(theirs) {
                found.push(format!("{name}: {:?}\n    {:?}", names(own), names(theirs)));
            }
            for field in names(own) {
                let (own, theirs) = (&own["properties"][&field], &theirs["properties"][&field]);
                // What is not looked into is not described.
                if own["x-kubernetes-preserve-unknown-fields"] != true && told(own) != told(theirs) {
                    found.push(format!("{name}.{field}: {}\n    {}", told(own), told(theirs)));
                }
                compared += 1;
            }
        }
    }
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    assert!(compared > 900, "{compared}");
    report(&format!("both servers: {compared} fields of Kubernetes' own kinds compared"));
}

/// Fields of the templates of disks that CDI knows, and so the lists; KubeVirt's definition of machines has them from an
/// older CDI, without these, and drops them.
const NEWER_THAN_KUBEVIRT: [&str; 4] = [
    "spec.serviceAccountName",
    "spec.source.http.checksum",
    "spec.source.http.insecureSkipVerify",
    "spec.source.vddk.certConfigMap",
];

/// Where a closed map of the embedded server has other fields than the schema of a definition, or other types.
fn unlike(path: &str, own: &Value, real: &Value, found: &mut Vec<String>) {
    if own["x-kubernetes-preserve-unknown-fields"] == true || own["allOf"].is_array() {
        return;
    }
    if own["type"] != real["type"] {
        found.push(format!("{path}: {} there, {} here", real["type"], own["type"]));
    }
    let names = |schema: &Value| -> BTreeSet<String> {
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    let (here, there) = (names(own), names(real));
    if own["properties"].is_object() && real["x-kubernetes-preserve-unknown-fields"] == true {
        found.push(format!("{path}: anything may stand there"));
    }
    found.extend(there.difference(&here).map(|name| format!("{path}.{name}: is not known here")));
    found.extend(here.difference(&there).map(|name| format!("{path}.{name}: is not known there")));
    for name in here.intersection(&there) {
        unlike(&format!("{path}.{name}"), &own["properties"][name], &real["properties"][name], found);
    }
    if own["items"].is_object() {
        unlike(&format!("{path}[]"), &own["items"], &real["items"], found);
    }
}

/// Where the embedded server closes a map of others' kinds, the definition of the kind has the same fields.
#[test]
fn lists_of_fields_are_those_of_the_definitions() {
    let Some(real) = ApiServer::shared() else { return };
    let Definitions::Real(_) = crate::cluster::define(real.cluster()) else {
        return report("skipped: the lists of fields need the real definitions, see V9S_TEST_DATA");
    };
    let embedded = Embedded::new();
    let users = [Users::new(|name| real.kubeconfig(name)), Users::new(|name| embedded.kubeconfig(name))];
    let mut found = Vec::new();
    for (group, version, kinds) in [
        (
            "kubevirt.io",
            "v1",
            &["VirtualMachine", "VirtualMachineInstance", "VirtualMachineInstanceMigration"][..],
        ),
        ("pool.kubevirt.io", "v1beta1", &["VirtualMachinePool"]),
        ("snapshot.kubevirt.io", "v1beta1", &["VirtualMachineSnapshot", "VirtualMachineRestore"]),
        ("cdi.kubevirt.io", "v1beta1", &["DataVolume", "DataSource", "DataImportCron"]),
        ("snapshot.storage.k8s.io", "v1", &["VolumeSnapshot"]),
        ("virt.virtink.smartx.com", "v1alpha1", &["VirtualMachine"]),
        ("build.kairos.io", "v1alpha2", &["OSArtifact"]),
    ] {
        let [real, embedded] = users.each_ref().map(|users| {
            let path = format!("/openapi/v3/apis/{group}/{version}");
            // A definition that is new is described a moment later.
            let asked = || {
                let answer = get("a description", &path).send(users, "");
                Some(answer["body"]["components"]["schemas"].clone()).filter(Value::is_object)
            };
            poll(deadline(), asked).unwrap_or_else(|| panic!("no {path}"))
        });
        let mut parts: Vec<&str> = group.split('.').collect();
        parts.reverse();
        for kind in kinds {
            let name = format!("{}.{version}.{kind}", parts.join("."));
            let [own, theirs] = [&embedded, &real].map(|schemas| &schemas[&name]["properties"]["spec"]);
            assert!(own["properties"].is_object() && theirs["properties"].is_object(), "{name}");
            unlike(&format!("{kind}.spec"), own, theirs, &mut found);
        }
    }
    let newer = |text: &str| {
        let field =
            NEWER_THAN_KUBEVIRT.map(|field| format!("dataVolumeTemplates[].{field}: is not known there"));
        field.iter().any(|field| text.ends_with(field))
    };
    let count = found.len();
    found.retain(|text| !newer(text));
    assert_eq!(count - found.len(), 2 * NEWER_THAN_KUBEVIRT.len(), "they are known there by now");
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}
