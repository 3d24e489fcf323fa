use proptest::prelude::*;
use serde_json::json;

use super::*;

fn tree(value: serde_json::Value) -> Tree {
    value.into()
}

#[test]
fn each_form_becomes_the_other() {
    let cases = [
        (
            json!({"kind": "workload", "name": "web", "gvc": "shop", "spec": {"type": "vm"}}),
            json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "Workload",
                "metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "vm"}}),
        ),
        (
            json!({"kind": "volumeset", "name": "data", "description": "disks", "tags": {"team": "db"}, "spec": {}}),
            json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "VolumeSet", "metadata": {"name": "data",
                "annotations": {"v9s.dev/description": "disks", "tag.cpln/team": "db"}}, "spec": {}}),
        ),
        (
            json!({"kind": "workload", "name": "web", "id": "1", "tags": {"cpln/ignore": "true", "a": "b"}}),
            json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "web", "annotations": {
                "tag.cpln/a": "b", "v9s.dev/document": r#"{"id":"1","tags":{"cpln/ignore":"true"}}"#}}}),
        ),
        (
            json!({"kind": "workload", "name": "web", "spec": {},
                "tags": {"kubernetes/object": r#"{"metadata":{"labels":{"app":"web"}},"status":{"replicas":1}}"#}}),
            json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "Workload",
                "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {}, "status": {"replicas": 1}}),
        ),
        (
            json!({"kind": "secret", "name": "init", "type": "dictionary", "data": {"userdata": "#cloud-config\n"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "init",
                "labels": {"cpln/secret-type": "dictionary"}}, "stringData": {"userdata": "#cloud-config\n"}}),
        ),
        (
            json!({"kind": "secret", "name": "hub", "type": "docker", "data": "{\"auths\":{}}"}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hub",
                "labels": {"cpln/secret-type": "docker"}}, "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": "{\"auths\":{}}"}}),
        ),
        (
            json!({"kind": "secret", "name": "old", "type": "dictionary", "data": {"key": "value"}, "tags": {
                "kubernetes/object": r#"{"data":["key"],"metadata":{"labels":null},"type":"Opaque"}"#}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "old"}, "type": "Opaque",
                "data": {"key": "dmFsdWU="}}),
        ),
        (
            json!({"kind": "identity", "name": "lab", "gvc": "demo"}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "lab", "namespace": "demo"}}),
        ),
        (
            json!({"kind": "gvc", "name": "demo", "spec": {"env": []}}),
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", "annotations": {
                "v9s.dev/document": r#"{"spec":{"env":[]}}"#}}}),
        ),
    ];
    for (cpln, kubernetes) in cases {
        let (cpln, kubernetes) = (tree(cpln), tree(kubernetes));
        let made = convert(&cpln, Form::Kubernetes).unwrap();
        assert!(made.same(&kubernetes), "{cpln:?}\n{made:?}");
        let made = convert(&kubernetes, Form::Cpln).unwrap();
        assert!(made.same(&cpln), "{kubernetes:?}\n{made:?}");
        assert_eq!(convert(&cpln, Form::Cpln).unwrap(), cpln);
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let cases = [
        (json!([]), "must be a map"),
        (json!({"name": "web"}), "has no kind"),
        (json!({"kind": "policy", "name": "p"}), "\"policy\" has no form in Kubernetes"),
        (
            json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "Image", "metadata": {"name": "x"}}),
            "has no other form",
        ),
        (
            json!({"apiVersion": "v9s.dev/v2", "kind": "Workload", "metadata": {"name": "x"}}),
            "of \"v9s.dev/v2\"",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"a": "/w=="}}),
            "data.a (4 characters",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "data": {"a": "?"}}),
            "data.a is not base64",
        ),
        (
            json!({"kind": "secret", "name": "s", "type": "opaque", "data": {"a b": "c"}}),
            "has the key \"a b\"",
        ),
        (json!({"kind": "secret", "name": "s", "type": "opaque", "data": {"a": 1}}), "data.a must be a text"),
        (json!({"kind": "secret", "name": "s", "type": "opaque", "data": "x"}), "must be a map of texts"),
    ];
    for (document, wanted) in cases {
        let document = tree(document);
        let to = if form(&document) == Form::Cpln { Form::Kubernetes } else { Form::Cpln };
        let said = convert(&document, to).unwrap_err().to_string();
        assert!(said.contains(wanted), "{said}");
    }
}

fn values() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Int),
        (-1e9..1e9_f64).prop_map(Tree::Float),
        ".{0,12}".prop_map(Tree::Text),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::btree_map("[a-zA-Z/.]{1,8}", inner, 0..4)
                .prop_map(|map| Tree::Map(map.into_iter().collect())),
        ]
    })
}

fn texts() -> impl Strategy<Value = Tree> {
    let keys = prop_oneof![
        "[a-z]{1,6}",
        "[a-z]{1,4}/[a-z]{1,4}",
        ".{0,8}",
        Just(OBJECT.to_owned()),
        Just(CARRIED.to_owned()),
        Just(DESCRIPTION.to_owned()),
        "[a-z]{1,4}".prop_map(|tag| format!("{TAG}{tag}")),
        Just("cpln/secret-type".to_owned()),
    ];
    let held = prop_oneof![
        ".{0,12}",
        Just("{}".to_owned()),
        Just(r#"{"a":1}"#.to_owned()),
        Just(r#"{"metadata":{"labels":{"a":"b"}}}"#.to_owned()),
        Just(r#"{"name":"other","tags":{"x/y":"z"}}"#.to_owned()),
        Just(r#"{"b":1,"a":{"z":2.5,"y":[]}}"#.to_owned()),
    ];
    prop::collection::btree_map(keys, held.prop_map(Tree::Text), 0..4)
        .prop_map(|map| Tree::Map(map.into_iter().collect()))
}

fn document(pairs: Vec<(&'static str, Tree)>) -> Tree {
    Tree::Map(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn cpln() -> impl Strategy<Value = Tree> {
    let kind = prop::sample::select(vec!["workload", "volumeset", "identity", "gvc", "secret"]);
    let optional = |value: BoxedStrategy<Tree>| prop::option::of(value);
    (
        kind,
        optional("[a-z-]{0,9}".prop_map(Tree::Text).boxed()),
        optional("[a-z]{1,6}".prop_map(Tree::Text).boxed()),
        optional(".{0,20}".prop_map(Tree::Text).boxed()),
        optional(texts().boxed()),
        optional(values().boxed()),
        optional(values().boxed()),
    )
        .prop_map(|(kind, name, gvc, description, tags, spec, other)| {
            let given = [("name", name), ("gvc", gvc), ("description", description), ("tags", tags)];
            let more = [("spec", spec), ("lastModified", other)];
            let all = given.into_iter().chain(more).filter_map(|(key, value)| Some((key, value?)));
            document(std::iter::once(("kind", Tree::Text(kind.into()))).chain(all).collect())
        })
}

fn kubernetes() -> impl Strategy<Value = Tree> {
    let kind = prop::sample::select(vec![
        ("v9s.dev/v1alpha1", "Workload"),
        ("v9s.dev/v1alpha1", "VolumeSet"),
        ("v1", "Secret"),
        ("v1", "ServiceAccount"),
        ("v1", "Namespace"),
    ]);
    (
        kind,
        prop::option::of("[a-z-]{0,9}"),
        prop::option::of("[a-z]{1,6}"),
        prop::option::of(texts()),
        prop::option::of(texts()),
        prop::option::of(values()),
        prop::option::of(values()),
    )
        .prop_map(|((version, kind), name, namespace, labels, annotations, spec, status)| {
            let texts = [("name", name), ("namespace", namespace)];
            let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Tree::Text(text?))));
            let maps = [("labels", labels), ("annotations", annotations)];
            let maps = maps.into_iter().filter_map(|(key, map)| Some((key, map?)));
            let metadata = document(texts.chain(maps).collect());
            let rest = [("spec", spec), ("status", status)];
            let rest = rest.into_iter().filter_map(|(key, value)| Some((key, value?)));
            let head = [
                ("apiVersion", Tree::Text(version.into())),
                ("kind", Tree::Text(kind.into())),
                ("metadata", metadata),
            ];
            document(head.into_iter().chain(rest).collect())
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn from_cpln_there_and_back_is_the_identity(document in cpln()) {
        let there = convert(&document, Form::Kubernetes).unwrap();
        let back = convert(&there, Form::Cpln).unwrap();
        prop_assert!(back.same(&document), "{there:?}");
    }

    #[test]
    fn from_kubernetes_there_and_back_is_the_identity(document in kubernetes()) {
        let there = convert(&document, Form::Cpln).unwrap();
        let back = convert(&there, Form::Kubernetes).unwrap();
        prop_assert!(back.same(&document), "{there:?}");
    }

    #[test]
    fn nothing_panics(document in values(), to in any::<bool>()) {
        let _ = convert(&document, if to { Form::Cpln } else { Form::Kubernetes });
    }
}
