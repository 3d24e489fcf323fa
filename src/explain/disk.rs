//! The state of a DataVolume over its claims and its worker pod.

use super::Explain;
use super::claim;
use super::explained::{Explained, after};
use super::pod;
use crate::model::Now;
use crate::records::{
    Claim, ClaimPhase, ClaimRole, DataSource, DataVolume, DataVolumeFlags, Pod, PodFlags, PodRole,
    SourceKind, Truth, VolumeSnapshot,
};
use crate::store::{At, Health};

/// So many seconds may CDI take to look at a new disk.
const TOUCHED: i64 = 60;
/// So many seconds may a worker take to be at work: its image may be large.
const SCHEDULED: i64 = 300;

/// So many seconds may a disk wait for its upload, or take to be uploaded, before somebody should look.
const UPLOADED: i64 = 900;
/// A worker that has been at work for so many seconds since it failed last has got over that.
const RECOVERED: i64 = 600;

/// Phases of CDI, the word for each, and how well a disk is in it. A phase that is not here is its own word.
const PHASES: &[(&str, &str, Health)] = &[
    ("", "Pending", Health::Busy),
    ("Succeeded", "Succeeded", Health::Well),
    ("ImportInProgress", "Importing", Health::Busy),
    ("CloneInProgress", "Cloning", Health::Busy),
    ("CSICloneInProgress", "Cloning", Health::Busy),
    ("SnapshotForSmartCloneInProgress", "Cloning", Health::Busy),
    ("CloneFromSnapshotSourceInProgress", "Cloning", Health::Busy),
    ("SmartClonePVCInProgress", "Cloning", Health::Busy),
    ("ExpansionInProgress", "Cloning", Health::Busy),
    ("NamespaceTransferInProgress", "Cloning", Health::Busy),
    ("PrepClaimInProgress", "Cloning", Health::Busy),
    ("RebindInProgress", "Cloning", Health::Busy),
    // These wait for somebody, and may wait for ever.
    ("UploadReady", "UploadReady", Health::Idle),
    ("WaitForFirstConsumer", "WaitForFirstConsumer", Health::Idle),
    ("PendingPopulation", "PendingPopulation", Health::Idle),
    ("Paused", "Paused", Health::Idle),
    ("Unknown", "Unknown", Health::Warning),
];

/// Reasons of a worker that does not get as far as working.
const STUCK: &[&str] = &[
    "Unschedulable",
    "ContainerCreating",
    "PodInitializing",
    "Pending",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ErrImageNeverPull",
    "ErrStartingPod",
    "ErrExceededQuota",
];

/// Reasons of a worker that is not at work for no bad reason.
const CALM: &[&str] = &["", "Completed", "Pod is running", "Scratch space required"];

/// The word for a transfer that went wrong.
fn failed(source: SourceKind) -> &'static str {
    match source {
        SourceKind::Claim | SourceKind::Snapshot | SourceKind::DataSource => "Clone failed",
        SourceKind::Upload => "Upload failed",
        _ => "Import failed",
    }
}

/// Looks at its claims, their events and worker pods, and, while nobody looks after it, at its DataSource.
impl Explain for DataVolume {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let disk = at.record();
        let known = PHASES.iter().find(|(phase, ..)| disk.phase == **phase);
        let (word, health) =
            known.map_or((disk.phase.as_str(), Health::Busy), |(_, word, health)| (*word, *health));
        let plain = Explained::new(word, health).since(disk.since.or(disk.meta.created));
        match &*disk.phase {
            "Succeeded" => plain,
            "Failed" => gave_up(at),
            _ => {
                let moving = plain.progress(disk.progress);
                let attempt = attempt(at, moving, now);
                let told = match attempt.filter(|told| !told.state.is_fault()) {
                    // It failed as healthy ones do; what comes after that may not.
                    Some(calm) => {
                        obstacle(at, moving, now).filter(|told| told.state.is_fault()).or(Some(calm))
                    }
                    None => attempt.or_else(|| obstacle(at, moving, now)),
                };
                let told = told.unwrap_or_else(|| match word {
                    "Cloning" | "UploadReady" | "WaitForFirstConsumer" | "PendingPopulation" => {
                        moving.because(disk.phase.as_str(), "", health)
                    }
                    "Paused" => moving.because("ImportPaused", "", health),
                    _ => moving,
                });
                let told = match at.slow_claim() {
                    Some(claim) if told.state.health == Health::Busy => {
                        told.troubled_by(Claim::explain(claim, now))
                    }
                    _ => told,
                };
                match &*disk.phase {
                    _ if disk.flags.contains(DataVolumeFlags::UNTOUCHED) => {
                        // CDI says nothing of a disk whose DataSource points to nothing that is there.
                        let late = match disk.source {
                            SourceKind::DataSource => "DataSourceAwaited",
                            _ => "DiskUntouched",
                        };
                        told.within(TOUCHED, disk.meta.created, late, now)
                    }
                    "ImportScheduled" | "CloneScheduled" | "UploadScheduled" => {
                        told.within(SCHEDULED, disk.since.or(disk.meta.created), "TakesLong", now)
                    }
                    "UploadReady" => match after(disk.since, UPLOADED) {
                        Some(due) if due.seconds() > now.wall => told.until(due),
                        Some(_) if !told.state.is_fault() => {
                            told.because("UploadAwaited", "", Health::Warning)
                        }
                        _ => told,
                    },
                    _ => told,
                }
            }
        }
    }
}

impl<'a> At<'a, DataVolume> {
    /// The claim that CDI works on: the prime claim, or the target itself.
    fn working_claim(self) -> Option<At<'a, Claim>> {
        let claim = self.parts::<Claim>().find(|claim| claim.role == ClaimRole::Own)?;
        Some(claim.parts::<Claim>().find(|one| one.role == ClaimRole::Prime).unwrap_or(claim))
    }

    /// The pod that fills it.
    fn worker(self) -> Option<At<'a, Pod>> {
        let works = |pod: &At<'_, Pod>| matches!(pod.role, PodRole::Importer | PodRole::UploadServer);
        self.working_claim()?.parts::<Pod>().filter(works).max_by_key(|pod| pod.meta().created)
    }

    /// A claim without a volume that it cannot do without: the one that CDI works on, or scratch space of its worker.
    fn slow_claim(self) -> Option<At<'a, Claim>> {
        let open = |claim: &At<'_, Claim>| claim.phase == ClaimPhase::Pending;
        let scratch = self.worker().into_iter().flat_map(At::parts::<Claim>);
        self.working_claim().into_iter().chain(scratch).find(open)
    }

    /// Claims, each with its pods, and snapshots that CDI makes on the way of a copy.
    fn temporaries(self) -> impl Iterator<Item = At<'a, Claim>> {
        let own = self.parts::<Claim>().filter(|claim| claim.role == ClaimRole::Own);
        own.flat_map(At::parts::<Claim>).filter(|claim| claim.role == ClaimRole::CloneTemporary)
    }

    /// What CDI says of trouble.
    fn said(self) -> &'a str {
        self.record().trouble.as_deref().map_or("", |said| said.as_str())
    }
}

/// A disk that CDI does not try to fill again.
fn gave_up<'a>(at: At<'a, DataVolume>) -> Explained<'a> {
    let disk = at.record();
    let failed = Explained::new(failed(disk.source), Health::Failed).since(disk.since);
    match at.said() {
        "" if disk.bound_reason == *"ClaimLost" => failed.because("ClaimLost", "", Health::Failed),
        said => failed.because(disk.running_reason.as_str(), said, Health::Failed),
    }
}

/// The last attempt, if it went wrong. While it is tried again, CDI says only that its pod runs; the pod remembers.
fn attempt<'a>(at: At<'a, DataVolume>, moving: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let disk = at.record();
    let worker = at.worker();
    let restarts = worker.map_or(0, |pod| pod.restarts).max(disk.restarts.into());
    let failed = Explained::new(failed(disk.source), Health::Failed).since(disk.since);
    let ended = worker.and_then(|pod| pod.record().evidence.as_ref()?.ended.as_ref());
    if let Some(ended) = ended.filter(|ended| ended.code != 0) {
        let again = !ended.now && worker.is_some_and(|pod| pod.reason == *"Running");
        let recovers = after(ended.at, RECOVERED).filter(|_| again);
        if recovers.is_some_and(|at| at.seconds() <= now.wall) {
            return None;
        }
        let state = if again {
            Explained::new("Importing", Health::Busy).since(disk.since).progress(disk.progress)
        } else {
            failed.since(ended.at.or(disk.since))
        };
        let told = state.because(&ended.reason, &ended.message, Health::Failed).told()?;
        if told.state.health == Health::Busy {
            // Part of a healthy run: what goes on is what the disk says of itself.
            return Some(moving.because(&ended.reason, &ended.message, Health::Busy));
        }
        let told = told.after(restarts, "restart");
        return Some(match recovers {
            Some(at) => told.health(Health::Warning).until(at),
            None if again => told.health(Health::Warning),
            None => told,
        });
    }
    let reason = disk.running_reason.as_str();
    let went_wrong = disk.running == Truth::False && !CALM.contains(&reason) && !STUCK.contains(&reason);
    if !went_wrong {
        return None;
    }
    let told = failed.because(reason, at.said(), Health::Failed).told()?;
    match told.state.health {
        Health::Busy => Some(moving.because(reason, at.said(), Health::Busy)),
        _ => Some(told.after(restarts, "restart")),
    }
}

/// What keeps a transfer from beginning or going on.
fn obstacle<'a>(at: At<'a, DataVolume>, moving: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let disk = at.record();
    let worker = at.worker();
    if let Some(told) = worker.and_then(|pod| held_up(pod, moving, now)) {
        return Some(told);
    }
    if let Some(told) = copying(at, moving, now) {
        return Some(told);
    }
    if disk.bound == Truth::False && !matches!(disk.bound_reason.as_str(), "" | "Pending" | "NotFound") {
        let (reason, said) = match at.said() {
            // CDI does not find the class that the disk names, and says it as if none were named.
            said if said.contains("no storageClass to choose profile") && !disk.class.is_empty() => {
                ("UnknownStorageClass", disk.class.as_str())
            }
            said => (disk.bound_reason.as_str(), said),
        };
        return moving.because(reason, said, Health::Failed).told();
    }
    if disk.running == Truth::False && STUCK.contains(&disk.running_reason.as_str()) {
        let creating =
            matches!(disk.running_reason.as_str(), "ContainerCreating" | "PodInitializing" | "Pending");
        let unknown = if creating { Health::Busy } else { Health::Failed };
        return moving.because(disk.running_reason.as_str(), at.said(), unknown).told();
    }
    if disk.flags.contains(DataVolumeFlags::UNTOUCHED) {
        let source = disk.from.and_then(|key| at.store().find_key(key));
        let source = source.and_then(|id| At::<DataSource>::new(at.store(), id))?;
        let lost = source.ready == Truth::False;
        return lost.then(|| moving.because(source.record().reason.as_str(), "", Health::Failed))?.told();
    }
    if disk.running == Truth::True {
        return None;
    }
    let open = |claim: &At<'_, Claim>| claim.phase != ClaimPhase::Bound;
    let told = at.working_claim().filter(open).and_then(claim::told);
    let (reason, message, health) = told.unwrap_or(("", at.said(), Health::Busy));
    moving.because(reason, message, health).told()
}

/// What goes wrong with that which CDI makes on the way of a copy; of itself it says then that it is at work.
fn copying<'a>(at: At<'a, DataVolume>, moving: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let snapshots = at.parts::<Claim>().flat_map(At::parts::<VolumeSnapshot>);
    let mut open = snapshots.filter(|snapshot| !snapshot.ready);
    if let Some(why) = open.find_map(|snapshot| snapshot.record().error.as_deref()) {
        return moving.because("", why.as_str(), Health::Failed).told();
    }
    let faults = |explained: Explained<'a>| {
        let told = moving.troubled_by(explained);
        told.state.is_fault().then_some(told)
    };
    let pending = at.temporaries().filter(|claim| claim.phase == ClaimPhase::Pending);
    let claims = pending.map(|claim| Claim::explain(claim, now)).find_map(faults);
    let workers = at.temporaries().flat_map(At::parts::<Pod>);
    claims.or_else(|| workers.map(|pod| Pod::explain(pod, now)).find_map(faults))
}

/// What keeps a worker's pod from running.
fn held_up<'a>(pod: At<'a, Pod>, moving: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let evidence = pod.record().evidence.as_deref();
    let said = evidence.and_then(|evidence| evidence.message.as_deref()).map_or("", |said| said.as_str());
    if pod.flags.contains(PodFlags::UNSCHEDULABLE) {
        let open = |claim: &At<'_, Claim>| claim.phase != ClaimPhase::Bound;
        let scratch = pod.parts::<Claim>().filter(open).find_map(claim::told);
        return match scratch.filter(|_| said.contains("unbound immediate")) {
            Some((reason, message, health)) => moving.because(reason, message, health).told(),
            None => moving.because("Unschedulable", said, Health::Failed).told(),
        };
    }
    match pod.record().reason.as_str() {
        "Pending" | "ContainerCreating" | "PodInitializing" => pod::mounting(pod, moving, now),
        "Running" | "Completed" | "Succeeded" | "Terminating" => None,
        "Error" | "CrashLoopBackOff" => None,
        reason if reason.starts_with("Init:") && said.is_empty() => pod::mounting(pod, moving, now),
        reason => moving.because(reason, said, Health::Failed).told(),
    }
}
