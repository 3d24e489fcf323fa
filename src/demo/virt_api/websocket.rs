//! The server's end of a WebSocket: the handshake, and bytes both ways.

use std::io;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::guest::{Farewell, OpenLine};
use super::refusal::Refusal;

/// The only protocol inside the WebSocket: bytes as they are.
pub const PROTOCOL: &str = "plain.kubevirt.io";

/// The longest message that is taken, in bytes; clients send some ten thousands.
const LONGEST: usize = 4 << 20;

/// How much goes out at a time, in bytes, as with KubeVirt.
const PIECE: usize = 32 << 10;

/// How often a client is asked whether it is there, and how long it may take to say so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    ping: Duration,
    pong: Duration,
}

/// That of forwarded ports. At consoles and screens nobody is asked.
pub(super) const PORTS: Beat = Beat { ping: Duration::from_secs(1), pong: Duration::from_secs(60) };

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

/// The closing frame that the end of a line asks for.
fn farewell(why: &io::Error) -> Option<CloseFrame> {
    let Farewell { code, reason } = why.get_ref()?.downcast_ref::<Farewell>()?;
    Some(CloseFrame { code: (*code).into(), reason: reason.clone().into() })
}

fn has_token(headers: &HeaderMap, name: &header::HeaderName, wanted: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|token| token.trim().eq_ignore_ascii_case(wanted))
}

/// Carries bytes between a client, once its request is upgraded, and a guest, until one of them ends. The client sees the
/// end of its connection and no closing frame, as KubeVirt lets it see.
pub(super) async fn carry(request: Request<Incoming>, line: OpenLine, beat: Option<Beat>) {
    let upgraded = match hyper::upgrade::on(request).await {
        Ok(upgraded) => TokioIo::new(upgraded),
        Err(why) => return tracing::debug!(%why, "a stream was not opened"),
    };
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    between(WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await, line, beat).await;
}

async fn between<S: AsyncRead + AsyncWrite + Unpin>(
    socket: WebSocketStream<S>,
    line: OpenLine,
    beat: Option<Beat>,
) {
    let (mut to_client, mut from_client) = socket.split();
    let (mut from_guest, mut to_guest) = tokio::io::split(line);
    let to_guest = async {
        let mut last_pong = Instant::now();
        loop {
            let next = async {
                match beat {
                    Some(beat) => {
                        let next = tokio::time::timeout_at(last_pong + beat.pong, from_client.next());
                        next.await.ok().flatten()
                    }
                    None => from_client.next().await,
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
        let mut ping = tokio::time::interval(beat.unwrap_or(PORTS).ping);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut piece = vec![0; PIECE];
        loop {
            let message = tokio::select! {
                read = from_guest.read(&mut piece) => match read {
                    Ok(0) => break,
                    Err(why) => match farewell(&why) {
                        Some(frame) => {
                            let _ = to_client.send(Message::Close(Some(frame))).await;
                            return;
                        }
                        None => break,
                    },
                    Ok(length) => Message::Binary(Bytes::copy_from_slice(&piece[..length])),
                },
                _ = ping.tick(), if beat.is_some() => Message::Ping(Bytes::from_static(b"keep alive")),
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

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    /// A stream that is carried: the client's end of it, the guest's end of its line, and how it goes on.
    async fn carried(beat: Option<Beat>) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<()>) {
        let (near, far) = duplex(64 << 10);
        let (line, guest) = duplex(64 << 10);
        let server = WebSocketStream::from_raw_socket(near, Role::Server, None).await;
        (far, guest, tokio::spawn(between(server, Box::new(line), beat)))
    }

    const FAST: Beat = Beat { ping: Duration::from_millis(5), pong: Duration::from_millis(150) };

    #[tokio::test]
    async fn who_forwards_a_port_is_asked_again_and_again_and_dropped_when_nobody_answers() {
        assert_eq!((PORTS.ping, PORTS.pong), (Duration::from_secs(1), Duration::from_secs(60)));
        let (far, _guest, carrying) = carried(Some(FAST)).await;
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let began = Instant::now();
        // Answers go out while one reads: so it lives longer than anybody may be silent.
        while began.elapsed() < FAST.pong * 2 {
            let ping = client.next().await;
            assert!(matches!(&ping, Some(Ok(Message::Ping(text))) if text == "keep alive"), "{ping:?}");
        }
        assert!(!carrying.is_finished());
        // Somebody who takes what comes, and says nothing.
        let (_mute, _guest, carrying) = carried(Some(FAST)).await;
        let began = Instant::now();
        carrying.await.unwrap();
        assert!(began.elapsed() >= FAST.pong, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn at_a_console_nobody_is_asked_and_whoever_asks_is_answered() {
        let (far, mut guest, _carrying) = carried(None).await;
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        client.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
        let pong = client.next().await;
        assert!(matches!(&pong, Some(Ok(Message::Pong(text))) if text == "there?"), "{pong:?}");
        guest.write_all(b"# ").await.unwrap();
        assert!(matches!(client.next().await, Some(Ok(Message::Binary(text))) if text == "# "));
    }
}
