//! The row under the cursor in more detail, beside a list that has room for it.

use compact_str::CompactString;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Widget as _};

use super::canvas::Canvas;
use crate::model::Now;
use crate::store::{Id, Store, Touched};
use crate::ui::theme::Theme;
use crate::views::AnyView;
use crate::views::detail::{self, Said};

/// How wide it is where the columns of the list leave so much.
pub const WIDTH: u16 = 64;
/// How wide it is at least.
pub const LEAST: u16 = 40;

/// The row under the cursor in more detail.
#[derive(Debug, Default)]
pub struct Side {
    canvas: Canvas,
    /// What the canvas was made of.
    made: Option<Made>,
    /// Whether it is shown: `None` is where there is room, `Some(true)` also at the cost of columns of the list.
    pub wanted: Option<bool>,
}

/// As long as all of this is the same, and the row has not been touched, it reads the same.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    id: Id,
    width: u16,
    view: CompactString,
    /// For ages, which are of seconds at the least.
    second: i64,
}

impl Side {
    /// One that is shown where there is room, or not at all.
    pub fn wanted(shown: bool) -> Self {
        Self { wanted: if shown { None } else { Some(false) }, ..Self::default() }
    }

    /// Notes which rows may look different from now on.
    pub fn touched(&mut self, touched: &Touched) {
        if self.made.as_ref().is_some_and(|made| touched.all || touched.ids.contains(&made.id)) {
            self.forget();
        }
    }

    /// Lets it be made anew, whatever it was made of.
    pub fn forget(&mut self) {
        self.made = None;
    }

    /// Makes what is to be drawn in this width, if it is not the same as before: out of the row and its links alone, nothing
    /// is asked for.
    pub fn prepare(&mut self, width: u16, view: &dyn AnyView, store: &Store, id: Option<Id>, now: Now) {
        let wanted = id.map(|id| Made { id, width, view: view.name().into(), second: now.wall });
        if wanted.is_some() && wanted == self.made {
            return;
        }
        self.made = wanted;
        self.canvas.clear();
        let Some(id) = id else { return };
        let width = usize::from(width.saturating_sub(4));
        let sections = detail::sections(view, store, id, &Said::default(), now);
        let end = self.canvas.column(&sections, 0, width, 0);
        let events = detail::events(store, id, now);
        if !events.lines.is_empty() {
            self.canvas.wide(&events, width, end + 1);
        }
    }

    /// Draws it.
    pub fn draw(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        Block::new().borders(Borders::LEFT).border_style(theme.border_quiet).render(area, buffer);
        let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
        self.canvas.draw(inside, 0, None, buffer, theme);
    }
}
