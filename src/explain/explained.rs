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
    /// Which attempt is going on or went wrong; 0 and 1 are not worth telling.
    attempt: u32,
    /// When it is tried again.
    retry_at: Option<Time>,
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
    pub(super) fn leaving(mut self, since: Time) -> Self {
        self.state.word = Word::new("Terminating");
        self.state.health = Health::Leaving;
        self.state.since = Some(since);
        self.state.progress = None;
        self
    }

    /// Only if there is something to tell.
    pub(super) fn told(self) -> Option<Self> {
        let told = !self.why.reason.is_empty() || !self.why.message.is_empty();
        told.then_some(self)
    }

    /// The same as the `number`th attempt.
    pub(super) fn attempt(mut self, number: u32, retry_at: Option<Time>) -> Self {
        self.why.attempt = number;
        self.why.retry_at = retry_at;
        self
    }

    /// The same about one of several disks.
    pub(super) fn disk(mut self, name: &'a str) -> Self {
        self.why.disk = name;
        self
    }

    /// Writes the reason for the column of reasons.
    pub(super) fn reason(&self, now: Now, out: &mut String) {
        let Why { reason, message, .. } = self.why;
        match self.state.cause {
            Some(id) => causes::write_short(id, reason, message, out),
            None if message.is_empty() => out.push_str(reason),
            None => out.push_str(telling(message)),
        }
        self.rest(now, out);
    }

    /// Writes what goes behind the reason.
    fn rest(&self, now: Now, out: &mut String) {
        let from = out.len();
        if self.why.attempt > 1 {
            let _ = write!(out, ", attempt {}", self.why.attempt);
        }
        if let Some(at) = self.why.retry_at.filter(|at| at.seconds() > now.wall) {
            let _ = write!(out, ", again in {}", Age(at.seconds() - now.wall));
        }
        // What goes behind nothing needs no comma.
        if from == 0 && out.starts_with(", ") {
            out.drain(..2);
        }
        if !self.why.disk.is_empty() && !out.is_empty() {
            let _ = write!(out, " ({})", self.why.disk);
        }
    }

    /// Writes what is going on in words.
    pub(super) fn sentence(&self, now: Now, out: &mut String) {
        let Why { reason, message, .. } = self.why;
        if let Some(id) = self.state.cause {
            causes::write_about(id, reason, message, out);
        } else if !reason.is_empty() || !message.is_empty() {
            let _ = write!(out, "{}: ", self.state.word);
            out.push_str(if message.is_empty() { reason } else { message });
        }
        let mut rest = String::new();
        self.rest(now, &mut rest);
        if !rest.is_empty() && !out.is_empty() {
            let _ = write!(out, " Now: {rest}.");
        }
        if self.state.cause.is_some() && !message.is_empty() {
            let _ = write!(out, " It says: {message}");
        }
    }
}

/// Beginnings that tell nothing where room is scarce.
const BEGINNINGS: &[&str] = &[
    "Unable to process data: ",
    "Unable to transfer source data to scratch space: ",
    "Unable to convert source data to target format: ",
    "Failure while starting VMI: ",
    "Error creating virtual machine instance: ",
    "Error encountered while creating DataVolumes: ",
    "rpc error: ",
];

/// The part of a message that tells most.
fn telling(mut message: &str) -> &str {
    while let Some(rest) = BEGINNINGS.iter().find_map(|start| message.strip_prefix(start)) {
        message = rest;
    }
    match message.split_once(" denied the request: ") {
        Some((webhook, why)) if webhook.starts_with("admission webhook ") => why,
        _ => message,
    }
}
