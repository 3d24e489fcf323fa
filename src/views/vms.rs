//! `vms`: a VirtualMachine with its life and its disks in one row.

use std::fmt::Write as _;

use super::column::{partner, write_word};
use super::{Column, Open, Sort, View, age, count, name, namespace, time, word};
use crate::records::{Kind, Vm, VmFlags};
use crate::store::{At, SortKey};

pub(super) static VIEW: View<Vm> = View {
    name: "vms",
    aliases: &["vm", "virtualmachines", "virtualmachine"],
    rows: &[Kind::Vm],
    partners: &[Kind::Vmi, Kind::DataVolume],
    shown: |_| true,
    state: |vm, now| vm.state(now),
    columns: &[
        namespace(),
        name(),
        Column::<Vm>::state("STATE", |vm, now| word(vm.state(now).word)).written(|vm, now, out| {
            let state = vm.state(now);
            out.push_str(if state.word.is_empty() { "Unknown" } else { &state.word });
            if let Some(progress) = state.progress {
                let _ = write!(out, " {}%", progress / 10);
            }
            if state.provisional {
                out.push('…');
            }
        }),
        Column::<Vm>::text("REASON", 28, |vm, now| word(vm.state(now).reason)).written(
            |vm, now, out| match (vm.state(now).reason, vm.meta.broken()) {
                (_, Some(why)) => out.push_str(why),
                (reason, None) if reason.is_empty() => out.push('-'),
                (reason, None) => out.push_str(&reason),
            },
        ),
        Column::<Vm>::age("IN STATE", |vm, now| time(vm.state(now).since)),
        Column::<Vm>::number("CPU", |vm, _| count(vm.cpus().unwrap_or(0))),
        Column::<Vm>::bytes("MEMORY", |vm, _| count(i64::from(vm.memory().unwrap_or(0)) << 20)),
        Column::<Vm>::text("IP", 39, |vm, _| super::address(vm.vmi().here().and_then(|vmi| vmi.address())))
            .written(|vm, _, out| {
                partner(vm.vmi(), out, |vmi, out| match vmi.address() {
                    Some(address) => _ = write!(out, "{address}"),
                    None => out.push_str("<none>"),
                });
            }),
        Column::<Vm>::text("NODE", 40, |vm, _| {
            vm.vmi().here().map_or(SortKey::Nothing, |vmi| word(vmi.record().node))
        })
        .written(|vm, _, out| {
            partner(vm.vmi(), out, |vmi, out| {
                write_word(vmi.node, out);
            });
        }),
        Column::<Vm>::text("GUEST", 36, |vm, _| {
            vm.vmi().here().map_or(SortKey::Nothing, |vmi| word(vmi.record().guest_os))
        })
        .written(|vm, _, out| {
            partner(vm.vmi(), out, |vmi, out| {
                write_word(vmi.guest_os, out);
            });
        })
        .wide(),
        Column::<Vm>::text("STRATEGY", 16, |vm, _| SortKey::Text(vm.strategy.as_str())).wide(),
        Column::<Vm>::text("TYPE", 24, |vm, _| word(vm.instancetype)).wide(),
        Column::<Vm>::number("DISKS", |vm, _| {
            count(i64::try_from(vm.record().disks.len()).unwrap_or(i64::MAX))
        })
        .wide(),
        Column::<Vm>::text("AGENT", 5, |vm, _| SortKey::Text(yes_no(vm.flags.contains(VmFlags::AGENT))))
            .wide(),
        Column::<Vm>::text("READY", 5, |vm, _| SortKey::Text(yes_no(vm.flags.contains(VmFlags::READY))))
            .wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[],
};

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

impl At<'_, Vm> {
    /// Virtual processors: of the running guest, else of the template.
    fn cpus(self) -> Option<u16> {
        let running = self.vmi().here().map(|vmi| vmi.cpus).filter(|&cpus| cpus > 0);
        running.or(Some(self.cpus).filter(|&cpus| cpus > 0))
    }

    /// Memory in MiB: of the running guest, else of the template.
    fn memory(self) -> Option<u32> {
        let running = self.vmi().here().map(|vmi| vmi.memory).filter(|&memory| memory > 0);
        running.or(Some(self.memory).filter(|&memory| memory > 0))
    }
}
