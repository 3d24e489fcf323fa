//! Checks of the test support itself.

#[cfg(unix)]
mod keys;
mod network;
#[cfg(unix)]
mod screen;
mod server;
