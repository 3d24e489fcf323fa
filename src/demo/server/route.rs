//! What a request asks for: path, query and formats, parsed once.

use http::{HeaderMap, Method, Uri, header};

use super::access::Review;
use super::discovery;
use super::kinds::Kind;
use super::refusal::Refusal;

/// The longest path with query that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// Groups of Kubernetes that change the API server itself, and why they are not served.
const LEFT_OUT: [(&str, &str); 3] = [
    (
        "apiextensions.k8s.io",
        "The kinds of the embedded server are fixed, so it takes no definitions; a real API server does.",
    ),
    ("admissionregistration.k8s.io", "The embedded server calls no webhooks; a real API server does."),
    (
        "apiregistration.k8s.io",
        "The embedded server has no other servers behind it; a real API server may have.",
    ),
];

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/version`, `/healthz` and the like; the path.
    Plain(String),
    /// `/api`, `/apis`, `/api/v1`, `/apis/GROUP`, `/apis/GROUP/VERSION`; the parts of the path.
    Discovery(Vec<String>),
    /// A question that stores nothing.
    Review(Review),
    /// Objects, or one of them.
    Objects(Target),
}

/// The objects that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// As asked for; objects are stored in another version, perhaps.
    pub(crate) version: &'static str,
    /// None for kinds without namespaces, and for all namespaces.
    pub(crate) namespace: Option<String>,
    /// None for the collection.
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Route {
    /// Parses a path.
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let nowhere = |group: &str| match LEFT_OUT.iter().find(|(left_out, _)| *left_out == group) {
            Some((_, why)) => Refusal::left_out(why),
            None if discovery::is_own(group) => Refusal::no_such_path(),
            None => Refusal::no_such_page(),
        };
        if let Some(review) = Review::at(&words) {
            return Ok(Self::Review(review));
        }
        let (group, version, rest) = match *words {
            ["api" | "apis"] | ["api", _] | ["apis", _] | ["apis", _, _] => {
                return Ok(Self::Discovery(parts));
            }
            ["api", version, ref rest @ ..] => ("", version, rest),
            ["apis", group, version, ref rest @ ..] => (group, version, rest),
            _ => return Ok(Self::Plain(path.to_owned())),
        };
        // `namespaces/NAME/…` leads to what is in a namespace, but for the sub-resources of namespaces themselves.
        let (namespace, rest) = match *rest {
            ["namespaces", namespace, plural, ref rest @ ..] if !is_of_namespace(group, plural) => {
                (Some(namespace), [&[plural], rest].concat())
            }
            _ => (None, rest.to_vec()),
        };
        let (plural, name, subresource) = match *rest {
            [plural] => (plural, None, None),
            [plural, name] => (plural, Some(name), None),
            [plural, name, subresource] => (plural, Some(name), Some(subresource)),
            _ => return Err(nowhere(group)),
        };
        let kind = Kind::of_path(group, version, plural).ok_or_else(|| nowhere(group))?;
        let row = kind.row();
        if namespace.is_some() != row.namespaced && (name.is_some() || namespace.is_some()) {
            return Err(nowhere(group));
        }
        let version = row.versions.iter().find(|served| **served == version).ok_or_else(|| nowhere(group))?;
        Ok(Self::Objects(Target {
            kind,
            version,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            subresource: subresource.map(str::to_owned),
        }))
    }
}

fn is_of_namespace(group: &str, plural: &str) -> bool {
    group.is_empty() && matches!(plural, "status" | "finalize")
}

/// The parameters of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value under a name, if it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// All values under a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a flag is set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    /// A number that is not negative.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let wrong = |_| Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
        text.parse().map(Some).map_err(wrong)
    }
}

/// What kind of answer the client can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Whole objects.
    Json,
    /// Rows of a table.
    Table,
    /// Of each object its metadata only.
    Metadata,
    /// Aggregated discovery, in the version of the format.
    Aggregated(&'static str),
}

/// What is asked for, and so which formats there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Objects: whole, as rows, or their metadata.
    Objects,
    /// The groups: alone or with all that is in them.
    Groups,
    /// What is in a group.
    Resources,
}

impl Format {
    /// The first format of `Accept` that is served.
    pub(crate) fn choose(headers: &HeaderMap, offer: Offer) -> Result<Self, Refusal> {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
        let found = accept.split(',').find_map(|one| {
            let mut parts = one.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "application/*" | "*/*" | "") {
                return None;
            }
            let (mut shape, mut version) = ("", "");
            for part in parts {
                match part.split_once('=') {
                    Some(("as", value)) => shape = value,
                    Some(("v", value)) => version = value,
                    _ => {}
                }
            }
            match (shape, version) {
                ("", _) => Some(Self::Json),
                ("Table", "v1") if offer == Offer::Objects => Some(Self::Table),
                ("PartialObjectMetadata" | "PartialObjectMetadataList", "v1") if offer == Offer::Objects => {
                    Some(Self::Metadata)
                }
                ("APIGroupDiscoveryList", "v2") if offer == Offer::Groups => Some(Self::Aggregated("v2")),
                _ => None,
            }
        });
        found.ok_or_else(Refusal::not_acceptable)
    }
}

/// Refuses what is too long to be meant.
pub(crate) fn check_length(uri: &Uri) -> Result<(), Refusal> {
    let length = uri.path_and_query().map_or(0, |text| text.as_str().len());
    if length <= LONGEST {
        return Ok(());
    }
    let message = format!("The path has {length} bytes; {LONGEST} are read at most.");
    Err(Refusal::new(http::StatusCode::URI_TOO_LONG, "RequestURITooLong", message))
}

/// The verb that rights are about.
pub(crate) fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    let one = target.name.is_some();
    match *method {
        Method::GET | Method::HEAD if one => "get",
        Method::GET | Method::HEAD if query.flag("watch") => "watch",
        Method::GET | Method::HEAD => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if one => "delete",
        Method::DELETE => "deletecollection",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_a_real_server_is_refused_in_a_sentence() {
        for group in LEFT_OUT.map(|(group, _)| group) {
            let refusal = Route::parse(&format!("/apis/{group}/v1/things")).unwrap_err();
            let status = refusal.status();
            assert_eq!((&status["code"], &status["reason"]), (&404.into(), &"NotFound".into()));
            assert!(status["message"].as_str().unwrap().contains("a real API server"), "{status}");
        }
    }

    #[test]
    fn paths_lead_to_objects() {
        let target = |path: &str| match Route::parse(path) {
            Ok(Route::Objects(target)) => Some((
                target.kind.qualified(),
                target.namespace.unwrap_or_default(),
                target.name.unwrap_or_default(),
                target.subresource.unwrap_or_default(),
            )),
            _ => None,
        };
        let is = |path, kind: &str, namespace: &str, name: &str, sub: &str| {
            let wanted = (kind.to_owned(), namespace.to_owned(), name.to_owned(), sub.to_owned());
            assert_eq!(target(path), Some(wanted), "{path}");
        };
        is("/api/v1/pods", "pods", "", "", "");
        is("/api/v1/namespaces", "namespaces", "", "", "");
        is("/api/v1/namespaces/shop", "namespaces", "", "shop", "");
        is("/api/v1/namespaces/shop/status", "namespaces", "", "shop", "status");
        is("/api/v1/namespaces/shop/pods/a/log", "pods", "shop", "a", "log");
        is("/apis/kubevirt.io/v1/virtualmachines", "virtualmachines.kubevirt.io", "", "", "");
        let vm = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web%2D0";
        is(vm, "virtualmachines.kubevirt.io", "shop", "web-0", "");
        for path in
            ["/api/v1/pods/a", "/api/v1/namespaces/shop/namespaces", "/apis/kubevirt.io/v7/vms/a/b/c/d"]
        {
            assert_eq!(target(path), None, "{path}");
        }
    }
}
