//! Tables, as kubectl asks for them.

use serde_json::json;

use super::Story;
use super::reads::{MACHINES, MAPS, made};
use super::step::{Step, TABLE, get, merge, post};

fn table(what: &'static str, path: impl Into<String>) -> Step {
    get(what, path).header("accept", TABLE)
}

pub(super) const STORIES: &[Story] = &[
    ("tables: custom resources", || {
        let mut steps = made();
        let status = json!({"status": {
            "printableStatus": "Starting", "ready": false,
            "conditions": [{"type": "Ready", "status": "False", "reason": "VMINotExists"}],
        }});
        steps.extend([
            merge("a status", format!("{MACHINES}/b/status"), &status),
            table("all", MACHINES),
            table("one", format!("{MACHINES}/b")),
            table("a page", format!("{MACHINES}?limit=2")),
            table("without objects", format!("{MACHINES}?includeObject=None")),
            table("with whole objects", format!("{MACHINES}?includeObject=Object")),
            table("with something else", format!("{MACHINES}?includeObject=Half")),
            table("nothing", "/apis/cdi.kubevirt.io/v1beta1/namespaces/{ns}/datavolumes"),
            table("a missing object", format!("{MACHINES}/nobody")),
        ]);
        steps
    }),
    ("tables: kinds of projects without objects", || {
        [
            ("instances", "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstances"),
            ("migrations", "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstancemigrations"),
            ("pools", "/apis/pool.kubevirt.io/v1beta1/namespaces/{ns}/virtualmachinepools"),
            ("snapshots", "/apis/snapshot.kubevirt.io/v1beta1/namespaces/{ns}/virtualmachinesnapshots"),
            ("restores", "/apis/snapshot.kubevirt.io/v1beta1/namespaces/{ns}/virtualmachinerestores"),
            (
                "instance types",
                "/apis/instancetype.kubevirt.io/v1beta1/namespaces/{ns}/virtualmachineinstancetypes",
            ),
            ("crons", "/apis/cdi.kubevirt.io/v1beta1/namespaces/{ns}/dataimportcrons"),
            ("sources", "/apis/cdi.kubevirt.io/v1beta1/namespaces/{ns}/datasources"),
            ("volume snapshots", "/apis/snapshot.storage.k8s.io/v1/namespaces/{ns}/volumesnapshots"),
            ("virtink", "/apis/virt.virtink.smartx.com/v1alpha1/namespaces/{ns}/virtualmachines"),
            ("artifacts", "/apis/build.kairos.io/v1alpha2/namespaces/{ns}/osartifacts"),
        ]
        .map(|(what, path)| table(what, path))
        .to_vec()
    }),
    ("tables: built-in kinds", || {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]},
        });
        let running = json!({"status": {
            "phase": "Running", "podIP": "10.0.0.7", "startTime": "2026-01-01T00:00:00Z",
            "containerStatuses": [
                {"name": "a", "image": "i", "imageID": "x", "ready": true, "restartCount": 0, "state": {"running": {}}},
                {"name": "b", "image": "i", "imageID": "x", "ready": false, "restartCount": 3,
                 "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                 "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:00Z"}}},
            ],
        }});
        let claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                "storageClassName": "fast", "volumeMode": "Block",
            },
        });
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "user-data"}, "stringData": {"a": "b", "c": "d"},
        });
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": "{ns}"},
            "involvedObject": {"kind": "Pod", "namespace": "{ns}", "name": "web"},
            "reason": "Failed", "message": "it did not start", "type": "Warning", "count": 4,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-02T00:00:00Z",
            "source": {"component": "kubelet", "host": "node-a"},
        });
        let (pods, claims) =
            ("/api/v1/namespaces/{ns}/pods", "/api/v1/namespaces/{ns}/persistentvolumeclaims");
        let mut steps = made();
        steps.extend([
            post("a pod", pods, &pod),
            merge("its status", format!("{pods}/web/status"), &running),
            table("pods", pods),
            post("a claim", claims, &claim),
            table("claims", claims),
            post("a secret", "/api/v1/namespaces/{ns}/secrets", &secret),
            table("secrets", "/api/v1/namespaces/{ns}/secrets"),
            post("an event", "/api/v1/namespaces/{ns}/events", &event),
            table("events", "/api/v1/namespaces/{ns}/events"),
            table("maps", format!("{MAPS}?labelSelector=made")),
            table("services", "/api/v1/namespaces/{ns}/services"),
            table("accounts", "/api/v1/namespaces/{ns}/serviceaccounts?labelSelector=none"),
            table("quotas", "/api/v1/namespaces/{ns}/resourcequotas"),
            table("deployments", "/apis/apps/v1/namespaces/{ns}/deployments"),
            table("daemon sets", "/apis/apps/v1/namespaces/{ns}/daemonsets"),
            table("leases", "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases"),
            table("roles", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles"),
            table("bindings", "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings"),
            table("the namespace", "/api/v1/namespaces/{ns}"),
            table("nodes", "/api/v1/nodes?labelSelector=none"),
            table("volumes", "/api/v1/persistentvolumes?labelSelector=none"),
            table("classes", "/apis/storage.k8s.io/v1/storageclasses?labelSelector=none"),
        ]);
        steps
    }),
];
