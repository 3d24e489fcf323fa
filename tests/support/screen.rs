//! The built program in a pseudo-terminal, driven like a person drives it:
//! keys in, screen out.
//!
//! Waits end at the moment at which what they wait for is there. They give up
//! after 20 seconds (times `V9S_TEST_PATIENCE`), or at once when the program
//! has ended, and then print the screen and the program's log files.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alacritty_terminal::event::OnResize;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::tty::Pty;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::keys::strokes;
use super::terminal::{Size, State, Terminal};
use super::{deadline, poll, stretched};

pub use super::builder::Builder;
pub use super::terminal::{Cell, Modes};
pub use alacritty_terminal::term::cell::Flags;
pub use alacritty_terminal::vte::ansi::{Color, NamedColor};

/// The program in its terminal. Dropping it kills the program.
pub struct Screen {
    pub(super) pty: Pty,
    pub(super) child: Pid,
    pub(super) job: bool,
    pub(super) program: String,
    pub(super) terminal: Arc<Terminal>,
    pub(super) threads: Vec<JoinHandle<()>>,
    /// Something was typed, and nobody has waited for the answer.
    pub(super) unsettled: bool,
    pub(super) home: TempDir,
}

impl Screen {
    /// Returns what to run, to be changed: v9s without arguments.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Starts v9s with these arguments.
    #[must_use]
    pub fn open<S: Into<String>>(args: impl IntoIterator<Item = S>, columns: u16, rows: u16) -> Self {
        Self::builder().args(args).size(columns, rows).open()
    }

    /// Returns the home folder of the program.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    // ---------------------------------------------------------------- input

    /// Types keys, in the notation of [`keys`](super::keys).
    #[track_caller]
    pub fn press(&mut self, keys: &str) -> &mut Self {
        let application = self.mode().contains(TermMode::APP_CURSOR);
        let strokes = strokes(keys, application);
        let last = strokes.len().saturating_sub(1);
        for (i, stroke) in strokes.iter().enumerate() {
            self.terminal.type_bytes(&stroke.bytes);
            if stroke.alone && i < last {
                self.await_read(keys);
            }
        }
        self.unsettled = true;
        self
    }

    /// Pastes text, in brackets when the program has asked for them.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        let text = text.replace("\r\n", "\r").replace('\n', "\r");
        let bytes = if self.mode().contains(TermMode::BRACKETED_PASTE) {
            format!("\x1b[200~{text}\x1b[201~")
        } else {
            text
        };
        self.send(bytes.as_bytes())
    }

    /// Sends bytes as they are, like a mouse report.
    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.terminal.type_bytes(bytes);
        self.unsettled = true;
        self
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        let size = Size { columns, rows };
        // The emulator comes first: what the program draws then fits.
        self.terminal.state().term.resize(size);
        self.pty.on_resize(size.window());
        self.unsettled = true;
        self
    }

    /// Sends a signal to the program: `TERM`, `HUP`, `INT`, `QUIT`, `TSTP`,
    /// `CONT`, `WINCH`, `USR1`, `STOP` or `KILL`.
    #[track_caller]
    pub fn signal(&mut self, name: &str) -> &mut Self {
        let signal = match name {
            "TERM" => Signal::TERM,
            "HUP" => Signal::HUP,
            "INT" => Signal::INT,
            "QUIT" => Signal::QUIT,
            "TSTP" => Signal::TSTP,
            "CONT" => Signal::CONT,
            "WINCH" => Signal::WINCH,
            "USR1" => Signal::USR1,
            "STOP" => Signal::STOP,
            "KILL" => Signal::KILL,
            _ => panic!("There is no signal {name}."),
        };
        // The one who waits leaves a zombie, so the number is still its own.
        rustix::process::kill_process(self.pid(), signal).expect("a program to signal");
        self.unsettled = true;
        self
    }

    /// Returns the number of the program's process.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> Pid {
        if !self.job {
            return self.child;
        }
        poll(deadline(), || self.job_pid()).unwrap_or_else(|| self.fail("the shell did not start the job"))
    }

    fn job_pid(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.home.path().join("job/pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// Waits until the program is stopped, by SIGTSTP or SIGSTOP.
    #[track_caller]
    pub fn wait_stopped(&mut self) -> &mut Self {
        if poll(deadline(), || self.stopped().then_some(())).is_none() {
            self.fail("the program is not stopped");
        }
        self
    }

    /// Whether the program is stopped.
    #[must_use]
    pub fn stopped(&self) -> bool {
        let pid = self.pid().as_raw_nonzero().to_string();
        let output = std::process::Command::new("ps").args(["-o", "state=", "-p", &pid]).output();
        let output = output.expect("ps runs").stdout;
        output.trim_ascii_start().first() == Some(&b'T')
    }

    /// Brings a stopped program back, as `fg` does. Only with [`Builder::job_control`].
    #[track_caller]
    pub fn resume(&mut self) -> &mut Self {
        assert!(self.job, "Only a job of a shell can be resumed.");
        self.wait_stopped();
        // Without a reader this would wait for ever: the shell reads when the job has stopped.
        let open = || {
            let flags = OFlags::WRONLY | OFlags::NONBLOCK;
            rustix::fs::open(self.home.path().join("job/resume"), flags, Mode::empty()).ok()
        };
        let Some(fifo) = poll(deadline(), open) else {
            self.fail("the shell does not wait for the job to be resumed");
        };
        rustix::io::write(fifo, b"fg\n").expect("a fifo to write to");
        self.unsettled = true;
        self
    }

    // ---------------------------------------------------------------- waits

    /// Waits until a text is on the screen, in one line.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        self.wait_until_state(&format!("{text:?} to come"), |state| state.text().contains(text))
    }

    /// Waits until a text is not on the screen.
    #[track_caller]
    pub fn gone(&mut self, text: &str) -> &mut Self {
        self.wait_until_state(&format!("{text:?} to go"), |state| !state.text().contains(text))
    }

    /// Waits until the text of the screen is as `wanted`; `what` says in
    /// failures what was waited for.
    #[track_caller]
    pub fn wait_until(&mut self, wanted: impl Fn(&str) -> bool, what: &str) -> &mut Self {
        self.wait_until_state(what, |state| wanted(&state.text()))
    }

    #[track_caller]
    fn wait_until_state(&mut self, what: &str, wanted: impl Fn(&State) -> bool) -> &mut Self {
        let deadline = deadline();
        let mut state = self.terminal.state();
        while !wanted(&state) {
            if state.closed && state.exit.is_some() {
                drop(state);
                self.fail(&format!("the program ended; waited for {what}"));
            }
            if Instant::now() > deadline {
                drop(state);
                self.fail(&format!("waited in vain for {what}"));
            }
            state = self.terminal.wait(state, deadline);
        }
        drop(state);
        self
    }

    /// Waits until the program has read all that was typed and has then drawn
    /// nothing for a moment. For what must *not* come; [`Self::wait_for`] is
    /// better for what must.
    #[track_caller]
    pub fn settle(&mut self) -> &mut Self {
        let started = Instant::now();
        let deadline = deadline();
        let quiet = stretched(Duration::from_millis(60));
        if !self.exited() {
            self.await_read("all keys");
        }
        let mut state = self.terminal.state();
        while !state.closed {
            let until = state.last_output.max(started) + quiet;
            if Instant::now() >= until {
                break;
            }
            if Instant::now() > deadline {
                drop(state);
                self.fail("the program does not stop drawing");
            }
            state = self.terminal.wait(state, until);
        }
        drop(state);
        self.unsettled = false;
        self
    }

    /// Waits until the program has read what was typed.
    #[track_caller]
    fn await_read(&self, keys: &str) {
        let read = || {
            let read = self.terminal.typed() && !self.unread().unwrap_or(false);
            (read || self.exited()).then_some(())
        };
        if poll(deadline(), read).is_none() {
            self.fail(&format!("the program does not read; pressed {keys:?}"));
        }
    }

    /// Whether there are keys that the program could read.
    fn unread(&self) -> rustix::io::Result<bool> {
        let name = rustix::pty::ptsname(self.pty.file(), Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
        // Asking for the number of bytes would miss those on their way through
        // the kernel, for which polling waits.
        let mut descriptors = [PollFd::new(&terminal, PollFlags::IN)];
        rustix::event::poll(&mut descriptors, Some(&Timespec::default()))?;
        Ok(descriptors[0].revents().contains(PollFlags::IN))
    }

    fn exited(&self) -> bool {
        self.terminal.state().exit.is_some()
    }

    /// Waits for the end of the program and returns its exit status; for one
    /// that was killed 128 and the number of the signal, as shells do.
    #[track_caller]
    pub fn wait_exit(&mut self) -> i32 {
        let deadline = deadline();
        // Somebody it left behind can hold the terminal open.
        let mut drained: Option<Instant> = None;
        let mut state = self.terminal.state();
        loop {
            if let Some(code) = state.exit {
                let until =
                    *drained.get_or_insert_with(|| Instant::now() + stretched(Duration::from_secs(1)));
                if state.closed || Instant::now() > until {
                    return code;
                }
                state = self.terminal.wait(state, until);
            } else if Instant::now() > deadline {
                drop(state);
                self.fail("waited in vain for the program to end");
            } else {
                state = self.terminal.wait(state, deadline);
            }
        }
    }

    // --------------------------------------------------------------- output

    /// Fails unless a text is on the screen now; what was typed last is done first.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        self.settle_if_typed();
        if !self.text().contains(text) {
            self.fail(&format!("expected {text:?}"));
        }
        self
    }

    /// Fails if a text is on the screen now; what was typed last is done first.
    #[track_caller]
    pub fn reject(&mut self, text: &str) -> &mut Self {
        self.settle_if_typed();
        if self.text().contains(text) {
            self.fail(&format!("did not expect {text:?}"));
        }
        self
    }

    #[track_caller]
    fn settle_if_typed(&mut self) {
        if self.unsettled {
            self.settle();
        }
    }

    /// Returns the lines of the screen, without blanks at their ends.
    #[must_use]
    pub fn text(&self) -> String {
        self.terminal.state().text()
    }

    /// Returns one line of the screen.
    #[must_use]
    pub fn line(&self, row: usize) -> String {
        self.terminal.state().line(row)
    }

    /// Returns the first line that holds a text.
    #[track_caller]
    #[must_use]
    pub fn line_of(&self, text: &str) -> String {
        self.line(self.row_of(text))
    }

    /// Returns the number of the first line that holds a text.
    #[track_caller]
    #[must_use]
    pub fn row_of(&self, text: &str) -> usize {
        self.place_of(text).1
    }

    /// Returns column and row of the first place of a text.
    #[track_caller]
    #[must_use]
    pub fn place_of(&self, text: &str) -> (usize, usize) {
        let place = self.terminal.state().find(text);
        place.unwrap_or_else(|| self.fail(&format!("looked for {text:?}")))
    }

    /// Returns a cell.
    #[track_caller]
    #[must_use]
    pub fn cell(&self, column: usize, row: usize) -> Cell {
        let state = self.terminal.state();
        let size = state.size();
        assert!(
            column < usize::from(size.columns) && row < usize::from(size.rows),
            "There is no cell {column},{row} on a screen of {}×{}.",
            size.columns,
            size.rows
        );
        let cell = &state.term.grid()[Line(row as i32)][Column(column)];
        let mut text = String::from(cell.c);
        text.extend(cell.zerowidth().into_iter().flatten());
        Cell { text, fg: cell.fg, bg: cell.bg, flags: cell.flags }
    }

    /// Returns the cell in which the first place of a text begins.
    #[track_caller]
    #[must_use]
    pub fn cell_of(&self, text: &str) -> Cell {
        let (column, row) = self.place_of(text);
        self.cell(column, row)
    }

    /// Returns column and row of the cursor, if it can be seen.
    #[must_use]
    pub fn cursor(&self) -> Option<(usize, usize)> {
        let state = self.terminal.state();
        let point = state.cursor();
        state.term.mode().contains(TermMode::SHOW_CURSOR).then_some((point.column.0, point.line.0 as usize))
    }

    /// Returns the title of the window, if the program has set one.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        self.terminal.state().title.clone()
    }

    /// Returns what the program has copied to the clipboard last (OSC 52).
    #[must_use]
    pub fn clipboard(&self) -> Option<String> {
        self.terminal.state().clipboard.clone()
    }

    /// Returns how many bytes the program has written.
    #[must_use]
    pub fn bytes_so_far(&self) -> u64 {
        self.terminal.state().bytes
    }

    /// Returns the bytes that the program has written, the last 4 MiB of them.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        self.terminal.state().raw.iter().copied().collect()
    }

    fn mode(&self) -> TermMode {
        *self.terminal.state().term.mode()
    }

    /// Returns how the terminal is set up.
    #[must_use]
    pub fn modes(&self) -> Modes {
        Modes::of(self.mode(), self.pty.file())
    }

    /// Fails unless the terminal is as a shell expects it.
    #[track_caller]
    pub fn terminal_is_restored(&self) -> &Self {
        let modes = self.modes();
        if modes != Modes::COOKED {
            self.fail(&format!("the terminal is not restored: {modes:#?}"));
        }
        self
    }

    /// Fails, and shows the screen and the program's logs.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        let picture = self.terminal.state().picture();
        let mut logs = String::new();
        print_logs(self.home.path(), &mut logs);
        panic!("{}: {why}\n{picture}\n{logs}", self.program);
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A job's number can be another's by now, unless it is in our session.
        if self.job
            && let Some(job) = self.job_pid()
            && rustix::process::getsid(Some(job)) == Ok(self.child)
        {
            let _ = rustix::process::kill_process_group(job, Signal::KILL);
        }
        let _ = rustix::process::kill_process_group(self.child, Signal::KILL);
        self.terminal.quit();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Appends the ends of all log files below a folder.
fn print_logs(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            print_logs(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "log")
            && let Ok(log) = std::fs::read_to_string(&path)
        {
            let lines: Vec<_> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(40)..].join("\n");
            text.push_str(&format!("--- {}\n{end}\n", path.display()));
        }
    }
}
