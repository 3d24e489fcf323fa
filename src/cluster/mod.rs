//! Everything between the program and an API server: the kubeconfig, credentials, the connection, what the server
//! offers, and the gate that every change passes.
//!
//! This layer asks and answers; it decides nothing about the screen, and what it hands out are plain values and
//! byte streams. Decoding of objects belongs to the records.

pub mod access;
pub mod connect;
pub mod console;
pub mod dial;
pub mod discovery;
pub mod error;
pub mod feed;
pub mod gate;
pub mod kubeconfig;
pub mod live;
pub mod logs;
pub mod object;
pub mod plugin;
mod proxy;
mod renewal;
pub(crate) mod settings;
pub mod stream;
#[cfg(test)]
mod testing;
pub mod watch;
