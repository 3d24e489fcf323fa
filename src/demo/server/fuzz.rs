//! Whatever a request says, there is an answer: a `Status` where it is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::route::{Query, Route, Target};
use super::selector::Selection;
use super::testing::Api;

/// A word of a path or a query: one that means something, or any text.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "api",
        "apis",
        "v1",
        "v1beta1",
        "apps",
        "kubevirt.io",
        "namespaces",
        "shop",
        "pods",
        "nodes",
        "events",
        "a",
        "virtualmachines",
        "status",
        "scale",
        "log",
        "binding",
        "eviction",
        "finalize",
        "proxy",
        "version",
        "readyz",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[%a-z.~/]{0,8}"]
}

fn parameter() -> impl Strategy<Value = (String, String)> {
    let name = prop::sample::select(vec![
        "limit",
        "continue",
        "resourceVersion",
        "resourceVersionMatch",
        "labelSelector",
        "fieldSelector",
        "dryRun",
        "timeoutSeconds",
        "pretty",
        "follow",
        "tailLines",
        "fieldManager",
        "propagationPolicy",
        "gracePeriodSeconds",
        "includeObject",
        "sinceSeconds",
        "limitBytes",
        "fieldValidation",
    ]);
    let value = prop_oneof![
        any::<String>(),
        "-?[0-9]{0,25}",
        "[a-z!=(), ]{0,30}",
        "(metadata.(name|namespace)|spec.nodeName|x)(=|==|!=)[a-z,=]{0,10}",
        token(),
        prop::sample::select(vec!["true", "false", "Exact", "NotOlderThan", "All", "Orphan"])
            .prop_map(str::to_owned),
    ];
    (name.prop_map(str::to_owned), value)
}

/// A token that a server might have made, or nearly.
fn token() -> impl Strategy<Value = String> {
    (any::<u64>(), any::<String>(), any::<String>(), 0_usize..4).prop_map(|(rv, namespace, name, cut)| {
        let text = json!({"rv": rv, "namespace": namespace, "name": name}).to_string();
        let token = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, text);
        token.chars().take(token.len().saturating_sub(cut)).collect()
    })
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn query(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// Any JSON, a few levels deep.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    let field = prop::sample::select(vec![
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "generateName",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "uid",
        "resourceVersion",
        "spec",
        "status",
        "op",
        "path",
        "from",
        "value",
        "preconditions",
        "deletionTimestamp",
        "gracePeriodSeconds",
        "target",
        "replicas",
        "resourceAttributes",
        "containers",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn paths_and_queries_never_panic(path in any::<String>(), words in prop::collection::vec(word(), 0..9), query in any::<String>(), selector in "[a-z!=(), \u{e9}]{0,40}") {
        let _ = Route::parse(&path);
        let _ = Route::parse(&words.join("/"));
        let query = Query::parse(&query);
        for name in ["limit", "continue", ""] {
            let _ = (query.get(name), query.number(name), query.flag(name));
        }
        let Ok(Route::Objects(target)) = Route::parse("/api/v1/namespaces/shop/pods") else { unreachable!() };
        let target: Target = target;
        for name in ["labelSelector", "fieldSelector"] {
            let _ = Selection::parse(&Query::parse(&format!("{name}={}", encoded(&selector))), &target);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_request_is_answered(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]),
        words in prop::collection::vec(word(), 0..8),
        parameters in prop::collection::vec(parameter(), 0..4),
        media in prop::sample::select(vec!["application/json", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain", ""]),
        accept in prop::sample::select(vec!["application/json", "application/json;as=Table;v=v1;g=meta.k8s.io", "*/*", "x"]),
        body in document(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let api = Api::new().as_admin().with_header("content-type", media).with_header("accept", accept);
            for kind in ["Pod", "Secret"] {
                let metadata = json!({"namespace": "shop", "name": "a", "labels": {"app": "web"}});
                api.server().put(json!({"apiVersion": "v1", "kind": kind, "metadata": metadata})).unwrap();
            }
            let path: Vec<String> = words.iter().map(|word| encoded(word)).collect();
            let path = format!("/{}?{}", path.join("/"), query(&parameters));
            let mut response = api.open(method.parse().unwrap(), &path, body.to_string()).await;
            // Logs that are followed do not end.
            let follows = parameters.iter().any(|(name, _)| name == "follow");
            if response.status().is_client_error() && method != "HEAD" {
                let body = http_body_util::BodyExt::collect(response.body_mut()).await.unwrap().to_bytes();
                let status: Value = serde_json::from_slice(&body).unwrap_or_default();
                // What is no path of the API at all is answered in plain text.
                let nowhere = body.starts_with(b"404 page not found");
                assert!(status["kind"] == "Status" || nowhere, "{method} {path}: {}", String::from_utf8_lossy(&body));
            } else if !follows {
                assert!(!response.status().is_server_error() || matches!(response.status().as_u16(), 501 | 504), "{method} {path}: {response:?}");
                http_body_util::BodyExt::collect(response.body_mut()).await.unwrap();
            }
        });
    }
}
