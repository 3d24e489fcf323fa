//! The log of one container, followed: what it has said and what it says from now on.
//!
//! `lines` cuts bytes into lines, `progress` remembers what was read, so that after a lost link nothing is missing and
//! nothing is there twice. The task here asks again for as long as somebody wants to know: a container that has not
//! started will start, one that has ended may be started again.

mod lines;
mod progress;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::client::Body;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use self::lines::Cutter;
pub use self::progress::{LogRequest, LogSource, Since};
use self::progress::{Next, Progress, Read};
use super::connect::Connection;
use super::feed::Timing;
use super::watch;

/// The most lines in one message.
pub const BATCH: usize = 200;
/// How many lines wait for the screen at most; beyond that the oldest are dropped, and counted.
const WAITING: usize = 5000;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When the container wrote it, by the clock of its node; none where the runtime did not say.
    pub at: Option<Timestamp>,
    /// What it wrote, as hostile as any text: escape sequences are in it. What is not UTF-8 is replaced, what is too long
    /// is cut.
    pub text: Box<str>,
}

/// Where the reading of a log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Lines come as they are written.
    Following,
    /// Nothing is written yet; asked again.
    Waiting(String),
    /// The container has ended, as far as can be told; asked again, for it may be started again.
    Ended,
    /// The link was lost, for this reason; asked again.
    Lost(String),
    /// The user may not read it, for this reason; asked again now and then.
    Refused(String),
    /// There will be nothing more: all was read, the pod is gone, or there is no such log. A reason, unless all was read.
    Over(Option<String>),
}

/// What is new of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogNews {
    /// Lines, at most [`BATCH`].
    pub lines: Vec<LogLine>,
    /// How many lines before these were dropped, because they came faster than they were taken.
    pub dropped: u64,
    /// Where the reading stands, if that has changed.
    pub state: Option<LogState>,
}

/// What does not end within this time goes on.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How many messages wait at most. Beyond that the lines themselves wait, see [`WAITING`].
const ROOM: usize = 2;

/// A log that is read until this is dropped.
#[derive(Debug)]
pub struct Reading {
    task: JoinHandle<()>,
    news: mpsc::Receiver<LogNews>,
}

impl Reading {
    /// The next news; none when there will be none any more.
    pub async fn next(&mut self) -> Option<LogNews> {
        self.news.recv().await
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a log. Must be called within a runtime.
pub fn read(connection: Connection, request: LogRequest, timing: Timing) -> Reading {
    let (sink, news) = mpsc::channel(ROOM);
    let outbox = Outbox { sink, lines: VecDeque::new(), dropped: 0, state: None };
    let reader = Reader { connection, progress: Progress::new(request), timing, outbox, ended: false };
    let task = tokio::spawn(async move {
        // Ends early only when nobody listens any more.
        let _ = reader.run().await;
    });
    Reading { task, news }
}

/// The screen is gone.
struct Closed;

struct Reader {
    connection: Connection,
    progress: Progress,
    timing: Timing,
    outbox: Outbox,
    /// Whether it was said last that the container has ended.
    ended: bool,
}

impl Reader {
    async fn run(mut self) -> Result<(), Closed> {
        loop {
            let read = self.read().await?;
            if let Read::Failed(failure) = &read {
                tracing::info!(path = self.progress.request().source.path(), %failure, "log");
            }
            match self.progress.after(read) {
                Next::Again(state, pause) => {
                    self.ended = state == Some(LogState::Ended);
                    if let Some(state) = state {
                        self.outbox.state = Some(state);
                    }
                    self.outbox.until(sleep(pause)).await?;
                }
                Next::Over(state) => {
                    self.outbox.state = Some(state);
                    return self.outbox.empty().await;
                }
            }
        }
    }

    /// Reads as long as it goes well.
    async fn read(&mut self) -> Result<Read, Closed> {
        let (path, since) = (self.progress.request().source.path(), self.progress.since());
        let since = since.as_ref().map(|(name, value)| (*name, value.as_str()));
        let query = self.progress.query().into_iter().chain(since);
        let request = match watch::get(&path, "*/*", query) {
            Ok(request) => request,
            Err(failure) => return Ok(Read::Failed(failure)),
        };
        let answer = self.connection.send(request, self.timing.answer);
        match self.outbox.until(answer).await? {
            Ok(response) if response.status() == StatusCode::NO_CONTENT => Ok(Read::NoNode),
            Ok(response) => self.lines(response).await,
            Err(failure) => Ok(Read::Failed(failure)),
        }
    }

    async fn lines(&mut self, response: Response<Body>) -> Result<Read, Closed> {
        // The log of a container that has ended is given once more, and ends at once.
        let mut told = !self.ended;
        if told {
            self.outbox.state = Some(LogState::Following);
        }
        let mut body = response.into_body().into_data_stream();
        let mut cutter = Cutter::default();
        loop {
            // A log has no bookmarks: a dead link looks like a quiet container. So it is asked for anew now and then.
            let limit = if told { self.timing.watch + Duration::from_secs(5) } else { AT_ONCE };
            match self.outbox.until(timeout(limit, body.next())).await? {
                Ok(Some(Ok(chunk))) if !self.take(&chunk, &mut cutter) => continue,
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Ok(Read::Failed(self.connection.explain(&error))),
                Ok(None) => {
                    cutter.end(|text| self.outbox.push(self.progress.line(text)));
                    return Ok(Read::Ended);
                }
                Err(_) if told => return Ok(Read::Silent),
                Err(_) => {}
            }
            if !std::mem::replace(&mut told, true) {
                self.outbox.state = Some(LogState::Following);
            }
        }
    }

    /// Takes a piece of the log; says whether there were new lines in it.
    fn take(&mut self, chunk: &Bytes, cutter: &mut Cutter) -> bool {
        let mut new = false;
        cutter.push(chunk, |text| {
            let line = self.progress.line(text);
            new |= line.is_some();
            self.outbox.push(line);
        });
        new
    }
}

/// What waits for the screen.
struct Outbox {
    sink: mpsc::Sender<LogNews>,
    lines: VecDeque<LogLine>,
    dropped: u64,
    state: Option<LogState>,
}

impl Outbox {
    /// Adds a line, if it is a new one.
    fn push(&mut self, line: Option<LogLine>) {
        let Some(line) = line else { return };
        if self.lines.len() >= WAITING {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.state.is_none()
    }

    fn next(&mut self) -> LogNews {
        let count = self.lines.len().min(BATCH);
        let lines: Vec<LogLine> = self.lines.drain(..count).collect();
        // What is said of the log comes with the last lines before it.
        let state = if self.lines.is_empty() { self.state.take() } else { None };
        LogNews { lines, dropped: std::mem::take(&mut self.dropped), state }
    }

    /// Waits for something, and hands out meanwhile what there is.
    async fn until<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Closed> {
        let mut work = std::pin::pin!(work);
        let sink = self.sink.clone();
        loop {
            tokio::select! {
                biased;
                room = sink.reserve(), if !self.is_empty() => {
                    let message = self.next();
                    room.map_err(|_| Closed)?.send(message);
                }
                done = &mut work => return Ok(done),
            }
        }
    }

    async fn empty(&mut self) -> Result<(), Closed> {
        while !self.is_empty() {
            let message = self.next();
            self.sink.send(message).await.map_err(|_| Closed)?;
        }
        Ok(())
    }
}
