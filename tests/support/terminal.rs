//! The terminal behind a [`Screen`](super::screen::Screen): the emulator and
//! the threads that feed it. What tests call is there, not here.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alacritty_terminal::event::{Event, EventListener, WindowSize};
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::{Color, Processor, Rgb};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitIdOptions};
use rustix::termios::{InputModes, LocalModes, OutputModes};

use super::lock;

/// How many bytes of the program's output are kept.
pub const KEPT: usize = 4 << 20;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

impl Size {
    pub fn window(self) -> WindowSize {
        WindowSize { num_lines: self.rows, num_cols: self.columns, cell_width: 0, cell_height: 0 }
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}

/// Collects what the emulator wants to tell, for [`State::feed`].
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Vec<Event>>>);

impl EventListener for Events {
    fn send_event(&self, event: Event) {
        lock(&self.0).push(event);
    }
}

/// All that is known of the terminal and of the program in it.
pub struct State {
    pub term: Term<Events>,
    parser: Processor,
    events: Events,
    /// Whether questions of the program are answered.
    answers: bool,
    /// What is typed, and answers: not written yet.
    input: VecDeque<u8>,
    pub raw: VecDeque<u8>,
    pub bytes: u64,
    pub title: Option<String>,
    pub clipboard: Option<String>,
    pub last_output: Instant,
    /// The exit status as a shell counts: 128 and the signal for a killed one.
    pub exit: Option<i32>,
    /// Whether all output is read, since nobody holds the terminal any more.
    pub closed: bool,
    quit: bool,
}

impl State {
    fn feed(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.raw.extend(bytes);
        let surplus = self.raw.len().saturating_sub(KEPT);
        self.raw.drain(..surplus);
        self.parser.advance(&mut self.term, bytes);
        self.last_output = Instant::now();
        self.answer();
    }

    fn answer(&mut self) {
        for event in std::mem::take(&mut *lock(&self.events.0)) {
            let text = match event {
                Event::PtyWrite(text) => text,
                Event::TextAreaSizeRequest(text) => text(self.size().window()),
                // The foreground and the cursor are white, all else is black.
                Event::ColorRequest(index, text) => text(match index {
                    256 | 258 => Rgb { r: 255, g: 255, b: 255 },
                    _ => Rgb::default(),
                }),
                Event::Title(title) => {
                    self.title = Some(title);
                    continue;
                }
                Event::ResetTitle => {
                    self.title = None;
                    continue;
                }
                Event::ClipboardStore(_, text) => {
                    self.clipboard = Some(text);
                    continue;
                }
                _ => continue,
            };
            if self.answers {
                self.input.extend(text.as_bytes());
            }
        }
    }

    pub fn size(&self) -> Size {
        Size { columns: self.term.columns() as u16, rows: self.term.screen_lines() as u16 }
    }

    /// The characters of a row, each with its column.
    pub fn row(&self, y: usize) -> Vec<(usize, String)> {
        let row = &self.term.grid()[Line(y as i32)];
        (0..self.term.columns())
            .filter(|x| !row[Column(*x)].flags.contains(Flags::WIDE_CHAR_SPACER))
            .map(|x| {
                let cell = &row[Column(x)];
                // A tab is kept in the cell from which it jumped.
                let mut text = String::from(if cell.c == '\t' { ' ' } else { cell.c });
                text.extend(cell.zerowidth().into_iter().flatten());
                (x, text)
            })
            .collect()
    }

    pub fn line(&self, y: usize) -> String {
        let mut line: String = self.row(y).into_iter().map(|(_, text)| text).collect();
        line.truncate(line.trim_end().len());
        line
    }

    pub fn text(&self) -> String {
        let lines: Vec<_> = (0..self.term.screen_lines()).map(|y| self.line(y)).collect();
        lines.join("\n")
    }

    /// Column and row of the first place where `text` stands in one line.
    pub fn find(&self, text: &str) -> Option<(usize, usize)> {
        (0..self.term.screen_lines()).find_map(|y| {
            let at = self.line(y).find(text)?;
            let mut before = 0;
            let column = self.row(y).into_iter().find_map(|(x, character)| {
                before += character.len();
                (before > at).then_some(x)
            })?;
            Some((column, y))
        })
    }

    pub fn cursor(&self) -> Point {
        self.term.grid().cursor.point
    }

    /// The screen in a frame, for a failure.
    pub fn picture(&self) -> String {
        let Size { columns, rows } = self.size();
        let rule = "─".repeat(usize::from(columns));
        let mut picture = format!("┌{rule}┐\n");
        for y in 0..usize::from(rows) {
            let row = self.row(y);
            let text: String = row.into_iter().map(|(_, text)| text).collect();
            let _ = writeln!(picture, "│{text}│");
        }
        let cursor = self.cursor();
        let state = match self.exit {
            Some(code) => format!("ended with status {code}"),
            None => "running".to_owned(),
        };
        let _ = write!(
            picture,
            "└{rule}┘\n{columns}×{rows}, cursor at {},{}, {} bytes so far, {state}",
            cursor.column.0, cursor.line.0, self.bytes
        );
        picture
    }
}

/// The state, and news of it.
pub struct Terminal {
    state: Mutex<State>,
    changed: Condvar,
    wake: UnixStream,
}

impl Terminal {
    /// Returns a terminal and the end of its wake-up line for [`Self::run`].
    pub fn new(size: Size, answers: bool) -> (Arc<Self>, UnixStream) {
        let (wake, woken) = UnixStream::pair().expect("a pair of sockets");
        woken.set_nonblocking(true).expect("a socket that obeys");
        let events = Events::default();
        let state = State {
            term: Term::new(Config::default(), &size, events.clone()),
            parser: Processor::new(),
            events,
            answers,
            input: VecDeque::new(),
            raw: VecDeque::new(),
            bytes: 0,
            title: None,
            clipboard: None,
            last_output: Instant::now(),
            exit: None,
            closed: false,
            quit: false,
        };
        let terminal = Self { state: Mutex::new(state), changed: Condvar::new(), wake };
        (Arc::new(terminal), woken)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Waits for a change of the state, not longer than to `until`.
    pub fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Instant) -> MutexGuard<'a, State> {
        let left = until.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
    }

    pub fn type_bytes(&self, bytes: &[u8]) {
        self.state().input.extend(bytes);
        self.wake();
    }

    /// Whether all that was typed has left for the terminal's driver.
    pub fn typed(&self) -> bool {
        self.state().input.is_empty()
    }

    pub fn quit(&self) {
        self.state().quit = true;
        self.wake();
    }

    fn wake(&self) {
        let _ = (&self.wake).write(&[0]);
    }

    /// Moves bytes in both directions until nobody holds the terminal. The
    /// thread of this function is the only one that touches `pty`.
    pub fn run(&self, mut pty: File, mut woken: UnixStream) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let mut interest = PollFlags::IN;
            let timeout = {
                let state = self.state();
                if state.quit {
                    return;
                }
                if !state.input.is_empty() {
                    interest |= PollFlags::OUT;
                }
                state.parser.sync_timeout().sync_timeout()
            };
            let timeout = timeout.map(|at| {
                let left = at.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
                Timespec::try_from(left).expect("a short time")
            });
            let mut descriptors = [PollFd::new(&pty, interest), PollFd::new(&woken, PollFlags::IN)];
            if rustix::event::poll(&mut descriptors, timeout.as_ref()).is_err() {
                continue;
            }
            let ready = descriptors[0].revents();
            while woken.read(&mut buffer).is_ok_and(|n| n > 0) {}

            let mut read = 0;
            let mut closed = false;
            if ready.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                match pty.read(&mut buffer) {
                    Ok(0) => closed = true,
                    Ok(n) => read = n,
                    Err(error) if again(&error) => {}
                    // EIO: the last one has closed the terminal.
                    Err(_) => closed = true,
                }
            }
            let mut guard = self.state();
            let state = &mut *guard;
            if read > 0 {
                state.feed(&buffer[..read]);
            }
            // A synchronized update that is never ended is shown nevertheless.
            if state.parser.sync_timeout().sync_timeout().is_some_and(|at| at <= Instant::now()) {
                state.parser.stop_sync(&mut state.term);
                state.answer();
            }
            if ready.contains(PollFlags::OUT) {
                let (input, _) = state.input.as_slices();
                if let Ok(written) = pty.write(input) {
                    state.input.drain(..written);
                }
            }
            state.closed = closed;
            drop(guard);
            self.changed.notify_all();
            if closed {
                return;
            }
        }
    }

    /// Waits for the end of the program, which stays a zombie: its number
    /// cannot become that of another process as long as the screen is there.
    pub fn run_waiter(&self, pid: Pid) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let code = loop {
            match rustix::process::waitid(rustix::process::WaitId::Pid(pid), options) {
                Ok(Some(status)) => {
                    let killed = status.terminating_signal().map(|signal| 128 + signal);
                    break status.exit_status().or(killed).unwrap_or(-1);
                }
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("waiting for process {pid:?}: {error}"),
            }
        };
        self.state().exit = Some(code);
        self.changed.notify_all();
    }
}

fn again(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// One cell of the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The character, with its combining marks.
    pub text: String,
    /// The colour of the character.
    pub fg: Color,
    /// The colour behind it.
    pub bg: Color,
    /// Bold, underlined, reverse, ….
    pub flags: Flags,
}

/// How the program has set up the terminal, or has left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes {
    /// The second screen, without scrollback, is shown.
    pub alternate_screen: bool,
    /// Mouse events are reported.
    pub mouse: bool,
    /// Pasted text comes in brackets.
    pub bracketed_paste: bool,
    /// Getting and losing the focus is reported.
    pub focus: bool,
    /// Cursor keys or the keypad send application codes.
    pub application_keys: bool,
    /// Text goes on in the next line at the right edge.
    pub line_wrap: bool,
    /// The cursor can be seen.
    pub cursor_visible: bool,
    /// The terminal's driver does not edit lines, echo, or make signals of keys.
    pub raw: bool,
}

impl Modes {
    /// What a shell expects.
    pub const COOKED: Self = Self {
        alternate_screen: false,
        mouse: false,
        bracketed_paste: false,
        focus: false,
        application_keys: false,
        line_wrap: true,
        cursor_visible: true,
        raw: false,
    };

    pub(super) fn of(mode: TermMode, pty: &File) -> Self {
        Self {
            alternate_screen: mode.contains(TermMode::ALT_SCREEN),
            mouse: mode.intersects(TermMode::MOUSE_MODE | TermMode::SGR_MOUSE | TermMode::UTF8_MOUSE),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            focus: mode.contains(TermMode::FOCUS_IN_OUT),
            application_keys: mode.intersects(TermMode::APP_CURSOR | TermMode::APP_KEYPAD),
            line_wrap: mode.contains(TermMode::LINE_WRAP),
            cursor_visible: mode.contains(TermMode::SHOW_CURSOR),
            raw: is_raw(pty),
        }
    }
}

fn is_raw(pty: &File) -> bool {
    let termios = rustix::termios::tcgetattr(pty).expect("the settings of the terminal");
    let local = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    !termios.local_modes.contains(local)
        || !termios.output_modes.contains(OutputModes::OPOST)
        || !termios.input_modes.contains(InputModes::ICRNL)
}
