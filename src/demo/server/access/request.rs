//! What a request asks to be allowed, read from its path alone: rights are asked before it is known what there is.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::demo::server::refusal::Refusal;
use crate::demo::server::route::Query;

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    pub(crate) what: What,
}

/// What it is about. Texts are empty where there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Objects(Objects),
    /// A path that leads to no objects.
    Path(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects {
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    /// Of a namespace itself, too, it is the namespace's name.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Asked {
    /// What a request asks for.
    pub(crate) fn of(method: &Method, path: &str, query: &Query) -> Self {
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, rest) = match *words {
            ["api", _, ref rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _, ref rest @ ..] if !rest.is_empty() => (group, rest),
            _ => {
                let verb = method.as_str().to_ascii_lowercase();
                return Self { verb, what: What::Path(path.to_owned()) };
            }
        };
        let (namespace, rest) = match *rest {
            ["namespaces", name] | ["namespaces", name, "status" | "finalize", ..] => (name, rest),
            ["namespaces", namespace, ref inside @ ..] => (namespace, inside),
            _ => ("", rest),
        };
        let mut rest = rest.iter().copied();
        let mut next = || rest.next().unwrap_or_default().to_owned();
        let (resource, mut name, subresource) = (next(), next(), next());
        let one = !name.is_empty();
        let verb = match *method {
            Method::GET | Method::HEAD if one => "get",
            Method::GET | Method::HEAD if query.flag("watch") => "watch",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if one => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        };
        // A list or a watch of one object by its name asks for the right to that one.
        if matches!(verb, "list" | "watch" | "deletecollection")
            && let Some(only) = query.get("fieldSelector").and_then(only_name)
        {
            name = only.to_owned();
        }
        let (group, namespace) = (group.to_owned(), namespace.to_owned());
        let what = What::Objects(Objects { group, resource, subresource, namespace, name });
        Self { verb: verb.to_owned(), what }
    }

    /// The refusal, in the words of Kubernetes. `why` says more about it, perhaps.
    pub(crate) fn refused(&self, user: &str, why: Option<&str>) -> Refusal {
        let verb = &self.verb;
        let (before, right, details) = match &self.what {
            What::Path(path) => (String::new(), format!("{verb} path {path:?}"), json!({})),
            What::Objects(about) => {
                let Objects { group, resource, subresource, namespace, name } = about;
                let dot = if group.is_empty() { "" } else { "." };
                let quoted = if name.is_empty() { String::new() } else { format!(" {name:?}") };
                let slash = if subresource.is_empty() { "" } else { "/" };
                let whole = format!("{resource}{slash}{subresource}");
                let place = match namespace.as_str() {
                    "" => "at the cluster scope".to_owned(),
                    namespace => format!("in the namespace {namespace:?}"),
                };
                (
                    format!("{resource}{dot}{group}{quoted} is "),
                    format!("{verb} resource {whole:?} in API group {group:?} {place}"),
                    details(about),
                )
            }
        };
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Refusal::forbidden(format!("{before}forbidden: User {user:?} cannot {right}{why}"), details)
    }
}

fn details(about: &Objects) -> Value {
    let mut details = json!({"kind": about.resource});
    for (field, text) in [("name", &about.name), ("group", &about.group)] {
        if !text.is_empty() {
            details[field] = text.as_str().into();
        }
    }
    details
}

/// The name that a field selector asks for.
fn only_name(selector: &str) -> Option<&str> {
    let value = selector.split(',').find_map(|term| term.trim().strip_prefix("metadata.name="))?;
    let name = value.strip_prefix('=').unwrap_or(value).trim();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, url: &str) -> String {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let Asked { verb, what } = Asked::of(method, path, &Query::parse(query));
        match what {
            What::Path(path) => format!("{verb} {path}"),
            What::Objects(Objects { group, resource, subresource, namespace, name }) => {
                format!("{verb} {group}|{resource}|{subresource}|{namespace}|{name}")
            }
        }
    }

    #[test]
    fn paths_say_what_is_asked() {
        let get = &Method::GET;
        for (method, url, wanted) in [
            (get, "/version", "get /version"),
            (get, "/api/v1", "get /api/v1"),
            (get, "/apis/kubevirt.io/v1", "get /apis/kubevirt.io/v1"),
            (get, "/api/v1/pods", "list |pods|||"),
            (get, "/api/v1/pods?watch=1", "watch |pods|||"),
            (get, "/api/v1/namespaces", "list |namespaces|||"),
            (get, "/api/v1/namespaces/shop", "get |namespaces||shop|shop"),
            (&Method::PUT, "/api/v1/namespaces/shop/finalize", "update |namespaces|finalize|shop|shop"),
            (get, "/api/v1/namespaces/shop/pods/a/log", "get |pods|log|shop|a"),
            (&Method::POST, "/api/v1/namespaces/shop/pods/a/eviction", "create |pods|eviction|shop|a"),
            (&Method::DELETE, "/api/v1/namespaces/shop/pods", "deletecollection |pods||shop|"),
            (&Method::DELETE, "/api/v1/namespaces/shop/pods/a", "delete |pods||shop|a"),
            (&Method::PATCH, "/apis/a.b/v7/nothings/x/status", "patch a.b|nothings|status||x"),
            (get, "/api/v1/namespaces/shop/pods/a?watch=1", "get |pods||shop|a"),
            (get, "/api/v1/pods?fieldSelector=x%3Dy,metadata.name%3Da", "list |pods|||a"),
            (get, "/api/v1/pods?fieldSelector=metadata.name!%3Da", "list |pods|||"),
        ] {
            assert_eq!(asked(method, url), wanted, "{method} {url}");
        }
    }

    #[test]
    fn refusals_read_as_those_of_kubernetes() {
        let text = |url: &str, why: Option<&str>| {
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            let status = Asked::of(&Method::GET, path, &Query::parse(query)).refused("eve", why).status();
            (status["message"].as_str().unwrap().to_owned(), status["details"].clone())
        };
        let vms = "/apis/kubevirt.io/v1/virtualmachines";
        let (message, details) = text(vms, None);
        assert_eq!(
            message,
            "virtualmachines.kubevirt.io is forbidden: User \"eve\" cannot list resource \"virtualmachines\" in API group \
             \"kubevirt.io\" at the cluster scope"
        );
        assert_eq!(details, json!({"group": "kubevirt.io", "kind": "virtualmachines"}));
        let (message, details) = text("/api/v1/namespaces/lab/pods/a/log", Some("because"));
        assert_eq!(
            message,
            "pods \"a\" is forbidden: User \"eve\" cannot get resource \"pods/log\" in API group \"\" in the namespace \
             \"lab\": because"
        );
        assert_eq!(details, json!({"name": "a", "kind": "pods"}));
        assert_eq!(text("/nope", None).0, "forbidden: User \"eve\" cannot get path \"/nope\"");
    }
}
