//! The state of a VirtualMachine over its VirtualMachineInstance, launcher pod, migration, disks and claims.

use super::Explain;
use super::explained::Explained;
use super::{claim, guest};
use crate::model::Now;
use crate::records::{Claim, ClaimPhase, DataVolume, Kind, PodFlags, RunStrategy, Vm, VmFlags, Vmi};
use crate::store::{At, Health, Part};

/// So many seconds may the controller take to look at a new machine.
const TOUCHED: i64 = 60;
/// So many seconds may a guest take to be started: the image of its disk may be large.
const STARTS: i64 = 300;

/// So many seconds may a guest take to shut down: more than it is usually given before it is ended.
const STOPS: i64 = 600;

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
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let explained = match at.vmi() {
            Part::Here(vmi) => alive(at, vmi, now),
            Part::None => alone(at, now),
            Part::Loading | Part::Denied => {
                let word = if at.status.is_empty() { "Unknown" } else { at.record().status.as_str() };
                refusal(at).unwrap_or_else(|| plain(word).since(at.ready_since)).provisional()
            }
        };
        let explained = match &*explained.state.word {
            "Starting" if at.status.is_empty() => {
                explained.within(TOUCHED, at.meta.created, "MachineUntouched", now)
            }
            "Starting" => explained.within(STARTS, explained.state.since, "TakesLong", now),
            "Stopping" => explained.within(STOPS, explained.state.since, "StopTakesLong", now),
            _ => explained,
        };
        if explained.told().is_some() {
            return explained;
        }
        match under_way(at) {
            Some(what) => explained.because(what, "", Health::Busy).health(explained.state.health),
            None => explained,
        }
    }
}

/// What is done with it besides.
fn under_way(vm: At<'_, Vm>) -> Option<&'static str> {
    let flags = vm.flags;
    let told = [
        (VmFlags::RESTORE, "RestoreInProgress"),
        (VmFlags::SNAPSHOT, "SnapshotInProgress"),
        (VmFlags::RESTART_REQUIRED, "RestartRequired"),
    ];
    told.into_iter().find(|(flag, _)| flags.contains(*flag)).map(|(_, what)| what)
}

/// While a VirtualMachineInstance exists. Its own object is fresher than what its owner says of it.
fn alive<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>, now: Now) -> Explained<'a> {
    match vmi.phase.as_str() {
        "Succeeded" | "Failed" => ended(vm, vmi),
        _ if vmi.meta.deleted().is_some() => plain("Stopping").since(vmi.meta.deleted()),
        "Running" => running(vm, vmi),
        "Unknown" => plain("Unknown").since(vmi.since).because("NodeUnresponsive", "", Health::Warning),
        _ => starting(vm, vmi, now),
    }
}

/// A life that is over: what comes next is for the controller to do.
fn ended<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>) -> Explained<'a> {
    if vm.failure.as_ref().is_some_and(|failure| failure.count > 0) {
        return crashing(vm);
    }
    let stopped = guest::stopped(vmi)
        || vm.flags.contains(VmFlags::STOP_ASKED)
        || (vm.strategy == RunStrategy::Halted && vmi.meta.deleted().is_some());
    let failed = vmi.phase == *"Failed" && !stopped;
    let again = match vm.strategy {
        RunStrategy::Always => true,
        RunStrategy::RerunOnFailure => failed,
        _ => false,
    };
    let leaves = again || vm.status == *"Running" || vmi.meta.deleted().is_some();
    let ended = plain(if leaves { "Stopping" } else { "Stopped" }).since(vmi.meta.deleted().or(vmi.since));
    if failed { guest::crashed(vmi, ended) } else { ended }
}

fn running<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>) -> Explained<'a> {
    let running = guest::running(vmi).since(vmi.since);
    if running.told().is_some() || running.state.word != *"Running" {
        return running;
    }
    refused_change(vm, running).or_else(|| lost_disk(vm, running)).unwrap_or(running)
}

/// A guest runs on although the volume of a disk is gone.
fn lost_disk<'a>(vm: At<'a, Vm>, running: Explained<'a>) -> Option<Explained<'a>> {
    let lost = own_claims(vm).find(|claim| claim.phase == ClaimPhase::Lost)?;
    Some(running.because("ClaimLost", "", Health::Failed).disk(&lost.record().meta.name))
}

/// The claims of its volumes, named directly or by way of a DataVolume.
fn own_claims<'a>(vm: At<'a, Vm>) -> impl Iterator<Item = At<'a, Claim>> {
    vm.claims().chain(vm.disks().flat_map(At::parts::<Claim>))
}

/// A change of a running machine that its controller could not make.
fn refused_change<'a>(vm: At<'a, Vm>, running: Explained<'a>) -> Option<Explained<'a>> {
    let failure = vm.record().failure.as_deref().filter(|failure| !failure.reason.is_empty())?;
    let told = running.because(&failure.reason, &failure.message, Health::Warning).told()?;
    Some(told.health(Health::Warning))
}

/// Before it runs.
fn starting<'a>(vm: At<'a, Vm>, vmi: At<'a, Vmi>, now: Now) -> Explained<'a> {
    let since = vmi.meta.created;
    let told = vmi.record().trouble.as_deref().and_then(|trouble| {
        let since = trouble.since.or(vmi.since).or(since);
        plain("Starting").since(since).because(&trouble.reason, &trouble.message, Health::Failed).told()
    });
    if let Some(told) = told.filter(|told| told.state.is_fault()) {
        return told.word(stuck(vmi.record().trouble.as_deref().map_or("", |trouble| &trouble.reason)));
    }
    if let Some(filling) = filling(vm, now) {
        return filling;
    }
    let launching = guest::launching(vmi, plain("Starting").since(vmi.since.or(since)), now);
    if let Some(told) = launching.filter(|told| told.state.is_fault()) {
        let pod = vmi.pods().max_by_key(|pod| pod.meta().created);
        let unschedulable = pod.is_some_and(|pod| pod.flags.contains(PodFlags::UNSCHEDULABLE));
        let reason = pod.map_or("", |pod| pod.record().reason.as_str());
        return told.word(stuck(if unschedulable { "Unschedulable" } else { reason }));
    }
    let word = match vm.status.as_str() {
        said @ ("WaitingForVolumeBinding" | "WaitingForReceiver") => said,
        _ => "Starting",
    };
    let starting = plain(word).since(since);
    // What passes by itself: claims tell more of that than a pod that waits for them.
    let unbound = unbound(vm, starting);
    if word == "WaitingForVolumeBinding" || (told.is_some() && unbound.told().is_some()) {
        return unbound;
    }
    match (told.or(launching), &vm.record().failure) {
        (Some(told), _) => told,
        (None, Some(failure)) if failure.count > 0 => {
            starting.health(Health::Warning).after(failure.count, "failed start")
        }
        _ => starting,
    }
}

/// The word for a machine that does not get further for this reason.
fn stuck(reason: &str) -> &str {
    match reason.strip_prefix("Init:").unwrap_or(reason) {
        "FailedPvcNotFound" => "ErrorPvcNotFound",
        "Unschedulable" => "ErrorUnschedulable",
        pull @ ("ErrImagePull" | "ImagePullBackOff") => pull,
        _ => "Starting",
    }
}

/// What the first claim without a volume waits for.
fn unbound<'a>(vm: At<'a, Vm>, waiting: Explained<'a>) -> Explained<'a> {
    let mut open = own_claims(vm).filter(|claim| claim.phase == ClaimPhase::Pending);
    match open.find_map(claim::told) {
        // Its consumer is there by now: the launcher.
        Some((reason, message, health)) => match waiting.because(reason, message, health) {
            told if told.state.health == Health::Idle => told.health(Health::Busy),
            told => told,
        },
        None => waiting,
    }
}

/// Where no VirtualMachineInstance exists: what the controller says, or, before it has seen the object, what it will do.
fn alone<'a>(vm: At<'a, Vm>, now: Now) -> Explained<'a> {
    let since = vm.ready_since.or(vm.meta.created);
    if !vm.knows(Kind::DataVolume) && matches!(&*vm.status, "Provisioning" | "DataVolumeError") {
        return plain(&vm.status).since(since).provisional();
    }
    let filling = filling(vm, now);
    if let Some(failed) = filling.filter(|filling| filling.state.is_fault()) {
        return failed;
    }
    // One disk may be filled while another one is refused.
    if let Some(told) = refusal(vm).or(filling) {
        return told;
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
    // The last disk that came was what it waited for.
    let filled = vm.disks().filter_map(|disk| disk.since).max().filter(|_| word == "Starting");
    plain(word).since(since.max(filled))
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
    refused.because(&failure.reason, &failure.message, Health::Failed).told()
}

/// Starts that never reached Running.
fn crashing<'a>(vm: At<'a, Vm>) -> Explained<'a> {
    let looping =
        plain("CrashLoopBackOff").since(vm.ready_since).because("CrashLoopBackOff", "", Health::Failed);
    match &vm.record().failure {
        Some(failure) => looping.after(failure.count, "failed start").retry_at(failure.retry_at),
        None => looping,
    }
}

/// The disk that keeps it from starting: the worst one, or the one that has the longest way to go.
fn filling<'a>(vm: At<'a, Vm>, now: Now) -> Option<Explained<'a>> {
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
    let mut recheck = None;
    let explained = vm.disks().filter(open).map(|disk| {
        let explained = DataVolume::explain(disk, now);
        recheck = [recheck, explained.state.recheck].into_iter().flatten().min();
        if several { explained.disk(&disk.record().meta.name) } else { explained }
    });
    let mut worst = explained.min_by_key(rank)?;
    worst.state.recheck = recheck;
    let unsettled = matches!(&*worst.state.word, "Pending" | "PVCBound");
    Some(if unsettled { worst.word("Provisioning") } else { worst })
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
            ("Always", printable("CrashLoopBackOff"), Some(""), "CrashLoopBackOff crash-loop Failed"),
            ("Always", printable("SomethingNew"), Some(""), "SomethingNew  Warning"),
            // The instance is ahead of what its owner says.
            ("Always", printable("Starting"), Some(r#""phase":"Running""#), "Running  Well"),
            ("Always", printable("Running"), Some(migrating), "Migrating  Busy"),
            ("Always", printable("Running"), Some(paused), "Paused  Warning"),
            ("Always", printable("Stopped"), Some(r#""phase":"Scheduling""#), "Starting  Busy"),
            ("Always", printable("Running"), Some(r#""phase":"Succeeded""#), "Stopping  Leaving"),
            ("Once", printable("Stopped"), Some(r#""phase":"Succeeded""#), "Stopped  Idle"),
            ("Once", printable("Stopped"), Some(r#""phase":"Failed""#), "Stopped guest-failed Failed"),
            // Before it runs, the owner's word tells more.
            (
                "Always",
                printable("ErrorUnschedulable"),
                Some(unschedulable),
                "ErrorUnschedulable pod-unschedulable Failed",
            ),
        ];
        for (strategy, status, vmi, want) in cases {
            assert_eq!(state(strategy, &status, vmi), want, "{strategy} {status} {vmi:?}");
        }
    }
}
