//! The state of a Pod.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{Event, Pod, PodFlags};
use crate::store::{At, Health};

impl Explain for Pod {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let pod = at.record();
        let explained = explain(at);
        match pod.reason.as_str() {
            "" | "Pending" | "ContainerCreating" | "PodInitializing" => {
                let explained = mounting(at, explained, now).unwrap_or(explained);
                explained.within(CREATED, pod.started.or(pod.meta.created), "TakesLong", now)
            }
            _ => explained,
        }
    }
}

/// So many seconds may the containers of a pod take to be created: an image may be large.
const CREATED: i64 = 300;

/// What keeps the pod of a guest from running.
pub(super) fn waiting<'a>(at: At<'a, Pod>, waits: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let evidence = at.record().evidence.as_deref();
    let said = evidence.and_then(|evidence| evidence.message.as_deref()).map_or("", |said| said.as_str());
    if at.flags.contains(PodFlags::UNSCHEDULABLE) {
        return waits.because("Unschedulable", said, Health::Failed).told();
    }
    let reason = at.record().reason.as_str();
    let reason = reason.strip_prefix("Init:").unwrap_or(reason);
    let goes_on =
        matches!(reason, "Running" | "ContainerCreating" | "PodInitializing" | "Terminating" | "Pending");
    match goes_on || said.is_empty() {
        true => mounting(at, waits, now),
        false => waits.because(reason, said, Health::Failed).told(),
    }
}

/// So many seconds may a node try in vain to get a volume ready: what it names may come a moment later.
const MOUNTED: i64 = 20;

/// What the node says of a pod whose containers it cannot create: nothing but its events tells of a volume that cannot be
/// mounted.
pub(super) fn mounting<'a>(at: At<'a, Pod>, waits: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let reason = at.reason.as_str();
    let step =
        reason.strip_prefix("Init:").is_some_and(|step| step.starts_with(|c: char| c.is_ascii_digit()));
    if at.flags.contains(PodFlags::UNSCHEDULABLE)
        || !(step || matches!(reason, "" | "Pending" | "ContainerCreating" | "PodInitializing"))
    {
        return None;
    }
    let tells = |event: &&Event| event.warning && BY_NODE.iter().any(|known| event.reason.starts_with(known));
    let last = at.parts::<Event>().map(At::record).filter(tells).max_by_key(|event| event.last_seen)?;
    let told = waits.because(&last.reason, &last.message, Health::Warning).told()?;
    match told.state.health {
        // Nobody brings what is named and not there.
        Health::Failed => Some(told),
        _ => Some(told.health(Health::Busy).within(MOUNTED, last.first_seen, "TakesLong", now)),
    }
}

/// Beginnings of the reasons by which a node tells that it cannot create the containers of a pod.
const BY_NODE: &[&str] = &["FailedMount", "FailedAttach", "FailedMap", "FailedCreatePod", "NetworkNotReady"];

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
