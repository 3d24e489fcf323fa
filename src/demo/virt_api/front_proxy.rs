//! Whom a real kube-apiserver lets ask in the name of others: its own proxy, by a certificate.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use kube::Client;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use serde_json::Value;

use super::listen::ListenError;

/// Where a cluster says it.
const CONFIG: &str = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";

/// The headers that the service reads.
const USER: HeaderName = HeaderName::from_static("x-remote-user");
const GROUP: HeaderName = HeaderName::from_static("x-remote-group");

/// What the proxy of a kube-apiserver proves itself with, and how it says who asks.
#[derive(Debug)]
pub struct FrontProxy {
    authorities: Vec<CertificateDer<'static>>,
    /// Common names of its certificate; any will do if there are none.
    names: Vec<String>,
    user_headers: Vec<HeaderName>,
    group_headers: Vec<HeaderName>,
}

impl FrontProxy {
    /// Reads what the cluster says of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or the cluster has no such proxy.
    pub async fn of(client: &Client) -> Result<Self, ListenError> {
        let request = Request::get(CONFIG).body(Vec::new()).map_err(kube::Error::HttpError)?;
        let config: Value = client.request(request).await?;
        Self::read(&config["data"])
    }

    pub(super) fn read(data: &Value) -> Result<Self, ListenError> {
        let text = |key: &str| data[key].as_str().unwrap_or_default();
        let list = |key: &str| serde_json::from_str::<Vec<String>>(text(key)).unwrap_or_default();
        let headers =
            |key: &str| list(key).iter().filter_map(|name| name.parse::<HeaderName>().ok()).collect();
        let pem = text("requestheader-client-ca-file").as_bytes();
        let authorities: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        let user_headers: Vec<HeaderName> = headers("requestheader-username-headers");
        if authorities.is_empty() || user_headers.is_empty() {
            return Err(ListenError::NoProxy);
        }
        let group_headers = headers("requestheader-group-headers");
        Ok(Self { authorities, names: list("requestheader-allowed-names"), user_headers, group_headers })
    }

    /// Takes nobody else than who has a certificate of one of the authorities.
    pub(super) fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, ListenError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        verifier.map_err(|why| ListenError::Authority(why.to_string()))
    }

    /// Whether a certificate, which an authority has signed, is that of the proxy.
    pub(super) fn is(&self, certificate: &CertificateDer<'_>) -> bool {
        self.names.is_empty() || common_name(certificate).is_some_and(|name| self.names.contains(&name))
    }

    /// Says who asks in the headers that the service reads, and in no others.
    pub(super) fn identify(&self, headers: &mut HeaderMap) {
        let all = |names: &[HeaderName]| {
            names.iter().flat_map(|name| headers.get_all(name)).cloned().collect::<Vec<HeaderValue>>()
        };
        let (users, groups) = (all(&self.user_headers), all(&self.group_headers));
        for name in [USER, GROUP, header::AUTHORIZATION] {
            headers.remove(name);
        }
        if let Some(user) = users.into_iter().find(|user| !user.is_empty()) {
            headers.insert(USER, user);
        }
        for group in groups {
            headers.append(GROUP, group);
        }
    }
}

/// The common name of the subject of a certificate in DER (RFC 5280, 4.1).
fn common_name(certificate: &[u8]) -> Option<String> {
    const SEQUENCE: u8 = 0x30;
    const SET: u8 = 0x31;
    const OID: u8 = 0x06;
    const VERSION: u8 = 0xa0;
    const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
    let (whole, _) = element(certificate, Some(SEQUENCE))?;
    let (mut rest, _) = element(whole, Some(SEQUENCE))?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, None)?.1;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        rest = element(rest, None)?.1;
    }
    let (mut names, _) = element(rest, Some(SEQUENCE))?;
    let mut found = None;
    while !names.is_empty() {
        let (set, others) = element(names, Some(SET))?;
        let (pair, _) = element(set, Some(SEQUENCE))?;
        let (oid, value) = element(pair, Some(OID))?;
        if oid == COMMON_NAME {
            found = Some(String::from_utf8(element(value, None)?.0.to_vec()).ok()?);
        }
        names = others;
    }
    found
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: Option<u8>) -> Option<(&[u8], &[u8])> {
    let (&is, rest) = bytes.split_first()?;
    if tag.is_some_and(|tag| tag != is) {
        return None;
    }
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        let (digits, after) = rest.split_at_checked(count)?;
        if count == 0 || count > 4 {
            return None;
        }
        length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};
    use serde_json::json;

    use super::*;

    fn certificate(name: &str) -> rcgen::Certificate {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "an organization");
        params.distinguished_name.push(DnType::CommonName, name);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn names_are_read_from_certificates() {
        for name in ["front-proxy", "ü", "x".repeat(300).as_str()] {
            let der = certificate(name).der().clone();
            assert_eq!(common_name(&der).as_deref(), Some(name));
            // What is cut off or changed is no certificate, and harmless.
            for end in 0..der.len() {
                let _ = common_name(&der[..end]);
                let mut changed = der.to_vec();
                changed[end] ^= 0xff;
                let _ = common_name(&changed);
            }
        }
    }

    #[test]
    fn clusters_say_who_their_proxy_is() {
        let data = json!({
            "requestheader-client-ca-file": certificate("authority").pem(),
            "requestheader-allowed-names": "[\"front-proxy\"]",
            "requestheader-username-headers": "[\"X-Who\"]", "requestheader-group-headers": "[\"X-Groups\"]",
        });
        let proxy = FrontProxy::read(&data).unwrap();
        assert!(proxy.is(certificate("front-proxy").der()) && !proxy.is(certificate("somebody").der()));
        assert!(proxy.verifier().is_ok());
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-who", "eve"), ("x-groups", "a"), ("x-groups", "b"), ("x-remote-user", "forged")]
        {
            headers.append(name, value.parse().unwrap());
        }
        proxy.identify(&mut headers);
        assert_eq!(headers.get_all("x-remote-user").iter().collect::<Vec<_>>(), ["eve"]);
        assert_eq!(headers.get_all("x-remote-group").iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(FrontProxy::read(&json!({})).is_err());
    }
}
