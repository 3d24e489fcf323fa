//! The state of a VirtualMachine over its VirtualMachineInstance and disks.

use super::Stateful;
use crate::model::{Now, Word};
use crate::records::{RunStrategy, Vm, VmFlags, Vmi, VmiFlags};
use crate::store::{At, Health, Part, State};

/// The words of `status.printableStatus` and how well a machine is that has them.
const WORDS: &[(&str, Health)] = &[
    ("Running", Health::Well),
    ("Stopped", Health::Idle),
    ("Starting", Health::Busy),
    ("Provisioning", Health::Busy),
    ("WaitingForVolumeBinding", Health::Busy),
    ("WaitingForReceiver", Health::Busy),
    ("Migrating", Health::Busy),
    ("Paused", Health::Warning),
    ("Stopping", Health::Leaving),
    ("Terminating", Health::Leaving),
    ("CrashLoopBackOff", Health::Failed),
    ("ErrorUnschedulable", Health::Failed),
    ("ErrorPvcNotFound", Health::Failed),
    ("ErrImagePull", Health::Failed),
    ("ImagePullBackOff", Health::Failed),
    ("DataVolumeError", Health::Failed),
];

fn health(word: &str) -> Health {
    WORDS.iter().find(|(known, _)| *known == word).map_or(Health::Warning, |(_, health)| *health)
}

impl Stateful for Vm {
    fn state(at: At<'_, Self>, _: Now) -> State {
        let vmi = at.vmi();
        let word = match vmi {
            Part::Here(vmi) => alive(vmi, at.status),
            Part::None => alone(&at),
            Part::Loading | Part::Denied if at.status.is_empty() => Word::new("Unknown"),
            Part::Loading | Part::Denied => at.status,
        };
        let health = match (health(&word), &at.failure) {
            // `Stopped` can mean "every start is refused".
            (Health::Idle, Some(failure)) if !failure.reason.is_empty() => Health::Failed,
            (health, _) => health,
        };
        let since = vmi.here().and_then(|vmi| vmi.phase_since).filter(|_| word != *"Stopping");
        let (progress, filling) = if word == *"Provisioning" { filling(at) } else { (None, None) };
        State {
            word,
            reason: filling.unwrap_or_else(|| reason(&at, vmi.here())),
            since: since.or(at.ready_since),
            progress,
            health,
            provisional: !vmi.known(),
        }
    }
}

/// How far the disk is that has the longest way to go, and in which phase.
fn filling(vm: At<'_, Vm>) -> (Option<u16>, Option<Word>) {
    let slowest = vm
        .disks()
        .filter(|disk| disk.phase != *"Succeeded")
        .min_by_key(|disk| disk.progress.unwrap_or(u16::MAX));
    match slowest {
        Some(disk) => (disk.progress, Some(disk.phase).filter(|phase| !phase.is_empty())),
        None => (None, None),
    }
}

/// The word while a VirtualMachineInstance exists. Its own object is fresher than what its owner says of it.
fn alive(vmi: At<'_, Vmi>, said: Word) -> Word {
    if vmi.meta.deleted().is_some() {
        return Word::new("Stopping");
    }
    let word = match &*vmi.phase {
        "Running" if vmi.flags.contains(VmiFlags::MIGRATING) => "Migrating",
        "Running" if vmi.flags.contains(VmiFlags::PAUSED) => "Paused",
        "Running" => "Running",
        // A finished life: what comes next is for the controller to say.
        "Succeeded" | "Failed" if said == *"Running" => "Stopping",
        // Before it runs, the controller's word tells more (`ErrorUnschedulable`, `Provisioning`), unless it is older.
        _ if said.is_empty() || said == *"Stopped" || said == *"Running" => match &*vmi.phase {
            "Succeeded" | "Failed" => "Stopped",
            _ => "Starting",
        },
        _ => return said,
    };
    Word::new(word)
}

/// The word where no VirtualMachineInstance exists: what the controller says, or, before it has seen the object, what it
/// will do.
fn alone(vm: &Vm) -> Word {
    match (&*vm.status, vm.strategy) {
        ("", RunStrategy::Halted | RunStrategy::Manual) => Word::new("Stopped"),
        ("", _) => Word::new("Starting"),
        _ => vm.status,
    }
}

/// One word why, where there is more to say.
fn reason(vm: &Vm, vmi: Option<At<'_, Vmi>>) -> Word {
    if let Some(failure) = vm.failure.as_ref().filter(|failure| !failure.reason.is_empty()) {
        return failure.reason;
    }
    if let Some(trouble) = vmi.map(|vmi| vmi.trouble).filter(|trouble| !trouble.is_empty()) {
        return trouble;
    }
    if vm.flags.contains(VmFlags::RESTART_REQUIRED) {
        return Word::new("RestartRequired");
    }
    Word::default()
}
