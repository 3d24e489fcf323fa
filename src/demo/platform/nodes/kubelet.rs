//! The kubelet: a pod from the moment it has a node to its end.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{Condition, Times, condition, set, time};
use super::super::kind::Kind;
use super::super::object::Object;
use super::super::view::View;
use super::super::write::Write;
use super::container::Container;
use super::{mount, node, program};

const KUBELET: &str = "kubelet";

/// How long it takes until a pod's first status.
const NOTICE: Duration = Duration::from_millis(100);

/// How long a pod's network and volumes take.
const SANDBOX: Duration = Duration::from_millis(900);

/// Looks after a pod.
pub(super) fn step(view: &View<'_>, pod: &Object) -> Vec<Write> {
    let Some(host) = view.get(Kind::Node, "", pod.text("/spec/nodeName")) else { return Vec::new() };
    if !node::is_played(host) {
        return Vec::new();
    }
    let over = matches!(pod.phase(), "Succeeded" | "Failed");
    if pod.is_ending() && (over || !is_running(pod)) {
        return vec![Write::Delete { object: pod.clone(), grace: Some(0) }];
    }
    if over || !view.waited(pod, "noticed", NOTICE) {
        return Vec::new();
    }
    let mut new = pod.edit();
    let mut said = Vec::new();
    if pod.text("/status/startTime").is_empty() {
        begin(view, pod, host, &mut new);
    } else if ready_to_start(view, pod, &mut new, &mut said) {
        run(view, pod, &mut new, &mut said);
    }
    Write::update(pod, new).into_iter().chain(said).collect()
}

/// Whether any container of a pod runs, or its end is still to be told.
fn is_running(pod: &Object) -> bool {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut all = lists.into_iter().flat_map(|pointer| pod.list(pointer));
    all.any(|one| one["state"]["waiting"].is_null())
}

fn containers<'a, 'v>(view: &'a View<'v>, pod: &'a Object, early: bool) -> Vec<Container<'a, 'v>> {
    let program = program::of(pod);
    let pointer = if early { "/spec/initContainers" } else { "/spec/containers" };
    pod.list(pointer).iter().map(|spec| Container { view, pod, spec, early, program }).collect()
}

/// The first status: nothing is there yet.
fn begin(view: &View<'_>, pod: &Object, host: &Object, new: &mut Value) {
    let early = containers(view, pod, true);
    let reason = if early.is_empty() { "ContainerCreating" } else { "PodInitializing" };
    let waiting =
        |all: Vec<Container<'_, '_>>| -> Vec<Value> { all.iter().map(|one| one.waiting(reason)).collect() };
    let ip = node::address(view, host);
    set(new, "/status/phase", "Pending");
    set(new, "/status/startTime", time(view.time));
    set(new, "/status/hostIP", ip.as_str());
    set(new, "/status/hostIPs", json!([{"ip": ip}]));
    if pod.text("/status/qosClass").is_empty() {
        set(new, "/status/qosClass", qos(pod));
    }
    if !early.is_empty() {
        set(new, "/status/initContainerStatuses", waiting(early));
    }
    set(new, "/status/containerStatuses", waiting(containers(view, pod, false)));
    conditions(view, pod, new);
}

/// Whether the pod's volumes are mounted and its network is there.
fn ready_to_start(view: &View<'_>, pod: &Object, new: &mut Value, said: &mut Vec<Write>) -> bool {
    if !pod.text("/status/podIP").is_empty() {
        return true;
    }
    if let Some(why) = mount::problem(view, pod) {
        said.extend(mount::complain(view, pod, &why));
        return false;
    }
    if view.is_first(pod, "attached") {
        said.extend(mount::attached(view, pod));
    }
    if !view.waited(pod, "sandbox", SANDBOX) {
        return false;
    }
    let ip = if pod.flag("/spec/hostNetwork") {
        pod.text("/status/hostIP").to_owned()
    } else {
        free_ip(view, pod)
    };
    set(new, "/status/podIP", ip.as_str());
    set(new, "/status/podIPs", json!([{"ip": ip}]));
    true
}

/// An address of the node's network that no pod has.
fn free_ip(view: &View<'_>, pod: &Object) -> String {
    let network = node::index(view, pod.text("/spec/nodeName")) % 250;
    let start = view.chance(pod, "ip");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 up to below 60 000")]
    let start = (start * 60_000.0) as u32;
    let taken: Vec<&str> = view.all(Kind::Pod).map(|other| other.text("/status/podIP")).collect();
    let address = |number: u32| {
        let number = number % 64_000 + 10;
        format!("10.{}.{}.{}", 128 + network % 100, number / 250, 2 + number % 250)
    };
    let free = (start..start + 64_000).map(address).find(|ip| !taken.contains(&ip.as_str()));
    free.unwrap_or_else(|| address(start))
}

/// Brings the containers one step further.
fn run(view: &View<'_>, pod: &Object, new: &mut Value, said: &mut Vec<Write>) {
    let never: &[Value] = &[];
    let states = |pointer: &str| if pod.list(pointer).is_empty() { never } else { pod.list(pointer) };
    let late = view.waited_for_grace(pod);
    if pod.is_ending() && view.is_first(pod, "killing") {
        for name in running_names(pod) {
            said.push(Write::tell(pod, KUBELET, "Killing", format!("Stopping container {name}")));
        }
    }
    let early = containers(view, pod, true);
    let main = containers(view, pod, false);
    let all_ended = |states: &[Value]| states.iter().all(|one| one["state"]["terminated"].is_object());
    let main_over = all_ended(states("/status/containerStatuses"))
        && main_states_are_final(pod, states("/status/containerStatuses"));
    let mut may_start = true;
    let mut early_states = Vec::new();
    for (container, status) in early.iter().zip(states("/status/initContainerStatuses")) {
        let mut next = container.step(status, may_start, said);
        let running = next["state"]["running"].is_object();
        // Side-cars go when nobody is left whom they could help.
        if running && container.is_sidecar() && (main_over || late) {
            container.ended(&mut next, if late { 137 } else { 0 }, "", "");
        } else if running && late {
            container.ended(&mut next, 137, "", "");
        }
        may_start &= if container.is_sidecar() {
            next["started"] == true
        } else {
            next["state"]["terminated"]["exitCode"] == 0
        };
        early_states.push(next);
    }
    let mut main_states = Vec::new();
    for (container, status) in main.iter().zip(states("/status/containerStatuses")) {
        let mut next = container.step(status, may_start, said);
        if late && next["state"]["running"].is_object() {
            container.ended(&mut next, 137, "", "");
        }
        main_states.push(next);
    }
    if !early_states.is_empty() {
        set(new, "/status/initContainerStatuses", early_states);
    }
    set(new, "/status/containerStatuses", main_states);
    let phase = phase(pod, new);
    set(new, "/status/phase", phase);
    conditions(view, pod, new);
}

fn main_states_are_final(pod: &Object, states: &[Value]) -> bool {
    let restarts = |code: i64| match pod.text("/spec/restartPolicy") {
        "Never" => false,
        "OnFailure" => code != 0,
        _ => true,
    };
    let code = |one: &Value| one["state"]["terminated"]["exitCode"].as_i64();
    pod.is_ending() || states.iter().all(|one| code(one).is_some_and(|code| !restarts(code)))
}

fn running_names(pod: &Object) -> Vec<String> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let running = lists.into_iter().flat_map(|pointer| pod.list(pointer));
    let running = running.filter(|one| one["state"]["running"].is_object());
    running.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

/// How far a pod is, by its containers.
fn phase(pod: &Object, new: &Value) -> &'static str {
    let list = |name: &str| new["status"][name].as_array().map(Vec::as_slice).unwrap_or_default();
    let (early, main) = (list("initContainerStatuses"), list("containerStatuses"));
    let code = |one: &Value| one["state"]["terminated"]["exitCode"].as_i64();
    let sidecar = |name: &Value| {
        let specs = pod.list("/spec/initContainers");
        specs.iter().any(|one| &one["name"] == name && one["restartPolicy"] == "Always")
    };
    if pod.text("/spec/restartPolicy") == "Never" || pod.is_ending() {
        let failed = |one: &Value| code(one).is_some_and(|code| code != 0);
        if early.iter().any(|one| failed(one) && !sidecar(&one["name"])) {
            return "Failed";
        }
    }
    let sidecars_over =
        early.iter().all(|one| !sidecar(&one["name"]) || !one["state"]["running"].is_object());
    if main_states_are_final(pod, main) && main.iter().all(|one| code(one).is_some()) {
        if !sidecars_over {
            return "Running";
        }
        return if main.iter().all(|one| code(one) == Some(0)) { "Succeeded" } else { "Failed" };
    }
    let started = |one: &Value| !one["state"]["waiting"].is_object() || one["restartCount"] != 0;
    if main.iter().any(started) { "Running" } else { "Pending" }
}

/// Everything that can be read off the containers' states.
fn conditions(view: &View<'_>, pod: &Object, new: &mut Value) {
    let list = |name: &str| new["status"][name].as_array().cloned().unwrap_or_default();
    let (early, main) = (list("initContainerStatuses"), list("containerStatuses"));
    let phase = new["status"]["phase"].as_str().unwrap_or_default().to_owned();
    let names = |bad: &dyn Fn(&Value) -> bool, all: &[Value]| -> Vec<String> {
        let bad = all.iter().filter(|one| bad(one));
        bad.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    };
    let unprepared =
        names(&|one| one["started"] != true && one["state"]["terminated"]["exitCode"] != 0, &early);
    let unready = names(&|one| one["ready"] != true, &main);
    let network = new["status"]["podIP"].as_str().is_some_and(|ip| !ip.is_empty());
    let over = matches!(phase.as_str(), "Succeeded" | "Failed");
    let mut write = |of: &str, good: bool, reason: &str, message: &str| {
        let status = if good { "True" } else { "False" };
        let (reason, message) = if good { ("", "") } else { (reason, message) };
        condition(new, Condition { of, status, reason, message }, Times::Probe, view.time);
    };
    write("PodReadyToStartContainers", network && !over, "", "");
    if early.is_empty() || !over {
        let text = format!("containers with incomplete status: [{}]", unprepared.join(" "));
        write("Initialized", unprepared.is_empty() || over, "ContainersNotInitialized", &text);
    }
    let (reason, message) = match phase.as_str() {
        "Succeeded" => ("PodCompleted", String::new()),
        "Failed" => ("PodFailed", String::new()),
        _ => ("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" "))),
    };
    let containers_ready = unready.is_empty() && !over;
    let gate = pod.list("/spec/readinessGates").iter().find_map(|gate| {
        let of = gate["conditionType"].as_str()?;
        (!pod.is(of)).then(|| of.to_owned())
    });
    match gate {
        Some(gate) if containers_ready => {
            let text = format!(
                "corresponding condition of pod readiness gate {gate:?} does not have status \"True\""
            );
            write("Ready", false, "ReadinessGatesNotReady", &text);
        }
        _ => write("Ready", containers_ready, reason, &message),
    }
    write("ContainersReady", containers_ready, reason, &message);
    write("PodScheduled", true, "", "");
}

/// How the node treats a pod when memory runs short.
fn qos(pod: &Object) -> &'static str {
    let lists = ["/spec/initContainers", "/spec/containers"];
    let all: Vec<&Value> = lists.into_iter().flat_map(|pointer| pod.list(pointer)).collect();
    let has = |one: &Value, part: &str, name: &str| !one["resources"][part][name].is_null();
    let named = |one: &Value| {
        ["requests", "limits"].iter().any(|part| has(one, part, "cpu") || has(one, part, "memory"))
    };
    if !all.iter().any(|one| named(one)) {
        return "BestEffort";
    }
    let fixed = |one: &Value| {
        ["cpu", "memory"].iter().all(|name| {
            let (limit, request) = (&one["resources"]["limits"][name], &one["resources"]["requests"][name]);
            !limit.is_null() && (request.is_null() || request == limit)
        })
    };
    if all.iter().all(|one| fixed(one)) { "Guaranteed" } else { "Burstable" }
}

/// Hexadecimal digits that look like chance and are always the same for the same texts.
pub(in super::super) fn hash(texts: &[&str], digits: usize) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in texts.iter().flat_map(|text| text.bytes().chain([0xff])) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut chance = fastrand::Rng::with_seed(state);
    let mut text = String::with_capacity(digits);
    while text.len() < digits {
        let _ = write!(text, "{:016x}", chance.u64(..));
    }
    text.truncate(digits);
    text
}

impl View<'_> {
    /// Whether a pod that was deleted has had all the time it was given.
    fn waited_for_grace(&self, pod: &Object) -> bool {
        let grace = pod.number("/metadata/deletionGracePeriodSeconds").unwrap_or(30);
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or_default());
        pod.is_ending() && self.waited(pod, "grace", grace)
    }
}
