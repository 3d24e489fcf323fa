//! Which proxy a server is reached through.
//!
//! kube 5.0 compares `NO_PROXY` with the proxy's host instead of the server's, fails on an empty entry in it
//! (`a,,b`), and applies it to the kubeconfig's `proxy-url` too. So the choice is made here, by the rules of
//! Go's `http.ProxyFromEnvironment`, which kubectl follows, and kube is only told the result.

use std::net::IpAddr;

use http::Uri;

use super::error::{Failure, FailureKind};
use super::kubeconfig::Environment;
use crate::text::one_line;

/// The proxy variables of the environment, as they were when the program began.
#[derive(Clone, Default)]
pub(crate) struct ProxyEnvironment {
    https: Option<String>,
    http: Option<String>,
    exceptions: String,
}

impl std::fmt::Debug for ProxyEnvironment {
    /// A proxy URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyEnvironment")
            .field("https", &self.https.is_some())
            .field("http", &self.http.is_some())
            .field("exceptions", &self.exceptions)
            .finish()
    }
}

impl ProxyEnvironment {
    /// Reads the variables; capital letters win, as in Go.
    pub(crate) fn read(env: Environment<'_>) -> Self {
        let get = |name: &str| {
            [name.to_owned(), name.to_lowercase()]
                .iter()
                .filter_map(|name| env(name)?.into_string().ok())
                .find(|value| !value.trim().is_empty())
        };
        Self {
            https: get("HTTPS_PROXY"),
            http: get("HTTP_PROXY"),
            exceptions: get("NO_PROXY").unwrap_or_default(),
        }
    }

    /// Chooses the proxy for `server`; `configured` is the kubeconfig's `proxy-url`, which has no exceptions.
    ///
    /// # Errors
    ///
    /// A [`FailureKind::Proxy`] if the proxy's URL is none.
    pub(crate) fn choose(&self, server: &Uri, configured: Option<&str>) -> Result<Option<Uri>, Failure> {
        let chosen = match configured {
            Some(url) => Some(url),
            None if self.is_excepted(server) => None,
            None if server.scheme_str() == Some("http") => self.http.as_deref(),
            None => self.https.as_deref(),
        };
        chosen.map(parse).transpose()
    }

    fn is_excepted(&self, server: &Uri) -> bool {
        let host = host(server);
        if is_loopback(server) {
            return true;
        }
        let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("http") { 80 } else { 443 });
        let address: Option<IpAddr> = host.parse().ok();
        self.exceptions
            .split(',')
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .any(|rule| matches(&rule.to_lowercase(), &host, address, port))
    }
}

/// Returns whether a server is on this machine.
pub(crate) fn is_loopback(server: &Uri) -> bool {
    let host = host(server);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host in small letters, an IPv6 address without brackets.
fn host(server: &Uri) -> String {
    let host = server.host().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_lowercase()
}

/// One entry of `NO_PROXY`: `*`, an address, a range, a domain with its subdomains, `.domain` without itself; names
/// and addresses may be followed by a port.
fn matches(rule: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if rule == "*" {
        return true;
    }
    if let Some((base, bits)) = rule.split_once('/')
        && let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>())
    {
        return address.is_some_and(|address| in_range(address, base, bits));
    }
    if let Ok(rule) = rule.parse::<IpAddr>() {
        return address == Some(rule);
    }
    let (name, wanted) = match rule.rsplit_once(':') {
        Some((name, number)) => match number.parse::<u16>() {
            Ok(number) => (name, Some(number)),
            Err(_) => (rule, None),
        },
        None => (rule, None),
    };
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if let Ok(rule) = name.parse::<IpAddr>() {
        return address == Some(rule);
    }
    let domain = name.strip_prefix('*').unwrap_or(name);
    match domain.strip_prefix('.') {
        Some(domain) => is_below(host, domain),
        None => host == domain || is_below(host, domain),
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn in_range(address: IpAddr, base: IpAddr, bits: u32) -> bool {
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == base.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(base)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == base.to_bits() & mask
        }
        _ => false,
    }
}

/// A proxy without a scheme is an HTTP proxy; `socks5h` differs from `socks5` in who resolves names, which kube's
/// connector leaves to the proxy in any case.
fn parse(url: &str) -> Result<Uri, Failure> {
    let url = url.trim();
    let url = match url.split_once("://") {
        Some(("socks5h", rest)) => format!("socks5://{rest}"),
        Some(_) => url.to_owned(),
        None => format!("http://{url}"),
    };
    url.parse::<Uri>().map_err(|why| {
        // The URL itself is not shown: it may hold a password.
        Failure::new(
            FailureKind::Proxy,
            format!("The proxy's URL cannot be understood: {}.", one_line(&why.to_string(), 80)),
        )
        .remedy("Check proxy-url in the kubeconfig, or HTTPS_PROXY.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> ProxyEnvironment {
        ProxyEnvironment::read(&|name: &str| {
            let (_, value) = pairs.iter().find(|(key, _)| *key == name)?;
            Some(OsString::from(value))
        })
    }

    #[test]
    fn exceptions_are_about_the_server_not_the_proxy() {
        let rules = [
            ("https://10.0.0.1:6443", "10.0.0.0/8", false),
            ("https://11.0.0.1:6443", "10.0.0.0/8", true),
            ("https://10.0.0.1", "10.0.0.1,,", false),
            ("https://api.example.org", "example.org", false),
            ("https://badexample.org", "example.org", true),
            ("https://example.org", ".example.org", true),
            ("https://api.EXAMPLE.org", "*.example.org", false),
            ("https://api.example.org:6443", "example.org:6443", false),
            ("https://api.example.org:6443", "example.org:443", true),
            ("https://[fd00::1]:6443", "fd00::/8", false),
            ("https://anything", "*", false),
            ("https://anything", "proxy.internal", true),
            ("https://localhost:6443", "", false),
            ("https://127.0.0.5:6443", "", false),
            ("https://[::1]:6443", "", false),
        ];
        for (server, exceptions, proxied) in rules {
            let environment = ProxyEnvironment {
                https: Some("http://proxy.internal:3128".to_owned()),
                http: None,
                exceptions: exceptions.to_owned(),
            };
            let chosen = environment.choose(&server.parse().unwrap(), None).unwrap();
            assert_eq!(chosen.is_some(), proxied, "{server} with NO_PROXY={exceptions}");
        }
    }

    #[test]
    fn the_kubeconfig_has_no_exceptions_and_schemes_choose_the_variable() {
        let env = environment(&[("https_proxy", "one:1"), ("HTTP_PROXY", "http://two:2"), ("NO_PROXY", "*")]);
        let server: Uri = "https://api:6443".parse().unwrap();
        let chosen = env.choose(&server, Some("socks5h://three:3")).unwrap();
        assert_eq!(chosen.unwrap().to_string(), "socks5://three:3/");
        assert_eq!(env.choose(&server, None).unwrap(), None);

        let env = environment(&[("https_proxy", "one:1"), ("HTTP_PROXY", "http://two:2")]);
        assert_eq!(env.choose(&server, None).unwrap().unwrap().to_string(), "http://one:1/");
        let plain_server: Uri = "http://api:80".parse().unwrap();
        assert_eq!(env.choose(&plain_server, None).unwrap().unwrap().to_string(), "http://two:2/");
    }

    #[test]
    fn a_broken_proxy_url_is_named_without_its_password() {
        let env = ProxyEnvironment::default();
        let failure =
            env.choose(&"https://api".parse().unwrap(), Some("http://user:hunter 2@proxy")).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Proxy);
        assert!(!failure.to_string().contains("hunter"));
    }
}
