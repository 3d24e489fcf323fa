//! Volumes and what they bring.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::place::{Causes, Spot};

/// What a volume can come from; exactly one of them.
pub(super) const SOURCES: &[&str] = &[
    "persistentVolumeClaim",
    "sysprep",
    "cloudInitNoCloud",
    "cloudInitConfigDrive",
    "containerDisk",
    "ephemeral",
    "emptyDisk",
    "hostDisk",
    "dataVolume",
    "configMap",
    "secret",
    "downwardAPI",
    "serviceAccount",
    "downwardMetrics",
    "memoryDump",
    "containerPath",
];

const CLOUD_INIT: [&str; 2] = ["cloudInitNoCloud", "cloudInitConfigDrive"];

/// How many bytes of data for cloud-init may stand in the machine itself.
const INLINE: usize = 2048;

/// Kinds of data for cloud-init: the fields, and the words for them.
const DATA: [Data; 2] = [
    Data {
        secret: "secretRef",
        encoded: "userDataBase64",
        plain: "userData",
        several: "must have only one userdatasource set.",
        long: "userdata",
        instead: "UserDataSecretRef",
    },
    Data {
        secret: "networkDataSecretRef",
        encoded: "networkDataBase64",
        plain: "networkData",
        several: "must have only one networkdata source set.",
        long: "networkdata",
        instead: "NetworkDataSecretRef",
    },
];

struct Data {
    secret: &'static str,
    encoded: &'static str,
    plain: &'static str,
    several: &'static str,
    long: &'static str,
    instead: &'static str,
}

/// Fields that name something and may not be empty.
const NAMES: [&str; 3] = ["configMap.name", "secret.secretName", "serviceAccount.serviceAccountName"];

/// Sources of which there may be one, with the word for it.
const ONCE: [(&str, &str); 3] = [
    ("serviceAccount", "serviceAccount"),
    ("downwardMetrics", "downwardMetric"),
    ("memoryDump", "memory dump"),
];

/// The volumes. At `spec` of an instance.
pub(super) fn volumes(spec: &Spot<'_>, causes: &mut Causes) {
    let all = spec.get("volumes");
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for volume in all.items() {
        let name = volume.get("name").text();
        if let Some(other) = names.get(name) {
            let text = format!("{} and {other} must not have the same Name.", volume.path);
            causes.invalid(volume.at("name"), text);
        } else {
            names.insert(name, volume.path.clone());
        }
        if volume.get("dataVolume").is_set() && volume.get("dataVolume.name").text().is_empty() {
            causes.required(volume.at("name"), "DataVolume 'name' must be set");
        }
        if volume.set_of(SOURCES).len() != 1 {
            causes.invalid(&volume.path, format!("{} must have exactly one source type set", volume.path));
        }
        if let Some(source) = CLOUD_INIT.into_iter().find(|source| volume.get(source).is_set()) {
            cloud_init(&volume.get(source), source, causes);
        }
        if volume.get("downwardMetrics").is_set() {
            let text = "downwardMetrics disks are not allowed: DownwardMetrics feature gate is not enabled.";
            causes.invalid(&volume.path, text);
        }
        host_disk(&volume, causes);
        for field in NAMES {
            let source = field.split('.').next().unwrap_or_default();
            if volume.get(source).is_set() && volume.get(field).text().is_empty() {
                causes.invalid(volume.at(field), format!("{} is a required field", volume.at(field)));
            }
        }
    }
    for (source, word) in ONCE {
        if all.items().filter(|volume| volume.get(source).is_set()).count() > 1 {
            causes.invalid(&all.path, format!("{} must have max one {word} volume set", all.path));
        }
    }
}

fn cloud_init(source: &Spot<'_>, kind: &str, causes: &mut Causes) {
    let mut any = false;
    for data in &DATA {
        let (encoded, plain) = (source.get(data.encoded), source.get(data.plain));
        let mut length = 0;
        let mut count = usize::from(!source.get(data.secret).get("name").text().is_empty());
        if !encoded.text().is_empty() {
            count += 1;
            match STANDARD.decode(encoded.text()) {
                Ok(bytes) => length = bytes.len(),
                // The real one names the field twice.
                Err(_) => causes.invalid(
                    &encoded.path,
                    format!("{}.{kind}.{} is not a valid base64 value.", encoded.path, data.encoded),
                ),
            }
        }
        if !plain.text().is_empty() {
            count += 1;
            length = plain.text().len();
        }
        if count > 1 {
            causes.invalid(&source.path, format!("{} {}", source.path, data.several));
        }
        if length > INLINE {
            causes.invalid(
                &source.path,
                format!(
                    "{} {} exceeds {INLINE} byte limit. Should use {} for larger data.",
                    source.path, data.long, data.instead
                ),
            );
        }
        any |= count > 0;
    }
    if !any {
        let text =
            format!("{} must have at least one userdatasource or one networkdatasource set.", source.path);
        causes.invalid(&source.path, text);
    }
}

fn host_disk(volume: &Spot<'_>, causes: &mut Causes) {
    let disk = volume.get("hostDisk");
    if !disk.is_set() {
        return;
    }
    causes.invalid(&volume.path, "HostDisk feature gate is not enabled");
    if disk.get("path").text().is_empty() {
        causes.not_found(disk.at("path"), format!("{} is required for hostDisk volume", disk.at("path")));
    }
    let kind = disk.get("type");
    if !matches!(kind.text(), "Disk" | "DiskOrCreate") {
        let text = format!(
            "{} has invalid value '{}', allowed are 'Disk' or 'DiskOrCreate'",
            kind.path,
            kind.text()
        );
        causes.invalid(&kind.path, text);
    }
}

/// Paths inside of container disks. At `spec` of an instance.
pub(super) fn container_disks(spec: &Spot<'_>, causes: &mut Causes) {
    for volume in spec.get("volumes").items() {
        let disk = volume.get("containerDisk");
        file(&disk.path, disk.get("path").text(), causes);
    }
}

/// A path to a file in an image.
pub(super) fn file(at: &str, path: &str, causes: &mut Causes) {
    if path == "/" {
        causes.invalid(at, format!("{at} must not point to root"));
    } else if !path.is_empty() {
        let inside = path.strip_suffix('/').unwrap_or(path).strip_prefix('/');
        let clean = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !inside.is_some_and(clean) {
            causes
                .invalid(at, format!("{at} must be an absolute path to a file without relative components"));
        }
    }
}

/// Volumes that are attached to nothing, which is refused of an instance only: a machine's gets a disk when it starts.
pub(super) fn unused(spec: &Spot<'_>, causes: &mut Causes) {
    let devices = spec.get("domain.devices");
    for (place, volume) in spec.get("volumes").items().enumerate() {
        let name = volume.get("name").text();
        let used = ["disks", "filesystems"].iter().any(|list| devices.get(list).named(name).is_some());
        if !used && !volume.get("memoryDump").is_set() {
            let at = format!("{}.domain.volumes[{place}].name", spec.path);
            causes.invalid(&at, format!("{at} '{name}' not found."));
        }
    }
}
