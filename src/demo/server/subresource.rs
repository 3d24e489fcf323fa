//! What can be done to an object beside reading and writing it.

use super::Server;
use super::http::{Answer, Call};
use super::refusal::Refusal;

/// A request to a sub-resource.
pub(crate) fn answer(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    let _ = (server, call);
    Err(Refusal::no_such_path())
}
