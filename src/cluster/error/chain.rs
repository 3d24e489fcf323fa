//! Finds the cause in a chain of errors: what the system, TLS or the proxy said below the HTTP client.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::{Failure, FailureKind, LOOK_AT_NETWORK, sentence};
use crate::text::one_line;

/// Chains are short; a longer one is a loop.
const DEEPEST: usize = 32;

/// Explains `error` by the first of its causes that says something a person can act on.
pub(super) fn explain(error: &(dyn Error + 'static), server: &str) -> Failure {
    let causes = causes(error);
    // TLS speaks first: an I/O error around it says only "invalid data".
    if let Some(tls) = causes.iter().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return explain_tls(tls, server);
    }
    let texts: Vec<String> = causes.iter().map(ToString::to_string).collect();
    if let Some(failure) = by_text(&texts, server) {
        return failure;
    }
    if let Some(failure) = causes
        .iter()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find_map(|io| explain_io(io, server))
    {
        return failure;
    }
    if causes.iter().any(|cause| cause.is::<serde_json::Error>()) {
        return Failure::garbage(server, texts.last().map_or("", String::as_str));
    }
    if causes.iter().filter_map(|cause| cause.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse) {
        return Failure::garbage(server, "it is not HTTP");
    }
    let last = texts.last().map_or("no reason given", String::as_str);
    Failure::new(FailureKind::Disconnected, format!("The connection to {server} failed: {}", sentence(last)))
        .remedy(LOOK_AT_NETWORK)
}

/// All errors below `error`, outermost first.
///
/// An `io::Error` made from another error hides it from `source()`, which starts one below: it has to be asked.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found: Vec<&'a (dyn Error + 'static)> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        if found.len() == DEEPEST {
            break;
        }
        found.push(cause);
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    found
}

/// Failures whose types are private to the HTTP client and can be known by their words only
/// (hyper-util 0.1: "dns error", "tunnel error: …", "SOCKS error: …"; webpki's reasons inside of "Other").
fn by_text(texts: &[String], server: &str) -> Option<Failure> {
    let last = texts.last().map_or("", String::as_str);
    if texts.iter().any(|t| t.starts_with("tunnel error") || t.starts_with("SOCKS error")) {
        return Some(
            Failure::new(
                FailureKind::Proxy,
                format!("The proxy in front of {server} failed: {}", sentence(last)),
            )
            .remedy("Check proxy-url in the kubeconfig, or HTTPS_PROXY and NO_PROXY."),
        );
    }
    if texts.iter().any(|t| t.starts_with("dns error")) {
        return Some(
            Failure::new(
                FailureKind::Dns,
                format!("The name of the API server {server} has no address: {}", sentence(last)),
            )
            .remedy("Is a VPN needed, or is the name misspelled?"),
        );
    }
    texts.iter().any(|t| t.contains("UnsupportedCertVersion")).then(|| unsupported_version(server))
}

fn explain_io(error: &io::Error, server: &str) -> Option<Failure> {
    use io::ErrorKind as K;
    let failure = match error.kind() {
        K::ConnectionRefused => {
            Failure::new(FailureKind::Refused, format!("The API server {server} refuses connections."))
                .remedy("Is it running, is a tunnel needed?")
        }
        K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown | K::AddrNotAvailable => {
            Failure::new(FailureKind::Refused, format!("There is no route to the API server {server}."))
                .remedy("Is the network up, is a VPN needed?")
        }
        K::TimedOut => {
            Failure::new(FailureKind::Timeout, format!("The API server {server} did not answer in time."))
                .remedy("Is the network slow, or is a tunnel or VPN needed?")
        }
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof | K::NotConnected => {
            Failure::new(FailureKind::Disconnected, format!("The connection to {server} was cut."))
                .remedy(LOOK_AT_NETWORK)
        }
        _ => return None,
    };
    Some(failure)
}

fn unsupported_version(server: &str) -> Failure {
    Failure::new(
        FailureKind::UnsupportedCertificate,
        format!("The certificate of {server} is X.509 version 1, which v9s does not accept."),
    )
    .remedy("Give the server a version 3 certificate (openssl: sign it with an extension file).")
}

fn explain_tls(error: &rustls::Error, server: &str) -> Failure {
    match error {
        rustls::Error::InvalidCertificate(why) => explain_certificate(why, server),
        rustls::Error::AlertReceived(alert) => explain_alert(*alert, server),
        rustls::Error::InvalidMessage(_) => {
            Failure::new(FailureKind::Tls, format!("{server} does not speak TLS."))
                .remedy("Is the port right? A server without TLS has a URL that begins with http://.")
        }
        other => Failure::new(
            FailureKind::Tls,
            format!("The TLS handshake with {server} failed: {}", sentence(&other.to_string())),
        ),
    }
}

fn explain_certificate(why: &CertificateError, server: &str) -> Failure {
    use CertificateError as C;
    let text = format!("{why:?}");
    match why {
        C::UnknownIssuer | C::BadSignature => wrong_ca(server),
        C::NotValidForName => wrong_name(server, ""),
        C::NotValidForNameContext { presented, .. } => {
            wrong_name(server, &format!(" It is for {}.", one_line(&presented.join(", "), 120)))
        }
        C::Expired | C::ExpiredContext { .. } => {
            Failure::new(FailureKind::CertificateExpired, format!("The certificate of {server} has expired."))
                .remedy("The cluster's certificates must be renewed; is the clock of this machine right?")
        }
        C::NotValidYet | C::NotValidYetContext { .. } => Failure::new(
            FailureKind::CertificateExpired,
            format!("The certificate of {server} is not valid yet."),
        )
        .remedy("Is the clock of this machine right?"),
        _ if text.contains("UnsupportedCertVersion") => unsupported_version(server),
        // What webpki says of a self-signed certificate that is not in the list of authorities.
        _ if text.contains("CaUsedAsEndEntity") => wrong_ca(server),
        other => Failure::new(
            FailureKind::Tls,
            format!("The certificate of {server} is not accepted: {}", sentence(&other.to_string())),
        ),
    }
}

fn wrong_ca(server: &str) -> Failure {
    Failure::new(
        FailureKind::WrongCa,
        format!("The certificate of {server} is signed by an authority that this context does not trust."),
    )
    .remedy("Was the cluster made anew? Fetch its kubeconfig again, or correct certificate-authority.")
}

fn wrong_name(server: &str, names: &str) -> Failure {
    Failure::new(
        FailureKind::WrongCa,
        format!("The certificate of {server} is not valid for this host name.{names}"),
    )
    .remedy("Use one of the certificate's names as server, or set tls-server-name.")
}

/// What the server says about our certificate.
fn explain_alert(alert: AlertDescription, server: &str) -> Failure {
    use AlertDescription as A;
    match alert {
        A::CertificateExpired => Failure::new(
            FailureKind::CertificateExpired,
            format!("{server} refuses the client certificate of this user: it has expired."),
        )
        .remedy("Get a new one, or log in again."),
        A::BadCertificate
        | A::UnknownCA
        | A::CertificateUnknown
        | A::AccessDenied
        | A::CertificateRequired => Failure::new(
            FailureKind::Tls,
            format!("{server} refuses the client certificate of this user ({alert:?})."),
        )
        .remedy("Is this user's certificate from this cluster?"),
        other => Failure::new(FailureKind::Tls, format!("{server} broke off the TLS handshake ({other:?}).")),
    }
}
