//! What the guest's agent answers: derived from the VMI, so that it fits what its status says.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::parse_bytes;

/// Commands of the agent of QEMU 8 and later, as far as KubeVirt asks for them.
const COMMANDS: [&str; 12] = [
    "guest-exec",
    "guest-file-open",
    "guest-fsfreeze-freeze",
    "guest-fsfreeze-status",
    "guest-fsfreeze-thaw",
    "guest-get-fsinfo",
    "guest-get-host-name",
    "guest-get-osinfo",
    "guest-get-time",
    "guest-get-users",
    "guest-info",
    "guest-ping",
];

/// How large a root disk is taken to be that says nothing of it: that of common cloud images, in bytes.
const ROOT: u64 = 10 << 30;

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn os(instance: &Value) -> &Value {
    &instance["status"]["guestOSInfo"]
}

fn is_windows(instance: &Value) -> bool {
    text(os(instance), "id") == "mswindows"
}

/// `guestosinfo`
pub(super) fn os_info(instance: &Value, now: Timestamp) -> Value {
    let hostname = match text(&instance["spec"], "hostname") {
        "" => text(&instance["metadata"], "name"),
        name => name,
    };
    let commands = COMMANDS.map(|name| json!({"name": name, "enabled": true}));
    let frozen = match text(&instance["status"], "fsFreezeStatus") {
        "" => "thawed",
        status => status,
    };
    let (version, timezone) =
        if is_windows(instance) { ("107.0.1", "W. Europe Standard Time, 0") } else { ("9.2.0", "UTC, 0") };
    json!({
        "guestAgentVersion": version, "supportedCommands": commands, "hostname": hostname, "os": os(instance),
        "timezone": timezone, "userList": logins(instance, now), "fsInfo": {"disks": disks(instance)},
        "fsFreezeStatus": frozen,
    })
}

/// `userlist`
pub(super) fn users(instance: &Value, now: Timestamp) -> Value {
    json!({"metadata": {}, "items": logins(instance, now)})
}

/// `filesystemlist`
pub(super) fn filesystems(instance: &Value) -> Value {
    json!({"metadata": {}, "items": disks(instance)})
}

/// Somebody logged in when the guest had started: the user that images of the system come with.
fn logins(instance: &Value, now: Timestamp) -> Vec<Value> {
    let started = instance["status"]["phaseTransitionTimestamps"]
        .as_array()
        .and_then(|all| all.iter().rfind(|one| one["phase"] == "Running"))
        .and_then(|one| text(one, "phaseTransitionTimestamp").parse::<Timestamp>().ok())
        .unwrap_or(now);
    // The first minute is the guest's own.
    let at = started.as_second().saturating_add(60).min(now.as_second());
    let name = match text(os(instance), "id") {
        "" => return Vec::new(),
        "mswindows" => "Administrator",
        "centos" | "rhel" => "cloud-user",
        id => id,
    };
    let mut login = json!({"userName": name, "loginTime": at as f64});
    if is_windows(instance) {
        login["domain"] = text(&instance["metadata"], "name").to_uppercase().into();
    }
    vec![login]
}

/// The file system of each disk, of which the first one holds the system. Mount points are made up.
fn disks(instance: &Value) -> Vec<Value> {
    let windows = is_windows(instance);
    let volumes = instance["spec"]["volumes"].as_array().map_or(&[][..], Vec::as_slice);
    let data = volumes.iter().filter(|volume| {
        ["containerDisk", "dataVolume", "persistentVolumeClaim", "ephemeral"]
            .iter()
            .any(|kind| volume[*kind].is_object())
    });
    let place = |number: usize| match (windows, number) {
        (true, 0) => ("C:\\".to_owned(), "NTFS"),
        (true, n) => (format!("{}:\\", char::from(b'C'.saturating_add(n.min(20) as u8))), "NTFS"),
        (false, 0) if matches!(text(os(instance), "id"), "fedora" | "centos" | "rhel") => {
            ("/".to_owned(), "xfs")
        }
        (false, 0) => ("/".to_owned(), "ext4"),
        (false, n) => (format!("/mnt/data{n}"), "ext4"),
    };
    let target = |name: &str| {
        let all = instance["status"]["volumeStatus"].as_array();
        all.and_then(|all| all.iter().find(|one| one["name"] == name)).unwrap_or(&Value::Null)
    };
    data.enumerate()
        .map(|(number, volume)| {
            let status = target(text(volume, "name"));
            let size = text(&status["persistentVolumeClaimInfo"]["capacity"], "storage");
            let total = parse_bytes(size).filter(|size| *size > 0).unwrap_or(ROOT);
            let (mount, kind) = place(number);
            let device = match (text(status, "target"), windows) {
                (_, true) => format!("\\\\?\\Volume{{{number}}}\\"),
                ("", false) => format!("vd{}", char::from(b'a'.saturating_add(number.min(25) as u8))),
                (target, false) => target.to_owned(),
            };
            let device = if !windows && number == 0 { format!("{device}1") } else { device };
            let used = if number == 0 { total / 5 } else { total / 50 };
            json!({
                "diskName": device, "mountPoint": mount, "fileSystemType": kind, "usedBytes": used, "totalBytes": total,
                "disk": [{"busType": "virtio"}],
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_fit_the_status() {
        let now: Timestamp = "2026-03-04T05:06:07Z".parse().unwrap();
        let instance = json!({
            "metadata": {"name": "web"},
            "spec": {"volumes": [
                {"name": "root", "dataVolume": {"name": "web-root"}}, {"name": "init", "cloudInitNoCloud": {}},
                {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
            ]},
            "status": {
                "guestOSInfo": {"id": "fedora", "prettyName": "Fedora Linux 41"}, "fsFreezeStatus": "frozen",
                "volumeStatus": [{"name": "root", "target": "vda"},
                    {"name": "data", "target": "vdc", "persistentVolumeClaimInfo": {"capacity": {"storage": "2Gi"}}}],
                "phaseTransitionTimestamps": [{"phase": "Running", "phaseTransitionTimestamp": "2026-03-04T05:00:00Z"}],
            },
        });
        let info = os_info(&instance, now);
        assert_eq!((&info["hostname"], &info["fsFreezeStatus"]), (&json!("web"), &json!("frozen")));
        assert_eq!(info["os"]["prettyName"], "Fedora Linux 41");
        let users = users(&instance, now);
        assert_eq!(users["items"], json!([{"userName": "fedora", "loginTime": 1_772_600_460.0}]));
        let list = filesystems(&instance)["items"].clone();
        let shown: Vec<String> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {} {}", one["diskName"], one["mountPoint"], one["totalBytes"]))
            .collect();
        assert_eq!(shown, ["\"vda1\" \"/\" 10737418240", "\"vdc\" \"/mnt/data1\" 2147483648"]);
        assert_eq!(filesystems(&json!({}))["items"], json!([]));
    }
}
