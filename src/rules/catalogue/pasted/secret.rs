//! Secrets that hold cloud-init.

use super::NOT_OURS;
use super::kubevirt::volumes::{decoded, is_user_data};
use crate::rules::fix::Fix;
use crate::rules::rule::{ERROR, Rule, WARNING};
use crate::rules::source::{Dialect, Spot};
use crate::rules::subject::Subject;

pub(super) const SECRET: &str = "
apiVersion: v1
kind: Secret
metadata:
  name: web-init
  namespace: shop
stringData:
  userdata: '#cloud-config'
";

const SECRET_ERROR: Rule = Rule { on: &[Subject::Secret], cel: NOT_OURS, ..ERROR };
const SECRET_WARNING: Rule = Rule { on: SECRET_ERROR.on, ..WARNING };

/// Keys under which user data is looked for, here or by somebody else.
const USER_DATA: &[&str] = &["userdata", "userData", "user-data", "user_data"];

fn is_kubernetes(spot: &Spot<'_>) -> bool {
    spot.document().dialect() == Dialect::Kubernetes
}

/// The bytes of an entry of a Secret, where they can be read.
fn bytes(spot: &Spot<'_>) -> Option<Vec<u8>> {
    match spot.holder().key() {
        Some("data") => decoded(spot.text()?),
        _ => Some(spot.text()?.into()),
    }
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "secret-base64",
        path: "data.*",
        text: "\"{}\" in data must be Base64; plain text belongs into stringData",
        check: |c| {
            if is_kubernetes(&c.at) && c.text().is_some_and(|text| decoded(text).is_none()) {
                let key = c.at.key().unwrap_or_default();
                // Where nothing in it is Base64, the whole block has the wrong name.
                let block = c.at.holder();
                let plain = block
                    .entries()
                    .all(|(_, entry)| entry.text().is_some_and(|text| decoded(text).is_none()));
                let free = c.root().get("stringData").missing();
                let fix = if plain && free { Fix::rename(&block, "stringData") } else { None };
                c.report(&[&key]).fix(fix);
            }
        },
        bad: &["data: {userdata: '#cloud-config'}\nat data.userdata"],
        good: &["data: {userdata: I2Nsb3VkLWNvbmZpZw==}"],
        ..SECRET_ERROR
    },
    Rule {
        id: "secret-not-text",
        path: "{data,stringData}.*",
        text: "\"{}\" must be a text; put it in quotes",
        check: |c| {
            if is_kubernetes(&c.at) && c.at.text().is_none() && !c.at.missing() {
                let key = c.at.key().unwrap_or_default();
                let fix = if c.at.word().is_some() { Fix::quote(&c.at) } else { None };
                c.report(&[&key]).fix(fix);
            }
        },
        bad: &[
            "stringData: {port: 22}\nat stringData.port",
            "stringData: {userdata: {packages: [vim]}}\nat stringData.userdata",
        ],
        good: &["stringData: {port: '22'}"],
        ..SECRET_ERROR
    },
    Rule {
        id: "secret-cloud-init-key",
        path: "{data,stringData}.{user-data,user_data,UserData,user-Data}",
        text: "KubeVirt looks for userdata or userData and does not see \"{}\"",
        check: |c| {
            let block = c.at.holder();
            let there = !block.get("userdata").missing() || !block.get("userData").missing();
            if is_kubernetes(&c.at) && c.at.exists() && !there {
                let at = c.at.clone();
                c.report_key(&at, &[&at.key().unwrap_or_default()]);
            }
        },
        bad: &["stringData: {user-data: '#cloud-config'}\nat stringData.user-data"],
        good: &[
            "stringData: {userData: '#cloud-config'}",
            "stringData: {userdata: '#cloud-config', user-data: '#cloud-config'}",
        ],
        ..SECRET_WARNING
    },
    Rule {
        id: "secret-cloud-init-header",
        path: "{data,stringData}.*",
        text: "the first line \"{}\" is no header of cloud-init; the guest ignores the rest. Begin with #cloud-config or #!",
        check: |c| {
            if !is_kubernetes(&c.at) || !USER_DATA.contains(&c.at.key().unwrap_or_default()) {
                return;
            }
            if let Some(bytes) = bytes(&c.at).filter(|bytes| !bytes.is_empty() && !is_user_data(bytes)) {
                let first = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
                c.report(&[&first]);
            }
        },
        bad: &[
            "stringData: {userdata: 'packages: [vim]'}\nat stringData.userdata",
            "data: {userdata: cGFja2FnZXM6IFt2aW1d}\nat data.userdata",
        ],
        good: &["data: {userdata: I2Nsb3VkLWNvbmZpZw==}"],
        ..SECRET_WARNING
    },
];
