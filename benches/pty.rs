//! A program in a pseudo-terminal, its output on an emulated screen: when a text stands there, how many bytes it took,
//! and what the process has cost by then.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use crate::process::{Usage, await_end, peak_memory, usage};
use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::tty::{self, Options, Shell};
use alacritty_terminal::vte::ansi::Processor;
use rustix::event::{PollFd, PollFlags, poll};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What to run, and on how large a screen.
#[derive(Clone, Debug)]
pub struct Launch {
    /// A path or a name on the path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Set on top of this program's own environment.
    pub environment: HashMap<String, String>,
    /// Columns of the screen.
    pub columns: u16,
    /// Rows of the screen.
    pub rows: u16,
}

impl Launch {
    /// A program on a screen of 200×60 with 24-bit colours.
    pub fn new<S: Into<String>>(program: impl Into<String>, arguments: impl IntoIterator<Item = S>) -> Self {
        let environment = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")];
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: environment.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            columns: 200,
            rows: 60,
        }
    }

    /// With one more variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }
}

struct Answers(mpsc::Sender<String>);

impl EventListener for Answers {
    fn send_event(&self, event: Event) {
        if let Event::PtyWrite(text) = event {
            let _ = self.0.send(text);
        }
    }
}

struct Screen(Launch);

impl Dimensions for Screen {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.0.columns)
    }
}

/// A running program. Dropped, it is asked to end, and killed if it does not within a second.
pub struct Session {
    pty: tty::Pty,
    term: Term<Answers>,
    parser: Processor,
    answers: mpsc::Receiver<String>,
    started: Instant,
    first_byte: Option<Duration>,
    bytes: u64,
    ended: Option<Duration>,
}

impl Session {
    /// Starts it; the clock runs from before the fork.
    pub fn start(launch: &Launch) -> io::Result<Self> {
        let options = Options {
            shell: Some(Shell::new(launch.program.clone(), launch.arguments.clone())),
            env: launch.environment.clone(),
            ..Options::default()
        };
        let size =
            WindowSize { num_lines: launch.rows, num_cols: launch.columns, cell_width: 0, cell_height: 0 };
        let (sender, answers) = mpsc::channel();
        let config = Config { scrolling_history: 0, ..Config::default() };
        let term = Term::new(config, &Screen(launch.clone()), Answers(sender));
        let started = Instant::now();
        let pty = tty::new(&options, size, 0)?;
        let parser = Processor::new();
        Ok(Self { pty, term, parser, answers, started, first_byte: None, bytes: 0, ended: None })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.pty.child().id()
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// When the first byte came, since the start.
    pub fn first_byte(&self) -> Option<Duration> {
        self.first_byte
    }

    /// Bytes written to the terminal so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the program closed its terminal, since the start.
    pub fn ended(&self) -> Option<Duration> {
        self.ended
    }

    /// What the process has cost until now.
    pub fn usage(&self) -> Usage {
        usage(self.pid()).unwrap_or_default()
    }

    /// The text of the screen, a line for each row, without trailing blanks.
    pub fn screen(&self) -> String {
        let grid = self.term.grid();
        let mut text = String::new();
        for line in 0..grid.screen_lines() {
            let from = text.len();
            for column in 0..grid.columns() {
                let cell = &grid[Line(line as i32)][Column(column)];
                if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
                    text.push(cell.c);
                }
            }
            text.truncate(from + text[from..].trim_end().len());
            text.push('\n');
        }
        text
    }

    /// Types something.
    pub fn send(&mut self, bytes: &[u8]) {
        let mut file = self.pty.file();
        let _ = file.write_all(bytes);
    }

    /// Takes what comes until the time is over or, with bytes at hand, at once. `false` when nothing came.
    fn step(&mut self, longest: Duration) -> bool {
        if self.ended.is_some() {
            return false;
        }
        let file = self.pty.file();
        let timeout = rustix::event::Timespec {
            tv_sec: longest.as_secs() as _,
            tv_nsec: longest.subsec_nanos().into(),
        };
        let mut fds = [PollFd::new(file, PollFlags::IN)];
        if !matches!(poll(&mut fds, Some(&timeout)), Ok(n) if n > 0) {
            self.settle();
            return false;
        }
        let mut buffer = [0; 1 << 16];
        let mut file = self.pty.file();
        match file.read(&mut buffer) {
            Ok(0) => self.ended = Some(self.started.elapsed()),
            Ok(read) => {
                self.first_byte.get_or_insert(self.started.elapsed());
                self.bytes += read as u64;
                self.parser.advance(&mut self.term, &buffer[..read]);
                while let Ok(answer) = self.answers.try_recv() {
                    let _ = file.write_all(answer.as_bytes());
                }
                self.settle();
                return true;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            // Linux reports the closed far side as an error.
            Err(_) => self.ended = Some(self.started.elapsed()),
        }
        false
    }

    /// Ends a synchronized update that its program has left open for too long.
    fn settle(&mut self) {
        let over = self.parser.sync_timeout().sync_timeout().is_some_and(|until| until <= Instant::now());
        if over {
            self.parser.stop_sync(&mut self.term);
        }
    }

    /// Reads until the screen satisfies the question; the time since the start. Nothing when the program ends or
    /// `longest` is over before.
    pub fn until(&mut self, longest: Duration, mut question: impl FnMut(&Self) -> bool) -> Option<Duration> {
        let give_up = Instant::now() + longest;
        loop {
            if question(self) {
                return Some(self.started.elapsed());
            }
            // Nothing new, nothing to ask: wait on, in slices so that synchronized updates end.
            while !self.step(Duration::from_millis(50)) {
                if self.ended.is_some() || Instant::now() >= give_up {
                    return question(self).then(|| self.started.elapsed());
                }
            }
        }
    }

    /// Reads until this text stands on the screen; the time since the start.
    pub fn until_text(&mut self, text: &str, longest: Duration) -> Option<Duration> {
        self.until(longest, |session| session.screen().contains(text))
    }

    /// Reads for so long, whatever comes: for idle figures.
    pub fn rest(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            if self.ended.is_some() {
                return std::thread::sleep(left);
            }
            self.step(left);
        }
    }

    /// Reads until nothing has come for so long.
    pub fn quiet(&mut self, gap: Duration, longest: Duration) -> bool {
        let give_up = Instant::now() + longest;
        while Instant::now() < give_up {
            if !self.step(gap) {
                return true;
            }
        }
        false
    }

    /// Presses a key and gives the time to the first byte that answers it, and the bytes until 5 ms without any. What
    /// comes unasked meanwhile counts as the answer, so there should be none.
    pub fn press(&mut self, key: &[u8], longest: Duration) -> Option<(Duration, u64)> {
        while self.step(Duration::ZERO) {}
        let (before, pressed) = (self.bytes, Instant::now());
        self.send(key);
        if !self.step(longest) {
            return None;
        }
        let answered = pressed.elapsed();
        while self.step(Duration::from_millis(5)) {}
        Some((answered, self.bytes - before))
    }

    /// Reads until the program closes its terminal and ends; the time since the start, and its cost.
    pub fn until_end(&mut self, longest: Duration) -> Option<(Duration, Usage)> {
        let give_up = Instant::now() + longest;
        let mut peak = 0;
        while self.ended.is_none() && Instant::now() < give_up {
            self.step(Duration::from_millis(50));
            peak = peak_memory(self.pid()).max(peak);
        }
        self.ended?;
        await_end(self.pid());
        let total = self.started.elapsed();
        Some((total, Usage { peak, ..self.usage() }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
            let give_up = Instant::now() + Duration::from_secs(1);
            while self.ended.is_none() && Instant::now() < give_up {
                self.step(Duration::from_millis(20));
            }
            // Not yet reaped (that happens when the terminal is dropped), so the number is still this process's.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// What [`run`] has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// From exec to the first byte.
    pub first_byte: Duration,
    /// From exec to the text on the screen.
    pub shown: Duration,
    /// Bytes written to the terminal by then.
    pub bytes: u64,
    /// The cost of the process by then.
    pub usage: Usage,
}

/// Runs a program until a text stands on its screen, and ends it. Nothing when the text does not come in time.
pub fn run(launch: &Launch, text: &str, longest: Duration) -> Option<Run> {
    let mut session = Session::start(launch).ok()?;
    let shown = session.until_text(text, longest)?;
    Some(Run { first_byte: session.first_byte()?, shown, bytes: session.bytes(), usage: session.usage() })
}
