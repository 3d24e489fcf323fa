//! `events`: what controllers said, the newest first.

use std::fmt::Write as _;

use super::Column;
use super::column::{Sets, name, namespace, text, time, word};
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
        Column::<Event>::age("LAST SEEN", |event, _| time(event.last_seen)).within(Sets::all()),
        Column::<Event>::text("TYPE", 8, |event, _| {
            SortKey::Text(if event.warning { "Warning" } else { "Normal" })
        })
        .within(Sets::all()),
        Column::<Event>::text("REASON", 32, |event, _| text(&event.record().reason)).within(Sets::all()),
        Column::<Event>::text("OBJECT", 40, |event, _| text(&event.record().object_name))
            .written(|event, _, out| {
                let kind = event.object_kind.to_lowercase();
                let _ = write!(out, "{kind}/{}", event.object_name);
            })
            .within(Sets::all()),
        Column::<Event>::text("MESSAGE", 200, |event, _| text(&event.record().message)).within(Sets::all()),
        Column::<Event>::number("COUNT", |event, _| SortKey::Number(i64::from(event.count)))
            .within(Sets::TRIAGE),
        Column::<Event>::text("FROM", 30, |event, _| word(event.source)).wide(),
        Column::<Event>::age("FIRST SEEN", |event, _| time(event.first_seen)).wide().within(Sets::TRIAGE),
        Column { sets: Sets::empty(), ..name() }.wide(),
    ],
    sort: Sort::By("LAST SEEN", Dir::Down),
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
