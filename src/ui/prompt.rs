//! The line that is typed into.

use crossterm::event::{KeyCode, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

use super::app::Offer;
use super::input::Key;

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `:`
    Command,
    /// `/`
    Filter,
}

/// A line with a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    text: String,
    /// The cursor, in bytes.
    at: usize,
}

/// What a key did to the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// The text is another one.
    Changed,
    /// Only the cursor moved, or nothing happened.
    Same,
    /// Enter.
    Done,
    /// Tab or → at the end: the completion is taken.
    Complete,
    /// Another completion is wanted, so many further.
    Next(isize),
    /// Esc.
    Cancelled,
}

/// Nobody types more; a paste might be anything.
const LONGEST: usize = 1000;

impl Prompt {
    /// An open prompt with a text and the cursor at its end.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, text: text.to_owned(), at: text.len() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What could be typed at the end of the line, one after the other.
    pub fn next_words(&self, offers: &[Offer]) -> Option<String> {
        let words: Vec<&str> =
            offers.iter().filter_map(|offer| offer.whole.strip_prefix(&self.text)).collect();
        (!words.is_empty()).then(|| format!("tab: {}", words.join("  ")))
    }

    /// The text before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.at]
    }

    /// Replaces the text.
    pub fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.at = self.text.len();
    }

    /// Puts text in at the cursor; new lines and other control characters become blanks.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars() {
            if self.text.len() + c.len_utf8() > LONGEST {
                break;
            }
            let c = if c.is_control() { ' ' } else { c };
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    fn previous(&self) -> usize {
        self.before_cursor().grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.text[self.at..].graphemes(true).next().map_or(self.at, |cluster| self.at + cluster.len())
    }

    fn word_start(&self) -> usize {
        let trimmed = self.before_cursor().trim_end();
        trimmed.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn delete(&mut self, from: usize, to: usize) -> Typed {
        if from == to {
            return Typed::Same;
        }
        self.text.replace_range(from..to, "");
        self.at = from;
        Typed::Changed
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key) -> Typed {
        if let Some(c) = key.typed() {
            let before = self.text.len();
            self.insert(c.encode_utf8(&mut [0; 4]));
            return if self.text.len() > before { Typed::Changed } else { Typed::Same };
        }
        let control = key.with.contains(KeyModifiers::CONTROL);
        match (key.code, control) {
            (KeyCode::Enter, _) => return Typed::Done,
            (KeyCode::Esc, _) => return Typed::Cancelled,
            (KeyCode::Tab, _) => return Typed::Complete,
            (KeyCode::Down, _) => return Typed::Next(1),
            (KeyCode::Up, _) => return Typed::Next(-1),
            (KeyCode::Right, false) | (KeyCode::Char('f'), true) if self.at == self.text.len() => {
                return Typed::Complete;
            }
            (KeyCode::Backspace, _) if self.text.is_empty() => return Typed::Cancelled,
            (KeyCode::Backspace, _) => return self.delete(self.previous(), self.at),
            (KeyCode::Delete, _) => return self.delete(self.at, self.next()),
            (KeyCode::Char('u' | 'q'), true) => return self.delete(0, self.text.len()),
            (KeyCode::Char('w'), true) => return self.delete(self.word_start(), self.at),
            (KeyCode::Char('k'), true) => return self.delete(self.at, self.text.len()),
            (KeyCode::Left, false) | (KeyCode::Char('b'), true) => self.at = self.previous(),
            (KeyCode::Left, true) => self.at = self.word_start(),
            (KeyCode::Right, false) | (KeyCode::Char('f'), true) => self.at = self.next(),
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => self.at = 0,
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => self.at = self.text.len(),
            _ => {}
        }
        Typed::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(keys: &[&str]) -> String {
        let mut prompt = Prompt::new(Purpose::Command, "");
        for key in keys {
            prompt.press(key.parse().unwrap());
        }
        format!("{}|{}", prompt.before_cursor(), &prompt.text()[prompt.before_cursor().len()..])
    }

    #[test]
    fn lines_are_edited() {
        let cases: &[(&[&str], &str)] = &[
            (&["v", "m"], "vm|"),
            (&["v", "m", "left", "x"], "vx|m"),
            (&["a", "space", "b", "ctrl-w"], "a |"),
            (&["a", "b", "ctrl-u", "c"], "c|"),
            (&["a", "b", "home", "delete"], "|b"),
            (&["a", "é", "backspace"], "a|"),
            (&["a", "b", "ctrl-a", "right", "ctrl-k"], "a|"),
            (&["a", "ctrl-left", "ctrl-left", "backspace"], "|a"),
        ];
        for (keys, want) in cases {
            assert_eq!(after(keys), *want, "{keys:?}");
        }
    }

    #[test]
    fn pastes_are_one_bounded_line() {
        let mut prompt = Prompt::new(Purpose::Filter, "");
        prompt.insert("a\nb\x1b");
        assert_eq!(prompt.text(), "a b ");
        prompt.insert(&"x".repeat(5000));
        assert_eq!(prompt.text().len(), LONGEST);
    }
}
