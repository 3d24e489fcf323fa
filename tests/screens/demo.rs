//! The cluster inside the program: on the screen, and at a port.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::screen::Screen;
use crate::support::{deadline, poll};

fn v9s(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_v9s"));
    command
        .args(args)
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env_remove("KUBECONFIG")
        .env_remove("V9S_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What an operator does when a machine does not come: find it, see why, read what its importer says, and come back.
#[test]
fn a_machine_that_does_not_come_is_found_and_says_why() {
    let mut v9s = Screen::open(["demo"], 160, 45);
    v9s.wait_for("workloads(all)[")
        .wait_for("http-404")
        .press("/name:404⏎")
        .wait_for("[1/")
        .wait_for("HTTP 404");
    v9s.press("⏎").wait_for("vms(stuck/http-404)").wait_for("HTTP 404").wait_for("DISKS").wait_for("EVENTS");
    v9s.press("l").wait_for("Logs(stuck/http-404").wait_for("Unable to process data").wait_for("got 404");
    v9s.press("⎋").wait_for("vms(stuck/http-404)").press("y").wait_for("kind: VirtualMachine");
    v9s.press("⎋").gone("kind: VirtualMachine");
    v9s.press("d").wait_for("Run strategy").press("⎋").wait_for("vms(stuck/http-404)");
    v9s.press("⎋").wait_for("workloads(all)[1/");
    v9s.press("⎋").gone("name:404").press("?").wait_for("EVERYWHERE").press("?").gone("EVERYWHERE");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn a_fleet_is_there_without_a_cluster() {
    let mut v9s = Screen::open(["demo"], 140, 40);
    v9s.wait_for("Context: demo").wait_for("workloads(all)[").wait_for("win-desk").wait_for("live");
    v9s.expect("Cluster: demo").expect("User: demo-admin").wait_for("win-desk").wait_for("● Running");
    // The other user sees one namespace, and is told what they may not see.
    v9s.press(":ctx demo-shop⏎")
        .wait_for("User: shop-operator")
        .wait_for("workloads(shop)[")
        .wait_for("db-0");
    v9s.reject("win-desk");
    v9s.press(":nodes⏎").wait_for("cannot list resource \"nodes\"");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    v9s.terminal_is_restored();
    assert!(!v9s.home().join(".kube").exists());
}

/// A user of one namespace meets what is meant for them: what kinds are refused and where, the namespaces that are known, and
/// nothing learnt of what was never there.
#[test]
fn a_user_of_one_namespace_is_told_what_there_is() {
    let mut v9s = Screen::open(["demo", "--context", "demo-shop"], 140, 40);
    v9s.wait_for("workloads(shop)[").wait_for("db-0").wait_for("<1> shop");
    v9s.press(":storageclasses⏎").wait_for("may not list storageclasses in this cluster");
    v9s.expect("Not allowed: storageclasses").reject("Another namespace");
    v9s.press(":namespaces⏎")
        .wait_for("○ Unconfirmed")
        .wait_for("No right to list namespaces; what is shown is known from elsewhere.");
    v9s.press(":ns sh").wait_for("ns shop").press("⇥⏎").wait_for("workloads(shop)[").wait_for("db-0");
    v9s.press(":vms lab⏎")
        .wait_for("may not list vms in the namespace lab")
        .expect("Another namespace: :vms");
    v9s.expect("<1> shop").reject("> lab");
    v9s.press(":ctx demo⏎").wait_for("User: demo-admin").wait_for("live");
    v9s.press(":ns nosuch⏎").wait_for("There is no namespace nosuch").reject("> nosuch");
    v9s.press(":das all⏎/fedora⏎").wait_for("datasources(all)[1/").press("⏎");
    v9s.wait_for("No disk was copied from fedora. It points to the ")
        .wait_for("datavolumes(fedora in all)[0]");
    v9s.press(":cron all⏎/fedora⏎")
        .wait_for("importcrons(all)[1] </fedora>")
        .press("⏎")
        .wait_for("No disk of fedora");
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn flags_choose_what_the_screen_begins_with() {
    let mut v9s = Screen::open(["demo", "-c", "ns"], 100, 30);
    v9s.wait_for("namespaces[").wait_for("shop").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    let mut v9s = Screen::open(["demo", "-n", "lab"], 100, 30);
    v9s.wait_for("workloads(lab)[").wait_for("cirros").reject("web-0").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
    let mut v9s = Screen::open(["demo", "--as", "shop-operator", "-n", "lab"], 140, 30);
    v9s.wait_for("User \"shop-operator\" cannot list").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

#[test]
fn faults_are_asked_for_on_the_command_line() {
    let mut v9s = Screen::open(["demo", "--fault", "500,verb=list,resource=vms"], 140, 30);
    v9s.wait_for("workloads(all)[").wait_for("nternal error").press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

/// `v9s demo serve`, ended when it is dropped.
pub(super) struct Served {
    child: Child,
    kubeconfig: PathBuf,
    said: BufReader<std::process::ChildStderr>,
}

impl Served {
    pub(super) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = v9s(folder, &[&["demo", "serve"], args].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        Self { child, kubeconfig: PathBuf::from(line.trim_end()), said }
    }

    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// What `v9s get` prints for this server.
    fn get(&self, args: &[&str]) -> Output {
        let folder = self.kubeconfig.parent().unwrap();
        let flags = ["--kubeconfig", self.kubeconfig.to_str().unwrap(), "get", "-o", "json"];
        v9s(folder, &[&flags, args].concat()).output().unwrap()
    }

    fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let ended = poll(deadline(), || self.child.try_wait().unwrap()).expect("an end");
        ended.code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn names(output: &Output) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
    rows.iter().map(|row| format!("{}/{}", row["namespace"], row["name"]).replace('"', "")).collect()
}

#[test]
fn a_port_is_served_to_both_users() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]);
    let file = served.kubeconfig.clone();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700), "{}", file.display());

    let admin = Cluster::from_kubeconfig(&file);
    let version = admin.request(Method::GET, "/version", None).unwrap();
    assert_eq!(version["major"], "1");
    let all = names(&served.get(&["vms", "-A"]));
    assert!(all.contains(&"shop/web-0".to_owned()) && all.contains(&"lab/win-desk".to_owned()), "{all:?}");
    let own = names(&served.get(&["vms", "--context", "demo-shop"]));
    assert!(own.contains(&"shop/web-0".to_owned()), "{own:?}");
    assert!(own.iter().all(|name| name.starts_with("shop/")), "{own:?}");
    // Kinds of objects are told apart as data, and moments are the same in our tables and in those of the server.
    let rows = |args: &[&str]| -> Vec<Value> { serde_json::from_slice(&served.get(args).stdout).unwrap() };
    let events =
        poll(deadline(), || Some(rows(&["events", "-A"])).filter(|events| !events.is_empty())).unwrap();
    let of_a_kind =
        |row: &Value| row["kind"].as_str().is_some_and(|kind| kind.starts_with(char::is_uppercase));
    assert!(events.iter().all(of_a_kind), "{events:?}");
    let moment = |row: &Value| row["age"].as_str().is_some_and(|age| age.contains('T') && age.ends_with('Z'));
    for view in ["pods", "configmaps"] {
        let rows = rows(&[view, "-A"]);
        assert!(!rows.is_empty() && rows.iter().all(moment), "{view}: {rows:?}");
    }
    let refused = served.get(&["nodes", "--context", "demo-shop"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("User \"shop-operator\" cannot list resource \"nodes\""), "{said}");

    assert_eq!(served.signal(Signal::TERM), Some(0));
    assert!(!file.exists() && !file.parent().unwrap().exists(), "{}", file.display());
    assert!(admin.request(Method::GET, "/version", None).is_err());
    let mut said = String::new();
    served.said.read_to_string(&mut said).unwrap();
    assert!(said.contains("127.0.0.1:") && said.contains("kubectl --kubeconfig"), "{said}");
    assert!(!said.contains("anybody"), "{said}");
}

#[test]
fn the_file_that_is_named_is_written_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.yaml");
    let named = ["--kubeconfig", file.to_str().unwrap()];
    for signal in [Signal::INT, Signal::HUP] {
        let mut served = Served::start(folder.path(), &named);
        assert_eq!(served.kubeconfig, file);
        assert!(!names(&served.get(&["vms", "-A"])).is_empty());
        assert_eq!(served.signal(signal), Some(0), "{signal:?}");
        assert!(!file.exists());
    }
    std::fs::write(&file, "apiVersion: v1\n").unwrap();
    let refused = v9s(folder.path(), &[&["demo", "serve"], &named[..]].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("demo.yaml is there already") && refused.stdout.is_empty(), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "apiVersion: v1\n");
}

#[test]
fn an_address_for_others_is_listened_on_when_asked_for_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &["--listen", "0.0.0.0"]);
    assert!(!names(&served.get(&["vms", "-A"])).is_empty());
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let mut said = String::new();
    served.said.read_to_string(&mut said).unwrap();
    assert!(said.contains("anybody who can reach"), "{said}");
    let wrong = v9s(folder.path(), &["demo", "serve", "--listen", "example.org:1"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    for flags in
        [&["demo", "serve", "--context", "x"][..], &["demo", "--kubeconfig", "x"], &["demo", "serve", "-A"]]
    {
        let wrong = v9s(folder.path(), flags).output().unwrap();
        let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert_eq!(wrong.status.code(), Some(2), "{flags:?}");
        assert!(said.contains("means nothing to demo"), "{said}");
    }
}
