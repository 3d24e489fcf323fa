//! How much a container uses at a moment: nothing but a function of its pod and the time, which moves slowly.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{parse_bytes, parse_millis};

/// What something uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Processors.
    pub(super) cores: f64,
    /// Memory in bytes.
    pub(super) bytes: f64,
}

impl Usage {
    pub(super) fn add(&mut self, other: Self) {
        self.cores += other.cores;
        self.bytes += other.bytes;
    }

    /// As metrics-server writes it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "neither is negative or near the end"
    )]
    pub(super) fn value(self) -> Value {
        let (nanos, kibibytes) = ((self.cores * 1e9) as u64, (self.bytes / 1024.0) as u64);
        json!({"cpu": format!("{nanos}n"), "memory": format!("{kibibytes}Ki")})
    }
}

const MEBIBYTE: f64 = 1_048_576.0;

/// KubeVirt asks for a tenth of a processor for every one a guest sees.
const CORES_PER_REQUEST: f64 = 10.0;

/// What a launcher has beside its guest: some of this counts as its own.
const OVERHEAD: f64 = 250.0 * MEBIBYTE;

/// What containers use of which nothing else is known: the name, cores at most, MiB at most.
const KNOWN: &[(&str, f64, f64)] = &[
    ("importer", 0.7, 260.0),
    ("cdi-clone-source", 0.5, 120.0),
    ("cdi-upload-server", 0.4, 180.0),
    ("guest-console-log", 0.002, 22.0),
    ("cloud-hypervisor", 0.8, 900.0),
    ("buildah-build", 1.8, 1400.0),
];

/// Anything else.
const OTHERS: (f64, f64) = (0.02, 48.0);

/// The containers of a pod that run, and what each of them uses.
pub(super) fn of_pod(pod: &Value, now: Timestamp) -> Vec<(String, Usage)> {
    if pod["status"]["phase"] != "Running" {
        return Vec::new();
    }
    let lists = [("initContainerStatuses", "initContainers"), ("containerStatuses", "containers")];
    let each = |field: &Value| field.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (statuses, specs) in lists {
        let specs = each(&pod["spec"][specs]);
        for status in each(&pod["status"][statuses]) {
            let name = status["name"].as_str().unwrap_or_default();
            if status["state"]["running"].is_object() {
                let spec = specs.iter().find(|one| one["name"] == name).cloned().unwrap_or_default();
                found.push((name.to_owned(), of_container(pod, name, &spec, now)));
            }
        }
    }
    found
}

fn of_container(pod: &Value, name: &str, spec: &Value, now: Timestamp) -> Usage {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default();
    let (busy, full) = (wave(uid, &format!("{name} cpu"), now), wave(uid, &format!("{name} memory"), now));
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    let requests = &spec["resources"]["requests"];
    let cores = parse_millis(&text(&requests["cpu"])).map(|millis| f64::from(millis) / 1000.0);
    #[expect(clippy::cast_precision_loss, reason = "nobody counts single bytes")]
    let bytes = parse_bytes(&text(&requests["memory"])).map(|bytes| bytes as f64);
    if name == "compute" && pod["metadata"]["labels"]["kubevirt.io"] == "virt-launcher" {
        let guest = (bytes.unwrap_or(1024.0 * MEBIBYTE) - OVERHEAD).max(64.0 * MEBIBYTE);
        let load = if is_paused(pod) { 0.004 } else { 0.01 + 0.6 * busy * busy };
        return Usage {
            cores: cores.unwrap_or(0.1) * CORES_PER_REQUEST * load,
            bytes: guest * (0.3 + 0.5 * full) + OVERHEAD * 0.6,
        };
    }
    let (most_cores, most_mebibytes) = KNOWN
        .iter()
        .find(|(known, _, _)| *known == name)
        .map_or(OTHERS, |(_, cores, mebibytes)| (*cores, *mebibytes));
    Usage {
        cores: most_cores.max(cores.unwrap_or_default() * 0.5) * (0.1 + 0.9 * busy),
        bytes: bytes.map_or(most_mebibytes * MEBIBYTE, |bytes| bytes.min(most_mebibytes * MEBIBYTE))
            * (0.5 + 0.4 * full),
    }
}

fn is_paused(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|one| one["type"] == "kubevirt.io/virtual-machine-unpaused" && one["status"] == "False")
}

/// What a node uses by itself.
pub(super) fn of_node(node: &Value, now: Timestamp) -> Usage {
    let uid = node["metadata"]["uid"].as_str().unwrap_or_default();
    Usage {
        cores: 0.15 + 0.25 * wave(uid, "cpu", now),
        bytes: (1800.0 + 900.0 * wave(uid, "memory", now)) * MEBIBYTE,
    }
}

/// From 0 to 1: chance by a uid and a word, which goes smoothly from one value to the next, within minutes and, on top of
/// that, within half a minute.
fn wave(uid: &str, word: &str, now: Timestamp) -> f64 {
    let slow = between(uid, word, now.as_second(), 600);
    let fast = between(uid, word, now.as_second(), 45);
    0.8 * slow + 0.2 * fast
}

fn between(uid: &str, word: &str, second: i64, period: i64) -> f64 {
    let (place, rest) = (second.div_euclid(period), second.rem_euclid(period));
    #[expect(clippy::cast_precision_loss, reason = "less than a period")]
    let way = rest as f64 / period as f64;
    let smooth = way * way * (3.0 - 2.0 * way);
    let (from, to) = (chance(uid, word, period, place), chance(uid, word, period, place + 1));
    from + (to - from) * smooth
}

/// From 0 up to below 1; the same for the same arguments, everywhere.
fn chance(uid: &str, word: &str, period: i64, place: i64) -> f64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let numbers = [period.to_le_bytes(), place.to_le_bytes()];
    let bytes = uid.bytes().chain([0xff]).chain(word.bytes()).chain(numbers.into_iter().flatten());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    fastrand::Rng::with_seed(hash).f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher(unpaused: &str) -> Value {
        let running = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
        json!({
            "metadata": {"uid": "1", "labels": {"kubevirt.io": "virt-launcher"}},
            "spec": {
                "containers": [{"name": "compute", "resources": {"requests": {"cpu": "200m", "memory": "2298Mi"}}}],
                "initContainers": [{"name": "guest-console-log"}, {"name": "volumeroot"}],
            },
            "status": {
                "phase": "Running",
                "conditions": [{"type": "kubevirt.io/virtual-machine-unpaused", "status": unpaused}],
                "containerStatuses": [{"name": "compute", "state": running}],
                "initContainerStatuses": [
                    {"name": "guest-console-log", "state": running}, {"name": "volumeroot", "state": {"terminated": {}}},
                ],
            },
        })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_guest_uses_part_of_what_it_has_and_changes_slowly() {
        let compute = |second| {
            let all = of_pod(&launcher("True"), at(second));
            let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["guest-console-log", "compute"], "what has ended uses nothing");
            all[1].1
        };
        for second in (1_790_000_000..1_790_007_200).step_by(15) {
            let (now, then) = (compute(second), compute(second + 15));
            assert!((0.01..2.0).contains(&now.cores), "{now:?}");
            assert!((500.0 * MEBIBYTE..2300.0 * MEBIBYTE).contains(&now.bytes), "{now:?}");
            assert!((now.cores - then.cores).abs() < 0.3, "{now:?} {then:?}");
        }
        assert_eq!(compute(1_790_000_000), compute(1_790_000_000));
    }

    #[test]
    fn a_paused_guest_does_nothing() {
        let paused = of_pod(&launcher("False"), at(1_790_000_000))[1].1;
        assert!(paused.cores < 0.01, "{paused:?}");
    }

    #[test]
    fn what_does_not_run_uses_nothing() {
        let mut pod = launcher("True");
        pod["status"]["phase"] = "Succeeded".into();
        assert!(of_pod(&pod, at(0)).is_empty());
    }
}
