//! Recorded watches: one JSON object a line with `t` (seconds), `resource` (plural), `type` and `object`.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::{Batch, Coverage, FeedId, Freshness, Namespaces, Selection, Store, Touched};
use crate::model::{Now, Time, Uid};
use crate::records::wire::{Str, WireMeta};
use crate::records::{Kind, Origin, Record, Records, decode, salvage};
use crate::{dispatch, dispatch_arms};

/// A line that is no recorded event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line} is no recorded event: {why}")]
pub struct BadLine {
    /// Which, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    t: f64,
    #[serde(borrow)]
    resource: Str<'a>,
    #[serde(borrow, rename = "type")]
    what: Str<'a>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    api_version: Str<'a>,
    #[serde(borrow)]
    metadata: WireMeta<'a>,
}

/// What came of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replayed {
    /// The moment of the last event that was taken in, in seconds since the recording began.
    pub at: f64,
    /// The wall time then, as far as the objects tell: nothing in them is younger.
    pub now: Option<Time>,
    /// How many events were taken in.
    pub events: usize,
    /// How many were of kinds that have no record.
    pub skipped: usize,
}

/// Fills a store with what a recording says up to the moment `until`. Every kind then counts as completely known: what
/// was not recorded was not there.
///
/// # Errors
///
/// A line that is no recorded event.
pub fn replay(
    store: &mut Store,
    lines: &[u8],
    until: f64,
    touched: &mut Touched,
) -> Result<Replayed, BadLine> {
    let mut player = Player::new(store, touched);
    for (number, line) in lines.split(|&byte| byte == b'\n').enumerate() {
        if !player.play(store, line, until, touched).map_err(|why| BadLine { line: number + 1, why })? {
            break;
        }
    }
    player.complete(store, touched);
    Ok(player.replayed)
}

/// Plays a recording into a store line by line.
#[derive(Debug)]
pub struct Player {
    feeds: Vec<(Kind, FeedId)>,
    replayed: Replayed,
}

impl Player {
    /// Asks the store for every kind that a server serves.
    pub fn new(store: &mut Store, touched: &mut Touched) -> Self {
        let all = Coverage { namespaces: Namespaces::All, selection: Selection::All };
        let served = Kind::ALL.iter().copied().filter(|kind| kind.origin() == Origin::Server);
        let feeds = served
            .flat_map(|kind| {
                store.cover(kind, all.clone(), touched).into_iter().map(move |plan| (kind, plan.id))
            })
            .collect();
        Self { feeds, replayed: Replayed { at: 0.0, now: None, events: 0, skipped: 0 } }
    }

    /// What has come of it so far.
    pub fn replayed(&self) -> Replayed {
        self.replayed
    }

    /// Says that every kind is completely known.
    pub fn complete(&self, store: &mut Store, touched: &mut Touched) {
        for &(kind, feed) in &self.feeds {
            let none = dispatch!(kind, R => Records::from(Vec::<R>::new()));
            store.apply(Batch::of(feed, 0, none).and(Freshness::Live), self.now(), touched);
        }
    }

    fn now(&self) -> Now {
        Now::at(self.replayed.now.map_or(0, Time::seconds))
    }

    /// Takes in the event on a line unless it is later than `until`; says whether to go on.
    ///
    /// # Errors
    ///
    /// What is wrong with a line that is no recorded event.
    pub fn play(
        &mut self,
        store: &mut Store,
        line: &[u8],
        until: f64,
        touched: &mut Touched,
    ) -> Result<bool, String> {
        if line.trim_ascii().is_empty() {
            return Ok(true);
        }
        let bad = |why: serde_json::Error| crate::text::one_line(&why.to_string(), 200);
        let line: Line<'_> = serde_json::from_slice(line).map_err(bad)?;
        if line.t > until {
            return Ok(false);
        }
        let object = line.object.get().as_bytes();
        let head: Head<'_> = serde_json::from_slice(object).map_err(bad)?;
        let group = head.api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let of =
            |kind: &&(Kind, FeedId)| kind.0.info().plural == &*line.resource && kind.0.info().group == group;
        let Some(&(kind, feed)) = self.feeds.iter().find(of) else {
            self.replayed.skipped += 1;
            return Ok(true);
        };
        let meta = head.metadata.fold();
        let batch = match &*line.what {
            "ADDED" | "MODIFIED" => arrival(kind, feed, object),
            "DELETED" => removal(kind, feed, meta.uid),
            // Bookmarks and errors of a watch are no objects.
            _ => return Ok(true),
        };
        store.apply(batch, self.now(), touched);
        self.replayed.at = line.t;
        self.replayed.events += 1;
        self.replayed.now = self.replayed.now.max(youngest(line.object.get()));
        Ok(true)
    }
}

/// Fields that say when something was, never when something will be.
const PAST: [&str; 8] = [
    "\"creationTimestamp\":\"",
    "\"lastTransitionTime\":\"",
    "\"lastHeartbeatTime\":\"",
    "\"lastTimestamp\":\"",
    "\"phaseTransitionTimestamp\":\"",
    "\"startTimestamp\":\"",
    "\"endTimestamp\":\"",
    "\"startedAt\":\"",
];

/// The youngest moment that the object tells of: it cannot have been sent before.
fn youngest(object: &str) -> Option<Time> {
    // Recorders differ in whether they put a blank behind the colon.
    let compact = object.replace("\": \"", "\":\"");
    let moments = PAST.iter().flat_map(|field| compact.match_indices(field).map(|(at, _)| at + field.len()));
    moments.filter_map(|at| compact[at..].split('"').next().and_then(Time::parse)).max()
}

fn removal(kind: Kind, feed: FeedId, uid: Uid) -> Batch {
    let none = dispatch!(kind, R => Records::from(Vec::<R>::new()));
    Batch { gone: vec![uid], ..Batch::of(feed, 0, none) }
}

fn arrival(kind: Kind, feed: FeedId, object: &[u8]) -> Batch {
    fn records<R: Record>(object: &[u8]) -> Records
    where
        Records: From<Vec<R>>,
    {
        let decoded = decode::<R>(object).or_else(|why| salvage::<R>(object, &why).ok_or(why));
        decoded.into_iter().map(|decoded| decoded.record).collect::<Vec<R>>().into()
    }
    Batch::of(feed, 0, dispatch!(kind, R => records::<R>(object)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"t":0.0,"resource":"namespaces","type":"ADDED","object":{"apiVersion":"v1","metadata":{"name":"a","uid":"1","creationTimestamp":"2026-11-21T10:00:00Z"}}}
{"t":1.5,"resource":"pods","type":"ADDED","object":{"apiVersion":"v1","metadata":{"name":"p","namespace":"a","uid":"2","creationTimestamp":"2026-11-21T10:00:02Z"}}}

{"t":1.9,"resource":"pods","type":"BOOKMARK","object":{"apiVersion":"v1","metadata":{"resourceVersion":"9","name":"mark","uid":"3"}}}
{"t":2.0,"resource":"dances","type":"ADDED","object":{"apiVersion":"v1","metadata":{"name":"x"}}}
{"t":3.0,"resource":"pods","type":"DELETED","object":{"apiVersion":"v1","metadata":{"name":"p","namespace":"a","uid":"2"}}}
"#;

    #[test]
    fn a_recording_is_a_store_at_a_moment() {
        for (until, pods, events) in [(0.5, 0, 1), (2.5, 1, 2), (f64::INFINITY, 0, 3)] {
            let mut store = Store::new(&[]);
            let replayed = replay(&mut store, LINES.as_bytes(), until, &mut Touched::default()).unwrap();
            assert_eq!(
                (store.len(Kind::Pod), store.len(Kind::Namespace), replayed.events),
                (pods, 1, events)
            );
            assert_eq!(store.freshness(Kind::Vm), crate::store::Summary::Live);
        }
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = format!("{LINES}{{\"t\":4}}\n");
        let error =
            replay(&mut Store::new(&[]), broken.as_bytes(), 9.0, &mut Touched::default()).unwrap_err();
        assert_eq!(error.line, 7);
    }
}
