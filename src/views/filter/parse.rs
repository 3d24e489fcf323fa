//! The writing of a filter: from text to terms and back.

use std::fmt;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::selector::{self, Selector};
use super::{FilterError, Saved};

/// One condition; a row passes a filter if it passes all of them.
#[derive(Clone, Debug)]
pub(in crate::views) struct Term {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// The name of the saved filter that it is a part of.
    pub of: Option<Box<str>>,
    /// Whether rows pass that do not meet it.
    pub negated: bool,
    /// What it asks.
    pub what: What,
}

#[derive(Clone, Debug)]
pub(in crate::views) enum What {
    /// The visible cells have this text.
    Text(Pattern),
    /// Namespace and name have these letters in this order.
    Fuzzy(String),
    /// The labels are such.
    Labels(Selector),
    /// The cell of a column is such; with `=` and `!=` it may be a label.
    Key { key: String, op: Op, values: Vec<String> },
}

/// How a cell is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::views) enum Op {
    Has,
    Is,
    IsNot,
    Over,
    From,
    Under,
    UpTo,
}

impl Op {
    /// Longer ones first.
    const ALL: [(&'static str, Self); 8] = [
        (">=", Self::From),
        ("<=", Self::UpTo),
        ("!=", Self::IsNot),
        ("==", Self::Is),
        (">", Self::Over),
        ("<", Self::Under),
        ("=", Self::Is),
        (":", Self::Has),
    ];

    fn sign(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Over => ">",
            Self::From => ">=",
            Self::Under => "<",
            Self::UpTo => "<=",
        }
    }
}

/// A text to look for.
#[derive(Clone, Debug)]
pub(in crate::views) struct Pattern {
    /// As typed.
    text: String,
    /// Unless it is a plain word.
    regex: Option<Regex>,
}

impl Pattern {
    fn new(text: String, at: &Range<usize>) -> Result<Self, FilterError> {
        if !text.contains(|c: char| r"\.+*?()|[]{}^$".contains(c)) {
            return Ok(Self { text, regex: None });
        }
        let regex = RegexBuilder::new(&text)
            .case_insensitive(true)
            .unicode(!text.is_ascii())
            .size_limit(1 << 20)
            .dfa_size_limit(1 << 21)
            .nest_limit(50)
            .build()
            .map_err(|error| {
                let why = error.to_string();
                let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                let why = format!("{text:?} is no regular expression: {last}.");
                FilterError::new(at.clone(), crate::text::one_line(&why, 300))
            })?;
        Ok(Self { text, regex: Some(regex) })
    }

    /// The lower-case word, if it is one.
    pub(super) fn word(&self) -> Option<String> {
        self.regex.is_none().then(|| self.text.to_lowercase())
    }

    /// The regular expression, if it is one.
    pub(super) fn regex(&self) -> Option<&Regex> {
        self.regex.as_ref()
    }
}

/// What could be read of a text.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub terms: Vec<Term>,
    pub error: Option<FilterError>,
    /// Whether it names a saved filter.
    pub names_saved: bool,
}

/// Reads all terms, up to the first that is none, with those of saved filters in the place of their names.
pub(super) fn terms(text: &str, saved: &Saved) -> Read {
    let mut reader = Reader { text, at: 0 };
    let mut read = Read::default();
    loop {
        reader.blanks();
        if reader.rest().is_empty() {
            return read;
        }
        let named = reader.rest().starts_with('@');
        read.names_saved |= named;
        let next = if named { reader.saved(saved) } else { reader.term().map(|term| vec![term]) };
        match next {
            Ok(terms) => read.terms.extend(terms),
            Err(error) => {
                read.error = Some(error);
                return read;
            }
        }
    }
}

/// The operator that stands behind the name of a key at the start of `text`, and where it does.
pub(super) fn key_and_op(text: &str) -> Option<(&str, &'static str, Op)> {
    let key_char = |c: char| c.is_alphanumeric() || "_-./%".contains(c);
    let end = text.find(|c: char| !key_char(c))?;
    let key = &text[..end];
    key.starts_with(|c: char| c.is_alphabetic() || c == '%').then_some(())?;
    let &(sign, op) = Op::ALL.iter().find(|(sign, _)| text[end..].starts_with(sign))?;
    // An address of IPv6 is text.
    let address = op == Op::Has && text[end + 1..].starts_with(':');
    (!address).then_some((key, sign, op))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn takes(&mut self, start: &str) -> bool {
        let there = self.rest().starts_with(start);
        self.at += if there { start.len() } else { 0 };
        there
    }

    /// Whether this word comes next, with a blank or the end behind it.
    fn takes_word(&mut self, word: &str) -> bool {
        let rest = self.rest().strip_prefix(word);
        let there = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        there && self.takes(word)
    }

    /// Reads the name of a saved filter and gives what that says.
    fn saved(&mut self, saved: &Saved) -> Result<Vec<Term>, FilterError> {
        let start = self.at;
        let end = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        self.at += end;
        let (at, name) = (start..self.at, &self.text[start + 1..self.at]);
        let filter = saved.find(name).map_err(|why| FilterError {
            unfinished: self.at == self.text.len(),
            ..FilterError::new(at.clone(), why)
        })?;
        // What is kept has been read before, and names no other one.
        let Read { terms, error, .. } = terms(filter, &Saved::default());
        match error {
            Some(error) => Err(FilterError::new(at, error.in_saved(name).why)),
            None => Ok(terms
                .into_iter()
                .map(|term| Term { at: at.clone(), of: Some(name.into()), ..term })
                .collect()),
        }
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let start = self.at;
        let negated = self.takes("!");
        if negated && self.rest().starts_with('@') {
            let at = start..self.at + self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
            let why = "! does not turn a saved filter round; in quotes @ is plain text.";
            return Err(FilterError::new(at, why));
        }
        let (negated, what) = if self.takes_word("-l") {
            self.blanks();
            let (selector, length) = selector::parse(self.rest(), self.at)?;
            self.at += length;
            (negated, What::Labels(selector))
        } else if self.takes_word("-f") {
            self.blanks();
            let at = self.at;
            let letters = self.value(char::is_whitespace)?;
            if letters.is_empty() {
                return Err(FilterError::unfinished(start..at, "-f needs letters to look for."));
            }
            (negated, What::Fuzzy(letters))
        } else if let Some((key, sign, op)) = key_and_op(self.rest()) {
            (negated, self.key(key, sign, op)?)
        } else if let Some((key, sign, op)) = self.rest().strip_prefix('-').and_then(key_and_op) {
            self.at += 1;
            (!negated, self.key(key, sign, op)?)
        } else {
            let at = self.at;
            let text = self.value(char::is_whitespace)?;
            if text.is_empty() {
                return Err(FilterError::unfinished(
                    start..self.at,
                    "! needs a text that rows shall not have.",
                ));
            }
            (negated, What::Text(Pattern::new(text, &(at..self.at))?))
        };
        Ok(Term { at: start..self.at, of: None, negated, what })
    }

    fn key(&mut self, key: &str, sign: &str, op: Op) -> Result<What, FilterError> {
        let start = self.at;
        self.at += key.len() + sign.len();
        let mut values = Vec::new();
        loop {
            let value = self.value(ends_value)?;
            if value.is_empty() {
                let why = format!("{key}{sign} needs a value.");
                let end = self.at == self.text.len();
                return Err(FilterError { unfinished: end, ..FilterError::new(start..self.at, why) });
            }
            // In quotes it would stand before the closing one, which it makes a part of the text.
            if value.ends_with('\\') {
                let why = format!("{key}{sign} takes no value that ends with \\.");
                return Err(FilterError::unfinished(start..self.at, &why));
            }
            values.push(value);
            if !self.takes(",") {
                break;
            }
        }
        if values.len() > 1 && !matches!(op, Op::Has | Op::Is | Op::IsNot) {
            let why = format!("{key}{sign} takes one value.");
            return Err(FilterError::new(start..self.at, why));
        }
        Ok(What::Key { key: key.to_owned(), op, values })
    }

    /// Reads as far as `ends` says, or a quoted text.
    fn value(&mut self, ends: impl Fn(char) -> bool) -> Result<String, FilterError> {
        let start = self.at;
        if !self.takes("\"") {
            let end = self.rest().find(ends).unwrap_or(self.rest().len());
            self.at += end;
            return Ok(self.text[start..self.at].to_owned());
        }
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, '"')) => out.push('"'),
                    Some((_, other)) => out.extend(['\\', other]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(FilterError::unfinished(start..self.text.len(), "The closing quote is missing."))
    }
}

/// A value as it is typed behind a key, in quotes where it needs some; none if nothing that can be typed is read as it.
pub(super) fn typed_value(value: &str) -> Option<String> {
    let text = Value(value).to_string();
    let mut reader = Reader { text: &text, at: 0 };
    let read = reader.value(ends_value).ok()?;
    (read == value && reader.at == text.len() && !value.ends_with('\\')).then_some(text)
}

/// A value behind a key.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A colon behind a colon would be an address.
        let plain = bare(self.0) && !self.0.contains(',') && !self.0.starts_with([':', '=']);
        quoted(self.0, plain, f)
    }
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || c == ','
}

fn bare(text: &str) -> bool {
    !text.starts_with('"') && !text.contains(char::is_whitespace)
}

/// Writes a text so that it is read as one again.
fn quoted(text: &str, plain: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if plain {
        return f.write_str(text);
    }
    f.write_str("\"")?;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => {
                write!(f, "\\")?;
                if let Some(next) = chars.next() {
                    write!(f, "{next}")?;
                }
            }
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Key { key, op, values } => {
                write!(f, "{}{key}{}", if self.negated { "-" } else { "" }, op.sign())?;
                for (at, value) in values.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { "," } else { "" }, Value(value))?;
                }
                Ok(())
            }
            What::Labels(selector) => write!(f, "{}-l {selector}", if self.negated { "!" } else { "" }),
            What::Fuzzy(letters) => {
                write!(f, "{}-f ", if self.negated { "!" } else { "" })?;
                quoted(letters, bare(letters), f)
            }
            What::Text(Pattern { text, .. }) => {
                f.write_str(if self.negated { "!" } else { "" })?;
                let term = key_and_op(text).or_else(|| text.strip_prefix('-').and_then(key_and_op));
                // Behind a label selector some signs would be a part of it.
                let sign = text.starts_with(['!', '@', '<', '>', '=', ',', '(']);
                let other = sign || matches!(&**text, "-l" | "-f");
                quoted(text, bare(text) && term.is_none() && !other, f)
            }
        }
    }
}
