//! The embedded server beside a real one: the same requests go to both, and what a client can see of the answers must be
//! the same, once names, numbers and times are made comparable. What differs on purpose stands in one table with its reason.

mod normal;
mod reads;
mod rights;
mod step;
mod tables;
mod watches;
mod writes;

use serde_json::Value;

use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::crds::Definitions;
use crate::support::embedded::Embedded;
use crate::support::suite::report;

use normal::Names;
use step::{Step, Users};

/// A story: requests that follow one another in a namespace of their own, and what is to be said of them.
type Story = (&'static str, fn() -> Vec<Step>);

/// What differs on purpose: in which stories (by the beginning of their names; none: in all), where in the answer (a path
/// with `*` for one part and `**` at its end for everything below), and why.
type Difference = (&'static str, &'static str, &'static str);

const ON_PURPOSE: &[Difference] = &[];

#[test]
fn both_servers_answer_alike() {
    let Some(real) = ApiServer::shared() else { return };
    let Definitions::Real(_) = super::cluster::define(real.cluster()) else {
        return report(
            "skipped: the comparison of both servers needs the real definitions, see V9S_TEST_DATA",
        );
    };
    let embedded = Embedded::new();
    let users = [Users::new(|name| real.kubeconfig(name)), Users::new(|name| embedded.kubeconfig(name))];
    let chosen = std::env::var("V9S_CASE").unwrap_or_default();
    let stories =
        [reads::STORIES, tables::STORIES, watches::STORIES, writes::STORIES, rights::STORIES].concat();
    let stories: Vec<Story> = stories.into_iter().filter(|(name, _)| name.contains(&chosen)).collect();
    let (mut found, mut used, mut requests) = (Vec::new(), vec![false; ON_PURPOSE.len()], 0);
    for (story, steps) in &stories {
        let namespace = format!("alike-{:06x}", fastrand::u32(..1 << 24));
        let [on_real, on_embedded] = users.each_ref().map(|users| play(users, &namespace, &steps()));
        requests += on_real.len();
        for ((what, real), (_, embedded)) in on_real.iter().zip(&on_embedded) {
            for (path, real, embedded) in differences("", real, embedded) {
                let reason =
                    ON_PURPOSE.iter().position(|(of, at, _)| story.starts_with(of) && covers(at, &path));
                match reason {
                    Some(place) => used[place] = true,
                    None => found.push(format!(
                        "{story}: {what}: {path}\n    real:     {real}\n    embedded: {embedded}"
                    )),
                }
            }
        }
    }
    report(&format!("both servers: {} stories of {requests} requests compared", stories.len()));
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    let idle: Vec<_> = ON_PURPOSE.iter().zip(&used).filter(|(_, used)| !**used).collect();
    assert!(idle.is_empty() || !chosen.is_empty(), "no longer different: {idle:?}");
}

/// Sends the requests of a story and returns the answers, made comparable.
fn play(users: &Users, namespace: &str, steps: &[Step]) -> Vec<(&'static str, Value)> {
    let cluster: &Cluster = &users.admin;
    cluster.namespace(namespace);
    let mut names = Names::new(namespace);
    let answers = steps.iter().map(|step| (step.what, names.normal(step.send(users, namespace)))).collect();
    cluster.delete_namespace(namespace);
    answers
}

/// Where two answers differ, and how.
fn differences(path: &str, real: &Value, embedded: &Value) -> Vec<(String, String, String)> {
    let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    match (real, embedded) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let each = keys.into_iter().flat_map(|key| {
                let path = format!("{path}/{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(&path, a, b),
                    (a, b) => {
                        let shown = |value: Option<&Value>| value.map_or("nothing".into(), short);
                        vec![(path, shown(a), shown(b))]
                    }
                }
            });
            each.collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let each = a.iter().zip(b).enumerate();
            each.flat_map(|(n, (a, b))| differences(&format!("{path}/{n}"), a, b)).collect()
        }
        _ if real == embedded => Vec::new(),
        _ => vec![(path.to_owned(), short(real), short(embedded))],
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (Some("**"), _) | (None, None) => return true,
            (Some(a), Some(b)) if a == "*" || a == b => {}
            _ => return false,
        }
    }
}

#[test]
fn patterns_cover_paths() {
    assert!(covers("/body/spec/**", "/body/spec/a/b"));
    assert!(covers("/body/items/*/x", "/body/items/3/x"));
    assert!(!covers("/body/items/*", "/body/items/3/x"));
    assert!(!covers("/body/items/*/x", "/body/items/3"));
}
