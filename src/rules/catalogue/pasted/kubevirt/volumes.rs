//! Volumes of the guest, cloud-init and access credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::{GUEST_ERROR, GUEST_WARNING, chosen, guest, named, namespace};
use crate::rules::fix::Fix;
use crate::rules::known::Lookup;
use crate::rules::patterns::is_dns_label;
use crate::rules::rule::{Needs, Rule};
use crate::rules::source::Spot;

const SOURCES: &[&str] = &[
    "hostDisk",
    "persistentVolumeClaim",
    "cloudInitNoCloud",
    "cloudInitConfigDrive",
    "sysprep",
    "containerDisk",
    "ephemeral",
    "emptyDisk",
    "dataVolume",
    "configMap",
    "secret",
    "downwardAPI",
    "serviceAccount",
    "downwardMetrics",
    "memoryDump",
    "containerPath",
];
const USER_DATA: &[&str] = &["userData", "userDataBase64", "secretRef"];
const NETWORK_DATA: &[&str] = &["networkData", "networkDataBase64", "networkDataSecretRef"];

/// The most bytes of an inline text.
const INLINE: usize = 2048;

/// The bytes of a text in Base64, where it is one.
pub(in crate::rules::catalogue::pasted) fn decoded(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok()
}

/// The length of an inline text as the guest gets it.
fn length(spot: &Spot<'_>) -> Option<usize> {
    let text = spot.text()?;
    match spot.key() {
        Some(key) if key.ends_with("Base64") => decoded(text).map(|bytes| bytes.len()),
        _ => Some(text.len()),
    }
}

const CLOUD_INIT: &str = "@guest.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}";

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-volume-source",
        path: "@guest.volumes[]",
        text: "a volume has exactly one source, found {}",
        check: |c| {
            let found = chosen(&c.at, SOURCES).len();
            if c.at.is_map() && found != 1 {
                c.report(&[&found]);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root}",
            "@guest.volumes[0].emptyDisk: {capacity: 1Gi}\nat @guest.volumes[0]",
        ],
        good: &["@guest.volumes[0]: {name: root, persistentVolumeClaim: {claimName: web}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-volume-name",
        path: "@guest.volumes[].name",
        text: "volume name \"{}\" must be lower-case letters, digits and inner dashes, at most 63",
        check: |c| c.text_must(is_dns_label),
        bad: &[
            "@guest.volumes[0].name: Root\n@guest.domain.devices.disks[0].name: Root\nat @guest.volumes[0].name",
            "@guest.volumes[0].name: a1234567890123456789012345678901234567890123456789012345678901234\n@guest.domain.devices.disks[0].name: a1234567890123456789012345678901234567890123456789012345678901234\nat @guest.volumes[0].name",
        ],
        good: &["@guest.volumes[0].name: root"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-volume-name-twice",
        path: "@guest.volumes",
        text: "volume \"{}\" is there twice",
        check: super::devices::twice,
        bad: &["@guest.volumes[1]: {name: root, emptyDisk: {capacity: 1Gi}}\nat @guest.volumes[1].name"],
        good: &["@guest.volumes[0].name: root"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-volume-without-disk",
        path: "@guest.volumes[].name",
        text: "volume \"{}\" has no disk and no filesystem of this name; the guest does not see it",
        check: |c| {
            let devices = guest(c).get("domain.devices");
            let volume = c.at.holder();
            // These reach the guest without a disk.
            let other = chosen(&volume, &["memoryDump", "downwardMetrics"]).len() == 1;
            if let Some(name) = c.text().filter(|_| !other)
                && named(&devices.get("disks"), name).is_none()
                && named(&devices.get("filesystems"), name).is_none()
            {
                c.report(&[&name]);
            }
        },
        bad: &[
            "@guest.volumes[1]: {name: data, persistentVolumeClaim: {claimName: x}}\nat @guest.volumes[1].name",
        ],
        good: &[
            "@guest.volumes[1]: {name: data, persistentVolumeClaim: {claimName: x}}\n@guest.domain.devices.filesystems: [{name: data, virtiofs: {}}]",
        ],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-container-disk-path",
        path: "@guest.volumes[].containerDisk.path",
        text: "path \"{}\" must be absolute and have no . or .. in it",
        check: |c| {
            c.text_must(|path| {
                path.is_empty()
                    || path.starts_with('/') && path.split('/').all(|part| !matches!(part, "." | ".."))
            });
        },
        bad: &[
            "@guest.volumes[0].containerDisk.path: disk/a.img",
            "@guest.volumes[0].containerDisk.path: /disk/../a.img",
        ],
        good: &["@guest.volumes[0].containerDisk.path: /disk/a.img"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-container-disk-image",
        path: "@guest.volumes[].containerDisk.image",
        text: "containerDisk.image is empty",
        check: |c| c.required(),
        bad: &["@guest.volumes[0].containerDisk: {}\nat @guest.volumes[0].containerDisk.image"],
        good: &["@guest.volumes[0].containerDisk: {image: a}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cloud-init-long",
        path: "@guest.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userData,userDataBase64,networkData,networkDataBase64}",
        text: "{} has {} bytes, more than 2048; put it into a Secret and name that",
        check: |c| {
            if let Some(length) = length(&c.at).filter(|length| *length > INLINE) {
                let at = c.at.clone();
                c.report_key(&at, &[&at.key().unwrap_or_default(), &length]);
            }
        },
        bad: &[super::LONG_USER_DATA],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config'}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cloud-init-empty",
        path: CLOUD_INIT,
        text: "cloud-init has neither user data nor network data",
        check: |c| {
            let any = chosen(&c.at, USER_DATA)
                .into_iter()
                .chain(chosen(&c.at, NETWORK_DATA))
                .any(|spot| !spot.blank());
            if c.at.exists() && (c.at.is_map() || c.at.blank()) && !any {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {}}\nat @guest.volumes[0].cloudInitNoCloud",
        ],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {networkData: 'version: 2'}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cloud-init-twice",
        path: CLOUD_INIT,
        text: "{} is the second source of the same data; keep one",
        check: |c| {
            for keys in [USER_DATA, NETWORK_DATA] {
                if let [_, second, ..] = chosen(&c.at, keys).as_slice() {
                    c.report_key(second, &[&second.key().unwrap_or_default()]);
                }
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config', userDataBase64: I2Nsb3VkLWNvbmZpZw==}}\nat @guest.volumes[0].cloudInitNoCloud.userDataBase64",
        ],
        good: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config', networkData: 'version: 2'}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cloud-init-base64",
        path: "@guest.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userDataBase64,networkDataBase64}",
        text: "{} is not Base64",
        check: |c| {
            if c.text().is_some_and(|text| decoded(text).is_none()) {
                let key = c.at.key().unwrap_or_default();
                // Text that was never packed belongs into the field without Base64.
                let plain = c.text().is_some_and(|text| text.starts_with('#'));
                let fix = if plain { Fix::rename(&c.at, key.trim_end_matches("Base64")) } else { None };
                c.report(&[&key]).fix(fix);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userDataBase64: '%%%'}}\nat @guest.volumes[0].cloudInitNoCloud.userDataBase64",
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userDataBase64: '#cloud-config'}}\nat @guest.volumes[0].cloudInitNoCloud.userDataBase64",
        ],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {userDataBase64: I2Nsb3VkLWNvbmZpZw==}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cloud-init-both",
        path: "@guest.volumes",
        text: "this is the second cloud-init volume; only the first one is read",
        check: |c| {
            let kinds = &["cloudInitNoCloud", "cloudInitConfigDrive"];
            if let Some(second) = c.at.items().flat_map(|volume| chosen(&volume, kinds)).nth(1) {
                c.report_key(&second, &[]);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config'}}\n@guest.volumes[1]: {name: b, cloudInitConfigDrive: {userData: '#cloud-config'}}\n@guest.domain.devices.disks[1]: {name: b, disk: {bus: virtio}}\nat @guest.volumes[1].cloudInitConfigDrive",
        ],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config'}}"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-cloud-init-header",
        path: "@guest.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{userData,userDataBase64}",
        text: "the first line \"{}\" is no header of cloud-init; the guest ignores the rest. Begin with #cloud-config or #!",
        check: |c| {
            let Some(text) = c.text() else { return };
            let bytes = if c.at.key() == Some("userDataBase64") { decoded(text) } else { Some(text.into()) };
            let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty() && !is_user_data(bytes)) else { return };
            let first = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
            c.report(&[&first]);
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: 'packages: [vim]'}}\nat @guest.volumes[0].cloudInitNoCloud.userData",
        ],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#!/bin/sh'}}"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-cloud-init-secret-key",
        path: "@guest.volumes[].{cloudInitNoCloud,cloudInitConfigDrive}.{secretRef,networkDataSecretRef}.name",
        text: "secret \"{}\" has none of the keys {}",
        needs: Needs::Cluster,
        check: |c| {
            let keys = match c.at.holder().key() {
                Some("secretRef") => ["userdata", "userData"],
                _ => ["networkdata", "networkData"],
            };
            if let Some(name) = c.text()
                && let Lookup::Here(secret) = c.known.secret(name, namespace(c))
                && secret.keys.as_ref().is_some_and(|own| !own.iter().any(|key| keys.contains(&key.as_str())))
            {
                c.report(&[&name, &keys.join(", ")]);
            }
        },
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {secretRef: {name: s}}}\nat @guest.volumes[0].cloudInitNoCloud.secretRef.name\nknown: {secrets: [{name: s, keys: [user-data]}]}",
        ],
        good: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {secretRef: {name: s}}}\nknown: {secrets: [{name: s, keys: [userdata]}]}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-credential-users",
        path: "@guest.accessCredentials[].sshPublicKey.propagationMethod.qemuGuestAgent",
        text: "the guest agent must be told at least one user",
        check: |c| {
            let users = c.at.get("users");
            if c.at.exists() && users.blank() {
                c.report_at(&users, &[]);
            }
        },
        bad: &[
            "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {qemuGuestAgent: {}}}}]\nat @guest.accessCredentials[0].sshPublicKey.propagationMethod.qemuGuestAgent.users",
        ],
        good: &[
            "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {qemuGuestAgent: {users: [root]}}}}]",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-credential-volume",
        path: "@guest.accessCredentials[].sshPublicKey.propagationMethod.{noCloud,configDrive}",
        text: "{} needs a cloud-init volume of its kind",
        check: |c| {
            let key = c.at.key().unwrap_or_default();
            let kind = if key == "noCloud" { "cloudInitNoCloud" } else { "cloudInitConfigDrive" };
            let any = guest(c).get("volumes").items().any(|volume| volume.get(kind).exists());
            if c.at.exists() && !any {
                let at = c.at.clone();
                c.report_key(&at, &[&key]);
            }
        },
        bad: &[
            "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {noCloud: {}}}}]\nat @guest.accessCredentials[0].sshPublicKey.propagationMethod.noCloud",
        ],
        good: &[
            "@guest.accessCredentials: [{sshPublicKey: {source: {secret: {secretName: k}}, propagationMethod: {noCloud: {}}}}]\n@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: '#cloud-config'}}",
        ],
        ..GUEST_ERROR
    },
];

/// Whether a guest recognises these bytes as user data.
pub(in crate::rules::catalogue::pasted) fn is_user_data(bytes: &[u8]) -> bool {
    let headers: [&[u8]; 13] = [
        b"#cloud-config",
        b"#!",
        b"#include",
        b"#cloud-boothook",
        b"#part-handler",
        b"#upstart-job",
        b"## template: jinja",
        b"##template: jinja",
        b"Content-Type:",
        b"MIME-Version:",
        b"#template",
        // A packed text, and the configuration of Flatcar and CoreOS.
        b"\x1f\x8b",
        b"{",
    ];
    headers.iter().any(|header| bytes.starts_with(header))
}
