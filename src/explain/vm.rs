//! The state of a VirtualMachine over its VirtualMachineInstance and disks.

use super::Stateful;
use crate::model::{Now, Word};
use crate::records::{DataVolume, RunStrategy, Truth, Vm, VmFlags, Vmi, VmiFlags};
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
        let since = vmi.here().and_then(|vmi| match vmi.meta.deleted() {
            Some(since) if word == *"Stopping" => Some(since),
            _ => vmi.since.filter(|_| word != *"Stopping"),
        });
        let (progress, filling) = match &*word {
            "Provisioning" => filling(at),
            "DataVolumeError" => (None, failing(at)),
            _ => (None, None),
        };
        let reason = filling.unwrap_or_else(|| reason(&at, vmi.here()));
        State {
            word,
            // What stands under STATE need not be said twice.
            reason: if reason == word { Word::default() } else { reason },
            since: since.or(at.ready_since),
            progress,
            health,
            provisional: !vmi.known(),
        }
    }
}

/// Reasons of a DataVolume's condition `Running` that say more than its phase.
const TELLING: [&str; 6] = [
    "Unschedulable",
    "ImagePullFailed",
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrStartingPod",
    "ErrExceededQuota",
];

/// What keeps a disk from being filled: the refusal of its claim, trouble of its worker, or else its phase.
fn obstacle(disk: &DataVolume) -> Word {
    let refused = disk.bound == Truth::False && disk.bound_reason.starts_with("Err");
    if refused {
        disk.bound_reason
    } else if disk.running == Truth::False && TELLING.contains(&&*disk.running_reason) {
        disk.running_reason
    } else {
        disk.phase
    }
}

/// Why the first disk that has failed did so, where one word says it.
fn failing(vm: At<'_, Vm>) -> Option<Word> {
    let mut failed = vm.disks().filter(|disk| disk.phase != *"Succeeded" && disk.running == Truth::False);
    let reason = failed.next()?.running_reason;
    // CDI's word for any attempt that went wrong tells nothing beside the state.
    Some(reason).filter(|reason| !reason.is_empty() && *reason != *"Error")
}

/// How far the disk is that has the longest way to go, and in which phase or by what it is held up.
fn filling(vm: At<'_, Vm>) -> (Option<u16>, Option<Word>) {
    let slowest = vm
        .disks()
        .filter(|disk| disk.phase != *"Succeeded")
        .min_by_key(|disk| disk.progress.unwrap_or(u16::MAX));
    match slowest {
        Some(disk) => (disk.progress, Some(obstacle(&disk)).filter(|why| !why.is_empty())),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::STATES;
    use crate::records::{Kind, Records, decode};
    use crate::store::{Batch, Coverage, Freshness, Namespaces, Store, Stored, Touched};

    /// The objects of one kind, or none for a list that has not come.
    fn fill<R: Stored>(store: &mut Store, object: Option<&str>)
    where
        Records: From<Vec<R>>,
    {
        let mut touched = Touched::default();
        let plans = store.cover(R::KIND, Coverage::all(Namespaces::All), &mut touched);
        let Some(object) = object else { return };
        let read = |object: &str| decode::<R>(object.as_bytes()).unwrap().record;
        let records: Vec<R> = (!object.is_empty()).then(|| read(object)).into_iter().collect();
        store.apply(Batch::of(plans[0].id, 0, records).and(Freshness::Live), Now::at(0), &mut touched);
    }

    fn state(strategy: &str, status: &str, vmi: Option<&str>) -> String {
        let mut store = Store::new(STATES);
        let vm = format!(
            r#"{{"metadata":{{"name":"web","namespace":"shop","uid":"1"}},"spec":{{"runStrategy":"{strategy}"}},"status":{{{status}}}}}"#
        );
        let vmi = vmi.map(|status| match status {
            "" => String::new(),
            status => format!(
                r#"{{"metadata":{{"name":"web","namespace":"shop","uid":"2","ownerReferences":[{{"uid":"1"}}]}},"status":{{{status}}}}}"#
            ),
        });
        fill::<Vm>(&mut store, Some(&vm));
        fill::<Vmi>(&mut store, vmi.as_deref());
        let state = store.state(store.ids(Kind::Vm)[0], Now::at(0));
        let provisional = if state.provisional { "…" } else { "" };
        format!("{}{provisional} {} {:?}", state.word, state.reason, state.health)
    }

    #[test]
    fn words_follow_the_freshest_evidence() {
        let printable = |word: &str| format!(r#""printableStatus":"{word}""#);
        let refused = r#""printableStatus":"Stopped","conditions":[{"type":"Failure","status":"True","reason":"FailedCreate"}]"#;
        let migrating = r#""phase":"Running","migrationState":{"startTimestamp":"2026-01-01T00:00:00Z"}"#;
        let paused = r#""phase":"Running","conditions":[{"type":"Paused","status":"True"}]"#;
        let unschedulable = r#""phase":"Scheduling","conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable"}]"#;
        let cases = [
            // The instance's list has not come: the machine's own word, marked.
            ("Always", printable("Running"), None, "Running…  Well"),
            ("Always", String::new(), None, "Unknown…  Warning"),
            // There is none.
            ("Always", printable("Running"), Some(""), "Running  Well"),
            ("Halted", printable("Stopped"), Some(""), "Stopped  Idle"),
            ("Halted", String::new(), Some(""), "Stopped  Idle"),
            ("Always", String::new(), Some(""), "Starting  Busy"),
            ("Always", refused.to_owned(), Some(""), "Stopped FailedCreate Failed"),
            ("Always", printable("CrashLoopBackOff"), Some(""), "CrashLoopBackOff  Failed"),
            ("Always", printable("SomethingNew"), Some(""), "SomethingNew  Warning"),
            // The instance is ahead of what its owner says.
            ("Always", printable("Starting"), Some(r#""phase":"Running""#), "Running  Well"),
            ("Always", printable("Running"), Some(migrating), "Migrating  Busy"),
            ("Always", printable("Running"), Some(paused), "Paused  Warning"),
            ("Always", printable("Stopped"), Some(r#""phase":"Scheduling""#), "Starting  Busy"),
            ("Always", printable("Running"), Some(r#""phase":"Succeeded""#), "Stopping  Leaving"),
            ("Once", printable("Stopped"), Some(r#""phase":"Failed""#), "Stopped  Idle"),
            // Before it runs, the owner's word tells more.
            (
                "Always",
                printable("ErrorUnschedulable"),
                Some(unschedulable),
                "ErrorUnschedulable Unschedulable Failed",
            ),
        ];
        for (strategy, status, vmi, want) in cases {
            assert_eq!(state(strategy, &status, vmi), want, "{strategy} {status} {vmi:?}");
        }
    }
}
