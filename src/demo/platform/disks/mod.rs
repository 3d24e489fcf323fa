//! What CDI and the storage do: data volumes, claims and their volumes, imports, uploads, clones, data sources and crons.
//!
//! | File | Plays |
//! |---|---|
//! | `class`, `profile` | what is known of storage classes; CDI's StorageProfiles |
//! | `bind`, `volume` | the claims' binder, the CSI driver |
//! | `datavolume`, `render`, `status` | CDI's DataVolumes: their claims, and what is told of them |
//! | `populate` | CDI's populators of imports and uploads |
//! | `worker`, `import` | CDI's importer pods |
//! | `importer` | what runs in them |

mod bind;
mod class;
mod datavolume;
mod import;
mod importer;
mod populate;
mod profile;
mod render;
mod source;
mod status;
#[cfg(test)]
mod tests;
mod volume;
mod worker;

use super::Reconciler;
use super::kind::Kind;
use super::nodes::program::Program;

/// What runs in CDI's pods.
pub(super) const PROGRAMS: &[Program] = importer::PROGRAMS;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler { name: "storage profile", of: Kind::StorageClass, step: profile::step },
    Reconciler { name: "data volume", of: Kind::DataVolume, step: datavolume::step },
    Reconciler { name: "import", of: Kind::PersistentVolumeClaim, step: import::step },
    Reconciler { name: "populator", of: Kind::PersistentVolumeClaim, step: populate::step },
    Reconciler { name: "binder", of: Kind::PersistentVolumeClaim, step: bind::step },
    Reconciler { name: "volume", of: Kind::PersistentVolume, step: volume::step },
];
