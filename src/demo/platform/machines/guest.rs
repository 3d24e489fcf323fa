//! What guests are: their systems, and what their instances tell of their devices.

use serde_json::{Value, json};

use super::super::kind::Kind;
use super::super::nodes::hash;
use super::super::object::Object;
use super::super::view::View;
use super::{cause, disks};

/// A system that guests run.
#[derive(Debug, PartialEq)]
pub(super) struct System {
    /// Found in the name of an image, a data source, a preference, or the machine itself.
    words: &'static [&'static str],
    /// As the agent tells them.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) pretty: &'static str,
    pub(super) version: &'static str,
    pub(super) version_id: &'static str,
    pub(super) kernel_release: &'static str,
    pub(super) kernel_version: &'static str,
    /// Whether it has an agent.
    pub(super) agent: bool,
    /// What its first network device is called.
    pub(super) device: &'static str,
}

/// The systems; the last is what anything else is.
const SYSTEMS: &[System] = &[
    System {
        words: &["cirros"],
        id: "cirros",
        name: "CirrOS",
        pretty: "CirrOS 0.6.2",
        version: "0.6.2",
        version_id: "0.6.2",
        kernel_release: "5.15.0-117-generic",
        kernel_version: "#127-Ubuntu SMP Fri Jul 5 20:13:28 UTC 2024",
        agent: false,
        device: "eth0",
    },
    System {
        words: &["alpine"],
        id: "alpine",
        name: "Alpine Linux",
        pretty: "Alpine Linux v3.22",
        version: "3.22.1",
        version_id: "3.22.1",
        kernel_release: "6.12.40-0-virt",
        kernel_version: "#1-Alpine SMP PREEMPT_DYNAMIC 2025-07-25 07:22:40",
        agent: false,
        device: "eth0",
    },
    System {
        words: &["windows", "win-", "win2k", "win10", "win11"],
        id: "mswindows",
        name: "Microsoft Windows",
        pretty: "Windows Server 2022 Standard",
        version: "Microsoft Windows Server 2022",
        version_id: "2022",
        kernel_release: "20348",
        kernel_version: "10.0",
        agent: true,
        device: "Ethernet",
    },
    System {
        words: &["ubuntu", "jammy", "noble"],
        id: "ubuntu",
        name: "Ubuntu",
        pretty: "Ubuntu 24.04.3 LTS",
        version: "24.04.3 LTS (Noble Numbat)",
        version_id: "24.04",
        kernel_release: "6.8.0-79-generic",
        kernel_version: "#79-Ubuntu SMP PREEMPT_DYNAMIC Tue Aug 12 14:42:46 UTC 2025",
        agent: true,
        device: "enp1s0",
    },
    System {
        words: &["debian", "bookworm", "trixie"],
        id: "debian",
        name: "Debian GNU/Linux",
        pretty: "Debian GNU/Linux 13 (trixie)",
        version: "13 (trixie)",
        version_id: "13",
        kernel_release: "6.12.41+deb13-cloud-amd64",
        kernel_version: "#1 SMP PREEMPT_DYNAMIC Debian 6.12.41-1 (2025-08-12)",
        agent: true,
        device: "enp1s0",
    },
    System {
        words: &["centos", "rhel", "almalinux", "rocky"],
        id: "centos",
        name: "CentOS Stream",
        pretty: "CentOS Stream 10 (Coughlan)",
        version: "10 (Coughlan)",
        version_id: "10",
        kernel_release: "6.12.0-124.el10.x86_64",
        kernel_version: "#1 SMP PREEMPT_DYNAMIC Tue Aug 26 10:50:33 UTC 2025",
        agent: true,
        device: "enp1s0",
    },
    System {
        words: &[],
        id: "fedora",
        name: "Fedora Linux",
        pretty: "Fedora Linux 41 (Cloud Edition)",
        version: "41 (Cloud Edition)",
        version_id: "41",
        kernel_release: "6.11.4-301.fc41.x86_64",
        kernel_version: "#1 SMP PREEMPT_DYNAMIC Sun Oct 20 15:02:33 UTC 2024",
        agent: true,
        device: "enp1s0",
    },
];

/// The system of an instance's guest, by what its machine was made from.
pub(super) fn system(view: &View<'_>, vmi: &Object) -> &'static System {
    let mut texts: Vec<String> = Vec::new();
    let vm = view.get(Kind::VirtualMachine, vmi.namespace(), vmi.name());
    for volume in vmi.list("/spec/volumes") {
        texts.extend(volume["containerDisk"]["image"].as_str().map(str::to_owned));
        if let Some(name) = disks::claim_of(volume) {
            texts.push(name.to_owned());
            let disk = view.get(Kind::DataVolume, vmi.namespace(), name);
            let disk = disk.map(|disk| disk.at("/spec"));
            texts.extend(disk.map(|spec| format!("{}{}", spec["source"], spec["sourceRef"])));
        }
    }
    if let Some(vm) = vm {
        texts.push(vm.text("/spec/preference/name").to_owned());
        texts.push(vm.at("/spec/dataVolumeTemplates").to_string());
    }
    texts.push(format!("{}-", vmi.name()));
    let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
    let known = SYSTEMS.iter().find(|one| {
        let mut words = one.words.iter();
        words.any(|word| texts.iter().any(|text| text.contains(word)))
    });
    known.or(SYSTEMS.last()).unwrap_or(&SYSTEMS[0])
}

/// Whether a guest's agent will report.
pub(super) fn has_agent(view: &View<'_>, vmi: &Object) -> bool {
    system(view, vmi).agent && cause(view, vmi) != "no-agent"
}

/// What the agent tells of the system.
pub(super) fn system_info(system: &System) -> Value {
    json!({
        "id": system.id, "name": system.name, "prettyName": system.pretty, "version": system.version,
        "versionId": system.version_id, "kernelRelease": system.kernel_release,
        "kernelVersion": system.kernel_version, "machine": "x86_64",
    })
}

/// The networks of an instance, in the order of its interfaces.
fn networks(vmi: &Object) -> Vec<(String, Value, bool)> {
    let mut all: Vec<(String, Value, bool)> = vmi
        .list("/spec/domain/devices/interfaces")
        .iter()
        .map(|interface| {
            let name = interface["name"].as_str().unwrap_or_default().to_owned();
            let mut networks = vmi.list("/spec/networks").iter();
            let second = networks.any(|one| one["name"] == name.as_str() && one["multus"].is_object());
            (name, interface.clone(), second)
        })
        .collect();
    if all.is_empty() && vmi.at("/spec/domain/devices/autoattachPodInterface") != &Value::Bool(false) {
        all.push(("default".to_owned(), json!({}), false));
    }
    all
}

/// The interfaces of an instance whose guest has not begun.
pub(super) fn unborn_interfaces(vmi: &Object) -> Value {
    let networks = networks(vmi);
    let first = networks.iter().filter(|(_, _, second)| !second);
    first.map(|(name, _, _)| json!({"name": name, "podInterfaceName": "eth0"})).collect()
}

/// The interfaces of an instance, as the hypervisor knows them, and its agent.
pub(super) fn interfaces(vmi: &Object, pod: &Object, system: &System, agent: bool) -> Value {
    let ip = pod.text("/status/podIP");
    let all = networks(vmi).into_iter().enumerate().map(|(index, (name, interface, second))| {
        let mut source = String::from("domain");
        if agent {
            source.push_str(", guest-agent");
        }
        if second {
            source.push_str(", multus-status");
        }
        let mut one = json!({
            "name": name, "mac": mac(vmi, &interface, &name), "infoSource": source, "queueCount": 1, "linkState": "up",
            "podInterfaceName": if second { pod_name(&name) } else { "eth0".to_owned() },
        });
        let address = if second { agent.then(|| second_address(vmi, &name)) } else { Some(ip.to_owned()) };
        if let Some(address) = address.filter(|address| !address.is_empty()) {
            one["ipAddress"] = address.as_str().into();
            one["ipAddresses"] = json!([address]);
        }
        if agent {
            one["interfaceName"] = device(system.device, index).into();
        }
        one
    });
    all.collect()
}

/// `enp1s0`, `enp2s0`; `eth0`, `eth1`; `Ethernet`, `Ethernet 2`.
fn device(first: &str, index: usize) -> String {
    match first {
        "Ethernet" if index > 0 => format!("Ethernet {}", index + 1),
        "enp1s0" => format!("enp{}s0", index + 1),
        "eth0" => format!("eth{index}"),
        other => other.to_owned(),
    }
}

fn pod_name(network: &str) -> String {
    format!("pod{}", hash(&[network], 11))
}

fn mac(vmi: &Object, interface: &Value, name: &str) -> String {
    if let Some(given) = interface["macAddress"].as_str() {
        return given.to_owned();
    }
    let digits = hash(&[vmi.namespace(), vmi.name(), name], 6);
    let part = |from: usize| digits.get(from..from + 2).unwrap_or("00").to_owned();
    format!("02:00:00:{}:{}:{}", part(0), part(2), part(4))
}

fn second_address(vmi: &Object, name: &str) -> String {
    let digits = hash(&[vmi.namespace(), vmi.name(), name, "address"], 4);
    let number = u16::from_str_radix(&digits, 16).unwrap_or(1);
    format!("192.168.{}.{}", 10 + number % 20, 10 + number / 256 % 240)
}

/// The volumes of an instance; what they are called in the guest is known once that runs.
pub(super) fn volumes(view: &View<'_>, vmi: &Object, running: bool) -> Value {
    let mut letters: [(&str, u8); 2] = [("vd", 0), ("sd", 0)];
    let mut all = Vec::new();
    for volume in vmi.list("/spec/volumes") {
        let name = volume["name"].as_str().unwrap_or_default();
        if ["dataVolume", "persistentVolumeClaim"].iter().any(|of| volume[of]["hotpluggable"] == true) {
            continue;
        }
        let mut one = json!({"name": name, "target": ""});
        let disk = vmi.list("/spec/domain/devices/disks").iter().find(|disk| disk["name"] == name);
        if running && let Some(disk) = disk {
            one["target"] = target(disk, &mut letters).into();
        }
        if let Some(claim) = disks::claim_of(volume) {
            if let Some(info) = claim_info(view, vmi.namespace(), claim) {
                one["persistentVolumeClaimInfo"] = info;
            }
        } else if running && volume["containerDisk"].is_object() {
            let sum = hash(&[volume["containerDisk"]["image"].as_str().unwrap_or_default()], 7);
            one["containerDiskVolume"] =
                json!({"checksum": u32::from_str_radix(&sum, 16).unwrap_or_default()});
        } else if running
            && ["cloudInitNoCloud", "cloudInitConfigDrive"].iter().any(|of| volume[of].is_object())
        {
            one["size"] = 1_048_576.into();
        }
        all.push(one);
    }
    all.into()
}

fn target(disk: &Value, letters: &mut [(&str, u8); 2]) -> String {
    let bus = ["disk", "lun", "cdrom"].iter().find_map(|of| disk[of]["bus"].as_str());
    let cdrom = disk["cdrom"].is_object();
    let index = usize::from(!matches!((bus, cdrom), (Some("virtio"), _) | (None, false)));
    let (prefix, number) = &mut letters[index];
    let letter = char::from(b'a' + (*number).min(25));
    *number += 1;
    format!("{prefix}{letter}")
}

/// What an instance tells of a claim.
pub(super) fn claim_info(view: &View<'_>, namespace: &str, name: &str) -> Option<Value> {
    let claim = view.get(Kind::PersistentVolumeClaim, namespace, name)?;
    let block = claim.text("/spec/volumeMode") == "Block";
    let mut info = json!({
        "claimName": name, "accessModes": claim.at("/spec/accessModes"),
        "volumeMode": if block { "Block" } else { "Filesystem" },
        "filesystemOverhead": if block { "0" } else { "0.06" },
        "requests": {"storage": claim.at("/spec/resources/requests/storage")},
    });
    if !claim.at("/status/capacity").is_null() {
        info["capacity"] = claim.at("/status/capacity").clone();
    }
    Some(info)
}

/// Why a guest cannot be moved to another node: reason and message; none where it can.
pub(super) fn against_migration(view: &View<'_>, vmi: &Object) -> Option<(&'static str, String)> {
    for volume in vmi.list("/spec/volumes") {
        let Some(name) = disks::claim_of(volume) else { continue };
        let claim = view.get(Kind::PersistentVolumeClaim, vmi.namespace(), name);
        let shared =
            |claim: &Object| claim.list("/spec/accessModes").iter().any(|mode| mode == "ReadWriteMany");
        if claim.is_some_and(|claim| !shared(claim)) {
            return Some(("DisksNotLiveMigratable", not_shared(name)));
        }
    }
    if !vmi.list("/spec/domain/devices/hostDevices").is_empty()
        || !vmi.list("/spec/domain/devices/gpus").is_empty()
    {
        return Some(("HostDeviceNotLiveMigratable", "VMI uses a PCI host devices".to_owned()));
    }
    let bridged =
        networks(vmi).iter().any(|(_, interface, second)| interface["bridge"].is_object() && !second);
    let text = "cannot migrate VMI which does not use masquerade, bridge with \
                kubevirt.io/allow-pod-bridge-network-live-migration VM annotation, or a migratable plugin \
                to connect to the pod network";
    bridged.then(|| ("InterfaceNotLiveMigratable", text.to_owned()))
}

/// What is said of a claim that only one node can use.
pub(super) fn not_shared(claim: &str) -> String {
    format!(
        "cannot migrate VMI: PVC {claim} is not shared, live migration requires that all PVCs must be shared (using ReadWriteMany access mode)"
    )
}
