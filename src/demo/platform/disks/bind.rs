//! What binds claims to volumes: the persistent volume controller, and the CSI driver's provisioner and resizer.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, finalize, new_object, release, remove, set};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::play::{self, Shows};
use super::super::view::View;
use super::super::write::Write;
use super::class::{self, bytes, waits_for_consumer};

const BINDER: &str = "persistentvolume-controller";
const PROVISIONER: &str = "external-provisioner";
const RESIZER: &str = "external-resizer";

/// The annotation that says on which node the first consumer of a claim will run.
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

const PROTECTION: &str = "kubernetes.io/pvc-protection";
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const BY: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];

/// How long it takes until the binder looks again at a claim whose volume was given to another.
const MISBOUND: Duration = Duration::from_secs(5);

/// How often a provisioner says again that it cannot.
const AGAIN: Duration = Duration::from_secs(60);

/// What somebody has to say of a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct News {
    /// Whether it is a warning.
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) text: String,
    source: &'static str,
}

impl News {
    fn tell(&self, claim: &Object) -> Write {
        if self.warning {
            Write::warn(claim, self.source, self.reason, self.text.clone())
        } else {
            Write::tell(claim, self.source, self.reason, self.text.clone())
        }
    }
}

pub(super) fn step(view: &View<'_>, claim: &Object) -> Vec<Write> {
    if claim.is_ending() {
        return let_go(view, claim);
    }
    let mut writes = Vec::new();
    if !claim.has_finalizer(PROTECTION) {
        let mut new = claim.edit();
        finalize(&mut new, PROTECTION);
        return Write::update(claim, new).into_iter().collect();
    }
    if claim.phase() == "Lost" {
        return writes;
    }
    match claim.text("/spec/volumeName") {
        "" => unbound(view, claim, &mut writes),
        name => bound(view, claim, name, &mut writes),
    }
    writes
}

/// The pods that use a claim and have not ended.
fn users<'a>(view: &'a View<'_>, claim: &'a Object) -> impl Iterator<Item = &'a Object> {
    let theirs = |volume: &Value| volume["persistentVolumeClaim"]["claimName"] == claim.name();
    view.list(Kind::Pod, claim.namespace()).filter(move |pod| {
        !matches!(pod.phase(), "Succeeded" | "Failed") && pod.list("/spec/volumes").iter().any(theirs)
    })
}

/// A claim that somebody deleted stays until no pod uses it.
fn let_go(view: &View<'_>, claim: &Object) -> Vec<Write> {
    let in_use = users(view, claim).any(|pod| !pod.text("/spec/nodeName").is_empty());
    if in_use || !claim.has_finalizer(PROTECTION) {
        return Vec::new();
    }
    let mut new = claim.edit();
    let volume = view.get(Kind::PersistentVolume, "", claim.text("/spec/volumeName"));
    let filled = !claim.annotation("cdi.kubevirt.io/storage.populator.kind").is_empty();
    let lost = volume.map_or(filled, |volume| !is_for(volume, claim));
    if claim.phase() == "Bound" && lost {
        return misbound(claim, new);
    }
    release(&mut new, PROTECTION);
    Write::update(claim, new).into_iter().collect()
}

/// A claim whose volume was given to another.
fn misbound(claim: &Object, mut new: Value) -> Vec<Write> {
    lose(&mut new);
    let text = "Two claims are bound to the same volume, this one is bound incorrectly";
    let told = Write::warn(claim, BINDER, "ClaimMisbound", text);
    Write::update(claim, new).into_iter().chain([told]).collect()
}

fn is_for(volume: &Object, claim: &Object) -> bool {
    let reference = |field: &str| volume.at("/spec/claimRef")[field].as_str().unwrap_or_default();
    reference("name") == claim.name()
        && reference("namespace") == claim.namespace()
        && (reference("uid") == claim.uid() || reference("uid").is_empty())
}

/// A claim that has a volume's name.
fn bound(view: &View<'_>, claim: &Object, name: &str, writes: &mut Vec<Write>) {
    let mut new = claim.edit();
    match view.get(Kind::PersistentVolume, "", name) {
        None if claim.phase() == "Bound" => {
            lose(&mut new);
            writes.extend(Write::update(claim, new));
            let text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            writes.push(Write::warn(claim, BINDER, "ClaimLost", text));
        }
        None => {}
        Some(volume) if is_for(volume, claim) => {
            let resized = resize(view, claim, volume, writes);
            annotate(&mut new, BIND_COMPLETED, "yes");
            set(&mut new, "/status/phase", "Bound");
            set(&mut new, "/status/accessModes", volume.at("/spec/accessModes").clone());
            if !resized {
                set(&mut new, "/status/capacity/storage", volume.at("/spec/capacity/storage").clone());
            }
            writes.extend(Write::update(claim, new));
        }
        Some(volume) if volume.at("/spec/claimRef").is_null() => writes.extend(give(volume, claim)),
        Some(_) if view.waited(claim, "misbound", MISBOUND) => writes.extend(misbound(claim, new)),
        Some(_) => {}
    }
}

fn lose(claim: &mut Value) {
    set(claim, "/status/phase", "Lost");
    for field in ["/status/accessModes", "/status/capacity"] {
        remove(claim, field);
    }
}

/// Lets the volume of a claim grow where the claim asks for more; says whether it is at it.
fn resize(view: &View<'_>, claim: &Object, volume: &Object, writes: &mut Vec<Write>) -> bool {
    let wanted = claim.at("/spec/resources/requests/storage");
    let has = bytes(volume.at("/spec/capacity/storage"));
    if claim.phase() != "Bound" || bytes(wanted) <= has {
        return false;
    }
    let class = class::find(view, claim.text("/spec/storageClassName"));
    if !class.is_some_and(|class| class.flag("/allowVolumeExpansion")) {
        return false;
    }
    let word = format!("grow-{wanted}");
    if view.is_first(claim, &format!("tell-{word}")) {
        let text = format!("External resizer is resizing volume {}", volume.name());
        writes.push(Write::tell(claim, RESIZER, "Resizing", text));
    }
    if view.waited(claim, &word, Duration::from_secs(2)) {
        let mut new = volume.edit();
        set(&mut new, "/spec/capacity/storage", wanted.clone());
        writes.extend(Write::update(volume, new));
        writes.push(Write::tell(claim, RESIZER, "VolumeResizeSuccessful", "Resize volume succeeded"));
    }
    true
}

/// Gives a volume to a claim.
pub(super) fn give(volume: &Object, claim: &Object) -> Option<Write> {
    let mut new = volume.edit();
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.name(),
        "namespace": claim.namespace(), "uid": claim.uid(),
        "resourceVersion": claim.text("/metadata/resourceVersion"),
    });
    set(&mut new, "/spec/claimRef", reference);
    Write::update(volume, new)
}

/// A claim that has no volume yet.
fn unbound(view: &View<'_>, claim: &Object, writes: &mut Vec<Write>) {
    let volumes = || view.list(Kind::PersistentVolume, "");
    if let Some(volume) = volumes().find(|volume| is_for(volume, claim) && !volume.is_ending()) {
        let mut new = claim.edit();
        annotate(&mut new, BIND_COMPLETED, "yes");
        annotate(&mut new, BOUND_BY_CONTROLLER, "yes");
        set(&mut new, "/spec/volumeName", volume.name());
        writes.extend(Write::update(claim, new));
        return;
    }
    if let Some(volume) = volumes().find(|volume| is_free(volume, claim)) {
        writes.extend(give(volume, claim));
        return;
    }
    if claim.at("/spec/storageClassName").is_null()
        && let Some(class) = class::default(view, false)
    {
        let mut new = claim.edit();
        set(&mut new, "/spec/storageClassName", class.name());
        writes.extend(Write::update(claim, new));
        return;
    }
    let news = news(view, claim);
    if let Some(news) = &news
        && (view.is_first(claim, &news.text) || (news.warning && is_due(view, claim, &news.text)))
    {
        writes.push(news.tell(claim));
    }
    if let Some(class) = class::find(view, claim.text("/spec/storageClassName"))
        && !class.text("/provisioner").ends_with("no-provisioner")
        && chosen(view, claim, class)
    {
        provision(view, claim, class, writes);
    }
}

fn is_due(view: &View<'_>, claim: &Object, text: &str) -> bool {
    let word = format!("again {text}");
    let due = view.waited(claim, &word, AGAIN);
    if due {
        view.forget(claim, &word);
        view.waited(claim, &word, AGAIN);
    }
    due
}

/// Whether a volume that nobody made for a claim would do for it.
fn is_free(volume: &Object, claim: &Object) -> bool {
    let class = claim.text("/spec/storageClassName");
    let modes = claim.list("/spec/accessModes");
    volume.phase() == "Available"
        && volume.at("/spec/claimRef").is_null()
        && volume.text("/spec/storageClassName") == class
        && volume.text("/spec/volumeMode") == claim.text("/spec/volumeMode")
        && modes.iter().all(|mode| volume.list("/spec/accessModes").contains(mode))
        && bytes(claim.at("/spec/resources/requests/storage")) <= bytes(volume.at("/spec/capacity/storage"))
}

/// Whether a volume may be made at once, or a node was chosen for it.
fn chosen(view: &View<'_>, claim: &Object, class: &Object) -> bool {
    !waits_for_consumer(class)
        || !claim.annotation(SELECTED_NODE).is_empty()
        || users(view, claim).any(|pod| !pod.text("/spec/nodeName").is_empty())
}

/// What the binder or the provisioner says last of a claim that has no volume.
pub(super) fn news(view: &View<'_>, claim: &Object) -> Option<News> {
    let news = |warning, reason, text: String| Some(News { warning, reason, text, source: BINDER });
    let name = claim.text("/spec/storageClassName");
    let Some(class) = class::find(view, name) else {
        if name.is_empty() {
            let text = "no persistent volumes available for this claim and no storage class is set";
            return news(false, "FailedBinding", text.to_owned());
        }
        let text = format!("storageclass.storage.k8s.io {name:?} not found");
        return news(true, "ProvisioningFailed", text);
    };
    if !chosen(view, claim, class) {
        return match users(view, claim).next() {
            None => {
                let text = "waiting for first consumer to be created before binding";
                news(false, "WaitForFirstConsumer", text.to_owned())
            }
            Some(pod) => {
                let text = format!("waiting for pod {} to be scheduled", pod.name());
                news(false, "WaitForPodScheduled", text)
            }
        };
    }
    let provisioner = class.text("/provisioner");
    if provisioner.ends_with("no-provisioner") {
        let text = format!("no volume plugin matched name: {provisioner}");
        return news(true, "ProvisioningFailed", text);
    }
    if let Some(text) = trouble(view, claim) {
        let text = format!("failed to provision volume with StorageClass {name:?}: {text}");
        return Some(News { warning: true, reason: "ProvisioningFailed", text, source: PROVISIONER });
    }
    let text = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
         administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    news(false, "ExternalProvisioning", text)
}

/// Why the provisioner fails.
fn trouble(view: &View<'_>, claim: &Object) -> Option<&'static str> {
    play::cause(view, claim, Shows::Provisioning)
        .filter(|cause| !cause.scratch_only || claim.name().ends_with("-scratch"))
        .map(|cause| cause.says)
        .filter(|text| !text.is_empty())
}

fn is_silent(view: &View<'_>, claim: &Object) -> bool {
    play::cause(view, claim, Shows::Provisioning)
        .is_some_and(|cause| !cause.scratch_only || claim.name().ends_with("-scratch"))
}

/// What the CSI driver does for a claim.
fn provision(view: &View<'_>, claim: &Object, class: &Object, writes: &mut Vec<Write>) {
    let provisioner = class.text("/provisioner");
    let mut new = claim.edit();
    for key in BY {
        annotate(&mut new, key, provisioner);
    }
    if waits_for_consumer(class) && claim.annotation(SELECTED_NODE).is_empty() {
        let node = users(view, claim).map(|pod| pod.text("/spec/nodeName")).find(|node| !node.is_empty());
        annotate(&mut new, SELECTED_NODE, node.unwrap_or_default());
    }
    writes.extend(Write::update(claim, new));
    // A populator fills another claim, whose volume this one gets.
    if claim.text("/spec/dataSourceRef/apiGroup") == "cdi.kubevirt.io" || is_silent(view, claim) {
        return;
    }
    if !is_source_ready(view, claim) {
        return;
    }
    if view.is_first(claim, "provisioning") {
        let text = format!(
            "External provisioner is provisioning volume for claim \"{}/{}\"",
            claim.namespace(),
            claim.name()
        );
        writes.push(Write::tell(claim, PROVISIONER, "Provisioning", text));
    }
    let copies = !claim.at("/spec/dataSource").is_null();
    // A new volume is there before the scheduler looks for it; a copy takes its time.
    let long = if copies { 2.0 + 2.0 * view.chance(claim, "provision") } else { 0.2 };
    if view.waited(claim, "provision", Duration::from_secs_f64(long)) {
        let volume = new_volume(claim, class);
        let text = format!("Successfully provisioned volume pvc-{}", claim.uid());
        writes.push(Write::Create(volume));
        writes.push(Write::tell(claim, PROVISIONER, "ProvisioningSucceeded", text));
    }
}

/// Whether what a claim is copied from is there and whole.
fn is_source_ready(view: &View<'_>, claim: &Object) -> bool {
    let name = claim.text("/spec/dataSource/name");
    match claim.text("/spec/dataSource/kind") {
        "PersistentVolumeClaim" => {
            let source = view.get(Kind::PersistentVolumeClaim, claim.namespace(), name);
            source.is_some_and(|source| source.phase() == "Bound")
        }
        "VolumeSnapshot" => {
            let source = view.get(Kind::VolumeSnapshot, claim.namespace(), name);
            source.is_some_and(|source| source.flag("/status/readyToUse"))
        }
        _ => true,
    }
}

fn new_volume(claim: &Object, class: &Object) -> Value {
    let name = format!("pvc-{}", claim.uid());
    let mut volume = new_object(Kind::PersistentVolume, "", &name);
    let driver = class.text("/provisioner");
    annotate(&mut volume, "pv.kubernetes.io/provisioned-by", driver);
    annotate(&mut volume, "volume.kubernetes.io/provisioner-deletion-secret-name", "");
    annotate(&mut volume, "volume.kubernetes.io/provisioner-deletion-secret-namespace", "");
    volume["metadata"]["finalizers"] =
        json!(["external-provisioner.volume.kubernetes.io/finalizer", "kubernetes.io/pv-protection"]);
    volume["spec"] = json!({
        "accessModes": claim.at("/spec/accessModes"),
        "capacity": {"storage": claim.at("/spec/resources/requests/storage")},
        "claimRef": {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.name(),
            "namespace": claim.namespace(), "uid": claim.uid(),
            "resourceVersion": claim.text("/metadata/resourceVersion"),
        },
        "csi": {
            "driver": driver,
            "volumeHandle": format!("0001-0009-{}", claim.uid()),
            "volumeAttributes": {
                "imageName": format!("csi-vol-{}", claim.uid()),
                "storage.kubernetes.io/csiProvisionerIdentity": format!("1-8081-{driver}"),
            },
        },
        "persistentVolumeReclaimPolicy": class.at("/reclaimPolicy").as_str().unwrap_or("Delete"),
        "storageClassName": class.name(),
        "volumeMode": claim.at("/spec/volumeMode").as_str().unwrap_or("Filesystem"),
    });
    let node = claim.annotation(SELECTED_NODE);
    let shared = claim.list("/spec/accessModes").iter().any(|mode| mode == "ReadWriteMany");
    if !node.is_empty() && !shared {
        volume["spec"]["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [{
            "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}],
        }]}});
    }
    volume
}
