//! The ways in: a pipe in memory, and a port with TLS.

use std::io;
use std::net::SocketAddr;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::Server;
use super::faults::{Garbled, Wire};
use super::http::answer;

/// How much of a connection in memory may be on its way.
const PIPE: usize = 256 << 10;

impl Server {
    /// Opens a connection that leaves the process nowhere. Must be called inside a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE);
        tokio::spawn(serve(self.clone(), far));
        near
    }

    /// Serves at an address, with TLS. Ends when the handle is dropped, with all its connections.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn listen(&self, address: SocketAddr, tls: TlsAcceptor) -> io::Result<Listening> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let server = self.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let _ = stream.set_nodelay(true);
                        let (server, tls) = (server.clone(), tls.clone());
                        connections.spawn(async move {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(server, stream).await;
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Listening { address, task })
    }
}

/// A server at a port; dropping it closes the port and all connections.
#[derive(Debug)]
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(server: Server, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let wire = Wire::default();
    let stream = Garbled::new(stream, wire.clone());
    let service = service_fn(move |request| {
        let answer = answer(server.clone(), request, wire.clone());
        async { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(why) = served {
        tracing::debug!(%why, "a connection to the embedded server ended");
    }
}
