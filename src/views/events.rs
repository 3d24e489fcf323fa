//! `events`: what controllers said, the newest first.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::Column;
use super::column::{Holds, Sets, name, namespace, text, time, word};
use super::view::{Open, Related, Road, Sort, View};
use crate::model::Word;
use crate::records::{Event, Kind};
use crate::store::{Dir, Health, SortKey, State};

pub(super) static VIEW: View<Event> = View {
    name: "events",
    aliases: &["event", "ev"],
    rows: &[Kind::Event],
    partners: &[],
    shown: |_| true,
    state: |event, _| State {
        word: Word::new(if event.warning { "Warning" } else { "Normal" }),
        reason: Word::new(&event.reason),
        since: event.last_seen,
        health: if event.warning { Health::Warning } else { Health::Well },
        ..State::default()
    },
    columns: &[
        namespace(),
        Column::<Event>::age("SEEN", |event, _| time(event.last_seen)).within(Sets::all()),
        // With the sign of a warning in front of it.
        Column {
            holds: Holds::State,
            ..Column::<Event>::text("REASON", 24, |event, _| text(&event.record().reason))
                .giving_way(16)
                .within(Sets::all())
        },
        Column::<Event>::text("OBJECT", 40, |event, _| text(&event.record().object_name))
            .written(|event, _, out| {
                let _ = write!(out, "{}/{}", short(&event.object_kind), event.object_name);
            })
            .giving_way(16)
            .within(Sets::all()),
        Column::<Event>::text("KIND", 30, |event, _| text(&event.record().object_kind)).wide(),
        Column::<Event>::text("MESSAGE", 200, |event, _| text(&event.record().message))
            .or("-")
            .within(Sets::all()),
        Column::<Event>::number("COUNT", |event, _| SortKey::Number(i64::from(event.count)))
            .within(Sets::TRIAGE),
        Column::<Event>::text("TYPE", 8, |event, _| {
            SortKey::Text(if event.warning { "Warning" } else { "Normal" })
        })
        .wide()
        .within(Sets::TRIAGE),
        Column::<Event>::text("FROM", 30, |event, _| word(event.source)).wide(),
        Column::<Event>::age("FIRST SEEN", |event, _| time(event.first_seen)).wide().within(Sets::TRIAGE),
        Column { sets: Sets::empty(), ..name() }.wide(),
    ],
    sort: Sort::By("SEEN", Dir::Down),
    open: Open::Detail,
    related: &[Related::above(Road::Owner, "about", ABOUT)],
};

/// The kinds that events can lead to: all that are fed.
const ABOUT: &[Kind] = &[
    Kind::Vm,
    Kind::Vmi,
    Kind::Pod,
    Kind::DataVolume,
    Kind::Claim,
    Kind::Migration,
    Kind::Pool,
    Kind::Node,
    Kind::VmSnapshot,
    Kind::VmRestore,
    Kind::VolumeSnapshot,
    Kind::DataSource,
    Kind::ImportCron,
    Kind::VirtinkVm,
    Kind::OsArtifact,
    Kind::StorageClass,
];

/// A kind as people write it: `pvc`, `vmi`; short names of a few letters save nothing.
fn short(kind: &str) -> Cow<'_, str> {
    let known = Kind::ALL.iter().map(|known| known.info()).find(|info| info.name == kind);
    match known.and_then(|info| info.short.first()) {
        Some(short) if kind.len() > 8 => Cow::Borrowed(*short),
        _ => Cow::Owned(kind.to_lowercase()),
    }
}
