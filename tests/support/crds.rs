//! The CustomResourceDefinitions of the projects for an API server, or open
//! ones in their place.

use std::path::Path;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use http::Method;
use serde_json::{Value, json};

use super::cluster::{CONCURRENT, Cluster, runtime, text};
use super::deadline;

/// The CustomResourceDefinitions that were applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definitions {
    /// Those of the projects: the server checks objects.
    Real(usize),
    /// Open ones: the server takes every object.
    Open(usize),
}

/// A CustomResourceDefinition that lets every object pass.
#[derive(Clone, Debug)]
pub struct OpenCrd {
    /// The API group.
    pub group: &'static str,
    /// The version, like `v1`.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// Its name in paths.
    pub plural: &'static str,
    /// Its name for one object.
    pub singular: &'static str,
    /// Its short names.
    pub short_names: &'static [&'static str],
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether the status is written by itself.
    pub status_subresource: bool,
}

impl OpenCrd {
    /// Returns the definition as an object.
    #[must_use]
    pub fn json(&self) -> Value {
        let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let mut version = json!({
            "name": self.version, "served": true, "storage": true,
            "schema": {"openAPIV3Schema": open},
        });
        if self.status_subresource {
            version["subresources"] = json!({"status": {}});
        }
        let mut metadata = json!({"name": format!("{}.{}", self.plural, self.group)});
        if self.group.ends_with(".k8s.io") {
            // These groups are protected.
            metadata["annotations"] = json!({"api-approved.kubernetes.io": "unapproved, for tests"});
        }
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": metadata,
            "spec": {
                "group": self.group,
                "names": {
                    "kind": self.kind, "listKind": format!("{}List", self.kind),
                    "plural": self.plural, "singular": self.singular,
                    "shortNames": self.short_names,
                },
                "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
                "versions": [version],
            },
        })
    }
}

impl Cluster {
    /// Applies the CustomResourceDefinitions of KubeVirt, CDI, volume
    /// snapshots, Virtink and Kairos from `$V9S_TEST_DATA/crds`, or the open
    /// ones given here if there is no such folder; then waits until all of
    /// them are served. The real ones are applied by the first call only.
    pub fn apply_crds(&self, otherwise: &[OpenCrd]) -> Definitions {
        let apply = || {
            let files = definition_files()?;
            let count = files.len();
            runtime().block_on(self.define(files, "application/yaml"));
            Some(count)
        };
        match self.definitions.get_or_init(apply) {
            Some(count) => Definitions::Real(*count),
            None => {
                self.apply_open(otherwise);
                Definitions::Open(otherwise.len())
            }
        }
    }

    /// Notes that the server has the kinds of the projects by itself.
    pub fn has_definitions(&self) {
        let _ = self.definitions.set(Some(0));
    }

    /// Applies open CustomResourceDefinitions and waits until they are served.
    pub fn apply_open(&self, definitions: &[OpenCrd]) {
        let open = definitions.iter().map(|crd| crd.json().to_string());
        runtime().block_on(self.define(open.collect(), "application/json"));
    }

    async fn define(&self, texts: Vec<String>, media: &str) {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let defined = stream::iter(texts).map(|text| async move {
            let name = definition_name(&text);
            let posted = self.send_as(Method::POST, path, text.into_bytes(), media).await;
            let definition = match posted {
                Err(kube::Error::Api(status)) if status.code == 409 => {
                    self.send(Method::GET, &format!("{path}/{name}"), None).await
                }
                other => other,
            };
            definition.unwrap_or_else(|error| panic!("The definition {name}: {error}"))
        });
        let defined: Vec<Value> = defined.buffer_unordered(CONCURRENT).collect().await;
        // Nothing announces that a kind can be used: Established comes before.
        let deadline = deadline();
        for definition in defined {
            let spec = &definition["spec"];
            for version in spec["versions"].as_array().expect("versions") {
                if version["served"] != true {
                    continue;
                }
                let group = format!("/apis/{}/{}", text(&spec["group"]), text(&version["name"]));
                let plural = text(&spec["names"]["plural"]);
                let list = format!("{group}/{plural}?limit=1");
                while self.send(Method::GET, &list, None).await.is_err() || !self.offers(&group, plural).await
                {
                    assert!(Instant::now() < deadline, "{list} is still not served");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Cluster {
    /// Returns whether a kind is among those that the server lists for a version of a group.
    async fn offers(&self, group: &str, plural: &str) -> bool {
        let offered = self.send(Method::GET, group, None).await.unwrap_or_default();
        offered["resources"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["name"] == plural))
    }
}

/// The name of a definition in YAML or in JSON.
fn definition_name(definition: &str) -> String {
    if let Ok(json) = serde_json::from_str::<Value>(definition) {
        return text(&json["metadata"]["name"]).to_owned();
    }
    let name = definition.lines().find_map(|line| line.strip_prefix("  name: "));
    name.expect("a name").trim_matches('"').to_owned()
}

/// The texts of the definitions of the projects, if they are at hand.
fn definition_files() -> Option<Vec<String>> {
    let folder = Path::new(&std::env::var_os("V9S_TEST_DATA")?).join("crds");
    if !folder.is_dir() {
        return None;
    }
    let mut files = vec![];
    for project in ["kubevirt", "cdi", "snapshot", "virtink"] {
        for entry in std::fs::read_dir(folder.join(project)).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|end| end == "yaml") {
                files.push(path);
            }
        }
    }
    // The folder holds several editions of one definition.
    files.push(folder.join("kairos/osartifacts.build.kairos.io.v1alpha2-two-stage.yaml"));
    let read = |path| std::fs::read_to_string(path).expect("a definition");
    Some(files.into_iter().map(read).collect())
}
