//! What runs in containers.

use std::time::Duration;

use super::super::object::Object;
use super::super::view::View;

/// A program that runs in the containers of certain pods. A pod of which no program is known simply runs, until it is deleted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// The pods it runs in.
    pub(crate) of: fn(&Object) -> bool,
    /// How far it is, in a container that was started as many times again. It is asked only while the container runs; that the
    /// pod was deleted, its process can see from the pod.
    pub(crate) run: fn(&View<'_>, &Object, &str, u32) -> Progress,
    /// What it writes into the log of a container: when after the container's start, and what. Lines may be added at the end as time goes on, but
    /// not change.
    pub(crate) says: fn(&View<'_>, &Object, &str, u32) -> Said,
}

/// Lines of a log, and when after the container's start they come.
pub(crate) type Said = Vec<(Duration, String)>;

/// How far a container's process is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// It runs.
    Running {
        /// Whether its readiness probe would succeed.
        ready: bool,
    },
    /// It has ended.
    Exited {
        /// 0 where all went well.
        code: i32,
        /// In one word; `Completed` or `Error` where empty.
        reason: String,
        /// What it left in its termination log.
        message: String,
    },
}

impl Progress {
    /// It ended as it should.
    pub(crate) fn completed() -> Self {
        Self::Exited { code: 0, reason: String::new(), message: String::new() }
    }
}

/// For programs that write no log.
pub(crate) fn silent(_: &View<'_>, _: &Object, _: &str, _: u32) -> Said {
    Vec::new()
}

/// The programs, by the part of the cluster they belong to; the first that takes a pod is run.
const PROGRAMS: &[&[Program]] =
    &[super::super::machines::PROGRAMS, super::super::disks::PROGRAMS, super::super::others::PROGRAMS];

/// How long a process takes that is told to end.
const FAREWELL: Duration = Duration::from_secs(1);

const UNKNOWN: Program = Program {
    of: |_| true,
    run: |view, pod, container, _| {
        if pod.is_ending() && view.waited(pod, &format!("ends-{container}"), FAREWELL) {
            Progress::completed()
        } else {
            Progress::Running { ready: true }
        }
    },
    says: silent,
};

/// What runs in a pod.
pub(super) fn of(pod: &Object) -> Program {
    let known = PROGRAMS.iter().copied().flatten().find(|one| (one.of)(pod));
    known.copied().unwrap_or(UNKNOWN)
}
