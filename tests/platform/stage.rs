//! A server with a platform on it whose clock stands, and somebody who watches what becomes of a namespace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::WatchEvent;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use v9s::demo::platform::kind::Kind;
use v9s::demo::platform::{Logs, Options, PLAYED, Pace, Platform};

use super::sequence::Line;
use crate::support::cluster::{Cluster, runtime};
use crate::support::{deadline, poll};

/// What is watched, as in the recordings.
const WATCHED: &[(&str, &str)] = &[
    ("kubevirt.io/v1", "virtualmachines"),
    ("kubevirt.io/v1", "virtualmachineinstances"),
    ("kubevirt.io/v1", "virtualmachineinstancemigrations"),
    ("pool.kubevirt.io/v1beta1", "virtualmachinepools"),
    ("cdi.kubevirt.io/v1beta1", "datavolumes"),
    ("cdi.kubevirt.io/v1beta1", "datasources"),
    ("cdi.kubevirt.io/v1beta1", "dataimportcrons"),
    ("v1", "persistentvolumeclaims"),
    ("v1", "pods"),
    ("v1", "events"),
    ("snapshot.storage.k8s.io/v1", "volumesnapshots"),
    ("snapshot.kubevirt.io/v1beta1", "virtualmachinesnapshots"),
    ("snapshot.kubevirt.io/v1beta1", "virtualmachinesnapshotcontents"),
    ("snapshot.kubevirt.io/v1beta1", "virtualmachinerestores"),
];

/// Containers' lines that nobody reads.
struct Unread;

impl Logs for Unread {
    fn append(&self, _: &str, _: &str, _: &str, _: &str, _: Timestamp) {}
}

/// A server with a platform.
pub(super) struct Stage {
    pub(super) cluster: Cluster,
    platform: Platform,
}

impl Stage {
    /// Plays on a server that has the definitions, and nothing else yet.
    pub(super) fn new(cluster: &Cluster) -> Self {
        for object in furniture() {
            cluster.create(object);
        }
        let options = Options {
            pace: Pace::Standing,
            seed: 1,
            logs: Arc::new(Unread),
            time: Box::new(Timestamp::now),
            strict: true,
        };
        let platform = runtime().block_on(Platform::start(cluster.client(), options)).expect("a platform");
        let stage = Self { cluster: cluster.clone(), platform };
        stage.advance(Duration::ZERO);
        stage
    }

    pub(super) fn advance(&self, by: Duration) {
        runtime().block_on(self.platform.advance(by));
    }

    /// Has the platform see what somebody wrote, and do what there is to do at once.
    pub(super) fn saw(&self, object: &Value) {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let version = object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
        if let (Some(kind), Some(version)) = (Kind::find(text("apiVersion"), text("kind")), version) {
            runtime().block_on(self.platform.await_version(kind, version));
        }
        self.advance(Duration::ZERO);
    }

    /// Lets the clock run, second by second, until an object is as wanted.
    ///
    /// # Panics
    ///
    /// When it is not after so many seconds.
    pub(super) fn until(&self, object: &Value, what: &str, seconds: u64, wanted: impl Fn(&Value) -> bool) {
        for _ in 0..=seconds {
            let now = self.cluster.get(object).unwrap_or_default();
            if wanted(&now) {
                return;
            }
            self.advance(Duration::from_secs(1));
        }
        let now = self.cluster.get(object).unwrap_or_default();
        panic!(
            "{} {} is not {what} after {seconds} s: {}",
            object["kind"], object["metadata"]["name"], now["status"]
        );
    }

    /// Lets the clock run until an object is gone, which may be the work of the server.
    pub(super) fn until_gone(&self, object: &Value) {
        let gone = || {
            self.advance(Duration::from_secs(1));
            self.cluster.get(object).is_none().then_some(())
        };
        poll(deadline(), gone).unwrap_or_else(|| panic!("{object} does not go"));
    }

    /// Asks for a sub-resource as a user does, and lets the platform see what came of it.
    pub(super) fn verb(&self, path: &str) {
        runtime().block_on(async {
            let request = http::Request::put(path).body(b"{}".to_vec()).expect("a request");
            self.cluster
                .client()
                .request_text(request)
                .await
                .unwrap_or_else(|why| panic!("PUT {path}: {why}"))
        });
        self.advance(Duration::from_secs(1));
    }

    /// Makes the storage class `fast` the default one, or no default.
    pub(super) fn default_class(&self, default: bool) {
        let patch = json!({"metadata": {"annotations": {
            "storageclass.kubernetes.io/is-default-class": default.to_string(),
        }}});
        self.saw(&self.cluster.patch(&class("fast", "", "Immediate", true), patch));
    }

    /// Cordons or uncordons all nodes.
    pub(super) fn cordon(&self, cordoned: bool) {
        for name in NODES {
            let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
            self.saw(&self.cluster.patch(&node, json!({"spec": {"unschedulable": cordoned}})));
        }
    }

    /// Makes everything as it was in the beginning.
    pub(super) fn restore(&self) {
        self.default_class(true);
        self.cordon(false);
    }

    /// Begins to delete a namespace. A real server takes some seconds for that, in which others can be looked at.
    pub(super) fn clear(&self, namespace: &str) {
        self.cluster.delete_namespace(namespace);
        self.advance(Duration::from_secs(1));
    }
}

const NODES: [&str; 2] = ["node-1", "node-2"];

/// What every cluster has: nodes and storage classes.
fn furniture() -> Vec<Value> {
    let mut all = Vec::new();
    for name in NODES {
        all.push(json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                PLAYED: "true", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64", "kubevirt.io/schedulable": "true",
            }},
            "status": {
                "capacity": {"cpu": "64", "memory": "512Gi", "pods": "500", "ephemeral-storage": "500Gi",
                    "devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k"},
                "allocatable": {"cpu": "64", "memory": "512Gi", "pods": "500", "ephemeral-storage": "500Gi",
                    "devices.kubevirt.io/kvm": "1k", "devices.kubevirt.io/tun": "1k", "devices.kubevirt.io/vhost-net": "1k"},
                "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            },
        }));
    }
    all.push(class("fast", "rook-ceph.rbd.csi.ceph.com", "Immediate", true));
    all.push(class("local-wffc", "topolvm.io", "WaitForFirstConsumer", false));
    all.push(class("odd", "odd.example.test/provisioner", "Immediate", false));
    all.push(json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass",
        "metadata": {"name": "fast-snap"}, "driver": "rook-ceph.rbd.csi.ceph.com", "deletionPolicy": "Delete",
    }));
    all
}

/// A storage class.
fn class(name: &str, provisioner: &str, binding: &str, default: bool) -> Value {
    let mut class = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": provisioner, "reclaimPolicy": "Delete", "volumeBindingMode": binding,
        "allowVolumeExpansion": true,
    });
    if default {
        class["metadata"]["annotations"] = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    }
    class
}

/// Watches a namespace from its beginning.
pub(super) struct Witness {
    client: Client,
    namespace: String,
    lines: Arc<Mutex<Vec<Line>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn api(client: &Client, namespace: &str, of: &(&str, &str)) -> Api<DynamicObject> {
    let (group, version) = of.0.split_once('/').unwrap_or(("", of.0));
    let resource = ApiResource {
        group: group.into(),
        version: version.into(),
        api_version: of.0.into(),
        kind: String::new(),
        plural: of.1.into(),
    };
    Api::namespaced_with(client.clone(), namespace, &resource)
}

impl Witness {
    pub(super) fn of(stage: &Stage, namespace: &str) -> Self {
        let client = stage.cluster.client();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let begin = |of: &'static (&str, &str)| {
            let (client, namespace) = (client.clone(), namespace.to_owned());
            runtime().block_on(async move {
                let api = api(&client, &namespace, of);
                let begin = api.list(&Default::default()).await.expect("a list").metadata.resource_version;
                let parameters = kube::api::WatchParams::default().timeout(280);
                api.watch(&parameters, &begin.unwrap_or_default()).await.expect("a watch").boxed()
            })
        };
        let watch = |of: &'static (&str, &str)| {
            let (mut events, lines) = (begin(of), Arc::clone(&lines));
            runtime().spawn(async move {
                while let Ok(Some(event)) = events.try_next().await {
                    let (event, object) = match event {
                        WatchEvent::Added(object) => ("ADDED", object),
                        WatchEvent::Modified(object) => ("MODIFIED", object),
                        WatchEvent::Deleted(object) => ("DELETED", object),
                        _ => continue,
                    };
                    let object = serde_json::to_value(object).expect("JSON");
                    let line = Line { resource: of.1.to_owned(), event: event.to_owned(), object };
                    lines.lock().unwrap().push(line);
                }
            })
        };
        let tasks = WATCHED.iter().map(watch).collect();
        Self { client, namespace: namespace.to_owned(), lines, tasks }
    }

    /// What it has seen, once it has seen everything.
    ///
    /// # Panics
    ///
    /// When it does not come to see it.
    pub(super) fn lines(&self) -> Vec<Line> {
        let complete = || {
            let there: BTreeMap<String, String> = runtime().block_on(async {
                let mut all = BTreeMap::new();
                for of in WATCHED {
                    let list = api(&self.client, &self.namespace, of).list(&Default::default()).await;
                    for object in list.expect("a list").items {
                        let metadata = object.metadata;
                        all.insert(
                            metadata.uid.unwrap_or_default(),
                            metadata.resource_version.unwrap_or_default(),
                        );
                    }
                }
                all
            });
            let mut seen = BTreeMap::new();
            for line in self.lines.lock().unwrap().iter() {
                let text =
                    |field: &str| line.object["metadata"][field].as_str().unwrap_or_default().to_owned();
                match line.event.as_str() {
                    "DELETED" => seen.remove(&text("uid")),
                    _ => seen.insert(text("uid"), text("resourceVersion")),
                };
            }
            (seen == there).then_some(())
        };
        poll(deadline(), complete).expect("the watches do not come to see what is there");
        self.lines.lock().unwrap().clone()
    }
}

/// Where the recordings are, if they are at hand.
pub(super) fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("V9S_TEST_DATA").map(|folder| Path::new(&folder).join("recordings"))?;
    folder.is_dir().then_some(folder)
}

/// A recording.
pub(super) fn recording(name: &str) -> Vec<Line> {
    let file = recordings().expect("recordings").join(format!("{name}.ndjson"));
    let text = fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Line { resource: text("resource"), event: text("type"), object: value["object"].clone() }
    };
    text.lines().map(line).collect()
}
