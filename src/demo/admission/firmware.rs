//! Firmware, machine type, architecture. All checks are at `spec` of an instance.

use super::disks::is_serial;
use super::place::{Causes, Spot};
use super::volumes::file;

/// Architectures with their machine types, as patterns and as what is taken where none is set.
pub(super) const ARCHITECTURES: [(&str, &[&str], &str); 3] = [
    ("amd64", &["q35*", "pc-q35*"], "q35"),
    ("arm64", &["virt*"], "virt"),
    ("s390x", &["s390-ccw-virtio*"], "s390-ccw-virtio"),
];

/// The architecture where none is set.
pub(super) const ARCHITECTURE: &str = "amd64";

/// A machine type that the cluster does not have.
pub(super) fn machine_type(spec: &Spot<'_>, causes: &mut Causes) {
    let wanted = spec.get("domain.machine.type");
    let architecture = match spec.get("architecture").text() {
        "" => ARCHITECTURE,
        text => text,
    };
    let Some((_, known, _)) = ARCHITECTURES.iter().find(|row| row.0 == architecture) else { return };
    let matches = |pattern: &&str| wanted.text().starts_with(pattern.trim_end_matches('*'));
    if !wanted.text().is_empty() && !known.iter().any(matches) {
        let text = format!(
            "{} is not supported: {} (allowed values: [{}])",
            wanted.path,
            wanted.text(),
            known.join(" ")
        );
        causes.invalid(&wanted.path, text);
    }
}

/// An architecture that no node has.
pub(super) fn architecture(spec: &Spot<'_>, causes: &mut Causes) {
    let wanted = spec.get("architecture");
    if !ARCHITECTURES.iter().any(|row| row.0 == wanted.text()) {
        causes.invalid(&wanted.path, format!("unsupported architecture: {}", wanted.text()));
    }
}

/// The serial number of the machine.
pub(super) fn serial(spec: &Spot<'_>, causes: &mut Causes) {
    let serial = spec.get("domain.firmware.serial");
    if serial.text().len() > 256 {
        let text = format!("{} must be less than or equal to 256 in length, if specified", serial.path);
        causes.invalid(&serial.path, text);
    }
    if !is_serial(serial.text()) {
        let text = format!(
            "{} must be made up of the following characters [A-Za-z0-9_.+-], if specified",
            serial.path
        );
        causes.invalid(&serial.path, text);
    }
}

/// How the guest boots.
pub(super) fn boot(spec: &Spot<'_>, causes: &mut Causes) {
    let domain = spec.get("domain");
    let loader = domain.get("firmware.bootloader");
    if loader.set_of(&["efi", "bios"]).len() == 2 {
        let text =
            format!("{} has both EFI and BIOS configured, but they are mutually exclusive.", loader.path);
        causes.invalid(&loader.path, text);
    }
    kernel(&domain.get("firmware.kernelBoot"), causes);
    let efi = loader.get("efi");
    let secure = efi.is_set() && efi.get("secureBoot").value.as_bool().unwrap_or(true);
    let smm = domain.get("features.smm");
    let guarded = smm.is_set() && smm.get("enabled").value.as_bool().unwrap_or(true);
    if secure && !guarded {
        let text = format!(
            "{} has EFI SecureBoot enabled. SecureBoot requires SMM, which is currently disabled.",
            domain.path
        );
        causes.invalid(&domain.path, text);
    }
}

fn kernel(boot: &Spot<'_>, causes: &mut Causes) {
    let container = boot.get("container");
    if !container.is_set() {
        if !boot.get("kernelArgs").text().is_empty() {
            let text = "kernel arguments cannot be provided without an external kernel";
            causes.invalid(boot.at("kernelArgs"), text);
        }
        return;
    }
    if container.get("image").text().is_empty() {
        causes.required(container.at("image"), format!("{} must be defined with an image", container.path));
    }
    let paths = ["kernelPath", "initrdPath"].map(|field| container.get(field));
    if paths.iter().all(|path| path.text().is_empty()) {
        let text = format!(
            "{} must be defined with at least one of the following: kernelPath, initrdPath",
            container.path
        );
        causes.required(&container.path, text);
    }
    for path in paths {
        file(&path.path, path.text(), causes);
    }
}
