//! Names, probes, placement, credentials, and the smaller devices. All checks are at `spec` of an instance.

use std::net::IpAddr;

use super::place::{Causes, Spot, label_faults, subdomain_faults};

const HANDLERS: &[&str] = &["httpGet", "tcpSocket", "exec", "guestAgentPing"];
const EVICTION: [&str; 4] = ["LiveMigrate", "LiveMigrateIfPossible", "None", "External"];
const DNS: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// Names of the guest in the network.
pub(super) fn names(spec: &Spot<'_>, causes: &mut Causes) {
    let faults: fn(&str) -> Vec<&'static str> = label_faults;
    for (field, form, faults) in
        [("hostname", "DNS_LABEL", faults), ("subdomain", "DNS_SUBDOMAIN", subdomain_faults)]
    {
        let name = spec.get(field);
        let found = if name.text().is_empty() { Vec::new() } else { faults(name.text()) };
        if !found.is_empty() {
            let text = format!(
                "{} does not conform to the kubernetes {form} rules : {}",
                name.path,
                found.join(", ")
            );
            causes.invalid(&name.path, text);
        }
    }
}

/// Rules of placement that can never be kept.
pub(super) fn affinity(spec: &Spot<'_>, causes: &mut Causes) {
    const RULE: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    let rule = spec.get("affinity.nodeAffinity").get(RULE);
    let terms = rule.get("nodeSelectorTerms");
    if rule.is_set() && terms.items().next().is_none() {
        // The real one leaves out `affinity`.
        let at = spec.at(&format!("nodeAffinity.{RULE}.nodeSelectorTerms"));
        causes.invalid(&at, format!("{at}: Required value: must have at least one node selector term"));
    }
}

/// A strategy of starting that there is not.
pub(super) fn start_strategy(spec: &Spot<'_>, causes: &mut Causes) {
    let (strategy, probe) = (spec.get("startStrategy"), spec.get("livenessProbe"));
    if !strategy.is_set() {
        return;
    }
    if strategy.text() != "Paused" {
        let text = format!("{} is set with an unrecognized option: {}", strategy.path, strategy.text());
        causes.invalid(&strategy.path, text);
    } else if probe.is_set() {
        let text = format!(
            "either {} or {} should be provided.Pausing VMI with LivenessProbe is not supported",
            strategy.path, probe.path
        );
        causes.invalid(&strategy.path, text);
    }
}

/// Devices to point and to type with.
pub(super) fn inputs(spec: &Spot<'_>, causes: &mut Causes) {
    for input in spec.get("domain.devices.inputs").items() {
        let (bus, kind) = (input.get("bus"), input.get("type"));
        if !matches!(bus.text(), "" | "virtio" | "usb") {
            causes.invalid(&bus.path, "Input device can have only virtio or usb bus.");
        }
        if kind.text() != "tablet" {
            causes.invalid(&kind.path, "Input device can have only tablet type.");
        }
    }
}

/// How disks get threads of their own.
pub(super) fn io_threads(spec: &Spot<'_>, causes: &mut Causes) {
    let policy = spec.get("domain.ioThreadsPolicy");
    if policy.is_set() && !matches!(policy.text(), "shared" | "auto" | "supplementalPool") {
        causes.invalid(&policy.path, format!("Invalid IOThreadsPolicy ({})", policy.text()));
    }
    let count = spec.get("domain.ioThreads.supplementalPoolThreadCount");
    if policy.text() == "supplementalPool" && count.number() < 1 {
        let text = "the number of iothreads needs to be set and positive for the dedicated policy";
        causes.invalid(spec.at("domain.ioThreads.count"), text);
    }
}

/// Probes, which ask something, and over the network of the pod if they do it over a network.
pub(super) fn probes(spec: &Spot<'_>, causes: &mut Causes) {
    let probes = ["readinessProbe", "livenessProbe"].map(|field| spec.get(field));
    for probe in probes.iter().filter(|probe| probe.is_set()) {
        match probe.set_of(HANDLERS).len() {
            0 => {
                let text = format!(
                    "either {}, {} or {} must be set if a {} is specified",
                    probe.at("tcpSocket"),
                    probe.at("exec"),
                    probe.at("httpGet"),
                    probe.path
                );
                causes.required(&probe.path, text);
            }
            1 => {}
            _ => {
                causes.invalid(&probe.path, format!("{} must have exactly one probe type set", probe.path));
            }
        }
    }
    if spec.get("networks").items().any(|network| network.get("pod").is_set()) {
        return;
    }
    for probe in probes {
        for handler in probe.set_of(&["httpGet", "tcpSocket"]) {
            let at = probe.at(handler);
            causes.invalid(&at, format!("{at} is only allowed if the Pod Network is attached"));
        }
    }
}

/// What becomes of the guest when its node is emptied.
pub(super) fn eviction(spec: &Spot<'_>, causes: &mut Causes) {
    let strategy = spec.get("evictionStrategy");
    if strategy.is_set() && !EVICTION.contains(&strategy.text()) {
        let text = format!("{} is set with an unrecognized option: {}", strategy.path, strategy.text());
        causes.invalid(&strategy.path, text);
    }
}

/// How the guest asks for names.
pub(super) fn dns(spec: &Spot<'_>, causes: &mut Causes) {
    let (policy, config) = (spec.get("dnsPolicy"), spec.get("dnsConfig"));
    if !policy.text().is_empty() && !DNS.contains(&policy.text()) {
        let text =
            format!("DNSPolicy: {} is not supported, valid values: [{} ]", policy.text(), DNS.join(" "));
        causes.unsupported(&policy.path, text);
    }
    let servers = config.get("nameservers");
    if policy.text() == "None" {
        if !config.is_set() {
            causes.required(&config.path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.items().next().is_none() {
            let text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            causes.required("nameservers", text);
            return;
        }
    }
    for server in servers.items().filter(|server| server.text().parse::<IpAddr>().is_err()) {
        causes.invalid("nameservers", format!("must be valid IP address: {}", server.text()));
    }
}

/// Devices of the node that are closed to guests.
pub(super) fn host_devices(spec: &Spot<'_>, causes: &mut Causes) {
    if spec.get("domain.devices.hostDevices").is_set() {
        causes.invalid(spec.at("HostDevices"), "Host Devices feature gate is not enabled in kubevirt-config");
    }
}

/// Sound.
pub(super) fn sound(spec: &Spot<'_>, causes: &mut Causes) {
    let sound = spec.get("domain.devices.sound");
    if !matches!(sound.get("model").text(), "" | "ich9" | "ac97") {
        let text = "Sound device type is not supported. Options: 'ich9' or 'ac97'";
        causes.invalid(spec.at("Sound"), text);
    }
    if sound.is_set() && sound.get("name").text().is_empty() {
        causes.invalid(spec.at("Sound"), "Sound device requires a name field.");
    }
}

/// Keys and passwords.
pub(super) fn credentials(spec: &Spot<'_>, causes: &mut Causes) {
    let volumes = spec.get("volumes");
    for credential in spec.get("accessCredentials").items() {
        let kinds = credential.set_of(&["sshPublicKey", "userPassword"]);
        for kind in &kinds {
            let (at, entry) = (&credential.path, credential.get(kind));
            let method = entry.get("propagationMethod");
            let methods: &[&str] = if *kind == "sshPublicKey" {
                for (drive, volume) in
                    [("noCloud", "cloudInitNoCloud"), ("configDrive", "cloudInitConfigDrive")]
                {
                    let there = volumes.items().any(|one| one.get(volume).is_set());
                    if method.get(drive).is_set() && !there {
                        let text = format!(
                            "{at} requires a {drive} volume to exist when the {drive} propagationMethod is in use."
                        );
                        causes.invalid(&method.path, text);
                    }
                }
                let users = method.get("qemuGuestAgent.users");
                if method.get("qemuGuestAgent").is_set() && users.items().next().is_none() {
                    let text = format!("{at} requires at least one user to be present in the users list");
                    causes.invalid(&users.path, text);
                }
                &["noCloud", "configDrive", "qemuGuestAgent"]
            } else {
                &["qemuGuestAgent"]
            };
            if !entry.get("source.secret").is_set() {
                causes.invalid(entry.at("source"), format!("{at} must have exactly one source set"));
            }
            if methods.iter().filter(|name| method.get(name).is_set()).count() != 1 {
                causes.invalid(&method.path, format!("{at} must have exactly one propagationMethod set"));
            }
        }
        if kinds.len() != 1 {
            let text = format!("{} must have exactly one access credential type set", credential.path);
            causes.invalid(&credential.path, text);
        }
    }
}
