//! What rows say at every moment of every recording of real controllers.

mod walk;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use v9s::explain::causes;
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

/// What each cause that the simulated platform plays is recognised by where its text does not stand in its table: reason and
/// message of the real parts, and the name in our table.
const PLAYED: &[(&str, &str, &str, &str)] = &[
    ("importer-oom", "OOMKilled", "", "out-of-memory"),
    (
        "provisioner-silent",
        "ExternalProvisioning",
        "Waiting for a volume to be created either by the external provisioner 'x' or manually by the system administrator.",
        "provisioner-silent",
    ),
    (
        "first-consumer",
        "WaitForFirstConsumer",
        "waiting for first consumer to be created before binding",
        "first-consumer",
    ),
    (
        "quota",
        "ErrExceededQuota",
        "persistentvolumeclaims \"root\" is forbidden: exceeded quota: storage, requested: requests.storage=5Gi, used: \
         requests.storage=0, limited: requests.storage=1Gi",
        "quota",
    ),
    ("datasource-without-source", "NoSource", "", "datasource-without-source"),
    (
        "migration-fails",
        "LastMigrationFailed",
        "Live migration stuck for 150 seconds and has been aborted",
        "last-migration-failed",
    ),
    (
        "image-pull",
        "ImagePullBackOff",
        "Back-off pulling image \"registry.example/a:1\": ErrImagePull: not found",
        "image-pull",
    ),
    ("crash-loop", "CrashLoopBackOff", "", "crash-loop"),
    ("guest-crashes", "GuestFailed", "", "guest-failed"),
    ("no-agent", "NoAgent", "", "no-agent"),
    (
        "not-migratable",
        "DisksNotLiveMigratable",
        "cannot migrate VMI: PVC web-root is not shared",
        "held-by-disk",
    ),
];

/// Played, and no trouble: takes its time, and shuts itself down as its user told it to.
const NO_TROUBLE: [&str; 3] = ["slow-but-fine", "powers-off", "uploaded"];

#[test]
fn every_cause_that_is_played_is_recognised() {
    for cause in v9s::demo::platform::play::CAUSES {
        let known = PLAYED.iter().find(|(name, ..)| *name == cause.name);
        let told = cause.says.replace("{size}", "1073741824").replace("{twice}", "2147483648");
        let (reason, message, want) = match known {
            Some(&(_, reason, message, want)) => (reason, message, Some(want)),
            None if NO_TROUBLE.contains(&cause.name) => continue,
            None => ("Error", told.as_str(), None),
        };
        let found = causes::recognise(reason, message).map(causes::of);
        let found = found.unwrap_or_else(|| panic!("{} is not recognised: {reason}: {message}", cause.name));
        assert!(!found.is_noise(), "{}", cause.name);
        assert!(want.is_none_or(|want| found.id == want), "{} is {}", cause.name, found.id);
    }
}
