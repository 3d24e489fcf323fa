//! Everything about one object, live while it is open: its sections in one or two columns, its events below.

use std::time::Duration;

use compact_str::{CompactString, format_compact};
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Ask, Pane, Scene, Title};
use crate::model::{Now, Time, Uid};
use crate::records::Kind;
use crate::store::{Health, Touched};
use crate::text;
use crate::ui::command::{Binding, Command, Hint, binding};
use crate::ui::frame::put;
use crate::ui::input::{Key, Mouse, MouseAct};
use crate::ui::message::{Answer, Draw, Question, Ticket};
use crate::ui::session::Session;
use crate::ui::subject::Subject;
use crate::ui::theme::Theme;
use crate::views;
use crate::views::detail::{self, Said, Section};

/// Keys of the detail screen.
pub static DETAIL: &[Binding] = &[
    binding(&[Key::new(KeyCode::Tab)], Command::NextLink(1), "Next related object", Hint::Quiet),
    binding(&[Key::new(KeyCode::BackTab)], Command::NextLink(-1), "Related object before", Hint::Quiet),
    binding(&[Key::new(KeyCode::Enter)], Command::Open, "Go to the related object", Hint::Shown("Go to")),
    binding(&[Key::char('j'), Key::new(KeyCode::Down)], Command::Move(1), "Down", Hint::Quiet),
    binding(&[Key::char('k'), Key::new(KeyCode::Up)], Command::Move(-1), "Up", Hint::Quiet),
    binding(&[Key::ctrl('f'), Key::new(KeyCode::PageDown)], Command::Page(1), "Page down", Hint::Quiet),
    binding(&[Key::ctrl('b'), Key::new(KeyCode::PageUp)], Command::Page(-1), "Page up", Hint::Quiet),
    binding(&[Key::char('g'), Key::new(KeyCode::Home)], Command::First, "Top", Hint::Quiet),
    binding(&[Key::char('G'), Key::new(KeyCode::End)], Command::End, "Bottom", Hint::Quiet),
    binding(&[Key::char('r')], Command::Refresh, "Ask the guest again", Hint::Quiet),
];

/// From this width on there are two columns.
const TWO_COLUMNS: u16 = 110;
const GAP: usize = 3;
/// The widest label that others are lined up with.
const WIDEST_LABEL: usize = 22;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Object,
    Beside,
    Guest,
    Filesystems,
}

/// A piece of a line on the screen.
#[derive(Clone, Debug)]
struct Piece {
    x: usize,
    text: String,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Heading,
    Label,
    Text,
    Health(Health),
    /// The number of the link that this is.
    Link(usize),
}

type Row = Vec<Piece>;

/// Everything about one object.
#[derive(Debug)]
pub struct Detail {
    subject: Subject,
    kinds: Vec<Kind>,
    said: Said,
    open: Vec<(Ticket, About)>,
    /// The object has changed since it was asked for.
    stale: bool,
    gone: bool,
    /// Why the object cannot be shown whole.
    trouble: Option<String>,
    rows: Vec<Row>,
    links: Vec<(usize, (Kind, Uid))>,
    /// The link that `enter` follows.
    link: Option<usize>,
    top: usize,
    height: usize,
}

impl Detail {
    /// About this object.
    pub fn of(subject: Subject) -> Self {
        let view = views::of_kind(subject.kind);
        let related = view.map(views::AnyView::related).unwrap_or_default();
        let partners = view.map(|view| view.partners().to_vec()).unwrap_or_default();
        let mut kinds: Vec<Kind> = related.iter().flat_map(|one| one.kinds).copied().collect();
        kinds.extend(partners.into_iter().chain([subject.kind, Kind::Event]));
        kinds.sort_unstable();
        kinds.dedup();
        Self {
            subject,
            kinds,
            said: Said::default(),
            open: Vec::new(),
            stale: false,
            gone: false,
            trouble: None,
            rows: Vec::new(),
            links: Vec::new(),
            link: None,
            top: 0,
            height: 1,
        }
    }

    /// Where the server answers this.
    fn path(&self, about: About, session: &Session) -> Option<String> {
        let known = detail::known(self.subject.kind);
        let of_guest = |what: &str| {
            known.filter(|known| known.guest)?;
            let (namespace, name) = (&self.subject.namespace, &self.subject.name);
            Some(format!(
                "/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances/{name}/{what}"
            ))
        };
        match about {
            About::Object => Some(self.subject.path()),
            About::Beside => {
                let target = session.target(known?.beside?)?;
                Some(Subject { target, ..self.subject.clone() }.path())
            }
            About::Guest => of_guest("guestosinfo"),
            About::Filesystems => of_guest("filesystemlist"),
        }
    }

    fn ask(&mut self, about: About, scene: &mut Scene<'_>) {
        if self.open.iter().any(|(_, open)| *open == about) {
            self.stale |= about == About::Object;
            return;
        }
        if let Some(path) = self.path(about, scene.session) {
            let ticket = scene.ask(Question::Document { path });
            self.open.push((ticket, about));
        }
    }

    fn ask_all(&mut self, scene: &mut Scene<'_>) {
        for about in [About::Object, About::Beside, About::Guest, About::Filesystems] {
            self.ask(about, scene);
        }
    }

    fn scroll(&mut self, by: isize) {
        let most = self.rows.len().saturating_sub(self.height);
        self.top = self.top.saturating_add_signed(by).min(most);
    }

    fn next_link(&mut self, by: isize) {
        let last = self.links.len().saturating_sub(1);
        let next = match self.link {
            None => Some(if by > 0 { 0 } else { last }),
            Some(here) => here.checked_add_signed(by).filter(|&next| next <= last),
        };
        self.link = next.filter(|_| !self.links.is_empty());
        if let Some((row, _)) = self.link.and_then(|link| self.links.get(link)) {
            self.top = self.top.clamp((row + 1).saturating_sub(self.height), *row);
        }
    }

    /// Puts sections below one another, `width` columns wide from `x` on.
    fn column(&mut self, sections: &[Section], x: usize, width: usize, at: usize) -> usize {
        let mut row = at;
        let longest = sections.iter().flat_map(|section| &section.lines).map(|line| text::width(&line.label));
        let label = longest.max().unwrap_or(0).min(WIDEST_LABEL);
        for section in sections {
            if row > at {
                row += 1;
            }
            self.put(row, Piece { x, text: section.title.clone(), look: Look::Heading });
            row += 1;
            row = self.lines(section, x, label, width, row);
        }
        row
    }

    fn lines(&mut self, section: &Section, x: usize, label: usize, width: usize, mut row: usize) -> usize {
        for line in &section.lines {
            let label_text = text::cut(&line.label, label).into_owned();
            self.put(row, Piece { x: x + 1, text: label_text, look: Look::Label });
            let left = x + label + GAP;
            let room = width.saturating_sub(label + GAP).max(10);
            let look = match (line.leads_to, line.health) {
                (Some(object), _) => {
                    self.links.push((row, object));
                    Look::Link(self.links.len() - 1)
                }
                (None, Some(health)) => Look::Health(health),
                (None, None) => Look::Text,
            };
            for part in wrap(&line.text, room) {
                self.put(row, Piece { x: left, text: part.to_owned(), look });
                row += 1;
            }
        }
        row
    }

    fn put(&mut self, row: usize, piece: Piece) {
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Row::new);
        }
        self.rows[row].push(piece);
    }

    fn compose(&mut self, inside: Rect, scene: &Scene<'_>) {
        self.rows.clear();
        self.links.clear();
        let width = usize::from(inside.width.saturating_sub(2));
        let (Some(id), Some(view)) = (self.subject.find(scene.store), views::of_kind(self.subject.kind))
        else {
            return;
        };
        let mut sections = detail::sections(view, scene.store, id, &self.said, scene.now);
        let events = detail::events(scene.store, id, scene.now);
        if let Some(trouble) = &self.trouble {
            let line = detail::Line::new("object", trouble.clone()).with(Health::Warning);
            sections.push(Section { title: "NOT SHOWN".to_owned(), lines: vec![line] });
        }
        let mut end = 0;
        if inside.width >= TWO_COLUMNS {
            let half = (width - GAP) / 2;
            let lines = |sections: &[Section]| sections.iter().map(|one| one.lines.len() + 2).sum::<usize>();
            // As evenly as whole sections go.
            let all = lines(&sections);
            let split =
                (0..sections.len()).find(|&at| lines(&sections[..=at]) * 2 >= all).map_or(0, |at| at + 1);
            let (left, right) = sections.split_at(split);
            end = self.column(left, 0, half, 0).max(self.column(right, half + GAP, half, 0));
        } else {
            end = self.column(&sections, 0, width, end);
        }
        if !events.lines.is_empty() {
            self.put(end + 1, Piece { x: 0, text: events.title.clone(), look: Look::Heading });
            let label = events.lines.iter().map(|line| text::width(&line.label)).max().unwrap_or(0);
            self.lines(&events, 0, label.min(36).min(width / 2), width, end + 2);
        }
    }
}

/// Cuts a text into lines of at most so many columns, between words where that is possible.
fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim_end();
    while text::width(rest) > width {
        let mut end = 0;
        let mut columns = 0;
        let mut blank = None;
        for (at, c) in rest.char_indices() {
            columns += text::width(c.encode_utf8(&mut [0; 4]));
            if columns > width {
                break;
            }
            if c == ' ' {
                blank = Some(at);
            }
            end = at + c.len_utf8();
        }
        let next = rest[end..].starts_with(' ').then_some(end);
        let cut = next.or(blank.filter(|&at| at > 0)).unwrap_or(end.max(1));
        // A character that is wider than the whole line has no place in it.
        let cut = (cut..=rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        lines.push(&rest[..cut]);
        rest = rest[cut..].trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

impl Pane for Detail {
    fn crumb(&self) -> CompactString {
        self.subject.name.clone()
    }

    fn title(&self, _: Now) -> Title {
        let name = views::of_kind(self.subject.kind).map_or("object", views::AnyView::name);
        let word = match self.gone {
            true => ("gone".into(), Health::Failed),
            false => (CompactString::default(), Health::Well),
        };
        Title { name: name.into(), part: self.subject.place(), word, ..Title::default() }
    }

    fn keys(&self) -> &'static [Binding] {
        DETAIL
    }

    fn subject(&self) -> Option<&Subject> {
        Some(&self.subject)
    }

    fn partners(&self) -> &[Kind] {
        &self.kinds
    }

    fn start(&mut self, scene: &mut Scene<'_>) {
        self.ask_all(scene);
    }

    fn command(&mut self, command: Command, scene: &mut Scene<'_>) {
        let page = isize::try_from(self.height).unwrap_or(1);
        match command {
            Command::Move(by) => self.scroll(by),
            Command::Page(by) => self.scroll(by * page),
            Command::First => self.top = 0,
            Command::End => self.scroll(isize::MAX),
            Command::NextLink(by) => self.next_link(by),
            Command::Refresh => self.ask_all(scene),
            Command::Open => {
                if let Some((_, (kind, uid))) = self.link.and_then(|link| self.links.get(link)) {
                    scene.request(Ask::Show(*kind, *uid));
                }
            }
            _ => {}
        }
    }

    fn mouse(&mut self, mouse: Mouse, inside: Rect, _: &mut Scene<'_>) {
        match mouse.act {
            MouseAct::Wheel(by) => self.scroll(by),
            MouseAct::Click => {
                let row = self.top + usize::from(mouse.y.saturating_sub(inside.y));
                self.link = self.links.iter().position(|(at, _)| *at == row).or(self.link);
            }
        }
    }

    fn take(&mut self, ticket: Ticket, answer: Answer, scene: &mut Scene<'_>) -> Draw {
        let Some(at) = self.open.iter().position(|(open, _)| *open == ticket) else { return Draw::No };
        let (_, about) = self.open.swap_remove(at);
        let Answer::Document(document) = answer else { return Draw::No };
        scene.forget(ticket);
        match (about, document) {
            (About::Object, Ok(object)) => {
                self.said.object = Some(object);
                self.trouble = None;
            }
            // A machine that is off has no instance, and a guest without an agent says nothing: that is no trouble.
            (About::Object, Err(failure)) => self.trouble = Some(failure.to_string()),
            (About::Beside, document) => self.said.beside = document.ok(),
            (About::Guest, document) => {
                let now = Time::from_seconds(scene.now.wall);
                self.said.guest = document.ok().zip(now).or(self.said.guest.take());
            }
            (About::Filesystems, document) => {
                self.said.filesystems = document.ok().or(self.said.filesystems.take());
            }
        }
        if std::mem::take(&mut self.stale) {
            self.ask(About::Object, scene);
            self.ask(About::Beside, scene);
        }
        Draw::Soon
    }

    fn touched(&mut self, touched: &Touched, scene: &mut Scene<'_>) -> Draw {
        let Some(id) = self.subject.find(scene.store) else {
            let changed = !self.gone && !self.rows.is_empty();
            self.gone = changed || self.gone;
            return if changed { Draw::Soon } else { Draw::No };
        };
        self.gone = false;
        if touched.ids.contains(&id) {
            self.ask(About::Object, scene);
            self.ask(About::Beside, scene);
        }
        Draw::Soon
    }

    fn prepare(&mut self, inside: Rect, scene: &mut Scene<'_>) {
        self.height = usize::from(inside.height).max(1);
        if !self.gone {
            self.compose(inside, scene);
        }
        self.link = self.link.filter(|&link| link < self.links.len());
        self.scroll(0);
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        for (row, y) in self.rows.iter().skip(self.top).zip(inside.y..inside.bottom()) {
            for piece in row {
                let Ok(x) = u16::try_from(piece.x + 1).map(|x| inside.x.saturating_add(x)) else { continue };
                let room = usize::from(inside.right().saturating_sub(x));
                if room == 0 {
                    continue;
                }
                let style = match piece.look {
                    Look::Heading => theme.title,
                    Look::Label => theme.yaml_key,
                    Look::Text => theme.yaml_value,
                    Look::Health(health) => theme.row(health),
                    Look::Link(link) if self.link == Some(link) => {
                        Style { bg: None, ..theme.key }.add_modifier(Modifier::REVERSED)
                    }
                    Look::Link(_) => theme.key.add_modifier(Modifier::UNDERLINED),
                };
                put(buffer, x, y, &text::cut(&piece.text, room), room, style);
            }
        }
        let below = self.rows.len().saturating_sub(self.top + self.height);
        if below > 0 && inside.height > 1 && inside.width > 20 {
            let more = format_compact!("▼ {below} more");
            let width = u16::try_from(text::width(&more)).unwrap_or(0);
            put(
                buffer,
                inside.right() - width,
                inside.bottom() - 1,
                &more,
                usize::from(width),
                theme.counter,
            );
        }
    }

    fn next_change(&self, _: Now) -> Option<Duration> {
        // Ages stand in many places; nobody looks at one object for long without moving.
        Some(Duration::from_secs(if self.gone { 3600 } else { 5 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words() {
        let cases: &[(&str, usize, &[&str])] = &[
            ("", 5, &[""]),
            ("one two", 10, &["one two"]),
            ("one two three", 7, &["one two", "three"]),
            ("one two", 4, &["one", "two"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("東京 東京", 4, &["東京", "東京"]),
            ("東", 1, &["東"]),
        ];
        for (text, width, want) in cases {
            assert_eq!(wrap(text, *width), *want, "{text:?} in {width}");
        }
    }
}
