//! DataVolume.

use std::borrow::Cow;

use bitflags::bitflags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::data_source::Place;
use super::dv_source::SourceKind;
use crate::model::{Key, Name, Time, Word};
use crate::records::values::{Number, Told, Truth, message, per_mille};
use crate::records::wire::{Bytes, Fold, Folded, Nullable, Str, WireMeta, versioned};
use crate::records::{Kind, KindInfo, Meta, Record, name_key};

/// A DataVolume: a disk and where its content comes from.
#[derive(Debug, Default, PartialEq)]
pub struct DataVolume {
    /// What every object has.
    pub meta: Meta,
    /// `status.phase`; empty while nothing is decided.
    pub phase: Word,
    /// Storage class of the spec; empty means the default.
    pub class: Word,
    /// Reason of the condition `Running`.
    pub running_reason: Word,
    /// Reason of the condition `Bound`.
    pub bound_reason: Word,
    /// What its content is called where it comes from: an address without login and query, or the name of a claim or a
    /// DataSource. Snapshots are as many as machines, so their names are not kept.
    pub image: Word,
    /// Bytes asked for in the spec; 0 if that is left to CDI.
    pub requested: u64,
    /// Its claim, by `status.claimName` or its own name.
    pub claim: Option<Key>,
    /// What it is copied from: a claim, a VolumeSnapshot or a DataSource, by name.
    pub from: Option<Key>,
    /// What CDI says of trouble, on one line of at most 300 characters: message of `Running`, else of `Bound`, while that is
    /// False with a reason that tells of trouble; else what its claim waits for, which is what `Bound` says beyond `PVC x
    /// Pending`: the newest event of the prime claim. CDI overwrites it with each new attempt.
    pub trouble: Option<Box<Name>>,
    /// When a condition changed last.
    pub since: Option<Time>,
    /// How far it is, in thousandths (`status.progress`); `None` for `N/A`, which uploads and many clones stay at.
    pub progress: Option<u16>,
    /// `status.restartCount`: of the present worker pod; does not fall.
    pub restarts: u16,
    /// Condition `Running`.
    pub running: Truth,
    /// Condition `Bound`; False during a healthy import.
    pub bound: Truth,
    /// Where its content comes from.
    pub source: SourceKind,
    /// Yes-or-no facts.
    pub flags: DataVolumeFlags,
}

bitflags! {
    /// Yes-or-no facts about a DataVolume.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct DataVolumeFlags: u8 {
        /// Filled by a volume populator (`cdi.kubevirt.io/storage.usePopulator` is "true").
        const POPULATOR = 1;
        /// Need not wait for a consumer (`cdi.kubevirt.io/storage.bind.immediate.requested` is there).
        const BIND_NOW = 1 << 1;
        /// Nobody has written a status yet.
        const UNTOUCHED = 1 << 2;
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub struct DataVolumeWire<'a> {
    #[serde(borrow)]
    metadata: WireMeta<'a, IgnoredAny, Annotations<'a>>,
    #[serde(borrow)]
    spec: Nullable<Spec<'a>>,
    #[serde(borrow)]
    status: Nullable<Status<'a>>,
}
versioned!(DataVolumeWire);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Annotations<'a> {
    #[serde(borrow, rename = "cdi.kubevirt.io/storage.usePopulator")]
    populator: Str<'a>,
    #[serde(rename = "cdi.kubevirt.io/storage.bind.immediate.requested")]
    bind_now: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'a> {
    #[serde(borrow)]
    source: Nullable<Sources<'a>>,
    #[serde(borrow)]
    source_ref: Option<Place<'a>>,
    #[serde(borrow)]
    storage: Nullable<Storage<'a>>,
    #[serde(borrow)]
    pvc: Nullable<Storage<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Sources<'a> {
    #[serde(borrow)]
    http: Option<Outside<'a>>,
    #[serde(borrow)]
    registry: Option<Outside<'a>>,
    #[serde(borrow)]
    s3: Option<Outside<'a>>,
    #[serde(borrow)]
    gcs: Option<Outside<'a>>,
    #[serde(borrow)]
    upload: Option<Outside<'a>>,
    #[serde(borrow)]
    blank: Option<Outside<'a>>,
    #[serde(borrow)]
    imageio: Option<Outside<'a>>,
    #[serde(borrow)]
    vddk: Option<Outside<'a>>,
    #[serde(borrow)]
    pvc: Option<Place<'a>>,
    #[serde(borrow)]
    snapshot: Option<Place<'a>>,
}

/// Somewhere outside of the cluster, with the Secret to log in there.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Outside<'a> {
    #[serde(borrow)]
    secret_ref: Str<'a>,
    #[serde(borrow)]
    url: Str<'a>,
    #[serde(borrow)]
    image_stream: Str<'a>,
    #[serde(borrow)]
    backing_file: Str<'a>,
}

impl Outside<'_> {
    fn image(&self) -> Word {
        let named = [&self.url, &self.image_stream, &self.backing_file];
        let named = named.into_iter().find(|name| !name.is_empty());
        named.map_or_else(Word::default, |name| Word::new(&public(name)))
    }
}

/// An address without what may let somebody in: login and query.
fn public(address: &str) -> Cow<'_, str> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else { return address.into() };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((login, _)) => format!("{scheme}://{}", &rest[login.len() + 1..]).into(),
        None => address.into(),
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Storage<'a> {
    resources: Nullable<Resources>,
    #[serde(borrow)]
    storage_class_name: Str<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Resources {
    requests: Nullable<Amount>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Amount {
    storage: Bytes,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status<'a> {
    #[serde(borrow)]
    claim_name: Str<'a>,
    #[serde(borrow)]
    phase: Str<'a>,
    #[serde(borrow)]
    progress: Str<'a>,
    restart_count: Number,
    conditions: Folded<Conditions>,
}

#[derive(Default)]
struct Conditions {
    running: Truth,
    running_reason: Word,
    bound: Truth,
    bound_reason: Word,
    since: Option<Time>,
    run_trouble: Option<Box<Name>>,
    bind_trouble: Option<Box<Name>>,
    waiting: Option<Box<Name>>,
}

impl<'de> Fold<'de> for Conditions {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        self.since = self.since.max(condition.last_transition_time.time());
        let status = Truth::read(&condition.status);
        // What a healthy run says too: the first worker of most imports ends to ask for scratch space.
        let calm = matches!(
            &*condition.reason,
            "" | "Completed" | "Pending" | "Bound" | "Pod is running" | "Scratch space required"
        ) || condition.message.starts_with(r#"{"scratchSpaceRequired":true"#);
        let trouble = (status == Truth::False && !calm).then(|| message(&condition.message, 300)).flatten();
        match &*condition.name {
            "Running" => {
                self.running = status;
                self.running_reason = condition.reason.word();
                self.run_trouble = trouble;
            }
            "Bound" => {
                self.bound = status;
                self.bound_reason = condition.reason.word();
                self.bind_trouble = trouble;
                let said = condition
                    .message
                    .strip_prefix("target PVC ")
                    .and_then(|said| said.split_once(" Pending and "));
                self.waiting = said.filter(|_| status == Truth::False).and_then(|(_, said)| {
                    let prime = said.strip_prefix("[prime-").and_then(|said| said.split_once("] : "));
                    message(prime.map_or(said, |(_, said)| said), 300)
                });
            }
            _ => {}
        }
    }
}

/// What CDI writes in the place of any message about space.
const TOO_SMALL: &str = "DataVolume too small to contain image";

impl Conditions {
    fn trouble(&mut self) -> Option<Box<Name>> {
        // CDI hides how much room is missing; the newest event of the claim has it.
        let hidden = self.run_trouble.as_ref().is_some_and(|said| said.as_str() == TOO_SMALL);
        let waiting = self.waiting.take();
        match waiting.is_some() && hidden {
            true => waiting,
            false => self.run_trouble.take().or(self.bind_trouble.take()).or(waiting),
        }
    }
}

impl Spec<'_> {
    fn image(&self) -> Word {
        let all = &self.source;
        let outside = [&all.http, &all.registry, &all.s3, &all.gcs, &all.imageio, &all.vddk];
        match (outside.into_iter().flatten().next(), self.source_ref.as_ref().or(all.pvc.as_ref())) {
            (Some(outside), _) => outside.image(),
            (None, Some(place)) => place.name.word(),
            (None, None) => Word::default(),
        }
    }

    fn source(&self, home: Word) -> (SourceKind, Option<Key>) {
        let source = &self.source;
        let key = |kind, place: &Place<'_>| {
            let namespace = place.namespace(home);
            (!place.name.is_empty()).then(|| name_key(kind, namespace, &place.name))
        };
        if let Some(place) = &source.pvc {
            return (SourceKind::Claim, key(Kind::Claim, place));
        }
        if let Some(place) = &source.snapshot {
            return (SourceKind::Snapshot, key(Kind::VolumeSnapshot, place));
        }
        if let Some(place) = &self.source_ref {
            return (SourceKind::DataSource, key(Kind::DataSource, place));
        }
        let given = [
            (&source.http, SourceKind::Http),
            (&source.registry, SourceKind::Registry),
            (&source.s3, SourceKind::S3),
            (&source.gcs, SourceKind::Gcs),
            (&source.upload, SourceKind::Upload),
            (&source.blank, SourceKind::Blank),
            (&source.imageio, SourceKind::Imageio),
            (&source.vddk, SourceKind::Vddk),
        ];
        let kind = given.iter().find(|(source, _)| source.is_some());
        (kind.map_or(SourceKind::None, |(_, kind)| *kind), None)
    }
}

impl Record for DataVolume {
    const KIND: Kind = Kind::DataVolume;
    const INFO: KindInfo = KindInfo {
        group: "cdi.kubevirt.io",
        versions: &["v1beta1"],
        name: "DataVolume",
        plural: "datavolumes",
        words: "data volumes",
        short: &["dv", "dvs"],
        namespaced: true,
        partners: &[],
    };
    type Wire<'de> = DataVolumeWire<'de>;

    fn fold(wire: DataVolumeWire<'_>) -> Self {
        let mut meta = wire.metadata.fold();
        let marks = &wire.metadata.annotations;
        let (spec, mut status) = (wire.spec.0, wire.status.0);
        let conditions = &mut status.conditions.0;
        let (source, from) = spec.source(meta.namespace);
        let all = &spec.source;
        let outside = [&all.http, &all.registry, &all.s3, &all.gcs, &all.imageio, &all.vddk];
        outside.into_iter().flatten().for_each(|one| meta.add_secret(&one.secret_ref));
        let claim = match &*status.claim_name {
            "" => &*wire.metadata.name,
            name => name,
        };
        let untouched = status.phase.is_empty()
            && conditions.bound == Truth::Missing
            && conditions.running == Truth::Missing;
        let mut flags = DataVolumeFlags::empty();
        flags.set(DataVolumeFlags::POPULATOR, &*marks.populator == "true");
        flags.set(DataVolumeFlags::BIND_NOW, marks.bind_now.is_some());
        flags.set(DataVolumeFlags::UNTOUCHED, untouched);
        let (size, other) = (&spec.storage.resources, &spec.pvc.resources);
        let size = size.requests.storage.0.or(other.requests.storage.0);
        let class = if spec.storage.storage_class_name.is_empty() {
            &spec.pvc.storage_class_name
        } else {
            &spec.storage.storage_class_name
        };
        Self {
            phase: status.phase.word(),
            class: class.word(),
            running_reason: conditions.running_reason,
            bound_reason: conditions.bound_reason,
            image: spec.image(),
            requested: size.unwrap_or(0),
            claim: Some(name_key(Kind::Claim, meta.namespace, claim)),
            from,
            trouble: conditions.trouble(),
            since: conditions.since,
            progress: per_mille(&status.progress),
            restarts: status.restart_count.u16(),
            running: conditions.running,
            bound: conditions.bound,
            source,
            flags,
            meta,
        }
    }

    fn bare(meta: Meta) -> Self {
        Self { meta, ..Self::default() }
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        // While nobody looks after it, its DataSource says why; afterwards it is of no more interest.
        let source = self.from.filter(|_| {
            self.source == SourceKind::DataSource && self.flags.contains(DataVolumeFlags::UNTOUCHED)
        });
        self.claim.into_iter().chain(source).for_each(link);
    }
}

#[cfg(test)]
mod tests;
