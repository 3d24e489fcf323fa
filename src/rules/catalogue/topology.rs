//! Processors, firmware, guest, network, clock and names.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
