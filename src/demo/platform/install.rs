//! Putting objects on a server before anything is played.

use http::Request;
use kube::Client;
use serde_json::{Value, json};

use super::execute::collection;
use super::kind::Kind;

/// An object that the server would not take.
#[derive(Debug, thiserror::Error)]
#[error("{kind} {name:?} cannot be created: {why}")]
pub struct NotInstalled {
    kind: String,
    name: String,
    #[source]
    why: kube::Error,
}

/// Creates objects, one after the other, with their status; those that are there already stay as they are, and those of kinds
/// that the server does not know are left out.
///
/// # Errors
///
/// The first object that is refused for another reason.
pub async fn install(client: &Client, objects: Vec<Value>) -> Result<(), NotInstalled> {
    for object in objects {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        create(client, object).await.map_err(|why| NotInstalled { kind, name, why })?;
    }
    Ok(())
}

async fn create(client: &Client, mut object: Value) -> Result<(), kube::Error> {
    let path = path(&object);
    let status = object.as_object_mut().and_then(|map| map.remove("status"));
    // A document of this program has no field that a server does not know.
    let strict = format!("{path}?fieldValidation=Strict");
    match send(client, "POST", &strict, &object).await {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return Ok(()),
        answer => answer?,
    };
    let Some(status) = status else { return Ok(()) };
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let answer = send(client, "PATCH", &format!("{path}/{name}/status"), &json!({"status": status})).await;
    match answer {
        // It has no status of its own.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        answer => answer.map(drop),
    }
}

fn path(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let namespace = text(&object["metadata"]["namespace"]);
    Kind::find(&api, &kind)
        .map_or_else(|| unwatched(&api, &kind, &namespace), |kind| collection(&kind.row(), &namespace))
}

/// The path of a kind that no reconciler looks at; the plurals of those that are made add an "s".
pub(super) fn unwatched(api_version: &str, kind: &str, namespace: &str) -> String {
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let plural = format!("{}s", kind.to_lowercase());
    match namespace {
        "" => format!("/{root}/{api_version}/{plural}"),
        _ => format!("/{root}/{api_version}/namespaces/{namespace}/{plural}"),
    }
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Result<Value, kube::Error> {
    let media = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = Request::builder().method(method).uri(path).header("Content-Type", media);
    let request = request.body(body.to_string().into_bytes()).map_err(kube::Error::HttpError)?;
    client.request(request).await
}
