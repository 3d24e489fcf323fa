//! A cluster for people who have none at hand, and for tests.
//!
//! [`server`] is a Kubernetes API server inside the program: it knows a fixed set of kinds and nothing of v9s; all that
//! it and the rest of the program have in common is the Kubernetes API. [`fleet`] fills it with as many machines as one
//! likes; [`virt_api`] plays KubeVirt's aggregated API on any API server, [`metrics_api`] that of metrics; [`start`] puts something on it and lets people in.

pub mod admission;
pub mod aggregate;
pub mod beside;
pub mod fixtures;
pub mod fleet;
pub mod kubeconfig;
pub mod metrics_api;
pub mod platform;
pub mod rights;
pub mod server;
pub mod start;
pub mod tenants;
pub mod virt_api;
