//! Changes of a machine that is there already.

use super::super::{GUEST_ERROR, MACHINE_ERROR, MACHINE_WARNING};
use crate::model::parse_bytes;
use crate::rules::patterns::is_quantity;
use crate::rules::rule::{Check, Needs, Rule};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

const VM: &[Subject] = &[Subject::VirtualMachine];

fn before<'a>(c: &Check<'a>, path: &'static str) -> Option<Spot<'a>> {
    c.old.map(|old| old.root().get(path))
}

fn bytes(spot: &Spot<'_>) -> Option<u64> {
    spot.word().filter(|word| is_quantity(word)).and_then(|word| parse_bytes(&word))
}

const GUEST_MEMORY: &str = "spec.template.spec.domain.memory.guest";
const DISKS: &str = "spec.template.spec.domain.devices.disks";

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-instance-change",
        on: &[Subject::VirtualMachineInstance],
        path: "spec",
        text: "a running instance cannot be changed; change its VirtualMachine",
        needs: Needs::Change,
        check: |c| {
            if before(c, "spec").is_some_and(|old| !old.same(&c.at)) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["old spec.domain.memory.guest: 2Gi\nat spec"],
        good: &["old metadata.labels: {a: b}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-restart-required",
        on: VM,
        path: "spec.template.spec.domain.cpu.{cores,threads,model}",
        text: "{} takes effect with the next start; a running machine gets the condition RestartRequired",
        needs: Needs::Change,
        check: |c| {
            let old = match c.at.key() {
                Some("cores") => before(c, "spec.template.spec.domain.cpu.cores"),
                Some("threads") => before(c, "spec.template.spec.domain.cpu.threads"),
                _ => before(c, "spec.template.spec.domain.cpu.model"),
            };
            if c.at.exists() && old.is_some_and(|old| !old.same(&c.at)) {
                let key = c.at.key().unwrap_or_default();
                c.report(&[&key]);
            }
        },
        bad: &[
            "@guest.domain.cpu: {cores: 4}\nold @guest.domain.cpu: {cores: 2}\nat @guest.domain.cpu.cores",
        ],
        good: &["@guest.domain.cpu: {cores: 2}\nold @guest.domain.cpu: {cores: 2}"],
        ..MACHINE_WARNING
    },
    Rule {
        id: "kubevirt-memory-change",
        on: VM,
        path: GUEST_MEMORY,
        text: "{}; a running machine gets the condition RestartRequired",
        needs: Needs::Change,
        check: |c| {
            let (Some(new), Some(old)) = (bytes(&c.at), before(c, GUEST_MEMORY).as_ref().and_then(bytes))
            else {
                return;
            };
            let most = bytes(&c.at.holder().get("maxGuest")).unwrap_or(old.saturating_mul(4));
            if new < old {
                c.report(&[&"memory is only given back with a restart"]);
            } else if new > old && new > most {
                c.report(&[&"this is more than memory.maxGuest allows while the machine runs"]);
            }
        },
        bad: &[
            "old @guest.domain.memory.guest: 2Gi\nat @guest.domain.memory.guest",
            "@guest.domain.memory.guest: 16Gi\nold @guest.domain.memory.guest: 2Gi",
        ],
        good: &["@guest.domain.memory.guest: 4Gi\nold @guest.domain.memory.guest: 2Gi"],
        ..MACHINE_WARNING
    },
    Rule {
        id: "kubevirt-last-disk",
        on: VM,
        path: DISKS,
        text: "this takes the last disk away; with the next start the machine has none",
        needs: Needs::Change,
        check: |c| {
            if c.at.count() == 0 && before(c, DISKS).is_some_and(|old| old.count() > 0) {
                c.report(&[]);
            }
        },
        bad: &["@guest.domain.devices.disks: []\n@guest.volumes: []\nat @guest.domain.devices.disks"],
        good: &["@guest.domain.devices.disks: []\nold @guest.domain.devices.disks: []"],
        with: &["kubevirt-volume-without-disk"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-strategy-change",
        on: VM,
        path: "spec.runStrategy",
        text: "a running machine goes on, and nothing restarts it any more",
        needs: Needs::Change,
        check: |c| {
            let old = before(c, "spec.runStrategy").and_then(|old| old.text());
            if c.text() == Some("Manual") && matches!(old, Some("Always" | "RerunOnFailure")) {
                c.report(&[]);
            }
        },
        bad: &["spec.runStrategy: Manual\nold spec.runStrategy: Always"],
        good: &["spec.runStrategy: Manual\nold spec.runStrategy: Halted"],
        ..MACHINE_WARNING
    },
    Rule {
        id: "kubevirt-pool-selector-change",
        on: &[Subject::VirtualMachinePool],
        path: "spec.selector",
        text: "the selector of a pool cannot be changed",
        needs: Needs::Change,
        check: |c| {
            if before(c, "spec.selector").is_some_and(|old| !old.same(&c.at)) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["old spec.selector.matchLabels: {pool: other}\nat spec.selector"],
        good: &["old spec.replicas: 1"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-pool-disks-change",
        on: &[Subject::VirtualMachinePool],
        path: "spec.virtualMachineTemplate.spec.dataVolumeTemplates",
        text: "other disks in the template: the pool deletes its machines with their disks and makes new ones",
        needs: Needs::Change,
        check: |c| {
            let old = before(c, "spec.virtualMachineTemplate.spec.dataVolumeTemplates");
            if old.is_some_and(|old| old.exists() && !old.same(&c.at)) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "@machine.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, storage: {resources: {requests: {storage: 2Gi}}}}}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}\nold @machine.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, storage: {resources: {requests: {storage: 1Gi}}}}}]",
        ],
        good: &["old spec.replicas: 1"],
        ..MACHINE_WARNING
    },
];
