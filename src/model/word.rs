//! Text that many objects share.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;
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

/// How many recent words each thread keeps at hand.
const RECENT_WORDS: usize = 256;

thread_local! {
    static RECENT: [Cell<Option<Word>>; RECENT_WORDS] = const { [const { Cell::new(None) }; RECENT_WORDS] };
}

/// Where a word is kept at hand: decided by its length and its ends, which is where words differ.
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
    let middle = bytes.len() / 2;
    let ends = [0, middle, middle + 1, bytes.len().wrapping_sub(2), bytes.len().wrapping_sub(1)];
    ends.iter().fold(bytes.len(), |hash, &at| hash.wrapping_mul(31).wrapping_add(byte(at))) % RECENT_WORDS
}

impl Word {
    /// The word for `text`.
    pub fn new(text: &str) -> Self {
        // Feeds read the same few words again and again: those of this thread are found without the table's lock.
        RECENT.with(|recent| {
            let place = &recent[place(text)];
            match place.get() {
                Some(known) if known.as_str() == text => known,
                _ => {
                    let word = Self::intern(text);
                    place.set(Some(word));
                    word
                }
            }
        })
    }

    fn intern(text: &str) -> Self {
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
        static EMPTY: LazyLock<Word> = LazyLock::new(|| Word(ustr::ustr("")));
        *EMPTY
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
