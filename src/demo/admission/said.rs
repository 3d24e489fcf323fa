//! What a webhook says when it refuses, in the manner of its project.

use super::place::{Causes, Spot};
use crate::demo::server::{Cause, Denial};

/// A refusal that does not know yet whose it is.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) causes: Vec<Cause>,
}

impl Said {
    /// As KubeVirt does: all messages with commas between them.
    pub(super) fn causes(causes: Causes) -> Result<(), Self> {
        let causes = causes.0;
        let texts: Vec<&str> = causes.iter().map(|cause| cause.message.as_str()).collect();
        let message = texts.join(", ");
        if causes.is_empty() { Ok(()) } else { Err(Self { code: 422, reason: "Invalid", message, causes }) }
    }

    /// Looks, and refuses if anything is wrong.
    pub(super) fn check<'a>(spot: &Spot<'a>, look: impl FnOnce(&Spot<'a>, &mut Causes)) -> Result<(), Self> {
        let mut causes = Causes::default();
        look(spot, &mut causes);
        Self::causes(causes)
    }

    /// As CDI does: a blank before each message, no reason.
    pub(super) fn cdi(causes: Causes) -> Result<(), Self> {
        let causes = causes.0;
        let message = causes.iter().flat_map(|cause| [" ", &cause.message]).collect();
        if causes.is_empty() { Ok(()) } else { Err(Self { code: 422, reason: "", message, causes }) }
    }

    /// What was no judgement but went wrong.
    pub(super) fn error(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "", message: message.into(), causes: Vec::new() }
    }

    /// As webhooks do that are made with controller-runtime: one text.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self { code: 403, reason: "Forbidden", message: message.into(), causes: Vec::new() }
    }

    /// The refusal of the webhook of this name; of the API server itself where that is empty.
    pub(super) fn of(self, webhook: &str) -> Denial {
        let message = if webhook.is_empty() {
            self.message
        } else {
            format!("admission webhook {webhook:?} denied the request: {}", self.message)
        };
        Denial { code: self.code, reason: self.reason, message, causes: self.causes }
    }
}
