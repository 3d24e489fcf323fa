//! The embedded server as `v9s demo` runs it: who logs in, what is on it, what happens there, and how it is reached.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use kube::{Client, Config};
use secrecy::SecretString;

use super::admission::{CONTROLLER, Webhooks};
use super::aggregate::{run_commands_in_place, serve_in_place, serve_metrics_in_place};
use super::fleet;
use super::guests::{Console, Played};
use super::kubeconfig::{self, Written};
use super::metrics_api::MetricsApi;
use super::platform::{self, Logs, Pace, Platform};
use super::server::{
    Admission, BadObject, Identity, IdentityError, Listening, MASTERS, Options, Server, User, WeakServer,
    new_token,
};
use super::virt_api::VirtApi;
use super::{rights, tenants};
use crate::cluster::dial::Dialer;
use crate::cluster::kubeconfig as contexts;

/// What the cluster is called.
pub(super) const CLUSTER: &str = "demo";

/// How the server is called inside this process, where nobody looks the name up.
const HERE: &str = "http://demo.internal";

/// One way to log in.
#[derive(Clone)]
pub(super) struct Login {
    /// What the context for it is called.
    pub(super) context: &'static str,
    pub(super) user: User,
    pub(super) token: String,
    /// Where to begin.
    pub(super) namespace: Option<&'static str>,
}

/// How long those who live on the cluster have been there when somebody comes to look.
const PAST: Duration = Duration::from_secs(10 * 60);

/// The past goes by in steps of this.
const STEP: Duration = Duration::from_secs(10);

/// Who has made what is on the cluster from its beginning.
const APPLIER: &str = "kubectl-create";

/// The port of nodes at which nothing listens: the embedded server keeps logs itself.
const KUBELET: u16 = 10250;

/// What the cluster shall be like.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// What chance begins with.
    pub seed: u64,
    /// How many times as fast as time the platform is.
    pub speed: f64,
    /// Further causes of which a disk does not come to be.
    pub stuck: Vec<String>,
    /// Serial consoles that lead to something outside.
    pub consoles: Vec<Console>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { seed: 1, speed: 1.0, stuck: Vec::new(), consoles: Vec::new() }
    }
}

/// A cluster to look at.
pub struct Demo {
    server: Server,
    logins: Vec<Login>,
    asleep: Asleep,
}

/// What will happen on the cluster by itself, as soon as somebody looks.
#[derive(Clone, Default)]
struct Asleep(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Asleep {
    fn add(&self, what: impl Future<Output = ()> + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.boxed());
    }

    /// Must be called inside a tokio runtime.
    fn wake(&self) {
        for what in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            tokio::spawn(what);
        }
    }
}

/// A clock that is late, by less and less: the past of a cluster is played before its present.
#[derive(Clone)]
struct Late(Arc<AtomicI64>);

impl Late {
    fn by(late: Duration) -> Self {
        Self(Arc::new(AtomicI64::new(i64::try_from(late.as_millis()).unwrap_or(i64::MAX))))
    }

    fn now(&self) -> Timestamp {
        let late = SignedDuration::from_millis(self.0.load(Ordering::Relaxed));
        Timestamp::now().checked_sub(late).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn catch_up(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }
}

/// The containers' lines go to the server itself, in place of a kubelet.
struct ServersLogs(Server);

impl Logs for ServersLogs {
    fn append(&self, namespace: &str, pod: &str, container: &str, line: &str, _: Timestamp) {
        self.0.append_log(namespace, pod, container, line);
    }
}

/// A client for what is played on the server, which does not keep it. Must be called inside a tokio runtime.
fn client_of(server: &WeakServer, token: String) -> kube::Result<Client> {
    let dialed = server.clone();
    let mut config = Config::new(Uri::from_static(HERE));
    config.auth_info.token = Some(token.into());
    Dialer::new(move || dialed.connect()).client(&config)
}

/// Lets KubeVirt's own API be played there, too, and that of metrics.
fn aggregate(server: &Server, token: String, clock: Late, consoles: Vec<Console>) {
    let (weak, later, rights) = (server.downgrade(), clock.clone(), token.clone());
    serve_metrics_in_place(server, move || {
        let client = client_of(&weak, rights.clone()).inspect_err(|why| {
            tracing::error!(%why, "nobody tells what the demo's pods use");
        });
        let clock = later.clone();
        client.ok().map(|client| MetricsApi::with(client, Arc::new(move || clock.now())))
    });
    let weak = server.downgrade();
    // Guests of KubeVirt and of Virtink are the same ones, whichever way leads to them.
    let guests: Arc<OnceLock<Option<Played>>> = Arc::default();
    let (dialed, rights, time) = (weak.clone(), token.clone(), clock.clone());
    let played = move || {
        let make = || {
            let client = client_of(&dialed, rights.clone()).inspect_err(|why| {
                tracing::error!(%why, "the demo's guests have no client");
            });
            let time = time.clone();
            client.ok().map(|client| Played::new(client, Arc::new(move || time.now()), consoles.clone()))
        };
        guests.get_or_init(make).clone()
    };
    run_commands_in_place(server, played.clone());
    serve_in_place(server, move || {
        let client = client_of(&weak, token.clone()).inspect_err(|why| {
            tracing::error!(%why, "the demo's machines cannot be started by KubeVirt's API");
        });
        let clock = clock.clone();
        let api = |(client, guests)| VirtApi::with(client, guests, Box::new(move || clock.now()));
        client.ok().zip(played()).map(api)
    });
}

/// Plays a platform on the server: its past as fast as it goes, then its present.
async fn play(server: Server, token: String, wishes: Wishes, clock: Late) {
    let client = match client_of(&server.downgrade(), token) {
        Ok(client) => client,
        Err(why) => return tracing::error!(%why, "the demo's platform has no client"),
    };
    let time = clock.clone();
    let options = platform::Options {
        pace: Pace::Standing,
        seed: wishes.seed,
        logs: Arc::new(ServersLogs(server)),
        time: Box::new(move || time.now()),
        strict: false,
    };
    let mut platform = match Platform::start(client, options).await {
        Ok(platform) => platform,
        Err(why) => return tracing::error!(%why, "the demo's platform does not start"),
    };
    let mut past = PAST;
    while !past.is_zero() {
        platform.advance(STEP).await;
        clock.catch_up(STEP);
        past = past.saturating_sub(STEP);
    }
    platform.run(Pace::Times(wishes.speed)).await;
    platform.ended().await;
}

impl std::fmt::Debug for Demo {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There are no tokens.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What shall be on it cannot be.
    #[error(transparent)]
    Object(#[from] BadObject),
    /// Those who live there cannot be read.
    #[error(transparent)]
    Tenants(#[from] tenants::BadDocument),
}

/// Why the server cannot be had at a port.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is nothing to prove itself with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Somebody else has the port, or it is not an address of this machine.
    #[error("{0} cannot be listened on: {1}")]
    Listen(SocketAddr, io::Error),
    /// The kubeconfig would replace a file that v9s has not made.
    #[error("{} is there already and was not written by v9s demo serve; it stays as it is", .0.display())]
    Foreign(PathBuf),
    /// The kubeconfig cannot be written.
    #[error("the kubeconfig cannot be written: {0}")]
    Write(io::Error),
}

/// The server at a port, with its kubeconfig. Dropping it closes the port and removes the file.
#[derive(Debug)]
pub struct Serving {
    listening: Listening,
    kubeconfig: Written,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The file with which it is reached.
    pub fn kubeconfig(&self) -> &Path {
        self.kubeconfig.path()
    }
}

impl Demo {
    /// The cluster, with somebody who may do everything and somebody who looks after one namespace.
    ///
    /// # Errors
    ///
    /// [`StartError`]
    pub fn new(wishes: Wishes) -> Result<Self, StartError> {
        let logins = vec![
            Login {
                context: "demo",
                user: User::new("demo-admin", &[MASTERS]),
                token: new_token()?,
                namespace: None,
            },
            Login {
                context: "demo-shop",
                user: User::new(rights::OPERATOR, &[]),
                token: new_token()?,
                namespace: Some(rights::NAMESPACE),
            },
        ];
        // KubeVirt's webhook lets nobody but its controllers change the instance of a running guest.
        let player = (new_token()?, User::new(CONTROLLER, &[MASTERS]));
        let token = player.0.clone();
        let users = logins.iter().map(|login| (login.token.clone(), login.user.clone()));
        let users = users.chain([player]).collect();
        let admission = Some(Box::new(Webhooks) as Box<dyn Admission>);
        let clock = Late::by(PAST);
        let time = clock.clone();
        let clock_of_server = Box::new(move || time.now());
        let options = Options { users, admission, clock: clock_of_server, ..Options::default() };
        let server = Server::new(options);
        let stuck = wishes.stuck.iter().map(|cause| tenants::stuck_by(cause));
        let objects = rights::objects().into_iter().chain(tenants::all(KUBELET)?).chain(stuck);
        objects.into_iter().try_for_each(|object| server.put_by(APPLIER, object))?;
        let asleep = Asleep::default();
        aggregate(&server, token.clone(), clock.clone(), wishes.consoles.clone());
        asleep.add(play(server.clone(), token, wishes, clock));
        Ok(Self { server, logins, asleep })
    }

    /// Adds this many machines, which begin to change when somebody looks at the cluster.
    ///
    /// # Errors
    ///
    /// [`BadObject`]
    pub fn add_machines(&self, count: usize) -> Result<(), BadObject> {
        let trickle = fleet::add(&self.server, count)?;
        self.asleep.add(trickle.run());
        Ok(())
    }

    /// The server itself, to put something on it or to ask for faults.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The contexts of this cluster for a client in this process, which needs neither a port nor a file.
    pub fn configuration(&self) -> contexts::Configuration {
        let (server, asleep) = (self.server.clone(), self.asleep.clone());
        let dialer = Dialer::new(move || {
            asleep.wake();
            server.connect()
        });
        let logins = self.logins.iter().map(|login| contexts::Login {
            context: login.context.to_owned(),
            user: login.user.name.clone(),
            token: SecretString::from(login.token.clone()),
            namespace: login.namespace.map(str::to_owned),
        });
        contexts::Configuration::dialed(CLUSTER, HERE, dialer, logins.collect())
    }

    /// Opens a port with TLS and writes the kubeconfig for it: to `file`, or to a new one among the temporary files.
    ///
    /// # Errors
    ///
    /// [`ServeError`]
    pub async fn serve(&self, address: SocketAddr, file: Option<&Path>) -> Result<Serving, ServeError> {
        let identity = Identity::new(address.ip(), Timestamp::now())?;
        let listening =
            self.server.listen(address, &identity).await.map_err(|why| ServeError::Listen(address, why))?;
        self.asleep.wake();
        let text = kubeconfig::text(&url(listening.address), identity.authority(), &self.logins);
        let kubeconfig = Written::new(file, text).map_err(|why| match (why.kind(), file) {
            (io::ErrorKind::AlreadyExists, Some(file)) => ServeError::Foreign(file.to_owned()),
            _ => ServeError::Write(why),
        })?;
        Ok(Serving { listening, kubeconfig })
    }
}

/// Where a client on this machine finds what listens at an address.
fn url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("https://{address}")
}
