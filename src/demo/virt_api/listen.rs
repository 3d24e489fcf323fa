//! The service at a port on this machine, for the proxy of a real kube-apiserver and nobody else.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::{FrontProxy, VirtApi};
use crate::demo::server::{Identity, IdentityError};

/// How many connections are served at a time. Each stream needs one.
const CONNECTIONS: usize = 1000;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a head of a request may take, and a connection may stay open without one. Go's clients keep idle connections
/// for 90 s; one that ends just as a request comes costs that request.
const HEADER: Duration = Duration::from_secs(120);

/// How long nothing is accepted after accepting failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the service is not at a port.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// There is no port.
    #[error("no port on this machine can be listened on: {0}")]
    Bind(#[from] io::Error),
    /// There is nothing to prove itself with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The cluster does not answer what its proxy proves itself with.
    #[error("what the proxy of the API server proves itself with cannot be read: {0}")]
    Unread(#[from] kube::Error),
    /// The cluster has no proxy for aggregated APIs.
    #[error("the API server has no aggregation layer set up")]
    NoProxy,
    /// The authority of the proxy cannot be used.
    #[error("the authority of the API server's proxy cannot be used: {0}")]
    Authority(String),
}

/// The service at a port. Dropping it closes the port and its connections.
#[derive(Debug)]
pub struct Aggregated {
    /// Where it listens; the certificate is for `localhost`.
    pub address: SocketAddr,
    /// What vouches for its certificate, as PEM.
    pub authority: String,
    task: JoinHandle<()>,
}

impl Drop for Aggregated {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VirtApi {
    /// Serves on a free port of the loopback interface, with a certificate made for it.
    ///
    /// # Errors
    ///
    /// [`ListenError`]
    pub async fn listen(&self, proxy: FrontProxy) -> Result<Aggregated, ListenError> {
        let identity = Identity::new(Ipv4Addr::LOCALHOST.into(), Timestamp::now())?;
        let tls = identity.demanding(proxy.verifier()?)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(self.clone(), listener, tls, Arc::new(proxy)));
        Ok(Aggregated { address, authority: identity.authority().to_owned(), task })
    }
}

async fn accept(api: VirtApi, listener: TcpListener, tls: TlsAcceptor, proxy: Arc<FrontProxy>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(api.clone(), stream, tls.clone(), Arc::clone(&proxy)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(api: VirtApi, stream: TcpStream, tls: TlsAcceptor, proxy: Arc<FrontProxy>) {
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    if !certificates.first().is_some_and(|own| proxy.is(own)) {
        return tracing::debug!("somebody with another name than the proxy's was sent away");
    }
    let service = service_fn(move |mut request| {
        proxy.identify(http::Request::headers_mut(&mut request));
        let api = api.clone();
        async move { Ok::<_, Infallible>(api.answer(request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(why) = served {
        tracing::debug!(%why, "a connection of the API server's proxy ended");
    }
}
