//! The header: what the cluster is and how busy, what keys do here, the logo in the colour of what is said.

use std::cmp::Ordering;

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::{App, Measured, Versions};
use super::frame::{put, shortened};
use super::session::Link;
use crate::store::{Health, Summary};
use crate::text;

/// What stands where something of the cluster is not known.
const UNKNOWN: &str = "n/a";
/// Hints stand in columns of at most so many rows.
const HINT_ROWS: u16 = 7;
/// In the last column that has not room for all of its texts, so much of them is worth showing.
const CUT_HINT: usize = 6;
/// The rows of the header below the lines about the cluster.
const VERSIONS_ROW: u16 = 5;
const MEASURED_ROW: u16 = 6;
const LOGO: [&str; 4] =
    [r"        ___      ", r"__   __/ _ \ ___ ", r"\ \ / / (_) / __|", r" \_/   \__, \__ \"];
const LOGO_END: &str = r"         /_/|___/";

/// Draws the header, or one line of it where there is no more room.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height > 1 {
        whole(app, area, buffer);
    } else {
        short(app, area, buffer);
    }
}

/// The lines about the cluster: what each is, and one or two texts.
fn cluster_lines(app: &App) -> [(&'static str, &str, &'static str); 5] {
    let info = app.session.info.as_ref();
    let mode = info.map_or("", |info| if info.readonly { " [R]" } else { " [RW]" });
    let version = app.session.version.as_ref().map_or(UNKNOWN, |version| &version.git_version);
    [
        ("Context:", info.map_or(UNKNOWN, |info| &info.context), mode),
        ("Cluster:", info.map_or(UNKNOWN, |info| &info.cluster), ""),
        ("User:", info.map_or(UNKNOWN, |info| &info.user), ""),
        ("v9s Rev:", concat!("v", env!("CARGO_PKG_VERSION")), ""),
        ("K8s Rev:", version, ""),
    ]
}

fn whole(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = &app.theme;
    let lines = cluster_lines(app);
    let longest = lines.iter().map(|(_, value, more)| text::width(value) + more.len()).max().unwrap_or(0);
    let versions = versions(app);
    let of_versions = versions.iter().map(|(name, version)| name.len() + text::width(version) + 3);
    let wide = (longest + 13).max(of_versions.sum::<usize>() + 1);
    let left = u16::try_from(wide).unwrap_or(u16::MAX).clamp(24, 50).min(area.width);
    for (y, (label, value, more)) in (area.y..area.bottom()).zip(lines) {
        let x = put(buffer, area.x + 1, y, label, usize::from(area.width.saturating_sub(1)), theme.label);
        let room = usize::from((area.x + left).saturating_sub(x + 1));
        let shown = text::clean(value);
        let shown = text::cut(&shown, room.saturating_sub(more.len()));
        let end = put(buffer, x + 1, y, &shown, room, theme.value);
        put(buffer, end, y, more, room, theme.value);
    }
    if area.height > VERSIONS_ROW {
        let versions = versions.iter().flat_map(|(name, version)| {
            [(*name, theme.label), (": ", theme.label), (*version, theme.value), (" ", theme.value)]
        });
        line(versions, area.x + 1, area.y + VERSIONS_ROW, area.x + left, buffer);
    }
    if area.height > MEASURED_ROW {
        let known = Some(measured(app, ": ")).filter(|known| !known.is_empty());
        let pieces = known.unwrap_or_else(|| unmeasured(app));
        line(pieces.into_iter(), area.x, area.y + MEASURED_ROW, area.x + left, buffer);
    }
    let logo_width = 18;
    let logo = app.logo && area.width >= left + logo_width + 44;
    let right = if logo { area.right() - logo_width } else { area.right() };
    hints(app, Rect { x: area.x + left, width: right.saturating_sub(area.x + left), ..area }, buffer);
    if logo {
        let style = logo_style(app);
        for (y, line) in (area.y..area.bottom()).zip(LOGO.iter().chain([&LOGO_END])) {
            put(buffer, right, y, line, usize::from(logo_width), style);
        }
    }
}

/// Writes pieces one after the other, as far as there is room before `end`.
fn line<T: AsRef<str>>(
    pieces: impl Iterator<Item = (T, Style)>,
    x: u16,
    y: u16,
    end: u16,
    buffer: &mut Buffer,
) -> u16 {
    pieces.fold(x, |x, (text, style)| {
        put(buffer, x, y, text.as_ref(), usize::from(end.saturating_sub(x)), style)
    })
}

/// The parts of the platform with their versions. What is not known or not there says so, where the screen asks for it: lines
/// of the header do not come and go.
fn versions(app: &App) -> Vec<(&'static str, &str)> {
    let known = app.versions.known();
    let version = |name| known.iter().find(|(known, _)| *known == name).map(|(_, version)| version.as_str());
    let or = app.session.measures.then_some(UNKNOWN);
    Versions::parts().filter_map(|name| Some((name, version(name).or(or)?))).collect()
}

/// What of the cluster is in use: a blank, a name, the percentage, and which way that went.
fn measured(app: &App, colon: &'static str) -> Vec<(CompactString, Style)> {
    let theme = &app.theme;
    let pieces = |one: &Measured| {
        let usual = if one.name == "CPU" { theme.cpu } else { theme.memory };
        let value = match one.health() {
            Health::Well => usual,
            health => theme.row(health),
        };
        let (sign, signed) = match one.trend {
            Ordering::Greater => ("↑", theme.row(Health::Failed)),
            Ordering::Less => ("↓", theme.row(Health::Well)),
            Ordering::Equal => ("", value),
        };
        let label = format_compact!(" {}{colon}", one.name);
        [(label, theme.label), (format_compact!("{}%", one.percent), value), (sign.into(), signed)]
    };
    app.measured.iter().flat_map(pieces).collect()
}

/// The same where nothing is measured, or may not be read, if the screen asks for it.
fn unmeasured(app: &App) -> Vec<(CompactString, Style)> {
    let unknown =
        |name: &str| [(format_compact!(" {name}: "), app.theme.label), (UNKNOWN.into(), app.theme.value)];
    let names = Measured::NAMES.into_iter().filter(|_| app.session.measures);
    names.flat_map(unknown).collect()
}

/// The logo says by its colour whether there is something to look at.
fn logo_style(app: &App) -> Style {
    let theme = &app.theme;
    let stale = app.standing().is_some_and(|(_, standing)| matches!(standing, Summary::Stale { .. }));
    match app.flash.as_ref().map(|flash| flash.health) {
        Some(Health::Failed) => theme.logo_error,
        Some(Health::Warning) => theme.logo_warning,
        _ if matches!(app.session.link, Link::Down(_)) || stale => theme.logo_error,
        Some(_) => theme.logo_info,
        None => theme.logo,
    }
}

fn hints(app: &App, area: Rect, buffer: &mut Buffer) {
    let rows = usize::from(area.height.clamp(1, HINT_ROWS));
    let mut x = area.x + 1;
    let (numbers, rest) = app.hints();
    for (column, number) in numbers
        .chunks(rows)
        .take(1)
        .map(|column| (column, true))
        .chain(rest.chunks(rows).map(|column| (column, false)))
    {
        let key_width = column.iter().map(|hint| text::width(&hint.key) + 1).max().unwrap_or(0);
        let width = key_width + column.iter().map(|hint| text::width(&hint.text)).max().unwrap_or(0);
        let room = usize::from(area.right().saturating_sub(x));
        if room < width.min(key_width + CUT_HINT) {
            return;
        }
        let Ok(width) = u16::try_from(width.min(room)) else { return };
        for (y, hint) in (area.y..area.bottom()).zip(column) {
            let style = if number { app.theme.number_key } else { app.theme.key };
            put(buffer, x, y, &hint.key, key_width, style);
            let left = x + u16::try_from(key_width).unwrap_or(0);
            let room = usize::from(width).saturating_sub(key_width);
            put(buffer, left, y, &text::cut(&hint.text, room), room, app.theme.hint);
        }
        x += width + 2;
    }
}

/// One line as k9s has it: `v9s VERSION CONTEXT:CLUSTER:VERSION`, whether it may be changed, and what of it is in use. Where
/// there is not room for all, the middles of the names go.
fn short(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let [(_, context, mode), (_, cluster, _), .., (_, version, _)] = cluster_lines(app);
    let (context, cluster, version) = (text::clean(context), text::clean(cluster), text::clean(version));
    let measured = measured(app, " ");
    let program = concat!(" v9s ", env!("CARGO_PKG_VERSION"), " ");
    let wide = |pieces: &[&str]| pieces.iter().map(|piece| text::width(piece)).sum::<usize>();
    let of_measured: usize = measured.iter().map(|(piece, _)| text::width(piece)).sum();
    let whole = wide(&[program, &context, ":", &cluster, ":", &version, mode]) + of_measured;
    let mut over = whole.saturating_sub(area.width.into());
    let cluster = shortened(&cluster, &mut over);
    let context = shortened(&context, &mut over);
    let value = app.theme.value;
    let pieces = [program, &context, ":", &cluster, ":", &version, mode].map(|piece| (piece, value));
    let end = line(pieces.into_iter(), area.x, area.y, area.right(), buffer);
    line(measured.into_iter(), end, area.y, area.right(), buffer);
}
