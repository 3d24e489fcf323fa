//! What happens on a panic: the terminal is given back, a report is written, one sentence says where it is.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process, thread};

use super::folders::{Folders, create_private_new};
use super::log;
use super::redact::redact;
use crate::text::one_line;

/// How many reports are kept.
const KEPT: usize = 20;
/// How many one process writes: a task that panics again and again must not push out the report of its first time.
const PER_PROCESS: usize = 5;

static WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// A panic, as the user is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The message, as one line without secrets.
    pub message: String,
    /// The name of the thread.
    pub thread: String,
    /// The report, or why there is none.
    pub report: Result<PathBuf, String>,
}

impl Crash {
    /// The sentence for the user after the program has stopped.
    pub fn farewell(&self) -> String {
        let message = self.message.trim_end_matches('.');
        match &self.report {
            Ok(path) => format!(
                "v9s stopped because of a bug: {message}. A report is in {}; please attach it to an issue.",
                path.display()
            ),
            Err(why) => format!("v9s stopped because of a bug: {message}. There is no report: {why}."),
        }
    }
}

/// Installs the panic hook of the process. Call it on the main thread, after the log was started.
///
/// A panic on the thread that called this ends the program: `restore` gives the terminal back, the report is written, and
/// one sentence goes to stderr, followed by what the earlier hook prints if `RUST_BACKTRACE` is set. A panic on any other
/// thread ends that task only: the report is written and `notify` is called, on that thread; the screen stays.
pub fn install_hook(folders: &Folders, restore: fn(), notify: Box<dyn Fn(Crash) + Send + Sync>) {
    let main = thread::current().id();
    let folder = folders.state.clone();
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let fatal = thread::current().id() == main;
        if fatal {
            restore();
        }
        let crash = crash(&folder, info);
        if !fatal {
            notify(crash);
            return;
        }
        // Not `eprintln`, which panics when the terminal has hung up.
        let _ = writeln!(io::stderr(), "{}", crash.farewell());
        if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            previous(info);
        }
    }));
}

fn crash(folder: &Path, info: &PanicHookInfo<'_>) -> Crash {
    let full = info.payload_as_str().unwrap_or("(no message)");
    let thread = thread::current().name().unwrap_or("(no name)").to_owned();
    let report = if WRITTEN.fetch_add(1, Ordering::Relaxed) < PER_PROCESS {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = text(full, &thread, &place, &Backtrace::force_capture().to_string());
        write(folder, &text).map_err(|error| error.to_string())
    } else {
        Err(format!("this process has written {PER_PROCESS} already"))
    };
    Crash { message: one_line(&redact(full), 300), thread, report }
}

/// The report as text, without secrets.
fn text(message: &str, thread: &str, place: &str, backtrace: &str) -> String {
    let args: Vec<String> = env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "v9s {} on {} {}", env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    let _ = writeln!(out, "time:     {}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"));
    let _ = writeln!(out, "args:     {}", args.join(" "));
    let _ = writeln!(out, "thread:   {thread}");
    let _ = writeln!(out, "place:    {place}");
    let _ = writeln!(out, "message:  {message}");
    let _ = writeln!(out, "\nbacktrace:\n{}", backtrace.trim_end());
    let _ = writeln!(out, "\nlast lines of the log:");
    for line in log::tail() {
        out.push_str(&line);
    }
    redact(&out).into_owned()
}

fn write(folder: &Path, text: &str) -> io::Result<PathBuf> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let pid = process::id();
    let mut number = 1;
    let (path, mut file) = loop {
        let again = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("panic-{stamp}-{pid}{again}.txt"));
        match create_private_new(&path) {
            Ok(file) => break (path, file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(error),
        }
    };
    file.write_all(text.as_bytes())?;
    prune(folder);
    Ok(path)
}

/// Removes the oldest reports; their names sort by time.
fn prune(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut reports: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("panic-") && name.ends_with(".txt")
        })
        .collect();
    reports.sort();
    let excess = reports.len().saturating_sub(KEPT);
    for path in &reports[..excess] {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILD: &str = "V9S_TEST_PANIC_IN";

    /// The hook is of the process, so it is tested in a process of its own: this test, started again.
    fn child(folder: &Path, backtrace: &str) -> process::Output {
        process::Command::new(env::current_exe().unwrap())
            .args(["--exact", "config::report::tests::panics", "--nocapture", "--test-threads=1"])
            .env(CHILD, folder)
            .env("RUST_BACKTRACE", backtrace)
            .output()
            .unwrap()
    }

    fn restore() {
        eprintln!("<restored>");
    }

    #[test]
    fn panics() {
        let Some(folder) = env::var_os(CHILD) else { return };
        let (sender, crashes) = std::sync::mpsc::channel();
        let notify = Box::new(move |crash| drop(sender.send(crash)));
        install_hook(&Folders::under(Path::new(&folder)), restore, notify);
        for _ in 0..7 {
            let _ = thread::Builder::new().name("task".into()).spawn(|| panic!("small")).unwrap().join();
        }
        let crashes: Vec<Crash> = crashes.try_iter().collect();
        eprintln!("<{} {}>", crashes.iter().filter(|crash| crash.report.is_ok()).count(), crashes[0].thread);
        WRITTEN.store(0, Ordering::Relaxed);
        panic!("the\nend, token: abc.");
    }

    #[test]
    fn a_panic_leaves_a_report() {
        let top = tempfile::tempdir().unwrap();
        let output = child(top.path(), "0");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut lines = said.lines();
        assert_eq!(lines.next(), Some("<5 task>"), "background panics touch no terminal: {said}");
        assert_eq!(lines.next(), Some("<restored>"));
        let farewell = lines.next().unwrap();
        let rest = farewell
            .strip_prefix("v9s stopped because of a bug: the end, token: [hidden]. A report is in ")
            .unwrap_or_else(|| unreachable!("{said}"));
        assert_eq!(lines.next(), None, "nothing else: {said}");

        let report = fs::read_to_string(rest.split_once(';').unwrap().0).unwrap();
        for part in
            ["v9s 0.1.0 on ", "place:    src/config/report.rs:", "message:  the\nend, token: [hidden]"]
        {
            assert!(report.contains(part), "{part} in {report}");
        }
        assert!(report.contains("report::tests::panics") && !report.contains("abc"), "{report}");
        assert_eq!(fs::read_dir(top.path().join("state")).unwrap().count(), 6);

        let output = child(top.path(), "1");
        assert!(String::from_utf8_lossy(&output.stderr).contains("panicked at src/config/report.rs"));
    }

    #[test]
    fn old_reports_go() {
        let top = tempfile::tempdir().unwrap();
        for day in 10..35 {
            fs::write(top.path().join(format!("panic-200001{day}T000000Z-1.txt")), "").unwrap();
        }
        fs::write(top.path().join("v9s.log"), "").unwrap();
        let newest = write(top.path(), "text").unwrap();
        let again = write(top.path(), "text").unwrap();
        assert_ne!(newest, again);
        assert!(newest.exists() && again.exists());
        assert!(!top.path().join("panic-20000116T000000Z-1.txt").exists());
        assert_eq!(fs::read_dir(top.path()).unwrap().count(), KEPT + 1);
    }

    #[test]
    fn a_report_that_cannot_be_written_is_explained() {
        let crash = Crash {
            message: "index out of bounds.".into(),
            thread: "main".into(),
            report: Err("/x: no room".into()),
        };
        let want = "v9s stopped because of a bug: index out of bounds. There is no report: /x: no room.";
        assert_eq!(crash.farewell(), want);
    }
}
