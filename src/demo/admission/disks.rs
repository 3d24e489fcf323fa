//! Disks, and the order of booting. Checks of the real ones in `pkg/storage/admitters/disks.go`.

use std::collections::BTreeSet;

use super::place::{Causes, Check, Spot, label_faults};

const TARGETS: &[&str] = &["disk", "lun", "cdrom"];
const BUSES: [&str; 4] = ["virtio", "scsi", "sata", "usb"];

/// The longest serial number.
const LONGEST: usize = 256;

/// Checks of one disk, in the order of their causes.
const DISK: &[Check] = &[target, order, bus, serial, cache, io, error_policy];

/// Disks that have no volume, and places in the order of booting that are taken. At `spec` of an instance.
pub(super) fn boot_order(spec: &Spot<'_>, causes: &mut Causes) {
    let volumes = spec.get("volumes");
    let mut taken = BTreeSet::new();
    for disk in spec.get("domain.devices.disks").items() {
        let name = disk.get("name").text();
        let volume = volumes.named(name);
        if volume.is_none() && !disk.get("cdrom").is_set() {
            causes.invalid(disk.at("name"), format!("{} '{name}' not found.", disk.at("Name")));
        }
        let of_claim =
            |volume: &Spot<'_>| !volume.set_of(&["persistentVolumeClaim", "dataVolume"]).is_empty();
        if disk.get("lun").is_set() && volume.is_some_and(|volume| !of_claim(&volume)) {
            let at = disk.at("lun");
            causes.invalid(
                &at,
                format!("{at} can only be mapped to a DataVolume or PersistentVolumeClaim volume."),
            );
        }
        taken_twice(&disk.get("bootOrder"), &mut taken, causes);
    }
    for interface in spec.get("domain.devices.interfaces").items() {
        let order = interface.get("bootOrder");
        if order.is_set() && order.number() < 1 {
            // The real one leaves out where the interfaces stand.
            let at = interface.path.replace("domain.devices.interfaces", "").replace(".[", "[");
            causes
                .invalid(format!("{at}.bootOrder"), format!("{at} must have a boot order > 0, if supplied"));
        } else {
            taken_twice(&order, &mut taken, causes);
        }
    }
}

fn taken_twice(order: &Spot<'_>, taken: &mut BTreeSet<i64>, causes: &mut Causes) {
    if order.is_set() && !taken.insert(order.number()) {
        let text = format!("Boot order for {} already set for a different device.", order.path);
        causes.invalid(&order.path, text);
    }
}

/// The disks themselves. At `spec` of an instance.
pub(super) fn disks(spec: &Spot<'_>, causes: &mut Causes) {
    let all = spec.get("domain.devices.disks");
    let before: Vec<Spot<'_>> = all.items().collect();
    for (place, disk) in before.iter().enumerate() {
        let name = disk.get("name").text();
        for other in before.iter().take(place).filter(|other| other.get("name").text() == name) {
            let text = format!("{} and {} must not have the same Name.", disk.path, other.path);
            causes.invalid(disk.at("name"), text);
        }
        DISK.iter().for_each(|check| check(disk, causes));
        for fault in label_faults(name) {
            // So the real one calls it: the path of the list, and below it that path once more.
            causes.invalid(format!("{}.domain.devices.disks[{place}].name", all.path), fault);
        }
    }
}

fn target(disk: &Spot<'_>, causes: &mut Causes) {
    if disk.set_of(TARGETS).len() > 1 {
        causes.invalid(&disk.path, format!("{} can only have a single target type defined", disk.path));
    }
}

fn order(disk: &Spot<'_>, causes: &mut Causes) {
    let order = disk.get("bootOrder");
    if order.is_set() && order.number() < 1 {
        causes.invalid(&order.path, format!("{} must have a boot order > 0, if supplied", disk.path));
    }
}

fn bus(disk: &Spot<'_>, causes: &mut Causes) {
    let Some(kind) = disk.set_of(TARGETS).into_iter().next() else { return };
    let bus = disk.get(kind).get("bus");
    match (bus.text(), kind) {
        ("", _) => {}
        ("ide", _) => causes.invalid(&bus.path, "IDE bus is not supported"),
        ("virtio", "cdrom") => causes.invalid(&bus.path, "Bus type virtio is invalid for CD-ROM device"),
        ("sata", "disk") if disk.get("disk.readonly").yes() => {
            causes.invalid(&bus.path, "sata hard-disks do not support read-only.");
        }
        (text, _) if !BUSES.contains(&text) => {
            let known = BUSES.join(" ");
            causes.invalid(
                &bus.path,
                format!("{} is set with an unrecognized bus {text}, must be one of: [{known}]", disk.path),
            );
        }
        _ => {}
    }
    if disk.get("dedicatedIOThread").yes() && !matches!(bus.text(), "" | "virtio") {
        let text = format!("IOThreads are not supported for disks on a {} bus", bus.text());
        causes.unsupported(&disk.path, text);
    }
    let lun = disk.get("lun");
    if lun.get("reservation").yes() && lun.get("bus").text() != "scsi" {
        let text = format!(
            "Persistent reservation requires a SCSI bus, but {} was specified",
            lun.get("bus").text()
        );
        causes.invalid(lun.at("bus"), text);
    }
}

/// Whether a text is of the characters that a serial number may have.
pub(super) fn is_serial(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte))
}

fn serial(disk: &Spot<'_>, causes: &mut Causes) {
    let serial = disk.get("serial");
    if !is_serial(serial.text()) {
        causes.invalid(
            &serial.path,
            format!(
                "{} must be made up of the following characters [A-Za-z0-9_.+-], if specified",
                disk.path
            ),
        );
    }
    if serial.text().chars().count() > LONGEST {
        let text = format!("{} must be less than or equal to {LONGEST} in length, if specified", disk.path);
        causes.invalid(&serial.path, text);
    }
}

fn cache(disk: &Spot<'_>, causes: &mut Causes) {
    let cache = disk.get("cache");
    if !matches!(cache.text(), "" | "none" | "writethrough" | "writeback" | "directsync") {
        causes.invalid(&cache.path, format!("{} has invalid value {}", cache.path, cache.text()));
    }
}

fn io(disk: &Spot<'_>, causes: &mut Causes) {
    let io = disk.get("io");
    if !matches!(io.text(), "" | "native" | "threads") {
        let list = disk.path.rsplit_once('[').map_or("", |(list, _)| list);
        let text = format!("Disk IO mode for {list} is not supported. Supported modes are: native, threads.");
        causes.unsupported(&io.path, text);
    }
}

fn error_policy(disk: &Spot<'_>, causes: &mut Causes) {
    let policy = disk.get("errorPolicy");
    if !matches!(policy.text(), "" | "stop" | "ignore" | "report" | "enospace") {
        causes.invalid(&policy.path, format!("{} has invalid value {:?}", policy.path, policy.text()));
    }
}
