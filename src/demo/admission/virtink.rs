//! What Virtink refuses: one text with all that is wrong.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::{Spot, is_mac};
use super::said::Said;
use crate::demo::server::Review;

/// Ways to bind an interface.
pub(super) const BINDINGS: &[&str] = &["bridge", "masquerade", "sriov", "vdpa", "vhostUser"];

const SOURCES: &[&str] =
    &["containerDisk", "cloudInit", "containerRootfs", "persistentVolumeClaim", "dataVolume"];

/// Fields of sources that may not be empty.
const NAMES: [&str; 4] = [
    "containerDisk.image",
    "containerRootfs.image",
    "persistentVolumeClaim.claimName",
    "dataVolume.volumeName",
];

const GROUP: &str = "virt.virtink.smartx.com";

#[derive(Default)]
struct Errors(Vec<String>);

impl Errors {
    fn required(&mut self, at: &str, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        self.0.push(format!("{at}: Required value{why}"));
    }

    fn forbidden(&mut self, at: &str, why: &str) {
        self.0.push(format!("{at}: Forbidden: {why}"));
    }

    fn invalid(&mut self, at: &str, value: &str, why: &str) {
        self.0.push(format!("{at}: Invalid value: {value}: {why}"));
    }

    /// A name that has to be there, and there once.
    fn name<'a>(&mut self, name: &Spot<'a>, seen: &mut BTreeSet<&'a str>) {
        if !seen.insert(name.text()) {
            self.0.push(format!("{}: Duplicate value: {:?}", name.path, name.text()));
        }
        if name.text().is_empty() {
            self.required(&name.path, "");
        }
    }

    /// Exactly one of these; `what` is the word for them.
    fn one_of(&mut self, at: &Spot<'_>, fields: &'static [&'static str], what: &str) {
        let found = at.set_of(fields);
        if found.is_empty() {
            self.required(&at.path, &format!("at least 1 {what} is required"));
        }
        for field in found.iter().skip(1) {
            self.forbidden(&at.at(field), &format!("may not specify more than 1 {what}"));
        }
    }

    fn said(self) -> Result<Vec<String>, Said> {
        match self.0.as_slice() {
            [] => Ok(Vec::new()),
            [one] => Err(Said::denied(one.clone())),
            many => Err(Said::denied(format!("[{}]", many.join(", ")))),
        }
    }
}

/// The answer about a machine.
pub(super) fn validate(review: &Review<'_>, vm: &Value) -> Result<Vec<String>, Said> {
    let spec = Spot::new(vm, "").get("spec");
    let mut errors = Errors::default();
    let instance = spec.get("instance");
    if instance.is_set() {
        check_instance(&instance, &mut errors);
    } else {
        errors.required(&instance.path, "");
    }
    let mut seen = BTreeSet::new();
    for volume in spec.get("volumes").items() {
        errors.name(&volume.get("name"), &mut seen);
        errors.one_of(&volume, SOURCES, "volume source");
        for field in NAMES {
            let source = field.split('.').next().unwrap_or_default();
            if volume.get(source).is_set() && volume.get(field).text().is_empty() {
                errors.required(&volume.at(field), "");
            }
        }
        let data = volume.get("cloudInit");
        for (what, fields) in [
            ("user data", &["userData", "userDataBase64", "userDataSecretName"]),
            ("network data", &["networkData", "networkDataBase64", "networkDataSecretName"]),
        ] {
            for field in data.set_of(fields).iter().skip(1) {
                errors.forbidden(&data.at(field), &format!("may not specify more than 1 {what}"));
            }
        }
    }
    let mut seen = BTreeSet::new();
    for network in spec.get("networks").items() {
        errors.name(&network.get("name"), &mut seen);
        errors.one_of(&network, &["pod", "multus"], "network source");
        if network.get("multus").is_set() && network.get("multus.networkName").text().is_empty() {
            errors.required(&network.at("multus.networkName"), "");
        }
    }
    if let Some(old) = review.old
        && fixed(old) != fixed(vm)
    {
        let why = "VM spec may not be updated except runPolicy, volumes, instance.disks";
        errors.forbidden(&spec.path, why);
    }
    errors.said()
}

/// The spec without what may change.
fn fixed(vm: &Value) -> Value {
    let mut spec = vm["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        fields.retain(|field, _| !matches!(field.as_str(), "runPolicy" | "volumes"));
        if let Some(instance) = fields.get_mut("instance").and_then(Value::as_object_mut) {
            instance.remove("disks");
        }
    }
    spec
}

fn check_instance(instance: &Spot<'_>, errors: &mut Errors) {
    for field in ["cpu.sockets", "cpu.coresPerSocket"] {
        if instance.get(field).number() <= 0 {
            errors.required(&instance.at(field), "");
        }
    }
    let (size, page) = (instance.get("memory.size"), instance.get("memory.hugepages.pageSize"));
    let (bytes, of_page) = (size.quantity().whole(), page.quantity().whole());
    if bytes <= 0 {
        errors.invalid(&size.path, &bytes.to_string(), "must be greater than 0");
    }
    if of_page > 0 && bytes % of_page != 0 {
        let why = format!("{bytes} is not positive integer multiple of {}", page.amount());
        errors.invalid(&size.path, &bytes.to_string(), &why);
    }
    let kernel = instance.get("kernel");
    for field in ["image", "cmdline"] {
        if kernel.is_set() && kernel.get(field).text().is_empty() {
            errors.required(&kernel.at(field), "");
        }
    }
    // Disks and file systems share one space of names.
    let mut seen = BTreeSet::new();
    for list in ["disks", "fileSystems"] {
        for item in instance.get(list).items() {
            errors.name(&item.get("name"), &mut seen);
        }
    }
    let mut seen = BTreeSet::new();
    for interface in instance.get("interfaces").items() {
        errors.name(&interface.get("name"), &mut seen);
        let own =
            instance.get("cpu.dedicatedCPUPlacement").yes() && instance.get("memory.hugepages").is_set();
        if interface.get("vhostUser").is_set() && !own {
            let why = "may not use vhost-user interface without dedicated CPU placement and hugepages";
            errors.forbidden(&interface.at("vhostUser"), why);
        }
        let mac = interface.get("mac");
        if mac.text().is_empty() {
            errors.required(&mac.path, "");
        } else if !is_mac(mac.text()) {
            let why = format!("address {}: invalid MAC address", mac.text());
            errors.invalid(&mac.path, &format!("{:?}", mac.text()), &why);
        }
        errors.one_of(&interface, BINDINGS, "binding method");
    }
}

/// The answer about a migration.
pub(super) fn validate_migration(review: &Review<'_>, migration: &Value) -> Result<Vec<String>, Said> {
    let mut errors = Errors::default();
    let name = migration["spec"]["vmName"].as_str().unwrap_or_default();
    if let Some(old) = review.old {
        if old["spec"] != migration["spec"] {
            errors.forbidden("spec", "VMM spec may not be updated");
        }
        return errors.said();
    }
    if name.is_empty() {
        errors.required("spec.vmName", "");
        return errors.said();
    }
    let Some(vm) = review.around.get(GROUP, "virtualmachines", review.namespace, name) else {
        errors.0.push(format!("spec.vmName: Not found: {name:?}"));
        return errors.said();
    };
    let vm = Spot::new(&vm, "");
    let conditions = vm.get("status.conditions");
    match conditions.items().find(|condition| condition.get("type").text() == "Migratable") {
        None => errors.forbidden("spec.vmName", "VM migratable condition status is unknown"),
        Some(condition) if condition.get("status").text() == "False" => {
            errors.forbidden("spec.vmName", condition.get("message").text());
        }
        Some(_) => {}
    }
    errors.said()
}
