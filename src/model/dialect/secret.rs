//! Secrets: what is in them goes from field to field, never into a tag or annotation.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::tree::{Fields, Tree, take, take_map, take_text};
use super::{Unconvertible, refuse};

/// The label that holds the type.
const TYPE: &str = "cpln/secret-type";
/// The type and key of Kubernetes for logins to registries.
const DOCKER: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");

/// Takes type and data out of a cpln document.
pub(super) fn to_kubernetes(
    rest: &mut Fields,
    labels: &mut Fields,
    object: &mut Fields,
) -> Result<(), Unconvertible> {
    let kind = take_text(rest, "type");
    if let Some(kind) = &kind {
        if !super::is_name_part(kind) {
            return refuse(format!("\"{kind}\" is no type of a secret"));
        }
        labels.push((TYPE.into(), Tree::Text(kind.clone())));
    } else if !rest.iter().any(|(key, _)| key == "type") {
        // The way back must not make one up.
        rest.push(("type".into(), Tree::Null));
    }
    match take(rest, "data") {
        None => {}
        Some(Tree::Map(data)) => {
            for (key, value) in &data {
                if !is_key(key) {
                    return refuse(format!(
                        "data has the key \"{key}\"; Kubernetes takes letters, digits and -_. only"
                    ));
                }
                if value.text().is_none() {
                    return refuse(format!("data.{key} must be a text"));
                }
            }
            object.push(("stringData".into(), Tree::Map(data)));
        }
        Some(Tree::Text(login)) if kind.as_deref() == Some("docker") => {
            object.push(("type".into(), Tree::Text(DOCKER.0.into())));
            object.push(("stringData".into(), Tree::Map(vec![(DOCKER.1.into(), Tree::Text(login))])));
        }
        Some(_) => return refuse("data of a secret must be a map of texts"),
    }
    Ok(())
}

/// Takes type and data out of a Secret. `metadata` gets a `null` for the type where the Secret has none, and `rest` the keys whose
/// values were base64, so that the way back finds them. `untyped`: the document that this Secret was made of had no type.
pub(super) fn to_cpln(
    rest: &mut Fields,
    metadata: &mut Fields,
    all: &mut Fields,
    untyped: bool,
) -> Result<(), Unconvertible> {
    let mut labels = take_map(metadata, "labels");
    let typed = |labels: &&mut Fields| {
        labels.iter().any(|(key, value)| key == TYPE && value.text().is_some_and(super::is_name_part))
    };
    let kind = labels.as_mut().filter(typed).and_then(|labels| take_text(labels, TYPE));
    // A type is made up where there is none; the way back takes it out again.
    match (&mut labels, &kind) {
        (None, None) if untyped => {}
        (None, None) => metadata.push(("labels".into(), Tree::Null)),
        (Some(labels), None) if labels.iter().all(|(key, _)| key != TYPE) => {
            labels.push((TYPE.into(), Tree::Null));
        }
        _ => {}
    }
    if let Some(labels) = labels.filter(|labels| !labels.is_empty()) {
        metadata.push(("labels".into(), Tree::Map(labels)));
    }
    let mut data = take_map(rest, "stringData");
    let encoded = match take(rest, "data") {
        None => None,
        Some(Tree::Map(encoded)) => Some(encoded),
        Some(_) => return refuse("data of a Secret must be a map"),
    };
    if rest.iter().any(|(key, _)| key == "stringData") {
        return refuse("stringData of a Secret must be a map");
    }
    let mut keys = Vec::new();
    for (key, value) in encoded.iter().flatten() {
        let decoded = value.text().and_then(|text| STANDARD.decode(text).ok().map(|bytes| (text, bytes)));
        let Some((text, bytes)) = decoded.filter(|(text, bytes)| STANDARD.encode(bytes) == *text) else {
            return refuse(format!("data.{key} is not base64 on one line"));
        };
        let Ok(plain) = String::from_utf8(bytes) else {
            return refuse(format!(
                "data.{key} ({} characters of base64) is no text, and the other form holds texts only",
                text.len()
            ));
        };
        let fields = data.get_or_insert_default();
        if fields.iter().any(|(name, _)| name == key) {
            return refuse(format!("\"{key}\" stands in data and in stringData"));
        }
        fields.push((key.clone(), Tree::Text(plain)));
        keys.push(Tree::Text(key.clone()));
    }
    for (key, value) in data.iter().flatten() {
        if !is_key(key) || value.text().is_none() {
            return refuse(format!("\"{key}\" is no key with a text"));
        }
    }
    let docker = kind.as_deref().is_none_or(|kind| kind == "docker")
        && rest.iter().any(|(key, value)| key == "type" && value.text() == Some(DOCKER.0))
        && data.as_ref().is_some_and(|data| matches!(&data[..], [(key, _)] if key == DOCKER.1));
    let fallback = if docker { "docker" } else { "dictionary" };
    if !untyped || kind.is_some() {
        all.push(("type".into(), Tree::Text(kind.unwrap_or_else(|| fallback.to_owned()))));
    }
    if docker && let Some((_, login)) = data.take().and_then(|mut data| data.pop()) {
        take(rest, "type");
        all.push(("data".into(), login));
    } else if let Some(data) = data {
        all.push(("data".into(), Tree::Map(data)));
    }
    if encoded.is_some() {
        rest.push(("data".into(), Tree::List(keys)));
    }
    Ok(())
}

/// Puts those values back into base64 that were, by the list of their keys in `extra`.
pub(super) fn restore(all: &mut Fields, extra: &mut Fields) {
    let Some(Tree::List(keys)) = take(extra, "data") else { return };
    let mut plain = take_map(all, "stringData").unwrap_or_default();
    let mut encoded = Fields::new();
    for key in keys.iter().filter_map(Tree::text) {
        if let Some(value) = take_text(&mut plain, key) {
            encoded.push((key.to_owned(), Tree::Text(STANDARD.encode(value))));
        }
    }
    all.push(("data".into(), Tree::Map(encoded)));
    if !plain.is_empty() {
        all.push(("stringData".into(), Tree::Map(plain)));
    }
}

fn is_key(key: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&key.len()) && key.bytes().all(allowed)
}
