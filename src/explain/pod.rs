//! The state of a Pod.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{Pod, PodFlags};
use crate::store::{At, Health};

impl Explain for Pod {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let pod = at.record();
        let word = if pod.reason.is_empty() { pod.phase } else { pod.reason };
        let health = health(pod);
        let plain = Explained::new(&word, health).since(pod.started.or(pod.meta.created));
        let evidence = pod.evidence.as_deref();
        let said = evidence.and_then(|evidence| evidence.message.as_deref()).map_or("", |said| said.as_str());
        if pod.flags.contains(PodFlags::UNSCHEDULABLE) {
            return plain.because("Unschedulable", said, Health::Failed);
        }
        plain.because("", said, health).health(health)
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
