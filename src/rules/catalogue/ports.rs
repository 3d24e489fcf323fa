//! Ports, metrics and probes of the container entry.

use super::super::fix::Fix;
use super::super::patterns::{RESERVED_PORTS, is_port};
use super::super::rule::{Check, ERROR, Rule, WARNING};
use super::super::source::Spot;

fn all_ports<'a>(c: &Check<'a>) -> impl Iterator<Item = Spot<'a>> + use<'a> {
    let container = c.root().get("spec.containers").item(0);
    container.into_iter().flat_map(|container| container.get("ports").items().collect::<Vec<_>>())
}

/// Whether a probe has a handler that containers have and VMs have not.
fn foreign_handler(probe: &Spot<'_>) -> bool {
    probe.get("exec").exists() || probe.get("grpc").exists()
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "port-number-required",
        path: "@container.ports[].number",
        text: "each port needs a number",
        check: |c| c.required(),
        bad: &["@container.ports: [{protocol: http}]\nat @container.ports[0].number"],
        good: &["@container.ports: [{number: 80}]"],
        ..ERROR
    },
    Rule {
        id: "port-range",
        path: "@container.ports[].number",
        text: "port {} is outside 80 to 65535",
        check: |c| {
            if c.at.int() != Some(22) {
                c.between(80, 65535);
            }
        },
        bad: &[
            "@container.ports: [{number: 79}]\nat @container.ports[0].number",
            "@container.ports: [{number: 65536}]\nat @container.ports[0].number",
            "@container.ports: [{number: 80.5}]\nat @container.ports[0].number",
        ],
        good: &["@container.ports: [{number: 80}, {number: 65535}]"],
        ..ERROR
    },
    Rule {
        id: "port-ssh",
        path: "@container.ports[].number",
        text: "port 22 is always reachable by the platform and cannot be listed",
        check: |c| {
            if c.at.int() == Some(22) {
                let fix = Fix::remove(&c.at.holder()).map(|fix| fix.labelled("remove this port"));
                c.report(&[]).fix(fix);
            }
        },
        bad: &["@container.ports: [{number: 22, protocol: tcp}]\nat @container.ports[0].number"],
        good: &["@container.ports: [{number: 2222, protocol: tcp}]"],
        ..ERROR
    },
    Rule {
        id: "port-reserved",
        path: "@container.ports[].number",
        text: "port {} is reserved by the platform",
        check: |c| {
            if let Some(port) = c.at.int().filter(|port| RESERVED_PORTS.contains(port)) {
                c.report(&[&port]);
            }
        },
        bad: &[
            "@container.ports: [{number: 9090}]\nat @container.ports[0].number",
            "@container.ports: [{number: 15001}]\nat @container.ports[0].number",
        ],
        good: &["@container.ports: [{number: 8080}]"],
        ..ERROR
    },
    Rule {
        id: "port-duplicate",
        path: "@container.ports",
        text: "port {} is listed twice",
        check: |c| {
            let numbers: Vec<_> = c.at.items().map(|port| port.get("number")).collect();
            c.no_text_twice(numbers);
        },
        bad: &[
            "@container.ports: [{number: 80}, {number: 443}, {number: 80}]\nat @container.ports[2].number",
        ],
        good: &["@container.ports: [{number: 80}, {number: 443}]"],
        ..ERROR
    },
    Rule {
        id: "port-protocol",
        path: "@container.ports[].protocol",
        text: "protocol \"{}\" is not one of http, http2, grpc, tcp",
        check: |c| c.one_of(&["http", "http2", "grpc", "tcp"]),
        bad: &["@container.ports: [{number: 80, protocol: udp}]\nat @container.ports[0].protocol"],
        good: &["@container.ports: [{number: 80, protocol: http2}, {number: 81, protocol: null}]"],
        ..ERROR
    },
    Rule {
        id: "metrics-port",
        path: "@container.metrics.port",
        text: "metrics port {} is not allowed (80 to 65535, not reserved)",
        check: |c| {
            if c.at.missing() || c.at.number().is_some() && !c.at.int().is_some_and(is_port) {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &[
            "@container.metrics: {path: /metrics}\nat @container.metrics.port",
            "@container.metrics: {port: 9090}\nat @container.metrics.port",
            "@container.metrics: {port: 79}\nat @container.metrics.port",
        ],
        good: &["@container.metrics: {port: 9100}"],
        ..ERROR
    },
    Rule {
        id: "metrics-path",
        path: "@container.metrics.path",
        text: "metrics path must start with \"/\" and have at most 128 characters",
        check: |c| {
            if let Some(path) = c.text().filter(|path| !path.starts_with('/') || path.chars().count() > 128) {
                let fix = if path.starts_with('/') { None } else { Fix::set(&c.at, &format!("/{path}")) };
                c.report(&[]).fix(fix);
            }
        },
        bad: &["@container.metrics: {port: 9100, path: metrics}\nat @container.metrics.path"],
        good: &["@container.metrics: {port: 9100, path: /metrics}"],
        ..ERROR
    },
    Rule {
        id: "metrics-drop-regex",
        path: "@container.metrics.dropMetrics[]",
        text: "\"{}\" is not a valid pattern: {}",
        cel: super::super::Cel::No("CEL cannot compile a pattern that it gets as a value"),
        check: |c| {
            if let Some(pattern) = c.text()
                && let Err(why) = compiles(pattern)
            {
                c.report(&[&pattern, &why]);
            }
        },
        bad: &[
            "@container.metrics: {port: 9100, dropMetrics: ['go_.*', 'a(b']}\nat @container.metrics.dropMetrics[1]",
        ],
        good: &["@container.metrics: {port: 9100, dropMetrics: ['^go_(gc|memstats)_.*$']}"],
        ..ERROR
    },
    Rule {
        id: "probe-exec-forbidden",
        path: "@probe.exec",
        text: "exec probes are not supported for VMs; use tcpSocket or httpGet",
        check: |c| c.forbidden(),
        bad: &["@probe: {exec: {command: [true]}}\nat @probe.exec"],
        good: &["@probe: {httpGet: {path: /}}"],
        ..ERROR
    },
    Rule {
        id: "probe-grpc-forbidden",
        path: "@probe.grpc",
        text: "grpc probes are not supported for VMs; use tcpSocket or httpGet",
        check: |c| c.forbidden(),
        bad: &["@probe: {grpc: {port: 5000}}\nat @probe.grpc"],
        good: &["@probe: {httpGet: {path: /}}"],
        ..ERROR
    },
    Rule {
        id: "probe-handler-missing",
        path: "@probe",
        text: "the probe needs tcpSocket or httpGet",
        check: |c| {
            let none = !c.at.get("tcpSocket").exists() && !c.at.get("httpGet").exists();
            if c.at.is_map() && none && !foreign_handler(&c.at) {
                c.report(&[]);
            }
        },
        bad: &["@probe: {periodSeconds: 10}"],
        good: &["@probe: {httpGet: {path: /}}"],
        ..ERROR
    },
    Rule {
        id: "probe-handler-many",
        path: "@probe",
        text: "the probe must have only one of tcpSocket and httpGet",
        check: |c| {
            if !c.at.get("tcpSocket").missing() && !c.at.get("httpGet").missing() {
                c.report(&[]);
            }
        },
        bad: &[
            "@probe: {tcpSocket: {port: 80}, httpGet: {path: /}}\n@container.ports: [{number: 80}]\nat @probe",
        ],
        good: &["@probe: {tcpSocket: {port: 80}}"],
        ..ERROR
    },
    Rule {
        id: "probe-port",
        path: "@probe.{tcpSocket,httpGet}.port",
        text: "probe port {} is not allowed",
        check: |c| {
            let tcp = c.at.holder().key() == Some("tcpSocket");
            let bad = if c.at.missing() {
                tcp
            } else {
                c.at.number().is_some() && !c.at.int().is_some_and(is_port)
            };
            if bad {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &[
            "@probe: {tcpSocket: {}}\nat @probe.tcpSocket.port",
            "@probe: {tcpSocket: {port: 9090}}\nat @probe.tcpSocket.port",
            "@probe: {httpGet: {port: 22}}\nat @probe.httpGet.port",
        ],
        good: &["@probe: {httpGet: {path: /}}", "@probe: {tcpSocket: {port: 8080}}"],
        ..ERROR
    },
    Rule {
        id: "probe-port-unlisted",
        path: "@probe.{tcpSocket,httpGet}.port",
        text: "probe port {} is not among the ports of the VM",
        check: |c| {
            if let Some(port) = c.at.int().filter(|port| is_port(*port))
                && !all_ports(c).any(|listed| listed.get("number").int() == Some(port))
            {
                c.report(&[&port]);
            }
        },
        bad: &[
            "@probe: {tcpSocket: {port: 8080}}\n@container.ports: [{number: 80}]\nat @probe.tcpSocket.port",
        ],
        good: &["@probe: {tcpSocket: {port: 8080}}\n@container.ports: [{number: 8080}]"],
        ..WARNING
    },
    Rule {
        id: "probe-http-path",
        path: "@probe.httpGet.path",
        text: "probe path must start with \"/\" and have at most 256 characters",
        check: |c| {
            if let Some(path) = c.text().filter(|path| !path.starts_with('/') || path.chars().count() > 256) {
                let fix = if path.starts_with('/') { None } else { Fix::set(&c.at, &format!("/{path}")) };
                c.report(&[]).fix(fix);
            }
        },
        bad: &["@probe: {httpGet: {path: healthz}}\nat @probe.httpGet.path"],
        good: &["@probe: {httpGet: {path: /healthz}}"],
        ..ERROR
    },
    Rule {
        id: "probe-http-scheme",
        path: "@probe.httpGet.scheme",
        text: "probe scheme must be HTTP or HTTPS",
        check: |c| c.one_of(&["HTTP", "HTTPS"]),
        bad: &["@probe: {httpGet: {scheme: https}}\nat @probe.httpGet.scheme"],
        good: &["@probe: {httpGet: {scheme: HTTPS}}"],
        ..ERROR
    },
    Rule {
        id: "probe-initial-delay",
        path: "@probe.initialDelaySeconds",
        text: "initialDelaySeconds {} is outside 0 to 600",
        check: |c| c.between(0, 600),
        bad: &["@probe: {httpGet: {path: /}, initialDelaySeconds: 601}\nat @probe.initialDelaySeconds"],
        good: &["@probe: {httpGet: {path: /}, initialDelaySeconds: 0}"],
        ..ERROR
    },
    Rule {
        id: "probe-period",
        path: "@probe.periodSeconds",
        text: "periodSeconds {} is outside 1 to 600",
        check: |c| c.between(1, 600),
        bad: &["@probe: {httpGet: {path: /}, periodSeconds: 0}\nat @probe.periodSeconds"],
        good: &["@probe: {httpGet: {path: /}, periodSeconds: 600}"],
        ..ERROR
    },
    Rule {
        id: "probe-timeout",
        path: "@probe.timeoutSeconds",
        text: "timeoutSeconds {} is outside 1 to 600",
        check: |c| c.between(1, 600),
        bad: &["@probe: {httpGet: {path: /}, timeoutSeconds: 601}\nat @probe.timeoutSeconds"],
        good: &["@probe: {httpGet: {path: /}, timeoutSeconds: 5}"],
        ..ERROR
    },
    Rule {
        id: "probe-success-threshold",
        path: "@probe.successThreshold",
        text: "successThreshold {} is not allowed here",
        check: |c| {
            let liveness = c.at.holder().key() == Some("livenessProbe");
            c.between(1, if liveness { 1 } else { 20 });
        },
        bad: &[
            "@probe: {httpGet: {path: /}, successThreshold: 21}\nat @probe.successThreshold",
            "@container.livenessProbe: {httpGet: {path: /}, successThreshold: 2}\nat @container.livenessProbe.successThreshold",
        ],
        good: &["@probe: {httpGet: {path: /}, successThreshold: 20}"],
        ..ERROR
    },
    Rule {
        id: "probe-failure-threshold",
        path: "@probe.failureThreshold",
        text: "failureThreshold {} is outside 1 to 20",
        check: |c| c.between(1, 20),
        bad: &["@probe: {httpGet: {path: /}, failureThreshold: 0}\nat @probe.failureThreshold"],
        good: &["@probe: {httpGet: {path: /}, failureThreshold: 3}"],
        ..ERROR
    },
];

/// Whether a pattern compiles, with the reason in one line. Patterns are RE2's, which these are as well.
pub(super) fn compiles(pattern: &str) -> Result<(), String> {
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".into()),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            Err(last.trim_start_matches("error: ").to_owned())
        }
    }
}
