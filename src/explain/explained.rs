//! What is going on with an object: its state and the evidence, from which texts are made.

use std::fmt::Write as _;

use super::causes;
use crate::model::{Age, Now, Time, Word};
use crate::store::{Health, State};

/// The state of a record, and why.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Explained<'a> {
    pub(super) state: State,
    why: Why<'a>,
}

/// What tells of trouble, or of waiting.
#[derive(Clone, Copy, Debug, Default)]
struct Why<'a> {
    /// The word that was given as a reason.
    reason: &'a str,
    /// What was said.
    message: &'a str,
    /// The disk that it is about, where there are several.
    disk: &'a str,
    /// How often it went wrong, and what that is called: `restart`, `failed start`.
    times: u32,
    what: &'static str,
    /// How it ended; 0 if that is not worth telling.
    exit: i32,
    /// When it is tried again.
    retry_at: Option<Time>,
    /// Reasons that only the sentence tells: facts about something that runs.
    notes: [&'a str; 4],
}

impl<'a> Explained<'a> {
    pub(super) fn new(word: &str, health: Health) -> Self {
        Self { state: State { word: Word::new(word), health, ..State::default() }, ..Self::default() }
    }

    pub(super) fn since(mut self, since: Option<Time>) -> Self {
        self.state.since = since;
        self
    }

    pub(super) fn progress(mut self, progress: Option<u16>) -> Self {
        self.state.progress = progress;
        self
    }

    pub(super) fn provisional(mut self) -> Self {
        self.state.provisional = true;
        self
    }

    pub(super) fn health(mut self, health: Health) -> Self {
        self.state.health = health;
        self
    }

    /// The same with what `reason` and `message` tell: as well as the cause in the table is, or `unknown` where the table
    /// has none. What the table calls noise is left out.
    pub(super) fn because(mut self, reason: &'a str, message: &'a str, unknown: Health) -> Self {
        if reason.is_empty() && message.is_empty() {
            return self;
        }
        let cause = causes::recognise(reason, message);
        if cause.is_some_and(|id| causes::of(id).is_noise()) {
            return self;
        }
        self.state.cause = cause;
        self.state.reason = cause.map_or_else(|| Word::new(reason), causes::word);
        self.state.health = cause.map_or(unknown, |id| causes::of(id).health);
        self.why = Why { reason, message, ..self.why };
        self
    }

    /// The same on its way out.
    pub(super) fn leaving(mut self, since: Time, now: Now) -> Self {
        self.state.word = Word::new("Terminating");
        self.state.health = Health::Leaving;
        self.state.since = Some(since);
        self.state.progress = None;
        self.state.recheck = None;
        self.within(LEAVES, Some(since), "DeletionTakesLong", now)
    }

    /// The same, and worth a look once it has been on its way for so many seconds since `from`: then `late` tells why, where
    /// nothing else does. What is no trouble however long it takes is left alone.
    pub(super) fn within(self, seconds: i64, from: Option<Time>, late: &'static str, now: Now) -> Self {
        let due =
            after(from, seconds).filter(|_| matches!(self.state.health, Health::Busy | Health::Leaving));
        match due {
            None => self,
            Some(due) if due.seconds() > now.wall => self.until(due),
            Some(_) => match self.told() {
                Some(told) => told.health(Health::Warning),
                None => self.because(late, "", Health::Warning),
            },
        }
    }

    /// The same, which may read differently from this moment on although nothing happens.
    pub(super) fn until(mut self, due: Time) -> Self {
        self.state.recheck = self.state.recheck.map_or(Some(due), |known| Some(known.min(due)));
        self
    }

    /// The same for the reason that `other` tells, and as well as that is; as it is where that is no trouble yet.
    pub(super) fn troubled_by(mut self, other: Self) -> Self {
        if let Some(due) = other.state.recheck {
            self = self.until(due);
        }
        if !other.state.is_fault() || other.told().is_none() {
            return self;
        }
        self.why = other.why;
        self.state = State {
            reason: other.state.reason,
            cause: other.state.cause,
            health: other.state.health,
            ..self.state
        };
        self
    }

    /// Only if there is something to tell.
    pub(super) fn told(self) -> Option<Self> {
        let told = !self.why.reason.is_empty() || !self.why.message.is_empty();
        told.then_some(self)
    }

    /// The same after it went wrong so often; `what` in the singular.
    pub(super) fn after(mut self, times: u32, what: &'static str) -> Self {
        self.why.times = times;
        self.why.what = what;
        self
    }

    /// The same with the moment when it is tried again.
    pub(super) fn retry_at(mut self, at: Option<Time>) -> Self {
        self.why.retry_at = at;
        self
    }

    /// The same with the code that a process ended with.
    pub(super) fn exit(mut self, code: i32) -> Self {
        self.why.exit = code;
        self
    }

    /// The same with something that the sentence tells besides.
    pub(super) fn note(mut self, reason: &'a str) -> Self {
        if let Some(free) = self.why.notes.iter_mut().find(|note| note.is_empty()) {
            *free = reason;
        }
        self
    }

    /// The same under another word.
    pub(super) fn word(mut self, word: &str) -> Self {
        self.state.word = Word::new(word);
        self
    }

    /// The same about one of several disks.
    pub(super) fn disk(mut self, name: &'a str) -> Self {
        self.why.disk = name;
        self
    }

    /// Writes the reason for the column of reasons.
    pub(super) fn reason(&self, now: Now, out: &mut String) {
        let Why { reason, message, disk, .. } = self.why;
        let from = out.len();
        match self.state.cause {
            Some(id) => causes::write_short(id, reason, message, out),
            None if message.is_empty() => out.push_str(reason),
            None => out.push_str(message),
        }
        self.rest(now, out.len() > from, out);
        if !disk.is_empty() && out.len() > from {
            let _ = write!(out, " ({disk})");
        }
    }

    /// Whether there is a reason to write.
    pub(super) fn tells(&self) -> bool {
        let Why { reason, message, times, exit, retry_at, .. } = self.why;
        let said = self.state.cause.is_some() || !reason.is_empty() || !message.is_empty();
        said || times > 0 || exit != 0 || retry_at.is_some()
    }

    /// Writes what goes behind a reason, if there is one.
    fn rest(&self, now: Now, mut behind: bool, out: &mut String) {
        let Why { times, what, exit, retry_at, .. } = self.why;
        let mut comma =
            |out: &mut String| out.push_str(if std::mem::replace(&mut behind, true) { ", " } else { "" });
        if exit != 0 {
            comma(out);
            let _ = write!(out, "exit code {exit}");
        }
        if times > 0 {
            comma(out);
            let _ = write!(out, "{times} {what}{}", if times == 1 { "" } else { "s" });
        }
        if let Some(at) = retry_at.filter(|at| at.seconds() > now.wall) {
            comma(out);
            let _ = write!(out, "again in {}", Age(at.seconds() - now.wall));
        }
    }

    /// Writes what is going on in words.
    pub(super) fn sentence(&self, now: Now, out: &mut String) {
        let Why { reason, message, disk, notes, .. } = self.why;
        let from = out.len();
        if !disk.is_empty() {
            let _ = write!(out, "Disk {disk}: ");
        }
        if let Some(id) = self.state.cause {
            causes::write_about(id, reason, message, out);
        } else if !reason.is_empty() || !message.is_empty() {
            let _ = write!(out, "{}: ", self.state.word);
            out.push_str(if message.is_empty() { reason } else { message });
        }
        let mut rest = String::new();
        self.rest(now, false, &mut rest);
        if !rest.is_empty() {
            let ended = out.ends_with('.');
            out.truncate(out.trim_end_matches('.').len());
            let _ = write!(out, " ({rest}){}", if ended { "." } else { "" });
        }
        if self.state.cause.is_some() && !message.is_empty() {
            let _ = write!(out, " It says: {message}");
        }
        for note in notes.into_iter().filter(|note| !note.is_empty()) {
            if out.len() > from {
                out.push_str(if out.ends_with(['.', '!', '?']) { " " } else { ". " });
            }
            match causes::recognise(note, "") {
                Some(id) => causes::write_about(id, note, "", out),
                None => out.push_str(note),
            }
        }
    }
}

/// So many seconds may a deletion take: longer than a guest has to shut down.
const LEAVES: i64 = 600;

/// So many seconds after a moment.
pub(super) fn after(from: Option<Time>, seconds: i64) -> Option<Time> {
    from.and_then(|from| Time::from_seconds(from.seconds().saturating_add(seconds)))
}
