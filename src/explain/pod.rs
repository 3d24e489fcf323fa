//! The state of a Pod.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{Pod, PodFlags};
use crate::store::{At, Health};

impl Explain for Pod {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let pod = at.record();
        let explained = explain(at);
        match pod.reason.as_str() {
            "" | "Pending" | "ContainerCreating" | "PodInitializing" => {
                explained.within(CREATED, pod.started.or(pod.meta.created), "TakesLong", now)
            }
            _ => explained,
        }
    }
}

/// So many seconds may the containers of a pod take to be created: an image may be large.
const CREATED: i64 = 300;

fn explain<'a>(at: At<'a, Pod>) -> Explained<'a> {
    let pod = at.record();
    let word = if pod.reason.is_empty() { pod.phase } else { pod.reason };
    let health = health(pod);
    let plain = Explained::new(&word, health).since(pod.restarted.or(pod.started).or(pod.meta.created));
    let Some(evidence) = pod.evidence.as_deref() else { return plain };
    let said = evidence.message.as_deref().map_or("", |said| said.as_str());
    if pod.flags.contains(PodFlags::UNSCHEDULABLE) {
        return plain.because("Unschedulable", said, Health::Failed);
    }
    let ended = evidence.ended.as_ref().filter(|ended| ended.code != 0);
    match ended.filter(|ended| ended.now || pod.reason == *"CrashLoopBackOff") {
        Some(ended) => {
            let told = plain.because(&ended.reason, &ended.message, health).after(pod.restarts, "restart");
            if ended.message.is_empty() { told.exit(ended.code) } else { told }
        }
        None if health == Health::Well => plain,
        None if said.is_empty() => plain,
        None => plain.because(word.as_str(), said, health),
    }
}

fn health(pod: &Pod) -> Health {
    match pod.reason.as_str() {
        "Completed" | "Succeeded" => Health::Idle,
        "Running" if pod.ready < pod.containers => Health::Busy,
        "Running" => Health::Well,
        "Terminating" => Health::Leaving,
        _ if pod.flags.contains(PodFlags::UNSCHEDULABLE) => Health::Failed,
        "" | "Pending" | "ContainerCreating" | "PodInitializing" | "NotReady" | "SchedulingGated" => {
            Health::Busy
        }
        // `Init:0/2` goes on, `Init:Error` does not.
        reason => match reason.strip_prefix("Init:") {
            Some(step) if step.starts_with(|c: char| c.is_ascii_digit()) => Health::Busy,
            _ => Health::Failed,
        },
    }
}
