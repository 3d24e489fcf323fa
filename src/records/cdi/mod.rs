//! Containerized Data Importer.

mod data_source;
mod data_volume;
mod dv_source;
mod import_cron;

pub use data_source::{DataSource, DataSourceKind};
pub use data_volume::{DataVolume, DataVolumeFlags};
pub use dv_source::SourceKind;
pub use import_cron::{ImportCron, ImportCronFlags};
