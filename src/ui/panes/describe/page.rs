//! Fields, headings and tables of a description, in columns.

use super::ago;
use crate::model::Now;
use crate::text;
use crate::ui::panes::text::{Ink, Line};

/// Columns up to the values of fields.
const VALUES: usize = 18;
/// The widest cell of a table but the last one.
const WIDEST: usize = 44;

/// A description in the making.
pub(super) struct Page {
    /// For ages.
    pub(super) now: Now,
    lines: Vec<Line>,
    indent: usize,
}

impl Page {
    pub(super) fn new(now: Now) -> Self {
        Self { now, lines: Vec::new(), indent: 0 }
    }

    pub(super) fn lines(self) -> Vec<Line> {
        self.lines
    }

    pub(super) fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Begins a part; what follows is indented.
    pub(super) fn heading(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::of(title, Ink::Heading));
        self.indent = 1;
    }

    /// A field that has a value.
    pub(super) fn field(&mut self, label: &str, value: &str) {
        self.said(label, value, Ink::Value);
    }

    /// A field whose value is good or bad.
    pub(super) fn said(&mut self, label: &str, value: &str, ink: Ink) {
        if !value.is_empty() {
            let line = self.begin(label, self.indent).with(value, ink);
            self.lines.push(line);
        }
    }

    /// A field deeper inside.
    pub(super) fn deeper(&mut self, depth: usize, label: &str, value: &str) {
        let line = match value {
            "" => {
                let mut line = Line::default();
                line.pad(2 * depth);
                line.with(label, Ink::Field)
            }
            value => self.begin(label, depth).with(value, Ink::Value),
        };
        self.lines.push(line);
    }

    fn begin(&self, label: &str, depth: usize) -> Line {
        let mut line = Line::default();
        line.pad(2 * depth);
        line.push(label, Ink::Field);
        line.push(" ", Ink::Plain);
        line.pad(VALUES.max(2 * depth));
        line
    }

    /// A time, and how long ago that was.
    pub(super) fn time(&mut self, label: &str, time: &str) {
        match ago(time, self.now) {
            Some(age) => self.field(label, &format!("{time} ({age} ago)")),
            None => self.field(label, time),
        }
    }

    /// A field with several values, one below the other.
    pub(super) fn list(&mut self, label: &str, values: &[String]) {
        for (at, value) in values.iter().enumerate() {
            let line = self.begin(if at == 0 { label } else { "" }, self.indent).with(value, Ink::Value);
            self.lines.push(line);
        }
    }

    /// Rows in columns; a column that says nothing in any row is left out.
    pub(super) fn table<const N: usize>(&mut self, titles: &[&str; N], rows: &[[(String, Ink); N]]) {
        let wide = |column: usize| {
            let cells = rows.iter().map(|row| text::width(&row[column].0));
            cells
                .max()
                .filter(|&widest| widest > 0)
                .map(|widest| widest.max(titles[column].len()).min(WIDEST))
        };
        let widths: [Option<usize>; N] = std::array::from_fn(wide);
        let write = |cells: [(&str, Ink); N]| {
            let mut line = Line::default();
            let mut column = 2 * self.indent.max(1);
            for (at, (cell, ink)) in cells.into_iter().enumerate() {
                let Some(width) = widths[at] else { continue };
                if !cell.is_empty() {
                    line.pad(column);
                }
                let last = widths[at + 1..].iter().all(Option::is_none);
                if last {
                    line.push(cell, ink);
                } else if !cell.is_empty() {
                    line.push(&text::cut(cell, width), ink);
                }
                column += width + 2;
            }
            line
        };
        let mut lines = vec![write(titles.map(|title| (title, Ink::Quiet)))];
        lines.extend(rows.iter().map(|row| write(std::array::from_fn(|at| (row[at].0.as_str(), row[at].1)))));
        self.lines.extend(lines);
    }
}
