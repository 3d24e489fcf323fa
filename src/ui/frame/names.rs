//! The title of what is on screen and the way to it. Where there is not room for whole names, their middles go: what tells the
//! state stays, and so does the place where one is.

use std::borrow::Cow;

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::store::Health;
use crate::text;
use crate::ui::app::App;
use crate::ui::panes::{Title, console};
use crate::ui::theme::Theme;

/// Less of a name tells nothing.
const LEAST_OF_NAME: usize = 7;

/// Writes the title into the middle of the upper border.
pub(super) fn draw_title(title: &Title, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let plain = Style::new();
    let around = |text: &str, open, close| if text.is_empty() { ("", "") } else { (open, close) };
    let (part_open, part_close) = around(&title.part, "(", ")");
    let (count_open, count_close) = around(&title.count, "[", "]");
    let (chip_open, chip_close) = around(&title.chip, "</", "> ");
    let (word, health) = &title.word;
    let filter = if title.wrong { theme.row(Health::Failed) } else { theme.filter };
    let mut pieces = [
        (" ", plain),
        (&*title.name, theme.title),
        (part_open, theme.title),
        (&*title.part, theme.title_part),
        (part_close, theme.title),
        (count_open, theme.title),
        (&*title.count, theme.counter),
        (count_close, theme.title),
        (" ", plain),
        (chip_open, filter),
        (&*title.chip, filter),
        (chip_close.trim_end(), filter),
        (if title.chip.is_empty() { "" } else { " " }, plain),
        (&**word, theme.row(*health)),
        (if word.is_empty() { "" } else { " " }, plain),
    ];
    let wide = |pieces: &[(&str, Style)]| pieces.iter().map(|(text, _)| text::width(text)).sum::<usize>();
    let room = area.width.saturating_sub(2);
    let mut over = wide(&pieces).saturating_sub(room.into());
    let part = shortened(&title.part, &mut over);
    let chip = shortened(&title.chip, &mut over);
    let name = shortened(&title.name, &mut over);
    (pieces[1].0, pieces[3].0, pieces[10].0) = (&name, &part, &chip);
    let wide = u16::try_from(wide(&pieces)).unwrap_or(u16::MAX);
    let mut x = area.x + 1 + room.saturating_sub(wide) / 2;
    for (text, style) in pieces {
        let left = usize::from((area.x + 1 + room).saturating_sub(x));
        x = put(buffer, x, area.y, text, left, style);
    }
}

/// A name without its middle, as far as `over` columns too many have to go; what went is taken off them.
pub(in crate::ui) fn shortened<'a>(name: &'a str, over: &mut usize) -> Cow<'a, str> {
    let before = text::width(name);
    let shown = text::cut_middle(name, before.saturating_sub(*over).max(before.min(LEAST_OF_NAME)));
    *over = over.saturating_sub(before - text::width(&shown));
    shown
}

/// Writes the way here, the place where one is last.
pub(super) fn draw_crumbs(app: &App, area: Rect, buffer: &mut Buffer) {
    let taken = draw_mark(app, area, buffer);
    let names: Vec<CompactString> = app.way().map(|name| text::clean(&name).into()).collect();
    let (shown, most) = fitting(&names, usize::from(area.width).saturating_sub(taken));
    let last = shown.len().saturating_sub(1);
    let mut x = area.x;
    for (at, name) in shown.iter().enumerate() {
        if x >= area.right() || area.height == 0 {
            return;
        }
        let style = if at == last { app.theme.crumb_here } else { app.theme.crumb };
        let chip = format_compact!(" <{}> ", text::cut_middle(name, most));
        x = put(buffer, x, area.y, &chip, usize::from(area.right() - x), style) + 1;
    }
}

/// The names that there is room for, and how wide each may be: cut in their middles, then without the first ones.
fn fitting(names: &[CompactString], room: usize) -> (&[CompactString], usize) {
    // Each stands in brackets between blanks, with a blank before the next one.
    let wide = |names: &[CompactString], most: usize| {
        names.iter().map(|name| text::width(name).min(most) + 5).sum::<usize>().saturating_sub(1)
    };
    let longest = names.iter().map(|name| text::width(name)).max().unwrap_or(0);
    let most = (LEAST_OF_NAME..=longest).rev().find(|&most| wide(names, most) <= room);
    let most = most.unwrap_or(longest.min(LEAST_OF_NAME));
    let first = (0..names.len()).find(|&from| wide(&names[from..], most) <= room);
    (&names[first.unwrap_or(names.len().saturating_sub(1))..], most)
}

/// At the right: consoles that go on behind what is on screen. Gives how many columns that takes.
fn draw_mark(app: &App, area: Rect, buffer: &mut Buffer) -> usize {
    let on_screen = app.top().is_some_and(|pane| pane.crumb() == "console");
    let Some(mark) = console::mark(&app.consoles).filter(|_| !on_screen) else { return 0 };
    let wide = u16::try_from(text::width(&mark)).unwrap_or(u16::MAX);
    if area.height > 0 && wide < area.width {
        put(buffer, area.right() - wide, area.y, &mark, usize::from(wide), app.theme.crumb);
        return usize::from(wide) + 1;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(title: &Title, columns: u16) -> String {
        let area = Rect::new(0, 0, columns, 1);
        let mut buffer = Buffer::empty(area);
        draw_title(title, &Theme::default(), area, &mut buffer);
        buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim().to_owned()
    }

    #[test]
    fn a_long_name_leaves_room_for_what_tells_the_state() {
        let long = Title {
            name: "Previous Logs".into(),
            part: "stuck/importer-prime-6d59a3b8-6a40-4f2c-9d1e-0123456789ab:importer".into(),
            count: "tail".into(),
            chip: "error".into(),
            word: ("live".into(), Health::Well),
            ..Title::default()
        };
        let shown = title(&long, 80);
        assert!(shown.starts_with("Previous Logs(stuck/importer") && shown.contains("…"), "{shown}");
        assert!(shown.ends_with(":importer)[tail] </error> live"), "{shown}");
        assert!(title(&long, 46).ends_with(")[tail] </error> live"), "{}", title(&long, 46));
        assert!(title(&long, 200).contains("0123456789ab:importer)[tail]"));
        for columns in 1..60 {
            title(&long, columns);
        }
    }

    #[test]
    fn the_place_where_one_is_can_always_be_seen() {
        let names =
            ["workloads", "vms", "datavolumes", "stuck/importer-prime-6d59a3b8-6a40-4f2c", "Previous Logs"]
                .map(CompactString::from);
        let fitting = |names: &[CompactString], room| {
            let (shown, most) = fitting(names, room);
            shown.iter().map(|name| text::cut_middle(name, most).into_owned()).collect::<Vec<_>>()
        };
        let all = fitting(&names, 80);
        assert_eq!((all.len(), all.last().map(String::as_str)), (5, Some("Previous Logs")));
        assert!(all[3].starts_with("stuck/") && all[3].contains('…'), "{all:?}");
        assert_eq!(fitting(&names, 200), names);
        for room in 0..80 {
            let shown = fitting(&names, room);
            let wide: usize = shown.iter().map(|name| text::width(name) + 5).sum();
            assert!(wide <= room + 1 || shown.len() == 1, "{room}: {shown:?}");
            assert!(shown.last().is_some_and(|last| last.starts_with("Pre")), "{room}: {shown:?}");
        }
        assert!(fitting(&[], 80).is_empty());
    }
}
