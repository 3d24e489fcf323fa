//! What a cluster's nodes do: the nodes themselves, the scheduler, and the kubelet with what runs in pods.

use super::Reconciler;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[];
