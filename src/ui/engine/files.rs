//! The files that the screen reads and writes by itself.

use std::io::Write as _;
use std::path::PathBuf;

use crate::config::Folders;
use crate::config::folders::{create_private_new, private_folder, write_atomically};
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

/// A path among the saved screens that no file has: a name with the time.
fn path_for(name: &str, extension: &str) -> std::io::Result<PathBuf> {
    let folder = Folders::find().screens();
    private_folder(&folder)?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).take(100).collect();
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    Ok(folder.join(format!("{name}-{time}.{extension}")))
}

/// Writes a file among the saved screens.
pub(super) fn save(name: &str, extension: &str, text: &str) -> Result<PathBuf, String> {
    let write = || -> std::io::Result<PathBuf> {
        let path = path_for(name, extension)?;
        write_atomically(&path, text.as_bytes())?;
        Ok(path)
    };
    write().map_err(|error| cannot(&error))
}

fn cannot(error: &std::io::Error) -> String {
    // The error names the file.
    format!("This cannot be written: {error}.")
}

/// Pieces of a recording that wait for the disk at most, some tens of kilobytes each.
const WAITING: usize = 256;

/// A recording that is being written, by a thread of its own. It ends when this is dropped, with all that was taken.
#[derive(Debug)]
pub(super) struct Recorder(std::sync::mpsc::SyncSender<String>);

impl Recorder {
    /// Begins a file that only its owner can read, which a thread writes that runs what is given back. What came of it is told
    /// once it is there, and once more if it breaks.
    pub(super) fn begin(
        name: &str,
        head: String,
        tell: impl Fn(Result<PathBuf, String>) + Send + 'static,
    ) -> (Self, impl FnOnce() + Send + 'static) {
        let (sender, lines) = std::sync::mpsc::sync_channel::<String>(WAITING);
        let name = name.to_owned();
        let write = move || {
            let begin = || -> std::io::Result<(PathBuf, std::fs::File)> {
                let path = path_for(&name, "cast")?;
                let mut file = create_private_new(&path)?;
                file.write_all(head.as_bytes())?;
                Ok((path, file))
            };
            let mut file = match begin() {
                Ok((path, file)) => {
                    tell(Ok(path));
                    file
                }
                Err(error) => return tell(Err(cannot(&error))),
            };
            while let Ok(text) = lines.recv() {
                if let Err(error) = file.write_all(text.as_bytes()) {
                    return tell(Err(format!("The recording has ended: it cannot be written ({error}).")));
                }
            }
        };
        (Self(sender), write)
    }

    /// Takes lines; `false` if the disk does not keep up.
    pub(super) fn take(&self, lines: String) -> bool {
        use std::sync::mpsc::TrySendError;
        // One that has ended has said why.
        !matches!(self.0.try_send(lines), Err(TrySendError::Full(_)))
    }
}
