//! What can go wrong between the program and an API server, told in one sentence.
//!
//! A [`Failure`] is what a person reads: what happened, to what, and what to do. The kind is for code that has to
//! decide (wait, relist, log in again). Causes are looked for through the whole chain of sources, because the
//! interesting error (refused, unknown issuer) sits four layers below the one that is handed out.

mod chain;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::text::one_line;
use serde::Deserialize;
use serde_json::error::Category;

/// The longest text of a server that is shown, in characters.
const LONGEST: usize = 300;

/// What to look at when a connection broke that had worked.
pub(crate) const LOOK_AT_NETWORK: &str = "Is the network up, is a tunnel or VPN still open?";

/// What there is to do where nobody has to do anything.
pub(crate) const ASKED_AGAIN: &str = "v9s asks again by itself.";

/// The longest pause that is believed when a server asks for one.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A failed request, connection or login, ready to be shown.
///
/// `Display` is the sentence followed by the remedy. All text that came from a server, a plugin or a file has been
/// cut and freed of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the program can decide by.
    pub kind: FailureKind,
    /// One sentence: what happened, and to what.
    pub what: String,
    /// What the user can do, where something can be said.
    pub remedy: Option<String>,
    /// The fields of an object that the server finds fault with.
    pub causes: Box<[Cause]>,
}

/// A field that a server finds fault with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The field, as servers write it: `spec.containers[0].cpu`; may be empty.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// The kinds of failure that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The kubeconfig, a flag or a file named there is missing or wrong.
    Config,
    /// A credential plugin failed, or cannot run under a full-screen program.
    Plugin,
    /// Nobody listens at the address, or there is no route to it.
    Refused,
    /// No answer within the time allowed.
    Timeout,
    /// The host name has no address.
    Dns,
    /// 401: the credentials are missing, wrong or expired.
    Unauthorized,
    /// 403: this user lacks the right.
    Forbidden,
    /// 404: no such object, or no such kind.
    NotFound,
    /// 410: the resource version is too old; list again.
    Gone,
    /// 409: the object changed meanwhile, or exists already.
    Conflict,
    /// 429: the server asks to slow down.
    TooManyRequests {
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
    },
    /// 503 or 504: the server, or an aggregated server behind it, is not there at the moment.
    Unavailable {
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
    },
    /// The server's certificate is signed by nobody we trust, or is for another host name.
    WrongCa,
    /// The server's certificate is of a kind that rustls refuses (X.509 version 1).
    UnsupportedCertificate,
    /// A certificate is past its end, or not valid yet.
    CertificateExpired,
    /// Any other failure of TLS.
    Tls,
    /// The proxy refused, or its URL cannot be used.
    Proxy,
    /// Any other HTTP status.
    Server(u16),
    /// The answer could not be understood.
    Garbage,
    /// The session is read-only; nothing was sent.
    ReadOnly,
    /// The request was for a context that is not on screen; nothing was sent.
    OtherContext,
    /// The connection broke while it was in use.
    Disconnected,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, " {remedy}"),
            None => Ok(()),
        }
    }
}

impl Error for Failure {}

impl Failure {
    /// Makes a failure without a remedy.
    pub fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), remedy: None, causes: Box::default() }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The text for a request that is repeated without anybody doing anything.
    pub fn and_again(&self) -> String {
        match self.remedy {
            Some(_) => self.to_string(),
            None => format!("{self} {ASKED_AGAIN}"),
        }
    }

    /// Makes a failure of the configuration.
    pub(crate) fn config(what: impl Into<String>) -> Self {
        Self::new(FailureKind::Config, what)
    }

    /// Reports that `server` did not answer within `limit`.
    pub fn timeout(server: &str, limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        Self::new(
            FailureKind::Timeout,
            format!("The API server {server} did not answer within {seconds:.0} s."),
        )
        .remedy("Is the network slow, or is a tunnel or VPN needed?")
    }

    /// Reports an answer of `server` that could not be understood.
    pub fn garbage(server: &str, why: &str) -> Self {
        Self::new(
            FailureKind::Garbage,
            format!("The answer of {server} cannot be understood: {}", sentence(why)),
        )
        .remedy("Is this URL an API server, or a proxy or a login page in front of it?")
    }

    /// Reports an answer of `server` that is not the JSON that was expected.
    pub(crate) fn not_json(server: &str, why: &serde_json::Error) -> Self {
        Self::garbage(server, &why_no_json(why))
    }

    /// Returns whether trying the same read again later may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Refused
                | FailureKind::Timeout
                | FailureKind::Dns
                | FailureKind::TooManyRequests { .. }
                | FailureKind::Unavailable { .. }
                | FailureKind::Disconnected
                | FailureKind::Server(500..)
        )
    }

    /// Explains an error of kube's client; `server` is the URL as the user knows it.
    pub fn from_kube(error: &kube::Error, server: &str) -> Self {
        use kube::Error as E;
        match error {
            E::Api(status) => {
                let said = Said {
                    message: status.message.clone(),
                    reason: status.reason.clone(),
                    retry_after: status.details.as_ref().map(|d| u64::from(d.retry_after_seconds)),
                    causes: Vec::new(),
                };
                said.into_failure(status.code, server)
            }
            E::ProxyProtocolUnsupported { proxy_url } | E::ProxyProtocolDisabled { proxy_url, .. } => {
                let scheme = one_line(proxy_url.scheme_str().unwrap_or("no scheme"), 20);
                Self::new(
                    FailureKind::Proxy,
                    format!("The proxy configured for {server} has a URL of a kind that cannot be used ({scheme})."),
                )
                .remedy("Use http://, https:// or socks5:// in proxy-url or HTTPS_PROXY.")
            }
            E::SerdeError(why) => Self::not_json(server, why),
            E::FromUtf8(_) => Self::garbage(server, "it is not UTF-8 text"),
            E::InferKubeconfig(why) => Self::config(sentence(&why.to_string())),
            E::Auth(why) => auth(why),
            other => Self::from_error(other, server),
        }
    }

    /// Explains any error by the first source in its chain that is known.
    pub fn from_error(error: &(dyn Error + 'static), server: &str) -> Self {
        chain::explain(error, server)
    }

    /// Explains an HTTP answer that is not a success.
    ///
    /// The body is a `metav1.Status`, or plain text where an aggregated server, a proxy or a webhook answered
    /// itself. `retry_after` is the header of that name; only its form in seconds is known to be used by
    /// API servers. An error object inside a watch is such a body too.
    pub fn from_status(code: u16, body: &[u8], retry_after: Option<&str>, server: &str) -> Self {
        let mut said = Said::read(body);
        if let Some(seconds) = retry_after.and_then(|text| text.trim().parse().ok()) {
            said.retry_after = Some(seconds);
        }
        said.into_failure(code, server)
    }
}

/// Why a JSON document cannot be read: it is none, or not the one that was expected.
pub(crate) fn why_no_json(why: &serde_json::Error) -> String {
    match why.classify() {
        Category::Data => why.to_string(),
        Category::Eof => format!("it ends in the middle ({why})"),
        Category::Io | Category::Syntax => format!("it is not JSON ({why})"),
    }
}

/// What a server says about a failure, whatever the form.
#[derive(Debug, Default)]
struct Said {
    message: String,
    reason: String,
    retry_after: Option<u64>,
    causes: Vec<Cause>,
}

/// The part of a `metav1.Status` that is used.
#[derive(Deserialize)]
struct Status {
    kind: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    details: Option<Details>,
}

/// The part of `metav1.StatusDetails` that is used.
#[derive(Deserialize)]
struct Details {
    #[serde(rename = "retryAfterSeconds")]
    retry_after_seconds: Option<u64>,
    causes: Option<Vec<StatusCause>>,
}

#[derive(Deserialize)]
struct StatusCause {
    message: Option<String>,
    field: Option<String>,
}

impl StatusCause {
    fn plain(self) -> Cause {
        let [field, message] = [self.field, self.message].map(Option::unwrap_or_default);
        Cause { field: one_line(&field, LONGEST), message: one_line(&message, LONGEST) }
    }
}

/// More causes than anybody reads.
const MOST_CAUSES: usize = 200;

impl Said {
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Status>(body) {
            Ok(status) if status.kind.as_deref() == Some("Status") => {
                let retry_after = status.details.as_ref().and_then(|details| details.retry_after_seconds);
                let causes = status.details.and_then(|details| details.causes).unwrap_or_default();
                Self {
                    message: status.message.unwrap_or_default(),
                    reason: status.reason.unwrap_or_default(),
                    retry_after,
                    causes: causes.into_iter().take(MOST_CAUSES).map(StatusCause::plain).collect(),
                }
            }
            _ => Self {
                message: String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST)]).into_owned(),
                ..Self::default()
            },
        }
    }

    /// The server's words as a sentence, or `otherwise` where it said nothing.
    fn or(&self, otherwise: &str) -> String {
        let words = if self.message.trim().is_empty() { &self.reason } else { &self.message };
        // A proxy's error page says nothing that fits on a line.
        if words.trim().is_empty() || words.trim_start().starts_with('<') {
            return sentence(otherwise);
        }
        sentence(words)
    }

    fn pause(&self) -> Option<Duration> {
        self.retry_after
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE))
    }

    fn into_failure(self, code: u16, server: &str) -> Failure {
        let kind = self.kind(code);
        let said =
            |words: &str, otherwise: &str| format!("The API server {server}{words}: {}", self.or(otherwise));
        let what = match code {
            401 => said(" does not accept this login", "Unauthorized"),
            403 => format!("Not allowed: {}", self.or("Forbidden")),
            404 => format!("Not found: {}", self.or("no such resource on this server")),
            409 if self.exists() => format!("It exists already: {}", self.or("conflict")),
            409 => format!("Somebody else changed it meanwhile: {}", self.or("conflict")),
            410 => said(" no longer keeps the history asked for", "resource version too old"),
            429 => said(" asks to slow down", "too many requests"),
            503 | 504 => {
                let words = format!(", or a service behind it, is not available ({code})");
                said(&words, "no reason given")
            }
            300..=399 => format!("{server} answers with a redirect ({code})."),
            400 if kind == FailureKind::Tls => {
                format!("The API server {server} speaks TLS, but its URL begins with http://.")
            }
            400..=499 => said(&format!(" refuses the request ({code})"), "no reason given"),
            _ => said(&format!(" failed ({code})"), "no reason given"),
        };
        let remedy = self.remedy(kind).map(str::to_owned);
        Failure { kind, what, remedy, causes: self.causes.into() }
    }

    fn exists(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    fn kind(&self, code: u16) -> FailureKind {
        let retry_after = self.pause();
        match code {
            401 => FailureKind::Unauthorized,
            403 => FailureKind::Forbidden,
            404 => FailureKind::NotFound,
            409 => FailureKind::Conflict,
            410 => FailureKind::Gone,
            429 => FailureKind::TooManyRequests { retry_after },
            503 | 504 => FailureKind::Unavailable { retry_after },
            // What Go's server says in clear text on a port for TLS.
            400 if self.message.contains("HTTP request to an HTTPS server") => FailureKind::Tls,
            code => FailureKind::Server(code),
        }
    }

    fn remedy(&self, kind: FailureKind) -> Option<&'static str> {
        use FailureKind as K;
        let remedy = match kind {
            K::Unauthorized => {
                "Log in again, or choose another context; an expired token looks like this too."
            }
            K::Forbidden if self.message.contains("\"system:anonymous\"") => {
                "This context sends no login that the server knows: give its user a token or a certificate, or choose another context."
            }
            K::Gone => "The list is read again from its start.",
            K::Forbidden => "Ask for this right, or choose a user that has it.",
            K::Conflict if self.exists() => "Choose another name, or edit the one that exists.",
            K::Conflict => "Look at the newer version and try again.",
            K::Unavailable { .. } => {
                "This often passes by itself; if not, look at the API service that is named."
            }
            K::Tls => "Write https:// in the kubeconfig.",
            K::Server(300..=399) => "Is this URL a login page instead of an API server?",
            _ => return None,
        };
        Some(remedy)
    }
}

/// Explains what kube says of the credentials, without anything a plugin wrote.
fn auth(error: &kube::client::AuthError) -> Failure {
    use kube::client::AuthError as A;
    match error {
        A::ReadTokenFile(why, path) => Failure::config(format!(
            "The token file {} cannot be read: {}",
            one_line(&path.display().to_string(), LONGEST),
            sentence(&why.to_string())
        )),
        A::InvalidBearerToken(_) | A::InvalidBasicAuth(_) => {
            Failure::config("The token or password holds characters that cannot be sent.")
                .remedy("Look for a line break inside it.")
        }
        A::AuthExecRun { .. } => {
            Failure::new(FailureKind::Plugin, "The command of the kubeconfig's auth-provider failed.")
                .remedy("Run it in a terminal to see why.")
        }
        other => {
            Failure::new(FailureKind::Plugin, format!("Logging in failed: {}", sentence(&other.to_string())))
                .remedy("Log in outside of v9s first, with kubectl for example.")
        }
    }
}

/// Makes words of a server safe and ends them with a full stop.
pub(crate) fn sentence(words: &str) -> String {
    let mut words = one_line(words, LONGEST);
    if !words.ends_with(['.', '!', '?', '…']) {
        words.push('.');
    }
    words
}
