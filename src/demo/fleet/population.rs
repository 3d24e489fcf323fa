//! A fleet in a server: its objects are made when somebody looks at them.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::machine::{Machine, Moment, node_name};
use super::pod::{pod_name, write_pod};
use super::text::{Dice, Put, put};
use super::trickle::Trickle;
use super::words::{CLASSES, State};
use super::{Fleet, FleetKind, write_rest};
use crate::demo::platform::SYNTHETIC;
use crate::demo::server::{Address, BadObject, Server, Synthesis};

/// The seed of `v9s demo --scale`.
const SEED: u64 = 1;

/// Adds this many machines to a cluster, with instances, disks, launcher pods, nodes and namespaces. What is given back
/// makes them change.
///
/// # Errors
///
/// [`BadObject`] when the server does not know one of their kinds.
pub fn add(server: &Server, count: usize) -> Result<Trickle, BadObject> {
    let now = server.now().as_second();
    let fleet = Fleet::new(SEED, count).born(u64::try_from(now).unwrap_or(0));
    let population = Population::new(server, fleet, &FleetKind::ALL)?;
    population.add_pods()?;
    population.add_infrastructure()?;
    Ok(Trickle::new(population))
}

/// What an object is to its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Of(FleetKind),
    Pod,
    /// The pod on the node to which a machine is on its way.
    TargetPod,
}

impl Part {
    fn group(self) -> &'static str {
        match self {
            Self::Of(FleetKind::Vm | FleetKind::Vmi) => "kubevirt.io",
            Self::Of(FleetKind::DataVolume) => "cdi.kubevirt.io",
            Self::Of(FleetKind::Claim) | Self::Pod | Self::TargetPod => "",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Of(kind) => kind.plural(),
            Self::Pod | Self::TargetPod => "pods",
        }
    }

    fn name(self, machine: &Machine<'_>) -> String {
        match self {
            Self::Of(FleetKind::Vm | FleetKind::Vmi) => machine.name.clone(),
            Self::Of(FleetKind::DataVolume | FleetKind::Claim) => format!("{}-rootdisk", machine.name),
            Self::Pod => pod_name(machine, &machine.pod(machine.moment.pods)),
            Self::TargetPod => pod_name(machine, &machine.pod(machine.moment.pods + 1)),
        }
    }

    fn address(self, machine: &Machine<'_>) -> Address {
        let namespace = machine.namespace.to_owned();
        Address { group: self.group(), plural: self.plural(), namespace, name: self.name(machine) }
    }
}

/// The objects of one kind; or one of them, at another moment.
struct Source {
    fleet: Arc<Fleet>,
    part: Part,
    moment: Moment,
}

impl Synthesis for Source {
    fn write(&self, number: u32, resource_version: u64, out: &mut Vec<u8>) {
        let mut machine = Machine::new(&self.fleet, number as usize, self.moment);
        machine.resource_version = resource_version;
        match self.part {
            Part::Of(kind) => {
                put!(out; kind.item_head());
                write_rest(kind, machine, out);
            }
            Part::Pod => write_pod(&machine, false, out),
            Part::TargetPod => write_pod(&machine, true, out),
        }
    }

    fn dependents(&self, namespace: &str, name: &str) -> Vec<Address> {
        let parts: &[Part] = match self.part {
            Part::Of(FleetKind::Vm) => &[Part::Of(FleetKind::Vmi), Part::Of(FleetKind::DataVolume)],
            Part::Of(FleetKind::Vmi) => &[Part::Pod, Part::TargetPod],
            Part::Of(FleetKind::DataVolume) => &[Part::Of(FleetKind::Claim)],
            Part::Of(FleetKind::Claim) | Part::Pod | Part::TargetPod => &[],
        };
        // Every name of a machine ends in its number.
        let digits = name.trim_end_matches("-rootdisk").rsplit('-').next().unwrap_or_default();
        let number = digits.parse().ok().filter(|number| *number < self.fleet.count());
        let Some(number) = number else { return Vec::new() };
        let machine = Machine::new(&self.fleet, number, Moment::default());
        if machine.namespace != namespace || self.part.name(&machine) != name {
            return Vec::new();
        }
        parts.iter().map(|part| part.address(&machine)).collect()
    }
}

/// A fleet in a server.
#[derive(Clone, Debug)]
pub struct Population {
    server: Server,
    fleet: Arc<Fleet>,
}

impl Population {
    /// Puts the objects of these kinds into a server, and the namespaces of the fleet.
    ///
    /// # Errors
    ///
    /// [`BadObject`] when the server does not know one of the kinds.
    pub fn new(server: &Server, fleet: Fleet, kinds: &[FleetKind]) -> Result<Self, BadObject> {
        let population = Self { server: server.clone(), fleet: Arc::new(fleet) };
        for name in population.fleet.namespaces() {
            server.put(namespace(name, &population.time(0)))?;
        }
        for &kind in kinds {
            population
                .fill(Part::Of(kind), |machine| kind != FleetKind::Vmi || machine.state.has_instance())?;
        }
        Ok(population)
    }

    /// The machines.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Lets an object become what it is at a revision (see [`Fleet::event`]). Returns `false` when it is not there, or
    /// when it has been written by somebody.
    pub fn change(&self, kind: FleetKind, index: usize, revision: u64) -> bool {
        self.show(Part::Of(kind), index, Moment { revision, ..Moment::default() })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    pub(super) fn machine(&self, index: usize, moment: Moment) -> Machine<'_> {
        Machine::new(&self.fleet, index, moment)
    }

    fn source(&self, part: Part, moment: Moment) -> Arc<dyn Synthesis> {
        Arc::new(Source { fleet: Arc::clone(&self.fleet), part, moment })
    }

    /// Shows an object that is there as it is at this moment.
    pub(super) fn show(&self, part: Part, index: usize, moment: Moment) -> bool {
        let address = part.address(&self.machine(index, moment));
        self.server.change_synthetic(&address, self.source(part, moment), index as u32)
    }

    /// The same for one that may not be there yet.
    pub(super) fn show_new(&self, part: Part, index: usize, moment: Moment) -> bool {
        let address = part.address(&self.machine(index, moment));
        self.server.put_synthetic(&address, self.source(part, moment), index as u32)
    }

    /// Takes an object away.
    pub(super) fn hide(&self, part: Part, index: usize, moment: Moment) -> bool {
        let address = part.address(&self.machine(index, moment));
        self.server.remove_synthetic(&address)
    }

    fn fill(&self, part: Part, has: impl Fn(&Machine<'_>) -> bool) -> Result<(), BadObject> {
        let objects = (0..self.fleet.count()).filter_map(|index| {
            let machine = self.machine(index, Moment::default());
            has(&machine).then(|| (machine.namespace, part.name(&machine), index as u32))
        });
        self.server.fill(part.group(), part.plural(), &self.source(part, Moment::default()), objects)
    }

    fn add_pods(&self) -> Result<(), BadObject> {
        self.fill(Part::Pod, |machine| machine.state.has_instance())?;
        self.fill(Part::TargetPod, |machine| machine.state == State::Migrating)
    }

    /// Nodes and storage classes, where the server knows such kinds.
    fn add_infrastructure(&self) -> Result<(), BadObject> {
        let nodes = (0..self.fleet.nodes).map(|number| node(number, &self.time(number)));
        let classes = CLASSES.iter().skip(1).map(|(name, ..)| storage_class(name, &self.time(0)));
        for object in nodes.chain(classes) {
            match self.server.put(object) {
                Ok(()) | Err(BadObject::Kind { .. }) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// A time before the first machine was made.
    fn time(&self, number: u64) -> String {
        let seconds = self.fleet.epoch() - 3_600 + number;
        i64::try_from(seconds)
            .ok()
            .and_then(|at| Timestamp::from_second(at).ok())
            .unwrap_or_default()
            .to_string()
    }
}

fn uid(of: &str) -> String {
    let seed = of.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte));
    String::from_utf8_lossy(&Dice::new(seed).uid()).into_owned()
}

fn namespace(name: &str, created: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": name, "uid": uid(name), "creationTimestamp": created,
            "labels": {"kubernetes.io/metadata.name": name, SYNTHETIC: ""},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

fn storage_class(name: &str, created: &str) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": name, "uid": uid(name), "creationTimestamp": created, "labels": {SYNTHETIC: ""}},
        "provisioner": format!("{name}.csi.example.com"),
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": true,
        "volumeBindingMode": if name == "lvm-nvme" { "WaitForFirstConsumer" } else { "Immediate" },
    })
}

fn node(number: u64, created: &str) -> Value {
    let name = node_name(number);
    let zone = name.split('.').nth(1).unwrap_or_default();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": status, "lastHeartbeatTime": created, "lastTransitionTime": created,
            "reason": reason, "message": message,
        })
    };
    let resources = |cpu: &str, memory: &str| json!({"cpu": cpu, "devices.kubevirt.io/kvm": "1k", "ephemeral-storage": "465740Mi", "memory": memory, "pods": "500"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "uid": uid(&name), "creationTimestamp": created,
            "labels": {
                SYNTHETIC: "",
                "beta.kubernetes.io/arch": "amd64", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux", "kubevirt.io/schedulable": "true", "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/zone": zone,
            },
        },
        "spec": {"podCIDR": format!("10.{}.{}.0/24", 64 + (number >> 8), number & 255)},
        "status": {
            "capacity": resources("128", "1056568Mi"),
            "allocatable": resources("127500m", "1048376Mi"),
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "addresses": [
                {"type": "InternalIP", "address": format!("10.129.{}.17", number % 250)},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": "amd64", "containerRuntimeVersion": "cri-o://1.33.2", "kernelVersion": "5.14.0-570.12.1.el9_6.x86_64",
                "kubeletVersion": "v1.33.1", "kubeProxyVersion": "", "operatingSystem": "linux", "osImage": "Red Hat Enterprise Linux CoreOS 9.6",
                "bootID": uid(&format!("{name}/boot")), "machineID": uid(&format!("{name}/machine")), "systemUUID": uid(&format!("{name}/system")),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::server::testing::Api;

    const COUNT: usize = 700;

    fn path(kind: FleetKind) -> String {
        match kind {
            FleetKind::Claim => "/api/v1/persistentvolumeclaims".to_owned(),
            _ => format!("/apis/{}/{}", kind.api_version(), kind.plural()),
        }
    }

    fn names(list: &Value) -> Vec<(String, String)> {
        let text = |item: &Value, field: &str| item["metadata"][field].as_str().unwrap().to_owned();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| (text(item, "namespace"), text(item, "name"))).collect()
    }

    fn added() -> (Api, Trickle) {
        let api = Api::new().as_admin();
        let trickle = add(api.server(), COUNT).unwrap();
        (api, trickle)
    }

    #[tokio::test]
    async fn a_client_sees_the_fleet_page_by_page() {
        let (api, trickle) = added();
        let fleet = trickle.population().fleet();
        for kind in FleetKind::ALL {
            let part = Part::Of(kind);
            let machine = |index: &u32| trickle.population().machine(*index as usize, Moment::default());
            let wanted: Vec<(String, String)> = fleet
                .order(kind)
                .iter()
                .map(|index| (machine(index).namespace.to_owned(), part.name(&machine(index))))
                .collect();
            let (_, whole) = api.get(&path(kind)).await;
            assert_eq!(names(&whole), wanted);
            let (mut token, mut seen) = (String::new(), Vec::new());
            loop {
                let (code, page) = api.get(&format!("{}?limit=500&continue={token}", path(kind))).await;
                assert_eq!(code, 200, "{page}");
                seen.extend(names(&page));
                let left = page["metadata"]["remainingItemCount"].as_u64().unwrap_or(0);
                assert_eq!(left as usize, wanted.len() - seen.len());
                assert_eq!(page["metadata"]["resourceVersion"], whole["metadata"]["resourceVersion"]);
                token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(seen, wanted, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn selectors_choose_among_what_is_made_when_looked_at() {
        let (api, trickle) = added();
        let (_, whole) = api.get(&path(FleetKind::Vm)).await;
        let (namespace, name) =
            (trickle.population().fleet().name(7).0, trickle.population().fleet().name(7).1);
        let labelled = |label: &str, value: &str| -> Vec<String> {
            let items = whole["items"].as_array().unwrap().iter();
            let chosen = items.filter(|item| item["metadata"]["labels"][label] == value);
            chosen.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
        };
        let redis = labelled("app", "redis");
        assert!(redis.len() > 10 && redis.len() < COUNT / 4, "{}", redis.len());
        let all = path(FleetKind::Vm);
        assert_eq!(api.names(&format!("{all}?labelSelector=app%3Dredis")).await, redis);
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let (_, page) =
                api.get(&format!("{all}?labelSelector=app%3Dredis&limit=7&continue={token}")).await;
            let items = names(&page);
            assert!(page["metadata"]["remainingItemCount"].is_null(), "nobody has counted them");
            token = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            assert!(items.len() == 7 || token.is_empty(), "a full page or the last");
            seen.extend(items.into_iter().map(|(_, name)| name));
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, redis);
        assert_eq!(api.names(&format!("{all}?fieldSelector=metadata.name%3D{name}")).await, [name.as_str()]);
        let here: Vec<String> =
            names(&whole).into_iter().filter(|(at, _)| at == namespace).map(|(_, name)| name).collect();
        let in_namespace = format!("/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines");
        assert_eq!(api.names(&in_namespace).await, here);
        let (_, page) = api.get(&format!("{in_namespace}?limit=3")).await;
        assert_eq!(page["metadata"]["remainingItemCount"], here.len() - 3);
        let (code, one) = api.get(&format!("{in_namespace}/{name}")).await;
        assert_eq!((code, one["metadata"]["name"].as_str()), (200, Some(name.as_str())));
        let mut watch = api.lines(&format!("{all}?watch=1&labelSelector=app%3Dredis")).await;
        assert_eq!(watch.told().await, format!("ADDED {}", redis[0]));
    }

    #[tokio::test]
    async fn every_object_belongs_to_another_and_none_is_from_the_future() {
        let (api, _trickle) = added();
        let now: Timestamp = crate::demo::server::testing::BEGIN.parse().unwrap();
        let mut uids = BTreeSet::new();
        let pods = "/api/v1/pods".to_owned();
        let paths = FleetKind::ALL.map(path);
        for path in paths[..3].iter().chain([&paths[3], &pods]) {
            let (_, list) = api.get(path).await;
            for item in list["items"].as_array().unwrap() {
                let metadata = &item["metadata"];
                let owner = metadata["ownerReferences"][0]["uid"].as_str();
                assert!(owner.is_none_or(|owner| uids.contains(owner)), "{path}: {metadata}");
                assert_eq!(owner.is_none(), path.ends_with("/virtualmachines"));
                assert!(uids.insert(metadata["uid"].as_str().unwrap().to_owned()));
                let created: Timestamp = metadata["creationTimestamp"].as_str().unwrap().parse().unwrap();
                let age = now.duration_since(created).as_secs();
                assert!((0..=702 * 86_400).contains(&age), "{metadata}");
                let transitions = item["status"]["conditions"].as_array().into_iter().flatten();
                for condition in transitions {
                    let at: Timestamp = condition["lastTransitionTime"].as_str().unwrap().parse().unwrap();
                    assert!(created <= at && at <= now, "{metadata} {condition}");
                }
            }
        }
        let namespaces = api.names("/api/v1/namespaces").await;
        for (namespace, _) in names(&api.get(&paths[0]).await.1) {
            assert!(namespaces.contains(&namespace), "{namespace}");
        }
        let nodes = api.names("/api/v1/nodes").await;
        let (_, instances) = api.get(&paths[1]).await;
        for instance in instances["items"].as_array().unwrap() {
            let node = &instance["status"]["nodeName"];
            assert!(node.is_null() || nodes.iter().any(|name| name == node), "{node}");
        }
    }

    #[tokio::test]
    async fn what_is_shown_anew_is_told_and_what_a_client_wrote_stays() {
        let (api, trickle) = added();
        let population = trickle.population();
        let (namespace, name) = population.fleet().name(3);
        let one = format!("/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines/{name}");
        let (_, before) = api.get(&one).await;
        let (_, list) = api.get(&format!("{}?limit=1", path(FleetKind::Vm))).await;
        let version = list["metadata"]["resourceVersion"].as_str().unwrap();
        let mut watch =
            api.lines(&format!("{}?watch=1&resourceVersion={version}", path(FleetKind::Vm))).await;
        assert!(population.change(FleetKind::Vm, 3, 1));
        let (happened, object) = watch.event().await;
        assert_eq!((happened.as_str(), &object["metadata"]["uid"]), ("MODIFIED", &before["metadata"]["uid"]));
        let (_, after) = api.get(&one).await;
        assert_eq!(after, object);
        assert_ne!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
        let mut written = after.clone();
        written["metadata"]["labels"]["mine"] = "yes".into();
        api.server().put(written).unwrap();
        assert_eq!(watch.told().await, format!("MODIFIED {name}"));
        assert!(!population.change(FleetKind::Vm, 3, 2), "it is not the fleet's any more");
        assert_eq!(api.get(&one).await.1["metadata"]["labels"]["mine"], "yes");
        assert_eq!(api.names(&path(FleetKind::Vm)).await.len(), COUNT);
    }

    #[tokio::test]
    async fn a_machine_takes_its_partners_along() {
        let (api, mut trickle) = added();
        let fleet = trickle.population().fleet();
        let running = |index: &usize| fleet.state(*index, 0) == State::Running;
        let (first, second) = {
            let mut all = (0..COUNT).filter(running);
            (all.next().unwrap(), all.next().unwrap())
        };
        let owned = |index: usize| {
            let machine = trickle.population().machine(index, Moment::default());
            let parts = FleetKind::ALL.map(Part::Of).into_iter().chain([Part::Pod]);
            let addresses: Vec<Address> = parts.map(|part| part.address(&machine)).collect();
            let path = |at: &Address| {
                let version = match at.group {
                    "" => "/api/v1".to_owned(),
                    "kubevirt.io" => "/apis/kubevirt.io/v1".to_owned(),
                    group => format!("/apis/{group}/v1beta1"),
                };
                format!("{version}/namespaces/{}/{}/{}", at.namespace, at.plural, at.name)
            };
            addresses.iter().map(path).collect::<Vec<String>>()
        };
        let (first, second, third) = (owned(first), owned(second), owned(second + 1));
        // One of them is written by a client before.
        let (code, _) = api.merge(&second[2], json!({"metadata": {"labels": {"mine": "yes"}}})).await;
        assert_eq!(code, 200);
        for one in [&first, &second] {
            assert_eq!(api.delete(&one[0]).await.0, 200);
            for path in one {
                assert_eq!(api.get(path).await.0, 404, "{path}");
            }
        }
        assert_eq!(api.get(&third[0]).await.0, 200);
        assert_eq!(api.names(&path(FleetKind::Vm)).await.len(), COUNT - 2);
        for _ in 0..400 {
            trickle.step();
        }
        for path in first.iter().chain(&second) {
            assert_eq!(api.get(path).await.0, 404, "{path} has come back");
        }
    }
}
