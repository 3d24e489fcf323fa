//! Changes to a text that mend a finding. The text around them stays as it is, with its comments.

use std::fmt::Write as _;
use std::ops::Range;

use super::source::{Document, Spot, plain_text_stays_text};

/// Some bytes replaced by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

/// A change that mends a finding: all of its edits or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: `remove image`.
    pub label: String,
    /// The edits, none of which overlap.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// Writes another plain value.
    #[must_use]
    pub fn set(spot: &Spot<'_>, value: &str) -> Option<Self> {
        let range = spot.value_range().filter(|range| !range.is_empty())?;
        let text = written(spot, value);
        Some(Self { label: format!("write {value}"), edits: vec![Edit { range, text }] })
    }

    /// Puts a value in quotes as it is written, so that it is a text.
    #[must_use]
    pub fn quote(spot: &Spot<'_>) -> Option<Self> {
        let range = spot.value_range().filter(|range| !range.is_empty())?;
        let old = spot.document().text().as_str().get(range.clone())?;
        let text = serde_json::Value::from(old).to_string();
        Some(Self { label: "put it in quotes".into(), edits: vec![Edit { range, text }] })
    }

    /// Writes a value without quotes, so that it is a number or a boolean.
    #[must_use]
    pub fn bare(spot: &Spot<'_>, value: &str) -> Option<Self> {
        let range = spot.value_range().filter(|range| !range.is_empty())?;
        Some(Self {
            label: format!("write {value} without quotes"),
            edits: vec![Edit { range, text: value.into() }],
        })
    }

    /// Writes another key and leaves the value.
    #[must_use]
    pub fn rename(spot: &Spot<'_>, key: &str) -> Option<Self> {
        spot.key()?;
        let range = spot.key_range();
        let text = if in_json(spot, &range) { format!("{key:?}") } else { key.to_owned() };
        Some(Self { label: format!("rename to {key}"), edits: vec![Edit { range, text }] })
    }

    /// Removes an entry of a map with its key, or an item of a list.
    #[must_use]
    pub fn remove(spot: &Spot<'_>) -> Option<Self> {
        let label = match spot.key() {
            Some(key) => format!("remove {key}"),
            None => "remove this item".into(),
        };
        let edit = removal(spot)?;
        Some(Self { label, edits: vec![edit] })
    }

    /// Adds an entry to a map that has some already. `value` is a plain word, or JSON.
    #[must_use]
    pub fn add(map: &Spot<'_>, key: &str, value: &str) -> Option<Self> {
        let (_, first) = map.entries().next()?;
        let before = first.key_range();
        let json = in_json(&first, &before);
        let (key, shown) = (if json { format!("{key:?}") } else { key.to_owned() }, key);
        let plain = !value.starts_with(['{', '[', '"']) && !bare_in_json(value);
        let written =
            if json && plain { serde_json::Value::from(value).to_string() } else { value.to_owned() };
        let text = if map.is_flow() {
            format!("{key}: {written}, ")
        } else {
            let (_, column) = map.document().text().position(before.start);
            format!("{key}: {written}\n{:indent$}", "", indent = column.saturating_sub(1) as usize)
        };
        let edits = vec![Edit { range: before.start..before.start, text }];
        Some(Self { label: format!("add {shown}: {value}"), edits })
    }

    /// Moves entries of a map below new keys, one below the other. Only where each entry has lines of its own.
    #[must_use]
    pub fn deepen(entries: &[Spot<'_>], under: &[&str]) -> Option<Self> {
        let first = entries.first()?;
        let text = first.document().text();
        let (_, column) = text.position(first.key_range().start);
        let indent = column.saturating_sub(1) as usize;
        let mut moved = String::new();
        for (depth, key) in under.iter().enumerate() {
            let _ = writeln!(moved, "{:width$}{key}:", "", width = indent + 2 * depth);
        }
        let mut edits = Vec::new();
        for entry in entries {
            let own = entry.key_range().start;
            let (line, _) = text.position(own);
            let start = text.line_range(line).start;
            if entry.holder().is_flow() || !text.as_str().get(start..own)?.trim().is_empty() {
                return None;
            }
            let end = end_of_words(text.as_str(), own, end_of(entry));
            let (last, _) = text.position(end.saturating_sub(1).max(own));
            let range = start..text.line_range(last).end;
            for line in text.as_str().get(range.clone())?.lines() {
                let width = if line.trim().is_empty() { 0 } else { 2 * under.len() };
                let _ = writeln!(moved, "{:width$}{line}", "");
            }
            edits.push(Edit { range, text: String::new() });
        }
        edits.first_mut()?.text = moved;
        Some(Self { label: format!("move it below {}", under.join(".")), edits })
    }

    /// Writes another entry in the place of this one: a key, a key below it, and the fields below that.
    #[must_use]
    pub fn replace(entry: &Spot<'_>, key: &str, below: &str, fields: &serde_json::Value) -> Option<Self> {
        entry.key()?;
        let text = entry.document().text();
        let own = entry.key_range().start;
        let end = end_of_words(text.as_str(), own, end_of(entry));
        let written = if entry.holder().is_flow() {
            let quoted = in_json(entry, &entry.key_range());
            let key = if quoted { format!("{key:?}") } else { key.to_owned() };
            format!("{key}: {{{below:?}: {fields}}}")
        } else {
            let (_, column) = text.position(own);
            let indent = column.saturating_sub(1) as usize;
            let mut written = format!("{key}:\n{:width$}{below}:", "", width = indent + 2);
            for (name, value) in fields.as_object()? {
                let value = match value {
                    serde_json::Value::String(plain) if plain_text_stays_text(plain) => plain.clone(),
                    other => other.to_string(),
                };
                let _ = write!(written, "\n{:width$}{name}: {value}", "", width = indent + 4);
            }
            written
        };
        Some(Self {
            label: format!("write {key}.{below}"),
            edits: vec![Edit { range: own..end, text: written }],
        })
    }

    /// Removes a whole document from its stream, with the line that separates it.
    #[must_use]
    pub fn drop_document(document: &Document) -> Option<Self> {
        let text = document.text();
        let (first, _) = text.position(document.root().range().start);
        let (last, _) = text.position(document.root().range().end);
        let is_end = |line: &u32| text.line(*line).starts_with("---");
        let lines = u32::try_from(text.as_str().lines().count()).ok()?;
        let before = (1..=first).rev().find(is_end);
        let after = (last.max(first)..=lines).find(|line| *line > first && is_end(line));
        let start = before.map_or(0, |line| text.line_range(line).start);
        let end = match (before, after) {
            (_, None) => text.as_str().len(),
            (Some(_), Some(after)) => text.line_range(after).start,
            (None, Some(after)) => text.line_range(after).end,
        };
        let edits = vec![sound(start..end, String::new())?];
        Some(Self { label: "remove this document".into(), edits })
    }

    /// Says what the change does in other words.
    #[must_use]
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Does another change together with this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let _ = write!(self.label, " and {}", other.label);
        self.edits.extend(other.edits);
        self
    }
}

/// Whether keys are in quotes here, as in JSON.
fn in_json(spot: &Spot<'_>, key: &Range<usize>) -> bool {
    let text = spot.document().text().as_str();
    text.as_bytes().get(key.start) == Some(&b'"') && spot.holder().is_flow()
}

/// A text as a plain value, in quotes where it needs them or where it had them.
fn written(spot: &Spot<'_>, value: &str) -> String {
    let quoted = spot
        .value_range()
        .and_then(|range| spot.document().text().as_str().get(range))
        .is_some_and(|old| old.starts_with('"'));
    if !quoted && (bare_in_json(value) || plain_text_stays_text(value)) {
        value.to_owned()
    } else {
        serde_json::Value::from(value).to_string()
    }
}

/// Whether JSON has no quotes around it.
fn bare_in_json(value: &str) -> bool {
    value.parse::<i64>().is_ok() || matches!(value, "true" | "false" | "null")
}

fn removal(spot: &Spot<'_>) -> Option<Edit> {
    let holder = spot.holder();
    let value = spot.value_range()?;
    let is_entry = spot.key().is_some();
    let own = if is_entry { spot.key_range().start } else { value.start };
    let end = value.end.max(if is_entry { spot.key_range().end } else { 0 });
    let siblings: Vec<Range<usize>> = if is_entry {
        holder.entries().map(|(_, entry)| entry.key_range().start..end_of(&entry)).collect()
    } else {
        holder.items().filter_map(|item| item.value_range()).collect()
    };
    let at = siblings.iter().position(|sibling| sibling.start == own)?;
    let next = siblings.get(at + 1);
    let before = at.checked_sub(1).and_then(|before| siblings.get(before));
    let text = spot.document().text();
    if holder.is_flow() {
        let range = match (next, before) {
            (Some(next), _) => own..next.start,
            (None, Some(before)) => before.end..end,
            (None, None) => own..end,
        };
        return sound(range, String::new());
    }
    if siblings.len() == 1 {
        let empty = if is_entry { "{}" } else { "[]" };
        // The dash of the only item stands before it.
        let start = if is_entry { own } else { text.as_str().get(..own)?.rfind('-')? };
        return sound(start..end, empty.to_owned());
    }
    let (line, _) = text.position(own);
    let start = text.line_range(line).start;
    let prefix = text.as_str().get(start..own)?;
    let alone = if is_entry { prefix.trim().is_empty() } else { prefix.trim() == "-" };
    if !alone {
        // The first entry of an item, after its dash: the next one takes its place.
        return sound(own..next?.start, String::new());
    }
    let (last, _) = text.position(end_of_words(text.as_str(), own, end).saturating_sub(1).max(own));
    sound(start..text.line_range(last).end, String::new())
}

fn sound(range: Range<usize>, text: String) -> Option<Edit> {
    (range.start <= range.end).then_some(Edit { range, text })
}

fn end_of(spot: &Spot<'_>) -> usize {
    let end = spot.value_range().map_or(0, |range| range.end);
    end.max(spot.key_range().end)
}

/// Where the words of a value end: a block text takes the empty lines after it along.
fn end_of_words(text: &str, start: usize, end: usize) -> usize {
    text.get(start..end).map_or(end, |part| start + part.trim_end().len())
}

/// Applies fixes in the order of the text. A fix that overlaps one before it is left out; the second value says how many
/// were applied.
#[must_use]
pub fn apply<'f>(text: &str, fixes: impl IntoIterator<Item = &'f Fix>) -> (String, usize) {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut applied = 0;
    let overlaps = |one: &Edit, other: &Edit| {
        one.range == other.range
            || (one.range.start < other.range.end && other.range.start < one.range.end)
            || (other.range.contains(&one.range.start) && one.range.start > other.range.start)
            || (one.range.contains(&other.range.start) && other.range.start > one.range.start)
    };
    for fix in fixes {
        let sound = |edit: &Edit| text.get(edit.range.clone()).is_some();
        let free = |edit: &Edit| taken.iter().all(|other| !overlaps(edit, other));
        if fix.edits.iter().all(|edit| sound(edit) && free(edit)) {
            taken.extend(&fix.edits);
            applied += 1;
        }
    }
    taken.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in taken {
        out.push_str(text.get(at..edit.range.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, applied)
}
