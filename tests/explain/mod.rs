//! What rows say at every moment of every recording of real controllers.

mod walk;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use v9s::store::Health;
use walk::{Shown, walks};

/// What an operator should read, written down from the objects themselves: per recording and row each change, with the
/// second since when it is so.
const MOMENTS: &str = include_str!("moments.txt");

/// Recordings in which nothing goes wrong.
const HEALTHY: [&str; 5] =
    ["vm-running", "vm-import-then-scheduled", "import-healthy-progress", "pool-three", "vm-stopped-by-user"];

/// The lines of the table by recording and row.
fn moments() -> BTreeMap<(&'static str, &'static str), Vec<&'static str>> {
    let mut all = BTreeMap::new();
    let mut row = ("", "");
    for line in MOMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix(' ') {
            Some(moment) => all.entry(row).or_insert_with(Vec::new).push(moment.trim()),
            None => row = line.split_once(' ').expect(line),
        }
    }
    all
}

#[test]
fn rows_say_what_happened_at_every_change() {
    let mut wrong = String::new();
    let moments = moments();
    for (file, walk) in walks() {
        let seen = walk.changes();
        for ((_, row), want) in moments.iter().filter(|((of, _), _)| of == file) {
            let found = seen.get(*row).cloned().unwrap_or_default();
            if found != *want {
                let _ = writeln!(wrong, "{file} {row}\n  {}", found.join("\n  "));
            }
        }
    }
    assert!(wrong.is_empty(), "these read otherwise than tests/explain/moments.txt says:\n{wrong}");
}

#[test]
fn every_recording_has_rows_in_the_table() {
    let moments = moments();
    let lost: Vec<&String> =
        walks().keys().filter(|name| !moments.keys().any(|(file, _)| file == name)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn healthy_runs_show_no_fault_at_any_event() {
    let mut wrong = String::new();
    for (file, walk) in walks().iter().filter(|(file, _)| HEALTHY.contains(&file.as_str())) {
        for (moment, row, shown) in walk.rows() {
            if shown.state.is_fault() {
                let _ = writeln!(wrong, "{file} at {moment}: {row} {shown}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_row_is_without_a_word_and_none_is_unknown() {
    let mut wrong = String::new();
    for (file, walk) in walks() {
        for (moment, row, Shown { state, reason, sentence }) in walk.rows() {
            let unknown = *state.word == *"Unknown" && !state.provisional;
            // What is a fault says why, in a row and in a sentence.
            let silent = state.health == Health::Failed && (reason.is_empty() || sentence.is_empty());
            if state.word.is_empty() || unknown || silent {
                let _ = writeln!(wrong, "{file} at {moment}: {row} {:?} {reason:?} {sentence:?}", state.word);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
