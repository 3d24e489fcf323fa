//! Finds, reads and merges kubeconfig files the way kubectl does.
//!
//! Nothing here talks to a server or runs a program. The environment and the home folder come in as parameters, so
//! that every rule can be tested; only files are read.
//!
//! Order: `--kubeconfig`, then `KUBECONFIG` (several files), then `~/.kube/config`, then the service account of the
//! pod that v9s runs in. The first of these that says anything is used.

mod merge;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use secrecy::SecretString;

use super::dial::Dialer;
use super::error::Failure;
use super::proxy::ProxyEnvironment;
use crate::config::settings::Loaded;
use crate::text::one_line;

/// The name of the context, cluster and user made for a pod's service account.
pub const IN_CLUSTER: &str = "in-cluster";

/// Where a pod finds its service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How the value of an environment variable is asked for.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The flags that choose and alter a connection; they mean what they mean for kubectl.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--kubeconfig`: the only file to read.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`: another cluster than the context's.
    pub cluster: Option<String>,
    /// `--user`: another user than the context's.
    pub user: Option<String>,
    /// `-n`, `--namespace`.
    pub namespace: Option<String>,
    /// `-A`, `--all-namespaces`.
    pub all_namespaces: bool,
    /// `--as`: the user to impersonate.
    pub as_user: Option<String>,
    /// `--as-group`: the groups to impersonate.
    pub as_group: Vec<String>,
    /// `--insecure-skip-tls-verify`.
    pub insecure_skip_tls_verify: bool,
    /// `--request-timeout`: replaces the time limit of every request; zero and none leave v9s' own limits.
    pub request_timeout: Option<Duration>,
    /// `--readonly`: nothing that changes a cluster is sent.
    pub readonly: bool,
    /// What the config files say, which may want the same for some contexts or for all.
    pub config: Loaded,
}

/// One context of the kubeconfig, as a list of contexts shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextInfo {
    /// The context's name.
    pub name: String,
    /// The name of its cluster; may be one that is not defined.
    pub cluster: String,
    /// The name of its user; may be empty or one that is not defined.
    pub user: String,
    /// Its default namespace, if it sets one.
    pub namespace: Option<String>,
    /// The URL of its cluster's API server, without user and password; none where the cluster is not defined.
    pub server: Option<String>,
}

/// A place that was looked at for a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The file or folder.
    pub path: PathBuf,
    /// What was found there.
    pub outcome: Outcome,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match self.outcome {
            Outcome::Read { contexts: 1 } => f.write_str("1 context"),
            Outcome::Read { contexts } => write!(f, "{contexts} contexts"),
            Outcome::Missing => f.write_str("not there"),
        }
    }
}

/// What was found where a kubeconfig may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A kubeconfig with this many contexts.
    Read {
        /// Number of contexts in this file.
        contexts: usize,
    },
    /// Nothing is there.
    Missing,
}

/// All contexts that can be chosen, from all files, and what is needed to connect to them.
#[derive(Clone)]
pub struct Configuration {
    /// The contexts, in the order of the files.
    pub contexts: Vec<ContextInfo>,
    /// The current context, if a file sets one.
    pub current: Option<String>,
    /// Where was looked, in order.
    pub tried: Vec<Tried>,
    /// The merged files; paths in them are absolute. Holds secrets: never shown or logged.
    pub(crate) merged: Kubeconfig,
    /// The proxy settings of the environment.
    pub(crate) proxy: ProxyEnvironment,
    /// The namespace of the pod that v9s runs in, if it runs in one.
    pod_namespace: Option<String>,
    /// What opens connections, where that is not left to the network.
    dialer: Option<Dialer>,
}

/// A context of a server that a [`Dialer`] reaches, and who logs in there.
#[derive(Clone)]
pub struct Login {
    /// The name of the context.
    pub context: String,
    /// The name of the user.
    pub user: String,
    /// How the user proves who they are.
    pub token: SecretString,
    /// The context's namespace, if it sets one.
    pub namespace: Option<String>,
}

/// The three parts that one context joins, with the flags applied. Holds secrets.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) context: String,
    pub(crate) cluster_name: String,
    pub(crate) cluster: Cluster,
    pub(crate) user_name: String,
    pub(crate) user: AuthInfo,
    pub(crate) namespace: String,
    pub(crate) dialer: Option<Dialer>,
}

impl fmt::Debug for Configuration {
    /// Leaves out the files' contents: plugins' arguments and providers' settings hold secrets that kube would print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("contexts", &self.contexts)
            .field("current", &self.current)
            .field("tried", &self.tried)
            .finish_non_exhaustive()
    }
}

/// Finds and reads the configuration. Reads files, so it belongs on a thread that may block.
///
/// # Errors
///
/// A [`FailureKind::Config`](super::error::FailureKind::Config) that names the file, with line and column where known,
/// if a file is broken or cannot be read; if `--kubeconfig` names a file that does not exist; and, with the list of
/// what was tried, if there is none at all.
pub fn load(flags: &Flags, env: Environment<'_>, home: Option<&Path>) -> Result<Configuration, Failure> {
    load_with(flags, env, home, Path::new(SERVICE_ACCOUNT))
}

fn load_with(
    flags: &Flags,
    env: Environment<'_>,
    home: Option<&Path>,
    service_account: &Path,
) -> Result<Configuration, Failure> {
    let proxy = ProxyEnvironment::read(env);
    let pod_namespace = read_trimmed(&service_account.join("namespace"));
    let mut tried = Vec::new();
    let mut merged = Kubeconfig::default();
    for path in candidates(flags, env, home) {
        let file = merge::read(&path)?;
        let outcome = match &file {
            Some(file) => Outcome::Read { contexts: file.contexts.len() },
            None if flags.kubeconfig.is_some() => {
                return Err(Failure::config(format!("The kubeconfig {} does not exist.", shown(&path))));
            }
            None => Outcome::Missing,
        };
        tried.push(Tried { path, outcome });
        if let Some(file) = file {
            merged = merge::merge(merged, file)?;
        }
    }
    if merged.contexts.is_empty() && merged.clusters.is_empty() && flags.kubeconfig.is_none() {
        let found = in_cluster(env, service_account, pod_namespace.as_deref());
        tried.push(Tried {
            path: service_account.to_owned(),
            outcome: match found {
                Some(_) => Outcome::Read { contexts: 1 },
                None => Outcome::Missing,
            },
        });
        merged = found.ok_or_else(|| nothing_found(&tried))?;
    }
    Ok(Configuration {
        contexts: list_contexts(&merged),
        current: merged.current_context.clone(),
        tried,
        merged,
        proxy,
        pod_namespace,
        dialer: None,
    })
}

/// The files to read, in order of precedence.
fn candidates(flags: &Flags, env: Environment<'_>, home: Option<&Path>) -> Vec<PathBuf> {
    if let Some(path) = &flags.kubeconfig {
        return vec![path.clone()];
    }
    if let Some(list) = env("KUBECONFIG").filter(|list| !list.is_empty()) {
        let mut paths: Vec<PathBuf> = Vec::new();
        for path in std::env::split_paths(&list) {
            if !path.as_os_str().is_empty() && !paths.contains(&path) {
                paths.push(path);
            }
        }
        // Like kubectl: a variable that holds nothing but separators counts as not set.
        if !paths.is_empty() {
            return paths;
        }
    }
    home.map(|home| home.join(".kube").join("config")).into_iter().collect()
}

/// Builds the configuration of a pod from its service account.
fn in_cluster(env: Environment<'_>, folder: &Path, namespace: Option<&str>) -> Option<Kubeconfig> {
    let text =
        |name: &str| env(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
    let host = text("KUBERNETES_SERVICE_HOST")?;
    let port = text("KUBERNETES_SERVICE_PORT")?;
    let token = folder.join("token");
    if !token.is_file() {
        return None;
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let cluster = Cluster {
        server: Some(format!("https://{host}:{port}")),
        certificate_authority: folder.join("ca.crt").to_str().map(str::to_owned),
        ..Cluster::default()
    };
    // kube reads a token file anew every minute, which is what projected service account tokens need.
    let user = AuthInfo { token_file: token.to_str().map(str::to_owned), ..AuthInfo::default() };
    let context = Context {
        cluster: IN_CLUSTER.to_owned(),
        user: Some(IN_CLUSTER.to_owned()),
        namespace: namespace.map(str::to_owned),
        ..Context::default()
    };
    let name = || IN_CLUSTER.to_owned();
    Some(Kubeconfig {
        clusters: vec![NamedCluster { name: name(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: name(), auth_info: Some(user), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: name(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name()),
        ..Kubeconfig::default()
    })
}

fn nothing_found(tried: &[Tried]) -> Failure {
    let places: Vec<String> = tried.iter().map(|tried| shown(&tried.path)).collect();
    Failure::config(format!("No kubeconfig was found; looked at {}.", places.join(", ")))
        .remedy("Give one with --kubeconfig or KUBECONFIG.")
}

fn list_contexts(merged: &Kubeconfig) -> Vec<ContextInfo> {
    let servers: HashMap<&str, &str> = merged
        .clusters
        .iter()
        .filter_map(|named| Some((named.name.as_str(), named.cluster.as_ref()?.server.as_deref()?)))
        .collect();
    merged
        .contexts
        .iter()
        .filter_map(|named| {
            let context = named.context.as_ref()?;
            Some(ContextInfo {
                name: named.name.clone(),
                cluster: context.cluster.clone(),
                user: context.user.clone().unwrap_or_default(),
                namespace: context.namespace.clone(),
                server: servers.get(context.cluster.as_str()).map(|server| without_password(server)),
            })
        })
        .collect()
}

impl Configuration {
    /// Makes the configuration of one server that is reached without a network, with a context for each login; the first
    /// is the current one. `server` is the URL that the server is known by: `http`, for nothing else secures the streams.
    pub fn dialed(cluster: &str, server: &str, dialer: Dialer, logins: Vec<Login>) -> Self {
        let about = Cluster { server: Some(server.to_owned()), ..Cluster::default() };
        let mut merged = Kubeconfig {
            clusters: vec![NamedCluster {
                name: cluster.to_owned(),
                cluster: Some(about),
                ..NamedCluster::default()
            }],
            current_context: logins.first().map(|login| login.context.clone()),
            ..Kubeconfig::default()
        };
        for Login { context, user, token, namespace } in logins {
            let info = AuthInfo { token: Some(token), ..AuthInfo::default() };
            merged.auth_infos.push(NamedAuthInfo {
                name: user.clone(),
                auth_info: Some(info),
                ..NamedAuthInfo::default()
            });
            let joined =
                Context { cluster: cluster.to_owned(), user: Some(user), namespace, ..Context::default() };
            merged.contexts.push(NamedContext {
                name: context,
                context: Some(joined),
                ..NamedContext::default()
            });
        }
        Self {
            contexts: list_contexts(&merged),
            current: merged.current_context.clone(),
            tried: Vec::new(),
            merged,
            proxy: ProxyEnvironment::default(),
            pod_namespace: None,
            dialer: Some(dialer),
        }
    }

    /// Returns the namespace to begin in: `-n`, the context's, the pod's own, or `default`.
    ///
    /// `-A` is no namespace; a caller asks [`Flags::all_namespaces`] first.
    pub fn namespace(&self, context: Option<&str>, flags: &Flags) -> String {
        let name = context.or(flags.context.as_deref()).or(self.current.as_deref());
        let of_context = || {
            let found = self.contexts.iter().find(|context| Some(context.name.as_str()) == name)?;
            found.namespace.clone().filter(|namespace| !namespace.is_empty())
        };
        flags
            .namespace
            .clone()
            .or_else(of_context)
            .or_else(|| self.pod_namespace.clone())
            .unwrap_or_else(|| "default".to_owned())
    }

    /// Joins a context with its cluster and user.
    pub(crate) fn choose(&self, context: Option<&str>, flags: &Flags) -> Result<Chosen, Failure> {
        let name = context
            .or(flags.context.as_deref())
            .or(self.current.as_deref())
            .ok_or_else(|| Failure::config("The kubeconfig sets no current context.").remedy(self.names()))?;
        let found = self
            .merged
            .contexts
            .iter()
            .find(|named| named.name == name)
            .and_then(|named| named.context.as_ref())
            .ok_or_else(|| {
                Failure::config(format!("There is no context named {}.", one_line(name, 80)))
                    .remedy(self.names())
            })?;
        let cluster_name = flags.cluster.as_ref().unwrap_or(&found.cluster);
        let cluster = self
            .merged
            .clusters
            .iter()
            .find(|named| &named.name == cluster_name)
            .and_then(|named| named.cluster.clone())
            .ok_or_else(|| {
                let cluster = one_line(cluster_name, 80);
                Failure::config(format!(
                    "The context {} names the cluster {cluster}, which is not defined.",
                    one_line(name, 80)
                ))
                .remedy("Is a file missing in KUBECONFIG?")
            })?;
        let user_name = flags.user.clone().or_else(|| found.user.clone()).unwrap_or_default();
        Ok(Chosen {
            context: name.to_owned(),
            cluster_name: cluster_name.clone(),
            cluster,
            user: self.user(name, &user_name)?,
            user_name,
            namespace: self.namespace(Some(name), flags),
            dialer: self.dialer.clone(),
        })
    }

    /// Like kubectl, an empty user is allowed; unlike it, one that is named and not defined is an error here, because
    /// the request would go out without a login and come back as a puzzling 403.
    fn user(&self, context: &str, name: &str) -> Result<AuthInfo, Failure> {
        if name.is_empty() {
            return Ok(AuthInfo::default());
        }
        let named = self.merged.auth_infos.iter().find(|named| named.name == name).ok_or_else(|| {
            Failure::config(format!(
                "The context {} names the user {}, which is not defined.",
                one_line(context, 80),
                one_line(name, 80)
            ))
            .remedy("Is a file missing in KUBECONFIG?")
        })?;
        Ok(named.auth_info.clone().unwrap_or_default())
    }

    fn names(&self) -> String {
        const SHOWN: usize = 8;
        let names: Vec<String> = self.contexts.iter().take(SHOWN).map(|c| one_line(&c.name, 60)).collect();
        let more = if self.contexts.len() > SHOWN { ", …" } else { "" };
        format!("Choose one with --context: {}{more}.", names.join(", "))
    }
}

/// Leaves user and password out of a URL.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port = authority.rsplit_once([':', ']']).map_or("", |(_, port)| port);
    // What is no address may be a password with a slash in it, which ends nobody knows where.
    let is_address = authority.contains('@') || port.bytes().all(|byte| byte.is_ascii_digit());
    let (authority, path) = if is_address { (authority, path) } else { (rest, "") };
    match authority.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => format!("{host}{path}"),
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => url.to_owned(),
    }
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string(), 200)
}

fn read_trimmed(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
