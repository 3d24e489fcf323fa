//! `snapshots`: VolumeSnapshots and snapshots of whole machines.

use super::Column;
use super::column::{Sets, age, count, name, namespace, reason, since, size, state, text, time, word};
use super::datasources::find_copies;
use super::view::{Open, Related, Road, Sort, View};
use crate::model::Time;
use crate::records::{Kind, Meta, Record as _, VmSnapshot, VmSnapshotFlags, VolumeSnapshot};
use crate::store::{At, Id, Row, SortKey, Store};

/// A row of this view.
pub(super) struct Snapshot;

impl Row for Snapshot {
    type Record = Meta;

    fn find(store: &Store, id: Id) -> Option<&Meta> {
        store.meta(id)
    }
}

/// What a row is.
enum Either<'a> {
    Machine(At<'a, VmSnapshot>),
    Volume(At<'a, VolumeSnapshot>),
}

impl<'a> At<'a, Snapshot> {
    fn either(self) -> Option<Either<'a>> {
        let machine = At::new(self.store(), self.id()).map(Either::Machine);
        machine.or_else(|| At::new(self.store(), self.id()).map(Either::Volume))
    }

    fn machine(self) -> Option<At<'a, VmSnapshot>> {
        At::new(self.store(), self.id())
    }

    fn volume(self) -> Option<At<'a, VolumeSnapshot>> {
        At::new(self.store(), self.id())
    }
}

pub(super) static VIEW: View<Snapshot> = View {
    name: "snapshots",
    aliases: &["snapshot", "snap", "vs", "volumesnapshots", "vmsnapshots", "vmsnapshot"],
    rows: &[Kind::VmSnapshot, Kind::VolumeSnapshot],
    partners: &[],
    shown: |_| true,
    state: |row, now| row.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Snapshot>::text("OF", 8, |row, _| {
            SortKey::Text(if row.machine().is_some() { "machine" } else { "volume" })
        })
        .within(Sets::all()),
        state(),
        reason().written(|row, _, out| {
            let error = match row.either() {
                Some(Either::Machine(one)) => one.record().error.as_ref(),
                Some(Either::Volume(one)) => one.record().error.as_ref(),
                None => None,
            };
            error.into_iter().for_each(|error| out.push_str(error));
        }),
        Column::<Snapshot>::text("TAKEN OF", 50, |row, _| match row.either() {
            Some(Either::Machine(one)) => text(&one.record().source),
            Some(Either::Volume(one)) => text(&one.record().source),
            None => SortKey::Nothing,
        })
        .within(Sets::all()),
        since().wide(),
        Column::<Snapshot>::bytes("SIZE", |row, _| {
            row.volume().map_or(SortKey::Nothing, |one| size(one.size))
        })
        .or("n/a")
        .within(Sets::STORAGE.union(Sets::CAPACITY)),
        Column::<Snapshot>::number("VOLUMES", |row, _| {
            row.machine().map_or(SortKey::Number(1), |one| count(one.included))
        })
        .within(Sets::STORAGE),
        Column::<Snapshot>::number("LEFT OUT", |row, _| {
            row.machine().map_or(SortKey::Nothing, |one| SortKey::Number(i64::from(one.excluded)))
        })
        .or("n/a")
        .wide()
        .within(Sets::STORAGE.union(Sets::TRIAGE)),
        Column::<Snapshot>::text("GUEST WAS", 20, |row, _| {
            row.machine().map_or(SortKey::Nothing, |one| text(guest_was(one.flags)))
        })
        .or("n/a")
        .within(Sets::STORAGE),
        Column::<Snapshot>::text("CLASS", 30, |row, _| {
            row.volume().map_or(SortKey::Nothing, |one| word(one.class))
        })
        .wide()
        .within(Sets::STORAGE),
        Column::<Snapshot>::age("TAKEN", |row, _| time(taken(row))).within(Sets::STORAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(
            Road::Owner,
            "taken of or for",
            &[Kind::VmSnapshot, Kind::Vm, Kind::Vmi, Kind::Claim, Kind::ImportCron],
        ),
        Related {
            road: Road::UsedBy,
            title: "restores",
            kinds: &[Kind::VmRestore],
            find: |at, out| out.extend(at.store().below(at.id())),
        },
        Related::above(Road::UsedBy, "sources of copies", &[Kind::DataSource, Kind::Image]),
        Related {
            road: Road::UsedBy,
            title: "disks copied from it",
            kinds: &[Kind::DataVolume],
            find: |row, out| {
                row.volume().into_iter().for_each(|one| find_copies(row.store(), one.record().key(), out));
            },
        },
        Related::events(),
    ],
};

fn taken(row: At<'_, Snapshot>) -> Option<Time> {
    match row.either()? {
        Either::Machine(one) => one.taken,
        Either::Volume(one) => one.taken,
    }
}

/// In which circumstances it was taken, the gravest first: what that means for the data.
fn guest_was(flags: VmSnapshotFlags) -> &'static str {
    let known = [
        (VmSnapshotFlags::QUIESCE_TIMEOUT, "not frozen in time"),
        (VmSnapshotFlags::GUEST_AGENT, "frozen"),
        (VmSnapshotFlags::PAUSED, "paused"),
        (VmSnapshotFlags::NO_GUEST_AGENT, "running"),
        (VmSnapshotFlags::ONLINE, "running"),
    ];
    let hit = known.iter().find(|(flag, _)| flags.contains(*flag));
    hit.map_or_else(|| if flags.contains(VmSnapshotFlags::READY) { "off" } else { "" }, |(_, word)| word)
}
