//! VirtualMachineInstanceMigrations, as virt-controller looks after them: from a second launcher pod to the end.
//!
//! What the nodes do in between stands in [`super::handler`].

use std::time::Duration;

use serde_json::{Value, json};

use super::super::edit::{annotate, label, list, release, set, time};
use super::super::kind::Kind;
use super::super::object::{Object, Reference};
use super::super::view::View;
use super::super::write::Write;
use super::target::target_pod;

/// Held on migrations that came through KubeVirt's API, until they are over.
pub(super) const FINALIZER: &str = "kubevirt.io/migrationJobFinalize";

/// The label of a pod that was made for a migration: its uid.
pub(super) const JOB: &str = "kubevirt.io/migrationJobUID";

/// The annotation of migrations that drains asked for.
pub(super) const EVACUATION: &str = "kubevirt.io/evacuationMigration";

pub(super) const CONTROLLER: &str = "virtualmachine-controller";

const OBSERVED: [&str; 2] =
    ["kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version"];
const NONROOT: &str = "kubevirt.io/nonroot";
const READY_TIMESTAMP: &str = "kubevirt.io/migration-target-ready-timestamp";

/// KubeVirt's defaults: how many migrations there may be, and how long a pod may wait.
pub(super) const MOST_IN_CLUSTER: usize = 5;
const MOST_FROM_NODE: usize = 2;
const UNSCHEDULABLE: Duration = Duration::from_secs(5 * 60);
const PENDING: Duration = Duration::from_secs(15 * 60);

/// How often a migration that has to wait looks whether it may begin.
const QUEUE: Duration = Duration::from_secs(5);

/// So many migrations of a machine are kept that are over.
const KEPT: usize = 5;

/// What virt-controller does for a migration.
pub(super) fn step(view: &View<'_>, migration: &Object) -> Vec<Write> {
    if migration.annotation(OBSERVED[0]).is_empty() {
        return vec_of(Write::update(migration, observed(migration)));
    }
    let vmi = view.get(Kind::VirtualMachineInstance, migration.namespace(), migration.text("/spec/vmiName"));
    let Some(vmi) = vmi else {
        if migration.is_ending() {
            let mut new = migration.edit();
            release(&mut new, FINALIZER);
            return vec_of(Write::update(migration, new));
        }
        return vec_of(Write::delete(migration));
    };
    Case { view, migration, vmi, pod: pod_of(view, migration) }.step()
}

/// How long the pod of a migration that is no more is left alone.
const FORSAKEN: Duration = Duration::from_secs(30);

/// Takes away the pod of a migration that was deleted before anything had come of it.
pub(super) fn forsaken(view: &View<'_>, pod: &Object) -> Vec<Write> {
    let job = pod.label(JOB);
    if job.is_empty() || is_down(pod) {
        return Vec::new();
    }
    let mut known = view.list(Kind::VirtualMachineInstanceMigration, pod.namespace());
    let mut instances = view.list(Kind::VirtualMachineInstance, pod.namespace());
    let (node, owner) = (pod.text("/spec/nodeName"), pod.controller_uid());
    let is_needed = instances.any(|vmi| {
        let has_begun = vmi.text("/status/migrationState/migrationUid") == job;
        vmi.uid() == owner && (has_begun || !node.is_empty() && vmi.text("/status/nodeName") == node)
    });
    if known.any(|one| one.uid() == job) || is_needed || !view.waited(pod, "forsaken", FORSAKEN) {
        return Vec::new();
    }
    vec_of(Write::delete(pod))
}

fn vec_of(write: Option<Write>) -> Vec<Write> {
    write.into_iter().collect()
}

fn observed(migration: &Object) -> Value {
    let mut new = migration.edit();
    for annotation in OBSERVED {
        annotate(&mut new, annotation, "v1");
    }
    if migration.label("kubevirt.io/vmi-name").is_empty() {
        label(&mut new, "kubevirt.io/vmi-name", migration.text("/spec/vmiName"));
    }
    new
}

/// Whether a migration is over.
pub(super) fn is_final(migration: &Object) -> bool {
    matches!(migration.phase(), "Succeeded" | "Failed")
}

/// The launcher pod that was made for a migration.
pub(super) fn pod_of<'a>(view: &'a View<'_>, migration: &'a Object) -> Option<&'a Object> {
    view.list(Kind::Pod, migration.namespace())
        .find(|pod| pod.label(JOB) == migration.uid() && pod.label("kubevirt.io") == "virt-launcher")
}

/// The launcher pod a guest runs in.
pub(super) fn source_pod<'a>(view: &'a View<'_>, vmi: &'a Object) -> Option<&'a Object> {
    view.list(Kind::Pod, vmi.namespace()).find(|pod| {
        pod.controller_uid() == vmi.uid()
            && pod.label("kubevirt.io") == "virt-launcher"
            && pod.text("/spec/nodeName") == vmi.text("/status/nodeName")
            && !is_down(pod)
    })
}

fn is_down(pod: &Object) -> bool {
    matches!(pod.phase(), "Succeeded" | "Failed") || pod.is_ending()
}

/// Whether all containers of a pod are; gates are of no interest.
fn is_ready(pod: &Object) -> bool {
    let containers = pod.list("/status/containerStatuses");
    pod.phase() == "Running" && !containers.is_empty() && containers.iter().all(|one| one["ready"] == true)
}

fn is_unschedulable(pod: &Object) -> bool {
    pod.condition("PodScheduled")
        .is_some_and(|one| one["status"] == "False" && one["reason"] == "Unschedulable")
}

/// A migration, and what belongs to it.
struct Case<'a, 'v> {
    view: &'a View<'v>,
    migration: &'a Object,
    vmi: &'a Object,
    /// The new launcher pod.
    pod: Option<&'a Object>,
}

impl Case<'_, '_> {
    fn step(&self) -> Vec<Write> {
        let mut writes = self.sync();
        writes.extend(self.mark());
        writes.extend(self.status());
        if writes.is_empty() && is_final(self.migration) {
            writes = self.collect();
        }
        writes
    }

    /// Whether the instance's state of a migration is that of this one.
    fn is_current(&self) -> bool {
        self.vmi.text("/status/migrationState/migrationUid") == self.migration.uid()
    }

    fn is_handed_off(&self) -> bool {
        self.is_current() && !matches!(self.migration.phase(), "" | "Pending" | "Scheduling")
    }

    fn tell(&self, reason: &str, message: impl Into<String>) -> Write {
        Write::tell(self.migration, CONTROLLER, reason, message)
    }

    /// What has to be done; what is said of it is the business of [`Self::status`].
    fn sync(&self) -> Vec<Write> {
        if self.vmi.is_ending() || self.is_current() && self.vmi.flag("/status/migrationState/completed") {
            return Vec::new();
        }
        match (self.migration.phase(), self.pod) {
            ("Pending" | "Scheduling", Some(pod)) if self.migration.is_ending() => self.cancel(pod),
            ("Scheduled", Some(pod)) if self.migration.is_ending() && !self.is_handed_off() => {
                self.cancel(pod)
            }
            ("Pending", None) if !self.migration.is_ending() => self.begin(),
            ("Pending" | "Scheduling", Some(pod)) if !is_ready(pod) => self.wait_for(pod),
            ("Scheduled", Some(pod)) if is_ready(pod) && !self.is_current() => self.hand_off(pod),
            ("PreparingTarget" | "TargetReady" | "Failed", pod)
                if pod.is_none_or(is_down)
                    && self.is_current()
                    && self.vmi.at("/status/migrationState/startTimestamp").is_null() =>
            {
                self.target_lost()
            }
            ("Running", _) if self.migration.is_ending() && self.is_current() => self.abort(),
            _ => Vec::new(),
        }
    }

    /// Makes the second launcher pod, as soon as there is room for one more migration.
    fn begin(&self) -> Vec<Write> {
        let Some(source) = source_pod(self.view, self.vmi) else { return Vec::new() };
        if !self.may_begin() {
            self.view.elapsed(self.migration, "queue", QUEUE);
            return Vec::new();
        }
        if let Some(backoff) = self.backoff()
            && !self.view.waited(self.migration, "backoff", backoff)
        {
            let message = format!("backoff migrating vmi {}/{}", self.vmi.namespace(), self.vmi.name());
            let told = Write::warn(self.vmi, CONTROLLER, "MigrationBackoff", message);
            return self
                .view
                .is_first(self.migration, "told of backoff")
                .then_some(told)
                .into_iter()
                .collect();
        }
        let mut vmi = self.vmi.edit();
        annotate(&mut vmi, NONROOT, "true");
        set(&mut vmi, "/status/runtimeUser", 107);
        let pod = target_pod(self.view, self.migration, self.vmi, source);
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        if let Some(why) = self.view.refused(&Reference::new(Kind::Pod, self.vmi.namespace(), &name)) {
            let message = format!("Error creating pod: {}", why.message);
            if !self.view.waited(self.migration, "create again", QUEUE) {
                let told = Write::warn(self.vmi, CONTROLLER, "FailedCreate", message);
                return self
                    .view
                    .is_first(self.migration, "told of refusal")
                    .then_some(told)
                    .into_iter()
                    .collect();
            }
            self.view.forget(self.migration, "create again");
            self.view.waited(self.migration, "create again", QUEUE);
        }
        let told = self.tell("SuccessfulCreate", format!("Created migration target pod {name}"));
        Write::update(self.vmi, vmi).into_iter().chain([Write::Create(pod), told]).collect()
    }

    /// Whether KubeVirt's limits leave room.
    fn may_begin(&self) -> bool {
        let pods = self.view.list(Kind::Pod, self.vmi.namespace());
        let own = pods.filter(|pod| pod.controller_uid() == self.vmi.uid() && !is_down(pod));
        let running: Vec<&Object> =
            self.view.all(Kind::VirtualMachineInstanceMigration).filter(|one| self.is_running(one)).collect();
        let node = self.vmi.text("/status/nodeName");
        let from_node = running.iter().filter(|one| self.source_node(one) == node).count();
        own.count() < 2
            && self.vmi.phase() == "Running"
            && running.len() < MOST_IN_CLUSTER
            && from_node < MOST_FROM_NODE
    }

    fn is_running(&self, other: &Object) -> bool {
        let over = is_final(other) || other.uid() == self.migration.uid();
        !over && (!matches!(other.phase(), "" | "Pending") || pod_of(self.view, other).is_some())
    }

    fn source_node(&self, other: &Object) -> &str {
        let name = other.text("/spec/vmiName");
        let vmi = self.view.get(Kind::VirtualMachineInstance, other.namespace(), name);
        vmi.map(|vmi| vmi.text("/status/nodeName")).unwrap_or_default()
    }

    /// How long the next migration has to wait that a drain asked for, after some of them have failed.
    fn backoff(&self) -> Option<Duration> {
        self.migration.at("/metadata/annotations").get(EVACUATION)?;
        let mut earlier: Vec<&Object> =
            self.siblings().filter(|one| one.at("/metadata/annotations").get(EVACUATION).is_some()).collect();
        earlier.sort_by_key(|one| one.version());
        let failures = earlier
            .iter()
            .rev()
            .filter(|one| is_final(one))
            .take_while(|one| one.phase() == "Failed")
            .count();
        let doubled = u32::try_from(failures.min(10)).ok()?.checked_sub(1)?;
        Some(Duration::from_secs(20 << doubled))
    }

    /// Other migrations of the same instance.
    fn siblings(&self) -> impl Iterator<Item = &Object> {
        let all = self.view.list(Kind::VirtualMachineInstanceMigration, self.migration.namespace());
        all.filter(|one| one.uid() != self.migration.uid() && one.text("/spec/vmiName") == self.vmi.name())
    }

    /// A pod that does not start must not hold a migration for ever.
    fn wait_for(&self, pod: &Object) -> Vec<Write> {
        if pod.phase() != "Pending" || pod.is_ending() {
            return Vec::new();
        }
        let (namespace, name) = (pod.namespace(), pod.name());
        let limit = |annotation: &str, default: Duration| {
            let text = self.migration.annotation(annotation).parse().map(Duration::from_secs);
            text.unwrap_or(default)
        };
        let mut writes = Vec::new();
        if is_unschedulable(pod) {
            if self.view.is_first(pod, "told unschedulable") {
                let message = format!(
                    "Migration target pod for VMI [{}/{}] is currently unschedulable.",
                    self.vmi.namespace(),
                    self.vmi.name()
                );
                let reason = "migrationTargetPodUnschedulable";
                writes.push(Write::warn(self.migration, CONTROLLER, reason, message));
            }
            let limit = limit("kubevirt.io/migrationUnschedulablePodTimeoutSeconds", UNSCHEDULABLE);
            if self.view.waited(pod, "unschedulable", limit) {
                let message = format!("unschedulable pod {namespace}/{name} timeout period exceeded");
                writes.extend(Write::delete(pod));
                writes.push(self.tell("SuccessfulDelete", message));
                return writes;
            }
        }
        if self.view.waited(pod, "pending", limit("kubevirt.io/migrationPendingPodTimeoutSeconds", PENDING)) {
            let message = format!("pending pod {namespace}/{name} timeout period exceeded");
            writes.extend(Write::delete(pod));
            writes.push(self.tell("SuccessfulDelete", message));
        }
        writes
    }

    fn cancel(&self, pod: &Object) -> Vec<Write> {
        let message = format!("migration canceled and pod {}/{} is deleted", pod.namespace(), pod.name());
        let told = self.tell("SuccessfulDelete", message);
        Write::delete(pod).into_iter().flat_map(|delete| [delete, told.clone()]).collect()
    }

    /// Tells the nodes what is to be done.
    fn hand_off(&self, pod: &Object) -> Vec<Write> {
        let mut new = self.vmi.edit();
        let target = pod.text("/spec/nodeName");
        label(&mut new, "kubevirt.io/migrationTargetNodeName", target);
        new["status"]["migrationState"] = json!({
            "migrationUid": self.migration.uid(),
            "sourceNode": self.vmi.text("/status/nodeName"),
            "sourcePod": self.migration.text("/status/migrationState/sourcePod"),
            "targetNode": target,
            "targetPod": pod.name(),
            "migrationConfiguration": configuration(),
        });
        let overhead = self.vmi.at("/status/memory/memoryOverhead");
        if !overhead.is_null() {
            new["status"]["migrationState"]["targetMemoryOverhead"] = overhead.clone();
        }
        let message = "Migration target pod is ready for preparation by virt-handler.";
        let told = self.tell("SuccessfulHandOver", message);
        Write::update(self.vmi, new).into_iter().chain([told]).collect()
    }

    /// The new pod went before the nodes had begun.
    fn target_lost(&self) -> Vec<Write> {
        let mut new = self.vmi.edit();
        let state = &mut new["status"]["migrationState"];
        for field in ["startTimestamp", "endTimestamp"] {
            state[field] = time(self.view.time).into();
        }
        for field in ["failed", "completed"] {
            state[field] = true.into();
        }
        state["failureReason"] = "Target pod is down".into();
        let message = format!(
            "VirtualMachineInstance migration uid {} failed. reason: Target pod is down",
            self.migration.uid()
        );
        let told = Write::warn(self.vmi, CONTROLLER, "FailedMigration", message);
        Write::update(self.vmi, new).into_iter().chain([told]).collect()
    }

    fn abort(&self) -> Vec<Write> {
        let mut new = self.vmi.edit();
        set(&mut new, "/status/migrationState/abortRequested", true);
        let told =
            self.tell("SuccessfulAbortMigration", "Migration is ready to be canceled by virt-handler.");
        Write::update(self.vmi, new).into_iter().flat_map(|update| [update, told.clone()]).collect()
    }

    /// The new pod bears the time at which the guest was there.
    fn mark(&self) -> Vec<Write> {
        let Some(pod) = self.pod.filter(|_| self.migration.phase() == "Running") else { return Vec::new() };
        let at = self.vmi.text("/status/migrationState/targetNodeDomainReadyTimestamp");
        if at.is_empty() || !self.is_current() || !pod.annotation(READY_TIMESTAMP).is_empty() {
            return Vec::new();
        }
        let mut new = pod.edit();
        annotate(&mut new, READY_TIMESTAMP, as_go_writes(at));
        vec_of(Write::update(pod, new))
    }

    /// How far the migration is, by what was seen before anything was done.
    fn status(&self) -> Vec<Write> {
        let mut new = self.migration.edit();
        let mut told = Vec::new();
        let phase = self.next_phase(&mut new, &mut told);
        if phase != self.migration.phase() {
            set(&mut new, "/status/phase", phase);
            let entry = json!({"phase": phase, "phaseTransitionTimestamp": time(self.view.time)});
            list(&mut new, "/status/phaseTransitionTimestamps").push(entry);
        }
        if self.migration.text("/status/migrationState/sourcePod").is_empty()
            && let Some(source) = source_pod(self.view, self.vmi)
            && !is_final(self.migration)
        {
            set(&mut new, "/status/migrationState/sourcePod", source.name());
        }
        // The API server lets nothing go whose last finalizer falls before its status was written.
        Write::update(self.migration, new).into_iter().chain(told).collect()
    }

    fn fail(&self, told: &mut Vec<Write>, message: &str) -> &'static str {
        told.push(Write::warn(self.migration, CONTROLLER, "FailedMigration", message));
        "Failed"
    }

    fn next_phase(&self, new: &mut Value, told: &mut Vec<Write>) -> &'static str {
        let (state, phase) = (self.vmi.at("/status/migrationState"), phase_of(self.migration));
        let target_made = !matches!(phase, "" | "Pending" | "Succeeded" | "Failed");
        let handed_off = matches!(phase, "PreparingTarget" | "TargetReady" | "Running");
        if is_final(self.migration) {
            if self.is_current() && state["completed"] == true {
                new["status"]["migrationState"] = state.clone();
            }
            release(new, FINALIZER);
            return phase;
        }
        if matches!(self.vmi.phase(), "Succeeded" | "Failed") {
            return self.fail(told, "Migration failed vmi shutdown during migration.");
        }
        if self.migration.is_ending() && !self.is_handed_off() {
            self.request_abort(new);
            return self.fail(told, "Migration failed due to being canceled");
        }
        if self.pod.is_some_and(is_down) && !(self.is_current() && state["completed"] == true) {
            return self.fail(told, "Migration failed because target pod shutdown during migration");
        }
        if target_made && self.pod.is_none() {
            return self.fail(told, "Migration target pod was removed during active migration.");
        }
        if handed_off && state.is_null() {
            return self.fail(told, "VMI's migration state was cleared during the active migration.");
        }
        if handed_off && !self.is_current() {
            let message =
                "VMI's migration state was taken over by another migration job during active migration.";
            return self.fail(told, message);
        }
        if self.is_current() && state["failed"] == true {
            return self.fail(told, "source node reported migration failed");
        }
        if self.migration.is_ending() && self.migration.condition(ABORT).is_none() {
            self.request_abort(new);
            return phase;
        }
        match phase {
            "" => match self.objection() {
                Some(message) => self.fail(told, &message),
                None => "Pending",
            },
            "Pending" if self.pod.is_some() => {
                remove_quota(new);
                "Scheduling"
            }
            "Pending" => {
                self.mark_quota(new);
                phase
            }
            "Scheduling" if self.pod.is_some_and(is_ready) => "Scheduled",
            "Scheduled" if self.is_current() => "PreparingTarget",
            "PreparingTarget" if state["targetNodeAddress"].is_string() => "TargetReady",
            "TargetReady" if state["startTimestamp"].is_string() => "Running",
            "Running" if state["completed"] == true => {
                told.push(self.tell("SuccessfulMigration", "Source node reported migration succeeded"));
                "Succeeded"
            }
            _ => phase,
        }
    }

    /// Why the instance cannot be migrated now. That it cannot at all is said by admission, where there is one.
    fn objection(&self) -> Option<String> {
        let current = self.vmi.text("/status/migrationState/migrationUid");
        if self.siblings().any(|one| one.uid() == current && !is_final(one)) {
            return Some(
                "VMI is not eligible for migration because another migration job is in progress.".to_owned(),
            );
        }
        let able = self.vmi.condition("LiveMigratable").filter(|one| one["status"] == "False")?;
        let text = |field: &str| able[field].as_str().unwrap_or_default();
        Some(format!("Cannot migrate VMI, Reason: {}, Message: {}", text("reason"), text("message")))
    }

    fn request_abort(&self, new: &mut Value) {
        if self.migration.condition(ABORT).is_none() {
            list(new, "/status/conditions").push(self.condition(ABORT));
        }
    }

    fn mark_quota(&self, new: &mut Value) {
        let name = super::target::name(self.view, self.migration, self.vmi);
        let refused = self.view.refused(&Reference::new(Kind::Pod, self.vmi.namespace(), &name));
        let exceeded = refused.is_some_and(|why| why.message.contains("exceeded quota"));
        if exceeded && self.migration.condition(QUOTA).is_none() {
            list(new, "/status/conditions").push(self.condition(QUOTA));
        }
    }

    fn condition(&self, of: &str) -> Value {
        json!({"type": of, "status": "True", "lastProbeTime": time(self.view.time), "lastTransitionTime": null})
    }

    /// Old migrations of the machine go.
    fn collect(&self) -> Vec<Write> {
        let mut over: Vec<&Object> =
            self.siblings().chain([self.migration]).filter(|one| is_final(one) && !one.is_ending()).collect();
        over.sort_by_key(|one| one.text("/metadata/creationTimestamp").to_owned());
        let surplus = over.len().saturating_sub(KEPT);
        over.into_iter().take(surplus).filter_map(Write::delete).collect()
    }
}

const ABORT: &str = "migrationAbortRequested";
const QUOTA: &str = "migrationRejectedByResourceQuota";

fn remove_quota(new: &mut Value) {
    if let Some(conditions) = new.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        conditions.retain(|one| one["type"] != QUOTA);
    }
}

/// The phase of a migration; empty where it is none that is known here.
fn phase_of(migration: &Object) -> &'static str {
    const PHASES: [&str; 8] = [
        "Pending",
        "Scheduling",
        "Scheduled",
        "PreparingTarget",
        "TargetReady",
        "Running",
        "Succeeded",
        "Failed",
    ];
    PHASES.into_iter().find(|one| *one == migration.phase()).unwrap_or_default()
}

/// KubeVirt's defaults, as they are told to the nodes.
fn configuration() -> Value {
    json!({
        "allowAutoConverge": false,
        "allowPostCopy": false,
        "allowWorkloadDisruption": false,
        "bandwidthPerMigration": "0",
        "completionTimeoutPerGiB": 150,
        "maxDowntimeMs": 900,
        "nodeDrainTaintKey": "kubevirt.io/drain",
        "parallelMigrationsPerCluster": MOST_IN_CLUSTER,
        "parallelOutboundMigrationsPerNode": MOST_FROM_NODE,
        "progressTimeout": 150,
        "unsafeMigrationOverride": false,
        "utilityVolumesTimeout": 150,
    })
}

/// `2026-11-21 10:35:00 +0000 UTC` for `2026-11-21T10:35:00Z`.
fn as_go_writes(at: &str) -> String {
    format!("{} +0000 UTC", at.trim_end_matches('Z').replace('T', " "))
}
