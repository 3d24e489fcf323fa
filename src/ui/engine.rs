//! Effects done: connections, feeds, questions, timers and files, and what came of them as messages.

mod files;

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use self::files::{Recorder, recall, remember, save};
use super::answers;
use super::message::{Answer, Effect, Message, Question, RecordStep, Ticket, Timer};
use super::skins;
use crate::cluster::connect::{Connection, connect};
use crate::cluster::console::{self, ConsoleInput, Keyboard};
use crate::cluster::discovery::discover;
use crate::cluster::error::{Failure, FailureKind};
use crate::cluster::feed::{self, Feed, Timing};
use crate::cluster::gate::{ContextId, Gate};
use crate::cluster::kubeconfig::{self, Configuration, Flags};
use crate::demo::start::{Demo, Wishes};
use crate::store::{Batch, FeedId};

/// Messages that wait at most; who sends more waits with them.
const QUEUE: usize = 32;

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
    recorders: HashMap<Ticket, Recorder>,
    remembering: Option<tokio::task::JoinHandle<()>>,
    timers: Vec<(Instant, Timer)>,
    sender: mpsc::Sender<Internal>,
    receiver: mpsc::Receiver<Internal>,
    batch_sender: mpsc::Sender<Batch>,
    batches: mpsc::Receiver<Batch>,
}

/// A question that is being answered; dropping it ends that.
struct Asked {
    task: tokio::task::JoinHandle<()>,
    /// Where one types, if that is possible.
    keyboard: Option<Keyboard>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What only the owner of the terminal can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outward {
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
            recorders: HashMap::new(),
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

    /// Does what the state asks for; what only the owner of the terminal can do comes back.
    pub(super) fn run(&mut self, effects: Vec<Effect>) -> Vec<Outward> {
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
                Effect::Demo => self.spawn(async {
                    let stopped = |_| Err(Failure::config("Making the embedded cluster was broken off."));
                    let made = tokio::task::spawn_blocking(embedded).await.unwrap_or_else(stopped);
                    Internal::Configured(made.map(Arc::new))
                }),
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
                    self.recorders.clear();
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
                Effect::Skin { name, folders, look, of } => self.spawn(async move {
                    let read = move || match name {
                        Some(name) => skins::load(&name, &folders, look)
                            .map(Box::new)
                            .map_err(|error| error.to_string()),
                        None => Err(format!("Skins: {}.", skins::available(&folders).join(", "))),
                    };
                    let stopped = |_| Err("Reading the skin was broken off.".to_owned());
                    Internal::Message(Message::Skin(
                        tokio::task::spawn_blocking(read).await.unwrap_or_else(stopped),
                        of,
                    ))
                }),
                Effect::Suspend => outward.push(Outward::Suspend),
                Effect::Copy(text) => outward.push(Outward::Copy(text)),
                Effect::Mouse(on) => outward.push(Outward::Mouse(on)),
                Effect::Ask { ticket, id, question } => self.ask(ticket, id, question),
                Effect::Forget(ticket) => {
                    self.questions.remove(&ticket);
                    self.recorders.remove(&ticket);
                }
                Effect::Tell(ticket, input) => self.tell(ticket, input),
                Effect::Record(ticket, step) => self.record(ticket, step),
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
        let (keyboard, hands) = match question {
            Question::Console(_) => Some(console::keyboard()).unzip(),
            _ => (None, None),
        };
        let task = tokio::spawn(answers::give(connection, question, hands, tell));
        self.questions.insert(ticket, Asked { task, keyboard });
    }

    fn tell(&self, ticket: Ticket, input: ConsoleInput) {
        let keyboard = self.questions.get(&ticket).and_then(|asked| asked.keyboard.as_ref());
        if keyboard.is_some_and(|keyboard| keyboard.put(input).is_err()) {
            // If not even this has room, the next key that is not taken says it.
            let _ = self.sender.try_send(Internal::Message(Message::Answer(ticket, Answer::NotTaken)));
        }
    }

    fn record(&mut self, ticket: Ticket, step: RecordStep) {
        match step {
            RecordStep::Begin { name, head } => {
                let sender = self.sender.clone();
                let tell = move |recorded| {
                    // Blocking is fine there: it is a thread of its own.
                    let _ = sender.blocking_send(Internal::Message(Message::Answer(
                        ticket,
                        Answer::Recorded(recorded),
                    )));
                };
                let (recorder, write) = Recorder::begin(&name, head, tell);
                tokio::task::spawn_blocking(write);
                self.recorders.insert(ticket, recorder);
            }
            RecordStep::Line(lines) => {
                if self.recorders.get(&ticket).is_some_and(|recorder| !recorder.take(lines)) {
                    self.recorders.remove(&ticket);
                    let why = "The disk does not keep up with what is recorded; the recording has ended."
                        .to_owned();
                    let _ = self
                        .sender
                        .try_send(Internal::Message(Message::Answer(ticket, Answer::Recorded(Err(why)))));
                }
            }
            RecordStep::End => drop(self.recorders.remove(&ticket)),
        }
    }

    /// The next message; waits for it.
    pub(super) async fn next(&mut self) -> Message {
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
    pub(super) fn try_next(&mut self) -> Option<Message> {
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
    pub(super) fn reporter(&self) -> impl Fn(PathBuf) + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |path| _ = sender.try_send(Internal::Message(Message::Reported(path)))
    }
}

/// The contexts of a cluster that is made for them, inside this process.
fn embedded() -> Result<Configuration, Failure> {
    let demo = Demo::new(Wishes::default());
    let failed = |why| Failure::config(format!("The embedded cluster cannot be made: {why}."));
    demo.map(|demo| demo.configuration()).map_err(failed)
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
