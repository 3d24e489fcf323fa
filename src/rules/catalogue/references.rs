//! What a workload refers to: volume sets, secrets, and the identity that may reveal them.

use std::collections::HashSet;

use super::super::known::Lookup;
use super::super::patterns::{Link, cpln_uri, is_lower_dashed, volume_set_uri};
use super::super::rule::{Check, ERROR, Needs, Rule, WARNING, because};
use super::super::source::Spot;

/// A name that a volume set or a secret can have.
pub(super) fn is_object_name(name: &str) -> bool {
    is_lower_dashed(name) && name.len() <= 64 && !name.starts_with('-')
}

/// The name of the secret in a URI, and the key behind it.
pub(super) fn secret_uri(uri: &str) -> Option<(&str, Option<&str>)> {
    let whole = cpln_uri(uri, "secret")?;
    Some(whole.split_once('.').map_or((whole, None), |(name, key)| (name, Some(key))))
}

/// The GVC of the document, or the one that was asked for; empty: any.
fn gvc<'a>(c: &Check<'a>) -> &'a str {
    let asked = c.options.gvc.as_deref();
    c.root().document().gvc().or(asked).unwrap_or_default()
}

fn containers<'a>(root: &Spot<'a>, list: &'static str) -> Vec<Spot<'a>> {
    root.get("spec.containers").items().flat_map(|container| container.get(list).items()).collect()
}

/// Every place that names a volume set, with the name.
fn volume_sets<'a>(root: &Spot<'a>) -> Vec<(Spot<'a>, &'a str)> {
    let disks = containers(root, "volumes").into_iter().map(|disk| disk.get("uri"));
    let places = std::iter::once(root.get("spec.vm.bootDisk.persist.volumeSet")).chain(disks);
    places.filter_map(|place| volume_set_uri(place.text()?).map(|name| (place.clone(), name))).collect()
}

/// The names of all volume sets that a workload names.
pub(in crate::rules) fn volume_sets_of<'a>(root: &Spot<'a>) -> impl Iterator<Item = &'a str> {
    volume_sets(root).into_iter().map(|(_, name)| name)
}

/// A place that names a secret.
struct Mention<'a> {
    at: Spot<'a>,
    name: &'a str,
    /// The key behind the name.
    key: Option<&'a str>,
}

/// Every place that names a secret.
fn secrets<'a>(root: &Spot<'a>) -> Vec<Mention<'a>> {
    let disks = containers(root, "volumes").into_iter().map(|disk| disk.get("uri"));
    let variables = containers(root, "env").into_iter().map(|variable| variable.get("value"));
    let init = root.get("spec.vm.cloudInit");
    let credentials = root.get("spec.vm.accessCredentials").items();
    let links = std::iter::once(init.get("userDataSecret"))
        .chain(init.get("sshPublicKeySecrets").items())
        .chain(credentials.map(|credential| credential.get("sshPublicKeySecret")));
    let uris = disks.chain(variables).filter_map(|at| {
        let (name, key) = secret_uri(at.text()?).filter(|(name, _)| is_object_name(name))?;
        Some(Mention { name, key, at })
    });
    let links =
        links.filter_map(|at| Some(Mention { name: Link::read(at.text()?, "secret")?.name, key: None, at }));
    uris.chain(links).collect()
}

const DISK: &str = "@container.volumes: [{uri: 'cpln://volumeset/data', name: data}]";

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "volumeset-not-found",
        text: "volume set \"{}\" does not exist in GVC \"{}\"",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            for (at, name) in volume_sets(&c.root()) {
                if c.known.volume_set(name, gvc) == Lookup::Absent {
                    c.report_at(&at, &[&name, &gvc]);
                }
            }
        },
        bad: &[
            "known: {volumeSets: []}\nat spec.vm.bootDisk.persist.volumeSet",
            "known: {volumeSets: [{name: web-boot, gvc: other}]}\nat spec.vm.bootDisk.persist.volumeSet",
            "@container.volumes: [{uri: 'cpln://volumeset/data', name: data}]\nknown: {volumeSets: [{name: web-boot}]}\nat @container.volumes[0].uri",
        ],
        good: &[
            "known: {volumeSets: [{name: web-boot, gvc: shop}]}",
            "@container.volumes: [{uri: 'cpln://volumeset/data', name: data}]",
        ],
        ..ERROR
    },
    Rule {
        id: "volumeset-in-use",
        text: "volume set \"{}\" belongs to workload \"{}\"",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            let (own, gvc) = (c.root().document().name().unwrap_or_default(), gvc(c));
            for (at, name) in volume_sets(&c.root()) {
                if let Some(user) = c.known.user_of(name, gvc).filter(|user| *user != own) {
                    c.report_at(&at, &[&name, &user]);
                }
            }
        },
        bad: &[
            "known: {volumeSets: [{name: web-boot, usedBy: old-web}]}\nat spec.vm.bootDisk.persist.volumeSet",
            IN_ONE_STREAM,
        ],
        good: &[
            "known: {volumeSets: [{name: web-boot, usedBy: web}]}",
            "known: {volumeSets: [{name: web-boot}]}",
        ],
        ..ERROR
    },
    Rule {
        id: "volumeset-used-twice",
        text: "volume set \"{}\" is used for two disks of this VM",
        check: |c| {
            let mut seen = HashSet::new();
            for (at, name) in volume_sets(&c.root()) {
                if !seen.insert(name) {
                    c.report_at(&at, &[&name]);
                }
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/web-boot', name: data}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a}, {uri: 'cpln://volumeset/a', name: b}]\nat @container.volumes[1].uri",
        ],
        good: &[DISK],
        ..ERROR
    },
    Rule {
        id: "volumeset-shared",
        text: "a shared volume set cannot be a VM disk",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            for (at, name) in volume_sets(&c.root()) {
                if let Lookup::Here(set) = c.known.volume_set(name, gvc)
                    && set.file_system_type == "shared"
                {
                    c.report_at(&at, &[]);
                }
            }
        },
        bad: &[
            "known: {volumeSets: [{name: web-boot, fileSystemType: shared}]}\nat spec.vm.bootDisk.persist.volumeSet",
        ],
        good: &["known: {volumeSets: [{name: web-boot, fileSystemType: ext4}]}"],
        ..ERROR
    },
    Rule {
        id: "secret-not-found",
        text: "secret \"{}\" does not exist",
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            for mention in secrets(&c.root()) {
                if c.known.secret(mention.name, gvc) == Lookup::Absent {
                    c.report_at(&mention.at, &[&mention.name]);
                }
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]\nknown: {secrets: []}\nat @container.env[0].value",
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls', name: a}]\nknown: {secrets: []}\nat @container.volumes[0].uri",
            "spec.identityLink: //identity/web\nspec.vm.cloudInit: {userDataSecret: //secret/init}\nknown: {secrets: []}\nat spec.vm.cloudInit.userDataSecret",
            "spec.identityLink: //identity/web\nspec.vm.cloudInit: {sshPublicKeySecrets: [//secret/keys]}\nknown: {secrets: []}\nat spec.vm.cloudInit.sshPublicKeySecrets[0]",
            "spec.identityLink: //identity/web\nspec.vm.accessCredentials: [{sshPublicKeySecret: //secret/keys, users: [ops], deliveryMethod: configDrive}]\nknown: {secrets: []}\nat spec.vm.accessCredentials[0].sshPublicKeySecret",
        ],
        good: &[
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]\nknown: {secrets: [{name: tls}]}",
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]",
        ],
        ..WARNING
    },
    Rule {
        id: "secret-key-not-found",
        text: "secret \"{}\" has no key \"{}\"",
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            for Mention { at, name, key } in secrets(&c.root()) {
                // Behind a disk, a key is a mistake whatever it is called.
                if let (Some(key), Lookup::Here(secret)) = (key, c.known.secret(name, gvc))
                    && at.key() == Some("value")
                    && secret.keys.as_ref().is_some_and(|keys| !keys.iter().any(|one| one == key))
                {
                    c.report_at(&at, &[&name, &key]);
                }
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]\nknown: {secrets: [{name: tls, keys: [cert]}]}\nat @container.env[0].value",
        ],
        good: &[
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]\nknown: {secrets: [{name: tls, keys: [key]}]}",
            "spec.identityLink: //identity/web\n@container.env: [{name: A, value: 'cpln://secret/tls.key'}]\nknown: {secrets: [{name: tls}]}",
        ],
        ..WARNING
    },
    Rule {
        id: "secret-needs-identity",
        text: "secret \"{}\" is used but the workload has no identity that may reveal it",
        check: |c| {
            if c.root().get("spec.identityLink").blank() {
                for mention in secrets(&c.root()) {
                    c.report_at(&mention.at, &[&mention.name]);
                }
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://secret/tls', name: a}]\nat @container.volumes[0].uri",
            "spec.vm.cloudInit: {userDataSecret: //secret/init}\nat spec.vm.cloudInit.userDataSecret",
        ],
        good: &[
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls', name: a}]",
        ],
        ..WARNING
    },
    Rule {
        id: "secret-not-revealable",
        text: "identity \"{}\" may not reveal secret \"{}\"; the VM waits",
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            let link = c.root().get("spec.identityLink").text().and_then(|link| Link::read(link, "identity"));
            let Some(identity) = link else { return };
            let Lookup::Here(known) = c.known.identity(identity.name, identity.gvc.unwrap_or(gvc)) else {
                return;
            };
            let Some(reveals) = &known.reveals else { return };
            for mention in secrets(&c.root()) {
                if !reveals.iter().any(|secret| secret == mention.name) {
                    c.report_at(&mention.at, &[&identity.name, &mention.name]);
                }
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls', name: a}]\nknown: {identities: [{name: web, reveals: [other]}]}\nat @container.volumes[0].uri",
        ],
        good: &[
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls', name: a}]\nknown: {identities: [{name: web, reveals: [tls]}]}",
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls', name: a}]\nknown: {identities: [{name: web}]}",
        ],
        ..WARNING
    },
    Rule {
        id: "cloud-init-secret-key",
        path: "spec.vm.cloudInit.userDataSecret",
        text: "secret \"{}\" has neither \"userdata\" nor \"user-data\"",
        cel: because::OTHERS,
        needs: Needs::Cluster,
        check: |c| {
            let gvc = gvc(c);
            if let Some(link) = c.text().and_then(|text| Link::read(text, "secret"))
                && let Lookup::Here(secret) = c.known.secret(link.name, gvc)
                && let Some(keys) = &secret.keys
                && !keys.iter().any(|key| key == "userdata" || key == "user-data")
            {
                c.report(&[&link.name]);
            }
        },
        bad: &[
            "spec.vm.cloudInit: {userDataSecret: //secret/init}\nspec.identityLink: //identity/web\nknown: {secrets: [{name: init, keys: [userData]}]}\nat spec.vm.cloudInit.userDataSecret",
        ],
        good: &[
            "spec.vm.cloudInit: {userDataSecret: //secret/init}\nknown: {secrets: [{name: init, keys: [user-data]}]}",
            "spec.vm.cloudInit: {userDataSecret: //secret/init}\nknown: {secrets: [{name: init}]}",
        ],
        ..ERROR
    },
];

/// Two workloads that want one volume set, before the cluster knows either.
const IN_ONE_STREAM: &str = "---
kind: workload
name: one
gvc: shop
spec:
  type: vm
  containers: [{name: vm, cpu: 2, memory: 2Gi}]
  vm:
    bootDisk:
      source: {oci: {image: 'quay.io/containerdisks/ubuntu:22.04'}}
      persist: {volumeSet: 'cpln://volumeset/boot'}
---
kind: workload
name: two
gvc: shop
spec:
  type: vm
  containers: [{name: vm, cpu: 2, memory: 2Gi}]
  vm:
    bootDisk:
      source: {oci: {image: 'quay.io/containerdisks/ubuntu:22.04'}}
      persist: {volumeSet: 'cpln://volumeset/boot'} # here
";
