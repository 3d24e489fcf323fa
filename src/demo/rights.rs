//! Who may do what on the embedded cluster: the roles for people that every cluster has, and what the operator of one
//! namespace has.

use serde_json::{Value, json};

use super::server::MASTERS;

/// The user who looks after one namespace, and that namespace.
pub const OPERATOR: &str = "shop-operator";
/// See [`OPERATOR`].
pub const NAMESPACE: &str = "shop";

const GROUP: &str = "rbac.authorization.k8s.io";

/// The groups of virtual machines and their parts.
const MACHINES: [&str; 8] = [
    "kubevirt.io",
    "subresources.kubevirt.io",
    "cdi.kubevirt.io",
    "snapshot.kubevirt.io",
    "snapshot.storage.k8s.io",
    "pool.kubevirt.io",
    "instancetype.kubevirt.io",
    "virt.virtink.smartx.com",
];

const LOOK: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const LOOK_AND_WRITE: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Roles and bindings, to be stored.
pub fn objects() -> Vec<Value> {
    let view = view();
    let edit = [edit(), view.clone()].concat();
    let admin = [edit.clone(), admin()].concat();
    let everything = vec![json!({"apiGroups": MACHINES, "resources": ["*"], "verbs": ["*"]})];
    vec![
        role(
            "ClusterRole",
            "cluster-admin",
            &[rule(&["*"], &["*"], &["*"]), json!({"nonResourceURLs": ["*"], "verbs": ["*"]})],
        ),
        json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "cluster-admin"},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": MASTERS}],
        }),
        role("ClusterRole", "view", &view),
        role("ClusterRole", "edit", &edit),
        role("ClusterRole", "admin", &admin),
        role("Role", "vm-operator", &everything),
        binding("ClusterRole", "admin"),
        binding("Role", "vm-operator"),
    ]
}

fn role(kind: &str, name: &str, rules: &[Value]) -> Value {
    let mut role = json!({"apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": {"name": name}, "rules": rules});
    if kind == "Role" {
        role["metadata"]["namespace"] = NAMESPACE.into();
    } else {
        role["metadata"]["labels"] = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
    }
    role
}

fn binding(kind: &str, role: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "RoleBinding",
        "metadata": {"namespace": NAMESPACE, "name": format!("{OPERATOR}-{role}")},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "User", "name": OPERATOR}],
    })
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
}

/// Looking at everything in a namespace but Secrets and rights.
fn view() -> Vec<Value> {
    let core = [
        "configmaps",
        "events",
        "namespaces",
        "namespaces/status",
        "persistentvolumeclaims",
        "persistentvolumeclaims/status",
        "pods",
        "pods/log",
        "pods/status",
        "resourcequotas",
        "resourcequotas/status",
        "serviceaccounts",
        "services",
        "services/status",
    ];
    let apps = [
        "daemonsets",
        "daemonsets/status",
        "deployments",
        "deployments/scale",
        "deployments/status",
        "replicasets",
        "replicasets/scale",
        "replicasets/status",
    ];
    vec![rule(LOOK, &[""], &core), rule(LOOK, &["apps"], &apps)]
}

/// Changing what is in a namespace, and looking at its Secrets.
fn edit() -> Vec<Value> {
    let core =
        ["configmaps", "events", "persistentvolumeclaims", "pods", "secrets", "serviceaccounts", "services"];
    let apps = ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale"];
    vec![
        rule(LOOK, &[""], &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets"]),
        rule(&["impersonate"], &[""], &["serviceaccounts"]),
        rule(WRITE, &[""], &core),
        rule(WRITE, &[""], &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy"]),
        rule(&["create"], &[""], &["pods/eviction"]),
        rule(WRITE, &["apps"], &apps),
        rule(LOOK_AND_WRITE, &["coordination.k8s.io"], &["leases"]),
    ]
}

/// Giving rights in a namespace.
fn admin() -> Vec<Value> {
    vec![rule(LOOK_AND_WRITE, &[GROUP], &["rolebindings", "roles"])]
}
