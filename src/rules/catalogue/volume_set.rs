//! Volume sets.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
