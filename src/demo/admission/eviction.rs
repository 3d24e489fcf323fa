//! Evictions of machines' pods: a guest that can move is to move instead.
//!
//! virt-api's webhook marks the instance, and virt-controller moves it. What follows is kept off the pod by the disruption
//! budget that virt-controller makes for such a machine; here the webhook answers in its place.

use serde_json::{Value, json};

use super::KUBEVIRT;
use super::said::Said;
use crate::demo::server::{Cause, Kept, Review};

const WEBHOOK: &str = "virt-launcher-eviction-interceptor.kubevirt.io";

/// "Too many requests": whoever evicts is to try again later.
const LATER: u16 = 429;

/// Why the pod stays, and the instance that is to leave its node because of that.
pub(super) fn judge(review: &Review<'_>, pod: &Value) -> Result<(), Kept> {
    let text = |object: &Value, path: &str| {
        object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_over = matches!(&*text(pod, "/status/phase"), "Succeeded" | "Failed");
    let name = text(pod, "/metadata/annotations/kubevirt.io~1domain");
    if is_over || text(pod, "/metadata/labels/kubevirt.io") != "virt-launcher" || name.is_empty() {
        return Ok(());
    }
    let namespace = review.namespace;
    let Some(mut vmi) = review.around.get(KUBEVIRT, "virtualmachineinstances", namespace, &name) else {
        let why = format!(
            "kubevirt failed getting the vmi: virtualmachineinstances.kubevirt.io {name:?} not found"
        );
        return Err(refused(why));
    };
    let conditions = vmi["status"]["conditions"].as_array().into_iter().flatten();
    let mut migratable = conditions.filter(|one| one["type"] == "LiveMigratable");
    let migratable = migratable.any(|one| one["status"] == "True");
    let moves = match &*text(&vmi, "/spec/evictionStrategy") {
        "LiveMigrate" if !migratable => {
            let why =
                format!("VMI {name} is configured with an eviction strategy but is not live-migratable");
            return Err(refused(why));
        }
        "LiveMigrate" | "External" => true,
        "LiveMigrateIfPossible" => migratable,
        _ => false,
    };
    if !moves {
        return Ok(());
    }
    let node = text(&vmi, "/status/nodeName");
    let marked = !text(&vmi, "/status/evacuationNodeName").is_empty();
    if marked || node != text(pod, "/spec/nodeName") {
        return Err(protected());
    }
    vmi["status"]["evacuationNodeName"] = node.into();
    let why = format!("Eviction triggered evacuation of VMI \"{namespace}/{name}\"");
    Err(Kept { changed: Some(("virt-api", vmi)), ..refused(why) })
}

fn refused(why: String) -> Kept {
    let said = Said { code: LATER, reason: "", message: why, causes: Vec::new() };
    Kept { denial: said.of(WEBHOOK), changed: None }
}

/// What a disruption budget says that wants as many pods as there are.
fn protected() -> Kept {
    let cause = Cause {
        reason: "DisruptionBudget",
        field: String::new(),
        message: "The disruption budget of the machine needs 1 healthy pods and has 1 currently".to_owned(),
    };
    let said = Said {
        code: LATER,
        reason: "TooManyRequests",
        message: "Cannot evict pod as it would violate the pod's disruption budget.".to_owned(),
        causes: vec![cause],
    };
    Kept { denial: said.of(""), changed: None }
}

/// The strategy of instances that say none, as KubeVirt's configuration has it.
pub(super) fn default_strategy(review: &Review<'_>, vmi: &mut Value) {
    let of_cluster = review.around.list(KUBEVIRT, "kubevirts", "kubevirt");
    let strategy = of_cluster.iter().map(|one| &one["spec"]["configuration"]["evictionStrategy"]);
    let strategy = strategy.into_iter().find(|strategy| strategy.is_string());
    if let (Some(strategy), Some(spec)) = (strategy, vmi["spec"].as_object_mut()) {
        let own = spec.entry("evictionStrategy").or_insert(json!(null));
        if own.is_null() {
            *own = strategy.clone();
        }
    }
}
