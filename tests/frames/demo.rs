//! What the screen says of the machines of the embedded cluster.

use serde_json::{Value, json};
use v9s::demo::fixtures;
use v9s::records::Kind;
use v9s::ui::app::{App, Options};
use v9s::ui::theme::Theme;

use super::{buffer, now, row_of, text};

/// Machine, and what stands under STATE, REASON and DISKS.
const MACHINES: &[(&str, &str, &str, &str)] = &[
    ("web-0", "● Running", "-", "1"),
    ("web-1", "● Running", "-", "1"),
    ("web-2", "● Running", "-", "1"),
    ("db-0", "● Running", "-", "4"),
    ("win-desk", "● Running", "-", "1"),
    ("cirros", "● Running", "-", "0"),
    ("dns", "● Running", "-", "1"),
    ("proxy", "● Running", "restart required", "1"),
    ("cache", "● Running", "-", "1"),
    ("wiki", "● Running", "a restore is under way", "1"),
    ("app", "● Running", "-", "1"),
    ("spare", "○ Stopped", "-", "1"),
    ("drawer", "○ Stopped", "-", "1"),
    ("legacy-crm", "◌ Terminating", "-", "1"),
    ("reports", "◌ Stopping", "-", "1"),
    ("mail", "◐ Migrating", "to node-b", "1"),
    ("render", "◐ Starting", "-", "1"),
    ("build-1", "○ Paused", "by a user", "1"),
    ("logs", "✗ Paused", "I/O error of a disk", "2"),
    ("erp", "✗ ErrorPvcNotFound", "no claim erp-data", "1"),
    (
        "analytics",
        "✗ ErrorUnschedulable",
        "no node: 1 node(s) were unschedulable, 3 Insufficient memory",
        "1",
    ),
    ("kiosk", "✗ ErrImagePull", "cannot pull registry.example/appliances/kiosk:7: not found", "0"),
    ("edge-gw", "✗ ImagePullBackOff", "cannot pull registry.example/appliances/edge-gw:2.1: Unauth…", "0"),
    ("vpn", "✗ CrashLoopBackOff", "the guest ends before it runs, 4 failed starts, again in 96s", "1"),
    ("intranet", "✗ Start refused", "spec.template.spec.domain.cpu.sockets must not exceed spec.…", "1"),
    ("vision", "✗ Start refused", "no instance type gn1.xlarge", "1"),
    ("branch-3", "✗ Unknown", "its node does not answer", "1"),
    ("photos", "◐ Importing 42%", "-", "1 (42%)"),
    ("tapes", "✗ ImportScheduled", "storage is full: pool fast-blockpool is nearly full, 3 % le…", "1"),
    ("golden", "▲ UploadReady", "not uploaded yet", "1"),
    ("clone-7", "◐ Cloning", "CSICloneInProgress", "1"),
    ("orders", "✗ Provisioning", "no storage class premium", "1"),
    ("ledger", "✗ Provisioning", "no access mode known for class archive", "1"),
    ("bulk", "✗ Provisioning", "quota storage: 30Gi asked, 40Gi of 64Gi used", "1"),
    ("webshop-next", "✗ Import failed", "HTTP 404, 7 restarts", "1"),
    ("firewall", "✗ Import failed", "wrong checksum 9b871512, not 4f53cda1", "1 (99%)"),
    ("scanner", "◐ WaitingForVolumeBinding", "waits for its first consumer", "1"),
];

/// The objects as a recording of one moment.
pub(super) fn recording() -> String {
    let at = jiff::Timestamp::from_second(super::NOW).unwrap();
    let line = |object: Value| {
        let (group, _) = object["apiVersion"].as_str().unwrap().split_once('/').unwrap_or_default();
        let of = |kind: &&Kind| kind.info().name == object["kind"] && kind.info().group == group;
        let plural = Kind::ALL.iter().find(of).map_or("others", |kind| kind.info().plural);
        json!({"t": 0.0, "resource": plural, "type": "ADDED", "object": object}).to_string() + "\n"
    };
    fixtures::objects(at).into_iter().map(line).collect()
}

#[test]
fn every_machine_of_the_demo_says_how_it_is() {
    let size = (480, 70);
    let view = Some("vms".into());
    let options = Options { view, all_namespaces: true, wide: true, ..Options::default() };
    let mut app = App::new(options, Theme::default(), size, now());
    app.replay(recording().as_bytes(), 1.0).unwrap();
    let text = text(&buffer(&mut app, size.0, size.1, now()));
    let mut wrong = Vec::new();
    for &(machine, state, reason, disks) in MACHINES {
        let row = row_of(&text, machine);
        let cells: Vec<&str> = row
            .split("  ")
            .map(|cell| cell.trim_matches(['│', ' ']))
            .filter(|cell| !cell.is_empty())
            .collect();
        // NAMESPACE, NAME, STATE, REASON, IN STATE, CPU, MEMORY, DISKS, ….
        if [cells[2], cells[3], cells[7]] != [state, reason, disks] {
            wrong.push(format!("{machine}: {row}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
    assert_eq!(app.pane.list.rows().len(), MACHINES.len(), "a machine is missing in the table");
}
