//! A machine in words: what it is made of, and what its guest says.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Line, Said, Section, list, string};
use crate::model::{Now, format_bytes};
use crate::store::Health;
use crate::text;
use crate::views::machine::{self, Disk, Hardware, Interface};

/// The sections of a VirtualMachine; the object beside it is its instance.
pub(super) fn of_vm(said: &Said, now: Now) -> Vec<Section> {
    let Some(vm) = &said.object else { return Vec::new() };
    let Some(spec) = vm.pointer("/spec/template/spec") else { return Vec::new() };
    let mut lines = life(vm);
    lines.extend(hardware(spec));
    let mut all = common(spec, said.beside.as_ref(), said, now);
    all.push(Section::new("MACHINE", lines));
    all
}

/// The sections of a VirtualMachineInstance.
pub(super) fn of_vmi(said: &Said, now: Now) -> Vec<Section> {
    let Some(vmi) = &said.object else { return Vec::new() };
    let Some(spec) = vmi.get("spec") else { return Vec::new() };
    let mut all = common(spec, Some(vmi), said, now);
    all.push(Section::new("MACHINE", hardware(spec)));
    all
}

fn common(spec: &Value, vmi: Option<&Value>, said: &Said, now: Now) -> Vec<Section> {
    vec![
        Section::new("DISKS", disks(spec, vmi)),
        Section::new("NETWORKS", networks(spec, vmi)),
        Section::new("GUEST", guest(said, now)),
        Section::new("LAST MIGRATION", vmi.map(|vmi| migration(vmi, now)).unwrap_or_default()),
    ]
}

/// What makes it start and stop, and what it takes its size from.
fn life(vm: &Value) -> Vec<Line> {
    let all = [
        ("run strategy", machine::strategy(vm)),
        ("instance type", machine::taken_from(vm, "instancetype")),
        ("preference", machine::taken_from(vm, "preference")),
    ];
    lines(all)
}

/// A line for each value that says something.
fn lines<const N: usize>(all: [(&str, String); N]) -> Vec<Line> {
    let told = all.into_iter().filter(|(_, text)| !text.is_empty());
    told.map(|(label, text)| Line::new(label, text)).collect()
}

/// Texts that say something, one after the other.
fn joined<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
}

fn hardware(spec: &Value) -> Vec<Line> {
    let hardware = Hardware::of(spec);
    let pages = match hardware.huge_pages.as_str() {
        "" => String::new(),
        size => format!(" in pages of {size}"),
    };
    let selector = spec.get("nodeSelector").and_then(Value::as_object).map(|labels| {
        let pairs = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
        text::one_line(&pairs.collect::<Vec<_>>().join(", "), 200)
    });
    let text = |path: &str| string(spec, path).map_or_else(String::new, std::borrow::Cow::into_owned);
    lines([
        ("cpu", joined([&hardware.cpu, &hardware.cpu_model])),
        ("memory", if hardware.memory.is_empty() { String::new() } else { hardware.memory + &pages }),
        ("machine", joined([&hardware.architecture, &hardware.machine_type])),
        ("boots", joined([hardware.firmware, if hardware.tpm { "TPM" } else { "" }])),
        ("GPUs", hardware.gpus.join(", ")),
        ("host devices", hardware.host_devices.join(", ")),
        ("eviction", text("/evictionStrategy")),
        ("priority", text("/priorityClassName")),
        ("only on nodes", selector.unwrap_or_default()),
    ])
}

fn disks(spec: &Value, vmi: Option<&Value>) -> Vec<Line> {
    let line = |disk: Disk| {
        let boots = match disk.boot_order {
            None => String::new(),
            Some(1) => "boots first".to_owned(),
            Some(order) => format!("boots as no. {order}"),
        };
        let size = |label: &str, bytes: Option<u64>| {
            let Some(bytes) = bytes else { return String::new() };
            let mut text = format!("{label} ");
            format_bytes(bytes, &mut text);
            text
        };
        let target =
            if disk.target.is_empty() { String::new() } else { format!("{} in the guest", disk.target) };
        // Words about a volume that is ready tell of the way there.
        let reason = if disk.phase == "Ready" { "" } else { disk.reason.as_str() };
        let text = joined([
            &disk.holds,
            &disk.attached,
            &boots,
            &size("asked", disk.asked),
            &size("allocated", disk.allocated),
            &target,
            reason,
        ]);
        let health = (!reason.is_empty()).then_some(Health::Busy);
        Line { health, about: disk.volume, ..Line::new(disk.name, text) }
    };
    machine::disks(spec, vmi.and_then(|vmi| vmi.get("status"))).into_iter().map(line).collect()
}

fn networks(spec: &Value, vmi: Option<&Value>) -> Vec<Line> {
    let line = |interface: Interface| {
        let addresses = match interface.said_by {
            "" => String::new(),
            who => format!("{} (says {who})", interface.addresses.join(" ")),
        };
        let parts = [&interface.network, &interface.binding, &interface.model, &interface.mac, &addresses];
        Line::new(interface.name, joined(parts.map(String::as_str)))
    };
    machine::interfaces(spec, vmi.and_then(|vmi| vmi.get("status"))).into_iter().map(line).collect()
}

fn guest(said: &Said, now: Now) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some((guest, asked)) = &said.guest {
        let mut line = |label: &str, text: Option<String>| {
            lines.extend(text.filter(|text| !text.is_empty()).map(|text| Line::new(label, text)));
        };
        let text = |path: &str| string(guest, path).map(std::borrow::Cow::into_owned);
        line("host name", text("/hostname"));
        line("system", text("/os/prettyName").or_else(|| text("/os/name")));
        line("kernel", text("/os/kernelRelease"));
        line("time zone", text("/timezone"));
        line("agent", text("/guestAgentVersion"));
        let users = list(guest, "/userList").iter().filter_map(|user| string(user, "/userName"));
        line("logged in", Some(users.map(std::borrow::Cow::into_owned).collect::<Vec<_>>().join(", ")));
        line("said", Some(format!("{} ago", now.since(*asked))));
    }
    let filesystems = said.filesystems.as_ref().map_or(&[][..], |answer| list(answer, "/items"));
    for filesystem in filesystems {
        let bytes = |key: &str| filesystem.get(key).and_then(Value::as_u64);
        let (Some(mount), Some(used), Some(total)) =
            (string(filesystem, "/mountPoint"), bytes("usedBytes"), bytes("totalBytes"))
        else {
            continue;
        };
        let mut text = String::new();
        format_bytes(used, &mut text);
        text.push_str(" of ");
        format_bytes(total, &mut text);
        let percent = used.saturating_mul(100).checked_div(total).unwrap_or(0);
        let _ = write!(text, " used, {percent}%");
        if let Some(kind) = string(filesystem, "/fileSystemType") {
            let _ = write!(text, ", {kind}");
        }
        let health = (percent >= 90).then_some(Health::Warning);
        lines.push(Line { health, ..Line::new(mount, text) });
    }
    lines
}

fn migration(vmi: &Value, now: Now) -> Vec<Line> {
    let Some(last) = vmi.get("status").and_then(machine::last_migration) else { return Vec::new() };
    let ended = last.ended.map_or_else(String::new, |at| format!(", {} ago", now.since(at)));
    let mut told = lines([("way", last.way)]);
    told.push(Line::new("result", format!("{}{ended}", last.result)).with(last.health));
    told.extend(lines([("why", last.why)]).into_iter().map(|line| line.with(Health::Failed)));
    told.extend(lines([("mode", last.mode)]));
    told
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(sections: &[Section]) -> String {
        let mut out = String::new();
        for section in sections.iter().filter(|section| !section.lines.is_empty()) {
            let _ = writeln!(out, "{}", section.title);
            for line in &section.lines {
                let _ = writeln!(out, "  {}: {}", line.label, line.text);
            }
        }
        out
    }

    #[test]
    fn a_machine_is_told_in_words() {
        let spec = json!({
            "domain": {
                "cpu": {"sockets": 2, "cores": 2},
                "memory": {"guest": "4Gi"},
                "firmware": {"bootloader": {"efi": {"secureBoot": false}}},
                "devices": {
                    "disks": [
                        {"name": "root", "disk": {"bus": "virtio"}, "bootOrder": 1},
                        {"name": "init", "cdrom": {"bus": "sata"}},
                    ],
                    "interfaces": [{"name": "default", "masquerade": {}, "model": "virtio"}],
                    "tpm": {},
                },
            },
            "networks": [{"name": "default", "pod": {}}],
            "volumes": [
                {"name": "root", "dataVolume": {"name": "web-root"}},
                {"name": "init", "cloudInitNoCloud": {"userData": "#cloud-config\npassword: secret"}},
            ],
        });
        let vm = json!({"spec": {"runStrategy": "Always", "instancetype": {"name": "u1.small"}, "template": {"spec": spec}}});
        let vmi = json!({"status": {
            "volumeStatus": [{"name": "root", "target": "vda", "persistentVolumeClaimInfo": {"requests": {"storage": "10Gi"}, "capacity": {"storage": "12Gi"}}}],
            "interfaces": [{"name": "default", "mac": "02:00:00:00:00:01", "ipAddresses": ["10.0.0.7"], "infoSource": "domain, guest-agent"}],
        }});
        let guest = json!({"hostname": "web", "os": {"prettyName": "Fedora 42"}});
        let filesystems = json!({"items": [{"mountPoint": "/", "usedBytes": 9_900_000_000_u64, "totalBytes": 10_000_000_000_u64}]});
        let said = Said {
            object: Some(vm),
            beside: Some(vmi),
            guest: Some((guest, crate::model::Time::from_seconds(100).unwrap())),
            filesystems: Some(filesystems),
        };
        let text = shown(&of_vm(&said, Now::at(130)));
        for want in [
            "run strategy: Always: started again whenever it stops",
            "instance type: u1.small",
            "cpu: 4 (2 sockets × 2 cores)",
            "memory: 4Gi",
            "boots: UEFI, TPM",
            "root: DataVolume web-root, disk virtio, boots first, asked 10Gi, allocated 12Gi, vda in the guest",
            "init: cloud-init, 30 bytes of user data, CD-ROM sata",
            "default: the pod's network, masquerade, virtio, 02:00:00:00:00:01, 10.0.0.7 (says the guest's agent)",
            "host name: web",
            "said: 30s ago",
            "/: 9.2Gi of 9.3Gi used, 99%",
        ] {
            assert!(text.contains(want), "{want} is missing in\n{text}");
        }
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn strange_objects_are_no_trouble() {
        for object in [
            json!(null),
            json!({"spec": 7}),
            json!({"spec": {"template": {"spec": {"volumes": [1, {"name": 2}], "domain": {"devices": {"disks": {}}}}}}}),
        ] {
            let said = Said { object: Some(object.clone()), beside: Some(object), ..Said::default() };
            drop((of_vm(&said, Now::at(0)), of_vmi(&said, Now::at(0))));
        }
    }
}
