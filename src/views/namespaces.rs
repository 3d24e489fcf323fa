//! `namespaces`.

use super::Column;
use super::column::{Sets, age, name, state, write_part};
use super::phase::phase;
use super::view::{Open, Related, Road, Sort, View};
use crate::model::{Now, Word};
use crate::records::{Kind, Namespace};
use crate::store::{At, Health, Part, SortKey, State};

pub(super) static VIEW: View<Namespace> = View {
    name: "namespaces",
    aliases: &["namespace", "ns"],
    rows: &[Kind::Namespace],
    partners: super::vms::MACHINES,
    shown: |_| true,
    state: |namespace, now| {
        let unconfirmed = *namespace.phase == *Namespace::UNCONFIRMED;
        let explained = if unconfirmed { State::default() } else { namespace.state(now) };
        phase(explained, namespace.meta(), &namespace.phase, Word::default())
    },
    columns: &[
        name(),
        state(),
        Column::<Namespace>::number("VMS", |namespace, _| key(count(namespace)))
            .written(|namespace, _, out| write_part(count(namespace), out))
            .within(Sets::all()),
        Column::<Namespace>::number("FAULTS", |namespace, now| key(faults(namespace, now)))
            .written(|namespace, now, out| write_part(faults(namespace, now), out))
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
            kinds: &[Kind::Vm],
            find: |namespace, out| out.extend(namespace.store().members(Kind::Vm, namespace.id())),
        },
        Related::events(),
    ],
};

/// Its machines, where they are known.
fn machines(namespace: At<'_, Namespace>) -> Part<&[crate::store::Id]> {
    let known = namespace.store().known(Kind::Vm, Word::new(&namespace.record().meta.name));
    known.map(|()| namespace.store().members(Kind::Vm, namespace.id()))
}

fn count(namespace: At<'_, Namespace>) -> Part<usize> {
    machines(namespace).map(<[_]>::len)
}

/// How many of its machines have a fault.
fn faults(namespace: At<'_, Namespace>, now: Now) -> Part<usize> {
    let faulty = |&&id: &&crate::store::Id| {
        matches!(namespace.store().state(id, now).health, Health::Warning | Health::Failed)
    };
    machines(namespace).map(|ids| ids.iter().filter(faulty).count())
}

fn key(count: Part<usize>) -> SortKey<'static> {
    count.here().map_or(SortKey::Nothing, |count| SortKey::Number(i64::try_from(count).unwrap_or(i64::MAX)))
}
