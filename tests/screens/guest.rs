//! The guests of the demo, and a real one, through their consoles.

use std::path::Path;

use serde_json::{Value, json};
use v9s::demo::beside::Beside;
use v9s::demo::platform::Pace;
use v9s::demo::start::Wishes;

use super::demo::Served;
use crate::cluster::define;
use crate::support::apiserver::ApiServer;
use crate::support::cluster::{Cluster, runtime};
use crate::support::crds::Definitions;
use crate::support::linux::{self, Linux};
use crate::support::objects::vm;
use crate::support::screen::Screen;
use crate::support::suite::report;

/// The console of a machine of the demo that runs.
fn console_of(v9s: &mut Screen, name: &str) {
    v9s.wait_for("workloads(all)[").press(":vms shop⏎").wait_for("vms(shop)[").wait_for(name);
    v9s.press(&format!("/name:{name}⏎")).wait_for("[1/").wait_for("● Running").press("s");
    v9s.wait_for(&format!("Console(shop/{name})")).wait_for("live · ctrl-]");
}

#[test]
fn a_guest_is_logged_into_its_programs_have_the_screen_and_it_ends_and_comes_again() {
    let mut v9s = Screen::open(["demo"], 100, 30);
    console_of(&mut v9s, "db-0");
    v9s.press("⏎")
        .wait_for("db-0 login:")
        .press("root⏎")
        .wait_for("Password:")
        .press("root⏎")
        .wait_for("[root@db-0 ~]#");
    // A program that draws on the whole screen, and is told every key.
    v9s.press("keys⏎").wait_for("24 rows, 80 columns").wait_for("漢字 コンソール");
    v9s.press("<f5>")
        .wait_for("F5")
        .press("↑")
        .wait_for("up (application)")
        .press("<alt-x>")
        .wait_for("alt-x");
    v9s.paste("pasted").wait_for("a paste begins").wait_for("a paste ends");
    // It goes on while something else is looked at, and another size tears nothing.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("q").wait_for("1 console").wait_for("vms(shop)[1/");
    v9s.press("s").wait_for("漢字 コンソール").resize(80, 24).wait_for("漢字 コンソール").resize(100, 30);
    v9s.press("q").wait_for("[root@db-0 ~]#").gone("漢字 コンソール");
    // A shell learns the size of the pane from the menu.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("z").press("⏎").press("stty size⏎").wait_for(" 98");
    // A flood is digested, and a key breaks it off.
    v9s.press("flood 900⏎").wait_for("and no key waits for it").press("<ctrl-c>").wait_for("^C");
    // Detached, and taken up again: the shell is where it was.
    v9s.press("<ctrl-]>")
        .wait_for("Detach: end")
        .press("d")
        .gone("Console(")
        .press("s")
        .wait_for("written nothing yet");
    v9s.press("date⏎").wait_for("UTC 20");
    // It goes down by itself, is started anew, as its run strategy has it, and the console is there again without a key.
    v9s.press("poweroff⏎").wait_for("Open again on").wait_for("rebooted").press("⏎").wait_for("db-0 login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
}

#[test]
fn a_real_linux_boots_is_used_and_reboots_in_a_pane() {
    let Some(machine) = Linux::boot() else { return };
    let behind = linux::behind("shop/db-0", &machine.socket());
    let mut v9s = Screen::open(["demo", "--console", &behind], 100, 30);
    console_of(&mut v9s, "db-0");
    v9s.wait_for("Run /init as init process").wait_for("guest login:").press("root⏎").wait_for("/root #");
    v9s.press("uname -m⏎").wait_for("x86_64");
    // A vi that has to ask for the size takes a late answer for keys.
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("z").press("⏎").press("stty size⏎").wait_for("19 98");
    v9s.press("vi /tmp/note⏎")
        .wait_for("1/1 100%")
        .press("ihello from the pane")
        .wait_for("hello from the pane");
    v9s.press("⎋").wait_for("- /tmp/note [Modified]").press(":wq⏎").wait_for("/root #");
    v9s.press("cat /tmp/note | tr a-z A-Z⏎").wait_for("HELLO FROM THE PANE");
    v9s.press("reboot -f⏎").wait_for("Restarting system").wait_for("guest login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

/// How many times as fast as time things happen. Not faster, so that one sees them happen.
const SPEED: &str = "4";

/// A machine of KubeVirt that can move.
fn mover() -> Value {
    vm("lab", "mover").with("spec.runStrategy", "Always").into()
}

/// A machine of Virtink that can move.
fn drifter() -> Value {
    json!({
        "apiVersion": "virt.virtink.smartx.com/v1alpha1", "kind": "VirtualMachine",
        "metadata": {"namespace": "lab", "name": "drifter"},
        "spec": {
            "runPolicy": "Always",
            "instance": {
                "memory": {"size": "1Gi"}, "kernel": {"image": "kernel", "cmdline": "console=ttyS0"},
                "interfaces": [{"name": "pod", "masquerade": {"cidr": "10.0.2.0/30"}}],
            },
            "networks": [{"name": "pod", "pod": {}}],
        },
    })
}

/// Logs in, has the machine moved, and finds the shell where it was.
fn follow(v9s: &mut Screen, cluster: &Cluster, looked_at: &Value, migration: &Value) {
    let name = looked_at["metadata"]["name"].as_str().unwrap().to_owned();
    let node = |object: &Value| object["status"]["nodeName"].as_str().unwrap_or_default().to_owned();
    let source = node(&cluster.get(looked_at).expect("a machine"));
    // Said before the guest goes on to write: where it boots meanwhile, that is soon out of sight.
    v9s.wait_for(&format!("Console(lab/{name})")).wait_for(&format!("Open on {source}."));
    v9s.wait_for("live · ctrl-]").press("⏎");
    v9s.wait_for(&format!("{name} login:")).press("root⏎").wait_for("Password:").press("root⏎");
    v9s.wait_for(&format!("[root@{name} ~]#")).press("echo before⏎").wait_for("│before");
    cluster.create(migration.clone());
    let moved =
        cluster.wait_for(looked_at, "elsewhere", |object| !["", source.as_str()].contains(&&*node(object)));
    v9s.wait_for(&format!("Open again on {}: migrated.", node(&moved)));
    // The log of the new pod is there, and nothing is in it: nothing was missed.
    v9s.reject("is missing here").expect("│before");
    v9s.press("whoami⏎").wait_for("│root").press("echo after⏎").wait_for("│after");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(");
}

/// A console that is open while its machine moves, on each platform.
fn follow_both(kubeconfig: &Path, cluster: &Cluster) {
    cluster.create(mover());
    cluster.create(drifter());
    let instance = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
        "metadata": {"namespace": "lab", "name": "mover"}});
    let has = |kind: &'static str| {
        move |object: &Value| {
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|one| one["type"] == kind && one["status"] == "True")
        }
    };
    cluster.wait_for(&instance, "movable", has("LiveMigratable"));
    let open = |args: &[&str]| {
        Screen::builder().kubeconfig(kubeconfig).args(["-n", "lab"].iter().chain(args).copied())
    };
    let mut v9s = open(&["-c", "vms"]).size(110, 32).open();
    v9s.wait_for("mover").press("/name:mover⏎").wait_for("vms(lab)[1").wait_for("● Running").press("s");
    let migration = json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
        "metadata": {"namespace": "lab", "name": "away"}, "spec": {"vmiName": "mover"},
    });
    follow(&mut v9s, cluster, &instance, &migration);
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    // A bare name is enough: nothing of KubeVirt has it.
    cluster.wait_for(&drifter(), "movable", has("Migratable"));
    let mut v9s = open(&["console", "drifter"]).size(110, 32).open();
    v9s.wait_for("live · ctrl-]").expect("Virtink does not tell").expect("Started serial-getty@hvc0");
    let migration = json!({
        "apiVersion": "virt.virtink.smartx.com/v1alpha1", "kind": "VirtualMachineMigration",
        "metadata": {"namespace": "lab", "name": "away"}, "spec": {"vmName": "drifter"},
    });
    follow(&mut v9s, cluster, &drifter(), &migration);
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn a_console_goes_along_when_its_machine_moves() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--speed", SPEED]);
    follow_both(served.kubeconfig(), &Cluster::from_kubeconfig(served.kubeconfig()));
}

#[test]
fn a_console_goes_along_when_its_machine_moves_on_a_real_server() {
    // Its own: a platform plays on everything there is.
    let Some(server) = ApiServer::own() else { return };
    let Definitions::Real(_) = define(server.cluster()) else {
        return report("skipped: a platform needs the real definitions, see V9S_TEST_DATA");
    };
    let cluster = server.cluster();
    cluster.namespace("lab");
    let pace = Pace::Times(SPEED.parse().unwrap());
    let beside = runtime()
        .block_on(Beside::start(cluster.client(), &Wishes::default(), pace, false))
        .expect("a platform");
    follow_both(&server.kubeconfig("admin"), cluster);
    runtime().block_on(beside.end()).expect("the end of the sub-resources");
}

#[test]
fn a_machine_of_virtink_is_used_until_it_is_off_and_comes_again() {
    let mut v9s = Screen::open(["demo"], 100, 30);
    v9s.wait_for("workloads(all)[").press(":vtvms lab⏎").wait_for("vtvms(lab)[").wait_for("lightning");
    v9s.press("/name:lightning⏎").wait_for("Running").press("s").wait_for("Console(lab/lightning)");
    v9s.wait_for("live · ctrl-]").expect("Virtink does not tell").press("⏎");
    v9s.wait_for("lightning login:").press("root⏎").wait_for("Password:").press("root⏎");
    // The program on the whole screen is told every key.
    v9s.wait_for("[root@lightning ~]#")
        .press("keys⏎")
        .wait_for("24 rows, 80 columns")
        .press("<f5>")
        .wait_for("F5");
    v9s.press("q").wait_for("[root@lightning ~]#").press("flood 900⏎").wait_for("and no key waits for it");
    v9s.press("<ctrl-c>").wait_for("^C").press("poweroff⏎").wait_for("Power down");
    // As its run policy has it, it is started anew, and its console is there without a key.
    // Whether it has written anything before the console is there is a matter of moments.
    v9s.wait_for("Linux version").wait_for("live · ctrl-]").press("⏎").wait_for("lightning login:");
    v9s.press("<ctrl-]>").wait_for("Detach: end").press("d").gone("Console(").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}
