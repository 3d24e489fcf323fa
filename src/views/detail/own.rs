//! Our own kinds in words: what a controller sees of their parts.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Line, Said, Section, age, list, string};
use crate::model::Now;
use crate::store::Health;

/// The sections of a Workload: what it is made of, and its replicas.
pub(super) fn of_workload(said: &Said, now: Now) -> Vec<Section> {
    let Some(workload) = &said.object else { return Vec::new() };
    let replicas = list(workload, "/status/replicaStatuses");
    vec![
        Section::new("REPLICAS", replicas.iter().map(|one| replica(one, now)).collect()),
        Section::new("MACHINE", machine(workload)),
        Section::new("NETWORK", network(workload)),
    ]
}

/// The sections of a VolumeSet: its volumes and their snapshots.
pub(super) fn of_volume_set(said: &Said, now: Now) -> Vec<Section> {
    let Some(set) = &said.object else { return Vec::new() };
    let volumes = list(set, "/status/volumes");
    let snapshots = volumes.iter().flat_map(|volume| {
        list(volume, "/volumeSnapshots").iter().map(move |one| snapshot(volume, one, now))
    });
    vec![
        Section::new("VOLUMES", volumes.iter().map(volume).collect()),
        Section::new("SNAPSHOTS", snapshots.collect()),
    ]
}

/// The sections of an Image.
pub(super) fn of_image(said: &Said, now: Now) -> Vec<Section> {
    let Some(image) = &said.object else { return Vec::new() };
    let mut lines = texts(image, &[("title", "/spec/title"), ("description", "/spec/description")]);
    lines.extend(texts(image, &[("digest", "/status/digest"), ("size", "/status/size")]));
    lines
        .extend(age(image, "/status/verifiedAt", now).map(|age| Line::new("verified", format!("{age} ago"))));
    let versions: Vec<_> =
        list(image, "/status/usedByVersions").iter().filter_map(|one| string(one, "")).collect();
    if !versions.is_empty() {
        lines.push(Line::new("used by", versions.join(", ")));
    }
    vec![Section::new("IMAGE", lines)]
}

/// The sections of a SupportedVersion.
pub(super) fn of_version(said: &Said, _: Now) -> Vec<Section> {
    let Some(version) = &said.object else { return Vec::new() };
    let mut lines = texts(version, &[("autoscaler", "/spec/autoscalerImage"), ("notes", "/spec/notes")]);
    let counts = [("control planes", "/status/controlPlanes"), ("workers", "/status/workers")];
    lines.extend(
        counts.into_iter().filter_map(|(label, path)| Some(Line::new(label, number(version, path)?))),
    );
    let warnings = list(version, "/status/warnings").iter().filter_map(|one| string(one, ""));
    let warnings = warnings.map(|warning| Line::new("", warning).with(Health::Warning));
    vec![Section::new("VERSION", lines), Section::new("WARNINGS", warnings.collect())]
}

fn texts(value: &Value, paths: &[(&str, &str)]) -> Vec<Line> {
    paths.iter().filter_map(|(label, path)| Some(Line::new(*label, string(value, path)?))).collect()
}

/// The number at a path, as it stands there.
fn number(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).filter(|one| one.is_number()).map(Value::to_string)
}

/// Pieces with commas between them.
fn joined(pieces: impl IntoIterator<Item = Option<String>>) -> String {
    pieces.into_iter().flatten().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(", ")
}

/// A replica: its state, where it runs, and how far its boot disk is.
fn replica(replica: &Value, now: Now) -> Line {
    let owned = |path: &str| string(replica, path).map(std::borrow::Cow::into_owned);
    let ready = replica.get("ready").and_then(Value::as_bool).unwrap_or(false);
    let phase = owned("/bootDisk/phase").filter(|phase| phase != "Succeeded");
    let disk = phase.as_ref().map(|phase| {
        let percent = replica.pointer("/bootDisk/percent").and_then(Value::as_f64);
        let percent = percent.map_or_else(String::new, |percent| format!(" {percent:.0}%"));
        format!("boot disk {phase}{percent}")
    });
    let restarts = number(replica, "/restarts").filter(|count| count != "0");
    let started = age(replica, "/startedAt", now).map(|age| format!("up {age}"));
    let mut text = joined([
        owned("/state").or_else(|| ready.then(|| "ready".to_owned())),
        owned("/node"),
        owned("/address"),
        started,
        restarts.map(|count| format!("{count} restart{}", if count == "1" { "" } else { "s" })),
        disk,
    ]);
    if let Some(message) = owned("/message").or_else(|| owned("/bootDisk/message")) {
        let _ = write!(text, ": {message}");
    }
    let health = match phase.as_deref() {
        Some("Failed") => Health::Failed,
        _ if ready => Health::Well,
        Some(_) => Health::Busy,
        None if replica.get("message").is_some() => Health::Failed,
        None => Health::Busy,
    };
    let index = number(replica, "/index").unwrap_or_default();
    let name = owned("/name").unwrap_or(index);
    Line::new(crate::text::one_line(&name, 40), text).with(health)
}

/// What the machine of each replica is made of.
fn machine(workload: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(guest) = list(workload, "/spec/containers").first() {
        let size = |path: &str| {
            string(guest, path).map(std::borrow::Cow::into_owned).or_else(|| number(guest, path))
        };
        lines.extend(size("/cpu").map(|cpu| Line::new("cpu", cpu)));
        lines.extend(size("/memory").map(|memory| Line::new("memory", memory)));
        let disks: Vec<_> =
            list(guest, "/volumes").iter().filter_map(|volume| string(volume, "/uri")).collect();
        if !disks.is_empty() {
            lines.push(Line::new("more disks", disks.join(", ")));
        }
    }
    lines.extend(texts(
        workload,
        &[
            ("boots from", "/spec/vm/bootDisk/source/oci/image"),
            ("boots from", "/spec/vm/bootDisk/source/http/url"),
            ("on", "/spec/vm/bootDisk/persist/volumeSet"),
            ("firmware", "/spec/vm/firmware/bootloader"),
            ("guest", "/spec/vm/guestOS"),
            ("host name", "/spec/vm/hostname"),
        ],
    ));
    lines
}

/// How a workload is reached.
fn network(workload: &Value) -> Vec<Line> {
    let guest = list(workload, "/spec/containers").first();
    let ports = guest.map_or(&[][..], |guest| list(guest, "/ports")).iter().filter_map(|port| {
        let protocol = string(port, "/protocol").unwrap_or("http".into());
        Some(format!("{}/{protocol}", number(port, "/number")?))
    });
    let ports = ports.collect::<Vec<_>>().join(", ");
    let mut lines =
        texts(workload, &[("endpoint", "/status/endpoint"), ("internal", "/status/internalName")]);
    if !ports.is_empty() {
        lines.push(Line::new("ports", ports));
    }
    lines
}

/// A volume of a set, by the replica that it belongs to.
fn volume(volume: &Value) -> Line {
    let owned = |path: &str| string(volume, path).map(std::borrow::Cow::into_owned);
    let life = owned("/lifecycle");
    let health = match life.as_deref() {
        Some("bound") => Health::Well,
        Some("creating" | "repairing") => Health::Busy,
        _ => Health::Idle,
    };
    let text = joined([
        life,
        owned("/claim").map(|claim| format!("claim {claim}")),
        number(volume, "/currentSize").map(|size| format!("{size} GiB")),
        owned("/node"),
        owned("/driver"),
        owned("/command").map(|command| format!("busy with {command}")),
    ]);
    Line::new(format!("replica {}", number(volume, "/index").unwrap_or_default()), text).with(health)
}

/// A snapshot of a volume.
fn snapshot(volume: &Value, snapshot: &Value, now: Now) -> Line {
    let ready = snapshot.get("ready").and_then(Value::as_bool);
    let text = joined([
        number(volume, "/index").map(|index| format!("of replica {index}")),
        number(snapshot, "/size").map(|size| format!("{size} GiB")),
        age(snapshot, "/created", now).map(|age| format!("{age} old")),
        (ready == Some(false)).then(|| "not ready".to_owned()),
    ]);
    let name = string(snapshot, "/name").unwrap_or_default();
    Line::new(crate::text::one_line(&name, 40), text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(sections: &[Section]) -> Vec<String> {
        let line = |line: &Line| format!("{} | {}", line.label, line.text);
        sections.iter().flat_map(|section| section.lines.iter().map(line)).collect()
    }

    fn said(object: Value) -> Said {
        Said { object: Some(object), ..Said::default() }
    }

    #[test]
    fn replicas_come_from_the_status() {
        let workload = json!({
            "spec": {
                "containers": [{"name": "guest", "cpu": 2, "memory": "2Gi", "ports": [{"number": 80}]}],
                "vm": {"bootDisk": {"source": {"oci": {"image": "a/b:1"}}, "persist": {"volumeSet": "cpln://volumeset/r"}}},
            },
            "status": {"replicaStatuses": [
                {"index": 0, "name": "hello-0", "ready": true, "state": "Running", "node": "worker-1", "address": "10.0.0.3",
                    "restarts": 2, "bootDisk": {"phase": "Succeeded", "percent": 100}},
                {"index": 1, "name": "hello-1", "bootDisk": {"phase": "Importing", "percent": 62.4}},
                {"index": 2, "name": "hello-2", "bootDisk": {"phase": "Failed", "message": "404"}},
            ]},
        });
        let sections = of_workload(&said(workload), Now::at(0));
        assert_eq!(
            shown(&sections),
            [
                "hello-0 | Running, worker-1, 10.0.0.3, 2 restarts",
                "hello-1 | boot disk Importing 62%",
                "hello-2 | boot disk Failed: 404",
                "cpu | 2",
                "memory | 2Gi",
                "boots from | a/b:1",
                "on | cpln://volumeset/r",
                "ports | 80/http",
            ]
        );
        let health: Vec<_> = sections[0].lines.iter().map(|line| line.health).collect();
        assert_eq!(health, [Some(Health::Well), Some(Health::Busy), Some(Health::Failed)]);
    }

    #[test]
    fn volumes_and_snapshots_come_from_the_status() {
        let set = json!({"status": {"volumes": [
            {"index": 0, "lifecycle": "bound", "claim": "root-0", "currentSize": 20, "node": "worker-1",
                "volumeSnapshots": [{"name": "nightly", "size": 20, "ready": false}]},
            {"index": 1, "lifecycle": "deleted"},
        ]}});
        assert_eq!(
            shown(&of_volume_set(&said(set), Now::at(0))),
            [
                "replica 0 | bound, claim root-0, 20 GiB, worker-1",
                "replica 1 | deleted",
                "nightly | of replica 0, 20 GiB, not ready",
            ]
        );
    }

    #[test]
    fn nothing_is_said_of_what_has_not_come() {
        for of in [of_workload, of_volume_set, of_image, of_version] {
            assert_eq!(of(&Said::default(), Now::at(0)), []);
            assert_eq!(
                shown(&of(&said(json!({"spec": 1, "status": ["a"]})), Now::at(0))),
                Vec::<String>::new()
            );
        }
    }
}
