//! What a rule has to say about a place in a text.

use std::ops::Range;

use super::fix::Fix;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The document is refused, or does not do what it says.
    Error,
    /// The document is taken, and something in it has no effect or a price.
    Warning,
}

impl Level {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One finding. Its texts hold words of the document and are not yet safe for a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The id of the rule.
    pub rule: &'static str,
    /// How grave it is.
    pub level: Level,
    /// The document in its stream, counted from 1.
    pub document: usize,
    /// The path in the form of the document; empty where the text itself is meant.
    pub path: String,
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// The bytes of the text to underline; empty for a place between two.
    pub range: Range<usize>,
    /// One sentence.
    pub text: String,
    /// How to mend it, where that is certain.
    pub fix: Option<Fix>,
}
