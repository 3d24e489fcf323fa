//! The embedded server beside a real one: the same requests go to both, and what a client can see of the answers must be
//! the same, once names, numbers and times are made comparable. What differs on purpose stands in one table with its reason.

mod fields;
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

/// What differs on purpose: in which stories and requests (the beginning of their names), where in the answer (a path
/// with `*` for one part and `**` for any number), and why.
type Difference = (&'static str, &'static str, &'static str);

const ON_PURPOSE: &[Difference] = &[
    (
        "reads: objects and lists: a broken selector",
        "/body/message",
        "where a selector breaks is said in other words",
    ),
    (
        "watches: what is there: a broken selector",
        "/body/*/message",
        "where a selector breaks is said in other words",
    ),
    ("reads: objects and lists: a format", "/body/message", "it serves JSON only, and says so"),
    (
        "fields: that are not known: in a merge",
        "/body/**",
        "the object that is quoted has its times, and its fields in another order",
    ),
    (
        "fields: that are not known: in a machine's merge",
        "/body/**",
        "the object that is quoted has its times, and its fields in another order",
    ),
    (
        "fields: of the wrong type: its network",
        "/body/**",
        "the object that is quoted has its times, and its fields in another order",
    ),
    ("fields: of the wrong type: its seconds", "/body/**", "of a strategic merge it is said as of any other"),
    (
        "rights: what is asked about",
        "/body/metadata/managedFields",
        "nobody asks who has set the fields of what is not stored",
    ),
    (
        "merges: strategic: its state",
        "/body/metadata/managedFields/*/fieldsV1/f:status/**",
        "times that nobody gave and the first of the addresses are not made up",
    ),
    ("tables: built-in kinds", "/body/**/fieldsV1/f:status/f:podIPs", "the list of addresses is not made up"),
    (
        "merges: strategic: its state",
        "/body/status/**",
        "times that nobody gave and the first of the addresses are not made up",
    ),
    ("reads: pages: a token", "/body/message", "its tokens are not those of etcd"),
    ("reads: versions of the server: a version of the core", "/body/**", "it has a part of the kinds"),
    ("tables", "/body/columnDefinitions/*/description", "descriptions are its own"),
    ("watches", "/body/0/object/columnDefinitions/*/description", "descriptions are its own"),
    ("tables: built-in kinds", "/body/**/finalizers", "nobody would take the finalizer of claims away"),
    (
        "tables: built-in kinds: its status",
        "/body/status/**",
        "times that nobody gave and the list of addresses are not made up",
    ),
    (
        "tables: built-in kinds: roles",
        "/body/rows",
        "an empty list of rows is null there, by an oversight of one printer",
    ),
    ("deletes: pods: its log", "/**", "a node that is not there is not looked for"),
    ("scales: a pool: less than none", "/body/**", "no schema is checked, so one sentence says it"),
    ("writes: creating: without a name", "/body/message", "no schema is checked, so none is left unchecked"),
    (
        "writes: creating: without a name",
        "/body/details/causes",
        "no schema is checked, so none is left unchecked",
    ),
    (
        "writes: creating: a name in the path",
        "/**",
        "what a real server does to custom resources only is an oversight",
    ),
];

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
    let stories = [
        reads::STORIES,
        tables::STORIES,
        watches::STORIES,
        writes::STORIES,
        rights::STORIES,
        fields::STORIES,
    ]
    .concat();
    let stories: Vec<Story> = stories.into_iter().filter(|(name, _)| name.contains(&chosen)).collect();
    let (mut found, mut used, mut requests) = (Vec::new(), vec![false; ON_PURPOSE.len()], 0);
    for (story, steps) in &stories {
        let namespace = format!("alike-{:06x}", fastrand::u32(..1 << 24));
        let [on_real, on_embedded] = users.each_ref().map(|users| play(users, &namespace, &steps()));
        requests += on_real.len();
        for ((what, real), (_, embedded)) in on_real.iter().zip(&on_embedded) {
            for (path, real, embedded) in differences("", real, embedded) {
                let reason = ON_PURPOSE
                    .iter()
                    .position(|(of, at, _)| format!("{story}: {what}").starts_with(of) && covers(at, &path));
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
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern, path) {
            ([], []) => true,
            (["**"], _) => true,
            (["**", rest @ ..], path) => (0..path.len()).any(|from| parts(rest, &path[from..])),
            ([a, pattern @ ..], [b, path @ ..]) => (*a == "*" || a == b) && parts(pattern, path),
            _ => false,
        }
    }
    let split = |text: &'_ str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, path) = (split(pattern), split(path));
    parts(
        &pattern.iter().map(String::as_str).collect::<Vec<_>>(),
        &path.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[test]
fn patterns_cover_paths() {
    assert!(covers("/body/spec/**", "/body/spec/a/b"));
    assert!(covers("/body/items/*/x", "/body/items/3/x"));
    assert!(!covers("/body/items/*", "/body/items/3/x"));
    assert!(!covers("/body/items/*/x", "/body/items/3"));
    assert!(covers("/body/**/finalizers", "/body/rows/0/object/metadata/finalizers"));
}
