//! What happens to a fleet in a server: a few changes a second.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::machine::{Machine, Moment};
use super::population::{Part, Population};
use super::text::Dice;
use super::{FleetKind, State};

/// How often something may happen; all durations below are counted in these.
const TICK: Duration = Duration::from_millis(250);

/// How many machines are looked at for one that a change suits.
const TRIES: u32 = 40;

/// How many disks are being filled at a time.
const IMPORTS: usize = 3;

const VM: Part = Part::Of(FleetKind::Vm);
const INSTANCE: Part = Part::Of(FleetKind::Vmi);
const DISK: Part = Part::Of(FleetKind::DataVolume);

/// The changes of a fleet: guest agents come and go, machines start anew and move to other nodes, disks fill up. What
/// clients have written is left alone, and so is the rest of such a machine.
///
/// The same fleet sees the same changes in the same order; a changed object costs some hundred bytes, however often it
/// changes.
#[derive(Debug)]
pub struct Trickle {
    population: Population,
    dice: Dice,
    tick: u64,
    moments: HashMap<u32, Moment>,
    /// What happens next to whom, by tick. Nobody stands in it twice.
    plans: BTreeMap<u64, Vec<(u32, Next)>>,
    imports: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The agent answers again.
    AgentBack,
    /// The instance has ended, and another one starts.
    Again,
    /// The guest runs.
    Up,
    /// The migration has come to its end.
    Arrived,
    /// More of the disk has come.
    Filled,
}

impl Trickle {
    pub(super) fn new(population: Population) -> Self {
        Self {
            population,
            dice: Dice::new(11),
            tick: 0,
            moments: HashMap::new(),
            plans: BTreeMap::new(),
            imports: 0,
        }
    }

    /// The fleet and its server.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// Lets it happen, for ever.
    pub async fn run(mut self) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.step();
        }
    }

    /// What happens in a quarter of a second.
    pub fn step(&mut self) {
        self.tick += 1;
        while let Some(due) = self.plans.first_entry().filter(|due| *due.key() <= self.tick) {
            for (index, next) in due.remove() {
                self.go_on(index, next);
            }
        }
        if self.tick % 4 == 1 {
            self.begin(State::Running, Self::lose_agent);
        }
        if self.tick % 20 == 3 {
            self.begin(State::Running, Self::restart);
        }
        if self.tick % 28 == 5 {
            self.begin(State::Running, Self::migrate);
        }
        if self.tick % 8 == 2 && self.imports < IMPORTS {
            self.begin(State::Provisioning, Self::import);
        }
        // What was under way when the fleet was made comes to an end as well.
        match self.tick % 36 {
            6 => self.begin(State::Starting, |trickle, index| trickle.plan(index, 1, Next::Up)),
            18 => self.begin(State::Stopping, |trickle, index| trickle.plan(index, 1, Next::Again)),
            30 => self.begin(State::Migrating, |trickle, index| trickle.plan(index, 1, Next::Arrived)),
            _ => {}
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.population.server().now().as_second()).unwrap_or(0)
    }

    fn moment(&self, index: u32) -> Moment {
        self.moments.get(&index).copied().unwrap_or_default()
    }

    fn machine(&self, index: u32) -> Machine<'_> {
        self.population.machine(index as usize, self.moment(index))
    }

    fn plan(&mut self, index: u32, ticks: u64, next: Next) {
        self.plans.entry(self.tick + ticks).or_default().push((index, next));
    }

    fn is_planned(&self, index: u32) -> bool {
        self.plans.values().flatten().any(|(planned, _)| *planned == index)
    }

    /// Begins something with a machine in this state, if one is found soon.
    fn begin(&mut self, state: State, begin: impl Fn(&mut Self, u32)) {
        for _ in 0..TRIES {
            let index = self.dice.below(self.population.fleet().count() as u64) as u32;
            if self.machine(index).state == state && !self.is_planned(index) {
                return begin(self, index);
            }
        }
    }

    /// Shows a machine in its new state; `false` when its VM is not the fleet's any more. Nothing is shown then.
    fn become_state(&mut self, index: u32, moment: Moment) -> bool {
        let shown = self.population.show(VM, index as usize, moment);
        if shown {
            self.moments.insert(index, moment);
        }
        shown
    }

    fn show(&self, part: Part, index: u32) -> bool {
        self.population.show(part, index as usize, self.moment(index))
    }

    fn lose_agent(&mut self, index: u32) {
        let moment = Moment { agent_lost: true, ..self.moment(index) };
        if self.population.show(INSTANCE, index as usize, moment) {
            self.moments.insert(index, moment);
            let ticks = 8 + self.dice.below(40);
            self.plan(index, ticks, Next::AgentBack);
        }
    }

    fn restart(&mut self, index: u32) {
        let moment = Moment { state: Some(State::Stopping), at: Some(self.now()), ..self.moment(index) };
        if self.become_state(index, moment) {
            self.show(INSTANCE, index);
            self.show(Part::Pod, index);
            self.plan(index, 12, Next::Again);
        }
    }

    fn migrate(&mut self, index: u32) {
        let machine = self.machine(index);
        if !machine.shared {
            return;
        }
        let (nodes, here) = (machine.fleet.nodes, machine.node);
        let target = (here + 1 + self.dice.below(nodes - 1)) % nodes;
        let moment = Moment {
            state: Some(State::Migrating),
            at: Some(self.now()),
            other_node: Some(target),
            ..self.moment(index)
        };
        if self.become_state(index, moment) {
            self.population.show_new(Part::TargetPod, index as usize, moment);
            self.show(INSTANCE, index);
            self.plan(index, 40, Next::Arrived);
        }
    }

    fn import(&mut self, index: u32) {
        self.imports += 1;
        self.plan(index, 4, Next::Filled);
    }

    fn go_on(&mut self, index: u32, next: Next) {
        match next {
            Next::AgentBack => {
                let moment = Moment { agent_lost: false, ..self.moment(index) };
                if self.population.show(INSTANCE, index as usize, moment) {
                    self.moments.insert(index, moment);
                }
            }
            Next::Again => self.start(index),
            Next::Up => {
                let moment =
                    Moment { state: Some(State::Running), at: Some(self.now()), ..self.moment(index) };
                if self.become_state(index, moment) {
                    self.show(INSTANCE, index);
                    self.show(Part::Pod, index);
                }
            }
            Next::Arrived => self.arrive(index),
            Next::Filled => self.fill(index),
        }
    }

    /// A new instance in a new pod, in place of those there were.
    fn start(&mut self, index: u32) {
        let before = self.moment(index);
        let moment = Moment {
            state: Some(State::Starting),
            at: Some(self.now()),
            starts: before.starts + 1,
            started: Some(self.now()),
            pods: before.pods + 1,
            pod_made: None,
            other_node: None,
            agent_lost: false,
            ..before
        };
        if self.become_state(index, moment) {
            self.population.hide(Part::Pod, index as usize, before);
            self.population.hide(INSTANCE, index as usize, before);
            self.population.show_new(INSTANCE, index as usize, moment);
            self.population.show_new(Part::Pod, index as usize, moment);
            self.plan(index, 16, Next::Up);
        }
    }

    fn arrive(&mut self, index: u32) {
        let before = self.moment(index);
        let machine = self.machine(index);
        let (from, to, begun) = (machine.node, machine.route()[1].0, machine.changed);
        let moment = Moment {
            state: Some(State::Running),
            at: Some(self.now()),
            node: Some(to),
            other_node: Some(from),
            pods: before.pods + 1,
            pod_made: Some(begun),
            ..before
        };
        if self.become_state(index, moment) {
            self.show(INSTANCE, index);
            self.show(Part::Pod, index);
            self.population.hide(Part::Pod, index as usize, before);
        }
    }

    fn fill(&mut self, index: u32) {
        let before = self.moment(index);
        let filled = before.filled.unwrap_or(u64::from(index) % 100) + 3 + self.dice.below(8);
        if filled < 100 {
            let moment = Moment { filled: Some(filled), ..before };
            self.moments.insert(index, moment);
            if self.show(DISK, index) {
                return self.plan(index, 8, Next::Filled);
            }
        }
        self.imports -= 1;
        if filled >= 100 {
            self.start(index);
            self.show(DISK, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::super::add;
    use crate::demo::server::testing::Api;

    const MACHINES: &str = "/apis/kubevirt.io/v1/virtualmachines";
    const INSTANCES: &str = "/apis/kubevirt.io/v1/virtualmachineinstances";

    fn by_name(list: &Value) -> BTreeMap<String, Value> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| (item["metadata"]["name"].as_str().unwrap().to_owned(), item.clone())).collect()
    }

    fn printed(machine: &Value) -> &str {
        machine["status"]["printableStatus"].as_str().unwrap()
    }

    #[tokio::test]
    async fn machines_live_and_stay_whole() {
        let api = Api::new().as_admin();
        let mut trickle = add(api.server(), 150).unwrap();
        let machines = by_name(&api.get(MACHINES).await.1);
        let instances = by_name(&api.get(INSTANCES).await.1);
        for _ in 0..2_000 {
            trickle.step();
        }
        let later = by_name(&api.get(MACHINES).await.1);
        let instances_later = by_name(&api.get(INSTANCES).await.1);
        assert!(later.keys().eq(machines.keys()));
        let anew = |name: &&String| {
            instances.get(*name).is_some_and(|before| {
                instances_later
                    .get(*name)
                    .is_some_and(|now| before["metadata"]["uid"] != now["metadata"]["uid"])
            })
        };
        assert!(instances.keys().filter(anew).count() > 5, "machines were started anew");
        let moved = |name: &&String| {
            instances_later[*name]["metadata"]["uid"] == instances[*name]["metadata"]["uid"]
                && instances_later[*name]["status"]["nodeName"] != instances[*name]["status"]["nodeName"]
        };
        assert!(instances.keys().filter(moved).count() > 3, "machines went to other nodes");
        let done = |name: &&String| {
            printed(&machines[*name]) == "Provisioning" && printed(&later[*name]) == "Running"
        };
        assert!(machines.keys().filter(done).count() > 0, "a disk was filled");
        for (name, machine) in &later {
            let lives = matches!(
                printed(machine),
                "Running"
                    | "Starting"
                    | "Migrating"
                    | "Stopping"
                    | "Paused"
                    | "ErrorUnschedulable"
                    | "Terminating"
            );
            assert_eq!(instances_later.contains_key(name), lives, "{name}: {}", printed(machine));
        }
        let (_, pods) = api.get("/api/v1/pods").await;
        let uids: BTreeSet<String> =
            pods["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["uid"].to_string()).collect();
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for pod in pods["items"].as_array().unwrap() {
            *owners.entry(pod["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap()).or_default() += 1;
        }
        assert_eq!(uids.len(), pods["items"].as_array().unwrap().len());
        for (name, instance) in &instances_later {
            let wanted = if printed(&later[name]) == "Migrating" { 2 } else { 1 };
            let uid = instance["metadata"]["uid"].as_str().unwrap();
            assert_eq!(owners.remove(uid), Some(wanted), "{name}: {}", printed(&later[name]));
        }
        assert!(owners.is_empty(), "pods of nobody: {owners:?}");
    }

    #[tokio::test]
    async fn the_same_changes_come_each_time_and_a_written_machine_is_left_alone() {
        let mut all = Vec::new();
        for write in [false, false, true] {
            let api = Api::new().as_admin();
            let mut trickle = add(api.server(), 20).unwrap();
            let before = by_name(&api.get(MACHINES).await.1);
            if write {
                for machine in before.values() {
                    api.server().put(machine.clone()).unwrap();
                }
            }
            let mut watch = api.lines(&format!("{INSTANCES}?watch=1")).await;
            for _ in 0..600 {
                trickle.step();
            }
            let seen = by_name(&api.get(MACHINES).await.1);
            if write {
                for (name, machine) in seen {
                    assert_eq!(machine["status"], before[&name]["status"], "{name}");
                }
            } else {
                assert!(seen.iter().any(|(name, machine)| machine["status"] != before[name]["status"]));
                let mut told = Vec::new();
                for _ in 0..50 {
                    told.push(watch.told().await);
                }
                assert!(told.iter().any(|line| line.starts_with("MODIFIED")), "{told:?}");
                all.push(told);
            }
        }
        assert_eq!(all[0], all[1]);
    }
}
