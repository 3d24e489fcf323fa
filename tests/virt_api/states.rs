//! Every answer of KubeVirt's virt-api that was asked for, asked again.

use serde_json::{Value, json};

use super::ask::{Reply, verb};
use super::rows::{ROWS, Row, State, Told, conflicts, has_volume, objects, plug, was_raced};
use crate::support::suite::{Case, Env};

const HANDSHAKE: &str = "websocket: the client is not using the websocket protocol: 'upgrade' token not found in \
                         'Connection' header";

pub(super) const CASES: &[Case] = &[("states: every answer is that of KubeVirt", |env| {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": env.namespace}});
    env.cluster.create(node.clone());
    let asked: Vec<(String, &Row, u16, Told, State)> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(number, row)| {
            row.answers.iter().flat_map(move |(code, told, states)| {
                states.iter().map(move |state| {
                    let name = format!("r{number}-{}", format!("{state:?}").to_lowercase());
                    (name, row, *code, *told, *state)
                })
            })
        })
        .collect();
    let there = asked.iter().flat_map(|(name, row, _, _, state)| made(env, name, row, *state));
    env.cluster.create_many(there.collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (name, row, code, told, state) in &asked {
        let reply = verb(&env.cluster, &env.namespace, &row.request.replace("NAME", name), row.body);
        if !fits(row, *code, *told, *state, name, &reply) {
            wrong.push(format!(
                "{} {} {state:?}: {reply:?} instead of {code} {told:?}",
                row.request, row.body
            ));
        }
    }
    env.cluster.delete(&node);
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), asked.len(), wrong.join("\n"));
})];

fn made(env: &Env, name: &str, row: &Row, state: State) -> Vec<Value> {
    let mut all = objects(state, &env.namespace, name, &env.namespace);
    if let (true, Some(machine)) = (has_volume(row, state), &mut all[0]) {
        plug(machine);
    }
    all.into_iter().flatten().collect()
}

fn fits(row: &Row, code: u16, told: Told, state: State, name: &str, reply: &Reply) -> bool {
    let told_so = |text: &str| conflicts(text, name).contains(&reply.message());
    // Nobody writes at the same time here; what a race leads to is seen in the tests of the decision.
    if was_raced(row, state) {
        return reply.code == 202;
    }
    match told {
        Told::Status(reason, text) => {
            reply.code == code
                && reply.json()["kind"] == "Status"
                && reply.reason() == reason
                && told_so(text)
        }
        Told::Text(text) => reply.code == code && reply.json().is_null() && told_so(text),
        Told::Nothing => reply.code == code && reply.text.is_empty(),
        Told::Machine => reply.code == 200 && reply.json()["metadata"]["name"] == name,
        Told::Guest if row.request.ends_with("/console") || row.request.ends_with("/vnc") => {
            reply.code == 400 && reply.reason() == "BadRequest" && told_so(HANDSHAKE)
        }
        Told::Guest if row.request.starts_with("GET ") => reply.code == 200 && reply.json().is_object(),
        Told::Guest => reply.code == 200 && reply.text.is_empty(),
    }
}
