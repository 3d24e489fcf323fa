//! What a cluster's nodes do: the nodes themselves, the scheduler, and the kubelet with what runs in pods.
//!
//! | File | Holds |
//! |---|---|
//! | `node` | the nodes' status: heartbeats, capacity, devices |
//! | `scheduler`, `fit` | which node a pod gets, and why none |
//! | `kubelet` | a pod from its node to its end |
//! | `container`, `image`, `mount` | its parts |
//! | `program` | what runs in containers |
//! | `lines`, `endpoint` | what they write, and where an API server asks for it |

mod container;
pub(super) mod endpoint;
mod fit;
mod image;
mod kubelet;
mod lines;
mod mount;
mod node;
pub(crate) mod program;
mod scheduler;

pub(super) use kubelet::hash;
#[cfg(test)]
pub(crate) mod tests;

use super::Reconciler;
use super::kind::Kind;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler { name: "node", manager: "kubelet", of: Kind::Node, step: node::step },
    Reconciler { name: "scheduler", manager: "kube-scheduler", of: Kind::Pod, step: scheduler::step },
    Reconciler { name: "kubelet", manager: "kubelet", of: Kind::Pod, step: kubelet::step },
];
