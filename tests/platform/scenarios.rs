//! What users did while the recordings were made.

use std::time::Duration;

use serde_json::{Value, json};

use super::sequence::Line;
use super::stage::Stage;

/// A recording, and what its user does.
#[derive(Debug)]
pub(super) struct Scenario {
    /// The recording's name.
    pub(super) name: &'static str,
    acts: &'static [Act],
}

/// Something that a user does, or waits for.
#[derive(Debug)]
enum Act {
    /// Creates the recorded object of this kind and name, as it was when it was new.
    Create(&'static str, &'static str),
    /// The same; what becomes of it is told by `v9s.dev/play`.
    Play(&'static str, &'static str, &'static str),
    /// Puts something beside it.
    Beside(fn(&str) -> Value),
    /// Waits until an object has this at a JSON pointer.
    Until(&'static str, &'static str, &'static str, &'static str),
    /// Waits until an object is gone.
    UntilGone(&'static str, &'static str),
    /// Lets so many seconds go by.
    Advance(u64),
    /// Changes an object by a JSON merge patch.
    Patch(&'static str, &'static str, &'static str),
    /// Deletes an object.
    Delete(&'static str, &'static str),
    /// No storage class is the default, until the scenario is over.
    NoDefaultClass,
    /// Cordons all nodes, until the scenario is over.
    Cordon,
}

use Act::{Advance, Beside, Cordon, Create, Delete, NoDefaultClass, Patch, Play, Until, UntilGone};

const VMS: &str = "virtualmachines";
const VMIS: &str = "virtualmachineinstances";
const VOLUMES: &str = "datavolumes";
const PHASE: &str = "/status/phase";
const STATE: &str = "/status/printableStatus";

/// How long anything may take, in seconds of the platform's clock.
const LONGEST: u64 = 600;

const fn scenario(name: &'static str, acts: &'static [Act]) -> Scenario {
    Scenario { name, acts }
}

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "clone-csi",
        &[
            Create(VOLUMES, "src"),
            Until(VOLUMES, "src", PHASE, "Succeeded"),
            Advance(20),
            Create(VOLUMES, "copy"),
            Until(VOLUMES, "copy", PHASE, "Succeeded"),
            Advance(20),
        ],
    ),
    scenario(
        "datasource-claim-missing",
        &[Create("datasources", "ds"), Advance(2), Create(VOLUMES, "root"), Advance(10)],
    ),
    scenario(
        "datasource-without-source",
        &[Create("datasources", "ds"), Advance(2), Create(VOLUMES, "root"), Advance(10)],
    ),
    scenario("import-checksum", &[Play(VOLUMES, "root", "checksum"), Advance(60)]),
    scenario(
        "import-cron",
        &[
            Create("dataimportcrons", "fedora"),
            Advance(3),
            Patch(
                "dataimportcrons",
                "fedora",
                r#"{"metadata": {"annotations": {"cdi.kubevirt.io/storage.import.sourceDesiredDigest":
                "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}}}"#,
            ),
            Until(VOLUMES, "fedora-a1a1a1a1a1a1", PHASE, "Succeeded"),
            UntilGone(VOLUMES, "fedora-a1a1a1a1a1a1"),
            UntilGone("persistentvolumeclaims", "fedora-a1a1a1a1a1a1"),
            Advance(5),
            Patch(
                "dataimportcrons",
                "fedora",
                r#"{"metadata": {"annotations": {"cdi.kubevirt.io/storage.import.sourceDesiredDigest":
                "sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"}}}"#,
            ),
            Until(VOLUMES, "fedora-b2b2b2b2b2b2", PHASE, "Succeeded"),
            UntilGone(VOLUMES, "fedora-b2b2b2b2b2b2"),
            UntilGone("persistentvolumeclaims", "fedora-b2b2b2b2b2b2"),
            Advance(5),
        ],
    ),
    scenario(
        "import-dns",
        &[
            Play(VOLUMES, "root", "dns"),
            Until(VOLUMES, "root", "/status/conditions/2/reason", "Error"),
            Advance(1),
        ],
    ),
    scenario("import-first-consumer", &[Create(VOLUMES, "root")]),
    scenario(
        "import-healthy-progress",
        &[Create(VOLUMES, "root"), Until(VOLUMES, "root", PHASE, "Succeeded"), Advance(20)],
    ),
    scenario(
        "import-http-404",
        &[
            Play(VOLUMES, "root", "http-404"),
            Until(VOLUMES, "root", "/status/conditions/2/reason", "Error"),
            Advance(1),
        ],
    ),
    scenario(
        "import-importer-oom",
        &[
            Play(VOLUMES, "root", "importer-oom"),
            Until(VOLUMES, "root", "/status/conditions/2/reason", "OOMKilled"),
            Advance(1),
        ],
    ),
    scenario("import-no-default-class", &[NoDefaultClass, Create(VOLUMES, "root"), Advance(10)]),
    scenario("import-provisioner-silent", &[Play(VOLUMES, "root", "provisioner-silent"), Advance(10)]),
    scenario("import-quota-claim", &[Beside(storage_quota), Create(VOLUMES, "root"), Advance(10)]),
    scenario(
        "import-registry-auth",
        &[
            Play(VOLUMES, "root", "registry-auth"),
            Until(VOLUMES, "root", "/status/conditions/2/reason", "Error"),
            Advance(1),
        ],
    ),
    scenario("import-scratch-pending", &[Play(VOLUMES, "root", "scratch-pending"), Advance(60)]),
    scenario(
        "import-too-small",
        &[
            Play(VOLUMES, "root", "too-small"),
            Until(VOLUMES, "root", "/status/conditions/2/reason", "Error"),
            Advance(1),
        ],
    ),
    scenario("import-unknown-class", &[Create(VOLUMES, "root"), Advance(10)]),
    scenario("import-unschedulable", &[Cordon, Create(VOLUMES, "root"), Advance(10)]),
    scenario(
        "pool-scaled",
        &[
            Create("virtualmachinepools", "runners"),
            Until(VMIS, "runners-0", PHASE, "Running"),
            Advance(30),
            Patch("virtualmachinepools", "runners", r#"{"spec": {"replicas": 2}}"#),
            Until(VMIS, "runners-1", PHASE, "Running"),
            Advance(30),
            Patch("virtualmachinepools", "runners", r#"{"spec": {"replicas": 1}}"#),
            Advance(60),
        ],
    ),
    scenario(
        "pool-three",
        &[
            Create("virtualmachinepools", "runners"),
            Until(VMIS, "runners-2", PHASE, "Running"),
            Advance(5),
            Patch("virtualmachinepools", "runners", r#"{"spec": {"replicas": 2}}"#),
            Advance(60),
        ],
    ),
    scenario("upload-waiting", &[Create(VOLUMES, "root"), Advance(30)]),
    scenario("vm-claim-missing", &[Create(VMS, "web"), Advance(10)]),
    scenario(
        "vm-containerdisk-pull-error",
        &[Play(VMS, "web", "image-pull"), Until(VMS, "web", STATE, "ImagePullBackOff"), Advance(1)],
    ),
    scenario("vm-crash-loop", &[Play(VMS, "web", "crash-loop"), Advance(40)]),
    scenario(
        "vm-deleted",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Delete(VMS, "web"),
            UntilGone(VMS, "web"),
            Advance(5),
        ],
    ),
    scenario("vm-import-then-scheduled", &[Create(VMS, "web"), Until(VMS, "web", STATE, "Running")]),
    scenario("vm-instancetype-missing", &[Create(VMS, "web"), Advance(10)]),
    scenario(
        "vm-migration-target-unschedulable",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(3),
            Cordon,
            Create("virtualmachineinstancemigrations", "mig"),
            Advance(8),
            Delete("virtualmachineinstancemigrations", "mig"),
            Advance(5),
        ],
    ),
    scenario(
        "vm-migration",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Create("virtualmachineinstancemigrations", "mig"),
            Until("virtualmachineinstancemigrations", "mig", PHASE, "Succeeded"),
            Advance(10),
        ],
    ),
    scenario(
        "vm-not-migratable",
        &[Play(VMS, "web", "not-migratable"), Until(VMIS, "web", PHASE, "Running"), Advance(60)],
    ),
    scenario(
        "vm-paused-and-resumed",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Beside(pause),
            Advance(5),
            Beside(resume),
            Advance(5),
        ],
    ),
    scenario(
        "vm-restarted-by-user",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Delete(VMIS, "web"),
            Advance(60),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
        ],
    ),
    scenario(
        "vm-restore-waits-for-stop",
        &[
            Play(VMS, "web", "no-agent"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Create("virtualmachinesnapshots", "snap"),
            Until("virtualmachinesnapshots", "snap", PHASE, "Succeeded"),
            Advance(3),
            Create("virtualmachinerestores", "restore"),
            Advance(10),
        ],
    ),
    scenario(
        "vm-restored",
        &[
            Play(VMS, "web", "no-agent"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Create("virtualmachinesnapshots", "snap"),
            Until("virtualmachinesnapshots", "snap", PHASE, "Succeeded"),
            Advance(3),
            Patch(VMS, "web", r#"{"spec": {"runStrategy": "Halted"}}"#),
            Until(VMS, "web", STATE, "Stopped"),
            Advance(3),
            Create("virtualmachinerestores", "restore"),
            Until("virtualmachinerestores", "restore", "/status/complete", "true"),
            Advance(10),
        ],
    ),
    scenario("vm-running", &[Create(VMS, "web"), Until(VMS, "web", STATE, "Running"), Advance(3)]),
    scenario(
        "vm-snapshot",
        &[
            Play(VMS, "web", "no-agent"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(30),
            Create("virtualmachinesnapshots", "snap"),
            Until("virtualmachinesnapshots", "snap", PHASE, "Succeeded"),
            Advance(10),
        ],
    ),
    scenario("vm-start-refused", &[Create(VMS, "web"), Advance(10)]),
    scenario(
        "vm-stopped-by-user",
        &[
            Create(VMS, "web"),
            Until(VMIS, "web", PHASE, "Running"),
            Advance(3),
            Patch(VMS, "web", r#"{"spec": {"runStrategy": "Halted"}}"#),
            Until(VMS, "web", STATE, "Stopped"),
            Advance(5),
        ],
    ),
    scenario("vm-unschedulable", &[Cordon, Create(VMS, "web"), Advance(10)]),
];

fn storage_quota(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "storage", "namespace": namespace},
        "spec": {"hard": {"requests.storage": "1Gi"}},
    })
}

fn pause(namespace: &str) -> Value {
    verb(namespace, "pause")
}

fn resume(namespace: &str) -> Value {
    verb(namespace, "unpause")
}

/// A request to a sub-resource, as an object that stands for it.
fn verb(namespace: &str, verb: &str) -> Value {
    json!({"verb": verb, "namespace": namespace, "name": "web"})
}

impl Scenario {
    /// Does what the user did, in another namespace.
    pub(super) fn play(&self, stage: &Stage, namespace: &str, recorded: &[Line]) {
        for act in self.acts {
            act.play(stage, namespace, recorded);
        }
    }
}

impl Act {
    fn play(&self, stage: &Stage, namespace: &str, recorded: &[Line]) {
        match *self {
            Create(resource, name) => {
                let made = stage.cluster.create(as_new(recorded, namespace, resource, name));
                stage.saw(&made);
            }
            Play(resource, name, cause) => {
                let mut object = as_new(recorded, namespace, resource, name);
                object["metadata"]["annotations"]["v9s.dev/play"] = cause.into();
                let made = stage.cluster.create(object);
                stage.saw(&made);
            }
            Beside(make) => {
                let object = make(namespace);
                match object["verb"].as_str() {
                    None => drop(stage.cluster.create(object)),
                    Some(verb) => {
                        let path = format!(
                            "/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances/web/{verb}"
                        );
                        stage.verb(&path);
                    }
                }
            }
            Until(resource, name, pointer, wanted) => {
                let object = stub(recorded, namespace, resource, name);
                stage.until(&object, wanted, LONGEST, |now| match now.pointer(pointer) {
                    Some(Value::String(text)) => text == wanted,
                    Some(Value::Bool(is)) => is.then_some("true") == Some(wanted),
                    _ => false,
                });
            }
            UntilGone(resource, name) => {
                let object = stub(recorded, namespace, resource, name);
                stage.until_gone(&object);
            }
            Advance(seconds) => {
                for _ in 0..seconds {
                    stage.advance(Duration::from_secs(1));
                }
            }
            Patch(resource, name, patch) => {
                let patch = serde_json::from_str(patch).expect("a patch");
                let made = stage.cluster.patch(&stub(recorded, namespace, resource, name), patch);
                stage.saw(&made);
            }
            Delete(resource, name) => {
                stage.cluster.delete(&stub(recorded, namespace, resource, name));
                stage.advance(Duration::from_secs(1));
            }
            NoDefaultClass => stage.default_class(false),
            Cordon => stage.cordon(true),
        }
    }
}

/// An object of a recording that has nothing but its name.
fn stub(recorded: &[Line], namespace: &str, resource: &str, name: &str) -> Value {
    let found =
        recorded.iter().find(|line| line.resource == resource && line.object["metadata"]["name"] == name);
    let object = &found.unwrap_or_else(|| panic!("no {resource} {name} was recorded")).object;
    json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": {"name": name, "namespace": namespace},
    })
}

/// The object as its user wrote it: what the server and others added is taken away, and the namespace is another.
fn as_new(recorded: &[Line], namespace: &str, resource: &str, name: &str) -> Value {
    let found = recorded.iter().find(|line| {
        line.resource == resource && line.object["metadata"]["name"] == name && line.event == "ADDED"
    });
    let object = &found.unwrap_or_else(|| panic!("no {resource} {name} was recorded")).object;
    let old = object["metadata"]["namespace"].as_str().unwrap_or_default();
    let spec = object["spec"].to_string().replace(old, namespace);
    let mut new = stub(recorded, namespace, resource, name);
    new["spec"] = serde_json::from_str(&spec).expect("JSON");
    for field in ["labels", "annotations"] {
        if object["metadata"][field].is_object() {
            new["metadata"][field] = object["metadata"][field].clone();
        }
    }
    new
}
