//! DataSources, which only point, and DataImportCrons, which keep them up to date.

use super::super::{chosen, namespace};
use super::{VOLUME, clone_names, is_source};
use crate::rules::fix::Fix;
use crate::rules::rule::{Rule, WARNING};
use crate::rules::subject::Subject;

const REFERENCES: &[&str] = &["pvc", "snapshot", "dataSource"];

const REFERENCE: Rule = Rule { on: &[Subject::DataSource], ..VOLUME };
const SCHEDULED: Rule = Rule { on: &[Subject::DataImportCron], ..VOLUME };

/// Whether a text is a schedule: five fields, or a word such as `@daily`.
fn is_schedule(text: &str) -> bool {
    let field = |field: &str| {
        !field.is_empty()
            && field
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'/' | b',' | b'-' | b'?'))
    };
    let word =
        matches!(text, "@hourly" | "@daily" | "@midnight" | "@weekly" | "@monthly" | "@yearly" | "@annually");
    word || text.split_whitespace().count() == 5 && text.split_whitespace().all(field)
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "cdi-datasource-source",
        path: "spec.source",
        text: "a DataSource points at exactly one of pvc, snapshot and dataSource, found {}",
        check: |c| {
            let found = chosen(&c.at, REFERENCES).len();
            let other = c.at.entries().any(|(key, _)| is_source(key) && !REFERENCES.contains(&key));
            if c.at.missing() || c.at.is_map() && (found > 1 || found == 0 && !other) {
                c.report(&[&found]);
            }
        },
        bad: &[
            "spec.source: {}",
            "!spec.source",
            "spec.source.snapshot: {name: a, namespace: shop}\nat spec.source",
        ],
        good: &["spec.source: {snapshot: {name: a, namespace: shop}}"],
        ..REFERENCE
    },
    Rule {
        id: "cdi-datasource-download",
        path: "spec.source.*",
        text: "a DataSource cannot download: it only points at a pvc or a snapshot. Write {} into the source of a DataVolume, and that one's claim here",
        check: |c| {
            let key = c.at.key().unwrap_or_default();
            if !is_source(key) || REFERENCES.contains(&key) {
                return;
            }
            let (at, document) = (c.at.clone(), c.at.document());
            let used = key == "http"
                && document.name().is_some_and(|name| c.known.uses_data_source(name, namespace(c)));
            // Who takes a disk from it gets the download itself, and nothing is left for it to do.
            let fix = if used { Fix::drop_document(document) } else { None };
            c.report_key(&at, &[&key]).fix(fix);
        },
        bad: &[
            "spec.source: {http: {url: 'https://images.example.net/a.qcow2'}}\nat spec.source.http",
            "spec.source: {registry: {url: 'docker://a/b:1'}}\nat spec.source.registry",
        ],
        good: &["spec.source: {snapshot: {name: a, namespace: shop}}"],
        ..REFERENCE
    },
    Rule {
        id: "cdi-datasource-name",
        path: "spec.source.{pvc,snapshot,dataSource}",
        text: "name and namespace of what is meant are both needed",
        check: |c| clone_names(c),
        bad: &["spec.source: {pvc: {name: gold}}\nat spec.source.pvc.namespace"],
        good: &["spec.source: {pvc: {name: gold, namespace: shop}}"],
        ..REFERENCE
    },
    Rule {
        id: "cdi-datasource-chain",
        path: "spec.source.dataSource",
        text: "{}",
        check: |c| {
            let (name, namespace) = (c.at.get("name"), c.at.get("namespace"));
            let own = c.root().document();
            let elsewhere = own.gvc().is_some_and(|own| namespace.text().is_some_and(|other| other != own));
            if elsewhere {
                c.report_at(&namespace, &[&"a DataSource in another namespace cannot be meant"]);
            } else if name.text().is_some() && name.text() == own.name() {
                c.report_at(&name, &[&"a DataSource cannot mean itself"]);
            }
        },
        bad: &[
            "spec.source: {dataSource: {name: a, namespace: images}}\nat spec.source.dataSource.namespace",
            "spec.source: {dataSource: {name: gold, namespace: shop}}\nat spec.source.dataSource.name",
        ],
        good: &["spec.source: {dataSource: {name: a, namespace: shop}}"],
        ..REFERENCE
    },
    Rule {
        id: "cdi-cron-source",
        path: "spec.template.spec.source",
        text: "a DataImportCron imports from registry or pvc only, not from {}",
        check: |c| {
            let odd = c.at.entries().find(|(key, _)| is_source(key) && !matches!(*key, "registry" | "pvc"));
            if let Some((key, spot)) = odd {
                c.report_key(&spot, &[&key]);
            }
        },
        bad: &[
            "spec.template.spec.source: {http: {url: 'https://a.example.net/a.qcow2'}}\nat spec.template.spec.source.http",
        ],
        good: &["spec.managedDataSource: a"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-unsettable",
        path: "spec.template.spec.{sourceRef,contentType,checkpoints,finalCheckpoint}",
        text: "{} cannot be set in a DataImportCron",
        check: |c| c.unused(),
        bad: &["spec.template.spec.contentType: kubevirt"],
        good: &["spec.managedDataSource: a"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-schedule",
        path: "spec.schedule",
        text: "\"{}\" is no schedule; write five fields, such as 17 3 * * *",
        check: |c| c.text_must(|text| text.is_empty() || is_schedule(text)),
        bad: &["spec.schedule: daily", "spec.schedule: 3 * * *"],
        good: &["spec.schedule: '@daily'", "spec.schedule: '*/15 0-6 * JAN,MAR 1'"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-keep",
        path: "spec.importsToKeep",
        text: "{} imports cannot be kept; write 0 or more",
        check: |c| c.between(0, i64::from(i32::MAX)),
        bad: &["spec.importsToKeep: -1"],
        good: &["spec.importsToKeep: 2"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-garbage",
        path: "spec.garbageCollect",
        text: "garbageCollect \"{}\" is neither Outdated nor Never",
        check: |c| c.one_of(&["Outdated", "Never"]),
        bad: &["spec.garbageCollect: Always"],
        good: &["spec.garbageCollect: Never"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-retention",
        path: "spec.retentionPolicy",
        text: "retentionPolicy \"{}\" is neither All nor None",
        check: |c| c.one_of(&["All", "None"]),
        bad: &["spec.retentionPolicy: Some"],
        good: &["spec.retentionPolicy: None"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-managed",
        path: "spec.managedDataSource",
        text: "managedDataSource is missing: the name of the DataSource to keep up to date",
        check: |c| c.required(),
        bad: &["!spec.managedDataSource"],
        good: &["spec.managedDataSource: a"],
        ..SCHEDULED
    },
    Rule {
        id: "cdi-cron-template-metadata",
        path: "spec.template.metadata.{name,labels,annotations}",
        text: "{} in the template is dropped; set it on the DataImportCron",
        check: |c| c.unused(),
        bad: &["spec.template.metadata: {labels: {a: b}}\nat spec.template.metadata.labels"],
        good: &["metadata.labels: {a: b}"],
        ..Rule { on: SCHEDULED.on, ..WARNING }
    },
];
