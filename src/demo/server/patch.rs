//! JSON patches and merge patches.

use json_patch::jsonptr::Pointer;
use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;

use super::decode::{parse_error, type_name};
use super::http::Call;
use super::refusal::Refusal;

/// How many bytes all copies of a JSON patch may have together, as with kube-apiserver.
const COPIES: usize = 3 << 20;

/// How many operations a JSON patch may have, as with kube-apiserver.
const OPERATIONS: usize = 10_000;

/// How deep an object may become.
const DEPTH: usize = 100;

/// A patch that can be read.
pub(crate) enum Change {
    Merge(Value),
    Operations(Patch),
}

impl Change {
    /// The patch in a request.
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let json = match call.content_type.as_str() {
            "application/merge-patch+json" => false,
            "application/json-patch+json" => true,
            "application/strategic-merge-patch+json" => {
                return Err(Refusal::unsupported_media_type(
                    "The embedded server takes JSON patches and merge patches; strategic merge patches it leaves to a \
                     real one.",
                ));
            }
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                return Err(Refusal::unsupported_media_type(
                    "The embedded server takes JSON patches and merge patches; server-side apply it leaves to a real \
                     one.",
                ));
            }
            _ => {
                return Err(Refusal::unsupported_media_type(
                    "the body of the request was in an unknown format - accepted media types include: \
                     application/json-patch+json, application/merge-patch+json",
                ));
            }
        };
        let wrong = |why: &str| Refusal::bad_request(format!("error decoding patch: {why}"));
        let value: Value = serde_json::from_slice(&call.body).map_err(|why| wrong(&parse_error(&why)))?;
        let into = |value: &Value, go: &str| {
            wrong(&format!("json: cannot unmarshal {} into Go value of type {go}", type_name(value)))
        };
        if !json {
            return match value {
                Value::Object(_) => Ok(Self::Merge(value)),
                other => Err(into(&other, "map[string]interface {}")),
            };
        }
        match &value {
            Value::Array(list) => {
                if let Some(one) = list.iter().find(|one| !one.is_object()) {
                    return Err(into(one, "handlers.jsonPatchOp"));
                }
                if list.len() > OPERATIONS {
                    return Err(Refusal::new(
                        http::StatusCode::PAYLOAD_TOO_LARGE,
                        "RequestEntityTooLarge",
                        format!(
                            "Request entity too large: The allowed maximum operations in a JSON patch is \
                             {OPERATIONS}, got {}",
                            list.len()
                        ),
                    ));
                }
            }
            other => return Err(into(other, "[]handlers.jsonPatchOp")),
        }
        serde_json::from_value(value).map(Self::Operations).map_err(|_| Refusal::unprocessable())
    }

    /// Whether it says which of the fields of the metadata that name an object it means.
    pub(crate) fn apply(&self, object: &mut Value) -> Result<(), Refusal> {
        match self {
            Self::Merge(patch) => {
                json_patch::merge(object, patch);
                if depth(object) > DEPTH { Err(Refusal::unprocessable()) } else { Ok(()) }
            }
            Self::Operations(Patch(operations)) => {
                let mut copied = 0;
                for operation in operations {
                    step(object, operation, &mut copied)?;
                }
                Ok(())
            }
        }
    }
}

/// One operation. What it adds is measured first: copies of copies could be larger and deeper than anything sent.
fn step(object: &mut Value, operation: &PatchOperation, copied: &mut usize) -> Result<(), Refusal> {
    let found = |pointer: &Pointer| object.pointer(pointer.as_str()).ok_or_else(Refusal::unprocessable);
    let added = match operation {
        PatchOperation::Add(add) => Some(depth(&add.value)),
        PatchOperation::Replace(replace) => Some(depth(&replace.value)),
        PatchOperation::Move(from) => Some(depth(found(&from.from)?)),
        PatchOperation::Copy(copy) => {
            let value = found(&copy.from)?;
            *copied += value.to_string().len();
            if *copied > COPIES {
                return Err(Refusal::unprocessable());
            }
            Some(depth(value))
        }
        PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
    };
    if added.is_some_and(|added| added + operation.path().count() > DEPTH) {
        return Err(Refusal::unprocessable());
    }
    // kube-apiserver takes the replacement of a field that is not there as its addition.
    let operation = match operation {
        PatchOperation::Replace(replace) if in_object(object, &replace.path) => {
            PatchOperation::Add(AddOperation { path: replace.path.clone(), value: replace.value.clone() })
        }
        other => other.clone(),
    };
    json_patch::patch_unsafe(object, &[operation]).map_err(|_| Refusal::unprocessable())
}

fn in_object(object: &Value, path: &Pointer) -> bool {
    path.parent().and_then(|parent| object.pointer(parent.as_str())).is_some_and(Value::is_object)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or_default(),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
        _ => 1,
    }
}
