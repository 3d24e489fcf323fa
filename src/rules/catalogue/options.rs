//! Options, identity, firewall and the rest of a workload.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
