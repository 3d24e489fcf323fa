//! Rights by roles and bindings, as they are stored at the moment.
//!
//! Nothing is kept between requests: the bindings of a small cluster are read faster than a cache of them is kept right.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::request::{Asked, Objects, What};
use super::{MASTERS, User};
use crate::demo::server::Server;
use crate::demo::server::body::Stored;
use crate::demo::server::kinds::Kind;
use crate::demo::server::storage::{Key, State};

const GROUP: &str = "rbac.authorization.k8s.io";

/// One rule of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rule {
    #[serde(deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(super) verbs: Vec<String>,
    #[serde(deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(super) api_groups: Vec<String>,
    #[serde(deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<String>,
    #[serde(deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(super) resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", deserialize_with = "or_none", skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Role {
    #[serde(deserialize_with = "or_none")]
    rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Binding {
    #[serde(deserialize_with = "or_none")]
    subjects: Vec<Subject>,
    role_ref: RoleRef,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Subject {
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoleRef {
    kind: String,
    name: String,
}

/// Lists may be null.
fn or_none<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Rules that a user has, and whence.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) rules: Vec<Rule>,
    whence: String,
}

/// All that a user has in one place, and what could not be followed.
#[derive(Debug, Default)]
pub(super) struct Grants {
    pub(super) list: Vec<Grant>,
    pub(super) errors: Vec<String>,
}

impl Grants {
    /// What a user has in a namespace, or, where it is empty, in the whole cluster.
    pub(super) fn of(server: &Server, user: &User, namespace: &str) -> Self {
        let mut found = Self { list: everybodys(user), errors: Vec::new() };
        let bindings = server.storage().with(|state| {
            let mut all = all(state, "clusterrolebindings", None);
            if !namespace.is_empty() {
                all.extend(self::all(state, "rolebindings", Some(namespace)));
            }
            all
        });
        for stored in bindings {
            let Some(binding) = read::<Binding>(&stored) else { continue };
            let place = stored.key.namespace.as_str();
            if let Some(subject) = binding.subjects.iter().find(|subject| subject.is(user, place)) {
                found.follow(server, &stored, &binding.role_ref, subject);
            }
        }
        found
    }

    fn follow(&mut self, server: &Server, binding: &Stored, to: &RoleRef, subject: &Subject) {
        let (plural, namespace) = match to.kind.as_str() {
            "Role" => ("roles", binding.key.namespace.as_str()),
            _ => ("clusterroles", ""),
        };
        let role = Kind::of_plural(GROUP, plural)
            .and_then(|kind| server.storage().with(|state| state.get(kind, &Key::new(namespace, &to.name))))
            .and_then(|stored| read::<Role>(&stored));
        let Some(role) = role else {
            let kind = to.kind.to_lowercase();
            return self.errors.push(format!("{kind}.{GROUP} {:?} not found", to.name));
        };
        let key = &binding.key;
        let place = if key.namespace.is_empty() { String::new() } else { format!("/{}", key.namespace) };
        let whence = format!(
            "{} \"{}{place}\" of {} {:?} to {} {:?}",
            binding.kind.row().kind,
            key.name,
            to.kind,
            to.name,
            subject.kind,
            subject.shown(&key.namespace)
        );
        self.list.push(Grant { rules: role.rules, whence });
    }

    /// What went wrong on the way, in one text.
    pub(super) fn trouble(&self) -> Option<String> {
        match self.errors.as_slice() {
            [] => None,
            [one] => Some(format!("RBAC: {one}")),
            many => Some(format!("RBAC: [{}]", many.join(", "))),
        }
    }
}

/// Whether somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) allowed: bool,
    /// What allows it.
    pub(super) reason: Option<String>,
    /// What could not be followed, where it is not allowed.
    pub(super) trouble: Option<String>,
}

/// Decides.
pub(super) fn decide(server: &Server, user: &User, asked: &Asked) -> Decision {
    if user.is_in(MASTERS) {
        return Decision { allowed: true, reason: None, trouble: None };
    }
    let namespace = match &asked.what {
        What::Objects(objects) => objects.namespace.as_str(),
        What::Path(_) => "",
    };
    let grants = Grants::of(server, user, namespace);
    let found = grants.list.iter().find(|grant| grant.rules.iter().any(|rule| rule.allows(asked)));
    match found {
        Some(grant) => {
            let reason = Some(format!("RBAC: allowed by {}", grant.whence));
            Decision { allowed: true, reason, trouble: None }
        }
        None => Decision { allowed: false, reason: None, trouble: grants.trouble() },
    }
}

impl Rule {
    fn allows(&self, asked: &Asked) -> bool {
        has(&self.verbs, &asked.verb)
            && match &asked.what {
                What::Path(path) => self.paths.iter().any(|pattern| match pattern.strip_suffix('*') {
                    Some(begin) => path.starts_with(begin),
                    None => pattern == path,
                }),
                What::Objects(objects) => self.covers(objects),
            }
    }

    fn covers(&self, objects: &Objects) -> bool {
        let Objects { group, resource, subresource, name, .. } = objects;
        let is_it = |pattern: &String| match pattern.split_once('/') {
            _ if pattern == "*" => true,
            Some((of, sub)) => !subresource.is_empty() && sub == subresource && (of == "*" || of == resource),
            None => subresource.is_empty() && pattern == resource,
        };
        has(&self.api_groups, group)
            && self.resources.iter().any(is_it)
            && (self.resource_names.is_empty() || self.resource_names.contains(name))
    }
}

fn has(list: &[String], wanted: &str) -> bool {
    list.iter().any(|one| one == "*" || one == wanted)
}

impl Subject {
    fn is(&self, user: &User, place: &str) -> bool {
        match self.kind.as_str() {
            "User" => self.name == user.name,
            "Group" => user.is_in(&self.name),
            "ServiceAccount" => {
                let namespace = if self.namespace.is_empty() { place } else { &self.namespace };
                let rest = user.name.strip_prefix("system:serviceaccount:");
                rest.and_then(|rest| rest.split_once(':')) == Some((namespace, &self.name))
            }
            _ => false,
        }
    }

    fn shown(&self, place: &str) -> String {
        match (self.kind.as_str(), self.namespace.as_str()) {
            ("ServiceAccount", "") => format!("{}/{place}", self.name),
            ("ServiceAccount", namespace) => format!("{}/{namespace}", self.name),
            _ => self.name.clone(),
        }
    }
}

fn all(state: &State, plural: &str, namespace: Option<&str>) -> Vec<Stored> {
    let list = Kind::of_plural(GROUP, plural).and_then(|kind| state.list(kind, namespace, None, None).ok());
    list.into_iter().flatten().collect()
}

fn read<T: for<'de> Deserialize<'de>>(stored: &Stored) -> Option<T> {
    serde_json::from_slice(&stored.body.bytes(stored.resource_version)).ok()
}

/// What Kubernetes gives to everybody, without roles that somebody could take away.
fn everybodys(user: &User) -> Vec<Grant> {
    let rules = |rules: Value| serde_json::from_value::<Vec<Rule>>(rules).unwrap_or_default();
    let grant = |role: &str, group: &str, given: Value| Grant {
        rules: rules(given),
        whence: format!("ClusterRoleBinding {role:?} of ClusterRole {role:?} to Group {group:?}"),
    };
    let (known, unknown) = ("system:authenticated", "system:unauthenticated");
    let mut list = Vec::new();
    if user.is_in(MASTERS) {
        let all = serde_json::json!([
            {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
            {"verbs": ["*"], "nonResourceURLs": ["*"]},
        ]);
        list.push(grant("cluster-admin", MASTERS, all));
    }
    if user.is_in(known) {
        let basic = serde_json::json!([
            {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
             "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]},
            {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
        ]);
        let discovery = serde_json::json!([{"verbs": ["get"], "nonResourceURLs": [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
            "/version/"
        ]}]);
        list.push(grant("system:basic-user", known, basic));
        list.push(grant("system:discovery", known, discovery));
    }
    if let Some(group) = [known, unknown].into_iter().find(|group| user.is_in(group)) {
        let public = serde_json::json!([
            {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}
        ]);
        list.push(grant("system:public-info-viewer", group, public));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_cover_what_they_say() {
        let rule = |rule: Value| serde_json::from_value::<Rule>(rule).unwrap();
        let objects = |verb: &str, path: &str, name: &str| {
            let (group, resource) = path.split_once(':').unwrap();
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            Asked {
                verb: verb.into(),
                what: What::Objects(Objects {
                    group: group.into(),
                    resource: resource.into(),
                    subresource: subresource.into(),
                    namespace: "shop".into(),
                    name: name.into(),
                }),
            }
        };
        let looks =
            rule(json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}));
        let everything = rule(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        let statuses = rule(json!({"verbs": ["update"], "apiGroups": ["a.b"], "resources": ["*/status"]}));
        let named = rule(
            json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]}),
        );
        let nothing = rule(json!({"verbs": ["*"], "apiGroups": null, "resources": ["*"]}));
        for (rule, verb, path, name, wanted) in [
            (&looks, "get", ":pods", "a", true),
            (&looks, "list", ":pods", "", true),
            (&looks, "delete", ":pods", "a", false),
            (&looks, "get", "apps:pods", "a", false),
            (&looks, "get", ":pods/log", "a", true),
            (&looks, "get", ":pods/exec", "a", false),
            (&looks, "get", ":secrets", "a", false),
            (&everything, "impersonate", "x:pods/log", "", true),
            (&statuses, "update", "a.b:things/status", "a", true),
            (&statuses, "update", "a.b:things", "a", false),
            (&statuses, "update", "a.b:things/scale", "a", false),
            (&named, "get", ":pods", "a", true),
            (&named, "get", ":pods", "b", false),
            (&named, "list", ":pods", "", false),
            (&nothing, "get", ":pods", "a", false),
        ] {
            assert_eq!(rule.allows(&objects(verb, path, name)), wanted, "{rule:?} {verb} {path} {name}");
        }
        let paths = rule(json!({"verbs": ["get"], "nonResourceURLs": ["/version", "/api/*"]}));
        for (verb, path, wanted) in [
            ("get", "/version", true),
            ("get", "/versions", false),
            ("get", "/api/v1", true),
            ("get", "/api", false),
            ("post", "/version", false),
        ] {
            let asked = Asked { verb: verb.into(), what: What::Path(path.into()) };
            assert_eq!(paths.allows(&asked), wanted, "{verb} {path}");
            assert!(!everything.allows(&asked), "{verb} {path}");
        }
    }

    #[test]
    fn subjects_are_users_groups_and_service_accounts() {
        let user = User::new("eve", &["ops"]);
        let robot = User::new("system:serviceaccount:shop:robot", &[]);
        let is = |kind: &str, name: &str, namespace: &str, user: &User| {
            let subject = Subject { kind: kind.into(), name: name.into(), namespace: namespace.into() };
            subject.is(user, "shop")
        };
        assert!(is("User", "eve", "", &user));
        assert!(is("User", "system:serviceaccount:shop:robot", "", &robot));
        assert!(is("Group", "ops", "", &user));
        assert!(is("Group", "system:authenticated", "", &robot));
        assert!(is("ServiceAccount", "robot", "shop", &robot));
        assert!(is("ServiceAccount", "robot", "", &robot));
        for (kind, name, namespace) in [
            ("User", "ops", ""),
            ("Group", "eve", ""),
            ("ServiceAccount", "eve", ""),
            ("ServiceAccount", "robot", "lab"),
            ("Robot", "eve", ""),
        ] {
            assert!(!is(kind, name, namespace, &user) && !is(kind, name, namespace, &robot), "{kind} {name}");
        }
    }
}
