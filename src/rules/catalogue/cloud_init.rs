//! `cloudInit`: where the user data comes from.

use super::super::fix::Fix;
use super::super::rule::{ERROR, Rule, WARNING};
use super::credentials::secret_link;
use super::user_data;

const SOURCES: [&str; 3] = ["userData", "userDataBase64", "userDataSecret"];

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "cloud-init-one-source",
        path: "spec.vm.cloudInit",
        text: "give only one of userData, userDataBase64 and userDataSecret",
        check: |c| {
            if SOURCES.iter().filter(|source| !c.at.get(source).missing()).count() > 1 {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.cloudInit: {userData: '#cloud-config', userDataSecret: //secret/init}\nat spec.vm.cloudInit",
            "spec.vm.cloudInit: {userData: '#cloud-config', userDataBase64: I2Nsb3VkLWNvbmZpZwo=}",
        ],
        good: &["spec.vm.cloudInit: {userData: '#cloud-config', userDataBase64: null}"],
        ..ERROR
    },
    Rule {
        id: "cloud-init-empty",
        path: "spec.vm.cloudInit",
        text: "cloudInit is empty and does nothing",
        check: |c| {
            let blank = SOURCES.iter().all(|source| c.at.get(source).blank());
            if c.at.is_map() && blank && c.at.get("sshPublicKeySecrets").blank() {
                let at = c.at.clone();
                c.report_key(&at, &[]).fix(Fix::remove(&at));
            }
        },
        bad: &["spec.vm.cloudInit: {}", "spec.vm.cloudInit: {userData: '', sshPublicKeySecrets: []}"],
        good: &["spec.vm.cloudInit: {sshPublicKeySecrets: [//secret/keys]}", "spec.vm.cloudInit: null"],
        ..WARNING
    },
    Rule {
        id: "cloud-init-size",
        path: "spec.vm.cloudInit.userData",
        text: "userData has {} bytes; at most 16384 are allowed, use userDataSecret",
        check: |c| {
            if let Some(text) = c.text().filter(|text| text.len() > user_data::MOST) {
                c.report(&[&text.len()]);
            }
        },
        bad: &["spec.vm.cloudInit.userData (16385 times): x"],
        good: &["spec.vm.cloudInit.userData (16384 times): x"],
        with: &["cloud-init-header"],
        ..ERROR
    },
    Rule {
        id: "cloud-init-base64-size",
        path: "spec.vm.cloudInit.userDataBase64",
        text: "userDataBase64 has {} characters; at most 22000 are allowed",
        check: |c| {
            let count = c.text().map_or(0, |text| text.chars().count());
            if count > 22_000 {
                c.report(&[&count]);
            }
        },
        bad: &["spec.vm.cloudInit.userDataBase64 (5501 times): AAAA"],
        good: &["spec.vm.cloudInit.userDataBase64 (5500 times): AAAA"],
        with: &["cloud-init-header"],
        ..ERROR
    },
    Rule {
        id: "cloud-init-base64",
        path: "spec.vm.cloudInit.userDataBase64",
        text: "userDataBase64 is not valid base64",
        check: |c| {
            if let Some(text) = c.text().filter(|text| user_data::decoded(text).is_none()) {
                // Text in the wrong field.
                let plain = user_data::is_known(text) && c.at.holder().get("userData").missing();
                let free = c.at.holder().entry("userData").is_none();
                let fix = if plain && free { Fix::rename(&c.at, "userData") } else { None };
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.cloudInit.userDataBase64: \"#cloud-config\\n\"",
            "spec.vm.cloudInit.userDataBase64: I2Nsb3VkLWNvbmZpZwo\nunseen",
            "spec.vm.cloudInit.userDataBase64: I2Nsb3VkLWNvbmZp*wo=",
        ],
        good: &[
            "spec.vm.cloudInit.userDataBase64: I2Nsb3VkLWNvbmZpZwo=",
            "spec.vm.cloudInit.userDataBase64: \"I2Ns\\nb3VkLWNvbmZpZwo=\\n\"",
        ],
        ..ERROR
    },
    Rule {
        id: "cloud-init-secret-link",
        path: "spec.vm.cloudInit.userDataSecret",
        text: "\"{}\" is not a secret link; use //secret/<name>",
        check: secret_link,
        bad: &[
            "spec.vm.cloudInit.userDataSecret: init",
            "spec.vm.cloudInit.userDataSecret: cpln://secret/init",
            "spec.vm.cloudInit.userDataSecret: //identity/init",
        ],
        good: &["spec.vm.cloudInit.userDataSecret: /org/acme/secret/init"],
        ..ERROR
    },
];
