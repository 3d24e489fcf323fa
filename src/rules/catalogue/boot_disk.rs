//! The boot disk: where it comes from and where it lives.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
