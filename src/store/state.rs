//! States of rows, kept so that sorting and filtering by them costs nothing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroU16;

use super::{Id, Store};
use crate::model::{Now, Time, Word};
use crate::records::Kind;

/// How well something is, for colours, symbols and the list of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    #[default]
    Well,
    /// On its way: starting, importing, migrating.
    Busy,
    /// Off, finished, or nothing to say.
    Idle,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Failed,
    /// On its way out.
    Leaving,
}

/// The place of a cause of trouble in the table of causes, which `explain` owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CauseId(NonZeroU16);

impl CauseId {
    /// The cause at this place of the table.
    pub fn new(place: usize) -> Option<Self> {
        u16::try_from(place + 1).ok().and_then(NonZeroU16::new).map(Self)
    }

    /// The place in the table.
    pub fn place(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

/// What a row says about its object, over all its partners. The texts for people (`explain::reason`,
/// `explain::sentence`) are made from the records when they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State {
    /// The state in the field's own word (`Running`, `Provisioning`, …).
    pub word: Word,
    /// One word why, to sort and search by: the name of the cause, else the object's own reason; empty if there is none.
    pub reason: Word,
    /// The cause, if the table knows it.
    pub cause: Option<CauseId>,
    /// Since when it is in this state.
    pub since: Option<Time>,
    /// When it reads differently although nothing happens: what takes so long is trouble then.
    pub recheck: Option<Time>,
    /// How far it is, in thousandths.
    pub progress: Option<u16>,
    /// Whether there is more to tell than the word: where there is not, nobody has to look for it.
    pub tells: bool,
    /// How well it is.
    pub health: Health,
    /// Whether partners that could tell more are not loaded or not readable: then the word is the object's own.
    pub provisional: bool,
}

impl State {
    /// Whether this is trouble that somebody should look after. What a user wanted (stopped, paused) is none, and neither
    /// is a disk that waits for its first consumer.
    pub fn is_fault(&self) -> bool {
        matches!(self.health, Health::Warning | Health::Failed)
    }
}

/// Makes the state of one record. Gives the same for the same store and time.
pub type StateFn = fn(&Store, Id, Now) -> State;

/// The states of the kinds that are on screen.
#[derive(Debug, Default)]
pub(super) struct States {
    functions: &'static [(Kind, StateFn)],
    kept: Vec<(Kind, Vec<State>)>,
    /// Which of them are to be made anew when, the first on top. What has changed meanwhile stays in it until its time.
    due: BinaryHeap<Reverse<(Time, Id)>>,
}

impl States {
    pub(super) fn new(functions: &'static [(Kind, StateFn)]) -> Self {
        Self { functions, ..Self::default() }
    }

    pub(super) fn function(&self, kind: Kind) -> Option<StateFn> {
        self.functions.iter().find(|(of, _)| *of == kind).map(|(_, function)| *function)
    }

    /// Begins to keep the states of these kinds, and of no others.
    pub(super) fn keep(&mut self, kinds: &[Kind]) {
        self.kept.retain(|(kind, _)| kinds.contains(kind));
        for &kind in kinds {
            if self.function(kind).is_some() && !self.keeps(kind) {
                self.kept.push((kind, Vec::new()));
            }
        }
    }

    pub(super) fn keeps(&self, kind: Kind) -> bool {
        self.kept.iter().any(|(kept, _)| *kept == kind)
    }

    pub(super) fn kinds(&self) -> Vec<Kind> {
        self.kept.iter().map(|(kind, _)| *kind).collect()
    }

    pub(super) fn get(&self, id: Id) -> Option<State> {
        let (_, states) = self.kept.iter().find(|(kind, _)| *kind == id.kind())?;
        states.get(id.slot()).copied()
    }

    pub(super) fn set(&mut self, id: Id, state: State) {
        if let Some((_, states)) = self.kept.iter_mut().find(|(kind, _)| *kind == id.kind()) {
            if states.len() <= id.slot() {
                states.resize(id.slot() + 1, State::default());
            }
            let before = std::mem::replace(&mut states[id.slot()], state).recheck;
            if let Some(at) = state.recheck.filter(|_| state.recheck != before) {
                self.due.push(Reverse((at, id)));
            }
        }
    }

    /// When the first state is to be made anew.
    pub(super) fn next_recheck(&self) -> Option<Time> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// The next state that is to be made anew by now; it is taken off the list.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Id> {
        while let Some(&Reverse((at, id))) = self.due.peek() {
            if at > now {
                return None;
            }
            self.due.pop();
            if self.get(id).is_some_and(|state| state.recheck == Some(at)) {
                return Some(id);
            }
        }
        None
    }

    pub(super) fn reserve(&mut self, kind: Kind, more: usize) {
        if let Some((_, states)) = self.kept.iter_mut().find(|(kept, _)| *kept == kind) {
            states.reserve_exact(more);
        }
    }
}
