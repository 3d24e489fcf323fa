//! Virtink's machines.

pub(in crate::rules::catalogue) mod volumes;

use super::{NOT_OURS, chosen, named};
use crate::model::{parse_bytes, parse_millis};
use crate::rules::finding::Level;
use crate::rules::fix::Fix;
use crate::rules::patterns::{is_quantity, nearest};
use crate::rules::rule::{Check, ERROR, Needs, Rule, WARNING};
use crate::rules::source::Spot;
use crate::rules::subject::Subject;

pub(super) const MACHINE: &str = "
apiVersion: virt.virtink.smartx.com/v1alpha1
kind: VirtualMachine
metadata:
  name: web
  namespace: shop
spec:
  runPolicy: Always
  resources:
    requests: {memory: 1280Mi}
  instance:
    memory:
      size: 1Gi
    disks:
    - name: root
    interfaces:
    - name: pod
      masquerade: {}
  networks:
  - name: pod
    pod: {}
  volumes:
  - name: root
    containerDisk: {image: 'registry.example.net/disks/ubuntu:22.04'}
";

const VIRTINK: Rule = Rule { on: &[Subject::VirtinkMachine], cel: NOT_OURS, ..ERROR };
const VIRTINK_WARNING: Rule = Rule { on: VIRTINK.on, ..WARNING };

const BINDINGS: &[&str] = &["bridge", "masquerade", "sriov", "vdpa", "vhostUser"];
/// What Virtink needs besides the memory of the guest.
const OVERHEAD: u64 = 256 << 20;

/// Fields of KubeVirt that have no counterpart.
const ABSENT: &[(&str, &str)] = &[
    ("cdrom", "there are no CD-ROM drives"),
    ("floppy", "there are no floppy drives"),
    ("lun", "there are no LUNs"),
    ("disk", "every disk is virtio, without bus"),
    ("bus", "every disk is virtio"),
    ("serial", "disks have no serial numbers"),
    ("bootOrder", "the first disk boots"),
    ("cache", "there is no choice of cache"),
    ("threads", "there is one thread per core"),
    ("firmware", "there is no choice of firmware"),
    ("tpm", "there is no TPM"),
    ("hostname", "there is no host name field; set it with cloud-init"),
    ("subdomain", "there is no subdomain field"),
    ("clock", "there is no clock field"),
    ("accessCredentials", "there is no guest agent; put keys into cloud-init"),
    ("instancetype", "there are no instance types"),
    ("preference", "there are no preferences"),
    ("dataVolumeTemplates", "there are no templates of disks; write a DataVolume"),
    ("cloudInitNoCloud", "the volume is called cloudInit"),
    ("cloudInitConfigDrive", "the volume is called cloudInit, and is NoCloud"),
    ("runStrategy", "the field is called runPolicy"),
    ("running", "the field is called runPolicy"),
    ("domain", "the field is called instance"),
    ("template", "the guest stands in spec itself"),
];

fn absent(spot: &Spot<'_>) -> Option<&'static str> {
    let key = spot.key()?;
    let holder = spot.holder();
    let level = match key {
        "cdrom" | "floppy" | "lun" | "disk" | "bus" | "serial" | "bootOrder" | "cache" => {
            holder.holder().key() == Some("disks")
        }
        "threads" => holder.key() == Some("cpu"),
        "firmware" | "tpm" | "clock" => holder.key() == Some("instance"),
        "cloudInitNoCloud" | "cloudInitConfigDrive" => holder.holder().key() == Some("volumes"),
        _ => holder.key() == Some("spec"),
    };
    ABSENT.iter().find(|(absent, _)| level && *absent == key).map(|(_, why)| *why)
}

/// Keys that no field has and about which a row here says more.
pub(super) fn said_elsewhere(spot: &Spot<'_>) -> bool {
    absent(spot).is_some() || spot.key() == Some("readonly") && spot.holder().holder().key() == Some("disks")
}

fn bytes(spot: &Spot<'_>) -> Option<u64> {
    spot.word().filter(|word| is_quantity(word)).and_then(|word| parse_bytes(&word))
}

fn millis(spot: &Spot<'_>) -> Option<u32> {
    spot.word().filter(|word| is_quantity(word) && word.len() <= 20).and_then(|word| parse_millis(&word))
}

/// All disks and file systems: they share their names.
fn attached<'a>(c: &Check<'a>) -> Vec<Spot<'a>> {
    let instance = c.root().get("spec.instance");
    instance.get("disks").items().chain(instance.get("fileSystems").items()).collect()
}

fn check_absent(c: &mut Check<'_>) {
    let (spec, instance) = (c.at.clone(), c.at.get("instance"));
    let mut maps = vec![spec.clone(), instance.clone(), instance.get("cpu")];
    maps.extend(instance.get("disks").items());
    maps.extend(spec.get("volumes").items());
    for (_, entry) in maps.iter().flat_map(|map| map.entries().collect::<Vec<_>>()) {
        if let Some(why) = absent(&entry) {
            let key = entry.key().unwrap_or_default();
            let policy = key == "runStrategy" && spec.get("runPolicy").missing();
            let fix = if policy { Fix::rename(&entry, "runPolicy") } else { None };
            c.report_key(&entry, &[&key, &why]).fix(fix);
        }
    }
}

fn check_dedicated(c: &mut Check<'_>) {
    let spec = c.root().get("spec");
    let cpu = c.at.holder();
    let count = |key| cpu.get(key).int().unwrap_or(1);
    let vcpus = count("sockets").saturating_mul(count("coresPerSocket"));
    let [request, limit] = ["resources.requests.cpu", "resources.limits.cpu"].map(|path| spec.get(path));
    let [memory, most] = ["resources.requests.memory", "resources.limits.memory"].map(|path| spec.get(path));
    let whole = millis(&request).is_some_and(|millis| i64::from(millis) == vcpus.saturating_mul(1000));
    let least = bytes(&spec.get("instance.memory.size")).map(|size| size.saturating_add(OVERHEAD));
    if !whole {
        c.report_at(&request, &[&format!("a CPU request of {vcpus}")]);
    } else if millis(&limit) != millis(&request) {
        c.report_at(&limit, &[&"a CPU limit that equals the request"]);
    } else if bytes(&memory) < least || bytes(&memory).is_none() {
        c.report_at(&memory, &[&"a memory request of the guest's memory and 256Mi"]);
    } else if bytes(&most) != bytes(&memory) {
        c.report_at(&most, &[&"a memory limit that equals the request"]);
    }
}

/// An address range with at least four addresses.
fn is_range(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, length)| {
        address.parse::<std::net::Ipv4Addr>().is_ok() && length.parse::<u8>().is_ok_and(|length| length <= 30)
    })
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "virtink-instance-missing",
        path: "spec.instance",
        text: "the description of the guest is missing: instance",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
        },
        bad: &["!spec.instance"],
        good: &["spec.instance.memory.size: 512Mi"],
        with: &["virtink-volume-unused", "virtink-network-unused"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-absent",
        path: "spec",
        text: "Virtink does not have {}: {}",
        check: check_absent,
        bad: &[
            "spec.instance.disks[0].bus: sata",
            "spec.instance.disks[0].cdrom: {}",
            "spec.runStrategy: Always",
            "spec.instance.firmware: {}",
            "spec.hostname: web",
        ],
        good: &["spec.instance.disks[0].readOnly: true"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-readonly-spelling",
        path: "spec.instance.disks[].readonly",
        text: "the field is readOnly; this one is dropped and the disk stays writable",
        check: |c| {
            if c.at.exists() {
                let at = c.at.clone();
                c.report_key(&at, &[]).fix(Fix::rename(&at, "readOnly"));
            }
        },
        bad: &["spec.instance.disks[0].readonly: true"],
        good: &["spec.instance.disks[0].readOnly: true"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-run-policy",
        path: "spec.runPolicy",
        text: "runPolicy \"{}\" is not one of Always, RerunOnFailure, Once, Manual, Halted",
        check: |c| c.one_of(&["Always", "RerunOnFailure", "Once", "Manual", "Halted"]),
        bad: &["spec.runPolicy: Forever"],
        good: &["spec.runPolicy: Halted"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-run-policy-missing",
        path: "spec.runPolicy",
        text: "runPolicy is missing; Once is taken, and the machine is never started again",
        check: |c| {
            if c.at.missing() && c.root().get("spec.runStrategy").missing() {
                c.report(&[]);
            }
        },
        bad: &["!spec.runPolicy"],
        good: &["spec.runPolicy: Once"],
        ..VIRTINK_WARNING
    },
    Rule {
        id: "virtink-cpu-count",
        path: "spec.instance.cpu.{sockets,coresPerSocket}",
        text: "{} is no number of processors; write 1 or more",
        check: |c| c.between(1, i64::from(u32::MAX)),
        bad: &["spec.instance.cpu: {sockets: 0}\nat spec.instance.cpu.sockets"],
        good: &["spec.instance.cpu: {sockets: 2, coresPerSocket: 2}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-dedicated-cpu",
        path: "spec.instance.cpu.dedicatedCPUPlacement",
        text: "dedicated processors need {}",
        check: |c| {
            if c.at.truth() == Some(true) {
                check_dedicated(c);
            }
        },
        bad: &[
            "spec.instance.cpu: {sockets: 2, dedicatedCPUPlacement: true}\nat spec.resources.requests.cpu",
            "spec.instance.cpu: {dedicatedCPUPlacement: true}\nspec.resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}\nat spec.resources.requests.memory",
        ],
        good: &[
            "spec.instance.cpu: {dedicatedCPUPlacement: true}\nspec.resources: {requests: {cpu: 1, memory: 2Gi}, limits: {cpu: 1, memory: 2Gi}}",
        ],
        with: &["virtink-resources"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-memory",
        path: "spec.instance.memory.size",
        text: "\"{}\" is no amount of memory above 0",
        check: |c| {
            if let Some(word) = c.at.word().filter(|_| bytes(&c.at).is_none_or(|bytes| bytes == 0)) {
                c.report(&[&word]);
            }
        },
        bad: &["spec.instance.memory.size: 0", "spec.instance.memory.size: lots"],
        good: &["spec.instance.memory.size: 512Mi"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-hugepages",
        path: "spec.instance.memory.hugepages",
        text: "{}",
        check: |c| {
            let page = c.at.get("pageSize");
            let shown = if page.blank() { "1Gi".into() } else { page.shown() };
            let size = bytes(&c.at.holder().get("size"));
            let page_bytes = match &*shown {
                "2Mi" => 2 << 20,
                "1Gi" => 1 << 30,
                _ => {
                    c.report_at(&page, &[&"pages have 2Mi or 1Gi"]);
                    return;
                }
            };
            if c.at.exists() && size.is_some_and(|size| size % page_bytes != 0) {
                c.report_at(&page, &[&format!("the memory is no multiple of pages of {shown}")]);
            }
        },
        bad: &[
            "spec.instance.memory.hugepages: {pageSize: 3Mi}\nat spec.instance.memory.hugepages.pageSize",
            "spec.instance.memory: {size: 1500Mi, hugepages: {pageSize: 1Gi}}\nspec.resources: {requests: {memory: 4Gi}}\nat spec.instance.memory.hugepages.pageSize",
        ],
        good: &["spec.instance.memory.hugepages: {pageSize: 2Mi}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-resources",
        path: "spec.resources.requests.memory",
        text: "the pod asks for {} and needs the guest's memory and 256Mi; else it is killed when memory is short",
        check: |c| {
            let size = c.root().get("spec.instance.memory.size");
            if let [Some(own), Some(size)] = [bytes(&c.at), bytes(&size)]
                && own < size.saturating_add(OVERHEAD)
            {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &["spec.resources.requests.memory: 1Gi"],
        good: &["spec.resources.requests.memory: 2Gi"],
        ..VIRTINK_WARNING
    },
    Rule {
        id: "virtink-resources-missing",
        path: "spec",
        text: "no resources.requests.memory: the pod asks for nothing and is the first to be killed",
        check: |c| {
            let memory = c.at.get("resources.requests.memory");
            if c.at.is_map() && memory.blank() && c.at.get("instance").is_map() {
                c.report_at(&memory, &[]);
            }
        },
        bad: &["!spec.resources\nat spec.resources.requests.memory"],
        good: &["spec.resources.requests.memory: 2Gi"],
        ..VIRTINK_WARNING
    },
    Rule {
        id: "virtink-kernel",
        path: "spec.instance.kernel.{image,cmdline}",
        text: "a kernel needs image and cmdline",
        check: |c| c.required(),
        bad: &["spec.instance.kernel: {image: 'a/b:1'}\nat spec.instance.kernel.cmdline"],
        good: &["spec.instance.kernel: {image: 'a/b:1', cmdline: 'console=ttyS0'}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-name-missing",
        path: "spec",
        text: "every disk, file system, interface, volume and network needs a name",
        check: |c| {
            let mut items = attached(c);
            items.extend(c.at.get("instance.interfaces").items());
            items.extend(c.at.get("volumes").items().chain(c.at.get("networks").items()));
            for item in items.iter().filter(|item| item.is_map()) {
                let name = item.get("name");
                if name.blank() {
                    c.report_at(&name, &[]);
                }
            }
        },
        bad: &[
            "spec.networks[1]: {multus: {networkName: lan}}\nmetadata.annotations: {a: b}\nat spec.networks[1].name",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-name-twice",
        path: "spec",
        text: "the name \"{}\" is there twice",
        check: |c| {
            c.no_text_twice(attached(c).iter().map(|item| item.get("name")).collect::<Vec<_>>());
            for path in ["instance.interfaces", "volumes", "networks"] {
                let list = c.at.get(path);
                c.no_text_twice(list.items().map(|item| item.get("name")).collect::<Vec<_>>());
            }
        },
        bad: &[
            "spec.instance.disks[1]: {name: root}\nat spec.instance.disks[1].name",
            "spec.instance.fileSystems: [{name: root}]\nat spec.instance.fileSystems[0].name",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-disk-without-volume",
        path: "spec.instance.{disks,fileSystems}",
        text: "\"{}\" has no volume of this name and is dropped",
        check: |c| {
            let volumes = c.root().get("spec.volumes");
            for name in c.at.items().map(|item| item.get("name")) {
                if let Some(text) = name.text().filter(|text| named(&volumes, text).is_none()) {
                    let names = volumes.items().filter_map(|volume| volume.get("name").text());
                    let fix = nearest(text, names).and_then(|near| Fix::set(&name, near));
                    c.report_at(&name, &[&text]).fix(fix);
                }
            }
        },
        bad: &["spec.instance.disks[1]: {name: data}\nat spec.instance.disks[1].name"],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-volume-unused",
        path: "spec.volumes[].name",
        text: "no disk and no file system has the name of volume \"{}\"; the guest does not see it",
        check: |c| {
            let used = attached(c);
            c.text_must(|name| used.iter().any(|item| item.get("name").text() == Some(name)));
        },
        bad: &[
            "spec.volumes[1]: {name: init, cloudInit: {userData: '#cloud-config'}}\nat spec.volumes[1].name",
        ],
        good: &[
            "spec.volumes[1]: {name: init, cloudInit: {userData: '#cloud-config'}}\nspec.instance.disks[1]: {name: init}",
        ],
        ..VIRTINK_WARNING
    },
    Rule {
        id: "virtink-interface-without-network",
        path: "spec.instance.interfaces[].name",
        text: "interface \"{}\" has no network of this name and is dropped",
        check: |c| {
            let networks = c.root().get("spec.networks");
            c.text_must(|name| named(&networks, name).is_some());
        },
        bad: &["spec.networks: []\nat spec.instance.interfaces[0].name"],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-network-unused",
        path: "spec.networks[].name",
        text: "network \"{}\" has no interface of this name; the machine does not start",
        check: |c| {
            let interfaces = c.root().get("spec.instance.interfaces");
            c.text_must(|name| named(&interfaces, name).is_some());
        },
        bad: &[
            "spec.networks[1]: {name: lan, multus: {networkName: lan}}\nmetadata.annotations: {a: b}\nat spec.networks[1].name",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-binding",
        path: "spec.instance.interfaces[]",
        text: "an interface has one of bridge, masquerade, sriov, vdpa and vhostUser, found {}",
        check: |c| {
            let found = chosen(&c.at, BINDINGS).len();
            // Without any a bridge is taken.
            if found > 1 {
                c.report(&[&found]);
            }
        },
        bad: &["spec.instance.interfaces[0].bridge: {}\nat spec.instance.interfaces[0]"],
        good: &["spec.instance.interfaces[0]: {name: pod}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-vhost-user",
        path: "spec.instance.interfaces[].vhostUser",
        text: "vhostUser needs cpu.dedicatedCPUPlacement and memory.hugepages",
        check: |c| {
            let instance = c.root().get("spec.instance");
            let dedicated = instance.get("cpu.dedicatedCPUPlacement").truth() == Some(true);
            if c.at.exists() && (!dedicated || instance.get("memory.hugepages").missing()) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "spec.instance.interfaces[0]: {name: pod, vhostUser: {}}\nat spec.instance.interfaces[0].vhostUser",
        ],
        good: &["spec.instance.interfaces[0]: {name: pod, bridge: {}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-mac",
        path: "spec.instance.interfaces[].mac",
        text: "\"{}\" is no MAC address; six pairs such as 52:54:00:00:00:01",
        check: |c| c.text_must(|text| text.is_empty() || super::kubevirt::network::is_mac(text)),
        bad: &["spec.instance.interfaces[0].mac: '52:54'"],
        good: &["spec.instance.interfaces[0].mac: '52:54:00:00:00:01'"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-masquerade-range",
        path: "spec.instance.interfaces[].masquerade.cidr",
        text: "\"{}\" is no range of at least four addresses, such as 10.0.2.0/30",
        check: |c| c.text_must(|text| text.is_empty() || is_range(text)),
        bad: &[
            "spec.instance.interfaces[0].masquerade: {cidr: 10.0.2.0/31}\nat spec.instance.interfaces[0].masquerade.cidr",
        ],
        good: &["spec.instance.interfaces[0].masquerade: {cidr: 10.0.2.0/24}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-masquerade-network",
        path: "spec.instance.interfaces[].masquerade",
        text: "masquerade works on the pod network only",
        check: |c| {
            let name = c.at.holder().get("name").text().unwrap_or_default();
            let network = named(&c.root().get("spec.networks"), name);
            if c.at.exists() && network.is_some_and(|network| network.get("multus").exists()) {
                let at = c.at.clone();
                c.report_key(&at, &[]).fix(Fix::rename(&at, "bridge"));
            }
        },
        bad: &[
            "spec.networks[0]: {name: pod, multus: {networkName: lan}}\nmetadata.annotations: {a: b}\nat spec.instance.interfaces[0].masquerade",
        ],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-network-source",
        path: "spec.networks[]",
        text: "a network is exactly one of pod and multus, found {}",
        check: |c| {
            let found = chosen(&c.at, &["pod", "multus"]).len();
            if c.at.is_map() && found != 1 {
                c.report(&[&found]);
            }
        },
        bad: &["spec.networks[0]: {name: pod}"],
        good: &["spec.runPolicy: Manual"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-multus-annotation",
        path: "spec.networks[].multus",
        text: "a machine with a multus network needs at least one annotation, or Virtink cannot build its pod",
        check: |c| {
            if c.at.exists() && c.root().get("metadata.annotations").blank() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "spec.networks[0]: {name: pod, multus: {networkName: lan}}\nspec.instance.interfaces[0]: {name: pod, bridge: {}}\nat spec.networks[0].multus",
        ],
        good: &["spec.networks[0]: {name: pod, multus: {networkName: lan}}\nmetadata.annotations: {a: b}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-exec-probe",
        level: Level::Warning,
        path: "spec.{readinessProbe,livenessProbe}.exec",
        text: "the command runs in the pod of the hypervisor, not in the guest",
        check: |c| {
            if c.at.exists() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["spec.readinessProbe: {exec: {command: ['true']}}\nat spec.readinessProbe.exec"],
        good: &["spec.readinessProbe: {tcpSocket: {port: 22}}"],
        ..VIRTINK
    },
    Rule {
        id: "virtink-spec-change",
        path: "spec.{instance,resources,networks,affinity,nodeSelector,tolerations,readinessProbe,livenessProbe}",
        text: "{} cannot be changed; delete the machine and create it again",
        needs: Needs::Change,
        check: |c| {
            let key = c.at.key().unwrap_or_default();
            let Some(old) = c.old.and_then(|old| old.root().get("spec").entry(key)) else { return };
            let strip = |spot: &Spot<'_>| {
                let mut value = spot.json();
                if let Some(fields) = value.as_object_mut().filter(|_| key == "instance") {
                    fields.remove("disks");
                }
                value
            };
            if c.at.exists() && strip(&c.at) != strip(&old) {
                let at = c.at.clone();
                c.report_key(&at, &[&key]);
            }
        },
        bad: &["old spec.instance.memory.size: 512Mi\nat spec.instance"],
        good: &[
            "old spec.runPolicy: Halted",
            "spec.instance.disks[0].readOnly: true\nold spec.runPolicy: Halted",
        ],
        ..VIRTINK
    },
];
