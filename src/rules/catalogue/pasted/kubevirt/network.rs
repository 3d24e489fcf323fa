//! Interfaces and networks of the guest.

use super::super::{GUEST_ERROR, chosen, guest, named};
use crate::rules::fix::Fix;
use crate::rules::patterns::nearest;
use crate::rules::rule::Rule;
use crate::rules::source::Spot;

/// Ways to bind an interface that KubeVirt has.
const BINDINGS: &[&str] = &["bridge", "masquerade", "sriov", "passtBinding", "binding"];
/// Ways that it had.
const GONE: &[&str] = &["slirp", "macvtap", "passt"];

/// Six pairs of hexadecimal digits.
pub(in crate::rules::catalogue::pasted) fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The rows.
pub(in crate::rules::catalogue) const RULES: &[Rule] = &[
    Rule {
        id: "kubevirt-interface-without-network",
        path: "@guest.domain.devices.interfaces[].name",
        text: "interface \"{}\" has no network of this name",
        check: |c| {
            let networks = guest(c).get("networks");
            let Some(name) = c.text().filter(|name| named(&networks, name).is_none()) else { return };
            let interfaces = guest(c).get("domain.devices.interfaces");
            let free = networks.items().filter_map(|network| network.get("name").text());
            let near = nearest(name, free.filter(|network| named(&interfaces, network).is_none()));
            let fix = near.and_then(|near| Fix::set(&c.at, near));
            c.report(&[&name]).fix(fix);
        },
        bad: &[
            "@guest.networks: []\nat @guest.domain.devices.interfaces[0].name",
            "@guest.domain.devices.interfaces[0].name: defualt",
        ],
        good: &["@guest.networks: [{name: default, pod: {}}]"],
        with: &["kubevirt-network-without-interface"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-network-without-interface",
        path: "@guest.networks[].name",
        text: "network \"{}\" has no interface of this name",
        check: |c| {
            let interfaces = guest(c).get("domain.devices.interfaces");
            if let Some(name) = c.text().filter(|name| named(&interfaces, name).is_none()) {
                c.report(&[&name]);
            }
        },
        bad: &["@guest.networks[1]: {name: x, multus: {networkName: lan}}\nat @guest.networks[1].name"],
        good: &["@guest.networks: [{name: default, pod: {}}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-network-name-twice",
        path: "@guest.networks",
        text: "network \"{}\" is there twice",
        check: super::devices::twice,
        bad: &["@guest.networks[1]: {name: default, multus: {networkName: lan}}\nat @guest.networks[1].name"],
        good: &["@guest.networks: [{name: default, pod: {}}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-interface-name-twice",
        path: "@guest.domain.devices.interfaces",
        text: "interface \"{}\" is there twice",
        check: super::devices::twice,
        bad: &[
            "@guest.domain.devices.interfaces[1]: {name: default, bridge: {}}\nat @guest.domain.devices.interfaces[1].name",
        ],
        good: &["@guest.networks: [{name: default, pod: {}}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-pod-network-twice",
        path: "@guest.networks",
        text: "only one network can be the pod's",
        check: |c| {
            if let Some(second) = c.at.items().filter(|network| network.get("pod").exists()).nth(1) {
                let pod = second.get("pod");
                c.report_key(&pod, &[]);
            }
        },
        bad: &[
            "@guest.networks[1]: {name: b, pod: {}}\n@guest.domain.devices.interfaces[1]: {name: b, masquerade: {}}\nat @guest.networks[1].pod",
        ],
        good: &[
            "@guest.networks[1]: {name: b, multus: {networkName: lan}}\n@guest.domain.devices.interfaces[1]: {name: b, bridge: {}}",
        ],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-network-source",
        path: "@guest.networks[]",
        text: "a network is exactly one of pod, multus and resourceClaim, found {}",
        check: |c| {
            let found = chosen(&c.at, &["pod", "multus", "resourceClaim"]).len();
            if c.at.is_map() && found != 1 {
                c.report(&[&found]);
            }
        },
        bad: &["@guest.networks[0]: {name: default}"],
        good: &["@guest.networks[0]: {name: default, pod: {}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-interface-binding",
        path: "@guest.domain.devices.interfaces[]",
        text: "an interface has exactly one of bridge, masquerade, sriov, passtBinding and binding, found {}",
        check: |c| {
            let found = chosen(&c.at, BINDINGS).len();
            let gone = !chosen(&c.at, GONE).is_empty();
            if c.at.is_map() && (found > 1 || found == 0 && !gone) {
                c.report(&[&found]);
            }
        },
        bad: &[
            "@guest.domain.devices.interfaces[0].bridge: {}\nat @guest.domain.devices.interfaces[0]",
            "@guest.domain.devices.interfaces[0]: {name: default}",
        ],
        good: &["@guest.domain.devices.interfaces[0]: {name: default, binding: {name: passt}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-binding-gone",
        path: "@guest.domain.devices.interfaces[].{slirp,macvtap,passt}",
        text: "{} was taken out of KubeVirt in 1.3; use masquerade or a binding plugin",
        check: |c| {
            if c.at.exists() {
                let at = c.at.clone();
                let alone = chosen(&at.holder(), BINDINGS).is_empty();
                let fix =
                    if alone && at.key() == Some("slirp") { Fix::rename(&at, "masquerade") } else { None };
                c.report_key(&at, &[&at.key().unwrap_or_default()]).fix(fix);
            }
        },
        bad: &[
            "@guest.domain.devices.interfaces: [{name: default, slirp: {}}]\nat @guest.domain.devices.interfaces[0].slirp",
        ],
        good: &["@guest.domain.devices.interfaces: [{name: default, passtBinding: {}}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-masquerade-network",
        path: "@guest.domain.devices.interfaces[].masquerade",
        text: "masquerade works on the pod network only",
        check: |c| {
            let name = c.at.holder().get("name").text().unwrap_or_default();
            let network = named(&guest(c).get("networks"), name);
            if c.at.exists() && network.is_some_and(|network| network.get("multus").exists()) {
                let at = c.at.clone();
                c.report_key(&at, &[]).fix(Fix::rename(&at, "bridge"));
            }
        },
        bad: &[
            "@guest.networks[0]: {name: default, multus: {networkName: lan}}\nat @guest.domain.devices.interfaces[0].masquerade",
        ],
        good: &["@guest.networks[0]: {name: default, pod: {}}"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-mac",
        path: "@guest.domain.devices.interfaces[].macAddress",
        text: "\"{}\" is no MAC address; six pairs such as 02:00:00:00:00:01",
        check: |c| c.text_must(is_mac),
        bad: &["@guest.domain.devices.interfaces[0].macAddress: 'zz:00'"],
        good: &["@guest.domain.devices.interfaces[0].macAddress: '02:00:00:aa:BB:01'"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-interface-model",
        path: "@guest.domain.devices.interfaces[].model",
        text: "model \"{}\" is not one of virtio, e1000, e1000e, igb, ne2k_pci, pcnet, rtl8139",
        check: |c| c.one_of(&["virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139"]),
        bad: &["@guest.domain.devices.interfaces[0].model: virtio-fast"],
        good: &["@guest.domain.devices.interfaces[0].model: e1000e"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-port",
        path: "@guest.domain.devices.interfaces[].ports[].port",
        text: "a port is a number from 1 to 65535",
        check: |c| {
            if c.at.missing()
                || c.at.number().is_some() && !c.at.int().is_some_and(|port| (1..=65535).contains(&port))
            {
                c.report(&[]);
            }
        },
        bad: &[
            "@guest.domain.devices.interfaces[0].ports: [{port: 0}]\nat @guest.domain.devices.interfaces[0].ports[0].port",
            "@guest.domain.devices.interfaces[0].ports: [{name: a}]\nat @guest.domain.devices.interfaces[0].ports[0].port",
        ],
        good: &["@guest.domain.devices.interfaces[0].ports: [{port: 22}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-port-name-twice",
        path: "@guest.domain.devices.interfaces",
        text: "port name \"{}\" is there twice",
        check: |c| {
            let names: Vec<Spot<'_>> =
                c.at.items()
                    .flat_map(|interface| interface.get("ports").items().collect::<Vec<_>>())
                    .map(|port| port.get("name"))
                    .collect();
            c.no_text_twice(names);
        },
        bad: &[
            "@guest.domain.devices.interfaces[0].ports: [{name: a, port: 22}, {name: a, port: 23}]\nat @guest.domain.devices.interfaces[0].ports[1].name",
        ],
        good: &["@guest.domain.devices.interfaces[0].ports: [{name: a, port: 22}, {port: 23}]"],
        ..GUEST_ERROR
    },
    Rule {
        id: "kubevirt-port-protocol",
        path: "@guest.domain.devices.interfaces[].ports[].protocol",
        text: "protocol \"{}\" is neither TCP nor UDP",
        check: |c| c.one_of(&["TCP", "UDP", ""]),
        bad: &[
            "@guest.domain.devices.interfaces[0].ports: [{port: 22, protocol: tcp}]\nat @guest.domain.devices.interfaces[0].ports[0].protocol",
        ],
        good: &["@guest.domain.devices.interfaces[0].ports: [{port: 22, protocol: UDP}]"],
        ..GUEST_ERROR
    },
];
