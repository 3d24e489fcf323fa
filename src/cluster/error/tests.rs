use std::io;

use super::*;

const SERVER: &str = "https://10.0.0.1:6443";

fn status(code: u16, reason: &str, message: &str) -> String {
    format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{message}","reason":"{reason}","code":{code}}}"#
    )
}

#[test]
fn statuses_are_told_in_a_sentence() {
    use FailureKind as K;
    let none = None;
    let cases = [
        (
            401,
            status(401, "Unauthorized", "Unauthorized"),
            K::Unauthorized,
            "The API server https://10.0.0.1:6443 does not accept this login: Unauthorized. Log in again, or choose another context; an expired token looks like this too.",
        ),
        (
            403,
            status(403, "Forbidden", "pods is forbidden: User x cannot list resource pods"),
            K::Forbidden,
            "Not allowed: pods is forbidden: User x cannot list resource pods. Ask for this right, or choose a user that has it.",
        ),
        (
            403,
            status(403, "Forbidden", r#"forbidden: User \"system:anonymous\" cannot get path \"/api\""#),
            K::Forbidden,
            "Not allowed: forbidden: User \"system:anonymous\" cannot get path \"/api\". This context sends no login that the server knows: give its user a token or a certificate, or choose another context.",
        ),
        (404, "404 page not found\n".into(), K::NotFound, "Not found: 404 page not found."),
        (404, String::new(), K::NotFound, "Not found: no such resource on this server."),
        (
            409,
            status(409, "Conflict", "the object has been modified"),
            K::Conflict,
            "Somebody else changed it meanwhile: the object has been modified. Look at the newer version and try again.",
        ),
        (
            409,
            status(409, "AlreadyExists", "vms a already exists"),
            K::Conflict,
            "It exists already: vms a already exists. Choose another name, or edit the one that exists.",
        ),
        (
            410,
            status(410, "Expired", "too old resource version"),
            K::Gone,
            "The API server https://10.0.0.1:6443 no longer keeps the history asked for: too old resource version. The list is read again from its start.",
        ),
        (
            429,
            String::new(),
            K::TooManyRequests { retry_after: none },
            "The API server https://10.0.0.1:6443 asks to slow down: too many requests.",
        ),
        (
            503,
            "service unavailable".into(),
            K::Unavailable { retry_after: none },
            "The API server https://10.0.0.1:6443, or a service behind it, is not available (503): service unavailable. This often passes by itself; if not, look at the API service that is named.",
        ),
        (
            504,
            "<html>gateway</html>".into(),
            K::Unavailable { retry_after: none },
            "The API server https://10.0.0.1:6443, or a service behind it, is not available (504): no reason given. This often passes by itself; if not, look at the API service that is named.",
        ),
        (
            302,
            String::new(),
            K::Server(302),
            "https://10.0.0.1:6443 answers with a redirect (302). Is this URL a login page instead of an API server?",
        ),
        (
            422,
            status(422, "Invalid", "spec.running: Invalid value"),
            K::Server(422),
            "The API server https://10.0.0.1:6443 refuses the request (422): spec.running: Invalid value.",
        ),
        (
            500,
            "{not json".into(),
            K::Server(500),
            "The API server https://10.0.0.1:6443 failed (500): {not json.",
        ),
        (
            400,
            "Client sent an HTTP request to an HTTPS server.\n".into(),
            K::Tls,
            "The API server https://10.0.0.1:6443 speaks TLS, but its URL begins with http://. Write https:// in the kubeconfig.",
        ),
    ];
    for (code, body, kind, text) in cases {
        let failure = Failure::from_status(code, body.as_bytes(), None, SERVER);
        assert_eq!(failure.kind, kind, "{code} {body}");
        assert_eq!(failure.to_string(), text);
    }
}

#[test]
fn pauses_are_read_from_header_and_body_and_bounded() {
    let pause =
        |body: &str, header: Option<&str>| match Failure::from_status(429, body.as_bytes(), header, SERVER)
            .kind
        {
            FailureKind::TooManyRequests { retry_after } => retry_after.map(|pause| pause.as_secs()),
            other => panic!("{other:?}"),
        };
    assert_eq!(pause("", Some("7")), Some(7));
    assert_eq!(pause(r#"{"kind":"Status","details":{"retryAfterSeconds":3}}"#, None), Some(3));
    assert_eq!(pause(r#"{"kind":"Status","details":{"retryAfterSeconds":3}}"#, Some("9")), Some(9));
    assert_eq!(pause("", Some("99999999999999")), Some(3600));
    assert_eq!(pause("", Some("Fri, 31 Dec 1999 23:59:59 GMT")), None);
    assert_eq!(pause("", Some("0")), None);
}

#[test]
fn text_of_servers_is_made_safe_and_short() {
    assert_eq!(
        sentence("  a\u{1b}]52;c;x\u{7}b\r\n\tc\u{202e}d\u{9b}1m \u{e0041} "),
        "a␛]52;c;x␇b c·d·1m ·."
    );
    assert_eq!(sentence(&"é".repeat(400)).chars().count(), 301);
    let huge = vec![b'x'; 10 << 20];
    let failure = Failure::from_status(500, &huge, None, SERVER);
    assert!(failure.to_string().chars().count() < 400);
}

/// An error around another, as the layers of an HTTP client make them.
#[derive(Debug)]
struct Around(&'static str, Box<dyn Error + Send + Sync>);

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Around {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.1)
    }
}

fn layered(text: &'static str, inner: impl Into<Box<dyn Error + Send + Sync>>) -> kube::Error {
    kube::Error::Service(Box::new(Around("client error (Connect)", Box::new(Around(text, inner.into())))))
}

fn tls(why: rustls::CertificateError) -> kube::Error {
    // As tokio-rustls and hyper-rustls hand it out: an I/O error in an I/O error.
    let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why));
    layered("tls", io::Error::other(inner))
}

#[derive(Debug)]
struct UnsupportedCertVersion;

impl fmt::Display for UnsupportedCertVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsupportedCertVersion")
    }
}

impl Error for UnsupportedCertVersion {}

#[test]
fn causes_are_found_below_the_client() {
    use FailureKind as K;
    use rustls::CertificateError as C;
    let io = |kind: io::ErrorKind| layered("tcp connect error", io::Error::from(kind));
    let alert = |alert| layered("tls", io::Error::other(rustls::Error::AlertReceived(alert)));
    let other = rustls::OtherError(std::sync::Arc::new(UnsupportedCertVersion));
    let cases = [
        (io(io::ErrorKind::ConnectionRefused), K::Refused, "refuses connections"),
        (io(io::ErrorKind::HostUnreachable), K::Refused, "no route"),
        (io(io::ErrorKind::TimedOut), K::Timeout, "did not answer in time"),
        (io(io::ErrorKind::ConnectionReset), K::Disconnected, "was cut. Is the network up"),
        (
            layered(
                "dns error",
                io::Error::other("failed to lookup address information: Name or service not known"),
            ),
            K::Dns,
            "has no address",
        ),
        (layered("tunnel error: unsuccessful", "407"), K::Proxy, "proxy"),
        (
            layered(
                "SOCKS error: failed to create underlying connection",
                io::Error::from(io::ErrorKind::ConnectionRefused),
            ),
            K::Proxy,
            "proxy",
        ),
        (tls(C::UnknownIssuer), K::WrongCa, "does not trust"),
        (tls(C::NotValidForName), K::WrongCa, "host name"),
        (tls(C::Expired), K::CertificateExpired, "has expired"),
        (tls(C::NotValidYet), K::CertificateExpired, "not valid yet"),
        (tls(C::Other(other)), K::UnsupportedCertificate, "version 1"),
        (tls(C::Revoked), K::Tls, "not accepted"),
        (alert(rustls::AlertDescription::CertificateExpired), K::CertificateExpired, "client certificate"),
        (alert(rustls::AlertDescription::CertificateRequired), K::Tls, "client certificate"),
        (alert(rustls::AlertDescription::InternalError), K::Tls, "broke off"),
        (layered("anything", "else"), K::Disconnected, "failed: else."),
        (
            kube::Error::SerdeError(serde_json::from_str::<u8>("{").unwrap_err()),
            K::Garbage,
            "cannot be understood",
        ),
    ];
    for (error, kind, part) in cases {
        let failure = Failure::from_kube(&error, SERVER);
        assert_eq!(failure.kind, kind, "{error:?}");
        assert!(failure.to_string().contains(part), "{failure}");
        assert!(failure.what.contains(SERVER) || kind == K::Forbidden, "{failure}");
    }
}

#[test]
fn some_failures_pass_by_themselves() {
    assert!(Failure::from_status(503, b"", None, SERVER).is_transient());
    assert!(Failure::from_status(500, b"", None, SERVER).is_transient());
    assert!(!Failure::from_status(403, b"", None, SERVER).is_transient());
    assert!(!Failure::from_status(422, b"", None, SERVER).is_transient());
}
