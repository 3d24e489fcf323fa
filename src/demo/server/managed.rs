//! Who has set which fields of an object: `metadata.managedFields`.
//!
//! Every write is compared with what was there before it, as kube-apiserver does: what is new or another belongs to its
//! author from then on, and to nobody else.

mod fields;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::Call;
use super::kinds::Kind;
use super::meta;
use super::rules;
use super::schema;
use fields::{Difference, Fields};

/// How many authors an object has by name, as with kube-apiserver.
const AUTHORS: usize = 10;

/// The name of those who are one too many.
const ANCIENT: &str = "ancient-changes";

/// What the server itself sets in the metadata.
const OWN: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes, and which part of an object.
pub(crate) struct Author<'a> {
    /// As the client calls itself; empty when nobody is to be noted.
    pub(crate) name: &'a str,
    /// Empty for the main part.
    pub(crate) subresource: &'a str,
    /// The version in which the object was sent.
    pub(crate) version: &'a str,
    pub(crate) now: Timestamp,
    /// What the server fills in of a new object, in the author's place.
    pub(crate) filled: Vec<&'static [&'static str]>,
}

/// Fields of new objects that the server fills in itself: those are nobody's, though defaults are their author's.
const FILLED: [(&str, &[&str]); 4] = [
    ("pods", &["spec", "priority"]),
    ("pods", &["spec", "preemptionPolicy"]),
    ("pods", &["spec", "tolerations"]),
    ("namespaces", &["spec", "finalizers"]),
];

/// What the server will fill in of a new object, as it was sent.
pub(crate) fn filled(kind: Kind, sent: &Value) -> Vec<&'static [&'static str]> {
    let of_kind = FILLED.iter().filter(|(plural, _)| kind.row().builtin && kind.row().plural == *plural);
    let missing = of_kind.filter(|(_, path)| path.iter().try_fold(sent, |at, part| at.get(part)).is_none());
    missing.map(|(_, path)| *path).collect()
}

impl<'a> Author<'a> {
    pub(crate) fn of(call: &'a Call) -> Self {
        Self {
            name: &call.manager,
            subresource: call.target.subresource.as_deref().unwrap_or_default(),
            version: call.target.version,
            now: call.now,
            filled: Vec::new(),
        }
    }
}

/// What one author has set through one part of an object.
struct Entry {
    manager: String,
    operation: String,
    api_version: String,
    subresource: String,
    time: Value,
    fields: Fields,
}

impl Entry {
    fn read(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let entry = Self {
            manager: text("manager"),
            operation: text("operation"),
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: value["time"].clone(),
            fields: Fields::read(&value["fieldsV1"])?,
        };
        let known = matches!(&*entry.operation, "Apply" | "Update") && value["fieldsType"] == "FieldsV1";
        (known && !entry.api_version.is_empty()).then_some(entry)
    }

    fn json(&self) -> Value {
        let mut value = json!({
            "manager": self.manager, "operation": self.operation, "apiVersion": self.api_version,
            "fieldsType": "FieldsV1", "fieldsV1": self.fields.json(),
        });
        for (field, part) in [("time", &self.time), ("subresource", &Value::from(&*self.subresource))] {
            if !matches!(part.as_str(), None | Some("")) {
                value[field] = part.clone();
            }
        }
        value
    }

    fn is_update(&self) -> bool {
        self.operation == "Update"
    }

    /// Whether two are one but for what they have set and when.
    fn is_same(&self, other: &Self) -> bool {
        let identity = |one: &Self| {
            [&one.manager, &one.operation, &one.api_version, &one.subresource].map(String::clone)
        };
        identity(self) == identity(other)
    }

    fn order(&self) -> impl Ord + use<> {
        let time = self.time.as_str().unwrap_or_default().to_owned();
        let (manager, version) = (self.manager.clone(), self.api_version.clone());
        (self.operation.clone(), time, manager, version, self.subresource.clone())
    }
}

/// The entries of a list; none if one of them cannot be read.
fn entries(list: &Value) -> Option<Vec<Entry>> {
    list.as_array()?.iter().map(Entry::read).collect()
}

/// Notes in an object, as it is to be stored, what its author has set and removed since `before`.
///
/// A client that sends the fields back, or without them, changes nothing about them, `[{}]` clears them, and an object that
/// has none gets none.
pub(crate) fn note(kind: Kind, before: Option<&Value>, after: &mut Value, author: &Author<'_>) {
    let sent = after["metadata"]["managedFields"].take();
    let live = before.map_or(&Value::Null, |before| &before["metadata"]["managedFields"]);
    let is_reset = sent.as_array().is_some_and(|list| *list == [json!({})]);
    let sent = if author.subresource.is_empty() { entries(&sent) } else { None };
    let mut all = match sent {
        _ if is_reset && author.subresource.is_empty() => Vec::new(),
        Some(sent) if !sent.is_empty() => sent,
        _ => entries(live).unwrap_or_default(),
    };
    if !author.name.is_empty() && (before.is_none() || !all.is_empty()) {
        let mut difference = difference(kind, before, after, author.subresource);
        for path in &author.filled {
            difference.forget(path);
        }
        record(kind, &mut all, &difference, author);
    }
    rules::edit(after, "metadata", |metadata| {
        if all.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".into(), all.iter().map(Entry::json).collect());
        }
    });
}

fn difference(kind: Kind, before: Option<&Value>, after: &Value, subresource: &str) -> Difference {
    let nothing = json!({});
    let mut difference = Difference::of(Some(before.unwrap_or(&nothing)), Some(after), schema::of(kind));
    for own in ["apiVersion", "kind"] {
        difference.forget(&[own]);
    }
    for own in OWN {
        difference.forget(&["metadata", own]);
    }
    difference.forget_only("metadata");
    match subresource {
        "status" => difference.forget(&["spec"]),
        _ if kind.row().status => difference.forget(&["status"]),
        _ => {}
    }
    difference
}

fn record(kind: Kind, all: &mut Vec<Entry>, difference: &Difference, author: &Author<'_>) {
    let mut own = Entry {
        manager: author.name.to_owned(),
        operation: "Update".into(),
        api_version: kind.api_version(author.version),
        subresource: author.subresource.to_owned(),
        // Of what was scaled, custom resources do not say when.
        time: match author.subresource {
            "scale" if !kind.row().builtin => Value::Null,
            _ => meta::time(author.now).into(),
        },
        fields: difference.written.clone(),
    };
    for entry in all.iter_mut() {
        entry.fields.remove(&difference.written);
        entry.fields.remove(&difference.removed);
    }
    if !own.fields.is_empty() {
        if let Some(at) = all.iter().position(|entry| entry.is_same(&own)) {
            own.fields.add(&all.swap_remove(at).fields);
        }
        all.push(own);
    }
    all.retain(|entry| !entry.fields.is_empty());
    all.sort_by_cached_key(Entry::order);
    while all.iter().filter(|entry| entry.is_update()).count() > AUTHORS && forget_oldest(all) {}
}

/// Makes one of the two oldest entries of the same version; `false` where no two are.
fn forget_oldest(all: &mut Vec<Entry>) -> bool {
    for first in 0..all.len() {
        let of_version = |entry: &Entry| entry.is_update() && entry.api_version == all[first].api_version;
        let next = (first + 1..all.len()).find(|at| of_version(&all[*at]));
        if let Some(next) = next.filter(|_| all[first].is_update()) {
            let newer = all.remove(next);
            let bucket = &mut all[first];
            bucket.fields.add(&newer.fields);
            bucket.time = newer.time;
            bucket.manager = ANCIENT.into();
            bucket.subresource.clear();
            all.sort_by_cached_key(Entry::order);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
