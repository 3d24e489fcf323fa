//! States of kinds whose own word says it all: no partner is looked at.

use crate::model::{Time, Word};
use crate::records::Meta;
use crate::store::{Health, State};

/// Words of phases and how well an object is that has them. All others are on their way.
const WORDS: &[(&str, Health)] = &[
    ("Active", Health::Well),
    ("Available", Health::Well),
    ("Bound", Health::Well),
    ("Ready", Health::Well),
    ("Running", Health::Well),
    ("Succeeded", Health::Idle),
    ("Stopped", Health::Idle),
    ("Unconfirmed", Health::Idle),
    ("Paused", Health::Warning),
    ("NotReady", Health::Failed),
    ("Error", Health::Failed),
    ("Failed", Health::Failed),
    ("Lost", Health::Failed),
    ("Unknown", Health::Warning),
    ("Deleting", Health::Leaving),
    ("Terminating", Health::Leaving),
];

/// The state that a word tells, unless `explained` tells more.
pub(super) fn phase(explained: State, meta: &Meta, word: &str, reason: Word) -> State {
    if !explained.word.is_empty() {
        return explained;
    }
    let (word, since) = match (meta.broken(), meta.deleted()) {
        (Some(_), _) => ("Unreadable", meta.created),
        (None, Some(since)) => ("Terminating", Some(since)),
        (None, None) if word.is_empty() => ("Pending", None),
        (None, None) => (word, None),
    };
    let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, health)| *health);
    let health = if word == "Unreadable" { Health::Failed } else { known.unwrap_or(Health::Busy) };
    State { word: Word::new(word), reason, since, health, ..State::default() }
}

/// The same state, since a moment that the object tells.
pub(super) fn since(state: State, since: Option<Time>) -> State {
    State { since: state.since.or(since), ..state }
}
