//! What the webhooks write into machines and instances before they are stored, seen on what a real one stored.

use serde_json::{Map, Value, json};

use super::firmware::{ARCHITECTURE, ARCHITECTURES};
use crate::demo::server::new_uid;

/// The annotation that fixes how devices are laid out, and its present value.
const TOPOLOGY: (&str, &str) = ("kubevirt.io/pci-topology-version", "v3");

/// Keeps an instance until its guest is gone. The real webhook writes it; here that is left to whoever plays the
/// controllers, because an instance that nobody lets go of would stay for ever where nobody does.
pub const INSTANCE_FINALIZER: &str = "kubevirt.io/foregroundDeleteVirtualMachine";

/// By how much memory and sockets may grow while a guest runs.
const GROWTH: i128 = 4;

/// The fields at a path; they are made where there is nothing. None where something else stands there.
fn fields<'a>(object: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut at = object;
    for field in path {
        at = at.as_object_mut()?.entry(*field).or_insert(Value::Null);
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
    }
    at.as_object_mut()
}

/// Writes a value where there is none.
fn default(object: &mut Value, path: &[&str], field: &str, value: impl Into<Value>) {
    if let Some(fields) = fields(object, path)
        && fields.get(field).is_none_or(|old| old.is_null() || old == "")
    {
        fields.insert(field.to_owned(), value.into());
    }
}

/// What both a template and an instance get.
fn guest(object: &mut Value, spec: &[&str]) {
    let below = |more: &[&'static str]| -> Vec<&str> { [spec, more].concat() };
    default(object, spec, "architecture", ARCHITECTURE);
    let architecture = fields(object, spec)
        .and_then(|spec| spec["architecture"].as_str().map(str::to_owned))
        .unwrap_or_default();
    if let Some((_, _, machine)) = ARCHITECTURES.iter().find(|row| row.0 == architecture) {
        default(object, &below(&["domain", "machine"]), "type", *machine);
    }
    default(object, &below(&["domain"]), "resources", json!({}));
}

/// Fills in a machine.
pub(super) fn machine(vm: &mut Value, new: bool) {
    if !vm["spec"]["template"]["spec"]["domain"].is_object() {
        return;
    }
    guest(vm, &["spec", "template", "spec"]);
    if new {
        let firmware = ["spec", "template", "spec", "domain", "firmware"];
        default(vm, &firmware, "uuid", new_uid());
        default(vm, &firmware, "serial", new_uid());
        default(vm, &["spec", "template", "metadata", "annotations"], TOPOLOGY.0, TOPOLOGY.1);
    }
}

/// Fills in a new instance, as the webhook does before the checks of [`super::refuse_instance`]. Whoever plays the
/// controllers on a cluster without webhooks does it by itself.
pub fn default_instance(vmi: &mut Value) {
    if !vmi["spec"]["domain"].is_object() {
        return;
    }
    disks(vmi);
    interfaces(vmi);
    guest(vmi, &["spec"]);
    let firmware = ["spec", "domain", "firmware"];
    default(vmi, &firmware, "uuid", new_uid());
    default(vmi, &["spec", "domain", "features", "acpi"], "enabled", true);
    default(vmi, &["spec"], "evictionStrategy", "None");
    processors(vmi);
    memory(vmi);
}

fn processors(vmi: &mut Value) {
    let Some(cpu) = fields(vmi, &["spec", "domain", "cpu"]) else { return };
    let number =
        |cpu: &Map<String, Value>, field: &str| cpu.get(field).and_then(Value::as_u64).unwrap_or_default();
    if ["cores", "sockets", "threads"].iter().all(|field| number(cpu, field) == 0) {
        for field in ["cores", "sockets", "threads"] {
            cpu.insert(field.into(), 1.into());
        }
    }
    let sockets = number(cpu, "sockets");
    if sockets > 0 && number(cpu, "maxSockets") == 0 {
        cpu.insert("maxSockets".into(), sockets.saturating_mul(4).into());
    }
    default(vmi, &["spec", "domain", "cpu"], "model", "host-model");
}

fn memory(vmi: &mut Value) {
    let domain = &vmi["spec"]["domain"];
    let fixed = domain["cpu"]["dedicatedCpuPlacement"] == true
        || ["realtime", "numa"].iter().any(|field| !domain["cpu"][*field].is_null())
        || !domain["launchSecurity"].is_null();
    let Some(most) = domain["memory"]["guest"].as_str().and_then(|guest| grown(guest, GROWTH)) else {
        return;
    };
    if !fixed {
        default(vmi, &["spec", "domain", "memory"], "maxGuest", most);
    }
}

/// An amount of memory so many times, in its unit as long as that has one.
fn grown(amount: &str, times: i128) -> Option<String> {
    const UNITS: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let bytes = super::quantity::Quantity::parse(amount).ok()?.whole().checked_mul(times)?;
    let binary = amount.ends_with('i');
    let mut unit = 0;
    let mut number = bytes;
    while binary && number != 0 && number % 1024 == 0 && unit + 1 < UNITS.len() {
        number /= 1024;
        unit += 1;
    }
    Some(format!("{number}{}", UNITS[unit]))
}

/// A disk for each volume that has none.
fn disks(vmi: &mut Value) {
    let names = |list: &Value| -> Vec<String> {
        let items = list.as_array().into_iter().flatten();
        items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    let devices = &vmi["spec"]["domain"]["devices"];
    let used: Vec<String> = ["disks", "filesystems"].iter().flat_map(|list| names(&devices[*list])).collect();
    let unused: Vec<Value> = vmi["spec"]["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|volume| volume["memoryDump"].is_null())
        .filter_map(|volume| volume["name"].as_str())
        .filter(|name| !used.iter().any(|one| one == name))
        .map(|name| json!({"name": name, "disk": {}}))
        .collect();
    if unused.is_empty() {
        return;
    }
    if let Some(devices) = fields(vmi, &["spec", "domain", "devices"])
        && let Some(list) = devices.entry("disks").or_insert_with(|| json!([])).as_array_mut()
    {
        list.extend(unused);
    }
}

/// An interface on the network of the pod, where nothing is said.
fn interfaces(vmi: &mut Value) {
    let spec = &vmi["spec"];
    let empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
    let devices = &spec["domain"]["devices"];
    if !empty(&devices["interfaces"])
        || !empty(&spec["networks"])
        || devices["autoattachPodInterface"] == false
    {
        return;
    }
    if let Some(devices) = fields(vmi, &["spec", "domain", "devices"]) {
        devices.insert("interfaces".into(), json!([{"name": "default", "bridge": {}}]));
        vmi["spec"]["networks"] = json!([{"name": "default", "pod": {}}]);
    }
}

/// Fills in a machine of Virtink.
pub(super) fn virtink(vm: &mut Value) {
    if !vm["spec"]["instance"].is_object() {
        return;
    }
    default(vm, &["spec"], "runPolicy", "Once");
    for field in ["sockets", "coresPerSocket"] {
        if let Some(cpu) = fields(vm, &["spec", "instance", "cpu"])
            && cpu.get(field).and_then(Value::as_u64).unwrap_or_default() == 0
        {
            cpu.insert(field.into(), 1.into());
        }
    }
    let requested = vm["spec"]["resources"]["requests"]["memory"].as_str().unwrap_or("1Gi").to_owned();
    default(vm, &["spec", "instance", "memory"], "size", requested);
    if vm["spec"]["instance"]["memory"]["hugepages"].is_object() {
        default(vm, &["spec", "instance", "memory", "hugepages"], "pageSize", "1Gi");
    }
    let interfaces = vm["spec"]["instance"].get_mut("interfaces").and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten().filter_map(Value::as_object_mut) {
        if interface.get("mac").is_none_or(|mac| mac.is_null() || mac == "") {
            let [a, b, c] = [fastrand::u8(..), fastrand::u8(..), fastrand::u8(..)];
            interface.insert("mac".into(), format!("52:54:00:{a:02x}:{b:02x}:{c:02x}").into());
        }
        let bound = super::virtink::BINDINGS
            .iter()
            .any(|binding| interface.get(*binding).is_some_and(|value| !value.is_null()));
        if !bound {
            interface.insert("bridge".into(), json!({}));
        }
        if let Some(masquerade) = interface.get_mut("masquerade").and_then(Value::as_object_mut) {
            masquerade.entry("cidr").or_insert_with(|| "10.0.2.0/30".into());
        }
    }
}
