//! The last line: what has just been said, or why the rows are not what they should be. What stays until a key is pressed may
//! take several lines.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::app::App;
use super::super::session::Link;
use crate::store::{Health, Summary};
use crate::text;

/// More of what is said is left out.
const MOST_ROWS: usize = 10;

/// How many rows it takes.
pub(super) fn rows(app: &App) -> u16 {
    let stays = app.flash.as_ref().is_none_or(|flash| flash.until.is_none());
    match message(app).filter(|_| stays) {
        Some((said, _)) => u16::try_from(lines(&said, app.size.0.into()).len()).unwrap_or(1),
        None => 1,
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some((said, health)) = message(app) else { return };
    let room = usize::from(area.width);
    let lines = if area.height > 1 {
        lines(&said, room)
    } else {
        vec![text::cut(&said.replace('\n', " "), room).into_owned()]
    };
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let x = area.x + (area.width - u16::try_from(text::width(&line)).unwrap_or(0).min(area.width)) / 2;
        buffer.set_stringn(x, y, &line, room, app.theme.row(health));
    }
}

/// The sentences, each from a line of its own.
fn lines(said: &str, room: usize) -> Vec<String> {
    said.lines().flat_map(|sentence| text::wrapped(sentence, room)).take(MOST_ROWS).collect()
}

fn message(app: &App) -> Option<(Cow<'_, str>, Health)> {
    let filter = app.filter_error().filter(|_| app.prompt.is_none());
    match &app.flash {
        // Where there are no rows it stands in their place already.
        Some(flash) if app.pane.list.rows().is_empty() && stands_for_rows(app, &flash.text) => None,
        Some(flash) => Some((flash.text.as_str().into(), flash.health)),
        None => {
            let wrong = || filter.map(|error| text::clean(&error.why).into_owned());
            // Where there are no rows it stands in their place.
            let reason = app.reason().filter(|_| app.pane.list.total() > 0);
            reason.or_else(wrong).map(|reason| (reason.into(), Health::Failed))
        }
    }
}

/// Whether it is said in the place of rows.
fn stands_for_rows(app: &App, said: &str) -> bool {
    let why = match (&app.session.link, app.standing().map(|(_, standing)| standing)) {
        (Link::Down(failure), _) => failure.to_string(),
        (_, Some(Summary::Stale { why, .. } | Summary::Denied { why })) => why.to_string(),
        _ => return false,
    };
    // It may say more than that.
    text::one_line(&why, 500).starts_with(said)
}
