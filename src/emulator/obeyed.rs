//! What a guest may do to the grid. A sequence that is not here does nothing.

use std::time::Duration;

use alacritty_terminal::event::EventListener;
use alacritty_terminal::grid::{Dimensions as _, Scroll};
use alacritty_terminal::index::{Column, Point};
use alacritty_terminal::term::Term;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, Handler, LineClearMode, Mode, NamedMode, NamedPrivateMode, PrivateMode,
    StandardCharset, TabulationClearMode, Timeout,
};
use unicode_width::UnicodeWidthChar as _;

use super::MOST_MARKS;

/// Updates are shown as they come: one that a guest begins and never ends must hold nothing back.
#[derive(Debug, Default)]
pub(super) struct NoSync;

impl Timeout for NoSync {
    fn set_timeout(&mut self, _: Duration) {}

    fn clear_timeout(&mut self) {}

    fn pending_timeout(&self) -> bool {
        false
    }
}

/// Characters beyond those that a slice of bytes can hold: what `CSI b` repeats.
const REPEATS: usize = 32 << 10;
/// Cells that the sequences of one slice may clear or move. A program that draws a whole screen anew needs some thousands of bytes
/// for it.
const CELLS: usize = 4 << 20;

/// The grid, as a guest may use it while one slice of its bytes is read.
pub(super) struct Obeyed<'a, T> {
    term: &'a mut Term<T>,
    characters: usize,
    cells: usize,
    page: usize,
}

impl<'a, T: EventListener> Obeyed<'a, T> {
    pub(super) fn new(term: &'a mut Term<T>, bytes: usize) -> Self {
        let page = term.columns() * term.screen_lines();
        Self { term, characters: bytes + REPEATS, cells: CELLS.max(page * 4), page }
    }

    /// Whether so many cells may still be worked on.
    fn may(&mut self, cells: usize) -> bool {
        let may = self.cells >= cells;
        self.cells = self.cells.saturating_sub(cells);
        may
    }

    /// Whether one more mark fits onto the cell that it would be put on.
    fn takes_mark(&self) -> bool {
        let grid = self.term.grid();
        let Point { line, mut column } = grid.cursor.point;
        if !grid.cursor.input_needs_wrap {
            column = Column(column.0.saturating_sub(1));
        }
        if grid[line][column].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = Column(column.0.saturating_sub(1));
        }
        grid[line][column].zerowidth().is_none_or(|marks| marks.len() < MOST_MARKS)
    }

    /// A tabulator goes no further than the end of the line.
    fn stops(&self, count: u16) -> u16 {
        count.min(u16::try_from(self.term.columns()).unwrap_or(u16::MAX))
    }
}

impl<T> Drop for Obeyed<'_, T> {
    /// Lines that leave a scrolling region push a view that is scrolled up, also where they go nowhere: it may then be above the
    /// oldest line, where there is nothing that could be looked at.
    fn drop(&mut self) {
        if self.term.grid().display_offset() > self.term.history_size() {
            self.term.grid_mut().scroll_display(Scroll::Delta(0));
        }
    }
}

/// Characters that would be obeyed or hide others if they stood in a cell.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl<T: EventListener> Handler for Obeyed<'_, T> {
    #[inline]
    fn input(&mut self, c: char) {
        let Some(left) = self.characters.checked_sub(1) else { return };
        self.characters = left;
        // Below this there are no marks.
        if c >= '\u{300}' && (is_invisible(c) || (c.width() == Some(0) && !self.takes_mark())) {
            return;
        }
        self.term.input(c);
    }

    fn goto(&mut self, line: i32, column: usize) {
        self.term.goto(line, column);
    }

    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }

    fn goto_col(&mut self, column: usize) {
        self.term.goto_col(column);
    }

    fn insert_blank(&mut self, count: usize) {
        if self.may(self.term.columns()) {
            self.term.insert_blank(count);
        }
    }

    fn move_up(&mut self, rows: usize) {
        self.term.move_up(rows);
    }

    fn move_down(&mut self, rows: usize) {
        self.term.move_down(rows);
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        self.term.identify_terminal(intermediate);
    }

    fn device_status(&mut self, what: usize) {
        self.term.device_status(what);
    }

    fn move_forward(&mut self, columns: usize) {
        self.term.move_forward(columns);
    }

    fn move_backward(&mut self, columns: usize) {
        self.term.move_backward(columns);
    }

    fn move_down_and_cr(&mut self, rows: usize) {
        self.term.move_down_and_cr(rows);
    }

    fn move_up_and_cr(&mut self, rows: usize) {
        self.term.move_up_and_cr(rows);
    }

    fn put_tab(&mut self, count: u16) {
        let count = self.stops(count);
        if self.may(usize::from(count)) {
            self.term.put_tab(count);
        }
    }

    fn backspace(&mut self) {
        self.term.backspace();
    }

    fn carriage_return(&mut self) {
        self.term.carriage_return();
    }

    #[inline]
    fn linefeed(&mut self) {
        if self.may(self.term.columns()) {
            self.term.linefeed();
        }
    }

    fn substitute(&mut self) {
        self.term.substitute();
    }

    fn newline(&mut self) {
        if self.may(self.term.columns()) {
            self.term.newline();
        }
    }

    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }

    fn scroll_up(&mut self, lines: usize) {
        if self.may(self.page) {
            self.term.scroll_up(lines);
        }
    }

    fn scroll_down(&mut self, lines: usize) {
        if self.may(self.page) {
            self.term.scroll_down(lines);
        }
    }

    fn insert_blank_lines(&mut self, lines: usize) {
        if self.may(self.page) {
            self.term.insert_blank_lines(lines);
        }
    }

    fn delete_lines(&mut self, lines: usize) {
        if self.may(self.page) {
            self.term.delete_lines(lines);
        }
    }

    fn erase_chars(&mut self, count: usize) {
        if self.may(self.term.columns()) {
            self.term.erase_chars(count);
        }
    }

    fn delete_chars(&mut self, count: usize) {
        if self.may(self.term.columns()) {
            self.term.delete_chars(count);
        }
    }

    fn move_backward_tabs(&mut self, count: u16) {
        let count = self.stops(count);
        if self.may(usize::from(count)) {
            self.term.move_backward_tabs(count);
        }
    }

    fn move_forward_tabs(&mut self, count: u16) {
        let count = self.stops(count);
        if self.may(usize::from(count)) {
            self.term.move_forward_tabs(count);
        }
    }

    fn save_cursor_position(&mut self) {
        self.term.save_cursor_position();
    }

    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
    }

    fn clear_line(&mut self, mode: LineClearMode) {
        if self.may(self.term.columns()) {
            self.term.clear_line(mode);
        }
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        // What has left at the top is the reader's: a guest that clears its screen does not take it away.
        if !matches!(mode, ClearMode::Saved) && self.may(self.page) {
            self.term.clear_screen(mode);
        }
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        if self.may(self.term.columns()) {
            self.term.clear_tabs(mode);
        }
    }

    fn set_tabs(&mut self, interval: u16) {
        if interval > 0 && self.may(self.term.columns()) {
            self.term.set_tabs(interval);
        }
    }

    fn reset_state(&mut self) {
        // The grid forgets its history with that. A reset clears the screen, and what a program had switched on.
        if self.may(self.page * 2) {
            self.term.unset_private_mode(NamedPrivateMode::SwapScreenAndSetRestoreCursor.into());
            self.term.clear_screen(ClearMode::All);
            self.term.set_scrolling_region(1, None);
            self.term.goto(0, 0);
            self.term.terminal_attribute(Attr::Reset);
            self.term.set_active_charset(CharsetIndex::G0);
            for index in [CharsetIndex::G0, CharsetIndex::G1, CharsetIndex::G2, CharsetIndex::G3] {
                self.term.configure_charset(index, StandardCharset::Ascii);
            }
            self.term.unset_keypad_application_mode();
            self.term.set_tabs(8);
            for mode in [
                NamedPrivateMode::CursorKeys,
                NamedPrivateMode::Origin,
                NamedPrivateMode::ReportMouseClicks,
                NamedPrivateMode::ReportCellMouseMotion,
                NamedPrivateMode::ReportAllMouseMotion,
                NamedPrivateMode::Utf8Mouse,
                NamedPrivateMode::SgrMouse,
                NamedPrivateMode::BracketedPaste,
            ] {
                self.term.unset_private_mode(mode.into());
            }
            for mode in [NamedPrivateMode::LineWrap, NamedPrivateMode::ShowCursor] {
                self.term.set_private_mode(mode.into());
            }
            for mode in [NamedMode::Insert, NamedMode::LineFeedNewLine] {
                self.term.unset_mode(mode.into());
            }
        }
    }

    fn reverse_index(&mut self) {
        if self.may(self.term.columns()) {
            self.term.reverse_index();
        }
    }

    #[inline]
    fn terminal_attribute(&mut self, attribute: Attr) {
        self.term.terminal_attribute(attribute);
    }

    fn set_mode(&mut self, mode: Mode) {
        self.term.set_mode(mode);
    }

    fn unset_mode(&mut self, mode: Mode) {
        self.term.unset_mode(mode);
    }

    fn report_mode(&mut self, mode: Mode) {
        self.term.report_mode(mode);
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        if self.may(self.page) {
            self.term.set_private_mode(mode);
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if self.may(self.page) {
            self.term.unset_private_mode(mode);
        }
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        self.term.report_private_mode(mode);
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.term.set_scrolling_region(top, bottom);
    }

    fn set_keypad_application_mode(&mut self) {
        self.term.set_keypad_application_mode();
    }

    fn unset_keypad_application_mode(&mut self) {
        self.term.unset_keypad_application_mode();
    }

    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.term.set_active_charset(index);
    }

    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }

    fn decaln(&mut self) {
        if self.may(self.page) {
            self.term.decaln();
        }
    }

    fn text_area_size_chars(&mut self) {
        self.term.text_area_size_chars();
    }
}
