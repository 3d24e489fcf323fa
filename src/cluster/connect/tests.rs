use std::fs;
use std::time::Instant;

use crate::cluster::access::{Question, may, rules};
use crate::cluster::testing::{Answer, Server, connect_to, one_context, say};

use super::*;

mod login;
mod tls;

const LONG: Duration = Duration::from_secs(30);

fn get(path: &str) -> Request<Vec<u8>> {
    Request::get(path).body(Vec::new()).unwrap()
}

fn request(method: &str, path: &str) -> Request<Vec<u8>> {
    Request::builder().method(method).uri(path).body(b"{}".to_vec()).unwrap()
}

async fn to(server: &Server, user: &str, flags: &Flags) -> Connection {
    let folder = tempfile::tempdir().unwrap();
    let configuration = one_context(folder.path(), &format!("server: '{}'", server.url), user);
    connect_to(&configuration, flags).await.unwrap()
}

#[tokio::test]
async fn headers_carry_identity_and_agent_once() {
    let server = Server::start(|_| say(200, "{}")).await;
    let flags = Flags { as_group: vec!["admins".into(), "ops".into()], ..Flags::default() };
    let user = "token: abc, as: carol, as-uid: '7', as-groups: [old], as-user-extra: {scopes: [view]}";
    let connection = to(&server, user, &flags).await;
    connection.send(get("/api/v1/pods?watch=1"), LONG).await.unwrap();
    connection.send(get("/api/v1/pods?limit=5"), LONG).await.unwrap();
    let seen = server.seen();
    let (watch, list) = (&seen[0], &seen[1]);
    assert_eq!(list.path, "/api/v1/pods?limit=5");
    assert_eq!(list.all("user-agent"), [concat!("v9s/", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(list.all("authorization"), ["Bearer abc"]);
    assert_eq!(list.all("impersonate-user"), ["carol"]);
    assert_eq!(list.all("impersonate-uid"), ["7"]);
    assert_eq!(list.all("impersonate-group"), ["admins", "ops"]);
    assert_eq!(list.all("impersonate-extra-scopes"), ["view"]);
    assert_eq!(list.all("accept-encoding"), [""; 0], "no compression on loopback");
    assert_eq!(watch.all("accept-encoding"), ["identity"]);
    assert_eq!(connection.info().auth, AuthKind::Token);
    assert_eq!(connection.info().impersonates.as_deref(), Some("carol"));
}

#[tokio::test]
async fn errors_come_back_at_once_and_in_words() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/busy" => Answer::Say(503, "retry-after: 1\r\n", "service unavailable".into()),
        "/slow" => Answer::Nothing,
        "/cut" => Answer::HangUp,
        "/long" => say(200, "x".repeat(LONGEST_DOCUMENT + 1)),
        _ => say(200, "<html>"),
    })
    .await;
    let connection = to(&server, "", &Flags::default()).await;
    let start = Instant::now();
    let busy = connection.send(get("/busy"), LONG).await.unwrap_err();
    let pause = Some(Duration::from_secs(1));
    assert_eq!(busy.kind, FailureKind::Unavailable { retry_after: pause });
    assert!(busy.what.contains(&server.url));
    assert!(start.elapsed() < Duration::from_millis(900), "nothing retries behind our back");
    assert_eq!(server.seen().len(), 1);

    let slow = connection.send(get("/slow"), Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(slow.kind, FailureKind::Timeout);
    let cut = connection.send(get("/cut"), LONG).await.unwrap_err();
    assert_eq!(cut.kind, FailureKind::Disconnected, "{cut}");
    let garbage = connection.get_json::<u8>("/page", "application/json", LONG).await.unwrap_err();
    assert_eq!(garbage.kind, FailureKind::Garbage);
    let long = connection.get_text("/long", "text/plain", LONG).await.unwrap_err();
    assert!(long.what.contains("64 MiB"), "{long}");
    let unknown = connection.change(request("POST", "/slow"), Duration::from_millis(50)).await.unwrap_err();
    assert!(unknown.remedy.unwrap().contains("not known whether"));

    let flags = Flags { request_timeout: Some(Duration::from_millis(20)), ..Flags::default() };
    let hasty = to(&server, "", &flags).await;
    assert_eq!(hasty.send(get("/slow"), LONG).await.unwrap_err().kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_read_on_a_connection_that_the_server_closes_just_then_is_sent_again_and_a_change_is_not() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 | 2 => Answer::HangUp,
        _ => say(200, "{}"),
    })
    .await;
    let connection = to(&server, "", &Flags::default()).await;
    connection.get_text("/version", "*/*", LONG).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    let cut = connection.change(request("POST", "/x"), LONG).await.unwrap_err();
    assert_eq!((cut.kind, server.seen().len()), (FailureKind::Disconnected, 3));
}

#[tokio::test]
async fn nobody_there_is_told_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let folder = tempfile::tempdir().unwrap();
    let configuration = one_context(folder.path(), &format!("server: '{url}'"), "");
    let connection = connect_to(&configuration, &Flags::default()).await.unwrap();
    let failure = connection.send(get("/version"), LONG).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        format!("The API server {url} refuses connections. Is it running, is a tunnel needed?")
    );
}

#[tokio::test]
async fn nothing_that_changes_reaches_the_server_through_a_closed_gate() {
    let server = Server::start(|_| say(200, "{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let configuration = one_context(folder.path(), &format!("server: '{}'", server.url), "");
    let gate = Gate::new(false);
    gate.show(ContextId(1));
    let here = ContextId(1);
    let readonly = Flags { readonly: true, ..Flags::default() };
    let locked = connect(&configuration, None, &readonly, here, &gate).await.unwrap();
    let other = connect(&configuration, None, &Flags::default(), ContextId(2), &gate).await.unwrap();
    let open = connect(&configuration, None, &Flags::default(), here, &gate).await.unwrap();
    let vm = "/apis/kubevirt.io/v1/namespaces/a/virtualmachines/x";
    let console = "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/x/console";
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        let refused = locked.change(request(method, vm), LONG).await.unwrap_err();
        assert_eq!(refused.to_string(), "This session is read-only (--readonly); nothing was sent.");
        let refused = other.change(request(method, vm), LONG).await.unwrap_err();
        assert_eq!(refused.to_string(), "here is not the context on screen; nothing was sent.");
        for connection in [&locked, &other, &open] {
            let refused = connection.send(request(method, vm), LONG).await.unwrap_err();
            assert_eq!(refused.kind, FailureKind::ReadOnly, "reads have a door of their own");
            assert!(connection.open(request(method, console), LONG).await.is_err());
        }
    }
    let exec = "/api/v1/namespaces/a/pods/x/exec?command=reboot";
    for connection in [&locked, &other] {
        assert!(connection.open(get(exec), LONG).await.is_err());
        assert!(connection.change(get(exec), LONG).await.is_err());
        assert!(connection.change(get(console), LONG).await.is_err());
    }
    assert!(other.open(get(console), LONG).await.is_err());
    assert!(open.send(get(console), LONG).await.is_err());
    assert!(server.seen().is_empty());

    locked.send(get(vm), LONG).await.unwrap();
    other.send(get(vm), LONG).await.unwrap();
    open.change(request("DELETE", vm), LONG).await.unwrap();
    gate.show(ContextId(2));
    assert_eq!(open.change(request("DELETE", vm), LONG).await.unwrap_err().kind, FailureKind::OtherContext);
    other.change(request("DELETE", vm), LONG).await.unwrap();
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET", "GET", "DELETE", "DELETE"]);
}

#[tokio::test]
async fn reviews_pass_a_closed_gate() {
    let server = Server::start(|seen| match seen.path.rsplit('/').next() {
        Some("selfsubjectaccessreviews") => {
            assert!(String::from_utf8_lossy(&seen.body).contains("\"subresource\":\"start\""));
            say(201, r#"{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{},
                "status":{"allowed":false,"reason":"RBAC:\u001b no"}}"#)
        }
        _ => say(201, r#"{"kind":"SelfSubjectRulesReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{},
            "status":{"incomplete":true,"nonResourceRules":[],"resourceRules":[{"verbs":["get","list"],"apiGroups":["*"],"resources":["virtualmachines"]}]}}"#),
    })
    .await;
    let flags = Flags { readonly: true, ..Flags::default() };
    let connection = to(&server, "", &flags).await;
    let question = Question {
        verb: "update".into(),
        group: "subresources.kubevirt.io".into(),
        resource: "virtualmachines".into(),
        subresource: "start".into(),
        namespace: "a".into(),
        ..Question::default()
    };
    let verdict = may(&connection, &question).await.unwrap();
    assert_eq!((verdict.allowed, verdict.reason.as_str()), (false, "RBAC:␛ no"));
    let rules = rules(&connection, "a").await.unwrap();
    assert_eq!(rules.allow("list", "kubevirt.io", "virtualmachines"), Some(true));
    assert_eq!(rules.allow("delete", "kubevirt.io", "virtualmachines"), None, "the list is incomplete");
}

#[tokio::test]
async fn settings_that_cannot_work_fail_before_anything_is_sent() {
    let cases = [
        ("server: 'ftp://x'", "", "is not an http:// or https:// URL"),
        ("server: 'https://'", "", "cannot be understood"),
        ("{}", "", "has no server URL"),
        (
            "server: 'https://x', certificate-authority: none.crt",
            "",
            "certificate authority of the cluster c cannot be used",
        ),
        ("server: 'https://x', certificate-authority-data: QUJD", "", "holds no certificate"),
        ("server: 'https://x', proxy-url: 'ftp://p'", "", "a kind that cannot be used (ftp)"),
        ("server: 'https://x'", "client-certificate: none.crt, client-key: none.key", "none.crt"),
        ("server: 'https://x'", "tokenFile: none", "token file"),
        ("server: 'https://x'", "as-groups: [g]", "cannot be impersonated without a user"),
    ];
    for (cluster, user, part) in cases {
        let folder = tempfile::tempdir().unwrap();
        let cluster = if cluster == "{}" { "" } else { cluster };
        let configuration = one_context(folder.path(), cluster, user);
        let failure = connect_to(&configuration, &Flags::default()).await.unwrap_err();
        assert!(failure.to_string().contains(part), "{cluster}: {failure}");
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_may_refuse() {
    let proxy = Server::start(|_| say(407, "")).await;
    let folder = tempfile::tempdir().unwrap();
    let url = proxy.url.replace("http://", "http://user:p%40ss@");
    let cluster = format!("server: 'https://api.example.org:6443', proxy-url: '{url}'");
    let configuration = one_context(folder.path(), &cluster, "token: abc");
    let connection = connect_to(&configuration, &Flags::default()).await.unwrap();
    let failure = connection.send(get("/version"), LONG).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Proxy, "{failure}");
    let seen = &proxy.seen()[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("CONNECT", "api.example.org:6443"));
    assert_eq!(seen.all("proxy-authorization"), ["Basic dXNlcjpwQHNz"]);
    assert_eq!(seen.all("authorization"), [""; 0], "the token is for the server only");
}

#[tokio::test]
async fn an_upgrade_is_handed_out_as_it_is() {
    let answer = "connection: upgrade\r\nupgrade: websocket\r\n";
    let server = Server::start(move |_| Answer::Say(101, answer, String::new())).await;
    let connection = to(&server, "", &Flags::default()).await;
    let console = "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/x/console";
    let mut request = get(console);
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    request.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let response = connection.open(request, LONG).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
}

#[tokio::test]
async fn a_body_is_streamed_while_the_server_still_writes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cluster = format!("server: 'http://{}'", listener.local_addr().unwrap());
    let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        wait.await.unwrap();
        // The server goes away in the middle.
    });
    let folder = tempfile::tempdir().unwrap();
    let connection = connect_to(&one_context(folder.path(), &cluster, ""), &Flags::default()).await.unwrap();
    let response = connection.send(get("/api/v1/pods?watch=true"), LONG).await.unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "one");
    go_on.send(()).unwrap();
    let broken = body.frame().await.unwrap().unwrap_err();
    assert_eq!(connection.explain(&broken).kind, FailureKind::Disconnected);
    task.await.unwrap();
}

#[tokio::test]
async fn credentials_do_not_travel_in_clear_text() {
    let folder = tempfile::tempdir().unwrap();
    let configuration =
        one_context(folder.path(), "server: 'http://user:pw@api.example.org/base/'", "token: abc");
    let connection = connect_to(&configuration, &Flags::default()).await.unwrap();
    assert_eq!(connection.info().auth, AuthKind::None);
    assert_eq!(connection.info().server, "http://api.example.org/base");
}
