//! The whole screen: where everything goes, prompt, list, crumbs, last line.

mod last_line;
mod names;

use std::time::Instant;

use compact_str::{CompactString, ToCompactString as _, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border::PLAIN;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Widget as _, Wrap};

pub(super) use self::names::shortened;
use super::app::{App, Offer, Shown};
use super::ascii;
use super::header;
use super::panes::{Pane, Title, side};
use super::prompt::{Prompt, Purpose};
use super::session::Link;
use super::theme;
use crate::model::{Age, Now};
use crate::records::Origin;
use crate::store::{Health, Summary};
use crate::text;
use crate::views::{Counts, Open};

/// Where everything goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Cluster, hints and logo, or one line of it.
    pub header: Rect,
    /// The prompt while it is open.
    pub prompt: Rect,
    /// The list with its border.
    pub body: Rect,
    /// The way back.
    pub crumbs: Rect,
    /// Messages.
    pub flash: Rect,
    side: Option<Rect>,
}

const HEADER: u16 = 7;
/// From this many rows on there is room for the whole header.
const ROWS_FOR_HEADER: u16 = 20;
/// What is left of the screen at least where something is said in several lines.
const LEAST_BESIDE_WORDS: u16 = 10;
/// Fewer rows tell too little.
const ROWS_FOR_SIDE: u16 = 12;
/// From this many columns on the column of reasons gives way to details of the row.
const COLUMNS_TO_YIELD: u16 = 158;
/// From this many columns on there is room for details of the row beside any list: where its columns do not leave enough even
/// when names and reasons give way, the last ones go, and are told there.
const COLUMNS_FOR_BOTH: u16 = 180;
/// What is left of the list at least where somebody wants details beside it.
const LEAST_BESIDE_SIDE: u16 = 50;
impl Layout {
    /// Divides a terminal of this size.
    pub fn of(app: &App) -> Self {
        let (width, height) = app.size;
        let mut left = height;
        let mut take = |wanted: u16, keep: u16| {
            let rows = if left >= wanted + keep { wanted } else { 0 };
            left -= rows;
            rows
        };
        // In the order of what has to go first on a small terminal: the list itself is the last to go.
        let alone = app.top().is_some_and(Pane::whole_screen);
        let whole = app.header && height >= ROWS_FOR_HEADER;
        let prompt = if app.prompt.is_some() { take(if height >= 8 { 3 } else { 1 }, 0) } else { 0 };
        let said = last_line::rows(app);
        let flash = match said.min(height.saturating_sub(LEAST_BESIDE_WORDS)) {
            0 | 1 => take(1, 4),
            several => take(several, 4),
        };
        let crumbs = if alone || !app.crumbs { 0 } else { take(1, 7) };
        let header = if alone { 0 } else { take(if whole { HEADER } else { 1 }, 4) };
        let body = left;
        let mut y = 0;
        let mut row = |height: u16| {
            let area = Rect { x: 0, y, width, height };
            y += height;
            area
        };
        let mut layout = Self {
            header: row(header),
            prompt: row(prompt),
            body: row(body),
            crumbs: row(crumbs),
            flash: row(flash),
            side: None,
        };
        let Rect { x, y, width, height } = layout.body;
        if let Some(wide) = Self::side_width(app, layout.body) {
            let left = x + width - 1 - wide;
            layout.side = Some(Rect { x: left, y: y + 1, width: wide, height: height - 2 });
        }
        layout
    }

    /// How wide the row is shown in more detail beside the list. It tells the reason, so from some width on the column of
    /// reasons gives way, and on a wide terminal the last columns; others do only where somebody wants it.
    fn side_width(app: &App, body: Rect) -> Option<u16> {
        let room = body.width.saturating_sub(2);
        if !app.layers.is_empty() || body.height < ROWS_FOR_SIDE || app.side.wanted == Some(false) {
            return None;
        }
        // Without a row there is nothing to say.
        app.pane.list.selected()?;
        let (needed, least) = (app.pane.needed(), app.pane.least());
        let beside = |columns: u16| room.checked_sub(columns).filter(|&wide| wide >= side::LEAST);
        // The list has what it needs before the details have their share.
        // Whoever asks for wide columns wants the list.
        let from = |columns: u16| body.width >= columns && !app.pane.list.layout().wide;
        let whole = beside(needed).filter(|&wide| wide >= side::WIDTH || from(COLUMNS_TO_YIELD));
        let yielding = || beside(least).filter(|_| from(COLUMNS_TO_YIELD)).map(|_| side::LEAST);
        let both = || from(COLUMNS_FOR_BOTH).then_some(side::LEAST);
        let asked = || beside(LEAST_BESIDE_SIDE).filter(|_| app.side.wanted == Some(true));
        whole.or_else(yielding).or_else(both).or_else(asked).map(|wide| wide.min(side::WIDTH))
    }

    /// From how many columns and rows of the list on details of the row can be shown beside it.
    pub fn room_for_side() -> (u16, u16) {
        (side::LEAST + LEAST_BESIDE_SIDE + 2, ROWS_FOR_SIDE)
    }

    /// The part of the body that is inside its border; all of it where a border would leave no row.
    pub fn inside(&self) -> Rect {
        if self.body.height < 4 || self.body.width < 3 {
            return self.body;
        }
        let side = self.side.map_or(0, |side| side.width);
        Rect {
            x: self.body.x + 1,
            y: self.body.y + 1,
            width: self.body.width - 2 - side,
            height: self.body.height - 2,
        }
    }

    /// Where the row under the cursor is shown in more detail, if there is room.
    pub fn side(&self) -> Option<Rect> {
        self.side
    }
}

/// Makes the text of the next frame. To be called before [`draw`].
pub fn prepare(app: &mut App, now: Now) {
    let now = app.there(now);
    app.expire(now);
    let inside = Layout::of(app).inside();
    let height = usize::from(inside.height.saturating_sub(1));
    app.pane.signs.clear();
    if matches!(app.pane.list.view.open(), Open::Namespace) {
        app.pane.signs.extend(app.favourites.iter().map(|&name| (name, "+")));
        app.pane.signs.extend(app.shown.only().map(|name| (name, "(*)")));
    }
    app.pane.prepare(&app.store, height, now);
    let side = Layout::of(app).side();
    app.pane.yields = side.is_some();
    if let Some(side) = side {
        let list = &app.pane.list;
        app.side.prepare(side.width, &*list.view, &app.store, list.selected(), now);
    }
    app.prepare_layers(inside, now);
    app.prepare_hints();
}

/// Draws everything and says where the cursor of the terminal goes, if it is to be seen.
pub fn draw(app: &App, now: Now, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let now = app.there(now);
    let layout = Layout::of(app);
    let clipped = |rect: Rect| rect.intersection(area);
    // A ground of the terminal's own colour needs no painting: blank cells stay as they are.
    if let Some(ground) = app.theme.body.bg.filter(|&colour| colour != Color::Reset) {
        buffer.set_style(area, Style::new().bg(ground));
    }
    header::draw(app, clipped(layout.header), buffer);
    body(app, now, clipped(layout.body), clipped(layout.inside()), buffer);
    names::draw_crumbs(app, clipped(layout.crumbs), buffer);
    last_line::draw(app, clipped(layout.flash), buffer);
    let cursor = app.prompt.as_ref().and_then(|typed| {
        let cursor = prompt(app, typed, clipped(layout.prompt), buffer);
        offers(app, clipped(layout.prompt), clipped(layout.body), buffer);
        cursor
    });
    let cursor = match (&app.prompt, app.top()) {
        (None, Some(pane)) => pane.cursor(clipped(layout.inside())),
        _ => cursor,
    };
    if app.theme.look.ascii {
        ascii::fold(buffer);
    }
    cursor
}

/// Writes text at a place, at most so many columns of it; gives the column after it. Plain text, which is nearly all,
/// is written cell by cell: four times as fast as by clusters of characters.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, room: usize, style: Style) -> u16 {
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return buffer.set_stringn(x, y, text, room, style).0;
    }
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x < area.left() {
        return x;
    }
    let room = room.min(usize::from(area.right().saturating_sub(x)));
    let text = &text[..text.len().min(room)];
    let start = buffer.index_of(x.min(area.right().saturating_sub(1)), y);
    for (cell, at) in buffer.content[start..].iter_mut().zip(0..text.len()) {
        cell.set_symbol(&text[at..=at]).set_style(style);
    }
    x + u16::try_from(text.len()).unwrap_or(0)
}

fn freshness(app: &App, now: Now) -> (CompactString, Health) {
    let (kind, standing) = app.standing().unzip();
    let local = kind.is_some_and(|kind| kind.origin() == Origin::Program);
    if let (Link::Up, Some(Summary::Live), Some(_)) = (&app.session.link, &standing, app.refused().next()) {
        return ("live in part".into(), Health::Warning);
    }
    let link = if local && standing == Some(Summary::Live) { &Link::Up } else { &app.session.link };
    standing_of(link, standing, app.pane.list.total() == 0, now)
}

/// How fresh something is that is shown, in a word or two, and how well that is; `empty` where nothing of it has come.
pub(super) fn standing_of(
    link: &Link,
    standing: Option<Summary>,
    empty: bool,
    now: Now,
) -> (CompactString, Health) {
    match (link, standing) {
        (Link::Recorded(at), _) => (format_compact!("recording at {at} s"), Health::Idle),
        (Link::Connecting, _) => ("connecting".into(), Health::Busy),
        (Link::Down(_), _) => ("not connected".into(), Health::Failed),
        (Link::Up, None | Some(Summary::Unasked)) => ("waiting".into(), Health::Busy),
        (Link::Up, Some(Summary::Syncing { seen: 0 })) => ("syncing".into(), Health::Busy),
        (Link::Up, Some(Summary::Syncing { seen })) => (format_compact!("syncing {seen}"), Health::Busy),
        (Link::Up, Some(Summary::Live)) => ("live".into(), Health::Well),
        // Nothing has ever come, so nothing is old.
        (Link::Up, Some(Summary::Stale { .. })) if empty => ("no answer".into(), Health::Failed),
        (Link::Up, Some(Summary::Stale { since, .. })) => {
            (format_compact!("stale {}", stale_for(since, now)), Health::Failed)
        }
        (Link::Up, Some(Summary::Denied { .. })) => ("denied".into(), Health::Failed),
        (Link::Up, Some(Summary::Absent)) => ("not installed".into(), Health::Warning),
    }
}

/// For how long something has been stale.
pub(super) fn stale_for(since: Instant, now: Now) -> Age {
    let seconds = now.instant.saturating_duration_since(since).as_secs();
    Age(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// What the title of the list says.
fn list_title(app: &App, now: Now) -> Title {
    let list = &app.pane.list;
    let namespace = match app.shown {
        Shown::All => "all",
        Shown::Only(namespace) => namespace.as_str(),
        Shown::Home => "…",
    };
    let part = match (list.view.origin(), list.view.namespaced()) {
        (Some(origin), true) => format_compact!("{origin} in {namespace}"),
        (Some(origin), false) => text::clean(origin).as_ref().into(),
        (None, true) => namespace.into(),
        (None, false) => CompactString::default(),
    };
    let Counts { shown, total, marked, hidden, elsewhere, .. } = list.counts();
    let mut count = match shown == total {
        true => thousands(total),
        false => format_compact!("{}/{}", thousands(shown), thousands(total)),
    };
    if marked > 0 {
        count.push_str(&format_compact!(" {}{}", theme::MARK, thousands(marked)));
    }
    if hidden > 0 {
        count.push_str(&format_compact!(", {} hidden", thousands(hidden)));
    }
    if elsewhere > 0 {
        count.push_str(&format_compact!(" {}{} elsewhere", theme::MARK, thousands(elsewhere)));
    }
    let faults = if list.faults_only() { "faults " } else { "" };
    let chip = text::one_line(&format!("{faults}{}", list.filter().text), 40).into();
    Title {
        name: text::clean(app.shown_as()).as_ref().into(),
        part,
        count,
        chip,
        wrong: list.filter_error().is_some(),
        word: freshness(app, now),
    }
}

fn thousands(number: usize) -> CompactString {
    let digits = number.to_compact_string();
    let mut out = CompactString::default();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Draws lines around an area. A `Block` would style all that is within as well, which is most of the screen.
fn outline(area: Rect, style: Style, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    let mut draw = |x, y, symbol| {
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    };
    for x in area.x..=right {
        draw(x, area.y, PLAIN.horizontal_top);
        draw(x, bottom, PLAIN.horizontal_bottom);
    }
    for y in area.y..=bottom {
        draw(area.x, y, PLAIN.vertical_left);
        draw(right, y, PLAIN.vertical_right);
    }
    draw(area.x, area.y, PLAIN.top_left);
    draw(right, area.y, PLAIN.top_right);
    draw(area.x, bottom, PLAIN.bottom_left);
    draw(right, bottom, PLAIN.bottom_right);
}

fn body(app: &App, now: Now, area: Rect, inside: Rect, buffer: &mut Buffer) {
    let top = app.top();
    if area != inside {
        outline(area, app.theme.border, buffer);
        let title = top.map_or_else(|| list_title(app, now), |pane| pane.title(now));
        names::draw_title(&title, &app.theme, area, buffer);
    }
    if let Some(pane) = top {
        pane.draw(inside, buffer, &app.theme);
        return;
    }
    let stale = app.standing().is_some_and(|(_, standing)| matches!(standing, Summary::Stale { .. }));
    if let Some(side) = Layout::of(app).side() {
        app.side.draw(side.intersection(buffer.area), buffer, &app.theme);
    }
    // The list has signs on the border between the two.
    app.pane.draw(inside, buffer, &app.theme, stale);
    if app.pane.list.rows().is_empty() {
        nothing(app, inside, buffer);
    }
}

/// Why there are no rows, and what can be done.
fn nothing(app: &App, area: Rect, buffer: &mut Buffer) {
    let list = &app.pane.list;
    let (kind, standing) = app.standing().unzip();
    let contexts = offer_contexts(app);
    let (text, health) = match (&app.session.link, standing) {
        (_, Some(Summary::Live)) if list.total() > 0 => {
            let filter = &list.filter().text;
            let said = match (list.faults_only(), filter.is_empty()) {
                (true, true) => "Nothing here has a fault. ctrl-z shows all.".to_owned(),
                (true, false) => {
                    format!("Nothing with a fault matches the filter {filter:?}. esc shows all.")
                }
                _ => format!("Nothing matches the filter {filter:?}. esc clears it."),
            };
            (said, Health::Idle)
        }
        (Link::Down(failure), _) => (format!("{failure}\n\n{contexts}"), Health::Failed),
        (Link::Connecting, _) => return,
        (Link::Up | Link::Recorded(_), Some(Summary::Live)) if list.view.origin().is_some() => {
            let said = list.view.none(&app.store).unwrap_or_else(|| "What it belongs to is gone.".to_owned());
            let only = match app.shown {
                Shown::Only(namespace) if list.view.namespaced() => {
                    format!("\n\nOnly the namespace {namespace} is shown. 0 shows all namespaces.")
                }
                _ => String::new(),
            };
            (format!("{said}{only}"), Health::Idle)
        }
        (Link::Up | Link::Recorded(_), Some(Summary::Live)) => (app.nothing_there(), Health::Idle),
        (Link::Up, Some(Summary::Stale { why, .. })) => (format!("{why}\n\n{contexts}"), Health::Failed),
        (Link::Up, Some(Summary::Denied { why })) => {
            let refused = app.refusal(&app.refused().collect::<Vec<_>>());
            (format!("{refused}\n{why}\n\n{}{contexts}", other_namespace(app)), Health::Failed)
        }
        (Link::Up, Some(Summary::Absent)) => {
            let info = kind.map(crate::records::Kind::info);
            let name = info.map_or(String::new(), |info| format!("{}.{}", info.plural, info.group));
            let command = info.and_then(crate::records::KindInfo::installed_by);
            let how = command
                .map_or_else(String::new, |command| format!("\n\nIt can be installed:\n{command}\n\n"));
            let more = if how.is_empty() { " " } else { how.as_str() };
            let text = format!(
                "This cluster does not serve {name}.{more}Once it does, rows appear here by themselves."
            );
            (text, Health::Warning)
        }
        _ => return,
    };
    let width = area.width.saturating_sub(4).min(90);
    if area.height < 3 || width < 8 {
        return;
    }
    let lines: Vec<Line<'_>> =
        text.lines().map(|line| Line::from(text::clean(line).into_owned()).centered()).collect();
    let top = area.y + 1 + (area.height - 1) / 4;
    let room = Rect {
        x: area.x + (area.width - width) / 2,
        y: top,
        width,
        height: area.bottom().saturating_sub(top),
    };
    Paragraph::new(lines).style(app.theme.row(health)).wrap(Wrap { trim: true }).render(room, buffer);
}

/// How to look elsewhere, where rows have namespaces.
fn other_namespace(app: &App) -> String {
    let view = &app.pane.list.view;
    if view.namespaced() { format!("Another namespace: :{} NAMESPACE. ", view.name()) } else { String::new() }
}

/// What else could be looked at.
fn offer_contexts(app: &App) -> String {
    const MOST: usize = 8;
    let names: Vec<&str> = app.other_contexts().collect();
    let contexts = match names.len() {
        0 if app.has_contexts() => ":ctx lists the contexts of the kubeconfig, :q leaves.".to_owned(),
        0 => ":q leaves.".to_owned(),
        count => {
            let more = if count > MOST { ", …" } else { "" };
            format!("Other contexts, to be chosen with :ctx: {}{more}", names[..count.min(MOST)].join(", "))
        }
    };
    let demo = if app.offers_demo() { "d opens a cluster that is inside v9s, to look around. " } else { "" };
    format!("{demo}{contexts}")
}

fn prompt(app: &App, typed: &Prompt, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let (sign, border) = match typed.purpose {
        Purpose::Command => ("> ", app.theme.prompt_command),
        Purpose::Filter => ("/ ", app.theme.prompt_filter),
    };
    let inside = if area.height >= 3 && area.width >= 4 {
        outline(area, border, buffer);
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: 1 }
    } else {
        area
    };
    if inside.height == 0 || inside.width < 4 {
        return None;
    }
    let error = app.filter_error().filter(|_| typed.purpose == Purpose::Filter);
    let wrong = error.is_some_and(|error| !error.unfinished);
    let room = usize::from(inside.width);
    let sign_style = Style::new().fg(border.fg.unwrap_or_default()).add_modifier(Modifier::BOLD);
    let (x, y) = buffer.set_stringn(inside.x, inside.y, sign, room, sign_style);
    let room = usize::from(inside.right() - x);
    // A long line is shown from its end.
    let before = text::width(&text::clean(typed.before_cursor()));
    let skip = before.saturating_sub(room.saturating_sub(1));
    let cleaned = text::clean(typed.text());
    let shown = skip_columns(&cleaned, skip);
    let style = if wrong { app.theme.row(Health::Failed) } else { app.theme.prompt };
    let (end, _) = buffer.set_stringn(x, y, shown, room, style);
    if let Some(error) = error {
        let room = usize::from(inside.right().saturating_sub(end + 2));
        let style = if wrong { style } else { app.theme.suggestion };
        // While it is being typed, what it may become is of more use than that it is not whole.
        let said = match wrong {
            true => error.why.clone(),
            false => typed.next_words(app.offers()).unwrap_or_else(|| error.why.clone()),
        };
        let x = (end + 2).min(inside.right());
        put(buffer, x, y, &text::cut(&text::clean(&said), room), room, style);
    } else if let Some(rest) = app.completion().as_deref().and_then(|whole| whole.strip_prefix(typed.text()))
    {
        buffer.set_stringn(
            end,
            y,
            text::clean(rest),
            usize::from(inside.right() - end),
            app.theme.suggestion,
        );
    }
    Some((x + u16::try_from(before - skip).unwrap_or(0), y))
}

/// What the command that is being typed may become, over the body below the prompt.
fn offers(app: &App, prompt: Rect, body: Rect, buffer: &mut Buffer) {
    let offers = app.offers();
    // The rows that a filter leaves are what one looks at while it is typed.
    let command = |prompt: &Prompt| prompt.purpose == Purpose::Command && !prompt.text().is_empty();
    let begun = app.prompt.as_ref().is_some_and(command);
    if offers.is_empty() || !(begun || app.offered.is_some()) || body.height < 6 || body.width < 20 {
        return;
    }
    let widest =
        |of: fn(&Offer) -> &str| offers.iter().map(|offer| text::width(of(offer))).max().unwrap_or(0);
    let name = widest(|offer| &offer.whole).min(50);
    let about = widest(|offer| &offer.about).min(40);
    // Inside the border of the body, with a blank column at both sides.
    let width = u16::try_from(name + about + 8).unwrap_or(u16::MAX).min(body.width.saturating_sub(2));
    let height = u16::try_from(offers.len() + 2).unwrap_or(u16::MAX).min(body.height.saturating_sub(2));
    let ground = Rect { x: prompt.x + 1, y: body.y + 1, width, height }.intersection(body);
    Clear.render(ground, buffer);
    if let Some(colour) = app.theme.body.bg.filter(|&colour| colour != Color::Reset) {
        buffer.set_style(ground, Style::new().bg(colour));
    }
    let area = Rect { x: ground.x + 1, width: ground.width.saturating_sub(2), ..ground };
    outline(area, app.theme.prompt_command, buffer);
    let chosen = app.offered.or_else(|| app.entered());
    let room = usize::from(area.width.saturating_sub(2));
    let rows = usize::from(area.height.saturating_sub(2));
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(rows));
    let lines = area.y + 1..area.bottom().saturating_sub(1);
    for ((at, offer), y) in offers.iter().enumerate().skip(first).zip(lines) {
        let mark =
            |style: Style| if chosen == Some(at) { style.add_modifier(Modifier::REVERSED) } else { style };
        let line = format!(" {:name$}  ", text::one_line(&offer.whole, 50));
        let end = put(buffer, area.x + 1, y, text::cut(&line, room).as_ref(), room, mark(app.theme.prompt));
        let left = usize::from((area.right() - 1).saturating_sub(end));
        let about = format!("{:about$} ", text::one_line(&offer.about, 40));
        put(buffer, end, y, text::cut(&about, left).as_ref(), left, mark(app.theme.hint));
    }
}

fn skip_columns(line: &str, columns: usize) -> &str {
    let mut width = 0;
    for (at, c) in line.char_indices() {
        if width >= columns {
            return &line[at..];
        }
        width += text::width(c.encode_utf8(&mut [0; 4]));
    }
    if columns == 0 { line } else { "" }
}
