use serde_json::json;

use super::*;
use crate::demo::server::kinds::Kind;
use crate::demo::server::schema::of;

fn merged(kind: &str, original: &Value, patch: &Value) -> Result<Value, Bad> {
    let api_version = if kind == "Deployment" { "apps/v1" } else { "v1" };
    let kind = Kind::of_object(api_version, kind).unwrap();
    let map = |value: &Value| value.as_object().unwrap().clone();
    merge(map(original), map(patch), of(kind)).map(Value::Object)
}

/// A kind, an object, a patch and what it makes of the object.
fn check(cases: &[(&str, Value, Value, Value)]) {
    for (kind, original, patch, wanted) in cases {
        let got = merged(kind, original, patch);
        assert_eq!(got.as_ref(), Ok(wanted), "{kind} {original} + {patch}");
    }
}

#[test]
fn maps_are_merged() {
    check(&[
        ("ConfigMap", json!({"data": {"a": "1"}}), json!({}), json!({"data": {"a": "1"}})),
        (
            "ConfigMap",
            json!({"data": {"a": "1", "b": "2"}}),
            json!({"data": {"a": null, "c": "3"}}),
            json!({"data": {"b": "2", "c": "3"}}),
        ),
        ("ConfigMap", json!({}), json!({"data": {"a": "1", "b": null}}), json!({"data": {"a": "1"}})),
        (
            "ConfigMap",
            json!({"data": {"a": "1"}}),
            json!({"data": {"$patch": "replace", "b": "2"}}),
            json!({"data": {"b": "2"}}),
        ),
        (
            "ConfigMap",
            json!({"data": {"a": "1"}}),
            json!({"data": {"$patch": "delete"}}),
            json!({"data": {}}),
        ),
        ("ConfigMap", json!({}), json!({"data": {"$patch": "replace", "b": "2"}}), json!({})),
        // A value of another type takes the place of the old one; whether it may stand there is asked later.
        ("ConfigMap", json!({"data": {"a": "1"}}), json!({"data": ["a"]}), json!({"data": ["a"]})),
        (
            "Deployment",
            json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}),
            json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
            json!({"spec": {"strategy": {"type": "Recreate"}}}),
        ),
    ]);
}

#[test]
fn lists_of_maps_are_merged_by_their_keys() {
    let pod = |containers: Value| json!({"spec": {"containers": containers}});
    check(&[
        (
            "Pod",
            pod(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
            pod(json!([{"name": "b", "image": "2"}])),
            pod(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "2"}])),
        ),
        // What is new comes first, unless an order is given.
        (
            "Pod",
            pod(json!([{"name": "a"}])),
            pod(json!([{"name": "c", "image": null}])),
            pod(json!([{"name": "c"}, {"name": "a"}])),
        ),
        (
            "Pod",
            pod(json!([{"name": "a"}, {"name": "b"}])),
            json!({"spec": {"$setElementOrder/containers": [{"name": "a"}, {"name": "c"}, {"name": "b"}], "containers": [{"name": "c"}]}}),
            pod(json!([{"name": "a"}, {"name": "c"}, {"name": "b"}])),
        ),
        // Others keep their places among those that were there.
        (
            "Pod",
            pod(json!([{"name": "x"}, {"name": "a"}, {"name": "b"}])),
            json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}),
            pod(json!([{"name": "x"}, {"name": "b"}, {"name": "a"}])),
        ),
        (
            "Pod",
            pod(json!([{"name": "a"}, {"name": "b"}])),
            pod(json!([{"name": "a", "$patch": "delete"}, {"name": "nobody", "$patch": "delete"}])),
            pod(json!([{"name": "b"}])),
        ),
        (
            "Pod",
            pod(json!([{"name": "a"}, {"name": "b"}])),
            pod(json!([{"$patch": "replace"}, {"name": "c"}])),
            pod(json!([{"name": "c"}])),
        ),
        (
            "Pod",
            pod(
                json!([{"name": "a", "env": [{"name": "X", "value": "1"}], "ports": [{"containerPort": 80}], "args": ["1"]}]),
            ),
            pod(
                json!([{"name": "a", "env": [{"name": "Y", "value": "2"}], "ports": [{"containerPort": 80, "name": "web"}], "args": ["2"]}]),
            ),
            pod(
                json!([{"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "1"}], "ports": [{"containerPort": 80, "name": "web"}], "args": ["2"]}]),
            ),
        ),
        (
            "Pod",
            json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}], "tolerations": [{"key": "a"}]}}),
            json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}], "tolerations": [{"key": "b"}]}}),
            json!({"spec": {"volumes": [{"name": "v", "secret": {"secretName": "s"}}], "tolerations": [{"key": "b"}]}}),
        ),
        (
            "Node",
            json!({"spec": {"taints": [{"key": "a"}]}, "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Full", "status": "False"}]}}),
            json!({"spec": {"taints": [{"key": "b"}]}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}),
            json!({"spec": {"taints": [{"key": "b"}]}, "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Full", "status": "False"}]}}),
        ),
        (
            "Service",
            json!({"spec": {"ports": [{"port": 80, "name": "web"}, {"port": 443}]}}),
            json!({"spec": {"ports": [{"port": 443, "name": "tls"}, {"port": 80, "$patch": "delete"}]}}),
            json!({"spec": {"ports": [{"port": 443, "name": "tls"}]}}),
        ),
        (
            "ConfigMap",
            json!({"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}]}}),
            json!({"metadata": {"ownerReferences": [{"uid": "1", "controller": true}, {"uid": "2", "name": "b"}]}}),
            json!({"metadata": {"ownerReferences": [{"uid": "1", "name": "a", "controller": true}, {"uid": "2", "name": "b"}]}}),
        ),
    ]);
}

#[test]
fn lists_of_values_are_sets() {
    let held = |finalizers: Value| json!({"metadata": {"finalizers": finalizers}});
    check(&[
        ("Pod", held(json!(["a"])), held(json!(["b", "a"])), held(json!(["b", "a"]))),
        ("Pod", json!({}), held(json!(["b"])), held(json!(["b"]))),
        (
            "Pod",
            held(json!(["a", "b", "c"])),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b", "z"]}}),
            held(json!(["a", "c"])),
        ),
        (
            "Pod",
            json!({"metadata": {}}),
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"]}}),
            json!({"metadata": {}}),
        ),
        (
            "Pod",
            held(json!(["a", "b"])),
            json!({"metadata": {"$setElementOrder/finalizers": ["c", "b", "a"], "finalizers": ["c"]}}),
            held(json!(["c", "b", "a"])),
        ),
        ("Pod", held(json!(["a"])), held(Value::Null), json!({"metadata": {}})),
    ]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let pod = json!({"spec": {"containers": [{"name": "a"}]}, "metadata": {"finalizers": ["a"], "labels": {"a": "b"}}});
    let other = |why: &str| Bad::Other(why.to_owned());
    for (patch, wanted) in [
        (
            json!({"spec": {"containers": [{"image": "1"}]}}),
            other("map: map[image:1] does not contain declared merge key: name"),
        ),
        (
            json!({"spec": {"containers": ["a"]}}),
            other("list element types are not identical: [[map[name:a]] [a]]"),
        ),
        (
            json!({"spec": {"containers": [{"name": "a", "$patch": "merge"}]}}),
            other("merging lists cannot yet be specified in the patch"),
        ),
        (json!({"spec": {"$patch": "turn"}}), other("unknown patch type: turn in map: map[$patch:turn]")),
        (
            json!({"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "c"}]}}),
            other(
                "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
            ),
        ),
        (
            json!({"spec": {"$setElementOrder/nothing": []}}),
            other("unable to find api field in struct PodSpec for the json field \"nothing\""),
        ),
        (
            json!({"spec": {"$setElementOrder": []}}),
            Bad::Form("invalid patch format of setElementOrder list"),
        ),
        (
            json!({"spec": {"$setElementOrder/containers": 7}}),
            Bad::Form("invalid patch format of setElementOrder list"),
        ),
        (
            json!({"metadata": {"$deleteFromPrimitiveList": ["a"]}}),
            Bad::Form("invalid patch format of primitive list"),
        ),
        (
            json!({"spec": {"$retainKeys": ["a"], "hostname": "b"}}),
            Bad::Form("invalid patch format of retainKeys"),
        ),
        (json!({"spec": {"$retainKeys": {}}}), Bad::Form("invalid patch format of retainKeys")),
        (
            json!({"spec": {"containers": [[]]}}),
            other("list element types are not identical: [[map[name:a]] [[]]]"),
        ),
        (json!({"metadata": {"$deleteFromPrimitiveList/labels": ["a"]}}), other("nothing")),
    ] {
        match merged("Pod", &pod, &patch) {
            // A map is no list, and stays what it is.
            Ok(same) => assert_eq!(same, pod, "{patch}"),
            Err(bad) => assert_eq!(bad, wanted, "{patch}"),
        }
    }
}

#[test]
fn long_lists_take_no_long_time() {
    let list =
        |start: usize| -> Value { (start..start + 20_000).map(|n| json!({"uid": n.to_string()})).collect() };
    let object = json!({"metadata": {"ownerReferences": list(0)}});
    let patch = json!({"metadata": {"ownerReferences": list(10_000), "$setElementOrder/ownerReferences": list(10_000)}});
    let merged = merged("Pod", &object, &patch).unwrap();
    assert_eq!(merged["metadata"]["ownerReferences"].as_array().unwrap().len(), 30_000);
}

proptest::proptest! {
    /// Whatever stands in a patch, what comes of it is an object or a refusal.
    #[test]
    fn no_patch_is_trouble(patch in patches()) {
        let pod = json!({"spec": {"containers": [{"name": "a", "env": [{"name": "x"}]}], "volumes": []}, "metadata": {"finalizers": ["a"]}});
        if let Value::Object(_) = &patch {
            let _ = merged("Pod", &pod, &patch);
        }
    }
}

fn patches() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!("a")),
        Just(json!("delete")),
        Just(json!("replace")),
        Just(json!(1)),
        Just(json!(true))
    ];
    let key = prop_oneof![
        Just("spec"),
        Just("metadata"),
        Just("containers"),
        Just("name"),
        Just("env"),
        Just("volumes"),
        Just("finalizers"),
        Just("$patch"),
        Just("$retainKeys"),
        Just("$setElementOrder/containers"),
        Just("$setElementOrder/finalizers"),
        Just("$deleteFromPrimitiveList/finalizers"),
        Just("$deleteFromPrimitiveList/env"),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((key.clone(), inner), 0..5).prop_map(|entries| Value::Object(
                entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}
