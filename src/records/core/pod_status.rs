//! The one word for a pod, and how many of its containers are ready: what kubectl's STATUS, READY and RESTARTS show.
//!
//! Follows `printPod` of Kubernetes 1.33 (`pkg/printers/internalversion/printers.go`).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::pod::{Ended, PodEvidence};
use crate::model::{Name, Time, Word};
use crate::records::values::{Few, Number, Told, line, message};
use crate::records::wire::{Fold, Folded, Nullable, Str};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub(super) phase: Str<'a>,
    #[serde(borrow)]
    pub(super) reason: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    #[serde(borrow, rename = "podIP")]
    pub(super) ip: Str<'a>,
    #[serde(borrow)]
    pub(super) start_time: Str<'a>,
    pub(super) conditions: Folded<Conditions>,
    #[serde(borrow)]
    init_container_statuses: Folded<Few<Container<'a>, 4>>,
    container_statuses: Folded<Main>,
}

/// Conditions of a pod.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) ready: bool,
    pub(super) unschedulable: bool,
    initialized: bool,
    gated: bool,
    message: Option<Box<Name>>,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        let yes = &*condition.status == "True";
        match (&*condition.name, &*condition.reason) {
            ("Ready", _) => self.ready = yes,
            ("Initialized", _) => self.initialized = yes,
            ("PodScheduled", "SchedulingGated") => self.gated = true,
            ("PodScheduled", "Unschedulable") if &*condition.status == "False" => {
                self.unschedulable = true;
                self.message = message(&condition.message, 300);
            }
            _ => {}
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    ready: Nullable<bool>,
    started: Nullable<bool>,
    restart_count: Number,
    #[serde(borrow)]
    state: Nullable<State<'a>>,
    #[serde(borrow)]
    last_state: Nullable<State<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct State<'a> {
    #[serde(borrow)]
    waiting: Option<Waiting<'a>>,
    running: Option<IgnoredAny>,
    #[serde(borrow)]
    terminated: Option<Terminated<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Waiting<'a> {
    #[serde(borrow)]
    reason: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Terminated<'a> {
    #[serde(borrow)]
    reason: Str<'a>,
    #[serde(borrow)]
    message: Str<'a>,
    exit_code: Number,
    signal: Number,
    #[serde(borrow)]
    finished_at: Str<'a>,
}

impl Terminated<'_> {
    fn word(&self) -> Word {
        match (&*self.reason, self.signal.i32(), self.exit_code.i32()) {
            ("", 0, code) => Word::new(&format!("ExitCode:{code}")),
            ("", signal, _) => Word::new(&format!("Signal:{signal}")),
            _ => self.reason.word(),
        }
    }

    fn keep(&self, container: &Str<'_>, now: bool) -> Ended {
        Ended {
            container: container.word(),
            reason: self.reason.word(),
            message: line(&self.message, 300).into(),
            at: self.finished_at.time(),
            code: self.exit_code.i32(),
            signal: self.signal.i32(),
            now,
        }
    }
}

/// Restarts, and when the last life before the present one ended.
#[derive(Clone, Copy, Default)]
pub(super) struct Restarts {
    pub(super) count: u32,
    pub(super) last: Option<Time>,
}

impl Restarts {
    fn add(&mut self, container: &Container<'_>) {
        self.count = self.count.saturating_add(container.restart_count.u32());
        let before = container.last_state.terminated.as_ref();
        self.last = self.last.max(before.and_then(|end| end.finished_at.time()));
    }

    fn plus(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), last: self.last.max(other.last) }
    }
}

/// The statuses of the containers proper.
#[derive(Default)]
pub(super) struct Main {
    /// Of the first container that has one.
    reason: Option<Word>,
    ready: u32,
    restarts: Restarts,
    any_running: bool,
    /// How the most important container ended, and how important it is.
    ended: Option<(usize, Ended)>,
    message: Option<Box<Name>>,
}

/// The containers that do the work in the pods of KubeVirt, CDI and Virtink; in any other pod it is the first one.
const WORKERS: [&str; 5] =
    ["compute", "importer", "cdi-upload-server", "cdi-clone-source", "cloud-hypervisor"];

impl<'de> Fold<'de> for Main {
    type Item = Container<'de>;

    fn add(&mut self, container: Container<'de>) {
        self.restarts.add(&container);
        let state = &container.state;
        let waiting = state.waiting.as_ref().filter(|wait| !wait.reason.is_empty());
        let reason = match (waiting, &state.terminated) {
            (Some(waiting), _) => Some(waiting.reason.word()),
            (None, Some(end)) => Some(end.word()),
            (None, None) => {
                let runs = *container.ready && state.running.is_some();
                self.any_running |= runs;
                self.ready = self.ready.saturating_add(runs.into());
                None
            }
        };
        self.reason = self.reason.or(reason);
        if self.message.is_none() {
            self.message = waiting.and_then(|wait| message(&wait.message, 300));
        }
        let rank = usize::from(!WORKERS.contains(&&*container.name));
        if self.ended.as_ref().is_none_or(|(known, _)| rank < *known) {
            let (now, before) = (&state.terminated, &container.last_state.terminated);
            if let Some(end) = now.as_ref().or(before.as_ref()) {
                self.ended = Some((rank, end.keep(&container.name, now.is_some())));
            }
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct InitContainer<'a> {
    #[serde(borrow)]
    name: Str<'a>,
    #[serde(borrow)]
    restart_policy: Str<'a>,
}

/// The init containers of the spec: how many, and which of them are sidecars.
#[derive(Default)]
pub(super) struct InitContainers<'a> {
    count: u32,
    sidecars: Few<Str<'a>, 2>,
    sidecar_count: u32,
}

impl<'de: 'a, 'a> Fold<'de> for InitContainers<'a> {
    type Item = InitContainer<'a>;

    fn add(&mut self, container: InitContainer<'a>) {
        self.count = self.count.saturating_add(1);
        if &*container.restart_policy == "Always" {
            self.sidecar_count = self.sidecar_count.saturating_add(1);
            self.sidecars.push(container.name);
        }
    }
}

/// What kubectl shows of a pod.
pub(super) struct Summary {
    pub(super) reason: Word,
    pub(super) ready: u16,
    pub(super) containers: u16,
    pub(super) restarts: Restarts,
    pub(super) evidence: Option<Box<PodEvidence>>,
}

/// How far the init containers are.
#[derive(Default)]
struct Initialising {
    /// What stands for the pod while they are not done.
    reason: Option<Word>,
    ready: u32,
    restarts: Restarts,
    sidecar_restarts: Restarts,
    message: Option<Box<Name>>,
}

impl Status<'_> {
    fn initialising(&self, spec: &InitContainers<'_>) -> Initialising {
        let mut all = Initialising::default();
        for (at, container) in self.init_container_statuses.iter().enumerate() {
            let sidecar = spec.sidecars.iter().any(|name| *name == container.name);
            all.restarts.add(container);
            if sidecar {
                all.sidecar_restarts.add(container);
            }
            let reason = match (&container.state.terminated, &container.state.waiting) {
                (Some(end), _) if end.exit_code.i32() == 0 => continue,
                _ if sidecar && *container.started => {
                    all.ready += u32::from(*container.ready);
                    continue;
                }
                (Some(end), _) => {
                    all.message = message(&end.message, 300);
                    format!("Init:{}", end.word())
                }
                (None, Some(wait)) if !matches!(&*wait.reason, "" | "PodInitializing") => {
                    all.message = message(&wait.message, 300);
                    format!("Init:{}", &*wait.reason)
                }
                _ => format!("Init:{at}/{}", spec.count),
            };
            all.reason = Some(Word::new(&reason));
            break;
        }
        all
    }

    /// Sums up the pod. `deleted`: its deletion was asked for.
    pub(super) fn sum_up(&mut self, containers: u32, spec: &InitContainers<'_>, deleted: bool) -> Summary {
        let mut init = self.initialising(spec);
        let main = &mut self.container_statuses.0;
        let mut reason = if self.reason.is_empty() { self.phase.word() } else { self.reason.word() };
        if self.conditions.gated {
            reason = Word::new("SchedulingGated");
        }
        let (mut ready, mut restarts) = (init.ready, init.restarts);
        reason = init.reason.unwrap_or(reason);
        if init.reason.is_none() || self.conditions.initialized {
            restarts = init.sidecar_restarts.plus(main.restarts);
            ready = ready.saturating_add(main.ready);
            reason = main.reason.unwrap_or(reason);
            if &*reason == "Completed" && main.any_running {
                let word = if self.conditions.ready { "Running" } else { "NotReady" };
                reason = Word::new(word);
            }
        }
        if deleted && &*self.reason == "NodeLost" {
            reason = Word::new("Unknown");
        } else if deleted && !matches!(&*self.phase, "Succeeded" | "Failed") {
            reason = Word::new("Terminating");
        }
        let ended = main.ended.take().map(|(_, ended)| ended);
        let told = message(&self.message, 300)
            .or_else(|| self.conditions.0.message.take())
            .or_else(|| init.message.take())
            .or_else(|| main.message.take());
        let evidence =
            (ended.is_some() || told.is_some()).then(|| Box::new(PodEvidence { ended, message: told }));
        let total = containers.saturating_add(spec.sidecar_count);
        Summary {
            reason,
            ready: u16::try_from(ready).unwrap_or(u16::MAX),
            containers: u16::try_from(total).unwrap_or(u16::MAX),
            restarts,
            evidence,
        }
    }
}
