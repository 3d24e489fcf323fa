//! Filters that are kept under a name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Filter, FilterError};

/// Filters by name. In a file each is a line, `name = expression`; `#` begins a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved(BTreeMap<String, String>);

/// A line of the file that is no saved filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct BadFilterLine {
    /// Counted from one.
    pub line: usize,
    /// Counted from one.
    pub column: usize,
    /// A sentence.
    pub why: String,
}

impl Saved {
    /// Reads a file. Lines that cannot be read are left out and told.
    pub fn parse(text: &str) -> (Self, Vec<BadFilterLine>) {
        let mut saved = Self::default();
        let mut bad = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let wrong = |column: usize, why: String| BadFilterLine { line, column, why };
            let trimmed = content.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let Some((name, filter)) = content.split_once('=') else {
                bad.push(wrong(1, "A saved filter is written as name = expression.".into()));
                continue;
            };
            let begin = content.len() - filter.trim_start().len();
            if let Err(why) = saved.set(name.trim(), filter.trim()) {
                let at = content[..begin + why.at.start.min(filter.trim().len())].chars().count() + 1;
                bad.push(wrong(at, why.why));
            }
        }
        (saved, bad)
    }

    /// The file.
    pub fn print(&self) -> String {
        self.0.iter().map(|(name, filter)| format!("{name} = {filter}\n")).collect()
    }

    /// Keeps a filter under a name, in the place of one with the same name.
    ///
    /// # Errors
    ///
    /// The name is not made of letters, digits, `-` and `_`, or the expression cannot be read.
    pub fn set(&mut self, name: &str, filter: &str) -> Result<(), FilterError> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            let why = format!("{name:?} cannot be the name of a filter: letters, digits, - and _ can.");
            return Err(FilterError::new(0..0, why));
        }
        if filter.contains(char::is_control) {
            return Err(FilterError::new(0..0, "A filter that is kept has no control characters."));
        }
        if let Some(error) = Filter::parse(filter).error() {
            return Err(error.clone());
        }
        self.0.insert(name.to_owned(), filter.trim().to_owned());
        Ok(())
    }

    /// Forgets a filter and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// Names and expressions, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        self.0.iter().map(|(name, filter)| (name.as_str(), filter.as_str()))
    }

    /// The text with saved filters in the place of each `@name`.
    pub(super) fn expand<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, FilterError> {
        if !text.split_whitespace().any(|word| word.starts_with('@')) {
            return Ok(Cow::Borrowed(text));
        }
        let mut out = String::new();
        let mut at = 0;
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end();
            match word.strip_prefix('@') {
                None => out.push_str(piece),
                Some(name) => match self.0.get(name) {
                    Some(filter) => {
                        out.push_str(filter);
                        out.push_str(&piece[word.len()..]);
                    }
                    None => {
                        let why = format!("There is no saved filter {name:?}; in quotes @ is plain text.");
                        let unfinished = at + word.len() == text.len();
                        return Err(FilterError { unfinished, ..FilterError::new(at..at + word.len(), why) });
                    }
                },
            }
            at += piece.len();
        }
        Ok(Cow::Owned(out))
    }
}
