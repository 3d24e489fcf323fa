//! Bodies of requests as objects.

use serde_json::{Map, Value};

use super::http::Call;
use super::kinds::Kind;
use super::protobuf;
use super::refusal::Refusal;
use super::schema::{self, Faults, Validation};
use crate::rules::Source;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// How much of a body that is no object is shown.
const SHOWN: usize = 512;

/// Fields of metadata that are kept; the server itself writes some of them anew. Others are unknown or not kept here.
const METADATA: [&str; 14] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

/// The body as an object of the kind and version that the path names, and what there is to warn of.
pub(crate) fn object(call: &Call) -> Result<(Value, Vec<String>), Refusal> {
    let kind = call.target.kind;
    let row = kind.row();
    let mut object = parse(call, row.kind)?;
    check_type(&object, kind, call.target.version, &call.body)?;
    let cannot = |why: String| {
        let version = call.target.version;
        Refusal::bad_request(format!(
            "{} in version {version:?} cannot be handled as a {}: {why}",
            row.kind, row.kind
        ))
    };
    let validation = Validation::of(&call.query);
    let text = if is_json(call) { &call.body } else { &[][..] };
    let faults = Faults::take(text, &mut object, schema::of(kind), validation);
    shape(&mut object, kind).map_err(cannot)?;
    if let Some(why) = faults.refused(validation) {
        return Err(cannot(why));
    }
    object["kind"] = row.kind.into();
    object["apiVersion"] = kind.api_version(kind.stored_version()).into();
    Ok((object, faults.0))
}

fn is_json(call: &Call) -> bool {
    matches!(call.content_type.as_str(), "" | JSON)
}

/// The body as something that is no kind of the table, such as a `Scale`; an absent kind is taken as meant.
pub(crate) fn other(call: &Call, wanted: &str) -> Result<Value, Refusal> {
    let object = parse(call, wanted)?;
    let (kind, api_version) = type_of(&object);
    if !kind.is_empty() && kind != wanted {
        let version = api_version.rsplit('/').next().unwrap_or_default();
        return Err(Refusal::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {wanted}: {}",
            mismatch(kind, api_version, &format!("(core.{wanted})"))
        )));
    }
    if object["metadata"].is_object() || object["metadata"].is_null() {
        return Ok(object);
    }
    Err(Refusal::bad_request("json: cannot unmarshal metadata into Go value of type v1.ObjectMeta"))
}

/// The body as a JSON object.
fn parse(call: &Call, wanted: &str) -> Result<Value, Refusal> {
    let unlike = |why: &str| {
        Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {wanted}): {why} ({})",
            shown(&call.body)
        ))
    };
    match call.content_type.as_str() {
        "" | JSON => {}
        YAML => return yaml(&call.body).map_err(|why| unlike(&format!("yaml: {why}"))),
        PROTOBUF if call.target.kind.row().builtin => {
            return protobuf::to_json(&call.body)
                .ok_or_else(|| unlike("it is no message of a kind that is known"));
        }
        _ => {
            let accepted = [JSON, YAML, PROTOBUF].join(", ");
            return Err(Refusal::unsupported_media_type(format!(
                "the body of the request was in an unknown format - accepted media types include: {accepted}"
            )));
        }
    }
    let unrecognized = |why: &str| unlike(&format!("couldn't get version/kind; json parse error: {why}"));
    match serde_json::from_slice::<Value>(&call.body) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(other) => Err(unrecognized(&format!(
            "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \
             \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}",
            type_name(&other)
        ))),
        Err(why) => Err(unrecognized(&parse_error(&why))),
    }
}

/// The one document of a body in YAML.
fn yaml(body: &[u8]) -> Result<Value, String> {
    let source = Source::read(body);
    match (source.documents.as_slice(), source.problems.as_slice()) {
        (_, [problem, ..]) => Err(format!("line {}: {}", problem.line, problem.text)),
        ([one], _) => match one.root().json() {
            object @ Value::Object(_) => Ok(object),
            other => Err(format!("{} is no object", type_name(&other))),
        },
        (many, _) => Err(format!("there are {} documents, not one", many.len())),
    }
}

/// What is wrong with a text that is no JSON.
pub(crate) fn parse_error(why: &serde_json::Error) -> String {
    if why.is_eof() { "unexpected end of JSON input".to_owned() } else { why.to_string() }
}

/// The name of a JSON type, as Go has it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn shown(body: &[u8]) -> String {
    let start = &body[..body.len().min(SHOWN)];
    match start {
        [] => "<empty>".to_owned(),
        [b'{', ..] => String::from_utf8_lossy(start).into_owned(),
        _ => start.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn type_of(object: &Value) -> (&str, &str) {
    (object["kind"].as_str().unwrap_or_default(), object["apiVersion"].as_str().unwrap_or_default())
}

fn mismatch(kind: &str, api_version: &str, into: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    match Kind::of_object(api_version, kind) {
        Some(known) if known.row().builtin => {
            format!("converting ({version}.{kind}) to {into}: unknown conversion")
        }
        _ => format!(
            "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/runtime/scheme.go:111\""
        ),
    }
}

/// Whether an object says that it is of a kind. Kubernetes' own kinds need not say so.
fn check_type(object: &Value, kind: Kind, version: &str, body: &[u8]) -> Result<(), Refusal> {
    let (said, api_version) = type_of(object);
    let row = kind.row();
    if row.builtin {
        let same = said.is_empty()
            || api_version.is_empty() && said == row.kind
            || Kind::of_object(api_version, said) == Some(kind);
        if same {
            return Ok(());
        }
        let said_version = api_version.rsplit('/').next().unwrap_or_default();
        let package = match row.group.split('.').next() {
            None | Some("") => "core",
            Some(first) => first,
        };
        return Err(Refusal::bad_request(format!(
            "{said} in version {said_version:?} cannot be handled as a {}: {}",
            row.kind,
            mismatch(said, api_version, &format!("({package}.{})", row.kind))
        )));
    }
    if said.is_empty() {
        let text = shown(body);
        return Err(Refusal::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{text}' ({text})",
            row.kind
        )));
    }
    let expected = kind.api_version(version);
    if api_version != expected {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if said != row.kind {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let why = format!("Invalid value: {said:?}: must be {}", row.kind);
        return Err(Refusal::invalid_named(row.group, said, name, &[("FieldValueInvalid", "kind", why)]));
    }
    Ok(())
}

/// Checks the types of what every object has, and drops what is empty or unknown of its metadata. Afterwards `metadata`
/// is an object, and in it each known field has its type.
pub(crate) fn shape(object: &mut Value, kind: Kind) -> Result<(), String> {
    let row = kind.row();
    let Some(fields) = object.as_object_mut() else { return Err("json: it is no object".into()) };
    if row.builtin {
        fields.retain(|_, value| !value.is_null());
        for part in ["spec", "status"] {
            if let Some(value) = fields.get(part)
                && !value.is_object()
            {
                let (is, of) = (type_name(value), format!("{}.{part}", row.kind));
                return Err(format!("json: cannot unmarshal {is} into Go struct field {of}"));
            }
        }
    }
    let metadata = fields.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    let Some(metadata) = metadata.as_object_mut() else {
        let is = type_name(metadata);
        return Err(if row.builtin {
            format!(
                "json: cannot unmarshal {is} into Go struct field {}.metadata of type v1.ObjectMeta",
                row.kind
            )
        } else {
            format!("json: cannot unmarshal {is} into Go value of type v1.ObjectMeta")
        });
    };
    metadata.retain(|field, value| METADATA.contains(&field.as_str()) && !is_empty(value));
    let path = if row.builtin { "ObjectMeta.metadata" } else { "ObjectMeta" };
    for (field, value) in metadata.iter() {
        let wrong = |value: &Value, wanted: &str| {
            let is = type_name(value);
            Err(format!("json: cannot unmarshal {is} into Go struct field {path}.{field} of type {wanted}"))
        };
        match (field.as_str(), value) {
            ("labels" | "annotations", Value::Object(map)) => {
                if let Some(value) = map.values().find(|value| !value.is_string()) {
                    return wrong(value, "string");
                }
            }
            ("labels" | "annotations", value) => return wrong(value, "map[string]string"),
            ("finalizers", Value::Array(list)) => {
                if let Some(value) = list.iter().find(|value| !value.is_string()) {
                    return wrong(value, "string");
                }
            }
            ("ownerReferences", Value::Array(list)) => {
                if let Some(value) = list.iter().find(|value| !value.is_object()) {
                    return wrong(value, "v1.OwnerReference");
                }
            }
            ("managedFields", Value::Array(list)) => {
                if let Some(value) = list.iter().find(|value| !value.is_object()) {
                    return wrong(value, "v1.ManagedFieldsEntry");
                }
            }
            ("managedFields", value) => return wrong(value, "[]v1.ManagedFieldsEntry"),
            ("finalizers" | "ownerReferences", value) => return wrong(value, "[]string"),
            ("generation" | "deletionGracePeriodSeconds", value) => {
                if value.as_i64().is_none() {
                    return wrong(value, "int64");
                }
            }
            (_, Value::String(_)) => {}
            (_, value) => return wrong(value, "string"),
        }
    }
    match schema::unreadable(object, schema::of(kind)) {
        Some(why) if row.builtin => Err(why),
        _ => Ok(()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
