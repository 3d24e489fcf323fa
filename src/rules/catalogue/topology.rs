//! The shape of the machine: processors, firmware, guest, network, clock, names.

use super::super::fix::Fix;
use super::super::patterns::{as_dns_label, is_dns_label, is_lower_dashed, is_quantity, nearest};
use super::super::rule::{Check, ERROR, Needs, Rule, WARNING, because};
use super::power::most_replicas;
use crate::model::parse_millis;

const SMBIOS: &[&str] = &["manufacturer", "product", "version", "sku", "family"];

fn is_uuid_v4(text: &str) -> bool {
    let mut parts = text.split('-');
    let lengths = [8, 4, 4, 4, 12];
    lengths.iter().all(|length| {
        parts.next().is_some_and(|part| part.len() == *length && part.bytes().all(|b| b.is_ascii_hexdigit()))
    }) && parts.next().is_none()
        && text.as_bytes().get(14) == Some(&b'4')
        && matches!(text.as_bytes().get(19), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
}

/// The regions of the time zone database.
const REGIONS: &[&str] = &[
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];

/// The zones without a region.
const ZONES: &[&str] = &[
    "CET",
    "CST6CDT",
    "Cuba",
    "EET",
    "EST",
    "EST5EDT",
    "Egypt",
    "Eire",
    "GB",
    "GB-Eire",
    "GMT",
    "GMT+0",
    "GMT-0",
    "GMT0",
    "Greenwich",
    "HST",
    "Hongkong",
    "Iceland",
    "Iran",
    "Israel",
    "Jamaica",
    "Japan",
    "Kwajalein",
    "Libya",
    "MET",
    "MST",
    "MST7MDT",
    "NZ",
    "NZ-CHAT",
    "Navajo",
    "PRC",
    "PST8PDT",
    "Poland",
    "Portugal",
    "ROC",
    "ROK",
    "Singapore",
    "Turkey",
    "UCT",
    "UTC",
    "Universal",
    "W-SU",
    "WET",
    "Zulu",
];

/// Whether a text has the shape of a zone. Which cities there are changes every year.
pub(super) fn is_zone(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    let place = |place: &str| {
        place.starts_with(|c: char| c.is_ascii_uppercase())
            && place.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    match text.split_once('/') {
        None => ZONES.contains(&text),
        Some((region, rest)) => REGIONS.contains(&region) && rest.split('/').all(place),
    }
}

/// The zone that was probably meant: the same with other letters.
fn near_zone(text: &str) -> Option<String> {
    let spaced = text.trim().replace(' ', "_");
    if let Some((region, rest)) = spaced.split_once('/') {
        let region = nearest(region, REGIONS.iter().copied())?;
        let word = |word: &str| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        };
        let rest: Vec<String> = rest.split('/').map(word).collect();
        return Some(format!("{region}/{}", rest.join("/"))).filter(|zone| is_zone(zone));
    }
    ZONES.iter().find(|zone| zone.eq_ignore_ascii_case(&spaced)).map(ToString::to_string)
}

/// Reports a text that is no DNS label, and offers one that looks like it.
fn dns_label(c: &mut Check<'_>) {
    if let Some(text) = c.text().filter(|text| !is_dns_label(text)) {
        let fix = as_dns_label(text).and_then(|label| Fix::set(&c.at, &label));
        c.report(&[&text]).fix(fix);
    }
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "cpu-sockets",
        path: "spec.vm.cpu.sockets",
        text: "sockets {} is outside 1 to 32",
        check: |c| c.between(1, 32),
        bad: &["spec.vm.cpu.sockets: 0", "spec.vm.cpu.sockets: 33", "spec.vm.cpu.sockets: 1.5"],
        good: &["spec.vm.cpu.sockets: 2"],
        ..ERROR
    },
    Rule {
        id: "cpu-threads",
        path: "spec.vm.cpu.threads",
        text: "threads {} is outside 1 to 8",
        check: |c| c.between(1, 8),
        bad: &["spec.vm.cpu.threads: 0", "spec.vm.cpu.threads: 9"],
        good: &["spec.vm.cpu.threads: 2"],
        ..ERROR
    },
    Rule {
        id: "cpu-topology",
        path: "spec.vm.cpu",
        text: "{} sockets x {} threads do not divide {} cores; a flat topology is used",
        check: |c| {
            let part = |name, most| {
                let spot = c.at.get(name);
                if spot.missing() { Some(1) } else { spot.int().filter(|number| (1..=most).contains(number)) }
            };
            let cpu =
                c.root().get("spec.containers").item(0).and_then(|container| container.get("cpu").word());
            let millis = cpu.filter(|word| is_quantity(word)).and_then(|word| parse_millis(&word));
            let cores = millis.filter(|millis| *millis >= 1000 && millis % 1000 == 0);
            let cores = cores.map(|millis| i64::from(millis / 1000));
            if let (Some(sockets), Some(threads), Some(cores)) =
                (part("sockets", 32), part("threads", 8), cores)
                && cores % (sockets * threads) != 0
            {
                c.report(&[&sockets, &threads, &cores]);
            }
        },
        bad: &[
            "spec.vm.cpu: {sockets: 2, threads: 2}",
            "spec.vm.cpu: {sockets: 3}",
            "spec.vm.cpu: {threads: 4}\n@container.cpu: 6000m",
        ],
        good: &[
            "spec.vm.cpu: {sockets: 2}",
            "spec.vm.cpu: {sockets: 2, threads: 2}\n@container.cpu: 8",
            "spec.vm.cpu: {}",
        ],
        ..WARNING
    },
    Rule {
        id: "firmware-bootloader",
        path: "spec.vm.firmware.bootloader",
        text: "bootloader \"{}\" is not efi or bios",
        check: |c| c.one_of(&["efi", "bios"]),
        bad: &["spec.vm.firmware.bootloader: uefi", "spec.vm.firmware.bootloader: BIOS"],
        good: &["spec.vm.firmware.bootloader: bios"],
        ..ERROR
    },
    Rule {
        id: "firmware-secure-boot",
        path: "spec.vm.firmware.secureBoot",
        text: "Secure Boot is not available: firmware variables are not kept",
        check: |c| {
            if c.at.truth() == Some(true) {
                let fix = Fix::set(&c.at, "false");
                c.report(&[]).fix(fix);
            }
        },
        bad: &["spec.vm.firmware.secureBoot: true"],
        good: &["spec.vm.firmware.secureBoot: false"],
        ..ERROR
    },
    Rule {
        id: "firmware-uuid",
        path: "spec.vm.firmware.uuid",
        text: "\"{}\" is not a version 4 UUID",
        check: |c| c.text_must(is_uuid_v4),
        bad: &[
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-128c-8861-06e72d69f223",
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-428c-c861-06e72d69f223",
            "spec.vm.firmware.uuid: 5d307ca9b3ef428c886106e72d69f223",
            "spec.vm.firmware.uuid: ''",
        ],
        good: &[
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223",
            "spec.vm.firmware.uuid: 5D307CA9-B3EF-428C-B861-06E72D69F223",
        ],
        ..ERROR
    },
    Rule {
        id: "firmware-uuid-replicas",
        path: "spec.vm.firmware.uuid",
        text: "all replicas would share the UUID {}",
        check: |c| {
            if let Some(uuid) = c.text().filter(|_| most_replicas(&c.root()) > 1) {
                c.report(&[&uuid]);
            }
        },
        bad: &[
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223\nspec.defaultOptions.autoscaling: {minScale: 2, maxScale: 2}",
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223\nspec.localOptions: [{location: here, autoscaling: {minScale: 3, maxScale: 3}}]",
        ],
        good: &[
            "spec.vm.firmware.uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223",
            "spec.defaultOptions.autoscaling: {minScale: 2, maxScale: 2}",
        ],
        ..WARNING
    },
    Rule {
        id: "firmware-serial",
        path: "spec.vm.firmware.serial",
        text: "firmware serial is longer than 64 characters",
        check: |c| c.shorter_than(64),
        bad: &["spec.vm.firmware.serial (65 times): A"],
        good: &["spec.vm.firmware.serial (64 times): A"],
        ..ERROR
    },
    Rule {
        id: "firmware-smbios-field",
        path: "spec.vm.firmware.smbios.*",
        text: "smbios has no field \"{}\"; known are manufacturer, product, version, sku, family",
        cel: because::PRUNED,
        check: |c| {
            let Some(key) = c.at.key().filter(|key| !SMBIOS.contains(key)) else { return };
            let at = c.at.clone();
            let holder = at.holder();
            let free = SMBIOS.iter().copied().filter(|name| holder.entry(name).is_none());
            let fix = match nearest(key, free) {
                Some(near) => Fix::rename(&at, near),
                None => Fix::remove(&at),
            };
            c.report_key(&at, &[&key]).fix(fix);
        },
        bad: &["spec.vm.firmware.smbios.vendor: Example", "spec.vm.firmware.smbios.Product: Seven"],
        good: &["spec.vm.firmware.smbios: {manufacturer: a, product: b, version: c, sku: d, family: e}"],
        ..ERROR
    },
    Rule {
        id: "firmware-smbios-length",
        path: "spec.vm.firmware.smbios.{manufacturer,product,version,sku,family}",
        text: "smbios {} is longer than 64 characters",
        check: |c| c.shorter_than(64),
        bad: &["spec.vm.firmware.smbios.product (65 times): A"],
        good: &["spec.vm.firmware.smbios.product (64 times): A"],
        ..ERROR
    },
    Rule {
        id: "firmware-smbios-unapplied",
        path: "spec.vm.firmware.smbios",
        text: "SMBIOS strings cannot be set per VM on this cluster",
        needs: Needs::Cluster,
        check: |c| {
            if !c.at.blank() && c.known.sets_smbios == Some(false) {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &["spec.vm.firmware.smbios: {product: Seven}\nknown: {setsSmbios: false}"],
        good: &[
            "spec.vm.firmware.smbios: {product: Seven}\nknown: {setsSmbios: true}",
            "spec.vm.firmware.smbios: {}\nknown: {setsSmbios: false}",
            "spec.vm.firmware.smbios: {product: Seven}",
        ],
        ..WARNING
    },
    Rule {
        id: "guest-os",
        path: "spec.vm.guestOS",
        text: "guestOS \"{}\" is not linux or windows",
        check: |c| c.one_of(&["linux", "windows"]),
        bad: &["spec.vm.guestOS: bsd", "spec.vm.guestOS: Windows"],
        good: &["spec.vm.guestOS: windows"],
        ..ERROR
    },
    Rule {
        id: "networks-one",
        path: "spec.vm.networks",
        text: "only one network interface is supported, found {}",
        check: |c| c.at_most(1),
        bad: &["spec.vm.networks: [{name: default}, {name: second}]"],
        good: &["spec.vm.networks: [{name: default}]", "spec.vm.networks: []"],
        ..ERROR
    },
    Rule {
        id: "network-name",
        path: "spec.vm.networks[0].name",
        text: "network name \"{}\" must be lower-case letters, digits, dashes, at most 15",
        check: |c| {
            let good = |name: &str| is_lower_dashed(name) && name.len() <= 15;
            if let Some(name) = c.text().filter(|name| !good(name)) {
                let fix =
                    as_dns_label(name).filter(|name| good(name)).and_then(|name| Fix::set(&c.at, &name));
                c.report(&[&name]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.networks: [{name: My_Net}]\nat spec.vm.networks[0].name",
            "spec.vm.networks: [{name: a123456789012345}]\nat spec.vm.networks[0].name",
            "spec.vm.networks: [{name: ''}]\nat spec.vm.networks[0].name",
        ],
        good: &["spec.vm.networks: [{name: a12345678901234}]", "spec.vm.networks: [{}]"],
        ..ERROR
    },
    Rule {
        id: "clock-timezone",
        path: "spec.vm.clock.timezone",
        text: "\"{}\" is not a time zone such as America/New_York",
        check: |c| {
            if let Some(text) = c.text().filter(|text| !is_zone(text)) {
                let fix = near_zone(text).and_then(|zone| Fix::set(&c.at, &zone));
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &[
            "spec.vm.clock.timezone: America/New York",
            "spec.vm.clock.timezone: europe/berlin\nunseen",
            "spec.vm.clock.timezone: Berlin\nunseen",
            "spec.vm.clock.timezone: '+02:00'",
            "spec.vm.clock.timezone: utc\nunseen",
            "spec.vm.clock.timezone: ''",
        ],
        good: &[
            "spec.vm.clock.timezone: America/Argentina/Buenos_Aires",
            "spec.vm.clock.timezone: Etc/GMT+2",
            "spec.vm.clock.timezone: UTC",
        ],
        ..ERROR
    },
    Rule {
        id: "hostname-pattern",
        path: "spec.vm.hostname",
        text: "hostname \"{}\" must be lower-case letters, digits and inner dashes, at most 63",
        check: dns_label,
        bad: &[
            "spec.vm.hostname: Web_1",
            "spec.vm.hostname: web.example.net",
            "spec.vm.hostname: -web",
            "spec.vm.hostname (64 times): a",
        ],
        good: &["spec.vm.hostname: web-1", "spec.vm.hostname (63 times): a"],
        ..ERROR
    },
    Rule {
        id: "hostname-replicas",
        path: "spec.vm.hostname",
        text: "all replicas would be called \"{}\"",
        check: |c| {
            if let Some(name) = c.text().filter(|_| most_replicas(&c.root()) > 1) {
                c.report(&[&name]);
            }
        },
        bad: &["spec.vm.hostname: web\nspec.defaultOptions.autoscaling: {minScale: 2, maxScale: 2}"],
        good: &["spec.vm.hostname: web\nspec.defaultOptions.autoscaling: {minScale: 1, maxScale: 1}"],
        ..WARNING
    },
    Rule {
        id: "subdomain-pattern",
        path: "spec.vm.subdomain",
        text: "subdomain \"{}\" must be lower-case letters, digits and inner dashes, at most 63",
        check: dns_label,
        bad: &["spec.vm.subdomain: Db", "spec.vm.subdomain: db-", "spec.vm.subdomain (64 times): a"],
        good: &["spec.vm.subdomain: db"],
        ..ERROR
    },
];
