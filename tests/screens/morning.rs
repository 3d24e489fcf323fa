//! The browsing of a morning, among many machines: find the one that fails, see why, read what its importer says, come
//! back, and watch another one come up.

use std::time::Instant;

use serde_json::{Value, json};
use v9s::demo::beside::Beside;
use v9s::demo::platform::Pace;
use v9s::demo::start::Wishes;

use super::demo::Served;
use crate::cluster::define;
use crate::support::apiserver::ApiServer;
use crate::support::cluster::{Cluster, runtime};
use crate::support::crds::Definitions;
use crate::support::objects::vm;
use crate::support::screen::Screen;
use crate::support::suite::report;

/// How many times as fast as time things happen. Not faster, so that one sees them happen.
const SPEED: &str = "4";

/// The machine that somebody starts.
fn attic() -> Value {
    vm("lab", "attic").into()
}

/// Sits down before a list of machines that says `all` in its title; `all` are so many that one has to search.
fn morning(kubeconfig: &std::path::Path, cluster: &Cluster, all: &str) {
    let began = Instant::now();
    let mut v9s = Screen::builder().kubeconfig(kubeconfig).args(["-A", "-c", "vms"]).size(160, 45).open();
    v9s.wait_for(&format!("vms(all)[{all}")).wait_for(" live ");

    // Which one fails, and why?
    v9s.press("/namespace:stuck why:404⏎").wait_for("vms(all)[1/").wait_for("http-404").wait_for("HTTP 404");
    v9s.press("⏎").wait_for("vms(stuck/http-404)").wait_for("HTTP 404").wait_for("RELATED");
    v9s.wait_for("Import failed, DataVolume http-404").wait_for("importer-prime-").wait_for("EVENTS");

    // Its importer, which stands behind its disk, and what that says.
    v9s.press("⇥⇥⏎").wait_for("pods(all)[").wait_for("importer-prime-").expect("<vms>   <pods>");
    v9s.press("l")
        .wait_for("Logs(stuck/importer-prime-")
        .wait_for("Unable to process data")
        .wait_for("got 404");

    // Back to where one was, step by step.
    v9s.press("⎋").wait_for("pods(all)[");
    v9s.press("⎋").wait_for("vms(stuck/http-404)").wait_for("RELATED");
    v9s.press("⎋").wait_for("vms(all)[1/").expect("</namespace:stuck why:404>").expect("http-404");
    v9s.press("⎋").wait_for(&format!("vms(all)[{all}"));

    // Somebody else starts a machine.
    v9s.press("/name:attic⏎").wait_for("vms(all)[1/").wait_for("○ Stopped");
    cluster.patch(&attic(), json!({"spec": {"runStrategy": "Always"}}));
    v9s.wait_for("● Running");
    v9s.press("⏎").wait_for("vms(lab/attic)").wait_for("Always: started again whenever it stops");
    v9s.press("l").wait_for("Logs(lab/attic)").wait_for("guest");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
    println!("a morning among {all} machines took {:?}", began.elapsed());
}

#[test]
fn a_morning_among_ten_thousand_machines() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--scale", "10000", "--speed", SPEED]);
    let cluster = Cluster::from_kubeconfig(served.kubeconfig());
    morning(served.kubeconfig(), &cluster, "10,0");
}

#[test]
fn a_morning_among_five_hundred_machines_of_a_real_server() {
    // Its own: a platform plays on everything there is.
    let Some(server) = ApiServer::own() else { return };
    let Definitions::Real(_) = define(server.cluster()) else {
        return report("skipped: a platform needs the real definitions, see V9S_TEST_DATA");
    };
    let cluster = server.cluster();
    for namespace in ["east", "west", "lab"] {
        cluster.namespace(namespace);
    }
    let name = |n: usize| vm(["east", "west"][n % 2], &format!("machine-{n:03}"));
    cluster.create_many((0..498).map(name));
    cluster.create(attic());
    let wishes = Wishes { stuck: vec!["http-404".into()], ..Wishes::default() };
    let pace = Pace::Times(SPEED.parse().unwrap());
    let beside =
        runtime().block_on(Beside::start(cluster.client(), &wishes, pace, false)).expect("a platform");
    morning(&server.kubeconfig("admin"), cluster, "500]");
    runtime().block_on(beside.end()).expect("the end of the sub-resources");
}
