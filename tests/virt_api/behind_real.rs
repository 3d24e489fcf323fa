//! What is true of the way from a real kube-apiserver to the service.

use http::Method;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

use v9s::demo::metrics_api::{self, MetricsApi};
use v9s::demo::virt_api::FrontProxy;

use super::Real;
use super::streams::within;

/// What somebody gets who connects with this key pair of the cluster, or with none, and says to be somebody.
fn directly(real: &Real, identity: Option<&str>) -> String {
    let mut roots = RootCertStore::empty();
    let authority =
        CertificateDer::from_pem_slice(real.listening.authority.as_bytes()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("TLS");
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let file = |end: &str| real.server.dir().join(format!("pki/{name}.{end}"));
            let certificate = CertificateDer::from_pem_file(file("crt")).expect("a certificate");
            let key = PrivateKeyDer::from_pem_file(file("key")).expect("a key");
            builder.with_client_auth_cert(vec![certificate], key).expect("a key pair")
        }
    };
    let address = real.listening.address;
    within(async {
        let asked = async {
            let stream = tokio::net::TcpStream::connect(address).await?;
            let name = "localhost".try_into().expect("a name");
            let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            let request = "GET /apis/subresources.kubevirt.io/v1/version HTTP/1.1\r\nHost: x\r\nX-Remote-User: admin\r\n\
                           X-Remote-Group: system:masters\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer.lines().next().unwrap_or_default().to_owned())
        };
        asked.await.unwrap_or_else(|why| format!("no answer: {}", why.kind()))
    })
}

pub(super) fn nobody_forges_who_asks(real: &Real) {
    assert_eq!(directly(real, Some("front-proxy")), "HTTP/1.1 200 OK", "the proxy itself");
    for other in [None, Some("admin"), Some("shop")] {
        let got = directly(real, other);
        assert!(!got.contains("HTTP"), "{other:?} got {got}");
    }
}

pub(super) fn what_was_registered_goes_away(real: Real) {
    let Real { registration, listening, server } = real;
    let there = || {
        server.cluster().request(Method::GET, "/api/v1/namespaces/kubevirt/services/virt-api", None).is_ok()
    };
    assert!(there());
    within(registration.remove()).expect("the objects to be deleted");
    assert!(!there());
    let services = server.cluster().request(Method::GET, "/apis/apiregistration.k8s.io/v1/apiservices", None);
    let text = services.expect("a list").to_string();
    assert!(!text.contains("subresources.kubevirt.io"), "an APIService is left");
    let address = listening.address;
    drop(listening);
    let closed = || std::net::TcpStream::connect(address).is_err().then_some(());
    crate::support::poll(crate::support::deadline(), closed).expect("the port to be closed");
}

/// The other group that is played is reached on the same way.
pub(super) fn what_is_used_is_told(real: &Real) {
    let cluster = real.server.cluster();
    let client = cluster.client();
    let (registration, listening) = within(async {
        let proxy = FrontProxy::of(&client).await.expect("the proxy's authority");
        let listening = MetricsApi::new(client.clone()).listen(proxy).await.expect("a port");
        let port = listening.address.port();
        let registered = metrics_api::register(client, port, &listening.authority).await;
        let registration = registered.expect("a registration");
        registration.available().await.expect("the group");
        (registration, listening)
    });
    let path = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods";
    let got = cluster.request(Method::GET, path, None).expect("metrics");
    assert_eq!(got["kind"], "PodMetricsList");
    within(registration.remove()).expect("no trace of it");
    drop(listening);
}
