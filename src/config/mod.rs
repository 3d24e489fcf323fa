//! Folders and files of the program: where they are, the log, reports of panics. Knows nothing of clusters or the screen.

pub mod folders;
pub mod log;
pub mod redact;
pub mod report;
pub mod yaml;

pub use folders::{Folders, create_private, private_folder, rewrite, write_atomically};
pub use redact::redact;
