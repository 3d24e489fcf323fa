//! All consoles that are open.

use crate::cluster::console::{ConsoleRequest, Platform};
use crate::model::Now;
use crate::store::Health;
use crate::ui::message::{Answer, Draw, Effect, Question, Ticket};

use super::session::{Console, Place};

/// Consoles that are open at a time at most: each keeps what its guest has written.
pub const MOST: usize = 8;

/// All consoles that are open, and which one is looked at. They go on while other things are on screen.
#[derive(Debug, Default)]
pub struct Consoles {
    all: Vec<Console>,
    active: usize,
    /// What was copied last in one of them.
    pub(super) copied: String,
    /// Lines that each keeps.
    scrollback: usize,
    /// Lines that were written before that each asks for.
    backlog: u32,
}

impl Consoles {
    /// None yet; each will keep so many lines, and asks for so many of what was written before.
    pub fn new(scrollback: u32, backlog: u32) -> Self {
        Self { scrollback: scrollback as usize, backlog, ..Self::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether there is one with something that nobody has seen yet.
    pub fn has_unseen(&self) -> bool {
        self.all.iter().any(|console| console.unseen)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Console> {
        self.all.iter()
    }

    /// The one that is looked at.
    pub fn active(&self) -> Option<&Console> {
        self.all.get(self.active)
    }

    /// The number of the one that is looked at.
    pub(super) fn at(&self) -> usize {
        self.active
    }

    /// The same, to be changed.
    pub(super) fn active_mut(&mut self) -> Option<&mut Console> {
        self.all.get_mut(self.active)
    }

    /// Looks at one that is open already.
    pub(super) fn show(&mut self, place: &Place) -> bool {
        match self.all.iter().position(|console| console.place == *place) {
            Some(at) => {
                self.active = at;
                true
            }
            None => false,
        }
    }

    /// What asks for the console of a machine.
    pub(super) fn question(&self, place: &Place, or: Option<Platform>) -> Question {
        Question::Console(ConsoleRequest {
            platform: place.platform,
            or,
            namespace: place.namespace.clone(),
            name: place.name.clone(),
            backlog: self.backlog,
        })
    }

    /// Adds one that was asked for, and looks at it. `sure` is whether it is known whose machine it is.
    pub(super) fn add(&mut self, place: Place, ticket: Ticket, deaf: bool, sure: bool) {
        let mut console = Console::new(place, ticket, self.scrollback, deaf);
        if sure {
            console.tell_of_others();
        }
        self.all.push(console);
        self.active = self.all.len() - 1;
    }

    /// Looks at the one so many further.
    pub(super) fn turn(&mut self, by: isize) {
        if let Ok(count) = isize::try_from(self.all.len())
            && count > 0
        {
            let at = isize::try_from(self.active).unwrap_or(0);
            self.active = usize::try_from((at + by).rem_euclid(count)).unwrap_or(0);
        }
    }

    /// Ends the one that is looked at.
    pub(super) fn end(&mut self, effects: &mut Vec<Effect>) {
        if self.active < self.all.len() {
            let console = self.all.remove(self.active);
            effects.push(Effect::Forget(console.ticket));
            self.active = self.active.min(self.all.len().saturating_sub(1));
        }
    }

    /// Ends all: they were of another cluster.
    pub fn end_all(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.all.drain(..).map(|console| Effect::Forget(console.ticket)));
        self.active = 0;
    }

    /// Whether a question is that of a console.
    pub fn has(&self, ticket: Ticket) -> bool {
        self.all.iter().any(|console| console.ticket == ticket)
    }

    /// Hands an answer to the console that it is for.
    pub fn take(&mut self, ticket: Ticket, answer: Answer, now: Now, effects: &mut Vec<Effect>) -> Taken {
        let Some(at) = self.all.iter().position(|console| console.ticket == ticket) else {
            return Taken::default();
        };
        let console = &mut self.all[at];
        let before = console.unseen;
        let mut taken = Taken { active: at == self.active, ..Taken::default() };
        match answer {
            Answer::Console(news) => taken.draw = console.take(news, now, effects),
            Answer::NotTaken => {
                let text =
                    format!("{} takes no more input: it has not read what was typed before.", console.place);
                taken.said = Some((text, Health::Warning));
            }
            Answer::Recorded(Ok(path)) => {
                taken.said = Some((format!("Recording to {}.", path.display()), Health::Well));
            }
            Answer::Recorded(Err(why)) => {
                console.stop_recording();
                taken.said = Some((why, Health::Failed));
            }
            _ => {}
        }
        taken.marked = !before && self.all[at].unseen;
        taken
    }
}

/// What came of an answer.
#[derive(Debug, Default)]
pub struct Taken {
    /// It was for the console that is looked at.
    pub active: bool,
    /// How that looks now.
    pub draw: Draw,
    /// It is the first since somebody looked there.
    pub marked: bool,
    /// What there is to say.
    pub said: Option<(String, Health)>,
}
