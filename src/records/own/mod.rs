//! Our own kinds.

mod image;
mod version;
mod volume_command;
mod volume_set;
mod workload;

pub use image::{Image, ImageFlags};
pub use version::SupportedVersion;
pub use volume_command::VolumeCommand;
pub use volume_set::VolumeSet;
pub use workload::{Workload, WorkloadFlags};

use super::values::Told;
use super::wire::Fold;
use super::{Kind, KindInfo};
use crate::model::crd::{GROUP, VERSION};
use crate::model::{Name, Time, Word};

/// What every kind of ours has in common.
const fn info(
    name: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    words: &'static str,
) -> KindInfo {
    KindInfo {
        group: GROUP,
        versions: &[VERSION],
        name,
        plural,
        words,
        short,
        namespaced: true,
        partners: &[],
    }
}

/// The name at the end of a link such as `cpln://volumeset/NAME`.
fn linked<'a>(uri: &'a str, kind: &str) -> Option<&'a str> {
    uri.strip_prefix("cpln://")?.strip_prefix(kind)?.strip_prefix('/').filter(|name| !name.is_empty())
}

/// The condition `Ready`, whose message is kept while it is not True.
#[derive(Default)]
struct Ready {
    since: Option<Time>,
    reason: Word,
    message: Option<Box<Name>>,
}

impl<'de> Fold<'de> for Ready {
    type Item = Told<'de>;

    fn add(&mut self, condition: Told<'de>) {
        if &*condition.name != "Ready" {
            return;
        }
        self.since = condition.last_transition_time.time();
        if &*condition.status != "True" {
            self.reason = condition.reason.word();
            self.message = super::values::message(&condition.message, 300);
        }
    }
}

/// The kind that a word of a document means.
fn kind_of(word: &str) -> Option<Kind> {
    match word {
        "DataSource" => Some(Kind::DataSource),
        "DataVolume" => Some(Kind::DataVolume),
        "PersistentVolumeClaim" => Some(Kind::Claim),
        "VolumeSnapshot" => Some(Kind::VolumeSnapshot),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
