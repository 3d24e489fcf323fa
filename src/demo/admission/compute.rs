//! Memory and processors. All checks are at `spec` of an instance.

use super::place::{Causes, Spot};
use super::quantity::Quantity;

/// The least memory that can be requested: 1M.
const LEAST: i128 = 1_000_000;

const POLICIES: [&str; 6] = ["", "force", "require", "optional", "disable", "forbid"];

struct Asked<'a> {
    requests: Spot<'a>,
    limits: Spot<'a>,
}

impl<'a> Asked<'a> {
    fn of(spec: &Spot<'a>, what: &str) -> Self {
        let resources = spec.get("domain.resources");
        Self { requests: resources.get("requests").get(what), limits: resources.get("limits").get(what) }
    }

    fn negative(spot: &Spot<'_>, causes: &mut Causes) {
        if spot.quantity() < Quantity::default() {
            let text = format!("{} '{}': must be greater than or equal to 0.", spot.path, spot.amount());
            causes.invalid(&spot.path, text);
        }
    }

    fn exceeds(&self, causes: &mut Causes) {
        let (requests, limits) = (&self.requests, &self.limits);
        if limits.quantity() > Quantity::default() && requests.quantity() > limits.quantity() {
            let text = format!(
                "{} '{}' is greater than {} '{}'",
                requests.path,
                requests.amount(),
                limits.path,
                limits.amount()
            );
            causes.invalid(&requests.path, text);
        }
    }
}

/// What is requested of memory.
pub(super) fn memory(spec: &Spot<'_>, causes: &mut Causes) {
    let asked = Asked::of(spec, "memory");
    Asked::negative(&asked.requests, causes);
    let requested = asked.requests.quantity().whole();
    if requested > 0 && requested < LEAST {
        let at = &asked.requests.path;
        causes
            .invalid(at, format!("{at} '{}': must be greater than or equal to 1M.", asked.requests.amount()));
    }
    Asked::negative(&asked.limits, causes);
    asked.exceeds(causes);
}

/// Pages that do not go into the memory.
pub(super) fn huge_pages(spec: &Spot<'_>, causes: &mut Causes) {
    let memory = spec.get("domain.memory");
    let page = memory.get("hugepages.pageSize");
    if !memory.get("hugepages").is_set() {
        return;
    }
    let requests = Asked::of(spec, "memory").requests;
    let size = match Quantity::of(page.value) {
        Ok(size) => size.whole(),
        Err(why) => {
            causes.invalid(&page.path, format!("{} '{}': {why}", page.path, page.text()));
            return;
        }
    };
    // The memory of the guest counts where none is requested, but the answer shows the request.
    let wanted = [&requests, &memory.get("guest")]
        .map(|spot| spot.quantity().whole())
        .into_iter()
        .find(|wanted| *wanted != 0)
        .unwrap_or_default();
    let why = if wanted < size {
        "must be equal to or larger than page size"
    } else if size > 0 && wanted % size != 0 {
        "is not a multiple of the page size"
    } else {
        return;
    };
    let text = format!("{} '{}' {why} {} '{}'", requests.path, requests.amount(), page.path, page.amount());
    causes.invalid(&requests.path, text);
}

/// What is requested of processors.
pub(super) fn processors(spec: &Spot<'_>, causes: &mut Causes) {
    let asked = Asked::of(spec, "cpu");
    Asked::negative(&asked.requests, causes);
    Asked::negative(&asked.limits, causes);
    asked.exceeds(causes);
}

/// How many processors a guest gets; zero where nothing is said.
fn virtual_processors(cpu: &Spot<'_>) -> i64 {
    let parts = ["sockets", "cores", "threads"].map(|field| cpu.get(field).number());
    if parts.iter().all(|part| *part == 0) {
        return 0;
    }
    parts.into_iter().fold(1, |all, part| all.saturating_mul(part.max(1)))
}

/// What processors of one's own ask for.
pub(super) fn dedicated(spec: &Spot<'_>, causes: &mut Causes) {
    let cpu = spec.get("domain.cpu");
    let placement = cpu.get("dedicatedCpuPlacement");
    if !placement.yes() {
        return;
    }
    let (memory, asked) = (Asked::of(spec, "memory"), Asked::of(spec, "cpu"));
    let amounts = [&memory.requests, &memory.limits].map(|spot| spot.quantity().whole());
    let guest = spec.get("domain.memory").set_of(&["guest", "hugepages"]);
    if amounts == [0, 0] && guest.is_empty() {
        let text = format!("{} or {} should be provided", memory.requests.path, memory.limits.path);
        causes.invalid(&memory.limits.path, text);
    }
    for (spot, what) in [(&asked.requests, "requests"), (&asked.limits, "limits")] {
        let amount = spot.quantity();
        if amount.whole() > 0 && amount.whole() * 1000 != amount.milli() {
            // So the real one writes it.
            causes.invalid(&spot.path, format!("provided resources CPU {what} must be an interger"));
        }
    }
    if amounts.iter().all(|amount| *amount > 0) && amounts[0] != amounts[1] {
        let text = format!("{} must be equal to {}", memory.requests.path, memory.limits.path);
        causes.invalid(&memory.requests.path, text);
    }
    let (requests, limits) = (&asked.requests.path, &asked.limits.path);
    let wanted = [&asked.requests, &asked.limits].map(|spot| spot.quantity().whole());
    let guest = i128::from(virtual_processors(&cpu));
    if wanted == [0, 0] && guest == 0 {
        let text = format!(
            "either {requests} or {limits} or {} must be provided when DedicatedCPUPlacement is true ",
            cpu.at("cores")
        );
        causes.invalid(&placement.path, text);
    }
    if wanted.iter().all(|amount| *amount > 0) && wanted[0] != wanted[1] {
        let text = format!("{requests} or {limits} must be equal when DedicatedCPUPlacement is true ");
        causes.invalid(&placement.path, text);
    }
    if wanted.iter().any(|amount| *amount > 0) && guest > 0 && wanted.iter().all(|amount| *amount != guest) {
        let text = format!(
            "{requests} or {limits} must not be provided at the same time with {} when DedicatedCPUPlacement is true ",
            cpu.at("cores")
        );
        causes.invalid(&placement.path, text);
    }
    let threads = cpu.get("threads");
    if threads.number() > 2 {
        let text = format!(
            "Not more than two threads must be provided at {} (got {}) when DedicatedCPUPlacement is true",
            threads.path,
            threads.number()
        );
        causes.invalid(&placement.path, text);
    }
}

/// What a guest needs that sees the memory of its node as it is.
pub(super) fn numa(spec: &Spot<'_>, causes: &mut Causes) {
    let domain = spec.get("domain");
    let at = domain.get("cpu.numa.guestMappingPassthrough");
    if !at.is_set() {
        return;
    }
    let when = format!("when NUMA topology strategy is set in {}", at.path);
    let dedicated = domain.get("cpu.dedicatedCpuPlacement");
    if !dedicated.yes() {
        causes.invalid(&at.path, format!("{} must be set to true {when}", dedicated.path));
    }
    let pages = domain.get("memory.hugepages");
    if !pages.is_set() {
        causes.invalid(&at.path, format!("{} must be requested {when}", pages.path));
    }
}

/// Threads, features, sockets, and what real time needs.
pub(super) fn topology(spec: &Spot<'_>, causes: &mut Causes) {
    let cpu = spec.get("domain.cpu");
    let dedicated = cpu.get("dedicatedCpuPlacement");
    if cpu.get("isolateEmulatorThread").yes() && !dedicated.yes() {
        let text = "IsolateEmulatorThread should be only set in combination with DedicatedCPUPlacement";
        causes.invalid(cpu.at("isolateEmulatorThread"), text);
    }
    for feature in cpu.get("features").items() {
        let policy = feature.get("policy");
        if !POLICIES.contains(&policy.text()) {
            let name = feature.get("name").text();
            let text = format!("CPU feature {name} uses policy {} that is not supported.", policy.text());
            causes.unsupported(&policy.path, text);
        }
    }
    sockets(&cpu, causes);
    if cpu.get("realtime").is_set() {
        let numa = cpu.get("numa.guestMappingPassthrough");
        let realtime = cpu.at("realtime");
        if !dedicated.yes() {
            let text = format!("{} must be set to true when {realtime} is used", dedicated.path);
            causes.required(&dedicated.path, text);
        }
        if !numa.is_set() {
            causes.required(&numa.path, format!("{} must be defined when {realtime} is used", numa.path));
        }
    }
}

fn sockets(cpu: &Spot<'_>, causes: &mut Causes) {
    let (sockets, most) = (cpu.get("sockets"), cpu.get("maxSockets").number());
    if most != 0 && sockets.number() > most {
        let text = "Number of sockets in CPU topology is greater than the maximum sockets allowed";
        causes.invalid(&sockets.path, text);
    }
}

/// What a machine needs so that it can grow while it runs.
pub(super) fn growth(spec: &Spot<'_>, causes: &mut Causes) {
    let domain = spec.get("domain");
    // Told a second time: the real one has two places that look at it.
    sockets(&domain.get("cpu"), causes);
    let (guest, most) = (domain.get("memory.guest"), domain.get("memory.maxGuest"));
    if !most.is_set() {
        return;
    }
    for (field, with) in [
        ("cpu.realtime", "realtime VMs"),
        ("cpu.numa.guestMappingPassthrough", "guest mapping passthrough"),
        ("launchSecurity", "encrypted VMs"),
    ] {
        if domain.get(field).is_set() {
            causes.invalid(domain.at(field), format!("Memory hotplug is not compatible with {with}"));
        }
    }
    if domain.get("cpu.dedicatedCpuPlacement").yes() {
        let text = "Memory hotplug is not compatible with dedicated CPUs";
        causes.invalid(domain.at("cpu.dedicatedCpuPlacement"), text);
    }
    if !guest.is_set() {
        let text = "Guest memory must be configured when memory hotplug is enabled";
        causes.invalid(&guest.path, text);
    } else if guest.quantity() > most.quantity() {
        causes.invalid(&guest.path, "Guest memory is greater than the configured maxGuest memory");
    }
}

/// An instance that says nowhere how much memory it wants; of a machine that is not asked before it starts.
pub(super) fn some_memory(spec: &Spot<'_>, causes: &mut Causes) {
    let memory = spec.get("domain.memory");
    let requests = Asked::of(spec, "memory").requests;
    if requests.quantity().whole() == 0 && memory.set_of(&["guest", "hugepages"]).is_empty() {
        let text = format!(
            "no memory requested, at least one of '{}', '{}' or '{}' must be set",
            memory.at("guest"),
            memory.at("hugepages.pageSize"),
            requests.path
        );
        causes.required("", text);
    }
}
