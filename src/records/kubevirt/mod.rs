//! KubeVirt.

mod instancetype;
mod migration;
mod pool;
mod preference;
mod vm;
mod vm_restore;
mod vm_snapshot;
mod vmi;

pub use instancetype::{ClusterInstancetype, InstanceFlags, InstanceSize, Instancetype};
pub use migration::{Migration, MigrationFlags, MigrationMode, MigrationOrigin};
pub use pool::{Pool, PoolFlags};
pub use preference::{ClusterPreference, Preference, Wishes};
pub use vm::{RunStrategy, Vm, VmFlags};
pub use vm_restore::{VmRestore, VmRestoreFlags};
pub use vm_snapshot::{VmSnapshot, VmSnapshotFlags};
pub use vmi::{Vmi, VmiFlags};
