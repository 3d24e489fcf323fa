//! Everything on screen, and the only code that changes it.

mod actions;
mod cluster;
mod hints;
mod history;
mod keys;
mod measured;
mod memory;
mod over;
mod places;
mod typed;
mod unseen;
mod versions;
mod wanted;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compact_str::CompactString;

use super::message::{Draw, Effect, Message, Timer};
use super::panes::console::Consoles;
use super::panes::list::ListPane;
use super::panes::side::Side;
use super::prompt::Prompt;
use super::session::{Link, Session};
use super::signals::Signal;
use super::theme::Theme;
use crate::cluster::console::Platform;
use crate::cluster::gate::ContextId;
use crate::cluster::kubeconfig::Configuration;
use crate::config::{self, Config};
use crate::explain;
use crate::model::{Now, Time, Word};
use crate::records::Kind;
use crate::store::recording::{self, BadLine};
use crate::store::{Batch, Freshness, Health, Store, Summary, Touched};
use crate::views::{self, Filter, List, Sets, ViewRef};
pub use hints::Hint;
pub use measured::Measured;
pub use over::Layer;
use places::Place;
pub use typed::Offer;
pub use versions::Versions;
use wanted::Wanted;

/// The machine whose console is all there is to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleOf {
    /// Its name.
    pub name: String,
    /// Whose it is; whoever's has the name, if nothing is said.
    pub platform: Option<Platform>,
}

/// What the command line asks of the screen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The command that opens the first view.
    pub view: Option<String>,
    /// Whether another view is shown where that one does not exist.
    pub falls_back: bool,
    /// The context to connect to.
    pub context: Option<String>,
    /// The namespace to show; none is the context's.
    pub namespace: Option<String>,
    /// All namespaces.
    pub all_namespaces: bool,
    /// The machine whose console is all there is to see.
    pub console: Option<ConsoleOf>,
    /// The filter to begin with.
    pub filter: String,
    /// Wide columns.
    pub wide: bool,
    /// What the user has chosen.
    pub config: Config,
    /// Where skins are looked for by name.
    pub skin_folders: Vec<PathBuf>,
    /// Whether the header tells what of the cluster is in use; it takes feeds of its own.
    pub measures: bool,
    /// Whether the skin was named for this run, whatever the files say of a context.
    pub keep_skin: bool,
}

/// Which namespace is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All.
    All,
    /// This one.
    Only(Word),
    /// That of the context, which is not known yet.
    Home,
}

impl Shown {
    /// The one namespace, if it is one and known.
    pub fn only(self) -> Option<Word> {
        match self {
            Self::Only(namespace) => Some(namespace),
            Self::All | Self::Home => None,
        }
    }
}

/// A message for the user in the last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flash {
    /// The text.
    pub text: String,
    /// How grave it is.
    pub health: Health,
    /// When it goes; errors stay until a key is pressed.
    pub until: Option<Instant>,
    /// Whether what is said next stands below it, and not in its place.
    pub notice: bool,
}

const FLASH: Duration = Duration::from_secs(6);
const RECONNECT: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(1);

/// Everything on screen.
#[derive(Debug)]
pub struct App {
    /// What is known of the cluster on screen.
    pub store: Store,
    /// The connection and its feeds.
    pub session: Session,
    /// The list on screen.
    pub pane: ListPane,
    /// Which namespace it shows.
    pub shown: Shown,
    /// The open prompt.
    pub prompt: Option<Prompt>,
    /// The message in the last line.
    pub flash: Option<Flash>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whether the header is shown where there is room.
    pub header: bool,
    /// Whether the way here is shown at the bottom.
    pub crumbs: bool,
    /// Whether the logo is shown where there is room.
    pub logo: bool,
    /// The row under the cursor in more detail, where there is room.
    pub side: Side,
    /// Panes over the list; the last one has the keys.
    pub layers: Vec<Layer>,
    /// Colours.
    pub theme: Theme,
    options: Options,
    configuration: Option<Arc<Configuration>>,
    back: Vec<Place>,
    last: Option<Place>,
    last_ticket: u64,
    last_layer: over::LayerId,
    /// The consoles that are open.
    pub consoles: Consoles,
    /// What was shown by command.
    history: history::History,
    /// What is remembered of the context.
    state: config::state::State,
    /// The skin that the files name for what is on screen.
    skin: String,
    /// The set of columns that is wanted where a view has it.
    set: Option<Sets>,
    /// Filters with a name.
    pub filters: views::Saved,
    /// Whether what is remembered of the context has come.
    recalled: bool,
    offers: Vec<Offer>,
    /// The completion that was chosen among those offered.
    pub(super) offered: Option<usize>,
    /// Namespaces under the keys 1 to 9.
    pub favourites: Vec<Word>,
    hints: hints::Hints,
    /// Versions of the platform.
    pub versions: Versions,
    /// What of the cluster is in use, where that is measured and may be read.
    pub measured: Vec<Measured>,
    /// Whether the mouse is used.
    mouse_on: bool,
    /// When and where the mouse clicked last.
    clicked: Option<(Instant, (u16, u16))>,
    /// The filter before the prompt was opened, to go back to.
    filter_before: Filter,
    /// Whether a command was begun: from then on the names of namespaces are at hand.
    completes: bool,
    /// What is meant by the command that is being done, should it name nothing.
    instead: Option<String>,
    /// A command that named nothing, while the server is asked once more.
    unresolved: Option<Wanted>,
    touched: Touched,
    /// Whether the embedded cluster was opened.
    demo: bool,
    /// The namespace that was noted last as visited.
    noted: Option<Word>,
    quit: bool,
}

impl App {
    /// The state before anything has happened.
    pub fn new(options: Options, theme: Theme, size: (u16, u16), now: Now) -> Self {
        let mut options = options;
        let (asked, misread) =
            match options.view.as_deref().filter(|view| !view.trim().is_empty()).map(Wanted::read) {
                None => (None, None),
                Some(Ok(wanted)) => (Some(wanted), None),
                Some(Err(why)) => (None, Some(why)),
            };
        // Flags count more than what stands behind the view.
        let shown = match &options.namespace {
            _ if options.all_namespaces => Shown::All,
            Some(namespace) => Shown::Only(Word::new(namespace)),
            None => asked.as_ref().and_then(|wanted| wanted.shown).unwrap_or(Shown::Home),
        };
        let store = Store::new(explain::STATES);
        let (view, unresolved) = match asked {
            None => (ViewRef::Of(views::VIEWS[0]), None),
            Some(mut wanted) => {
                options.context = options.context.or_else(|| wanted.context.take());
                if options.filter.is_empty() {
                    options.filter.clone_from(&wanted.filter.text);
                }
                match views::find(&wanted.word) {
                    Some(view) => (ViewRef::Of(view), None),
                    // Perhaps a resource of the server: shown once the server has said what it has.
                    None => {
                        let word = wanted.word.clone();
                        let filter = Filter::parse(&options.filter);
                        let (leave, note, first) = (false, false, options.falls_back);
                        let wanted =
                            Wanted { shown: None, context: None, filter, leave, note, first, ..wanted };
                        (views::table_view(&word, true, None), Some(wanted))
                    }
                }
            }
        };
        let list = List::new(view, shown.only(), &store, now);
        let mut app = Self {
            pane: ListPane::new(list),
            store,
            session: Session::new(ContextId(1)),
            shown,
            prompt: None,
            flash: None,
            size,
            header: options.config.ui.header,
            crumbs: options.config.ui.crumbs,
            logo: options.config.ui.logo,
            side: Side::wanted(options.config.ui.side),
            layers: Vec::new(),
            theme,
            configuration: None,
            back: Vec::new(),
            last: None,
            last_ticket: 0,
            last_layer: over::LayerId::default(),
            consoles: Consoles::new(options.config.console.scrollback, options.config.console.backlog),
            history: history::History::default(),
            state: config::state::State::default(),
            skin: options.config.ui.skin.clone(),
            set: None,
            filters: views::Saved::default(),
            recalled: false,
            offers: Vec::new(),
            offered: None,
            favourites: Vec::new(),
            hints: hints::Hints::default(),
            versions: Versions::default(),
            measured: Vec::new(),
            mouse_on: options.config.ui.mouse,
            clicked: None,
            filter_before: Filter::default(),
            completes: false,
            instead: None,
            unresolved,
            touched: Touched::default(),
            demo: false,
            noted: None,
            quit: false,
            options,
        };
        app.choose_set();
        let set = app.set_of(&*app.pane.list.view);
        app.pane.list.set_layout(app.options.wide, set, &app.store, now);
        for (name, filter) in &app.options.config.filters {
            // What is wrong with one is said once what was kept of the context has come.
            let _ = app.filters.give(name, filter);
        }
        let filter = Filter::with(&app.options.filter, &app.filters);
        app.pane.list.set_filter(filter, &app.store, now);
        if let Some(why) = misread {
            app.say(why, Health::Failed, now);
        }
        app
    }

    /// What has to be done before anything can happen.
    pub fn start(&mut self, now: Now) -> Vec<Effect> {
        self.session.measures = self.options.measures;
        self.store.keep_states(&self.pane.list.view.stateful(), now);
        let mut effects = vec![Effect::Configure];
        self.session.want(&*self.pane.list.view, None, None, now, &mut effects);
        effects
    }

    /// Whether the program ends.
    pub fn is_over(&self) -> bool {
        self.quit
    }

    /// Whether everything that the view needs has come or will not come.
    pub fn settled(&self) -> bool {
        let down = matches!(self.session.link, Link::Down(_));
        let resolved = self.unresolved.is_none() || down;
        let named = self.recalled || down || !self.pane.list.filter().names_saved();
        resolved && named && self.session.settled(&self.store)
    }

    /// Whether the server has said what it has, or will not.
    pub fn discovered(&self) -> bool {
        let said = self.session.discovery.is_some() || self.session.discovery_failed;
        said || matches!(self.session.link, Link::Down(_))
    }

    /// What the time is at the server, which wrote the moments that are shown.
    pub fn there(&self, now: Now) -> Now {
        self.session.info.as_ref().map_or(now, |info| info.clock.there(now))
    }

    /// Takes a message.
    pub fn update(&mut self, message: Message, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let now = self.there(now);
        match message {
            Message::Key(key) => self.key(key, now, effects),
            Message::Paste(text) => self.paste(&text, now, effects),
            Message::Mouse(mouse) => self.mouse(mouse, now, effects),
            Message::Answer(ticket, answer) => match self.take_version(ticket, answer, effects) {
                Some(answer) => self.answered(ticket, answer, now, effects),
                None => Draw::Soon,
            },
            Message::Saved(saved) => {
                match saved {
                    Ok(path) => {
                        // The name first: a narrow screen may have no room for the folder.
                        let name = path.file_name().unwrap_or(path.as_os_str());
                        let folder = path.parent().map(|folder| format!(", in {}", folder.display()));
                        let said = format!("Saved as {}{}.", name.display(), folder.unwrap_or_default());
                        self.say(said, Health::Well, now);
                    }
                    Err(why) => self.say(why, Health::Failed, now),
                }
                Draw::Soon
            }
            Message::Resize(columns, rows) => {
                self.size = (columns, rows);
                Draw::Now
            }
            Message::Configured(configured) => self.configured(configured, now, effects),
            Message::Connected(id, _)
            | Message::Discovered(id, _)
            | Message::Version(id, _)
            | Message::Recalled(id, _)
                if id != self.session.id =>
            {
                Draw::No
            }
            Message::Recalled(_, recalled) => self.recalled(*recalled, now, effects),
            Message::Skin(skin, of) => self.skinned(skin.map(|theme| *theme), of, now),
            Message::Connected(_, connected) => self.connected(connected, now, effects),
            Message::Version(_, version) => {
                self.session.version = Some(version);
                Draw::Soon
            }
            Message::Discovered(_, discovered) => self.take_discovery(discovered, now, effects),
            Message::Feed(batch) => self.take(batch, now, effects),
            Message::Timer(timer) => self.timer(timer, now, effects),
            Message::Signal(signal) => self.signal(signal, effects),
            Message::Reported(path) => self.reported(&path, now),
        }
    }

    /// Fills the store from a recording of watches up to the moment `at`, in seconds, and gives the time to show it at.
    ///
    /// # Errors
    ///
    /// A line of the recording is no recorded event.
    pub fn replay(&mut self, lines: &[u8], at: f64) -> Result<Now, BadLine> {
        let mut touched = Touched::default();
        let replayed = recording::replay(&mut self.store, lines, at, &mut touched)?;
        let now = Now::at(replayed.now.map_or(0, Time::seconds));
        self.session.link = Link::Recorded(replayed.at);
        self.store.keep_states(&self.pane.list.view.stateful(), now);
        self.pane.list.rebuild(&self.store, now);
        self.side.forget();
        Ok(now)
    }

    /// The kubeconfig files that were looked for, with what came of each.
    pub fn tried(&self) -> Vec<String> {
        let tried = self.configuration.iter().flat_map(|configuration| &configuration.tried);
        tried.map(ToString::to_string).collect()
    }

    // ---- the cluster

    fn take(&mut self, batch: Batch, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let kind = batch.records.kind();
        let before = (self.store.freshness(kind), self.pane.list.total());
        let with_columns = batch.columns.is_some();
        let (told, feed) = (batch.freshness.is_some(), batch.feed);
        let refused = matches!(batch.freshness, Some(Freshness::Denied { .. }));
        self.touched.clear();
        self.store.apply(batch, now, &mut self.touched);
        if refused && kind == Kind::Namespace {
            self.put_known_namespaces(feed, now);
        }
        if let Some(info) = &self.session.info {
            let made = self.touched.ids.iter().filter_map(|&id| self.store.meta(id)?.created);
            info.clock.have_passed(made, now);
        }
        let measured = if told && self.measure(kind) { Draw::Soon } else { Draw::No };
        if with_columns && self.pane.list.view.rows().contains(&kind) {
            self.show_columns(now);
        }
        let over = self.settle(now, effects).max(self.offer_anew(kind, now));
        self.note_namespace(effects);
        self.look_for_namespace(now, effects);
        if !self.layers.is_empty() {
            return over.max(measured);
        }
        let changed = before != (self.store.freshness(kind), self.pane.list.total());
        let visible = self.pane.visible();
        let seen = self.touched.all || self.touched.ids.iter().any(|id| visible.contains(id));
        if before.1 == 0 && self.pane.list.total() > 0 {
            // The first rows are what the user waits for.
            return Draw::Now;
        }
        if seen || changed || visible != self.pane.window() { Draw::Soon } else { measured }
    }

    /// Lets list and feeds follow what the store has changed.
    fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) -> Draw {
        let mut touched = std::mem::take(&mut self.touched);
        self.session.feed(&mut self.store, now, &mut touched, effects);
        self.pane.list.touched(&touched, &self.store, now);
        self.side.touched(&touched);
        let draw = self.tell_layers(&touched, now, effects);
        self.touched = touched;
        draw
    }

    fn feed(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.touched.clear();
        self.settle(now, effects);
    }

    /// Shows the columns of the server's table that the store knows: what an old feed still brings is not among them.
    fn show_columns(&mut self, now: Now) {
        let Some(columns) = self.store.columns() else { return };
        let resource = self.pane.list.view.name().to_owned();
        let view = views::table_view(&resource, self.session.table_namespaced(), Some(columns));
        self.pane.list.show_as(view, &self.store, now);
        self.side.forget();
    }

    fn timer(&mut self, timer: Timer, now: Now, effects: &mut Vec<Effect>) -> Draw {
        match timer {
            Timer::Idle => {
                self.touched.clear();
                self.session.end_idle(&mut self.store, now, &mut self.touched, effects);
                let draw = self.settle(now, effects);
                if self.touched.all { Draw::Soon } else { draw }
            }
            Timer::Rediscover => {
                let again = self.session.ask_again(&self.store);
                if self.session.discovery.is_none() || again.is_some() {
                    effects.push(Effect::Discover(self.session.id));
                }
                effects.extend(again.map(|pause| Effect::After(pause, Timer::Rediscover)));
                Draw::No
            }
            Timer::Reconnect => {
                if let (Link::Down(_), Some(_)) = (&self.session.link, &self.configuration) {
                    let context = self.options.context.clone();
                    effects.push(Effect::Connect { id: self.session.id, context });
                }
                Draw::No
            }
        }
    }

    fn signal(&mut self, signal: Signal, effects: &mut Vec<Effect>) -> Draw {
        match signal {
            Signal::Terminate | Signal::HangUp | Signal::Interrupt => {
                self.quit = true;
                Draw::No
            }
            Signal::Stop => {
                effects.push(Effect::Suspend);
                Draw::No
            }
            Signal::Continue => Draw::Now,
        }
    }

    fn reported(&mut self, path: &std::path::Path, now: Now) -> Draw {
        let text = format!(
            "Something in the background failed because of a bug. A report is in {}.",
            path.display()
        );
        self.say(text, Health::Failed, now);
        Draw::Soon
    }

    /// Says something in the last line.
    pub fn say(&mut self, text: impl Into<String>, health: Health, now: Now) {
        let text = crate::text::one_line(&text.into(), 500);
        if self.flash.as_ref().is_some_and(|flash| flash.notice) {
            return self.add_notice(&text, health);
        }
        let until = (health != Health::Failed).then(|| now.instant + FLASH);
        self.flash = Some(Flash { text, health, until, notice: false });
    }

    /// Says something that is to be read: it stays until a key is pressed, together with what else is said until then.
    pub fn notice(&mut self, text: impl Into<String>, health: Health) {
        self.add_notice(&crate::text::one_line(&text.into(), 500), health);
    }

    fn add_notice(&mut self, text: &str, health: Health) {
        let said = self.flash.take();
        let health = said.iter().map(|flash| flash.health).fold(health, Health::max);
        let mut lines: Vec<&str> = said.iter().flat_map(|flash| flash.text.lines()).collect();
        if !lines.contains(&text) {
            lines.push(text);
        }
        self.flash = Some(Flash { text: lines.join("\n"), health, until: None, notice: true });
    }

    // ---- time

    /// When the screen reads differently although nothing happens.
    pub fn next_change(&self, now: Now) -> Option<Duration> {
        let now = self.there(now);
        let flash = self.flash.as_ref().and_then(|flash| flash.until);
        let flash = flash.map(|until| until.saturating_duration_since(now.instant));
        let stale = self.standing().and_then(|(_, standing)| match standing {
            Summary::Stale { since, .. } => {
                let seconds =
                    i64::try_from(now.instant.saturating_duration_since(since).as_secs()).unwrap_or(0);
                Some(crate::model::Age(seconds).next_change())
            }
            _ => None,
        });
        let ages = match self.top() {
            Some(pane) => pane.next_change(now),
            None => self.pane.next_change(&self.store, now),
        };
        let late = self
            .store
            .next_recheck()
            .map(|at| Duration::from_secs(u64::try_from(at.seconds().saturating_sub(now.wall)).unwrap_or(0)));
        [flash, stale, ages, late].into_iter().flatten().min()
    }

    /// Takes away what is only shown for a while, and lets be trouble what takes too long. To be called before drawing.
    pub fn expire(&mut self, now: Now) {
        if self.store.next_recheck().is_some_and(|at| at.seconds() <= now.wall) {
            let mut touched = std::mem::take(&mut self.touched);
            touched.clear();
            self.store.recheck(now, &mut touched);
            self.pane.list.touched(&touched, &self.store, now);
            self.side.touched(&touched);
            self.touched = touched;
        }
        self.flash = self.flash.take().filter(|flash| flash.until.is_none_or(|until| until > now.instant));
    }

    /// The names of the views on the way here, the last one on screen.
    pub fn way(&self) -> impl Iterator<Item = CompactString> + '_ {
        let before = self.back.iter().rev().take(4).rev().map(|place| self.short_name(place.view.name()));
        let over = self.layers.iter().map(|layer| layer.pane.crumb());
        before.chain([self.shown_as()]).map(CompactString::from).chain(over)
    }

    /// What the list on screen is called.
    pub fn shown_as(&self) -> &str {
        self.short_name(self.pane.list.view.name())
    }

    /// The name of a view without the group of a resource, unless the server has that name in several groups.
    fn short_name<'a>(&self, name: &'a str) -> &'a str {
        let Some((plural, _)) = name.split_once('.') else { return name };
        let known = self.session.discovery.iter().flat_map(|all| &all.resources);
        let mut groups = known.filter(|one| one.plural == plural).map(|one| &one.group);
        let first = groups.next();
        if groups.any(|group| Some(group) != first) { name } else { plural }
    }

    /// Where the lists of the rows stand, by the kind that has most to say: one that is old, one that has not come, one that
    /// is live. A kind that is refused or missing counts only where no other one has rows.
    pub fn standing(&self) -> Option<(Kind, Summary)> {
        let rank = |summary: &Summary| match summary {
            Summary::Stale { .. } => 5,
            Summary::Syncing { .. } => 4,
            Summary::Live => 3,
            Summary::Unasked => 2,
            Summary::Denied { .. } => 1,
            Summary::Absent => 0,
        };
        let kinds = self.pane.list.view.rows().iter().map(|&kind| (kind, self.store.freshness(kind)));
        kinds.reduce(|one, other| if rank(&other.1) > rank(&one.1) { other } else { one })
    }

    /// Whether the kubeconfig has contexts.
    pub fn has_contexts(&self) -> bool {
        self.configuration.as_ref().is_some_and(|all| !all.contexts.is_empty())
    }

    /// Contexts that could be chosen instead of the one on screen.
    pub fn other_contexts(&self) -> impl Iterator<Item = &str> + '_ {
        let current = self.session.info.as_ref().map(|info| info.context.as_str());
        let all = self.configuration.iter().flat_map(|configuration| &configuration.contexts);
        all.map(|context| context.name.as_str()).filter(move |name| current != Some(*name))
    }
}
