//! KubeVirt's machines in words: what an operator asks first, disks and networks put together from their halves.

use serde_json::Value;

use super::page::Page;
use super::{ago, text, words};
use crate::model::format_bytes;
use crate::store::Health;
use crate::ui::panes::text::Ink;
use crate::views::machine::{self, Disk, Hardware, Interface, amount};

/// A VirtualMachine.
pub(super) fn machine(object: &Value, page: &mut Page) {
    let spec = &object["spec"];
    page.heading("Power");
    page.field("Status", text(object, "/status/printableStatus"));
    page.field("Run strategy", &machine::strategy(object));
    let requests = object.pointer("/status/stateChangeRequests").and_then(Value::as_array);
    let requests: Vec<&str> =
        requests.into_iter().flatten().map(|request| text(request, "/action")).collect();
    page.field("Asked for", &requests.join(", "));
    if let Some(retry) = object.pointer("/status/startFailure") {
        let count = retry["consecutiveFailCount"].as_u64().unwrap_or_default();
        let said = format!("{count} in a row, tried again at {}", text(retry, "/retryAfterTimestamp"));
        page.said("Failed starts", &said, Ink::Health(Health::Failed));
    }
    page.field("Instance type", &machine::taken_from(object, "instancetype"));
    page.field("Preference", &machine::taken_from(object, "preference"));
    template(&spec["template"]["spec"], None, page);
    templates(&spec["dataVolumeTemplates"], page);
}

/// A VirtualMachineInstance.
pub(super) fn instance(object: &Value, page: &mut Page) {
    let status = &object["status"];
    page.heading("State");
    page.field("Phase", text(status, "/phase"));
    page.field("Reason", text(status, "/reason"));
    page.field("Node", text(status, "/nodeName"));
    let steps: Vec<String> = status["phaseTransitionTimestamps"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| {
            let at = text(step, "/phaseTransitionTimestamp");
            let age = ago(at, page.now).map_or_else(String::new, |age| format!(" ({age} ago)"));
            format!("{at}  {}{age}", text(step, "/phase"))
        })
        .collect();
    page.list("Phases", &steps);
    migration(status, page);
    guest(status, page);
    template(&object["spec"], Some(status), page);
}

fn guest(status: &Value, page: &mut Page) {
    let guest = &status["guestOSInfo"];
    if words::says_nothing(guest) {
        return;
    }
    page.heading("Guest");
    page.field("System", text(guest, "/prettyName"));
    page.field("Kernel", text(guest, "/kernelRelease"));
    page.field("Machine", text(guest, "/machine"));
}

fn migration(status: &Value, page: &mut Page) {
    let Some(last) = machine::last_migration(status) else { return };
    page.heading("Last migration");
    let why = if last.why.is_empty() { String::new() } else { format!(": {}", last.why) };
    page.said("Result", &format!("{}{why}", last.result), Ink::Health(last.health));
    page.field("Way", &last.way);
    page.field("Mode", &last.mode);
    page.time("Began", text(status, "/migrationState/startTimestamp"));
    page.time("Ended", text(status, "/migrationState/endTimestamp"));
}

/// What the guest is to be; `spec` is that of a VirtualMachineInstance.
fn template(spec: &Value, status: Option<&Value>, page: &mut Page) {
    let hardware = Hardware::of(spec);
    page.heading("Machine");
    for (label, value) in [
        ("CPU", &hardware.cpu),
        ("CPU model", &hardware.cpu_model),
        ("Memory", &hardware.memory),
        ("Huge pages", &hardware.huge_pages),
        ("Architecture", &hardware.architecture),
        ("Machine type", &hardware.machine_type),
    ] {
        page.field(label, value);
    }
    page.field("Firmware", hardware.firmware);
    page.field("TPM", if hardware.tpm { "yes" } else { "" });
    page.field("GPUs", &hardware.gpus.join(", "));
    page.field("Host devices", &hardware.host_devices.join(", "));
    page.field("Host name", text(spec, "/hostname"));
    disks(spec, status, page);
    networks(spec, status, page);
    placement(spec, page);
}

fn disks(spec: &Value, status: Option<&Value>, page: &mut Page) {
    let row = |disk: Disk| {
        let mut now = disk.target;
        if let Some(bytes) = disk.allocated {
            now.push(' ');
            format_bytes(bytes, &mut now);
        }
        let now = format!("{now} {}", disk.phase);
        let boot = disk.boot_order.map_or_else(String::new, |order| order.to_string());
        let cells = [disk.attached, boot, now.trim().to_owned(), disk.holds].map(|cell| (cell, Ink::Value));
        let [attached, boot, now, holds] = cells;
        [(disk.name, Ink::Field), attached, boot, now, holds]
    };
    let rows: Vec<_> = machine::disks(spec, status).into_iter().map(row).collect();
    if !rows.is_empty() {
        page.heading("Disks");
        page.table(&["NAME", "ATTACHED", "BOOT", "NOW", "HOLDS"], &rows);
    }
}

fn networks(spec: &Value, status: Option<&Value>, page: &mut Page) {
    let row = |interface: Interface| {
        [
            (interface.name, Ink::Field),
            (interface.binding, Ink::Value),
            (interface.network, Ink::Value),
            (interface.mac, Ink::Value),
            (interface.addresses.join(", "), Ink::Value),
            (interface.said_by.to_owned(), Ink::Quiet),
        ]
    };
    let rows: Vec<_> = machine::interfaces(spec, status).into_iter().map(row).collect();
    if !rows.is_empty() {
        page.heading("Networks");
        page.table(&["NAME", "BINDING", "NETWORK", "MAC", "ADDRESSES", "SAID BY"], &rows);
    }
}

fn placement(spec: &Value, page: &mut Page) {
    let selector: Vec<String> = spec["nodeSelector"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let count = |pointer: &str| spec.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
    let (affinity, tolerations) = (&spec["affinity"], count("/tolerations"));
    let keys = count("/accessCredentials");
    let said = [text(spec, "/evictionStrategy"), text(spec, "/priorityClassName")];
    if selector.is_empty()
        && affinity.is_null()
        && tolerations == 0
        && keys == 0
        && said.iter().all(|s| s.is_empty())
    {
        return;
    }
    page.heading("Placement and access");
    page.list("Node selector", &selector);
    let affinities: Vec<String> =
        affinity.as_object().into_iter().flatten().map(|(key, _)| words::in_words(key)).collect();
    page.field("Affinity", &affinities.join(", "));
    page.field("Tolerations", &if tolerations == 0 { String::new() } else { tolerations.to_string() });
    page.field("When evicted", said[0]);
    page.field("Priority class", said[1]);
    let credentials = spec["accessCredentials"].as_array().into_iter().flatten();
    let credentials: Vec<String> = credentials
        .filter_map(|one| one.as_object()?.iter().next())
        .map(|(kind, of)| {
            format!("{} in the Secret {}", words::in_words(kind), text(of, "/source/secret/secretName"))
        })
        .collect();
    page.list("Credentials", &credentials);
}

/// Disks that are made for the machine.
fn templates(templates: &Value, page: &mut Page) {
    let Some(templates) = templates.as_array().filter(|all| !all.is_empty()) else { return };
    page.heading("Disks made for it");
    let rows: Vec<[(String, Ink); 4]> = templates
        .iter()
        .map(|template| {
            let spec = &template["spec"];
            let storage = if spec["storage"].is_object() { &spec["storage"] } else { &spec["pvc"] };
            let size = amount(&storage["resources"]["requests"]["storage"]);
            let class = text(storage, "/storageClassName");
            let from = match spec["source"].as_object().and_then(|source| source.iter().next()) {
                Some((kind, of)) => {
                    let what =
                        ["url", "name"].into_iter().find_map(|key| of[key].as_str()).unwrap_or_default();
                    format!("{kind} {}", crate::config::redact::redact(what))
                }
                None => format!("{} {}", text(spec, "/sourceRef/kind"), text(spec, "/sourceRef/name")),
            };
            [
                (text(template, "/metadata/name").to_owned(), Ink::Field),
                (size, Ink::Value),
                (class.to_owned(), Ink::Value),
                (from.trim().to_owned(), Ink::Value),
            ]
        })
        .collect();
    page.table(&["NAME", "SIZE", "CLASS", "FROM"], &rows);
}
