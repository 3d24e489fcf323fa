//! An object that somebody has opened stays as it is on the server.

use serde_json::{Value, json};
use v9s::cluster::feed::{Target, Timing};
use v9s::cluster::object::{Wanted, Which};
use v9s::store::Freshness;

use super::lists::config_map;
use crate::support::objects::vm;
use crate::support::opened::OpenedObjects;
use crate::support::proxy::Proxy;
use crate::support::suite::{Case, Env};

pub(super) const CASES: &[Case] = &[
    ("object: it comes whole and is told of changes and of its end", |env| {
        let made = env.cluster.create(vm(&env.namespace, "web").annotation("example.test/note", "whole"));
        let mut opened = open(env, machine(env, "web"));
        opened.until("the object", |opened| {
            opened.freshness == Some(Freshness::Live) && !opened.objects.is_empty()
        });
        assert_eq!(opened.objects[0]["metadata"]["annotations"]["example.test/note"], "whole");
        assert_eq!(opened.objects[0]["kind"], "VirtualMachine");
        // Another one is nothing to it.
        env.cluster.create(vm(&env.namespace, "web-2"));
        env.cluster.patch(&made, json!({"spec": {"runStrategy": "Always"}}));
        opened.until("its change", |opened| opened.objects[0]["spec"]["runStrategy"] == "Always");
        assert_eq!(opened.objects.len(), 1);
        env.cluster.delete(&made);
        opened.until("its end", |opened| opened.objects.is_empty());
        env.cluster.create(vm(&env.namespace, "web"));
        opened.until("another one of its name", |opened| !opened.objects.is_empty());
        assert_ne!(opened.objects[0]["metadata"]["uid"], made["metadata"]["uid"]);
        assert_eq!((opened.answers, opened.troubles), (1, 0));
    }),
    ("object: one that is not there is an answer", |env| {
        let mut opened = open(env, machine(env, "nobody"));
        opened.until("the answer", |opened| opened.answers > 0 && opened.freshness == Some(Freshness::Live));
        assert!(opened.objects.is_empty());
    }),
    ("object: what happens while the link is lost is known afterwards", |env| {
        let made = env.cluster.create(vm(&env.namespace, "web"));
        let mut proxy = Proxy::to(&env.user("admin").url());
        let kubeconfig = env.user("admin").server(&proxy.url()).write(env.folder(), "through-proxy");
        let mut opened = OpenedObjects::new(&kubeconfig, machine(env, "web"), Timing::default());
        opened.until("the object", |opened| {
            opened.freshness == Some(Freshness::Live) && !opened.objects.is_empty()
        });
        proxy.refuse();
        proxy.cut();
        opened.until("the trouble", |opened| opened.trouble().is_some());
        assert!(opened.trouble().unwrap().contains(&proxy.url()), "{:?}", opened.trouble());
        assert_eq!(opened.objects.len(), 1, "the last known state stays");
        env.cluster.patch(&made, json!({"spec": {"runStrategy": "Manual"}}));
        proxy.accept_again();
        opened.until("the change", |opened| opened.objects[0]["spec"]["runStrategy"] == "Manual");
        opened.until("being live", |opened| opened.freshness == Some(Freshness::Live));
    }),
    ("object: who may not read it is told so in a sentence", |env| {
        env.cluster.create(vm(&env.namespace, "web"));
        let kubeconfig = env.user("shop").write(env.folder(), "shop");
        let mut opened = OpenedObjects::new(&kubeconfig, machine(env, "web"), Timing::default());
        opened.until("the refusal", |opened| opened.trouble().is_some());
        let why = opened.trouble().unwrap();
        assert!(why.starts_with("Not allowed: ") && why.contains("cannot get resource"), "{why}");
    }),
    ("object: events come by the object that they are about", |env| {
        let made = env.cluster.create(config_map(&env.namespace, "web"));
        let other = env.cluster.create(config_map(&env.namespace, "db"));
        env.cluster.create_many([event(&made, "one"), event(&other, "two")]);
        let uid = made["metadata"]["uid"].as_str().unwrap();
        let mut opened = open(env, Wanted::events_of(uid, Some(&env.namespace)));
        opened.until("the event", |opened| opened.objects.len() == 1);
        env.cluster.create(event(&made, "three"));
        opened.until("the next event", |opened| opened.objects.len() == 2);
        let mut names: Vec<&str> =
            opened.objects.iter().map(|event| event["metadata"]["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["one", "three"]);
    }),
];

fn machine(env: &Env, name: &str) -> Wanted {
    let target = Target {
        group: "kubevirt.io".into(),
        version: "v1".into(),
        plural: "virtualmachines".into(),
        namespaced: true,
    };
    Wanted { target, namespace: Some(env.namespace.clone()), which: Which::Named(name.into()) }
}

fn open(env: &Env, wanted: Wanted) -> OpenedObjects {
    OpenedObjects::new(env.admin(), wanted, Timing::default())
}

fn event(about: &Value, name: &str) -> Value {
    let metadata = &about["metadata"];
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": "v1", "kind": about["kind"], "name": metadata["name"], "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "reason": "Tested", "message": "for a test", "type": "Normal",
    })
}
