//! What is remembered of a context from one run to the next, and what its files say of how the screen looks.

use std::collections::BTreeSet;

use super::{App, Shown};
use crate::model::{Now, Word};
use crate::records::{Kind, Namespace};
use crate::store::{Batch, FeedId, Health, Id, Summary};
use crate::ui::message::{Draw, Effect, Recalled, SkinOf};
use crate::ui::theme::Theme;
use crate::views::{AnyView, Filter, Saved, Sets};

impl App {
    /// Asks for what was remembered of the context that has been connected to.
    pub(super) fn recall(&self, effects: &mut Vec<Effect>) {
        if let Some(info) = &self.session.info {
            effects.push(Effect::Recall {
                id: info.id,
                cluster: info.cluster.clone(),
                context: info.context.clone(),
            });
        }
    }

    pub(super) fn recalled(&mut self, recalled: Recalled, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let Recalled { state, filters, warning } = recalled;
        let (mut filters, bad) = Saved::parse(&filters);
        let mut wrong = bad.first().map(|bad| format!("A saved filter, {bad}"));
        for (name, filter) in &self.options.config.filters {
            if let Err(error) = filters.give(name, filter) {
                wrong = Some(format!("The filter {name} of the config: {}", error.why));
            }
        }
        self.filters = filters;
        self.recalled = true;
        let filter = self.pane.list.filter();
        if filter.names_saved() {
            // It may have been asked for before anybody knew what it means.
            let filter = Filter::with(&filter.text, &self.filters);
            self.pane.list.set_filter(filter, &self.store, now);
        }
        let given = std::mem::replace(&mut self.state, state);
        self.noted = None;
        given.history.commands().iter().rev().for_each(|command| self.state.history.given(command));
        if let Some(warning) = warning.or(wrong) {
            self.notice(warning, Health::Warning);
        }
        self.note_namespace(effects);
        self.number_namespaces();
        Draw::Soon
    }

    /// Notes that the namespace on screen was visited, as soon as there is something of it: what is refused or misspelled is
    /// not learnt.
    pub(super) fn note_namespace(&mut self, effects: &mut Vec<Effect>) {
        let Shown::Only(namespace) = self.shown else { return };
        let learns = self.session.info.as_ref().is_some_and(|info| info.config.namespaces.learn);
        if !learns || self.noted == Some(namespace) || !self.holds_something(namespace) {
            return;
        }
        self.noted = Some(namespace);
        if self.state.favourites.visited(&namespace) {
            self.number_namespaces();
            self.remember(effects);
        }
    }

    /// Whether rows of a namespace are there, or it is there and may be read.
    fn holds_something(&self, namespace: Word) -> bool {
        if self.pane.list.view.namespaced() && self.pane.list.total() > 0 {
            return true;
        }
        let live = |kind| matches!(self.store.freshness(kind), Summary::Live);
        let named = |&id: &Id| self.store.meta(id).is_some_and(|meta| *meta.name == *namespace);
        self.standing().is_some_and(|(kind, _)| live(kind))
            && live(Kind::Namespace)
            && self.store.ids(Kind::Namespace).iter().any(named)
    }

    /// Shows the namespaces that are known from contexts and visits where the user may not list them. They have the feed of
    /// those that were refused.
    pub(super) fn put_known_namespaces(&mut self, refused: FeedId, now: Now) {
        let Some(info) = &self.session.info else { return };
        let contexts = self.configuration.iter().flat_map(|all| &all.contexts);
        let of_contexts = contexts.filter(|one| one.cluster == info.cluster);
        let homes = of_contexts.filter_map(|one| one.namespace.as_deref()).map(Word::new);
        let names: BTreeSet<Word> =
            homes.chain([Word::new(&info.namespace)]).chain(self.favourites.iter().copied()).collect();
        let rows: Vec<Namespace> = names.iter().map(|name| Namespace::unconfirmed(name)).collect();
        self.store.apply(Batch::of(refused, 0, rows), now, &mut self.touched);
    }

    /// The chosen set of columns, if a view has it.
    pub(super) fn set_of(&self, view: &dyn AnyView) -> Option<Sets> {
        self.set.filter(|&chosen| view.sets().iter().any(|&(_, set)| set == chosen))
    }

    fn number_namespaces(&mut self) {
        let chosen = self.session.info.as_ref().map(|info| info.config.namespaces.favourites.as_slice());
        let names = self.state.favourites.after(chosen.unwrap_or_default());
        self.favourites = names.into_iter().map(Word::new).collect();
    }

    /// Writes down what is to be remembered.
    pub(super) fn remember(&self, effects: &mut Vec<Effect>) {
        if let Some(info) = &self.session.info {
            effects.push(Effect::Remember {
                cluster: info.cluster.clone(),
                context: info.context.clone(),
                state: self.state.clone(),
                filters: self.filters.print(),
            });
        }
    }

    /// `:skin NAME`, or `:skin` for the names that there are.
    pub(super) fn ask_skin(&self, name: Option<&str>, of: SkinOf, effects: &mut Vec<Effect>) {
        effects.push(Effect::Skin {
            name: name.map(str::to_owned),
            folders: self.options.skin_folders.clone(),
            look: self.theme.look,
            of,
        });
    }

    /// Asks for the skin that the files name for the context on screen, if it is another one.
    pub(super) fn ask_skin_of_context(&mut self, effects: &mut Vec<Effect>) {
        let Some(info) = &self.session.info else { return };
        let wanted = info.config.ui.skin.clone();
        if !self.options.keep_skin && wanted != self.skin {
            self.ask_skin(Some(&wanted), SkinOf::Files, effects);
            self.skin = wanted;
        }
    }

    /// Chooses the set of columns that the config names.
    pub(super) fn choose_set(&mut self) {
        let name = self.options.config.ui.column_set.clone();
        self.set = Sets::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, set)| set);
        if self.set.is_none() && !name.is_empty() {
            let names = Sets::NAMES.map(|(name, _)| name).join(", ");
            let said = format!("ui.columnSet of the config: there is no set {name}; there are {names}.");
            self.notice(said, Health::Warning);
        }
    }

    pub(super) fn skinned(&mut self, skin: Result<Theme, String>, of: SkinOf, now: Now) -> Draw {
        match (skin, of) {
            (Ok(theme), _) => self.theme = theme,
            (Err(said), SkinOf::Prompt) => self.say(said, Health::Idle, now),
            (Err(said), SkinOf::Files) => self.notice(said, Health::Warning),
        }
        Draw::Soon
    }
}
