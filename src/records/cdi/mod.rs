//! Containerized Data Importer.

mod data_source;
mod data_volume;
mod import_cron;

pub use data_source::DataSource;
pub use data_volume::DataVolume;
pub use import_cron::ImportCron;
