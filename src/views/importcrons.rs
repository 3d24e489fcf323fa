//! `importcrons`: what keeps DataSources up to date.

use super::Column;
use super::belongs_directly;
use super::column::{Sets, age, name, namespace, reason, since, state, text, time, word};
use super::view::{Open, Related, Sort, View};
use super::within::named;
use crate::records::{ImportCron, ImportCronFlags, Kind};
use crate::store::{Id, SortKey, Store};

pub(super) static VIEW: View<ImportCron> = View {
    name: "importcrons",
    aliases: &["importcron", "cron", "dic", "dics", "dataimportcrons", "dataimportcron"],
    rows: &[Kind::ImportCron],
    partners: &[Kind::DataVolume, Kind::Event],
    shown: |_| true,
    state: |cron, now| cron.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        since().wide(),
        Column::<ImportCron>::text("SCHEDULE", 20, |cron, _| word(cron.schedule)),
        Column::<ImportCron>::text("DATASOURCE", 40, |cron, _| text(&cron.record().managed))
            .within(Sets::STORAGE),
        Column::<ImportCron>::age("LAST IMPORT", |cron, _| time(cron.last_import))
            .within(Sets::STORAGE.union(Sets::TRIAGE)),
        Column::<ImportCron>::age("LAST LOOK", |cron, _| time(cron.last_poll)).within(Sets::TRIAGE),
        Column::<ImportCron>::number("KEEPS", |cron, _| SortKey::Number(i64::from(cron.keep)))
            .wide()
            .within(Sets::STORAGE),
        Column::<ImportCron>::text("KEPT AS", 10, |cron, _| {
            SortKey::Text(if cron.flags.contains(ImportCronFlags::SNAPSHOTS) {
                "snapshots"
            } else {
                "claims"
            })
        })
        .wide()
        .within(Sets::STORAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::ImportCron],
        view: "datavolumes",
        belongs: belongs_directly,
        besides: &[],
        none: none_of_cron,
    },
    related: &[
        Related::below("datasource", &[Kind::DataSource]),
        Related::below("imports", &[Kind::DataVolume, Kind::VolumeSnapshot]),
        Related::events(),
    ],
};

/// That no disk of an import cron is there, and how it keeps what it imports.
fn none_of_cron(store: &Store, id: Id) -> String {
    let said = format!("No disk of {} is there.", named(store, id));
    let Some(cron) = store.get::<ImportCron>(id) else { return said };
    let kept = if cron.flags.contains(ImportCronFlags::SNAPSHOTS) { "snapshots" } else { "claims" };
    format!(
        "{said} It keeps its imports as {kept}, and the DataSource {} points to the last one.",
        cron.managed
    )
}
