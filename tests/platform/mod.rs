//! The simulated platform beside a server: every recording of the real controllers is played again, and what one sees of
//! it must be what one saw of them.

mod exceptions;
mod fleet;
mod scenarios;
mod sequence;
mod stage;

use std::collections::BTreeSet;

use v9s::demo::aggregate::serve_in_place;
use v9s::demo::virt_api::{FrontProxy, VirtApi, register};

use crate::support::apiserver::ApiServer;
use crate::support::cluster::{Cluster, runtime};
use crate::support::crds::Definitions;
use crate::support::embedded::Embedded;
use crate::support::suite::report;

use exceptions::{EXCEPTIONS, PASSING, RACE, SAME, UNKNOWN};
use scenarios::{SCENARIOS, Scenario};
use sequence::{Sequences, sequences};
use stage::{Stage, Witness, recording, recordings};

#[test]
fn recordings_are_played_on_the_embedded_server() {
    let server = Embedded::new();
    let client = server.cluster().client();
    serve_in_place(server.server(), move || Some(VirtApi::new(client.clone())));
    play_all("the embedded server", server.cluster());
}

#[test]
fn recordings_are_played_on_the_real_server() {
    // Its own: a platform plays on everything there is.
    let Some(server) = ApiServer::own() else { return };
    let Definitions::Real(_) = super::cluster::define(server.cluster()) else {
        return report("skipped: a platform needs the real definitions, see V9S_TEST_DATA");
    };
    let client = server.cluster().client();
    let (registration, _aggregated) = runtime()
        .block_on(async {
            let aggregated = VirtApi::new(client.clone()).listen(FrontProxy::of(&client).await?).await?;
            let registration = register(client, aggregated.address.port(), &aggregated.authority).await?;
            registration.available().await?;
            anyhow::Ok((registration, aggregated))
        })
        .expect("KubeVirt's API");
    play_all(&server.title(), server.cluster());
    runtime().block_on(registration.remove()).expect("the end of KubeVirt's API");
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
        for (object, difference) in differences(scenario.name, &sequences(&recorded), &sequences(&lines)) {
            let excuse = EXCEPTIONS.iter().position(|(of, pattern, _)| {
                (*of == "*" || *of == scenario.name) && covers(pattern, &object)
            });
            match excuse {
                Some(place) => drop(excused.insert(place)),
                None => found.push(format!("{}: {object}:\n{difference}", scenario.name)),
            }
        }
        stage.restore();
        stage.clear(&namespace);
    }
    if chosen.is_empty() || "fleet".contains(&chosen) {
        fleet::a_machine_lives_from_its_creation_to_its_end(&stage);
        fleet::every_tenant_is_as_it_should_be(&stage);
    }
    report(&format!("{title}: {} recordings were played again", scenarios.len()));
    assert!(found.is_empty(), "{} differences on {title}:\n\n{}", found.len(), found.join("\n\n"));
    if chosen.is_empty() {
        let idle: Vec<_> = EXCEPTIONS
            .iter()
            .enumerate()
            .filter(|(place, (.., why))| *why != RACE && !excused.contains(place))
            .collect();
        assert!(idle.is_empty(), "no longer different on {title}: {idle:?}");
    }
}

/// Whether a pattern, in which `**` is anything, covers a text.
fn covers(pattern: &str, text: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once("**") else { return pattern == text };
    let Some(left) = text.strip_prefix(beginning) else { return false };
    (0..=left.len()).filter(|place| left.is_char_boundary(*place)).any(|place| covers(rest, &left[place..]))
}

#[test]
fn patterns_cover_texts() {
    for (pattern, text, covered) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a**", "ab", true),
        ("**b", "ab", true),
        ("**b**d", "abcd", true),
        ("**b**d", "abc", false),
        ("**", "", true),
    ] {
        assert_eq!(covers(pattern, text), covered, "{pattern} {text}");
    }
}

/// Where two runs differ, beside of what comes and goes with chance.
fn differences(name: &str, recorded: &Sequences, played: &Sequences) -> Vec<(String, String)> {
    let unknown = UNKNOWN.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, conditions)| conditions);
    let keys: BTreeSet<&String> = recorded.keys().chain(played.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let steady = |all: &Sequences| {
            let there = all.get(key).map(Vec::as_slice).unwrap_or_default();
            let mut kept: Vec<String> = Vec::new();
            for state in
                there.iter().map(|state| as_usual(key, state)).filter(|state| !is_passing(key, state))
            {
                let known =
                    state.split(' ').filter(|word| !unknown.contains(word)).collect::<Vec<_>>().join(" ");
                if kept.last() != Some(&known) {
                    kept.push(known);
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

fn as_usual<'a>(object: &str, state: &'a str) -> &'a str {
    let same = SAME.iter().find(|(of, from, ..)| covers(of, object) && *from == state);
    same.map_or(state, |(_, _, to, _)| to)
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
