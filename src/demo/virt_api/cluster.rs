//! The way to the API server: what is read for a decision, and what a decision writes.

use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use kube::Client;
use serde_json::{Value, json};

use super::decide::{Need, Race, World, Write};
use super::refusal::{About, Refusal};
use super::verbs::{Action, Of, Target};

const KUBEVIRT: &str = "/apis/kubevirt.io/v1";

/// Who says events of guests.
const HANDLER: &str = "virt-handler";

/// Why a write was not made.
#[derive(Debug)]
pub(super) enum Failed {
    /// The object is no longer what it was when it was looked at; the answer for whoever gives up.
    Changed(Refusal),
    /// Anything else.
    Refused(Refusal),
}

/// Objects of the cluster, as KubeVirt's service account sees them.
#[derive(Clone)]
pub(super) struct Cluster {
    client: Client,
}

impl Cluster {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    async fn send(&self, method: Method, path: &str, media: &str, body: Vec<u8>) -> kube::Result<Value> {
        let request = Request::builder().method(method).uri(path).header(http::header::CONTENT_TYPE, media);
        let request = request.body(body).map_err(kube::Error::HttpError)?;
        self.client.request(request).await
    }

    /// The object at a path, if there is one.
    async fn get(&self, path: &str) -> kube::Result<Option<Value>> {
        match self.send(Method::GET, path, "application/json", Vec::new()).await {
            Ok(found) => Ok(Some(found)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// The machine and the VMI of a request.
    pub(super) async fn look(&self, target: &Target) -> Result<World, Refusal> {
        let get = async |of: Of, word: &str| {
            let found = self.get(&path(target, of)).await;
            let name = &target.name;
            found.map_err(|why| {
                Refusal::internal(format!("unable to retrieve {word} [{name}]: {}", told(&why)))
            })
        };
        let alone = target.verb.of == Of::Instance && target.verb.action != Action::Unpause;
        let only_machine = target.verb.action == Action::ExpandSpec;
        let (machine, instance) =
            futures::join!(async { if alone { Ok(None) } else { get(Of::Machine, "vm").await } }, async {
                if only_machine { Ok(None) } else { get(Of::Instance, "vmi").await }
            });
        Ok(World { machine: machine?, instance: instance?, ..World::default() })
    }

    /// One thing more.
    pub(super) async fn look_up(
        &self,
        target: &Target,
        need: Need,
        world: &mut World,
    ) -> Result<(), Refusal> {
        let namespace = &target.namespace;
        const TYPES: &str = "/apis/instancetype.kubevirt.io/v1beta1";
        let place = |kind: &str, name: &str| {
            let plural = format!("{}s", kind.to_lowercase().trim_end_matches('s'));
            match plural.starts_with("virtualmachinecluster") {
                true => format!("{TYPES}/{plural}/{}", segment(name)),
                false => format!("{TYPES}/namespaces/{namespace}/{plural}/{}", segment(name)),
            }
        };
        let (path, to) = match need {
            Need::Claim(name) => {
                let path =
                    format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{}", segment(&name));
                (path, &mut world.claim)
            }
            Need::Node(name) => (format!("/api/v1/nodes/{}", segment(&name)), &mut world.node),
            Need::Instancetype(kind, name) => (place(&kind, &name), &mut world.instancetype),
            Need::Preference(kind, name) => (place(&kind, &name), &mut world.preference),
        };
        *to = self.get(&path).await.map_err(|why| Refusal::internal(told(&why)))?;
        Ok(())
    }

    /// Makes one change. With values in `dry_run` the server checks it only.
    pub(super) async fn write(
        &self,
        target: &Target,
        write: &Write,
        dry_run: &[String],
        race: Race,
        world: &World,
        now: Timestamp,
    ) -> Result<(), Failed> {
        let query = dry_query(dry_run);
        match write {
            Write::Patch { of, status, operations } => {
                let part = if *status { "/status" } else { "" };
                let path = format!("{}{part}{query}", path(target, *of));
                let media = "application/json-patch+json";
                let body = Value::from(operations.clone()).to_string();
                match self.send(Method::PATCH, &path, media, body.into_bytes()).await {
                    Ok(_) => Ok(()),
                    Err(why) => Err(patch_failed(why, target, *of, *status, race)),
                }
            }
            Write::Migration(object) => {
                let path = format!(
                    "{KUBEVIRT}/namespaces/{}/virtualmachineinstancemigrations{query}",
                    target.namespace
                );
                let sent =
                    self.send(Method::POST, &path, "application/json", object.to_string().into_bytes());
                sent.await.map(|_| ()).map_err(|why| Failed::Refused(Refusal::internal(told(&why))))
            }
            Write::Event { .. } if !dry_run.is_empty() => Ok(()),
            Write::Event { reason, message } => {
                let event = event(target, world, reason, message, now);
                let path = format!("/api/v1/namespaces/{}/events", target.namespace);
                let sent = self.send(Method::POST, &path, "application/json", event.to_string().into_bytes());
                if let Err(why) = sent.await {
                    tracing::debug!(%why, "an event was not written");
                }
                Ok(())
            }
        }
    }
}

/// The query that asks for a dry run; empty for a real one.
fn dry_query(values: &[String]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(values.iter().map(|value| ("dryRun", value)));
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// How a patch that was refused is told.
fn patch_failed(why: kube::Error, target: &Target, of: Of, status: bool, race: Race) -> Failed {
    let code = match &why {
        kube::Error::Api(status) => status.code,
        _ => 0,
    };
    let (about, word) = match of {
        Of::Machine => (About::Machine, "vm"),
        Of::Instance => (About::Instance, "vmi"),
    };
    match (race, code, why) {
        // A test that fails, or somebody who wrote at the same time.
        (Race::Again, 409 | 422, why) => Failed::Changed(Refusal::conflict(about, &target.name, told(&why))),
        (Race::Again, 404, _) => Failed::Refused(Refusal::not_found(about, &target.name)),
        (Race::Told, 422, kube::Error::Api(status)) => {
            let code = StatusCode::UNPROCESSABLE_ENTITY;
            Failed::Refused(Refusal::passed(code, serde_json::to_value(&*status).unwrap_or_default()))
        }
        (Race::Told, _, why) if target.verb.action != Action::CancelEvacuation => {
            let part = if status { " status" } else { "" };
            Failed::Refused(Refusal::internal(format!("unable to patch {word}{part}: {}", told(&why))))
        }
        (_, _, why) => Failed::Refused(Refusal::internal(told(&why))),
    }
}

/// What the server said, without what the client puts around it.
fn told(why: &kube::Error) -> String {
    match why {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

fn path(target: &Target, of: Of) -> String {
    format!("{KUBEVIRT}/namespaces/{}/{}/{}", target.namespace, of.plural(), target.name)
}

/// A name as a part of a path: it may come from a body or a status, and be anything.
fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An event about a VMI, as the part of KubeVirt on its node says it.
fn event(target: &Target, world: &World, reason: &str, message: &str, now: Timestamp) -> Value {
    let instance = world.instance.as_ref().unwrap_or(&Value::Null);
    let time = format!("{now:.0}");
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{}.{:016x}", target.name, fastrand::u64(..)), "namespace": target.namespace},
        "involvedObject": {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "name": target.name,
            "namespace": target.namespace, "uid": instance["metadata"]["uid"],
            "resourceVersion": instance["metadata"]["resourceVersion"],
        },
        "type": "Normal", "reason": reason, "message": message, "count": 1, "firstTimestamp": time, "lastTimestamp": time,
        "source": {"component": HANDLER, "host": instance["status"]["nodeName"]},
        "reportingComponent": HANDLER, "reportingInstance": "",
    })
}
