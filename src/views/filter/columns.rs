//! Which column of a view a key means.

use crate::views::{AnyView, Holds};

/// Keys that people use for columns of several names, the best first.
const ALSO: [(&str, &[&str]); 23] = [
    ("state", &["state", "status", "phase"]),
    ("status", &["status", "state", "phase"]),
    ("why", &["reason", "why", "cause", "message"]),
    ("reason", &["reason", "why", "cause", "message"]),
    ("ns", &["namespace"]),
    ("mem", &["memory"]),
    ("image", &["image", "images", "source"]),
    ("source", &["source", "image"]),
    ("containerdisk", &["image"]),
    ("registry", &["image", "source"]),
    ("url", &["image", "url", "source"]),
    ("os", &["guest", "os"]),
    ("migratable", &["moves"]),
    ("movable", &["moves"]),
    ("blocked-by", &["held-by"]),
    ("age-of-state", &["in-state"]),
    ("state-age", &["in-state"]),
    ("since", &["in-state", "since", "age"]),
    ("instancetype", &["type"]),
    ("runstrategy", &["strategy", "policy"]),
    ("run-strategy", &["strategy", "policy"]),
    ("address", &["ip", "address"]),
    ("host", &["node"]),
];

/// The fewest letters by which a longer key is known.
const LEAST: usize = 3;

/// The key of a column: its title in lower case, with dashes for blanks.
pub(super) fn key(view: &dyn AnyView, column: usize) -> String {
    view.heading(column).title.to_lowercase().replace(' ', "-")
}

/// The column that a key means: by its title, by another word for it, or by the beginning of the only one it can be.
pub fn find(view: &dyn AnyView, word: &str) -> Option<usize> {
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

/// The key that was most likely meant by one that a view does not have.
pub(super) fn near(view: &dyn AnyView, word: &str) -> Option<String> {
    let word = word.to_lowercase();
    let pieces = || word.split(['-', '_', '.', '/']).filter(|piece| piece.len() >= LEAST);
    let alike = |key: &str| {
        let part = |piece: &str| {
            key.contains(piece) || piece.len() > LEAST && key.len() >= LEAST && piece.contains(key)
        };
        pieces().any(part) || one_slip(&word, key)
    };
    keys(view).map(|(_, key)| key).find(|key| alike(key))
}

/// Whether two words differ in one letter: another one, one too many, or two that changed places.
fn one_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    if same + a.len().max(b.len()) < LEAST {
        return false;
    }
    match (a, b) {
        ([_, x @ ..], [_, y @ ..]) if x == y => true,
        ([a, b, x @ ..], [c, d, y @ ..]) if (a, b) == (d, c) && x == y => true,
        ([_, x @ ..], y) | (y, [_, x @ ..]) if x == y => true,
        _ => false,
    }
}

/// Every key of a view, in the order of its columns.
pub(super) fn keys(view: &dyn AnyView) -> impl Iterator<Item = (usize, String)> + '_ {
    (0..view.width()).map(|column| (column, key(view, column)))
}
