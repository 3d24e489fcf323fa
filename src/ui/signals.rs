//! Signals as messages, and errors of a terminal or pipe that has gone.

use std::io;

#[cfg(unix)]
use super::unix as system;

/// What another process, or the system, asks of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End in good order (SIGTERM).
    Terminate,
    /// The terminal has gone (SIGHUP): end, and write nothing to it.
    HangUp,
    /// SIGINT from outside. In raw mode ctrl-c is a key and never comes this way.
    Interrupt,
    /// Give the terminal back, then call [`stop_self`] (SIGTSTP from outside; ctrl-z is a key too).
    Stop,
    /// The process runs again (SIGCONT), after [`stop_self`] or after a SIGSTOP nobody could see: the shell may have
    /// changed the terminal, so enter the modes and draw everything.
    Continue,
}

/// The signals of this process, as a stream.
///
/// SIGWINCH is not among them: crossterm's event stream turns it into a resize event. SIGQUIT keeps its default: who sends
/// it wants a core dump of the program as it is, and it must work on one that hangs. SIGPIPE is ignored by Rust's start-up
/// code, so a write to a pipe that was closed is an error: [`quiet_broken_pipe`].
#[derive(Debug)]
pub struct Signals(system::Streams);

impl Signals {
    /// Starts to listen. From here on the signals' defaults no longer apply, for as long as the process lives.
    ///
    /// Fails outside a tokio runtime.
    pub fn new() -> io::Result<Self> {
        // Else tokio panics.
        tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        system::Streams::new().map(Self)
    }

    /// Waits for the next signal. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Signal {
        self.0.next().await
    }
}

/// Stops this process, as ctrl-z stops others. Call it with the terminal given back; [`Signal::Continue`] follows when
/// the process goes on.
///
/// Enter the terminal again on that signal, not when this returns: with several threads it may return just before the
/// process comes to its stop.
pub fn stop_self() {
    system::stop_self();
}

/// Whether this error says that the terminal has gone (a hang-up before its signal, a closed window): end, do not retry.
pub fn terminal_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::WriteZero | io::ErrorKind::UnexpectedEof
    ) || system::terminal_gone(error)
}

/// Takes the reader of our output having left (`v9s get vms | head`) for success.
///
/// Only for results of writing to stdout: a broken pipe to the API server is an error. And use `writeln!`, for
/// `println!` panics.
pub fn quiet_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// What there is everywhere: ctrl-c.
#[cfg(not(unix))]
mod system {
    use std::io;

    use super::Signal;

    #[derive(Debug)]
    pub(super) struct Streams;

    impl Streams {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }

    pub(super) fn stop_self() {}

    pub(super) fn terminal_gone(_: &io::Error) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_left_is_no_error() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(quiet_broken_pipe(Err(broken())).is_ok());
        assert!(quiet_broken_pipe(Ok(())).is_ok());
        assert!(quiet_broken_pipe(Err(io::ErrorKind::StorageFull.into())).is_err());
        assert!(terminal_gone(&broken()));
        assert!(!terminal_gone(&io::ErrorKind::WouldBlock.into()));
    }

    #[test]
    fn without_a_runtime_it_is_an_error() {
        assert!(Signals::new().is_err());
    }
}
