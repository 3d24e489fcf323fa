//! Text → documents: what was written, and where each part of it stands.
//!
//! YAML and JSON, several documents in one stream. The text stays as it is, with its comments: a [`super::Fix`] edits it.
//! A part that cannot be read is a [`Finding`] like any other and does not hide the next document. Time and memory are
//! bounded for every text.

mod build;
mod scalar;
mod spot;
mod tree;

use std::ops::Range;
use std::sync::Arc;

use super::finding::{Finding, Level};
use super::subject::Subject;
use crate::model::dialect::{self, Form, Unconvertible};

pub(in crate::rules) use scalar::plain_text_stays_text;
pub use spot::Spot;
pub(in crate::rules) use spot::push_key;
pub(in crate::rules) use tree::{Tree, Value};

/// The longest text that is read, in bytes. An object of Kubernetes has at most some 1.5 MB.
pub const LONGEST: usize = 16 << 20;
/// The most values in one text.
pub const MOST_VALUES: usize = 1_000_000;
/// The most values that aliases may copy in one text.
pub const MOST_COPIES: usize = 20_000;

/// A text with its lines.
#[derive(Debug)]
pub struct Text {
    text: String,
    /// The offset at which each line starts.
    lines: Vec<u32>,
}

impl Text {
    fn new(text: String) -> Self {
        let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| narrow(at + 1));
        let lines = std::iter::once(0).chain(starts).collect();
        Self { text, lines }
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    #[must_use]
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|&start| start as usize <= offset);
        let start = self.lines.get(line.saturating_sub(1)).map_or(0, |&start| start as usize);
        let before = self.text.get(start..offset).unwrap_or_default();
        let before = if start == 0 { before.trim_start_matches('\u{feff}') } else { before };
        (narrow(line.max(1)), narrow(before.chars().count() + 1))
    }

    /// A line without its end, counted from 1.
    #[must_use]
    pub fn line(&self, line: u32) -> &str {
        let range = self.line_range(line);
        self.text.get(range).unwrap_or_default().trim_end_matches(['\n', '\r'])
    }

    /// The bytes of a line with its end, counted from 1.
    pub(in crate::rules) fn line_range(&self, line: u32) -> Range<usize> {
        let at = line.saturating_sub(1) as usize;
        let start = self.lines.get(at).map_or(self.text.len(), |&start| start as usize);
        let end = self.lines.get(at + 1).map_or(self.text.len(), |&start| start as usize);
        start..end
    }
}

/// Offsets are kept in four bytes; [`LONGEST`] is far below their end.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// One document of a stream.
#[derive(Debug)]
pub struct Document {
    text: Arc<Text>,
    tree: Tree,
    number: usize,
    subject: Subject,
    dialect: Dialect,
}

/// Which form a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `kind: workload` with `name` and `gvc` at the top.
    Seed,
    /// `apiVersion`, `kind` and `metadata`.
    Kubernetes,
}

impl Document {
    fn new(text: Arc<Text>, tree: Tree, number: usize) -> Self {
        let mut document = Self { text, tree, number, subject: Subject::Other, dialect: Dialect::Kubernetes };
        let root = document.root();
        let dialect = if root.get("apiVersion").exists() || root.get("metadata").exists() {
            Dialect::Kubernetes
        } else {
            Dialect::Seed
        };
        let subject = Subject::of(&root);
        document.dialect = dialect;
        document.subject = subject;
        document
    }

    /// The whole text that the document is a part of.
    #[must_use]
    pub fn text(&self) -> &Arc<Text> {
        &self.text
    }

    /// Its place in the stream, counted from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// What it describes.
    #[must_use]
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Which form it is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Its outermost value.
    #[must_use]
    pub fn root(&self) -> Spot<'_> {
        Spot::root(self)
    }

    /// The name that it gives its object, whatever its form.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let path = if self.dialect == Dialect::Seed { "name" } else { "metadata.name" };
        self.root().get(path).text()
    }

    /// The GVC or namespace that it names, whatever its form.
    #[must_use]
    pub fn gvc(&self) -> Option<&str> {
        let path = if self.dialect == Dialect::Seed { "gvc" } else { "metadata.namespace" };
        self.root().get(path).text()
    }
}

impl Document {
    /// The object as it is sent to an API server, in Kubernetes' form.
    ///
    /// # Errors
    ///
    /// When Kubernetes' form has no such kind, or cannot hold the document without a loss.
    pub fn object(&self) -> Result<serde_json::Value, Unconvertible> {
        let tree = dialect::convert(&self.root().tree(), Form::Kubernetes)?;
        Ok(tree.json())
    }
}

/// What was read from one file.
#[derive(Debug)]
pub struct Source {
    /// The text; where the bytes were no text, what could be made of them, to be shown.
    pub text: Arc<Text>,
    /// The documents that could be read.
    pub documents: Vec<Document>,
    /// Why others could not.
    pub problems: Vec<Finding>,
}

impl Source {
    /// Reads the documents of a file. Never fails: what cannot be read is a finding.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        if bytes.len() > LONGEST {
            let text = format!("the file is larger than {} MiB, the most that is read", LONGEST >> 20);
            return Self::refused(Text::new(String::new()), "file-size", 0, text);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => build::read(text, MOST_VALUES),
            Err(error) => {
                let at = error.valid_up_to();
                let text = format!("byte {at} of the file is not UTF-8; save the file as UTF-8");
                // What was valid keeps its length, so the offset still holds.
                Self::refused(
                    Text::new(String::from_utf8_lossy(bytes).into_owned()),
                    "file-encoding",
                    at,
                    text,
                )
            }
        }
    }

    fn refused(text: Text, rule: &'static str, at: usize, why: String) -> Self {
        let text = Arc::new(text);
        let problem = problem(&text, 1, rule, at..at, why);
        Self { text, documents: Vec::new(), problems: vec![problem] }
    }
}

/// A finding about the text itself.
fn problem(text: &Text, document: usize, rule: &'static str, range: Range<usize>, why: String) -> Finding {
    let (line, column) = text.position(range.start);
    Finding {
        rule,
        level: Level::Error,
        document,
        path: String::new(),
        line,
        column,
        range,
        text: why,
        fix: None,
    }
}

#[cfg(test)]
mod tests;
