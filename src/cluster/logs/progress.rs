//! What was read of a log and what to ask for next. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::{LogLine, LogState};
use crate::cluster::error::{Failure, FailureKind};
use crate::cluster::watch::escape;

/// One container of one pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogSource {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
}

impl LogSource {
    pub(super) fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/pods/{}/log", escape(&self.namespace), escape(&self.pod))
    }
}

/// From where on a log is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The last lines, and what follows.
    Tail(u32),
    /// The last seconds, and what follows.
    Seconds(u32),
    /// The first lines, and nothing that follows.
    Head,
}

/// How much of the beginning of a log is read.
const HEAD_BYTES: &str = "524288";

/// What is wanted of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRequest {
    /// Whose.
    pub source: LogSource,
    /// From where on.
    pub since: Since,
    /// That of the container's life before the present one, which has ended.
    pub previous: bool,
}

/// How a reading ended.
#[derive(Debug)]
pub(super) enum Read {
    /// The server ended it in order.
    Ended,
    /// Nothing came for a long time.
    Silent,
    /// The pod is on no node yet.
    NoNode,
    /// It was refused, or broke off.
    Failed(Failure),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Say this, wait, and ask again.
    Again(Option<LogState>, Duration),
    /// Say this: there is nothing more.
    Over(LogState),
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A container that was waiting is looked at this often: it starts within seconds.
const WAITING_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How far a log was read.
#[derive(Debug)]
pub(super) struct Progress {
    request: LogRequest,
    /// The time of the last line, and how many lines had that time.
    last: Option<(Timestamp, usize)>,
    /// Up to there lines come that were read before the link was lost.
    known: Option<(Timestamp, usize)>,
    /// How often in a row it did not go well, or brought nothing.
    idle: u32,
}

impl Progress {
    pub(super) fn new(request: LogRequest) -> Self {
        Self { request, last: None, known: None, idle: 0 }
    }

    pub(super) fn request(&self) -> &LogRequest {
        &self.request
    }

    fn follows(&self) -> bool {
        !self.request.previous && self.request.since != Since::Head
    }

    /// What to ask for.
    pub(super) fn query(&self) -> Vec<(&'static str, &str)> {
        let mut query = vec![("container", self.request.source.container.as_str()), ("timestamps", "true")];
        if self.follows() {
            query.push(("follow", "true"));
        }
        if self.request.previous {
            query.push(("previous", "true"));
        }
        if self.request.since == Since::Head {
            query.push(("limitBytes", HEAD_BYTES));
        }
        query
    }

    /// The part of what to ask for that says from where on.
    pub(super) fn since(&self) -> Option<(&'static str, String)> {
        match (self.last, self.request.since) {
            // Servers cut it to whole seconds whatever is sent.
            (Some((last, _)), _) => Some(("sinceTime", last.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
            (None, Since::Tail(lines)) => Some(("tailLines", lines.to_string())),
            (None, Since::Seconds(seconds)) => Some(("sinceSeconds", seconds.max(1).to_string())),
            (None, Since::Head) => None,
        }
    }

    /// Takes a line as it came, with its time before it; none if it was read before.
    pub(super) fn line(&mut self, line: &str) -> Option<LogLine> {
        let stamped = line
            .split_once(' ')
            .or(Some((line, "")))
            .and_then(|(at, text)| at.parse::<Timestamp>().ok().map(|at| (at, text)));
        let Some((at, text)) = stamped else {
            // The node speaks, not the container.
            return Some(LogLine { at: None, text: line.into() });
        };
        if let Some((until, left)) = &mut self.known {
            if at < *until {
                return None;
            }
            if at == *until && *left > 0 {
                *left -= 1;
                return None;
            }
            if at > *until {
                self.known = None;
            }
        }
        self.idle = 0;
        match &mut self.last {
            Some((last, count)) if *last == at => *count += 1,
            // A clock that was set back: what is known stays known.
            Some((last, _)) if at < *last => {}
            last => *last = Some((at, 1)),
        }
        Some(LogLine { at: Some(at), text: text.into() })
    }

    /// Takes how a reading ended and says what is next.
    pub(super) fn after(&mut self, read: Read) -> Next {
        self.known = self.last;
        let failure = match read {
            Read::Ended if !self.follows() => return Next::Over(LogState::Over(None)),
            Read::Ended => {
                let pause = self.pause(WAITING_PAUSE);
                return Next::Again(Some(LogState::Ended), pause);
            }
            Read::Silent => return Next::Again(None, Duration::ZERO),
            Read::NoNode => {
                let why = "waiting for a node".to_owned();
                return Next::Again(Some(LogState::Waiting(why)), WAITING_PAUSE);
            }
            Read::Failed(failure) => failure,
        };
        if let Some((_, reason)) = failure.what.split_once("is waiting to start: ") {
            let why = format!("waiting to start: {}", reason.trim_end_matches('.'));
            return Next::Again(Some(LogState::Waiting(why)), WAITING_PAUSE);
        }
        let said = failure.what.as_str();
        match failure.kind {
            FailureKind::NotFound if self.last.is_some() => {
                Next::Over(LogState::Over(Some("the pod is gone".to_owned())))
            }
            FailureKind::NotFound => Next::Over(LogState::Over(Some(failure.to_string()))),
            FailureKind::Server(400) if said.contains("previous terminated container") => {
                Next::Over(LogState::Over(Some("there was no container before this one".to_owned())))
            }
            FailureKind::Server(400) if said.contains("is not valid for pod") => {
                Next::Over(LogState::Over(Some("the pod has no such container".to_owned())))
            }
            FailureKind::Server(400..=499) => Next::Over(LogState::Over(Some(failure.to_string()))),
            FailureKind::Forbidden => {
                Next::Again(Some(LogState::Refused(failure.to_string())), LONGEST_PAUSE)
            }
            _ => {
                let pause = self.pause(FIRST_PAUSE);
                Next::Again(Some(LogState::Lost(failure.and_again())), pause)
            }
        }
    }

    /// Twice as long each time, up to half a minute.
    fn pause(&mut self, first: Duration) -> Duration {
        let pause = first * 2_u32.saturating_pow(self.idle.min(10));
        self.idle = self.idle.saturating_add(1);
        pause.min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(since: Since) -> Progress {
        let source = LogSource { namespace: "shop".into(), pod: "web".into(), container: "app".into() };
        Progress::new(LogRequest { source, since, previous: false })
    }

    fn lines(progress: &mut Progress, lines: &[&str]) -> Vec<String> {
        lines.iter().filter_map(|line| progress.line(line)).map(|line| line.text.into()).collect()
    }

    fn failed(kind: FailureKind, what: &str) -> Read {
        Read::Failed(Failure::new(kind, what))
    }

    #[test]
    fn after_a_lost_link_nothing_is_missing_and_nothing_is_there_twice() {
        let mut log = progress(Since::Tail(100));
        assert_eq!(log.since(), Some(("tailLines", "100".to_owned())));
        let first = ["2026-01-01T00:00:01Z a", "2026-01-01T00:00:02.5Z b", "2026-01-01T00:00:02.5Z b"];
        assert_eq!(lines(&mut log, &first), ["a", "b", "b"]);
        log.after(failed(FailureKind::Disconnected, "cut"));
        assert_eq!(log.since(), Some(("sinceTime", "2026-01-01T00:00:02Z".to_owned())));
        // The server begins at the whole second, and two more were written at the very same time.
        let again = [
            "2026-01-01T00:00:02.1Z old",
            "2026-01-01T00:00:02.5Z b",
            "2026-01-01T00:00:02.5Z b",
            "2026-01-01T00:00:02.5Z c",
            "2026-01-01T00:00:02.5Z d",
        ];
        assert_eq!(lines(&mut log, &again), ["c", "d"]);
        log.after(failed(FailureKind::Disconnected, "cut"));
        let third = [&again[1..], &["2026-01-01T00:00:03Z e", "2026-01-01T00:00:02.9Z f"]].concat();
        assert_eq!(lines(&mut log, &third), ["e", "f"], "a clock that goes back loses no line");
    }

    #[test]
    fn a_line_without_a_time_is_shown() {
        let mut log = progress(Since::Seconds(60));
        assert_eq!(log.since(), Some(("sinceSeconds", "60".to_owned())));
        let said = ["unable to retrieve container logs for docker://1", "", "2026-01-01T00:00:01Z"];
        assert_eq!(lines(&mut log, &said), ["unable to retrieve container logs for docker://1", "", ""]);
    }

    #[test]
    fn what_is_next_is_said_in_words() {
        const BAD: FailureKind = FailureKind::Server(400);
        let again = |state, pause| Next::Again(Some(state), Duration::from_millis(pause));
        let over = |why: &str| Next::Over(LogState::Over(Some(why.to_owned())));
        let waiting = |why: &str| LogState::Waiting(why.to_owned());
        let cases = [
            (Read::Ended, again(LogState::Ended, 1000)),
            (Read::Silent, Next::Again(None, Duration::ZERO)),
            (Read::NoNode, again(waiting("waiting for a node"), 1000)),
            (
                failed(
                    BAD,
                    "x refuses: container \"app\" in pod \"web\" is waiting to start: PodInitializing.",
                ),
                again(waiting("waiting to start: PodInitializing"), 1000),
            ),
            (
                failed(BAD, "previous terminated container \"app\" in pod \"web\" not found."),
                over("there was no container before this one"),
            ),
            (failed(BAD, "container app is not valid for pod web."), over("the pod has no such container")),
            (failed(FailureKind::NotFound, "Not found: web."), over("Not found: web.")),
            (
                failed(FailureKind::Forbidden, "Not allowed."),
                again(LogState::Refused("Not allowed.".into()), 30_000),
            ),
            (
                failed(FailureKind::Disconnected, "Cut."),
                again(LogState::Lost("Cut. v9s asks again by itself.".into()), 250),
            ),
        ];
        for (read, want) in cases {
            let said = format!("{read:?}");
            assert_eq!(progress(Since::Tail(1)).after(read), want, "{said}");
        }
    }

    #[test]
    fn failures_wait_longer_each_time_until_a_line_comes() {
        let mut log = progress(Since::Tail(1));
        let pause = |log: &mut Progress| match log.after(Read::Ended) {
            Next::Again(_, pause) => pause.as_secs(),
            Next::Over(_) => 0,
        };
        assert_eq!([(); 7].map(|()| pause(&mut log)), [1, 2, 4, 8, 16, 30, 30]);
        lines(&mut log, &["2026-01-01T00:00:01Z a"]);
        assert_eq!(pause(&mut log), 1);
    }

    #[test]
    fn what_is_over_is_read_once() {
        for (since, previous) in [(Since::Head, false), (Since::Tail(9), true)] {
            let mut log = progress(since);
            log.request.previous = previous;
            assert!(!log.query().contains(&("follow", "true")));
            assert_eq!(log.after(Read::Ended), Next::Over(LogState::Over(None)));
        }
    }
}
