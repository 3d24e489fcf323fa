//! KubeVirt's machines in words: what an operator asks first, disks and networks put together from their halves.

use serde_json::Value;

use super::page::Page;
use super::{ago, text, words};
use crate::model::{format_bytes, parse_bytes};
use crate::store::Health;
use crate::ui::panes::text::Ink;

/// A VirtualMachine.
pub(super) fn machine(object: &Value, page: &mut Page) {
    let spec = &object["spec"];
    page.heading("Power");
    page.field("Status", text(object, "/status/printableStatus"));
    let strategy = match (text(spec, "/runStrategy"), &spec["running"]) {
        ("", Value::Bool(running)) => {
            (if *running { "Always (running: true)" } else { "Halted (running: false)" }).to_owned()
        }
        (strategy, _) => strategy.to_owned(),
    };
    page.field("Run strategy", &strategy);
    let requests = object.pointer("/status/stateChangeRequests").and_then(Value::as_array);
    let requests: Vec<&str> =
        requests.into_iter().flatten().map(|request| text(request, "/action")).collect();
    page.field("Asked for", &requests.join(", "));
    if let Some(retry) = object.pointer("/status/startFailure") {
        let count = retry["consecutiveFailCount"].as_u64().unwrap_or_default();
        let said = format!("{count} in a row, tried again at {}", text(retry, "/retryAfterTimestamp"));
        page.said("Failed starts", &said, Ink::Health(Health::Failed));
    }
    for (label, field) in [("Instance type", "instancetype"), ("Preference", "preference")] {
        let (kind, name) = (text(&spec[field], "/kind"), text(&spec[field], "/name"));
        page.field(label, &if kind.is_empty() { name.to_owned() } else { format!("{name} ({kind})") });
    }
    template(&spec["template"]["spec"], &object["status"], page);
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
    migration(&status["migrationState"], page);
    guest(status, page);
    template(&object["spec"], status, page);
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

fn migration(state: &Value, page: &mut Page) {
    if words::says_nothing(state) {
        return;
    }
    let (said, health) = match (&state["failed"], &state["completed"]) {
        (Value::Bool(true), _) => (format!("failed: {}", text(state, "/failureReason")), Health::Failed),
        (_, Value::Bool(true)) => ("completed".to_owned(), Health::Well),
        _ => ("going on".to_owned(), Health::Busy),
    };
    page.heading("Last migration");
    page.said("Result", said.trim_end_matches(": "), Ink::Health(health));
    page.field("Way", &format!("{} → {}", text(state, "/sourceNode"), text(state, "/targetNode")));
    page.field("Mode", text(state, "/mode"));
    page.time("Began", text(state, "/startTimestamp"));
    page.time("Ended", text(state, "/endTimestamp"));
}

fn amount(value: &Value) -> String {
    let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match parse_bytes(&said) {
        _ if value.is_null() => String::new(),
        Some(bytes) => {
            let mut out = String::new();
            format_bytes(bytes, &mut out);
            out
        }
        None => said,
    }
}

/// Processors as they add up, and what they are made of.
fn processors(cpu: &Value) -> String {
    let number = |field: &str| cpu[field].as_u64().unwrap_or(1);
    let parts = [("sockets", number("sockets")), ("cores", number("cores")), ("threads", number("threads"))];
    if parts.iter().all(|(field, _)| cpu[*field].is_null()) {
        return String::new();
    }
    let all: u64 = parts.iter().map(|(_, count)| count).product();
    let made: Vec<String> = parts
        .iter()
        .filter(|(_, count)| *count > 1)
        .map(|(field, count)| format!("{count} {field}"))
        .collect();
    if made.len() > 1 { format!("{all} ({})", made.join(" × ")) } else { all.to_string() }
}

/// What the guest is to be; `spec` is that of a VirtualMachineInstance.
fn template(spec: &Value, status: &Value, page: &mut Page) {
    let domain = &spec["domain"];
    page.heading("Machine");
    page.field("CPU", &processors(&domain["cpu"]));
    page.field("CPU model", text(domain, "/cpu/model"));
    let memory = [&domain["memory"]["guest"], &domain["resources"]["requests"]["memory"]];
    page.field("Memory", &memory.into_iter().find(|value| !value.is_null()).map_or_else(String::new, amount));
    page.field("Huge pages", text(domain, "/memory/hugepages/pageSize"));
    page.field("Architecture", text(spec, "/architecture"));
    page.field("Machine type", text(domain, "/machine/type"));
    let firmware = match &domain["firmware"]["bootloader"] {
        Value::Object(loader) if loader.contains_key("efi") => match &loader["efi"]["secureBoot"] {
            Value::Bool(false) => "EFI without secure boot",
            _ => "EFI with secure boot",
        },
        Value::Object(loader) if loader.contains_key("bios") => "BIOS",
        _ => "",
    };
    page.field("Firmware", firmware);
    page.field("Host name", text(spec, "/hostname"));
    disks(spec, status, page);
    networks(spec, status, page);
    placement(spec, page);
}

/// What a volume holds, in words.
fn source(volume: &Value) -> String {
    let Some((kind, of)) =
        volume.as_object().and_then(|fields| fields.iter().find(|(key, _)| *key != "name"))
    else {
        return "nothing".to_owned();
    };
    let named = |field: &str| of[field].as_str().unwrap_or_default().to_owned();
    let hot = if of["hotpluggable"] == true { ", hot-plugged" } else { "" };
    match kind.as_str() {
        "dataVolume" => format!("DataVolume {}{hot}", named("name")),
        "persistentVolumeClaim" => format!("claim {}{hot}", named("claimName")),
        "containerDisk" => format!("image {}", named("image")),
        "emptyDisk" => format!("empty, {}", amount(&of["capacity"])),
        "ephemeral" => format!("claim {}, changes are lost", text(of, "/persistentVolumeClaim/claimName")),
        "hostDisk" => format!("file {} of the node", named("path")),
        "cloudInitNoCloud" | "cloudInitConfigDrive" => {
            let way = if kind == "cloudInitNoCloud" { "NoCloud" } else { "ConfigDrive" };
            let secret = text(of, "/secretRef/name");
            let from = match (secret, of["userData"].as_str().or(of["userDataBase64"].as_str())) {
                ("", Some(data)) => format!(", {} bytes of user data", data.len()),
                ("", None) => String::new(),
                (secret, _) => format!(", user data in the Secret {secret}"),
            };
            format!("cloud-init {way}{from}")
        }
        "secret" => format!("Secret {}", named("secretName")),
        "configMap" => format!("ConfigMap {}", named("name")),
        "sysprep" => format!("sysprep {}{}", text(of, "/secret/name"), text(of, "/configMap/name")),
        "serviceAccount" => format!("service account {}", named("serviceAccountName")),
        other => words::in_words(other),
    }
}

fn disks(spec: &Value, status: &Value, page: &mut Page) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (volumes, disks) = (list(&spec["volumes"]), list(&spec["domain"]["devices"]["disks"]));
    let shares = list(&spec["domain"]["devices"]["filesystems"]);
    let statuses = list(&status["volumeStatus"]);
    let of_name = |all: &[Value], name: &str| all.iter().find(|one| one["name"] == name).cloned();
    // A disk whose volume is missing is told, too: the server takes it, and the machine does not start.
    let lost = disks.iter().filter(|disk| of_name(&volumes, text(disk, "/name")).is_none());
    let names: Vec<String> = volumes.iter().chain(lost).map(|one| text(one, "/name").to_owned()).collect();
    if names.is_empty() {
        return;
    }
    page.heading("Disks");
    let rows: Vec<[(String, Ink); 5]> = names
        .into_iter()
        .map(|name| {
            let disk = of_name(&disks, &name);
            let attached = match &disk {
                Some(disk) => {
                    let way = ["disk", "cdrom", "lun"].into_iter().find(|way| !disk[*way].is_null());
                    let way = way.unwrap_or("disk");
                    format!("{way} {}", text(&disk[way], "/bus")).trim_end().to_owned()
                }
                None if of_name(&shares, &name).is_some() => "shared folder".to_owned(),
                None => "not attached".to_owned(),
            };
            let boot =
                disk.and_then(|disk| disk["bootOrder"].as_u64()).map_or_else(String::new, |n| n.to_string());
            let holds = of_name(&volumes, &name)
                .map_or_else(|| "no such volume".to_owned(), |volume| source(&volume));
            let now = of_name(&statuses, &name).map_or_else(String::new, |of| {
                let size = amount(&of["persistentVolumeClaimInfo"]["capacity"]["storage"]);
                [text(&of, "/target"), &size, text(&of, "/phase")].join(" ").trim().to_owned()
            });
            [
                (name, Ink::Field),
                (attached, Ink::Value),
                (boot, Ink::Value),
                (now, Ink::Value),
                (holds, Ink::Value),
            ]
        })
        .collect();
    page.table(&["NAME", "ATTACHED", "BOOT", "NOW", "HOLDS"], &rows);
}

fn networks(spec: &Value, status: &Value, page: &mut Page) {
    let interfaces = spec.pointer("/domain/devices/interfaces").and_then(Value::as_array);
    let Some(interfaces) = interfaces.filter(|all| !all.is_empty()) else { return };
    let networks = spec["networks"].as_array();
    let statuses = status["interfaces"].as_array();
    let of_name = |all: Option<&Vec<Value>>, name: &str| {
        all.into_iter().flatten().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    const KEYS: [&str; 8] =
        ["name", "model", "macAddress", "ports", "bootOrder", "pciAddress", "state", "tag"];
    page.heading("Networks");
    let rows: Vec<[(String, Ink); 6]> = interfaces
        .iter()
        .map(|interface| {
            let name = text(interface, "/name");
            let (network, now) = (of_name(networks, name), of_name(statuses, name));
            let binding = match text(interface, "/binding/name") {
                "" => {
                    let fields = interface.as_object().into_iter().flatten();
                    let way = fields.map(|(key, _)| key.as_str()).find(|key| !KEYS.contains(key));
                    way.unwrap_or_default().to_owned()
                }
                plugin => plugin.to_owned(),
            };
            let of = match text(&network, "/multus/networkName") {
                "" if network["pod"].is_object() => "the pod's network".to_owned(),
                "" => "no such network".to_owned(),
                other => other.to_owned(),
            };
            let mac =
                [text(&now, "/mac"), text(interface, "/macAddress")].into_iter().find(|mac| !mac.is_empty());
            let addresses: Vec<&str> = words::texts(&now["ipAddresses"]).collect();
            [
                (name.to_owned(), Ink::Field),
                (binding, Ink::Value),
                (of, Ink::Value),
                (mac.unwrap_or_default().to_owned(), Ink::Value),
                (addresses.join(", "), Ink::Value),
                (text(&now, "/infoSource").to_owned(), Ink::Quiet),
            ]
        })
        .collect();
    page.table(&["NAME", "BINDING", "NETWORK", "MAC", "ADDRESSES", "SAID BY"], &rows);
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
