//! The small values that a claim consists of.

use std::fmt;

use bitflags::bitflags;

use crate::model::Uid;
use crate::records::wire::{Fold, Str};

/// `status.phase` of a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimPhase {
    /// No phase yet, or a word that this program does not know.
    #[default]
    Unknown,
    /// Waits for a volume.
    Pending,
    /// Has a volume.
    Bound,
    /// Its volume is gone; normal for a prime claim whose work is done.
    Lost,
}

impl ClaimPhase {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "Pending" => Self::Pending,
            "Bound" => Self::Bound,
            "Lost" => Self::Lost,
            _ => Self::Unknown,
        }
    }

    /// The word of the API; empty if unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Pending => "Pending",
            Self::Bound => "Bound",
            Self::Lost => "Lost",
        }
    }
}

/// Phase of the pod that CDI works on a claim with, as the claim's annotation tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the phases of a pod")]
pub enum WorkerPhase {
    /// CDI does not work on it.
    #[default]
    None,
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

impl WorkerPhase {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "" => Self::None,
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// What CDI made a claim for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimRole {
    /// A claim that somebody wants to use.
    #[default]
    Own,
    /// The hidden claim that an import or upload is written to; its volume moves to the target in the end.
    Prime,
    /// Scratch space of a worker pod.
    Scratch,
    /// A temporary claim of a clone (label `cdi.kubevirt.io/OwnedByUID`).
    CloneTemporary,
}

bitflags! {
    /// `spec.accessModes`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    pub struct AccessModes: u8 {
        /// ReadWriteOnce: one node at a time.
        const RWO = 1;
        /// ReadOnlyMany.
        const ROX = 1 << 1;
        /// ReadWriteMany: what live migration needs.
        const RWX = 1 << 2;
        /// ReadWriteOncePod: one pod at a time.
        const RWOP = 1 << 3;
    }
}

impl fmt::Display for AccessModes {
    /// As kubectl shows them: `RWO,RWX`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, _)) in self.iter_names().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl<'de> Fold<'de> for AccessModes {
    type Item = Str<'de>;

    fn add(&mut self, mode: Str<'de>) {
        *self |= match &*mode {
            "ReadWriteOnce" => Self::RWO,
            "ReadOnlyMany" => Self::ROX,
            "ReadWriteMany" => Self::RWX,
            "ReadWriteOncePod" => Self::RWOP,
            _ => Self::empty(),
        };
    }
}

bitflags! {
    /// Yes-or-no facts about a claim.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct ClaimFlags: u16 {
        /// `spec.volumeMode` is Block.
        const BLOCK = 1;
        /// CDI fills it by a volume populator (`cdi.kubevirt.io/storage.usePopulator` is "true").
        const POPULATOR = 1 << 1;
        /// `spec.dataSourceRef` (or `dataSource`) names a kind of CDI.
        const CDI_SOURCE = 1 << 2;
        /// CDI need not wait for a consumer (`cdi.kubevirt.io/storage.bind.immediate.requested` is there).
        const BIND_NOW = 1 << 3;
        /// The scheduler has chosen a node (`volume.kubernetes.io/selected-node`).
        const NODE_CHOSEN = 1 << 4;
        /// CDI never tries again (`cdi.kubevirt.io/storage.import.fatalError`).
        const FATAL = 1 << 5;
        /// The next worker gets scratch space (`cdi.kubevirt.io/storage.import.requiresScratch`).
        const NEEDS_SCRATCH = 1 << 6;
        /// The worker can be talked to (`cdi.kubevirt.io/storage.pod.ready`).
        const WORKER_READY = 1 << 7;
        /// The volume or its file system is being resized.
        const RESIZING = 1 << 8;
        /// A clone went wrong (`cdi.kubevirt.io/cloneError`).
        const CLONE_ERROR = 1 << 9;
    }
}

/// `spec.volumeName`. Most are `pvc-` and a UUID, which takes no heap here.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// No volume yet.
    #[default]
    None,
    /// `pvc-` and the UID of the claim that it was made for.
    MadeFor(Uid),
    /// Any other name.
    Named(Box<str>),
}

impl Volume {
    pub(super) fn read(name: &Str<'_>) -> Self {
        // Only the canonical form, so that it is written back as it was.
        let canonical = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '-');
        let uuid = name.strip_prefix("pvc-").filter(|uuid| uuid.len() == 36 && uuid.chars().all(canonical));
        match uuid.map(|uuid| (uuid, Uid::parse(uuid))) {
            _ if name.is_empty() => Self::None,
            Some((uuid, uid)) if is_written_as(uid, uuid) => Self::MadeFor(uid),
            _ => Self::Named(name.name().as_str().into()),
        }
    }
}

/// Whether the identity was read rather than hashed, without making a text of it.
fn is_written_as(uid: Uid, text: &str) -> bool {
    struct Rest<'a>(&'a str);

    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    let mut rest = Rest(text);
    fmt::write(&mut rest, format_args!("{uid}")).is_ok() && rest.0.is_empty()
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::MadeFor(uid) => write!(f, "pvc-{uid}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn names_of_volumes_come_back_as_they_were() {
        let made = "pvc-3d3e1479-dcbf-4edf-a34f-1e6ab5079f53";
        for name in [
            "",
            made,
            "pv-7",
            "pvc-3D3E1479-dcbf-4edf-a34f-1e6ab5079f53",
            "pvc-3d3e1479adcbf-4edf-a34f-1e6ab5079f53",
            "pvc------------------------------------",
            "pvc-",
        ] {
            let volume = Volume::read(&Str(Cow::Borrowed(name)));
            assert_eq!(volume.to_string(), name);
            assert_eq!(matches!(volume, Volume::MadeFor(_)), name == made, "{name}");
        }
        assert_eq!(Volume::read(&Str(Cow::Borrowed("a\u{1b}"))).to_string(), "a␛");
    }
}
