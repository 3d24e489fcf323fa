//! A cluster for people who have none at hand, and for tests.
//!
//! [`server`] is a Kubernetes API server inside the program: it knows a fixed set of kinds and nothing of v9s; all that
//! it and the rest of the program have in common is the Kubernetes API. [`platform`] is a client of any API server that does
//! what KubeVirt's, CDI's and the nodes' parts do; [`virt_api`] and [`metrics_api`] answer for groups of theirs. [`tenants`]
//! live there, [`fleet`] adds as many machines as one likes; [`start`] puts it together and lets people in, [`beside`] does so
//! on a server of somebody else.

pub mod admission;
pub mod aggregate;
pub mod beside;
pub mod fixtures;
pub mod fleet;
pub mod guests;
pub mod kubeconfig;
pub mod metrics_api;
pub mod platform;
pub mod rights;
pub mod server;
pub mod start;
pub mod tenants;
pub mod virt_api;
