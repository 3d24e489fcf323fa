//! Disks and other devices of the guest.

use super::super::{GUEST_ERROR, GUEST_WARNING, absent_name, chosen, guest, named};
use crate::rules::fix::Fix;
use crate::rules::patterns::nearest;
use crate::rules::rule::{Check, Needs, Rule};
use crate::rules::source::Spot;

const TARGETS: &[&str] = &["disk", "lun", "cdrom"];

/// The names that come a second time in a list.
pub(super) fn twice(c: &mut Check<'_>) {
    let names: Vec<Spot<'_>> = c.at.items().map(|item| item.get("name")).collect();
    c.no_text_twice(names);
}

fn check_bus(c: &mut Check<'_>) {
    let good: &[&str] = if c.at.holder().key() == Some("cdrom") {
        &["sata", "scsi"]
    } else {
        &["virtio", "scsi", "sata", "usb"]
    };
    if let Some(bus) = c.text().filter(|bus| !bus.is_empty() && !good.contains(bus)) {
        // IDE is what old machines had; SATA is its successor in every guest.
        let near = if bus == "ide" { Some("sata") } else { nearest(bus, good.iter().copied()) };
        let fix = near.and_then(|near| Fix::set(&c.at, near));
        c.report(&[&bus, &good.join(", ")]).fix(fix);
    }
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-disk-without-volume",
        path: "@guest.domain.devices.disks[].name",
        text: "disk \"{}\" has no volume of this name",
        check: |c| {
            let volumes = guest(c).get("volumes");
            let empty_drive = c.at.holder().get("cdrom").exists();
            let Some(name) = c.text().filter(|name| !empty_drive && named(&volumes, name).is_none()) else {
                return;
            };
            let disks = guest(c).get("domain.devices.disks");
            let free = volumes.items().filter_map(|volume| volume.get("name").text());
            let near = nearest(name, free.filter(|volume| named(&disks, volume).is_none()));
            let fix = near.and_then(|near| Fix::set(&c.at, near));
            c.report(&[&name]).fix(fix);
        },
        bad: &[
            "@guest.domain.devices.disks[1]: {name: data, disk: {bus: virtio}}\nat @guest.domain.devices.disks[1].name",
            "@guest.domain.devices.disks[0].name: rot",
        ],
        good: &["@guest.domain.devices.disks[1]: {name: drive, cdrom: {bus: sata}}"],
        with: &["kubevirt-volume-without-disk"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-name-twice",
        path: "@guest.domain.devices.disks",
        text: "disk \"{}\" is there twice",
        check: twice,
        bad: &[
            "@guest.domain.devices.disks[1]: {name: root, disk: {bus: sata}}\nat @guest.domain.devices.disks[1].name",
        ],
        good: &["@guest.domain.devices.disks[0].serial: a"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-name-missing",
        path: "@guest.domain.devices.disks[].name",
        text: "a disk needs the name of its volume",
        check: |c| c.required(),
        bad: &["!@guest.domain.devices.disks[0].name"],
        good: &["@guest.domain.devices.disks[0].serial: a"],
        with: &["kubevirt-volume-without-disk"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-bus",
        path: "@guest.domain.devices.disks[].{disk,lun,cdrom}.bus",
        text: "bus \"{}\" is not one of {}",
        check: check_bus,
        bad: &[
            "@guest.domain.devices.disks[0].disk.bus: nvme",
            "@guest.domain.devices.disks[0].disk.bus: ide",
            "@guest.domain.devices.disks[0]: {name: root, cdrom: {bus: virtio}}\nat @guest.domain.devices.disks[0].cdrom.bus",
        ],
        good: &[
            "@guest.domain.devices.disks[0].disk.bus: usb",
            "@guest.domain.devices.disks[0]: {name: root, cdrom: {bus: scsi}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-bus-default",
        path: "@guest.domain.devices.disks[]",
        text: "no bus is set; the default is sata on amd64, slower than virtio",
        check: |c| {
            let Some(target) = chosen(&c.at, TARGETS).into_iter().next() else {
                if c.at.is_map() {
                    let fix = Fix::add(&c.at, "disk", "{\"bus\": \"virtio\"}");
                    c.report(&[]).fix(fix);
                }
                return;
            };
            if target.key() != Some("cdrom")
                && (target.is_map() || target.blank())
                && target.get("bus").blank()
            {
                c.report_key(&target, &[]);
            }
        },
        bad: &["@guest.domain.devices.disks[0].disk: {}", "@guest.domain.devices.disks[0]: {name: root}"],
        good: &[
            "@guest.domain.devices.disks[0].disk: {bus: sata}",
            "@guest.domain.devices.disks[0]: {name: root, cdrom: {}}",
        ],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-disk-target",
        path: "@guest.domain.devices.disks[]",
        text: "a disk is one of disk, lun and cdrom, found {}",
        check: |c| {
            let found = chosen(&c.at, TARGETS);
            if let [_, second, ..] = found.as_slice() {
                c.report_key(second, &[&found.len()]);
            }
        },
        bad: &["@guest.domain.devices.disks[0].lun: {bus: sata}"],
        good: &["@guest.domain.devices.disks[0]: {name: root, lun: {bus: scsi}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-boot-order",
        path: "@guest.domain.devices.{disks,interfaces}",
        text: "boot order {} is less than 1",
        check: |c| {
            for order in c.at.items().map(|item| item.get("bootOrder")) {
                if let Some(number) = order.int().filter(|number| *number < 1) {
                    c.report_at(&order, &[&number]);
                }
            }
        },
        bad: &["@guest.domain.devices.disks[0].bootOrder: 0"],
        good: &["@guest.domain.devices.disks[0].bootOrder: 1"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-boot-order-twice",
        path: "@guest.domain.devices",
        text: "boot order {} is taken by another device",
        check: |c| {
            let items: Vec<Spot<'_>> =
                c.at.get("disks").items().chain(c.at.get("interfaces").items()).collect();
            let orders: Vec<Spot<'_>> =
                items.iter().map(|item| item.get("bootOrder")).filter(Spot::exists).collect();
            c.no_text_twice(orders);
        },
        bad: &[
            "@guest.domain.devices.disks[0].bootOrder: 1\n@guest.domain.devices.interfaces[0].bootOrder: 1\nat @guest.domain.devices.interfaces[0].bootOrder",
        ],
        good: &[
            "@guest.domain.devices.disks[0].bootOrder: 1\n@guest.domain.devices.interfaces[0].bootOrder: 2",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-serial",
        path: "@guest.domain.devices.disks[].serial",
        text: "serial \"{}\" may have 256 letters, digits and any of _.+- at most",
        check: |c| {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-');
            c.text_must(|serial| serial.len() <= 256 && serial.bytes().all(good));
        },
        bad: &["@guest.domain.devices.disks[0].serial: a b"],
        good: &["@guest.domain.devices.disks[0].serial: WD-1.2+3_4"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-cache",
        path: "@guest.domain.devices.disks[].cache",
        text: "cache \"{}\" is not one of none, writethrough, writeback",
        check: |c| c.one_of(&["none", "writethrough", "writeback"]),
        bad: &["@guest.domain.devices.disks[0].cache: fast"],
        good: &["@guest.domain.devices.disks[0].cache: none"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-io",
        path: "@guest.domain.devices.disks[].io",
        text: "io \"{}\" is not one of native, threads",
        check: |c| c.one_of(&["native", "threads"]),
        bad: &["@guest.domain.devices.disks[0].io: fast"],
        good: &["@guest.domain.devices.disks[0].io: native"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-disk-error-policy",
        path: "@guest.domain.devices.disks[].errorPolicy",
        text: "errorPolicy \"{}\" is not one of stop, ignore, report, enospace",
        check: |c| c.one_of(&["stop", "ignore", "report", "enospace"]),
        bad: &["@guest.domain.devices.disks[0].errorPolicy: retry"],
        good: &["@guest.domain.devices.disks[0].errorPolicy: report"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-input",
        path: "@guest.domain.devices.inputs[]",
        text: "an input device is of type tablet, on bus usb or virtio",
        check: |c| {
            let (kind, bus) = (c.at.get("type"), c.at.get("bus"));
            if kind.text().is_some_and(|kind| kind != "tablet") {
                let fix = Fix::set(&kind, "tablet");
                c.report_at(&kind, &[]).fix(fix);
            } else if bus.text().is_some_and(|bus| !matches!(bus, "" | "usb" | "virtio")) {
                c.report_at(&bus, &[]);
            }
        },
        bad: &[
            "@guest.domain.devices.inputs: [{name: a, type: keyboard, bus: usb}]\nat @guest.domain.devices.inputs[0].type",
            "@guest.domain.devices.inputs: [{name: a, type: tablet, bus: ps2}]\nat @guest.domain.devices.inputs[0].bus",
        ],
        good: &["@guest.domain.devices.inputs: [{name: a, type: tablet, bus: virtio}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-host-device-gate",
        path: "@guest.domain.devices.hostDevices",
        text: "host devices need the feature gate HostDevices, which is closed",
        needs: Needs::Cluster,
        check: |c| {
            let known = c.known.gates.as_deref();
            if c.at.count() > 0 && absent_name(known, "HostDevices") {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "@guest.domain.devices.hostDevices: [{name: a, deviceName: vendor.example/a}]\nknown: {gates: [Snapshot]}",
        ],
        good: &["@guest.domain.devices.hostDevices: [{name: a, deviceName: vendor.example/a}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-device-unknown",
        path: "@guest.domain.devices.{gpus,hostDevices}",
        text: "no node hands out \"{}\"; the machine cannot be placed",
        needs: Needs::Cluster,
        check: |c| {
            for name in c.at.items().map(|item| item.get("deviceName")) {
                if let Some(text) = name.text().filter(|text| absent_name(c.known.devices.as_deref(), text)) {
                    c.report_at(&name, &[&text]);
                }
            }
        },
        bad: &[
            "@guest.domain.devices.gpus: [{name: a, deviceName: vendor.example/gone}]\nknown: {devices: [vendor.example/a]}\nat @guest.domain.devices.gpus[0].deviceName",
        ],
        good: &[
            "@guest.domain.devices.gpus: [{name: a, deviceName: vendor.example/a}]\nknown: {devices: [vendor.example/a]}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-watchdog-action",
        path: "@guest.domain.devices.watchdog.{i6300esb,diag288}",
        text: "the watchdog does not say what to do; action is reset by default",
        check: |c| {
            if c.at.exists() && c.at.get("action").blank() {
                let at = c.at.clone();
                c.report_key(&at, &[]);
            }
        },
        bad: &[
            "@guest.domain.devices.watchdog: {name: dog, i6300esb: {}}\nat @guest.domain.devices.watchdog.i6300esb",
        ],
        good: &["@guest.domain.devices.watchdog: {name: dog, i6300esb: {action: poweroff}}"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-tpm-persistent",
        path: "@guest.domain.devices.tpm.persistent",
        text: "a persistent TPM needs a volume of its own from the cluster's storage; without a class for it the machine stays Starting",
        check: |c| {
            if c.at.truth() == Some(true) {
                c.report(&[]);
            }
        },
        bad: &["@guest.domain.devices.tpm: {persistent: true}\nat @guest.domain.devices.tpm.persistent"],
        good: &["@guest.domain.devices.tpm: {}"],
        ..GUEST_WARNING
    },
    Rule {
        id: "kubevirt-no-console",
        path: "@guest.domain.devices.{autoattachSerialConsole,autoattachGraphicsDevice}",
        text: "without it there is no way to see the machine boot",
        check: |c| {
            if c.at.truth() == Some(false) {
                c.report(&[]);
            }
        },
        bad: &["@guest.domain.devices.autoattachSerialConsole: false"],
        good: &["@guest.domain.devices.autoattachSerialConsole: true"],
        ..GUEST_WARNING
    },
];
