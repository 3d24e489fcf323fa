//! Turns a chosen context into the settings of kube's client.
//!
//! The settings are put together here and not by kube's own loader, which reads proxy variables in its own way (see
//! [`super::proxy`]) and would leave its retries, its time limits and the plugin to kube.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri, header};
use kube::config::{AuthInfo, Cluster, ExecAuthCluster, ExecConfig};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::dial::Dialer;
use super::error::{Failure, sentence};
use super::kubeconfig::{Chosen, Configuration, Flags, IN_CLUSTER};
use super::plugin::{self, Credential};
use super::proxy::{self, ProxyEnvironment};
use crate::text::one_line;

/// How long connecting may take, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How the user proves who they are; for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthKind {
    /// Not at all.
    None,
    /// A token written in the kubeconfig.
    Token,
    /// A token in a file, which may rotate.
    TokenFile,
    /// A user name and a password.
    Basic,
    /// A client certificate.
    Certificate,
    /// A credential plugin with this command.
    Plugin(String),
    /// A built-in provider with this name (`oidc`, `gcp`).
    Provider(String),
    /// The service account of the pod that v9s runs in.
    ServiceAccount,
}

/// Everything that makes a client, without the credentials that a plugin gives.
#[derive(Clone)]
pub(crate) struct Settings {
    config: Config,
    /// The plugin to run, and what it is told of the cluster.
    pub(crate) plugin: Option<(ExecConfig, Option<ExecAuthCluster>)>,
    pub(crate) auth: AuthKind,
    /// The server's URL as it may be shown: without user and password.
    pub(crate) server: String,
    /// Whether building the client anew can give other credentials: a plugin, or a file that is read again.
    pub(crate) renewable: bool,
    dialer: Option<Dialer>,
}

/// Makes the settings. Reads the certificate authority's file, so it belongs on a thread that may block.
pub(crate) fn prepare(
    chosen: &Chosen,
    flags: &Flags,
    environment: &ProxyEnvironment,
) -> Result<Settings, Failure> {
    let url = server_url(chosen)?;
    let server = display_url(&url);
    let mut cluster = chosen.cluster.clone();
    if flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
    }
    let here = is_here(&url, chosen);
    let mut user = chosen.user.clone();
    impersonate(&mut user, flags)?;
    // kubectl sends no credentials in clear text; to this very machine it does no harm.
    if url.scheme_str() == Some("http") && !here {
        user = without_credentials(&user);
    }
    let auth = auth_kind(chosen, &user);
    let info = ExecAuthCluster::try_from(&cluster).map_err(|why| {
        let name = one_line(&chosen.cluster_name, 80);
        let why = sentence(&why.to_string());
        Failure::config(format!("The certificate authority of the cluster {name} cannot be used: {why}"))
    })?;
    let mut config = client_config(url, chosen, &cluster, &info)?;
    config.proxy_url = environment.choose(&config.cluster_url, cluster.proxy_url.as_deref())?;
    if auth == AuthKind::ServiceAccount && !config.accept_invalid_certs {
        // Read again by kube every minute: a cluster may change its authority while a pod lives.
        config.root_cert_file = cluster.certificate_authority.as_ref().map(PathBuf::from);
    }
    let renewable = matches!(auth, AuthKind::Plugin(_) | AuthKind::TokenFile | AuthKind::ServiceAccount)
        || user.client_certificate.is_some();
    let plugin = match (&auth, user.exec.take()) {
        (AuthKind::Plugin(_), Some(exec)) => {
            let info = exec.provide_cluster_info.then_some(info);
            Some((exec, info))
        }
        _ => None,
    };
    config.auth_info = user;
    Ok(Settings { config, plugin, auth, server, renewable, dialer: chosen.dialer.clone() })
}

/// A client that passes no gate, and the server's URL: for what plays a part of a cluster. The screens have no use for it.
///
/// # Errors
///
/// What is wrong with the context; a credential plugin is not run.
pub(crate) async fn ungated(
    configuration: Arc<Configuration>,
    flags: Flags,
) -> Result<(Client, Uri), Failure> {
    let runtime = tokio::runtime::Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        let _inside = runtime.enter();
        client_of(&configuration, &flags)
    });
    made.await.map_err(|_| Failure::config("Making a client was broken off."))?
}

/// Reads files.
fn client_of(configuration: &Configuration, flags: &Flags) -> Result<(Client, Uri), Failure> {
    let chosen = configuration.choose(None, flags)?;
    let settings = prepare(&chosen, flags, &configuration.proxy)?;
    if settings.plugin.is_some() {
        let context = one_line(&chosen.context, 80);
        return Err(Failure::config(format!(
            "The user of the context {context} logs in by a plugin, which is not run here; take a context with a token or a certificate."
        )));
    }
    let config = settings.config(None)?;
    let url = config.cluster_url.clone();
    Ok((settings.client(config)?, url))
}

/// Whether nothing of what is sent leaves this machine.
fn is_here(url: &Uri, chosen: &Chosen) -> bool {
    chosen.dialer.is_some() || proxy::is_loopback(url)
}

/// The part that is about the server, without credentials and proxy.
fn client_config(
    url: Uri,
    chosen: &Chosen,
    cluster: &Cluster,
    info: &ExecAuthCluster,
) -> Result<Config, Failure> {
    let insecure = cluster.insecure_skip_tls_verify == Some(true);
    let here = is_here(&url, chosen);
    let mut config = Config::new(url);
    config.default_namespace.clone_from(&chosen.namespace);
    config.accept_invalid_certs = insecure;
    let pem = info.certificate_authority_data.as_deref();
    if let Some(pem) = pem.filter(|_| !insecure) {
        config.root_cert = Some(authorities(pem, chosen)?);
    }
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    // Packing and unpacking costs more than it saves where nothing leaves the machine.
    config.disable_compression = cluster.disable_compression == Some(true) || here;
    config.connect_timeout = Some(CONNECT_LIMIT);
    // kube would retry 429, 503 and 504 fifteen times without a word, writes included.
    config.default_retry = false;
    let agent = HeaderValue::from_static(concat!("v9s/", env!("CARGO_PKG_VERSION")));
    config.headers.push((header::USER_AGENT, agent));
    Ok(config)
}

impl Settings {
    /// Returns the client's settings with what a plugin gave.
    pub(crate) fn config(&self, credential: Option<&Credential>) -> Result<Config, Failure> {
        let mut config = self.config.clone();
        let Some(credential) = credential else {
            return Ok(config);
        };
        if let Some(token) = &credential.token {
            config.auth_info.token = Some(token.clone());
        }
        if let Some((certificate, key)) = &credential.certificate {
            config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate.as_bytes()));
            config.auth_info.client_key_data = Some(STANDARD.encode(key.expose_secret()).into());
        }
        Ok(config)
    }

    /// Makes a client. Loads certificate authorities and files, and may run an old auth-provider's command, so it belongs
    /// on a thread that may block.
    pub(crate) fn client(&self, config: Config) -> Result<Client, Failure> {
        let made = match &self.dialer {
            Some(dialer) => dialer.client(&config),
            None => Client::try_from(config),
        };
        made.map_err(|why| Failure::from_kube(&why, &self.server))
    }
}

fn server_url(chosen: &Chosen) -> Result<Uri, Failure> {
    let name = || one_line(&chosen.cluster_name, 80);
    let text = chosen
        .cluster
        .server
        .as_deref()
        .ok_or_else(|| Failure::config(format!("The cluster {} has no server URL.", name())))?
        .trim();
    // Without a scheme kubectl takes https where anything says TLS, else http.
    let cluster = &chosen.cluster;
    let tls = cluster.certificate_authority.is_some()
        || cluster.certificate_authority_data.is_some()
        || cluster.insecure_skip_tls_verify.is_some();
    let text = match text.contains("://") {
        true => text.to_owned(),
        false if tls => format!("https://{text}"),
        false => format!("http://{text}"),
    };
    let url: Uri = text.parse().map_err(|why: http::uri::InvalidUri| {
        Failure::config(format!(
            "The server URL of the cluster {} cannot be understood: {}",
            name(),
            sentence(&why.to_string())
        ))
    })?;
    match url.scheme_str() {
        Some("http" | "https") if url.host().is_some_and(|host| !host.is_empty()) => Ok(url),
        _ => Err(Failure::config(format!(
            "The server URL of the cluster {} is not an http:// or https:// URL.",
            name()
        ))),
    }
}

fn display_url(url: &Uri) -> String {
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let path = url.path().trim_end_matches('/');
    one_line(&format!("{}://{host}{path}", url.scheme_str().unwrap_or("https")), 200)
}

/// Flags win over the kubeconfig, each for itself, as with kubectl. kube sends the headers from the user's fields.
fn impersonate(user: &mut AuthInfo, flags: &Flags) -> Result<(), Failure> {
    if flags.as_user.is_some() {
        user.impersonate.clone_from(&flags.as_user);
    }
    if !flags.as_group.is_empty() {
        user.impersonate_groups = Some(flags.as_group.clone());
    }
    let more = user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || user.impersonate_uid.is_some()
        || user.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if user.impersonate.is_none() && more {
        return Err(Failure::config("Groups cannot be impersonated without a user.").remedy("Add --as."));
    }
    Ok(())
}

fn without_credentials(user: &AuthInfo) -> AuthInfo {
    AuthInfo {
        impersonate: user.impersonate.clone(),
        impersonate_uid: user.impersonate_uid.clone(),
        impersonate_groups: user.impersonate_groups.clone(),
        impersonate_user_extra: user.impersonate_user_extra.clone(),
        ..AuthInfo::default()
    }
}

/// The order is kube's: a provider, a password, a token, a token file, a plugin; a certificate may join any of them.
fn auth_kind(chosen: &Chosen, user: &AuthInfo) -> AuthKind {
    if let Some(provider) = &user.auth_provider {
        AuthKind::Provider(one_line(&provider.name, 40))
    } else if user.username.is_some() && user.password.is_some() {
        AuthKind::Basic
    } else if user.token.is_some() {
        AuthKind::Token
    } else if user.token_file.is_some() {
        // kube reads the file again every minute and keeps the last token if that fails.
        match chosen.user_name == IN_CLUSTER {
            true => AuthKind::ServiceAccount,
            false => AuthKind::TokenFile,
        }
    } else if let Some(exec) = &user.exec {
        AuthKind::Plugin(plugin::name(exec.command.as_deref().unwrap_or_default()))
    } else if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
        AuthKind::Certificate
    } else {
        AuthKind::None
    }
}

fn authorities(pem: &[u8], chosen: &Chosen) -> Result<Vec<Vec<u8>>, Failure> {
    let name = || one_line(&chosen.cluster_name, 80);
    let found: Result<Vec<Vec<u8>>, _> =
        CertificateDer::pem_slice_iter(pem).map(|der| Ok(der?.to_vec())).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Failure::config(format!(
            "The certificate authority of the cluster {} holds no certificate.",
            name()
        ))),
        Err::<_, rustls::pki_types::pem::Error>(why) => Err(Failure::config(format!(
            "The certificate authority of the cluster {} is not PEM: {}",
            name(),
            sentence(&why.to_string())
        ))),
    }
}
