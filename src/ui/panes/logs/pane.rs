//! The pane of logs: what is read, how it is shown, what is said of it.

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::entries::{Columns, Entries};
use super::sources::{self, Named};
use crate::cluster::logs::{LogNews, LogRequest, LogState, Since};
use crate::cluster::object::{Wanted, Which};
use crate::config::settings::Logs;
use crate::model::Now;
use crate::records::Kind;
use crate::store::{Health, Store, Touched};
use crate::text;
use crate::ui::command::{Binding, Command};
use crate::ui::frame::put;
use crate::ui::input::{Mouse, MouseAct};
use crate::ui::message::{Answer, Draw, Question, Ticket};
use crate::ui::panes::object::Opened;
use crate::ui::panes::text::{Ink, Lines as _, Pattern, Scroll, TextCommand, TextView, keys, whole};
use crate::ui::panes::{Pane, Scene, Title, more_below};
use crate::ui::subject::Subject;
use crate::ui::theme::Theme;

/// The keys `0` to `6`: what is read, and what the title says. How many lines a tail has is a matter of the config.
const SINCE: [(Since, &str); 7] = [
    (Since::Tail(0), "tail"),
    (Since::Head, "head"),
    (Since::Seconds(60), "1m"),
    (Since::Seconds(300), "5m"),
    (Since::Seconds(900), "15m"),
    (Since::Seconds(1800), "30m"),
    (Since::Seconds(3600), "1h"),
];

/// Logs that are read at a time; an object with more of them is none that one reads.
const MOST_SOURCES: usize = 24;

/// One of the logs.
#[derive(Debug)]
struct Reading {
    of: Named,
    ticket: Ticket,
    state: LogState,
    /// What was said of it between the lines, so that it is said once.
    said: Option<LogState>,
}

/// Logs of a pod, or of all that works for another object.
#[derive(Debug)]
pub struct LogsPane {
    subject: Subject,
    /// The pod itself, if the object is one.
    pod: Opened,
    readings: Vec<Reading>,
    /// How many logs are not read, because too many are already.
    left_out: usize,
    entries: Entries,
    view: TextView,
    typed: String,
    since: usize,
    /// How many lines a tail has.
    tail: u32,
    previous: bool,
    all: bool,
    full: bool,
    /// The number after the last line that was seen before the end was left.
    seen: usize,
}

fn is_pod(subject: &Subject) -> bool {
    subject.kind == Kind::Pod
}

impl LogsPane {
    /// The logs of an object.
    pub fn of(subject: Subject) -> Self {
        Self {
            subject,
            pod: Opened::default(),
            readings: Vec::new(),
            left_out: 0,
            entries: Entries::default(),
            view: TextView::following(),
            typed: String::new(),
            since: 0,
            tail: Logs::default().tail,
            previous: false,
            all: false,
            full: false,
            seen: 0,
        }
    }

    /// The logs that are wanted now.
    fn wanted(&self, store: &Store) -> Vec<Named> {
        if !is_pod(&self.subject) {
            return self.subject.find(store).map_or_else(Vec::new, |id| sources::of(store, id));
        }
        let mut all = self.pod.object().map_or_else(Vec::new, |pod| sources::of_pod(pod));
        if !self.all {
            all.truncate(1);
        }
        all
    }

    /// Reads what is wanted and not yet read.
    fn join(&mut self, scene: &mut Scene<'_>) -> bool {
        let (mut new, mut left_out) = (false, 0);
        let mut active = self.readings.iter().filter(|one| !matches!(one.state, LogState::Over(_))).count();
        for named in self.wanted(scene.store) {
            if let Some(known) = self.readings.iter_mut().find(|known| known.of.source == named.source) {
                // Another pod of its sort has come: it needs a longer name now.
                new |= known.of.name != named.name;
                known.of.name = named.name;
            } else if active < MOST_SOURCES {
                active += 1;
                let request = LogRequest {
                    source: named.source.clone(),
                    since: match SINCE[self.since].0 {
                        Since::Tail(_) => Since::Tail(self.tail),
                        since => since,
                    },
                    previous: self.previous,
                };
                let ticket = scene.ask(Question::Log(request));
                let state = LogState::Waiting(String::new());
                self.readings.push(Reading { of: named, ticket, state, said: None });
                new = true;
            } else {
                left_out += 1;
            }
        }
        new |= std::mem::replace(&mut self.left_out, left_out) != left_out;
        if new {
            self.entries.set_names(self.readings.iter().map(|one| one.of.name.to_string()).collect());
            self.entries.columns.sources = self.readings.len() > 1;
            // What is found in a line is elsewhere in it now.
            let top = self.view.top();
            self.view.replaced(|_| top);
        }
        new
    }

    /// Begins as the config says.
    fn begin(&mut self, logs: &Logs) {
        self.tail = logs.tail;
        self.entries = Entries::keeping(usize::try_from(logs.buffer).unwrap_or(usize::MAX).max(1));
        self.entries.columns.times = logs.timestamps;
        self.view.wrap = logs.wrap;
    }

    /// Reads everything anew.
    fn restart(&mut self, scene: &mut Scene<'_>) {
        for reading in self.readings.drain(..) {
            scene.forget(reading.ticket);
        }
        self.entries.clear();
        self.view.replaced(|_| 0);
        self.view.follow = SINCE[self.since].0 != Since::Head;
        self.seen = 0;
        self.join(scene);
    }

    fn read(&mut self, ticket: Ticket, news: LogNews) {
        let Some(number) = self.readings.iter().position(|known| known.ticket == ticket) else { return };
        if news.dropped > 0 {
            self.entries.lost += news.dropped;
            let name = &self.readings[number].of.name;
            let text = format!("── {name}: {} lines came too fast and are left out", news.dropped);
            self.entries.say(&text, Ink::Quiet);
        }
        if !news.lines.is_empty() {
            self.readings[number].said = None;
            let top = self.view.top();
            if let Some(moved) = self.entries.take(number, news.lines, !self.view.follow, top) {
                self.view.replaced(|_| moved);
            }
        }
        if let Some(state) = news.state {
            self.note(number, &state);
            self.readings[number].state = state;
        }
    }

    /// Says between the lines what has become of a log, once.
    fn note(&mut self, number: usize, state: &LogState) {
        let reading = &mut self.readings[number];
        let what = match state {
            LogState::Following => return,
            LogState::Waiting(why) => why.as_str(),
            LogState::Ended => "ended",
            LogState::Lost(why) | LogState::Refused(why) => why.as_str(),
            LogState::Over(None) => return,
            LogState::Over(Some(why)) => why.as_str(),
        };
        if reading.said.as_ref() != Some(state) {
            reading.said = Some(state.clone());
            let text = format!("── {}: {what}", reading.of.name);
            self.entries.say(&text, Ink::Quiet);
        }
    }

    /// How all of it stands, in a word.
    fn standing(&self) -> (CompactString, Health) {
        let any = |wanted: fn(&LogState) -> bool| self.readings.iter().any(|one| wanted(&one.state));
        if self.readings.is_empty() {
            return ("waiting".into(), Health::Busy);
        }
        if any(|state| matches!(state, LogState::Lost(_))) {
            return ("link lost".into(), Health::Failed);
        }
        if any(|state| matches!(state, LogState::Refused(_))) {
            return ("denied".into(), Health::Failed);
        }
        if any(|state| matches!(state, LogState::Following)) {
            return ("live".into(), Health::Well);
        }
        if any(|state| matches!(state, LogState::Waiting(_))) {
            return ("waiting".into(), Health::Busy);
        }
        ("ended".into(), Health::Idle)
    }

    /// What the title says of all of it.
    fn word(&self) -> (CompactString, Health) {
        let (word, health) = self.standing();
        match self.left_out {
            0 => (word, health),
            left_out => {
                let read = self.readings.len();
                (format_compact!("{word}, {read} of {} logs", read + left_out), health)
            }
        }
    }

    fn pause(&mut self) {
        if self.view.follow {
            self.view.follow = false;
            self.seen = self.entries.end();
        }
    }

    fn scroll(&mut self, way: Scroll) {
        let up = matches!(way, Scroll::Top | Scroll::Rows(..0) | Scroll::Pages(..0));
        if up
            && !(self.view.follow
                && self.view.at_end(&self.entries)
                && self.view.top() == self.entries.first())
        {
            self.pause();
        }
        if way == Scroll::End {
            self.view.follow = true;
        }
        self.view.scroll(way, &self.entries);
    }

    /// How many lines have come since the end was left.
    fn unseen(&self) -> usize {
        if self.view.follow {
            0
        } else {
            self.entries.end().saturating_sub(self.seen.max(self.entries.first()))
        }
    }

    /// The line that says how the log is shown, and the room that is left.
    fn bar(area: Rect) -> (Rect, Rect) {
        let height = u16::from(area.height > 1);
        let rest = Rect { y: area.y + height, height: area.height - height, ..area };
        (Rect { height, ..area }, rest)
    }

    fn draw_bar(&self, area: Rect, buffer: &mut Buffer, theme: &Theme) {
        let switches = [
            ("AllContainers", self.all || !is_pod(&self.subject)),
            ("Autoscroll", self.view.follow),
            ("FullScreen", self.full),
            ("Timestamps", self.entries.columns.times),
            ("Wrap", self.view.wrap),
        ];
        let wide: usize = switches.iter().map(|(name, _)| name.len() + 6).sum();
        let mut x = area.x + area.width.saturating_sub(u16::try_from(wide).unwrap_or(u16::MAX)) / 2;
        for (name, on) in switches {
            let room = |x: u16| usize::from(area.right().saturating_sub(x));
            x = put(buffer, x, area.y, name, room(x), theme.log_bar);
            x = put(buffer, x, area.y, ":", room(x), theme.log_bar);
            let (word, style) = if on { ("On", theme.log_on) } else { ("Off", theme.log_off) };
            x = put(buffer, x, area.y, word, room(x), style) + if on { 3 } else { 2 };
        }
    }

    /// Why there is nothing to read yet.
    fn nothing(&self) -> String {
        if self.readings.is_empty() && is_pod(&self.subject) {
            return self.pod.nothing(&self.subject.place());
        }
        if self.readings.is_empty() {
            return format!(
                "No pod works for {} just now. The log of the next one appears here by itself.",
                self.subject.place()
            );
        }
        if self.entries.filter().is_some() {
            return format!("No line matches {:?}.", self.typed);
        }
        "Waiting for logs...".to_owned()
    }
}

impl Pane for LogsPane {
    fn crumb(&self) -> CompactString {
        "logs".into()
    }

    fn title(&self, _: Now) -> Title {
        let part = match &self.readings[..] {
            [one] if is_pod(&self.subject) => format_compact!("{}:{}", self.subject.place(), one.of.name),
            _ => self.subject.place(),
        };
        let chip = match self.view.found() {
            Some((_, at, count)) if !self.typed.is_empty() => {
                format_compact!("{}[{at}:{count}]", text::one_line(&self.typed, 40))
            }
            _ => text::one_line(&self.typed, 40).into(),
        };
        Title {
            name: if self.previous { "Previous Logs".into() } else { "Logs".into() },
            part,
            count: SINCE[self.since].1.into(),
            chip,
            word: self.word(),
            ..Title::default()
        }
    }

    fn keys(&self) -> &'static [Binding] {
        &keys::LOGS
    }

    fn subject(&self) -> Option<&Subject> {
        Some(&self.subject)
    }

    fn partners(&self) -> &[Kind] {
        match self.subject.kind {
            Kind::Pod => &[],
            kind if sources::is_made_of_machines(kind) => {
                &[Kind::Vm, Kind::Vmi, Kind::DataVolume, Kind::Claim, Kind::Pod]
            }
            _ => &[Kind::Vmi, Kind::DataVolume, Kind::Claim, Kind::Pod],
        }
    }

    fn start(&mut self, scene: &mut Scene<'_>) {
        if let Some(info) = &scene.session.info {
            self.begin(&info.config.logs);
        }
        if is_pod(&self.subject) {
            let wanted = Wanted {
                target: self.subject.target.clone(),
                namespace: Some(self.subject.namespace.to_string()),
                which: Which::Named(self.subject.name.to_string()),
            };
            scene.ask(Question::Objects(wanted));
        }
        self.join(scene);
    }

    fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let Command::Text(command) = command else { return };
        match command {
            TextCommand::Scroll(way) => self.scroll(way),
            TextCommand::Hit(by) => {
                self.pause();
                self.view.next_hit(by, &self.entries);
            }
            TextCommand::Wrap => self.view.wrap = !self.view.wrap,
            TextCommand::FullScreen => self.full = !self.full,
            TextCommand::Copy => scene.copy(whole(&self.entries), "the log as it is shown"),
            TextCommand::Save => {
                scene.save(format!("logs-{}", self.subject.name), "log", whole(&self.entries));
            }
            TextCommand::Autoscroll if self.view.follow => self.pause(),
            TextCommand::Autoscroll => self.view.follow = true,
            TextCommand::Times => {
                self.entries.columns = Columns { times: !self.entries.columns.times, ..self.entries.columns };
                let top = self.view.top();
                self.view.replaced(|_| top);
            }
            TextCommand::AllContainers if is_pod(&self.subject) => {
                self.all = !self.all;
                self.restart(scene);
            }
            TextCommand::AllContainers => {
                scene.say("These are the logs of all that works for it.", Health::Idle);
            }
            TextCommand::Previous => {
                self.previous = !self.previous;
                self.restart(scene);
            }
            TextCommand::Mark => self.entries.say(&"─".repeat(60), Ink::Heading),
            TextCommand::Clear => {
                self.entries.clear();
                self.view.replaced(|_| 0);
                self.seen = 0;
            }
            TextCommand::Since(number) => {
                self.since = number.min(SINCE.len() - 1);
                self.restart(scene);
            }
            TextCommand::Refresh | TextCommand::Fields | TextCommand::Secrets => {}
        }
    }

    fn search(&self) -> Option<&str> {
        Some(&self.typed)
    }

    fn set_search(&mut self, text: &str, _: &mut Scene<'_>) {
        text.clone_into(&mut self.typed);
        let top = self.view.top();
        let pattern = Pattern::parse(text);
        let searched = if pattern.as_ref().is_some_and(Pattern::is_inverse) { "" } else { text };
        let moved = self.entries.set_filter(pattern, top);
        self.view.replaced(|_| moved);
        self.view.search(searched, &self.entries);
        self.seen = self.entries.end();
    }

    fn mouse(&mut self, mouse: Mouse, _: Rect, _: &mut Scene<'_>) {
        if let MouseAct::Wheel(rows) = mouse.act {
            self.scroll(Scroll::Rows(rows));
        }
    }

    fn take(&mut self, ticket: Ticket, answer: Answer, scene: &mut Scene<'_>) -> Draw {
        match answer {
            Answer::Log(news) => self.read(ticket, news),
            Answer::Objects(news) => {
                self.pod.take(news);
                self.join(scene);
            }
            _ => return Draw::No,
        }
        Draw::Soon
    }

    fn touched(&mut self, _: &Touched, scene: &mut Scene<'_>) -> Draw {
        if !is_pod(&self.subject) && self.join(scene) { Draw::Soon } else { Draw::No }
    }

    fn prepare(&mut self, inside: Rect, _: &mut Scene<'_>) {
        self.view.prepare(Self::bar(inside).1, &self.entries);
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (bar, rest) = Self::bar(inside);
        if bar.height > 0 {
            self.draw_bar(bar, buffer, theme);
        }
        if self.entries.first() == self.entries.end() {
            crate::ui::panes::object::say(&self.nothing(), Ink::Plain, rest, buffer, theme);
            return;
        }
        self.view.draw(rest, buffer, theme, &self.entries);
        let unseen = self.unseen();
        if unseen > 0 {
            more_below(&format!("▼ {unseen} new"), inside, buffer, theme);
        }
    }

    fn whole_screen(&self) -> bool {
        self.full
    }
}
