//! `volumesets`: one volume for each replica of a workload.

use super::Column;
use super::column::{Sets, age, count, name, namespace, reason, since, size, state, text, word};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Kind, VolumeSet};

pub(super) static VIEW: View<VolumeSet> = View {
    name: "volumesets",
    aliases: &["volumeset", "vset"],
    rows: &[Kind::VolumeSet],
    partners: &[],
    shown: |_| true,
    state: |set, now| set.state(now),
    columns: &[
        namespace(),
        name(),
        state(),
        reason(),
        Column::<VolumeSet>::text("USED BY", 40, |set, _| text(&set.record().used_by)).within(Sets::TRIAGE),
        Column::<VolumeSet>::number("VOLUMES", |set, _| count(set.volumes)).within(Sets::STORAGE),
        Column::<VolumeSet>::bytes("SIZE", |set, _| size(set.size)).within(Sets::STORAGE),
        Column::<VolumeSet>::bytes("TOTAL", |set, _| size(set.total)).within(Sets::STORAGE),
        Column::<VolumeSet>::number("SNAPSHOTS", |set, _| count(set.snapshots)).within(Sets::STORAGE),
        Column::<VolumeSet>::text("CLASS", 20, |set, _| word(set.class)).wide().within(Sets::STORAGE),
        Column::<VolumeSet>::text("FS", 8, |set, _| word(set.file_system)).wide().within(Sets::STORAGE),
        Column::<VolumeSet>::text("STORAGE CLASS", 30, |set, _| word(set.storage_class))
            .wide()
            .within(Sets::STORAGE),
        Column::<VolumeSet>::text("SCHEDULE", 20, |set, _| word(set.schedule)).wide(),
        since().wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(Road::UsedBy, "workloads", &[Kind::Workload]),
        Related::below("claims", &[Kind::Claim]),
        Related::below("commands", &[Kind::VolumeCommand]),
        Related::events(),
    ],
};
