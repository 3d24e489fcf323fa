//! The Kind table and one narrow record per kind.
//!
//! A feed decodes each object straight into its record and drops the rest: `Record::Wire` borrows from the bytes, and
//! `fold` keeps what views, links and states need. A new kind is one file here and one line in `with_kinds!`.

mod cdi;
mod core;
mod decode;
mod kairos;
mod kubevirt;
mod labels;
mod local;
mod meta;
mod metrics;
mod own;
#[cfg(test)]
mod recordings;
mod snapshot;
mod values;
mod virtink;
pub mod wire;

pub use self::cdi::{
    DataSource, DataSourceKind, DataVolume, DataVolumeFlags, ImportCron, ImportCronFlags, SourceKind,
};
pub use self::core::{
    AccessModes, BindingMode, Claim, ClaimFlags, ClaimPhase, ClaimRole, Ended, Event, Namespace, Node,
    NodeFlags, Pod, PodEvidence, PodFlags, PodRole, Secret, StorageClass, StorageClassFlags, Volume,
    WorkerPhase,
};
pub use self::kairos::{OsArtifact, OsArtifactDialect};
pub use self::kubevirt::{
    ClusterInstancetype, ClusterPreference, InstanceFlags, InstanceSize, Instancetype, Migration,
    MigrationFlags, MigrationMode, MigrationOrigin, Pool, PoolFlags, Preference, RunStrategy, Vm, VmFlags,
    VmRestore, VmRestoreFlags, VmSnapshot, VmSnapshotFlags, Vmi, VmiFlags, Wishes,
};
pub use self::local::{Context, Other, TableCell, TableColumn, TableColumns};
pub use self::snapshot::VolumeSnapshot;
pub use self::virtink::{MoveStep, PowerAction, RunPolicy, VirtinkFlags, VirtinkVm};
pub use decode::{BadObject, Decoded, decode, salvage};
pub use labels::Labels;
pub use meta::{Keys, Meta};
pub use metrics::{NodeMetrics, PodMetrics, Usage};
pub use own::{Image, ImageFlags, SupportedVersion, VolumeCommand, VolumeSet, Workload, WorkloadFlags};
pub use values::{Trouble, Truth};

use serde::Deserialize;

use crate::model::crd::GROUP;
use crate::model::{Key, Word};

/// Hands the list of all kinds to a macro: `Variant: what it is`. The only place where a kind is named to generic code.
#[macro_export]
#[doc(hidden)]
macro_rules! with_kinds {
    ($then:ident $($args:tt)*) => {
        $then! {
            [$($args)*]
            Vm, Vmi, Migration, Pool, Instancetype, ClusterInstancetype, Preference, ClusterPreference, VmSnapshot, VmRestore,
            DataVolume, DataSource, ImportCron,
            Claim, Pod, Event, Node, Namespace, Secret, StorageClass,
            VolumeSnapshot, VirtinkVm, OsArtifact, PodMetrics, NodeMetrics,
            Workload, VolumeSet, VolumeCommand, Image, SupportedVersion,
            Context, Other,
        }
    };
}

macro_rules! kinds {
    ([] $($kind:ident),* $(,)?) => {
        /// Which kind of object a record is of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each variant is the record of the same name")]
        pub enum Kind { $($kind),* }

        impl Kind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// What the API server calls this kind.
            pub fn info(self) -> &'static KindInfo {
                match self { $(Self::$kind => &<$kind as Record>::INFO),* }
            }
        }

        /// Records of one kind on their way from a feed to the store.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "each variant is the record of the same name")]
        pub enum Records { $($kind(Vec<$kind>)),* }

        impl Records {
            /// The kind of all of them.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind),* }
            }

            /// How many.
            pub fn len(&self) -> usize {
                match self { $(Self::$kind(records) => records.len()),* }
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }

        $(impl From<Vec<$kind>> for Records {
            fn from(records: Vec<$kind>) -> Self {
                Self::$kind(records)
            }
        })*
    };
}
with_kinds!(kinds);

/// Calls generic code with the record type of a kind that is only known at run time:
/// `dispatch!(kind, R => feed::<R>(…))`.
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch {
    ($kind:expr, $record:ident => $body:expr) => {
        $crate::with_kinds!(dispatch_arms [$kind, $record, $body])
    };
}

/// The arms of [`dispatch`].
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch_arms {
    ([[$kind:expr, $record:ident, $body:expr]] $($variant:ident),* $(,)?) => {
        match $kind {
            $($crate::records::Kind::$variant => {
                type $record = $crate::records::$variant;
                $body
            })*
        }
    };
}

/// What the API server calls a kind, and how little of it can be asked for.
#[derive(Debug)]
pub struct KindInfo {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Versions whose objects this record reads, the best one first; empty for rows that the program makes itself.
    pub versions: &'static [&'static str],
    /// The name in `kind:`.
    pub name: &'static str,
    /// The name in paths.
    pub plural: &'static str,
    /// What people call several of them, in the middle of a sentence.
    pub words: &'static str,
    /// Short names that the project or everybody uses.
    pub short: &'static [&'static str],
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Label selectors that together find those objects which belong to virtual machines; empty: all of them may.
    pub partners: &'static [&'static str],
}

/// The commands that bring a group's kinds to a cluster, where one can be named.
const INSTALLED_BY: &[(&str, &str)] = &[(GROUP, "v9s crds | kubectl apply --server-side -f -")];

/// Where the objects of a kind come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The server has them as objects.
    Server,
    /// The server makes them: rows of its own table of some resource, whichever that is.
    Table,
    /// The program makes them itself and asks no server.
    Program,
}

impl Kind {
    /// Where its objects come from.
    pub fn origin(self) -> Origin {
        match self {
            Self::Other => Origin::Table,
            _ if self.info().versions.is_empty() => Origin::Program,
            _ => Origin::Server,
        }
    }
}

impl KindInfo {
    /// `plural.group`; the plural alone where it is one of Kubernetes' core.
    pub fn full_name(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The command that brings this kind to a cluster, if one can be named.
    pub fn installed_by(&self) -> Option<&'static str> {
        Self::command_for(self.group)
    }

    /// The command that brings the kinds of a group to a cluster, if one can be named.
    pub fn command_for(group: &str) -> Option<&'static str> {
        INSTALLED_BY.iter().find(|(of, _)| *of == group).map(|(_, command)| *command)
    }
}

/// The narrow form of one kind of object.
pub trait Record: PartialEq + Sized + Send + std::fmt::Debug + 'static
where
    Records: From<Vec<Self>>,
{
    /// Its number.
    const KIND: Kind;
    /// Its names.
    const INFO: KindInfo;
    /// The array of a list answer that holds the objects.
    const LIST_KEY: &'static str = "items";

    /// The fields of the object that the record is made of, borrowed from the bytes of the answer.
    type Wire<'de>: Deserialize<'de> + wire::Versioned;

    /// Makes the record.
    fn fold(wire: Self::Wire<'_>) -> Self;

    /// The record of an object of which only the metadata could be read.
    fn bare(meta: Meta) -> Self;

    /// Decodes what a watch event carries as its object.
    fn decode_event(object: &[u8]) -> Result<Decoded<Self>, BadObject> {
        decode(object)
    }

    /// Name, namespace, UID, times, owners.
    fn meta(&self) -> &Meta;

    /// Calls `link` with the key of each object that this one is a part of, besides its owners.
    fn part_of(&self, link: &mut dyn FnMut(Key)) {
        let _ = link;
    }

    /// Calls `link` with the key of each object that this one names as its part and does not own.
    fn has_parts(&self, link: &mut dyn FnMut(Key)) {
        let _ = link;
    }

    /// The key of the object that sums this one up with its likes (a node the guests on it) without being made of it.
    fn member_of(&self) -> Option<Key> {
        None
    }

    /// The key of another object that does so as well.
    fn also_member_of(&self) -> Option<Key> {
        None
    }

    /// The key by which others name this object.
    fn key(&self) -> Key {
        name_key(Self::KIND, self.meta().namespace, &self.meta().name)
    }
}

/// The key of an object by kind, namespace and name. The namespace is left out where the kind has none.
pub fn name_key(kind: Kind, namespace: Word, name: &str) -> Key {
    let namespace = if kind.info().namespaced { namespace } else { Word::default() };
    Key::name(kind as u8, namespace, name)
}
