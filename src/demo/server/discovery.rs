//! What there is: versions, groups, resources.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::Server;
use super::behind::Backends;
use super::http::Answer;
use super::kinds::{Kind, Row};
use super::refusal::Refusal;
use super::route::{Format, Query};
use super::schema;

/// The version of Kubernetes whose ways this server follows.
const MINOR: u8 = 36;

/// Groups in the order of Kubernetes, which lists its own ones before the others. It decides whom a short name that two
/// groups have belongs to.
const OWN_GROUPS: [&str; 6] = [
    "apps",
    AUTHENTICATION,
    AUTHORIZATION,
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "coordination.k8s.io",
];

/// Groups without objects: there are only questions to ask.
const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// The questions: plural, singular, kind.
const ABOUT_ME: [(&str, &str, &str); 1] = [("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview")];
const REVIEWS: [(&str, &str, &str); 2] = [
    ("selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview"),
    ("selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview"),
];

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/version`, `/healthz` and the like.
pub(crate) fn plain(
    server: &Server,
    method: &Method,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Answer, Refusal> {
    let trimmed = path.trim_matches('/');
    let (first, check) = trimmed.split_once('/').unwrap_or((trimmed, ""));
    match (first, check) {
        ("healthz" | "livez" | "readyz", "" | "ping") => {
            let text = match check {
                "" if query.all("verbose").next().is_some() => format!("[+]ping ok\n{first} check passed\n"),
                _ => "ok".to_owned(),
            };
            Ok(Answer::Text(StatusCode::OK, text.into()))
        }
        ("version", "") => get(method, version),
        ("", "") => get(method, || json!({"paths": paths(&server.backends())})),
        ("openapi", rest) => match rest.split_once('/').unwrap_or((rest, "")) {
            ("v3", rest) => schema::openapi(method, rest, query, headers),
            _ => Err(Refusal::left_out("The embedded server describes its kinds in OpenAPI v3 only.")),
        },
        _ => Err(Refusal::no_such_page()),
    }
}

/// `/api`, `/apis` and what stands below them.
pub(crate) fn answer(
    server: &Server,
    method: &Method,
    parts: &[String],
    format: Format,
) -> Result<Answer, Refusal> {
    let behind = &server.backends();
    let words: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (words.as_slice(), format) {
        (["api"], Format::Aggregated(_)) => aggregated(method, &[aggregated_group(behind, "")]),
        (["apis"], Format::Aggregated(_)) => {
            let mut groups = groups(behind);
            groups[OWN_GROUPS.len()..].sort_unstable();
            let all: Vec<Value> = groups.into_iter().map(|one| aggregated_group(behind, one)).collect();
            aggregated(method, &all)
        }
        (["api"], _) => get(
            method,
            || json!({"kind": "APIVersions", "versions": versions(behind, ""), "serverAddressByClientCIDRs": []}),
        ),
        (["apis"], _) => {
            let groups: Vec<Value> = groups(behind).into_iter().map(|one| group(behind, one)).collect();
            get(method, || json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        (["api", version], _) => resources(behind, method, "", version),
        (["apis", name, version], _) => resources(behind, method, name, version),
        (["apis", name], _) if !versions(behind, name).is_empty() => get(method, || {
            let mut group = group(behind, name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            group
        }),
        _ => Err(Refusal::no_such_page()),
    }
}

fn get(method: &Method, value: impl FnOnce() -> Value) -> Result<Answer, Refusal> {
    match *method {
        Method::GET | Method::HEAD => Ok(Answer::json(StatusCode::OK, &value())),
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn aggregated(method: &Method, items: &[Value]) -> Result<Answer, Refusal> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Refusal::method_not_allowed());
    }
    let list = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    Ok(Answer::Typed(StatusCode::OK, AGGREGATED, list.to_string().into()))
}

fn version() -> Value {
    let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "major": "1", "minor": MINOR.to_string(),
        "emulationMajor": "1", "emulationMinor": MINOR.to_string(),
        "minCompatibilityMajor": "1", "minCompatibilityMinor": (MINOR - 1).to_string(),
        "gitVersion": format!("v1.{MINOR}.3+v9s"), "gitCommit": "", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "rustc", "platform": format!("{system}/{machine}"),
    })
}

fn paths(behind: &Backends) -> Vec<String> {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group in groups(behind) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions(behind, group).iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    paths.extend(schema::described().map(|path| format!("/openapi/v3/{path}")));
    paths.sort_unstable();
    paths
}

fn rows_of(group: &str) -> impl Iterator<Item = &'static Row> {
    Kind::all().map(Kind::row).filter(move |row| row.group == group)
}

/// Whether a group is one of Kubernetes itself.
pub(crate) fn is_own(group: &str) -> bool {
    group.is_empty() || OWN_GROUPS.contains(&group)
}

/// The versions of a group, the preferred one first; none if there is no such group.
fn versions(behind: &Backends, group: &str) -> &'static [&'static str] {
    if let Some(backend) = behind.iter().find(|one| one.group == group) {
        return backend.versions;
    }
    if [AUTHENTICATION, AUTHORIZATION].contains(&group) {
        return &["v1"];
    }
    // One kind of each group has all its versions.
    rows_of(group).map(|row| row.versions).max_by_key(|versions| versions.len()).unwrap_or_default()
}

/// All groups but that without a name, in the order of Kubernetes.
fn groups(behind: &Backends) -> Vec<&'static str> {
    let mut others: Vec<&str> = Kind::all().map(|kind| kind.row().group).collect();
    others.extend(behind.iter().map(|backend| backend.group));
    others.retain(|group| !group.is_empty() && !OWN_GROUPS.contains(group));
    others.sort_unstable();
    others.dedup();
    others.sort_by_cached_key(|group| {
        let oldest = versions(behind, group).iter().copied().min().unwrap_or_default();
        format!("{oldest}.{group}")
    });
    [OWN_GROUPS.as_slice(), &others].concat()
}

fn group(behind: &Backends, name: &str) -> Value {
    let version = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Value> = versions(behind, name).iter().map(|one| version(one)).collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

/// One thing that can be asked for, as both forms of discovery tell it.
struct Resource {
    name: &'static str,
    singular: &'static str,
    kind: &'static str,
    namespaced: bool,
    verbs: &'static [&'static str],
    short: &'static [&'static str],
    categories: &'static [&'static str],
    builtin: bool,
    subresources: Vec<Subresource>,
}

struct Subresource {
    name: &'static str,
    /// Group and version, where they are not those of the resource.
    elsewhere: Option<(&'static str, &'static str)>,
    kind: &'static str,
    verbs: &'static [&'static str],
}

impl Resource {
    fn of(row: &'static Row) -> Self {
        const OWN: &[&str] =
            &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
        const CUSTOM: &[&str] =
            &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
        const NAMESPACES: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
        let mut subresources: Vec<Subresource> =
            row.subresources.iter().map(|name| Subresource::of(name, row)).collect();
        if row.status {
            subresources.push(Subresource::of("status", row));
        }
        if row.scale.is_some() {
            subresources.push(Subresource::of("scale", row));
        }
        if row.builtin {
            subresources.sort_unstable_by_key(|subresource| subresource.name);
        }
        Self {
            name: row.plural,
            singular: row.singular,
            kind: row.kind,
            namespaced: row.namespaced,
            verbs: match (row.builtin, row.plural) {
                (true, "namespaces") => NAMESPACES,
                (true, _) => OWN,
                (false, _) => CUSTOM,
            },
            short: row.short,
            categories: row.categories,
            builtin: row.builtin,
            subresources,
        }
    }
}

impl Subresource {
    fn of(name: &'static str, row: &Row) -> Self {
        let (elsewhere, kind, verbs): (_, _, &[&str]) = match name {
            "scale" => (Some(("autoscaling", "v1")), "Scale", &["get", "patch", "update"]),
            "eviction" => (Some(("policy", "v1")), "Eviction", &["create"]),
            "binding" => (None, "Binding", &["create"]),
            "exec" => (None, "PodExecOptions", &["create", "get"]),
            "log" => (None, row.kind, &["get"]),
            "finalize" => (None, row.kind, &["update"]),
            _ => (None, row.kind, &["get", "patch", "update"]),
        };
        Self { name, elsewhere, kind, verbs }
    }
}

/// What a version of a group has.
fn resources_of(group: &str, version: &str) -> Vec<Resource> {
    if [AUTHENTICATION, AUTHORIZATION].contains(&group) {
        let review = |(name, singular, kind)| Resource {
            name,
            singular,
            kind,
            namespaced: false,
            verbs: &["create"],
            short: &[],
            categories: &[],
            builtin: true,
            subresources: Vec::new(),
        };
        return if group == AUTHORIZATION { REVIEWS.map(review).into() } else { ABOUT_ME.map(review).into() };
    }
    let mut rows: Vec<&'static Row> = rows_of(group).filter(|row| row.versions.contains(&version)).collect();
    rows.sort_unstable_by_key(|row| row.plural);
    rows.into_iter().map(Resource::of).collect()
}

fn resources(behind: &Backends, method: &Method, group: &str, version: &str) -> Result<Answer, Refusal> {
    if !versions(behind, group).contains(&version) {
        return Err(if is_own(group) { Refusal::no_such_path() } else { Refusal::no_such_page() });
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list = Vec::new();
    for resource in resources_of(group, version) {
        let mut entry = json!({
            "name": resource.name, "singularName": resource.singular, "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": resource.verbs,
        });
        names(&resource, &mut entry);
        list.push(entry);
        for sub in resource.subresources {
            let mut entry = json!({
                "name": format!("{}/{}", resource.name, sub.name), "singularName": "",
                "namespaced": resource.namespaced, "kind": sub.kind, "verbs": sub.verbs,
            });
            if let Some((group, version)) = sub.elsewhere {
                entry["group"] = group.into();
                entry["version"] = version.into();
            }
            list.push(entry);
        }
    }
    get(
        method,
        || json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list}),
    )
}

/// The other names of a resource, where it has some.
fn names(resource: &Resource, entry: &mut Value) {
    if !resource.short.is_empty() {
        entry["shortNames"] = json!(resource.short);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}

fn aggregated_group(behind: &Backends, name: &str) -> Value {
    let backend = behind.iter().find(|one| one.group == name);
    let version = |(place, version): (usize, &&str)| {
        let resources: Vec<Value> = match backend {
            Some(backend) => backend.discovery(place),
            None => resources_of(name, version)
                .iter()
                .map(|one| aggregated_resource(name, version, one))
                .collect(),
        };
        json!({"version": version, "resources": resources, "freshness": "Current"})
    };
    let versions: Vec<Value> = versions(behind, name).iter().enumerate().map(version).collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(group: &str, version: &str, resource: &Resource) -> Value {
    // Kubernetes leaves group and version out where a kind of its own answers with itself.
    let here = if resource.builtin { ("", "") } else { (group, version) };
    let kind = |(group, version): (&str, &str), kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut entry = json!({
        "resource": resource.name, "responseKind": kind(here, resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular, "verbs": resource.verbs,
    });
    names(resource, &mut entry);
    if !resource.subresources.is_empty() {
        let subresources = resource.subresources.iter().map(|sub| {
            let kind = kind(sub.elsewhere.unwrap_or(here), sub.kind);
            json!({"subresource": sub.name, "responseKind": kind, "verbs": sub.verbs})
        });
        entry["subresources"] = subresources.collect();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::server::testing::Api;

    const KUBECTL: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,\
                           application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

    fn resource<'a>(list: &'a Value, name: &str) -> &'a Value {
        list["resources"].as_array().and_then(|all| all.iter().find(|one| one["name"] == name)).unwrap()
    }

    #[tokio::test]
    async fn plain_discovery_tells_groups_and_resources() {
        let api = Api::new().as_user("shop-operator");
        let (_, groups) = api.get("/apis").await;
        let names: Vec<&str> = groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["name"].as_str().unwrap())
            .collect();
        let place = |name: &str| names.iter().position(|one| *one == name).unwrap();
        assert!(place("apps") < place("kubevirt.io"), "{names:?}");
        assert!(place("kubevirt.io") < place("virt.virtink.smartx.com"), "{names:?}");
        let (_, group) = api.get("/apis/kubevirt.io").await;
        assert_eq!(
            group,
            json!({
                "kind": "APIGroup", "apiVersion": "v1", "name": "kubevirt.io",
                "versions": [{"groupVersion": "kubevirt.io/v1", "version": "v1"},
                             {"groupVersion": "kubevirt.io/v1alpha3", "version": "v1alpha3"}],
                "preferredVersion": {"groupVersion": "kubevirt.io/v1", "version": "v1"},
            })
        );
        let (_, core) = api.get("/api/v1").await;
        assert_eq!(core["groupVersion"], "v1");
        assert_eq!(
            *resource(&core, "pods/eviction"),
            json!({"name": "pods/eviction", "singularName": "", "namespaced": true, "group": "policy", "version": "v1",
                   "kind": "Eviction", "verbs": ["create"]})
        );
        assert_eq!(resource(&core, "pods")["shortNames"], json!(["po"]));
        assert!(!resource(&core, "namespaces")["verbs"].to_string().contains("deletecollection"));
        let (_, pools) = api.get("/apis/pool.kubevirt.io/v1alpha1").await;
        assert_eq!(resource(&pools, "virtualmachinepools/scale")["kind"], "Scale");
        let (_, reviews) = api.get("/apis/authorization.k8s.io/v1").await;
        assert_eq!(resource(&reviews, "selfsubjectaccessreviews")["verbs"], json!(["create"]));
    }

    #[tokio::test]
    async fn aggregated_discovery_tells_all_at_once() {
        let api = Api::new().as_user("shop-operator").with_header("accept", KUBECTL);
        for path in ["/api", "/apis"] {
            let reply = api.send(Method::GET, path, "").await;
            assert_eq!(reply.headers["content-type"], AGGREGATED, "{path}");
            let list = reply.json();
            let mut told = 0;
            for group in list["items"].as_array().unwrap() {
                let name = group["metadata"]["name"].as_str().unwrap_or_default();
                for version in group["versions"].as_array().unwrap() {
                    let wanted = rows_of(name).filter(|row| version["version"] == row.versions[0]);
                    for row in wanted {
                        let one = version["resources"].as_array().unwrap().iter();
                        let one = one.into_iter().find(|one| one["resource"] == row.plural).unwrap();
                        assert_eq!(one["responseKind"]["kind"], row.kind);
                        assert_eq!(one["responseKind"]["group"], if row.builtin { "" } else { name });
                        assert_eq!(one["scope"] == "Namespaced", row.namespaced, "{}", row.plural);
                        told += 1;
                    }
                }
            }
            let core = path == "/api";
            assert_eq!(told, Kind::all().filter(|kind| kind.row().group.is_empty() == core).count());
        }
        let (_, group) = api.get("/apis/apps").await;
        assert_eq!(group["kind"], "APIGroup", "below the roots there is the plain form only");
        let beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert_eq!(api.with_header("accept", beta).get("/apis").await.0, 406);
    }

    #[tokio::test]
    async fn everybody_sees_what_is_theirs_to_see() {
        let api = Api::new();
        for (user, path, code) in [
            ("", "/version", 200),
            ("", "/healthz", 200),
            ("", "/healthz/ping", 403),
            ("", "/api", 403),
            ("", "/apis/kubevirt.io", 403),
            ("shop-operator", "/apis/kubevirt.io/v1", 200),
            ("shop-operator", "/nope", 403),
            ("shop-operator", "/", 403),
            ("admin", "/", 200),
            ("admin", "/livez/ping", 200),
            ("admin", "/nope", 404),
            ("shop-operator", "/openapi/v3", 200),
            ("shop-operator", "/openapi/v3/apis/kubevirt.io/v1", 200),
            ("admin", "/openapi/v3/apis/example.com/v1", 404),
            ("admin", "/openapi/v2", 404),
            ("admin", "/api/v2", 404),
            ("admin", "/apis/nope", 404),
            ("admin", "/apis/kubevirt.io/v7", 404),
        ] {
            let asked = if user.is_empty() { api.clone() } else { api.as_user(user) };
            assert_eq!(asked.send(Method::GET, path, "").await.code, code, "{user} {path}");
        }
        let (_, refused) = api.get("/api").await;
        assert_eq!(refused["message"], "forbidden: User \"system:anonymous\" cannot get path \"/api\"");
        let admin = api.as_admin();
        assert_eq!(admin.send(Method::GET, "/healthz", "").await.text(), "ok");
        assert_eq!(
            admin.send(Method::GET, "/readyz?verbose", "").await.text(),
            "[+]ping ok\nreadyz check passed\n"
        );
        assert_eq!(admin.send(Method::OPTIONS, "/apis", "").await.code, 405);
        for (path, page) in
            [("/apis/nope/v1/foos", true), ("/apis/kubevirt.io/v1/foos", true), ("/api/v1/foos", false)]
        {
            let reply = admin.send(Method::GET, path, "").await;
            assert_eq!(reply.code, 404, "{path}");
            assert_eq!(reply.text() == "404 page not found\n", page, "{path}");
            assert_eq!(reply.json()["reason"] == "NotFound", !page, "{path}");
        }
    }
}
