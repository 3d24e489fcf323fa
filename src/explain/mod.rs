//! Evidence → state and cause. Pure functions over records; causes are data ([`causes`]).
//!
//! One function per kind ([`Explain`]) works out what is going on, with the texts that tell of it. From that come the
//! [`State`] that the store keeps for every row, and, for what is on screen, the texts: [`reason`] and [`sentence`].
//!
//! A state is derived from a missing partner only where its absence is known. Otherwise the row shows what the object
//! says of itself, marked as provisional. Which partners a kind looks at beside itself is said at its function; more of
//! them make its reason tell more, never its word wrong.

pub mod causes;
mod claim;
mod cluster;
mod copies;
mod disk;
mod explained;
mod guest;
mod own;
mod pod;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;
mod vm;

use crate::model::Now;
use crate::records::{
    Claim, DataSource, DataVolume, Image, ImportCron, Kind, Meta, Migration, Namespace, Node, OsArtifact,
    Pod, Pool, Record, Records, SupportedVersion, VirtinkVm, Vm, VmRestore, VmSnapshot, Vmi, VolumeCommand,
    VolumeSet, VolumeSnapshot, Workload,
};
use crate::store::{At, Health, Id, State, StateFn, Store, Stored};

use explained::Explained;

/// A kind whose objects have a state.
trait Explain: Stored
where
    Records: From<Vec<Self>>,
{
    /// What is going on with a record that could be read. Its deletion is told by the caller.
    fn explain<'a>(at: At<'a, Self>, now: Now) -> Explained<'a>;
}

type ExplainFn = for<'a> fn(&'a Store, Id, Now) -> Explained<'a>;

macro_rules! explained {
    ($($kind:ident),* $(,)?) => {
        /// The states of all kinds that have one.
        pub const STATES: &[(Kind, StateFn)] = &[$((Kind::$kind, state::<$kind>)),*];

        const EXPLAINED: &[(Kind, ExplainFn)] = &[$((Kind::$kind, explain::<$kind>)),*];
    };
}
explained!(
    Vm,
    Vmi,
    Pool,
    Migration,
    VmSnapshot,
    VmRestore,
    DataVolume,
    Claim,
    Pod,
    VolumeSnapshot,
    DataSource,
    ImportCron,
    Node,
    Namespace,
    VirtinkVm,
    OsArtifact,
    Workload,
    VolumeSet,
    VolumeCommand,
    Image,
    SupportedVersion,
);

/// Writes why a row is in its state, the most telling part first: `HTTP 404, attempt 4`. Nothing where there is nothing
/// to say.
pub fn reason(store: &Store, id: Id, now: Now, out: &mut String) {
    if !store.state(id, now).tells {
        return;
    }
    if let Some(explained) = of(store, id, now) {
        explained.reason(now, out);
    }
}

/// Writes what is going on in a sentence or two, with what the object that failed says itself. Nothing where there is
/// nothing to say.
pub fn sentence(store: &Store, id: Id, now: Now, out: &mut String) {
    if let Some(explained) = of(store, id, now) {
        explained.sentence(now, out);
    }
}

fn of(store: &Store, id: Id, now: Now) -> Option<Explained<'_>> {
    let (_, explain) = EXPLAINED.iter().find(|(kind, _)| *kind == id.kind())?;
    Some(explain(store, id, now))
}

fn state<R: Explain>(store: &Store, id: Id, now: Now) -> State
where
    Records: From<Vec<R>>,
{
    let explained = explain::<R>(store, id, now);
    State { tells: explained.tells(), ..explained.state }
}

fn explain<R: Explain>(store: &Store, id: Id, now: Now) -> Explained<'_>
where
    Records: From<Vec<R>>,
{
    let Some(at) = At::<R>::new(store, id) else { return Explained::default() };
    let meta: &Meta = Record::meta(at.record());
    if let Some(why) = meta.broken() {
        let unreadable = Explained::new("Unreadable", Health::Failed).since(meta.created);
        return unreadable.because("", why, Health::Failed);
    }
    match meta.deleted() {
        // What went on then: nothing else takes too long any more.
        Some(since) => R::explain(at, Now { wall: since.seconds(), ..now }).leaving(since, now),
        None => R::explain(at, now),
    }
}
