//! Telling a real kube-apiserver who answers for the group: a Service that leads to this machine, and an APIService for
//! each version.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt as _;
use http::{Method, Request, header};
use kube::Client;
use kube::core::WatchEvent;
use serde_json::{Value, json};

use super::{GROUP, VERSIONS};

const API_SERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
const NAMESPACES: &str = "/api/v1/namespaces";

/// The namespace of KubeVirt, and the service in it.
pub(super) const NAMESPACE: &str = "kubevirt";
pub(super) const SERVICE: &str = "virt-api";

/// What marks our objects, so that a real KubeVirt's are never touched.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "v9s-demo");

/// Why the group is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The API server refuses, or does not answer.
    #[error(transparent)]
    Refused(#[from] kube::Error),
    /// Somebody else answers for the group, or has the name.
    #[error("{0} is there already and was not made by v9s: this cluster has a KubeVirt of its own")]
    Foreign(String),
    /// The API server no longer tells how its objects change.
    #[error("the API server has stopped telling whether the group is there")]
    Ended,
}

/// The objects that lead to the service.
#[must_use = "the objects stay until they are removed"]
pub struct Registration {
    client: Client,
    /// Paths, in the order in which they were made.
    made: Vec<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Registers the group as served at this port of this machine, by somebody for whom this authority (PEM) vouches.
///
/// # Errors
///
/// [`RegisterError`]; nothing of ours is left then.
pub async fn register(client: Client, port: u16, authority: &str) -> Result<Registration, RegisterError> {
    let mut registration = Registration { client, made: Vec::new() };
    match registration.make(port, authority).await {
        Ok(()) => Ok(registration),
        Err(why) => {
            let _ = registration.remove().await;
            Err(why)
        }
    }
}

impl Registration {
    async fn make(&mut self, port: u16, authority: &str) -> Result<(), RegisterError> {
        let namespace = format!("{NAMESPACES}/{NAMESPACE}");
        if self.get(&namespace).await?.is_none() {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
            self.put(NAMESPACES, object).await?;
        }
        // The proxy connects to the name and the port of the service; addresses of loopback are not allowed in Endpoints.
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": NAMESPACE, "name": SERVICE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        });
        self.put(&format!("{NAMESPACES}/{NAMESPACE}/services"), service).await?;
        for (place, version) in VERSIONS.iter().enumerate() {
            let api_service = json!({
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": format!("{version}.{GROUP}")},
                "spec": {
                    "group": GROUP, "version": version, "groupPriorityMinimum": 1000, "versionPriority": 15 - place,
                    "service": {"namespace": NAMESPACE, "name": SERVICE, "port": port},
                    "caBundle": STANDARD.encode(authority),
                },
            });
            self.put(API_SERVICES, api_service).await?;
        }
        Ok(())
    }

    /// Makes an object, in place of one that an earlier run has left.
    async fn put(&mut self, collection: &str, mut object: Value) -> Result<(), RegisterError> {
        let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        object["metadata"]["labels"] = json!({MARK.0: MARK.1});
        match self.get(&path).await? {
            Some(present) if present["metadata"]["labels"][MARK.0] == MARK.1 => {
                object["metadata"]["resourceVersion"] = present["metadata"]["resourceVersion"].clone();
                self.send(Method::PUT, &path, Some(&object)).await?;
            }
            Some(_) => return Err(RegisterError::Foreign(path)),
            None => {
                self.send(Method::POST, collection, Some(&object)).await?;
            }
        }
        self.made.push(path);
        Ok(())
    }

    async fn get(&self, path: &str) -> kube::Result<Option<Value>> {
        match self.send(Method::GET, path, None).await {
            Ok(found) => Ok(Some(found)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(why) => Err(why),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> kube::Result<Value> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        self.client.request(request.body(body).map_err(kube::Error::HttpError)?).await
    }

    /// Waits until the API server reaches the service in all versions: some seconds.
    ///
    /// # Errors
    ///
    /// When the API server no longer answers.
    pub async fn available(&self) -> Result<(), RegisterError> {
        for version in VERSIONS {
            let uri = format!("{API_SERVICES}?watch=1&fieldSelector=metadata.name%3D{version}.{GROUP}");
            let request = Request::get(uri).body(Vec::new()).map_err(kube::Error::HttpError)?;
            let mut events = std::pin::pin!(self.client.request_events::<Value>(request).await?);
            loop {
                let seen = match events.next().await {
                    Some(Ok(WatchEvent::Added(seen) | WatchEvent::Modified(seen))) => seen,
                    Some(Ok(_)) => continue,
                    Some(Err(why)) => return Err(why.into()),
                    None => return Err(RegisterError::Ended),
                };
                let conditions = seen["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
                if conditions.iter().any(|one| one["type"] == "Available" && one["status"] == "True") {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Takes the objects away again, the last one first.
    ///
    /// # Errors
    ///
    /// The first that there was; the others are taken away all the same.
    pub async fn remove(self) -> Result<(), RegisterError> {
        let mut first = Ok(());
        for path in self.made.iter().rev() {
            match self.send(Method::DELETE, path, None).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(why) => first = first.and(Err(why.into())),
            }
        }
        first
    }
}
