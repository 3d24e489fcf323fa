//! What is special about kinds, as a client sees it.

use serde_json::{Value, json};

use crate::demo::server::testing::Api;

fn path(plural: &str) -> String {
    match plural {
        "deployments" => format!("/apis/apps/v1/namespaces/default/{plural}"),
        "rolebindings" => format!("/apis/rbac.authorization.k8s.io/v1/namespaces/default/{plural}"),
        "virtualmachinepools" => format!("/apis/pool.kubevirt.io/v1beta1/namespaces/default/{plural}"),
        _ => format!("/api/v1/namespaces/default/{plural}"),
    }
}

/// An object with this in it.
fn object(name: &str, mut fields: Value) -> Value {
    fields["metadata"] = json!({"name": name});
    fields
}

fn claim(class: &str) -> Value {
    json!({"spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": "1Gi"}},
    }})
}

#[tokio::test]
async fn kinds_have_defaults() {
    let api = Api::new().as_admin();
    for (plural, given, pointer, wanted) in [
        (
            "secrets",
            json!({"stringData": {"a": "b"}, "data": {"c": "ZA=="}}),
            "/data",
            json!({"a": "Yg==", "c": "ZA=="}),
        ),
        ("secrets", json!({"stringData": {"a": "b"}}), "/stringData", Value::Null),
        ("secrets", json!({}), "/type", json!("Opaque")),
        ("persistentvolumeclaims", claim("x"), "/status", json!({"phase": "Pending"})),
        ("persistentvolumeclaims", claim("x"), "/spec/volumeMode", json!("Filesystem")),
        (
            "services",
            json!({"spec": {"ports": [{"port": 80}]}}),
            "/spec/ports",
            json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]),
        ),
        ("services", json!({"spec": {"clusterIP": "None"}}), "/spec/clusterIPs", json!(["None"])),
        ("services", json!({"spec": {"type": "ExternalName"}}), "/spec/clusterIP", Value::Null),
        ("deployments", json!({"spec": {"selector": {}}}), "/spec/replicas", json!(1)),
        ("deployments", json!({"spec": {"selector": {}}}), "/metadata/generation", json!(1)),
        ("events", json!({"involvedObject": {"namespace": "default"}}), "/source", json!({})),
        (
            "rolebindings",
            json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}),
            "/subjects/0/apiGroup",
            json!("rbac.authorization.k8s.io"),
        ),
        (
            "pods",
            json!({"spec": {"containers": [{"name": "c", "image": "i:1", "resources": {"limits": {"cpu": 1, "memory": 2}}}]}}),
            "/status/qosClass",
            json!("Guaranteed"),
        ),
        (
            "pods",
            json!({"spec": {"containers": [{"name": "c", "image": "r:5000/i:1", "resources": {"requests": {"cpu": 1}}}]}}),
            "/status/qosClass",
            json!("Burstable"),
        ),
        (
            "pods",
            json!({"spec": {"containers": [{"name": "c", "image": "r:5000/i:1"}]}}),
            "/spec/containers/0/imagePullPolicy",
            json!("IfNotPresent"),
        ),
    ] {
        let (code, made) = api.post(&format!("{}?dryRun=All", path(plural)), object("a", given)).await;
        assert_eq!(code, 201, "{plural}: {made}");
        assert_eq!(made.pointer(pointer).cloned().unwrap_or_default(), wanted, "{plural} {pointer}");
    }
}

#[tokio::test]
async fn kinds_have_rules() {
    let api = Api::new().as_admin();
    let key = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    for (plural, given, code, wanted) in [
        ("pods", json!({"spec": {}}), 422, "Pod \"a\" is invalid: spec.containers: Required value".to_owned()),
        ("pods", json!({"spec": {"containers": [{}]}}), 422, "Pod \"a\" is invalid: [spec.containers[0].name: Required value, spec.containers[0].image: Required value]".to_owned()),
        ("pods", json!({"spec": {"containers": "x"}}), 400, "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container".to_owned()),
        ("persistentvolumeclaims", json!({"spec": {}}), 422, "PersistentVolumeClaim \"a\" is invalid: [spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]".to_owned()),
        ("configmaps", json!({"data": {"a b": "x"}}), 422, format!("ConfigMap \"a\" is invalid: data[a b]: Invalid value: \"a b\": {key}")),
        ("configmaps", json!({"data": {"a": 1}}), 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string".to_owned()),
        ("secrets", json!({"data": {"a": "***"}}), 400, "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 0".to_owned()),
        ("events", json!({"involvedObject": {"namespace": "q"}}), 422, "Event \"a\" is invalid: involvedObject.namespace: Invalid value: \"q\": does not match event.namespace".to_owned()),
    ] {
        let (got, status) = api.post(&path(plural), object("a", given)).await;
        assert_eq!((got, status["message"].as_str()), (code, Some(wanted.as_str())), "{plural}");
    }
}

#[tokio::test]
async fn some_fields_stay_as_they_are() {
    let api = Api::new().as_admin();
    let pod = json!({"spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}});
    let bound = json!({"roleRef": {"kind": "Role", "name": "r"}});
    for (plural, given) in [
        ("configmaps", json!({"immutable": true, "data": {"a": "b"}})),
        ("secrets", json!({"data": {"a": "ZA=="}})),
        ("persistentvolumeclaims", claim("x")),
        ("pods", pod),
        ("rolebindings", bound),
    ] {
        assert_eq!(api.post(&path(plural), object("a", given)).await.0, 201, "{plural}");
    }
    let frozen = "Forbidden: field is immutable when `immutable` is set";
    for (plural, change, wanted) in [
        ("configmaps", json!({"data": {"a": "c"}}), Some(frozen)),
        ("configmaps", json!({"immutable": null}), Some(frozen)),
        ("configmaps", json!({"metadata": {"labels": {"a": "b"}}}), None),
        ("secrets", json!({"type": "x"}), Some("type: Invalid value: \"x\": field is immutable")),
        ("secrets", json!({"stringData": {"a": "e"}}), None),
        ("secrets", json!({"immutable": true}), None),
        ("secrets", json!({"stringData": {"a": "f"}}), Some(frozen)),
        (
            "persistentvolumeclaims",
            json!({"spec": {"storageClassName": "y"}}),
            Some("spec: Forbidden: spec is immutable after creation except"),
        ),
        (
            "persistentvolumeclaims",
            json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}}),
            Some("spec: Forbidden: spec is immutable"),
        ),
        ("persistentvolumeclaims", json!({"spec": {"volumeName": "v"}}), None),
        (
            "persistentvolumeclaims",
            json!({"spec": {"volumeName": "w"}}),
            Some("spec: Forbidden: spec is immutable"),
        ),
        (
            "pods",
            json!({"spec": {"nodeName": "m"}}),
            Some("spec: Forbidden: pod updates may not change fields other than"),
        ),
        (
            "pods",
            json!({"spec": {"tolerations": []}}),
            Some("spec: Forbidden: pod updates may not change fields other than"),
        ),
        ("pods", json!({"spec": {"activeDeadlineSeconds": 5}}), None),
        ("rolebindings", json!({"roleRef": {"name": "s"}}), Some("cannot change roleRef")),
        ("rolebindings", json!({"subjects": []}), None),
    ] {
        let (code, answer) = api.merge(&format!("{}/a", path(plural)), change.clone()).await;
        let said = answer["message"].as_str().unwrap_or_default();
        match wanted {
            Some(wanted) => assert!(code == 422 && said.contains(wanted), "{plural} {change}: {answer}"),
            None => assert_eq!(code, 200, "{plural} {change}: {answer}"),
        }
    }
    // A bound claim may grow.
    let one = format!("{}/a", path("persistentvolumeclaims"));
    assert_eq!(api.merge(&format!("{one}/status"), json!({"status": {"phase": "Bound"}})).await.0, 200);
    assert_eq!(
        api.merge(&one, json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})).await.0,
        200
    );
}

#[tokio::test]
async fn what_scales_is_scaled() {
    let api = Api::new().as_admin();
    let selector = json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d", "e"]}]});
    let deployment = object("a", json!({"spec": {"replicas": 2, "selector": selector}}));
    api.post(&path("deployments"), deployment).await;
    let pool = object(
        "a",
        json!({"apiVersion": "pool.kubevirt.io/v1beta1", "kind": "VirtualMachinePool", "spec": {"replicas": 2}}),
    );
    let pools = path("virtualmachinepools");
    assert_eq!(api.post(&pools, pool).await.0, 201);
    let status = json!({"status": {"replicas": 1, "labelSelector": "a=b"}});
    assert_eq!(api.merge(&format!("{pools}/a/status"), status).await.0, 200);
    for (plural, replicas, selector) in
        [("deployments", 0, "a=b,c in (d,e)"), ("virtualmachinepools", 1, "a=b")]
    {
        let one = format!("{}/a", path(plural));
        let scale = format!("{one}/scale");
        let (code, first) = api.get(&scale).await;
        assert_eq!(
            (code, &first["kind"], &first["apiVersion"]),
            (200, &json!("Scale"), &json!("autoscaling/v1"))
        );
        assert_eq!(first["spec"], json!({"replicas": 2}));
        assert_eq!(first["status"], json!({"replicas": replicas, "selector": selector}), "{plural}");
        let (code, second) = api.merge(&scale, json!({"spec": {"replicas": 0}})).await;
        assert_eq!((code, &second["spec"]), (200, &json!({})), "{second}");
        let (_, whole) = api.get(&one).await;
        assert_eq!((&whole["spec"]["replicas"], &whole["metadata"]["generation"]), (&json!(0), &json!(2)));
        assert_eq!(second["metadata"]["resourceVersion"], whole["metadata"]["resourceVersion"]);
        let mut third = first.clone();
        third["spec"]["replicas"] = 5.into();
        assert_eq!(api.put(&scale, third.clone()).await.0, 409, "it was made from an older version");
        third["metadata"]["resourceVersion"] = Value::Null;
        let (code, third) = api.put(&scale, third).await;
        assert_eq!((code, &third["spec"]), (200, &json!({"replicas": 5})), "{third}");
        for (sent, code, wanted) in [
            (json!({"metadata": {"name": "a"}, "spec": {"replicas": -1}}), 422, "Invalid value: -1: "),
            (
                json!({"metadata": {"name": "b"}}),
                400,
                "the name of the object (b) does not match the name on the URL (a)",
            ),
            (json!({"metadata": {"name": "a"}, "spec": {"replicas": "x"}}), 422, "cannot unmarshal string"),
            (
                json!({"kind": "Pod", "apiVersion": "v1"}),
                400,
                "Pod in version \"v1\" cannot be handled as a Scale",
            ),
        ] {
            let (got, status) = api.put(&scale, sent).await;
            assert_eq!(got, code, "{status}");
            assert!(status["message"].as_str().unwrap().contains(wanted), "{status}");
        }
        assert_eq!(api.delete(&scale).await.0, 405);
        assert_eq!(api.get(&scale.replace("/a/", "/gone/")).await.0, 404);
    }
}
