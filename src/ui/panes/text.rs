//! Text on the screen: scrolled, wrapped, searched. What it says belongs to somebody else, so that only what is visible
//! is ever looked at.

pub mod changes;
pub mod keys;
mod line;
mod pattern;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use self::keys::TextCommand;
pub use self::line::{Ink, Line, Lines, Mark, whole};
pub use self::pattern::Pattern;
use crate::text;
use crate::ui::frame::put;
use crate::ui::theme::Theme;

/// A way through the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// So many rows of the screen.
    Rows(isize),
    /// So many screens.
    Pages(isize),
    /// To the beginning.
    Top,
    /// To the end.
    End,
    /// So many columns to the side.
    Columns(isize),
}

/// Hits beyond this many are not counted.
const MOST_HITS: usize = 100_000;

/// Which part of a text is seen, and what is looked for in it.
#[derive(Debug, Default)]
pub struct TextView {
    /// Whether long lines go on in the next row.
    pub wrap: bool,
    /// Whether the end stays in sight when the text grows.
    pub follow: bool,
    /// Whether there is a column on the left for what has changed.
    pub gutter: bool,
    /// The number of the line in the first row.
    top: usize,
    /// How many rows of that line are above the first row.
    row: usize,
    left: usize,
    size: (usize, usize),
    search: Option<Search>,
}

#[derive(Debug)]
struct Search {
    pattern: Pattern,
    /// Line and place, in order.
    hits: Vec<(usize, Range<usize>)>,
    /// Which of them is the one that one is at.
    at: usize,
    /// Up to this line all was looked at.
    scanned: usize,
}

impl TextView {
    /// A view whose long lines go on in the next row.
    pub fn wrapped() -> Self {
        Self { wrap: true, ..Self::default() }
    }

    /// A view that keeps the end in sight.
    pub fn following() -> Self {
        Self { follow: true, ..Self::default() }
    }

    /// The rows that a line takes.
    fn rows(&self, line: &Line) -> usize {
        if self.wrap { rows::wrap(line.text(), self.size.0).len() } else { 1 }
    }

    fn rows_at(&self, number: usize, lines: &(impl Lines + ?Sized)) -> usize {
        lines.line(number, |line| self.rows(line)).unwrap_or(1)
    }

    /// The highest place from which the end is seen.
    fn bottom(&self, lines: &(impl Lines + ?Sized)) -> (usize, usize) {
        let mut left = self.size.1.max(1);
        let mut number = lines.end();
        while number > lines.first() {
            number -= 1;
            let rows = self.rows_at(number, lines);
            if rows >= left {
                return (number, rows - left);
            }
            left -= rows;
        }
        (lines.first(), 0)
    }

    /// Whether the end is seen.
    pub fn at_end(&self, lines: &(impl Lines + ?Sized)) -> bool {
        (self.top, self.row) >= self.bottom(lines)
    }

    /// The number of the line in the first row.
    pub fn top(&self) -> usize {
        self.top
    }

    /// Goes somewhere.
    pub fn scroll(&mut self, way: Scroll, lines: &(impl Lines + ?Sized)) {
        match way {
            Scroll::Rows(by) => self.scroll_rows(by, lines),
            Scroll::Pages(by) => {
                let page = isize::try_from(self.size.1.saturating_sub(1).max(1)).unwrap_or(1);
                self.scroll_rows(by.saturating_mul(page), lines);
            }
            Scroll::Top => (self.top, self.row) = (lines.first(), 0),
            Scroll::End => (self.top, self.row) = self.bottom(lines),
            Scroll::Columns(by) if !self.wrap => self.left = self.left.saturating_add_signed(by),
            Scroll::Columns(_) => {}
        }
    }

    fn scroll_rows(&mut self, by: isize, lines: &(impl Lines + ?Sized)) {
        for _ in 0..by.unsigned_abs() {
            if by > 0 {
                self.row += 1;
                if self.row >= self.rows_at(self.top, lines) {
                    (self.top, self.row) = (self.top + 1, 0);
                }
            } else if self.row > 0 {
                self.row -= 1;
            } else if self.top > lines.first() {
                self.top -= 1;
                self.row = self.rows_at(self.top, lines) - 1;
            } else {
                break;
            }
        }
        (self.top, self.row) = (self.top, self.row).min(self.bottom(lines));
    }

    /// Looks for something, from the first row on; nothing ends the search.
    pub fn search(&mut self, typed: &str, lines: &(impl Lines + ?Sized)) {
        self.search =
            Pattern::parse(typed).map(|pattern| Search { pattern, hits: Vec::new(), at: 0, scanned: 0 });
        self.scan(lines);
        let top = self.top;
        if let Some(search) = &mut self.search {
            search.at = search.hits.iter().position(|(number, _)| *number >= top).unwrap_or(0);
        }
        self.show_hit(lines);
    }

    /// What is looked for, which hit one is at, counted from 1, and how many there are.
    pub fn found(&self) -> Option<(&str, usize, usize)> {
        let search = self.search.as_ref()?;
        let at = if search.hits.is_empty() { 0 } else { search.at + 1 };
        Some((search.pattern.text(), at, search.hits.len()))
    }

    /// Goes to another hit.
    pub fn next_hit(&mut self, by: isize, lines: &(impl Lines + ?Sized)) {
        let Some(search) = &mut self.search else { return };
        let (count, by) = (search.hits.len(), isize::signum(by));
        if count > 0 {
            search.at = (search.at + count).saturating_add_signed(by) % count;
            self.show_hit(lines);
        }
    }

    /// Brings the hit that one is at into sight, with something around it.
    fn show_hit(&mut self, lines: &(impl Lines + ?Sized)) {
        let Some((number, place)) = self.search.as_ref().and_then(|search| search.hits.get(search.at)) else {
            return;
        };
        let (number, place) = (*number, place.clone());
        let seen = self.top..self.top + self.size.1.max(1);
        if self.wrap || !seen.contains(&number) || !self.at_end(lines) && number + 1 >= seen.end {
            (self.top, self.row) = (number.saturating_sub(self.size.1 / 3).max(lines.first()), 0);
            if self.wrap {
                (self.top, self.row) = (number, 0);
                self.scroll_rows(-isize::try_from(self.size.1 / 3).unwrap_or(0), lines);
            }
            (self.top, self.row) = (self.top, self.row).min(self.bottom(lines));
        }
        if self.wrap || self.size.0 == 0 {
            return;
        }
        let column = |to: usize| lines.line(number, |line| text::width(&line.text()[..to])).unwrap_or(0);
        let (start, end) = (column(place.start), column(place.end));
        if start < self.left || end > self.left + self.size.0 {
            self.left = if end <= self.size.0 { 0 } else { start.saturating_sub(self.size.0 / 3) };
        }
    }

    fn scan(&mut self, lines: &(impl Lines + ?Sized)) {
        let Some(search) = &mut self.search else { return };
        let gone = search.hits.partition_point(|(number, _)| *number < lines.first());
        search.hits.drain(..gone);
        search.at = search.at.saturating_sub(gone);
        for number in search.scanned.max(lines.first())..lines.end() {
            if search.hits.len() >= MOST_HITS {
                break;
            }
            lines.line(number, |line| {
                let places = search.pattern.places(line.text());
                search.hits.extend(places.map(|place| (number, place)));
            });
        }
        search.scanned = lines.end();
    }

    /// The text was replaced: `moved` says where the line in the first row is now. Call it before
    /// [`TextView::prepare`].
    pub fn replaced(&mut self, moved: impl FnOnce(usize) -> usize) {
        (self.top, self.row) = (moved(self.top), 0);
        if let Some(search) = &mut self.search {
            search.hits.clear();
            search.scanned = 0;
        }
    }

    /// Takes what has changed: the room, and lines that came or went. To be called before drawing.
    pub fn prepare(&mut self, room: Rect, lines: &(impl Lines + ?Sized)) {
        let inside = self.inside(room);
        self.size = (usize::from(inside.width), usize::from(inside.height));
        self.scan(lines);
        if let Some(search) = &mut self.search {
            search.at = search.at.min(search.hits.len().saturating_sub(1));
        }
        if self.wrap {
            self.left = 0;
        }
        let bottom = self.bottom(lines);
        let here = (self.top, self.row).max((lines.first(), 0));
        (self.top, self.row) = if self.follow { bottom } else { here.min(bottom) };
    }

    /// The room that is left beside the gutter.
    fn inside(&self, area: Rect) -> Rect {
        let gutter = u16::from(self.gutter && area.width > 1);
        Rect { x: area.x + gutter, width: area.width - gutter, ..area }
    }

    /// Draws what is seen.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, lines: &(impl Lines + ?Sized)) {
        let (gutter, area) = (area.x, self.inside(area));
        let (mut y, mut number, mut hidden) = (area.y, self.top, self.row);
        while y < area.bottom() && number < lines.end() {
            lines.line(number, |line| {
                let starts = if self.wrap {
                    rows::wrap(line.text(), usize::from(area.width))
                } else {
                    vec![rows::skip(line.text(), self.left).0]
                };
                let ends = starts.iter().skip(1).copied().chain([line.text().len()]);
                for (&start, end) in starts.iter().zip(ends).skip(hidden) {
                    if y >= area.bottom() {
                        break;
                    }
                    if gutter < area.x {
                        let (sign, style) = match line.mark {
                            Mark::None => (" ", theme.body),
                            Mark::Changed => ("│", Ink::Quiet.style(theme)),
                            Mark::New => ("┃", theme.modified),
                        };
                        put(buffer, gutter, y, sign, 1, style);
                    }
                    let before = if self.wrap { 0 } else { rows::skip(line.text(), self.left).1 };
                    let x = area.x + u16::try_from(before).unwrap_or(0);
                    self.draw_row(line, number, start..end, Rect { x, y, height: 1, ..area }, buffer, theme);
                    y += 1;
                }
            });
            hidden = 0;
            number += 1;
        }
    }

    /// The hits in a line; which is the one that one is at.
    fn hits_in(&self, number: usize) -> impl Iterator<Item = (&Range<usize>, bool)> {
        let search = self.search.as_ref();
        let hits = search.map_or(&[][..], |search| &search.hits);
        let start = hits.partition_point(|(line, _)| *line < number);
        let here = search.map_or(usize::MAX, |search| search.at);
        let of_line = hits[start..].iter().enumerate().take_while(move |(_, (line, _))| *line == number);
        of_line.map(move |(at, (_, place))| (place, start + at == here))
    }

    fn draw_row(
        &self,
        line: &Line,
        number: usize,
        part: Range<usize>,
        area: Rect,
        buffer: &mut Buffer,
        theme: &Theme,
    ) {
        let (mut x, mut at) = (area.x, part.start);
        while at < part.end && x < area.right() {
            let (end, ink) = line.piece(at);
            let (mut end, mut style) = (end.min(part.end), ink.style(theme));
            for (place, here) in self.hits_in(number) {
                if place.contains(&at) {
                    end = end.min(place.end);
                    style = if here { theme.search_here } else { theme.search_match };
                } else if place.start > at {
                    end = end.min(place.start);
                    break;
                }
            }
            x = put(buffer, x, area.y, &line.text()[at..end], usize::from(area.right() - x), style);
            at = end;
        }
    }
}
