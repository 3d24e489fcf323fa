//! `env`: what the guest finds in its environment.

use super::super::patterns::cpln_uri;
use super::super::rule::{ERROR, Rule, WARNING};

const RESERVED: &[&str] = &["K_SERVICE", "K_CONFIGURATION", "K_REVISION"];

fn is_variable(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=120).contains(&name.len())
        && name.bytes().all(good)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn is_reserved(name: &str) -> bool {
    name.starts_with("CPLN_") || RESERVED.contains(&name)
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "env-name",
        path: "@container.env[].name",
        text: "\"{}\" is not a valid variable name",
        check: |c| {
            if c.at.missing() {
                c.report(&[&""]);
            } else {
                c.text_must(is_variable);
            }
        },
        bad: &[
            "@container.env: [{value: x}]\nat @container.env[0].name",
            "@container.env: [{name: '', value: x}]\nat @container.env[0].name",
            "@container.env: [{name: 1ST, value: x}]\nat @container.env[0].name",
            "@container.env: [{name: 'A B', value: x}]\nat @container.env[0].name",
            "@container.env[0]: {value: x}\n@container.env[0].name (121 times): A\nat @container.env[0].name",
        ],
        good: &[
            "@container.env: [{name: my-app.Stage_1, value: x}]",
            "@container.env[0]: {value: x}\n@container.env[0].name (120 times): A",
        ],
        ..ERROR
    },
    Rule {
        id: "env-name-reserved",
        path: "@container.env[].name",
        text: "variable \"{}\" is reserved",
        check: |c| c.text_must(|name| !is_reserved(name)),
        bad: &[
            "@container.env: [{name: CPLN_GVC, value: x}]\nat @container.env[0].name",
            "@container.env: [{name: K_SERVICE, value: x}]\nat @container.env[0].name",
        ],
        good: &["@container.env: [{name: MY_CPLN_GVC, value: x}]"],
        ..ERROR
    },
    Rule {
        id: "env-name-duplicate",
        path: "@container.env",
        text: "variable \"{}\" is set twice",
        check: |c| {
            let names = c.at.items().map(|variable| variable.get("name"));
            c.no_text_twice(names.filter(|name| !name.blank()));
        },
        bad: &["@container.env: [{name: A, value: x}, {name: A, value: 'y'}]\nat @container.env[1].name"],
        good: &["@container.env: [{name: A, value: x}, {name: B, value: x}]"],
        ..ERROR
    },
    Rule {
        id: "env-value-length",
        path: "@container.env[].value",
        text: "the value of \"{}\" is longer than 4096 characters",
        check: |c| {
            if c.text().is_some_and(|value| value.chars().count() > 4096) {
                let name = c.at.holder().get("name").shown();
                c.report(&[&name]);
            }
        },
        bad: &[
            "@container.env[0]: {name: A}\n@container.env[0].value (4097 times): x\nat @container.env[0].value",
        ],
        good: &["@container.env[0]: {name: A}\n@container.env[0].value (4096 times): x"],
        ..ERROR
    },
    Rule {
        id: "env-reference",
        path: "@container.env[].value",
        text: "\"{}\" refers to a pod field, which a VM does not have",
        check: |c| c.text_must(|value| cpln_uri(value, "reference").is_none()),
        bad: &[
            "@container.env: [{name: A, value: 'cpln://reference/status.podIP'}]\nat @container.env[0].value",
        ],
        good: &["@container.env: [{name: A, value: 'see cpln://reference/status.podIP'}]"],
        ..ERROR
    },
    Rule {
        id: "env-secret-syntax",
        path: "@container.env[].value",
        text: "\"{}\" does not name a secret",
        check: |c| {
            c.text_must(|value| {
                let name = cpln_uri(value, "secret").map(|whole| whole.split('.').next().unwrap_or_default());
                name.is_none_or(super::references::is_object_name)
            });
        },
        bad: &[
            "@container.env: [{name: A, value: 'cpln://secret/'}]\nat @container.env[0].value",
            "@container.env: [{name: A, value: 'cpln://secret/.key'}]\nat @container.env[0].value",
        ],
        good: &["@container.env: [{name: A, value: 'cpln://secret/tls.key'}]"],
        ..ERROR
    },
    Rule {
        id: "env-multiline",
        path: "@container.env[].value",
        text: "\"{}\" has several lines and will not reach the guest; use a secret disk",
        check: |c| {
            if c.text().is_some_and(|value| value.contains(['\n', '\r'])) {
                let name = c.at.holder().get("name").shown();
                c.report(&[&name]);
            }
        },
        bad: &["@container.env: [{name: A, value: \"one\\ntwo\"}]\nat @container.env[0].value"],
        good: &["@container.env: [{name: A, value: one two}]"],
        ..WARNING
    },
];
