//! A list on the screen: which rows and columns there is room for, how wide they are, and what has changed in them.

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::model::{Now, Word};
use crate::store::{Dir, Health, Id, SortKey, Store};
use crate::text;
use crate::ui::frame::put;
use crate::ui::theme::{self, Theme};
use crate::views::{Holds, List};

/// A list and what of it is on screen.
#[derive(Debug)]
pub struct ListPane {
    /// The rows.
    pub list: List,
    top: usize,
    /// How many columns are scrolled out on the left.
    left: usize,
    /// The widths that columns have had: they grow with what is seen and do not jump back.
    widths: Vec<u16>,
    window: Window,
    /// The window of the frame before, to see what has changed.
    before: Window,
    changes: Vec<Change>,
    /// What stands behind names that are of a special kind.
    pub signs: Vec<(Word, &'static str)>,
    /// Whether the column of reasons gives way to the others where there is not room for all.
    pub yields: bool,
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
    /// The value of each cell that is a number.
    numbers: Vec<Option<i64>>,
}

/// A cell that has just changed.
#[derive(Debug)]
struct Change {
    id: Id,
    column: usize,
    sign: &'static str,
    until: Instant,
}

/// What is at a place of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The title of this column.
    Column(usize),
    /// The row at this place of the list.
    Row(usize),
}

/// Blank columns between two columns of the table.
const GAP: u16 = 2;
/// A column that has less room than this, and less than it needs, is left out: what is left of it says nothing.
const LEAST: u16 = 8;
/// Names give way to what stands behind them down to this many columns,
const LEAST_NAME: u16 = 20;
/// so that the first column behind the state shows so much.
const ENOUGH: u16 = 18;
/// That column gives way to those behind it down to this many columns.
const MUCH: u16 = 40;
/// From this many columns of the screen on there is room for many.
const ROOMY: u16 = 100;
/// A column that may be as wide as this holds sentences, and is what one came for.
const LONG: u16 = 100;
/// A table that is narrower than this has as much room all the same where something stands beside it.
const LEAST_BESIDE: u16 = 80;
/// So much of a reason is shown at least where the whole of it stands beside the list, or another column is seen then.
const LEAST_REASON: u16 = 16;
/// From here on moving the cursor takes fewer bytes than blanks.
const SHORT_GAP: u16 = 8;
/// How long a changed cell has its sign.
const FRESH: Duration = Duration::from_secs(2);

impl Window {
    fn clear(&mut self) {
        self.ids.clear();
        self.healths.clear();
        self.columns.clear();
        self.text.clear();
        self.ends.clear();
        self.numbers.clear();
    }

    /// The text and the value of a cell: row and place among the columns.
    fn cell(&self, row: usize, at: usize) -> (&str, Option<i64>) {
        let place = row * self.columns.len() + at;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        (&self.text[start..self.ends[place]], self.numbers[place])
    }
}

impl ListPane {
    /// A list that has not been drawn yet.
    pub fn new(list: List) -> Self {
        let (window, before) = (Window::default(), Window::default());
        let (widths, changes) = (Vec::new(), Vec::new());
        let signs = Vec::new();
        Self { list, top: 0, left: 0, widths, window, before, changes, signs, yields: false }
    }

    /// The same view, order and cursor, to come back to: rows are read anew then.
    pub fn without_rows(&self) -> Self {
        Self::new(self.list.without_rows())
    }

    /// The rows of the last frame.
    pub fn visible(&self) -> &[Id] {
        &self.window.ids
    }

    /// The rows that the next frame would show if it had as many as the last one and began where that did.
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

    /// The column beside the one that the list is sorted by.
    pub fn next_column(&self, by: isize, store: &Store) -> Option<usize> {
        let columns: Vec<usize> = self.list.columns(store).collect();
        let here = columns.iter().position(|&column| column == self.list.order().0).unwrap_or(0);
        let next = here.checked_add_signed(by).unwrap_or(columns.len().saturating_sub(1));
        columns.get(next % columns.len().max(1)).copied()
    }

    /// The first visible column whose title begins with a letter.
    pub fn column_of(&self, letter: char, store: &Store) -> Option<usize> {
        self.list.columns(store).find(|&column| self.list.view.heading(column).title.starts_with(letter))
    }

    /// When the pane reads differently although nothing happens.
    pub fn next_change(&self, store: &Store, now: Now) -> Option<Duration> {
        let ages = self.list.view.next_change(store, self.visible(), now);
        let signs = self.changes.iter().map(|change| change.until.saturating_duration_since(now.instant));
        [ages, self.list.next_change(now), signs.min()].into_iter().flatten().min()
    }

    /// Makes the text of what fits into `height` rows.
    pub fn prepare(&mut self, store: &Store, height: usize, now: Now) {
        self.list.expire(store, now);
        let place = self.list.place();
        let rows = self.list.rows();
        self.top = self
            .top
            .min(place)
            .max((place + 1).saturating_sub(height))
            .min(rows.len().saturating_sub(height));
        let view = &*self.list.view;
        std::mem::swap(&mut self.window, &mut self.before);
        let window = &mut self.window;
        window.clear();
        window.columns.extend(self.list.columns(store));
        window.ids.extend(rows.iter().skip(self.top).take(height));
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
                if !self.signs.is_empty() && heading.title == "NAME" {
                    let name = window.text[start..].to_owned();
                    let signs = self.signs.iter().filter(|(known, _)| **known == *name);
                    window.text.extend(signs.map(|(_, sign)| *sign));
                }
                let wide = text::width(&window.text[start..]).min(usize::from(heading.widest));
                self.widths[column] = self.widths[column].max(u16::try_from(wide).unwrap_or(u16::MAX));
                window.ends.push(window.text.len());
                window.numbers.push(match view.key(store, id, column, now) {
                    SortKey::Number(number) if right(&heading.holds) => Some(number),
                    _ => None,
                });
            }
        }
        self.look_for_changes(now);
    }

    /// Notes which cells read differently from those of the frame before.
    fn look_for_changes(&mut self, now: Now) {
        self.changes.retain(|change| change.until > now.instant);
        let (window, before) = (&self.window, &self.before);
        if window.columns != before.columns {
            return;
        }
        for (row, &id) in window.ids.iter().enumerate() {
            let here = before.ids.get(row) == Some(&id);
            let was = if here { Some(row) } else { before.ids.iter().position(|&known| known == id) };
            let Some(was) = was else { continue };
            for (at, &column) in window.columns.iter().enumerate() {
                let ((old, old_number), (new, new_number)) = (before.cell(was, at), window.cell(row, at));
                // What was not known yet has not changed, and ages always do.
                if old == new || old.ends_with('…') || new.ends_with('…') {
                    continue;
                }
                if self.list.view.heading(column).holds == Holds::Age {
                    continue;
                }
                let sign = match (old_number, new_number) {
                    (Some(old), Some(new)) if new > old => "↑",
                    (Some(old), Some(new)) if new < old => "↓",
                    _ => "Δ",
                };
                self.changes.retain(|change| (change.id, change.column) != (id, column));
                self.changes.push(Change { id, column, sign, until: now.instant + FRESH });
            }
        }
    }

    /// How many columns of the screen the whole table needs.
    pub fn needed(&self) -> u16 {
        let widths = self.window.columns.iter().map(|&column| self.widths[column] + GAP);
        widths.fold(0, u16::saturating_add).max(LEAST_BESIDE)
    }

    /// How many columns of the screen it needs when names and the column of reasons give way.
    pub fn least(&self) -> u16 {
        let (reasons, kept) = (self.reasons(), self.kept());
        let least = |(at, &column): (usize, &usize)| match self.widths[column] {
            wide if at < kept => wide.min(LEAST_NAME),
            wide if Some(column) == reasons => wide.min(LEAST_REASON),
            wide => wide,
        };
        let widths = self.window.columns.iter().enumerate().map(|column| least(column) + GAP);
        widths.fold(0, u16::saturating_add).max(LEAST_BESIDE)
    }

    /// The column of reasons, if it is visible.
    fn reasons(&self) -> Option<usize> {
        self.list.view.column("REASON").filter(|column| self.window.columns.contains(column))
    }

    /// What is at this place of the screen when the pane stands in `area`.
    pub fn hit(&self, x: u16, y: u16, area: Rect) -> Option<Hit> {
        if !area.contains((x, y).into()) {
            return None;
        }
        if y == area.y {
            let places = self.places(area);
            let (at, ..) = places.iter().rev().find(|&&(_, left, _)| left <= x)?;
            return Some(Hit::Column(self.window.columns[*at]));
        }
        let place = self.top + usize::from(y - area.y - 1);
        (place < self.list.rows().len()).then_some(Hit::Row(place))
    }

    /// Where the columns stand: index among the shown ones, left edge, width.
    fn places(&self, area: Rect) -> Vec<(usize, u16, u16)> {
        let (window, kept) = (&self.window, self.kept());
        let mut visible: Vec<usize> = Vec::with_capacity(window.columns.len());
        visible.extend((0..window.columns.len()).filter(|&at| at < kept || at >= kept + self.left));
        let widths = self.fitted(&visible, area.width);
        let needed: u16 = widths.iter().map(|width| width + GAP).sum();
        let count = u16::try_from(visible.len()).unwrap_or(1).max(1);
        let spare = (area.width.saturating_sub(needed) / count).min(4);
        let mut x = area.x;
        let mut places = Vec::with_capacity(window.columns.len());
        for (at, wanted) in visible.into_iter().zip(widths) {
            if x >= area.right() {
                break;
            }
            let width = wanted.min(area.right() - x);
            if width < wanted.min(LEAST) && !places.is_empty() {
                break;
            }
            places.push((at, x, width));
            x += width + GAP + spare;
        }
        places
    }

    /// The widths of these columns. Where state and reason would find no room behind long names, the names give way; and
    /// a long reason does where columns behind it would find none.
    fn fitted(&self, visible: &[usize], room: u16) -> Vec<u16> {
        let columns = || visible.iter().map(|&at| self.window.columns[at]);
        let mut widths: Vec<u16> = columns().map(|column| self.widths[column]).collect();
        let kept = self.kept();
        let state = columns().position(|column| self.list.view.heading(column).holds == Holds::State);
        let last = state.map_or(kept, |state| state + 1);
        let telling = widths.iter().take(last + 1).enumerate();
        let wanted = |(at, &width): (usize, &u16)| if at == last { width.min(ENOUGH) } else { width + GAP };
        let mut over = telling.map(wanted).sum::<u16>().saturating_sub(room);
        for width in widths.iter_mut().take(kept).rev() {
            let less = over.min(width.saturating_sub(LEAST_NAME));
            *width -= less;
            over -= less;
        }
        let heading = |at: usize| self.list.view.heading(self.window.columns[visible[at]]);
        let long = (0..visible.len()).find(|&at| heading(at).widest >= LONG);
        if let Some(long) = long {
            let before: u16 = widths.iter().take(long).map(|width| width + GAP).sum();
            let mut over = (before + widths[long].min(MUCH)).saturating_sub(room);
            for at in (0..long).rev() {
                let gives = heading(at).gives;
                let less = if gives > 0 { over.min(widths[at].saturating_sub(gives)) } else { 0 };
                widths[at] -= less;
                over -= less;
            }
        }
        // A whole sentence stands on other screens as well.
        let whole = widths.iter().map(|width| width + GAP).sum::<u16>().saturating_sub(GAP);
        let reason = state.filter(|_| long.is_none()).and_then(|state| widths.get_mut(state + 1));
        if let Some(reason) = reason {
            let least = if self.yields { LEAST_REASON } else { MUCH };
            let less = whole.saturating_sub(room).min(reason.saturating_sub(least));
            *reason -= less;
            // So do names.
            let mut over = if self.yields { whole.saturating_sub(less + room) } else { 0 };
            for width in widths.iter_mut().take(kept).rev() {
                let less = over.min(width.saturating_sub(LEAST_NAME));
                *width -= less;
                over -= less;
            }
        }
        if let Some(at) = state.filter(|_| long.is_none() && room >= ROOMY).map(|state| state + 1) {
            show_more(&mut widths, at, room);
        }
        widths
    }

    /// Scrolls the columns so that this one is whole on the screen when the pane stands in `area`.
    pub fn reveal(&mut self, column: usize, area: Rect) {
        let Some(at) = self.window.columns.iter().position(|&shown| shown == column) else { return };
        let kept = self.kept();
        if at < kept {
            return;
        }
        self.left = self.left.min(at - kept);
        let title = text::width(&self.list.view.heading(column).title) + 1;
        let whole = |&(place, _, width): &(usize, u16, u16)| place == at && usize::from(width) >= title;
        while self.left < at - kept && !self.places(area).iter().any(whole) {
            self.left += 1;
        }
    }

    /// How many columns stay when the others are scrolled: up to the name.
    fn kept(&self) -> usize {
        let name = self.list.view.column("NAME");
        let until_name = |&&column: &&usize| name.is_some_and(|name| column <= name);
        self.window.columns.iter().take_while(until_name).count().min(2)
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
            let style = match column == sorted {
                true => theme.sorted.add_modifier(Modifier::UNDERLINED),
                false => theme.column,
            };
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
        self.draw_more(&places, area, buffer, theme);
        let names = 0..self.kept();
        for (row, health) in self.window.healths.iter().enumerate() {
            let Some(y) = u16::try_from(row + 1).ok().map(|row| area.y + row).filter(|&y| y < area.bottom())
            else {
                break;
            };
            let mut style = theme.row(*health);
            if dimmed {
                style = style.add_modifier(Modifier::DIM);
            }
            let id = self.window.ids[row];
            if self.list.is_marked(id) {
                style = style.patch(theme.marked);
                if let Some(border) = area.x.checked_sub(1) {
                    put(buffer, border, y, theme::MARK.encode_utf8(&mut [0; 4]), 1, theme.marked);
                }
            }
            if self.top + row == self.list.place() {
                style = theme.cursor(style);
                buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
            let mut end = area.x;
            for &(at, x, width) in &places {
                let (cell, _) = self.window.cell(row, at);
                let heading = self.list.view.heading(self.window.columns[at]);
                let holds = heading.holds;
                let named = heading.gives > 0 && holds == Holds::Text;
                let shown = match names.contains(&at) || named {
                    true => text::cut_middle(cell, usize::from(width)),
                    false => text::cut(cell, usize::from(width)),
                };
                let start = if right(&holds) { x + width - fit(text::width(&shown), width) } else { x };
                // Over a narrow gap it is shorter to write blanks of the same colour than to move the cursor.
                if start.saturating_sub(end) < SHORT_GAP {
                    let gap = Rect { x: end, y, width: start.saturating_sub(end), height: 1 };
                    buffer.set_style(gap, Style { fg: style.fg, ..Style::new() });
                }
                end = put(buffer, start, y, &shown, usize::from(width), style);
                let column = self.window.columns[at];
                let change = self.changes.iter().find(|change| (change.id, change.column) == (id, column));
                if let Some(Change { sign, .. }) = change.filter(|_| end < area.right()) {
                    let style = match *sign {
                        "↑" => style.patch(theme.row(Health::Failed)),
                        "↓" => style.patch(theme.row(Health::Well)),
                        _ => style,
                    };
                    end = put(buffer, end, y, sign, 1, style);
                }
            }
        }
        self.draw_scrollbar(area, buffer, theme);
    }

    /// Signs where there are more columns than there is room for.
    fn draw_more(&self, places: &[(usize, u16, u16)], area: Rect, buffer: &mut Buffer, theme: &Theme) {
        if area.width <= 20 {
            return;
        }
        if let Some(&(at, x, width)) = places.last()
            && at + 1 < self.window.columns.len()
        {
            // On the border, or where nothing stands.
            let border = (area.right() < buffer.area.right()).then_some(area.right());
            let free = (x + width < area.right()).then_some(area.right() - 1);
            if let Some(x) = border.or(free) {
                put(buffer, x, area.y, "›", 1, theme.sorted);
            }
        }
        let first = places.iter().find(|&&(at, ..)| at >= self.kept());
        if let Some(&(_, x, _)) = first.filter(|_| self.left > 0) {
            // With a blank before the title, where there is something before it.
            let before = if x > area.x { GAP } else { 1 };
            put(buffer, x.saturating_sub(before), area.y, "‹", 1, theme.sorted);
        }
    }

    /// On the right border: which part of the rows is on screen.
    fn draw_scrollbar(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (height, total) = (usize::from(area.height.saturating_sub(1)), self.list.rows().len());
        if total <= height || height < 3 || area.right() >= buffer.area.right() {
            return;
        }
        let length = (height * height / total).max(1);
        let start = self.top * (height - length) / (total - height).max(1);
        for y in (start..start + length).filter_map(|y| u16::try_from(y).ok()) {
            put(buffer, area.right(), area.y + 1 + y, "┃", 1, theme.border);
        }
    }
}

/// Lets the column at `at` give way until the last column stands in the room that fits then.
fn show_more(widths: &mut [u16], at: usize, room: u16) {
    let Some(spare) = widths.get(at).map(|width| width.saturating_sub(LEAST_REASON)) else { return };
    let (mut end, mut over) = (0_u16, 0);
    for (place, width) in widths.iter().enumerate() {
        end = end.saturating_add(*width).saturating_add(if place > 0 { GAP } else { 0 });
        if place >= at && end.saturating_sub(room) <= spare {
            over = end.saturating_sub(room);
        }
    }
    widths[at] -= over;
}

fn right(holds: &Holds) -> bool {
    matches!(holds, Holds::Number | Holds::Millis | Holds::Bytes)
}

fn fit(wanted: usize, width: u16) -> u16 {
    u16::try_from(wanted).unwrap_or(u16::MAX).min(width)
}
