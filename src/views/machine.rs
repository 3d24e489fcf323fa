//! What a machine is made of and how it is, read out of its object and put into words. The detail of a machine says it in lines,
//! its description in tables.
//!
//! All texts are safe to show.

use serde_json::Value;

use crate::model::{Time, format_bytes, parse_bytes};
use crate::records::Kind;
use crate::store::Health;
use crate::text;

/// What a guest finds in its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardware {
    /// Processors as they add up, and what they are made of.
    pub cpu: String,
    /// The model of the processors if one is asked for.
    pub cpu_model: String,
    /// The memory that the guest sees.
    pub memory: String,
    /// The size of the pages that back the memory, if they are huge.
    pub huge_pages: String,
    /// `amd64`, `arm64` or `s390x`.
    pub architecture: String,
    /// The chipset.
    pub machine_type: String,
    /// What boots it.
    pub firmware: &'static str,
    /// Whether it has a TPM.
    pub tpm: bool,
    /// Resource names of GPUs.
    pub gpus: Vec<String>,
    /// Resource names of other devices that are passed through.
    pub host_devices: Vec<String>,
}

/// A disk or a shared folder, its volume, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// The name of disk and volume.
    pub name: String,
    /// How the guest sees it.
    pub attached: String,
    /// Its place in the order of booting, from 1.
    pub boot_order: Option<u64>,
    /// What its volume holds.
    pub holds: String,
    /// The DataVolume or claim that holds it, if one does.
    pub volume: Option<(Kind, String)>,
    /// What its claim asked for, in bytes.
    pub asked: Option<u64>,
    /// What its claim got, in bytes.
    pub allocated: Option<u64>,
    /// The device in the guest.
    pub target: String,
    /// How far its volume is, of a running machine.
    pub phase: String,
    /// Why it is not further.
    pub reason: String,
}

/// A network card, its network, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The name of card and network.
    pub name: String,
    /// How it is connected: `masquerade`, `bridge`, the name of a plugin …
    pub binding: String,
    /// The model of the card.
    pub model: String,
    /// What it is connected to.
    pub network: String,
    /// Its address on the wire: that of the running machine, or the one asked for.
    pub mac: String,
    /// Its addresses now.
    pub addresses: Vec<String>,
    /// Who knows the addresses.
    pub said_by: &'static str,
}

/// The last migration of a running machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// From node to node.
    pub way: String,
    /// What came of it.
    pub result: &'static str,
    /// How good that is.
    pub health: Health,
    /// Why it failed.
    pub why: String,
    /// `PreCopy`, `PostCopy` or `Paused`.
    pub mode: String,
    /// When it began.
    pub began: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
}

/// The text at a path, safe to show; empty where there is none.
fn said(value: &Value, path: &str) -> String {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .map_or_else(String::new, |said| text::clean(said).into_owned())
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn named<'a>(all: &'a [Value], name: &str) -> Option<&'a Value> {
    all.iter().find(|one| one["name"].as_str() == Some(name))
}

/// A quantity of bytes as people read it; what is none stays as it was said.
pub fn amount(quantity: &Value) -> String {
    let said = match quantity {
        Value::Null => return String::new(),
        Value::String(said) => text::clean(said).into_owned(),
        other => other.to_string(),
    };
    let Some(bytes) = parse_bytes(&said) else { return said };
    let mut out = String::new();
    format_bytes(bytes, &mut out);
    out
}

/// What a run strategy means, where that is known.
pub fn run_strategy(name: &str) -> &'static str {
    match name {
        "Always" => "started again whenever it stops",
        "RerunOnFailure" => "started again when it fails, not when its guest powers off",
        "Manual" => "started and stopped by hand only",
        "Halted" => "off until somebody starts it",
        "Once" => "run once, never again",
        "WaitAsReceiver" => "waits to receive a migration from another cluster",
        _ => "",
    }
}

/// The run strategy of a VirtualMachine, also where the older `running` stands for it.
pub fn strategy(vm: &Value) -> String {
    let strategy = match vm.pointer("/spec/running") {
        Some(Value::Bool(true)) => "Always".to_owned(),
        Some(Value::Bool(false)) => "Halted".to_owned(),
        _ => said(vm, "/spec/runStrategy"),
    };
    match run_strategy(&strategy) {
        "" => strategy,
        meaning => format!("{strategy}: {meaning}"),
    }
}

/// What a VirtualMachine takes a part of its values from: `instancetype` or `preference`.
pub fn taken_from(vm: &Value, field: &str) -> String {
    let (kind, name) = (said(vm, &format!("/spec/{field}/kind")), said(vm, &format!("/spec/{field}/name")));
    if kind.is_empty() { name } else { format!("{name} ({kind})") }
}

impl Hardware {
    /// Reads the spec of a VirtualMachineInstance, or of the template for one.
    pub fn of(spec: &Value) -> Self {
        let domain = &spec["domain"];
        let memory = [&domain["memory"]["guest"], &domain["resources"]["requests"]["memory"]];
        let devices = |field: &str| {
            let all = list(&domain["devices"], field).iter();
            all.map(|one| said(one, "/deviceName")).filter(|name| !name.is_empty()).collect()
        };
        Self {
            cpu: processors(&domain["cpu"]),
            cpu_model: said(domain, "/cpu/model"),
            memory: memory.into_iter().find(|value| !value.is_null()).map_or_else(String::new, amount),
            huge_pages: said(domain, "/memory/hugepages/pageSize"),
            architecture: said(spec, "/architecture"),
            machine_type: said(domain, "/machine/type"),
            firmware: firmware(spec),
            tpm: domain["devices"]["tpm"].is_object(),
            gpus: devices("/gpus"),
            host_devices: devices("/hostDevices"),
        }
    }
}

fn processors(cpu: &Value) -> String {
    let parts = ["socket", "core", "thread"].map(|part| (part, cpu[format!("{part}s")].as_u64()));
    if parts.iter().all(|(_, count)| count.is_none()) {
        return String::new();
    }
    let counts = || parts.iter().map(|(part, count)| (part, count.unwrap_or(1)));
    let all = counts().fold(1_u64, |all, (_, count)| all.saturating_mul(count));
    let made: Vec<String> =
        counts().filter(|(_, count)| *count > 1).map(|(part, count)| format!("{count} {part}s")).collect();
    if made.len() > 1 { format!("{all} ({})", made.join(" × ")) } else { all.to_string() }
}

/// Where nothing is said, KubeVirt takes what the architecture boots with; secure boot is on unless it is turned off.
fn firmware(spec: &Value) -> &'static str {
    let firmware = &spec["domain"]["firmware"];
    let loader = &firmware["bootloader"];
    match (&loader["efi"], spec["architecture"].as_str()) {
        (Value::Object(efi), _) if efi.get("secureBoot") != Some(&Value::Bool(false)) => {
            "UEFI with secure boot"
        }
        (Value::Object(_), _) => "UEFI",
        _ if firmware["kernelBoot"].is_object() => "a kernel from a container",
        _ if loader["bios"].is_object() => "BIOS",
        (_, Some("arm64")) => "UEFI",
        (_, Some("s390x")) => "",
        _ => "BIOS",
    }
}

/// Where the content of a volume comes from.
fn source(volume: &Value) -> String {
    let Some((kind, of)) =
        volume.as_object().and_then(|fields| fields.iter().find(|(key, _)| *key != "name"))
    else {
        return "nothing".to_owned();
    };
    let name = |path: &str| said(of, path);
    let source = match kind.as_str() {
        "dataVolume" => format!("DataVolume {}", name("/name")),
        "persistentVolumeClaim" => format!("claim {}", name("/claimName")),
        "ephemeral" => format!("claim {}, changes are lost", name("/persistentVolumeClaim/claimName")),
        "containerDisk" => format!("image {}", name("/image")),
        "emptyDisk" => format!("empty, {}", amount(&of["capacity"])),
        "hostDisk" => format!("file {} of the node", name("/path")),
        "cloudInitNoCloud" => format!("cloud-init{}", user_data(of)),
        "cloudInitConfigDrive" => format!("cloud-init on a config drive{}", user_data(of)),
        "configMap" => format!("ConfigMap {}", name("/name")),
        "secret" => format!("Secret {}", name("/secretName")),
        "serviceAccount" => format!("ServiceAccount {}", name("/serviceAccountName")),
        "sysprep" => format!("sysprep {}{}", name("/secret/name"), name("/configMap/name")),
        "memoryDump" => format!("memory dump in claim {}", name("/claimName")),
        "downwardAPI" => "fields of the machine".to_owned(),
        "downwardMetrics" => "metrics of the node".to_owned(),
        other => text::one_line(other, 40),
    };
    let hot = if of["hotpluggable"] == true { ", hot-plugged" } else { "" };
    format!("{}{hot}", source.trim_end())
}

/// The DataVolume or claim behind a volume.
fn held_by(volume: &Value) -> Option<(Kind, String)> {
    let ways = [
        (Kind::DataVolume, "/dataVolume/name"),
        (Kind::Claim, "/persistentVolumeClaim/claimName"),
        (Kind::Claim, "/ephemeral/persistentVolumeClaim/claimName"),
    ];
    ways.into_iter().find_map(|(kind, path)| Some((kind, volume.pointer(path)?.as_str()?.to_owned())))
}

/// How much user data there is, or where; never what it says, which may be a password.
fn user_data(source: &Value) -> String {
    match (said(source, "/secretRef/name"), source["userData"].as_str().or(source["userDataBase64"].as_str()))
    {
        (secret, _) if !secret.is_empty() => format!(" from the Secret {secret}"),
        (_, Some(data)) => format!(", {} bytes of user data", data.len()),
        (_, None) => String::new(),
    }
}

/// The disks of a machine and what its instance says of them. A disk without a volume is among them: a server takes it, and
/// the machine does not start.
pub fn disks(spec: &Value, status: Option<&Value>) -> Vec<Disk> {
    let (volumes, disks) = (list(spec, "/volumes"), list(spec, "/domain/devices/disks"));
    let shares = list(spec, "/domain/devices/filesystems");
    let statuses = status.map_or(&[][..], |status| list(status, "/volumeStatus"));
    let without_volume =
        disks.iter().filter(|disk| disk["name"].as_str().is_some_and(|name| named(volumes, name).is_none()));
    let disk = |one: &Value| {
        let name = one["name"].as_str()?;
        let disk = named(disks, name);
        let attached = match disk {
            Some(disk) => {
                let ways = [("disk", "disk"), ("cdrom", "CD-ROM"), ("lun", "LUN")];
                let (way, called) =
                    ways.into_iter().find(|(way, _)| disk[*way].is_object()).unwrap_or(ways[0]);
                format!("{called} {}", said(&disk[way], "/bus")).trim_end().to_owned()
            }
            None if named(shares, name).is_some() => "shared folder".to_owned(),
            None => "not attached".to_owned(),
        };
        let now = named(statuses, name).unwrap_or(&Value::Null);
        let size = |path: &str| parse_bytes(&said(now, path));
        Some(Disk {
            name: text::one_line(name, 63),
            attached,
            boot_order: disk.and_then(|disk| disk["bootOrder"].as_u64()),
            holds: named(volumes, name).map_or_else(|| "no such volume".to_owned(), source),
            volume: named(volumes, name).and_then(held_by),
            asked: size("/persistentVolumeClaimInfo/requests/storage"),
            allocated: size("/persistentVolumeClaimInfo/capacity/storage"),
            target: said(now, "/target"),
            phase: said(now, "/phase"),
            reason: said(now, "/reason"),
        })
    };
    volumes.iter().chain(without_volume).filter_map(disk).collect()
}

/// Fields of an interface that do not say how it is connected.
const NO_BINDING: [&str; 10] = [
    "name",
    "model",
    "macAddress",
    "ports",
    "bootOrder",
    "pciAddress",
    "state",
    "tag",
    "acpiIndex",
    "dhcpOptions",
];

/// The network cards of a machine and what its instance says of them.
pub fn interfaces(spec: &Value, status: Option<&Value>) -> Vec<Interface> {
    let networks = list(spec, "/networks");
    let statuses = status.map_or(&[][..], |status| list(status, "/interfaces"));
    let interface = |one: &Value| {
        let name = one["name"].as_str()?;
        let now = named(statuses, name).unwrap_or(&Value::Null);
        let network = named(networks, name).unwrap_or(&Value::Null);
        let binding = match said(one, "/binding/name") {
            none if none.is_empty() => {
                let fields = one.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
                text::one_line(
                    fields.into_iter().find(|key| !NO_BINDING.contains(key)).unwrap_or_default(),
                    40,
                )
            }
            plugin => plugin,
        };
        let multus = said(network, "/multus/networkName");
        let addresses: Vec<String> =
            list(now, "/ipAddresses").iter().map(|ip| said(ip, "")).filter(|ip| !ip.is_empty()).collect();
        Some(Interface {
            name: text::one_line(name, 63),
            binding,
            model: said(one, "/model"),
            network: match multus.as_str() {
                "" if network["pod"].is_object() => "the pod's network".to_owned(),
                "" => "no such network".to_owned(),
                multus => multus.to_owned(),
            },
            mac: [said(now, "/mac"), said(one, "/macAddress")]
                .into_iter()
                .find(|mac| !mac.is_empty())
                .unwrap_or_default(),
            said_by: match said(now, "/infoSource").contains("guest-agent") {
                _ if addresses.is_empty() => "",
                true => "the guest's agent",
                false => "the pod",
            },
            addresses,
        })
    };
    list(spec, "/domain/devices/interfaces").iter().filter_map(interface).collect()
}

/// The last migration that an instance's status tells of.
pub fn last_migration(status: &Value) -> Option<Migration> {
    let state =
        status.get("migrationState").filter(|state| state.as_object().is_some_and(|all| !all.is_empty()))?;
    let is = |field: &str| state[field].as_bool() == Some(true);
    let (result, health) = match (is("failed"), is("completed")) {
        (true, _) => ("failed", Health::Failed),
        (false, true) => ("done", Health::Well),
        (false, false) => ("going on", Health::Busy),
    };
    let time = |path: &str| Time::parse(&said(state, path));
    let way = [said(state, "/sourceNode"), said(state, "/targetNode")];
    Some(Migration {
        way: if way.iter().all(String::is_empty) { String::new() } else { way.join(" → ") },
        result,
        health,
        why: said(state, "/failureReason"),
        mode: said(state, "/mode"),
        began: time("/startTimestamp"),
        ended: time("/endTimestamp"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn processors_add_up() {
        for (cpu, want) in [
            (json!(null), ""),
            (json!({"model": "host-model"}), ""),
            (json!({"cores": 2}), "2"),
            (json!({"sockets": 2, "cores": 2}), "4 (2 sockets × 2 cores)"),
            (json!({"sockets": 2, "cores": 2, "threads": 2}), "8 (2 sockets × 2 cores × 2 threads)"),
            (
                json!({"sockets": u64::MAX, "cores": 2}),
                "18446744073709551615 (18446744073709551615 sockets × 2 cores)",
            ),
        ] {
            assert_eq!(processors(&cpu), want, "{cpu}");
        }
    }

    #[test]
    fn firmware_is_what_is_asked_for_or_what_the_architecture_boots_with() {
        for (spec, want) in [
            (json!({}), "BIOS"),
            (json!({"architecture": "arm64"}), "UEFI"),
            (json!({"architecture": "s390x"}), ""),
            (json!({"domain": {"firmware": {"bootloader": {"efi": {}}}}}), "UEFI with secure boot"),
            (json!({"domain": {"firmware": {"bootloader": {"efi": {"secureBoot": false}}}}}), "UEFI"),
            (json!({"domain": {"firmware": {"bootloader": {"bios": {}}}}}), "BIOS"),
            (json!({"domain": {"firmware": {"kernelBoot": {"container": {}}}}}), "a kernel from a container"),
        ] {
            assert_eq!(firmware(&spec), want, "{spec}");
        }
    }

    #[test]
    fn volumes_say_what_they_hold_and_never_what_user_data_says() {
        for (volume, want) in [
            (json!({"dataVolume": {"name": "root", "hotpluggable": true}}), "DataVolume root, hot-plugged"),
            (json!({"persistentVolumeClaim": {"claimName": "data"}}), "claim data"),
            (
                json!({"ephemeral": {"persistentVolumeClaim": {"claimName": "data"}}}),
                "claim data, changes are lost",
            ),
            (json!({"emptyDisk": {"capacity": "1024Mi"}}), "empty, 1Gi"),
            (json!({"cloudInitNoCloud": {"userData": "password: x"}}), "cloud-init, 11 bytes of user data"),
            (
                json!({"cloudInitConfigDrive": {"secretRef": {"name": "s"}}}),
                "cloud-init on a config drive from the Secret s",
            ),
            (json!({"sysprep": {"configMap": {"name": "answers"}}}), "sysprep answers"),
            (json!({"somethingNew": {"x": 1}}), "somethingNew"),
            (json!({"name": "alone"}), "nothing"),
            (json!(7), "nothing"),
        ] {
            assert_eq!(source(&volume), want, "{volume}");
        }
    }

    #[test]
    fn run_strategies_are_told_with_what_they_mean() {
        for (spec, want) in [
            (json!({"running": true}), "Always: started again whenever it stops"),
            (json!({"running": false}), "Halted: off until somebody starts it"),
            (json!({"runStrategy": "Sometimes"}), "Sometimes"),
            (json!({}), ""),
        ] {
            assert_eq!(strategy(&json!({"spec": spec})), want);
        }
    }
}
