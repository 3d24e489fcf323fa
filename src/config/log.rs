//! The log: one bounded file of plain lines in the state folder. The screen belongs to the program, so nothing is ever
//! printed.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;

use super::folders::{Folders, append_private};
use super::redact::redact;
use crate::text::clean;

/// The file is put aside when it would grow beyond this; one old file is kept.
const LIMIT: u64 = 5 * 1024 * 1024;
/// A message of a server can be of any length; this much of it is logged.
const LONGEST_LINE: usize = 8 * 1024;
/// How many of the last lines a report shows.
const TAIL: usize = 50;
/// What kube says of a failed request, the feed that made it says better.
const DEFAULT: &str = "warn,kube_client=off";
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The last lines of this process, for reports. Global, like the subscriber that fills it.
static LAST: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// How the log was started.
#[derive(Debug, Default)]
pub struct Started {
    /// The file; `None` if nothing is logged.
    pub path: Option<PathBuf>,
    /// What the user should know: a level that is none, a folder that cannot be written.
    pub warnings: Vec<String>,
}

/// Starts the log for the whole process; `level` is what `V9S_LOG` says.
///
/// `off`, or a level: for this program, while what it is built from logs warnings only; or directives as
/// `tracing_subscriber` takes them (`warn,kube=debug`). It never fails: without a file the program runs without a log.
pub fn start(folders: &Folders, level: Option<&str>) -> Started {
    let mut started = Started::default();
    let filter = filter(level.unwrap_or_default()).unwrap_or_else(|warning| {
        started.warnings.push(warning);
        Some(EnvFilter::new(DEFAULT))
    });
    let Some(filter) = filter else { return started };
    let path = folders.state.join("v9s.log");
    let log = match Rotating::open(&path, LIMIT) {
        Ok(file) => Log(Arc::new(Mutex::new(file))),
        Err(error) => {
            started.warnings.push(format!("There is no log: {error}."));
            return started;
        }
    };
    match tracing::subscriber::set_global_default(subscriber(filter, log)) {
        Ok(()) => started.path = Some(path),
        Err(error) => started.warnings.push(format!("There is no log: {error}.")),
    }
    started
}

/// The last lines of the log, oldest first; none while another thread writes one, for a report must not wait.
pub fn tail() -> Vec<String> {
    LAST.try_lock().map(|last| last.iter().cloned().collect()).unwrap_or_default()
}

/// `None` is off.
fn filter(level: &str) -> Result<Option<EnvFilter>, String> {
    let lower = level.trim().to_ascii_lowercase();
    let broken = |why: &str| {
        let value = clean(level);
        format!(
            "V9S_LOG={value} is not understood{why}; the log shows warnings. Use off, {}, or \
                 directives such as warn,kube=debug.",
            LEVELS.join(", ")
        )
    };
    match lower.as_str() {
        "off" => Ok(None),
        "" => Ok(Some(EnvFilter::new(DEFAULT))),
        "error" => Ok(Some(EnvFilter::new("error"))),
        level if LEVELS.contains(&level) => Ok(Some(EnvFilter::new(format!("{DEFAULT},v9s={level}")))),
        // The crate takes a lone word for the name of a module: a typing error would log nothing, without a word.
        word if !word.contains(['=', ',', '[']) => Err(broken("")),
        _ => EnvFilter::try_new(level.trim()).map(Some).map_err(|error| broken(&format!(" ({error})"))),
    }
}

fn subscriber(filter: EnvFilter, log: Log) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_timer(SystemTime)
        // Else it prints to the screen what it could not write.
        .log_internal_errors(false)
        .with_writer(log)
        .finish()
}

#[derive(Clone)]
struct Log(Arc<Mutex<Rotating>>);

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

/// Takes one event, which the formatter hands over in one piece.
struct Line<'a>(&'a Mutex<Rotating>);

impl Write for Line<'_> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = prepare(&String::from_utf8_lossy(event));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line.as_bytes());
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == TAIL {
            last.pop_front();
        }
        last.push_back(line);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One event is one line: without secrets, and without line breaks by which a server could forge another event.
fn prepare(event: &str) -> String {
    // Cut twice: before, for looking for secrets takes time; after, so that none is cut into something unlike one.
    let event = event.trim_end();
    let safe = redact(&event[..event.floor_char_boundary(2 * LONGEST_LINE)]);
    let safe = clean(&safe);
    let end = safe.floor_char_boundary(LONGEST_LINE);
    let more = if end < safe.len() { "…" } else { "" };
    format!("{}{more}\n", &safe[..end])
}

/// A file that is put aside when it is full.
struct Rotating {
    path: PathBuf,
    file: File,
    length: u64,
    limit: u64,
}

impl Rotating {
    fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = append_private(path)?;
        let length = file.metadata().map_or(0, |found| found.len());
        Ok(Self { path: path.to_owned(), file, length, limit })
    }

    /// A disk that is full costs lines of the log, nothing else.
    fn write(&mut self, line: &[u8]) {
        let added = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.length > 0 && self.length.saturating_add(added) > self.limit {
            self.rotate();
        }
        if self.file.write_all(line).is_ok() {
            self.length += added;
        }
    }

    fn rotate(&mut self) {
        // Another process on the same file may have done it: then the file of that name is another one, and short.
        let full = fs::metadata(&self.path).is_ok_and(|found| found.len() >= self.length);
        let mut old = self.path.clone().into_os_string();
        old.push(".1");
        if full && fs::rename(&self.path, old).is_err() {
            // Windows refuses while another process has it open.
            let _ = self.file.set_len(0);
        }
        if let Ok(fresh) = Self::open(&self.path, self.limit) {
            *self = fresh;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(level: &str, log: impl FnOnce()) -> String {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("state/v9s.log");
        let writer = Log(Arc::new(Mutex::new(Rotating::open(&path, LIMIT).unwrap())));
        let filter = filter(level).unwrap().unwrap();
        tracing::subscriber::with_default(subscriber(filter, writer), log);
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn levels_are_read() {
        for (level, want) in [
            ("", Some("kube_client=off,warn")),
            ("off", None),
            ("OFF", None),
            ("error", Some("error")),
            (" Debug ", Some("kube_client=off,v9s=debug,warn")),
            ("warn,kube=debug", Some("kube=debug,warn")),
            ("kube=trace", Some("kube=trace")),
        ] {
            assert_eq!(filter(level).unwrap().map(|f| f.to_string()).as_deref(), want, "{level}");
        }
        for broken in ["debgu", "v9s=loud", "4", "x=,=,[{"] {
            let warning = filter(broken).unwrap_err();
            assert!(warning.starts_with(&format!("V9S_LOG={broken} is not understood")), "{warning}");
        }
    }

    #[test]
    fn an_event_is_one_plain_line() {
        let text = written("debug", || {
            tracing::warn!(name = "a\x1b[31m", "line\n2026 forged, token: abc");
            tracing::debug!("seen");
            tracing::debug!(target: "kube", "not seen");
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("Z  WARN v9s::config::log"), "{text}");
        assert!(lines[0].contains("token: [hidden]"), "{text}");
        assert!(!text.contains(['\x1b', '\r']) && !text.contains("abc"), "{text}");
        assert!(lines[1].ends_with(": seen"), "{text}");
        assert!(tail().iter().any(|line| line.contains("seen")));
    }

    #[test]
    fn a_full_file_is_put_aside() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("v9s.log");
        let mut log = Rotating::open(&path, 20).unwrap();
        for line in ["first 10\n", "second 10\n", "third\n", "fourth\n"] {
            log.write(line.as_bytes());
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "third\nfourth\n");
        assert_eq!(fs::read_to_string(top.path().join("v9s.log.1")).unwrap(), "first 10\nsecond 10\n");

        let mut other = Rotating::open(&path, 20).unwrap();
        other.write(b"fifth 789\n");
        log.write(b"sixth 789\n");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "fifth 789\nsixth 789\n",
            "rotated once, by the other"
        );
    }

    #[test]
    fn long_lines_are_cut() {
        let line = prepare(&"ü".repeat(LONGEST_LINE));
        assert!(line.len() < LONGEST_LINE + 8 && line.ends_with("…\n"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_warning() {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("state"), "").unwrap();
        let started = start(&Folders::under(top.path()), Some("nonsense"));
        assert_eq!((started.path, started.warnings.len()), (None, 2));
    }
}
