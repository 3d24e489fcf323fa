//! The terminal: its modes on and off, and frames written to it.
//!
//! The title, the cursor's shape and the clipboard are the user's and stay untouched.

mod screen;

use std::io::{self, IsTerminal as _, Stdout, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use ratatui::Frame;
use ratatui::crossterm;
use ratatui::layout::Size;

use self::screen::Screen;
use super::colour::ColourDepth;

const RAW: u8 = 1;
const ALTERNATE: u8 = 1 << 1;
const PASTE: u8 = 1 << 2;
const MOUSE: u8 = 1 << 3;
const CURSOR: u8 = 1 << 4;

/// Each mode but raw: the bytes that switch it on and off, in the order of entering.
///
/// Mouse: buttons, wheel and drags (1000, 1002) with coordinates beyond 223 (1006). Not 1003, which reports every movement
/// and would wake an idle program.
const MODES: [(u8, &str, &str); 4] = [
    (ALTERNATE, "\x1b[?1049h", "\x1b[?1049l"),
    (PASTE, "\x1b[?2004h", "\x1b[?2004l"),
    (MOUSE, "\x1b[?1000h\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l\x1b[?1000l"),
    (CURSOR, "\x1b[?25l", "\x1b[?25h"),
];

/// The modes that are on. Global because the terminal's state is: one terminal belongs to the process, and the panic hook
/// must know what to undo without reaching the guard.
static ON: AtomicU8 = AtomicU8::new(0);

/// Why the terminal could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Input or output is a file or a pipe.
    #[error("v9s needs a terminal; use \"v9s get\" or \"v9s frame\" in scripts")]
    NotATerminal,
    /// The system refused.
    #[error("the terminal cannot be set up: {0}")]
    Io(#[from] io::Error),
}

/// What may differ from terminal to terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether mouse events are asked for. It takes the terminal's own selection away.
    pub mouse: bool,
    /// The colours that may leave.
    pub depth: ColourDepth,
}

/// Owns the terminal: enters the modes of a full-screen program, and leaves them when dropped.
#[derive(Debug)]
pub struct Terminal<W: Write = Stdout> {
    inner: ratatui::Terminal<Screen<W>>,
    wanted: u8,
    on: &'static AtomicU8,
    /// Whether what the terminal shows is unknown, so that everything must be drawn.
    unknown: bool,
}

impl Terminal {
    /// Takes the terminal of this process.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(OpenError::NotATerminal);
        }
        Ok(Self::enter(io::stdout(), real_size(), options, RAW, &ON)?)
    }
}

impl<W: Write> Terminal<W> {
    /// Draws into any writer as if it were a terminal of this size; the terminal of the process is left alone.
    pub fn over(out: W, size: Size, options: Options) -> io::Result<Self> {
        Self::enter(out, size, options, 0, Box::leak(Box::new(AtomicU8::new(0))))
    }

    fn enter(out: W, size: Size, options: Options, raw: u8, on: &'static AtomicU8) -> io::Result<Self> {
        // Colours are decided by `depth`. Left to itself, crossterm turns them into resets under NO_COLOR, and these take
        // bold and reverse with them.
        crossterm::style::force_color_output(true);
        let mouse = if options.mouse { MOUSE } else { 0 };
        let mut terminal = Self {
            inner: ratatui::Terminal::new(Screen::new(out, size, options.depth))?,
            wanted: raw | ALTERNATE | PASTE | mouse | CURSOR,
            on,
            unknown: false,
        };
        // The guard exists: what a failure half-way has switched on is switched off.
        terminal.resume()?;
        Ok(terminal)
    }

    /// Draws a frame; gives the number of bytes written, none where it equals the last one or the terminal is given away.
    ///
    /// After an error the next frame is drawn whole. [`super::signals::terminal_gone`] says whether there is a point.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<usize> {
        if !self.is_on() {
            return Ok(0);
        }
        if self.unknown {
            self.inner.backend_mut().start_over();
            self.inner.clear()?;
            self.unknown = false;
        }
        match self.inner.draw(render) {
            Ok(_) => Ok(self.inner.backend().sent),
            Err(error) => {
                self.unknown = true;
                Err(error)
            }
        }
    }

    /// Takes a new size, from a resize event. The terminal is not asked: frames cost no system call but the write.
    ///
    /// All is drawn anew, also if the size is the last one again: a size between the two that nobody drew for has cut
    /// off what was there.
    pub fn resize(&mut self, size: Size) {
        self.unknown = true;
        self.inner.backend_mut().size = size;
    }

    /// The size of the next frame.
    pub fn size(&self) -> Size {
        self.inner.backend().size
    }

    /// Draws everything with the next frame, whatever other programs have written.
    pub fn redraw(&mut self) {
        self.unknown = true;
    }

    /// Whether the terminal is ours at the moment.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst) != 0
    }

    /// Gives the terminal to another program (`$EDITOR`, ssh, the shell) until [`Self::resume`]. Drop the event stream
    /// too, or it takes that program's keys.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave(&mut self.inner.backend_mut().out, self.on)
    }

    /// Takes the terminal back. Good also without `suspend`, after a stop that nobody saw coming.
    pub fn resume(&mut self) -> io::Result<()> {
        if self.wanted & RAW != 0 {
            // crossterm believes what it did last and would do nothing, though a shell may have changed the modes since.
            if self.on.load(Ordering::SeqCst) & RAW != 0 {
                crossterm::terminal::disable_raw_mode()?;
            }
            crossterm::terminal::enable_raw_mode()?;
            self.on.fetch_or(RAW, Ordering::SeqCst);
            self.resize(real_size());
        }
        // Noted before it is written: what arrives of a write that fails must be undone as well.
        self.on.fetch_or(self.wanted, Ordering::SeqCst);
        self.unknown = true;
        send(&mut self.inner.backend_mut().out, entering(self.wanted).as_bytes())
    }

    /// Switches mouse events on or off.
    pub fn set_mouse(&mut self, mouse: bool) -> io::Result<()> {
        let was = self.wanted;
        self.wanted = if mouse { was | MOUSE } else { was & !MOUSE };
        if self.wanted == was || !self.is_on() {
            return Ok(());
        }
        let out = &mut self.inner.backend_mut().out;
        if mouse {
            self.on.fetch_or(MOUSE, Ordering::SeqCst);
            send(out, entering(MOUSE).as_bytes())
        } else {
            send(out, leaving(MOUSE).as_bytes())?;
            self.on.fetch_and(!MOUSE, Ordering::SeqCst);
            Ok(())
        }
    }

    /// Writes a sequence that is no part of a frame, such as one for the clipboard.
    pub fn send(&mut self, sequence: &[u8]) -> io::Result<()> {
        if !self.is_on() {
            return Ok(());
        }
        send(&mut self.inner.backend_mut().out, sequence)
    }
}

impl<W: Write> Drop for Terminal<W> {
    fn drop(&mut self) {
        // A terminal that has hung up cannot be restored and need not be.
        let _ = self.suspend();
    }
}

/// Gives the terminal back, from wherever: for the panic hook. Does nothing where no guard holds it.
pub fn restore() {
    let _ = leave(&mut io::stdout(), &ON);
}

fn real_size() -> Size {
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => Size { width, height },
        // Serial lines and some containers do not know.
        _ => Size { width: 80, height: 24 },
    }
}

fn leave(out: &mut impl Write, on: &AtomicU8) -> io::Result<()> {
    let modes = on.swap(0, Ordering::SeqCst);
    if modes == 0 {
        return Ok(());
    }
    // A frame may have been cut off in the middle: let it show, and take the colours back.
    let written = send(out, format!("{}\x1b[0m{}", screen::SYNC.1, leaving(modes)).as_bytes());
    let cooked = if modes & RAW == 0 { Ok(()) } else { crossterm::terminal::disable_raw_mode() };
    written.and(cooked)
}

fn entering(modes: u8) -> String {
    MODES.iter().filter(|(mode, ..)| modes & mode != 0).map(|(_, on, _)| *on).collect()
}

fn leaving(modes: u8) -> String {
    MODES.iter().rev().filter(|(mode, ..)| modes & mode != 0).map(|(.., off)| *off).collect()
}

/// Writes all of it, also to a terminal that a program before us (ssh, killed) left in non-blocking mode.
fn send(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    let mut waits = 0;
    loop {
        let step = if bytes.is_empty() { out.flush().map(|()| 0) } else { out.write(bytes) };
        match step {
            Ok(0) if bytes.is_empty() => return Ok(()),
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && waits < 2000 => {
                waits += 1;
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
