//! The subcommands: what they print, and what they end with.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{DEFINITIONS, Silent, kubeconfig};
use crate::support::apiserver::ApiServer;
use crate::support::objects::{fleet_in, vm, vmi_of};

fn command<S: AsRef<OsStr>>(kubeconfig: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_v9s"));
    command.args(args).env("KUBECONFIG", kubeconfig).env("HOME", kubeconfig.parent().unwrap());
    command.env_remove("V9S_LOG").stdin(Stdio::null());
    command
}

fn v9s<S: AsRef<OsStr>>(kubeconfig: &Path, args: impl IntoIterator<Item = S>) -> Output {
    command(kubeconfig, args).output().unwrap()
}

/// What was printed, after checking how it ended.
#[track_caller]
fn printed(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output, code: i32) -> Vec<Value> {
    serde_json::from_str(&printed(output, code)).unwrap()
}

fn two_contexts(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("kubeconfig");
    let refused = Silent::new().url();
    std::fs::write(&path, kubeconfig(&[("alpha", &refused), ("beta", &refused)])).unwrap();
    path
}

#[test]
fn contexts_need_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_contexts(folder.path());
    let rows = json(&v9s(&path, ["get", "contexts", "-o", "json"]), 0);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["name"], "alpha");
    assert_eq!(rows[1]["cluster"], "beta-cluster");
    assert!(rows.iter().all(|row| row["uid"].is_string() && row["server"].is_string()), "{rows:#?}");
    let table = printed(&v9s(&path, ["get", "ctx"]), 0);
    assert!(table.starts_with("NAME") && table.lines().count() == 3, "{table}");
    let filtered = json(&v9s(&path, ["get", "contexts", "-o", "json", "--filter", "BETA"]), 0);
    assert_eq!(filtered.len(), 1);
    // As behind / on the screen, whatever it begins with.
    let other = json(&v9s(&path, ["get", "contexts", "-o", "json", "--filter", "-name:beta"]), 0);
    assert!(!other.is_empty() && other.iter().all(|row| row["name"] != filtered[0]["name"]), "{other:#?}");
    let fuzzy = v9s(&path, ["frame", "contexts", "--filter", "-f bta"]);
    assert!(printed(&fuzzy, 0).contains("</-f bta>"));
    let frame = printed(&v9s(&path, ["frame", "contexts", "--size", "80x24"]), 0);
    assert!(frame.contains("contexts[2] live") && frame.lines().count() == 24, "{frame}");
}

#[test]
fn a_server_that_cannot_be_reached_is_3_and_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_contexts(folder.path());
    for args in [&["get", "vms"][..], &["get", "vms", "-o", "json"], &["info"], &["get", "deployments"]] {
        let output = v9s(&path, args);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {output:?}");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains("refuses connections"), "{args:?}: {said}");
        assert!(!said.contains("Error") && !said.contains("RUST_BACKTRACE"), "{args:?}: {said}");
    }
    // No kubeconfig is no cluster either.
    let nowhere = folder.path().join("empty-home").join("none");
    std::fs::create_dir_all(nowhere.parent().unwrap()).unwrap();
    let output = v9s(&nowhere, ["get", "vms"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("v9s: No kubeconfig was found"),
        "{output:?}"
    );
    // Whatever is asked for: what the program knows by itself, and what only the server could know.
    let missing = folder.path().join("missing").display().to_string();
    for view in ["vms", "contexts", "deployments", "no-such-kind"] {
        let output = v9s(&path, ["get", view, "--kubeconfig", &missing]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{view}: {said}");
        assert_eq!(said, format!("v9s: The kubeconfig {missing} does not exist.\n"), "{view}");
    }
}

#[test]
fn data_says_why_in_words_and_by_the_name_of_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_contexts(folder.path());
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/examples/fleet.ndjson");
    let rows = |view: &str| json(&v9s(&path, ["get", view, "--recording", example, "-o", "json"]), 0);
    let named = |rows: &[Value], name: &str| rows.iter().find(|row| row["name"] == name).unwrap().clone();
    let sensor = named(&rows("vms"), "sensor");
    assert!(
        sensor["reason"].as_str().unwrap().starts_with("the guest ends before it runs, 5 failed"),
        "{sensor}"
    );
    assert_eq!((&sensor["cause"], &sensor["memory"]), (&"crash-loop".into(), &(1_u64 << 30).into()));
    assert_eq!(named(&rows("vms"), "gateway")["cause"], Value::Null);
    let disks = rows("datavolumes");
    let done = |name| named(&disks, name)["done"].clone();
    assert_eq!((done("builder-root"), done("camera-root")), (74.into(), 100.into()));
    let table = printed(&v9s(&path, ["get", "vms", "--recording", example, "-o", "csv"]), 0);
    assert!(table.lines().next().unwrap().ends_with(",cause,uid"), "{table}");
}

#[test]
fn wrong_use_is_2_and_says_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_contexts(folder.path());
    for (args, said) in [
        (&["get"][..], "<VIEW>"),
        (&["get", "vms", "-o", "yaml"], "json"),
        (&["frame", "vms", "--size", "12"], "120x40"),
        (&["frame", "vms", "--at", "3"], "--recording"),
        (&["-A", "-n", "shop", "get", "vms"], "namespace"),
        (&["dance"], "dance"),
        (&["get", "vms", "--recording", "no-such-file"], "no-such-file"),
        (&["get", "vms", "--filter", "web cpu>"], "cpu> needs a value.\nweb cpu>\n    ^^^^"),
        (&["frame", "vms", "--filter", "web ["], "is no regular expression"),
        (&["get", "contexts", "--filter", "-f"], "-f needs letters"),
        (&["get", "contexts", "--filter", "-has:wings name:x"], "There is no column \"wings\" in contexts"),
        (&["get", "contexts", "--filter", "@nosuch"], "There is no saved filter \"nosuch\""),
        (&["--skin", "no-such-skin", "frame", "contexts"], "no-such-skin"),
    ] {
        let output = v9s(&path, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(said), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_version_and_completions_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = two_contexts(folder.path());
    let help = printed(&v9s(&path, ["--help"]), 0);
    for word in ["get", "frame", "info", "completions", "--context", "--readonly", "Exit codes"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    assert!(printed(&v9s(&path, ["--version"]), 0).starts_with("v9s 0."));
    for (shell, word) in [("bash", "_v9s"), ("zsh", "#compdef v9s"), ("fish", "complete -c v9s")] {
        let script = printed(&v9s(&path, ["completions", shell]), 0);
        assert!(script.contains(word) && script.contains("recording"), "{shell}");
        if Command::new(shell).arg("-c").arg(":").status().is_ok_and(|status| status.success()) {
            let file = folder.path().join(shell);
            std::fs::write(&file, &script).unwrap();
            let checked = Command::new(shell).arg("-n").arg(&file).status().unwrap();
            assert!(checked.success(), "{shell} cannot read its completions");
        }
    }
    // The reader may leave early.
    let mut child = command(&path, ["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}

#[test]
fn rows_of_a_real_server_as_table_and_data() {
    let Some(server) = ApiServer::shared() else { return };
    let cluster = server.cluster();
    cluster.apply_crds(&DEFINITIONS);
    let namespace = format!("cli-{:08x}", fastrand::u32(..));
    let machines = cluster.create_many(fleet_in(&[&namespace], 40));
    cluster.create(vmi_of(&machines[0]));
    cluster.create(vm(&namespace, "a-stopped-one"));
    let config = server.kubeconfig("admin");
    let in_it = |args: &[&str]| v9s(&config, args.iter().copied().chain(["-n", &namespace]));

    let rows = json(&in_it(&["get", "vms", "-o", "json"]), 0);
    assert_eq!(rows.len(), 41);
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for row in &rows {
        let row = row.as_object().unwrap();
        assert!(row["uid"].as_str().is_some_and(|uid| uid.len() == 36), "{row:#?}");
        assert!(row.keys().all(|key| !key.chars().any(char::is_uppercase)), "{row:#?}");
        assert!(row["cpu"].is_u64() && row["memory"].is_u64(), "{row:#?}");
        let age = row["age"].as_str().unwrap();
        assert!(age.ends_with('Z') && age.contains('T'), "{age}");
        assert!(!row["state"].as_str().unwrap().contains(|c: char| "●◐○▲✗◌…".contains(c)), "{row:#?}");
    }
    let web = rows.iter().find(|row| row["name"] == "web-0000").unwrap();
    assert_eq!(
        (&web["state"], &web["node"], &web["ip"]),
        (&"Running".into(), &"node-1".into(), &"10.244.1.7".into())
    );
    let stopped = rows.iter().find(|row| row["name"] == "a-stopped-one").unwrap();
    assert_eq!((&stopped["state"], &stopped["node"]), (&"Stopped".into(), &Value::Null));

    let table = printed(&in_it(&["get", "vms"]), 0);
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with("NAME ") && !header.contains("GUEST"), "{header}");
    assert_eq!(lines.count(), 41);
    assert!(table.lines().all(|line| line == line.trim_end()));
    let wide = printed(&in_it(&["get", "vms", "-o", "wide"]), 0);
    assert!(wide.lines().next().unwrap().contains("GUEST") && wide.contains("Fedora Linux 41"), "{wide}");

    let text = printed(&in_it(&["get", "vms", "-o", "csv"]), 0);
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let headers = csv.headers().unwrap().clone();
    assert!(headers.iter().any(|title| title == "uid") && headers.iter().any(|title| title == "in state"));
    assert_eq!(csv.records().map(Result::unwrap).count(), 41);

    let filtered = json(&in_it(&["get", "vms", "-o", "json", "--filter", "build- crash"]), 0);
    assert!(!filtered.is_empty() && filtered.len() < 10, "{}", filtered.len());
    assert!(filtered.iter().all(|row| row["state"] == "CrashLoopBackOff"), "{filtered:#?}");

    // A resource without a view of its own, and one that is none.
    cluster.create(serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": "settings"},
    }));
    let tables = json(&in_it(&["get", "configmaps", "-o", "json"]), 0);
    assert!(tables.iter().any(|row| row["name"] == "settings" && row["uid"].is_string()), "{tables:#?}");
    let none = in_it(&["get", "nosuchthing"]);
    assert_eq!(none.status.code(), Some(2), "{none:?}");
    assert!(String::from_utf8_lossy(&none.stderr).contains("nosuchthing"), "{none:?}");
    // A kind that is not there, and a list that is empty.
    let empty = json(&in_it(&["get", "pods", "-o", "json"]), 0);
    assert!(empty.is_empty());

    let frame = printed(&in_it(&["frame", "vms", "--size", "80x24"]), 0);
    assert_eq!(frame.lines().count(), 24);
    assert!(frame.contains(&format!("vms({namespace})[41] live")) && frame.contains("● Running"), "{frame}");
    let ansi = printed(&in_it(&["frame", "vms", "--size", "80x24", "--format", "ansi"]), 0);
    assert!(ansi.contains("\u{1b}[0;") && ansi.lines().count() == 24);
    let svg = printed(&in_it(&["frame", "vms", "--size", "80x24", "--format", "svg"]), 0);
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && svg.contains("Running"));

    let info = printed(&v9s(&config, ["info"]), 0);
    for word in ["Kubernetes", server.version(), "KubeVirt      found", "Kubeconfig", "Context"] {
        assert!(info.contains(word), "{word}: {info}");
    }

    // The reader takes one line and leaves.
    let mut child =
        command(&config, ["get", "vms", "-A"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(first.starts_with("NAMESPACE"), "{first}");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
    cluster.delete_namespace(&namespace);
}

#[test]
fn who_may_read_one_namespace_gets_it_and_is_told() {
    let Some(server) = ApiServer::shared() else { return };
    server.cluster().apply_crds(&DEFINITIONS);
    let config = server.kubeconfig("shop");
    let all = v9s(&config, ["get", "vms", "-A", "-o", "json"]);
    let rows = json(&all, 0);
    assert!(rows.iter().all(|row| row["namespace"] == "shop"), "{rows:#?}");
    let other = v9s(&config, ["get", "vms", "-n", "lab"]);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert!(String::from_utf8_lossy(&other.stderr).contains("lab"), "{other:?}");
}
