//! Requests that write, and what a client sees of them.

use http::Method;
use serde_json::{Value, json};

use crate::demo::server::kinds::Kind;
use crate::demo::server::testing::{Api, BEGIN};

const PODS: &str = "/api/v1/namespaces/default/pods";
const SPACES: &str = "/api/v1/namespaces";
const VMS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {
        "containers": [{"name": "c", "image": "i"}]}})
}

fn vm(name: &str) -> Value {
    json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": {
        "runStrategy": "Halted"}})
}

/// An object with a part changed.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[field] = value;
    object
}

fn meta(object: Value, field: &str, value: impl Into<Value>) -> Value {
    with(object, &format!("/metadata/{field}"), value.into())
}

/// `reason: message` of a refusal.
fn said(status: &Value) -> String {
    let text = |field: &str| status[field].as_str().unwrap_or_default();
    format!("{}: {}", text("reason"), text("message"))
}

#[tokio::test]
async fn what_is_created_is_filled_in() {
    let api = Api::new().as_admin();
    let (code, made) = api.post(PODS, with(pod("a"), "/status", json!({"phase": "Running"}))).await;
    assert_eq!(code, 201, "{made}");
    let metadata = &made["metadata"];
    assert_eq!(metadata["namespace"], "default");
    assert_eq!(metadata["creationTimestamp"], BEGIN);
    assert_eq!(metadata["generation"], 1);
    assert_eq!(metadata["uid"].as_str().map(str::len), Some(36));
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    assert_eq!(made["spec"]["restartPolicy"], "Always");
    assert_eq!(made["spec"]["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!((made["kind"].as_str(), made["apiVersion"].as_str()), (Some("Pod"), Some("v1")));
    assert_eq!(api.get(&format!("{PODS}/a")).await, (200, made));

    let given = json!({"apiVersion": "kubevirt.io/v1alpha3", "kind": "VirtualMachine", "status": {"ready": true}, "metadata": {
        "name": "b", "uid": "x", "generation": 7, "deletionTimestamp": BEGIN, "creationTimestamp": "2001-01-01T00:00:00Z",
        "managedFields": [{}], "labels": {}, "selfLink": "x"}});
    let old = VMS.replace("v1/", "v1alpha3/");
    let (code, made) = api.post(&old, given).await;
    assert_eq!(code, 201, "{made}");
    let metadata = made["metadata"].as_object().unwrap();
    let fields: Vec<&str> = metadata.keys().map(String::as_str).collect();
    assert_eq!(fields, ["creationTimestamp", "generation", "name", "namespace", "resourceVersion", "uid"]);
    assert_eq!((&made["metadata"]["generation"], &made["status"]), (&json!(1), &Value::Null));
    assert_eq!(made["apiVersion"], "kubevirt.io/v1alpha3");
    let (_, now) = api.get(&format!("{VMS}/b")).await;
    assert_eq!(now["apiVersion"], "kubevirt.io/v1");

    let (code, made) = api.post(SPACES, json!({"metadata": {"name": "shop", "labels": {"a": "b"}}})).await;
    assert_eq!(code, 201, "{made}");
    assert_eq!(made["metadata"]["labels"], json!({"a": "b", "kubernetes.io/metadata.name": "shop"}));
    assert_eq!(made["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(made["status"], json!({"phase": "Active"}));
    let all = api.names(SPACES).await;
    assert_eq!(all, ["default", "kube-node-lease", "kube-public", "kube-system", "shop"]);
}

#[tokio::test]
async fn names_are_made_up() {
    let api = Api::new().as_admin();
    let start = "a".repeat(70);
    let (code, made) = api.post(PODS, meta(meta(pod("x"), "name", ""), "generateName", start.as_str())).await;
    assert_eq!(code, 201, "{made}");
    let name = made["metadata"]["name"].as_str().unwrap();
    assert_eq!((name.len(), &name[..58]), (63, &start[..58]));
    assert_eq!(made["metadata"]["generateName"], *start);
    for _ in 0..50 {
        let (code, made) = api.post(PODS, meta(meta(pod("x"), "name", ""), "generateName", "web-")).await;
        assert_eq!(code, 201, "{made}");
    }
    assert_eq!(api.names(PODS).await.len(), 51);
    let (code, made) = api.post(PODS, meta(pod("own"), "generateName", "web-")).await;
    assert_eq!((code, made["metadata"]["name"].as_str()), (201, Some("own")));
}

#[tokio::test]
async fn what_cannot_be_created_is_refused() {
    let api = Api::new().as_admin();
    assert_eq!(api.post(PODS, pod("there")).await.0, 201);
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
                     start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
                     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let unknown = "no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"";
    for (path, body, code, wanted) in [
        (PODS, json!({}), 422, "Invalid: Pod \"\" is invalid: [metadata.name: Required value: name or generateName is required, spec.containers: Required value]".to_owned()),
        (PODS, json!([]), 400, "BadRequest: the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" } (5b5d)".to_owned()),
        (PODS, json!({"apiVersion": "v1", "kind": "Namespace"}), 400, "BadRequest: Namespace in version \"v1\" cannot be handled as a Pod: converting (v1.Namespace) to (core.Pod): unknown conversion".to_owned()),
        (PODS, json!({"apiVersion": "v1", "kind": "Foo"}), 400, format!("BadRequest: Foo in version \"v1\" cannot be handled as a Pod: {unknown}")),
        (VMS, json!({}), 400, "BadRequest: the object provided is unrecognized (must be of type VirtualMachine): Object 'Kind' is missing in '{}' ({})".to_owned()),
        (VMS, with(vm("a"), "/apiVersion", json!("kubevirt.io/v9")), 400, "BadRequest: the API version in the data (kubevirt.io/v9) does not match the expected API version (kubevirt.io/v1)".to_owned()),
        (VMS, with(vm("a"), "/kind", json!("Foo")), 422, "Invalid: Foo.kubevirt.io \"a\" is invalid: kind: Invalid value: \"Foo\": must be VirtualMachine".to_owned()),
        (VMS, meta(vm("a"), "namespace", "other"), 400, "BadRequest: the namespace of the provided object does not match the namespace sent on the request".to_owned()),
        (VMS, meta(vm("a"), "name", ""), 422, "Invalid: VirtualMachine.kubevirt.io \"\" is invalid: metadata.name: Required value: name or generateName is required".to_owned()),
        (VMS, vm("A_b"), 422, format!("Invalid: VirtualMachine.kubevirt.io \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": {subdomain}")),
        (SPACES, json!({"metadata": {"name": "a.b"}}), 422, "Invalid: Namespace \"a.b\" is invalid: metadata.name: Invalid value: \"a.b\": must not contain dots".to_owned()),
        (VMS, meta(vm("a"), "labels", json!({"k": "v".repeat(64)})), 422, format!("Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.labels: Invalid value: {:?}: must be no more than 63 bytes", "v".repeat(64))),
        (VMS, meta(vm("a"), "labels", json!({"k": 1})), 400, "BadRequest: VirtualMachine in version \"v1\" cannot be handled as a VirtualMachine: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string".to_owned()),
        (PODS, with(pod("a"), "/metadata", json!(3)), 400, "BadRequest: Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Pod.metadata of type v1.ObjectMeta".to_owned()),
        (PODS, with(pod("a"), "/spec", json!("x")), 400, "BadRequest: Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field Pod.spec".to_owned()),
        (VMS, meta(vm("a"), "annotations", json!({"k": "v".repeat(257 << 10)})), 422, "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes".to_owned()),
        (VMS, meta(vm("a"), "finalizers", json!(["x"])), 422, "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully qualified".to_owned()),
        (VMS, meta(vm("a"), "ownerReferences", json!([{"apiVersion": "v1", "kind": "Pod", "name": "x"}])), 422, "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.ownerReferences.uid: Invalid value: \"\": must not be empty".to_owned()),
        (VMS, meta(vm("a"), "resourceVersion", "5"), 500, ": resourceVersion should not be set on objects to be created".to_owned()),
        ("/api/v1/namespaces/nowhere/pods", pod("a"), 404, "NotFound: namespaces \"nowhere\" not found".to_owned()),
        (PODS, pod("there"), 409, "AlreadyExists: pods \"there\" already exists".to_owned()),
        ("/api/v1/pods", pod("a"), 405, "MethodNotAllowed: the server does not allow this method on the requested resource".to_owned()),
        ("/api/v1/namespaces/default/pods/there", pod("a"), 405, "MethodNotAllowed: the server does not allow this method on the requested resource".to_owned()),
        ("/api/v1/namespaces/default/pods?dryRun=x", pod("a"), 422, "Invalid: CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"x\"]: supported values: \"All\"".to_owned()),
        ("/api/v1/namespaces/default/pods?fieldValidation=x", pod("a"), 422, "Invalid: CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"x\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"".to_owned()),
    ] {
        let (got, status) = api.post(path, body).await;
        assert_eq!((got, said(&status)), (code, wanted), "{path}");
        assert_eq!((status["kind"].as_str(), status["code"].as_u64()), (Some("Status"), Some(u64::from(code))));
    }
    let (_, status) = api.post(VMS, vm("A")).await;
    assert_eq!(status["details"]["causes"][0]["field"], "metadata.name");
    assert_eq!(status["details"]["name"], "A");
    for (media, body, code, wanted) in [
        (
            "application/yaml",
            "- a",
            400,
            "the object provided is unrecognized (must be of type Pod): yaml: array is no object (2d2061)",
        ),
        (
            "application/vnd.kubernetes.protobuf",
            "k8s",
            400,
            "the object provided is unrecognized (must be of type Pod): it is no message of a kind that is known (6b3873)",
        ),
        (
            "text/plain",
            "a",
            415,
            "the body of the request was in an unknown format - accepted media types include: application/json, \
             application/yaml, application/vnd.kubernetes.protobuf",
        ),
        (
            "application/json",
            "{",
            400,
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)",
        ),
        (
            "application/json",
            "",
            400,
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
        ),
    ] {
        let reply = api.with_header("content-type", media).send(Method::POST, PODS, body).await;
        assert_eq!((reply.code, reply.json()["message"].as_str()), (code, Some(wanted)), "{media}");
    }
    assert_eq!(api.names(PODS).await, ["there"]);
    assert!(api.names(VMS).await.is_empty());
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let api = Api::new().as_admin();
    let (code, made) = api.post(&format!("{VMS}?dryRun=All"), vm("a")).await;
    assert_eq!((code, &made["metadata"]["resourceVersion"]), (201, &Value::Null));
    assert_eq!(api.get(&format!("{VMS}/a")).await.0, 404);
    let (_, made) = api.post(VMS, vm("a")).await;
    let one = format!("{VMS}/a");
    let dry = format!("{one}?dryRun=All");
    let change = json!({"spec": {"runStrategy": "Always"}});
    let (code, shown) = api.merge(&dry, change).await;
    assert_eq!(
        (code, &shown["spec"]["runStrategy"], &shown["metadata"]["generation"]),
        (200, &json!("Always"), &json!(2))
    );
    let (code, shown) = api.put(&dry, with(made.clone(), "/spec/runStrategy", json!("Manual"))).await;
    assert_eq!((code, &shown["spec"]["runStrategy"]), (200, &json!("Manual")));
    let (code, status) = api.delete(&dry).await;
    assert_eq!((code, &status["status"]), (200, &json!("Success")));
    assert_eq!(api.get(&one).await, (200, made));
}

#[tokio::test]
async fn an_update_takes_the_place_of_what_it_was_made_from() {
    let api = Api::new().as_admin();
    let one = &format!("{VMS}/a");
    let (_, first) = api.post(VMS, vm("a")).await;
    let version = |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let mut watch = api.lines(&format!("{VMS}?watch=1&resourceVersion={}", version(&first))).await;
    assert_eq!(api.put(one, first.clone()).await, (200, first.clone()), "nothing changes, no new version");

    let (code, second) = api.put(one, with(first.clone(), "/spec/runStrategy", json!("Always"))).await;
    assert_eq!((code, &second["metadata"]["generation"]), (200, &json!(2)), "{second}");
    assert_ne!(version(&first), version(&second));
    for field in ["uid", "creationTimestamp"] {
        assert_eq!(first["metadata"][field], second["metadata"][field]);
    }
    let (happened, seen) = watch.event().await;
    assert_eq!((happened.as_str(), &seen), ("MODIFIED", &second));
    // Neither the status nor labels count as another wish.
    let (_, third) = api
        .put(one, meta(with(second, "/status", json!({"ready": true})), "labels", json!({"a": "b"})))
        .await;
    assert_eq!((&third["metadata"]["generation"], &third["status"]), (&json!(2), &Value::Null));

    let modified = "Conflict: Operation cannot be fulfilled on virtualmachines.kubevirt.io \"a\": the object has been modified; please apply your changes to the latest version and try again";
    let missing = "Invalid: virtualmachines.kubevirt.io \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    let immutable = "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.deletionTimestamp: Invalid value: \"2026-03-04T05:06:07Z\": field is immutable";
    for (name, body, code, wanted) in [
        ("a", first.clone(), 409, modified),
        ("a", vm("a"), 422, missing),
        (
            "a",
            meta(vm("a"), "resourceVersion", "x"),
            500,
            ": strconv.ParseUint: parsing \"x\": invalid syntax",
        ),
        ("a", vm("b"), 400, "BadRequest: the name of the object (b) does not match the name on the URL (a)"),
        (
            "a",
            meta(vm("b"), "name", ""),
            400,
            "BadRequest: the name of the object (a based on URL) was undeterminable: name must be provided",
        ),
        (
            "a",
            meta(third.clone(), "namespace", "b"),
            400,
            "BadRequest: the namespace of the provided object does not match the namespace sent on the request",
        ),
        ("a", meta(third.clone(), "deletionTimestamp", BEGIN), 422, immutable),
        ("b", vm("b"), 404, "NotFound: virtualmachines.kubevirt.io \"b\" not found"),
    ] {
        let (got, status) = api.put(&format!("{VMS}/{name}"), body).await;
        assert_eq!((got, said(&status).as_str()), (code, wanted));
    }
    let (code, status) = api.put(one, meta(third.clone(), "uid", "x")).await;
    assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
    assert!(said(&status).contains("Precondition failed: UID in precondition: x, UID in object meta: "));
    assert_eq!(api.get(one).await, (200, third));
}

#[tokio::test]
async fn kubernetes_own_kinds_may_be_updated_without_a_version() {
    let api = Api::new().as_admin();
    let one = &format!("{PODS}/a");
    let (_, first) = api.post(PODS, pod("a")).await;
    let image = |image: &str| {
        let mut object = first.clone();
        object["metadata"]["resourceVersion"] = Value::Null;
        object["spec"]["containers"][0]["image"] = image.into();
        object
    };
    let (code, second) = api.put(one, image("j")).await;
    assert_eq!((code, &second["metadata"]["generation"]), (200, &json!(2)), "{second}");
    let (code, status) = api.put(one, with(image("j"), "/spec/nodeName", json!("n"))).await;
    assert_eq!(code, 422);
    let change =
        "Invalid: Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than";
    assert!(said(&status).starts_with(change), "{status}");
}

const UNKNOWN_PATCH: &str = "the body of the request was in an unknown format - accepted media types include: \
                             application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

/// A part of a specification that may hold anything.
fn free(value: &Value) -> Value {
    json!({"template": {"metadata": value}})
}

#[tokio::test]
async fn patches_change_what_they_name() {
    let api = Api::new().as_admin();
    let one = &format!("{VMS}/a");
    let (_, first) = api.post(VMS, vm("a")).await;
    let (code, second) = api
        .merge(one, json!({"spec": free(&json!({"x": {"y": 1}})), "metadata": {"labels": {"a": "b"}}}))
        .await;
    let wanted = json!({"runStrategy": "Halted", "template": {"metadata": {"x": {"y": 1}}}});
    assert_eq!((code, &second["spec"]), (200, &wanted));
    assert_eq!(
        (&second["metadata"]["generation"], &second["metadata"]["labels"]),
        (&json!(2), &json!({"a": "b"}))
    );
    assert_eq!(
        api.merge(one, json!({"spec": free(&json!({"x": {"y": 1}}))})).await,
        (200, second.clone()),
        "nothing changes"
    );
    let operations = json!([
        {"op": "test", "path": "/spec/runStrategy", "value": "Halted"},
        {"op": "remove", "path": "/metadata/labels/a"},
        {"op": "replace", "path": "/spec/template/metadata/new", "value": [1, 3]},
        {"op": "add", "path": "/spec/template/metadata/new/1", "value": 2},
        {"op": "copy", "from": "/spec/template/metadata/new", "path": "/spec/template/metadata/copy"},
        {"op": "move", "from": "/spec/template/metadata/x/y", "path": "/spec/template/metadata/y"},
    ]);
    let (code, third) = api.json_patch(one, operations).await;
    let wanted = json!({"new": [1, 2, 3], "copy": [1, 2, 3], "x": {}, "y": 1});
    assert_eq!((code, &third["spec"]["template"]["metadata"]), (200, &wanted), "{third}");
    assert_eq!(third["metadata"]["labels"], Value::Null);

    let modified = "Conflict: Operation cannot be fulfilled on virtualmachines.kubevirt.io \"a\": the object has been modified; please apply your changes to the latest version and try again";
    let old = first["metadata"]["resourceVersion"].clone();
    for (patch, code, wanted) in [
        (json!({"metadata": {"resourceVersion": old}}), 409, modified),
        (
            json!({"metadata": {"uid": "1"}}),
            422,
            "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable",
        ),
        (
            json!({"metadata": {"name": "b"}}),
            400,
            "BadRequest: the name of the object (b) does not match the name on the URL (a)",
        ),
        (
            json!({"metadata": {"namespace": "b"}}),
            400,
            "BadRequest: the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            json!({"kind": "Pod"}),
            422,
            "Invalid: Pod.kubevirt.io \"a\" is invalid: kind: Invalid value: \"Pod\": must be VirtualMachine",
        ),
        (
            json!({"apiVersion": "kubevirt.io/v1alpha3"}),
            422,
            "Invalid: VirtualMachine.kubevirt.io \"a\" is invalid: apiVersion: Invalid value: \"kubevirt.io/v1alpha3\": must be kubevirt.io/v1",
        ),
        (
            json!([]),
            400,
            "BadRequest: error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            json!("x"),
            400,
            "BadRequest: error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
        ),
    ] {
        let (got, status) = api.merge(one, patch.clone()).await;
        assert_eq!((got, said(&status).as_str()), (code, wanted), "{patch}");
    }
    let rejected = "Invalid: the server rejected our request due to an error in our request";
    for (patch, code, wanted) in [
        (
            json!({}),
            400,
            "BadRequest: error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        (json!([{"op": "test", "path": "/spec/runStrategy", "value": "x"}]), 422, rejected),
        (json!([{"op": "test", "path": "/spec/gone", "value": "x"}]), 422, rejected),
        (json!([{"op": "remove", "path": "/spec/gone"}]), 422, rejected),
        (json!([{"op": "add", "path": "/gone/x", "value": 1}]), 422, rejected),
        (json!([{"op": "add", "path": "spec", "value": 1}]), 422, rejected),
        (json!([{"op": "frob", "path": "/spec/x", "value": 1}]), 422, rejected),
        (json!([{"op": "add"}]), 422, rejected),
        (json!([{"op": "move", "from": "/spec", "path": "/spec/x/y"}]), 422, rejected),
        (json!([{"op": "replace", "path": "", "value": 1}]), 422, "Invalid: \u{20}\"\" is invalid: patch:"),
    ] {
        let (got, status) = api.json_patch(one, patch.clone()).await;
        assert_eq!(got, code, "{patch}: {status}");
        if !wanted.ends_with("patch:") {
            assert_eq!(said(&status), wanted, "{patch}");
        }
    }
    for (media, wanted) in [
        ("application/strategic-merge-patch+json", UNKNOWN_PATCH),
        (
            "application/apply-patch+yaml",
            "The embedded server takes JSON patches, merge patches and strategic merge patches; server-side apply it leaves \
             to a real one.",
        ),
        ("application/json", UNKNOWN_PATCH),
    ] {
        let reply = api.with_header("content-type", media).send(Method::PATCH, one, "{}").await;
        assert_eq!((reply.code, reply.json()["message"].as_str()), (415, Some(wanted)), "{media}");
    }
    let reply =
        api.with_header("content-type", "application/merge-patch+json").send(Method::PATCH, one, "{").await;
    assert_eq!(said(&reply.json()), "BadRequest: error decoding patch: unexpected end of JSON input");
    let (code, _) = api.merge(&format!("{VMS}/b"), json!({})).await;
    assert_eq!(code, 404);
    assert_eq!(api.get(one).await, (200, third));
}

#[tokio::test]
async fn copies_of_copies_are_bounded() {
    let api = Api::new().as_admin();
    let one = &format!("{VMS}/a");
    api.post(VMS, vm("a")).await;
    let wide: Vec<Value> =
        (0..64).map(|n| json!({"op": "copy", "from": "/spec", "path": format!("/spec/c{n}")})).collect();
    assert_eq!(api.json_patch(one, wide.into()).await.0, 422);
    let mut path = "/spec".to_owned();
    let deep: Vec<Value> = (0..200)
        .map(|_| {
            path.push_str("/d");
            json!({"op": "add", "path": path, "value": {}})
        })
        .collect();
    assert_eq!(api.json_patch(one, deep.into()).await.0, 422);
    assert_eq!(api.get(one).await.1["spec"], json!({"runStrategy": "Halted"}));
}

#[tokio::test]
async fn nonsense_is_answered() {
    let api = Api::new().as_admin();
    let nonsense = [json!(1), json!("x"), json!([1, {"name": 1}]), json!({"a": [{"b": null}]})];
    let pointers = [
        "/metadata",
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/finalizers",
        "/metadata/ownerReferences",
        "/metadata/name",
        "/spec",
        "/status",
        "/data",
        "/stringData",
        "/type",
        "/subjects",
        "/roleRef",
        "/involvedObject",
        "/spec/containers",
        "/spec/ports",
        "/spec/tolerations",
        "/spec/resources",
        "/spec/replicas",
        "/spec/finalizers",
        "/spec/accessModes",
        "/status/conditions",
        "/status/phase",
    ];
    // Custom resources have no rules of their own: one stands for all.
    let kinds = Kind::all().filter(|kind| kind.row().builtin || kind.row().kind == "VirtualMachinePool");
    for kind in kinds {
        let row = kind.row();
        let api_version = kind.api_version(kind.stored_version());
        let root = if row.group.is_empty() { "/api".to_owned() } else { "/apis".to_owned() };
        let namespace = if row.namespaced { "/namespaces/default" } else { "" };
        let path = format!("{root}/{api_version}{namespace}/{}", row.plural);
        let good = json!({
            "apiVersion": api_version, "kind": row.kind, "metadata": {"name": "good"}, "spec": {
                "containers": [{"name": "c", "image": "i"}], "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
            "status": {}, "involvedObject": {"namespace": "default"}, "roleRef": {"name": "r", "kind": "Role"},
        });
        let (code, made) = api.post(&path, good.clone()).await;
        assert_eq!(code, 201, "{path}: {made}");
        for pointer in pointers {
            for value in &nonsense {
                let mut sent = good.clone();
                sent["metadata"]["name"] = "bad".into();
                let (parent, field) = pointer.rsplit_once('/').unwrap();
                sent.pointer_mut(parent).unwrap()[field] = value.clone();
                let (code, answer) = api.post(&path, sent).await;
                assert!(answer.is_object() && code != 500, "{path} {pointer} {value}: {code} {answer}");
                if code == 201 {
                    api.delete(&format!("{path}/bad")).await;
                }
                let part = json!([{"op": "add", "path": pointer, "value": value}]);
                let (code, answer) = api.json_patch(&format!("{path}/good?dryRun=All"), part).await;
                assert!(answer.is_object() && code != 500, "{path} {pointer} {value}: {code} {answer}");
            }
        }
    }
}

#[tokio::test]
async fn fields_that_are_not_known_are_dropped_and_named() {
    let api = Api::new().as_admin();
    let mut object = vm("a");
    object["spec"]["runStrateggy"] = "Always".into();
    let unknown = "unknown field \"spec.runStrateggy\"";
    let cannot = "BadRequest: VirtualMachine in version \"v1\" cannot be handled as a VirtualMachine: strict decoding error: ";
    let (code, status) = api.post(&format!("{VMS}?fieldValidation=Strict"), object.clone()).await;
    assert_eq!((code, said(&status)), (400, format!("{cannot}{unknown}")));
    let sent = |method: Method, path: String, media: &str, body: String| {
        let api = api.with_header("content-type", media);
        async move {
            let reply = api.send(method, &path, body).await;
            let warnings =
                reply.headers.get_all("warning").iter().map(|one| one.to_str().unwrap().to_owned());
            (reply.code, warnings.collect::<Vec<_>>(), reply.json())
        }
    };
    let json = "application/json";
    let warning = vec![format!("299 - \"{}\"", unknown.replace('"', "\\\""))];
    let (code, warnings, made) = sent(Method::POST, VMS.to_owned(), json, object.to_string()).await;
    assert_eq!((code, warnings, &made["spec"]), (201, warning.clone(), &vm("a")["spec"]));
    let ignored = format!("{VMS}?fieldValidation=Ignore&dryRun=All");
    let mut other = object.clone();
    other["metadata"]["name"] = "b".into();
    let (code, warnings, _) = sent(Method::POST, ignored, json, other.to_string()).await;
    assert_eq!((code, warnings), (201, Vec::new()));
    let twice = "{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"data\": {\"a\": \"1\", \"a\": \"2\"}, \"metadata\": {\"name\": \"m\"}}";
    let maps = "/api/v1/namespaces/default/configmaps";
    let (code, warnings, _) = sent(Method::POST, maps.to_owned(), json, twice.to_owned()).await;
    assert_eq!((code, warnings), (201, vec!["299 - \"duplicate field \\\"data.a\\\"\"".to_owned()]));
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata:\n  a: |\n    b\n";
    let (code, _, made) = sent(Method::POST, maps.to_owned(), "application/yaml", yaml.to_owned()).await;
    assert_eq!((code, &made["data"]["a"]), (201, &json!("b\n")), "{made}");

    let change = json!({"spec": {"runStrateggy": "Always"}}).to_string();
    let merge = "application/merge-patch+json";
    let strict = format!("{VMS}/a?fieldValidation=Strict");
    let (code, _, status) = sent(Method::PATCH, strict, merge, change.clone()).await;
    assert!(code == 422 && said(&status).ends_with(&format!("strict decoding error: {unknown}")), "{status}");
    let (code, warnings, same) = sent(Method::PATCH, format!("{VMS}/a"), merge, change).await;
    assert_eq!((code, warnings, &same["spec"]), (200, warning, &made_spec()));
    let strategic = "application/strategic-merge-patch+json";
    let strict = format!("{maps}/m?fieldValidation=Strict");
    let (code, _, status) = sent(Method::PATCH, strict, strategic, "{\"foo\": 1}".to_owned()).await;
    let wanted = "Invalid:  \"\" is invalid: patch: Invalid value: \"map[foo:1]\": strict decoding error: unknown field \"foo\"";
    assert_eq!((code, said(&status).as_str()), (422, wanted));
    let change =
        json!({"data": {"a": null, "b": "3"}, "metadata": {"$deleteFromPrimitiveList/finalizers": []}});
    let (code, warnings, changed) =
        sent(Method::PATCH, format!("{maps}/m"), strategic, change.to_string()).await;
    assert_eq!((code, warnings, &changed["data"]), (200, Vec::new(), &json!({"b": "3"})));
}

fn made_spec() -> Value {
    vm("a")["spec"].clone()
}
