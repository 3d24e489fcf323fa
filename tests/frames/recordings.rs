//! What the screen says at moments of recorded control planes.

use std::path::{Path, PathBuf};

use v9s::ui::app::{App, Options};
use v9s::ui::theme::Theme;

use super::{buffer, now, row_of, text, word_of};

/// The words that a machine can have here.
const WORDS: [&str; 20] = [
    "ImportScheduled",
    "Importing",
    "Start refused",
    "Terminating",
    "Stopping",
    "Migrating",
    "Paused",
    "Running",
    "ErrorPvcNotFound",
    "DataVolumeError",
    "ErrorUnschedulable",
    "Provisioning",
    "WaitingForVolumeBinding",
    "ErrImagePull",
    "ImagePullBackOff",
    "Starting",
    "CrashLoopBackOff",
    "Stopped",
    "WaitingForReceiver",
    "Unknown",
];

/// Recording, moment in seconds, state word, something else that stands in the row.
const MOMENTS: &[(&str, f64, &str, &str)] = &[
    ("vm-running", 0.3, "Starting", "-"),
    ("vm-running", 9.0, "Running", "Always"),
    ("vm-unschedulable", 0.5, "Starting", "-"),
    ("vm-unschedulable", 9.0, "ErrorUnschedulable", "not enough cpu on any of 3 nodes"),
    ("vm-claim-missing", 9.0, "ErrorPvcNotFound", "no claim gone"),
    ("vm-containerdisk-pull-error", 9.0, "ImagePullBackOff", "cannot pull quay.io/containerdisks/fedora:41"),
    ("vm-crash-loop", 0.3, "Starting", ""),
    ("vm-crash-loop", 5.0, "CrashLoopBackOff", ""),
    ("vm-crash-loop", 16.8, "Starting", ""),
    ("vm-crash-loop", 99.0, "CrashLoopBackOff", ""),
    ("vm-import-then-scheduled", 1.0, "Importing", ""),
    ("vm-import-then-scheduled", 3.0, "Importing", ""),
    ("vm-import-then-scheduled", 4.0, "Starting", ""),
    ("vm-import-then-scheduled", 99.0, "Running", ""),
    ("vm-stopped-by-user", 5.0, "Running", ""),
    ("vm-stopped-by-user", 8.0, "Stopping", ""),
    ("vm-stopped-by-user", 99.0, "Stopped", "<none>"),
    ("vm-restarted-by-user", 12.0, "Stopping", ""),
    ("vm-restarted-by-user", 14.6, "Starting", ""),
    ("vm-restarted-by-user", 99.0, "Running", ""),
    ("vm-paused-and-resumed", 12.0, "Paused", ""),
    ("vm-paused-and-resumed", 99.0, "Running", ""),
    ("vm-migration", 17.0, "Migrating", ""),
    ("vm-migration", 99.0, "Running", ""),
    ("vm-migration-target-unschedulable", 99.0, "Running", ""),
    ("vm-deleted", 6.0, "Running", ""),
    ("vm-deleted", 12.0, "Terminating", ""),
    ("vm-not-migratable", 99.0, "Running", ""),
    // The word alone would be a lie: it should run and cannot.
    ("vm-start-refused", 99.0, "Start refused", "no memory requested"),
    ("vm-instancetype-missing", 99.0, "Start refused", "gone"),
    ("vm-restored", 22.0, "Stopping", ""),
    ("vm-restored", 99.0, "Stopped", ""),
    ("vm-snapshot", 99.0, "Running", ""),
];

/// The word of a state alone.
fn without_progress(said: &str) -> &str {
    said.rsplit_once(' ').filter(|(_, end)| end.ends_with('%')).map_or(said, |(word, _)| word)
}

fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("V9S_TEST_DATA").map(|folder| Path::new(&folder).join("recordings"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: V9S_TEST_DATA names no folder with recordings/*.ndjson");
    }
    folder
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(format!("{name}.ndjson"))).unwrap()
}

fn at(lines: &[u8], moment: f64, (width, height): (u16, u16)) -> (App, String) {
    let view = Some("vms".into());
    let options = Options { view, all_namespaces: true, wide: true, ..Options::default() };
    let mut app = App::new(options, Theme::default(), (width, height), now());
    let now = app.replay(lines, moment).unwrap();
    let text = text(&buffer(&mut app, width, height, now));
    (app, text)
}

#[test]
fn states_at_moments_are_what_happened() {
    let Some(folder) = recordings() else { return };
    let mut wrong = String::new();
    for &(name, moment, word, besides) in MOMENTS {
        let (_, text) = at(&read(&folder, name), moment, (340, 60));
        let said = word_of(&text, "web");
        let row = row_of(&text, "web");
        if without_progress(&said) != word || !row.contains(besides) {
            wrong.push_str(&format!("{name} at {moment}: {word:?} and {besides:?} are not in\n{row}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_start_that_is_refused_does_not_look_like_rest() {
    let Some(folder) = recordings() else { return };
    for name in ["vm-start-refused", "vm-instancetype-missing"] {
        let (_, text) = at(&read(&folder, name), 99.0, (120, 40));
        assert!(text.contains("✗ Start refused"), "{name}:\n{text}");
    }
}

#[test]
fn between_two_lives_a_machine_never_looks_lost() {
    let Some(folder) = recordings() else { return };
    let lines = read(&folder, "vm-import-then-scheduled");
    let mut seen: Vec<String> = Vec::new();
    for step in 2..80 {
        let (_, text) = at(&lines, f64::from(step) * 0.1, (160, 40));
        let said = word_of(&text, "web");
        let word = without_progress(&said).to_owned();
        if seen.last() != Some(&word) {
            seen.push(word);
        }
    }
    assert_eq!(seen, ["Provisioning", "Importing", "Starting", "Running"]);
}

#[test]
fn every_recording_replays_at_every_size_and_says_known_words() {
    let Some(folder) = recordings() else { return };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "ndjson"));
    files.sort();
    assert!(files.len() >= 30, "{files:?}");
    for path in files {
        let lines = std::fs::read(&path).unwrap();
        let last = lines.split(|&byte| byte == b'\n').rfind(|line| !line.is_empty()).unwrap();
        let end = serde_json::from_slice::<serde_json::Value>(last).unwrap()["t"].as_f64().unwrap();
        for step in 0..=10 {
            let moment = end * f64::from(step) / 10.0;
            // The whole row has to be seen here; the other sizes have only to be drawn.
            let (mut app, text) = at(&lines, moment, (300, 60));
            buffer(&mut app, 80, 24, now());
            buffer(&mut app, 120, 40, now());
            let context = format!("{} at {moment}:\n{text}", path.display());
            assert!(text.contains("recording at"), "{context}");
            for &id in app.pane.list.rows() {
                let name = app.store.meta(id).unwrap().name.to_string();
                let said = word_of(&text, &name);
                let word = without_progress(&said);
                assert!(WORDS.contains(&word), "{said:?} of {name} in {context}");
            }
        }
    }
}
