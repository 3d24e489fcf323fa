//! `v9s validate` and `v9s fix`: what they print and write, and what they end with.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const GOOD: &str = "\
kind: workload
name: web
gvc: shop
spec:
  type: vm
  containers:
  - {name: vm, cpu: 2, memory: 2Gi}
  vm:
    bootDisk:
      source: {oci: {image: 'quay.io/containerdisks/ubuntu:22.04'}}
      persist: {volumeSet: cpln://volumeset/web-boot}
";

fn v9s(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_v9s"))
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("KUBECONFIG")
        .env_remove("V9S_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who reads no input may have left.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_exit_code_says_what_was_found() {
    let warning = GOOD.replace("2Gi", "128Mi");
    let error = GOOD.replace("cpu: 2", "cpu: 1500m");
    let broken = format!("{GOOD}---\n\tx: 1\n\ty: [\n");
    let folder = folder(&[
        ("good.yaml", GOOD),
        ("warning.yaml", &warning),
        ("error.yaml", &error),
        ("broken.yaml", &broken),
    ]);
    let cases: &[(&[&str], i32)] = &[
        (&["good.yaml"], 0),
        (&["warning.yaml"], 0),
        (&["warning.yaml", "--deny-warnings"], 1),
        (&["good.yaml", "error.yaml"], 1),
        (&["broken.yaml"], 1),
        (&["good.yaml", "nowhere.yaml"], 2),
        (&["good.yaml", "--against", "nowhere.yaml"], 2),
        (&["good.yaml", "--against", "broken.yaml"], 2),
        (&["."], 2),
        (&[], 2),
        (&["good.yaml", "--gvc", "other"], 1),
        (&["good.yaml", "-n", "shop"], 0),
    ];
    for (arguments, code) in cases {
        let output = v9s(folder.path(), &[&["validate"], *arguments].concat(), b"");
        assert_eq!(output.status.code(), Some(*code), "{arguments:?} {}", text(&output.stderr));
    }
}

#[test]
fn findings_are_printed_in_three_forms() {
    let error = GOOD.replace("cpu: 2", "cpu: 1500m");
    let folder = folder(&[]);
    let plain = v9s(folder.path(), &["validate", "-"], error.as_bytes());
    let want = "\
<stdin>:7:21: error[cpu-whole-cores]: cpu \"1500m\" is not a whole number of cores; use 1 or 2
7 |   - {name: vm, cpu: 1500m, memory: 2Gi}
  |                     ^^^^^
  = fix: write 2
";
    assert_eq!(text(&plain.stdout), want);
    assert_eq!(text(&plain.stderr), "1 document, 1 error, 0 warnings\n");
    let json = v9s(folder.path(), &["validate", "-", "-o", "json"], error.as_bytes());
    let rows: Vec<Value> = serde_json::from_slice(&json.stdout).unwrap();
    let row = rows[0].as_object().unwrap();
    let keys: Vec<&str> = row.keys().map(String::as_str).collect();
    assert_eq!(keys, ["column", "document", "file", "fix", "level", "line", "path", "rule", "text"]);
    assert_eq!((&row["line"], &row["path"]), (&Value::from(7), &Value::from("spec.containers[0].cpu")));
    let github = v9s(folder.path(), &["validate", "-", "-o", "github"], error.as_bytes());
    assert!(
        text(&github.stdout).starts_with("::error file=<stdin>,line=7,col=21,"),
        "{}",
        text(&github.stdout)
    );
    let none = v9s(folder.path(), &["validate", "-", "-o", "json"], GOOD.as_bytes());
    assert_eq!((text(&none.stdout).as_str(), none.status.code()), ("[]\n", Some(0)));
}

#[test]
fn a_change_is_held_against_what_was() {
    let new = GOOD.replace("ubuntu:22.04", "ubuntu:24.04");
    let folder = folder(&[("old.yaml", GOOD), ("new.yaml", &new)]);
    let output = v9s(folder.path(), &["validate", "new.yaml", "--against", "old.yaml"], b"");
    assert!(
        text(&output.stdout).contains("new.yaml:10:7: warning[boot-source-changed]"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn hostile_files_are_refused_in_one_sentence() {
    let folder = folder(&[]);
    let large = "x".repeat(50 << 20);
    for (bytes, rule) in [
        (large.as_bytes(), "file-size"),
        (&b"a: \xff\n"[..], "file-encoding"),
        (&b"a:\n\tb: 1\n"[..], "yaml-tab"),
    ] {
        let output = v9s(folder.path(), &["validate", "-", "-o", "json"], bytes);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((rows.len(), rows[0]["rule"].as_str()), (1, Some(rule)));
        let output = v9s(folder.path(), &["validate", "-"], bytes);
        assert!(text(&output.stdout).lines().count() <= 3, "{}", text(&output.stdout));
    }
}

#[test]
fn a_fix_is_written_and_the_rest_stays() {
    let before =
        format!("# mine\n{}", GOOD.replace("cpu: 2", "cpu: 1500m").replace("name: web\n", "name: web # n\n"));
    let after = before.replace("1500m", "2");
    let folder = folder(&[("web.yaml", &before)]);
    let path = folder.path().join("web.yaml");
    let shown = v9s(folder.path(), &["fix", "web.yaml", "--diff"], b"");
    assert!(
        text(&shown.stdout).contains("-  - {name: vm, cpu: 1500m")
            && text(&shown.stdout).contains("+  - {name: vm, cpu: 2,")
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before, "--diff writes nothing");
    let mode = Mode::set(&path);
    let done = v9s(folder.path(), &["fix", "web.yaml"], b"");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stderr), "web.yaml:8:21: fixed[cpu-whole-cores]: write 2\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
    mode.is_still_that_of(&path);
    let piped = v9s(folder.path(), &["fix", "-"], before.as_bytes());
    assert_eq!(text(&piped.stdout), after);
    let left: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [path], "nothing else is left in the folder");
}

#[test]
fn what_cannot_be_fixed_is_said() {
    let error = GOOD.replace("persist: {volumeSet: cpln://volumeset/web-boot}", "persist: {}");
    let folder = folder(&[("web.yaml", &error)]);
    let done = v9s(folder.path(), &["fix", "web.yaml", "nowhere.yaml"], b"");
    assert_eq!(done.status.code(), Some(2));
    let done = v9s(folder.path(), &["fix", "web.yaml"], b"");
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("error[boot-persist-required]"), "{}", text(&done.stderr));
    assert_eq!(std::fs::read_to_string(folder.path().join("web.yaml")).unwrap(), error);
}

/// The rights of a file, where the system has them.
struct Mode;

impl Mode {
    #[cfg(unix)]
    fn set(path: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
        Self
    }

    #[cfg(unix)]
    fn is_still_that_of(&self, path: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(not(unix))]
    fn set(_: &Path) -> Self {
        Self
    }

    #[cfg(not(unix))]
    fn is_still_that_of(&self, _: &Path) {}
}
