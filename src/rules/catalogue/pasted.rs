//! Documents of KubeVirt, CDI, Virtink and others, as people paste them.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
