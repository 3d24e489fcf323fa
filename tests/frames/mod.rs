//! Frames without a terminal: a state of the screen, drawn, as text.

mod chosen;
mod demo;
mod header;
mod lists;
mod opened;
mod own;
mod recordings;
mod shots;
mod sizes;
mod still;
mod views;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;
use v9s::model::Now;
use v9s::records::{DataVolume, Kind, Record, Records, Vm, Vmi, decode};
use v9s::store::{Batch, Coverage, FeedId, Freshness, Namespaces, Touched};
use v9s::ui::app::{App, Options};
use v9s::ui::frame;
use v9s::ui::input::Key;
use v9s::ui::message::{Effect, Message};
use v9s::ui::session::Link;
use v9s::ui::theme::Theme;

/// 2026-01-02T12:00:00Z: a day after everything in `objects` has happened.
const NOW: i64 = 1_767_355_200;

fn now() -> Now {
    Now::at(NOW)
}

/// The screen with a connection to a server that says what the test makes it say.
struct Stage {
    app: App,
    effects: Vec<Effect>,
}

impl Stage {
    fn new(options: Options) -> Self {
        let options = Options { view: options.view.or_else(|| Some("vms".into())), ..options };
        let mut app = App::new(options, Theme::default(), (80, 24), now());
        let mut effects = app.start(now());
        app.session.link = Link::Up;
        effects.clear();
        Self { app, effects }
    }

    /// The machines of all namespaces.
    fn machines() -> Self {
        Self::new(Options { all_namespaces: true, ..Options::default() })
    }

    /// The feed of a kind: the one that the screen has asked for, or one made now.
    fn cover(&mut self, kind: Kind) -> FeedId {
        let asked = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::StartFeed { plan, .. } if plan.kind == kind => Some(plan.id),
            _ => None,
        });
        if let Some(id) = asked {
            return id;
        }
        let all = Coverage::all(Namespaces::All);
        self.app.store.cover(kind, all, &mut Touched::default())[0].id
    }

    /// A feed says something.
    fn says<R: Record>(&mut self, feed: FeedId, objects: &[Value], freshness: Freshness) -> &mut Self
    where
        Records: From<Vec<R>>,
    {
        let record = |object: &Value| decode::<R>(object.to_string().as_bytes()).unwrap().record;
        let records: Vec<R> = objects.iter().map(record).collect();
        let batch = Batch::of(feed, 0, records).and(freshness);
        self.app.update(Message::Feed(batch), now(), &mut self.effects);
        self
    }

    /// Machines with their instances, all known.
    fn fleet(machines: &[Value], instances: &[Value]) -> Self {
        let mut stage = Self::machines();
        let feeds = [Kind::Vm, Kind::Vmi, Kind::DataVolume].map(|kind| stage.cover(kind));
        stage.says::<Vm>(feeds[0], machines, Freshness::Live);
        stage.says::<Vmi>(feeds[1], instances, Freshness::Live);
        stage.says::<DataVolume>(feeds[2], &[], Freshness::Live);
        stage
    }

    fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            self.app.update(Message::Key(key.parse::<Key>().unwrap()), now(), &mut self.effects);
        }
        self
    }

    /// Types characters as they are.
    fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.app.update(Message::Key(Key::char(c)), now(), &mut self.effects);
        }
        self
    }

    fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        buffer(&mut self.app, width, height, now())
    }

    fn text(&mut self, width: u16, height: u16) -> String {
        text(&self.buffer(width, height))
    }

    /// The state word of a machine.
    fn state(&mut self, name: &str) -> String {
        word_of(&self.text(200, 60), name)
    }
}

fn buffer(app: &mut App, width: u16, height: u16, now: Now) -> Buffer {
    app.update(Message::Resize(width, height), now, &mut Vec::new());
    frame::prepare(app, now);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let cursor = frame::draw(app, now, area, &mut buffer);
    if let Some((x, y)) = cursor {
        assert!(x < width && y < height, "the cursor is at {x},{y} of {width}×{height}");
    }
    buffer
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for row in buffer.content().chunks(usize::from(buffer.area.width).max(1)) {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = v9s::text::width(cell.symbol()).saturating_sub(1);
            line.push_str(cell.symbol());
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// The row of an object.
fn row_of<'a>(text: &'a str, name: &str) -> &'a str {
    let named = |line: &&str| {
        line.starts_with('│') && line.trim_matches('│').split_whitespace().take(2).any(|word| word == name)
    };
    text.lines().find(named).unwrap_or_else(|| panic!("no row {name} in\n{text}"))
}

/// The word in the column STATE of the row with this name, with its percentage and the mark of what is not known.
fn word_of(text: &str, name: &str) -> String {
    let line = row_of(text, name);
    let signs = ['●', '◐', '○', '▲', '✗', '◌'];
    let after = line.split_once(signs).unwrap_or_else(|| panic!("no state in {line:?}")).1.trim_start();
    after.split("  ").next().unwrap().trim_end_matches('Δ').to_owned()
}
