//! Small stories on a real kube-apiserver that tests share.

use serde_json::json;

use super::DEFINITIONS;
use crate::support::apiserver::ApiServer;
use crate::support::crds::OpenCrd;
use crate::support::embedded::Embedded;
use crate::support::objects::{Object, vm, vmi_of};
use crate::support::screen::Screen;
use crate::support::suite::{self, Case, Env};
use crate::support::{deadline, poll};

const CASES: &[Case] = &[
    ("any resource opens as the server's own table, live", |env: &Env| {
        let config_map = |name: &str| {
            Object(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": env.namespace, "name": name}, "data": {"a": "1"},
            }))
        };
        env.cluster.create(config_map("first"));
        let mut v9s = screen(env, &[]);
        v9s.wait_for("workloads(").wait_for("live").press(":configmaps⏎").wait_for("first");
        v9s.expect("NAME↑").expect("DATA").expect("AGE").expect("configmaps(").expect("live");
        env.cluster.create(config_map("second"));
        v9s.wait_for("second");
        env.cluster.delete(&config_map("first"));
        v9s.gone("first");
        // By short name and singular; another table in the same place.
        v9s.press(":deploy⏎").wait_for("deployments(").wait_for("There are no deployments");
        v9s.press(":cm⏎").wait_for("configmaps(").wait_for("second");
        v9s.press(":serviceaccount⏎")
            .wait_for("serviceaccounts(")
            .gone("second")
            .press("⎋")
            .wait_for("second");
        // Without namespaces.
        v9s.press(":clusterroles⏎").wait_for("clusterroles[").wait_for("cluster-admin").reject("NAMESPACE");
        v9s.press(":nosuchthing⏎").wait_for("nosuchthing: no such view").expect("cluster-admin");
        v9s.press("q").wait_for("configmaps(").press("-").wait_for("clusterroles[");
        v9s.press(":q⏎");
        assert_eq!(v9s.wait_exit(), 0);
    }),
    ("the command line opens any resource, and that is where it begins", |env: &Env| {
        env.cluster.create(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": env.namespace, "name": "settings"},
        }));
        let mut v9s = screen(env, &["-c", "cm"]);
        v9s.wait_for("settings").expect("configmaps(").press("q").wait_for("further").expect("settings");
    }),
    ("a row says what it shows: state, reason, place", |env: &Env| {
        let running = env.cluster.create(vm(&env.namespace, "runs").running());
        env.cluster.create(vmi_of(&running));
        env.cluster.create(
            vm(&env.namespace, "waits").state("ErrorUnschedulable").with("spec.runStrategy", "Always"),
        );
        env.cluster.create(vm(&env.namespace, "sleeps"));
        let mut v9s = screen(env, &[]);
        v9s.wait_for("[3]").wait_for("live").wait_for("10.244.1.7");
        for (name, state) in
            [("runs", "● Running"), ("waits", "✗ ErrorUnschedulable"), ("sleeps", "○ Stopped")]
        {
            let line = v9s.line_of(&format!("│{name} "));
            assert!(line.contains(state), "{line}");
        }
        let line = v9s.line_of("│runs ");
        assert!(line.contains("node-1") && line.contains("1Gi"), "{line}");
        // The state is not told by colour alone, but by colour too.
        assert_ne!(v9s.cell_of("✗").fg, v9s.cell_of("○").fg);
        // The guest stops.
        env.cluster.patch(&running, json!({"status": {"printableStatus": "Stopping"}}));
        let instance = vmi_of(&running);
        env.cluster.delete(&instance);
        env.cluster.patch(
            &running,
            json!({"status": {"printableStatus": "Stopped"}, "spec": {"runStrategy": "Halted"}}),
        );
        v9s.gone("● Running")
            .wait_until(|text| text.matches("○ Stopped").count() == 2, "the second stopped machine");
    }),
    ("names that try to do something are text", |env: &Env| {
        let evil =
            vm(&env.namespace, "evil").with("status.printableStatus", "Run\u{1b}[31mning\u{7}\u{202e}");
        env.cluster.create(evil);
        let mut v9s = screen(env, &[]);
        v9s.wait_for("evil").wait_for("live").wait_for("␛[31m");
        assert!(!v9s.raw().windows(6).any(|bytes| bytes == b"Run\x1b[3"), "the escape sequence went out");
    }),
    ("the cursor stays on its object while rows come and go around it", |env: &Env| {
        for name in ["b", "d", "f"] {
            env.cluster.create(vm(&env.namespace, name));
        }
        let mut v9s = screen(env, &[]);
        v9s.wait_for("[3]").press("j").settle();
        let cursor = |v9s: &Screen, name: &str| {
            let (column, row) = v9s.place_of(&format!("│{name} "));
            v9s.cell(column + 1, row).flags.contains(crate::support::screen::Flags::INVERSE)
        };
        let there = poll(deadline(), || cursor(&v9s, "d").then_some(()));
        assert!(there.is_some(), "the cursor goes down");
        env.cluster.create(vm(&env.namespace, "a"));
        env.cluster.create(vm(&env.namespace, "c"));
        v9s.wait_for("[5]").settle();
        assert!(cursor(&v9s, "d"), "{}", v9s.text());
        env.cluster.delete(&vm(&env.namespace, "b"));
        v9s.wait_for("[4]").settle();
        assert!(cursor(&v9s, "d"), "{}", v9s.text());
        // Its own end leaves the cursor in its place, on a row.
        env.cluster.delete(&vm(&env.namespace, "d"));
        v9s.wait_for("[3]").settle();
        assert!(cursor(&v9s, "f") || cursor(&v9s, "c"), "{}", v9s.text());
    }),
    ("namespaces: one, all, back to that of a row", |env: &Env| {
        env.cluster.create(vm(&env.namespace, "mine"));
        let mut v9s = screen(env, &[]);
        let here = format!("workloads({})[1]", env.namespace);
        v9s.wait_for(&here)
            .reject("NAMESPACE")
            .press("0")
            .wait_for("workloads(all)")
            .wait_for("NAMESPACE")
            .wait_for("mine");
        v9s.press(&format!("/{} mine⏎", env.namespace))
            .wait_for("[1/")
            .press("w")
            .wait_for("workloads(case-");
        v9s.press("⎋").gone("</case").wait_for(&here);
        v9s.press(":ns⏎").wait_for("namespaces[").press(&format!("/{}⏎", env.namespace)).wait_for("[1/");
        v9s.press("⏎").wait_for(&here);
    }),
    ("many columns scroll, and the name stays", |env: &Env| {
        env.cluster.create(vm(&env.namespace, "a-machine").running());
        let mut v9s = Screen::builder()
            .kubeconfig(env.kubeconfig.as_ref().unwrap())
            .args(["-n", &env.namespace])
            .size(60, 24)
            .open();
        v9s.wait_for("a-machine").reject("AGE").press("<ctrl-w>→→→→→→→→").wait_for("AGE").expect("a-machine");
        v9s.press("hhhhhhhh").gone("AGE").expect("STATE");
    }),
];

fn screen(env: &Env, args: &[&str]) -> Screen {
    let kubeconfig = env.kubeconfig.as_ref().unwrap();
    let args = ["-n", &env.namespace].into_iter().chain(args.iter().copied());
    Screen::builder().kubeconfig(kubeconfig).args(args).open()
}

#[test]
fn stories_on_a_real_server() {
    if let Some(server) = ApiServer::shared() {
        server.cluster().apply_crds(&DEFINITIONS);
        suite::run_real(CASES);
    }
}

#[test]
fn who_may_read_one_namespace_sees_it_and_is_told_so() {
    let Some(server) = ApiServer::shared() else { return };
    server.cluster().apply_crds(&DEFINITIONS);
    let name = format!("shop-{:08x}", fastrand::u32(..));
    let machine = vm("shop", &name);
    server.cluster().create(machine.clone());
    let mut v9s = Screen::builder().kubeconfig(&server.kubeconfig("shop")).args(["-A"]).open();
    v9s.wait_for(&name).wait_for("workloads(all)").wait_for("Only the namespace shop may be read.");
    // A namespace that is closed says which right is missing.
    v9s.press(":vms lab⏎").wait_for("denied").wait_for("cannot list").expect("virtualmachines");
    v9s.press("⎋").wait_for(&name);
    // What has no namespace is not to be found in another one.
    v9s.press(":nodes⏎").wait_for("may not list nodes in this cluster").reject("namespace or");
    v9s.reject("There are no").reject("Another namespace");
    server.cluster().delete(&machine);
}

#[test]
fn partners_that_may_not_be_read_are_no_reason_to_claim_anything() {
    let Some(server) = ApiServer::shared() else { return };
    let cluster = server.cluster();
    cluster.apply_crds(&DEFINITIONS);
    let namespace = format!("narrow-{:08x}", fastrand::u32(..));
    cluster.namespace(&namespace);
    cluster.create(vm(&namespace, "runs").running());
    cluster.create(vm(&namespace, "waits").state("ErrorUnschedulable").with("spec.runStrategy", "Always"));
    cluster.create(vm(&namespace, "sleeps"));
    cluster.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"namespace": namespace, "name": "machines"},
        "rules": [{"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["get", "list", "watch"]}],
    }));
    cluster.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"namespace": namespace, "name": "machines"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "machines"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "narrow"}],
    }));
    let mut v9s = Screen::builder()
        .kubeconfig(&server.kubeconfig("admin"))
        .args(["-n", &namespace, "--as", "narrow"])
        .open();
    v9s.wait_for("[3]").wait_for("live").wait_for("<denied>").wait_for("Running…");
    v9s.expect("ErrorUnschedulable…").expect("Stopped…");
    let line = v9s.line_of("│runs ");
    assert!(!line.contains("Stopped") && !line.contains("<none>"), "{line}");
    // What the machine says of itself is still followed.
    cluster.patch(&vm(&namespace, "runs"), json!({"status": {"printableStatus": "Paused"}}));
    v9s.wait_for("Paused…");
    cluster.delete_namespace(&namespace);
}

/// A view of several kinds, and a user who may list one of them.
#[test]
fn a_kind_that_may_not_be_read_is_named_and_the_others_show() {
    let server = Embedded::new();
    let cluster = server.cluster();
    cluster.create(vm("shop", "runs").running());
    cluster.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"namespace": "shop", "name": "machines"},
        "rules": [{"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["get", "list", "watch"]}],
    }));
    cluster.create(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"namespace": "shop", "name": "machines"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "machines"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "narrow"}],
    }));
    let mut v9s = Screen::builder()
        .kubeconfig(&server.kubeconfig("admin"))
        .args(["-n", "shop", "--as", "narrow"])
        .open();
    v9s.wait_for("workloads(shop)[1]").wait_for("live in part").wait_for("No right to list");
    v9s.expect("│runs ").expect("CPU: n/a MEM: n/a");
    v9s.press(":vms⏎").wait_for("vms(shop)[1]").wait_for("live").gone("in part");
    v9s.reject("No right");
}

#[test]
fn a_kind_that_is_installed_later_appears_by_itself() {
    let Some(server) = ApiServer::own() else { return };
    let mut v9s = Screen::builder().kubeconfig(&server.kubeconfig("admin")).args(["-n", "shop"]).open();
    v9s.wait_for("not installed").wait_for("does not serve virtualmachines.kubevirt.io");
    // Other things work meanwhile.
    v9s.press(":cm⏎").wait_for("configmaps(").wait_for("live").press("⎋").wait_for("not installed");
    let cluster = server.cluster();
    cluster.apply_crds(&DEFINITIONS);
    cluster.create(vm("shop", "newcomer").running());
    v9s.wait_for("newcomer").wait_for("live").wait_for("Running");
    // And one that the program has never heard of.
    let unknown = OpenCrd {
        group: "example.test",
        version: "v1",
        kind: "Whatever",
        plural: "whatevers",
        singular: "whatever",
        short_names: &["wh"],
        namespaced: true,
        status_subresource: false,
    };
    v9s.press(":whatevers⏎").wait_for("no such view or resource");
    cluster.create(unknown.json());
    cluster.wait_for(&unknown.json(), "its names", |seen| {
        seen["status"]["conditions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["type"] == "Established" && one["status"] == "True"))
    });
    poll(deadline(), || {
        v9s.press(":wh⏎").settle();
        v9s.text().contains("whatevers(").then_some(())
    });
    v9s.wait_for("whatevers(").wait_for("There are no whatevers");
}
