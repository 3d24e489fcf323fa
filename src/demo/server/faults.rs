//! Faults on request.

use std::io;

use http::{Method, Response, Uri};

use super::http::AnswerBody;

/// The faults that were asked for.
#[derive(Debug, Default)]
pub struct Faults {}

/// What happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Meeting {}

impl Faults {
    /// Which faults a request meets.
    pub(crate) fn meet(&self, method: &Method, uri: &Uri) -> Meeting {
        let _ = (method, uri);
        Meeting {}
    }
}

impl Meeting {
    /// What happens before the request is looked at: an answer in place of the real one, or a cut connection.
    pub(crate) async fn before(&self) -> io::Result<Option<Response<AnswerBody>>> {
        Ok(None)
    }

    /// What happens to the answer on its way.
    pub(crate) fn after(self, response: Response<AnswerBody>) -> Response<AnswerBody> {
        response
    }
}
