//! The embedded server, as clients meet it that nobody would want.

mod feeds;
mod hostile;
#[cfg(target_os = "linux")]
mod process;
