//! What is looked for in lines: a regular expression, or plain text where it is none.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// What is looked for, as it was typed: `text`, `!text` for what it is not in, `-f text` for its letters in this order.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
    inverse: bool,
}

/// The most memory that a compiled expression may take.
const LARGEST: usize = 1 << 20;

impl Pattern {
    /// Reads what was typed; none if nothing was.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        let (inverse, rest) = match typed.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, typed),
        };
        if rest.is_empty() {
            return None;
        }
        let source = match rest.strip_prefix("-f ").map(str::trim_start) {
            Some(letters) => {
                let letters: Vec<String> =
                    letters.chars().map(|c| regex::escape(c.encode_utf8(&mut [0; 4]))).collect();
                letters.join(".*?")
            }
            None => rest.to_owned(),
        };
        let build =
            |source: &str| RegexBuilder::new(source).case_insensitive(true).size_limit(LARGEST).build();
        let regex = build(&source).or_else(|_| build(&regex::escape(rest))).ok()?;
        Some(Self { text: typed.to_owned(), regex, inverse })
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is about what lines do not contain: then there are no places to go to.
    pub fn is_inverse(&self) -> bool {
        self.inverse
    }

    /// Whether a line is one that is wanted.
    pub fn wants(&self, line: &str) -> bool {
        self.regex.is_match(line) != self.inverse
    }

    /// The places in a line that match; none of what is not to be in it.
    pub fn places(&self, line: &str) -> impl Iterator<Item = Range<usize>> {
        let found = (!self.inverse).then(|| self.regex.find_iter(line)).into_iter().flatten();
        found.map(|found| found.range()).filter(|range| !range.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_was_typed() {
        let cases: [(&str, &str, bool, &[&str]); 9] = [
            ("ERROR", "an error", true, &["error"]),
            ("!error", "an error", false, &[]),
            ("! error", "fine", true, &[]),
            ("a.c", "abc aXc", true, &["abc", "aXc"]),
            ("a(b", "xa(by", true, &["a(b"]),
            ("-f wb0", "web-0", true, &["web-0"]),
            ("-f 0w", "web-0", false, &[]),
            ("x*", "abc", true, &[]),
            ("größe", "GRÖßE GRÖSSE größe", true, &["GRÖßE", "größe"]),
        ];
        for (typed, line, wants, places) in cases {
            let pattern = Pattern::parse(typed).unwrap();
            assert_eq!(pattern.text(), typed);
            assert_eq!(pattern.wants(line), wants, "{typed} in {line}");
            let found: Vec<&str> = pattern.places(line).map(|place| &line[place]).collect();
            assert_eq!(found, places, "{typed} in {line}");
        }
        for nothing in ["", "  ", "!", "! "] {
            assert!(Pattern::parse(nothing).is_none(), "{nothing:?}");
        }
        assert!(Pattern::parse("((a{1000}){1000}){1000}").is_some(), "too large to be one: taken as text");
    }
}
