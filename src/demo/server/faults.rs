//! Faults on request: what is asked for, and what requests meet of it.

mod plan;
mod spec;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, Response, StatusCode, Uri};
use hyper::body::Body as _;
use tokio::sync::watch;
use tokio::time::Instant;

pub use plan::FaultId;
pub use spec::{BadFault, Fault};
pub(crate) use stream::{Garbled, Wire};

use super::http::AnswerBody;
use super::refusal::Refusal;
use plan::{About, Met, Plan, Running};
use spec::FaultKind;
use stream::Reached;

/// The faults of a server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    plan: Mutex<Plan>,
    changed: watch::Sender<()>,
}

impl Faults {
    /// Asks for a fault: its times count from now. Streams that are open meet it too.
    pub fn add(&self, fault: &Fault) -> FaultId {
        let id = self.plan().add(fault.clone(), now());
        self.shared.changed.send_replace(());
        id
    }

    /// Takes a fault away. What it has already done stays done.
    pub fn remove(&self, id: FaultId) {
        self.plan().remove(id);
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.plan().clear();
    }

    /// Returns how often a fault was met by a request or an open stream, for as long as it is not taken away.
    pub fn met(&self, id: FaultId) -> u32 {
        self.plan().met(id)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self, about: &About, known: &[FaultId]) -> Running {
        self.plan().running(about, known, now())
    }

    fn subscribe(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    /// Which faults a request meets that came over this connection.
    pub(crate) fn meet(&self, method: &Method, uri: &Uri, wire: &Wire) -> Meeting {
        let about = About::of(method, uri);
        let met = self.plan().request(&about, now());
        Meeting { faults: self.clone(), about, met, wire: wire.clone() }
    }
}

/// The clock that sleeping follows, too.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// What happens to one request.
#[derive(Debug)]
pub(crate) struct Meeting {
    faults: Faults,
    about: About,
    met: Met,
    wire: Wire,
}

impl Meeting {
    /// What happens before the request is looked at: an answer in place of the real one, after a while or never.
    pub(crate) async fn before(&self) -> Option<Response<AnswerBody>> {
        if !self.met.latency.is_zero() {
            tokio::time::sleep(self.met.latency).await;
        }
        let refusal = match self.met.fault?.1 {
            FaultKind::Silence(None) => std::future::pending().await,
            FaultKind::GarbageForHttp => {
                self.wire.garble();
                return None;
            }
            FaultKind::Unauthorized => Refusal::unauthorized(),
            FaultKind::Gone if !self.about.is_watch() => expired(),
            FaultKind::TooMany(seconds) => {
                let message = "Too many requests, please try again later.";
                let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message);
                refusal.retry_after = Some(seconds);
                refusal
            }
            FaultKind::Failed => {
                let message = "Internal error occurred: it was asked for";
                Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
            }
            FaultKind::Unavailable(seconds) => {
                let message = "the server is currently unable to handle the request";
                let mut refusal =
                    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message);
                refusal.retry_after = seconds;
                refusal
            }
            _ => return None,
        };
        Some(refusal.response())
    }

    /// What happens to the answer on its way.
    pub(crate) fn after(self, response: Response<AnswerBody>) -> Response<AnswerBody> {
        let fault = self.met.fault.filter(|(_, kind)| *kind != FaultKind::GarbageForHttp);
        // What is there as a whole is sent at once: no later fault can reach it.
        if fault.is_none() && response.body().size_hint().exact().is_some() {
            return response;
        }
        response.map(|body| Reached::new(body, self.faults, self.about, self.wire).into_body(fault))
    }
}

fn expired() -> Refusal {
    Refusal::expired("The resourceVersion for the provided request is too old: it was asked for")
}
