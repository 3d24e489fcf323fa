//! What only Unix has. Everything else of the program goes through `signals`.

use std::io;

use rustix::io::Errno;
use rustix::process::{Signal as Number, getpid, kill_process};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use super::signals::Signal;

#[derive(Debug)]
pub(super) struct Streams {
    terminate: Stream,
    hang_up: Stream,
    interrupt: Stream,
    stop: Stream,
    go_on: Stream,
}

impl Streams {
    pub(super) fn new() -> io::Result<Self> {
        let listen = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            terminate: listen(Number::TERM)?,
            hang_up: listen(Number::HUP)?,
            interrupt: listen(Number::INT)?,
            stop: listen(Number::TSTP)?,
            go_on: listen(Number::CONT)?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        // Those that end the program first; `Continue` before `Stop`, for of the two the later one counts, and a stop that
        // was not obeyed can be sent again.
        tokio::select! {
            biased;
            Some(()) = self.hang_up.recv() => Signal::HangUp,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.go_on.recv() => Signal::Continue,
            Some(()) = self.stop.recv() => Signal::Stop,
            else => std::future::pending().await,
        }
    }
}

/// SIGSTOP, since SIGTSTP has our handler and its default cannot be had back without unsafe code.
pub(super) fn stop_self() {
    if let Err(error) = kill_process(getpid(), Number::STOP) {
        tracing::warn!("cannot stop: {error}");
    }
}

pub(super) fn terminal_gone(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [Errno::IO, Errno::NXIO, Errno::BADF].iter().any(|gone| number == Some(gone.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    // The harmless ones only: the process is that of all tests.
    #[test]
    fn signals_arrive() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut streams = Streams::new().unwrap();
            for (number, want) in [
                (Number::CONT, Signal::Continue),
                (Number::TSTP, Signal::Stop),
                (Number::HUP, Signal::HangUp),
            ] {
                kill_process(getpid(), number).unwrap();
                let next = tokio::time::timeout(Duration::from_secs(10), streams.next()).await;
                assert_eq!(next, Ok(want));
            }
        });
    }

    #[test]
    fn a_hang_up_is_known_by_its_number() {
        assert!(terminal_gone(&io::Error::from(Errno::IO)));
        assert!(!terminal_gone(&io::Error::from(Errno::AGAIN)));
    }
}
