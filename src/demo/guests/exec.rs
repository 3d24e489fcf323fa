//! Commands in the containers of a played cluster, over a WebSocket as kubelets carry them: a byte before each message says which
//! stream it is of, and what ends a command is told as a Status. All that such a container knows is how to reach the guest in it.

use std::io;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::api::{Api, DynamicObject};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::driver::Played;
use super::home::{POD, VIRTINK, resource};
use crate::demo::virt_api::OpenLine;

/// The protocols that are spoken. In the newer one a client can say that it types no more.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// The longest message that is taken, and how much goes out at a time, in bytes.
const LONGEST: usize = 4 << 20;
const PIECE: usize = 32 << 10;

/// The label of the pod of one of Virtink's machines, and the container that its guest is in.
const LABEL: &str = "virtink.io/vm.name";
const HYPERVISOR: &str = "cloud-hypervisor";

/// The terminal that Cloud Hypervisor has for a guest's `hvc0`.
const TERMINAL: &str = "/dev/pts/0";

/// What the first byte of a message names.
mod channel {
    pub(super) const STDIN: u8 = 0;
    pub(super) const STDOUT: u8 = 1;
    pub(super) const STDERR: u8 = 2;
    pub(super) const ERROR: u8 = 3;
    /// The size of a terminal; the one of a guest has none.
    pub(super) const RESIZE: u8 = 4;
    /// Of the newer protocol: the stream that the next byte names has ended.
    pub(super) const CLOSE: u8 = 255;
}

/// What is answered with.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// The containers of a cluster.
#[derive(Clone, Debug)]
pub struct Containers {
    played: Played,
}

/// What a command does.
#[derive(Debug, PartialEq, Eq)]
enum Does {
    /// It carries bytes to and from the guest's terminal.
    Attaches,
    /// It says something, and ends.
    Says(String),
    /// There is no such program.
    Nothing,
}

/// What a request wants to run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    command: Vec<String>,
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Wanted {
    /// Reads it; API servers and kubelets have names of their own for the same.
    fn of(query: &str) -> Self {
        let mut wanted = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let flag = matches!(&*value, "true" | "1");
            match &*name {
                "command" => wanted.command.push(value.into_owned()),
                "stdin" | "input" => wanted.stdin = flag,
                "stdout" | "output" => wanted.stdout = flag,
                "stderr" | "error" => wanted.stderr = flag,
                _ => {}
            }
        }
        wanted
    }

    /// What it does in a container.
    fn does(&self, pod: &Value, container: &str) -> Does {
        let words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        if pod["metadata"]["labels"][LABEL].is_null() || container != HYPERVISOR {
            return Does::Nothing;
        }
        match words[..] {
            // Whatever the script does in detail: it asks for the terminal, and carries bytes.
            ["sh" | "/bin/sh", "-c", script] if script.contains("ch-remote") && script.contains("cat") => {
                Does::Attaches
            }
            ["cat" | "screen", TERMINAL] => Does::Attaches,
            ["ch-remote", .., "info"] => {
                let console = json!({"file": TERMINAL, "mode": "Pty", "iommu": false});
                Does::Says(json!({"config": {"console": console}, "state": "Running"}).to_string())
            }
            _ => Does::Nothing,
        }
    }
}

/// How a command ended.
enum Ended {
    Code(u8),
    NoProgram(String),
}

impl Ended {
    fn status(&self) -> Value {
        match self {
            Self::Code(0) => json!({"metadata": {}, "status": "Success"}),
            Self::Code(code) => json!({
                "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
                "message": format!("command terminated with non-zero exit code: exit status {code}"),
                "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
            }),
            Self::NoProgram(name) => {
                let why = format!(
                    "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec \
                     failed: exec failed: unable to start container process: exec: {name:?}: executable file not found in $PATH"
                );
                json!({
                    "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
                    "message": format!("Internal error occurred: {why}"), "details": {"causes": [{"message": why}]},
                })
            }
        }
    }
}

/// Ended from outside: its container is gone.
const KILLED: u8 = 137;

impl Containers {
    /// Containers on the cluster of these guests.
    pub fn new(played: Played) -> Self {
        Self { played }
    }

    fn client(&self) -> Client {
        self.played.client()
    }

    /// Answers a request to run a command, of which is known already that its pod and container are there.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        namespace: String,
        pod: String,
        container: String,
    ) -> Response<Body> {
        let wanted = Wanted::of(request.uri().query().unwrap_or_default());
        if !(wanted.stdin || wanted.stdout || wanted.stderr) {
            return refuse("you must specify at least 1 of stdin, stdout, stderr");
        }
        let (accept, protocol) = match handshake(request.headers()) {
            Ok(agreed) => agreed,
            Err(why) => return refuse(&why),
        };
        let pods: Api<DynamicObject> = Api::namespaced_with(self.client(), &namespace, &resource(POD));
        let object = match pods.get(&pod).await {
            Ok(object) => serde_json::to_value(object).unwrap_or_default(),
            Err(why) => return refuse(&why.to_string()),
        };
        let this = self.clone();
        tokio::spawn(async move { this.run(request, wanted, object, container).await });
        let mut response = Response::new(Full::default().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        response
    }

    async fn run(&self, request: Request<Incoming>, wanted: Wanted, pod: Value, container: String) {
        let upgraded = match hyper::upgrade::on(request).await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(why) => return tracing::debug!(%why, "a command was not run"),
        };
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        let mut socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
        // As kubelets begin: something empty on the first stream that one can hear.
        let first = match (wanted.stdout, wanted.stderr) {
            (true, _) => channel::STDOUT,
            (false, true) => channel::STDERR,
            _ => channel::ERROR,
        };
        if socket.send(message(first, &[])).await.is_err() {
            return;
        }
        let ended = match wanted.does(&pod, &container) {
            Does::Nothing => Ended::NoProgram(wanted.command.first().cloned().unwrap_or_default()),
            Does::Says(text) => {
                let _ = socket.send(message(channel::STDOUT, text.as_bytes())).await;
                Ended::Code(0)
            }
            Does::Attaches => match self.line(&pod).await {
                Ok(line) => match carry(&mut socket, line, &wanted).await {
                    Some(ended) => ended,
                    None => return,
                },
                Err(why) => {
                    let _ = socket.send(message(channel::STDERR, format!("{why}\n").as_bytes())).await;
                    Ended::Code(42)
                }
            },
        };
        let _ = socket.send(message(channel::ERROR, ended.status().to_string().as_bytes())).await;
        let farewell = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let _ = socket.close(Some(farewell)).await;
    }

    /// A line to the guest in a pod.
    async fn line(&self, pod: &Value) -> Result<OpenLine, String> {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let machine = pod["metadata"]["labels"][LABEL].as_str().unwrap_or_default();
        let machines: Api<DynamicObject> =
            Api::namespaced_with(self.client(), namespace, &resource(VIRTINK.resource));
        let machine = machines.get(machine).await.map_err(|why| why.to_string())?;
        let machine = serde_json::to_value(machine).unwrap_or_default();
        if machine["status"]["vmPodName"] != name || machine["status"]["phase"] != "Running" {
            return Err("no guest runs here".to_owned());
        }
        self.played.line(&VIRTINK, &machine).await
    }
}

fn message(stream: u8, bytes: &[u8]) -> Message {
    Message::Binary([&[stream], bytes].concat().into())
}

/// Carries bytes until the guest's line or the client's input ends; says how the command ended, or nothing if the client is gone.
async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    line: OpenLine,
    wanted: &Wanted,
) -> Option<Ended> {
    let (mut to_client, mut from_client) = socket.split();
    let (mut from_guest, mut to_guest) = tokio::io::split(line);
    let typed = async {
        loop {
            let bytes = match from_client.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Text(text))) => Bytes::from(text),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => continue,
            };
            match bytes.split_first() {
                Some((&channel::STDIN, rest)) if wanted.stdin => {
                    if to_guest.write_all(rest).await.is_err() || to_guest.flush().await.is_err() {
                        return Some(Ended::Code(KILLED));
                    }
                }
                Some((&channel::CLOSE, [channel::STDIN])) => return Some(Ended::Code(0)),
                Some((&channel::RESIZE, _)) | Some(_) | None => {}
            }
        }
    };
    let said = async {
        let mut piece = vec![0; PIECE];
        loop {
            match from_guest.read(&mut piece).await {
                Ok(0) | Err(_) => return Some(Ended::Code(KILLED)),
                Ok(_) if !wanted.stdout => {}
                Ok(length) => {
                    let said = message(channel::STDOUT, &piece[..length]);
                    if to_client.send(said).await.is_err() {
                        return None;
                    }
                }
            }
        }
    };
    tokio::select! {
        ended = typed => ended,
        ended = said => ended,
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// What a client proves itself a WebSocket with, and the protocol that both speak: the first one that the client offers.
fn handshake(headers: &HeaderMap) -> Result<(HeaderValue, &'static str), String> {
    let upgrades = has_token(headers, &header::CONNECTION, "upgrade")
        && has_token(headers, &header::UPGRADE, "websocket")
        && has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13");
    if !upgrades {
        return Err("Upgrade request required: the played containers speak WebSocket only".to_owned());
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    let accept = HeaderValue::from_str(&derive_accept_key(key)).map_err(|why| why.to_string())?;
    let offered = tokens(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    let mut known = offered.filter_map(|offered| PROTOCOLS.into_iter().find(|known| *known == offered));
    let protocol =
        known.next().ok_or_else(|| format!("the protocols here are {}", PROTOCOLS.join(" and ")))?;
    Ok((accept, protocol))
}

fn refuse(why: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": why,
        "reason": "BadRequest", "code": 400,
    });
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_knows_how_its_guest_is_reached_and_nothing_else() {
        let virtink = json!({"metadata": {"labels": {LABEL: "web"}}});
        let does = |words: &[&str], pod: &Value, container: &str| {
            let words = words.iter().map(|word| format!("command={word}")).collect::<Vec<_>>().join("&");
            Wanted::of(&words).does(pod, container)
        };
        let script = "p=$(ch-remote info)%0Acat $p";
        assert_eq!(does(&["sh", "-c", script], &virtink, HYPERVISOR), Does::Attaches);
        assert_eq!(does(&["screen", TERMINAL], &virtink, HYPERVISOR), Does::Attaches);
        assert_eq!(does(&["sh", "-c", script], &virtink, "init"), Does::Nothing);
        assert_eq!(does(&["sh", "-c", script], &json!({}), HYPERVISOR), Does::Nothing);
        assert_eq!(does(&["sh", "-c", "id"], &virtink, HYPERVISOR), Does::Nothing);
        let Does::Says(info) = does(&["ch-remote", "--api-socket", "s", "info"], &virtink, HYPERVISOR) else {
            panic!("nothing is said");
        };
        assert!(info.contains(r#""console":{"file":"/dev/pts/0""#), "{info}");
    }

    #[test]
    fn api_servers_and_kubelets_are_understood() {
        for query in
            ["command=a&stdin=true&stdout=true&stderr=false", "input=1&output=1&error=0&command=a&tty=1"]
        {
            let command = vec!["a".to_owned()];
            assert_eq!(Wanted::of(query), Wanted { command, stdin: true, stdout: true, stderr: false });
        }
    }

    #[test]
    fn the_first_protocol_that_both_know_is_spoken() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(handshake(&headers).is_err());
        for (offered, agreed) in [
            ("v4.channel.k8s.io", "v4.channel.k8s.io"),
            ("v5.channel.k8s.io, v4.channel.k8s.io", "v5.channel.k8s.io"),
            ("channel.k8s.io, v4.channel.k8s.io", "v4.channel.k8s.io"),
        ] {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered));
            assert_eq!(handshake(&headers).unwrap().1, agreed);
        }
        headers.insert(header::UPGRADE, HeaderValue::from_static("SPDY/3.1"));
        assert!(handshake(&headers).unwrap_err().contains("WebSocket only"));
    }
}
