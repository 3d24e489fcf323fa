//! Processors, memory, firmware and clock of the guest.

use super::super::{GUEST_ERROR, GUEST_WARNING, chosen, guest, machine};
use crate::model::{parse_bytes, parse_millis};
use crate::rules::catalogue::topology;
use crate::rules::fix::Fix;
use crate::rules::patterns::is_quantity;
use crate::rules::rule::{Check, Rule};
use crate::rules::source::Spot;

/// Every amount of the guest.
fn amounts<'a>(guest: &Spot<'a>) -> Vec<Spot<'a>> {
    let domain = guest.get("domain");
    let mut all: Vec<Spot<'a>> = ["memory.guest", "memory.maxGuest", "memory.hugepages.pageSize"]
        .into_iter()
        .map(|path| domain.get(path))
        .collect();
    for path in ["resources.requests", "resources.limits"] {
        all.extend(domain.get(path).entries().map(|(_, entry)| entry));
    }
    all.extend(guest.get("volumes").items().map(|volume| volume.get("emptyDisk.capacity")));
    all.retain(|spot| spot.word().is_some());
    all
}

/// What is left of an amount without its minus.
fn negative(word: &str) -> Option<&str> {
    word.strip_prefix('-').filter(|rest| is_quantity(rest))
}

fn bytes(spot: &Spot<'_>) -> Option<u64> {
    spot.word().filter(|word| is_quantity(word)).and_then(|word| parse_bytes(&word))
}

fn millis(spot: &Spot<'_>) -> Option<u32> {
    spot.word().filter(|word| is_quantity(word) && word.len() <= 20).and_then(|word| parse_millis(&word))
}

/// The memory of the guest, from wherever it comes.
fn memory<'a>(guest: &Spot<'a>) -> Option<Spot<'a>> {
    let domain = guest.get("domain");
    ["memory.guest", "resources.requests.memory", "resources.limits.memory", "memory.hugepages.pageSize"]
        .into_iter()
        .map(|path| domain.get(path))
        .find(|spot| !spot.blank())
}

fn dedicated(guest: &Spot<'_>) -> bool {
    guest.get("domain.cpu.dedicatedCpuPlacement").truth() == Some(true)
}

fn check_dedicated(c: &mut Check<'_>) {
    let domain = guest(c).get("domain");
    let resources = [domain.get("resources.requests.cpu"), domain.get("resources.limits.cpu")];
    let fraction = resources.iter().find(|spot| millis(spot).is_some_and(|millis| millis % 1000 != 0));
    if let Some(spot) = fraction {
        c.report_at(spot, &[&"whole processors"]);
    } else if let [Some(one), Some(other)] = [millis(&resources[0]), millis(&resources[1])]
        && one != other
    {
        c.report_at(&resources[0], &[&"a request that equals its limit"]);
    } else if !domain.get("cpu.cores").missing()
        && let Some(spot) = resources.iter().find(|spot| !spot.missing())
    {
        c.report_at(spot, &[&"either cpu.cores or an amount in resources"]);
    }
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-quantity",
        path: "@guest",
        text: "\"{}\" is no amount; write a number with a unit, such as 2Gi or 500m",
        check: |c| {
            for spot in amounts(&c.at) {
                let word = spot.word().unwrap_or_default();
                if !is_quantity(&word) && negative(&word).is_none() {
                    c.report_at(&spot, &[&word]);
                }
            }
        },
        bad: &[
            "@guest.domain.memory.guest: lots",
            "@guest.domain.resources: {requests: {memory: 2GiB}}\nat @guest.domain.resources.requests.memory",
            "@guest.volumes[1]: {name: s, emptyDisk: {capacity: much}}\n@guest.domain.devices.disks[1]: {name: s, disk: {bus: virtio}}\nat @guest.volumes[1].emptyDisk.capacity",
        ],
        good: &["@guest.domain.memory.guest: 1.5Gi", "@guest.domain.memory.guest: 1073741824"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-negative-amount",
        path: "@guest",
        text: "\"{}\" is less than nothing; the machine cannot be built",
        check: |c| {
            for spot in amounts(&c.at) {
                let word = spot.word().unwrap_or_default();
                if negative(&word).is_some() {
                    c.report_at(&spot, &[&word]);
                }
            }
        },
        bad: &[
            "@guest.domain.memory.guest: -1Gi",
            "@guest.domain.resources: {requests: {cpu: -1}}\nat @guest.domain.resources.requests.cpu",
        ],
        good: &["@guest.domain.memory.guest: 1Gi"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-memory-missing",
        path: "@guest.domain",
        text: "no memory: set domain.memory.guest; without it the machine stays Stopped and never starts",
        check: |c| {
            let typed = machine(c).get("instancetype").is_map();
            if !typed && c.at.is_map() && memory(&guest(c)).is_none() {
                let memory = c.at.get("memory.guest");
                c.report_at(&memory, &[]);
            }
        },
        bad: &["!@guest.domain.memory\nat @guest.domain.memory.guest"],
        good: &["!@guest.domain.memory\n@guest.domain.resources: {requests: {memory: 1Gi}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-domain-missing",
        path: "@guest.domain",
        text: "the guest has no domain",
        check: |c| {
            if c.at.missing() {
                c.report(&[]);
            }
        },
        bad: &["!@guest.domain"],
        good: &["@guest.domain.memory.guest: 1Gi"],
        with: &["kubevirt-network-without-interface", "kubevirt-volume-without-disk"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-request-above-limit",
        path: "@guest.domain.resources.requests.*",
        text: "the request of {} is above its limit of {}",
        check: |c| {
            let key = c.at.key().unwrap_or_default();
            let limit = c.at.holder().holder().get("limits").entry(key);
            let above = |limit: &Spot<'_>| match key {
                "cpu" => millis(&c.at) > millis(limit),
                _ => bytes(&c.at) > bytes(limit) && bytes(limit).is_some(),
            };
            if let Some(limit) = limit.filter(|limit| above(limit)) {
                let (one, other) = (c.at.shown(), limit.shown());
                c.report(&[&one, &other]);
            }
        },
        bad: &[
            "@guest.domain.resources: {requests: {memory: 2Gi}, limits: {memory: 1Gi}}\n@guest.domain.memory: {guest: 512Mi}\nat @guest.domain.resources.requests.memory",
            "@guest.domain.resources: {requests: {cpu: 2}, limits: {cpu: 1500m}}\nat @guest.domain.resources.requests.cpu",
        ],
        good: &["@guest.domain.resources: {requests: {memory: 1Gi}, limits: {memory: 1Gi}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-guest-above-limit",
        path: "@guest.domain.memory.guest",
        text: "the guest has {}, its pod only {}: the pod is killed",
        check: |c| {
            let limit = guest(c).get("domain.resources.limits.memory");
            if bytes(&limit).is_some() && bytes(&c.at) > bytes(&limit) {
                let (one, other) = (c.at.shown(), limit.shown());
                c.report(&[&one, &other]);
            }
        },
        bad: &["@guest.domain.memory.guest: 4Gi\n@guest.domain.resources: {limits: {memory: 2Gi}}"],
        good: &["@guest.domain.memory.guest: 1Gi\n@guest.domain.resources: {limits: {memory: 2Gi}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-max-guest",
        path: "@guest.domain.memory.maxGuest",
        text: "maxGuest {} is below guest {}",
        check: |c| {
            let own = c.at.holder().get("guest");
            if bytes(&c.at).is_some() && bytes(&c.at) < bytes(&own) {
                let (most, own) = (c.at.shown(), own.shown());
                c.report(&[&most, &own]);
            }
        },
        bad: &["@guest.domain.memory.maxGuest: 512Mi"],
        good: &["@guest.domain.memory.maxGuest: 4Gi"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-hugepages",
        path: "@guest.domain.memory.hugepages.pageSize",
        text: "memory {} is no multiple of pages of {}; pages have 2Mi or 1Gi",
        check: |c| {
            let amount =
                [guest(c).get("domain.resources.requests.memory"), c.at.holder().holder().get("guest")]
                    .into_iter()
                    .find(|spot| bytes(spot).is_some());
            let amount_bytes = amount.as_ref().and_then(bytes).unwrap_or(0);
            if let Some(page) = bytes(&c.at)
                && (![2 << 20, 1 << 30].contains(&page) || amount_bytes == 0 || amount_bytes % page != 0)
            {
                let amount = amount.map_or("0".into(), |spot| spot.shown());
                let shown = c.at.shown();
                c.report(&[&amount, &shown]);
            }
        },
        bad: &[
            "@guest.domain.memory.hugepages: {pageSize: 3Mi}\nat @guest.domain.memory.hugepages.pageSize",
            "@guest.domain.memory: {guest: 1500Mi, hugepages: {pageSize: 1Gi}}\nat @guest.domain.memory.hugepages.pageSize",
        ],
        good: &["@guest.domain.memory.hugepages: {pageSize: 2Mi}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-cpu-count",
        path: "@guest.domain.cpu.{cores,sockets,threads,maxSockets}",
        text: "{} is no number of processors; write 1 or more",
        check: |c| {
            // Nothing asked for is what the server takes a nought for.
            if c.at.int() != Some(0) {
                c.between(1, i64::from(u32::MAX));
            }
        },
        bad: &[
            "@guest.domain.cpu: {cores: -2}\nat @guest.domain.cpu.cores",
            "@guest.domain.cpu: {cores: 1.5}\nat @guest.domain.cpu.cores",
        ],
        good: &["@guest.domain.cpu: {cores: 2, sockets: 2, threads: 1}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-max-sockets",
        path: "@guest.domain.cpu.sockets",
        text: "{} sockets are more than maxSockets, {}",
        check: |c| {
            let most = c.at.holder().get("maxSockets");
            if let [Some(own), Some(most)] = [c.at.int(), most.int()]
                && own > most
            {
                c.report(&[&own, &most]);
            }
        },
        bad: &["@guest.domain.cpu: {sockets: 4, maxSockets: 2}\nat @guest.domain.cpu.sockets"],
        good: &["@guest.domain.cpu: {sockets: 2, maxSockets: 4}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-dedicated-cpu",
        path: "@guest.domain.cpu.dedicatedCpuPlacement",
        text: "dedicated processors need {}",
        check: |c| {
            if c.at.truth() == Some(true) {
                check_dedicated(c);
            }
        },
        bad: &[
            "@guest.domain.cpu: {dedicatedCpuPlacement: true}\n@guest.domain.resources: {requests: {cpu: 1500m}, limits: {cpu: 1500m}}\nat @guest.domain.resources.requests.cpu",
            "@guest.domain.cpu: {dedicatedCpuPlacement: true, cores: 2}\n@guest.domain.resources: {requests: {cpu: 2}}\nat @guest.domain.resources.requests.cpu",
        ],
        good: &["@guest.domain.cpu: {dedicatedCpuPlacement: true, cores: 2}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-numa",
        path: "@guest.domain.cpu.numa.guestMappingPassthrough",
        text: "NUMA mapping needs dedicatedCpuPlacement and memory.hugepages",
        check: |c| {
            let guest = guest(c);
            let pages = guest.get("domain.memory.hugepages");
            if c.at.exists() && (!dedicated(&guest) || pages.missing()) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "@guest.domain.cpu: {cores: 2, numa: {guestMappingPassthrough: {}}}\nat @guest.domain.cpu.numa.guestMappingPassthrough",
        ],
        good: &[
            "@guest.domain.cpu: {cores: 2, dedicatedCpuPlacement: true, numa: {guestMappingPassthrough: {}}}\n@guest.domain.memory.hugepages: {pageSize: 2Mi}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-secure-boot-smm",
        path: "@guest.domain.firmware.bootloader.efi",
        text: "secure boot, which EFI has by default, needs features.smm; enable it or set secureBoot: false",
        check: |c| {
            let smm = guest(c).get("domain.features.smm");
            let on = smm.exists() && smm.get("enabled").truth() != Some(false);
            let arm = guest(c).get("architecture").text() == Some("arm64");
            let secure = c.at.get("secureBoot").truth();
            if c.at.exists() && secure.unwrap_or(!arm) && !on {
                let at = c.at.clone();
                let fix = if secure == Some(true) { None } else { Fix::add(&at, "secureBoot", "false") };
                c.report_key(&at, &[]).fix(fix);
            }
        },
        bad: &[
            "@guest.domain.firmware: {bootloader: {efi: {}}}\nat @guest.domain.firmware.bootloader.efi",
            "@guest.domain.firmware: {bootloader: {efi: {secureBoot: true}}}\nat @guest.domain.firmware.bootloader.efi",
        ],
        good: &[
            "@guest.domain.firmware: {bootloader: {efi: {secureBoot: false}}}",
            "@guest.domain.firmware: {bootloader: {efi: {}}}\n@guest.domain.features: {smm: {enabled: true}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-bootloader-both",
        path: "@guest.domain.firmware.bootloader",
        text: "a machine boots with bios or with efi, not with both",
        check: |c| {
            if chosen(&c.at, &["bios", "efi"]).len() == 2 {
                c.report(&[]);
            }
        },
        bad: &[
            "@guest.domain.firmware: {bootloader: {bios: {}, efi: {secureBoot: false}}}\nat @guest.domain.firmware.bootloader",
        ],
        good: &["@guest.domain.firmware: {bootloader: {bios: {}}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-machine-type",
        path: "@guest.domain.machine.type",
        text: "machine type \"{}\" is not supported; q35 is",
        check: |c| {
            let good = |text: &str| {
                ["q35", "pc-q35", "virt", "s390-ccw-virtio"].iter().any(|known| text.starts_with(known))
            };
            if let Some(text) = c.text().filter(|text| !text.is_empty() && !good(text)) {
                let fix = Fix::set(&c.at, "q35");
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &["@guest.domain.machine: {type: pc-i440fx-99}\nat @guest.domain.machine.type"],
        good: &["@guest.domain.machine: {type: pc-q35-rhel9.4.0}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-kernel-args",
        path: "@guest.domain.firmware.kernelBoot.kernelArgs",
        text: "kernel arguments need a kernel: kernelBoot.container with image and kernelPath",
        check: |c| {
            let container = c.at.holder().get("container");
            if !c.at.blank()
                && (container.get("image").blank()
                    || container.get("kernelPath").blank() && container.get("initrdPath").blank())
            {
                c.report(&[]);
            }
        },
        bad: &[
            "@guest.domain.firmware: {kernelBoot: {kernelArgs: quiet}}\nat @guest.domain.firmware.kernelBoot.kernelArgs",
        ],
        good: &[
            "@guest.domain.firmware: {kernelBoot: {kernelArgs: quiet, container: {image: 'a/b:1', kernelPath: /vmlinuz}}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-clock-both",
        path: "@guest.domain.clock",
        text: "the clock has timezone and utc; one of them is ignored",
        check: |c| {
            if chosen(&c.at, &["timezone", "utc"]).len() == 2 {
                c.report(&[]);
            }
        },
        bad: &["@guest.domain.clock: {timezone: Europe/Berlin, utc: {}}"],
        good: &["@guest.domain.clock: {utc: {offsetSeconds: 3600}}"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-timezone",
        path: "@guest.domain.clock.timezone",
        text: "\"{}\" is no time zone; the guest cannot be defined",
        check: |c| c.text_must(topology::is_zone),
        bad: &["@guest.domain.clock: {timezone: Mars/Olympus}\nat @guest.domain.clock.timezone"],
        good: &[
            "@guest.domain.clock: {timezone: America/Argentina/Ushuaia}",
            "@guest.domain.clock: {timezone: UTC}",
        ],
        ..GUEST_ERROR
    },
];
