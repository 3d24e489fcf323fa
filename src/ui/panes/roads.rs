//! Where a key such as `o` leads: to the one object, or to a choice of several, as soon as their kinds have come.

use compact_str::{CompactString, format_compact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

use super::menu::{Choice, Item, Menu};
use super::{Ask, Found, Pane, Scene, Title};
use crate::cluster::discovery::Resource;
use crate::cluster::error::FailureKind;
use crate::cluster::feed::Target;
use crate::cluster::watch::escape;
use crate::model::{Now, Uid};
use crate::records::Kind;
use crate::store::{Health, Id, Store, Summary, Touched};
use crate::text;
use crate::ui::command::{Binding, Command};
use crate::ui::frame::put;
use crate::ui::message::{Answer, Draw, Question, Ticket};
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
    /// Whether the object itself was asked for, to see whom it names as its owner.
    asked: bool,
    /// The owner that it names, and what that is called, once it was asked for.
    owner: Option<(Found, String)>,
}

impl Roads {
    /// From this object along the roads of this sort.
    ///
    /// # Errors
    ///
    /// Why there is no such road, in one sentence.
    pub fn from(subject: Subject, road: Road) -> Result<Self, String> {
        let kinds: Vec<Kind> = kinds(subject.kind, road).collect();
        if kinds.is_empty() && road != Road::Owner {
            let all = subject.words();
            return Err(match road {
                Road::Node => format!("{} run on no node.", text::capitalised(all)),
                _ => format!("What uses {all} is not known here."),
            });
        }
        Ok(Self { from: subject, road, kinds, asked: false, owner: None })
    }

    /// Goes on, if all kinds have come that could be there.
    fn try_to_go(&mut self, scene: &mut Scene<'_>) {
        let waits =
            |kind: &Kind| matches!(scene.store.freshness(*kind), Summary::Unasked | Summary::Syncing { .. });
        let found = self.found(scene.store);
        // Nobody has two owners of different kinds; what uses an object may be of all.
        let wants_all = found.is_empty() || self.road != Road::Owner;
        if self.asked || wants_all && self.kinds.iter().any(waits) {
            return;
        }
        let meta = self.from.find(scene.store).and_then(|id| scene.store.meta(id));
        if found.is_empty() && self.road == Road::Owner && meta.is_some_and(|meta| meta.owner.is_some()) {
            self.asked = true;
            scene.ask(Question::Document { path: self.from.path() });
            return;
        }
        scene.request(Ask::Close);
        match &found[..] {
            [] => scene.say(self.nothing(scene.store), Health::Idle),
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

    /// Asks for the owner that the object names, of whatever kind it is.
    fn ask_for_owner(&mut self, object: &Value, scene: &mut Scene<'_>) {
        let owners = object["metadata"]["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
        let controls = |owner: &&Value| owner["controller"] == true;
        let Some(owner) = owners.iter().find(controls).or(owners.first()) else {
            scene.request(Ask::Close);
            return scene.say(self.nothing(scene.store), Health::Idle);
        };
        let text = |key: &str| text::one_line(owner[key].as_str().unwrap_or_default(), 253);
        let (kind, name, version) = (text("kind"), text("name"), text("apiVersion"));
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let is_it = |one: &&Resource| one.group == group && one.kind == kind && one.can("list");
        let served = scene.session.discovery.as_ref().and_then(|all| all.resources.iter().find(is_it));
        let Some(resource) = served else {
            scene.request(Ask::Close);
            let said = format!("{} belongs to {kind} {name}, of which there is no list.", self.from.place());
            return scene.say(said, Health::Idle);
        };
        let target = Target {
            group: resource.group.clone(),
            version: resource.version.clone(),
            plural: resource.plural.clone(),
            namespaced: resource.namespaced,
        };
        let namespace = Some(&*self.from.namespace).filter(|_| resource.namespaced);
        let path = format!("{}/{}", target.path(namespace), escape(&name));
        let found = Found {
            resource: match group {
                "" => resource.plural.clone(),
                group => format!("{}.{group}", resource.plural),
            },
            namespace: namespace.unwrap_or_default().into(),
            uid: Uid::parse(&text("uid")),
        };
        self.owner = Some((found, format!("{kind} {name}")));
        scene.ask(Question::Document { path });
    }

    fn found(&self, store: &Store) -> Vec<(&'static str, Id)> {
        let (Some(id), Some(view)) = (self.from.find(store), views::of_kind(self.from.kind)) else {
            return Vec::new();
        };
        let mut found = along(view, store, id, Some(self.road));
        if self.road == Road::Owner {
            // One jumps a step at a time, to whom the object names as its owner if it names one.
            let direct: Vec<Id> = store.wholes(id).collect();
            let steps =
                [&|one| store.owns(one, id), &|one| direct.contains(&one)] as [&dyn Fn(Id) -> bool; 2];
            if let Some(step) = steps.into_iter().find(|step| found.iter().any(|&(_, one)| step(one))) {
                found.retain(|&(_, one)| step(one));
            }
        }
        found
    }

    fn name(&self) -> &'static str {
        match self.road {
            Road::Owner => "owners",
            Road::Node => "nodes",
            Road::UsedBy => "used by",
            Road::Parts => "parts",
        }
    }

    /// That nothing was found; where something may be that is not seen, who keeps it from being seen.
    fn nothing(&self, store: &Store) -> String {
        let place = self.from.place();
        let refused = self.kinds.iter().find_map(|&kind| match store.freshness(kind) {
            Summary::Denied { .. } => Some(kind.info().words),
            _ => None,
        });
        // Whose owner is asked for says itself who that is.
        if let Some(all) = refused.filter(|_| self.road != Road::Owner) {
            return format!("{place}: no right to list {all}.");
        }
        let nothing = match self.road {
            Road::Owner => "has no owner",
            Road::Node => "is on no node",
            Road::UsedBy => "is used by nothing that is known here",
            Road::Parts => "has no parts that are known here",
        };
        format!("{place} {nothing}.")
    }
}

/// The kinds that roads of this sort lead to from objects of this one.
fn kinds(kind: Kind, road: Road) -> impl Iterator<Item = Kind> {
    let related = views::of_kind(kind).map(AnyView::related).unwrap_or_default();
    related.into_iter().filter(move |one| one.road == road).flat_map(|one| one.kinds).copied()
}

/// Whether roads of this sort lead anywhere from objects of this kind. Whatever lives in a namespace may have an owner.
pub fn leads(kind: Kind, target: &Target, road: Road) -> bool {
    road == Road::Owner && target.namespaced || kinds(kind, road).next().is_some()
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

    fn take(&mut self, _: Ticket, answer: Answer, scene: &mut Scene<'_>) -> Draw {
        let Answer::Document(answer) = answer else { return Draw::No };
        match (answer, self.owner.take()) {
            (Ok(object), None) => self.ask_for_owner(&object, scene),
            (Ok(_), Some((found, _))) => {
                scene.request(Ask::Close);
                scene.request(Ask::Find(found));
            }
            (Err(failure), Some((_, owner))) if failure.kind == FailureKind::NotFound => {
                scene.request(Ask::Close);
                let said = format!("{} belongs to {owner}, which is not there.", self.from.place());
                scene.say(said, Health::Idle);
            }
            (Err(failure), _) => {
                scene.request(Ask::Close);
                scene.say(failure.to_string(), Health::Failed);
            }
        }
        Draw::Now
    }

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
