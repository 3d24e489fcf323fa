//! The server's end of a WebSocket: the handshake, and bytes both ways.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::guest::OpenLine;
use super::refusal::Refusal;

/// The only protocol inside the WebSocket: bytes as they are.
pub const PROTOCOL: &str = "plain.kubevirt.io";

/// The longest message that is taken, in bytes; clients send some ten thousands.
const LONGEST: usize = 4 << 20;

/// How much goes out at a time, in bytes, as with KubeVirt.
const PIECE: usize = 32 << 10;

/// How often a client of a forwarded port is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(1);
const PONG: Duration = Duration::from_secs(60);

/// A handshake that can be answered.
#[derive(Debug)]
pub(super) struct Handshake {
    accept: HeaderValue,
    protocol: bool,
}

impl Handshake {
    /// Looks at the head of a request, in the order and the words of KubeVirt's library.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        const NOT: &str = "websocket: the client is not using the websocket protocol: ";
        let refuse = |why: &str| Err(Refusal::bad_request(why));
        if !has_token(headers, &header::CONNECTION, "upgrade") {
            return refuse(&format!("{NOT}'upgrade' token not found in 'Connection' header"));
        }
        if !has_token(headers, &header::UPGRADE, "websocket") {
            return refuse(&format!("{NOT}'websocket' token not found in 'Upgrade' header"));
        }
        if !has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13") {
            return refuse("websocket: unsupported version: 13 not found in 'Sec-Websocket-Version' header");
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        use base64::Engine as _;
        let decoded = base64::engine::general_purpose::STANDARD.decode(key).unwrap_or_default();
        let accept = HeaderValue::from_str(&derive_accept_key(key)).ok();
        let Some(accept) = accept.filter(|_| decoded.len() == 16) else {
            return refuse(
                "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header must be Base64 encoded value of 16-byte \
                 in length",
            );
        };
        Ok(Self { accept, protocol: has_token(headers, &header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL) })
    }

    /// The answer that makes the connection a WebSocket. A protocol is named only to who offers it.
    pub(super) fn response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        if self.protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
        }
        response
    }
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

/// Carries bytes between a client, once its request is upgraded, and a guest, until one of them ends. The client sees the
/// end of its connection and no closing frame, as KubeVirt lets it see.
pub(super) async fn carry(request: Request<Incoming>, line: OpenLine, alive: bool) {
    let upgraded = match hyper::upgrade::on(request).await {
        Ok(upgraded) => TokioIo::new(upgraded),
        Err(why) => return tracing::debug!(%why, "a stream was not opened"),
    };
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
    let (mut to_client, mut from_client) = socket.split();
    let (mut from_guest, mut to_guest) = tokio::io::split(line);
    let to_guest = async {
        let mut last_pong = Instant::now();
        loop {
            let next = async {
                if alive {
                    tokio::time::timeout_at(last_pong + PONG, from_client.next()).await.ok().flatten()
                } else {
                    from_client.next().await
                }
            };
            let bytes = match next.await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Pong(_))) => {
                    last_pong = Instant::now();
                    continue;
                }
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            };
            if to_guest.write_all(&bytes).await.is_err() || to_guest.flush().await.is_err() {
                return;
            }
        }
    };
    let to_client = async {
        let mut ping = tokio::time::interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut piece = vec![0; PIECE];
        loop {
            let message = tokio::select! {
                read = from_guest.read(&mut piece) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(length) => Message::Binary(Bytes::copy_from_slice(&piece[..length])),
                },
                _ = ping.tick(), if alive => Message::Ping(Bytes::from_static(b"keep alive")),
            };
            if to_client.send(message).await.is_err() {
                return;
            }
        }
        // All that the guest has said is to arrive before the end.
        let _ = to_client.flush().await;
    };
    tokio::select! {
        () = to_guest => {}
        () = to_client => {}
    }
}
