//! Text that many objects share.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

use ustr::Ustr;

/// A word that repeats over objects (namespace, node, class, phase, reason), kept once for the whole process: eight
/// bytes, compared by address.
///
/// The table behind it only grows, so it has a cap: beyond it, and for long texts, a word reads `<other>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(Ustr);

/// More words than a fleet has: 100 000 virtual machines have a few hundred.
const MOST_WORDS: usize = 1 << 17;
/// The longest name of a Kubernetes object has 253 bytes.
const LONGEST: usize = 253;

/// How many words were made by us; the interner itself can only be counted by walking it.
static MADE: AtomicUsize = AtomicUsize::new(0);

impl Word {
    /// The word for `text`.
    pub fn new(text: &str) -> Self {
        let text = crate::text::clean(text);
        if let Some(known) = ustr::existing_ustr(&text) {
            return Self(known);
        }
        if text.len() > LONGEST || MADE.fetch_add(1, Ordering::Relaxed) >= MOST_WORDS {
            return Self(ustr::ustr("<other>"));
        }
        Self(ustr::ustr(&text))
    }

    /// Whether there is no text.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The text, which lives as long as the process.
    pub fn as_str(self) -> &'static str {
        self.0.as_str()
    }
}

impl Default for Word {
    fn default() -> Self {
        Self(ustr::ustr(""))
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_word() {
        assert_eq!(Word::new("Running"), Word::new("Running"));
        assert_ne!(Word::new("Running"), Word::new("running"));
        assert_eq!(size_of::<Word>(), 8);
    }

    #[test]
    fn hostile_words_are_harmless() {
        assert_eq!(&*Word::new(&"x".repeat(254)), "<other>");
        assert_eq!(&*Word::new("a\u{1b}]52;c;eA==\u{7}"), "a␛]52;c;eA==␇");
    }
}
