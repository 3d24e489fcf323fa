//! Which rows are shown: an expression that people type, and what it means for the columns of a view.
//!
//! | Written | Rows that pass |
//! |---|---|
//! | `text` | a regular expression, whatever the case, that the visible cells match; several words: all of them |
//! | `"two words"` | the same with blanks in it, and for text that would read as something else |
//! | `key:value,value` | one of the values is in the cell of that column, `*` standing for anything; in that of the state a word begins with it |
//! | `key>n`, `>=`, `<`, `<=`, `key=n`, `key!=n` | by value: numbers, `8Gi`, `2h`, `3d4h`, `80%` |
//! | `has:fact` | the column of that fact says something other than no |
//! | `-key:value`, `!anything` | the opposite |
//! | `-l selector` | a label selector as of kubectl; `key=value` too where no column has that name |
//! | `-f letters` | the letters stand in this order in `namespace/name` |
//! | `@name` | what the saved filter of that name says |

mod columns;
mod complete;
mod parse;
mod plan;
mod saved;
mod selector;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use crate::text;

pub use columns::find as column_of;
pub use complete::{Completion, complete};
pub use saved::Saved;

pub(super) use parse::{Op, Term, What};
pub(super) use plan::{Cells, Plan};

/// A filter as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// As typed.
    pub text: String,
    /// Those that could be read, up to the first that could not.
    terms: Vec<Term>,
    error: Option<FilterError>,
    names_saved: bool,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Filter {}

impl Filter {
    /// Reads what was typed where no filter is saved. What cannot be read is kept with the reason.
    pub fn parse(text: &str) -> Self {
        Self::with(text, &Saved::default())
    }

    /// Reads what was typed, with `@name` for a saved filter.
    pub fn with(text: &str, saved: &Saved) -> Self {
        let parse::Read { terms, error, names_saved } = parse::terms(text, saved);
        Self { text: text.to_owned(), terms, error, names_saved }
    }

    /// Whether a saved filter is named, so that it means another thing once it is known which there are.
    pub fn names_saved(&self) -> bool {
        self.names_saved
    }

    /// Whether it lets every row pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.error.is_none()
    }

    /// What is wrong with the writing. Whether the view has the columns that it names is for the list to say.
    pub fn error(&self) -> Option<&FilterError> {
        self.error.as_ref()
    }

    /// One short text for each term, for the title; the whole text where it cannot be read.
    pub fn chips(&self) -> Vec<String> {
        match &self.error {
            None => self.terms.iter().map(ToString::to_string).collect(),
            Some(_) => vec![self.text.clone()],
        }
    }

    /// The terms that could be read. Of a filter that is not finished these are what is meant so far.
    pub(super) fn terms(&self) -> &[Term] {
        &self.terms
    }
}

impl fmt::Display for Filter {
    /// The same filter in its usual form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chips().join(" "))
    }
}

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// A sentence.
    pub why: String,
    /// Whether it may only not be finished: something is missing at the end.
    pub unfinished: bool,
}

impl FilterError {
    fn new(at: Range<usize>, why: impl Into<String>) -> Self {
        Self { at, why: why.into(), unfinished: false }
    }

    fn unfinished(at: Range<usize>, why: impl Into<String>) -> Self {
        Self { at, why: why.into(), unfinished: true }
    }

    /// The same, where it is a saved filter that is wrong.
    fn in_saved(self, name: &str) -> Self {
        Self { why: format!("In @{name}: {}", self.why), ..self }
    }

    /// The text and below it a line that points at the place, both safe to show.
    pub fn pointed(&self, text: &str) -> String {
        let upto = |end: usize| text::width(&text::clean(text.get(..end.min(text.len())).unwrap_or(text)));
        let (start, end) = (upto(self.at.start), upto(self.at.end));
        let carets = "^".repeat(end.saturating_sub(start).max(1));
        format!("{}\n{:start$}{carets}", text::clean(text), "")
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for FilterError {}
