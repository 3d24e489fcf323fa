//! Files that a command reads and writes.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::rules::LONGEST;

/// The name that stands for standard input.
pub(super) const STDIN: &str = "-";

/// What to call a file in a message.
pub(super) fn shown(name: &str) -> &str {
    if name == STDIN { "<stdin>" } else { name }
}

/// Reads a file, or standard input for `-`, up to one byte more than is judged.
pub(super) fn read(name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = LONGEST as u64 + 1;
    if name == STDIN {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(Path::new(name))?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Says why a file cannot be used.
pub(super) fn complain(name: &str, error: &io::Error) {
    // The words of the system, without its number.
    let why = error.to_string();
    let why = why.split(" (os error").next().unwrap_or_default();
    eprintln!("v9s: {}: {why}", crate::text::one_line(shown(name), 300));
}
