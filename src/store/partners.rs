//! Which partners a record has, by name.

use super::feeds::Missing;
use super::{At, Id, Part, Row, Stored};
use crate::model::Word;
use crate::records::{
    Claim, ClusterInstancetype, DataVolume, InstanceSize, Instancetype, Kind, Migration, Node, NodeMetrics,
    Pod, PodMetrics, PodRole, Pool, Records, Usage, VirtinkVm, Vm, VmFlags, Vmi, name_key,
};

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

    /// The nearest object of type `W` that this one is a part of, directly or by way of others.
    pub fn nearest<W: Stored>(self) -> Option<At<'a, W>>
    where
        Records: From<Vec<W>>,
    {
        let above = self.store.above(self.id);
        above.into_iter().filter(|id| id.kind() == W::KIND).find_map(|id| At::new(self.store, id))
    }

    /// The object of type `P` with this name, in the same namespace if it lives in one.
    pub fn named<P: Stored>(self, name: &str) -> Part<At<'a, P>>
    where
        Records: From<Vec<P>>,
    {
        let key = name_key(P::KIND, self.meta().namespace, name);
        match self.store.find_key(key).and_then(|id| At::new(self.store, id)) {
            Some(found) => Part::Here(found),
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
        // One that both ends name comes twice.
        let known = move |at: usize, id: Id| self.parts::<DataVolume>().take(at).any(|disk| disk.id() == id);
        let parts = self.parts::<DataVolume>().enumerate();
        parts.filter(move |(at, disk)| !known(*at, disk.id())).map(|(_, disk)| disk)
    }

    /// Claims that its volumes name directly.
    pub fn claims(self) -> impl Iterator<Item = At<'a, Claim>> {
        self.parts()
    }

    /// The pool that it belongs to.
    pub fn pool(self) -> Option<At<'a, Pool>> {
        self.wholes().next()
    }

    /// What its instance type gives it; none if it has no type, or one that does not exist.
    pub fn instance_size(self) -> Part<InstanceSize> {
        let name = &*self.instancetype;
        if name.is_empty() {
            Part::None
        } else if self.flags.contains(VmFlags::OWN_INSTANCETYPE) {
            self.named::<Instancetype>(name).map(|found| found.size)
        } else {
            self.named::<ClusterInstancetype>(name).map(|found| found.size)
        }
    }

    /// The place of its instance type, if it is there.
    pub fn type_id(self) -> Option<Id> {
        let name = &*self.instancetype;
        if self.flags.contains(VmFlags::OWN_INSTANCETYPE) {
            self.named::<Instancetype>(name).here().map(At::id)
        } else {
            self.named::<ClusterInstancetype>(name).here().map(At::id)
        }
    }

    /// Virtual processors: of the running guest, else of its instance type, else of its template, where KubeVirt takes one
    /// if nothing is said.
    pub fn asked_cpus(self) -> Part<u16> {
        let running = self.vmi().here().map(|vmi| vmi.cpus).filter(|&cpus| cpus > 0);
        match running.or(Some(self.cpus).filter(|&cpus| cpus > 0)) {
            Some(cpus) => Part::Here(cpus),
            None if self.instancetype.is_empty() => Part::Here(1),
            None => self.instance_size().map(|size| size.cpus),
        }
    }

    /// Memory in MiB: of the running guest, else of its instance type, else of its template.
    pub fn asked_memory(self) -> Part<u32> {
        let running = self.vmi().here().map(|vmi| vmi.memory).filter(|&memory| memory > 0);
        match running.or(Some(self.memory).filter(|&memory| memory > 0)) {
            Some(memory) => Part::Here(memory),
            None => self.instance_size().map(|size| size.memory),
        }
    }

    /// MiB of memory that there are for its guest and for what runs it: what the launcher asks for, or what the guest has if
    /// that is more, as it is where memory is given out twice.
    pub fn memory_to_use(self) -> Part<u32> {
        let launcher = self.vmi().here().and_then(At::launcher).map_or(0, |pod| pod.memory);
        self.asked_memory().map(|asked| asked.max(launcher))
    }

    /// What its guest uses, where that is measured.
    pub fn usage(self) -> Part<Usage> {
        match self.vmi() {
            Part::Here(vmi) => vmi.usage(),
            other => other.map(|_| Usage::default()),
        }
    }

    /// Bytes of all its disks: what their claims have, else what is asked for.
    pub fn disk_bytes(self) -> u64 {
        let size = |claim: At<'_, Claim>| claim.capacity.max(claim.requested);
        let volumes = self.disks().map(|disk| disk.claim().here().map_or(disk.requested, size));
        volumes.chain(self.claims().map(size)).fold(0, u64::saturating_add)
    }
}

impl At<'_, Pod> {
    /// What it uses, where that is measured.
    pub fn usage(self) -> Part<Usage> {
        self.one::<PodMetrics>().map(|metrics| metrics.usage)
    }
}

impl At<'_, Node> {
    /// What it uses, where that is measured.
    pub fn usage(self) -> Part<Usage> {
        self.one::<NodeMetrics>().map(|metrics| metrics.usage)
    }
}

impl<'a> At<'a, DataVolume> {
    /// The claim that holds its data.
    pub fn claim(self) -> Part<At<'a, Claim>> {
        let known = self.record().claim.and_then(|key| self.store.find_key(key));
        match known.and_then(|id| At::new(self.store, id)) {
            Some(claim) => Part::Here(claim),
            None => self.missing(Kind::Claim),
        }
    }
}

impl<'a> At<'a, Pool> {
    /// Its machines.
    pub fn vms(self) -> impl Iterator<Item = At<'a, Vm>> {
        self.parts()
    }
}

impl<'a> At<'a, VirtinkVm> {
    /// The pod that runs it.
    pub fn present_pod(self) -> Part<At<'a, Pod>> {
        if self.pod.is_empty() { Part::None } else { self.named(&self.record().pod) }
    }
}

impl<'a> At<'a, Migration> {
    /// The guest that it moves.
    pub fn instance(self) -> Part<At<'a, Vmi>> {
        self.named(&self.record().vmi)
    }

    /// Where it comes from: what was noted at the end, before that where the guest runs.
    pub fn from(self) -> Part<Word> {
        if !self.source.is_empty() {
            return Part::Here(self.source);
        }
        match self.instance() {
            Part::Here(vmi) if self.ended.is_none() && !vmi.node.is_empty() => Part::Here(vmi.node),
            Part::Here(_) => Part::None,
            other => other.map(|vmi| vmi.node),
        }
    }

    /// Where it goes: what was noted at the end, before that where the target pod is.
    pub fn to(self) -> Part<Word> {
        if !self.target.is_empty() {
            return Part::Here(self.target);
        }
        let pod: Part<At<'_, Pod>> = self.one();
        match pod.map(|pod| pod.node) {
            Part::Here(node) if node.is_empty() => Part::None,
            other => other,
        }
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

    /// The pod that it runs in: while it migrates there is another one on the target.
    pub fn launcher(self) -> Option<At<'a, Pod>> {
        let launchers = self.pods().filter(|pod| pod.role == PodRole::Launcher);
        launchers.max_by_key(|pod| (pod.node == self.node, pod.meta.created))
    }

    /// What its launcher uses, where that is measured.
    pub fn usage(self) -> Part<Usage> {
        match self.launcher() {
            Some(pod) => pod.usage(),
            None => self.missing(Kind::Pod),
        }
    }

    /// Its latest migration.
    pub fn migration(self) -> Part<At<'a, Migration>> {
        self.one()
    }
}
