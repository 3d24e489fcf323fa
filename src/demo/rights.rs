//! Who may do what on the embedded cluster: the roles for people that every cluster has, and what the operator of one
//! namespace has.

use serde::Serialize;
use serde_json::{Value, json};

use super::server::MASTERS;

/// The user who looks after one namespace, and that namespace.
pub const OPERATOR: &str = "shop-operator";
/// See [`OPERATOR`].
pub const NAMESPACE: &str = "shop";

const GROUP: &str = "rbac.authorization.k8s.io";

/// The groups of virtual machines and their parts.
const MACHINES: [&str; 9] = [
    "kubevirt.io",
    "subresources.kubevirt.io",
    "cdi.kubevirt.io",
    "snapshot.kubevirt.io",
    "snapshot.storage.k8s.io",
    "pool.kubevirt.io",
    "instancetype.kubevirt.io",
    "virt.virtink.smartx.com",
    "v9s.dev",
];

/// The group in which KubeVirt starts, stops and opens machines.
const MACHINES_API: &str = "subresources.kubevirt.io";

const LOOK: &[&str] = &["get", "list", "watch"];
const WRITE: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];
const LOOK_AND_WRITE: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Roles and bindings, to be stored.
pub fn objects() -> Vec<Value> {
    let view = [view(), machines_view()].concat();
    let edit = [edit(), view.clone(), machines_edit()].concat();
    let admin = [edit.clone(), admin(), machines_admin()].concat();
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
        role("ClusterRole", "kubevirt.io:view", &machines_view()),
        role("ClusterRole", "kubevirt.io:edit", &[machines_view(), machines_edit()].concat()),
        role(
            "ClusterRole",
            "kubevirt.io:admin",
            &[machines_view(), machines_edit(), machines_admin()].concat(),
        ),
        role(
            "ClusterRole",
            "kubevirt.io:migrate",
            &[rule(&["update"], &[MACHINES_API], &["virtualmachines/migrate"])],
        ),
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

fn rule(verbs: &[&str], groups: &[&str], resources: &[impl Serialize]) -> Value {
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
    // The last one is metrics-server's, through aggregation.
    let metrics = rule(LOOK, &["metrics.k8s.io"], &["pods", "nodes"]);
    vec![rule(LOOK, &[""], &core), rule(LOOK, &["apps"], &apps), metrics]
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

/// What KubeVirt's role `kubevirt.io:view` has in its group of sub-resources, and through aggregation everybody who may
/// look. The roles are those of KubeVirt 1.9, where `migrate` is in none but `kubevirt.io:migrate`.
fn machines_view() -> Vec<Value> {
    let instances = ["guestosinfo", "filesystemlist", "userlist", "objectgraph"];
    vec![
        rule(&["get"], &[MACHINES_API], &of("virtualmachines", &["expand-spec", "objectgraph"])),
        rule(&["get"], &[MACHINES_API], &of("virtualmachineinstances", &instances)),
        rule(&["update"], &[MACHINES_API], &["expand-vm-spec"]),
    ]
}

/// What `kubevirt.io:edit` has beside that.
fn machines_edit() -> Vec<Value> {
    // kube-apiserver asks for the first part of `evacuate/cancel` only, KubeVirt for the whole.
    let machines = [
        "start",
        "stop",
        "restart",
        "addvolume",
        "removevolume",
        "memorydump",
        "removememorydump",
        "evacuate",
        "evacuate/cancel",
    ];
    let instances = [
        "pause",
        "unpause",
        "freeze",
        "unfreeze",
        "softreboot",
        "reset",
        "addvolume",
        "removevolume",
        "sev/setupsession",
        "sev/injectlaunchsecret",
        "evacuate",
        "evacuate/cancel",
    ];
    vec![
        rule(&["get"], &[MACHINES_API], &["virtualmachines/portforward"]),
        rule(
            &["get"],
            &[MACHINES_API],
            &of("virtualmachineinstances", &["console", "vnc", "usbredir", "portforward"]),
        ),
        rule(&["update"], &[MACHINES_API], &of("virtualmachines", &machines)),
        rule(&["update"], &[MACHINES_API], &of("virtualmachineinstances", &instances)),
    ]
}

/// What `kubevirt.io:admin` has beside both.
fn machines_admin() -> Vec<Value> {
    vec![rule(&["get"], &[MACHINES_API], &["virtualmachineinstances/vnc/screenshot"])]
}

/// These parts of a resource.
fn of(resource: &str, parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| format!("{resource}/{part}")).collect()
}
