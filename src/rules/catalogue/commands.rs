//! Commands on volume sets, and of the command line.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
