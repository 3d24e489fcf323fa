use serde_json::{Value, json};

use crate::demo::server::testing::Api;

const MACHINES: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn machine() -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "web", "labels": {"a": "b"}},
        "spec": {"runStrategy": "Halted", "template": {"spec": {"domain": {"devices": {}}}}},
    })
}

fn map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

/// Manager, sub-resource and fields of each entry.
fn authors(object: &Value) -> Vec<(String, String, Value)> {
    let list = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.iter()
        .map(|one| (text(&one["manager"]), text(&one["subresource"]), one["fieldsV1"].clone()))
        .collect()
}

fn names(object: &Value) -> Vec<String> {
    authors(object).into_iter().map(|(manager, ..)| manager).collect()
}

#[tokio::test]
async fn each_author_has_what_it_has_set_last() {
    let api = Api::new().as_admin();
    let (code, object) = api.post(&format!("{MACHINES}?fieldManager=kubectl-create"), machine()).await;
    assert_eq!(code, 201, "{object}");
    let spec = json!({".": {}, "f:runStrategy": {}, "f:template": {".": {}, "f:spec": {".": {}, "f:domain": {".": {}, "f:devices": {}}}}});
    assert_eq!(
        object["metadata"]["managedFields"],
        json!([{
            "manager": "kubectl-create", "operation": "Update", "apiVersion": "kubevirt.io/v1",
            "time": "2026-03-04T05:06:07Z", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}, "f:spec": spec},
        }])
    );
    api.advance(5);
    let curl = api.with_header("user-agent", "curl/8.1 (linux)");
    let (_, object) =
        curl.merge(&format!("{MACHINES}/web"), json!({"spec": {"runStrategy": "Always"}})).await;
    let (_, _, first) = authors(&object).remove(0);
    assert_eq!(first["f:spec"].get("f:runStrategy"), None, "{first}");
    assert_eq!(authors(&object)[1], ("curl".into(), String::new(), json!({"f:spec": {"f:runStrategy": {}}})));
    api.advance(5);
    let status = json!({"status": {"ready": true, "conditions": [{"type": "Ready"}]}});
    let path = format!("{MACHINES}/web/status?fieldManager=virt-controller");
    let (_, object) = api.merge(&path, status).await;
    let fields = json!({"f:status": {".": {}, "f:conditions": {}, "f:ready": {}}});
    assert_eq!(authors(&object)[2], ("virt-controller".into(), "status".into(), fields));
    let (_, object) =
        curl.merge(&format!("{MACHINES}/web"), json!({"metadata": {"labels": {"a": null}}})).await;
    assert_eq!(authors(&object)[0].2["f:metadata"], Value::Null, "its only label is gone: {object}");
    assert_eq!(
        object["metadata"]["managedFields"][1]["time"], "2026-03-04T05:06:12Z",
        "it has set nothing since"
    );
}

#[tokio::test]
async fn a_write_that_changes_nothing_leaves_them_alone() {
    let api = Api::new().as_admin();
    let (_, made) = api.post(&format!("{MAPS}?fieldManager=a"), map("m")).await;
    api.advance(60);
    let (_, same) = api.put(&format!("{MAPS}/m?fieldManager=b"), made.clone()).await;
    assert_eq!(same, made);
    let mut without = made.clone();
    without["metadata"].as_object_mut().unwrap().remove("managedFields");
    let (_, same) = api.put(&format!("{MAPS}/m?fieldManager=b"), without).await;
    assert_eq!(same, made, "who does not know of them cannot remove them");
    let (_, same) =
        api.merge(&format!("{MAPS}/m?fieldManager=b"), json!({"metadata": {"managedFields": []}})).await;
    assert_eq!(same, made);
    let (_, bare) =
        api.merge(&format!("{MAPS}/m?fieldManager=b"), json!({"metadata": {"managedFields": [{}]}})).await;
    assert_eq!(bare["metadata"].get("managedFields"), None);
    let (_, bare) = api.merge(&format!("{MAPS}/m?fieldManager=b"), json!({"data": {"a": "2"}})).await;
    assert_eq!(names(&bare), [""; 0], "nobody begins to look after an object that nobody looks after");
}

#[tokio::test]
async fn too_many_authors_become_one() {
    let api = Api::new().as_admin();
    api.post(&format!("{MAPS}?fieldManager=author-0"), map("m")).await;
    for n in 1..14 {
        api.advance(1);
        let data = json!({"data": {(format!("key-{n}")): "x"}});
        api.merge(&format!("{MAPS}/m?fieldManager=author-{n}"), data).await;
    }
    let (_, object) = api.get(&format!("{MAPS}/m")).await;
    let names = names(&object);
    assert_eq!((names.len(), &*names[0], &*names[9]), (10, "ancient-changes", "author-13"));
    let fields = &authors(&object)[0].2["f:data"];
    assert!(fields.get("f:a").is_some() && fields.get("f:key-4").is_some(), "{fields}");
}

#[tokio::test]
async fn an_author_has_a_name_that_can_be_shown() {
    let api = Api::new().as_admin();
    let (code, answer) = api.post(&format!("{MAPS}?fieldManager={}", "x".repeat(129)), map("m")).await;
    assert_eq!(
        (code, answer["details"]["causes"][0]["field"].as_str()),
        (422, Some("fieldManager")),
        "{answer}"
    );
    let (code, _) = api.post(&format!("{MAPS}?fieldManager=a%0Ab"), map("m")).await;
    assert_eq!(code, 422);
    let (_, object) = api.post(MAPS, map("m")).await;
    assert_eq!(names(&object), ["unknown"]);
    let long = api.with_header("user-agent", &"y".repeat(300));
    let (_, object) = long.post(MAPS, map("n")).await;
    assert_eq!(names(&object), ["y".repeat(128)]);
}
