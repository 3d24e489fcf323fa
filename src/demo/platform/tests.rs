//! The driver, with reconcilers made for its tests.

use std::time::Duration;

use serde_json::{Value, json};

use super::edit::{annotate, new_object, own, set};
use super::kind::Kind;
use super::object::Object;
use super::testing::{Stage, namespace};
use super::view::View;
use super::write::Write;
use super::{Pace, Parts, Reconciler};

/// A data volume gets a claim, which is bound after ten seconds; then the data volume is ready.
const PARTS: Parts = &[&[
    Reconciler { name: "volume", manager: "v9s-tests", of: Kind::DataVolume, step: volume },
    Reconciler { name: "claim", manager: "v9s-tests", of: Kind::PersistentVolumeClaim, step: claim },
]];

fn volume(view: &View<'_>, volume: &Object) -> Vec<Write> {
    let Some(claim) = view.get(Kind::PersistentVolumeClaim, volume.namespace(), volume.name()) else {
        let mut claim = new_object(Kind::PersistentVolumeClaim, volume.namespace(), volume.name());
        set(&mut claim, "/spec/resources/requests/storage", "1Gi");
        set(&mut claim, "/spec/accessModes", json!(["ReadWriteOnce"]));
        own(&mut claim, volume);
        return vec![Write::Create(claim), Write::tell(volume, "test", "Made", "a claim was made")];
    };
    let mut new = volume.edit();
    set(&mut new, "/status/phase", if claim.phase() == "Bound" { "Succeeded" } else { "Pending" });
    Write::update(volume, new).into_iter().collect()
}

fn claim(view: &View<'_>, claim: &Object) -> Vec<Write> {
    let mut new = claim.edit();
    annotate(&mut new, "seen", "yes");
    if view.waited(claim, "bound", Duration::from_secs(10)) {
        set(&mut new, "/status/phase", "Bound");
    }
    let mut writes: Vec<Write> = Write::update(claim, new).into_iter().collect();
    if view.elapsed(claim, "talk", Duration::from_secs(4)) < Duration::from_secs(9) {
        writes.retain(|write| !matches!(write, Write::Update { .. }) || claim.annotation("seen").is_empty());
    }
    writes
}

fn a_volume(name: &str) -> Value {
    json!({
        "apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}},
    })
}

#[tokio::test]
async fn what_is_decided_is_done_and_waits_go_by_the_clock_of_the_platform() {
    let stage = Stage::with(vec![namespace("shop")], PARTS).await;
    stage.create(a_volume("web")).await;
    let claim = stage.get(Kind::PersistentVolumeClaim, "shop", "web").await;
    assert_eq!(claim["metadata"]["annotations"]["seen"], "yes");
    assert_eq!(stage.get(Kind::DataVolume, "shop", "web").await["status"]["phase"], "Pending");
    assert_eq!(stage.events("shop").await, ["Made: a claim was made"]);

    stage.advance(9).await;
    assert_eq!(stage.get(Kind::DataVolume, "shop", "web").await["status"]["phase"], "Pending");
    stage.advance(1).await;
    assert_eq!(stage.get(Kind::DataVolume, "shop", "web").await["status"]["phase"], "Succeeded");
}

#[tokio::test]
async fn what_was_deleted_takes_what_it_owns_along() {
    let stage = Stage::with(vec![namespace("shop")], PARTS).await;
    stage.create(a_volume("web")).await;
    stage.delete(Kind::DataVolume, "shop", "web").await;
    assert_eq!(stage.list(Kind::PersistentVolumeClaim, "shop").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_live_cluster_is_left_alone() {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "somebodys"}});
    let server = crate::demo::server::Server::new(crate::demo::server::Options {
        users: vec![(String::new(), crate::demo::server::User::new("admin", &["system:masters"]))],
        ..Default::default()
    });
    server.put(node).unwrap();
    let client = crate::cluster::dial::Dialer::new(move || server.connect())
        .client(&kube::Config::new("http://demo.internal".parse().unwrap()))
        .unwrap();
    let options = super::Options {
        pace: Pace::Standing,
        seed: 0,
        logs: std::sync::Arc::new(super::testing::Lines::default()),
        time: Box::new(jiff::Timestamp::now),
        strict: true,
    };
    let why = super::Platform::start(client, options).await.unwrap_err().to_string();
    assert!(why.contains("the Node \"somebodys\""), "{why}");
}
