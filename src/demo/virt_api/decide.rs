//! What a request leads to: changes of objects and an answer, or a refusal. Nothing here talks to anybody.
//!
//! Where KubeVirt hands a request on to virt-handler and the guest, which are played here, the writes are those that
//! virt-handler makes when the guest has done its part.

mod instance;
mod lifecycle;
mod memory;
mod stream;
#[cfg(test)]
mod tests;
mod volumes;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::agent;
use super::body::Options;
use super::expand;
use super::refusal::{About, Refusal};
use super::verbs::{Action, Of, Target};
pub use stream::Channel;
pub(super) use stream::undialable;

/// What is there, as far as the verb has to know it.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) machine: Option<Value>,
    pub(super) instance: Option<Value>,
    /// The claim that a memory dump goes into.
    pub(super) claim: Option<Value>,
    /// The node that a machine is or shall be off.
    pub(super) node: Option<Value>,
    pub(super) instancetype: Option<Value>,
    pub(super) preference: Option<Value>,
}

/// One thing more that has to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Claim(String),
    Node(String),
    /// Kind and name.
    Instancetype(String, String),
    /// Kind and name.
    Preference(String, String),
}

/// A change of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Write {
    /// A JSON patch of the object of the request, or of the one with its name of the other kind.
    Patch { of: Of, status: bool, operations: Vec<Value> },
    /// A migration.
    Migration(Value),
    /// An event about the VMI. Whether it can be written makes no difference.
    Event { reason: &'static str, message: &'static str },
}

/// How it is told that an object has changed between reading and writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Race {
    /// Everything is looked at anew some times; then it is a conflict about the object.
    Again,
    /// As the API server tells it.
    Told,
}

/// What is to be done, in this order, and then answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    pub(super) writes: Vec<Write>,
    /// Values of `dryRun` that the API server is asked with.
    pub(super) dry_run: Vec<String>,
    pub(super) race: Race,
    pub(super) then: Outcome,
}

/// The answer of a request that is done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Without a body.
    Empty(StatusCode),
    Json(Value),
    /// The connection becomes a stream to the guest.
    Stream(Channel),
}

impl Decision {
    fn new(then: Outcome) -> Self {
        Self { writes: Vec::new(), dry_run: Vec::new(), race: Race::Again, then }
    }

    fn accepted() -> Self {
        Self::new(Outcome::Empty(StatusCode::ACCEPTED))
    }

    fn ok() -> Self {
        Self::new(Outcome::Empty(StatusCode::OK))
    }

    fn writing(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    fn dry(mut self, dry_run: Vec<String>) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// What has to be looked up beside the machine and its VMI.
pub(super) fn needs(target: &Target, body: &[u8], world: &World) -> Vec<Need> {
    match target.verb.action {
        Action::MemoryDump => memory::claim(body, world).map(Need::Claim).into_iter().collect(),
        Action::CancelEvacuation => {
            let node = world.instance.as_ref().map(instance::evacuated_node).unwrap_or_default();
            (!node.is_empty()).then(|| Need::Node(node.to_owned())).into_iter().collect()
        }
        Action::ExpandSpec => {
            let matcher = |field: &str, kind: &str| {
                let matcher = world.machine.as_ref()?["spec"].get(field)?;
                let name = text(matcher, "name");
                let said = text(matcher, "kind");
                let kind = if said.is_empty() { kind } else { said };
                (!name.is_empty()).then(|| (kind.to_owned(), name.to_owned()))
            };
            let size = matcher("instancetype", expand::CLUSTER_INSTANCETYPE);
            let taste = matcher("preference", expand::CLUSTER_PREFERENCE);
            let size = size.map(|(kind, name)| Need::Instancetype(kind, name));
            size.into_iter().chain(taste.map(|(kind, name)| Need::Preference(kind, name))).collect()
        }
        _ => Vec::new(),
    }
}

/// Decides.
pub(super) fn decide(
    target: &Target,
    body: &[u8],
    world: &World,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    match target.verb.action {
        Action::Start => lifecycle::start(target, body, world),
        Action::Stop => lifecycle::stop(target, body, world),
        Action::Restart => lifecycle::restart(target, body, world),
        Action::Migrate => lifecycle::migrate(target, body, world),
        Action::AddVolume => volumes::add(target, body, world),
        Action::RemoveVolume => volumes::remove(target, body, world),
        Action::MemoryDump => memory::dump(target, body, world),
        Action::RemoveMemoryDump => memory::forget(target, world),
        Action::CancelEvacuation => instance::cancel_evacuation(target, body, world),
        Action::ExpandSpec => {
            let machine = machine(target, world)?;
            let types = [world.instancetype.as_ref(), world.preference.as_ref()];
            expand::expand(machine, types).map(|whole| Decision::new(Outcome::Json(whole)))
        }
        Action::Pause => instance::pause(target, body, world, now),
        Action::Unpause => instance::unpause(target, body, world),
        Action::Freeze => instance::freeze(target, world),
        Action::Unfreeze => instance::unfreeze(target, world),
        Action::SoftReboot => instance::soft_reboot(target, world),
        Action::Reset => instance::reset(target, world),
        Action::GuestOsInfo => queried(target, world, |instance| agent::os_info(instance, now)),
        Action::UserList => queried(target, world, |instance| agent::users(instance, now)),
        Action::FilesystemList => queried(target, world, agent::filesystems),
        Action::Console | Action::Vnc | Action::PortForward => stream::open(target, world),
    }
}

/// An answer of the guest's agent.
fn queried(target: &Target, world: &World, ask: impl FnOnce(&Value) -> Value) -> Result<Decision, Refusal> {
    let checked = instance(target, world).and_then(|found| {
        let refuse = |why: &str| Err(Refusal::conflict(About::Instance, &target.name, why));
        match found {
            _ if phase(found) != RUNNING => refuse(VMI_NOT_RUNNING),
            _ if condition(found, "AgentConnected").is_none() => {
                refuse("VMI does not have guest agent connected")
            }
            found => Ok(found),
        }
    });
    checked.map(|found| Decision::new(Outcome::Json(ask(found)))).map_err(Refusal::of_agent)
}

const RUNNING: &str = "Running";
const VM_NOT_RUNNING: &str = "VM is not running";
const VMI_NOT_RUNNING: &str = "VMI is not running";

fn machine<'a>(target: &Target, world: &'a World) -> Result<&'a Value, Refusal> {
    world.machine.as_ref().ok_or_else(|| Refusal::not_found(About::Machine, &target.name))
}

fn instance<'a>(target: &Target, world: &'a World) -> Result<&'a Value, Refusal> {
    world.instance.as_ref().ok_or_else(|| Refusal::not_found(About::Instance, &target.name))
}

/// The VMI of a request to a machine or to a VMI itself.
fn instance_of<'a>(target: &Target, world: &'a World) -> Result<&'a Value, Refusal> {
    if target.verb.of == Of::Machine {
        let machine = machine(target, world)?;
        if machine["status"]["created"] != true {
            return Err(Refusal::conflict(About::Machine, &target.name, "VMI is not started"));
        }
    }
    instance(target, world)
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn phase(instance: &Value) -> &str {
    text(&instance["status"], "phase")
}

fn is_final(instance: &Value) -> bool {
    matches!(phase(instance), "Succeeded" | "Failed")
}

fn condition<'a>(object: &'a Value, wanted: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|one| one["type"] == wanted)
}

fn is_true(object: &Value, wanted: &str) -> bool {
    condition(object, wanted).is_some_and(|one| one["status"] == "True")
}

/// `test` and `replace` of one field, which may be absent: then null is what a test finds.
fn swap(path: &str, old: &Value, new: impl Into<Value>) -> Vec<Value> {
    let op = if old.is_null() { "add" } else { "replace" };
    vec![
        json!({"op": "test", "path": path, "value": old}),
        json!({"op": op, "path": path, "value": new.into()}),
    ]
}

fn options(body: &[u8], go: &'static str) -> Result<Options, Refusal> {
    Options::of(body, go)
}
