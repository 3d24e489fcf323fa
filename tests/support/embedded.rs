//! The embedded API server in the process of the tests, at a port with TLS:
//! what others see of it is what they see of `ApiServer`, and it breaks on request.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use v9s::demo::admission::Webhooks;
use v9s::demo::server::{FaultId, Identity, Limits, Listening, MASTERS, Options, Server, User};
use v9s::demo::{fixtures, rights};

use super::cluster::{Cluster, runtime};
use super::kubeconfig::Kubeconfig;
use super::{deadline, poll};

/// The users: what their kubeconfig is called, who they are, and where they begin.
const USERS: [(&str, &str, Option<&str>); 3] =
    [("admin", "admin", None), ("shop", "shop-operator", Some("shop")), ("token", "token-user", None)];

/// An embedded server that others can reach.
pub struct Embedded {
    server: Server,
    identity: Identity,
    address: SocketAddr,
    listening: Option<Listening>,
    folder: TempDir,
    cluster: OnceLock<Cluster>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self::new()
    }
}

impl Embedded {
    /// Starts a server with the namespaces and users that the real one has.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// Starts one that keeps so much of the past.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self::with(Options { limits, ..Options::default() })
    }

    /// Starts one with the webhooks that a cluster with KubeVirt has.
    #[must_use]
    pub fn with_webhooks() -> Self {
        Self::with(Options { admission: Some(Box::new(Webhooks)), ..Options::default() })
    }

    /// Starts one with the fleet of the demo that stands still, and with these objects.
    ///
    /// # Panics
    ///
    /// When the server knows a kind of them not.
    #[must_use]
    pub fn still(objects: impl IntoIterator<Item = Value>) -> Self {
        let new = Self::new();
        fixtures::fill(&new.server).expect("fixtures that can be stored");
        objects.into_iter().for_each(|object| new.server.put(object).expect("an object that can be stored"));
        new
    }

    /// # Panics
    ///
    /// When there is no port for it.
    fn with(options: Options) -> Self {
        let folder = tempfile::Builder::new().prefix("v9s-embedded-").tempdir().expect("a folder");
        let users = USERS.map(|(name, user, namespace)| {
            let groups: &[&str] = if namespace.is_some() { &[] } else { &[MASTERS] };
            (token(name), User::new(user, groups))
        });
        let server = Server::new(Options { users: users.into(), ..options });
        populate(&server);
        let identity = Identity::new(Ipv4Addr::LOCALHOST.into(), Timestamp::now()).expect("a certificate");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let cluster = OnceLock::new();
        let mut new = Self { server, identity, address, listening: None, folder, cluster };
        new.start();
        for (name, user, namespace) in USERS {
            let text = new.kubeconfig_text(name, user, namespace).to_string();
            std::fs::write(new.kubeconfig(name), text).expect("a kubeconfig to write");
        }
        new
    }

    fn kubeconfig_text(&self, name: &str, user: &str, namespace: Option<&str>) -> Value {
        let authority = STANDARD.encode(self.identity.authority());
        let mut context = json!({"cluster": "tests", "user": user});
        if let Some(namespace) = namespace {
            context["namespace"] = json!(namespace);
        }
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": "tests", "cluster": {
                "server": self.url(), "certificate-authority-data": authority,
            }}],
            "users": [{"name": user, "user": {"token": token(name)}}],
            "contexts": [{"name": name, "context": context}],
        })
    }

    /// Closes the port and all connections. The data stay.
    pub fn stop(&mut self) {
        self.listening = None;
        let closed = || std::net::TcpStream::connect(self.address).is_err().then_some(());
        poll(deadline(), closed).expect("the port is not closed");
    }

    /// Opens the port again.
    pub fn start(&mut self) {
        let opened =
            poll(deadline(), || runtime().block_on(self.server.listen(self.address, &self.identity)).ok());
        let listening = opened.expect("a port");
        self.address = listening.address;
        self.listening = Some(listening);
    }

    /// Forgets all versions of objects but the present ones: an older watch
    /// cannot be continued.
    pub fn compact(&self) {
        self.server.compact();
    }

    /// Asks for a fault.
    ///
    /// # Panics
    ///
    /// When there is no such fault.
    pub fn fault(&self, spec: &str) -> FaultId {
        self.server.faults().add(&spec.parse().unwrap_or_else(|why| panic!("{why}")))
    }

    /// Waits until a fault was met so often.
    ///
    /// # Panics
    ///
    /// After the deadline.
    pub fn await_met(&self, fault: FaultId, times: u32) {
        let met = || (self.server.faults().met(fault) >= times).then_some(());
        poll(deadline(), met).unwrap_or_else(|| {
            panic!("The fault was met {} times, not {times}.", self.server.faults().met(fault))
        });
    }

    /// Returns the server itself.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Returns where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as a kubeconfig says it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Returns what it is called in reports.
    #[must_use]
    pub fn title(&self) -> String {
        "embedded server".into()
    }

    /// Returns the kubeconfig of a user: `admin` may do all, `shop` only what
    /// is in one namespace, `token` may do all as somebody else. All come with tokens.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir().join(format!("{user}.kubeconfig"))
    }

    /// Returns the kubeconfig of a user, to be changed.
    #[must_use]
    pub fn kubeconfig_of(&self, user: &str) -> Kubeconfig {
        Kubeconfig::read(&self.kubeconfig(user))
    }

    /// Returns the cluster as the administrator sees it. It has its definitions already.
    pub fn cluster(&self) -> &Cluster {
        self.cluster.get_or_init(|| self.cluster_of("admin"))
    }

    /// Returns the cluster as another user sees it.
    #[must_use]
    pub fn cluster_of(&self, user: &str) -> Cluster {
        Cluster::from_kubeconfig(&self.kubeconfig(user)).with_definitions()
    }

    /// Returns the folder with the kubeconfigs.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }
}

/// The token of a user. Nobody else can reach the port but what runs on this machine, and there is nothing to win.
#[must_use]
pub fn token(user: &str) -> String {
    format!("token-of-{user}")
}

fn populate(server: &Server) {
    let put = |object: Value| server.put(object).expect("an object that can be stored");
    for name in ["default", "kube-system", "kube-public", "kube-node-lease", "shop", "lab"] {
        put(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
        }));
    }
    rights::objects().into_iter().for_each(put);
}
