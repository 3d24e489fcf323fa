//! A recording, moment by moment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use v9s::explain;
use v9s::model::{Now, Time};
use v9s::records::Kind;
use v9s::store::recording::Player;
use v9s::store::{Health, State, Store, Touched};

/// The folder of recordings, if there is one.
fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("V9S_TEST_DATA").map(|folder| Path::new(&folder).join("recordings"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: V9S_TEST_DATA names no folder with recordings/*.ndjson");
    }
    folder
}

/// All recordings, or nothing where there are none: each is walked through once for all tests.
pub(super) fn walks() -> &'static BTreeMap<String, Walk> {
    static WALKS: LazyLock<BTreeMap<String, Walk>> = LazyLock::new(|| {
        let Some(folder) = recordings() else { return BTreeMap::new() };
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let recorded = files.filter(|path| path.extension().is_some_and(|end| end == "ndjson"));
        let named = recorded.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path));
        let walks: BTreeMap<String, Walk> = named.map(|(name, path)| (name, Walk::through(&path))).collect();
        assert!(walks.len() >= 30, "{:?}", walks.keys());
        walks
    });
    &WALKS
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) sentence: String,
}

impl fmt::Display for Shown {
    /// `✗ Import failed 12%: HTTP 404 (42:08)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.state.health {
            Health::Well => '●',
            Health::Busy => '◐',
            Health::Idle => '○',
            Health::Warning => '▲',
            Health::Failed => '✗',
            Health::Leaving => '◌',
        };
        write!(f, "{sign} {}", self.state.word)?;
        if let Some(progress) = self.state.progress {
            write!(f, " {}%", progress / 10)?;
        }
        if self.state.provisional {
            f.write_str("…")?;
        }
        // How long it still waits changes without an event.
        let reason = self.reason.split(", again in ").next().unwrap();
        if !reason.is_empty() {
            write!(f, ": {reason}")?;
        }
        let clock = |since: Time| format!("{:02}:{:02}", since.seconds() / 60 % 60, since.seconds() % 60);
        write!(f, " ({})", self.state.since.map_or("-".into(), clock))
    }
}

/// All rows at all moments of a recording.
pub(super) struct Walk(Vec<(String, BTreeMap<String, Shown>)>);

impl Walk {
    fn through(path: &Path) -> Self {
        let recorded = std::fs::read(path).unwrap();
        let (mut store, mut touched) = (Store::new(explain::STATES), Touched::default());
        let mut player = Player::new(&mut store, &mut touched);
        player.complete(&mut store, &mut touched);
        let mut moments: Vec<(String, BTreeMap<String, Shown>)> = Vec::new();
        for line in recorded.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            assert!(player.play(&mut store, line, f64::INFINITY, &mut touched).unwrap());
            let now = Now::at(player.replayed().now.map_or(0, Time::seconds));
            let moment = format!("{:.2}", player.replayed().at);
            // What came together is looked at together.
            moments.pop_if(|(last, _)| *last == moment);
            moments.push((moment, rows(&store, now)));
        }
        Self(moments)
    }

    /// Each row at each moment.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &str, &Shown)> {
        self.0.iter().flat_map(|(moment, rows)| {
            rows.iter().map(move |(row, shown)| (moment.as_str(), row.as_str(), shown))
        })
    }

    /// What each row says, wherever that changes, with the moment.
    pub(super) fn changes(&self) -> BTreeMap<String, Vec<String>> {
        let mut changes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut last: BTreeMap<&str, String> = BTreeMap::new();
        for (moment, rows) in &self.0 {
            for (row, shown) in rows {
                let said = shown.to_string();
                if last.get(row.as_str()) != Some(&said) {
                    changes.entry(row.clone()).or_default().push(format!("{moment} {said}"));
                    last.insert(row, said);
                }
            }
            let gone: Vec<&str> = last.keys().copied().filter(|row| !rows.contains_key(*row)).collect();
            for row in gone {
                last.remove(row);
                changes.entry(row.to_owned()).or_default().push(format!("{moment} gone"));
            }
        }
        changes
    }
}

fn rows(store: &Store, now: Now) -> BTreeMap<String, Shown> {
    let of_kind = |&(kind, _): &(Kind, _)| store.ids(kind).into_iter().map(move |id| (kind, id));
    let rows = explain::STATES.iter().flat_map(of_kind).map(|(kind, id)| {
        let (mut reason, mut sentence) = (String::new(), String::new());
        explain::reason(store, id, now, &mut reason);
        explain::sentence(store, id, now, &mut sentence);
        let row = format!("{}/{}", kind.info().plural, store.meta(id).unwrap().name);
        (row, Shown { state: store.state(id, now), reason, sentence })
    });
    rows.collect()
}
