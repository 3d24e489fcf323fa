//! The state of a Pod.

use super::Stateful;
use crate::model::{Now, Word};
use crate::records::{Pod, PodFlags};
use crate::store::{At, Health, State};

impl Stateful for Pod {
    fn state(at: At<'_, Self>, _: Now) -> State {
        let word = if at.record().reason.is_empty() { at.phase } else { at.record().reason };
        let reason = if at.flags.contains(PodFlags::UNSCHEDULABLE) { "Unschedulable" } else { "" };
        State {
            word,
            reason: Word::new(reason),
            since: at.started.or(at.meta.created),
            health: health(&at),
            ..State::default()
        }
    }
}

fn health(pod: &Pod) -> Health {
    match &*pod.reason {
        "Completed" | "Succeeded" => Health::Idle,
        "Running" if pod.ready < pod.containers => Health::Warning,
        "Running" => Health::Well,
        "Terminating" => Health::Leaving,
        _ if pod.flags.contains(PodFlags::UNSCHEDULABLE) => Health::Failed,
        "Pending" | "ContainerCreating" | "PodInitializing" => Health::Busy,
        // `Init:0/2` goes on, `Init:Error` does not.
        reason => match reason.strip_prefix("Init:") {
            Some(step) if step.starts_with(|c: char| c.is_ascii_digit()) => Health::Busy,
            _ => Health::Failed,
        },
    }
}
