//! The serial console of a machine: opened, kept, and opened again where that harms nobody.
//!
//! `machine` decides, `instance` is what it looks at, `why` says what came of it, `platform` has what differs between platforms, and
//! the task here asks. What the guest wrote before comes from the log of the container that keeps it, where there is one; KubeVirt
//! itself keeps nothing for who comes later.

mod instance;
mod machine;
mod platform;
mod why;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{interval_at, sleep, timeout};

use super::connect::Connection;
use super::error::{Failure, FailureKind};
use super::stream::{self, End, Heard, Listening, Protocol, Typing};
use super::watch::{escape, with_query};
pub use instance::{Instance, Looked};
pub use machine::{Action, Input, Machine, Pace, State};
pub use platform::Platform;
pub use why::{Why, why};

/// How long opening and looking may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long is waited for what was written before; the console itself is open meanwhile.
const BACKLOG_PATIENCE: Duration = Duration::from_secs(4);
/// Bytes of what was written before that are read at most.
const BACKLOG_BYTES: usize = 1 << 20;
/// Bytes of a guest in one message at most.
pub const PIECE: usize = 32 << 10;
/// Messages that wait at most; the guest waits with them.
const ROOM: usize = 2;
/// Bytes that were typed and are not sent yet, at most.
pub const TYPED: usize = 64 << 10;
/// Signs of life that may stay away.
const SIGNS: u32 = 2;

/// Which console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleRequest {
    /// Whose machine it is.
    pub platform: Platform,
    /// Whose machine is meant if there is none of that name there.
    pub or: Option<Platform>,
    /// The machine's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Lines of what was written before that are wanted.
    pub backlog: u32,
}

impl ConsoleRequest {
    fn object(&self) -> String {
        self.platform.row().object(&self.namespace, &self.name)
    }

    async fn look(&self, connection: &Connection) -> Looked {
        match connection.get_json::<Value>(&self.object(), "application/json", PATIENCE).await {
            Ok(object) => Looked::Here((self.platform.row().read)(&object)),
            Err(failure) if failure.kind == FailureKind::NotFound => Looked::Gone,
            Err(failure) => Looked::Failed(failure),
        }
    }

    /// Whether there is a machine of this name, though none that runs.
    async fn has_machine(&self, connection: &Connection) -> bool {
        let Some(path) = self.platform.row().machine(&self.namespace, &self.name) else { return false };
        connection.get_json::<Value>(&path, "application/json", PATIENCE).await.is_ok()
    }

    fn line(&self, instance: Option<&Instance>) -> Result<(String, Protocol), Failure> {
        self.platform.row().line(&self.namespace, &self.name, instance.map(|one| one.pod.as_str()))
    }
}

/// What is new of a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleNews {
    /// Where it stands now.
    State(State),
    /// Whose machine it is, if that was not sure. Comes once, before it is open.
    Platform(Platform),
    /// What the guest wrote before, line by line. Comes before anything else that it wrote.
    Backlog(Vec<String>),
    /// While it is open: whether the guest is paused now.
    Paused(bool),
    /// What it writes, at most [`PIECE`] bytes.
    Bytes(Bytes),
}

/// Something for a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleInput {
    /// What was typed.
    Typed(Bytes),
    /// It is to be opened again.
    Again,
}

/// No more is taken before the guest has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What was typed, and its share of [`TYPED`], which is free again when this is dropped.
#[derive(Debug)]
struct Waiting {
    input: ConsoleInput,
    _share: Option<OwnedSemaphorePermit>,
}

/// Where one types for a console.
#[derive(Clone, Debug)]
pub struct Keyboard {
    sender: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
}

/// What was typed, for who sends it.
#[derive(Debug)]
pub struct Hands {
    receiver: mpsc::UnboundedReceiver<Waiting>,
}

/// A keyboard, and what is typed on it.
pub fn keyboard() -> (Keyboard, Hands) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Keyboard { sender, room: Arc::new(Semaphore::new(TYPED)) }, Hands { receiver })
}

impl Keyboard {
    /// Hands something on.
    ///
    /// # Errors
    ///
    /// More than [`TYPED`] bytes would wait; nothing is taken.
    pub fn put(&self, input: ConsoleInput) -> Result<(), Full> {
        let share = match &input {
            ConsoleInput::Typed(bytes) => {
                let bytes = u32::try_from(bytes.len()).map_err(|_| Full)?;
                Some(Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| Full)?)
            }
            ConsoleInput::Again => None,
        };
        // A console that is over reads nothing any more.
        let _ = self.sender.send(Waiting { input, _share: share });
        Ok(())
    }
}

impl Hands {
    async fn next(&mut self) -> Option<Waiting> {
        self.receiver.recv().await
    }

    /// Waits until somebody wants the console opened again. What is typed meanwhile reaches nobody.
    async fn asked(&mut self) -> Option<()> {
        while self.next().await?.input != ConsoleInput::Again {}
        Some(())
    }

    /// Forgets what was typed so far.
    fn forget(&mut self) {
        while self.receiver.try_recv().is_ok() {}
    }
}

/// A console that is kept until this is dropped.
#[derive(Debug)]
pub struct Console {
    task: JoinHandle<()>,
    news: mpsc::Receiver<ConsoleNews>,
}

impl Console {
    /// The next news; none when there will be none any more.
    pub async fn next(&mut self) -> Option<ConsoleNews> {
        self.news.recv().await
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a console. Must be called within a runtime.
pub fn open(connection: Connection, request: ConsoleRequest, hands: Hands, pace: Pace) -> Console {
    let (sink, news) = mpsc::channel(ROOM);
    let driver = Driver {
        connection,
        request,
        pace,
        hands,
        sink,
        machine: Machine::new(pace),
        told: None,
        told_of: None,
    };
    let task = tokio::spawn(async move {
        // Ends only when nobody listens any more.
        driver.run().await;
    });
    Console { task, news }
}

/// A machine in one pod: each has a log of its own.
#[derive(Debug, PartialEq, Eq)]
struct Life {
    uid: String,
    pod: String,
    pods: Vec<String>,
}

impl Life {
    fn of(instance: &Instance) -> Self {
        let Instance { uid, pod, pods, .. } = instance.clone();
        Self { uid, pod, pods }
    }
}

struct Driver {
    connection: Connection,
    request: ConsoleRequest,
    pace: Pace,
    hands: Hands,
    sink: mpsc::Sender<ConsoleNews>,
    machine: Machine,
    told: Option<State>,
    /// Whose earlier words were told.
    told_of: Option<Life>,
}

impl Driver {
    async fn run(mut self) -> Option<()> {
        let mut action = Action::Look;
        let mut line: Option<(Listening, Typing)> = None;
        let mut reopened = false;
        loop {
            self.tell_state().await?;
            let input = match action {
                Action::Look => Input::Looked(self.look().await?),
                Action::Open => match self.open().await? {
                    Ok(open) => {
                        line = Some(open);
                        // What was meant for the guest as it was is not typed into its next life: it may be a password.
                        if std::mem::replace(&mut reopened, true) {
                            self.hands.forget();
                        }
                        Input::Opened
                    }
                    Err(input) => input,
                },
                Action::Carry => match line.take() {
                    Some((listening, typing)) => Input::Ended(self.carry(listening, typing).await?),
                    None => Input::Ended(End::Dropped),
                },
                Action::Wait(pause) => tokio::select! {
                    () = sleep(pause) => Input::Waited,
                    asked = self.hands.asked() => {
                        asked?;
                        Input::Asked
                    }
                },
                Action::Stay => {
                    self.hands.asked().await?;
                    Input::Asked
                }
            };
            action = self.machine.step(input, Instant::now());
        }
    }

    /// Looks at the machine; the first time at whose it is, too.
    async fn look(&mut self) -> Option<Looked> {
        let looked = self.request.look(&self.connection).await;
        let Some(other) = self.request.or else { return Some(looked) };
        let (platform, looked) = match looked {
            Looked::Failed(failure) if failure.is_transient() => return Some(Looked::Failed(failure)),
            Looked::Gone if !self.request.has_machine(&self.connection).await => {
                let there = ConsoleRequest { platform: other, ..self.request.clone() };
                match there.look(&self.connection).await {
                    Looked::Here(instance) => (other, Looked::Here(instance)),
                    _ => (self.request.platform, Looked::Gone),
                }
            }
            looked => (self.request.platform, looked),
        };
        (self.request.platform, self.request.or) = (platform, None);
        self.tell(ConsoleNews::Platform(platform)).await?;
        Some(looked)
    }

    async fn tell(&mut self, news: ConsoleNews) -> Option<()> {
        self.sink.send(news).await.ok()
    }

    async fn tell_state(&mut self) -> Option<()> {
        let state = self.machine.state();
        if self.told.as_ref() != Some(state) {
            let state = state.clone();
            tracing::info!(path = self.request.object(), ?state, "console");
            self.told = Some(state.clone());
            self.tell(ConsoleNews::State(state)).await?;
        }
        Some(())
    }

    /// Opens the stream, and reads beside what was written before.
    async fn open(&mut self) -> Option<Result<(Listening, Typing), Input>> {
        let instance = self.machine.instance().cloned();
        let (path, protocol) = match self.request.line(instance.as_ref()) {
            Ok(line) => line,
            Err(failure) => return Some(Err(Input::Refused(failure))),
        };
        let (opened, backlog) = tokio::join!(
            stream::open(&self.connection, &path, protocol, PATIENCE),
            self.backlog(instance.as_ref())
        );
        match opened {
            Ok(line) => {
                if let (Some(lines), Some(instance)) = (backlog, instance) {
                    self.told_of = Some(Life::of(&instance));
                    self.tell(ConsoleNews::Backlog(lines)).await?;
                }
                Some(Ok(line))
            }
            Err(failure) => Some(Err(Input::Refused(failure))),
        }
    }

    /// What the guest has written before, once for each log of it. After a migration that is the log of the new pod, which begins
    /// where the guest went on: so it has what was written before the console was there, and nothing that was told already. That
    /// nobody keeps it is usual, and who may not read it is not told so: the console itself works.
    async fn backlog(&self, instance: Option<&Instance>) -> Option<Vec<String>> {
        let instance = instance
            .filter(|one| self.request.backlog > 0 && self.told_of.as_ref() != Some(&Life::of(one)))?;
        let pods = format!("/api/v1/namespaces/{}/pods", escape(&self.request.namespace));
        let read = async {
            let pod = match instance.pod.as_str() {
                "" => self.pod(&pods, instance).await?,
                pod => pod.to_owned(),
            };
            let path = format!("{pods}/{}/log", escape(&pod));
            let (lines, bytes) = (self.request.backlog.to_string(), BACKLOG_BYTES.to_string());
            let query = [
                ("container", self.request.platform.row().backlog),
                ("tailLines", &*lines),
                ("limitBytes", &*bytes),
            ];
            self.connection.get_text(&with_query(&path, query), "*/*", PATIENCE).await.ok()
        };
        let text = timeout(BACKLOG_PATIENCE, read).await.ok()??;
        Some(text.split('\n').filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// The name of an instance's pod on its node.
    async fn pod(&self, pods: &str, instance: &Instance) -> Option<String> {
        let selector = format!("kubevirt.io/created-by={}", instance.uid);
        let path = with_query(pods, [("labelSelector", selector.as_str())]);
        let list: Value = self.connection.get_json(&path, "application/json", PATIENCE).await.ok()?;
        let pod = list["items"].as_array()?.iter().find(|pod| {
            let uid = pod["metadata"]["uid"].as_str();
            uid.is_some_and(|uid| instance.pods.iter().any(|known| known == uid))
        })?;
        pod["metadata"]["name"].as_str().map(str::to_owned)
    }

    /// Carries bytes both ways until the stream ends.
    async fn carry(&mut self, mut listening: Listening, mut typing: Typing) -> Option<End> {
        let (hands, sink, pace) = (&mut self.hands, &self.sink, self.pace);
        let (connection, request) = (&self.connection, &self.request);
        let mut paused = self.machine.instance().is_some_and(|one| one.paused);
        let mut heard_any = false;
        let machine = &mut self.machine;
        let listen = async {
            loop {
                match timeout(pace.ping * (SIGNS + 1), listening.next()).await {
                    Ok(Heard::Bytes(mut bytes)) => {
                        if !std::mem::replace(&mut heard_any, true) {
                            machine.step(Input::Heard, Instant::now());
                        }
                        while !bytes.is_empty() {
                            let piece = bytes.split_to(bytes.len().min(PIECE));
                            if sink.send(ConsoleNews::Bytes(piece)).await.is_err() {
                                return None;
                            }
                        }
                    }
                    Ok(Heard::Alive) => {}
                    Ok(Heard::End(end)) => return Some(end),
                    Err(_) => return Some(End::Silent),
                }
            }
        };
        let speak = async {
            let mut ping = interval_at((Instant::now() + pace.ping).into(), pace.ping);
            loop {
                let ended = tokio::select! {
                    input = hands.next() => {
                        let Some(waiting) = input else { break };
                        let sent = match &waiting.input {
                            ConsoleInput::Typed(bytes) => typing.send(bytes.clone()).await,
                            ConsoleInput::Again => Ok(()),
                        };
                        sent == Err(stream::Untyped::Ended)
                    }
                    _ = ping.tick() => typing.ping().await.is_err(),
                };
                if ended {
                    // Who listens learns why.
                    std::future::pending::<()>().await;
                }
            }
        };
        // The stream itself does not tell: a paused guest is one that says nothing.
        let watch = async {
            loop {
                sleep(pace.glance).await;
                if let Looked::Here(now) = request.look(connection).await
                    && now.paused != paused
                {
                    paused = now.paused;
                    // Who listens no more is noticed beside.
                    let _ = sink.send(ConsoleNews::Paused(paused)).await;
                }
            }
        };
        tokio::select! {
            end = listen => end,
            () = watch => None,
            () = speak => {
                typing.close().await;
                None
            }
            () = sink.closed() => None,
        }
    }
}

#[cfg(test)]
mod tests;
