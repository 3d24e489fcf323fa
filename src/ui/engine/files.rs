//! The files that the screen reads and writes by itself.

use std::path::PathBuf;

use crate::config::Folders;
use crate::config::folders::{private_folder, rewrite, write_atomically};
use crate::config::state;
use crate::ui::message::Recalled;

/// The file of saved filters: they are of use in any context.
fn filters_file(folders: &Folders) -> PathBuf {
    folders.state.join("filters")
}

/// What was remembered of a context, and the saved filters.
pub(super) fn recall(cluster: &str, context: &str) -> Recalled {
    let folders = Folders::find();
    let (state, warning) = state::load(&folders, cluster, context);
    let filters = std::fs::read_to_string(filters_file(&folders)).unwrap_or_default();
    Recalled { state, filters, warning }
}

/// Keeps what is to be known the next time.
pub(super) fn remember(cluster: &str, context: &str, state: &state::State, filters: &str) {
    let folders = Folders::find();
    let path = filters_file(&folders);
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let filters = if kept == filters { Ok(()) } else { write_atomically(&path, filters.as_bytes()) };
    if let Err(error) = state::save(&folders, cluster, context, state).and(filters) {
        tracing::warn!(%error, "what is to be remembered cannot be written");
    }
}

/// Writes a file among the saved screens.
pub(super) fn save(name: &str, extension: &str, text: &str) -> Result<PathBuf, String> {
    let folder = Folders::find().screens();
    let write = || -> std::io::Result<PathBuf> {
        private_folder(&folder)?;
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = name.chars().map(plain).take(100).collect();
        let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
        let path = folder.join(format!("{name}-{time}.{extension}"));
        rewrite(&path, text.as_bytes())?;
        Ok(path)
    };
    write().map_err(|error| format!("{} cannot be written: {error}.", folder.display()))
}
