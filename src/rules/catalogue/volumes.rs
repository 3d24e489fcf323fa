//! Disks in `containers[0].volumes`.

use super::super::rule::Rule;

/// The rows.
pub(super) const RULES: &[Rule] = &[];
