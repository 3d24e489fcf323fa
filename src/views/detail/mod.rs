//! Everything about one object, as sections of lines: out of its row, its links, its events, and the object itself. No
//! terminal here. Sections that only one kind has are functions in [`KINDS`].

mod conditions;
mod machine;
mod own;

use serde_json::Value;

pub use conditions::sense;

use super::{AnyView, Holds, Layout, Road};
use crate::model::{Age, Now, Time, Uid};
use crate::records::{Event, Kind, name_key};
use crate::store::{At, Health, Id, Store};
use crate::text;

/// Lines under a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading, in upper case.
    pub title: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line: what it is about, and what is to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// What it is about; may be empty.
    pub label: String,
    /// What is to be said.
    pub text: String,
    /// How well that is, if it is good or bad.
    pub health: Option<Health>,
    /// The object that it leads to.
    pub leads_to: Option<(Kind, Uid)>,
    /// Kind and name of an object of the same namespace that it tells of: what is known of that is told with it.
    pub about: Option<(Kind, String)>,
}

impl Line {
    /// A line without judgement.
    pub fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self { label: label.into(), text: text.into(), ..Self::default() }
    }

    /// The same with how well it is.
    pub fn with(mut self, health: Health) -> Self {
        self.health = Some(health);
        self
    }
}

impl Section {
    fn new(title: &str, lines: Vec<Line>) -> Self {
        Self { title: title.to_owned(), lines }
    }
}

/// What the server says about an object beyond its row, as far as it has come.
#[derive(Debug, Default)]
pub struct Said {
    /// The object.
    pub object: Option<Value>,
    /// The object beside it, see [`Known::beside`].
    pub beside: Option<Value>,
    /// What the guest's agent says of the system, and when it was asked.
    pub guest: Option<(Value, Time)>,
    /// What the guest's agent says of its file systems.
    pub filesystems: Option<Value>,
}

/// What is known of a kind beyond what all kinds have.
#[derive(Debug)]
pub struct Known {
    /// The kind.
    pub kind: Kind,
    /// The kind of the object of the same name that completes it.
    pub beside: Option<Kind>,
    /// Whether a guest with an agent may be asked.
    pub guest: bool,
    /// Its sections.
    sections: fn(&Said, Now) -> Vec<Section>,
}

/// Kinds of which more is known.
pub static KINDS: &[Known] = &[
    Known { kind: Kind::Vm, beside: Some(Kind::Vmi), guest: true, sections: machine::of_vm },
    Known { kind: Kind::Vmi, beside: None, guest: true, sections: machine::of_vmi },
    Known { kind: Kind::Workload, beside: None, guest: false, sections: own::of_workload },
    Known { kind: Kind::VolumeSet, beside: None, guest: false, sections: own::of_volume_set },
    Known { kind: Kind::Image, beside: None, guest: false, sections: own::of_image },
    Known { kind: Kind::SupportedVersion, beside: None, guest: false, sections: own::of_version },
];

/// What is known of this kind beyond what all kinds have.
pub fn known(kind: Kind) -> Option<&'static Known> {
    KINDS.iter().find(|known| known.kind == kind)
}

/// The sections about an object, the most important first; events come in [`events`].
pub fn sections(view: &dyn AnyView, store: &Store, id: Id, said: &Said, now: Now) -> Vec<Section> {
    let mut all = vec![state(view, store, id, now)];
    if let Some(known) = known(id.kind()) {
        let mut own = (known.sections)(said, now);
        own.iter_mut().flat_map(|section| &mut section.lines).for_each(|line| look_up(line, store, id, now));
        all.extend(own);
    }
    let facts = facts(view, store, id, now, &all);
    all.push(facts);
    all.extend(said.object.as_ref().map(|object| conditions::section("CONDITIONS", object, now)));
    let beside =
        said.beside.as_ref().map(|object| conditions::section("CONDITIONS OF THE INSTANCE", object, now));
    all.extend(beside);
    all.push(related(view, store, id, now));
    all.retain(|section| !section.lines.is_empty());
    all
}

/// Adds to a line what is known of the object that it tells of, and the way there.
fn look_up(line: &mut Line, store: &Store, id: Id, now: Now) {
    let Some(((kind, name), home)) = line.about.as_ref().zip(store.meta(id)) else { return };
    let found =
        store.find_key(name_key(*kind, home.namespace, name)).and_then(|id| Some((id, store.meta(id)?)));
    let Some(((found, meta), view)) = found.zip(super::of_kind(*kind)) else { return };
    let state = view.state(store, found, now);
    let done = state.progress.map_or_else(String::new, |progress| format!(" {}%", progress / 10));
    line.text.insert_str(0, &format!("{}{done}, ", state.word));
    line.health = line.health.or(Some(state.health));
    line.leads_to = Some((*kind, meta.uid));
}

/// What state it is in, since when, why, and what that means.
fn state(view: &dyn AnyView, store: &Store, id: Id, now: Now) -> Section {
    let state = view.state(store, id, now);
    if state.word.is_empty() {
        return Section::default();
    }
    // What has no column of states is in none: the word stands under its own name among the facts.
    let stands = view.column("STATE").is_some();
    let mut word = state.word.to_string();
    if let Some(progress) = state.progress {
        word.push_str(&format!(" {}%", progress / 10));
    }
    if let Some(since) = state.since {
        word.push_str(&format!(" for {}", now.since(since)));
    }
    let mut lines = Vec::new();
    if stands {
        lines.push(Line::new("state", word).with(state.health));
    }
    let mut why = String::new();
    if let Some(column) = view.column("REASON") {
        view.cell(store, id, column, now, &mut why);
        if !matches!(why.as_str(), "" | "-" | "<none>") {
            lines.push(Line::new(if stands { "why" } else { "reason" }, why.as_str()).with(state.health));
        }
    }
    let mut sentence = String::new();
    crate::explain::sentence(store, id, now, &mut sentence);
    // What nobody knows says no more than the row does.
    if !sentence.is_empty() && (why.is_empty() || !sentence.ends_with(&why)) {
        lines.push(Line::new("that is", sentence));
    }
    Section::new(if stands { "STATE" } else { "REASON" }, lines)
}

/// What stands in its row and in no other section.
fn facts(view: &dyn AnyView, store: &Store, id: Id, now: Now, others: &[Section]) -> Section {
    let layout = Layout { wide: true, many: true, set: None };
    let told = ["STATE", "REASON", "IN STATE", "NAME"];
    let columns = (0..view.width()).filter(|&column| view.is_visible(store, column, layout));
    let line = |column: usize| {
        let heading = view.heading(column);
        let mut cell = String::new();
        view.cell(store, id, column, now, &mut cell);
        let empty = matches!(cell.as_str(), "" | "-" | "<none>" | "n/a") || heading.holds == Holds::State;
        let label = heading.title.to_lowercase();
        let elsewhere = |other: &Section| {
            !other.lines.is_empty()
                && (other.title == heading.title || other.lines.iter().any(|line| line.label == label))
        };
        let wanted = !empty && !told.contains(&&*heading.title) && !others.iter().any(elsewhere);
        wanted.then(|| Line::new(label, cell))
    };
    Section::new("FACTS", columns.filter_map(line).collect())
}

/// The objects that it leads to, by what they are to it.
fn related(view: &dyn AnyView, store: &Store, id: Id, now: Now) -> Section {
    let mut lines = Vec::new();
    // Events have a section of their own.
    let others = along(view, store, id, None).into_iter().filter(|(_, other)| other.kind() != Kind::Event);
    for (title, other) in others.take(MOST_RELATED) {
        let (Some(meta), Some(view)) = (store.meta(other), super::of_kind(other.kind())) else { continue };
        let state = view.state(store, other, now);
        let word = if state.word.is_empty() { String::new() } else { format!("  {}", state.word) };
        lines.push(Line {
            label: title.to_owned(),
            text: format!("{}{word}", meta.name),
            health: Some(state.health).filter(|_| !state.word.is_empty()),
            leads_to: Some((other.kind(), meta.uid)),
            about: None,
        });
    }
    Section::new("RELATED", lines)
}

/// So many related objects are listed; a node may have hundreds of machines, which are a list of their own.
const MOST_RELATED: usize = 60;
/// So many events are listed.
const MOST_EVENTS: usize = 200;

/// What an object leads to, with what it is to it: along all roads or those of one sort, the oldest first.
pub fn along(view: &dyn AnyView, store: &Store, id: Id, only: Option<Road>) -> Vec<(&'static str, Id)> {
    let mut all = Vec::new();
    for (at, road) in view.related().iter().enumerate() {
        if only.is_none_or(|only| only == road.road) {
            let mut ids = Vec::new();
            view.find_related(store, id, at, &mut ids);
            ids.sort_by_key(|&id| store.meta(id).map(|meta| meta.created.map(Time::seconds)));
            all.extend(ids.into_iter().map(|id| (road.title, id)));
        }
    }
    all
}

/// The events of an object and of all that it is made of, the latest first.
pub fn events(store: &Store, id: Id, now: Now) -> Section {
    let mut found: Vec<At<'_, Event>> =
        store.below(id).into_iter().filter_map(|part| At::new(store, part)).collect();
    found.sort_by_key(|event| std::cmp::Reverse(event.last_seen.or(event.meta.created).map(Time::seconds)));
    let line = |event: At<'_, Event>| {
        let age = event.last_seen.or(event.meta.created).map(|time| now.since(time));
        let age = age.map_or_else(String::new, |age: Age| age.to_string());
        let many = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
        let said = if event.message.is_empty() { "" } else { ": " };
        let text = format!("{} {}{said}{}{many}", event.object_kind, event.object_name, event.message);
        Line {
            label: format!("{age:>5}  {}", text::one_line(&event.reason, 28)),
            text,
            health: event.warning.then_some(Health::Warning),
            ..Line::default()
        }
    };
    Section::new("EVENTS", found.into_iter().take(MOST_EVENTS).map(line).collect())
}

/// The text at a path of an object, made safe to show.
fn string<'a>(value: &'a Value, path: &str) -> Option<std::borrow::Cow<'a, str>> {
    value.pointer(path)?.as_str().filter(|text| !text.is_empty()).map(text::clean)
}

/// The values of the list at a path.
fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A moment at a path, as how long ago it was.
fn age(value: &Value, path: &str, now: Now) -> Option<Age> {
    value.pointer(path)?.as_str().and_then(Time::parse).map(|time| now.since(time))
}
