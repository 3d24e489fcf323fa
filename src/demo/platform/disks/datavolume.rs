//! CDI's DataVolumes: each gets a claim, and says what becomes of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, label, new_object, own};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::play::{self, Shows};
use super::super::view::View;
use super::super::write::Write;
use super::class::{self, bytes, honours_consumers};
use super::render::{Rendered, render};
use super::source::{self, Source};
use super::status;
use super::worker::LABELS;

/// Whether volumes are filled by populators.
pub(super) const USE_POPULATOR: &str = "cdi.kubevirt.io/storage.usePopulator";

/// That nobody waits for a consumer of the claim.
pub(super) const IMMEDIATE: &str = "cdi.kubevirt.io/storage.bind.immediate.requested";

const POPULATED_FOR: &str = "cdi.kubevirt.io/storage.populatedFor";
const PRE_POPULATED: &str = "cdi.kubevirt.io/storage.prePopulated";
const ADOPTION: &str = "cdi.kubevirt.io/allowClaimAdoption";

/// When something is tried again that the server did not want.
const RETRY: Duration = Duration::from_secs(15);

pub(super) fn step(view: &View<'_>, dv: &Object) -> Vec<Write> {
    if dv.is_ending() {
        return Vec::new();
    }
    // Nobody looks after what points to nothing.
    let Some(source) = source::of(view, dv) else { return Vec::new() };
    if played(view, dv) == "datasource-without-source" {
        return Vec::new();
    }
    match view.get(Kind::PersistentVolumeClaim, dv.namespace(), dv.name()) {
        Some(claim) if claim.is_owned_by(dv) => status::follow(view, dv, &source, claim),
        Some(claim) => foreign(view, dv, &source, claim),
        None if dv.phase() == "Succeeded" => Vec::new(),
        None => without_claim(view, dv, &source),
    }
}

fn played(view: &View<'_>, dv: &Object) -> &'static str {
    play::cause(view, dv, Shows::Claim).map_or("", |cause| cause.name)
}

/// A claim of the name that is not the DataVolume's: it was filled for it, may be taken, or is in the way.
fn foreign(view: &View<'_>, dv: &Object, source: &Source, claim: &Object) -> Vec<Write> {
    let filled = claim.annotation(POPULATED_FOR) == dv.name() || dv.annotation(PRE_POPULATED) == dv.name();
    if filled || (dv.annotation(ADOPTION) == "true" && claim.controller().is_none()) {
        if claim.controller().is_some() || claim.phase() != "Bound" {
            return status::follow(view, dv, source, claim);
        }
        let mut new = claim.edit();
        own(&mut new, dv);
        annotate(&mut new, POPULATED_FOR, dv.name());
        return Write::update(claim, new).into_iter().collect();
    }
    if !view.is_first(dv, "in the way") {
        return Vec::new();
    }
    let text = format!("Resource {:?} already exists and is not managed by DataVolume", claim.name());
    vec![Write::warn(dv, status::controller(source), "ErrResourceExists", text)]
}

fn without_claim(view: &View<'_>, dv: &Object, source: &Source) -> Vec<Write> {
    if let Some((reason, message)) = missing(view, source).or_else(|| misfit(view, dv, source)) {
        let first = use_populator(view, dv, None);
        if !first.is_empty() {
            return first;
        }
        return status::refused(view, dv, source, "", reason, &message, "");
    }
    let rendered = match render(view, dv) {
        Ok(rendered) => rendered,
        Err(why) => {
            return status::refused(view, dv, source, "", "ErrClaimNotValid", &why.message, &why.warning);
        }
    };
    let mut writes = use_populator(view, dv, Some(&rendered));
    let told = refusal(view, dv, &rendered);
    if let Some(message) = &told
        && !retried(view, dv)
    {
        if message.contains("exceeded quota") {
            writes.extend(status::refused(view, dv, source, "Pending", "ErrExceededQuota", message, message));
        }
        writes.truncate(if dv.annotation(USE_POPULATOR).is_empty() { 1 } else { writes.len() });
        return writes;
    }
    if pretends_quota(view, dv) {
        return writes;
    }
    let claim = claim(view, dv, source, &rendered);
    writes.extend(populator_source(view, dv, source));
    writes.push(Write::Create(claim));
    writes
}

/// What the server said when the claim was sent last, or would say of it.
fn refusal(view: &View<'_>, dv: &Object, rendered: &Rendered<'_>) -> Option<String> {
    let claim = Reference::new(Kind::PersistentVolumeClaim, dv.namespace(), dv.name());
    if let Some(why) = view.refused(&claim) {
        return Some(why.message.clone());
    }
    pretends_quota(view, dv).then(|| {
        let asked = bytes(&rendered.spec["resources"]["requests"]["storage"]).unwrap_or_default();
        format!(
            "persistentvolumeclaims {:?} is forbidden: exceeded quota: storage, requested: requests.storage={asked}, \
             used: requests.storage=0, limited: requests.storage=1Gi",
            dv.name()
        )
    })
}

/// Whether a quota is to be exceeded that nobody has set: who names a storage class has set one for that.
fn pretends_quota(view: &View<'_>, dv: &Object) -> bool {
    played(view, dv) == "quota" && dv.at("/spec/storage/storageClassName").is_null()
}

/// Whether it is time to try again.
fn retried(view: &View<'_>, dv: &Object) -> bool {
    let due = view.waited(dv, "retry", RETRY);
    if due {
        view.forget(dv, "retry");
        view.waited(dv, "retry", RETRY);
    }
    due
}

/// What a copy is to be made of, and is not there.
fn missing(view: &View<'_>, source: &Source) -> Option<(&'static str, String)> {
    let message = match source {
        Source::Claim { name, .. } => format!("The source pvc {name} doesn't exist"),
        Source::Snapshot { name, .. } => format!("The source snapshot {name} doesn't exist"),
        Source::Import(_) | Source::Upload => return None,
    };
    source.object(view).is_none().then_some(("CloneWithoutSource", message))
}

/// Why the source does not fit into what is asked for.
fn misfit(view: &View<'_>, dv: &Object, source: &Source) -> Option<(&'static str, String)> {
    let has = source.size(view)?;
    let asked = [dv.at("/spec/storage"), dv.at("/spec/pvc")];
    let asked = asked.iter().find_map(|spec| bytes(&spec["resources"]["requests"]["storage"]))?;
    (asked < has).then(|| {
        let why = format!(
            "The clone doesn't meet the validation requirements: target resources requests storage size is smaller than \
             the source {asked} < {has}"
        );
        ("CloneValidationFailed", why)
    })
}

fn use_populator(view: &View<'_>, dv: &Object, rendered: Option<&Rendered<'_>>) -> Vec<Write> {
    if !dv.annotation(USE_POPULATOR).is_empty() {
        return Vec::new();
    }
    let class = match rendered {
        Some(rendered) => rendered.class,
        None => match dv.text("/spec/storage/storageClassName") {
            "" => class::default(view, true),
            name => class::find(view, name),
        },
    };
    let known = class.is_some_and(|class| class::known(class.text("/provisioner")).is_some());
    let mut new = dv.edit();
    annotate(&mut new, USE_POPULATOR, known.to_string());
    Write::update(dv, new).into_iter().collect()
}

/// Whether a DataVolume is filled by a populator. It says so itself; before it does it is not asked.
pub(super) fn is_populated(dv: &Object, rendered: &Rendered<'_>) -> bool {
    match dv.annotation(USE_POPULATOR) {
        "" => rendered.class.is_some_and(|class| class::known(class.text("/provisioner")).is_some()),
        said => said == "true",
    }
}

/// The kind of the object that tells a populator what to do, and its name.
fn source_reference(dv: &Object, source: &Source) -> (Kind, String) {
    let (kind, word) = match source {
        Source::Import(_) => (Kind::VolumeImportSource, "import"),
        Source::Upload => (Kind::VolumeUploadSource, "upload"),
        Source::Claim { .. } | Source::Snapshot { .. } => (Kind::VolumeCloneSource, "clone"),
    };
    (kind, format!("volume-{word}-source-{}", dv.uid()))
}

/// The object that tells a populator what to do. It lives beside what is copied, and has no owner there in another namespace.
fn populator_source(view: &View<'_>, dv: &Object, source: &Source) -> Option<Write> {
    if dv.annotation(USE_POPULATOR) == "false" {
        return None;
    }
    let (kind, name) = source_reference(dv, source);
    let namespace = match source {
        Source::Claim { namespace, .. } | Source::Snapshot { namespace, .. } => namespace,
        Source::Import(_) | Source::Upload => dv.namespace(),
    };
    if view.get(kind, namespace, &name).is_some() {
        return None;
    }
    let mut new = new_object(kind, namespace, &name);
    for (key, value) in LABELS {
        label(&mut new, key, value);
    }
    if namespace == dv.namespace() {
        own(&mut new, dv);
    }
    let of =
        |api_group: Value, kind: &str, name: &str| json!({"apiGroup": api_group, "kind": kind, "name": name});
    new["spec"] = match source {
        Source::Import(_) => {
            let content = dv.at("/spec/contentType").as_str().unwrap_or("kubevirt");
            json!({"contentType": content, "preallocation": false, "source": dv.at("/spec/source")})
        }
        Source::Upload => json!({"contentType": "kubevirt", "preallocation": false}),
        Source::Claim { name, .. } => {
            json!({"preallocation": false, "source": of(Value::Null, "PersistentVolumeClaim", name)})
        }
        Source::Snapshot { name, .. } => {
            json!({"preallocation": false, "source": of("snapshot.storage.k8s.io".into(), "VolumeSnapshot", name)})
        }
    };
    if let Some(source) = new.pointer_mut("/spec/source").and_then(Value::as_object_mut) {
        source.retain(|_, value| !value.is_null());
    }
    Some(Write::Create(new))
}

/// The claim of a DataVolume.
fn claim(view: &View<'_>, dv: &Object, source: &Source, rendered: &Rendered<'_>) -> Value {
    let mut claim = new_object(Kind::PersistentVolumeClaim, dv.namespace(), dv.name());
    for (key, value) in dv.at("/metadata/labels").as_object().into_iter().flatten() {
        label(&mut claim, key, value.as_str().unwrap_or_default());
    }
    for (key, value) in LABELS {
        label(&mut claim, key, value);
    }
    for (key, value) in dv.at("/metadata/annotations").as_object().into_iter().flatten() {
        // How kubectl made the DataVolume is no concern of the claim.
        if key != "kubectl.kubernetes.io/last-applied-configuration" {
            annotate(&mut claim, key, value.as_str().unwrap_or_default());
        }
    }
    let populated = is_populated(dv, rendered);
    for (key, value) in [
        ("cdi.kubevirt.io/createdForDataVolume", dv.uid()),
        ("cdi.kubevirt.io/storage.contentType", dv.at("/spec/contentType").as_str().unwrap_or("kubevirt")),
        ("cdi.kubevirt.io/storage.pod.restarts", "0"),
        ("cdi.kubevirt.io/storage.preallocation.requested", "false"),
        (USE_POPULATOR, if populated { "true" } else { "false" }),
    ] {
        annotate(&mut claim, key, value);
    }
    let waits = honours_consumers(view) || played(view, dv) == "first-consumer";
    if !dv.annotation(IMMEDIATE).is_empty() || !waits {
        annotate(&mut claim, IMMEDIATE, "");
    }
    own(&mut claim, dv);
    claim["spec"] = rendered.spec.clone();
    let (kind, name) = source_reference(dv, source);
    if populated {
        let reference = json!({"apiGroup": "cdi.kubevirt.io", "kind": kind.row().kind, "name": name});
        claim["spec"]["dataSourceRef"] = reference;
        if let Source::Claim { namespace, .. } | Source::Snapshot { namespace, .. } = source
            && namespace != dv.namespace()
        {
            annotate(&mut claim, "cdi.kubevirt.io/dataSourceNamespace", namespace);
        }
    } else {
        match source {
            Source::Import(_) => super::import::describe(&mut claim, dv.at("/spec/source")),
            Source::Upload => annotate(&mut claim, "cdi.kubevirt.io/storage.upload.target", ""),
            Source::Claim { namespace, name } => {
                annotate(&mut claim, super::clone::REQUEST, format!("{namespace}/{name}"));
                annotate(&mut claim, "cdi.kubevirt.io/storage.upload.target", "");
            }
            Source::Snapshot { .. } => {}
        }
    }
    claim
}
