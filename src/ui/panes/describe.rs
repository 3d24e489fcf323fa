//! An object in words: what it is, what it shall be, how it is, and what was said about it.

mod conditions;
mod machine;
mod page;
mod words;

use serde_json::Value;

use self::page::Page;
use super::text::{Ink, Line};
use crate::model::{Age, Now, Time};
use crate::records::Event;
use crate::store::Health;

type Teller = fn(&Value, &mut Page);
/// Kinds that are told better than field by field: group, name, and who does it.
/// They say nothing of secrets but how long they are, and so are given them.
const TELLERS: &[(&str, &str, Teller)] = &[
    ("kubevirt.io", "VirtualMachine", machine::machine),
    ("kubevirt.io", "VirtualMachineInstance", machine::instance),
];

/// What was said about an object.
#[derive(Debug)]
pub enum Told<'a> {
    /// All events about it that are still kept, in any order.
    Events(Vec<&'a Event>),
    /// Nobody knows yet, for this reason.
    Unknown(&'a str),
}

/// Describes an object and what was said about it. Secrets in it are hidden, as its YAML hides them.
pub fn describe(object: &Value, events: &Told<'_>, now: Now) -> Vec<Line> {
    let mut page = Page::new(now);
    let mut safe = object.clone();
    super::yaml::hide(&mut safe);
    let api_version = text(object, "/apiVersion");
    let kind = text(object, "/kind");
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    metadata(&safe, api_version, kind, &mut page);
    match TELLERS.iter().find(|(of, name, _)| *of == group && *name == kind) {
        Some((_, _, tell)) => tell(object, &mut page),
        None => generic(&safe, &mut page),
    }
    conditions::table(&safe, &mut page);
    tell_events(events, &mut page);
    page.lines()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Annotations that say nothing to a reader here.
const LEFT_OUT: [&str; 1] = ["kubectl.kubernetes.io/last-applied-configuration"];
/// The longest value of an annotation that is shown, in characters.
const LONGEST: usize = 200;

fn metadata(object: &Value, api_version: &str, kind: &str, page: &mut Page) {
    let metadata = &object["metadata"];
    page.field("Name", text(object, "/metadata/name"));
    page.field("Namespace", text(object, "/metadata/namespace"));
    page.field("Kind", &format!("{kind} ({api_version})"));
    page.time("Created", text(object, "/metadata/creationTimestamp"));
    let finalizers: Vec<&str> = words::texts(&metadata["finalizers"]).collect();
    let deleted = text(object, "/metadata/deletionTimestamp");
    if let Some(since) = Time::parse(deleted) {
        let held = match finalizers.is_empty() {
            true => String::new(),
            false => format!("; held by {}", finalizers.join(", ")),
        };
        let said = format!("since {deleted} ({}){held}", page.now.since(since));
        page.said("Deleting", &said, Ink::Health(Health::Leaving));
    } else {
        page.field("Finalizers", &finalizers.join(", "));
    }
    let owners = metadata["ownerReferences"].as_array().into_iter().flatten();
    let owners: Vec<String> =
        owners.map(|owner| format!("{} {}", text(owner, "/kind"), text(owner, "/name"))).collect();
    page.field("Owned by", &owners.join(", "));
    for (label, part, sign) in [("Labels", "labels", "="), ("Annotations", "annotations", ": ")] {
        let entries = metadata[part].as_object().into_iter().flatten();
        let entries = entries.filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
        let entries: Vec<String> = entries
            .map(|(key, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let value = crate::text::one_line(&value, LONGEST);
                format!("{key}{sign}{value}")
            })
            .collect();
        page.list(label, &entries);
    }
}

/// Every field by its name in words.
fn generic(object: &Value, page: &mut Page) {
    let Value::Object(fields) = object else { return };
    let rest =
        fields.keys().filter(|key| !["apiVersion", "kind", "metadata", "status"].contains(&key.as_str()));
    for key in rest.map(String::as_str).chain(["status"]) {
        let mut value = object[key].clone();
        if let (Value::Object(status), "status") = (&mut value, key) {
            status.remove("conditions");
        }
        if words::says_nothing(&value) {
            continue;
        }
        page.heading(&words::in_words(key));
        words::tell(&value, 1, page);
    }
}

/// The events, the newest last.
fn tell_events(events: &Told<'_>, page: &mut Page) {
    page.heading("Events");
    let mut events = match events {
        Told::Unknown(why) => return page.line(Line::of(&format!("  {why}"), Ink::Quiet)),
        Told::Events(none) if none.is_empty() => {
            return page.line(Line::of("  none that are still kept", Ink::Quiet));
        }
        Told::Events(events) => events.clone(),
    };
    events.sort_by_key(|event| (event.last_seen, event.first_seen));
    let age =
        |event: &Event| event.last_seen.map_or_else(|| "?".to_owned(), |at| page.now.since(at).to_string());
    let rows: Vec<[(String, Ink); 5]> = events
        .iter()
        .map(|event| {
            let (sign, ink) = match event.warning {
                true => (crate::ui::theme::symbol(Health::Warning), Ink::Health(Health::Warning)),
                false => ('·', Ink::Quiet),
            };
            let count = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
            [
                (age(event), Ink::Quiet),
                (format!("{sign} {}{count}", event.reason), ink),
                (format!("{} {}", event.object_kind, event.object_name), Ink::Quiet),
                (event.source.to_string(), Ink::Quiet),
                (event.message.to_string(), Ink::Value),
            ]
        })
        .collect();
    page.table(&["SEEN", "REASON", "OBJECT", "FROM", "MESSAGE"], &rows);
}

/// How long ago a time in an object was.
fn ago(time: &str, now: Now) -> Option<Age> {
    Time::parse(time).map(|time| now.since(time))
}

#[cfg(test)]
mod tests;
