//! The state of a DataVolume over its claims and its worker pod.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{
    Claim, ClaimRole, DataVolume, DataVolumeFlags, Pod, PodFlags, PodRole, SourceKind, Truth,
};
use crate::store::{At, Health};

/// Phases of CDI, the word for each, and how well a disk is in it. A phase that is not here is its own word.
const PHASES: &[(&str, &str, Health)] = &[
    ("", "Pending", Health::Busy),
    ("Succeeded", "Succeeded", Health::Well),
    ("Failed", "Failed", Health::Failed),
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

/// The word for a transfer that went wrong.
fn failed(source: SourceKind) -> &'static str {
    match source {
        SourceKind::Claim | SourceKind::Snapshot | SourceKind::DataSource => "Clone failed",
        SourceKind::Upload => "Upload failed",
        _ => "Import failed",
    }
}

/// Looks at its claims and their worker pods, and while nobody looks after it, at its DataSource.
impl Explain for DataVolume {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let disk = at.record();
        let (word, health) = PHASES
            .iter()
            .find(|(phase, ..)| disk.phase == **phase)
            .map_or((&*disk.phase, Health::Busy), |(_, word, health)| (*word, *health));
        let plain = Explained::new(word, health).since(disk.since.or(disk.meta.created));
        match &*disk.phase {
            "Succeeded" => return plain,
            "Failed" => return failure(at).unwrap_or(plain),
            _ => {}
        }
        let moving = plain.progress(disk.progress);
        failure(at)
            .or_else(|| obstacle(at, moving))
            .unwrap_or_else(|| moving.because(&disk.phase, "", health))
    }
}

impl<'a> At<'a, DataVolume> {
    /// The claim that is to be filled.
    fn claim(self) -> Option<At<'a, Claim>> {
        self.parts::<Claim>().find(|claim| claim.role == ClaimRole::Own)
    }

    /// The claim that CDI works on: the prime claim, or the target itself.
    fn working_claim(self) -> Option<At<'a, Claim>> {
        let claim = self.claim()?;
        Some(claim.parts::<Claim>().find(|one| one.role == ClaimRole::Prime).unwrap_or(claim))
    }

    /// The pod that fills it.
    fn worker(self) -> Option<At<'a, Pod>> {
        let works = |pod: &At<'_, Pod>| matches!(pod.role, PodRole::Importer | PodRole::UploadServer);
        self.working_claim()?.parts::<Pod>().filter(works).max_by_key(|pod| pod.meta().created)
    }
}

/// What CDI calls a worker that does not get as far as working.
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

/// What CDI writes in the place of any message about space.
const TOO_SMALL: &str = "DataVolume too small to contain image";

/// The last attempt, if it went wrong.
fn failure<'a>(at: At<'a, DataVolume>) -> Option<Explained<'a>> {
    let disk = at.record();
    let worker = at.worker();
    let ended = worker.and_then(|pod| pod.record().evidence.as_ref()?.ended.as_ref());
    let attempt = worker.map_or(u32::from(disk.restarts), |pod| pod.restarts.max(disk.restarts.into()));
    if let Some(ended) = ended.filter(|ended| ended.code != 0) {
        let running = worker.is_some_and(|pod| pod.record().reason == *"Running");
        if running && !ended.now {
            let again = Explained::new("Importing", Health::Busy).since(disk.since).progress(disk.progress);
            let again =
                again.because(&ended.reason, &ended.message, Health::Warning).attempt(attempt + 1, None);
            return again.told().map(|again| again.health(Health::Warning));
        }
        let word = Explained::new(failed(disk.source), Health::Failed).since(ended.at.or(disk.since));
        return word
            .because(&ended.reason, &ended.message, Health::Failed)
            .attempt(attempt + u32::from(ended.now), None)
            .told();
    }
    let gave_up = disk.phase == *"Failed";
    let went_wrong = disk.running == Truth::False && !STUCK.contains(&&*disk.running_reason);
    let said = disk.trouble.as_deref().map_or("", |said| said.as_str());
    // CDI hides how much room is missing; the newest event of the claim has it.
    let said = match &disk.waiting {
        Some(waiting) if said == TOO_SMALL => waiting.as_str(),
        _ => said,
    };
    if !gave_up && (!went_wrong || (said.is_empty() && disk.running_reason != *"OOMKilled")) {
        return None;
    }
    if disk.bound == Truth::False && disk.running_reason.is_empty() {
        return None;
    }
    let word = Explained::new(failed(disk.source), Health::Failed).since(disk.since);
    word.because(&disk.running_reason, said, Health::Failed).attempt(attempt, None).told()
}

/// What keeps a transfer from beginning or going on.
fn obstacle<'a>(at: At<'a, DataVolume>, moving: Explained<'a>) -> Option<Explained<'a>> {
    let disk = at.record();
    if let Some(pod) = at.worker().filter(|pod| pod.flags.contains(PodFlags::UNSCHEDULABLE)) {
        let said = pod.record().evidence.as_ref().and_then(|evidence| evidence.message.as_deref());
        return moving.because("Unschedulable", said.map_or("", |said| said.as_str()), Health::Failed).told();
    }
    let said = disk.trouble.as_deref().map_or("", |said| said.as_str());
    if disk.bound == Truth::False && disk.bound_reason != *"Pending" && !said.is_empty() {
        return moving.because(&disk.bound_reason, said, Health::Failed).told();
    }
    if disk.running == Truth::False && STUCK.contains(&&*disk.running_reason) {
        return moving.because(&disk.running_reason, said, Health::Failed).told();
    }
    if disk.running == Truth::True || disk.flags.contains(DataVolumeFlags::UNTOUCHED) {
        return None;
    }
    let waiting = at.working_claim().and_then(|claim| claim.record().waiting.as_deref());
    let waiting = waiting.or(disk.waiting.as_deref())?;
    moving.because("", waiting, Health::Busy).told()
}
