//! What keys do: commands of the list, and the prompt.

use std::sync::Arc;

use super::wanted::{Wanted, namespace};
use super::{App, Shown};
use crate::cluster::discovery::{Discovery, Resolved};
use crate::model::{Now, Word};
use crate::records::Kind;
use crate::store::Health;
use crate::ui::command::{self, Command};
use crate::ui::input::Key;
use crate::ui::message::{Draw, Effect};
use crate::ui::prompt::{Prompt, Purpose, Typed};
use crate::ui::session::Link;
use crate::views::{self, Filter, Motion, Open, ViewRef};

impl App {
    pub(super) fn key(&mut self, key: Key, now: Now, effects: &mut Vec<Effect>) -> Draw {
        if self.flash.as_ref().is_some_and(|flash| flash.until.is_none()) {
            self.flash = None;
        }
        if self.prompt.is_some() {
            self.prompt_key(key, now, effects);
        } else if let Some(command) = command::of(key) {
            self.command(command, now, effects);
        } else {
            return Draw::No;
        }
        Draw::Now
    }

    pub(super) fn paste(&mut self, text: &str, now: Now) -> Draw {
        let Some(prompt) = &mut self.prompt else { return Draw::No };
        prompt.insert(text);
        self.typed(now);
        Draw::Now
    }

    fn command(&mut self, command: Command, now: Now, effects: &mut Vec<Effect>) {
        let page = isize::try_from(self.pane.height(self.size)).unwrap_or(1).max(1);
        match command {
            Command::Prompt => self.prompt = Some(Prompt::new(Purpose::Command, "")),
            Command::Filter => {
                self.filter_before = self.pane.list.filter().clone();
                self.prompt = Some(Prompt::new(Purpose::Filter, &self.filter_before.text));
            }
            Command::Open => self.open(now, effects),
            Command::Back => self.back(now, effects),
            Command::Last => match self.last.clone() {
                Some(place) => {
                    self.leave();
                    self.go(place.view, place.shown, place.filter, now, effects);
                }
                None => self.say("No previous view to switch to.", Health::Idle, now),
            },
            Command::Quit => self.quit = true,
            Command::AllNamespaces => self.show_namespace(Shown::All, now, effects),
            Command::ThisNamespace => {
                let meta = self.pane.list.selected().and_then(|id| self.store.meta(id));
                if let Some(namespace) = meta.map(|meta| meta.namespace).filter(|name| !name.is_empty()) {
                    self.show_namespace(Shown::Only(namespace), now, effects);
                }
            }
            Command::Wide => self.pane.wide = !self.pane.wide,
            Command::Header => self.header = !self.header,
            Command::Redraw => {
                self.pane.forget_widths();
                self.session.ask_widely();
                self.feed(now, effects);
            }
            Command::Move(rows) => self.pane.list.go(Motion::Rows(rows), &self.store),
            Command::Page(pages) => self.pane.list.go(Motion::Rows(pages * page), &self.store),
            Command::First => self.pane.list.go(Motion::First, &self.store),
            Command::End => self.pane.list.go(Motion::Last, &self.store),
            Command::Scroll(by) => self.pane.scroll(by),
            Command::SortNext(by) => {
                if let Some(column) = self.pane.next_column(by, &self.store, self.shown == Shown::All) {
                    self.pane.list.sort_by(column, &self.store, now);
                }
            }
            Command::SortBy(title) => match self.pane.list.view.column(title).or_else(|| match title {
                "STATE" => self.pane.list.view.column("STATUS"),
                _ => None,
            }) {
                Some(column) => self.pane.list.sort_by(column, &self.store, now),
                None => self.say(format!("There is no column {title} here."), Health::Idle, now),
            },
            Command::Suspend => effects.push(Effect::Suspend),
        }
    }

    fn show_namespace(&mut self, shown: Shown, now: Now, effects: &mut Vec<Effect>) {
        let filter = self.pane.list.filter().clone();
        self.go(self.pane.list.view.clone(), shown, filter, now, effects);
    }

    fn open(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let Some(id) = self.pane.list.selected() else { return };
        let Some(meta) = self.store.meta(id) else { return };
        let name = meta.name.to_string();
        match self.pane.list.view.open() {
            Open::Nothing | Open::Detail => {}
            Open::Rows { .. } => {
                let Some(view) = views::within(&*self.pane.list.view, &self.store, id) else { return };
                // What belongs to an object without namespace may be in any.
                let shown = if meta.namespace.is_empty() { Shown::All } else { self.shown };
                self.leave();
                self.go(view, shown, Filter::default(), now, effects);
            }
            Open::Context => self.switch_context(&name, now, effects),
            Open::Namespace => {
                self.leave();
                let shown = Shown::Only(Word::new(&name));
                self.go(ViewRef::Of(views::VIEWS[0]), shown, Filter::default(), now, effects);
            }
        }
    }

    fn prompt_key(&mut self, key: Key, now: Now, effects: &mut Vec<Effect>) {
        if key == Key::ctrl('c') {
            self.prompt = None;
            return;
        }
        let Some(prompt) = &mut self.prompt else { return };
        match (prompt.press(key), prompt.purpose) {
            (Typed::Changed, _) => self.typed(now),
            (Typed::Same, _) => {}
            (Typed::Complete, Purpose::Command) => {
                if let Some(whole) = self.completion() {
                    self.prompt = Some(Prompt::new(Purpose::Command, &whole));
                }
            }
            (Typed::Complete, Purpose::Filter) => {}
            (Typed::Cancelled, Purpose::Filter) => {
                self.prompt = None;
                let before = std::mem::take(&mut self.filter_before);
                let filter = if before == *self.pane.list.filter() { Filter::default() } else { before };
                self.pane.list.set_filter(filter, &self.store, now);
            }
            (Typed::Cancelled, Purpose::Command) | (Typed::Done, Purpose::Filter) => self.prompt = None,
            (Typed::Done, Purpose::Command) => {
                let typed = prompt.text().trim().to_owned();
                let completed = self.completion();
                self.prompt = None;
                self.run(&typed, completed.as_deref(), now, effects);
            }
        }
    }

    /// What was typed changes the filter while it is typed.
    fn typed(&mut self, now: Now) {
        if let Some(prompt) = self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Filter) {
            let filter = Filter::parse(prompt.text());
            self.pane.list.set_filter(filter, &self.store, now);
        }
    }

    /// The whole of the command that has been begun, if it can be told.
    pub fn completion(&self) -> Option<String> {
        let prompt = self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Command)?;
        let typed = prompt.text();
        let mut words = typed.split_whitespace();
        let first = words.next()?;
        let argument = words.next().or_else(|| typed.ends_with(' ').then_some(""));
        let begins = |name: &&str, start: &str| name.len() > start.len() && name.starts_with(start);
        if let Some(start) = argument {
            let kind = match views::find(first).map(views::AnyView::name) {
                Some("contexts") => Kind::Context,
                _ => Kind::Namespace,
            };
            let ids = self.store.ids(kind);
            let mut names: Vec<&str> =
                ids.iter().filter_map(|&id| self.store.meta(id)).map(|meta| meta.name.as_str()).collect();
            names.sort_unstable();
            let name = names.into_iter().find(|name| !start.is_empty() && begins(name, start))?;
            return Some(format!("{first} {name}"));
        }
        let names = views::VIEWS
            .iter()
            .flat_map(|view| std::iter::once(view.name()).chain(view.aliases().iter().copied()));
        let exact = views::find(first).is_some();
        let served =
            self.session.discovery.iter().flat_map(|all| &all.resources).map(|one| one.plural.as_str());
        let whole = if exact { None } else { names.chain(served).find(|name| begins(name, first)) };
        whole.map(str::to_owned)
    }

    fn run(&mut self, typed: &str, completed: Option<&str>, now: Now, effects: &mut Vec<Effect>) {
        let mut words = typed.split_whitespace();
        let Some(first) = words.next() else { return };
        let argument = words.next();
        match (first, argument) {
            ("q" | "q!" | "qa" | "Q" | "quit" | "exit", None) => {
                self.quit = true;
            }
            ("ctx" | "context" | "contexts", Some(name)) => self.switch_context(name, now, effects),
            ("ns" | "namespace" | "namespaces", Some(name)) => match namespace(name) {
                Ok(shown) => {
                    self.leave();
                    self.go(ViewRef::Of(views::VIEWS[0]), shown, Filter::default(), now, effects);
                }
                Err(why) => self.say(why, Health::Failed, now),
            },
            (word, argument) => {
                let word = match completed {
                    Some(whole) if argument.is_none() && !self.names(word) => whole,
                    _ => word,
                };
                let wanted = match Wanted::parse(word, typed) {
                    Ok(wanted) => wanted,
                    Err(why) => return self.say(why, Health::Failed, now),
                };
                if self.names(word) || self.session.link != Link::Up {
                    self.open_word(wanted, now, effects);
                } else {
                    // It may have been installed since the server was asked.
                    self.unresolved = Some(wanted);
                    effects.push(Effect::Discover(self.session.id));
                }
            }
        }
    }

    fn names(&self, word: &str) -> bool {
        let resolves = |all: &Arc<Discovery>| !matches!(all.resolve(word), Resolved::None);
        views::find(word).is_some() || self.session.discovery.as_ref().is_some_and(resolves)
    }
}
