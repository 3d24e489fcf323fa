//! The guest's end of a stream.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream};

use super::decide::Channel;

/// How much of what was sent to a guest may be on its way.
const PIPE: usize = 64 << 10;

/// Bytes to a guest and back.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// An open line.
pub type OpenLine = Box<dyn Line>;

/// The error of a line at whose end virt-handler says farewell: a closing frame, which goes through to the client as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {reason}")]
pub struct Farewell {
    /// The code of the frame.
    pub code: u16,
    /// What it says.
    pub reason: String,
}

/// The guests that streams lead to.
pub trait Guests: Send + Sync + 'static {
    /// Opens a line to the guest of this VMI. The end of the line ends the stream, without a word or with a [`Farewell`].
    ///
    /// An error is what dialling says, such as `dial tcp 10.0.0.7:22: connect: connection refused`.
    fn dial(&self, instance: Value, channel: Channel) -> BoxFuture<'static, Result<OpenLine, String>>;
}

/// A guest that says what it is told, on every line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

impl Guests for Echo {
    fn dial(&self, _: Value, _: Channel) -> BoxFuture<'static, Result<OpenLine, String>> {
        async {
            let (near, far) = tokio::io::duplex(PIPE);
            tokio::spawn(echo(far));
            Ok(Box::new(near) as OpenLine)
        }
        .boxed()
    }
}

async fn echo(line: DuplexStream) {
    let (mut from, mut to) = tokio::io::split(line);
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}
