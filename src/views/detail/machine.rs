//! A machine in words: what it is made of, and what its guest says.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Line, Said, Section, age, list, string};
use crate::model::{Now, format_bytes, parse_bytes};
use crate::store::Health;
use crate::text;

/// The sections of a VirtualMachine; the object beside it is its instance.
pub(super) fn of_vm(said: &Said, now: Now) -> Vec<Section> {
    let Some(vm) = &said.object else { return Vec::new() };
    let Some(spec) = vm.pointer("/spec/template/spec") else { return Vec::new() };
    let mut lines = life(vm);
    lines.extend(hardware(spec));
    let mut all = vec![Section::new("MACHINE", lines)];
    all.extend(common(spec, said.beside.as_ref(), said, now));
    all
}

/// The sections of a VirtualMachineInstance.
pub(super) fn of_vmi(said: &Said, now: Now) -> Vec<Section> {
    let Some(vmi) = &said.object else { return Vec::new() };
    let Some(spec) = vmi.get("spec") else { return Vec::new() };
    let mut all = vec![Section::new("MACHINE", hardware(spec))];
    all.extend(common(spec, Some(vmi), said, now));
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
    let strategy = string(vm, "/spec/runStrategy").map(|strategy| {
        let meaning = match &*strategy {
            "Always" => "started again whenever it stops",
            "RerunOnFailure" => "started again when it fails, not when its guest powers off",
            "Manual" => "started and stopped by hand only",
            "Halted" => "off until somebody starts it",
            "Once" => "run once, never again",
            "WaitAsReceiver" => "waits to receive a migration from another cluster",
            _ => "",
        };
        let more = if meaning.is_empty() { String::new() } else { format!(": {meaning}") };
        Line::new("run strategy", format!("{strategy}{more}"))
    });
    let from = |label: &str, path: &str| {
        let name = string(vm, &format!("/spec/{path}/name"))?;
        let kind = string(vm, &format!("/spec/{path}/kind"));
        let kind = kind.map_or_else(String::new, |kind| format!(" ({kind})"));
        Some(Line::new(label, format!("{name}{kind}")))
    };
    let all = [strategy, from("instance type", "instancetype"), from("preference", "preference")];
    all.into_iter().flatten().collect()
}

fn hardware(spec: &Value) -> Vec<Line> {
    let number = |path: &str| spec.pointer(path).and_then(Value::as_u64);
    let mut lines = Vec::new();
    let mut line = |label: &str, text: Option<String>| {
        lines.extend(text.filter(|text| !text.is_empty()).map(|text| Line::new(label, text)));
    };
    let cpu = |part: &str| number(&format!("/domain/cpu/{part}"));
    if cpu("cores").or(cpu("sockets")).or(cpu("threads")).is_some() {
        let [sockets, cores, threads] = ["sockets", "cores", "threads"].map(|part| cpu(part).unwrap_or(1));
        let all = sockets.saturating_mul(cores).saturating_mul(threads);
        let model = string(spec, "/domain/cpu/model").map_or_else(String::new, |model| format!(", {model}"));
        let many = |number: u64, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
        let parts = [many(sockets, "socket"), many(cores, "core"), many(threads, "thread")].join(" × ");
        line("cpu", Some(format!("{all} ({parts}){model}")));
    }
    let memory = string(spec, "/domain/memory/guest").or(string(spec, "/domain/resources/requests/memory"));
    let pages = string(spec, "/domain/memory/hugepages/pageSize").map(|size| format!(" in pages of {size}"));
    line("memory", memory.map(|memory| format!("{memory}{}", pages.unwrap_or_default())));
    let machine = [string(spec, "/architecture"), string(spec, "/domain/machine/type")];
    line("machine", Some(machine.into_iter().flatten().collect::<Vec<_>>().join(", ")));
    let efi = spec.pointer("/domain/firmware/bootloader/efi");
    let firmware = match efi {
        Some(efi) if efi.get("secureBoot").and_then(Value::as_bool) != Some(false) => "UEFI with secure boot",
        Some(_) => "UEFI",
        None if spec.pointer("/domain/firmware/kernelBoot").is_some() => "a kernel from a container",
        None => "BIOS",
    };
    let tpm = if spec.pointer("/domain/devices/tpm").is_some() { ", TPM" } else { "" };
    line("boots", Some(format!("{firmware}{tpm}")));
    let names = |path: &str, key: &str| {
        let devices = list(spec, path).iter().filter_map(|one| string(one, key));
        devices.map(std::borrow::Cow::into_owned).collect::<Vec<_>>().join(", ")
    };
    line("GPUs", Some(names("/domain/devices/gpus", "/deviceName")));
    line("host devices", Some(names("/domain/devices/hostDevices", "/deviceName")));
    line("eviction", string(spec, "/evictionStrategy").map(std::borrow::Cow::into_owned));
    line("priority", string(spec, "/priorityClassName").map(std::borrow::Cow::into_owned));
    let selector = spec.get("nodeSelector").and_then(Value::as_object).map(|labels| {
        let pairs = labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
        text::one_line(&pairs.collect::<Vec<_>>().join(", "), 200)
    });
    line("only on nodes", selector);
    lines
}

/// Where the content of a volume comes from.
fn source(volume: &Value) -> String {
    let named = |path: &str, what: &str| string(volume, path).map(|name| format!("{what} {name}"));
    let sources = [
        named("/dataVolume/name", "DataVolume"),
        named("/persistentVolumeClaim/claimName", "claim"),
        named("/ephemeral/persistentVolumeClaim/claimName", "a copy of claim"),
        named("/containerDisk/image", "image"),
        named("/configMap/name", "ConfigMap"),
        named("/secret/secretName", "Secret"),
        named("/serviceAccount/serviceAccountName", "ServiceAccount"),
        named("/cloudInitNoCloud/secretRef/name", "cloud-init from Secret"),
        named("/cloudInitConfigDrive/secretRef/name", "cloud-init from Secret"),
        named("/hostDisk/path", "file of the node"),
        named("/emptyDisk/capacity", "empty,"),
    ];
    let kinds = [
        ("cloudInitNoCloud", "cloud-init"),
        ("cloudInitConfigDrive", "cloud-init (config drive)"),
        ("sysprep", "sysprep"),
        ("downwardMetrics", "metrics of the node"),
        ("downwardAPI", "fields of the machine"),
        ("memoryDump", "memory dump"),
    ];
    let kind = || kinds.iter().find(|(key, _)| volume.get(key).is_some()).map(|(_, what)| (*what).to_owned());
    sources.into_iter().flatten().next().or_else(kind).unwrap_or_default()
}

fn disks(spec: &Value, vmi: Option<&Value>) -> Vec<Line> {
    let statuses = vmi.map_or(&[][..], |vmi| list(vmi, "/status/volumeStatus"));
    let named = |all: &'_ [Value], name: &str| {
        all.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(name)).cloned()
    };
    let line = |volume: &Value| {
        let name = volume.get("name")?.as_str()?;
        let mut text = source(volume);
        if let Some(disk) = named(list(spec, "/domain/devices/disks"), name) {
            for (kind, called) in [("disk", ""), ("cdrom", "CD-ROM "), ("lun", "LUN ")] {
                if disk.get(kind).is_some() {
                    let bus = string(&disk, &format!("/{kind}/bus")).unwrap_or("default bus".into());
                    let _ = write!(text, ", {called}{bus}");
                }
            }
            if let Some(order) = disk.get("bootOrder").and_then(Value::as_u64) {
                let _ = write!(
                    text,
                    ", boots {}",
                    if order == 1 { "first".to_owned() } else { format!("as no. {order}") }
                );
            }
        }
        let mut health = None;
        if let Some(status) = named(statuses, name) {
            for (label, path) in [
                ("asked", "/persistentVolumeClaimInfo/requests/storage"),
                ("allocated", "/persistentVolumeClaimInfo/capacity/storage"),
            ] {
                if let Some(bytes) = string(&status, path).and_then(|size| parse_bytes(&size)) {
                    let _ = write!(text, ", {label} ");
                    format_bytes(bytes, &mut text);
                }
            }
            if let Some(target) = string(&status, "/target") {
                let _ = write!(text, ", {target} in the guest");
            }
            if let Some(reason) = string(&status, "/reason")
                .filter(|_| string(&status, "/phase").is_some_and(|phase| phase != "Ready"))
            {
                let _ = write!(text, ", {reason}");
                health = Some(Health::Busy);
            }
        }
        Some(Line { health, ..Line::new(text::one_line(name, 40), text) })
    };
    list(spec, "/volumes").iter().filter_map(line).collect()
}

fn networks(spec: &Value, vmi: Option<&Value>) -> Vec<Line> {
    let statuses = vmi.map_or(&[][..], |vmi| list(vmi, "/status/interfaces"));
    let bindings = ["masquerade", "bridge", "sriov", "passt", "macvtap", "slirp"];
    let by_name = |all: &'_ [Value], name: &str| {
        all.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(name)).cloned()
    };
    let line = |interface: &Value| {
        let name = interface.get("name")?.as_str()?;
        let network = by_name(list(spec, "/networks"), name).unwrap_or_default();
        let mut text = match string(&network, "/multus/networkName") {
            Some(multus) => format!("network {multus}"),
            None => "pod network".to_owned(),
        };
        let binding = bindings.iter().find(|key| interface.get(**key).is_some());
        let plugin = string(interface, "/binding/name");
        if let Some(binding) = binding.map(|key| (*key).into()).or(plugin) {
            let _ = write!(text, ", {binding}");
        }
        if let Some(model) = string(interface, "/model") {
            let _ = write!(text, ", {model}");
        }
        let status = by_name(statuses, name).unwrap_or_default();
        if let Some(mac) = string(&status, "/mac").or(string(interface, "/macAddress")) {
            let _ = write!(text, ", {mac}");
        }
        let addresses: Vec<_> =
            list(&status, "/ipAddresses").iter().filter_map(|ip| string(ip, "")).collect();
        if !addresses.is_empty() {
            let source = string(&status, "/infoSource").unwrap_or_default();
            let from = if source.contains("guest-agent") { "the guest's agent" } else { "the pod" };
            let _ = write!(text, ", {} (says {from})", addresses.join(" "));
        }
        Some(Line::new(text::one_line(name, 40), text))
    };
    list(spec, "/domain/devices/interfaces").iter().filter_map(line).collect()
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
    let Some(state) = vmi.pointer("/status/migrationState") else { return Vec::new() };
    let mut lines = Vec::new();
    if let (Some(from), Some(to)) = (string(state, "/sourceNode"), string(state, "/targetNode")) {
        lines.push(Line::new("way", format!("{from} → {to}")));
    }
    let is = |key: &str| state.get(key).and_then(Value::as_bool) == Some(true);
    let ended = age(state, "/endTimestamp", now).map(|age| format!(", {age} ago")).unwrap_or_default();
    let (text, health) = match (is("failed"), is("completed")) {
        (true, _) => (format!("failed{ended}"), Health::Failed),
        (false, true) => (format!("done{ended}"), Health::Well),
        (false, false) => ("going on".to_owned(), Health::Busy),
    };
    lines.push(Line::new("result", text).with(health));
    lines.extend(string(state, "/failureReason").map(|why| Line::new("why", why).with(Health::Failed)));
    lines.extend(string(state, "/mode").map(|mode| Line::new("mode", mode)));
    lines
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
            "cpu: 4 (2 sockets × 2 cores × 1 thread)",
            "memory: 4Gi",
            "boots: UEFI, TPM",
            "root: DataVolume web-root, virtio, boots first, asked 10Gi, allocated 12Gi, vda in the guest",
            "init: cloud-init, CD-ROM sata",
            "default: pod network, masquerade, virtio, 02:00:00:00:00:01, 10.0.0.7 (says the guest's agent)",
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
