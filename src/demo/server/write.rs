//! Creating and changing objects.

use http::StatusCode;
use serde_json::Value;

use super::Server;
use super::admission;
use super::body::Stored;
use super::decode;
use super::expiry;
use super::garbage::{Transaction, is_ending, may_go};
use super::http::{Answer, Call, LONGEST_MANAGER};
use super::kinds::Kind;
use super::managed::{self, Author};
use super::meta;
use super::patch::Change;
use super::quota;
use super::read;
use super::refusal::Refusal;
use super::rules::{self, Causes};
use super::schema;
use super::storage::Key;

/// The characters that made-up names end in, without vowels and what looks alike.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The longest start of a made-up name.
const LONGEST_START: usize = 58;

/// How often another name is made up when the first ones are taken.
const TRIES: usize = 8;

const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

/// What of an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything but the status, where that is written by itself.
    Main,
    Status,
    /// What keeps a namespace.
    Finalizers,
}

/// How an object is written that is there already.
pub(crate) struct Write<'a> {
    pub(crate) part: Part,
    /// Whether nothing is to be stored.
    pub(crate) dry_run: bool,
    pub(crate) author: Author<'a>,
}

/// Whether nothing is to be stored. `options` is the name of the parameters' type.
pub(crate) fn dry_run(call: &Call, options: &str) -> Result<bool, Refusal> {
    let asked: Vec<&str> = call.query.all("dryRun").filter(|text| !text.is_empty()).collect();
    let wrong = |reason: &'static str, field: &str, why: String| {
        Err(Refusal::invalid_named("meta.k8s.io", options, "", &[(reason, field, why)]))
    };
    if asked.iter().any(|text| *text != "All") {
        let why = format!("Unsupported value: {}: supported values: \"All\"", Value::from(asked));
        return wrong("FieldValueNotSupported", "dryRun", why);
    }
    if options != "DeleteOptions"
        && let Some(text) = call.query.get("fieldValidation")
        && !matches!(text, "Ignore" | "Strict" | "Warn")
    {
        let why =
            format!("Unsupported value: {text:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
        return wrong("FieldValueNotSupported", "fieldValidation", why);
    }
    if options != "DeleteOptions"
        && let Some(name) = call.query.get("fieldManager")
    {
        if name.len() > LONGEST_MANAGER {
            let why = format!("Too long: may not be more than {LONGEST_MANAGER} bytes");
            return wrong("FieldValueTooLong", "fieldManager", why);
        }
        if let Some((at, bad)) = name.char_indices().find(|(_, c)| c.is_control()) {
            let why = format!(
                "Invalid value: {name:?}: invalid character U+{:04X} (at position {at})",
                u32::from(bad)
            );
            return wrong("FieldValueInvalid", "fieldManager", why);
        }
    }
    // Of a server-side apply there is more to say than that.
    let applies = call.content_type == "application/apply-patch+yaml";
    if options == "PatchOptions" && !applies && call.query.get("force").is_some() {
        let why = "Forbidden: may not be specified for non-apply patch".to_owned();
        return wrong("FieldValueForbidden", "force", why);
    }
    Ok(!asked.is_empty())
}

/// Makes the namespace of an object that of the path.
fn settle_namespace(call: &Call, object: &mut Value) -> Result<(), Refusal> {
    let wanted = call.target.namespace.as_deref().unwrap_or_default();
    let said = object["metadata"]["namespace"].as_str().unwrap_or_default();
    if !said.is_empty() && !wanted.is_empty() && said != wanted {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Refusal::bad_request(why));
    }
    rules::edit(object, "metadata", |metadata| {
        if wanted.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".into(), wanted.into());
        }
    });
    Ok(())
}

/// Refuses what would be new in a namespace that is not there, or not for long.
fn check_namespace(transaction: &Transaction<'_>, kind: Kind, key: &Key) -> Result<(), Refusal> {
    let Some(namespaces) = Kind::of_plural("", "namespaces").filter(|_| kind.row().namespaced) else {
        return Ok(());
    };
    let found = transaction.get(namespaces, &Key::new("", &key.namespace));
    let (_, namespace) = found.ok_or_else(|| Refusal::not_found(namespaces, &key.namespace))?;
    if !is_ending(&namespace) {
        return Ok(());
    }
    let of = &key.namespace;
    let message = format!(
        "{} {:?} is forbidden: unable to create new content in namespace {of} because it is being terminated",
        kind.qualified(),
        key.name
    );
    let mut details = kind.details(&key.name);
    details["causes"] = serde_json::json!([{
        "reason": "NamespaceTerminating", "message": format!("namespace {of} is being terminated"),
        "field": "metadata.namespace",
    }]);
    Err(Refusal::forbidden(message, details))
}

/// A new object.
pub(crate) fn create(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    if kind.row().namespaced && call.target.namespace.is_none() {
        return Err(if kind.row().builtin { Refusal::method_not_allowed() } else { Refusal::no_such_page() });
    }
    let dry_run = dry_run(call, "CreateOptions")?;
    let (mut object, faults) = decode::object(call)?;
    settle_namespace(call, &mut object)?;
    if object["metadata"]["resourceVersion"].as_str().is_some_and(|version| version != "0") {
        return Err(Refusal::internal("resourceVersion should not be set on objects to be created"));
    }
    let now = server.now();
    rules::edit(&mut object, "metadata", |metadata| {
        for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            metadata.remove(field);
        }
        metadata.insert("uid".into(), meta::new_uid().into());
        metadata.insert("creationTimestamp".into(), meta::time(now).into());
    });
    let (stored, warnings) = server.transact_as(&call.user, |transaction| {
        transaction.warnings.extend(faults);
        let stored = create_in(transaction, call, object, dry_run)?;
        Ok((stored, std::mem::take(&mut transaction.warnings)))
    })?;
    if kind.row().plural == "events" {
        expiry::sweep(server, now);
    }
    Ok(read::one(call, StatusCode::CREATED, &stored).warned(warnings))
}

fn create_in(
    transaction: &mut Transaction<'_>,
    call: &Call,
    mut object: Value,
    dry_run: bool,
) -> Result<Stored, Refusal> {
    let kind = call.target.kind;
    let namespace = call.target.namespace.as_deref().unwrap_or_default();
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let (mut name, start) = (text("name"), text("generateName"));
    let made_up = name.is_empty() && !start.is_empty();
    for _ in 0..TRIES {
        if !made_up {
            break;
        }
        name = make_up(&start);
        if transaction.state.get(kind, &Key::new(namespace, &name)).is_none() {
            break;
        }
    }
    if made_up {
        object["metadata"]["name"] = name.as_str().into();
    }
    let key = Key::new(namespace, &name);
    check_namespace(transaction, kind, &key)?;
    let filled = managed::filled(kind, &object);
    rules::prepare_create(kind, &mut object, transaction.now)?;
    admission::mutate(transaction, kind, namespace, None, &mut object)?;
    let mut causes = Causes::default();
    rules::validate(kind, &object, &mut causes);
    causes.check(kind, &name)?;
    admission::validate(transaction, kind, namespace, None, &object)?;
    quota::admit(transaction, kind, namespace, None, &object)?;
    if transaction.state.get(kind, &key).is_some() {
        return Err(Refusal::already_exists(kind, &name));
    }
    managed::note(kind, None, &mut object, &Author { filled, ..Author::of(call) });
    if dry_run {
        return Ok(Stored::unsaved(kind, key, object));
    }
    Ok(transaction.put(kind, key, object, None))
}

/// A name with a random end.
fn make_up(start: &str) -> String {
    let mut name: String = start.chars().take(LONGEST_START).collect();
    name.extend((0..5).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])));
    name
}

/// An object in place of another.
pub(crate) fn update(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    update_part(server, call, Part::Main)
}

/// A part of an object in place of that of another.
pub(crate) fn update_part(server: &Server, call: &Call, part: Part) -> Result<Answer, Refusal> {
    let write = Write { part, dry_run: dry_run(call, "UpdateOptions")?, author: Author::of(call) };
    let (mut object, faults) = decode::object(call)?;
    check_name(call, &object)?;
    settle_namespace(call, &mut object)?;
    let kind = call.target.kind;
    let key = read::key_of(&call.target);
    let (stored, warnings) = server.transact_as(&call.user, |transaction| {
        let found = transaction.get(kind, &key);
        let (stored, before) = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        check_uid(kind, &key, &object, &before)?;
        transaction.warnings.extend(faults);
        let stored = replace(transaction, &stored, &before, object, &write)?;
        Ok((stored, std::mem::take(&mut transaction.warnings)))
    })?;
    Ok(read::one(call, StatusCode::OK, &stored).warned(warnings))
}

/// Refuses an object that is not called as the path says.
pub(crate) fn check_name(call: &Call, object: &Value) -> Result<(), Refusal> {
    let wanted = call.target.name.as_deref().unwrap_or_default();
    match object["metadata"]["name"].as_str().unwrap_or_default() {
        "" => Err(Refusal::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        ))),
        said if said != wanted => Err(Refusal::bad_request(format!(
            "the name of the object ({said}) does not match the name on the URL ({wanted})"
        ))),
        _ => Ok(()),
    }
}

/// Refuses an object that says that it is another one of the same name.
pub(crate) fn check_uid(kind: Kind, key: &Key, object: &Value, before: &Value) -> Result<(), Refusal> {
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let (said, is) = (uid(object), uid(before));
    if said.is_empty() || said == is {
        return Ok(());
    }
    let row = kind.row();
    let group = if row.builtin { String::new() } else { format!("/{}", row.group) };
    let place = [&key.namespace, &key.name].map(ToString::to_string);
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry{group}/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: \
         Precondition failed: UID in precondition: {said}, UID in object meta: {is}",
        row.plural,
        place.join("/")
    );
    Err(Refusal::conflict(kind, &key.name, &why))
}

/// Refuses a change that was made to another version.
fn check_version(kind: Kind, name: &str, object: &Value, stored: &Stored) -> Result<(), Refusal> {
    let text = object["metadata"]["resourceVersion"].as_str().unwrap_or("0");
    let wrong = |_| Refusal::internal(format!("strconv.ParseUint: parsing {text:?}: invalid syntax"));
    let version: u64 = text.parse().map_err(wrong)?;
    let unconditional = kind.row().builtin && kind.row().plural != "leases";
    if version == 0 && !unconditional {
        let why = "Invalid value: 0: must be specified for an update".to_owned();
        let (group, plural) = (kind.row().group, kind.row().plural);
        let cause = [("FieldValueInvalid", "metadata.resourceVersion", why)];
        return Err(Refusal::invalid_named(group, plural, name, &cause));
    }
    if version != 0 && version != stored.resource_version {
        return Err(Refusal::conflict(kind, name, MODIFIED));
    }
    Ok(())
}

/// Puts an object, as a client sent it, in the place of a stored one.
pub(crate) fn replace(
    transaction: &mut Transaction<'_>,
    stored: &Stored,
    before: &Value,
    object: Value,
    write: &Write<'_>,
) -> Result<Stored, Refusal> {
    let part = write.part;
    let (kind, key) = (stored.kind, stored.key.clone());
    check_version(kind, &key.name, &object, stored)?;
    let mut object = merged(kind, before, object, part);
    if part == Part::Main {
        rules::prepare_update(kind, &mut object)?;
        admission::mutate(transaction, kind, &key.namespace, Some(before), &mut object)?;
    }
    let mut causes = Causes::default();
    rules::validate(kind, &object, &mut causes);
    rules::validate_update(kind, before, &object, &mut causes);
    causes.check(kind, &key.name)?;
    if part == Part::Main {
        admission::validate(transaction, kind, &key.namespace, Some(before), &object)?;
        quota::admit(transaction, kind, &key.namespace, Some(before), &object)?;
    }
    object["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"].clone();
    managed::note(kind, Some(before), &mut object, &write.author);
    if object == *before {
        return Ok(stored.clone());
    }
    if write.dry_run {
        return Ok(stored.clone().with(object));
    }
    if may_go(kind, &object) {
        transaction.remove(kind, key, object.clone());
        return Ok(stored.clone().with(object));
    }
    Ok(transaction.put(kind, key, object, Some(before)))
}

/// What a written part of an object makes of the whole.
fn merged(kind: Kind, before: &Value, object: Value, part: Part) -> Value {
    let row = kind.row();
    let mut after = match part {
        Part::Status => {
            let mut after = before.clone();
            set(&mut after, "status", object["status"].clone());
            // Of Kubernetes' own kinds the metadata is written together with the status.
            if row.builtin {
                after["metadata"] = object["metadata"].clone();
            }
            after
        }
        Part::Finalizers => {
            let mut after = before.clone();
            set(&mut after, "spec", object["spec"].clone());
            after
        }
        Part::Main => {
            let mut after = object;
            if row.status {
                set(&mut after, "status", before["status"].clone());
            }
            after
        }
    };
    let old = &before["metadata"];
    rules::edit(&mut after, "metadata", |metadata| {
        for field in ["name", "namespace", "creationTimestamp", "generation"] {
            match &old[field] {
                Value::Null => metadata.remove(field),
                value => metadata.insert(field.into(), value.clone()),
            };
        }
        for field in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            if !old[field].is_null() && metadata.get(field).is_none_or(Value::is_null) {
                metadata.insert(field.into(), old[field].clone());
            }
        }
    });
    if let Some(generation) = old["generation"].as_i64()
        && part == Part::Main
        && differs(kind, before, &after)
    {
        after["metadata"]["generation"] = (generation + 1).into();
    }
    after
}

fn set(object: &mut Value, field: &str, value: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
}

/// Whether what is wanted of an object has changed.
fn differs(kind: Kind, before: &Value, after: &Value) -> bool {
    let row = kind.row();
    if row.builtin {
        return before["spec"] != after["spec"];
    }
    let wanted = |object: &Value| {
        let mut object = object.clone();
        set(&mut object, "metadata", Value::Null);
        if row.status {
            set(&mut object, "status", Value::Null);
        }
        object
    };
    wanted(before) != wanted(after)
}

/// A change to an object.
pub(crate) fn patch(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    patch_part(server, call, Part::Main)
}

/// A change to a part of an object.
pub(crate) fn patch_part(server: &Server, call: &Call, part: Part) -> Result<Answer, Refusal> {
    let write = Write { part, dry_run: dry_run(call, "PatchOptions")?, author: Author::of(call) };
    let change = Change::of(call)?;
    let kind = call.target.kind;
    let key = read::key_of(&call.target);
    let (stored, warnings) = server.transact_as(&call.user, |transaction| {
        let found = transaction.get(kind, &key);
        let (stored, before) = found.ok_or_else(|| Refusal::not_found(kind, &key.name))?;
        let mut object = stored.value(call.target.version);
        transaction.warnings.extend(change.apply(&mut object, schema::of(kind))?);
        check_patched(call, &mut object)?;
        check_name(call, &object)?;
        settle_namespace(call, &mut object)?;
        let stored = replace(transaction, &stored, &before, object, &write)?;
        Ok((stored, std::mem::take(&mut transaction.warnings)))
    })?;
    Ok(read::one(call, StatusCode::OK, &stored).warned(warnings))
}

/// Refuses what a patch has made no object of its kind any more.
fn check_patched(call: &Call, object: &mut Value) -> Result<(), Refusal> {
    let kind = call.target.kind;
    let row = kind.row();
    let name = call.target.name.as_deref().unwrap_or_default();
    let broken = |object: &Value, why: &str| {
        let why = format!("Invalid value: {:?}: {why}", object.to_string());
        Refusal::invalid_named("", "", "", &[("FieldValueInvalid", "patch", why)])
    };
    let expected = kind.api_version(call.target.version);
    let (said, version) = (object["kind"].as_str(), object["apiVersion"].as_str());
    if said != Some(row.kind) || version != Some(&expected) {
        if row.builtin {
            let why = format!("converting to {}: unknown conversion", row.kind);
            return Err(broken(object, &why));
        }
        let (field, said, wanted) = if said == Some(row.kind) {
            ("apiVersion", version.unwrap_or_default(), expected.as_str())
        } else {
            ("kind", said.unwrap_or_default(), row.kind)
        };
        let why = format!("Invalid value: {said:?}: must be {wanted}");
        let of = if field == "kind" { said } else { row.kind };
        return Err(Refusal::invalid_named(row.group, of, name, &[("FieldValueInvalid", field, why)]));
    }
    if let Err(why) = decode::shape(object, kind) {
        return Err(broken(object, &why));
    }
    object["apiVersion"] = kind.api_version(kind.stored_version()).into();
    Ok(())
}

#[cfg(test)]
mod tests;
