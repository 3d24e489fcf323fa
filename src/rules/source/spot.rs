//! A place in a document: a value, or where a value could be.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;

use super::Document;
use super::tree::{Node, Value};
use crate::model::tree::Tree;

/// A place in a document. It may be empty: then it knows its path and which part of the text comes closest.
#[derive(Clone)]
pub struct Spot<'a> {
    document: &'a Document,
    /// The value, or the closest value around the place where one is missing.
    node: u32,
    /// What leads from `node` to a missing value; empty where there is one.
    tail: Cow<'static, str>,
}

impl fmt::Debug for Spot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.path(), self.shown())
    }
}

impl<'a> Spot<'a> {
    pub(super) fn root(document: &'a Document) -> Self {
        Self { document, node: 0, tail: Cow::Borrowed("") }
    }

    /// The document that the place is in.
    #[must_use]
    pub fn document(&self) -> &'a Document {
        self.document
    }

    fn at_node(&self, node: u32) -> Self {
        Self { document: self.document, node, tail: Cow::Borrowed("") }
    }

    fn node(&self) -> Option<&'a Node> {
        if self.tail.is_empty() { self.document.tree.node(self.node) } else { None }
    }

    pub(in crate::rules) fn value(&self) -> Option<&'a Value> {
        self.node().map(|node| &node.value)
    }

    /// The place at `path` below this one: keys, separated by dots.
    #[must_use]
    pub fn get(&self, path: &'static str) -> Self {
        if !self.tail.is_empty() {
            let tail = format!("{}.{path}", self.tail);
            return Self { tail: Cow::Owned(tail), ..self.clone() };
        }
        let mut node = self.node;
        let mut rest = path;
        while !rest.is_empty() {
            let (key, after) = rest.split_once('.').unwrap_or((rest, ""));
            let Some(entry) = self.document.tree.entry(node, key) else { break };
            node = entry;
            rest = after;
        }
        Self { document: self.document, node, tail: Cow::Borrowed(rest) }
    }

    /// The place with this very key below this one, which may hold dots.
    #[must_use]
    pub fn child(&self, key: &'static str) -> Self {
        match self.entry(key) {
            Some(entry) => entry,
            None if self.tail.is_empty() => Self { tail: Cow::Borrowed(key), ..self.clone() },
            None => Self { tail: Cow::Owned(format!("{}.{key}", self.tail)), ..self.clone() },
        }
    }

    /// The entry with this very key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<Self> {
        self.node()?;
        self.document.tree.entry(self.node, key).map(|node| self.at_node(node))
    }

    /// The list or map around this place; the root is around itself.
    #[must_use]
    pub fn holder(&self) -> Self {
        if let Some((above, _)) = self.tail.rsplit_once('.') {
            return Self { tail: Cow::Owned(above.to_owned()), ..self.clone() };
        }
        if !self.tail.is_empty() {
            return self.at_node(self.node);
        }
        self.at_node(self.document.tree.node(self.node).map_or(0, |node| node.parent))
    }

    /// The items of a list; none where there is no list.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'a> {
        let children = match self.value() {
            Some(Value::List(children)) => children.as_slice(),
            _ => &[],
        };
        let this = self.clone();
        children.iter().map(move |&child| this.at_node(child))
    }

    /// The entries of a map; none where there is no map.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let children = match self.value() {
            Some(Value::Map(children)) => children.as_slice(),
            _ => &[],
        };
        let this = self.clone();
        children.iter().map(move |&child| {
            let entry = this.at_node(child);
            (entry.key().unwrap_or_default(), entry)
        })
    }

    /// One item of a list, counted from 0.
    #[must_use]
    pub fn item(&self, index: usize) -> Option<Self> {
        let Some(Value::List(children)) = self.value() else { return None };
        children.get(index).map(|&child| self.at_node(child))
    }

    /// How many items or entries there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.value() {
            Some(Value::List(children) | Value::Map(children)) => children.len(),
            _ => 0,
        }
    }

    /// Its key, where a map holds it.
    #[must_use]
    pub fn key(&self) -> Option<&'a str> {
        self.node()?.key.as_deref()
    }

    /// Whether something is written here, be it `null`.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.node().is_some()
    }

    /// Whether nothing is written here, or `null`.
    #[must_use]
    pub fn missing(&self) -> bool {
        matches!(self.value(), None | Some(Value::Null))
    }

    /// Whether nothing is written here, `null`, or an empty text, list or map.
    #[must_use]
    pub fn blank(&self) -> bool {
        match self.value() {
            None | Some(Value::Null) => true,
            Some(Value::Text(text)) => text.is_empty(),
            Some(Value::List(children) | Value::Map(children)) => children.is_empty(),
            Some(_) => false,
        }
    }

    /// Whether this is a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self.value(), Some(Value::List(_)))
    }

    /// Whether this is a map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self.value(), Some(Value::Map(_)))
    }

    /// The text that stands here.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        match self.value()? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text or number that stands here, as text: for quantities and everything else that may be either.
    #[must_use]
    pub fn word(&self) -> Option<Cow<'a, str>> {
        match self.value()? {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Int(number) => Some(Cow::Owned(number.to_string())),
            Value::Float(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// The whole number that stands here.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match self.value()? {
            Value::Int(number) => Some(*number),
            #[expect(clippy::cast_possible_truncation, reason = "whole and far from the limits")]
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => Some(*number as i64),
            _ => None,
        }
    }

    /// The number that stands here.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self.value()? {
            #[expect(clippy::cast_precision_loss, reason = "limits are compared, not counted")]
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean that stands here.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        match self.value()? {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// What stands here, for a sentence: a text as it is, a list as `a list`.
    #[must_use]
    pub fn shown(&self) -> Cow<'a, str> {
        match self.value() {
            None => Cow::Borrowed("nothing"),
            Some(Value::Null) => Cow::Borrowed("null"),
            Some(Value::Bool(truth)) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            Some(Value::List(_)) => Cow::Borrowed("a list"),
            Some(Value::Map(_)) => Cow::Borrowed("a map"),
            Some(_) => self.word().unwrap_or_default(),
        }
    }

    /// Whether two places hold the same value, however it is written.
    #[must_use]
    pub fn same(&self, other: &Spot<'_>) -> bool {
        match (self.value(), other.value()) {
            (None | Some(Value::Null), None | Some(Value::Null)) => true,
            (Some(Value::List(ours)), Some(Value::List(theirs))) => {
                ours.len() == theirs.len()
                    && self.items().zip(other.items()).all(|(our, their)| our.same(&their))
            }
            (Some(Value::Map(ours)), Some(Value::Map(theirs))) => {
                ours.len() == theirs.len()
                    && self.entries().all(|(key, our)| other.entry(key).is_some_and(|their| our.same(&their)))
            }
            (Some(our), Some(their)) => our == their,
            _ => false,
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self.value() {
            None | Some(Value::Null) => Json::Null,
            Some(Value::Bool(truth)) => Json::Bool(*truth),
            Some(Value::Int(number)) => (*number).into(),
            Some(Value::Float(number)) => (*number).into(),
            Some(Value::Text(text)) => Json::String(text.to_string()),
            Some(Value::List(_)) => self.items().map(|item| item.json()).collect(),
            Some(Value::Map(_)) => {
                Json::Object(self.entries().map(|(key, value)| (key.to_owned(), value.json())).collect())
            }
        }
    }

    /// The value with everything below it, in the order of the text.
    #[must_use]
    pub fn tree(&self) -> Tree {
        match self.value() {
            None | Some(Value::Null) => Tree::Null,
            Some(Value::Bool(truth)) => Tree::Bool(*truth),
            Some(Value::Int(number)) => Tree::Int(*number),
            Some(Value::Float(number)) => Tree::Float(*number),
            Some(Value::Text(text)) => Tree::Text(text.to_string()),
            Some(Value::List(_)) => Tree::List(self.items().map(|item| item.tree()).collect()),
            Some(Value::Map(_)) => {
                Tree::Map(self.entries().map(|(key, value)| (key.to_owned(), value.tree())).collect())
            }
        }
    }

    /// `spec.containers[0].cpu`; keys that are no plain words stand in brackets.
    #[must_use]
    pub fn path(&self) -> String {
        let mut steps = Vec::new();
        let mut at = self.node;
        let tree = &self.document.tree;
        while let Some(node) = tree.node(at)
            && node.parent != at
        {
            steps.push(at);
            at = node.parent;
        }
        let mut out = String::new();
        for step in steps.into_iter().rev() {
            let Some(node) = tree.node(step) else { continue };
            match &node.key {
                None => {
                    let index = tree.children(node.parent).iter().position(|&child| child == step);
                    let _ = write!(out, "[{}]", index.unwrap_or_default());
                }
                Some(key) => push_key(&mut out, key),
            }
        }
        if !self.tail.is_empty() {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&self.tail);
        }
        out
    }

    /// Which bytes to point at: a plain value itself, the key of a list or map, the closest key of what is missing.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let Some(node) = self.document.tree.node(self.node) else { return 0..0 };
        let scalar = !matches!(node.value, Value::List(_) | Value::Map(_));
        if scalar && self.tail.is_empty() && !node.place.range().is_empty() {
            return node.place.range();
        }
        self.key_range()
    }

    /// Which bytes to point at when the key is meant, not the value.
    #[must_use]
    pub fn key_range(&self) -> Range<usize> {
        let Some(node) = self.document.tree.node(self.node) else { return 0..0 };
        if node.key.is_some() {
            return node.key_place.range();
        }
        // An item or the root: where it begins.
        let first = self.document.tree.children(self.node).first();
        match first.and_then(|&first| self.document.tree.node(first)) {
            Some(first) if !node.flow && first.key.is_some() => first.key_place.range(),
            _ if matches!(node.value, Value::List(_) | Value::Map(_)) => {
                let start = node.place.range().start;
                start..start
            }
            _ => node.place.range(),
        }
    }

    /// The bytes of the value, all of it.
    pub(in crate::rules) fn value_range(&self) -> Option<Range<usize>> {
        self.node().map(|node| node.place.range())
    }

    /// Whether the value is in braces or brackets.
    pub(in crate::rules) fn is_flow(&self) -> bool {
        self.node().is_some_and(|node| node.flow)
    }
}

/// Writes a key after what leads to it.
pub(in crate::rules) fn push_key(out: &mut String, key: &str) {
    let plain = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(key);
    } else {
        let _ = write!(out, "[{key:?}]");
    }
}
