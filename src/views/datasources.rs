//! `datasources`: names for the disks that new machines are copied from.

use super::Column;
use super::column::{Sets, age, name, namespace, reason, since, state, text, word};
use super::view::{Open, Related, Road, Sort, View, all_that_belong};
use super::within::named;
use crate::model::Key;
use crate::records::{DataSource, DataSourceKind, DataVolume, ImportCron, Kind, Record as _, name_key};
use crate::store::{Id, SortKey, Store};

pub(super) static VIEW: View<DataSource> = View {
    name: "datasources",
    aliases: &["datasource", "das"],
    rows: &[Kind::DataSource],
    partners: &[Kind::ImportCron],
    shown: |_| true,
    state: |source, now| source.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        since(),
        Column::<DataSource>::text("POINTS TO", 12, |source, _| text(kind(source.source_kind)))
            .within(Sets::STORAGE),
        Column::<DataSource>::text("SOURCE", 50, |source, _| text(&source.record().source))
            .within(Sets::STORAGE),
        Column::<DataSource>::text("SOURCE NAMESPACE", 40, |source, _| word(source.source_namespace)).wide(),
        Column::<DataSource>::text("KEPT BY", 40, |source, _| {
            let cron = source.wholes::<ImportCron>().next();
            cron.map_or(SortKey::Nothing, |cron| SortKey::Text(&cron.record().meta.name))
        }),
        Column::<DataSource>::text("TYPE", 24, |source, _| word(source.instancetype)).wide(),
        Column::<DataSource>::text("PREFERENCE", 24, |source, _| word(source.preference)).wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Rows {
        of: &[Kind::DataSource],
        view: "datavolumes",
        belongs: is_copied_from,
        besides: &[],
        none: none_of_source,
    },
    related: &[
        Related::above(Road::Owner, "import crons", &[Kind::ImportCron]),
        Related {
            road: Road::UsedBy,
            title: "disks copied from it",
            kinds: &[Kind::DataVolume],
            find: |source, out| all_that_belong(source, Kind::DataVolume, is_copied_from, out),
        },
        Related::above(Road::UsedBy, "others that point to it", &[Kind::DataSource, Kind::Image]),
        Related::below("source", &[Kind::Claim, Kind::VolumeSnapshot, Kind::DataSource]),
        Related::events(),
    ],
};

/// The disks that are made from the object of this key.
pub(super) fn find_copies(store: &Store, key: Key, out: &mut Vec<Id>) {
    let is_copy = |id: &Id| store.get::<DataVolume>(*id).is_some_and(|disk| disk.from == Some(key));
    out.extend(store.ids(Kind::DataVolume).into_iter().filter(is_copy));
}

/// Whether a disk is made from a DataSource, or from what that points to: of the disks of machines KubeVirt names just this.
fn is_copied_from(store: &Store, source: Id, disk: Id) -> bool {
    let (Some(source), Some(disk)) = (store.get::<DataSource>(source), store.get::<DataVolume>(disk)) else {
        return false;
    };
    let kind = match source.source_kind {
        DataSourceKind::None => None,
        DataSourceKind::Claim => Some(Kind::Claim),
        DataSourceKind::Snapshot => Some(Kind::VolumeSnapshot),
        DataSourceKind::DataSource => Some(Kind::DataSource),
    };
    let target = kind.map(|kind| name_key(kind, source.source_namespace, &source.source));
    disk.from.is_some() && (disk.from == Some(source.key()) || disk.from == target)
}

/// That nothing was copied from a DataSource, and what it points to.
fn none_of_source(store: &Store, id: Id) -> String {
    let said = format!("No disk was copied from {}.", named(store, id));
    let Some(source) = store.get::<DataSource>(id).filter(|one| one.source_kind != DataSourceKind::None)
    else {
        return format!("{said} It points to nothing.");
    };
    let (kind, namespace, name) = (kind(source.source_kind), source.source_namespace, &source.source);
    format!("{said} It points to the {kind} {name} in the namespace {namespace}; esc, then d describes it.")
}

fn kind(kind: DataSourceKind) -> &'static str {
    match kind {
        DataSourceKind::None => "",
        DataSourceKind::Claim => "claim",
        DataSourceKind::Snapshot => "snapshot",
        DataSourceKind::DataSource => "datasource",
    }
}
