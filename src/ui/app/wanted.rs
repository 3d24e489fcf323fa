//! What a command asks to see.

use super::Shown;
use crate::model::Word;
use crate::views::Filter;

/// What a command asks to see.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) word: String,
    /// Another namespace than the one on screen.
    pub(super) shown: Option<Shown>,
    pub(super) filter: Filter,
    /// Whether the view on screen is one to come back to.
    pub(super) leave: bool,
}

impl Wanted {
    pub(super) fn new(word: &str, filter: &str) -> Self {
        Self { word: word.to_owned(), shown: None, filter: Filter::parse(filter), leave: true }
    }

    /// Reads what stands behind the first word of a command: a namespace or `all`, then `/` and a filter.
    pub(super) fn parse(word: &str, typed: &str) -> Result<Self, String> {
        let rest = typed.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim());
        let (before, filter) = match rest.find('/') {
            Some(at) if at == 0 || rest[..at].ends_with(char::is_whitespace) => {
                (&rest[..at], &rest[at + 1..])
            }
            _ => (rest, ""),
        };
        let mut wanted = Self::new(word, filter.trim());
        for argument in before.split_whitespace().filter(|&argument| argument != "-n") {
            wanted.shown = Some(namespace(argument)?);
        }
        Ok(wanted)
    }
}

/// Reads `all` or the name of a namespace.
pub(super) fn namespace(text: &str) -> Result<Shown, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text {
        "all" => Ok(Shown::All),
        name if name.len() <= 63 && name.chars().all(plain) => Ok(Shown::Only(Word::new(name))),
        other => Err(format!("{other:?} cannot be the name of a namespace.")),
    }
}
