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

pub use self::keys::{ConsoleCommand, MENU, READING};
pub use self::pane::ConsolePane;
pub(in crate::ui) use self::pane::mark;
pub use self::room::{Consoles, MOST, Taken};
pub use self::session::{Console, Place};

use crate::cluster::console::Platform;
use crate::records::Kind;
use crate::ui::subject::Subject;

/// The kinds whose objects have a console. The instance of a machine of KubeVirt has the machine's name.
const CONSOLES: [(Kind, Platform); 3] =
    [(Kind::Vm, Platform::KubeVirt), (Kind::Vmi, Platform::KubeVirt), (Kind::VirtinkVm, Platform::Virtink)];

fn platform(kind: Kind) -> Option<Platform> {
    CONSOLES.iter().find(|(known, _)| *known == kind).map(|(_, platform)| *platform)
}

/// Whether `s` opens something about objects of this kind.
pub fn has_console(kind: Kind) -> bool {
    platform(kind).is_some()
}

/// The console of an object, or why there is none.
pub fn of(subject: &Subject) -> Result<Place, &'static str> {
    let platform = platform(subject.kind).ok_or("Only machines have a serial console.")?;
    Ok(Place { platform, namespace: subject.namespace.to_string(), name: subject.name.to_string() })
}
