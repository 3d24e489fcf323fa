//! KubeVirt's aggregated API, `subresources.kubevirt.io`, without KubeVirt: what can be done to machines beside changing
//! them, and the ways into their guests.
//!
//! It keeps nothing. It is an ordinary client of an API server: it looks at objects, decides, changes them and answers; what
//! follows from the changes is the matter of whoever plays KubeVirt's controllers. The same service stands in the same
//! process behind the embedded server or, with TLS and the certificates of kube-apiserver's proxy, behind a real one.
//!
//! | File | Holds |
//! |---|---|
//! | `verbs` | the table of sub-resources, paths, discovery |
//! | `body`, `refusal` | what a request says; what a refusal says |
//! | `decide`, `expand`, `agent` | what a request leads to; nothing there talks to anybody |
//! | `cluster` | what is read and written |
//! | `websocket`, `guest` | streams to guests |
//! | `front_proxy`, `listen`, `register` | behind a real kube-apiserver |

mod agent;
mod body;
mod cluster;
mod decide;
mod expand;
mod front_proxy;
mod guest;
mod listen;
mod refusal;
mod register;
mod verbs;
mod websocket;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use cluster::{Cluster, Failed};
use decide::{Decision, Outcome, Race, World};
use refusal::Refusal;
use verbs::{Route, Target};

pub use decide::Channel;
pub use front_proxy::FrontProxy;
pub use guest::{Echo, Farewell, Guests, Line, OpenLine};
pub use listen::{Aggregated, ListenError, Service, listen};
pub use register::{Group, RegisterError, Registration, register, register_group};
pub use verbs::{GROUP, VERSIONS, resources};
pub use websocket::PROTOCOL;

/// The longest body that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a decision is made anew because its objects have changed meanwhile.
const TRIES: usize = 5;

/// The version of KubeVirt whose ways are followed.
const KUBEVIRT: &str = "v1.9.0";

/// What is answered with.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// What time it is.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// The service. Clones share the streams that are open; these end with the last clone.
#[derive(Clone)]
pub struct VirtApi {
    inner: Arc<Inner>,
}

struct Inner {
    cluster: Cluster,
    guests: Box<dyn Guests>,
    clock: Clock,
    streams: Mutex<JoinSet<()>>,
}

impl fmt::Debug for VirtApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtApi").finish_non_exhaustive()
    }
}

impl VirtApi {
    /// Plays KubeVirt's API on a cluster. The client needs rights to machines, their VMIs and migrations, and to look at
    /// instance types, claims and nodes; it should not repeat requests by itself.
    pub fn new(client: Client) -> Self {
        Self::with(client, Echo, Box::new(Timestamp::now))
    }

    /// The same with other guests and another clock.
    pub fn with(client: Client, guests: impl Guests, clock: Clock) -> Self {
        let cluster = Cluster::new(client);
        let inner = Inner { cluster, guests: Box::new(guests), clock, streams: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Answers one request. Its headers `X-Remote-User` and `X-Remote-Group` say who asks; whoever calls this vouches for
    /// them, and that this user may ask for it.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.understand(request).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        }
    }

    async fn understand(&self, mut request: Request<Incoming>) -> Result<Response<Body>, Refusal> {
        if request.headers().get("x-remote-user").is_none_or(HeaderValue::is_empty) {
            return Err(Refusal::text(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        if let Some(clean) = cleaned(request.uri().path()) {
            return Ok(redirect(&clean));
        }
        let target = match Route::of(request.method(), request.uri().path())? {
            Route::Verb(target) => target,
            Route::Group => return Ok(json(StatusCode::OK, &verbs::group())),
            Route::Resources(version) => return Ok(json(StatusCode::OK, &verbs::list(version))),
            Route::Version => return Ok(json(StatusCode::OK, &version())),
            Route::Health => return Ok(json(StatusCode::OK, &json!("ok"))),
        };
        accepts(request.headers(), target.verb.json)?;
        let body = read(request.body_mut()).await?;
        let (decision, world) = self.done(&target, &body).await?;
        match decision.then {
            Outcome::Empty(code) => Ok(whole(code, Bytes::new())),
            Outcome::Json(value) => Ok(json(StatusCode::OK, &value)),
            Outcome::Stream(channel) => self.open(request, world, channel).await,
        }
    }

    /// Decides and writes, anew as long as the objects change in between.
    async fn done(&self, target: &Target, body: &[u8]) -> Result<(Decision, World), Refusal> {
        let cluster = &self.inner.cluster;
        let mut tries = 0;
        'anew: loop {
            tries += 1;
            let mut world = cluster.look(target).await?;
            for need in decide::needs(target, body, &world) {
                cluster.look_up(target, need, &mut world).await?;
            }
            let now = (self.inner.clock)();
            let decision = decide::decide(target, body, &world, now)?;
            for write in &decision.writes {
                let written = cluster.write(target, write, &decision.dry_run, decision.race, &world, now);
                match written.await {
                    Ok(()) => {}
                    Err(Failed::Changed(_)) if decision.race == Race::Again && tries < TRIES => {
                        continue 'anew;
                    }
                    Err(Failed::Changed(refusal) | Failed::Refused(refusal)) => return Err(refusal),
                }
            }
            return Ok((decision, world));
        }
    }

    /// Opens a stream: first to the guest, so that what is wrong there can still be answered.
    async fn open(
        &self,
        request: Request<Incoming>,
        world: World,
        channel: Channel,
    ) -> Result<Response<Body>, Refusal> {
        let channel = channel.wanted(request.uri().query().unwrap_or_default());
        let beat = matches!(channel, Channel::Port { .. }).then_some(websocket::PORTS);
        let line = self.inner.guests.dial(world.instance.unwrap_or_default(), channel);
        let line = line.await.map_err(|why| decide::undialable(&why))?;
        let handshake = websocket::Handshake::of(request.headers())?;
        let mut streams = self.inner.streams.lock().unwrap_or_else(PoisonError::into_inner);
        while streams.try_join_next().is_some() {}
        streams.spawn(websocket::carry(request, line, beat));
        Ok(handshake.response(full(Bytes::new())))
    }
}

/// A path without `.`, `..` and empty parts, if it has any: KubeVirt's server sends whoever asks there, as servers in Go do.
fn cleaned(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let mut odd = false;
    for part in path.trim_start_matches('/').trim_end_matches('/').split('/') {
        match part {
            "" | "." => odd = true,
            ".." => {
                odd = true;
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    odd.then(|| format!("/{}", parts.join("/")))
}

fn redirect(path: &str) -> Response<Body> {
    let mut response = whole(StatusCode::TEMPORARY_REDIRECT, Bytes::new());
    if let Ok(location) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Refuses who wants another format than there is.
fn accepts(headers: &HeaderMap, json: bool) -> Result<(), Refusal> {
    let accept = headers.get(header::ACCEPT).map_or("*/*", |value| value.to_str().unwrap_or_default());
    let made = if json { "application/json" } else { "text/plain" };
    let fits = accept.split(',').map(|one| one.split(';').next().unwrap_or_default().trim()).any(|media| {
        media.is_empty() || media == "*/*" || media == made || (json && media == "application/*")
    });
    if fits { Ok(()) } else { Err(Refusal::text(StatusCode::NOT_ACCEPTABLE, "406: Not Acceptable")) }
}

async fn read(body: &mut Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) => {
            Err(Refusal::bad_request(format!("Can not unmarshal Request body to struct, error: {why}")))
        }
        Err(_) => Err(Refusal::bad_request("Can not unmarshal Request body to struct, error: i/o timeout")),
    }
}

fn version() -> Value {
    json!({
        "gitVersion": KUBEVIRT, "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

fn refused(refusal: &Refusal) -> Response<Body> {
    match refusal.object() {
        Some(status) => json(refusal.code, &status),
        None => {
            let mut response = whole(refusal.code, Bytes::copy_from_slice(refusal.message().as_bytes()));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            response
        }
    }
}

fn json(code: StatusCode, value: &Value) -> Response<Body> {
    let mut response = whole(code, value.to_string().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn whole(code: StatusCode, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(full(bytes));
    *response.status_mut() = code;
    response
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
