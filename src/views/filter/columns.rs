//! Which column of a view a key means.

use crate::views::{AnyView, Holds};

/// Keys that people use for columns of several names, the best first.
const ALSO: [(&str, &[&str]); 8] = [
    ("state", &["state", "status", "phase"]),
    ("status", &["status", "state", "phase"]),
    ("why", &["reason", "why", "cause", "message"]),
    ("reason", &["reason", "why", "cause", "message"]),
    ("ns", &["namespace"]),
    ("mem", &["memory"]),
    ("image", &["image", "images", "source"]),
    ("os", &["guest", "os"]),
];

/// The fewest letters by which a longer key is known.
const LEAST: usize = 3;

/// The key of a column: its title in lower case, with dashes for blanks.
pub(super) fn key(view: &dyn AnyView, column: usize) -> String {
    view.heading(column).title.to_lowercase().replace(' ', "-")
}

/// The column that a key means: by its title, by another word for it, or by the beginning of the only one it can be.
pub(super) fn find(view: &dyn AnyView, word: &str) -> Option<usize> {
    let word = word.to_lowercase();
    let keys: Vec<String> = (0..view.width()).map(|column| key(view, column)).collect();
    let named = |name: &str| keys.iter().position(|key| key == name);
    let also = || {
        let (_, names) = ALSO.iter().find(|(also, _)| *also == word)?;
        names.iter().find_map(|name| named(name))
    };
    let state = || {
        let is_state = |&column: &usize| view.heading(column).holds == Holds::State;
        if word == "state" { (0..view.width()).find(is_state) } else { None }
    };
    let begun = || {
        let mut places = (0..keys.len()).filter(|&at| word.len() >= LEAST && keys[at].starts_with(&word));
        let first = places.next()?;
        places.next().is_none().then_some(first)
    };
    named(&word).or_else(also).or_else(state).or_else(begun)
}

/// Every key of a view, in the order of its columns.
pub(super) fn keys(view: &dyn AnyView) -> impl Iterator<Item = (usize, String)> + '_ {
    (0..view.width()).map(|column| (column, key(view, column)))
}
