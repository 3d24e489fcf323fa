//! A deterministic population of virtual machines, written as an API server would send it.
//!
//! Machine `i` of a [`Fleet`] is the same machine in all kinds: VM `web-000007` has the instance `web-000007` and
//! the DataVolume and claim `web-000007-rootdisk`, in the same namespace, with owner references to the right UIDs, the
//! same node, addresses and sizes. The same seed and count give the same bytes: there is no clock in it. A fleet that is
//! [born](Fleet::born) today is that of `v9s demo --scale`: its times suit the day, and nothing waits for finalizers
//! or periods of grace, because nobody is there to end them.
//!
//! Custom resources have sorted keys; claims and pods stand in the order of the Go struct, without `kind` and
//! `apiVersion` inside a list. All text is escaped as Go escapes it. `managedFields` describe the object they stand in,
//! and three VMs of five carry the `last-applied-configuration` annotation.
//!
//! Where it differs from a real server: names and values come from a small vocabulary, so the text compresses better.
//!
//! Nothing is formatted through `serde_json`: an object is a run of literals with the few varying texts between them,
//! which makes some hundred thousand objects a second.
//!
//! | File | Holds |
//! |---|---|
//! | `kind`, `words`, `text` | kinds; vocabulary; text and dice |
//! | `machine` | what the objects of one machine share |
//! | `vm`, `instance`, `disk`, `pod` | the objects as text |
//! | `population` | a fleet in a server |
//! | `trickle` | what happens to it there |

mod disk;
mod instance;
mod kind;
mod machine;
mod pod;
mod population;
mod text;
mod trickle;
mod vm;
mod words;

pub use kind::{Change, FleetKind};
pub use population::{Population, add};
pub use text::Dice;
pub use trickle::Trickle;
pub use words::State;

use machine::{Machine, Moment};
use text::{Put, put};
use words::{NAMESPACES, NODES, STAGES, TEAMS};

/// The label by which a simulated platform knows what it does not look after, with the comma before it.
const SYNTHETIC_LABEL: &str = r#","v9s.dev/synthetic":"""#;

/// Seconds.
const DAY: u64 = 86_400;
/// 2024-01-01T00:00:00Z; machines are made in the 700 days after it.
const EPOCH: u64 = 1_704_067_200;
const FIRST_REVISION: u64 = 100_000_000;

/// A population of machines; see the module.
#[derive(Clone, Debug)]
pub struct Fleet {
    seed: u64,
    count: usize,
    mixed: bool,
    /// Seconds since 1970.
    born: Option<u64>,
    nodes: u64,
    namespaces: Vec<String>,
    token: String,
    long_token: String,
}

impl Fleet {
    /// `count` machines in mixed states: four of five run, the rest is stopped, paused, migrating or failing. They were
    /// made from 2024-01-01 on.
    pub fn new(seed: u64, count: usize) -> Self {
        let namespaces = (0..NAMESPACES)
            .map(|i| format!("{}-{}-{i:02}", TEAMS[i % TEAMS.len()], STAGES[i % STAGES.len()]))
            .collect();
        let token = |part: &str| format!("eyJhbGciOiJQUzI1NiJ9.{}", part.repeat(24));
        Self {
            seed,
            count,
            mixed: true,
            born: None,
            nodes: NODES,
            namespaces,
            token: token("eyJleHAiOjE3NjM3"),
            long_token: token("eyJleHAiOjIwNzkw"),
        }
    }

    /// The same, with every machine running: so there are exactly `count` objects of each kind.
    pub fn running(mut self) -> Self {
        self.mixed = false;
        self
    }

    /// The same, as it would look to somebody who looks at it at this time (seconds since 1970): machines were made in
    /// the 700 days before the last one, and what is under way began a moment ago. Nodes are as many as it needs.
    pub fn born(mut self, now: u64) -> Self {
        self.born = Some(now.max(EPOCH));
        self.nodes = (self.count as u64 / 40).clamp(3, 500);
        self
    }

    fn epoch(&self) -> u64 {
        self.born.map_or(EPOCH, |now| now - 701 * DAY)
    }

    /// Whether finalizers stand in objects that are not being deleted.
    fn guarded(&self) -> bool {
        self.born.is_none()
    }

    /// How many machines.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The names of the namespaces; the first ones hold most machines.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The resource version the object of an event with this revision has (for revision 0: of the listed object).
    pub fn resource_version(&self, index: usize, revision: u64) -> u64 {
        match revision {
            0 => FIRST_REVISION + index as u64 * 7,
            _ => FIRST_REVISION + (self.count as u64 + 1) * 7 + revision * 11,
        }
    }

    /// What the machine is doing at this revision.
    pub fn state(&self, index: usize, revision: u64) -> State {
        self.machine(index, revision).state
    }

    /// Namespace and name of the machine.
    pub fn name(&self, index: usize) -> (&str, String) {
        let machine = self.machine(index, 0);
        (machine.namespace, machine.name)
    }

    /// Whether a list has this object: a stopped machine has no instance.
    pub fn has(&self, kind: FleetKind, index: usize) -> bool {
        kind != FleetKind::Vmi || !self.mixed || self.state(index, 0).has_instance()
    }

    /// The indexes of the listed objects of a kind in the order of a real list: by namespace, then name.
    pub fn order(&self, kind: FleetKind) -> Vec<u32> {
        let mut keys: Vec<(&str, String, u32)> = (0..self.count)
            .filter(|i| self.has(kind, *i))
            .map(|i| {
                let (namespace, name) = self.name(i);
                (namespace, name, i as u32)
            })
            .collect();
        keys.sort_unstable();
        keys.into_iter().map(|(.., i)| i).collect()
    }

    /// Appends one whole object. Asked for an instance of a stopped machine, it writes one that runs.
    pub fn write(&self, kind: FleetKind, index: usize, revision: u64, out: &mut Vec<u8>) {
        put!(out; kind.head());
        write_rest(kind, self.machine(index, revision), out);
    }

    /// One line of a watch, with its newline. Revisions count from 1.
    pub fn event(&self, kind: FleetKind, change: Change, index: usize, revision: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(8400);
        put!(&mut out; "{\"type\":\"", change.text(), "\",\"object\":");
        self.write(kind, index, revision, &mut out);
        out.extend_from_slice(b"}\n");
        out
    }

    fn machine(&self, index: usize, revision: u64) -> Machine<'_> {
        Machine::new(self, index, Moment { revision, ..Moment::default() })
    }
}

/// An object after what it begins with.
fn write_rest(kind: FleetKind, mut machine: Machine<'_>, out: &mut Vec<u8>) {
    if kind == FleetKind::Vmi && !machine.state.has_instance() {
        machine.state = State::Running;
    }
    match kind {
        FleetKind::Vm => vm::write_vm(&machine, out),
        FleetKind::Vmi => instance::write_instance(&machine, out),
        FleetKind::DataVolume => disk::write_data_volume(&machine, out),
        FleetKind::Claim => disk::write_claim(&machine, out),
    }
}

#[cfg(test)]
mod tests {
    use super::words::APPS;
    use super::*;
    use serde_json::Value;

    fn object(fleet: &Fleet, kind: FleetKind, index: usize, revision: u64) -> Value {
        let mut out = Vec::new();
        fleet.write(kind, index, revision, &mut out);
        serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out)))
    }

    /// Whether the keys of all maps are sorted; `Value` sorts them itself, so the text must come out as it went in.
    fn sorted(text: &[u8]) -> bool {
        let value: Value = serde_json::from_slice(text).unwrap();
        serde_json::to_vec(&value).unwrap() == text
    }

    #[test]
    fn sizes_are_those_of_real_objects() {
        // Mean bytes per object where every machine runs.
        for (kind, expected) in [
            (FleetKind::Vm, 8128.0),
            (FleetKind::Vmi, 8097.0),
            (FleetKind::DataVolume, 3698.0),
            (FleetKind::Claim, 5039.0),
        ] {
            let fleet = Fleet::new(1, 2000).running();
            let mut out = Vec::new();
            for i in 0..fleet.count() {
                fleet.write(kind, i, 0, &mut out);
            }
            let mean = out.len() as f64 / fleet.count() as f64;
            println!("{}: {mean:.0} bytes", kind.short());
            assert!((mean / expected - 1.0).abs() < 0.02, "{kind:?}: {mean:.0} bytes, {expected} expected");
        }
    }

    #[test]
    fn every_object_parses_and_joins() {
        let fleet = Fleet::new(7, 1500);
        for i in 0..fleet.count() {
            for revision in [0, 1 + i as u64] {
                let [vm, vmi, dv, pvc] = FleetKind::ALL.map(|kind| object(&fleet, kind, i, revision));
                assert_eq!(vmi["metadata"]["ownerReferences"][0]["uid"], vm["metadata"]["uid"]);
                assert_eq!(dv["metadata"]["ownerReferences"][0]["uid"], vm["metadata"]["uid"]);
                assert_eq!(pvc["metadata"]["ownerReferences"][0]["uid"], dv["metadata"]["uid"]);
                for other in [&vmi, &dv, &pvc] {
                    assert_eq!(other["metadata"]["namespace"], vm["metadata"]["namespace"]);
                }
                assert_eq!(vm["status"]["printableStatus"], fleet.state(i, revision).text());
                if let Some(text) =
                    vm["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str()
                {
                    let applied: Value = serde_json::from_str(text).unwrap();
                    assert_eq!(applied["spec"], vm["spec"]);
                    assert_eq!(applied["metadata"]["labels"], vm["metadata"]["labels"]);
                }
            }
        }
    }

    /// The field sets claim to describe the object: they name no key it lacks, and none of the status is left out.
    #[test]
    fn managed_fields_name_what_is_there() {
        fn check(fields: &Value, object: &Value, path: &str) {
            for (key, below) in fields.as_object().unwrap() {
                let Some(name) = key.strip_prefix("f:") else {
                    continue;
                };
                let at = object.get(name).unwrap_or_else(|| panic!("{path}.{name} is managed and not there"));
                if !at.is_array() {
                    check(below, at, &format!("{path}.{name}"));
                }
            }
        }
        let fleet = Fleet::new(3, 1500);
        for i in 0..fleet.count() {
            for kind in FleetKind::ALL {
                let object = object(&fleet, kind, i, 0);
                for entry in object["metadata"]["managedFields"].as_array().unwrap() {
                    check(&entry["fieldsV1"], &object, kind.short());
                }
            }
        }
    }

    #[test]
    fn custom_resources_are_sorted() {
        let fleet = Fleet::new(5, 300);
        for i in 0..fleet.count() {
            for kind in [FleetKind::Vm, FleetKind::Vmi, FleetKind::DataVolume] {
                let mut out = Vec::new();
                fleet.write(kind, i, 0, &mut out);
                assert!(sorted(&out), "{}", String::from_utf8_lossy(&out));
            }
        }
    }

    #[test]
    fn events_are_one_line_each() {
        let fleet = Fleet::new(1, 200);
        for kind in FleetKind::ALL {
            for i in 0..fleet.count() {
                let line = fleet.event(kind, Change::Modified, i, 1 + i as u64);
                assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
                let event: Value = serde_json::from_slice(&line).unwrap();
                assert_eq!(event["type"], "MODIFIED");
                let version = fleet.resource_version(i, 1 + i as u64).to_string();
                assert_eq!(event["object"]["metadata"]["resourceVersion"], version);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let (one, two) = (Fleet::new(9, 50), Fleet::new(9, 50));
        for kind in FleetKind::ALL {
            for i in 0..50 {
                assert_eq!(object(&one, kind, i, 0), object(&two, kind, i, 0));
                assert_ne!(object(&one, kind, i, 0), object(&Fleet::new(10, 50), kind, i, 0));
            }
        }
    }

    #[test]
    fn namespaces_are_skewed_and_all_apps_used() {
        let fleet = Fleet::new(1, 20_000);
        let mut counts = vec![0; fleet.namespaces().len()];
        let mut apps = std::collections::BTreeSet::new();
        for i in 0..fleet.count() {
            let (namespace, name) = fleet.name(i);
            counts[fleet.namespaces().iter().position(|n| n == namespace).unwrap()] += 1;
            apps.insert(name[..name.len() - 7].to_owned());
        }
        assert_eq!(apps.len(), APPS.len());
        assert!(counts[0] > 3000 && counts[0] > counts[5] && counts[5] > counts[10], "{counts:?}");
        let order = fleet.order(FleetKind::Vmi);
        assert!(order.len() < fleet.count() && order.len() > fleet.count() * 8 / 10);
    }
}
