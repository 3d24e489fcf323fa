//! Cells of pods: what their containers make of them in one word.

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::values::{NONE, each, flag, found, number, or, text, time};

/// What a row tells of a pod's containers.
struct Summary {
    ready: usize,
    containers: usize,
    status: String,
    restarts: i64,
    restarted: Option<Timestamp>,
}

pub(super) fn ready(pod: &Value, _: Timestamp) -> Value {
    let summary = Summary::of(pod);
    format!("{}/{}", summary.ready, summary.containers).into()
}

pub(super) fn status(pod: &Value, _: Timestamp) -> Value {
    Summary::of(pod).status.into()
}

pub(super) fn restarts(pod: &Value, now: Timestamp) -> Value {
    let summary = Summary::of(pod);
    match summary.restarted {
        Some(when) if summary.restarts != 0 => format!("{} ({} ago)", summary.restarts, age(when, now)),
        _ => summary.restarts.to_string(),
    }
    .into()
}

pub(super) fn address(pod: &Value, _: Timestamp) -> Value {
    let first = found(pod, "status.podIPs").and_then(|all| all.get(0)).map_or("", |one| text(one, "ip"));
    or(if first.is_empty() { text(pod, "status.podIP") } else { first }, NONE).into()
}

pub(super) fn node(pod: &Value, _: Timestamp) -> Value {
    or(text(pod, "spec.nodeName"), NONE).into()
}

pub(super) fn nominated(pod: &Value, _: Timestamp) -> Value {
    or(text(pod, "status.nominatedNodeName"), NONE).into()
}

pub(super) fn gates(pod: &Value, _: Timestamp) -> Value {
    let gates = each(pod, "spec.readinessGates").count();
    if gates == 0 {
        return NONE.into();
    }
    let open =
        each(pod, "spec.readinessGates").filter(|gate| is_true(pod, text(gate, "conditionType"))).count();
    format!("{open}/{gates}").into()
}

fn is_true(pod: &Value, condition: &str) -> bool {
    each(pod, "status.conditions").any(|one| text(one, "type") == condition && text(one, "status") == "True")
}

impl Summary {
    fn of(pod: &Value) -> Self {
        // Containers of the beginning that go on beside the others count as those do.
        let stays = |name: &str| {
            let mut containers = each(pod, "spec.initContainers");
            containers.any(|one| text(one, "name") == name && text(one, "restartPolicy") == "Always")
        };
        let staying = each(pod, "spec.initContainers").filter(|one| stays(text(one, "name"))).count();
        let phase = text(pod, "status.phase");
        let mut summary = Self {
            ready: 0,
            containers: each(pod, "spec.containers").count() + staying,
            status: or(text(pod, "status.reason"), phase).to_owned(),
            restarts: 0,
            restarted: None,
        };
        let gated =
            |one: &Value| text(one, "type") == "PodScheduled" && text(one, "reason") == "SchedulingGated";
        if each(pod, "status.conditions").any(gated) {
            summary.status = "SchedulingGated".into();
        }
        let mut of_staying = (0, None);
        let mut beginning = false;
        for (place, one) in each(pod, "status.initContainerStatuses").enumerate() {
            summary.count_restarts(one);
            let stays = stays(text(one, "name"));
            if stays {
                of_staying =
                    (of_staying.0 + number(one, "restartCount"), of_staying.1.max(ended_before(one)));
            }
            let ended = found(one, "state.terminated");
            if ended.is_some_and(|ended| number(ended, "exitCode") == 0) {
                continue;
            }
            if stays && flag(one, "started") {
                summary.ready += usize::from(flag(one, "ready"));
                continue;
            }
            let waits_for = text(one, "state.waiting.reason");
            summary.status = if let Some(ended) = ended {
                format!("Init:{}", end(ended))
            } else if !matches!(waits_for, "" | "PodInitializing") {
                format!("Init:{waits_for}")
            } else {
                format!("Init:{place}/{}", each(pod, "spec.initContainers").count())
            };
            beginning = true;
            break;
        }
        if !beginning || is_true(pod, "Initialized") {
            (summary.restarts, summary.restarted) = of_staying;
            summary.add_containers(pod);
        }
        if found(pod, "metadata.deletionTimestamp").is_some() {
            if text(pod, "status.reason") == "NodeLost" {
                summary.status = "Unknown".into();
            } else if !matches!(phase, "Succeeded" | "Failed") {
                summary.status = "Terminating".into();
            }
        }
        summary
    }

    fn add_containers(&mut self, pod: &Value) {
        let mut runs = false;
        let statuses: Vec<&Value> = each(pod, "status.containerStatuses").collect();
        // The first container has the last word.
        for one in statuses.into_iter().rev() {
            self.count_restarts(one);
            let waits_for = text(one, "state.waiting.reason");
            if !waits_for.is_empty() {
                self.status = waits_for.to_owned();
            } else if let Some(ended) = found(one, "state.terminated") {
                self.status = end(ended);
            } else if flag(one, "ready") && found(one, "state.running").is_some() {
                runs = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && runs {
            self.status = if is_true(pod, "Ready") { "Running" } else { "NotReady" }.into();
        }
    }

    fn count_restarts(&mut self, container: &Value) {
        self.restarts += number(container, "restartCount");
        self.restarted = self.restarted.max(ended_before(container));
    }
}

/// When the container before this one ended.
fn ended_before(container: &Value) -> Option<Timestamp> {
    time(container, "lastState.terminated.finishedAt")
}

/// How a container ended, in one word.
fn end(ended: &Value) -> String {
    let (reason, signal) = (text(ended, "reason"), number(ended, "signal"));
    match (reason, signal) {
        ("", 0) => format!("ExitCode:{}", number(ended, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}
