//! What is typed: commands with their completion and history, filters, searches.

use std::sync::Arc;

use super::App;
use super::wanted::{Wanted, namespace};
use crate::cluster::discovery::{Discovery, Resolved};
use crate::model::Now;
use crate::records::Kind;
use crate::store::{Health, Summary};
use crate::ui::command::{self, Does};
use crate::ui::input::Key;
use crate::ui::message::{Draw, Effect, SkinOf};
use crate::ui::prompt::{Prompt, Purpose, Typed};
use crate::ui::session::Link;
use crate::views::{self, Filter};

/// So many completions are offered at once.
const MOST_OFFERS: usize = 8;

/// What a command that has been begun may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// All of it.
    pub whole: String,
    /// What it is.
    pub about: String,
}

impl App {
    pub(super) fn open_prompt(&mut self, purpose: Purpose, text: &str, now: Now) {
        self.prompt = Some(Prompt::new(purpose, text));
        self.refresh_offers(now);
    }

    /// Opens the prompt of `:`. The names of namespaces come while one types, and typing does not wait for them.
    pub(super) fn open_command(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if !std::mem::replace(&mut self.completes, true) {
            self.want_also(now, effects);
        }
        self.open_prompt(Purpose::Command, "", now);
    }

    /// Names that have just come may complete what is being typed.
    pub(super) fn offer_anew(&mut self, kind: Kind, now: Now) -> Draw {
        let typing = self.prompt.as_ref().is_some_and(|prompt| prompt.purpose == Purpose::Command);
        if !typing || kind != Kind::Namespace || self.offered.is_some() {
            return Draw::No;
        }
        self.refresh_offers(now);
        Draw::Soon
    }

    /// Opens the prompt of `/`: it filters the list, or searches the pane over it.
    pub(super) fn open_search(&mut self, now: Now) {
        match self.top() {
            None => {
                self.filter_before = self.pane.list.filter().clone();
                let text = self.filter_before.text.clone();
                self.open_prompt(Purpose::Filter, &text, now);
            }
            Some(pane) => {
                if let Some(text) = pane.search().map(str::to_owned) {
                    self.open_prompt(Purpose::Filter, &text, now);
                }
            }
        }
    }

    pub(super) fn prompt_key(&mut self, key: Key, now: Now, effects: &mut Vec<Effect>) {
        if key == Key::ctrl('c') {
            match self.prompt.take() {
                Some(Prompt { purpose: Purpose::Filter, .. }) if self.layers.is_empty() => {
                    let before = std::mem::take(&mut self.filter_before);
                    self.pane.list.set_filter(before, &self.store, now);
                }
                Some(Prompt { purpose: Purpose::Filter, .. }) => {
                    self.with_top(now, effects, |pane, scene| pane.set_search("", scene));
                }
                _ => {}
            }
            return;
        }
        let Some(prompt) = &mut self.prompt else { return };
        let purpose = prompt.purpose;
        match (prompt.press(key), purpose) {
            (Typed::Changed, _) => self.typed(now, effects),
            (Typed::Same, _) => {}
            (Typed::Next(by), _) => self.offer_next(by),
            (Typed::Complete, purpose) => {
                let first = self.offers.first().map(|offer| offer.whole.clone());
                if let Some(whole) = self.completion().or(first) {
                    self.open_prompt(purpose, &whole, now);
                    self.typed(now, effects);
                }
            }
            (Typed::Cancelled, Purpose::Filter) => {
                self.prompt = None;
                if self.layers.is_empty() {
                    let before = std::mem::take(&mut self.filter_before);
                    let filter = if before == *self.pane.list.filter() { Filter::default() } else { before };
                    self.pane.list.set_filter(filter, &self.store, now);
                } else {
                    self.with_top(now, effects, |pane, scene| pane.set_search("", scene));
                }
            }
            (Typed::Done, Purpose::Filter) if self.offered.is_some() => {
                // The first enter takes what was chosen, the next one closes.
                if let Some(whole) = self.completion() {
                    self.open_prompt(Purpose::Filter, &whole, now);
                    self.typed(now, effects);
                }
            }
            (Typed::Cancelled, Purpose::Command) | (Typed::Done, Purpose::Filter) => self.prompt = None,
            (Typed::Done, Purpose::Command) => {
                let typed = prompt.text().trim().to_owned();
                let completed = self.completion();
                let first = self.entered().map(|at| self.offers[at].whole.clone());
                let chosen = self.offered.is_some();
                self.prompt = None;
                // What was typed counts if it means something; else what it was completed to.
                let whole = match completed {
                    Some(whole) if chosen || !self.means(&typed) => whole,
                    _ => typed,
                };
                match first {
                    // The word may be that of a kind that was installed a moment ago.
                    Some(first) if self.session.link == Link::Up => {
                        self.instead = Some(first);
                        self.run(&whole, now, effects);
                        self.instead = None;
                    }
                    Some(first) => self.run(&first, now, effects),
                    None => self.run(&whole, now, effects),
                }
            }
        }
    }

    /// What is wrong with the filter of the list, if that is what `/` is about.
    pub fn filter_error(&self) -> Option<&views::FilterError> {
        self.pane.list.filter_error().filter(|_| self.layers.is_empty())
    }

    /// What was typed changes the filter or the search while it is typed.
    pub(super) fn typed(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if let Some(prompt) = self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Filter) {
            let text = prompt.text().to_owned();
            match self.layers.is_empty() {
                true => self.pane.list.set_filter(Filter::with(&text, &self.filters), &self.store, now),
                false => _ = self.with_top(now, effects, |pane, scene| pane.set_search(&text, scene)),
            }
        }
        self.refresh_offers(now);
    }

    // ---- completion

    /// What has been begun may become one of these, the most likely first.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    fn refresh_offers(&mut self, now: Now) {
        self.offered = None;
        self.offers = match &self.prompt {
            Some(prompt) if prompt.purpose == Purpose::Command => self.commands(prompt.text()),
            Some(prompt) if self.layers.is_empty() => self.filter_terms(prompt, now),
            _ => Vec::new(),
        };
    }

    /// How the term of a filter at the cursor may go on.
    fn filter_terms(&self, prompt: &Prompt, now: Now) -> Vec<Offer> {
        let (typed, cursor) = (prompt.text(), prompt.before_cursor().len());
        let begun =
            prompt.before_cursor().rsplit(char::is_whitespace).next().and_then(|word| word.strip_prefix('@'));
        if let Some(begun) = begun {
            let (before, after) = (&typed[..cursor - begun.len()], &typed[cursor..]);
            let named = self.filters.iter().filter(|(name, _)| name.starts_with(begun));
            let offer = |(name, filter): (&str, &str)| Offer {
                whole: format!("{before}{name}{after}"),
                about: filter.to_owned(),
            };
            return named.map(offer).filter(|offer| offer.whole != typed).take(MOST_OFFERS).collect();
        }
        let all = views::complete(typed, cursor, &self.pane.list, &self.store, now);
        let offer = |one: views::Completion| {
            let (before, after) = (typed.get(..one.at.start)?, typed.get(one.at.end..)?);
            let rows = one.rows.map(|rows| format!("{rows} row{}", if rows == 1 { "" } else { "s" }));
            Some(Offer { whole: format!("{before}{}{after}", one.text), about: rows.unwrap_or_default() })
        };
        all.into_iter().filter_map(offer).filter(|offer| offer.whole != typed).take(MOST_OFFERS).collect()
    }

    /// What a command that has been begun may become.
    fn commands(&self, typed: &str) -> Vec<Offer> {
        let mut words = typed.split_whitespace();
        let first = words.next();
        let argument = words.next().or_else(|| typed.ends_with(' ').then_some(""));
        let mut fitting: Vec<(u8, Offer)> = match (first, argument) {
            (None, _) => self
                .state
                .history
                .commands()
                .iter()
                .map(|typed| (0, Offer { whole: typed.clone(), about: String::new() }))
                .collect(),
            (Some(first), Some(start)) => self.arguments(first, start),
            (Some(first), None) => self.words(first),
        };
        fitting.sort_by_key(|(fit, _)| *fit);
        let mut offers: Vec<Offer> = Vec::with_capacity(MOST_OFFERS);
        for (_, offer) in fitting {
            if offers.len() < MOST_OFFERS && offers.iter().all(|known| known.whole != offer.whole) {
                offers.push(offer);
            }
        }
        offers
    }

    fn words(&self, typed: &str) -> Vec<(u8, Offer)> {
        let mut fitting = Vec::new();
        let mut offer = |name: &str, about: &dyn Fn() -> String| {
            if let Some(fit) = fit(name, typed) {
                fitting.push((fit, Offer { whole: name.to_owned(), about: about() }));
            }
        };
        for view in views::VIEWS {
            for name in std::iter::once(view.name()).chain(view.aliases().iter().copied()) {
                offer(name, &|| if name == view.name() { "view".into() } else { view.name().into() });
            }
        }
        for word in command::WORDS {
            word.names.iter().take(1).for_each(|name| offer(name, &|| word.doc.into()));
        }
        for one in self.session.discovery.iter().flat_map(|all| &all.resources) {
            offer(&one.plural, &|| one.api_version());
        }
        fitting
    }

    fn arguments(&self, first: &str, start: &str) -> Vec<(u8, Offer)> {
        let marked = start.strip_prefix('@');
        let context =
            marked.is_some() || command::word_of(first).is_some_and(|word| word.does == Does::Context);
        let (sign, start) = marked.map_or(("", start), |start| ("@", start));
        let (kind, about) = if context { (Kind::Context, "context") } else { (Kind::Namespace, "namespace") };
        let ids = self.store.ids(kind);
        let mut names: Vec<&str> =
            ids.iter().filter_map(|&id| self.store.meta(id)).map(|meta| meta.name.as_str()).collect();
        names.sort_unstable();
        let all = (kind == Kind::Namespace).then_some("all");
        let offer = |name: &str| Offer { whole: format!("{first} {sign}{name}"), about: about.into() };
        names.into_iter().chain(all).filter_map(|name| Some((fit(name, start)?, offer(name)))).collect()
    }

    fn offer_next(&mut self, by: isize) {
        let last = self.offers.len().checked_sub(1);
        self.offered = last.map(|last| match self.offered {
            None => 0,
            Some(at) => at.saturating_add_signed(by).min(last),
        });
    }

    /// The whole of the command that has been begun, if it can be told.
    pub fn completion(&self) -> Option<String> {
        if let Some(chosen) = self.offered.and_then(|at| self.offers.get(at)) {
            return Some(chosen.whole.clone());
        }
        let prompt = self.prompt.as_ref()?;
        let typed = prompt.text();
        // Something is to be seen before it counts, and a word that means something is not completed by itself.
        let begun = !typed.trim().is_empty() && !typed.ends_with(' ');
        let begun = begun && (prompt.purpose == Purpose::Filter || !self.means(typed));
        // What is not seen behind the cursor has to be chosen.
        let mut offers = self.offers.iter().filter(|offer| offer.whole.starts_with(typed));
        offers.next().filter(|_| begun).map(|offer| offer.whole.clone())
    }

    /// Which of the offers enter takes although nobody chose it: the first, where a single word that names nothing was typed
    /// and the offer begins with it, or has its letters, the first one in front and not many others.
    pub fn entered(&self) -> Option<usize> {
        let prompt = self.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Command)?;
        let typed = prompt.text().trim();
        // Before the server has said what it has, the word may name a resource.
        let apart = matches!(self.session.link, Link::Down(_) | Link::Recorded(_));
        let known = apart || self.session.discovery.is_some();
        let word = !typed.is_empty() && !typed.contains(char::is_whitespace) && !self.means(typed);
        let near = |offer: &Offer| {
            let mut rest = offer.whole.chars();
            let begins = rest.clone().next() == typed.chars().next();
            let close = offer.whole.starts_with(typed) || typed.len() * 4 >= offer.whole.len();
            begins && close && typed.chars().all(|letter| rest.any(|other| other == letter))
        };
        let near = self.offers.first().is_some_and(near);
        (word && known && self.offered.is_none() && near).then_some(0)
    }

    /// Whether what is typed is a command as it stands.
    fn means(&self, typed: &str) -> bool {
        let mut words = typed.split_whitespace();
        match (words.next(), words.next()) {
            (Some(word), None) => self.names(word),
            (Some(word), Some(argument))
                if command::word_of(word).is_some_and(|word| word.does == Does::Context) =>
            {
                self.configuration
                    .as_ref()
                    .is_some_and(|all| all.contexts.iter().any(|one| one.name == argument))
            }
            (Some(word), Some(argument)) => {
                let named = |kind| {
                    self.store
                        .ids(kind)
                        .iter()
                        .any(|&id| self.store.meta(id).is_some_and(|meta| *meta.name == *argument))
                };
                // Where namespaces are not known, any may exist.
                self.names(word)
                    && (self.store.freshness(Kind::Namespace) != Summary::Live
                        || named(Kind::Namespace)
                        || argument == "all")
            }
            (None, _) => true,
        }
    }

    fn names(&self, word: &str) -> bool {
        let resolves = |all: &Arc<Discovery>| !matches!(all.resolve(word), Resolved::None);
        views::find(word).is_some()
            || command::word_of(word).is_some()
            || self.session.discovery.as_ref().is_some_and(resolves)
    }

    // ---- commands

    /// Does what was typed after `:`.
    pub(super) fn run(&mut self, typed: &str, now: Now, effects: &mut Vec<Effect>) {
        let typed = typed.trim();
        if typed.is_empty() {
            return;
        }
        let mut words = typed.split_whitespace();
        let Some(first) = words.next() else { return };
        self.obey(typed, first, words.next(), now, effects);
        let failed = self.flash.as_ref().is_some_and(|flash| flash.health == Health::Failed);
        if !failed && self.names(first) {
            self.note_command(typed, effects);
        }
    }

    fn obey(
        &mut self,
        typed: &str,
        first: &str,
        argument: Option<&str>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match (command::word_of(first).map(|word| word.does), argument) {
            (Some(Does::Quit), None) => self.quit = true,
            (Some(Does::Key(command)), None) => self.command(command, now, effects),
            (Some(Does::Mouse), on) => self.use_mouse(on, now, effects),
            (Some(Does::Quit | Does::Key(_)), Some(argument)) if views::find(first).is_none() => {
                self.say(
                    format!("{first} takes nothing behind it, such as {argument}."),
                    Health::Failed,
                    now,
                );
            }
            (Some(Does::Save), format) => self.save_list(format, now, effects),
            (Some(Does::Filter), _) => self.keep_filter(typed, now, effects),
            (Some(Does::Skin), name) => self.ask_skin(name, SkinOf::Prompt, effects),
            (Some(Does::Context), Some(name)) if !name.starts_with('/') => {
                self.switch_context(name.trim_start_matches('@'), now, effects);
            }
            (Some(Does::Namespace), Some(name)) if !name.starts_with('/') => match namespace(name) {
                Ok(shown) => {
                    let wanted = Wanted { shown: Some(shown), ..Wanted::new(views::VIEWS[0].name(), "") };
                    self.open_word(wanted, now, effects);
                }
                Err(why) => self.say(why, Health::Failed, now),
            },
            _ => {
                let mut wanted = match Wanted::parse(first, typed) {
                    Ok(wanted) => wanted,
                    Err(why) => return self.say(why, Health::Failed, now),
                };
                if let Some(context) = wanted.context.take() {
                    if self.switch_context(&context, now, effects) {
                        self.open_in_context(wanted, now, effects);
                    }
                    return;
                }
                if self.names(first) || self.session.link != Link::Up {
                    self.open_word(wanted, now, effects);
                } else {
                    // It may have been installed since the server was asked.
                    self.unresolved = Some(Wanted {
                        typed: Some(typed.to_owned()),
                        instead: self.instead.take(),
                        ..wanted
                    });
                    effects.push(Effect::Discover(self.session.id));
                }
            }
        }
    }

    /// Notes a command that means something, to be given again.
    pub(super) fn note_command(&mut self, typed: &str, effects: &mut Vec<Effect>) {
        self.state.history.given(typed);
        self.remember(effects);
    }

    /// `:filter save NAME`, `:filter remove NAME`, `:filter` alone lists them.
    fn keep_filter(&mut self, typed: &str, now: Now, effects: &mut Vec<Effect>) {
        let words: Vec<&str> = typed.split_whitespace().skip(1).collect();
        match words[..] {
            ["save", _] if self.pane.list.filter().is_empty() => {
                self.say("There is no filter to keep: / begins one.", Health::Failed, now);
            }
            ["save", name] if self.pane.list.filter_error().is_some() => {
                let why = self.pane.list.filter_error().map_or("", |error| &error.why).to_owned();
                self.say(format!("The filter is not kept as {name}: {why}"), Health::Failed, now);
            }
            ["save", name] => {
                let filter = self.pane.list.filter().text.clone();
                match self.filters.set(name, &filter) {
                    Ok(()) => {
                        self.remember(effects);
                        self.say(format!("/@{name} stands for {filter} from now on."), Health::Well, now);
                    }
                    Err(error) => self.say(error.why, Health::Failed, now),
                }
            }
            ["remove", name] if self.filters.remove(name) => {
                self.remember(effects);
                self.say(format!("The filter {name} is forgotten."), Health::Well, now);
            }
            ["remove", name] if self.filters.iter().any(|(known, _)| known == name) => {
                self.say(format!("The filter {name} stands in the config."), Health::Failed, now);
            }
            ["remove", name] => self.say(format!("There is no filter {name}."), Health::Failed, now),
            _ => {
                let all: Vec<String> =
                    self.filters.iter().map(|(name, filter)| format!("@{name}: {filter}")).collect();
                let all = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
                self.say(
                    format!("Saved filters: {all}. :filter save NAME keeps this one."),
                    Health::Idle,
                    now,
                );
            }
        }
    }

    /// `:mouse on`, `:mouse off`, or `:mouse` for the other of the two.
    fn use_mouse(&mut self, on: Option<&str>, now: Now, effects: &mut Vec<Effect>) {
        self.mouse_on = match on {
            None => !self.mouse_on,
            Some("on") => true,
            Some("off") => false,
            Some(other) => return self.say(format!("{other}: the mouse is on or off."), Health::Failed, now),
        };
        effects.push(Effect::Mouse(self.mouse_on));
        let said = if self.mouse_on {
            "The mouse works here; hold shift to select text. :mouse gives it back."
        } else {
            "The mouse is the terminal's again."
        };
        self.say(said, Health::Well, now);
    }
}

/// How well a name fits what is typed, 0 best; `None` if it does not.
fn fit(name: &str, typed: &str) -> Option<u8> {
    let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
    if name == typed {
        return Some(0);
    }
    if name.starts_with(&typed) {
        return Some(1);
    }
    if name.contains(&typed) {
        return Some(2);
    }
    let mut rest = name.chars();
    typed.chars().all(|c| rest.any(|other| other == c)).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_by_beginning_then_by_part_then_by_letters() {
        let cases = [
            ("vms", "vms", Some(0)),
            ("vms", "v", Some(1)),
            ("datavolumes", "vol", Some(2)),
            ("datavolumes", "dvs", Some(3)),
            ("pods", "vm", None),
            ("Pods", "po", Some(1)),
        ];
        for (name, typed, want) in cases {
            assert_eq!(fit(name, typed), want, "{name} {typed}");
        }
    }
}
