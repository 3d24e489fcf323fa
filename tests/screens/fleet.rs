//! Two thousand machines on a real kube-apiserver that comes and goes.

use serde_json::json;

use super::DEFINITIONS;
use crate::support::apiserver::ApiServer;
use crate::support::objects::{fleet_in, vm, vmi_of};
use crate::support::screen::Screen;

#[test]
fn two_thousand_machines_live_through_changes_and_a_restart_of_the_server() {
    let Some(mut server) = ApiServer::own() else { return };
    let cluster = server.cluster().clone();
    cluster.apply_crds(&DEFINITIONS);
    let machines = cluster.create_many(fleet_in(&["east", "west"], 2000));

    let mut v9s = Screen::builder()
        .kubeconfig(&server.kubeconfig("admin"))
        .args(["-A", "-c", "vms"])
        .size(160, 45)
        .open();
    v9s.wait_for("vms(all)[2,000]").wait_for("live").wait_for("NAMESPACE↑");
    v9s.press("G").wait_for("west").press("g").wait_for("east");
    v9s.press("/web-0000⏎").wait_for("[1/2,000]").wait_for("web-0000");

    // Changes from outside.
    let machine = &machines[0];
    let seen = std::time::Instant::now();
    cluster.patch(machine, json!({"status": {"printableStatus": "Paused"}}));
    cluster.create(
        vmi_of(machine).with(
            "status.conditions",
            json!([{"type": "Paused", "status": "True", "reason": "PausedByUser"}]),
        ),
    );
    v9s.wait_for("○ Paused").wait_for("10.244.1.7").wait_for("node-1");
    println!("a change and its VMI were on the screen after {:?}", seen.elapsed());
    cluster.delete(machine);
    cluster.delete(&vmi_of(machine));
    v9s.wait_for("[0/1,999]").wait_for("Nothing matches").press("⎋").wait_for("[1,999]");

    // The server goes: rows stay, dimmed, and the title says so.
    v9s.press("/cache-0002⏎").wait_for("[1/1,999]").wait_for("cache-0002");
    server.stop();
    v9s.wait_for("stale").expect("cache-0002").expect("[1/1,999]");
    let dim = v9s.cell_of("● ").flags.contains(crate::support::screen::Flags::DIM);
    assert!(dim, "stale rows are dimmed");
    // The last line says why.
    v9s.wait_until(|text| text.lines().last().is_some_and(|line| !line.trim().is_empty()), "a reason");
    server.start();
    v9s.wait_for(" live ").expect("cache-0002").gone("stale");
    cluster.patch(&machines[2], json!({"status": {"printableStatus": "Migrating"}}));
    v9s.press("⎋").wait_for("[1,999]").press("/migrating⏎").wait_for("cache-0002");

    // It is killed and has forgotten the past: what happened meanwhile counts all the same.
    v9s.press("⎋").wait_for("[1,999]");
    server.kill();
    v9s.wait_for("stale");
    server.start();
    cluster.delete(&machines[4]);
    cluster.create(vm("west", "zz-newcomer").running());
    server.compact();
    v9s.wait_for(" live ").press("G").wait_for("zz-newcomer").expect("[1,999]");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}
