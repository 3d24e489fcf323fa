//! What stands between the API server and its storage where a cluster has admission webhooks.
//!
//! The server itself knows none: who sets it up may give it some, which see what is to be written, may change it, and may
//! refuse it. They are asked at the moments at which kube-apiserver asks: those that change before the object is
//! validated, those that refuse after that and before anything is compared with what is stored.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::Stored;
use super::garbage::Transaction;
use super::kinds::Kind;
use super::managed::{self, Author};
use super::refusal::Refusal;
use super::storage::{Key, State};

/// Admission webhooks.
pub trait Admission: Send + Sync {
    /// Changes an object before it is validated.
    ///
    /// # Errors
    ///
    /// [`Denial`], when it cannot be changed.
    fn mutate(&self, review: &Review<'_>, object: &mut Value) -> Result<(), Denial>;

    /// Judges an object before it is stored. Returns warnings for the client.
    ///
    /// # Errors
    ///
    /// [`Denial`], when it may not be stored.
    fn validate(&self, review: &Review<'_>, object: &Value) -> Result<Vec<String>, Denial>;

    /// Judges the eviction of a pod.
    ///
    /// # Errors
    ///
    /// [`Kept`], when it stays.
    fn evict(&self, review: &Review<'_>, pod: &Value) -> Result<(), Kept>;
}

/// What is known about a request besides the object itself.
#[derive(Clone, Copy)]
pub struct Review<'a> {
    /// API group of the kind; empty for the core group.
    pub group: &'a str,
    /// Plural name of the kind.
    pub plural: &'a str,
    /// Empty for kinds without namespaces.
    pub namespace: &'a str,
    /// The object that is to be replaced; none for a new one.
    pub old: Option<&'a Value>,
    /// Name of the user who asks.
    pub user: &'a str,
    /// What else there is.
    pub around: &'a dyn Lookup,
}

/// Other objects, in the version in which they are stored.
pub trait Lookup {
    /// One object.
    fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Value>;

    /// All objects of a kind in a namespace.
    fn list(&self, group: &str, plural: &str, namespace: &str) -> Vec<Value>;
}

/// One thing that is wrong, as `details.causes` of a `Status` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid` and the like; empty where the real server says none.
    pub reason: &'static str,
    /// The place as the real server calls it, which is not always a path of the object; empty where it says none.
    pub field: String,
    /// The sentence.
    pub message: String,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Status code of HTTP.
    pub code: u16,
    /// `reason` of the `Status`; empty where there is none.
    pub reason: &'static str,
    /// The whole message.
    pub message: String,
    /// The causes; none where the answer has no details.
    pub causes: Vec<Cause>,
}

/// A pod that is not evicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The answer.
    pub denial: Denial,
    /// Who writes what because of it: an object that is there, as it is to be.
    pub changed: Option<(&'static str, Value)>,
}

impl Denial {
    fn refusal(self) -> Refusal {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::BAD_REQUEST);
        let refusal = Refusal::new(code, self.reason, self.message);
        if self.causes.is_empty() {
            return refusal;
        }
        let causes: Vec<Value> = self
            .causes
            .into_iter()
            .map(|cause| {
                let mut value = json!({"message": cause.message});
                for (key, text) in [("reason", cause.reason), ("field", cause.field.as_str())] {
                    if !text.is_empty() {
                        value[key] = text.into();
                    }
                }
                value
            })
            .collect();
        refusal.with(json!({"causes": causes}))
    }
}

impl Lookup for State {
    fn get(&self, group: &str, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        let kind = Kind::of_plural(group, plural)?;
        Self::get(self, kind, &Key::new(namespace, name)).map(|stored| stored.value(kind.stored_version()))
    }

    fn list(&self, group: &str, plural: &str, namespace: &str) -> Vec<Value> {
        let Some(kind) = Kind::of_plural(group, plural) else { return Vec::new() };
        let value = |stored: Stored| stored.value(kind.stored_version());
        Self::list(self, kind, Some(namespace), None, None)
            .map(|objects| objects.map(value).collect())
            .unwrap_or_default()
    }
}

/// Lets the webhooks change an object.
pub(crate) fn mutate(
    transaction: &Transaction<'_>,
    kind: Kind,
    namespace: &str,
    old: Option<&Value>,
    object: &mut Value,
) -> Result<(), Refusal> {
    let Some(admission) = transaction.admission else { return Ok(()) };
    admission.mutate(&review(transaction, kind, namespace, old), object).map_err(Denial::refusal)
}

/// Lets the webhooks judge an object; their warnings are kept for the answer.
pub(crate) fn validate(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    namespace: &str,
    old: Option<&Value>,
    object: &Value,
) -> Result<(), Refusal> {
    let Some(admission) = transaction.admission else { return Ok(()) };
    let warnings = admission.validate(&review(transaction, kind, namespace, old), object);
    transaction.warnings.extend(warnings.map_err(Denial::refusal)?);
    Ok(())
}

/// Lets the webhooks judge the eviction of a pod, and writes what they want written when it stays.
pub(crate) fn evict(
    transaction: &mut Transaction<'_>,
    kind: Kind,
    namespace: &str,
    pod: &Value,
    dry_run: bool,
) -> Result<(), Refusal> {
    let Some(admission) = transaction.admission else { return Ok(()) };
    let Err(kept) = admission.evict(&review(transaction, kind, namespace, None), pod) else { return Ok(()) };
    if let Some((by, object)) = kept.changed.filter(|_| !dry_run) {
        change(transaction, by, object);
    }
    Err(kept.denial.refusal())
}

fn change(transaction: &mut Transaction<'_>, by: &str, mut object: Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &object["metadata"];
    let key = Key::new(&text(&metadata["namespace"]), &text(&metadata["name"]));
    let Some(kind) = Kind::of_object(&text(&object["apiVersion"]), &text(&object["kind"])) else { return };
    let Some((_, before)) = transaction.get(kind, &key) else { return };
    let subresource = if kind.row().status { "status" } else { "" };
    let author = Author {
        name: by,
        subresource,
        version: kind.stored_version(),
        now: transaction.now,
        filled: Vec::new(),
    };
    managed::note(kind, Some(&before), &mut object, &author);
    transaction.put(kind, key, object, Some(&before));
}

fn review<'a>(
    transaction: &'a Transaction<'_>,
    kind: Kind,
    namespace: &'a str,
    old: Option<&'a Value>,
) -> Review<'a> {
    let row = kind.row();
    Review {
        group: row.group,
        plural: row.plural,
        namespace,
        old,
        user: transaction.user,
        around: &*transaction.state,
    }
}
