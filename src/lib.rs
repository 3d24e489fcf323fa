//! v9s: a full-screen terminal program for people who run virtual machines on Kubernetes.
//!
//! The modules form one total order; a module names only those above it in this list (`tests/layers.rs` checks it):
//!
//! | Module | Holds |
//! |---|---|
//! | [`model`], [`text`], [`config`] | plain values (time, quantities, keys), hostile text made safe, folders and files |
//! | [`emulator`] | a guest's console: bytes to cells, keys to bytes |
//! | [`records`] | the Kind table and one narrow record per kind |
//! | [`store`] | records by UID, links, order, freshness, cached states |
//! | [`rules`], [`explain`] | what is wrong in documents; states derived from records |
//! | [`cluster`] | connection, discovery, feeds, the gate for changes |
//! | [`demo`] | a cluster inside the program |
//! | [`views`] | lists as data: columns, partners, sort and filter |
//! | [`ui`], [`cli`] | the screen; the subcommands |

pub mod cli;
pub mod cluster;
pub mod config;
pub mod demo;
pub mod emulator;
pub mod explain;
pub mod model;
pub mod records;
pub mod rules;
pub mod store;
pub mod text;
pub mod ui;
pub mod views;
