//! Where a key such as `o` leads: to the one object, or to a choice of several, as soon as their kinds have come.

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::menu::{Choice, Item, Menu};
use super::{Ask, Pane, Scene, Title};
use crate::model::Now;
use crate::records::Kind;
use crate::store::{Health, Id, Store, Summary, Touched};
use crate::ui::command::{Binding, Command};
use crate::ui::frame::put;
use crate::ui::message::Draw;
use crate::ui::subject::Subject;
use crate::ui::theme::Theme;
use crate::views::detail::along;
use crate::views::{self, AnyView, Road};

/// The way from an object along a road.
#[derive(Debug)]
pub struct Roads {
    from: Subject,
    road: Road,
    kinds: Vec<Kind>,
}

impl Roads {
    /// From this object along the roads of this sort; `None` where its view knows none.
    pub fn from(subject: Subject, road: Road) -> Option<Self> {
        let kinds: Vec<Kind> = kinds(subject.kind, road).collect();
        (!kinds.is_empty()).then_some(Self { from: subject, road, kinds })
    }

    /// Goes on, if all kinds have come that could be there.
    fn try_to_go(&self, scene: &mut Scene<'_>) {
        let waits =
            |kind: &Kind| matches!(scene.store.freshness(*kind), Summary::Unasked | Summary::Syncing { .. });
        let found = self.found(scene.store);
        if found.is_empty() && self.kinds.iter().any(waits) {
            return;
        }
        scene.request(Ask::Close);
        match &found[..] {
            [] => scene.say(format!("{} {}.", self.from.place(), self.nothing()), Health::Idle),
            [(_, one)] => {
                if let Some(meta) = scene.store.meta(*one) {
                    scene.request(Ask::Show(one.kind(), meta.uid));
                }
            }
            several => {
                let items = several.iter().filter_map(|&(title, id)| item(scene.store, title, id));
                scene.request(Ask::Open(Box::new(
                    Menu::new(self.name(), items.collect()).about(self.from.place()),
                )));
            }
        }
    }

    fn found(&self, store: &Store) -> Vec<(&'static str, Id)> {
        let (Some(id), Some(view)) = (self.from.find(store), views::of_kind(self.from.kind)) else {
            return Vec::new();
        };
        along(view, store, id, Some(self.road))
    }

    fn name(&self) -> &'static str {
        match self.road {
            Road::Owner => "owners",
            Road::Node => "nodes",
            Road::UsedBy => "used by",
            Road::Parts => "parts",
        }
    }

    fn nothing(&self) -> &'static str {
        match self.road {
            Road::Owner => "has no owner that is known here",
            Road::Node => "is on no node",
            Road::UsedBy => "is used by nothing that is known here",
            Road::Parts => "has no parts that are known here",
        }
    }
}

/// The kinds that roads of this sort lead to from objects of this one.
fn kinds(kind: Kind, road: Road) -> impl Iterator<Item = Kind> {
    let related = views::of_kind(kind).map(AnyView::related).unwrap_or_default();
    related.into_iter().filter(move |one| one.road == road).flat_map(|one| one.kinds).copied()
}

/// Whether roads of this sort lead anywhere from objects of this kind.
pub fn leads(kind: Kind, road: Road) -> bool {
    kinds(kind, road).next().is_some()
}

fn item(store: &Store, title: &'static str, id: Id) -> Option<Item> {
    let meta = store.meta(id)?;
    let view = views::of_kind(id.kind()).map_or("", AnyView::name);
    Some(Item {
        section: title,
        short: CompactString::from(&*meta.name),
        text: match meta.namespace.is_empty() {
            true => view.into(),
            false => format_compact!("{view} in {}", meta.namespace),
        },
        choice: Choice::Show(id.kind(), meta.uid),
    })
}

impl Pane for Roads {
    fn crumb(&self) -> CompactString {
        self.name().into()
    }

    fn title(&self, _: Now) -> Title {
        Title { name: self.name().into(), part: self.from.place(), ..Title::default() }
    }

    fn keys(&self) -> &'static [Binding] {
        &[]
    }

    fn partners(&self) -> &[Kind] {
        &self.kinds
    }

    fn start(&mut self, scene: &mut Scene<'_>) {
        self.try_to_go(scene);
    }

    fn command(&mut self, _: Command, _: &mut Scene<'_>) {}

    fn touched(&mut self, _: &Touched, scene: &mut Scene<'_>) -> Draw {
        self.try_to_go(scene);
        Draw::Soon
    }

    fn draw(&self, inside: Rect, buffer: &mut Buffer, theme: &Theme) {
        if inside.height > 1 && inside.width > 2 {
            let room = usize::from(inside.width - 2);
            put(buffer, inside.x + 1, inside.y + 1, "Waiting for the list…", room, theme.row(Health::Busy));
        }
    }
}
