//! Requests that delete, and what goes with what is deleted.

use serde_json::{Value, json};

use crate::demo::server::testing::Api;

const PODS: &str = "/api/v1/namespaces/default/pods";
const SPACES: &str = "/api/v1/namespaces";
const VMS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
const VMIS: &str = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";

fn pod(name: &str, node: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}})
}

fn vm(name: &str, metadata: Value) -> Value {
    let mut object = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "spec": {}});
    object["metadata"] = metadata;
    object["metadata"]["name"] = name.into();
    object
}

fn vmi(name: &str, owners: &[&Value]) -> Value {
    let mut object = vm(name, json!({}));
    object["kind"] = "VirtualMachineInstance".into();
    let owners = owners.iter().map(|owner| {
        json!({
            "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"], "blockOwnerDeletion": true,
        })
    });
    object["metadata"]["ownerReferences"] = owners.collect();
    object
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let api = Api::new().as_admin();
    let one = &format!("{VMS}/a");
    let (_, made) = api.post(VMS, vm("a", json!({}))).await;
    let mut watch = api.lines(&format!("{VMS}?watch=1")).await;
    assert_eq!(watch.told().await, "ADDED a");
    for (options, wanted) in [
        (
            json!({"preconditions": {"uid": "x"}}),
            "VirtualMachine.kubevirt.io \"a\": the UID in the precondition (x)",
        ),
        (
            json!({"preconditions": {"resourceVersion": "1"}}),
            "VirtualMachine.kubevirt.io \"a\": the ResourceVersion in the precondition (1)",
        ),
    ] {
        let (code, status) = api.delete_with(one, options).await;
        assert_eq!((code, status["reason"].as_str()), (409, Some("Conflict")));
        assert!(status["message"].as_str().unwrap().contains(wanted), "{status}");
        assert_eq!(status["details"]["kind"], "VirtualMachine");
    }
    for (options, code, wanted) in [
        (json!({"propagationPolicy": "Foo"}), 422, "propagationPolicy: Unsupported value: \"Foo\""),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), 422, "cannot be both set"),
        (json!({"kind": "Pod", "apiVersion": "v1"}), 400, "no kind \"Pod\" is registered for version \"v1\""),
        (json!({"gracePeriodSeconds": "x"}), 400, "gracePeriodSeconds"),
    ] {
        let (got, status) = api.delete_with(one, options).await;
        assert_eq!(got, code, "{status}");
        assert!(status["message"].as_str().unwrap().contains(wanted), "{status}");
    }
    let (code, status) =
        api.delete_with(one, json!({"preconditions": {"uid": made["metadata"]["uid"]}})).await;
    let details = json!({"name": "a", "group": "kubevirt.io", "kind": "virtualmachines", "uid": made["metadata"]["uid"]});
    let wanted = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    assert_eq!((code, status), (200, wanted));
    let (happened, last) = watch.event().await;
    assert_eq!((happened.as_str(), &last["spec"]), ("DELETED", &made["spec"]));
    assert!(last["metadata"]["deletionTimestamp"].is_null());
    let version =
        |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(version(&last) > version(&made), "it has a version of its own");
    let (code, status) = api.delete(one).await;
    assert_eq!(
        (code, status["message"].as_str()),
        (404, Some("virtualmachines.kubevirt.io \"a\" not found"))
    );
}

#[tokio::test]
async fn finalizers_keep_an_object() {
    let api = Api::new().as_admin();
    let one = &format!("{VMS}/a");
    api.post(VMS, vm("a", json!({"finalizers": ["a/b", "c/d"]}))).await;
    let (code, marked) = api.delete(one).await;
    let metadata = &marked["metadata"];
    assert_eq!((code, &marked["kind"]), (200, &json!("VirtualMachine")));
    assert_eq!(metadata["deletionGracePeriodSeconds"], 0);
    assert_eq!(metadata["generation"], 2);
    assert!(metadata["deletionTimestamp"].is_string());
    assert_eq!(api.delete(one).await, (200, marked.clone()), "a second deletion changes nothing");
    let (code, status) = api.merge(one, json!({"metadata": {"finalizers": ["a/b", "e/f"]}})).await;
    let wanted = "VirtualMachine.kubevirt.io \"a\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"e/f\"}";
    assert_eq!((code, status["message"].as_str()), (422, Some(wanted)));
    let (code, fewer) = api.merge(one, json!({"metadata": {"finalizers": ["c/d"]}})).await;
    assert_eq!((code, &fewer["metadata"]["finalizers"]), (200, &json!(["c/d"])));
    let mut watch = api.lines(&format!("{VMS}?watch=1")).await;
    assert_eq!(watch.told().await, "ADDED a");
    let (code, last) = api.merge(one, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!((code, &last["metadata"]["finalizers"]), (200, &Value::Null));
    assert_eq!(watch.told().await, "DELETED a");
    assert_eq!(api.get(one).await.0, 404);
}

#[tokio::test]
async fn pods_have_time_to_end() {
    let api = Api::new().as_admin();
    for (name, node, query) in [("unscheduled", "", ""), ("at-once", "n", "?gracePeriodSeconds=0")] {
        api.post(PODS, pod(name, node)).await;
        let (code, gone) = api.delete(&format!("{PODS}/{name}{query}")).await;
        assert_eq!((code, &gone["kind"]), (200, &json!("Pod")));
        assert_eq!(gone["metadata"]["deletionGracePeriodSeconds"], 0);
        assert_eq!(api.get(&format!("{PODS}/{name}")).await.0, 404, "{name}");
    }
    api.post(PODS, pod("a", "n")).await;
    let one = &format!("{PODS}/a");
    let time = |pod: &Value| {
        let metadata = &pod["metadata"];
        (
            metadata["deletionTimestamp"].as_str().unwrap()[11..19].to_owned(),
            metadata["deletionGracePeriodSeconds"].clone(),
        )
    };
    let (code, first) = api.delete(one).await;
    assert_eq!((code, time(&first)), (200, ("05:06:37".into(), json!(30))));
    assert_eq!(first["metadata"]["generation"], 2);
    assert_eq!(api.delete(one).await.1, first);
    assert_eq!(api.delete(&format!("{one}?gracePeriodSeconds=50")).await.1, first);
    let (_, shorter) = api.delete(&format!("{one}?gracePeriodSeconds=5")).await;
    assert_eq!(time(&shorter), ("05:06:12".into(), json!(5)));
    assert_eq!(api.get(one).await, (200, shorter));
    assert_eq!(api.delete(&format!("{one}?gracePeriodSeconds=0")).await.0, 200);
    assert_eq!(api.get(one).await.0, 404);
    let (code, status) = api.delete(&format!("{one}?gracePeriodSeconds=x")).await;
    assert_eq!(
        (code, status["message"].as_str()),
        (400, Some("strconv.ParseInt: parsing \"x\": invalid syntax"))
    );
}

#[tokio::test]
async fn what_an_object_owns_goes_with_it() {
    let api = Api::new().as_admin();
    let (_, owner) = api.post(VMS, vm("a", json!({}))).await;
    let (_, other) = api.post(VMS, vm("other", json!({}))).await;
    let (_, child) = api.post(VMIS, vmi("child", &[&owner])).await;
    api.post(VMIS, vmi("shared", &[&owner, &other])).await;
    api.post(VMIS, vmi("grandchild", &[&child])).await;
    assert_eq!(api.delete(&format!("{VMS}/a")).await.0, 200);
    assert_eq!(api.names(VMIS).await, ["shared"]);
    let (_, shared) = api.get(&format!("{VMIS}/shared")).await;
    let owners = shared["metadata"]["ownerReferences"].as_array().unwrap();
    assert_eq!(owners.len(), 1, "{shared}");
    assert_eq!(owners[0]["name"], "other");
    // What comes too late goes at once.
    let mut watch = api.lines(&format!("{VMIS}?watch=1")).await;
    assert_eq!(watch.told().await, "ADDED shared");
    assert_eq!(api.post(VMIS, vmi("late", &[&owner])).await.0, 201);
    assert_eq!((watch.told().await.as_str(), watch.told().await.as_str()), ("ADDED late", "DELETED late"));
    assert_eq!(
        api.merge(
            &format!("{VMIS}/shared"),
            json!({"metadata": {"ownerReferences": vmi("x", &[&owner])["metadata"]["ownerReferences"]}})
        )
        .await
        .0,
        200
    );
    assert!(api.names(VMIS).await.is_empty());
}

#[tokio::test]
async fn in_the_foreground_the_owner_goes_last() {
    let api = Api::new().as_admin();
    let (_, owner) = api.post(VMS, vm("a", json!({}))).await;
    let mut child = vmi("child", &[&owner]);
    child["metadata"]["finalizers"] = json!(["a/b"]);
    api.post(VMIS, child).await;
    let one = &format!("{VMS}/a");
    let (code, marked) = api.delete_with(one, json!({"propagationPolicy": "Foreground"})).await;
    assert_eq!((code, &marked["metadata"]["finalizers"]), (200, &json!(["foregroundDeletion"])));
    let (_, child) = api.get(&format!("{VMIS}/child")).await;
    assert!(child["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(api.get(one).await.0, 200);
    api.merge(&format!("{VMIS}/child"), json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(api.get(&format!("{VMIS}/child")).await.0, 404);
    assert_eq!(api.get(one).await.0, 404);
}

#[tokio::test]
async fn orphans_stay() {
    let api = Api::new().as_admin();
    let (_, owner) = api.post(VMS, vm("a", json!({}))).await;
    api.post(VMIS, vmi("child", &[&owner])).await;
    let (code, marked) = api.delete(&format!("{VMS}/a?propagationPolicy=Orphan")).await;
    assert_eq!((code, &marked["metadata"]["finalizers"]), (200, &json!(["orphan"])));
    assert!(api.names(VMS).await.is_empty());
    let (code, child) = api.get(&format!("{VMIS}/child")).await;
    assert_eq!((code, &child["metadata"]["ownerReferences"]), (200, &Value::Null));
}

#[tokio::test]
async fn a_namespace_goes_when_it_is_empty() {
    let api = Api::new().as_admin();
    api.post(SPACES, json!({"metadata": {"name": "shop"}})).await;
    let shop = &format!("{SPACES}/shop");
    let vms = &VMS.replace("default", "shop");
    api.post(&format!("{shop}/pods"), pod("a", "")).await;
    api.post(vms, vm("held", json!({"finalizers": ["a/b"]}))).await;
    let (code, marked) = api.delete(shop).await;
    assert_eq!((code, &marked["status"]["phase"]), (200, &json!("Terminating")));
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    assert!(api.names(&format!("{shop}/pods")).await.is_empty());
    assert_eq!(api.names(vms).await, ["held"]);
    let (code, status) = api.post(vms, vm("late", json!({}))).await;
    let wanted = "virtualmachines.kubevirt.io \"late\" is forbidden: unable to create new content in namespace shop because it is being terminated";
    assert_eq!((code, status["message"].as_str()), (403, Some(wanted)));
    assert_eq!(status["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let mut watch = api.lines(&format!("{SPACES}?watch=1&fieldSelector=metadata.name%3Dshop")).await;
    assert_eq!(watch.told().await, "ADDED shop");
    api.merge(&format!("{vms}/held"), json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(watch.told().await, "DELETED shop");
    assert_eq!(api.get(shop).await.0, 404);
    api.post(SPACES, json!({"metadata": {"name": "empty"}})).await;
    let (code, marked) = api.delete(&format!("{SPACES}/empty")).await;
    assert_eq!((code, &marked["status"]["phase"]), (200, &json!("Terminating")));
    assert_eq!(api.get(&format!("{SPACES}/empty")).await.0, 404);
    let (code, status) = api.delete(&format!("{SPACES}/default")).await;
    let wanted = "namespaces \"default\" is forbidden: this namespace may not be deleted";
    assert_eq!((code, status["message"].as_str()), (403, Some(wanted)));
}

#[tokio::test]
async fn a_collection_is_deleted_as_far_as_it_is_chosen() {
    let api = Api::new().as_admin();
    for (name, metadata) in [
        ("a", json!({"labels": {"k": "1"}})),
        ("b", json!({"labels": {"k": "1"}, "finalizers": ["a/b"]})),
        ("c", json!({})),
    ] {
        api.post(VMS, vm(name, metadata)).await;
    }
    let (code, list) = api.delete(&format!("{VMS}?labelSelector=k%3D1&dryRun=All")).await;
    assert_eq!((code, list["items"].as_array().unwrap().len()), (200, 2));
    assert_eq!(api.names(VMS).await, ["a", "b", "c"]);
    let (code, list) = api.delete(&format!("{VMS}?labelSelector=k%3D1")).await;
    assert_eq!((code, list["kind"].as_str()), (200, Some("VirtualMachineList")));
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(api.names(VMS).await, ["b", "c"]);
    for path in ["/api/v1/namespaces", "/api/v1/pods"] {
        assert_eq!(api.delete(path).await.0, 405, "{path}");
    }
}
