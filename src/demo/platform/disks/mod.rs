//! What CDI and the storage do: data volumes, claims and their volumes, imports, uploads, clones, data sources and crons.
//!
//! | File | Plays |
//! |---|---|
//! | `class`, `profile` | what is known of storage classes; CDI's StorageProfiles |
//! | `bind`, `volume` | the claims' binder, the CSI driver |
//! | `datavolume`, `render`, `status` | CDI's DataVolumes: their claims, and what is told of them |
//! | `populate` | CDI's populators of imports and uploads |
//! | `clone` | CDI's populator of copies |
//! | `datasource`, `cron` | CDI's DataSources and DataImportCrons |
//! | `snapshot` | the CSI driver's snapshots |
//! | `worker`, `import`, `upload` | CDI's pods and who looks after them |
//! | `importer` | what runs in them |

mod bind;
mod class;
mod clone;
mod cron;
mod datasource;
mod datavolume;
mod import;
mod importer;
mod populate;
mod profile;
mod render;
mod snapshot;
mod source;
mod status;
#[cfg(test)]
mod tests;
mod upload;
mod volume;
mod worker;

use super::Reconciler;
use super::kind::Kind;
use super::nodes::program::Program;

/// What runs in CDI's pods.
pub(super) const PROGRAMS: &[Program] = importer::PROGRAMS;

/// The parts, in the order of their turns.
pub(super) const PARTS: &[Reconciler] = &[
    Reconciler {
        name: "storage profile",
        manager: "virt-cdi-controller",
        of: Kind::StorageClass,
        step: profile::step,
    },
    Reconciler {
        name: "import cron",
        manager: "virt-cdi-controller",
        of: Kind::DataImportCron,
        step: cron::step,
    },
    Reconciler {
        name: "data source",
        manager: "virt-cdi-controller",
        of: Kind::DataSource,
        step: datasource::step,
    },
    Reconciler {
        name: "data volume",
        manager: "virt-cdi-controller",
        of: Kind::DataVolume,
        step: datavolume::step,
    },
    Reconciler {
        name: "binder",
        manager: "kube-controller-manager",
        of: Kind::PersistentVolumeClaim,
        step: bind::step,
    },
    Reconciler {
        name: "import",
        manager: "virt-cdi-controller",
        of: Kind::PersistentVolumeClaim,
        step: import::step,
    },
    Reconciler {
        name: "upload",
        manager: "virt-cdi-controller",
        of: Kind::PersistentVolumeClaim,
        step: upload::step,
    },
    Reconciler {
        name: "populator",
        manager: "virt-cdi-controller",
        of: Kind::PersistentVolumeClaim,
        step: populate::step,
    },
    Reconciler {
        name: "clone",
        manager: "virt-cdi-controller",
        of: Kind::PersistentVolumeClaim,
        step: clone::step,
    },
    Reconciler {
        name: "snapshot",
        manager: "snapshot-controller",
        of: Kind::VolumeSnapshot,
        step: snapshot::step,
    },
    Reconciler {
        name: "volume",
        manager: "kube-controller-manager",
        of: Kind::PersistentVolume,
        step: volume::step,
    },
];
