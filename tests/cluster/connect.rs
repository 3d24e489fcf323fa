//! Getting to a server, and the sentence that a person reads when that fails.

use std::io::{Read, Write};
use std::net::TcpListener;

use http::Method;
use v9s::cluster::connect::AuthKind;
use v9s::cluster::error::{Failure, FailureKind};
use v9s::records::Kind;

use crate::support::kubeconfig::Kubeconfig;
use crate::support::live::{Live, connection, discovery, within};
use crate::support::objects::vm;
use crate::support::suite::{Case, Env};

pub(super) const CASES: &[Case] = &[
    ("connect: the administrator comes in by a certificate", |env| {
        let live = Live::new(env.admin());
        let info = live.connection().info();
        assert_eq!((info.context.as_str(), info.user.as_str()), ("admin", "admin"));
        assert_eq!(info.server.trim_end_matches('/'), env.user("admin").url());
        assert_eq!(info.auth, AuthKind::Certificate);
        assert_eq!(info.namespace, "default");
        assert!(live.discovery.features().kubevirt);
    }),
    ("connect: a token is enough", |env| {
        env.cluster.create(vm(&env.namespace, "web"));
        let kubeconfig = env.user("token").write(env.folder(), "token");
        let mut live = Live::new(&kubeconfig);
        assert_eq!(live.connection().info().auth, AuthKind::Token);
        live.open(Kind::Vm, within(&[&env.namespace]));
        live.until_live(&[Kind::Vm]);
        assert_eq!(live.names(Kind::Vm), ["web"]);
    }),
    ("connect: a user of one namespace comes in and begins there", |env| {
        let live = Live::new(&env.user("shop").write(env.folder(), "shop"));
        assert_eq!(live.connection().info().namespace, "shop");
        assert!(live.discovery.features().kubevirt);
    }),
    ("connect: the version is the server's own", |env| {
        let said = env.cluster.request(Method::GET, "/version", None).unwrap();
        let version = Live::new(env.admin()).discovery.version;
        assert_eq!(said["gitVersion"], version.git_version.as_str());
        let (major, minor) = version.parsed.unwrap();
        assert_eq!((said["major"].as_str().unwrap(), minor), (major.to_string().as_str(), minor));
        assert!(said["minor"].as_str().unwrap().starts_with(&minor.to_string()));
    }),
    ("connect: an authority that signed nothing", |env| {
        expect(
            env,
            &env.user("admin").wrong_authority(),
            FailureKind::WrongCa,
            &["signed by an authority that this context does not trust", "Fetch its kubeconfig again"],
        );
    }),
    ("connect: nobody listens", |env| {
        // The port is free again when the listener is gone.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let kubeconfig = env.user("admin").server(&format!("https://127.0.0.1:{port}"));
        expect(env, &kubeconfig, FailureKind::Refused, &["refuses connections", "Is it running"]);
    }),
    ("connect: a host without address", |env| {
        let kubeconfig = env.user("admin").server("https://no-such-host.invalid:6443");
        expect(env, &kubeconfig, FailureKind::Dns, &["no-such-host.invalid", "has no address", "VPN"]);
    }),
    ("connect: a token that the server does not know", |env| {
        let kubeconfig = env.user("admin").token("wrong-and-secret");
        let failure = expect(
            env,
            &kubeconfig,
            FailureKind::Unauthorized,
            &["does not accept this login", "Log in again"],
        );
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }),
    ("connect: no credentials", |env| {
        expect(
            env,
            &env.user("admin").without_credentials(),
            FailureKind::Forbidden,
            &["Not allowed", "system:anonymous", "no login"],
        );
    }),
    ("connect: TLS to a server that does not speak it", |env| {
        let kubeconfig = env.user("admin").server(&format!("https://{}", plain_server()));
        expect(env, &kubeconfig, FailureKind::Tls, &["does not speak TLS", "Is the port right?"]);
    }),
    ("connect: no TLS to a server that wants it", |env| {
        let url = env.user("admin").url().replace("https://", "http://");
        let kubeconfig = env.user("token").server(&url);
        expect(env, &kubeconfig, FailureKind::Tls, &["speaks TLS", "Write https://"]);
    }),
];

/// Checks what a person reads who comes with this kubeconfig; the server is
/// named in it, except where the server itself speaks of rights.
fn expect(env: &Env, kubeconfig: &Kubeconfig, kind: FailureKind, parts: &[&str]) -> Failure {
    let server = kubeconfig.url();
    let path = kubeconfig.write(env.folder(), "kubeconfig");
    // Making a connection asks the server nothing.
    connection(&path).unwrap();
    let failure = discovery(&path).unwrap_err();
    let text = failure.to_string();
    assert_eq!(failure.kind, kind, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
    assert!(kind == FailureKind::Forbidden || text.contains(&server), "{text}");
    failure
}

/// Starts a server that answers everything in plain HTTP and returns its address.
fn plain_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let _ = client.read(&mut [0; 4096]);
            let _ = client
                .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}
