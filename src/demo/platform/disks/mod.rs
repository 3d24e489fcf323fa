//! What CDI and the storage do: data volumes, claims and their volumes, imports, uploads, clones, data sources and crons.

use super::Reconciler;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[];
