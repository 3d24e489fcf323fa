//! The container entry: what a VM takes from it and what it does not.

use super::super::finding::Level;
use super::super::fix::Fix;
use super::super::patterns::{is_lower_dashed, is_quantity};
use super::super::rule::{Check, ERROR, Rule, WARNING};
use crate::model::{parse_bytes, parse_millis};

const RESERVED_NAMES: &[&str] = &[
    "istio-proxy",
    "queue-proxy",
    "istio-validation",
    "cpln-envoy-assassin",
    "cpln-writer-proxy",
    "cpln-reader-proxy",
    "cpln-dbaas-config",
];

const RESERVED_PREFIXES: &[&str] = &["cpln-", "cpln_", "debugger-"];

const MIB: u64 = 1 << 20;

/// An amount of processors in thousandths, where it is one.
fn millis(c: &Check<'_>) -> Option<u32> {
    c.at.word().filter(|word| is_quantity(word) && word.len() <= 20).and_then(|word| parse_millis(&word))
}

/// An amount of memory in bytes, where it is one.
fn bytes(c: &Check<'_>) -> Option<u64> {
    c.at.word().filter(|word| is_quantity(word)).and_then(|word| parse_bytes(&word))
}

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "containers-exactly-one",
        path: "spec.containers",
        text: "a VM has exactly one container entry, found {}",
        check: |c| {
            let count = c.at.count();
            if (c.at.missing() || c.at.is_list()) && count != 1 {
                c.report(&[&count]);
            }
        },
        bad: &[
            "!spec.containers",
            "spec.containers: []",
            "spec.containers[1]: {name: second, cpu: 1, memory: 1Gi}\nat spec.containers",
        ],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "container-name-required",
        path: "@container.name",
        text: "the container entry needs a name",
        check: |c| {
            if c.at.text().is_none_or(str::is_empty) {
                c.report(&[]);
            }
        },
        bad: &["!@container.name", "@container.name: ''"],
        good: &["@container.name: web"],
        ..ERROR
    },
    Rule {
        id: "container-name-pattern",
        path: "@container.name",
        text: "container name \"{}\" must be lower-case letters, digits and dashes, at most 64",
        check: |c| {
            let prefixed = |name: &str| RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            c.text_must(|name| {
                name.is_empty() || prefixed(name) || is_lower_dashed(name) && name.len() <= 64
            });
        },
        bad: &[
            "@container.name: Web",
            "@container.name: my_web",
            "@container.name: a1234567890123456789012345678901234567890123456789012345678901234",
        ],
        good: &["@container.name: web-1"],
        ..ERROR
    },
    Rule {
        id: "container-name-reserved",
        path: "@container.name",
        text: "container name \"{}\" is reserved",
        check: |c| c.text_must(|name| !RESERVED_NAMES.contains(&name)),
        bad: &["@container.name: istio-proxy", "@container.name: cpln-writer-proxy"],
        good: &["@container.name: proxy"],
        ..ERROR
    },
    Rule {
        id: "container-name-prefix",
        path: "@container.name",
        text: "container name must not start with \"{}\"",
        check: |c| {
            let name = c.text().filter(|name| !RESERVED_NAMES.contains(name));
            let prefix =
                RESERVED_PREFIXES.iter().find(|prefix| name.is_some_and(|name| name.starts_with(**prefix)));
            if let Some(prefix) = prefix {
                c.report(&[prefix]);
            }
        },
        bad: &["@container.name: cpln-web", "@container.name: cpln_web", "@container.name: debugger-1"],
        good: &["@container.name: my-cpln"],
        ..ERROR
    },
    Rule {
        id: "image-forbidden",
        path: "@container.image",
        text: "a VM takes its image from spec.vm.bootDisk, not from the container",
        check: |c| c.forbidden(),
        bad: &["@container.image: nginx"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "command-forbidden",
        path: "@container.command",
        text: "command does not apply to a VM; use cloud-init",
        check: |c| c.forbidden(),
        bad: &["@container.command: sleep"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "args-forbidden",
        path: "@container.args",
        text: "args do not apply to a VM; use cloud-init",
        check: |c| c.forbidden(),
        bad: &["@container.args: [a, b]"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "working-dir-forbidden",
        path: "@container.workingDir",
        text: "workingDir does not apply to a VM",
        check: |c| c.forbidden(),
        bad: &["@container.workingDir: /srv"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "lifecycle-forbidden",
        path: "@container.lifecycle",
        text: "lifecycle hooks do not apply to a VM",
        check: |c| c.forbidden(),
        bad: &["@container.lifecycle: {preStop: {exec: {command: [sync]}}}"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "singular-port-forbidden",
        path: "@container.port",
        text: "use the ports list; the single port field is not valid for a VM",
        check: |c| {
            if !c.at.exists() {
                return;
            }
            let at = c.at.clone();
            let only = c.at.holder().entry("ports").is_none();
            let number = at.int().filter(|_| only && !at.holder().is_flow());
            let fix = number.and_then(|number| {
                let list = Fix::bare(&at, &format!("[{{number: {number}}}]"))?;
                Some(Fix::rename(&at, "ports")?.and(list).labelled("list it in ports"))
            });
            c.report_key(&at, &[]).fix(fix.or_else(|| Fix::remove(&at)));
        },
        bad: &["@container.port: 80"],
        good: &["@container.ports: [{number: 80}]"],
        ..ERROR
    },
    Rule {
        id: "cpu-required",
        path: "@container.cpu",
        text: "cpu is required for a VM, at least 1000m",
        check: |c| {
            if c.at.missing() {
                let fix = if c.at.exists() { None } else { Fix::add(&c.at.holder(), "cpu", "1") };
                c.report(&[]).fix(fix);
            }
        },
        bad: &["!@container.cpu"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "cpu-syntax",
        path: "@container.cpu",
        text: "cpu \"{}\" is not a quantity such as 2 or 2000m",
        check: |c| {
            if let Some(word) = c.at.word()
                && millis(c).is_none()
            {
                c.report(&[&word]);
            }
        },
        bad: &["@container.cpu: two", "@container.cpu: 2 cores", "@container.cpu: -1", "@container.cpu: ''"],
        good: &["@container.cpu: 2000m"],
        ..ERROR
    },
    Rule {
        id: "cpu-minimum",
        path: "@container.cpu",
        text: "cpu \"{}\" is less than one core (1000m)",
        check: |c| {
            if millis(c).is_some_and(|millis| millis < 1000) {
                let (shown, fix) = (c.at.shown(), Fix::set(&c.at, "1"));
                c.report(&[&shown]).fix(fix);
            }
        },
        bad: &["@container.cpu: 500m", "@container.cpu: 0", "@container.cpu: 0.5"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
    Rule {
        id: "cpu-whole-cores",
        path: "@container.cpu",
        text: "cpu \"{}\" is not a whole number of cores; use {} or {}",
        check: |c| {
            if let Some(millis) = millis(c).filter(|millis| *millis > 1000 && millis % 1000 != 0) {
                let (shown, less) = (c.at.shown(), millis / 1000);
                let fix = Fix::set(&c.at, &(less + 1).to_string());
                c.report(&[&shown, &less, &(less + 1)]).fix(fix);
            }
        },
        bad: &["@container.cpu: 1500m", "@container.cpu: 1.5"],
        good: &["@container.cpu: 3000m", "@container.cpu: 2.0"],
        ..ERROR
    },
    Rule {
        id: "memory-syntax",
        path: "@container.memory",
        text: "memory \"{}\" is not a quantity such as 2Gi",
        check: |c| {
            if let Some(word) = c.at.word()
                && bytes(c).is_none()
            {
                // The unit that people write and Kubernetes does not have.
                let trimmed = word.trim_end_matches(['B', 'b']).replace(' ', "");
                let fix = if is_quantity(&trimmed) { Fix::set(&c.at, &trimmed) } else { None };
                c.report(&[&word]).fix(fix);
            }
        },
        bad: &["@container.memory: 2GB", "@container.memory: plenty", "@container.memory: 2 Gi"],
        good: &["@container.memory: 2048Mi"],
        ..ERROR
    },
    Rule {
        id: "memory-minimum",
        path: "@container.memory",
        text: "memory \"{}\" is below 32Mi",
        check: |c| {
            if bytes(c).is_some_and(|bytes| bytes < 32 * MIB) {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &["@container.memory: 16Mi", "@container.memory: 2", "@container.memory: 2000m"],
        good: &["@container.memory: 32Mi"],
        ..ERROR
    },
    Rule {
        id: "memory-small",
        level: Level::Warning,
        path: "@container.memory",
        text: "memory is {}; few guests start with that little",
        check: |c| {
            if c.at.missing() {
                c.report(&[&"128Mi"]);
            } else if bytes(c).is_some_and(|bytes| (32 * MIB..256 * MIB).contains(&bytes)) {
                let shown = c.at.shown();
                c.report(&[&shown]);
            }
        },
        bad: &["@container.memory: 128Mi", "!@container.memory"],
        good: &["@container.memory: 256Mi", "@container.memory: 1Mi"],
        ..WARNING
    },
    Rule {
        id: "memory-cpu-ratio",
        path: "@container.memory",
        text: "memory is more than 8 Mi per millicore, which the hosted service refuses",
        check: |c| {
            let cpu = c.at.holder().get("cpu").word().and_then(|word| parse_millis(&word));
            let relaxed = tag(c, "cpln/relaxMemoryToCpuRatio");
            // Less than a core is another mistake, and says nothing about memory.
            let cpu = cpu.filter(|millis| *millis >= 1000);
            let most = u64::from(cpu.unwrap_or(u32::MAX)) * if relaxed { 32 } else { 8 } * MIB;
            if bytes(c).is_some_and(|bytes| bytes > most) {
                c.report(&[]);
            }
        },
        bad: &[
            "@container.memory: 17000Mi",
            "@container.memory: 64001Mi\ntags: {cpln/relaxMemoryToCpuRatio: 'true'}",
        ],
        good: &[
            "@container.memory: 16000Mi",
            "@container.memory: 64000Mi\ntags: {cpln/relaxMemoryToCpuRatio: 'true'}",
        ],
        ..WARNING
    },
    Rule {
        id: "min-resources-unused",
        path: "@container.{minCpu,minMemory}",
        text: "{} has no effect without Capacity AI",
        check: |c| {
            if c.root().get("spec.defaultOptions.capacityAI").truth() != Some(true) {
                c.forbidden();
            }
        },
        bad: &["@container.minCpu: 1", "@container.minMemory: 1Gi"],
        good: &["@container.minCpu: 1\nspec.defaultOptions.capacityAI: true"],
        ..WARNING
    },
    Rule {
        id: "gpu-unsupported",
        path: "@container.gpu",
        text: "GPU assignment is not available for VMs",
        check: |c| c.forbidden(),
        bad: &["@container.gpu: {nvidia: {model: t4, quantity: 1}}"],
        good: &["@container.cpu: 1"],
        ..ERROR
    },
];

/// Whether a tag of the workload is there and not `false`, in whichever form.
pub(super) fn tag(c: &Check<'_>, name: &str) -> bool {
    let root = c.root();
    let annotation = format!("{}{name}", super::super::paths::TAG);
    // The name of a tag with a slash is the name of an annotation already.
    let annotations = root.get("metadata.annotations");
    let tag = root.get("tags").entry(name);
    let tag = tag.or_else(|| annotations.entry(&annotation)).or_else(|| annotations.entry(name));
    tag.is_some_and(|tag| tag.text() != Some("false") && tag.truth() != Some(false))
}
