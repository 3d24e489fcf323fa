//! Watches: changes as they happen, one line each.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::Server;
use super::body::Stored;
use super::http::{Answer, Call};
use super::read::{ListMeta, metadata_only, too_large, version};
use super::refusal::Refusal;
use super::route::Format;
use super::selector::Selection;
use super::storage::{Change, Happened};
use super::table::Columns;

/// How many bytes of events are sent at a time.
const PIECE: usize = 64 << 10;

/// How often a watch without changes is told its position, if it wants to know.
const BOOKMARK: Duration = Duration::from_secs(60);

/// How long a watch lasts that does not say so.
const LONGEST: Duration = Duration::from_secs(45 * 60);

/// How long a watch may last that says so.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// One watch: a position in the changes. Nothing waits for it, and nothing is kept for it.
struct Watch {
    server: Server,
    call: Call,
    selection: Selection,
    columns: Columns,
    newest: tokio::sync::watch::Receiver<u64>,
    position: u64,
    /// What was there when it began, not yet selected from; sent before any change.
    initial: VecDeque<Stored>,
    /// Whether the end of these is to be told.
    mark_initial: bool,
    bookmarks: bool,
    bookmark_at: Instant,
    ends_at: Instant,
    described: bool,
    over: bool,
}

/// A watch of a collection.
pub(crate) fn answer(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let selection = Selection::parse(&call.query, &call.target)?;
    let asked = version(call).map_err(Refusal::internal)?.filter(|version| *version > 0);
    let bookmarks = call.query.flag("allowWatchBookmarks");
    let initial = initial_events(call)?;
    let longest = call.query.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
    let longest = longest.map_or(LONGEST, |seconds| Duration::from_secs(seconds).min(LONGEST_ASKED));
    let newest = server.storage().subscribe();
    let (position, objects) = server.storage().with(|state| {
        let newest = state.newest();
        if let Some(asked) = asked.filter(|asked| *asked > newest) {
            return Err(too_large(asked, newest));
        }
        let wanted = initial.unwrap_or(asked.is_none());
        if !wanted {
            return Ok((asked.unwrap_or(newest), VecDeque::new()));
        }
        let all = state.list(call.target.kind, call.target.namespace.as_deref(), None, None);
        let all = all.map_err(|_| Refusal::no_such_path())?;
        Ok((newest, all.collect()))
    })?;
    let now = Instant::now();
    let watch = Watch {
        server: server.clone(),
        call: call.clone(),
        columns: Columns::of(call),
        selection,
        newest,
        position,
        initial: objects,
        mark_initial: initial == Some(true) && bookmarks,
        bookmarks,
        bookmark_at: now + BOOKMARK,
        ends_at: now + longest,
        described: false,
        over: false,
    };
    Ok(Answer::pieces(stream::unfold(watch, Watch::next)))
}

/// `sendInitialEvents`: whether it is said, and what.
fn initial_events(call: &Call) -> Result<Option<bool>, Refusal> {
    let rule = call.query.get("resourceVersionMatch");
    let forbidden = |why: &str| Refusal::invalid_option("FieldValueForbidden", "resourceVersionMatch", why);
    match (call.query.get("sendInitialEvents"), rule) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(forbidden(
            "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        )),
        (Some(text), Some("NotOlderThan")) => Ok(Some(matches!(text, "true" | "1"))),
        (Some(_), _) => Err(forbidden(
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        )),
    }
}

impl Watch {
    /// The next piece, as soon as there is something to tell.
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        // Also one that always has something to tell ends in time.
        if self.over || self.initial.is_empty() && Instant::now() >= self.ends_at {
            return None;
        }
        let mut out = BytesMut::new();
        loop {
            self.fill(&mut out);
            if !out.is_empty() {
                return Some((Ok(out.freeze()), self));
            }
            let (bookmark_at, ends_at) = (self.bookmark_at, self.ends_at);
            tokio::select! {
                changed = self.newest.changed() => if changed.is_err() { return None },
                () = sleep_until(bookmark_at), if self.bookmarks => {
                    self.bookmark_at = Instant::now() + BOOKMARK;
                    self.bookmark(false, &mut out);
                    return Some((Ok(out.freeze()), self));
                }
                () = sleep_until(ends_at) => return None,
            }
        }
    }

    /// Appends what there is to tell, up to a piece.
    fn fill(&mut self, out: &mut BytesMut) {
        while let Some(object) = self.initial.pop_front() {
            if self.selection.has(&object) {
                self.event("ADDED", &object, out);
            }
            if out.len() >= PIECE {
                return;
            }
        }
        if std::mem::take(&mut self.mark_initial) {
            self.bookmark(true, out);
        }
        // Marked as seen before the changes are read, so that a change between the two wakes this watch once more.
        self.newest.borrow_and_update();
        while out.is_empty() && !self.over && self.advance(out) {}
    }

    /// Goes on by one piece of changes. Returns whether there are more.
    fn advance(&mut self, out: &mut BytesMut) -> bool {
        let (kind, namespace) = (self.call.target.kind, self.call.target.namespace.clone());
        let storage = self.server.storage();
        let found: Result<(Vec<Change>, u64, u64), _> = storage.with(|state| {
            let newest = state.newest();
            let mut position = newest;
            let mut size = 0;
            let mut changes = Vec::new();
            for change in state.changes(self.position)? {
                let object = &change.object;
                if object.kind == kind && namespace.as_deref().is_none_or(|only| object.key.namespace == only)
                {
                    size += object.body.held();
                    changes.push(change.clone());
                    if size >= PIECE {
                        position = object.resource_version;
                        break;
                    }
                }
            }
            Ok((changes, position, newest))
        });
        match found {
            Ok((changes, position, newest)) => {
                self.position = position;
                for change in changes {
                    self.tell(&change, out);
                }
                position < newest
            }
            Err(super::storage::Forgotten { asked, oldest }) => {
                let refusal = Refusal::expired(format!("too old resource version: {asked} ({oldest})"));
                line("ERROR", refusal.status().to_string().as_bytes(), out);
                self.over = true;
                false
            }
        }
    }

    /// One change, as it looks through the selection: an object may come into it and leave it.
    fn tell(&mut self, change: &Change, out: &mut BytesMut) {
        let now = self.selection.has(&change.object);
        let before = change.before.as_ref().is_some_and(|before| self.selection.has(before));
        match (change.happened, before, now) {
            (Happened::Deleted, true, _) | (Happened::Modified, true, false) => {
                self.event("DELETED", &change.object, out);
            }
            (Happened::Added, _, true) | (Happened::Modified, false, true) => {
                self.event("ADDED", &change.object, out);
            }
            (Happened::Modified, true, true) => self.event("MODIFIED", &change.object, out),
            _ => {}
        }
    }

    fn event(&mut self, kind: &str, object: &Stored, out: &mut BytesMut) {
        let mut text = BytesMut::new();
        let version = self.call.target.version;
        match self.call.format {
            Format::Table => {
                let meta =
                    ListMeta { resource_version: object.resource_version, token: None, remaining: None };
                self.columns.head(&meta, !std::mem::replace(&mut self.described, true), &mut text);
                self.columns.row(object, &mut text);
                text.extend_from_slice(b"]}");
            }
            Format::Metadata => text.extend_from_slice(metadata_only(object, version).to_string().as_bytes()),
            _ => object.write_whole(version, &mut text),
        }
        line(kind, &text, out);
    }

    /// The position, as an object that is nothing else.
    fn bookmark(&mut self, initial_end: bool, out: &mut BytesMut) {
        let mut meta = json!({"resourceVersion": self.position.to_string()});
        if initial_end {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let kind = self.call.target.kind;
        let object: Value = match self.call.format {
            Format::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": self.position.to_string()},
                "columnDefinitions": null,
                "rows": [{"cells": self.columns.cells_of_bookmark(), "object": {
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
                }}],
            }),
            Format::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
            }),
            _ => json!({
                "kind": kind.row().kind, "apiVersion": kind.api_version(self.call.target.version), "metadata": meta,
            }),
        };
        line("BOOKMARK", object.to_string().as_bytes(), out);
    }
}

fn line(kind: &str, object: &[u8], out: &mut BytesMut) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
}
