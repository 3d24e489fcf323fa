//! The scheduler: which node a pod gets, and what it says when there is none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::edit::{Condition, Times, annotate, condition};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::fit::{self, Reason};

/// Names the node whose pod wants a claim that is bound only then.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

const SCHEDULER: &str = "default-scheduler";

/// How long it takes a pod to come to its turn.
const TURN: Duration = Duration::from_millis(300);

/// What becomes of a pod that waits for a node.
enum Verdict {
    /// It gets this one.
    Node(String),
    /// It will get this one, when these claims have their volumes.
    Claims(String, Vec<Object>),
    /// It gets none.
    None(String),
}

/// Looks for a node.
pub(super) fn step(view: &View<'_>, pod: &Object) -> Vec<Write> {
    let waits = pod.text("/spec/nodeName").is_empty() && !pod.is_ending() && pod.phase() == "Pending";
    let ours = matches!(pod.text("/spec/schedulerName"), "" | SCHEDULER);
    let gated = !pod.list("/spec/schedulingGates").is_empty();
    if !waits || !ours || gated || !view.waited(pod, "scheduled", TURN) {
        return Vec::new();
    }
    match decide(view, pod) {
        Verdict::Node(node) => {
            let text = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
            let bind = Write::Bind { pod: pod.clone(), node };
            vec![bind, Write::tell(pod, SCHEDULER, "Scheduled", text)]
        }
        Verdict::Claims(node, claims) => claims
            .iter()
            .filter_map(|claim| {
                let mut new = claim.edit();
                annotate(&mut new, SELECTED_NODE, &node);
                Write::update(claim, new)
            })
            .collect(),
        Verdict::None(why) => {
            let mut new = pod.edit();
            let said =
                Condition { of: "PodScheduled", status: "False", reason: "Unschedulable", message: &why };
            condition(&mut new, said, Times::Probe, view.time);
            let mut writes: Vec<Write> = Write::update(pod, new).into_iter().collect();
            if !writes.is_empty() {
                writes.push(Write::warn(pod, SCHEDULER, "FailedScheduling", why));
            }
            writes
        }
    }
}

fn decide(view: &View<'_>, pod: &Object) -> Verdict {
    let nodes: Vec<&Object> = view.list(Kind::Node, "").collect();
    if nodes.is_empty() {
        return Verdict::None("no nodes available to schedule pods".to_owned());
    }
    let mut waiting = Vec::new();
    for name in fit::claims(pod) {
        let Some(claim) = view.get(Kind::PersistentVolumeClaim, pod.namespace(), name) else {
            return Verdict::None(for_all(nodes.len(), &format!("persistentvolumeclaim {name:?} not found")));
        };
        if claim.is_ending() {
            let text = format!("persistentvolumeclaim {name:?} is being deleted");
            return Verdict::None(for_all(nodes.len(), &text));
        }
        if claim.phase() == "Lost" {
            let text = format!(
                "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {:?}",
                claim.text("/spec/volumeName")
            );
            return Verdict::None(for_all(nodes.len(), &text));
        }
        if claim.phase() != "Bound" {
            if !binds_at_first_consumer(view, claim) {
                let text = "pod has unbound immediate PersistentVolumeClaims";
                return Verdict::None(for_all(nodes.len(), text));
            }
            waiting.push(claim.clone());
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut hopeless, mut best): (usize, Option<(u64, &Object)>) = (0, None);
    for node in &nodes {
        let reasons: Vec<Reason> = fit::against(view, pod, node);
        if reasons.is_empty() {
            let load = load(view, node);
            if best.is_none_or(|(least, _)| load < least) {
                best = Some((load, node));
            }
        }
        hopeless += usize::from(reasons.iter().any(|reason| !reason.preemptible));
        for reason in reasons {
            *counts.entry(reason.text).or_default() += 1;
        }
    }
    let Some((_, node)) = best else { return Verdict::None(none_of(nodes.len(), &counts, hopeless)) };
    let node = node.name().to_owned();
    if waiting.is_empty() { Verdict::Node(node) } else { Verdict::Claims(node, waiting) }
}

/// How full a node is, in millionths of its memory.
fn load(view: &View<'_>, node: &Object) -> u64 {
    let of = |amounts: &fit::Amounts| amounts.get("memory").copied().unwrap_or_default();
    let has = of(&fit::amounts(node.at("/status/allocatable"))).max(1);
    let millionths = u128::from(of(&fit::taken(view, node.name()))) * 1_000_000 / u128::from(has);
    u64::try_from(millionths).unwrap_or(u64::MAX)
}

fn binds_at_first_consumer(view: &View<'_>, claim: &Object) -> bool {
    let class = view.get(Kind::StorageClass, "", claim.text("/spec/storageClassName"));
    class.is_some_and(|class| class.text("/volumeBindingMode") == "WaitForFirstConsumer")
}

/// What is said when it is the pod itself that fits nowhere.
fn for_all(nodes: usize, why: &str) -> String {
    format!(
        "0/{nodes} nodes are available: {why}. preemption: 0/{nodes} nodes are available: \
         {nodes} Preemption is not helpful for scheduling."
    )
}

/// What is said when every node has something against the pod.
fn none_of(nodes: usize, counts: &BTreeMap<String, usize>, hopeless: usize) -> String {
    let mut reasons: Vec<String> = counts.iter().map(|(text, count)| format!("{count} {text}")).collect();
    reasons.sort();
    let mut helps = Vec::new();
    if hopeless < nodes {
        helps.push(format!("{} No preemption victims found for incoming pod", nodes - hopeless));
    }
    if hopeless > 0 {
        helps.push(format!("{hopeless} Preemption is not helpful for scheduling"));
    }
    helps.sort();
    format!(
        "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {}.",
        reasons.join(", "),
        helps.join(", ")
    )
}
