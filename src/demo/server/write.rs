//! Creating and changing objects.

use http::StatusCode;
use serde_json::{Value, json};

use super::Server;
use super::body::{Body, Stored};
use super::http::{Answer, Call};
use super::read;
use super::refusal::Refusal;
use super::storage::Key;

/// A new object.
pub(crate) fn create(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let kind = call.target.kind;
    let mut object: Value =
        serde_json::from_slice(&call.body).map_err(|why| Refusal::bad_request(why.to_string()))?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let namespace = call.target.namespace.clone().unwrap_or_default();
    let key = Key::new(&namespace, &name);
    let stored = server.storage().with(|state| {
        if state.get(kind, &key).is_some() {
            return Err(Refusal::already_exists(kind, &name));
        }
        let resource_version = state.next();
        object["metadata"]["resourceVersion"] = json!(resource_version.to_string());
        object["metadata"]["creationTimestamp"] = json!(call.now.to_string());
        let stored = Stored { kind, key, resource_version, body: Body::of(kind, object) };
        state.put(stored.clone());
        Ok(stored)
    })?;
    Ok(read::one(call, StatusCode::CREATED, &stored))
}

/// An object in place of another.
pub(crate) fn update(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let _ = (server, call);
    Err(Refusal::method_not_allowed())
}

/// A change to an object.
pub(crate) fn patch(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let _ = (server, call);
    Err(Refusal::method_not_allowed())
}
