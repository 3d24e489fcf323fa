//! What KubeVirt's virt-controller and virt-handler do: machines, their instances and launcher pods, and the guests in them.
//!
//! | File | Holds |
//! |---|---|
//! | `machine` | a machine: disks first, then its instance, and what its status says |
//! | `strategy` | whether an instance is to be there, by run strategy, requests and failures |
//! | `status` | the word for a machine's state, its conditions |
//! | `disks` | the disks of its templates; what can be snapshotted |
//! | `types`, `birth` | instance types and preferences; a new instance |
//! | `changes` | what a changed machine means for the instance that runs |
//! | `instance`, `claims` | an instance until it has a node, and its end |
//! | `launcher` | its pod |
//! | `handler`, `guest`, `console` | the guest on its node, what it is, what it says |
//! | `hotplug` | disks that come and go while it runs |

mod birth;
mod changes;
mod claims;
mod console;
mod disks;
mod guest;
mod handler;
mod hotplug;
mod instance;
pub(super) mod launcher;
mod machine;
mod status;
mod strategy;
#[cfg(test)]
mod tests;
mod types;

use super::Reconciler;
use super::kind::Kind;
use super::nodes::program::Program;
use super::object::Object;
use super::view::View;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler { name: "machine", manager: "virt-controller", of: Kind::VirtualMachine, step: machine::step },
    Reconciler {
        name: "instance",
        manager: "virt-controller",
        of: Kind::VirtualMachineInstance,
        step: instance::step,
    },
    Reconciler {
        name: "hot-plug",
        manager: "virt-controller",
        of: Kind::VirtualMachineInstance,
        step: hotplug::step,
    },
    // A machine's controller sees that its instance is over before that is gone: its end has a turn of its own.
    Reconciler {
        name: "instance's end",
        manager: "virt-controller",
        of: Kind::VirtualMachineInstance,
        step: instance::end,
    },
    Reconciler {
        name: "guest",
        manager: "virt-handler",
        of: Kind::VirtualMachineInstance,
        step: handler::step,
    },
];

/// What runs in the pods of machines.
pub(super) const PROGRAMS: &[Program] = &[launcher::PROGRAM, claims::PROGRAM];

/// Who looks after machines and their pods.
const CONTROLLER: &str = "virtualmachine-controller";

/// Who looks after guests.
const HANDLER: &str = "virt-handler";

/// Says what becomes of a machine.
const PLAY: &str = "v9s.dev/play";

/// What was told to become of an instance's machine, by the machine, its template, or nobody.
fn cause<'a>(view: &'a View<'_>, vmi: &'a Object) -> &'a str {
    let own = vmi.annotation(PLAY);
    if own.is_empty() {
        view.get(Kind::VirtualMachine, vmi.namespace(), vmi.name()).map_or("", |vm| vm.annotation(PLAY))
    } else {
        own
    }
}

/// With this annotation on its instance a guest tells that it went down by itself: `powered-off` or `crashed`.
pub const GUEST: &str = "v9s.dev/guest";

/// Whether an instance's guest is no more.
fn is_final(vmi: &Object) -> bool {
    matches!(vmi.phase(), "Succeeded" | "Failed")
}
