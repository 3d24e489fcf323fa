//! Faults of answers on their way: a body that stops in the middle, bytes that are no HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyDataStream, BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::plan::{About, FaultId, Running};
use super::spec::FaultKind;
use super::{Faults, expired};
use crate::demo::server::http::AnswerBody;

/// A line that is no JSON.
const GARBAGE: &[u8] = b"\x00<<< this is not JSON >>>\n";

/// How a body goes on.
enum Flow {
    /// As it is, until a fault comes.
    On,
    /// So many bytes more.
    Until(usize, End),
}

/// How a body stops.
#[derive(Clone, Copy)]
enum End {
    InOrder,
    Cut,
    Silence,
}

/// A body that faults can reach while it runs.
pub(super) struct Reached {
    body: BodyDataStream<AnswerBody>,
    faults: Faults,
    changed: watch::Receiver<()>,
    about: About,
    wire: Wire,
    known: Vec<FaultId>,
    flow: Flow,
}

impl Reached {
    pub(super) fn new(body: AnswerBody, faults: Faults, about: About, wire: Wire) -> Self {
        let changed = faults.subscribe();
        let body = body.into_data_stream();
        Self { body, faults, changed, about, wire, known: Vec::new(), flow: Flow::On }
    }

    /// The body, which meets this fault at its beginning.
    pub(super) fn into_body(mut self, fault: Option<(FaultId, FaultKind)>) -> AnswerBody {
        let first = fault.and_then(|(id, kind)| self.meet(id, kind));
        let first = first.map(|bytes| Ok(Frame::data(bytes)));
        let rest = futures::stream::unfold(self, Self::next);
        let frames = futures::StreamExt::chain(futures::stream::iter(first), rest);
        StreamBody::new(frames).boxed_unsync()
    }

    /// Notes what happens to the body; returns what is sent at once.
    fn meet(&mut self, id: FaultId, kind: FaultKind) -> Option<Bytes> {
        self.known.push(id);
        let (flow, sent) = match kind {
            FaultKind::Cut(bytes) => (Flow::Until(bytes, End::Cut), None),
            FaultKind::Silence(bytes) => (Flow::Until(bytes.unwrap_or(0), End::Silence), None),
            FaultKind::Garbage => (Flow::On, Some(Bytes::from_static(GARBAGE))),
            FaultKind::GarbageForHttp => {
                self.wire.garble();
                (Flow::On, Some(Bytes::from_static(GARBAGE)))
            }
            FaultKind::Gone => {
                let line = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", expired().status());
                (Flow::Until(0, End::InOrder), Some(line.into()))
            }
            _ => (Flow::Until(0, End::InOrder), None),
        };
        self.flow = flow;
        sent
    }

    async fn next(mut self) -> Option<(io::Result<Frame<Bytes>>, Self)> {
        loop {
            let again = match &self.flow {
                Flow::Until(0, End::InOrder) => return None,
                Flow::Until(0, End::Silence) => return std::future::pending().await,
                Flow::Until(0, End::Cut) => {
                    // What was sent before has to be on its way, so that the cut is where it was asked for.
                    tokio::task::yield_now().await;
                    self.flow = Flow::Until(0, End::InOrder);
                    return Some((Err(io::ErrorKind::ConnectionAborted.into()), self));
                }
                Flow::Until(..) => None,
                Flow::On => {
                    self.changed.borrow_and_update();
                    match self.faults.running(&self.about, &self.known) {
                        Running::Meets(id, kind) => match self.meet(id, kind) {
                            Some(bytes) => return Some((Ok(Frame::data(bytes)), self)),
                            None => continue,
                        },
                        Running::Ends => return None,
                        Running::Nothing(again) => again,
                    }
                }
            };
            let piece = tokio::select! {
                // What was asked for first comes first.
                biased;
                changed = self.changed.changed(), if matches!(self.flow, Flow::On) => match changed {
                    Ok(()) => continue,
                    Err(_) => return None,
                },
                () = until(again) => continue,
                piece = futures::StreamExt::next(&mut self.body) => piece?,
            };
            let piece = piece.map(|mut bytes| {
                if let Flow::Until(left, _) = &mut self.flow {
                    bytes.truncate(*left);
                    *left -= bytes.len();
                }
                Frame::data(bytes)
            });
            return Some((piece, self));
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// What a connection sends, as seen from its requests. Clones are of the same connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<AtomicBool>);

impl Wire {
    /// From now on nothing that goes out can be understood.
    pub(super) fn garble(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection whose output can be garbled.
pub(crate) struct Garbled<S> {
    stream: S,
    wire: Wire,
}

impl<S> Garbled<S> {
    pub(crate) fn new(stream: S, wire: Wire) -> Self {
        Self { stream, wire }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Garbled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Garbled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.wire.0.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        let garbled: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
        Pin::new(&mut self.stream).poll_write(context, &garbled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
