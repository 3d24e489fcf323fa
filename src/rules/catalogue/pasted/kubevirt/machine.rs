//! The machine: when it runs, where its size comes from, how it is called.

use super::super::{GUEST_ERROR, GUEST_WARNING, MACHINE_ERROR, MACHINE_WARNING, absent_name, guest, machine};
use crate::rules::finding::Level;
use crate::rules::fix::Fix;
use crate::rules::patterns::is_dns_label;
use crate::rules::rule::{Needs, Rule};

const STRATEGIES: &[&str] = &["Always", "RerunOnFailure", "Manual", "Halted", "Once", "WaitAsReceiver"];

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-run-strategy",
        path: "@machine.runStrategy",
        text: "runStrategy \"{}\" is not one of Always, RerunOnFailure, Manual, Halted, Once",
        check: |c| c.one_of(STRATEGIES),
        bad: &["@machine.runStrategy: Sometimes", "@machine.runStrategy: always"],
        good: &["@machine.runStrategy: RerunOnFailure"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-running-both",
        path: "@machine.running",
        text: "running and runStrategy exclude each other; keep runStrategy",
        check: |c| {
            let at = c.at.clone();
            if !at.missing() && !machine(c).get("runStrategy").missing() {
                c.report_key(&at, &[]).fix(Fix::remove(&at));
            }
        },
        bad: &["@machine.running: true"],
        good: &["@machine.running: true\n!@machine.runStrategy"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-running-deprecated",
        path: "@machine.running",
        text: "running is deprecated; runStrategy: {} says the same",
        check: |c| {
            let Some(truth) = c.at.truth().filter(|_| machine(c).get("runStrategy").missing()) else {
                return;
            };
            let strategy = if truth { "Always" } else { "Halted" };
            let fix = Fix::rename(&c.at, "runStrategy")
                .and_then(|renamed| Some(renamed.and(Fix::set(&c.at, strategy)?)));
            let at = c.at.clone();
            c.report_key(&at, &[&strategy]).fix(fix.map(|fix| fix.labelled("write runStrategy")));
        },
        bad: &["!@machine.runStrategy\n@machine.running: true\nat @machine.running"],
        good: &["@machine.runStrategy: Always"],
        ..MACHINE_WARNING
    },
    Rule {
        id: "kubevirt-run-strategy-missing",
        path: "@machine.runStrategy",
        text: "say when the machine runs: runStrategy is missing",
        check: |c| {
            if c.at.missing() && machine(c).get("running").missing() {
                c.report(&[]);
            }
        },
        bad: &["!@machine.runStrategy", "@machine.runStrategy: null"],
        good: &["@machine.runStrategy: Manual"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-template-missing",
        path: "@machine.template",
        text: "the description of the guest is missing: template.spec",
        check: |c| {
            let raised = machine(c).entries().any(|(_, entry)| super::templates::of_the_guest(&entry));
            if !raised && (c.at.missing() || c.at.is_map() && c.at.get("spec").missing()) {
                c.report(&[]);
            }
        },
        bad: &["!@machine.template", "@machine.template: {metadata: {}}"],
        good: &["@machine.runStrategy: Manual"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-spec-missing",
        path: "spec",
        text: "spec is missing",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
        },
        bad: &["!spec"],
        good: &["@machine.runStrategy: Manual"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-instancetype-missing",
        path: "@machine.instancetype.name",
        text: "there is no instance type \"{}\"; the machine stays Stopped with FailedFindInstancetype",
        needs: Needs::Cluster,
        check: |c| {
            let known = c.known.instancetypes.as_deref();
            c.text_must(|name| !absent_name(known, name));
        },
        bad: &[
            "@machine.instancetype: {name: gone}\n!@guest.domain.memory\nat @machine.instancetype.name\nknown: {instancetypes: [u1.medium]}",
        ],
        good: &[
            "@machine.instancetype: {name: gone}\n!@guest.domain.memory",
            "@machine.instancetype: {name: a}\n!@guest.domain.memory\nknown: {instancetypes: [a]}",
        ],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-preference-missing",
        path: "@machine.preference.name",
        text: "there is no preference \"{}\"; the machine stays Stopped with FailedFindPreference",
        needs: Needs::Cluster,
        check: |c| {
            let known = c.known.preferences.as_deref();
            c.text_must(|name| !absent_name(known, name));
        },
        bad: &[
            "@machine.preference: {name: gone}\nat @machine.preference.name\nknown: {preferences: [debian]}",
        ],
        good: &["@machine.preference: {name: debian}\nknown: {preferences: [debian]}"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-instancetype-conflict",
        path: "@machine.instancetype",
        text: "an instance type sets processors and memory; remove {} here",
        check: |c| {
            if c.at.is_map() {
                let domain = guest(c).get("domain");
                for spot in [domain.get("cpu"), domain.get("memory")].iter().filter(|spot| !spot.blank()) {
                    let key = format!("domain.{}", spot.key().unwrap_or_default());
                    c.report_key(spot, &[&key]).fix(Fix::remove(spot));
                }
            }
        },
        bad: &["@machine.instancetype: {name: u1.medium}\nat @guest.domain.memory"],
        good: &["@machine.instancetype: {name: u1.medium}\n!@guest.domain.memory"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-name-long",
        path: "name",
        text: "name \"{}\" has {} characters; host name and labels are cut at 63",
        check: |c| {
            if let Some(name) = c.text().filter(|name| name.len() > 63) {
                c.report(&[&name, &name.len()]);
            }
        },
        bad: &["metadata.name: a123456789012345678901234567890123456789012345678901234567890123456789"],
        good: &["metadata.name: a1234"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-name-dots",
        path: "name",
        text: "the host name ends at the first dot of \"{}\"; set hostname or leave out the dot",
        check: |c| {
            if guest(c).get("hostname").missing() {
                c.text_must(|name| !name.contains('.'));
            }
        },
        bad: &["metadata.name: web.shop"],
        good: &["metadata.name: web.shop\n@guest.hostname: web"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-hostname",
        path: "@guest.hostname",
        text: "hostname \"{}\" must be lower-case letters, digits and inner dashes, at most 63",
        check: |c| c.text_must(is_dns_label),
        bad: &[
            "@guest.hostname: a123456789012345678901234567890123456789012345678901234567890123456789",
            "@guest.hostname: Web",
        ],
        good: &["@guest.hostname: web-1"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-subdomain",
        path: "@guest.subdomain",
        text: "subdomain \"{}\" must be lower-case letters, digits and inner dashes, with dots between",
        check: |c| c.text_must(|name| name.split('.').all(is_dns_label)),
        bad: &["@guest.subdomain: Shop_1"],
        good: &["@guest.subdomain: shop.internal"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-eviction-strategy",
        path: "@guest.evictionStrategy",
        text: "evictionStrategy \"{}\" is not one of LiveMigrate, LiveMigrateIfPossible, External, None",
        check: |c| c.one_of(&["LiveMigrate", "LiveMigrateIfPossible", "External", "None"]),
        bad: &["@guest.evictionStrategy: Maybe"],
        good: &["@guest.evictionStrategy: None"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-live-migrate-rwo",
        path: "@guest.evictionStrategy",
        text: "disk \"{}\" is ReadWriteOnce: the machine cannot migrate, and LiveMigrate then blocks node drains",
        check: |c| {
            if c.text() != Some("LiveMigrate") {
                return;
            }
            for template in machine(c).get("dataVolumeTemplates").items() {
                let mut modes = ["spec.storage.accessModes", "spec.pvc.accessModes"]
                    .into_iter()
                    .flat_map(|path| template.get(path).items().collect::<Vec<_>>())
                    .peekable();
                let once = |mode: &str| matches!(mode, "ReadWriteOnce" | "ReadWriteOncePod");
                if modes.peek().is_some() && modes.all(|mode| mode.text().is_some_and(once)) {
                    let name = template.get("metadata.name").shown().into_owned();
                    let fix = Fix::set(&c.at, "LiveMigrateIfPossible");
                    c.report(&[&name]).fix(fix);
                }
            }
        },
        bad: &[
            "@guest.evictionStrategy: LiveMigrate\n@machine.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, storage: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}",
        ],
        good: &[
            "@guest.evictionStrategy: LiveMigrate\n@machine.dataVolumeTemplates: [{metadata: {name: d}, spec: {source: {blank: {}}, storage: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}}}]\n@guest.volumes[0]: {name: root, dataVolume: {name: d}}",
        ],
        ..MACHINE_WARNING
    },
    Rule {
        id: "kubevirt-grace-period",
        path: "@guest.terminationGracePeriodSeconds",
        text: "{} seconds is no time to shut down; write 0 or more",
        check: |c| c.between(0, i64::from(i32::MAX)),
        bad: &["@guest.terminationGracePeriodSeconds: -5"],
        good: &["@guest.terminationGracePeriodSeconds: 180"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-probe-handler",
        path: "@guest.{readinessProbe,livenessProbe}",
        text: "a probe needs exactly one of httpGet, tcpSocket, exec, guestAgentPing, found {}",
        check: |c| {
            let handlers =
                super::super::chosen(&c.at, &["httpGet", "tcpSocket", "exec", "guestAgentPing"]).len();
            if c.at.is_map() && handlers != 1 {
                c.report(&[&handlers]);
            }
        },
        bad: &[
            "@guest.readinessProbe: {periodSeconds: 5}",
            "@guest.livenessProbe: {guestAgentPing: {}, tcpSocket: {port: 80}}",
        ],
        good: &["@guest.livenessProbe: {guestAgentPing: {}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-node-selector-terms",
        path: "@guest.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
        text: "nodeSelectorTerms needs at least one term",
        check: |c| {
            let terms = c.at.get("nodeSelectorTerms");
            if c.at.is_map() && terms.blank() {
                c.report_at(&terms, &[]);
            }
        },
        bad: &[
            "@guest.affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}\nat @guest.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
        ],
        good: &[
            "@guest.affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchFields: []}]}}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-dns-config",
        path: "@guest.dnsPolicy",
        text: "dnsPolicy None needs dnsConfig with at least one name server",
        check: |c| {
            if c.text() == Some("None") && guest(c).get("dnsConfig.nameservers").blank() {
                c.report(&[]);
            }
        },
        bad: &["@guest.dnsPolicy: None"],
        good: &["@guest.dnsPolicy: None\n@guest.dnsConfig: {nameservers: [192.0.2.1]}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-dns-policy",
        path: "@guest.dnsPolicy",
        text: "dnsPolicy \"{}\" is not one of ClusterFirst, ClusterFirstWithHostNet, Default, None",
        check: |c| c.one_of(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]),
        bad: &["@guest.dnsPolicy: ClusterLast"],
        good: &["@guest.dnsPolicy: Default"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-volumes-strategy",
        path: "@machine.updateVolumesStrategy",
        text: "updateVolumesStrategy \"{}\" is neither Replacement nor Migration",
        check: |c| c.one_of(&["Replacement", "Migration"]),
        bad: &["@machine.updateVolumesStrategy: Move"],
        good: &["@machine.updateVolumesStrategy: Migration"],
        ..MACHINE_ERROR
    },
    Rule {
        id: "kubevirt-bridge-annotation",
        path: "@guest.domain.devices.interfaces",
        level: Level::Warning,
        text: "the annotation {} speaks about bridges on the pod network; no interface here is one",
        check: |c| {
            const KEY: &str = "kubevirt.io/allow-pod-bridge-network-live-migration";
            let bridges = c.at.items().any(|interface| interface.get("bridge").exists());
            let places = [
                c.root().get("spec.virtualMachineTemplate.metadata.annotations"),
                machine(c).get("template.metadata.annotations"),
                c.root().get("metadata.annotations"),
            ];
            if !bridges && c.at.count() > 0 {
                for spot in places.iter().filter_map(|place| place.entry(KEY)) {
                    c.report_key(&spot, &[&KEY]).fix(Fix::remove(&spot));
                }
            }
        },
        bad: &["metadata.annotations.kubevirt~io/allow-pod-bridge-network-live-migration: 'true'"],
        good: &[
            "metadata.annotations.kubevirt~io/allow-pod-bridge-network-live-migration: 'true'\n@guest.domain.devices.interfaces: [{name: default, bridge: {}}]",
        ],
        ..MACHINE_ERROR
    },
];
