//! The state behind the screen, filled with a fleet's objects as the feeds would fill it: for measures below the process.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ratatui::layout::Size;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use v9s::cluster::connect::{AuthKind, ConnectionInfo};
use v9s::cluster::gate::ContextId;
use v9s::demo::fleet::{Fleet, FleetKind};
use v9s::model::Now;
use v9s::records::{Claim, DataVolume, Kind, Record, Records, Vm, Vmi, decode};
use v9s::store::{Batch, Coverage, FeedId, Freshness, Namespaces, Store, Touched};
use v9s::ui::app::{App, Options};
use v9s::ui::frame;
use v9s::ui::input::Key;
use v9s::ui::message::{Draw, Effect, Message};
use v9s::ui::terminal::{self, Terminal};
use v9s::ui::theme::Theme;

/// Columns and rows of the screen in all measures.
pub const SIZE: (u16, u16) = (200, 60);
/// The day on which the fleet is looked at, after all of its machines were made.
pub const TODAY: i64 = 1_704_067_200 + 900 * 86_400;
/// Records in a batch, as feeds send them.
pub const BATCH: usize = 500;

/// The program's kind of a kind of the fleet.
pub fn kind_of(kind: FleetKind) -> Kind {
    match kind {
        FleetKind::Vm => Kind::Vm,
        FleetKind::Vmi => Kind::Vmi,
        FleetKind::DataVolume => Kind::DataVolume,
        FleetKind::Claim => Kind::Claim,
    }
}

/// The records of these objects.
pub fn records(kind: FleetKind, objects: impl Iterator<Item = Vec<u8>>) -> Records {
    fn all<R: Record>(objects: impl Iterator<Item = Vec<u8>>) -> Records
    where
        Records: From<Vec<R>>,
    {
        let decoded = |object: Vec<u8>| decode::<R>(&object).expect("a well-formed object").record;
        Records::from(objects.map(decoded).collect::<Vec<R>>())
    }
    match kind {
        FleetKind::Vm => all::<Vm>(objects),
        FleetKind::Vmi => all::<Vmi>(objects),
        FleetKind::DataVolume => all::<DataVolume>(objects),
        FleetKind::Claim => all::<Claim>(objects),
    }
}

/// The records of these machines at this revision.
pub fn of_machines(
    fleet: &Fleet,
    kind: FleetKind,
    machines: impl Iterator<Item = usize>,
    revision: u64,
) -> Records {
    records(
        kind,
        machines.map(|machine| {
            let mut object = Vec::new();
            fleet.write(kind, machine, revision, &mut object);
            object
        }),
    )
}

/// A store with every object of these kinds, as the feeds leave it.
pub fn store(fleet: &Fleet, kinds: &[FleetKind]) -> Store {
    let mut store = Store::new(v9s::explain::STATES);
    let mut touched = Touched::default();
    let now = Now::at(TODAY);
    for &kind in kinds {
        let coverage = Coverage::all(Namespaces::All);
        let feed = store.cover(kind_of(kind), coverage, &mut touched).first().expect("a feed").id;
        for (batch, last) in batches(fleet, kind, feed) {
            touched.clear();
            store.apply(batch, now, &mut touched);
            if last {
                break;
            }
        }
    }
    store
}

/// The batches of one list: a first page of 50, then pages of 500, and the word that it is complete.
fn batches(fleet: &Fleet, kind: FleetKind, feed: FeedId) -> impl Iterator<Item = (Batch, bool)> + '_ {
    let count = fleet.count();
    let pages = std::iter::successors(Some(0..count.min(50)), move |page: &Range<usize>| {
        (page.end < count).then(|| page.end..(page.end + BATCH).min(count))
    });
    pages.map(move |page| {
        let last = page.end == count;
        let first = page.start == 0;
        let mut batch = Batch::of(feed, 0, of_machines(fleet, kind, page.clone(), 0));
        batch.remaining = (first && !last).then(|| count - page.end);
        batch.freshness = Some(if last { Freshness::Live } else { Freshness::Syncing { seen: page.end } });
        (batch, last)
    })
}

/// The program's state with a fleet in it, and a terminal that nobody looks at.
pub struct Filled {
    /// Everything on screen.
    pub app: App,
    /// Machines, all of them running.
    pub fleet: Fleet,
    /// What the time is said to be.
    pub now: Now,
    terminal: Terminal<io::Sink>,
    feeds: Vec<(Kind, FeedId)>,
}

impl Filled {
    /// `vms` of all namespaces before any row has come.
    pub fn empty(count: usize) -> Self {
        let now = Now::at(TODAY);
        let mut options =
            Options { view: Some("vms".to_owned()), all_namespaces: true, ..Options::default() };
        // The list by itself; what stands beside it is measured by itself, too.
        options.config.ui.side = false;
        let mut app = App::new(options, Theme::default(), SIZE, now);
        app.start(now);
        let size = Size::new(SIZE.0, SIZE.1);
        let terminal = Terminal::over(io::sink(), size, terminal::Options::default()).expect("a sink");
        let fleet = Fleet::new(1, count).running();
        let mut filled = Self { app, fleet, now, terminal, feeds: Vec::new() };
        let info = ConnectionInfo {
            id: ContextId(1),
            context: "bench".to_owned(),
            cluster: "bench".to_owned(),
            user: "bench".to_owned(),
            server: "https://127.0.0.1:6443".to_owned(),
            namespace: "default".to_owned(),
            readonly: false,
            auth: AuthKind::None,
            impersonates: None,
            config: Arc::default(),
            warnings: Arc::default(),
            clock: v9s::model::Clock::default(),
        };
        filled.tell(Message::Connected(ContextId(1), Ok(info)));
        filled
    }

    /// The same with all machines, their instances and disks.
    pub fn new(count: usize) -> Self {
        let mut filled = Self::empty(count);
        for kind in [FleetKind::Vm, FleetKind::Vmi, FleetKind::DataVolume] {
            filled.fill(kind);
        }
        filled.draw();
        filled
    }

    /// Lets all objects of a kind come.
    pub fn fill(&mut self, kind: FleetKind) {
        let fleet = self.fleet.clone();
        for (batch, _) in batches(&fleet, kind, self.feed(kind)) {
            self.tell(Message::Feed(batch));
        }
    }

    /// The feed that the program has asked for.
    pub fn feed(&self, kind: FleetKind) -> FeedId {
        let wanted = kind_of(kind);
        self.feeds.iter().rev().find(|(kind, _)| *kind == wanted).expect("a feed of this kind").1
    }

    /// Takes a message as the loop does.
    pub fn tell(&mut self, message: Message) -> Draw {
        let mut effects = Vec::new();
        let draw = self.app.update(message, self.now, &mut effects);
        self.feeds.extend(effects.iter().filter_map(|effect| match effect {
            Effect::StartFeed { plan, .. } => Some((plan.kind, plan.id)),
            _ => None,
        }));
        draw
    }

    /// Presses a key.
    pub fn press(&mut self, key: Key) -> Draw {
        self.tell(Message::Key(key))
    }

    /// Types a text.
    pub fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.press(Key::char(c));
        }
    }

    /// Lets machines change to what they are at a revision.
    pub fn change(&mut self, kind: FleetKind, machines: impl Iterator<Item = usize>, revision: u64) -> Draw {
        let records = of_machines(&self.fleet, kind, machines, revision);
        self.tell(Message::Feed(Batch::of(self.feed(kind), 0, records)))
    }

    /// Draws a frame and gives the bytes that it took.
    pub fn draw(&mut self) -> usize {
        let (app, now) = (&mut self.app, self.now);
        frame::prepare(app, now);
        self.terminal
            .draw(|screen| {
                let area = screen.area();
                if let Some(cursor) = frame::draw(app, now, area, screen.buffer_mut()) {
                    screen.set_cursor_position(cursor);
                }
            })
            .expect("a sink takes everything")
    }

    /// Draws a frame on a terminal of which nothing is known.
    pub fn draw_whole(&mut self) -> usize {
        self.terminal.redraw();
        self.draw()
    }
}
