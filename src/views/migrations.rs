//! `migrations`: moves of running guests to other nodes.

use std::fmt::Write as _;

use super::Column;
use super::column::{Sets, age, name, namespace, partner, reason, since, state, time, word, write_word};
use super::places::find_node;
use super::view::{Open, Related, Road, Sort, View};
use crate::model::{Age, Now};
use crate::records::{Kind, Migration, MigrationOrigin};
use crate::store::SortKey;

pub(super) static VIEW: View<Migration> = View {
    name: "migrations",
    aliases: &["migration", "mig", "vmim", "vmims", "virtualmachineinstancemigrations"],
    rows: &[Kind::Migration],
    partners: &[Kind::Vmi, Kind::Pod],
    shown: |_| true,
    state: |migration, now| migration.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Migration>::text("VM", 40, |migration, _| SortKey::Text(&migration.record().vmi))
            .within(Sets::all()),
        state(),
        reason().written(|migration, _, out| {
            if let Some(failure) = &migration.failure {
                out.push_str(failure);
            }
        }),
        since(),
        Column::<Migration>::text("FROM", 40, |migration, _| {
            migration.from().here().map_or(SortKey::Nothing, word)
        })
        .written(|migration, _, out| partner(migration.from(), out, write_word))
        .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Migration>::text("TO", 40, |migration, _| {
            migration.to().here().map_or(SortKey::Nothing, word)
        })
        .written(|migration, _, out| partner(migration.to(), out, write_word))
        .within(Sets::NETWORK.union(Sets::TRIAGE)),
        Column::<Migration>::text("TOOK", 10, |migration, now| took(&migration, now))
            .written(|migration, now, out| {
                if let SortKey::Number(seconds) = took(&migration, now) {
                    let _ = write!(out, "{}", Age(seconds));
                }
            })
            .or("n/a"),
        Column::<Migration>::text("BY", 8, |migration, _| SortKey::Text(origin(migration.origin))),
        Column::<Migration>::text("MODE", 8, |migration, _| match migration.mode.as_str() {
            "" => SortKey::Nothing,
            mode => SortKey::Text(mode),
        })
        .wide(),
        Column::<Migration>::age("STARTED", |migration, _| time(migration.started)).wide(),
        age(),
    ],
    sort: Sort::By("AGE", crate::store::Dir::Down),
    open: Open::Detail,
    related: &[
        Related::above(Road::Owner, "instance", &[Kind::Vmi]),
        Related::above(Road::Parts, "machine", &[Kind::Vm]),
        Related {
            road: Road::Node,
            title: "from",
            kinds: &[Kind::Node, Kind::Vmi],
            find: |migration, out| find_node(migration.store(), migration.from(), out),
        },
        Related {
            road: Road::Node,
            title: "to",
            kinds: &[Kind::Node, Kind::Pod],
            find: |migration, out| find_node(migration.store(), migration.to(), out),
        },
        Related::below("target pods", &[Kind::Pod]),
        Related::events(),
    ],
};

/// How long it took, or has taken so far, in seconds.
fn took(migration: &Migration, now: Now) -> SortKey<'static> {
    let started = migration.started.or(migration.meta.created).map(crate::model::Time::seconds);
    let ended = migration.ended.map_or(now.wall, crate::model::Time::seconds);
    started.map_or(SortKey::Nothing, |started| SortKey::Number((ended - started).max(0)))
}

fn origin(origin: MigrationOrigin) -> &'static str {
    match origin {
        MigrationOrigin::Asked => "user",
        MigrationOrigin::Drain => "drain",
        MigrationOrigin::Update => "update",
        MigrationOrigin::Volumes => "volumes",
    }
}
