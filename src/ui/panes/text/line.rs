//! A line of text, and what its pieces are.

use ratatui::style::{Modifier, Style};

use crate::store::Health;
use crate::text;
use crate::ui::theme::Theme;

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Text.
    #[default]
    Plain,
    /// What matters less: times, marks, what is left out.
    Quiet,
    /// The title of a part.
    Heading,
    /// The name of a field.
    Field,
    /// The sign between a name and its value.
    Sign,
    /// A value.
    Value,
    /// Something good or bad.
    Health(Health),
    /// The name of one of several sources, by its number.
    Source(usize),
    /// What a program wrote.
    Log,
    /// When it wrote that.
    Time,
    /// What a program wanted it to look like.
    Program(Style),
}

impl Ink {
    /// How it looks.
    pub fn style(self, theme: &Theme) -> Style {
        let body = Style { bg: None, ..theme.body };
        match self {
            Self::Plain => body,
            Self::Quiet => body.add_modifier(Modifier::DIM),
            Self::Heading => theme.title,
            Self::Field => theme.yaml_key,
            Self::Sign => theme.yaml_colon,
            Self::Value => theme.yaml_value,
            Self::Health(health) => theme.row(health),
            Self::Source(number) => theme.log_source(number),
            Self::Log => theme.log_text,
            Self::Time => theme.log_time,
            Self::Program(style) => theme.log_text.patch(style),
        }
    }
}

/// What has happened to a line since somebody looked at it first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// It is as it was.
    #[default]
    None,
    /// It changed some time ago.
    Changed,
    /// It changed with the last refresh.
    New,
}

/// A line that is safe to show: whatever is put into it is cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Where each piece ends, in bytes.
    pieces: Vec<(usize, Ink)>,
    /// Whether it changed.
    pub mark: Mark,
}

impl Line {
    /// A line of one piece.
    pub fn of(text: &str, ink: Ink) -> Self {
        Self::default().with(text, ink)
    }

    /// The line with a piece more.
    #[must_use]
    pub fn with(mut self, text: &str, ink: Ink) -> Self {
        self.push(text, ink);
        self
    }

    /// Appends a piece.
    pub fn push(&mut self, text: &str, ink: Ink) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(&text::clean(text));
        match self.pieces.last_mut() {
            Some((end, last)) if *last == ink => *end = self.text.len(),
            _ => self.pieces.push((self.text.len(), ink)),
        }
    }

    /// Appends another line.
    pub fn append(&mut self, other: &Self) {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.pieces.extend(other.pieces.iter().map(|&(end, ink)| (start + end, ink)));
    }

    /// Appends blanks up to a column.
    pub fn pad(&mut self, column: usize) {
        let blanks = column.saturating_sub(text::width(&self.text));
        self.push(&" ".repeat(blanks), Ink::Plain);
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How much memory it holds, about: a program may give each letter a colour of its own.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.pieces.len() * size_of::<(usize, Ink)>()
    }

    /// The piece at a byte: where it ends and what it is.
    pub fn piece(&self, at: usize) -> (usize, Ink) {
        let found = self.pieces.get(self.pieces.partition_point(|(end, _)| *end <= at));
        found.copied().unwrap_or((self.text.len(), Ink::Plain))
    }
}

/// Many lines with numbers. Old ones may go at the beginning; the numbers of the others stay.
pub trait Lines {
    /// The number of the first line.
    fn first(&self) -> usize;

    /// The number after the last one.
    fn end(&self) -> usize;

    /// Calls `with` with a line, if it is there.
    fn line<T>(&self, number: usize, with: impl FnOnce(&Line) -> T) -> Option<T>;
}

impl Lines for [Line] {
    fn first(&self) -> usize {
        0
    }

    fn end(&self) -> usize {
        self.len()
    }

    fn line<T>(&self, number: usize, with: impl FnOnce(&Line) -> T) -> Option<T> {
        self.get(number).map(with)
    }
}

/// All lines as one text.
pub fn whole(lines: &(impl Lines + ?Sized)) -> String {
    let mut text = String::new();
    for number in lines.first()..lines.end() {
        lines.line(number, |line| text.push_str(line.text()));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_know_where_they_end() {
        let mut line = Line::of("key", Ink::Field).with(":", Ink::Sign).with(" va", Ink::Value);
        line.push("lue", Ink::Value);
        assert_eq!(line.text(), "key: value");
        assert_eq!(line.piece(0), (3, Ink::Field));
        assert_eq!(line.piece(3), (4, Ink::Sign));
        assert_eq!(line.piece(5), (10, Ink::Value));
        assert_eq!(line.piece(99), (10, Ink::Plain));
        line.pad(12);
        line.append(&Line::of("!", Ink::Heading));
        assert_eq!((line.text(), line.piece(12)), ("key: value  !", (13, Ink::Heading)));
    }

    #[test]
    fn nothing_gets_in_that_a_terminal_would_obey() {
        let line = Line::of("a\x1b]52;c;eA==\x07\u{202e}", Ink::Plain).with("\u{9b}2J", Ink::Value);
        assert_eq!(line.text(), "a␛]52;c;eA==␇··2J");
    }
}
