//! Copies of machines, what KubeVirt's virt-controller does for them: pools of equal ones, migrations, snapshots and restores.
//!
//! | File | Holds |
//! |---|---|
//! | `pool`, `template` | VirtualMachinePools, and what their machines are made from |
//! | `selector` | label selectors |

mod pool;
mod selector;
mod template;

#[cfg(test)]
mod tests;

use super::Reconciler;
use super::kind::Kind;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] =
    &[Reconciler { name: "virtualmachinepool", of: Kind::VirtualMachinePool, step: pool::step }];
