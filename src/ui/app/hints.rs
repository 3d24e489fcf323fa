//! What the header says of keys. It is made anew only when it may have changed.

use compact_str::{CompactString, format_compact};

use super::App;
use crate::model::Word;
use crate::records::Kind;
use crate::text;
use crate::ui::command::{Binding, Hint as When};
use crate::ui::panes::{self, Pane, roads};
use crate::views::{Open, Road};

/// A key and what it does, for the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The key in angle brackets.
    pub key: CompactString,
    /// What it does.
    pub text: CompactString,
}

/// Hints, and what they depend on.
#[derive(Debug, Default)]
pub(super) struct Hints {
    view: CompactString,
    subject: Option<Kind>,
    layers: usize,
    crumb: CompactString,
    /// How many keys the pane has: some have several tables.
    own: usize,
    /// Whether there is no cluster.
    start: bool,
    favourites: Vec<Word>,
    numbers: Vec<Hint>,
    rest: Vec<Hint>,
}

impl App {
    /// Namespaces by their digit, then what keys do, by text.
    pub fn hints(&self) -> (&[Hint], &[Hint]) {
        (&self.hints.numbers, &self.hints.rest)
    }

    /// Makes the hints of the next frame.
    pub fn prepare_hints(&mut self) {
        let subject = self.subject_kind();
        let crumb = self.top().map_or_else(CompactString::default, Pane::crumb);
        let made = &self.hints;
        let same = made.view == self.pane.list.view.name()
            && (made.subject, made.layers) == (subject, self.layers.len())
            && made.crumb == crumb
            && (made.own, made.start) == (self.own_keys(), self.offers_demo())
            && made.favourites == self.favourites
            && !made.rest.is_empty();
        if same {
            return;
        }
        let (mut rest, mut numbers) = (Vec::<Hint>::new(), Vec::<Hint>::new());
        for (_, binding, keys) in self.working_keys() {
            if let (Some(text), Some(key)) = (self.hint(binding), keys.first())
                && rest.iter().all(|hint| hint.text != text)
            {
                let digit = key.typed().is_some_and(|typed| typed.is_ascii_digit());
                let column = if digit { &mut numbers } else { &mut rest };
                column.push(Hint { key: format_compact!("<{key}>"), text: text.into() });
            }
        }
        rest.sort_by(|one, other| one.text.cmp(&other.text));
        if self.layers.is_empty() && self.pane.list.view.namespaced() {
            numbers.push(Hint { key: "<0>".into(), text: "all".into() });
            let favourites = self.favourites.iter().enumerate();
            numbers.extend(favourites.map(|(at, name)| Hint {
                key: format_compact!("<{}>", at + 1),
                text: text::one_line(name, 20).into(),
            }));
        }
        self.hints = Hints {
            view: self.pane.list.view.name().into(),
            subject,
            layers: self.layers.len(),
            crumb,
            own: self.own_keys(),
            start: self.offers_demo(),
            favourites: self.favourites.clone(),
            numbers,
            rest,
        };
    }

    fn own_keys(&self) -> usize {
        self.top().map_or(0, |pane| pane.keys().len())
    }

    fn subject_kind(&self) -> Option<Kind> {
        match self.top() {
            Some(pane) => pane.subject().map(|subject| subject.kind),
            None => self.pane.list.selected().map(crate::store::Id::kind),
        }
    }

    /// Whether there are logs of the object that keys are about.
    pub(super) fn has_logs(&self) -> bool {
        self.subject_kind().is_some_and(panes::has_logs)
    }

    /// Whether `l` is the way to the right, as in k9s where there are no logs.
    pub(super) fn goes_right(&self) -> bool {
        // A list may get rows.
        let kind = self.subject_kind().or_else(|| self.pane.list.view.rows().first().copied());
        self.layers.is_empty() && !kind.is_some_and(panes::has_logs)
    }

    /// Whether a key does something here and now.
    pub(super) fn offers_key(&self, binding: &Binding) -> bool {
        let view = &self.pane.list.view;
        // The pane on screen is not opened over itself.
        if panes::crumb_of(binding.command)
            .is_some_and(|crumb| self.top().is_some_and(|top| top.crumb() == crumb))
        {
            return false;
        }
        match binding.hint {
            When::Quiet | When::Shown(_) => true,
            // A list may get rows.
            When::Object(_) => {
                let kind = self.subject_kind().or_else(|| view.rows().first().copied());
                kind.is_some_and(|kind| self.session.target(kind).is_some())
            }
            When::Opens => !matches!(view.open(), Open::Nothing),
            When::Namespaced(_) => view.namespaced(),
            When::Logs => self.has_logs(),
            When::Console => self.subject_kind().is_some_and(panes::console::has_console),
            When::Road(Road::UsedBy, _) if self.chooses_namespace() => true,
            When::Road(road, _) => self.subject_kind().is_some_and(|kind| {
                let target = self.session.target(kind);
                target.is_some_and(|target| roads::leads(kind, &target, road))
            }),
        }
    }

    /// What the header says of a key that works; nothing for keys that only the help tells of.
    fn hint(&self, binding: &Binding) -> Option<&'static str> {
        match binding.hint {
            When::Quiet => None,
            When::Road(Road::UsedBy, _) if self.chooses_namespace() => Some("Use"),
            When::Shown(text) | When::Object(text) | When::Namespaced(text) | When::Road(_, text) => {
                Some(text)
            }
            When::Logs => Some("Logs"),
            When::Console => Some("Console"),
            When::Opens => Some(match self.pane.list.view.open() {
                Open::Context => "Connect",
                Open::Namespace => "Its workloads",
                _ => "Open",
            }),
        }
    }
}
