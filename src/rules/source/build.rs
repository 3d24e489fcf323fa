//! Events of the YAML parser → trees, within bounds.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use compact_str::CompactString;
use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

use super::tree::{Node, Place, Tree, Value};
use super::{Document, Finding, MOST_COPIES, Source, Text, problem, scalar};

/// Reads all documents of a text, up to so many values.
pub(super) fn read(text: &str, most: usize) -> Source {
    let text = Arc::new(Text::new(text.to_owned()));
    let mut builder = Builder {
        text: &text,
        tree: Tree::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        number: 0,
        left: most,
        most,
        copies: 0,
        problems: Vec::new(),
    };
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text.as_str(), options);
    let mut documents = Vec::new();
    while let Some(next) = parser.next() {
        let stopped = match next {
            Ok((event, span)) => builder.event(event, span, &mut documents),
            Err(error) => Err(builder.syntax(&error)),
        };
        let Err(stop) = stopped else { continue };
        builder.problems.push(*stop.finding);
        builder.abandon();
        let more = stop.fatal || !matches!(parser.proceed_next_document(), Ok(true));
        if more {
            break;
        }
    }
    let problems = builder.problems;
    Source { documents, problems, text }
}

/// Why a document, or everything after this place, is not read.
struct Stop {
    finding: Box<Finding>,
    fatal: bool,
}

struct Open {
    node: u32,
    anchor: usize,
    /// A key that waits for its value.
    key: Option<(CompactString, Range<usize>)>,
}

struct Builder<'a> {
    text: &'a Arc<Text>,
    tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, u32>,
    number: usize,
    /// How many more values may come.
    left: usize,
    most: usize,
    copies: usize,
    problems: Vec<Finding>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: Span, documents: &mut Vec<Document>) -> Result<(), Stop> {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::DocumentStart(..) => {
                self.abandon();
                self.number += 1;
            }
            Event::DocumentEnd => {
                let tree = std::mem::take(&mut self.tree);
                self.abandon();
                let empty = tree.nodes.first().is_none_or(|root| root.value == Value::Null);
                if !empty {
                    documents.push(Document::new(Arc::clone(self.text), tree, self.number));
                }
            }
            Event::Scalar(word, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let value = self.scalar(&word, quoted, tag.as_deref(), &range)?;
                if self.wants_key() {
                    self.take_key(&value, &word, range);
                } else {
                    let node = self.push(value, range, false)?;
                    self.name(anchor, node);
                }
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.start(Value::List(Vec::new()), "seq", style, anchor, tag.as_deref(), range)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.start(Value::Map(Vec::new()), "map", style, anchor, tag.as_deref(), range)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&range)?,
            Event::Alias(anchor) => self.alias(anchor, range)?,
            _ => {}
        }
        Ok(())
    }

    /// Forgets what is open.
    fn abandon(&mut self) {
        self.tree = Tree::default();
        self.open.clear();
        self.anchors.clear();
    }

    fn stop(&self, rule: &'static str, range: Range<usize>, why: impl Into<String>) -> Stop {
        Stop {
            finding: Box::new(problem(self.text, self.number.max(1), rule, range, why.into())),
            fatal: false,
        }
    }

    fn syntax(&self, error: &ScanError) -> Stop {
        let at = error.marker().byte_offset().unwrap_or_default();
        let at = at.min(self.text.as_str().len());
        let after = self.text.as_str().get(at..).unwrap_or_default();
        let (line, _) = self.text.position(at);
        let indent: &str =
            self.text.line(line).split(|c: char| !c.is_whitespace()).next().unwrap_or_default();
        if after.starts_with('\t') || indent.contains('\t') {
            let at = self.text.line_range(line).start + indent.find('\t').unwrap_or_default();
            return self.stop("yaml-tab", at..at + 1, "a tab cannot indent YAML; use spaces");
        }
        let mut why = error.info();
        why.truncate(why.find('\n').unwrap_or(why.len()));
        self.stop("yaml-syntax", at..at, format!("this is not YAML: {why}"))
    }

    fn scalar(
        &self,
        word: &str,
        quoted: bool,
        tag: Option<&Tag>,
        range: &Range<usize>,
    ) -> Result<Value, Stop> {
        let Some(tag) = tag else {
            return Ok(if quoted { Value::Text(word.into()) } else { scalar::plain(word) });
        };
        let known = self.core_tag(tag, range)?;
        scalar::tagged(known, word, quoted).ok_or_else(|| {
            self.stop("yaml-tag", range.clone(), format!("the value does not fit its tag !!{known}"))
        })
    }

    fn core_tag<'t>(&self, tag: &'t Tag, range: &Range<usize>) -> Result<&'t str, Stop> {
        // A lone `!` says: a plain text, list or map.
        if tag.handle().is_empty() && tag.suffix() == "!" || tag.handle() == "!" && tag.suffix().is_empty() {
            return Ok("str");
        }
        let suffix = tag.core_suffix().or_else(|| more_core_tags(tag));
        suffix.ok_or_else(|| {
            let written = crate::text::one_line(&tag.original(), 60);
            self.stop("yaml-tag", range.clone(), format!("the tag {written} is not known"))
        })
    }

    fn start(
        &mut self,
        value: Value,
        own: &str,
        style: StructureStyle,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), Stop> {
        if let Some(tag) = tag {
            let known = self.core_tag(tag, &range)?;
            if known != own && known != "str" {
                return Err(self.stop(
                    "yaml-tag",
                    range,
                    format!("the value does not fit its tag !!{known}"),
                ));
            }
        }
        if self.wants_key() {
            return Err(self.stop("yaml-key", range, "a key must be a plain text, not a list or a map"));
        }
        let node = self.push(value, range, style == StructureStyle::Flow)?;
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn end(&mut self, range: &Range<usize>) -> Result<(), Stop> {
        let Some(Open { node, anchor, .. }) = self.open.pop() else { return Ok(()) };
        self.name(anchor, node);
        self.check_keys(node);
        self.merge(node)?;
        let last = self.tree.children(node).last().and_then(|&last| self.tree.node(last));
        let last = last.map(|last| last.place.end.max(last.key_place.end));
        if let Some(own) = self.tree.nodes.get_mut(node as usize) {
            // A block ends with its last part; the parser says so only when the next one begins.
            own.place.end = if own.flow { super::narrow(range.end) } else { last.unwrap_or(own.place.end) };
        }
        Ok(())
    }

    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none()
                && self.tree.node(open.node).is_some_and(|node| matches!(node.value, Value::Map(_)))
        })
    }

    fn take_key(&mut self, value: &Value, word: &str, range: Range<usize>) {
        // A key is a text for Kubernetes, whatever YAML makes of it.
        let key = match value {
            Value::Bool(truth) => if *truth { "true" } else { "false" }.into(),
            Value::Int(number) => number.to_string().into(),
            _ => CompactString::from(word),
        };
        if let Some(open) = self.open.last_mut() {
            open.key = Some((key, range));
        }
    }

    /// Puts a value where the text is.
    fn push(&mut self, value: Value, mut range: Range<usize>, flow: bool) -> Result<u32, Stop> {
        if self.left == 0 {
            let why = format!("more than {} values; the rest of the file is not read", self.most);
            return Err(Stop { fatal: true, ..self.stop("file-values", range, why) });
        }
        self.left -= 1;
        let at = super::narrow(self.tree.nodes.len());
        let (parent, key) = match self.open.last_mut() {
            None => (at, None),
            Some(open) => (open.node, open.key.take()),
        };
        let (key, key_place) = match key {
            None => (None, Place::default()),
            Some((key, place)) => (Some(key), Place::new(&place)),
        };
        if key.is_some() && range.is_empty() && value == Value::Null {
            range = key_place.range().end..key_place.range().end;
        }
        self.tree.nodes.push(Node { parent, key, key_place, place: Place::new(&range), flow, value });
        if parent != at {
            self.adopt(parent, at);
        }
        Ok(at)
    }

    fn adopt(&mut self, parent: u32, child: u32) {
        let parent = self.tree.nodes.get_mut(parent as usize).map(|node| &mut node.value);
        if let Some(Value::List(children) | Value::Map(children)) = parent {
            children.push(child);
        }
    }

    fn name(&mut self, anchor: usize, node: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Result<(), Stop> {
        if self.wants_key() {
            return Err(self.stop("yaml-key", range, "a key must be a plain text, not an alias"));
        }
        let Some(&from) = self.anchors.get(&anchor) else {
            return Err(self.stop("yaml-alias", range, "an alias inside of what it stands for"));
        };
        let at = self.push(Value::Null, range.clone(), true)?;
        self.copy_into(from, at, &range)
    }

    /// Makes the value at `to` the same as that at `from`, wherever that was written.
    fn copy_into(&mut self, from: u32, to: u32, range: &Range<usize>) -> Result<(), Stop> {
        let Some(original) = self.tree.node(from) else { return Ok(()) };
        let value = original.value.clone();
        let children = match &value {
            Value::List(children) | Value::Map(children) => children.clone(),
            _ => Vec::new(),
        };
        let empty = match value {
            Value::List(_) => Value::List(Vec::with_capacity(children.len())),
            Value::Map(_) => Value::Map(Vec::with_capacity(children.len())),
            scalar => scalar,
        };
        if let Some(node) = self.tree.nodes.get_mut(to as usize) {
            node.value = empty;
        }
        for child in children {
            self.copies += 1;
            if self.copies > MOST_COPIES {
                let why = format!("the aliases of this file make more than {MOST_COPIES} values");
                return Err(Stop { fatal: true, ..self.stop("yaml-alias", range.clone(), why) });
            }
            let Some(node) = self.tree.node(child) else { continue };
            let copy = Node { parent: to, value: Value::Null, ..node.clone() };
            let at = super::narrow(self.tree.nodes.len());
            self.tree.nodes.push(copy);
            self.adopt(to, at);
            self.copy_into(child, at, range)?;
        }
        Ok(())
    }

    /// Two entries with one key: Kubernetes refuses them, and nobody can say which one was meant.
    fn check_keys(&mut self, map: u32) {
        let Some(Value::Map(entries)) = self.tree.node(map).map(|node| &node.value) else { return };
        let mut seen: HashMap<&str, u32> = HashMap::with_capacity(entries.len());
        let mut twice = Vec::new();
        for &entry in entries {
            let Some(Node { key: Some(key), key_place, .. }) = self.tree.node(entry) else { continue };
            if key == "<<" {
                continue;
            }
            let first = *seen.entry(key).or_insert(key_place.start);
            if first != key_place.start {
                twice.push((crate::text::one_line(key, 60), first as usize, key_place.range()));
            }
        }
        for (key, first, range) in twice.into_iter().take(20) {
            let (line, _) = self.text.position(range.start);
            let (before, _) = self.text.position(first);
            let why = format!("key \"{key}\" is given twice, in line {before} and in line {line}");
            self.problems.push(problem(self.text, self.number.max(1), "yaml-duplicate-key", range, why));
        }
    }

    /// `<<: *defaults` gives the map the entries of another one that it does not have itself.
    fn merge(&mut self, map: u32) -> Result<(), Stop> {
        let Some(from) = self.tree.entry(map, "<<") else { return Ok(()) };
        let place = self.tree.node(from).map_or(0..0, |node| node.key_place.range());
        let sources = match self.tree.node(from).map(|node| &node.value) {
            Some(Value::Map(_)) => vec![from],
            Some(Value::List(items)) => items.clone(),
            _ => return Err(self.stop("yaml-alias", place, "only a map can be merged with <<")),
        };
        if let Some(Value::Map(entries)) = self.tree.nodes.get_mut(map as usize).map(|node| &mut node.value) {
            entries.retain(|&entry| entry != from);
        }
        let known = self.tree.children(map).iter().filter_map(|&entry| self.tree.node(entry)?.key.clone());
        let mut known: HashSet<CompactString> = known.collect();
        for source in sources {
            for entry in self.tree.children(source).to_vec() {
                let Some(node) = self.tree.node(entry) else { continue };
                let Some(key) = node.key.clone() else { continue };
                if !known.insert(key) {
                    continue;
                }
                let copy = Node { parent: map, value: Value::Null, ..node.clone() };
                let at = super::narrow(self.tree.nodes.len());
                self.tree.nodes.push(copy);
                self.adopt(map, at);
                self.copies += 1;
                self.copy_into(entry, at, &place)?;
            }
        }
        Ok(())
    }
}

/// Tags of YAML 1.1 that the newer core schema left out and Kubernetes still reads.
fn more_core_tags(tag: &Tag) -> Option<&'static str> {
    let suffix = tag.suffix_in_namespace("tag:yaml.org,2002:")?;
    ["binary", "timestamp"].into_iter().find(|known| *known == suffix)
}
