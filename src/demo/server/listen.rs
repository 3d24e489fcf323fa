//! The ways in: a pipe in memory, and a port with TLS.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::faults::{Garbled, Wire};
use super::http::answer;
use super::tls::Identity;
use super::{Inner, Server};

/// How much of a connection in memory may be on its way.
const PIPE: usize = 256 << 10;

/// How many connections a port serves at a time.
const CONNECTIONS: usize = 1000;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(4);

/// How long a client may take for the head of a request, and a connection may stay open without one.
const HEADER: Duration = Duration::from_secs(30);

/// How long nothing is accepted after accepting failed.
const PAUSE: Duration = Duration::from_millis(100);

impl Server {
    /// Opens a connection that leaves the process nowhere. Must be called inside a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE);
        tokio::spawn(serve(self.clone(), far));
        near
    }

    /// The same server for somebody that it holds itself: this does not keep it.
    pub fn downgrade(&self) -> WeakServer {
        WeakServer(Arc::downgrade(&self.inner))
    }

    /// Serves one connection, to its end.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        serve(self.clone(), stream).await;
    }

    /// Serves at an address, with TLS. Ends when the handle is dropped, with all its connections.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn listen(&self, address: SocketAddr, identity: &Identity) -> io::Result<Listening> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(self.clone(), listener, identity.acceptor.clone()));
        Ok(Listening { address, task })
    }
}

/// A server that may be gone.
#[derive(Clone)]
pub struct WeakServer(Weak<Inner>);

impl fmt::Debug for WeakServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakServer").finish_non_exhaustive()
    }
}

impl WeakServer {
    /// As [`Server::connect`]; if the server is gone, the connection has ended already.
    pub fn connect(&self) -> DuplexStream {
        match self.0.upgrade() {
            Some(inner) => Server { inner }.connect(),
            None => tokio::io::duplex(1).0,
        }
    }
}

/// Takes connections for ever, but no more than [`CONNECTIONS`] at a time: further ones wait in the system's queue.
async fn accept(server: Server, listener: TcpListener, tls: TlsAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(shake_hands(server.clone(), stream, tls.clone()));
                }
                // A client that is gone again, or no more file handles: the next try may fail at once, too.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What a client that speaks plain HTTP is told.
const PLAIN: &[u8] = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Whether a client begins as TLS does: with a record of the type "handshake".
async fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    Ok(first == [0x16])
}

async fn shake_hands(server: Server, mut stream: TcpStream, tls: TlsAcceptor) {
    let handshake = async {
        if !is_tls(&stream).await? {
            // Whoever speaks plain HTTP is told so in plain HTTP, as Go's servers do.
            // What is not read would make the system throw the answer away.
            let _ = stream.read(&mut [0; 4096]).await?;
            return stream.write_all(PLAIN).await.map(|()| None);
        }
        tls.accept(stream).await.map(Some)
    };
    if let Ok(Ok(Some(stream))) = tokio::time::timeout(HANDSHAKE, handshake).await {
        serve(server, stream).await;
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
        .header_read_timeout(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(why) = served {
        tracing::debug!(%why, "a connection to the embedded server ended");
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use jiff::Timestamp;
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::demo::server::Options;

    async fn listening() -> (Listening, Identity) {
        let identity = Identity::new(Ipv4Addr::LOCALHOST.into(), Timestamp::now()).unwrap();
        let server = Server::new(Options::default());
        let listening = server.listen((Ipv4Addr::LOCALHOST, 0).into(), &identity).await.unwrap();
        (listening, identity)
    }

    /// What a client that trusts the authority gets, and which protocol was agreed on.
    async fn ask(listening: &Listening, identity: &Identity, protocols: &[&[u8]]) -> io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(identity.authority().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        let stream = TcpStream::connect(listening.address).await?;
        let name = "localhost".try_into().unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec).unwrap_or_default();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        Ok(format!("{} {}", String::from_utf8_lossy(&agreed), text.lines().next().unwrap_or_default()))
    }

    #[tokio::test]
    async fn clients_agree_on_the_one_protocol() {
        let (_, other) = listening().await;
        let (listening, identity) = listening().await;
        let ok = "http/1.1 HTTP/1.1 200 OK";
        assert_eq!(ask(&listening, &identity, &[b"h2", b"http/1.1"]).await.unwrap(), ok);
        assert_eq!(ask(&listening, &identity, &[]).await.unwrap(), " HTTP/1.1 200 OK");
        assert!(ask(&listening, &identity, &[b"h2"]).await.is_err());
        assert!(ask(&listening, &other, &[b"http/1.1"]).await.is_err(), "another authority");
    }

    #[tokio::test]
    async fn who_sends_garbage_or_nothing_keeps_nobody_else_out() {
        let (listening, identity) = listening().await;
        let mut idle = Vec::new();
        for _ in 0..50 {
            idle.push(TcpStream::connect(listening.address).await.unwrap());
        }
        for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\xff\xff\x00", &[0xff; 100_000]] {
            let mut stream = TcpStream::connect(listening.address).await.unwrap();
            let _ = stream.write_all(garbage).await;
            let _ = stream.shutdown().await;
            // It ends, with an alert or without.
            let mut rest = Vec::new();
            let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
            assert!(end.is_ok() && rest.len() < 100, "{rest:?}");
        }
        assert_eq!(ask(&listening, &identity, &[]).await.unwrap(), " HTTP/1.1 200 OK");
        let address = listening.address;
        drop(listening);
        // Dropping the handle ends the connections, too.
        for stream in &mut idle {
            let mut rest = Vec::new();
            let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
            assert!(end.is_ok() && rest.is_empty(), "{rest:?}");
        }
        assert!(TcpStream::connect(address).await.is_err());
    }
}
