//! Snapshots of volumes, as Kubernetes' storage has them.

use super::{NOT_OURS, chosen};
use crate::rules::rule::{ERROR, Needs, Rule, WARNING};
use crate::rules::subject::Subject;

pub(super) const SNAPSHOT: &str = "
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata:
  name: before
  namespace: shop
spec:
  volumeSnapshotClassName: fast
  source:
    persistentVolumeClaimName: web-root
";

const SNAPSHOT_ERROR: Rule = Rule { on: &[Subject::VolumeSnapshot], cel: NOT_OURS, ..ERROR };

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "snapshot-source",
        path: "spec.source",
        text: "a snapshot has exactly one of persistentVolumeClaimName and volumeSnapshotContentName, found {}",
        check: |c| {
            let found = chosen(&c.at, &["persistentVolumeClaimName", "volumeSnapshotContentName"]);
            let found = found.iter().filter(|spot| !spot.blank()).count();
            if (c.at.missing() || c.at.is_map()) && found != 1 {
                c.report(&[&found]);
            }
        },
        bad: &["spec.source: {}", "!spec.source", "spec.source.volumeSnapshotContentName: a\nat spec.source"],
        good: &["spec.source: {volumeSnapshotContentName: a}"],
        ..SNAPSHOT_ERROR
    },
    Rule {
        id: "snapshot-class-empty",
        path: "spec.volumeSnapshotClassName",
        text: "the class must not be an empty text; leave the field out for the default class",
        check: |c| {
            if c.text().is_some_and(str::is_empty) {
                c.forbidden();
            }
        },
        bad: &["spec.volumeSnapshotClassName: ''"],
        good: &["!spec.volumeSnapshotClassName"],
        ..SNAPSHOT_ERROR
    },
    Rule {
        id: "snapshot-source-change",
        path: "spec.source",
        text: "the source of a snapshot cannot be changed",
        needs: Needs::Change,
        check: |c| {
            let old = c.old.map(|old| old.root().get("spec.source"));
            if old.is_some_and(|old| !old.same(&c.at)) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["old spec.source.persistentVolumeClaimName: other\nat spec.source"],
        good: &["old metadata.labels: {a: b}"],
        ..SNAPSHOT_ERROR
    },
    Rule {
        id: "snapshot-of-running",
        path: "spec.source.persistentVolumeClaimName",
        text: "\"{}\" is the disk of a running machine: the snapshot is what a power cut leaves; take a VirtualMachineSnapshot",
        needs: Needs::Cluster,
        check: |c| {
            let Some(claim) = c.text() else { return };
            let user = c
                .known
                .machines
                .iter()
                .flatten()
                .find(|machine| machine.running && machine.claims.iter().any(|own| own == claim));
            if user.is_some() {
                c.report(&[&claim]);
            }
        },
        bad: &[
            "spec.source.persistentVolumeClaimName: a\nknown: {machines: [{name: web, running: true, claims: [a]}]}",
        ],
        good: &["spec.source.persistentVolumeClaimName: a\nknown: {machines: [{name: web, claims: [a]}]}"],
        ..Rule { on: SNAPSHOT_ERROR.on, ..WARNING }
    },
];
