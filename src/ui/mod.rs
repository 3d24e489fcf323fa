//! The screen: state, one function that changes it, one that draws it, and the loop around them.

mod answers;
pub mod app;
pub mod ascii;
pub mod clipboard;
pub mod colour;
pub mod command;
pub mod engine;
pub mod frame;
mod header;
pub mod input;
pub mod message;
pub mod panes;
pub mod prompt;
pub mod runtime;
pub mod session;
pub mod signals;
pub mod skins;
pub mod subject;
pub mod terminal;
pub mod theme;
#[cfg(unix)]
mod unix;
