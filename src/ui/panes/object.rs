//! An object that somebody has opened: its last known state, and where the following of it stands.

mod pane;

use std::sync::Arc;
use std::time::Duration;

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

pub use self::pane::ObjectPane;
use super::text::{Ink, Line, TextView};
use crate::cluster::object::News;
use crate::model::{Age, Now};
use crate::store::{Freshness, Health};
use crate::ui::theme::Theme;

/// One object.
#[derive(Debug, Default)]
pub struct Opened {
    shown: Option<Arc<Value>>,
    newest: Option<Arc<Value>>,
    held: bool,
    gone: bool,
    freshness: Option<Freshness>,
}

impl Opened {
    /// Takes what is new; says whether another state is shown now.
    pub fn take(&mut self, news: News) -> bool {
        if let Some(freshness) = news.freshness {
            self.freshness = Some(freshness);
        }
        self.gone |= news.whole && news.here.is_empty() || !news.gone.is_empty();
        let Some(newest) = news.here.into_iter().next_back() else { return false };
        self.gone = false;
        self.newest = Some(newest);
        !self.held && self.show_newest()
    }

    fn show_newest(&mut self) -> bool {
        let other = match (&self.shown, &self.newest) {
            (Some(shown), Some(newest)) => shown != newest,
            (None, newest) => newest.is_some(),
            (Some(_), None) => false,
        };
        self.shown.clone_from(&self.newest);
        other
    }

    /// The state that is shown.
    pub fn object(&self) -> Option<&Arc<Value>> {
        self.shown.as_ref()
    }

    /// Whether what is shown follows the object by itself.
    pub fn refreshes(&self) -> bool {
        !self.held
    }

    /// Lets what is shown follow the object or stay as it is; says whether another state is shown now.
    pub fn toggle_refresh(&mut self) -> bool {
        self.held = !self.held;
        !self.held && self.show_newest()
    }

    /// Where it stands, in a word or two.
    pub fn standing(&self, now: Now) -> (CompactString, Health) {
        if self.gone {
            return (
                if self.shown.is_some() { "deleted".into() } else { "not there".into() },
                Health::Leaving,
            );
        }
        match &self.freshness {
            Some(Freshness::Stale { .. } | Freshness::Denied { .. }) if self.shown.is_none() => {
                ("no answer".into(), Health::Failed)
            }
            Some(Freshness::Denied { .. }) => ("denied".into(), Health::Failed),
            Some(Freshness::Stale { since, .. }) => {
                let seconds = now.instant.saturating_duration_since(*since).as_secs();
                (format_compact!("stale {}", Age(i64::try_from(seconds).unwrap_or(i64::MAX))), Health::Failed)
            }
            Some(Freshness::Absent) => ("not served".into(), Health::Warning),
            None | Some(Freshness::Syncing { .. }) if self.shown.is_none() => {
                ("waiting".into(), Health::Busy)
            }
            _ if self.held && self.shown != self.newest => ("held, newer there".into(), Health::Warning),
            _ if self.held => ("held".into(), Health::Idle),
            _ => ("live".into(), Health::Well),
        }
    }

    /// Why it is not what it should be, in one sentence.
    pub fn trouble(&self) -> Option<&str> {
        self.freshness.as_ref().and_then(why)
    }

    /// How long until [`Opened::standing`] reads differently although nothing happens.
    pub fn next_change(&self, now: Now) -> Option<Duration> {
        match &self.freshness {
            Some(Freshness::Stale { since, .. }) => {
                let seconds = now.instant.saturating_duration_since(*since).as_secs();
                Some(Age(i64::try_from(seconds).unwrap_or(i64::MAX)).next_change())
            }
            _ => None,
        }
    }

    /// What is said in the place of an object that is not there.
    pub fn nothing(&self, name: &str) -> String {
        match self.trouble() {
            Some(why) => why.to_owned(),
            None if self.gone => format!("{name} is not there any more."),
            None => format!("Waiting for {name}…"),
        }
    }
}

/// Why something is not as fresh as it should be.
pub(super) fn why(freshness: &Freshness) -> Option<&str> {
    match freshness {
        Freshness::Stale { why, .. } | Freshness::Denied { why } => Some(why),
        _ => None,
    }
}

/// Says something in the place of a text that is not there.
pub(super) fn say(text: &str, ink: Ink, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let lines: Vec<Line> = text.lines().map(|line| Line::of(line, ink)).collect();
    let mut view = TextView::wrapped();
    view.prepare(area, &lines[..]);
    view.draw(area, buffer, theme, &lines[..]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn here(version: u32) -> News {
        let object = json!({"metadata": {"name": "web", "resourceVersion": version.to_string()}});
        News { here: vec![Arc::new(object)], ..News::default() }
    }

    fn says(freshness: Freshness) -> News {
        News { freshness: Some(freshness), ..News::default() }
    }

    #[test]
    fn it_says_where_it_stands() {
        let now = Now::at(0);
        let word = |opened: &Opened| opened.standing(now).0.to_string();
        let mut opened = Opened::default();
        assert_eq!((word(&opened), opened.nothing("web")), ("waiting".into(), "Waiting for web…".into()));
        opened.take(says(Freshness::Denied { why: "You may not.".into() }));
        assert_eq!((word(&opened), opened.nothing("web")), ("no answer".into(), "You may not.".into()));
        opened.take(says(Freshness::Live));
        assert!(opened.take(here(1)));
        assert_eq!(word(&opened), "live");
        assert!(!opened.take(here(1)), "the same state again");
        opened.take(says(Freshness::Stale { since: now.instant, why: "Cut.".into() }));
        assert_eq!((word(&opened), opened.trouble()), ("stale 0s".into(), Some("Cut.")));
        opened.take(says(Freshness::Live));
        opened.take(News { gone: vec!["uid".into()], ..News::default() });
        assert_eq!(word(&opened), "deleted");
        assert!(opened.object().is_some(), "its last state stays");
        assert!(opened.take(here(2)), "another one of this name");
        assert_eq!(word(&opened), "live");
        let mut never = Opened::default();
        never.take(News { whole: true, ..News::default() });
        assert_eq!(
            (word(&never), never.nothing("web")),
            ("not there".into(), "web is not there any more.".into())
        );
    }

    #[test]
    fn what_is_held_stays_until_it_is_let_go() {
        let mut opened = Opened::default();
        opened.take(here(1));
        assert!(!opened.toggle_refresh());
        assert!(!opened.take(here(2)));
        assert_eq!(opened.object().unwrap()["metadata"]["resourceVersion"], "1");
        assert_eq!(opened.standing(Now::at(0)).0, "held, newer there");
        assert!(opened.toggle_refresh());
        assert_eq!(opened.object().unwrap()["metadata"]["resourceVersion"], "2");
    }
}
