//! Evidence → state. Pure functions over records; causes of trouble will stand here as data.
//!
//! A state is derived from a missing partner only where its absence is known. Otherwise the row shows what the object
//! says of itself, marked as provisional.

mod pod;
mod vm;

use crate::model::{Now, Word};
use crate::records::{Kind, Meta, Pod, Record, Records, Vm};
use crate::store::{At, Health, Id, State, StateFn, Store, Stored};

/// The states of all kinds that have one.
pub const STATES: &[(Kind, StateFn)] = &[(Kind::Vm, of::<Vm>), (Kind::Pod, of::<Pod>)];

/// A record type that has a state.
trait Stateful: Stored
where
    Records: From<Vec<Self>>,
{
    /// The state of a record that could be read and is not on its way out.
    fn state(at: At<'_, Self>, now: Now) -> State;
}

fn of<R: Stateful>(store: &Store, id: Id, now: Now) -> State
where
    Records: From<Vec<R>>,
{
    let Some(at) = At::<R>::new(store, id) else { return State::default() };
    let meta: &Meta = Record::meta(at.record());
    if meta.broken().is_some() {
        return State {
            word: Word::new("Unreadable"),
            health: Health::Failed,
            since: meta.created,
            ..State::default()
        };
    }
    let state = R::state(at, now);
    match meta.deleted() {
        Some(since) => {
            State { word: Word::new("Terminating"), health: Health::Leaving, since: Some(since), ..state }
        }
        None => state,
    }
}
