//! Documents for the cases of rules: a minimal good document with some lines changed.
//!
//! A case is some lines of text:
//!
//! | Line | Does |
//! |---|---|
//! | `spec.vm.bootDisk.bus: nvme` | writes a value (YAML on one line) into the minimal document; lists grow as needed |
//! | `spec.vm.hostname (64 times): a` | writes a text many times over |
//! | `!spec.vm` | takes something out |
//! | `at spec.vm` | says where the finding is expected, if that is not the place of the first change |
//! | `old spec.type: standard` | the same for the document before the change, which is otherwise the minimal one |
//! | `known: {volumeSets: []}` | what is known of the cluster: fields of [`super::known::Known`] |
//! | `unseen` | an API server decides otherwise: it sees less than the rule, or knows one form only |
//! | `options: {gvc: shop}` | what the command line says: fields of [`super::known::Options`] |
//!
//! Paths are those of rules, `@container` included. A case that begins with `---` is a whole text instead: it is judged as
//! it stands, and the comment `# here` marks the line of the finding.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::known::{Known, Options};
use super::source::{Dialect, Source, plain_text_stays_text, push_key};
use super::subject::Subject;
use super::{Needs, Rule, catalogue};

/// The document of a case, and what is expected of it.
#[derive(Debug, Default)]
pub struct Example {
    /// The document.
    pub text: String,
    /// The document before the change; empty where the case is no change.
    pub old: String,
    /// What is known of the cluster.
    pub known: Known,
    /// What the command line says.
    pub options: Options,
    /// Whether an API server decides otherwise, although the row says that it decides alike.
    pub unseen: bool,
    /// Where a bad case has its finding; `None` in whole texts.
    pub path: Option<String>,
    /// The line of the finding, if it is known.
    pub line: Option<u32>,
}

/// The document of a case of a rule, in one of the forms.
///
/// # Errors
///
/// Says which line of the case cannot be understood.
pub fn example(rule: &Rule, case: &str, dialect: Dialect) -> Result<Example, String> {
    if case.starts_with("---") {
        let line = case.lines().position(|line| line.ends_with("# here"));
        let line = line.and_then(|line| u32::try_from(line + 1).ok());
        return Ok(Example { text: case.to_owned(), line, ..Example::default() });
    }
    let subject = rule.on.first().copied().unwrap_or(Subject::Workload);
    let base = value(catalogue::minimal(subject)).ok_or("there is no minimal document of this kind")?;
    let (mut new, mut old) = (base.clone(), base);
    let mut example = Example::default();
    let mut expected = None;
    let mut changes = rule.needs == Needs::Change;
    for line in case.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || format!("{line:?} is no line of a case");
        if let Some(known) = line.strip_prefix("known: ") {
            let known = value(known).ok_or_else(wrong)?;
            example.known = serde_json::from_value(known).map_err(|why| format!("{line}: {why}"))?;
        } else if let Some(options) = line.strip_prefix("options: ") {
            let options = value(options).ok_or_else(wrong)?;
            example.options = serde_json::from_value(options).map_err(|why| format!("{line}: {why}"))?;
        } else if line == "unseen" {
            example.unseen = true;
        } else if let Some(path) = line.strip_prefix("at ") {
            expected = Some(steps(path, subject));
        } else {
            let (target, line) = match line.strip_prefix("old ") {
                Some(line) => {
                    changes = true;
                    (&mut old, line)
                }
                None => (&mut new, line),
            };
            let (path, put) = match line.strip_prefix('!') {
                Some(path) => (path, None),
                None => {
                    let (path, written) = line.split_once(": ").ok_or_else(wrong)?;
                    let times = path.strip_suffix(" times)").and_then(|path| path.split_once(" ("));
                    match times {
                        None => (path, Some(value(written).ok_or_else(wrong)?)),
                        Some((path, times)) => {
                            let times = times.parse().map_err(|_| wrong())?;
                            (path, Some(Value::from(written.repeat(times))))
                        }
                    }
                }
            };
            let steps = steps(path, subject);
            change(target, &steps, put).ok_or_else(wrong)?;
            expected.get_or_insert(steps);
        }
    }
    let kubernetes = dialect == Dialect::Kubernetes;
    let mut lines = BTreeMap::new();
    example.text = write(&if kubernetes { in_kubernetes(new) } else { new }, &mut lines);
    if changes {
        example.old = write(&if kubernetes { in_kubernetes(old) } else { old }, &mut BTreeMap::new());
    }
    let mut expected = expected.unwrap_or_default();
    if kubernetes {
        expected = moved(expected);
    }
    example.path = Some(path_of(&expected));
    example.line =
        (0..=expected.len()).rev().find_map(|some| lines.get(&path_of(&expected[..some])).copied());
    Ok(example)
}

/// A value written in YAML.
fn value(written: &str) -> Option<Value> {
    let source = Source::read(written.as_bytes());
    if !source.problems.is_empty() {
        return None;
    }
    Some(source.documents.first().map_or(Value::Null, |document| document.root().json()))
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Item(usize),
}

fn steps(path: &str, subject: Subject) -> Vec<Step> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let first = super::paths::first_place(first, subject);
    let whole = if rest.is_empty() { first } else { format!("{first}.{rest}") };
    let mut steps = Vec::new();
    for part in whole.split('.').filter(|part| !part.is_empty()) {
        let (key, items) = part.split_once('[').unwrap_or((part, ""));
        steps.push(Step::Key(key.replace('~', ".")));
        let items = items.split('[').filter_map(|item| item.trim_end_matches(']').parse().ok());
        steps.extend(items.map(Step::Item));
    }
    steps
}

fn path_of(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Key(key) => push_key(&mut out, key),
            Step::Item(index) => _ = write!(out, "[{index}]"),
        }
    }
    out
}

/// Writes or removes a value; `None` where the path leads nowhere.
fn change(target: &mut Value, steps: &[Step], put: Option<Value>) -> Option<()> {
    let Some((first, rest)) = steps.split_first() else {
        *target = put?;
        return Some(());
    };
    if target.is_null() {
        *target = if matches!(first, Step::Key(_)) { json!({}) } else { json!([]) };
    }
    match first {
        Step::Key(key) => {
            let map = target.as_object_mut()?;
            if rest.is_empty() && put.is_none() {
                return map.remove(key).map(|_| ());
            }
            change(map.entry(key.clone()).or_insert(Value::Null), rest, put)
        }
        Step::Item(index) => {
            let list = target.as_array_mut()?;
            if rest.is_empty() && put.is_none() {
                return (*index < list.len()).then(|| _ = list.remove(*index));
            }
            if *index >= list.len() {
                list.resize(*index + 1, Value::Null);
            }
            change(list.get_mut(*index)?, rest, put)
        }
    }
}

/// The fields of the seed's form where Kubernetes has them.
fn in_kubernetes(mut seed: Value) -> Value {
    let Some(fields) = seed.as_object_mut().filter(|fields| !fields.contains_key("apiVersion")) else {
        return seed;
    };
    let kind = match fields.get("kind").and_then(Value::as_str) {
        Some("workload") => "Workload",
        Some("volumeset") => "VolumeSet",
        _ => return seed,
    };
    let mut metadata = Map::new();
    for (from, to) in [("name", "name"), ("gvc", "namespace")] {
        if let Some(value) = fields.remove(from) {
            metadata.insert(to.into(), value);
        }
    }
    let mut annotations = Map::new();
    if let Some(description) = fields.remove("description") {
        annotations.insert(super::paths::DESCRIPTION.into(), description);
    }
    if let Some(Value::Object(tags)) = fields.remove("tags") {
        let tags = tags.into_iter().map(|(key, value)| (format!("{}{key}", super::paths::TAG), value));
        annotations.extend(tags);
    }
    if !annotations.is_empty() {
        metadata.insert("annotations".into(), annotations.into());
    }
    fields.insert("apiVersion".into(), "v9s.dev/v1alpha1".into());
    fields.insert("kind".into(), kind.into());
    fields.insert("metadata".into(), metadata.into());
    seed
}

/// Where a path of the seed's form leads in Kubernetes' form.
fn moved(steps: Vec<Step>) -> Vec<Step> {
    let Some((Step::Key(first), rest)) = steps.split_first() else { return steps };
    let key = |key: &str| Step::Key(key.to_owned());
    match super::paths::in_metadata(first) {
        None => steps,
        Some(keys) => match (first.as_str(), rest.first()) {
            ("tags", Some(Step::Key(tag))) => {
                let tag = Step::Key(format!("{}{tag}", super::paths::TAG));
                keys.iter().map(|name| key(name)).chain([tag]).collect()
            }
            _ => keys.iter().map(|name| key(name)).chain(rest.iter().cloned()).collect(),
        },
    }
}

/// Writes a value as YAML and notes the line of every part.
fn write(value: &Value, lines: &mut BTreeMap<String, u32>) -> String {
    let mut writer = Writer { out: String::new(), line: 1, lines };
    writer.lines.insert(String::new(), 1);
    writer.block(value, 0, &mut Vec::new(), false);
    writer.out
}

struct Writer<'a> {
    out: String,
    line: u32,
    lines: &'a mut BTreeMap<String, u32>,
}

impl Writer<'_> {
    /// `started`: the line has its indentation already.
    fn block(&mut self, value: &Value, indent: usize, path: &mut Vec<Step>, mut started: bool) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    self.indent(indent, &mut started);
                    path.push(Step::Key(key.clone()));
                    self.lines.insert(path_of(path), self.line);
                    let key = if plain_text_stays_text(key) { key.clone() } else { format!("{key:?}") };
                    let _ = write!(self.out, "{key}:");
                    if nested(value) {
                        self.end_line();
                        self.block(value, indent + 2, path, false);
                    } else {
                        let _ = writeln!(self.out, " {}", scalar(value));
                        self.line += 1;
                    }
                    path.pop();
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.indent(indent, &mut started);
                    path.push(Step::Item(index));
                    self.lines.insert(path_of(path), self.line);
                    self.out.push_str("- ");
                    self.block(item, indent + 2, path, true);
                    path.pop();
                }
            }
            plain => {
                self.indent(indent, &mut started);
                self.out.push_str(&scalar(plain));
                self.end_line();
            }
        }
    }

    fn indent(&mut self, indent: usize, started: &mut bool) {
        if !std::mem::take(started) {
            let _ = write!(self.out, "{:indent$}", "");
        }
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.line += 1;
    }
}

fn nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if plain_text_stays_text(text) => text.clone(),
        other => other.to_string(),
    }
}
