//! Label selectors as kubectl reads them.

use std::fmt;

use super::FilterError;

/// Conditions on labels, all of which have to be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::views) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    /// Whether labels pass that do not meet it; a label that is missing passes then, too.
    negated: bool,
    /// One of these; none: any value.
    values: Option<Vec<String>>,
}

impl Selector {
    /// `key=value,…` or its opposite.
    pub(in crate::views) fn of(key: &str, values: &[String], negated: bool) -> Self {
        Self(vec![Requirement { key: key.to_owned(), negated, values: Some(values.to_vec()) }])
    }

    /// Whether labels meet it. `has` says whether there is a label, and with a value whether it has that one.
    pub(in crate::views) fn matches(&self, has: impl Fn(&str, Option<&str>) -> bool) -> bool {
        self.0.iter().all(|Requirement { key, negated, values }| {
            let met = match values {
                None => has(key, None),
                Some(values) => values.iter().any(|value| has(key, Some(value))),
            };
            met != *negated
        })
    }
}

/// Reads a selector as far as it goes and gives its length. `place` is where `text` begins in the whole.
pub(super) fn parse(text: &str, place: usize) -> Result<(Selector, usize), FilterError> {
    let mut reader = Reader { text, at: 0, place };
    let mut all = Vec::new();
    loop {
        all.push(reader.requirement()?);
        let end = reader.at;
        reader.blanks();
        if !reader.takes(",") {
            return Ok((Selector(all), end));
        }
        reader.blanks();
    }
}

/// Whether this can be the key of a label: `prefix/name` or `name`.
pub(in crate::views) fn is_key(text: &str) -> bool {
    let name = text.split_once('/').map_or(text, |(prefix, name)| if prefix.is_empty() { "" } else { name });
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(word_char)
        && text.matches('/').count() <= 1
}

fn word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./".contains(c)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    place: usize,
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

    fn word(&mut self) -> &'a str {
        let end = self.rest().find(|c| !word_char(c)).unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        self.at += end;
        word
    }

    fn wrong(&self, from: usize, why: &str) -> FilterError {
        let mut end = self.at;
        end += self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        let unfinished = self.rest().trim().is_empty();
        let at = self.place + from..self.place + end;
        FilterError { unfinished, ..FilterError::new(at, why) }
    }

    fn requirement(&mut self) -> Result<Requirement, FilterError> {
        let start = self.at;
        let absent = self.takes("!");
        self.blanks();
        let key = self.word();
        if !is_key(key) {
            return Err(self
                .wrong(start, "-l needs a label selector: app=web, app!=web, app in (web,db), app, !app."));
        }
        let requirement = |negated, values| Requirement { key: key.to_owned(), negated, values };
        if absent {
            return Ok(requirement(true, None));
        }
        let end = self.at;
        self.blanks();
        for (sign, negated) in [("==", false), ("=", false), ("!=", true)] {
            if self.takes(sign) {
                self.blanks();
                return Ok(requirement(negated, Some(vec![self.word().to_owned()])));
            }
        }
        let word = self.word();
        let set = matches!(word, "in" | "notin") && self.at > end;
        self.blanks();
        if set && self.takes("(") {
            return Ok(requirement(word == "notin", Some(self.set(start)?)));
        }
        if self.at > end && self.rest().starts_with(['<', '>']) {
            return Err(self.wrong(start, "Labels are not compared by size here: use =, !=, in and notin."));
        }
        self.at = end;
        Ok(requirement(false, None))
    }

    fn set(&mut self, start: usize) -> Result<Vec<String>, FilterError> {
        let mut values = Vec::new();
        loop {
            self.blanks();
            values.push(self.word().to_owned());
            self.blanks();
            if self.takes(")") {
                return Ok(values);
            }
            if !self.takes(",") {
                return Err(self.wrong(start, "The values of a label stand in parentheses: app in (web,db)."));
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Requirement { key, negated, values }) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            match values.as_deref() {
                None => write!(f, "{}{key}", if *negated { "!" } else { "" })?,
                // An empty value at the end would take the next word.
                Some([value]) if !value.is_empty() => {
                    write!(f, "{key}{}{value}", if *negated { "!=" } else { "=" })?;
                }
                Some(values) => {
                    let word = if *negated { "notin" } else { "in" };
                    write!(f, "{key} {word} ({})", values.join(","))?;
                }
            }
        }
        Ok(())
    }
}
