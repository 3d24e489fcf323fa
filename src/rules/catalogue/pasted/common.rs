//! What all pasted kinds have in common: version, name, namespace, fields.

use super::{NOT_OURS, absent_name};
use crate::rules::fields;
use crate::rules::finding::Level;
use crate::rules::fix::Fix;
use crate::rules::rule::{ERROR, Needs, Rule};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

const ALL: &[Subject] = &[
    Subject::VirtualMachine,
    Subject::VirtualMachinePool,
    Subject::VirtualMachineInstance,
    Subject::MachineMigration,
    Subject::MachineSnapshot,
    Subject::MachineRestore,
    Subject::DataVolume,
    Subject::DataSource,
    Subject::DataImportCron,
    Subject::VolumeSnapshot,
    Subject::VirtinkMachine,
    Subject::OsArtifact,
];

const PASTED: Rule = Rule { on: ALL, cel: NOT_OURS, ..ERROR };

/// The version to write, and others that are served too.
fn versions(subject: Subject) -> (&'static str, &'static [&'static str]) {
    match subject {
        Subject::VirtualMachinePool => ("pool.kubevirt.io/v1beta1", &["pool.kubevirt.io/v1alpha1"]),
        Subject::MachineSnapshot | Subject::MachineRestore => {
            ("snapshot.kubevirt.io/v1beta1", &["snapshot.kubevirt.io/v1alpha1"])
        }
        Subject::DataVolume | Subject::DataSource | Subject::DataImportCron => {
            ("cdi.kubevirt.io/v1beta1", &[])
        }
        Subject::VolumeSnapshot => ("snapshot.storage.k8s.io/v1", &[]),
        Subject::VirtinkMachine => ("virt.virtink.smartx.com/v1alpha1", &[]),
        Subject::OsArtifact => ("build.kairos.io/v1alpha2", &["build.kairos.io/v1alpha1"]),
        _ => ("kubevirt.io/v1", &["kubevirt.io/v1alpha3"]),
    }
}

/// A name of Kubernetes: labels with dots between them.
fn is_subdomain(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        label.bytes().all(|byte| letter(byte) || byte == b'-')
            && label.bytes().next().is_some_and(letter)
            && label.bytes().next_back().is_some_and(letter)
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Keys that no field has and about which another row has more to say.
fn said_elsewhere(spot: &Spot<'_>) -> bool {
    let key = spot.key().unwrap_or_default();
    let holder = spot.holder();
    let above = holder.key().unwrap_or_default();
    match spot.document().subject() {
        Subject::DataSource => above == "source" && super::cdi::is_source(key),
        Subject::VirtinkMachine => super::virtink::said_elsewhere(spot),
        Subject::OsArtifact => super::kairos::said_elsewhere(spot),
        _ => {
            super::kubevirt::templates::of_the_guest(spot)
                || above == "sourceRef" && key == "apiGroup"
                || super::cdi::said_elsewhere(spot)
        }
    }
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "pasted-api-version",
        path: "apiVersion",
        text: "{} is not served in {}; write {}",
        check: |c| {
            let kind = c.root().get("kind").text().unwrap_or_default();
            let (best, others) = versions(c.at.document().subject());
            let shown = c.at.shown();
            if c.at.missing() || shown != best && !others.contains(&&*shown) {
                let fix = Fix::set(&c.at, best).or_else(|| Fix::add(&c.root(), "apiVersion", best));
                c.report(&[&kind, &if c.at.missing() { "no version" } else { &*shown }, &best]).fix(fix);
            }
        },
        bad: &["apiVersion: kubevirt.io/v2", "apiVersion: kubevirt.io/v1beta1", "!apiVersion"],
        good: &["apiVersion: kubevirt.io/v1alpha3"],
        with: &["kind-unknown"],
        ..PASTED
    },
    Rule {
        id: "kubevirt-version-old",
        on: &[Subject::VirtualMachine, Subject::VirtualMachineInstance, Subject::MachineMigration],
        level: Level::Warning,
        path: "apiVersion",
        text: "{} is deprecated; write kubevirt.io/v1",
        check: |c| {
            if let Some(text) = c.text().filter(|text| *text == "kubevirt.io/v1alpha3") {
                let fix = Fix::set(&c.at, "kubevirt.io/v1");
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &["apiVersion: kubevirt.io/v1alpha3"],
        good: &["apiVersion: kubevirt.io/v1"],
        ..PASTED
    },
    Rule {
        id: "pasted-name",
        path: "name",
        text: "name \"{}\" must be lower-case letters, digits, dashes and dots, and start and end with a letter or digit",
        check: |c| {
            let generated = c.root().get("metadata.generateName").text().is_some();
            let name = c.text().unwrap_or_default();
            let later = generated && c.at.missing();
            if !later && !is_subdomain(name) {
                c.report(&[&name]);
            }
        },
        bad: &["metadata.name: Web", "metadata.name: my_web", "!metadata.name", "metadata.name: web-"],
        good: &["metadata.name: web.shop-1", "metadata: {generateName: web-}"],
        ..PASTED
    },
    Rule {
        id: "pasted-namespace",
        path: "gvc",
        text: "there is no namespace \"{}\"",
        needs: Needs::Cluster,
        check: |c| {
            let known = c.known.namespaces.as_deref();
            c.text_must(|name| !absent_name(known, name));
        },
        bad: &["metadata.namespace: nowhere\nknown: {namespaces: [shop]}"],
        good: &["metadata.namespace: nowhere", "metadata.namespace: shop\nknown: {namespaces: [shop]}"],
        ..PASTED
    },
    Rule {
        id: "pasted-wrong-type",
        text: "{} must be {}, not {}",
        check: |c| fields::wrong_types(c),
        bad: &[
            "@guest.domain.cpu: {cores: two}\nat @guest.domain.cpu.cores",
            "@guest.domain.devices.disks: root",
            "spec.running: 'yes'",
        ],
        good: &["@guest.domain.cpu: {cores: 2}"],
        with: &["kubevirt-running-both", "kubevirt-volume-without-disk"],
        ..PASTED
    },
    Rule {
        id: "pasted-unknown-field",
        text: "unknown field \"{}\"; did you mean \"{}\"?",
        check: |c| fields::unknown_but(c, said_elsewhere),
        bad: &[
            "@guest.domain.memorry: {}",
            "@guest.domain.devices.disks[0].readonly: true",
            "spec.templates: {}",
            "@guest.volumes[0].containerdisk: {image: a}",
        ],
        good: &["@guest.affinity: {any: thing}"],
        ..PASTED
    },
];
