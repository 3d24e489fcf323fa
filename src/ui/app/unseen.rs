//! What of the rows may not be seen, in words.

use std::collections::BTreeSet;

use super::{App, Shown};
use crate::model::{Now, Word};
use crate::records::{Kind, Origin};
use crate::rules::patterns;
use crate::store::Summary;
use crate::ui::message::Effect;

/// More namespaces than these are counted.
const MOST: usize = 4;

impl App {
    /// The kinds of rows that may not be read.
    pub fn refused(&self) -> impl Iterator<Item = Kind> + '_ {
        let refused = |kind: &Kind| matches!(self.store.freshness(*kind), Summary::Denied { .. });
        self.pane.list.view.rows().iter().copied().filter(refused)
    }

    /// The kinds of rows that come from somewhere.
    fn read(&self) -> impl Iterator<Item = Kind> + '_ {
        let none =
            |kind: &Kind| matches!(self.store.freshness(*kind), Summary::Denied { .. } | Summary::Absent);
        self.pane.list.view.rows().iter().copied().filter(move |kind| !none(kind))
    }

    /// The kinds of rows that are read in some namespaces because others are closed, and these namespaces.
    fn confined(&self) -> (Vec<Kind>, BTreeSet<Word>) {
        let kinds: Vec<Kind> = self.read().filter(|&kind| self.session.narrowed(kind).is_some()).collect();
        let mut open: BTreeSet<Word> =
            kinds.iter().filter_map(|&kind| self.session.narrowed(kind)).flatten().copied().collect();
        let closed = |&place: &Word| {
            let mut refused = kinds.iter().flat_map(|&kind| self.store.refused(kind));
            refused.any(|(namespace, _)| namespace == Some(place))
        };
        open.retain(|place| !closed(place));
        (kinds, open)
    }

    /// What kinds of rows are called: one that is alone as its view, several by their own words.
    pub fn called(&self, kinds: &[Kind]) -> String {
        let view = &self.pane.list.view;
        match kinds {
            // The group of a resource belongs to its title.
            kinds if kinds.len() == view.rows().len() => {
                view.name().split('.').next().unwrap_or_default().to_owned()
            }
            kinds => listed(&kinds.iter().map(|kind| kind.info().words).collect::<Vec<_>>()),
        }
    }

    /// Why the rows are not what they should be, short enough for the last line of a narrow screen.
    pub fn reason(&self) -> Option<String> {
        let (_, standing) = self.standing()?;
        let mut said = Vec::new();
        if let Summary::Stale { why, .. } = &standing
            && !self.pane.list.rows().is_empty()
        {
            // Without rows the reason stands in their place.
            said.push(why.to_string());
        }
        let refused: Vec<Kind> = self.refused().collect();
        if !refused.is_empty() {
            let more = match standing {
                Summary::Denied { .. } if self.pane.list.total() > 0 => {
                    "; what is shown is known from elsewhere".to_owned()
                }
                _ => match self.shown.only().filter(|_| self.are_placed(&refused)) {
                    Some(namespace) => format!(" in the namespace {namespace}"),
                    None => String::new(),
                },
            };
            said.push(format!("No right to list {}{more}.", self.called(&refused)));
        }
        let (kinds, open) = self.confined();
        if !kinds.is_empty() {
            let of = match self.read().count() > kinds.len() {
                true => format!("Of {} only", self.called(&kinds)),
                false => "Only".to_owned(),
            };
            said.push(match open.is_empty() {
                true => "No namespace that is known may be read.".to_owned(),
                false => format!("{of} the {} may be read.", namespaces(&open)),
            });
        }
        (!said.is_empty()).then(|| said.join(" "))
    }

    /// What is said in the place of rows where all that may be read has none.
    pub fn nothing_there(&self) -> String {
        let refused: Vec<Kind> = self.refused().collect();
        let read: Vec<Kind> = self.read().collect();
        let (confined, open) = self.confined();
        let all = self.called(&read);
        let placed = self.pane.list.view.namespaced();
        let none = match self.shown {
            Shown::Only(namespace) if placed && let Some(instead) = self.no_namespace(namespace) => instead,
            Shown::Only(namespace) if placed => {
                format!("There are no {all} in the namespace {namespace}. 0 shows all namespaces.")
            }
            _ if !open.is_empty() => format!("There are no {all} in the {}.", namespaces(&open)),
            _ => format!("There are no {all}."),
        };
        let refused =
            (!refused.is_empty()).then(|| format!("{}{}", self.called(&refused), self.place(&refused)));
        let confined =
            (!confined.is_empty()).then(|| format!("{} in other namespaces", self.called(&confined)));
        let parts: Vec<String> = refused.into_iter().chain(confined).collect();
        match parts.is_empty() {
            true => none,
            false => format!("{none}\n\n{} {}.", self.may_not_list(), parts.join(", nor ")),
        }
    }

    /// That there is no namespace of this name, with the one that was probably meant, where namespaces are known.
    fn no_namespace(&self, wanted: Word) -> Option<String> {
        let known = self.store.freshness(Kind::Namespace) == Summary::Live;
        let ids = self.store.ids(Kind::Namespace);
        let names: Vec<&str> =
            ids.iter().filter_map(|&id| self.store.meta(id)).map(|meta| meta.name.as_str()).collect();
        (known && !names.contains(&&*wanted)).then(|| {
            let near = patterns::nearest(&wanted, names.iter().copied());
            let near = near.map_or(String::new(), |near| format!(" Did you mean {near}?"));
            format!("There is no namespace {wanted}.{near} 0 shows all namespaces.")
        })
    }

    /// Asks for the namespaces where the one that is shown has nothing: perhaps it is not there.
    pub(super) fn look_for_namespace(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let empty = self.shown.only().is_some()
            && self.pane.list.view.namespaced()
            && self.pane.list.total() == 0
            && self.standing().is_some_and(|(_, standing)| standing == Summary::Live);
        if empty && !std::mem::replace(&mut self.completes, true) {
            self.want_also(now, effects);
        }
    }

    /// Which kinds may not be listed, and where.
    pub fn refusal(&self, kinds: &[Kind]) -> String {
        format!("{} {}{}.", self.may_not_list(), self.called(kinds), self.place(kinds))
    }

    /// Where these kinds were asked for.
    fn place(&self, kinds: &[Kind]) -> String {
        match self.shown {
            // What has no namespace is everywhere the same.
            _ if !self.pane.list.view.namespaced() => " in this cluster".to_owned(),
            _ if !self.are_placed(kinds) => String::new(),
            Shown::Only(namespace) => format!(" in the namespace {namespace}"),
            Shown::All | Shown::Home => " in all namespaces".to_owned(),
        }
    }

    /// Whether some of these kinds live in namespaces.
    fn are_placed(&self, kinds: &[Kind]) -> bool {
        kinds.iter().any(|&kind| match kind.origin() {
            Origin::Table => self.session.table_namespaced(),
            _ => kind.info().namespaced,
        })
    }

    fn may_not_list(&self) -> String {
        let user =
            self.session.info.as_ref().map_or(String::new(), |info| {
                format!(" {}", info.impersonates.as_deref().unwrap_or(&info.user))
            });
        format!("The user{user} may not list")
    }
}

/// Words one after the other, as one says them.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Namespaces by name, or how many there are.
fn namespaces(all: &BTreeSet<Word>) -> String {
    let names: Vec<&str> = all.iter().map(|name| &**name).collect();
    match names.len() {
        1 => format!("namespace {}", names[0]),
        count if count > MOST => format!("{count} namespaces {}, …", names[..MOST].join(", ")),
        _ => format!("namespaces {}", listed(&names)),
    }
}
