//! The two forms of a document: Kubernetes' own, and that of the cpln platform (`kind: workload` with `name` and `gvc` on top).
//!
//! | cpln | Kubernetes |
//! |---|---|
//! | `workload`, `volumeset` | `Workload`, `VolumeSet` of v9s.dev; `spec` is the same |
//! | `secret` | `Secret`: one key for each field, the type as label `cpln/secret-type` |
//! | `identity`, `gvc` | `ServiceAccount`, `Namespace` |
//! | `name`, `gvc` | `metadata.name`, `metadata.namespace` |
//! | `description`, `tags` | annotations `v9s.dev/description` and `tag.cpln/<tag>` |
//! | what Kubernetes has no place for | annotation `v9s.dev/document`, as JSON |
//! | tag `kubernetes/object`, as JSON | what the other form has no place for: labels, finalizers, status |
//!
//! So nothing is lost, and there and back is the identity; a document for which it would not be is refused. What is secret never
//! goes into tags or annotations.

use std::fmt;

mod secret;

use super::crd::{GROUP, VERSION};
use super::tree::{Fields, Tree, take, take_map, take_text};

/// The annotation that holds the description.
pub const DESCRIPTION: &str = "v9s.dev/description";
/// What the annotations that hold tags begin with.
pub const TAG: &str = "tag.cpln/";
/// The annotation for fields that Kubernetes has no place for.
pub const CARRIED: &str = "v9s.dev/document";
/// The tag for fields of Kubernetes that the other form has no place for.
pub const OBJECT: &str = "kubernetes/object";

/// A form of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `kind: workload` with `name` and `gvc` on top.
    Cpln,
    /// `apiVersion`, `kind` and `metadata`.
    Kubernetes,
}

/// Why a document cannot be converted, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unconvertible(String);

impl fmt::Display for Unconvertible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unconvertible {}

fn refuse<T>(why: impl Into<String>) -> Result<T, Unconvertible> {
    Err(Unconvertible(why.into()))
}

/// A kind that has both forms.
struct Pair {
    cpln: &'static str,
    kind: &'static str,
    ours: bool,
}

const PAIRS: &[Pair] = &[
    Pair { cpln: "workload", kind: "Workload", ours: true },
    Pair { cpln: "volumeset", kind: "VolumeSet", ours: true },
    Pair { cpln: "secret", kind: "Secret", ours: false },
    Pair { cpln: "identity", kind: "ServiceAccount", ours: false },
    Pair { cpln: "gvc", kind: "Namespace", ours: false },
];

impl Pair {
    fn api_version(&self) -> String {
        if self.ours { format!("{GROUP}/{VERSION}") } else { "v1".to_owned() }
    }
}

/// The form of a document.
pub fn form(document: &Tree) -> Form {
    let kubernetes = document.get("apiVersion").is_some() || document.get("metadata").is_some();
    if kubernetes { Form::Kubernetes } else { Form::Cpln }
}

/// Turns a document into a form. One that has it already stays as it is.
///
/// # Errors
///
/// When the other form has no such kind, or cannot hold the document without a loss.
pub fn convert(document: &Tree, to: Form) -> Result<Tree, Unconvertible> {
    if form(document) == to {
        return Ok(document.clone());
    }
    // What came from the other form once is unpacked. If somebody wrote the like by himself, it stays what it is.
    for unpack in [true, false] {
        let turned = turn(document, to, unpack)?;
        if form(&turned) == to && origin(&turned, to).is_some_and(|origin| origin.same(document)) {
            return Ok(turned);
        }
    }
    refuse("the other form cannot hold this document without a loss")
}

fn turn(document: &Tree, to: Form, unpack: bool) -> Result<Tree, Unconvertible> {
    match to {
        Form::Kubernetes => to_kubernetes(document, unpack),
        Form::Cpln => to_cpln(document, unpack),
    }
}

/// The document of which `turned` is made, as the way back finds it.
fn origin(turned: &Tree, to: Form) -> Option<Tree> {
    let back = if to == Form::Cpln { Form::Kubernetes } else { Form::Cpln };
    let leads = |origin: &Tree, unpack| turn(origin, to, unpack).is_ok_and(|again| again.same(turned));
    [true, false].into_iter().find_map(|unpack| {
        let origin = turn(turned, back, unpack).ok()?;
        (form(&origin) == back && (leads(&origin, true) || leads(&origin, false))).then_some(origin)
    })
}

fn fields(document: &Tree) -> Result<Fields, Unconvertible> {
    match document {
        Tree::Map(fields) => Ok(fields.clone()),
        _ => refuse("a document must be a map of fields"),
    }
}

fn to_kubernetes(document: &Tree, unpack: bool) -> Result<Tree, Unconvertible> {
    let mut rest = fields(document)?;
    let Some(kind) = take_text(&mut rest, "kind") else { return refuse("the document has no kind") };
    let Some(pair) = PAIRS.iter().find(|pair| pair.cpln == kind) else {
        return refuse(format!(
            "kind \"{kind}\" has no form in Kubernetes; known are {}",
            known(|pair| pair.cpln)
        ));
    };
    let (mut metadata, mut annotations, mut object) = (Fields::new(), Fields::new(), Fields::new());
    if let Some(name) = take_text(&mut rest, "name") {
        metadata.push(("name".into(), Tree::Text(name)));
    }
    if pair.cpln != "gvc"
        && let Some(gvc) = take_text(&mut rest, "gvc")
    {
        metadata.push(("namespace".into(), Tree::Text(gvc)));
    }
    if let Some(description) = take_text(&mut rest, "description") {
        annotations.push((DESCRIPTION.into(), Tree::Text(description)));
    }
    let mut extra = Fields::new();
    if let Some(mut tags) = take_map(&mut rest, "tags") {
        if unpack && let Some(packed) = take_text(&mut tags, OBJECT) {
            match unpacked(&packed) {
                Some(fields) => extra = fields,
                None => tags.push((OBJECT.into(), Tree::Text(packed))),
            }
        }
        let (plain, other): (Fields, Fields) =
            tags.into_iter().partition(|(key, value)| is_name_part(key) && value.text().is_some());
        // No tags at all are not the same as none that were given.
        if !other.is_empty() || plain.is_empty() && extra.is_empty() {
            rest.push(("tags".into(), Tree::Map(other)));
        }
        annotations.extend(plain.into_iter().map(|(key, value)| (format!("{TAG}{key}"), value)));
    }
    let mut labels = Fields::new();
    if pair.cpln == "secret" {
        secret::to_kubernetes(&mut rest, &mut labels, &mut object)?;
    }
    if pair.ours
        && let Some(spec) = take(&mut rest, "spec")
    {
        object.push(("spec".into(), spec));
    }
    if !rest.is_empty() {
        annotations.push((CARRIED.into(), Tree::Text(packed(rest)?)));
    }
    if !labels.is_empty() {
        metadata.push(("labels".into(), Tree::Map(labels)));
    }
    if !annotations.is_empty() {
        metadata.push(("annotations".into(), Tree::Map(annotations)));
    }
    let mut all = vec![
        ("apiVersion".into(), Tree::Text(pair.api_version())),
        ("kind".into(), Tree::Text(pair.kind.into())),
    ];
    if !metadata.is_empty() {
        all.push(("metadata".into(), Tree::Map(metadata)));
    }
    all.append(&mut object);
    if pair.cpln == "secret" {
        secret::restore(&mut all, &mut extra);
    }
    merge(&mut all, extra);
    Ok(Tree::Map(all))
}

fn to_cpln(document: &Tree, unpack: bool) -> Result<Tree, Unconvertible> {
    let mut rest = fields(document)?;
    let Some(kind) = take_text(&mut rest, "kind") else { return refuse("the document has no kind") };
    let version = take_text(&mut rest, "apiVersion").unwrap_or_default();
    let Some(pair) = PAIRS.iter().find(|pair| pair.kind == kind && pair.api_version() == version) else {
        let known = known(|pair| pair.kind);
        return refuse(format!("kind \"{kind}\" of \"{version}\" has no other form; known are {known}"));
    };
    let mut all = vec![("kind".to_owned(), Tree::Text(pair.cpln.into()))];
    let metadata = take_map(&mut rest, "metadata");
    let had_metadata = metadata.is_some();
    let mut held = metadata.unwrap_or_default();
    let before = held.len();
    if let Some(name) = take_text(&mut held, "name") {
        all.push(("name".into(), Tree::Text(name)));
    }
    if pair.cpln != "gvc"
        && let Some(namespace) = take_text(&mut held, "namespace")
    {
        all.push(("gvc".into(), Tree::Text(namespace)));
    }
    let annotations = take_map(&mut held, "annotations");
    let had_annotations = annotations.is_some();
    let (mut tags, mut other) = (Fields::new(), Fields::new());
    let mut carried = Fields::new();
    for (key, value) in annotations.into_iter().flatten() {
        match (key.strip_prefix(TAG), value) {
            (Some(tag), Tree::Text(text)) if is_name_part(tag) => {
                tags.push((tag.to_owned(), Tree::Text(text)));
            }
            (None, Tree::Text(text)) if key == DESCRIPTION => {
                all.push(("description".into(), Tree::Text(text)));
            }
            (None, Tree::Text(text)) if unpack && key == CARRIED => match unpacked(&text) {
                Some(fields) => carried = fields,
                None => other.push((key, Tree::Text(text))),
            },
            (_, value) => other.push((key, value)),
        }
    }
    let made_annotations =
        !tags.is_empty() || !carried.is_empty() || all.iter().any(|(key, _)| key == "description");
    if !other.is_empty() || had_annotations && !made_annotations {
        held.push(("annotations".into(), Tree::Map(other)));
    }
    // Whether the way back makes metadata by itself.
    let made_metadata = before > held.len();
    if pair.cpln == "secret" {
        let untyped = carried.iter().any(|(key, value)| key == "type" && *value == Tree::Null);
        carried.retain(|(key, value)| key != "type" || *value != Tree::Null);
        secret::to_cpln(&mut rest, &mut held, &mut all, untyped)?;
    }
    if pair.ours
        && let Some(spec) = take(&mut rest, "spec")
    {
        all.push(("spec".into(), spec));
    }
    if !had_metadata && !held.is_empty() {
        rest.push(("metadata".into(), Tree::Null));
    } else if !held.is_empty() || had_metadata && !made_metadata {
        rest.push(("metadata".into(), Tree::Map(held)));
    }
    if !rest.is_empty() {
        tags.push((OBJECT.into(), Tree::Text(packed(rest)?)));
    }
    if let Some(carried_tags) = take_map(&mut carried, "tags") {
        tags.extend(carried_tags);
        carried.retain(|(key, _)| key != "tags");
        all.push(("tags".into(), Tree::Map(tags)));
    } else if !tags.is_empty() {
        all.push(("tags".into(), Tree::Map(tags)));
    }
    merge(&mut all, carried);
    // The specification, the longest part, stands last.
    if let Some(spec) = take(&mut all, "spec") {
        all.push(("spec".into(), spec));
    }
    Ok(Tree::Map(all))
}

fn known(name: impl Fn(&Pair) -> &'static str) -> String {
    PAIRS.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Whether Kubernetes takes a text as the part of a label or annotation behind the slash.
fn is_name_part(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn packed(fields: Fields) -> Result<String, Unconvertible> {
    let tree = Tree::Map(fields);
    if !tree.finite() {
        return refuse(
            "JSON, in which a part of it must be kept, cannot say a number that is infinite or none",
        );
    }
    // Through JSON's own values, which sort keys: the same fields are always the same text.
    let value = serde_json::to_value(&tree).map_err(|why| Unconvertible(why.to_string()))?;
    Ok(value.to_string())
}

fn unpacked(text: &str) -> Option<Fields> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    match Tree::from(value) {
        Tree::Map(fields) if !fields.is_empty() => Some(fields),
        _ => None,
    }
}

/// Puts fields into others: maps into maps; a `null` takes out what stands there.
fn merge(into: &mut Fields, from: Fields) {
    for (key, value) in from {
        let at = into.iter().position(|(name, _)| *name == key);
        match (at, value) {
            (Some(at), Tree::Map(below)) if matches!(into[at].1, Tree::Map(_)) => {
                if let Tree::Map(held) = &mut into[at].1 {
                    merge(held, below);
                }
            }
            (Some(at), Tree::Null) => _ = into.remove(at),
            (Some(at), value) => into[at].1 = value,
            (None, value) => into.push((key, value)),
        }
    }
}

#[cfg(test)]
mod tests;
