//! `v9s explain-field`: what a field of our own kinds means, from its schema and the catalogue of rules.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::bail;
use clap::Args;
use serde_json::Value;

use super::FINE;
use crate::model::crd::{self, KINDS, OwnKind};
use crate::rules::{Subject, catalogue, paths};
use crate::ui::signals::quiet_broken_pipe;

/// Say what a field of our kinds means, what it may hold, and which rules speak of it
#[derive(Debug, Args)]
pub(super) struct ExplainField {
    /// The field, as spec.vm.bootDisk, workload.spec.vm or volumeset.spec.snapshots; a workload's without a kind
    path: String,
}

impl ExplainField {
    pub(super) fn run(&self) -> anyhow::Result<u8> {
        let printed = explained(&self.path)?;
        quiet_broken_pipe(std::io::stdout().write_all(printed.as_bytes()))?;
        Ok(FINE)
    }
}

/// A field with its schema.
struct Found {
    kind: &'static OwnKind,
    /// Names from the top, without indexes of lists.
    names: Vec<String>,
    schema: Value,
    required: bool,
}

fn explained(path: &str) -> anyhow::Result<String> {
    let found = find(path)?;
    let mut out = String::new();
    let name = if found.names.is_empty() { found.kind.kind.to_owned() } else { found.names.join(".") };
    let _ = writeln!(out, "{name}  ({}, {}/{})", found.kind.kind, crd::GROUP, crd::VERSION);
    if let Some(text) = found.schema["description"].as_str() {
        let _ = writeln!(out, "  {text}");
    }
    out.push('\n');
    let mut rows = vec![("type".to_owned(), type_of(&found.schema))];
    let item = if found.schema["items"].is_object() { &found.schema["items"] } else { &found.schema };
    if !found.names.is_empty() {
        rows.push(("required".to_owned(), if found.required { "yes" } else { "no" }.to_owned()));
    }
    rows.extend(found.schema.get("default").map(|value| ("default".to_owned(), plain(value))));
    rows.extend(limits(&found.schema).map(|(name, limit)| (name.to_owned(), limit)));
    if found.schema["items"].is_object() {
        rows.extend(limits(item).map(|(name, limit)| (format!("{name} of an item"), limit)));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in rows {
        let _ = writeln!(out, "  {name:width$}  {value}");
    }
    rules(&found, &mut out);
    fields(&found, item, &mut out);
    Ok(out)
}

/// What a schema says about values, in words.
fn limits(schema: &Value) -> impl Iterator<Item = (&'static str, String)> {
    let words = schema["enum"].as_array().map(|words| words.iter().map(plain).collect::<Vec<_>>().join(", "));
    let between = |low: &str, high: &str| match (schema.get(low), schema.get(high)) {
        (Some(low), Some(high)) => Some(format!("{} to {}", plain(low), plain(high))),
        (Some(low), None) => low.as_i64().filter(|low| *low > i64::MIN).map(|low| format!("{low} or more")),
        (None, Some(high)) => Some(format!("at most {}", plain(high))),
        (None, None) => None,
    };
    [
        ("one of", words),
        ("range", between("minimum", "maximum")),
        ("length", between("minLength", "maxLength").map(|limit| format!("{limit} characters"))),
        ("pattern", schema["pattern"].as_str().map(str::to_owned)),
        ("entries", between("minItems", "maxItems").or_else(|| between("minProperties", "maxProperties"))),
    ]
    .into_iter()
    .filter_map(|(name, limit)| Some((name, limit?)))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn type_of(schema: &Value) -> String {
    if schema["x-kubernetes-int-or-string"] == true {
        return "integer or string".to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("map of {}", type_of(&schema["additionalProperties"]))
        }
        Some("string") if schema["format"] == "date-time" => "date-time".to_owned(),
        other => other.unwrap_or("any").to_owned(),
    }
}

/// The rules whose place is the field, and the names of those about what is in it.
fn rules(found: &Found, out: &mut String) {
    let subject = match found.kind.kind {
        "Workload" => Subject::Workload,
        "VolumeSet" => Subject::VolumeSet,
        "VolumeCommand" => Subject::VolumeCommand,
        "Image" => Subject::Image,
        _ => Subject::SupportedVersion,
    };
    let field = found.names.join(".");
    let (mut here, mut below) = (Vec::new(), Vec::new());
    for rule in catalogue::rules().filter(|rule| rule.on.contains(&subject)) {
        let places = paths::fields(rule.path, subject);
        if places.contains(&field) {
            here.push(rule);
        } else if places
            .iter()
            .any(|place| place.strip_prefix(&field).is_some_and(|rest| rest.starts_with('.')))
        {
            below.push(rule.id);
        }
    }
    if !here.is_empty() {
        out.push_str("\nRules\n");
        let width = here.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
        for rule in here {
            let _ = writeln!(
                out,
                "  {:width$}  {:7}  {}",
                rule.id,
                rule.level.word(),
                rule.text.replace("{}", "…")
            );
        }
    }
    if !below.is_empty() && !found.names.is_empty() {
        out.push_str("\nRules about fields in it\n");
        below.dedup();
        let mut line = String::from(" ");
        for id in below {
            if line.len() + id.len() > 98 {
                let _ = writeln!(out, "{line}");
                line = String::from(" ");
            }
            let _ = write!(line, " {id}");
        }
        let _ = writeln!(out, "{line}");
    }
}

/// The fields of an object, or of the objects of a list.
fn fields(found: &Found, schema: &Value, out: &mut String) {
    let Some(properties) = schema["properties"].as_object() else { return };
    out.push_str("\nFields\n");
    let rows: Vec<(&String, String, &str)> = properties
        .iter()
        .map(|(name, field)| {
            let required = if is_required(schema, name) { ", required" } else { "" };
            let text = field["description"].as_str().unwrap_or("Name, namespace, labels and annotations.");
            (name, format!("{}{required}", type_of(field)), text)
        })
        .filter(|(name, ..)| !found.names.is_empty() || *name != "apiVersion" && *name != "kind")
        .collect();
    let wide = |of: &dyn Fn(&(&String, String, &str)) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (first, second) = (wide(&|row| row.0.len()), wide(&|row| row.1.len()));
    for (name, type_, text) in &rows {
        let _ = writeln!(out, "  {name:first$}  {type_:second$}  {text}");
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

/// Follows a path through a schema. Case does not matter, indexes of lists are passed over, `spec` may be left out.
fn find(path: &str) -> anyhow::Result<Found> {
    let parts = path.split('.').map(|part| part.split('[').next().unwrap_or_default().trim());
    let mut parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let kind = parts.first().and_then(|first| crd::own_kind(first));
    if kind.is_some() {
        parts.remove(0);
    }
    let kind = kind.unwrap_or(&KINDS[0]);
    let mut schema = crd::schema(*kind);
    let top = |schema: &Value, name: &str| entry(schema, name).is_some();
    if let Some(first) = parts.first()
        && !top(&schema, first)
        && top(&schema["properties"]["spec"], first)
    {
        parts.insert(0, "spec");
    }
    let mut names = Vec::new();
    let mut required = false;
    for part in parts {
        let holder = if schema["items"].is_object() { schema["items"].take() } else { schema };
        let Some((name, field)) = entry(&holder, part) else {
            let known: Vec<&String> =
                holder["properties"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
            let at = if names.is_empty() { kind.kind.to_owned() } else { names.join(".") };
            if known.is_empty() {
                bail!("{at} has no fields");
            }
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            bail!("{at} has no field \"{}\"; it has {}", crate::text::one_line(part, 60), known.join(", "));
        };
        required = is_required(&holder, name);
        names.push(name.clone());
        schema = field.clone();
    }
    Ok(Found { kind, names, schema, required })
}

fn entry<'a>(schema: &'a Value, name: &str) -> Option<(&'a String, &'a Value)> {
    let properties = schema["properties"].as_object()?;
    properties
        .iter()
        .find(|(known, _)| *known == name)
        .or_else(|| properties.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_explained_from_schema_and_catalogue() {
        let cases: &[(&str, &[&str])] = &[
            (
                "spec.vm.bootDisk.bus",
                &["How the disk is attached.", "default   virtio", "one of    virtio, sata, scsi"],
            ),
            ("workload.spec.vm.bootDisk", &["required  yes", "Fields", "persist", "object, required"]),
            ("vm.bootdisk.bootorder", &["spec.vm.bootDisk.bootOrder", "range     1 to 16", "default   1"]),
            ("containers[0].cpu", &["integer or string", "cpu-whole-cores  error", "required  yes"]),
            ("spec.containers", &["list of object", "Rules about fields in it", "containers-exactly-one"]),
            ("volumeset.spec.snapshots", &["createFinalSnapshot", "retentionDuration"]),
            ("vset.spec.initialCapacity", &["number", "VolumeSet"]),
            ("sv.spec.state", &["Draft, Verified, Published, Deprecated, EndOfLife"]),
            ("image", &["Image  (Image, v9s.dev/v1alpha1)", "spec"]),
        ];
        for (path, wanted) in cases {
            let said = explained(path).unwrap();
            assert!(wanted.iter().all(|wanted| said.contains(wanted)), "{path}:\n{said}");
        }
    }

    #[test]
    fn a_field_that_is_not_there_is_answered_with_those_that_are() {
        let said = explained("spec.vm.bootDisk.size").unwrap_err().to_string();
        assert_eq!(said, "spec.vm.bootDisk has no field \"size\"; it has bootOrder, bus, persist, source");
        let said = explained("spec.vm.hostname.x").unwrap_err().to_string();
        assert_eq!(said, "spec.vm.hostname has no fields");
        assert!(
            explained("pods.spec").unwrap_err().to_string().starts_with("Workload has no field \"pods\"")
        );
    }

    #[test]
    fn every_field_can_be_asked_for() {
        fn walk(path: &str, schema: &Value, paths: &mut Vec<String>) {
            let schema = if schema["items"].is_object() { &schema["items"] } else { schema };
            for (name, below) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}.{name}");
                walk(&path, below, paths);
                paths.push(path);
            }
        }
        for kind in KINDS {
            let mut paths = Vec::new();
            walk(kind.kind, &crd::schema(kind), &mut paths);
            for path in paths.iter().step_by(7) {
                assert!(explained(path).unwrap().contains(crd::VERSION), "{path}");
            }
        }
    }
}
