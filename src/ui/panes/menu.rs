//! Lines to read or to choose from: help, the list of commands, objects that a key may have meant.

use compact_str::{CompactString, format_compact};
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Ask, Pane, Scene, Title};
use crate::model::{Now, Uid};
use crate::records::Kind;
use crate::store::Health;
use crate::text;
use crate::ui::command::{Binding, Command, Hint, binding};
use crate::ui::frame::put;
use crate::ui::input::{Key, Mouse, MouseAct};
use crate::ui::theme::Theme;

/// What choosing a line does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing: it is there to be read.
    Nothing,
    /// What typing this after `:` would do.
    Run(String),
    /// Shows the object in the list of its kind.
    Show(Kind, Uid),
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Under which heading it stands.
    pub section: &'static str,
    /// Its short part, such as a key.
    pub short: CompactString,
    /// What it is.
    pub text: CompactString,
    /// What choosing it does.
    pub choice: Choice,
}

/// Lines to read or to choose from, in as many columns as there is room for.
#[derive(Debug)]
pub struct Menu {
    name: &'static str,
    part: CompactString,
    items: Vec<Item>,
    search: String,
    /// Those that contain what is searched.
    shown: Vec<usize>,
    /// The chosen one among those.
    place: usize,
    /// How many lines are scrolled out.
    top: usize,
    /// Columns and rows at the last frame.
    grid: (usize, usize),
}

/// What stands on a line of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Blank,
    Section(&'static str),
    /// A place among the shown ones.
    Item(usize),
}

/// Keys of a menu.
pub static MENU: &[Binding] = &[
    binding(&[Key::new(KeyCode::Enter)], Command::Open, "Choose the line", Hint::Quiet),
    binding(&[Key::char('j'), Key::new(KeyCode::Down)], Command::Move(1), "Down", Hint::Quiet),
    binding(&[Key::char('k'), Key::new(KeyCode::Up)], Command::Move(-1), "Up", Hint::Quiet),
    binding(&[Key::ctrl('f'), Key::new(KeyCode::PageDown)], Command::Page(1), "Page down", Hint::Quiet),
    binding(&[Key::ctrl('b'), Key::new(KeyCode::PageUp)], Command::Page(-1), "Page up", Hint::Quiet),
    binding(&[Key::char('g'), Key::new(KeyCode::Home)], Command::First, "Top", Hint::Quiet),
    binding(&[Key::char('G'), Key::new(KeyCode::End)], Command::End, "Bottom", Hint::Quiet),
];

impl Menu {
    /// These lines under this name.
    pub fn new(name: &'static str, items: Vec<Item>) -> Self {
        let shown = (0..items.len()).collect();
        let part = CompactString::default();
        Self { name, part, items, search: String::new(), shown, place: 0, top: 0, grid: (1, 1) }
    }

    /// Says of which object this is.
    pub fn about(self, part: CompactString) -> Self {
        Self { part, ..self }
    }

    fn can_choose(&self) -> bool {
        self.items.iter().any(|item| item.choice != Choice::Nothing)
    }

    /// The shown lines with their headings, from top to bottom.
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.shown.len() + 8);
        let mut section = "";
        for (place, &item) in self.shown.iter().enumerate() {
            let own = self.items[item].section;
            if own != section {
                if !lines.is_empty() {
                    lines.push(Line::Blank);
                }
                lines.push(Line::Section(own));
                section = own;
            }
            lines.push(Line::Item(place));
        }
        lines
    }

    /// How many columns of the screen the widest section takes.
    fn width(&self) -> usize {
        let widths = self.items.chunk_by(|one, other| one.section == other.section).map(|section| {
            let widest = |of: fn(&Item) -> &str| section.iter().map(|item| text::width(of(item))).max();
            widest(|item| &item.short).unwrap_or(0) + 1 + widest(|item| &item.text).unwrap_or(0).min(70)
        });
        widths.max().unwrap_or(0)
    }

    fn go(&mut self, by: isize) {
        if self.can_choose() {
            self.place = self.place.saturating_add_signed(by).min(self.shown.len().saturating_sub(1));
        } else {
            self.top = self.top.saturating_add_signed(by);
        }
    }

    fn choose(&self, scene: &mut Scene<'_>) {
        let Some(item) = self.shown.get(self.place).map(|&item| &self.items[item]) else { return };
        let ask = match item.choice.clone() {
            Choice::Nothing => return,
            Choice::Run(typed) => Ask::Run(typed),
            Choice::Show(kind, uid) => Ask::Show(kind, uid),
        };
        scene.request(Ask::Close);
        scene.request(ask);
    }

    /// The line at a place of the screen.
    fn at(&self, x: u16, y: u16, inside: Rect) -> Option<usize> {
        let (columns, rows) = self.grid;
        let width = usize::from(inside.width) / columns.max(1);
        let column = usize::from(x.checked_sub(inside.x)?) / width.max(1);
        let row = usize::from(y.checked_sub(inside.y)?);
        match self.lines().get(self.top + column * rows + row) {
            Some(Line::Item(place)) => Some(*place),
            _ => None,
        }
    }
}

impl Pane for Menu {
    fn crumb(&self) -> CompactString {
        self.name.into()
    }

    fn title(&self, _: Now) -> Title {
        Title {
            name: self.name.into(),
            part: self.part.clone(),
            count: match self.can_choose() {
                true => format_compact!("{}", self.shown.len()),
                false => CompactString::default(),
            },
            chip: self.search.as_str().into(),
            ..Title::default()
        }
    }

    fn keys(&self) -> &'static [Binding] {
        MENU
    }

    fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let page = isize::try_from(self.grid.0 * self.grid.1).unwrap_or(1);
        match command {
            // What is only read is put away by it, as in k9s.
            Command::Open if !self.can_choose() => scene.request(Ask::Close),
            Command::Open => self.choose(scene),
            Command::Move(by) => self.go(by),
            Command::Page(by) => self.go(by * page),
            Command::First => self.go(isize::MIN),
            Command::End => self.go(isize::MAX),
            _ => {}
        }
    }

    fn search(&self) -> Option<&str> {
        Some(&self.search)
    }

    fn set_search(&mut self, text: &str, _: &mut Scene<'_>) {
        text.clone_into(&mut self.search);
        let terms: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let has = |item: &Item| {
            let line = format!("{} {} {}", item.section, item.short, item.text).to_lowercase();
            terms.iter().all(|term| line.contains(term))
        };
        self.shown = (0..self.items.len()).filter(|&item| has(&self.items[item])).collect();
        (self.place, self.top) = (0, 0);
    }

    fn mouse(&mut self, mouse: Mouse, inside: Rect, scene: &mut Scene<'_>) {
        match mouse.act {
            MouseAct::Wheel(by) => self.go(by),
            MouseAct::Click => {
                let Some(place) = self.at(mouse.x, mouse.y, inside) else { return };
                if self.place == place {
                    self.choose(scene);
                }
                self.place = place;
            }
            MouseAct::Press(_) | MouseAct::Release(_) | MouseAct::Drag(_) => {}
        }
    }

    fn prepare(&mut self, inside: Rect, _: &mut Scene<'_>) {
        let columns = (usize::from(inside.width) / (self.width() + 2)).max(1);
        let rows = usize::from(inside.height).max(1);
        let lines = self.lines();
        // As few columns as hold all lines, a section beside the other where they fit.
        let columns = columns.min(lines.len().div_ceil(rows).max(1));
        let least = lines.len().div_ceil(columns);
        let at_section = |&row: &usize| matches!(lines.get(row), Some(Line::Section(_)));
        let rows = if columns > 1 { (least..=rows).find(at_section).unwrap_or(rows) } else { rows };
        self.grid = (columns, rows);
        let most = lines.len().saturating_sub(self.grid.0 * rows);
        if self.can_choose() {
            let here = lines.iter().position(|&line| line == Line::Item(self.place)).unwrap_or(0);
            // A heading right above is worth a line, where there are two.
            let least = (here + 1).saturating_sub(self.grid.0 * rows);
            self.top = self.top.clamp(least, here.saturating_sub(1).max(least));
        }
        self.top = self.top.min(most);
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        let (columns, rows) = self.grid;
        let width = usize::from(inside.width) / columns.max(1);
        let lines = self.lines();
        // The shown lines of a section line up with one another.
        let mut widest: Vec<(&str, usize)> = Vec::new();
        for item in self.shown.iter().map(|&item| &self.items[item]) {
            let short = text::width(&item.short);
            match widest.last_mut().filter(|(section, _)| *section == item.section) {
                Some((_, most)) => *most = short.max(*most),
                None => widest.push((item.section, short)),
            }
        }
        let widest = |section: &str| widest.iter().find(|(one, _)| *one == section).map_or(0, |one| one.1);
        for (at, line) in lines.iter().skip(self.top).take(columns * rows).enumerate() {
            let (column, row) = (at / rows, at % rows);
            let (Ok(left), Ok(down)) = (u16::try_from(column * width), u16::try_from(row)) else { return };
            let (x, y) = (inside.x + 1 + left, inside.y + down);
            let room = width.saturating_sub(2);
            if x >= inside.right() || y >= inside.bottom() {
                continue;
            }
            match *line {
                Line::Blank => {}
                Line::Section(name) => {
                    put(buffer, x, y, text::cut(name, room).as_ref(), room, theme.title);
                }
                Line::Item(place) => {
                    let item = &self.items[self.shown[place]];
                    let short = widest(item.section);
                    let chosen = self.can_choose() && place == self.place;
                    let style = |style: Style| match chosen {
                        true => style.add_modifier(Modifier::REVERSED | Modifier::BOLD),
                        false => style,
                    };
                    let end =
                        put(buffer, x, y, text::cut(&item.short, room).as_ref(), room, style(theme.key));
                    let next = x + u16::try_from(short + 1).unwrap_or(0);
                    let left = room.saturating_sub(short + 1);
                    if chosen {
                        let gap = Rect { x: end, y, width: next.saturating_sub(end), height: 1 };
                        buffer.set_style(gap.intersection(inside), style(theme.hint));
                    }
                    if left > 0 {
                        put(buffer, next, y, text::cut(&item.text, left).as_ref(), left, style(theme.hint));
                    }
                }
            }
        }
        if self.shown.is_empty() && inside.height > 1 {
            let room = usize::from(inside.width.saturating_sub(2));
            put(buffer, inside.x + 1, inside.y + 1, "Nothing matches.", room, theme.row(Health::Idle));
        }
    }
}
