//! What ratatui writes frames to.

use std::cell::OnceCell;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use super::super::colour::ColourDepth;
use super::send;

/// Around a frame: the terminal shows it whole or not yet. Terminals that do not know it ignore it.
pub(super) const SYNC: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// Text and ground.
type Pair = (Color, Color);

/// ratatui's backend with what crossterm's lacks: nothing is written for a frame that changes nothing, a frame is one
/// write, the size is not asked for each time, and only colours leave that the terminal shows.
#[derive(Debug)]
pub(super) struct Screen<W: Write> {
    pub(super) out: W,
    /// What `out` gets at the next flush.
    frame: Vec<u8>,
    /// Whether the next frame is the first on an empty screen.
    empty: bool,
    /// How much it got at the last one.
    pub(super) sent: usize,
    pub(super) size: Size,
    depth: ColourDepth,
    /// Whether the cursor shall be seen, and where.
    visible: bool,
    place: Position,
    /// Where the cursor is seen; `None` if hidden.
    shown: Option<Position>,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, size: Size, depth: ColourDepth) -> Self {
        let place = Position::ORIGIN;
        Self {
            out,
            frame: Vec::new(),
            empty: false,
            sent: 0,
            size,
            depth,
            visible: false,
            place,
            shown: None,
        }
    }

    /// Begins a frame on a screen of which nothing is known.
    pub(super) fn start_over(&mut self) {
        self.frame.extend_from_slice(b"\x1b[?25l\x1b[0m");
        self.shown = None;
        self.empty = true;
    }

    fn paint<'a>(&mut self, content: impl Iterator<Item = (u16, u16, &'a Cell)>) -> io::Result<()> {
        if self.depth == ColourDepth::True {
            let (mut brush, blanks) = (None, Blanks::default());
            let content = content.map(|(x, y, cell)| (x, y, blanks.instead_of(cell, &mut brush)));
            return CrosstermBackend::new(&mut self.frame).draw(content);
        }
        let mut known = Vec::new();
        let cells: Vec<_> = content.map(|(x, y, cell)| (x, y, self.in_depth(cell, &mut known))).collect();
        CrosstermBackend::new(&mut self.frame).draw(cells.iter().map(|(x, y, cell)| (*x, *y, cell)))
    }

    /// The cell in colours that the terminal shows; `known` holds those of the frame, for there are few of them.
    fn in_depth(&self, cell: &Cell, known: &mut Vec<(Pair, Pair)>) -> Cell {
        let mut cell = cell.clone();
        let mut shown = |pair: Pair| {
            if let Some((_, shown)) = known.iter().find(|(one, _)| *one == pair) {
                return *shown;
            }
            let shown = self.depth.pair(pair.0, pair.1);
            known.push((pair, shown));
            shown
        };
        (cell.underline_color, _) = shown((cell.underline_color, cell.bg));
        (cell.fg, cell.bg) = shown((cell.fg, cell.bg));
        cell
    }

    /// The bytes that bring the cursor to where it shall be.
    fn move_cursor(&mut self, painted: bool) {
        let wanted = self.visible.then_some(self.place);
        if let Some(place) = wanted
            && (painted || self.shown != wanted)
        {
            let (row, column) = (u32::from(place.y) + 1, u32::from(place.x) + 1);
            self.frame.extend_from_slice(format!("\x1b[{row};{column}H").as_bytes());
        }
        match (self.shown, wanted) {
            (None, Some(_)) => self.frame.extend_from_slice(b"\x1b[?25h"),
            (Some(_), None) => self.frame.extend_from_slice(b"\x1b[?25l"),
            _ => {}
        }
        self.shown = wanted;
    }
}

/// Blanks in the colours that were in use when one was written.
#[derive(Default)]
struct Blanks([OnceCell<Cell>; 16]);

impl Blanks {
    /// A blank shows nothing of its foreground: it takes that of the cell before it, so that no colour is named for it.
    fn instead_of<'a>(&'a self, cell: &'a Cell, brush: &mut Option<Color>) -> &'a Cell {
        let blank = cell.symbol() == " " && cell.modifier.is_empty();
        let Some(fg) = brush.filter(|&fg| blank && cell.fg != fg) else {
            *brush = Some(cell.fg);
            return cell;
        };
        let made = || {
            let mut made = cell.clone();
            made.fg = fg;
            made
        };
        let fits = |known: &&Cell| {
            known.fg == fg && known.bg == cell.bg && known.underline_color == cell.underline_color
        };
        self.0.iter().map(|place| place.get_or_init(made)).find(fits).unwrap_or(cell)
    }
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        // crossterm's backend writes resets also around nothing.
        if content.peek().is_none() {
            return Ok(());
        }
        if !std::mem::take(&mut self.empty) {
            return self.paint(content);
        }
        // Colour by colour: to name one takes three times the bytes of a move.
        let (mut brushes, mut brush) = (Vec::new(), 0);
        let mut cells: Vec<(usize, (u16, u16, &Cell))> = Vec::new();
        for at in content {
            let (_, _, cell) = at;
            if cell.symbol() != " " || !cell.modifier.is_empty() {
                let style = cell.style();
                brush = brushes.iter().position(|known| *known == style).unwrap_or_else(|| {
                    brushes.push(style);
                    brushes.len() - 1
                });
            }
            cells.push((brush, at));
        }
        cells.sort_by_key(|&(brush, _)| brush);
        self.paint(cells.into_iter().map(|(_, at)| at))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.visible = false;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.visible = true;
        Ok(())
    }

    /// Never asks the terminal: its answer would have to be picked out of the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.place)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.place = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        CrosstermBackend::new(&mut self.frame).clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    /// Called once at the end of each frame.
    fn flush(&mut self) -> io::Result<()> {
        let painted = !self.frame.is_empty();
        if painted {
            self.frame.splice(0..0, SYNC.0.bytes());
        }
        self.move_cursor(painted);
        if painted {
            self.frame.extend_from_slice(SYNC.1.as_bytes());
        }
        self.sent = self.frame.len();
        let written = if self.frame.is_empty() { Ok(()) } else { send(&mut self.out, &self.frame) };
        self.frame.clear();
        written
    }
}
