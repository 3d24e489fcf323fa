//! Sections of lines laid out on a canvas that may be higher than the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::model::Uid;
use crate::records::Kind;
use crate::store::Health;
use crate::text;
use crate::ui::frame::put;
use crate::ui::theme::Theme;
use crate::views::detail::Section;

/// Blank columns between labels and texts, and between two columns.
pub(super) const GAP: usize = 3;
/// The widest label that others are lined up with.
const WIDEST_LABEL: usize = 22;
/// The same for lines over the whole width.
const WIDEST_WIDE_LABEL: usize = 36;
/// In a narrower room long texts begin behind their labels and go on below them.
const ROOM_FOR_LABELS: usize = 100;
/// How far in they go on.
const INDENT: usize = 7;

/// A piece of a line on the screen.
#[derive(Clone, Debug)]
struct Piece {
    x: usize,
    text: String,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Heading,
    Label,
    Text,
    Health(Health),
    /// The number of the link that this is.
    Link(usize),
}

type Row = Vec<Piece>;

/// Lines with places, and the objects that some of them lead to.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    rows: Vec<Row>,
    /// Row, and where it leads.
    pub(super) links: Vec<(usize, (Kind, Uid))>,
}

impl Canvas {
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.links.clear();
    }

    /// How many rows it has.
    pub(super) fn height(&self) -> usize {
        self.rows.len()
    }

    /// Puts sections below one another, `width` columns wide from `x` on.
    pub(super) fn column(&mut self, sections: &[Section], x: usize, width: usize, at: usize) -> usize {
        let mut row = at;
        let longest = sections.iter().flat_map(|section| &section.lines).map(|line| text::width(&line.label));
        let label = longest.max().unwrap_or(0).min(WIDEST_LABEL).min(width / 2);
        for section in sections {
            if row > at {
                row += 1;
            }
            self.put(row, Piece { x, text: section.title.clone(), look: Look::Heading });
            row += 1;
            row = self.lines(section, x, label, width, row);
        }
        row
    }

    fn lines(&mut self, section: &Section, x: usize, label: usize, width: usize, mut row: usize) -> usize {
        for line in &section.lines {
            let label_text = text::cut(&line.label, label).into_owned();
            self.put(row, Piece { x: x + 1, text: label_text, look: Look::Label });
            let left = x + label + GAP;
            let room = width.saturating_sub(label + GAP).max(4);
            let look = match (line.leads_to, line.health) {
                (Some(object), _) => {
                    self.links.push((row, object));
                    Look::Link(self.links.len() - 1)
                }
                (None, Some(health)) => Look::Health(health),
                (None, None) => Look::Text,
            };
            for part in wrap(&line.text, room) {
                self.put(row, Piece { x: left, text: part.to_owned(), look });
                row += 1;
            }
        }
        row
    }

    fn put(&mut self, row: usize, piece: Piece) {
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Row::new);
        }
        self.rows[row].push(piece);
    }

    /// Puts a section over the whole width, with long labels.
    pub(super) fn wide(&mut self, section: &Section, width: usize, at: usize) {
        self.put(at, Piece { x: 0, text: section.title.clone(), look: Look::Heading });
        if width < ROOM_FOR_LABELS {
            return self.hanging(section, width, at + 1);
        }
        let label = section.lines.iter().map(|line| text::width(&line.label)).max().unwrap_or(0);
        self.lines(section, 0, label.min(WIDEST_WIDE_LABEL).min(width / 2), width, at + 1);
    }

    /// Puts lines whose texts begin behind their labels and go on below them.
    fn hanging(&mut self, section: &Section, width: usize, mut row: usize) {
        for line in &section.lines {
            let label = text::cut(&line.label, width / 2).into_owned();
            let start = 1 + text::width(&label) + 2;
            self.put(row, Piece { x: 1, text: label, look: Look::Label });
            let look = line.health.map_or(Look::Text, Look::Health);
            let room = width.saturating_sub(start).max(10);
            let word = text::width(line.text.split(' ').next().unwrap_or_default());
            let first = wrap(&line.text, room);
            // A first word that has no room here has it below.
            let below = word > room && word <= width.saturating_sub(INDENT);
            let begin = if below { "" } else { first.first().copied().unwrap_or_default() };
            self.put(row, Piece { x: start, text: begin.to_owned(), look });
            row += 1;
            let rest = line.text.trim_end()[begin.len()..].trim_start();
            for part in
                wrap(rest, width.saturating_sub(INDENT).max(10)).into_iter().filter(|part| !part.is_empty())
            {
                self.put(row, Piece { x: INDENT, text: part.to_owned(), look });
                row += 1;
            }
        }
    }

    /// Draws the rows from `top` on, with the link that is chosen.
    pub(super) fn draw(
        &self,
        inside: Rect,
        top: usize,
        chosen: Option<usize>,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        for (row, y) in self.rows.iter().skip(top).zip(inside.y..inside.bottom()) {
            for piece in row {
                let Ok(x) = u16::try_from(piece.x + 1).map(|x| inside.x.saturating_add(x)) else { continue };
                let room = usize::from(inside.right().saturating_sub(x));
                if room == 0 {
                    continue;
                }
                let style = match piece.look {
                    Look::Heading => theme.title,
                    Look::Label => theme.yaml_key,
                    Look::Text => theme.yaml_value,
                    Look::Health(health) => theme.row(health),
                    Look::Link(link) if chosen == Some(link) => {
                        Style { bg: None, ..theme.key }.add_modifier(Modifier::REVERSED)
                    }
                    Look::Link(_) => theme.key.add_modifier(Modifier::UNDERLINED),
                };
                put(buffer, x, y, &text::cut(&piece.text, room), room, style);
            }
        }
    }
}

/// Cuts a text into lines of at most so many columns, between words where that is possible.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    while text::width(rest) > width {
        let mut end = 0;
        let mut columns = 0;
        let mut blank = None;
        for (at, c) in rest.char_indices() {
            columns += text::width(c.encode_utf8(&mut [0; 4]));
            if columns > width {
                break;
            }
            if c == ' ' {
                blank = Some(at);
            }
            end = at + c.len_utf8();
        }
        let next = rest[end..].starts_with(' ').then_some(end);
        let cut = next.or(blank.filter(|&at| at > 0)).unwrap_or(end.max(1));
        // A character that is wider than the whole line has no place in it.
        let cut = (cut..=rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        lines.push(&rest[..cut]);
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("", 5, &[""]),
            ("one two", 10, &["one two"]),
            ("one two three", 7, &["one two", "three"]),
            ("one two", 4, &["one", "two"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("東京 東京", 4, &["東京", "東京"]),
            ("東", 1, &["東"]),
        ];
        for (text, width, want) in cases {
            assert_eq!(wrap(text, *width), *want, "{text:?} in {width}");
        }
    }
}
