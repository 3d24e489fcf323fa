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

/// What somebody registers who answers for a group.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The group.
    pub name: &'static str,
    /// Its versions, the preferred one first.
    pub versions: &'static [&'static str],
    /// The namespace of the service that leads to it.
    pub namespace: &'static str,
    /// The service.
    pub service: &'static str,
    /// How much the group counts among others, as an APIService says it.
    pub priority: u32,
    /// What a cluster has that has such a service already.
    pub stranger: &'static str,
}

/// That of KubeVirt.
pub(super) const KUBEVIRT: Group = Group {
    name: GROUP,
    versions: VERSIONS,
    namespace: "kubevirt",
    service: "virt-api",
    priority: 1000,
    stranger: "a KubeVirt",
};

/// What marks our objects, so that a real KubeVirt's are never touched.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "v9s-demo");

/// Why the group is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The API server refuses, or does not answer.
    #[error(transparent)]
    Refused(#[from] kube::Error),
    /// Somebody else answers for the group, or has the name.
    #[error("{0} is there already and was not made by v9s: this cluster has {1} of its own")]
    Foreign(String, &'static str),
    /// The API server no longer tells how its objects change.
    #[error("the API server has stopped telling whether the group is there")]
    Ended,
}

/// The objects that lead to the service.
#[must_use = "the objects stay until they are removed"]
pub struct Registration {
    client: Client,
    group: Group,
    /// Paths, in the order in which they were made.
    made: Vec<String>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Registers KubeVirt's group: see [`register_group`].
///
/// # Errors
///
/// [`RegisterError`]; nothing of ours is left then.
pub async fn register(client: Client, port: u16, authority: &str) -> Result<Registration, RegisterError> {
    register_group(client, KUBEVIRT, port, authority).await
}

/// Registers a group as served at this port of this machine, by somebody for whom this authority (PEM) vouches.
///
/// # Errors
///
/// [`RegisterError`]; nothing of ours is left then.
pub async fn register_group(
    client: Client,
    group: Group,
    port: u16,
    authority: &str,
) -> Result<Registration, RegisterError> {
    let mut registration = Registration { client, group, made: Vec::new() };
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
        let Group { name, versions, namespace, service, priority, .. } = self.group;
        if self.get(&format!("{NAMESPACES}/{namespace}")).await?.is_none() {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            self.put(NAMESPACES, object).await?;
        }
        // The proxy connects to the name and the port of the service; addresses of loopback are not allowed in Endpoints.
        let leads_here = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": service},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        });
        self.put(&format!("{NAMESPACES}/{namespace}/services"), leads_here).await?;
        for (place, version) in versions.iter().enumerate() {
            let api_service = json!({
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": format!("{version}.{name}")},
                "spec": {
                    "group": name, "version": version, "groupPriorityMinimum": priority, "versionPriority": 15 - place,
                    "service": {"namespace": namespace, "name": service, "port": port},
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
            Some(_) => return Err(RegisterError::Foreign(path, self.group.stranger)),
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
        let Group { name, versions, .. } = self.group;
        for version in versions {
            let uri = format!("{API_SERVICES}?watch=1&fieldSelector=metadata.name%3D{version}.{name}");
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
