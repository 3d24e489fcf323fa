//! CDI's populator of copies: by the CSI driver, from a snapshot, or by pods that read and write all of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, finalize, label, new_object, release, remove, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::bind;
use super::class;
use super::populate::pointer;
use super::status::{
    BOUND, BOUND_MESSAGE, BOUND_REASON, CLONE_PHASE, CLONE_TYPE, POD_PHASE, POD_READY, PROGRESS, RUNNING,
    RUNNING_MESSAGE, RUNNING_REASON, waits,
};
use super::worker::{LABELS, NO_BACKUP, NO_MESH, clone_source};

const BY: &str = "clone-populator";
const FINALIZER: &str = "cdi.kubevirt.io/clonePopulator";
const SOURCE_NAMESPACE: &str = "cdi.kubevirt.io/dataSourceNamespace";
/// Asks for a copy by pods: namespace and name of the source.
pub(super) const REQUEST: &str = "k8s.io/CloneRequest";
const OWNED_BY: &str = "cdi.kubevirt.io/OwnedByUID";

/// How often something is looked at that is in another namespace.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// What of a claim is not true for the one that is copied for it.
const OWN: &[&str] = &["kubectl.kubernetes.io/last-applied-configuration", POD_PHASE, PROGRESS];

/// A claim that shall be a copy, and what is made for it.
struct Copy<'a, 'v> {
    view: &'a View<'v>,
    claim: &'a Object,
    /// Where the source is, and everything that is made on the way.
    namespace: &'a str,
    source: &'a Object,
}

pub(super) fn step(view: &View<'_>, claim: &Object) -> Vec<Write> {
    if claim.text("/spec/dataSourceRef/kind") != "VolumeCloneSource" {
        return without_populator(view, claim);
    }
    let namespace = match claim.annotation(SOURCE_NAMESPACE) {
        "" => claim.namespace(),
        other => other,
    };
    if claim.is_ending() {
        return let_go(view, claim, namespace);
    }
    if claim.annotation(CLONE_PHASE) == "Succeeded" {
        return finish(view, claim, namespace);
    }
    if waits(view, claim) {
        return Vec::new();
    }
    if let Some(update) = bound_condition(view, claim) {
        return vec![update];
    }
    if namespace != claim.namespace() {
        view.look_in(ELSEWHERE);
    }
    let told = view.get(Kind::VolumeCloneSource, namespace, claim.text("/spec/dataSourceRef/name"));
    let Some(told) = told else { return Vec::new() };
    let name = told.text("/spec/source/name");
    let kind = match told.text("/spec/source/kind") {
        "VolumeSnapshot" => Kind::VolumeSnapshot,
        _ => Kind::PersistentVolumeClaim,
    };
    let Some(source) = view.get(kind, namespace, name) else { return Vec::new() };
    Copy { view, claim, namespace, source }.step()
}

/// A claim that is filled itself, by a pod that reads the source: of storage for which there are no populators.
fn without_populator(view: &View<'_>, claim: &Object) -> Vec<Write> {
    let request = claim.annotation(REQUEST);
    if request.is_empty() || !claim.label(OWNED_BY).is_empty() || claim.is_ending() {
        return Vec::new();
    }
    if claim.annotation(POD_PHASE) == "Succeeded" {
        return sweep(view, claim, claim.namespace());
    }
    let Some((namespace, name)) = request.split_once('/') else { return Vec::new() };
    let source = view.get(Kind::PersistentVolumeClaim, namespace, name);
    // Only a populator reaches into other namespaces here.
    let Some(source) = source.filter(|source| source.phase() == "Bound" && namespace == claim.namespace())
    else {
        return Vec::new();
    };
    let pod = format!("{}-source-pod", claim.uid());
    if claim.annotation(POD_READY) != "true" || view.get(Kind::Pod, namespace, &pod).is_some() {
        return Vec::new();
    }
    let mut pod = clone_source(view, source, claim, &pod);
    label(&mut pod, OWNED_BY, claim.uid());
    vec![Write::Create(pod)]
}

/// What the binder says of the claim is said by CDI, too.
fn bound_condition(view: &View<'_>, claim: &Object) -> Option<Write> {
    let mut new = claim.edit();
    if claim.phase() == "Bound" {
        for annotation in [BOUND, BOUND_MESSAGE, BOUND_REASON] {
            remove(&mut new, &pointer(annotation));
        }
    } else if claim.text("/spec/volumeName").is_empty() && has_status(view, claim) {
        annotate(&mut new, BOUND, "false");
        annotate(&mut new, BOUND_REASON, "Pending");
        annotate(&mut new, BOUND_MESSAGE, bind::news(view, claim).map_or(String::new(), |news| news.text));
    }
    Write::update(claim, new)
}

/// Whether the claim was seen by everybody; what is told of it comes after that.
fn has_status(view: &View<'_>, claim: &Object) -> bool {
    match view.get(Kind::DataVolume, claim.namespace(), claim.name()) {
        Some(dv) if claim.is_owned_by(dv) => !dv.text("/status/claimName").is_empty(),
        _ => true,
    }
}

fn temporary(claim: &Object) -> String {
    format!("tmp-pvc-{}", claim.uid())
}

/// Everything that was made on the way goes.
fn sweep(view: &View<'_>, claim: &Object, namespace: &str) -> Vec<Write> {
    let kinds = [Kind::Pod, Kind::PersistentVolumeClaim, Kind::VolumeSnapshot];
    let made = kinds.into_iter().flat_map(|kind| view.list(kind, namespace));
    let made = made.filter(|one| one.label(OWNED_BY) == claim.uid());
    // In another namespace nobody owns it.
    let told = (namespace != claim.namespace())
        .then(|| view.get(Kind::VolumeCloneSource, namespace, claim.text("/spec/dataSourceRef/name")));
    made.chain(told.flatten()).filter_map(Write::delete).collect()
}

fn let_go(view: &View<'_>, claim: &Object, namespace: &str) -> Vec<Write> {
    let mut writes = sweep(view, claim, namespace);
    let mut new = claim.edit();
    release(&mut new, FINALIZER);
    writes.extend(Write::update(claim, new));
    writes
}

fn finish(view: &View<'_>, claim: &Object, namespace: &str) -> Vec<Write> {
    let writes = sweep(view, claim, namespace);
    if !writes.is_empty() || !claim.has_finalizer(FINALIZER) {
        return writes;
    }
    let mut new = claim.edit();
    release(&mut new, FINALIZER);
    Write::update(claim, new).into_iter().collect()
}

impl Copy<'_, '_> {
    fn step(&self) -> Vec<Write> {
        let claim = self.claim;
        let mut new = claim.edit();
        if claim.annotation(CLONE_PHASE).is_empty() {
            finalize(&mut new, FINALIZER);
            annotate(&mut new, CLONE_PHASE, "Pending");
            annotate(&mut new, CLONE_TYPE, self.strategy());
            return Write::update(claim, new).into_iter().collect();
        }
        if claim.phase() == "Bound" && claim.annotation(CLONE_PHASE) == "Rebind" {
            annotate(&mut new, CLONE_PHASE, "Succeeded");
            annotate(&mut new, RUNNING, "false");
            annotate(&mut new, RUNNING_MESSAGE, "Clone Complete");
            annotate(&mut new, RUNNING_REASON, "Completed");
            annotate(&mut new, PROGRESS, "100.0%");
            return Write::update(claim, new).into_iter().collect();
        }
        if !self.is_whole() {
            return Vec::new();
        }
        if let Some(pod) = self.user() {
            self.view.look_in(ELSEWHERE * 2);
            let text = format!(
                "pod {}/{} using PersistentVolumeClaim {}",
                self.namespace,
                pod.name(),
                self.source.name()
            );
            let told = !self.view.is_first(claim, &text);
            let warning = Write::warn(claim, BY, "CloneSourceInUse", text);
            return if told { Vec::new() } else { vec![warning] };
        }
        let strategy = claim.annotation(CLONE_TYPE);
        let first = match strategy {
            "snapshot" => self.snapshot(),
            "copy" => Some(("HostClone", Vec::new())),
            _ => Some(("CSIClone", Vec::new())),
        };
        let Some((phase, writes)) = first else { return self.with_temporary("SnapshotClone", strategy) };
        if !writes.is_empty() || phase == "Snapshot" {
            return self.at(phase, writes);
        }
        self.with_temporary(phase, strategy)
    }

    /// What is to be copied is there and nobody writes to it.
    fn is_whole(&self) -> bool {
        match self.source.kind() {
            Kind::VolumeSnapshot => self.source.flag("/status/readyToUse"),
            _ => {
                let dv = self.view.get(Kind::DataVolume, self.namespace, self.source.name());
                let filled = dv.is_none_or(|dv| !self.source.is_owned_by(dv) || dv.phase() == "Succeeded");
                self.source.phase() == "Bound" && filled
            }
        }
    }

    /// A pod that may write to what is to be copied.
    fn user(&self) -> Option<&Object> {
        let theirs = |volume: &Value| {
            volume["persistentVolumeClaim"]["claimName"] == self.source.name()
                && volume["persistentVolumeClaim"]["readOnly"] != true
        };
        let claimed = self.source.kind() == Kind::PersistentVolumeClaim;
        let mut pods = self.view.list(Kind::Pod, self.namespace).filter(|_| claimed);
        pods.find(|pod| {
            !matches!(pod.phase(), "Succeeded" | "Failed")
                && pod.label(OWNED_BY) != self.claim.uid()
                && pod.list("/spec/volumes").iter().any(theirs)
        })
    }

    fn strategy(&self) -> &'static str {
        let class = self.claim.text("/spec/storageClassName");
        let profile = self.view.get(Kind::StorageProfile, "", class);
        let wanted = profile.map_or("", |profile| profile.text("/status/cloneStrategy"));
        let snapshots = profile.is_some_and(|profile| !profile.text("/status/snapshotClass").is_empty());
        let of = |name: &str| class::find(self.view, name).map(|class| class.text("/provisioner").to_owned());
        if self.source.kind() == Kind::VolumeSnapshot {
            return "snapshot";
        }
        let alike = of(class) == of(self.source.text("/spec/storageClassName"))
            && self.claim.text("/spec/volumeMode") == self.source.text("/spec/volumeMode");
        match wanted {
            "csi-clone" if alike => "csi-clone",
            "snapshot" if alike && snapshots => "snapshot",
            _ => "copy",
        }
    }

    /// Says how far it is, and does what has to be done for it.
    fn at(&self, phase: &str, mut writes: Vec<Write>) -> Vec<Write> {
        let mut new = self.claim.edit();
        annotate(&mut new, CLONE_PHASE, phase);
        annotate(&mut new, RUNNING, "true");
        annotate(&mut new, RUNNING_MESSAGE, "");
        annotate(&mut new, RUNNING_REASON, "Populator is running");
        writes.extend(Write::update(self.claim, new));
        writes
    }

    /// A snapshot of what is to be copied; nothing when there is one.
    fn snapshot(&self) -> Option<(&'static str, Vec<Write>)> {
        if self.source.kind() == Kind::VolumeSnapshot {
            return None;
        }
        let name = format!("tmp-snapshot-{}", self.claim.uid());
        match self.view.get(Kind::VolumeSnapshot, self.namespace, &name) {
            Some(snapshot) if snapshot.flag("/status/readyToUse") => None,
            Some(_) => Some(("Snapshot", Vec::new())),
            None if self.claim.annotation(CLONE_PHASE) == "Rebind" => None,
            None => {
                let mut new = new_object(Kind::VolumeSnapshot, self.namespace, &name);
                self.mark(&mut new);
                let profile =
                    self.view.get(Kind::StorageProfile, "", self.claim.text("/spec/storageClassName"));
                let class = profile.map_or("", |profile| profile.text("/status/snapshotClass"));
                new["spec"] = json!({
                    "source": {"persistentVolumeClaimName": self.source.name()}, "volumeSnapshotClassName": class,
                });
                Some(("Snapshot", vec![Write::Create(new)]))
            }
        }
    }

    fn mark(&self, object: &mut Value) {
        for (key, value) in LABELS {
            label(object, key, value);
        }
        label(object, OWNED_BY, self.claim.uid());
        annotate(
            object,
            "cdi.kubevirt.io/events.source",
            format!("{}/{}", self.claim.namespace(), self.claim.name()),
        );
        annotate(object, "cdi.kubevirt.io/events.source.kind", "PersistentVolumeClaim");
    }

    /// The claim that becomes the copy, beside the source; its volume is given to the claim that asked.
    fn with_temporary(&self, phase: &str, strategy: &str) -> Vec<Write> {
        let name = temporary(self.claim);
        let Some(copy) = self.view.get(Kind::PersistentVolumeClaim, self.namespace, &name) else {
            return self.at(phase, vec![Write::Create(self.new_temporary(&name, strategy))]);
        };
        if copy.phase() != "Bound" {
            return self.at(phase, Vec::new());
        }
        if strategy == "copy" && !self.copied(copy) {
            let mut writes = self.at(phase, self.copy(copy));
            if let Some(percent) = super::importer::copied(self.view, &self.source_pod(copy), self.namespace)
            {
                let mut new = self.claim.edit();
                annotate(&mut new, PROGRESS, percent);
                writes.extend(Write::update(self.claim, new));
            }
            return writes;
        }
        if self.claim.annotation(CLONE_PHASE) != "Rebind" {
            return self.at("Rebind", Vec::new());
        }
        let volume = self.view.get(Kind::PersistentVolume, "", copy.text("/spec/volumeName"));
        let ours = volume.filter(|volume| volume.text("/spec/claimRef/uid") == copy.uid());
        ours.and_then(|volume| bind::give(volume, self.claim)).into_iter().collect()
    }

    fn new_temporary(&self, name: &str, strategy: &str) -> Value {
        let mut copy = new_object(Kind::PersistentVolumeClaim, self.namespace, name);
        for (key, value) in self.claim.at("/metadata/annotations").as_object().into_iter().flatten() {
            if !OWN.contains(&key.as_str()) {
                annotate(&mut copy, key, value.as_str().unwrap_or_default());
            }
        }
        for (key, value) in self.claim.at("/metadata/labels").as_object().into_iter().flatten() {
            label(&mut copy, key, value.as_str().unwrap_or_default());
        }
        label(&mut copy, NO_BACKUP.0, NO_BACKUP.1);
        self.mark(&mut copy);
        annotate(&mut copy, "cdi.kubevirt.io/storage.populator.kind", "VolumeCloneSource");
        copy["spec"] = json!({
            "accessModes": self.claim.at("/spec/accessModes"), "resources": self.claim.at("/spec/resources"),
            "storageClassName": self.claim.at("/spec/storageClassName"),
            "volumeMode": self.claim.at("/spec/volumeMode"),
        });
        let source = match strategy {
            "copy" => {
                let source = format!("{}/{}", self.namespace, self.source.name());
                annotate(&mut copy, REQUEST, source);
                annotate(&mut copy, "cdi.kubevirt.io/storage.upload.target", "");
                for (key, value) in NO_MESH {
                    annotate(&mut copy, key, value);
                }
                return copy;
            }
            "snapshot" => {
                let name = match self.source.kind() {
                    Kind::VolumeSnapshot => self.source.name().to_owned(),
                    _ => format!("tmp-snapshot-{}", self.claim.uid()),
                };
                json!({"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": name})
            }
            _ => json!({"kind": "PersistentVolumeClaim", "name": self.source.name()}),
        };
        set(&mut copy, "/spec/dataSource", source);
        copy
    }

    fn source_pod(&self, copy: &Object) -> String {
        format!("{}-source-pod", copy.uid())
    }

    /// Whether both ends of a copy by pods say that all of it is there.
    fn copied(&self, copy: &Object) -> bool {
        copy.annotation(POD_PHASE) == "Succeeded"
    }

    /// The pod that reads; the other end is an upload server of the copy.
    fn copy(&self, copy: &Object) -> Vec<Write> {
        let name = self.source_pod(copy);
        if self.view.get(Kind::Pod, self.namespace, &name).is_some() {
            self.view.look_in(ELSEWHERE * 3);
            return Vec::new();
        }
        if copy.annotation(POD_READY) != "true" {
            return Vec::new();
        }
        let mut pod = clone_source(self.view, self.source, copy, &name);
        self.mark(&mut pod);
        vec![Write::Create(pod)]
    }
}
