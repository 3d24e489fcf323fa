//! The state of a PersistentVolumeClaim.

use super::Explain;
use super::causes;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{
    BindingMode, Claim, ClaimFlags, ClaimPhase, ClaimRole, Event, Record, StorageClass, Truth,
};
use crate::store::{At, Health};

/// So many seconds may a storage driver take to make a volume.
const BOUND: i64 = 120;

/// Looks at its events, or at its class where they are not known.
impl Explain for Claim {
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a> {
        let claim = at.record();
        let since = claim.meta.created;
        match claim.phase {
            ClaimPhase::Bound if claim.flags.contains(ClaimFlags::RESIZING) => {
                Explained::new("Resizing", Health::Busy)
            }
            // When it was bound is not told.
            ClaimPhase::Bound => Explained::new("Bound", Health::Well),
            // Its volume has moved to the claim that it was made for.
            ClaimPhase::Lost if matches!(claim.role, ClaimRole::Prime | ClaimRole::CloneTemporary) => {
                Explained::new("Lost", Health::Idle)
            }
            ClaimPhase::Lost => {
                Explained::new("Lost", Health::Failed).because("ClaimLost", "", Health::Failed)
            }
            ClaimPhase::Pending | ClaimPhase::Unknown => {
                let pending = pending(at, now).since(since);
                // What is filled by way of another claim is bound when that is full.
                let filled = claim.flags.contains(ClaimFlags::CDI_SOURCE) || claim.running == Truth::True;
                // A claim that nobody uses may wait for that as long as it takes, and only its events or its class tell.
                let known = pending.told().is_some() || class(at).is_some();
                if filled || !known { pending } else { pending.within(BOUND, since, "TakesLong", now) }
            }
        }
    }
}

/// Its storage class, where that is known.
fn class(at: At<'_, Claim>) -> Option<At<'_, StorageClass>> {
    let id = at.store().find_key(at.record().member_of()?)?;
    At::new(at.store(), id)
}

fn pending<'a>(at: At<'a, Claim>, now: Now) -> Explained<'a> {
    let claim = at.record();
    let pending = Explained::new("Pending", Health::Busy).progress(claim.progress);
    let waiting = claim.waiting.as_deref().map_or("", |said| said.as_str());
    if claim.flags.contains(ClaimFlags::CLONE_ERROR) {
        return pending.because("Error", waiting, Health::Failed);
    }
    if let Some(event) = in_use(at) {
        let told = pending.because(&event.reason, &event.message, Health::Warning);
        return told.health(Health::Busy).within(FREED, event.first_seen, "", now);
    }
    if claim.running == Truth::True {
        // It is being filled: what it waited for before is over.
        return pending;
    }
    if claim.running == Truth::False && !matches!(&*claim.running_reason, "" | "Completed") {
        return pending
            .because(&claim.running_reason, waiting, Health::Failed)
            .after(claim.restarts.into(), "restart");
    }
    match told(at) {
        Some((reason, message, health)) => pending.because(reason, message, health),
        None if class(at).is_some_and(|class| class.binding == BindingMode::FirstConsumer)
            && !claim.flags.contains(ClaimFlags::NODE_CHOSEN) =>
        {
            pending.because("WaitForFirstConsumer", "", Health::Idle)
        }
        None => pending,
    }
}

/// So many seconds may somebody have a volume that is to be filled or copied: whoever used it last may not be gone yet.
const FREED: i64 = 20;

/// What was said of somebody who uses it, if that is the last that was said of it.
fn in_use<'a>(at: At<'a, Claim>) -> Option<&'a Event> {
    let last = at.parts::<Event>().map(At::record).max_by_key(|event| event.last_seen)?;
    let noise = causes::recognise(&last.reason, &last.message).is_some_and(|id| causes::of(id).is_noise());
    (last.reason.ends_with("InUse") && !noise).then_some(last)
}

/// What a claim without a volume waits for, and how bad that is where the table of causes does not say: what CDI read of
/// its events, or those events themselves where they are loaded.
pub(super) fn told<'a>(at: At<'a, Claim>) -> Option<(&'a str, &'a str, Health)> {
    let claim = at.record();
    let noise = |reason: &str, message: &str| {
        causes::recognise(reason, message).is_some_and(|id| causes::of(id).is_noise())
    };
    let said = claim.waiting.as_deref().map(|said| ("", said.as_str(), Health::Busy));
    said.filter(|(reason, message, _)| !noise(reason, message)).or_else(|| {
        // The target of a populator is never asked for from the driver, although its events say so.
        let filled = claim.flags.contains(ClaimFlags::CDI_SOURCE);
        let tells = |event: &&'a Event| {
            !noise(&event.reason, &event.message)
                && !event.reason.ends_with("InUse")
                && (event.warning || causes::recognise(&event.reason, &event.message).is_some())
                && !(filled && *event.reason == *"ExternalProvisioning")
        };
        let events = at.parts::<Event>().map(At::record).filter(tells);
        // A driver that refuses is asked again and again, and each time says first that it is being waited for.
        let worst = events.max_by_key(|event| (event.warning, event.last_seen))?;
        let health = if worst.warning { Health::Failed } else { Health::Busy };
        Some((worst.reason.as_str(), &*worst.message, health))
    })
}
