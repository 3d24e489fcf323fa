//! Rights as clients meet them.

use http::Method;
use serde_json::{Value, json};

use crate::demo::server::testing::Api;
use crate::demo::server::{MASTERS, User};

const VMS: &str = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
const ME: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A server on which `shop-operator` may do all to machines in `shop`, and `system:serviceaccount:shop:robot` may look at
/// one Secret there.
fn api() -> Api {
    let api = Api::with(|options| {
        options.users.push(("token-of-other-admin".into(), User::new("other-admin", &[MASTERS])));
    });
    let vms = json!([{"apiGroups": ["kubevirt.io"], "resources": ["*"], "verbs": ["*"]}]);
    let secret = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"], "resourceNames": ["key"]}]);
    for object in [
        role("Role", "vm-operator", &vms),
        binding(
            "RoleBinding",
            "ops",
            "Role",
            "vm-operator",
            &json!({"kind": "User", "name": "shop-operator"}),
        ),
        role("Role", "reader", &secret),
        binding(
            "RoleBinding",
            "robots",
            "Role",
            "reader",
            &json!({"kind": "ServiceAccount", "name": "robot"}),
        ),
    ] {
        api.server().put(object).unwrap();
    }
    api
}

fn role(kind: &str, name: &str, rules: &Value) -> Value {
    let mut role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": {"name": name}, "rules": rules});
    if kind == "Role" {
        role["metadata"]["namespace"] = "shop".into();
    }
    role
}

fn binding(kind: &str, name: &str, role_kind: &str, role: &str, subject: &Value) -> Value {
    let mut binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
        "metadata": {"name": name}, "subjects": [subject],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role_kind, "name": role}});
    if kind == "RoleBinding" {
        binding["metadata"]["namespace"] = "shop".into();
    }
    binding
}

async fn code(api: &Api, method: Method, path: &str) -> u16 {
    api.send(method, path, "").await.code
}

#[tokio::test]
async fn rights_are_those_of_the_stored_bindings() {
    let api = api();
    let operator = api.as_user("shop-operator");
    let all = "/apis/kubevirt.io/v1/virtualmachines";
    for (api, method, path, wanted) in [
        (&operator, Method::GET, VMS, 200),
        (&operator, Method::GET, &*format!("{VMS}/x"), 404),
        (&operator, Method::GET, all, 403),
        (&operator, Method::GET, "/apis/kubevirt.io/v1/namespaces/lab/virtualmachines", 403),
        (&operator, Method::GET, "/api/v1/namespaces/shop/pods", 403),
        (&operator, Method::DELETE, "/api/v1/namespaces/shop/pods/x", 403),
        (&operator, Method::GET, "/apis/kubevirt.io/v1/nothings", 403),
        (&api.as_admin(), Method::GET, all, 200),
        (&api.as_user("other-admin"), Method::GET, all, 200),
        (&api, Method::GET, all, 403),
        (&api.as_user("nobody"), Method::GET, "/version", 401),
        (&api.with_header("authorization", "Basic YTpi"), Method::GET, "/version", 200),
        (&api.with_header("authorization", "Basic YTpi"), Method::GET, all, 403),
        (&api.with_header("authorization", "bearer token-of-admin"), Method::GET, all, 200),
    ] {
        assert_eq!(code(api, method.clone(), path).await, wanted, "{method} {path}");
    }
    let (_, refused) = operator.get(all).await;
    assert_eq!(
        refused["message"],
        "virtualmachines.kubevirt.io is forbidden: User \"shop-operator\" cannot list resource \"virtualmachines\" in API \
         group \"kubevirt.io\" at the cluster scope"
    );
    let (_, refused) = api.get("/api/v1/pods").await;
    assert!(refused["message"].as_str().unwrap().contains("User \"system:anonymous\""), "{refused}");
}

#[tokio::test]
async fn rights_come_and_go_with_bindings_and_roles() {
    let api = api();
    let operator = api.as_user("shop-operator");
    let put = |object: Value| api.server().put(object).unwrap();
    let nodes = json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]);
    let everybody = json!({"kind": "Group", "name": "system:authenticated"});
    assert_eq!(code(&operator, Method::GET, "/api/v1/nodes").await, 403);
    put(binding("ClusterRoleBinding", "lookers", "ClusterRole", "looker", &everybody));
    let (_, refused) = operator.get("/api/v1/nodes").await;
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.ends_with(": RBAC: clusterrole.rbac.authorization.k8s.io \"looker\" not found"),
        "{message}"
    );
    put(role("ClusterRole", "looker", &nodes));
    assert_eq!(code(&operator, Method::GET, "/api/v1/nodes").await, 200);
    assert_eq!(code(&api, Method::GET, "/api/v1/nodes").await, 403, "nobody has not logged in");
    // A ClusterRole in one namespace only.
    let pods = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]);
    put(role("ClusterRole", "pods", &pods));
    let operators = json!({"kind": "User", "name": "shop-operator"});
    put(binding("RoleBinding", "pods", "ClusterRole", "pods", &operators));
    assert_eq!(code(&operator, Method::GET, "/api/v1/namespaces/shop/pods").await, 200);
    assert_eq!(code(&operator, Method::GET, "/api/v1/pods").await, 403);
    assert_eq!(code(&operator, Method::GET, "/api/v1/namespaces/shop/pods/x/log").await, 403);
    // What is no role is as good as none.
    put(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "pods"}, "rules": "everything"}));
    assert_eq!(code(&operator, Method::GET, "/api/v1/namespaces/shop/pods").await, 403);
    let nobody = json!({"kind": "Group", "name": "nobody"});
    put(binding("ClusterRoleBinding", "lookers", "ClusterRole", "looker", &nobody));
    assert_eq!(code(&operator, Method::GET, "/api/v1/nodes").await, 403);
}

#[tokio::test]
async fn who_may_impersonate_is_taken_for_somebody_else() {
    let api = api();
    let as_somebody = |api: &Api, user: &str| api.with_header("impersonate-user", user);
    let admin = api.as_admin();
    let operator = as_somebody(&admin, "shop-operator");
    assert_eq!(code(&operator, Method::GET, VMS).await, 200);
    assert_eq!(code(&operator, Method::GET, "/api/v1/pods").await, 403);
    assert_eq!(code(&as_somebody(&admin, "eve"), Method::GET, VMS).await, 403);
    let eve = as_somebody(&admin, "eve").with_header("impersonate-group", MASTERS);
    assert_eq!(code(&eve, Method::GET, VMS).await, 200);
    let (_, me) = eve.post(ME, json!({})).await;
    assert_eq!(
        me["status"]["userInfo"],
        json!({"username": "eve", "groups": [MASTERS, "system:authenticated"]})
    );
    let robot = as_somebody(&admin, "system:serviceaccount:shop:robot");
    assert_eq!(code(&robot, Method::GET, "/api/v1/namespaces/shop/secrets/key").await, 404);
    assert_eq!(code(&robot, Method::GET, "/api/v1/namespaces/shop/secrets/other").await, 403);
    let (_, me) = robot.post(ME, json!({})).await;
    let groups = json!(["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]);
    assert_eq!(me["status"]["userInfo"]["groups"], groups);
    assert_eq!(code(&as_somebody(&admin, "system:anonymous"), Method::POST, ME).await, 403);

    let (code_, refused) = as_somebody(&api.as_user("shop-operator"), "admin").get("/api/v1/pods").await;
    assert_eq!(code_, 403);
    assert_eq!(
        refused["message"],
        "pods is forbidden: User \"shop-operator\" cannot impersonate-on:user-info:list resource \"pods\" in API group \"\" \
         at the cluster scope"
    );
    assert_eq!(code(&admin.with_header("impersonate-group", "ops"), Method::GET, VMS).await, 400);
    // One name may be impersonated, but in no group.
    let one = json!([{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["bob"]}]);
    api.server().put(role("ClusterRole", "bobs", &one)).unwrap();
    let operators = json!({"kind": "User", "name": "shop-operator"});
    api.server().put(binding("ClusterRoleBinding", "bobs", "ClusterRole", "bobs", &operators)).unwrap();
    let bob = as_somebody(&api.as_user("shop-operator"), "bob");
    assert_eq!(bob.post(ME, json!({})).await.0, 201);
    assert_eq!(code(&bob.with_header("impersonate-group", MASTERS), Method::POST, ME).await, 403);
    assert_eq!(code(&as_somebody(&bob, "eve"), Method::POST, ME).await, 403);
}

#[tokio::test]
async fn one_may_ask_what_one_may() {
    let api = api();
    let operator = api.as_user("shop-operator");
    for (asked, allowed) in [
        (
            json!({"namespace": "shop", "verb": "delete", "group": "kubevirt.io", "resource": "virtualmachines"}),
            true,
        ),
        (
            json!({"namespace": "lab", "verb": "delete", "group": "kubevirt.io", "resource": "virtualmachines"}),
            false,
        ),
        (json!({"verb": "list", "group": "kubevirt.io", "resource": "virtualmachines"}), false),
        (json!({"namespace": "shop", "verb": "list", "resource": "pods"}), false),
        (json!({}), false),
    ] {
        let (code, review) = operator.post(ACCESS, json!({"spec": {"resourceAttributes": asked}})).await;
        assert_eq!(code, 201, "{review}");
        assert_eq!(review["status"]["allowed"], allowed, "{review}");
        assert_eq!(review["spec"], json!({"resourceAttributes": asked}));
        let reason =
            "RBAC: allowed by RoleBinding \"ops/shop\" of Role \"vm-operator\" to User \"shop-operator\"";
        assert_eq!(review["status"]["reason"] == reason, allowed, "{review}");
    }
    let path = json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/apis/x"}}});
    assert_eq!(operator.post(ACCESS, path).await.1["status"]["allowed"], true);
    let pods = json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}});
    let (_, review) = api.as_admin().post(ACCESS, pods.clone()).await;
    assert_eq!(review["status"], json!({"allowed": true}));
    assert_eq!(api.post(ACCESS, pods).await.0, 403, "who has not logged in may not even ask");

    let (_, rules) = operator.post(RULES, json!({"spec": {"namespace": "shop"}})).await;
    let resources = rules["status"]["resourceRules"].as_array().unwrap();
    assert!(
        resources.contains(&json!({"verbs": ["*"], "apiGroups": ["kubevirt.io"], "resources": ["*"]})),
        "{rules}"
    );
    assert_eq!(rules["status"]["nonResourceRules"][0]["verbs"], json!(["get"]));
    assert_eq!(rules["status"]["incomplete"], false);
    let (_, rules) = operator.post(RULES, json!({"spec": {"namespace": "lab"}})).await;
    assert!(!rules["status"]["resourceRules"].to_string().contains("kubevirt.io"), "{rules}");
}

#[tokio::test]
async fn questions_that_make_no_sense_are_refused() {
    let api = api().as_admin();
    let both = json!({"resourceAttributes": {}, "nonResourceAttributes": {}});
    for (path, body, wanted) in [
        (ACCESS, json!({"spec": {}}), 422),
        (ACCESS, json!({"spec": both}), 422),
        (ACCESS, json!([]), 400),
        (ACCESS, json!({"apiVersion": "v1", "kind": "Pod"}), 400),
        (RULES, json!({"spec": {}}), 400),
        (ME, json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}), 201),
    ] {
        assert_eq!(api.post(path, body.clone()).await.0, wanted, "{path} {body}");
    }
    let send = async |media: &str, body: &'static [u8]| {
        api.with_header("content-type", media).send(Method::POST, ACCESS, body).await.code
    };
    assert_eq!(send("application/json", b"{").await, 400);
    assert_eq!(send("text/plain", b"{}").await, 415);
    assert_eq!(send("application/vnd.kubernetes.protobuf", b"k8s\0\xff").await, 400);
    assert_eq!(code(&api, Method::GET, ACCESS).await, 405);
    assert_eq!(code(&api, Method::GET, &format!("{ACCESS}/x")).await, 404);
}
