//! The loop: messages in, effects done, frames out. The only part of the screen that waits.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::answers;
use super::app::App;
use super::clipboard::{self, Multiplexer};
use super::frame;
use super::input::{Key, Mouse};
use super::message::{Draw, Effect, Message, Question, Recalled, Ticket, Timer};
use super::signals::{self, Signal, Signals};
use super::skins;
use super::terminal::Terminal;
use crate::cluster::connect::{Connection, connect};
use crate::cluster::discovery::discover;
use crate::cluster::error::{Failure, FailureKind};
use crate::cluster::feed::{self, Feed, Timing};
use crate::cluster::gate::{ContextId, Gate};
use crate::cluster::kubeconfig::{self, Configuration, Flags};
use crate::config::Folders;
use crate::config::folders::{private_folder, rewrite, write_atomically};
use crate::config::state;
use crate::model::Now;
use crate::store::{Batch, FeedId};

/// Messages that wait at most; who sends more waits with them.
const QUEUE: usize = 32;
/// How long one turn works off what has arrived before it looks at the keys again.
const TURN: Duration = Duration::from_millis(4);
/// Frames that nobody has pressed a key for come at most this often.
const FRAME: Duration = Duration::from_millis(33);

enum Internal {
    Configured(Result<Arc<Configuration>, Failure>),
    Connected(ContextId, Result<Connection, Failure>),
    Message(Message),
}

/// Where the contexts come from, and the flags that go with them.
#[derive(Clone, Debug)]
pub struct Source {
    pub(crate) flags: Flags,
    given: Option<Arc<Configuration>>,
}

impl From<Flags> for Source {
    /// Contexts from the files that the flags and the environment name.
    fn from(flags: Flags) -> Self {
        Self { flags, given: None }
    }
}

impl Source {
    /// These contexts and no others.
    pub fn given(configuration: Configuration, flags: Flags) -> Self {
        Self { flags, given: Some(Arc::new(configuration)) }
    }
}

/// Does what the state asks for, and brings back what came of it.
pub struct Engine {
    flags: Arc<Flags>,
    given: Option<Arc<Configuration>>,
    gate: Gate,
    timing: Timing,
    configuration: Option<Arc<Configuration>>,
    connections: HashMap<ContextId, Connection>,
    feeds: HashMap<FeedId, Feed>,
    questions: HashMap<Ticket, Asked>,
    remembering: Option<tokio::task::JoinHandle<()>>,
    timers: Vec<(Instant, Timer)>,
    sender: mpsc::Sender<Internal>,
    receiver: mpsc::Receiver<Internal>,
    batch_sender: mpsc::Sender<Batch>,
    batches: mpsc::Receiver<Batch>,
}

/// A question that is being answered; dropping it ends that.
struct Asked(tokio::task::JoinHandle<()>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The file of saved filters: they are of use in any context.
fn filters_file(folders: &Folders) -> PathBuf {
    folders.state.join("filters")
}

fn recall(cluster: &str, context: &str) -> Recalled {
    let folders = Folders::find();
    let (state, warning) = state::load(&folders, cluster, context);
    let filters = std::fs::read_to_string(filters_file(&folders)).unwrap_or_default();
    Recalled { state, filters, warning }
}

fn remember(cluster: &str, context: &str, state: &state::State, filters: &str) {
    let folders = Folders::find();
    let path = filters_file(&folders);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let filters = if kept == filters { Ok(()) } else { write_atomically(&path, filters.as_bytes()) };
    if let Err(error) = state::save(&folders, cluster, context, state).and(filters) {
        tracing::warn!(%error, "what is to be remembered cannot be written");
    }
}

/// Writes a file among the saved screens.
fn save(name: &str, extension: &str, text: &str) -> Result<PathBuf, String> {
    let folder = Folders::find().screens();
    let write = || -> std::io::Result<PathBuf> {
        private_folder(&folder)?;
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = name.chars().map(plain).take(100).collect();
        let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
        let path = folder.join(format!("{name}-{time}.{extension}"));
        rewrite(&path, text.as_bytes())?;
        Ok(path)
    };
    write().map_err(|error| format!("{} cannot be written: {error}.", folder.display()))
}

/// What only the owner of the terminal can do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outward {
    Suspend,
    Copy(String),
    Mouse(bool),
}

impl Engine {
    /// An engine without a connection. Must be made within a runtime.
    pub fn new(source: impl Into<Source>) -> Self {
        let Source { flags, given } = source.into();
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (batch_sender, batches) = mpsc::channel(QUEUE);
        let mut timing = Timing::default();
        if let Some(limit) = flags.request_timeout.filter(|limit| !limit.is_zero()) {
            timing.answer = limit;
        }
        Self {
            gate: Gate::new(flags.readonly),
            flags: Arc::new(flags),
            given,
            timing,
            configuration: None,
            connections: HashMap::new(),
            feeds: HashMap::new(),
            questions: HashMap::new(),
            remembering: None,
            timers: Vec::new(),
            sender,
            receiver,
            batch_sender,
            batches,
        }
    }

    fn spawn(&self, work: impl Future<Output = Internal> + Send + 'static) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let result = work.await;
            // Nobody listens any more only when the program ends.
            let _ = sender.send(result).await;
        });
    }

    fn run(&mut self, effects: Vec<Effect>) -> Vec<Outward> {
        let mut outward = Vec::new();
        for effect in effects {
            match effect {
                Effect::Configure => {
                    let (flags, given) = (self.flags.clone(), self.given.clone());
                    self.spawn(async move {
                        Internal::Configured(match given {
                            Some(configuration) => Ok(configuration),
                            None => configure(flags).await,
                        })
                    });
                }
                Effect::Connect { id, context } => self.connect(id, context),
                Effect::Discover(id) => {
                    if let Some(connection) = self.connections.get(&id).cloned() {
                        self.spawn(async move {
                            let found = discover(&connection).await.map(Arc::new);
                            Internal::Message(Message::Discovered(id, found))
                        });
                    }
                }
                Effect::StartFeed { id, target, plan } => {
                    if let Some(connection) = self.connections.get(&id).cloned() {
                        let sink = self.batch_sender.clone();
                        let feed = feed::start(connection, target, plan, self.timing, sink);
                        self.feeds.insert(feed.id, feed);
                    }
                }
                Effect::EndFeed(id) => drop(self.feeds.remove(&id)),
                Effect::Leave(id) => {
                    // What the feeds of the old context still have on their way belongs to nobody.
                    self.feeds.clear();
                    self.questions.clear();
                    (self.batch_sender, self.batches) = mpsc::channel(QUEUE);
                    self.connections.retain(|known, _| *known == id);
                    self.timers.clear();
                }
                Effect::After(pause, timer) => {
                    // One of each kind, the earliest: who wakes up looks at everything that may be due.
                    let at = Instant::now() + pause;
                    match self.timers.iter_mut().find(|(_, known)| *known == timer) {
                        Some((planned, _)) => *planned = at.min(*planned),
                        None => self.timers.push((at, timer)),
                    }
                }
                Effect::Recall { id, cluster, context } => self.spawn(async move {
                    let recall = move || recall(&cluster, &context);
                    let recalled = tokio::task::spawn_blocking(recall).await.unwrap_or_default();
                    Internal::Message(Message::Recalled(id, Box::new(recalled)))
                }),
                Effect::Remember { cluster, context, state, filters } => {
                    // One after the other: the last one has the last word.
                    let before = self.remembering.take();
                    self.remembering = Some(tokio::spawn(async move {
                        if let Some(before) = before {
                            let _ = before.await;
                        }
                        let remember = move || remember(&cluster, &context, &state, &filters);
                        let _ = tokio::task::spawn_blocking(remember).await;
                    }));
                }
                Effect::Skin { name, folders, look } => self.spawn(async move {
                    let read = move || match name {
                        Some(name) => skins::load(&name, &folders, look)
                            .map(Box::new)
                            .map_err(|error| error.to_string()),
                        None => Err(format!("Skins: {}.", skins::available(&folders).join(", "))),
                    };
                    let stopped = |_| Err("Reading the skin was broken off.".to_owned());
                    Internal::Message(Message::Skin(
                        tokio::task::spawn_blocking(read).await.unwrap_or_else(stopped),
                    ))
                }),
                Effect::Suspend => outward.push(Outward::Suspend),
                Effect::Copy(text) => outward.push(Outward::Copy(text)),
                Effect::Mouse(on) => outward.push(Outward::Mouse(on)),
                Effect::Ask { ticket, id, question } => self.ask(ticket, id, question),
                Effect::Forget(ticket) => drop(self.questions.remove(&ticket)),
                Effect::Save { name, extension, text } => self.spawn(async move {
                    let save = move || save(&name, extension, &text);
                    let saved = tokio::task::spawn_blocking(save).await;
                    let stopped = |_| Err("Saving was broken off.".to_owned());
                    Internal::Message(Message::Saved(saved.unwrap_or_else(stopped)))
                }),
            }
        }
        outward
    }

    fn connect(&mut self, id: ContextId, context: Option<String>) {
        let Some(configuration) = self.configuration.clone() else { return };
        let (flags, gate) = (self.flags.clone(), self.gate.clone());
        self.gate.show(id);
        self.spawn(async move {
            let connected = connect(&configuration, context.as_deref(), &flags, id, &gate).await;
            Internal::Connected(id, connected)
        });
    }

    /// Lets a question be answered until its ticket is given back.
    fn ask(&mut self, ticket: Ticket, id: ContextId, question: Question) {
        let Some(connection) = self.connections.get(&id).cloned() else { return };
        let sender = self.sender.clone();
        let tell = move |answer| {
            let sender = sender.clone();
            async move { sender.send(Internal::Message(Message::Answer(ticket, answer))).await.is_ok() }
        };
        self.questions.insert(ticket, Asked(tokio::spawn(answers::give(connection, question, tell))));
    }

    /// The next message; waits for it.
    async fn next(&mut self) -> Message {
        let timer =
            self.timers.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(n, (at, _))| (n, *at));
        let far = Instant::now() + Duration::from_secs(86_400);
        tokio::select! {
            biased;
            Some(internal) = self.receiver.recv() => self.open(internal),
            () = sleep_until(timer.map_or(far, |(_, at)| at).into()), if timer.is_some() => {
                let (_, timer) = self.timers.swap_remove(timer.map_or(0, |(n, _)| n));
                Message::Timer(timer)
            }
            Some(batch) = self.batches.recv() => Message::Feed(batch),
        }
    }

    /// The next message if there is one already.
    fn try_next(&mut self) -> Option<Message> {
        if let Ok(internal) = self.receiver.try_recv() {
            return Some(self.open(internal));
        }
        self.batches.try_recv().ok().map(Message::Feed)
    }

    fn open(&mut self, internal: Internal) -> Message {
        match internal {
            Internal::Configured(configured) => {
                self.configuration = configured.as_ref().ok().cloned();
                Message::Configured(configured)
            }
            Internal::Connected(id, Ok(connection)) => {
                let info = connection.info().clone();
                self.connections.insert(id, connection);
                Message::Connected(id, Ok(info))
            }
            Internal::Connected(id, Err(failure)) => Message::Connected(id, Err(failure)),
            Internal::Message(message) => message,
        }
    }

    /// Where a thread that panicked can tell of its report.
    fn reporter(&self) -> impl Fn(PathBuf) + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |path| _ = sender.try_send(Internal::Message(Message::Reported(path)))
    }
}

/// Finds and reads the contexts that the flags and the environment name.
///
/// # Errors
///
/// As [`kubeconfig::load`].
pub async fn configure(flags: Arc<Flags>) -> Result<Arc<Configuration>, Failure> {
    let load = move || {
        let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
        kubeconfig::load(&flags, &|name| env::var_os(name), home.as_deref()).map(Arc::new)
    };
    let stopped = |_| Failure::new(FailureKind::Config, "Reading the kubeconfig was broken off.");
    tokio::task::spawn_blocking(load).await.map_err(stopped)?
}

/// The lists did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Not everything came within {0} s.")]
pub struct TooLate(u64);

/// Runs the state without a terminal until everything that it needs has come, at most for `patience`.
///
/// # Errors
///
/// The runtime cannot be started, or time is over.
pub fn settle(app: App, source: impl Into<Source>, patience: Duration) -> anyhow::Result<App> {
    run_until(app, source.into(), patience, App::settled)
}

/// The same until the server has said what it has.
///
/// # Errors
///
/// As [`settle`].
pub fn settle_discovered(app: App, source: impl Into<Source>, patience: Duration) -> anyhow::Result<App> {
    run_until(app, source.into(), patience, App::discovered)
}

fn run_until(
    mut app: App,
    source: Source,
    patience: Duration,
    done: fn(&App) -> bool,
) -> anyhow::Result<App> {
    runtime()?.block_on(async move {
        let mut engine = Engine::new(source);
        let effects = app.start(Now::read());
        engine.run(effects);
        let deadline = Instant::now() + patience;
        while !done(&app) {
            let message = tokio::time::timeout_at(deadline.into(), engine.next())
                .await
                .map_err(|_| TooLate(patience.as_secs()))?;
            let mut effects = Vec::new();
            app.update(message, Now::read(), &mut effects);
            engine.run(effects);
        }
        while let Some(message) = engine.try_next() {
            app.update(message, Now::read(), &mut Vec::new());
        }
        Ok(app)
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("The runtime cannot be started.")
}

/// What has to stand before the terminal is taken: from then on a signal must give it back.
#[derive(Debug)]
pub struct Start {
    runtime: tokio::runtime::Runtime,
    signals: Signals,
}

impl Start {
    /// Starts the runtime and listens to signals.
    ///
    /// # Errors
    ///
    /// The system gives no threads, or no signals.
    pub fn new() -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let signals = {
            let _inside = runtime.enter();
            Signals::new().context("Signals cannot be listened to.")?
        };
        Ok(Self { runtime, signals })
    }

    /// Makes something that works by itself, tells of it, keeps it until a signal ends the program, and ends it.
    ///
    /// # Errors
    ///
    /// What making, telling or ending failed with.
    pub fn hold<T, E: Into<anyhow::Error>>(
        self,
        make: impl Future<Output = Result<T, E>>,
        tell: impl FnOnce(&T) -> anyhow::Result<()>,
        end: impl AsyncFnOnce(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Self { runtime, mut signals } = self;
        let held: anyhow::Result<()> = runtime.block_on(async {
            let made = make.await.map_err(Into::into)?;
            let told = tell(&made);
            while told.is_ok() {
                match signals.next().await {
                    Signal::Terminate | Signal::HangUp | Signal::Interrupt => break,
                    Signal::Stop => signals::stop_self(),
                    Signal::Continue => {}
                }
            }
            let ended = end(made).await;
            told.and(ended)
        });
        runtime.shutdown_timeout(Duration::from_millis(200));
        held
    }

    /// Runs the screen until the user leaves.
    ///
    /// # Errors
    ///
    /// The terminal went away in a way that is not simply its end.
    pub fn run(
        self,
        mut app: App,
        source: impl Into<Source>,
        mut terminal: Terminal,
        install_reporter: impl FnOnce(Box<dyn Fn(PathBuf) + Send + Sync>),
    ) -> anyhow::Result<()> {
        let Self { runtime, signals } = self;
        // Before anything is read or asked: the first frame.
        show(&mut app, &mut terminal)?;
        let ended = runtime.block_on(async {
            let engine = Engine::new(source);
            install_reporter(Box::new(engine.reporter()));
            Loop::new(app, engine, terminal, signals).run().await
        });
        // Tasks are dropped and with them the processes that they wait for, such as credential plugins; what blocks a thread
        // does not keep the shell waiting.
        runtime.shutdown_timeout(Duration::from_millis(200));
        ended
    }
}

fn show(app: &mut App, terminal: &mut Terminal) -> std::io::Result<()> {
    let now = Now::read();
    frame::prepare(app, now);
    terminal
        .draw(|screen| {
            let area = screen.area();
            if let Some(cursor) = frame::draw(app, now, area, screen.buffer_mut()) {
                screen.set_cursor_position(cursor);
            }
        })
        .map(drop)
}

struct Loop {
    app: App,
    engine: Engine,
    terminal: Terminal,
    signals: Signals,
    /// Must not exist while another program has the terminal, or it eats that program's keys.
    events: Option<EventStream>,
    last_frame: Instant,
    /// When the next frame is due.
    due: Option<Instant>,
}

/// What woke the loop.
enum Woken {
    By(Message),
    Keyboard(Option<std::io::Result<Event>>),
    Time,
}

impl Loop {
    fn new(app: App, engine: Engine, terminal: Terminal, signals: Signals) -> Self {
        let events = Some(EventStream::new());
        Self { app, engine, terminal, signals, events, last_frame: Instant::now(), due: None }
    }

    async fn run(mut self) -> anyhow::Result<()> {
        let effects = self.app.start(Now::read());
        self.engine.run(effects);
        let mut change = self.next_change();
        while !self.app.is_over() {
            let woken = self.wait(change).await;
            let began = Instant::now();
            if !self.take(woken)? {
                return Ok(());
            }
            // What has arrived meanwhile, keys first.
            while began.elapsed() < TURN && !self.app.is_over() {
                if let Some(event) = self.waiting_event().await {
                    if !self.take(Woken::Keyboard(event))? {
                        return Ok(());
                    }
                } else if self.due.is_some_and(|due| due <= Instant::now()) {
                    // Whoever pressed the keys does not wait for what else has come.
                    break;
                } else if let Some(message) = self.engine.try_next() {
                    self.take(Woken::By(message))?;
                } else {
                    break;
                }
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                self.last_frame = Instant::now();
                if let Err(error) = show(&mut self.app, &mut self.terminal) {
                    return gone(error);
                }
                change = self.next_change();
            }
        }
        Ok(())
    }

    /// The next event of the terminal if there is one already.
    ///
    /// The stream remembers the first waker that it was polled with, so it must only ever see that of this task: a
    /// throw-away waker (`now_or_never`) would swallow the wake-up for the next key.
    async fn waiting_event(&mut self) -> Option<Option<std::io::Result<Event>>> {
        let events = self.events.as_mut()?;
        std::future::poll_fn(|context| {
            Poll::Ready(match events.poll_next_unpin(context) {
                Poll::Ready(event) => Some(event),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn next_change(&self) -> Option<Instant> {
        self.app.next_change(Now::read()).map(|pause| Instant::now() + pause + Duration::from_millis(5))
    }

    async fn wait(&mut self, change: Option<Instant>) -> Woken {
        let wake = [self.due, change].into_iter().flatten().min();
        let far = Instant::now() + Duration::from_secs(86_400);
        let events = &mut self.events;
        tokio::select! {
            biased;
            signal = self.signals.next() => Woken::By(Message::Signal(signal)),
            event = async {
                match events {
                    Some(events) => events.next().await,
                    None => std::future::pending().await,
                }
            } => Woken::Keyboard(event),
            () = sleep_until(wake.unwrap_or(far).into()), if wake.is_some() => Woken::Time,
            message = self.engine.next() => Woken::By(message),
        }
    }

    /// Takes what happened; `false` when the terminal is gone.
    fn take(&mut self, woken: Woken) -> anyhow::Result<bool> {
        let message = match woken {
            Woken::Time => {
                // Either a frame is due anyway, or an age on screen reads differently now.
                self.due.get_or_insert_with(Instant::now);
                return Ok(true);
            }
            Woken::By(message) => message,
            Woken::Keyboard(Some(Ok(event))) => match self.event(event) {
                Some(message) => message,
                None => return Ok(true),
            },
            Woken::Keyboard(Some(Err(error))) => return gone(error).map(|()| false),
            Woken::Keyboard(None) => return Ok(false),
        };
        let continued = matches!(message, Message::Signal(Signal::Continue));
        if continued {
            self.terminal.resume()?;
            self.events.get_or_insert_with(EventStream::new);
            let size = self.terminal.size();
            self.app.update(Message::Resize(size.width, size.height), Now::read(), &mut Vec::new());
        }
        let mut effects = Vec::new();
        let draw = self.app.update(message, Now::read(), &mut effects);
        self.plan(draw);
        for outward in self.engine.run(effects) {
            match outward {
                Outward::Suspend => {
                    self.events = None;
                    self.terminal.suspend()?;
                    // The signal that continues the program arrives as a message.
                    signals::stop_self();
                }
                Outward::Copy(text) => self.terminal.send(&clipboard::sequence(&text, in_multiplexer()))?,
                Outward::Mouse(on) => self.terminal.set_mouse(on)?,
            }
        }
        Ok(true)
    }

    fn event(&mut self, event: Event) -> Option<Message> {
        match event {
            Event::Key(key) => Key::from_event(&key).map(Message::Key),
            Event::Paste(text) => Some(Message::Paste(text)),
            Event::Resize(columns, rows) => {
                self.terminal.resize(ratatui::layout::Size::new(columns, rows));
                Some(Message::Resize(columns, rows))
            }
            Event::Mouse(event) => Mouse::from_event(&event).map(Message::Mouse),
            Event::FocusGained | Event::FocusLost => None,
        }
    }

    fn plan(&mut self, draw: Draw) {
        let due = match draw {
            Draw::No => return,
            Draw::Soon => (self.last_frame + FRAME).max(Instant::now()),
            Draw::Now => Instant::now(),
        };
        self.due = Some(self.due.map_or(due, |planned| planned.min(due)));
    }
}

fn in_multiplexer() -> Option<Multiplexer> {
    Multiplexer::detect(&|name| env::var_os(name))
}

/// A terminal that is gone is an end like any other.
fn gone(error: std::io::Error) -> anyhow::Result<()> {
    if signals::terminal_gone(&error) { Ok(()) } else { Err(error).context("The terminal cannot be used.") }
}
