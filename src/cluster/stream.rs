//! Byte streams to a guest or a pod, over a WebSocket that goes through the API server.
//!
//! kube's client opens WebSockets with protocols of its own only, so the handshake is made here. A stream has two ends that are
//! used apart: who types never waits for who listens. A read-only session gets a stream that can be listened to and refuses
//! whatever is typed, below all that a screen decides.

use std::time::Duration;

use bytes::Bytes;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError};

use super::connect::Connection;
use super::error::{Failure, FailureKind};
use crate::text::one_line;

/// How bytes go in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// KubeVirt's: bytes as they are.
    Plain,
    /// That of commands in pods: the first byte of each message says which channel the others are of.
    Channels,
}

impl Protocol {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain.kubevirt.io",
            // The fifth adds nothing that is needed here, and older servers do not know it.
            Self::Channels => "v4.channel.k8s.io",
        }
    }
}

/// The channels of [`Protocol::Channels`].
mod channel {
    pub(super) const STDIN: u8 = 0;
    pub(super) const STDOUT: u8 = 1;
    pub(super) const STDERR: u8 = 2;
    /// How the command ended, as a Status.
    pub(super) const ERROR: u8 = 3;
}

/// Bytes of complaints that are kept, at most.
const COMPLAINT: usize = 2000;

/// The longest message that is taken, in bytes. KubeVirt sends 32 KiB at most.
const LONGEST: usize = 1 << 20;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Bytes.
    Bytes(Bytes),
    /// A sign of life, and nothing else.
    Alive,
    /// The stream has ended.
    End(End),
}

/// How a stream ended, as far as the wire tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a closing frame: its code and what it says.
    Closed(u16, String),
    /// The connection ended without one. KubeVirt ends all its streams so, whatever the reason.
    Dropped,
    /// The connection broke, or what came was no WebSocket.
    Broken(String),
    /// The command at its other end has ended: its code, if it tells one, and what was said last.
    Exited(Option<i64>, String),
    /// Nobody has answered for so long that nobody is there.
    Silent,
}

/// The end that listens.
#[derive(Debug)]
pub struct Listening {
    stream: SplitStream<Socket>,
    protocol: Protocol,
    /// What the command has complained of last.
    complaint: Vec<u8>,
}

/// The end that types.
#[derive(Debug)]
pub struct Typing {
    sink: SplitSink<Socket, Message>,
    protocol: Protocol,
    deaf: bool,
}

/// Opens a stream at a path of the API server.
///
/// # Errors
///
/// As [`Connection::open`]; [`FailureKind::Garbage`] if the answer is no WebSocket of this protocol.
pub async fn open(
    connection: &Connection,
    path: &str,
    protocol: Protocol,
    limit: Duration,
) -> Result<(Listening, Typing), Failure> {
    let server = &connection.info().server;
    let key = generate_key();
    // KubeVirt refuses these routes to who accepts JSON only, so nothing is said of what is accepted.
    let request = Request::get(path)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol.name()))
        .body(Vec::new())
        .map_err(|why| Failure::new(FailureKind::Config, format!("{path} is not a path: {why}.")))?;
    // kube-apiserver closes a connection on which it refused a stream, and says so to nobody.
    let response = match connection.open(request.clone(), limit).await {
        Err(failure) if failure.kind == FailureKind::Disconnected => connection.open(request, limit).await?,
        answer => answer?,
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Failure::garbage(server, "it opens no stream"));
    }
    check(response.headers(), &key, protocol.name()).map_err(|why| Failure::garbage(server, why))?;
    let upgraded =
        hyper::upgrade::on(response).await.map_err(|why| Failure::garbage(server, &why.to_string()))?;
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
    let (sink, stream) = socket.split();
    let listening = Listening { stream, protocol, complaint: Vec::new() };
    Ok((listening, Typing { sink, protocol, deaf: connection.info().readonly }))
}

/// Whether an answer opens the stream that was asked for.
fn check(headers: &HeaderMap, key: &str, protocol: &str) -> Result<(), &'static str> {
    let said = |name: header::HeaderName| headers.get(name).map(HeaderValue::as_bytes);
    if said(header::SEC_WEBSOCKET_ACCEPT) != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err("its Sec-WebSocket-Accept is not that of this request");
    }
    // One that names no protocol is taken: servers do that, and there is only one here.
    if said(header::SEC_WEBSOCKET_PROTOCOL).is_some_and(|chosen| chosen != protocol.as_bytes()) {
        return Err("it has chosen another protocol");
    }
    Ok(())
}

impl Listening {
    /// The next that comes in. After [`Heard::End`] nothing comes any more.
    pub async fn next(&mut self) -> Heard {
        match self.stream.next().await {
            Some(Ok(Message::Binary(bytes))) => self.take(bytes),
            Some(Ok(Message::Text(text))) => self.take(text.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Heard::Alive,
            Some(Ok(Message::Close(said))) => Heard::End(match said {
                Some(frame) => End::Closed(frame.code.into(), one_line(&frame.reason, 200)),
                None => End::Closed(1005, String::new()),
            }),
            None
            | Some(Err(
                Error::ConnectionClosed
                | Error::AlreadyClosed
                | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            )) => Heard::End(End::Dropped),
            Some(Err(error)) => Heard::End(End::Broken(one_line(&error.to_string(), 200))),
        }
    }

    /// What a message brings.
    fn take(&mut self, mut bytes: Bytes) -> Heard {
        if self.protocol == Protocol::Plain {
            return Heard::Bytes(bytes);
        }
        // Servers begin with messages that name a channel and bring nothing.
        if bytes.len() < 2 {
            return Heard::Alive;
        }
        let rest = bytes.split_off(1);
        match bytes[0] {
            channel::STDOUT => Heard::Bytes(rest),
            channel::STDERR => {
                self.complaint.extend_from_slice(&rest);
                let over = self.complaint.len().saturating_sub(COMPLAINT);
                self.complaint.drain(..over);
                Heard::Alive
            }
            channel::ERROR => Heard::End(self.exit(&rest)),
            _ => Heard::Alive,
        }
    }

    /// How a command ended, by the Status that says so.
    fn exit(&self, status: &[u8]) -> End {
        let status: Value = serde_json::from_slice(status).unwrap_or_default();
        let causes = status.pointer("/details/causes").and_then(Value::as_array);
        let code = causes.into_iter().flatten().find(|cause| cause["reason"] == "ExitCode");
        let code = code.and_then(|cause| cause["message"].as_str()?.parse().ok());
        let code = if status["status"] == "Success" { Some(0) } else { code };
        let complaint = String::from_utf8_lossy(&self.complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty());
        let said = match (last, code) {
            (Some(last), _) => last,
            (None, None) => status["message"].as_str().unwrap_or_default(),
            (None, Some(_)) => "",
        };
        End::Exited(code, one_line(said, 200))
    }
}

/// Why nothing was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untyped {
    /// The session is read-only.
    ReadOnly,
    /// The stream has ended; who listens learns why.
    Ended,
}

impl Typing {
    /// Sends bytes.
    ///
    /// # Errors
    ///
    /// The session is read-only, or the stream has ended.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), Untyped> {
        if self.deaf {
            return Err(Untyped::ReadOnly);
        }
        let message = match self.protocol {
            Protocol::Plain => bytes,
            Protocol::Channels => [&[channel::STDIN], &bytes[..]].concat().into(),
        };
        self.sink.send(Message::Binary(message)).await.map_err(|_| Untyped::Ended)
    }

    /// Asks for a sign of life. It also keeps open what closes connections that are idle.
    ///
    /// # Errors
    ///
    /// The stream has ended.
    pub async fn ping(&mut self) -> Result<(), Untyped> {
        self.sink.send(Message::Ping(Bytes::new())).await.map_err(|_| Untyped::Ended)
    }

    /// Says farewell.
    pub async fn close(&mut self) {
        // A peer that is gone needs none.
        let _ = self.sink.close().await;
    }
}
