//! A blocking way into an API server for tests: objects in, objects out.
//! Failures panic with the request and the server's answer.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::{StreamExt, stream};
use http::{Method, Request};
use kube::Client;
use kube::core::WatchEvent;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{deadline, lock};

/// How many requests of one call are on their way at a time.
pub(super) const CONCURRENT: usize = 16;

/// Returns the runtime in which the requests of all tests run.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    })
}

/// A cluster, seen by one user. Its clones share what they know of it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    kinds: Arc<Mutex<HashMap<(String, String), Kind>>>,
    /// How many definitions of the projects were applied; none if they are not at hand.
    pub(super) definitions: Arc<OnceLock<Option<usize>>>,
}

/// Where the objects of a kind stand.
#[derive(Clone, Debug)]
struct Kind {
    api_version: String,
    plural: String,
    namespaced: bool,
    /// Whether the status is written by itself.
    status: bool,
}

impl Cluster {
    /// Uses a client. Its own tasks must belong to [`runtime`].
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, kinds: Arc::default(), definitions: Arc::default() }
    }

    /// Takes the definitions of the projects for applied: this server has been made with them.
    #[must_use]
    pub fn with_definitions(self) -> Self {
        let _ = self.definitions.set(Some(0));
        self
    }

    /// Uses a kubeconfig file.
    #[must_use]
    pub fn from_kubeconfig(path: &Path) -> Self {
        let _inside = runtime().enter();
        let kubeconfig = kube::config::Kubeconfig::read_from(path).expect("a kubeconfig");
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options);
        let mut config = runtime().block_on(config).expect("a usable kubeconfig");
        // A test wants to see what the server said, not what it says after the fifteenth try.
        config.default_retry = false;
        Self::new(Client::try_from(config).expect("a client"))
    }

    /// Returns the client, for requests in [`runtime`].
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Makes one request; a body is sent as JSON, or as a merge patch.
    ///
    /// # Errors
    ///
    /// When there is no answer, or the server refuses.
    pub fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, kube::Error> {
        runtime().block_on(self.send(method, path, body))
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let media = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let body = body.map(|body| body.to_string().into_bytes());
        self.send_as(method, path, body.unwrap_or_default(), media).await
    }

    pub(super) async fn send_as(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        media: &str,
    ) -> Result<Value, kube::Error> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, media)
            .body(body)
            .expect("a request");
        self.client.request(request).await
    }

    /// Creates a namespace, unless there is one of that name.
    pub fn namespace(&self, name: &str) {
        runtime().block_on(self.ensure_namespace(name));
    }

    async fn ensure_namespace(&self, name: &str) {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        });
        let path = "/api/v1/namespaces";
        match self.send(Method::POST, path, Some(&namespace)).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => panic!("The namespace {name}: {error}"),
        }
    }

    /// Begins to delete a namespace with all that is in it.
    pub fn delete_namespace(&self, name: &str) {
        self.delete(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name},
        }));
    }

    /// Creates an object, with its status, and returns what the server made of it.
    pub fn create(&self, object: impl Into<Value>) -> Value {
        runtime().block_on(self.create_one(object.into()))
    }

    /// Creates objects in no order, and the namespaces that they are in.
    /// Returns what the server made of them, in the order given.
    pub fn create_many<O: Into<Value>>(&self, objects: impl IntoIterator<Item = O>) -> Vec<Value> {
        let objects: Vec<Value> = objects.into_iter().map(Into::into).collect();
        let mut namespaces: Vec<_> =
            objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        runtime().block_on(async {
            for name in namespaces {
                self.ensure_namespace(name).await;
            }
            stream::iter(objects.clone())
                .map(|object| self.create_one(object))
                .buffered(CONCURRENT)
                .collect()
                .await
        })
    }

    async fn create_one(&self, mut object: Value) -> Value {
        let kind = self.kind(&object).await;
        let status = match object.as_object_mut() {
            Some(fields) if kind.status => fields.remove("status"),
            _ => None,
        };
        let path = kind.collection(&object);
        let created = self.done(Method::POST, &path, Some(&object)).await;
        let Some(status) = status else { return created };
        let path = format!("{}/status", kind.path(&created));
        let status = json!({ "status": status });
        self.done(Method::PATCH, &path, Some(&status)).await
    }

    /// Changes the object of this kind, namespace and name by a merge patch.
    /// A status in the patch is written too.
    pub fn patch(&self, object: &Value, mut patch: Value) -> Value {
        runtime().block_on(async {
            let kind = self.kind(object).await;
            let path = kind.path(object);
            let status = match patch.as_object_mut() {
                Some(fields) if kind.status => fields.remove("status"),
                _ => None,
            };
            let mut patched = Value::Null;
            if patch.as_object().is_some_and(|fields| !fields.is_empty()) {
                patched = self.done(Method::PATCH, &path, Some(&patch)).await;
            }
            if let Some(status) = status {
                let path = format!("{path}/status");
                let status = json!({ "status": status });
                patched = self.done(Method::PATCH, &path, Some(&status)).await;
            }
            patched
        })
    }

    /// Returns the object of this kind, namespace and name, if there is one.
    #[must_use]
    pub fn get(&self, object: &Value) -> Option<Value> {
        runtime().block_on(async {
            let path = self.kind(object).await.path(object);
            match self.send(Method::GET, &path, None).await {
                Ok(found) => Some(found),
                Err(kube::Error::Api(status)) if status.code == 404 => None,
                Err(error) => panic!("GET {path}: {error}"),
            }
        })
    }

    /// Deletes the object of this kind, namespace and name. It may be gone already.
    pub fn delete(&self, object: &Value) {
        runtime().block_on(async {
            let path = self.kind(object).await.path(object);
            match self.send(Method::DELETE, &path, None).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => panic!("DELETE {path}: {error}"),
            }
        });
    }

    /// Waits until the object of this kind, namespace and name is there and as
    /// `wanted`, and returns it.
    pub fn wait_for(&self, object: &Value, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.watched(object, what, &async |kind: &Kind| {
            let is_wanted = |event| match event {
                WatchEvent::Added(seen) | WatchEvent::Modified(seen) => wanted(&seen).then_some(seen),
                _ => None,
            };
            // Without a version the watch begins with the object as it is.
            self.watch(kind, object, "", is_wanted).await
        })
    }

    /// Waits until there is no object of this kind, namespace and name.
    pub fn wait_gone(&self, object: &Value) {
        self.watched(object, "its end", &async |kind: &Kind| {
            let path = format!("{}?{}", kind.collection(object), selector(object));
            let list = self.send(Method::GET, &path, None).await.ok()?;
            if list["items"].as_array().is_some_and(Vec::is_empty) {
                return Some(());
            }
            let is_end = |event| matches!(event, WatchEvent::Deleted(_)).then_some(());
            let version = text(&list["metadata"]["resourceVersion"]);
            self.watch(kind, object, version, is_end).await
        });
    }

    /// Tries until there is an answer or the deadline has come.
    fn watched<T>(&self, object: &Value, what: &str, attempt: &impl AsyncFn(&Kind) -> Option<T>) -> T {
        let until = tokio::time::Instant::from_std(deadline());
        runtime().block_on(async {
            let kind = self.kind(object).await;
            let attempts = async {
                loop {
                    if let Some(answer) = attempt(&kind).await {
                        return answer;
                    }
                    // The watch has ended, or the server is away.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let answer = tokio::time::timeout_at(until, attempts).await;
            let Ok(answer) = answer else {
                let path = kind.path(object);
                let now = self.send(Method::GET, &path, None).await;
                panic!("Waited in vain for {what} of {path}, which is now {now:#?}");
            };
            answer
        })
    }

    /// Watches one object until there is a wanted event; `None` if the watch ends before.
    async fn watch<T>(
        &self,
        kind: &Kind,
        object: &Value,
        since: &str,
        wanted: impl Fn(WatchEvent<Value>) -> Option<T>,
    ) -> Option<T> {
        let path = kind.collection(object);
        let selector = selector(object);
        let uri = format!("{path}?watch=1&resourceVersion={since}&{selector}");
        let request = Request::get(uri).body(Vec::new()).expect("a request");
        let events = self.client.request_events::<Value>(request).await.ok()?;
        let mut events = std::pin::pin!(events);
        while let Some(Ok(event)) = events.next().await {
            if let Some(answer) = wanted(event) {
                return Some(answer);
            }
        }
        None
    }

    async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        match self.send(method.clone(), path, body).await {
            Ok(answer) => answer,
            Err(error) => panic!(
                "{method} {path}: {error}\n{}",
                body.map(|body| format!("{body:#}")).unwrap_or_default()
            ),
        }
    }

    async fn kind(&self, object: &Value) -> Kind {
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let key = (api_version.to_owned(), kind.to_owned());
        if let Some(known) = lock(&self.kinds).get(&key) {
            return known.clone();
        }
        let path = root(api_version);
        let list = self.done(Method::GET, &path, None).await;
        let resources = list["resources"].as_array().expect("resources");
        let Some(found) = resources.iter().find(|r| r["kind"] == kind && !text(&r["name"]).contains('/'))
        else {
            panic!("The server has no {kind} in {api_version}.");
        };
        let plural = text(&found["name"]).to_owned();
        let status = format!("{plural}/status");
        let known = Kind {
            api_version: api_version.to_owned(),
            namespaced: found["namespaced"] == true,
            status: resources.iter().any(|r| r["name"] == status.as_str()),
            plural,
        };
        lock(&self.kinds).insert(key, known.clone());
        known
    }
}

impl Kind {
    fn collection(&self, object: &Value) -> String {
        let root = root(&self.api_version);
        let plural = &self.plural;
        match object["metadata"]["namespace"].as_str() {
            _ if !self.namespaced => format!("{root}/{plural}"),
            namespace => {
                let namespace = namespace.unwrap_or("default");
                format!("{root}/namespaces/{namespace}/{plural}")
            }
        }
    }

    fn path(&self, object: &Value) -> String {
        let name = text(&object["metadata"]["name"]);
        format!("{}/{name}", self.collection(object))
    }
}

fn selector(object: &Value) -> String {
    let name = text(&object["metadata"]["name"]);
    format!("fieldSelector=metadata.name%3D{name}")
}

fn root(api_version: &str) -> String {
    match api_version.contains('/') {
        true => format!("/apis/{api_version}"),
        false => format!("/api/{api_version}"),
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("A text was expected, not {value}."))
}
