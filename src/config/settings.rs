//! What the user has chosen: `config.yaml`, over what k9s was told, over what the program does by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::folders::Folders;
use super::yaml::{self, Broken};
use super::{k9s, keys};
use crate::text::clean;

/// What the user has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// Whether nothing is sent that changes a cluster.
    pub read_only: bool,
    /// The command that the screen opens with; empty is the program's own choice.
    pub default_view: String,
    /// How the screen looks.
    pub ui: Ui,
    /// How logs are read and shown.
    pub logs: Logs,
    /// How consoles are kept.
    pub console: Console,
    /// Namespaces.
    pub namespaces: Namespaces,
    /// Filters with a name, and the expressions that they stand for.
    pub filters: BTreeMap<String, String>,
}

/// How the screen looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ui {
    /// The name of a skin, or the path of one.
    pub skin: String,
    /// Whether light and dark are turned round.
    pub invert: bool,
    /// Whether nothing but ASCII is drawn; none is as the locale says.
    pub ascii: Option<bool>,
    /// Whether the mouse is asked for. It takes the terminal's own selection away.
    pub mouse: bool,
    /// Whether there is a header of several lines, where there is room.
    pub header: bool,
    /// Whether the way back is shown.
    pub crumbs: bool,
    /// Whether the logo is shown.
    pub logo: bool,
    /// Whether details of the row are shown beside the list, where there is room.
    pub side: bool,
    /// Whether lists begin with their wide columns.
    pub wide: bool,
    /// The column set that lists begin with; empty is that of the view.
    pub column_set: String,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            skin: "dark".to_owned(),
            invert: false,
            ascii: None,
            mouse: false,
            header: true,
            crumbs: true,
            logo: true,
            side: true,
            wide: false,
            column_set: String::new(),
        }
    }
}

/// How logs are read and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Logs {
    /// How many lines a log begins with.
    pub tail: u32,
    /// How many lines are kept.
    pub buffer: u32,
    /// Whether long lines are broken.
    pub wrap: bool,
    /// Whether each line has its time.
    pub timestamps: bool,
}

impl Default for Logs {
    fn default() -> Self {
        Self { tail: 100, buffer: 5000, wrap: false, timestamps: false }
    }
}

/// How consoles are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Console {
    /// How many lines of each are kept.
    pub scrollback: u32,
    /// How many lines that the guest wrote before are shown, where the cluster keeps them.
    pub backlog: u32,
}

impl Default for Console {
    fn default() -> Self {
        Self { scrollback: 10_000, backlog: 500 }
    }
}

/// Most lines of a console that are kept: some hundred megabytes.
const MOST_SCROLLBACK: u32 = 100_000;

/// Most lines of a log that are kept: some hundred megabytes.
const MOST_LINES: u32 = 1_000_000;

/// Namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Namespaces {
    /// Those of the first keys from 1 on.
    pub favourites: Vec<String>,
    /// Whether namespaces that are visited get the keys after them.
    pub learn: bool,
}

impl Default for Namespaces {
    fn default() -> Self {
        Self { favourites: Vec::new(), learn: true }
    }
}

/// What the files say, and what there is to say about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// What counts as long as no context is on screen.
    pub config: Config,
    /// Whether the skin is one that k9s was told: such a name may name nothing.
    pub skin_of_k9s: bool,
    /// One sentence each, for the user.
    pub warnings: Vec<String>,
    own: Value,
    k9s: Value,
    folders_of_k9s: Option<Folders>,
}

impl Config {
    /// Reads `config.yaml`, and over what k9s was told where that file says nothing.
    ///
    /// It never fails. Of a file that is no YAML nothing counts, else all that has the type of its key; but for one thing:
    /// where it speaks of `readOnly` and cannot be understood, nothing is changed in a cluster until it is mended.
    pub fn load(folders: &Folders, folders_of_k9s: Option<Folders>) -> Loaded {
        let mut warnings = Vec::new();
        let k9s = folders_of_k9s.as_ref().map_or(Value::Null, |k9s| k9s::settings(k9s, &mut warnings));
        let text = yaml::text_of(&folders.config.join("config.yaml"));
        let own = match text.as_ref().map_err(Broken::clone).and_then(|text| read(text.as_deref())) {
            Ok((own, said)) => {
                warnings.extend(said.into_iter().map(|said| format!("config.yaml{said}")));
                own
            }
            Err(broken) => {
                let careful = text.is_ok_and(|text| text.is_some_and(|text| may_ask_for_care(&text)));
                warnings.push(format!("config.yaml, {broken}; {} until it is mended", counts("it", careful)));
                if careful { careful_settings() } else { Value::Null }
            }
        };
        let skin_of_k9s = own.pointer("/ui/skin").is_none();
        let config = merged([&k9s, &own]);
        let warnings = said(&warnings);
        Loaded { config, skin_of_k9s, warnings, own, k9s, folders_of_k9s }
    }
}

impl Loaded {
    /// What counts in a context, and what there is to say about it: k9s has a file for each, and `config.yaml` stands above
    /// them. Reads that file.
    pub fn in_context(&self, cluster: &str, context: &str) -> (Config, Vec<String>) {
        let mut warnings = Vec::new();
        let k9s = self.folders_of_k9s.as_ref();
        let there =
            k9s.map_or(Value::Null, |k9s| k9s::settings_of_context(k9s, cluster, context, &mut warnings));
        (merged([&self.k9s, &there, &self.own]), said(&warnings))
    }
}

/// Sentences as they may be shown.
fn said(warnings: &[String]) -> Vec<String> {
    warnings.iter().map(|warning| clean(warning).into_owned()).collect()
}

/// Whether a text that cannot be understood may ask that nothing is changed: who may have asked for it gets it.
pub(super) fn may_ask_for_care(text: &str) -> bool {
    text.contains("readOnly")
}

/// What counts where such a text may have asked for it.
pub(super) fn careful_settings() -> Value {
    serde_json::json!({ "readOnly": true })
}

/// That something counts for nothing, and what follows.
pub(super) fn counts(what: &str, careful: bool) -> String {
    let so = if careful { ", and nothing is changed" } else { "" };
    format!("{what} counts for nothing{so}")
}

/// What the text says, and what is to be said of it, to be written behind the name of the file.
fn read(text: Option<&str>) -> Result<(Value, Vec<String>), Broken> {
    let Some(text) = text else { return Ok((Value::Null, Vec::new())) };
    let document: Value = yaml::read(text)?;
    let (mut own, wrong) = keys::known(text);
    let mut warnings = Vec::new();
    for (path, broken) in wrong {
        let careful = "readOnly".starts_with(&path) && may_ask_for_care(text);
        if careful {
            own = merged_values([&own, &careful_settings()]);
        }
        let what = if path.is_empty() { "it" } else { &path };
        warnings.push(format!(", {broken}; {} until it is mended", counts(what, careful)));
    }
    warnings.extend(keys::unknown(&document).into_iter().map(|path| format!(": there is no key {path}")));
    let typed: Config = serde_json::from_value(own.clone()).unwrap_or_default();
    if typed.logs.buffer > MOST_LINES {
        warnings.push(format!(": logs.buffer is {MOST_LINES} at most"));
    }
    if typed.console.scrollback > MOST_SCROLLBACK {
        warnings.push(format!(": console.scrollback is {MOST_SCROLLBACK} at most"));
    }
    Ok((own, warnings))
}

fn merged_values<const N: usize>(layers: [&Value; N]) -> Value {
    let mut all = Value::Null;
    layers.into_iter().for_each(|layer| overlay(&mut all, layer));
    all
}

/// What the layers say together, the last word counting.
fn merged<const N: usize>(layers: [&Value; N]) -> Config {
    let mut config: Config = match merged_values(layers) {
        Value::Null => Config::default(),
        // Each layer has been read with its types before.
        all => serde_json::from_value(all).unwrap_or_default(),
    };
    config.logs.buffer = config.logs.buffer.min(MOST_LINES);
    config.logs.tail = config.logs.tail.min(config.logs.buffer);
    config.console.scrollback = config.console.scrollback.min(MOST_SCROLLBACK);
    config
}

fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (_, Value::Null) => {}
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

#[cfg(test)]
mod tests;
