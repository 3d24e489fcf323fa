//! The state of a PersistentVolumeClaim.

use super::Explain;
use super::causes;
use super::explained::Explained;
use crate::model::Now;
use crate::records::{Claim, ClaimFlags, ClaimPhase, ClaimRole, Event, Truth};
use crate::store::{At, Health};

/// So many seconds may a storage driver take to make a volume.
const BOUND: i64 = 120;

/// Looks at its events.
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
                let pending = pending(at).since(since);
                // What is filled by way of another claim is bound when that is full.
                let filled = claim.flags.contains(ClaimFlags::CDI_SOURCE) || claim.running == Truth::True;
                if filled { pending } else { pending.within(BOUND, since, "TakesLong", now) }
            }
        }
    }
}

fn pending<'a>(at: At<'a, Claim>) -> Explained<'a> {
    let claim = at.record();
    let pending = Explained::new("Pending", Health::Busy).progress(claim.progress);
    let waiting = claim.waiting.as_deref().map_or("", |said| said.as_str());
    if claim.flags.contains(ClaimFlags::CLONE_ERROR) {
        return pending.because("Error", waiting, Health::Failed);
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
        None => pending,
    }
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
