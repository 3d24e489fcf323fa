//! `v9s validate --live`: what a cluster says about documents.

use std::path::Path;

use serde_json::{Value, json};

use super::{said, v9s};
use crate::support::apiserver::ApiServer;
use crate::support::cluster::Cluster;
use crate::support::embedded::Embedded;

/// Findings as `rule:line: text`.
fn findings(kubeconfig: &Path, text: &str, more: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, text).unwrap();
    let mut arguments =
        vec!["validate", "--live", "-o", "json", "--kubeconfig", kubeconfig.to_str().unwrap()];
    arguments.extend(more);
    arguments.push(path.to_str().unwrap());
    let output = v9s(&arguments);
    let rows: Vec<Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output).1));
    let shown = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        format!("{}[{}]:{}: {}", text("level"), text("rule"), row["line"], text("text"))
    };
    rows.iter().map(shown).collect()
}

const WORKLOAD: &str = "\
apiVersion: v9s.dev/v1alpha1
kind: Workload
metadata:
  name: web
  namespace: live
spec:
  type: vm
  containers:
  - {name: vm, cpu: 2, memory: 2Gi}
  vm:
    bootDisk:
      source: {oci: {image: 'quay.io/containerdisks/ubuntu:22.04'}}
      persist: {volumeSet: cpln://volumeset/web-boot}
";

const SET: &str = "\
apiVersion: v9s.dev/v1alpha1
kind: VolumeSet
metadata:
  name: web-boot
  namespace: live
spec:
  initialCapacity: 20
  fileSystemType: xfs
";

/// What every server says that has our kinds.
pub(super) fn cases(kubeconfig: &Path, cluster: &Cluster) {
    cluster.namespace("live");
    cluster.create(json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "general-purpose-ssd-xfs"},
        "provisioner": "csi.example.org", "allowVolumeExpansion": true,
    }));
    let found = |text: &str| findings(kubeconfig, text, &[]);
    let missing = "error[volumeset-not-found]:13: volume set \"web-boot\" does not exist in GVC \"live\"";
    assert_eq!(found(WORKLOAD), [missing]);
    // What another document of the same text makes is there.
    assert_eq!(found(&format!("{SET}---\n{WORKLOAD}")), Vec::<String>::new());
    cluster.create(serde_saphyr::from_str::<Value>(SET).unwrap());
    assert_eq!(found(WORKLOAD), Vec::<String>::new());
    // The seed's form is asked about as the object that it becomes.
    let seed = WORKLOAD.replace(
        "apiVersion: v9s.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: web\n  namespace: live\n",
        "kind: workload\nname: web\ngvc: live\n",
    );
    assert_eq!(found(&seed), Vec::<String>::new());
    // What is there already is what a change is held against.
    let changed = found(&SET.replace("xfs", "ext4"));
    assert!(changed.iter().any(|one| one.starts_with("error[vs-fs-immutable]:8:")), "{changed:?}");
    assert_eq!(found(SET), Vec::<String>::new());
    // Fields that the server does not know are named by it as well.
    let unknown = found(&SET.replace("  fileSystemType: xfs", "  fileSystemType: xfs\n  speed: 7"));
    let line = |one: &String| one.starts_with("warning[server]:9:") && one.contains("spec.speed");
    assert!(unknown.iter().any(line), "{unknown:?}");
    let foreign = found("apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\n");
    assert_eq!(
        foreign,
        ["error[server]:1: the server refuses it: this cluster does not serve Thing of example.org/v1"]
    );
    // Nothing of all this has been stored.
    let web = json!({"apiVersion": "v9s.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "web", "namespace": "live"}});
    assert_eq!(cluster.get(&web), None);
    let set = cluster.get(&serde_saphyr::from_str(SET).unwrap()).unwrap();
    assert_eq!((&set["spec"]["fileSystemType"], &set["spec"]["speed"]), (&json!("xfs"), &Value::Null));
    // Without the right to change anything, objects are looked at all the same.
    let looked = findings(kubeconfig, &WORKLOAD.replace("web-boot", "gone"), &["--readonly"]);
    assert_eq!(looked.len(), 1, "{looked:?}");
}

/// What only a server says that keeps our rules itself.
pub(super) fn refused(server: &ApiServer) {
    let kubeconfig = server.kubeconfig("admin");
    let found = findings(&kubeconfig, &WORKLOAD.replace("cpu: 2", "cpu: 1500m"), &[]);
    let by_server = found.iter().find(|one| one.starts_with("error[server]:9:"));
    assert!(by_server.is_some_and(|one| one.contains("whole number of cores")), "{found:?}");
    assert!(found.iter().any(|one| one.starts_with("error[cpu-whole-cores]:9:")), "{found:?}");
    // A user who may do less is told what he may not do, and nothing is made up about what he cannot see.
    let found = findings(&server.kubeconfig("shop"), WORKLOAD, &[]);
    assert!(found.iter().all(|one| one.starts_with("error[server]:")), "{found:?}");
}

#[test]
fn the_embedded_server_is_asked() {
    let server = Embedded::with_webhooks();
    let kubeconfig = server.kubeconfig("admin");
    cases(&kubeconfig, server.cluster());
    let machine = "\
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: a, namespace: live}
spec:
  runStrategy: Always
  template:
    spec:
      domain:
        devices:
          disks:
          - {name: root, disk: {bus: virtio}}
          - {name: more, disk: {bus: virtio}}
        memory: {guest: 1Gi}
      volumes:
      - {name: root, containerDisk: {image: 'quay.io/containerdisks/ubuntu:24.04'}}
";
    let found = findings(&kubeconfig, machine, &[]);
    let refused =
        |one: &String| one.starts_with("error[server]:12:") && one.contains("has no corresponding volume");
    assert!(
        found.iter().any(refused) || found.iter().any(|one| one.starts_with("error[server]:12:")),
        "{found:?}"
    );
}

#[test]
fn a_cluster_that_does_not_answer_is_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, SET).unwrap();
    let kubeconfig = folder.path().join("config");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: a, user: {}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n";
    std::fs::write(&kubeconfig, text).unwrap();
    let output =
        v9s(&["validate", "--live", "--kubeconfig", kubeconfig.to_str().unwrap(), path.to_str().unwrap()]);
    let (code, text) = said(&output);
    assert_eq!(code, Some(3), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
