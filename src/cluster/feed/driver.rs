//! Does what the machine of a feed says: the only part of a feed that touches the network.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use http::{Request, header};
use http_body_util::{BodyDataStream, BodyExt as _};
use kube::client::Body;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::machine::{Action, Input, Machine};
use super::{PageEnd, PageReader, WatchEvent, read_event};
use crate::cluster::connect::Connection;
use crate::cluster::error::{Failure, FailureKind, LOOK_AT_NETWORK};
use crate::model::{Name, Uid};
use crate::records::{BadObject, Kind, Records};
use crate::store::{Batch, FeedId, FeedPlan, Freshness, Scope, Stored};
use crate::{dispatch, dispatch_arms};

/// Where a feed asks: a resource of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// API group; empty for the core group.
    pub group: String,
    /// The served version to use.
    pub version: String,
    /// The name in paths.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

impl Target {
    /// The path of the list of these objects, in one namespace or in all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{}/{}", escape(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until the head of an answer, and between two parts of a list.
    pub answer: Duration,
    /// How long the server is asked to keep a watch open.
    pub watch: Duration,
    /// How long a watch may say nothing at all, when the server has been seen to send bookmarks (it does so each minute):
    /// beyond that the link is taken for dead.
    pub silence: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            watch: Duration::from_secs(290),
            silence: Duration::from_secs(90),
        }
    }
}

/// Where batches go. Waiting for room is what slows a feed down to the speed of the screen.
pub type Sink = mpsc::Sender<Batch>;

/// A running feed; it ends when this is dropped.
#[derive(Debug)]
pub struct Feed {
    /// Its number.
    pub id: FeedId,
    task: JoinHandle<()>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Feed {
    /// Whether it has nothing more to say.
    pub fn is_over(&self) -> bool {
        self.task.is_finished()
    }
}

/// Starts the feed of `plan`. Must be called within a runtime.
#[expect(clippy::needless_pass_by_value, reason = "what asks is given away")]
pub fn start(connection: Connection, target: Target, plan: FeedPlan, timing: Timing, sink: Sink) -> Feed {
    let id = plan.id;
    let task = dispatch!(plan.kind, R => tokio::spawn(Driver::<R>::new(connection, &target, plan, timing, sink).run()));
    Feed { id, task }
}

/// The most records in one batch.
const BATCH: usize = 500;
/// The longest line of a watch: objects in etcd have at most 1.5 MB, some servers allow more.
const LONGEST_LINE: usize = 32 << 20;

/// A watch whose version is lost says so at once; one that says nothing for this long has nothing to tell.
const FIRST_WORD: Duration = Duration::from_millis(250);

struct Driver<R> {
    connection: Connection,
    path: String,
    scope: Scope,
    table: bool,
    feed: FeedId,
    timing: Timing,
    sink: Sink,
    machine: Machine,
    buffer: Vec<u8>,
    records: Vec<R>,
}

/// The screen is gone: nobody wants to hear any more.
struct Closed;

enum Stop {
    Closed,
    Failed(Failure),
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<R: Stored> Driver<R>
where
    Records: From<Vec<R>>,
{
    fn new(connection: Connection, target: &Target, plan: FeedPlan, timing: Timing, sink: Sink) -> Self {
        let machine = Machine::new(&connection.info().server);
        Self {
            connection,
            path: target.path(plan.scope.namespace.as_deref()),
            scope: plan.scope,
            table: plan.kind == Kind::Other,
            feed: plan.id,
            timing,
            sink,
            machine,
            buffer: Vec::new(),
            records: Vec::new(),
        }
    }

    async fn run(mut self) {
        let mut actions = self.machine.start();
        loop {
            let mut next = None;
            for action in actions {
                match action {
                    Action::Tell(freshness) => {
                        if self.tell(freshness).await.is_err() {
                            return;
                        }
                    }
                    Action::End => return,
                    request => next = Some(request),
                }
            }
            let done = match next {
                Some(Action::List { limit, token }) => {
                    self.list(limit, token.as_deref()).await.map(Input::Page)
                }
                Some(Action::Watch { version }) => self.watch(&version).await.map(|()| Input::Ended),
                Some(Action::Pause(pause)) => {
                    tokio::time::sleep(pause.mul_f64(1.0 + fastrand::f64() / 2.0)).await;
                    Ok(Input::Timer)
                }
                _ => return,
            };
            let input = match done {
                Ok(input) => input,
                Err(Stop::Closed) => return,
                Err(Stop::Failed(failure)) => {
                    tracing::info!(path = self.path, %failure, "feed");
                    Input::Failed(failure)
                }
            };
            actions = self.machine.step(input, Instant::now());
        }
    }

    async fn send(&self, batch: Batch) -> Result<(), Closed> {
        self.sink.send(batch).await.map_err(|_| Closed)
    }

    async fn tell(&mut self, freshness: Freshness) -> Result<(), Closed> {
        let batch = Batch::of(self.feed, self.machine.round(), std::mem::take(&mut self.records));
        self.send(batch.and(freshness)).await
    }

    fn request(&self, query: &[(&str, &str)]) -> Result<Request<Vec<u8>>, Failure> {
        let mut uri = self.path.clone();
        let selector = self.scope.selector.as_deref().map(|selector| ("labelSelector", selector));
        for (n, (name, value)) in query.iter().copied().chain(selector).enumerate() {
            uri.push(if n == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.push_str(&escape(value));
        }
        let accept = if self.table {
            "application/json;as=Table;v=v1;g=meta.k8s.io, application/json"
        } else {
            "application/json"
        };
        Request::get(uri)
            .header(header::ACCEPT, accept)
            .body(Vec::new())
            .map_err(|error| Failure::new(FailureKind::Config, error.to_string()))
    }

    async fn list(&mut self, limit: u32, token: Option<&str>) -> Result<PageEnd, Stop> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(token.map(|token| ("continue", token)));
        let response = self.connection.send(self.request(&query)?, self.timing.answer).await?;
        let mut body = response.into_body().into_data_stream();
        let mut reader = PageReader::<R>::new(std::mem::take(&mut self.buffer));
        let garbage =
            |connection: &Connection, why: &BadObject| Failure::garbage(&connection.info().server, &why.0);
        loop {
            match timeout(self.timing.answer, body.next()).await {
                Ok(Some(Ok(chunk))) => {
                    for part in chunk.chunks(256 << 10) {
                        reader
                            .push(part, &mut self.records)
                            .map_err(|why| garbage(&self.connection, &why))?;
                        while self.records.len() >= BATCH {
                            let rest = self.records.split_off(BATCH);
                            let full = std::mem::replace(&mut self.records, rest);
                            self.send(Batch::of(self.feed, self.machine.round(), full)).await?;
                        }
                    }
                }
                Ok(Some(Err(error))) => return Err(self.connection.explain(&error).into()),
                Ok(None) => break,
                Err(_) => {
                    return Err(Failure::timeout(&self.connection.info().server, self.timing.answer).into());
                }
            }
        }
        let (end, buffer) =
            reader.finish(&mut self.records).map_err(|why| garbage(&self.connection, &why))?;
        self.buffer = buffer;
        self.buffer.shrink_to(1 << 20);
        if end.lost > 0 {
            tracing::warn!(path = self.path, lost = end.lost, "objects without a name in a list");
        }
        let mut batch = Batch::of(self.feed, self.machine.round(), std::mem::take(&mut self.records));
        batch.remaining = end.remaining.filter(|_| token.is_none());
        batch.columns = end.columns.clone().map(Into::into);
        self.send(batch).await?;
        Ok(end)
    }

    async fn watch(&mut self, version: &str) -> Result<(), Stop> {
        let seconds = self.timing.watch.as_secs().to_string();
        let query = [
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", seconds.as_str()),
        ];
        let response = self.connection.send(self.request(&query)?, self.timing.answer).await?;
        // Whether the version is still known is said by the first line, not by the head of the answer.
        let mut opened = false;
        let mut lines = Lines::new(response.into_body(), std::mem::take(&mut self.buffer));
        let mut bookmarks = false;
        let mut said = Said::default();
        loop {
            let silence = match bookmarks {
                _ if !opened => FIRST_WORD,
                true => self.timing.silence,
                false => self.timing.watch + Duration::from_secs(5),
            };
            let more = timeout(silence, lines.fill()).await;
            let open = match more {
                Ok(Ok(open)) => open,
                Ok(Err(LineError::Broken(error))) => return Err(self.connection.explain(&error).into()),
                Ok(Err(LineError::TooLong)) => {
                    let why = format!("a watch sent a line of more than {} MiB", LONGEST_LINE >> 20);
                    return Err(Failure::garbage(&self.connection.info().server, &why).into());
                }
                Err(_) if !opened => {
                    opened = true;
                    self.opened().await?;
                    continue;
                }
                Err(_) => {
                    let server = &self.connection.info().server;
                    let what =
                        format!("The connection to {server} has been silent for {} s.", silence.as_secs());
                    let failure = Failure::new(FailureKind::Disconnected, what);
                    return Err(failure.remedy(LOOK_AT_NETWORK).into());
                }
            };
            // What has arrived together goes to the store together.
            while let Some(line) = lines.next() {
                match read_event::<R>(line) {
                    Ok(event) => bookmarks |= self.take(event, &mut said)?,
                    Err(why) => {
                        self.flush(&mut said).await?;
                        return Err(Failure::garbage(&self.connection.info().server, &why.0).into());
                    }
                }
                if self.records.len() >= BATCH || said.gone.len() >= BATCH {
                    self.flush(&mut said).await?;
                }
            }
            self.flush(&mut said).await?;
            if let Some(failure) = said.failure.take() {
                return Err(failure.into());
            }
            if !opened && lines.at > 0 {
                opened = true;
                self.opened().await?;
            }
            if !open {
                self.buffer = lines.buffer;
                return Ok(());
            }
        }
    }

    async fn opened(&mut self) -> Result<(), Closed> {
        for action in self.machine.step(Input::Open, Instant::now()) {
            if let Action::Tell(freshness) = action {
                self.tell(freshness).await?;
            }
        }
        Ok(())
    }

    /// Notes an event; says whether it was a bookmark.
    fn take(&mut self, event: WatchEvent<R>, said: &mut Said) -> Result<bool, Stop> {
        let bookmark = matches!(event, WatchEvent::Bookmark { .. });
        match event {
            WatchEvent::Here(decoded) => {
                said.version = decoded.version;
                let uid = decoded.record.meta().uid;
                said.gone.retain(|gone| *gone != uid);
                self.records.push(decoded.record);
            }
            WatchEvent::Gone { uid, version } => {
                said.version = version;
                self.records.retain(|record| record.meta().uid != uid);
                said.gone.push(uid);
            }
            WatchEvent::Bookmark { version } => said.version = version,
            WatchEvent::Failed { code, status } => {
                said.failure =
                    Some(Failure::from_status(code, &status, None, &self.connection.info().server));
            }
        }
        Ok(bookmark)
    }

    async fn flush(&mut self, said: &mut Said) -> Result<(), Closed> {
        if !said.version.is_empty() {
            let version = std::mem::take(&mut said.version);
            self.machine.step(Input::Version(version.into()), Instant::now());
        }
        if self.records.is_empty() && said.gone.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::of(self.feed, self.machine.round(), std::mem::take(&mut self.records));
        batch.gone = std::mem::take(&mut said.gone);
        self.send(batch).await
    }
}

/// What lines of a watch said that is not yet on its way.
#[derive(Default)]
struct Said {
    gone: Vec<Uid>,
    version: Name,
    failure: Option<Failure>,
}

enum LineError {
    Broken(kube::Error),
    TooLong,
}

/// The lines of a body.
struct Lines {
    body: BodyDataStream<Body>,
    buffer: Vec<u8>,
    at: usize,
    /// Up to here there is no end of line.
    scanned: usize,
}

impl Lines {
    fn new(body: Body, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { body: body.into_data_stream(), buffer, at: 0, scanned: 0 }
    }

    /// Waits for more; `false` at the end of the body.
    async fn fill(&mut self) -> Result<bool, LineError> {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.scanned -= self.at;
            self.at = 0;
        }
        match self.body.next().await {
            Some(Ok(chunk)) => {
                self.buffer.extend_from_slice(&chunk);
                if self.buffer.len() > LONGEST_LINE { Err(LineError::TooLong) } else { Ok(true) }
            }
            Some(Err(error)) => Err(LineError::Broken(error)),
            None => Ok(false),
        }
    }

    fn next(&mut self) -> Option<&[u8]> {
        loop {
            let end = memchr::memchr(b'\n', &self.buffer[self.scanned..]).map(|end| self.scanned + end);
            let Some(end) = end else {
                self.scanned = self.buffer.len();
                return None;
            };
            let start = std::mem::replace(&mut self.at, end + 1);
            self.scanned = end + 1;
            if !self.buffer[start..end].trim_ascii().is_empty() {
                return Some(&self.buffer[start..end]);
            }
        }
    }
}

/// Escapes a value for a query or a path.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
