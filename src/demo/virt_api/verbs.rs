//! What can be asked for: the table of sub-resources, and where a path leads in it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::refusal::Refusal;

/// The group, and its versions, which are all the same.
pub const GROUP: &str = "subresources.kubevirt.io";
/// See [`GROUP`].
pub const VERSIONS: &[&str] = &["v1", "v1alpha3"];

/// Which kind of object a sub-resource is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// `virtualmachines`
    Machine,
    /// `virtualmachineinstances`
    Instance,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Stop,
    Restart,
    Migrate,
    AddVolume,
    RemoveVolume,
    MemoryDump,
    RemoveMemoryDump,
    CancelEvacuation,
    ExpandSpec,
    Pause,
    Unpause,
    Freeze,
    Unfreeze,
    SoftReboot,
    Reset,
    GuestOsInfo,
    UserList,
    FilesystemList,
    Console,
    Vnc,
    PortForward,
}

/// One sub-resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    pub(super) of: Of,
    /// What stands behind the name of the object.
    pub(super) path: &'static str,
    /// Whether it is asked for with GET; all others with PUT.
    pub(super) read: bool,
    pub(super) action: Action,
    /// Whether it answers in JSON. All others say that they make text and refuse who wants JSON, with 406.
    pub(super) json: bool,
    /// Whether discovery tells it.
    listed: bool,
}

const fn put(of: Of, path: &'static str, action: Action) -> Verb {
    Verb { of, path, read: false, action, json: false, listed: true }
}

const fn get(of: Of, path: &'static str, action: Action) -> Verb {
    Verb { of, path, read: true, action, json: false, listed: true }
}

const fn json(of: Of, path: &'static str, action: Action) -> Verb {
    Verb { json: true, ..get(of, path, action) }
}

const fn unlisted(verb: Verb) -> Verb {
    Verb { listed: false, ..verb }
}

use Action::{
    AddVolume, CancelEvacuation, Console, ExpandSpec, FilesystemList, Freeze, GuestOsInfo, MemoryDump,
    Migrate, Pause, PortForward, RemoveMemoryDump, RemoveVolume, Reset, Restart, SoftReboot, Start, Stop,
    Unfreeze, Unpause, UserList, Vnc,
};
use Of::{Instance, Machine};

pub(super) static VERBS: [Verb; 26] = [
    put(Machine, "start", Start),
    put(Machine, "stop", Stop),
    put(Machine, "restart", Restart),
    put(Machine, "migrate", Migrate),
    json(Machine, "expand-spec", ExpandSpec),
    put(Machine, "evacuate/cancel", CancelEvacuation),
    unlisted(put(Machine, "addvolume", AddVolume)),
    unlisted(put(Machine, "removevolume", RemoveVolume)),
    unlisted(put(Machine, "memorydump", MemoryDump)),
    unlisted(put(Machine, "removememorydump", RemoveMemoryDump)),
    unlisted(get(Machine, "portforward", PortForward)),
    put(Instance, "pause", Pause),
    put(Instance, "unpause", Unpause),
    put(Instance, "freeze", Freeze),
    put(Instance, "unfreeze", Unfreeze),
    put(Instance, "softreboot", SoftReboot),
    put(Instance, "reset", Reset),
    put(Instance, "evacuate/cancel", CancelEvacuation),
    put(Instance, "addvolume", AddVolume),
    put(Instance, "removevolume", RemoveVolume),
    get(Instance, "console", Console),
    get(Instance, "vnc", Vnc),
    get(Instance, "portforward", PortForward),
    json(Instance, "guestosinfo", GuestOsInfo),
    json(Instance, "userlist", UserList),
    json(Instance, "filesystemlist", FilesystemList),
];

impl Of {
    pub(super) fn plural(self) -> &'static str {
        match self {
            Machine => "virtualmachines",
            Instance => "virtualmachineinstances",
        }
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(super) enum Route {
    /// The group, or everything below it.
    Group,
    /// One version.
    Resources(&'static str),
    Version,
    Health,
    Verb(Target),
}

/// What is to be done to what.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) verb: &'static Verb,
    pub(super) namespace: String,
    pub(super) name: String,
    /// Port and protocol of `portforward`, as they stand in the path.
    pub(super) port: String,
    pub(super) protocol: String,
}

impl Route {
    /// Looks a path up. What there is under it with another method is refused otherwise than what there is not.
    pub(super) fn of(method: &Method, path: &str) -> Result<Self, Refusal> {
        let nowhere = || Refusal::text(StatusCode::NOT_FOUND, "404: Page Not Found");
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned)
        };
        let parts: Result<Vec<String>, _> =
            path.trim_matches('/').split('/').map(|part| decode(part).map_err(|_| nowhere())).collect();
        let parts = parts?;
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        let version = |said: &str| VERSIONS.iter().copied().find(|one| *one == said).ok_or_else(nowhere);
        let (route, methods) = match *words {
            ["apis"] | ["apis", GROUP] => (Self::Group, vec![Method::GET]),
            ["apis", GROUP, said] => (Self::Resources(version(said)?), vec![Method::GET]),
            ["apis", GROUP, said, "version"] => version(said).map(|_| (Self::Version, vec![Method::GET]))?,
            ["apis", GROUP, said, "healthz"] => version(said).map(|_| (Self::Health, vec![Method::GET]))?,
            ["healthz"] => (Self::Health, vec![Method::GET]),
            ["apis", GROUP, said, "namespaces", namespace, plural, name, ref rest @ ..] => {
                version(said)?;
                let target = Target::of(namespace, plural, name, rest).ok_or_else(nowhere)?;
                let methods = vec![if target.verb.read { Method::GET } else { Method::PUT }];
                (Self::Verb(target), methods)
            }
            _ => return Err(nowhere()),
        };
        if methods.contains(method) {
            return Ok(route);
        }
        Err(Refusal::text(StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed"))
    }
}

impl Target {
    fn of(namespace: &str, plural: &str, name: &str, rest: &[&str]) -> Option<Self> {
        let (path, port, protocol) = match *rest {
            ["portforward", port] => ("portforward".to_owned(), port, "tcp"),
            ["portforward", port, protocol] => ("portforward".to_owned(), port, protocol),
            _ => (rest.join("/"), "", ""),
        };
        let verb = VERBS.iter().find(|verb| {
            verb.of.plural() == plural && verb.path == path && (verb.action == PortForward) != port.is_empty()
        })?;
        // Empty names would lead to collections; what no object is called need not be asked for.
        let named = |text: &str| {
            !text.is_empty()
                && text.len() <= 253
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        };
        if !named(namespace) || !named(name) {
            return None;
        }
        Some(Self {
            verb,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            port: port.to_owned(),
            protocol: protocol.to_owned(),
        })
    }
}

/// `resources` of the list of a version. As KubeVirt has them: without a kind, without verbs, and not all of them.
pub fn resources() -> Value {
    let listed = VERBS.iter().filter(|verb| verb.listed);
    let mut names: Vec<String> = listed.map(|verb| format!("{}/{}", verb.of.plural(), verb.path)).collect();
    names.push("expand-vm-spec".to_owned());
    let entry = |name: String| json!({"name": name, "singularName": "", "namespaced": true, "kind": "", "verbs": null});
    names.into_iter().map(entry).collect()
}

/// The document of a version.
pub(super) fn list(version: &str) -> Value {
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{GROUP}/{version}"),
        "resources": resources(),
    })
}

/// The document of the group.
pub(super) fn group() -> Value {
    let version = |version: &&str| json!({"groupVersion": format!("{GROUP}/{version}"), "version": version});
    let versions: Vec<Value> = VERSIONS.iter().map(version).collect();
    json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "preferredVersion": versions.first(),
        "versions": versions, "serverAddressByClientCIDRs": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "/apis/subresources.kubevirt.io/v1/namespaces/shop";

    #[test]
    fn paths_lead_to_verbs() {
        let is = |method: Method, path: &str| match Route::of(&method, &format!("{BEFORE}/{path}")) {
            Ok(Route::Verb(target)) => {
                format!(
                    "{:?} {:?} {} {} {}",
                    target.verb.of, target.verb.action, target.name, target.port, target.protocol
                )
            }
            Ok(other) => format!("{other:?}"),
            Err(refusal) => format!("{} {}", refusal.code.as_u16(), refusal.message()),
        };
        let nowhere = "404 404: Page Not Found";
        let wrong_method = "405 405: Method Not Allowed";
        for (method, path, wanted) in [
            (Method::PUT, "virtualmachines/a/start", "Machine Start a  "),
            (Method::PUT, "virtualmachines/a.b%2Dc/start", "Machine Start a.b-c  "),
            (Method::GET, "virtualmachines/a/start", wrong_method),
            (Method::PUT, "virtualmachines/a/evacuate/cancel", "Machine CancelEvacuation a  "),
            (Method::PUT, "virtualmachines/a/evacuate", nowhere),
            (Method::PUT, "virtualmachineinstances/a/start", nowhere),
            (Method::PUT, "virtualmachines/a/pause", nowhere),
            (Method::GET, "virtualmachineinstances/a/console", "Instance Console a  "),
            (Method::GET, "virtualmachineinstances/a/console/b", nowhere),
            (Method::GET, "virtualmachineinstances/a/portforward", nowhere),
            (Method::GET, "virtualmachineinstances/a/portforward/22", "Instance PortForward a 22 tcp"),
            (Method::GET, "virtualmachines/a/portforward/53/udp", "Machine PortForward a 53 udp"),
            (Method::PUT, "virtualmachines/a%2Fb/start", nowhere),
            (Method::PUT, "virtualmachines/%FF/start", nowhere),
            (Method::PUT, "virtualmachines//start", nowhere),
            (Method::PUT, "gadgets/a/start", nowhere),
        ] {
            assert_eq!(is(method, path), wanted, "{path}");
        }
    }

    #[test]
    fn discovery_tells_what_kubevirt_tells() {
        let list = list("v1");
        let names: Vec<&str> =
            list["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert!(
            names.contains(&"virtualmachineinstances/console") && names.contains(&"virtualmachines/start")
        );
        for hidden in
            ["virtualmachines/portforward", "virtualmachines/addvolume", "virtualmachines/memorydump"]
        {
            assert!(!names.contains(&hidden), "{hidden}");
        }
        assert!(list["resources"].as_array().unwrap().iter().all(|one| one["verbs"].is_null()));
    }
}
