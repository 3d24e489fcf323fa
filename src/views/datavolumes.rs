//! `datavolumes`: disks of CDI and how far they are.

use std::fmt::Write as _;

use super::Column;
use super::column::{Sets, age, name, namespace, reason, since, size, state, text, word};
use super::datasources::find_copies;
use super::places::{NODES_OF_DISKS, nodes_of_disk as find_nodes};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Claim, DataVolume, Kind, Vm, Vmi};
use crate::store::{At, Id, Row, SortKey};

pub(super) static VIEW: View<DataVolume> = View {
    name: "datavolumes",
    aliases: &["datavolume", "dv", "dvs"],
    rows: &[Kind::DataVolume],
    partners: &[Kind::Claim, Kind::Pod, Kind::Vm, Kind::Event],
    shown: |_| true,
    state: |disk, now| disk.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason().within(Sets::STORAGE),
        since(),
        Column::<DataVolume>::number("DONE", |disk, _| done(&disk))
            .written(|disk, _, out| {
                if let SortKey::Number(percent) = done(&disk) {
                    let _ = write!(out, "{percent}%");
                }
            })
            .or("n/a")
            .within(Sets::STORAGE.union(Sets::TRIAGE)),
        Column::<DataVolume>::text("SOURCE", 12, |disk, _| text(disk.source.as_str())).within(Sets::STORAGE),
        Column::<DataVolume>::text("IMAGE", 60, |disk, _| word(disk.image))
            .or("-")
            .wide()
            .giving_way(20)
            .within(Sets::STORAGE),
        Column::<DataVolume>::bytes("SIZE", |disk, _| size(bytes(disk)))
            .within(Sets::STORAGE.union(Sets::CAPACITY)),
        Column::<DataVolume>::text("CLASS", 30, |disk, _| class(disk)).within(Sets::STORAGE),
        Column::<DataVolume>::number("RESTARTS", |disk, _| SortKey::Number(i64::from(disk.restarts)))
            .within(Sets::TRIAGE),
        Column::<DataVolume>::text("USED BY", 40, |disk, _| used_by(disk)).within(Sets::STORAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::owners(&[Kind::Vm]),
        Related::above(Road::Owner, "import crons", &[Kind::ImportCron]),
        Related {
            road: Road::UsedBy,
            title: "machines",
            kinds: MACHINES,
            find: |at, out| find_machines(at, out),
        },
        Related {
            road: Road::UsedBy,
            title: "sources of copies",
            kinds: &[Kind::DataSource, Kind::Image, Kind::Claim],
            find: |disk, out| {
                let claim = disk.claim().here().map(At::id);
                out.extend(claim.into_iter().chain([disk.id()]).flat_map(|id| disk.store().above(id)));
                out.retain(|id| id.kind() != Kind::Claim);
            },
        },
        Related {
            road: Road::UsedBy,
            title: "disks copied from it",
            kinds: &[Kind::DataVolume],
            find: |disk, out| disk.claim.into_iter().for_each(|key| find_copies(disk.store(), key, out)),
        },
        Related {
            road: Road::Node,
            title: "nodes",
            kinds: NODES_OF_DISKS,
            find: |at, out| find_nodes(at, out),
        },
        Related::below("claims", &[Kind::Claim]),
        Related::below("worker pods", &[Kind::Pod]),
        Related {
            road: Road::Parts,
            title: "sources",
            kinds: &[Kind::Claim, Kind::VolumeSnapshot, Kind::DataSource],
            find: |disk, out| out.extend(disk.from.and_then(|key| disk.store().find_key(key))),
        },
        Related::events(),
    ],
};

/// Those that can have a disk or a claim.
pub(super) const MACHINES: &[Kind] = &[Kind::Vm, Kind::Vmi, Kind::VirtinkVm];

/// The machines that have a disk or a claim; an instance only where no machine stands for it.
pub(super) fn find_machines<R: Row>(at: At<'_, R>, out: &mut Vec<Id>) {
    let store = at.store();
    let stands_alone = |id: &Id| At::<Vmi>::new(store, *id).is_none_or(|vmi| vmi.vm().here().is_none());
    out.extend(store.above(at.id()).into_iter().filter(stands_alone));
}

/// How far it is in percent; one that has succeeded is done, whatever it told last.
fn done(disk: &DataVolume) -> SortKey<'static> {
    match (&*disk.phase, disk.progress) {
        ("Succeeded", _) => SortKey::Number(100),
        (_, Some(progress)) => SortKey::Number(i64::from(progress / 10)),
        (_, None) => SortKey::Nothing,
    }
}

/// What its claim has, else what is asked for.
fn bytes(disk: At<'_, DataVolume>) -> u64 {
    let claimed = disk.claim().here().map(|claim| claim.capacity.max(claim.requested));
    claimed.filter(|&bytes| bytes > 0).unwrap_or(disk.requested)
}

/// The class of its claim, else the one that it asks for.
fn class(disk: At<'_, DataVolume>) -> SortKey<'static> {
    let of_claim = disk.claim().here().map(|claim| claim.class).filter(|class| !class.is_empty());
    word(of_claim.unwrap_or(disk.class))
}

fn used_by(disk: At<'_, DataVolume>) -> SortKey<'_> {
    disk.nearest::<Vm>().map_or(SortKey::Nothing, |vm| SortKey::Text(&vm.record().meta.name))
}

/// The name of the machine that a claim belongs to.
pub(super) fn user_of(claim: At<'_, Claim>) -> SortKey<'_> {
    claim.nearest::<Vm>().map_or(SortKey::Nothing, |vm| SortKey::Text(&vm.record().meta.name))
}
