//! What the screen says of the machines of the embedded cluster.

use std::sync::Arc;

use serde_json::{Value, json};
use v9s::cluster::connect::{AuthKind, ConnectionInfo, ContextId};
use v9s::demo::fixtures;
use v9s::records::Kind;
use v9s::ui::app::{App, Options};
use v9s::ui::session::Link;
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
    ("proxy", "● Running", "RestartRequired", "1"),
    ("cache", "● Running", "-", "1"),
    ("wiki", "● Running", "-", "1"),
    ("app", "● Running", "-", "1"),
    ("spare", "○ Stopped", "-", "1"),
    ("drawer", "○ Stopped", "-", "1"),
    ("legacy-crm", "◌ Terminating", "-", "1"),
    ("reports", "◌ Stopping", "-", "1"),
    ("mail", "◐ Migrating", "-", "1"),
    ("render", "◐ Starting", "-", "1"),
    ("build-1", "▲ Paused", "PausedByUser", "1"),
    ("logs", "▲ Paused", "PausedIOError", "2"),
    ("erp", "✗ ErrorPvcNotFound", "FailedPvcNotFound", "1"),
    ("analytics", "✗ ErrorUnschedulable", "Unschedulable", "1"),
    ("kiosk", "✗ ErrImagePull", "-", "0"),
    ("edge-gw", "✗ ImagePullBackOff", "-", "0"),
    ("vpn", "✗ CrashLoopBackOff", "-", "1"),
    ("intranet", "✗ Stopped", "FailedCreate", "1"),
    ("vision", "✗ Stopped", "FailedFindInstancetype", "1"),
    ("branch-3", "▲ Unknown", "-", "1"),
    ("photos", "◐ Provisioning 42%", "ImportInProgress", "1 (42%)"),
    ("tapes", "◐ Provisioning", "Unschedulable", "1"),
    ("golden", "◐ Provisioning", "UploadReady", "1"),
    ("clone-7", "◐ Provisioning", "CSICloneInProgress", "1"),
    ("orders", "◐ Provisioning", "ErrClaimNotValid", "1"),
    ("ledger", "◐ Provisioning", "ErrClaimNotValid", "1"),
    ("bulk", "◐ Provisioning", "ErrExceededQuota", "1"),
    ("webshop-next", "✗ DataVolumeError", "-", "1"),
    ("firewall", "✗ DataVolumeError", "ChecksumError", "1 (99%)"),
    ("scanner", "◐ WaitingForVolumeBinding", "-", "1"),
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
    let size = (300, 70);
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

/// The picture in the README.
#[test]
fn the_picture_is_what_the_demo_shows() {
    let size = (132, 48);
    let options = Options { all_namespaces: true, ..Options::default() };
    let mut app = App::new(options, Theme::default(), size, now());
    let at = app.replay(recording().as_bytes(), 1.0).unwrap();
    app.session.link = Link::Up;
    app.session.info = Some(ConnectionInfo {
        id: ContextId(1),
        context: "demo".into(),
        cluster: "demo".into(),
        user: "demo-admin".into(),
        server: "https://demo.invalid".into(),
        namespace: "default".into(),
        readonly: false,
        auth: AuthKind::Token,
        impersonates: None,
        config: Arc::default(),
    });
    let drawn = v9s::cli::svg(&buffer(&mut app, size.0, size.1, at));
    crate::docs::same_as_asset("demo.svg", &drawn);
}
