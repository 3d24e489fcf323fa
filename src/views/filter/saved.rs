//! Filters that are kept under a name.

use std::collections::BTreeMap;

use super::{Filter, FilterError};

/// Filters by name. In a file each is a line, `name = expression`; `#` begins a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Those that are kept in the file.
    kept: BTreeMap<String, String>,
    /// Those of the config, or what is wrong with them. One that is kept under the same name counts instead.
    given: BTreeMap<String, Result<String, String>>,
}

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
        self.kept.iter().map(|(name, filter)| format!("{name} = {filter}\n")).collect()
    }

    /// Keeps a filter under a name, in the place of one with the same name. Names of saved filters in it become what these
    /// say.
    ///
    /// # Errors
    ///
    /// The name is not made of letters, digits, `-` and `_`, or the expression cannot be read.
    pub fn set(&mut self, name: &str, filter: &str) -> Result<(), FilterError> {
        let filter = self.checked(name, filter)?;
        self.kept.insert(name.to_owned(), filter);
        Ok(())
    }

    /// Adds a filter of the config.
    ///
    /// # Errors
    ///
    /// As [`Saved::set`]; who uses it hears of that as well.
    pub fn give(&mut self, name: &str, filter: &str) -> Result<(), FilterError> {
        let checked = self.checked(name, filter);
        let (filter, told) = match checked {
            Ok(filter) => (Ok(filter), Ok(())),
            Err(error) => (Err(error.why.clone()), Err(error)),
        };
        self.given.insert(name.to_owned(), filter);
        told
    }

    fn checked(&self, name: &str, filter: &str) -> Result<String, FilterError> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(plain) {
            let why = format!("{name:?} cannot be the name of a filter: letters, digits, - and _ can.");
            return Err(FilterError::new(0..0, why));
        }
        if filter.contains(char::is_control) {
            return Err(FilterError::new(0..0, "A filter that is kept has no control characters."));
        }
        let read = Filter::with(filter, self);
        match read.error() {
            Some(error) => Err(error.clone()),
            None => Ok(self.expanded(&read).trim().to_owned()),
        }
    }

    /// The text of a filter with what saved ones say in the place of their names.
    fn expanded(&self, filter: &Filter) -> String {
        let (text, mut out, mut done) = (&filter.text, String::new(), 0);
        for term in filter.terms() {
            if let Some(said) = term.of.as_deref().and_then(|name| self.find(name).ok())
                && term.at.start >= done
            {
                out.push_str(&text[done..term.at.start]);
                out.push_str(said);
                done = term.at.end;
            }
        }
        out.push_str(&text[done..]);
        out
    }

    /// Forgets a filter that is kept and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.kept.remove(name).is_some()
    }

    /// Names and expressions, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + '_ {
        let mut all: BTreeMap<&str, &str> = BTreeMap::new();
        let given = self.given.iter().filter_map(|(name, filter)| Some((name, filter.as_ref().ok()?)));
        all.extend(given.chain(&self.kept).map(|(name, filter)| (name.as_str(), filter.as_str())));
        all.into_iter()
    }

    /// What the filter of this name says, or why that cannot be told.
    pub(super) fn find(&self, name: &str) -> Result<&str, String> {
        match (self.kept.get(name), self.given.get(name)) {
            (Some(filter), _) | (None, Some(Ok(filter))) => Ok(filter),
            (None, Some(Err(why))) => Err(format!("In @{name} of the config: {why}")),
            (None, None) => Err(format!("There is no saved filter {name:?}; in quotes @ is plain text.")),
        }
    }
}
