//! How a console is drawn.

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::keys::MENU;
use crate::emulator::{self, Attributes, Colour};
use crate::store::Health;
use crate::text;
use crate::ui::command::Hint;
use crate::ui::frame::put;
use crate::ui::theme::Theme;

/// How a cell looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) at: (u16, u16),
    pub(super) text: CompactString,
    pub(super) style: Style,
}

impl Drawn {
    /// How a cell of a guest looks.
    pub(super) fn of(cell: &emulator::Cell<'_>) -> Self {
        let mut text = CompactString::default();
        text.push(cell.character);
        text.extend(cell.marks);
        Self { at: (cell.column, cell.row), text, style: style(cell) }
    }
}

/// Draws the tabs.
pub(super) fn tabs(
    tabs: &[(CompactString, bool)],
    here: usize,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    let mut x = area.x;
    for (at, (name, unseen)) in tabs.iter().enumerate() {
        let style = if at == here { theme.crumb_here } else { theme.crumb };
        let mark = if *unseen && at != here { " ●" } else { "" };
        let chip = format_compact!(" {} {}{mark} ", at + 1, text::one_line(name, 40));
        if x >= area.right() {
            return;
        }
        x = put(buffer, x, area.y, &chip, usize::from(area.right() - x), style) + 1;
    }
}

/// Draws the menu of ctrl-].
pub(super) fn menu(area: Rect, buffer: &mut Buffer, theme: &Theme) {
    // What is less often wanted gives way first.
    let tight = MENU.len() > usize::from(area.height);
    let lines: Vec<(String, &str)> = MENU
        .iter()
        .filter(|row| !tight || row.hint != Hint::Quiet)
        .map(|row| (row.keys.iter().map(|key| format!("<{key}>")).collect::<Vec<_>>().join(" "), row.doc))
        .collect();
    if lines.len() > usize::from(area.height) {
        return menu_in_short(area, buffer, theme);
    }
    let keys = lines.iter().map(|(keys, _)| keys.len()).max().unwrap_or(0);
    let docs = lines.iter().map(|(_, doc)| doc.len()).max().unwrap_or(0);
    let width = u16::try_from(keys + docs + 5).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let top = area.y + (area.height - height) / 2;
    for ((keys_text, doc), y) in lines.iter().zip(top..top + height) {
        let blank = " ".repeat(usize::from(width));
        let room = usize::from(width);
        put(buffer, x, y, &blank, room, theme.dialog_text);
        let end = put(buffer, x + 1, y, keys_text, room.saturating_sub(2), theme.key.patch(ground(theme)));
        let left = (x + 3 + u16::try_from(keys).unwrap_or(0)).max(end);
        let room = usize::from((x + width).saturating_sub(left + 1));
        put(buffer, left, y, doc, room, theme.dialog_text);
    }
}

/// The same where it has no room: the keys in a word each, one behind the other.
fn menu_in_short(area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let blank = " ".repeat(usize::from(area.width));
    let mut place = (area.x + 1, area.y);
    for binding in MENU {
        let (Some(key), Hint::Shown(name)) = (binding.keys.first(), binding.hint) else { continue };
        let key = format!("<{key}>");
        let wide = u16::try_from(text::width(&key) + 1 + text::width(name)).unwrap_or(u16::MAX);
        if place.0 > area.x + 1 && place.0.saturating_add(wide) >= area.right() {
            place = (area.x + 1, place.1 + 1);
        }
        if place.1 >= area.bottom() {
            return;
        }
        if place.0 == area.x + 1 {
            put(buffer, area.x, place.1, &blank, usize::from(area.width), theme.dialog_text);
        }
        let room = |x: u16| usize::from(area.right().saturating_sub(x));
        let end = put(buffer, place.0, place.1, &key, room(place.0), theme.key.patch(ground(theme)));
        let end = put(buffer, end + 1, place.1, name, room(end + 1), theme.dialog_text);
        place.0 = end + 2;
    }
}

/// Draws what there is to say, over the last rows.
pub(super) fn said(said: &str, health: Health, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let room = usize::from(area.width.saturating_sub(2));
    if room < 8 || area.height < 2 {
        return;
    }
    let lines = text::wrapped(&text::clean(said), room);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height - 1);
    let style = theme.row(health).add_modifier(Modifier::REVERSED);
    for (line, y) in lines.iter().zip(area.bottom() - height..area.bottom()) {
        put(buffer, area.x, y, &" ".repeat(usize::from(area.width)), usize::from(area.width), style);
        put(buffer, area.x + 1, y, line, room, style);
    }
}

fn ground(theme: &Theme) -> Style {
    Style { bg: theme.dialog_text.bg, ..Style::new() }
}

fn colour(colour: Colour) -> Option<Color> {
    match colour {
        Colour::Default => None,
        Colour::Indexed(index) => Some(Color::Indexed(index)),
        Colour::Rgb(red, green, blue) => Some(Color::Rgb(red, green, blue)),
    }
}

/// The style of a cell, over that of the screen.
fn style(cell: &emulator::Cell<'_>) -> Style {
    let Attributes { bold, dim, italic, underline, reverse, crossed, hidden } = cell.attributes;
    let mut modifier = Modifier::empty();
    for (on, one) in [
        (bold, Modifier::BOLD),
        (dim, Modifier::DIM),
        (italic, Modifier::ITALIC),
        (underline, Modifier::UNDERLINED),
        (reverse != cell.selected, Modifier::REVERSED),
        (crossed, Modifier::CROSSED_OUT),
        (hidden, Modifier::HIDDEN),
    ] {
        modifier.set(one, on);
    }
    let (foreground, background) = (colour(cell.foreground), colour(cell.background));
    Style { fg: foreground, bg: background, ..Style::new() }.add_modifier(modifier)
}
