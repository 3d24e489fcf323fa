//! Kinds of CDI.

use super::Row;
use super::columns::{AGE, integer, text};
use super::custom::CUSTOM;

const CDI: Row = Row { group: "cdi.kubevirt.io", versions: &["v1beta1", "v1alpha1"], ..CUSTOM };
const FORKLIFT: Row = Row { group: "forklift.cdi.kubevirt.io", versions: &["v1beta1"], ..CUSTOM };

pub(super) const ROWS: &[Row] = &[
    Row {
        kind: "CDIConfig",
        plural: "cdiconfigs",
        singular: "cdiconfig",
        versions: &["v1beta1"],
        namespaced: false,
        ..CDI
    },
    Row {
        kind: "CDI",
        plural: "cdis",
        singular: "cdi",
        short: &["cdi", "cdis"],
        namespaced: false,
        columns: &[AGE, text("Phase", ".status.phase")],
        ..CDI
    },
    Row {
        kind: "DataImportCron",
        plural: "dataimportcrons",
        singular: "dataimportcron",
        versions: &["v1beta1"],
        short: &["dic", "dics"],
        categories: &["all"],
        columns: &[text("Format", ".status.sourceFormat").about("Format of imported images")],
        ..CDI
    },
    Row {
        kind: "DataSource",
        plural: "datasources",
        singular: "datasource",
        versions: &["v1beta1"],
        short: &["das"],
        categories: &["all"],
        ..CDI
    },
    Row {
        kind: "DataVolume",
        plural: "datavolumes",
        singular: "datavolume",
        versions: &["v1beta1"],
        short: &["dv", "dvs"],
        categories: &["all"],
        status: true,
        columns: &[
            text("Phase", ".status.phase").about("How far the volume is"),
            text("Progress", ".status.progress").about("Percentage of the transfer, where it is known"),
            integer("Restarts", ".status.restartCount").about("How often the transfer began anew"),
            AGE,
        ],
        ..CDI
    },
    Row {
        kind: "ObjectTransfer",
        plural: "objecttransfers",
        singular: "objecttransfer",
        versions: &["v1beta1"],
        short: &["ot", "ots"],
        namespaced: false,
        status: true,
        columns: &[AGE, text("Phase", ".status.phase").about("How far the transfer is")],
        ..CDI
    },
    Row {
        kind: "StorageProfile",
        plural: "storageprofiles",
        singular: "storageprofile",
        versions: &["v1beta1"],
        namespaced: false,
        status: true,
        ..CDI
    },
    Row {
        kind: "VolumeCloneSource",
        plural: "volumeclonesources",
        singular: "volumeclonesource",
        versions: &["v1beta1"],
        ..CDI
    },
    Row {
        kind: "VolumeImportSource",
        plural: "volumeimportsources",
        singular: "volumeimportsource",
        versions: &["v1beta1"],
        ..CDI
    },
    Row {
        kind: "VolumeUploadSource",
        plural: "volumeuploadsources",
        singular: "volumeuploadsource",
        versions: &["v1beta1"],
        ..CDI
    },
    Row {
        kind: "OpenstackVolumePopulator",
        plural: "openstackvolumepopulators",
        singular: "openstackvolumepopulator",
        short: &["osvp", "osvps"],
        ..FORKLIFT
    },
    Row {
        kind: "OvirtVolumePopulator",
        plural: "ovirtvolumepopulators",
        singular: "ovirtvolumepopulator",
        short: &["ovvp", "ovvps"],
        ..FORKLIFT
    },
];
