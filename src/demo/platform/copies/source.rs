//! The machine a snapshot is taken of, as far as snapshots are concerned.

use serde_json::{Value, json};

use super::super::edit::{finalize, release, remove, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;

/// Held on a machine while a snapshot is taken of it.
const FINALIZER: &str = "snapshot.kubevirt.io/snapshot-source-protection";

const LOCKED: &str = "Source locked and operation in progress";
const NOT_LOCKED: &str = "Source not locked";

const IN_PROGRESS: &str = "/status/snapshotInProgress";

/// A machine, its instance, and the snapshot that is taken.
pub(super) struct Source<'a> {
    pub(super) machine: &'a Object,
    instance: Option<&'a Object>,
    snapshot: &'a Object,
}

/// The volumes of a machine that have claims: the volume's name and the claim's.
pub(super) fn claims(spec: &Value) -> Vec<(String, String)> {
    let volumes = spec.pointer("/template/spec/volumes").and_then(Value::as_array);
    let name = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let claim = |volume: &Value| {
        let places = ["/dataVolume/name", "/persistentVolumeClaim/claimName", "/memoryDump/claimName"];
        let claim = places.into_iter().find_map(|place| name(volume.pointer(place)))?;
        Some((name(volume.get("name"))?, claim))
    };
    volumes.into_iter().flatten().filter_map(claim).collect()
}

impl<'a> Source<'a> {
    /// The machine a snapshot names, if it is there.
    pub(super) fn of(view: &'a View<'_>, snapshot: &'a Object) -> Option<Self> {
        let name = snapshot.text("/spec/source/name");
        let machine = (snapshot.text("/spec/source/kind") == "VirtualMachine")
            .then(|| view.get(Kind::VirtualMachine, snapshot.namespace(), name))??;
        let instance = view.get(Kind::VirtualMachineInstance, snapshot.namespace(), name);
        Some(Self { machine, instance, snapshot })
    }

    pub(super) fn is_locked(&self) -> bool {
        self.machine.text(IN_PROGRESS) == self.snapshot.name() && self.machine.has_finalizer(FINALIZER)
    }

    fn is_paused(&self) -> bool {
        self.instance.is_some_and(|instance| instance.is("Paused"))
    }

    fn has_agent(&self) -> bool {
        self.instance.is_some_and(|instance| instance.is("AgentConnected"))
    }

    /// What keeps the machine from being locked.
    fn obstacle(&self, view: &View<'_>) -> Option<String> {
        let (namespace, name) = (self.machine.namespace(), self.machine.name());
        let claims = claims(self.machine.at("/spec"));
        for (_, claim) in &claims {
            let why = match view.get(Kind::PersistentVolumeClaim, namespace, claim) {
                None => "volume doesnt exist",
                Some(claim) if claim.is_ending() => "volume is being deleted",
                Some(claim) if claim.phase() != "Bound" => "volume not bound",
                Some(claim) if !is_populated(view, claim) => "volume not populated",
                Some(_) => continue,
            };
            return Some(format!(" source {namespace}/{name} {why}: {claim}"));
        }
        if self.instance.is_none() {
            let uses = |pod: &&Object| {
                let named =
                    |volume: &Value| volume["persistentVolumeClaim"]["claimName"].as_str().map(str::to_owned);
                let volumes = pod.list("/spec/volumes").iter().filter_map(named);
                !matches!(pod.phase(), "Succeeded" | "Failed")
                    && volumes.into_iter().any(|one| claims.iter().any(|(_, claim)| *claim == one))
            };
            let pods = view.list(Kind::Pod, namespace).filter(uses).count();
            if pods > 0 {
                let names: Vec<&str> = claims.iter().map(|(_, claim)| claim.as_str()).collect();
                return Some(format!(" source is offline but {pods} pods using PVCs [{}]", names.join(" ")));
            }
        }
        let other = self.machine.text(IN_PROGRESS);
        (!other.is_empty() && other != self.snapshot.name())
            .then(|| format!(" snapshot {other:?} in progress"))
    }

    /// Locks the machine; says how that is told, and whether it is.
    pub(super) fn lock(&self, view: &View<'_>) -> (Option<Write>, String, bool) {
        if self.is_locked() {
            return (None, LOCKED.to_owned(), true);
        }
        if let Some(why) = self.obstacle(view) {
            return (None, format!("{NOT_LOCKED}{why}"), false);
        }
        let mut new = self.machine.edit();
        set(&mut new, IN_PROGRESS, self.snapshot.name());
        finalize(&mut new, FINALIZER);
        (Write::update(self.machine, new), LOCKED.to_owned(), true)
    }

    /// How it is told whether the machine is locked, before anybody has tried.
    pub(super) fn lock_message(&self) -> &'static str {
        if self.is_locked() { LOCKED } else { NOT_LOCKED }
    }

    pub(super) fn unlock(&self) -> Option<Write> {
        if self.machine.text(IN_PROGRESS) != self.snapshot.name() {
            return None;
        }
        let mut new = self.machine.edit();
        release(&mut new, FINALIZER);
        remove(&mut new, IN_PROGRESS);
        Write::update(self.machine, new)
    }

    /// Has the guest's agent hold back its file systems, or let go of them.
    pub(super) fn freeze(&self, frozen: bool) -> Option<Write> {
        let instance = self.instance.filter(|_| self.is_locked() && self.has_agent() && !self.is_paused())?;
        let mut new = instance.edit();
        if frozen {
            set(&mut new, "/status/fsFreezeStatus", "frozen");
        } else {
            remove(&mut new, "/status/fsFreezeStatus");
        }
        Write::update(instance, new)
    }

    /// Under which circumstances the snapshot is taken, with what that means.
    pub(super) fn indications(&self) -> Vec<(&'static str, &'static str)> {
        if self.instance.is_none() {
            return Vec::new();
        }
        let how = if self.is_paused() {
            "Paused"
        } else if self.has_agent() {
            "GuestAgent"
        } else {
            "NoGuestAgent"
        };
        INDICATIONS.iter().filter(|(name, _)| *name == how || *name == "Online").copied().collect()
    }

    /// What is kept of the machine: while it runs, what it was started with.
    pub(super) fn kept(&self, view: &View<'_>) -> Value {
        let machine = self.machine;
        let name =
            self.instance.map(|one| one.text("/status/virtualMachineRevisionName")).unwrap_or_default();
        let revision = view.get(Kind::ControllerRevision, machine.namespace(), name);
        let started_with = revision.map(|one| one.at("/data/spec")).filter(|spec| spec.is_object());
        let mut spec = started_with.unwrap_or(machine.at("/spec")).clone();
        for part in ["/template/spec/volumes", "/template/spec/domain/devices/disks", "/dataVolumeTemplates"]
        {
            match machine.at("/spec").pointer(part) {
                Some(current) => set(&mut spec, part, current.clone()),
                None => remove(&mut spec, part),
            }
        }
        json!({"metadata": simple(machine), "spec": spec})
    }
}

/// By name, as KubeVirt sorts them.
const INDICATIONS: &[(&str, &str)] = &[
    (
        "GuestAgent",
        "Guest agent was active and attempted to quiesce the filesystem for application consistency.",
    ),
    (
        "NoGuestAgent",
        "Guest agent was not available. Snapshot is crash-consistent and may not be application-consistent.",
    ),
    ("Online", "Snapshot taken while the VM was running. Consistency depends on guest-agent quiescing."),
    (
        "Paused",
        "Snapshot taken while the VM was paused. Snapshot is crash-consistent and may not be application-consistent.",
    ),
];

/// Whether everything has been written into a claim that belongs to a data volume.
fn is_populated(view: &View<'_>, claim: &Object) -> bool {
    let owner = claim.controller().filter(|owner| owner["kind"] == "DataVolume");
    let name = owner.and_then(|owner| owner["name"].as_str());
    let volume = name.and_then(|name| view.get(Kind::DataVolume, claim.namespace(), name));
    volume.is_none_or(|volume| volume.phase() == "Succeeded")
}

/// The metadata of an object, but for who has written what.
pub(super) fn simple(object: &Object) -> Value {
    let mut metadata = object.at("/metadata").clone();
    remove(&mut metadata, "/managedFields");
    metadata
}
