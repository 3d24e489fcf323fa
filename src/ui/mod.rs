//! The screen.

pub mod colour;
pub mod signals;
pub mod terminal;
#[cfg(unix)]
mod unix;
