//! A list on the screen: which rows and columns there is room for, and how wide they are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::model::Now;
use crate::store::{Dir, Health, Id, Store};
use crate::text;
use crate::ui::frame::put;
use crate::ui::theme::{self, Theme};
use crate::views::{AnyView, Holds, Layout, List};

/// A list and what of it is on screen.
#[derive(Debug)]
pub struct ListPane {
    /// The rows.
    pub list: List,
    /// Whether the wide columns are shown.
    pub wide: bool,
    top: usize,
    /// How many columns are scrolled out on the left.
    left: usize,
    /// The widths that columns have had: they grow with what is seen and do not jump back.
    widths: Vec<u16>,
    window: Window,
}

/// What the mouse is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The title of this column.
    Column(usize),
    /// The row at this place of the list.
    Row(usize),
}

/// The visible rows as text, made anew for each frame in the same memory.
#[derive(Debug, Default)]
struct Window {
    ids: Vec<Id>,
    healths: Vec<Health>,
    columns: Vec<usize>,
    text: String,
    /// Where each cell ends in the text, row by row.
    ends: Vec<usize>,
}

/// Blank columns between two columns of the table.
const GAP: u16 = 2;
/// A column that has less room than this, and less than it needs, is left out: what is left of it says nothing.
const LEAST: u16 = 8;
/// From here on moving the cursor takes fewer bytes than blanks.
const SHORT_GAP: u16 = 8;

impl ListPane {
    /// A list that has not been drawn yet.
    pub fn new(list: List) -> Self {
        Self { list, wide: false, top: 0, left: 0, widths: Vec::new(), window: Window::default() }
    }

    /// The same view, order and cursor, to come back to: rows are read anew then.
    pub fn without_rows(&self) -> Self {
        Self { wide: self.wide, ..Self::new(self.list.without_rows()) }
    }

    /// The rows of the last frame.
    pub fn visible(&self) -> &[Id] {
        &self.window.ids
    }

    /// The rows that the next frame would show in a terminal of this size.
    pub fn window(&self) -> &[Id] {
        let rows = self.list.rows();
        let start = self.top.min(rows.len());
        &rows[start..(start + self.window.ids.len().max(1)).min(rows.len())]
    }

    /// How many rows a page has.
    pub fn height(&self, size: (u16, u16)) -> usize {
        if self.window.ids.is_empty() { usize::from(size.1.saturating_sub(5)) } else { self.window.ids.len() }
    }

    /// Lets the widths of columns begin anew.
    pub fn forget_widths(&mut self) {
        self.widths.clear();
    }

    /// Scrolls the columns.
    pub fn scroll(&mut self, by: isize) {
        let most = self.window.columns.len().saturating_sub(2);
        self.left = self.left.saturating_add_signed(by).min(most);
    }

    fn columns<'a>(
        view: &'a dyn AnyView,
        store: &'a Store,
        layout: Layout,
    ) -> impl Iterator<Item = usize> + 'a {
        (0..view.width()).filter(move |&column| view.is_visible(store, column, layout))
    }

    /// The column beside the one that the list is sorted by.
    pub fn next_column(&self, by: isize, store: &Store, many: bool) -> Option<usize> {
        let layout = Layout { wide: self.wide, many, set: None };
        let columns: Vec<usize> = Self::columns(&*self.list.view, store, layout).collect();
        let here = columns.iter().position(|&column| column == self.list.order().0).unwrap_or(0);
        let next = here.checked_add_signed(by).unwrap_or(columns.len().saturating_sub(1));
        columns.get(next % columns.len().max(1)).copied()
    }

    /// Makes the text of what fits into `height` rows.
    pub fn prepare(&mut self, store: &Store, height: usize, now: Now) {
        let place = self.list.place();
        let rows = self.list.rows();
        self.top = self
            .top
            .min(place)
            .max((place + 1).saturating_sub(height))
            .min(rows.len().saturating_sub(height));
        let view = &*self.list.view;
        let layout = Layout { wide: self.wide, many: self.list.namespace.is_none(), set: None };
        let window = &mut self.window;
        window.columns.clear();
        window.columns.extend(Self::columns(view, store, layout));
        window.ids.clear();
        window.ids.extend(rows.iter().skip(self.top).take(height));
        window.healths.clear();
        window.text.clear();
        window.ends.clear();
        self.widths.resize(view.width(), 0);
        for &column in &window.columns {
            let title = text::width(&view.heading(column).title) + 1;
            self.widths[column] = self.widths[column].max(u16::try_from(title).unwrap_or(u16::MAX));
        }
        for &id in &window.ids {
            let health = view.health(store, id, now);
            window.healths.push(health);
            for &column in &window.columns {
                let start = window.text.len();
                let heading = view.heading(column);
                if heading.holds == Holds::State {
                    window.text.push(theme::symbol(health));
                    window.text.push(' ');
                }
                view.cell(store, id, column, now, &mut window.text);
                let wide = text::width(&window.text[start..]).min(usize::from(heading.widest));
                self.widths[column] = self.widths[column].max(u16::try_from(wide).unwrap_or(u16::MAX));
                window.ends.push(window.text.len());
            }
        }
    }

    /// Where the columns stand: index among the shown ones, left edge, width.
    fn places(&self, area: Rect) -> Vec<(usize, u16, u16)> {
        let window = &self.window;
        let kept = window.columns.iter().take_while(|&&column| self.is_name_or_before(column)).count().min(2);
        let visible = (0..window.columns.len()).filter(|&at| at < kept || at >= kept + self.left);
        let needed: u16 = visible.clone().map(|at| self.widths[window.columns[at]] + GAP).sum();
        let count = u16::try_from(visible.clone().count()).unwrap_or(1).max(1);
        let spare = (area.width.saturating_sub(needed) / count).min(4);
        let mut x = area.x;
        let mut places = Vec::with_capacity(window.columns.len());
        for at in visible {
            if x >= area.right() {
                break;
            }
            let wanted = self.widths[window.columns[at]];
            let width = wanted.min(area.right() - x);
            if width < wanted.min(LEAST) && !places.is_empty() {
                break;
            }
            places.push((at, x, width));
            x += width + GAP + spare;
        }
        places
    }

    /// What is at a place of the screen.
    pub fn hit(&self, x: u16, y: u16, inside: Rect) -> Option<Hit> {
        let row = usize::from(y.checked_sub(inside.y)?);
        if row == 0 {
            let places = self.places(inside);
            let (at, ..) = places.iter().rev().find(|(_, left, _)| *left <= x)?;
            return Some(Hit::Column(self.window.columns[*at]));
        }
        (row <= self.window.ids.len()).then_some(Hit::Row(self.top + row - 1))
    }

    fn is_name_or_before(&self, column: usize) -> bool {
        self.list.view.column("NAME").is_some_and(|name| column <= name)
    }

    /// Draws the titles of the columns and the rows.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme, dimmed: bool) {
        if area.width == 0 || area.height == 0 {
            return;
        }
        let places = self.places(area);
        let (sorted, dir) = self.list.order();
        for &(at, x, width) in &places {
            let column = self.window.columns[at];
            let heading = self.list.view.heading(column);
            let style = if column == sorted { theme.sorted } else { theme.column };
            let mark = match dir {
                _ if column != sorted => "",
                Dir::Up => "↑",
                Dir::Down => "↓",
            };
            let room = usize::from(width).saturating_sub(text::width(mark));
            let title = text::cut(&heading.title, room);
            let start = if right(&heading.holds) {
                x + width - fit(text::width(&title) + text::width(mark), width)
            } else {
                x
            };
            let end = put(buffer, start, area.y, &title, room, style);
            put(buffer, end, area.y, mark, 1, theme.sorted);
        }
        let last = places.last().map(|&(at, x, width)| (at + 1 < self.window.columns.len(), x + width));
        if let Some((true, end)) = last
            && area.width > 20
        {
            // There is more on the right.
            let place = area.right() - 1;
            if end < area.right() {
                put(buffer, place, area.y, "›", 1, theme.sorted);
            }
        }
        for (row, health) in self.window.healths.iter().enumerate() {
            let Some(y) = u16::try_from(row + 1).ok().map(|row| area.y + row).filter(|&y| y < area.bottom())
            else {
                break;
            };
            let mut style = theme.row(*health);
            if dimmed {
                style = style.add_modifier(Modifier::DIM);
            }
            if self.top + row == self.list.place() {
                style = Style { bg: None, ..style }.add_modifier(Modifier::BOLD | Modifier::REVERSED);
                buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
            let mut end = area.x;
            for &(at, x, width) in &places {
                let cell = self.cell(row, at);
                let holds = self.list.view.heading(self.window.columns[at]).holds;
                let shown = text::cut(cell, usize::from(width));
                let start = if right(&holds) { x + width - fit(text::width(&shown), width) } else { x };
                // Over a narrow gap it is shorter to write blanks of the same colour than to move the cursor.
                if start.saturating_sub(end) < SHORT_GAP {
                    let gap = Rect { x: end, y, width: start.saturating_sub(end), height: 1 };
                    buffer.set_style(gap, Style { fg: style.fg, ..Style::new() });
                }
                end = put(buffer, start, y, &shown, usize::from(width), style);
            }
        }
    }

    fn cell(&self, row: usize, at: usize) -> &str {
        let place = row * self.window.columns.len() + at;
        let start = place.checked_sub(1).map_or(0, |before| self.window.ends[before]);
        &self.window.text[start..self.window.ends[place]]
    }
}

fn right(holds: &Holds) -> bool {
    matches!(holds, Holds::Number | Holds::Bytes)
}

fn fit(wanted: usize, width: u16) -> u16 {
    u16::try_from(wanted).unwrap_or(u16::MAX).min(width)
}
