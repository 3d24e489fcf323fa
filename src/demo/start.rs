//! The embedded server as `v9s demo` runs it: who logs in, what is on it, and how it is reached.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::SecretString;

use super::admission::Webhooks;
use super::fleet::{self, Trickle};
use super::kubeconfig::{self, Written};
use super::server::{
    Admission, BadObject, Identity, IdentityError, Listening, MASTERS, Options, Server, User, new_token,
};
use super::{fixtures, rights};
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

/// A cluster to look at.
pub struct Demo {
    server: Server,
    logins: Vec<Login>,
    asleep: Asleep,
}

/// What will happen on the cluster by itself, until somebody looks.
#[derive(Clone, Default)]
struct Asleep(Arc<Mutex<Vec<Trickle>>>);

impl Asleep {
    /// Must be called inside a tokio runtime.
    fn wake(&self) {
        for trickle in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            tokio::spawn(trickle.run());
        }
    }
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
    pub fn new() -> Result<Self, StartError> {
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
        let users = logins.iter().map(|login| (login.token.clone(), login.user.clone())).collect();
        let admission = Some(Box::new(Webhooks) as Box<dyn Admission>);
        let server = Server::new(Options { users, admission, ..Options::default() });
        fixtures::fill(&server)?;
        rights::objects().into_iter().try_for_each(|object| server.put(object))?;
        Ok(Self { server, logins, asleep: Asleep::default() })
    }

    /// Adds this many machines, which begin to change when somebody looks at the cluster.
    ///
    /// # Errors
    ///
    /// [`BadObject`]
    pub fn add_machines(&self, count: usize) -> Result<(), BadObject> {
        let trickle = fleet::add(&self.server, count)?;
        self.asleep.0.lock().unwrap_or_else(PoisonError::into_inner).push(trickle);
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
