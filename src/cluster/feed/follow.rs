//! Asks for what a machine says, and tells it what came of it.

use std::time::Instant;

use super::PageEnd;
use super::machine::{Action, Input, Machine};
use crate::cluster::error::Failure;
use crate::store::Freshness;

/// The screen is gone: nobody wants to hear any more.
#[derive(Debug)]
pub(in crate::cluster) struct Closed;

/// Why asking ended.
#[derive(Debug)]
pub(in crate::cluster) enum Stop {
    Closed,
    Failed(Failure),
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Who asks: what a page and a watch are is theirs, when to ask is the machine's.
pub(in crate::cluster) trait Follow {
    /// What decides.
    fn machine(&mut self) -> &mut Machine;

    /// For the log.
    fn path(&self) -> &str;

    /// Says where it stands.
    async fn tell(&mut self, freshness: Freshness) -> Result<(), Closed>;

    /// Asks for a page of the list.
    async fn list(&mut self, limit: u32, token: Option<&str>) -> Result<PageEnd, Stop>;

    /// Watches until the server ends it.
    async fn watch(&mut self, version: &str) -> Result<(), Stop>;

    /// Says that the watch is open.
    async fn opened(&mut self) -> Result<(), Closed> {
        for action in self.machine().step(Input::Open, Instant::now()) {
            if let Action::Tell(freshness) = action {
                self.tell(freshness).await?;
            }
        }
        Ok(())
    }
}

/// Asks until the machine has enough or nobody listens.
pub(in crate::cluster) async fn run(mut asker: impl Follow) {
    let mut actions = asker.machine().start();
    loop {
        let mut next = None;
        for action in actions {
            match action {
                Action::Tell(freshness) => {
                    if asker.tell(freshness).await.is_err() {
                        return;
                    }
                }
                Action::End => return,
                request => next = Some(request),
            }
        }
        let done = match next {
            Some(Action::List { limit, token }) => asker.list(limit, token.as_deref()).await.map(Input::Page),
            Some(Action::Watch { version }) => asker.watch(&version).await.map(|()| Input::Ended),
            Some(Action::Pause(pause)) => {
                tokio::time::sleep(pause.mul_f64(1.0 + fastrand::f64() / 2.0)).await;
                Ok(Input::Timer)
            }
            _ => return,
        };
        let input = match done {
            Ok(input) => input,
            Err(Stop::Closed) => return,
            Err(Stop::Failed(failure)) => {
                tracing::info!(path = asker.path(), %failure, "feed");
                Input::Failed(failure)
            }
        };
        actions = asker.machine().step(input, Instant::now());
    }
}
