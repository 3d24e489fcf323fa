//! `vmrestores`: machines put back to a snapshot.

use super::Column;
use super::column::{Sets, age, count, name, namespace, reason, since, state, text, time};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Kind, VmRestore};

pub(super) static VIEW: View<VmRestore> = View {
    name: "vmrestores",
    aliases: &["vmrestore", "restore", "restores", "virtualmachinerestores"],
    rows: &[Kind::VmRestore],
    partners: &[],
    shown: |_| true,
    state: |restore, now| restore.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<VmRestore>::text("VM", 40, |restore, _| text(&restore.record().target)).within(Sets::all()),
        Column::<VmRestore>::text("SNAPSHOT", 40, |restore, _| text(&restore.record().snapshot))
            .within(Sets::STORAGE.union(Sets::TRIAGE)),
        state(),
        reason(),
        since().wide(),
        Column::<VmRestore>::number("VOLUMES", |restore, _| count(restore.volumes)).within(Sets::STORAGE),
        Column::<VmRestore>::age("RESTORED", |restore, _| time(restore.restored)).within(Sets::STORAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(Road::Owner, "machine", &[Kind::Vm]),
        Related::above(Road::Parts, "snapshot", &[Kind::VmSnapshot]),
        Related::events(),
    ],
};
