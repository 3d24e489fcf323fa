//! Streams to guests, which say what they are told.

use std::sync::Arc;

use base64::Engine as _;
use futures::future::BoxFuture;
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use http::{HeaderMap, Request, StatusCode, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use v9s::demo::aggregate::serve_in_place;
use v9s::demo::guests::{Console, Played};
use v9s::demo::virt_api::{Channel, Guests, OpenLine, PROTOCOL, VirtApi};

use super::ask::{Reply, path};
use super::rows::{State, objects};
use crate::support::cluster::{Cluster, runtime};
use crate::support::embedded::Embedded;
use crate::support::linux::{self, Linux};
use crate::support::suite::{Case, Env};
use crate::support::{deadline, poll, stretched};

pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

pub(super) const CASES: &[Case] = &[
    ("streams: consoles, screens and ports carry bytes both ways", |env| {
        make(env, State::Running);
        for rest in [
            "virtualmachineinstances/web/console",
            "virtualmachineinstances/web/portforward/22",
            "virtualmachines/web/portforward/53/udp",
        ] {
            let (mut socket, headers) = open(&env.cluster, &env.namespace, rest, Some(PROTOCOL)).expect(rest);
            assert_eq!(headers[header::SEC_WEBSOCKET_PROTOCOL], PROTOCOL, "{rest}");
            assert!(!headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS));
            say(&mut socket, Message::Binary(Bytes::from_static(b"root\r\n")));
            assert_eq!(hear(&mut socket, 6), b"root\r\n", "{rest}");
            say(&mut socket, Message::Text("text passes, too".into()));
            assert_eq!(hear(&mut socket, 16), b"text passes, too", "{rest}");
            let long: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
            say(&mut socket, Message::Binary(long.clone().into()));
            assert!(hear(&mut socket, long.len()) == long, "{rest}: another text came back");
            say(&mut socket, Message::Close(None));
        }
    }),
    ("streams: a protocol is not insisted on, and only the known one named", |env| {
        make(env, State::Running);
        for offered in [None, Some("v4.channel.k8s.io")] {
            let rest = "virtualmachineinstances/web/console";
            let (mut socket, headers) = open(&env.cluster, &env.namespace, rest, offered).expect("a stream");
            assert!(!headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL), "{headers:?}");
            say(&mut socket, Message::Binary(Bytes::from_static(b"a")));
            assert_eq!(hear(&mut socket, 1), b"a");
        }
    }),
    ("streams: forwarded ports ask whether anybody is there", |env| {
        make(env, State::Running);
        let rest = "virtualmachineinstances/web/portforward/22/tcp";
        let (mut socket, _) = open(&env.cluster, &env.namespace, rest, Some(PROTOCOL)).expect("a stream");
        let ping = within(async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Ping(bytes))) => return bytes,
                    Some(Ok(_)) => {}
                    end => panic!("{end:?} instead of a ping"),
                }
            }
        });
        assert_eq!(&ping[..], b"keep alive");
    }),
    ("streams: what is refused is told instead of a stream", |env| {
        make(env, State::Paused);
        let refused =
            |rest: &str| open(&env.cluster, &env.namespace, rest, Some(PROTOCOL)).map(|_| ()).unwrap_err();
        let reply = refused("virtualmachineinstances/web/portforward/22");
        assert_eq!((reply.code, reply.reason().as_str()), (409, "Conflict"));
        assert!(reply.message().ends_with("VMI is paused"));
        let reply = refused("virtualmachineinstances/missing/console");
        assert_eq!((reply.code, reply.reason().as_str()), (404, "NotFound"));
        // The console of a paused guest opens all the same.
        assert!(open(&env.cluster, &env.namespace, "virtualmachineinstances/web/console", None).is_ok());
    }),
];

fn make(env: &Env, state: State) {
    let all = objects(state, &env.namespace, "web", "node-1");
    all.into_iter().flatten().for_each(|object| {
        env.cluster.create(object);
    });
}

/// Waits for what has to come.
pub(super) fn within<T>(work: impl Future<Output = T>) -> T {
    let patience = stretched(std::time::Duration::from_secs(20));
    runtime().block_on(async { tokio::time::timeout(patience, work).await.expect("in time") })
}

/// Opens a stream; an answer that is none is the error.
#[allow(clippy::result_large_err, reason = "there are few of them")]
pub(super) fn open(
    cluster: &Cluster,
    namespace: &str,
    rest: &str,
    protocol: Option<&str>,
) -> Result<(Socket, HeaderMap), Reply> {
    // A real server closes the connection on which it refused a stream, and says so to nobody: what goes out on it just then
    // is lost.
    let mut tries = (0..3).map(|_| try_open(cluster, namespace, rest, protocol));
    tries.find_map(Result::ok).expect("a connection that stays")
}

/// The request met with the end of its connection.
struct Lost;

#[allow(clippy::result_large_err, reason = "there are few of them")]
fn try_open(
    cluster: &Cluster,
    namespace: &str,
    rest: &str,
    protocol: Option<&str>,
) -> Result<Result<(Socket, HeaderMap), Reply>, Lost> {
    let key = base64::engine::general_purpose::STANDARD.encode(fastrand::u128(..).to_le_bytes());
    let mut request = Request::get(path(namespace, rest))
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, key);
    if let Some(protocol) = protocol {
        request = request.header(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let request = request.body(Body::empty()).expect("a request");
    let client = cluster.client();
    within(async {
        let response = match client.send(request).await {
            Err(kube::Error::Service(why)) if is_lost(&*why) => return Err(Lost),
            answer => answer.expect("an answer"),
        };
        let headers = response.headers().clone();
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let code = response.status().as_u16();
            let bytes = response.into_body().collect_bytes().await.expect("a body");
            return Ok(Err(Reply { code, headers, text: String::from_utf8_lossy(&bytes).into_owned() }));
        }
        let upgraded = hyper::upgrade::on(response).await.expect("an upgrade");
        let upgraded = TokioIo::new(upgraded);
        Ok(Ok((WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await, headers)))
    })
}

fn is_lost(error: &(dyn std::error::Error + 'static)) -> bool {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_incomplete_message)
}

pub(super) fn say(socket: &mut Socket, message: Message) {
    within(socket.send(message)).expect("a message to be sent");
}

/// The next bytes that come, this many.
pub(super) fn hear(socket: &mut Socket, count: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    within(async {
        while heard.len() < count {
            match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => heard.extend_from_slice(&bytes),
                Some(Ok(Message::Ping(_))) => {}
                end => panic!("{end:?} after {} bytes of {count}", heard.len()),
            }
        }
    });
    heard
}

/// Guests of which some say farewell and go, and some do not let anybody in.
struct Leaving;

impl Guests for Leaving {
    fn dial(&self, _: Value, channel: Channel) -> BoxFuture<'static, Result<OpenLine, String>> {
        async move {
            if let Channel::Port { port, address, .. } = channel {
                return Err(format!("dial tcp {address}:{port}: connect: connection refused"));
            }
            let (near, mut far) = tokio::io::duplex(64);
            tokio::spawn(async move {
                let _ = far.write_all(&[b'x'; 1000]).await;
            });
            Ok(Box::new(near) as OpenLine)
        }
        .boxed()
    }
}

#[test]
fn streams_end_with_their_guests() {
    let server = Embedded::new();
    let cluster = server.cluster();
    let client = cluster.client();
    let make = move || Some(VirtApi::with(client.clone(), Leaving, Box::new(Timestamp::now)));
    serve_in_place(server.server(), make);
    for object in objects(State::Running, "shop", "web", "node-1").into_iter().flatten() {
        cluster.create(object);
    }
    let console = "virtualmachineinstances/web/console";
    let (mut socket, _) = open(cluster, "shop", console, Some(PROTOCOL)).expect("a stream");
    assert_eq!(hear(&mut socket, 1000), [b'x'; 1000], "all that was said comes before the end");
    // As with KubeVirt, the connection ends and nothing says why.
    let end = within(socket.next());
    assert!(matches!(end, None | Some(Err(_))), "{end:?}");
    let reply =
        open(cluster, "shop", "virtualmachineinstances/web/portforward/8080", None).map(|_| ()).unwrap_err();
    let why = "Internal error occurred: dialing VM: dial tcp 10.244.1.7:8080: connect: connection refused";
    assert_eq!((reply.code, reply.reason().as_str(), reply.message().as_str()), (500, "InternalError", why));
}

/// Reads until a text comes.
pub(super) fn hear_text(socket: &mut Socket, wanted: &str) -> String {
    let mut heard = String::new();
    within(async {
        while !heard.contains(wanted) {
            match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => heard.push_str(&String::from_utf8_lossy(&bytes)),
                Some(Ok(_)) => {}
                end => panic!("{end:?} instead of {wanted:?} after {heard:?}"),
            }
        }
    });
    heard
}

pub(super) fn is_cut(socket: &mut Socket) -> bool {
    within(async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(_))) => return false,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return true,
            }
        }
    })
}

pub(super) fn type_in(socket: &mut Socket, text: &str) {
    say(socket, Message::Binary(Bytes::copy_from_slice(text.as_bytes())));
}

const CONSOLE: &str = "virtualmachineinstances/web/console";

/// A server with a running machine whose guests are played, or what `consoles` says.
fn with_guests(consoles: &[&str]) -> Embedded {
    let server = Embedded::new();
    let client = server.cluster().client();
    let consoles: Vec<Console> = consoles.iter().map(|text| text.parse().expect("a console")).collect();
    serve_in_place(server.server(), move || {
        let guests = Played::new(client.clone(), Arc::new(Timestamp::now), consoles.clone());
        Some(VirtApi::with(client.clone(), guests, Box::new(Timestamp::now)))
    });
    for object in objects(State::Running, "shop", "web", "node-1").into_iter().flatten() {
        server.cluster().create(object);
    }
    server
}

fn instance() -> Value {
    json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "shop"}})
}

#[test]
fn a_guest_has_a_shell_that_stays_when_its_user_goes_and_only_one_user_at_a_time() {
    let server = with_guests(&[]);
    let (mut first, _) = open(server.cluster(), "shop", CONSOLE, Some(PROTOCOL)).expect("a stream");
    type_in(&mut first, "\rroot\r");
    hear_text(&mut first, "Password: ");
    type_in(&mut first, "root\r");
    hear_text(&mut first, "[root@web ~]# ");
    let (mut second, _) = open(server.cluster(), "shop", CONSOLE, None).expect("a stream");
    assert!(is_cut(&mut first), "who was there before is cut off without a word");
    type_in(&mut second, "whoami\r");
    assert!(hear_text(&mut second, "root\r\n").contains("whoami"), "the shell has gone on");
    drop(second);
    let (mut third, _) = open(server.cluster(), "shop", CONSOLE, None).expect("a stream");
    type_in(&mut third, "echo again\r");
    hear_text(&mut third, "\r\nagain\r\n");
}

#[test]
fn a_guest_stands_still_while_it_is_paused_moves_and_ends() {
    let server = with_guests(&[]);
    let cluster = server.cluster();
    let (mut socket, _) = open(cluster, "shop", CONSOLE, None).expect("a stream");
    type_in(&mut socket, "\rroot\rroot\r");
    hear_text(&mut socket, "# ");
    let moved = |node: &str| cluster.patch(&instance(), json!({"status": {"nodeName": node}}));
    moved("node-2");
    assert!(is_cut(&mut socket), "a guest that moves takes the line with it");
    let (mut socket, _) = open(cluster, "shop", CONSOLE, None).expect("a stream");
    type_in(&mut socket, "reboot\r");
    hear_text(&mut socket, "web login: ");
    type_in(&mut socket, "root\rroot\rpoweroff\r");
    hear_text(&mut socket, "Power down");
    assert!(is_cut(&mut socket));
    let told = poll(deadline(), || {
        cluster.get(&instance())?["metadata"]["annotations"]["v9s.dev/guest"].as_str().map(str::to_owned)
    });
    assert_eq!(told.as_deref(), Some("powered-off"));
}

#[test]
fn a_program_may_stand_behind_a_console() {
    let server = with_guests(&["shop/web=exec:echo hello; read line; echo \"<$line>\""]);
    let (mut socket, _) = open(server.cluster(), "shop", CONSOLE, None).expect("a stream");
    type_in(&mut socket, "you\r");
    hear_text(&mut socket, "<you>");
    assert!(is_cut(&mut socket), "its end ends the line");
}

#[test]
fn a_real_linux_is_used_through_the_stream_of_its_console() {
    let Some(machine) = Linux::boot() else { return };
    let server = with_guests(&[&linux::behind("shop/web", &machine.socket())]);
    let (mut socket, _) = open(server.cluster(), "shop", CONSOLE, Some(PROTOCOL)).expect("a stream");
    let boot = hear_text(&mut socket, "guest login: ");
    assert!(boot.contains("Linux version") && boot.contains("A real Linux"), "{boot}");
    type_in(&mut socket, "root\r");
    hear_text(&mut socket, "# ");
    // A vi that has to ask for the size takes a late answer for keys.
    type_in(&mut socket, "stty rows 24 cols 80; vi /tmp/note\r");
    hear_text(&mut socket, "~");
    type_in(&mut socket, "ihello");
    hear_text(&mut socket, "hello");
    // An escape alone, and not the beginning of a sequence.
    type_in(&mut socket, "\x1b");
    hear_text(&mut socket, "- /tmp/note [Modified]");
    type_in(&mut socket, ":wq\r");
    hear_text(&mut socket, "# ");
    drop(socket);
    let (mut socket, _) = open(server.cluster(), "shop", CONSOLE, None).expect("a stream");
    type_in(&mut socket, "cat /tmp/note; reboot -f\r");
    let end = hear_text(&mut socket, "guest login: ");
    assert!(end.contains("\nhello") && end.contains("Restarting system"), "{end}");
}
