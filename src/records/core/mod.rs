//! Kubernetes' own kinds.

mod claim;
mod event;
mod namespace;
mod node;
mod pod;
mod storage_class;

pub use claim::Claim;
pub use event::Event;
pub use namespace::Namespace;
pub use node::Node;
pub use pod::Pod;
pub use storage_class::StorageClass;
