//! TLS as rustls and kube really do it, against servers with certificates made here.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name` that ends in `year`.
fn certificate(authority: &Authority, name: &str, year: i32) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    (params.signed_by(&key, authority).unwrap(), key)
}

/// A server with that certificate; with `clients`, one that wants a client certificate signed by them.
async fn serve(certificate: CertificateDer<'static>, key: &KeyPair, clients: Option<&Authority>) -> Server {
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let config = builder.with_single_cert(vec![certificate], key).unwrap();
    Server::run(Some(TlsAcceptor::from(Arc::new(config))), |_| say(200, "{}")).await
}

async fn serve_as(authority: &Authority, name: &str, year: i32) -> Server {
    let (certificate, key) = certificate(authority, name, year);
    serve(certificate.der().clone(), &key, None).await
}

/// Asks the server for something, trusting `authority`.
async fn ask(url: &str, authority: &Authority, more: &str, user: &str) -> Result<Connection, Failure> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.crt"), authority.pem()).unwrap();
    let cluster = format!("server: '{url}', certificate-authority: ca.crt{more}");
    let configuration = one_context(folder.path(), &cluster, user);
    let connection = connect_to(&configuration, &Flags::default()).await?;
    connection.send(get("/version"), LONG).await?;
    Ok(connection)
}

#[tokio::test]
async fn certificates_are_checked_and_failures_told_apart() {
    let (ours, theirs) = (authority(), authority());
    let ask =
        async |url: &str, authority: &Authority, more: &str| ask(url, authority, more, "token: abc").await;
    let good = serve_as(&ours, "127.0.0.1", 2100).await;
    ask(&good.url, &ours, "").await.unwrap();
    assert_eq!(good.seen()[0].all("authorization"), ["Bearer abc"]);

    let wrong = ask(&good.url, &theirs, "").await.unwrap_err();
    assert_eq!(wrong.kind, FailureKind::WrongCa, "{wrong}");
    ask(&good.url, &theirs, ", insecure-skip-tls-verify: true").await.unwrap();

    let named = serve_as(&ours, "api.example.org", 2100).await;
    let failure = ask(&named.url, &ours, "").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::WrongCa);
    let text = failure.to_string();
    assert!(text.contains("not valid for this host name") && text.contains("api.example.org"), "{text}");
    ask(&named.url, &ours, ", tls-server-name: api.example.org").await.unwrap();

    let old = serve_as(&ours, "127.0.0.1", 2020).await;
    let failure = ask(&old.url, &ours, "").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::CertificateExpired, "{failure}");
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_a_wrong_authority() {
    let own = authority();
    let server = serve(own.der().clone(), own.key(), None).await;
    let failure = ask(&server.url, &authority(), "", "").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::WrongCa, "{failure}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    // Answers in clear text whatever comes, as a web server on the wrong port does.
    let task = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await;
        let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
    });
    let failure = ask(&url, &authority(), "", "").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    assert!(failure.what.contains("does not speak TLS"), "{failure}");
    task.await.unwrap();
}

#[tokio::test]
async fn a_plugin_may_give_a_client_certificate() {
    let ours = authority();
    let (public, key) = certificate(&ours, "127.0.0.1", 2100);
    let server = serve(public.der().clone(), &key, Some(&ours)).await;

    let (client, client_key) = certificate(&ours, "carol", 2100);
    let folder = tempfile::tempdir().unwrap();
    let answer = serde_json::json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
        "status": {"clientCertificateData": client.pem(), "clientKeyData": client_key.serialize_pem()},
    });
    let file = folder.path().join("answer.json");
    fs::write(&file, answer.to_string()).unwrap();
    let user = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, command: cat, args: ['{}']}}",
        file.display()
    );
    ask(&server.url, &ours, "", &user).await.unwrap();

    let failure = ask(&server.url, &ours, "", "").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    assert!(failure.what.contains("client certificate"), "{failure}");
}
