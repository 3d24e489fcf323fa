//! The states of snapshots, of what golden images are known by, and of images that are built.

use super::Explain;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{
    DataSource, DataVolume, Event, ImportCron, ImportCronFlags, OsArtifact, Truth, VmRestore, VmRestoreFlags,
    VmSnapshot, VmSnapshotFlags, VolumeSnapshot,
};
use crate::store::{At, Health};

impl Explain for VolumeSnapshot {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let snapshot = at.record();
        if snapshot.ready {
            return Explained::new("Ready", Health::Well).since(snapshot.taken);
        }
        let since = snapshot.meta.created;
        let pending = Explained::new("Pending", Health::Busy).since(since);
        // Writers get into each other's way now and then, which passes.
        let why = snapshot.error.as_deref().map_or("", |why| why.as_str());
        pending.because("", why, Health::Failed).told().map_or(pending, |told| told.word("Error"))
    }
}

impl Explain for VmSnapshot {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let snapshot = at.record();
        let since = snapshot.taken.or(snapshot.meta.created);
        let word = if snapshot.phase.is_empty() { "Pending" } else { snapshot.phase.as_str() };
        let error = snapshot.error.as_deref().map_or("", |why| why.as_str());
        let health = match word {
            "Succeeded" => Health::Well,
            "Failed" => Health::Failed,
            "Deleting" => Health::Leaving,
            "Unknown" => Health::Warning,
            _ => Health::Busy,
        };
        let plain = Explained::new(word, health).since(since);
        match word {
            "Succeeded" if snapshot.flags.contains(VmSnapshotFlags::NO_GUEST_AGENT) => plain.note("NoAgent"),
            "Succeeded" => plain,
            // Steps that follow each other within a moment are not worth telling, but for those that never end.
            "InProgress" if error.is_empty() => {
                let told = plain.because(snapshot.reason.as_str(), "", health);
                let told = if told.state.cause.is_some() { told } else { plain };
                told.within(RESTORED, since, "TakesLong", now)
            }
            _ => plain.because("", error, Health::Failed),
        }
    }
}

/// So many seconds may a snapshot or a restore take before it says what it waits for.
const RESTORED: i64 = 300;

impl Explain for VmRestore {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let restore = at.record();
        let since = restore.restored.or(restore.meta.created);
        let plain = |word, health| Explained::new(word, health).since(since);
        let reason = restore.reason.as_str();
        match restore.flags {
            flags if flags.contains(VmRestoreFlags::FAILED) => {
                let why = restore.failure.as_deref().map_or("", |why| why.as_str());
                plain("Failed", Health::Failed).because(reason, why, Health::Failed)
            }
            flags if flags.contains(VmRestoreFlags::COMPLETE) => plain("Succeeded", Health::Idle),
            flags => {
                let going = flags.contains(VmRestoreFlags::PROGRESSING);
                let word = if going { "InProgress" } else { "Pending" };
                let told = plain(word, Health::Busy).because(reason, "", Health::Busy);
                told.within(RESTORED, since, "TakesLong", now)
            }
        }
    }
}

/// Looks at the cron that keeps it.
impl Explain for DataSource {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let source = at.record();
        let since = source.ready_since.or(source.meta.created);
        match source.ready {
            Truth::True => Explained::new("Ready", Health::Well).since(since),
            Truth::Missing => Explained::new("Pending", Health::Busy).since(since),
            // Any reason that is no failure is the phase of the disk that it waits for.
            Truth::False | Truth::Unknown => {
                let waits = Explained::new("NotReady", Health::Busy).since(since);
                let told = waits.because(source.reason.as_str(), "", Health::Busy);
                // Its cron fills it with its first import.
                let kept = at.wholes::<ImportCron>().next().is_some();
                if kept { told.health(Health::Busy) } else { told }
            }
        }
    }
}

/// How long a new cron may take to ask the registry for the first time.
const FIRST_POLL: i64 = 600;

/// Looks at its events.
impl Explain for ImportCron {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let cron = at.record();
        let since = cron.last_import.or(cron.meta.created);
        let importing = cron.flags.contains(ImportCronFlags::PROGRESSING);
        let explained = match (cron.fresh, cron.fresh_reason.as_str()) {
            (Truth::True, _) => Explained::new("UpToDate", Health::Well).since(since),
            (Truth::Missing, _) => Explained::new("Pending", Health::Busy).since(since),
            (_, "NoDigest") => {
                let waits = Explained::new("NoDigest", Health::Busy).since(since);
                waits.within(FIRST_POLL, cron.meta.created, "NoDigest", now)
            }
            (_, "ImportProgressing") | (_, "") => Explained::new("Importing", Health::Busy).since(since),
            (_, _) if importing => Explained::new("Importing", Health::Busy).since(since),
            (_, reason) => Explained::new(reason, Health::Busy).since(since),
        };
        let explained = match cron.progress_reason.as_str() {
            "NotAuthorized" => explained.because("NotAuthorized", "", Health::Failed),
            _ if explained.state.word == *"UpToDate" => explained,
            // The import that it waits for tells what goes wrong.
            _ => {
                let imports = at.parts::<DataVolume>().filter(|disk| disk.meta().deleted().is_none());
                imports.map(|disk| DataVolume::explain(disk, now)).fold(explained, Explained::troubled_by)
            }
        };
        let taken = at.parts::<Event>().find(|event| event.reason == *"ErrDataSourceAlreadyManaged");
        match taken.map(At::record) {
            Some(event) => explained.because(event.reason.as_str(), &event.message, Health::Failed),
            None => explained,
        }
    }
}

impl Explain for OsArtifact {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let artifact = at.record();
        let word = if artifact.phase.is_empty() { "Pending" } else { artifact.phase.as_str() };
        let health = match word {
            "Ready" => Health::Well,
            "Error" => Health::Failed,
            _ => Health::Busy,
        };
        let said = artifact.message.as_deref().map_or("", |said| said.as_str());
        Explained::new(word, health).because("", said, health)
    }
}
