//! Kubernetes' own kinds.

mod claim;
mod claim_values;
mod event;
mod namespace;
mod node;
mod pod;
mod pod_status;
mod secret;
mod storage_class;

pub use claim::Claim;
pub use claim_values::{AccessModes, ClaimFlags, ClaimPhase, ClaimRole, Volume, WorkerPhase};
pub use event::Event;
pub use namespace::Namespace;
pub use node::{Node, NodeFlags};
pub use pod::{Ended, Pod, PodEvidence, PodFlags, PodRole};
pub use secret::Secret;
pub use storage_class::{BindingMode, StorageClass, StorageClassFlags};
