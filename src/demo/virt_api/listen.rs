//! The service at a port on this machine, for the proxy of a real kube-apiserver and nobody else.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::register::{Group, KUBEVIRT};
use super::{Body, FrontProxy, VirtApi};
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
    /// Where it listens; the certificate is for `localhost` and the service of [`register`](super::register()).
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

/// Who answers the requests that come through the proxy.
pub type Service = Arc<dyn Fn(Request<Incoming>) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Serves a group on a free port of the loopback interface, with a certificate made for it.
///
/// # Errors
///
/// [`ListenError`]
pub async fn listen(service: Service, group: Group, proxy: FrontProxy) -> Result<Aggregated, ListenError> {
    // kube-apiserver connects to `localhost` and asks for the name of the service.
    let name = format!("{}.{}.svc", group.service, group.namespace);
    let identity = Identity::named(&[&name], Ipv4Addr::LOCALHOST.into(), Timestamp::now())?;
    let tls = identity.demanding(proxy.verifier()?)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(accept(service, listener, tls, Arc::new(proxy)));
    Ok(Aggregated { address, authority: identity.authority().to_owned(), task })
}

impl VirtApi {
    /// Serves on a free port of the loopback interface: see [`listen`].
    ///
    /// # Errors
    ///
    /// [`ListenError`]
    pub async fn listen(&self, proxy: FrontProxy) -> Result<Aggregated, ListenError> {
        let api = self.clone();
        let answer = move |request| {
            let api = api.clone();
            async move { api.answer(request).await }.boxed()
        };
        listen(Arc::new(answer), KUBEVIRT, proxy).await
    }
}

async fn accept(api: Service, listener: TcpListener, tls: TlsAcceptor, proxy: Arc<FrontProxy>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(Arc::clone(&api), stream, tls.clone(), Arc::clone(&proxy)));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(api: Service, stream: TcpStream, tls: TlsAcceptor, proxy: Arc<FrontProxy>) {
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else { return };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    if !certificates.first().is_some_and(|own| proxy.is(own)) {
        return tracing::debug!("somebody with another name than the proxy's was sent away");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        proxy.identify(request.headers_mut());
        let answer = api(request);
        async move { Ok::<_, Infallible>(answer.await) }
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

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    };
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    use rustls::{ClientConfig, RootCertStore};
    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::cluster::dial::Dialer;

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    type Pair = (CertificateDer<'static>, PrivateKeyDer<'static>);

    fn pair(authority: &Authority, name: &str) -> Pair {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        (certificate.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    /// The first line of an answer to somebody who says to be `eve`, if there is one.
    async fn ask(listening: &Aggregated, pair: Option<Pair>, head: &str) -> io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(listening.authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match pair {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
        };
        let stream = TcpStream::connect(listening.address).await?;
        let name = "localhost".try_into().unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{head}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.lines().next().map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    #[tokio::test]
    async fn only_the_proxy_of_the_api_server_gets_in() {
        let own = authority();
        let proxy = FrontProxy::read(&json!({
            "requestheader-client-ca-file": own.pem(), "requestheader-allowed-names": "[\"front-proxy\"]",
            "requestheader-username-headers": "[\"X-Who\"]",
        }));
        let nobody = Dialer::new(|| tokio::io::duplex(1).0);
        let client = nobody.client(&kube::Config::new("http://nobody.internal".parse().unwrap())).unwrap();
        let listening = VirtApi::new(client).listen(proxy.unwrap()).await.unwrap();
        let eve = "X-Who: eve\r\n";
        let good = ask(&listening, Some(pair(&own, "front-proxy")), eve).await.unwrap();
        assert_eq!(good, "HTTP/1.1 200 OK");
        // Who asks is said by the proxy, in the header that the cluster has chosen, or by nobody.
        for head in ["", "X-Remote-User: eve\r\n", "X-Who: \r\n"] {
            let answer = ask(&listening, Some(pair(&own, "front-proxy")), head).await.unwrap();
            assert_eq!(answer, "HTTP/1.1 401 Unauthorized", "{head}");
        }
        let others = [None, Some(pair(&authority(), "front-proxy")), Some(pair(&own, "somebody"))];
        for (number, other) in others.into_iter().enumerate() {
            assert!(ask(&listening, other, eve).await.is_err(), "{number}");
        }
        let again = ask(&listening, Some(pair(&own, "front-proxy")), eve).await.unwrap();
        assert_eq!(again, "HTTP/1.1 200 OK", "who was sent away keeps nobody else out");
    }
}
