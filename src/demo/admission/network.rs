//! Interfaces and networks. Checks of the real ones in `pkg/network/admitter`.

use std::collections::BTreeSet;

use super::place::{Causes, Check, Spot, is_mac};

const BINDINGS: &[&str] = &["bridge", "masquerade", "sriov", "passtBinding", "binding"];

/// Bindings that there once were, with what is said of them. Of those that are refused by name.
const GONE: [(&str, &str); 2] = [
    ("slirp", "Slirp interface support has been discontinued since v1.3"),
    ("passt", "Passt network binding has been discontinued since v1.3"),
];

const MODELS: [&str; 8] = ["", "virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139"];

const INTERFACES: &str = "domain.devices.interfaces";

/// Bindings that are no more; of a new machine that is told before anything else. At `spec` of an instance.
pub(super) fn discontinued(spec: &Spot<'_>, causes: &mut Causes) {
    for interface in spec.get(INTERFACES).items() {
        for (binding, why) in GONE {
            if interface.get(binding).is_set() {
                causes.invalid(interface.at(binding), why);
            }
        }
    }
}

/// Checks in the order of their causes.
const CHECKS: &[Check] = &[
    one_pod_network,
    sources,
    bindings,
    network_names,
    networks_without_interface,
    interface_names,
    interfaces_without_network,
    interfaces,
];

/// Interfaces and networks. At `spec` of an instance.
pub(super) fn networks(spec: &Spot<'_>, causes: &mut Causes) {
    CHECKS.iter().for_each(|check| check(spec, causes));
}

fn one_pod_network(spec: &Spot<'_>, causes: &mut Causes) {
    let networks = spec.get("networks");
    let pods = networks.items().filter(|network| network.get("pod").is_set()).count();
    let defaults = networks.items().filter(|network| network.get("multus.default").yes()).count();
    if pods > 1 {
        // The interfaces do not stand there, but so the real one says it.
        let at = spec.at("interfaces");
        causes.duplicate(&at, format!("more than one interface is connected to a pod network in {at}"));
    }
    if defaults > 1 {
        causes.invalid(&networks.path, "Multus CNI should only have one default network");
    }
    if pods > 0 && defaults > 0 {
        let text = "Pod network cannot be defined when Multus default network is defined";
        causes.invalid(&networks.path, text);
    }
}

fn sources(spec: &Spot<'_>, causes: &mut Causes) {
    for network in spec.get("networks").items() {
        match network.set_of(&["pod", "multus", "resourceClaim"]).len() {
            0 => causes.required(&network.path, "should have a network type"),
            1 => {}
            _ => causes.required(&network.path, "should have only one network type"),
        }
        if network.get("multus").is_set() && network.get("multus.networkName").text().is_empty() {
            causes.required(&network.path, "CNI delegating plugin must have a networkName");
        }
    }
}

fn bindings(spec: &Spot<'_>, causes: &mut Causes) {
    let networks = spec.get("networks");
    for interface in spec.get(INTERFACES).items() {
        let name = interface.get("name").text();
        let gone = GONE.iter().any(|(binding, _)| interface.get(binding).is_set());
        if interface.set_of(BINDINGS).len() != 1 && !gone {
            let text =
                format!("logical {name} interface must have exactly one binding method or binding plugin");
            causes.invalid(&interface.path, text);
        }
        let on_pod = networks.named(name).is_some_and(|network| network.get("pod").is_set());
        if interface.get("masquerade").is_set() && !on_pod {
            causes.invalid(interface.at("name"), "Masquerade interface only implemented with pod network");
        }
    }
}

fn network_names(spec: &Spot<'_>, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for name in spec.get("networks").items().map(|network| network.get("name")) {
        if !seen.insert(name.text()) {
            let text = format!(
                "Network with name {:?} already exists, every network must have a unique name",
                name.text()
            );
            causes.duplicate(&name.path, text);
        }
    }
}

fn networks_without_interface(spec: &Spot<'_>, causes: &mut Causes) {
    let interfaces = spec.get(INTERFACES);
    for name in spec.get("networks").items().map(|network| network.get("name")) {
        if interfaces.named(name.text()).is_none() {
            causes.required(&name.path, format!("{} '{}' not found.", name.path, name.text()));
        }
    }
}

fn interface_names(spec: &Spot<'_>, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for name in spec.get(INTERFACES).items().map(|interface| interface.get("name")) {
        if !seen.insert(name.text()) {
            let text = "Only one interface can be connected to one specific network";
            causes.duplicate(&name.path, text);
        }
    }
}

fn interfaces_without_network(spec: &Spot<'_>, causes: &mut Causes) {
    let networks = spec.get("networks");
    for name in spec.get(INTERFACES).items().map(|interface| interface.get("name")) {
        if networks.named(name.text()).is_none() {
            causes.invalid(&name.path, format!("{} '{}' not found.", name.path, name.text()));
        }
    }
}

fn interfaces(spec: &Spot<'_>, causes: &mut Causes) {
    let networks = spec.get("networks");
    for interface in spec.get(INTERFACES).items() {
        let (name, model, mac) = (interface.get("name"), interface.get("model"), interface.get("macAddress"));
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.text().is_empty() || !name.text().bytes().all(good) {
            let text = "Network interface name can only contain alphabetical characters, numbers, dashes (-) or \
                        underscores (_)";
            causes.invalid(&name.path, text);
        }
        if !MODELS.contains(&model.text()) {
            let text = format!("interface {} uses model {} that is not supported.", name.path, model.text());
            causes.unsupported(&model.path, text);
        }
        if !mac.text().is_empty() && !is_mac(mac.text()) {
            let text = format!("interface {} has malformed MAC address ({}).", name.path, mac.text());
            causes.invalid(&mac.path, text);
        }
        if networks.named(name.text()).is_some_and(|network| network.get("pod").is_set()) {
            ports(&interface.get("ports"), causes);
        }
    }
}

fn ports(ports: &Spot<'_>, causes: &mut Causes) {
    let mut seen = BTreeSet::new();
    for name in ports.items().map(|port| port.get("name")).filter(|name| !name.text().is_empty()) {
        if !seen.insert(name.text()) {
            causes.duplicate(&name.path, format!("Duplicate name of the port: {}", name.text()));
        }
        if !is_port_name(name.text()) {
            causes.invalid(&name.path, format!("Invalid name of the port: {}", name.text()));
        }
    }
    for port in ports.items() {
        let (number, protocol) = (port.get("port"), port.get("protocol"));
        match number.number() {
            0 => causes.required(&number.path, "Port field is mandatory."),
            1..=65_536 => {}
            _ => causes.invalid(&number.path, "Port field must be in range 0 < x < 65536."),
        }
        if !matches!(protocol.text(), "" | "TCP" | "UDP") {
            causes.invalid(&protocol.path, "Unknown protocol, only TCP or UDP allowed");
        }
    }
}

/// Fifteen lower-case letters, digits and single inner dashes at most, at least one of them a letter.
fn is_port_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 15
        && name.bytes().all(good)
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
}
