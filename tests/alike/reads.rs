//! Getting, listing, paging, and what there is.

use serde_json::{Value, json};

use super::Story;
use super::step::{Step, delete, get, merge, post};

pub(super) const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
pub(super) const MACHINES: &str = "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachines";

pub(super) const STORIES: &[Story] = &[
    ("reads: nothing there", || {
        vec![
            get("an empty list", MACHINES),
            get("an empty list of old version", MACHINES.replace("/v1/", "/v1alpha3/")),
            get("a missing object", format!("{MACHINES}/web")),
            get("a missing built-in object", "/api/v1/namespaces/{ns}/pods/web"),
            get("a missing namespace", "/api/v1/namespaces/no-such"),
            get("a list in a missing namespace", "/api/v1/namespaces/no-such/pods"),
            get("a kind that is not there", "/apis/kubevirt.io/v1/namespaces/{ns}/gadgets"),
            get("a version that is not there", "/apis/kubevirt.io/v9/virtualmachines"),
            get("a group that is not there", "/apis/gadgets.example.test/v1"),
            get("a path that is not there", "/gadgets"),
        ]
    }),
    ("reads: objects and lists", || {
        let mut steps = made();
        steps.extend([
            get("one", format!("{MACHINES}/b")),
            get("one in another version", format!("{}/b", MACHINES.replace("/v1/", "/v1alpha3/"))),
            get("all", MACHINES),
            get("maps", format!("{MAPS}?labelSelector=made")),
            get("from the cache", format!("{MACHINES}?resourceVersion=0")),
            get("labels in a set", format!("{MACHINES}?labelSelector=tier%20in%20(front,back)")),
            get("labels not in a set", format!("{MACHINES}?labelSelector=tier%20notin%20(front)")),
            get("without a label", format!("{MACHINES}?labelSelector=!tier")),
            get("a broken selector", format!("{MACHINES}?labelSelector=tier%20in%20front")),
            get("by name", format!("{MACHINES}?fieldSelector=metadata.name%3Db")),
            get("not by name", format!("{MACHINES}?fieldSelector=metadata.name!%3Db")),
            get("by a field that is not known", format!("{MACHINES}?fieldSelector=spec.x%3Db")),
            get("metadata only", format!("{MACHINES}/b"))
                .header("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"),
            get("metadata of all", MACHINES)
                .header("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            get("a format that is not served", MACHINES).header("accept", "text/html"),
            get("no format", MACHINES).header("accept", "*/*"),
        ]);
        steps
    }),
    ("reads: pages", || {
        let mut steps = made();
        steps.extend([
            get("the first page", format!("{MACHINES}?limit=2")),
            get("a page that has room", format!("{MACHINES}?limit=10")),
            get("a page just full", format!("{MACHINES}?limit=3")),
            get("a page of a selection", format!("{MACHINES}?limit=1&labelSelector=tier")),
            get("a limit that is no number", format!("{MACHINES}?limit=two")),
            get("a token that is none", format!("{MACHINES}?limit=2&continue=nonsense")),
            get("exactly without a version", format!("{MACHINES}?resourceVersionMatch=Exact")),
            get("exactly from the cache", format!("{MACHINES}?resourceVersionMatch=Exact&resourceVersion=0")),
            get(
                "a rule that is not known",
                format!("{MACHINES}?resourceVersionMatch=Sometimes&resourceVersion=1"),
            ),
            get("a version that is no number", format!("{MACHINES}?resourceVersion=new")),
            get("a version of the future", format!("{MACHINES}?resourceVersion=999999999")),
        ]);
        steps
    }),
    ("reads: versions of the server", || {
        vec![
            get("health", "/healthz"),
            get("liveness", "/livez"),
            get("readiness", "/readyz"),
            get("resources of a group", "/apis/cdi.kubevirt.io"),
            get("a version of the core group", "/api/v1").header("x-compare", "kinds"),
        ]
    }),
    ("reads: after changes", || {
        let mut steps = made();
        steps.extend([
            merge("a change", format!("{MACHINES}/b"), &json!({"metadata": {"labels": {"tier": "back"}}})),
            delete("an end", format!("{MACHINES}/a")),
            get("what is left", MACHINES),
        ]);
        steps
    }),
];

/// Three machines and two config maps.
pub(super) fn made() -> Vec<Step> {
    let mut steps: Vec<Step> =
        [("a", json!({"tier": "front"})), ("b", json!({"tier": "middle"})), ("c", json!({}))]
            .into_iter()
            .map(|(name, labels)| post("a machine", MACHINES, &machine(name, &labels)))
            .collect();
    steps.extend(["one", "two"].map(|name| {
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"made": "yes"}},
            "data": {"key": name},
        });
        post("a map", MAPS, &map)
    }));
    steps
}

/// A machine whose every field its definition knows.
pub(super) fn machine(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "runStrategy": "Halted",
            "template": {"spec": {"domain": {"devices": {}, "memory": {"guest": "1Gi"}}}},
        },
    })
}
