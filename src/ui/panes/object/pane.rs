//! A pane about one object that is followed while it is open: its YAML, or its description.

use std::collections::BTreeMap;
use std::time::Duration;

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Opened;
use crate::cluster::object::{News, Wanted, Which};
use crate::model::Now;
use crate::records::{Event, decode};
use crate::store::Health;
use crate::ui::command::{Binding, Command};
use crate::ui::input::{Mouse, MouseAct};
use crate::ui::message::{Answer, Draw, Question, Ticket};
use crate::ui::panes::describe::{self, Told};
use crate::ui::panes::text::{Ink, Line, Scroll, TextCommand, TextView, changes, keys, whole};
use crate::ui::panes::yaml::{Shown, YamlText};
use crate::ui::panes::{Pane, Scene, Title};
use crate::ui::subject::Subject;
use crate::ui::theme::Theme;

/// How often ages in a description are told anew.
const AGES: Duration = Duration::from_secs(10);

/// One object, as text.
#[derive(Debug)]
pub struct ObjectPane {
    subject: Subject,
    opened: Opened,
    form: Form,
    view: TextView,
    typed: String,
    full: bool,
}

#[derive(Debug)]
enum Form {
    Yaml { text: YamlText, shown: Shown },
    Words { lines: Vec<Line>, events: Events, told: Option<Now> },
}

/// What was said about the object.
#[derive(Debug, Default)]
struct Events {
    /// The UID of the object that they are asked for, and the question.
    asked: Option<(String, Ticket)>,
    /// By UID.
    all: BTreeMap<String, Event>,
    came: bool,
    trouble: Option<String>,
}

impl Events {
    fn take(&mut self, news: &News) {
        if news.whole {
            self.all.clear();
            self.came = true;
        }
        for uid in &news.gone {
            self.all.remove(uid);
        }
        for object in &news.here {
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            if let Ok(decoded) = decode::<Event>(object.to_string().as_bytes()) {
                self.all.insert(uid, decoded.record);
            }
        }
        if let Some(freshness) = &news.freshness {
            self.trouble = super::why(freshness).map(str::to_owned);
        }
    }

    fn told(&self) -> Told<'_> {
        match &self.trouble {
            Some(why) if !self.came => Told::Unknown(why),
            _ if !self.came => Told::Unknown("waiting"),
            _ => Told::Events(self.all.values().collect()),
        }
    }
}

impl ObjectPane {
    /// The YAML of an object.
    pub fn yaml(subject: Subject) -> Self {
        Self::new(subject, Form::Yaml { text: YamlText::default(), shown: Shown::default() })
    }

    /// An object in words.
    pub fn words(subject: Subject) -> Self {
        let form = Form::Words { lines: Vec::new(), events: Events::default(), told: None };
        let mut pane = Self::new(subject, form);
        pane.view.wrap = true;
        pane
    }

    fn new(subject: Subject, form: Form) -> Self {
        Self {
            subject,
            opened: Opened::default(),
            form,
            view: TextView::default(),
            typed: String::new(),
            full: false,
        }
    }

    fn lines(&self) -> &[Line] {
        match &self.form {
            Form::Yaml { text, .. } => &text.lines,
            Form::Words { lines, .. } => lines,
        }
    }

    /// Writes what is shown of another state of the object.
    fn write(&mut self, now: Now) {
        let Some(object) = self.opened.object() else { return };
        match &mut self.form {
            Form::Yaml { text, shown } => text.refresh(YamlText::of(object, *shown), &mut self.view),
            Form::Words { lines, events, told } => {
                let mut newer = describe::describe(object, &events.told(), now);
                let moved = changes::mark(lines, &mut newer);
                self.view.replaced(|top| moved.place(top));
                *lines = newer;
                *told = Some(now);
            }
        }
    }

    /// Shows more or less of the same state.
    fn show(&mut self, change: impl FnOnce(&mut Shown)) {
        if let (Form::Yaml { text, shown }, Some(object)) = (&mut self.form, self.opened.object()) {
            change(shown);
            text.show(YamlText::of(object, *shown), &mut self.view);
        }
    }

    /// Asks for what was said about the object that is shown: under its name another one may have come.
    fn ask_for_events(&mut self, scene: &mut Scene<'_>) {
        let Form::Words { events, .. } = &mut self.form else { return };
        let Some(uid) = self.opened.object().and_then(|object| object["metadata"]["uid"].as_str()) else {
            return;
        };
        match &events.asked {
            Some((of, _)) if of == uid => return,
            Some((_, ticket)) => scene.forget(*ticket),
            None => {}
        }
        let namespace = Some(&*self.subject.namespace).filter(|namespace| !namespace.is_empty());
        let ticket = scene.ask(Question::Objects(Wanted::events_of(uid, namespace)));
        *events = Events { asked: Some((uid.to_owned(), ticket)), ..Events::default() };
    }

    /// The room of the text, and that of a sentence below it, if there is something to say.
    fn parts(&self, inside: Rect) -> (Rect, Option<(Rect, &str)>) {
        match self.opened.trouble() {
            Some(why) if self.opened.object().is_some() && inside.height > 1 => {
                let text = Rect { height: inside.height - 1, ..inside };
                (text, Some((Rect { y: text.bottom(), height: 1, ..inside }, why)))
            }
            _ => (inside, None),
        }
    }

    fn name(&self) -> &'static str {
        match self.form {
            Form::Yaml { .. } => "YAML",
            Form::Words { .. } => "Describe",
        }
    }
}

impl Pane for ObjectPane {
    fn crumb(&self) -> CompactString {
        self.name().to_ascii_lowercase().into()
    }

    fn title(&self, now: Now) -> Title {
        let chip = self.view.found().map_or_else(CompactString::default, |(text, at, count)| {
            format_compact!("{}[{at}:{count}]", crate::text::one_line(text, 40))
        });
        Title {
            name: self.name().into(),
            part: self.subject.place(),
            chip,
            word: self.opened.standing(now),
            ..Title::default()
        }
    }

    fn keys(&self) -> &'static [Binding] {
        match self.form {
            Form::Yaml { .. } => &keys::YAML,
            Form::Words { .. } => &keys::DESCRIBE,
        }
    }

    fn subject(&self) -> Option<&Subject> {
        Some(&self.subject)
    }

    fn start(&mut self, scene: &mut Scene<'_>) {
        let wanted = Wanted {
            target: self.subject.target.clone(),
            namespace: Some(self.subject.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
            which: Which::Named(self.subject.name.to_string()),
        };
        scene.ask(Question::Objects(wanted));
    }

    fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let Command::Text(command) = command else { return };
        match command {
            TextCommand::Scroll(way) => {
                let mut view = std::mem::take(&mut self.view);
                view.scroll(way, self.lines());
                self.view = view;
            }
            TextCommand::Hit(by) => {
                let mut view = std::mem::take(&mut self.view);
                view.next_hit(by, self.lines());
                self.view = view;
            }
            TextCommand::Wrap => self.view.wrap = !self.view.wrap,
            TextCommand::FullScreen => self.full = !self.full,
            TextCommand::Copy => scene.copy(whole(self.lines()), &format!("all of {}", self.subject.name)),
            TextCommand::Save => {
                let (text, end) = (
                    whole(self.lines()),
                    match self.form {
                        Form::Yaml { .. } => "yaml",
                        Form::Words { .. } => "txt",
                    },
                );
                scene.save(format!("{}-{}", self.subject.target.plural, self.subject.name), end, text);
            }
            TextCommand::Refresh => {
                if self.opened.toggle_refresh() {
                    self.ask_for_events(scene);
                    self.write(scene.now);
                }
                let said = if self.opened.refreshes() {
                    "Changes are shown as they come."
                } else {
                    "Changes are not shown."
                };
                scene.say(said, Health::Idle);
            }
            TextCommand::Fields => self.show(|shown| shown.all = !shown.all),
            TextCommand::Secrets => self.show(|shown| shown.secrets = !shown.secrets),
            _ => {}
        }
    }

    fn search(&self) -> Option<&str> {
        Some(&self.typed)
    }

    fn set_search(&mut self, text: &str, _: &mut Scene<'_>) {
        text.clone_into(&mut self.typed);
        let mut view = std::mem::take(&mut self.view);
        view.search(text, self.lines());
        self.view = view;
    }

    fn mouse(&mut self, mouse: Mouse, _: Rect, scene: &mut Scene<'_>) {
        if let MouseAct::Wheel(rows) = mouse.act {
            let way = TextCommand::Scroll(Scroll::Rows(rows));
            self.command(Command::Text(way), scene);
        }
    }

    fn take(&mut self, ticket: Ticket, answer: Answer, scene: &mut Scene<'_>) -> Draw {
        let Answer::Objects(news) = answer else { return Draw::No };
        if let Form::Words { events, .. } = &mut self.form
            && events.asked.as_ref().is_some_and(|(_, asked)| *asked == ticket)
        {
            events.take(&news);
            self.write(scene.now);
            return Draw::Soon;
        }
        let first = self.opened.object().is_none();
        if self.opened.take(news) {
            self.ask_for_events(scene);
            self.write(scene.now);
            if first {
                return Draw::Now;
            }
        }
        Draw::Soon
    }

    fn prepare(&mut self, inside: Rect, scene: &mut Scene<'_>) {
        if let Form::Words { told: Some(told), .. } = &self.form
            && scene.now.instant.saturating_duration_since(told.instant) >= AGES
        {
            self.write(scene.now);
        }
        let mut view = std::mem::take(&mut self.view);
        view.prepare(self.parts(inside).0, self.lines());
        self.view = view;
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        if self.opened.object().is_some() {
            let (inside, trouble) = self.parts(inside);
            self.view.draw(inside, buffer, theme, self.lines());
            if let Some((below, why)) = trouble {
                let line = Line::of(why, Ink::Health(Health::Failed));
                TextView::default().draw(below, buffer, theme, std::slice::from_ref(&line));
            }
        } else {
            let said = self.opened.nothing(&self.subject.place());
            super::say(&said, Ink::Plain, inside, buffer, theme);
        }
    }

    fn next_change(&self, now: Now) -> Option<Duration> {
        let ages = match &self.form {
            Form::Words { told: Some(told), .. } => {
                Some(AGES.saturating_sub(now.instant.saturating_duration_since(told.instant)))
            }
            _ => None,
        };
        self.opened.next_change(now).into_iter().chain(ages).min()
    }

    fn whole_screen(&self) -> bool {
        self.full
    }
}
