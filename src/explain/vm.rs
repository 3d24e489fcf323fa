//! The state of a VirtualMachine over its VirtualMachineInstance, launcher pod, migration, disks and claims.

use super::Explain;
use super::explained::Explained;
use crate::model::{Now, Word};
use crate::records::{DataVolume, Kind, RunStrategy, Vm, VmFlags, Vmi, VmiFlags};
use crate::store::{At, Health, Part};

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

fn plain<'a>(word: &str) -> Explained<'a> {
    let health =
        WORDS.iter().find(|(known, _)| *known == word).map_or(Health::Warning, |(_, health)| *health);
    Explained::new(word, health)
}

/// Looks at its instance, and through it at launcher pods and the migration; at disks and their workers; at claims.
impl Explain for Vm {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        match at.vmi() {
            Part::Here(vmi) => alive(at, vmi),
            Part::None => alone(at),
            Part::Loading | Part::Denied => {
                let word = if at.status.is_empty() { "Unknown" } else { at.record().status.as_str() };
                refusal(at).unwrap_or_else(|| plain(word).since(at.ready_since)).provisional()
            }
        }
    }
}

/// While a VirtualMachineInstance exists. Its own object is fresher than what its owner says of it.
fn alive<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>) -> Explained<'a> {
    let ended = matches!(&*vmi.phase, "Succeeded" | "Failed");
    if ended && vm.failure.as_ref().is_some_and(|failure| failure.count > 0) {
        return crashing(vm);
    }
    if let Some(since) = vmi.meta.deleted() {
        let stopping = plain("Stopping").since(Some(since));
        return if vmi.phase == *"Failed" {
            stopping.because("Failed", "the guest ended in failure", Health::Failed)
        } else {
            stopping
        };
    }
    match &*vmi.phase {
        "Running" => running(vm, vmi),
        // A finished life: what comes next is for the controller to say.
        "Succeeded" | "Failed" if vm.status == *"Running" => plain("Stopping").since(vmi.since),
        "Succeeded" | "Failed" => plain("Stopped").since(vmi.since),
        _ => starting(vm, vmi),
    }
}

fn running<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>) -> Explained<'a> {
    let trouble = vmi.record().trouble.as_deref();
    let told = trouble.map(|trouble| (trouble.reason.as_str(), &*trouble.message));
    if vmi.flags.contains(VmiFlags::MIGRATING) {
        return plain("Migrating").since(vmi.since);
    }
    if vmi.flags.contains(VmiFlags::PAUSED) {
        let (reason, message) = told.unwrap_or_default();
        return plain("Paused").since(vmi.since).because(reason, message, Health::Warning);
    }
    let running = plain("Running").since(vmi.since);
    if let Some(told) = refused_change(vm, running) {
        return told;
    }
    if let Some((reason, message)) = told {
        return running.because(reason, message, Health::Warning);
    }
    if vm.flags.contains(VmFlags::RESTART_REQUIRED) {
        return running.because("RestartRequired", "", Health::Well);
    }
    running
}

/// A change of a running machine that its controller could not make.
fn refused_change<'a>(vm: At<'a, Vm>, running: Explained<'a>) -> Option<Explained<'a>> {
    let failure = vm.record().failure.as_deref().filter(|failure| !failure.reason.is_empty())?;
    Some(running.because(&failure.reason, &failure.message, Health::Warning).health(Health::Warning))
}

/// Before it runs.
fn starting<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>) -> Explained<'a> {
    let since = vmi.meta.created;
    if let Some(trouble) = vmi.record().trouble.as_deref() {
        let word = match &*trouble.reason {
            "FailedPvcNotFound" => "ErrorPvcNotFound",
            "Unschedulable" => "ErrorUnschedulable",
            pull @ ("ErrImagePull" | "ImagePullBackOff") => pull,
            _ => "Starting",
        };
        let since = trouble.since.or(vmi.since).or(since);
        return plain(word).since(since).because(&trouble.reason, &trouble.message, Health::Failed);
    }
    if let Some(filling) = filling(vm) {
        return filling;
    }
    let word = match &*vm.status {
        said @ ("WaitingForVolumeBinding" | "WaitingForReceiver" | "ErrImagePull" | "ImagePullBackOff") => {
            said
        }
        _ => "Starting",
    };
    let starting = plain(word).since(since);
    match &vm.record().failure {
        Some(failure) if failure.count > 0 => starting
            .because("CrashLoopBackOff", "", Health::Warning)
            .health(Health::Warning)
            .attempt(failure.count + 1, None),
        _ => starting,
    }
}

/// Where no VirtualMachineInstance exists: what the controller says, or, before it has seen the object, what it will do.
fn alone<'a>(vm: At<'a, Vm>) -> Explained<'a> {
    let since = vm.ready_since.or(vm.meta.created);
    if !vm.knows(Kind::DataVolume) && matches!(&*vm.status, "Provisioning" | "DataVolumeError") {
        return plain(&vm.status).since(since).provisional();
    }
    if let Some(filling) = filling(vm) {
        return filling;
    }
    if let Some(refusal) = refusal(vm) {
        return refusal;
    }
    if vm.status == *"CrashLoopBackOff" {
        return crashing(vm);
    }
    let runs = match vm.strategy {
        RunStrategy::Always => true,
        RunStrategy::Halted | RunStrategy::Manual => vm.flags.contains(VmFlags::START_ASKED),
        _ => vm.status != *"Stopped",
    };
    let word = match &*vm.record().status {
        // Between two lives, and before the first one.
        "" | "Stopped" | "Provisioning" | "DataVolumeError" if runs => "Starting",
        "" | "Provisioning" | "DataVolumeError" => "Stopped",
        said => said,
    };
    plain(word).since(since)
}

/// A start that is refused hides behind the word `Stopped`.
fn refusal<'a>(vm: At<'a, Vm>) -> Option<Explained<'a>> {
    let failure = vm.record().failure.as_deref().filter(|failure| !failure.reason.is_empty())?;
    let word = match (&*vm.record().status, vm.strategy) {
        ("Stopped", RunStrategy::Halted) => "Stopped",
        ("Stopped" | "Starting" | "", _) => "Start refused",
        (said, _) => said,
    };
    let refused = plain(word).since(failure.since.or(vm.ready_since).or(vm.meta.created));
    Some(refused.because(&failure.reason, &failure.message, Health::Failed))
}

/// Starts that never reached Running.
fn crashing<'a>(vm: At<'a, Vm>) -> Explained<'a> {
    let looping =
        plain("CrashLoopBackOff").since(vm.ready_since).because("CrashLoopBackOff", "", Health::Failed);
    match &vm.record().failure {
        Some(failure) => looping.attempt(failure.count, failure.retry_at),
        None => looping,
    }
}

/// The disk that keeps it from starting: the worst one, or the one that has the longest way to go.
fn filling<'a>(vm: At<'a, Vm>) -> Option<Explained<'a>> {
    let open = |disk: &At<'_, DataVolume>| {
        !matches!(&*disk.phase, "Succeeded" | "PendingPopulation" | "WaitForFirstConsumer")
    };
    let rank = |explained: &Explained<'_>| {
        let badness = match explained.state.health {
            Health::Failed => 0,
            Health::Warning => 1,
            _ => 2,
        };
        (badness, explained.state.progress.unwrap_or(u16::MAX))
    };
    let several = vm.disks().nth(1).is_some();
    let explained = vm.disks().filter(open).map(|disk| {
        let explained = DataVolume::explain(disk, Now::at(0));
        if several { explained.disk(&disk.record().meta.name) } else { explained }
    });
    let mut worst = explained.min_by_key(rank)?;
    if matches!(&*worst.state.word, "Pending" | "PVCBound") {
        worst.state.word = Word::new("Provisioning");
    }
    Some(worst)
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
            ("Always", refused.to_owned(), Some(""), "Start refused FailedCreate Failed"),
            ("Always", printable("CrashLoopBackOff"), Some(""), "CrashLoopBackOff CrashLoopBackOff Failed"),
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
