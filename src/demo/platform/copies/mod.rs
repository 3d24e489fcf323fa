//! Copies of machines, what KubeVirt's virt-controller does for them: pools of equal ones, migrations, snapshots and restores.
//!
//! | File | Holds |
//! |---|---|
//! | `pool`, `template` | VirtualMachinePools, and what their machines are made from |
//! | `migration`, `target` | VirtualMachineInstanceMigrations, and the pods guests migrate to |
//! | `handler` | what virt-handler does while a guest migrates |
//! | `evacuation` | nodes that are drained |
//! | `snapshot`, `source` | VirtualMachineSnapshots and their contents; the machines they are taken of |
//! | `restore`, `restored` | VirtualMachineRestores; the claims, disks and machines they make |
//! | `selector` | label selectors |

mod evacuation;
mod handler;
mod migration;
mod pool;
mod restore;
mod restored;
mod selector;
mod snapshot;
mod source;
mod target;
mod template;

#[cfg(test)]
mod tests;

use super::Reconciler;
use super::kind::Kind;
use super::object::Object;
use super::view::View;

pub(super) use handler::has_left;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler {
        name: "virtualmachinepool",
        manager: "virt-controller",
        of: Kind::VirtualMachinePool,
        step: pool::step,
    },
    Reconciler {
        name: "snapshot",
        manager: "virt-controller",
        of: Kind::VirtualMachineSnapshot,
        step: snapshot::step,
    },
    Reconciler {
        name: "snapshot content",
        manager: "virt-controller",
        of: Kind::VirtualMachineSnapshotContent,
        step: snapshot::content,
    },
    Reconciler {
        name: "restore",
        manager: "virt-controller",
        of: Kind::VirtualMachineRestore,
        step: restore::step,
    },
    Reconciler {
        name: "migration",
        manager: "virt-controller",
        of: Kind::VirtualMachineInstanceMigration,
        step: migration::step,
    },
    Reconciler {
        name: "evacuation",
        manager: "virt-controller",
        of: Kind::VirtualMachineInstance,
        step: evacuation::step,
    },
    Reconciler {
        name: "migrating node",
        manager: "virt-handler",
        of: Kind::VirtualMachineInstance,
        step: handler::step,
    },
    Reconciler {
        name: "forsaken target",
        manager: "virt-controller",
        of: Kind::Pod,
        step: migration::forsaken,
    },
];

/// Five letters and digits as the API server appends them to generated names; the same ones for an object and a word.
fn suffix(view: &View<'_>, object: &Object, word: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let letter = |place: usize| {
        let chance = view.chance(object, &format!("{word}-{}-{place}", object.uid()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 up to below 27")]
        let index = (chance * 27.0) as usize;
        char::from(LETTERS.get(index).copied().unwrap_or(b'z'))
    };
    (0..5).map(letter).collect()
}
