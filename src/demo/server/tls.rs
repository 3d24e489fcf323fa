//! What a server on a port proves itself with: an authority of its own and a certificate signed by it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ServerConfig, version};
use tokio_rustls::TlsAcceptor;

/// A certificate for this machine and the authority that vouches for it. Both are made for one run; their keys are in
/// memory only.
#[derive(Clone)]
pub struct Identity {
    authority: String,
    certificate: CertificateDer<'static>,
    key: Arc<PrivateKeyDer<'static>>,
    pub(crate) acceptor: TlsAcceptor,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Why there is no identity, or no token.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not accept what was made.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The clock shows a time that no certificate can be made for.
    #[error("the clock of this machine shows a time that no certificate can be made for")]
    Clock,
}

impl Identity {
    /// Makes an authority, and a certificate for `localhost`, the loopback addresses and this one.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]
    pub fn new(address: IpAddr, now: Timestamp) -> Result<Self, IdentityError> {
        Self::named(&[], address, now)
    }

    /// The same, good for these names too.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]
    pub fn named(names: &[&str], address: IpAddr, now: Timestamp) -> Result<Self, IdentityError> {
        let mut params = lasting(CertificateParams::new(Vec::new())?, now)?;
        params.distinguished_name.push(DnType::CommonName, "v9s demo authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let names: Vec<String> = names.iter().chain(&["localhost"]).map(ToString::to_string).collect();
        let mut params = lasting(CertificateParams::new(names)?, now)?;
        params.distinguished_name.push(DnType::CommonName, "v9s demo");
        let addresses = BTreeSet::from([Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into(), address]);
        params.subject_alt_names.extend(addresses.into_iter().map(SanType::IpAddress));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;

        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let certificate = certificate.der().clone();
        let acceptor = acceptor(&certificate, &key, WebPkiClientVerifier::no_client_auth())?;
        Ok(Self { authority: authority.pem(), certificate, key: Arc::new(key), acceptor })
    }

    /// Takes connections as this identity, from any client.
    pub fn open(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Takes connections as this identity, from clients that prove themselves to this verifier.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Tls`]
    pub fn demanding(&self, verifier: Arc<dyn ClientCertVerifier>) -> Result<TlsAcceptor, IdentityError> {
        acceptor(&self.certificate, &self.key, verifier)
    }

    /// The authority's certificate, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn acceptor(
    certificate: &CertificateDer<'static>,
    key: &PrivateKeyDer<'static>,
    verifier: Arc<dyn ClientCertVerifier>,
) -> Result<TlsAcceptor, IdentityError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.clone()], key.clone_key())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// From yesterday, for clocks that differ, to the end of next year.
fn lasting(mut params: CertificateParams, now: Timestamp) -> Result<CertificateParams, IdentityError> {
    let yesterday = now.checked_sub(24.hours()).map_err(|_| IdentityError::Clock)?;
    let begin = yesterday.to_zoned(TimeZone::UTC).date();
    let (Ok(month), Ok(day)) = (u8::try_from(begin.month()), u8::try_from(begin.day())) else {
        return Err(IdentityError::Clock);
    };
    if !(1950..9998).contains(&begin.year()) {
        return Err(IdentityError::Clock);
    }
    params.not_before = rcgen::date_time_ymd(begin.year().into(), month, day);
    params.not_after = rcgen::date_time_ymd(i32::from(begin.year()) + 2, 1, 1);
    Ok(params)
}

/// A token that nobody guesses: 256 random bits.
///
/// # Errors
///
/// [`IdentityError::Random`]
pub fn new_token() -> Result<String, IdentityError> {
    let mut bits = [0; 32];
    provider().secure_random.fill(&mut bits).map_err(|_| IdentityError::Random)?;
    Ok(bits.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_each_is_another() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!(one.len(), 64);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn clocks_may_be_wrong() {
        let address = Ipv4Addr::LOCALHOST.into();
        for (now, good) in [
            ("2026-01-01T00:30:00Z", true),
            ("2024-02-29T23:59:59Z", true),
            ("1970-01-01T00:00:00Z", true),
            ("-000050-01-01T00:00:00Z", false),
            ("9999-12-01T00:00:00Z", false),
        ] {
            assert_eq!(Identity::new(address, now.parse().unwrap()).is_ok(), good, "{now}");
        }
    }
}
