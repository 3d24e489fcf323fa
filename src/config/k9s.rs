//! What k9s was told, for those who come from it. Its files are read and never written.

use std::path::Path;

use serde_json::{Map, Value};

use super::folders::Folders;
use super::settings::{careful_settings, counts, may_ask_for_care};
use super::{file_name, yaml};

/// How a value of k9s becomes one of ours.
#[derive(Clone, Copy)]
enum As {
    Switch,
    /// What is on there is off here.
    Opposite,
    Text,
    Number,
    Texts,
}

/// Keys of `config.yaml` below `k9s`, and ours.
const MAIN: [(&str, &str, As); 12] = [
    ("readOnly", "readOnly", As::Switch),
    ("defaultView", "defaultView", As::Text),
    ("ui.enableMouse", "ui.mouse", As::Switch),
    ("ui.headless", "ui.header", As::Opposite),
    ("ui.crumbsless", "ui.crumbs", As::Opposite),
    ("ui.logoless", "ui.logo", As::Opposite),
    ("ui.skin", "ui.skin", As::Text),
    ("ui.invert", "ui.invert", As::Switch),
    ("logger.tail", "logs.tail", As::Number),
    ("logger.buffer", "logs.buffer", As::Number),
    ("logger.textWrap", "logs.wrap", As::Switch),
    ("logger.showTime", "logs.timestamps", As::Switch),
];

/// Keys of a context's `config.yaml` below `k9s`, and ours.
const CONTEXT: [(&str, &str, As); 4] = [
    ("readOnly", "readOnly", As::Switch),
    ("skin", "ui.skin", As::Text),
    ("namespace.favorites", "namespaces.favourites", As::Texts),
    ("namespace.lockFavorites", "namespaces.learn", As::Opposite),
];

/// What its main file says, with our keys.
pub(super) fn settings(k9s: &Folders, warnings: &mut Vec<String>) -> Value {
    read(&k9s.config.join("config.yaml"), &MAIN, warnings)
}

/// What its file for a context says, with our keys.
pub(super) fn settings_of_context(
    k9s: &Folders,
    cluster: &str,
    context: &str,
    warnings: &mut Vec<String>,
) -> Value {
    let folder = k9s.data.join("clusters").join(file_name(cluster)).join(file_name(context));
    read(&folder.join("config.yaml"), &CONTEXT, warnings)
}

fn read(path: &Path, keys: &[(&str, &str, As)], warnings: &mut Vec<String>) -> Value {
    let text = yaml::text_of(path);
    let read = |text: &Option<String>| yaml::read::<Value>(text.as_deref().unwrap_or_default());
    match text.as_ref().map_err(Clone::clone).and_then(read) {
        Ok(document) => translated(&document, keys),
        Err(broken) => {
            let careful = text.is_ok_and(|text| text.is_some_and(|text| may_ask_for_care(&text)));
            let so = counts("it", careful);
            warnings.push(format!("k9s's config.yaml, {broken}; {so} until it is mended"));
            if careful { careful_settings() } else { Value::Null }
        }
    }
}

/// Takes over the keys that are known and have values of the right type.
fn translated(document: &Value, keys: &[(&str, &str, As)]) -> Value {
    let mut ours = Map::new();
    for (there, here, as_) in keys {
        let found = there.split('.').try_fold(&document["k9s"], |value, part| value.get(part));
        let value = found.and_then(|value| match as_ {
            As::Switch => value.as_bool().map(Value::from),
            As::Opposite => value.as_bool().map(|on| Value::from(!on)),
            As::Text => value.as_str().filter(|text| !text.is_empty()).map(Value::from),
            // k9s takes −1 for everything there is.
            As::Number => value.as_u64().and_then(|number| u32::try_from(number).ok()).map(Value::from),
            As::Texts => {
                value.as_array().map(|all| all.iter().filter(|one| one.is_string()).cloned().collect())
            }
        });
        let Some(value) = value else { continue };
        match here.split_once('.') {
            None => _ = ours.insert((*here).to_owned(), value),
            Some((group, name)) => {
                let group = ours.entry(group).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(group) = group {
                    group.insert(name.to_owned(), value);
                }
            }
        }
    }
    Value::Object(ours)
}
