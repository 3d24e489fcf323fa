//! JSON patches, merge patches and strategic merge patches.

mod strategic;

use json_patch::jsonptr::Pointer;
use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::{Map, Value};

use super::decode::{parse_error, type_name};
use super::http::Call;
use super::refusal::Refusal;
use super::schema::{Faults, Type, Validation, repeated};
use strategic::Bad;

/// How many bytes all copies of a JSON patch may have together, as with kube-apiserver.
const COPIES: usize = 3 << 20;

/// How many operations a JSON patch may have, as with kube-apiserver.
const OPERATIONS: usize = 10_000;

/// How deep an object may become.
const DEPTH: usize = 100;

/// A patch that can be read.
pub(crate) struct Change {
    how: How,
    validation: Validation,
    /// What it says twice.
    repeated: Faults,
}

enum How {
    Merge(Value),
    Operations(Patch),
    Strategic(Map<String, Value>),
}

impl Change {
    /// The patch in a request.
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let builtin = call.target.kind.row().builtin;
        let how = match call.content_type.as_str() {
            "application/merge-patch+json" => How::read_merge(&call.body)?,
            "application/json-patch+json" => How::read_operations(&call.body)?,
            "application/strategic-merge-patch+json" if builtin => How::read_strategic(&call.body)?,
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                return Err(Refusal::unsupported_media_type(
                    "The embedded server takes JSON patches, merge patches and strategic merge patches; server-side \
                     apply it leaves to a real one.",
                ));
            }
            _ if builtin => return Err(Refusal::unsupported_media_type("415: Unsupported Media Type")),
            _ => {
                return Err(Refusal::unsupported_media_type(
                    "the body of the request was in an unknown format - accepted media types include: \
                     application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
                ));
            }
        };
        let validation = Validation::of(&call.query);
        let repeated = match (&how, validation) {
            // In operations other things count, which nobody gets wrong.
            (How::Operations(_), _) | (_, Validation::Ignore) => Faults::default(),
            _ => repeated(&call.body),
        };
        Ok(Self { how, validation, repeated })
    }

    /// Changes an object of this type. Fields that it cannot have are taken out of it, and told.
    pub(crate) fn apply(&self, object: &mut Value, of: &Type) -> Result<Vec<String>, Refusal> {
        self.how.apply(object, of)?;
        let shown = matches!(self.validation, Validation::Strict).then(|| object.clone());
        let mut faults = self.repeated.clone();
        faults.0.extend(Faults::take(&[], object, of, self.validation).0);
        let Some(why) = faults.refused(self.validation) else { return Ok(faults.0) };
        let shown = match &self.how {
            How::Strategic(patch) => go_text(&Value::Object(patch.clone())),
            _ => shown.unwrap_or_default().to_string(),
        };
        let why = format!("Invalid value: {shown:?}: {why}");
        Err(Refusal::invalid_named("", "", "", &[("FieldValueInvalid", "patch", why)]))
    }
}

/// A value as Go writes it.
fn go_text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

fn wrong(why: &str) -> Refusal {
    Refusal::bad_request(format!("error decoding patch: {why}"))
}

fn not_a(value: &Value, go: &str) -> String {
    format!("json: cannot unmarshal {} into Go value of type {go}", type_name(value))
}

impl How {
    fn read_merge(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body).map_err(|why| wrong(&parse_error(&why)))? {
            patch @ Value::Object(_) => Ok(Self::Merge(patch)),
            other => Err(wrong(&not_a(&other, "map[string]interface {}"))),
        }
    }

    fn read_strategic(body: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(body).map_err(|why| Refusal::bad_request(parse_error(&why)))? {
            Value::Object(patch) => Ok(Self::Strategic(patch)),
            other => Err(Refusal::bad_request(not_a(&other, "map[string]interface {}"))),
        }
    }

    fn read_operations(body: &[u8]) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_slice(body).map_err(|why| wrong(&parse_error(&why)))?;
        let into = |value: &Value, go: &str| wrong(&not_a(value, go));
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

    fn apply(&self, object: &mut Value, of: &Type) -> Result<(), Refusal> {
        match self {
            Self::Strategic(patch) => {
                let Value::Object(original) = object.take() else { return Err(Refusal::unprocessable()) };
                let merged = strategic::merge(original, patch.clone(), of).map_err(|bad| match bad {
                    Bad::Form(why) => Refusal::bad_request(why),
                    Bad::Lists => Refusal::unprocessable(),
                    Bad::Other(why) => Refusal::internal(why),
                })?;
                *object = Value::Object(merged);
                if depth(object) > DEPTH { Err(Refusal::unprocessable()) } else { Ok(()) }
            }
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
    // And a field that is not there as null, where it is tested.
    if let PatchOperation::Test(test) = &operation
        && test.value.is_null()
        && in_object(object, &test.path)
        && object.pointer(test.path.as_str()).is_none()
    {
        return Ok(());
    }
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
