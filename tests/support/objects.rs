//! Objects for tests, as the real controllers would have made them, small, and
//! such that the real definitions accept them.
//!
//! All is determined by the arguments: there is no clock and no chance here.

use std::ops::Deref;

use serde_json::{Value, json};

/// The time at which everything here has happened.
pub const TIME: &str = "2026-01-01T12:00:00Z";

/// The node on which everything here runs.
pub const NODE: &str = "node-1";

/// An object, to be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(pub Value);

impl Deref for Object {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        object.0
    }
}

impl Object {
    /// Sets what stands at a path, like `spec.template.spec.nodeSelector`;
    /// a number is an index. What is missing on the way is made.
    ///
    /// # Panics
    ///
    /// When the path leads through something that has no parts.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        let place =
            path.split('.').fold(&mut self.0, |at, step| match (at.is_array(), step.parse::<usize>()) {
                (true, Ok(index)) => &mut at[index],
                _ => &mut at[step],
            });
        *place = value.into();
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["labels"][key] = json!(value);
        self
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.0["metadata"]["annotations"][key] = json!(value);
        self
    }

    /// Names the owner, which controls this object. Its `metadata.uid` must be
    /// the one that the server gave it, if this object goes to a server: the
    /// garbage collector deletes what has no owner any more.
    #[must_use]
    pub fn owned_by(mut self, owner: &Value) -> Self {
        self.0["metadata"]["ownerReferences"] = json!([{
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": uid_of(owner),
            "controller": true,
            "blockOwnerDeletion": true,
        }]);
        self
    }

    /// Gives it what a server would have given it: uid, version, creation time.
    #[must_use]
    pub fn stored(mut self, version: u64) -> Self {
        let uid = uid_of(&self.0);
        let metadata = &mut self.0["metadata"];
        metadata["uid"] = json!(uid);
        metadata["resourceVersion"] = json!(version.to_string());
        metadata["creationTimestamp"] = json!(TIME);
        metadata["generation"] = json!(1);
        self
    }

    /// Makes a virtual machine or a pod run.
    ///
    /// # Panics
    ///
    /// When it is of another kind.
    #[must_use]
    pub fn running(self) -> Self {
        match self.0["kind"].as_str() {
            Some("VirtualMachine") => self.with("spec.runStrategy", "Always").with(
                "status",
                json!({
                    "conditions": [condition("Ready", "True"), condition("LiveMigratable", "True")],
                    "created": true,
                    "desiredGeneration": 1,
                    "observedGeneration": 1,
                    "printableStatus": "Running",
                    "ready": true,
                    "runStrategy": "Always",
                    "volumeSnapshotStatuses": [{
                        "name": "root", "enabled": false,
                        "reason": "Snapshot is not supported for this volumeSource type [root]",
                    }],
                }),
            ),
            Some("Pod") => {
                let names = self.0["spec"]["containers"].as_array().expect("containers");
                let containers: Vec<_> = names.iter().map(running_container).collect();
                self.with("spec.nodeName", NODE).with(
                    "status",
                    json!({
                        "phase": "Running",
                        "conditions": [condition("PodScheduled", "True"), condition("Ready", "True")],
                        "containerStatuses": containers,
                        "podIP": "10.244.1.7",
                        "podIPs": [{"ip": "10.244.1.7"}],
                        "startTime": TIME,
                    }),
                )
            }
            _ => panic!("This kind does not run: {}", self.0["kind"]),
        }
    }

    /// Gives a virtual machine the state word that `kubectl get` shows, like
    /// `Stopped` or `CrashLoopBackOff`; a machine in such a state is not ready.
    #[must_use]
    pub fn state(self, word: &str) -> Self {
        let conditions = json!([condition("Ready", "False")]);
        self.with("status.printableStatus", word)
            .with("status.ready", false)
            .with("status.conditions", conditions)
    }

    /// Gives a data volume a phase, like `ImportInProgress`, and a progress.
    #[must_use]
    pub fn phase(self, phase: &str, progress: &str) -> Self {
        let claim = self.0["metadata"]["name"].clone();
        let status = |is: bool| if is { "True" } else { "False" };
        let conditions = json!([
            condition("Bound", status(phase == "Succeeded")),
            condition("Ready", status(phase == "Succeeded")),
            condition("Running", status(phase == "ImportInProgress")),
        ]);
        self.with("status.claimName", claim)
            .with("status.phase", phase)
            .with("status.progress", progress)
            .with("status.conditions", conditions)
    }

    /// Binds a claim to a volume.
    #[must_use]
    pub fn bound(self) -> Self {
        let volume = format!("pvc-{}", uid_of(&self.0));
        let size = self.0["spec"]["resources"]["requests"]["storage"].clone();
        let modes = self.0["spec"]["accessModes"].clone();
        self.with("spec.volumeName", volume)
            .with("status", json!({"phase": "Bound", "accessModes": modes, "capacity": {"storage": size}}))
    }
}

/// Returns a stopped KubeVirt machine.
#[must_use]
pub fn vm(namespace: &str, name: &str) -> Object {
    Object(json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
        "spec": {
            "runStrategy": "Halted",
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "domain": {
                        "cpu": {"cores": 1},
                        "devices": {
                            "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                            "interfaces": [{"name": "default", "masquerade": {}}],
                        },
                        "memory": {"guest": "1Gi"},
                        "resources": {},
                    },
                    "networks": [{"name": "default", "pod": {}}],
                    "volumes": [{
                        "name": "root",
                        "containerDisk": {"image": "quay.io/containerdisks/fedora:41"},
                    }],
                },
            },
        },
        "status": {
            "conditions": [condition("Ready", "False")],
            "printableStatus": "Stopped",
            "runStrategy": "Halted",
        },
    }))
}

/// Returns the running instance of a machine.
#[must_use]
pub fn vmi_of(vm: &Value) -> Object {
    let metadata = &vm["metadata"];
    let phase = |name| json!({"phase": name, "phaseTransitionTimestamp": TIME});
    let mut instance = Object(json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "labels": vm["spec"]["template"]["metadata"]["labels"],
        },
        "spec": vm["spec"]["template"]["spec"],
        "status": {
            "conditions": [
                condition("Ready", "True"),
                condition("LiveMigratable", "True"),
                condition("AgentConnected", "True"),
            ],
            "guestOSInfo": {
                "id": "fedora", "name": "Fedora Linux", "prettyName": "Fedora Linux 41",
                "kernelRelease": "6.11.4-301.fc41.x86_64",
            },
            "interfaces": [{
                "name": "default",
                "infoSource": "domain, guest-agent",
                "ipAddress": "10.244.1.7",
                "ipAddresses": ["10.244.1.7"],
                "mac": "52:54:00:12:34:56",
            }],
            "migrationTransport": "Unix",
            "nodeName": NODE,
            "phase": "Running",
            "phaseTransitionTimestamps":
                [phase("Scheduling"), phase("Scheduled"), phase("Running")],
            "qosClass": "Burstable",
            "volumeStatus": [{"name": "root", "target": "vda"}],
        },
    }));
    instance = instance.label("kubevirt.io/nodeName", NODE);
    instance.owned_by(vm)
}

/// Returns the running pod in which an instance runs.
#[must_use]
pub fn launcher_pod(instance: &Value) -> Object {
    let name = instance["metadata"]["name"].as_str().expect("a name");
    let namespace = instance["metadata"]["namespace"].as_str().expect("a namespace");
    let uid = uid_of(instance);
    pod(namespace, &format!("virt-launcher-{name}-{}", &uid[..5]))
        .with("spec.containers.0.name", "compute")
        .with("spec.containers.0.image", "quay.io/kubevirt/virt-launcher")
        .with("spec.restartPolicy", "Never")
        .label("kubevirt.io", "virt-launcher")
        .label("kubevirt.io/created-by", &uid)
        .label("vm.kubevirt.io/name", name)
        .annotation("kubevirt.io/domain", name)
        .annotation("kubectl.kubernetes.io/default-container", "compute")
        .owned_by(instance)
        .running()
}

/// Returns a data volume that imports an image over HTTP and has not begun.
#[must_use]
pub fn data_volume(namespace: &str, name: &str) -> Object {
    Object(json!({
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "source": {"http": {"url": "http://images.example.test/jammy.qcow2"}},
            "storage": {"resources": {"requests": {"storage": "5Gi"}}},
        },
    }))
    .phase("Pending", "N/A")
}

/// Returns a claim that waits for its volume.
#[must_use]
pub fn claim(namespace: &str, name: &str) -> Object {
    Object(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "5Gi"}},
            "storageClassName": "fast",
            "volumeMode": "Block",
        },
        "status": {"phase": "Pending"},
    }))
}

/// Returns a pod that waits for a node.
#[must_use]
pub fn pod(namespace: &str, name: &str) -> Object {
    Object(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"containers": [{"name": "main", "image": "registry.example.test/main:1"}]},
        "status": {"phase": "Pending"},
    }))
}

/// Returns machines `web-0000`, `db-0001` and so on in the namespaces
/// `fleet-0` to `fleet-3`, as [`fleet_in`] does.
#[must_use]
pub fn fleet(count: usize) -> Vec<Object> {
    fleet_in(&["fleet-0", "fleet-1", "fleet-2", "fleet-3"], count)
}

/// Returns machines in these namespaces in turn and in several states: eight
/// of ten run.
#[must_use]
pub fn fleet_in(namespaces: &[&str], count: usize) -> Vec<Object> {
    const NAMES: [&str; 5] = ["web", "db", "cache", "mail", "build"];
    const STATES: [&str; 4] = ["Stopped", "Provisioning", "ErrorUnschedulable", "CrashLoopBackOff"];
    (0..count)
        .map(|i| {
            let name = format!("{}-{i:04}", NAMES[i % NAMES.len()]);
            let machine = vm(namespaces[i % namespaces.len()], &name)
                .with("spec.template.spec.domain.cpu.cores", 1 + i % 8)
                .with("spec.template.spec.domain.memory.guest", format!("{}Gi", 1 << (i % 5)))
                .running();
            match i % 10 {
                // Two of ten are in another state, each time in another one.
                7 | 9 => {
                    let state = STATES[i / 10 % STATES.len()];
                    let strategy = if state == "Stopped" { "Halted" } else { "Always" };
                    machine
                        .state(state)
                        .with("spec.runStrategy", strategy)
                        .with("status.runStrategy", strategy)
                        .with("status.created", state != "Stopped")
                }
                _ => machine,
            }
        })
        .collect()
}

/// Returns the uid that an object has, or the one that it has here.
#[must_use]
pub fn uid_of(object: &Value) -> String {
    if let Some(uid) = object["metadata"]["uid"].as_str() {
        return uid.to_owned();
    }
    // FNV-1a: stable over platforms and versions, unlike the hashes of std.
    let metadata = &object["metadata"];
    let text = format!("{}/{}/{}", object["kind"], metadata["namespace"], metadata["name"]);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let (head, tail) = (hash >> 32, hash & 0xffff_ffff);
    format!("{head:08x}-0000-4000-8000-0000{tail:08x}")
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "lastTransitionTime": TIME})
}

fn running_container(container: &Value) -> Value {
    json!({
        "name": container["name"],
        "image": container["image"],
        "imageID": container["image"],
        "ready": true,
        "started": true,
        "restartCount": 0,
        "state": {"running": {"startedAt": TIME}},
    })
}
