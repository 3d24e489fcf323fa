//! KubeVirt.

mod instancetype;
mod migration;
mod pool;
mod vm;
mod vm_snapshot;
mod vmi;

pub use instancetype::{ClusterInstancetype, InstanceFlags, InstanceSize, Instancetype};
pub use migration::{Migration, MigrationFlags, MigrationMode, MigrationOrigin};
pub use pool::{Pool, PoolFlags};
pub use vm::{RunStrategy, Vm, VmFlags};
pub use vm_snapshot::{VmSnapshot, VmSnapshotFlags};
pub use vmi::{Vmi, VmiFlags};
