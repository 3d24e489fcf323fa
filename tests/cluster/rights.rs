//! A user who may not see everything.

use http::Method;
use serde_json::{Value, json};
use v9s::records::{Kind, Vm};
use v9s::store::{Namespaces, Summary};

use crate::support::cluster::Cluster;
use crate::support::live::{Live, everywhere, within};
use crate::support::objects::{pod, vm};
use crate::support::proxy::Proxy;
use crate::support::suite::{Case, Env};
use crate::support::{deadline, poll};

pub(super) const CASES: &[Case] = &[
    ("rights: a list of all namespaces is denied and says which right is missing", |env| {
        let mut live = shop(env);
        live.open(Kind::Vm, everywhere());
        let why = denied(&mut live, Kind::Vm);
        for part in [
            "Not allowed",
            "shop-operator",
            "cannot list resource \"virtualmachines\"",
            "\"kubevirt.io\"",
            "at the cluster scope",
            "choose a user",
        ] {
            assert!(why.contains(part), "{part:?} is missing in: {why}");
        }
        assert!(live.store.is_empty(Kind::Vm));
        assert_eq!(live.store.refused(Kind::Vm).count(), 1);
    }),
    ("rights: the namespaces cannot be listed", |env| {
        let mut live = shop(env);
        live.open(Kind::Namespace, everywhere());
        let why = denied(&mut live, Kind::Namespace);
        assert!(why.contains("cannot list resource \"namespaces\""), "{why}");
    }),
    ("rights: the user's own namespace is live and told of changes", |env| {
        let name = format!("vm-{}", env.namespace);
        let mut live = shop(env);
        live.open(Kind::Vm, within(&["shop"]));
        live.open(Kind::Pod, within(&["shop"]));
        live.until_live(&[Kind::Vm, Kind::Pod]);
        let objects = env.cluster.create_many([vm("shop", &name), pod("shop", &name)]);
        live.until("both", |live| {
            live.has(Kind::Pod, "shop", &name)
                && live.find::<Vm>("shop", &name).is_some_and(|row| &*row.status == "Stopped")
        });
        objects.iter().for_each(|object| env.cluster.delete(object));
        live.until("their end", |live| !live.has(Kind::Vm, "shop", &name));
    }),
    ("rights: a namespace that is refused does not keep the others from being live", |env| {
        let name = format!("vm-{}", env.namespace);
        let machine = env.cluster.create(vm("shop", &name));
        env.cluster.create(vm(&env.namespace, "hidden"));
        let mut live = shop(env);
        live.open(Kind::Vm, within(&["shop", &env.namespace]));
        live.until("both answers", |live| {
            live.store.freshness(Kind::Vm) == Summary::Live && live.store.refused(Kind::Vm).count() == 1
        });
        assert!(live.has(Kind::Vm, "shop", &name) && !live.names(Kind::Vm).contains(&"hidden".into()));
        let (namespace, why) = live.store.refused(Kind::Vm).next().unwrap();
        assert_eq!(namespace.unwrap().as_str(), env.namespace);
        assert!(why.contains(&env.namespace), "{why}");
        env.cluster.delete(&machine);
    }),
    ("rights: a namespace that may not be read takes nothing from the one that may", |env| {
        let mut live = shop(env);
        let name = format!("vm-{}", env.namespace);
        let machine = env.cluster.create(vm("shop", &name));
        live.open(Kind::Vm, within(&["shop"]));
        live.until_live(&[Kind::Vm]);
        assert!(live.has(Kind::Vm, "shop", &name));
        live.open(Kind::Vm, within(&[&env.namespace]));
        denied(&mut live, Kind::Vm);
        assert!(live.has(Kind::Vm, "shop", &name), "{}", live.summary());
        env.cluster.delete(&machine);
    }),
    ("rights: a right that is taken away and given back takes no rows away", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let binding = allow(env, &["list", "watch"]);
        let (proxy, mut live) = shop_through(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        let mark = live.mark();
        env.cluster.delete(&binding);
        until_may(env, false);
        proxy.cut();
        live.until("the refusal to be told", |live| {
            live.stale(mark, Kind::Vm).iter().any(|why| why.contains("cannot list resource"))
        });
        env.cluster.create(binding);
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.fewest(mark, Kind::Vm), 1, "{}", live.summary());
        env.cluster.delete(&vm(ns, "web"));
        live.until("a change", |live| live.store.is_empty(Kind::Vm));
    }),
    ("rights: a right that is taken away for good takes the rows away", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let binding = allow(env, &["list", "watch"]);
        let (proxy, mut live) = shop_through(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until_live(&[Kind::Vm]);
        env.cluster.delete(&binding);
        until_may(env, false);
        proxy.cut();
        let why = denied(&mut live, Kind::Vm);
        assert!(why.contains("cannot list resource"), "{why}");
        assert!(live.store.is_empty(Kind::Vm));
    }),
    ("rights: a right that is given soon after the refusal is noticed", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        let mut live = shop(env);
        live.open(Kind::Vm, within(&[ns]));
        denied(&mut live, Kind::Vm);
        allow(env, &["list", "watch"]);
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.names(Kind::Vm), ["web"]);
        assert_eq!(live.store.refused(Kind::Vm).count(), 0);
    }),
    ("rights: who may list and not watch keeps the rows and is told so", |env| {
        let ns = env.namespace.as_str();
        env.cluster.create(vm(ns, "web"));
        allow(env, &["list"]);
        let mut live = shop(env);
        live.open(Kind::Vm, within(&[ns]));
        live.until("the second refusal", |live| live.stale(0, Kind::Vm).len() >= 2);
        let why = live.trouble(Kind::Vm).unwrap();
        assert!(why.contains("cannot watch resource \"virtualmachines\""), "{why}");
        // Each list brings what is new.
        env.cluster.create(vm(ns, "db"));
        live.until("the new one", |live| live.store.len(Kind::Vm) == 2);
        let listed = live.since(0, Kind::Vm).position(|moment| moment.rows > 0).unwrap();
        assert!(live.since(0, Kind::Vm).skip(listed).all(|moment| moment.rows > 0));
    }),
    ("rights: a table is denied like a list", |env| {
        let mut live = shop(env);
        live.open_table("nodes", Namespaces::All);
        let why = denied(&mut live, Kind::Other);
        assert!(why.contains("cannot list resource \"nodes\""), "{why}");
    }),
];

fn shop(env: &Env) -> Live {
    Live::new(&env.user("shop").write(env.folder(), "shop"))
}

/// The same through a network that can be cut.
fn shop_through(env: &Env) -> (Proxy, Live) {
    let proxy = Proxy::to(&env.user("shop").url());
    let kubeconfig = env.user("shop").server(&proxy.url());
    let live = Live::new(&kubeconfig.write(env.folder(), "shop-through-proxy"));
    (proxy, live)
}

/// Gives the user of one namespace some rights to machines in the namespace of
/// this case, and returns the binding that does so.
fn allow(env: &Env, verbs: &[&str]) -> Value {
    let metadata = json!({"namespace": env.namespace, "name": "looks-on"});
    let (group, api_version) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    env.cluster.create(json!({
        "apiVersion": api_version, "kind": "Role", "metadata": metadata,
        "rules": [{"apiGroups": ["kubevirt.io"], "resources": ["*"], "verbs": verbs}],
    }));
    let binding = json!({
        "apiVersion": api_version, "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "looks-on"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "shop-operator"}],
    });
    env.cluster.create(binding.clone());
    until_may(env, true);
    binding
}

/// Waits until the server knows that the user may list machines, or may not;
/// nothing announces it.
fn until_may(env: &Env, may: bool) {
    let path = format!("/apis/kubevirt.io/v1/namespaces/{}/virtualmachines?limit=1", env.namespace);
    let cluster = Cluster::from_kubeconfig(&env.user("shop").write(env.folder(), "asks"));
    let known = || (cluster.request(Method::GET, &path, None).is_ok() == may).then_some(());
    poll(deadline(), known).expect("the server to know of the right");
}

/// Waits until a kind is denied, and says why.
fn denied(live: &mut Live, kind: Kind) -> String {
    live.until("a refusal", |live| matches!(live.store.freshness(kind), Summary::Denied { .. }));
    live.trouble(kind).unwrap().to_string()
}
