use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::demo::fixtures;
use crate::demo::server::kinds::Kind;
use crate::demo::server::testing::{Api, all_objects};
use crate::demo::start::{Demo, Wishes};

#[test]
fn whatever_the_demo_shows_has_known_fields() {
    let api = Api::new();
    fixtures::fill(api.server()).unwrap();
    let demo = Demo::new(Wishes::default()).unwrap();
    demo.add_machines(50).unwrap();
    let (mut faults, mut count) = (Vec::new(), 0);
    for (group, plural, _, mut object) in [all_objects(api.server()), all_objects(demo.server())].concat() {
        let kind = Kind::of_plural(group, plural).unwrap();
        let found = Faults::take(&[], &mut object, of(kind), Validation::Strict);
        faults.extend(found.0.iter().map(|fault| format!("{plural}: {fault}")));
        count += 1;
    }
    faults.sort_unstable();
    faults.dedup();
    assert!(faults.is_empty() && count > 500, "{count} objects\n{}", faults.join("\n"));
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_kind_is_described() {
    let api = Api::new().as_user("shop-operator");
    let (code, index) = api.get("/openapi/v3").await;
    assert_eq!(code, 200);
    for kind in Kind::all() {
        let row = kind.row();
        for version in row.versions {
            let path =
                if row.group.is_empty() { "api/v1".into() } else { format!("apis/{}/{version}", row.group) };
            let url = index["paths"][&path]["serverRelativeURL"].as_str().unwrap_or_else(|| panic!("{path}"));
            let (code, document) = api.get(url).await;
            assert_eq!(code, 200, "{url}");
            let schemas = document["components"]["schemas"].as_object().unwrap();
            let identity = json!({"group": row.group, "version": version, "kind": row.kind});
            let own = |schema: &&Value| {
                let kinds = schema["x-kubernetes-group-version-kind"].as_array();
                kinds.is_some_and(|kinds| kinds.contains(&identity))
            };
            let schema = schemas.values().find(own).unwrap_or_else(|| panic!("{identity}"));
            assert_eq!(schema["properties"]["metadata"]["allOf"].as_array().map(Vec::len), Some(1));
            let mut found = Vec::new();
            references(&document, &mut found);
            for name in found {
                let name = name.strip_prefix("#/components/schemas/").unwrap();
                assert!(schemas.get(name).is_some_and(Value::is_object), "{path}: {name}");
            }
            let place = if row.namespaced { "namespaces/{namespace}/" } else { "" };
            let patch = &document["paths"][format!("/{path}/{place}{}/{{name}}", row.plural)]["patch"];
            assert_eq!(patch["x-kubernetes-group-version-kind"], identity);
            assert!(patch["parameters"].to_string().contains("fieldValidation"));
            let strategic = &patch["requestBody"]["content"]["application/strategic-merge-patch+json"];
            assert_eq!(strategic.is_object(), row.builtin, "{identity}");
        }
    }
}

#[tokio::test]
async fn descriptions_are_kept_by_their_hash() {
    let api = Api::new().as_admin();
    let (_, index) = api.get("/openapi/v3").await;
    let url = index["paths"]["api/v1"]["serverRelativeURL"].as_str().unwrap();
    let header = |reply: &crate::demo::server::testing::Reply, name: &str| {
        reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let kept = api.send(Method::GET, url, "").await;
    assert_eq!((kept.code, header(&kept, "cache-control").as_str()), (200, "public, immutable"));
    let etag = header(&kept, "etag");
    assert!(url.ends_with(&format!("?hash={}", etag.trim_matches('"'))), "{url} {etag}");
    let other = api.send(Method::GET, "/openapi/v3/api/v1", "").await;
    assert_eq!((other.code, header(&other, "cache-control").as_str()), (200, "no-cache, private"));
    assert_eq!(other.body, kept.body);
    let again = api.with_header("if-none-match", &etag).send(Method::GET, url, "").await;
    assert_eq!((again.code, again.body.len()), (304, 0));
    for (accept, code) in [
        ("application/json", 200),
        ("application/com.github.proto-openapi.spec.v3@v1.0+protobuf, */*", 200),
        ("application/com.github.proto-openapi.spec.v3@v1.0+protobuf", 406),
    ] {
        assert_eq!(api.with_header("accept", accept).send(Method::GET, url, "").await.code, code, "{accept}");
    }
    for (method, path, code) in [
        (Method::POST, "/openapi/v3", 405),
        (Method::GET, "/openapi/v3/api/v2", 404),
        (Method::GET, "/openapi/v3/apis/kubevirt.io/v9", 404),
        (Method::GET, "/openapi/v3/../..", 404),
    ] {
        assert_eq!(api.send(method, path, "").await.code, code, "{path}");
    }
}
