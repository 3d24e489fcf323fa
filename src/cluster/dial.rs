//! Servers that are reached without a network: something else opens the byte streams.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::{Client, Config};
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

/// A byte stream to a server and back.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Opens byte streams to one server, in place of TCP and TLS.
#[derive(Clone)]
pub struct Dialer {
    open: Arc<dyn Fn() -> Box<dyn Duplex> + Send + Sync>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

impl Dialer {
    /// `open` is called inside a tokio runtime, once for each connection, and must not block.
    pub fn new<T: Duplex + 'static>(open: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(move || Box::new(open())) }
    }

    /// A client with the credentials and headers of `config` whose bytes go over the streams of this dialer.
    pub(crate) fn client(&self, config: &Config) -> kube::Result<Client> {
        let http = legacy::Client::builder(TokioExecutor::new()).build(Connector(self.clone()));
        let plain = ClientBuilder::new(Requests(http), config.default_namespace.clone());
        let headers = config.extra_headers_layer()?;
        let url = config.base_uri_layer();
        Ok(match config.auth_layer()? {
            Some(login) => plain.with_layer(&url).with_layer(&login).with_layer(&headers).build(),
            None => plain.with_layer(&url).with_layer(&headers).build(),
        })
    }
}

/// Sends requests; its errors are of the kind that kube's layers ask for.
#[derive(Clone)]
struct Requests(legacy::Client<Connector, Body>);

impl Service<Request<Body>> for Requests {
    type Response = Response<Incoming>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.request(request).err_into().boxed()
    }
}

/// The dialer as the HTTP client wants it.
#[derive(Clone)]
struct Connector(Dialer);

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(Ok(Stream(TokioIo::new((self.0.open)()))))
    }
}

/// One connection, as the HTTP client wants it.
struct Stream(TokioIo<Box<dyn Duplex>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
