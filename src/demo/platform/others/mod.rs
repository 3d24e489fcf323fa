//! What other projects' controllers do, in a simple way: Virtink's machines, Kairos' artifacts.
//!
//! | File | Holds |
//! |---|---|
//! | `virtink`, `pod` | Virtink's VirtualMachines: phases, run policies, power actions; their pods |
//! | `migration` | Virtink's VirtualMachineMigrations |
//! | `artifact`, `builder` | Kairos' OSArtifacts: phases; the pods that build them, and what runs in those |

mod artifact;
mod builder;
mod migration;
mod pod;
#[cfg(test)]
mod tests;
mod virtink;

use super::Reconciler;
use super::kind::Kind;
use super::nodes::program::Program;
use super::object::Object;
use super::view::View;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler { name: "virtink", manager: "virt-controller", of: Kind::VirtinkMachine, step: virtink::step },
    Reconciler {
        name: "virtink migration",
        manager: "virt-controller",
        of: Kind::VirtinkMigration,
        step: migration::step,
    },
    Reconciler { name: "osartifact", manager: "manager", of: Kind::OSArtifact, step: artifact::step },
];

/// What runs in the pods of builders and of machines.
pub(super) const PROGRAMS: &[Program] = &[builder::PROGRAM, pod::PROGRAM];

/// Five letters and digits for the name of an object's next pod; others after each change of the object.
fn suffix(view: &View<'_>, object: &Object) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let letter = |place: u32| {
        let chance = view.chance(object, &format!("pod-{}-{}-{place}", object.uid(), object.version()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 up to below 27")]
        let index = (chance * 27.0) as usize;
        char::from(LETTERS.get(index).copied().unwrap_or(b'z'))
    };
    (0..5).map(letter).collect()
}
