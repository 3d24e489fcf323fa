//! What fills the middle of the screen: a list, and what is opened over it.

mod canvas;
pub mod console;
pub mod describe;
pub mod detail;
pub mod list;
pub mod logs;
pub mod menu;
pub mod object;
pub mod roads;
pub mod side;
pub mod text;
pub mod yaml;

use std::fmt;

use compact_str::CompactString;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::command::{Binding, Command};
use super::frame::put;
use super::input::{Key, Mouse};
use super::message::{Answer, Draw, Effect, Question, Ticket};
use super::session::Session;
use super::subject::Subject;
use super::theme::Theme;
use crate::model::{Now, Uid};
use crate::records::Kind;
use crate::store::{Health, Store, Touched};

/// What a title says: ` name(part)[count] </chip> word `.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Title {
    /// What is shown.
    pub name: CompactString,
    /// Of what: a namespace, a path.
    pub part: CompactString,
    /// How many; empty where nothing is counted.
    pub count: CompactString,
    /// What is searched or filtered for.
    pub chip: CompactString,
    /// Whether that cannot be understood.
    pub wrong: bool,
    /// How fresh it is, with how well that is.
    pub word: (CompactString, Health),
}

/// Something opened over the list: it has the keys, the title and the room of the list until it is closed.
pub trait Pane: fmt::Debug {
    /// Its name in the way at the bottom.
    fn crumb(&self) -> CompactString;

    /// Its title.
    fn title(&self, now: Now) -> Title;

    /// Keys that work here, besides those that work everywhere. Hints and help come from here.
    fn keys(&self) -> &'static [Binding];

    /// Whether keys that are not in its table are its own, so that none of them means anything to the screen.
    fn takes_keys(&self) -> bool {
        false
    }

    /// A key that is not in its table, if it takes all.
    fn key(&mut self, _key: Key, _scene: &mut Scene<'_>) -> Draw {
        Draw::No
    }

    /// Text was pasted. Says whether it was wanted.
    fn paste(&mut self, _text: &str, _scene: &mut Scene<'_>) -> bool {
        false
    }

    /// Where the cursor of the terminal is to be, if it is to be seen.
    fn cursor(&self, _inside: Rect) -> Option<(u16, u16)> {
        None
    }

    /// The object that keys such as `y` and `l` are about.
    fn subject(&self) -> Option<&Subject> {
        None
    }

    /// Kinds that it looks at in the store besides those of the list below.
    fn partners(&self) -> &[Kind] {
        &[]
    }

    /// Called once, when it is opened.
    fn start(&mut self, _scene: &mut Scene<'_>) {}

    /// Does what a key of its table asks for.
    fn command(&mut self, command: Command, scene: &mut Scene<'_>);

    /// What stands in the prompt when `/` is pressed; `None` where nothing can be searched.
    fn search(&self) -> Option<&str> {
        None
    }

    /// What stands in the prompt of `/` now.
    fn set_search(&mut self, _text: &str, _scene: &mut Scene<'_>) {}

    /// The mouse did something inside of it; places are those of the screen.
    fn mouse(&mut self, _mouse: Mouse, _inside: Rect, _scene: &mut Scene<'_>) {}

    /// What the cluster says to a question of this pane.
    fn take(&mut self, _ticket: Ticket, _answer: Answer, _scene: &mut Scene<'_>) -> Draw {
        Draw::No
    }

    /// What the store has changed. Says whether it looks different now.
    fn touched(&mut self, _touched: &Touched, _scene: &mut Scene<'_>) -> Draw {
        Draw::No
    }

    /// Makes what is to be drawn in this room. Called before each frame.
    fn prepare(&mut self, _inside: Rect, _scene: &mut Scene<'_>) {}

    /// Draws it.
    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme);

    /// How long until it reads differently although nothing happens.
    fn next_change(&self, _now: Now) -> Option<std::time::Duration> {
        None
    }

    /// Whether it takes the whole screen, with no header around it.
    fn whole_screen(&self) -> bool {
        false
    }
}

/// Says in the lower border, or in the last line where there is no border, that something is below.
pub(in crate::ui) fn more_below(said: &str, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
    let border = inside.x > buffer.area.x && inside.bottom() < buffer.area.bottom();
    let y = if border { inside.bottom() } else { inside.bottom().saturating_sub(1) };
    let wide = u16::try_from(crate::text::width(said) + 2).unwrap_or(u16::MAX);
    if inside.height > 1 && wide <= inside.width {
        put(buffer, inside.right() - wide, y, &format!(" {said} "), usize::from(wide), theme.counter);
    }
}

/// The pane that a command opens about an object; `None` where there is nothing like that of it.
pub fn about(command: Command, subject: &Subject) -> Option<Box<dyn Pane>> {
    let subject = subject.clone();
    match command {
        Command::Yaml => Some(Box::new(object::ObjectPane::yaml(subject))),
        Command::Describe => Some(Box::new(object::ObjectPane::words(subject))),
        Command::Logs if has_logs(subject.kind) => Some(Box::new(logs::LogsPane::of(subject))),
        _ => None,
    }
}

/// What the pane that a command opens is called in the way at the bottom.
pub fn crumb_of(command: Command) -> Option<&'static str> {
    match command {
        Command::Yaml => Some("yaml"),
        Command::Describe => Some("describe"),
        Command::Logs => Some("logs"),
        _ => None,
    }
}

/// Whether objects of this kind have logs.
pub fn has_logs(kind: Kind) -> bool {
    logs::has_logs(kind)
}

/// What a pane asks of the screen around it.
#[derive(Debug)]
pub enum Ask {
    /// To be closed.
    Close,
    /// To open another pane over it.
    Open(Box<dyn Pane>),
    /// To say something in the last line.
    Say(String, Health),
    /// To run what could have been typed after `:`.
    Run(String),
    /// To open the prompt that searches in it.
    Search,
    /// To end the program.
    Quit,
    /// To show the object with this UID in the list of its kind.
    Show(Kind, Uid),
    /// To show an object in the list of its resource, as soon as it comes.
    Find(Found),
}

/// An object that may be of any resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its resource, as one can type it: `plural.group`.
    pub resource: String,
    /// Its namespace; empty where it has none.
    pub namespace: CompactString,
    /// Its UID.
    pub uid: Uid,
}

/// What a pane may look at, and how it asks for more.
#[derive(Debug)]
pub struct Scene<'a> {
    /// What is known of the cluster.
    pub store: &'a Store,
    /// The connection.
    pub session: &'a Session,
    /// The time.
    pub now: Now,
    /// The consoles that are open.
    pub consoles: &'a mut console::Consoles,
    pub(super) asks: &'a mut Vec<Ask>,
    pub(super) effects: &'a mut Vec<Effect>,
    pub(super) tickets: &'a mut Vec<Ticket>,
    pub(super) last_ticket: &'a mut u64,
}

impl Scene<'_> {
    /// Asks the cluster. The question ends with the pane, or when its ticket is given back.
    pub fn ask(&mut self, question: Question) -> Ticket {
        *self.last_ticket += 1;
        let ticket = Ticket(*self.last_ticket);
        self.tickets.push(ticket);
        self.effects.push(Effect::Ask { ticket, id: self.session.id, question });
        ticket
    }

    /// Asks the cluster for something that outlives the pane; whoever keeps the ticket gives it back.
    pub(super) fn ask_for_good(&mut self, question: Question) -> Ticket {
        *self.last_ticket += 1;
        let ticket = Ticket(*self.last_ticket);
        self.effects.push(Effect::Ask { ticket, id: self.session.id, question });
        ticket
    }

    /// Gives a ticket back: nothing more is wanted of this question.
    pub fn forget(&mut self, ticket: Ticket) {
        self.tickets.retain(|known| *known != ticket);
        self.effects.push(Effect::Forget(ticket));
    }

    /// Asks the screen.
    pub fn request(&mut self, ask: Ask) {
        self.asks.push(ask);
    }

    /// Says something in the last line.
    pub fn say(&mut self, text: impl Into<String>, health: Health) {
        self.asks.push(Ask::Say(text.into(), health));
    }

    /// Puts text into the clipboard, and says what it was.
    pub fn copy(&mut self, text: String, what: &str) {
        self.say(format!("Copied {what}."), Health::Well);
        self.effects.push(Effect::Copy(text));
    }

    /// Writes text into a file of its own.
    pub fn save(&mut self, name: impl Into<String>, extension: &'static str, text: String) {
        self.effects.push(Effect::Save { name: name.into(), extension, text });
    }
}
