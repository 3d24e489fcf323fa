//! One console: its terminal, where it stands, what was said of it.

use bytes::Bytes;
use compact_str::{CompactString, format_compact};

use super::cast::Cast;
use crate::cluster::console::{ConsoleInput, ConsoleNews, Platform, State, Why};
use crate::emulator::Emulator;
use crate::model::Now;
use crate::store::Health;
use crate::ui::message::{Draw, Effect, RecordStep, Ticket};

/// Whose console.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Whose machine it is.
    pub platform: Platform,
    /// The machine's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One console.
#[derive(Debug)]
pub struct Console {
    /// Whose.
    pub place: Place,
    /// Its terminal.
    pub emulator: Emulator,
    /// Where it stands.
    pub state: State,
    /// Whether something has come that nobody has seen yet.
    pub unseen: bool,
    pub(super) ticket: Ticket,
    /// Whether what is typed goes nowhere.
    pub(super) deaf: bool,
    /// Whether the guest has written something since it was opened.
    heard: bool,
    /// Whether a key was typed whose echo is waited for.
    typed: bool,
    cast: Option<Cast>,
    /// Why it is not open, as it was written last between the guest's lines.
    noted: Option<&'static str>,
    /// Whether it was open before, so that there is a time of which nothing was heard.
    was_live: bool,
    /// Whether what was written in that time has been told.
    filled: bool,
}

/// The screen that a console has before it was shown: what guests believe of a serial line.
const SIZE: (u16, u16) = (80, 24);

impl Console {
    pub(super) fn new(place: Place, ticket: Ticket, scrollback: usize, deaf: bool) -> Self {
        let mut emulator = Emulator::new(SIZE.0, SIZE.1, scrollback);
        emulator.note(&format!("── Opening the console of {place}."));
        Self {
            place,
            emulator,
            state: State::Opening,
            unseen: false,
            ticket,
            deaf,
            heard: false,
            typed: false,
            cast: None,
            noted: None,
            was_live: false,
            filled: false,
        }
    }

    /// Says what opening it does to others: before it is open.
    pub(super) fn tell_of_others(&mut self) {
        self.emulator.note(&format!("── {}", self.place.platform.others()));
    }

    /// Whether what is typed reaches the guest.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// Whether it is being recorded.
    pub fn is_recorded(&self) -> bool {
        self.cast.is_some()
    }

    /// Takes what is new.
    pub(super) fn take(&mut self, news: ConsoleNews, now: Now, effects: &mut Vec<Effect>) -> Draw {
        self.unseen = true;
        match news {
            ConsoleNews::Backlog(lines) => {
                self.filled = true;
                if !lines.is_empty() {
                    self.emulator.note(if self.was_live {
                        "── Written meanwhile:"
                    } else {
                        "── Written before:"
                    });
                    lines.iter().for_each(|line| self.emulator.backlog(line));
                    self.emulator.note("──");
                }
            }
            ConsoleNews::State(state) => self.stand(state),
            ConsoleNews::Platform(platform) => {
                self.place.platform = platform;
                self.tell_of_others();
            }
            ConsoleNews::Paused(now) => self.pause(now),
            ConsoleNews::Bytes(bytes) => {
                self.heard = true;
                if let State::Live { paused, .. } = &mut self.state {
                    *paused = false;
                }
                let answers = self.emulator.feed(&bytes);
                if !answers.is_empty() {
                    self.send(answers, effects);
                }
                if let Some(cast) = &mut self.cast {
                    let lines = cast.take(&bytes, self.emulator.size(), now.instant);
                    effects.push(Effect::Record(self.ticket, RecordStep::Line(lines)));
                }
                if std::mem::take(&mut self.typed) {
                    // An echo is what somebody waits for.
                    return Draw::Now;
                }
            }
        }
        Draw::Soon
    }

    fn pause(&mut self, now: bool) {
        if let State::Live { paused, .. } = &mut self.state {
            *paused = now;
            self.emulator.note(if now { "── Paused." } else { "── Resumed." });
        }
    }

    fn stand(&mut self, state: State) {
        match &state {
            State::Live { node, after, .. } => {
                (self.heard, self.noted) = (false, None);
                let again = if std::mem::replace(&mut self.was_live, true) { " again" } else { "" };
                let on = if node.is_empty() { String::new() } else { format!(" on {node}") };
                let why = after.as_ref().map(|why| format!(": {}", why.word(self.place.platform)));
                let filled = std::mem::take(&mut self.filled) || again.is_empty();
                let gap = if filled { "" } else { " What was written meanwhile is missing here." };
                let note = format!("── Open{again}{on}{}.{gap}", why.unwrap_or_default());
                // What the guest was in the middle of it goes on with, unless it is another life of it.
                match after {
                    Some(Why::Rebooted | Why::PoweredOff) => self.emulator.end_session(),
                    _ => self.emulator.start_over(),
                }
                self.emulator.note(&note);
                let (columns, rows) = self.emulator.size();
                if again.is_empty() && (columns < SIZE.0 || rows < SIZE.1) {
                    self.emulator.note(&format!(
                        "── Guests take {} columns and {} rows for granted; here are {columns} and {rows}. ctrl-] f makes room, \
                         ctrl-] z tells a shell.",
                        SIZE.0, SIZE.1
                    ));
                }
            }
            State::Closed(why) | State::Reconnecting { why, .. } => {
                if matches!(why, Why::PoweredOff | Why::Rebooted) {
                    self.emulator.end_session();
                }
                let word = why.word(self.place.platform);
                if self.noted.replace(word) != Some(word) {
                    self.emulator.note(&format!("── {}.", capital(word)));
                }
            }
            State::Opening => {}
        }
        self.state = state;
    }

    /// Sends bytes to the guest.
    pub(super) fn send(&mut self, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        if self.is_live() && !self.deaf && !bytes.is_empty() {
            effects.push(Effect::Tell(self.ticket, ConsoleInput::Typed(Bytes::from(bytes))));
        }
    }

    /// Sends what somebody has typed.
    pub(super) fn type_bytes(&mut self, bytes: Vec<u8>, effects: &mut Vec<Effect>) {
        self.typed = true;
        self.send(bytes, effects);
    }

    /// Opens it again.
    pub(super) fn again(&mut self, effects: &mut Vec<Effect>) {
        if !self.is_live() {
            effects.push(Effect::Tell(self.ticket, ConsoleInput::Again));
        }
    }

    /// Begins a recording, or ends it. Says whether there is one now.
    pub(super) fn record(&mut self, now: Now, effects: &mut Vec<Effect>) -> bool {
        if self.cast.take().is_some() {
            effects.push(Effect::Record(self.ticket, RecordStep::End));
            return false;
        }
        let (cast, head) = Cast::begin(self.emulator.size(), &self.place.to_string(), now.wall, now.instant);
        self.cast = Some(cast);
        let name = format!("console-{}-{}", self.place.namespace, self.place.name);
        effects.push(Effect::Record(self.ticket, RecordStep::Begin { name, head }));
        true
    }

    /// Ends a recording that cannot be written.
    pub(super) fn stop_recording(&mut self) {
        self.cast = None;
    }

    /// How it stands, in a word.
    pub(super) fn word(&self) -> (CompactString, Health) {
        let (word, health): (CompactString, Health) = match &self.state {
            State::Opening => ("opening".into(), Health::Busy),
            State::Live { paused: true, .. } => ("paused".into(), Health::Warning),
            State::Live { .. } if self.deaf => ("live, read-only".into(), Health::Well),
            State::Live { .. } => ("live".into(), Health::Well),
            State::Closed(why) => (why.word(self.place.platform).into(), Health::Failed),
            State::Reconnecting { why, .. } => (why.word(self.place.platform).into(), Health::Busy),
        };
        match self.is_recorded() {
            true => (format_compact!("{word} ● recording"), health),
            false => (word, health),
        }
    }

    /// What there is to say about it over what the guest has written, if anything.
    pub(super) fn said(&self) -> Option<(String, Health)> {
        let name = self.place.to_string();
        match &self.state {
            State::Opening => None,
            State::Live { paused: true, .. } => Some((
                format!(
                    "{name} is paused: its guest writes nothing, and reads nothing, until it is resumed."
                ),
                Health::Warning,
            )),
            State::Live { .. } if !self.heard => Some((
                format!("Open, and the guest has written nothing yet. {}", self.place.platform.quiet()),
                Health::Idle,
            )),
            State::Live { .. } => None,
            State::Closed(why) => {
                Some((format!("{} esc leaves.", why.sentence(&name, self.place.platform)), Health::Failed))
            }
            State::Reconnecting { why, .. } => Some((why.sentence(&name, self.place.platform), Health::Busy)),
        }
    }

    /// Forgets what was written.
    pub(super) fn clear(&mut self) {
        self.emulator.clear();
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
