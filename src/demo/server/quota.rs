//! ResourceQuotas: what a namespace may have of pods and of storage, and what it has.
//!
//! Counts and storage are enforced, and what pods ask for; quotas with scopes are left alone. In a cluster a controller keeps
//! `status.used` up to date a moment later; here it is done with the change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::garbage::Transaction;
use super::kinds::Kind;
use super::refusal::Refusal;
use super::storage::{Key, State};
use crate::model::{parse_bytes, parse_millis};

/// Amounts by resource as quotas name it: processors in thousandths, everything else in whole units.
type Amounts = BTreeMap<String, u64>;

/// A resource, what is asked of it, what is used, and the limit as it was written.
type Exceeded<'a> = (&'a String, u64, u64, String);

const CLASS: &str = "storageclass.storage.k8s.io";

/// Whether a kind's objects are counted.
pub(crate) fn is_counted(kind: Kind) -> bool {
    let row = kind.row();
    row.group.is_empty() && matches!(row.plural, "pods" | "persistentvolumeclaims" | "resourcequotas")
}

fn text(quantity: &Value) -> String {
    match quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn amount(resource: &str, quantity: &Value) -> u64 {
    if resource.ends_with("cpu") {
        parse_millis(&text(quantity)).unwrap_or_default().into()
    } else {
        parse_bytes(&text(quantity)).unwrap_or_default()
    }
}

/// What an object takes of its namespace's quotas.
fn taken(kind: Kind, object: &Value) -> Amounts {
    let mut taken = Amounts::new();
    let mut add = |resource: String, amount: u64| *taken.entry(resource).or_default() += amount;
    let over = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    match kind.row().plural {
        "persistentvolumeclaims" => {
            let storage = amount("", &object["spec"]["resources"]["requests"]["storage"]);
            add("persistentvolumeclaims".to_owned(), 1);
            add("count/persistentvolumeclaims".to_owned(), 1);
            add("requests.storage".to_owned(), storage);
            if let Some(class) = object["spec"]["storageClassName"].as_str() {
                add(format!("{class}.{CLASS}/persistentvolumeclaims"), 1);
                add(format!("{class}.{CLASS}/requests.storage"), storage);
            }
        }
        "pods" => {
            add("count/pods".to_owned(), 1);
            if over {
                return taken;
            }
            add("pods".to_owned(), 1);
            let containers = object["spec"]["containers"].as_array().into_iter().flatten();
            for container in containers {
                for part in ["requests", "limits"] {
                    for (name, quantity) in container["resources"][part].as_object().into_iter().flatten() {
                        let resource = format!("{part}.{name}");
                        let amount = amount(&resource, quantity);
                        if part == "requests" && matches!(name.as_str(), "cpu" | "memory") {
                            add(name.clone(), amount);
                        }
                        add(resource, amount);
                    }
                }
            }
        }
        _ => {}
    }
    taken
}

/// Everything that the objects of a namespace take.
fn used(state: &State, namespace: &str) -> Amounts {
    let mut used = Amounts::new();
    for plural in ["pods", "persistentvolumeclaims"] {
        let Some(kind) = Kind::of_plural("", plural) else { continue };
        for object in state.list(kind, Some(namespace), None, None).into_iter().flatten() {
            for (resource, amount) in taken(kind, &object.value(kind.stored_version())) {
                *used.entry(resource).or_default() += amount;
            }
        }
    }
    used
}

/// The quotas of a namespace, without those that hold for some objects only.
fn quotas(state: &State, namespace: &str) -> Vec<(Key, Value)> {
    let Some(kind) = Kind::of_plural("", "resourcequotas") else { return Vec::new() };
    let all = state.list(kind, Some(namespace), None, None).into_iter().flatten();
    let all = all.map(|stored| (stored.key.clone(), stored.value(kind.stored_version())));
    all.filter(|(_, quota)| {
        quota["spec"]["scopes"].as_array().is_none_or(Vec::is_empty)
            && quota["spec"]["scopeSelector"].is_null()
    })
    .collect()
}

/// An amount as a quantity.
fn written(resource: &str, amount: u64) -> String {
    if resource.ends_with("cpu") && !amount.is_multiple_of(1000) {
        return format!("{amount}m");
    }
    if resource.ends_with("cpu") {
        return (amount / 1000).to_string();
    }
    amount.to_string()
}

/// Refuses an object for which a namespace has no room.
pub(crate) fn admit(
    transaction: &Transaction<'_>,
    kind: Kind,
    namespace: &str,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), Refusal> {
    if !is_counted(kind) || namespace.is_empty() {
        return Ok(());
    }
    let quotas = quotas(transaction.state, namespace);
    if quotas.is_empty() {
        return Ok(());
    }
    let before = old.map(|old| taken(kind, old)).unwrap_or_default();
    let more: Amounts = taken(kind, object)
        .into_iter()
        .map(|(resource, amount)| {
            let had = before.get(&resource).copied().unwrap_or_default();
            (resource, amount.saturating_sub(had))
        })
        .filter(|(_, amount)| *amount > 0)
        .collect();
    let used = used(transaction.state, namespace);
    for (key, quota) in quotas {
        let mut exceeded: Vec<Exceeded<'_>> = Vec::new();
        for (resource, hard) in quota["spec"]["hard"].as_object().into_iter().flatten() {
            let Some(wanted) = more.get(resource).copied() else { continue };
            let has = used.get(resource).copied().unwrap_or_default();
            if has.saturating_add(wanted) > amount(resource, hard) {
                exceeded.push((resource, wanted, has, text(hard)));
            }
        }
        if exceeded.is_empty() {
            continue;
        }
        exceeded.sort_unstable();
        let list = |value: fn(&Exceeded<'_>) -> String| {
            let all: Vec<String> = exceeded.iter().map(|one| format!("{}={}", one.0, value(one))).collect();
            all.join(",")
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let plural = kind.row().plural;
        let message = format!(
            "{plural} {name:?} is forbidden: exceeded quota: {}, requested: {}, used: {}, limited: {}",
            key.name,
            list(|one| written(one.0, one.1)),
            list(|one| written(one.0, one.2)),
            list(|one| one.3.clone()),
        );
        return Err(Refusal::forbidden(message, json!({"name": name, "kind": plural})));
    }
    Ok(())
}

/// Writes down what the objects of a namespace take of its quotas.
pub(crate) fn note(transaction: &mut Transaction<'_>, namespace: &str) {
    let quotas = quotas(transaction.state, namespace);
    let Some(kind) = Kind::of_plural("", "resourcequotas").filter(|_| !quotas.is_empty()) else { return };
    let used = used(transaction.state, namespace);
    for (key, before) in quotas {
        let hard = before["spec"]["hard"].clone();
        let of_it: serde_json::Map<String, Value> = hard
            .as_object()
            .into_iter()
            .flatten()
            .map(|(resource, _)| {
                let amount = used.get(resource).copied().unwrap_or_default();
                (resource.clone(), written(resource, amount).into())
            })
            .collect();
        let status = json!({"hard": hard, "used": of_it});
        if before["status"] != status {
            let mut object = before.clone();
            object["status"] = status;
            transaction.put(kind, key, object, Some(&before));
        }
    }
}
