//! What is done with machines: migrations, snapshots, restores.

use super::super::{GUEST_ERROR, namespace};
use crate::rules::finding::Level;
use crate::rules::known::Lookup;
use crate::rules::rule::{Needs, Rule};
use crate::rules::subject::Subject;

const MIGRATION: Rule = Rule { on: &[Subject::MachineMigration], ..GUEST_ERROR };
const SNAPSHOT: Rule = Rule { on: &[Subject::MachineSnapshot], ..GUEST_ERROR };
const RESTORE: Rule = Rule { on: &[Subject::MachineRestore], ..GUEST_ERROR };

/// Whether a text is a length of time, such as `1h30m` or `-5s`.
fn is_duration(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let mut rest = text;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit = number.trim_start_matches(|c: char| c.is_ascii_lowercase() || c == 'µ');
        let word = &number[..number.len() - unit.len()];
        if number.len() == rest.len() || !matches!(word, "h" | "m" | "s" | "ms" | "us" | "µs" | "ns") {
            return text == "0";
        }
        rest = unit;
    }
    !text.is_empty()
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-migration-name",
        path: "spec.vmiName",
        text: "say which machine migrates: vmiName",
        check: |c| c.required(),
        bad: &["spec: {}\nat spec.vmiName", "spec.vmiName: ''"],
        good: &["spec.vmiName: web"],
        ..MIGRATION
    },
    Rule {
        id: "kubevirt-migration-missing",
        path: "spec.vmiName",
        text: "no machine \"{}\" runs in this namespace",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            match c.known.machine(name, namespace(c)) {
                Lookup::Here(machine) if machine.running => {}
                Lookup::Unknown => {}
                _ => _ = c.report(&[&name]),
            }
        },
        bad: &[
            "spec.vmiName: gone\nknown: {machines: [{name: web, running: true}]}",
            "spec.vmiName: web\nknown: {machines: [{name: web}]}",
        ],
        good: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true}]}"],
        ..MIGRATION
    },
    Rule {
        id: "kubevirt-migration-impossible",
        path: "spec.vmiName",
        text: "\"{}\" cannot migrate: {}",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            if let Lookup::Here(machine) = c.known.machine(name, namespace(c)) {
                let why =
                    machine.migration.as_ref().map(|other| format!("the migration {other} is under way"));
                if let Some(why) = machine.not_migratable.clone().or(why) {
                    c.report(&[&name, &why]);
                }
            }
        },
        bad: &[
            "spec.vmiName: web\nknown: {machines: [{name: web, running: true, notMigratable: a disk is not shared}]}",
            "spec.vmiName: web\nknown: {machines: [{name: web, running: true, migration: other}]}",
        ],
        good: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true}]}"],
        ..MIGRATION
    },
    Rule {
        id: "kubevirt-migration-waits",
        level: Level::Warning,
        path: "spec.vmiName",
        text: "\"{}\" is not placed yet; the migration waits until it runs",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            if matches!(c.known.machine(name, namespace(c)), Lookup::Here(machine) if machine.scheduling) {
                c.report(&[&name]);
            }
        },
        bad: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true, scheduling: true}]}"],
        good: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true}]}"],
        ..MIGRATION
    },
    Rule {
        id: "kubevirt-migration-paused",
        level: Level::Warning,
        path: "spec.vmiName",
        text: "\"{}\" is paused, and stays so on the other node",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            if matches!(c.known.machine(name, namespace(c)), Lookup::Here(machine) if machine.paused) {
                c.report(&[&name]);
            }
        },
        bad: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true, paused: true}]}"],
        good: &["spec.vmiName: web\nknown: {machines: [{name: web, running: true}]}"],
        ..MIGRATION
    },
    Rule {
        id: "kubevirt-snapshot-kind",
        path: "spec.source",
        text: "a snapshot is taken of a VirtualMachine of kubevirt.io, not of \"{}\"",
        check: |c| {
            let (kind, group) = (c.at.get("kind"), c.at.get("apiGroup"));
            if c.at.is_map() && kind.text() != Some("VirtualMachine") {
                let shown = if kind.missing() { "nothing".into() } else { kind.shown() };
                c.report_at(&kind, &[&shown]);
            } else if c.at.is_map() && group.text() != Some("kubevirt.io") {
                let shown = if group.missing() { "nothing".into() } else { group.shown() };
                c.report_at(&group, &[&shown]);
            }
        },
        bad: &["spec.source.kind: Pod", "spec.source.apiGroup: v1"],
        good: &["spec.source.name: db"],
        ..SNAPSHOT
    },
    Rule {
        id: "kubevirt-snapshot-missing",
        path: "spec.source.name",
        text: "there is no machine \"{}\"; the snapshot waits for ever",
        needs: Needs::Cluster,
        check: |c| {
            if let Some(name) = c.text()
                && c.known.machine(name, namespace(c)) == Lookup::Absent
            {
                c.report(&[&name]);
            }
        },
        bad: &["spec.source.name: gone\nknown: {machines: []}"],
        good: &["spec.source.name: web\nknown: {machines: [{name: web}]}"],
        ..SNAPSHOT
    },
    Rule {
        id: "kubevirt-snapshot-deadline",
        path: "spec.failureDeadline",
        text: "\"{}\" is no time to wait; write a length such as 5m",
        check: |c| c.text_must(|text| is_duration(text) && !text.starts_with('-')),
        bad: &["spec.failureDeadline: -5m", "spec.failureDeadline: soon", "spec.failureDeadline: 5 minutes"],
        good: &["spec.failureDeadline: 1h30m", "spec.failureDeadline: 0s"],
        ..SNAPSHOT
    },
    Rule {
        id: "kubevirt-restore-running",
        level: Level::Warning,
        path: "spec.target.name",
        text: "\"{}\" runs; stop it, or the restore fails after five minutes",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            if matches!(c.known.machine(name, namespace(c)), Lookup::Here(machine) if machine.running) {
                c.report(&[&name]);
            }
        },
        bad: &["spec.target.name: web\nknown: {machines: [{name: web, running: true}]}"],
        good: &["spec.target.name: web\nknown: {machines: [{name: web}]}"],
        ..RESTORE
    },
    Rule {
        id: "kubevirt-restore-snapshot",
        path: "spec.virtualMachineSnapshotName",
        text: "there is no snapshot \"{}\"; the restore stays in error",
        needs: Needs::Cluster,
        check: |c| {
            if let Some(name) = c.text()
                && c.known.machine_snapshot(name, namespace(c)) == Lookup::Absent
            {
                c.report(&[&name]);
            }
        },
        bad: &["spec.virtualMachineSnapshotName: gone\nknown: {machineSnapshots: []}"],
        good: &["spec.virtualMachineSnapshotName: a\nknown: {machineSnapshots: [{name: a, ready: true}]}"],
        ..RESTORE
    },
    Rule {
        id: "kubevirt-restore-not-ready",
        level: Level::Warning,
        path: "spec.virtualMachineSnapshotName",
        text: "snapshot \"{}\" is not ready; the restore waits",
        needs: Needs::Cluster,
        check: |c| {
            let Some(name) = c.text() else { return };
            if matches!(c.known.machine_snapshot(name, namespace(c)), Lookup::Here(snapshot) if !snapshot.ready)
            {
                c.report(&[&name]);
            }
        },
        bad: &["spec.virtualMachineSnapshotName: a\nknown: {machineSnapshots: [{name: a}]}"],
        good: &["spec.virtualMachineSnapshotName: a\nknown: {machineSnapshots: [{name: a, ready: true}]}"],
        ..RESTORE
    },
];
