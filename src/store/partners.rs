//! Which partners a record has, by name.

use super::feeds::Missing;
use super::{At, Part, Row, Stored};
use crate::records::{Claim, DataVolume, Kind, Migration, Pod, Records, Vm, Vmi};

impl<'a, R: Row> At<'a, R> {
    /// The parts of this object that are of type `P`.
    pub fn parts<P: Stored>(self) -> impl Iterator<Item = At<'a, P>>
    where
        Records: From<Vec<P>>,
    {
        self.store
            .parts(self.id)
            .filter(|id| id.kind() == P::KIND)
            .filter_map(move |id| At::new(self.store, id))
    }

    /// The wholes of type `W` that this object is a part of.
    pub fn wholes<W: Stored>(self) -> impl Iterator<Item = At<'a, W>>
    where
        Records: From<Vec<W>>,
    {
        self.store
            .wholes(self.id)
            .filter(|id| id.kind() == W::KIND)
            .filter_map(move |id| At::new(self.store, id))
    }

    /// The one part of type `P`, or what its absence means.
    fn one<P: Stored>(self) -> Part<At<'a, P>>
    where
        Records: From<Vec<P>>,
    {
        // Of several the youngest counts: an old one may still be on its way out.
        match self.parts::<P>().max_by_key(|part| part.meta().created) {
            Some(part) => Part::Here(part),
            None => self.missing(P::KIND),
        }
    }

    fn missing<T>(self, kind: Kind) -> Part<T> {
        match self.store.feeds.missing(kind, self.meta().namespace) {
            Missing::None => Part::None,
            Missing::Loading => Part::Loading,
            Missing::Denied => Part::Denied,
        }
    }

    /// Whether the absence of a record of this kind beside this one means anything.
    pub fn knows(self, kind: Kind) -> bool {
        self.missing::<()>(kind).known()
    }
}

impl<'a> At<'a, Vm> {
    /// The life of the guest that is going on.
    pub fn vmi(self) -> Part<At<'a, Vmi>> {
        self.one()
    }

    /// DataVolumes that were made for it or that its volumes name.
    pub fn disks(self) -> impl Iterator<Item = At<'a, DataVolume>> {
        let mut seen = Vec::new();
        self.parts::<DataVolume>().filter(move |disk| {
            let new = !seen.contains(&disk.id());
            seen.push(disk.id());
            new
        })
    }

    /// Claims that its volumes name directly.
    pub fn claims(self) -> impl Iterator<Item = At<'a, Claim>> {
        self.parts()
    }
}

impl<'a> At<'a, Vmi> {
    /// The VirtualMachine it belongs to; one may stand alone.
    pub fn vm(self) -> Part<At<'a, Vm>> {
        match self.wholes().next() {
            Some(vm) => Part::Here(vm),
            None => self.missing(Kind::Vm),
        }
    }

    /// Its launcher pods: two while it migrates.
    pub fn pods(self) -> impl Iterator<Item = At<'a, Pod>> {
        self.parts()
    }

    /// Its latest migration.
    pub fn migration(self) -> Part<At<'a, Migration>> {
        self.one()
    }
}
