//! Machines made of machines: pools, migrations, snapshots and restores.

use super::Reconciler;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[];
