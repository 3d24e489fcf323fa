//! `vmrestores`: machines put back to a snapshot.

use super::Column;
use super::column::{Sets, age, count, name, namespace, reason, since, state, text, time};
use super::phase::{self, phase};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Kind, VmRestore, VmRestoreFlags};

pub(super) static VIEW: View<VmRestore> = View {
    name: "vmrestores",
    aliases: &["vmrestore", "restore", "restores", "virtualmachinerestores"],
    rows: &[Kind::VmRestore],
    partners: &[],
    shown: |_| true,
    state: |restore, now| {
        let word = match restore.flags {
            flags if flags.contains(VmRestoreFlags::FAILED) => "Failed",
            flags if flags.contains(VmRestoreFlags::COMPLETE) => "Succeeded",
            flags if flags.contains(VmRestoreFlags::PROGRESSING) => "InProgress",
            _ => "Pending",
        };
        let reason = if word == "Succeeded" { crate::model::Word::default() } else { restore.reason };
        phase::since(phase(restore.state(now), restore.meta(), word, reason), restore.restored)
    },
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
