//! A watch while it comes in: its request, its lines, and how long it may be silent.

use std::time::Duration;

use futures::StreamExt as _;
use http::{Request, header};
use http_body_util::{BodyDataStream, BodyExt as _};
use kube::client::Body;
use tokio::time::timeout;

use super::connect::Connection;
use super::error::{Failure, FailureKind, LOOK_AT_NETWORK};
use super::feed::Timing;

/// The longest line of a watch: objects in etcd have at most 1.5 MB, some servers allow more.
pub(super) const LONGEST_LINE: usize = 32 << 20;

/// A watch whose version is lost says so at once; one that says nothing for this long has nothing to tell.
const FIRST_WORD: Duration = Duration::from_millis(250);

/// A request that reads a path.
pub(super) fn get<'a>(
    path: &str,
    accept: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Request<Vec<u8>>, Failure> {
    Request::get(with_query(path, query))
        .header(header::ACCEPT, accept)
        .body(Vec::new())
        .map_err(|error| Failure::new(FailureKind::Config, error.to_string()))
}

/// A path with what is asked for behind it.
pub(super) fn with_query<'a>(path: &str, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut uri = path.to_owned();
    for (n, (name, value)) in query.into_iter().enumerate() {
        uri.push(if n == 0 { '?' } else { '&' });
        uri.push_str(name);
        uri.push('=');
        uri.push_str(&escape(value));
    }
    uri
}

/// Escapes a value for a query or a path.
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What came of waiting for a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The server keeps the watch open: what it was asked to go on from is still known.
    Open,
    /// There may be new lines.
    Lines,
    /// The server ended it in order.
    End,
}

/// An open watch.
pub(super) struct Watch {
    connection: Connection,
    timing: Timing,
    lines: Lines,
    opened: bool,
    /// Whether the server was seen to send bookmarks, so that silence means something.
    pub(super) bookmarks: bool,
}

impl Watch {
    /// Asks for what has changed since `version`. `buffer` is memory to use again.
    pub(super) async fn open(
        connection: &Connection,
        (path, accept, selector): (&str, &str, Option<(&str, &str)>),
        version: &str,
        timing: Timing,
        buffer: Vec<u8>,
    ) -> Result<Self, Failure> {
        let seconds = timing.watch.as_secs().to_string();
        let query = [
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", seconds.as_str()),
        ];
        let request = get(path, accept, query.into_iter().chain(selector))?;
        let response = connection.send(request, timing.answer).await?;
        let lines = Lines::new(response.into_body(), buffer);
        Ok(Self { connection: connection.clone(), timing, lines, opened: false, bookmarks: false })
    }

    /// Waits until something can be said of it.
    pub(super) async fn more(&mut self) -> Result<Heard, Failure> {
        // Whether the version is still known is said by the first line, not by the head of the answer.
        if !self.opened && self.lines.at > 0 {
            self.opened = true;
            return Ok(Heard::Open);
        }
        let silence = match self.bookmarks {
            _ if !self.opened => FIRST_WORD,
            true => self.timing.silence,
            false => self.timing.watch + Duration::from_secs(5),
        };
        let server = &self.connection.info().server;
        match timeout(silence, self.lines.fill()).await {
            Ok(Ok(true)) => Ok(Heard::Lines),
            Ok(Ok(false)) => Ok(Heard::End),
            Ok(Err(LineError::Broken(error))) => Err(self.connection.explain(&error)),
            Ok(Err(LineError::TooLong)) => {
                let why = format!("a watch sent a line of more than {} MiB", LONGEST_LINE >> 20);
                Err(Failure::garbage(server, &why))
            }
            Err(_) if !self.opened => {
                self.opened = true;
                Ok(Heard::Open)
            }
            Err(_) => {
                let what = format!("The connection to {server} has been silent for {} s.", silence.as_secs());
                Err(Failure::new(FailureKind::Disconnected, what).remedy(LOOK_AT_NETWORK))
            }
        }
    }

    /// The next line of what has come.
    pub(super) fn line(&mut self) -> Option<&[u8]> {
        self.lines.next()
    }

    /// Gives its memory back.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.lines.buffer
    }
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
