//! The cluster on screen: its contexts, the connection to one, what its server says it has.

use std::sync::Arc;

use super::wanted::Wanted;
use super::{App, RECONNECT, Shown, versions};
use crate::cluster::connect::ConnectionInfo;
use crate::cluster::discovery::Discovery;
use crate::cluster::error::Failure;
use crate::cluster::gate::ContextId;
use crate::cluster::kubeconfig::Configuration;
use crate::explain;
use crate::model::{Now, Word};
use crate::records::{Context, Kind};
use crate::store::{Batch, Coverage, Freshness, Health, Namespaces, Selection, Store, Summary};
use crate::ui::message::{Draw, Effect, Timer};
use crate::ui::session::{Link, Session};
use crate::views::{self, Filter, ViewRef};

impl App {
    pub(super) fn configured(
        &mut self,
        configured: Result<Arc<Configuration>, Failure>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Draw {
        match configured {
            Ok(configuration) => {
                if self.demo {
                    // Flags may name a context of the kubeconfig.
                    self.options.context = configuration.current.clone();
                }
                self.configuration = Some(configuration);
                let context = self.options.context.clone();
                self.show_contexts(now);
                effects.push(Effect::Connect { id: self.session.id, context });
            }
            Err(failure) => self.session.link = Link::Down(failure),
        }
        Draw::Soon
    }

    /// Puts the contexts of the kubeconfig into the store.
    fn show_contexts(&mut self, now: Now) {
        let Some(configuration) = self.configuration.clone() else { return };
        let connected = self.session.info.as_ref().map(|info| info.context.as_str());
        let current = connected.or(self.options.context.as_deref()).or(configuration.current.as_deref());
        let rows: Vec<Context> = configuration
            .contexts
            .iter()
            .map(|known| {
                let mut context = Context::named(&known.name);
                context.cluster = Word::new(&known.cluster);
                context.user = Word::new(&known.user);
                context.home = Word::new(known.namespace.as_deref().unwrap_or_default());
                context.server = Word::new(known.server.as_deref().unwrap_or_default());
                context.current = current == Some(known.name.as_str());
                context
            })
            .collect();
        let mut touched = std::mem::take(&mut self.touched);
        touched.clear();
        let all = Coverage { namespaces: Namespaces::All, selection: Selection::All };
        if let Some(plan) = self.store.cover(Kind::Context, all, &mut touched).first() {
            let batch = Batch::of(plan.id, 0, rows);
            self.store.apply(batch.and(Freshness::Live), now, &mut touched);
        }
        self.pane.list.touched(&touched, &self.store, now);
        self.side.touched(&touched);
        self.touched = touched;
    }

    fn mark_context(&mut self, now: Now) {
        self.show_contexts(now);
        if let (Some(info), Some(configuration)) = (&self.session.info, &self.configuration) {
            let same_cluster =
                configuration.contexts.iter().filter(|context| context.cluster == info.cluster);
            let homes: Vec<Word> =
                same_cluster.filter_map(|context| context.namespace.as_deref()).map(Word::new).collect();
            homes.into_iter().for_each(|home| self.session.add_home(home));
        }
    }

    pub(super) fn connected(
        &mut self,
        connected: Result<ConnectionInfo, Failure>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Draw {
        match connected {
            Ok(info) => {
                if self.shown == Shown::Home {
                    self.shown = Shown::Only(Word::new(&info.namespace));
                }
                self.session.add_home(Word::new(&info.namespace));
                self.session.link = Link::Up;
                effects.push(Effect::Discover(info.id));
                info.warnings.iter().for_each(|warning| self.notice(warning, Health::Warning));
                self.session.info = Some(info);
                self.mark_context(now);
                self.recall(effects);
                self.ask_skin_of_context(effects);
                self.show(self.pane.list.view.clone(), now, effects);
                self.open_first_console(now, effects);
            }
            Err(failure) => {
                tracing::warn!(%failure, "connect");
                if failure.is_transient() {
                    effects.push(Effect::After(RECONNECT, Timer::Reconnect));
                }
                self.session.link = Link::Down(failure);
            }
        }
        Draw::Soon
    }

    /// Takes in what the server says it has.
    pub(super) fn take_discovery(
        &mut self,
        discovered: Result<Arc<Discovery>, Failure>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Draw {
        match discovered {
            Ok(discovery) => {
                // What was said of the last attempt is over.
                let said = self.session.discovery_said.take();
                self.flash = self.flash.take().filter(|flash| said.as_ref() != Some(&flash.text));
                self.session.discovered(discovery);
                self.ask_versions(effects);
                if let Some(wanted) = self.unresolved.take() {
                    self.open_word(wanted, now, effects);
                }
                self.feed(now, effects);
            }
            Err(failure) => {
                tracing::info!(%failure, "discovery");
                self.session.discovery_failed = true;
                if self.flash.is_none() && self.session.discovery.is_none() {
                    self.say(failure.and_again(), Health::Failed, now);
                    self.session.discovery_said = self.flash.as_ref().map(|flash| flash.text.clone());
                }
                if let Some(wanted) = self.unresolved.take() {
                    self.say(format!("{}: {failure}", wanted.word), Health::Failed, now);
                }
                effects.push(Effect::After(RECONNECT, Timer::Rediscover));
            }
        }
        Draw::Soon
    }

    /// Connects to a context, and says whether there is one of this name.
    pub(super) fn switch_context(&mut self, name: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        let known =
            self.configuration.as_ref().is_some_and(|all| all.contexts.iter().any(|one| one.name == name));
        if !known {
            self.say(format!("There is no context {name:?} in the kubeconfig."), Health::Failed, now);
            return false;
        }
        let id = self.leave_cluster(effects);
        self.options.context = Some(name.to_owned());
        self.shown = Shown::Home;
        self.show_contexts(now);
        effects.push(Effect::Connect { id, context: Some(name.to_owned()) });
        self.go(ViewRef::Of(views::VIEWS[0]), Shown::Home, Filter::default(), now, effects);
        true
    }

    /// Forgets the cluster on screen; gives the number of the connection to the next one.
    fn leave_cluster(&mut self, effects: &mut Vec<Effect>) -> ContextId {
        let id = ContextId(self.session.id.0 + 1);
        effects.push(Effect::Leave(id));
        self.session = Session::new(id);
        self.session.measures = self.options.measures;
        self.measured.clear();
        self.noted = None;
        self.store = Store::new(explain::STATES);
        self.side.forget();
        self.forget_places(effects);
        self.consoles.end_all(effects);
        self.versions = versions::Versions::default();
        id
    }

    /// Whether there is no cluster to look at, and the embedded one can be had instead.
    pub fn offers_demo(&self) -> bool {
        let none = match &self.session.link {
            Link::Down(_) => true,
            Link::Up => {
                self.standing().is_some_and(|(_, standing)| matches!(standing, Summary::Stale { .. }))
            }
            Link::Connecting | Link::Recorded(_) => false,
        };
        none && !self.demo && self.layers.is_empty() && self.pane.list.rows().is_empty()
    }

    /// Opens the embedded cluster in the place of what the kubeconfig names.
    pub(super) fn open_demo(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.demo = true;
        self.leave_cluster(effects);
        let known = self.configuration.take().is_some_and(|all| !all.contexts.is_empty());
        effects.push(Effect::Demo);
        // Who comes to look around is shown everything.
        self.go(ViewRef::Of(views::VIEWS[0]), Shown::All, Filter::default(), now, effects);
        let back =
            if known { " The contexts of the kubeconfig are back with the next start of v9s." } else { "" };
        self.say(format!("This is the embedded cluster.{back}"), Health::Well, now);
    }

    /// Opens what a command named together with the context that has just been switched to.
    pub(super) fn open_in_context(&mut self, wanted: Wanted, now: Now, effects: &mut Vec<Effect>) {
        // There is no way back to another cluster.
        let wanted = Wanted { leave: false, ..wanted };
        match views::find(&wanted.word) {
            Some(_) => self.open_word(wanted, now, effects),
            // The server has to say first what it has.
            None => self.unresolved = Some(wanted),
        }
    }
}
