//! One connection to one API server: the only way from the program to a cluster.
//!
//! A [`Connection`] sends requests through three doors, see [`super::gate`]. It does not know what is asked: paths and
//! decoding belong to its callers. It never repeats a request by itself, except once with new credentials after a 401,
//! which the server answers before it looks at the request.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::error::{Failure, FailureKind};
pub use super::gate::ContextId;
use super::gate::{Effect, Gate, allow, effect};
use super::kubeconfig::{Configuration, Flags};
use super::renewal::{Renewing, blocking};
pub use super::settings::AuthKind;
use super::settings::prepare;
use crate::config::Config;
use crate::model::{Clock, Now};

/// How much of an error's body is read.
const LONGEST_ERROR: usize = 64 << 10;

/// How large a document may be that is read as a whole. Lists are streamed and know no such limit.
const LONGEST_DOCUMENT: usize = 64 << 20;

/// What a connection is, as a plain value for messages and the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The connection's number.
    pub id: ContextId,
    /// The context's name.
    pub context: String,
    /// The cluster's name in the kubeconfig.
    pub cluster: String,
    /// The user's name in the kubeconfig; may be empty.
    pub user: String,
    /// The URL of the API server, without user and password.
    pub server: String,
    /// The namespace to begin in.
    pub namespace: String,
    /// Nothing that changes the cluster is sent.
    pub readonly: bool,
    /// How the user proves who they are.
    pub auth: AuthKind,
    /// Whom the user acts as, if they impersonate somebody.
    pub impersonates: Option<String>,
    /// What the config files say of this context.
    pub config: Arc<Config>,
    /// What there is to say of those files, one sentence each.
    pub warnings: Arc<Vec<String>>,
    /// What the clock of the server shows.
    pub clock: Clock,
}

/// A connection to an API server. Clones share everything.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    info: ConnectionInfo,
    renewing: Renewing,
    gate: Gate,
    request_timeout: Option<Duration>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.inner.info).finish()
    }
}

/// Makes a connection to a context; none is the one of `flags`, or the current one.
///
/// Runs the credential plugin, if there is one, but asks nothing of the server: whether it answers is known with the first
/// request. `id` is the number under which the caller keeps the connection.
///
/// # Errors
///
/// [`FailureKind::Config`] if the context, a file or a URL is wrong, [`FailureKind::Plugin`] if logging in fails,
/// [`FailureKind::Proxy`] and the kinds of TLS if proxy or certificates cannot be used.
pub async fn connect(
    configuration: &Configuration,
    context: Option<&str>,
    flags: &Flags,
    id: ContextId,
    gate: &Gate,
) -> Result<Connection, Failure> {
    let chosen = configuration.choose(context, flags)?;
    let (config, cluster, name) = (flags.config.clone(), chosen.cluster_name.clone(), chosen.context.clone());
    let (config, warnings) = blocking(move || Ok(config.in_context(&cluster, &name))).await?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let gate = gate.narrowed(flags.readonly || config.read_only);
    let impersonates = flags.as_user.clone().or_else(|| chosen.user.impersonate.clone());
    let mut info = ConnectionInfo {
        id,
        context: chosen.context.clone(),
        cluster: chosen.cluster_name.clone(),
        user: chosen.user_name.clone(),
        server: String::new(),
        namespace: chosen.namespace.clone(),
        readonly: gate.is_readonly(),
        auth: AuthKind::None,
        impersonates,
        config: Arc::new(config),
        warnings: Arc::new(warnings),
        clock: Clock::default(),
    };
    let (proxy, copied) = (configuration.proxy.clone(), flags.clone());
    let settings = blocking(move || prepare(&chosen, &copied, &proxy)).await?;
    let renewing = Renewing::start(settings).await?;
    info.server.clone_from(&renewing.settings().server);
    info.auth = renewing.settings().auth.clone();
    Ok(Connection {
        inner: Arc::new(Inner {
            info,
            renewing,
            gate,
            request_timeout: flags.request_timeout.filter(|limit| !limit.is_zero()),
        }),
    })
}

impl Connection {
    /// Returns what this connection is.
    pub fn info(&self) -> &ConnectionInfo {
        &self.inner.info
    }

    /// Returns the connection's number.
    pub fn id(&self) -> ContextId {
        self.inner.info.id
    }

    /// Explains an error that comes out of a response's body.
    pub fn explain(&self, error: &kube::Error) -> Failure {
        Failure::from_kube(error, &self.inner.info.server)
    }

    /// Sends a request that reads, and returns the answer as soon as its head is there; the body can be streamed.
    ///
    /// `limit` is for the head (for the whole answer, if it is an error). A caller that reads the body watches the time
    /// itself. Watches are asked for without compression, see below.
    ///
    /// # Errors
    ///
    /// [`FailureKind::ReadOnly`] if the request is not a read (a mistake of the caller; nothing was sent), a
    /// [`FailureKind::Timeout`], what the connection failed with, or what the server's error status says.
    pub async fn send(&self, request: Request<Vec<u8>>, limit: Duration) -> Result<Response<Body>, Failure> {
        if effect(request.method(), request.uri().path()) != Effect::Read {
            return Err(Failure::new(
                FailureKind::ReadOnly,
                format!("{} is not a read; nothing was sent.", request.method()),
            ));
        }
        self.exchange(request, limit).await
    }

    /// Opens a byte stream into a guest or a pod: a GET that asks for an upgrade. Status 101 is a success here; the caller
    /// checks and upgrades.
    ///
    /// # Errors
    ///
    /// What [`allow`] says (nothing was sent), else as [`Connection::send`].
    pub async fn open(&self, request: Request<Vec<u8>>, limit: Duration) -> Result<Response<Body>, Failure> {
        self.pass(&request)?;
        if request.method() != Method::GET {
            return Err(Failure::new(
                FailureKind::ReadOnly,
                format!("{} does not open a stream; nothing was sent.", request.method()),
            ));
        }
        self.exchange(request, limit).await
    }

    /// Sends a request that changes something. There is no other way to do that.
    ///
    /// # Errors
    ///
    /// What [`allow`] says (nothing was sent), else as [`Connection::send`]. After a timeout or a broken connection
    /// nobody knows whether the change arrived; the remedy says so.
    pub async fn change(
        &self,
        request: Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<Response<Body>, Failure> {
        self.pass(&request)?;
        if effect(request.method(), request.uri().path()) == Effect::Console {
            return Err(Failure::new(FailureKind::ReadOnly, "A console changes nothing; nothing was sent."));
        }
        self.exchange(request, limit).await.map_err(|failure| match failure.kind {
            FailureKind::Timeout | FailureKind::Disconnected => {
                failure.remedy("It is not known whether the change arrived; look before you repeat it.")
            }
            _ => failure,
        })
    }

    /// Reads a small JSON document; `accept` is the `Accept` header. `limit` is for the head and
    /// for the body, each.
    ///
    /// A server may close a connection that is kept open just when a request goes out on it (kube-apiserver does, unannounced,
    /// after it refused a stream). Who met with that is sent once more; lists and watches are not, their feeds tell of it.
    ///
    /// # Errors
    ///
    /// As [`Connection::send`], and [`FailureKind::Garbage`] if the answer is not a `T`.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        accept: &str,
        limit: Duration,
    ) -> Result<T, Failure> {
        let body = self.get(path, accept, limit).await?;
        serde_json::from_slice(&body).map_err(|why| Failure::not_json(&self.inner.info.server, &why))
    }

    /// Reads a small text; what is not UTF-8 in it is replaced. The text is as hostile as any.
    ///
    /// # Errors
    ///
    /// As [`Connection::send`].
    pub async fn get_text(&self, path: &str, accept: &str, limit: Duration) -> Result<String, Failure> {
        let body = self.get(path, accept, limit).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// Sends a JSON document to one of the reviews that store nothing, and reads the answer.
    pub(crate) async fn review<T: DeserializeOwned>(
        &self,
        path: &str,
        review: &impl serde::Serialize,
        limit: Duration,
    ) -> Result<T, Failure> {
        let garbage = |why: serde_json::Error| Failure::not_json(&self.inner.info.server, &why);
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(serde_json::to_vec(review).map_err(garbage)?)
            .map_err(|why| Failure::config(why.to_string()))?;
        let body = self.read(request, limit).await?;
        serde_json::from_slice(&body).map_err(garbage)
    }

    async fn get(&self, path: &str, accept: &str, limit: Duration) -> Result<Bytes, Failure> {
        let request = Request::get(path)
            .header(header::ACCEPT, accept)
            .body(Vec::new())
            .map_err(|why| Failure::config(format!("{path} is not a path: {why}.")))?;
        self.read(request, limit).await
    }

    /// Logging in again has its own time limit and must not be cut off by that of a read.
    async fn read(&self, request: Request<Vec<u8>>, limit: Duration) -> Result<Bytes, Failure> {
        let again = request.clone();
        let response = match self.send(request, limit).await {
            Err(failure) if failure.kind == FailureKind::Disconnected => self.send(again, limit).await?,
            answer => answer?,
        };
        self.within(limit, self.collect(response)).await
    }

    fn pass(&self, request: &Request<Vec<u8>>) -> Result<(), Failure> {
        let inner = &*self.inner;
        allow(request.method(), request.uri().path(), inner.gate.state(inner.info.id, &inner.info.context))
    }

    /// Sends with the client of the moment, which nobody else gets: whoever has it can send anything.
    async fn exchange(
        &self,
        mut request: Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<Response<Body>, Failure> {
        if is_watch(request.uri().query()) {
            // Servers from 1.37 on compress every event for itself, of which the decoder reads the first only.
            request
                .headers_mut()
                .entry(header::ACCEPT_ENCODING)
                .or_insert(HeaderValue::from_static("identity"));
        }
        let used = self.inner.renewing.current().await?;
        let again = request.clone();
        match self.once(&used.client, request, limit).await {
            Err(failure) if failure.kind == FailureKind::Unauthorized => {
                match self.inner.renewing.after_refusal(used.generation).await? {
                    Some(renewed) => self.once(&renewed.client, again, limit).await,
                    None => Err(failure),
                }
            }
            answer => answer,
        }
    }

    async fn once(
        &self,
        client: &kube::Client,
        request: Request<Vec<u8>>,
        limit: Duration,
    ) -> Result<Response<Body>, Failure> {
        self.within(limit, async {
            let response = client.send(request.map(Body::from)).await.map_err(|why| self.explain(&why))?;
            if let Some(Ok(date)) = response.headers().get(header::DATE).map(HeaderValue::to_str) {
                self.inner.info.clock.hear(date, Now::read());
            }
            let status = response.status();
            if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok(response);
            }
            Err(self.refusal(response).await)
        })
        .await
    }

    /// Reads why the server refused.
    async fn refusal(&self, response: Response<Body>) -> Failure {
        let code = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        // An error whose body breaks off or is too long is told by its code alone.
        let body = match Limited::new(response.into_body(), LONGEST_ERROR).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        Failure::from_status(code, &body, retry_after.as_deref(), &self.inner.info.server)
    }

    async fn collect(&self, response: Response<Body>) -> Result<Bytes, Failure> {
        let server = &self.inner.info.server;
        match Limited::new(response.into_body(), LONGEST_DOCUMENT).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(why) if why.is::<LengthLimitError>() => {
                Err(Failure::garbage(server, "it is longer than 64 MiB"))
            }
            Err(why) => Err(Failure::from_error(&*why, server)),
        }
    }

    /// Applies the time limit, or the one that the user asked for with `--request-timeout`.
    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let limit = self.inner.request_timeout.unwrap_or(limit);
        timeout(limit, work).await.unwrap_or_else(|_| Err(Failure::timeout(&self.inner.info.server, limit)))
    }
}

fn is_watch(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|pair| matches!(pair, "watch=1" | "watch=true")))
}

fn retry_after(headers: &HeaderMap) -> Option<String> {
    Some(headers.get(header::RETRY_AFTER)?.to_str().ok()?.to_owned())
}
