//! Where something is that has no node of its own: the nodes of the guests and workers around it.

use crate::model::Word;
use crate::records::{Kind, Pod, VirtinkVm, Vmi, name_key};
use crate::store::{At, Id, Part, Row, Store};

/// What has to be known for the nodes of guests.
pub(super) const NODES_OF_GUESTS: &[Kind] = &[Kind::Node, Kind::Vm, Kind::Vmi];

/// What has to be known for the nodes where a disk is in use, or is being filled.
pub(super) const NODES_OF_DISKS: &[Kind] =
    &[Kind::Node, Kind::Vm, Kind::Vmi, Kind::VirtinkVm, Kind::DataVolume, Kind::Claim, Kind::Pod];

/// The node with this name, if it is known.
pub(super) fn find_node(store: &Store, name: Part<Word>, out: &mut Vec<Id>) {
    if let Part::Here(name) = name {
        out.extend(store.find_key(name_key(Kind::Node, Word::default(), &name)));
    }
}

/// The nodes of the guests that a row is, or is made of.
pub(super) fn nodes_of_guests<R: Row>(at: At<'_, R>, out: &mut Vec<Id>) {
    let store = at.store();
    for id in [at.id()].into_iter().chain(store.below(at.id())) {
        find_node(store, node_of_guest(store, id), out);
    }
}

/// The nodes of the guests that have a disk, and of the pods that work on it.
pub(super) fn nodes_of_disk<R: Row>(at: At<'_, R>, out: &mut Vec<Id>) {
    let store = at.store();
    for id in store.above(at.id()) {
        find_node(store, node_of_guest(store, id), out);
    }
    let working = |pod: &Pod| matches!(&*pod.phase, "Pending" | "Running");
    for id in store.below(at.id()) {
        if let Some(pod) = store.get::<Pod>(id).filter(|pod| working(pod)) {
            find_node(store, Part::Here(pod.node), out);
        }
    }
}

fn node_of_guest(store: &Store, id: Id) -> Part<Word> {
    let node = store.get::<Vmi>(id).map(|vmi| vmi.node);
    node.or_else(|| store.get::<VirtinkVm>(id).map(|vm| vm.node)).map_or(Part::None, Part::Here)
}
