//! Everything about one object.

use compact_str::CompactString;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Pane, Scene, Title};
use crate::model::Now;
use crate::ui::command::{Binding, Command};
use crate::ui::subject::Subject;
use crate::ui::theme::Theme;

/// Everything about one object.
#[derive(Debug)]
pub struct Detail {
    subject: Subject,
}

impl Detail {
    /// About this object.
    pub fn of(subject: Subject) -> Self {
        Self { subject }
    }
}

impl Pane for Detail {
    fn crumb(&self) -> CompactString {
        self.subject.name.clone()
    }

    fn title(&self, _: Now) -> Title {
        Title {
            name: self.subject.target.plural.as_str().into(),
            part: self.subject.place(),
            ..Title::default()
        }
    }

    fn keys(&self) -> &'static [Binding] {
        &[]
    }

    fn subject(&self) -> Option<&Subject> {
        Some(&self.subject)
    }

    fn command(&mut self, _: Command, _: &mut Scene<'_>) {}

    fn draw(&self, _: Rect, _: &mut Buffer, _: &Theme) {}
}
