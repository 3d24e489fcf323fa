//! What other projects' controllers do: Virtink's machines, Kairos' artifacts.

use super::Reconciler;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[];
