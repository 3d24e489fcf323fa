//! `claims`: PersistentVolumeClaims, with what CDI does with them.

use std::fmt::Write as _;

use super::Column;
use super::column::{Sets, age, count, name, namespace, reason, since, size, state, text, word};
use super::datasources::find_copies;
use super::datavolumes::{MACHINES, find_machines, user_of};
use super::places::{NODES_OF_DISKS, nodes_of_disk as find_nodes};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Claim, ClaimFlags, ClaimRole, Kind, Record as _};
use crate::store::{At, Id, SortKey};

pub(super) static VIEW: View<Claim> = View {
    name: "claims",
    aliases: &["claim", "pvc", "persistentvolumeclaims", "persistentvolumeclaim"],
    rows: &[Kind::Claim],
    partners: &[Kind::DataVolume, Kind::Vm, Kind::Vmi, Kind::StorageClass, Kind::Event],
    shown: |_| true,
    state: |claim, now| claim.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason().within(Sets::STORAGE),
        since().wide(),
        Column::<Claim>::bytes("CAPACITY", |claim, _| size(claim.capacity))
            .within(Sets::STORAGE.union(Sets::CAPACITY)),
        Column::<Claim>::bytes("ASKED", |claim, _| size(claim.requested))
            .within(Sets::STORAGE.union(Sets::CAPACITY)),
        Column::<Claim>::text("MODES", 16, |claim, _| count(claim.modes.bits()))
            .written(|claim, _, out| _ = write!(out, "{}", claim.modes))
            .within(Sets::STORAGE),
        Column::<Claim>::text("CLASS", 30, |claim, _| word(claim.class)).within(Sets::STORAGE),
        Column::<Claim>::text("KEPT AS", 10, |claim, _| {
            SortKey::Text(if claim.flags.contains(ClaimFlags::BLOCK) { "block" } else { "files" })
        })
        .wide()
        .within(Sets::STORAGE),
        Column::<Claim>::text("FOR", 14, |claim, _| text(role(claim.role)))
            .or("-")
            .wide()
            .within(Sets::STORAGE.union(Sets::TRIAGE)),
        Column::<Claim>::text("USED BY", 40, |claim, _| user_of(claim)).within(Sets::STORAGE),
        Column::<Claim>::number("DONE", |claim, _| {
            claim.progress.map_or(SortKey::Nothing, |progress| SortKey::Number(i64::from(progress / 10)))
        })
        .written(|claim, _, out| {
            if let Some(progress) = claim.progress {
                let _ = write!(out, "{}%", progress / 10);
            }
        })
        .or("n/a")
        .wide()
        .within(Sets::TRIAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::owners(&[Kind::DataVolume, Kind::Claim, Kind::Vm]),
        Related {
            road: Road::UsedBy,
            title: "machines",
            kinds: MACHINES,
            find: |at, out| find_machines(at, out),
        },
        Related::above(Road::UsedBy, "sources of copies", &[Kind::DataSource, Kind::Image]),
        Related {
            road: Road::UsedBy,
            title: "disks copied from it",
            kinds: &[Kind::DataVolume],
            find: |claim, out| find_copies(claim.store(), claim.record().key(), out),
        },
        Related {
            road: Road::Node,
            title: "nodes",
            kinds: NODES_OF_DISKS,
            find: |at, out| find_nodes(at, out),
        },
        Related::below("claims made for it", &[Kind::Claim]),
        Related::below("worker pods", &[Kind::Pod]),
        Related::below("snapshots", &[Kind::VolumeSnapshot]),
        Related { road: Road::Parts, title: "class", kinds: &[Kind::StorageClass], find: find_class },
        Related::events(),
    ],
};

fn find_class(claim: At<'_, Claim>, out: &mut Vec<Id>) {
    out.extend(claim.record().member_of().and_then(|key| claim.store().find_key(key)));
}

fn role(role: ClaimRole) -> &'static str {
    match role {
        ClaimRole::Own => "",
        ClaimRole::Prime => "import",
        ClaimRole::Scratch => "scratch space",
        ClaimRole::CloneTemporary => "clone",
    }
}
