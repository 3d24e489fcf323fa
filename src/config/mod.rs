//! Folders and files of the program: where they are, what the user has chosen, what is remembered, the log, reports of panics.
//! Knows nothing of clusters or the screen.

pub mod folders;
mod k9s;
pub mod keys;
pub mod log;
pub mod redact;
pub mod report;
pub mod settings;
pub mod state;
pub mod yaml;

pub use folders::{Folders, create_private, private_folder, rewrite, write_atomically};
pub use redact::redact;
pub use settings::Config;

/// The name of a file or folder for something that may be called anything, as k9s has it: each run of characters that
/// separate becomes one `-`.
fn file_name(name: &str) -> String {
    const LONGEST: usize = 200;
    let (mut out, mut in_run) = (String::new(), false);
    for c in name.chars() {
        let separates = c.is_control() || "/:\\<>\"|?*".contains(c);
        if out.len() + c.len_utf8() > LONGEST {
            break;
        }
        if !(separates && in_run) {
            out.push(if separates { '-' } else { c });
        }
        in_run = separates;
    }
    // No hidden file, and none of the folders above.
    if out.starts_with('.') || out.is_empty() { format!("-{out}") } else { out }
}
