//! Deleting objects.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Server;
use super::decode::parse_error;
use super::garbage::{FOREGROUND, ORPHAN, drop_finalizer, has_finalizer, is_ending, is_namespace};
use super::http::{Answer, Call};
use super::kinds::Kind;
use super::meta;
use super::read;
use super::refusal::Refusal;
use super::rules;
use super::selector::Selection;
use super::write::dry_run;

/// Namespaces that every cluster needs.
const KEPT: [&str; 3] = ["default", "kube-system", "kube-public"];

/// What becomes of the objects that an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// How an object is to be deleted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Seconds that it has to end.
    pub(crate) grace: Option<i64>,
    pub(crate) policy: Option<Policy>,
    /// What its UID has to be.
    pub(crate) uid: Option<String>,
    /// What its version has to be.
    pub(crate) resource_version: Option<String>,
    pub(crate) dry_run: bool,
}

impl Options {
    /// The options of a request: its body, or else its parameters.
    fn of(call: &Call) -> Result<Self, Refusal> {
        if call.body.is_empty() {
            return Self::of_query(call);
        }
        if !matches!(call.content_type.as_str(), "" | "application/json") {
            let why = "The embedded server reads JSON; other formats it leaves to a real one.";
            return Err(Refusal::unsupported_media_type(why));
        }
        let body: Value = serde_json::from_slice(&call.body).map_err(|why| {
            let why = parse_error(&why);
            Refusal::bad_request(format!("couldn't get version/kind; json parse error: {why}"))
        })?;
        let kind = body["kind"].as_str().unwrap_or("DeleteOptions");
        if kind != "DeleteOptions" {
            let version = body["apiVersion"].as_str().unwrap_or_default();
            return Err(Refusal::bad_request(format!(
                "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
            )));
        }
        Self::of_value(&body)
    }

    fn of_query(call: &Call) -> Result<Self, Refusal> {
        let grace = match call.query.get("gracePeriodSeconds") {
            None => Value::Null,
            Some(text) => {
                let wrong =
                    |_| Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
                Value::from(text.parse::<i64>().map_err(wrong)?)
            }
        };
        let mut body = json!({"gracePeriodSeconds": grace});
        if let Some(policy) = call.query.get("propagationPolicy") {
            body["propagationPolicy"] = policy.into();
        }
        if call.query.get("orphanDependents").is_some() {
            body["orphanDependents"] = call.query.flag("orphanDependents").into();
        }
        let mut options = Self::of_value(&body)?;
        options.dry_run = dry_run(call, "DeleteOptions")?;
        Ok(options)
    }

    /// `DeleteOptions`
    pub(crate) fn of_value(body: &Value) -> Result<Self, Refusal> {
        let invalid = |reason: &'static str, field: &str, why: String| {
            Refusal::invalid_named("meta.k8s.io", "DeleteOptions", "", &[(reason, field, why)])
        };
        let grace = match &body["gracePeriodSeconds"] {
            Value::Null => None,
            value => Some(value.as_i64().ok_or_else(|| {
                Refusal::bad_request(
                    "json: cannot unmarshal gracePeriodSeconds into Go struct field \
                     DeleteOptions.gracePeriodSeconds of type int64",
                )
            })?),
        };
        let orphan = body["orphanDependents"].as_bool();
        let policy = match (body["propagationPolicy"].as_str(), orphan) {
            (Some(policy), Some(_)) => {
                let why = format!(
                    "Invalid value: {policy:?}: orphanDependents and deletionPropagation cannot be both set"
                );
                return Err(invalid("FieldValueInvalid", "propagationPolicy", why));
            }
            (None, None) => None,
            (Some("Background"), _) | (None, Some(false)) => Some(Policy::Background),
            (Some("Foreground"), _) => Some(Policy::Foreground),
            (Some("Orphan"), _) | (None, Some(true)) => Some(Policy::Orphan),
            (Some(other), _) => {
                let why = format!(
                    "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
                );
                return Err(invalid("FieldValueNotSupported", "propagationPolicy", why));
            }
        };
        let wanted = |field: &str| body["preconditions"][field].as_str().map(str::to_owned);
        let dry_run = match body["dryRun"].as_array().map(Vec::as_slice) {
            None | Some([]) => false,
            Some(all) if all.iter().all(|one| one == "All") => true,
            Some(_) => {
                let why = format!("Unsupported value: {}: supported values: \"All\"", body["dryRun"]);
                return Err(invalid("FieldValueNotSupported", "dryRun", why));
            }
        };
        Ok(Self { grace, policy, uid: wanted("uid"), resource_version: wanted("resourceVersion"), dry_run })
    }

    /// Whether an object is the one that is meant.
    pub(crate) fn check(&self, kind: Kind, object: &Value) -> Result<(), Refusal> {
        let metadata = &object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let conflict = |why: &str| {
            let (name, of) = (text("name"), kind.qualified_kind());
            let mut details = kind.details(name);
            details["kind"] = kind.row().kind.into();
            let message = format!("Operation cannot be fulfilled on {of} {name:?}: {why}");
            Refusal::new(StatusCode::CONFLICT, "Conflict", message).with(details)
        };
        if let Some(uid) = self.uid.as_deref().filter(|uid| *uid != text("uid")) {
            let record = text("uid");
            return Err(conflict(&format!(
                "the UID in the precondition ({uid}) does not match the UID in record ({record}). The object might \
                 have been deleted and then recreated"
            )));
        }
        if let Some(version) = self.resource_version.as_deref().filter(|one| *one != text("resourceVersion"))
        {
            let record = text("resourceVersion");
            return Err(conflict(&format!(
                "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record \
                 ({record}). The object might have been modified"
            )));
        }
        Ok(())
    }
}

/// What a deletion comes to.
pub(crate) enum Plan {
    /// It has begun already, and this one does not change it.
    Nothing,
    /// The object stays for now, like this.
    Mark(Value),
    /// The object goes; its last state.
    Remove(Value),
}

/// What becomes of an object that is deleted.
pub(crate) fn plan(kind: Kind, object: &Value, options: &Options, now: Timestamp) -> Plan {
    let mut after = object.clone();
    let ending = is_ending(object);
    if is_namespace(kind) {
        if ending {
            return Plan::Nothing;
        }
        after["metadata"]["deletionTimestamp"] = meta::time(now).into();
        rules::edit(&mut after, "status", |status| {
            status.insert("phase".into(), "Terminating".into());
        });
        return Plan::Mark(after);
    }
    if let Some(policy) = options.policy {
        for (name, wanted) in [(FOREGROUND, Policy::Foreground), (ORPHAN, Policy::Orphan)] {
            drop_finalizer(&mut after, name);
            if policy == wanted {
                rules::edit(&mut after, "metadata", |metadata| {
                    let list = metadata.entry("finalizers").or_insert_with(|| json!([]));
                    if let Some(list) = list.as_array_mut() {
                        list.push(name.into());
                    }
                });
            }
        }
        let same = [FOREGROUND, ORPHAN]
            .iter()
            .all(|name| has_finalizer(object, name) == has_finalizer(&after, name));
        if same {
            after["metadata"] = object["metadata"].clone();
        }
    }
    let is_pod = kind.row().group.is_empty() && kind.row().plural == "pods";
    let grace = if is_pod { grace_of_pod(object, options) } else { 0 };
    let had = object["metadata"]["deletionGracePeriodSeconds"].as_i64();
    // A second deletion may shorten the time, and never makes it longer.
    let shorter = match had {
        Some(had) if ending => options.grace.is_some() && grace < had,
        _ => true,
    };
    if shorter {
        let from = match (ending, had) {
            (true, Some(had)) => {
                let end = object["metadata"]["deletionTimestamp"].as_str().and_then(|text| text.parse().ok());
                end.map_or(now, |end: Timestamp| {
                    end.saturating_sub(SignedDuration::from_secs(had)).unwrap_or(now)
                })
            }
            _ => now,
        };
        let end = from.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(now);
        let metadata = &mut after["metadata"];
        metadata["deletionTimestamp"] = meta::time(end).into();
        metadata["deletionGracePeriodSeconds"] = grace.into();
        if !ending && let Some(generation) = metadata["generation"].as_i64() {
            metadata["generation"] = (generation + 1).into();
        }
    }
    let free = after["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty);
    let over = after["metadata"]["deletionGracePeriodSeconds"] == 0;
    if free && over {
        // Only of pods is it seen that they were being deleted.
        return Plan::Remove(if is_pod || ending { after } else { object.clone() });
    }
    if after == *object { Plan::Nothing } else { Plan::Mark(after) }
}

/// Seconds that a pod has to end: none if no node runs it.
fn grace_of_pod(pod: &Value, options: &Options) -> i64 {
    let scheduled = pod["spec"]["nodeName"].as_str().is_some_and(|node| !node.is_empty());
    if !scheduled || matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) {
        return 0;
    }
    let asked = options.grace.or_else(|| pod["spec"]["terminationGracePeriodSeconds"].as_i64()).unwrap_or(30);
    if asked < 0 { 1 } else { asked }
}

/// One object.
pub(crate) fn one(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let options = Options::of(call)?;
    let key = read::key_of(&call.target);
    if is_namespace(kind) && KEPT.contains(&key.name.as_str()) {
        let name = &key.name;
        let message = format!("namespaces {name:?} is forbidden: this namespace may not be deleted");
        return Err(Refusal::forbidden(message, kind.details(name)));
    }
    let (object, gone) = server.transact(|transaction| {
        let found = transaction.get(kind, &key);
        let (stored, object) = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        options.check(kind, &object)?;
        if !options.dry_run {
            return Ok(transaction.delete(&stored, &options));
        }
        Ok(match plan(kind, &object, &options, transaction.now) {
            Plan::Nothing => (stored, false),
            Plan::Mark(object) => (stored.with(object), false),
            Plan::Remove(object) => (stored.with(object), true),
        })
    })?;
    if gone && !rules::returned_when_deleted(kind) {
        let mut details = kind.details(&key.name);
        details["uid"] = object.value(kind.stored_version())["metadata"]["uid"].clone();
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
        });
        return Ok(Answer::json(StatusCode::OK, &status));
    }
    Ok(read::one(call, StatusCode::OK, &object))
}

/// All objects that a selector chooses; the answer is the list of them as they were.
pub(crate) fn collection(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    if is_namespace(kind) || kind.row().namespaced && call.target.namespace.is_none() {
        return Err(Refusal::method_not_allowed());
    }
    let options = Options::of(call)?;
    let selection = Selection::parse(&call.query, &call.target)?;
    let (objects, version) = server.transact(|transaction| {
        let all = transaction.state.list(kind, call.target.namespace.as_deref(), None, None);
        let chosen: Vec<_> = all.into_iter().flatten().filter(|object| selection.has(object)).collect();
        if !options.dry_run {
            for object in &chosen {
                transaction.delete(object, &options);
            }
        }
        (chosen, transaction.state.newest())
    });
    Ok(read::of_objects(call, objects, version))
}

#[cfg(test)]
mod tests;
