//! The firewall of a workload.

use std::net::IpAddr;

use super::super::fix::Fix;
use super::super::patterns::{Link, RESERVED_PORTS};
use super::super::rule::{Check, ERROR, Needs, Rule, WARNING};
use super::super::source::Spot;
use super::ports::compiles;

/// An address, or an address and how many of its bits count.
fn is_range(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let (most, mapped) = match address {
        IpAddr::V4(_) => (32_u8, false),
        // Traffic of these addresses is seen as IPv4.
        IpAddr::V6(address) => (128, address.to_ipv4_mapped().is_some()),
    };
    let plain = |bits: &str| bits == "0" || bits.starts_with(|c: char| matches!(c, '1'..='9'));
    let good = |bits: &str| plain(bits) && bits.parse::<u8>().is_ok_and(|bits| bits <= most);
    !mapped && bits.is_none_or(good)
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix('*').map_or(text, |name| name.strip_prefix('.').unwrap_or(name));
    let end = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    text.len() <= 128
        && name.bytes().all(|byte| end(byte) || matches!(byte, b'.' | b'-'))
        && name.bytes().next().is_some_and(end)
        && name.bytes().next_back().is_some_and(end)
}

/// A link to a workload, with its GVC; or one of the two that are no workloads.
fn is_peer(text: &str) -> bool {
    Link::read(text, "workload").is_some_and(|link| link.gvc.is_some())
        || text == "cpln://internal/keda"
        || Link::read(text, "agent").is_some_and(|link| link.gvc.is_none() && link.org.is_none())
}

/// Whether anybody may connect.
fn admits(firewall: &Spot<'_>) -> bool {
    let internal = firewall.get("internal");
    let listed = !internal.get("inboundAllowWorkload").blank();
    let inside = match internal.get("inboundAllowType").text() {
        Some("same-gvc" | "same-org") => true,
        Some("workload-list") => listed,
        _ => false,
    };
    inside || !firewall.get("external.inboundAllowCIDR").blank()
}

/// Puts `http` below `external`, where there is one to put it in.
fn http_moved(c: &Check<'_>) -> Option<Fix> {
    let external = c.at.holder().get("external");
    if external.get("http").exists() {
        return None;
    }
    let json = c.at.json().to_string();
    let moved = Fix::remove(&c.at)?.and(Fix::add(&external, "http", &json)?);
    Some(moved.labelled("move http to external"))
}

fn outbound_port(c: &mut Check<'_>) {
    let (number, protocol) = (c.at.get("number"), c.at.get("protocol"));
    let (shown, spoken) = (number.shown(), protocol.shown());
    let allowed = |port: i64| (80..=65000).contains(&port) && !RESERVED_PORTS.contains(&port);
    let wrong =
        if number.missing() { true } else { number.number().is_some() && !number.int().is_some_and(allowed) };
    let strange = if protocol.missing() {
        true
    } else {
        protocol.text().is_some_and(|text| !matches!(text, "http" | "https" | "tcp"))
    };
    if c.at.is_map() && (wrong || strange) {
        c.report_at(if wrong { &number } else { &protocol }, &[&spoken, &shown]);
    }
}

fn header_filter(c: &mut Check<'_>) {
    let key = c.at.get("key");
    if !c.at.is_map() {
        return;
    }
    if key.blank() || key.text().is_some_and(|key| key.chars().count() > 128) {
        c.report_at(&key, &[]);
    }
    let lists = [c.at.get("allowedValues"), c.at.get("blockedValues")];
    if lists[0].missing() == lists[1].missing() {
        c.report(&[]);
    }
    for value in lists.iter().flat_map(Spot::items) {
        if value.text().is_some_and(|pattern| compiles(pattern).is_err()) {
            c.report_at(&value, &[]);
        }
    }
}

/// Ten times the same.
macro_rules! ten {
    ($($text:tt)*) => {
        concat!($($text)*, $($text)*, $($text)*, $($text)*, $($text)*, $($text)*, $($text)*, $($text)*, $($text)*, $($text)*)
    };
}

const EXTERNAL: &str = "spec.firewallConfig.external.{inboundAllowCIDR,inboundBlockedCIDR,outboundAllowCIDR,outboundBlockedCIDR}";
const HOSTS: &str = "spec.firewallConfig.external.outboundAllowHostname";
const UNLISTED: &[&str] = &["port-exposed-without-port"];

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "firewall-cidr",
        path: EXTERNAL,
        text: "\"{}\" is not an IP address or CIDR",
        check: |c| {
            for range in c.at.items() {
                if let Some(text) = range.text().filter(|text| !is_range(text)) {
                    c.report_at(&range, &[&text]);
                }
            }
        },
        bad: &[
            "spec.firewallConfig.external.outboundAllowCIDR: [10.0.0.0/8, example.net]\nat spec.firewallConfig.external.outboundAllowCIDR[1]",
            "spec.firewallConfig.external.outboundBlockedCIDR: [10.0.0.0/33]\nat spec.firewallConfig.external.outboundBlockedCIDR[0]",
            "spec.firewallConfig.external.inboundBlockedCIDR: [10.0.0/8]\nat spec.firewallConfig.external.inboundBlockedCIDR[0]",
            "spec.firewallConfig.external.inboundAllowCIDR: ['']\nat spec.firewallConfig.external.inboundAllowCIDR[0]",
        ],
        good: &[
            "spec.firewallConfig.external.outboundAllowCIDR: [0.0.0.0/0, '::/0', 192.0.2.1, '2001:db8::/32', '2001:db8::1']",
        ],
        with: UNLISTED,
        ..ERROR
    },
    Rule {
        id: "firewall-cidr-count",
        path: "spec.firewallConfig.external.inboundAllowCIDR",
        text: "at most 250 inbound ranges are allowed",
        check: |c| c.at_most(250),
        bad: &[concat!(
            "spec.firewallConfig.external.inboundAllowCIDR: [",
            ten!(ten!("192.0.2.1, ")),
            ten!(ten!("192.0.2.1, ")),
            ten!("192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, "),
            "192.0.2.6]"
        )],
        good: &[concat!(
            "spec.firewallConfig.external.inboundAllowCIDR: [",
            ten!(ten!("192.0.2.1, ")),
            ten!(ten!("192.0.2.1, ")),
            ten!("192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, "),
            "]"
        )],
        with: UNLISTED,
        ..ERROR
    },
    Rule {
        id: "firewall-hostname",
        path: "spec.firewallConfig.external.outboundAllowHostname[]",
        text: "\"{}\" is not a host name; one leading \"*.\" is allowed",
        check: |c| {
            if let Some(text) = c.text().filter(|text| !is_host(text)) {
                let lower = text.to_ascii_lowercase();
                let fix = if is_host(&lower) { Fix::set(&c.at, &lower) } else { None };
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &[
            "spec.firewallConfig.external.outboundAllowHostname: [Example.net]\nat spec.firewallConfig.external.outboundAllowHostname[0]",
            "spec.firewallConfig.external.outboundAllowHostname: [a.*.example.net]\nat spec.firewallConfig.external.outboundAllowHostname[0]",
            "spec.firewallConfig.external.outboundAllowHostname: ['https://example.net']\nat spec.firewallConfig.external.outboundAllowHostname[0]",
            "spec.firewallConfig.external.outboundAllowHostname: ['*']\nat spec.firewallConfig.external.outboundAllowHostname[0]",
        ],
        good: &["spec.firewallConfig.external.outboundAllowHostname: [example.net, '*.example.net']"],
        ..ERROR
    },
    Rule {
        id: "firewall-hostname-unenforced",
        path: HOSTS,
        text: "host names cannot be enforced on this cluster; that traffic stays closed",
        needs: Needs::Cluster,
        check: |c| {
            if c.known.enforces_host_names == Some(false) && !c.at.blank() {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.firewallConfig.external.outboundAllowHostname: [example.net]\nknown: {enforcesHostNames: false}",
        ],
        good: &[
            "spec.firewallConfig.external.outboundAllowHostname: [example.net]\nknown: {enforcesHostNames: true}",
            "spec.firewallConfig.external.outboundAllowHostname: [example.net]",
            "spec.firewallConfig.external.outboundAllowHostname: []\nknown: {enforcesHostNames: false}",
        ],
        ..WARNING
    },
    Rule {
        id: "firewall-port",
        path: "spec.firewallConfig.external.outboundAllowPort[]",
        text: "outbound port {} / {} is not allowed",
        check: outbound_port,
        bad: &[
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: tcp, number: 22}]\nat spec.firewallConfig.external.outboundAllowPort[0].number",
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: tcp, number: 65001}]\nat spec.firewallConfig.external.outboundAllowPort[0].number",
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: tcp, number: 9090}]\nat spec.firewallConfig.external.outboundAllowPort[0].number",
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: udp, number: 443}]\nat spec.firewallConfig.external.outboundAllowPort[0].protocol",
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: tcp}]\nat spec.firewallConfig.external.outboundAllowPort[0].number",
        ],
        good: &[
            "spec.firewallConfig.external.outboundAllowPort: [{protocol: https, number: 443}, {protocol: tcp, number: 65000}]",
        ],
        ..ERROR
    },
    Rule {
        id: "firewall-internal-type",
        path: "spec.firewallConfig.internal.inboundAllowType",
        text: "\"{}\" is not one of none, same-gvc, same-org, workload-list",
        check: |c| c.one_of(&["none", "same-gvc", "same-org", "workload-list"]),
        bad: &[
            "spec.firewallConfig.internal.inboundAllowType: same-gcv",
            "spec.firewallConfig.internal.inboundAllowType: all",
        ],
        good: &["spec.firewallConfig.internal.inboundAllowType: same-gvc"],
        ..ERROR
    },
    Rule {
        id: "firewall-workload-link",
        path: "spec.firewallConfig.internal.inboundAllowWorkload[]",
        text: "\"{}\" must be //gvc/<gvc>/workload/<name>",
        check: |c| {
            if let Some(text) = c.text().filter(|text| !is_peer(text)) {
                // Without a GVC, that of this workload is the likely one.
                let name = Link::read(text, "workload").map(|link| link.name);
                let fix = name.zip(c.at.document().gvc().filter(|gvc| !gvc.is_empty()));
                let fix =
                    fix.and_then(|(name, gvc)| Fix::set(&c.at, &format!("//gvc/{gvc}/workload/{name}")));
                c.report(&[&text]).fix(fix);
            }
        },
        bad: &[
            "spec.firewallConfig.internal: {inboundAllowType: workload-list, inboundAllowWorkload: [//workload/api]}\n@container.ports: [{number: 80}]\nat spec.firewallConfig.internal.inboundAllowWorkload[0]",
            "spec.firewallConfig.internal: {inboundAllowType: workload-list, inboundAllowWorkload: [//gvc/shop/identity/api]}\n@container.ports: [{number: 80}]\nat spec.firewallConfig.internal.inboundAllowWorkload[0]",
        ],
        good: &[
            "spec.firewallConfig.internal: {inboundAllowType: workload-list, inboundAllowWorkload: [//gvc/shop/workload/api, /org/acme/gvc/shop/workload/api, 'cpln://internal/keda', //agent/office]}",
        ],
        ..ERROR
    },
    Rule {
        id: "firewall-workload-list-empty",
        path: "spec.firewallConfig.internal",
        text: "workload-list without entries admits nobody",
        check: |c| {
            let kind = c.at.get("inboundAllowType");
            if kind.text() == Some("workload-list") && c.at.get("inboundAllowWorkload").blank() {
                c.report_at(&kind, &[]);
            }
        },
        bad: &["spec.firewallConfig.internal.inboundAllowType: workload-list"],
        good: &[
            "spec.firewallConfig.internal: {inboundAllowType: workload-list, inboundAllowWorkload: [//gvc/shop/workload/api]}",
        ],
        ..WARNING
    },
    Rule {
        id: "firewall-list-unused",
        path: "spec.firewallConfig.internal.inboundAllowWorkload",
        text: "the workload list is not used with type \"{}\"",
        check: |c| {
            let kind = c.at.holder().get("inboundAllowType");
            let unused = if kind.missing() { Some("none") } else { kind.text() };
            if let Some(kind) = unused.filter(|kind| matches!(*kind, "none" | "same-org"))
                && !c.at.blank()
            {
                c.report(&[&kind]);
            }
        },
        bad: &[
            "spec.firewallConfig.internal.inboundAllowWorkload: [//gvc/shop/workload/api]",
            "spec.firewallConfig.internal: {inboundAllowType: same-org, inboundAllowWorkload: [//gvc/shop/workload/api]}\n@container.ports: [{number: 80}]\nat spec.firewallConfig.internal.inboundAllowWorkload",
        ],
        good: &[
            "spec.firewallConfig.internal: {inboundAllowType: same-gvc, inboundAllowWorkload: [//gvc/a/workload/b]}",
            "spec.firewallConfig.internal: {inboundAllowType: none, inboundAllowWorkload: []}",
        ],
        ..WARNING
    },
    Rule {
        id: "firewall-header-filter",
        path: "spec.firewallConfig.external.http.inboundHeaderFilter[]",
        text: "a header filter needs a key and exactly one of allowedValues and blockedValues",
        check: header_filter,
        bad: &[
            "spec.firewallConfig.external.http.inboundHeaderFilter: [{allowedValues: [a]}]\nat spec.firewallConfig.external.http.inboundHeaderFilter[0].key",
            "spec.firewallConfig.external.http.inboundHeaderFilter: [{key: host}]\nat spec.firewallConfig.external.http.inboundHeaderFilter[0]",
            "spec.firewallConfig.external.http.inboundHeaderFilter: [{key: host, allowedValues: [a], blockedValues: [b]}]\nat spec.firewallConfig.external.http.inboundHeaderFilter[0]",
            "spec.firewallConfig.external.http.inboundHeaderFilter: [{key: host, allowedValues: ['a(b']}]\nat spec.firewallConfig.external.http.inboundHeaderFilter[0].allowedValues[0]\nunseen",
        ],
        good: &[
            "spec.firewallConfig.external.http.inboundHeaderFilter: [{key: host, blockedValues: ['^a.*$']}]",
        ],
        ..ERROR
    },
    Rule {
        id: "firewall-http-misplaced",
        path: "spec.firewallConfig.http",
        text: "http belongs under firewallConfig.external",
        check: |c| {
            if !c.at.missing() {
                let (at, fix) = (c.at.clone(), http_moved(c));
                c.report_key(&at, &[]).fix(fix);
            }
        },
        bad: &[
            "spec.firewallConfig.http: {inboundHeaderFilter: []}",
            "spec.firewallConfig.http: {inboundHeaderFilter: [{key: host, allowedValues: [a]}]}\nspec.firewallConfig.external.outboundAllowCIDR: [0.0.0.0/0]",
        ],
        good: &["spec.firewallConfig.external.http: {inboundHeaderFilter: []}"],
        ..ERROR
    },
    Rule {
        id: "firewall-closed",
        path: "spec.firewallConfig",
        text: "no traffic is admitted to the listed ports",
        check: |c| {
            let container = c.root().get("spec.containers").item(0);
            let listed = container.is_some_and(|container| container.get("ports").count() > 0);
            if listed && (c.at.missing() || c.at.is_map()) && !admits(&c.at) {
                c.report(&[]);
            }
        },
        bad: &[
            "@container.ports: [{number: 80}]\nat spec.firewallConfig",
            "@container.ports: [{number: 80}]\nspec.firewallConfig.external.outboundAllowCIDR: [0.0.0.0/0]\nat spec.firewallConfig",
            "@container.ports: [{number: 80}]\nspec.firewallConfig.internal.inboundAllowType: none\nat spec.firewallConfig",
        ],
        good: &[
            "@container.ports: [{number: 80}]\nspec.firewallConfig.internal.inboundAllowType: same-gvc",
            "@container.ports: [{number: 80}]\nspec.firewallConfig.external.inboundAllowCIDR: [0.0.0.0/0]",
            "@container.ports: []",
        ],
        ..WARNING
    },
    Rule {
        id: "port-exposed-without-port",
        path: "@container.ports",
        text: "the firewall is open but the VM lists no ports",
        check: |c| {
            if c.at.blank() && admits(&c.root().get("spec.firewallConfig")) {
                c.report(&[]);
            }
        },
        bad: &[
            "spec.firewallConfig.external.inboundAllowCIDR: [0.0.0.0/0]\nat @container.ports",
            "spec.firewallConfig.internal.inboundAllowType: same-org\n@container.ports: []\nat @container.ports",
        ],
        good: &[
            "spec.firewallConfig.external.inboundAllowCIDR: [0.0.0.0/0]\n@container.ports: [{number: 80}]",
            "spec.firewallConfig.external.outboundAllowCIDR: [0.0.0.0/0]",
        ],
        ..WARNING
    },
];
