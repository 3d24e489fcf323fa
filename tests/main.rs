//! One integration binary: it links once, and its modules share `support`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod alike;
mod budget;
mod cluster;
mod demo;
mod docs;
mod documents;
mod explain;
mod frames;
mod kubectl;
mod layers;
mod own_kinds;
mod platform;
#[cfg(unix)]
mod screens;
mod support;
mod support_checks;
mod virt_api;
