//! What stands around the specification: kind, name, GVC, description, tags, and which blocks there may be.

use super::super::fields;
use super::super::finding::Level;
use super::super::fix::Fix;
use super::super::paths::TAG;
use super::super::patterns::is_name;
use super::super::rule::{Cel, Check, ERROR, Needs, Rule, VOLUME_SET_ERROR, WARNING, because};
use super::super::source::Dialect;
use super::super::subject::Subject;

const BOTH: &[Subject] = &[Subject::Workload, Subject::VolumeSet];

/// Whether the type is written and is another one than `vm`.
fn other_type(c: &Check<'_>) -> bool {
    c.root().get("spec.type").text().is_some_and(|kind| kind != "vm")
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "document-map",
        on: &[Subject::Other],
        text: "a document must be a map with a kind, not {}",
        cel: Cel::No("no API server is asked about it"),
        check: |c| {
            if !c.at.is_map() {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &["---\njust words # here\n", "---\n[1, 2] # here\n"],
        good: &["---\nkind: workload\nname: web\n"],
        ..ERROR
    },
    Rule {
        id: "kind-unknown",
        on: &[Subject::Other],
        path: "kind",
        text: "kind \"{}\" is not known; use workload, volumeset, secret, identity or gvc",
        cel: Cel::No("the API server has no such kind"),
        check: |c| {
            let shown = if c.at.missing() { "".into() } else { c.at.shown() };
            let near = super::super::patterns::nearest(
                &shown,
                ["workload", "volumeset", "secret", "identity", "gvc"],
            );
            let fix = near.and_then(|near| Fix::set(&c.at, near));
            c.report(&[&shown]).fix(fix);
        },
        bad: &["---\nname: web\nkind: wrokload # here\n", "---\nname: web # here\n"],
        good: &["---\nkind: gvc\nname: shop\n"],
        ..ERROR
    },
    Rule {
        id: "wrong-type",
        on: BOTH,
        text: "{} must be {}, not {}",
        check: |c| fields::wrong_types(c),
        bad: &[
            "spec.containers: vm",
            "spec.vm.bootDisk.bootOrder: first",
            "name: 12",
            "@container.name: {first: vm}",
            "spec.vm.firmware: {secureBoot: 'false'}\nat spec.vm.firmware.secureBoot",
        ],
        good: &["@container.cpu: 2", "@container.cpu: '2'", "spec.vm.firmware: null"],
        with: &["name-required", "container-name-required"],
        ..ERROR
    },
    Rule {
        id: "name-required",
        on: BOTH,
        path: "name",
        text: "a name is required",
        check: |c| {
            if c.at.text().is_none_or(str::is_empty) {
                c.report(&[]);
            }
        },
        bad: &["!name", "name: ''"],
        good: &["name: web"],
        ..ERROR
    },
    Rule {
        id: "name-pattern",
        on: BOTH,
        path: "name",
        text: "name \"{}\" must start with a letter, use only a-z, 0-9 and dashes, and not end with a dash",
        check: |c| c.text_must(|name| name.is_empty() || is_name(name)),
        bad: &["name: Web", "name: web-", "name: 1web", "name: my.web", "name: my_web"],
        good: &["name: web-1"],
        ..ERROR
    },
    Rule {
        id: "name-length",
        path: "name",
        text: "name \"{}\" has {} characters; allowed are 3 to 49",
        check: |c| name_length(c, 3, 49),
        bad: &["name: ab", "name: a1234567890123456789012345678901234567890123456789"],
        good: &["name: abc", "name: a123456789012345678901234567890123456789012345678"],
        ..ERROR
    },
    Rule {
        id: "name-length",
        path: "name",
        text: "name \"{}\" has {} characters; allowed are 1 to 63",
        check: |c| name_length(c, 1, 63),
        bad: &["name: a123456789012345678901234567890123456789012345678901234567890123"],
        good: &["name: ab"],
        ..VOLUME_SET_ERROR
    },
    Rule {
        id: "name-headless-suffix",
        path: "name",
        text: "a workload name must not end with \"-headless\"",
        check: |c| c.text_must(|name| !name.ends_with("-headless")),
        bad: &["name: web-headless"],
        good: &["name: headless-web"],
        ..ERROR
    },
    Rule {
        id: "name-immutable",
        path: "name",
        text: "a workload cannot be renamed; delete it and create it again",
        cel: Cel::No("under another name it is another object"),
        needs: Needs::Change,
        check: |c| {
            let old = c.old.and_then(|old| old.name());
            if c.text().is_some() && old.is_some() && c.text() != old {
                c.report(&[]);
            }
        },
        bad: &["name: other"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "type-immutable",
        path: "spec.type",
        text: "the type of a workload cannot be changed; delete it and create it again",
        needs: Needs::Change,
        check: |c| {
            let old = c.old.and_then(|old| old.root().get("spec.type").text());
            if old.is_some() && c.text().is_some() && c.text() != old {
                c.report(&[]);
            }
        },
        bad: &["old spec.type: standard\nat spec.type"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "type-not-vm",
        path: "spec.type",
        text: "type \"{}\" is not handled here; only \"vm\" is",
        check: |c| c.one_of(&["vm"]),
        bad: &["spec.type: standard", "spec.type: VM"],
        good: &["spec.type: vm"],
        with: &["vm-block-forbidden"],
        ..ERROR
    },
    Rule {
        id: "type-missing",
        path: "spec.type",
        text: "spec.type is missing; set it to \"vm\"",
        check: |c| {
            if c.at.missing() {
                let fix = if c.at.exists() { None } else { Fix::add(&c.at.holder(), "type", "vm") };
                c.report(&[]).fix(fix);
            }
        },
        bad: &["!spec.type", "spec.type: null"],
        good: &["spec.type: vm"],
        ..ERROR
    },
    Rule {
        id: "spec-required",
        on: BOTH,
        path: "spec",
        text: "{} needs a spec",
        check: |c| {
            if c.at.missing() {
                let kind = c.root().get("kind").shown();
                c.report(&[&kind]);
            }
        },
        bad: &["!spec"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "gvc-required",
        on: BOTH,
        path: "gvc",
        text: "no GVC given; set gvc in the file or use --gvc",
        cel: because::METADATA,
        check: |c| {
            // A Kubernetes document without a namespace goes to that of the context.
            let seed = c.at.document().dialect() == Dialect::Seed;
            if seed && c.at.blank() && c.options.gvc.is_none() {
                c.report(&[]);
            }
        },
        bad: &["---\nkind: volumeset # here\nname: data\nspec: {initialCapacity: 10}\n"],
        good: &["gvc: shop", "!gvc\noptions: {gvc: shop}"],
        ..ERROR
    },
    Rule {
        id: "gvc-conflict",
        on: BOTH,
        path: "gvc",
        text: "the file says GVC \"{}\", the command says \"{}\"",
        cel: Cel::No("only the command knows its options"),
        check: |c| {
            if let (Some(file), Some(command)) = (c.text(), c.options.gvc.as_deref())
                && !file.is_empty()
                && file != command
            {
                c.report(&[&file, &command]);
            }
        },
        bad: &["options: {gvc: other}\nat gvc"],
        good: &["options: {gvc: shop}"],
        ..ERROR
    },
    Rule {
        id: "gvc-immutable",
        path: "gvc",
        text: "a workload cannot move to another GVC",
        cel: Cel::No("in another namespace it is another object"),
        needs: Needs::Change,
        check: |c| {
            let old = c.old.and_then(|old| old.gvc());
            if old.is_some() && c.text().is_some() && c.text() != old {
                c.report(&[]);
            }
        },
        bad: &["gvc: other"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "description-length",
        on: BOTH,
        path: "description",
        text: "description is longer than 250 characters",
        cel: because::METADATA,
        check: |c| c.shorter_than(250),
        bad: &[concat!(
            "description: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234",
            "5678901234567890123456789012345678901234567890123456789x"
        )],
        good: &["description: a web server"],
        ..ERROR
    },
    Rule {
        id: "description-blanks",
        on: BOTH,
        path: "description",
        text: "description must not start or end with blanks",
        cel: because::METADATA,
        check: |c| {
            if let Some(text) = c.text().filter(|text| text.trim() != *text) {
                let fix = Fix::set(&c.at, text.trim()).map(|fix| fix.labelled("leave out the blanks"));
                c.report(&[]).fix(fix);
            }
        },
        bad: &["description: ' web'", "description: \"web\\n\""],
        good: &["description: web server"],
        ..ERROR
    },
    Rule {
        id: "tags-count",
        on: BOTH,
        path: "tags",
        text: "at most 50 tags are allowed, found {}",
        cel: because::METADATA,
        check: |c| {
            let seed = c.at.document().dialect() == Dialect::Seed;
            let count = c.at.entries().filter(|(key, _)| seed || key.starts_with(TAG)).count();
            if count > 50 {
                c.report(&[&count]);
            }
        },
        bad: &[concat!(
            "tags: {a0: x, a1: x, a2: x, a3: x, a4: x, a5: x, a6: x, a7: x, a8: x, a9: x, b0: x, b1: x, b2: x, b3: x, ",
            "b4: x, b5: x, b6: x, b7: x, b8: x, b9: x, c0: x, c1: x, c2: x, c3: x, c4: x, c5: x, c6: x, c7: x, c8: x, ",
            "c9: x, d0: x, d1: x, d2: x, d3: x, d4: x, d5: x, d6: x, d7: x, d8: x, d9: x, e0: x, e1: x, e2: x, e3: x, ",
            "e4: x, e5: x, e6: x, e7: x, e8: x, e9: x, f0: x}"
        )],
        good: &["tags: {team: web}"],
        ..ERROR
    },
    Rule {
        id: "unknown-field",
        on: BOTH,
        text: "unknown field \"{}\"; did you mean \"{}\"?",
        cel: because::PRUNED,
        check: |c| fields::unknown(c),
        bad: &[
            "spec.vm.bootdisk: {}",
            "spec.vm.features: {acpi: true}\nat spec.vm.features",
            "@container.memroy: 1Gi",
            "@container.ports: [{number: 80, protcol: http}]\nat @container.ports[0].protcol",
            "sepc: {}",
        ],
        good: &["tags: {any: thing}", "spec.extras: {affinity: {nodeAffinity: {any: thing}}}"],
        ..ERROR
    },
    Rule {
        id: "server-field-ignored",
        on: BOTH,
        level: Level::Warning,
        text: "field \"{}\" is filled by the server and was ignored",
        check: |c| {
            let seed = c.at.document().dialect() == Dialect::Seed;
            let (holder, fields) =
                if seed { (c.at.clone(), SEED_SERVER) } else { (c.root().get("metadata"), METADATA_SERVER) };
            let status = if seed { None } else { c.at.entry("status") };
            for spot in fields.iter().filter_map(|field| holder.entry(field)).chain(status) {
                c.report_key(&spot, &[&spot.key().unwrap_or_default()]).fix(Fix::remove(&spot));
            }
        },
        bad: &["status: {ready: true}"],
        good: &["description: web"],
        ..WARNING
    },
    Rule {
        id: "vm-block-required",
        path: "spec.vm",
        text: "spec.vm is required for type vm",
        check: |c| {
            if c.at.missing() && !other_type(c) {
                c.report(&[]);
            }
        },
        bad: &["!spec.vm", "spec.vm: null"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "vm-block-forbidden",
        path: "spec.vm",
        text: "spec.vm is allowed only for type vm",
        check: |c| {
            if !c.at.missing() && other_type(c) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["spec.type: serverless\nat spec.vm"],
        good: &["spec.type: vm"],
        with: &["type-not-vm"],
        ..ERROR
    },
    Rule {
        id: "job-forbidden",
        path: "spec.job",
        text: "spec.job is for cron workloads, not for VMs",
        check: |c| c.forbidden(),
        bad: &["spec.job: {schedule: '0 * * * *'}"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
    Rule {
        id: "security-options-forbidden",
        path: "spec.securityOptions",
        text: "spec.securityOptions does not apply to VMs; the guest has its own users",
        check: |c| c.forbidden(),
        bad: &["spec.securityOptions: {filesystemGroupId: 2000}"],
        good: &["spec.vm.guestOS: linux"],
        ..ERROR
    },
];

/// What the hosted service puts into an object at the top.
const SEED_SERVER: &[&str] = &["id", "version", "created", "lastModified", "links", "health", "status"];

/// What the API server puts into metadata. A resource version is not among them: it does something when it is sent.
const METADATA_SERVER: &[&str] = &["uid", "generation", "creationTimestamp", "managedFields", "selfLink"];

fn name_length(c: &mut Check<'_>, least: usize, most: usize) {
    if let Some(name) = c.text().filter(|name| !name.is_empty()) {
        let length = name.chars().count();
        if !(least..=most).contains(&length) {
            c.report(&[&name, &length]);
        }
    }
}
