//! Keys that open a guest.

use std::collections::HashSet;

use super::super::fix::Fix;
use super::super::patterns::Link;
use super::super::rule::{Check, ERROR, Rule, WARNING};
use super::super::source::Spot;
use super::user_data;

/// The same secret as a link, where only the form is another one.
pub(super) fn as_secret_link(text: &str) -> Option<String> {
    let name = text.strip_prefix("cpln://secret/").unwrap_or(text);
    super::references::is_object_name(name).then(|| format!("//secret/{name}"))
}

/// Reports a text that is no link to a secret, and offers one.
pub(super) fn secret_link(c: &mut Check<'_>) {
    if let Some(text) = c.text().filter(|text| Link::read(text, "secret").is_none()) {
        let fix = as_secret_link(text).and_then(|link| Fix::set(&c.at, &link));
        c.report(&[&text]).fix(fix);
    }
}

fn is_user(name: &str) -> bool {
    let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    (1..=32).contains(&name.len())
        && name.bytes().all(good)
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
}

/// Reports what stands in a list a second time, and offers to remove it.
fn twice(c: &mut Check<'_>) {
    let mut seen = HashSet::new();
    for item in c.at.items() {
        if let Some(text) = item.text()
            && !seen.insert(text)
        {
            c.report_at(&item, &[&text]).fix(Fix::remove(&item));
        }
    }
}

/// Credentials as people count them.
fn credentials<'a>(c: &Check<'a>) -> impl Iterator<Item = (usize, Spot<'a>)> + use<'a> {
    c.at.items()
        .enumerate()
        .filter(|(_, credential)| credential.is_map())
        .map(|(index, one)| (index + 1, one))
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "ssh-keys-count",
        path: "spec.vm.cloudInit.sshPublicKeySecrets",
        text: "at most 8 SSH key secrets are allowed, found {}",
        check: |c| c.at_most(8),
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.cloudInit.sshPublicKeySecrets: [//secret/a, //secret/b, //secret/c, //secret/d, //secret/e, //secret/f, //secret/g, //secret/h, //secret/i]\nat spec.vm.cloudInit.sshPublicKeySecrets",
        ],
        good: &["spec.vm.cloudInit.sshPublicKeySecrets: [//secret/a]"],
        ..ERROR
    },
    Rule {
        id: "ssh-keys-link",
        path: "spec.vm.cloudInit.sshPublicKeySecrets[]",
        text: "\"{}\" is not a secret link",
        check: secret_link,
        bad: &[
            "spec.vm.cloudInit.sshPublicKeySecrets: [team-keys]\nat spec.vm.cloudInit.sshPublicKeySecrets[0]",
            "spec.vm.cloudInit.sshPublicKeySecrets: ['cpln://secret/team-keys']\nat spec.vm.cloudInit.sshPublicKeySecrets[0]",
            "spec.vm.cloudInit.sshPublicKeySecrets: [ssh-ed25519 AAAA ops]\nat spec.vm.cloudInit.sshPublicKeySecrets[0]",
        ],
        good: &["spec.vm.cloudInit.sshPublicKeySecrets: [//secret/a, /org/acme/secret/b]"],
        ..ERROR
    },
    Rule {
        id: "ssh-keys-duplicate",
        path: "spec.vm.cloudInit.sshPublicKeySecrets",
        text: "SSH key secret \"{}\" is listed twice",
        check: twice,
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.cloudInit.sshPublicKeySecrets: [//secret/a, //secret/a]\nat spec.vm.cloudInit.sshPublicKeySecrets[1]",
        ],
        good: &["spec.vm.cloudInit.sshPublicKeySecrets: [//secret/a, //secret/b]"],
        ..WARNING
    },
    Rule {
        id: "credentials-count",
        path: "spec.vm.accessCredentials",
        text: "at most 8 access credentials are allowed, found {}",
        check: |c| c.at_most(8),
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/a, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/b, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/c, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/d, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/e, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/f, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/g, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/h, users: [a], deliveryMethod: configDrive}, \
             {sshPublicKeySecret: //secret/i, users: [a], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials",
        ],
        good: &["spec.vm.accessCredentials: []"],
        ..ERROR
    },
    Rule {
        id: "credential-secret",
        path: "spec.vm.accessCredentials",
        text: "access credential {} needs sshPublicKeySecret",
        check: |c| {
            for (number, credential) in credentials(c) {
                let secret = credential.get("sshPublicKeySecret");
                let text = secret.text();
                let link = text.is_some_and(|text| Link::read(text, "secret").is_some());
                if secret.missing() || text.is_some() && !link {
                    let fix = text.and_then(as_secret_link).and_then(|link| Fix::set(&secret, &link));
                    c.report_at(&secret, &[&number]).fix(fix);
                }
            }
        },
        bad: &[
            "spec.vm.accessCredentials: [{users: [ops], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].sshPublicKeySecret",
            "spec.vm.accessCredentials: [{sshPublicKeySecret: keys, users: [ops], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].sshPublicKeySecret",
            "spec.vm.accessCredentials: [{sshPublicKeySecret: '', users: [ops], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].sshPublicKeySecret",
        ],
        good: &["spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops]}]"],
        ..ERROR
    },
    Rule {
        id: "credential-users-count",
        path: "spec.vm.accessCredentials",
        text: "access credential {} needs 1 to 16 users, found {}",
        check: |c| {
            for (number, credential) in credentials(c) {
                let users = credential.get("users");
                let count = users.count();
                if (users.missing() || users.is_list()) && !(1..=16).contains(&count) {
                    c.report_at(&users, &[&number, &count]);
                }
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [a, b, c, d, e, f, g, h, i, j, k, l, m, o, p, q, r], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users",
        ],
        good: &["spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops]}]"],
        ..ERROR
    },
    Rule {
        id: "credential-user",
        path: "spec.vm.accessCredentials[].users[]",
        text: "\"{}\" is not a valid guest user name",
        check: |c| c.text_must(is_user),
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [Administrator], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users[0]",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops, 1st], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users[1]",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [''], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users[0]",
        ],
        good: &["spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [_ops-1]}]"],
        ..ERROR
    },
    Rule {
        id: "credential-user-duplicate",
        path: "spec.vm.accessCredentials[].users",
        text: "user \"{}\" is listed twice",
        check: twice,
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops, ops], deliveryMethod: configDrive}]\nat spec.vm.accessCredentials[0].users[1]",
        ],
        good: &["spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops, dev]}]"],
        ..WARNING
    },
    Rule {
        id: "credential-delivery",
        path: "spec.vm.accessCredentials[].deliveryMethod",
        text: "deliveryMethod \"{}\" is not qemuGuestAgent or configDrive",
        check: |c| c.one_of(&["qemuGuestAgent", "configDrive"]),
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: noCloud}]\nat spec.vm.accessCredentials[0].deliveryMethod",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: configdrive}]\nat spec.vm.accessCredentials[0].deliveryMethod",
        ],
        good: &[
            "spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: configDrive}]",
        ],
        ..ERROR
    },
    Rule {
        id: "credential-agent-hint",
        path: "spec.vm.accessCredentials",
        text: "the guest needs qemu-guest-agent to receive these keys",
        check: |c| {
            let by_agent = |method: &Spot<'_>| method.missing() || method.text() == Some("qemuGuestAgent");
            let first = credentials(c).map(|(_, one)| one.get("deliveryMethod")).find(by_agent);
            if let Some(method) = first
                && user_data::all(&c.root()).is_some_and(|text| !text.contains("qemu-g"))
            {
                c.report_at(&method, &[]);
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops]}]\nat spec.vm.accessCredentials[0].deliveryMethod",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: qemuGuestAgent}]\nspec.vm.cloudInit.userData: \"#cloud-config\\npackages: [nginx]\\n\"\nat spec.vm.accessCredentials[0].deliveryMethod",
        ],
        good: &[
            "spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops]}]\nspec.vm.cloudInit.userData: \"#cloud-config\\npackages: [qemu-guest-agent]\\n\"",
            "spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops]}]\nspec.vm.cloudInit.userDataSecret: //secret/init",
            "spec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: configDrive}]",
        ],
        ..WARNING
    },
];
