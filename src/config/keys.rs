//! The keys of `config.yaml` as data: from it come the example, the table in the README, and what is said of a key that there is
//! not.

use std::fmt::Write as _;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Config;
use super::yaml::{self, Broken};

/// A key of `config.yaml`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its path, with dots.
    pub path: &'static str,
    /// Its default, in YAML; empty is nothing.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

const fn key(path: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { path, default, doc }
}

/// Every key.
pub const KEYS: &[Key] = &[
    key("readOnly", "false", "Send nothing that changes a cluster"),
    key("defaultView", "\"\"", "The command that the screen opens with, such as `vms` or `pods all`"),
    key("ui.skin", "dark", "`dark`, `light`, `contrast`, the name of a skin, or the path of one"),
    key("ui.invert", "false", "Turn light and dark of the skin round"),
    key("ui.ascii", "", "Draw with ASCII alone: `true` or `false`; empty is as the locale says"),
    key("ui.mouse", "false", "Use the mouse, which takes the terminal's own selection away"),
    key("ui.header", "true", "Show the header of several lines, where there is room"),
    key("ui.crumbs", "true", "Show the way back"),
    key("ui.logo", "true", "Show the logo"),
    key("ui.side", "true", "Show details of the row beside the list, where there is room"),
    key("ui.wide", "false", "Begin lists with their wide columns"),
    key("ui.columnSet", "\"\"", "The column set that lists begin with, where they have it"),
    key("logs.tail", "100", "How many lines a log begins with"),
    key("logs.buffer", "5000", "How many lines of a log are kept, a million at most"),
    key("logs.wrap", "false", "Break long lines"),
    key("logs.timestamps", "false", "Show the time of each line"),
    key("console.scrollback", "10000", "How many lines of a console are kept, a hundred thousand at most"),
    key(
        "console.backlog",
        "500",
        "How many lines that a guest wrote before its console begins with, where they are kept",
    ),
    key("namespaces.favourites", "[]", "Namespaces of the keys from 1 on"),
    key("namespaces.learn", "true", "Give the keys after them to namespaces that are visited"),
    key("filters", "{}", "Filters with a name: `broken: state:Failed age<2h`"),
];

/// The keys as a table in Markdown.
pub fn table() -> String {
    let mut out = String::from("| Key | Default | Means |\n|---|---|---|\n");
    for Key { path, default, doc } in KEYS {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let _ = writeln!(out, "| `{path}` | {default} | {doc} |");
    }
    out
}

/// A `config.yaml` that says what the program does without one.
pub fn example() -> String {
    let mut out = String::from(
        "# config.yaml of v9s with every key. Each has the value here that it has without the file.\n",
    );
    let mut inside = "";
    for Key { path, default, doc } in KEYS {
        let (group, name) = path.split_once('.').unwrap_or(("", path));
        if group.is_empty() {
            out.push('\n');
        } else if group != inside {
            let _ = writeln!(out, "\n{group}:");
        }
        inside = group;
        let indent = if group.is_empty() { "" } else { "  " };
        let _ = writeln!(out, "{indent}# {doc}");
        let _ = writeln!(out, "{}", format!("{indent}{name}: {default}").trim_end());
    }
    out
}

/// What a document says at the keys that there are, with their types, and what of it is not of its type: the paths that one
/// wrong place concerns, and what is wrong there.
pub(super) fn known(text: &str) -> (Value, Vec<(String, Broken)>) {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let (mut said, mut wrong) = (Value::Null, Vec::<(String, Broken)>::new());
    for key in KEYS {
        let path: Vec<&str> = key.path.split('.').collect();
        // What a key holds can be seen in its default.
        let value = match defaults.pointer(&format!("/{}", path.join("/"))) {
            Some(Value::Bool(_) | Value::Null) => value_at::<bool>(text, &path),
            Some(Value::Number(_)) => value_at::<u32>(text, &path),
            Some(Value::Array(_)) => value_at::<Vec<String>>(text, &path),
            Some(Value::Object(_)) => value_at::<std::collections::BTreeMap<String, String>>(text, &path),
            _ => value_at::<String>(text, &path),
        };
        match value {
            Ok(Some(value)) => put(&mut said, &path, value),
            Ok(None) => {}
            Err(broken) => match wrong.iter_mut().find(|(_, known)| *known == broken) {
                Some((paths, _)) => *paths = common(paths, key.path),
                None => wrong.push((key.path.to_owned(), broken)),
            },
        }
    }
    (said, wrong)
}

fn value_at<T: DeserializeOwned + Serialize>(text: &str, path: &[&str]) -> Result<Option<Value>, Broken> {
    let value = yaml::read_at::<T>(text, path)?;
    Ok(value.and_then(|value| serde_json::to_value(value).ok()))
}

fn put(into: &mut Value, path: &[&str], value: Value) {
    match path.split_first() {
        None => *into = value,
        Some((first, below)) => {
            if !into.is_object() {
                *into = Value::Object(Map::new());
            }
            if let Value::Object(fields) = into {
                put(fields.entry(*first).or_insert(Value::Null), below, value);
            }
        }
    }
}

/// The keys that lead to both paths.
fn common(one: &str, other: &str) -> String {
    let same = one.split('.').zip(other.split('.')).take_while(|(one, other)| one == other);
    same.map(|(part, _)| part).collect::<Vec<_>>().join(".")
}

/// The paths in a document that are no key, nor lead to one.
pub(super) fn unknown(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut Vec<String>) {
    let Value::Object(fields) = value else { return };
    for (name, below) in fields {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        if KEYS.iter().any(|key| key.path == path) {
            continue;
        }
        let leads = |key: &Key| key.path.strip_prefix(&*path).is_some_and(|rest| rest.starts_with('.'));
        if KEYS.iter().any(leads) {
            collect(below, &path, found);
        } else {
            found.push(path);
        }
    }
}
