//! What can be done to an object beside reading and writing it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Server;
use super::admission;
use super::decode;
use super::delete::Options;
use super::garbage::is_ending;
use super::http::{Answer, Call};
use super::kinds::Scale;
use super::managed::Author;
use super::meta;
use super::patch::Change;
use super::read;
use super::refusal::Refusal;
use super::schema;
use super::selector::text_at;
use super::write::{self, Part, Write, check_uid, dry_run};

/// A request to a sub-resource.
pub(crate) fn answer(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let row = kind.row();
    let name = call.target.subresource.as_deref().unwrap_or_default();
    match (name, &row.scale) {
        ("status", _) if row.status => return status(server, call),
        ("scale", Some(paths)) => return scale(server, call, paths),
        _ => {}
    }
    match (row.group, row.plural, name, &call.method) {
        ("", "pods", "binding", &Method::POST) => binding(server, call),
        ("", "pods", "eviction", &Method::POST) => eviction(server, call),
        ("", "pods", "log", &Method::GET | &Method::HEAD) => super::logs::answer(server, call),
        ("", "namespaces", "finalize", &Method::PUT) => write::update_part(server, call, Part::Finalizers),
        ("", "pods", "binding" | "eviction" | "log", _) | ("", "namespaces", "finalize", _) => {
            Err(Refusal::method_not_allowed())
        }
        _ if row.builtin => Err(Refusal::no_such_path()),
        _ => Err(Refusal::not_found(kind, call.target.name.as_deref().unwrap_or_default())),
    }
}

/// Refuses a verb; custom resources say it in words of their own.
fn refuse_method(call: &Call) -> Refusal {
    let kind = call.target.kind;
    let verb = match call.method {
        Method::POST => "create",
        Method::DELETE => "delete",
        _ => return Refusal::method_not_allowed(),
    };
    if kind.row().builtin {
        return Refusal::method_not_allowed();
    }
    let message = format!("{verb} is not supported on resources of kind {:?}", kind.qualified());
    let details = json!({"group": kind.row().group, "kind": kind.row().plural});
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with(details)
}

fn status(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    match call.method {
        Method::GET | Method::HEAD => read::get(server, call),
        Method::PUT => write::update_part(server, call, Part::Status),
        Method::PATCH => write::patch_part(server, call, Part::Status),
        _ => Err(refuse_method(call)),
    }
}

/// The object behind a `Scale`, as one.
fn scale_of(object: &Value, paths: &Scale) -> Value {
    let at = |path: &str| path.split('.').try_fold(object, |value, part| value.get(part));
    let number = |path: &str| at(path).and_then(Value::as_i64).unwrap_or_default();
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if !object["metadata"][field].is_null() {
            metadata[field] = object["metadata"][field].clone();
        }
    }
    let mut scale = json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": {},
        "status": {"replicas": number(paths.status_replicas)},
    });
    if number(paths.spec_replicas) != 0 {
        scale["spec"]["replicas"] = number(paths.spec_replicas).into();
    }
    let selector = match at(paths.selector) {
        Some(selector @ Value::Object(_)) => selector_text(selector),
        _ => text_at(object, paths.selector),
    };
    if !selector.is_empty() {
        scale["status"]["selector"] = selector.into();
    }
    scale
}

/// A `LabelSelector` as text.
fn selector_text(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut terms: Vec<String> =
        labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    for term in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = term["key"].as_str().unwrap_or_default();
        let values: Vec<&str> =
            term["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        terms.push(match term["operator"].as_str() {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    terms.join(",")
}

fn scale(server: &Server, call: &Call, paths: &Scale) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let key = read::key_of(&call.target);
    let missing = || Refusal::not_found(kind, &key.name);
    let (dry_run, body, change) = match call.method {
        Method::GET | Method::HEAD => (true, None, None),
        Method::PUT => (dry_run(call, "UpdateOptions")?, Some(decode::other(call, "Scale")?), None),
        Method::PATCH => (dry_run(call, "PatchOptions")?, None, Some(Change::of(call)?)),
        _ => return Err(refuse_method(call)),
    };
    let stored = server.transact_as(&call.user, |transaction| {
        let (stored, before) = transaction.get(kind, &key).ok_or_else(missing)?;
        let wanted = match (body, change) {
            (Some(body), _) => body,
            (None, Some(change)) => {
                let mut scale = scale_of(&before, paths);
                change.apply(&mut scale, &schema::whole("Scale"))?;
                scale
            }
            (None, None) => return Ok(stored),
        };
        write::check_name(call, &wanted)?;
        check_uid(kind, &key, &wanted, &before)?;
        let replicas = match &wanted["spec"]["replicas"] {
            Value::Null => 0,
            value => value.as_i64().ok_or_else(|| {
                let is = decode::type_name(value);
                Refusal::invalid_named(
                    "",
                    "",
                    "",
                    &[(
                        "FieldValueInvalid",
                        "patch",
                        format!(
                            "Invalid value: {:?}: json: cannot unmarshal {is} into Go struct field \
                         ScaleSpec.spec.replicas of type int32",
                            wanted.to_string()
                        ),
                    )],
                )
            })?,
        };
        if replicas < 0 && kind.row().builtin {
            let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
            let cause = [("FieldValueInvalid", "spec.replicas", why)];
            return Err(Refusal::invalid_named("autoscaling", "Scale", &key.name, &cause));
        }
        if replicas < 0 {
            let why = format!("Invalid value: {replicas}: should be a non-negative integer");
            let field = format!(".{}", paths.spec_replicas);
            return Err(Refusal::invalid(kind, &key.name, &[("FieldValueInvalid", &field, why)]));
        }
        let mut object = before.clone();
        set_at(&mut object, paths.spec_replicas, replicas.into());
        if let Some(version) = wanted["metadata"]["resourceVersion"].as_str().filter(|text| !text.is_empty())
        {
            object["metadata"]["resourceVersion"] = version.into();
        }
        let author = Author::of(call);
        write::replace(transaction, &stored, &before, object, &Write { part: Part::Main, dry_run, author })
    })?;
    Ok(Answer::json(StatusCode::OK, &scale_of(&stored.value(call.target.version), paths)))
}

fn set_at(object: &mut Value, path: &str, value: Value) {
    let mut place = object;
    for part in path.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[part];
    }
    *place = value;
}

fn created() -> Answer {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    Answer::json(StatusCode::CREATED, &status)
}

/// The body of a request about a pod, which has to name it.
fn about_pod(call: &Call, wanted: &str) -> Result<Value, Refusal> {
    let body = decode::other(call, wanted)?;
    if body["metadata"]["name"].as_str() != call.target.name.as_deref() {
        return Err(Refusal::bad_request(format!("name in URL does not match name in {wanted} object")));
    }
    Ok(body)
}

/// A node for a pod.
fn binding(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let dry_run = dry_run(call, "CreateOptions")?;
    let binding = about_pod(call, "Binding")?;
    let target = |field: &str| binding["target"][field].as_str().unwrap_or_default();
    if !matches!(target("kind"), "" | "Node") {
        let of = target("kind");
        let why = format!("target.kind: Unsupported value: {of:?}: supported values: \"Node\", \"<empty>\"");
        return Err(Refusal::internal(why));
    }
    if target("name").is_empty() {
        return Err(Refusal::internal("target.name: Required value"));
    }
    let key = read::key_of(&call.target);
    server.transact(|transaction| {
        let found = transaction.get(kind, &key);
        let (_, before) = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        check_uid(kind, &key, &binding, &before)?;
        let name = &key.name;
        let conflict = |why: String| {
            let message = format!("Operation cannot be fulfilled on pods/binding {name:?}: {why}");
            let details = json!({"name": name.as_str(), "kind": "pods/binding"});
            Err(Refusal::new(StatusCode::CONFLICT, "Conflict", message).with(details))
        };
        if is_ending(&before) {
            return conflict(format!("pod {name} is being deleted, cannot be assigned to a host"));
        }
        if let Some(node) = before["spec"]["nodeName"].as_str().filter(|node| !node.is_empty()) {
            return conflict(format!("pod {name} is already assigned to node {node:?}"));
        }
        let mut pod = before.clone();
        set_at(&mut pod, "spec.nodeName", target("name").into());
        let annotations = binding["metadata"]["annotations"].as_object().into_iter().flatten();
        for (key, value) in annotations.filter(|(_, value)| value.is_string()) {
            super::rules::edit(&mut pod["metadata"], "annotations", |all| {
                all.insert(key.clone(), value.clone());
            });
        }
        let condition = json!({
            "type": "PodScheduled", "status": "True", "lastProbeTime": null,
            "lastTransitionTime": meta::time(transaction.now),
        });
        super::rules::edit(&mut pod, "status", |status| {
            let conditions = status.entry("conditions").or_insert_with(|| json!([]));
            let Some(list) = conditions.as_array_mut() else { return };
            list.retain(|one| one["type"] != "PodScheduled");
            list.push(condition);
        });
        if !dry_run {
            transaction.put(kind, key.clone(), pod, Some(&before));
        }
        Ok(())
    })?;
    Ok(created())
}

/// A pod is to leave its node, unless a webhook keeps it; there are no budgets here.
fn eviction(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let dry_run = dry_run(call, "CreateOptions")?;
    let eviction = about_pod(call, "Eviction")?;
    let options = Options::of_value(&eviction["deleteOptions"])?;
    let key = read::key_of(&call.target);
    let dry_run = dry_run || options.dry_run;
    server.transact_as(&call.user, |transaction| {
        let found = transaction.get(kind, &key);
        let (stored, pod) = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        options.check(kind, &pod)?;
        admission::evict(transaction, kind, &key.namespace, &pod, dry_run)?;
        if !dry_run {
            transaction.delete(&stored, &options);
        }
        Ok(())
    })?;
    Ok(created())
}

#[cfg(test)]
mod tests;
