use super::parse::{GroupVersion, parse_document, parse_group};
use super::*;
use crate::cluster::kubeconfig::Flags;
use crate::cluster::testing::{Server, connect_to, one_context, say};

fn resource(group: &str, versions: &[&str], kind: &str, plural: &str, short: &[&str]) -> Resource {
    Resource {
        group: group.to_owned(),
        version: versions[0].to_owned(),
        versions: versions.iter().map(|v| (*v).to_owned()).collect(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short_names: short.iter().map(|s| (*s).to_owned()).collect(),
        namespaced: true,
        verbs: vec!["list".to_owned()],
        ..Resource::default()
    }
}

fn cluster() -> Discovery {
    Discovery {
        resources: vec![
            resource("", &["v1"], "Pod", "pods", &["po"]),
            resource("", &["v1"], "Event", "events", &["ev"]),
            resource("events.k8s.io", &["v1"], "Event", "events", &["ev"]),
            resource("metrics.k8s.io", &["v1beta1"], "PodMetrics", "pods", &[]),
            resource(
                "virt.virtink.smartx.com",
                &["v1alpha1"],
                "VirtualMachine",
                "virtualmachines",
                &["vm", "vms"],
            ),
            resource("kubevirt.io", &["v1", "v1alpha3"], "VirtualMachine", "virtualmachines", &["vm", "vms"]),
            resource(
                "pool.kubevirt.io",
                &["v1alpha1"],
                "VirtualMachinePool",
                "virtualmachinepools",
                &["vmpool"],
            ),
            resource("a.example.org", &["v1"], "Thing", "things", &["th"]),
            resource("b.example.org", &["v1"], "Thing", "things", &["th"]),
        ],
        ..Discovery::default()
    }
}

#[test]
fn words_find_kinds() {
    let cluster = cluster();
    let cases = [
        ("vm", "kubevirt.io/virtualmachines"),
        ("vms", "kubevirt.io/virtualmachines"),
        ("VirtualMachine", "kubevirt.io/virtualmachines"),
        ("virtualmachines", "kubevirt.io/virtualmachines"),
        (" virtualmachine ", "kubevirt.io/virtualmachines"),
        ("vm.virt.virtink.smartx.com", "virt.virtink.smartx.com/virtualmachines"),
        ("virtualmachines.v1alpha1.virt.virtink.smartx.com", "virt.virtink.smartx.com/virtualmachines"),
        ("virt.virtink.smartx.com/v1alpha1/virtualmachines", "virt.virtink.smartx.com/virtualmachines"),
        ("kubevirt.io/v1alpha3/virtualmachines", "kubevirt.io/virtualmachines"),
        ("kubevirt.io/v9/virtualmachines", "none"),
        ("po", "/pods"),
        ("pods", "/pods"),
        ("pods.v1", "/pods"),
        ("v1/pods", "/pods"),
        ("pods.metrics.k8s.io", "metrics.k8s.io/pods"),
        ("ev", "/events"),
        ("events.events.k8s.io", "events.k8s.io/events"),
        ("things", "a.example.org/things b.example.org/things"),
        ("things.b.example.org", "b.example.org/things"),
        ("", "none"),
        (".", "none"),
        ("a/b/c/d", "none"),
        ("nothing", "none"),
    ];
    for (word, expected) in cases {
        let name = |resource: &Resource| format!("{}/{}", resource.group, resource.plural);
        let found = match cluster.resolve(word) {
            Resolved::One(resource) => name(resource),
            Resolved::Ambiguous(all) => all.iter().map(|r| name(r)).collect::<Vec<_>>().join(" "),
            Resolved::None => "none".to_owned(),
        };
        assert_eq!(found, expected, "{word}");
    }
}

#[test]
fn versions_are_chosen_by_what_is_served() {
    let cluster = cluster();
    let best = |group, plural, wanted: &[&str]| cluster.best_version(group, plural, wanted);
    let pools = ("pool.kubevirt.io", "virtualmachinepools");
    assert_eq!(best(pools.0, pools.1, &["v1beta1", "v1alpha1"]).as_deref(), Some("v1alpha1"));
    assert_eq!(best(pools.0, pools.1, &["v1"]).as_deref(), Some("v1alpha1"), "else the preferred one");
    assert_eq!(best("kubevirt.io", "virtualmachines", &["v1"]).as_deref(), Some("v1"));
    assert_eq!(best("kubevirt.io", "none", &["v1"]), None);
    let features = cluster.features();
    assert!(features.kubevirt && features.virtink && !features.cdi && !features.own);
}

#[test]
fn a_change_is_noticed() {
    let (one, mut two) = (cluster(), cluster());
    assert!(!one.differs(&two));
    two.resources.push(resource("cdi.kubevirt.io", &["v1beta1"], "DataVolume", "datavolumes", &["dv"]));
    assert!(one.differs(&two));
}

#[test]
fn server_versions_need_not_be_versions() {
    let cases = [
        ("v1.36.3", Some((1, 36))),
        ("v1.31.2+k3s1", Some((1, 31))),
        ("v1.27.3-gke.100", Some((1, 27))),
        ("v0.0.0-master+$Format:%H$", None),
        ("", None),
        ("v", None),
        ("v1", None),
        ("1.2.3", None),
        ("v99999999999.1.0", None),
        ("\u{1b}[2Jv1.2", None),
    ];
    for (text, parsed) in cases {
        let version = ServerVersion::parse(text);
        assert_eq!(version.parsed, parsed, "{text}");
        assert!(!version.git_version.contains('\u{1b}'));
    }
}

const AGGREGATED: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
  {"metadata":{"name":"kubevirt.io"},"versions":[
    {"version":"v1","freshness":"Current","resources":[
      {"resource":"virtualmachines","responseKind":{"group":"kubevirt.io","version":"v1","kind":"VirtualMachine"},"scope":"Namespaced",
       "singularResource":"virtualmachine","verbs":["get","list"],"shortNames":["vm"],"categories":["all"],"subresources":[{"subresource":"status"}]}]},
    {"version":"v1alpha3","freshness":"Current","resources":[
      {"resource":"virtualmachines","responseKind":{"kind":"VirtualMachine"},"scope":"Namespaced","verbs":["list"]}]}]},
  {"metadata":{"name":"subresources.kubevirt.io"},"versions":[{"version":"v1","resources":[
      {"resource":"virtualmachineinstances","responseKind":null,"scope":"Namespaced","singularResource":"","verbs":null,"subresources":null},
      {"resource":"virtualmachines/start","responseKind":{"kind":"X"},"verbs":null},
      {"resource":"expand","responseKind":{"kind":""},"verbs":[]}]}]},
  {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale","resources":null}]},
  {"metadata":{"name":"broken.example.org"},"versions":"many"},
  {"metadata":{"name":"evil/../x"},"versions":[{"version":"v1","resources":[{"resource":"x","responseKind":{"kind":"X"}}]}]}
]}"#;

#[test]
fn the_aggregated_form_is_read_with_its_oddities() {
    let mut discovery = Discovery::default();
    discovery.add(parse_document(AGGREGATED).unwrap());
    assert_eq!(discovery.resources.len(), 1, "{:?}", discovery.resources);
    let vm = discovery.served("kubevirt.io", "virtualmachines").unwrap();
    assert_eq!(vm.versions, ["v1", "v1alpha3"]);
    assert_eq!(vm.api_version(), "kubevirt.io/v1");
    assert!(vm.namespaced && vm.can("list") && !vm.can("watch"));
    assert_eq!(
        (vm.short_names.as_slice(), vm.categories.as_slice()),
        (&["vm".to_owned()][..], &["all".to_owned()][..])
    );
    assert_eq!(discovery.stale_groups, ["metrics.k8s.io"]);
    assert_eq!(discovery.absent.len(), 1);
    assert_eq!(discovery.absent[0].group, "broken.example.org");
    assert!(discovery.has_group("metrics.k8s.io"));
}

const GROUPS: &str = r#"{"kind":"APIGroupList","apiVersion":"v1","groups":[
  {"name":"pool.kubevirt.io","versions":[{"groupVersion":"pool.kubevirt.io/v1alpha1","version":"v1alpha1"},{"version":"v1beta1"}],
   "preferredVersion":{"groupVersion":"pool.kubevirt.io/v1beta1","version":"v1beta1"}},
  {"name":"down.example.org","versions":[{"version":"v1"}],"preferredVersion":null},
  {"name":null,"versions":null}]}"#;

#[test]
fn the_plain_form_is_read_with_its_oddities() {
    let parsed = parse_document(GROUPS).unwrap();
    let paths: Vec<String> = parsed.unread.iter().map(GroupVersion::path).collect();
    assert_eq!(
        paths,
        ["/apis/pool.kubevirt.io/v1beta1", "/apis/pool.kubevirt.io/v1alpha1", "/apis/down.example.org/v1"]
    );
    let of = GroupVersion { group: "subresources.kubevirt.io".to_owned(), version: "v1".to_owned() };
    let list = r#"{"kind":"APIResourceList","resources":[{"name":"virtualmachines/start","kind":"","verbs":null},
        {"name":"things","singularName":"","namespaced":true,"kind":"Thing","verbs":null,"shortNames":null}]}"#;
    let parsed = parse_group(list, &of);
    assert_eq!(parsed.resources.len(), 1);
    assert_eq!(parsed.resources[0].singular, "thing");
    assert_eq!(parse_group("oops", &of).absent.len(), 1);
    assert_eq!(parse_group(r#"{"resources":null}"#, &of).resources, []);
}

#[test]
fn other_documents_are_refused() {
    for text in ["", "null", "[]", "<html>", r#"{"kind":"Status"}"#, r#"{"items":[]}"#] {
        assert!(parse_document(text).is_err(), "{text}");
    }
}

async fn discover_at(server: &Server) -> Result<Discovery, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let configuration = one_context(folder.path(), &format!("server: '{}'", server.url), "");
    discover(&connect_to(&configuration, &Flags::default()).await?).await
}

#[tokio::test]
async fn an_aggregating_server_is_asked_three_times() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api" => say(200, r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[
            {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","verbs":["list"]}]}]}]}"#),
        "/apis" => say(200, AGGREGATED),
        _ => say(200, r#"{"gitVersion":"v1.36.3"}"#),
    })
    .await;
    let discovery = discover_at(&server).await.unwrap();
    assert_eq!(discovery.resources.len(), 2);
    assert_eq!(discovery.version.parsed, Some((1, 36)));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_plain_server_is_asked_for_every_version_and_may_fail_in_some() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api" => say(200, r#"{"kind":"APIVersions","versions":["v1"]}"#),
        "/apis" => say(200, GROUPS),
        "/api/v1" => say(200, r#"{"resources":[{"name":"pods","namespaced":true,"kind":"Pod","verbs":["list"]}]}"#),
        "/apis/pool.kubevirt.io/v1beta1" | "/apis/pool.kubevirt.io/v1alpha1" => {
            say(200, r#"{"resources":[{"name":"virtualmachinepools","namespaced":true,"kind":"VirtualMachinePool","verbs":["list"]}]}"#)
        }
        "/version" => say(403, "no"),
        _ => say(503, "service unavailable"),
    })
    .await;
    let discovery = discover_at(&server).await.unwrap();
    let pools = discovery.served("pool.kubevirt.io", "virtualmachinepools").unwrap();
    assert_eq!(pools.versions, ["v1beta1", "v1alpha1"]);
    assert!(discovery.served("", "pods").is_some());
    assert_eq!(discovery.absent.len(), 1);
    assert!(discovery.absent[0].reason.contains("503"));
    assert_eq!(discovery.version, ServerVersion::default());
}

#[tokio::test]
async fn a_server_that_is_none_is_told_so() {
    let server = Server::start(|_| say(200, "<html>Welcome to nginx</html>")).await;
    assert_eq!(discover_at(&server).await.unwrap_err().kind, FailureKind::Garbage);
    let server = Server::start(|_| say(401, "")).await;
    assert_eq!(discover_at(&server).await.unwrap_err().kind, FailureKind::Unauthorized);
}
