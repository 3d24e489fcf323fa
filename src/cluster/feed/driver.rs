//! Does what the machine of a feed says: the only part of a feed that touches the network.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::follow::{Closed, Follow, Stop, run};
use super::machine::{Input, Machine};
use super::{PageEnd, PageReader, WatchEvent, read_event};
use crate::cluster::connect::Connection;
use crate::cluster::error::Failure;
use crate::cluster::watch::{self, Heard, Watch, escape};
use crate::model::{Name, Uid};
use crate::records::{BadObject, Origin, Records};
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
    let task = dispatch!(plan.kind, R => tokio::spawn(run(Driver::<R>::new(connection, &target, plan, timing, sink))));
    Feed { id, task }
}

/// The most records in one batch.
const BATCH: usize = 500;

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
            table: plan.kind.origin() == Origin::Table,
            feed: plan.id,
            timing,
            sink,
            machine,
            buffer: Vec::new(),
            records: Vec::new(),
        }
    }

    async fn send(&self, batch: Batch) -> Result<(), Closed> {
        self.sink.send(batch).await.map_err(|_| Closed)
    }

    fn accept(&self) -> &'static str {
        if self.table {
            "application/json;as=Table;v=v1;g=meta.k8s.io, application/json"
        } else {
            "application/json"
        }
    }

    fn selector(&self) -> Option<(&str, &str)> {
        let labels = self.scope.selector.as_deref().map(|selector| ("labelSelector", selector));
        labels.or_else(|| self.scope.fields.map(|fields| ("fieldSelector", fields)))
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

impl<R: Stored> Follow for Driver<R>
where
    Records: From<Vec<R>>,
{
    fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    fn path(&self) -> &str {
        &self.path
    }

    async fn tell(&mut self, freshness: Freshness) -> Result<(), Closed> {
        let batch = Batch::of(self.feed, self.machine.round(), std::mem::take(&mut self.records));
        self.send(batch.and(freshness)).await
    }

    async fn list(&mut self, limit: u32, token: Option<&str>) -> Result<PageEnd, Stop> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(token.map(|token| ("continue", token)));
        let request = watch::get(&self.path, self.accept(), query.into_iter().chain(self.selector()))?;
        let response = self.connection.send(request, self.timing.answer).await?;
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
        let buffer = std::mem::take(&mut self.buffer);
        let what = (self.path.as_str(), self.accept(), self.selector());
        let mut watch = Watch::open(&self.connection, what, version, self.timing, buffer).await?;
        let mut said = Said::default();
        loop {
            match watch.more().await? {
                Heard::Open => {
                    self.opened().await?;
                    continue;
                }
                Heard::End => {
                    self.buffer = watch.into_buffer();
                    return Ok(());
                }
                Heard::Lines => {}
            }
            // What has arrived together goes to the store together.
            while let Some(line) = watch.line() {
                match read_event::<R>(line) {
                    Ok(event) => watch.bookmarks |= self.take(event, &mut said)?,
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
        }
    }
}

/// What lines of a watch said that is not yet on its way.
#[derive(Default)]
struct Said {
    gone: Vec<Uid>,
    version: Name,
    failure: Option<Failure>,
}
