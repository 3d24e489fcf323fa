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
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError};

use super::connect::Connection;
use super::error::{Failure, FailureKind};
use crate::text::one_line;

/// The protocol of KubeVirt's streams: bytes as they are.
pub const PLAIN: &str = "plain.kubevirt.io";

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
    /// Nobody has answered for so long that nobody is there.
    Silent,
}

/// The end that listens.
#[derive(Debug)]
pub struct Listening(SplitStream<Socket>);

/// The end that types.
#[derive(Debug)]
pub struct Typing {
    sink: SplitSink<Socket, Message>,
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
    protocol: &'static str,
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
        .header(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol))
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
    check(response.headers(), &key, protocol).map_err(|why| Failure::garbage(server, why))?;
    let upgraded =
        hyper::upgrade::on(response).await.map_err(|why| Failure::garbage(server, &why.to_string()))?;
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
    let (sink, stream) = socket.split();
    Ok((Listening(stream), Typing { sink, deaf: connection.info().readonly }))
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
        match self.0.next().await {
            Some(Ok(Message::Binary(bytes))) => Heard::Bytes(bytes),
            Some(Ok(Message::Text(text))) => Heard::Bytes(text.into()),
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
        self.sink.send(Message::Binary(bytes)).await.map_err(|_| Untyped::Ended)
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
