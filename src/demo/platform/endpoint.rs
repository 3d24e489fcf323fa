//! Where an API server finds the logs of containers: the port that all played nodes share.
//!
//! A kubelet answers `GET /containerLogs/NAMESPACE/POD/CONTAINER` over HTTPS, with a certificate that API servers do not
//! check; whatever the query of a log request says is handed on to it.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::Logs;
use crate::demo::server::Identity;

/// How many lines of a container are kept.
const LINES: usize = 2_000;

/// How many containers are remembered; those that were silent for longest are forgotten.
const CONTAINERS: usize = 2_000;

/// How many connections there may be.
const CONNECTIONS: usize = 256;

/// How long the head of a request may take.
const HEADER: Duration = Duration::from_secs(10);

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A container: namespace, pod, name.
type Container = (String, String, String);

/// The logs of all played nodes, at a port of the loopback interface. Dropping it closes the port.
#[derive(Debug)]
pub struct Kubelets {
    port: u16,
    store: Arc<Store>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Store {
    logs: Mutex<HashMap<Container, Log>>,
    /// How many lines there were ever.
    newest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Log {
    /// With the number of each.
    lines: VecDeque<(u64, Timestamp, String)>,
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Logs for Kubelets {
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, at: Timestamp) {
        self.store.append((namespace.to_owned(), pod.to_owned(), container.to_owned()), line, at);
    }
}

impl Kubelets {
    /// Listens on a free port.
    ///
    /// # Errors
    ///
    /// There is none, or no certificate for it.
    pub async fn listen() -> io::Result<Self> {
        let identity =
            Identity::new(Ipv4Addr::LOCALHOST.into(), Timestamp::now()).map_err(io::Error::other)?;
        let tls = identity.open();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let store = Arc::new(Store { logs: Mutex::default(), newest: watch::Sender::new(0) });
        let shared = Arc::clone(&store);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                while connections.try_join_next().is_some() {}
                let Ok((stream, _)) = listener.accept().await else { continue };
                if connections.len() >= CONNECTIONS {
                    continue;
                }
                let (tls, store) = (tls.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        let answer = answer(&store, &request);
                        async move { Ok::<_, Infallible>(answer) }
                    });
                    let served = http1::Builder::new()
                        .timer(TokioTimer::new())
                        .header_read_timeout(HEADER)
                        .serve_connection(TokioIo::new(stream), service);
                    // Whoever goes away early has no use for an answer.
                    let _ = served.await;
                });
            }
        });
        Ok(Self { port, store, task })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, HashMap<Container, Log>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, container: Container, line: &str, at: Timestamp) {
        let mut logs = self.lock();
        let number = *self.newest.borrow() + 1;
        if !logs.contains_key(&container) && logs.len() >= CONTAINERS {
            let silent =
                logs.iter().min_by_key(|(_, log)| log.lines.back().map_or(0, |(number, ..)| *number));
            if let Some(silent) = silent.map(|(container, _)| container.clone()) {
                logs.remove(&silent);
            }
        }
        let lines = &mut logs.entry(container).or_default().lines;
        lines.push_back((number, at, line.to_owned()));
        if lines.len() > LINES {
            lines.pop_front();
        }
        self.newest.send_replace(number);
    }

    /// The lines of a container after a number, as asked for.
    fn read(&self, container: &Container, after: u64, query: &Query) -> (u64, Vec<u8>) {
        let logs = self.lock();
        let lines: Vec<_> = logs
            .get(container)
            .map(|log| {
                log.lines.iter().filter(|(number, at, _)| *number > after && query.wants(*at)).collect()
            })
            .unwrap_or_default();
        let skipped = match query.tail {
            Some(tail) if after == 0 => lines.len().saturating_sub(tail),
            _ => 0,
        };
        let mut text = Vec::new();
        for (_, at, line) in &lines[skipped..] {
            if query.timestamps {
                text.extend_from_slice(format!("{at:.9} ").as_bytes());
            }
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
        }
        (*self.newest.borrow(), text)
    }
}

/// What a request for a log asks for.
#[derive(Clone, Debug, Default)]
struct Query {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail: Option<usize>,
    /// In bytes.
    limit: Option<usize>,
    since: Option<Timestamp>,
}

impl Query {
    fn of(text: &str, now: Timestamp) -> Self {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            match key.as_ref() {
                "follow" => query.follow = value == "true",
                "previous" => query.previous = value == "true",
                "timestamps" => query.timestamps = value == "true",
                "tailLines" => query.tail = value.parse().ok(),
                "limitBytes" => query.limit = value.parse().ok(),
                "sinceTime" => query.since = value.parse().ok(),
                "sinceSeconds" => {
                    let seconds = value.parse().map(SignedDuration::from_secs);
                    query.since = seconds.ok().and_then(|seconds| now.checked_sub(seconds).ok());
                }
                _ => {}
            }
        }
        query
    }

    fn wants(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since)
    }
}

fn answer(store: &Arc<Store>, request: &Request<Incoming>) -> Response<Body> {
    let whole = |code, text: Vec<u8>| {
        let mut response =
            Response::new(Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = code;
        response
    };
    let parts: Vec<&str> = request.uri().path().split('/').collect();
    let ["", "containerLogs", namespace, pod, container] = parts[..] else {
        return whole(StatusCode::NOT_FOUND, b"404 page not found\n".to_vec());
    };
    if request.method() != Method::GET {
        return whole(StatusCode::METHOD_NOT_ALLOWED, Vec::new());
    }
    let query = Query::of(request.uri().query().unwrap_or_default(), Timestamp::now());
    let container = (namespace.to_owned(), pod.to_owned(), container.to_owned());
    if query.previous {
        let text =
            format!("previous terminated container {:?} in pod {:?} not found\n", container.2, container.1);
        return whole(StatusCode::BAD_REQUEST, text.into_bytes());
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    if !query.follow {
        let (_, mut text) = store.read(&container, 0, &query);
        text.truncate(limit);
        return whole(StatusCode::OK, text);
    }
    let news = store.newest.subscribe();
    let begin = (Arc::clone(store), news, container, query, 0_u64, limit);
    let pieces = stream::unfold(begin, |(store, mut news, container, query, mut after, left)| async move {
        loop {
            news.mark_unchanged();
            let (seen, mut text) = store.read(&container, after, &query);
            after = seen.max(1);
            text.truncate(left);
            if !text.is_empty() {
                let left = left - text.len();
                let piece = Ok(Frame::data(Bytes::from(text)));
                return Some((piece, (store, news, container, query, after, left)));
            }
            if left == 0 || news.changed().await.is_err() {
                return None;
            }
        }
    });
    Response::new(StreamBody::new(pieces.boxed()).boxed_unsync())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let store = Store { logs: Mutex::default(), newest: watch::Sender::new(0) };
        for (second, line) in ["one", "two", "three"].iter().enumerate() {
            let at = Timestamp::from_second(1_800_000_000 + second as i64).unwrap();
            store.append(container("web"), line, at);
        }
        store
    }

    fn container(pod: &str) -> Container {
        ("shop".into(), pod.into(), "compute".into())
    }

    #[test]
    fn lines_come_as_they_are_asked_for() {
        let store = store();
        let now = Timestamp::from_second(1_800_000_002).unwrap();
        for (query, text) in [
            ("", "one\ntwo\nthree\n"),
            ("tailLines=1", "three\n"),
            ("tailLines=0", ""),
            ("sinceSeconds=1", "two\nthree\n"),
            ("sinceTime=2027-01-15T08:00:02Z&timestamps=true", "2027-01-15T08:00:02.000000000Z three\n"),
        ] {
            let (newest, read) = store.read(&container("web"), 0, &Query::of(query, now));
            assert_eq!((newest, String::from_utf8(read).unwrap().as_str()), (3, text), "{query}");
        }
        assert!(store.read(&container("gone"), 0, &Query::default()).1.is_empty());
    }

    #[test]
    fn the_silent_are_forgotten_and_the_talkative_cut_short() {
        let store = store();
        for number in 0..LINES + 5 {
            store.append(container("loud"), &number.to_string(), Timestamp::UNIX_EPOCH);
        }
        let (_, text) = store.read(&container("loud"), 0, &Query::default());
        assert!(text.starts_with(b"5\n"));
        for number in 0..CONTAINERS {
            store.append(container(&format!("pod-{number}")), "here", Timestamp::UNIX_EPOCH);
        }
        assert_eq!(store.lock().len(), CONTAINERS);
        assert!(store.read(&container("web"), 0, &Query::default()).1.is_empty());
    }
}
