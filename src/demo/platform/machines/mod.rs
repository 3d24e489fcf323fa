//! What KubeVirt's virt-controller and virt-handler do: machines, their instances and launcher pods, and the guests in them.

use super::Reconciler;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[];

/// What runs in the pods of machines.
pub(super) const PROGRAMS: &[super::nodes::program::Program] = &[];
