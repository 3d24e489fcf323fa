//! Guests that do what a test needs of them: by an annotation of the instance for its console, by the number of a port.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
};
use v9s::demo::guests::Played;
use v9s::demo::virt_api::{Channel, Echo, Farewell, Guests, OpenLine};

/// The annotation that says how the guest of an instance acts; without it, it says what it is told.
pub(super) const ACTS: &str = "tests/acts";

/// Ports that act, and how.
pub(super) mod port {
    /// Says something, and closes its socket.
    pub(crate) const FINISHES: u16 = 2101;
    /// Aborts its socket.
    pub(crate) const RESETS: u16 = 2102;
    /// Says that it writes no more, and goes on reading.
    pub(crate) const HALF_CLOSES: u16 = 2103;
    /// Reads to the end, and then goes on writing.
    pub(crate) const LISTENS: u16 = 2104;
    /// Says what the one above has met with, once it has.
    pub(crate) const TELLS: u16 = 2105;
    /// Nothing listens there.
    pub(crate) const CLOSED: u16 = 2106;
    /// Nobody ever says anything there.
    pub(crate) const SILENT: u16 = 2107;
}

pub(super) const SPEECH: usize = 100_000;

/// What a guest says at length: every byte differs from its neighbours.
pub(super) fn speech() -> Vec<u8> {
    (0..SPEECH).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect()
}

/// The guests of a server.
#[derive(Clone)]
pub(super) struct Actors {
    played: Played,
    /// What the ports that listen have met with, by instance.
    met: Arc<Mutex<HashMap<String, &'static str>>>,
}

impl Actors {
    pub(super) fn new(client: Client) -> Self {
        Self { played: Played::new(client, Arc::new(Timestamp::now), Vec::new()), met: Arc::default() }
    }
}

impl Guests for Actors {
    fn dial(&self, instance: Value, channel: Channel) -> BoxFuture<'static, Result<OpenLine, String>> {
        let uid = instance["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let acts = instance["metadata"]["annotations"][ACTS].as_str().unwrap_or_default().to_owned();
        match channel {
            Channel::Console => match acts.as_str() {
                "plays" => return self.played.dial(instance, Channel::Console),
                "farewell" => {
                    let farewell = Farewell { code: 1000, reason: "bye".into() };
                    return spoken(b"so long".to_vec(), Some(io::Error::other(farewell)));
                }
                "goes" => return spoken(b"so long".to_vec(), None),
                "aborts" => return spoken(b"so long".to_vec(), Some(io::ErrorKind::ConnectionReset.into())),
                "speaks" => return spoken(speech(), None),
                _ => {}
            },
            Channel::Vnc { preserve } => return spoken(format!("preserve={preserve}").into_bytes(), None),
            Channel::Port { port: port::CLOSED, address, .. } => {
                let why = format!("dial tcp {address}:{}: connect: connection refused", port::CLOSED);
                return async { Err(why) }.boxed();
            }
            Channel::Port { port, .. } => match port {
                port::FINISHES => return spoken(speech(), None),
                port::RESETS => return spoken(Vec::new(), Some(io::ErrorKind::ConnectionReset.into())),
                port::HALF_CLOSES => return open(half_close),
                port::SILENT => return open(|line| async move { hear_to_the_end(line).await.0 }),
                port::LISTENS => {
                    let met = Arc::clone(&self.met);
                    return open(|line| async move {
                        let (mut line, heard) = hear_to_the_end(line).await;
                        let what = if heard == b"last words" { "the end" } else { "something else" };
                        met.lock().unwrap_or_else(PoisonError::into_inner).insert(uid, what);
                        let _ = line.write_all(b"too late").await;
                        line
                    });
                }
                port::TELLS => {
                    let met = Arc::clone(&self.met);
                    return open(|mut line| async move {
                        let told = || met.lock().unwrap_or_else(PoisonError::into_inner).get(&uid).copied();
                        while told().is_none() {
                            tokio::task::yield_now().await;
                        }
                        let _ = line.write_all(told().unwrap_or_default().as_bytes()).await;
                        line
                    });
                }
                _ => {}
            },
        }
        Echo.dial(instance, channel)
    }
}

/// What was said, until nobody says anything any more.
async fn hear_to_the_end(mut line: DuplexStream) -> (DuplexStream, Vec<u8>) {
    let mut heard = Vec::new();
    let _ = line.read_to_end(&mut heard).await;
    (line, heard)
}

async fn half_close(mut line: DuplexStream) -> DuplexStream {
    let _ = line.write_all(b"all that there is").await;
    let _ = line.shutdown().await;
    hear_to_the_end(line).await.0
}

/// A guest that does something with its end of the line.
fn open<F: Future<Output = DuplexStream> + Send + 'static>(
    act: impl FnOnce(DuplexStream) -> F + Send + 'static,
) -> BoxFuture<'static, Result<OpenLine, String>> {
    async move {
        let (near, far) = duplex(64 << 10);
        tokio::spawn(act(far));
        Ok(Box::new(near) as OpenLine)
    }
    .boxed()
}

/// A guest that says something, and whose line then ends in this way.
fn spoken(words: Vec<u8>, end: Option<io::Error>) -> BoxFuture<'static, Result<OpenLine, String>> {
    async move {
        let (near, mut far) = duplex(64 << 10);
        tokio::spawn(async move {
            let _ = far.write_all(&words).await;
            let _ = far.shutdown().await;
        });
        Ok(Box::new(Ending { line: near, end }) as OpenLine)
    }
    .boxed()
}

/// A line that ends with an error.
struct Ending {
    line: DuplexStream,
    end: Option<io::Error>,
}

impl AsyncRead for Ending {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.line).poll_read(context, into);
        match (&read, self.end.take()) {
            (Poll::Ready(Ok(())), Some(end)) if into.filled().len() == before => Poll::Ready(Err(end)),
            (_, end) => {
                self.end = end;
                read
            }
        }
    }
}

impl AsyncWrite for Ending {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.line).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_shutdown(context)
    }
}
