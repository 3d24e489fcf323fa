//! Everything about one object, live while it is open: its sections in one or two columns, its events below.

use std::time::Duration;

use compact_str::CompactString;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::canvas::{Canvas, GAP};
use super::{Ask, Pane, Scene, Title, more_below};
use crate::cluster::watch::escape;
use crate::model::{Now, Time};
use crate::records::Kind;
use crate::store::{Health, Store, Summary, Touched};
use crate::ui::command::{Binding, Command, Hint, binding};
use crate::ui::frame::{stale_for, standing_of};
use crate::ui::input::{Key, Mouse, MouseAct};
use crate::ui::message::{Answer, Draw, Question, Ticket};
use crate::ui::session::{Link, Session};
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

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Object,
    Beside,
    Guest,
    Filesystems,
}

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
    /// How fresh what is shown is, as far as that is not as it should be.
    standing: Option<(Link, Summary)>,
    /// Why the object cannot be shown whole.
    trouble: Option<String>,
    canvas: Canvas,
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
            standing: None,
            trouble: None,
            canvas: Canvas::default(),
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
            let (namespace, name) = (escape(&self.subject.namespace), escape(&self.subject.name));
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

    /// Where the lists of what is shown stand: the object's own, unless one of the others is old.
    fn oldest(&self, store: &Store) -> Option<Summary> {
        let stale =
            |kind: &Kind| Some(store.freshness(*kind)).filter(|one| matches!(one, Summary::Stale { .. }));
        let own = self.subject.kind;
        [own].iter().chain(&self.kinds).find_map(stale).or_else(|| Some(store.freshness(own)))
    }

    fn scroll(&mut self, by: isize) {
        let most = self.canvas.height().saturating_sub(self.height);
        self.top = self.top.saturating_add_signed(by).min(most);
    }

    fn next_link(&mut self, by: isize) {
        let last = self.canvas.links.len().saturating_sub(1);
        let next = match self.link {
            None => Some(if by > 0 { 0 } else { last }),
            Some(here) => here.checked_add_signed(by).filter(|&next| next <= last),
        };
        self.link = next.filter(|_| !self.canvas.links.is_empty());
        if let Some((row, _)) = self.link.and_then(|link| self.canvas.links.get(link)) {
            self.top = self.top.clamp((row + 1).saturating_sub(self.height), *row);
        }
    }

    fn compose(&mut self, inside: Rect, scene: &Scene<'_>) {
        self.canvas.clear();
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
        if inside.width >= TWO_COLUMNS && sections.len() > 1 {
            let half = (width - GAP) / 2;
            let lines = |sections: &[Section]| sections.iter().map(|one| one.lines.len() + 2).sum::<usize>();
            // As evenly as whole sections go, none of the two empty.
            let longer = |at: &usize| lines(&sections[..*at]).max(lines(&sections[*at..]));
            let (left, right) = sections.split_at((1..sections.len()).min_by_key(longer).unwrap_or(1));
            end = self.canvas.column(left, 0, half, 0).max(self.canvas.column(right, half + GAP, half, 0));
        } else {
            end = self.canvas.column(&sections, 0, width, end);
        }
        if !events.lines.is_empty() {
            self.canvas.wide(&events, width, end + 1);
        }
    }
}

impl Pane for Detail {
    fn crumb(&self) -> CompactString {
        self.subject.name.clone()
    }

    fn title(&self, now: Now) -> Title {
        let name =
            views::of_kind(self.subject.kind).map_or(&*self.subject.target.plural, views::AnyView::name);
        let word = match &self.standing {
            _ if self.gone => ("gone".into(), Health::Failed),
            Some((link, standing)) => standing_of(link, Some(standing.clone()), false, now),
            None => (CompactString::default(), Health::Well),
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
                if let Some((_, (kind, uid))) = self.link.and_then(|link| self.canvas.links.get(link)) {
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
                self.link = self.canvas.links.iter().position(|(at, _)| *at == row).or(self.link);
            }
            MouseAct::Press(_) | MouseAct::Release(_) | MouseAct::Drag(_) => {}
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
            let changed = !self.gone && self.canvas.height() > 0;
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
        let standing = self.oldest(scene.store);
        self.standing = standing.map(|standing| (scene.session.link.clone(), standing));
        if !self.gone {
            self.compose(inside, scene);
        }
        self.link = self.link.filter(|&link| link < self.canvas.links.len());
        self.scroll(0);
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        self.canvas.draw(inside, self.top, self.link, buffer, theme);
        let below = self.canvas.height().saturating_sub(self.top + self.height);
        if below > 0 {
            more_below(&format!("▼ {below} more"), inside, buffer, theme);
        }
    }

    fn next_change(&self, now: Now) -> Option<Duration> {
        if let Some((_, Summary::Stale { since, .. })) = &self.standing {
            return Some(stale_for(*since, now).next_change());
        }
        // Ages stand in many places; nobody looks at one object for long without moving.
        Some(Duration::from_secs(if self.gone { 3600 } else { 5 }))
    }
}
