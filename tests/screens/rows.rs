//! What the keys about a row do in every view: where each leads, or why it leads nowhere, and that one comes back to the
//! same row, with its filter and its mark.

use serde_json::{Value, json};

use crate::support::embedded::Embedded;
use crate::support::objects::vm;
use crate::support::screen::{Flags, Screen};
use crate::support::{deadline, poll};

/// The keys, as they are pressed, and as the help calls them.
const KEYS: [(&str, &str); 9] = [
    ("d", "<d>"),
    ("y", "<y>"),
    ("l", "<l>"),
    ("s", "<s>"),
    ("J", "<shift-j>"),
    ("o", "<o>"),
    ("u", "<u>"),
    ("w", "<w>"),
    ("⏎", "<enter>"),
];

/// A row of a view: the view, the row, and what is seen after each key. That is the beginning of a title, and behind `>` a word
/// in the line under the cursor; or a sentence in the last line. `-` stands before what a key says that the help does not
/// offer, `!` where there is no way back; a key without anything does nothing.
type Row = (&'static str, &'static str, [&'static str; 9]);

const ROWS: &[Row] = include!("rows.in");

/// What the demo has not: a deployment, its replica set, its pod, and what that reads.
fn others() -> Vec<Value> {
    let uid = |n: u32| format!("00000000-0000-4000-9000-{n:012}");
    let meta = |name: &str, n: u32, owner: Option<(&str, &str, u32)>| {
        let owners: Vec<Value> = owner
            .into_iter()
            .map(|(kind, name, n)| {
                json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid(n), "controller": true})
            })
            .collect();
        json!({
            "name": name, "namespace": "shop", "uid": uid(n), "ownerReferences": owners,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        })
    };
    let labels = json!({"app": "front"});
    let template =
        json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}});
    let spec = json!({"selector": {"matchLabels": labels}, "template": template});
    vec![
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta("front", 1, None), "spec": spec}),
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": meta("front-1", 2, Some(("Deployment", "front", 1))), "spec": spec,
        }),
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": meta("front-1-x", 3, Some(("ReplicaSet", "front-1", 2))),
            "spec": {"containers": [{"name": "web", "image": "web"}], "nodeName": "node-a"},
            "status": {"phase": "Running"},
        }),
        vm("shop", "till")
            .with("spec.instancetype", json!({"name": "u1.large"}))
            .with("spec.preference", json!({"kind": "VirtualMachineClusterPreference", "name": "fedora"}))
            .with(
                "spec.template.spec.volumes",
                json!([
                    {"name": "init", "cloudInitNoCloud": {"secretRef": {"name": "web-user-data"}}},
                ]),
            )
            .0,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("front", 4, None), "data": {"a": "b"}}),
    ]
}

/// What the screen shows: its title, the line under the cursor, the last line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    title: String,
    row: String,
    said: String,
}

fn look(v9s: &Screen) -> Seen {
    let text = v9s.text();
    let lines: Vec<&str> = text.lines().collect();
    let title = lines.iter().find(|line| line.starts_with('┌')).copied().unwrap_or_default();
    let title = title.trim_matches(|c| "┌─┐ ".contains(c));
    let title = title.split_inclusive('>').next().unwrap_or_default().to_owned();
    let inverse = (1..24).find(|&row| v9s.cell(2, row).flags.contains(Flags::INVERSE));
    let row = inverse.and_then(|row| lines.get(row)).copied().unwrap_or_default().to_owned();
    let said = if lines.len() == 24 { lines[23].trim().to_owned() } else { String::new() };
    Seen { title, row, said }
}

impl Seen {
    /// Whether this is what a cell of the table says.
    fn is(&self, wanted: &str) -> bool {
        let wanted = wanted.trim_start_matches(['-', ' ', '!']);
        match wanted.split_once(" > ") {
            _ if wanted.ends_with('.') => is_cut_of(&self.said, wanted),
            Some((title, row)) => self.title.starts_with(title) && self.is_on(row),
            None => self.title.starts_with(wanted),
        }
    }

    fn is_on(&self, row: &str) -> bool {
        let separates = |c: char| c.is_whitespace() || "│┃✓+(*)".contains(c);
        self.row.split(separates).any(|word| is_cut_of(word, row))
    }
}

/// Whether this is the text, or as much of its beginning and end as there was room for.
fn is_cut_of(shown: &str, text: &str) -> bool {
    match shown.split_once('…') {
        Some((start, end)) => start.len() > 3 && text.starts_with(start) && text.ends_with(end),
        None => shown == text,
    }
}

/// Presses each key on each row of these views, and tells of all that is not as the table has it.
fn try_views(views: &[&str]) {
    let server = Embedded::still(others());
    let admin = server.kubeconfig("admin");
    let mut v9s = Screen::builder().kubeconfig(&admin).args(["-A", "-c", "vms"]).size(80, 24).open();
    v9s.wait_for(" live ");
    let mut wrong = Vec::new();
    for (view, name, cells) in ROWS.iter().filter(|row| views.contains(&row.0)) {
        go_to(&mut v9s, view, name);
        let before = look(&v9s);
        let offered = offered(&mut v9s);
        for ((key, called), wanted) in KEYS.into_iter().zip(*cells) {
            v9s.press(key).settle();
            let there = || Some(look(&v9s)).filter(|seen| seen.is(wanted));
            let seen = poll(deadline(), there).unwrap_or_else(|| look(&v9s));
            if !seen.is(wanted) || wanted.is_empty() && seen.title != before.title {
                wrong.push(format!("{view} {name} {key}: {seen:?}, not {wanted:?}"));
            }
            let offers = !wanted.is_empty() && !wanted.starts_with('-');
            if offered.iter().any(|one| one == called) != offers {
                wrong.push(format!("{view} {name} {key}: that the help has it is {}", !offers));
            }
            if seen.title == before.title {
                continue;
            }
            if wanted.starts_with('!') {
                go_to(&mut v9s, view, name);
                continue;
            }
            v9s.press(if key == "w" { "0" } else { "⎋" });
            let back = || {
                let seen = look(&v9s);
                (seen.title == before.title && seen.is_on(name) && seen.row.contains('✓')).then_some(())
            };
            if poll(deadline(), back).is_none() {
                wrong.push(format!("{view} {name} {key}: back at {:?}, not {before:?}", look(&v9s)));
                go_to(&mut v9s, view, name);
            }
        }
        v9s.press("<ctrl-\\>");
    }
    assert!(wrong.is_empty(), "{} things are not as the table says:\n{}", wrong.len(), wrong.join("\n"));
}

/// Opens a view with a filter, and marks the row with this name.
fn go_to(v9s: &mut Screen, view: &str, name: &str) {
    v9s.press("<ctrl-\\>").press(&format!(":{view}⏎"));
    let title = |text: &str| ["[", "(", "."].iter().any(|end| text.contains(&format!("─ {view}{end}")));
    v9s.wait_until(title, view).wait_for(" live ");
    v9s.press(&format!("/{}⏎g", &name[..name.len().min(30)])).wait_for("</");
    let mut steps = 0;
    let found = poll(deadline(), || {
        let found = look(v9s.settle()).is_on(name);
        if !found {
            v9s.press(if steps % 4 == 3 { "g" } else { "j" });
            steps += 1;
        }
        found.then_some(())
    });
    if found.is_none() {
        v9s.fail(&format!("there is no row {name}"));
    }
    v9s.press(" ");
    if poll(deadline(), || look(v9s).row.contains('✓').then_some(())).is_none() {
        v9s.fail(&format!("{name} has no mark"));
    }
}

/// The keys that the help says work.
fn offered(v9s: &mut Screen) -> Vec<String> {
    v9s.resize(100, 80).press("?").wait_for("EVERYWHERE").settle();
    let text = v9s.text();
    let keys = text.split_whitespace().filter(|word| word.starts_with('<') && word.ends_with('>'));
    let keys = keys.map(str::to_owned).collect();
    v9s.press("?").gone("EVERYWHERE").resize(80, 24).settle();
    keys
}

const MACHINES: [&str; 6] = ["workloads", "vms", "vmis", "pools", "migrations", "vtvms"];
const DISKS: [&str; 8] = [
    "datavolumes",
    "claims",
    "snapshots",
    "vmrestores",
    "datasources",
    "importcrons",
    "volumesets",
    "volumecommands",
];
const CLUSTER: [&str; 9] = [
    "instancetypes",
    "preferences",
    "storageclasses",
    "nodes",
    "namespaces",
    "images",
    "versions",
    "contexts",
    "secrets",
];
const REST: [&str; 6] = ["pods", "events", "osartifacts", "configmaps", "deployments", "replicasets"];

#[test]
fn keys_on_rows_of_machines() {
    try_views(&MACHINES);
}

#[test]
fn keys_on_rows_of_disks() {
    try_views(&DISKS);
}

#[test]
fn keys_on_rows_of_the_cluster() {
    try_views(&CLUSTER);
}

#[test]
fn keys_on_rows_of_pods_and_of_other_kinds() {
    try_views(&REST);
}

#[test]
fn no_view_is_left_out() {
    let tried: Vec<&str> = [&MACHINES[..], &DISKS, &CLUSTER, &REST].concat();
    for view in v9s::views::VIEWS {
        assert!(tried.contains(&view.name()), "{}", view.name());
    }
    for view in tried {
        assert!(ROWS.iter().any(|row| row.0 == view), "{view}");
    }
}
