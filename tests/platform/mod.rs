//! The simulated platform beside a server: every recording of the real controllers is played again, and what one sees of
//! it must be what one saw of them.

mod exceptions;
mod scenarios;
mod sequence;
mod stage;

use std::collections::BTreeSet;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::crds::Definitions;
use crate::support::embedded::Embedded;
use crate::support::suite::report;

use exceptions::{EXCEPTIONS, PASSING};
use scenarios::{SCENARIOS, Scenario};
use sequence::{Sequences, sequences};
use stage::{Stage, Witness, recording, recordings};

#[test]
fn recordings_are_played_on_the_embedded_server() {
    let server = Embedded::new();
    play_all("the embedded server", server.cluster());
}

#[test]
fn recordings_are_played_on_the_real_server() {
    // Its own: a platform plays on everything there is.
    let Some(server) = ApiServer::own() else { return };
    let Definitions::Real(_) = super::cluster::define(server.cluster()) else {
        return report("skipped: a platform needs the real definitions, see V9S_TEST_DATA");
    };
    play_all(&server.title(), server.cluster());
}

fn play_all(title: &str, cluster: &Cluster) {
    if recordings().is_none() {
        return report("skipped: V9S_TEST_DATA names no folder with recordings/*.ndjson");
    }
    let stage = Stage::new(cluster);
    let chosen = std::env::var("V9S_CASE").unwrap_or_default();
    let scenarios: Vec<&Scenario> = SCENARIOS.iter().filter(|one| one.name.contains(&chosen)).collect();
    let mut found = Vec::new();
    let mut excused = BTreeSet::new();
    for scenario in &scenarios {
        let recorded = recording(scenario.name);
        let namespace = format!("rec-{}-{:04x}", scenario.name, fastrand::u16(..));
        stage.cluster.namespace(&namespace);
        let witness = Witness::of(&stage, &namespace);
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scenario.play(&stage, &namespace, &recorded);
        }));
        let lines = witness.lines();
        drop(witness);
        if let Ok(folder) = std::env::var("V9S_PLAYED") {
            write_down(&folder, scenario.name, &lines);
        }
        if let Err(why) = played {
            let why = why.downcast_ref::<String>().cloned().unwrap_or_default();
            found.push(format!("{}: {why}", scenario.name));
        }
        for (object, difference) in differences(&sequences(&recorded), &sequences(&lines)) {
            let excuse = EXCEPTIONS.iter().position(|(of, pattern, _)| {
                (*of == "*" || *of == scenario.name) && covers(pattern, &object)
            });
            match excuse {
                Some(place) => drop(excused.insert(place)),
                None => found.push(format!("{}: {object}:\n{difference}", scenario.name)),
            }
        }
        stage.clear(&namespace);
    }
    report(&format!("{title}: {} recordings were played again", scenarios.len()));
    assert!(found.is_empty(), "{} differences on {title}:\n\n{}", found.len(), found.join("\n\n"));
    if chosen.is_empty() {
        let idle: Vec<_> =
            EXCEPTIONS.iter().enumerate().filter(|(place, _)| !excused.contains(place)).collect();
        assert!(idle.is_empty(), "no longer different on {title}: {idle:?}");
    }
}

/// What a pattern with at most one `*` at its end covers.
fn covers(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix("**") {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}

/// Where two runs differ, beside of what comes and goes with chance.
fn differences(recorded: &Sequences, played: &Sequences) -> Vec<(String, String)> {
    let keys: BTreeSet<&String> = recorded.keys().chain(played.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let steady = |all: &Sequences| {
            let there = all.get(key).map(Vec::as_slice).unwrap_or_default();
            let mut kept: Vec<String> = Vec::new();
            for state in there.iter().filter(|state| !is_passing(key, state)) {
                if kept.last() != Some(state) {
                    kept.push((*state).clone());
                }
            }
            kept
        };
        let (before, now) = (steady(recorded), steady(played));
        if before != now {
            let list =
                |states: &[String]| states.iter().map(|one| format!("      {one}\n")).collect::<String>();
            found.push((key.clone(), format!("    recorded:\n{}    played:\n{}", list(&before), list(&now))));
        }
    }
    found
}

fn is_passing(object: &str, state: &str) -> bool {
    PASSING.iter().any(|(of, pattern, _)| covers(of, object) && covers(pattern, state))
}

/// For those who want to look at a run: the lines as in the recordings.
fn write_down(folder: &str, name: &str, lines: &[sequence::Line]) {
    let text: String = lines
        .iter()
        .map(|line| {
            let object = serde_json::json!({"t": 0.0, "resource": line.resource, "type": line.event, "object": line.object});
            format!("{object}\n")
        })
        .collect();
    std::fs::write(std::path::Path::new(folder).join(format!("{name}.ndjson")), text).expect("a file");
}
