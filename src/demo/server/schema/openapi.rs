//! The kinds as OpenAPI describes them, for `kubectl explain` and for clients that ask what they may send.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use super::messages::{full_name, message};
use super::{Field, Object, Type, about, of};
use crate::demo::server::http::Answer;
use crate::demo::server::kinds::{Kind, Row};
use crate::demo::server::refusal::Refusal;
use crate::demo::server::route::Query;
use crate::model::crd;

/// The name of a schema, and the schema.
type Named = (&'static str, fn() -> Value);

/// Types that stand in schemas of their own.
const SCALARS: [Named; 4] = [
    ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", || json!({"type": "string", "format": "date-time"})),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", || json!({"type": "string", "format": "date-time"})),
    (
        "io.k8s.apimachinery.pkg.api.resource.Quantity",
        || json!({"oneOf": [{"type": "string"}, {"type": "number"}], "description": "An amount: a number with a unit, such as 500m or 4Gi."}),
    ),
    (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        || json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}], "description": "A number or a text."}),
    ),
];

/// A document and the hash of it.
struct Document {
    hash: String,
    text: Bytes,
}

/// By path, without `/openapi/v3/`. Made when somebody asks for the first time.
static DOCUMENTS: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let documents = versions().into_iter().map(|(group, version)| {
        let text = document(group, version).to_string();
        (prefix(group, version), Document { hash: hash(&text), text: text.into() })
    });
    documents.collect()
});

/// What tells two documents apart; clients keep them under it.
fn hash(text: &str) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, text).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016X}{:016X}", half(0), half(1))
}

fn prefix(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// `/openapi/v3` and what stands below it; `path` is the rest.
pub(crate) fn answer(
    method: &Method,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Answer, Refusal> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Refusal::method_not_allowed());
    }
    if path.is_empty() {
        let paths: BTreeMap<&String, Value> = DOCUMENTS
            .iter()
            .map(|(path, document)| {
                (path, json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={}", document.hash)}))
            })
            .collect();
        return Ok(Answer::json(StatusCode::OK, &json!({"paths": paths})));
    }
    let document = DOCUMENTS.get(path).ok_or_else(Refusal::no_such_page)?;
    let asks = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let readable = |accepted: &str| {
        let media = accepted.split(';').next().unwrap_or_default().trim();
        matches!(media, "" | "application/json" | "application/*" | "*/*")
    };
    if !asks(header::ACCEPT).split(',').any(readable) {
        return Err(Refusal::not_acceptable());
    }
    let etag = format!("\"{}\"", document.hash);
    let known = asks(header::IF_NONE_MATCH).split(',').any(|one| one.trim() == etag);
    let kept = query.get("hash").is_some_and(|hash| hash == document.hash);
    let answer = if known {
        Answer::Text(StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        Answer::Json(StatusCode::OK, document.text.clone())
    };
    let cache = if kept { "public, immutable" } else { "no-cache, private" };
    Ok(answer.with(header::ETAG, &etag).with(header::CACHE_CONTROL, cache))
}

/// What is described, as paths below `/openapi/v3`.
pub(crate) fn described() -> impl Iterator<Item = String> {
    versions().into_iter().map(|(group, version)| prefix(group, version))
}

fn versions() -> BTreeSet<(&'static str, &'static str)> {
    Kind::all().flat_map(|kind| kind.row().versions.iter().map(move |v| (kind.row().group, *v))).collect()
}

/// The document of a version of a group.
fn document(group: &str, version: &str) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Schemas::default());
    let kinds =
        Kind::all().filter(|kind| kind.row().group == group && kind.row().versions.contains(&version));
    for kind in kinds {
        add_paths(kind, version, &mut paths);
        schemas.add_kind(kind, version);
    }
    json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": paths, "components": {"schemas": schemas.done},
    })
}

fn identity(row: &Row, version: &str) -> Value {
    json!({"group": row.group, "version": version, "kind": row.kind})
}

/// The name of the schema of a kind.
fn name_of(row: &Row, version: &str) -> String {
    if row.builtin && message(row.kind).is_some() {
        return full_name(row.kind);
    }
    let mut parts: Vec<&str> = row.group.split('.').collect();
    parts.reverse();
    format!("{}.{version}.{}", parts.join("."), row.kind)
}

fn add_paths(kind: Kind, version: &str, paths: &mut Map<String, Value>) {
    let row = kind.row();
    let schema = json!({"$ref": reference(&name_of(row, version))});
    let place = if row.namespaced { "namespaces/{namespace}/" } else { "" };
    let whole = format!("/{}/{place}{}", prefix(row.group, version), row.plural);
    let parameter = |name: &str, about: &str| json!({"name": name, "in": "query", "description": about, "schema": {"type": "string", "uniqueItems": true}});
    let written = [
        parameter("dryRun", "All: everything is checked, and nothing stored."),
        parameter("fieldManager", "Who makes the change."),
        parameter(
            "fieldValidation",
            "What becomes of fields that are not known: Ignore drops them, Warn drops them and says so, Strict refuses the \
             request.",
        ),
    ];
    let operation = |action: &str, media: &[&str]| {
        let mut operation = json!({
            "x-kubernetes-action": action, "x-kubernetes-group-version-kind": identity(row, version),
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": &schema}}}},
        });
        if !media.is_empty() {
            let content = media.iter().map(|media| {
                let of = if action == "patch" { json!({}) } else { schema.clone() };
                ((*media).to_owned(), json!({"schema": of}))
            });
            operation["requestBody"] = json!({"content": content.collect::<Map<String, Value>>()});
            operation["parameters"] = json!(written);
        }
        operation
    };
    let patches: &[&str] = if row.builtin {
        &[
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
        ]
    } else {
        &["application/json-patch+json", "application/merge-patch+json"]
    };
    let in_path = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "uniqueItems": true}});
    let mut held: Vec<Value> = if row.namespaced { vec![in_path("namespace")] } else { Vec::new() };
    paths.insert(whole.clone(), json!({
        "get": operation("list", &[]), "post": operation("post", &["application/json"]), "parameters": held,
    }));
    held.insert(0, in_path("name"));
    paths.insert(format!("{whole}/{{name}}"), json!({
        "get": operation("get", &[]), "put": operation("put", &["application/json"]), "patch": operation("patch", patches),
        "delete": operation("delete", &[]), "parameters": held,
    }));
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// Schemas by name, each with those that it names.
#[derive(Default)]
struct Schemas {
    done: BTreeMap<String, Value>,
}

impl Schemas {
    fn add_kind(&mut self, kind: Kind, version: &str) {
        let row = kind.row();
        let own = crd::KINDS.iter().find(|own| row.group == crd::GROUP && own.kind == row.kind);
        let Type::Fields(object) = of(kind) else { return };
        let mut schema = match own {
            Some(own) => {
                let mut schema = crd::schema(*own);
                schema["properties"]["metadata"] = self.schema(&Type::Message("ObjectMeta"));
                schema
            }
            None => self.object(object, &about::Place::of(kind)),
        };
        schema["x-kubernetes-group-version-kind"] = json!([identity(row, version)]);
        if let Some(about) = about::Place::of(kind).about() {
            schema["description"] = about.into();
        }
        self.done.insert(name_of(row, version), schema);
    }

    /// A map with fields.
    fn object(&mut self, object: &Object, place: &about::Place) -> Value {
        let mut properties = Map::new();
        for field in &object.fields {
            properties.insert(field.name.clone().into_owned(), self.field(field, &place.below(&field.name)));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        let required: Vec<&str> =
            object.fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if object.open {
            schema["x-kubernetes-preserve-unknown-fields"] = true.into();
        }
        schema
    }

    fn field(&mut self, field: &Field, place: &about::Place) -> Value {
        let mut schema = self.placed(&field.of, place);
        if let Some(about) = field.about.as_deref().or_else(|| place.about()) {
            schema["description"] = about.into();
        }
        if !field.strategy.is_empty() {
            schema["x-kubernetes-patch-strategy"] = field.strategy.into();
        }
        if let super::Merge::By(key) = field.merge {
            schema["x-kubernetes-patch-merge-key"] = key.into();
        }
        schema
    }

    fn schema(&mut self, of: &Type) -> Value {
        self.placed(of, &about::Place::default())
    }

    fn placed(&mut self, of: &Type, place: &about::Place) -> Value {
        match of {
            Type::Any => json!({"x-kubernetes-preserve-unknown-fields": true}),
            Type::Text => json!({"type": "string"}),
            Type::Bool => json!({"type": "boolean"}),
            Type::Int => json!({"type": "integer", "format": "int32"}),
            Type::Long => json!({"type": "integer", "format": "int64"}),
            Type::Double => json!({"type": "number", "format": "double"}),
            Type::Bytes => json!({"type": "string", "format": "byte"}),
            Type::Time => self.scalar(0),
            Type::MicroTime => self.scalar(1),
            Type::Quantity => self.scalar(2),
            Type::Word => self.scalar(3),
            Type::Message(name) => {
                let full = full_name(name);
                if !self.done.contains_key(&full)
                    && let Some(object) = message(name)
                {
                    // Its place first: it may name itself.
                    self.done.insert(full.clone(), Value::Null);
                    let schema = self.object(object, &about::Place::new(name));
                    self.done.insert(full.clone(), schema);
                }
                json!({"allOf": [{"$ref": reference(&full)}]})
            }
            Type::Fields(object) => self.object(object, place),
            Type::List(item) => json!({"type": "array", "items": self.placed(item, place)}),
            Type::Map(value) => json!({"type": "object", "additionalProperties": self.placed(value, place)}),
        }
    }

    fn scalar(&mut self, at: usize) -> Value {
        let Some((name, schema)) = SCALARS.get(at) else { return json!({}) };
        self.done.entry((*name).to_owned()).or_insert_with(schema);
        json!({"allOf": [{"$ref": reference(name)}]})
    }
}
