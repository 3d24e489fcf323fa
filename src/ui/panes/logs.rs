//! Logs: of a pod, or of all that works for a machine, in one.

mod ansi;
mod entries;
mod pane;
mod sources;

pub use self::entries::{Columns, Entries, KEPT};
pub use self::pane::LogsPane;
pub use self::sources::has_logs;
