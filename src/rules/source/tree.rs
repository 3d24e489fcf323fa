//! The values of one document in one vector, with their places.

use std::ops::Range;

use compact_str::CompactString;

/// A range of bytes of the text, in eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Place {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    pub(super) fn new(range: &Range<usize>) -> Self {
        Self { start: super::narrow(range.start), end: super::narrow(range.end) }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value as kubectl would send it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rules) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(CompactString),
    /// The places of the items in the tree.
    List(Vec<u32>),
    /// The places of the entries in the tree, in the order of the text.
    Map(Vec<u32>),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The list or map that holds it; the root holds itself.
    pub(super) parent: u32,
    /// Its key, where a map holds it.
    pub(super) key: Option<CompactString>,
    pub(super) key_place: Place,
    pub(super) place: Place,
    /// In braces or brackets.
    pub(super) flow: bool,
    pub(super) value: Value,
}

/// All values of a document; the first is the root.
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct Tree {
    pub(super) nodes: Vec<Node>,
}

impl Tree {
    pub(super) fn node(&self, at: u32) -> Option<&Node> {
        self.nodes.get(at as usize)
    }

    pub(super) fn children(&self, at: u32) -> &[u32] {
        match self.node(at).map(|node| &node.value) {
            Some(Value::List(children) | Value::Map(children)) => children,
            _ => &[],
        }
    }

    pub(super) fn entry(&self, at: u32, key: &str) -> Option<u32> {
        let Some(Value::Map(entries)) = self.node(at).map(|node| &node.value) else { return None };
        let named = |entry: &&u32| self.node(**entry).and_then(|node| node.key.as_deref()) == Some(key);
        entries.iter().find(named).copied()
    }
}
