//! Deleting objects, and all that goes with them.

use super::Server;
use super::http::{Answer, Call};
use super::refusal::Refusal;

/// One object.
pub(crate) fn one(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let _ = (server, call);
    Err(Refusal::method_not_allowed())
}

/// All objects that a selector chooses.
pub(crate) fn collection(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let _ = (server, call);
    Err(Refusal::method_not_allowed())
}
