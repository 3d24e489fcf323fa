//! KubeVirt.

mod instancetype;
mod migration;
mod pool;
mod vm;
mod vm_snapshot;
mod vmi;

pub use instancetype::{ClusterInstancetype, Instancetype};
pub use migration::Migration;
pub use pool::Pool;
pub use vm::{RunStrategy, Vm, VmFlags};
pub use vm_snapshot::VmSnapshot;
pub use vmi::{Vmi, VmiFlags};
