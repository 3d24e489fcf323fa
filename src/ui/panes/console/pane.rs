//! The pane that shows a console: keys in, cells out.

use compact_str::{CompactString, format_compact};
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::keys::{ConsoleCommand, ESCAPE, MENU, READING, TYPING, code_of, held};
use super::look::{self, Drawn};
use super::session::{Console, Place};
use super::{Consoles, MOST};
use crate::cluster::console::Platform;
use crate::emulator::input::Act;
use crate::emulator::{self, Needle, Scroll};
use crate::model::Now;
use crate::store::Health;
use crate::text;
use crate::ui::command::{Binding, Command};
use crate::ui::frame::put;
use crate::ui::input::{Key, Mouse, MouseAct};
use crate::ui::message::Draw;
use crate::ui::panes::{Ask, Pane, Scene, Title};
use crate::ui::theme::Theme;

/// Who has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The guest.
    Typing,
    /// The menu.
    Menu,
    /// Who reads what was written.
    Reading,
}

/// What is on screen: made before a frame, so that drawing only copies.
#[derive(Debug, Default)]
struct Picture {
    cells: Vec<Drawn>,
    cursor: Option<emulator::Place>,
    hits: Vec<(emulator::Place, emulator::Place)>,
    /// Name and whether there is something new, of each.
    tabs: Vec<(CompactString, bool)>,
    tab: usize,
    said: Option<(String, Health)>,
    scrolled: usize,
    title: Title,
}

/// A console on screen.
#[derive(Debug)]
pub struct ConsolePane {
    mode: Mode,
    full: bool,
    /// Whether there is nothing behind it: leaving it ends the program.
    alone: bool,
    /// The place of the reader.
    reader: emulator::Place,
    selecting: bool,
    search: String,
    needle: Option<Needle>,
    /// Which hit one is at, and how many there are.
    found: (usize, usize),
    picture: Picture,
    /// The console to open first.
    wanted: Option<Place>,
    /// Whose machine is meant if there is none of that name there.
    or: Option<Platform>,
}

impl ConsolePane {
    /// The console of a machine.
    pub fn of(place: Place) -> Self {
        Self { wanted: Some(place), ..Self::again() }
    }

    /// The consoles that are open.
    pub fn again() -> Self {
        Self {
            mode: Mode::Typing,
            full: false,
            alone: false,
            reader: emulator::Place::default(),
            selecting: false,
            search: String::new(),
            needle: None,
            found: (0, 0),
            picture: Picture::default(),
            wanted: None,
            or: None,
        }
    }

    /// The same, for a machine of another platform if there is none of that name there.
    #[must_use]
    pub fn or(self, platform: Platform) -> Self {
        Self { or: Some(platform), ..self }
    }

    /// The same with nothing around it, and nothing behind it.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { full: true, alone: true, ..self }
    }

    /// The rows of tabs, and the rest.
    fn rooms(&self, inside: Rect, consoles: usize) -> (Rect, Rect) {
        let tabs = u16::from(consoles > 1 && inside.height > 3);
        let bar = Rect { height: tabs.min(inside.height), ..inside };
        let rest = Rect { y: inside.y + bar.height, height: inside.height - bar.height, ..inside };
        (bar, rest)
    }

    fn read(&mut self, scene: &mut Scene<'_>) {
        if self.mode != Mode::Reading
            && let Some(console) = scene.consoles.active()
        {
            let rows = console.emulator.size().1;
            self.reader = console.emulator.cursor().unwrap_or(emulator::Place { row: rows - 1, column: 0 });
            self.selecting = false;
        }
        self.mode = Mode::Reading;
    }

    fn resume(&mut self, scene: &mut Scene<'_>) {
        self.mode = Mode::Typing;
        self.selecting = false;
        if let Some(console) = scene.consoles.active_mut() {
            console.emulator.scroll(Scroll::Bottom);
            console.emulator.select_none();
        }
    }

    fn away(&self, scene: &mut Scene<'_>) {
        scene.request(if self.alone { Ask::Quit } else { Ask::Close });
    }

    fn scroll(&mut self, way: Scroll, scene: &mut Scene<'_>) {
        self.read(scene);
        if let Some(console) = scene.consoles.active_mut() {
            console.emulator.scroll(way);
            let rows = console.emulator.size().1;
            match way {
                Scroll::Top => self.reader = emulator::Place::default(),
                Scroll::Bottom => self.reader.row = rows.saturating_sub(1),
                _ => {}
            }
            if self.selecting {
                console.emulator.select_to(self.reader);
            }
        }
    }

    /// Moves the reader, and the view where the reader leaves it.
    fn walk(&mut self, columns: i16, rows: i16, scene: &mut Scene<'_>) {
        let Some(console) = scene.consoles.active_mut() else { return };
        let (wide, high) = console.emulator.size();
        let row = i32::from(self.reader.row) + i32::from(rows);
        let last = i32::from(high) - 1;
        if row < 0 {
            console.emulator.scroll(Scroll::Lines(-row));
        } else if row > last {
            console.emulator.scroll(Scroll::Lines(last - row));
        }
        self.reader.row = u16::try_from(row.clamp(0, last)).unwrap_or(0);
        self.reader.column = self.reader.column.saturating_add_signed(columns).min(wide - 1);
        if self.selecting {
            console.emulator.select_to(self.reader);
        }
    }

    fn hit(&mut self, by: isize, scene: &mut Scene<'_>) {
        self.read(scene);
        let (Some(needle), Some(console)) = (&mut self.needle, scene.consoles.active_mut()) else { return };
        // The newest comes first: one looks back.
        match console.emulator.find(needle, self.reader, by > 0) {
            Some(place) => {
                self.reader = place;
                self.found = console.emulator.count(needle, place);
            }
            None => scene.say(format!("{:?} stands nowhere in this console.", self.search), Health::Idle),
        }
    }

    fn copy(&mut self, scene: &mut Scene<'_>) {
        let Some(text) = scene.consoles.active().and_then(|console| console.emulator.selected()) else {
            scene.say("Nothing is selected: v begins.", Health::Idle);
            return;
        };
        scene.consoles.copied.clone_from(&text);
        scene.copy(text, "what was selected");
    }

    fn detach(&mut self, scene: &mut Scene<'_>) {
        scene.consoles.end(scene.effects);
        self.mode = Mode::Typing;
        if scene.consoles.is_empty() {
            self.away(scene);
        }
    }

    /// Types a text as it would be pasted.
    fn insert(&mut self, text: &str, scene: &mut Scene<'_>) {
        self.resume(scene);
        let Some(console) = scene.consoles.active_mut() else { return };
        if console.deaf {
            scene.say(READ_ONLY, Health::Warning);
            return;
        }
        let bytes = console.emulator.paste(text);
        if bytes.len() > crate::cluster::console::TYPED {
            scene.say(
                "This is more than a console takes at once (64 KiB); nothing was typed.",
                Health::Warning,
            );
            return;
        }
        console.type_bytes(bytes, scene.effects);
    }

    fn save(&self, scene: &mut Scene<'_>) {
        if let Some(console) = scene.consoles.active() {
            let name = format!("console-{}-{}", console.place.namespace, console.place.name);
            let text = console.emulator.text();
            scene.save(name, "txt", text);
        }
    }

    /// A key for the guest.
    fn type_key(&mut self, key: Key, scene: &mut Scene<'_>) -> Draw {
        let page = match key.code {
            KeyCode::PageUp => 1,
            KeyCode::PageDown => -1,
            _ => 0,
        };
        if page != 0 && key.with == KeyModifiers::SHIFT {
            self.scroll(Scroll::Pages(page), scene);
            return Draw::Now;
        }
        let Some(console) = scene.consoles.active_mut() else {
            self.away(scene);
            return Draw::Now;
        };
        if !console.is_live() {
            match key.code {
                KeyCode::Enter => console.again(scene.effects),
                KeyCode::Esc | KeyCode::Char('q') => self.detach(scene),
                KeyCode::PageUp => self.scroll(Scroll::Pages(1), scene),
                _ => return Draw::No,
            }
            return Draw::Now;
        }
        if console.deaf {
            scene.say(READ_ONLY, Health::Warning);
            return Draw::Now;
        }
        if let Some((code, held)) = code_of(key) {
            let bytes = console.emulator.key(code, held);
            console.type_bytes(bytes, scene.effects);
        }
        // What it does is seen when the guest says it.
        Draw::No
    }
}

const READ_ONLY: &str = "This session is read-only: what is typed goes nowhere.";

impl Pane for ConsolePane {
    fn crumb(&self) -> CompactString {
        "console".into()
    }

    fn title(&self, _: Now) -> Title {
        self.picture.title.clone()
    }

    fn keys(&self) -> &'static [Binding] {
        match self.mode {
            Mode::Typing => TYPING,
            Mode::Menu => MENU,
            Mode::Reading => READING,
        }
    }

    fn takes_keys(&self) -> bool {
        self.mode != Mode::Reading
    }

    fn key(&mut self, key: Key, scene: &mut Scene<'_>) -> Draw {
        match self.mode {
            Mode::Typing => self.type_key(key, scene),
            // A key that means nothing in the menu closes it, and reaches nobody.
            Mode::Menu => {
                let digit = key.typed().and_then(|c| c.to_digit(10)).filter(|digit| *digit > 0);
                match digit {
                    Some(digit) => {
                        let by = isize::try_from(digit).unwrap_or(1) - 1;
                        let at = isize::try_from(scene.consoles.at()).unwrap_or(0);
                        if usize::try_from(by).is_ok_and(|to| to < scene.consoles.len()) {
                            scene.consoles.turn(by - at);
                        }
                        self.resume(scene);
                    }
                    None => self.mode = Mode::Typing,
                }
                Draw::Now
            }
            Mode::Reading => Draw::No,
        }
    }

    fn start(&mut self, scene: &mut Scene<'_>) {
        let Some(place) = self.wanted.take() else { return };
        if scene.consoles.show(&place) {
            return;
        }
        if scene.consoles.len() >= MOST {
            scene.say(
                format!("{MOST} consoles are open already. End one of them first: ctrl-] d."),
                Health::Warning,
            );
            return;
        }
        let question = scene.consoles.question(&place, self.or);
        let ticket = scene.ask_for_good(question);
        let deaf = scene.session.info.as_ref().is_some_and(|info| info.readonly);
        scene.consoles.add(place, ticket, deaf, self.or.is_none());
    }

    fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let Command::Console(command) = command else { return };
        match command {
            ConsoleCommand::Menu => self.mode = Mode::Menu,
            ConsoleCommand::Resume if self.mode == Mode::Menu => self.mode = Mode::Typing,
            ConsoleCommand::Resume => self.resume(scene),
            ConsoleCommand::Detach => self.detach(scene),
            ConsoleCommand::Leave => {
                self.resume(scene);
                self.away(scene);
            }
            ConsoleCommand::Paste => {
                let text = scene.consoles.copied.clone();
                if text.is_empty() {
                    self.mode = Mode::Typing;
                    scene
                        .say("Nothing was copied yet; the terminal's own paste works as well.", Health::Idle);
                } else {
                    self.insert(&text, scene);
                }
            }
            ConsoleCommand::Search => {
                self.read(scene);
                scene.request(Ask::Search);
            }
            ConsoleCommand::Hit(by) => self.hit(by, scene),
            ConsoleCommand::Record => {
                self.mode = Mode::Typing;
                let now = scene.now;
                if let Some(console) = scene.consoles.active_mut()
                    && !console.record(now, scene.effects)
                {
                    scene.say("The recording has ended.", Health::Well);
                }
            }
            ConsoleCommand::Size => {
                let size = scene.consoles.active().map(|console| console.emulator.size());
                if let Some((columns, rows)) = size {
                    // Not entered: who knows what has the keys there.
                    self.insert(&format!("stty rows {rows} cols {columns}"), scene);
                    scene.say("Typed, for a shell of the guest; enter runs it.", Health::Idle);
                }
            }
            ConsoleCommand::Clear => {
                self.resume(scene);
                if let Some(console) = scene.consoles.active_mut() {
                    console.clear();
                }
            }
            ConsoleCommand::FullScreen => {
                self.mode = Mode::Typing;
                self.full = !self.full;
            }
            ConsoleCommand::Literal => {
                self.mode = Mode::Typing;
                self.type_key(ESCAPE, scene);
            }
            ConsoleCommand::Tab(by) => {
                self.resume(scene);
                scene.consoles.turn(by);
            }
            ConsoleCommand::Read => self.scroll(Scroll::Pages(0), scene),
            ConsoleCommand::Move(columns, rows) => self.walk(columns, rows, scene),
            ConsoleCommand::Page(pages) => {
                self.scroll(Scroll::Pages(i32::try_from(-pages).unwrap_or(0)), scene);
            }
            ConsoleCommand::Top => self.scroll(Scroll::Top, scene),
            ConsoleCommand::Bottom => self.scroll(Scroll::Bottom, scene),
            ConsoleCommand::Select(lines) => {
                if let Some(console) = scene.consoles.active_mut() {
                    self.selecting = !self.selecting;
                    match self.selecting {
                        true => console.emulator.select_from(self.reader, lines),
                        false => console.emulator.select_none(),
                    }
                }
            }
            ConsoleCommand::Copy => {
                self.copy(scene);
                self.resume(scene);
            }
            ConsoleCommand::Save => {
                self.save(scene);
                if self.mode == Mode::Menu {
                    self.mode = Mode::Typing;
                }
            }
        }
    }

    fn search(&self) -> Option<&str> {
        Some(&self.search)
    }

    fn set_search(&mut self, text: &str, scene: &mut Scene<'_>) {
        text.clone_into(&mut self.search);
        self.needle = Needle::new(text);
        self.found = (0, 0);
        if let Some(needle) = &mut self.needle
            && let Some(console) = scene.consoles.active_mut()
        {
            // The newest one, from the end on: what is typed next narrows it.
            console.emulator.scroll(Scroll::Bottom);
            let (columns, rows) = console.emulator.size();
            self.reader = emulator::Place { row: rows - 1, column: columns - 1 };
            if let Some(place) = console.emulator.find(needle, self.reader, true) {
                self.reader = place;
                self.found = console.emulator.count(needle, place);
            }
        }
    }

    fn paste(&mut self, text: &str, scene: &mut Scene<'_>) -> bool {
        self.insert(text, scene);
        true
    }

    fn mouse(&mut self, mouse: Mouse, inside: Rect, scene: &mut Scene<'_>) {
        let (bar, rest) = self.rooms(inside, scene.consoles.len());
        if mouse.y < rest.y {
            if mouse.act == MouseAct::Click {
                let mut x = bar.x;
                for (at, (name, unseen)) in self.picture.tabs.iter().enumerate() {
                    let mark = if *unseen && at != self.picture.tab { 2 } else { 0 };
                    let wide = text::width(&format!(" {} {} ", at + 1, text::one_line(name, 40))) + mark + 1;
                    x = x.saturating_add(u16::try_from(wide).unwrap_or(u16::MAX));
                    if mouse.x < x {
                        let by =
                            isize::try_from(at).unwrap_or(0) - isize::try_from(self.picture.tab).unwrap_or(0);
                        scene.consoles.turn(by);
                        return;
                    }
                }
            }
            return;
        }
        let place = emulator::Place { row: mouse.y - rest.y, column: mouse.x.saturating_sub(rest.x) };
        let act = match mouse.act {
            MouseAct::Click => Act::Press(0),
            MouseAct::Press(button) => Act::Press(button),
            MouseAct::Release(button) => Act::Release(button),
            MouseAct::Drag(button) => Act::Drag(button),
            MouseAct::Wheel(..0) => Act::WheelUp,
            MouseAct::Wheel(_) => Act::WheelDown,
        };
        let Some(console) = scene.consoles.active_mut() else { return };
        if self.mode == Mode::Typing
            && console.is_live()
            && let Some(bytes) = console.emulator.mouse(act, place, held(mouse.with))
        {
            console.type_bytes(bytes, scene.effects);
            return;
        }
        match mouse.act {
            MouseAct::Wheel(rows) => self.scroll(Scroll::Lines(i32::try_from(-rows).unwrap_or(0)), scene),
            MouseAct::Click => {
                console.emulator.select_from(place, false);
                self.reader = place;
                self.selecting = true;
                self.mode = Mode::Reading;
            }
            MouseAct::Drag(0) if self.selecting => {
                self.reader = place;
                console.emulator.select_to(place);
            }
            _ => {}
        }
    }

    fn prepare(&mut self, inside: Rect, scene: &mut Scene<'_>) {
        let (_, rest) = self.rooms(inside, scene.consoles.len());
        let tab = scene.consoles.at();
        let picture = &mut self.picture;
        picture.tab = tab;
        picture.tabs.clear();
        picture.tabs.extend(scene.consoles.iter().map(|one| (one.place.to_string().into(), one.unseen)));
        picture.cells.clear();
        picture.hits.clear();
        picture.title = Title { name: "Console".into(), ..Title::default() };
        let Some(console) = scene.consoles.active_mut() else {
            (picture.cursor, picture.said) = (None, None);
            return;
        };
        console.unseen = false;
        if rest.width > 1 && rest.height > 0 && console.emulator.resize(rest.width, rest.height) {
            self.reader.row = self.reader.row.min(rest.height - 1);
            self.reader.column = self.reader.column.min(rest.width - 1);
        }
        let Console { emulator, place, .. } = &*console;
        picture.cells.extend(emulator.cells().map(|cell| Drawn::of(&cell)));
        if let (Some(needle), Mode::Reading) = (&mut self.needle, self.mode) {
            picture.hits = emulator.hits(needle);
        }
        picture.cursor = match self.mode {
            Mode::Typing if console.is_live() && emulator.scrolled() == 0 => emulator.cursor(),
            Mode::Reading => Some(self.reader),
            _ => None,
        };
        picture.scrolled = emulator.scrolled();
        picture.said = console.said();
        let (columns, rows) = emulator.size();
        let searched = text::one_line(&self.search, 40);
        let chip = match self.found {
            _ if self.search.is_empty() || self.mode != Mode::Reading => CompactString::default(),
            (at, count) => format_compact!("{searched}[{at}:{count}]"),
        };
        let mut word = console.word();
        word.0.push_str(" · ctrl-] menu");
        picture.title = Title {
            name: "Console".into(),
            part: text::one_line(&place.to_string(), 80).into(),
            count: format_compact!("{columns}x{rows}"),
            chip,
            word,
            ..Title::default()
        };
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        let picture = &self.picture;
        let (bar, rest) = self.rooms(inside, picture.tabs.len());
        if bar.height > 0 {
            look::tabs(&picture.tabs, picture.tab, bar, buffer, theme);
        }
        for Drawn { at: (column, row), text, style } in &picture.cells {
            let (x, y) = (rest.x + column, rest.y + row);
            if x >= rest.right() || y >= rest.bottom() {
                continue;
            }
            // Cluster by cluster with its width checked: nothing goes beyond the pane, and no control character passes.
            buffer.set_stringn(x, y, text, usize::from(rest.right() - x), *style);
        }
        for (first, last) in &picture.hits {
            for row in first.row..=last.row {
                let from = if row == first.row { first.column } else { 0 };
                let to = if row == last.row { last.column + 1 } else { rest.width };
                let here = self.reader == *first;
                let style = if here { theme.search_here } else { theme.search_match };
                let area =
                    Rect { x: rest.x + from, y: rest.y + row, width: to.saturating_sub(from), height: 1 };
                buffer.set_style(area.intersection(rest), style);
            }
        }
        if let Some((said, health)) = &picture.said {
            look::said(said, *health, rest, buffer, theme);
        }
        if picture.scrolled > 0 && rest.height > 1 {
            let said = format!(" ▲ {} lines below; esc goes there ", picture.scrolled);
            let wide = u16::try_from(text::width(&said)).unwrap_or(u16::MAX).min(rest.width);
            put(buffer, rest.right() - wide, rest.y, &said, usize::from(wide), theme.counter);
        }
        if self.mode == Mode::Menu {
            look::menu(rest, buffer, theme);
        }
    }

    fn cursor(&self, inside: Rect) -> Option<(u16, u16)> {
        let (_, rest) = self.rooms(inside, self.picture.tabs.len());
        let place = self.picture.cursor.filter(|_| self.mode != Mode::Menu)?;
        let (x, y) = (rest.x + place.column, rest.y + place.row);
        (x < rest.right() && y < rest.bottom()).then_some((x, y))
    }

    fn whole_screen(&self) -> bool {
        self.full
    }
}

/// Whether there is something to tell of consoles that are not on screen.
pub(in crate::ui) fn mark(consoles: &Consoles) -> Option<String> {
    let count = consoles.len();
    let plural = if count == 1 { "" } else { "s" };
    let new = if consoles.has_unseen() { " ●" } else { "" };
    (count > 0).then(|| format!(" {count} console{plural}{new} "))
}
