//! `namespaces`.

use super::Column;
use super::column::{Sets, age, name, state, write_part};
use super::view::{Open, Related, Road, Sort, View};
use crate::model::{Now, Word};
use crate::records::{Kind, Namespace};
use crate::store::{At, Health, Id, Part, SortKey};

pub(super) static VIEW: View<Namespace> = View {
    name: "namespaces",
    aliases: &["namespace", "ns"],
    rows: &[Kind::Namespace],
    partners: PARTNERS,
    shown: |_| true,
    state: |namespace, now| namespace.state(now),
    columns: &[
        name(),
        state(),
        Column::<Namespace>::number("VMS", |namespace, _| key(count(namespace)))
            .written(|namespace, _, out| write(namespace, count(namespace), out))
            .within(Sets::all()),
        Column::<Namespace>::number("FAULTS", |namespace, now| key(faults(namespace, now)))
            .written(|namespace, now, out| write(namespace, faults(namespace, now), out))
            .reading_states_of(Kind::Vm)
            .within(Sets::TRIAGE),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Namespace,
    related: &[
        Related {
            road: Road::Parts,
            title: "machines",
            kinds: COUNTED,
            find: |namespace, out| out.extend(machines(namespace)),
        },
        Related::events(),
    ],
};

/// What tells of machines and of how each is.
const PARTNERS: &[Kind] = &[
    Kind::Vm,
    Kind::Vmi,
    Kind::VirtinkVm,
    Kind::DataVolume,
    Kind::Pod,
    Kind::Claim,
    Kind::Migration,
    Kind::Instancetype,
    Kind::ClusterInstancetype,
    Kind::Event,
];

/// The kinds of machines that are counted.
const COUNTED: &[Kind] = &[Kind::Vm, Kind::VirtinkVm];

/// Its machines, as far as they are known.
fn machines(namespace: At<'_, Namespace>) -> impl Iterator<Item = Id> {
    COUNTED.iter().flat_map(move |&kind| namespace.store().members(kind, namespace.id())).copied()
}

/// A number of its machines, where at least one kind of them is known.
fn known(namespace: At<'_, Namespace>, number: impl FnOnce() -> usize) -> Part<usize> {
    let parts = COUNTED.iter().map(|&kind| of_kind(namespace, kind));
    let known = parts.reduce(|one, other| if one.known() { one } else { other });
    known.unwrap_or(Part::None).map(|()| number())
}

fn of_kind(namespace: At<'_, Namespace>, kind: Kind) -> Part<()> {
    namespace.store().known(kind, Word::new(&namespace.record().meta.name))
}

fn count(namespace: At<'_, Namespace>) -> Part<usize> {
    known(namespace, || machines(namespace).count())
}

/// How many of its machines have a fault.
fn faults(namespace: At<'_, Namespace>, now: Now) -> Part<usize> {
    let faulty =
        |&id: &Id| matches!(namespace.store().state(id, now).health, Health::Warning | Health::Failed);
    known(namespace, || machines(namespace).filter(faulty).count())
}

/// Writes a number, marked where there may be more.
fn write(namespace: At<'_, Namespace>, number: Part<usize>, out: &mut String) {
    let here = matches!(number, Part::Here(_));
    write_part(number, out);
    if here && !COUNTED.iter().all(|&kind| of_kind(namespace, kind).known()) {
        out.push('…');
    }
}

fn key(count: Part<usize>) -> SortKey<'static> {
    count.here().map_or(SortKey::Nothing, |count| SortKey::Number(i64::try_from(count).unwrap_or(i64::MAX)))
}
