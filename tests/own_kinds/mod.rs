//! The kinds of our own on a real API server: it takes their definitions, refuses what it should, and takes the examples.

mod live;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use http::Method;
use serde_json::{Value, json};
use v9s::model::crd::cel::{self, CHECKS, Enforced, ROWS};
use v9s::model::crd::{self, GROUP, OwnKind, VERSION, own_kind};
use v9s::rules::example::example;
use v9s::rules::{Cel, Dialect, Needs, Source, Subject, catalogue};

use crate::support::apiserver::{ApiServer, program};
use crate::support::cluster::Cluster;
use crate::support::{deadline, poll};

const REFUSED: &str = include_str!("refused.txt");
const ACCEPTED: &str = include_str!("accepted.txt");

/// One server for all of it: the definitions are ours alone, and other tests count on a cluster without them.
#[test]
fn the_real_server_keeps_our_rules() {
    let Some(server) = ApiServer::own() else { return };
    let cluster = server.cluster();
    define(cluster);
    let wrong: Vec<String> = rows(REFUSED)
        .chain(rows(ACCEPTED))
        .enumerate()
        .filter_map(|(number, row)| judge(cluster, number, &row).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cases_of_the_catalogue(cluster);
    tenants(cluster);
    examples(&server);
    scale(&server);
    live::cases(&server.kubeconfig("admin"), cluster);
    live::refused(&server);
}

/// What the demo has of our kinds, with its status, is what a real server takes.
fn tenants(cluster: &Cluster) {
    cluster.namespace("shop");
    let mut all = Vec::new();
    for mut object in v9s::demo::tenants::own().unwrap() {
        let status = object.as_object_mut().unwrap().remove("status");
        let mut made = cluster.create(object);
        made["status"] = status.unwrap();
        let (kind, meta) = (own_kind(made["kind"].as_str().unwrap()).unwrap(), &made["metadata"]);
        let namespace = if kind.namespaced { "/namespaces/shop" } else { "" };
        let name = meta["name"].as_str().unwrap();
        let path = format!(
            "/apis/{GROUP}/{VERSION}{namespace}/{}/{name}/status?fieldValidation=Strict",
            kind.plural
        );
        cluster.request(Method::PUT, &path, Some(&made)).unwrap_or_else(|why| panic!("{name}: {why}"));
        all.push(made);
    }
    all.iter().for_each(|made| cluster.delete(made));
}

/// Applies the definitions and waits until objects can be made of them.
fn define(cluster: &Cluster) {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for definition in crd::definitions() {
        let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
        cluster.request(Method::POST, path, Some(&definition)).unwrap_or_else(|why| panic!("{name}: {why}"));
        let has = |seen: &Value, kind: &str| {
            let conditions = seen["status"]["conditions"].as_array().into_iter().flatten();
            conditions.into_iter().any(|condition| condition["type"] == kind && condition["status"] == "True")
        };
        let seen = cluster.wait_for(&definition, "Established", |seen| has(seen, "Established"));
        assert!(!has(&seen, "NonStructuralSchema"), "{seen}");
        let plural = definition["spec"]["names"]["plural"].as_str().unwrap();
        let list = format!("/apis/{GROUP}/{VERSION}/{plural}");
        let served = poll(deadline(), || cluster.request(Method::GET, &list, None).ok());
        assert!(served.is_some(), "{plural} are not served");
    }
}

/// A line of one of the tables.
struct Row {
    line: &'static str,
    kind: &'static OwnKind,
    rule: &'static str,
    field: &'static str,
    first: &'static str,
    then: Option<&'static str>,
}

fn rows(table: &'static str) -> impl Iterator<Item = Row> {
    let mut kind = &crd::KINDS[0];
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(move |line| {
        if let Some(name) = line.strip_prefix("kind ") {
            kind = own_kind(name).unwrap();
            return None;
        }
        let mut parts = line.splitn(3, '|').map(str::trim);
        let (rule, field) = (parts.next().unwrap(), parts.next().unwrap());
        let changes = parts.next().unwrap();
        let (first, then) = match changes.strip_prefix("then ") {
            Some(then) => ("", Some(then)),
            None => changes.split_once(" then ").map_or((changes, None), |(first, then)| (first, Some(then))),
        };
        Some(Row { line, kind, rule, field, first, then })
    })
}

/// A good object of a kind.
fn good(kind: &OwnKind, name: &str) -> Value {
    let spec = match kind.kind {
        "Workload" => json!({
            "type": "vm",
            "containers": [{"name": "vm", "cpu": "2", "memory": "2Gi"}],
            "vm": {"bootDisk": {
                "source": {"oci": {"image": "quay.io/containerdisks/ubuntu:22.04"}},
                "persist": {"volumeSet": "cpln://volumeset/web-boot"},
            }},
        }),
        "VolumeSet" => json!({"initialCapacity": 20}),
        "VolumeCommand" => {
            json!({"type": "expandVolume", "volumeSet": "data", "volumeIndex": 0, "newStorageCapacity": 40})
        }
        "Image" => json!({"source": {"url": "https://example.org/disk.img"}}),
        _ => json!({"version": "1.34.2", "controlPlaneImage": "cp", "workerImage": "worker"}),
    };
    let version = format!("{GROUP}/{VERSION}");
    json!({"apiVersion": version, "kind": kind.kind, "metadata": {"name": name}, "spec": spec})
}

/// Makes the changes of a row; `@20` in a text stands for twenty letters.
fn change(object: &mut Value, changes: &str) {
    for change in changes.split(" ; ").map(str::trim).filter(|change| !change.is_empty()) {
        let (path, value) = change.split_once(' ').unwrap();
        let mut at = &mut *object;
        let (above, last) = path.rsplit_once('.').map_or(("", path), |(above, last)| (above, last));
        for part in above.split('.').filter(|part| !part.is_empty()) {
            at = match part.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[part],
            };
        }
        if value == "-" {
            at.as_object_mut().unwrap().remove(last).unwrap();
        } else {
            at[last] =
                serde_json::from_str(&lengthened(value)).unwrap_or_else(|why| panic!("{value}: {why}"));
        }
    }
}

fn lengthened(value: &str) -> String {
    let Some((before, after)) = value.split_once('@') else { return value.to_owned() };
    let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    match after[..digits].parse::<usize>() {
        Ok(length) => format!("{before}{}{}", "a".repeat(length), &after[digits..]),
        Err(_) => value.to_owned(),
    }
}

/// Asks the server about a row and says what is not as it should be.
fn judge(cluster: &Cluster, number: usize, row: &Row) -> Result<(), String> {
    let namespace = if row.kind.namespaced { "/namespaces/default" } else { "" };
    let base = format!("/apis/{GROUP}/{VERSION}{namespace}/{}", row.kind.plural);
    let mut object = good(row.kind, &format!("row-{number}"));
    change(&mut object, row.first);
    let answer = match row.then {
        None => {
            let path = format!("{base}?dryRun=All&fieldValidation=Strict");
            cluster.request(Method::POST, &path, Some(&object))
        }
        Some(then) => {
            let status = object.as_object_mut().unwrap().remove("status");
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            let mut made = cluster
                .request(Method::POST, &base, Some(&object))
                .map_err(|why| format!("{}: not even created: {why}", row.line))?;
            if let Some(status) = status {
                made["status"] = status;
                let path = format!("{base}/{name}/status");
                made = cluster.request(Method::PUT, &path, Some(&made)).unwrap();
            }
            change(&mut made, then);
            let part = if then.starts_with("status") { "/status" } else { "" };
            let answer = cluster.request(Method::PUT, &format!("{base}/{name}{part}"), Some(&made));
            cluster.request(Method::DELETE, &format!("{base}/{name}"), None).unwrap();
            answer
        }
    };
    match (answer, row.rule.is_empty()) {
        (Ok(_), true) => Ok(()),
        (Ok(_), false) => Err(format!("{}: is not refused", row.line)),
        (Err(why), true) => Err(format!("{}: is refused: {why}", row.line)),
        (Err(kube::Error::Api(status)), false) => {
            // The text of a rule in CEL, up to where it may hold a value.
            let texts = CHECKS.iter().filter(|check| check.id == row.rule && check.kind == row.kind.kind);
            let mut texts = texts.map(|check| (check.text.is_none()).then_some(check.message)).peekable();
            let said = texts.peek().is_none()
                || texts.any(|text| text.is_none_or(|text| status.message.contains(text)));
            // The schema may speak first: of a port below 80, or of a field that is missing, and then no rule is asked.
            let limited =
                ["should be", "rules were not checked"].iter().any(|text| status.message.contains(text));
            if !status.message.contains(row.field) {
                Err(format!("{}: the answer does not name {}: {}", row.line, row.field, status.message))
            } else if !said && !limited {
                Err(format!("{}: the answer is not the rule's: {}", row.line, status.message))
            } else {
                Ok(())
            }
        }
        (Err(other), false) => Err(format!("{}: {other}", row.line)),
    }
}

#[test]
fn every_rule_that_a_server_keeps_has_a_row() {
    let tried: BTreeSet<(&str, &str)> = rows(REFUSED).map(|row| (row.kind.kind, row.rule)).collect();
    let in_cel = CHECKS.iter().map(|check| (check.kind, check.id));
    let missing: Vec<_> = in_cel.filter(|check| !tried.contains(check)).collect();
    assert!(missing.is_empty(), "no row in refused.txt for {missing:?}");
    let by_schema = ROWS.iter().filter(|(_, enforced)| *enforced == Enforced::Schema).map(|(id, _)| *id);
    // Two hundred and fifty-one ranges would be a long row.
    let known = ["firewall-cidr-count"];
    let tried: BTreeSet<&str> = tried.into_iter().map(|(_, rule)| rule).collect();
    let missing: Vec<_> = by_schema.filter(|id| !tried.contains(id) && !known.contains(id)).collect();
    assert!(missing.is_empty(), "no row in refused.txt for {missing:?}");
    let foreign: Vec<_> = tried.into_iter().filter(|id| cel::enforced(id).is_none()).collect();
    assert!(foreign.is_empty(), "refused.txt has rules that nobody knows: {foreign:?}");
}

#[test]
fn the_kept_definitions_are_those_of_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/crds");
    for kind in crd::KINDS {
        let path = folder.join(format!("{}.yaml", kind.plural));
        let wanted = serde_saphyr::to_string(&crd::definition(kind)).unwrap();
        if std::env::var("V9S_WRITE_DOCS").as_deref() == Ok("1") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &wanted).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let how = "V9S_WRITE_DOCS=1 cargo test own_kinds writes it anew";
        assert!(kept == wanted, "{} is not what the program says; {how}", path.display());
    }
}

fn v9s(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_v9s")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn example_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10);
    files
}

/// The kubectl of the server, as its administrator.
fn kubectl(server: &ApiServer, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program().unwrap())
        .args(["kubectl", "--kubeconfig"])
        .arg(server.kubeconfig("admin"))
        .args(arguments)
        .output()
        .unwrap();
    said(&output)
}

/// Applies all examples, whatever their form.
fn examples(server: &ApiServer) {
    server.cluster().namespace("demo");
    let folder = tempfile::tempdir().unwrap();
    for file in example_files() {
        let converted = v9s(&["convert", "--to", "kubernetes", file.to_str().unwrap()]);
        assert_eq!(converted.status.code(), Some(0), "{}: {}", file.display(), said(&converted).1);
        let path = folder.path().join(file.file_name().unwrap());
        std::fs::write(&path, &converted.stdout).unwrap();
        let (code, said) = kubectl(server, &["apply", "--server-side", "-f", path.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{}: {said}", file.display());
    }
    let (_, listed) = kubectl(server, &["get", "wl,vset,vcmd,img,sv", "-A", "-o", "name"]);
    for name in
        ["workload.v9s.dev/mirror", "volumeset.v9s.dev/ledger-data", "supportedversion.v9s.dev/v1.34.2"]
    {
        assert!(listed.lines().any(|line| line == name), "{listed}");
    }
}

/// `kubectl scale` works up to maxScale.
fn scale(server: &ApiServer) {
    let scale = |name: &str, replicas: &str| {
        let count = format!("--replicas={replicas}");
        kubectl(server, &["-n", "demo", "scale", &format!("workload/{name}"), &count])
    };
    // The example hello has maxScale 3, and spare is Halted.
    let cases = [
        ("hello", "3", None),
        ("hello", "1", None),
        ("hello", "4", Some("minScale is larger than maxScale")),
        ("hello", "0", Some("a VM cannot scale to zero")),
        ("spare", "1", Some("runStrategy Halted needs defaultOptions.autoscaling.minScale 0")),
    ];
    for (name, replicas, refusal) in cases {
        let (code, said) = scale(name, replicas);
        match refusal {
            None => assert_eq!(code, Some(0), "{said}"),
            Some(text) => assert!(code == Some(1) && said.contains(text), "{name} to {replicas}: {said}"),
        }
    }
}

#[test]
fn what_the_demo_has_is_right() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/tenants/own.yaml");
    let (code, said) = said(&v9s(&["validate", path.to_str().unwrap()]));
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn examples_have_no_findings() {
    let mut arguments = vec!["validate".to_owned(), "--deny-warnings".to_owned()];
    arguments.extend(example_files().iter().map(|file| file.to_str().unwrap().to_owned()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, text) = said(&v9s(&arguments));
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn examples_come_back_from_the_other_form() {
    let json = |arguments: &[&str]| -> Value {
        let output = v9s(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output).1);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    for file in example_files() {
        if ["volume-command.yaml", "versions.yaml"].iter().any(|name| file.ends_with(name)) {
            let refused = v9s(&["convert", "--to", "cpln", file.to_str().unwrap()]);
            assert_eq!(refused.status.code(), Some(1));
            assert!(said(&refused).1.contains("has no other form"), "{}", said(&refused).1);
            continue;
        }
        let file = file.to_str().unwrap();
        for (there, back) in [("kubernetes", "cpln"), ("cpln", "kubernetes")] {
            let first = json(&["convert", "-o", "json", "--to", there, file]);
            let yaml = v9s(&["convert", "--to", there, file]);
            let path = folder.path().join("there.yaml");
            std::fs::write(&path, &yaml.stdout).unwrap();
            let second = v9s(&["convert", "--to", back, path.to_str().unwrap()]);
            std::fs::write(&path, &second.stdout).unwrap();
            assert_eq!(
                json(&["convert", "-o", "json", "--to", there, path.to_str().unwrap()]),
                first,
                "{file}"
            );
        }
    }
}

#[test]
fn crds_are_printed_as_yaml_and_json() {
    let yaml = said(&v9s(&["crds"]));
    assert_eq!((yaml.0, yaml.1.matches("\n---\n").count() + 1), (Some(0), 5));
    let list: Value = serde_json::from_slice(&v9s(&["crds", "-o", "json"]).stdout).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 5);
    let (code, refusal) = said(&v9s(&["explain-field", "spec.vm.bootdsk"]));
    assert_eq!(code, Some(2));
    assert!(
        refusal.contains("spec.vm has no field \"bootdsk\"; it has accessCredentials, bootDisk"),
        "{refusal}"
    );
}

#[test]
fn the_catalogue_knows_what_a_server_keeps() {
    let mut wrong = Vec::new();
    for rule in catalogue::rules() {
        let ours = [Subject::Workload, Subject::VolumeSet, Subject::VolumeCommand];
        if !rule.on.iter().any(|subject| ours.contains(subject)) {
            continue;
        }
        let kept = match cel::enforced(rule.id) {
            Some(Enforced::Cel | Enforced::Schema) => true,
            Some(Enforced::No(_)) => false,
            None => rule.cel == Cel::Yes,
        };
        if kept != (rule.cel == Cel::Yes) {
            wrong.push(format!(
                "{}: the catalogue says {:?}, a server {:?}",
                rule.id,
                rule.cel,
                cel::enforced(rule.id)
            ));
        }
        if cel::enforced(rule.id).is_none() && rule.cel == Cel::Yes {
            wrong.push(format!("{}: the catalogue says that a server keeps it, and nothing does", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the catalogue has as bad cases is refused, what it has as good ones is taken.
fn cases_of_the_catalogue(cluster: &Cluster) {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for rule in catalogue::rules().filter(|rule| rule.cel == Cel::Yes && rule.needs == Needs::Document) {
        let bad = rule.bad.iter().map(|case| (case, true));
        for (case, refused) in bad.chain(rule.good.iter().map(|case| (case, false))) {
            let Ok(example) = example(rule, case, Dialect::Kubernetes) else { continue };
            if example.unseen {
                continue;
            }
            let source = Source::read(example.text.as_bytes());
            let Some(object) = source.documents.first().map(|document| document.root().json()) else {
                continue;
            };
            let Some(kind) = object["kind"].as_str().and_then(own_kind) else { continue };
            tried += 1;
            let mut object = as_kubectl_sends(object);
            if kind.namespaced && object["metadata"].is_object() {
                object["metadata"]["namespace"] = json!("default");
            }
            let namespace = if kind.namespaced { "/namespaces/default" } else { "" };
            let path = format!("/apis/{GROUP}/{VERSION}{namespace}/{}?dryRun=All", kind.plural);
            match (cluster.request(Method::POST, &path, Some(&object)), refused) {
                (Ok(_), true) => wrong.push(format!("{}: taken: {case}", rule.id)),
                (Err(why), false) => wrong.push(format!("{}: {case}\n    refused: {why}", rule.id)),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty() && tried > 100, "{tried} tried\n{}", wrong.join("\n"));
}

/// Numbers without a fraction are whole: kubectl writes 2.0 as 2.
fn as_kubectl_sends(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(as_kubectl_sends).collect(),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, as_kubectl_sends(value))).collect())
        }
        Value::Number(number) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and small")]
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                (float as i64).into()
            }
            _ => Value::Number(number),
        },
        other => other,
    }
}
