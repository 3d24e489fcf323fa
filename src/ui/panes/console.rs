//! Serial consoles of machines: a terminal in a pane.
//!
//! A console belongs to [`Consoles`], not to the pane: it goes on while other things are on screen. The pane shows one of them, with
//! the others as tabs. What is typed goes to the guest, but for ctrl-], which opens the pane's own menu.

mod cast;
mod keys;
mod look;
mod pane;
mod room;
mod session;

pub use self::keys::ConsoleCommand;
pub use self::pane::ConsolePane;
pub(in crate::ui) use self::pane::mark;
pub use self::room::{Consoles, MOST, Taken};
pub use self::session::{Console, Place};

use crate::records::Kind;
use crate::ui::subject::Subject;

/// Whether `s` opens something about objects of this kind.
pub fn has_console(kind: Kind) -> bool {
    matches!(kind, Kind::Vm | Kind::Vmi | Kind::VirtinkVm)
}

/// The console of an object, or why there is none.
pub fn of(subject: &Subject) -> Result<Place, &'static str> {
    match subject.kind {
        // The instance of a machine has its name.
        Kind::Vm | Kind::Vmi => {
            Ok(Place { namespace: subject.namespace.to_string(), name: subject.name.to_string() })
        }
        Kind::VirtinkVm => Err(
            "Virtink has no console that can be opened from here: l shows what its guest writes, and a shell in its pod (kubectl exec) \
             reaches the terminal of its guest.",
        ),
        _ => Err("Only machines have a serial console."),
    }
}
