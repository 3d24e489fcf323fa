//! Where a kube-apiserver asks for the logs of containers, and has commands run in them: `/containerLogs/NAMESPACE/POD/CONTAINER`
//! and `/exec/…` of a kubelet, at a port on this machine. It answers nothing else, and whoever is on this machine.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::super::Logs;
use super::super::object::Object;
use super::lines::{Asked, Lines, Reader};
use crate::demo::server::{Exec, Identity, IdentityError};

/// How many connections are served at a time; everybody who follows a log needs one.
const CONNECTIONS: usize = 500;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long the head of a request may take, and a connection may stay open without one.
const HEADER: Duration = Duration::from_secs(120);

/// How long nothing is accepted after accepting failed.
const PAUSE: Duration = Duration::from_millis(100);

/// How many bytes are sent at a time.
const PIECE: usize = 64 << 10;

/// Why there is no such port.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is no port.
    #[error("no port on this machine can be listened on: {0}")]
    Bind(#[from] io::Error),
    /// There is nothing to prove itself with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The logs of a platform's containers, at a port. Clones are the same; the port is closed when the last one is dropped.
#[derive(Clone)]
pub struct Endpoint {
    lines: Arc<Lines>,
    exec: Arc<OnceLock<Exec>>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What vouches for its certificate, as PEM.
    pub authority: Arc<str>,
    _task: Arc<Task>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Endpoint {
    /// Listens on a free port of the loopback interface. Must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`EndpointError`]
    pub async fn listen() -> Result<Self, EndpointError> {
        let identity = Identity::new(Ipv4Addr::LOCALHOST.into(), Timestamp::now())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let lines = Arc::new(Lines::new());
        let exec = Arc::new(OnceLock::new());
        let served = Served { lines: Arc::clone(&lines), exec: Arc::clone(&exec) };
        let task = tokio::spawn(accept(served, listener, identity.open()));
        let authority = identity.authority().into();
        Ok(Self { lines, exec, address, authority, _task: Arc::new(Task(task)) })
    }

    /// Lets somebody run the commands of containers; the first one who wants to.
    pub fn run_commands(&self, exec: Exec) {
        let _ = self.exec.set(exec);
    }

    /// What a Node says in its status so that an API server asks here.
    pub fn node_status(&self) -> Value {
        json!({
            "addresses": [{"type": "InternalIP", "address": self.address.ip().to_string()}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.address.port()}},
        })
    }
}

impl Logs for Endpoint {
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, at: Timestamp) {
        self.lines.append(namespace, pod, container, line, at);
    }

    fn saw(&self, pod: &Object) {
        self.lines.saw(pod);
    }

    fn gone(&self, namespace: &str, pod: &str) {
        self.lines.gone(namespace, pod);
    }
}

/// Who answers.
#[derive(Clone)]
struct Served {
    lines: Arc<Lines>,
    exec: Arc<OnceLock<Exec>>,
}

async fn accept(served: Served, listener: TcpListener, tls: TlsAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(served.clone(), stream, tls.clone()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(served: Served, stream: TcpStream, tls: TlsAcceptor) {
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
    let service = service_fn(move |request: Request<Incoming>| {
        let served = served.clone();
        async move {
            let place = command_at(request.uri().path());
            Ok::<_, Infallible>(match (place, served.exec.get()) {
                (Some(place), Some(exec)) => exec(request, place).await,
                _ => answer(&served.lines, &request, Timestamp::now()),
            })
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(why) = served {
        tracing::debug!(%why, "a connection to the logs of containers ended");
    }
}

/// The container that a path has a command run in.
fn command_at(path: &str) -> Option<[String; 3]> {
    let parts: Vec<&str> = path.strip_prefix("/exec/")?.split('/').collect();
    let place: [&str; 3] = parts.try_into().ok()?;
    Some(place.map(str::to_owned))
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

fn plain(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let text = Full::new(text.into()).map_err(|never| match never {});
    let mut response = Response::new(text.boxed_unsync());
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert("Content-Type", http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn answer<T>(lines: &Arc<Lines>, request: &Request<T>, now: Timestamp) -> Response<Body> {
    let parts: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let ["containerLogs", namespace, pod, container] = parts[..] else {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n");
    };
    if request.method() != http::Method::GET {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed\n");
    }
    let read = asked(request.uri().query().unwrap_or_default(), now)
        .map_err(|why| (400, why))
        .and_then(|asked| lines.read(namespace, pod, container, asked));
    match read {
        Ok(reader) => stream_of(Arc::clone(lines), reader),
        Err((code, why)) => plain(StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST), why),
    }
}

/// What of a log is asked for, as the API server passes it on.
fn asked(query: &str, now: Timestamp) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        let number = || value.parse::<u64>().map_err(|_| format!("invalid value {value:?} of {name}\n"));
        let flag = || matches!(&*value, "true" | "1");
        match &*name {
            "follow" => asked.follow = flag(),
            "timestamps" => asked.timestamps = flag(),
            "previous" => asked.previous = flag(),
            "tailLines" => asked.tail = Some(number()?),
            "limitBytes" => asked.limit = Some(usize::try_from(number()?).unwrap_or(usize::MAX)),
            "sinceSeconds" => {
                let seconds = i64::try_from(number()?).unwrap_or(i64::MAX);
                let since = now.saturating_sub(SignedDuration::from_secs(seconds));
                asked.since = Some(since.unwrap_or(Timestamp::MIN));
            }
            "sinceTime" => {
                let wrong = |_| format!("invalid value {value:?} of sinceTime\n");
                asked.since = Some(value.parse().map_err(wrong)?);
            }
            _ => {}
        }
    }
    Ok(asked)
}

fn stream_of(lines: Arc<Lines>, reader: Reader) -> Response<Body> {
    let changed = lines.subscribe();
    let pieces = stream::unfold((lines, reader, changed), |(lines, mut reader, mut changed)| async move {
        loop {
            changed.borrow_and_update();
            let text = lines.more(&mut reader, PIECE)?;
            if !text.is_empty() {
                let frame = Ok::<_, io::Error>(Frame::data(Bytes::from(text)));
                return Some((frame, (lines, reader, changed)));
            }
            changed.changed().await.ok()?;
        }
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    response
        .headers_mut()
        .insert("Content-Type", http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::super::super::kind::Kind;
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
    fn pod(state: Value, restarts: i64) -> Object {
        let status =
            json!({"containerStatuses": [{"name": "main", "restartCount": restarts, "state": state}]});
        Object::new(Kind::Pod, json!({"metadata": {"namespace": "shop", "name": "one"}, "status": status}))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    async fn get(lines: &Arc<Lines>, path: &str) -> (u16, String) {
        let request = Request::get(path).body(()).unwrap();
        let response = answer(lines, &request, at(100));
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn logs_are_answered_as_a_kubelet_does() {
        let lines = Arc::new(Lines::new());
        lines.saw(&pod(json!({"waiting": {"reason": "ImagePullBackOff"}}), 0));
        let path = "/containerLogs/shop/one/main";
        let waiting =
            "container \"main\" in pod \"one\" is waiting to start: trying and failing to pull image\n";
        assert_eq!(get(&lines, path).await, (400, waiting.to_owned()));
        lines.saw(&pod(json!({"running": {}}), 0));
        for (second, text) in [(1, "one"), (2, "two"), (3, "three")] {
            lines.append("shop", "one", "main", text, at(second));
        }
        let since = format!("?sinceTime={}", at(2));
        for (query, expected) in [
            ("", "one\ntwo\nthree\n"),
            ("?tailLines=1", "three\n"),
            ("?limitBytes=5", "one\nt"),
            ("?timestamps=true&tailLines=1", "2027-01-15T08:00:03.000000000Z three\n"),
            (since.as_str(), "two\nthree\n"),
            ("?sinceSeconds=97", "three\n"),
        ] {
            assert_eq!(get(&lines, &format!("{path}{query}")).await, (200, expected.to_owned()), "{query}");
        }
        for (path, code) in [
            ("/containerLogs/shop/two/main", 404),
            ("/containerLogs/shop/one/side", 404),
            ("/containerLogs/shop/one/main?previous=true", 400),
            ("/containerLogs/shop/one/main?tailLines=x", 400),
            ("/pods", 404),
        ] {
            assert_eq!(get(&lines, path).await.0, code, "{path}");
        }
        // What the container wrote before it was started again is kept apart.
        lines.saw(&pod(json!({"running": {}}), 1));
        lines.append("shop", "one", "main", "again", at(4));
        assert_eq!(get(&lines, path).await.1, "again\n");
        assert_eq!(get(&lines, &format!("{path}?previous=true")).await.1, "one\ntwo\nthree\n");
        lines.gone("shop", "one");
        assert_eq!(get(&lines, path).await.0, 404);
    }

    #[tokio::test]
    async fn who_follows_hears_everything_to_the_end() {
        let lines = Arc::new(Lines::new());
        lines.saw(&pod(json!({"running": {}}), 0));
        lines.append("shop", "one", "main", "one", at(1));
        let (reader, told) = (Arc::clone(&lines), Arc::clone(&lines));
        let (all, ()) = tokio::join!(get(&reader, "/containerLogs/shop/one/main?follow=true"), async move {
            tokio::task::yield_now().await;
            told.append("shop", "one", "main", "two", at(2));
            tokio::task::yield_now().await;
            told.saw(&pod(json!({"terminated": {"exitCode": 0}}), 0));
        });
        assert_eq!(all, (200, "one\ntwo\n".to_owned()));
    }

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for() {
        let lines = Lines::new();
        lines.saw(&pod(json!({"running": {}}), 0));
        let long = "x".repeat(1000);
        for _ in 0..2000 {
            lines.append("shop", "one", "main", &long, at(1));
        }
        let mut reader = lines.read("shop", "one", "main", Asked::default()).unwrap();
        let mut bytes = 0;
        while let Some(text) = lines.more(&mut reader, PIECE) {
            bytes += text.len();
        }
        assert!((200_000..300_000).contains(&bytes), "{bytes}");
    }

    #[tokio::test]
    async fn it_is_a_port_with_tls() {
        let endpoint = Endpoint::listen().await.unwrap();
        endpoint.saw(&pod(json!({"running": {}}), 0));
        endpoint.append("shop", "one", "main", "hello", at(1));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(endpoint.authority.as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(endpoint.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let request =
            "GET /containerLogs/shop/one/main HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("hello\n"), "{answer}");
    }
}
