//! What the API server itself refuses because the definition of the kind says so. Of the pools only: what their
//! definition asks for is what a user runs into.

use serde_json::Value;

use super::place::{Causes, Spot};
use super::said::Said;
use crate::demo::server::Review;

const UNFINISHED: &str = "Invalid value: null: some validation rules were not checked because the object was \
                          invalid; correct the existing errors to complete validation";

/// A pool.
pub(super) fn pool(_: &Review<'_>, pool: &Value) -> Result<Vec<String>, Said> {
    let root = Spot::new(pool, "");
    let spec = root.get("spec");
    let mut causes = Causes::default();
    for field in ["selector", "virtualMachineTemplate"] {
        if !spec.get(field).is_set() {
            causes.required(spec.at(field), "Required value");
        }
    }
    let missing = !causes.0.is_empty();
    let replicas = spec.get("replicas");
    if replicas.number() < 0 {
        let number = replicas.number();
        causes.invalid(
            &replicas.path,
            format!("Invalid value: {number}: spec.replicas in body should be greater than or equal to 0"),
        );
        causes.invalid(
            format!(".{}", replicas.path),
            format!("Invalid value: {number}: should be a non-negative integer"),
        );
    }
    if missing {
        causes.invalid("<nil>", UNFINISHED);
    }
    let causes = causes.0;
    if causes.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let name = root.get("metadata.name").text();
    let message = format!("VirtualMachinePool.pool.kubevirt.io {name:?} is invalid: [{}]", texts.join(", "));
    let message =
        if let [one] = texts.as_slice() { message.replace(&format!("[{one}]"), one) } else { message };
    Err(Said { code: 422, reason: "Invalid", message, causes })
}
