//! What fills the middle of the screen.

pub mod list;
