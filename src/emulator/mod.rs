//! A terminal without a terminal: bytes of a guest's console become a grid of cells, keys become bytes for the guest.
//!
//! Nothing that a guest writes leaves this module as it came. What it hands out is cells, text, and answers that are for the
//! guest alone:
//!
//! - [`strings`] takes titles, clipboards, links, colours and everything else that comes in a string (OSC, DCS, APC, PM, SOS) out
//!   of the bytes before they are read: none is of use here, and their length has no bound.
//! - [`obeyed`] is the list of what a guest may do to the grid. What is not in it does nothing. It also bounds the work that few
//!   bytes can ask for.
//! - Questions about the terminal (where is the cursor, what are you) are answered with a few bytes, at most [`MOST_ANSWERS`] for
//!   one call.
//!
//! How sequences are parsed and what they do to a grid is `alacritty_terminal`'s.

#[cfg(test)]
mod fuzz;
pub mod input;
mod obeyed;
mod search;
mod strings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::{Dimensions, Scroll as GridScroll};
use alacritty_terminal::index::{Column, Line, Point, Side};
use alacritty_terminal::selection::{Selection, SelectionType};
use alacritty_terminal::term::cell::{Cell as GridCell, Flags};
use alacritty_terminal::term::{Config, Osc52, TermMode};
use alacritty_terminal::vte::ansi::{self, NamedColor};

use self::obeyed::{NoSync, Obeyed};
pub use self::search::Needle;
use self::strings::{Piece, Strings};

/// Fewer columns make a wide character impossible.
const FEWEST_COLUMNS: usize = 2;
/// The most columns and rows; a terminal that says it has more is not believed.
const MOST_CELLS: usize = 2000;
/// Bytes that are read in one go; what a guest can ask for is bounded for each of them.
const SLICE: usize = 16 << 10;
/// Bytes of answers to a guest that one call gives at most. What asks for more is no program that waits for an answer.
pub const MOST_ANSWERS: usize = 4 << 10;
/// Marks over a character that are kept and drawn at most.
pub const MOST_MARKS: usize = 8;

type Processor = ansi::Processor<NoSync>;

/// Collects what is to be answered to the guest, and drops all else that the emulator tells.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Vec<u8>>>);

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventListener for Answers {
    fn send_event(&self, event: Event) {
        if let Event::PtyWrite(text) = event {
            let mut answers = self.lock();
            if answers.len() + text.len() <= MOST_ANSWERS {
                answers.extend_from_slice(text.as_bytes());
            }
        }
    }
}

struct Size {
    columns: usize,
    rows: usize,
}

impl Size {
    fn of(columns: u16, rows: u16) -> Self {
        Self {
            columns: usize::from(columns).clamp(FEWEST_COLUMNS, MOST_CELLS),
            rows: usize::from(rows).clamp(1, MOST_CELLS),
        }
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.rows
    }

    fn screen_lines(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }
}

/// A colour that a guest chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// None: that of the screen around.
    #[default]
    Default,
    /// One of the 256 of the terminal.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How a cell is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined, in whatever way.
    pub underline: bool,
    /// With the colours exchanged.
    pub reverse: bool,
    /// Struck out.
    pub crossed: bool,
    /// Not to be seen.
    pub hidden: bool,
}

/// A cell that is shown. It is never a control character.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The row of the view, from its top.
    pub row: u16,
    /// The column.
    pub column: u16,
    /// The character.
    pub character: char,
    /// What stands over it, not more than [`MOST_MARKS`].
    pub marks: &'a [char],
    /// Whether it takes two columns.
    pub wide: bool,
    /// Its colour.
    pub foreground: Colour,
    /// What is behind it.
    pub background: Colour,
    /// How it is written.
    pub attributes: Attributes,
    /// Whether it is selected.
    pub selected: bool,
}

/// A place of the view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row, from the top of the view.
    pub row: u16,
    /// The column.
    pub column: u16,
}

/// How far the view goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// So many lines up, or down where negative.
    Lines(i32),
    /// So many screens up, or down where negative.
    Pages(i32),
    /// To the oldest line.
    Top,
    /// To what the guest writes now.
    Bottom,
}

/// A terminal for a guest to write to.
pub struct Emulator {
    term: Term<Answers>,
    parser: Processor,
    strings: Strings,
    answers: Answers,
    history: usize,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (columns, rows) = self.size();
        write!(f, "Emulator({columns}×{rows}, {} lines above)", self.lines_above())
    }
}

impl Emulator {
    /// An empty terminal that keeps so many lines that have left at the top.
    pub fn new(columns: u16, rows: u16, history: usize) -> Self {
        let config = Config {
            scrolling_history: history,
            kitty_keyboard: false,
            osc52: Osc52::Disabled,
            ..Config::default()
        };
        let answers = Answers::default();
        let term = Term::new(config, &Size::of(columns, rows), answers.clone());
        Self { term, parser: Processor::new(), strings: Strings::default(), answers, history }
    }

    /// Takes bytes of the guest, and gives what is to be sent back to it.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        for slice in bytes.chunks(SLICE) {
            let mut obeyed = Obeyed::new(&mut self.term, slice.len());
            let parser = &mut self.parser;
            self.strings.cut(slice, |piece| match piece {
                Piece::Text(text) => parser.advance(&mut obeyed, text),
                // Ends a sequence that was begun, and does nothing.
                Piece::Begin => parser.advance(&mut obeyed, b"\x18"),
            });
        }
        std::mem::take(&mut *self.answers.lock())
    }

    /// Writes a line of the program's own between those of the guest, dimmed. Over a program that has the whole screen nothing is
    /// written: it would think that its own text still stood there.
    pub fn note(&mut self, text: &str) {
        for line in crate::text::wrapped(text, self.term.columns()) {
            self.put_line(&line);
        }
    }

    fn put_line(&mut self, text: &str) {
        if self.is_alternate() {
            return;
        }
        let before = self.term.grid().cursor.clone();
        let begin = if before.point.column.0 > 0 || before.input_needs_wrap { "\r\n" } else { "" };
        let text = crate::text::clean(text);
        // ASCII is drawn as it is whatever characters the guest had chosen.
        let line = format!("{begin}\x1b[0;2m\x1b(B\x0f{text}\x1b[0m\r\n");
        Processor::new().advance(&mut Obeyed::new(&mut self.term, line.len()), line.as_bytes());
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.template = before.template;
        cursor.charsets = before.charsets;
        // What the guest had begun is not to be ended by what it says next.
        self.start_over();
    }

    /// Takes lines that the guest has printed before, dimmed; of what is in them only colours are left.
    pub fn backlog(&mut self, line: &str) {
        let mut plain = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(at) = rest.find('\x1b') {
            plain.push_str(&rest[..at]);
            rest = strings::after_sequence(&rest[at..]);
        }
        plain.push_str(rest);
        let plain = plain.trim_end_matches(['\r', '\n']);
        // A line that was written over itself is what it was in the end.
        let last = plain.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
        self.put_line(last);
    }

    /// Forgets a sequence that was begun: what comes next comes from another session.
    pub fn start_over(&mut self) {
        self.parser = Processor::new();
        self.strings = Strings::default();
    }

    /// Leaves everything that a guest's program had switched on: it is gone.
    pub fn end_session(&mut self) {
        self.start_over();
        self.feed(
            b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[4l\x1b[20l\
              \x1b[?6l\x1b[r\x1b[?7h\x1b[?25h\x1b(B\x1b)B\x0f\x1b[0m\x1b[999;1H",
        );
        // The end of what was written, not of the screen.
        let rows = self.term.screen_lines();
        let last = (0..rows).rev().find(|&row| !self.row_is_blank(row)).unwrap_or(0);
        self.feed(format!("\x1b[{};{}H", last + 1, self.term.columns()).as_bytes());
        self.start_over();
    }

    fn row_is_blank(&self, row: usize) -> bool {
        let row = &self.term.grid()[line(row)];
        (0..self.term.columns()).all(|column| row[Column(column)].c == ' ')
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        (narrow(self.term.columns()), narrow(self.term.screen_lines()))
    }

    /// Takes another size; lines that were broken for the old one are joined. Says whether it is another one.
    pub fn resize(&mut self, columns: u16, rows: u16) -> bool {
        let size = Size::of(columns, rows);
        if (size.columns, size.rows) == (self.term.columns(), self.term.screen_lines()) {
            return false;
        }
        self.term.selection = None;
        self.term.resize(size);
        true
    }

    /// Forgets all that was written.
    pub fn clear(&mut self) {
        let (columns, rows) = self.size();
        *self = Self::new(columns, rows, self.history);
    }

    /// Whether a program has the whole screen (the alternate one, which has no history).
    pub fn is_alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    /// How many lines have left at the top and are kept.
    pub fn lines_above(&self) -> usize {
        self.term.history_size()
    }

    /// How many lines the view is above what the guest writes.
    pub fn scrolled(&self) -> usize {
        self.term.grid().display_offset()
    }

    /// Moves the view.
    pub fn scroll(&mut self, way: Scroll) {
        let page = i32::from(self.size().1);
        self.term.scroll_display(match way {
            Scroll::Lines(lines) => GridScroll::Delta(lines),
            Scroll::Pages(pages) => GridScroll::Delta(pages.saturating_mul(page)),
            Scroll::Top => GridScroll::Top,
            Scroll::Bottom => GridScroll::Bottom,
        });
    }

    /// The cells of the view that are not blank, row by row.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        let selected = self.term.selection.as_ref().and_then(|selection| selection.to_range(&self.term));
        let offset = self.scrolled();
        self.term.grid().display_iter().filter_map(move |indexed| {
            let (cell, point) = (indexed.cell, indexed.point);
            let blank = cell.c == ' '
                && cell.bg == ansi::Color::Named(NamedColor::Background)
                && cell.flags.is_empty()
                && cell.extra.is_none();
            let selected = selected.is_some_and(|range| range.contains(point));
            let spacer = Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
            if (blank && !selected) || cell.flags.intersects(spacer) {
                return None;
            }
            let place = self.place(point, offset)?;
            Some(shown(cell, place, selected))
        })
    }

    /// Where the guest's cursor is in the view, if it is to be seen.
    pub fn cursor(&self) -> Option<Place> {
        if !self.term.mode().contains(TermMode::SHOW_CURSOR) {
            return None;
        }
        let grid = self.term.grid();
        let point = self.term.grid().cursor.point;
        let before = point.column.0.saturating_sub(1);
        let within = grid[point].flags.contains(Flags::WIDE_CHAR_SPACER);
        let column = if within { Column(before) } else { point.column };
        self.place(Point::new(point.line, column), self.scrolled())
    }

    fn place(&self, point: Point, offset: usize) -> Option<Place> {
        let row = usize::try_from(point.line.0 + i32::try_from(offset).ok()?).ok()?;
        (row < self.term.screen_lines()).then(|| Place { row: narrow(row), column: narrow(point.column.0) })
    }

    fn point(&self, place: Place) -> Point {
        let row = usize::from(place.row).min(self.term.screen_lines() - 1);
        let column = usize::from(place.column).min(self.term.columns() - 1);
        let offset = i32::try_from(self.scrolled()).unwrap_or(0);
        Point::new(line(row) - usize::try_from(offset).unwrap_or(0), Column(column))
    }

    // ---- selection

    /// Begins a selection at a place; of whole lines if so wanted.
    pub fn select_from(&mut self, place: Place, lines: bool) {
        let kind = if lines { SelectionType::Lines } else { SelectionType::Simple };
        let mut selection = Selection::new(kind, self.point(place), Side::Left);
        selection.update(self.point(place), Side::Right);
        self.term.selection = Some(selection);
    }

    /// Moves the end of the selection to a place.
    pub fn select_to(&mut self, place: Place) {
        let point = self.point(place);
        let Some(mut selection) = self.term.selection.take() else { return };
        let forward = selection.to_range(&self.term).is_none_or(|range| point >= range.start);
        selection.update(point, if forward { Side::Right } else { Side::Left });
        self.term.selection = Some(selection);
    }

    /// Selects nothing.
    pub fn select_none(&mut self) {
        self.term.selection = None;
    }

    /// What is selected, without control characters.
    pub fn selected(&self) -> Option<String> {
        let text = self.term.selection_to_string().filter(|text| !text.is_empty())?;
        Some(lines_of(&text))
    }

    /// All lines that are kept and the screen, as text.
    pub fn text(&self) -> String {
        let top = Point::new(self.term.topmost_line(), Column(0));
        let end = Point::new(self.term.bottommost_line(), self.term.last_column());
        let text = lines_of(&self.term.bounds_to_string(top, end));
        let kept = text.trim_end_matches('\n').len();
        if kept == 0 { String::new() } else { format!("{}\n", &text[..kept]) }
    }

    /// The rows of the view as text: for tests and pictures.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = vec![String::new(); usize::from(self.size().1)];
        for cell in self.cells() {
            let row = &mut rows[usize::from(cell.row)];
            let blanks = usize::from(cell.column).saturating_sub(crate::text::width(row));
            row.extend(std::iter::repeat_n(' ', blanks));
            row.push(cell.character);
            row.extend(cell.marks);
        }
        rows.iter().map(|row| row.trim_end().to_owned()).collect()
    }
}

fn line(row: usize) -> Line {
    Line(i32::try_from(row).unwrap_or(i32::MAX))
}

fn narrow(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Text of the grid line by line, with no blanks at the ends and nothing that a terminal would obey.
fn lines_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        // A jump of the tabulator is text that somebody may want to paste.
        for (at, part) in line.trim_end().split('\t').enumerate() {
            if at > 0 {
                out.push('\t');
            }
            out.push_str(&crate::text::clean(part));
        }
    }
    out
}

fn shown(cell: &GridCell, place: Place, selected: bool) -> Cell<'_> {
    let has = |flag| cell.flags.intersects(flag);
    let marks = cell.zerowidth().unwrap_or_default();
    Cell {
        row: place.row,
        column: place.column,
        // The tabulator is kept in the cell that it jumped from.
        character: if cell.c.is_control() { ' ' } else { cell.c },
        marks: &marks[..marks.len().min(MOST_MARKS)],
        wide: has(Flags::WIDE_CHAR),
        foreground: colour(cell.fg),
        background: colour(cell.bg),
        attributes: Attributes {
            bold: has(Flags::BOLD),
            dim: has(Flags::DIM),
            italic: has(Flags::ITALIC),
            underline: has(Flags::ALL_UNDERLINES),
            reverse: has(Flags::INVERSE),
            crossed: has(Flags::STRIKEOUT),
            hidden: has(Flags::HIDDEN),
        },
        selected,
    }
}

fn colour(colour: ansi::Color) -> Colour {
    match colour {
        ansi::Color::Indexed(index) => Colour::Indexed(index),
        ansi::Color::Spec(rgb) => Colour::Rgb(rgb.r, rgb.g, rgb.b),
        ansi::Color::Named(named) => match u8::try_from(named as usize) {
            Ok(index) if index < 16 => Colour::Indexed(index),
            // Foreground, background, and what no guest can choose.
            _ => Colour::Default,
        },
    }
}
