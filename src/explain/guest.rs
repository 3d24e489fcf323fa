//! The states of VirtualMachineInstances, migrations and pools.

use super::Explain;
use super::explained::Explained;
use super::pod;
use crate::model::{Now, Time};
use crate::records::{Migration, MigrationFlags, Pod, PodFlags, PodRole, Pool, PoolFlags, Vm, Vmi, VmiFlags};
use crate::store::{At, Health};

/// Looks at its launcher pods and its migration.
impl Explain for Vmi {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let vmi = at.record();
        let since = vmi.since.or(vmi.meta.created);
        let trouble = vmi.trouble.as_deref();
        let (reason, message) = trouble.map_or(("", ""), |told| (told.reason.as_str(), &*told.message));
        match vmi.phase.as_str() {
            "Running" => running(at).since(since),
            "Succeeded" => Explained::new("Succeeded", Health::Idle).since(since),
            "Failed" if stopped(at) => Explained::new("Failed", Health::Idle).since(since),
            "Failed" => crashed(at, Explained::new("Failed", Health::Failed).since(since)),
            "Unknown" => Explained::new("Unknown", Health::Warning).since(since).because(
                "NodeUnresponsive",
                "",
                Health::Warning,
            ),
            phase => {
                let word = if phase.is_empty() { "Pending" } else { phase };
                let starting = Explained::new(word, Health::Busy).since(since);
                let told = starting.because(reason, message, Health::Failed);
                match told.told() {
                    Some(told) => told,
                    None => launching(at, starting, now).unwrap_or(told),
                }
            }
        }
    }
}

/// A guest that runs, is paused, or is on its way to another node. Since when has to be said by the caller.
pub(super) fn running<'a>(at: At<'a, Vmi>) -> Explained<'a> {
    let vmi = at.record();
    let trouble = vmi.trouble.as_deref();
    let (reason, message) = trouble.map_or(("", ""), |told| (told.reason.as_str(), &*told.message));
    let notes = |explained: Explained<'a>| {
        let held = if vmi.obstacle.is_empty() { "NotLiveMigratable" } else { vmi.obstacle.as_str() };
        let facts = [
            (VmiFlags::NOT_MIGRATABLE, held),
            (VmiFlags::EVACUATING, "Evacuating"),
            (VmiFlags::OUTDATED, "OutdatedLauncher"),
        ];
        let facts = facts.into_iter().filter(|(flag, _)| vmi.flags.contains(*flag));
        let noted = facts.fold(explained, |noted, (_, note)| noted.note(note));
        if vmi.flags.contains(VmiFlags::AGENT) { noted } else { noted.note("NoAgent") }
    };
    if vmi.flags.contains(VmiFlags::MIGRATING) {
        let target = target(at).map_or("", |pod| pod.record().node.as_str());
        let to = if target.is_empty() { "" } else { "MigrationTo" };
        return notes(Explained::new("Migrating", Health::Busy).because(to, target, Health::Busy));
    }
    if vmi.flags.contains(VmiFlags::PAUSED) {
        return notes(Explained::new("Paused", Health::Warning).because(reason, message, Health::Warning));
    }
    let running = Explained::new("Running", Health::Well);
    let told = running.because(reason, message, Health::Warning);
    let told = told.told().or_else(|| moving(at, running)).unwrap_or(running);
    notes(told)
}

/// The pod that it is being moved to.
fn target<'a>(at: At<'a, Vmi>) -> Option<At<'a, Pod>> {
    let pods = at.pods().filter(|pod| pod.migration.is_some() && pod.meta().deleted().is_none());
    pods.max_by_key(|pod| pod.meta().created)
}

/// A migration that has not begun, or the last one if it failed.
fn moving<'a>(at: At<'a, Vmi>, running: Explained<'a>) -> Option<Explained<'a>> {
    let migration = at.migration().here();
    // From its phase Running on the instance itself tells of it, and sooner.
    let under_way = migration.filter(|one| !matches!(one.phase.as_str(), "Running" | "Succeeded" | "Failed"));
    if let Some(one) = under_way {
        let prepared = one.parts::<Pod>().find(|pod| pod.flags.contains(PodFlags::UNSCHEDULABLE));
        if let Some(said) = prepared.and_then(|pod| pod.record().evidence.as_ref()?.message.as_deref()) {
            return running.because("MigrationTarget", said.as_str(), Health::Warning).told();
        }
        let phase = if one.phase.is_empty() { "Pending" } else { one.record().phase.as_str() };
        return Some(running.because("Migration", phase, Health::Well).health(Health::Well));
    }
    if !at.flags.contains(VmiFlags::MIGRATION_FAILED) {
        return None;
    }
    let why = migration.and_then(|one| one.record().failure.as_deref());
    running.because("LastMigrationFailed", why.map_or("", |why| why.as_str()), Health::Well).told()
}

/// Whether its end was asked for before it came: a guest that does not heed that in time is ended, which its phase does not
/// tell from a crash.
pub(super) fn stopped(at: At<'_, Vmi>) -> bool {
    at.meta().deleted().zip(at.since).is_some_and(|(asked, ended)| asked < ended)
}

/// Why a guest came to its end: what its node or its launcher tells, where that tells more than that it ended.
pub(super) fn crashed<'a>(at: At<'a, Vmi>, failed: Explained<'a>) -> Explained<'a> {
    if at.flags.contains(VmiFlags::NODE_LOST) {
        return failed.because("NodeUnresponsive", "", Health::Failed);
    }
    let launcher = at.pods().filter(|pod| pod.role == PodRole::Launcher).max_by_key(|pod| pod.meta().created);
    let evidence = launcher.and_then(|pod| pod.record().evidence.as_deref());
    let ended = evidence.and_then(|evidence| evidence.ended.as_ref()).filter(|ended| ended.code != 0);
    let put_out =
        launcher.filter(|pod| pod.phase == *"Failed" && !matches!(&*pod.reason, "Error" | "Failed"));
    let told = match (ended, put_out) {
        (Some(ended), _) if !ended.message.is_empty() || !matches!(&*ended.reason, "" | "Error") => {
            failed.because(&ended.reason, &ended.message, Health::Failed).told()
        }
        (_, Some(pod)) => {
            let said =
                evidence.and_then(|evidence| evidence.message.as_deref()).map_or("", |said| said.as_str());
            failed.because(pod.record().reason.as_str(), said, Health::Failed).told()
        }
        _ => None,
    };
    told.unwrap_or_else(|| failed.because("GuestFailed", "", Health::Failed))
}

/// What its launcher pod waits for.
pub(super) fn launching<'a>(at: At<'a, Vmi>, waits: Explained<'a>, now: Now) -> Option<Explained<'a>> {
    let pod = at.pods().max_by_key(|pod| pod.meta().created)?;
    pod::waiting(pod, waits, now)
}

/// Looks at its target pod.
impl Explain for Migration {
    fn explain<'a>(at: At<'a, Self>, _: Now) -> Explained<'a> {
        let migration = at.record();
        let since = migration.phase_since.or(migration.meta.created);
        let word = if migration.phase.is_empty() { "Pending" } else { migration.phase.as_str() };
        let aborted = migration.flags.contains(MigrationFlags::ABORT_ASKED);
        let plain = |health| Explained::new(word, health).since(since);
        match word {
            "Succeeded" => plain(Health::Idle),
            "Failed" if aborted => plain(Health::Idle).because("AbortRequested", "", Health::Idle),
            "Failed" => {
                let why = migration.failure.as_deref().map_or("", |why| why.as_str());
                plain(Health::Failed).because("", why, Health::Failed)
            }
            _ if aborted => {
                plain(Health::Busy).because("AbortRequested", "", Health::Busy).health(Health::Busy)
            }
            _ => {
                let busy = plain(Health::Busy);
                if let Some((_, why)) = BLOCKED.iter().find(|(flag, _)| migration.flags.contains(*flag)) {
                    return busy.because("MigrationBlocked", why, Health::Warning);
                }
                let pod = at.parts::<Pod>().find(|pod| pod.flags.contains(PodFlags::UNSCHEDULABLE));
                let said = pod.and_then(|pod| pod.record().evidence.as_ref()?.message.as_deref());
                match said {
                    Some(said) => busy.because("Unschedulable", said.as_str(), Health::Failed),
                    None => busy,
                }
            }
        }
    }
}

/// What a migration can wait for, in words.
const BLOCKED: &[(MigrationFlags, &str)] = &[
    (MigrationFlags::REFUSED_BY_QUOTA, "a quota refuses the target pod"),
    (MigrationFlags::BLOCKED_BY_VOLUMES, "utility volumes have to be detached"),
    (MigrationFlags::BLOCKED_BY_BACKUP, "a backup is under way"),
    (MigrationFlags::BLOCKED_BY_PEER, "the other cluster is not ready"),
];

/// Looks at its machines.
impl Explain for Pool {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let pool = at.record();
        if pool.flags.contains(PoolFlags::FAILURE) {
            let since = pool.failure.as_deref().and_then(|told| told.since);
            let failed = Explained::new("ReplicaFailure", Health::Failed).since(since);
            let (reason, message) =
                pool.failure.as_deref().map_or(("", ""), |told| (told.reason.as_str(), &*told.message));
            return failed.because(reason, message, Health::Failed);
        }
        if pool.flags.contains(PoolFlags::PAUSED) {
            return Explained::new("Paused", Health::Idle);
        }
        let held_up = machines(at).find(|vm| vm.state(now).is_fault());
        let (word, since) = match () {
            () if pool.replicas != pool.desired => ("Scaling", None),
            () if pool.ready < pool.desired => {
                let word = if held_up.is_some() { "Progressing" } else { "Starting" };
                (word, unready_since(at, now).or_else(|| changed_last(at, now)))
            }
            () => return Explained::new("Ready", Health::Well).since(changed_last(at, now)),
        };
        let busy = Explained::new(word, Health::Busy).since(since);
        held_up.map_or(busy, |vm| busy.troubled_by(Vm::explain(vm, now)))
    }
}

/// The machines that a pool has and keeps.
fn machines<'a>(pool: At<'a, Pool>) -> impl Iterator<Item = At<'a, Vm>> {
    pool.vms().filter(|vm| vm.meta().deleted().is_none())
}

/// When the last of a pool's machines came to be as it is: the controller does not say since when its pool is.
fn changed_last(pool: At<'_, Pool>, now: Now) -> Option<Time> {
    machines(pool).filter_map(|vm| vm.state(now).since).max()
}

/// Since when a machine of a pool is not as it should be.
fn unready_since(pool: At<'_, Pool>, now: Now) -> Option<Time> {
    let states = machines(pool).map(|vm| vm.state(now));
    states.filter(|state| state.health != Health::Well).filter_map(|state| state.since).min()
}
