//! Disks in `containers[0].volumes`.

use std::collections::HashMap;

use super::super::fix::Fix;
use super::super::patterns::{Link, as_dns_label, cpln_uri, is_dns_label};
use super::super::rule::{Check, ERROR, Rule, WARNING};
use super::super::source::Spot;
use super::references::{is_object_name, secret_uri};

/// What a virtio disk shows of its serial.
const SHOWN: usize = 20;

const BUSES: &[&str] = &["virtio", "sata", "scsi"];

/// The same object as a disk names it: links of other fields are close.
fn as_disk(text: &str) -> Option<String> {
    let of = |kind| Link::read(text, kind).map(|link| format!("cpln://{kind}/{}", link.name));
    of("volumeset").or_else(|| of("secret"))
}

fn is_serial(serial: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-');
    serial.len() <= 256 && serial.bytes().all(good)
}

/// Whether a disk is on the virtio bus. A CD-ROM without a bus is not.
fn on_virtio(disk: &Spot<'_>) -> bool {
    match disk.get("bus").text() {
        Some(bus) => bus == "virtio",
        None => disk.get("cdrom").truth() != Some(true),
    }
}

/// What the guest sees as the serial of a disk.
fn shown_serial<'a>(disk: &Spot<'a>) -> Option<&'a str> {
    let own = disk.get("serial").text().filter(|serial| !serial.is_empty());
    let serial = own.or_else(|| disk.get("name").text())?;
    let end = serial.char_indices().nth(SHOWN).map_or(serial.len(), |(end, _)| end);
    if on_virtio(disk) { serial.get(..end) } else { Some(serial) }
}

/// Every disk with its name and its place in the boot order.
fn boot_orders<'a>(c: &Check<'a>) -> Vec<(&'a str, i64, Spot<'a>)> {
    let root = c.root();
    let mut orders = Vec::new();
    let boot = root.get("spec.vm.bootDisk");
    if boot.is_map() {
        let order = boot.get("bootOrder");
        if let Some(number) = if order.missing() { Some(1) } else { order.int() } {
            orders.push(("rootdisk", number, order));
        }
    }
    let containers = root.get("spec.containers").item(0);
    for disk in containers.iter().flat_map(|container| container.get("volumes").items()) {
        let order = disk.get("bootOrder");
        let secret = disk.get("uri").text().is_some_and(|uri| secret_uri(uri).is_some());
        if let Some(number) = order.int().filter(|_| !secret) {
            orders.push((disk.get("name").text().unwrap_or("?"), number, order));
        }
    }
    orders
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "volumes-count",
        path: "@container.volumes",
        text: "at most 15 disks can be attached, found {}",
        check: |c| c.at_most(15),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a}, {uri: 'cpln://volumeset/b', name: b}, \
             {uri: 'cpln://volumeset/c', name: c}, {uri: 'cpln://volumeset/d', name: d}, \
             {uri: 'cpln://volumeset/e', name: e}, {uri: 'cpln://volumeset/f', name: f}, \
             {uri: 'cpln://volumeset/g', name: g}, {uri: 'cpln://volumeset/h', name: h}, \
             {uri: 'cpln://volumeset/i', name: i}, {uri: 'cpln://volumeset/j', name: j}, \
             {uri: 'cpln://volumeset/k', name: k}, {uri: 'cpln://volumeset/l', name: l}, \
             {uri: 'cpln://volumeset/m', name: m}, {uri: 'cpln://volumeset/n', name: q}, \
             {uri: 'cpln://volumeset/o', name: o}, {uri: 'cpln://volumeset/p', name: p}]",
        ],
        good: &["@container.volumes: []", "@container.volumes: [{uri: 'cpln://volumeset/a', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-uri-required",
        path: "@container.volumes[].uri",
        text: "the disk needs a uri",
        check: |c| c.required(),
        bad: &[
            "@container.volumes: [{name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{name: a, uri: ''}]\nat @container.volumes[0].uri",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-uri-scheme",
        path: "@container.volumes[].uri",
        text: "\"{}\" cannot be a VM disk; use cpln://volumeset/<name> or cpln://secret/<name>",
        check: |c| {
            let disk = |uri: &str| cpln_uri(uri, "volumeset").or_else(|| cpln_uri(uri, "secret")).is_some();
            if let Some(uri) = c.text().filter(|uri| !uri.is_empty() && !disk(uri)) {
                let fix = as_disk(uri).and_then(|uri| Fix::set(&c.at, &uri));
                c.report(&[&uri]).fix(fix);
            }
        },
        bad: &[
            "@container.volumes: [{uri: 's3://bucket', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: data, name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: '//secret/key', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'cpln://workload/a', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'scratch://a', name: a}]\nat @container.volumes[0].uri",
        ],
        good: &["@container.volumes: [{uri: 'cpln://secret/a', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-uri-name",
        path: "@container.volumes[].uri",
        text: "\"{}\" does not name a volume set or secret",
        check: |c| {
            c.text_must(|uri| match (cpln_uri(uri, "volumeset"), secret_uri(uri)) {
                (Some(name), _) | (_, Some((name, _))) => is_object_name(name),
                _ => true,
            });
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'cpln://volumeset/My Data', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'cpln://volumeset/data/0', name: a}]\nat @container.volumes[0].uri",
            "@container.volumes: [{uri: 'cpln://secret/-', name: a}]\nat @container.volumes[0].uri",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/data-1', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-uri-secret-key",
        path: "@container.volumes[].uri",
        text: "a disk carries the whole secret; leave out \".{}\"",
        check: |c| {
            if let Some((name, Some(key))) = c.text().and_then(secret_uri)
                && is_object_name(name)
            {
                let fix = Fix::set(&c.at, &format!("cpln://secret/{name}"));
                c.report(&[&key]).fix(fix);
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/tls.key', name: a}]\nat @container.volumes[0].uri",
        ],
        good: &["@container.volumes: [{uri: 'cpln://secret/tls', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-name-required",
        path: "@container.volumes[].name",
        text: "the disk needs a name",
        check: |c| c.required(),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a'}]\nat @container.volumes[0].name",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: ''}]\nat @container.volumes[0].name",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-name-pattern",
        path: "@container.volumes[].name",
        text: "disk name \"{}\" must be lower-case letters, digits and inner dashes, at most 63",
        check: |c| {
            if let Some(name) = c.text().filter(|name| !name.is_empty() && !is_dns_label(name)) {
                let fix = as_dns_label(name).and_then(|name| Fix::set(&c.at, &name));
                c.report(&[&name]).fix(fix);
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: My_Data}]\nat @container.volumes[0].name",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: data-}]\nat @container.volumes[0].name",
            "@container.volumes[0]: {uri: 'cpln://volumeset/a'}\n@container.volumes[0].name (64 times): a\nat @container.volumes[0].name",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: data-1}]",
            "@container.volumes[0]: {uri: 'cpln://volumeset/a'}\n@container.volumes[0].name (63 times): a",
        ],
        ..ERROR
    },
    Rule {
        id: "volume-name-duplicate",
        path: "@container.volumes",
        text: "two disks are named \"{}\"",
        check: |c| {
            let names = c.at.items().map(|disk| disk.get("name"));
            c.no_text_twice(names.filter(|name| !name.blank()));
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a}, {uri: 'cpln://volumeset/b', name: a}]\nat @container.volumes[1].name",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a}, {uri: 'cpln://volumeset/b', name: b}]",
        ],
        ..ERROR
    },
    Rule {
        id: "volume-name-reserved",
        path: "@container.volumes[].name",
        text: "disk name \"{}\" is used by the platform",
        check: |c| c.text_must(|name| !matches!(name, "rootdisk" | "cloudinit")),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: rootdisk}]\nat @container.volumes[0].name",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: cloudinit}]\nat @container.volumes[0].name",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: root}]"],
        ..ERROR
    },
    Rule {
        id: "volume-path-forbidden",
        path: "@container.volumes[].path",
        text: "a VM disk has no mount path; the guest mounts it",
        check: |c| c.forbidden(),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, path: /data}]\nat @container.volumes[0].path",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a}]"],
        ..ERROR
    },
    Rule {
        id: "volume-recovery-policy",
        path: "@container.volumes[].recoveryPolicy",
        text: "recoveryPolicy \"{}\" is not retain or recycle",
        check: |c| c.one_of(&["retain", "recycle"]),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, recoveryPolicy: keep}]\nat @container.volumes[0].recoveryPolicy",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a, recoveryPolicy: recycle}]"],
        ..ERROR
    },
    Rule {
        id: "volume-recovery-policy-unused",
        path: "@container.volumes[].recoveryPolicy",
        text: "recoveryPolicy is no longer used",
        check: |c| {
            if matches!(c.text(), Some("retain" | "recycle")) {
                c.forbidden();
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, recoveryPolicy: retain}]\nat @container.volumes[0].recoveryPolicy",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a}]"],
        ..WARNING
    },
    Rule {
        id: "volume-bus",
        path: "@container.volumes[].bus",
        text: "bus \"{}\" is not one of virtio, sata, scsi",
        check: |c| c.one_of(BUSES),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: nvme}]\nat @container.volumes[0].bus",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: SATA}]\nat @container.volumes[0].bus",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: sata}]"],
        ..ERROR
    },
    Rule {
        id: "volume-serial-charset",
        path: "@container.volumes[].serial",
        text: "serial \"{}\" may hold letters, digits and _.+- only",
        check: |c| c.text_must(is_serial),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: 'PG DATA'}]\nat @container.volumes[0].serial",
            "@container.volumes[0]: {uri: 'cpln://volumeset/a', name: a}\n@container.volumes[0].serial (257 times): A\nat @container.volumes[0].serial",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: PG_data.1+2-3}]"],
        ..ERROR
    },
    Rule {
        id: "volume-serial-cut",
        path: "@container.volumes[].serial",
        text: "a virtio disk shows only the first 20 characters of its serial (\"{}\")",
        check: |c| {
            let disk = c.at.holder();
            let long = c.text().filter(|serial| serial.len() > SHOWN && is_serial(serial));
            if let (Some(_), Some(shown)) = (long.filter(|_| on_virtio(&disk)), shown_serial(&disk)) {
                c.report(&[&shown]);
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: A12345678901234567890}]\nat @container.volumes[0].serial",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: virtio, serial: A12345678901234567890}]\nat @container.volumes[0].serial",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: A1234567890123456789}]",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: scsi, serial: A12345678901234567890}]",
        ],
        ..WARNING
    },
    Rule {
        id: "volume-serial-duplicate",
        path: "@container.volumes",
        text: "two disks would show the serial \"{}\"",
        check: |c| {
            let mut seen: HashMap<&str, Spot<'_>> = HashMap::new();
            for disk in c.at.items() {
                let Some(shown) = shown_serial(&disk).filter(|shown| !shown.is_empty()) else { continue };
                let Some(first) = seen.get(shown) else {
                    seen.insert(shown, disk);
                    continue;
                };
                let (own, other) = (disk.get("serial"), first.get("serial"));
                // Two disks with one name and no serial are the mistake of the name.
                if own.blank() && other.blank() && disk.get("name").same(&first.get("name")) {
                    continue;
                }
                c.report_at(&if own.exists() { own } else { disk.get("name") }, &[&shown]);
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: X}, {uri: 'cpln://volumeset/b', name: b, serial: X}]\nat @container.volumes[1].serial",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: A12345678901234567890}, {uri: 'cpln://volumeset/b', name: b, serial: A12345678901234567899}]\nat @container.volumes[1].serial",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: b}, {uri: 'cpln://volumeset/b', name: b}]\nat @container.volumes[1].name\nunseen",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, serial: X}, {uri: 'cpln://volumeset/b', name: b, serial: Z}]",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bus: sata, serial: A12345678901234567890}, {uri: 'cpln://volumeset/b', name: b, bus: sata, serial: A12345678901234567899}]",
        ],
        with: &["volume-serial-cut"],
        ..ERROR
    },
    Rule {
        id: "volume-cdrom-virtio",
        path: "@container.volumes[].cdrom",
        text: "a CD-ROM cannot be on the virtio bus; use sata or scsi",
        check: |c| {
            let bus = c.at.holder().get("bus");
            if c.at.truth() == Some(true) && bus.text() == Some("virtio") {
                let fix = Fix::set(&bus, "sata").map(|fix| fix.labelled("put it on the sata bus"));
                c.report(&[]).fix(fix);
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, cdrom: true, bus: virtio}]\nat @container.volumes[0].cdrom",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, cdrom: true, bus: sata}]",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, cdrom: true}]",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, cdrom: false, bus: virtio}]",
        ],
        ..ERROR
    },
    Rule {
        id: "volume-boot-order",
        path: "@container.volumes[].bootOrder",
        text: "bootOrder {} is outside 1 to 16",
        check: |c| c.between(1, 16),
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 0}]\nat @container.volumes[0].bootOrder",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 17}]\nat @container.volumes[0].bootOrder",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 2.5}]\nat @container.volumes[0].bootOrder",
        ],
        good: &["@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 16}]"],
        ..ERROR
    },
    Rule {
        id: "boot-order-duplicate",
        text: "bootOrder {} is used by \"{}\" and \"{}\"",
        check: |c| {
            let mut seen: HashMap<i64, &str> = HashMap::new();
            for (name, order, at) in boot_orders(c) {
                match seen.get(&order) {
                    Some(first) => _ = c.report_at(&at, &[&order, first, &name]),
                    None => _ = seen.insert(order, name),
                }
            }
        },
        bad: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 1}]\nat @container.volumes[0].bootOrder",
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 3}, {uri: 'cpln://volumeset/b', name: b, bootOrder: 3}]\nat @container.volumes[1].bootOrder",
            "spec.vm.bootDisk.bootOrder: 2\n@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 2}]\nat @container.volumes[0].bootOrder",
        ],
        good: &[
            "@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 2}]",
            "spec.vm.bootDisk.bootOrder: 2\n@container.volumes: [{uri: 'cpln://volumeset/a', name: a, bootOrder: 1}]",
        ],
        ..ERROR
    },
    Rule {
        id: "volume-secret-boot-order",
        path: "@container.volumes[].bootOrder",
        text: "a secret disk cannot be booted",
        check: |c| {
            let secret = c.at.holder().get("uri").text().is_some_and(|uri| secret_uri(uri).is_some());
            if secret && !c.at.missing() {
                c.forbidden();
            }
        },
        bad: &[
            "spec.identityLink: //identity/web\n@container.volumes: [{uri: 'cpln://secret/a', name: a, bootOrder: 2}]\nat @container.volumes[0].bootOrder",
        ],
        good: &["@container.volumes: [{uri: 'cpln://secret/a', name: a}]"],
        ..ERROR
    },
];
