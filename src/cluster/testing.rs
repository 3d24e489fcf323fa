//! Servers on loopback for the tests of this layer.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::connect::{Connection, ContextId, connect};
use super::error::Failure;
use super::gate::Gate;
use super::kubeconfig::{Configuration, Flags, load};

/// A request as the server saw it; header names are in small letters.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// What the server does with a request.
pub(crate) enum Answer {
    /// Status, further header lines, body.
    Say(u16, &'static str, String),
    /// It never answers.
    Nothing,
    /// It closes the connection.
    HangUp,
    /// It opens a WebSocket, and does this there.
    Stream(Vec<Step>),
}

/// What the server's end of a WebSocket does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// It says something.
    Say(&'static [u8]),
    /// It waits until it has heard this.
    Hear(&'static [u8]),
    /// It ends the connection with a closing frame.
    Close(u16, &'static str),
    /// It keeps the connection open, and answers nothing.
    Hold,
}

pub(crate) fn say(code: u16, body: impl Into<String>) -> Answer {
    Answer::Say(code, "", body.into())
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Handler = dyn Fn(&Seen) -> Answer + Send + Sync;

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        Self::run(None, handler).await
    }

    pub(crate) async fn run(
        tls: Option<tokio_rustls::TlsAcceptor>,
        handler: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, handler): (_, Arc<Handler>) = (Arc::clone(&seen), Arc::new(handler));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, handler, tls) = (Arc::clone(&log), Arc::clone(&handler), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &log, &*handler).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &log, &*handler).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url, seen, task }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, log: &Mutex<Vec<Seen>>, handler: &Handler) {
    let Some(seen) = read_request(&mut stream).await else {
        return;
    };
    log.lock().unwrap().push(seen.clone());
    match handler(&seen) {
        Answer::HangUp => {}
        Answer::Nothing => std::future::pending().await,
        Answer::Say(code, headers, body) => {
            let mut text = format!("HTTP/1.1 {code} x\r\nconnection: close\r\n{headers}");
            let _ = write!(text, "content-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Answer::Stream(steps) => {
            let key = seen.all("sec-websocket-key").concat();
            let protocol = seen.all("sec-websocket-protocol").concat();
            let text = format!(
                "HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n\
                 sec-websocket-protocol: {protocol}\r\n\r\n",
                derive_accept_key(key.as_bytes())
            );
            let _ = stream.write_all(text.as_bytes()).await;
            play(WebSocketStream::from_raw_socket(&mut stream, Role::Server, None).await, steps).await;
            let _ = stream.shutdown().await;
        }
    }
}

async fn play<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Say(bytes) => socket.send(Message::Binary(Bytes::from_static(bytes))).await.unwrap(),
            Step::Hear(bytes) => {
                let mut heard = Vec::new();
                while heard.len() < bytes.len() {
                    match socket.next().await {
                        Some(Ok(Message::Binary(more))) => heard.extend_from_slice(&more),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        _ => return,
                    }
                }
                assert_eq!(heard, bytes);
            }
            Step::Close(code, reason) => {
                let frame = CloseFrame { code: code.into(), reason: reason.into() };
                let _ = socket.send(Message::Close(Some(frame))).await;
            }
            Step::Hold => std::future::pending().await,
        }
    }
    let _ = socket.flush().await;
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        headers,
        body: bytes[end..].to_vec(),
    })
}

/// A kubeconfig with one context, `here`; `cluster` and `user` are lines of YAML in flow style.
pub(crate) fn one_context(folder: &Path, cluster: &str, user: &str) -> Configuration {
    let text = format!(
        "current-context: here\n\
         contexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{{cluster}}}}}]\n\
         users: [{{name: u, user: {{{user}}}}}]\n"
    );
    let path = folder.join("config");
    std::fs::write(&path, text).unwrap();
    let flags = Flags { kubeconfig: Some(path), ..Flags::default() };
    load(&flags, &|_| None, None).unwrap()
}

/// Connects as context 1, which is on screen.
pub(crate) async fn connect_to(configuration: &Configuration, flags: &Flags) -> Result<Connection, Failure> {
    let gate = Gate::new(false);
    gate.show(ContextId(1));
    connect(configuration, None, flags, ContextId(1), &gate).await
}
